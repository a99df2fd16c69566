package store_test

import (
	"context"
	"io"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

// siteThings are the ids of what belongs to one site.
type siteThings struct {
	name                        string
	host, old, finding, scan    int64
	rule, hostRule, boundToHost int64
	report                      string
}

// fill makes a site with one of everything; what is the same in every site is the same to the letter.
func fill(t *testing.T, e *store.Estate, name string) (s siteThings) {
	t.Helper()
	ctx := context.Background()
	s.name = name
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := e.CreateSite(ctx, asset.Site{Name: name})
	must(err)
	s.scan, err = e.CreateScan(ctx, finding.Scan{Kind: finding.KindScan, Site: name, Targets: []string{"10.0.0.1"}, Status: finding.Running, Created: day1})
	must(err)
	s.report, err = e.PutBlob(ctx, strings.NewReader("a report of "+name))
	must(err)
	must(e.BeginWork(ctx, s.scan, "me", nil))
	must(e.SaveTasks(ctx, s.scan, "me", []*scan.Task{{N: 1, Scanner: "native", Status: "done", Report: s.report}}))
	must(e.AddLedger(ctx, finding.Ledger{Scan: s.scan, File: "x", Tool: "native", Dropped: map[string]int{}}, s.report))
	update(t, e, func(ctx context.Context, tx *store.EstateTx) error {
		h := &asset.Host{Site: name, Status: asset.Up, Owner: "o", Tags: []string{"t"}}
		h.Note(asset.Sighting{Site: name, Address: netip.MustParseAddr("10.0.0.1"), Names: []string{"h.example"}, Sensor: "native", At: day1})
		if err := tx.SaveHost(ctx, h); err != nil {
			return err
		}
		s.host = h.ID
		s.old = h.ID + 1000
		if err := tx.SaveService(ctx, &asset.Service{HostID: h.ID, Protocol: "tcp", Port: 22, Name: "ssh", Said: []asset.Said{}}); err != nil {
			return err
		}
		if err := tx.AddLook(ctx, h.ID, finding.Look{Sensor: "native", Scan: s.scan, At: day1, Protocol: "tcp"}); err != nil {
			return err
		}
		f := oneFinding(h.ID, 22, "CVE-2016-10009", "000")
		f.Site, f.Evidence[0].Sensor = name, "sensor-"+name
		if err := tx.SaveFinding(ctx, f, nil); err != nil {
			return err
		}
		s.finding = f.ID
		if err := tx.AddScanHost(ctx, s.scan, finding.ScanHost{Address: "10.0.0.1", HostID: h.ID, Status: "up"}); err != nil {
			return err
		}
		for what, item := range map[finding.Subject]int64{finding.OfFinding: f.ID, finding.OfHost: h.ID} {
			if err := tx.AddChange(ctx, finding.Change{What: what, Item: item, At: day1, By: "anna", Kind: finding.ChangeComment, Note: name}); err != nil {
				return err
			}
		}
		rule := finding.Rule{Name: "x", Enabled: true, Where: finding.RuleWhere{Sites: []string{name, "elsewhere"}}}
		bound := finding.Rule{Name: "x", Enabled: true, Where: finding.RuleWhere{Host: s.old}}
		ofHosts := asset.Rule{Name: "x", Enabled: true, Where: asset.RuleWhere{Sites: []string{name}}}
		for _, err := range []error{tx.SaveRule(ctx, &rule), tx.SaveRule(ctx, &bound), tx.SaveHostRule(ctx, &ofHosts), tx.Redirect(ctx, "host", s.old, h.ID, day1)} {
			if err != nil {
				return err
			}
		}
		s.rule, s.boundToHost, s.hostRule = rule.ID, bound.ID, ofHosts.ID
		return tx.AddChange(ctx, finding.Change{What: finding.OfRule, Item: rule.ID, At: day1, By: "anna", Kind: finding.ChangeRule, Note: name})
	})
	return s
}

// readsOf are all reads of the estate that take a view, of the things of one site. An error counts as an answer.
func readsOf(ctx context.Context, e *store.Estate, s siteThings) map[string]func(v auth.View) (any, error) {
	type view = auth.View
	return map[string]func(view) (any, error){
		"Sites":            func(v view) (any, error) { return e.Sites(ctx, v) },
		"Site":             func(v view) (any, error) { return e.Site(ctx, v, s.name) },
		"Scans":            func(v view) (any, error) { return e.Scans(ctx, v, store.ScanFilter{Site: s.name}) },
		"Scan":             func(v view) (any, error) { return e.Scan(ctx, v, s.scan) },
		"Hosts":            func(v view) (any, error) { return e.Hosts(ctx, v, store.HostFilter{Site: s.name}) },
		"of scan":          func(v view) (any, error) { return e.Hosts(ctx, v, store.HostFilter{Scan: s.scan}) },
		"HostIDs":          func(v view) (any, error) { return e.HostIDs(ctx, v, s.host-1, 1) },
		"Host":             func(v view) (any, error) { return e.Host(ctx, v, s.host) },
		"old":              func(v view) (any, error) { return e.Host(ctx, v, s.old) },
		"Services":         func(v view) (any, error) { return e.Services(ctx, v, []int64{s.host}) },
		"Looks":            func(v view) (any, error) { return e.Looks(ctx, v, []int64{s.host}) },
		"Findings":         func(v view) (any, error) { return e.Findings(ctx, v, finding.Filter{Site: s.name}) },
		"Findings of host": func(v view) (any, error) { return e.Findings(ctx, v, finding.Filter{HostID: s.host}) },
		"Findings seen by": func(v view) (any, error) { return e.Findings(ctx, v, finding.Filter{Sensor: "sensor-" + s.name}) },
		"EachFinding": func(v view) (out any, err error) {
			var ids []int64
			err = e.EachFinding(ctx, v, finding.Filter{Site: s.name}, func(l finding.Listed) error { ids = append(ids, l.ID); return nil })
			return ids, err
		},
		"CountFindings": func(v view) (any, error) {
			c, err := e.CountFindings(ctx, v, finding.Filter{HostID: s.host})
			return c.Total, err
		},
		"Finding": func(v view) (any, error) { return e.Finding(ctx, v, s.finding) },
		"FindingGroups": func(v view) (any, error) {
			groups, total, err := e.FindingGroups(ctx, v, finding.Filter{HostID: s.host}, finding.GroupSite, finding.GroupCursor{}, 0)
			if total != len(groups) {
				return total, err
			}
			return groups, err
		},
		"Evidence": func(v view) (any, error) {
			evidence, err := e.Evidence(ctx, v, []int64{s.finding})
			return evidence[s.finding], err
		},
		"Remedies": func(v view) (any, error) {
			remedies, err := e.Remedies(ctx, v, []int64{s.finding})
			return len(remedies), err
		},
		"Changes of finding": func(v view) (any, error) { return e.Changes(ctx, v, finding.OfFinding, s.finding) },
		"Changes of host":    func(v view) (any, error) { return e.Changes(ctx, v, finding.OfHost, s.host) },
		"Changes of rule":    func(v view) (any, error) { return e.Changes(ctx, v, finding.OfRule, s.rule) },
		"ScanHosts":          func(v view) (any, error) { return e.ScanHosts(ctx, v, s.scan) },
		"Ledgers":            func(v view) (any, error) { return e.Ledgers(ctx, v, s.scan) },
		"Tasks":              func(v view) (any, error) { return e.Tasks(ctx, v, s.scan) },
		"Controls":           func(v view) (any, error) { return e.Controls(ctx, v, []int64{s.scan}) },
		"CountScans":         func(v view) (any, error) { return e.CountScans(ctx, v, store.ScanFilter{Site: s.name}) },
		"OpenBlob": func(v view) (any, error) {
			r, err := e.OpenBlob(ctx, v, s.report)
			if err != nil {
				return nil, err
			}
			defer r.Close()
			return io.ReadAll(r)
		},
		"Rule":          func(v view) (any, error) { f, _, err := e.Rule(ctx, v, s.rule); return f, err },
		"Rule of hosts": func(v view) (any, error) { _, h, err := e.Rule(ctx, v, s.hostRule); return h, err },
		"Rule of host":  func(v view) (any, error) { f, _, err := e.Rule(ctx, v, s.boundToHost); return f, err },
		"RuleHosts": func(v view) (any, error) {
			hosts, _, err := e.RuleHosts(ctx, v, []finding.Rule{{Where: finding.RuleWhere{Host: s.host}}})
			return hosts, err
		},
		"AttackEstate": func(v view) (any, error) { // of all sites
			a, err := e.AttackEstate(ctx, v, 0)
			a.Hosts = slices.DeleteFunc(a.Hosts, func(h attackpath.Host) bool { return h.Site != s.name })
			return a.Hosts, err
		},
		"AttackEstate of scan": func(v view) (any, error) { a, err := e.AttackEstate(ctx, v, s.scan); return a.Hosts, err },
		"AttackHosts":          func(v view) (any, error) { a, err := e.AttackHosts(ctx, v, []int64{s.host}); return a.Hosts, err },
		"PathCorrections": func(v view) (any, error) {
			list, err := e.PathCorrections(ctx, v)
			return slices.DeleteFunc(list, func(c attackpath.Correction) bool { return c.Note != s.name }), err
		},
		"RiskRanking": func(v view) (any, error) {
			list, total, err := e.RiskRanking(ctx, v, finding.Filter{Site: s.name}, 5)
			if total != len(list) {
				return total, err
			}
			return list, err
		},
		"SensorHosts": func(v view) (any, error) { return e.SensorHosts(ctx, v, "", "sensor-"+s.name) },
	}
}

// nothing says whether an answer tells of nothing.
func nothing(answer any, err error) bool {
	if err != nil {
		return fault.KindOf(err) == fault.KindNotFound
	}
	v := reflect.ValueOf(answer)
	switch v.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	}
	return v.IsZero()
}

