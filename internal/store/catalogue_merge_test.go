package store_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/match"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

// assigned is what the CVE List says: of a CVE that NVD has no rules for, of one that it has, and of one that it has
// not heard of.
func assigned() []*cve.Record {
	sshd := regresshion()
	return []*cve.Record{
		{ID: cve.NewID(2021, 41773), Source: "apache", Published: day.AddDate(-3, 0, 0), Modified: day, Title: "Path traversal in Apache HTTP Server 2.4.49",
			Description: "A change to path normalization lets requests leave the document root.", CWEs: []string{"CWE-22"},
			Metrics: []cve.Metric{{Version: "3.1", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", Score: 7.5, Provider: cve.ProviderADP}},
			Configurations: []cve.Node{{Matches: []cve.CPEMatch{{Vulnerable: true, Derived: true,
				Criteria: "cpe:2.3:a:apache:http_server:2.4.49:*:*:*:*:*:*:*"}}}}},
		{ID: sshd.ID, Source: "redhat", Published: sshd.Published, Modified: day, Title: "Race condition in sshd's signal handling",
			Configurations: []cve.Node{{Matches: []cve.CPEMatch{{Vulnerable: true, Criteria: "cpe:2.3:a:openbsd:openssh:9.9:*:*:*:*:*:*:*"}}}}},
		{ID: cve.NewID(2026, 4242), Source: "acme", Published: day, Modified: day, Description: "Not in NVD yet."},
	}
}

// unruled is what NVD says of the first of them: nothing about products.
func unruled() *cve.Record {
	return &cve.Record{ID: cve.NewID(2021, 41773), Status: "Deferred", Published: day.AddDate(-3, 0, 0), Modified: day.AddDate(0, 0, -9),
		Description: "A flaw was found in a change made to path normalization."}
}

// sources are the loads of one catalogue. Each must be loadable before or after every other.
func sources() map[string]func(*testing.T, *store.Store) {
	load := func(name string, sc *script, files ...string) func(*testing.T, *store.Store) {
		return func(t *testing.T, s *store.Store) {
			var all []feed.File
			for _, f := range files {
				all = append(all, sc.file(f, name, 1000))
			}
			if run := sync1(t, s, sc, false, all...); run.Status != feed.StatusOK {
				t.Fatalf("%s: %+v", name, run)
			}
		}
	}
	ssvc := intel.SSVC{CVE: cve.NewID(2021, 41773), Exploitation: "active", Automatable: "yes", TechnicalImpact: "total", Source: "cisa-adp", At: day}
	return map[string]func(*testing.T, *store.Store){
		"nvd": load("nvd", &script{feed: "nvd", files: map[string]func(feed.Sink) error{
			"nvdcve-2.0-2021.json": send(log4shell(), unruled()), "nvdcve-2.0-2024.json": send(regresshion())}},
			"nvdcve-2.0-2021.json", "nvdcve-2.0-2024.json"),
		"cvelist": load("cvelist", &script{feed: "cvelist", files: map[string]func(feed.Sink) error{"cve5.ndjson": func(sink feed.Sink) error {
			if err := send(assigned()...)(sink); err != nil {
				return err
			}
			return sink.SSVC(ssvc)
		}}}, "cve5.ndjson"),
		"acme": load("acme", &script{feed: "acme", files: map[string]func(feed.Sink) error{"ours.ndjson": send(
			&cve.Record{ID: cve.NewID(2024, 6387), Modified: day, ExploitedBy: []string{"acme"}, Description: "Seen at Acme."})}}, "ours.ndjson"),
		"kev": load("kev", &script{feed: "kev", files: map[string]func(feed.Sink) error{"kev.json": func(sink feed.Sink) error {
			return sink.KEV(intel.KEV{CVE: cve.NewID(2021, 44228), Added: day, Ransomware: true})
		}}}, "kev.json"),
		"epss": load("epss", &script{feed: "epss", files: map[string]func(feed.Sink) error{"epss_scores-2024-07-02.csv": func(sink feed.Sink) error {
			for id, score := range map[cve.ID]float64{cve.NewID(2021, 41773): 0.97, cve.NewID(2021, 44228): 0.94} {
				if err := sink.EPSS(intel.EPSS{CVE: id, Score: score, Percentile: 0.99, Date: day.AddDate(0, 0, 1)}); err != nil {
					return err
				}
			}
			return nil
		}}}, "epss_scores-2024-07-02.csv"),
		"exploitdb": load("exploitdb", &script{feed: "exploitdb", files: map[string]func(feed.Sink) error{"files_exploits.csv": func(sink feed.Sink) error {
			return sink.Exploit(intel.Exploit{CVE: cve.NewID(2021, 41773), Source: "exploitdb", Key: "EDB-50383", Kind: "webapps", Published: day})
		}}}, "files_exploits.csv"),
	}
}

var everyone = []cve.ID{cve.NewID(2021, 41773), cve.NewID(2021, 44228), cve.NewID(2024, 6387), cve.NewID(2026, 4242)}

// state is everything that a reader can see.
type state struct {
	Exploited []string
	Records   map[cve.ID]*cve.Record
	Facts     map[cve.ID]intel.Facts
	Orders    map[catalogue.Sort][]string
	Matches   []string
}

func look(t *testing.T, s *store.Store) (out state) {
	t.Helper()
	var err error
	if out.Records, err = s.Catalogue().CVEs(t.Context(), everyone); err != nil {
		t.Fatal(err)
	}
	if out.Facts, err = s.Catalogue().Facts(t.Context(), everyone); err != nil {
		t.Fatal(err)
	}
	out.Exploited = searchIDs(t, s, catalogue.Filter{Exploit: "any"})
	out.Orders = map[catalogue.Sort][]string{}
	for _, sort := range []catalogue.Sort{catalogue.SortDecision, catalogue.SortLikelihood, catalogue.SortScore, catalogue.SortDate} {
		out.Orders[sort] = searchIDs(t, s, catalogue.Filter{Sort: sort})
	}
	for _, name := range []string{"cpe:2.3:a:apache:http_server:2.4.49:*:*:*:*:*:*:*", "cpe:2.3:a:openbsd:openssh:9.9:*:*:*:*:*:*:*", "cpe:2.3:a:openbsd:openssh:9.7:*:*:*:*:*:*:*"} {
		r, err := match.New(s.Catalogue()).Host(t.Context(), []match.Subject{{CPE: name}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range r.Subjects[0].Matches {
			out.Matches = append(out.Matches, name+" "+m.CVE.String())
		}
	}
	return out
}

func TestSourcesMayArriveInAnyOrder(t *testing.T) {
	for engine, fresh := range map[string]func(testing.TB) *storetest.Engine{"sqlite": storetest.NewSQLite, "postgres": storetest.NewPostgres} {
		t.Run(engine, func(t *testing.T) { arriveInAnyOrder(t, fresh) })
	}
}

func arriveInAnyOrder(t *testing.T, fresh func(testing.TB) *storetest.Engine) {
	names := []string{"nvd", "cvelist", "acme", "kev", "epss", "exploitdb"}
	var want state
	rounds := 5
	if testing.Short() {
		rounds = 2
	}
	for round := range rounds {
		s := fresh(t).Open(t)
		load := sources()
		for _, name := range names {
			load[name](t, s)
		}
		got := look(t, s)
		if round == 0 {
			want = got
			checkMerged(t, got)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("in the order %v (-want +got):\n%s", names, diff)
		}
		rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	}
}

func checkMerged(t *testing.T, s state) {
	t.Helper()
	path := s.Records[cve.NewID(2021, 41773)]
	if path.Title != "Path traversal in Apache HTTP Server 2.4.49" || path.Status != "Deferred" || len(path.Configurations) != 1 {
		t.Errorf("CVE-2021-41773 is %+v", path)
	}
	want := []string{
		"cpe:2.3:a:apache:http_server:2.4.49:*:*:*:*:*:*:* CVE-2021-41773", // NVD has no rule, the CVE List has
		"cpe:2.3:a:openbsd:openssh:9.7:*:*:*:*:*:*:* CVE-2024-6387",        // NVD's rule, and not the other's
	}
	if diff := cmp.Diff(want, s.Matches); diff != "" {
		t.Errorf("matches (-want +got):\n%s", diff)
	}
	if f := s.Facts[cve.NewID(2021, 41773)]; f.SSVC == nil || f.SSVC.Exploitation != "active" || len(f.Exploits) != 1 {
		t.Errorf("facts of CVE-2021-41773: %+v", f)
	}
	for sort, want := range map[catalogue.Sort][]string{
		catalogue.SortLikelihood: {"CVE-2021-41773", "CVE-2021-44228"},
		catalogue.SortDate:       {"CVE-2026-4242", "CVE-2024-6387", "CVE-2021-44228", "CVE-2021-41773"},
	} {
		if got := s.Orders[sort]; len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
			t.Errorf("by %s: %v, want %v first", sort, got, want)
		}
	}
	if last := s.Orders[catalogue.SortScore]; len(last) != 4 {
		t.Errorf("by score: %v: one whose score is not known is missing", last)
	}
}

func searchIDs(t *testing.T, s *store.Store, f catalogue.Filter) []string {
	t.Helper()
	page, err := s.Catalogue().Search(t.Context(), f)
	if err != nil {
		t.Fatalf("%+v: %v", f, err)
	}
	ids := []string{}
	for _, h := range page.Hits {
		ids = append(ids, h.Record.ID.String())
	}
	return ids
}

func TestASourceThatForgetsACVELeavesWhatOthersSay(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s := e.Open(t)
		load := sources()
		load["nvd"](t, s)
		load["cvelist"](t, s)
		nvd := &script{feed: "nvd", files: map[string]func(feed.Sink) error{
			"nvdcve-2.0-2021.json": send(log4shell()), "nvdcve-2.0-2024.json": send(regresshion())}}
		// One file changed and one did not, so this goes in place.
		run := sync1(t, s, nvd, true, nvd.file("nvdcve-2.0-2021.json", "later", 10), nvd.file("nvdcve-2.0-2024.json", "nvd", 1000))
		if run.Status != feed.StatusOK {
			t.Fatalf("%+v", run)
		}
		r, err := s.Catalogue().CVE(t.Context(), cve.NewID(2021, 41773))
		if err != nil || r.Source != "apache" || r.Status != "" {
			t.Fatalf("CVE-2021-41773 after NVD has dropped it: %+v, %v", r, err)
		}
		packs, err := s.Catalogue().Packs(t.Context(), []cpe.Product{{Part: 'a', Vendor: "apache", Product: "http_server"}})
		if err != nil || packs[0] == nil {
			t.Errorf("its rule is gone too: %v", err)
		}
	})
}

func TestSearchesNarrowAndSort(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s := e.Open(t)
		load, names := sources(), []string{"nvd", "cvelist", "acme", "kev", "epss", "exploitdb"}
		rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		t.Logf("in the order %v", names)
		for _, name := range names {
			load[name](t, s)
		}
		path, log, ssh := "CVE-2021-41773", "CVE-2021-44228", "CVE-2024-6387"
		for name, c := range map[string]struct {
			filter catalogue.Filter
			want   []string
		}{
			"a weakness":                {catalogue.Filter{CWE: "cwe-22"}, []string{path}},
			"ransomware":                {catalogue.Filter{Ransomware: true}, []string{log}},
			"severities":                {catalogue.Filter{Severities: []string{"critical", "unknown"}}, []string{"CVE-2026-4242", log}},
			"a band of scores":          {catalogue.Filter{MinCVSS: floor(7), MaxCVSS: floor(8.5)}, []string{ssh, path}},
			"a bound of EPSS":           {catalogue.Filter{MinEPSS: floor(0.95)}, []string{path}},
			"an upper bound of EPSS":    {catalogue.Filter{MaxEPSS: floor(0.95)}, []string{log}},
			"any exploit":               {catalogue.Filter{Exploit: "any"}, []string{path}},
			"a kind of exploit":         {catalogue.Filter{Exploit: "webapps"}, []string{path}},
			"another kind":              {catalogue.Filter{Exploit: "local"}, []string{}},
			"published from":            {catalogue.Filter{PublishedFrom: day}, []string{"CVE-2026-4242", ssh}},
			"published before":          {catalogue.Filter{PublishedTo: day}, []string{log, path}},
			"modified before":           {catalogue.Filter{ModifiedTo: day}, []string{}},
			"a product by version":      {catalogue.Filter{CPE: "cpe:2.3:a:openbsd:openssh:9.7:*:*:*:*:*:*:*"}, []string{ssh}},
			"a version not affected":    {catalogue.Filter{CPE: "cpe:2.3:a:openbsd:openssh:9.8:*:*:*:*:*:*:*"}, []string{}},
			"a product of any version":  {catalogue.Filter{CPE: "cpe:2.3:a:openbsd:openssh:*:*:*:*:*:*:*:*"}, []string{ssh}},
			"by decision, within words": {catalogue.Filter{Words: "path", Sort: catalogue.SortDecision}, []string{path}},
		} {
			if got := searchIDs(t, s, c.filter); !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
	})
}

