package assess_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

func TestManyReportsAtOnceLoseNothing(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng)
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				run, err := w.a.Begin(ctx, finding.Scan{Kind: finding.KindImport, Site: asset.DefaultSite})
				if err != nil {
					t.Error(err)
					return
				}
				for n := range 40 {
					e := ssh("7.2p2")
					e.Service.Address, e.Service.At = netip.AddrFrom4([4]byte{10, 0, 2, byte(n)}), w.now.Add(-1)
					if err := run.Emit(fmt.Sprint("tool", i), e); err != nil {
						t.Error(err)
					}
				}
				if _, err := run.Finish(ctx, assess.End{}); err != nil {
					t.Error(err)
				}
			}()
		}
		wg.Wait()
		hosts, err := w.e.Hosts(ctx, auth.Everything(), store.HostFilter{})
		if err != nil || len(hosts) != 40 {
			t.Fatalf("%d hosts, %v", len(hosts), err)
		}
		n := 0
		if err := w.e.EachFinding(ctx, auth.Everything(), finding.Filter{}, func(l finding.Listed) error {
			n++
			f, err := w.e.Finding(ctx, auth.Everything(), l.ID)
			if err == nil && len(f.Evidence) != 6 {
				t.Errorf("finding %d has the evidence of %d tools", l.ID, len(f.Evidence))
			}
			return err
		}); err != nil || n != 40 {
			t.Errorf("%d findings, %v", n, err)
		}
	})
}

func TestImportingTheSameReportTwiceChangesNothing(t *testing.T) {
	w := newWorld(t, storetest.NewSQLite(t))
	at := w.now
	for i := range 2 {
		res := w.scanAt(at, "nmap", assess.End{File: "a.xml"}, up(), ssh("7.2p2"), httpd("2.4.49"), covered(1, 1024))
		if l := res.Ledgers[0]; i == 1 && (l.New != 0 || l.Merged != 3 || l.File != "a.xml") {
			t.Errorf("%+v", l)
		}
		if res.Scan.Totals.Findings != 3 {
			t.Errorf("import %d saw %d findings", i, res.Scan.Totals.Findings)
		}
	}
	for id, f := range w.findings() {
		shown := w.finding(id)
		if f.State != finding.Open || len(shown.Evidence) != 1 || len(shown.History) != 1 {
			t.Errorf("%s: %+v", id, shown)
		}
	}
}

func TestDemoOnOnesOwnHostIsRemovedWithoutTouchingIt(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng)
		w.scan("native", up(), ssh("7.2p2"), covered(1, 1024))
		run, err := w.a.Begin(ctx, finding.Scan{Kind: finding.KindScan, Site: asset.DefaultSite, Demo: true})
		if err != nil {
			t.Fatal(err)
		}
		old := httpd("2.4.49")
		old.Service.Port = 40080
		for _, e := range []finding.Event{up(), old, covered(40080, 40080)} {
			if err := run.Emit("native", dated(e, w.now.Add(1000))); err != nil {
				t.Fatal(err)
			}
		}
		if res, err := run.Finish(ctx, assess.End{}); err != nil || res.Ledgers[0].New != 2 {
			t.Fatal(res, err)
		}
		if hosts, findings, scans, err := w.e.RemoveDemo(ctx); err != nil || hosts != 0 || findings != 2 || scans != 1 {
			t.Errorf("%d %d %d %v", hosts, findings, scans, err)
		}
		f := w.finding("CVE-2016-10009")
		services, err := w.e.Services(ctx, auth.Everything(), []int64{f.HostID})
		if err != nil || len(services) != 1 || services[0].Port != 22 || f.State != finding.Open || len(w.findings()) != 1 {
			t.Errorf("%+v %+v %v", f, services, err)
		}
	})
}

func TestTwoScansWithinASecondAreTwoScans(t *testing.T) {
	w := newWorld(t, storetest.NewSQLite(t))
	at := w.now.Add(100 * time.Millisecond)
	w.scanAt(at, "native", assess.End{}, up(), ssh("7.2p2"), covered(1, 1024))
	w.scanAt(at.Add(300*time.Millisecond), "native", assess.End{}, up(), covered(1, 1024))
	if f := w.finding("CVE-2016-10009"); f.State != finding.Fixed {
		t.Errorf("%+v", f.Life)
	}
}

