package scan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/telemetry"
)

// Defaults of WorkOptions.
const (
	DefaultTasks = 4                // on this machine at one time
	DefaultGrace = 30 * time.Second // that running tasks have when a scan is to pause
	roomEvery    = 3 * time.Second  // that Choice.Room is asked
	maxAttempts  = 5                // a task that was running whenever its process died has had its chances
)

// WorkOptions say how a plan is worked through. The zero value works and throws everything away.
type WorkOptions struct {
	Parallel int   // tasks at one time, those of remote scanners besides; 0 = DefaultTasks
	MaxRaw   int64 // bytes of one raw report, 0 = DefaultMaxRaw; a tool that writes more fails

	Keeper Keeper // nil keeps nothing
	// Allowed says whether a host may be scanned and, for people, why not. It is asked before every task: what was allowed
	// when the scan began need not be hours later. Nil allows everything.
	Allowed func(HostTarget) (bool, string)
	// Pause, when closed, lets running tasks end within Grace (0 = DefaultGrace), then stops them, to be repeated.
	Pause <-chan struct{}
	Grace time.Duration
	// Stop, when closed, is a Pause without Grace: this process is to end, and another one continues.
	Stop <-chan struct{}
	// Admit, when set, waits until a tool may run on this machine (several scans share it) and returns what gives the
	// place back. It is not asked for scanners that run elsewhere. Its error is ctx's.
	Admit func(ctx context.Context) (release func(), err error)
	// Progress is called one call at a time. Percent is over the whole scan and never falls; Done and Total count tasks.
	Progress func(Progress)
	Now      func() time.Time // nil = time.Now
}

// Keeper is where the tasks of a scan and what they say are kept, so that a process that dies loses and repeats nothing.
// Its methods are called by several tasks at once. An error of any ends the work.
type Keeper interface {
	// Save writes tasks as they stand, all or none.
	Save(ctx context.Context, tasks ...*Task) error
	// Open begins an attempt at a task.
	Open(ctx context.Context, t *Task) (Report, error)
	// Stored opens the raw report of a task whose tool ended, to be read again.
	Stored(ctx context.Context, t *Task) (io.ReadCloser, error)
	// Committed says whether what a task said is kept already.
	Committed(ctx context.Context, t *Task) (bool, error)
}

// Report takes what one attempt at a task says. Write and Emit may run side by side, each by itself one call at a time,
// and end before Keep. Either Commit or Discard is the last call.
type Report interface {
	io.Writer // the raw report as the tool writes it
	// Emit takes an event. A host's coverage comes last, and only when the task completed.
	Emit(e finding.Event) error
	// Keep stores the raw report and sets t.Report.
	Keep(ctx context.Context, t *Task) error
	// Commit keeps what was emitted. t.Ended says how the tool ended.
	Commit(ctx context.Context, t *Task) error
	Discard()
}

// ErrPaused is the cause (context.Cause) with which a scanner's Run is ended because the scan pauses or its process stops:
// the task will be repeated.
var ErrPaused = errors.New("paused")

// stoppedBy is a cause of a stop that is not the end of the scan: tasks that it meets are repeated.
type stoppedBy struct{ error }

func (s stoppedBy) Unwrap() error { return s.error }

// Work works a plan through to its end: as many tasks at a time as the limits allow, later stages as soon as the earlier
// ones are through with a host. A scanner that fails is a result. When ctx ends, everything stops within two seconds, and
// what was found until then is committed. An error is the Keeper's: the tasks that were not committed then wait to be
// continued, as they do when the work pauses or the process dies; NewPlan, Restore and Work continue.
func Work(ctx context.Context, p *Plan, opts WorkOptions) (Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := newWork(p, opts, cancel)
	w.probe(ctx)
	err := w.run(ctx)
	return w.result(ctx), err
}

// work is the state of one Work. The fields above mu belong to its own goroutine.
type work struct {
	plan    *Plan
	opts    WorkOptions
	cancel  context.CancelCauseFunc
	ended   chan ending
	running map[*Task]context.CancelCauseFunc
	side    []int // running tasks by choice
	pausing bool
	err     error

	versions []string // by choice; not changed once the first task runs, like reasons
	reasons  []error  // by choice: why it is not available

	mu          sync.Mutex // guards what follows and serialises Progress
	meter       meter
	over, total int  // tasks
	closed      bool // Work has returned: a tool that does not stop is not listened to
}

// ending is a task that is over, or is to be repeated.
type ending struct {
	t   *Task
	err error
}

