package assess

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
)

// Undone says what taking back a scan or import comes to.
type Undone struct {
	Hosts        int `json:"hosts"`         // of which it spoke
	HostsGone    int `json:"hosts_gone"`    // that nothing else knows
	ServicesGone int `json:"services_gone"` // that nothing else knows
	FindingsGone int `json:"findings_gone"` // that nothing else saw
	Kept         int `json:"kept"`          // that nothing else saw and a person has spoken of: closed as withdrawn
	Changed      int `json:"changed"`       // that lose evidence
	Reopened     int `json:"reopened"`      // that only this report had closed
	Closed       int `json:"closed"`        // that only this report had reopened or held open
}

func (u *Undone) add(part Undone) {
	u.Hosts += part.Hosts
	u.HostsGone += part.HostsGone
	u.ServicesGone += part.ServicesGone
	u.FindingsGone += part.FindingsGone
	u.Kept += part.Kept
	u.Changed += part.Changed
	u.Reopened += part.Reopened
	u.Closed += part.Closed
}

// errPreview takes a transaction back whose outcome was only wanted.
var errPreview = errors.New("only a preview")

// undoneBy begins the reason of a scan that was taken back.
const undoneBy = "undone by "

// undoHosts is how many hosts one transaction of Undo is about.
const undoHosts = 20

// Undo takes back exactly what one scan or import said: its evidence, its looks, its words on hosts and services; what
// others said stands, and the life of every finding is folded anew. Without apply it only says what that comes to. It may
// be called again after it was interrupted.
func (a *Assessor) Undo(ctx context.Context, id int64, by string, apply bool) (total Undone, err error) {
	scan, err := a.estate.Scan(ctx, auth.Everything(), id)
	if err != nil {
		return total, err
	}
	switch {
	case scan.Status == finding.Running:
		return total, fault.Conflict("scan %d is still running", id)
	case scan.Status == finding.Failed && strings.HasPrefix(scan.Reason, undoneBy):
		return total, fault.Conflict("scan %d was taken back already: %s", id, scan.Reason)
	}
	hosts, err := a.hostsOf(ctx, id)
	if err != nil {
		return total, err
	}
	if err := a.exact(ctx, id, hosts); err != nil {
		return total, err
	}
	f := newFacts(a.catalogue)
	for chunk := range slices.Chunk(hosts, undoHosts) {
		var part Undone
		err := a.rebuild(ctx, func(tx Rebuilder) (err error) {
			part, err = a.undo(ctx, tx, f, id, chunk)
			if err == nil && !apply {
				err = errPreview
			}
			return err
		})
		if err != nil && !errors.Is(err, errPreview) {
			return total, err
		}
		total.add(part)
	}
	if !apply {
		return total, nil
	}
	scan.Status = finding.Failed
	scan.Reason = fmt.Sprintf(undoneBy+"%s on %s", by, a.now().UTC().Format(time.DateOnly))
	scan.Totals = finding.ScanTotals{}
	return total, a.estate.UpdateScan(ctx, scan)
}

// hostsOf lists the hosts of which a scan spoke.
func (a *Assessor) hostsOf(ctx context.Context, id int64) ([]int64, error) {
	sightings, err := a.estate.ScanSightings(ctx, id)
	if err != nil {
		return nil, err
	}
	lines, err := a.estate.ScanHosts(ctx, auth.Everything(), id)
	if err != nil {
		return nil, err
	}
	for _, h := range lines {
		if h.Status == string(asset.Up) && h.HostID != 0 && sightings[h.HostID] == nil {
			return nil, fault.Conflict("scan %d is older than the record that is needed to take it back exactly", id)
		}
	}
	return slices.Sorted(maps.Keys(sightings)), nil
}

// exact refuses, before anything is changed, what cannot be taken back exactly: a word that may have taken the place of one
// of which no record was kept.
func (a *Assessor) exact(ctx context.Context, id int64, hosts []int64) error {
	for chunk := range slices.Chunk(hosts, undoHosts) {
		err := a.rebuild(ctx, func(tx Rebuilder) error {
			states, reports, err := loadAll(ctx, tx, chunk)
			if err != nil {
				return err
			}
			for _, host := range chunk {
				if s := states[host]; s != nil && s.before(reports[host]) != 0 {
					return fault.Conflict("scan %d cannot be taken back exactly: of %s also spoke scan %d, which is older than the record that this needs",
						id, s.host.Address, s.before(reports[host]))
				}
			}
			return errPreview
		})
		if !errors.Is(err, errPreview) {
			return err
		}
	}
	return nil
}

func (a *Assessor) rebuild(ctx context.Context, fn func(Rebuilder) error) error {
	return a.estate.Update(ctx, func(tx Tx) error {
		r, ok := tx.(Rebuilder)
		if !ok {
			return errors.New("this estate cannot take back what it stored")
		}
		return fn(r)
	})
}

