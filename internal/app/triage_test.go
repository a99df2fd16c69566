package app

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
)

func seeded(t *testing.T) (*App, context.Context) {
	t.Helper()
	a, ctx := open(t), context.Background()
	if _, err := a.Seed(ctx); err != nil {
		t.Fatal(err)
	}
	run, err := a.assessor().Begin(ctx, finding.Scan{Kind: finding.KindScan, Site: seedSite, Demo: true})
	if err != nil {
		t.Fatal(err)
	}
	for i, h := range seedHosts { // the catalogue of a test is empty: a check says what is wrong with them
		for j := range 4 {
			if err := run.Emit("native", finding.Event{Observation: &finding.Observation{Address: netip.MustParseAddr(h.address), Protocol: "tcp", Port: 22,
				Check: fmt.Sprintf("native:check-%d", j), Title: "a weak setting", Severity: []string{"critical", "high"}[(i+j)%2], Confidence: 95, At: a.now()}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := run.Finish(ctx, assess.End{}); err != nil {
		t.Fatal(err)
	}
	return a, ctx
}

func yes(int) bool { return true }

// selected are the findings that the list would show, whatever their confidence.
func selected(t *testing.T, a *App, req FindingRequest) []selectedFinding {
	t.Helper()
	found, err := a.selectFindings(context.Background(), nil, &req)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestManyFindingsAreTriagedByFilterOnlyAfterAYes(t *testing.T) {
	a, ctx := seeded(t)
	req := TriageRequest{Filter: &FindingRequest{Site: seedSite}, State: "out_of_scope", Reason: "made up"}
	all := len(selected(t, a, *req.Filter))
	if _, err := a.Triage(ctx, req); fault.KindOf(err) != fault.KindConflict {
		t.Errorf("without a yes: %v", err)
	}
	req.DryRun = true
	if doc, err := a.Triage(ctx, req); err != nil || doc.Selected != all || doc.Changed != 0 {
		t.Errorf("dry run: %+v %v", doc, err)
	}
	if left := len(selected(t, a, *req.Filter)); left != all {
		t.Fatalf("%d of %d are left and nobody said yes", left, all)
	}
	req.DryRun, req.Confirm = false, yes
	if doc, err := a.Triage(ctx, req); err != nil || doc.Changed != all {
		t.Errorf("%+v %v", doc, err)
	}
	if left := len(selected(t, a, *req.Filter)); left != 0 {
		t.Errorf("%d are left in the list", left)
	}
	again, err := a.Triage(ctx, TriageRequest{Filter: &FindingRequest{Site: seedSite, Hidden: true}, State: "out_of_scope", Reason: "made up", Confirm: yes})
	if err != nil || again.Changed != 0 {
		t.Errorf("the same said twice: %+v %v", again, err)
	}
}

func TestAnInterruptedTriageSaysHowFarItCame(t *testing.T) {
	a, ctx := seeded(t)
	ctx, cancel := context.WithCancel(ctx)
	_, err := a.Triage(ctx, TriageRequest{Filter: &FindingRequest{Site: seedSite}, State: "confirmed", Confirm: func(int) bool { cancel(); return true }})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "0 of ") || !strings.Contains(err.Error(), "does the rest") {
		t.Errorf("%v", err)
	}
}

func TestAWordOnAFindingGivesWayToTheRuleOfAWiderScope(t *testing.T) {
	a, ctx := seeded(t)
	f := selected(t, a, FindingRequest{})[0]
	if _, err := a.Triage(ctx, TriageRequest{IDs: []int64{f.id}, State: "confirmed"}); err != nil {
		t.Fatal(err)
	}
	doc, err := a.Triage(ctx, TriageRequest{IDs: []int64{f.id}, State: "false_positive", Scope: ScopeHost, Reason: "no"})
	if err != nil || len(doc.Rules) != 1 {
		t.Fatalf("%+v %v", doc, err)
	}
	shown, _, err := a.Finding(ctx, f.id)
	if err != nil || shown.Triage != "false_positive" || shown.TriageRule == nil || *shown.TriageRule != doc.Rules[0] {
		t.Errorf("%s by %v %v", shown.Triage, shown.TriageRule, err)
	}
	same, err := a.Triage(ctx, TriageRequest{IDs: []int64{f.id}, State: "false_positive", Scope: ScopeHost, Reason: "no"})
	if err != nil || same.Rules[0] != doc.Rules[0] {
		t.Errorf("the same rule was made twice: %v %v", same.Rules, err)
	}
	if _, err := a.RemoveRule(ctx, doc.Rules[0]); err != nil {
		t.Fatal(err)
	}
	if shown, _, _ = a.Finding(ctx, f.id); shown.Triage != "none" || len(shown.History) < 4 {
		t.Errorf("%s, history %+v", shown.Triage, shown.History)
	}
}

func TestNewTermsAreAppliedOnce(t *testing.T) {
	a, ctx := seeded(t)
	a.cfg.SLA.Severity.Critical = 5
	if _, err := a.ApplyRules(ctx); err != nil {
		t.Fatal(err)
	}
	due := func() (days int) {
		t.Helper()
		f := selected(t, a, FindingRequest{Severities: []string{"critical"}})[0]
		shown, _, err := a.Finding(ctx, f.id)
		if err != nil || shown.SLADue.IsZero() {
			t.Fatal(err, shown.SLADue)
		}
		start := shown.FirstSeen.Truncate(24 * time.Hour)
		return int(shown.SLADue.Sub(start).Hours() / 24)
	}
	first := due()
	a.cfg.SLA.Severity.Critical = 50
	if swept, err := a.ApplyRules(ctx); err != nil || swept.Findings == 0 || due() != first+45 {
		t.Errorf("%+v %v: due in %d days", swept, err, due())
	}
	if swept, err := a.ApplyRules(ctx); err != nil || swept.Findings != 0 {
		t.Errorf("%+v %v", swept, err)
	}
}

func TestEveryRowOfAFileOfHostsIsAccountedFor(t *testing.T) {
	a, ctx := seeded(t)
	path := filepath.Join(t.TempDir(), "cmdb.csv")
	text := "\xef\xbb\xbfName;Owner;Tags;Criticality;Exposed\r\n" +
		"www.demo.example;web team;prod|web;high;yes\r\n192.0.2.20;;;;no\r\n192.0.2.20;files;;;\r\n" +
		"new.demo.example;later;;low;\r\n;nobody;;;\r\n192.0.2.30;;;huge;\r\n10.0.0.0/99;x;;;\r\n192.0.2.30;;;;\r\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	doc, err := a.ImportAssets(ctx, path, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, d := range doc.Refused {
		refused += d.Count
	}
	if doc.Records != 8 || doc.Changed != 3 || doc.Kept != 1 || refused != 4 || doc.Records != doc.Changed+doc.Unchanged+doc.Kept+refused || doc.Rerated == 0 {
		t.Errorf("%+v", doc)
	}
	hosts, err := a.Assets(ctx, AssetRequest{Text: "192.0.2.20"})
	if err != nil || len(hosts) != 1 || hosts[0].Owner != "files" || hosts[0].Exposed == nil || *hosts[0].Exposed {
		t.Errorf("%+v %v", hosts, err)
	}
	again, err := a.ImportAssets(ctx, path, "", nil)
	if err != nil || again.Changed != 0 || again.Unchanged != 3 || again.Kept != 1 {
		t.Errorf("%+v %v", again, err)
	}
	rules, err := a.Rules(ctx, false)
	if err != nil || len(rules) != 1 || rules[0].About != "host" {
		t.Errorf("%+v %v", rules, err)
	}
	if _, err := a.ImportAssets(ctx, path, "nowhere", nil); err == nil {
		t.Error("a site that does not exist")
	}
}

func TestClosingAndRetiringSayWhatEnds(t *testing.T) {
	a, ctx := seeded(t)
	f := selected(t, a, FindingRequest{})[0]
	if _, err := a.CloseFindings(ctx, CloseRequest{IDs: []int64{f.id}}); fault.KindOf(err) != fault.KindInvalid {
		t.Errorf("without a reason: %v", err)
	}
	if doc, err := a.CloseFindings(ctx, CloseRequest{IDs: []int64{f.id}, Reason: "gone"}); err != nil || doc.Changed != 1 {
		t.Errorf("%+v %v", doc, err)
	}
	left := len(selected(t, a, FindingRequest{}))
	n, err := a.RetireSensor(ctx, "native", "", "", true)
	if err != nil || n != left || len(selected(t, a, FindingRequest{})) != left {
		t.Errorf("preview: %d of %d %v", n, left, err)
	}
	if n, err = a.RetireSensor(ctx, "native", seedSite, "not used any more", false); err != nil || n != left || len(selected(t, a, FindingRequest{})) != 0 {
		t.Errorf("%d of %d %v", n, left, err)
	}
	shown, _, err := a.Finding(ctx, f.id)
	if err != nil || shown.State != string(finding.Closed) {
		t.Errorf("%s %v", shown.State, err)
	}
}
