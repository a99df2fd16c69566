package app

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/config"
)

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (d *door) login(name, password string, headers ...string) (*http.Response, string) {
	d.t.Helper()
	return d.ask("POST", "/api/v1/auth/login", jsonOf(d.t, map[string]string{"name": name, "password": password}), headers...)
}

func TestLoginBeginsASessionThatScriptsCannotRead(t *testing.T) {
	d := openDoor(t, nil)
	d.user("anna", auth.Analyst, false)
	planted := strings.Repeat("A", 43)
	resp, text := d.login("ANNA", pass, "Cookie", "patchscout_session="+planted)
	if resp.StatusCode != 200 {
		t.Fatal(resp.StatusCode, text)
	}
	c := resp.Cookies()[0]
	if c.Name != "patchscout_session" || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.Value == planted || c.Secure {
		t.Errorf("%+v", c)
	}
	if resp.Header.Get("Cache-Control") != "no-store" || strings.Contains(text, c.Value) {
		t.Errorf("the answer may be kept, or tells the session: %s", text)
	}
	if resp, _ := d.ask("GET", "/api/v1/auth/me", "", "Cookie", "patchscout_session="+planted); resp.StatusCode != 401 {
		t.Errorf("a planted session: %d", resp.StatusCode)
	}
	if resp, _ := d.ask("GET", "/api/v1/auth/me", "", "Cookie", "patchscout_session="+planted+"; patchscout_session="+c.Value); resp.StatusCode != 401 {
		t.Errorf("two sessions at once: %d", resp.StatusCode)
	}
	own := []string{"Cookie", "patchscout_session=" + c.Value, "X-Csrf-Token", auth.CSRFToken(c.Value)}
	if resp, _ := d.ask("POST", "/api/v1/auth/logout", "", own...); resp.StatusCode != 204 || resp.Cookies()[0].MaxAge >= 0 {
		t.Errorf("logout: %d %v", resp.StatusCode, resp.Cookies())
	}
	if resp, _ := d.ask("GET", "/api/v1/auth/me", "", own...); resp.StatusCode != 401 {
		t.Errorf("after logging out: %d", resp.StatusCode)
	}
}

func TestPasswordsOfAnySizeAreAnswered(t *testing.T) {
	d := openDoor(t, nil)
	d.user("anna", auth.Analyst, false)
	for _, test := range []struct {
		name, password string
		want           int
	}{
		{"anna", "wrong", 401}, {"nobody", "wrong", 401}, {"", "x", 422}, {"anna", "", 422}, {"anna", strings.Repeat("x", 1024), 401},
		{"anna", strings.Repeat("x", 1025), 422}, {"anna", strings.Repeat("€", 1000), 401}, {"anna", strings.Repeat("x", 1<<20), 413},
		{"anna\x00", pass, 400}, {"a\nb", pass, 401}, {"' OR 1=1 --", pass, 401}, {"ａｎｎａ", pass, 200},
	} {
		resp, text := d.login(test.name, test.password)
		if resp.StatusCode == 429 {
			d.app.now = func() time.Time { return time.Now().Add(48 * time.Hour) }
			resp, text = d.login(test.name, test.password)
		}
		if resp.StatusCode != test.want {
			t.Errorf("%.20q with %.10q… (%d bytes): %d %s, want %d", test.name, test.password, len(test.password), resp.StatusCode, text, test.want)
		}
		if len(test.password) > 100 && strings.Contains(text, test.password[:100]) {
			t.Errorf("the answer repeats the password: %.200s", text)
		}
	}
	for _, body := range []string{`{"name":"anna","password":"hunter2hunter2","x":1}`, `{"password":"hunter2hunter2"}`, `{"name":"anna","password":["hunter2hunter2"]}`, `"hunter2hunter2"`} {
		if resp, text := d.ask("POST", "/api/v1/auth/login", body); resp.StatusCode != 422 || strings.Contains(text, "hunter2") && body[0] == '{' {
			t.Errorf("%d %s", resp.StatusCode, text)
		}
	}
}

func TestTimeDoesNotTellWhoExists(t *testing.T) {
	d := openDoor(t, nil)
	d.user("anna", auth.Analyst, false)
	fastest := map[string]time.Duration{"anna": time.Hour, "nobody": time.Hour}
	for i := range 10 { // in turn, and the fastest of each: the machine has other work
		for name := range fastest {
			begin := time.Now()
			_, err := d.app.keeper().Login(t.Context(), name, "wrong password", "192.0.2."+string(rune('0'+i)))
			if !auth.NotLetIn(err) {
				t.Fatal(err)
			}
			fastest[name] = min(fastest[name], time.Since(begin))
		}
	}
	known, unknown := fastest["anna"], fastest["nobody"]
	t.Logf("known %s, unknown %s", known, unknown)
	if known > 2*unknown || unknown > 2*known {
		t.Errorf("known names take %s, unknown ones %s", known, unknown)
	}
}

