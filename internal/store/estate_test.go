package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

var day1 = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func update(t *testing.T, e *store.Estate, fn func(ctx context.Context, tx *store.EstateTx) error) {
	t.Helper()
	ctx := context.Background()
	if err := e.Update(ctx, func(tx *store.EstateTx) error { return fn(ctx, tx) }); err != nil {
		t.Fatal(err)
	}
}

func oneHost(address string) *asset.Host {
	h := &asset.Host{Site: asset.DefaultSite, Status: asset.Up, OS: "Debian 12", CPEs: []string{"cpe:2.3:o:debian:debian_linux:12:*:*:*:*:*:*:*"}}
	h.Note(asset.Sighting{Site: asset.DefaultSite, Address: netip.MustParseAddr(address), Names: []string{"h." + address + ".example"},
		SSHKeys: map[uint16]string{22: "SHA256:" + address}, Sensor: "native", At: day1})
	return h
}

func oneFinding(host int64, port uint16, weakness string, rank string) *finding.Finding {
	score, epss := 0.5, 0.97
	f := &finding.Finding{Fingerprint: finding.Fingerprint{Site: asset.DefaultSite, HostID: host, Protocol: "tcp", Port: port,
		Weakness: finding.Weakness(weakness)},
		Rating: finding.Rating{Severity: "high", CVSS: &score, EPSS: &epss, EPSSPercentile: &epss, KEV: true, Score: &score, Decision: "act",
			Due: day1.Truncate(24 * time.Hour), Assumed: []string{"automatable"}, RankKey: rank}}
	f.Evidence = []finding.Evidence{{Sensor: "native", Check: finding.VersionCheck, FirstSeen: day1, LastSeen: day1, FirstScan: 1, LastScan: 1,
		Status: finding.Affected, Confidence: 80, Reason: "7.2p2 is below 7.4", Output: "SSH-2.0-OpenSSH_7.2p2", Needs: []string{"x"}, Title: "100% of _it_"}}
	f.Derive()
	f.Life = finding.Fold(f, nil)
	return f
}

func TestEstateGivesBackWhatItWasGiven(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		e := eng.Open(t).Estate()
		no := false
		host := oneHost("10.0.0.1")
		host.Exposed = &no
		service := &asset.Service{Protocol: "tcp", Port: 22}
		service.Hear(asset.Said{Sensor: "native", Scan: 1, At: day1, Name: "ssh", Product: "OpenSSH", Version: "7.2p2", CPEs: []string{"cpe:2.3:a:openbsd:openssh:7.2:p2:*:*:*:*:*:*"}, Candidates: 3})
		look := finding.Look{Sensor: "native", Scan: 1, At: day1, Protocol: "tcp", Ports: []finding.PortRange{{First: 1, Last: 1024}, {First: 8080, Last: 8080}},
			Open: []finding.PortRange{{First: 22, Last: 22}}, Checks: []string{"a", "b"}}
		var f *finding.Finding
		update(t, e, func(ctx context.Context, tx *store.EstateTx) error {
			if err := tx.SaveHost(ctx, host); err != nil {
				return err
			}
			service.HostID = host.ID
			f = oneFinding(host.ID, 22, "CVE-2016-10009", "000")
			f.Evidence = append(f.Evidence, f.Evidence[0])
			f.Evidence[1].Sensor = "nmap"
			if err := tx.SaveService(ctx, service); err != nil {
				return err
			}
			if err := tx.AddLook(ctx, host.ID, look); err != nil {
				return err
			}
			return tx.SaveFinding(ctx, f, nil)
		})
		got, err := e.Hosts(ctx, auth.Everything(), store.HostFilter{Text: "H.10.0.0.1"})
		if err != nil {
			t.Fatal(err)
		}
		same(t, []*asset.Host{host}, got)
		services, err := e.Services(ctx, auth.Everything(), []int64{host.ID})
		if err != nil {
			t.Fatal(err)
		}
		same(t, []*asset.Service{service}, services)
		shown, err := e.Finding(ctx, auth.Everything(), f.ID)
		if err != nil {
			t.Fatal(err)
		}
		same(t, *f, shown.Finding)
		if shown.HostAddress != "10.0.0.1" || shown.Product != "OpenSSH" || !slices.Equal(shown.HostNames, []string{"h.10.0.0.1.example"}) {
			t.Errorf("%+v", shown)
		}
		update(t, e, func(ctx context.Context, tx *store.EstateTx) error {
			looks, err := tx.Looks(ctx, []int64{host.ID})
			if err != nil {
				return err
			}
			same(t, []finding.Look{look}, looks[host.ID])
			held, err := tx.HostsHolding(ctx, asset.DefaultSite, []asset.Identifier{{Kind: asset.Address, Value: "10.0.0.1"}})
			if err != nil {
				return err
			}
			same(t, []*asset.Host{host}, held)
			found, err := tx.Findings(ctx, []int64{host.ID})
			if err != nil {
				return err
			}
			found[0].Evidence[0].LastSeen = day1.AddDate(0, 0, 1)
			gone := found[0].Evidence[1].ID
			found[0].Evidence = found[0].Evidence[:1]
			return tx.SaveFinding(ctx, found[0], []int64{gone})
		})
		if shown, err = e.Finding(ctx, auth.Everything(), f.ID); err != nil || len(shown.Evidence) != 1 || !shown.LastSeen.Equal(day1.AddDate(0, 0, 1)) {
			t.Errorf("%v %+v", err, shown.Evidence)
		}
		if _, err := e.Finding(ctx, auth.Everything(), 99); fault.KindOf(err) != fault.KindNotFound {
			t.Errorf("finding 99: %v", err)
		}
		if _, err := e.Host(ctx, auth.Everything(), 99); fault.KindOf(err) != fault.KindNotFound {
			t.Errorf("host 99: %v", err)
		}
	})
}

