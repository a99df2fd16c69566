package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
)

func (e *environment) configCommand() *cobra.Command {
	return group("config", "What the configuration file, the environment and flags come to", e.configCheckCommand(), e.configShowCommand())
}

func (e *environment) configCheckCommand() *cobra.Command {
	var out output
	var connect bool
	cmd := e.command("check", "Say what is wrong, or where each value that is not a default comes from", cobra.NoArgs,
		func(cmd *cobra.Command, _ []string) error {
			cfg, settings, err := config.Explain(e.sources(cmd))
			if err != nil {
				return err
			}
			doc := app.CheckConfig(cmd.Context(), cfg, settings, connect)
			err = out.write(e, func(w io.Writer) error {
				if out.format == "json" {
					return report.JSON(w, doc)
				}
				return report.ConfigText(w, doc)
			})
			if err == nil && !doc.OK {
				err = fault.Invalid("the configuration has mistakes")
			}
			return err
		})
	cmd.Flags().BoolVar(&connect, "connect", false, "also try to reach the database")
	cmd.Flags().String("listen", "", "as of serve")
	cmd.Flags().String("auth", "", "as of serve")
	out.flags(cmd, "text", "json")
	return cmd
}

func (e *environment) configShowCommand() *cobra.Command {
	var out output
	cmd := e.command("show", "Print the whole configuration that is in force; secrets as ***", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		cfg, err := e.config(cmd)
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, cfg.Document())
			}
			_, err := fmt.Fprint(w, cfg.YAML())
			return err
		})
	})
	out.flags(cmd, "yaml", "json")
	return cmd
}
