package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/telemetry"
)

// Keeper is the part of a Store that a running job needs. A worker elsewhere has one that speaks HTTPS.
type Keeper interface {
	Beat(ctx context.Context, id, fence int64, p Progress) (cancel bool, err error)
	Finish(ctx context.Context, id, fence int64, end End) error
	HandBack(ctx context.Context, id, fence int64) error
}

// Runner runs leased jobs in this process: it beats for them, ends them when somebody wants it or when they are lost, and
// writes down how they ended. It is safe for concurrent use.
type Runner struct {
	keeper   Keeper
	handlers map[Kind]Handler
	opts     Options

	mu       sync.Mutex
	attempts map[*attempt]bool
	stopping bool
}

// NewRunner returns a Runner. The handlers must not be changed any more.
func NewRunner(keeper Keeper, handlers map[Kind]Handler, opts Options) *Runner {
	return &Runner{keeper: keeper, handlers: handlers, opts: opts.WithDefaults(), attempts: map[*attempt]bool{}}
}

// Lease is the store's, to its end although ctx ends: what was leased and not heard of would wait to be lost.
func Lease(ctx context.Context, store Store, want Want) ([]Job, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), Alive/2)
	defer done()
	return store.Lease(ctx, want)
}

// attempt is a job that runs here.
type attempt struct {
	run    *Run
	end    context.CancelCauseFunc
	now    chan chan struct{} // asks for a beat at once; what is sent is closed when it was made
	beaten chan struct{}      // closed when no beat comes any more
	begun  time.Time
}

// Run runs a job that was leased, and returns when how it ended is written down. That ctx ends does not end the job: Stop
// does.
func (r *Runner) Run(ctx context.Context, j Job) {
	ctx, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	a := &attempt{run: &Run{Job: j}, end: end, now: make(chan chan struct{}), beaten: make(chan struct{}), begun: time.Now()}
	r.begin(a)
	defer r.forget(a)
	beating, quiet := context.WithCancel(context.WithoutCancel(ctx))
	go r.beat(beating, a)
	log := r.logOf(j)
	log.Debug("job begins")
	r.conclude(ctx, a, r.call(ctx, a.run, log), log)
	quiet()
	<-a.beaten
}

// logOf is the log of what happens to a job.
func (r *Runner) logOf(j Job) *slog.Logger {
	log := r.opts.Log.With("job_id", j.ID, "kind", string(j.Kind), "attempt", j.Attempt)
	if j.Scan != 0 {
		log = log.With("scan_id", j.Scan)
	}
	return log
}

func (r *Runner) begin(a *attempt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts[a] = true
	if r.stopping {
		a.end(ErrStopping)
	}
}

func (r *Runner) forget(a *attempt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.attempts, a)
}

// Running is how many jobs run here.
func (r *Runner) Running() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.attempts)
}

// Stop ends the jobs that run and those that begin afterwards with ErrStopping. It does not wait.
func (r *Runner) Stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopping = true
	for a := range r.attempts {
		a.end(ErrStopping)
	}
}

// BeatAll has all jobs that run here beat now and waits for that, at most until ctx ends: they hear sooner that they are to
// end, and a sweep that follows finds them alive whatever the clock did.
func (r *Runner) BeatAll(ctx context.Context) {
	r.mu.Lock()
	var asked []*attempt
	for a := range r.attempts {
		asked = append(asked, a)
	}
	r.mu.Unlock()
	var all sync.WaitGroup
	for _, a := range asked {
		all.Go(func() {
			made := make(chan struct{})
			select {
			case a.now <- made:
			case <-a.beaten:
				return
			case <-ctx.Done():
				return
			}
			select {
			case <-made:
			case <-ctx.Done():
			}
		})
	}
	all.Wait()
}

// beat tells every second that the job is worked on, also while it comes to its end.
func (r *Runner) beat(ctx context.Context, a *attempt) {
	defer close(a.beaten)
	tick := time.NewTicker(BeatEvery)
	defer tick.Stop()
	last := time.Now()
	for ours := true; ours; {
		var made chan struct{}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case made = <-a.now:
		}
		ours = r.beatOnce(ctx, a, &last)
		if made != nil {
			close(made)
		}
	}
}

