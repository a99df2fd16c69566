package neo4j_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/attackpath/graph"
	"github.com/patchscout/patchscout/internal/attackpath/graphtest"
	"github.com/patchscout/patchscout/internal/attackpath/graphtest/neo4jserver"
	"github.com/patchscout/patchscout/internal/attackpath/neo4j"
	"github.com/patchscout/patchscout/internal/fault"
)

func TestOnTheOldestServer(t *testing.T) { onServer(t, neo4jserver.Oldest) }

func TestOnTheNewestServer(t *testing.T) {
	if os.Getenv("TEST_NEO4J") != "all" && os.Getenv("TEST_LONG") == "" {
		t.Skip("make test-neo4j tries every version")
	}
	onServer(t, neo4jserver.Newest)
}

// bench is a real server with a second look at what is in it.
type bench struct {
	neo4jserver.Server
	look driver.DriverWithContext
}

func onServer(t *testing.T, version string) {
	if testing.Short() {
		t.Skip("it starts a server")
	}
	b := &bench{Server: neo4jserver.Start(t, version)}
	t.Logf("Neo4j %s started in %s", version, b.Took.Round(100*time.Millisecond))
	var err error
	if b.look, err = driver.NewDriverWithContext(b.URL, driver.BasicAuth(b.User, b.Password, "")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.look.Close(context.Background()) })
	t.Run("the same answers as everywhere", b.same)
	t.Run("loading twice gives the same", b.twice)
	t.Run("what is gone is removed", b.gone)
	t.Run("hostile names stay names", b.hostile)
	t.Run("another process answers what this one loaded", b.others)
	t.Run("an overtaken load ends", b.overtaken)
	t.Run("what somebody took out is said", b.broken)
	t.Run("errors say what is wrong", b.errors)
	t.Run("ten thousand actions", b.many)
	t.Run("the documented queries", b.documented)
}

func (b *bench) options() neo4j.Options {
	return neo4j.Options{URL: b.URL, User: b.User, Password: b.Password, Rank: func() attackpath.Graph { return graph.New(nil) }}
}

