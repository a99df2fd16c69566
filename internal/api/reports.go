package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
)

// reports is what this resource needs of the product.
type reports interface {
	Summary(ctx context.Context, scan int64) (report.Summary, error)
}

type ReportInput struct {
	ScanID int64 `path:"scan_id" minimum:"1" example:"42" doc:"the scan's number"`
}

type reportExportInput struct {
	ReportInput
	Format string `query:"format" enum:"json,csv,sarif" default:"json" example:"csv"`
}

type summaryOutput struct{ Body report.Summary }

func (s *Server) reportOperations() {
	handle(s, operation{ID: "get-report", Method: http.MethodGet, Path: "/reports/{scan_id}", Tag: "reports", Role: auth.Viewer,
		Summary: "A scan on one page", Description: "How many findings of which severity and decision, the most urgent ones, what to do first, the scanners and the age of the data that they were judged by."},
		func(ctx context.Context, d Desk, in *ReportInput) (*summaryOutput, error) {
			doc, err := d.Summary(ctx, in.ScanID)
			return &summaryOutput{doc}, err
		})
	handle(s, operation{ID: "export-report", Method: http.MethodGet, Path: "/reports/{scan_id}/export", Tag: "reports", Role: auth.Viewer,
		Summary: "A scan as a file", Description: "json is the document of the scan, csv and sarif its findings.",
		Streams: []string{"application/json", "text/csv", "application/sarif+json"}, Whole: report.Scan{}},
		func(ctx context.Context, d Desk, in *reportExportInput) (*huma.StreamResponse, error) {
			return s.scanStream(ctx, d, in.ScanID, in.Format)
		})
}
