package assess_test

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

func (w *world) update(fn func(ctx context.Context, tx *store.EstateTx) error) {
	w.t.Helper()
	ctx := context.Background()
	if err := w.e.Update(ctx, func(tx *store.EstateTx) error { return fn(ctx, tx) }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) rule(r finding.Rule) int64 {
	w.t.Helper()
	r.Created, r.By, r.Enabled, r.Source = w.now, "local:anna", true, finding.SourcePerson
	if err := r.Validate(w.now); err != nil {
		w.t.Fatal(err)
	}
	w.update(func(ctx context.Context, tx *store.EstateTx) error { return tx.SaveRule(ctx, &r) })
	return r.ID
}

func (w *world) listed() (weaknesses []string) {
	w.t.Helper()
	list, err := w.e.Findings(context.Background(), auth.Everything(), finding.Filter{Live: true, ShowHidden: true})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, l := range list {
		if !l.Triage.Hidden(w.now) { // by the world's clock, which is not the store's
			weaknesses = append(weaknesses, string(l.Weakness))
		}
	}
	slices.Sort(weaknesses)
	return weaknesses
}

func (w *world) sweep(anew bool) int {
	w.t.Helper()
	swept, err := w.a.Sweep(context.Background(), nil, anew)
	if err != nil {
		w.t.Fatal(err)
	}
	return swept.Findings
}

func TestAPersonsTriageSurvivesRescansAndRematches(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng)
		w.scan("native", up(), ssh("7.2p2"), covered(1, 1024))
		said := finding.Triage{State: finding.Confirmed, By: "local:anna", At: w.now, Note: "seen it"}
		id := w.finding("CVE-2016-10009").ID
		w.update(func(ctx context.Context, tx *store.EstateTx) error {
			found, err := tx.FindingsByID(ctx, []int64{id})
			if err != nil {
				return err
			}
			f := found[0]
			f.Triage = said
			f.Own.Assign("bob", w.now)
			f.Own.Relabel([]string{"mine"}, nil)
			f.Assignee, f.Labels = "bob", []string{"mine"}
			return tx.SaveWords(ctx, f)
		})
		w.rule(finding.Rule{Where: finding.RuleWhere{Weaknesses: []string{"CVE-2016-10009"}}, Says: finding.RuleSays{State: finding.FalsePositive, Reason: "no", Assign: "team"}})
		check := func(when string) {
			t.Helper()
			f := w.finding("CVE-2016-10009")
			if f.Triage != said || f.Assignee != "bob" || !slices.Equal(f.Labels, []string{"mine"}) {
				t.Errorf("%s: %+v %s %v", when, f.Triage, f.Assignee, f.Labels)
			}
		}
		w.scan("native", up(), ssh("7.2p2"), covered(1, 1024))
		check("rescan")
		w.scan("nmap", up(), ssh("7.2p2"), covered(1, 1024))
		check("another scanner")
		w.scanAt(w.now.AddDate(0, 0, -10), "native", assess.End{}, up(), ssh("7.2p2"), covered(1, 1024))
		check("an old report")
		if _, err := w.a.Rematch(ctx); err != nil {
			t.Fatal(err)
		}
		check("rematch")
		w.sweep(true)
		check("sweep")
		w.scan("native", up(), ssh("9.9p1"), covered(1, 1024))
		w.scan("nmap", up(), ssh("9.9p1"), covered(1, 1024))
		w.scan("native", up(), ssh("7.2p2"), covered(1, 1024))
		check("fixed and reopened")
	})
}

