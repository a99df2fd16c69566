package assess

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/finding"
)

// state is one host with all that the estate knows of it.
type state struct {
	host     *asset.Host
	services map[port]*asset.Service
	findings map[finding.Fingerprint]*entry
	looks    []finding.Look
	decrees  []finding.Decree
	added    []finding.Look
	touched  map[port]bool // services that were heard

	late    bool                       // a newer report spoke of the host before
	sighted []finding.Sighting         // what the report says of the host, by place
	saw     map[string][]sourceOfEntry // which findings it saw, by place

	rules *finding.Rules
	terms *finding.Terms   // those that hold for it; nil before they are first asked
	heard []*asset.Service // services, for the rules
}

// sourceOfEntry is a check that saw a finding.
type sourceOfEntry struct {
	entry *entry
	src   finding.Source
}

// begin notes that what follows is seen at a place of the host.
func (s *state) begin(at finding.Sighting) {
	s.sighted = append(s.sighted, at)
}

// note remembers that the source saw the finding at the place that is looked at.
func (s *state) note(e *entry, src finding.Source) {
	if len(s.sighted) == 0 {
		return
	}
	if s.saw == nil {
		s.saw = map[string][]sourceOfEntry{}
	}
	place := s.sighted[len(s.sighted)-1].Place
	s.saw[place] = append(s.saw[place], sourceOfEntry{e, src})
}

type port struct {
	protocol string
	number   uint16
}

// entry is one finding while it is merged.
type entry struct {
	*finding.Finding
	before finding.Finding         // as it was read
	rows   []int64                 // ids of the evidence that was read
	seen   map[finding.Source]bool // sources of this report that saw it

	changes []finding.Change // of what rules say of it
}

func newState(h *asset.Host) *state {
	return &state{host: h, services: map[port]*asset.Service{}, findings: map[finding.Fingerprint]*entry{}, touched: map[port]bool{}}
}

// loadStates reads services, looks and findings of hosts.
func loadStates(ctx context.Context, tx Tx, ids []int64, byID map[int64]*state) error {
	if err := loadKnown(ctx, tx, ids, byID); err != nil {
		return err
	}
	findings, err := tx.Findings(ctx, ids)
	if err != nil {
		return err
	}
	for _, f := range findings {
		byID[f.HostID].findings[f.Fingerprint] = newEntry(f)
	}
	return nil
}

// loadKnown reads what there is of hosts but their findings.
func loadKnown(ctx context.Context, tx Tx, ids []int64, byID map[int64]*state) error {
	services, err := tx.Services(ctx, ids)
	if err != nil {
		return err
	}
	for _, s := range services {
		byID[s.HostID].services[port{s.Protocol, s.Port}] = s
	}
	looks, err := tx.Looks(ctx, ids)
	if err != nil {
		return err
	}
	for id, l := range looks {
		byID[id].looks = l
	}
	decrees, err := tx.Decrees(ctx, ids)
	if err != nil {
		return err
	}
	for id, d := range decrees {
		byID[id].decrees = d
	}
	rules, err := tx.Rules(ctx)
	if err != nil {
		return err
	}
	for _, s := range byID {
		s.rules = rules
	}
	return nil
}

func newEntry(f *finding.Finding) *entry {
	e := &entry{Finding: f, before: *f, seen: map[finding.Source]bool{}}
	e.before.Evidence = slices.Clone(f.Evidence)
	for _, row := range f.Evidence {
		e.rows = append(e.rows, row.ID)
	}
	return e
}

// outcome is what became of one finding of a record.
type outcome bool

const (
	isNew    outcome = true
	isMerged outcome = false
)

// account books one record: see finding.Ledger for the rule.
func account(ledger *finding.Ledger, outcomes []outcome) {
	if len(outcomes) == 0 {
		ledger.Informational++
		return
	}
	ledger.Expanded += len(outcomes) - 1
	for _, o := range outcomes {
		if o == isNew {
			ledger.New++
		} else {
			ledger.Merged++
		}
	}
}

// hear tells the service at a port what a sensor says of it.
func (s *state) hear(said asset.Said, at port, demo bool) {
	service := s.services[at]
	if service == nil {
		service = &asset.Service{HostID: s.host.ID, Protocol: at.protocol, Port: at.number, Demo: demo}
		s.services[at] = service
	}
	service.Demo = service.Demo && demo
	service.Hear(said)
	s.touched[at] = true
}

// see adds one sighting to the finding with a fingerprint.
func (s *state) see(at finding.Fingerprint, e finding.Evidence, demo bool) outcome {
	f, known := s.findings[at]
	if !known {
		f = newEntry(&finding.Finding{Fingerprint: at, Demo: demo})
		s.findings[at] = f
	}
	f.Demo = f.Demo && demo
	f.Withdrawn = time.Time{}
	if !f.seen[e.Source()] {
		f.seen[e.Source()] = true
	}
	s.note(f, e.Source())
	f.Evidence = finding.See(f.Evidence, e, finding.Times(s.looks, e.Source(), at))
	return outcome(!known)
}

// deny adds evidence against a finding that is known.
func (s *state) deny(at finding.Fingerprint, e finding.Evidence, demo bool) {
	if s.findings[at] != nil {
		s.see(at, e, demo)
	}
}

// ordered lists the services by port, so that new ones get their ids alike every time.
func (s *state) ordered() []*asset.Service {
	out := make([]*asset.Service, 0, len(s.services))
	for _, service := range s.services {
		out = append(out, service)
	}
	slices.SortFunc(out, func(a, b *asset.Service) int {
		return cmp.Or(strings.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Port, b.Port))
	})
	return out
}

// sorted gives the findings an order that does not depend on the map, so that new ones get their ids alike every time.
func (s *state) sorted() []*entry {
	out := make([]*entry, 0, len(s.findings))
	for _, e := range s.findings {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b *entry) int { return a.Fingerprint.Compare(b.Fingerprint) })
	return out
}

// miss splits rows that an older report now contradicts.
func (e *entry) miss(s *state, sensor string) {
	for _, l := range s.added {
		for _, src := range e.sources(sensor) {
			if !e.seen[src] && l.Covers(e.Fingerprint, src) {
				e.Evidence = finding.Miss(e.Evidence, src, l.At, finding.Times(s.looks, src, e.Fingerprint))
			}
		}
	}
}

func (e *entry) sources(sensor string) (out []finding.Source) {
	for _, row := range e.Evidence {
		if row.Sensor == sensor && !slices.Contains(out, row.Source()) {
			out = append(out, row.Source())
		}
	}
	return out
}

// settle derives everything that follows from the evidence and the looks.
func (a *Assessor) settle(f *facts, e *entry, s *state, site asset.Site) {
	e.Derive(s.looks...)
	e.Life = finding.Fold(e.Finding, s.looks, s.decrees...)
	due := e.SLADue
	f.rate(e.Finding, exposure(site, s.host), a.now())
	a.say(e, s, due)
}

// save writes the finding if anything of it changed.
func (e *entry) save(ctx context.Context, tx Tx) error {
	if e.ID != 0 && !e.changed() {
		return nil
	}
	var gone []int64
	for _, id := range e.rows {
		if !slices.ContainsFunc(e.Evidence, func(row finding.Evidence) bool { return row.ID == id }) {
			gone = append(gone, id)
		}
	}
	if err := tx.SaveFinding(ctx, e.Finding, gone); err != nil {
		return err
	}
	return record(ctx, tx, e.ID, e.changes)
}
