package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/report"
)

func (e *environment) siteCommand() *cobra.Command {
	return group("site", "Vantage points: the same address in two sites is two hosts", e.siteListCommand(), e.siteAddCommand())
}

func (e *environment) siteListCommand() *cobra.Command {
	var out output
	cmd := e.command("list", "Sites and whether they see what the internet sees", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		sites, err := a.Sites(cmd.Context())
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, report.SiteList{Sites: sites})
			}
			return report.SiteTable(w, sites, e.terminal(out.target(e)))
		})
	})
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) siteAddCommand() *cobra.Command {
	var external bool
	cmd := e.command("add NAME", "Add a site", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		if err := a.AddSite(cmd.Context(), args[0], external); err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "site %s added\n", report.Plain(args[0]))
		return err
	})
	cmd.Flags().BoolVar(&external, "external", false, "its scans see what the internet sees: hosts that answer are exposed")
	return cmd
}

func (e *environment) scopeCommand() *cobra.Command {
	return group("scope", "What may be scanned", e.scopeListCommand())
}

func (e *environment) scopeListCommand() *cobra.Command {
	var out output
	cmd := e.command("list", "Networks that may be scanned", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		cfg, err := e.config(cmd)
		if err != nil {
			return err
		}
		networks, err := app.Scope(cfg)
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, report.ScopeList{Networks: networks})
			}
			return report.ScopeTable(w, networks, e.terminal(out.target(e)))
		})
	})
	out.flags(cmd, "table", "json")
	return cmd
}
