package store_test

import (
	"context"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

func runningScan(t *testing.T, e *store.Estate) int64 {
	t.Helper()
	id, err := e.CreateScan(context.Background(), finding.Scan{Kind: finding.KindScan, Site: asset.DefaultSite, Status: finding.Running, Created: day1})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestTasksAreGivenBackAsTheyWere(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		e := eng.Open(t).Estate()
		id := runningScan(t, e)
		if err := e.BeginWork(ctx, id, "me", json.RawMessage(`{"profile":"quick"}`)); err != nil {
			t.Fatal(err)
		}
		host := scan.HostTarget{Address: netip.MustParseAddr("fe80::1%eth0"), Names: []string{"a.example"}, URLs: []string{"http://a.example:81/"},
			Ports: []uint16{81}, Explicit: true, Web: []scan.WebPort{{Port: 81, Name: "a.example", Path: "/x", TLS: true}}}
		task := &scan.Task{N: 1, Scanner: "nikto", Stage: scan.WebStage, Hosts: []scan.HostTarget{host}, Status: scan.TaskPending}
		other := &scan.Task{N: 2, Scanner: "native", Stage: scan.Services, Hosts: []scan.HostTarget{{Address: netip.MustParseAddr("10.0.0.1")}}, Status: scan.TaskPending}
		if err := e.SaveTasks(ctx, id, "me", []*scan.Task{task, other}); err != nil {
			t.Fatal(err)
		}
		task.Status, task.Attempts, task.Started, task.Finished, task.Version, task.Error = scan.TaskFailed, 2, day1, day1.Add(time.Hour), "2.5", "no answer"
		task.Ended, task.Report, task.Dropped = scan.Failed, "abc", map[string]int{"address outside of the scan": 3}
		task.Found = scan.Found{Up: []netip.Addr{host.Address}, Web: []scan.FoundPort{{Address: host.Address, Port: 81, TLS: true}}}
		task.Skipped = []scan.Skipped{{Address: host.Address, Name: "a.example", Reason: "outside"}}
		if err := e.SaveTasks(ctx, id, "me", []*scan.Task{task}); err != nil {
			t.Fatal(err)
		}
		got, err := e.Tasks(ctx, auth.Everything(), id)
		if err != nil {
			t.Fatal(err)
		}
		same(t, []*scan.Task{task, other}, got)
		for want, ledgers := range []int{0, 1} {
			for range ledgers {
				if err := e.AddLedger(ctx, finding.Ledger{Scan: id, Tool: "nikto"}, "abc"); err != nil {
					t.Fatal(err)
				}
			}
			if done, err := e.TaskCommitted(ctx, id, task); err != nil || done != (want == 1) {
				t.Errorf("%d ledgers: committed %v %v", ledgers, done, err)
			}
		}
		if done, err := e.TaskCommitted(ctx, id, other); err != nil || done {
			t.Errorf("a task without a report: %v %v", done, err)
		}
	})
}

