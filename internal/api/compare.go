package api

import (
	"context"
	"net/http"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// comparing is what this resource needs of the product.
type comparing interface {
	Compare(ctx context.Context, req request.Compare) (report.Comparison, error)
}

type compareInput struct {
	ByID
	With   int64  `query:"with" minimum:"1" example:"41" doc:"another scan or import of the same site; absent: the completed one before it of the same targets"`
	What   string `query:"what" enum:"new,fixed,unchanged,not_looked" default:"new" example:"fixed" doc:"which findings to list"`
	Cursor string `query:"cursor" maxLength:"200" doc:"the page after this one: next of the answer before, with the same what"`
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"1000" example:"50" doc:"how many"`
}

type compareOutput struct{ Body report.Comparison }

func (s *Server) compareOperations() {
	handle(s, operation{ID: "compare-scans", Method: http.MethodGet, Path: "/scans/{id}/compare", Tag: "scans", Role: auth.Viewer,
		Summary: "What a scan found otherwise than one before it",
		Description: "Of the two, the one that looked later is the later one. fixed are findings that the later scan looked for again and did not see, as the life cycle " +
			"has it; what it did not look for to the end is not_looked. Findings that somebody set aside, and those that the catalogue took back, are left out."},
		func(ctx context.Context, d Desk, in *compareInput) (*compareOutput, error) {
			doc, err := d.Compare(ctx, request.Compare{Scan: in.ID, With: in.With, What: in.What, Cursor: in.Cursor, Limit: in.Limit})
			return &compareOutput{doc}, err
		})
}
