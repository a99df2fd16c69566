package worker

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
)

// tool is a scanner whose run is a function.
type tool func(ctx context.Context, job scan.Job, raw io.Writer, progress func(scan.Progress)) error

func (tool) Name() string                                                     { return "fake" }
func (tool) Available(context.Context) (string, error)                        { return "1.0", nil }
func (tool) Read(context.Context, io.Reader, func(finding.Event) error) error { return nil }
func (f tool) Run(ctx context.Context, job scan.Job, raw io.Writer, progress func(scan.Progress)) error {
	return f(ctx, job, raw, progress)
}

// desk is a server with one job. What a field does not say is answered with success.
type desk struct {
	t      *testing.T
	order  Order
	cancel func() bool
	refuse func(what string) int // a status instead of an answer

	mu       sync.Mutex
	leased   bool
	report   string
	calls    map[string]int
	finished chan Outcome
	returned chan struct{}
}

func newDesk(t *testing.T) *desk {
	return &desk{t: t, order: orderOf("192.0.2.1"), calls: map[string]int{}, finished: make(chan Outcome, 1), returned: make(chan struct{}, 1)}
}

func orderOf(address string) Order {
	return Order{Scanner: "fake", Profile: "quick", Targets: []OrderTarget{{Address: address}}, Scanning: time.Now().UTC()}
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	what := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	d.mu.Lock()
	d.calls[what]++
	d.mu.Unlock()
	if got := r.Header.Get("Authorization"); got != "Bearer secret" {
		d.t.Errorf("%s came with %q", what, got)
	}
	if d.refuse != nil {
		if status := d.refuse(what); status != 0 {
			w.WriteHeader(status)
			return
		}
	}
	if answer := d.answer(what, r); answer != nil {
		_ = json.NewEncoder(w).Encode(answer)
	}
}

func (d *desk) answer(what string, r *http.Request) any {
	switch what {
	case "hello":
		return Welcome{Site: "branch", BeatMS: 100, MaxReport: 1 << 20}
	case "lease":
		return d.lease(r)
	case "beat":
		return PulseAnswer{Cancel: d.cancel != nil && d.cancel()}
	case "report":
		body, _ := io.ReadAll(r.Body)
		sum := sha256.Sum256(body)
		if want := "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"; r.Header.Get("Content-Digest") != want || r.URL.Query().Get("fence") != "3" {
			d.t.Errorf("the report came with the digest %s and fence %s", r.Header.Get("Content-Digest"), r.URL.Query().Get("fence"))
		}
		d.mu.Lock()
		d.report = string(body)
		d.mu.Unlock()
	case "finish":
		var done Done
		if err := json.NewDecoder(r.Body).Decode(&done); err != nil || done.Fence != 3 {
			d.t.Errorf("finished with %+v, %v", done, err)
		}
		d.finished <- done.Outcome
	case "hand-back":
		d.returned <- struct{}{}
	}
	return nil
}

func (d *desk) lease(r *http.Request) Leased {
	d.mu.Lock()
	first := !d.leased
	d.leased = true
	d.mu.Unlock()
	if first {
		return Leased{Job: &Lease{ID: 12, Fence: 3, Scan: 7, Order: d.order}}
	}
	select {
	case <-r.Context().Done():
	case <-time.After(50 * time.Millisecond):
	}
	return Leased{}
}

func (d *desk) count(what string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls[what]
}

// at starts a worker on the desk; stop is its soft stop and waits.
func (d *desk) at(url string, s Server, run tool, grace time.Duration) (stop func() error) {
	s.URL = url
	if s.Token == nil {
		s.Token = func() (string, error) { return "secret", nil }
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- Work(ctx, Options{Server: s, Name: "w", Concurrency: 2, Grace: grace,
			Tools: []Tool{{Name: "fake", Parallel: 1, Open: func() (scan.Scanner, error) { return run, nil }}}})
	}()
	return sync.OnceValue(func() error { cancel(); return <-ended })
}

