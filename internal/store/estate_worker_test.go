package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

func TestWorkersAreListedForWhoSeesTheirSite(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		s := eng.Open(t).Jobs()
		tools := []store.WorkerTool{{Name: "native", Version: "1", Parallel: 1}, {Name: "nmap", Error: "not found", Parallel: 2}}
		for _, w := range []store.Worker{{Lane: "branch", Name: "b"}, {Lane: "branch", Name: "a", Scanners: tools, Capacity: 3, Version: "1.2"}, {Lane: "lab", Name: "a"}, {Name: "serve"}} {
			if err := s.SaveWorker(ctx, w); err != nil {
				t.Fatal(err)
			}
		}
		named := func(list []store.Worker) (names []string) {
			for _, w := range list {
				names = append(names, w.Lane+"/"+w.Name)
			}
			return names
		}
		all := the(s.Workers(ctx, auth.Everything()))(t)
		same(t, []string{"/serve", "branch/a", "branch/b", "lab/a"}, named(all))
		if w := all[1]; !w.Alive || w.Capacity != 3 || w.Version != "1.2" || w.Seen.IsZero() || w.Started.IsZero() {
			t.Errorf("%+v", w)
		}
		same(t, tools, all[1].Scanners)
		same(t, []string{"/serve", "lab/a"}, named(the(s.Workers(ctx, auth.OfSites("lab")))(t)))
		same(t, []string{"/serve"}, named(the(s.Workers(ctx, auth.View{}))(t)))
		same(t, []string{"branch/a", "branch/b"}, named(the(s.WorkersOf(ctx, "branch"))(t)))
		if err := s.DropWorker(ctx, "branch", "b"); err != nil {
			t.Fatal(err)
		}
		if err := s.SeeWorker(ctx, "branch", "a"); err != nil {
			t.Error(err)
		}
		if err := s.SeeWorker(ctx, "branch", "b"); fault.KindOf(err) != fault.KindNotFound {
			t.Errorf("a worker that was dropped is seen: %v", err)
		}
	})
}

func TestAReportCountsUnderTheFenceOfItsWorkerOnly(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		s := eng.Open(t).Jobs()
		the(s.Enqueue(ctx, job.Job{Kind: job.Tool, Lane: "branch", Site: "branch"}))(t)
		one := lease(t, s, job.Want{Lane: "branch"})[0]
		for _, hash := range []string{"first", "again"} {
			if err := s.KeepToolReport(ctx, one.ID, one.Fence, hash); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.HandBack(ctx, one.ID, one.Fence); err != nil {
			t.Fatal(err)
		}
		next := lease(t, s, job.Want{Lane: "branch"})[0]
		if err := s.KeepToolReport(ctx, one.ID, one.Fence, "late"); fault.KindOf(err) != fault.KindConflict {
			t.Errorf("a late report: %v", err)
		}
		same(t, "again", the(s.ToolReport(ctx, one.ID, one.Fence))(t))
		same(t, "", the(s.ToolReport(ctx, one.ID, next.Fence))(t))
		if err := s.DropToolReports(ctx, one.ID); err != nil {
			t.Fatal(err)
		}
		same(t, "", the(s.ToolReport(ctx, one.ID, one.Fence))(t))
	})
}

func TestASiteIsItsWorkersWhileOneOfTheirTokensIsNotRevoked(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		st := eng.Open(t)
		lane := func() string { return the(st.Jobs().LaneOf(ctx, "branch"))(t) }
		same(t, "", lane())
		now := time.Now()
		id := the(st.Estate().AddToken(ctx, auth.APIToken{Hash: []byte("h"), Name: "w", Role: auth.Worker, Site: "branch", Created: now, Expires: now.Add(-time.Hour)}))(t)
		same(t, "branch", lane())
		same(t, "", the(st.Jobs().LaneOf(ctx, "lab"))(t))
		same(t, "", the(st.Jobs().LaneOf(ctx, ""))(t))
		if err := st.Estate().RevokeToken(ctx, id); err != nil {
			t.Fatal(err)
		}
		same(t, "", lane())
	})
}

func TestAServerThatWasAwayHearsTheWorkersBeforeItCallsThemLost(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		s, age := aged(t, eng)
		sweepFor := func(d time.Duration) {
			for ; d > 0; d -= job.SweepEvery {
				age(job.SweepEvery)
				the(s.Sweep(ctx))(t)
			}
		}
		id := the(s.Enqueue(ctx, job.Job{Kind: job.Tool, Lane: "branch", Site: "branch"}))(t)[0].ID
		one := lease(t, s, job.Want{Lane: "branch", Worker: "w"})[0]
		age(10 * job.Alive) // nobody was there to hear or to sweep
		sweepFor(job.Alive / 2)
		if _, err := s.Beat(ctx, id, one.Fence, job.Progress{}); err != nil {
			t.Fatalf("the worker that was not lost: %v", err)
		}
		sweepFor(job.Alive - job.SweepEvery)
		same(t, job.Running, stateOf(t, s, id))
		sweepFor(3 * job.SweepEvery)
		same(t, job.Queued, stateOf(t, s, id))
	})
}
