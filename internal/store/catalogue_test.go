package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/catalogue/starter"
	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/match"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

// script is a feed.Reader whose files are written by the test: what it sends for a file is a function.
type script struct {
	feed  string
	files map[string]func(feed.Sink) error
}

func (s *script) Feed() string { return s.feed }

func (s *script) Read(_ context.Context, f feed.File, r io.Reader, sink feed.Sink) error {
	if _, err := io.Copy(io.Discard, r); err != nil {
		return err
	}
	return s.files[f.Name](sink)
}

// file describes one; the checksum is what tells versions of it apart.
func (s *script) file(name, checksum string, size int64) feed.File {
	return feed.File{Feed: s.feed, Name: name, Checksum: checksum, Size: size,
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(checksum)), nil }}
}

// sync loads files of one feed and returns its run.
func sync1(t *testing.T, s *store.Store, sc *script, force bool, files ...feed.File) feed.Run {
	t.Helper()
	syncer := catalogue.Syncer{Target: s.Catalogue(), Readers: []feed.Reader{sc}, Force: force}
	runs, err := syncer.Sync(t.Context(), []feed.Gathered{{Feed: sc.feed, Source: "a test", Files: files}})
	if err != nil {
		t.Fatal(err)
	}
	return runs[0]
}

func send(records ...*cve.Record) func(feed.Sink) error {
	return func(sink feed.Sink) error {
		for _, r := range records {
			own := *r // a sink owns what it is given
			if err := sink.CVE(&own); err != nil {
				return err
			}
		}
		return nil
	}
}

var day = time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC)

func openssh(start, end string) cve.CPEMatch {
	return cve.CPEMatch{Vulnerable: true, Criteria: "cpe:2.3:a:openbsd:openssh:*:*:*:*:*:*:*:*", StartIncluding: start, EndExcluding: end}
}

