package assess

import (
	"context"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
)

// MergeHosts joins two hosts of one site that are one machine: what is known of other becomes what is known of keep, with
// its findings, their evidence and what people said of them. Old ids lead to the new ones.
func (a *Assessor) MergeHosts(ctx context.Context, keep, other int64) error {
	if keep == other {
		return fault.Invalid("host %d is itself already", keep)
	}
	f := newFacts(a.catalogue)
	return a.rebuild(ctx, func(tx Rebuilder) error {
		states, reports, err := loadAll(ctx, tx, sorted(keep, other))
		if err != nil {
			return err
		}
		into, from := states[keep], states[other]
		if into == nil || from == nil {
			return fault.NotFound("hosts %d and %d are not both known", keep, other)
		}
		if into.host.Site != from.host.Site {
			return fault.Conflict("hosts %d and %d are in different sites", keep, other)
		}
		return a.join(ctx, tx, f, into, from, append(reports[keep], reports[other]...))
	})
}

func sorted(ids ...int64) []int64 {
	slices.Sort(ids)
	return ids
}

func (a *Assessor) join(ctx context.Context, tx Rebuilder, f *facts, into, from *state, reports []finding.Sighting) error {
	now := a.now().UTC()
	into.looks, into.decrees = append(into.looks, from.looks...), append(into.decrees, from.decrees...)
	slices.SortStableFunc(into.looks, func(x, y finding.Look) int { return x.At.Compare(y.At) })
	slices.SortStableFunc(reports, func(x, y finding.Sighting) int { return x.At.Compare(y.At) })
	into.takeWords(from)
	joined := map[int64]int64{}
	for _, e := range from.sorted() {
		oldID := e.Finding.ID
		if kept := into.adopt(e); kept.Finding.ID != oldID {
			joined[oldID] = kept.Finding.ID
		}
	}
	rename(reports, joined)
	into.renameDecrees(joined)
	if err := joinFindings(ctx, tx, joined, now); err != nil {
		return err
	}
	if err := tx.MoveHost(ctx, from.host.ID, into.host.ID); err != nil {
		return err
	}
	if err := tx.Redirect(ctx, "host", from.host.ID, into.host.ID, now); err != nil {
		return err
	}
	if into.before(reports) != 0 {
		into.takeIdentifiers(from)
	}
	into.replay(reports, func(seenAt) bool { return true })
	if err := a.saveRebuilt(ctx, tx, f, into, false, &Undone{}); err != nil {
		return err
	}
	if err := saveReports(ctx, tx, reports, into.host.ID); err != nil {
		return err
	}
	if err := tx.Flush(ctx); err != nil { // nothing may hang on the other host when it goes
		return err
	}
	return tx.DeleteHost(ctx, from.host.ID)
}

// joinFindings removes findings that were joined into others; what people did to them goes along.
func joinFindings(ctx context.Context, tx Rebuilder, joined map[int64]int64, now time.Time) error {
	gone := make([]int64, 0, len(joined))
	for old, id := range joined {
		gone = append(gone, old)
		if err := tx.MoveFinding(ctx, old, id); err != nil {
			return err
		}
		if err := tx.Redirect(ctx, "finding", old, id, now); err != nil {
			return err
		}
	}
	return tx.DeleteFindings(ctx, gone)
}

// takeIdentifiers takes over by what another host is known, where no record of the reports tells it anew.
func (s *state) takeIdentifiers(from *state) {
	h, other := s.host, from.host
	for _, id := range other.Identifiers {
		if !slices.ContainsFunc(h.Identifiers, func(known asset.Identifier) bool {
			return known.Kind == id.Kind && known.Value == id.Value && known.Source == id.Source
		}) {
			h.Identifiers = append(h.Identifiers, id)
		}
	}
	if other.FirstSeen.Before(h.FirstSeen) {
		h.FirstSeen = other.FirstSeen
	}
	if other.LastSeen.After(h.LastSeen) {
		h.LastSeen = other.LastSeen
	}
}

// takeWords takes over what people said of a host, where nothing was said of this one.
func (s *state) takeWords(from *state) {
	h, other := s.host, from.host
	h.Own = h.Own.Join(other.Own)
	for _, tag := range other.Tags {
		if !slices.Contains(h.Tags, tag) {
			h.Tags = append(h.Tags, tag)
		}
	}
	keep(&h.Owner, other.Owner)
	keep(&h.Criticality, other.Criticality)
	if h.Exposed == nil {
		h.Exposed = other.Exposed
	}
	h.Demo = h.Demo && other.Demo
	for at, service := range from.services {
		if s.services[at] == nil {
			service.ID, service.HostID = 0, h.ID
			s.services[at] = service
		}
	}
}

// adopt takes a finding of another host in.
func (s *state) adopt(e *entry) *entry {
	at := e.Fingerprint
	at.HostID = s.host.ID
	kept := s.findings[at]
	if kept == nil {
		e.Fingerprint = at
		s.findings[at] = e
		return e
	}
	id, life := kept.Finding.ID, kept.before
	for i := range e.Evidence {
		e.Evidence[i].ID = 0
	}
	merged := finding.Merge(*kept.Finding, *e.Finding, s.looks, s.decrees...)
	merged.ID = id
	*kept.Finding = merged
	kept.before = life
	return kept
}

// rename makes reports speak of the findings by their new ids.
func rename(reports []finding.Sighting, joined map[int64]int64) {
	for _, r := range reports {
		for i, seen := range r.Seen {
			if id, ok := joined[seen.Finding]; ok {
				r.Seen[i].Finding = id
			}
		}
	}
}

