package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

// onBoth opens the product on both engines.
func onBoth(t *testing.T, test func(t *testing.T, a *App)) {
	t.Helper()
	open := func(t *testing.T, url string) *App {
		cfg := config.Default()
		cfg.DataDir, cfg.DatabaseURL = filepath.Join(t.TempDir(), "data"), config.Secret(url)
		a, err := Open(context.Background(), cfg, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := a.Close(); err != nil {
				t.Error(err)
			}
		})
		return a
	}
	t.Run("sqlite", func(t *testing.T) { test(t, open(t, "")) })
	t.Run("postgres", func(t *testing.T) { test(t, open(t, storetest.Postgres(t))) })
}

// place is a site with something of everything that belongs to a site.
type place struct {
	site                          string
	scan, imported, queued        int64
	hosts                         []int64
	finding                       int64
	rule, hostRule, hostBoundRule int64
	scopeRule                     int64
}

// furnish makes a site with hosts at the same addresses and of the same names as in any other, and what people say of them.
func furnish(t *testing.T, a *App, site string) (p place) {
	t.Helper()
	ctx := context.Background()
	p.site = site
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(a.AddSite(ctx, site, false))
	run, err := a.assessor().Begin(ctx, finding.Scan{Kind: finding.KindScan, Site: site, Targets: []string{"10.0.0.0/29"}, By: "anna", Created: a.now()})
	must(err)
	for i := range 3 {
		addr := netip.MustParseAddr(fmt.Sprintf("10.0.0.%d", i+1))
		must(run.Emit("native", finding.Event{Host: &finding.HostSeen{Address: addr, Names: []string{fmt.Sprintf("h%d.example", i), site + ".example"}, Status: "up", At: a.now()}}))
		must(run.Emit("native", finding.Event{Service: &finding.ServiceSeen{Address: addr, Protocol: "tcp", Port: 22, Name: "ssh", Product: "OpenSSH", Version: "7.2p2", At: a.now()}}))
		for j := range 3 {
			must(run.Emit("native", finding.Event{Observation: &finding.Observation{Address: addr, Protocol: "tcp", Port: 22, Check: fmt.Sprintf("native:check-%d", j),
				Title: "a weak setting", Remedy: "turn it off", Severity: []string{"critical", "high", "low"}[j], Confidence: 95, At: a.now()}}))
		}
		must(run.Emit(site+"-tool", finding.Event{Observation: &finding.Observation{Address: addr, Protocol: "tcp", Port: 22, Check: site + "-tool:own",
			Title: "only in " + site, Severity: "medium", Confidence: 95, At: a.now()}}))
	}
	done, err := run.Finish(ctx, assess.End{Status: finding.Completed, Scanners: []finding.ScannerRun{{Name: "native", Status: "completed"}}})
	must(err)
	p.scan = done.Scan.ID
	doc, err := a.Import(ctx, ImportRequest{Files: []string{"-"}, Stdin: strings.NewReader(nmapXML), Site: site})
	must(err)
	p.imported = doc.Files[0].ID
	queued, err := a.InitiateScan(ctx, ScanRequest{Targets: []string{"10.0.0.1"}, Site: site})
	must(err)
	p.queued = queued.ID
	hosts, err := a.store.Estate().HostIDs(ctx, auth.OfSites(site), 0, 0)
	must(err)
	p.hosts = hosts
	list, err := a.Findings(ctx, FindingRequest{Site: site})
	must(err)
	p.finding = list.Findings[0].ID
	_, err = a.Triage(ctx, TriageRequest{IDs: []int64{p.finding}, State: "confirmed", Comment: "seen in " + site, Assign: new(site + "-anna"), Labels: []string{"l-" + site}})
	must(err)
	_, err = a.Tag(ctx, TagRequest{Hosts: []string{fmt.Sprint(p.hosts[0])}, Tags: []string{"t-" + site}, Owner: new("o-" + site), Criticality: new("high")})
	must(err)
	for into, req := range map[*int64]RuleRequest{
		&p.rule:          {Where: finding.RuleWhere{Sites: []string{site}, Weaknesses: []string{"native:check-2"}}, State: "accepted", Reason: "in " + site, Until: "2099-01-01"},
		&p.hostBoundRule: {Host: fmt.Sprint(p.hosts[1]), Where: finding.RuleWhere{Weaknesses: []string{"native:check-1"}}, Labels: []string{"r-" + site}},
	} {
		made, err := a.AddRule(ctx, req)
		must(err)
		*into = made.Rules[0]
	}
	made, err := a.AddHostRule(ctx, HostRuleRequest{Places: []string{"10.0.0.0/24"}, Sites: []string{site}, Tags: []string{"net-" + site}})
	must(err)
	p.hostRule = made.Rules[0]
	_, err = a.CloseFindings(ctx, CloseRequest{IDs: []int64{list.Findings[1].ID}, Reason: "gone from " + site})
	must(err)
	rule, err := a.AddScopeRule(ctx, request.ScopeRule{Network: "198.51.100.0/24", Site: site, Note: site})
	must(err)
	p.scopeRule = rule.ID
	return p
}

