package app

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/request"
	"github.com/patchscout/patchscout/internal/store"
)

// scannedAt runs what emit tells as a scan of a site that looked at a time.
func scannedAt(t *testing.T, a *App, site string, at time.Time, status map[string]string, emit func(say func(sensor string, e finding.Event))) int64 {
	t.Helper()
	ctx := context.Background()
	run, err := a.assessor().Begin(ctx, finding.Scan{Kind: finding.KindScan, Site: site, Targets: []string{"10.0.0.0/28"}, By: "anna", Created: at})
	if err != nil {
		t.Fatal(err)
	}
	emit(func(sensor string, e finding.Event) {
		t.Helper()
		if err := run.Emit(sensor, e); err != nil {
			t.Fatal(err)
		}
	})
	end := assess.End{Status: finding.Completed}
	for _, sensor := range []string{"native", "nmap"} {
		end.Scanners = append(end.Scanners, finding.ScannerRun{Name: sensor, Status: either(status[sensor], "completed")})
	}
	done, err := run.Finish(ctx, end)
	if err != nil {
		t.Fatal(err)
	}
	return done.Scan.ID
}

func address(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, byte(n)}) } //nolint:gosec // small

// someScan tells of random hosts, ports and checks, and covers a random part of what it could have seen.
func someScan(rng *rand.Rand, at time.Time) func(say func(string, finding.Event)) {
	return func(say func(string, finding.Event)) {
		for n := range 6 {
			if rng.IntN(5) == 0 {
				continue // it did not answer
			}
			host := address(n + 1)
			for _, sensor := range []string{"native", "nmap"} {
				if rng.IntN(4) == 0 {
					continue
				}
				say(sensor, finding.Event{Host: &finding.HostSeen{Address: host, Status: "up", At: at}})
				var looked []finding.PortRange
				for _, port := range []uint16{22, 80} {
					if rng.IntN(3) > 0 {
						looked = append(looked, finding.PortRange{First: port, Last: port})
					}
					if rng.IntN(5) > 0 {
						say(sensor, finding.Event{Service: &finding.ServiceSeen{Address: host, Protocol: "tcp", Port: port, Name: "x", At: at}})
					}
					for check := range 4 {
						if rng.IntN(2) == 0 {
							say(sensor, finding.Event{Observation: &finding.Observation{Address: host, Protocol: "tcp", Port: port, Title: "weak", Severity: "low",
								Check: fmt.Sprintf("%s:check-%d", sensor, check), Confidence: 95, Passed: rng.IntN(5) == 0, At: at}})
						}
					}
				}
				if len(looked) > 0 && rng.IntN(4) > 0 {
					say(sensor, finding.Event{Coverage: &finding.Coverage{Sensor: sensor, Address: host, Protocol: "tcp", Ports: looked, At: at,
						Checks: []string{sensor + ":check-0", sensor + ":check-1", sensor + ":check-2"}[:1+rng.IntN(3)]}})
				}
			}
		}
	}
}

// all are the findings of a site by id: those that were ever there.
func (w comparing) all() map[int64]string {
	w.t.Helper()
	list, err := w.Findings(context.Background(), FindingRequest{State: "all", Hidden: true, Site: w.site})
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[int64]string{}
	for _, f := range list.Findings {
		out[f.ID] = f.State + " " + f.LastSeen.Format(time.RFC3339)
	}
	return out
}

type comparing struct {
	*App
	t    *testing.T
	site string
}