func regresshion() *cve.Record {
	return &cve.Record{
		ID: cve.NewID(2024, 6387), Status: "Modified", Published: day, Modified: day.AddDate(0, 0, 5), CWEs: []string{"CWE-364"},
		Description:    "A signal handler of sshd calls functions that are not async-signal-safe.",
		Metrics:        []cve.Metric{{Version: "3.1", Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H", Score: 8.1, Source: "secalert@redhat.com", Provider: cve.ProviderCNA}},
		Configurations: []cve.Node{{Matches: []cve.CPEMatch{openssh("8.6", "9.8")}}},
	}
}

func log4shell() *cve.Record {
	return &cve.Record{
		ID: cve.NewID(2021, 44228), Status: "Analyzed", Published: time.Date(2021, 12, 10, 0, 0, 0, 0, time.UTC),
		Modified: time.Date(2025, 4, 3, 0, 0, 0, 0, time.UTC), CWEs: []string{"CWE-917"},
		Description: "JNDI lookups in log messages load code from servers that the attacker names.",
		Metrics:     []cve.Metric{{Version: "3.1", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", Score: 10, Source: "nvd@nist.gov", Provider: cve.ProviderNVD}},
		Configurations: []cve.Node{{Matches: []cve.CPEMatch{
			{Vulnerable: true, Criteria: "cpe:2.3:a:apache:log4j:*:*:*:*:*:*:*:*", StartIncluding: "2.13.0", EndExcluding: "2.15.0"}}}},
	}
}

// made is a record of a made-up product, for tests that need many.
func made(n int) *cve.Record {
	return &cve.Record{
		ID: cve.NewID(2020, uint32(1000+n)), Status: "Analyzed", Published: day.AddDate(-4, 0, n%300), Modified: day,
		Description: fmt.Sprintf("Weakness number %d of widget%d.", n, n%17), CWEs: []string{"CWE-79"},
		Metrics: []cve.Metric{{Version: "3.1", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", Score: 6.1, Provider: cve.ProviderNVD}},
		Configurations: []cve.Node{{Matches: []cve.CPEMatch{{Vulnerable: true,
			Criteria: fmt.Sprintf("cpe:2.3:a:acme:widget%d:*:*:*:*:*:*:*:*", n%17), EndExcluding: fmt.Sprintf("1.%d", n)}}}},
	}
}

func manyMade(n int) []*cve.Record {
	out := make([]*cve.Record, n)
	for i := range out {
		out[i] = made(i)
	}
	return out
}

func packed(t *testing.T, s *store.Store, vendor, product string) []cve.ID {
	t.Helper()
	packs, err := s.Catalogue().Packs(t.Context(), []cpe.Product{{Part: 'a', Vendor: vendor, Product: product}})
	if err != nil {
		t.Fatal(err)
	}
	if packs[0] == nil {
		return nil
	}
	ids, err := match.CVEs(packs[0])
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func searched(t *testing.T, s *store.Store, f catalogue.Filter) []string {
	t.Helper()
	page, err := s.Catalogue().Search(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{}
	for _, h := range page.Hits {
		ids = append(ids, h.Record.ID.String())
	}
	return ids
}

func wantRun(t *testing.T, got feed.Run, status feed.Status, inserted, updated, unchanged int) {
	t.Helper()
	if got.Status != status || got.Inserted != inserted || got.Updated != updated || got.Unchanged != unchanged {
		t.Errorf("run = %s, %d inserted, %d updated, %d unchanged (%s); want %s, %d, %d, %d",
			got.Status, got.Inserted, got.Updated, got.Unchanged, got.Error, status, inserted, updated, unchanged)
	}
	if got.Seen != got.Inserted+got.Updated+got.Unchanged+got.Rejected {
		t.Errorf("run does not add up: %+v", got)
	}
}

func TestFullLoadCanBeReadEveryWay(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s, ctx := e.Open(t), t.Context()
		nvd := &script{feed: "nvd", files: map[string]func(feed.Sink) error{"nvdcve-2.0-2024.json": func(sink feed.Sink) error {
			sink.Reject("nvdcve-2.0-2024.json record 3", "malformed date")
			return send(regresshion(), log4shell())(sink)
		}}}
		run := sync1(t, s, nvd, false, nvd.file("nvdcve-2.0-2024.json", "a", 100))
		wantRun(t, run, feed.StatusOK, 2, 0, 0)
		if run.Rejected != 1 || run.Reasons[0].Reason != "malformed date" {
			t.Errorf("rejections = %+v", run.Reasons)
		}
		kev := &script{feed: "kev", files: map[string]func(feed.Sink) error{"kev.json": func(sink feed.Sink) error {
			return sink.KEV(intel.KEV{CVE: log4shell().ID, Vendor: "Apache", Product: "Log4j2", Added: day, Ransomware: true})
		}}}
		wantRun(t, sync1(t, s, kev, false, kev.file("kev.json", "k", 1)), feed.StatusOK, 1, 0, 0)

		got, err := s.Catalogue().CVE(ctx, regresshion().ID)
		if err != nil {
			t.Fatal(err)
		}
		want := regresshion()
		want.Title = "OpenSSH 8.6 to before 9.8: signal handler race condition, remote code execution, CVSS 8.1"
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("record (-want +got):\n%s", diff)
		}
		if _, err := s.Catalogue().CVE(ctx, cve.NewID(1999, 1)); fault.KindOf(err) != fault.KindNotFound {
			t.Errorf("unknown CVE: %v, want not found", err)
		}
		if ids := packed(t, s, "openbsd", "openssh"); !slices.Equal(ids, []cve.ID{regresshion().ID}) {
			t.Errorf("OpenSSH's pack names %v", ids)
		}
		facts, err := s.Catalogue().Facts(ctx, []cve.ID{log4shell().ID, regresshion().ID})
		if err != nil || facts[log4shell().ID].KEV == nil || !facts[log4shell().ID].KEV.Ransomware || facts[regresshion().ID].KEV != nil {
			t.Errorf("facts = %+v, %v", facts, err)
		}
		stats, err := s.Catalogue().Stats(ctx)
		if err != nil || stats.Records != 2 || !stats.Newest.Equal(log4shell().Modified) || !stats.Starter.IsZero() {
			t.Errorf("stats = %+v, %v", stats, err)
		}
		status, err := feedsByName(ctx, s)
		if err != nil || status["nvd"].Records != 2 || !status["nvd"].Synced() || !status["kev"].Synced() || status["epss"].Synced() {
			t.Errorf("feeds = %+v, %v", status, err)
		}
	})
}

func TestSearch(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s := e.Open(t)
		nvd := &script{feed: "nvd", files: map[string]func(feed.Sink) error{"all.json": send(append(manyMade(130), regresshion(), log4shell(),
			&cve.Record{ID: cve.NewID(2024, 1), Status: "Rejected", Description: "openssh nonsense", Modified: day})...)}}
		sync1(t, s, nvd, false, nvd.file("all.json", "a", 1))
		kev := &script{feed: "kev", files: map[string]func(feed.Sink) error{"kev.json": func(sink feed.Sink) error {
			return sink.KEV(intel.KEV{CVE: log4shell().ID, Added: day})
		}}}
		sync1(t, s, kev, false, kev.file("kev.json", "k", 1))
		ssh, log := []string{"CVE-2024-6387"}, []string{"CVE-2021-44228"}
		for name, c := range map[string]struct {
			filter catalogue.Filter
			want   []string
		}{
			"a product":                        {catalogue.Filter{Words: "OpenSSH"}, ssh},
			"words of title and description":   {catalogue.Filter{Words: "openssh signal remote"}, ssh},
			"a longer form":                    {catalogue.Filter{Words: "lookup message"}, log},
			"an accent":                        {catalogue.Filter{Words: "Öpenssh"}, ssh},
			"a CVE":                            {catalogue.Filter{Words: "cve-2021-44228"}, log},
			"no such word":                     {catalogue.Filter{Words: "xyzzy"}, []string{}},
			"one of two words":                 {catalogue.Filter{Words: "openssh xyzzy"}, []string{}},
			"only exploited":                   {catalogue.Filter{KEV: true}, log},
			"exploited and a word":             {catalogue.Filter{KEV: true, Words: "openssh"}, []string{}},
			"a score":                          {catalogue.Filter{MinCVSS: floor(8)}, []string{"CVE-2024-6387", "CVE-2021-44228"}},
			"vendor and product":               {catalogue.Filter{Vendor: "OpenBSD", Product: "OpenSSH"}, ssh},
			"another spelling of the vendor":   {catalogue.Filter{Vendor: "openssh", Product: "openssh"}, ssh},
			"a vendor nobody knows":            {catalogue.Filter{Vendor: "nobody"}, []string{}},
			"product, word and score":          {catalogue.Filter{Product: "log4j", Words: "jndi", MinCVSS: floor(9)}, log},
			"operators are words":              {catalogue.Filter{Words: `openssh" OR "log4j`}, []string{}},
			"quotes and SQL":                   {catalogue.Filter{Words: `openssh'; DROP TABLE cve; --`}, []string{}},
			"prefix and column syntax is text": {catalogue.Filter{Words: `{title}:openssh* ^NEAR(a) :& | !`}, []string{}},
		} {
			if diff := cmp.Diff(c.want, searched(t, s, c.filter)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		if _, err := s.Catalogue().Search(t.Context(), catalogue.Filter{Words: "!!!"}); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("search without a word: %v, want invalid", err)
		}
		if _, err := s.Catalogue().Search(t.Context(), catalogue.Filter{After: "x'"}); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("odd cursor: %v, want invalid", err)
		}
		for _, f := range []catalogue.Filter{{Words: "weakness", Limit: 50}, {Product: "widget3", Limit: 3}, {Limit: 50}} {
			seen := map[string]bool{}
			for pages := 0; ; pages++ {
				page, err := s.Catalogue().Search(t.Context(), f)
				if err != nil || pages > 20 {
					t.Fatal(pages, err)
				}
				for _, h := range page.Hits {
					if seen[h.Record.ID.String()] {
						t.Errorf("%+v: %s twice", f, h.Record.ID)
					}
					seen[h.Record.ID.String()] = true
				}
				if f.After = page.Next; f.After == "" {
					break
				}
			}
			if want := map[bool]int{true: 130, false: 132}[f.Words != ""]; f.Product == "" && len(seen) != want {
				t.Errorf("%+v: paged through %d, want %d", f, len(seen), want)
			}
		}
	})
}

func TestSmallChangesGoInPlace(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s := e.Open(t)
		nvd := &script{feed: "nvd", files: map[string]func(feed.Sink) error{"base.json": send(append(manyMade(200), regresshion())...)}}
		base := nvd.file("base.json", "1", 1000)
		wantRun(t, sync1(t, s, nvd, false, base), feed.StatusOK, 201, 0, 0)
		wantRun(t, sync1(t, s, nvd, false, base), feed.StatusUnchanged, 0, 0, 0)

		moved := regresshion() // NVD corrects the product: the old pack must lose it, the new one gain it
		moved.Modified = moved.Modified.AddDate(0, 0, 1)
		moved.Description = "Rewritten."
		moved.Configurations[0].Matches[0].Criteria = "cpe:2.3:a:acme:widget0:*:*:*:*:*:*:*:*"
		nvd.files["modified.json"] = send(moved, log4shell(), made(3))
		small := nvd.file("modified.json", "2", 10)
		small.Partial = true
		wantRun(t, sync1(t, s, nvd, false, base, small), feed.StatusOK, 1, 1, 1)
		if ids := packed(t, s, "openbsd", "openssh"); ids != nil {
			t.Errorf("OpenSSH still has rules: %v", ids)
		}
		if ids := packed(t, s, "acme", "widget0"); !slices.Contains(ids, moved.ID) {
			t.Errorf("widget0 lacks %s: %v", moved.ID, ids)
		}
		if got := searched(t, s, catalogue.Filter{Words: "async"}); len(got) != 0 {
			t.Errorf("a removed word still finds %v", got)
		}
		if got := searched(t, s, catalogue.Filter{Words: "rewritten"}); len(got) != 1 {
			t.Errorf("a new word finds %v", got)
		}

		older := regresshion()
		older.Modified = older.Modified.AddDate(-1, 0, 0)
		nvd.files["recent.json"] = send(older)
		late := nvd.file("recent.json", "3", 10)
		wantRun(t, sync1(t, s, nvd, false, late), feed.StatusOK, 0, 0, 1)
		if got, _ := s.Catalogue().CVE(t.Context(), moved.ID); got.Description != "Rewritten." {
			t.Errorf("an older record overwrote a newer one: %q", got.Description)
		}
	})
}

func TestFailedFeedChangesNothing(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s := e.Open(t)
		torn := func(records ...*cve.Record) func(feed.Sink) error {
			return func(sink feed.Sink) error {
				if err := send(records...)(sink); err != nil {
					return err
				}
				return errors.New("unexpected EOF")
			}
		}
		nvd := &script{feed: "nvd", files: map[string]func(feed.Sink) error{
			"torn.json": torn(manyMade(3000)...), "good.json": send(regresshion(), log4shell()), "empty.json": send(),
			"none.json": func(sink feed.Sink) error { sink.Reject("none.json record 1", "no id"); return nil },
		}}
		if run := sync1(t, s, nvd, false, nvd.file("torn.json", "x", 1)); run.Status != feed.StatusFailed || !strings.Contains(run.Error, "EOF") {
			t.Errorf("torn first load: %+v", run)
		}
		if stats, _ := s.Catalogue().Stats(t.Context()); stats.Records != 0 {
			t.Errorf("a torn first load left %d records", stats.Records)
		}
		sync1(t, s, nvd, false, nvd.file("good.json", "1", 1000))
		for _, name := range []string{"torn.json", "empty.json", "none.json"} {
			for _, size := range []int64{1, 1 << 20} { // in place, and as a new generation
				run := sync1(t, s, nvd, false, nvd.file("good.json", "1", 1000), nvd.file(name, "x", size))
				if run.Status == feed.StatusFailed || name != "torn.json" && size > 1 {
					continue
				}
				t.Errorf("%s of %d bytes: %+v", name, size, run)
			}
		}
		if got := searched(t, s, catalogue.Filter{}); len(got) != 2 {
			t.Errorf("after failures the catalogue holds %v", got)
		}
		status, err := s.Catalogue().Feeds(t.Context())
		if err != nil || !status[0].Synced() {
			t.Errorf("status = %+v, %v", status[0], err)
		}
	})
}

