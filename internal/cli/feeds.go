package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
)

func (e *environment) feedsCommand() *cobra.Command {
	return group("feeds", "Keep the catalogue of vulnerabilities up to date", e.feedsSyncCommand(), e.feedsStatusCommand(),
		e.feedsRunsCommand(), e.feedsIngestCommand(), e.feedsPublishCommand())
}

func (e *environment) feedsSyncCommand() *cobra.Command {
	var (
		req app.SyncRequest
		out output
	)
	cmd := e.command("sync", "Load what the publishers have published", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		return e.feedsSync(cmd, req, out)
	})
	cmd.Long = `Load what the publishers have published into the catalogue: from them, from the configured mirror, or with --from DIR
from files that you have (recognised by name anywhere below DIR, with or without .gz).
A feed that fails leaves its old data standing and does not stop the others.

Feeds: ` + strings.Join(app.FeedNames(), ", ") + `.`
	cmd.Example = `  patchscout feeds sync
  patchscout feeds sync --feed kev,epss
  patchscout feeds sync --due               # for a timer: only what the configured schedules say is due`
	cmd.Flags().StringSliceVar(&req.Feeds, "feed", nil, "only these (default: all that are on)")
	cmd.Flags().BoolVar(&req.Due, "due", false, "only those that are due by their schedule")
	cmd.Flags().StringVar(&req.From, "from", "", "folder or URL that holds the files")
	cmd.Flags().BoolVar(&req.Force, "force", false, "load a feed that would remove or downgrade more than 2 % of its records")
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) feedsSync(cmd *cobra.Command, req app.SyncRequest, out output) error {
	cfg, err := e.config(cmd)
	if err != nil {
		return err
	}
	if err := app.CheckSync(cfg, req); err != nil {
		return err
	}
	a, err := e.openWith(cmd.Context(), cfg)
	if err != nil {
		return err
	}
	e.steady(320 << 20)
	b := e.bar(cfg, "feeds")
	doc, err := a.SyncFeeds(cmd.Context(), req, func(p app.Progress) { b.set(p.Percent, p.Stage) })
	b.finish()
	if err != nil {
		return err
	}
	err = out.write(e, func(w io.Writer) error {
		if out.format == "json" {
			return report.JSON(w, doc)
		}
		return report.SyncTable(w, doc, e.view(out.target(e), 0, 0))
	})
	for _, r := range doc.Runs {
		if r.Status == "failed" && err == nil {
			return exitWith{code: exitError}
		}
	}
	return err
}

func (e *environment) feedsStatusCommand() *cobra.Command {
	var out output
	cmd := e.command("status", "When each feed was loaded last, and how that went", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		doc, err := a.FeedStatus(cmd.Context())
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, doc)
			}
			return report.FeedTable(w, doc, e.view(out.target(e), 0, 0))
		})
	})
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) feedsRunsCommand() *cobra.Command {
	var (
		out   output
		name  string
		limit int
	)
	cmd := e.command("runs", "What each load did: counts, times, errors", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		if limit < 1 || limit > 10_000 {
			return fault.Invalid("--limit %d: want 1 to 10000", limit)
		}
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		doc, err := a.FeedRuns(cmd.Context(), name, limit)
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, doc)
			}
			return report.RunTable(w, doc, e.view(out.target(e), 0, 0))
		})
	})
	cmd.Flags().StringVar(&name, "feed", "", "only of this feed, or of this name given to feeds ingest")
	cmd.Flags().IntVar(&limit, "limit", 20, "how many")
	out.flags(cmd, "table", "json")
	return cmd
}
