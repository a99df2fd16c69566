package feed_test

import (
	"slices"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/feedtest"
	"github.com/patchscout/patchscout/internal/intel"
)

func TestWhatIsDatedInTheFutureIsRejected(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	send := func(at time.Time) *feedtest.Sink {
		got := &feedtest.Sink{}
		s := feed.Timely(feed.File{Name: "list.json"}, now, got)
		id := cve.NewID(2024, 6387)
		for _, err := range []error{
			s.CVE(&cve.Record{ID: id, Modified: at}), s.CVE(&cve.Record{ID: id, Published: at}),
			s.KEV(intel.KEV{CVE: id, Added: at}), s.Exploit(intel.Exploit{CVE: id, Key: "EDB-1", Published: at}),
			s.SSVC(intel.SSVC{CVE: id, At: at}), s.Technique(intel.Technique{ID: "T1190", Modified: at}),
			s.Mapping(intel.Mapping{CVE: id, Date: at}),
			s.Indicator(intel.Indicator{Value: "203.0.113.9", FirstSeen: at}),
			s.Indicator(intel.Indicator{Value: "203.0.113.9", LastSeen: at}),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		return got
	}
	if got := send(now.Add(47 * time.Hour)); len(got.Rejected) != 0 || len(got.CVEs) != 2 || len(got.Indicators) != 2 {
		t.Errorf("a little ahead: rejected %q, %d CVEs, %d indicators", got.Rejected, len(got.CVEs), len(got.Indicators))
	}
	got := send(time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC))
	want := []string{
		"list.json (CVE-2024-6387) modified", "list.json (CVE-2024-6387) published", "list.json (CVE-2024-6387) dateAdded",
		"list.json (EDB-1) date", "list.json (CVE-2024-6387) ssvc", "list.json (T1190) modified",
		"list.json (CVE-2024-6387) date", "list.json (203.0.113.9) first seen", "list.json (203.0.113.9) last seen",
	}
	for i := range want {
		want[i] += ": a date that is yet to come"
	}
	if !slices.Equal(got.Rejected, want) {
		t.Errorf("rejected\n%q, want\n%q", got.Rejected, want)
	}
	if len(got.CVEs)+len(got.KEVs)+len(got.Exploits)+len(got.SSVCs)+len(got.Techniques)+len(got.Indicators) != 0 {
		t.Errorf("kept something: %+v", got)
	}
}