// beatOnce says whether the job is still ours. One that could not be told of for as long as the options have patience is
// given up: a process that lost the database must not go on. Durations are measured by the clock that nobody sets.
func (r *Runner) beatOnce(ctx context.Context, a *attempt, last *time.Time) bool {
	patience := r.opts.Patience
	begun := time.Now()
	limited, done := context.WithTimeout(ctx, max(patience-begun.Sub(*last), BeatEvery))
	defer done()
	cancel, err := r.keeper.Beat(limited, a.run.Job.ID, a.run.Job.Fence, a.run.told())
	switch {
	case err == nil:
		*last = begun
		if cancel {
			a.end(ErrCancelled)
		}
		return true
	case another(err):
		a.end(ErrLost)
		return false
	case ctx.Err() == nil && time.Since(*last) >= patience:
		a.end(errGivenUp)
		return false
	}
	return true
}

// errGivenUp is ErrLost of a job that is perhaps still ours: nobody could be asked.
var errGivenUp = fmt.Errorf("the database did not answer: %w", ErrLost)

// another says whether an error means that the job is not ours any more.
func another(err error) bool {
	return fault.KindOf(err) == fault.KindConflict || fault.KindOf(err) == fault.KindNotFound
}

// traced has what the handler logs and traces carry the ids of its job.
func traced(ctx context.Context, j Job) (_ context.Context, end func(error)) {
	ctx = telemetry.WithJob(ctx, j.ID, string(j.Kind))
	if j.Scan != 0 {
		ctx = telemetry.WithScan(ctx, j.Scan)
	}
	return telemetry.Span(ctx, "job "+string(j.Kind), "job_id", j.ID, "scan_id", j.Scan)
}

// call runs the handler; a panic is an error of it.
func (r *Runner) call(ctx context.Context, run *Run, log *slog.Logger) (err error) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("job panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("internal error; the log has the cause")
		}
	}()
	ctx, endSpan := traced(ctx, run.Job)
	defer func() { endSpan(err) }()
	handler := r.handlers[run.Job.Kind]
	if handler == nil {
		return fmt.Errorf("nothing runs jobs of kind %q here: %w", run.Job.Kind, ErrFatal)
	}
	return handler(ctx, run)
}

// conclude writes down how the attempt ended.
func (r *Runner) conclude(ctx context.Context, a *attempt, err error, log *slog.Logger) {
	j, cause := a.run.Job, context.Cause(ctx)
	if errors.Is(cause, ErrLost) && !errors.Is(cause, errGivenUp) {
		log.Warn("job is another worker's by now")
		return
	}
	back := err != nil && (errors.Is(cause, ErrStopping) || errors.Is(cause, errGivenUp) || errors.Is(err, ErrStopping))
	end := r.outcome(a.run, err, cause)
	written := r.persist(func(ctx context.Context) error {
		if back {
			return r.keeper.HandBack(ctx, j.ID, j.Fence)
		}
		return r.keeper.Finish(ctx, j.ID, j.Fence, end)
	})
	took := time.Since(a.begun).Round(time.Millisecond)
	switch {
	case written != nil:
		log.Warn("how the job ended could not be written", "error", written)
	case back:
		log.Info("job handed back", "reason", cause)
	case end.State == Dead || end.State == Queued:
		log.Warn("job failed", "error", end.Error, "state", string(end.State), "took", took)
	default:
		log.Info("job ended", "state", string(end.State), "took", took)
	}
}

// outcome is how a handler's answer is written down.
func (r *Runner) outcome(run *Run, err, cause error) End {
	end := End{State: Done, Result: run.came()}
	switch {
	case err == nil:
		return end
	case errors.Is(cause, ErrCancelled), errors.Is(err, ErrCancelled):
		end.State = Cancelled
		if errors.Is(err, ErrCancelled) || errors.Is(err, context.Canceled) {
			return end // as it was wished, nothing to tell
		}
	case errors.Is(err, ErrFatal):
		end.State = Dead
	default:
		end.State, end.After = Queued, r.opts.Backoff(run.Job.Attempt)
	}
	end.Error = shortened(err.Error())
	return end
}

// maxError is how much of an error's text is kept, in bytes.
const maxError = 2000

func shortened(text string) string {
	if len(text) > maxError {
		text = text[:maxError]
	}
	return strings.ToValidUTF8(text, "")
}

// persist tries again while the database is away, for longer than it usually is: what was done should not be done twice.
func (r *Runner) persist(write func(context.Context) error) error {
	for until := time.Now().Add(4 * Alive); ; {
		ctx, done := context.WithTimeout(context.Background(), Alive)
		err := write(ctx)
		done()
		if err == nil || another(err) || fault.KindOf(err) == fault.KindInvalid || time.Now().After(until) {
			return err
		}
		time.Sleep(BeatEvery)
	}
}
