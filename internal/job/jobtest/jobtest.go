// Package jobtest is the one suite that every job.Queue must pass, on the databases that it is for. It is imported by tests
// only and never simulates a database or a process: workers that are killed are real ones.
package jobtest

import (
	"context"
	"maps"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

// Implementation is a queue to be tested.
type Implementation struct {
	Engine func(t testing.TB) *storetest.Engine
	New    func(ctx context.Context, st *store.Store, url string, handlers Handlers, opts job.Options) (job.Queue, error)
}

// Handlers are those of a queue.
type Handlers = map[job.Kind]job.Handler

// Main runs the tests of a package, or the worker that one of them starts as a process of its own:
//
//	func TestMain(m *testing.M) { os.Exit(jobtest.Main(m, implementation)) }
func Main(m *testing.M, impl Implementation) int {
	if order := os.Getenv(childVariable); order != "" {
		return child(impl, order)
	}
	return storetest.Main(m)
}

// Run runs the suite. What takes minutes needs TEST_LONG=1.
func Run(t *testing.T, impl Implementation) {
	for name, test := range map[string]func(*bench){
		"EveryJobRunsOnce":                everyJobRunsOnce,
		"AKeyHasOneUnfinishedJob":         aKeyHasOneUnfinishedJob,
		"TheUrgentRunFirst":               theUrgentRunFirst,
		"ADelayedJobWaits":                aDelayedJobWaits,
		"NoMoreOfAKindThanItsLimit":       noMoreOfAKindThanItsLimit,
		"OnlyKindsWithAHandlerRun":        onlyKindsWithAHandlerRun,
		"RowsWrittenByOthersRun":          rowsWrittenByOthersRun,
		"CancelEndsAQueuedJob":            cancelEndsAQueuedJob,
		"CancelReachesARunningJob":        cancelReachesARunningJob,
		"ASoftStopLetsJobsFinish":         aSoftStopLetsJobsFinish,
		"AStopHandsBackWhatDoesNotFinish": aStopHandsBackWhatDoesNotFinish,
		"StopIsSafeTwiceAndBeforeStart":   stopIsSafeTwiceAndBeforeStart,
		"DeadLettersAreSeenAndRetried":    deadLettersAreSeenAndRetried,
		"APanicIsAFailure":                aPanicIsAFailure,
		"ProgressAndResultAreSeen":        progressAndResultAreSeen,
		"AForeignFenceIsRefused":          aForeignFenceIsRefused,
		"LongAKilledWorkerIsReplaced":     long(aKilledWorkerIsReplaced),
		"LongAFrozenWorkerWritesNothing":  long(aFrozenWorkerWritesNothing),
		"LongTwentyQueuesLoseNothing":     long(twentyQueuesLoseNothing),
		"LongTheClockJumps":               long(theClockJumps),
		"LongTheDatabaseIsAwayForAMoment": long(databaseAway(3 * time.Second)),
		"LongTheDatabaseIsAwayForLong":    long(databaseAway(30 * time.Second)),
		"LongALongJobOutlivesManySweeps":  long(aLongJobOutlivesManySweeps),
		"LongWhatIsLostTooOftenIsDead":    long(whatIsLostTooOftenIsDead),
		"AQueueMayOnlyPassOn":             aQueueThatOnlyPassesOn,
	} {
		t.Run(name, func(t *testing.T) { test(&bench{T: t, impl: impl, engine: impl.Engine(t)}) })
	}
}

func long(test func(*bench)) func(*bench) {
	return func(b *bench) {
		if os.Getenv("TEST_LONG") == "" {
			b.Skip("takes a minute: TEST_LONG=1")
		}
		test(b)
	}
}

// bench is one test with its own data.
type bench struct {
	*testing.T
	impl   Implementation
	engine *storetest.Engine
}

// open opens the data as a process of its own would.
func (b *bench) open() *store.Store {
	b.Helper()
	return b.engine.Open(b)
}

// prepare makes a queue that is stopped when the test ends.
func (b *bench) prepare(st *store.Store, handlers Handlers, opts job.Options) job.Queue {
	b.Helper()
	return b.prepareAt(st, b.engine.Options().DatabaseURL, handlers, opts)
}

func (b *bench) prepareAt(st *store.Store, url string, handlers Handlers, opts job.Options) job.Queue {
	b.Helper()
	if opts.Backoff == nil {
		opts.Backoff = func(int) time.Duration { return 10 * time.Millisecond }
	}
	q, err := b.impl.New(context.Background(), st, url, handlers, opts)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		now, cancel := context.WithCancel(context.Background())
		cancel()
		if err := q.Stop(now); err != nil {
			b.Error(err)
		}
	})
	return q
}