func TestRunThatTakesTooMuchIsHeld(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s := e.Open(t)
		all := manyMade(200)
		nvd := &script{feed: "nvd", files: map[string]func(feed.Sink) error{"nvdcve-2.0-2020.json": send(all...)}}
		name := "nvdcve-2.0-2020.json"
		big := nvd.file("big.json", "big", 1000)
		nvd.files["big.json"] = send(regresshion())
		sync1(t, s, nvd, false, nvd.file(name, "1", 100), big)

		for _, size := range []int64{100, 1 << 20} { // in place, and as a new generation
			nvd.files[name] = send(all[:150]...)
			run := sync1(t, s, nvd, false, nvd.file(name, "fewer", size), big)
			if run.Status != feed.StatusFailed || !strings.Contains(run.Error, "held") {
				t.Errorf("50 of 200 records gone: %+v", run)
			}
			plain := manyMade(200)
			for _, r := range plain[:20] {
				r.Metrics = nil
			}
			nvd.files[name] = send(plain...)
			if run := sync1(t, s, nvd, false, nvd.file(name, "plain", size), big); !strings.Contains(run.Error, "held") {
				t.Errorf("20 of 200 records without score: %+v", run)
			}
		}
		nvd.files[name] = send(all[:198]...) // two may go
		if run := sync1(t, s, nvd, false, nvd.file(name, "two", 100), big); run.Status != feed.StatusOK {
			t.Errorf("2 of 200 records gone: %+v", run)
		}
		if ids := packed(t, s, "acme", "widget11"); slices.Contains(ids, made(198).ID) {
			t.Error("a record that is gone still matches")
		}
		nvd.files[name] = send(all[:10]...)
		wantRun(t, sync1(t, s, nvd, true, nvd.file(name, "forced", 100), big), feed.StatusOK, 0, 0, 10)
		if got := searched(t, s, catalogue.Filter{Limit: 1000}); len(got) != 11 {
			t.Errorf("forced: %d left, want 11", len(got))
		}
	})
}