func TestReportsImportedInAnyOrderTellTheSame(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 4))
	type reported struct {
		at     time.Time
		events []finding.Event
	}
	start := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	for round := range 25 {
		var reports []reported
		for i := range 2 + rng.IntN(6) {
			r := reported{at: start.AddDate(0, 0, i), events: []finding.Event{up(), covered(1, 1024)}}
			if v := []string{"", "7.2p2", "9.7", "9.9"}[rng.IntN(4)]; v != "" {
				r.events = append(r.events, ssh(v))
			}
			if v := []string{"", "2.4.49", "2.4.62"}[rng.IntN(3)]; v != "" {
				r.events = append(r.events, httpd(v))
			}
			reports = append(reports, r)
		}
		tell := func() map[string]string {
			w := newWorld(t, storetest.NewSQLite(t))
			for _, r := range reports {
				w.scanAt(r.at, "nmap", assess.End{File: "x.xml"}, r.events...)
			}
			out := map[string]string{}
			for id := range w.findings() {
				f := w.finding(id)
				text := fmt.Sprintln(f.State, f.Closing, f.FirstSeen, f.LastSeen, f.ClosedAt, f.Confidence, f.Due)
				for _, e := range f.Evidence {
					text += fmt.Sprintln(" ", e.FirstSeen, e.LastSeen, e.Reason)
				}
				for _, h := range f.History {
					text += fmt.Sprintln("   ", h.At, h.To, h.Reason)
				}
				out[id] = text
			}
			return out
		}
		want := tell()
		rng.Shuffle(len(reports), func(i, j int) { reports[i], reports[j] = reports[j], reports[i] })
		if diff := cmp.Diff(want, tell()); diff != "" {
			t.Fatalf("round %d: order matters (-in order +shuffled):\n%s", round, diff)
		}
	}
}

func TestAPersonsWordOnExposureChangesTheDecision(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng)
		w.scan("native", up(), ssh("7.2p2"), covered(1, 1024))
		before := w.finding("CVE-2016-10009")
		yes := true
		if err := w.e.SetExposed(ctx, before.HostID, &yes); err != nil {
			t.Fatal(err)
		}
		if _, err := w.a.Rematch(ctx); err != nil {
			t.Fatal(err)
		}
		after := w.finding("CVE-2016-10009")
		if before.Decision != "track" || before.Exposed || after.Decision != "attend" || !after.Exposed || after.ExposedWhy != "a person said so" {
			t.Errorf("%s -> %s (%s)", before.Decision, after.Decision, after.ExposedWhy)
		}
	})
}

func TestAHostOfVeryManyFindingsIsMergedSliceBySlice(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng)
		const n = 45_000
		at := w.now.AddDate(0, 0, 1)
		report := func() assess.Result {
			run, err := w.a.Begin(ctx, finding.Scan{Kind: finding.KindImport, Site: asset.DefaultSite})
			if err != nil {
				t.Fatal(err)
			}
			e := ssh("7.2p2")
			e.Service.At = at
			if err := run.Emit("sarif", e); err != nil {
				t.Fatal(err)
			}
			for i := range n {
				if err := run.Emit("sarif", finding.Event{Observation: &finding.Observation{Address: addr, Check: fmt.Sprint("sarif:rule@file", i%(n-10)),
					Title: "weak", Severity: "low", Confidence: 90, At: at}}); err != nil {
					t.Fatal(err)
				}
			}
			res, err := run.Finish(ctx, assess.End{})
			if err != nil {
				t.Fatal(err)
			}
			return res
		}
		imported := report()
		first := imported.Ledgers[0]
		if !first.Balanced() || first.New != n-10+1 || first.Merged != 10 || first.HostsUp != 1 || first.Services != 1 {
			t.Errorf("first: %+v", first)
		}
		if seen, err := w.e.CountScanFindings(ctx, imported.Scan.ID); err != nil || seen != n-10+1 {
			t.Errorf("the first import saw %d findings, %v", seen, err)
		}
		if testing.Short() {
			return
		}
		again := report()
		if l := again.Ledgers[0]; !l.Balanced() || l.New != 0 || l.Merged != n+1 {
			t.Errorf("again: %+v", l)
		}
		if seen, err := w.e.CountScanFindings(ctx, again.Scan.ID); err != nil || seen != n-10+1 {
			t.Errorf("the second import saw %d findings, %v", seen, err)
		}
		if c, err := w.e.CountFindings(ctx, auth.Everything(), finding.Filter{}); err != nil || c.Total != n-10+1 {
			t.Errorf("%d findings, %v", c.Total, err)
		}
	})
}
