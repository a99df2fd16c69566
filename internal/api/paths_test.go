package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/api/apitest"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// walker is a product that only knows of paths, and keeps what it was asked.
type walker struct {
	Desk
	state string

	asked      request.Paths
	critical   bool
	whatIf     request.WhatIf
	host       string
	forward    bool
	policy     string // name and content
	correction request.PathCorrection
	worked     int
}

func (d *walker) EstateState(context.Context) (report.CatalogueState, error) {
	return report.CatalogueState{Tag: d.state}, nil
}

func (d *walker) Paths(_ context.Context, req request.Paths) (report.Paths, error) {
	d.asked, d.critical = req, false
	d.worked++
	if req.Scan == 999 {
		return report.Paths{}, fault.NotFound("there is no scan 999")
	}
	return report.Paths{Scenario: report.PathScenario{Assume: "site", Entries: []report.PathEntry{}}, Jewels: []report.PathJewel{}, Notices: []string{"nothing is declared"},
		At: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC), Complete: true, Paths: []report.Path{{ID: "a", From: "the internet", To: report.PathHost{ID: 1, Name: "a\"];b"},
			Hosts: []report.PathHost{{ID: 1, Name: "a\"];b"}}, Known: "assumed", Assumed: []string{}, Steps: []report.PathStep{}}}}, nil
}

func (d *walker) CriticalPaths(ctx context.Context, req request.Paths) (report.Paths, error) {
	doc, err := d.Paths(ctx, req)
	d.critical = true
	return doc, err
}

func (d *walker) PathFixes(_ context.Context, req request.Paths) (report.PathFixes, error) {
	d.asked = req
	return report.PathFixes{Scenario: report.PathScenario{Assume: "site", Entries: []report.PathEntry{}}, Ranked: []report.Fix{}, Notices: []string{}}, nil
}

func (d *walker) PathWhatIf(_ context.Context, req request.WhatIf) (report.WhatIf, error) {
	d.whatIf = req
	return report.WhatIf{Gone: []string{}, Left: []string{}, New: []report.Path{}, Jewels: []report.WhatIfJewel{}, Notices: []string{}}, nil
}

func (d *walker) PathReach(_ context.Context, req request.Paths, host string, forward bool) (report.PathReach, error) {
	d.asked, d.host, d.forward = req, host, forward
	return report.PathReach{Direction: map[bool]string{true: "forward", false: "backward"}[forward], Hosts: []report.PathReached{}, Notices: []string{}}, nil
}

func (d *walker) PathMap(_ context.Context, req request.Paths) (report.PathMap, error) {
	d.asked = req
	return report.PathMap{Nodes: []report.PathNode{}, Edges: []report.PathEdge{}, Notices: []string{}}, nil
}

func (d *walker) PathPolicy(context.Context) (report.PathPolicy, error) {
	return report.PathPolicy{Rules: []report.PathRule{}, Same: [][]string{}, Clients: []string{}}, nil
}

func (d *walker) SetPathPolicy(ctx context.Context, name string, data []byte) (report.PathPolicy, error) {
	if d.policy = name + " " + string(data); len(data) == 0 {
		return report.PathPolicy{}, fault.Invalid("%s: line 1: nothing in it", name)
	}
	return d.PathPolicy(ctx)
}

func (d *walker) ClearPathPolicy(context.Context) error { d.policy = ""; return nil }

func (d *walker) PathCorrections(context.Context) (report.PathCorrections, error) {
	return report.PathCorrections{Corrections: []report.PathCorrection{}}, nil
}

func (d *walker) CorrectPath(_ context.Context, req request.PathCorrection) (report.PathCorrection, error) {
	d.correction = req
	return report.PathCorrection{ID: 3, Edge: req.Edge, Says: req.Says, Chance: req.Chance}, nil
}

func (d *walker) UncorrectPath(_ context.Context, id int64) error {
	if id != 3 {
		return fault.NotFound("there is no correction %d", id)
	}
	return nil
}