// However a catalogue came to be, it answers the same.
func TestInPlaceEqualsRebuilt(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		rng := rand.New(rand.NewPCG(7, 7))
		s := e.Open(t)
		current := manyMade(120)
		nvd := &script{feed: "nvd", files: map[string]func(feed.Sink) error{"nvdcve-2.0-2020.json": send(current...)}}
		big := nvd.file("big.json", "big", 1000)
		nvd.files["big.json"] = send(regresshion())
		sync1(t, s, nvd, false, nvd.file("nvdcve-2.0-2020.json", "0", 100), big)
		for round := range 8 {
			for range 12 {
				i := rng.IntN(len(current))
				r := made(rng.IntN(400))
				r.ID, r.Modified = current[i].ID, day.AddDate(0, 0, round+1)
				if rng.IntN(4) == 0 {
					r.Status = "Rejected"
				}
				current[i] = r
			}
			current = append(current[1:], made(200+round))
			rng.Shuffle(len(current), func(i, j int) { current[i], current[j] = current[j], current[i] })
			nvd.files["nvdcve-2.0-2020.json"] = send(current...)
			if run := sync1(t, s, nvd, true, nvd.file("nvdcve-2.0-2020.json", fmt.Sprint(round+1), 100), big); run.Status != feed.StatusOK {
				t.Fatalf("round %d: %+v", round, run)
			}
		}
		other := storetest.NewSQLite(t).Open(t)
		sync1(t, other, nvd, false, nvd.file("nvdcve-2.0-2020.json", "1", 100), big)
		if diff := cmp.Diff(searched(t, other, catalogue.Filter{Limit: 1000}), searched(t, s, catalogue.Filter{Limit: 1000})); diff != "" {
			t.Errorf("records (-rebuilt +in place):\n%s", diff)
		}
		for i := range 17 {
			product := fmt.Sprintf("widget%d", i)
			if diff := cmp.Diff(packed(t, other, "acme", product), packed(t, s, "acme", product)); diff != "" {
				t.Errorf("rules of %s (-rebuilt +in place):\n%s", product, diff)
			}
			f := catalogue.Filter{Words: product, Limit: 1000}
			if diff := cmp.Diff(searched(t, other, f), searched(t, s, f)); diff != "" {
				t.Errorf("search for %s (-rebuilt +in place):\n%s", product, diff)
			}
		}
	})
}

