package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/api"
	"github.com/patchscout/patchscout/internal/api/apitest"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
)

// client asks the API of a product; every answer that it gets is checked against the document.
type client struct {
	t        *testing.T
	app      *App
	doc      *huma.OpenAPI
	document *apitest.Document
	web      *httptest.Server
	who      auth.Identity

	mu    sync.Mutex
	asked map[string]bool // operations that have answered
}

func serving(t *testing.T, a *App) *client {
	t.Helper()
	c := &client{t: t, app: a, who: auth.Identity{Kind: auth.Session, Name: "anna", User: 1, Role: auth.Admin, View: auth.Everything()}, asked: map[string]bool{}}
	server := api.New(api.Options{Version: "test", Now: a.now, Limits: api.Limits{Answer: time.Minute}, // as served: what is sent afterwards must not need it
		Desk:         func(who auth.Identity) api.Desk { return a.For(who) },
		Authenticate: func(*http.Request) (auth.Identity, error) { return c.who, nil },
	})
	c.doc = server.OpenAPI()
	c.document = apitest.Schemas(t, c.doc)
	c.web = httptest.NewServer(server.Handler())
	t.Cleanup(c.web.Close)
	return c
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (c *client) do(method, path string, body any, header ...string) answer {
	c.t.Helper()
	var in io.Reader
	kind := "application/json"
	switch b := body.(type) {
	case nil:
	case []byte:
		in, kind = bytes.NewReader(b), "application/octet-stream"
	default:
		text, err := json.Marshal(b)
		if err != nil {
			c.t.Fatal(err)
		}
		in = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(context.Background(), method, c.web.URL+path, in)
	if err != nil {
		c.t.Fatal(err)
	}
	if in != nil {
		r.Header.Set("Content-Type", kind)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	got := answer{status: resp.StatusCode, header: resp.Header}
	if got.body, err = io.ReadAll(resp.Body); err != nil {
		c.t.Fatal(err)
	}
	c.check(method, path, got)
	return got
}

// operation finds the operation of a path.
func (c *client) operation(method, path string) (string, *huma.Operation) {
	path, _, _ = strings.Cut(path, "?")
	parts := strings.Split(path, "/")
	best, name := (*huma.Operation)(nil), ""
	for pattern, item := range c.doc.Paths {
		op := map[string]*huma.Operation{"GET": item.Get, "PUT": item.Put, "POST": item.Post, "PATCH": item.Patch, "DELETE": item.Delete}[method]
		if op != nil && fits(strings.Split(pattern, "/"), parts) && (best == nil || !strings.Contains(pattern, "{")) {
			best, name = op, pattern
		}
	}
	return name, best
}

func fits(pattern, path []string) bool {
	if len(pattern) != len(path) {
		return false
	}
	for i, p := range pattern {
		if p != path[i] && !strings.HasPrefix(p, "{") {
			return false
		}
	}
	return true
}

func (c *client) check(method, path string, got answer) {
	c.t.Helper()
	_, op := c.operation(method, path)
	if op == nil {
		c.t.Errorf("%s %s is not in the document", method, path)
		return
	}
	response := op.Responses[strconv.Itoa(got.status)]
	if response == nil {
		c.t.Errorf("%s %s answers %d, which the document does not tell: %s", method, path, got.status, got.body)
		return
	}
	if got.status < 300 {
		c.mu.Lock()
		c.asked[op.OperationID] = true
		c.mu.Unlock()
	}
	kind, _, _ := strings.Cut(got.header.Get("Content-Type"), ";")
	media := response.Content[kind]
	switch {
	case media == nil && len(got.body) > 0:
		c.t.Errorf("%s %s answers %s, which the document does not tell", method, path, kind)
	case media != nil && media.Schema != nil && strings.HasSuffix(kind, "json") && media.Schema.Format != "binary":
		for _, problem := range c.document.Check(media.Schema, got.body) {
			c.t.Errorf("%s %s: %s", method, path, problem)
		}
	}
}

// want asks and expects a status.
func (c *client) want(status int, method, path string, body any, into any, header ...string) answer {
	c.t.Helper()
	got := c.do(method, path, body, header...)
	if got.status != status {
		c.t.Fatalf("%s %s: %d, want %d: %s", method, path, got.status, status, got.body)
	}
	if into != nil {
		if err := json.Unmarshal(got.body, into); err != nil {
			c.t.Fatalf("%s %s: %v", method, path, err)
		}
	}
	return got
}

// known is a seeded product with a catalogue, so that findings have CVEs.
func known(t *testing.T) *client {
	t.Helper()
	a := open(t)
	if err := a.Prepare(context.Background(), func(Progress) {}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Seed(context.Background()); err != nil {
		t.Fatal(err)
	}
	return serving(t, a)
}

func TestTheAPITellsWhatTheDocumentSays(t *testing.T) {
	c := known(t)
	var list report.FindingList
	c.want(200, "GET", "/api/v1/findings?limit=5&sort=cvss", nil, &list)
	if len(list.Findings) != 5 || list.Next == nil {
		t.Fatalf("%d findings of %d", len(list.Findings), list.Total)
	}
	var more report.FindingList
	c.want(200, "GET", "/api/v1/findings?limit=5&sort=cvss&cursor="+*list.Next, nil, &more)
	if len(more.Findings) != 5 || more.Findings[0].ID == list.Findings[0].ID {
		t.Error("the next page is the first")
	}
	id := list.Findings[0].ID
	scan := list.Findings[0].Evidence[0].ScanID
	var details report.Vulnerability
	c.want(200, "GET", fmt.Sprintf("/api/v1/vulnerabilities/%d/details", id), nil, &details)
	if details.CVEFacts == nil || details.ServiceFacts == nil || details.HostFacts.ID != details.HostID || len(details.Explanation) == 0 || len(details.Evidence) == 0 {
		t.Errorf("details: %+v", details)
	}
	c.want(200, "GET", fmt.Sprintf("/api/v1/vulnerabilities/%d/exploits", id), nil, nil)
	c.want(200, "GET", fmt.Sprintf("/api/v1/findings/%d", id), nil, nil)
	c.want(200, "GET", fmt.Sprintf("/api/v1/findings/%d/history", id), nil, nil)
	for _, by := range []string{"remedy", "host", "cve", "product", "site", "assignee", "owner"} {
		c.want(200, "GET", "/api/v1/findings/groups?limit=3&by="+by, nil, nil)
	}
	var counts report.FindingCounts
	c.want(200, "GET", "/api/v1/findings/counts?severity=high,critical", nil, &counts)
	if counts.Total == 0 || counts.BySeverity["low"] > 0 {
		t.Errorf("counts: %+v", counts)
	}
	var status report.ScanStatus
	c.want(200, "GET", fmt.Sprintf("/api/v1/scans/%d", scan), nil, &status)
	if status.Status != "completed" || status.Findings == 0 {
		t.Errorf("status: %+v", status)
	}
	c.want(200, "GET", "/api/v1/scans", nil, nil)
	c.want(200, "GET", "/api/v1/scans?skip=0&limit=1", nil, nil)
	c.want(200, "GET", fmt.Sprintf("/api/v1/scans/%d/tasks", scan), nil, nil)
	c.want(200, "GET", fmt.Sprintf("/api/v1/scans/%d/hosts", scan), nil, nil)
	c.want(200, "GET", fmt.Sprintf("/api/v1/scans/%d/result", scan), nil, nil)
	var summary report.Summary
	c.want(200, "GET", fmt.Sprintf("/api/v1/reports/%d", scan), nil, &summary)
	if summary.Hosts != 3 || len(summary.Top) == 0 || len(summary.Remedies) == 0 {
		t.Errorf("summary: %+v", summary)
	}
	var items report.FindingItems
	c.want(200, "GET", fmt.Sprintf("/api/v1/scans/%d/vulnerabilities?skip=3&limit=4", scan), nil, &items)
	if len(items.Items) != 4 || items.Total != summary.Counts.Total || items.Skip != 3 {
		t.Errorf("items: %d of %d", len(items.Items), items.Total)
	}
	c.want(200, "POST", "/api/v1/findings/remerge", map[string]any{}, nil)
	c.want(200, "POST", "/api/v1/sensors/retire", map[string]any{"sensor": "native"}, nil)
	for _, path := range []string{"/api/v1/findings/999999", "/api/v1/vulnerabilities/999999/details", "/api/v1/scans/999999/result", "/api/v1/reports/999999"} {
		c.want(404, "GET", path, nil, nil)
	}
}

func TestAnEmptyProductAnswersToo(t *testing.T) {
	c := serving(t, open(t))
	for _, path := range []string{"findings", "findings/counts", "findings/groups?by=host", "findings/export", "findings/export?format=csv", "findings/export?format=sarif",
		"scans", "scans?skip=0", "rules"} {
		if got := c.want(200, "GET", "/api/v1/"+path, nil, nil); bytes.Contains(got.body, []byte(`s":null`)) {
			t.Errorf("%s: %s", path, got.body)
		}
	}
}

func TestMistakesNameTheirField(t *testing.T) {
	c := serving(t, open(t))
	for path, field := range map[string]string{
		"/api/v1/findings?min_cvss=11":             "min_cvss",
		"/api/v1/findings?due_before=yesterday":    "due_before",
		"/api/v1/findings?severity=terrible":       "severity",
		"/api/v1/findings?port=99999":              "port",
		"/api/v1/findings?colour=red":              "colour",
		"/api/v1/findings?sort=colour":             "sort",
		"/api/v1/findings?cursor=nonsense":         "cursor",
		"/api/v1/findings/groups":                  "by",
		"/api/v1/reports/1/export?format=html":     "format",
		"/api/v1/findings/export?format=html":      "format",
		"/api/v1/scans?cursor=1&skip=0":            "skip",
		"/api/v1/findings/0":                       "id",
		"/api/v1/findings?confirmed=1&potential=1": "confirmed",
	} {
		got := c.do("GET", path, nil)
		var problem huma.ErrorModel
		if err := json.Unmarshal(got.body, &problem); err != nil || got.status != 422 {
			t.Errorf("%s: %d %s", path, got.status, got.body)
			continue
		}
		where := problem.Detail
		for _, e := range problem.Errors {
			where += " " + e.Location
		}
		if !strings.Contains(where, field) {
			t.Errorf("%s does not name %s: %s", path, field, got.body)
		}
	}
}

func TestManyFindingsAreTriagedByAFilterAndItsNumber(t *testing.T) {
	c := known(t)
	filter := map[string]any{"severity": []string{"medium"}}
	var dry, done report.Triaged
	c.want(200, "POST", "/api/v1/findings/triage", map[string]any{"filter": filter, "state": "accepted", "until": "2099-01-31", "reason": "later", "dry_run": true}, &dry)
	if dry.Selected < 2 || dry.Changed != 0 {
		t.Fatalf("%+v", dry)
	}
	if got := c.want(409, "POST", "/api/v1/findings/triage", map[string]any{"filter": filter, "state": "accepted", "until": "2099-01-31", "reason": "later"}, nil); !strings.Contains(string(got.body), fmt.Sprintf("confirm: %d", dry.Selected)) {
		t.Errorf("without a number: %s", got.body)
	}
	c.want(409, "POST", "/api/v1/findings/triage", map[string]any{"filter": filter, "state": "accepted", "until": "2099-01-31", "reason": "later", "confirm": dry.Selected + 1}, nil)
	c.want(200, "POST", "/api/v1/findings/triage", map[string]any{"filter": filter, "state": "accepted", "until": "2099-01-31", "reason": "later", "confirm": dry.Selected}, &done)
	if done.Changed != dry.Selected {
		t.Errorf("%+v", done)
	}
	var list report.FindingList
	c.want(200, "GET", "/api/v1/findings?limit=1&triage=accepted", nil, &list)
	if list.Total != dry.Selected || list.Findings[0].TriageBy != "anna" {
		t.Errorf("%d accepted by %s", list.Total, list.Findings[0].TriageBy)
	}
	id := list.Findings[0].ID
	one := []int64{id}
	c.want(200, "POST", "/api/v1/findings/label", map[string]any{"ids": one, "label": []string{"web"}}, nil)
	c.want(200, "POST", "/api/v1/findings/assign", map[string]any{"ids": one, "to": "ben"}, nil)
	c.want(200, "POST", "/api/v1/findings/comment", map[string]any{"ids": one, "comment": "seen by hand"}, nil)
	c.want(200, "POST", "/api/v1/findings/close", map[string]any{"ids": one, "reason": "switched off"}, nil)
	var history report.FindingHistory
	c.want(200, "GET", fmt.Sprintf("/api/v1/findings/%d/history", id), nil, &history)
	if len(history.History) < 5 {
		t.Errorf("history: %+v", history)
	}
	for _, bad := range []map[string]any{{"state": "accepted"}, {"ids": one, "filter": filter, "state": "accepted"}, {"ids": one}, {"ids": one, "state": "nonsense"},
		{"ids": one, "colour": "red"}} {
		c.want(422, "POST", "/api/v1/findings/triage", bad, nil)
	}
	c.want(404, "POST", "/api/v1/findings/triage", map[string]any{"ids": []int64{999999}, "state": "confirmed"}, nil)
}

func TestRulesAreMadeTurnedOffAndForgotten(t *testing.T) {
	c := known(t)
	var made report.Triaged
	c.want(201, "POST", "/api/v1/rules", map[string]any{"severity": []string{"low", "medium"}, "state": "accepted", "reason": "later", "until": "2099-01-31"}, &made)
	if len(made.Rules) != 1 || made.Swept == nil || made.Swept.Findings == 0 {
		t.Fatalf("%+v", made)
	}
	c.want(201, "POST", "/api/v1/rules/hosts", map[string]any{"network": []string{"192.0.2.0/24"}, "owner": "web", "tag": []string{"shop"}, "exposed": "yes"}, nil)
	var list report.RuleList
	c.want(200, "GET", "/api/v1/rules", nil, &list)
	if len(list.Rules) != 2 || list.Rules[0].Says.State != "accepted" || list.Rules[1].Says.Owner != "web" {
		t.Errorf("%+v", list.Rules)
	}
	path := fmt.Sprintf("/api/v1/rules/%d", made.Rules[0])
	var swept report.Swept
	c.want(200, "PATCH", path, map[string]any{"enabled": false}, &swept)
	if swept.Findings == 0 {
		t.Errorf("turned off: %+v", swept)
	}
	c.want(200, "PATCH", path, map[string]any{"enabled": true}, nil)
	c.want(200, "POST", "/api/v1/rules/apply", nil, nil)
	c.want(200, "DELETE", path, nil, nil)
	c.want(404, "DELETE", path, nil, nil)
	c.want(422, "POST", "/api/v1/rules", map[string]any{"state": "accepted", "reason": "all"}, nil)
}

const openVEX = `{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://example.org/vex/1","author":"anna","timestamp":"2026-11-01T00:00:00Z","version":1,
	"statements":[{"vulnerability":{"name":"CVE-2016-10009"},"products":[{"@id":"pkg:generic/openssh"}],"status":"not_affected","justification":"vulnerable_code_not_present"}]}`

func TestVEXIsReadAsItIsAndFromAForm(t *testing.T) {
	c := serving(t, open(t))
	var doc report.RuleImport
	c.want(200, "POST", "/api/v1/rules/import?filename=a.json", []byte(openVEX), &doc)
	if len(doc.Files) != 1 || doc.Files[0].File != "a.json" || doc.Files[0].Statements != 1 || doc.Files[0].Added != 1 {
		t.Errorf("%+v", doc)
	}
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", "b.json")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(part, openVEX)
	_ = w.Close()
	c.want(200, "POST", "/api/v1/rules/import", form.Bytes(), &doc, "Content-Type", w.FormDataContentType())
	if len(doc.Files) != 1 || doc.Files[0].File != "b.json" || doc.Files[0].Unchanged != 1 {
		t.Errorf("%+v", doc)
	}
	for _, bad := range []string{"{", "hello", `{"a":1}`} {
		c.want(422, "POST", "/api/v1/rules/import", []byte(bad), nil)
	}
}

func TestExportsAreWhole(t *testing.T) {
	c := known(t)
	var list report.FindingList
	c.want(200, "GET", "/api/v1/findings?limit=1000", nil, &list)
	var exported report.FindingList
	c.want(200, "GET", "/api/v1/findings/export", nil, &exported)
	if len(exported.Findings) != list.Total || exported.Total != list.Total {
		t.Errorf("json has %d of %d", len(exported.Findings), list.Total)
	}
	got := c.want(200, "GET", "/api/v1/findings/export?format=csv&severity=high&sort=cvss", nil, nil)
	if n := strings.Count(string(got.body), "\n") - 1; n < 1 || n >= list.Total || got.header.Get("Content-Disposition") != `attachment; filename="findings.csv"` {
		t.Errorf("csv has %d lines, %v", n, got.header)
	}
	got = c.want(200, "GET", "/api/v1/findings/export?format=ndjson", nil, nil)
	if n := strings.Count(string(got.body), "\n"); n != list.Total {
		t.Errorf("ndjson has %d lines", n)
	}
	c.want(200, "GET", "/api/v1/findings/export?format=sarif", nil, nil)
	scan := list.Findings[0].Evidence[0].ScanID
	for _, format := range []string{"json", "csv", "sarif"} {
		c.want(200, "GET", fmt.Sprintf("/api/v1/reports/%d/export?format=%s", scan, format), nil, nil)
	}
	c.want(422, "GET", "/api/v1/findings/export?due_before=never", nil, nil)
	c.want(404, "GET", "/api/v1/findings/export?scan=999999", nil, nil)
}

func TestARequestWithAKeyIsDoneOnce(t *testing.T) {
	c := known(t)
	rule := map[string]any{"weakness": []string{"nikto:*"}, "assign": "anna"}
	first := c.want(201, "POST", "/api/v1/rules", rule, nil, "Idempotency-Key", "one")
	second := c.want(201, "POST", "/api/v1/rules", rule, nil, "Idempotency-Key", "one")
	if !bytes.Equal(first.body, second.body) || second.header.Get("Idempotent-Replayed") != "true" || first.header.Get("Idempotent-Replayed") != "" {
		t.Errorf("%s, then %s", first.body, second.body)
	}
	c.want(422, "POST", "/api/v1/rules", map[string]any{"weakness": []string{"nikto:1"}, "assign": "ben"}, nil, "Idempotency-Key", "one")
	c.want(422, "POST", "/api/v1/rules", rule, nil, "Idempotency-Key", "a b")
	bad := map[string]any{"assign": "anna"}
	c.want(422, "POST", "/api/v1/rules", bad, nil, "Idempotency-Key", "two")
	c.want(201, "POST", "/api/v1/rules", rule, nil, "Idempotency-Key", "two") // what came to nothing may be asked again
	c.who.User, c.who.Name = 2, "ben"
	if got := c.want(201, "POST", "/api/v1/rules", rule, nil, "Idempotency-Key", "one"); got.header.Get("Idempotent-Replayed") != "" {
		t.Error("another's key")
	}
	if before, err := c.app.For(c.who).BeginOnce(context.Background(), "slow"); before != nil || err != nil {
		t.Fatal(before, err)
	}
	if got := c.want(409, "POST", "/api/v1/rules", rule, nil, "Idempotency-Key", "slow"); got.header.Get("Retry-After") == "" {
		t.Errorf("one that still runs: %v", got.header)
	}
}

func TestAScanThatIsOverIsRemovedWithItsEvidence(t *testing.T) {
	c := known(t)
	var list report.FindingList
	c.want(200, "GET", "/api/v1/findings?limit=1&site=demo", nil, &list)
	path := fmt.Sprintf("/api/v1/scans/%d", list.Findings[0].Evidence[0].ScanID)
	var preview, done report.Undo
	c.want(200, "DELETE", path+"?preview=true", nil, &preview)
	if preview.Applied || preview.Undone.FindingsGone < list.Total {
		t.Errorf("preview: %+v", preview)
	}
	c.want(200, "GET", path, nil, nil)
	c.want(200, "DELETE", path, nil, &done)
	if !done.Applied || done.Undone != preview.Undone {
		t.Errorf("%+v, not as %+v", done, preview)
	}
	c.want(200, "GET", "/api/v1/findings?limit=1&site=demo", nil, &list)
	if list.Total != 0 {
		t.Errorf("%d findings are left", list.Total)
	}
}

func TestWhoSeesNothingIsToldNothing(t *testing.T) {
	c := known(t)
	var list report.FindingList
	c.want(200, "GET", "/api/v1/findings?limit=1", nil, &list)
	id, scan := list.Findings[0].ID, list.Findings[0].Evidence[0].ScanID
	c.who = auth.Identity{Kind: auth.Session, Name: "eve", User: 3, Role: auth.Admin, View: auth.OfSites("elsewhere")}
	for _, path := range []string{fmt.Sprintf("findings/%d", id), fmt.Sprintf("findings/%d/history", id), fmt.Sprintf("vulnerabilities/%d/details", id),
		fmt.Sprintf("vulnerabilities/%d/exploits", id), fmt.Sprintf("scans/%d", scan), fmt.Sprintf("scans/%d/result", scan), fmt.Sprintf("scans/%d/tasks", scan),
		fmt.Sprintf("scans/%d/hosts", scan), fmt.Sprintf("scans/%d/vulnerabilities", scan), fmt.Sprintf("reports/%d", scan), fmt.Sprintf("reports/%d/export", scan),
		fmt.Sprintf("findings/export?scan=%d", scan)} {
		c.want(404, "GET", "/api/v1/"+path, nil, nil)
	}
	for _, path := range []string{"findings", "findings/export", "findings/counts", "scans", "findings/groups?by=site"} {
		if got := c.want(200, "GET", "/api/v1/"+path, nil, nil); bytes.Contains(got.body, []byte("192.0.2.")) || bytes.Contains(got.body, []byte(`"demo"`)) {
			t.Errorf("%s: %s", path, got.body)
		}
	}
	c.want(404, "POST", "/api/v1/findings/triage", map[string]any{"ids": []int64{id}, "state": "confirmed"}, nil)
	c.want(404, "DELETE", fmt.Sprintf("/api/v1/scans/%d", scan), nil, nil)
	var f finding.Filter
	if counts, err := c.app.store.Estate().CountFindings(context.Background(), auth.Everything(), f); err != nil || counts.Total == 0 {
		t.Error("what it may not see is gone")
	}
}

// What was answered is given again before anybody looks at who may have it.
func TestAKeyIsItsSendersAsLongAsHeMayTheSame(t *testing.T) {
	c := known(t)
	rule := map[string]any{"weakness": []string{"nikto:*"}, "assign": "anna"}
	token := auth.Identity{Kind: auth.Token, Name: "token ci of anna", User: 1, Token: 7, Role: auth.Admin, View: auth.Everything()}
	c.who = token
	c.want(201, "POST", "/api/v1/rules", rule, nil, "Idempotency-Key", "one")
	if got := c.want(201, "POST", "/api/v1/rules", rule, nil, "Idempotency-Key", "one"); got.header.Get("Idempotent-Replayed") == "" {
		t.Error("the same token's request was done twice")
	}
	for what, take := range map[string]func(*auth.Identity){
		"role":   func(who *auth.Identity) { who.Role = auth.Viewer },
		"scopes": func(who *auth.Identity) { who.Scopes = []string{"findings:read"} },
		"token":  func(who *auth.Identity) { who.Token, who.Role = 8, auth.Viewer },
	} {
		c.who = token
		take(&c.who)
		if got := c.want(403, "POST", "/api/v1/rules", rule, nil, "Idempotency-Key", "one"); got.header.Get("Idempotent-Replayed") != "" {
			t.Errorf("%s: got another's answer", what)
		}
	}
	c.who = token
	c.who.View = auth.OfSites("default")
	if got := c.want(201, "POST", "/api/v1/rules", rule, nil, "Idempotency-Key", "one"); got.header.Get("Idempotent-Replayed") != "" {
		t.Error("got the answer of who saw more")
	}
}
