package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/live"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/store"
)

// beatEvery is how often a process that works on a scan says that it lives and asks what is wanted of it.
const beatEvery = time.Second

// Causes of a scan's end that come from other processes.
var (
	errWanted = errors.New("cancelled by another process")
	errTaken  = fault.Conflict("another process works on the scan by now")
)

// work is a scan that this process works on.
type work struct {
	*App
	id       int64
	owner    string
	job      scanJob
	plan     plan
	pipeline *assess.Run
	choices  []scan.Choice
	notes    []string
	tasks    []*scan.Task          // of an earlier process
	moved    map[netip.Addr]string // addresses that are not to be scanned any more, and why
	stopping <-chan struct{}       // closed when this process is to end and another one to continue; nil is never

	told told // to who watches

	mu       sync.Mutex
	progress store.ScanProgress
}

// scanJob is what a process needs to continue a scan that another one began: the request, and what its names led to then.
type scanJob struct {
	Resolved     bool         `json:"resolved,omitempty"` // its names were looked up: Hosts and Unresolved are known
	Asker        *asker       `json:"asker,omitempty"`    // whose limits apply; nil is the command line
	TimeoutMS    int64        `json:"timeout_ms,omitempty"`
	Baseline     int64        `json:"baseline,omitempty"`
	Scanners     []string     `json:"scanners"`
	Exclude      []string     `json:"exclude,omitempty"`
	Profile      string       `json:"profile"`
	Ports        string       `json:"ports,omitempty"`
	ExcludePorts string       `json:"exclude_ports,omitempty"`
	Hosts        []pinned     `json:"hosts"`
	Unresolved   []unresolved `json:"unresolved,omitempty"`
}

// pinned is scan.HostTarget as it is kept.
type pinned struct {
	Address  netip.Addr `json:"a"`
	Names    []string   `json:"names,omitempty"`
	URLs     []string   `json:"urls,omitempty"`
	Ports    []uint16   `json:"ports,omitempty"`
	Explicit bool       `json:"explicit,omitempty"`
}

func (p pinned) target() scan.HostTarget {
	return scan.HostTarget{Address: p.Address, Names: p.Names, URLs: p.URLs, Ports: p.Ports, Explicit: p.Explicit}
}

type unresolved struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// begin keeps a new scan as one that this process works on.
func (a *App) begin(ctx context.Context, req ScanRequest, p plan, ex scan.Expansion) (*work, error) {
	names := req.Scanners
	if len(names) == 0 {
		names = a.cfg.Scan.Scanners
	}
	w := &work{App: a, owner: newOwner(), plan: p, job: newScanJob(req, p, names)}
	w.job.pin(ex)
	var err error
	if err := w.choose(); err != nil {
		return nil, err
	}
	record, err := a.newScan(ctx, req, p)
	if err != nil {
		return nil, err
	}
	if w.pipeline, err = a.assessor().Begin(ctx, record); err != nil {
		return nil, err
	}
	w.id = w.pipeline.ScanID()
	job, err := json.Marshal(w.job)
	if err != nil {
		return nil, err
	}
	if err := a.store.Estate().BeginWork(ctx, w.id, w.owner, job); err != nil {
		return nil, err
	}
	w.pipeline, err = w.assessor().Resume(ctx, w.id)
	return w, err
}

// assessor is a pipeline that adds nothing more once another process works on the scan.
func (w *work) assessor() *assess.Assessor {
	return w.assessorOn(w.store.Estate().Fenced(w.id, w.owner))
}

func newScanJob(req ScanRequest, p plan, scanners []string) scanJob {
	return scanJob{Scanners: scanners, Exclude: req.Exclude, Profile: string(p.profile), Ports: req.Ports, ExcludePorts: req.ExcludePorts,
		TimeoutMS: req.Timeout.Milliseconds(), Baseline: req.Baseline}
}

