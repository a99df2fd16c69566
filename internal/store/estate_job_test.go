package store_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

var _ job.Store = (*store.Jobs)(nil)

func the[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func lease(t *testing.T, s *store.Jobs, want job.Want) []job.Job {
	t.Helper()
	if want.N == 0 {
		want.N = 10
	}
	return the(s.Lease(context.Background(), want))(t)
}

func stateOf(t *testing.T, s *store.Jobs, id int64) job.State {
	t.Helper()
	return the(s.Job(context.Background(), id))(t).State
}

func TestAJobIsGivenBackAsItWas(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		s := eng.Open(t).Jobs()
		in := job.Job{Kind: job.Tool, Lane: "branch", Site: "branch", Scan: 7, Key: "k", Args: json.RawMessage(`{"a":"ü"}`), Priority: -3, By: "anna", MaxAttempts: 2}
		kept := the(s.Enqueue(ctx, in))(t)
		want := in
		want.ID, want.State, want.Created = kept[0].ID, job.Queued, kept[0].Created
		same(t, []job.Job{want}, kept)
		if len(lease(t, s, job.Want{})) != 0 || len(lease(t, s, job.Want{Lane: "branch", Kinds: []job.Kind{job.Scan}})) != 0 {
			t.Error("a job of another lane or kind was leased")
		}
		got := lease(t, s, job.Want{Lane: "branch", Kinds: []job.Kind{job.Scan, job.Tool}, Worker: "w1"})
		if len(got) != 1 || got[0].Fence != 1 || got[0].Attempt != 1 || got[0].Worker != "w1" || string(got[0].Args) != `{"a":"ü"}` {
			t.Fatalf("leased %+v", got)
		}
		if cancel, err := s.Beat(ctx, got[0].ID, 1, job.Progress{Percent: 40, Stage: "half"}); cancel || err != nil {
			t.Fatal(cancel, err)
		}
		if one := the(s.Job(ctx, got[0].ID))(t); one.Percent != 40 || one.Stage != "half" || one.Beat.IsZero() {
			t.Errorf("after the beat: %+v", one)
		}
		if err := s.Finish(ctx, got[0].ID, 1, job.End{State: job.Done, Result: json.RawMessage(`{"n":1}`)}); err != nil {
			t.Fatal(err)
		}
		one := the(s.Job(ctx, got[0].ID))(t)
		if one.State != job.Done || one.Percent != 100 || string(one.Result) != `{"n":1}` || string(one.Args) != `{"a":"ü"}` || one.Finished.IsZero() {
			t.Errorf("at the end: %+v", one)
		}
		if _, err := s.Job(ctx, 999); fault.KindOf(err) != fault.KindNotFound {
			t.Error(err)
		}
	})
}

func TestOneUnfinishedJobOfAKey(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		s := eng.Open(t).Jobs()
		first := the(s.Enqueue(ctx, job.Job{Kind: job.Feeds, Key: "feeds"}, job.Job{Kind: job.Feeds, Key: "feeds"}))(t)
		if first[0].ID != first[1].ID {
			t.Errorf("two jobs of a key: %d and %d", first[0].ID, first[1].ID)
		}
		got := lease(t, s, job.Want{})
		if again := the(s.Enqueue(ctx, job.Job{Kind: job.Feeds, Key: "feeds"}))(t); len(got) != 1 || again[0].ID != got[0].ID || again[0].State != job.Running {
			t.Errorf("while it runs: %+v", again)
		}
		if err := s.Finish(ctx, got[0].ID, got[0].Fence, job.End{State: job.Dead, Error: "no"}); err != nil {
			t.Fatal(err)
		}
		next := the(s.Enqueue(ctx, job.Job{Kind: job.Feeds, Key: "feeds"}))(t)
		if next[0].ID == got[0].ID {
			t.Error("the finished job stands in the way")
		}
		if err := s.Retry(ctx, got[0].ID); fault.KindOf(err) != fault.KindConflict {
			t.Errorf("retrying beside a successor: %v", err)
		}
		if _, err := s.Cancel(ctx, next[0].ID); err != nil {
			t.Fatal(err)
		}
		if err := s.Retry(ctx, got[0].ID); err != nil || stateOf(t, s, got[0].ID) != job.Queued {
			t.Error(err)
		}
	})
}

func TestTheUrgentAndThenTheOldestAreLeasedFirstAndTheDelayedLater(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		s := eng.Open(t).Jobs()
		kept := the(s.Enqueue(ctx, job.Job{Kind: "a"}, job.Job{Kind: "b", Priority: 1}, job.Job{Kind: "c", Priority: -1},
			job.Job{Kind: "d"}, job.Job{Kind: "e", Priority: -9, RunAt: time.Now().Add(time.Hour)}))(t)
		if wait := kept[4].RunAt.Sub(kept[4].Created); wait < 59*time.Minute || wait > 61*time.Minute {
			t.Errorf("delayed by %v", wait)
		}
		order := ""
		for range 3 {
			for _, j := range lease(t, s, job.Want{N: 2}) {
				order += string(j.Kind)
			}
		}
		if order != "cadb" {
			t.Errorf("in the order %q", order)
		}
		if due := the(s.Sweep(ctx))(t); len(due) != 0 {
			t.Errorf("due: %v", due)
		}
	})
}

