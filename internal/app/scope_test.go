package app

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/request"
	"github.com/patchscout/patchscout/internal/scan"
)

// names is a resolver with a fixed answer for each name.
type names map[string][]string

func (n names) LookupNetIP(_ context.Context, _, host string) (out []netip.Addr, err error) {
	for _, text := range n[host] {
		out = append(out, netip.MustParseAddr(text))
	}
	if out == nil {
		err = &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return out, err
}

func asUser(a *App, id int64, role auth.Role) *App {
	return a.For(auth.Identity{Kind: auth.Token, Name: "token of somebody", User: id, Role: role, View: auth.Everything()})
}

// mayScan asks for a scan as the API does.
func mayScan(t *testing.T, a *App, target, site string) bool {
	t.Helper()
	_, err := a.InitiateScan(context.Background(), ScanRequest{Targets: []string{target}, Site: site})
	if err != nil && (fault.KindOf(err) != fault.KindInvalid || !strings.Contains(err.Error(), "may not be scanned")) {
		t.Errorf("%s in %s: %v", target, site, err)
	}
	return err == nil
}

func TestUsersOfAServerScanWhatTheRulesAllow(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		ctx := context.Background()
		now := time.Date(2027, 5, 1, 12, 0, 0, 0, time.UTC)
		a.now = func() time.Time { return now }
		if err := a.AddSite(ctx, "office", false); err != nil {
			t.Fatal(err)
		}
		made, err := a.AddUser(ctx, UserRequest{Name: "anna", Password: "a password that is long enough 1", Role: "analyst"})
		if err != nil {
			t.Fatal(err)
		}
		anna, bert, admin := asUser(a, made.User.ID, auth.Analyst), asUser(a, 99, auth.Analyst), asUser(a, 98, auth.Admin)
		add := func(r request.ScopeRule) int64 {
			t.Helper()
			rule, err := admin.AddScopeRule(ctx, r)
			if err != nil {
				t.Fatal(err)
			}
			return rule.ID
		}
		type ask struct {
			who          *App
			target, site string
			want         bool
		}
		try := func(what string, asks ...ask) {
			t.Helper()
			for _, q := range asks {
				if got := mayScan(t, q.who, q.target, q.site); got != q.want {
					t.Errorf("%s: %s scans %s in %s: %v", what, q.who.who.Name, q.target, q.site, got)
				}
			}
		}
		try("fresh", ask{anna, "127.0.0.1", "default", true}, ask{anna, "192.168.1.0/30", "default", true}, ask{anna, "198.51.100.7", "default", false},
			ask{admin, "198.51.100.7", "default", false}, ask{a, "198.51.100.7", "default", true}, ask{anna, "169.254.169.254", "default", false},
			ask{anna, "http://[::ffff:169.254.169.254]/latest/", "default", false}, ask{anna, "http://[64:ff9b::a9fe:a9fe]:8080/x", "default", false})
		rule := add(request.ScopeRule{Network: "198.51.100.0/24", Site: "office"})
		try("a site", ask{anna, "198.51.100.7", "office", true}, ask{anna, "198.51.100.7", "default", false})
		if err := admin.RemoveScopeRule(ctx, rule); err != nil {
			t.Fatal(err)
		}
		try("removed", ask{anna, "198.51.100.7", "office", false})
		add(request.ScopeRule{Network: "198.51.100.0/25", User: "Anna"})
		try("a user", ask{anna, "198.51.100.7", "office", true}, ask{bert, "198.51.100.7", "office", false}, ask{admin, "198.51.100.7", "office", false})
		add(request.ScopeRule{Network: "198.51.100.128/25", Role: "admin", Until: "2027-05-31"})
		try("a role", ask{anna, "198.51.100.200", "default", false}, ask{admin, "198.51.100.200", "default", true})
		add(request.ScopeRule{Network: "10.20.0.0/16", Deny: true, Note: "a laboratory"})
		try("denied", ask{anna, "10.20.1.1", "default", false}, ask{anna, "10.21.1.1", "default", true}, ask{a, "10.20.1.1", "default", true},
			ask{anna, "http://[2002:a14:101::1]/", "default", false})
		now = now.AddDate(0, 0, 31)
		try("over", ask{admin, "198.51.100.200", "default", false})
		a.cfg.Scan.Scope = []string{"!10.21.0.0/16"}
		try("the configuration denies", ask{anna, "10.21.1.1", "default", false}, ask{a, "10.21.1.1", "default", false}, ask{anna, "10.22.1.1", "default", true})
		a.cfg.Scan.Scope = []string{"10.22.0.0/16"}
		try("the configuration is the limit", ask{anna, "198.51.100.7", "default", false}, ask{anna, "10.22.1.1", "default", true},
			ask{anna, "10.23.1.1", "default", false}, ask{a, "10.23.1.1", "default", false})
	})
}