func newWork(p *Plan, opts WorkOptions, cancel context.CancelCauseFunc) *work {
	if opts.Parallel <= 0 {
		opts.Parallel = DefaultTasks
	}
	if opts.MaxRaw <= 0 {
		opts.MaxRaw = DefaultMaxRaw
	}
	if opts.Grace <= 0 {
		opts.Grace = DefaultGrace
	}
	if opts.Keeper == nil {
		opts.Keeper = nobody{}
	}
	if opts.Allowed == nil {
		opts.Allowed = func(HostTarget) (bool, string) { return true, "" }
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	n := len(p.Choices)
	w := &work{plan: p, opts: opts, cancel: cancel, ended: make(chan ending), running: map[*Task]context.CancelCauseFunc{}, side: make([]int, n),
		versions: make([]string, n), reasons: make([]error, n), meter: meter{now: opts.Now, slots: opts.Parallel}}
	for _, c := range p.Choices {
		weight := c.Weight
		if weight <= 0 {
			weight = 1
		}
		w.meter.parts = append(w.meter.parts, &part{weight: weight, stage: c.stage(), hosts: float64(len(p.Job.Hosts)), running: map[*Task]*turn{}})
	}
	return w
}

// probe asks every scanner whether it is there, all at once, and prepares what an earlier process left.
func (w *work) probe(ctx context.Context) {
	var wg sync.WaitGroup
	for ci, c := range w.plan.Choices {
		wg.Go(func() { w.versions[ci], w.reasons[ci] = available(ctx, c.Scanner) })
	}
	wg.Wait()
	for ci, err := range w.reasons {
		if err != nil && ctx.Err() == nil {
			w.plan.Off(w.plan.Choices[ci].Scanner.Name())
			w.meter.parts[ci].weight = 0
		}
	}
	for _, t := range w.plan.Tasks {
		ci := w.plan.byName[t.Scanner]
		if t.Over() {
			share := w.plan.share(ci, t)
			w.meter.parts[ci].done += share
			w.meter.parts[ci].before += share
		} else {
			t.Status = TaskPending
		}
	}
}

// run is the loop: cut, start, wait for one to end.
func (w *work) run(ctx context.Context) error {
	pause, stop, grace := w.opts.Pause, w.opts.Stop, (<-chan time.Time)(nil)
	room, still := w.roomChanges()
	defer still()
	for {
		if ctx.Err() == nil && !w.stopping() {
			w.next(ctx)
		}
		if len(w.running) == 0 {
			return w.finish(ctx)
		}
		select {
		case e := <-w.ended:
			w.end(e)
		case <-pause:
			pause, w.pausing = nil, true
			timer := time.NewTimer(w.opts.Grace)
			defer timer.Stop()
			grace = timer.C
		case <-stop:
			stop, w.pausing = nil, true
			w.interrupt()
		case <-grace:
			w.interrupt()
		case <-room:
		}
	}
}

// roomChanges ticks when there may be more room for tasks than before; never when no scanner's room changes.
func (w *work) roomChanges() (<-chan time.Time, func()) {
	if !slices.ContainsFunc(w.plan.Choices, func(c Choice) bool { return c.Room != nil }) {
		return nil, func() {}
	}
	tick := time.NewTicker(roomEvery)
	return tick.C, tick.Stop
}

// interrupt stops the running tasks, to be repeated.
func (w *work) interrupt() {
	for _, stop := range w.running {
		stop(stoppedBy{ErrPaused})
	}
}

// stopping also looks at a pause that nobody waited for yet.
func (w *work) stopping() bool {
	select {
	case <-w.opts.Pause:
		w.pausing = true
	case <-w.opts.Stop:
		w.pausing = true
	default:
	}
	return w.pausing || w.err != nil
}

// fail ends everything because of the keeper.
func (w *work) fail(err error) {
	if err != nil && w.err == nil {
		w.err = err
		w.cancel(stoppedBy{err})
	}
}

// next makes the tasks that can be made and starts those for which there is room.
func (w *work) next(ctx context.Context) {
	for {
		made := w.plan.Cut()
		if len(made) > 0 {
			if err := w.opts.Keeper.Save(ctx, made...); err != nil {
				w.fail(fmt.Errorf("keep the tasks: %w", err))
				return
			}
		}
		if !w.refuse(ctx) { // what is refused may be all that a later stage waited for
			break
		}
	}
	w.count()
	local := 0
	for ci, n := range w.side {
		if !w.plan.Choices[ci].Remote {
			local += n
		}
	}
	for _, t := range w.plan.Tasks {
		if _, running := w.running[t]; running || t.Over() {
			continue
		}
		ci := w.plan.byName[t.Scanner]
		c := w.plan.Choices[ci]
		if w.side[ci] >= c.room() || !c.Remote && local >= w.opts.Parallel {
			continue
		}
		if !c.Remote {
			local++
		}
		w.start(ctx, ci, t)
	}
}

// refuse ends the tasks that cannot run: their scanner is not there (any more), or the process died in each of their
// attempts, and says whether there was one.
func (w *work) refuse(ctx context.Context) (any bool) {
	for _, t := range w.plan.Tasks {
		ci := w.plan.byName[t.Scanner]
		if _, running := w.running[t]; running || t.Over() || t.Ended != "" {
			continue
		}
		switch {
		case w.plan.off[ci]:
			t.Error = w.reasons[ci].Error()
		case t.Attempts >= maxAttempts:
			t.Error = fmt.Sprintf("interrupted %d times", t.Attempts)
		default:
			continue
		}
		any = true
		t.Status, t.Ended, t.Finished = TaskFailed, Failed, w.opts.Now()
		w.plan.Ended(t)
		w.mu.Lock()
		w.meter.parts[ci].done += w.plan.share(ci, t)
		w.mu.Unlock()
		w.fail(w.opts.Keeper.Save(ctx, t))
	}
	return any
}

// count tells the meter of hosts that need no task, and counts those that there are.
func (w *work) count() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over, w.total = 0, len(w.plan.Tasks)
	for _, n := range w.plan.waiting {
		w.over += n
	}
	w.over = w.total - w.over
	for ci := range w.plan.Choices {
		w.meter.parts[ci].hosts = float64(len(w.plan.Job.Hosts) - w.plan.spared[ci])
		if w.meter.parts[ci].hosts == 0 {
			w.meter.parts[ci].weight = 0
		}
	}
}

