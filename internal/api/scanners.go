package api

import (
	"context"
	"net/http"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
)

// scanners is what this resource needs of the product.
type scanners interface {
	// Scanners lists every scanner with its version, or why it cannot run on the server.
	Scanners(ctx context.Context) (report.ScannerList, error)
}

type scannerList struct{ Body report.ScannerList }

func (s *Server) scannerOperations() {
	handle(s, operation{ID: "list-scanners", Method: http.MethodGet, Path: "/scanners", Tag: "scanners", Role: auth.Viewer,
		Summary: "List the scanners", Description: "With their versions, or why they cannot run on this server. What was heard holds for half a minute."},
		func(ctx context.Context, d Desk, _ *struct{}) (*scannerList, error) {
			list, err := d.Scanners(ctx)
			return &scannerList{list}, err
		})
}
