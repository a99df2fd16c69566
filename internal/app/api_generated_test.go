package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/api/apitest"
	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

// farAway is in everything that belongs to the site that the limited asker must not see.
const farAway = "farawayland"

// grounds is a whole server that runs, with something of everything in it, for calls that nobody in his senses makes.
type grounds struct {
	t       *testing.T
	app     *App
	address string
	log     *logged

	doc *apitest.Document
	ops []apitest.Operation

	askers  map[string][][2]string
	secrets []string
	own     map[string]bool // users and tokens of the askers, which no call may change
	people  int
}

// logged keeps the log, to be searched for bugs.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) lines(words ...string) (out []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(line, w) }) {
			out = append(out, line)
		}
	}
	return out
}

func openGrounds(t *testing.T, databaseURL string, change func(*config.Config)) *grounds {
	t.Helper()
	cfg := config.Default()
	cfg.DataDir, cfg.DatabaseURL = filepath.Join(t.TempDir(), "data"), config.Secret(databaseURL)
	cfg.Server.Listen, cfg.Server.StrangerRate, cfg.Server.Grace, cfg.Server.MaxUploadMB = "127.0.0.1:0", 0, 5*time.Second, 16
	cfg.Scan.Scope = []string{"127.0.0.0/8"} // whatever rules are made
	cfg.Feeds.Mirror, cfg.Feeds.NVD.APIURL = "http://127.0.0.1:1/", "http://127.0.0.1:1/"
	cfg.Jobs.Scans, cfg.Jobs.Tools = 2, 2
	if change != nil {
		change(&cfg)
	}
	g := &grounds{t: t, log: &logged{}, askers: map[string][][2]string{}, own: map[string]bool{}}
	a, err := Open(t.Context(), cfg, slog.New(slog.NewTextHandler(g.log, &slog.HandlerOptions{Level: slog.LevelInfo})))
	if err != nil {
		t.Fatal(err)
	}
	g.app = a
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	g.furnish()
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- a.Serve(ctx, ServeOptions{Version: "test", Ready: func(url string) { ready <- url }})
	}()
	select {
	case url := <-ready:
		_, g.address, _ = strings.Cut(url, "://")
	case err := <-ended:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	if cfg.Server.TLSCert == "" {
		g.doc, g.ops = apitest.Read(t, g.served("/openapi.json"))
	}
	return g
}

// served is a public page.
func (g *grounds) served(path string) []byte {
	g.t.Helper()
	answer, err := http.Get("http://" + g.address + path)
	if err != nil {
		g.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		g.t.Fatal(answer.StatusCode, err)
	}
	return text
}

// furnish fills the product: examples, two sites, an import, rules, users.
func (g *grounds) furnish() {
	g.t.Helper()
	ctx, a := g.t.Context(), g.app
	must := func(err error) {
		g.t.Helper()
		if err != nil {
			g.t.Fatal(err)
		}
	}
	must(a.Prepare(ctx, func(Progress) {}))
	_, err := a.Seed(ctx)
	must(err)
	for _, site := range []string{"branch", farAway} {
		must(a.AddSite(ctx, site, false))
		_, err = a.Import(ctx, ImportRequest{Files: []string{"-"}, Stdin: strings.NewReader(nmapXML), Site: site})
		must(err)
		g.scanned(site)
	}
	for i := range 8 {
		_, err := a.AddUser(ctx, UserRequest{Name: fmt.Sprint("decoy", i), Role: "viewer", Password: pass})
		must(err)
	}
	for _, who := range []string{"admin", "analyst", "viewer", "limited", "worker", "session"} {
		g.admit(who)
	}
	g.askers["nobody"], g.askers["stranger"] = nil, [][2]string{{"Authorization", "Bearer ps_nonsense"}}
}