func same[T any](t *testing.T, want, got T) {
	t.Helper()
	opts := cmp.Options{cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Addr{}),
		cmpopts.SortSlices(func(a, b asset.Identifier) bool { return a.Kind < b.Kind })}
	opts = append(opts, cmp.Transformer("untriaged", func(s finding.TriageState) string { return strings.TrimPrefix(string(s), "none") }))
	if diff := cmp.Diff(want, got, opts); diff != "" {
		t.Errorf("not the same (-want +got):\n%s", diff)
	}
}

func TestFindingsAreFilteredAndPaged(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		e := eng.Open(t).Estate()
		var hosts []*asset.Host
		update(t, e, func(ctx context.Context, tx *store.EstateTx) error {
			for i := range 3 {
				h := oneHost(fmt.Sprintf("10.0.0.%d", i+1))
				hosts = append(hosts, h)
				if err := tx.SaveHost(ctx, h); err != nil {
					return err
				}
				for j := range 10 {
					f := oneFinding(h.ID, 22, cve.NewID(2024, uint32(1000+j)).String(), fmt.Sprintf("%03d", (j*7+i)%10))
					f.KEV = j == 0
					f.Confidence = 30 + 10*j
					if j == 9 {
						f.State, f.Severity, f.Decision = finding.Fixed, "low", "track"
					}
					f.Evidence[0].FirstScan, f.Evidence[0].LastScan = int64(i+1), int64(i+1)
					if err := tx.SaveFinding(ctx, f, nil); err != nil {
						return err
					}
				}
			}
			return nil
		})
		yes := true
		for name, c := range map[string]struct {
			filter finding.Filter
			want   int
		}{
			"all": {finding.Filter{}, 30}, "host": {finding.Filter{HostID: hosts[1].ID}, 10}, "live": {finding.Filter{Live: true}, 27},
			"state": {finding.Filter{States: []finding.State{finding.Fixed}}, 3}, "severity": {finding.Filter{Severities: []string{"low", "info"}}, 3},
			"kev": {finding.Filter{KEV: &yes}, 3}, "confidence": {finding.Filter{MinConfidence: 110}, 6}, "confirmed": {finding.Filter{Confirmed: true}, 18},
			"cve": {finding.Filter{Weakness: "cve-2024-1003"}, 3}, "decision": {finding.Filter{Decisions: []string{"track"}}, 3},
			"text in a name": {finding.Filter{Text: "H.10.0.0.2"}, 10}, "text is no pattern": {finding.Filter{Text: "100% of _IT_"}, 30},
			"text is no pattern either": {finding.Filter{Text: "1__%"}, 0}, "scan": {finding.Filter{Scan: 2}, 10},
			"site": {finding.Filter{Site: "default"}, 30}, "other site": {finding.Filter{Site: "branch"}, 0},
			"together": {finding.Filter{HostID: hosts[0].ID, Live: true, Confirmed: true, KEV: new(bool)}, 5},
		} {
			got, err := e.Findings(ctx, auth.Everything(), c.filter)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if len(got) != c.want {
				t.Errorf("%s: %d, want %d", name, len(got), c.want)
			}
			counts, err := e.CountFindings(ctx, auth.Everything(), c.filter)
			if err != nil || counts.Total != c.want {
				t.Errorf("%s: counted %d, want %d (%v)", name, counts.Total, c.want, err)
			}
		}
		var all []string
		filter := finding.Filter{Limit: 7}
		for {
			page, err := e.Findings(ctx, auth.Everything(), filter)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range page {
				all = append(all, fmt.Sprintf("%s %03d", l.RankKey, l.ID))
			}
			if len(page) < 7 {
				break
			}
			filter.After = page[6].Cursor()
		}
		if len(all) != 30 || !slices.IsSorted(all) || len(slices.Compact(all)) != 30 {
			t.Errorf("pages: %v", all)
		}
		n := 0
		if err := e.EachFinding(ctx, auth.Everything(), finding.Filter{Limit: 11}, func(finding.Listed) error { n++; return nil }); err != nil || n != 11 {
			t.Errorf("each: %d %v", n, err)
		}
	})
}

