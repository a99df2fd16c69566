package assess

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/finding"
)

// merging is one transaction's view of the hosts it is about.
type merging struct {
	*pass
	tx       Tx
	site     asset.Site
	index    asset.Index
	resolved map[*hostReport]*state
	states   []*state
	seen     map[string]finding.ScanHost
	slices   bool // a host comes in several transactions, of which each adds to what those before it saw
}

// open finds the hosts of a batch and reads what is stored of them.
func (p *pass) open(ctx context.Context, tx Tx, batch []*hostReport) (*merging, error) {
	m, err := p.find(ctx, tx, batch)
	if err != nil {
		return nil, err
	}
	return m, m.load(ctx)
}

// find finds the hosts of a batch.
func (p *pass) find(ctx context.Context, tx Tx, batch []*hostReport) (*merging, error) {
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
	return m, nil
}

// resolve finds or makes the host of a report and notes that it was seen.
func (m *merging) resolve(ctx context.Context, h *hostReport, byHost map[*asset.Host]*state) error {
	s := h.sighting(m.scan.Site, m.report.sensor, m.at)
	if m.scan.Kind == finding.KindScan {
		s.Since = m.scan.Started
	}
	host := asset.Resolve(&m.index, s)
	switch {
	case host == nil && !h.answered():
		return nil // silent and unknown: no host, only a line in the scan
	case host == nil:
		host = &asset.Host{Site: m.scan.Site, Status: asset.Up, Demo: m.scan.Demo}
	}
	late := m.at.Before(host.LastSeen)
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
	byHost[host].late = byHost[host].late || late
	m.resolved[h] = byHost[host]
	return nil
}

