package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

func topped(t *testing.T, s *store.Store, f catalogue.Filter, by string, least bool, limit int) (ids []string) {
	t.Helper()
	hits, err := s.Catalogue().Top(context.Background(), f, by, least, limit)
	if err != nil {
		t.Fatalf("%s: %v", by, err)
	}
	for _, h := range hits {
		ids = append(ids, h.Record.ID.String())
	}
	return ids
}

func TestTheMostAndTheLeastOfWhatAnOrderSortsBy(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s := loaded(t, e)
		for by, want := range map[string][]string{
			catalogue.ByCVSS: {"CVE-2021-44228", "CVE-2024-6387"}, catalogue.ByKEV: {"CVE-2021-44228"},
			catalogue.ByModified: {"CVE-2021-44228", "CVE-2024-6387"}, string(catalogue.SortDate): {"CVE-2024-6387", "CVE-2021-44228"},
			string(catalogue.SortScore): {"CVE-2021-44228", "CVE-2024-6387"}, string(catalogue.SortDecision): {"CVE-2021-44228", "CVE-2024-6387"},
		} {
			got := topped(t, s, catalogue.Filter{Products: []catalogue.Product{{Product: "log4j"}, {Vendor: "openbsd", Product: "openssh"}}}, by, false, 2)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s:\n%s", by, diff)
			}
		}
		if got := topped(t, s, catalogue.Filter{}, string(catalogue.SortDate), true, 1); cmp.Diff([]string{"CVE-2020-1000"}, got) != "" {
			t.Errorf("the oldest is %v", got)
		}
	})
}

func TestGroupsAddUpToWhatIsCounted(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s := loaded(t, e)
		all, err := s.Catalogue().Count(context.Background(), catalogue.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, by := range []string{"year", "severity", "decision", "cwe", "vendor", "product"} { // each CVE here has one of each
			groups, err := s.Catalogue().Groups(context.Background(), catalogue.Filter{}, by)
			if err != nil {
				t.Fatalf("%s: %v", by, err)
			}
			sum := 0
			for _, g := range groups {
				sum += g.CVEs
			}
			if sum != all {
				t.Errorf("%s: the groups hold %d, there are %d: %v", by, sum, all, groups)
			}
		}
	})
}

// What is kept of one generation must not be told of the next, nor of another filter.
func TestGroupsAreThoseOfTheFilterAndOfWhatWasLoadedLast(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s := loaded(t, e)
		exploited := catalogue.Filter{KEV: true}
		want := []catalogue.Group{{Key: "log4j", CVEs: 1, Other: "apache"}}
		for range 2 {
			got := grouped(t, s, exploited, "product")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("by product, of those in KEV:\n%s", diff)
			}
			got[0].CVEs = 99 // what one asker does to his answer is not in the next one's
		}
		if got := grouped(t, s, catalogue.Filter{CWE: "CWE-9999"}, "vendor"); len(got) != 0 {
			t.Errorf("no CVE has this weakness: %v", got)
		}
		kev := &script{feed: "kev", files: map[string]func(feed.Sink) error{"kev.json": func(sink feed.Sink) error {
			return errors.Join(sink.KEV(intel.KEV{CVE: log4shell().ID, Added: day}), sink.KEV(intel.KEV{CVE: regresshion().ID, Added: day}))
		}}}
		sync1(t, s, kev, false, kev.file("kev.json", "k2", 2))
		got := map[string]int{}
		for _, g := range grouped(t, s, exploited, "vendor") {
			got[g.Key] = g.CVEs
		}
		for vendor, n := range map[string]int{"apache": 1, "openbsd": 1} {
			if got[vendor] != n {
				t.Errorf("after the next load %s has %d, want %d: %v", vendor, got[vendor], n, got)
			}
		}
		for vendor, n := range got { // as many as the filter of that vendor finds
			count, err := s.Catalogue().Count(context.Background(), catalogue.Filter{KEV: true, Vendor: vendor})
			if err != nil || count != n {
				t.Errorf("%s: the group holds %d, the filter finds %d: %v", vendor, n, count, err)
			}
		}
		if _, err := s.Catalogue().Groups(context.Background(), catalogue.Filter{}, "colour"); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("an unknown group: %v", err)
		}
	})
}

func grouped(t *testing.T, s *store.Store, f catalogue.Filter, by string) []catalogue.Group {
	t.Helper()
	groups, err := s.Catalogue().Groups(context.Background(), f, by)
	if err != nil {
		t.Fatalf("%s: %v", by, err)
	}
	return groups
}

