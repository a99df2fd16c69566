package jobtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/store"
)

func everyJobRunsOnce(b *bench) {
	var ran tally
	limits := map[job.Kind]int{"a": 4, "b": 2}
	handlers := Handlers{"a": ran.handler, "b": ran.handler}
	st := b.open()
	one := b.start(st, handlers, job.Options{Limits: limits})
	two := b.start(b.open(), handlers, job.Options{Limits: limits})
	const n = 60
	for i := range n / 2 {
		b.enqueue(one, job.Job{Kind: "a"}, job.Job{Kind: "b", Args: json.RawMessage(fmt.Sprint(i))})
		if i%10 == 0 {
			two.Wake()
		}
	}
	b.await(soon, "all jobs ran", func() bool { return ran.n() >= n })
	b.await(soon, "all jobs are done", func() bool { return b.count(st, job.Done) == n })
	if twice := ran.twice(); len(twice) > 0 || ran.n() != n {
		b.Errorf("%d runs of %d jobs, twice: %v", ran.n(), n, twice)
	}
}

func (b *bench) count(st *store.Store, state job.State) int {
	found, err := st.Jobs().Jobs(context.Background(), job.Filter{States: []job.State{state}, Bare: true})
	if err != nil {
		b.Fatal(err)
	}
	return len(found)
}

func aKeyHasOneUnfinishedJob(b *bench) {
	h := newBlocker()
	st := b.open()
	q := b.start(st, Handlers{"a": h.handler}, job.Options{Limits: map[job.Kind]int{"a": 5}})
	first := b.enqueue(q, job.Job{Kind: "a", Key: "k"})[0]
	receive(b, h.begun, soon, "the job begins")
	if again := b.enqueue(q, job.Job{Kind: "a", Key: "k"})[0]; again.ID != first.ID {
		b.Errorf("a second job of the key: %+v", again)
	}
	close(h.release)
	b.awaitState(st, first.ID, job.Done, soon)
	next := b.enqueue(q, job.Job{Kind: "a", Key: "k"})[0]
	if next.ID == first.ID {
		b.Error("a finished job stands in the way of the next")
	}
	b.awaitState(st, next.ID, job.Done, soon)
}

