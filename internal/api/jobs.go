package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// jobs is what this resource needs of the product.
type jobs interface {
	Jobs(ctx context.Context, req request.Jobs) (report.JobList, error)
	Job(ctx context.Context, id int64) (report.Job, error)
	CancelJob(ctx context.Context, id int64) (report.Job, error)
	RetryJob(ctx context.Context, id int64) (report.Job, error)
}

type jobsInput struct {
	Kind   []string `query:"kind" maxItems:"10" enum:"scan,tool,import,ingest,feeds,rematch,triage,purge,report,paths" example:"import" doc:"only of these kinds"`
	State  []string `query:"state" maxItems:"5" enum:"queued,running,done,dead,cancelled" example:"dead" doc:"only in these states"`
	Scan   int64    `query:"scan" minimum:"1" example:"42" doc:"only of this scan"`
	Cursor string   `query:"cursor" maxLength:"18" pattern:"^[0-9]*$" example:"17" doc:"where the page before ended: its next"`
	Limit  int      `query:"limit" minimum:"1" maximum:"1000" default:"100" example:"100" doc:"how many at most"`
}

func (in *jobsInput) request() (request.Jobs, error) {
	req := request.Jobs{Kinds: in.Kind, States: in.State, Scan: in.Scan, Limit: in.Limit}
	if in.Cursor == "" {
		return req, nil
	}
	var err error
	if req.Before, err = strconv.ParseInt(in.Cursor, 10, 64); err != nil {
		return req, fault.InvalidOption("cursor", " %s: want the next of a page", in.Cursor)
	}
	return req, nil
}

type (
	jobListOutput struct{ Body report.JobList }
	jobOutput     struct{ Body report.Job }
)

func (s *Server) jobOperations() {
	handle(s, operation{ID: "list-jobs", Method: http.MethodGet, Path: "/jobs", Tag: "jobs", Role: auth.Viewer,
		Summary: "List background jobs, newest first", Description: "Those of the sites that the asker sees, and the asker's own. Finished ones are kept for 30 days."},
		func(ctx context.Context, d Desk, in *jobsInput) (*jobListOutput, error) {
			req, err := in.request()
			if err != nil {
				return nil, err
			}
			doc, err := d.Jobs(ctx, req)
			return &jobListOutput{doc}, err
		})
	handle(s, operation{ID: "get-job", Method: http.MethodGet, Path: "/jobs/{id}", Tag: "jobs", Role: auth.Viewer, Summary: "Where a job stands"},
		jobAction(Desk.Job))
	handle(s, operation{ID: "cancel-job", Method: http.MethodPost, Path: "/jobs/{id}/cancel", Tag: "jobs", Role: auth.Analyst, Status: http.StatusAccepted,
		Summary: "Cancel a job", Description: "One that waits ends at once, one that runs within seconds. The job of a scan is cancelled with the scan. " +
			"Jobs of the server's upkeep need an administrator."},
		jobAction(Desk.CancelJob))
	handle(s, operation{ID: "retry-job", Method: http.MethodPost, Path: "/jobs/{id}/retry", Tag: "jobs", Role: auth.Analyst, Status: http.StatusAccepted,
		Summary: "Queue a dead or cancelled job again", Description: "It has all its attempts again. Jobs of the server's upkeep need an administrator."},
		jobAction(Desk.RetryJob))
}

// jobAction does something to one job and answers where it stands.
func jobAction(act func(Desk, context.Context, int64) (report.Job, error)) func(context.Context, Desk, *byID) (*jobOutput, error) {
	return func(ctx context.Context, d Desk, in *byID) (*jobOutput, error) {
		doc, err := act(d, ctx, in.ID)
		return &jobOutput{doc}, err
	}
}
