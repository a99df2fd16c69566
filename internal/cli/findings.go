package cli

import (
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
)

func (e *environment) findingsCommand() *cobra.Command {
	cmd := e.findingsListCommand("findings")
	cmd.AddCommand(e.triageCommands()...)
	cmd.AddCommand(e.findingsListCommand("list"), e.findingsShowCommand(), e.findingsRemergeCommand())
	return cmd
}

func (e *environment) findingsShowCommand() *cobra.Command {
	var out output
	cmd := e.command("show ID", "One finding with all its evidence", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		id, err := parseID("finding", args[0])
		if err != nil {
			return err
		}
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		f, cat, err := a.Finding(cmd.Context(), id)
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, f)
			}
			return report.FindingDetail(w, f, cat, e.view(out.target(e), 0, 0))
		})
	})
	out.flags(cmd, "table", "json")
	return cmd
}

func parseID(what, text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 {
		return 0, fault.Invalid("%s id %q: want a positive number", what, text)
	}
	return id, nil
}
