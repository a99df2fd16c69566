package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

func (e *environment) scopeCommand() *cobra.Command {
	return group("scope", "What may be scanned, by whom and from where", e.scopeListCommand(), e.scopeAddCommand(), e.scopeRemoveCommand(),
		e.scopeCheckCommand())
}

func (e *environment) scopeListCommand() *cobra.Command {
	var out output
	cmd := e.command("list", "What may be scanned from here, and the rules for users of the server", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		list, err := a.Scope(cmd.Context())
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, list)
			}
			return report.ScopeTable(w, list, e.terminal(out.target(e)))
		})
	})
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) scopeAddCommand() *cobra.Command {
	var req request.ScopeRule
	cmd := e.command("add NETWORK|ADDRESS|NAME|*.DOMAIN", "Let users of the server scan something, or forbid it", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		req.Network = args[0]
		rule, err := a.AddScopeRule(cmd.Context(), req)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "scope rule %d added\n", rule.ID)
		return err
	})
	f := cmd.Flags()
	f.BoolVar(&req.Deny, "deny", false, "forbid it; a rule that denies wins over all that allow")
	f.StringVar(&req.Site, "site", "", "for scans in this site only")
	f.StringVar(&req.Role, "role", "", "for this role and above: analyst, admin")
	f.StringVar(&req.User, "user", "", "for this user only")
	f.StringVar(&req.Note, "note", "", "why")
	f.StringVar(&req.Until, "until", "", "the last day on which it holds, YYYY-MM-DD")
	return cmd
}

func (e *environment) scopeRemoveCommand() *cobra.Command {
	return e.command("remove ID", "Forget a rule", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		id, err := parseID("scope rule", args[0])
		if err != nil {
			return err
		}
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		if err := a.RemoveScopeRule(cmd.Context(), id); err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "scope rule %d removed\n", id)
		return err
	})
}

func (e *environment) scopeCheckCommand() *cobra.Command {
	var req request.ScopeCheck
	var anybody bool
	var out output
	cmd := e.command("check TARGET…", "Say of targets whether they may be scanned, and why", cobra.MinimumNArgs(1), func(cmd *cobra.Command, args []string) error {
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		req.Targets = args
		if anybody {
			req.User = app.AnyUser
		}
		doc, err := a.CheckScope(cmd.Context(), req)
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, doc)
			}
			return report.ScopeCheckTable(w, doc, e.terminal(out.target(e)))
		})
	})
	cmd.Flags().StringVar(&req.Site, "site", "", "the site of the scan")
	cmd.Flags().StringVar(&req.User, "user", "", "as this user of the server, not from this command line")
	cmd.Flags().BoolVar(&anybody, "server", false, "as any analyst of the server")
	cmd.MarkFlagsMutuallyExclusive("user", "server")
	out.flags(cmd, "table", "json")
	return cmd
}
