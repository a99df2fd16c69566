package assess

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/finding"
)

// pass brings one sensor's report into the estate.
type pass struct {
	*Assessor
	scan   *finding.Scan
	report *report
	at     time.Time
	met    *tally
	facts  *facts
}

// maxRows is about how many rows one transaction writes, so that others wait a moment only.
const maxRows = 5000

func (p *pass) run(ctx context.Context) (finding.Ledger, error) {
	ledger := finding.Ledger{Records: p.report.records, Informational: p.report.informational, Hosts: len(p.report.order)}
	for reason, n := range p.report.dropped.Dropped {
		ledger.Drop(reason, n)
	}
	named, matched := map[cve.ID]bool{}, map[cve.ID]bool{}
	var batch []*hostReport
	rows := 0
	flush := func() error {
		part, err := p.commit(ctx, batch)
		ledger.Expanded += part.Expanded
		ledger.New += part.New
		ledger.Merged += part.Merged
		ledger.Informational += part.Informational
		batch, rows = nil, 0
		return err
	}
	for _, key := range p.report.order {
		h := p.report.hosts[key]
		if err := p.prepare(ctx, h); err != nil {
			return ledger, err
		}
		p.count(h, &ledger, named, matched)
		if batch = append(batch, h); rows+h.rows() < maxRows {
			rows += h.rows()
			continue
		}
		if err := flush(); err != nil {
			return ledger, err
		}
	}
	for id := range matched {
		if !named[id] {
			ledger.Matched++
		}
	}
	ledger.CVEs = len(named)
	return ledger, flush()
}

// prepare asks the catalogue about a host, outside of any transaction on the estate.
func (p *pass) prepare(ctx context.Context, h *hostReport) error {
	words := make([]asset.Said, len(h.services))
	for i, s := range h.services {
		words[i] = p.report.said(s, serviceMatch{}, p.scan.ID, p.at)
	}
	var err error
	if h.matched, err = matchServices(ctx, p.matcher, words, h.cpes); err != nil {
		return err
	}
	return p.facts.load(ctx, h.cves())
}

func (p *pass) count(h *hostReport, ledger *finding.Ledger, named, matched map[cve.ID]bool) {
	if h.answered() {
		ledger.HostsUp++
		p.met.up[h.key()] = true
	} else {
		p.met.silent[h.key()] = true
	}
	ports := map[port]bool{}
	for i, s := range h.services {
		ports[port{s.Protocol, s.Port}] = true
		p.met.services[fmt.Sprintf("%s %s/%d", h.key(), s.Protocol, s.Port)] = true
		ledger.Unknown += h.matched[i].candidates
		for _, m := range h.matched[i].matches {
			matched[m.CVE] = true
		}
	}
	ledger.Services += len(ports)
	for _, o := range h.observations {
		for _, id := range o.CVEs {
			named[id] = true
		}
	}
}

// rows is about how many rows the host will need: a finding has evidence, a service perhaps a text.
func (h *hostReport) rows() int {
	n := 4 + 2*len(h.services)
	for _, m := range h.matched {
		n += 2 * len(m.matches)
	}
	for _, o := range h.observations {
		n += 2 * max(1, len(o.CVEs))
	}
	return n
}

// commit merges some hosts in one transaction. The ledger it returns holds what became of their records. Nothing is
// changed outside of the transaction, which may be run again.
func (p *pass) commit(ctx context.Context, batch []*hostReport) (part finding.Ledger, err error) {
	if len(batch) == 0 {
		return part, nil
	}
	err = p.estate.Update(ctx, func(tx Tx) error {
		part = finding.Ledger{}
		m, err := p.open(ctx, tx, batch)
		if err != nil {
			return err
		}
		for _, h := range batch {
			if err := m.merge(ctx, h, &part); err != nil {
				return err
			}
		}
		return m.save(ctx)
	})
	return part, err
}

// merging is one transaction's view of the hosts it is about.
type merging struct {
	*pass
	tx       Tx
	site     asset.Site
	index    asset.Index
	resolved map[*hostReport]*state
	states   []*state
	seen     map[string]finding.ScanHost
}

// state is one host with all that the estate knows of it.
type state struct {
	host     *asset.Host
	services map[port]*asset.Service
	findings map[finding.Fingerprint]*entry
	looks    []finding.Look
	added    []finding.Look
	touched  map[port]bool // services that were heard
}

type port struct {
	protocol string
	number   uint16
}

// entry is one finding while it is merged.
type entry struct {
	*finding.Finding
	before finding.Finding // as it was read
	rows   []int64         // ids of the evidence that was read
	seen   map[string]bool // checks of this report that saw it
}