func TestTriageSurvivesAndHides(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		e := eng.Open(t).Estate()
		var id int64
		update(t, e, func(ctx context.Context, tx *store.EstateTx) error {
			h := oneHost("10.0.0.1")
			if err := tx.SaveHost(ctx, h); err != nil {
				return err
			}
			f := oneFinding(h.ID, 22, "CVE-2016-10009", "0")
			err := tx.SaveFinding(ctx, f, nil)
			id = f.ID
			return err
		})
		want := finding.Triage{State: finding.FalsePositive, By: "local:anna", At: day1, Note: "patched by hand"}
		if err := e.Triage(ctx, id, want); err != nil {
			t.Fatal(err)
		}
		if got, _ := e.Finding(ctx, auth.Everything(), id); got.Triage != want {
			t.Errorf("%+v", got.Triage)
		}
		for filter, n := range map[*finding.Filter]int{{}: 0, {ShowHidden: true}: 1, {Triage: []finding.TriageState{finding.FalsePositive}}: 1} {
			if got, err := e.Findings(ctx, auth.Everything(), *filter); err != nil || len(got) != n {
				t.Errorf("%+v: %d %v", filter, len(got), err)
			}
		}
		if err := e.Triage(ctx, 99, want); fault.KindOf(err) != fault.KindNotFound {
			t.Error(err)
		}
	})
}

func TestSitesScansLedgersAndRawReports(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		e := eng.Open(t).Estate()
		if _, created, err := e.CreateSite(ctx, asset.Site{Name: "dmz", External: true}); err != nil || !created {
			t.Fatal(created, err)
		}
		if _, created, err := e.CreateSite(ctx, asset.Site{Name: "dmz"}); err != nil || created {
			t.Fatal(created, err)
		}
		if _, _, err := e.CreateSite(ctx, asset.Site{Name: "no good; name"}); fault.KindOf(err) != fault.KindInvalid {
			t.Error(err)
		}
		sites, err := e.Sites(ctx, auth.Everything())
		if err != nil || len(sites) != 2 || sites[1].Name != "dmz" || sites[1].External {
			t.Errorf("%+v %v", sites, err)
		}
		scan := finding.Scan{Kind: finding.KindScan, Site: "default", Targets: []string{"10.0.0.0/24"}, Profile: "quick", Status: finding.Running,
			By: "local:anna", Created: day1, Started: day1, Catalogue: json.RawMessage(`{"records":1}`), Generation: 4}
		if scan.ID, err = e.CreateScan(ctx, scan); err != nil {
			t.Fatal(err)
		}
		scan.Status, scan.Completed, scan.Totals.Hosts = finding.Completed, day1.Add(time.Hour), 2
		scan.Scanners = []finding.ScannerRun{{Name: "native", Status: "completed"}}
		if err := e.UpdateScan(ctx, scan); err != nil {
			t.Fatal(err)
		}
		got, err := e.Scan(ctx, auth.Everything(), scan.ID)
		if err != nil {
			t.Fatal(err)
		}
		same(t, scan, got)
		if list, err := e.Scans(ctx, auth.Everything(), store.ScanFilter{Limit: 5}); err != nil || len(list) != 1 {
			t.Errorf("%v %v", list, err)
		}
		for _, h := range []finding.ScanHost{{Address: "10.0.0.1", Status: "up", Reason: "syn-ack", Ports: []string{"tcp/22"}},
			{Address: "10.0.0.1", Status: "down", Ports: []string{"tcp/80"}}} {
			update(t, e, func(ctx context.Context, tx *store.EstateTx) error { return tx.AddScanHost(ctx, scan.ID, h) })
		}
		hosts, err := e.ScanHosts(ctx, auth.Everything(), scan.ID)
		if err != nil || len(hosts) != 1 || hosts[0].Status != "up" || len(hosts[0].Ports) != 2 {
			t.Errorf("%+v %v", hosts, err)
		}
		ledger := finding.Ledger{Scan: scan.ID, File: "a.xml", Tool: "nmap", Records: 3, New: 2, Dropped: map[string]int{"port closed": 1}}
		if err := e.AddLedger(ctx, ledger, ""); err != nil {
			t.Fatal(err)
		}
		ledgers, err := e.Ledgers(ctx, auth.Everything(), scan.ID)
		if err != nil {
			t.Fatal(err)
		}
		same(t, []finding.Ledger{ledger}, ledgers)
		raw := strings.Repeat("<nmaprun/>\n", 1000)
		hash, err := e.PutBlob(ctx, strings.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := e.PutBlob(ctx, strings.NewReader(raw)); err != nil || again != hash {
			t.Error(again, err)
		}
		if back, err := readBlob(ctx, e, hash); err != nil || back != raw {
			t.Error(len(back), err)
		}
		if _, err := e.OpenBlob(ctx, auth.Everything(), "none"); fault.KindOf(err) != fault.KindNotFound {
			t.Error(err)
		}
	})
}

