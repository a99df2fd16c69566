package find_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/catalogue/find"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// records is a feed.Reader of what a test made.
type records struct {
	name string
	list []*cve.Record
}

func (r records) Feed() string { return r.name }

func (r records) Read(_ context.Context, _ feed.File, _ io.Reader, sink feed.Sink) error {
	for _, rec := range r.list {
		own := *rec
		if err := sink.CVE(&own); err != nil {
			return err
		}
	}
	return nil
}

var loads int

func load(t *testing.T, s *store.Store, name string, list ...*cve.Record) {
	t.Helper()
	loads++
	sum := fmt.Sprint(loads)
	file := feed.File{Feed: name, Name: "nvdcve-2.0-modified.json", Checksum: sum, Size: 1, Partial: true,
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("")), nil }}
	syncer := catalogue.Syncer{Target: s.Catalogue(), Readers: []feed.Reader{records{name, list}}, Force: true}
	runs, err := syncer.Sync(t.Context(), []feed.Gathered{{Feed: name, Source: "a test", Files: []feed.File{file}}})
	if err != nil || runs[0].Status != feed.StatusOK {
		t.Fatalf("%+v, %v", runs, err)
	}
}

var day = time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC)

func record(id, product, text string, score float64) *cve.Record {
	parsed, err := cve.ParseID(id)
	if err != nil {
		panic(err)
	}
	vendor, name, _ := strings.Cut(product, ":")
	return &cve.Record{ID: parsed, Status: "Analyzed", Published: day.AddDate(parsed.Year()-2024, 0, 0), Modified: day, Description: text,
		Metrics: []cve.Metric{{Version: "3.1", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Score: score, Provider: cve.ProviderNVD}},
		Configurations: []cve.Node{{Matches: []cve.CPEMatch{{Vulnerable: true,
			Criteria: "cpe:2.3:a:" + vendor + ":" + name + ":*:*:*:*:*:*:*:*", EndExcluding: "9.9"}}}}}
}

// known are facts of 2024 and before, told in a few words.
func known() []*cve.Record {
	return []*cve.Record{
		record("CVE-2024-6387", "openbsd:openssh", "A signal handler race condition in sshd lets remote attackers run code as root on glibc-based Linux.", 8.1),
		record("CVE-2016-10009", "openbsd:openssh", "An untrusted search path in ssh-agent lets remote attackers load PKCS#11 modules.", 7.3),
		record("CVE-2021-44228", "apache:log4j", "JNDI features do not protect against attacker controlled LDAP endpoints; remote code execution.", 10),
		record("CVE-2021-41773", "apache:http_server", "A path traversal in path normalization maps URLs to files outside the document root.", 7.5),
		record("CVE-2014-0160", "openssl:openssl", "The heartbeat extension reads beyond its buffer and shows memory of the server.", 7.5),
		record("CVE-2014-6271", "gnu:bash", "Trailing strings after function definitions in environment variables run as commands; remote code execution.", 9.8),
	}
}

func open(t *testing.T, e *storetest.Engine) (*store.Store, *find.Finder) {
	t.Helper()
	s := e.Open(t)
	load(t, s, "nvd", known()...)
	f := find.New(s.Catalogue(), t.TempDir())
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, f
}

func ids(t *testing.T, f *find.Finder, filter catalogue.Filter) ([]string, catalogue.Page) {
	t.Helper()
	page, err := f.Search(t.Context(), filter)
	if err != nil {
		t.Fatalf("%+v: %v", filter, err)
	}
	out := []string{}
	for _, h := range page.Hits {
		out = append(out, h.Record.ID.String())
	}
	return out, page
}

