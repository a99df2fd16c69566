package api

import (
	"context"
	"net/http"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// feeds is what this resource needs of the product.
type feeds interface {
	FeedStatus(ctx context.Context) (report.Feeds, error)
	// QueueSync has feeds loaded in the background.
	QueueSync(ctx context.Context, r request.Sync) (report.Queued, error)
	IngestionRuns(ctx context.Context, feed string, before int64, limit int) (report.IngestionRunList, error)
	IngestionRun(ctx context.Context, id int64) (report.IngestionRun, error)
}

type feedStatus struct{ Body report.Feeds }

type syncInput struct {
	Body struct {
		Feeds []string `json:"feeds,omitempty" maxItems:"50" maxLength:"60" doc:"only these; without them all that are on" example:"[\"kev\",\"epss\"]"`
		Due   bool     `json:"due,omitempty" doc:"only those whose schedule says that they are due" example:"false"`
		Force bool     `json:"force,omitempty" doc:"release what is held: load a feed that would remove or downgrade more than 2 % of its records" example:"false"`
	}
}

type queuedAnswer struct {
	Location string `header:"Location"`
	Body     report.Queued
}

type runQuery struct {
	Feed   string `query:"feed" maxLength:"60" doc:"only of this feed, or of this source of own records" example:"kev"`
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"how many" example:"20"`
	Cursor int64  `query:"cursor" minimum:"1" doc:"the page after this one: next of the answer before"`
}

type runPage struct{ Body report.IngestionRunList }

type runInput struct {
	ID int64 `path:"id" minimum:"1" doc:"the run's number" example:"17"`
}

type runDoc struct{ Body report.IngestionRun }

func (s *Server) feedOperations() {
	handle(s, operation{ID: "get-feed-status", Method: http.MethodGet, Path: "/feeds/status", Tag: "feeds", Role: auth.Viewer,
		Summary: "How old each feed is", Description: "Of each feed its records, its last run and when it is due."},
		func(ctx context.Context, d Desk, _ *struct{}) (*feedStatus, error) {
			doc, err := d.FeedStatus(ctx)
			return &feedStatus{doc}, err
		})
	handle(s, operation{ID: "sync-feeds", Method: http.MethodPost, Path: "/feeds/sync", Tag: "feeds", Role: auth.Admin, Status: http.StatusAccepted,
		Summary: "Load feeds", Description: "In the background, from the publishers or the configured mirror. A feed that fails leaves its old data standing."},
		func(ctx context.Context, d Desk, in *syncInput) (*queuedAnswer, error) {
			queued, err := d.QueueSync(ctx, request.Sync{Feeds: in.Body.Feeds, Due: in.Body.Due, Force: in.Body.Force})
			return &queuedAnswer{queued.Links.Job, queued}, err
		})
	handle(s, operation{ID: "list-ingestion-runs", Method: http.MethodGet, Path: "/ingestion/runs", Tag: "feeds", Role: auth.Viewer,
		Summary: "What each load did", Description: "Of feeds and of own records, newest first: seen = inserted + updated + unchanged + rejected."},
		func(ctx context.Context, d Desk, in *runQuery) (*runPage, error) {
			page, err := d.IngestionRuns(ctx, in.Feed, in.Cursor, in.Limit)
			return &runPage{page}, err
		})
	handle(s, operation{ID: "get-ingestion-run", Method: http.MethodGet, Path: "/ingestion/runs/{id}", Tag: "feeds", Role: auth.Viewer,
		Summary: "What one load did"},
		func(ctx context.Context, d Desk, in *runInput) (*runDoc, error) {
			doc, err := d.IngestionRun(ctx, in.ID)
			return &runDoc{doc}, err
		})
}