func TestGuessesAreToldWhenToComeAgain(t *testing.T) {
	d := openDoor(t, nil)
	d.user("anna", auth.Analyst, false)
	for range 5 {
		if resp, text := d.login("anna", "wrong"); resp.StatusCode != 401 {
			t.Fatal(resp.StatusCode, text)
		}
	}
	resp, text := d.login("anna", pass)
	if resp.StatusCode != 429 || resp.Header.Get("Retry-After") == "" || !strings.Contains(text, "try again in") {
		t.Errorf("%d %q %s", resp.StatusCode, resp.Header.Get("Retry-After"), text)
	}
}

func TestPagesElsewhereChangeNothing(t *testing.T) {
	d := openDoor(t, func(c *config.Config) { c.Server.CORSOrigins = []string{"https://ui.example.org"} })
	root := d.user("root", auth.Admin, false)
	s := d.session(root)
	cookie := s[:2]
	site := `{"name":"x"}`
	with := func(more ...string) []string { return append(slices.Clone(s), more...) }
	host := strings.TrimPrefix(d.web.URL, "http://")
	for _, test := range []struct {
		name    string
		headers []string
		want    int
	}{
		{"no CSRF token", cookie, 403},
		{"another's CSRF token", append(slices.Clone(cookie), "X-Csrf-Token", auth.CSRFToken("x")), 403},
		{"an empty CSRF token", append(slices.Clone(cookie), "X-Csrf-Token", ""), 403},
		{"as text", with("Content-Type", "text/plain"), 415},
		{"as a form", append(slices.Clone(cookie), "Content-Type", "application/x-www-form-urlencoded"), 403},
		{"another origin", with("Origin", "https://evil.example"), 403},
		{"our name in another origin", with("Origin", "http://"+host+".evil.example"), 403},
		{"the origin null", with("Origin", "null"), 403},
		{"another port", with("Origin", "http://127.0.0.1:1"), 403},
		{"another scheme", with("Origin", "https://"+host), 403},
		{"a browser that says cross-site", with("Sec-Fetch-Site", "cross-site"), 403},
		{"another host", with("Host", "evil.example"), 403},
		{"a rebound name with our port", with("Host", "evil.example:8000"), 403},
		{"a token of somebody else's in the address is no login", with("Authorization", "Bearer ps_"+strings.Repeat("A", 43)), 401},
		{"basic authentication", with("Authorization", "Basic cm9vdDp4"), 401},
		{"our own page", with("Origin", "http://"+host, "Sec-Fetch-Site", "same-origin"), 201},
	} {
		if resp, text := d.ask("POST", "/api/v1/sites", site, test.headers...); resp.StatusCode != test.want {
			t.Errorf("%s: %d %s, want %d", test.name, resp.StatusCode, text, test.want)
		}
	}
	resp, text := d.ask("POST", "/api/v1/sites", `{"name":"y"}`, with("Origin", "https://ui.example.org")...)
	if resp.StatusCode != 201 || resp.Header.Get("Access-Control-Allow-Origin") != "https://ui.example.org" || resp.Header.Get("Access-Control-Allow-Credentials") != "true" {
		t.Errorf("a listed origin: %d %s %v", resp.StatusCode, text, resp.Header)
	}
	resp, _ = d.ask("OPTIONS", "/api/v1/sites", "", "Origin", "https://ui.example.org", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "x-csrf-token,content-type")
	if resp.StatusCode >= 300 || resp.Header.Get("Access-Control-Allow-Origin") == "" || !strings.Contains(strings.ToLower(resp.Header.Get("Access-Control-Allow-Headers")), "x-csrf-token") {
		t.Errorf("preflight: %d %v", resp.StatusCode, resp.Header)
	}
	resp, _ = d.ask("GET", "/api/v1/sites", "", with("Origin", "https://evil.example")...)
	if resp.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("another page may read")
	}
}

func TestTokenInAnAddressIsRefused(t *testing.T) {
	d := openDoor(t, nil)
	secret := d.token(d.user("root", auth.Admin, false), auth.Admin)
	for _, path := range []string{"/api/v1/sites?access_token=" + secret, "/api/v1/sites?token=" + secret, "/docs?x=" + secret} {
		resp, text := d.ask("GET", path, "")
		if resp.StatusCode != 401 || strings.Contains(text, secret) {
			t.Errorf("%s: %d %s", path, resp.StatusCode, text)
		}
	}
	if resp, _ := d.ask("GET", "/api/v1/sites", "", "Authorization", "bearer "+secret); resp.StatusCode != 200 {
		t.Errorf("in the header: %d", resp.StatusCode)
	}
	if resp, _ := d.ask("POST", "/api/v1/sites", `{"name":"by-token"}`, "Authorization", "Bearer "+secret); resp.StatusCode != 201 {
		t.Errorf("a token needs no CSRF token: %d", resp.StatusCode)
	}
}