func TestListsAreReplaced(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s, ctx := e.Open(t), t.Context()
		scores := func(at time.Time, model string, by map[uint32]float64) func(feed.Sink) error {
			return func(sink feed.Sink) error {
				for n, score := range by {
					if err := sink.EPSS(intel.EPSS{CVE: cve.NewID(2021, n), Score: score, Percentile: score / 2, Date: at, Model: model}); err != nil {
						return err
					}
				}
				return nil
			}
		}
		epss := &script{feed: "epss", files: map[string]func(feed.Sink) error{
			"1.csv": scores(day, "v4", map[uint32]float64{1: 0.1, 2: 0.2}), "2.csv": scores(day.AddDate(0, 0, 1), "v4", map[uint32]float64{1: 0.3, 3: 5e-05}),
		}}
		wantRun(t, sync1(t, s, epss, false, epss.file("1.csv", "a", 1), epss.file("2.csv", "b", 1)), feed.StatusOK, 2, 0, 2)
		facts, err := s.Catalogue().Facts(ctx, []cve.ID{cve.NewID(2021, 1), cve.NewID(2021, 2), cve.NewID(2021, 3)})
		if err != nil {
			t.Fatal(err)
		}
		if got := facts[cve.NewID(2021, 1)].EPSS; got == nil || got.Score != 0.3 || got.Model != "v4" || !got.Date.Equal(day.AddDate(0, 0, 1)) {
			t.Errorf("EPSS of the newest day = %+v", got)
		}
		if facts[cve.NewID(2021, 2)].EPSS != nil || facts[cve.NewID(2021, 3)].EPSS.Score != 5e-05 {
			t.Errorf("facts = %+v", facts)
		}
		epss.files["0.csv"] = scores(day.AddDate(0, 0, -9), "v4", map[uint32]float64{1: 0.9})
		wantRun(t, sync1(t, s, epss, false, epss.file("0.csv", "c", 1)), feed.StatusOK, 0, 0, 1)
		if facts, _ := s.Catalogue().Facts(ctx, []cve.ID{cve.NewID(2021, 1)}); facts[cve.NewID(2021, 1)].EPSS.Score != 0.3 {
			t.Error("an older day overwrote a newer one")
		}

		exploit := func(title string) intel.Exploit {
			return intel.Exploit{CVE: cve.NewID(2021, 1), Source: "exploitdb", Key: "EDB-1", Title: title, Kind: "remote", Verified: true, Published: day}
		}
		edb := &script{feed: "exploitdb", files: map[string]func(feed.Sink) error{"x.csv": func(sink feed.Sink) error {
			second := exploit("other")
			second.Key = "EDB-2"
			return errors.Join(sink.Exploit(exploit("first")), sink.Exploit(second), sink.Exploit(exploit("first")))
		}}}
		wantRun(t, sync1(t, s, edb, false, edb.file("x.csv", "1", 1)), feed.StatusOK, 2, 0, 1)
		edb.files["x.csv"] = func(feed.Sink) error { return nil }
		if run := sync1(t, s, edb, false, edb.file("x.csv", "2", 1)); run.Status != feed.StatusFailed {
			t.Errorf("an empty file: %+v", run)
		}
		edb.files["x.csv"] = func(sink feed.Sink) error { return sink.Exploit(exploit("better\x00title\xff")) }
		if run := sync1(t, s, edb, true, edb.file("x.csv", "3", 1)); run.Updated != 1 {
			t.Errorf("forced: %+v", run)
		}
		facts, err = s.Catalogue().Facts(ctx, []cve.ID{cve.NewID(2021, 1)})
		if err != nil || len(facts[cve.NewID(2021, 1)].Exploits) != 1 {
			t.Errorf("exploits = %+v, %v", facts, err)
		}
	})
}