// walking serves a walker to somebody of a role; every answer is checked against the document.
func walking(t *testing.T, role auth.Role) (*walker, func(method, path, body string, header ...string) *http.Response) {
	t.Helper()
	d := &walker{state: "1"}
	server := New(Options{Version: "test", Desk: func(auth.Identity) Desk { return d },
		Authenticate: func(*http.Request) (auth.Identity, error) {
			return auth.Identity{Kind: auth.Token, Name: "anna", Role: role, View: auth.Everything()}, nil
		}})
	text, err := json.Marshal(server.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	document, ops := apitest.Read(t, text)
	return d, func(method, path, body string, header ...string) *http.Response {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), method, "/api/v1/attack-paths"+path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		server.Handler().ServeHTTP(w, r)
		if w.Code == http.StatusOK || w.Code == http.StatusCreated {
			for _, op := range ops {
				if op.Method == method && op.ID == operationOf[method+" "+strings.SplitN(path, "?", 2)[0]] {
					for _, problem := range document.CheckAnswer(op, w.Code, w.Header().Get("Content-Type"), w.Body.Bytes()) {
						t.Errorf("%s %s: %s", method, path, problem)
					}
				}
			}
		}
		return w.Result()
	}
}

// operationOf are the operations of the paths that the tests ask.
var operationOf = map[string]string{
	"GET ": "list-attack-paths", "GET /critical": "list-critical-attack-paths", "GET /7": "list-attack-paths-of-scan", "GET /7/critical": "list-critical-attack-paths-of-scan",
	"GET /fixes": "get-attack-path-fixes", "POST /what-if": "ask-what-if", "GET /map": "get-attack-path-map", "GET /hosts/5": "get-attack-path-reach",
	"GET /policy": "get-attack-path-policy", "PUT /policy": "set-attack-path-policy", "GET /corrections": "list-attack-path-corrections",
	"POST /corrections": "correct-attack-path", "GET /export": "export-attack-paths",
}

func TestWhatIsAskedOfPathsReachesTheProduct(t *testing.T) {
	d, ask := walking(t, auth.Viewer)
	for _, tt := range []struct {
		path     string
		want     request.Paths
		critical bool
	}{
		{"", request.Paths{Assume: "site", K: 10, Limit: 100}, false},
		{"?to=7,db.example.org&from=internet,site:branch&site=branch&assume=flat&reuse=true&secrets=true&k=3&limit=5&fixes=true&samples=-1&scan=4",
			request.Paths{Scan: 4, To: []string{"7", "db.example.org"}, From: []string{"internet", "site:branch"}, Site: "branch", Assume: "flat", Reuse: true, Secrets: true,
				K: 3, Limit: 5, Fixes: true, Samples: -1}, false},
		{"/critical", request.Paths{Assume: "site", K: 10, Limit: 100}, true},
		{"/7", request.Paths{Scan: 7, Assume: "site", K: 10, Limit: 100}, false},
		{"/7/critical?fixes=true", request.Paths{Scan: 7, Assume: "site", K: 10, Limit: 100, Fixes: true}, true},
		{"/fixes?assume=flat", request.Paths{Assume: "flat", K: 10, Limit: 100}, false},
		{"/map?to=7&scan=4", request.Paths{Scan: 4, To: []string{"7"}, Assume: "site"}, false},
		{"/hosts/5?direction=backward&limit=9", request.Paths{Assume: "site", Limit: 9}, false},
	} {
		d.critical = false
		if got := ask("GET", tt.path, ""); got.StatusCode != http.StatusOK || !reflect.DeepEqual(d.asked, tt.want) || d.critical != tt.critical {
			t.Errorf("%s: status %d, asked %+v, critical %t", tt.path, got.StatusCode, d.asked, d.critical)
		}
	}
	if d.host != "5" || d.forward {
		t.Errorf("asked for host %s, forward %t", d.host, d.forward)
	}
	body := `{"findings":[12],"weaknesses":["CVE-2024-6387"],"hosts":["10.0.0.7"],"rules":[{"from":"internet","to":"any","allow":false}],"assume":"flat","scan":4}`
	want := request.WhatIf{Paths: request.Paths{Scan: 4, Assume: "flat", K: 10, Limit: 100}, Findings: []int64{12}, Weaknesses: []string{"CVE-2024-6387"}, Hosts: []string{"10.0.0.7"},
		Rules: []request.PathRule{{From: "internet", To: "any"}}}
	if got := ask("POST", "/what-if", body); got.StatusCode != http.StatusOK || !reflect.DeepEqual(d.whatIf, want) {
		t.Errorf("status %d, asked %+v", got.StatusCode, d.whatIf)
	}
}

func TestMistakesInAQuestionOfPaths(t *testing.T) {
	_, ask := walking(t, auth.Viewer)
	for path, status := range map[string]int{
		"?assume=both": 422, "?k=51": 422, "?k=0": 422, "?limit=1001": 422, "?samples=-2": 422, "?nothing=1": 422, "/0": 422, "/x": 422, "/999": 404, "?scan=999": 404,
		"/hosts/0": 422, "/hosts/5?direction=up": 422, "/export?format=svg": 422, "?to=" + strings.Repeat("x", 256): 422,
	} {
		if got := ask("GET", path, ""); got.StatusCode != status || got.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", path, got.StatusCode, got.Header.Get("Content-Type"))
		}
	}
}