// everythingSeen is what all reads of the product answer to somebody, by the read. In the order of ids, so that the same
// estate gives the same.
func everythingSeen(t *testing.T, a *App, p place) map[string]string {
	t.Helper()
	ctx := context.Background()
	out := map[string]string{}
	call := func(read string, doc any, err error) {
		t.Helper()
		text, jsonErr := json.MarshalIndent(doc, "", " ")
		if jsonErr != nil {
			t.Fatalf("%s: %v", read, jsonErr)
		}
		out[read] = fmt.Sprintf("%s\n%v", text, err)
	}
	sites, err := a.Sites(ctx)
	call("Sites", sites, err)
	one, err := a.Site(ctx, p.site)
	call("Site", one, err)
	for _, limit := range []int{0, 1, 2} {
		scans, err := a.Scans(ctx, limit)
		call(fmt.Sprint("Scans ", limit), scans, err)
		imports, err := a.Imports(ctx, limit)
		call(fmt.Sprint("Imports ", limit), imports, err)
	}
	for _, req := range []ScansRequest{{}, {Site: p.site}, {Kind: "import"}, {Status: "pending"}, {Limit: 1}, {Skip: 1, Limit: 1}} {
		list, total, err := a.ScanStatuses(ctx, req)
		call(fmt.Sprintf("ScanStatuses %+v", req), []any{list, total}, err)
	}
	for _, req := range []AssetRequest{{}, {Site: p.site}, {Text: "10.0.0"}, {Text: "example"}, {Owner: "o-other"}, {Tag: "t-other"}, {Tag: "net-mine"}, {Criticality: "high"}} {
		hosts, err := a.Assets(ctx, req)
		call(fmt.Sprintf("Assets %+v", req), hosts, err)
	}
	for _, req := range findingRequests(p) {
		list, err := a.Findings(ctx, req)
		call(fmt.Sprintf("Findings %+v", req), list, err)
		paged := req
		paged.Limit = max(req.Limit, 3)
		page, err := a.FindingPage(ctx, paged)
		call(fmt.Sprintf("FindingPage %+v", req), page, err)
		any, err := a.AnyFinding(ctx, req)
		call(fmt.Sprintf("AnyFinding %+v", req), any, err)
		counts, err := a.FindingCounts(ctx, req)
		call(fmt.Sprintf("FindingCounts %+v", req), counts, err)
		var each []report.Finding
		err = a.EachFinding(ctx, req, func(f report.Finding) error { each = append(each, f); return nil })
		call(fmt.Sprintf("EachFinding %+v", req), each, err)
		for _, by := range finding.GroupBys() {
			grouped := req
			grouped.Sort = ""
			groups, err := a.FindingGroups(ctx, grouped, string(by))
			call(fmt.Sprintf("FindingGroups %s %+v", by, req), groups, err)
		}
		marks, err := a.FindingMarks(ctx, request.Marks{Findings: req, Every: 100})
		call(fmt.Sprintf("FindingMarks %+v", req), marks, err)
		marked, err := a.Triage(ctx, TriageRequest{Filter: &req, State: "confirmed", DryRun: true})
		call(fmt.Sprintf("Triage dry run %+v", req), marked, err)
		closed, err := a.CloseFindings(ctx, CloseRequest{Filter: &req, Reason: "gone", DryRun: true})
		call(fmt.Sprintf("CloseFindings dry run %+v", req), closed, err)
	}
	for _, site := range []string{"", p.site, "other"} {
		trend, err := a.Trend(ctx, request.Trend{Days: 30, Site: site})
		call("Trend "+site, trend, err)
	}
	for _, since := range []string{"", "2020-01-01", "2099-01-01"} {
		today, err := a.Today(ctx, since)
		today.Feeds = nil // of no site, and due by the clock
		call("Today "+since, today, err)
	}
	rules, err := a.Rules(ctx, true)
	call("Rules", rules, err)
	scope, err := a.Scope(ctx)
	call("Scope", scope, err)
	check, err := a.CheckScope(ctx, request.ScopeCheck{Targets: []string{"10.0.0.1", "198.51.100.1", "203.0.113.1"}, Site: p.site})
	call("CheckScope", check, err)
	for _, host := range []string{"10.0.0.1", "h0.example", "other.example", "mine.example"} {
		id, err := a.hostID(ctx, host, "")
		call("hostID "+host, id, err)
	}
	dry, err := a.AddRule(ctx, RuleRequest{Where: finding.RuleWhere{Weaknesses: []string{"native:*"}}, State: "confirmed", DryRun: true})
	call("AddRule dry run", dry, err)
	for _, sensor := range []string{"nobody", "other-tool", "native"} {
		ended, err := a.RetireSensor(ctx, sensor, "", "gone", true)
		call("RetireSensor preview "+sensor, ended, err)
	}
	thingsSeen(t, a, p, call)
	return out
}