func TestDemoIsRemovedAndNothingElse(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		e := eng.Open(t).Estate()
		if _, _, err := e.CreateSite(ctx, asset.Site{Name: "demo", Demo: true}); err != nil {
			t.Fatal(err)
		}
		for _, site := range []string{"default", "demo"} {
			if _, err := e.CreateScan(ctx, finding.Scan{Site: site, Demo: site == "demo"}); err != nil {
				t.Fatal(err)
			}
			update(t, e, func(ctx context.Context, tx *store.EstateTx) error {
				h := oneHost("10.0.0.1")
				h.Site, h.Demo = site, site == "demo"
				if err := tx.SaveHost(ctx, h); err != nil {
					return err
				}
				f := oneFinding(h.ID, 22, "CVE-2016-10009", "0")
				f.Evidence[0].Output = "said by " + site
				f.Demo = h.Demo
				return tx.SaveFinding(ctx, f, nil)
			})
		}
		hosts, findings, scans, err := e.RemoveDemo(ctx)
		if err != nil || hosts != 1 || findings != 1 || scans != 1 {
			t.Fatal(hosts, findings, scans, err)
		}
		left, err := e.Findings(ctx, auth.Everything(), finding.Filter{})
		if err != nil || len(left) != 1 || left[0].Site != "default" {
			t.Errorf("%+v %v", left, err)
		}
		shown, err := e.Finding(ctx, auth.Everything(), left[0].ID)
		if err != nil || shown.Evidence[0].Output != "said by default" {
			t.Errorf("%+v %v", shown.Evidence, err)
		}
		if sites, err := e.Sites(ctx, auth.Everything()); err != nil || len(sites) != 1 {
			t.Errorf("%+v %v", sites, err)
		}
	})
}

func TestTwentyThousandFindingsAreWrittenInSeconds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		e := eng.Open(t).Estate()
		began := time.Now()
		for batch := range 10 {
			update(t, e, func(ctx context.Context, tx *store.EstateTx) error {
				for i := range 100 {
					h := oneHost(fmt.Sprintf("10.0.%d.%d", batch, i+1))
					if err := tx.SaveHost(ctx, h); err != nil {
						return err
					}
					for j := range 20 {
						if err := tx.SaveFinding(ctx, oneFinding(h.ID, 22, cve.NewID(2024, uint32(j+1)).String(), "0"), nil); err != nil {
							return err
						}
					}
				}
				return nil
			})
		}
		took := time.Since(began)
		t.Logf("20,000 findings of 1,000 hosts: %s", took.Round(time.Millisecond))
		if took > 60*time.Second { // a slow machine, not a slow query plan
			t.Errorf("took %s", took)
		}
	})
}

func readBlob(ctx context.Context, e *store.Estate, hash string) (string, error) {
	r, err := e.OpenBlob(ctx, auth.Everything(), hash)
	if err != nil {
		return "", err
	}
	defer r.Close()
	back, err := io.ReadAll(r)
	return string(back), err
}
