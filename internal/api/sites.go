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
	Site(ctx context.Context, name string) (report.Site, error)
	AddSite(ctx context.Context, name string, external bool) error
	ChangeSite(ctx context.Context, name string, external bool) (report.Site, error)
}

type siteInput struct {
	Body struct {
		Name     string `json:"name" minLength:"1" maxLength:"63" pattern:"^[A-Za-z0-9._-]+$" example:"branch-office" doc:"letters, digits, '-', '_' and '.'"`
		External bool   `json:"external,omitempty" doc:"whether its scans see what the internet sees" example:"false"`
	}
}

type siteName struct {
	Name string `path:"name" minLength:"1" maxLength:"63" pattern:"^[A-Za-z0-9._-]+$" example:"branch-office" doc:"the site's name"`
}

type siteChange struct {
	Name string `path:"name" minLength:"1" maxLength:"63" pattern:"^[A-Za-z0-9._-]+$" example:"branch-office" doc:"the site's name"`
	Body struct {
		External bool `json:"external" doc:"whether its scans see what the internet sees: the hosts that answered them are then exposed, and judged anew" example:"true"`
	}
}

type (
	siteList   struct{ Body report.SiteList }
	siteOutput struct{ Body report.Site }
)

func (s *Server) siteOperations() {
	handle(s, operation{ID: "list-sites", Method: http.MethodGet, Path: "/sites", Tag: "sites", Role: auth.Viewer,
		Summary: "List the sites", Description: "A site is a vantage point and address space; the same address in two sites is two hosts. Only those that the asker sees are listed."},
		func(ctx context.Context, d Desk, _ *struct{}) (*siteList, error) {
			list, err := d.Sites(ctx)
			return &siteList{report.SiteList{Sites: list}}, err
		})
	handle(s, operation{ID: "get-site", Method: http.MethodGet, Path: "/sites/{name}", Tag: "sites", Role: auth.Viewer, Summary: "Show a site"},
		func(ctx context.Context, d Desk, in *siteName) (*siteOutput, error) {
			site, err := d.Site(ctx, in.Name)
			return &siteOutput{site}, err
		})
	handle(s, operation{ID: "add-site", Method: http.MethodPost, Path: "/sites", Tag: "sites", Role: auth.Admin, Status: http.StatusCreated,
		Summary: "Add a site"},
		func(ctx context.Context, d Desk, in *siteInput) (*siteOutput, error) {
			if err := d.AddSite(ctx, in.Body.Name, in.Body.External); err != nil {
				return nil, err
			}
			site, err := d.Site(ctx, in.Body.Name)
			return &siteOutput{site}, err
		})
	handle(s, operation{ID: "change-site", Method: http.MethodPatch, Path: "/sites/{name}", Tag: "sites", Role: auth.Admin,
		Summary: "Change what is known of a site"},
		func(ctx context.Context, d Desk, in *siteChange) (*siteOutput, error) {
			site, err := d.ChangeSite(ctx, in.Name, in.Body.External)
			return &siteOutput{site}, err
		})
}
