package assess_test

import (
	"net/netip"
	"testing"

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

func TestWhoWatchesHearsOfEachFindingWhenItIsKept(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		w := newWorld(t, eng)
		var seen []assess.Seen
		var last finding.Ledger
		var ended []finding.Scan
		w.a = w.a.WithWatch(assess.Watch{
			Slice: func(s assess.Slice) { seen, last = append(seen, s.Seen...), s.Ledger },
			Ended: func(s finding.Scan) { ended = append(ended, s) },
		})
		first := w.scan("native", up(), ssh("7.2p2"), httpd("2.4.49"), covered(1, 1024))
		stored := w.findings()
		if len(seen) != len(stored) || len(seen) != 3 {
			t.Fatalf("told of %d findings, %d are stored", len(seen), len(stored))
		}
		for _, s := range seen {
			if f := stored[string(s.Finding.Weakness)]; f.ID != s.Finding.ID || !s.New || s.Finding.Severity != f.Severity || s.Host.ID != f.HostID {
				t.Errorf("told %+v, stored %+v", s.Finding, f)
			}
		}
		if !last.Balanced() || last.New != 3 || last.Scan != first.Scan.ID || last.Tool != "native" {
			t.Errorf("the last ledger is %+v", last)
		}
		seen = nil
		w.scan("native", up(), httpd("2.4.49"), covered(1, 1024)) // ssh is gone
		if len(seen) != 2 || seen[0].New || seen[1].New {
			t.Errorf("of the second scan was told %+v", seen)
		}
		if len(ended) != 2 || ended[0].Status != finding.Completed || ended[0].Completed.IsZero() || ended[0].Totals.Findings != 3 {
			t.Errorf("ended: %+v", ended)
		}
	})
}

func TestWhoWatchesHearsOfAHugeHostSliceBySlice(t *testing.T) {
	w := newWorld(t, storetest.NewSQLite(t))
	slices, seen := 0, 0
	w.a = w.a.WithWatch(assess.Watch{Slice: func(s assess.Slice) { slices++; seen += len(s.Seen) }})
	var events []finding.Event
	for i := range 20_500 {
		events = append(events, finding.Event{Observation: &finding.Observation{Address: netip.MustParseAddr("10.0.0.9"), Check: "sarif:rule",
			Component: "file" + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676%26)) + string(rune('a'+i/17576)), Confidence: 80, Title: "a weakness"}})
	}
	w.scan("sarif", events...)
	if slices < 2 || seen != 20_500 {
		t.Errorf("%d findings were told in %d slices", seen, slices)
	}
}