// aged opens the data with a clock that can be moved. PostgreSQL has its own, so there the rows are made older.
func aged(t *testing.T, eng *storetest.Engine) (s *store.Jobs, age func(time.Duration)) {
	t.Helper()
	now := time.Now()
	opts := eng.Options()
	opts.Now = func() time.Time { return now }
	st := the(store.Open(context.Background(), opts))(t)
	t.Cleanup(func() { _ = st.Close() })
	return st.Jobs(), func(d time.Duration) {
		now = now.Add(d)
		if eng.Name == "postgres" {
			db := the(sql.Open("pgx", opts.DatabaseURL))(t)
			defer db.Close() //nolint:errcheck // a test's connection
			if _, err := db.Exec(`UPDATE estate.job SET beat = beat - $1, finished = CASE WHEN finished = 0 THEN 0 ELSE finished - $1 END`, d.Milliseconds()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestALostJobIsTakenOverAndTheLateWriterIsRefused(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		s, age := aged(t, eng)
		id := the(s.Enqueue(ctx, job.Job{Kind: job.Tool, MaxAttempts: 2}))(t)[0].ID
		lost := lease(t, s, job.Want{Worker: "w1"})[0]
		if due := the(s.Sweep(ctx))(t); len(due) != 0 || stateOf(t, s, id) != job.Running {
			t.Error("swept although it beats")
		}
		age(job.Alive + time.Second)
		if due := the(s.Sweep(ctx))(t); len(due) != 1 || due[0] != id {
			t.Fatalf("due: %v", due)
		}
		heir := lease(t, s, job.Want{Worker: "w2"})[0]
		if heir.Fence != 2 || heir.Attempt != 2 {
			t.Errorf("the heir has %+v", heir)
		}
		_, err := s.Beat(ctx, id, lost.Fence, job.Progress{})
		for _, err := range []error{err, s.Finish(ctx, id, lost.Fence, job.End{State: job.Done}), s.HandBack(ctx, id, lost.Fence)} {
			if fault.KindOf(err) != fault.KindConflict {
				t.Errorf("the late writer got %v", err)
			}
		}
		age(job.Alive + time.Second)
		if due := the(s.Sweep(ctx))(t); len(due) != 0 {
			t.Errorf("due after the last attempt: %v", due)
		}
		one := the(s.Job(ctx, id))(t)
		if one.State != job.Dead || one.Error != "the worker was lost: w2" || one.Finished.IsZero() {
			t.Errorf("after the last attempt: %+v", one)
		}
		if err := s.Retry(ctx, id); err != nil {
			t.Fatal(err)
		}
		if again := lease(t, s, job.Want{}); len(again) != 1 || again[0].Attempt != 1 || again[0].Fence != 3 {
			t.Errorf("retried: %+v", again)
		}
	})
}

func TestAFailureIsTriedAgainUntilItsAttemptsAreUsedUp(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		s := eng.Open(t).Jobs()
		id := the(s.Enqueue(ctx, job.Job{Kind: job.Import, MaxAttempts: 2}))(t)[0].ID
		one := lease(t, s, job.Want{})[0]
		if err := s.Finish(ctx, id, one.Fence, job.End{State: job.Queued, Error: "disk", After: time.Hour}); err != nil {
			t.Fatal(err)
		}
		if kept := the(s.Job(ctx, id))(t); kept.State != job.Queued || kept.Error != "disk" || !kept.Finished.IsZero() || len(lease(t, s, job.Want{})) != 0 {
			t.Errorf("after the first failure: %+v", kept)
		}
		other := the(s.Enqueue(ctx, job.Job{Kind: job.Import, MaxAttempts: 1}))(t)[0].ID
		one = lease(t, s, job.Want{})[0]
		if err := s.Finish(ctx, other, one.Fence, job.End{State: job.Queued, Error: "disk"}); err != nil || stateOf(t, s, other) != job.Dead {
			t.Errorf("after the last failure: %v %v", err, stateOf(t, s, other))
		}
		if err := s.Finish(ctx, other, one.Fence, job.End{State: job.Running}); fault.KindOf(err) != fault.KindInvalid {
			t.Error(err)
		}
	})
}

