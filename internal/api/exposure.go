package api

import (
	"context"
	"net/http"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
)

// exposures is what this resource needs of the product.
type exposures interface {
	Exposure(ctx context.Context) (report.Exposure, error)
}

type exposureOutput struct{ Body report.Exposure }

func (s *Server) exposureOperations() {
	handle(s, operation{ID: "get-technique-exposure", Method: http.MethodGet, Path: "/techniques/exposure", Tag: "techniques", Role: auth.Viewer,
		Summary: "The ATT&CK matrix with the findings that lead to each technique",
		Description: "Confirmed findings that stand and that nobody set aside, by the techniques of their CVE: those that are published of it, and those derived from it. " +
			"A technique counts what leads to its sub-techniques too, each finding once."},
		func(ctx context.Context, d Desk, _ *struct{}) (*exposureOutput, error) {
			doc, err := d.Exposure(ctx)
			return &exposureOutput{doc}, err
		})
}