func (w *work) start(ctx context.Context, ci int, t *Task) {
	ctx, cancel := context.WithCancelCause(ctx)
	w.running[t] = cancel
	w.side[ci]++
	w.mu.Lock()
	w.meter.begin(ci, t, w.plan.share(ci, t))
	w.mu.Unlock()
	go func() { w.ended <- ending{t, w.admitted(ctx, ci, t)} }()
}

// admitted is do in its turn. A scan that ends meanwhile needs none: do sees that.
func (w *work) admitted(ctx context.Context, ci int, t *Task) error {
	if w.opts.Admit != nil && !w.plan.Choices[ci].Remote && t.Ended == "" {
		if release, err := w.opts.Admit(ctx); err == nil {
			defer release()
		}
	}
	return w.do(ctx, ci, t)
}

func (w *work) end(e ending) {
	ci := w.plan.byName[e.t.Scanner]
	w.running[e.t](nil)
	delete(w.running, e.t)
	w.side[ci]--
	if e.err != nil {
		w.fail(fmt.Errorf("task %d (%s): %w", e.t.N, e.t.Scanner, e.err))
	}
	over := e.t.Over()
	if over {
		w.plan.Ended(e.t)
	}
	w.mu.Lock()
	w.meter.end(ci, e.t, over)
	w.mu.Unlock()
	w.tell(Progress{Scanner: e.t.Scanner, Stage: string(e.t.Ended)})
}

// finish settles what is left when nothing runs any more.
func (w *work) finish(ctx context.Context) error {
	if w.err != nil {
		return w.err
	}
	if ctx.Err() == nil {
		w.plan.Cut() // a pause that comes when all is done pauses nothing
		if w.pausing = w.pausing && w.left() != nil; !w.pausing {
			w.last()
		}
		return nil
	}
	w.pausing = false
	left := w.left()
	for _, t := range left {
		t.Status, t.Finished = TaskCancelled, w.opts.Now()
	}
	if left == nil {
		return nil
	}
	return w.opts.Keeper.Save(context.WithoutCancel(ctx), left...)
}

func (w *work) left() (tasks []*Task) {
	for _, t := range w.plan.Tasks {
		if !t.Over() {
			tasks = append(tasks, t)
		}
	}
	return tasks
}

// last shows that all is done.
func (w *work) last() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.opts.Progress != nil {
		w.opts.Progress(Progress{Percent: 100, Stage: string(Completed), Done: len(w.plan.Tasks), Total: len(w.plan.Tasks)})
	}
}

