package store_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/catalogue"
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
