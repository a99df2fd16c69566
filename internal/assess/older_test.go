package assess_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

// forget makes all scans so far older than the records of what each of them said.
func (w *world) forget() {
	w.t.Helper()
	hosts, err := w.e.Hosts(context.Background(), auth.Everything(), store.HostFilter{})
	if err != nil {
		w.t.Fatal(err)
	}
	w.update(func(ctx context.Context, tx *store.EstateTx) error {
		for _, h := range hosts {
			known, err := tx.Sightings(ctx, []int64{h.ID})
			if err != nil {
				return err
			}
			for _, s := range known[h.ID] {
				if err := tx.DropSighting(ctx, s); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// scanBoth looks at two hosts that greet alike.
func (w *world) scanBoth() {
	w.t.Helper()
	var events []finding.Event
	for _, host := range []string{"10.0.0.1", "10.0.0.2"} {
		events = append(events, at(up(), host), at(ssh("7.2p2"), host), finding.Event{Coverage: &finding.Coverage{Sensor: "native",
			Address: netip.MustParseAddr(host), Protocol: "tcp", Ports: []finding.PortRange{{First: 1, Last: 100}}}})
	}
	w.scan("native", events...)
}

func TestOverOlderScansNothingIsTakenBackByGuess(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng)
		w.scanBoth()
		w.scanBoth()
		w.forget()
		w.scanBoth()
		before := w.told()
		for _, apply := range []bool{false, true} {
			if _, err := w.a.Undo(ctx, 3, "local:anna", apply); fault.KindOf(err) != fault.KindConflict || !strings.Contains(err.Error(), "scan 1") {
				t.Errorf("undo over older scans: %v", err)
			}
		}
		if _, err := w.a.SplitHost(ctx, w.hostAt("10.0.0.1").ID, "10.0.0.1"); err == nil {
			t.Error("a host of older scans was parted")
		}
		if after := w.told(); strings.Join(before, "\n") != strings.Join(after, "\n") {
			t.Errorf("it was changed:\n%s", strings.Join(after, "\n"))
		}
	})
}

func TestHostsOfOlderScansAreJoinedWhole(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng)
		w.scanBoth()
		w.scanBoth()
		w.forget()
		w.scanBoth()
		if err := w.a.MergeHosts(ctx, w.hostAt("10.0.0.1").ID, w.hostAt("10.0.0.2").ID); err != nil {
			t.Fatal(err)
		}
		if f := w.finding("CVE-2016-10009"); f.State != finding.Open || len(f.Evidence) != 1 || f.Evidence[0].FirstScan != 1 || f.Evidence[0].LastScan != 3 {
			t.Errorf("%s %+v", f.State, f.Evidence)
		}
		w.scanBoth()
		if hosts, err := w.e.Hosts(ctx, auth.Everything(), store.HostFilter{}); err != nil || len(hosts) != 1 {
			t.Errorf("%d hosts, %v", len(hosts), err)
		}
	})
}