func TestEveryReadIsCutToTheView(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		e := eng.Open(t).Estate()
		lab := fill(t, e, "lab")
		office := fill(t, e, "office")
		for _, s := range []siteThings{lab, office} {
			for _, edge := range []attackpath.EdgeKey{edgeOf("finding:%d", s.finding), edgeOf("reach:internet>%d:tcp/22", s.host)} {
				if _, err := e.Correct(ctx, auth.Everything(), attackpath.Correction{Edge: edge, Says: attackpath.SaysNever, Note: s.name, By: "anna", At: day1}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := e.SetRisk(ctx, day1, 1, map[int64]float64{lab.finding: 0.5, office.finding: 0.5}); err != nil {
			t.Fatal(err)
		}
		for name, read := range readsOf(ctx, e, office) {
			all, err := read(auth.Everything())
			if nothing(all, err) {
				t.Errorf("%s by who sees all: %v, %v", name, all, err)
			}
			if name == "Sites" || name == "HostIDs" {
				continue // of all sites
			}
			if own, err := read(auth.OfSites("nowhere", "office")); err != nil || !reflect.DeepEqual(own, all) {
				t.Errorf("%s by who sees the site: %.300v, %v", name, own, err)
			}
			for who, v := range map[string]auth.View{"another site": auth.OfSites("lab"), "none": {}, "no site": auth.OfSites(), "'": auth.OfSites("office' OR '1'='1")} {
				if answer, err := read(v); !nothing(answer, err) {
					t.Errorf("%s by who sees %s: %+v, %v", name, who, answer, err)
				}
			}
		}
		if sites, err := e.Sites(ctx, auth.OfSites("lab")); err != nil || len(sites) != 1 || sites[0].Name != "lab" {
			t.Errorf("%+v, %v", sites, err)
		}
		if ids, err := e.HostIDs(ctx, auth.OfSites("office"), 0, 0); err != nil || len(ids) != 1 || ids[0] != office.host {
			t.Errorf("%v, %v", ids, err)
		}
		if sensors, err := e.Sensors(ctx, auth.OfSites("lab")); err != nil || len(sensors) != 1 || sensors[0] != "sensor-lab" {
			t.Errorf("%v, %v", sensors, err)
		}
		for v, want := range map[*auth.View]int{ptr(auth.OfSites("lab")): 2, ptr(auth.Everything()): 4, {}: 0} {
			if rules, err := e.FindingRules(ctx, *v); err != nil || len(rules) != want {
				t.Errorf("%+v: %d rules, %v", *v, len(rules), err)
			}
		}
	})
}

func ptr[T any](v T) *T { return &v }