// do is one task from its check against the scope to its commit.
func (w *work) do(ctx context.Context, ci int, t *Task) error {
	keep := context.WithoutCancel(ctx)
	if t.Ended != "" {
		if done, err := w.opts.Keeper.Committed(keep, t); done || err != nil {
			return errors.Join(err, w.settle(keep, t, err))
		}
	}
	stored := w.stored(keep, t)
	if stored == nil {
		w.admit(t)
	}
	job := w.plan.job(t, w.plan.Choices[ci])
	if len(job.Hosts) == 0 {
		t.Ended, t.Error, t.Finished = Failed, t.Skipped[0].Reason, w.opts.Now()
		return w.settle(keep, t, nil)
	}
	if stored == nil {
		t.Ended = ""
		t.Attempts++
		t.Started, t.Version = w.opts.Now(), w.versions[ci]
	}
	t.Status = TaskRunning
	if err := w.opts.Keeper.Save(keep, t); err != nil {
		return errors.Join(err, stored.Close())
	}
	report, err := w.opts.Keeper.Open(keep, t)
	if err != nil {
		return errors.Join(err, stored.Close())
	}
	ctx, endSpan := telemetry.Span(ctx, "task "+t.Scanner, "task", t.N, "hosts", len(t.Hosts))
	err = w.attempt(ctx, ci, t, job, report, stored)
	endSpan(err)
	return err
}

// stored opens what the tool left when the process before this one died; nil when it did not come so far, or when the
// report is not kept (any more): then the tool runs again.
func (w *work) stored(ctx context.Context, t *Task) *leftover {
	if t.Ended == "" || t.Report == "" {
		return nil
	}
	raw, err := w.opts.Keeper.Stored(ctx, t)
	if err != nil {
		return nil
	}
	return &leftover{raw, *t}
}

// leftover is the raw report of a task whose tool ended, and how.
type leftover struct {
	io.ReadCloser
	task Task
}

// Close may be called of none.
func (l *leftover) Close() error {
	if l == nil {
		return nil
	}
	return l.ReadCloser.Close()
}

// admit leaves out what may not be scanned now.
func (w *work) admit(t *Task) {
	for _, h := range t.Hosts {
		if slices.ContainsFunc(t.Skipped, func(s Skipped) bool { return s.Address == h.Address }) {
			continue
		}
		if ok, reason := w.opts.Allowed(h); !ok {
			s := Skipped{Address: h.Address, Reason: reason}
			if len(h.Names) > 0 {
				s.Name = h.Names[0]
			}
			t.Skipped = append(t.Skipped, s)
		}
	}
}

// settle writes the status that follows from how the task ended.
func (w *work) settle(ctx context.Context, t *Task, err error) error {
	if err != nil {
		return nil // the caller has the error already
	}
	switch t.Ended {
	case Completed:
		t.Status = TaskDone
	case Cancelled:
		t.Status = TaskCancelled
	default:
		t.Status = TaskFailed
	}
	return w.opts.Keeper.Save(ctx, t)
}

// attempt runs the tool, or reads what it left, and commits what it said.
func (w *work) attempt(ctx context.Context, ci int, t *Task, job Job, report Report, stored *leftover) error {
	g := &gate{report: report}
	a := newAttempt(w.plan.Choices[ci].Scanner, job)
	a.raw, a.emit, a.maxRaw, a.now = g, g.emit, w.opts.MaxRaw, w.opts.Now
	a.progress = func(p Progress) { w.moved(ci, t, p) }
	o := w.await(ctx, a, stored, cmp.Or(w.plan.Choices[ci].Stop, stopWithin))
	g.close()
	var stop stoppedBy
	switch {
	case g.err != nil:
		report.Discard()
		t.Status = TaskPending
		return g.err
	case o.Status == Cancelled && errors.As(context.Cause(ctx), &stop):
		report.Discard()
		t.Status = TaskPending
		if stored == nil {
			t.Attempts-- // it was not the task's fault
		}
		return w.opts.Keeper.Save(context.WithoutCancel(ctx), t)
	}
	t.Ended, t.Dropped, t.Found, t.Finished = o.Status, o.Dropped, g.found, o.Completed
	if t.Error = ""; o.Err != nil && o.Status != Cancelled {
		t.Error = o.Err.Error()
	}
	return w.commit(context.WithoutCancel(ctx), t, report, stored != nil)
}

