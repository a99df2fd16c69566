package app

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/api"
	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/live"
	"github.com/patchscout/patchscout/internal/report"
)

// asToken gives a user of some sites, and a token of his.
func asToken(t *testing.T, a *App, name string, view auth.View) (token string, who auth.Identity) {
	t.Helper()
	ctx := context.Background()
	user, err := a.store.Estate().AddUser(ctx, auth.User{Name: name, Role: auth.Viewer, View: view, Created: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	token, hash := auth.NewToken()
	_, err = a.store.Estate().AddToken(ctx, auth.APIToken{Hash: hash, User: user, Name: "watching", Role: auth.Viewer, View: auth.Everything(), Created: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if who, err = a.keeper().ByToken(ctx, token, "127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	return token, who
}

func scanOf(t *testing.T, a *App, site string) int64 {
	t.Helper()
	id, err := a.store.Estate().CreateScan(context.Background(), finding.Scan{Kind: finding.KindScan, Site: site, Status: finding.Running, Created: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestWhoeverSeesAScanMayWatchItUntilHisAccessEnds(t *testing.T) {
	a, ctx := open(t), context.Background()
	if err := a.AddSite(ctx, "branch", false); err != nil {
		t.Fatal(err)
	}
	here, elsewhere := scanOf(t, a, asset.DefaultSite), scanOf(t, a, "branch")
	_, who := asToken(t, a, "anna", auth.OfSites(asset.DefaultSite))
	his := a.For(who)
	w, err := his.Watch(ctx, here, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	if _, err := his.Watch(ctx, elsewhere, 0, false); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("a scan of another site: %v", err)
	}
	if _, err := his.MakeTicket(ctx, elsewhere); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("a ticket for a scan of another site: %v", err)
	}
	ticket, err := his.MakeTicket(ctx, here)
	if err != nil {
		t.Fatal(err)
	}
	holder, err := a.For(auth.Identity{}).UseTicket(ctx, ticket.Ticket, here)
	if err != nil || holder.Name != who.Name || holder.View.All() || !holder.View.Sees(asset.DefaultSite) || holder.Token != who.Token {
		t.Fatalf("the ticket's holder is %+v (%v)", holder, err)
	}
	for name, watcher := range map[string]*App{"by his token": his, "by a ticket": a.For(holder)} {
		if over, err := watcher.StillWatches(ctx, here); over || err != nil {
			t.Errorf("%s: %v, %v", name, over, err)
		}
	}
	var unused []string
	for range 2 {
		ticket, err := his.MakeTicket(ctx, here)
		if err != nil {
			t.Fatal(err)
		}
		unused = append(unused, ticket.Ticket)
	}
	if _, err := a.store.Estate().ChangeUser(ctx, who.User, func(u *auth.User) error { u.View = auth.OfSites("branch"); return nil }); err != nil {
		t.Fatal(err)
	}
	if holder, err := a.For(auth.Identity{}).UseTicket(ctx, unused[0], here); err != nil || holder.View.Sees(asset.DefaultSite) {
		t.Errorf("a ticket of before his sites changed: %+v, %v", holder, err)
	}
	if _, err := his.StillWatches(ctx, here); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("after his sites changed: %v", err)
	}
	if err := a.store.Estate().RevokeToken(ctx, who.Token); err != nil {
		t.Fatal(err)
	}
	if holder, err := a.For(auth.Identity{}).UseTicket(ctx, unused[1], here); fault.KindOf(err) != fault.KindDenied {
		t.Errorf("a ticket of a token that was revoked: %+v, %v", holder, err)
	}
	for name, watcher := range map[string]*App{"by his token": his, "by a ticket": a.For(holder)} {
		if _, err := watcher.StillWatches(ctx, here); fault.KindOf(err) != fault.KindDenied {
			t.Errorf("%s, revoked: %v", name, err)
		}
	}
}

func TestAnImportIsWatchedWithItsLedgerSoFar(t *testing.T) {
	a, ctx := open(t), context.Background()
	doc, err := a.Import(ctx, ImportRequest{Files: []string{"-"}, Stdin: strings.NewReader(nmapXML), Tool: "nmap"})
	if err != nil {
		t.Fatal(err)
	}
	id := doc.Files[0].ID
	if err := a.hub.Flush(ctx, id); err != nil {
		t.Fatal(err)
	}
	server := api.New(api.Options{Version: "test", Desk: func(who auth.Identity) api.Desk { return a.For(who) },
		Authenticate: func(*http.Request) (auth.Identity, error) { return auth.ForSystem(), nil }})
	web := httptest.NewServer(server.Handler())
	defer web.Close()
	resp, err := http.Get(fmt.Sprintf("%s/api/v1/scans/%d/events", web.URL, id))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var kinds []string
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if text, found := bytes.CutPrefix(lines.Bytes(), []byte("data: ")); found {
			_, rest, _ := strings.Cut(string(text), `"type":"`)
			kind, data, _ := strings.Cut(rest, `"`)
			if kind == "progress" && !strings.Contains(data, `"ledger":{"tool":"nmap"`) {
				t.Errorf("no ledger in %s", text)
			}
			kinds = append(kinds, kind)
		}
	}
	if got := strings.Join(kinds, " "); !strings.HasPrefix(got, "state") || !strings.HasSuffix(got, "progress end") {
		t.Errorf("told: %s", got)
	}
}

func TestAHostIsToldOnceWhoeverSeesIt(t *testing.T) {
	a := open(t)
	w := &work{App: a, id: scanOf(t, a, asset.DefaultSite)}
	service := func(product string) finding.Event {
		return finding.Event{Service: &finding.ServiceSeen{HostName: "a.example", Port: 22, Protocol: "tcp", Product: product}}
	}
	up := finding.Event{Host: &finding.HostSeen{Names: []string{"a.example"}, Status: "up"}}
	for _, e := range []finding.Event{up, service("OpenSSH"), up, service("")} {
		w.tell("native", e)
	}
	if err := a.hub.Flush(context.Background(), w.id); err != nil {
		t.Fatal(err)
	}
	next := &work{App: a, id: w.id, tasks: w.tasks}
	next.told.recallAll(next)
	next.tell("nmap", up)
	next.tell("nmap", service("OpenSSH"))
	if err := a.hub.Flush(context.Background(), w.id); err != nil {
		t.Fatal(err)
	}
	events, err := a.store.Estate().EventsSince(context.Background(), w.id, 0, 10)
	if err != nil || len(events) != 2 || events[0].Type != live.Host || events[1].Type != live.Service {
		t.Errorf("told %+v (%v)", events, err)
	}
}

func TestAMessageAboutAHugeScanIsShort(t *testing.T) {
	s := report.ScanStatus{}
	for range 5000 {
		s.Targets = append(s.Targets, strings.Repeat("x", 250))
	}
	reason := strings.Repeat("y", 100_000)
	s.Reason = &reason
	if s = short(s); len(s.Targets) > shortList || len(*s.Reason) > 8<<10 {
		t.Errorf("%d targets, a reason of %d bytes", len(s.Targets), len(*s.Reason))
	}
}