// lists are all pages of a comparison, by what became of the findings.
func (w comparing) lists(req request.Compare) map[string][]int64 {
	w.t.Helper()
	out := map[string][]int64{}
	for _, what := range []string{"new", "fixed", "unchanged", "not_looked"} {
		req.What, req.Cursor, req.Limit = what, "", 3
		for {
			doc, err := w.Compare(context.Background(), req)
			if err != nil || doc.Counts == nil {
				w.t.Fatalf("%+v: %+v %v", req, doc, err)
			}
			for _, f := range doc.Findings {
				out[what] = append(out[what], f.ID)
			}
			if doc.Next == nil {
				n := map[string]int{"new": doc.Counts.New, "fixed": doc.Counts.Fixed, "unchanged": doc.Counts.Unchanged, "not_looked": doc.Counts.NotLooked}[what]
				if n != len(out[what]) {
					w.t.Errorf("%d are %s, and %d are counted", len(out[what]), what, n)
				}
				break
			}
			req.Cursor = *doc.Next
		}
		slices.Sort(out[what])
	}
	return out
}

// Where there are only two scans, the life cycle says the same as comparing them: a finding is fixed when the second one
// looked for it again and did not see it, and not because it was silent.
func TestComparingSaysFixedWhereTheLifeCycleDoes(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		total := map[string]int{}
		for seed := range uint64(12) {
			rng := rand.New(rand.NewPCG(seed, 3))
			w := comparing{a, t, fmt.Sprintf("site-%d", seed)}
			if err := a.AddSite(context.Background(), w.site, false); err != nil {
				t.Fatal(err)
			}
			then := a.now().UTC().Truncate(time.Second).Add(-time.Hour)
			ended := map[string]string{"nmap": "completed"}
			if rng.IntN(3) == 0 {
				ended["nmap"] = "failed"
			}
			first := scannedAt(t, a, w.site, then, nil, someScan(rng, then))
			before := w.all()
			second := scannedAt(t, a, w.site, then.Add(time.Minute), ended, someScan(rng, then.Add(time.Minute)))
			after := w.all()
			want := map[string][]int64{}
			seenBefore, seenAfter := then.Format(time.RFC3339), then.Add(time.Minute).Format(time.RFC3339)
			for id, state := range after {
				was, there := before[id]
				there = there && was == "open "+seenBefore
				switch {
				case state == "open "+seenAfter && there:
					want["unchanged"] = append(want["unchanged"], id)
				case state == "open "+seenAfter:
					want["new"] = append(want["new"], id)
				case state == "fixed "+seenBefore:
					want["fixed"] = append(want["fixed"], id)
				case state == "open "+seenBefore:
					want["not_looked"] = append(want["not_looked"], id)
				}
			}
			for what := range want {
				slices.Sort(want[what])
				total[what] += len(want[what])
			}
			got := w.lists(request.Compare{Scan: second, With: first})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("seed %d (-life cycle +comparison):\n%s", seed, diff)
			}
			if diff := cmp.Diff(got, w.lists(request.Compare{Scan: first, With: second})); diff != "" {
				t.Errorf("it matters which is named first:\n%s", diff)
			}
			if diff := cmp.Diff(got, w.lists(request.Compare{Scan: second})); diff != "" {
				t.Errorf("the one before is not found:\n%s", diff)
			}
		}
		for _, what := range []string{"new", "fixed", "unchanged", "not_looked"} {
			if total[what] < 10 {
				t.Errorf("only %d are %s: the test is too tame", total[what], what)
			}
		}
	})
}

func TestComparingWhatCannotBeCompared(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		ctx := context.Background()
		mine, other := furnish(t, a, "mine"), furnish(t, a, "other")
		doc, err := a.Compare(ctx, request.Compare{Scan: mine.scan})
		if err != nil || doc.With != nil || doc.Counts != nil || len(doc.Findings) != 0 {
			t.Errorf("a first scan: %+v %v", doc, err)
		}
		for _, req := range []request.Compare{{Scan: mine.scan, With: mine.scan}, {Scan: mine.scan, With: other.scan}, {Scan: mine.scan, What: "old"},
			{Scan: mine.scan, With: mine.imported, Cursor: "x"}} {
			if _, err := a.Compare(ctx, req); fault.KindOf(err) != fault.KindInvalid {
				t.Errorf("%+v: %v", req, err)
			}
		}
		for _, req := range []request.Compare{{Scan: 4242}, {Scan: mine.scan, With: 4242}} {
			if _, err := a.Compare(ctx, req); fault.KindOf(err) != fault.KindNotFound {
				t.Errorf("%+v: %v", req, err)
			}
		}
	})
}