func TestOneProcessAtATimeWorksOnAScan(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		now := day1
		opts := eng.Options()
		opts.Now = func() time.Time { return now }
		s, err := store.Open(ctx, opts)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		e := s.Estate()
		id := runningScan(t, e)
		conflict := func(what string, err error) {
			t.Helper()
			if fault.KindOf(err) != fault.KindConflict {
				t.Errorf("%s: %v", what, err)
			}
		}
		_, err = e.Claim(ctx, id, "b")
		conflict("claim of a scan without tasks", err)
		if err := e.BeginWork(ctx, id, "process 1 on a#x", json.RawMessage(`{"a":1}`)); err != nil {
			t.Fatal(err)
		}
		_, err = e.Claim(ctx, id, "b")
		conflict("claim of a scan that is worked on", err)
		if err == nil || !strings.HasSuffix(err.Error(), "process 1 on a") {
			t.Errorf("the owner is not named for people: %v", err)
		}
		if works, err := e.Want(ctx, id, store.WantPause); err != nil || !works {
			t.Errorf("%v %v", works, err)
		}
		before := generation(t, s)
		wanted, err := e.Beat(ctx, id, "process 1 on a#x", store.ScanProgress{Percent: 12.5, Stage: "ports", ETA: time.Minute, Done: 1, Total: 8})
		if err != nil || wanted != store.WantPause || generation(t, s) != before {
			t.Errorf("%q %v, generation %d to %d", wanted, err, before, generation(t, s))
		}
		found, err := e.Controls(ctx, auth.Everything(), []int64{id, 99})
		c := found[id]
		if err != nil || len(found) != 1 || c.Percent != 12.5 || c.ETA != time.Minute || c.Total != 8 || !c.Works(now) {
			t.Errorf("%+v %v", found, err)
		}
		now = now.Add(store.Alive) // the process was killed
		if works, err := e.Want(ctx, id, store.WantCancel); err != nil || works {
			t.Errorf("%v %v", works, err)
		}
		if job, err := e.Claim(ctx, id, "b"); err != nil || string(job) != `{"a":1}` {
			t.Fatalf("%s %v", job, err)
		}
		_, err = e.Beat(ctx, id, "process 1 on a#x", store.ScanProgress{})
		conflict("a beat of the process that was believed dead", err)
		conflict("its tasks", e.SaveTasks(ctx, id, "process 1 on a#x", []*scan.Task{{N: 1}}))
		if wanted, err := e.Beat(ctx, id, "b", store.ScanProgress{}); err != nil || wanted != store.WantNothing {
			t.Errorf("%q %v", wanted, err)
		}
		if err := e.Release(ctx, id, "b", true); err != nil {
			t.Error(err)
		}
		if found, err := e.Controls(ctx, auth.Everything(), []int64{id}); err != nil || !found[id].Paused || found[id].Works(now) {
			t.Errorf("%+v %v", found, err)
		}
		if err := e.UpdateScan(ctx, finding.Scan{ID: id, Status: finding.Completed}); err != nil {
			t.Fatal(err)
		}
		_, err = e.Claim(ctx, id, "b")
		conflict("claim of a scan that is over", err)
		if _, err = e.Claim(ctx, 99, "b"); fault.KindOf(err) != fault.KindNotFound {
			t.Error(err)
		}
	})
}

func generation(t *testing.T, s *store.Store) int64 {
	t.Helper()
	_, n, err := s.Generations(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A process that froze while it wrote, and was believed dead, adds nothing when it comes back.
func TestWhoLostAScanWritesNothingMore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		now := day1
		opts := eng.Options()
		opts.Now = func() time.Time { return now }
		s, err := store.Open(ctx, opts)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		id := runningScan(t, s.Estate())
		if err := s.Estate().BeginWork(ctx, id, "a", json.RawMessage(`{}`)); err != nil {
			t.Fatal(err)
		}
		a, b := s.Estate().Fenced(id, "a"), s.Estate().Fenced(id, "b")
		ledger := finding.Ledger{Scan: id, Tool: "native"}
		if err := a.AddLedger(ctx, ledger, ""); err != nil {
			t.Fatal(err)
		}
		now = now.Add(store.Alive)
		if _, err := s.Estate().Claim(ctx, id, "b"); err != nil {
			t.Fatal(err)
		}
		for what, err := range map[string]error{
			"a ledger": a.AddLedger(ctx, ledger, ""),
			"the end":  a.UpdateScan(ctx, finding.Scan{ID: id, Status: finding.Failed}),
			"a host":   a.Update(ctx, func(tx *store.EstateTx) error { return tx.SaveHost(ctx, oneHost("10.9.9.9")) }),
		} {
			if fault.KindOf(err) != fault.KindConflict {
				t.Errorf("%s of who lost the scan: %v", what, err)
			}
		}
		if err := b.AddLedger(ctx, ledger, ""); err != nil {
			t.Error(err)
		}
		if ledgers, err := s.Estate().Ledgers(ctx, auth.Everything(), id); err != nil || len(ledgers) != 2 {
			t.Errorf("%d ledgers, %v", len(ledgers), err)
		}
	})
}