func TestANameIsJudgedByWhereItLeads(t *testing.T) {
	a, ctx := open(t), context.Background()
	a.resolver = names{"inside.example": {"10.0.0.1"}, "outside.example": {"198.51.100.1"}, "both.example": {"10.0.0.1", "198.51.100.1"},
		"metadata.example": {"169.254.169.254"}, "nat64.example": {"64:ff9b::a9fe:a9fe"}, "mapped.example": {"::ffff:169.254.169.254"}}
	anna := asUser(a, 7, auth.Analyst)
	for _, rule := range []string{"*.example"} {
		if _, err := a.AddScopeRule(ctx, request.ScopeRule{Network: rule, Site: "default", Role: "admin"}); err != nil {
			t.Fatal(err)
		}
	}
	for target, want := range map[string]struct{ analyst, admin bool }{
		"inside.example": {true, true}, "https://inside.example:8443/shop": {true, true}, "outside.example": {false, true}, "both.example": {false, true},
		"metadata.example": {false, false}, "nat64.example": {false, false}, "http://mapped.example/latest/": {false, false}, "unknown.example": {false, false},
		"ftp://inside.example": {false, false}, "http://me:pw@inside.example/": {false, false}, "-iL": {false, false},
	} {
		for who, want := range map[*App]bool{anna: want.analyst, asUser(a, 1, auth.Admin): want.admin} {
			doc, err := who.CheckScope(ctx, request.ScopeCheck{Targets: []string{target}})
			if err != nil || doc.Allowed != want || doc.Targets[0].Reason == "" {
				t.Errorf("%s by %s: %+v, %v", target, who.who.Role, doc, err)
			}
			if want || doc.Targets[0].Addresses == 0 {
				continue
			}
			if _, err := who.Scan(ctx, ScanRequest{Targets: []string{target}}, nil); fault.KindOf(err) != fault.KindInvalid {
				t.Errorf("%s was scanned by %s: %v", target, who.who.Role, err)
			}
		}
	}
}

func TestARuleThatIsMadeMeanwhileCountsForTheNextTask(t *testing.T) {
	a, ctx := open(t), context.Background()
	now := time.Date(2027, 5, 1, 12, 0, 0, 0, time.UTC)
	a.now = func() time.Time { return now }
	host := scan.HostTarget{Address: netip.MustParseAddr("10.20.1.1")}
	allowed, err := asUser(a, 7, auth.Analyst).currentLimits(ctx, "default")
	if err != nil {
		t.Fatal(err)
	}
	if ok, why := allowed(host); !ok {
		t.Fatal(why)
	}
	if _, err := a.AddScopeRule(ctx, request.ScopeRule{Network: "10.20.0.0/16", Deny: true}); err != nil {
		t.Fatal(err)
	}
	now = now.Add(limitsAge + time.Millisecond)
	if ok, why := allowed(host); ok || !strings.Contains(why, "denied by the scope rule 1") {
		t.Errorf("%v, %s", ok, why)
	}
}

func TestAMistakenScopeRuleNamesItsField(t *testing.T) {
	a, ctx := open(t), context.Background()
	for field, req := range map[string]request.ScopeRule{
		"network": {Network: "169.254.0.0/16"}, "network ": {Network: "10.0.0.1/8"}, "network  ": {Network: "x:80"}, "role": {Network: "10.0.0.0/8", Role: "worker"},
		"until": {Network: "10.0.0.0/8", Until: "tomorrow"}, "until ": {Network: "10.0.0.0/8", Until: "2001-01-01"}, "user": {Network: "10.0.0.0/8", User: "nobody"},
	} {
		_, err := a.AddScopeRule(ctx, req)
		if got, _ := fault.FieldOf(err); fault.KindOf(err) != fault.KindInvalid || got != strings.TrimSpace(field) {
			t.Errorf("%+v: %q, %v", req, got, err)
		}
	}
	if _, err := a.AddScopeRule(ctx, request.ScopeRule{Network: "10.0.0.0/8", Site: "nowhere"}); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("a site that does not exist: %v", err)
	}
	if _, err := asUser(a, 7, auth.Analyst).CheckScope(ctx, request.ScopeCheck{Targets: []string{"10.0.0.1"}, User: "anna"}); fault.KindOf(err) != fault.KindDenied {
		t.Errorf("an analyst asked for another: %v", err)
	}
}

