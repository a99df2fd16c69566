package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/live"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/store"
)

// openHub makes the hub through which scans tell what they do, in a server as in a command: another process on the same
// data may watch.
func (a *App) openHub() {
	opts := live.Options{Log: a.log, Now: a.now}
	if a.store.Engine() == store.Postgres {
		opts.Listen = func(ctx context.Context, tell func(string)) { a.store.Listen(ctx, store.LiveChannel, tell) }
		opts.Poll = 10 * time.Second // only in case a word gets lost
	}
	a.hub = live.NewHub(a.store.Estate(), opts)
	a.hub.Start()
}

// publish tells what happens to a scan.
func (a *App) publish(scan int64, kind live.Type, data any) {
	if a.hub != nil {
		a.hub.Publish(scan, kind, data)
	}
}

// publishState tells where a scan stands, when that changes otherwise than by getting on.
func (a *App) publishState(ctx context.Context, id int64) {
	status, err := a.For(auth.ForSystem()).ScanStatus(ctx, id)
	if err != nil {
		a.log.Debug("the state of a scan was not told", "scan_id", id, "error", err)
		return
	}
	a.publish(id, live.State, short(status))
}

// publishBegin tells that this process works on the scan now, and what it left out.
func (w *work) publishBegin(ctx context.Context) {
	w.publishState(ctx, w.id)
	for _, note := range w.notes {
		w.publish(w.id, live.Log, report.LiveSentence{Text: finding.Cut(note, 4<<10)})
	}
}

// shortList is how many targets a message about a scan names; the scan itself has all.
const shortList = 100

// short is a status that fits into a message whatever was scanned.
func short(s report.ScanStatus) report.ScanStatus {
	s.Targets = s.Targets[:min(len(s.Targets), shortList)]
	s.Target = finding.Cut(s.Target, 1<<10)
	size := 0
	for i, t := range s.Targets {
		if size += len(t); size > 16<<10 {
			s.Targets = s.Targets[:i]
			break
		}
	}
	if s.Reason != nil {
		reason := finding.Cut(*s.Reason, 4<<10)
		s.Reason = &reason
	}
	for i := range s.Scanners {
		s.Scanners[i].Error = report.Text(finding.Cut(string(s.Scanners[i].Error), 1<<10))
	}
	return s
}

// watchRuns has the pipeline tell of findings as they are kept, and of the end.
func (a *App) watchRuns() assess.Watch {
	return assess.Watch{Slice: a.publishSlice, Ended: func(s finding.Scan) { a.publish(s.ID, live.End, short(a.endOf(s))) }}
}

// endOf is where a scan stands that has just ended.
func (a *App) endOf(s finding.Scan) report.ScanStatus {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	everything := a.For(auth.Identity{View: auth.Everything()})
	control, err := everything.control(ctx, s.ID)
	if control == nil {
		control = &store.Control{}
	}
	out := toStatus(s, *control)
	if err = errors.Join(err, everything.addProblems(ctx, s, &out)); err != nil {
		a.log.Warn("the end of a scan is told in part", "scan_id", s.ID, "error", err)
	}
	return out
}

// tenths cuts a percentage to what people read; 100 stays for what is over.
func tenths(percent float64) float64 { return math.Floor(percent*10) / 10 }

func (a *App) publishSlice(s assess.Slice) {
	for _, seen := range s.Seen {
		a.publish(s.Scan.ID, live.Finding, liveFinding(seen, s.Ledger.Tool))
	}
	if s.Scan.Kind == finding.KindImport {
		a.publish(s.Scan.ID, live.Progress, importProgress(s.Ledger))
	}
}

func importProgress(l finding.Ledger) report.LiveProgress {
	done := l.New + l.Merged + l.Informational + l.DroppedTotal() - l.Expanded
	p := report.LiveProgress{Percent: 100, Stage: "storing", Tasks: report.TaskCount{Total: 1}, Ledger: &report.LiveLedger{Tool: l.Tool,
		Records: l.Records, Expanded: l.Expanded, New: l.New, Merged: l.Merged, Informational: l.Informational, Dropped: l.DroppedTotal()}}
	if done < l.Records {
		p.Percent = tenths(100 * float64(max(done, 0)) / float64(l.Records))
	}
	return p
}

