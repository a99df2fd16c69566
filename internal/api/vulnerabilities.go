package api

import (
	"context"
	"net/http"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
)

// vulnerabilities is what this resource needs of the product.
type vulnerabilities interface {
	Vulnerability(ctx context.Context, finding int64) (report.Vulnerability, error)
	Exploits(ctx context.Context, finding int64) (report.ExploitList, error)
}

type (
	vulnerabilityOutput struct{ Body report.Vulnerability }
	exploitsOutput      struct{ Body report.ExploitList }
)

func (s *Server) vulnerabilityOperations() {
	handle(s, operation{ID: "get-vulnerability-details", Method: http.MethodGet, Path: "/vulnerabilities/{id}/details", Tag: "findings", Role: auth.Viewer,
		Summary: "A finding with everything that is known of it",
		Description: "Its evidence, history and due date, the host and service that it is about, and of its CVE: KEV, EPSS with its past, exploits, " +
			"techniques and an explanation in plain words. The id is the finding's."},
		func(ctx context.Context, d Desk, in *ByID) (*vulnerabilityOutput, error) {
			doc, err := d.Vulnerability(ctx, in.ID)
			return &vulnerabilityOutput{doc}, err
		})
	handle(s, operation{ID: "list-vulnerability-exploits", Method: http.MethodGet, Path: "/vulnerabilities/{id}/exploits", Tag: "findings", Role: auth.Viewer,
		Summary: "What is published that exploits a finding's CVE", Description: "The verified and the best ranked ones first. The id is the finding's."},
		func(ctx context.Context, d Desk, in *ByID) (*exploitsOutput, error) {
			doc, err := d.Exploits(ctx, in.ID)
			return &exploitsOutput{doc}, err
		})
}
