package api

import (
	"context"
	"net/http"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
)

// logins is what this resource needs of the product.
type logins interface {
	Login(ctx context.Context, name, password string) (auth.Login, error)
	Logout(ctx context.Context) error
	Me(ctx context.Context) (report.Me, error)
	LoginWays(ctx context.Context) (report.LoginWays, error)
	ChangePassword(ctx context.Context, current, next string) (auth.Login, error)
	BeginOIDC(ctx context.Context, browser, target string) (address string, err error)
	EndOIDC(ctx context.Context, answer auth.OIDCAnswer) (login auth.Login, target string, err error)
}

type loginInput struct {
	Body struct {
		Name     string `json:"name" minLength:"1" maxLength:"128" example:"anna"`
		Password string `json:"password" minLength:"1" maxLength:"1024" format:"password" example:"correct-horse-battery"`
	}
}

type passwordInput struct {
	Body struct {
		Current  string `json:"current" minLength:"1" maxLength:"1024" format:"password" example:"the-one-of-today" doc:"the present password"`
		Password string `json:"password" minLength:"8" maxLength:"1024" format:"password" example:"correct-horse-battery" doc:"8 characters or more, 1,024 bytes at most"`
	}
}

// session is the answer to who has just logged in.
type session struct {
	SetCookie []http.Cookie `header:"Set-Cookie"`
	Body      report.Me
}

type meAnswer struct{ Body report.Me }

type waysAnswer struct{ Body report.LoginWays }

// maxLogin bounds the body of a login: nobody has to be known to send one.
const maxLogin = 16 << 10

func (s *Server) loginOperations() {
	handle(s, operation{ID: "login", Method: http.MethodPost, Path: "/auth/login", Tag: "auth", Role: auth.Nobody, MaxBody: maxLogin,
		Errors: []int{http.StatusUnauthorized}, Summary: "Log in with a name and a password",
		Description: "Begins a session in the cookie patchscout_session. Every change then needs the header X-CSRF-Token with the csrf_token of the answer. " +
			"After some failures the next attempt has to wait, at most a quarter of an hour: 429 with Retry-After."},
		func(ctx context.Context, d Desk, in *loginInput) (*session, error) {
			login, err := d.Login(ctx, in.Body.Name, in.Body.Password)
			return s.begun(ctx, login, err)
		})
	handle(s, operation{ID: "logout", Method: http.MethodPost, Path: "/auth/logout", Tag: "auth", Role: auth.Viewer, Unchanged: true,
		Summary: "End the session", Description: "Of a token nothing ends: revoke it."},
		func(ctx context.Context, d Desk, _ *struct{}) (*cookieAnswer, error) {
			return &cookieAnswer{[]http.Cookie{s.cookie(ctx, "", time.Time{})}}, d.Logout(ctx)
		})
	handle(s, operation{ID: "get-me", Method: http.MethodGet, Path: "/auth/me", Tag: "auth", Role: auth.Viewer, Unchanged: true,
		Summary: "Who asks, and what they may"},
		func(ctx context.Context, d Desk, _ *struct{}) (*meAnswer, error) {
			me, err := d.Me(ctx)
			return &meAnswer{s.withCSRF(ctx, me)}, err
		})
	handle(s, operation{ID: "get-login-ways", Method: http.MethodGet, Path: "/auth/ways", Tag: "auth", Role: auth.Nobody,
		Summary: "How people can log in here"},
		func(ctx context.Context, d Desk, _ *struct{}) (*waysAnswer, error) {
			ways, err := d.LoginWays(ctx)
			return &waysAnswer{ways}, err
		})
	handle(s, operation{ID: "change-password", Method: http.MethodPost, Path: "/auth/password", Tag: "auth", Role: auth.Viewer, Unchanged: true, MaxBody: maxLogin,
		Summary: "Change one's own password", Description: "Ends all sessions and begins a new one."},
		func(ctx context.Context, d Desk, in *passwordInput) (*session, error) {
			login, err := d.ChangePassword(ctx, in.Body.Current, in.Body.Password)
			return s.begun(ctx, login, err)
		})
	s.oidcOperations()
}

type cookieAnswer struct {
	SetCookie []http.Cookie `header:"Set-Cookie"`
}

// begun answers with a session that has begun, whatever session the browser had before.
func (s *Server) begun(ctx context.Context, login auth.Login, err error) (*session, error) {
	if err != nil {
		return nil, err
	}
	id := login.User.Identity(auth.Session, "")
	me := ReportMe(id)
	me.CSRFToken, me.ExpiresAt = report.Text(auth.CSRFToken(login.Secret)), &login.Expires
	return &session{SetCookie: []http.Cookie{s.cookie(ctx, login.Secret, login.Expires)}, Body: me}, nil
}

func (s *Server) withCSRF(ctx context.Context, me report.Me) report.Me {
	if secret := visitOf(ctx).session; me.Kind == string(auth.Session) && secret != "" {
		me.CSRFToken = report.Text(auth.CSRFToken(secret))
	}
	return me
}

// ReportMe shows an identity.
func ReportMe(id auth.Identity) report.Me {
	me := report.Me{Name: id.Name, Kind: string(id.Kind), Role: string(id.Role), AllSites: id.View.All(), Sites: id.View.Sites(), Scopes: id.Scopes,
		Site: report.Text(id.Site), MustChange: id.MustChange, AuthOff: id.Kind == auth.Off}
	if id.User != 0 {
		me.UserID = &id.User
	}
	if !id.Expires.IsZero() {
		at := id.Expires.UTC()
		me.ExpiresAt = &at
	}
	if me.Sites == nil {
		me.Sites = []string{}
	}
	if me.Scopes == nil {
		me.Scopes = []string{}
	}
	return me
}
