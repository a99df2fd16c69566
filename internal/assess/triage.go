package assess

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
)

// Words is the part of a transaction by which people's words and rules reach findings and hosts.
type Words interface {
	Rules(ctx context.Context) (*finding.Rules, error)
	// HostFindings returns findings with their sensors only; they are saved by SaveWords.
	HostFindings(ctx context.Context, hosts []int64) ([]*finding.Finding, error)
	SaveWords(ctx context.Context, f *finding.Finding) error
	SaveHostWords(ctx context.Context, h *asset.Host) error
	AddChange(ctx context.Context, c finding.Change) error
	AddDecree(ctx context.Context, site string, host int64, d finding.Decree) (int64, error)
}

// WithTerms returns the pipeline with the organisation's terms, by which findings are due.
func (a *Assessor) WithTerms(t finding.Terms) *Assessor {
	b := *a
	b.terms = t
	return &b
}

// tend says of a host what the rules about hosts say; before its findings are rated, since they depend on it. It answers
// whether anything changed.
func (a *Assessor) tend(s *state) bool {
	return s.rules != nil && s.rules.Hosts.Apply(s.host, a.now())
}

// say brings people's words, the rules and the terms to a rated finding. due is its due day of before.
func (a *Assessor) say(e *entry, s *state, due time.Time) {
	s.rules.Apply(e.Finding, s.facts(), a.now())
	if s.terms == nil {
		terms := a.terms
		if s.rules != nil { // a host that is being split off has none yet
			terms = terms.With(s.rules.Terms)
		}
		s.terms = &terms
	}
	e.SLADue = s.terms.Next(e.Finding, due)
	e.changes = a.effects(&e.before, e.Finding)
}

// effects are the lines of history of what rules changed of a finding.
func (a *Assessor) effects(before, after *finding.Finding) []finding.Change {
	changes := finding.Differences(before, after)
	for i := range changes {
		c := &changes[i]
		c.What, c.At, c.By = finding.OfFinding, a.now().UTC(), "rules"
		if c.Rule != 0 {
			c.By = fmt.Sprintf("rule %d", c.Rule)
		}
	}
	return changes
}

// facts is what rules may ask of the host.
func (s *state) facts() finding.HostFacts {
	if s.heard == nil {
		s.heard = make([]*asset.Service, 0, len(s.services))
		for _, service := range s.services {
			s.heard = append(s.heard, service)
		}
	}
	return finding.HostFacts{Host: s.host, Services: s.heard}
}