func (d *desk) start(run tool, grace time.Duration) (stop func() error) {
	server := httptest.NewServer(d)
	stop = d.at(server.URL, Server{}, run, grace)
	d.t.Cleanup(func() { _ = stop(); server.Close() })
	return stop
}

func wait[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("no %s", what)
		panic("unreachable")
	}
}

func TestAReportIsBroughtBackWithItsOutcome(t *testing.T) {
	d := newDesk(t)
	stop := d.start(func(_ context.Context, job scan.Job, raw io.Writer, progress func(scan.Progress)) error {
		progress(scan.Progress{Stage: "ports", Percent: 50})
		_, err := fmt.Fprintf(raw, "saw %s", job.Hosts[0].Address)
		return err
	}, 0)
	out := wait(t, d.finished, "end")
	if out.Status != "completed" || out.Version != "1.0" || out.Error != "" || out.Finished.Before(out.Started) || d.report != "saw 192.0.2.1" {
		t.Errorf("%+v, report %q", out, d.report)
	}
	if err := stop(); err != nil || d.count("goodbye") != 1 {
		t.Errorf("stopped with %v, %d goodbyes", err, d.count("goodbye"))
	}
}

func TestAToolThatFailsOrPanicsIsAnOutcome(t *testing.T) {
	for want, run := range map[string]tool{
		"no such template": func(context.Context, scan.Job, io.Writer, func(scan.Progress)) error {
			return fmt.Errorf("no such template")
		},
		"scanner fake: ouch": func(context.Context, scan.Job, io.Writer, func(scan.Progress)) error { panic("ouch") },
		"raw report is larger than 1 MiB": func(_ context.Context, _ scan.Job, raw io.Writer, _ func(scan.Progress)) error {
			_, err := raw.Write(make([]byte, 1<<20+1))
			return err
		},
	} {
		d := newDesk(t)
		d.start(run, 0)
		if out := wait(t, d.finished, "end"); out.Status != "failed" || out.Error != want {
			t.Errorf("%+v, want %q", out, want)
		}
	}
}

func TestAServerThatIsAwayLosesNothing(t *testing.T) {
	d := newDesk(t)
	away := 4
	d.refuse = func(what string) int {
		d.mu.Lock()
		defer d.mu.Unlock()
		if (what == "report" || what == "finish" || what == "beat") && away > 0 {
			away--
			return http.StatusBadGateway
		}
		return 0
	}
	d.start(func(_ context.Context, _ scan.Job, raw io.Writer, _ func(scan.Progress)) error {
		_, err := io.WriteString(raw, "kept")
		return err
	}, 0)
	if out := wait(t, d.finished, "end"); out.Status != "completed" || d.report != "kept" {
		t.Errorf("%+v, report %q", out, d.report)
	}
}

func TestACancelledToolIsEndedAndWhatItFoundIsKept(t *testing.T) {
	d := newDesk(t)
	running := make(chan struct{})
	d.cancel = func() bool {
		select {
		case <-running:
			return true
		default:
			return false
		}
	}
	d.start(func(ctx context.Context, _ scan.Job, raw io.Writer, _ func(scan.Progress)) error {
		_, _ = io.WriteString(raw, "half")
		close(running)
		<-ctx.Done()
		return ctx.Err()
	}, 0)
	if out := wait(t, d.finished, "end"); out.Status != "cancelled" || d.report != "half" {
		t.Errorf("%+v, report %q", out, d.report)
	}
}

func TestAJobThatIsAnothersIsLeftAlone(t *testing.T) {
	d := newDesk(t)
	d.refuse = func(what string) int {
		if what == "beat" {
			return http.StatusConflict
		}
		return 0
	}
	ended := make(chan struct{})
	stop := d.start(func(ctx context.Context, _ scan.Job, raw io.Writer, _ func(scan.Progress)) error {
		defer close(ended)
		_, _ = io.WriteString(raw, "late")
		<-ctx.Done()
		return ctx.Err()
	}, 0)
	wait(t, ended, "end of the tool")
	if err := stop(); err != nil || d.count("report")+d.count("finish")+d.count("hand-back") != 0 {
		t.Errorf("%v, calls %v", err, d.calls)
	}
}