// describe takes over what a newer report says; one that knows nothing takes nothing away. A sensor that got no answer
// does not contradict one of the same scan that did.
func (m *merging) describe(host *asset.Host, h *hostReport) {
	if m.at.Before(host.LastSeen) {
		return
	}
	if h.answered() || !m.met.up[h.key()] {
		host.Status = asset.HostStatus(h.status)
	}
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

// merge brings one host's report into its state and accounts for each of its records.
func (m *merging) merge(ctx context.Context, h *hostReport, ledger *finding.Ledger) error {
	s := m.resolved[h]
	m.remember(h, s)
	if s == nil {
		return nil
	}
	m.look(h, s)
	s.begin(m.sighted(h))
	for i, service := range h.Services {
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
	for _, o := range h.Observations {
		account(ledger, m.observe(s, o))
	}
	return nil
}

// recall finds out what an older report knows of the system that no newer one says.
func (m *merging) recall(ctx context.Context, s *state) error {
	known, err := m.tx.Sightings(ctx, []int64{s.host.ID})
	if err != nil {
		return err
	}
	reports := append(known[s.host.ID], s.sighted...)
	slices.SortStableFunc(reports, func(a, b finding.Sighting) int { return a.At.Compare(b.At) })
	s.replaySystem(reports)
	return nil
}

// sighted is the report's word on the host, as it is kept.
func (m *merging) sighted(h *hostReport) finding.Sighting {
	out := finding.Sighting{Scan: m.scan.ID, Sensor: m.report.sensor, At: m.at, Place: h.key(), Said: finding.Said{
		Host: h.sighting(m.scan.Site, m.report.sensor, m.at), Status: h.status, OS: h.os, CPEs: h.cpes}}
	for i, service := range h.Services {
		out.Said.Services = append(out.Said.Services, finding.SaidService{Protocol: service.Protocol, Port: service.Port,
			Said: m.report.said(service, h.matched[i], m.scan.ID, m.at)})
	}
	return out
}

// observe brings in a check's own result. A check that passed ends what it saw before; where nobody saw anything it is a
// note, unless it belongs to a benchmark, whose passed items people want to count.
func (m *merging) observe(s *state, o finding.Observation) []outcome {
	at := m.fingerprint(s.host.ID, o)
	e := finding.Evidence{Sensor: m.report.sensor, Check: o.Check, FirstSeen: m.at, LastSeen: m.at, FirstScan: m.scan.ID,
		LastScan: m.scan.ID, Status: finding.Affected, Confidence: min(max(o.Confidence, 0), 100), Reason: "reported by " + o.Check,
		Title: o.Title, Output: o.Output, Location: o.Location, Remedy: o.Remedy, Vector: o.Vector, FixedIn: o.FixedIn,
		Policy: o.Policy, Severity: severityWord(o.Severity), CWEs: o.CWEs, References: o.References}
	if o.Compliance != nil {
		e.Compliance = *o.Compliance
	}
	if o.Passed {
		e.Status, e.Reason = finding.Unaffected, "passed by "+o.Check
	}
	e.Trim()
	var out []outcome
	for _, w := range weaknesses(o) {
		at.Weakness = w
		if o.Passed && o.Compliance == nil {
			s.deny(at, e, m.scan.Demo)
			continue
		}
		out = append(out, s.see(at, e, m.scan.Demo))
	}
	return out
}

// fingerprint is where an observation is; its weakness is open.
func (m *merging) fingerprint(host int64, o finding.Observation) finding.Fingerprint {
	at := finding.Fingerprint{Site: m.site.Name, HostID: host, Protocol: o.Protocol, Port: o.Port, Component: o.Component}
	if at.Port == 0 {
		at.Protocol = ""
	}
	return at
}

// look turns the report's coverage into looks. A silent host covers nothing, whatever the report says.
func (m *merging) look(h *hostReport, s *state) {
	if !h.answered() {
		return
	}
	for _, c := range h.Coverage {
		if c.Protocol == "" {
			m.lookByPolicy(h, s, c)
			continue
		}
		l := finding.Look{Sensor: m.report.sensor, Scan: m.scan.ID, At: m.at, Protocol: c.Protocol, Ports: c.Ports, Checks: c.Checks, Policy: c.Policy}
		for i, service := range h.Services {
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

// lookByPolicy is the look of a scanner that says under which policy it looked and not at which ports. Where a service told
// its version it surely looked.
func (m *merging) lookByPolicy(h *hostReport, s *state, c finding.Coverage) {
	add := func(l finding.Look) {
		l.Sensor, l.Scan, l.At = m.report.sensor, m.scan.ID, m.at
		s.looks, s.added = append(s.looks, l), append(s.added, l)
	}
	add(finding.Look{Policy: c.Policy, Checks: c.Checks})
	for _, protocol := range []string{"tcp", "udp"} {
		var known []finding.PortRange
		for i, service := range h.Services {
			if service.Protocol == protocol && h.matched[i].known {
				known = append(known, finding.PortRange{First: service.Port, Last: service.Port})
			}
		}
		if len(known) > 0 {
			add(finding.Look{Protocol: protocol, Ports: known, Open: known, Known: known})
		}
	}
}

// severityWord is a tool's word if it is one of ours.
func severityWord(word string) string {
	switch word = strings.ToLower(strings.TrimSpace(word)); word {
	case "critical", "high", "medium", "low", "info":
		return word
	case "informational", "none":
		return "info"
	case "moderate":
		return "medium"
	case "important":
		return "high"
	}
	return ""
}

// remember notes how the host answered this scan. Two reports of one host (two addresses) are two lines.
func (m *merging) remember(h *hostReport, s *state) {
	line := finding.ScanHost{Status: h.status, Reason: h.reason}
	if h.address.IsValid() {
		line.Address = h.address.String()
	}
	if len(h.names) > 0 {
		line.Name = h.names[0]
	}
	if s != nil {
		line.HostID = s.host.ID
	}
	for _, service := range h.Services {
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
	if m.failed == nil {
		if err := m.facts.load(ctx, ids); err != nil {
			return err
		}
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
	if s.late {
		if err := m.recall(ctx, s); err != nil {
			return err
		}
	}
	m.tend(s)
	if err := m.tx.SaveHost(ctx, s.host); err != nil {
		return err
	}
	for _, service := range s.ordered() {
		if !s.touched[port{service.Protocol, service.Port}] {
			continue
		}
		if err := m.tx.SaveService(ctx, service); err != nil {
			return err
		}
	}
	for _, l := range s.added {
		if err := m.tx.AddLook(ctx, s.host.ID, l); err != nil {
			return err
		}
	}
	if m.failed != nil {
		if err := m.saveSightings(ctx, s); err != nil {
			return err
		}
		return nil // nothing was seen or covered, and rating without facts would forget what is known
	}
	for _, e := range s.sorted() {
		e.miss(s, m.report.sensor)
		m.settle(m.facts, e, s, m.site)
		if err := e.save(ctx, m.tx); err != nil {
			return err
		}
	}
	return m.saveSightings(ctx, s)
}

// saveSightings keeps what the report said of the host, in as many rows as it has places. It comes after the findings,
// which have their ids by then.
func (m *merging) saveSightings(ctx context.Context, s *state) error {
	for _, at := range s.sighted {
		at.HostID = s.host.ID
		at.Seen = nil
		for _, one := range s.saw[at.Place] {
			at.Seen = append(at.Seen, finding.Seen{Finding: one.entry.ID, Check: one.src.Check, Policy: one.src.Policy})
		}
		if m.slices || m.scan.Kind == finding.KindScan { // whose tasks may end at one time
			if err := m.joinSighting(ctx, &at); err != nil {
				return err
			}
		}
		if err := m.tx.AddSighting(ctx, at); err != nil {
			return err
		}
	}
	return nil
}

// joinSighting adds what another report of the scan said of the place at the very time.
func (m *merging) joinSighting(ctx context.Context, s *finding.Sighting) error {
	before, found, err := m.tx.SightingLike(ctx, *s)
	if found {
		s.Join(before)
	}
	return err
}
