package api

import (
	"context"
	"net/http"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// marks is what this resource needs of the product.
type marks interface {
	FindingMarks(ctx context.Context, req request.Marks) (report.FindingMarks, error)
}

type marksInput struct {
	FindingFilter
	Sort  string `query:"sort" maxLength:"20" pattern:"^[a-z_]+(:(asc|desc))?$" example:"cvss:desc" doc:"as of the list"`
	Every int    `query:"every" minimum:"100" maximum:"10000" default:"1000" example:"1000" doc:"findings from one mark to the next"`
}

type marksOutput struct{ Body report.FindingMarks }

func (s *Server) markOperations() {
	handle(s, operation{ID: "list-finding-marks", Method: http.MethodGet, Path: "/findings/marks", Tag: "findings", Role: auth.Viewer, Errors: named,
		Summary: "Places in the list of findings",
		Description: "For a table over all of it: to show row 512,300 of a list, ask for its marks, and page on from mark 512. They hold for the same filter and sort; " +
			"after somebody wrote, the list may begin a few rows beside."},
		func(ctx context.Context, d Desk, in *marksInput) (*marksOutput, error) {
			req := request.Marks{Findings: in.FindingFilter.request(), Every: in.Every}
			req.Sort = in.Sort
			doc, err := d.FindingMarks(ctx, req)
			return &marksOutput{doc}, err
		})
}
