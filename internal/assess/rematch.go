package assess

import (
	"context"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/match"
)

// Rematched says what a Rematch came to.
type Rematched struct {
	Hosts     int
	New       int // findings that only the changed catalogue knows
	Withdrawn int // findings that it took back
	Returned  int // findings that it had taken back and gives again
}

// rematchHosts is how many hosts one transaction of Rematch is about.
const rematchHosts = 25

// Rematch asks the catalogue anew about every stored service and rates every finding again, after a feed has changed.
// Nothing was looked at, so nothing is seen or fixed by it: a new match is dated by the sighting of its service, and a
// match that no longer holds is withdrawn by the catalogue.
func (a *Assessor) Rematch(ctx context.Context) (total Rematched, err error) {
	f := newFacts(a.catalogue)
	for after := int64(0); ; {
		ids, err := a.estate.HostIDs(ctx, auth.Everything(), after, rematchHosts)
		if err != nil || len(ids) == 0 {
			return total, err
		}
		var part Rematched
		if err := a.estate.Update(ctx, func(tx Tx) (err error) {
			part, err = a.rematch(ctx, tx, f, ids)
			return err
		}); err != nil {
			return total, err
		}
		total.Hosts += part.Hosts
		total.New += part.New
		total.Withdrawn += part.Withdrawn
		total.Returned += part.Returned
		after = ids[len(ids)-1]
	}
}

func (a *Assessor) rematch(ctx context.Context, tx Tx, f *facts, ids []int64) (part Rematched, err error) {
	hosts, err := tx.HostsByID(ctx, ids)
	if err != nil {
		return part, err
	}
	byID := map[int64]*state{}
	for _, h := range hosts {
		byID[h.ID] = newState(h)
	}
	if err := loadStates(ctx, tx, ids, byID); err != nil {
		return part, err
	}
	part.Hosts = len(hosts)
	for _, h := range hosts {
		if err := a.rematchHost(ctx, tx, f, byID[h.ID], &part); err != nil {
			return part, err
		}
	}
	return part, nil
}

func (a *Assessor) rematchHost(ctx context.Context, tx Tx, f *facts, s *state, part *Rematched) error {
	site, err := tx.Site(ctx, s.host.Site)
	if err != nil {
		return err
	}
	now := a.now().UTC().Truncate(time.Millisecond)
	standing, err := a.standing(ctx, tx, s)
	if err != nil {
		return err
	}
	var cves []cve.ID
	for at, found := range standing {
		e, known := s.findings[at]
		if !known {
			part.New++
			e = newEntry(&finding.Finding{Fingerprint: at, Demo: s.host.Demo})
			s.findings[at] = e
		}
		if !e.Withdrawn.IsZero() {
			part.Returned++
			e.Withdrawn = time.Time{}
		}
		for _, word := range found {
			e.restate(word, s.looks)
		}
	}
	for at, e := range s.findings {
		cves = append(cves, at.Weakness.CVE())
		if _, stands := standing[at]; !stands && e.onlyByVersion() && e.Withdrawn.IsZero() {
			e.Withdrawn = now
			if finding.Fold(&finding.Finding{Fingerprint: at, Evidence: e.Evidence}, s.looks, s.decrees...).State.Live() {
				part.Withdrawn++
			}
		}
	}
	if err := f.load(ctx, cves); err != nil {
		return err
	}
	if a.tend(s) {
		if err := tx.SaveHostWords(ctx, s.host); err != nil {
			return err
		}
	}
	for _, e := range s.sorted() {
		a.settle(f, e, s, site)
		if err := e.save(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// standing is what the catalogue now finds at the services of a host, by what each sensor said of them last. What a
// sensor said at an earlier time than its evidence says nothing of it.
func (a *Assessor) standing(ctx context.Context, tx Tx, s *state) (map[finding.Fingerprint][]finding.Evidence, error) {
	out := map[finding.Fingerprint][]finding.Evidence{}
	bySensor := map[string][]heard{}
	for _, service := range s.services {
		for i, said := range service.Said {
			bySensor[said.Sensor] = append(bySensor[said.Sensor], heard{service, i})
		}
	}
	for _, words := range bySensor {
		said := make([]asset.Said, len(words))
		for i, w := range words {
			said[i] = w.service.Said[w.index]
		}
		matched, err := matchServices(ctx, a.matcher, said, s.host.CPEs)
		if err != nil {
			return nil, err
		}
		for i, w := range words {
			if err := w.update(ctx, tx, matched[i]); err != nil {
				return nil, err
			}
			stand(out, s.host, w.service, said[i], matched[i].matches)
		}
	}
	return out, nil
}

func stand(out map[finding.Fingerprint][]finding.Evidence, h *asset.Host, service *asset.Service, said asset.Said, matches []match.Match) {
	for _, one := range matches {
		at := finding.Fingerprint{Site: h.Site, HostID: h.ID, Protocol: service.Protocol, Port: service.Port, Weakness: finding.OfCVE(one.CVE)}
		out[at] = append(out[at], versionEvidence(said, one))
	}
}

// heard is one sensor's word on a service.
type heard struct {
	service *asset.Service
	index   int
}

// update keeps the new number of candidates.
func (w heard) update(ctx context.Context, tx Tx, m serviceMatch) error {
	if w.service.Said[w.index].Candidates == m.candidates {
		return nil
	}
	w.service.Said[w.index].Candidates = m.candidates
	w.service.Choose()
	return tx.SaveService(ctx, w.service)
}

// onlyByVersion says whether nothing but the comparison of versions speaks for the finding.
func (e *entry) onlyByVersion() bool {
	return !slices.ContainsFunc(e.Evidence, func(row finding.Evidence) bool { return row.Check != finding.VersionCheck })
}

// restate writes what the catalogue now says of a sighting into the row that holds it, or into a new one where the
// catalogue knew nothing.
func (e *entry) restate(word finding.Evidence, looks []finding.Look) {
	for i := range e.Evidence {
		row := &e.Evidence[i]
		if row.Source() != word.Source() || word.LastSeen.Before(row.FirstSeen) || word.LastSeen.After(row.LastSeen) {
			continue
		}
		word.ID, word.FirstSeen, word.LastSeen, word.FirstScan, word.LastScan = row.ID, row.FirstSeen, row.LastSeen, row.FirstScan, row.LastScan
		*row = word
		return
	}
	e.Evidence = finding.See(e.Evidence, word, finding.Times(looks, word.Source(), e.Fingerprint))
}
