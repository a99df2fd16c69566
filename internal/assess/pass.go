package assess

import (
	"context"
	"fmt"
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
	failed error // of the catalogue: hosts and services are kept without asking it any more
}

// maxRows is about how many rows one transaction writes, so that others wait a moment only.
const maxRows = 5000

// run returns a ledger that balances also when the catalogue failed, which p.failed then tells: hosts and services are
// stored, which a Rematch completes, and nothing is closed. What an estate that failed did not take is dropped.
func (p *pass) run(ctx context.Context) (finding.Ledger, error) {
	ledger, err := p.write(ctx)
	if missing := ledger.Records + ledger.Expanded - ledger.New - ledger.Merged - ledger.Informational - ledger.DroppedTotal(); err != nil && missing > 0 {
		ledger.Drop("could not be stored", missing)
	}
	return ledger, err
}

func (p *pass) write(ctx context.Context) (finding.Ledger, error) {
	ledger := finding.Ledger{Records: p.report.records, Informational: p.report.informational, Hosts: len(p.report.order)}
	for reason, n := range p.report.dropped.Dropped {
		ledger.Drop(reason, n)
	}
	named, matched := map[cve.ID]bool{}, map[cve.ID]bool{}
	var batch []*hostReport
	rows := 0
	flush := func() error {
		part, seen, err := p.commit(ctx, batch)
		ledger.Expanded += part.Expanded
		ledger.New += part.New
		ledger.Merged += part.Merged
		ledger.Informational += part.Informational
		if err == nil {
			p.told(ledger, seen)
		}
		for _, h := range batch {
			h.said, h.matched = said{}, nil
		}
		batch, rows = nil, 0
		return err
	}
	for _, key := range p.report.order {
		h := p.report.hosts[key]
		if h.big() {
			if err := p.writeBig(ctx, h, &ledger, named, matched); err != nil {
				return ledger, err
			}
			continue
		}
		if err := p.report.load(h); err != nil {
			return ledger, err
		}
		p.prepare(ctx, h)
		if h.unasked > 0 {
			ledger.Drop("the catalogue could not be asked", h.unasked)
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
	err := flush()
	return ledger, err
}

// prepare asks the catalogue about a host, outside of any transaction on the estate.
func (p *pass) prepare(ctx context.Context, h *hostReport) {
	if p.failed == nil {
		p.failed = p.ask(ctx, h)
	}
	if p.failed != nil {
		h.matched = make([]serviceMatch, len(h.Services))
		h.Observations, h.unasked = nil, len(h.Observations)
		h.Coverage = nil
	}
}

func (p *pass) ask(ctx context.Context, h *hostReport) (err error) {
	words := make([]asset.Said, len(h.Services))
	for i, s := range h.Services {
		words[i] = p.report.said(s, serviceMatch{}, p.scan.ID, p.at)
	}
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
	for i, s := range h.Services {
		ports[port{s.Protocol, s.Port}] = true
		p.met.services[fmt.Sprintf("%s %s/%d", h.key(), s.Protocol, s.Port)] = true
		ledger.Unknown += h.matched[i].candidates
		for _, m := range h.matched[i].matches {
			matched[m.CVE] = true
		}
	}
	ledger.Services += len(ports)
	for _, o := range h.Observations {
		for _, id := range o.CVEs {
			named[id] = true
		}
	}
}

// rows is about how many rows the host will need: a finding has evidence, a service perhaps a text.
func (h *hostReport) rows() int {
	n := 4 + 2*len(h.Services)
	for _, m := range h.matched {
		n += 2 * len(m.matches)
	}
	for _, o := range h.Observations {
		n += 2 * max(1, len(o.CVEs))
	}
	return n
}

// commit merges some hosts in one transaction. The ledger it returns holds what became of their records. Nothing is
// changed outside of the transaction, which may be run again.
func (p *pass) commit(ctx context.Context, batch []*hostReport) (part finding.Ledger, seen []Seen, err error) {
	if len(batch) == 0 {
		return part, nil, nil
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
		if err := m.save(ctx); err != nil {
			return err
		}
		seen = m.sightings()
		return nil
	})
	if err != nil {
		return finding.Ledger{}, nil, err // what was merged went back with the transaction
	}
	return part, seen, nil
}