// scanned is a scan of a site that has ended, with words that tell the site.
func (g *grounds) scanned(site string) {
	g.t.Helper()
	ctx, a := g.t.Context(), g.app
	run, err := a.assessor().Begin(ctx, finding.Scan{Kind: finding.KindScan, Site: site, Targets: []string{"127.0.0.0/30"}, By: "anna", Created: a.now()})
	if err != nil {
		g.t.Fatal(err)
	}
	at := netip.MustParseAddr("127.0.0.1")
	for _, e := range []finding.Event{
		{Host: &finding.HostSeen{Address: at, Names: []string{site + ".example"}, Status: "up", At: a.now()}},
		{Service: &finding.ServiceSeen{Address: at, Protocol: "tcp", Port: 22, Name: "ssh", Product: "OpenSSH", Version: "7.2p2", CPEs: []string{"cpe:2.3:a:openbsd:openssh:7.2:p2:*:*:*:*:*:*"}, At: a.now()}},
		{Observation: &finding.Observation{Address: at, Protocol: "tcp", Port: 22, Check: "native:" + site, Title: "weak in " + site, Remedy: "turn it off in " + site, Severity: "high", Confidence: 95, At: a.now()}},
	} {
		if err := run.Emit("native", e); err != nil {
			g.t.Fatal(err)
		}
	}
	if _, err := run.Finish(ctx, assess.End{Status: finding.Completed, Scanners: []finding.ScannerRun{{Name: "native", Status: "completed"}}}); err != nil {
		g.t.Fatal(err)
	}
	list, err := a.Findings(ctx, FindingRequest{Site: site})
	if err != nil {
		g.t.Fatal(err)
	}
	if _, err := a.Triage(ctx, TriageRequest{IDs: []int64{list.Findings[0].ID}, State: "confirmed", Comment: "seen in " + site, Assign: new(site + "-anna"), Labels: []string{"l-" + site}}); err != nil {
		g.t.Fatal(err)
	}
	for _, text := range []string{site + "-a", site + "-b"} {
		rule := RuleRequest{Where: finding.RuleWhere{Sites: []string{site}, Weaknesses: []string{"native:" + text}}, State: "accepted", Reason: "in " + site, Until: "2099-01-01"}
		if _, err := a.AddRule(ctx, rule); err != nil {
			g.t.Fatal(err)
		}
	}
}

// admit makes an asker anew: calls may have taken away all that it had.
func (g *grounds) admit(who string) {
	g.t.Helper()
	role := map[string]string{"limited": "viewer", "session": "admin", "worker": "admin"}[who]
	g.people++
	req := UserRequest{Name: fmt.Sprintf("%s-asks-%d", who, g.people), Role: cmp.Or(role, who), Password: pass, Keep: true}
	if who == "limited" {
		req.Sites = []string{"branch"}
	}
	ctx := g.t.Context()
	made, err := g.app.AddUser(ctx, req)
	if err != nil {
		g.t.Fatal(err)
	}
	g.own[fmt.Sprint("users.", made.ID)] = true
	if who == "session" {
		u, err := g.app.store.Estate().UserByName(ctx, req.Name)
		if err != nil {
			g.t.Fatal(err)
		}
		l, err := g.app.keeper().Begin(ctx, u, "127.0.0.1")
		if err != nil {
			g.t.Fatal(err)
		}
		g.askers["session"] = [][2]string{{"Cookie", "patchscout_session=" + l.Secret}, {"X-CSRF-Token", auth.CSRFToken(l.Secret)}}
		g.askers["no csrf"] = g.askers["session"][:1]
		g.secrets = append(g.secrets, l.Secret)
		return
	}
	token := TokenRequest{Name: who, User: req.Name}
	if who == "worker" {
		token = TokenRequest{Name: who, Role: "worker", Site: "branch"}
	}
	t, err := g.app.CreateToken(ctx, token)
	if err != nil {
		g.t.Fatal(err)
	}
	g.own[fmt.Sprint("tokens.", t.ID)] = true
	g.askers[who] = [][2]string{{"Authorization", "Bearer " + t.Secret}}
	g.secrets = append(g.secrets, t.Secret)
}

// weights are how often each asks.
var weights = []struct {
	who string
	n   int
}{{"admin", 45}, {"analyst", 14}, {"viewer", 8}, {"limited", 14}, {"worker", 4}, {"session", 8}, {"no csrf", 2}, {"nobody", 3}, {"stranger", 2}}

func whoAsks(op *apitest.Operation, n int, first bool) string {
	if op != nil && op.Role == "worker" && n%10 < 8 {
		return "worker"
	}
	if first {
		return "admin"
	}
	n %= 100
	for _, w := range weights {
		if n -= w.n; n < 0 {
			return w.who
		}
	}
	return "admin"
}