func TestAStoppedWorkerHandsBackWhatDoesNotEndInTime(t *testing.T) {
	d := newDesk(t)
	running := make(chan struct{})
	stop := d.start(func(ctx context.Context, _ scan.Job, _ io.Writer, _ func(scan.Progress)) error {
		close(running)
		<-ctx.Done()
		return ctx.Err()
	}, 50*time.Millisecond)
	wait(t, running, "run")
	if err := stop(); err != nil {
		t.Error(err)
	}
	wait(t, d.returned, "hand-back")
	if d.count("finish") != 0 {
		t.Error("it was finished too")
	}
}

func TestAStoppedWorkerLetsATaskEnd(t *testing.T) {
	d := newDesk(t)
	running, goOn := make(chan struct{}), make(chan struct{})
	stop := d.start(func(context.Context, scan.Job, io.Writer, func(scan.Progress)) error {
		close(running)
		<-goOn
		return nil
	}, 10*time.Second)
	wait(t, running, "run")
	time.AfterFunc(200*time.Millisecond, func() { close(goOn) })
	if err := stop(); err != nil || d.count("hand-back") != 0 || wait(t, d.finished, "end").Status != "completed" {
		t.Errorf("%v, calls %v", err, d.calls)
	}
}

func TestAWorkerWithoutAccessSaysSo(t *testing.T) {
	d := newDesk(t)
	d.refuse = func(string) int { return http.StatusUnauthorized }
	stop := d.start(nil, 0)
	time.AfterFunc(10*time.Second, func() { _ = stop() })
	ended := make(chan error, 1)
	server := httptest.NewServer(d)
	defer server.Close()
	go func() {
		ended <- Work(context.Background(), Options{Server: Server{URL: server.URL, Token: func() (string, error) { return "secret", nil }}, Name: "w", Concurrency: 1})
	}()
	if err := wait(t, ended, "end"); fault.KindOf(err) != fault.KindDenied {
		t.Error(err)
	}
}

func TestTheServersCertificateIsChecked(t *testing.T) {
	d := newDesk(t)
	server := httptest.NewTLSServer(d)
	defer server.Close()
	known := x509.NewCertPool()
	known.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	token := func() (string, error) { return "secret", nil }
	err := Work(context.Background(), Options{Server: Server{URL: server.URL, Token: token}, Name: "w"}) // the system's authorities did not sign it
	if err == nil || d.count("hello") != 0 || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a server that nobody vouches for was greeted: %v", err)
	}
	stop := d.at(server.URL, Server{RootCAs: known}, func(context.Context, scan.Job, io.Writer, func(scan.Progress)) error { return nil }, 0)
	wait(t, d.finished, "end")
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestATokenDoesNotTravelInTheOpen(t *testing.T) {
	for _, url := range []string{"http://192.0.2.1:8000", "http://server.example", "ftp://127.0.0.1", "https://user:pass@server.example", "server.example", "https://server.example/?a=b"} {
		err := Work(context.Background(), Options{Server: Server{URL: url, Token: func() (string, error) { return "secret", nil }}})
		if fault.KindOf(err) != fault.KindInvalid || strings.Contains(fmt.Sprint(err), "pass") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestATokenFileThatOthersCanReadIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	for _, c := range []struct {
		mode os.FileMode
		text string
		ok   bool
	}{{0o600, "secret\n", true}, {0o440, " secret", true}, {0o604, "secret", false}, {0o620, "secret", false}, {0o600, "", false}, {0o600, "two\nlines", false}} {
		_ = os.Remove(path)
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		token, err := TokenFile(path)()
		if c.ok && (token != "secret" || err != nil) || !c.ok && (fault.KindOf(err) != fault.KindInvalid || strings.Contains(err.Error(), "secret ")) {
			t.Errorf("%04o %q: %q, %v", c.mode, c.text, token, err)
		}
	}
}
