package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/api"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/native"
	"github.com/patchscout/patchscout/internal/worker"
)

// branch is a product whose site "branch" has workers of its own, and the door for them: a token is the site's name.
func branch(t *testing.T) (a *App, url string) {
	t.Helper()
	ctx := context.Background()
	a = open(t)
	for _, site := range []string{"branch", "lab"} {
		if err := a.AddSite(ctx, site, false); err != nil {
			t.Fatal(err)
		}
		if _, err := a.store.Estate().AddToken(ctx, auth.APIToken{Hash: []byte(site), Name: site, Role: auth.Worker, Site: site, Created: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	server := api.New(api.Options{Version: "test", Log: a.log, Now: a.now,
		Desk: func(who auth.Identity) api.Desk { return a.For(who) },
		Authenticate: func(r *http.Request) (auth.Identity, error) {
			site, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			if !ok {
				return auth.Identity{}, nil
			}
			return auth.Identity{Kind: auth.Token, Name: "worker of " + site, Role: auth.Worker, Site: site}, nil
		}})
	web := httptest.NewServer(server.Handler())
	t.Cleanup(func() { a.tools.close(); web.Close() })
	return a, web.URL
}

// fake is a native scanner whose run is a function.
type fake struct {
	native.Scanner
	run func(ctx context.Context, job scan.Job, raw io.Writer) error
}

func (f fake) Run(ctx context.Context, job scan.Job, raw io.Writer, _ func(scan.Progress)) error {
	return f.run(ctx, job, raw)
}

// workFor starts a worker of a site until the test ends or stop is called.
func workFor(t *testing.T, url, site, name string, s scan.Scanner) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		_ = worker.Work(ctx, worker.Options{Name: name, Concurrency: 2, Grace: time.Millisecond,
			Server: worker.Server{URL: url, Token: func() (string, error) { return site, nil }},
			Tools:  []worker.Tool{{Name: native.Name, Parallel: 1, Open: func() (scan.Scanner, error) { return s, nil }}},
			Ready:  func(string) { close(ready) }})
	}()
	within(t, ready, "hello of "+name)
	stop = sync.OnceFunc(func() { cancel(); <-ended })
	t.Cleanup(stop)
	return stop
}

func within(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(20 * time.Second):
		t.Fatalf("no %s", what)
	}
}

// conductor is one process that conducts a scan.
type conductor struct {
	*work
	stop  func() // as a process that is to end does
	ended chan struct{}
	err   error
}

func conductWith(t *testing.T, w *work) *conductor {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	stopping := make(chan struct{})
	w.stopping = stopping
	var err error
	if w.choices, err = w.remoteChoices(ctx, w.id, "branch", len(w.job.Hosts), w.choices, stopping); err != nil {
		t.Fatal(err)
	}
	c := &conductor{work: w, stop: sync.OnceFunc(func() { close(stopping) }), ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		c.err = w.run(ctx, func(Progress) {})
	}()
	t.Cleanup(func() { cancel(); <-c.ended })
	return c
}

// conductBranch begins a scan of targets from the site "branch".
func conductBranch(t *testing.T, a *App, req ScanRequest) *conductor {
	t.Helper()
	ctx := context.Background()
	req.Site, req.Scanners = "branch", []string{native.Name}
	p, err := parsePlan(req)
	if err != nil {
		t.Fatal(err)
	}
	ex, err := scan.Expand(ctx, p.targets, p.exclude, a.resolver)
	if err != nil {
		t.Fatal(err)
	}
	w, err := a.begin(ctx, req, p, ex)
	if err != nil {
		t.Fatal(err)
	}
	return conductWith(t, w)
}

