package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/worker"
)

const (
	toolPoll     = 500 * time.Millisecond // that a tool's job is looked at when nothing wakes who waits for it
	toolStop     = 5 * time.Second        // that a tool elsewhere may take to stop, with its beat and its report
	toolAttempts = 5                      // a task that was running whenever its worker died has had its chances
	// noWorkerFor is how long a task waits while no worker that could run it is there.
	noWorkerFor = 15 * time.Minute
	laneFresh   = 2 * time.Second
	// availableSoon is less than scan waits for a scanner to say that it is there.
	availableSoon = 8 * time.Second
	minChunk      = 4 // addresses of a task, however many workers there are
)

// remoteScan is one scan whose tools run elsewhere: in the workers of a lane, which lease jobs of kind tool.
type remoteScan struct {
	*parts
	id         int64
	site, lane string
	by         string
	stopping   <-chan struct{} // closed when this process ends and another one continues the scan; nil is never

	once  sync.Once
	found error
	known map[string]job.Job // tool jobs of an earlier process, by key

	mu      sync.Mutex
	workers []store.Worker // of the lane, also those that fell silent
	asked   time.Time
}

// remoteChoices has the scanners of a scan run where its site says: by the site's own workers when it has a worker's token,
// else by the server's processes on PostgreSQL; with SQLite the choices stay as they are, and the tools run in this process.
// stopping is closed when this process is to end: then running tools are left to whoever continues the scan.
func (a *App) remoteChoices(ctx context.Context, id int64, site string, hosts int, choices []scan.Choice, stopping <-chan struct{}) ([]scan.Choice, error) {
	lane, err := a.store.Jobs().LaneOf(ctx, site)
	if err != nil || lane == "" && a.store.Engine() == store.SQLite {
		return choices, err
	}
	r := &remoteScan{parts: a.parts, id: id, site: site, lane: lane, by: a.who.Name, stopping: stopping}
	out := slices.Clone(choices)
	for i, c := range out {
		s := &remoteScanner{Scanner: c.Scanner, scan: r, timeout: c.Timeout}
		c.Scanner, c.Remote, c.Timeout, c.Stop, c.Room = s, true, 0, toolStop, s.room
		if c.Hosts > minChunk {
			c.Hosts = min(c.Hosts, max(minChunk, (hosts-1)/(2*s.room())+1))
		}
		out[i] = c
	}
	return out, nil
}

// there lists the workers of the lane as they were a moment ago.
func (r *remoteScan) there(ctx context.Context) ([]store.Worker, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.asked.IsZero() && time.Since(r.asked) < laneFresh {
		return r.workers, nil
	}
	all, err := r.store.Jobs().WorkersOf(ctx, r.lane)
	if err != nil {
		return r.workers, err
	}
	r.workers, r.asked = all, time.Now()
	return r.workers, nil
}

// whose names the workers in messages.
func (r *remoteScan) whose() string {
	if r.lane == "" {
		return "of the server"
	}
	return "of the site " + r.lane
}

// remoteScanner is a scanner that runs elsewhere. What it said is read here.
type remoteScanner struct {
	scan.Scanner
	scan    *remoteScan
	timeout time.Duration // of a run, once it has begun
}

// Stage implements scan.Staged.
func (s *remoteScanner) Stage() scan.Stage { return stageOf(s.Scanner) }

// Available implements scan.Scanner: it says what the workers said. A worker that fell silent lately is waited for by the
// tasks; where there is none at all, one may be on its way, since the server that starts again does so before its workers
// notice.
func (s *remoteScanner) Available(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, availableSoon)
	defer cancel()
	for {
		version, err := s.available(ctx, func(w store.Worker) bool { return w.Alive || s.scan.now().Sub(w.Seen) < noWorkerFor })
		if fault.KindOf(err) != fault.KindUnavailable {
			return version, err
		}
		select {
		case <-ctx.Done():
			return "", err
		case <-time.After(toolPoll):
		}
	}
}

