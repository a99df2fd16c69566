package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
)

// Defaults of Options.
const (
	DefaultParallel = 2         // scanners side by side: more compete for the same hosts' patience
	DefaultMaxRaw   = 512 << 20 // bytes of one raw report; a /16 with all ports in nmap's XML is about 200 MB
	stopWithin      = 2 * time.Second
	availableWithin = 10 * time.Second
)

// Options of a Run. The zero value works and throws everything away.
type Options struct {
	Parallel int   // scanners at one time, 0 = DefaultParallel
	MaxRaw   int64 // bytes of one raw report, 0 = DefaultMaxRaw; a scanner that writes more fails

	// Raw gives the writer that keeps a scanner's raw report. Nil keeps none. The caller closes it after Run.
	Raw func(scanner string) (io.Writer, error)
	// Emit takes the events as they come, one call at a time; a host's coverage comes after everything else of that
	// scanner, and only when it completed. An error ends the whole scan and is returned by Run.
	Emit func(scanner string, e finding.Event) error
	// Progress is called one call at a time. Percent is over all scanners and never falls; Scanner is who moved.
	Progress func(Progress)
	// Now is the clock, nil = time.Now.
	Now func() time.Time
}

// Result is what a Run or Work came to. The findings went through Options.Emit or the Keeper's reports.
type Result struct {
	Scanners []Outcome    // in the order given; of Work, by stage
	Silent   []HostTarget // no scanner got an answer from these: nothing is known of them, they are not clean
	Skipped  []Skipped    // hosts that at least one scanner left out, each once
	Paused   bool         // there is more to do
}

// Run runs each scanner once over the whole job, some of them side by side, and reads their reports while they are
// written; Work is for scans that are cut into tasks and can be continued. A scanner that fails is a result; Run's own
// error is a job that cannot run or an error of Emit. After ctx ends, Run returns within two seconds, and what was found
// until then has been emitted. Not for concurrent use with one Emit.
func Run(ctx context.Context, scanners []Scanner, job Job, opts Options) (Result, error) {
	if err := checkJob(scanners, job); err != nil {
		return Result{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := newRun(scanners, job, opts, cancel)
	ended := make([]chan Outcome, len(scanners))
	for i := range scanners {
		ended[i] = make(chan Outcome, 1)
	}
	go r.start(ctx, scanners, ended)
	deadline := afterCancel(ctx, stopWithin)
	defer deadline.stop()
	result := Result{}
	for i, s := range scanners {
		select {
		case o := <-ended[i]:
			result.Scanners = append(result.Scanners, o)
		case <-deadline.passed:
			result.Scanners = append(result.Scanners, lastWord(ended[i], s, r.opts.Now()))
		}
	}
	result.Silent = r.close()
	return result, r.emitErr()
}

func checkJob(scanners []Scanner, job Job) error {
	switch {
	case len(scanners) == 0:
		return fault.Invalid("scan: no scanner chosen")
	case len(job.Hosts) == 0:
		return fault.Invalid("scan: no target has an address")
	case len(job.Hosts) > MaxAddresses:
		return fault.Invalid("scan: more than %d addresses", MaxAddresses)
	}
	names := map[string]bool{}
	for _, s := range scanners {
		if names[s.Name()] {
			return fault.Invalid("scan: scanner %s is named twice", s.Name())
		}
		names[s.Name()] = true
	}
	return nil
}

// lastWord takes what a scanner said in time, or gives it up: its contract was to end within two seconds.
func lastWord(ended chan Outcome, s Scanner, now time.Time) Outcome {
	select {
	case o := <-ended:
		return o
	default:
		return Outcome{Scanner: s.Name(), Status: Cancelled, Completed: now,
			Err: fmt.Errorf("%s did not stop within %s", s.Name(), stopWithin)}
	}
}

// run is the state that the scanners of one Run share.
type run struct {
	opts   Options
	job    Job
	places places
	cancel context.CancelCauseFunc

	mu       sync.Mutex // serialises Emit and Progress
	closed   bool
	err      error
	answered []bool
	percents []float64
	shown    float64
}

func newRun(scanners []Scanner, job Job, opts Options, cancel context.CancelCauseFunc) *run {
	if opts.Parallel <= 0 {
		opts.Parallel = DefaultParallel
	}
	if opts.MaxRaw <= 0 {
		opts.MaxRaw = DefaultMaxRaw
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &run{opts: opts, job: job, cancel: cancel, places: placesOf(job.Hosts), answered: make([]bool, len(job.Hosts)),
		percents: make([]float64, len(scanners))}
}

// start runs the scanners in the order given, Parallel at a time.
func (r *run) start(ctx context.Context, scanners []Scanner, ended []chan Outcome) {
	slots := make(chan struct{}, r.opts.Parallel)
	for i, s := range scanners {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done(): // the others say that they were cancelled
		}
		go func() {
			ended[i] <- r.one(ctx, i, s)
			select {
			case <-slots:
			default:
			}
		}()
	}
}

// one runs one scanner to its end.
func (r *run) one(ctx context.Context, i int, s Scanner) Outcome {
	a := newAttempt(s, r.job)
	a.maxRaw, a.now = r.opts.MaxRaw, r.opts.Now
	a.emit = func(e finding.Event) error { return r.emit(s.Name(), e) }
	a.progress = func(p Progress) { r.progress(i, s, p) }
	if a.Err = ctx.Err(); a.Err == nil {
		a.Version, a.Err = available(ctx, s)
	}
	if a.Err == nil && r.opts.Raw != nil {
		if a.raw, a.Err = r.opts.Raw(s.Name()); a.Err != nil {
			a.Err = fmt.Errorf("keep the raw report of %s: %w", s.Name(), a.Err)
		}
	}
	if a.Err == nil {
		a.work(ctx)
	}
	a.conclude(ctx)
	if a.Status != Cancelled { // a failed one's share is not coming any more
		r.progress(i, s, Progress{Stage: string(a.Status), Percent: 100})
	}
	return a.Outcome
}

var errClosed = errors.New("the scan has ended")

// emit hands an event to the caller, who sees one call at a time and none after Run returned.
func (r *run) emit(scanner string, e finding.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return errClosed
	case r.err != nil:
		return r.err
	}
	r.note(e)
	if r.opts.Emit == nil {
		return nil
	}
	if err := r.opts.Emit(scanner, e); err != nil {
		r.err = err
		r.cancel(err)
	}
	return r.err
}

// note remembers which hosts answered.
func (r *run) note(e finding.Event) {
	addr := netip.Addr{}
	switch {
	case e.Host != nil && e.Host.Status == "up":
		addr = e.Host.Address
	case e.Service != nil:
		addr = e.Service.Address
	}
	if i, ok := r.places.exact[addr]; ok {
		r.answered[i] = true
	}
}

// progress merges one scanner's percent into the scan's: their mean, never less than was shown, 100 only at the end.
func (r *run) progress(i int, s Scanner, p Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || math.IsNaN(p.Percent) {
		return
	}
	r.percents[i] = max(r.percents[i], min(p.Percent, 100))
	sum := 0.0
	for _, percent := range r.percents {
		sum += percent
	}
	r.shown = max(r.shown, sum/float64(len(r.percents)))
	p.Scanner, p.Percent = s.Name(), r.shown
	if r.opts.Progress != nil {
		r.opts.Progress(p)
	}
}

func (r *run) emitErr() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// close stops late events and says which hosts never answered.
func (r *run) close() []HostTarget {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	var silent []HostTarget
	for i, h := range r.job.Hosts {
		if !r.answered[i] {
			silent = append(silent, h)
		}
	}
	return silent
}
