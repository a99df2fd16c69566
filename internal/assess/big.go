package assess

import (
	"context"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/finding"
)

// maxAtOnce is how many observations of one host are merged in one transaction when the report covers nothing: a report on
// source code may hold a million on one host. Whoever covers a host needs all of its findings at once, to know which are
// missing.
const maxAtOnce = 20_000

func (h *hostReport) big() bool { return h.observed > maxAtOnce && !h.covered }

// writeBig merges a host slice by slice; each reads only the findings that it is about.
func (p *pass) writeBig(ctx context.Context, h *hostReport, ledger *finding.Ledger, named, matched map[cve.ID]bool) error {
	services, err := p.report.servicesOf(h)
	if err != nil {
		return err
	}
	first := true
	write := func(observations []finding.Observation) error {
		one := *h
		one.blocks, one.said = nil, said{Observations: observations}
		if first {
			one.Services = services
		}
		p.prepare(ctx, &one)
		if one.unasked > 0 {
			ledger.Drop("the catalogue could not be asked", one.unasked)
		}
		p.countSlice(&one, ledger, named, matched, first)
		first = false
		part, seen, err := p.commitSlice(ctx, &one)
		ledger.Expanded += part.Expanded
		ledger.New += part.New
		ledger.Merged += part.Merged
		ledger.Informational += part.Informational
		if err == nil {
			p.told(*ledger, seen)
		}
		return err
	}
	return p.report.eachSlice(h, write)
}

func (p *pass) countSlice(h *hostReport, ledger *finding.Ledger, named, matched map[cve.ID]bool, first bool) {
	up := ledger.HostsUp
	p.count(h, ledger, named, matched)
	if !first {
		ledger.HostsUp = up // it is still one host
	}
}

func (p *pass) commitSlice(ctx context.Context, h *hostReport) (part finding.Ledger, seen []Seen, err error) {
	err = p.estate.Update(ctx, func(tx Tx) error {
		part = finding.Ledger{}
		m, err := p.find(ctx, tx, []*hostReport{h})
		if err != nil {
			return err
		}
		m.slices = true
		if err := m.loadSlice(ctx, h); err != nil {
			return err
		}
		if err := m.merge(ctx, h, &part); err != nil {
			return err
		}
		if err := m.save(ctx); err != nil {
			return err
		}
		seen = m.sightings()
		return nil
	})
	return part, seen, err
}

// loadSlice reads what is stored of the host but for findings of which the slice says nothing.
func (m *merging) loadSlice(ctx context.Context, h *hostReport) error {
	s := m.resolved[h]
	if s == nil {
		return nil
	}
	byID := map[int64]*state{s.host.ID: s}
	if err := loadKnown(ctx, m.tx, []int64{s.host.ID}, byID); err != nil {
		return err
	}
	findings, err := m.tx.FindingsAt(ctx, s.host.ID, m.places(h, s.host.ID))
	if err != nil {
		return err
	}
	for _, f := range findings {
		s.findings[f.Fingerprint] = newEntry(f)
	}
	return nil
}

// places are the fingerprints that the slice is about, each once.
func (m *merging) places(h *hostReport, host int64) []finding.Fingerprint {
	var out []finding.Fingerprint
	known := map[finding.Fingerprint]bool{}
	add := func(at finding.Fingerprint) {
		if !known[at] {
			known[at] = true
			out = append(out, at)
		}
	}
	for i, service := range h.Services {
		for _, one := range h.matched[i].matches {
			add(finding.Fingerprint{Site: m.site.Name, HostID: host, Protocol: service.Protocol, Port: service.Port, Weakness: finding.OfCVE(one.CVE)})
		}
	}
	for _, o := range h.Observations {
		at := m.fingerprint(host, o)
		for _, w := range weaknesses(o) {
			at.Weakness = w
			add(at)
		}
	}
	return out
}

// servicesOf collects the services of a host, which are few.
func (r *report) servicesOf(h *hostReport) ([]finding.ServiceSeen, error) {
	var out []finding.ServiceSeen
	for _, b := range h.blocks {
		part, err := r.spool.get(b)
		if err != nil {
			return nil, err
		}
		out = append(out, part.Services...)
	}
	return append(out, h.Services...), nil
}

// eachSlice calls fn with the observations of a host, maxAtOnce at a time, in the order of the report.
func (r *report) eachSlice(h *hostReport, fn func([]finding.Observation) error) error {
	var held []finding.Observation
	hand := func(more []finding.Observation) error {
		held = append(held, more...)
		for len(held) >= maxAtOnce {
			if err := fn(held[:maxAtOnce]); err != nil {
				return err
			}
			held = append([]finding.Observation(nil), held[maxAtOnce:]...)
		}
		return nil
	}
	for _, b := range h.blocks {
		part, err := r.spool.get(b)
		if err != nil {
			return err
		}
		if err := hand(part.Observations); err != nil {
			return err
		}
	}
	if err := hand(h.Observations); err != nil {
		return err
	}
	if len(held) == 0 {
		return nil
	}
	return fn(held)
}