// available says which version the workers that count have, or why none has any.
func (s *remoteScanner) available(ctx context.Context, counts func(store.Worker) bool) (string, error) {
	workers, err := s.scan.there(ctx)
	if err != nil {
		return "", err
	}
	why := fmt.Sprintf("no worker %s is there", s.scan.whose())
	for _, w := range workers {
		for _, t := range w.Scanners {
			switch {
			case !counts(w) || t.Name != s.Name():
			case t.Error == "":
				return t.Version, nil
			default:
				why = fmt.Sprintf("no worker %s can run %s: %s", s.scan.whose(), s.Name(), t.Error)
			}
		}
	}
	return "", fault.Unavailable("%s", why)
}

func alive(w store.Worker) bool { return w.Alive }

// room is how many runs of the scanner the lane has room for.
func (s *remoteScanner) room() int {
	ctx, cancel := context.WithTimeout(context.Background(), laneFresh)
	defer cancel()
	workers, _ := s.scan.there(ctx) // those of before are as good a guess as any
	n := 0
	for _, w := range workers {
		for _, t := range w.Scanners {
			if w.Alive && t.Name == s.Name() && t.Error == "" {
				n += min(max(1, t.Parallel), max(1, w.Capacity))
			}
		}
	}
	return max(1, n)
}

// Run implements scan.Scanner: it queues a job, or finds the one that an earlier process queued, and waits for it. A run that
// is to be cancelled is cancelled there; one whose conductor only changes goes on.
func (s *remoteScanner) Run(ctx context.Context, what scan.Job, raw io.Writer, progress func(scan.Progress)) error {
	what.Timeout = s.timeout
	order := worker.OrderOf(s.Name(), what)
	for range 3 { // somebody else may have cancelled the one that was found
		j, found, err := s.scan.begin(ctx, what.Task, order)
		if err != nil {
			return err
		}
		over, err := s.await(ctx, j, progress)
		if err != nil {
			return s.abandon(ctx, j.ID, err, raw)
		}
		if found && over.State == job.Cancelled {
			s.scan.forget(over.Key)
			continue
		}
		return s.scan.conclude(awaitEnd(ctx, over.State), over, raw)
	}
	return fault.Conflict("the run of %s is cancelled again and again", s.Name())
}

// awaitEnd returns ctx, a moment later when the job was cancelled: whoever cancels a scan cancels its jobs first, and then
// this conductor hears of it too.
func awaitEnd(ctx context.Context, state job.State) context.Context {
	if state == job.Cancelled {
		select {
		case <-ctx.Done():
		case <-time.After(3 * time.Second):
		}
	}
	return ctx
}

// toolKey is the same for every process that conducts the scan, as long as the task asks for the same.
func (r *remoteScan) toolKey(task int, o worker.Order) string {
	o.Scanning, o.Rate, o.TimeoutMS = time.Time{}, 0, 0 // which differ from process to process
	text, _ := json.Marshal(o)                          // strings and numbers only
	sum := sha256.Sum256(text)
	return fmt.Sprintf("tool/%d/%d/%s", r.id, task, hex.EncodeToString(sum[:8]))
}

// begin queues the job of a task, or returns that of an earlier process.
func (r *remoteScan) begin(ctx context.Context, task int, o worker.Order) (j job.Job, found bool, err error) {
	key := r.toolKey(task, o)
	if j, found, err = r.earlier(ctx, key); found || err != nil {
		return j, found, err
	}
	args, err := json.Marshal(o)
	if err != nil {
		return j, false, err
	}
	queued, err := r.enqueue(ctx, job.Job{Kind: job.Tool, Lane: r.lane, Site: r.site, Scan: r.id, Key: key, Args: args, By: r.by,
		MaxAttempts: toolAttempts})
	if err != nil {
		return j, false, fmt.Errorf("queue a run of %s: %w", o.Scanner, err)
	}
	return queued, queued.State != job.Queued, nil
}