// thingsSeen are the reads of one thing each.
func thingsSeen(t *testing.T, a *App, p place, call func(string, any, error)) {
	t.Helper()
	ctx := context.Background()
	for _, id := range []int64{p.scan, p.imported, p.queued} {
		result, err := a.ScanResult(ctx, id)
		call(fmt.Sprint("ScanResult ", id), result, err)
		doc, err := a.ScanDocument(ctx, id)
		call(fmt.Sprint("ScanDocument ", id), doc, err)
		found, err := a.ScanFindings(ctx, id, 0, 5)
		call(fmt.Sprint("ScanFindings ", id), found, err)
		tasks, err := a.ScanTasks(ctx, id)
		call(fmt.Sprint("ScanTasks ", id), tasks, err)
		hosts, err := a.ScanHostPage(ctx, id, 0, 5)
		call(fmt.Sprint("ScanHostPage ", id), hosts, err)
		status, err := a.ScanStatus(ctx, id)
		call(fmt.Sprint("ScanStatus ", id), status, err)
		summary, err := a.Summary(ctx, id)
		summary.CreatedAt = time.Time{}
		call(fmt.Sprint("Summary ", id), summary, err)
		undo, err := a.UndoImport(ctx, id, false)
		call(fmt.Sprint("UndoImport preview ", id), undo, err)
		for _, what := range []string{"new", "fixed", "unchanged", "not_looked"} {
			compared, err := a.Compare(ctx, request.Compare{Scan: id, With: p.scan + p.imported - id, What: what, Limit: 2})
			call(fmt.Sprint("Compare ", id, what), compared, err)
		}
	}
	imported, err := a.Imported(ctx, p.imported)
	call("Imported", imported, err)
	f, _, err := a.Finding(ctx, p.finding)
	call("Finding", f, err)
	v, err := a.Vulnerability(ctx, p.finding)
	call("Vulnerability", v, err)
	exploits, err := a.Exploits(ctx, p.finding)
	call("Exploits", exploits, err)
	ended, err := a.RetireHost(ctx, []string{fmt.Sprint(p.hosts[0])}, "", "gone", true)
	call("RetireHost preview", ended, err)
}