func TestFurtherConditionsOfTheCatalogueNarrow(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s := loaded(t, e)
		exploits := &script{feed: "exploitdb", files: map[string]func(feed.Sink) error{"e.csv": func(sink feed.Sink) error {
			return sink.Exploit(intel.Exploit{CVE: log4shell().ID, Source: "exploitdb", Key: "50592", Title: "Log4Shell", Kind: "remote"})
		}}}
		sync1(t, s, exploits, false, exploits.file("e.csv", "x", 1))
		two := []catalogue.Product{{Product: "log4j"}, {Product: "openssh"}}
		none := []string{}
		for name, test := range map[string]struct {
			f    catalogue.Filter
			want []string
		}{
			"without an exploit":        {catalogue.Filter{NoExploit: true, Products: two}, []string{"CVE-2024-6387"}},
			"without ransomware":        {catalogue.Filter{NotRansomware: true, Products: two}, []string{"CVE-2024-6387", "CVE-2021-44228"}},
			"of a list":                 {catalogue.Filter{IDs: []cve.ID{log4shell().ID, regresshion().ID}, KEV: true}, []string{"CVE-2021-44228"}},
			"of an empty list":          {catalogue.Filter{IDs: []cve.ID{}}, none},
			"KEV between two days":      {catalogue.Filter{KEVFrom: day, KEVTo: day.AddDate(0, 0, 1)}, []string{"CVE-2021-44228"}},
			"KEV up to the day":         {catalogue.Filter{KEVTo: day}, none},
			"KEV and not in KEV":        {catalogue.Filter{KEV: true, NotKEV: true}, none},
			"any of two weaknesses":     {catalogue.Filter{CWEs: []string{"CWE-917", "CWE-364"}, AnyOf: true, Products: two}, []string{"CVE-2024-6387", "CVE-2021-44228"}},
			"both of two weaknesses":    {catalogue.Filter{CWEs: []string{"CWE-917", "364"}, Products: two}, none},
			"a vendor that has neither": {catalogue.Filter{Vendor: "nobody", Products: two}, none},
			"withdrawn":                 {catalogue.Filter{Withdrawn: true, Products: two}, none},
			"any of two decisions":      {catalogue.Filter{Decisions: []string{"act", "attend", "plan", "track"}, Products: two}, []string{"CVE-2024-6387", "CVE-2021-44228"}},
		} {
			t.Run(name, func(t *testing.T) {
				if diff := cmp.Diff(test.want, searched(t, s, test.f)); diff != "" {
					t.Error(diff)
				}
				n, err := s.Catalogue().Count(context.Background(), test.f)
				if err != nil || n != len(test.want) {
					t.Errorf("%d are counted, %d found: %v", n, len(test.want), err)
				}
			})
		}
	})
}

func TestProductNamesAreThoseOfRulesWithHowManyCVEsTheyHave(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s := loaded(t, e)
		names, err := s.Catalogue().ProductNames(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for _, p := range names {
			got[p.Vendor+"/"+p.Product] += p.CVEs
		}
		if got["apache/log4j"] != 1 || got["openbsd/openssh"] != 1 {
			t.Errorf("%v", got)
		}
	})
}

func TestWhatIsNotSoNarrowsToo(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s := loaded(t, e)
		yes, no := true, false
		two := []catalogue.Product{{Product: "log4j"}, {Product: "openssh"}}
		for name, test := range map[string]struct {
			f    catalogue.Filter
			want []string
		}{
			"not in KEV":            {catalogue.Filter{NotKEV: true, Products: two}, []string{"CVE-2024-6387"}},
			"added to KEV since":    {catalogue.Filter{KEVFrom: day.AddDate(-10, 0, 0)}, []string{"CVE-2021-44228"}},
			"added to KEV before":   {catalogue.Filter{KEVTo: day.AddDate(-10, 0, 0)}, []string{}},
			"attacked":              {catalogue.Filter{Exploited: &yes}, []string{"CVE-2021-44228"}},
			"not attacked":          {catalogue.Filter{Exploited: &no, Products: two}, []string{"CVE-2024-6387"}},
			"any of two products":   {catalogue.Filter{Products: two}, []string{"CVE-2024-6387", "CVE-2021-44228"}},
			"a vendor's and one of": {catalogue.Filter{Vendor: "apache", Products: two}, []string{"CVE-2021-44228"}},
			"a decision":            {catalogue.Filter{Decisions: []string{"act"}, Products: two}, []string{"CVE-2021-44228"}},
		} {
			t.Run(name, func(t *testing.T) {
				if diff := cmp.Diff(test.want, searched(t, s, test.f)); diff != "" {
					t.Error(diff)
				}
			})
		}
	})
}

// loaded is two known CVEs, one of them in KEV, and some made-up ones.
func loaded(t *testing.T, e *storetest.Engine) *store.Store {
	t.Helper()
	s := e.Open(t)
	nvd := &script{feed: "nvd", files: map[string]func(feed.Sink) error{"all.json": send(append(manyMade(40), regresshion(), log4shell())...)}}
	sync1(t, s, nvd, false, nvd.file("all.json", "a", 1))
	kev := &script{feed: "kev", files: map[string]func(feed.Sink) error{"kev.json": func(sink feed.Sink) error {
		return sink.KEV(intel.KEV{CVE: log4shell().ID, Added: day})
	}}}
	sync1(t, s, kev, false, kev.file("kev.json", "k", 1))
	return s
}
