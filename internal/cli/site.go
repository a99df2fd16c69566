package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
)

func (e *environment) siteCommand() *cobra.Command {
	return group("site", "Vantage points: the same address in two sites is two hosts", e.siteListCommand(), e.siteAddCommand(), e.siteSetCommand())
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

func (e *environment) siteSetCommand() *cobra.Command {
	var external bool
	cmd := e.command("set NAME --external=true|false", "Change what is known of a site", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		if !cmd.Flags().Changed("external") {
			return fault.Invalid("say something of the site: --external=true or --external=false")
		}
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		site, err := a.ChangeSite(cmd.Context(), args[0], external)
		if err != nil {
			return err
		}
		sees := "an internal network"
		if site.External {
			sees = "what the internet sees"
		}
		_, err = fmt.Fprintf(e.stdout, "site %s sees %s\n", report.Plain(site.Name), sees)
		return err
	})
	cmd.Flags().BoolVar(&external, "external", false, "its scans see what the internet sees: hosts that answer are exposed")
	return cmd
}