func TestReadersGoOnWhileTheCatalogueIsSwitched(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		writer, reader := e.Open(t), e.Open(t)
		nvd := &script{feed: "nvd", files: map[string]func(feed.Sink) error{"a.json": send(manyMade(50)...)}}
		sync1(t, writer, nvd, false, nvd.file("a.json", "0", 1))
		stop, done := make(chan struct{}), make(chan error, 4)
		for range 4 {
			go func() {
				for {
					select {
					case <-stop:
						done <- nil
						return
					default:
					}
					page, err := reader.Catalogue().Search(context.Background(), catalogue.Filter{Words: "weakness", Limit: 1000})
					if err != nil || len(page.Hits) < 50 {
						done <- fmt.Errorf("a reader saw %d records, %w", len(page.Hits), err)
						return
					}
				}
			}()
		}
		for i := range 6 {
			nvd.files["a.json"] = send(manyMade(50 + i)...)
			if run := sync1(t, writer, nvd, false, nvd.file("a.json", fmt.Sprint(i+1), 1)); run.Status != feed.StatusOK {
				t.Errorf("%+v", run)
			}
		}
		close(stop)
		for range 4 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if got := searched(t, reader, catalogue.Filter{Limit: 1000}); len(got) != 55 {
			t.Errorf("the reader ends with %d records, want 55", len(got))
		}
	})
}