// What somebody set aside is not counted, as in every list.
func TestComparingLeavesOutWhatWasSetAside(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		w := comparing{a, t, "default"}
		at := a.now().UTC().Truncate(time.Second).Add(-time.Hour)
		weak := func(at time.Time, checks ...string) func(func(string, finding.Event)) {
			return func(say func(string, finding.Event)) {
				say("native", finding.Event{Host: &finding.HostSeen{Address: address(1), Status: "up", At: at}})
				for _, check := range checks {
					say("native", finding.Event{Observation: &finding.Observation{Address: address(1), Check: check, Title: check, Severity: "high", Confidence: 95, At: at}})
				}
			}
		}
		scannedAt(t, a, w.site, at, nil, weak(at, "native:old"))
		second := scannedAt(t, a, w.site, at.Add(time.Minute), nil, weak(at.Add(time.Minute), "native:a", "native:b"))
		fresh := w.lists(request.Compare{Scan: second})["new"]
		if len(fresh) != 2 {
			t.Fatalf("%v are new", fresh)
		}
		if _, err := a.Triage(context.Background(), TriageRequest{IDs: fresh[:1], State: "false_positive", Reason: "x"}); err != nil {
			t.Fatal(err)
		}
		if left := w.lists(request.Compare{Scan: second})["new"]; !slices.Equal(left, fresh[1:]) {
			t.Errorf("%v are new, want %v", left, fresh[1:])
		}
	})
}

// What the catalogue took back was never there: it is neither fixed nor waits to be looked for.
func TestComparingLeavesOutWhatTheCatalogueTookBack(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		ctx := context.Background()
		w := comparing{a, t, "default"}
		at := a.now().UTC().Truncate(time.Second).Add(-time.Hour)
		seen := func(at time.Time, weak bool) func(func(string, finding.Event)) {
			return func(say func(string, finding.Event)) {
				say("native", finding.Event{Host: &finding.HostSeen{Address: address(1), Status: "up", At: at}})
				for _, check := range []string{"native:a", "native:b"} {
					if weak {
						say("native", finding.Event{Observation: &finding.Observation{Address: address(1), Protocol: "tcp", Port: 22, Check: check, Title: check,
							Severity: "high", Confidence: 95, At: at}})
					}
				}
				say("native", finding.Event{Service: &finding.ServiceSeen{Address: address(1), Protocol: "tcp", Port: 22, Name: "x", At: at}})
				say("native", finding.Event{Coverage: &finding.Coverage{Sensor: "native", Address: address(1), Protocol: "tcp",
					Ports: []finding.PortRange{{First: 22, Last: 22}}, Checks: []string{"native:a", "native:b"}, At: at}})
			}
		}
		scannedAt(t, a, w.site, at, nil, seen(at, true))
		second := scannedAt(t, a, w.site, at.Add(time.Minute), nil, seen(at.Add(time.Minute), false))
		fixed := w.lists(request.Compare{Scan: second})["fixed"]
		if len(fixed) != 2 {
			t.Fatalf("%v are fixed", fixed)
		}
		if err := a.store.Estate().Update(ctx, func(tx *store.EstateTx) error {
			found, err := tx.FindingsByID(ctx, fixed[:1])
			if err != nil {
				return err
			}
			found[0].Withdrawn, found[0].State, found[0].Closing = at, finding.Closed, finding.Withdrawn
			return tx.SaveFinding(ctx, found[0], nil)
		}); err != nil {
			t.Fatal(err)
		}
		if left := w.lists(request.Compare{Scan: second}); len(left) != 1 || !slices.Equal(left["fixed"], fixed[1:]) {
			t.Errorf("%v, want %v to be fixed", left, fixed[1:])
		}
	})
}