func refresh(t *testing.T, f *find.Finder) {
	t.Helper()
	if _, err := f.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestWordsAreRankedAndFiltered(t *testing.T) {
	eight := 8.0
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		_, f := open(t, e)
		refresh(t, f)
		for name, c := range map[string]struct {
			filter catalogue.Filter
			want   []string
			note   string
		}{
			"the product counts most":          {catalogue.Filter{Words: "openssh"}, []string{"CVE-2024-6387", "CVE-2016-10009"}, ""},
			"all words":                        {catalogue.Filter{Words: "remote code execution"}, []string{"CVE-2021-44228", "CVE-2014-6271"}, ""},
			"some words where none has all":    {catalogue.Filter{Words: "heartbeat jndi"}, []string{"CVE-2021-44228", "CVE-2014-0160"}, find.NoteSome},
			"a condition with few CVEs":        {catalogue.Filter{Words: "remote", MinCVSS: &eight, Product: "bash"}, []string{"CVE-2014-6271"}, ""},
			"a condition with many":            {catalogue.Filter{Words: "remote", MinCVSS: &eight}, []string{"CVE-2021-44228", "CVE-2024-6387", "CVE-2014-6271"}, ""},
			"in the order of dates":            {catalogue.Filter{Words: "remote", Sort: catalogue.SortDate}, []string{"CVE-2024-6387", "CVE-2021-44228", "CVE-2016-10009", "CVE-2014-6271"}, ""},
			"a CVE by its id":                  {catalogue.Filter{Words: "cve-2014-0160"}, []string{"CVE-2014-0160"}, ""},
			"nothing":                          {catalogue.Filter{Words: "xyzzy"}, []string{}, ""},
			"the beginning of a longer word":   {catalogue.Filter{Words: "travers"}, []string{"CVE-2021-41773"}, ""},
			"conditions that nothing can meet": {catalogue.Filter{Words: "remote", Vendor: "nobody"}, []string{}, ""},
		} {
			f.NarrowTo(20_000)
			got, page := ids(t, f, c.filter)
			if !sameSet(got, c.want) || c.filter.Sort != "" && !slices.Equal(got, c.want) || page.Note != c.note {
				t.Errorf("%s: %v (%s), want %v", name, got, page.Note, c.want)
			}
			f.NarrowTo(0) // every condition is a wide one
			if wide, _ := ids(t, f, c.filter); !slices.Equal(wide, got) {
				t.Errorf("%s: %v when asked piece by piece, %v at once", name, wide, got)
			}
		}
		if first, _ := ids(t, f, catalogue.Filter{Words: "openssh"}); first[0] != "CVE-2024-6387" {
			t.Errorf("of two that fit alike the newer comes first: %v", first)
		}
	})
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func TestTheDatabaseStandsInAndSaysSo(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		_, f := open(t, e)
		got, page := ids(t, f, catalogue.Filter{Words: "openssh signal"})
		if !slices.Equal(got, []string{"CVE-2024-6387"}) || page.Note != find.NoteStandIn {
			t.Errorf("%v, note %q", got, page.Note)
		}
		refresh(t, f)
		if _, page := ids(t, f, catalogue.Filter{Words: "openssh signal"}); page.Note != "" {
			t.Errorf("note %q with an index", page.Note)
		}
	})
}

func TestAnIndexOfFewCVEsDoesNotAnswerForMany(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s, f := open(t, e)
		refresh(t, f)
		var many []*cve.Record
		for i := range 100 {
			many = append(many, record(fmt.Sprintf("CVE-2025-%04d", 1000+i), "acme:gate", "A gate stands open.", 7.5))
		}
		load(t, s, "nvd", many...)
		if got, page := ids(t, f, catalogue.Filter{Words: "gate open", Limit: 200}); len(got) != 100 || page.Note != find.NoteStandIn {
			t.Errorf("%d CVEs, note %q, before the index holds them", len(got), page.Note)
		}
		refresh(t, f)
		if got, page := ids(t, f, catalogue.Filter{Words: "gate open", Limit: 200}); len(got) != 100 || page.Note != "" {
			t.Errorf("%d CVEs, note %q", len(got), page.Note)
		}
	})
}

func TestTheIndexFollowsTheCatalogue(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s, f := open(t, e)
		refresh(t, f)
		if built, err := f.Refresh(t.Context()); err != nil || built {
			t.Errorf("nothing changed, and yet: built %v, %v", built, err)
		}
		changed := record("CVE-2014-0160", "openssl:openssl", "Heartbleed: memory of the server is shown.", 7.5)
		changed.Modified = day.AddDate(0, 0, 1)
		gone := record("CVE-2014-6271", "gnu:bash", "Rejected reason: a test.", 0)
		gone.Status, gone.Modified = "Rejected", day.AddDate(0, 0, 1)
		load(t, s, "nvd", changed, gone, record("CVE-2024-3094", "tukaani:xz", "Malicious code was found in the tarballs of xz.", 10))
		if _, page := ids(t, f, catalogue.Filter{Words: "openssl"}); page.Note != find.NoteBehind {
			t.Errorf("an index that is behind does not say so: %q", page.Note)
		}
		refresh(t, f)
		for words, want := range map[string][]string{
			"heartbleed": {"CVE-2014-0160"}, "heartbeat": {}, "bash": {}, "tarballs": {"CVE-2024-3094"}, "log4j": {"CVE-2021-44228"},
		} {
			if got, page := ids(t, f, catalogue.Filter{Words: words}); !slices.Equal(got, want) || page.Note != "" {
				t.Errorf("%s: %v (%s), want %v", words, got, page.Note, want)
			}
		}
	})
}

