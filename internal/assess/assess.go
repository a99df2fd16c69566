// Package assess is the pipeline: what a scan or an imported report says becomes hosts, services and findings, matched
// against the catalogue, merged with what is stored, and judged. It knows no jobs, no HTTP and no SQL, and it never runs
// a tool.
//
//	events -> by sensor and host -> match -> resolve -> merge evidence -> fold the life cycle -> decide -> save
package assess

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/match"
)

// Catalogue is what the pipeline asks of the catalogue. Ids that it does not know are absent from the maps.
type Catalogue interface {
	CVEs(ctx context.Context, ids []cve.ID) (map[cve.ID]*cve.Record, error)
	Facts(ctx context.Context, ids []cve.ID) (map[cve.ID]intel.Facts, error)
}

// Matcher is match.Matcher.
type Matcher interface {
	Host(ctx context.Context, subjects []match.Subject, platform []string) (match.Result, error)
}

// Tx is one short writing transaction on the estate. What is saved need not be visible to its own reads.
type Tx interface {
	Site(ctx context.Context, name string) (asset.Site, error)
	HostsHolding(ctx context.Context, site string, ids []asset.Identifier) ([]*asset.Host, error)
	HostsByID(ctx context.Context, ids []int64) ([]*asset.Host, error)
	SaveHost(ctx context.Context, h *asset.Host) error
	Services(ctx context.Context, hosts []int64) ([]*asset.Service, error)
	SaveService(ctx context.Context, s *asset.Service) error
	Looks(ctx context.Context, hosts []int64) (map[int64][]finding.Look, error)
	AddLook(ctx context.Context, host int64, l finding.Look) error
	Decrees(ctx context.Context, hosts []int64) (map[int64][]finding.Decree, error)
	Findings(ctx context.Context, hosts []int64) ([]*finding.Finding, error)
	FindingsAt(ctx context.Context, host int64, places []finding.Fingerprint) ([]*finding.Finding, error)
	SaveFinding(ctx context.Context, f *finding.Finding, gone []int64) error
	AddScanHost(ctx context.Context, scan int64, h finding.ScanHost) error
	AddSighting(ctx context.Context, s finding.Sighting) error
	SightingLike(ctx context.Context, s finding.Sighting) (finding.Sighting, bool, error) // that AddSighting would replace
	Sightings(ctx context.Context, hosts []int64) (map[int64][]finding.Sighting, error)
	Words
}

// Estate is where the pipeline keeps what it learns; store.Estate is the one of the product. The pipeline sees all of it:
// who may ask for what is decided before it is called.
type Estate[T Tx] interface {
	Update(ctx context.Context, fn func(T) error) error
	HostIDs(ctx context.Context, v auth.View, after int64, n int) ([]int64, error)
	CreateScan(ctx context.Context, s finding.Scan) (int64, error)
	UpdateScan(ctx context.Context, s finding.Scan) error
	AddLedger(ctx context.Context, l finding.Ledger, report string) error
	CountScanFindings(ctx context.Context, scan int64) (int, error)
	Scan(ctx context.Context, v auth.View, id int64) (finding.Scan, error)
	ScanHosts(ctx context.Context, v auth.View, scan int64) ([]finding.ScanHost, error)
	ScanSightings(ctx context.Context, scan int64) (map[int64][]finding.Sighting, error)
}

// Assessor is the pipeline over one estate and one catalogue. It is safe for concurrent use.
type Assessor struct {
	estate    Estate[Tx]
	catalogue Catalogue
	matcher   Matcher
	now       func() time.Time
	terms     finding.Terms // see WithTerms
	watch     Watch         // see WithWatch
}

// New returns a pipeline: assess.New(store.Estate(), catalogue, match.New(packs), time.Now).
func New[T Tx](estate Estate[T], catalogue Catalogue, matcher Matcher, now func() time.Time) *Assessor {
	return &Assessor{estate: plain[T]{estate}, catalogue: catalogue, matcher: matcher, now: now}
}

// plain hides which type of transaction an estate has.
type plain[T Tx] struct{ Estate[T] }

func (p plain[T]) Update(ctx context.Context, fn func(Tx) error) error {
	return p.Estate.Update(ctx, func(tx T) error { return fn(tx) })
}

// Run is one scan or import on its way through the pipeline. It is safe for concurrent use.
type Run struct {
	a    *Assessor
	scan finding.Scan

	mu    sync.Mutex
	parts map[string]*Part // of Emit, by sensor
	order []*Part

	writing sync.Mutex // one part is written at a time
	met     *tally
	facts   *facts
}

// Begin keeps the scan as running and returns a Run for its events. The caller fills in kind, site, targets, profile,
// who asked, the catalogue's state and the demo mark.
func (a *Assessor) Begin(ctx context.Context, scan finding.Scan) (*Run, error) {
	if scan.Created.IsZero() {
		scan.Created = a.now()
	}
	if scan.Started.IsZero() {
		scan.Started = scan.Created
	}
	scan.Status = finding.Running
	id, err := a.estate.CreateScan(ctx, scan)
	if err != nil {
		return nil, fmt.Errorf("keep the scan: %w", err)
	}
	scan.ID = id
	return a.newRun(scan), nil
}

// Resume returns a Run for a scan that an earlier process began and did not finish; what its parts committed stands.
func (a *Assessor) Resume(ctx context.Context, id int64) (*Run, error) {
	scan, err := a.estate.Scan(ctx, auth.Everything(), id)
	if err != nil {
		return nil, err
	}
	if scan.Status != finding.Running && scan.Status != finding.Pending {
		return nil, fault.Conflict("scan %d has ended (%s): it cannot be continued", id, scan.Status)
	}
	hosts, err := a.estate.ScanHosts(ctx, auth.Everything(), id)
	if err != nil {
		return nil, err
	}
	r := a.newRun(scan)
	for _, h := range hosts {
		r.met.host(h)
	}
	return r, nil
}

