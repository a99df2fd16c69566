package app

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/config"
)

// staff is a server whose users log in with a provider.
func staff(t *testing.T, p *openID) *door {
	t.Helper()
	d := openDoor(t, func(c *config.Config) {
		c.OIDC = config.OIDC{Issuer: p.issuer(), ClientID: "patchscout", ClientSecret: "s3cret", RedirectURL: "http://127.0.0.1:8000/api/v1/auth/oidc/callback",
			Scopes: []string{"profile"}, RoleClaim: "realm_access.roles", Admin: []string{"scout-admin"}, Analyst: []string{"scout-analyst"}, Viewer: []string{"scout-viewer"},
			Name: "Staff login"}
	})
	d.user("root", auth.Admin, false)
	return d
}

func person(subject, name string, roles ...string) map[string]any {
	list := []any{}
	for _, r := range roles {
		list = append(list, r)
	}
	return map[string]any{"sub": subject, "preferred_username": name, "realm_access": map[string]any{"roles": list}}
}

// begin sends a browser to the provider and back, as far as our callback: its address and the cookie of the browser.
func (d *door) begin(target string) (callback, cookie string) {
	d.t.Helper()
	resp, text := d.ask("GET", "/api/v1/auth/oidc/login?target="+url.QueryEscape(target), "")
	if resp.StatusCode != http.StatusSeeOther {
		d.t.Fatalf("%d %s", resp.StatusCode, text)
	}
	cookie, _, _ = strings.Cut(resp.Header.Get("Set-Cookie"), ";")
	at, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, resp.Header.Get("Location"), nil)
	if err != nil {
		d.t.Fatal(err)
	}
	back, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(at)
	if err != nil {
		d.t.Fatal(err)
	}
	defer back.Body.Close()
	u, err := url.Parse(back.Header.Get("Location"))
	if err != nil || back.StatusCode != http.StatusFound {
		d.t.Fatalf("the provider answers %d %v", back.StatusCode, err)
	}
	return u.RequestURI(), cookie
}

// come ends a login and returns the status, what came, and who is logged in, "" is nobody.
func (d *door) come(callback, cookie string) (status int, text, who string, resp *http.Response) {
	d.t.Helper()
	resp, text = d.ask("GET", callback, "", "Cookie", cookie)
	for _, c := range resp.Cookies() {
		if c.Name == "patchscout_session" && c.Value != "" {
			_, who = d.ask("GET", "/api/v1/auth/me", "", "Cookie", "patchscout_session="+c.Value)
		}
	}
	return resp.StatusCode, text, who, resp
}

func TestOpenIDLoginMakesAUserWithTheRoleOfTheClaim(t *testing.T) {
	p := newOpenID(t)
	d := staff(t, p)
	for _, test := range []struct {
		name  string
		setup func()
		want  string
	}{
		{"in the ID token", func() { p.user = person("s-1", "Anna.Árnadóttir", "offline_access", "scout-analyst") }, `"role":"analyst"`},
		{"changed since", func() { p.user = person("s-1", "anna renamed", "scout-viewer") }, `"name":"anna.árnadóttir","kind":"session","user_id":2,"role":"viewer"`},
		{"the greatest", func() { p.user = person("s-1", "anna", "scout-viewer", "scout-admin") }, `"role":"admin"`},
		{"told by userinfo", func() {
			p.user, p.info = map[string]any{"sub": "s-2", "preferred_username": "ben"}, person("s-2", "ben", "scout-viewer")
		}, `"name":"ben"`},
		{"in the access token, as Keycloak has it", func() {
			p.user, p.info, p.access = map[string]any{"sub": "s-3", "preferred_username": "carla"}, nil, person("s-3", "carla", "scout-analyst")
		}, `"name":"carla"`},
		{"with the name of a local user", func() { p.user, p.access = person("s-4", "root", "scout-viewer"), nil }, `"name":"root-`},
		{"whose name is no name", func() { p.user = person("s-5", "<b> \x00", "scout-viewer") }, `"name":"oidc-`},
	} {
		test.setup()
		callback, cookie := d.begin("/findings?x=1")
		status, text, who, resp := d.come(callback, cookie)
		if status != http.StatusSeeOther || !strings.Contains(who, test.want) {
			t.Errorf("%s: %d %s %s", test.name, status, text, who)
		}
		if at := resp.Header.Get("Location"); at != "/findings?x=1" {
			t.Errorf("%s: led to %q", test.name, at)
		}
	}
}

func TestOpenIDLoginRefusesWhoHasNoRole(t *testing.T) {
	p := newOpenID(t)
	d := staff(t, p)
	p.user = person("s-1", "anna", "scout-viewer")
	callback, cookie := d.begin("/")
	_, _, who, resp := d.come(callback, cookie)
	if who == "" {
		t.Fatal("not let in")
	}
	session := resp.Cookies()[0].Value
	p.user = person("s-1", "anna", "something-else")
	callback, cookie = d.begin("/")
	if status, text, who, _ := d.come(callback, cookie); status != http.StatusForbidden || who != "" || !strings.Contains(text, "no role here") {
		t.Errorf("%d %s %s", status, text, who)
	}
	if resp, _ := d.ask("GET", "/api/v1/auth/me", "", "Cookie", "patchscout_session="+session); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("the session of who lost the role goes on: %d", resp.StatusCode)
	}
	p.user = person("s-1", "anna", "scout-viewer")
	if _, err := d.app.ChangeUser(t.Context(), 2, UserChangeRequest{Disabled: new(true)}); err != nil {
		t.Fatal(err)
	}
	callback, cookie = d.begin("/")
	if status, text, who, _ := d.come(callback, cookie); status != http.StatusForbidden || who != "" || !strings.Contains(text, "disabled") {
		t.Errorf("who is disabled: %d %s %s", status, text, who)
	}
}

