package store_test

import (
	"context"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

func edgeOf(format string, id int64) attackpath.EdgeKey {
	return attackpath.EdgeKey(fmt.Sprintf(format, id))
}

// pathEstate is a jewel behind a host that the internet reaches, and a scan that saw the latter only.
type pathEstate struct {
	e               *store.Estate
	front, jewel    int64
	scan            int64
	onFront         []int64 // two of a kind, and one that was fixed
	onJewel, hidden int64
}

func newPathEstate(t *testing.T, e *store.Estate) *pathEstate {
	t.Helper()
	ctx := context.Background()
	p := &pathEstate{e: e}
	if _, _, err := e.CreateSite(ctx, asset.Site{Name: "edge", External: true}); err != nil {
		t.Fatal(err)
	}
	var err error
	if p.scan, err = e.CreateScan(ctx, finding.Scan{Kind: finding.KindScan, Site: "edge", Targets: []string{"10.0.0.1"}, Status: finding.Completed, Created: day1}); err != nil {
		t.Fatal(err)
	}
	update(t, e, func(ctx context.Context, tx *store.EstateTx) error {
		front, jewel := oneHost("10.0.0.1"), oneHost("10.0.0.2")
		front.Site, jewel.Tags, jewel.Criticality = "edge", []string{"Jewel", "pci"}, "critical"
		for _, h := range []*asset.Host{front, jewel} {
			if err := tx.SaveHost(ctx, h); err != nil {
				return err
			}
			for _, s := range []asset.Service{{Port: 22, Said: []asset.Said{{Sensor: "native", Scan: 3, At: day1, Name: "ssh", Banner: `"scan":9,"at":"2099-01-01T00:00:00Z"`}, {Sensor: "nmap", Scan: p.scan + 6, At: day1.Add(time.Hour), Name: "ssh"}}},
				{Port: 80, Said: []asset.Said{{Sensor: "nmap", Scan: p.scan, At: day1.Add(-time.Hour), Name: "http"}}}} {
				s.HostID, s.Protocol = h.ID, "tcp"
				s.Choose()
				if err := tx.SaveService(ctx, &s); err != nil {
					return err
				}
			}
		}
		p.front, p.jewel = front.ID, jewel.ID
		// nmap looked at all ports of the first one again and found nothing but SSH
		if err := tx.AddLook(ctx, front.ID, finding.Look{Sensor: "nmap", Scan: p.scan + 6, At: day1.Add(2 * time.Hour), Protocol: "tcp",
			Ports: []finding.PortRange{{First: 1, Last: 65535}}, Open: []finding.PortRange{{First: 22, Last: 22}}}); err != nil {
			return err
		}
		if err := tx.AddScanHost(ctx, p.scan, finding.ScanHost{Address: "10.0.0.1", HostID: front.ID, Status: "up"}); err != nil {
			return err
		}
		save := func(host int64, port uint16, vary func(*finding.Finding)) int64 {
			f := oneFinding(host, port, "CVE-2016-10009", "1")
			f.Evidence[0].FirstScan, f.Evidence[0].LastScan = 5, 5
			f.Remedy, f.CWEs, f.CVSSVector, f.Title = "Upgrade OpenSSH", []int{78}, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "OpenSSH before 7.4"
			vary(f)
			if err := tx.SaveFinding(ctx, f, nil); err != nil {
				t.Fatal(err)
			}
			return f.ID
		}
		same := func(*finding.Finding) {}
		p.onFront = []int64{save(front.ID, 22, same), save(front.ID, 80, func(f *finding.Finding) { f.Evidence[0].FirstScan, f.Evidence[0].LastScan = p.scan, p.scan }),
			save(front.ID, 81, func(f *finding.Finding) { f.State = finding.Fixed })}
		p.onJewel = save(jewel.ID, 22, func(f *finding.Finding) { f.KEV = false })
		save(jewel.ID, 80, func(f *finding.Finding) { f.Confidence = 30 })
		save(jewel.ID, 81, func(f *finding.Finding) { f.Kind = finding.KindCompliance })
		p.hidden = save(jewel.ID, 82, func(f *finding.Finding) { f.Triage.State = finding.FalsePositive })
		return nil
	})
	return p
}

func TestAttackEstateIsWhatAnAttackerCanUse(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		p := newPathEstate(t, eng.Open(t).Estate())
		a, err := p.e.AttackEstate(ctx, auth.Everything(), 0)
		if err != nil || len(a.Hosts) != 2 || len(a.Of) != 2 {
			t.Fatalf("%+v, %v", a, err)
		}
		if generation, err := p.e.Generation(ctx); err != nil || generation != a.Generation {
			t.Errorf("generation %d of %d, %v", a.Generation, generation, err)
		}
		same(t, []attackpath.Site{{Name: "default"}, {Name: "edge", External: true}}, a.Sites)
		front := attackpath.Host{ID: p.front, Site: "edge", Name: "10.0.0.1", Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.1")}, OS: "Debian 12",
			CPEs: []string{"cpe:2.3:o:debian:debian_linux:12:*:*:*:*:*:*:*"}, Exposed: true, ExposedWhy: "answered a scan from an external site", ExposedSure: true,
			Services: []attackpath.Service{{Protocol: "tcp", Port: 22, Name: "ssh", Scan: p.scan + 6}}, // HTTP is not there any more
			Flaws: []attackpath.Flaw{{Finding: p.onFront[0], Weakness: "CVE-2016-10009", Protocol: "tcp", Port: 22, Title: "OpenSSH before 7.4", Remedy: "Upgrade OpenSSH", Scanner: "native"},
				{Finding: p.onFront[1], Weakness: "CVE-2016-10009", Protocol: "tcp", Port: 80, Title: "OpenSSH before 7.4", Remedy: "Upgrade OpenSSH", Scanner: "native"}}}
		same(t, front, a.Hosts[0])
		jewel := a.Hosts[1]
		if !jewel.Jewel || jewel.Criticality != 5 || jewel.Exposed || jewel.ExposedSure || jewel.ExposedWhy != "no public address" || len(jewel.Services) != 2 || jewel.Services[1].Scan != p.scan ||
			len(jewel.Flaws) != 1 || jewel.Flaws[0].Finding != p.onJewel {
			t.Errorf("%+v", jewel)
		}
		if len(a.Kinds) != 2 || a.Of[0][0] != a.Of[0][1] || a.Of[0][0] == a.Of[1][0] {
			t.Fatalf("%+v %v", a.Kinds, a.Of)
		}
		same(t, store.FlawKind{Weakness: "CVE-2016-10009", CWEs: []int{78}, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Title: "OpenSSH before 7.4", Severity: "high", KEV: true},
			a.Kinds[a.Of[0][0]])

		ofScan, err := p.e.AttackEstate(ctx, auth.Everything(), p.scan)
		if err != nil || len(ofScan.Hosts) != 1 || ofScan.Hosts[0].ID != p.front || len(ofScan.Hosts[0].Flaws) != 1 || ofScan.Hosts[0].Flaws[0].Finding != p.onFront[1] {
			t.Errorf("of the scan: %+v, %v", ofScan.Hosts, err)
		}
		if _, err := p.e.AttackEstate(ctx, auth.Everything(), 99); fault.KindOf(err) != fault.KindNotFound {
			t.Errorf("of no scan: %v", err)
		}
		one, err := p.e.AttackHosts(ctx, auth.Everything(), []int64{p.front, 99, p.front})
		if err != nil || len(one.Sites) != 2 || len(one.Hosts) != 1 {
			t.Fatalf("%+v, %v", one, err)
		}
		same(t, front, one.Hosts[0])
	})
}

