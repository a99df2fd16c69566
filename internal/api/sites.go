package api

import (
	"context"
	"net/http"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
)

// sites is what this resource needs of the product.
type sites interface {
	Sites(ctx context.Context) ([]report.Site, error)
	AddSite(ctx context.Context, name string, external bool) error
}

type siteInput struct {
	Body struct {
		Name     string `json:"name" minLength:"1" maxLength:"63" pattern:"^[A-Za-z0-9._-]+$" example:"branch-office" doc:"letters, digits, '-', '_' and '.'"`
		External bool   `json:"external,omitempty" doc:"whether its scans see what the internet sees" example:"false"`
	}
}

type siteList struct{ Body report.SiteList }

func (s *Server) siteOperations() {
	handle(s, operation{ID: "list-sites", Method: http.MethodGet, Path: "/sites", Tag: "sites", Role: auth.Viewer,
		Summary: "List the sites", Description: "A site is a vantage point and address space; the same address in two sites is two hosts."},
		func(ctx context.Context, d Desk, _ *struct{}) (*siteList, error) {
			list, err := d.Sites(ctx)
			return &siteList{report.SiteList{Sites: list}}, err
		})
	handle(s, operation{ID: "add-site", Method: http.MethodPost, Path: "/sites", Tag: "sites", Role: auth.Admin, Status: http.StatusCreated,
		Summary: "Add a site"},
		func(ctx context.Context, d Desk, in *siteInput) (*struct{}, error) {
			return nil, d.AddSite(ctx, in.Body.Name, in.Body.External)
		})
}