func (a *Assessor) newRun(scan finding.Scan) *Run {
	return &Run{a: a, scan: scan, parts: map[string]*Part{}, met: newTally(), facts: newFacts(a.catalogue)}
}

// ScanID is the public number of the scan.
func (r *Run) ScanID() int64 { return r.scan.ID }

// Emit takes one event of a sensor's only report, which Finish commits. It only remembers: nothing is written before.
func (r *Run) Emit(sensor string, e finding.Event) error {
	r.mu.Lock()
	p := r.parts[sensor]
	if p == nil {
		p = r.Part(sensor)
		r.parts[sensor] = p
		r.order = append(r.order, p)
	}
	r.mu.Unlock()
	return p.Emit(e)
}

// End says how a run ended.
type End struct {
	Status   finding.ScanStatus
	Reason   string
	Scanners []finding.ScannerRun // those that are not "completed" cover nothing (design decision 4)
	// Dropped are records that somebody before the pipeline left out, by sensor and reason.
	Dropped map[string]map[string]int
	// File is the name of the file that was imported, "" for a scan.
	File string
	// Silent are targets that did not answer or resolve and of which no event tells.
	Silent []finding.ScanHost
}

// Result is what a run came to.
type Result struct {
	Scan    finding.Scan
	Ledgers []finding.Ledger // one per sensor of Emit
}

// Finish commits what came through Emit, sensor by sensor, and closes the scan. After an error the scan stays as far as it
// got and is marked failed; what was written stays. When it is the catalogue that fails, hosts and services are kept and
// wait for a Rematch. To keep what a cancelled scan found, call it with a context that is not cancelled.
func (r *Run) Finish(ctx context.Context, end End) (Result, error) {
	res := Result{Scan: r.scan}
	s := &res.Scan
	s.Status, s.Reason, s.Scanners = end.Status, end.Reason, end.Scanners
	if s.Status == "" {
		s.Status = finding.Completed
	}
	ledgers, err := r.commitAll(ctx, end)
	err = errors.Join(err, r.silent(ctx, end.Silent))
	s.Totals = r.met.totals()
	n, countErr := r.a.estate.CountScanFindings(ctx, r.scan.ID)
	s.Totals.Findings, err = n, errors.Join(err, countErr)
	res.Ledgers = ledgers
	if fault.KindOf(err) == fault.KindUnavailable || fault.KindOf(err) == fault.KindConflict {
		return res, err // it is not over: whoever continues it ends it
	}
	if err != nil {
		s.Status, s.Reason = finding.Failed, "not everything could be stored: "+err.Error()
	}
	s.Completed = r.a.now()
	saveErr := r.a.estate.UpdateScan(ctx, *s)
	if saveErr == nil && r.a.watch.Ended != nil {
		r.a.watch.Ended(*s)
	}
	if err == nil {
		err = saveErr
	}
	return res, err
}

func (r *Run) commitAll(ctx context.Context, end End) (ledgers []finding.Ledger, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for sensor := range end.Dropped {
		if r.parts[sensor] == nil {
			r.parts[sensor] = r.Part(sensor)
			r.order = append(r.order, r.parts[sensor])
		}
	}
	for _, p := range r.order {
		sensor := p.report.sensor
		ledger, commitErr := p.Commit(ctx, PartEnd{Completed: completed(end.Scanners, sensor), Dropped: end.Dropped[sensor], File: end.File,
			Report: reportHash(end.Scanners, sensor)})
		ledgers, err = append(ledgers, ledger), errors.Join(err, commitErr)
		if errors.Is(commitErr, errEstate) {
			break
		}
	}
	r.parts, r.order = map[string]*Part{}, nil
	return ledgers, err
}

// silent keeps the targets of which nobody got an answer.
func (r *Run) silent(ctx context.Context, hosts []finding.ScanHost) error {
	for _, h := range hosts {
		r.met.silent[cmp.Or(h.Address, h.Name)] = true
	}
	const most = 4096 // of a swept network only this many silent addresses are kept by name
	hosts = hosts[:min(len(hosts), most)]
	return r.a.estate.Update(ctx, func(tx Tx) error {
		for _, h := range hosts {
			if err := tx.AddScanHost(ctx, r.scan.ID, h); err != nil {
				return err
			}
		}
		return nil
	})
}

// completed: a sensor that End does not list is one that nobody complained of.
func completed(scanners []finding.ScannerRun, sensor string) bool {
	for _, s := range scanners {
		if s.Name == sensor {
			return s.Status == "completed" || s.Status == "ok"
		}
	}
	return true
}

func reportHash(scanners []finding.ScannerRun, sensor string) string {
	for _, s := range scanners {
		if s.Name == sensor {
			return s.Report
		}
	}
	return ""
}

// tally counts what the sensors of a run met together.
type tally struct {
	up, silent map[string]bool // by address or name
	services   map[string]bool
}

func newTally() *tally {
	return &tally{up: map[string]bool{}, silent: map[string]bool{}, services: map[string]bool{}}
}

// host notes what an earlier process kept of a host.
func (t *tally) host(h finding.ScanHost) {
	key := cmp.Or(h.Address, h.Name)
	if h.Status != string(asset.Up) {
		t.silent[key] = true
		return
	}
	t.up[key] = true
	for _, p := range h.Ports {
		t.services[key+" "+p] = true
	}
}

func (t *tally) totals() finding.ScanTotals {
	n := finding.ScanTotals{Hosts: len(t.up), Services: len(t.services)}
	for h := range t.silent {
		if !t.up[h] {
			n.Silent++
		}
	}
	return n
}
