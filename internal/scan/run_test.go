package scan

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchscout/patchscout/internal/finding"
)

// script is a scanner whose report is one line per event: "host A", "service A", "coverage A", "drop".
type script struct {
	name  string
	run   func(ctx context.Context, raw io.Writer, progress func(Progress)) error
	avail error
}

func (s script) Name() string                              { return s.name }
func (s script) Available(context.Context) (string, error) { return "1.0", s.avail }
func (s script) Run(ctx context.Context, _ Job, raw io.Writer, progress func(Progress)) error {
	return s.run(ctx, raw, progress)
}

func (s script) Read(_ context.Context, raw io.Reader, emit func(finding.Event) error) error {
	for lines := bufio.NewScanner(raw); lines.Scan(); {
		kind, text, _ := strings.Cut(lines.Text(), " ")
		addr, _ := netip.ParseAddr(text)
		e := finding.Event{}
		switch kind {
		case "host":
			e.Host = &finding.HostSeen{Address: addr, Status: "up"}
		case "down":
			e.Host = &finding.HostSeen{Address: addr, Status: "down"}
		case "service":
			e.Service = &finding.ServiceSeen{Address: addr, Protocol: "tcp", Port: 22}
		case "web":
			e.Service = &finding.ServiceSeen{Address: addr, Protocol: "tcp", Port: 80, Name: "http"}
		case "coverage":
			e.Coverage = &finding.Coverage{Sensor: s.name, Address: addr}
		case "panic":
			panic("a hostile line")
		default:
			return fmt.Errorf("line %q", lines.Text())
		}
		if err := emit(e); err != nil {
			return err
		}
	}
	return nil
}

func says(name, report string) script {
	return script{name: name, run: func(_ context.Context, raw io.Writer, progress func(Progress)) error {
		for line := range strings.Lines(report) {
			if _, err := io.WriteString(raw, line); err != nil {
				return err
			}
		}
		progress(Progress{Percent: 50})
		return nil
	}}
}

func jobOf(addrs ...string) Job {
	var job Job
	for _, a := range addrs {
		job.Hosts = append(job.Hosts, HostTarget{Address: netip.MustParseAddr(a), Explicit: true, Names: []string{"name-of-" + a}})
	}
	return job
}

// log collects events as text.
type log struct {
	mu    sync.Mutex
	lines []string
}

func (l *log) emit(scanner string, e finding.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	line := ""
	switch {
	case e.Host != nil:
		line = fmt.Sprint("host ", e.Host.Address, " ", e.Host.Names)
	case e.Service != nil:
		line = fmt.Sprint("service ", e.Service.Address)
	case e.Coverage != nil:
		line = fmt.Sprint("coverage ", e.Coverage.Address)
	case e.Drop != nil:
		line = fmt.Sprint("drop ", e.Drop.Count, " ", e.Drop.Reason)
	}
	l.lines = append(l.lines, scanner+": "+line)
	return nil
}

func (l *log) of(scanner string) string {
	var out []string
	for _, line := range l.lines {
		if rest, ok := strings.CutPrefix(line, scanner+": "); ok {
			out = append(out, rest)
		}
	}
	return strings.Join(out, "\n")
}

func TestAFailingScannerIsAResultAndCoversNothing(t *testing.T) {
	good := says("good", "coverage 192.0.2.1\nhost 192.0.2.1\nservice 192.0.2.1\n")
	bad := script{name: "bad", run: func(_ context.Context, raw io.Writer, _ func(Progress)) error {
		io.WriteString(raw, "host 192.0.2.1\ncoverage 192.0.2.1\n")
		return errors.New("exit status 1")
	}}
	malformed := says("malformed", "host 192.0.2.1\nrubbish\nhost 192.0.2.1\n")
	panics := says("panics", "panic\n"+strings.Repeat("host 192.0.2.1\n", 100))
	missing := script{name: "missing", avail: errors.New("not installed")}
	var l log
	raws := map[string]*bytes.Buffer{}
	var mu sync.Mutex
	got, err := Run(t.Context(), []Scanner{good, bad, malformed, panics, missing}, jobOf("192.0.2.1", "192.0.2.2"),
		Options{Emit: l.emit, Raw: func(s string) (io.Writer, error) {
			mu.Lock()
			defer mu.Unlock()
			raws[s] = &bytes.Buffer{}
			return raws[s], nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"good completed <nil>", "bad failed exit status 1", `malformed failed read the report of malformed: line "rubbish"`,
		"panics failed read the report of panics: reader: a hostile line", "missing failed not installed"}
	for i, o := range got.Scanners {
		if text := fmt.Sprint(o.Scanner, " ", o.Status, " ", o.Err); text != want[i] {
			t.Errorf("got %s, want %s", text, want[i])
		}
	}
	if text := l.of("good"); text != "host 192.0.2.1 [name-of-192.0.2.1]\nservice 192.0.2.1\ncoverage 192.0.2.1" {
		t.Errorf("good: %s", text)
	}
	if text := l.of("bad"); text != "host 192.0.2.1 [name-of-192.0.2.1]" {
		t.Errorf("bad: %s", text)
	}
	if raws["panics"].Len() < 1000 {
		t.Error("a reader that gives up must not cost the raw report")
	}
	if len(got.Silent) != 1 || got.Silent[0].Address.String() != "192.0.2.2" {
		t.Errorf("silent %v", got.Silent)
	}
}

func TestAScannerThatPanicsLeavesNobodyBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which fails when a goroutine is left waiting
		breaks := script{name: "breaks", run: func(_ context.Context, raw io.Writer, _ func(Progress)) error {
			io.WriteString(raw, "host 192.0.2.1\n")
			panic("a bug")
		}}
		var l log
		got, err := Run(t.Context(), []Scanner{breaks}, jobOf("192.0.2.1"), Options{Emit: l.emit})
		if err != nil || got.Scanners[0].Status != Failed || got.Scanners[0].Err.Error() != "scanner breaks: a bug" {
			t.Errorf("%+v, %v", got, err)
		}
		if text := l.of("breaks"); text != "host 192.0.2.1 [name-of-192.0.2.1]" {
			t.Error(text)
		}
	})
}