func findingRequests(p place) []FindingRequest {
	out := []FindingRequest{{}, {Limit: 1}, {State: "all", Hidden: true}, {State: "all", Hidden: true, Limit: 2}, {Site: p.site}, {Scan: p.scan},
		{Host: "10.0.0.1"}, {Text: "weak"}, {Text: "only in"}, {Text: "other"}, {Text: "other.example"}, {Text: "10.0.0.2"}, {Weakness: "native:check-0"},
		{Weakness: "other-tool:own"}, {Scanner: "other-tool"}, {Scanner: "native"}, {Labels: []string{"l-other"}}, {Labels: []string{"r-mine"}},
		{Tags: []string{"t-other"}}, {Owner: "o-other"}, {Owner: "o-mine"}, {Owner: Nobody}, {Assignee: "other-anna"}, {Assignee: Nobody}, {Criticality: []string{"high"}},
		{Product: "openssh"}, {Triage: []string{"accepted"}}, {Severities: []string{"critical", "medium"}}, {Ports: []string{"22"}}}
	for _, by := range []string{"severity", "cvss", "epss", "likelihood", "score", "due", "sla", "first_seen", "last_seen", "host", "risk_removed"} {
		out = append(out, FindingRequest{Sort: by, Limit: 2}, FindingRequest{Sort: "-" + by, Limit: 2})
	}
	return out
}

func as(a *App, sites ...string) *App {
	return a.For(auth.Identity{Kind: auth.Session, Name: "anna", Role: auth.Admin, View: auth.OfSites(sites...)})
}

// What somebody sees of his site does not depend on what there is in another, to the last letter: lists, totals, groups,
// cursors, orders, errors.
func TestAnotherSiteCannotBeSeen(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		mine := furnish(t, a, "mine")
		anna := as(a, "mine")
		alone := everythingSeen(t, anna, mine)
		whole := everythingSeen(t, a.For(auth.Identity{Kind: auth.Session, Role: auth.Admin, View: auth.Everything()}), mine)
		for read, answer := range alone {
			if strings.HasPrefix(read, "Rules") || strings.HasPrefix(read, "Sites") || strings.HasPrefix(read, "UndoImport") {
				continue // who sees all sees the default site too, and how much of a rule's effect is in which site
			}
			if diff := cmp.Diff(whole[read], answer); diff != "" {
				t.Errorf("%s hides something of her own site (-there +seen):\n%s", read, diff)
			}
		}
		if !strings.Contains(alone[fmt.Sprintf("Findings %+v", FindingRequest{})], "a weak setting") {
			t.Error("there is nothing to see")
		}
		furnish(t, a, "other")
		if _, err := a.AddRule(context.Background(), RuleRequest{Where: finding.RuleWhere{Sites: []string{"other"}, Weaknesses: []string{"native:check-0"}}, Labels: []string{"more"}}); err != nil {
			t.Fatal(err)
		}
		for read, after := range everythingSeen(t, anna, mine) {
			if diff := cmp.Diff(alone[read], after); diff != "" {
				t.Errorf("%s tells of the other site (-alone +beside it):\n%s", read, diff)
			}
		}
		for read, answer := range everythingSeen(t, as(a), mine) {
			if strings.Contains(answer, "weak setting") || strings.Contains(answer, `"10.0.0.3"`) {
				t.Errorf("who sees no site sees by %s: %s", read, answer)
			}
		}
	})
}

