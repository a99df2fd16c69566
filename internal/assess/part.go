package assess

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
)

// Part is one raw report on its way through the pipeline: a task of a scan, or an imported file. It only remembers, in a
// temporary file where it is long, until Commit writes it. It is safe for concurrent use.
type Part struct {
	run *Run

	mu     sync.Mutex
	report *report
}

// Part begins a report of a sensor. End it with Commit or Discard.
func (r *Run) Part(sensor string) *Part {
	p := NewPart(sensor)
	p.run = r
	return p
}

// NewPart begins a report that may turn out to be none: it leaves nothing behind before a Run adopts it and Commit writes
// it.
func NewPart(sensor string) *Part { return &Part{report: newReport(sensor)} }

// Adopt makes the part one of this run.
func (r *Run) Adopt(p *Part) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.run = r
}

// NameHost names the host of records that name none themselves, as reports on source code and images do. Call it before
// Emit.
func (p *Part) NameHost(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.report.nameless = name
}

// Emit takes one event, which is not kept by reference.
func (p *Part) Emit(e finding.Event) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.report.take(e)
}

// Statements are the VEX statements of the report, for whoever keeps rules.
func (p *Part) Statements() []finding.Statement {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.report.statements
}

// Nameless says whether a record was put to the host of NameHost.
func (p *Part) Nameless() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.report.usedNameless
}

// Discard forgets what was emitted.
func (p *Part) Discard() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.report.close()
}

// PartEnd says how a report ended.
type PartEnd struct {
	Completed bool           // else it covers nothing (design decision 4)
	Dropped   map[string]int // records that somebody before the pipeline left out, by reason
	File      string         // that was imported, "" for a task of a scan
	Report    string         // hash of the raw report where it is kept
	At        time.Time      // when the report was made, if it does not say so itself; zero is now
}

// errEstate marks an error of the estate, after which nothing more can be written.
var errEstate = errors.New("estate")

// Commit writes everything that the report says, in transactions of a few thousand rows, and its ledger. What was written
// before an error stays. When only the catalogue fails, hosts and services are kept and wait for a Rematch.
func (p *Part) Commit(ctx context.Context, end PartEnd) (finding.Ledger, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.run.writing.Lock()
	defer p.run.writing.Unlock()
	rep := p.report
	defer rep.close()
	for reason, n := range end.Dropped {
		rep.drop(reason, n)
	}
	if !end.Completed {
		rep.coverNothing()
	}
	if end.At.IsZero() {
		end.At = p.run.a.now()
	}
	w := &pass{Assessor: p.run.a, scan: &p.run.scan, report: rep, at: rep.time(end.At, p.run.a.now()), met: p.run.met, facts: p.run.facts}
	ledger, err := w.run(ctx)
	ledger.File, ledger.Tool, ledger.Scan = end.File, rep.sensor, p.run.scan.ID
	if err != nil {
		err = errors.Join(errEstate, err)
	}
	if fault.KindOf(err) == fault.KindUnavailable || fault.KindOf(err) == fault.KindConflict {
		return ledger, err // without a ledger: the part can be committed again, and what is stored already is found there
	}
	if ledgerErr := p.run.a.estate.AddLedger(ctx, ledger, end.Report); ledgerErr != nil {
		err = errors.Join(errEstate, err, ledgerErr)
	}
	return ledger, errors.Join(w.failed, err)
}