// pin keeps what the targets led to.
func (j *scanJob) pin(ex scan.Expansion) {
	j.Resolved = true
	for _, h := range ex.Hosts {
		j.Hosts = append(j.Hosts, pinned{h.Address, h.Names, h.URLs, h.Ports, h.Explicit})
	}
	for _, u := range ex.Unresolved {
		j.Unresolved = append(j.Unresolved, unresolved{u.Target.Name, u.Reason})
	}
}

// scanJob is what the scanners are asked for.
func (w *work) scanJob() scan.Job {
	job := scan.Job{Ports: w.plan.ports, Exclude: w.plan.excludePorts, Profile: w.plan.profile, Scanning: w.now()}
	for _, h := range w.job.Hosts {
		job.Hosts = append(job.Hosts, h.target())
	}
	return job
}

// resume takes a scan over from a process that paused it or died.
func (a *App) resume(ctx context.Context, id int64) (*work, error) {
	if err := a.bury(ctx, id); err != nil {
		return nil, err
	}
	w := &work{App: a, id: id, owner: newOwner()}
	job, err := a.store.Estate().Claim(ctx, id, w.owner)
	if err != nil {
		return nil, err
	}
	if err := w.restore(ctx, job); err != nil {
		return nil, errors.Join(err, w.release(context.WithoutCancel(ctx), true))
	}
	return w, nil
}

func (w *work) restore(ctx context.Context, job json.RawMessage) (err error) {
	if err := w.read(job); err != nil {
		return err
	}
	record, err := w.store.Estate().Scan(ctx, auth.Everything(), w.id)
	if err != nil {
		return err
	}
	w.plan, err = parsePlan(ScanRequest{Targets: record.Targets, Exclude: w.job.Exclude, Scanners: w.job.Scanners, Profile: w.job.Profile,
		Ports: w.job.Ports, ExcludePorts: w.job.ExcludePorts})
	if err != nil {
		return err
	}
	if err := w.choose(); err != nil {
		return err
	}
	if w.tasks, err = w.store.Estate().Tasks(ctx, auth.Everything(), w.id); err != nil {
		return err
	}
	w.pipeline, err = w.assessor().Resume(ctx, w.id)
	return err
}

// read takes what was kept of the work, and the limits of whoever asked for the scan.
func (w *work) read(job json.RawMessage) error {
	if err := json.Unmarshal(job, &w.job); err != nil {
		return fmt.Errorf("scan %d: %w", w.id, err)
	}
	if w.job.Asker != nil {
		w.App = w.For(w.job.Asker.identity())
	}
	w.job.Resolved = w.job.Resolved || len(w.job.Hosts)+len(w.job.Unresolved) > 0
	return nil
}

// choose builds the scanners.
func (w *work) choose() (err error) {
	var notes []string
	if w.choices, notes, err = choose(w.cfg, w.job.Scanners, w.scanJob()); err != nil {
		return err
	}
	w.notes = append(w.notes, notes...)
	if limit := time.Duration(w.job.TimeoutMS) * time.Millisecond; limit > 0 {
		for i := range w.choices {
			w.choices[i].Timeout = limit
		}
	}
	return nil
}

// lookAgain resolves the names of the targets again: what a name led to when the scan began may be somebody else's by
// now, and where it leads now was not asked for then.
func (w *work) lookAgain(ctx context.Context) error {
	now, err := scan.Expand(ctx, w.plan.targets, w.plan.exclude, w.resolver)
	if err != nil {
		return err
	}
	leads := map[netip.Addr]bool{}
	for _, h := range now.Hosts {
		leads[h.Address] = true
	}
	w.moved = map[netip.Addr]string{}
	for _, h := range w.job.Hosts {
		switch {
		case leads[h.Address]:
			delete(leads, h.Address)
		case len(h.Names) > 0:
			w.moved[h.Address] = h.Names[0] + " does not lead there any more"
		default:
			w.moved[h.Address] = "it is excluded by now"
		}
	}
	for _, h := range now.Hosts {
		if leads[h.Address] && len(h.Names) > 0 {
			w.notes = append(w.notes, fmt.Sprintf("%s leads to %s now, which was not scanned: it did not when the scan began", h.Names[0], h.Address))
		}
	}
	return nil
}

