package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

// counted is what a list of hosts says of one.
type counted struct {
	Findings, KEV int
	Decision      string
	BySeverity    map[string]int
}

// wantHosts counts in the plainest way.
func (w *world) wantHosts(v auth.View) map[int64]counted {
	out := map[int64]counted{}
	for id, h := range w.hosts {
		if v.Sees(h.Site) {
			out[id] = counted{BySeverity: map[string]int{}}
		}
	}
	ranks := []string{"", "track", "plan", "attend", "act"}
	for i := range w.rows {
		r := &w.rows[i]
		c, seen := out[r.HostID]
		if !seen || !r.State.Live() || !r.Confirmed() || r.Triage.Hidden(time.Now()) {
			continue
		}
		c.Findings++
		c.BySeverity[r.Severity]++
		if r.KEV {
			c.KEV++
		}
		c.Decision = ranks[max(slices.Index(ranks, c.Decision), slices.Index(ranks, r.Decision))]
		out[r.HostID] = c
	}
	return out
}

// checkHosts asks for every page of every order and compares with the plain reader.
func (w *world) checkHosts(v auth.View) {
	w.t.Helper()
	for _, by := range []finding.SortField{"", finding.ByRank, finding.ByHost, finding.ByLastSeen} {
		want := w.wantHosts(v)
		n := len(want)
		q := store.HostQuery{Sort: by, Limit: 7}
		for {
			page, total, err := w.e.HostStandings(context.Background(), v, q)
			if err != nil || total != n {
				w.t.Fatalf("by %q: %d hosts, want %d (%v)", by, total, n, err)
			}
			for _, h := range page {
				if diff := cmp.Diff(want[h.ID], counted{h.Findings, h.KEV, h.Decision, h.BySeverity}); diff != "" {
					w.t.Fatalf("host %d by %q (-want +got):\n%s", h.ID, by, diff)
				}
				delete(want, h.ID)
			}
			if len(page) < q.Limit {
				break
			}
			q.After = page[len(page)-1].Place
		}
		if len(want) > 0 {
			w.t.Fatalf("by %q: %d hosts were passed over", by, len(want))
		}
	}
}

// everyInventory is all that the inventories answer to somebody.
func everyInventory(t *testing.T, e *store.Estate, v auth.View) (out []string) {
	t.Helper()
	for _, q := range []store.InventoryQuery{{}, {Text: "ssh"}, {Port: 443}, {Product: "nginx"}, {Site: "dmz"}} {
		services, n, err := e.ServiceInventory(context.Background(), v, q)
		if err != nil || n != len(services) {
			t.Fatalf("%+v: %d of %d: %v", q, len(services), n, err)
		}
		software, n, err := e.SoftwareInventory(context.Background(), v, q)
		if err != nil || n != len(software) {
			t.Fatalf("%+v: %d of %d: %v", q, len(software), n, err)
		}
		for _, r := range slices.Concat(services, software) {
			out = append(out, fmt.Sprintf("%+v: %+v", q, r))
		}
	}
	return out
}

// What is kept of hosts follows every change, as if it were read anew, and never tells of what somebody may not see.
func TestHostsAndInventoriesAreWhatIsStored(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		s := eng.Open(t)
		w := newWorld(t, s.Estate(), 11, 60, 12)
		views := []auth.View{auth.Everything(), auth.OfSites("dmz"), auth.OfSites("branch", "default"), auth.OfSites()}
		for round := range 6 {
			for _, v := range views {
				w.checkHosts(v)
				kept := everyInventory(t, w.e, v)
				store.ForgetInventory(s)
				if diff := cmp.Diff(everyInventory(t, w.e, v), kept); diff != "" {
					t.Fatalf("round %d (-read anew +kept):\n%s", round, diff)
				}
			}
			w.change()
			w.changeHosts(round)
			w.reread()
		}
	})
}

