package assess

import (
	"context"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/finding"
)

// Rebuilder is a Tx that can also take back and move what was stored.
type Rebuilder interface {
	Tx
	DeleteHost(ctx context.Context, id int64) error
	DeleteServices(ctx context.Context, ids []int64) error
	DeleteFindings(ctx context.Context, ids []int64) error
	DropScan(ctx context.Context, scan int64, hosts []int64) error        // looks, sightings and lines of the scan at the hosts
	MoveHost(ctx context.Context, from, to int64) error                   // looks, sightings, decrees and lines of scans
	Spoken(ctx context.Context, findings []int64) (map[int64]bool, error) // those of which people said something
	MovePlace(ctx context.Context, from, to int64, place string) error
	Redirect(ctx context.Context, what string, from, to int64, at time.Time) error
	MoveFinding(ctx context.Context, from, to int64) error // decrees and history
	AddDecree(ctx context.Context, site string, host int64, d finding.Decree) (int64, error)
	Flush(ctx context.Context) error             // writes what was saved, before what follows removes
	Touch(ctx context.Context, host int64) error // forget what was read of the host, before reading it again
}

// seenAt is one time at which a report saw something.
type seenAt struct {
	at   time.Time
	scan int64
}

// replay computes anew what a host is from the reports that speak of it: identifiers, system, services, and the intervals
// of all evidence. What a piece of evidence said at a time is taken from the row that held then. It is exact because a
// sighting is kept for every report. The ends of a row are sightings by themselves, which matters for rows that are older
// than the sightings; ends says which of them count.
func (s *state) replay(reports []finding.Sighting, ends func(seenAt) bool) {
	if s.before(reports) == 0 {
		s.replayHost(reports)
	}
	s.replayServices(reports, ends)
	seen := witnessed(reports)
	for _, e := range s.findings {
		e.replay(seen, s.looks, ends)
	}
}

// before names a scan that looked at the host before sightings were kept, 0 if there is none. What such scans said cannot be
// told from what the host is.
func (s *state) before(reports []finding.Sighting) int64 {
	for _, l := range s.looks {
		if !slices.ContainsFunc(reports, func(r finding.Sighting) bool { return r.Scan == l.Scan }) {
			return l.Scan
		}
	}
	return 0
}

func (s *state) replayHost(reports []finding.Sighting) {
	if len(reports) == 0 {
		return
	}
	h := s.host
	h.Identifiers, h.FirstSeen, h.LastSeen = nil, time.Time{}, time.Time{}
	h.OS, h.CPEs = "", nil
	for _, r := range reports {
		if r.Said.Status == string(asset.Up) {
			h.Note(r.Said.Host)
		}
	}
	s.replaySystem(reports)
}

// replaySystem takes status and system from the newest of the reports, which are in order of time, that knows them.
func (s *state) replaySystem(reports []finding.Sighting) {
	h := s.host
	for _, r := range reports {
		if r.Said.Status != "" {
			h.Status = asset.HostStatus(r.Said.Status)
		}
		if r.Said.OS != "" {
			h.OS = r.Said.OS
		}
		if len(r.Said.CPEs) > 0 {
			h.CPEs = r.Said.CPEs
		}
	}
}

// replayServices hears the reports again. The words of scans that are older than the sightings stay.
func (s *state) replayServices(reports []finding.Sighting, ends func(seenAt) bool) {
	known := map[int64]bool{}
	for _, r := range reports {
		known[r.Scan] = true
	}
	for _, service := range s.services {
		said := service.Said
		service.Said, service.FirstSeen, service.LastSeen = nil, time.Time{}, time.Time{}
		for _, word := range said {
			if !known[word.Scan] && ends(seenAt{word.At, word.Scan}) {
				service.Hear(word)
			}
		}
	}
	for _, r := range reports {
		for _, w := range r.Said.Services {
			s.hear(w.Said, port{w.Protocol, w.Port}, s.host.Demo)
		}
	}
}

// replay finds out which sightings of each row are left and puts the rows together anew.
func (e *entry) replay(seen witnesses, looks []finding.Look, ends func(seenAt) bool) {
	var rows []finding.Evidence
	for _, row := range e.Evidence {
		looked := finding.Times(looks, row.Source(), e.Fingerprint)
		for _, t := range append(e.times(row, seen, ends), seen.held(e, row, looks, ends)...) {
			sight := row
			sight.ID, sight.FirstSeen, sight.LastSeen, sight.FirstScan, sight.LastScan = 0, t.at, t.at, t.scan, t.scan
			rows = finding.See(rows, sight, looked)
		}
	}
	e.Evidence = keepIDs(e.Evidence, rows)
}