func TestProxyIsBelievedOnlyWhereItIsTrusted(t *testing.T) {
	from := func(d *door, headers ...string) (string, *http.Response) {
		d.t.Helper()
		resp, text := d.login("anna", pass, headers...)
		if resp.StatusCode != 200 {
			d.t.Fatalf("%d %s", resp.StatusCode, text)
		}
		return d.trail()[0].From, resp
	}
	trusting := openDoor(t, func(c *config.Config) {
		c.Server.TrustedProxies, c.Server.Hosts = []string{"127.0.0.0/8", "10.0.0.0/8"}, []string{"Scout.example.org"}
	})
	trusting.user("anna", auth.Viewer, false)
	at, resp := from(trusting, "X-Forwarded-For", "6.6.6.6, 203.0.113.7, 10.0.0.2", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "scout.example.org", "Origin", "https://scout.example.org")
	if at != "203.0.113.7" || !resp.Cookies()[0].Secure {
		t.Errorf("from %s, %+v", at, resp.Cookies())
	}
	if resp, _ := trusting.login("anna", pass, "X-Forwarded-Host", "evil.example"); resp.StatusCode != 403 {
		t.Errorf("a name that is not ours by a proxy: %d", resp.StatusCode)
	}
	careful := openDoor(t, nil)
	careful.user("anna", auth.Viewer, false)
	at, resp = from(careful, "X-Forwarded-For", "203.0.113.7", "X-Forwarded-Proto", "https")
	if at != "127.0.0.1" || resp.Cookies()[0].Secure {
		t.Errorf("from %s, %+v", at, resp.Cookies())
	}
}

func TestOpenServerWarnsAndKeepsOtherPagesOut(t *testing.T) {
	d := openDoor(t, func(c *config.Config) { c.Server.Auth = "off" })
	resp, text := d.ask("GET", "/api/v1/auth/me", "", "Origin", "http://localhost:3000")
	if resp.StatusCode != 200 || resp.Header.Get("X-Patchscout-Auth") != "off" || !strings.Contains(text, `"auth_off":true`) ||
		resp.Header.Get("Access-Control-Allow-Origin") != "http://localhost:3000" {
		t.Errorf("%d %v %s", resp.StatusCode, resp.Header, text)
	}
	if resp, text := d.ask("POST", "/api/v1/sites", `{"name":"x"}`, "Origin", "http://localhost:5173"); resp.StatusCode != 201 {
		t.Errorf("the original front end: %d %s", resp.StatusCode, text)
	}
	for _, headers := range [][]string{{"Origin", "https://evil.example"}, {"Host", "evil.example"}, {"Origin", "null"}, {"Sec-Fetch-Site", "cross-site"}} {
		if resp, _ := d.ask("GET", "/api/v1/sites", "", headers...); resp.StatusCode != 403 {
			t.Errorf("reading with %v: %d", headers, resp.StatusCode)
		}
	}
	if resp, _ := d.login("admin", pass); resp.StatusCode != 409 {
		t.Errorf("logging in: %d", resp.StatusCode)
	}
	if e := d.trail(); len(e) == 0 || e[0].Who != "anybody" {
		t.Errorf("%+v", e)
	}
}

func TestStrangersAreCountedAndUsersAreNot(t *testing.T) {
	d := openDoor(t, func(c *config.Config) { c.Server.StrangerRate = 20 })
	key := []string{"Authorization", "Bearer " + d.token(d.user("root", auth.Admin, false), auth.Viewer)}
	last := 0
	for range 25 {
		resp, _ := d.ask("GET", "/api/v1/sites", "")
		last = resp.StatusCode
	}
	if last != 429 {
		t.Errorf("a stranger's 25th request in a minute: %d", last)
	}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if resp, _ := d.ask("GET", "/api/v1/sites", "", key...); resp.StatusCode != 200 {
				t.Errorf("a user: %d", resp.StatusCode)
			}
		})
	}
	wg.Wait()
	if resp, _ := d.ask("GET", "/health/live", ""); resp.StatusCode != 200 {
		t.Errorf("health: %d", resp.StatusCode)
	}
}

func TestDocumentationRunsOnlyItsOwnScripts(t *testing.T) {
	d := openDoor(t, nil)
	resp, text := d.ask("GET", "/docs", "")
	policy := resp.Header.Get("Content-Security-Policy")
	if resp.StatusCode != 200 || !strings.Contains(policy, "script-src 'self' 'sha256-") || strings.Contains(policy, "script-src 'self' 'unsafe") || resp.Header.Get("X-Frame-Options") != "DENY" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	if strings.Count(policy, "sha256-") != strings.Count(text, "<script>") {
		t.Errorf("%d inline scripts and the policy %s", strings.Count(text, "<script>"), policy)
	}
}