func TestEveryOrderPagesWithoutGapOrRepeat(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s := e.Open(t)
		sc := &script{feed: "nvd", files: map[string]func(feed.Sink) error{"nvdcve-2.0-2020.json": send(manyMade(60)...)}}
		sync1(t, s, sc, false, sc.file("nvdcve-2.0-2020.json", "1", 10))
		for _, sort := range []catalogue.Sort{catalogue.SortDecision, catalogue.SortLikelihood, catalogue.SortScore, catalogue.SortDate} {
			whole := searchIDs(t, s, catalogue.Filter{Sort: sort, Limit: 1000})
			var paged []string
			f := catalogue.Filter{Sort: sort, Limit: 7}
			for {
				page, err := s.Catalogue().Search(t.Context(), f)
				if err != nil {
					t.Fatal(err)
				}
				for _, h := range page.Hits {
					paged = append(paged, h.Record.ID.String())
				}
				if f.After = page.Next; f.After == "" {
					break
				}
			}
			if !slices.Equal(whole, paged) || len(whole) != 60 {
				t.Errorf("by %s: %d in pages, %d at once", sort, len(paged), len(whole))
			}
		}
	})
}

func TestAFilterThatCannotBeMeantIsRefused(t *testing.T) {
	s := storetest.NewSQLite(t).Open(t)
	for _, f := range []catalogue.Filter{
		{MinCVSS: floor(11)}, {MinEPSS: floor(0.9), MaxEPSS: floor(0.1)}, {Severities: []string{"huge"}}, {CWE: "CWE-x"}, {Exploit: "yes"},
		{Technique: "1190"}, {Sort: "size"}, {After: "date:1"}, {Sort: catalogue.SortScore, After: "date:1.2"}, {CPE: "openssh"},
	} {
		if _, err := s.Catalogue().Search(t.Context(), f); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%+v: %v", f, err)
		}
	}
}