func TestARuleSpeaksOfFindingsOfTodayAndTomorrowUntilItEnds(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng)
		w.scan("native", up(), ssh("7.2p2"), covered(1, 1024))
		last := w.now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 3)
		id := w.rule(finding.Rule{Expires: last, Where: finding.RuleWhere{Hosts: []string{"10.0.0.0/24"}, Severities: []string{"high", "critical"}},
			Says: finding.RuleSays{State: finding.Accepted, Reason: "the lab", Labels: []string{"lab"}}})
		if n := w.sweep(false); n == 0 || len(w.listed()) != 0 {
			t.Fatalf("%d changed, still in the list: %v", n, w.listed())
		}
		w.scan("native", up(), ssh("7.2p2"), httpd("2.4.49"), covered(1, 1024))
		f := w.finding("CVE-2021-41773")
		if f.Triage.Rule != id || !slices.Equal(f.Labels, []string{"lab"}) || len(w.listed()) != 0 {
			t.Fatalf("a new finding: %+v %v; in the list: %v", f.Triage, f.Labels, w.listed())
		}
		w.now = last.AddDate(0, 0, 1).Add(time.Hour) // nothing runs in between
		if n := w.sweep(false); n == 0 {
			t.Error("the rule's words were not taken back")
		}
		if f = w.finding("CVE-2021-41773"); f.Triage.Rule != 0 || f.Triage.State != finding.Untriaged || f.Labels != nil {
			t.Errorf("%+v %v", f.Triage, f.Labels)
		}
		changes, err := w.e.Changes(ctx, auth.Everything(), finding.OfFinding, f.ID)
		if err != nil || len(changes) < 3 {
			t.Fatalf("%+v %v", changes, err)
		}
		if c := changes[0]; c.Kind != finding.ChangeTriage || c.Rule != id || !strings.HasPrefix(c.To, "accepted until ") || c.By == "" {
			t.Errorf("%+v", c)
		}
		if n := w.sweep(false); n != 0 {
			t.Errorf("sweeping again changed %d", n)
		}
	})
}

func TestExposureByRuleChangesTheDecisionOfPresentAndFutureHosts(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng)
		w.scan("native", up(), ssh("7.2p2"), covered(1, 1024))
		yes, no := true, false
		before := w.finding("CVE-2016-10009")
		rule := asset.Rule{Enabled: true, Created: w.now, By: "local:anna", Where: asset.RuleWhere{Hosts: []string{"10.0.0.0/8"}},
			Says: asset.RuleSays{Exposed: &yes, Owner: "web team", Tags: []string{"dmz"}, Criticality: "high"}}
		w.update(func(ctx context.Context, tx *store.EstateTx) error { return tx.SaveHostRule(ctx, &rule) })
		swept, err := w.a.Sweep(ctx, nil, false)
		if err != nil || swept.Assets != 1 || swept.Rerated == 0 {
			t.Fatalf("%+v %v", swept, err)
		}
		after := w.finding("CVE-2016-10009")
		if before.Decision != "track" || after.Decision != "attend" || !after.Exposed {
			t.Errorf("%s -> %s", before.Decision, after.Decision)
		}
		w.scan("native", finding.Event{Host: &finding.HostSeen{Address: netip.MustParseAddr("10.9.9.9"), Status: "up"}})
		hosts, err := w.e.Hosts(ctx, auth.Everything(), store.HostFilter{Text: "10.9.9.9"})
		if err != nil || len(hosts) != 1 || hosts[0].Owner != "web team" || hosts[0].Exposed == nil || !slices.Equal(hosts[0].Tags, []string{"dmz"}) {
			t.Fatalf("%+v %v", hosts, err)
		}
		if err := w.e.SetExposed(ctx, before.HostID, &no); err != nil {
			t.Fatal(err)
		}
		w.scan("native", up(), ssh("7.2p2"), covered(1, 1024))
		if f := w.finding("CVE-2016-10009"); f.Exposed || f.Decision != "track" {
			t.Errorf("a person's word on the host: %s %v", f.Decision, f.Exposed)
		}
		w.update(func(ctx context.Context, tx *store.EstateTx) error { return tx.RemoveRule(ctx, rule.ID) })
		w.sweep(false)
		if hosts, _ = w.e.Hosts(ctx, auth.Everything(), store.HostFilter{Text: "10.9.9.9"}); hosts[0].Owner != "" || hosts[0].Exposed != nil || hosts[0].Tags != nil {
			t.Errorf("a removed rule's word stayed: %+v", hosts[0])
		}
	})
}