// byNumber are the operations on a thing by its number, or on a site by its name.
func byNumber(a *App) map[string]func(id int64) error {
	ctx := context.Background()
	text := func(id int64) string { return fmt.Sprint(id) }
	drop := func(_ any, err error) error { return err }
	return map[string]func(int64) error{
		"finding Finding":       func(id int64) error { _, _, err := a.Finding(ctx, id); return err },
		"finding Vulnerability": func(id int64) error { return drop(a.Vulnerability(ctx, id)) },
		"finding Exploits":      func(id int64) error { return drop(a.Exploits(ctx, id)) },
		"finding Triage": func(id int64) error {
			return drop(a.Triage(ctx, TriageRequest{IDs: []int64{id}, State: "accepted", Reason: "x", Until: "2099-01-01"}))
		},
		"finding Triage label": func(id int64) error {
			return drop(a.Triage(ctx, TriageRequest{IDs: []int64{id}, Labels: []string{"x"}}))
		},
		"finding Triage host": func(id int64) error {
			return drop(a.Triage(ctx, TriageRequest{IDs: []int64{id}, State: "false_positive", Reason: "x", Scope: ScopeHost}))
		},
		"finding CloseFindings": func(id int64) error { return drop(a.CloseFindings(ctx, CloseRequest{IDs: []int64{id}, Reason: "x"})) },
		"host Findings":         func(id int64) error { return drop(a.Findings(ctx, FindingRequest{Host: text(id)})) },
		"host Tag": func(id int64) error {
			return drop(a.Tag(ctx, TagRequest{Hosts: []string{text(id)}, Tags: []string{"x"}}))
		},
		"host RetireHost": func(id int64) error { return drop(a.RetireHost(ctx, []string{text(id)}, "", "x", false)) },
		"host MergeHosts": func(id int64) error { return drop(a.MergeHosts(ctx, text(id), text(id+1), "")) },
		"host SplitHost":  func(id int64) error { return drop(a.SplitHost(ctx, text(id), "10.0.0.1", "")) },
		"host AddRule": func(id int64) error {
			return drop(a.AddRule(ctx, RuleRequest{Host: text(id), State: "confirmed"}))
		},
		"host AddRule where": func(id int64) error {
			return drop(a.AddRule(ctx, RuleRequest{Where: finding.RuleWhere{Host: id}, State: "confirmed"}))
		},
		"scan ScanResult":   func(id int64) error { return drop(a.ScanResult(ctx, id)) },
		"scan ScanStatus":   func(id int64) error { return drop(a.ScanStatus(ctx, id)) },
		"scan ScanDocument": func(id int64) error { return drop(a.ScanDocument(ctx, id)) },
		"scan ScanFindings": func(id int64) error { return drop(a.ScanFindings(ctx, id, 0, 1)) },
		"scan ScanTasks":    func(id int64) error { return drop(a.ScanTasks(ctx, id)) },
		"scan ScanHostPage": func(id int64) error { return drop(a.ScanHostPage(ctx, id, 0, 1)) },
		"scan Summary":      func(id int64) error { return drop(a.Summary(ctx, id)) },
		"scan Compare":      func(id int64) error { return drop(a.Compare(ctx, request.Compare{Scan: id})) },
		"scan Findings":     func(id int64) error { return drop(a.Findings(ctx, FindingRequest{Scan: id})) },
		"scan PauseScan":    func(id int64) error { return a.PauseScan(ctx, id) },
		"scan CancelScan":   func(id int64) error { return drop(a.CancelScan(ctx, id)) },
		"scan ResumeScan":   func(id int64) error { return drop(a.ResumeScan(ctx, id, nil)) },
		"scan ContinueScan": func(id int64) error { return a.ContinueScan(ctx, id) },
		"scan RepeatScan":   func(id int64) error { return drop(a.RepeatScan(ctx, id)) },
		"scan DeleteScan":   func(id int64) error { return drop(a.DeleteScan(ctx, id, true)) },
		"scan UndoImport":   func(id int64) error { return drop(a.UndoImport(ctx, id, true)) },
		"scan Imported":     func(id int64) error { return drop(a.Imported(ctx, id)) },
		"scan MakeTicket":   func(id int64) error { return drop(a.MakeTicket(ctx, id)) },
		"scan Watch":        func(id int64) error { return drop(a.Watch(ctx, id, 0, false)) },
		"scan Scan baseline": func(id int64) error {
			return drop(a.Scan(ctx, ScanRequest{Targets: []string{"127.0.0.1"}, Ports: "1", Site: "mine", Baseline: id}, nil))
		},
		"rule EnableRule":       func(id int64) error { return drop(a.EnableRule(ctx, id, false)) },
		"rule RemoveRule":       func(id int64) error { return drop(a.RemoveRule(ctx, id)) },
		"scope RemoveScopeRule": func(id int64) error { return a.RemoveScopeRule(ctx, id) },
	}
}