func liveFinding(seen assess.Seen, scanner string) report.LiveFinding {
	l := finding.Listed{Finding: *seen.Finding, HostNames: seen.Host.Names()}
	if seen.Host.Address.IsValid() {
		l.HostAddress = seen.Host.Address.String()
	}
	f := toFinding(l, nil, false)
	const word = 1 << 10
	return report.LiveFinding{ID: f.ID, HostID: f.HostID, Host: f.Host, Port: f.Port, Protocol: f.Protocol, Component: f.Component, CVE: f.CVE,
		Check: f.Check, Title: report.Text(finding.Cut(string(f.Title), word)), Severity: f.Severity, CVSS: f.CVSS, EPSS: f.EPSS,
		Exploited: l.Exploited || l.KEV, Decision: f.Decision, PriorityScore: f.PriorityScore, Confidence: f.Confidence, Status: f.Status,
		Confirmed: l.Confirmed(), State: f.State, Triage: f.Triage, New: seen.New, Scanner: scanner}
}

func liveProgress(p store.ScanProgress) report.LiveProgress {
	out := report.LiveProgress{Percent: tenths(p.Percent), Stage: p.Stage, Tasks: report.TaskCount{Done: p.Done, Total: p.Total}}
	if eta := int64(p.ETA.Seconds()); eta > 0 {
		out.ETA = &eta
	}
	return out
}

// told remembers which hosts and services of a scan were told, so that each is once. The zero value has told nothing.
type told struct {
	once  sync.Once
	mu    sync.Mutex
	hosts map[string]bool
	ports map[string]bool
}

// tell publishes a host or service that a scanner sees for the first time in the scan.
func (w *work) tell(scanner string, e finding.Event) {
	t := &w.told
	t.once.Do(func() { t.recall(w) })
	switch {
	case e.Host != nil && e.Host.Status == string(asset.Up):
		h := report.LiveHost{Names: notNil(e.Host.Names), Status: e.Host.Status, Reason: report.Text(e.Host.Reason), OS: report.Text(e.Host.OS), Scanner: scanner}
		if e.Host.Address.IsValid() {
			h.Address = report.Text(asset.Unfold(e.Host.Address).String())
		}
		if t.first(&t.hosts, hostKey(h)) {
			w.publish(w.id, live.Host, h)
		}
	case e.Service != nil:
		s := report.LiveService{Host: e.Service.HostName, Port: e.Service.Port, Protocol: e.Service.Protocol, Service: report.Text(e.Service.Name),
			Product: report.Text(e.Service.Product), Version: report.Text(e.Service.Version), CPEs: notNil(e.Service.CPEs), TLS: e.Service.TLS, Scanner: scanner}
		if e.Service.Address.IsValid() {
			s.Host = asset.Unfold(e.Service.Address).String()
		}
		if t.first(&t.ports, portKey(s)) {
			w.publish(w.id, live.Service, s)
		}
	}
}

func hostKey(h report.LiveHost) string {
	if h.Address == "" {
		return strings.Join(h.Names, " ")
	}
	return string(h.Address)
}

func portKey(s report.LiveService) string { return fmt.Sprintf("%s %s/%d", s.Host, s.Protocol, s.Port) }

func (t *told) first(known *map[string]bool, key string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if *known == nil {
		*known = map[string]bool{}
	}
	if (*known)[key] {
		return false
	}
	(*known)[key] = true
	return true
}

// recall learns what the process told that worked on the scan before this one.
func (t *told) recall(w *work) {
	if len(w.tasks) > 0 {
		t.recallAll(w)
	}
}

func (t *told) recallAll(w *work) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for after := int64(0); ; {
		events, err := w.store.Estate().EventsSince(ctx, w.id, after, 1000)
		if err != nil {
			w.log.Warn("hosts and services may be told twice", "scan_id", w.id, "error", err)
			return
		}
		for _, e := range events {
			after = e.Seq
			t.note(e)
		}
		if len(events) < 1000 {
			return
		}
	}
}