// start makes a queue that runs.
func (b *bench) start(st *store.Store, handlers Handlers, opts job.Options) job.Queue {
	b.Helper()
	q := b.prepare(st, handlers, opts)
	if err := q.Start(context.Background()); err != nil {
		b.Fatal(err)
	}
	return q
}

func (b *bench) enqueue(q interface {
	Enqueue(ctx context.Context, jobs ...job.Job) ([]job.Job, error)
}, jobs ...job.Job) []job.Job {
	b.Helper()
	kept, err := q.Enqueue(context.Background(), jobs...)
	if err != nil {
		b.Fatal(err)
	}
	return kept
}

func (b *bench) job(st *store.Store, id int64) job.Job {
	b.Helper()
	j, err := st.Jobs().Job(context.Background(), id)
	if err != nil {
		b.Fatal(err)
	}
	return j
}

// await waits for what another goroutine or process does.
func (b *bench) await(within time.Duration, what string, came func() bool) {
	b.Helper()
	for until := time.Now().Add(within); !came(); {
		if time.Now().After(until) {
			b.Fatalf("within %v not: %s", within, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (b *bench) awaitState(st *store.Store, id int64, want job.State, within time.Duration) job.Job {
	b.Helper()
	b.await(within, "a job is "+string(want), func() bool { return b.job(st, id).State == want })
	return b.job(st, id)
}

// soon is how long a due job may take to begin, on a machine that does other things too.
const soon = 20 * time.Second

// tally counts what ran.
type tally struct {
	mu   sync.Mutex
	runs map[int64]int
	seen []job.Job
}

func (c *tally) note(j job.Job) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.runs == nil {
		c.runs = map[int64]int{}
	}
	c.runs[j.ID]++
	c.seen = append(c.seen, j)
}

func (c *tally) handler(_ context.Context, r *job.Run) error {
	c.note(r.Job)
	return nil
}

func (c *tally) n() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.seen)
}

// twice are the jobs that ran more than once.
func (c *tally) twice() []int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []int64
	for _, id := range slices.Sorted(maps.Keys(c.runs)) {
		if c.runs[id] > 1 {
			out = append(out, id)
		}
	}
	return out
}

// blocker is a handler that runs until it is released or told to end.
type blocker struct {
	begun   chan job.Job
	release chan struct{}
	ended   chan error // the cause, nil when released
}

func newBlocker() *blocker {
	return &blocker{begun: make(chan job.Job, 100), release: make(chan struct{}), ended: make(chan error, 100)}
}

func (h *blocker) handler(ctx context.Context, r *job.Run) error {
	h.begun <- r.Job
	select {
	case <-h.release:
		h.ended <- nil
		return nil
	case <-ctx.Done():
		h.ended <- context.Cause(ctx)
		return context.Cause(ctx)
	}
}

func receive[T any](b *bench, from <-chan T, within time.Duration, what string) (v T) {
	b.Helper()
	select {
	case v = <-from:
	case <-time.After(within):
		b.Fatalf("within %v not: %s", within, what)
	}
	return v
}
