package api

import (
	"context"
	"net/http"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
)

// system is what this resource needs of the product.
type system interface {
	System(ctx context.Context) (report.System, error)
	Catalogue(ctx context.Context) (report.Catalogue, error)
}

type systemDoc struct{ Body report.System }

type catalogueDoc struct{ Body report.Catalogue }

func (s *Server) systemOperations() {
	handle(s, operation{ID: "get-system", Method: http.MethodGet, Path: "/system", Tag: "system", Role: auth.Viewer,
		Summary: "What this server is", Description: "Its version, database, how people log in, what is configured, and the state of the catalogue."},
		func(ctx context.Context, d Desk, _ *struct{}) (*systemDoc, error) {
			doc, err := d.System(ctx)
			doc.Version = s.opts.Version
			return &systemDoc{doc}, err
		})
	handle(s, operation{ID: "get-catalogue", Method: http.MethodGet, Path: "/catalogue", Tag: "system", Role: auth.Viewer,
		Summary: "What results rest on", Description: "How many CVEs there are, how new the newest is, and the age of each feed."},
		func(ctx context.Context, d Desk, _ *struct{}) (*catalogueDoc, error) {
			doc, err := d.Catalogue(ctx)
			return &catalogueDoc{doc}, err
		})
}