// run works on the scan until it is over, paused or cancelled. An error leaves it to be resumed.
func (w *work) run(ctx context.Context, progress func(Progress)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	pause, stop := w.beat(ctx, cancel)
	defer stop()
	w.publishBegin(ctx)
	result, err := w.scan(ctx, pause, progress)
	keep := context.WithoutCancel(ctx) // what was found is kept when the user stops the scan
	switch {
	case errors.Is(context.Cause(ctx), errTaken):
		return fmt.Errorf("scan %d: %w", w.id, errTaken)
	case err != nil:
		err = fmt.Errorf("scan %d: %w; continue it with: patchscout scans resume %d", w.id, err, w.id)
		return errors.Join(err, w.release(keep, false))
	case result.Paused:
		defer w.publishState(keep, w.id)
		return w.release(keep, !w.stopped())
	}
	progress(Progress{Percent: 97, Stage: "storing"})
	if _, err := w.beatOnce(keep); err != nil { // a scan may be over before its first beat told how many tasks it had
		w.log.Warn("how far the scan came was not kept", "scan_id", w.id, "error", err)
	}
	if _, err := w.pipeline.Finish(keep, w.end(ctx, result)); err != nil {
		return errors.Join(fmt.Errorf("store scan %d: %w", w.id, err), w.release(keep, false))
	}
	if err := w.release(keep, false); err != nil {
		return err
	}
	if warning := w.prune(keep); warning != "" {
		w.notes = append(w.notes, warning)
	}
	return nil
}

// stopped says whether this process is to end.
func (w *work) stopped() bool {
	select {
	case <-w.stopping:
		return true
	default:
		return false
	}
}

// release lets go of the scan. That another process has it by now is no error.
func (w *work) release(ctx context.Context, paused bool) error {
	err := w.store.Estate().Release(ctx, w.id, w.owner, paused)
	if fault.KindOf(err) == fault.KindConflict {
		return nil
	}
	return err
}

// beat tells the other processes every second that this one is alive and how far the scan is, and hears what they want:
// pause is closed when the scan is to pause, cancel is called when it is to end or is another's by now.
func (w *work) beat(ctx context.Context, cancel context.CancelCauseFunc) (pause chan struct{}, stop func()) {
	pause = make(chan struct{})
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(beatEvery)
		defer tick.Stop()
		paused := false
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
			}
			switch wanted, err := w.beatOnce(ctx); {
			case fault.KindOf(err) == fault.KindConflict:
				cancel(errTaken)
			case err != nil:
				w.log.Warn("scan could not be kept alive", "scan_id", w.id, "error", err) // the next beat may
			case wanted == store.WantCancel:
				cancel(errWanted)
			case wanted == store.WantPause && !paused:
				paused = true
				close(pause)
			}
		}
	}()
	return pause, func() { close(ended); <-done }
}

func (w *work) beatOnce(ctx context.Context) (store.Wanted, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), store.Alive/2)
	defer cancel()
	w.mu.Lock()
	progress := w.progress
	w.mu.Unlock()
	return w.store.Estate().Beat(ctx, w.id, w.owner, progress)
}

