package app

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"github.com/patchscout/patchscout/internal/api"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/telemetry"
)

// public is everything that answers without logging in. Adding to it is a decision.
var public = []string{"login", "get-login-ways", "begin-oidc-login", "end-oidc-login", "get-health", "get-liveness", "get-readiness"}

// outside is everything that answers and is not in the document: the program's own pages, and figures.
var outside = []string{"GET /", "GET /openapi.json", "GET /openapi.yaml", "GET /openapi-3.0.json", "GET /openapi-3.0.yaml", "GET /docs", "GET /docs/*", "GET /help", "GET /help/{page}", "GET /metrics"}

// unchanged is all that somebody may do whose password has to be changed.
var unchanged = []string{"get-me", "logout", "change-password"}

// door is the whole server as strangers meet it, with one of each kind of asker.
type door struct {
	t      *testing.T
	app    *App
	server *api.Server
	web    *httptest.Server
}

func openDoor(t *testing.T, change func(*config.Config)) *door {
	t.Helper()
	cfg := config.Default()
	cfg.DataDir, cfg.Server.StrangerRate = t.TempDir(), 0
	if change != nil {
		change(&cfg)
	}
	log, closeLog, err := telemetry.Open(io.Discard, telemetry.Options{Format: "text", Level: "error"})
	if err != nil {
		t.Fatal(err)
	}
	a, err := Open(t.Context(), cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		_ = closeLog()
	})
	options := api.Options{Version: "test", Now: a.now, BasePath: cfg.Server.BasePath, Desk: func(who auth.Identity) api.Desk { return a.For(who) }}
	if err := a.protect(&options); err != nil {
		t.Fatal(err)
	}
	d := &door{t: t, app: a, server: api.New(options)}
	d.web = httptest.NewServer(d.server.Handler())
	t.Cleanup(d.web.Close)
	return d
}

// user makes a user, whose password is pass.
func (d *door) user(name string, role auth.Role, mustChange bool) auth.User {
	d.t.Helper()
	hash, err := auth.HashPassword(d.t.Context(), pass)
	if err != nil {
		d.t.Fatal(err)
	}
	u := auth.User{Name: name, Password: hash, Role: role, View: auth.Everything(), MustChange: mustChange, Created: time.Now()}
	if u.ID, err = d.app.store.Estate().AddUser(d.t.Context(), u); err != nil {
		d.t.Fatal(err)
	}
	return u
}

const pass = "correct horse battery"

func (d *door) token(u auth.User, role auth.Role, scopes ...string) string {
	d.t.Helper()
	req := TokenRequest{Name: "t", Role: string(role), User: u.Name, Scopes: scopes}
	if role == auth.Worker {
		req = TokenRequest{Name: "w", Role: "worker", Site: "default"}
	}
	made, err := d.app.CreateToken(d.t.Context(), req)
	if err != nil {
		d.t.Fatal(err)
	}
	return made.Secret
}

// ask sends a request and returns the status and what came, with the headers that are pairs of name and value.
func (d *door) ask(method, path, body string, headers ...string) (*http.Response, string) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, d.web.URL+path, bytes.NewReader([]byte(body)))
	if err != nil {
		d.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	if err != nil {
		d.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return resp, string(text)
}

// session begins one and returns the headers that a page of ours sends.
func (d *door) session(u auth.User) []string {
	d.t.Helper()
	l, err := d.app.keeper().Begin(d.t.Context(), u, "127.0.0.1")
	if err != nil {
		d.t.Fatal(err)
	}
	return []string{"Cookie", "patchscout_session=" + l.Secret, "X-Csrf-Token", auth.CSRFToken(l.Secret)}
}

type described struct {
	method, path string
	*huma.Operation
}

func operations(doc *huma.OpenAPI) (out []described) {
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		item := doc.Paths[path]
		for method, op := range map[string]*huma.Operation{"GET": item.Get, "PUT": item.Put, "POST": item.Post, "DELETE": item.Delete, "PATCH": item.Patch, "HEAD": item.Head, "OPTIONS": item.Options} {
			if op != nil {
				out = append(out, described{method, path, op})
			}
		}
	}
	return out
}

var parameter = regexp.MustCompile(`\{[^}]*\}`)

// try calls an operation for something that does not exist, with a body that none understands, so that whoever is let in
// changes nothing.
func (d *door) try(op described, headers ...string) int {
	body := ""
	if op.RequestBody != nil {
		body = `{"no_operation_has_this":1}`
	}
	resp, _ := d.ask(op.method, parameter.ReplaceAllString(op.path, "987654321"), body, headers...)
	return resp.StatusCode
}

