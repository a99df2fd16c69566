package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/report"
)

func (e *environment) initCommand() *cobra.Command {
	return e.command("init", "Create and migrate the databases (any number of times)", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		cfg, err := e.config(cmd)
		if err != nil {
			return err
		}
		a, err := e.openWith(cmd.Context(), cfg)
		if err != nil {
			return err
		}
		where, err := a.Init(cmd.Context())
		if err != nil {
			return err
		}
		if err := e.prepare(cmd, a, cfg); err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "ready: %s\n", report.Plain(where))
		return err
	})
}

func (e *environment) seedCommand() *cobra.Command {
	var remove bool
	cmd := e.command("seed", "A small estate to look at, marked as demo", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		a, err := e.openCatalogue(cmd)
		if err != nil {
			return err
		}
		seed := a.Seed
		if remove {
			seed = a.RemoveSeed
		}
		say, err := seed(cmd.Context())
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(e.stdout, say)
		return err
	})
	cmd.Flags().BoolVar(&remove, "remove", false, "take away everything that is marked as demo")
	return cmd
}