// bySite are the operations on a site by its name.
func bySite(a *App) map[string]func(site string) error {
	ctx := context.Background()
	drop := func(_ any, err error) error { return err }
	return map[string]func(string) error{
		"Site":       func(s string) error { return drop(a.Site(ctx, s)) },
		"ChangeSite": func(s string) error { return drop(a.ChangeSite(ctx, s, true)) },
		"Scan": func(s string) error {
			return drop(a.Scan(ctx, ScanRequest{Targets: []string{"127.0.0.1"}, Ports: "1", Site: s}, nil))
		},
		"InitiateScan": func(s string) error {
			return drop(a.InitiateScan(ctx, ScanRequest{Targets: []string{"127.0.0.1"}, Site: s}))
		},
		"Import": func(s string) error {
			return drop(a.Import(ctx, ImportRequest{Files: []string{"-"}, Stdin: strings.NewReader(nmapXML), Site: s}))
		},
		"Findings": func(s string) error { return drop(a.Findings(ctx, FindingRequest{Site: s})) },
		"Assets":   func(s string) error { return drop(a.Assets(ctx, AssetRequest{Site: s})) },
		"AssetPage": func(s string) error {
			return drop(a.AssetPage(ctx, AssetRequest{Site: s}))
		},
		"ServiceInventory": func(s string) error {
			return drop(a.ServiceInventory(ctx, request.Inventory{Site: s}))
		},
		"SoftwareInventory": func(s string) error {
			return drop(a.SoftwareInventory(ctx, request.Inventory{Site: s}))
		},
		"AddRule": func(s string) error {
			return drop(a.AddRule(ctx, RuleRequest{Where: finding.RuleWhere{Sites: []string{"mine", s}}, State: "confirmed"}))
		},
		"AddHostRule": func(s string) error {
			return drop(a.AddHostRule(ctx, HostRuleRequest{Places: []string{"10.0.0.0/8"}, Sites: []string{s}, Tags: []string{"x"}}))
		},
		"Triage everywhere": func(s string) error {
			return drop(a.Triage(ctx, TriageRequest{Filter: &FindingRequest{}, State: "confirmed", Scope: ScopeEverywhere, Site: s, Confirm: yes}))
		},
		"RetireSensor": func(s string) error { return drop(a.RetireSensor(ctx, "native", s, "x", false)) },
		"AddScopeRule": func(s string) error {
			return drop(a.AddScopeRule(ctx, request.ScopeRule{Network: "192.0.2.1", Site: s}))
		},
		"CheckScope": func(s string) error {
			return drop(a.CheckScope(ctx, request.ScopeCheck{Targets: []string{"10.0.0.1"}, Site: s}))
		},
		"ImportAssets": func(s string) error {
			return drop(a.ImportAssets(ctx, "-", s, strings.NewReader("address,owner\n10.0.0.1,x\n")))
		},
		"ImportAssets row": func(s string) error {
			doc, err := a.ImportAssets(ctx, "-", "", strings.NewReader("address,site,owner\n10.0.0.1,"+s+",x\n"))
			if err == nil && len(doc.Problems) == 1 {
				err = fault.NotFound("%s", doc.Problems[0].Reason)
			}
			return err
		},
	}
}

// allAtOnce are the operations that concern all sites.
func allAtOnce(a *App) map[string]func() error {
	ctx := context.Background()
	drop := func(_ any, err error) error { return err }
	return map[string]func() error{
		"Remerge":    func() error { return drop(a.Remerge(ctx, true)) },
		"ApplyRules": func() error { return drop(a.ApplyRules(ctx)) },
		"SyncFeeds":  func() error { return drop(a.SyncFeeds(ctx, SyncRequest{}, nil)) },
		"Ingest":     func() error { return drop(a.Ingest(ctx, IngestRequest{}, nil)) },
		"RefreshCVE": func() error { return a.RefreshCVE(ctx, cve.ID(1)) },
		"ImportRules": func() error {
			return drop(a.ImportRules(ctx, ImportRequest{Files: []string{"-"}, Stdin: strings.NewReader("{}")}))
		},
		"ChangeSLA":    func() error { return drop(a.ChangeSLA(ctx, request.SLA{Decision: map[string]*int{"act": new(1)}})) },
		"ReadRules":    func() error { return drop(a.ReadRules(ctx, "", "x", strings.NewReader("{}"))) },
		"AddSite":      func() error { return a.AddSite(ctx, "third", false) },
		"Seed":         func() error { return drop(a.Seed(ctx)) },
		"RemoveSeed":   func() error { return drop(a.RemoveSeed(ctx)) },
		"AddScopeRule": func() error { return drop(a.AddScopeRule(ctx, request.ScopeRule{Network: "192.0.2.1"})) },
	}
}