// earlier finds the job that an earlier process queued for the same; those that were cancelled do not count.
func (r *remoteScan) earlier(ctx context.Context, key string) (job.Job, bool, error) {
	r.once.Do(func() { r.known, r.found = r.look(ctx) })
	if r.found != nil {
		return job.Job{}, false, r.found
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	j, ok := r.known[key]
	return j, ok, nil
}

func (r *remoteScan) look(ctx context.Context) (map[string]job.Job, error) {
	all, err := r.store.Jobs().Jobs(ctx, job.Filter{Kinds: []job.Kind{job.Tool}, Scan: r.id, Bare: true})
	if err != nil {
		return nil, err
	}
	known := map[string]job.Job{}
	for _, j := range all {
		if old, twice := known[j.Key]; j.State != job.Cancelled && !j.Cancel && (!twice || old.ID < j.ID) {
			known[j.Key] = j
		}
	}
	return known, nil
}

func (r *remoteScan) forget(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.known, key)
}

func (r *remoteScan) enqueue(ctx context.Context, j job.Job) (job.Job, error) {
	enqueue := r.store.Jobs().Enqueue
	if r.queue != nil {
		enqueue = r.queue.Enqueue
	}
	kept, err := enqueue(ctx, j)
	if err != nil {
		return job.Job{}, err
	}
	r.tools.arrived(r.lane)
	return kept[0], nil
}

// cancel ends the job; ended says that nothing runs any more.
func (r *remoteScan) cancel(ctx context.Context, id int64) (ended bool, err error) {
	if r.queue != nil {
		return r.queue.Cancel(ctx, id)
	}
	return r.store.Jobs().Cancel(ctx, id)
}

// await returns the job when it is over. A database that does not answer is asked again.
func (s *remoteScanner) await(ctx context.Context, j job.Job, progress func(scan.Progress)) (job.Job, error) {
	id, lonely := j.ID, time.Time{}
	defer s.scan.tools.end(id) // nobody else waits for it
	for {
		woken := s.scan.tools.ended(id)
		next, err := s.scan.stands(ctx, id)
		switch {
		case ctx.Err() != nil:
			return j, ctx.Err()
		case fault.KindOf(err) == fault.KindNotFound:
			return j, err
		case err != nil:
			s.scan.log.WarnContext(ctx, "a tool's job cannot be looked at; trying again", "job_id", id, "error", err)
		default:
			j = next
		}
		if j.State.Over() {
			return j, nil
		}
		if lonely, err = s.alone(ctx, j, lonely); err != nil {
			return j, err
		}
		s.tell(j, progress)
		select {
		case <-ctx.Done():
			return j, ctx.Err()
		case <-woken:
		case <-time.After(toolPoll):
		}
	}
}

// stands says where a job stands, and what it came to when it is over: the order is long and not asked for again and again.
func (r *remoteScan) stands(ctx context.Context, id int64) (job.Job, error) {
	found, err := r.store.Jobs().Jobs(ctx, job.Filter{IDs: []int64{id}, Bare: true})
	switch {
	case err != nil:
		return job.Job{}, err
	case len(found) == 0:
		return job.Job{}, fault.NotFound("there is no job %d", id)
	case !found[0].State.Over():
		return found[0], nil
	}
	return r.store.Jobs().Job(ctx, id)
}

// alone gives up when nobody who could run a waiting job has been there for long.
func (s *remoteScanner) alone(ctx context.Context, j job.Job, since time.Time) (time.Time, error) {
	if j.State != job.Queued {
		return time.Time{}, nil
	}
	_, err := s.available(ctx, alive)
	switch {
	case fault.KindOf(err) != fault.KindUnavailable:
		return time.Time{}, nil
	case since.IsZero():
		return time.Now(), nil
	case time.Since(since) > noWorkerFor:
		return since, fmt.Errorf("waited %s: %w", noWorkerFor, err)
	}
	return since, nil
}

func (s *remoteScanner) tell(j job.Job, progress func(scan.Progress)) {
	stage := j.Stage
	if j.State == job.Queued {
		stage = "waiting for a worker " + s.scan.whose()
	}
	progress(scan.Progress{Scanner: s.Name(), Stage: stage, Percent: j.Percent})
}

