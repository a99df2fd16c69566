package retrieve_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/assistant/index"
	"github.com/patchscout/patchscout/internal/assistant/retrieve"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/catalogue/find"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

var day = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// house is an estate with what searches it.
type house struct {
	t   testing.TB
	s   *store.Store
	e   *store.Estate
	f   *retrieve.Finder
	dir string
}

func newHouse(t testing.TB, engine *storetest.Engine) *house {
	t.Helper()
	s, dir := engine.Open(t), t.TempDir()
	h := &house{t: t, s: s, e: s.Estate(), dir: dir}
	h.f = h.finder(s)
	for _, site := range []string{"office", "plant"} {
		if _, _, err := h.e.CreateSite(t.Context(), asset.Site{Name: site}); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

var testPages = fstest.MapFS{"scan.md": {Data: []byte("# Scanning\nHow to scan.\n\n## Ports and speed\nPorts are chosen with `--ports`.\n```\n# no heading\n```\n")}}

func (h *house) finder(s *store.Store) *retrieve.Finder {
	f := find.New(s.Catalogue(), filepath.Join(h.dir, "cves"))
	r := retrieve.New(retrieve.Config{CVEs: f, Catalogue: s.Catalogue(), Estate: s.Estate(), Pages: testPages, Dir: h.dir})
	h.t.Cleanup(func() {
		if err := r.Close(); err != nil {
			h.t.Error(err)
		}
		if err := f.Close(); err != nil {
			h.t.Error(err)
		}
	})
	return r
}

func (h *house) update(fn func(context.Context, *store.EstateTx) error) {
	h.t.Helper()
	if err := h.e.Update(h.t.Context(), func(tx *store.EstateTx) error { return fn(h.t.Context(), tx) }); err != nil {
		h.t.Fatal(err)
	}
}

// host adds a host with a service.
func (h *house) host(site, address, name, product string) int64 {
	h.t.Helper()
	host := &asset.Host{Site: site, FirstSeen: day, LastSeen: day, OS: "Linux", Tags: []string{"pci"}, Owner: "anna", Status: "up", Identifiers: []asset.Identifier{
		{Kind: asset.Address, Value: address, Source: "nmap", FirstSeen: day, LastSeen: day}, {Kind: asset.Name, Value: name, Source: "nmap", FirstSeen: day, LastSeen: day}}}
	h.update(func(ctx context.Context, tx *store.EstateTx) error {
		if err := tx.SaveHost(ctx, host); err != nil {
			return err
		}
		service := &asset.Service{HostID: host.ID, Protocol: "tcp", Port: 80}
		service.Hear(asset.Said{Sensor: "nmap", Scan: 1, At: day, Name: "http", Product: product, Version: "1.2"})
		return tx.SaveService(ctx, service)
	})
	return host.ID
}

func newFinding(site string, host int64, weakness, title, output string) *finding.Finding {
	f := &finding.Finding{Fingerprint: finding.Fingerprint{Site: site, HostID: host, Protocol: "tcp", Port: 80, Weakness: finding.Weakness(weakness)},
		Rating: finding.Rating{Severity: "high", Decision: "act", RankKey: "1"}}
	f.Evidence = []finding.Evidence{{Sensor: "nmap", Check: finding.VersionCheck, FirstSeen: day, LastSeen: day, FirstScan: 1, LastScan: 1,
		Status: finding.Affected, Confidence: 80, Output: output, Title: title}}
	f.Derive()
	f.Life = finding.Fold(f, nil)
	return f
}

func (h *house) finding(site string, host int64, weakness, title, output string) int64 {
	h.t.Helper()
	f := newFinding(site, host, weakness, title, output)
	h.update(func(ctx context.Context, tx *store.EstateTx) error { return tx.SaveFinding(ctx, f, nil) })
	return f.ID
}

func (h *house) refresh() {
	h.t.Helper()
	if err := h.f.Refresh(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) ask(kind retrieve.Kind, text string, view auth.View, exact ...string) ([]string, retrieve.Found) {
	h.t.Helper()
	return askWith(h.t, h.f, kind, text, view, exact...)
}

func askWith(t testing.TB, f *retrieve.Finder, kind retrieve.Kind, text string, view auth.View, exact ...string) ([]string, retrieve.Found) {
	t.Helper()
	found, err := f.Search(t.Context(), retrieve.Query{Text: text, Kinds: []retrieve.Kind{kind}, View: view, Limit: 20, Exact: exact})
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{}
	for _, p := range found.Passages[kind] {
		ids = append(ids, p.ID)
	}
	return ids, found
}

func same(ids []string, want ...int64) bool {
	texts := []string{}
	for _, w := range want {
		texts = append(texts, strconv.FormatInt(w, 10))
	}
	return slices.Equal(ids, texts)
}

var all = auth.Everything()

func TestANewFindingIsFoundByTheNextQuestion(t *testing.T) {
	storetest.Run(t, func(t *testing.T, engine *storetest.Engine) {
		h := newHouse(t, engine)
		web := h.host("office", "10.0.0.1", "web.example", "nginx")
		if ids, found := h.ask(retrieve.Finding, "smuggling", all); len(ids) > 0 || !found.Behind || len(found.Notes) == 0 {
			t.Errorf("%v, %+v: want a word that there is no index", ids, found)
		}
		h.refresh()
		old := h.finding("office", web, "CVE-2024-1111", "Request smuggling in a proxy", "Server: nginx/1.2")
		ids, found := h.ask(retrieve.Finding, "smuggling gadgets", all)
		if !same(ids, old) || found.Behind || found.Words != 1 || !slices.Equal(found.Unknown, []string{"gadgets"}) {
			t.Fatalf("%v, %+v", ids, found)
		}
		if p := found.Passages[retrieve.Finding][0]; p.Score <= 0 || p.Score >= 0.7 || p.Part >= 0.7 || p.Words != 1 || !strings.Contains(p.Text, "web.example") || !p.At.Equal(day) {
			t.Errorf("%+v: of two words it holds the one that is known", p)
		}
		// What is said of it now is found, what was said is not.
		f := newFinding("office", web, "CVE-2024-1111", "Request smuggling in a proxy", "Server: tengine")
		h.update(func(ctx context.Context, tx *store.EstateTx) error {
			h, err := tx.Findings(ctx, []int64{web})
			if err != nil {
				return err
			}
			one := h[0]
			one.Evidence[0].Output, one.Evidence[0].LastSeen = f.Evidence[0].Output, day.Add(time.Hour)
			return tx.SaveFinding(ctx, one, nil)
		})
		if ids, _ := h.ask(retrieve.Finding, "tengine", all); !same(ids, old) {
			t.Errorf("new evidence is not found: %v", ids)
		}
		if ids, _ := h.ask(retrieve.Host, "who owns the nginx of anna", all); !same(ids, web) {
			t.Errorf("hosts by software and owner: %v", ids)
		}
		if ids, _ := h.ask(retrieve.Finding, "smuggling", all, "web.example"); !same(ids, old) {
			t.Errorf("with a word that must be held: %v", ids)
		}
		if ids, _ := h.ask(retrieve.Finding, "smuggling", all, "mail.example"); len(ids) != 0 {
			t.Errorf("without a word that must be held: %v", ids)
		}
	})
}

func TestWhatOneMayNotSeeIsNeitherFoundNorCounts(t *testing.T) {
	storetest.Run(t, func(t *testing.T, engine *storetest.Engine) {
		h := newHouse(t, engine)
		web, gate := h.host("office", "10.0.0.1", "web.example", "nginx"), h.host("office", "10.0.0.2", "gate.example", "haproxy")
		h.finding("office", web, "CVE-2024-1", "Smuggling through a proxy", "")
		h.finding("office", gate, "CVE-2024-2", "Overflow in a parser", "")
		h.finding("office", gate, "CVE-2024-3", "Proxy without a password", "")
		h.refresh()
		office := auth.OfSites("office")
		ids, before := h.ask(retrieve.Finding, "overflow smuggling proxy turbine", office)

		plc := h.host("plant", "10.9.0.1", "plc.plant", "turbine")
		for i := range 40 { // overflow is rare in the office and not in the plant
			h.finding("plant", plc, fmt.Sprint("CVE-2023-", 1000+i), "Overflow of a turbine", "")
		}
		again, after := h.ask(retrieve.Finding, "overflow smuggling proxy turbine", office)
		if !slices.Equal(ids, again) || len(ids) != 3 {
			t.Errorf("%v before the plant has findings, %v after", ids, again)
		}
		for i, p := range before.Passages[retrieve.Finding] {
			if q := after.Passages[retrieve.Finding][i]; p.Score != q.Score || p.Part != q.Part {
				t.Errorf("the plant moves what the office sees: %+v, %+v", p, q)
			}
		}
		if !slices.Equal(after.Unknown, []string{"turbine"}) {
			t.Errorf("unknown: %v; that there are turbines is not for the office's eyes", after.Unknown)
		}
		if ids, _ := h.ask(retrieve.Finding, "turbine overflow", all); len(ids) != 20 {
			t.Errorf("%d of 41 for everybody", len(ids))
		}
		for _, kind := range []retrieve.Kind{retrieve.Finding, retrieve.Host, retrieve.Scan} {
			if ids, _ := h.ask(kind, "smuggling proxy nginx turbine office plant", auth.View{}); len(ids) != 0 {
				t.Errorf("%s: who sees nothing sees %v", kind, ids)
			}
		}
		if ids, _ := h.ask(retrieve.Host, "turbine nginx", office); !same(ids, web) {
			t.Errorf("hosts: %v", ids)
		}
	})
}

func TestWhatIsGoneIsNotFound(t *testing.T) {
	storetest.Run(t, func(t *testing.T, engine *storetest.Engine) {
		h := newHouse(t, engine)
		web, gate := h.host("office", "10.0.0.1", "web.example", "nginx"), h.host("office", "10.0.0.2", "gate.example", "haproxy")
		h.finding("office", web, "CVE-2024-1", "Smuggling through a proxy", "")
		kept := h.finding("office", gate, "CVE-2024-1", "Smuggling through a proxy", "")
		other := h.finding("office", gate, "CVE-2024-2", "Overflow", "")
		h.refresh()
		h.update(func(ctx context.Context, tx *store.EstateTx) error { return tx.DeleteHost(ctx, web) })
		h.update(func(ctx context.Context, tx *store.EstateTx) error { return tx.DeleteFindings(ctx, []int64{other}) })
		if ids, _ := h.ask(retrieve.Finding, "smuggling overflow", all); !same(ids, kept) {
			t.Errorf("findings: %v", ids)
		}
		if ids, _ := h.ask(retrieve.Host, "example", all); !slices.Contains(ids, fmt.Sprint(gate)) && len(ids) != 1 {
			t.Errorf("hosts: %v", ids)
		}
		if parts := h.f.State(t.Context()); parts[1].Records != 1 || !parts[1].Current || parts[2].Records != 1 {
			t.Errorf("%+v: want what is left", parts)
		}
	})
}

func TestFindingsThatSayTheSameStandBehindOthers(t *testing.T) {
	h := newHouse(t, storetest.NewSQLite(t))
	for i := range 10 {
		h.finding("office", h.host("office", fmt.Sprint("10.0.0.", i+1), fmt.Sprint("w", i), "nginx"), "CVE-2024-1", "Smuggling smuggling proxy", "")
	}
	last := h.finding("office", h.host("office", "10.0.1.1", "w", "nginx"), "CVE-2024-2", "Another way of smuggling past what stands in front", "")
	h.refresh()
	ids, _ := h.ask(retrieve.Finding, "smuggling", all)
	if at := slices.Index(ids, fmt.Sprint(last)); len(ids) != 11 || at < 0 || at > 2 {
		t.Errorf("%v: want %d after two of the others", ids, last)
	}
}

func TestProcessesShareIndexes(t *testing.T) {
	storetest.Run(t, func(t *testing.T, engine *storetest.Engine) {
		h := newHouse(t, engine)
		web := h.host("office", "10.0.0.1", "web.example", "nginx")
		h.refresh()
		other := h.finder(engine.Open(t))
		first := h.finding("office", web, "CVE-2024-1", "Smuggling", "")
		if ids, _ := askWith(t, other, retrieve.Finding, "smuggling", all); !same(ids, first) {
			t.Errorf("another process does not find what this one wrote: %v", ids)
		}
		if ids, _ := h.ask(retrieve.Finding, "smuggling", all); !same(ids, first) {
			t.Errorf("what another process indexed is not found: %v", ids)
		}
		second := h.finding("office", web, "CVE-2024-2", "Another smuggling thing", "")
		for _, f := range []*retrieve.Finder{h.f, other} {
			if ids, _ := askWith(t, f, retrieve.Finding, "smuggling", all); len(ids) != 2 || !slices.Contains(ids, fmt.Sprint(second)) {
				t.Errorf("%v", ids)
			}
		}
	})
}

func TestDamagedAndLostIndexesAreMadeAnew(t *testing.T) {
	h := newHouse(t, storetest.NewSQLite(t))
	web := h.host("office", "10.0.0.1", "web.example", "nginx")
	one := h.finding("office", web, "CVE-2024-1", "Smuggling", "")
	h.refresh()
	if ids, _ := h.ask(retrieve.Finding, "smuggling", all); !same(ids, one) {
		t.Fatal(ids)
	}
	folder := filepath.Join(h.dir, "estate", "finding")
	for name, damage := range map[string]func(path string) error{
		"removed": os.RemoveAll,
		"a manifest of something else": func(path string) error {
			return eachFile(path, "manifest", func(file string) error { return os.WriteFile(file, []byte("nonsense"), 0o600) })
		},
		"a segment that is gone": func(path string) error { return eachFile(path, "seg-", os.Remove) },
	} {
		if err := damage(folder); err != nil {
			t.Fatal(err)
		}
		fresh := h.finder(h.s)
		if _, found := askWith(t, fresh, retrieve.Finding, "smuggling", all); !found.Behind {
			t.Errorf("%s: nobody says that there is no index", name)
		}
		if err := fresh.Refresh(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if ids, found := askWith(t, fresh, retrieve.Finding, "smuggling", all); !same(ids, one) || found.Behind {
			t.Errorf("%s: %v", name, ids)
		}
	}
}

func eachFile(dir, prefix string, fn func(string) error) error {
	return filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasPrefix(d.Name(), prefix) {
			err = fn(path)
		}
		return err
	})
}

func TestPagesAreFoundByTheirHeadings(t *testing.T) {
	h := newHouse(t, storetest.NewSQLite(t))
	ids, found := h.ask(retrieve.Doc, "how do I choose ports", auth.View{})
	if len(ids) == 0 || ids[0] != "scan.md#ports-and-speed" {
		t.Fatalf("%v, notes %v", ids, found.Notes)
	}
	if p := found.Passages[retrieve.Doc][0]; p.Title != "Scanning: Ports and speed" || !strings.Contains(p.Text, "# no heading") {
		t.Errorf("%+v", p)
	}
}

func TestNothingIsOpenedBeforeTheFirstQuestion(t *testing.T) {
	h := newHouse(t, storetest.NewSQLite(t))
	if entries, err := os.ReadDir(h.dir); err != nil || len(entries) != 0 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestPagesThatWereRewrittenAreReadAnew(t *testing.T) {
	h := newHouse(t, storetest.NewSQLite(t))
	for heading, words := range map[string]string{"Speed": "gallop slowly", "Ports": "gallop through ports"} {
		pages := fstest.MapFS{"a.md": {Data: []byte("# First\n\nNothing of it.\n")}, "scan.md": {Data: []byte("# Scanning\n\n## " + heading + "\n" + words + "\n\n" + strings.Repeat("More is said.\n\n", 200))}}
		f := retrieve.New(retrieve.Config{CVEs: find.New(h.s.Catalogue(), h.dir), Catalogue: h.s.Catalogue(), Estate: h.e, Pages: pages, Dir: h.dir})
		ids, found := askWith(t, f, retrieve.Doc, "how do I gallop", all)
		if !slices.Equal(ids, []string{"scan.md#" + strings.ToLower(heading)}) || len(found.Passages[retrieve.Doc][0].Text) > 1300 {
			t.Errorf("%v", ids)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestWordsOfQuestionsDoNotCount(t *testing.T) {
	h := newHouse(t, storetest.NewSQLite(t))
	web := h.host("office", "10.0.0.1", "web.example", "nginx")
	one := h.finding("office", web, "CVE-2024-1", "Smuggling", "")
	h.finding("office", web, "CVE-2024-2", "What is it that you do here", "")
	h.refresh()
	ids, found := h.ask(retrieve.Finding, "What is it that you do about smuggling?", all)
	if !same(ids, one) || found.Words != 1 {
		t.Errorf("%v, %+v", ids, found)
	}
}

// late is a model that takes its time, or fails.
type late struct {
	wait time.Duration
	err  error
}

func (late) Name() string    { return "late" }
func (late) Dimensions() int { return 2 }
func (l late) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	time.Sleep(l.wait) // whatever the context says
	return [][]float32{{1, 0}}, l.err
}

// near finds one key.
type near struct {
	index.Index
	key    int64
	groups []int64
}

func (n *near) Search(_ context.Context, _ []float32, _ int, groups []int64) ([]index.Hit, error) {
	n.groups = groups
	if !slices.Contains(groups, n.key>>39) {
		return nil, nil
	}
	return []index.Hit{{Key: n.key, Cosine: 0.9}}, nil
}

func TestWhatIsNearIsFoundBesideWords(t *testing.T) {
	h := newHouse(t, storetest.NewSQLite(t))
	web := h.host("office", "10.0.0.1", "web.example", "nginx")
	words := h.finding("office", web, "CVE-2024-1", "Smuggling", "")
	means := h.finding("office", web, "CVE-2024-2", "Requests are taken for others", "")
	h.refresh()
	texts, err := h.e.TextsSeen(t.Context(), all, finding.TextFinding, []int64{means})
	if err != nil || len(texts) != 1 {
		t.Fatal(texts, err)
	}
	vectors := &near{key: retrieve.Key(retrieve.Finding, texts[0].Site, means)}
	finder := func(weight float64, model late) *retrieve.Finder {
		f := retrieve.New(retrieve.Config{CVEs: find.New(h.s.Catalogue(), h.dir), Catalogue: h.s.Catalogue(), Estate: h.e, Dir: h.dir,
			Weights: map[retrieve.Kind]float64{retrieve.Finding: weight},
			Meaning: func(context.Context) (*retrieve.Meaning, error) {
				return &retrieve.Meaning{Embed: model, Vectors: vectors, Kinds: retrieve.Embedded}, nil
			}})
		t.Cleanup(func() {
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		})
		return f
	}
	if ids, _ := askWith(t, finder(0, late{}), retrieve.Finding, "smuggling", all); !same(ids, words) {
		t.Errorf("without weight: %v", ids)
	}
	for weight, want := range map[float64][]int64{0.2: {words, means}, 0.9: {means, words}} {
		ids, found := askWith(t, finder(weight, late{}), retrieve.Finding, "smuggling", all)
		if !same(ids, want...) || len(found.Notes) > 0 {
			t.Errorf("weight %g: %v, %v", weight, ids, found.Notes)
		}
	}
	if ids, _ := askWith(t, finder(0.5, late{}), retrieve.Finding, "smuggling", auth.OfSites("plant")); len(ids) > 0 {
		t.Errorf("another site: %v", ids)
	}
	for name, model := range map[string]late{"slow": {wait: 3 * time.Second}, "broken": {err: context.DeadlineExceeded}} {
		begun := time.Now()
		ids, found := askWith(t, finder(0.5, model), retrieve.Finding, "smuggling", all)
		if !same(ids, words) || !slices.Contains(found.Notes, retrieve.NoteEmbed) || time.Since(begun) > 2*time.Second {
			t.Errorf("%s: %v, %v after %s", name, ids, found.Notes, time.Since(begun))
		}
	}
}