func TestResultsOutsideOfTheJobAreDropped(t *testing.T) {
	s := says("tool", "host 198.51.100.1\nservice 198.51.100.1\nservice ::ffff:192.0.2.1\nhost fe80::1\ncoverage 198.51.100.1\n")
	var l log
	got, err := Run(t.Context(), []Scanner{s}, jobOf("192.0.2.1", "fe80::1%eth0"), Options{Emit: l.emit})
	if err != nil {
		t.Fatal(err)
	}
	if text := l.of("tool"); text != "service 192.0.2.1\nhost fe80::1%eth0 [name-of-fe80::1%eth0]" {
		t.Error(text)
	}
	if got.Scanners[0].Dropped[reasonOutside] != 1 || len(got.Silent) > 0 {
		t.Errorf("%+v", got)
	}
}

func TestProgressNeverFalls(t *testing.T) {
	jumpy := func(name string) script {
		return script{name: name, run: func(_ context.Context, _ io.Writer, progress func(Progress)) error {
			for _, p := range []float64{0, 40, 10, 200, 50} {
				progress(Progress{Percent: p})
			}
			return nil
		}}
	}
	var shown []float64
	_, err := Run(t.Context(), []Scanner{jumpy("a"), jumpy("b"), jumpy("c")}, jobOf("192.0.2.1"),
		Options{Progress: func(p Progress) { shown = append(shown, p.Percent) }})
	if err != nil || !slices.IsSorted(shown) || shown[len(shown)-1] != 100 {
		t.Errorf("%v %v", shown, err)
	}
}

func TestCancelKeepsWhatWasFoundAndReturnsWithinTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		polite := script{name: "polite", run: func(ctx context.Context, raw io.Writer, _ func(Progress)) error {
			io.WriteString(raw, "host 192.0.2.1\ncoverage 192.0.2.1\n")
			<-ctx.Done()
			io.WriteString(raw, "service 192.0.2.1\n")
			return ctx.Err()
		}}
		hung := make(chan struct{})
		deaf := script{name: "deaf", run: func(context.Context, io.Writer, func(Progress)) error { <-hung; return nil }}
		waiting := says("waiting", "host 192.0.2.1\n")
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		var l log
		begin := time.Now()
		got, err := Run(ctx, []Scanner{polite, deaf, waiting}, jobOf("192.0.2.1"), Options{Emit: l.emit})
		if err != nil || time.Since(begin) > time.Minute+stopWithin {
			t.Errorf("took %s, %v", time.Since(begin), err)
		}
		for _, o := range got.Scanners {
			if o.Status != Cancelled || o.Err == nil {
				t.Errorf("%+v", o)
			}
		}
		if text := l.of("polite"); text != "host 192.0.2.1 [name-of-192.0.2.1]\nservice 192.0.2.1" {
			t.Error(text)
		}
		close(hung)
	})
}

func TestTimeOutFailsTheScannerAndNotTheScan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := script{name: "slow", run: func(ctx context.Context, _ io.Writer, _ func(Progress)) error { <-ctx.Done(); return ctx.Err() }}
		job := jobOf("192.0.2.1")
		job.Timeout = time.Minute
		got, err := Run(t.Context(), []Scanner{slow, says("quick", "coverage 192.0.2.1\n")}, job, Options{})
		if err != nil || got.Scanners[0].Status != Failed || !strings.Contains(got.Scanners[0].Err.Error(), "after 1m0s") ||
			got.Scanners[1].Status != Completed {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestReportsAndConsumersHaveLimits(t *testing.T) {
	big := says("big", strings.Repeat("host 192.0.2.1\n", 100))
	got, err := Run(t.Context(), []Scanner{big}, jobOf("192.0.2.1"), Options{MaxRaw: 100})
	if err != nil || got.Scanners[0].Status != Failed || !strings.Contains(got.Scanners[0].Err.Error(), "larger than") {
		t.Errorf("%+v, %v", got, err)
	}
	full := errors.New("disk full")
	_, err = Run(t.Context(), []Scanner{big}, jobOf("192.0.2.1"), Options{Emit: func(string, finding.Event) error { return full }})
	if !errors.Is(err, full) {
		t.Errorf("an error of Emit: %v", err)
	}
	for _, scanners := range [][]Scanner{nil, {big, big}} {
		if _, err := Run(t.Context(), scanners, jobOf("192.0.2.1"), Options{}); err == nil {
			t.Errorf("%d scanners went through", len(scanners))
		}
	}
	if _, err := Run(t.Context(), []Scanner{big}, Job{}, Options{}); err == nil {
		t.Error("a job without hosts went through")
	}
}
