package app

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

// both runs a story on both engines.
func both(t *testing.T, story func(t *testing.T, open func() *App)) {
	for _, engine := range []store.Engine{store.SQLite, store.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			cfg := config.Default()
			cfg.DataDir = filepath.Join(t.TempDir(), "data")
			if engine == store.Postgres {
				if testing.Short() {
					t.Skip("needs a PostgreSQL")
				}
				cfg.DatabaseURL = config.Secret(storetest.Postgres(t))
			}
			story(t, func() *App {
				a, err := Open(context.Background(), cfg, slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatal(err)
				}
				return a
			})
		})
	}
}

// working starts the background work of a process; the returned function ends it as a signal does.
func working(t *testing.T, a *App) (stop func()) {
	t.Helper()
	a.grace = time.Second
	b, err := a.startBackground(context.Background(), duties{version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		soon, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := b.stop(soon); err != nil {
			t.Error(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}

// until waits for a scan to be as it should.
func until(t *testing.T, a *App, id int64, what string, is func(report.ScanStatus) bool) report.ScanStatus {
	t.Helper()
	deadline := time.Now().Add(3 * time.Minute)
	for {
		s, err := a.ScanStatus(context.Background(), id)
		if err != nil {
			t.Fatal(err)
		}
		if is(s) {
			return s
		}
		if time.Now().After(deadline) {
			t.Fatalf("after three minutes scan %d is not %s: %+v", id, what, s)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func ended(s report.ScanStatus) bool { return over(s.Status) }

// long is a scan that takes minutes: all ports of a thousand addresses.
var long = ScanRequest{Targets: []string{"127.0.1.0/22"}, Profile: "full", Scanners: []string{"native"}}

func initiate(t *testing.T, a *App, req ScanRequest) int64 {
	t.Helper()
	begun, err := a.InitiateScan(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	return begun.ScanID
}

func begun(t *testing.T, a *App, req ScanRequest) int64 {
	t.Helper()
	id := initiate(t, a, req)
	until(t, a, id, "at its tasks", func(s report.ScanStatus) bool { return s.Status == "running" && s.Tasks.Total > 0 })
	return id
}

func TestTwentyScansAtOnceLoseAndDoubleNothing(t *testing.T) {
	both(t, func(t *testing.T, open func() *App) {
		a := open()
		defer working(t, a)()
		var ids []int64
		for i := range 20 {
			ids = append(ids, initiate(t, a, ScanRequest{Targets: []string{fmt.Sprintf("127.0.0.%d", i+1)}, Ports: sshPort(t)}))
		}
		for _, id := range ids {
			if s := until(t, a, id, "over", ended); s.Status != "completed" || s.Reason != nil {
				t.Errorf("scan %d: %+v", id, s)
			}
			tasks, err := a.store.Estate().Tasks(context.Background(), auth.Everything(), id)
			if err != nil || len(tasks) != 1 || tasks[0].Attempts != 1 {
				t.Errorf("scan %d has the tasks %+v, %v", id, tasks, err)
			}
			ledgers, err := a.store.Estate().Ledgers(context.Background(), auth.Everything(), id)
			if err != nil || len(ledgers) != 1 {
				t.Errorf("scan %d has %d ledgers, %v", id, len(ledgers), err)
			}
		}
	})
}

func TestACancelEndsARunningScanWithinTwoSeconds(t *testing.T) {
	both(t, func(t *testing.T, open func() *App) {
		a := open()
		defer working(t, a)()
		id := begun(t, a, long)
		at := time.Now()
		if _, err := a.CancelScan(context.Background(), id); err != nil {
			t.Fatal(err)
		}
		s := until(t, a, id, "over", ended)
		if took := time.Since(at); took > 4*time.Second { // two for the tool, the rest for a machine that does other things
			t.Errorf("it took %s", took)
		}
		if s.Status != "failed" || s.Reason == nil || *s.Reason != "cancelled" {
			t.Errorf("it ended as %+v", s)
		}
		if _, err := a.CancelScan(context.Background(), id); fault.KindOf(err) != fault.KindConflict {
			t.Errorf("a scan that is over was cancelled: %v", err)
		}
	})
}

func TestAScanIsPausedAndContinued(t *testing.T) {
	both(t, func(t *testing.T, open func() *App) {
		ctx := context.Background()
		a := open()
		stop := working(t, a)
		defer func() { stop() }()
		first, waiting := begun(t, a, long), int64(0)
		if err := a.PauseScan(ctx, first); err != nil {
			t.Fatal(err)
		}
		s := until(t, a, first, "paused", func(s report.ScanStatus) bool { return s.Paused })
		if s.Status != "running" {
			t.Errorf("a paused scan is %s", s.Status)
		}
		if err := a.PauseScan(ctx, first); fault.KindOf(err) != fault.KindConflict {
			t.Errorf("a paused scan was paused: %v", err)
		}
		if err := a.ContinueScan(ctx, first); err != nil {
			t.Fatal(err)
		}
		until(t, a, first, "at work again", func(report.ScanStatus) bool {
			c, err := a.control(ctx, first)
			return err == nil && c.Works(time.Now())
		})
		if err := a.ContinueScan(ctx, first); fault.KindOf(err) != fault.KindConflict {
			t.Errorf("a running scan was continued: %v", err)
		}
		if _, err := a.CancelScan(ctx, first); err != nil {
			t.Fatal(err)
		}
		until(t, a, first, "over", ended)

		stop() // nobody takes a scan now
		a = open()
		stop = func() { a.Close() }
		waiting = initiate(t, a, long)
		if err := a.PauseScan(ctx, waiting); err != nil {
			t.Fatal(err)
		}
		if s := until(t, a, waiting, "paused", func(s report.ScanStatus) bool { return s.Paused }); s.Progress != 0 {
			t.Errorf("a scan that never began is at %v", s.Progress)
		}
		if now, err := a.CancelScan(ctx, waiting); err != nil || !now {
			t.Errorf("a scan that waits was cancelled: %v, %v", now, err)
		}
	})
}

func TestAServerThatStopsHandsItsScanToTheNext(t *testing.T) {
	both(t, func(t *testing.T, open func() *App) {
		a := open()
		stop := working(t, a)
		id := begun(t, a, long)
		stop()
		b := open()
		defer func() { b.Close() }()
		if s, err := b.ScanStatus(context.Background(), id); err != nil || s.Status != "running" || s.Paused || s.Reason != nil {
			t.Fatalf("in between it is %+v, %v", s, err)
		}
		next := open()
		defer working(t, next)()
		until(t, next, id, "taken over", func(s report.ScanStatus) bool {
			c, err := next.control(context.Background(), id)
			return err == nil && c.Works(time.Now())
		})
		if _, err := next.CancelScan(context.Background(), id); err != nil {
			t.Fatal(err)
		}
		until(t, next, id, "over", ended)
	})
}

// A name may lead anywhere by the time at which it is looked up.
func TestANameThatLeadsOutsideEndsTheScanWithTheReason(t *testing.T) {
	a := open(t)
	a.resolver = book{"db.example.org": "169.254.169.254"}
	someone := a.For(auth.Identity{Kind: auth.Session, Name: "anna", Role: auth.Analyst, View: auth.Everything()})
	b, err := a.startBackground(context.Background(), duties{version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.stop(context.Background()) }()
	id := initiate(t, someone, ScanRequest{Targets: []string{"db.example.org"}})
	if s := until(t, a, id, "over", ended); s.Status != "failed" || s.Reason == nil || s.By != "anna" {
		t.Errorf("it ended as %+v", s)
	}
	if _, err := someone.InitiateScan(context.Background(), ScanRequest{Targets: []string{"169.254.169.254"}}); err == nil {
		t.Error("an address of the cloud's own was accepted")
	}
}

func TestAScanIsRepeatedAsItWasAskedFor(t *testing.T) {
	a := open(t)
	req := ScanRequest{Targets: []string{"127.0.0.1"}, Ports: "22,80", Scanners: []string{"native"}, Profile: "quick", Timeout: time.Minute}
	again, err := a.RepeatScan(context.Background(), initiate(t, a, req))
	if err != nil {
		t.Fatal(err)
	}
	s, err := a.ScanStatus(context.Background(), again.ScanID)
	if err != nil || s.Status != string(finding.Pending) || s.ScanType != "quick" || !slices.Equal(s.Targets, req.Targets) {
		t.Errorf("it is repeated as %+v, %v", s, err)
	}
	waiting, err := a.store.Jobs().Jobs(context.Background(), job.Filter{Scan: again.ScanID})
	if err != nil || len(waiting) != 1 {
		t.Errorf("%d jobs, %v", len(waiting), err)
	}
}

func TestAScanIsComparedWithItsBaseline(t *testing.T) {
	a := open(t)
	b, err := a.startBackground(context.Background(), duties{version: "test", starter: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.stop(context.Background()) }()
	one, two := sshPort(t), sshPort(t)
	first := initiate(t, a, ScanRequest{Targets: []string{"127.0.0.1"}, Ports: one})
	if s := until(t, a, first, "over", ended); s.New != nil || s.Findings == 0 {
		t.Errorf("without a baseline: %+v", s)
	}
	again := initiate(t, a, ScanRequest{Targets: []string{"127.0.0.1"}, Ports: one, Baseline: first})
	if s := until(t, a, again, "over", ended); s.New == nil || *s.New != 0 {
		t.Errorf("the same again: %+v", s)
	}
	more := initiate(t, a, ScanRequest{Targets: []string{"127.0.0.1"}, Ports: one + "," + two, Baseline: first})
	if s := until(t, a, more, "over", ended); s.New == nil || *s.New == 0 || *s.New >= s.Findings {
		t.Errorf("one port more: %+v", s)
	}
}

func TestNobodyFillsTheQueueWithScans(t *testing.T) {
	a := open(t) // nobody works
	req := ScanRequest{Targets: []string{"127.0.0.1"}, Ports: "22"}
	for range maxWaiting {
		initiate(t, a, req)
	}
	if _, err := a.InitiateScan(context.Background(), req); fault.KindOf(err) != fault.KindConflict {
		t.Errorf("one more was taken: %v", err)
	}
	other := a.For(auth.Identity{Kind: auth.Session, Name: "anna", Role: auth.Analyst, View: auth.Everything()})
	if _, err := other.InitiateScan(context.Background(), req); err != nil {
		t.Errorf("another's was refused: %v", err)
	}
}

// Two attempts that each take the other for the one that goes on leave a scan that runs for ever, with nobody to run it.
func TestAScanThatLostItsJobIsContinued(t *testing.T) {
	both(t, func(t *testing.T, open func() *App) {
		ctx := context.Background()
		a := open()
		id := initiate(t, a, ScanRequest{Targets: []string{"127.0.0.1"}, Ports: sshPort(t)})
		if err := a.rewake(ctx); err != nil {
			t.Fatal(err)
		}
		jobs, err := a.store.Jobs().Lease(ctx, job.Want{Kinds: []job.Kind{job.Scan}, Worker: "somebody", N: 1})
		if err != nil || len(jobs) != 1 || jobs[0].Scan != id {
			t.Fatalf("leased %+v, %v", jobs, err)
		}
		leased := jobs[0]
		if attended, err := a.store.Estate().Attended(ctx, id, leased.ID); err != nil || attended {
			t.Errorf("without the job somebody goes on: %v, %v", attended, err)
		}
		if attended, err := a.store.Estate().Attended(ctx, id, 0); err != nil || !attended {
			t.Errorf("nobody goes on, says another job: %v, %v", attended, err)
		}
		if err := a.store.Jobs().Finish(ctx, leased.ID, leased.Fence, job.End{State: job.Done}); err != nil {
			t.Fatal(err)
		}
		defer working(t, a)()
		if err := a.rewake(ctx); err != nil {
			t.Fatal(err)
		}
		if s := until(t, a, id, "over", ended); s.Status != "completed" {
			t.Errorf("it ended as %+v", s)
		}
		if orphans, err := a.store.Estate().Orphans(ctx); err != nil || len(orphans) > 0 {
			t.Errorf("still without a job: %+v, %v", orphans, err)
		}
	})
}
