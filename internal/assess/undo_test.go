package assess_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/match"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

// told is what people see of the estate, without numbers that differ between two ways to the same end.
func (w *world) told() []string {
	w.t.Helper()
	ctx := context.Background()
	var out []string
	hosts, err := w.e.Hosts(ctx, auth.Everything(), store.HostFilter{})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, h := range hosts {
		out = append(out, fmt.Sprintf("host %s %v %v %s %s first %s last %s", h.Address, h.Names(), h.Status, h.OS, h.CPEs, h.FirstSeen.Format(time.DateOnly), h.LastSeen.Format(time.DateOnly)))
		services, err := w.e.Services(ctx, auth.Everything(), []int64{h.ID})
		if err != nil {
			w.t.Fatal(err)
		}
		for _, s := range services {
			out = append(out, fmt.Sprintf("  %s/%d %s %s %v", s.Protocol, s.Port, s.Product, s.Version, len(s.Said)))
		}
	}
	if err := w.e.EachFinding(ctx, auth.Everything(), finding.Filter{ShowHidden: true}, func(l finding.Listed) error {
		f, err := w.e.Finding(ctx, auth.Everything(), l.ID)
		if err != nil {
			return err
		}
		out = append(out, fmt.Sprintf("%s:%d %s %s %s %d%% first %s last %s closed %s", f.HostAddress, f.Port, f.Weakness, f.State, f.Closing, f.Confidence,
			f.FirstSeen.Format(time.DateOnly), f.LastSeen.Format(time.DateOnly), f.ClosedAt.Format(time.DateOnly)))
		for _, e := range f.Evidence {
			out = append(out, fmt.Sprintf("    %s %s %s %s..%s %s", e.Sensor, e.Check, e.Policy, e.FirstSeen.Format(time.DateOnly), e.LastSeen.Format(time.DateOnly), e.Reason))
		}
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	return out
}

// reportOf is what a random sensor says on a day.
func reportOf(rng *rand.Rand) (sensor string, events []finding.Event) {
	sensor = []string{"nessus", "openvas", "native"}[rng.IntN(3)]
	addr := netip.AddrFrom4([4]byte{10, 0, 0, byte(1 + rng.IntN(2))})
	policy := []string{"", "weekly", "web"}[rng.IntN(3)]
	events = append(events, finding.Event{Host: &finding.HostSeen{Address: addr, Status: "up", OS: []string{"", "Debian 12", "Debian 11"}[rng.IntN(3)],
		Names: []string{fmt.Sprintf("h%d.example", rng.IntN(3))}}})
	for port := uint16(22); port < 24; port++ {
		if rng.IntN(2) == 0 {
			e := ssh([]string{"7.2p2", "9.8p1"}[rng.IntN(2)])
			e.Service.Address, e.Service.Port = addr, port
			events = append(events, e)
		}
		if rng.IntN(2) == 0 {
			events = append(events, finding.Event{Observation: &finding.Observation{Address: addr, Protocol: "tcp", Port: port, Title: "weak",
				Check: sensor + ":1", Severity: "medium", Confidence: 80 + rng.IntN(2)*10, Policy: policy, Passed: rng.IntN(6) == 0}})
		}
	}
	if policy != "" {
		events = append(events, finding.Event{Coverage: &finding.Coverage{Sensor: sensor, Address: addr, Policy: policy}})
	} else if rng.IntN(2) == 0 {
		events = append(events, finding.Event{Coverage: &finding.Coverage{Sensor: sensor, Address: addr, Protocol: "tcp", Ports: []finding.PortRange{{First: 1, Last: 100}}}})
	}
	return sensor, events
}

// fresh is another empty estate on the same engine.
func fresh(t *testing.T, eng *storetest.Engine) *storetest.Engine {
	if eng.Name == "sqlite" {
		return storetest.NewSQLite(t)
	}
	return storetest.NewPostgres(t)
}

func TestUndoLeavesWhatWouldBeThereWithoutTheImport(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		rounds := 12
		if testing.Short() {
			rounds = 4
		}
		for seed := range uint64(rounds) {
			rng := rand.New(rand.NewPCG(seed, 4))
			type said struct {
				sensor string
				events []finding.Event
				day    int
			}
			var reports []said
			for range 6 {
				sensor, events := reportOf(rng)
				reports = append(reports, said{sensor, events, rng.IntN(10)})
			}
			tell := func(skip int) (w *world, ids []int64) {
				w = newWorld(t, fresh(t, eng))
				for i, r := range reports {
					if i == skip {
						ids = append(ids, 0)
						continue
					}
					at := time.Date(2026, 10, 1+r.day, 9, i, 0, 0, time.UTC) // no two at one moment
					res := w.scanAt(at, r.sensor, assess.End{}, r.events...)
					ids = append(ids, res.Scan.ID)
				}
				return w, ids
			}
			gone := rng.IntN(len(reports))
			without, _ := tell(gone)
			with, ids := tell(-1)
			before := with.told()
			if _, err := with.a.Undo(context.Background(), ids[gone], "local:test", false); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, with.told()); diff != "" {
				t.Fatalf("seed %d: a preview changed something:\n%s", seed, diff)
			}
			if _, err := with.a.Undo(context.Background(), ids[gone], "local:test", true); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(without.told(), with.told(), cmpopts.SortSlices(func(a, b string) bool { return a < b })); diff != "" {
				t.Fatalf("seed %d, report %d of %v: -never said +undone\n%s", seed, gone, reports[gone], diff)
			}
		}
	})
}

