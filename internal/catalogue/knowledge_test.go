package catalogue

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/intel"
)

func TestSightingsJoinInAnyOrder(t *testing.T) {
	at := func(day int) time.Time { return time.Date(2026, 10, day, 0, 0, 0, 0, time.UTC) }
	first := intel.Indicator{Value: "192.0.2.1", Status: intel.IndicatorOnline, FirstSeen: at(3), LastSeen: at(4), Tags: []string{"a"}}
	later := intel.Indicator{Value: "192.0.2.1", Status: intel.IndicatorOffline, FirstSeen: at(5), LastSeen: at(9), Expires: at(30)}
	bare := intel.Indicator{Value: "192.0.2.1"} // a list of addresses without dates
	want := later
	want.FirstSeen = first.FirstSeen
	for _, order := range [][]intel.Indicator{{first, later, bare}, {later, first, bare}, {bare, later, first}, {first, bare, later}} {
		got := order[0]
		for _, v := range order[1:] {
			got = sighted(got, v)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestForgettingGoesByTheSourcesOwnClock(t *testing.T) {
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	standing := time.Date(2025, 4, 21, 0, 0, 0, 0, time.UTC) // of a mirror that nobody has renewed since
	rows := map[IndicatorKey]intel.Indicator{
		{Value: "a"}: {LastSeen: standing}, {Value: "b"}: {FirstSeen: standing.AddDate(0, -1, 0)},
		{Value: "wrong clock"}: {LastSeen: now.AddDate(9, 0, 0)},
	}
	if got, want := horizon(now, rows), standing.AddDate(0, 0, -180); !got.Equal(want) {
		t.Errorf("horizon %s, want %s", got, want)
	}
}

func TestMappingsThatSayTheSameAreOne(t *testing.T) {
	a := intel.Mapping{Comment: "a", Date: time.Unix(1, 0)}
	b := intel.Mapping{Comment: "b", Date: time.Unix(1, 0)}
	c := intel.Mapping{Comment: "a", Date: time.Unix(2, 0)}
	if !later(b, a) || later(a, b) || !later(c, b) || later(b, c) || later(a, a) {
		t.Error("which of two mappings stands depends on their order")
	}
}