func (c *conductor) result(t *testing.T) ScanResult {
	t.Helper()
	within(t, c.ended, "end of the scan")
	if c.err != nil {
		t.Fatal(c.err)
	}
	got, err := c.ScanResult(context.Background(), c.id)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func addresses(hosts []report.Host) (out []string) {
	for _, h := range hosts {
		out = append(out, string(h.Address))
	}
	slices.Sort(out)
	return out
}

func TestTheWorkersOfASiteRunItsScan(t *testing.T) {
	a, url := branch(t)
	workFor(t, url, "branch", "w1", native.Scanner{})
	workFor(t, url, "branch", "w2", native.Scanner{})
	workFor(t, url, "lab", "w3", fake{run: func(context.Context, scan.Job, io.Writer) error { return errors.New("of another site") }})
	req := ScanRequest{Targets: []string{"127.0.0.1-10"}, Ports: sshPort(t)}
	got := conductBranch(t, a, req).result(t)
	if s := got.Document.Scan.Scanners[0]; s.Status != "completed" || got.Incomplete && len(got.Document.Scan.Problems) == 0 {
		t.Errorf("%+v", got.Document.Scan)
	}
	services := 0
	for _, h := range got.Document.Hosts {
		services += len(h.Services)
	}
	if len(got.Document.Hosts) != 10 || services != 1 { // a closed port answers too
		t.Errorf("%d services of %v", services, addresses(got.Document.Hosts))
	}
	jobs, err := a.store.Jobs().Jobs(context.Background(), job.Filter{Kinds: []job.Kind{job.Tool}})
	if err != nil || len(jobs) < 2 || jobs[0].State != job.Done || jobs[0].Lane != "branch" {
		t.Errorf("the ten hosts are %d jobs, %v: %+v", len(jobs), err, jobs)
	}
	local, err := a.Scan(context.Background(), ScanRequest{Targets: req.Targets, Ports: req.Ports, Site: "lab"}, nil)
	if err != nil || len(local.Document.Hosts) != len(got.Document.Hosts) || len(local.Document.Findings) != len(got.Document.Findings) {
		t.Errorf("a scan of this process finds %d hosts and %d findings, the workers %d and %d (%v)", len(local.Document.Hosts), len(local.Document.Findings),
			len(got.Document.Hosts), len(got.Document.Findings), err)
	}
}

func TestWhatALyingWorkerSaysOfOthersIsDropped(t *testing.T) {
	a, url := branch(t)
	port := sshPort(t)
	workFor(t, url, "branch", "liar", fake{run: func(ctx context.Context, job scan.Job, raw io.Writer) error {
		job.Hosts = append(job.Hosts, scan.HostTarget{Address: netip.MustParseAddr("127.0.0.77"), Explicit: true})
		return native.Scanner{}.Run(ctx, job, raw, func(scan.Progress) {})
	}})
	l, err := net.Listen("tcp4", "127.0.0.77:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := conductBranch(t, a, ScanRequest{Targets: []string{"127.0.0.1"}, Ports: port})
	got := c.result(t)
	if hosts := addresses(got.Document.Hosts); !slices.Equal(hosts, []string{"127.0.0.1"}) {
		t.Errorf("hosts %v", hosts)
	}
	tasks, err := a.store.Estate().Tasks(context.Background(), auth.Everything(), c.id)
	if err != nil || len(tasks) != 1 || tasks[0].Dropped["address outside of the scan"] == 0 {
		t.Errorf("%+v %v", tasks, err)
	}
	all, err := a.Assets(context.Background(), AssetRequest{})
	if err != nil || len(all) != 1 {
		t.Errorf("%d hosts in the estate, %v", len(all), err)
	}
}

// blocking is a scanner that waits until it may go on, and counts its runs.
type blocking struct {
	began chan struct{}
	goOn  chan struct{}
	ended chan error
	runs  atomic.Int32
}

func newBlocking() *blocking {
	return &blocking{began: make(chan struct{}, 9), goOn: make(chan struct{}), ended: make(chan error, 9)}
}

func (b *blocking) scanner() scan.Scanner {
	return fake{run: func(ctx context.Context, job scan.Job, raw io.Writer) (err error) {
		b.runs.Add(1)
		defer func() { b.ended <- err }()
		b.began <- struct{}{}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-b.goOn:
			return native.Scanner{}.Run(ctx, job, raw, func(scan.Progress) {})
		}
	}}
}

func TestAConductorThatTakesOverFindsTheRunningTool(t *testing.T) {
	a, url := branch(t)
	b := newBlocking()
	workFor(t, url, "branch", "w", b.scanner())
	first := conductBranch(t, a, ScanRequest{Targets: []string{"127.0.0.1"}, Ports: sshPort(t)})
	within(t, b.began, "run")
	first.stop()
	within(t, first.ended, "end of the first conductor")
	w, err := a.resume(context.Background(), first.id)
	if err != nil {
		t.Fatal(err)
	}
	second := conductWith(t, w)
	time.Sleep(2 * toolPoll) // it would have queued a run of its own by then
	close(b.goOn)
	if got := second.result(t); got.Incomplete || len(got.Document.Hosts) != 1 || b.runs.Load() != 1 {
		t.Errorf("%d runs, %+v", b.runs.Load(), got.Document.Scan)
	}
}

func TestAConductorThatTakesOverFindsTheToolThatEnded(t *testing.T) {
	a, url := branch(t)
	b := newBlocking()
	workFor(t, url, "branch", "w", b.scanner())
	first := conductBranch(t, a, ScanRequest{Targets: []string{"127.0.0.1"}, Ports: sshPort(t)})
	within(t, b.began, "run")
	first.stop()
	within(t, first.ended, "end of the first conductor")
	close(b.goOn)
	if err := <-b.ended; err != nil {
		t.Fatal(err)
	}
	for done := false; !done; time.Sleep(50 * time.Millisecond) {
		jobs, err := a.store.Jobs().Jobs(context.Background(), job.Filter{Scan: first.id})
		if err != nil {
			t.Fatal(err)
		}
		done = jobs[0].State == job.Done
	}
	w, err := a.resume(context.Background(), first.id)
	if err != nil {
		t.Fatal(err)
	}
	if got := conductWith(t, w).result(t); got.Incomplete || len(got.Document.Hosts) != 1 || b.runs.Load() != 1 {
		t.Errorf("%d runs, %+v", b.runs.Load(), got.Document.Scan)
	}
}

func TestCancelReachesTheToolOfAWorkerInTwoSeconds(t *testing.T) {
	a, url := branch(t)
	b := newBlocking()
	workFor(t, url, "branch", "w", b.scanner())
	c := conductBranch(t, a, ScanRequest{Targets: []string{"127.0.0.1"}, Ports: sshPort(t)})
	within(t, b.began, "run")
	begin := time.Now()
	if _, err := a.CancelScan(context.Background(), c.id); err != nil {
		t.Fatal(err)
	}
	if err := <-b.ended; err == nil || time.Since(begin) > 2*time.Second {
		t.Errorf("the tool ended with %v after %s", err, time.Since(begin))
	}
	if got := c.result(t); got.Document.Scan.Status != "failed" || got.Document.Scan.Reason != "cancelled" || got.Document.Scan.Scanners[0].Status != "cancelled" {
		t.Errorf("%+v", got.Document.Scan)
	}
}

func TestALateWorkerIsToldAndItsReportIsDropped(t *testing.T) {
	a, url := branch(t)
	ctx := context.Background()
	late := post(t, url, "branch")
	late("hello", worker.Hello{Name: "late", Capacity: 1, Scanners: []worker.HelloTool{{Name: native.Name, Parallel: 1}}}, nil, 200)
	c := conductBranch(t, a, ScanRequest{Targets: []string{"127.0.0.1"}, Ports: sshPort(t)})
	var got worker.Leased
	late("lease", worker.Ask{Worker: "late", Scanners: []string{native.Name}, WaitMS: 10_000}, &got, 200)
	if got.Job == nil || got.Job.Order.Targets[0].Address != "127.0.0.1" {
		t.Fatalf("%+v", got)
	}
	place, pulse := fmt.Sprintf("jobs/%d/", got.Job.ID), worker.Pulse{Fence: got.Job.Fence}
	lab := post(t, url, "lab")
	lab(place+"beat", pulse, nil, http.StatusNotFound)
	lab(place+"finish", worker.Done{Fence: got.Job.Fence, Outcome: worker.Outcome{Status: "completed"}}, nil, http.StatusNotFound)
	lab(place+"hand-back", worker.Fence{Fence: got.Job.Fence}, nil, http.StatusNotFound)
	late(place+"beat", worker.Pulse{Fence: got.Job.Fence + 1}, nil, http.StatusConflict)
	late(place+"beat", pulse, nil, 200)
	if err := a.store.Jobs().HandBack(ctx, got.Job.ID, got.Job.Fence); err != nil { // as the sweep does with one that is silent
		t.Fatal(err)
	}
	workFor(t, url, "branch", "other", native.Scanner{})
	if got := c.result(t); got.Incomplete || len(got.Document.Hosts) != 1 {
		t.Errorf("%+v", got.Document.Scan)
	}
	late(place+"beat", pulse, nil, http.StatusConflict)
	late(place+"finish", worker.Done{Fence: got.Job.Fence, Outcome: worker.Outcome{Status: "completed"}}, nil, http.StatusConflict)
	if status := put(t, url, "branch", place+fmt.Sprintf("report?fence=%d", got.Job.Fence), "late"); status != http.StatusConflict {
		t.Errorf("a late report: %d", status)
	}
	if err := (&App{parts: a.parts}).HandBackTool(ctx, got.Job.ID, 1); fault.KindOf(err) != fault.KindDenied {
		t.Errorf("somebody without a site: %v", err)
	}
}

// post speaks to the server as a worker of a site.
func post(t *testing.T, url, site string) func(path string, in, out any, want int) {
	return func(path string, in, out any, want int) {
		t.Helper()
		body, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		req, _ := http.NewRequest(http.MethodPost, url+"/api/v1/worker/"+path, strings.NewReader(string(body)))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+site)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != want && (want != 200 || resp.StatusCode != http.StatusNoContent) {
			t.Fatalf("%s: %d %s", path, resp.StatusCode, text)
		}
		if out != nil {
			if err := json.Unmarshal(text, out); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func put(t *testing.T, url, site, path, body string) int {
	t.Helper()
	req, _ := http.NewRequest(http.MethodPut, url+"/api/v1/worker/"+path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+site)
	req.Header.Set("Content-Type", "application/octet-stream")
	req.Header.Set("Content-Digest", "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func TestAScannerThatNoWorkerHasIsUnavailable(t *testing.T) {
	a, url := branch(t)
	r := &remoteScan{parts: a.parts, site: "branch", lane: "branch"}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	s := &remoteScanner{Scanner: native.Scanner{}, scan: r}
	if _, err := s.Available(ctx); fault.KindOf(err) != fault.KindUnavailable || !strings.Contains(err.Error(), "branch") {
		t.Error(err)
	}
	workFor(t, url, "branch", "w", native.Scanner{})
	r.asked = time.Time{}
	if version, err := s.Available(context.Background()); version != native.Version || err != nil {
		t.Error(version, err)
	}
	if _, err := (&remoteScanner{Scanner: nameless("nmap"), scan: r}).Available(ctx); fault.KindOf(err) != fault.KindUnavailable {
		t.Error(err)
	}
	list, err := a.Workers(context.Background())
	if err != nil || len(list) != 1 || !list[0].Alive || *list[0].Site != "branch" || !list[0].Scanners[0].Available {
		t.Errorf("%+v %v", list, err)
	}
	if list, err := a.For(auth.Identity{View: auth.OfSites("lab")}).Workers(context.Background()); err != nil || len(list) != 0 {
		t.Errorf("somebody who does not see the site sees %+v, %v", list, err)
	}
}

// nameless is a scanner that has nothing but a name.
type nameless string

func (n nameless) Name() string                                                      { return string(n) }
func (nameless) Available(context.Context) (string, error)                           { return "", nil }
func (nameless) Run(context.Context, scan.Job, io.Writer, func(scan.Progress)) error { return nil }
func (nameless) Read(context.Context, io.Reader, func(finding.Event) error) error    { return nil }