func TestUndoKeepsAFindingThatAPersonSpokeOf(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng)
		res := w.scan("native", up(), ssh("7.2p2"))
		f := w.finding("CVE-2016-10009")
		if err := w.e.Triage(ctx, f.ID, finding.Triage{State: finding.Accepted, By: "local:anna", At: w.now, Note: "gone in May"}); err != nil {
			t.Fatal(err)
		}
		undone, err := w.a.Undo(ctx, res.Scan.ID, "local:anna", true)
		if err != nil || undone.Kept != 1 || undone.FindingsGone != 0 || undone.HostsGone != 0 {
			t.Fatalf("%+v, %v", undone, err)
		}
		f, err = w.e.Finding(ctx, auth.Everything(), f.ID)
		if err != nil || f.State.Live() || f.Triage.Note != "gone in May" {
			t.Errorf("%+v, %v", f.Finding, err)
		}
		if _, err := w.a.Undo(ctx, res.Scan.ID, "local:anna", true); err == nil {
			t.Error("what was taken back was taken back again")
		}
		hosts, err := w.e.Hosts(ctx, auth.Everything(), store.HostFilter{Site: asset.DefaultSite})
		if err != nil || len(hosts) != 1 {
			t.Errorf("%d hosts, %v", len(hosts), err)
		}
	})
}

// remark is what a person says of a finding without changing it.
func (w *world) remark(id int64, text string) {
	w.t.Helper()
	ctx := context.Background()
	if err := w.e.Update(ctx, func(tx *store.EstateTx) error {
		return tx.AddChange(ctx, finding.Change{What: finding.OfFinding, Item: id, At: w.now, By: "local:anna", Kind: finding.ChangeComment, Note: text})
	}); err != nil {
		w.t.Fatal(err)
	}
}

func TestUndoKeepsAFindingThatWasCommentedOn(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng)
		res := w.scan("native", up(), ssh("7.2p2"))
		w.remark(w.finding("CVE-2016-10009").ID, "the vendor says May")
		undone, err := w.a.Undo(ctx, res.Scan.ID, "local:anna", true)
		if err != nil || undone.Kept != 1 {
			t.Errorf("%+v, %v", undone, err)
		}
	})
}

// tired is an estate that fails after some transactions.
type tired struct {
	*store.Estate
	left int
}

