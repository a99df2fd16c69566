// Package river runs jobs on many machines over PostgreSQL. River only wakes: each of its jobs names one of our rows and
// has one worker somewhere lease one due row of that kind. Whose a row is, how often it is tried and when it is taken over
// is decided by our rows and their fence alone, never by River's own retries and rescues.
package river

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	upstream "github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/job"
)

// Options are those of every queue.
type Options = job.Options

// Schema is where River's own tables are.
const Schema = "river"

// conns are the connections for River, beside those of the store; pool_max_conns in the URL says otherwise.
const conns = 6

// Queue is a job.Queue over a store in PostgreSQL.
type Queue struct {
	store  job.Store
	opts   Options
	runner *job.Runner
	pool   *pgxpool.Pool
	client *upstream.Client[pgx.Tx]

	kinds int // that have a handler
	wake  chan struct{}
	mu    sync.Mutex
	state state
	end   context.CancelFunc
	loops sync.WaitGroup

	stopping atomic.Bool
}

type state int

const (
	idle state = iota
	started
	stopped
)

// call is what a River job carries: the row for whose sake it was made.
type call struct {
	ID int64 `json:"id"`
}

// Kind names our jobs in River's tables.
func (call) Kind() string { return "patchscout" }

// New connects to the database that the store is in, brings River's tables up to date and returns a queue that runs the
// kinds that have a handler; without any it only passes on. The handlers must not be changed any more. Stop releases it.
func New(ctx context.Context, url string, store job.Store, handlers map[job.Kind]job.Handler, opts Options) (*Queue, error) {
	pool, err := connect(url)
	if err != nil {
		return nil, err
	}
	opts = opts.WithDefaults()
	q := &Queue{store: store, kinds: len(handlers), opts: opts, runner: job.NewRunner(store, handlers, opts), pool: pool,
		wake: make(chan struct{}, 1)}
	if err := migrate(ctx, pool, opts.Log); err != nil {
		pool.Close()
		return nil, err
	}
	if q.client, err = upstream.NewClient(riverpgxv5.New(pool), q.config(handlers)); err != nil {
		pool.Close()
		return nil, fmt.Errorf("set up River: %w", err)
	}
	return q, nil
}

func connect(url string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fault.Invalid("database URL: not understood") // pgx's text repeats parts of it
	}
	if !strings.Contains(url, "pool_max_conns") {
		config.MaxConns = conns
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = 10 * time.Second
	}
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "patchscout jobs"
	}
	// A process that froze, or whose machine was unplugged, must not keep its locks: see the store's.
	for name, value := range map[string]string{"idle_in_transaction_session_timeout": "30s", "tcp_keepalives_idle": "20",
		"tcp_keepalives_interval": "10", "tcp_keepalives_count": "3"} {
		if config.ConnConfig.RuntimeParams[name] == "" {
			config.ConnConfig.RuntimeParams[name] = value
		}
	}
	return pgxpool.NewWithConfig(context.Background(), config)
}

// config has one River queue per kind. No River job is tried twice by River: our sweeper calls anew. What is done is
// forgotten soon: our rows are the record.
func (q *Queue) config(handlers map[job.Kind]job.Handler) *upstream.Config {
	workers := upstream.NewWorkers()
	upstream.AddWorker(workers, &worker{queue: q})
	config := &upstream.Config{
		Schema: Schema, Workers: workers, Logger: quiet(q.opts.Log), MaxAttempts: 1, JobTimeout: -1, RescueStuckJobsAfter: 24 * time.Hour,
		CompletedJobRetentionPeriod: time.Hour, CancelledJobRetentionPeriod: time.Hour, DiscardedJobRetentionPeriod: time.Hour,
		FetchCooldown: 50 * time.Millisecond, FetchPollInterval: time.Second,
	}
	for kind := range handlers {
		if config.Queues == nil {
			config.Queues = map[string]upstream.QueueConfig{}
		}
		config.Queues[string(kind)] = upstream.QueueConfig{MaxWorkers: q.opts.Limit(kind)}
	}
	return config
}

// worker is what River runs.
type worker struct {
	upstream.WorkerDefaults[call]
	queue *Queue
}

// Work leases the most urgent due row of the kind, which need not be the one that the River job names, and runs it: there
// are as many River jobs as due rows, so each row gets one, and the order is ours.
func (w *worker) Work(ctx context.Context, called *upstream.Job[call]) error {
	q := w.queue
	if q.stopping.Load() {
		return upstream.JobCancel(job.ErrStopping) // as below
	}
	leased, err := job.Lease(ctx, q.store, job.Want{Worker: q.opts.Worker, Kinds: []job.Kind{job.Kind(called.Queue)}, N: 1})
	if err != nil {
		return upstream.JobCancel(err) // the sweeper calls again
	}
	for _, j := range leased {
		q.runner.Run(ctx, j)
	}
	return nil
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
	ctx, end := context.WithCancel(context.WithoutCancel(ctx))
	if q.kinds > 0 {
		if err := q.client.Start(ctx); err != nil {
			end()
			return fault.Unavailable("start River: %w", err)
		}
	}
	q.state, q.end = started, end
	q.loops.Go(func() { q.sweep(ctx) })
	q.loops.Go(func() { q.listen(ctx) })
	return nil
}

// Stop is job.Queue's.
func (q *Queue) Stop(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stopping.Store(true)
	if q.state == started && q.kinds > 0 {
		q.drain(ctx)
	}
	if q.state == started {
		q.end()
		q.loops.Wait()
	}
	if q.state != stopped {
		q.pool.Close()
	}
	q.state = stopped
	return nil
}

// drain waits until what runs has ended; when ctx ends it is told to.
func (q *Queue) drain(ctx context.Context) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = q.client.Stop(context.Background()) // its error is that of the context
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		q.runner.Stop()
		<-ended
	}
}