func TestOnlyTheConfiguredMirrorIsLoadedForAnybodyButTheCommandLine(t *testing.T) {
	a, ctx := open(t), context.Background()
	a.cfg.Feeds.Mirror = "https://mirror.example/"
	admin := asUser(a, 1, auth.Admin)
	for _, from := range []string{"http://127.0.0.1:1/", "http://169.254.169.254/latest/", "https://example.org/", "file:///etc", "/etc", t.TempDir()} {
		if _, err := admin.SyncFeeds(ctx, SyncRequest{From: from}, nil); fault.KindOf(err) != fault.KindInvalid || !strings.Contains(err.Error(), "feeds.mirror") {
			t.Errorf("%s: %v", from, err)
		}
		if err := a.namedSource(from); err != nil {
			t.Errorf("the command line was refused %s: %v", from, err)
		}
	}
	for _, from := range []string{"", "https://mirror.example/"} {
		if err := admin.namedSource(from); err != nil {
			t.Errorf("%q: %v", from, err)
		}
	}
}

func TestTheScopeIsKeptByTheAPI(t *testing.T) {
	a := open(t)
	c := serving(t, a)
	ask := func(method, path string, body any, want int, holds string) {
		t.Helper()
		got := c.do(method, "/api/v1"+path, body)
		if got.status != want || !strings.Contains(string(got.body), holds) {
			t.Errorf("%s %s: %d %s, want %d with %s", method, path, got.status, got.body, want, holds)
		}
	}
	type doc = map[string]any
	ask("GET", "/scope", nil, 200, `"rules":[]`)
	ask("POST", "/scope", doc{"network": "198.51.100.0/24", "role": "analyst", "note": "agreed", "until": "2099-12-31"}, 201, `"until":"2099-12-31"`)
	ask("POST", "/scope", doc{"network": "169.254.169.254"}, 422, `network`)
	ask("POST", "/scope", doc{"network": "10.0.0.0/8", "role": "worker"}, 422, `body.role`)
	ask("POST", "/scope", doc{"network": "10.0.0.0/8", "site": "nowhere"}, 404, `nowhere`)
	ask("POST", "/scope", doc{"network": "10.0.0.0/8", "allow": true}, 422, `allow`)
	ask("POST", "/scope/check", doc{"targets": []string{"198.51.100.0/30", "http://203.0.113.7/x", "-iL"}}, 200, `"allowed":false`)
	ask("POST", "/scope/check", doc{"targets": []string{"198.51.100.7"}, "user": "*"}, 200, `allowed by the scope rule 1`)
	c.who.Role = auth.Analyst
	ask("POST", "/scope/check", doc{"targets": []string{"198.51.100.7"}}, 200, `"allowed":true`)
	ask("POST", "/scope", doc{"network": "10.0.0.0/8"}, 403, `admin`)
	ask("DELETE", "/scope/1", nil, 403, `admin`)
	c.who.Role = auth.Admin
	ask("DELETE", "/scope/1", nil, 204, "")
	ask("DELETE", "/scope/1", nil, 404, `there is no scope rule 1`)

	ask("POST", "/sites", doc{"name": "branch"}, 201, `"name":"branch"`)
	ask("POST", "/sites", doc{"name": "branch"}, 409, `exists`)
	ask("PATCH", "/sites/branch", doc{"external": true}, 200, `"external":true`)
	ask("GET", "/sites/branch", nil, 200, `"external":true`)
	ask("GET", "/sites/nowhere", nil, 404, `nowhere`)
	c.who.View = auth.OfSites("branch")
	ask("GET", "/sites", nil, 200, `{"sites":[{"id":2,"name":"branch","external":true}]}`)
	ask("GET", "/sites/default", nil, 404, `default`)
	ask("PATCH", "/sites/default", doc{"external": true}, 404, `default`)
	ask("POST", "/sites", doc{"name": "more"}, 403, `all sites`)
}
