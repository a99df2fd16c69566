package finding

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestSortsAreReadWithTheirDirection(t *testing.T) {
	for text, want := range map[string]string{
		"": "rank:asc", "rank": "rank:asc", "cvss": "cvss:desc", "cvss:asc": "cvss:asc", "due": "due:asc", "due:desc": "due:desc",
		"first_seen": "first_seen:desc", "host:desc": "host:desc",
	} {
		s, err := ParseSort(text)
		if err != nil || s.String() != want {
			t.Errorf("%q: %s, want %s (%v)", text, s, want, err)
		}
	}
	for _, text := range []string{"cvs", "cvss:up", ":asc", "cvss:"} {
		if s, err := ParseSort(text); err == nil {
			t.Errorf("%q: %s", text, s)
		}
	}
}

func TestACursorBelongsToItsOrder(t *testing.T) {
	score := 9.8
	l := &Listed{Finding: Finding{ID: 7, Rating: Rating{CVSS: &score}}, HostAddress: "2001:db8::1"}
	for _, by := range SortFields() {
		f := Filter{Sort: Sort{By: by}}
		c := f.CursorOf(l)
		got, err := ParseCursor(c.String(), f.Sort)
		if err != nil || got != c {
			t.Errorf("%s: %+v, want %+v (%v)", by, got, c, err)
		}
		if _, err := ParseCursor(c.String(), Sort{By: by, Reverse: true}); err == nil {
			t.Errorf("%s: a cursor of the other direction was taken", by)
		}
	}
	for _, text := range []string{"x", "!!", "AAAA", "____________________"} {
		if c, err := ParseCursor(text, Sort{}); err == nil {
			t.Errorf("%q: %+v", text, c)
		}
	}
}

func TestKeysKeepTheOrderOfWhatTheyStandFor(t *testing.T) {
	numbers := []float64{0, 0.00001, 0.00002, 0.1, 0.97, 1, 4, 9.8, 10}
	for i := 1; i < len(numbers); i++ {
		if NumberKey(&numbers[i-1]) >= NumberKey(&numbers[i]) {
			t.Errorf("%v and %v", numbers[i-1], numbers[i])
		}
	}
	addresses := []string{"1.2.3.4", "10.0.0.2", "10.0.0.10", "192.0.2.1", "2001:db8::1", "2001:db8::2", "fe80::1"}
	for i := 1; i < len(addresses); i++ {
		a, b := AddressKey(addresses[i-1]), AddressKey(addresses[i])
		if cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) >= 0 {
			t.Errorf("%s and %s", addresses[i-1], addresses[i])
		}
	}
}

func TestWhatIsNotKnownComesLastInBothDirections(t *testing.T) {
	for _, by := range SortFields() {
		for _, reverse := range []bool{false, true} {
			s := Sort{by, reverse}
			rows := []Listed{{}, {}, {}}
			score, at := 0.5, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
			rows[1] = Listed{HostAddress: "10.0.0.1", Finding: Finding{ID: 1, Life: Life{FirstSeen: at, LastSeen: at}, Rating: Rating{
				Severity: "low", CVSS: &score, EPSS: &score, Likelihood: &score, Score: &score, Due: at, SLADue: at, RankKey: "123"}}, RiskRemoved: &score}
			rand.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			slices.SortFunc(rows, func(a, b Listed) int { return s.Compare(s.Key(&a), a.ID, s.Key(&b), b.ID) })
			if rows[0].ID != 1 {
				t.Errorf("%s: what is not known came first", s)
			}
		}
	}
}

func FuzzCursor(f *testing.F) {
	f.Add(Cursor{ID: 1}.String())
	f.Add(GroupCursor{By: GroupHost, RankKey: 3}.String())
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := ParseCursor(text, Sort{}); err == nil && c != (Cursor{}) && c.Sort.By != ByRank {
			t.Errorf("%+v", c)
		}
		if c, err := ParseGroupCursor(text, GroupHost); err == nil && c != (GroupCursor{}) && c.By != GroupHost {
			t.Errorf("%+v", c)
		}
	})
}
