package assess

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
)

// Remerged is the difference that the rules of today make to what was stored under those of another day.
type Remerged struct {
	Hosts    int
	Findings int // that were looked at
	Joined   int // that are the same as another by now, and are joined into it
	Parted   int // that are new, since their evidence speaks of several weaknesses by now
	Renamed  int // that are another weakness by now
	Rated    int // whose severity, confidence, status, decision or state differs
	Changes  []Change
}

// Change is one finding before and after.
type Change struct {
	ID            int64
	Host          string
	Port          uint16
	Was, Is       finding.Weakness
	Before, After Verdict
}

// Verdict is what rules decide of a finding.
type Verdict struct {
	Severity   string
	Confidence int
	Status     finding.Status
	State      finding.State
	Decision   string
}

func verdict(f *finding.Finding) Verdict {
	return Verdict{Severity: f.Severity, Confidence: f.Confidence, Status: f.Status, State: f.State, Decision: f.Decision}
}

// MaxChanges is how many changes a Remerge tells one by one.
const MaxChanges = 500

// Remerge applies today's rules to everything that is stored: which checks are one weakness, which CVEs a title names, how
// severity, confidence and state follow from the evidence. Evidence and what people said are never lost: a finding that is
// joined into another leaves it both, and its id leads there. Without apply it only says what would change.
func (a *Assessor) Remerge(ctx context.Context, apply bool) (total Remerged, err error) {
	f := newFacts(a.catalogue)
	for after := int64(0); ; {
		ids, err := a.estate.HostIDs(ctx, auth.Everything(), after, rematchHosts)
		if err != nil || len(ids) == 0 {
			return total, err
		}
		var part Remerged
		err = a.rebuild(ctx, func(tx Rebuilder) (err error) {
			part, err = a.remerge(ctx, tx, f, ids)
			if err == nil && !apply {
				err = errPreview
			}
			return err
		})
		if err != nil && !errors.Is(err, errPreview) {
			return total, err
		}
		total.add(part)
		after = ids[len(ids)-1]
	}
}

func (r *Remerged) add(part Remerged) {
	r.Hosts += part.Hosts
	r.Findings += part.Findings
	r.Joined += part.Joined
	r.Parted += part.Parted
	r.Renamed += part.Renamed
	r.Rated += part.Rated
	r.Changes = append(r.Changes, part.Changes[:min(len(part.Changes), MaxChanges-len(r.Changes))]...)
}

func (a *Assessor) remerge(ctx context.Context, tx Rebuilder, f *facts, ids []int64) (part Remerged, err error) {
	states, reports, err := loadAll(ctx, tx, ids)
	if err != nil {
		return part, err
	}
	for _, id := range ids {
		s := states[id]
		if s == nil {
			continue
		}
		part.Hosts++
		if err := a.remergeHost(ctx, tx, f, s, reports[id], &part); err != nil {
			return part, err
		}
	}
	return part, nil
}

func (a *Assessor) remergeHost(ctx context.Context, tx Rebuilder, f *facts, s *state, reports []finding.Sighting, part *Remerged) error {
	site, err := tx.Site(ctx, s.host.Site)
	if err != nil {
		return err
	}
	moved := s.regroup(part)
	if err := f.loadFor(ctx, s); err != nil {
		return err
	}
	if err := joinFindings(ctx, tx, moved.joined, a.now().UTC()); err != nil { // before others are written at their place
		return err
	}
	decrees := slices.Clone(s.decrees)
	s.renameDecrees(moved.joined)
	for _, e := range s.sorted() {
		before := verdict(&e.before)
		a.settle(f, e, s, site)
		if err := e.save(ctx, tx); err != nil {
			return err
		}
		part.note(e, s.host, before, moved)
	}
	if len(moved.homes) == 0 {
		return nil
	}
	for _, d := range decrees {
		if err := a.decreeParts(ctx, tx, f, s, site, d, moved); err != nil {
			return err
		}
	}
	moved.follow(reports)
	return saveReports(ctx, tx, reports, s.host.ID)
}