func (a *Assessor) undo(ctx context.Context, tx Rebuilder, f *facts, id int64, hosts []int64) (part Undone, err error) {
	states, reports, err := loadAll(ctx, tx, hosts)
	if err != nil {
		return part, err
	}
	if err := tx.DropScan(ctx, id, hosts); err != nil {
		return part, err
	}
	for _, host := range hosts {
		s := states[host]
		if s == nil {
			continue
		}
		part.Hosts++
		left := slices.DeleteFunc(reports[host], func(r finding.Sighting) bool { return r.Scan == id })
		s.looks = slices.DeleteFunc(s.looks, func(l finding.Look) bool { return l.Scan == id })
		s.replay(left, func(t seenAt) bool { return t.scan != id })
		if err := a.saveRebuilt(ctx, tx, f, s, len(left) == 0, &part); err != nil {
			return part, err
		}
	}
	return part, nil
}

// loadAll reads hosts with all that is known of them.
func loadAll(ctx context.Context, tx Tx, ids []int64) (map[int64]*state, map[int64][]finding.Sighting, error) {
	hosts, err := tx.HostsByID(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	states := map[int64]*state{}
	known := make([]int64, 0, len(hosts))
	for _, h := range hosts {
		states[h.ID] = newState(h)
		known = append(known, h.ID)
	}
	if err := loadStates(ctx, tx, known, states); err != nil {
		return nil, nil, err
	}
	reports, err := tx.Sightings(ctx, known)
	return states, reports, err
}

// saveRebuilt writes a host that was computed anew. alone says that no report speaks of it any more.
func (a *Assessor) saveRebuilt(ctx context.Context, tx Rebuilder, f *facts, s *state, alone bool, part *Undone) error {
	site, err := tx.Site(ctx, s.host.Site)
	if err != nil {
		return err
	}
	if err := f.loadFor(ctx, s); err != nil {
		return err
	}
	spoken, err := s.spoken(ctx, tx)
	if err != nil {
		return err
	}
	var gone []int64
	kept := false
	for _, e := range s.sorted() {
		live := e.before.State.Live()
		switch {
		case len(e.Evidence) > 0:
			kept = true // of a scan that is older than the sightings, when it is alone
			a.settle(f, e, s, site)
		case e.touched() || spoken[e.Finding.ID]:
			kept = true
			part.Kept++
			e.keepWithdrawn(a.now())
		default:
			part.FindingsGone++
			gone = append(gone, e.Finding.ID)
			continue
		}
		part.compare(e, live)
		if err := e.save(ctx, tx); err != nil {
			return err
		}
	}
	if alone && !kept {
		part.HostsGone++
		part.ServicesGone += len(s.services)
		return tx.DeleteHost(ctx, s.host.ID)
	}
	if err := tx.DeleteFindings(ctx, gone); err != nil {
		return err
	}
	return s.saveHost(ctx, tx, part)
}

// spoken finds out on which of the findings that lost all evidence people have commented or done anything else.
func (s *state) spoken(ctx context.Context, tx Rebuilder) (map[int64]bool, error) {
	var bare []int64
	for _, e := range s.findings {
		if len(e.Evidence) == 0 && e.Finding.ID != 0 {
			bare = append(bare, e.Finding.ID)
		}
	}
	slices.Sort(bare)
	return tx.Spoken(ctx, bare)
}

// saveHost writes the host and its services; those that no report heard go.
func (s *state) saveHost(ctx context.Context, tx Rebuilder, part *Undone) error {
	var silent []int64
	for _, service := range s.ordered() {
		if len(service.Said) == 0 {
			silent = append(silent, service.ID)
			continue
		}
		if err := tx.SaveService(ctx, service); err != nil {
			return err
		}
	}
	part.ServicesGone += len(silent)
	if err := tx.DeleteServices(ctx, silent); err != nil {
		return err
	}
	if err := tx.Touch(ctx, s.host.ID); err != nil { // its old identifiers
		return err
	}
	return tx.SaveHost(ctx, s.host)
}

func (u *Undone) compare(e *entry, live bool) {
	if len(e.Evidence) != len(e.before.Evidence) || slices.ContainsFunc(e.Evidence, func(row finding.Evidence) bool { return row.ID == 0 }) {
		u.Changed++
	}
	switch {
	case live && !e.State.Live():
		u.Closed++
	case !live && e.State.Live():
		u.Reopened++
	}
}

// keepWithdrawn closes a finding that nothing speaks for any more and that a person has spoken of: its last words stay, and
// so does the triage.
func (e *entry) keepWithdrawn(now time.Time) {
	e.Evidence = slices.Clone(e.before.Evidence)
	if e.Withdrawn.IsZero() {
		e.Withdrawn = now.UTC().Truncate(time.Millisecond)
	}
	if e.State.Live() {
		e.State, e.Closing, e.ClosedBy, e.ClosedAt = finding.Closed, finding.Withdrawn, finding.ByPersonWord, e.Withdrawn
	}
}