// record adds the changes of a stored finding to the history.
func record(ctx context.Context, tx Tx, id int64, changes []finding.Change) error {
	for _, c := range changes {
		c.Item = id
		if err := tx.AddChange(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// Swept says what a Sweep came to.
type Swept struct {
	Hosts    int // that it looked at
	Findings int // of which rules now say something else, or which are due on another day
	Assets   int // hosts of which rules now say something else
	Rerated  int // findings that were judged anew, since the exposure of their host changed
	Hits     map[int64]int
}

func (s *Swept) add(part Swept) {
	s.Hosts += part.Hosts
	s.Findings += part.Findings
	s.Assets += part.Assets
	for id, n := range part.Hits {
		s.Hits[id] += n
	}
}

// Sweep applies the rules and the terms to the findings of hosts, of all hosts when the list is nil, without asking the
// catalogue. anew computes the due days from the terms alone, for terms that were changed; otherwise none moves later.
// It works in short transactions: after an interruption what it did stands, and the next one does the rest.
func (a *Assessor) Sweep(ctx context.Context, hosts []int64, anew bool) (Swept, error) {
	total := Swept{Hits: map[int64]int{}}
	var moved []int64 // whose exposure changed
	err := a.eachHosts(ctx, hosts, func(ids []int64) error {
		var part Swept
		var exposed []int64
		if err := a.estate.Update(ctx, func(tx Tx) (err error) {
			part, exposed, err = a.sweep(ctx, tx, ids, anew)
			return err
		}); err != nil {
			return err
		}
		total.add(part)
		moved = append(moved, exposed...)
		return nil
	})
	if err == nil && len(moved) > 0 {
		total.Rerated, err = a.Resettle(ctx, moved)
	}
	return total, err
}

// eachHosts calls fn for a few hosts at a time; nil is all hosts.
func (a *Assessor) eachHosts(ctx context.Context, hosts []int64, fn func(ids []int64) error) error {
	if hosts != nil {
		for ids := range slices.Chunk(hosts, rematchHosts) {
			if err := fn(ids); err != nil {
				return err
			}
		}
		return nil
	}
	for after := int64(0); ; {
		ids, err := a.estate.HostIDs(ctx, auth.Everything(), after, rematchHosts)
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := fn(ids); err != nil {
			return err
		}
		after = ids[len(ids)-1]
	}
}

func (a *Assessor) sweep(ctx context.Context, tx Tx, ids []int64, anew bool) (part Swept, exposed []int64, err error) {
	part.Hits = map[int64]int{}
	rules, err := tx.Rules(ctx)
	if err != nil {
		return part, nil, err
	}
	a = a.WithTerms(a.terms.With(rules.Terms))
	facts, err := a.hostFacts(ctx, tx, ids)
	if err != nil {
		return part, nil, err
	}
	findings, err := tx.HostFindings(ctx, ids)
	if err != nil {
		return part, nil, err
	}
	part.Hosts = len(facts)
	for _, id := range ids {
		if h := facts[id].Host; h != nil {
			if exposed, err = a.sweepHost(ctx, tx, rules, h, &part, exposed); err != nil {
				return part, nil, err
			}
		}
	}
	for _, f := range findings {
		if err := a.sweepFinding(ctx, tx, rules, f, facts[f.HostID], anew, &part); err != nil {
			return part, nil, err
		}
	}
	return part, exposed, nil
}

func (a *Assessor) sweepHost(ctx context.Context, tx Tx, rules *finding.Rules, h *asset.Host, part *Swept, exposed []int64) ([]int64, error) {
	was := h.Exposed
	if !rules.Hosts.Apply(h, a.now()) {
		return exposed, nil
	}
	part.Assets++
	if (was == nil) != (h.Exposed == nil) || was != nil && *was != *h.Exposed {
		exposed = append(exposed, h.ID)
	}
	return exposed, tx.SaveHostWords(ctx, h)
}

func (a *Assessor) sweepFinding(ctx context.Context, tx Tx, rules *finding.Rules, f *finding.Finding, h finding.HostFacts, anew bool, part *Swept) error {
	before := *f
	changed := rules.Apply(f, h, a.now())
	for _, id := range rules.Matching(f, h, a.now()) {
		part.Hits[id]++
	}
	if anew {
		f.SLADue = a.terms.Due(f)
	} else {
		f.SLADue = a.terms.Next(f, f.SLADue)
	}
	if !changed && f.SLADue.Equal(before.SLADue) {
		return nil
	}
	part.Findings++
	if err := record(ctx, tx, f.ID, a.effects(&before, f)); err != nil {
		return err
	}
	return tx.SaveWords(ctx, f)
}

func (a *Assessor) hostFacts(ctx context.Context, tx Tx, ids []int64) (map[int64]finding.HostFacts, error) {
	hosts, err := tx.HostsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	services, err := tx.Services(ctx, ids)
	if err != nil {
		return nil, err
	}
	byHost := map[int64][]*asset.Service{}
	for _, s := range services {
		byHost[s.HostID] = append(byHost[s.HostID], s)
	}
	out := make(map[int64]finding.HostFacts, len(hosts))
	for _, h := range hosts {
		out[h.ID] = finding.HostFacts{Host: h, Services: byHost[h.ID]}
	}
	return out, nil
}

// Resettle folds, rates and settles the findings of hosts anew, after a person said something of the hosts or ended
// findings. It answers how many changed.
func (a *Assessor) Resettle(ctx context.Context, hosts []int64) (changed int, err error) {
	f := newFacts(a.catalogue)
	err = a.eachHosts(ctx, hosts, func(ids []int64) error {
		n := 0
		err := a.estate.Update(ctx, func(tx Tx) error {
			n = 0
			return a.resettle(ctx, tx, f, ids, func(e *entry) { n++ })
		})
		changed += n
		return err
	})
	return changed, err
}

// resettle calls each for every finding that changed.
func (a *Assessor) resettle(ctx context.Context, tx Tx, f *facts, ids []int64, each func(*entry), extra ...finding.Decree) error {
	states, err := openStates(ctx, tx, ids)
	if err != nil {
		return err
	}
	for _, s := range states {
		site, err := tx.Site(ctx, s.host.Site)
		if err != nil {
			return err
		}
		if a.tend(s) {
			if err := tx.SaveHostWords(ctx, s.host); err != nil {
				return err
			}
		}
		if err := f.loadFor(ctx, s); err != nil {
			return err
		}
		s.decrees = append(s.decrees, extra...)
		for _, e := range s.sorted() {
			a.settle(f, e, s, site)
			if !e.changed() {
				continue
			}
			each(e)
			if err := e.save(ctx, tx); err != nil {
				return err
			}
		}
	}
	return nil
}

// openStates reads hosts with all that is known of them, in the order of their ids.
func openStates(ctx context.Context, tx Tx, ids []int64) ([]*state, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	hosts, err := tx.HostsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	byID := map[int64]*state{}
	out := make([]*state, 0, len(hosts))
	known := make([]int64, 0, len(hosts))
	for _, h := range hosts {
		byID[h.ID] = newState(h)
		out, known = append(out, byID[h.ID]), append(known, h.ID)
	}
	return out, loadStates(ctx, tx, known, byID)
}

// Decree keeps a person's word that ends findings, and ends them: on the hosts for HostRetired, those that only the sensor
// saw for SensorRetired (hosts are those of the site on which it saw something). It answers how many ended. What is seen
// again reopens. After an error or an interruption the rest ends when the same is said again or the host is scanned.
func (a *Assessor) Decree(ctx context.Context, site string, d finding.Decree, hosts []int64) (ended int, err error) {
	f := newFacts(a.catalogue)
	if d.Reason == finding.SensorRetired {
		if err := a.estate.Update(ctx, func(tx Tx) error {
			if _, err := tx.AddDecree(ctx, site, 0, d); err != nil {
				return err
			}
			return tx.AddChange(ctx, finding.Change{What: finding.OfSensor, At: d.At, By: d.By, Kind: finding.ChangeDecree, To: site + " " + d.Sensor, Note: d.Note})
		}); err != nil {
			return 0, err
		}
	}
	err = a.eachHosts(ctx, notNil(hosts), func(ids []int64) error {
		n := 0
		err := a.estate.Update(ctx, func(tx Tx) error {
			n = 0
			var extra []finding.Decree
			if d.Reason == finding.HostRetired {
				if err := a.retire(ctx, tx, site, d, ids); err != nil {
					return err
				}
				extra = append(extra, d)
			}
			return a.resettle(ctx, tx, f, ids, func(e *entry) { n += e.ended() }, extra...)
		})
		ended += n
		return err
	})
	return ended, err
}

func notNil(ids []int64) []int64 {
	if ids == nil {
		return []int64{}
	}
	return ids
}

func (a *Assessor) retire(ctx context.Context, tx Tx, site string, d finding.Decree, hosts []int64) error {
	for _, id := range hosts {
		if _, err := tx.AddDecree(ctx, site, id, d); err != nil {
			return err
		}
		if err := tx.AddChange(ctx, finding.Change{What: finding.OfHost, Item: id, At: d.At, By: d.By, Kind: finding.ChangeDecree, To: string(d.Reason), Note: d.Note}); err != nil {
			return err
		}
	}
	return nil
}

// changed says whether anything that is stored of the finding is another than before.
func (e *entry) changed() bool {
	after, before := *e.Finding, e.before
	after.History, before.History = nil, nil
	after.Word, after.WordBy, before.Word, before.WordBy = "", "", "", ""
	return !reflect.DeepEqual(after, before)
}

// ended is 1 when the finding was live and is no more.
func (e *entry) ended() int {
	if e.before.State.Live() && !e.State.Live() {
		return 1
	}
	return 0
}

// CloseFindings ends findings by a person's word, until they are seen again; by is the finding ids of each host. It answers
// how many ended: those that had ended before are left alone.
func (a *Assessor) CloseFindings(ctx context.Context, by map[int64][]int64, d finding.Decree) (ended int, err error) {
	f := newFacts(a.catalogue)
	hosts := make([]int64, 0, len(by))
	for id := range by {
		hosts = append(hosts, id)
	}
	slices.Sort(hosts)
	err = a.eachHosts(ctx, hosts, func(ids []int64) error {
		n := 0
		err := a.estate.Update(ctx, func(tx Tx) (err error) {
			n, err = a.closeOn(ctx, tx, f, ids, by, d)
			return err
		})
		ended += n
		return err
	})
	return ended, err
}

func (a *Assessor) closeOn(ctx context.Context, tx Tx, f *facts, hosts []int64, by map[int64][]int64, d finding.Decree) (ended int, err error) {
	states, err := openStates(ctx, tx, hosts)
	if err != nil {
		return 0, err
	}
	for _, s := range states {
		site, err := tx.Site(ctx, s.host.Site)
		if err != nil {
			return 0, err
		}
		if err := f.loadFor(ctx, s); err != nil {
			return 0, err
		}
		for _, e := range s.sorted() {
			if !e.before.State.Live() || !slices.Contains(by[s.host.ID], e.ID) {
				continue
			}
			d.Finding = e.ID
			if _, err := tx.AddDecree(ctx, site.Name, s.host.ID, d); err != nil {
				return 0, err
			}
			if err := tx.AddChange(ctx, finding.Change{What: finding.OfFinding, Item: e.ID, At: d.At, By: d.By, Kind: finding.ChangeDecree, To: string(d.Reason), Note: d.Note}); err != nil {
				return 0, err
			}
			s.decrees = append(s.decrees, d)
			a.settle(f, e, s, site)
			ended += e.ended()
			if err := e.save(ctx, tx); err != nil {
				return 0, err
			}
		}
	}
	return ended, nil
}

// Preview says how many findings a decree would end, and changes nothing.
func (a *Assessor) Preview(ctx context.Context, d finding.Decree, hosts []int64) (ended int, err error) {
	err = a.eachHosts(ctx, notNil(hosts), func(ids []int64) error {
		n := 0
		err := a.estate.Update(ctx, func(tx Tx) error {
			n = 0
			states, err := openStates(ctx, tx, ids)
			if err != nil {
				return err
			}
			for _, s := range states {
				for _, e := range s.findings {
					life := finding.Fold(e.Finding, s.looks, append(slices.Clone(s.decrees), d)...)
					if e.State.Live() && !life.State.Live() {
						n++
					}
				}
			}
			return nil
		})
		ended += n
		return err
	})
	return ended, err
}