// scan has the scanners do their work, on top of what an earlier process did.
func (w *work) scan(ctx context.Context, pause <-chan struct{}, progress func(Progress)) (scan.Result, error) {
	if len(w.job.Hosts) == 0 {
		return scan.Result{}, nil
	}
	keep := context.WithoutCancel(ctx) // a scan that was cancelled already has its tasks settled
	record, err := w.store.Estate().Scan(keep, auth.Everything(), w.id)
	if err != nil {
		return scan.Result{}, err
	}
	allowed, err := w.currentLimits(keep, record.Site)
	if err != nil {
		return scan.Result{}, err
	}
	choices := w.choices
	if w.queue != nil { // a command runs its tools itself
		if choices, err = w.remoteChoices(keep, w.id, record.Site, len(w.job.Hosts), choices, w.stopping); err != nil {
			return scan.Result{}, err
		}
	}
	p, err := scan.NewPlan(w.scanJob(), choices)
	if err != nil {
		return scan.Result{}, err
	}
	if err := p.Restore(w.tasks); err != nil {
		return scan.Result{}, err
	}
	return scan.Work(ctx, p, scan.WorkOptions{
		Parallel: w.cfg.Scan.Parallel, Keeper: &taskKeeper{w}, Pause: pause, Grace: w.grace, Stop: w.stopping, Admit: w.admit,
		Now: w.now,
		Allowed: func(h scan.HostTarget) (bool, string) {
			if reason := w.moved[h.Address]; reason != "" {
				return false, reason
			}
			return allowed(h)
		},
		Progress: func(s scan.Progress) {
			const share = 0.97 // the rest is for storing
			w.mu.Lock()
			w.progress = store.ScanProgress{Percent: s.Percent * share, Stage: stageName(s), ETA: s.ETA, Done: s.Done, Total: s.Total}
			w.publish(w.id, live.Progress, liveProgress(w.progress))
			w.mu.Unlock()
			progress(Progress{Percent: s.Percent * share, Stage: stage(s)})
		},
	})
}

// stageName is "nmap: services".
func stageName(s scan.Progress) string {
	if s.Scanner == "" || s.Stage == "" {
		return "scanning"
	}
	return s.Scanner + ": " + s.Stage
}

// stage is the stage with the tasks and what is left: "nmap: services, task 2 of 8, 3m10s left".
func stage(s scan.Progress) string {
	text := stageName(s)
	if s.Total > 1 {
		text += fmt.Sprintf(", %d of %d tasks done", s.Done, s.Total)
	}
	if s.ETA >= time.Second {
		text += ", " + s.ETA.Round(time.Second).String() + " left"
	}
	return text
}

// end says how the scan went, for the pipeline.
func (w *work) end(ctx context.Context, result scan.Result) assess.End {
	end := assess.End{Status: finding.Completed, Silent: w.silent(result, ctx.Err() != nil)}
	for _, o := range result.Scanners {
		run := finding.ScannerRun{Name: o.Scanner, Version: o.Version, Status: string(o.Status)}
		if o.Err != nil && o.Status != scan.Cancelled {
			run.Error = o.Err.Error()
		}
		end.Scanners = append(end.Scanners, run)
	}
	switch {
	case ctx.Err() != nil:
		end.Status, end.Reason = finding.Failed, "cancelled"
	case len(result.Scanners) > 0 && !slices.ContainsFunc(result.Scanners, worked):
		end.Status, end.Reason = finding.Failed, "no scanner completed"
	}
	return end
}

func worked(o scan.Outcome) bool { return o.Status == scan.Completed || o.Status == scan.Partial }

// silent lists the hosts of which nothing is known.
func (w *work) silent(result scan.Result, cancelled bool) (out []finding.ScanHost) {
	for _, u := range w.job.Unresolved {
		out = append(out, finding.ScanHost{Name: u.Name, Status: string(asset.Unknown), Reason: "did not resolve: " + u.Reason})
	}
	reasons := map[netip.Addr]string{}
	for _, s := range result.Skipped {
		reasons[s.Address] = "not scanned: " + s.Reason
	}
	reason := "did not answer"
	switch {
	case cancelled:
		reason = "not looked at to the end"
	case !slices.ContainsFunc(result.Scanners, worked):
		reason = "not looked at: no scanner completed"
	}
	for _, h := range result.Silent {
		host := finding.ScanHost{Address: h.Address.String(), Status: string(asset.Unknown), Reason: either(reasons[h.Address], reason)}
		if len(h.Names) > 0 {
			host.Name = h.Names[0]
		}
		out = append(out, host)
	}
	return out
}
