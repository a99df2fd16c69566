package app

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// seesWeaknesses tells the product of a scan of one host that found these checks on its port 22, and looked for all of them.
func seesWeaknesses(t *testing.T, a *App, at time.Time, found ...string) {
	t.Helper()
	ctx := context.Background()
	run, err := a.assessor().Begin(ctx, finding.Scan{Kind: finding.KindScan, Site: "default", Targets: []string{"10.0.0.1"}, By: "anna", Created: at})
	if err != nil {
		t.Fatal(err)
	}
	addr := netip.MustParseAddr("10.0.0.1")
	all := []string{"check-0", "check-1", "check-2", "check-3"}
	ports := []finding.PortRange{{First: 1, Last: 1000}}
	events := []finding.Event{
		{Host: &finding.HostSeen{Address: addr, Status: "up", At: at}},
		{Service: &finding.ServiceSeen{Address: addr, Protocol: "tcp", Port: 22, Name: "ssh", At: at}},
	}
	for _, check := range found {
		o := &finding.Observation{Address: addr, Protocol: "tcp", Port: 22, Check: "native:" + check, Title: "a weak setting", Remedy: "turn it off", Severity: "high", Confidence: 95, At: at}
		if strings.HasPrefix(check, "CVE-") {
			id, err := cve.ParseID(check)
			if err != nil {
				t.Fatal(err)
			}
			o.Check, o.CVEs = "native:"+strings.ToLower(check), []cve.ID{id}
			all = append(all, strings.ToLower(check))
		}
		events = append(events, finding.Event{Observation: o})
	}
	events = append(events, finding.Event{Coverage: &finding.Coverage{Address: addr, Protocol: "tcp", Ports: ports, Checks: all, At: at}})
	for _, e := range events {
		if err := run.Emit("native", e); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := run.Finish(ctx, assess.End{Status: finding.Completed, Scanners: []finding.ScannerRun{{Name: "native", Status: "completed"}}}); err != nil {
		t.Fatal(err)
	}
}

// loadKEV loads a catalogue of exploited vulnerabilities: CVEs with the day on which each was added.
func loadKEV(t *testing.T, a *App, added map[string]time.Time) {
	t.Helper()
	dir := t.TempDir()
	var entries []string
	for id, day := range added {
		entries = append(entries, fmt.Sprintf(`{"cveID":%q,"vendorProject":"Acme","product":"Widget","vulnerabilityName":"Acme Widget <b>hole</b>","dateAdded":%q,
			"shortDescription":"x","requiredAction":"y","dueDate":%q,"knownRansomwareCampaignUse":"Known","notes":""}`, id, day.Format(time.DateOnly), day.AddDate(0, 0, 21).Format(time.DateOnly)))
	}
	text := fmt.Sprintf(`{"title":"CISA Catalog of Known Exploited Vulnerabilities","catalogVersion":"2026.11.20","dateReleased":%q,"count":%d,"vulnerabilities":[%s]}`,
		time.Now().UTC().Format(time.RFC3339), len(entries), strings.Join(entries, ","))
	if err := os.WriteFile(filepath.Join(dir, "known_exploited_vulnerabilities.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if doc, err := a.SyncFeeds(context.Background(), SyncRequest{From: dir, Force: true}, nil); err != nil || len(doc.Runs) == 0 || doc.Runs[0].Status != "ok" {
		t.Fatalf("%+v, %v", doc, err)
	}
}

func TestTodayTellsWhatToActOnAndWhatChanged(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		ctx := context.Background()
		now := a.now().UTC()
		visit := now.Add(-24 * time.Hour)
		today, err := a.Today(ctx, "")
		if err != nil {
			t.Fatal(err)
		}
		if today.Since != nil || today.Changes != nil || today.First != (report.FirstSteps{}) || len(today.DueSoon) != 14 {
			t.Errorf("an empty estate: %+v", today)
		}
		seesWeaknesses(t, a, now.Add(-72*time.Hour), "check-0", "check-1", "check-2", "check-3")
		seesWeaknesses(t, a, now.Add(-48*time.Hour), "check-0", "check-1", "check-2")                                   // check-3 is fixed before the visit
		seesWeaknesses(t, a, now.Add(-1*time.Hour), "check-1", "check-3", "CVE-2024-6387", "CVE-2021-44228", "check-2") // check-0 is fixed, check-3 is back
		loadKEV(t, a, map[string]time.Time{"CVE-2024-6387": now, "CVE-2021-44228": now.AddDate(0, 0, -91), "CVE-2020-0001": now})

		if _, err := a.Tag(ctx, TagRequest{Hosts: []string{"10.0.0.1"}, Exposed: "yes"}); err != nil { // what is exploited there is urgent
			t.Fatal(err)
		}
		setAside := func(check, state string) {
			t.Helper()
			list, err := a.Findings(ctx, FindingRequest{Weakness: "native:" + check})
			if err != nil || len(list.Findings) != 1 {
				t.Fatalf("%s: %+v, %v", check, list, err)
			}
			if state == "closed" {
				_, err = a.CloseFindings(ctx, CloseRequest{IDs: []int64{list.Findings[0].ID}, Reason: "by hand"})
			} else {
				_, err = a.Triage(ctx, TriageRequest{IDs: []int64{list.Findings[0].ID}, State: state, Reason: "x"})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		setAside("check-1", "false_positive")
		setAside("check-2", "closed")

		if today, err = a.Today(ctx, visit.Format(time.RFC3339)); err != nil {
			t.Fatal(err)
		}
		if want := (report.Changes{New: 2, Fixed: 1, Reopened: 1, Scans: 3, KEV: 1}); today.Changes == nil || *today.Changes != want {
			t.Errorf("changes %+v, want %+v: what people set aside or closed is not fixed", today.Changes, want)
		}
		if len(today.NewlyExploited) != 1 || !today.KEVKnown {
			t.Fatalf("newly exploited: %+v", today.NewlyExploited)
		}
		if e := today.NewlyExploited[0]; e.CVE != "CVE-2024-6387" || e.Since.String() != now.Format(time.DateOnly) || !e.Ransomware || e.Findings != 1 || e.Hosts != 1 || e.Title == "" {
			t.Errorf("%+v", e)
		}
		if today.Counts.Confirmed != 3 || !today.First.Scans || today.First.Imports || !today.First.Feeds || len(today.Actions) == 0 {
			t.Errorf("%+v", today)
		}
		due := today.Overdue
		for _, d := range today.DueSoon {
			due += d.Findings
		}
		if due == 0 || !today.DueSoon[0].Day.Equal(now.Truncate(24*time.Hour)) {
			t.Errorf("nothing is due: %+v", today.DueSoon)
		}
		// Every number leads to its list.
		since := visit.Format(time.RFC3339)
		for _, list := range []struct {
			want int
			req  FindingRequest
		}{
			{today.Changes.New, FindingRequest{FirstSeenAfter: since, Confirmed: true}},
			{today.Changes.Fixed, FindingRequest{State: "fixed", ClosedAfter: since, Confirmed: true}},
			{today.Changes.Reopened, FindingRequest{ReturnedAfter: since, Confirmed: true}},
			{today.Overdue, FindingRequest{Overdue: true, Confirmed: true}},
			{due, FindingRequest{DueBefore: now.AddDate(0, 0, 14).Format(time.DateOnly), Confirmed: true}},
			{today.Counts.Total, FindingRequest{}},
		} {
			if counts, err := a.FindingCounts(ctx, list.req); err != nil || counts.Total != list.want {
				t.Errorf("%+v lists %d, Today says %d (%v)", list.req, counts.Total, list.want, err)
			}
		}
		trend, err := a.Trend(ctx, request.Trend{Days: 7})
		if err != nil || len(trend.Days) != 4 || trend.Since.String() != now.Add(-72*time.Hour).Format(time.DateOnly) {
			t.Fatalf("%+v, %v", trend, err)
		}
		if last := trend.Days[3]; last.Open != 3 {
			t.Errorf("%+v", trend.Days)
		}
		if trend.Days[1].Fixed != 1 {
			t.Errorf("check-3 was fixed on the second day: %+v", trend.Days)
		}
	})
}

func TestChangesAreToldSinceTheLastVisit(t *testing.T) {
	d := openDoor(t, nil)
	anna, ben := d.user("anna", auth.Viewer, false), d.user("ben", auth.Viewer, false)
	since := func(u auth.User) *time.Time {
		t.Helper()
		doc, err := d.app.For(u.Identity(auth.Session, "127.0.0.1")).Today(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		if (doc.Since == nil) != (doc.Changes == nil) {
			t.Errorf("since %v with changes %v", doc.Since, doc.Changes)
		}
		return doc.Since
	}
	if got := since(anna); got != nil {
		t.Errorf("visited before the first visit: %s", got)
	}
	before := len(d.trail())
	if resp, text := d.ask("POST", "/api/v1/today/visit", "", d.session(anna)...); resp.StatusCode != 204 {
		t.Fatalf("%d %s", resp.StatusCode, text)
	}
	if got := since(anna); got == nil || time.Since(*got) > time.Minute {
		t.Errorf("anna's last visit: %v", got)
	}
	if got := since(ben); got != nil {
		t.Errorf("ben's last visit: %s", got)
	}
	if n := len(d.trail()); n != before {
		t.Errorf("looking left %d entries in the audit trail", n-before)
	}
	off := d.app.For(auth.Identity{Kind: auth.Off, Name: "anybody", Role: auth.Admin, View: auth.Everything()})
	if err := off.Visit(t.Context()); err != nil {
		t.Errorf("a visit where nobody logs in: %v", err)
	}
	if _, err := off.Today(t.Context(), "yesterday"); err == nil {
		t.Error("since yesterday is understood")
	}
}