func TestDueDaysFollowTheTermsAndAreNeverMovedLaterByAScan(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		w := newWorld(t, eng)
		plain := w.a
		w.a = plain.WithTerms(finding.Terms{Severity: map[string]int{"high": 10}})
		w.scan("native", up(), ssh("7.2p2"), covered(1, 1024))
		first := w.finding("CVE-2016-10009")
		want := first.FirstSeen.UTC().Truncate(24*time.Hour).AddDate(0, 0, 10)
		if !first.SLADue.Equal(want) {
			t.Fatalf("due %s, want %s", first.SLADue, want)
		}
		w.a = plain.WithTerms(finding.Terms{Severity: map[string]int{"high": 30}})
		w.scan("native", up(), ssh("7.2p2"), covered(1, 1024))
		if again := w.finding("CVE-2016-10009"); !again.SLADue.Equal(want) {
			t.Errorf("a rescan moved the day to %s", again.SLADue)
		}
		if n := w.sweep(true); n == 0 {
			t.Error("new terms, applied anew, changed nothing")
		}
		if f := w.finding("CVE-2016-10009"); !f.SLADue.Equal(want.AddDate(0, 0, 20)) {
			t.Errorf("due %s by the new terms", f.SLADue)
		}
	})
}

func TestWhatAPersonEndedReopensWhenItIsSeenAgain(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng)
		w.scan("native", up(), ssh("7.2p2"), httpd("2.4.49"), covered(1, 1024))
		f := w.finding("CVE-2021-41773")
		d := finding.Decree{At: w.now.Add(time.Hour), Reason: finding.ByPerson, By: "local:anna", Note: "switched off"}
		n, err := w.a.CloseFindings(ctx, map[int64][]int64{f.HostID: {f.ID}}, d)
		if err != nil || n != 1 {
			t.Fatal(n, err)
		}
		if got := w.finding("CVE-2021-41773"); got.State != finding.Closed || got.ClosedBy != "local:anna" || got.Closing != finding.ByPerson {
			t.Errorf("%+v", got.Life)
		}
		if other := w.finding("CVE-2016-10009"); !other.State.Live() {
			t.Error("another finding was closed")
		}
		if n, err = w.a.CloseFindings(ctx, map[int64][]int64{f.HostID: {f.ID}}, d); err != nil || n != 0 {
			t.Errorf("closed twice: %d %v", n, err)
		}
		w.scan("native", up(), ssh("7.2p2"), httpd("2.4.49"), covered(1, 1024))
		if got := w.finding("CVE-2021-41773"); got.State != finding.Reopened {
			t.Errorf("%s", got.State)
		}
	})
}

func TestARetiredSensorsFindingsEndAndThePreviewSaysHowMany(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng)
		w.scan("native", up(), ssh("7.2p2"), covered(1, 1024))
		w.scan("nmap", up(), httpd("2.4.49"))
		hosts, err := w.e.SensorHosts(ctx, auth.Everything(), asset.DefaultSite, "nmap")
		if err != nil || len(hosts) != 1 {
			t.Fatal(hosts, err)
		}
		d := finding.Decree{At: w.now.Add(time.Hour), Reason: finding.SensorRetired, By: "local:anna", Sensor: "nmap"}
		preview, err := w.a.Preview(ctx, d, hosts)
		if err != nil || preview != 2 {
			t.Fatalf("preview %d %v", preview, err)
		}
		if !w.finding("CVE-2021-41773").State.Live() {
			t.Fatal("the preview closed something")
		}
		n, err := w.a.Decree(ctx, asset.DefaultSite, d, hosts)
		if err != nil || n != preview {
			t.Errorf("ended %d of %d %v", n, preview, err)
		}
		if f := w.finding("CVE-2021-41773"); f.State != finding.Closed || f.Closing != finding.SensorRetired {
			t.Errorf("%+v", f.Life)
		}
		if !w.finding("CVE-2016-10009").State.Live() {
			t.Error("what another sensor sees stands")
		}
		gone := finding.Decree{At: w.now.Add(2 * time.Hour), Reason: finding.HostRetired, By: "local:anna"}
		if n, err := w.a.Decree(ctx, asset.DefaultSite, gone, hosts); err != nil || n == 0 || w.finding("CVE-2016-10009").State.Live() {
			t.Errorf("retired host: %d %v", n, err)
		}
		w.scan("native", up(), ssh("7.2p2"), covered(1, 1024))
		if got := w.finding("CVE-2016-10009").State; got != finding.Reopened {
			t.Errorf("a retired host that answers again: %s", got)
		}
	})
}
