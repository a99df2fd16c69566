package assess_test

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

func (w *world) hostAt(address string) *asset.Host {
	w.t.Helper()
	hosts, err := w.e.Hosts(context.Background(), auth.Everything(), store.HostFilter{})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, h := range hosts {
		for _, a := range h.Addresses() {
			if a.String() == address {
				return h
			}
		}
	}
	w.t.Fatalf("no host at %s", address)
	return nil
}

func at(e finding.Event, address string) finding.Event {
	a := netip.MustParseAddr(address)
	switch {
	case e.Host != nil:
		h := *e.Host
		h.Address, e.Host = a, &h
	case e.Service != nil:
		s := *e.Service
		s.Address, e.Service = a, &s
	}
	return e
}

func TestJoinedHostsAreOneWithAllThatWasKnownOfBoth(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng)
		w.scan("native", at(up(), "10.0.0.1"), at(ssh("7.2p2"), "10.0.0.1"))
		w.scan("nmap", at(up(), "10.0.0.2"), at(ssh("7.2p2"), "10.0.0.2"), at(httpd("2.4.49"), "10.0.0.2"))
		one, two := w.hostAt("10.0.0.1"), w.hostAt("10.0.0.2")
		var other finding.Listed
		if err := w.e.EachFinding(ctx, auth.Everything(), finding.Filter{HostID: two.ID, Weakness: "CVE-2016-10009"}, func(l finding.Listed) error { other = l; return nil }); err != nil {
			t.Fatal(err)
		}
		if err := w.e.Triage(ctx, other.ID, finding.Triage{State: finding.Accepted, By: "local:anna", At: w.now}); err != nil {
			t.Fatal(err)
		}
		if err := w.a.MergeHosts(ctx, one.ID, two.ID); err != nil {
			t.Fatal(err)
		}
		if hosts, err := w.e.Hosts(ctx, auth.Everything(), store.HostFilter{}); err != nil || len(hosts) != 1 || len(hosts[0].Addresses()) != 2 {
			t.Fatalf("%d hosts, %v", len(hosts), err)
		}
		f := w.finding("CVE-2016-10009")
		if len(f.Evidence) != 2 || f.Triage.State != finding.Accepted || f.HostID != one.ID {
			t.Errorf("the joined finding: %+v", f.Finding)
		}
		if old, err := w.e.Finding(ctx, auth.Everything(), other.ID); err != nil || old.ID != f.ID {
			t.Errorf("the old number leads to %d, %v", old.ID, err)
		}
		if old, err := w.e.Host(ctx, auth.Everything(), two.ID); err != nil || old.ID != one.ID {
			t.Errorf("the old host leads to %v, %v", old, err)
		}
		w.scan("native", at(up(), "10.0.0.2"), at(ssh("7.2p2"), "10.0.0.2"))
		if hosts, err := w.e.Hosts(ctx, auth.Everything(), store.HostFilter{}); err != nil || len(hosts) != 1 {
			t.Errorf("a new scan made a host of its own: %d, %v", len(hosts), err)
		}
	})
}

func TestPartedHostsAreAsIfTheyHadNeverBeenJoined(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		rounds := uint64(20)
		if testing.Short() {
			rounds = 3
		}
		for seed := range rounds {
			rng := rand.New(rand.NewPCG(seed, 8))
			w := newWorld(t, fresh(t, eng))
			for i := range 8 {
				sensor, events := reportOf(rng)
				w.scanAt(time.Date(2026, 10, 1+rng.IntN(9), 9, i, 0, 0, time.UTC), sensor, assess.End{}, events...)
			}
			hosts, err := w.e.Hosts(context.Background(), auth.Everything(), store.HostFilter{})
			if err != nil {
				t.Fatal(err)
			}
			if len(hosts) < 2 {
				continue
			}
			before := w.told()
			one, two := w.hostAt("10.0.0.1"), w.hostAt("10.0.0.2")
			if err := w.a.MergeHosts(context.Background(), one.ID, two.ID); err != nil {
				t.Fatal(err)
			}
			if _, err := w.a.SplitHost(context.Background(), one.ID, "10.0.0.2"); err != nil {
				t.Fatal(err)
			}
			byText := cmpopts.SortSlices(func(a, b string) bool { return a < b })
			if diff := cmp.Diff(before, w.told(), byText); diff != "" {
				t.Fatalf("seed %d: -before +joined and parted\n%s", seed, diff)
			}
		}
	})
}

