package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"slices"
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

// Status is how a scanner's part of a scan ended.
type Status string

// The statuses.
const (
	Completed Status = "completed"
	Failed    Status = "failed"
	Cancelled Status = "cancelled"
)

// Outcome is how one scanner did.
type Outcome struct {
	Scanner   string
	Version   string
	Status    Status
	Err       error          // nil when completed
	Dropped   map[string]int // records that Run itself left out, by reason; they are not among the events
	Started   time.Time      // zero when it never started
	Completed time.Time
}

// Result is what a Run came to. The findings went through Options.Emit.
type Result struct {
	Scanners []Outcome    // in the order given
	Silent   []HostTarget // no scanner got an answer from these: nothing is known of them, they are not clean
}

// reasonOutside is the ledger's word for a result that names an address nobody asked for.
const reasonOutside = "address outside of the scan"

// Run runs the scanners over the job, some of them side by side, and reads their reports while they are written. A
// scanner that fails is a result; Run's own error is a job that cannot run or an error of Emit. After ctx ends, Run
// returns within two seconds, and what was found until then has been emitted. Not for concurrent use with one Emit.
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

// timer closes passed some time after a context ended.
type timer struct {
	passed chan struct{}
	stop   func()
}

func afterCancel(ctx context.Context, d time.Duration) timer {
	passed, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		select {
		case <-ctx.Done():
		case <-stopped:
			return
		}
		select {
		case <-time.After(d):
			close(passed)
		case <-stopped:
		}
	}()
	return timer{passed: passed, stop: sync.OnceFunc(func() { close(stopped) })}
}

// run is the state that the scanners of one Run share.
type run struct {
	opts   Options
	job    Job
	hosts  map[netip.Addr]int // address -> index in job.Hosts
	bare   map[netip.Addr]int // the same without IPv6 zones, which tools do not print; -1 when two interfaces have it
	names  map[string]bool
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
	r := &run{opts: opts, job: job, cancel: cancel, hosts: map[netip.Addr]int{}, bare: map[netip.Addr]int{}, names: map[string]bool{},
		answered: make([]bool, len(job.Hosts)), percents: make([]float64, len(scanners))}
	for i, h := range job.Hosts {
		r.hosts[h.Address] = i
		bare := h.Address.WithZone("")
		if _, twice := r.bare[bare]; twice {
			i = -1
		}
		r.bare[bare] = i
		for _, name := range h.Names {
			r.names[name] = true
		}
	}
	return r
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
	w := &worker{run: r, index: i, scanner: s, Outcome: Outcome{Scanner: s.Name(), Dropped: map[string]int{}}}
	w.Err = ctx.Err()
	if w.Err == nil {
		w.work(ctx)
	}
	w.conclude(ctx)
	return w.Outcome
}

// worker is one scanner's part.
type worker struct {
	*run
	Outcome
	index    int
	scanner  Scanner
	coverage []finding.Event // held back until the scanner is known to have completed
}

// work sets w.Err and never panics: a reader that meets a report it cannot stand must not take the other scanners'
// results with it.
func (w *worker) work(ctx context.Context) {
	defer func() {
		if p := recover(); p != nil {
			w.Err = fmt.Errorf("scanner %s: %v", w.scanner.Name(), p)
		}
	}()
	w.Started = w.opts.Now()
	if w.Err = w.available(ctx); w.Err != nil {
		return
	}
	if w.job.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, w.job.Timeout)
		defer cancel()
	}
	w.Err = w.scan(ctx)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) && w.job.Timeout > 0 {
		w.Err = fmt.Errorf("not finished after %s: %w", w.job.Timeout, context.DeadlineExceeded)
	}
}

func (w *worker) available(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, availableWithin)
	defer cancel()
	w.Version, err = w.scanner.Available(ctx)
	return err
}

// scan runs the tool and reads its report at the same time: tool -> tee -> (raw, pipe -> reader).
func (w *worker) scan(ctx context.Context) error {
	raw := io.Discard
	if w.opts.Raw != nil {
		keep, err := w.opts.Raw(w.scanner.Name())
		if err != nil {
			return fmt.Errorf("keep the raw report of %s: %w", w.scanner.Name(), err)
		}
		raw = keep
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in, out := io.Pipe()
	read := make(chan error, 1)
	go func() { read <- w.read(ctx, in) }()
	t := &tee{raw: raw, pipe: out, left: w.opts.MaxRaw, limit: w.opts.MaxRaw}
	runErr := w.tool(ctx, t)
	readErr := <-read
	switch {
	case t.err != nil:
		return t.err
	case runErr != nil:
		return runErr
	case readErr != nil:
		return fmt.Errorf("read the report of %s: %w", w.scanner.Name(), readErr)
	}
	return nil
}

// tool runs the scanner. A panic becomes an error here and not further out: the reader must be told of the end and waited
// for, whatever happens.
func (w *worker) tool(ctx context.Context, t *tee) (err error) {
	defer t.pipe.Close()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("scanner %s: %v", w.scanner.Name(), p)
		}
	}()
	return w.scanner.Run(ctx, w.job, t, w.progress)
}