// open finds the hosts of a batch and reads what is stored of them.
func (p *pass) open(ctx context.Context, tx Tx, batch []*hostReport) (*merging, error) {
	m := &merging{pass: p, tx: tx, resolved: map[*hostReport]*state{}, seen: map[string]finding.ScanHost{}}
	var err error
	if m.site, err = tx.Site(ctx, p.scan.Site); err != nil {
		return nil, err
	}
	var ids []asset.Identifier
	for _, h := range batch {
		ids = append(ids, h.sighting(p.scan.Site, p.report.sensor, p.at).Identifiers()...)
	}
	hosts, err := tx.HostsHolding(ctx, p.scan.Site, ids)
	if err != nil {
		return nil, err
	}
	for _, h := range hosts {
		m.index.Add(h)
	}
	byHost := map[*asset.Host]*state{}
	for _, h := range batch {
		if err := m.resolve(ctx, h, byHost); err != nil {
			return nil, err
		}
	}
	return m, m.load(ctx)
}

// resolve finds or makes the host of a report and notes that it was seen.
func (m *merging) resolve(ctx context.Context, h *hostReport, byHost map[*asset.Host]*state) error {
	s := h.sighting(m.scan.Site, m.report.sensor, m.at)
	host := asset.Resolve(&m.index, s)
	switch {
	case host == nil && !h.answered():
		return nil // silent and unknown: no host, only a line in the scan
	case host == nil:
		host = &asset.Host{Site: m.scan.Site, Status: asset.Up, Demo: m.scan.Demo}
	}
	m.describe(host, h)
	if h.answered() {
		host.Note(s)
		m.index.Add(host)
	}
	if host.ID == 0 {
		if err := m.tx.SaveHost(ctx, host); err != nil { // gives it its id
			return err
		}
	}
	if byHost[host] == nil {
		byHost[host] = newState(host)
		m.states = append(m.states, byHost[host])
	}
	m.resolved[h] = byHost[host]
	return nil
}

func newState(h *asset.Host) *state {
	return &state{host: h, services: map[port]*asset.Service{}, findings: map[finding.Fingerprint]*entry{}, touched: map[port]bool{}}
}

// describe takes over what a newer report says; one that knows nothing takes nothing away.
func (m *merging) describe(host *asset.Host, h *hostReport) {
	if m.at.Before(host.LastSeen) {
		return
	}
	host.Status = asset.HostStatus(h.status)
	host.Demo = host.Demo && m.scan.Demo
	if h.os != "" {
		host.OS = h.os
	}
	if len(h.cpes) > 0 {
		host.CPEs = h.cpes
	}
}

func (m *merging) load(ctx context.Context) error {
	byID := map[int64]*state{}
	var ids []int64
	for _, s := range m.states {
		byID[s.host.ID] = s
		ids = append(ids, s.host.ID)
	}
	slices.Sort(ids)
	return loadStates(ctx, m.tx, ids, byID)
}

// loadStates reads services, looks and findings of hosts.
func loadStates(ctx context.Context, tx Tx, ids []int64, byID map[int64]*state) error {
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
	findings, err := tx.Findings(ctx, ids)
	if err != nil {
		return err
	}
	for _, f := range findings {
		byID[f.HostID].findings[f.Fingerprint] = newEntry(f)
	}
	return nil
}

func newEntry(f *finding.Finding) *entry {
	e := &entry{Finding: f, before: *f, seen: map[string]bool{}}
	e.before.Evidence = slices.Clone(f.Evidence)
	for _, row := range f.Evidence {
		e.rows = append(e.rows, row.ID)
	}
	return e
}