func TestAttackHostsAreThoseOfTheWholeEstate(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng.Open(t).Estate(), 9, 120, 40)
		for _, v := range []auth.View{auth.Everything(), auth.OfSites("branch")} {
			for range 2 {
				all, err := w.e.AttackEstate(ctx, v, 0)
				if err != nil {
					t.Fatal(err)
				}
				var ids, flaws []int64
				for i, h := range all.Hosts {
					ids = append(ids, h.ID)
					for n, f := range h.Flaws {
						flaws = append(flaws, f.Finding)
						if k := all.Kinds[all.Of[i][n]]; string(k.Weakness) != f.Weakness || k.Title != f.Title {
							t.Fatalf("%+v is not %+v", f, k)
						}
					}
				}
				want := w.want(finding.Filter{Live: true, Confirmed: true, Kinds: []finding.Kind{finding.KindVulnerability}})
				want = slices.DeleteFunc(want, func(id int64) bool {
					i := slices.IndexFunc(w.rows, func(r reference) bool { return r.ID == id })
					return !v.Sees(w.rows[i].Site)
				})
				slices.Sort(want)
				slices.Sort(flaws)
				if !slices.Equal(flaws, want) {
					t.Fatalf("%d flaws, want %d", len(flaws), len(want))
				}
				some, err := w.e.AttackHosts(ctx, v, ids)
				if err != nil {
					t.Fatal(err)
				}
				same(t, all.Hosts, some.Hosts)
				w.change()
				w.reread()
			}
		}
	})
}

