package assess

import (
	"maps"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/finding"
)

// Watch hears what runs do while they do it. Either may be nil; both must be quick and keep nothing that they are given.
type Watch struct {
	// Slice is called after each part of a report was committed.
	Slice func(Slice)
	// Ended is called when a scan or import was closed, as it was kept.
	Ended func(finding.Scan)
}

// Slice is a part of a report that was committed.
type Slice struct {
	Scan   finding.Scan
	Ledger finding.Ledger // of the report, so far: it does not balance before the last slice
	Seen   []Seen         // what was new or seen again in this slice, by host and place
}

// Seen is a finding that a report saw.
type Seen struct {
	Finding *finding.Finding
	Host    *asset.Host
	New     bool // nobody saw it before
}

// WithWatch returns a pipeline whose runs tell what they do.
func (a *Assessor) WithWatch(w Watch) *Assessor {
	b := *a
	b.watch = w
	return &b
}

// told passes on a slice.
func (p *pass) told(ledger finding.Ledger, seen []Seen) {
	if p.watch.Slice == nil {
		return
	}
	ledger.Tool, ledger.Scan, ledger.Dropped = p.report.sensor, p.scan.ID, maps.Clone(ledger.Dropped)
	p.watch.Slice(Slice{Scan: *p.scan, Ledger: ledger, Seen: seen})
}

// sightings lists what the report saw, for whoever watches.
func (m *merging) sightings() (seen []Seen) {
	if m.watch.Slice == nil {
		return nil
	}
	for _, s := range m.states {
		for _, e := range s.sorted() {
			if e.sawIn(m.scan.ID) {
				seen = append(seen, Seen{Finding: e.Finding, Host: s.host, New: e.before.ID == 0})
			}
		}
	}
	return seen
}

// sawIn says whether the report saw the finding; one that only denies it did not.
func (e *entry) sawIn(scan int64) bool {
	for _, row := range e.Evidence {
		if row.LastScan == scan && row.Status != finding.Unaffected && e.seen[row.Source()] {
			return true
		}
	}
	return false
}