func TestWhatIsOfAnotherSiteIsAnsweredLikeWhatDoesNotExist(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		ctx := context.Background()
		mine, other := furnish(t, a, "mine"), furnish(t, a, "other")
		everywhere, err := a.AddRule(ctx, RuleRequest{Where: finding.RuleWhere{Weaknesses: []string{"native:check-0"}}, Labels: []string{"g"}})
		if err != nil {
			t.Fatal(err)
		}
		both, err := a.AddRule(ctx, RuleRequest{Where: finding.RuleWhere{Sites: []string{"mine", "other"}, Weaknesses: []string{"native:check-0"}}, Labels: []string{"b"}})
		if err != nil {
			t.Fatal(err)
		}
		theirs := as(a, "other")
		before := everythingSeen(t, theirs, other)
		anna := as(a, "mine")

		ids := map[string][]int64{"finding": {other.finding}, "host": other.hosts[:2], "scan": {other.scan, other.imported, other.queued},
			"rule": {other.rule, other.hostRule, other.hostBoundRule}, "scope": {other.scopeRule}}
		const nobodys = 424242
		for name, do := range byNumber(anna) {
			what, _, _ := strings.Cut(name, " ")
			absent := do(nobodys)
			for _, id := range ids[what] {
				if err := do(id); err == nil || fault.KindOf(err) != fault.KindOf(absent) ||
					strings.ReplaceAll(err.Error(), fmt.Sprint(id), "#") != strings.ReplaceAll(absent.Error(), fmt.Sprint(nobodys), "#") {
					t.Errorf("%s of another's: %v, of nobody's: %v", name, err, absent)
				}
			}
			if kind := fault.KindOf(absent); kind != fault.KindNotFound && name != "scan Scan baseline" {
				t.Errorf("%s of nobody's: %q %v", name, kind, absent)
			}
		}
		for name, do := range bySite(anna) {
			err, absent := do("other"), do("wonder")
			if err == nil || absent == nil || strings.ReplaceAll(err.Error(), "other", "#") != strings.ReplaceAll(absent.Error(), "wonder", "#") ||
				fault.KindOf(err) != fault.KindOf(absent) {
				t.Errorf("%s in another's site: %v, in one that does not exist: %v", name, err, absent)
			}
		}
		for name, do := range allAtOnce(anna) {
			if err := do(); fault.KindOf(err) != fault.KindDenied {
				t.Errorf("%s by somebody who sees one site: %v", name, err)
			}
		}
		for _, id := range []int64{everywhere.Rules[0], both.Rules[0]} {
			if _, err := anna.RemoveRule(ctx, id); fault.KindOf(err) != fault.KindDenied {
				t.Errorf("a rule that also speaks of other sites was removed: %v", err)
			}
		}
		changeMine(t, anna, mine)
		for read, after := range everythingSeen(t, theirs, other) {
			if diff := cmp.Diff(before[read], after); diff != "" {
				t.Errorf("%s is another than before (-before +after):\n%s", read, diff)
			}
		}
	})
}