// read outlives a cancelled ctx, so that what the tool had written is not lost; it ends when the pipe is closed.
func (w *worker) read(ctx context.Context, in *io.PipeReader) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("reader: %v", p)
		}
		in.CloseWithError(io.ErrClosedPipe)
	}()
	return w.scanner.Read(context.WithoutCancel(ctx), in, w.take)
}

// tee writes to both sides. A reader that gave up does not stop the tool: the raw report can be read again.
type tee struct {
	raw         io.Writer
	pipe        *io.PipeWriter
	left, limit int64
	deaf        bool
	err         error
}

func (t *tee) Write(p []byte) (int, error) {
	if t.err == nil && int64(len(p)) > t.left {
		t.err = fmt.Errorf("raw report is larger than %d MiB", t.limit>>20)
	}
	if t.err != nil {
		return 0, t.err
	}
	t.left -= int64(len(p))
	n, err := t.raw.Write(p)
	if err != nil {
		t.err = fmt.Errorf("keep the raw report: %w", err)
		return n, t.err
	}
	if !t.deaf {
		_, err := t.pipe.Write(p)
		t.deaf = err != nil
	}
	return len(p), nil
}

// conclude decides the status, gives the coverage out or throws it away, and fills the progress.
func (w *worker) conclude(ctx context.Context) {
	w.Completed = w.opts.Now()
	switch {
	case w.Err == nil && ctx.Err() == nil:
		w.Status = Completed
	case ctx.Err() != nil:
		w.Status = Cancelled
		w.Err = context.Cause(ctx)
	default:
		w.Status = Failed
	}
	if w.Status == Failed {
		w.progress(Progress{Stage: string(Failed), Percent: 100}) // its share is not coming any more
	}
	if w.Status != Completed {
		return
	}
	for _, e := range w.coverage {
		if err := w.emit(w.Scanner, e); err != nil {
			return
		}
	}
	w.progress(Progress{Stage: string(Completed), Percent: 100})
}

// take checks one event of the reader against the job and passes it on.
func (w *worker) take(e finding.Event) error {
	e, ok := w.place(e)
	if !ok {
		if n := Records(e); n > 0 {
			w.Dropped[reasonOutside] += n
		}
		return nil
	}
	if e.Coverage != nil {
		w.coverage = append(w.coverage, e)
		return nil
	}
	return w.emit(w.Scanner, e)
}

// place finds the job's host that an event speaks of, gives it back its IPv6 zone and the names it was asked for by. ok
// is false when nobody asked for that host.
func (r *run) place(e finding.Event) (_ finding.Event, ok bool) {
	switch {
	case e.Host != nil:
		h := *e.Host
		i, ok := r.find(&h.Address)
		if i >= 0 {
			h.Names = union(r.job.Hosts[i].Names, h.Names)
		}
		return finding.Event{Host: &h}, ok || !h.Address.IsValid() && slices.ContainsFunc(h.Names, func(n string) bool { return r.names[n] })
	case e.Service != nil:
		s := *e.Service
		_, ok := r.find(&s.Address)
		return finding.Event{Service: &s}, ok || !s.Address.IsValid() && r.names[s.HostName]
	case e.Observation != nil:
		o := *e.Observation
		_, ok := r.find(&o.Address)
		return finding.Event{Observation: &o}, ok || !o.Address.IsValid() && r.names[o.HostName]
	case e.Coverage != nil:
		c := *e.Coverage
		_, ok := r.find(&c.Address)
		return finding.Event{Coverage: &c}, ok
	}
	return e, e.Drop != nil
}

// find looks the address up and rewrites it to the job's spelling.
func (r *run) find(addr *netip.Addr) (int, bool) {
	*addr = addr.Unmap()
	if i, ok := r.hosts[*addr]; ok {
		return i, true
	}
	if i, ok := r.bare[*addr]; ok && i >= 0 {
		*addr = r.job.Hosts[i].Address
		return i, true
	}
	return -1, false
}

func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
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
	if i, ok := r.hosts[addr]; ok {
		r.answered[i] = true
	}
}

// progress merges one scanner's percent into the scan's: their mean, never less than was shown, 100 only at the end.
func (w *worker) progress(p Progress) {
	r := w.run
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || math.IsNaN(p.Percent) {
		return
	}
	r.percents[w.index] = max(r.percents[w.index], min(p.Percent, 100))
	sum := 0.0
	for _, percent := range r.percents {
		sum += percent
	}
	r.shown = max(r.shown, sum/float64(len(r.percents)))
	p.Scanner, p.Percent = w.Scanner, r.shown
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