// merge brings one host's report into its state and accounts for each of its records.
func (m *merging) merge(ctx context.Context, h *hostReport, ledger *finding.Ledger) error {
	s := m.resolved[h]
	m.remember(h, s)
	if s == nil {
		return nil
	}
	m.look(h, s)
	for i, service := range h.services {
		said := m.report.said(service, h.matched[i], m.scan.ID, m.at)
		s.hear(said, port{service.Protocol, service.Port}, m.scan.Demo)
		at := finding.Fingerprint{Site: m.site.Name, HostID: s.host.ID, Protocol: service.Protocol, Port: service.Port}
		outcomes := make([]outcome, len(h.matched[i].matches))
		for j, one := range h.matched[i].matches {
			at.Weakness = finding.OfCVE(one.CVE)
			outcomes[j] = s.see(at, versionEvidence(said, one), m.scan.Demo)
		}
		account(ledger, outcomes)
	}
	for _, o := range h.observations {
		account(ledger, m.observe(s, o))
	}
	return nil
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

// observe brings in a check's own result.
func (m *merging) observe(s *state, o finding.Observation) []outcome {
	at := finding.Fingerprint{Site: m.site.Name, HostID: s.host.ID, Protocol: o.Protocol, Port: o.Port, Component: o.Component}
	if at.Port == 0 {
		at.Protocol = ""
	}
	e := finding.Evidence{Sensor: m.report.sensor, Check: o.Check, FirstSeen: m.at, LastSeen: m.at, FirstScan: m.scan.ID,
		LastScan: m.scan.ID, Status: finding.Affected, Confidence: min(max(o.Confidence, 0), 100), Reason: "reported by " + o.Check,
		Title: o.Title, Output: o.Output, Location: o.Location, Remedy: o.Remedy, Vector: o.Vector}
	e.Trim()
	var out []outcome
	for _, w := range weaknesses(o) {
		at.Weakness = w
		out = append(out, s.see(at, e, m.scan.Demo))
	}
	return out
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
	f.seen[e.Check] = true
	f.Evidence = finding.See(f.Evidence, e, finding.Times(s.looks, e.Sensor, e.Check, at))
	return outcome(!known)
}

// look turns the report's coverage into looks. A silent host covers nothing, whatever the report says.
func (m *merging) look(h *hostReport, s *state) {
	if !h.answered() {
		return
	}
	for _, c := range h.coverage {
		l := finding.Look{Sensor: m.report.sensor, Scan: m.scan.ID, At: m.at, Protocol: c.Protocol, Ports: c.Ports, Checks: c.Checks}
		for i, service := range h.services {
			if service.Protocol != c.Protocol {
				continue
			}
			l.Open = append(l.Open, finding.PortRange{First: service.Port, Last: service.Port})
			if h.matched[i].known {
				l.Known = append(l.Known, finding.PortRange{First: service.Port, Last: service.Port})
			}
		}
		s.looks, s.added = append(s.looks, l), append(s.added, l)
	}
}

// remember notes how the host answered this scan. Two reports of one host (two addresses) are two lines.
func (m *merging) remember(h *hostReport, s *state) {
	line := finding.ScanHost{Status: h.status, Reason: h.reason}
	if h.address.IsValid() {
		line.Address = h.address.String()
	}
	if line.Address == "" {
		line.Name = h.names[0]
	}
	if s != nil {
		line.HostID = s.host.ID
	}
	for _, service := range h.services {
		line.Ports = append(line.Ports, fmt.Sprintf("%s/%d", service.Protocol, service.Port))
	}
	m.seen[h.key()] = line
}

// save settles and writes what changed.
func (m *merging) save(ctx context.Context) error {
	var ids []cve.ID
	for _, s := range m.states {
		for f := range s.findings {
			ids = append(ids, f.Weakness.CVE())
		}
	}
	if err := m.facts.load(ctx, ids); err != nil {
		return err
	}
	for _, s := range m.states {
		if err := m.saveState(ctx, s); err != nil {
			return err
		}
	}
	for _, line := range m.seen {
		if err := m.tx.AddScanHost(ctx, m.scan.ID, line); err != nil {
			return err
		}
	}
	return nil
}

func (m *merging) saveState(ctx context.Context, s *state) error {
	if err := m.tx.SaveHost(ctx, s.host); err != nil {
		return err
	}
	for at := range s.touched {
		if err := m.tx.SaveService(ctx, s.services[at]); err != nil {
			return err
		}
	}
	for _, l := range s.added {
		if err := m.tx.AddLook(ctx, s.host.ID, l); err != nil {
			return err
		}
	}
	for _, e := range s.sorted() {
		e.miss(s, m.report.sensor)
		m.settle(m.facts, e, s, m.site)
		if err := e.save(ctx, m.tx); err != nil {
			return err
		}
	}
	return nil
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
		for _, check := range e.checks(sensor) {
			if !e.seen[check] && l.Covers(e.Fingerprint, check) {
				e.Evidence = finding.Miss(e.Evidence, sensor, check, l.At, finding.Times(s.looks, sensor, check, e.Fingerprint))
			}
		}
	}
}

func (e *entry) checks(sensor string) (out []string) {
	for _, row := range e.Evidence {
		if row.Sensor == sensor && !slices.Contains(out, row.Check) {
			out = append(out, row.Check)
		}
	}
	return out
}

// settle derives everything that follows from the evidence and the looks.
func (a *Assessor) settle(f *facts, e *entry, s *state, site asset.Site) {
	e.Derive()
	e.Life = finding.Fold(e.Finding, s.looks)
	f.rate(e.Finding, exposure(site, s.host), a.now())
}

// save writes the finding if anything of it changed.
func (e *entry) save(ctx context.Context, tx Tx) error {
	after := *e.Finding
	after.History, e.before.History = nil, nil
	if e.ID != 0 && reflect.DeepEqual(after, e.before) {
		return nil
	}
	var gone []int64
	for _, id := range e.rows {
		if !slices.ContainsFunc(e.Evidence, func(row finding.Evidence) bool { return row.ID == id }) {
			gone = append(gone, id)
		}
	}
	return tx.SaveFinding(ctx, e.Finding, gone)
}