func TestPagesHaveNoGapAndNoRepeat(t *testing.T) {
	s := storetest.NewSQLite(t).Open(t)
	var list []*cve.Record
	for i := range 90 {
		list = append(list, record(fmt.Sprintf("CVE-2020-%d", 1000+i), "acme:widget", strings.Repeat("widget ", i%7)+"weakness", float64(i%10)))
	}
	load(t, s, "nvd", list...)
	f := find.New(s.Catalogue(), t.TempDir())
	defer f.Close()
	refresh(t, f)
	low := 2.0
	for _, limit := range []int{20_000, 0} {
		f.NarrowTo(limit)
		whole, _ := ids(t, f, catalogue.Filter{Words: "widget", MinCVSS: &low, Limit: 1000})
		var paged []string
		filter := catalogue.Filter{Words: "widget", MinCVSS: &low, Limit: 7}
		for {
			got, page := ids(t, f, filter)
			paged = append(paged, got...)
			if filter.After = page.Next; filter.After == "" {
				break
			}
		}
		if !slices.Equal(whole, paged) || len(whole) != 72 {
			t.Errorf("%d in pages, %d at once", len(paged), len(whole))
		}
	}
	for _, cursor := range []string{"x", "ra", "ra1", "razz.1", "date:1.2", "ra7ff8000000000001.1"} {
		if _, err := f.Search(t.Context(), catalogue.Filter{Words: "widget", After: cursor}); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("cursor %s: %v", cursor, err)
		}
	}
}

func TestSearchesGoOnWhileTheIndexIsBuilt(t *testing.T) {
	s, f := open(t, storetest.NewSQLite(t))
	refresh(t, f)
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for ctx.Err() == nil {
				page, err := f.Search(t.Context(), catalogue.Filter{Words: "openssh"})
				if err != nil || len(page.Hits) != 2 {
					t.Errorf("%d hits, %v", len(page.Hits), err)
					return
				}
			}
		})
	}
	for i := range 15 {
		load(t, s, "nvd", record(fmt.Sprintf("CVE-2023-%d", 2000+i), "acme:widget", "Another weakness.", 5))
		refresh(t, f)
	}
	stop()
	readers.Wait()
}

func TestFollowingNeverBuildsAnew(t *testing.T) {
	s, f := open(t, storetest.NewSQLite(t))
	if err := f.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, page := ids(t, f, catalogue.Filter{Words: "openssh"}); page.Note != find.NoteStandIn {
		t.Errorf("following has built an index: note %q", page.Note)
	}
	refresh(t, f)
	load(t, s, "nvd", record("CVE-2024-3094", "tukaani:xz", "Malicious code was found in the tarballs of xz.", 10))
	if err := f.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, page := ids(t, f, catalogue.Filter{Words: "tarballs"}); !slices.Equal(got, []string{"CVE-2024-3094"}) || page.Note != "" {
		t.Errorf("%v (%s)", got, page.Note)
	}
}

func TestHitsAreSkippedAndCounted(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		_, f := open(t, e)
		for _, indexed := range []bool{false, true} {
			if indexed {
				refresh(t, f)
			}
			for name, filter := range map[string]catalogue.Filter{
				"all": {}, "by score": {Sort: catalogue.SortScore}, "words": {Words: "remote"}, "words in another order": {Words: "remote", Sort: catalogue.SortDate},
				"words and a condition": {Words: "remote", KEV: false, Severities: []string{"critical", "high"}}, "some of the words": {Words: "heartbeat jndi"},
				"named": {Words: "CVE-2014-6271 CVE-2014-0160"},
			} {
				whole, _ := ids(t, f, filter)
				n, err := f.Count(t.Context(), filter)
				if err != nil || n != len(whole) {
					t.Errorf("%s: counted %d of %d, %v", name, n, len(whole), err)
				}
				for skip := range len(whole) + 1 {
					filter.Skip, filter.Limit = skip, 1
					rest, page := ids(t, f, filter)
					if want := whole[skip:min(skip+1, len(whole))]; !slices.Equal(rest, want) {
						t.Errorf("%s, indexed %v: after %d come %v, want %v", name, indexed, skip, rest, want)
					}
					if more := skip+1 < len(whole); more != (page.Next != "") {
						t.Errorf("%s, indexed %v: after %d next is %q", name, indexed, skip, page.Next)
					}
				}
			}
		}
	})
}
