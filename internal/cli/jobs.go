package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

func (e *environment) jobsCommand() *cobra.Command {
	cmd := e.jobsListCommand("jobs")
	cmd.Short = "What the server does in the background"
	cmd.AddCommand(e.jobsListCommand("list"), e.jobCommand("show ID", "Where one job stands, and what it came to", (*app.App).Job),
		e.jobCommand("cancel ID", "End a job: at once if it waits, within seconds if it runs", (*app.App).CancelJob),
		e.jobCommand("retry ID", "Queue a dead or cancelled job again", (*app.App).RetryJob))
	return cmd
}

func (e *environment) jobsListCommand(name string) *cobra.Command {
	var (
		req request.Jobs
		out output
	)
	cmd := e.command(name, "Background jobs, newest first", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		if req.Limit < 0 {
			return fault.InvalidOption("limit", " %d: want 0 or more", req.Limit)
		}
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		doc, err := a.Jobs(cmd.Context(), req)
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, doc)
			}
			return report.JobTable(w, doc.Jobs, e.terminal(out.target(e)))
		})
	})
	flags := cmd.Flags()
	flags.StringSliceVar(&req.Kinds, "kind", nil, "scan, tool, import, ingest, feeds, rematch, triage, purge, report")
	flags.StringSliceVar(&req.States, "state", nil, "queued, running, done, dead, cancelled")
	flags.Int64Var(&req.Scan, "scan", 0, "only the jobs of this scan")
	flags.Int64Var(&req.Before, "before", 0, "only jobs with a smaller number: the next page")
	flags.IntVar(&req.Limit, "limit", 50, "how many, 0 for all")
	out.flags(cmd, "table", "json")
	return cmd
}

// jobCommand does something to one job and shows where it stands then.
func (e *environment) jobCommand(use, short string, act func(*app.App, context.Context, int64) (report.Job, error)) *cobra.Command {
	var out output
	cmd := e.command(use, short, cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		id, err := parseID("job", args[0])
		if err != nil {
			return err
		}
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		j, err := act(a, cmd.Context(), id)
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, j)
			}
			return report.JobDetail(w, j)
		})
	})
	out.flags(cmd, "table", "json")
	return cmd
}