func TestHostsThatCannotBeJoinedOrPartedStay(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng)
		w.scan("native", up(), ssh("7.2p2"))
		h := w.hostAt("10.0.0.1")
		if err := w.a.MergeHosts(ctx, h.ID, h.ID); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("with itself: %v", err)
		}
		if err := w.a.MergeHosts(ctx, h.ID, 999); fault.KindOf(err) != fault.KindNotFound {
			t.Errorf("with nobody: %v", err)
		}
		if _, err := w.a.SplitHost(ctx, h.ID, "10.0.0.1"); fault.KindOf(err) != fault.KindConflict {
			t.Errorf("off its only address: %v", err)
		}
		if _, err := w.a.SplitHost(ctx, h.ID, "10.0.0.9"); fault.KindOf(err) != fault.KindNotFound {
			t.Errorf("off another's address: %v", err)
		}
	})
}

func TestRemergeJoinsWhatTheRulesOfTodayCallOne(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng)
		check := func(sensor, id string) finding.Event {
			return finding.Event{Observation: &finding.Observation{Address: addr, Protocol: "tcp", Port: 443, Check: id, Title: "self-signed", Severity: "medium", Confidence: 90}}
		}
		w.scan("nessus", up(), check("nessus", "nessus:57582"))
		w.scan("openvas", up(), check("openvas", "openvas:1.3.6.1.4.1.25623.1.0.103140"))
		shared := w.findings()
		if len(shared) != 1 {
			t.Fatalf("two checks of one weakness are %d findings", len(shared))
		}
		if done, err := w.a.Remerge(ctx, false); err != nil || done.Joined+done.Parted+done.Renamed+done.Rated != 0 || done.Findings != 1 {
			t.Fatalf("what was just merged would change: %+v, %v", done, err)
		}
		// As an older version kept them: each by its own name.
		w.separate("nessus:57582", "openvas:1.3.6.1.4.1.25623.1.0.103140")
		if n := len(w.findings()); n != 2 {
			t.Fatalf("%d findings before", n)
		}
		preview, err := w.a.Remerge(ctx, false)
		if err != nil || preview.Joined != 1 || preview.Renamed != 1 || len(preview.Changes) == 0 || len(w.findings()) != 2 {
			t.Fatalf("preview %+v, %v; %d findings", preview, err, len(w.findings()))
		}
		done, err := w.a.Remerge(ctx, true)
		if err != nil || done.Joined != 1 {
			t.Fatalf("%+v, %v", done, err)
		}
		for name := range w.findings() {
			if f := w.finding(name); len(f.Evidence) != 2 || !strings.HasPrefix(name, "same:") || f.Confidence != 99 {
				t.Errorf("%s: %d pieces of evidence, %d%%", name, len(f.Evidence), f.Confidence)
			}
		}
		if again, err := w.a.Remerge(ctx, true); err != nil || again.Joined+again.Renamed+again.Rated != 0 {
			t.Errorf("a second time: %+v, %v", again, err)
		}
	})
}

