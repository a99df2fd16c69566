package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// tokens is what this resource needs of the product.
type tokens interface {
	Tokens(ctx context.Context, page request.Page) (report.TokenList, error)
	CreateToken(ctx context.Context, req request.Token) (report.TokenMade, error)
	RevokeToken(ctx context.Context, id int64) error
}

type tokenInput struct {
	Body struct {
		Name      string     `json:"name" minLength:"1" maxLength:"100" example:"deploy" doc:"what it is for"`
		User      string     `json:"user,omitempty" maxLength:"128" example:"anna" doc:"whose it is; only an admin makes tokens of others"`
		Role      string     `json:"role,omitempty" enum:"viewer,analyst,admin,worker" example:"viewer" doc:"at most the user's, which it is without; worker: leases the tasks of a site"`
		Sites     []string   `json:"sites,omitempty" maxItems:"1000" example:"[\"branch-office\"]" doc:"it sees only what belongs to these; without, all that the user sees"`
		Scopes    []string   `json:"scopes,omitempty" maxItems:"100" example:"[\"findings:read\"]" doc:"it may only do this: TAG:read or TAG:write, with a tag of this document; without, all that the role may"`
		ExpiresAt *time.Time `json:"expires_at,omitempty" example:"2027-06-30T00:00:00Z" doc:"without, in 90 days"`
		Never     bool       `json:"never_expires,omitempty" example:"false"`
		Site      string     `json:"site,omitempty" maxLength:"63" example:"branch-office" doc:"of a worker"`
	}
}

type tokenID struct {
	ID int64 `path:"id" minimum:"1" example:"3"`
}

type (
	tokenList struct{ Body report.TokenList }
	tokenMade struct{ Body report.TokenMade }
)

func (s *Server) tokenOperations() {
	handle(s, operation{ID: "list-tokens", Method: http.MethodGet, Path: "/tokens", Tag: "tokens", Role: auth.Viewer, Summary: "List one's own tokens; an admin lists all"},
		func(ctx context.Context, d Desk, in *pageInput) (*tokenList, error) {
			list, err := d.Tokens(ctx, in.page())
			return &tokenList{list}, err
		})
	handle(s, operation{ID: "create-token", Method: http.MethodPost, Path: "/tokens", Tag: "tokens", Role: auth.Viewer, Status: http.StatusCreated,
		Summary: "Make an API token", Description: "The token is shown this once. It may never do more than who makes it, nor more than its user."},
		func(ctx context.Context, d Desk, in *tokenInput) (*tokenMade, error) {
			b := in.Body
			for _, scope := range b.Scopes {
				if !slices.Contains(s.Scopes(), scope) {
					return nil, fault.InvalidOption("scopes", " %.60q: want TAG:read or TAG:write, with a tag of the document", scope)
				}
			}
			req := request.Token{Name: b.Name, User: b.User, Role: b.Role, Sites: b.Sites, Scopes: b.Scopes, Never: b.Never, Site: b.Site}
			if b.ExpiresAt != nil {
				req.Expires = *b.ExpiresAt
			}
			t, err := d.CreateToken(ctx, req)
			return &tokenMade{t}, err
		})
	handle(s, operation{ID: "revoke-token", Method: http.MethodDelete, Path: "/tokens/{id}", Tag: "tokens", Role: auth.Viewer, Summary: "Revoke a token, at once and for good"},
		func(ctx context.Context, d Desk, in *tokenID) (*struct{}, error) {
			return nil, d.RevokeToken(ctx, in.ID)
		})
}

// Scopes are those that a token can be limited to.
func (s *Server) Scopes() []string {
	var out []string
	for _, item := range s.api.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete, item.Patch} {
			if op != nil && op.Extensions[mayKey] != string(auth.Worker) {
				out = append(out, op.Tags[0]+":read", op.Tags[0]+":write")
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
