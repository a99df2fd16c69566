package api

import (
	"context"
	"net/http"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// scopes is what this resource needs of the product.
type scopes interface {
	Scope(ctx context.Context) (report.ScopeList, error)
	AddScopeRule(ctx context.Context, req request.ScopeRule) (report.ScopeRule, error)
	RemoveScopeRule(ctx context.Context, id int64) error
	CheckScope(ctx context.Context, req request.ScopeCheck) (report.ScopeCheck, error)
}

type scopeRuleInput struct {
	Body struct {
		Network string `json:"network" minLength:"1" maxLength:"255" example:"198.51.100.0/24" doc:"a network, an address, a host name or *.DOMAIN. A rule for a name trusts its owner: it speaks of the addresses that the name leads to."`
		Deny    bool   `json:"deny,omitempty" example:"false" doc:"forbid it; a rule that denies wins over all that allow"`
		Site    string `json:"site,omitempty" maxLength:"63" example:"default" doc:"for scans in this site only"`
		Role    string `json:"role,omitempty" enum:"analyst,admin" example:"analyst" doc:"the least role that it is for"`
		User    string `json:"user,omitempty" maxLength:"255" example:"anna" doc:"the one user that it is for"`
		Note    string `json:"note,omitempty" maxLength:"1024" example:"agreed with the hosting provider, ticket 4711" doc:"why"`
		Until   string `json:"until,omitempty" maxLength:"10" example:"2027-12-31" doc:"the last day on which it holds"`
	}
}

type scopeCheckInput struct {
	Body struct {
		Targets []string `json:"targets" minItems:"1" maxItems:"64" minLength:"1" maxLength:"2048" example:"[\"192.168.1.0/24\",\"https://www.example.org/shop\"]" doc:"as POST /scans/initiate takes them"`
		Site    string   `json:"site,omitempty" maxLength:"63" example:"default" doc:"the site of the scan"`
		User    string   `json:"user,omitempty" maxLength:"255" example:"anna" doc:"who would scan; only an administrator asks for others than himself"`
	}
}

type (
	scopeOutput      struct{ Body report.ScopeList }
	scopeRuleOutput  struct{ Body report.ScopeRule }
	scopeCheckOutput struct{ Body report.ScopeCheck }
)

func (s *Server) scopeOperations() {
	handle(s, operation{ID: "list-scope", Method: http.MethodGet, Path: "/scope", Tag: "scope", Role: auth.Viewer,
		Summary:     "List what may be scanned",
		Description: "Loopback and private networks may be scanned, and what the rules allow besides; what a rule or the configuration denies may not, and link-local addresses and clouds' metadata services never."},
		func(ctx context.Context, d Desk, _ *struct{}) (*scopeOutput, error) {
			list, err := d.Scope(ctx)
			return &scopeOutput{list}, err
		})
	handle(s, operation{ID: "add-scope-rule", Method: http.MethodPost, Path: "/scope", Tag: "scope", Role: auth.Admin, Status: http.StatusCreated,
		Summary: "Let users scan something, or forbid it", Description: "A rule that says the same is not made twice. Scans that are running obey from their next task on.",
		Errors: []int{http.StatusNotFound}},
		func(ctx context.Context, d Desk, in *scopeRuleInput) (*scopeRuleOutput, error) {
			b := in.Body
			rule, err := d.AddScopeRule(ctx, request.ScopeRule{Network: b.Network, Deny: b.Deny, Site: b.Site, Role: b.Role, User: b.User, Note: b.Note, Until: b.Until})
			return &scopeRuleOutput{rule}, err
		})
	handle(s, operation{ID: "remove-scope-rule", Method: http.MethodDelete, Path: "/scope/{id}", Tag: "scope", Role: auth.Admin, Summary: "Forget a rule on what may be scanned"},
		func(ctx context.Context, d Desk, in *byID) (*struct{}, error) {
			return nil, d.RemoveScopeRule(ctx, in.ID)
		})
	handle(s, operation{ID: "check-scope", Method: http.MethodPost, Path: "/scope/check", Tag: "scope", Role: auth.Analyst, Reads: true,
		Summary: "Say what would happen to targets", Description: "Names are looked up as a scan would, and nothing is scanned."},
		func(ctx context.Context, d Desk, in *scopeCheckInput) (*scopeCheckOutput, error) {
			doc, err := d.CheckScope(ctx, request.ScopeCheck{Targets: in.Body.Targets, Site: in.Body.Site, User: in.Body.User})
			return &scopeCheckOutput{doc}, err
		})
}
