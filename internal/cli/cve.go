package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/report"
)

func (e *environment) cveCommand() *cobra.Command {
	var (
		out              output
		sources, refresh bool
	)
	cmd := e.command("cve ID", "Everything known of one CVE", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		return e.cve(cmd, args[0], out, sources, refresh)
	})
	cmd.Example = "  patchscout cve CVE-2021-41773\n  patchscout cve search \"path traversal\" --vendor apache --kev"
	cmd.Flags().BoolVar(&sources, "sources", false, "show where each field comes from, and what other sources say instead")
	cmd.Flags().BoolVar(&refresh, "refresh", false, "ask NVD's API for the record first (an answer is good for a day)")
	out.flags(cmd, "table", "json")
	cmd.AddCommand(e.cveSearchCommand())
	return cmd
}

func (e *environment) cve(cmd *cobra.Command, text string, out output, sources, refresh bool) error {
	id, err := cve.ParseID(text)
	if err != nil {
		return err
	}
	a, err := e.openCatalogue(cmd)
	if err != nil {
		return err
	}
	if refresh {
		if err := a.RefreshCVE(cmd.Context(), id); err != nil {
			return err
		}
	}
	doc, cat, err := a.CVE(cmd.Context(), id)
	if err != nil {
		return err
	}
	return out.write(e, func(w io.Writer) error {
		if out.format == "json" {
			return report.JSON(w, doc)
		}
		return report.CVETable(w, doc, cat, e.view(out.target(e), 0, 0), sources)
	})
}

// openCatalogue opens the application and makes sure that there is something to look up.
func (e *environment) openCatalogue(cmd *cobra.Command) (*app.App, error) {
	cfg, err := e.config(cmd)
	if err != nil {
		return nil, err
	}
	a, err := e.openWith(cmd.Context(), cfg)
	if err != nil {
		return nil, err
	}
	return a, e.prepare(cmd, a, cfg)
}