// changeHosts joins, removes and moves.
func (w *world) changeHosts(round int) {
	ctx := context.Background()
	ids := make([]int64, 0, len(w.hosts))
	for id := range w.hosts {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	gone, other := ids[round], ids[round+20]
	update(w.t, w.e, func(ctx context.Context, tx *store.EstateTx) error {
		if err := tx.AddLook(ctx, other, finding.Look{Sensor: "nmap", Scan: 1, At: day1, Protocol: "tcp"}); err != nil {
			return err
		}
		return tx.MoveHost(ctx, gone, other)
	})
	update(w.t, w.e, func(ctx context.Context, tx *store.EstateTx) error { return tx.DeleteHost(ctx, gone) })
	services, err := w.e.Services(ctx, auth.Everything(), []int64{other})
	if err != nil {
		w.t.Fatal(err)
	}
	update(w.t, w.e, func(ctx context.Context, tx *store.EstateTx) error {
		for _, s := range services { // seen by one who then looked and saw nothing
			s.Hear(asset.Said{Sensor: "nmap", Scan: 1, At: day1, Product: "gone soon"})
			if err := tx.SaveService(ctx, s); err != nil {
				return err
			}
		}
		return tx.AddLook(ctx, other, finding.Look{Sensor: "nmap", Scan: 2, At: day1.Add(time.Hour), Protocol: "tcp", Ports: []finding.PortRange{{First: 1, Last: 443}}})
	})
}

// Products, versions and packages that are not written alike are not the same, however alike they look.
func TestInventoryMergesNothingThatDiffers(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		e := eng.Open(t).Estate()
		different := []asset.Service{
			{Name: "http", Product: "nginx", Version: "1.18.0", Protocol: "tcp", Port: 80},
			{Name: "http", Product: "Nginx", Version: "1.18.0", Protocol: "tcp", Port: 81},
			{Name: "http", Product: "nginx", Version: "1.18", Protocol: "tcp", Port: 82},
			{Name: "http", Product: "nginx", Version: "", Protocol: "tcp", Port: 83},
			{Name: "http", Product: "", Version: "", Protocol: "tcp", Port: 84},
			{Name: "https", Product: "nginx", Version: "1.18.0", Protocol: "tcp", Port: 85},
			{Name: "http", Product: "nginx", Version: "1.18.0", Protocol: "udp", Port: 86},
			{Name: "http", Product: "nginx 1.18.0", Version: "", Protocol: "tcp", Port: 87},
		}
		components := []string{"openssl@1.1.1", "openssl@1.1.1k", "OpenSSL@1.1.1", "openssl", "@scope/openssl@1.1.1", "@scope/openssl", "openssl@"}
		for _, address := range []string{"10.0.0.1", "10.0.0.2"} {
			update(t, e, func(ctx context.Context, tx *store.EstateTx) error {
				h := oneHost(address)
				if err := tx.SaveHost(ctx, h); err != nil {
					return err
				}
				for _, s := range different {
					s.HostID = h.ID
					if err := tx.SaveService(ctx, &s); err != nil {
						return err
					}
				}
				again := asset.Service{HostID: h.ID, Name: "http", Product: "nginx", Version: "1.18.0", Protocol: "tcp", Port: 8080}
				if err := tx.SaveService(ctx, &again); err != nil {
					return err
				}
				for i, c := range components {
					f := &finding.Finding{Fingerprint: finding.Fingerprint{Site: h.Site, HostID: h.ID, Component: c, Weakness: finding.Weakness(fmt.Sprint("CVE-2024-100", i))}}
					f.State, f.Status, f.Confidence, f.Decision, f.KEV = finding.Open, finding.Affected, 97, "act", i == 0
					if err := tx.SaveFinding(ctx, f, nil); err != nil {
						return err
					}
				}
				return nil
			})
		}
		services, n, err := e.ServiceInventory(ctx, auth.Everything(), store.InventoryQuery{})
		if err != nil || n != len(different) {
			t.Fatalf("%d rows, want %d: %+v (%v)", n, len(different), services, err)
		}
		for _, r := range services {
			if r.Place.Hosts != 2 {
				t.Errorf("%+v is on %d hosts, want 2", r, r.Place.Hosts)
			}
			if r.Product() == "nginx" && r.Version() == "1.18.0" && r.Service() == "http" && r.Protocol() == "tcp" && !slices.Equal(r.Ports, []uint16{80, 8080}) {
				t.Errorf("it answers at %v", r.Ports)
			}
		}
		software, n, err := e.SoftwareInventory(ctx, auth.Everything(), store.InventoryQuery{})
		if err != nil || n != len(components) {
			t.Fatalf("%d rows, want %d: %+v (%v)", n, len(components), software, err)
		}
		if first := software[0]; first.Product() != "openssl" || first.Version() != "1.1.1" || first.Place.KEV != 2 || first.Place.Hosts != 2 || first.Decision != "act" {
			t.Errorf("%+v", first)
		}
		for _, r := range software {
			if strings.HasPrefix(r.Product(), "@scope") && r.Product() != "@scope/openssl" {
				t.Errorf("%+v", r)
			}
		}
	})
}

// Pages of an inventory hold every row once, whatever their length.
func TestInventoryPages(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		w := newWorld(t, eng.Open(t).Estate(), 13, 40, 20)
		for name, read := range map[string]func(context.Context, auth.View, store.InventoryQuery) ([]store.InventoryRow, int, error){
			"services": w.e.ServiceInventory, "software": w.e.SoftwareInventory,
		} {
			all, _, err := read(context.Background(), auth.Everything(), store.InventoryQuery{})
			if err != nil || len(all) < 2 {
				t.Fatal(len(all), err)
			}
			for limit := 1; limit <= len(all)+1; limit++ {
				var got []store.InventoryRow
				for q := (store.InventoryQuery{Limit: limit}); ; q.After = got[len(got)-1].Place {
					page, total, err := read(context.Background(), auth.Everything(), q)
					if err != nil || total != len(all) {
						t.Fatal(total, err)
					}
					if got = append(got, page...); len(page) < limit {
						break
					}
				}
				if diff := cmp.Diff(all, got); diff != "" {
					t.Fatalf("%s by %d (-all +pages):\n%s", name, limit, diff)
				}
			}
		}
	})
}