// tame keeps calls from waiting, and from scanning or changing what the test needs.
func (g *grounds) tame(op *apitest.Operation, field string, v any) any {
	switch field {
	case "wait_ms":
		return 0
	case "target_url", "targets":
		if text, ok := v.(string); ok && strings.ContainsAny(text, "0123456789abcdefghijklmnopqrstuvwxyz") && !strings.HasPrefix(text, "127.") && !strings.HasPrefix(text, "-") && len(text) < 30 {
			return "127.0.0.1"
		}
	case "ports":
		if _, ok := v.(string); ok && op.ID == "initiate-scan" {
			return "1"
		}
	case "scanners":
		if op.ID == "initiate-scan" {
			return "native"
		}
	case "id":
		if strings.HasPrefix(op.Path, "/api/v1/users/") && g.own[fmt.Sprint("users.", v)] || strings.HasPrefix(op.Path, "/api/v1/tokens/") && g.own[fmt.Sprint("tokens.", v)] {
			return 999999
		}
	case "name", "password":
		if op.ID == "login" {
			return map[string]string{"name": "decoy1", "password": pass}[field]
		}
	case "preview":
		if op.ID != "undo-import" { // else there are soon no hosts
			return true
		}
	case "current":
		return pass
	case "user":
		if text, ok := v.(string); ok && strings.Contains(text, "-asks-") {
			return "decoy1"
		}
	}
	return v
}

// tally is what a run of calls came to.
type tally struct {
	statuses map[int]int
	reached  map[string]map[int]int
	problems map[string]int
	slow     []string
	silent   map[string]int
	vague    map[string]int
	took     time.Duration
	calls    int
}

func newTally() *tally {
	return &tally{statuses: map[int]int{}, reached: map[string]map[int]int{}, problems: map[string]int{}, silent: map[string]int{}, vague: map[string]int{}}
}

func TestGeneratedCallsAreAnsweredAsTheDocumentSays(t *testing.T) {
	calls := 1000
	if os.Getenv("TEST_LONG") != "" {
		calls = 10_000
	}
	if n, err := strconv.Atoi(os.Getenv("TEST_CALLS")); err == nil {
		calls = n
	}
	seed := uint64(5)
	if n, err := strconv.ParseUint(os.Getenv("TEST_SEED"), 10, 64); err == nil {
		seed = n
	}
	run := func(t *testing.T, url string) {
		g := openGrounds(t, url, nil)
		g.generated(calls, seed)
	}
	t.Run("sqlite", func(t *testing.T) { run(t, "") })
	t.Run("postgres", func(t *testing.T) { run(t, storetest.Postgres(t)) })
}

func (g *grounds) generated(calls int, seed uint64) {
	t := g.t
	gen := apitest.NewGenerator(g.doc, g.ops, seed)
	gen.Tame = g.tame
	wire := &apitest.Wire{Address: g.address}
	defer wire.Close()
	sum, begin := newTally(), time.Now()
	for i := range calls {
		c := gen.Next()
		first := i < len(g.ops)
		who := whoAsks(c.Op, gen.Draw(1000), first)
		a, err := wire.Send(c, g.askers[who]...)
		if err != nil {
			t.Fatalf("%s: %v", inOneLine(c, who), err)
		}
		g.judge(sum, c, who, a)
		g.learn(gen, c, a)
		if a.Status == http.StatusUnauthorized && who != "nobody" && who != "stranger" && who != "no csrf" || bytes.Contains(a.Body, []byte("change the password first")) {
			g.admit(map[string]string{"no csrf": "session"}[who] + map[bool]string{true: who}[who != "no csrf"])
		}
	}
	sum.took, sum.calls = time.Since(begin), calls
	g.conclude(sum, seed)
}

// inOneLine is a call in one line.
func inOneLine(c apitest.Call, who string) string {
	body := c.Body
	if len(body) > 300 {
		body = body[:300]
	}
	target := c.Target
	if len(target) > 300 {
		target = target[:300]
	}
	return fmt.Sprintf("%s %s by %s %q %q", c.Method, target, who, c.Twisted, body)
}

// inside are words of the inside, which an answer must not have.
var inside = regexp.MustCompile(`goroutine |runtime error|panic:|\.go:\d|SQLSTATE|SQL logic|\bsql:|syntax error at|no such (?:table|column)|pgx[: ]|/tmp/|/work/|/root/|/home/|` +
	`Go (?:struct|value)|strconv\.|internal/|argon2id\$|constraint failed|violates|invalid byte sequence|reflect\.`)