// times lists when the row's source said what the row says.
func (e *entry) times(row finding.Evidence, seen witnesses, ends func(seenAt) bool) []seenAt {
	var out []seenAt
	add := func(t seenAt) {
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	for _, t := range seen.findings[witness{e.Finding.ID, row.Source()}] {
		if !t.at.Before(row.FirstSeen) && !t.at.After(row.LastSeen) {
			add(t)
		}
	}
	for _, t := range seen.heard(e, row) {
		if t == (seenAt{row.FirstSeen, row.FirstScan}) || t == (seenAt{row.LastSeen, row.LastScan}) {
			add(t)
		}
	}
	for _, end := range []seenAt{{row.FirstSeen, row.FirstScan}, {row.LastSeen, row.LastScan}} {
		if end.scan != 0 && ends(end) {
			add(end)
		}
	}
	return out
}

// witnesses are the times at which reports saw findings by their checks, and versions where they heard services.
type witnesses struct {
	findings map[witness][]seenAt
	versions map[versionAt][]seenAt
	scans    map[int64]bool
}

// witness is a source that saw a finding.
type witness struct {
	finding int64
	src     finding.Source
}

// versionAt is a service whose version a sensor heard.
type versionAt struct {
	sensor string
	port   port
}

func witnessed(reports []finding.Sighting) witnesses {
	w := witnesses{map[witness][]seenAt{}, map[versionAt][]seenAt{}, map[int64]bool{}}
	for _, r := range reports {
		w.scans[r.Scan] = true
		t := seenAt{r.At, r.Scan}
		for _, one := range r.Seen {
			by := witness{one.Finding, finding.Source{Sensor: r.Sensor, Check: one.Check, Policy: one.Policy}}
			w.findings[by] = append(w.findings[by], t)
		}
		for _, heard := range r.Said.Services {
			if at := (versionAt{r.Sensor, port{heard.Protocol, heard.Port}}); len(heard.Said.CPEs) > 0 {
				w.versions[at] = append(w.versions[at], t)
			}
		}
	}
	return w
}

// held lists the looks of scans that are older than the sightings at which the row held: a row goes over no look that did not
// see it.
func (w witnesses) held(e *entry, row finding.Evidence, looks []finding.Look, ends func(seenAt) bool) (out []seenAt) {
	for _, l := range looks {
		t := seenAt{l.At, l.Scan}
		if !w.scans[l.Scan] && l.At.After(row.FirstSeen) && l.At.Before(row.LastSeen) && l.Covers(e.Fingerprint, row.Source()) && ends(t) {
			out = append(out, t)
		}
	}
	return out
}

// heard lists when the row's sensor heard the version of the finding's service, whatever it was. What the catalogue found
// later by what a report had heard is in no report's list: there the row's own ends tell, if a report was heard then.
func (w witnesses) heard(e *entry, row finding.Evidence) []seenAt {
	if row.Check != finding.VersionCheck {
		return nil
	}
	return w.versions[versionAt{row.Sensor, port{e.Protocol, e.Port}}]
}

// keepIDs gives rows that are as they were their ids back, so that nothing is rewritten without need.
func keepIDs(before, after []finding.Evidence) []finding.Evidence {
	for i := range after {
		for _, old := range before {
			same := after[i]
			same.ID = old.ID
			if sameEvidence(same, old) {
				after[i].ID = old.ID
				break
			}
		}
	}
	return after
}

func sameEvidence(a, b finding.Evidence) bool {
	return a.ID == b.ID && a.Source() == b.Source() && a.FirstSeen.Equal(b.FirstSeen) && a.LastSeen.Equal(b.LastSeen) &&
		a.FirstScan == b.FirstScan && a.LastScan == b.LastScan && a.Says(b)
}

// touched says whether a person has said something of the finding that must not be lost with its evidence.
func (e *entry) touched() bool {
	return e.Triage.State != "" && e.Triage.State != finding.Untriaged && e.Triage.Rule == 0 || !e.Own.AssignedAt.IsZero() || len(e.Own.Labels) > 0
}