// renameDecrees makes what people decreed of findings speak of them by their new ids.
func (s *state) renameDecrees(joined map[int64]int64) {
	for i := range s.decrees {
		if id, ok := joined[s.decrees[i].Finding]; ok {
			s.decrees[i].Finding = id
		}
	}
}

func saveReports(ctx context.Context, tx Rebuilder, reports []finding.Sighting, host int64) error {
	for _, r := range reports {
		r.HostID = host
		if err := tx.AddSighting(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// SplitHost makes what was seen at an address or name of a host a host of its own, and returns its id. What people said of
// the findings goes with them; a finding that was seen at both places is then two, and both carry it.
func (a *Assessor) SplitHost(ctx context.Context, id int64, place string) (split int64, err error) {
	f := newFacts(a.catalogue)
	err = a.rebuild(ctx, func(tx Rebuilder) error {
		states, reports, err := loadAll(ctx, tx, []int64{id})
		if err != nil {
			return err
		}
		s := states[id]
		if s == nil {
			return fault.NotFound("host %d", id)
		}
		if old := s.before(reports[id]); old != 0 {
			return fault.Conflict("host %d cannot be parted: scan %d, which looked at it, is older than the record that this needs", id, old)
		}
		var here, there []finding.Sighting
		for _, r := range reports[id] {
			if r.Place == place {
				there = append(there, r)
			} else {
				here = append(here, r)
			}
		}
		switch {
		case len(there) == 0:
			return fault.NotFound("host %d was never seen at %s", id, place)
		case len(here) == 0:
			return fault.Conflict("host %d was seen at %s only", id, place)
		}
		split, err = a.split(ctx, tx, f, s, here, there)
		return err
	})
	return split, err
}

func (a *Assessor) split(ctx context.Context, tx Rebuilder, f *facts, s *state, here, there []finding.Sighting) (int64, error) {
	other := newState(&asset.Host{Site: s.host.Site, Status: s.host.Status, Tags: slices.Clone(s.host.Tags), Owner: s.host.Owner,
		Criticality: s.host.Criticality, Exposed: s.host.Exposed, Own: s.host.Own, Demo: s.host.Demo})
	if err := tx.SaveHost(ctx, other.host); err != nil {
		return 0, err
	}
	if err := tx.Flush(ctx); err != nil { // what moves to it needs it there
		return 0, err
	}
	if s.rules != nil {
		terms := a.terms.With(s.rules.Terms)
		other.terms = &terms
	}
	other.decrees = slices.Clone(s.decrees)
	for _, e := range s.sorted() {
		copied := *e.Finding
		copied.HostID = other.host.ID
		copied.Evidence = slices.Clone(e.Evidence)
		other.findings[copied.Fingerprint] = newEntry(&copied)
	}
	other.looks = looksOf(s.looks, there)
	s.looks = looksOf(s.looks, here)
	none := func(seenAt) bool { return false }
	other.replay(there, none)
	s.replay(here, none)
	renamed := map[int64]int64{}
	for _, e := range other.sorted() {
		if len(e.Evidence) == 0 {
			delete(other.findings, e.Fingerprint)
			continue
		}
		old := e.Finding.ID
		e.Finding.ID, e.before.ID, e.rows = 0, 0, nil
		for i := range e.Evidence {
			e.Evidence[i].ID = 0
		}
		if err := a.saveOne(ctx, tx, f, other, e); err != nil {
			return 0, err
		}
		renamed[old] = e.Finding.ID
	}
	rename(there, renamed)
	if err := copyDecrees(ctx, tx, s, other, renamed); err != nil {
		return 0, err
	}
	other.renameDecrees(renamed)
	if err := tx.MovePlace(ctx, s.host.ID, other.host.ID, there[0].Place); err != nil {
		return 0, err
	}
	for _, l := range looksOf(other.looks, here) { // of reports on both places, which stay with the first
		if err := tx.AddLook(ctx, other.host.ID, l); err != nil {
			return 0, err
		}
	}
	if err := a.saveRebuilt(ctx, tx, f, other, false, &Undone{}); err != nil {
		return 0, err
	}
	if err := a.saveRebuilt(ctx, tx, f, s, false, &Undone{}); err != nil {
		return 0, err
	}
	return other.host.ID, saveReports(ctx, tx, there, other.host.ID)
}

// copyDecrees gives the other half of a parted host what people decreed of the whole.
func copyDecrees(ctx context.Context, tx Rebuilder, s, other *state, renamed map[int64]int64) error {
	for _, d := range s.decrees {
		if d.Reason == finding.SensorRetired { // it speaks of the site
			continue
		}
		if d.Finding != 0 {
			id, there := renamed[d.Finding]
			if !there {
				continue
			}
			d.Finding = id
			if err := tx.Flush(ctx); err != nil { // it refers to the finding
				return err
			}
		}
		if _, err := tx.AddDecree(ctx, other.host.Site, other.host.ID, d); err != nil {
			return err
		}
	}
	return nil
}

// saveOne settles and writes one new finding.
func (a *Assessor) saveOne(ctx context.Context, tx Rebuilder, f *facts, s *state, e *entry) error {
	site, err := tx.Site(ctx, s.host.Site)
	if err != nil {
		return err
	}
	if err := f.loadFor(ctx, s); err != nil {
		return err
	}
	a.settle(f, e, s, site)
	return e.save(ctx, tx)
}

// looksOf are the looks that the reports took.
func looksOf(looks []finding.Look, reports []finding.Sighting) (out []finding.Look) {
	for _, l := range looks {
		if slices.ContainsFunc(reports, func(r finding.Sighting) bool { return r.Scan == l.Scan && r.Sensor == l.Sensor && r.At.Equal(l.At) }) {
			out = append(out, l)
		}
	}
	return out
}