func (g *grounds) judge(sum *tally, c apitest.Call, who string, a apitest.Answer) {
	sum.statuses[a.Status]++
	bad := func(format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		if sum.problems[text]++; sum.problems[text] == 1 && len(sum.problems) < 200 {
			g.t.Errorf("%s\n    %s\n    %d %.600s", text, inOneLine(c, who), a.Status, a.Body)
		}
	}
	name := "no operation"
	if c.Op != nil {
		name = c.Op.ID
		if sum.reached[name] == nil {
			sum.reached[name] = map[int]int{}
		}
		sum.reached[name][a.Status]++
	}
	if a.Status == http.StatusRequestHeaderFieldsTooLarge && len(c.Target) > 32<<10 {
		return // HTTP itself says so (docs/api.md), before there is an operation
	}
	if a.Took > 5*time.Second && name != "refresh-cve" { // which waits for another server
		sum.slow = append(sum.slow, fmt.Sprintf("%s: %s", a.Took.Round(time.Millisecond), inOneLine(c, who)))
	}
	if a.Status == 0 {
		if sum.silent[name]++; !c.Protocol && !c.Cut {
			bad("%s: no answer", name)
		}
		return
	}
	if a.Status >= 500 && a.Status != http.StatusServiceUnavailable && a.Status != http.StatusNotImplemented {
		bad("%s: status %d", name, a.Status)
	}
	if c.Protocol && a.Header.Get("X-Request-Id") == "" { // answered by net/http
		if a.Status >= 500 && a.Status != http.StatusNotImplemented && a.Status != http.StatusHTTPVersionNotSupported {
			bad("%s: status %d", name, a.Status)
		}
		return
	}
	g.judgeHeader(c, a, func(format string, args ...any) { bad(name+": "+format, args...) })
	if m := inside.Find(a.Body); m != nil && !bytes.Contains(c.Body, m) && !strings.Contains(c.Target, string(m)) {
		bad("%s: tells of the inside: %s", name, m)
	}
	for _, secret := range g.secrets {
		if bytes.Contains(a.Body, []byte(secret)) {
			bad("%s: tells a secret", name)
		}
	}
	if who == "limited" && bytes.Contains(a.Body, []byte(farAway)) && !bytes.Contains(c.Body, []byte(farAway)) && !strings.Contains(c.Target, farAway) {
		bad("%s: tells of a site that the asker does not see", name)
	}
	if c.Op == nil {
		g.judgeOutside(c, a, bad)
		return
	}
	for _, problem := range g.doc.CheckAnswer(*c.Op, a.Status, a.Header.Get("Content-Type"), a.Body) {
		bad("%s: %s", name, problem)
	}
	g.judgeProblem(sum, name, a, bad)
}

func (g *grounds) judgeHeader(c apitest.Call, a apitest.Answer, bad func(string, ...any)) {
	if a.Header.Get("X-Content-Type-Options") != "nosniff" || a.Header.Get("X-Request-Id") == "" || a.Header.Get("X-Frame-Options") == "" {
		bad("headers are missing: %v", a.Header)
	}
	if a.Header.Get("Server") != "" || a.Header.Get("X-Powered-By") != "" || strings.Contains(fmt.Sprint(a.Header), "evil") {
		bad("headers tell too much: %v", a.Header)
	}
	if a.Status == http.StatusServiceUnavailable && a.Header.Get("Retry-After") == "" {
		bad("503 without Retry-After")
	}
	if c.Method == http.MethodHead && len(a.Body) > 0 {
		bad("a body for HEAD")
	}
}

// judgeOutside is about paths and methods of no operation.
func (g *grounds) judgeOutside(c apitest.Call, a apitest.Answer, bad func(string, ...any)) {
	kind := a.Header.Get("Content-Type")
	if a.Status >= 400 && c.Method != http.MethodHead && kind != "application/problem+json" {
		bad("outside of the operations: %d as %q", a.Status, kind)
	}
	if a.Status == http.StatusMethodNotAllowed && a.Header.Get("Allow") == "" {
		bad("outside of the operations: 405 without Allow")
	}
}

