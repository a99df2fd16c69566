package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/report"
)

func (e *environment) importsCommand() *cobra.Command {
	cmd := e.importsListCommand("imports")
	cmd.AddCommand(e.importsListCommand("list"), e.importsShowCommand(), e.importsUndoCommand())
	return cmd
}

func (e *environment) importsListCommand(name string) *cobra.Command {
	var (
		out   output
		limit int
	)
	cmd := e.command(name, "Imported reports and what became of their records, newest first", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		doc, err := a.Imports(cmd.Context(), limit)
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, doc)
			}
			return report.ImportTable(w, doc, e.terminal(out.target(e)))
		})
	})
	cmd.Flags().IntVar(&limit, "limit", 50, "how many, 0 for all")
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) importsShowCommand() *cobra.Command {
	var out output
	cmd := e.command("show ID", "The ledger of one import", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		id, err := parseID("import", args[0])
		if err != nil {
			return err
		}
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		one, err := a.Imported(cmd.Context(), id)
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, one)
			}
			return report.LedgerTable(w, report.Import{Files: []report.Ledger{one.Ledger}}, e.terminal(out.target(e)))
		})
	})
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) importsUndoCommand() *cobra.Command {
	var (
		out output
		yes bool
	)
	cmd := e.command("undo ID", "Take back exactly what one import or scan said", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		id, err := parseID("import", args[0])
		if err != nil {
			return err
		}
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		doc, err := a.UndoImport(cmd.Context(), id, yes)
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, doc)
			}
			return report.UndoText(w, doc, e.terminal(out.target(e)))
		})
	})
	cmd.Long = "Take back the evidence, the coverage and the words on hosts and services of one import or scan, and fold the life of every\nfinding anew from what the others said. Rules that were made from its VEX statements stay: patchscout rules list. Without\n--yes it only says what that comes to."
	cmd.Flags().BoolVar(&yes, "yes", false, "do it")
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) findingsRemergeCommand() *cobra.Command {
	var (
		out   output
		apply bool
	)
	cmd := e.command("remerge", "Apply today's rules of merging and rating to everything stored", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		doc, err := a.Remerge(cmd.Context(), apply)
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, doc)
			}
			return report.RemergeText(w, doc, e.terminal(out.target(e)))
		})
	})
	cmd.Long = "Which checks are one weakness, which CVEs a title names, how severity, confidence and state follow from the evidence: rules\nget better, and what was stored under the old ones is put right by this. Without --apply it only shows the difference."
	cmd.Flags().BoolVar(&apply, "apply", false, "do it")
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) assetsMergeCommand() *cobra.Command {
	return e.hostPairCommand("merge HOST OTHER", "Join two hosts that are one machine", "%s is host %d now, with all that was known of it\n", (*app.App).MergeHosts)
}

func (e *environment) assetsSplitCommand() *cobra.Command {
	return e.hostPairCommand("split HOST ADDRESS", "Make what was seen at one address a host of its own", "%s is host %d now\n", (*app.App).SplitHost)
}

// hostPairCommand does something with a host and a second thing that is named beside it, and says which host that is now.
func (e *environment) hostPairCommand(use, short, say string, do func(a *app.App, ctx context.Context, host, other, site string) (int64, error)) *cobra.Command {
	var site string
	cmd := e.command(use, short, cobra.ExactArgs(2), func(cmd *cobra.Command, args []string) error {
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		id, err := do(a, cmd.Context(), args[0], args[1], site)
		if err == nil {
			_, err = fmt.Fprintf(e.stdout, say, report.Plain(args[1]), id)
		}
		return err
	})
	cmd.Flags().StringVar(&site, "site", "", "where addresses and names are looked up")
	return cmd
}
