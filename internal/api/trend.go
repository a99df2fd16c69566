package api

import (
	"context"
	"net/http"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// trends is what this resource needs of the product.
type trends interface {
	Trend(ctx context.Context, req request.Trend) (report.Trend, error)
}

type trendInput struct {
	Days int    `query:"days" minimum:"7" maximum:"365" default:"90" example:"90" doc:"how many days, with today"`
	Site string `query:"site" maxLength:"63" example:"default" doc:"only this site"`
}

type trendOutput struct{ Body report.Trend }

func (s *Server) trendOperations() {
	handle(s, operation{ID: "get-finding-trend", Method: http.MethodGet, Path: "/findings/trend", Tag: "findings", Role: auth.Viewer, Errors: []int{http.StatusNotFound},
		Summary: "Open and fixed findings by day",
		Description: "Confirmed findings, by the time of the reports that saw or missed them. What is set aside today is left out of every day, so that triage looks like neither " +
			"a rise nor a fall; what is confirmed is judged by today's evidence."},
		func(ctx context.Context, d Desk, in *trendInput) (*trendOutput, error) {
			doc, err := d.Trend(ctx, request.Trend{Days: in.Days, Site: in.Site})
			return &trendOutput{doc}, err
		})
}