func TestAnAnswerOfPathsThatStillHoldsIsNotSentAgain(t *testing.T) {
	d, ask := walking(t, auth.Viewer)
	tag := ask("GET", "?k=3", "").Header.Get("ETag")
	worked := d.worked
	if got := ask("GET", "?k=3", "", "If-None-Match", tag); got.StatusCode != http.StatusNotModified || d.worked != worked {
		t.Errorf("the same question: %d, worked out %t", got.StatusCode, d.worked != worked)
	}
	if got := ask("GET", "?k=4", "", "If-None-Match", tag); got.StatusCode != http.StatusOK {
		t.Errorf("another question: %d", got.StatusCode)
	}
	d.state = "2"
	if got := ask("GET", "?k=3", "", "If-None-Match", tag); got.StatusCode != http.StatusOK {
		t.Errorf("another estate: %d", got.StatusCode)
	}
}

func TestPathsAsFiles(t *testing.T) {
	_, ask := walking(t, auth.Viewer)
	for format, kind := range map[string]string{"json": "application/json", "dot": "text/vnd.graphviz; charset=utf-8", "graphml": "application/graphml+xml; charset=utf-8",
		"navigator": "application/vnd.attack-navigator+json"} {
		got := ask("GET", "/export?format="+format, "")
		if got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") != kind || !strings.HasPrefix(got.Header.Get("Content-Disposition"), `attachment; filename="attack-paths.`) {
			t.Errorf("%s: %d %v", format, got.StatusCode, got.Header)
		}
	}
	if got := ask("GET", "/export?scan=999", ""); got.StatusCode != http.StatusNotFound {
		t.Errorf("of no scan: %d", got.StatusCode)
	}
}

func TestWhoMayDeclareAndCorrect(t *testing.T) {
	const correction = `{"edge":"finding:12","says":"chance","chance":0.3,"note":"behind a proxy"}`
	for _, tt := range []struct {
		method, path, body     string
		viewer, analyst, admin int
	}{
		{"GET", "/policy", "", 200, 200, 200},
		{"PUT", "/policy", `{"rules":[]}`, 403, 403, 200},
		{"DELETE", "/policy", "", 403, 403, 204},
		{"GET", "/corrections", "", 200, 200, 200},
		{"POST", "/corrections", correction, 403, 201, 201},
		{"POST", "/corrections", `{"edge":"finding:12","says":"perhaps"}`, 403, 422, 422},
		{"POST", "/corrections", `{"edge":"finding:12","says":"chance","chance":0}`, 403, 422, 422},
		{"POST", "/corrections", `{"edge":"finding:12","says":"chance","chance":1.5}`, 403, 422, 422},
		{"DELETE", "/corrections/3", "", 403, 204, 204},
		{"DELETE", "/corrections/4", "", 403, 404, 404},
	} {
		for role, want := range map[auth.Role]int{auth.Viewer: tt.viewer, auth.Analyst: tt.analyst, auth.Admin: tt.admin} {
			_, ask := walking(t, role)
			if got := ask(tt.method, tt.path, tt.body); got.StatusCode != want {
				t.Errorf("%s %s as %s: %d, want %d", tt.method, tt.path, role, got.StatusCode, want)
			}
		}
	}
}

func TestAPolicyIsTheFileItself(t *testing.T) {
	d, ask := walking(t, auth.Admin)
	for _, tt := range []struct{ query, kind, body, want string }{
		{"", "text/yaml", "rules: []\n", "policy.yaml rules: []\n"},
		{"", "application/json", `{"rules":[]}`, `policy.json {"rules":[]}`},
		{"", "text/csv; charset=utf-8", "from,to\n", "policy.csv from,to\n"},
		{"", "text/plain", "from,to\n", "policy from,to\n"},
		{"?filename=../office%20rules.yml", "text/yaml", "rules: []\n", "office rules.yml rules: []\n"},
	} {
		if got := ask("PUT", "/policy"+tt.query, tt.body, "Content-Type", tt.kind); got.StatusCode != http.StatusOK || d.policy != tt.want {
			t.Errorf("%s %s: %d, %q", tt.kind, tt.query, got.StatusCode, d.policy)
		}
	}
	if got := ask("PUT", "/policy", strings.Repeat("#", maxPolicy+1), "Content-Type", "text/yaml"); got.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a file of more than 1 MiB: %d", got.StatusCode)
	}
}