// commit: the task is saved with what it found and its report before what it said is written, and with its end after it,
// so that a process that dies in between knows where it was.
func (w *work) commit(ctx context.Context, t *Task, report Report, again bool) error {
	if !again {
		if err := report.Keep(ctx, t); err != nil {
			report.Discard()
			return err
		}
	}
	if err := w.opts.Keeper.Save(ctx, t); err != nil {
		report.Discard()
		return err
	}
	if err := report.Commit(ctx, t); err != nil {
		if done, _ := w.opts.Keeper.Committed(ctx, t); !done {
			return err
		}
		t.Ended, t.Error = Failed, "not everything could be kept: "+err.Error() // which is a result, not the end
	}
	return w.settle(ctx, t, nil)
}

// await lets the attempt work and gives it up when it does not end in time after it should have.
func (w *work) await(ctx context.Context, a *attempt, stored *leftover, within time.Duration) Outcome {
	limit := ctx
	if a.job.Timeout > 0 {
		var cancel context.CancelFunc
		limit, cancel = context.WithTimeout(ctx, a.job.Timeout)
		defer cancel()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if stored != nil {
			a.reread(ctx, stored)
			return
		}
		a.work(ctx)
		a.conclude(ctx)
	}()
	deadline := afterCancel(limit, within)
	defer deadline.stop()
	select {
	case <-done:
		return a.Outcome
	case <-deadline.passed:
	}
	select {
	case <-done:
		return a.Outcome
	default:
	}
	name := a.scanner.Name()
	o := Outcome{Scanner: name, Status: Failed, Completed: w.opts.Now(), Err: fmt.Errorf("%s did not stop within %s", name, within)}
	if ctx.Err() != nil {
		o.Status = Cancelled
	}
	return o
}

// gate stands before a report: nothing passes once it is closed, and the first error of Emit is remembered.
type gate struct {
	mu     sync.Mutex
	raw    sync.Mutex
	closed bool
	report Report
	err    error
	found  Found
	up     map[netip.Addr]bool
}

func (g *gate) Write(p []byte) (int, error) {
	g.raw.Lock()
	defer g.raw.Unlock()
	if g.closed {
		return 0, errClosed
	}
	return g.report.Write(p)
}

func (g *gate) emit(e finding.Event) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed:
		return errClosed
	case g.err != nil:
		return g.err
	}
	g.note(e)
	g.err = g.report.Emit(e)
	return g.err
}

// note remembers what later stages build on.
func (g *gate) note(e finding.Event) {
	addr := netip.Addr{}
	switch {
	case e.Host != nil && e.Host.Status == "up":
		addr = e.Host.Address
	case e.Service != nil:
		addr = e.Service.Address
		if web, ok := webPort(e.Service); ok && !slices.Contains(g.found.Web, web) {
			g.found.Web = append(g.found.Web, web)
		}
	}
	if addr.IsValid() && !g.up[addr] {
		if g.up == nil {
			g.up = map[netip.Addr]bool{}
		}
		g.up[addr] = true
		g.found.Up = append(g.found.Up, addr)
	}
}

// close waits for calls that are under way.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.raw.Lock()
	defer g.raw.Unlock()
	g.closed = true
}

// moved takes a tool's own progress.
func (w *work) moved(ci int, t *Task, p Progress) {
	w.mu.Lock()
	w.meter.move(ci, t, p.Percent/100, p.ETA)
	w.mu.Unlock()
	p.Scanner = t.Scanner
	w.tell(p)
}

// tell shows the whole scan's progress with a tool's own stage.
func (w *work) tell(p Progress) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.opts.Progress == nil || w.closed {
		return
	}
	p.Percent, p.ETA, p.Done, p.Total = w.meter.percent(), w.meter.eta(), w.over, w.total
	w.opts.Progress(p)
}

// nobody keeps nothing.
type nobody struct{}

func (nobody) Save(context.Context, ...*Task) error        { return nil }
func (nobody) Open(context.Context, *Task) (Report, error) { return nobody{}, nil }
func (nobody) Stored(context.Context, *Task) (io.ReadCloser, error) {
	return nil, errors.ErrUnsupported
}
func (nobody) Committed(context.Context, *Task) (bool, error) { return false, nil }
func (nobody) Write(p []byte) (int, error)                    { return len(p), nil }
func (nobody) Emit(finding.Event) error                       { return nil }
func (nobody) Keep(context.Context, *Task) error              { return nil }
func (nobody) Commit(context.Context, *Task) error            { return nil }
func (nobody) Discard()                                       {}