// separate gives each check of the one finding a finding of its own.
func (w *world) separate(checks ...string) {
	w.t.Helper()
	ctx := context.Background()
	var one finding.Listed
	for name := range w.findings() {
		one = w.finding(name)
	}
	if err := w.e.Update(ctx, func(tx *store.EstateTx) error {
		if err := tx.DeleteFindings(ctx, []int64{one.ID}); err != nil {
			return err
		}
		for _, check := range checks {
			f := finding.Finding{Fingerprint: one.Fingerprint}
			f.Weakness = finding.Weakness(check)
			for _, e := range one.Evidence {
				if e.Check == check {
					e.ID = 0
					f.Evidence = append(f.Evidence, e)
				}
			}
			f.Derive()
			f.Life = finding.Fold(&f, nil)
			f.Rating = one.Rating
			if err := tx.SaveFinding(ctx, &f, nil); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
}

// looked is a look of nessus under one policy that sees some of its checks.
func looked(checks ...string) []finding.Event {
	events := []finding.Event{up(), {Coverage: &finding.Coverage{Sensor: "nessus", Address: addr, Policy: "weekly"}}}
	for _, id := range checks {
		events = append(events, finding.Event{Observation: &finding.Observation{Address: addr, Protocol: "tcp", Port: 443, Check: id, Title: "weak",
			Severity: "medium", Confidence: 90, Policy: "weekly"}})
	}
	return events
}

// A finding that two checks shared by older rules is two by now; what each scan saw must follow, or taking another scan
// back would close what scans in between had seen.
func TestWhatScansSawFollowsFindingsThatArePartedLater(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng)
		w.scan("nessus", looked("nessus:1", "nessus:2")...)
		second := w.scan("nessus", looked("nessus:1", "nessus:2")...)
		last := w.scan("nessus", looked("nessus:1", "nessus:2")...)
		w.unite("nessus:1", "nessus:2")
		if done, err := w.a.Remerge(ctx, true); err != nil || done.Parted != 1 || done.Renamed != 0 {
			t.Fatalf("%+v, %v", done, err)
		}
		if n, err := w.e.CountScanFindings(ctx, second.Scan.ID); err != nil || n != 2 {
			t.Errorf("the second scan saw %d findings, %v", n, err)
		}
		if _, err := w.a.Undo(ctx, last.Scan.ID, "local:anna", true); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"nessus:1", "nessus:2"} {
			if f := w.finding(name); !f.State.Live() || len(f.Evidence) != 1 || !f.LastSeen.Equal(w.now.AddDate(0, 0, -1)) {
				t.Errorf("%s is %s, last seen %s, %d pieces of evidence", name, f.State, f.LastSeen, len(f.Evidence))
			}
		}
	})
}

// unite puts all that is known of other into one, as rules did that called the two checks one weakness.
func (w *world) unite(one, other string) {
	w.t.Helper()
	ctx := context.Background()
	into, from := w.finding(one), w.finding(other)
	if err := w.e.Update(ctx, func(tx *store.EstateTx) error {
		if err := tx.DeleteFindings(ctx, []int64{from.ID}); err != nil {
			return err
		}
		for _, e := range from.Evidence {
			e.ID = 0
			into.Evidence = append(into.Evidence, e)
		}
		reports, err := tx.Sightings(ctx, []int64{into.HostID})
		if err != nil {
			return err
		}
		for _, r := range reports[into.HostID] {
			for i := range r.Seen {
				r.Seen[i].Finding = into.ID
			}
			if err := tx.AddSighting(ctx, r); err != nil {
				return err
			}
		}
		return tx.SaveFinding(ctx, &into.Finding, nil)
	}); err != nil {
		w.t.Fatal(err)
	}
}

func TestBothHalvesOfAPartedHostKeepTheLooksOfReportsOnBoth(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng)
		both := func(checks ...string) (events []finding.Event) {
			for _, e := range looked(checks...) {
				for _, address := range []string{"10.0.0.1", "10.0.0.2"} {
					events = append(events, placed(e, address))
				}
			}
			return events
		}
		w.scan("nessus", both("nessus:1")...)
		w.scan("nessus", both()...)
		one, two := w.hostAt("10.0.0.1"), w.hostAt("10.0.0.2")
		if err := w.a.MergeHosts(ctx, one.ID, two.ID); err != nil {
			t.Fatal(err)
		}
		w.scan("nessus", both("nessus:1")...)
		w.scan("nessus", both()...)
		if _, err := w.a.SplitHost(ctx, one.ID, "10.0.0.2"); err != nil {
			t.Fatal(err)
		}
		w.scan("nmap", at(up(), "10.0.0.1"), at(up(), "10.0.0.2"))
		n := 0
		if err := w.e.EachFinding(ctx, auth.Everything(), finding.Filter{ShowHidden: true}, func(l finding.Listed) error {
			n++
			if l.State != finding.Fixed {
				t.Errorf("at %s it is %s", l.HostAddress, l.State)
			}
			return nil
		}); err != nil || n != 2 {
			t.Errorf("%d findings, %v", n, err)
		}
	})
}

