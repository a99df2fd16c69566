// Package local runs jobs on one machine: it asks the store for due rows when it is woken and every second, and runs so
// many of each kind at a time. It never decides whose a job is: the store's fence does.
package local

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/job"
)

// Options are those of every queue.
type Options = job.Options

// pollEvery is how often the store is asked without being woken: for delayed jobs, and rows of other processes.
const pollEvery = time.Second

// Queue is a job.Queue over any store.
type Queue struct {
	store    job.Store
	handlers map[job.Kind]job.Handler
	opts     Options
	runner   *job.Runner

	wake  chan struct{}
	mu    sync.Mutex
	state state
	busy  map[job.Kind]int
	end   context.CancelFunc
	loops sync.WaitGroup
	runs  sync.WaitGroup
}

type state int

const (
	idle state = iota
	started
	stopped
)

// patience is longer than elsewhere: a file that does not answer is one that somebody writes to, and while one does nobody
// else can take a job over either.
const patience = 4 * job.Alive

// New returns a queue that runs the kinds that have a handler. The handlers must not be changed any more.
func New(store job.Store, handlers map[job.Kind]job.Handler, opts Options) *Queue {
	opts.Patience = cmp.Or(opts.Patience, patience)
	opts = opts.WithDefaults()
	return &Queue{store: store, handlers: handlers, opts: opts, runner: job.NewRunner(store, handlers, opts),
		wake: make(chan struct{}, 1), busy: map[job.Kind]int{}}
}

// Enqueue is job.Queue's.
func (q *Queue) Enqueue(ctx context.Context, jobs ...job.Job) ([]job.Job, error) {
	kept, err := q.store.Enqueue(ctx, jobs...)
	q.Wake()
	return kept, err
}

// Cancel is job.Queue's.
func (q *Queue) Cancel(ctx context.Context, id int64) (ended bool, err error) {
	ended, err = q.store.Cancel(ctx, id)
	if err == nil && !ended {
		q.runner.BeatAll(ctx)
	}
	return ended, err
}

// CancelScan is job.Queue's.
func (q *Queue) CancelScan(ctx context.Context, scan int64, kinds ...job.Kind) error {
	err := q.store.CancelScan(ctx, scan, kinds...)
	if err == nil {
		q.runner.BeatAll(ctx)
	}
	return err
}

// Retry is job.Queue's.
func (q *Queue) Retry(ctx context.Context, id int64) error {
	err := q.store.Retry(ctx, id)
	q.Wake()
	return err
}

// Wake is job.Queue's.
func (q *Queue) Wake() {
	select {
	case q.wake <- struct{}{}:
	default: // it is to look already
	}
}

// Start is job.Queue's. fault.Conflict says that the queue was started or stopped before.
func (q *Queue) Start(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.state != idle {
		return fault.Conflict("the queue was started or stopped before")
	}
	q.state = started
	ctx, q.end = context.WithCancel(context.WithoutCancel(ctx))
	q.loops.Go(func() { q.dispatch(ctx) })
	q.loops.Go(func() { q.sweep(ctx) })
	return nil
}

// Stop is job.Queue's.
func (q *Queue) Stop(ctx context.Context) error {
	q.mu.Lock()
	if q.state == started {
		q.end()
	}
	q.state = stopped
	q.mu.Unlock()
	q.loops.Wait()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		q.runs.Wait()
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		q.runner.Stop()
		<-ended
	}
	return nil
}

// dispatch starts what is due.
func (q *Queue) dispatch(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	trouble := job.Trouble{Log: q.opts.Log, What: "due jobs cannot be looked for"}
	for {
		trouble.Note(ctx, q.fill(ctx))
		select {
		case <-ctx.Done():
			return
		case <-q.wake:
		case <-tick.C:
		}
	}
}

// fill leases as many jobs of each kind as there is room for.
func (q *Queue) fill(ctx context.Context) error {
	for kind := range q.handlers {
		room := q.room(kind)
		if room == 0 {
			continue
		}
		leased, err := job.Lease(ctx, q.store, job.Want{Worker: q.opts.Worker, Kinds: []job.Kind{kind}, N: room})
		if err != nil {
			return err
		}
		for _, j := range leased {
			q.run(ctx, j)
		}
	}
	return nil
}

func (q *Queue) room(kind job.Kind) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.opts.Limit(kind) - q.busy[kind]
}

func (q *Queue) run(ctx context.Context, j job.Job) {
	q.occupy(j.Kind, 1)
	q.runs.Go(func() {
		defer q.Wake()
		defer q.occupy(j.Kind, -1)
		q.runner.Run(ctx, j)
	})
}

func (q *Queue) occupy(kind job.Kind, n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy[kind] += n
}

// sweep has lost jobs queued again. Before it looks, the jobs that run here beat, so that a clock that was moved does not
// make them look lost.
func (q *Queue) sweep(ctx context.Context) {
	tick := time.NewTicker(job.SweepEvery)
	defer tick.Stop()
	trouble := job.Trouble{Log: q.opts.Log, What: "lost jobs cannot be looked for"}
	for {
		q.runner.BeatAll(ctx)
		due, err := q.store.Sweep(ctx)
		trouble.Note(ctx, err)
		if len(due) > 0 {
			q.Wake()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