func TestPathPolicyIsKept(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		e := eng.Open(t).Estate()
		if p, err := e.PathPolicy(ctx); err != nil || len(p.Rules) != 0 || !p.At.IsZero() {
			t.Fatalf("%+v, %v", p, err)
		}
		want := attackpath.PolicySet{Rules: []attackpath.PolicyRule{{N: 3, From: attackpath.Zone{Internet: true}, To: attackpath.Zone{Site: "dmz", Network: netip.MustParsePrefix("10.0.0.0/24")},
			Ports: []attackpath.PortRange{{Protocol: "tcp", From: 80, To: 443}}, Allow: true, Note: "ä \"web\""}},
			Same: [][]attackpath.HostRef{{{Site: "a", Host: "10.0.0.1"}, {Site: "b", Host: "gw"}}}, Clients: []netip.Prefix{netip.MustParsePrefix("fd00::/8")},
			Source: "policy.yaml", At: day1, By: "anna"}
		if err := e.SetPathPolicy(ctx, &want); err != nil {
			t.Fatal(err)
		}
		got, err := e.PathPolicy(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v\nwant %+v", got, want)
		}
		if a, err := e.AttackEstate(ctx, auth.Everything(), 0); err != nil || len(a.Policy.Rules) != 1 {
			t.Errorf("%+v, %v", a.Policy, err)
		}
		if err := e.SetPathPolicy(ctx, nil); err != nil {
			t.Fatal(err)
		}
		if p, err := e.PathPolicy(ctx); err != nil || len(p.Rules) != 0 {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

func TestCorrectionsFollowWhatTheyAreAbout(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		p := newPathEstate(t, eng.Open(t).Estate())
		all, edge := auth.Everything(), auth.OfSites("edge")
		correct := func(v auth.View, c attackpath.Correction) (attackpath.Correction, error) {
			c.By, c.At = "anna", day1
			return p.e.Correct(ctx, v, c)
		}
		first, err := correct(edge, attackpath.Correction{Edge: edgeOf("finding:%d", p.onFront[0]), Says: attackpath.SaysChance, P: 0.25, Note: "tried it"})
		if err != nil {
			t.Fatal(err)
		}
		second, err := correct(all, attackpath.Correction{Edge: edgeOf("finding:%d", p.onFront[1]), Says: attackpath.SaysNever})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := correct(all, attackpath.Correction{Edge: edgeOf("reach:default>%d:tcp/443", p.front), Says: attackpath.SaysAlways}); err != nil {
			t.Fatal(err)
		}
		list, err := p.e.PathCorrections(ctx, all)
		if err != nil || len(list) != 3 {
			t.Fatalf("%+v, %v", list, err)
		}
		same(t, attackpath.Correction{ID: first.ID, Edge: edgeOf("finding:%d", p.onFront[0]), Says: attackpath.SaysChance, P: 0.25, Note: "tried it", By: "anna", At: day1}, list[0])
		if list, err := p.e.PathCorrections(ctx, edge); err != nil || len(list) != 2 {
			t.Errorf("of one site, without what another one reaches: %+v, %v", list, err)
		}
		for what, refused := range map[string]attackpath.EdgeKey{"of another site": edgeOf("finding:%d", p.onJewel), "from another site": edgeOf("reach:default>%d:tcp/80", p.front), "of nothing": "finding:999"} {
			if _, err := correct(edge, attackpath.Correction{Edge: refused, Says: attackpath.SaysNever}); fault.KindOf(err) != fault.KindNotFound {
				t.Errorf("%s: %v", what, err)
			}
		}
		for _, refused := range []attackpath.EdgeKey{"", "finding", "finding:", "finding:x", "finding:0", "reach:internet>", "reach:a>b:tcp/1", "login:7"} {
			if _, err := correct(all, attackpath.Correction{Edge: refused, Says: attackpath.SaysNever}); fault.KindOf(err) != fault.KindInvalid {
				t.Errorf("%q: %v", refused, err)
			}
		}

		// A site may have the name that stands for the internet.
		if _, _, err := p.e.CreateSite(ctx, asset.Site{Name: "internet"}); err != nil {
			t.Fatal(err)
		}
		named := attackpath.ReachEdge("internet", p.front, "tcp", 22)
		if _, err := correct(edge, attackpath.Correction{Edge: named, Says: attackpath.SaysNever}); fault.KindOf(err) != fault.KindNotFound {
			t.Errorf("from a site called internet: %v", err)
		}
		if c, err := correct(auth.OfSites("edge", "internet"), attackpath.Correction{Edge: named, Says: attackpath.SaysNever}); err != nil || c.Edge != named {
			t.Errorf("%+v, %v", c, err)
		}

		// The first finding turns out to be the second one, and the newer word counts.
		update(t, p.e, func(ctx context.Context, tx *store.EstateTx) error {
			if err := tx.Redirect(ctx, "finding", p.onFront[0], p.onFront[1], day1); err != nil {
				return err
			}
			return tx.DeleteFindings(ctx, p.onFront[:1])
		})
		if list, err = p.e.PathCorrections(ctx, edge); err != nil || len(list) != 1 || list[0].ID != second.ID || list[0].Says != attackpath.SaysNever {
			t.Fatalf("after the joining: %+v, %v", list, err)
		}
		again, err := correct(all, attackpath.Correction{Edge: edgeOf("finding:%d", p.onFront[0]), Says: attackpath.SaysAlways})
		if err != nil || again.Edge != edgeOf("finding:%d", p.onFront[1]) {
			t.Fatalf("%+v, %v", again, err)
		}
		if _, err := p.e.Uncorrect(ctx, auth.OfSites("default"), again.ID); fault.KindOf(err) != fault.KindNotFound {
			t.Errorf("by who does not see it: %v", err)
		}
		if gone, err := p.e.Uncorrect(ctx, edge, again.ID); err != nil || gone.Says != attackpath.SaysAlways {
			t.Errorf("%+v, %v", gone, err)
		}
		if list, err = p.e.PathCorrections(ctx, edge); err != nil || len(list) != 0 {
			t.Errorf("older words come back: %+v, %v", list, err)
		}
	})
}