func (t *told) note(e live.Event) {
	switch e.Type {
	case live.Host:
		var h report.LiveHost
		if json.Unmarshal(e.Data, &h) == nil { // we wrote it; at worst it is told twice
			t.first(&t.hosts, hostKey(h))
		}
	case live.Service:
		var s report.LiveService
		if json.Unmarshal(e.Data, &s) == nil { // as above
			t.first(&t.ports, portKey(s))
		}
	}
}

// Watch begins to watch a scan that the asker may see. again says that he was here before and wants live.ErrNothing when
// nothing follows.
func (a *App) Watch(ctx context.Context, scan, since int64, again bool) (*live.Watcher, error) {
	status, err := a.ScanStatus(ctx, scan)
	if err != nil {
		return nil, err
	}
	who := ""
	if a.who.User != 0 {
		who = fmt.Sprint(a.who.User)
	}
	return a.hub.Subscribe(ctx, live.Join{Scan: scan, Since: since, Who: who, State: short(status), Over: over(status.Status), Again: again})
}

func over(status string) bool {
	return status == string(finding.Completed) || status == string(finding.Failed)
}

// StillWatches says whether a scan that the asker watches is over by now. fault.Denied is an asker whose session or token
// has ended or may watch no more, fault.NotFound a scan that he sees no more.
func (a *App) StillWatches(ctx context.Context, scan int64) (isOver bool, err error) {
	now, err := a.store.Estate().Standing(ctx, a.who)
	if err != nil {
		return false, err
	}
	if !now.Role.Allows(auth.Viewer) {
		return false, fault.Denied("%s may not watch any more", a.who.Name)
	}
	s, err := a.store.Estate().Scan(ctx, now.View, scan)
	return over(string(s.Status)), err
}

// ticketLife is how long a ticket waits to be used.
const ticketLife = 30 * time.Second

// ticketHolder is the Identity that a ticket carries.
type ticketHolder struct {
	Kind   auth.Kind `json:"kind"`
	Name   string    `json:"name"`
	User   int64     `json:"user,omitempty"`
	Token  int64     `json:"token,omitempty"`
	Role   auth.Role `json:"role"`
	All    bool      `json:"all,omitempty"`
	Sites  []string  `json:"sites,omitempty"`
	Scopes []string  `json:"scopes,omitempty"`
}

// MakeTicket lets whoever shows the ticket watch a scan as the asker may, once and soon.
func (a *App) MakeTicket(ctx context.Context, scan int64) (report.LiveTicket, error) {
	if _, err := a.store.Estate().Scan(ctx, a.who.View, scan); err != nil {
		return report.LiveTicket{}, err
	}
	who := a.who
	holder, err := json.Marshal(ticketHolder{who.Kind, who.Name, who.User, who.Token, who.Role, who.View.All(), who.View.Sites(), who.Scopes})
	if err != nil {
		return report.LiveTicket{}, err
	}
	out := report.LiveTicket{Ticket: rand.Text(), ScanID: scan, ExpiresAt: a.now().Add(ticketLife).UTC()}
	return out, a.store.Estate().KeepTicket(ctx, out.Ticket, scan, holder, out.ExpiresAt)
}

// UseTicket returns who was given a ticket, as he stands now; fault.Denied is one that is not good.
func (a *App) UseTicket(ctx context.Context, ticket string, scan int64) (auth.Identity, error) {
	text, err := a.store.Estate().TakeTicket(ctx, ticket, scan)
	if err != nil {
		return auth.Identity{}, err
	}
	var h ticketHolder
	if err := json.Unmarshal(text, &h); err != nil {
		return auth.Identity{}, fmt.Errorf("a ticket: %w", err)
	}
	who := auth.Identity{Kind: h.Kind, Name: h.Name, User: h.User, Token: h.Token, Role: h.Role, View: auth.OfSites(h.Sites...), Scopes: h.Scopes}
	if h.All {
		who.View = auth.Everything()
	}
	return a.store.Estate().Standing(ctx, who)
}
