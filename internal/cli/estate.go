package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/report"
)

func (e *environment) scansCommand() *cobra.Command {
	cmd := e.scansListCommand("scans")
	cmd.AddCommand(e.scansListCommand("list"), e.scansShowCommand(), e.scansPauseCommand(), e.scansResumeCommand(), e.scansCancelCommand())
	return cmd
}

func (e *environment) scansListCommand(name string) *cobra.Command {
	var (
		out   output
		limit int
	)
	cmd := e.command(name, "Scans and imports, newest first", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		runs, err := a.Scans(cmd.Context(), limit)
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, report.ScanList{Scans: runs})
			}
			return report.ScanTable(w, runs, e.terminal(out.target(e)))
		})
	})
	cmd.Flags().IntVar(&limit, "limit", 50, "how many, 0 for all")
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) scansShowCommand() *cobra.Command {
	var (
		out output
		v   verdict
	)
	cmd := e.command("show ID", "The result of one scan as it stands now", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		id, err := parseID("scan", args[0])
		if err != nil {
			return err
		}
		if err := v.check(); err != nil {
			return err
		}
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		result, err := a.ScanResult(cmd.Context(), id)
		if err != nil {
			return err
		}
		return e.present(result, out, v)
	})
	out.flags(cmd, findingFormats...)
	v.flags(cmd)
	return cmd
}
