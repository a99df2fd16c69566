package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/report"
)

func (e *environment) feedsIngestCommand() *cobra.Command {
	var (
		req app.IngestRequest
		out output
	)
	cmd := e.command("ingest FILE...", "Load records of your own: one JSON object a line", atLeastOne("file"),
		func(cmd *cobra.Command, args []string) error {
			req.Files, req.Stdin = args, e.stdin
			return e.feedsIngest(cmd, req, out)
		})
	cmd.Long = `Load records of your own into the catalogue under the name of a source: NDJSON, with or without .gz, each line an NVD 2.0
record, a CVE 5 record or an object of the flat shape (docs/ndjson.md). "-" is standard input.
They complete what NVD, the assigner and CISA say and do not replace it. A line that cannot be used is counted, listed with
its place and reason, and does not stop the rest; the exit code is 1 when nothing could be used.`
	cmd.Example = "  patchscout feeds ingest advisories.ndjson --source acme-psirt"
	cmd.Flags().StringVar(&req.Source, "source", "", "name of the source (a-z, 0-9, dot, underscore, hyphen), shown beside every value")
	_ = cmd.MarkFlagRequired("source") // the flag was just defined
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) feedsIngest(cmd *cobra.Command, req app.IngestRequest, out output) error {
	cfg, err := e.config(cmd)
	if err != nil {
		return err
	}
	if err := app.CheckIngest(req); err != nil {
		return err
	}
	a, err := e.openWith(cmd.Context(), cfg)
	if err != nil {
		return err
	}
	if err := e.prepare(cmd, a, cfg); err != nil {
		return err
	}
	b := e.bar(cfg, req.Source)
	doc, err := a.Ingest(cmd.Context(), req, func(p app.Progress) { b.set(p.Percent, p.Stage) })
	b.finish()
	if err != nil {
		return err
	}
	err = out.write(e, func(w io.Writer) error {
		if out.format == "json" {
			return report.JSON(w, doc)
		}
		return report.IngestTable(w, doc, e.view(out.target(e), 0, 0))
	})
	if r := doc.Run; err == nil && (r.Status == "failed" || r.Seen > 0 && r.Rejected == r.Seen) {
		return exitWith{code: exitError}
	}
	return err
}