// abandon stops waiting. Where another process conducts the scan now, or will, the job is left to it. Else it is cancelled,
// and what its tool had found until then is taken.
func (s *remoteScanner) abandon(ctx context.Context, id int64, why error, raw io.Writer) error {
	cause := why
	if ctx.Err() != nil {
		cause = context.Cause(ctx)
	}
	if s.scan.handsOver(cause) {
		return cause
	}
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), toolStop-500*time.Millisecond)
	defer cancel()
	ended, err := s.scan.cancel(within, id)
	switch {
	case fault.KindOf(err) == fault.KindConflict: // it ended by itself meanwhile
	case err != nil:
		return fmt.Errorf("%w; its run could not be cancelled: %w", cause, err)
	case ended, errors.Is(cause, scan.ErrPaused):
		return cause
	}
	if over, err := s.await(within, job.Job{ID: id}, func(scan.Progress) {}); err == nil {
		_ = s.scan.conclude(within, over, raw) // the cause is what counts
	}
	return cause
}

// handsOver says whether the scan goes on elsewhere when it ends here for a cause.
func (r *remoteScan) handsOver(cause error) bool {
	select {
	case <-r.stopping:
		return true
	default:
	}
	return errors.Is(cause, errTaken) || errors.Is(cause, job.ErrLost) || errors.Is(cause, job.ErrStopping)
}

// conclude copies the raw report of a job that is over and returns the tool's own error.
func (r *remoteScan) conclude(ctx context.Context, j job.Job, raw io.Writer) error {
	var out worker.Outcome
	if len(j.Result) > 0 {
		if err := json.Unmarshal(j.Result, &out); err != nil {
			return fmt.Errorf("job %d: %w", j.ID, err)
		}
	}
	if out.Report != "" {
		if err := r.copyReport(context.WithoutCancel(ctx), out.Report, raw); err != nil {
			return fmt.Errorf("job %d: %w", j.ID, err)
		}
	}
	switch {
	case j.State == job.Done && out.Status == string(scan.Completed):
		return nil
	case j.State == job.Done:
		return errors.New(cmp.Or(out.Error, "the tool did not complete"))
	case j.State == job.Cancelled && ctx.Err() != nil:
		return context.Cause(ctx)
	case j.State == job.Cancelled:
		return fmt.Errorf("the run on %s was cancelled", cmp.Or(j.Worker, "a worker"))
	}
	return fmt.Errorf("no worker could bring it to an end: %s", cmp.Or(j.Error, out.Error, "it is not known why"))
}

func (r *remoteScan) copyReport(ctx context.Context, hash string, raw io.Writer) error {
	in, err := r.store.Estate().OpenBlob(ctx, auth.Everything(), hash)
	if err != nil {
		return err
	}
	_, err = io.Copy(raw, in)
	return errors.Join(err, in.Close())
}

// toolBoard brings those of one process together who wait for each other: conductors for the end of a tool, workers for a
// job. What happens in other processes is found out by asking. The zero value is ready; it is safe for concurrent use.
type toolBoard struct {
	mu     sync.Mutex
	ends   map[int64]chan struct{}
	lanes  map[string]chan struct{}
	closed bool
}

// ended returns what is closed when the job ended, soon after.
func (b *toolBoard) ended(id int64) <-chan struct{} { return waitOn(b, &b.ends, id) }

// end wakes who waits for the job.
func (b *toolBoard) end(id int64) { wakeUp(b, &b.ends, id) }

// jobs returns what is closed when a job of the lane is queued.
func (b *toolBoard) jobs(lane string) <-chan struct{} { return waitOn(b, &b.lanes, lane) }

// arrived wakes the workers of the lane.
func (b *toolBoard) arrived(lane string) { wakeUp(b, &b.lanes, lane) }

// close wakes everybody, for good: the process is to end.
func (b *toolBoard) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for lane, c := range b.lanes {
		close(c)
		delete(b.lanes, lane)
	}
}

func (b *toolBoard) isClosed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}

func waitOn[K comparable](b *toolBoard, of *map[K]chan struct{}, key K) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if *of == nil {
		*of = map[K]chan struct{}{}
	}
	c, ok := (*of)[key]
	if !ok {
		c = make(chan struct{})
		(*of)[key] = c
	}
	return c
}

func wakeUp[K comparable](b *toolBoard, of *map[K]chan struct{}, key K) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c, ok := (*of)[key]; ok {
		close(c)
		delete(*of, key)
	}
}