// decreeParts gives the new parts of a finding what a person decreed of the whole.
func (a *Assessor) decreeParts(ctx context.Context, tx Rebuilder, f *facts, s *state, site asset.Site, d finding.Decree, m movement) error {
	for _, h := range m.homes[d.Finding] {
		if _, old := m.was[h.entry]; old {
			continue
		}
		if err := tx.Flush(ctx); err != nil { // the decree refers to the finding
			return err
		}
		d.Finding = h.entry.Finding.ID
		id, err := tx.AddDecree(ctx, site.Name, s.host.ID, d)
		if err != nil {
			return err
		}
		d.ID = id
		s.decrees = append(s.decrees, d)
		h.entry.before = *h.entry.Finding
		a.settle(f, h.entry, s, site)
		if err := h.entry.save(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// movement is what regroup did to the findings of a host.
type movement struct {
	was    map[*entry]finding.Weakness
	joined map[int64]int64 // old id -> the id that it leads to
	homes  map[int64][]home
}

// home is where some of the evidence of a finding went.
type home struct {
	entry *entry
	of    []finding.Evidence
}

// follow makes reports speak of the findings in which the evidence is by now.
func (m movement) follow(reports []finding.Sighting) {
	for i, r := range reports {
		var seen []finding.Seen
		for _, one := range r.Seen {
			seen = append(seen, m.homesOf(one, r.Sensor)...)
		}
		reports[i].Seen = seen
	}
}

func (m movement) homesOf(one finding.Seen, sensor string) (out []finding.Seen) {
	homes := m.homes[one.Finding]
	src := finding.Source{Sensor: sensor, Check: one.Check, Policy: one.Policy}
	for _, h := range homes {
		if slices.ContainsFunc(h.of, func(e finding.Evidence) bool { return e.Source() == src }) {
			out = append(out, finding.Seen{Finding: h.entry.Finding.ID, Check: one.Check, Policy: one.Policy})
		}
	}
	if len(out) > 0 {
		return out
	}
	if len(homes) > 0 {
		one.Finding = homes[0].entry.Finding.ID
	}
	return []finding.Seen{one}
}

// regroup puts the evidence of every finding that has no CVE where today's rules want it.
func (s *state) regroup(part *Remerged) movement {
	m := movement{was: map[*entry]finding.Weakness{}, joined: map[int64]int64{}, homes: map[int64][]home{}}
	for _, e := range s.sorted() {
		part.Findings++
		m.was[e] = e.Weakness
		if e.Weakness.CVE() != 0 {
			continue
		}
		targets := e.targets()
		if len(targets) == 1 && targets[0].weakness == e.Weakness {
			continue
		}
		s.move(e, targets, part, m)
	}
	return m
}

// target is a weakness of which some rows of a finding speak.
type target struct {
	weakness finding.Weakness
	rows     []finding.Evidence
}

// targets groups the evidence by the weaknesses of today's rules, the present one first, so that what stays keeps its id. A
// row whose title names several CVEs speaks of each.
func (e *entry) targets() (out []target) {
	for _, row := range e.Evidence {
		var of []finding.Weakness
		if row.Result == "" {
			for _, id := range finding.CVEsIn(row.Title) {
				of = append(of, finding.OfCVE(id))
			}
		}
		if len(of) == 0 {
			of = append(of, finding.OfCheck(row.Check))
		}
		for _, w := range of {
			i := slices.IndexFunc(out, func(t target) bool { return t.weakness == w })
			if i < 0 {
				out, i = append(out, target{weakness: w}), len(out)
			}
			out[i].rows = append(out[i].rows, row)
		}
	}
	slices.SortFunc(out, func(a, b target) int {
		switch e.Weakness {
		case a.weakness:
			return -1
		case b.weakness:
			return 1
		}
		return strings.Compare(string(a.weakness), string(b.weakness))
	})
	return out
}

// move gives the rows of a finding to its targets. The first that is not there yet keeps its id.
func (s *state) move(e *entry, targets []target, part *Remerged, m movement) {
	old := *e.Finding
	delete(s.findings, e.Fingerprint)
	homeless := true
	for _, t := range targets {
		at := e.Fingerprint
		at.Weakness = t.weakness
		moved := old
		moved.Fingerprint, moved.Evidence = at, slices.Clone(t.rows)
		kept := s.findings[at]
		switch {
		case kept != nil:
			id, before := kept.Finding.ID, kept.before
			for i := range moved.Evidence {
				moved.Evidence[i].ID = 0
			}
			merged := finding.Merge(*kept.Finding, moved, s.looks, s.decrees...)
			merged.ID = id
			*kept.Finding, kept.before = merged, before
			m.homes[old.ID] = append(m.homes[old.ID], home{kept, t.rows})
			if homeless {
				homeless = false
				part.Joined++
				m.joined[old.ID] = id
			}
		case homeless:
			homeless = false
			if t.weakness != old.Weakness {
				part.Renamed++
			}
			*e.Finding = moved
			s.findings[at] = e
			m.homes[old.ID] = append(m.homes[old.ID], home{e, t.rows})
		default:
			part.Parted++
			moved.ID = 0
			for i := range moved.Evidence {
				moved.Evidence[i].ID = 0
			}
			s.findings[at] = newEntry(&moved)
			m.homes[old.ID] = append(m.homes[old.ID], home{s.findings[at], t.rows})
		}
	}
}

func (r *Remerged) note(e *entry, host *asset.Host, before Verdict, m movement) {
	after := verdict(e.Finding)
	was, known := m.was[e]
	if !known {
		was = e.Weakness
	}
	if e.before.ID != 0 && before != after {
		r.Rated++
	}
	if was == e.Weakness && (before == after || e.before.ID == 0) || len(r.Changes) >= MaxChanges {
		return
	}
	name := host.Address.String()
	if !host.Address.IsValid() {
		name = strings.Join(host.Names(), " ")
	}
	r.Changes = append(r.Changes, Change{ID: e.Finding.ID, Host: name, Port: e.Port, Was: was, Is: e.Weakness, Before: before, After: after})
}