// changeMine does in her own site all that she may, by filters and rules that say nothing of a site.
func changeMine(t *testing.T, anna *App, mine place) {
	t.Helper()
	ctx := context.Background()
	check := func(name string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	said, err := anna.Triage(ctx, TriageRequest{Filter: &FindingRequest{State: "all", Hidden: true}, Comment: "x", Labels: []string{"all"}, Confirm: yes})
	check("Triage", err)
	if list, _ := anna.Findings(ctx, FindingRequest{State: "all", Hidden: true}); said.Selected != list.Total || said.Changed != list.Total {
		t.Errorf("%d selected, %d changed, %d hers", said.Selected, said.Changed, list.Total)
	}
	_, err = anna.Triage(ctx, TriageRequest{IDs: []int64{mine.finding}, State: "false_positive", Reason: "x", Scope: ScopeEverywhere})
	check("Triage everywhere", err)
	made, err := anna.AddRule(ctx, RuleRequest{Where: finding.RuleWhere{Weaknesses: []string{"native:*"}}, Assign: "anna"})
	check("AddRule", err)
	if made.Swept.Hosts > len(mine.hosts) {
		t.Errorf("the rule went through %d hosts, she has %d", made.Swept.Hosts, len(mine.hosts))
	}
	_, err = anna.AddHostRule(ctx, HostRuleRequest{Places: []string{"10.0.0.0/8"}, Owner: "anna"})
	check("AddHostRule", err)
	_, err = anna.Tag(ctx, TagRequest{Hosts: []string{"10.0.0.1", "h1.example"}, Tags: []string{"hers"}})
	check("Tag", err)
	doc, err := anna.ImportAssets(ctx, "-", "", strings.NewReader("address,owner,tags\n10.0.0.1,csv,a\n10.0.0.99,csv,b\nother.example,csv,c\n"))
	check("ImportAssets", err)
	if doc.Kept != 2 || doc.Changed != 1 {
		t.Errorf("of her CSV %+v", doc)
	}
	_, err = anna.Import(ctx, ImportRequest{Files: []string{"-"}, Stdin: strings.NewReader(nmapXML), Site: "mine"})
	check("Import", err)
	_, err = anna.RetireSensor(ctx, "native", "", "x", false)
	check("RetireSensor", err)
	_, err = anna.CloseFindings(ctx, CloseRequest{Filter: &FindingRequest{}, Reason: "x", Confirm: yes})
	check("CloseFindings", err)
	_, err = anna.RetireHost(ctx, []string{"10.0.0.2"}, "", "x", false)
	check("RetireHost", err)
	_, err = anna.MergeHosts(ctx, fmt.Sprint(mine.hosts[0]), fmt.Sprint(mine.hosts[1]), "")
	check("MergeHosts", err)
	_, err = anna.RemoveRule(ctx, mine.rule)
	check("RemoveRule", err)
	_, err = anna.ChangeSite(ctx, "mine", true)
	check("ChangeSite", err)
	_, err = anna.DeleteScan(ctx, mine.scan, true)
	check("DeleteScan", err)
	if rules, _ := anna.Rules(ctx, true); slices.ContainsFunc(rules, func(r report.Rule) bool { return slices.Contains(r.Where.Sites, "other") }) {
		t.Errorf("her rules name the other site: %+v", rules)
	}
}

// A VEX statement speaks of a product wherever it is, so a report that somebody brings who sees one site makes no rule of it.
func TestAReportOfOneSiteMakesNoRuleForAll(t *testing.T) {
	a, ctx := open(t), context.Background()
	if err := a.AddSite(ctx, "mine", false); err != nil {
		t.Fatal(err)
	}
	bring := func(a *App) report.Ledger {
		t.Helper()
		kept, err := json.Marshal(askerOf(a.who)) // as a job keeps who asked
		if err != nil {
			t.Fatal(err)
		}
		var asked asker
		if err := json.Unmarshal(kept, &asked); err != nil {
			t.Fatal(err)
		}
		doc, err := a.For(asked.identity()).Import(ctx, ImportRequest{Files: []string{"-"}, Stdin: strings.NewReader(openVEX), Site: "mine"})
		if err != nil {
			t.Fatal(err)
		}
		return doc.Files[0]
	}
	if ledger := bring(as(a, "mine")); !strings.Contains(string(ledger.Warning), "all sites") {
		t.Errorf("the ledger says %q", ledger.Warning)
	}
	if rules, err := a.Rules(ctx, true); err != nil || len(rules) != 0 {
		t.Errorf("%+v, %v", rules, err)
	}
	bring(a)
	if rules, err := a.Rules(ctx, true); err != nil || len(rules) == 0 {
		t.Errorf("who sees all sites makes none: %v", err)
	}
}
