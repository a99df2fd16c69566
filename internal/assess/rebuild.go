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
	DropScan(ctx context.Context, scan int64, hosts []int64) error        // looks and sightings of the scan at the hosts
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
	s.replayHost(reports)
	s.replayServices(reports)
	for _, e := range s.findings {
		e.replay(reports, s.looks, ends)
	}
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

func (s *state) replayServices(reports []finding.Sighting) {
	for _, service := range s.services {
		service.Said, service.FirstSeen, service.LastSeen = nil, time.Time{}, time.Time{}
	}
	for _, r := range reports {
		for _, w := range r.Said.Services {
			s.hear(w.Said, port{w.Protocol, w.Port}, s.host.Demo)
		}
	}
}

// replay finds out which sightings of each row are left and puts the rows together anew.
func (e *entry) replay(reports []finding.Sighting, looks []finding.Look, ends func(seenAt) bool) {
	var rows []finding.Evidence
	for _, row := range e.Evidence {
		src := row.Source()
		for _, t := range e.times(row, reports, ends) {
			sight := row
			sight.ID, sight.FirstSeen, sight.LastSeen, sight.FirstScan, sight.LastScan = 0, t.at, t.at, t.scan, t.scan
			rows = finding.See(rows, sight, finding.Times(looks, src, e.Fingerprint))
		}
	}
	e.Evidence = keepIDs(e.Evidence, rows)
}

// times lists when the row's source said what the row says.
func (e *entry) times(row finding.Evidence, reports []finding.Sighting, ends func(seenAt) bool) []seenAt {
	var out []seenAt
	add := func(t seenAt) {
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	for _, r := range reports {
		if !r.At.Before(row.FirstSeen) && !r.At.After(row.LastSeen) && saw(r, e, row.Source()) {
			add(seenAt{r.At, r.Scan})
		}
	}
	for _, end := range []seenAt{{row.FirstSeen, row.FirstScan}, {row.LastSeen, row.LastScan}} {
		if end.scan != 0 && ends(end) {
			add(end)
		}
	}
	return out
}

// saw says whether a report saw the finding by a source: a version was seen where the report heard the service.
func saw(r finding.Sighting, e *entry, src finding.Source) bool {
	if r.Sensor != src.Sensor {
		return false
	}
	if src.Check == finding.VersionCheck {
		return slices.ContainsFunc(r.Said.Services, func(w finding.SaidService) bool {
			return w.Protocol == e.Protocol && w.Port == e.Port && len(w.Said.CPEs) > 0
		})
	}
	return slices.Contains(r.Seen, finding.Seen{Finding: e.Finding.ID, Check: src.Check, Policy: src.Policy})
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