func TestRiskStandsBesideFindings(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		s := eng.Open(t)
		p := newPathEstate(t, s.Estate())
		risk := func(id int64) string {
			t.Helper()
			l, err := p.e.Finding(ctx, auth.Everything(), id)
			if err != nil {
				t.Fatal(err)
			}
			if l.RiskRemoved == nil {
				return "null"
			}
			return fmt.Sprint(*l.RiskRemoved)
		}
		if state, err := p.e.RiskState(ctx); err != nil || state != (store.RiskState{}) || risk(p.onJewel) != "null" {
			t.Fatalf("before the first run: %+v, %v, %s", state, err, risk(p.onJewel))
		}
		a, err := p.e.AttackEstate(ctx, auth.Everything(), 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.e.SetRisk(ctx, day1, a.Generation, map[int64]float64{p.onFront[0]: 0.1, p.onFront[1]: 0, p.onFront[2]: 0.5, p.onJewel: 123.25, p.hidden: 0.5, 77777: 1}); err != nil {
			t.Fatal(err)
		}
		state, err := p.e.RiskState(ctx)
		generation, _ := p.e.Generation(ctx)
		if err != nil || !state.At.Equal(day1) || state.Generation != a.Generation || state.Written != generation || generation <= a.Generation {
			t.Errorf("%+v at generation %d, %v", state, generation, err)
		}
		for id, want := range map[int64]string{p.onFront[0]: "0.1", p.onFront[1]: "0", p.onFront[2]: "null", p.onJewel: "123.25", p.hidden: "null"} {
			if got := risk(id); got != want {
				t.Errorf("finding %d: %s, want %s", id, got, want)
			}
		}
		list, total, err := p.e.RiskRanking(ctx, auth.Everything(), finding.Filter{}, 1)
		if err != nil || total != 2 || len(list) != 1 || list[0].ID != p.onJewel || *list[0].RiskRemoved != 123.25 {
			t.Errorf("%d %+v, %v", total, list, err)
		}
		if list, total, err = p.e.RiskRanking(ctx, auth.OfSites("edge"), finding.Filter{}, 5); err != nil || total != 1 || list[0].ID != p.onFront[0] {
			t.Errorf("%d %+v, %v", total, list, err)
		}

		// What ends has none any more, and none at once when it comes back; a younger one has none before the next run.
		var young int64
		triage := func(state finding.TriageState) {
			t.Helper()
			if err := p.e.Triage(ctx, p.onJewel, finding.Triage{State: state, By: "anna", At: day1}); err != nil {
				t.Fatal(err)
			}
		}
		triage(finding.FalsePositive)
		afterFalse := risk(p.onJewel)
		triage(finding.Untriaged)
		update(t, p.e, func(ctx context.Context, tx *store.EstateTx) error {
			f := oneFinding(p.front, 8080, "CVE-2016-10009", "1")
			err := tx.SaveFinding(ctx, f, nil)
			young = f.ID
			return err
		})
		if afterFalse != "null" || risk(p.onJewel) != "null" || risk(young) != "null" || risk(p.onFront[0]) != "0.1" {
			t.Errorf("%s %s %s %s", afterFalse, risk(p.onJewel), risk(young), risk(p.onFront[0]))
		}

		// The next run replaces all, and another process sees it.
		if err := p.e.SetRisk(ctx, day1.Add(time.Hour), generation, map[int64]float64{young: 0.5}); err != nil {
			t.Fatal(err)
		}
		list, total, err = eng.Open(t).Estate().RiskRanking(ctx, auth.Everything(), finding.Filter{Live: true}, 5)
		if err != nil || total != 1 || list[0].ID != young || risk(p.onFront[0]) != "null" {
			t.Errorf("%d %+v, %v", total, list, err)
		}
		if err := p.e.SetRisk(ctx, day1, generation, nil); err != nil || risk(young) != "null" {
			t.Errorf("%v, %s", err, risk(young))
		}
	})
}