func TestTwoSyncsTakeTurns(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		nvd := &script{feed: "nvd", files: map[string]func(feed.Sink) error{"a.json": send(manyMade(500)...)}}
		results := make(chan feed.Status, 3)
		for range 3 {
			s := e.Open(t)
			go func() {
				syncer := catalogue.Syncer{Target: s.Catalogue(), Readers: []feed.Reader{nvd}}
				runs, err := syncer.Sync(context.Background(), []feed.Gathered{{Feed: "nvd", Files: []feed.File{nvd.file("a.json", "0", 1)}}})
				if err != nil {
					t.Error(err)
					results <- feed.StatusFailed
					return
				}
				results <- runs[0].Status
			}()
		}
		count := map[feed.Status]int{}
		for range 3 {
			count[<-results]++
		}
		if count[feed.StatusOK] != 1 || count[feed.StatusUnchanged] != 2 {
			t.Errorf("three syncs of the same file ended %v; want one load, two unchanged", count)
		}
	})
}

func TestStarterGivesWayToFeeds(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s, ctx := e.Open(t), t.Context()
		calls := 0
		loaded, err := starter.Load(ctx, s.Catalogue(), func(done, total int) { calls++ })
		if err != nil || !loaded || calls == 0 {
			t.Fatalf("load the starter: %v, %v, %d calls", loaded, err, calls)
		}
		if again, err := starter.Load(ctx, s.Catalogue(), nil); err != nil || again {
			t.Errorf("loaded twice: %v, %v", again, err)
		}
		stats, err := s.Catalogue().Stats(ctx)
		if err != nil || stats.Starter.IsZero() || stats.Records < 1000 {
			t.Fatalf("stats = %+v, %v", stats, err)
		}
		if len(packed(t, s, "openbsd", "openssh")) < 50 {
			t.Error("the starter knows too little of OpenSSH")
		}
		status, _ := feedsByName(ctx, s)
		if status["nvd"].Synced() || status["nvd"].Starter.IsZero() || status["epss"].Records != 0 || !status["epss"].Starter.IsZero() {
			t.Errorf("feeds = %+v", status)
		}
		nvd := &script{feed: "nvd", files: map[string]func(feed.Sink) error{"nvdcve-2.0-2024.json": send(regresshion())}}
		wantRun(t, sync1(t, s, nvd, false, nvd.file("nvdcve-2.0-2024.json", "1", 1)), feed.StatusOK, 1, 0, 0)
		got, err := s.Catalogue().CVE(ctx, regresshion().ID)
		if err != nil || got.Description == "" {
			t.Errorf("after a sync: %+v, %v", got, err)
		}
		if _, err := s.Catalogue().CVE(ctx, log4shell().ID); err != nil {
			t.Errorf("what the feed does not cover is lost: %v", err)
		}
		if stats, _ := s.Catalogue().Stats(ctx); !stats.Starter.IsZero() {
			t.Error("still called a starter catalogue")
		}
	})
}

func floor(x float64) *float64 { return &x }