func (e *tired) Update(ctx context.Context, fn func(*store.EstateTx) error) error {
	if e.left == 0 {
		return errors.New("the disk is full")
	}
	e.left--
	return e.Estate.Update(ctx, fn)
}

func TestUndoThatWasInterruptedIsBroughtToItsEnd(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng)
		var events []finding.Event
		for i := range 25 {
			address := netip.AddrFrom4([4]byte{10, 0, 0, byte(1 + i)}).String()
			events = append(events, at(up(), address), at(ssh("7.2p2"), address))
		}
		w.scan("native", events...)
		before := w.told()
		res := w.scan("nmap", events...)
		weak := assess.New(&tired{w.e, 3}, w.cat, match.New(w.cat), func() time.Time { return w.now })
		if _, err := weak.Undo(ctx, res.Scan.ID, "local:anna", true); err == nil {
			t.Fatal("it was not interrupted")
		}
		if _, err := w.a.Undo(ctx, res.Scan.ID, "local:anna", true); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, w.told()); diff != "" {
			t.Errorf("-never said +undone\n%s", diff)
		}
	})
}

func TestUndoLeavesWhatIsOlderThanTheRecord(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng)
		old := w.scan("native", up(), ssh("7.2p2"))
		h := w.hostAt(addr.String())
		if err := w.e.Update(ctx, func(tx *store.EstateTx) error { return tx.DropScan(ctx, old.Scan.ID, []int64{h.ID}) }); err != nil {
			t.Fatal(err)
		}
		before := w.told()
		res := w.scan("nmap", up(), ssh("7.2p2"))
		if _, err := w.a.Undo(ctx, res.Scan.ID, "local:anna", true); err != nil {
			t.Fatal(err)
		}
		after := w.told()
		if len(after) > 0 {
			after[0] = before[0] // when the host was seen last is not known any more
		}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("-before +after\n%s", diff)
		}
	})
}

// The time of a replay must follow the number of findings, not its square.
func TestUndoOfAHostWithManyFindingsIsQuick(t *testing.T) {
	w := newWorld(t, storetest.NewSQLite(t))
	events := []finding.Event{up()}
	for i := range 6000 {
		events = append(events, finding.Event{Observation: &finding.Observation{Address: addr, Check: fmt.Sprintf("grype:%d", i), Title: "old package",
			Component: fmt.Sprintf("p%d", i), Severity: "low", Confidence: 97}})
	}
	for range 3 {
		w.scan("grype", events...)
	}
	res := w.scan("grype", events...)
	began := time.Now()
	if _, err := w.a.Undo(context.Background(), res.Scan.ID, "local:anna", false); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it took %s", took)
	}
}

// Two tasks of one tool on one host may end in the same second, which is all that their reports say.
func TestTwoReportsOfOneMomentOnOneHostAreBothRemembered(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng)
		scan := func() int64 {
			w.now = w.now.AddDate(0, 0, 1)
			run, err := w.a.Begin(ctx, finding.Scan{Kind: finding.KindScan, Site: asset.DefaultSite})
			if err != nil {
				t.Fatal(err)
			}
			for _, port := range []uint16{80, 443} {
				part := run.Part("nikto")
				for _, e := range []finding.Event{up(), {Observation: &finding.Observation{Address: addr, Protocol: "tcp", Port: port, Check: "nikto:999957",
					Title: "no X-Frame-Options", Severity: "low", Confidence: 95}}} {
					if err := part.Emit(dated(e, w.now)); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := part.Commit(ctx, assess.PartEnd{Completed: true}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := run.Finish(ctx, assess.End{}); err != nil {
				t.Fatal(err)
			}
			return run.ScanID()
		}
		scan()
		second := scan()
		scan()
		if n, err := w.e.CountScanFindings(ctx, second); err != nil || n != 2 {
			t.Errorf("the scan in the middle saw %d findings, %v", n, err)
		}
	})
}