func theUrgentRunFirst(b *bench) {
	var ran tally
	st := b.open()
	q := b.prepare(st, Handlers{"a": ran.handler}, job.Options{})
	for _, priority := range []int{3, 0, 1, -7, 2, -1, 0} {
		b.enqueue(q, job.Job{Kind: "a", Priority: priority})
	}
	if err := q.Start(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.await(soon, "all ran", func() bool { return ran.n() == 7 })
	var order []int
	for _, j := range ran.seen {
		order = append(order, j.Priority)
	}
	if !slices.IsSorted(order) {
		b.Errorf("ran in the order of the priorities %v", order)
	}
}

func aDelayedJobWaits(b *bench) {
	var ran tally
	q := b.start(b.open(), Handlers{"a": ran.handler}, job.Options{})
	begun := time.Now()
	b.enqueue(q, job.Job{Kind: "a", RunAt: begun.Add(2 * time.Second)})
	b.await(soon, "the delayed job runs", func() bool { return ran.n() == 1 })
	if waited := time.Since(begun); waited < 1900*time.Millisecond {
		b.Errorf("ran after %v", waited)
	}
}

func noMoreOfAKindThanItsLimit(b *bench) {
	var now, most, ran atomic.Int64
	handler := func(context.Context, *job.Run) error {
		n := now.Add(1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		time.Sleep(20 * time.Millisecond)
		now.Add(-1)
		ran.Add(1)
		return nil
	}
	q := b.start(b.open(), Handlers{"a": handler}, job.Options{Limits: map[job.Kind]int{"a": 3}})
	b.enqueue(q, make20("a")...)
	b.await(soon, "all ran", func() bool { return ran.Load() == 20 })
	if most.Load() > 3 || most.Load() < 2 {
		b.Errorf("%d ran at a time, the limit is 3", most.Load())
	}
}

func make20(kind job.Kind) []job.Job {
	jobs := make([]job.Job, 20)
	for i := range jobs {
		jobs[i].Kind = kind
	}
	return jobs
}

func onlyKindsWithAHandlerRun(b *bench) {
	var ran tally
	st := b.open()
	q := b.start(st, Handlers{"a": ran.handler}, job.Options{})
	kept := b.enqueue(q, job.Job{Kind: "b"}, job.Job{Kind: "a"}, job.Job{Kind: "a", Lane: "branch"})
	b.awaitState(st, kept[1].ID, job.Done, soon)
	for _, i := range []int{0, 2} {
		if j := b.job(st, kept[i].ID); j.State != job.Queued || j.Attempt != 0 {
			b.Errorf("a job of kind %s in lane %q: %+v", j.Kind, j.Lane, j)
		}
	}
	b.start(b.open(), Handlers{"b": ran.handler}, job.Options{})
	b.awaitState(st, kept[0].ID, job.Done, soon)
}

func rowsWrittenByOthersRun(b *bench) {
	var ran tally
	st := b.open()
	q := b.start(st, Handlers{"a": ran.handler}, job.Options{})
	write := func() {
		err := b.open().Estate().Update(context.Background(), func(tx *store.EstateTx) error {
			_, err := tx.Enqueue(context.Background(), job.Job{Kind: "a"})
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	write()
	b.await(soon, "a row of another process runs", func() bool { return ran.n() == 1 })
	write()
	q.Wake()
	b.await(soon, "a row runs after waking", func() bool { return ran.n() == 2 })
}

func cancelEndsAQueuedJob(b *bench) {
	var ran tally
	st := b.open()
	q := b.prepare(st, Handlers{"a": ran.handler}, job.Options{})
	kept := b.enqueue(q, job.Job{Kind: "a"}, job.Job{Kind: "a", Scan: 4}, job.Job{Kind: "a"})
	if ended, err := q.Cancel(context.Background(), kept[0].ID); !ended || err != nil {
		b.Errorf("cancel: %v, %v", ended, err)
	}
	if err := q.CancelScan(context.Background(), 4); err != nil {
		b.Error(err)
	}
	if err := q.Start(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.awaitState(st, kept[2].ID, job.Done, soon)
	if ran.n() != 1 || b.count(st, job.Cancelled) != 2 {
		b.Errorf("%d ran, %d are cancelled", ran.n(), b.count(st, job.Cancelled))
	}
	if err := q.Retry(context.Background(), kept[0].ID); err != nil {
		b.Fatal(err)
	}
	b.awaitState(st, kept[0].ID, job.Done, soon)
}

func cancelReachesARunningJob(b *bench) {
	ctx := context.Background()
	st, elsewhere := b.open(), b.open()
	h := newBlocker()
	here := b.start(st, Handlers{"a": h.handler}, job.Options{Limits: map[job.Kind]int{"a": 5}})
	there := b.start(elsewhere, Handlers{"b": h.handler}, job.Options{})
	for name, cancel := range map[string]func(job.Job) error{
		"in the same process":    func(j job.Job) error { _, err := here.Cancel(ctx, j.ID); return err },
		"from another process":   func(j job.Job) error { _, err := there.Cancel(ctx, j.ID); return err },
		"from one without queue": func(j job.Job) error { _, err := elsewhere.Jobs().Cancel(ctx, j.ID); return err },
		"with its scan":          func(j job.Job) error { return there.CancelScan(ctx, j.Scan, "a") },
	} {
		j := b.enqueue(here, job.Job{Kind: "a", Scan: 9})[0]
		receive(b, h.begun, soon, "the job begins")
		asked := time.Now()
		if err := cancel(j); err != nil {
			b.Fatal(name, err)
		}
		if cause := receive(b, h.ended, soon, "the handler hears it"); !errors.Is(cause, job.ErrCancelled) {
			b.Errorf("%s: the handler was told %v", name, cause)
		}
		if took := time.Since(asked); took > 2*time.Second {
			b.Errorf("%s: the handler heard it after %v", name, took)
		}
		if j := b.awaitState(st, j.ID, job.Cancelled, soon); j.Error != "" || j.Finished.IsZero() {
			b.Errorf("%s: %+v", name, j)
		}
	}
}

func aSoftStopLetsJobsFinish(b *bench) {
	h := newBlocker()
	st := b.open()
	q := b.start(st, Handlers{"a": h.handler}, job.Options{})
	kept := b.enqueue(q, job.Job{Kind: "a"}, job.Job{Kind: "a"})
	receive(b, h.begun, soon, "the job begins")
	stopped := make(chan error, 1)
	go func() { stopped <- q.Stop(context.Background()) }()
	select {
	case err := <-stopped:
		b.Fatalf("stopped while a job runs: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	close(h.release)
	if err := receive(b, stopped, soon, "the queue stops"); err != nil {
		b.Error(err)
	}
	if b.job(st, kept[0].ID).State != job.Done || b.job(st, kept[1].ID).State != job.Queued {
		b.Errorf("after the stop: %s and %s", b.job(st, kept[0].ID).State, b.job(st, kept[1].ID).State)
	}
}

func aStopHandsBackWhatDoesNotFinish(b *bench) {
	h := newBlocker()
	st := b.open()
	q := b.start(st, Handlers{"a": h.handler}, job.Options{})
	j := b.enqueue(q, job.Job{Kind: "a", MaxAttempts: 1})[0]
	receive(b, h.begun, soon, "the job begins")
	grace, done := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer done()
	if err := q.Stop(grace); err != nil {
		b.Error(err)
	}
	if cause := receive(b, h.ended, soon, "the handler ends"); !errors.Is(cause, job.ErrStopping) {
		b.Errorf("the handler was told %v", cause)
	}
	if back := b.job(st, j.ID); back.State != job.Queued || back.Attempt != 0 {
		b.Errorf("handed back: %+v", back)
	}
	var ran tally
	b.start(b.open(), Handlers{"a": ran.handler}, job.Options{})
	b.awaitState(st, j.ID, job.Done, soon)
}

func stopIsSafeTwiceAndBeforeStart(b *bench) {
	ctx := context.Background()
	st := b.open()
	q := b.prepare(st, Handlers{"a": (&tally{}).handler}, job.Options{})
	for range 2 {
		if err := q.Stop(ctx); err != nil {
			b.Error(err)
		}
	}
	if err := q.Start(ctx); fault.KindOf(err) != fault.KindConflict {
		b.Errorf("starting what was stopped: %v", err)
	}
	q = b.start(st, Handlers{"a": (&tally{}).handler}, job.Options{})
	if err := q.Start(ctx); fault.KindOf(err) != fault.KindConflict {
		b.Errorf("starting twice: %v", err)
	}
	for range 2 {
		if err := q.Stop(ctx); err != nil {
			b.Error(err)
		}
	}
	if kept := b.enqueue(q, job.Job{Kind: "a"}); b.job(st, kept[0].ID).State != job.Queued {
		b.Error("a stopped queue ran a job")
	}
}

func deadLettersAreSeenAndRetried(b *bench) {
	var fail atomic.Bool
	var ran tally
	fail.Store(true)
	handler := func(_ context.Context, r *job.Run) error {
		ran.note(r.Job)
		if fail.Load() {
			return errors.New("no such host")
		}
		return nil
	}
	fatal := func(context.Context, *job.Run) error { return fmt.Errorf("read the report: %w", job.ErrFatal) }
	st := b.open()
	q := b.start(st, Handlers{"a": handler, "f": fatal}, job.Options{})
	kept := b.enqueue(q, job.Job{Kind: "a", MaxAttempts: 2}, job.Job{Kind: "f"})
	dead := b.awaitState(st, kept[0].ID, job.Dead, soon)
	if dead.Attempt != 2 || dead.Error != "no such host" || ran.n() != 2 {
		b.Errorf("after two failures: %+v", dead)
	}
	if dead := b.awaitState(st, kept[1].ID, job.Dead, soon); dead.Attempt != 1 || !strings.Contains(dead.Error, "read the report") {
		b.Errorf("a failure that would happen again: %+v", dead)
	}
	fail.Store(false)
	if err := q.Retry(context.Background(), dead.ID); err != nil {
		b.Fatal(err)
	}
	if done := b.awaitState(st, dead.ID, job.Done, soon); done.Attempt != 1 || done.Error != "" {
		b.Errorf("retried: %+v", done)
	}
}

func aPanicIsAFailure(b *bench) {
	st := b.open()
	q := b.start(st, Handlers{"a": func(context.Context, *job.Run) error { panic("password=hunter2") }}, job.Options{})
	j := b.enqueue(q, job.Job{Kind: "a", MaxAttempts: 1})[0]
	if dead := b.awaitState(st, j.ID, job.Dead, soon); dead.Error != "internal error; the log has the cause" {
		b.Errorf("%+v", dead)
	}
}

func progressAndResultAreSeen(b *bench) {
	release := make(chan struct{})
	handler := func(_ context.Context, r *job.Run) error {
		r.Progress(42, "halfway\x00 \xff")
		<-release
		return r.Result(map[string]int{"hosts": 3})
	}
	st := b.open()
	q := b.start(st, Handlers{"a": handler}, job.Options{Worker: "w1"})
	j := b.enqueue(q, job.Job{Kind: "a", Args: json.RawMessage(`{"x":1}`)})[0]
	b.await(soon, "the progress is seen", func() bool { return b.job(st, j.ID).Percent == 42 })
	if seen := b.job(st, j.ID); seen.Stage != "halfway \uFFFD" || seen.Worker != "w1" || seen.Beat.IsZero() || seen.Started.IsZero() {
		b.Errorf("while it runs: %+v", seen)
	}
	close(release)
	if done := b.awaitState(st, j.ID, job.Done, soon); string(done.Result) != `{"hosts":3}` || done.Percent != 100 || string(done.Args) != `{"x":1}` {
		b.Errorf("at the end: %+v", done)
	}
}

func aForeignFenceIsRefused(b *bench) {
	ctx := context.Background()
	h := newBlocker()
	st := b.open()
	q := b.start(st, Handlers{"a": h.handler}, job.Options{})
	j := b.enqueue(q, job.Job{Kind: "a"})[0]
	leased := receive(b, h.begun, soon, "the job begins")
	jobs := st.Jobs()
	_, err := jobs.Beat(ctx, j.ID, leased.Fence-1, job.Progress{})
	for _, err := range []error{err, jobs.Finish(ctx, j.ID, leased.Fence-1, job.End{State: job.Done}), jobs.HandBack(ctx, j.ID, leased.Fence+1)} {
		if fault.KindOf(err) != fault.KindConflict {
			b.Errorf("a foreign fence: %v", err)
		}
	}
	// Somebody takes the job away: the one who runs it is told.
	if err := jobs.HandBack(ctx, j.ID, leased.Fence); err != nil {
		b.Fatal(err)
	}
	if cause := receive(b, h.ended, soon, "the handler ends"); !errors.Is(cause, job.ErrLost) {
		b.Errorf("the handler was told %v", cause)
	}
	close(h.release)
	if done := b.awaitState(st, j.ID, job.Done, soon); done.Fence != leased.Fence+1 {
		b.Errorf("taken over: %+v", done)
	}
}

func aQueueThatOnlyPassesOn(b *bench) {
	var ran tally
	st := b.open()
	api := b.start(st, nil, job.Options{})
	b.start(b.open(), Handlers{"a": ran.handler}, job.Options{})
	j := b.enqueue(api, job.Job{Kind: "a"})[0]
	b.awaitState(st, j.ID, job.Done, soon)
}