// A CVE published within 30 days has a score that falls day by day without anything being loaded.
func TestScoresOfRecentCVEsFollowTheDays(t *testing.T) {
	s := storetest.NewSQLite(t).Open(t)
	now := day
	young, old := made(1), made(2)
	young.Published, old.Published = day, day.AddDate(-1, 0, 0)
	old.Metrics[0].Score = 6.5
	sc := &script{feed: "nvd", files: map[string]func(feed.Sink) error{"nvdcve-2.0-2020.json": send(young, old)}}
	syncer := catalogue.Syncer{Target: s.Catalogue(), Readers: []feed.Reader{sc}, Now: func() time.Time { return now }}
	sync := func() []string {
		t.Helper()
		if _, err := syncer.Sync(t.Context(), []feed.Gathered{{Feed: "nvd", Files: []feed.File{sc.file("nvdcve-2.0-2020.json", "1", 10)}}}); err != nil {
			t.Fatal(err)
		}
		return searchIDs(t, s, catalogue.Filter{Sort: catalogue.SortScore})
	}
	if got := sync(); got[0] != young.ID.String() {
		t.Errorf("on the day of publication: %v", got)
	}
	now = day.AddDate(0, 0, 29)
	if got := sync(); got[0] != old.ID.String() {
		t.Errorf("29 days later: %v", got)
	}
}
