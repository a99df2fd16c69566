package app

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// dueIn says in how many days from when it was seen each finding is due by the organisation's terms, by severity; none
// is -1.
func dueIn(t *testing.T, a *App) map[string]int {
	t.Helper()
	list, err := a.Findings(context.Background(), FindingRequest{State: "all", Hidden: true})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for _, f := range list.Findings {
		days := -1
		if !f.SLADue.IsZero() {
			days = int(f.SLADue.Sub(f.FirstSeen.Truncate(24*time.Hour)).Hours() / 24)
		}
		if known, twice := out[f.Severity]; twice && known != days {
			t.Errorf("%s findings are due in %d and in %d days", f.Severity, known, days)
		}
		out[f.Severity] = days
	}
	return out
}

// dueAgain waits for the job that works the due dates out anew.
func dueAgain(t *testing.T, a *App, doc report.SLA) {
	t.Helper()
	if doc.JobID == nil {
		t.Fatalf("no job: %+v", doc)
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		j, err := a.Job(context.Background(), *doc.JobID)
		if err != nil {
			t.Fatal(err)
		}
		if j.State == "done" {
			return
		}
	}
	t.Fatalf("job %d does not end", *doc.JobID)
}

func TestTermsThatAreSetStandBeforeTheFile(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		ctx := context.Background()
		a.cfg.SLA.Severity.Critical, a.cfg.SLA.Severity.High = 7, 30
		b, err := a.startBackground(ctx, duties{version: "test"})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := b.stop(ctx); err != nil {
				t.Error(err)
			}
		}()
		at := a.now().UTC().Truncate(time.Second).Add(-48 * time.Hour)
		weak := func(at time.Time, port uint16) func(func(string, finding.Event)) {
			return func(say func(string, finding.Event)) {
				say("native", finding.Event{Host: &finding.HostSeen{Address: address(1), Status: "up", At: at}})
				for _, severity := range []string{"critical", "high", "low"} {
					say("native", finding.Event{Observation: &finding.Observation{Address: address(1), Protocol: "tcp", Port: port, Check: "native:" + severity,
						Title: severity, Severity: severity, Confidence: 95, At: at}})
				}
			}
		}
		scannedAt(t, a, "default", at, nil, weak(at, 22))
		expect := func(when string, critical, high, low int) {
			t.Helper()
			if got := dueIn(t, a); got["critical"] != critical || got["high"] != high || got["low"] != low {
				t.Errorf("%s: %v, want %d, %d, %d", when, got, critical, high, low)
			}
		}
		expect("by the file", 7, 30, -1)

		doc, err := a.ChangeSLA(ctx, request.SLA{Severity: map[string]*int{"critical": new(20), "high": new(0), "low": new(90), "info": nil}})
		if err != nil || doc.Source != "settings" || doc.Severity.Critical != 20 || doc.Severity.High != 0 || doc.File.Severity.High != 30 || doc.ChangedAt == nil {
			t.Fatalf("%+v %v", doc, err)
		}
		dueAgain(t, a, doc)
		expect("later, none, and one that had none", 20, -1, 90)
		scannedAt(t, a, "default", at.Add(time.Hour), nil, weak(at.Add(time.Hour), 80))
		expect("what is found after it was set", 20, -1, 90)

		again, err := Open(ctx, a.cfg, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if kept, err := again.SLA(ctx); err != nil || kept.Severity != doc.Severity || kept.Source != "settings" || kept.By != doc.By {
			t.Errorf("after a restart: %+v %v", kept, err)
		}
		if err := again.Close(); err != nil {
			t.Error(err)
		}

		if same, err := a.ChangeSLA(ctx, request.SLA{Severity: map[string]*int{"critical": new(20), "high": new(0), "low": new(90)}}); err != nil || same.JobID != nil {
			t.Errorf("the same again: %+v %v", same, err)
		}
		doc, err = a.ChangeSLA(ctx, request.SLA{Severity: map[string]*int{"low": new(90)}})
		if err != nil || doc.Source != "settings" || doc.Severity.Critical != 7 || doc.Severity.High != 30 {
			t.Fatalf("%+v %v", doc, err)
		}
		dueAgain(t, a, doc)
		expect("two are the file's again", 7, 30, 90)
		doc, err = a.ChangeSLA(ctx, request.SLA{})
		if err != nil || doc.Source != "file" || doc.ChangedAt != nil || doc.Decision != doc.File.Decision || doc.Severity != doc.File.Severity {
			t.Fatalf("%+v %v", doc, err)
		}
		dueAgain(t, a, doc)
		expect("all is the file's again", 7, 30, -1)

		entries, err := a.store.Estate().Audit(ctx, auth.AuditFilter{Action: "settings.sla"})
		if err != nil || len(entries) != 4 || entries[3].Detail != "the configuration file's → critical 20, high 0, low 90" || entries[3].Outcome != auth.Done {
			t.Errorf("%+v %v", entries, err)
		}
	})
}