func TestEveryOperationForEveryRole(t *testing.T) {
	d := openDoor(t, nil)
	root := d.user("root", auth.Admin, false)
	askers := map[auth.Role][]string{auth.Nobody: nil}
	for _, role := range []auth.Role{auth.Viewer, auth.Analyst, auth.Admin, auth.Worker} {
		askers[role] = []string{"Authorization", "Bearer " + d.token(root, role)}
	}
	ops := operations(d.server.OpenAPI())
	if len(ops) < 20 {
		t.Fatalf("%d operations: the document is not read", len(ops))
	}
	calls := 0
	for _, op := range ops {
		declared, isText := op.Extensions["x-patchscout-role"].(string)
		need := auth.Role(declared)
		if !isText || (need == auth.Nobody) != slices.Contains(public, op.OperationID) {
			t.Errorf("%s needs the role %q: declare one, or list it in public", op.OperationID, declared)
			continue
		}
		for role, headers := range askers {
			want := "let in"
			switch {
			case need == auth.Nobody:
			case role == auth.Nobody:
				want = "401"
			case !role.Allows(need):
				want = "403"
			}
			got := "let in"
			switch status := d.try(op, headers...); status {
			case http.StatusUnauthorized:
				got = "401"
			case http.StatusForbidden:
				got = "403"
			}
			if calls++; got != want {
				t.Errorf("%s %s for %q: %s, want %s", op.method, op.path, role, got, want)
			}
		}
	}
	t.Logf("%d operations, %d calls", len(ops), calls)
}

func TestNothingAnswersOutsideOfTheDocument(t *testing.T) {
	d := openDoor(t, nil)
	known := map[string]bool{}
	for _, op := range operations(d.server.OpenAPI()) {
		known[op.method+" "+op.path] = true
	}
	routes, ok := d.server.Handler().(chi.Routes)
	if !ok {
		t.Fatal("the handler has no routes")
	}
	if err := chi.Walk(routes, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if place := method + " " + route; !known[place] && !slices.Contains(outside, place) && !slices.Contains(outside, "GET "+route) {
			t.Errorf("%s answers and is in no document", place)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestWhoMustChangeThePasswordMayDoNothingElse(t *testing.T) {
	d := openDoor(t, nil)
	u := d.user("anna", auth.Admin, true)
	for _, op := range operations(d.server.OpenAPI()) {
		free := slices.Contains(public, op.OperationID) || slices.Contains(unchanged, op.OperationID)
		if status := d.try(op, d.session(u)...); (status == http.StatusForbidden) == free || status == http.StatusUnauthorized {
			t.Errorf("%s: %d", op.OperationID, status)
		}
	}
}

func TestTokenWithScopesMayOnlyDoThese(t *testing.T) {
	d := openDoor(t, nil)
	root := d.user("root", auth.Admin, false)
	reader := []string{"Authorization", "Bearer " + d.token(root, auth.Admin, "sites:read")}
	writer := []string{"Authorization", "Bearer " + d.token(root, auth.Admin, "sites:write")}
	for _, op := range operations(d.server.OpenAPI()) {
		if slices.Contains(public, op.OperationID) || op.Extensions["x-patchscout-role"] == "worker" {
			continue
		}
		read, write := op.method == "GET" && op.Tags[0] == "sites", op.method != "GET" && op.Tags[0] == "sites"
		if status := d.try(op, reader...); (status != http.StatusForbidden) != read {
			t.Errorf("sites:read at %s %s: %d", op.method, op.path, status)
		}
		if status := d.try(op, writer...); (status != http.StatusForbidden) != write {
			t.Errorf("sites:write at %s %s: %d", op.method, op.path, status)
		}
	}
}

func TestEveryChangeIsInTheAuditTrail(t *testing.T) {
	d := openDoor(t, nil)
	root := d.user("root", auth.Admin, false)
	h := d.session(root)
	for _, step := range []struct{ method, path, body, action string }{
		{"POST", "/api/v1/sites", `{"name":"branch"}`, ""},
		{"POST", "/api/v1/users", `{"name":"anna","role":"viewer","password":"correct horse battery"}`, "user.add"},
		{"PATCH", "/api/v1/users/2", `{"role":"analyst"}`, "user.change"},
		{"POST", "/api/v1/tokens", `{"name":"t"}`, "token.create"},
		{"DELETE", "/api/v1/tokens/1", ``, "token.revoke"},
		{"DELETE", "/api/v1/users/2", ``, "user.remove"},
	} {
		before := d.trail()
		if resp, text := d.ask(step.method, step.path, step.body, h...); resp.StatusCode >= 300 {
			t.Fatalf("%s %s: %d %s", step.method, step.path, resp.StatusCode, text)
		}
		after := d.trail()
		if len(after) != len(before)+1 {
			t.Errorf("%s %s left %d entries", step.method, step.path, len(after)-len(before))
			continue
		}
		e := after[0]
		if e.Who != "root" || e.From != "127.0.0.1" || e.Kind != auth.Session || e.Outcome != auth.Done || step.action != "" && e.Action != step.action {
			t.Errorf("%s %s: %+v", step.method, step.path, e)
		}
		if strings.Contains(e.Detail+e.Subject, "correct horse") || strings.Contains(e.Detail, "ps_") {
			t.Errorf("a secret in the trail: %+v", e)
		}
	}
}

func (d *door) trail() []auth.Entry {
	d.t.Helper()
	entries, err := d.app.store.Estate().Audit(d.t.Context(), auth.AuditFilter{})
	if err != nil {
		d.t.Fatal(err)
	}
	return entries
}