func TestMistakesOfUsersNameTheField(t *testing.T) {
	d := openDoor(t, nil)
	s := d.session(d.user("root", auth.Admin, false))
	for _, test := range []struct{ path, body, field string }{
		{"/users", `{"name":"a b","role":"viewer"}`, "name"},
		{"/users", `{"name":"system","role":"viewer"}`, "name"},
		{"/users", `{"name":"x","role":"viewer","password":"short"}`, "password"},
		{"/users", `{"name":"x","role":"viewer","password":"password123"}`, "password"},
		{"/users", `{"name":"xxxxxxxxx","role":"viewer","password":"XXXXXXXXX"}`, "password"},
		{"/users", `{"name":"x","role":"viewer","sites":["nowhere"]}`, "sites"},
		{"/users", `{"name":"x","role":"god"}`, "role"},
		{"/tokens", `{"name":"x","scopes":["findings:delete"]}`, "scopes"},
		{"/tokens", `{"name":"x","scopes":["finding:read"]}`, "scopes"},
		{"/tokens", `{"name":"x","role":"worker"}`, "site"},
		{"/tokens", `{"name":"x","user":"nobody"}`, "user"},
		{"/tokens", `{"name":"x","expires_at":"2020-01-01T00:00:00Z"}`, "expires_at"},
	} {
		if resp, text := d.ask("POST", "/api/v1"+test.path, test.body, s...); resp.StatusCode != 422 || !strings.Contains(text, test.field) {
			t.Errorf("%s: %d %s", test.body, resp.StatusCode, text)
		}
	}
	if resp, text := d.ask("POST", "/api/v1/users", `{"name":"Ægir.Ólafsson","role":"viewer"}`, s...); resp.StatusCode != 201 || !strings.Contains(text, `"name":"ægir.ólafsson"`) {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	if resp, text := d.ask("POST", "/api/v1/users", `{"name":"ÆGIR.ÓLAFSSON","role":"viewer"}`, s...); resp.StatusCode != 409 {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	if resp, text := d.ask("PATCH", "/api/v1/users/1", `{"disabled":true}`, s...); resp.StatusCode != 409 || !strings.Contains(text, "last admin") {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

func TestNobodyGivesMoreThanHeHas(t *testing.T) {
	d := openDoor(t, nil)
	root, anna := d.user("root", auth.Admin, false), d.user("anna", auth.Analyst, false)
	bearer := func(token string) []string { return []string{"Authorization", "Bearer " + token} }
	create := func(headers []string, body string, want int) string {
		t.Helper()
		resp, text := d.ask("POST", "/api/v1/tokens", body, headers...)
		if resp.StatusCode != want {
			t.Errorf("%s: %d %s, want %d", body, resp.StatusCode, text, want)
		}
		return text
	}
	s := d.session(anna)
	create(s, `{"name":"x","role":"admin"}`, 403)
	create(s, `{"name":"x","user":"root"}`, 403)
	create(s, `{"name":"x","role":"worker","site":"default"}`, 403)
	if text := create(s, `{"name":"x"}`, 201); !strings.Contains(text, `"role":"analyst"`) || !strings.Contains(text, `"token":"ps_`) {
		t.Error(text)
	}
	limited := bearer(d.token(anna, auth.Viewer, "tokens:write", "findings:read"))
	create(limited, `{"name":"x","role":"analyst"}`, 403)
	create(limited, `{"name":"x"}`, 403)
	create(limited, `{"name":"x","scopes":["findings:write"]}`, 403)
	create(limited, `{"name":"x","scopes":["findings:read"]}`, 201)
	if text := create(bearer(d.token(root, auth.Admin)), `{"name":"x","never_expires":true}`, 201); strings.Contains(text, `"expires_at":null`) {
		t.Error("a token that ends made one that does not: " + text)
	}
	if resp, _ := d.ask("DELETE", "/api/v1/tokens/1", "", d.session(anna)...); resp.StatusCode != 204 {
		t.Error("one's own token", resp.StatusCode)
	}
	d.token(root, auth.Viewer)
	id := "6"
	if resp, _ := d.ask("DELETE", "/api/v1/tokens/"+id, "", d.session(anna)...); resp.StatusCode != 404 {
		t.Error("somebody else's token", resp.StatusCode)
	}
	if _, text := d.ask("GET", "/api/v1/tokens", "", d.session(anna)...); strings.Contains(text, `"user":"root"`) {
		t.Error("somebody else's tokens are listed: " + text)
	}
}