func TestCancelEndsWhatWaitsAndAsksWhatRuns(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		s := eng.Open(t).Jobs()
		kept := the(s.Enqueue(ctx, job.Job{Kind: job.Tool, Scan: 1}, job.Job{Kind: job.Tool, Scan: 1}, job.Job{Kind: job.Scan, Scan: 1}, job.Job{Kind: job.Tool, Scan: 2}))(t)
		running := lease(t, s, job.Want{N: 1})[0]
		if err := s.CancelScan(ctx, 1, job.Tool); err != nil {
			t.Fatal(err)
		}
		for i, want := range []job.State{job.Running, job.Cancelled, job.Queued, job.Queued} {
			if got := stateOf(t, s, kept[i].ID); got != want {
				t.Errorf("job %d is %s, want %s", i, got, want)
			}
		}
		if cancel, err := s.Beat(ctx, running.ID, running.Fence, job.Progress{}); !cancel || err != nil {
			t.Errorf("the running one hears %v %v", cancel, err)
		}
		if ended, err := s.Cancel(ctx, running.ID); ended || err != nil {
			t.Errorf("cancelling the running one: %v %v", ended, err)
		}
		if ended, err := s.Cancel(ctx, kept[3].ID); !ended || err != nil {
			t.Errorf("cancelling the queued one: %v %v", ended, err)
		}
		if err := s.HandBack(ctx, running.ID, running.Fence); err != nil || stateOf(t, s, running.ID) != job.Cancelled {
			t.Errorf("handing back what is to end: %v %s", err, stateOf(t, s, running.ID))
		}
		if _, err := s.Cancel(ctx, 99); fault.KindOf(err) != fault.KindNotFound {
			t.Error(err)
		}
		scan := lease(t, s, job.Want{})[0]
		if err := s.Finish(ctx, scan.ID, scan.Fence, job.End{State: job.Done}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Cancel(ctx, scan.ID); fault.KindOf(err) != fault.KindConflict {
			t.Error(err)
		}
		if err := s.Retry(ctx, scan.ID); fault.KindOf(err) != fault.KindConflict {
			t.Error(err)
		}
		if err := s.Retry(ctx, running.ID); err != nil {
			t.Error(err)
		}
	})
}

func TestWhatIsHandedBackIsAsIfItHadNotBeenLeased(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		s := eng.Open(t).Jobs()
		the(s.Enqueue(ctx, job.Job{Kind: job.Tool, MaxAttempts: 1}))(t)
		one := lease(t, s, job.Want{Worker: "w1"})[0]
		if err := s.HandBack(ctx, one.ID, one.Fence); err != nil {
			t.Fatal(err)
		}
		again := lease(t, s, job.Want{Worker: "w2"})
		if len(again) != 1 || again[0].Attempt != 1 || again[0].Fence != 2 {
			t.Errorf("leased again: %+v", again)
		}
	})
}

func TestJobsAreWrittenWithTheDataTheyBelongTo(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		st := eng.Open(t)
		enqueue := func(fail error) error {
			return st.Estate().Update(ctx, func(tx *store.EstateTx) error {
				if _, err := tx.Enqueue(ctx, job.Job{Kind: job.Scan}); err != nil {
					return err
				}
				return fail
			})
		}
		if err := enqueue(context.Canceled); err == nil {
			t.Fatal("no error")
		}
		if err := enqueue(nil); err != nil {
			t.Fatal(err)
		}
		if all := the(st.Jobs().Jobs(ctx, job.Filter{}))(t); len(all) != 1 {
			t.Errorf("%d jobs", len(all))
		}
		_, before, _ := st.Generations(ctx)
		lease(t, st.Jobs(), job.Want{})
		if _, after, err := st.Generations(ctx); err != nil || after != before {
			t.Errorf("leasing made a new generation: %d to %d, %v", before, after, err)
		}
	})
}

func TestJobsAreListedByWhatTheAskerMaySee(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		s, age := aged(t, eng)
		the(s.Enqueue(ctx, job.Job{Kind: job.Scan, Scan: 1, Site: "a", By: "anna"}, job.Job{Kind: job.Scan, Scan: 2, Site: "b"},
			job.Job{Kind: job.Feeds, By: "system"}, job.Job{Kind: job.Triage, By: "anna"}))(t)
		done := lease(t, s, job.Want{N: 1})[0]
		if err := s.Finish(ctx, done.ID, done.Fence, job.End{State: job.Done}); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			filter job.Filter
			want   int
		}{
			"all": {job.Filter{}, 4}, "nothing": {job.Filter{Limited: true}, 0}, "a site": {job.Filter{Limited: true, Sites: []string{"b", ""}}, 1},
			"a site and one's own": {job.Filter{Limited: true, Sites: []string{"a"}, Own: "anna"}, 2},
			"a kind":               {job.Filter{Kinds: []job.Kind{job.Scan}}, 2}, "a scan": {job.Filter{Scan: 2}, 1},
			"a state": {job.Filter{States: []job.State{job.Done, job.Dead}}, 1}, "a page": {job.Filter{Before: done.ID + 2, Limit: 1}, 1},
		} {
			if got := the(s.Jobs(ctx, c.filter))(t); len(got) != c.want {
				t.Errorf("%s: %d jobs, want %d", name, len(got), c.want)
			}
		}
		age(time.Hour)
		if n, err := s.PruneJobs(ctx, 2*time.Hour); n != 0 || err != nil {
			t.Errorf("pruned %d, %v", n, err)
		}
		if n, err := s.PruneJobs(ctx, 30*time.Minute); n != 1 || err != nil {
			t.Errorf("pruned %d, %v", n, err)
		}
	})
}