func (b *bench) open(t *testing.T) *neo4j.Graph {
	t.Helper()
	g, err := neo4j.Open(t.Context(), b.options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return g
}

func (b *bench) same(t *testing.T) {
	graphs := uint64(40) // of make test-integration, of which this may be a minute
	switch {
	case os.Getenv("TEST_LONG") != "":
		graphs = 500
	case os.Getenv("TEST_NEO4J") == "all":
		graphs = 150
	}
	graphtest.RunSome(t, func() attackpath.Graph {
		g, err := neo4j.Open(context.Background(), b.options())
		if err != nil {
			t.Fatal(err)
		}
		return g
	}, graphs)
}

// ask runs a query of the test's own.
func (b *bench) ask(t *testing.T, query string, params map[string]any) [][]any {
	t.Helper()
	r, err := driver.ExecuteQuery(t.Context(), b.look, query, params, driver.EagerResultTransformer)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	var out [][]any
	for _, record := range r.Records {
		out = append(out, record.Values)
	}
	return out
}

// everything is all that is in the database but the number of the load.
func (b *bench) everything(t *testing.T) [][]any {
	t.Helper()
	nodes := b.ask(t, "MATCH (n:PatchScout) RETURN labels(n), n {.*, load: 0} AS p ORDER BY n.key", nil)
	return append(nodes, b.ask(t, "MATCH (a:PatchScout)-[r]->(b:PatchScout) RETURN a.key, type(r), b.key, r {.*, load: 0} AS p ORDER BY r.key", nil)...)
}

func estate(t *testing.T, hosts int) (neo4j.Picture, attackpath.Estate) {
	t.Helper()
	e := graphtest.Generate(graphtest.GenerateOptions{Hosts: hosts, Sites: max(3, hosts/100), Jewels: 5, Seed: 3})
	return picture(t, e), e
}

func picture(t *testing.T, e attackpath.Estate) neo4j.Picture {
	t.Helper()
	m, err := attackpath.Build(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	best, err := graph.New(m.Network()).Best(t.Context(), attackpath.Removal{})
	if err != nil {
		t.Fatal(err)
	}
	return neo4j.Picture{Network: m.Network(), Estate: &e, Describe: m.Describe, Chance: best.Chance}
}

func write(t *testing.T, g *neo4j.Graph, p neo4j.Picture) {
	t.Helper()
	if err := g.Write(t.Context(), p); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) twice(t *testing.T) {
	p, _ := estate(t, 60)
	g := b.open(t)
	write(t, g, p)
	first := b.everything(t)
	write(t, g, p)
	if second := b.everything(t); !reflect.DeepEqual(first, second) {
		t.Errorf("%d things after the first load, %d after the second, or they differ", len(first), len(second))
	}
	for _, label := range []string{"Asset", "Service", "Vulnerability", "Site", "EntryPoint"} {
		if n := b.ask(t, "MATCH (n:"+label+") RETURN count(n)", nil)[0][0].(int64); n == 0 {
			t.Errorf("there is no %s", label)
		}
	}
	for _, kind := range []string{"RUNS", "HAS_VULN", "EXPLOITS", "LEADS_TO", "REACHES"} {
		if n := b.ask(t, "MATCH ()-[r:"+kind+"]->() WHERE r.key IS NOT NULL AND r.p IS NOT NULL AND r.known IS NOT NULL AND r.reason IS NOT NULL RETURN count(r)", nil)[0][0].(int64); n == 0 {
			t.Errorf("there is no %s", kind)
		}
	}
	if bare := b.ask(t, "MATCH (n:PatchScout) WHERE n.key IS NULL OR n.p IS NULL OR n.known IS NULL OR n.reason IS NULL RETURN n.key", nil); len(bare) > 0 {
		t.Errorf("without id, chance, knowledge or reason: %v", bare)
	}
	for i := range 2 {
		d, err := neo4j.Draw(p)
		if err != nil {
			t.Fatal(err)
		}
		// Write leaves no mark of the content, so that Renew writes once.
		if wrote, err := g.Renew(t.Context(), d); wrote != (i == 0) || err != nil {
			t.Errorf("the same for the time %d was written: %t, %v", i+1, wrote, err)
		}
	}
}

func (b *bench) gone(t *testing.T) {
	large, e := estate(t, 60)
	g := b.open(t)
	b.ask(t, "MERGE (p:Asset {key: 'not ours', load: -1})", nil)
	write(t, g, large)
	e.Hosts = slices.Clone(e.Hosts[:20])
	small := picture(t, e)
	write(t, g, small)
	left := b.everything(t)
	if n := b.ask(t, "MATCH (n:PatchScout:Asset) RETURN count(n)", nil)[0][0].(int64); n != 20 {
		t.Errorf("%d hosts are left, want 20", n)
	}
	if n := b.ask(t, "MATCH (n:Asset {key: 'not ours'}) DELETE n RETURN count(n)", nil)[0][0].(int64); n != 1 {
		t.Error("what is not ours is gone")
	}
	b.ask(t, "MATCH (n) DETACH DELETE n", nil)
	write(t, g, small)
	if fresh := b.everything(t); !reflect.DeepEqual(left, fresh) {
		t.Errorf("%d things are left, %d of a fresh database, or they differ", len(left), len(fresh))
	}
}

// hostile writes what would be Cypher where a name is expected.
func (b *bench) hostile(t *testing.T) {
	names := []string{"'}) MATCH (x) DETACH DELETE x //", "`) DETACH DELETE n; //", "\\u0027}) DELETE n //", "a\x00b", "\"; DROP DATABASE neo4j", "\u202eevil", "\xff\xfe", strings.Repeat("ü", 20_000), "$load", "{{load}}"}
	e := attackpath.Estate{Sites: []attackpath.Site{{Name: "office"}}}
	for i, name := range names {
		site := fmt.Sprintf("%s %d", name, i)
		e.Sites = append(e.Sites, attackpath.Site{Name: site})
		e.Hosts = append(e.Hosts, attackpath.Host{ID: int64(i + 1), Site: site, Name: name, OS: name, Tags: []string{name}, Exposed: true, ExposedWhy: name, Jewel: true,
			Services: []attackpath.Service{{Protocol: "tcp", Port: 80, Name: name, Product: name}},
			Flaws: []attackpath.Flaw{{Finding: int64(i + 1), Weakness: "nuclei:" + name, Protocol: "tcp", Port: 80, Title: name, Remedy: name, Scanner: name, Component: name,
				Effect: &attackpath.Effect{Reach: attackpath.OverNetwork, Gain: attackpath.AsRoot, P: 0.5, PWhy: name}}}})
	}
	p, g := picture(t, e), b.open(t)
	write(t, g, p)
	for _, row := range b.ask(t, "MATCH (a:Asset)-[r:HAS_VULN]->(v:Vulnerability) RETURN a.id, a.name, v.name, r.title", nil) {
		want := string([]rune(names[row[0].(int64)-1])) // what is no UTF-8 cannot be told
		if row[1] != want || row[2] != "nuclei:"+want || row[3] != want {
			t.Errorf("%.60q became %.60q", want, row)
		}
	}
	for _, goal := range p.Network.Goals {
		found, err := g.Paths(t.Context(), attackpath.Question{To: goal.Fact, K: 3})
		if err != nil || !found.Complete || len(found.Paths) == 0 {
			t.Errorf("%+v, %v", found, err)
		}
	}
	for _, name := range names {
		left, err := g.Paths(t.Context(), attackpath.Question{To: p.Network.Goals[0].Fact, Without: attackpath.Removal{Weaknesses: []string{name}}})
		if err != nil || len(left.Paths) != 1 {
			t.Errorf("without %.40q: %+v, %v", name, left, err)
		}
	}
}

func (b *bench) others(t *testing.T) {
	p, _ := estate(t, 300)
	write(t, b.open(t), p)
	here, there := graph.New(p.Network), b.open(t)
	for _, goal := range p.Network.Goals {
		q := attackpath.Question{To: goal.Fact, K: 5}
		want, err := here.Paths(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := there.Paths(t.Context(), q); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("fact %d: %+v (%v), want %+v", goal.Fact, got, err, want)
		}
		led, err := there.Backward(t.Context(), goal.Fact)
		if want, _ := here.Backward(t.Context(), goal.Fact); err != nil || !slices.Equal(led, want) {
			t.Errorf("backward from %d: %d facts (%v), want %d", goal.Fact, len(led), err, len(want))
		}
	}
	if _, err := there.Paths(t.Context(), attackpath.Question{To: 1 << 30}); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("a fact that is not there: %v", err)
	}
	late, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	if found, err := there.Paths(late, attackpath.Question{To: p.Network.Goals[0].Fact}); err != nil || found.Complete || found.Why == "" {
		t.Errorf("without time: %+v, %v", found, err)
	}
}

// overtaken: a load that takes long, and another one that begins meanwhile.
func (b *bench) overtaken(t *testing.T) {
	large, _ := estate(t, 1000)
	small, _ := estate(t, 20)
	first, second := b.open(t), b.open(t)
	write(t, second, small)
	want := b.everything(t)
	ended := make(chan error, 1)
	before := b.ask(t, "MATCH (g:PatchScoutGraph) RETURN g.load", nil)[0][0].(int64)
	go func() { ended <- first.Write(context.WithoutCancel(t.Context()), large) }()
	for b.ask(t, "MATCH (g:PatchScoutGraph) RETURN g.load", nil)[0][0].(int64) == before {
		time.Sleep(time.Millisecond)
	}
	if found, err := second.Paths(t.Context(), attackpath.Question{To: small.Network.Goals[0].Fact}); err == nil && found.Complete {
		t.Error("an answer in the midst of a load passes for complete")
	}
	write(t, second, small)
	if err := <-ended; fault.KindOf(err) != fault.KindConflict {
		t.Errorf("the load that was overtaken ended with %v", err)
	}
	if got := b.everything(t); !reflect.DeepEqual(got, want) {
		t.Errorf("%d things are there, want the %d of the last load", len(got), len(want))
	}
}

func (b *bench) broken(t *testing.T) {
	p, _ := estate(t, 60)
	g := b.open(t)
	write(t, g, p)
	goal := p.Network.Goals[slices.IndexFunc(p.Network.Goals, func(goal attackpath.Goal) bool {
		found, err := g.Paths(t.Context(), attackpath.Question{To: goal.Fact})
		return err == nil && len(found.Paths) > 0
	})].Fact
	b.ask(t, "MATCH (:State)-[r:LEADS_TO]->(x:Step)-[:LEADS_TO]->(:State {n: $n}) DELETE r", map[string]any{"n": int64(goal)})
	found, err := g.Paths(t.Context(), attackpath.Question{To: goal})
	if err != nil || found.Complete || !strings.Contains(found.Why, "somebody changed step") || len(found.Paths) > 0 {
		t.Errorf("%+v, %v", found, err)
	}
	if _, err := g.Backward(t.Context(), goal); fault.KindOf(err) != fault.KindUnavailable {
		t.Errorf("backward: %v", err)
	}
}

func (b *bench) errors(t *testing.T) {
	o := b.options()
	o.Password = "not the password"
	if _, err := neo4j.Open(t.Context(), o); fault.KindOf(err) != fault.KindDenied || !strings.Contains(err.Error(), "refuses the user name or the password") || strings.Contains(err.Error(), o.Password) {
		t.Errorf("wrong password: %v", err)
	}
	o = b.options()
	o.URL, o.User, o.Password = strings.Replace(b.URL, "://", "://neo4j:"+b.Password+"@", 1), "", ""
	g, err := neo4j.Open(t.Context(), o)
	if err != nil {
		t.Fatalf("login of the URL: %v", err)
	}
	g.Close(t.Context())
	o.URL = strings.Replace(o.URL, "bolt://", "bolt+s://", 1)
	if _, err := neo4j.Open(t.Context(), o); fault.KindOf(err) != fault.KindUnavailable {
		t.Errorf("TLS where there is none: %v", err)
	}
}

// many is the order's measure of a load.
func (b *bench) many(t *testing.T) {
	p, _ := estate(t, 2000)
	g := b.open(t)
	t.Logf("%d facts, %d actions", len(p.Network.Facts), len(p.Network.Actions))
	begun := time.Now()
	write(t, g, p)
	first := time.Since(begun)
	begun = time.Now()
	write(t, g, p)
	again := time.Since(begun)
	begun = time.Now()
	found, err := g.Paths(t.Context(), attackpath.Question{To: p.Network.Goals[0].Fact, K: 10})
	if err != nil || !found.Complete {
		t.Errorf("%+v, %v", found, err)
	}
	t.Logf("load %s, again %s, ten paths %s", first.Round(time.Millisecond), again.Round(time.Millisecond), time.Since(begun).Round(time.Millisecond))
	if n := len(p.Network.Actions); n < 10_000 || first > 2*time.Minute {
		t.Errorf("%d actions in %s", n, first)
	}
}

// documented runs every query of the page on the estate that is there.
func (b *bench) documented(t *testing.T) {
	page, err := os.ReadFile("../../../docs/neo4j.md")
	if err != nil {
		t.Fatal(err)
	}
	queries := cypherOf(string(page))
	if len(queries) < 8 {
		t.Fatalf("%d queries are documented", len(queries))
	}
	jewel := b.ask(t, "MATCH (a:Asset {jewel: true}) RETURN a.name ORDER BY a.p DESC LIMIT 1", nil)[0][0]
	for title, query := range queries {
		begun := time.Now()
		rows := b.ask(t, query, map[string]any{"jewel": jewel, "host": jewel, "site": "s001", "weakness": b.ask(t, "MATCH (v:Vulnerability) WHERE v.p > 0 RETURN v.name LIMIT 1", nil)[0][0]})
		t.Logf("%s: %d rows in %s", title, len(rows), time.Since(begun).Round(time.Millisecond))
		if len(rows) == 0 {
			t.Errorf("%s finds nothing:\n%s", title, query)
		}
	}
}

// cypherOf are the queries of a page by the heading that stands before them.
func cypherOf(page string) map[string]string {
	out, title, inside := map[string]string{}, "", false
	for line := range strings.Lines(page) {
		switch {
		case strings.HasPrefix(line, "### "):
			title = strings.TrimSpace(line[4:])
		case strings.HasPrefix(line, "```cypher"):
			inside = true
		case strings.HasPrefix(line, "```"):
			inside = false
		case inside:
			out[title] += line
		}
	}
	return out
}

func TestURLs(t *testing.T) {
	for url, want := range map[string]string{
		"bolt://localhost": "", "bolt://127.0.0.1:7687": "", "bolt+s://neo4j:secret@graph.example:7687": "", "bolt://[::1]:7687/": "",
		"": "has the scheme", "http://localhost:7474": "has the scheme", "bolt+ssc://x": "has the scheme", "bolt+unix:///x": "has the scheme", "localhost:7687": "has the scheme",
		"neo4j://localhost": "would go wherever the server sends it", "bolt://": "names no host", "bolt://x/db": "more than a host", "bolt://x?a=b": "more than a host",
		"bolt://x:0": "has the port", "bolt://x:99999": "has the port", "bolt://u:hunter2@x y": "malformed",
	} {
		err := neo4j.CheckURL(url)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", url, err)
		case want != "" && (fault.KindOf(err) != fault.KindInvalid || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2")):
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
}

func TestNobodyAnswersOverTLSButWhomTheCertificateNames(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ReadHeaderTimeout = 100 * time.Millisecond // what comes is no header
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate()) // of example.com and 127.0.0.1
	url := strings.Replace(server.URL, "https://", "bolt+s://", 1)
	for name, tt := range map[string]struct {
		options neo4j.Options
		want    string
	}{
		"nobody knows who signed it": {neo4j.Options{URL: url}, "certificate signed by unknown authority"},
		"another name":               {neo4j.Options{URL: strings.Replace(url, "127.0.0.1", "localhost", 1), RootCAs: roots}, "not localhost"},
		"no Neo4j":                   {neo4j.Options{URL: url, RootCAs: roots}, "no Neo4j answers there"},
	} {
		_, err := neo4j.Open(t.Context(), tt.options)
		if fault.KindOf(err) != fault.KindUnavailable || !strings.Contains(err.Error(), tt.want) || name == "no Neo4j" && strings.Contains(err.Error(), "certificate") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNobodyAnswers(t *testing.T) {
	begun := time.Now()
	_, err := neo4j.Open(t.Context(), neo4j.Options{URL: "bolt://neo4j:hunter2@127.0.0.1:1"})
	if fault.KindOf(err) != fault.KindUnavailable || !strings.Contains(err.Error(), "bolt://127.0.0.1:1: no Neo4j answers there") || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
	if took := time.Since(begun); took > 15*time.Second {
		t.Errorf("it took %s", took)
	}
	if _, err := neo4j.Open(t.Context(), neo4j.Options{URL: "bolt://no-such-host.invalid"}); fault.KindOf(err) != fault.KindUnavailable {
		t.Error(err)
	}
}
