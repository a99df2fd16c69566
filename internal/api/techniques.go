package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/report"
)

// techniques is what this resource needs of the product.
type techniques interface {
	Techniques(ctx context.Context, f catalogue.TechniqueFilter) (report.TechniqueList, error)
	Technique(ctx context.Context, id string) (report.Technique, error)
}

type techniqueQuery struct {
	Conditional
	Query    string `query:"query" maxLength:"500" doc:"words in id, name and description" example:"public-facing"`
	Tactic   string `query:"tactic" maxLength:"100" doc:"only of this tactic" example:"initial-access"`
	Platform string `query:"platform" maxLength:"100" doc:"only on this platform" example:"Linux"`
	Domain   string `query:"domain" enum:"enterprise,mobile,ics" doc:"only of this matrix" example:"enterprise"`
	Revoked  bool   `query:"revoked" doc:"revoked and deprecated ones too" example:"false"`
	Limit    int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"how many" example:"50"`
	Cursor   string `query:"cursor" maxLength:"200" doc:"the page after this one: next of the answer before, with the same search"`
}

type techniqueInput struct {
	Conditional
	ID string `path:"id" pattern:"^[Tt][0-9]{4}([.][0-9]{3})?$" example:"T1190" doc:"the technique's id"`
}

func (s *Server) techniqueOperations() {
	handleKept(s, operation{ID: "list-techniques", Method: http.MethodGet, Path: "/techniques", Tag: "techniques", Role: auth.Viewer,
		Summary: "Search ATT&CK techniques"},
		func(ctx context.Context, d Desk, in *techniqueQuery) (*fresh[report.TechniqueList], error) {
			return keep(ctx, s, d, &in.Conditional, func() (report.TechniqueList, error) {
				return d.Techniques(ctx, catalogue.TechniqueFilter{Words: in.Query, Tactic: in.Tactic, Platform: in.Platform, Domain: in.Domain,
					Revoked: in.Revoked, Limit: in.Limit, After: in.Cursor})
			})
		})
	handleKept(s, operation{ID: "get-technique", Method: http.MethodGet, Path: "/techniques/{id}", Tag: "techniques", Role: auth.Viewer,
		Summary: "An ATT&CK technique", Description: "Who uses it, how it is noticed and prevented, and the CVEs that are mapped to it; in the place of a revoked one its successor."},
		func(ctx context.Context, d Desk, in *techniqueInput) (*fresh[report.Technique], error) {
			return keep(ctx, s, d, &in.Conditional, func() (report.Technique, error) { return d.Technique(ctx, strings.ToUpper(in.ID)) })
		})
}