func TestOpenIDAttacks(t *testing.T) {
	p := newOpenID(t)
	d := staff(t, p)
	p.user = person("s-1", "anna", "scout-admin")
	strange, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	set := func(name string, value any) func(map[string]any, map[string]any) {
		return func(_, claims map[string]any) { claims[name] = value }
	}
	alg := func(name string) func(map[string]any, map[string]any) {
		return func(header, _ map[string]any) { header["alg"] = name }
	}
	for _, attack := range []struct {
		name string
		bend func(header, claims map[string]any)
		sign func(string) []byte
		want string
	}{
		{"another nonce", set("nonce", "another"), nil, "of another login"},
		{"no nonce", func(_, c map[string]any) { delete(c, "nonce") }, nil, "of another login"},
		{"another audience", set("aud", "wiki"), nil, "audience"},
		{"several audiences without us as party", set("aud", []string{"wiki", "patchscout"}), nil, "another program"},
		{"another party", set("azp", "wiki"), nil, "another program"},
		{"another issuer", set("iss", "https://evil.example"), nil, "issue"},
		{"expired", set("exp", time.Now().Add(-time.Minute).Unix()), nil, "expired"},
		{"no expiry", func(_, c map[string]any) { delete(c, "exp") }, nil, "expired"},
		{"no subject", func(_, c map[string]any) { delete(c, "sub") }, nil, "who"},
		{"alg none", alg("none"), func(string) []byte { return nil }, "not good"},
		{"alg HS256 with the public key", alg("HS256"), func(u string) []byte {
			mac := hmac.New(sha256.New, p.key.N.Bytes())
			mac.Write([]byte(u))
			return mac.Sum(nil)
		}, "not good"},
		{"another key", nil, func(u string) []byte { return signWith(t, strange, u) }, "not good"},
		{"another access token", set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), nil, "access token"},
	} {
		p.bend, p.sign = attack.bend, attack.sign
		callback, cookie := d.begin("/")
		if status, text, who, _ := d.come(callback, cookie); status != http.StatusUnauthorized || who != "" || !strings.Contains(text, attack.want) {
			t.Errorf("%s: %d %s %s", attack.name, status, text, who)
		}
	}
	p.bend, p.sign = nil, nil
	callback, cookie := d.begin("/")
	_, another := d.begin("/")
	if status, _, who, _ := d.come(callback, another); status != http.StatusUnauthorized || who != "" {
		t.Errorf("in another browser: %d %s", status, who)
	}
	if status, _, who, _ := d.come(callback, cookie); status != http.StatusUnauthorized || who != "" {
		t.Errorf("after another browser tried: %d %s", status, who) // the state is used up
	}
	callback, cookie = d.begin("/")
	if status, text, who, _ := d.come(callback, cookie); status != http.StatusSeeOther || who == "" {
		t.Errorf("an honest login: %d %s", status, text)
	}
	if status, _, who, _ := d.come(callback, cookie); status != http.StatusUnauthorized || who != "" {
		t.Errorf("the answer sent twice: %d %s", status, who)
	}
	callback, cookie = d.begin("/")
	mixed := strings.Replace(callback, url.QueryEscape(p.issuer()), "https%3A%2F%2Fevil.example", 1)
	if status, _, who, _ := d.come(mixed, cookie); mixed == callback || status != http.StatusUnauthorized || who != "" {
		t.Errorf("the answer of another provider: %d %s", status, who)
	}
	callback, cookie = d.begin("/")
	if status, _, who, _ := d.come(strings.Replace(callback, "code=", "code=x", 1), cookie); status != http.StatusUnauthorized || who != "" {
		t.Errorf("another code: %d %s", status, who)
	}
	for _, target := range []string{"https://evil.example", "//evil.example", `/\evil.example`, "javascript:alert(1)", "/x\r\nSet-Cookie: a=b", "/api/v1/auth/logout"} {
		callback, cookie := d.begin(target)
		if _, _, _, resp := d.come(callback, cookie); resp.Header.Get("Location") != "/" {
			t.Errorf("%q led to %q", target, resp.Header.Get("Location"))
		}
	}
	if resp, _ := d.ask("GET", "/api/v1/auth/oidc/callback?code=a&state=b", ""); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("out of nowhere: %d", resp.StatusCode)
	}
}

func TestProviderThatIsAnotherOrAwayIsUnavailable(t *testing.T) {
	p := newOpenID(t)
	p.forget = true
	d := staff(t, p)
	if resp, text := d.ask("GET", "/api/v1/auth/oidc/login", ""); resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(text, "calls itself") {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	p.web.Close()
	if resp, _ := d.ask("GET", "/api/v1/auth/oidc/login", ""); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%d", resp.StatusCode)
	}
	if resp, text := d.ask("GET", "/api/v1/auth/ways", ""); resp.StatusCode != 200 || !strings.Contains(text, "Staff login") {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}
