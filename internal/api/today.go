package api

import (
	"context"
	"net/http"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
)

// today is what this resource needs of the product.
type today interface {
	Today(ctx context.Context, since string) (report.Today, error)
	Visit(ctx context.Context) error
}

type todayInput struct {
	Since string `query:"since" maxLength:"40" example:"2026-11-19T08:30:00Z" doc:"a day or a moment, for who keeps it himself; the asker's last visit when absent"`
}

type todayOutput struct{ Body report.Today }

func (s *Server) todayOperations() {
	handle(s, operation{ID: "get-today", Method: http.MethodGet, Path: "/today", Tag: "today", Role: auth.Viewer,
		Summary:     "What to act on now",
		Description: "What is open, overdue and due soon, what to do first, what is newly exploited, what changed since the last visit, and whether the feeds are well."},
		func(ctx context.Context, d Desk, in *todayInput) (*todayOutput, error) {
			doc, err := d.Today(ctx, in.Since)
			return &todayOutput{doc}, err
		})
	handle(s, operation{ID: "visit-today", Method: http.MethodPost, Path: "/today/visit", Tag: "today", Role: auth.Viewer, Status: http.StatusNoContent,
		Summary:     "Keep that the asker has seen it now",
		Description: "From now on changes are told since this moment. Where nobody has to log in, nothing is kept."},
		func(ctx context.Context, d Desk, _ *struct{}) (*struct{}, error) {
			return nil, d.Visit(ctx)
		})
}