func TestTermsThatAreNoTerms(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		for _, days := range []int{-1, 3651} {
			if _, err := a.ChangeSLA(context.Background(), request.SLA{Decision: map[string]*int{"act": &days}}); fault.KindOf(err) != fault.KindInvalid {
				t.Errorf("%d days: %v", days, err)
			}
		}
		if doc, err := a.SLA(context.Background()); err != nil || doc.Source != "file" {
			t.Errorf("%+v %v", doc, err)
		}
	})
}

// The small things that pages rest on.
func TestWhatPagesAskOfTheirAsker(t *testing.T) {
	d := openDoor(t, nil)
	var ways report.LoginWays
	d.read("GET", "/api/v1/auth/ways", &ways)
	if !ways.Fresh {
		t.Error("nobody has logged in, and it is not fresh")
	}
	root := d.user("root", auth.Admin, false)
	d.read("GET", "/api/v1/auth/ways", &ways)
	if !ways.Fresh {
		t.Error("a user who never logged in ends it")
	}
	session := d.session(root)
	d.read("GET", "/api/v1/auth/ways", &ways)
	if ways.Fresh {
		t.Error("somebody has logged in, and it is fresh")
	}
	var me report.Me
	d.read("GET", "/api/v1/auth/me", &me, session...)
	if me.ExpiresAt == nil || me.ExpiresAt.Before(time.Now().Add(d.app.cfg.Server.SessionMax-time.Minute)) {
		t.Errorf("the session ends %v", me.ExpiresAt)
	}

	if err := d.app.AddSite(t.Context(), "branch", false); err != nil {
		t.Fatal(err)
	}
	narrow := d.user("anna", auth.Viewer, false)
	if _, err := d.app.ChangeUser(t.Context(), narrow.ID, UserChangeRequest{Sites: &[]string{"branch"}}); err != nil {
		t.Fatal(err)
	}
	narrow, err := d.app.store.Estate().User(t.Context(), narrow.ID)
	if err != nil {
		t.Fatal(err)
	}
	var made report.TokenMade
	d.send("POST", "/api/v1/tokens", `{"name":"t"}`, &made, d.session(narrow)...)
	if made.AllSites || len(made.Sites) != 1 || made.Sites[0] != "branch" {
		t.Errorf("her token sees %v %v", made.AllSites, made.Sites)
	}
	var list report.TokenList
	d.read("GET", "/api/v1/tokens", &list, session...)
	for _, k := range list.Tokens {
		if k.User == "anna" && (k.AllSites || len(k.Sites) != 1) {
			t.Errorf("the list has %+v", k)
		}
	}
	d.send("POST", "/api/v1/tokens", `{"name":"all"}`, &made, session...)
	if !made.AllSites || len(made.Sites) != 0 {
		t.Errorf("an admin's token sees %v %v", made.AllSites, made.Sites)
	}
}

func (d *door) read(method, path string, into any, headers ...string) {
	d.t.Helper()
	d.send(method, path, "", into, headers...)
}

// send asks and reads an answer of success.
func (d *door) send(method, path, body string, into any, headers ...string) {
	d.t.Helper()
	resp, text := d.ask(method, path, body, headers...)
	if resp.StatusCode >= 300 {
		d.t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, text)
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		d.t.Fatal(err)
	}
}

// A finding's page shows what else answers on its host.
func TestAFindingShowsTheServicesOfItsHost(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		p := furnish(t, a, "mine")
		v, err := a.Vulnerability(context.Background(), p.finding)
		if err != nil || len(v.HostFacts.Services) != 1 || v.HostFacts.Services[0].Port != 22 || v.ServiceFacts == nil {
			t.Errorf("%+v %v", v.HostFacts, err)
		}
	})
}

func TestAnUnknownParameterIsToldWhichThereAre(t *testing.T) {
	d := openDoor(t, nil)
	root := d.user("root", auth.Admin, false)
	resp, text := d.ask("GET", "/api/v1/scans/1/compare?against=2", "", d.session(root)...)
	if resp.StatusCode != 422 || !strings.Contains(text, "unknown query parameter: this operation has cursor, limit, what, with") {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	if resp, text = d.ask("GET", "/api/v1/auth/me?x=1", "", d.session(root)...); resp.StatusCode != 422 || !strings.Contains(text, "unknown query parameter: this operation has none") {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}