// placed is at for observations and coverage too.
func placed(e finding.Event, address string) finding.Event {
	a := netip.MustParseAddr(address)
	switch {
	case e.Observation != nil:
		o := *e.Observation
		o.Address, e.Observation = a, &o
	case e.Coverage != nil:
		c := *e.Coverage
		c.Address, e.Coverage = a, &c
	}
	return at(e, address)
}

// closedByPerson fails unless every finding is closed by a person's word.
func (w *world) closedByPerson(n int) {
	w.t.Helper()
	if err := w.e.EachFinding(context.Background(), auth.Everything(), finding.Filter{ShowHidden: true}, func(l finding.Listed) error {
		n--
		if l.State != finding.Closed || l.Closing != finding.ByPerson {
			w.t.Errorf("%s at %s is %s %s", l.Weakness, l.HostAddress, l.State, l.Closing)
		}
		return nil
	}); err != nil || n != 0 {
		w.t.Errorf("%d findings are missing, %v", n, err)
	}
}

func (w *world) closeAll() {
	w.t.Helper()
	w.now = w.now.Add(time.Hour)
	by := map[int64][]int64{}
	for _, f := range w.findings() {
		by[f.HostID] = append(by[f.HostID], f.ID)
	}
	if _, err := w.a.CloseFindings(context.Background(), by, finding.Decree{At: w.now, Reason: finding.ByPerson, By: "local:anna"}); err != nil {
		w.t.Fatal(err)
	}
}

func TestWhatAPersonClosedStaysClosedWhenHostsArePartedOrJoined(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng)
		w.scan("nmap", at(up(), "10.0.0.1"), at(up(), "10.0.0.2"))
		one, two := w.hostAt("10.0.0.1"), w.hostAt("10.0.0.2")
		if err := w.a.MergeHosts(ctx, one.ID, two.ID); err != nil {
			t.Fatal(err)
		}
		for _, address := range []string{"10.0.0.1", "10.0.0.2"} {
			w.scan("native", at(up(), address), at(ssh("7.2p2"), address))
		}
		w.closeAll()
		w.closedByPerson(1)
		split, err := w.a.SplitHost(ctx, one.ID, "10.0.0.2")
		if err != nil {
			t.Fatal(err)
		}
		w.closedByPerson(2)
		if err := w.a.MergeHosts(ctx, one.ID, split); err != nil {
			t.Fatal(err)
		}
		w.closedByPerson(1)
	})
}

func TestWhatAPersonClosedOnOneHostStaysClosedOnTheJoined(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng)
		w.scan("native", at(up(), "10.0.0.2"), at(ssh("7.2p2"), "10.0.0.2"))
		w.closeAll()
		w.scanAt(w.now.AddDate(0, 0, -2), "native", assess.End{}, at(up(), "10.0.0.1"), at(ssh("7.2p2"), "10.0.0.1"))
		if err := w.a.MergeHosts(ctx, w.hostAt("10.0.0.1").ID, w.hostAt("10.0.0.2").ID); err != nil {
			t.Fatal(err)
		}
		w.closedByPerson(1)
	})
}

func TestWhatAPersonClosedStaysClosedWhenRemergePartsIt(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		w := newWorld(t, eng)
		w.scan("nessus", looked("nessus:1", "nessus:2")...)
		w.unite("nessus:1", "nessus:2")
		w.closeAll()
		if done, err := w.a.Remerge(context.Background(), true); err != nil || done.Parted != 1 {
			t.Fatalf("%+v, %v", done, err)
		}
		w.closedByPerson(2)
	})
}
