package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
)

// flowCookie ties a login with an OpenID provider to the browser that began it.
const flowCookie = "patchscout_login"

// flowLasts is how long somebody may take at the provider.
const flowLasts = 10 * time.Minute

type oidcBegin struct {
	Target string `query:"target" maxLength:"500" example:"/findings" doc:"the page of this server to show afterwards"`
}

type oidcEnd struct {
	Code             string `query:"code" maxLength:"4096" example:"SplxlOBeZQQYbYS6WxSbIA"`
	State            string `query:"state" maxLength:"200" example:"af0ifjsldkj"`
	Issuer           string `query:"iss" maxLength:"500" example:"https://login.example.org/realms/staff"`
	Error            string `query:"error" maxLength:"200" example:"access_denied"`
	ErrorDescription string `query:"error_description" maxLength:"2000" example:"the user said no"`
	Browser          string `cookie:"patchscout_login" maxLength:"100" doc:"set when the login began"`
}

// redirect sends a browser on.
type redirect struct {
	Status    int
	Location  string        `header:"Location"`
	SetCookie []http.Cookie `header:"Set-Cookie"`
}

func (s *Server) oidcOperations() {
	handle(s, operation{ID: "begin-oidc-login", Method: http.MethodGet, Path: "/auth/oidc/login", Tag: "auth", Role: auth.Nobody, Status: http.StatusSeeOther,
		Errors: []int{http.StatusUnauthorized, http.StatusNotFound}, Summary: "Log in with the OpenID provider: sends the browser there"},
		func(ctx context.Context, d Desk, in *oidcBegin) (*redirect, error) {
			browser := auth.NewSecret()
			address, err := d.BeginOIDC(ctx, browser, in.Target)
			if err != nil {
				return nil, err
			}
			return &redirect{Status: http.StatusSeeOther, Location: address, SetCookie: []http.Cookie{s.flowCookie(ctx, browser, int(flowLasts.Seconds()))}}, nil
		})
	handle(s, operation{ID: "end-oidc-login", Method: http.MethodGet, Path: "/auth/oidc/callback", Tag: "auth", Role: auth.Nobody, Status: http.StatusSeeOther,
		Errors: []int{http.StatusUnauthorized, http.StatusNotFound}, Summary: "Where the OpenID provider sends the browser back to", AnyQuery: true},
		func(ctx context.Context, d Desk, in *oidcEnd) (*redirect, error) {
			login, target, err := d.EndOIDC(ctx, auth.OIDCAnswer{Code: in.Code, State: in.State, Issuer: in.Issuer, Error: in.Error,
				Description: in.ErrorDescription, Browser: in.Browser})
			if err != nil {
				gone := s.flowCookie(ctx, "", -1)
				if s.ui.files != nil {
					s.opts.Log.WarnContext(ctx, "nobody was let in by the OpenID provider", "error", err)
					return &redirect{Status: http.StatusSeeOther, Location: s.opts.BasePath + "/signin?refused=" + whyRefused(err), SetCookie: []http.Cookie{gone}}, nil
				}
				return nil, huma.ErrorWithHeaders(s.problem(ctx, err), http.Header{"Set-Cookie": {gone.String()}})
			}
			return &redirect{Status: http.StatusSeeOther, Location: s.opts.BasePath + target,
				SetCookie: []http.Cookie{s.cookie(ctx, login.Secret, login.Expires), s.flowCookie(ctx, "", -1)}}, nil
		})
}

// whyRefused is a word for the page on which people log in. It has words of its own for each: what stood in the address would
// be anybody's, on the page that people trust most.
func whyRefused(err error) string {
	switch {
	case auth.NotLetIn(err):
		return "provider"
	case fault.KindOf(err) == fault.KindDenied:
		return "role"
	case fault.KindOf(err) == fault.KindUnavailable:
		return "away"
	}
	return "other"
}

func (s *Server) flowCookie(ctx context.Context, value string, maxAge int) http.Cookie {
	return http.Cookie{Name: flowCookie, Value: value, Path: s.opts.BasePath + "/api/v1/auth/oidc", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: visitOf(ctx).secure, MaxAge: maxAge}
}