// judgeProblem looks at the words of an error.
func (g *grounds) judgeProblem(sum *tally, name string, a apitest.Answer, bad func(string, ...any)) {
	if a.Status < 400 || strings.HasPrefix(name, "get-health") || strings.HasPrefix(name, "get-readiness") {
		return
	}
	var p struct {
		Status int    `json:"status"`
		Detail string `json:"detail"`
		Errors []struct{ Location, Message string }
	}
	if err := json.Unmarshal(a.Body, &p); err != nil || p.Status != a.Status || p.Detail == "" {
		bad("%s: no problem document", name)
		return
	}
	if a.Status == http.StatusUnprocessableEntity || a.Status == http.StatusBadRequest {
		if len(p.Errors) == 0 || p.Errors[0].Location == "" {
			sum.vague[fmt.Sprintf("%d %s: %.100s", a.Status, name, p.Detail)]++
		}
	}
}

// learn remembers what there is.
func (g *grounds) learn(gen *apitest.Generator, c apitest.Call, a apitest.Answer) {
	var doc any
	if c.Op == nil || a.Status >= 300 || len(a.Body) > 1<<20 || json.Unmarshal(a.Body, &doc) != nil {
		return
	}
	what := strings.Split(strings.TrimPrefix(c.Op.Path, "/api/v1/"), "/")[0]
	g.learnFrom(gen, what, doc, 0)
}

func (g *grounds) learnFrom(gen *apitest.Generator, what string, doc any, depth int) {
	switch doc := doc.(type) {
	case []any:
		for _, one := range doc[:min(len(doc), 20)] {
			g.learnFrom(gen, what, one, depth+1)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(doc)) {
			switch v := doc[name].(type) {
			case float64:
				if name == "id" && depth < 3 && !g.own[fmt.Sprint(what, ".", v)] {
					gen.Know(what+".id", fmt.Sprintf("%.0f", v))
					for _, field := range map[string][]string{"assets": {"hosts", "host", "other"}, "findings": {"ids"}, "scope": {"scope"}}[what] {
						gen.Know(field, fmt.Sprintf("%.0f", v))
					}
				}
				if name == "id" && what == "findings" {
					gen.Know("vulnerabilities.id", fmt.Sprintf("%.0f", v))
				}
				if name == "scan_id" {
					gen.Know("scans.scan_id", fmt.Sprintf("%.0f", v))
					gen.Know("scans.id", fmt.Sprintf("%.0f", v))
				}
			case string:
				if name == "name" && what == "sites" {
					gen.Know("sites.name", v)
				}
				if slices.Contains([]string{"site", "host", "cve", "assignee", "remedy_key", "scanner", "next", "fence"}, name) && len(v) < 300 && v != farAway {
					gen.Know(map[string]string{"next": "cursor"}[name]+map[bool]string{true: name}[name != "next"], v)
				}
			default:
				g.learnFrom(gen, what, v, depth+1)
			}
		}
	}
}

func (g *grounds) conclude(sum *tally, seed uint64) {
	t := g.t
	t.Logf("seed %d: %d calls in %s; by status: %v; ended without an answer: %v", seed, sum.calls, sum.took.Round(time.Millisecond), sum.statuses, sum.silent)
	var never []string
	for _, op := range g.ops {
		ok := false
		for status := range sum.reached[op.ID] {
			ok = ok || status > 0 && status < 400
		}
		if !ok {
			never = append(never, fmt.Sprintf("%s %v", op.ID, sum.reached[op.ID]))
		}
	}
	t.Logf("%d of %d operations answered with success; never: %s", len(g.ops)-len(never), len(g.ops), strings.Join(never, ", "))
	for _, text := range slices.Sorted(maps.Keys(sum.vague)) {
		t.Logf("no field: %s (%d times)", text, sum.vague[text])
	}
	for _, text := range sum.slow {
		t.Errorf("slow: %s", text)
	}
	for text, n := range sum.problems {
		if n > 1 {
			t.Logf("%d times: %s", n, text)
		}
	}
	for _, line := range g.log.lines("msg=bug", "request failed") {
		t.Errorf("log: %.2000s", line)
	}
	g.served("/health")
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("heap %d MB, from the system %d MB, goroutines %d", m.HeapAlloc>>20, m.Sys>>20, runtime.NumGoroutine())
	if m.HeapAlloc > 256<<20 {
		t.Errorf("%d MB of heap", m.HeapAlloc>>20)
	}
}
