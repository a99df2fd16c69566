package cli

import (
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/report"
)

func (e *environment) importCommand() *cobra.Command {
	var (
		req app.ImportRequest
		out output
	)
	cmd := e.command("import FILE...", "Read saved reports and account for every record in them", atLeastOne("file"),
		func(cmd *cobra.Command, args []string) error {
			req.Files = args
			return e.importFiles(cmd, req, out)
		})
	cmd.Long = "Read saved reports (also packed with gzip or zstd; - is standard input), match their services, merge what they say into\nthe estate and print a ledger: what became of every record. A report is recognised by what it is; known are:\n" + wrap(strings.Join(app.Tools(), ", "), 100)
	cmd.Flags().StringVar(&req.Tool, "tool", "auto", "which tool wrote the files, or auto")
	cmd.Flags().StringVar(&req.Host, "host", "", "the host of records that name none, as in reports on code (default the file's name)")
	cmd.Flags().StringVar(&req.Site, "site", "default", "vantage point that the reports were made from")
	cmd.Flags().BoolVar(&req.Full, "full", false, "the reports cover all that their tool looks for on their hosts: close what they do not show")
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) importFiles(cmd *cobra.Command, req app.ImportRequest, out output) error {
	if err := app.CheckImport(req); err != nil {
		return err
	}
	cfg, err := e.config(cmd)
	if err != nil {
		return err
	}
	a, err := e.openWith(cmd.Context(), cfg)
	if err != nil {
		return err
	}
	if err := e.prepare(cmd, a, cfg); err != nil {
		return err
	}
	req.Stdin = e.stdin
	doc, importErr := a.Import(cmd.Context(), req)
	if errors.Is(importErr, app.ErrReport) { // a report that cannot be read is not a wrong command line
		importErr = exitWith{exitError, importErr}
	}
	if len(doc.Files) == 0 {
		return importErr
	}
	err = out.write(e, func(w io.Writer) error {
		if out.format == "json" {
			return report.JSON(w, doc)
		}
		return report.LedgerTable(w, doc, e.terminal(out.target(e)))
	})
	if importErr != nil {
		return importErr
	}
	return err
}

// wrap breaks a text into lines of at most width characters, at blanks.
func wrap(text string, width int) string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return strings.Join(append(lines, line), "\n")
}
