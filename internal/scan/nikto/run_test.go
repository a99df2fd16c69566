package nikto

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
)

// installed gives a scanner with the real Nikto: TEST_NIKTO names its program, else PATH has it.
func installed(t *testing.T, opts Options) *Scanner {
	t.Helper()
	opts.Path, opts.Timeout = os.Getenv("TEST_NIKTO"), 2*time.Second // 2.6.0 waits for answers that are not coming
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	version, err := s.Available(t.Context())
	if err != nil {
		t.Skipf("%v (or name its program in TEST_NIKTO)", err)
	}
	t.Logf("nikto %s", version)
	return s
}

// server is a web server with something to find; it notes the hosts that it was asked for.
type server struct {
	*httptest.Server
	mu    sync.Mutex
	hosts map[string]int
	slow  time.Duration
}

func serve(t *testing.T, address string, slow time.Duration) *server {
	t.Helper()
	s := &server{hosts: map[string]int{}, slow: slow}
	l, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Skipf("cannot listen on %s: %v", address, err)
	}
	s.Server = &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(s.answer), ReadHeaderTimeout: time.Minute}}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func (s *server) answer(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.hosts[r.Host]++
	s.mu.Unlock()
	select {
	case <-time.After(s.slow):
	case <-r.Context().Done():
	}
	switch r.URL.Path {
	case "/":
		fmt.Fprint(w, "<html><body>hello</body></html>")
	case "/robots.txt":
		fmt.Fprint(w, "User-agent: *\nDisallow: /hidden/\n")
	case "/hidden/", "/app/":
		fmt.Fprint(w, "here")
	default:
		http.NotFound(w, r)
	}
}

func (s *server) web(t *testing.T, name string) (netip.Addr, scan.WebPort) {
	t.Helper()
	u, _ := url.Parse(s.URL)
	at, err := netip.ParseAddrPort(u.Host)
	if err != nil {
		t.Fatal(err)
	}
	return at.Addr(), scan.WebPort{Port: at.Port(), Name: name}
}

func jobFor(addr netip.Addr, web ...scan.WebPort) scan.Job {
	return scan.Job{Profile: scan.Web, Hosts: []scan.HostTarget{{Address: addr, Explicit: true, Web: web}}}
}

// outcome is what a run gave.
type outcome struct {
	raw      bytes.Buffer
	percents []float64
	checks   []string
	covered  []string
	run      error
	read     error
}

func run(t *testing.T, ctx context.Context, s *Scanner, job scan.Job) *outcome {
	t.Helper()
	o, mu := &outcome{}, sync.Mutex{}
	o.run = s.Run(ctx, job, &o.raw, func(p scan.Progress) { mu.Lock(); o.percents = append(o.percents, p.Percent); mu.Unlock() })
	o.read = s.Read(t.Context(), bytes.NewReader(o.raw.Bytes()), func(e finding.Event) error {
		switch {
		case e.Observation != nil:
			o.checks = append(o.checks, fmt.Sprint(e.Observation.Address, " ", e.Observation.Check))
		case e.Coverage != nil:
			o.covered = append(o.covered, fmt.Sprint(e.Coverage.Address, " ", finding.PrintPorts(e.Coverage.Ports), " ", e.Coverage.Policy))
		}
		return nil
	})
	return o
}

func TestRealNiktoFindsWhatIsThere(t *testing.T) {
	s := installed(t, Options{Tuning: "3"})
	version, _ := s.Available(t.Context())
	web := serve(t, "127.0.0.1", 0)
	addr, port := web.web(t, "")
	o := run(t, t.Context(), s, jobFor(addr, port))
	if o.run != nil || o.read != nil {
		t.Fatalf("%v, %v\n%s", o.run, o.read, &o.raw)
	}
	want := "127.0.0.1 nikto:999997 GET /hidden/"
	if version == "2.6.0" { // it waits in vain for Go's server, for a minute, and misses this
		want = "127.0.0.1 nikto:013587 GET / referrer-policy"
	}
	if !slices.Contains(o.checks, want) || len(o.covered) != 1 || !strings.HasSuffix(o.covered[0], " tuning=3") {
		t.Errorf("checks %q, covered %q", o.checks, o.covered)
	}
	if !slices.IsSorted(o.percents) || o.percents[len(o.percents)-1] != 100 {
		t.Errorf("progress %v", o.percents)
	}
	if strings.HasPrefix(version, "2.5") {
		return // asks DNS for names
	}
	port.Name, port.Path = "intranet.example", "/app"
	if o := run(t, t.Context(), s, jobFor(addr, port)); o.run != nil || o.read != nil || len(o.checks) == 0 || len(o.covered) != 1 ||
		!strings.Contains(o.covered[0], "host=intranet.example") {
		t.Errorf("by name: %v, %v, %q, %q", o.run, o.read, o.checks, o.covered)
	}
	if web.hosts["intranet.example"] < 100 {
		t.Errorf("asked for %v", web.hosts)
	}
}

func TestRealNiktoOverIPv6(t *testing.T) {
	s := installed(t, Options{Tuning: "3"})
	addr, port := serve(t, "::1", 0).web(t, "")
	o := run(t, t.Context(), s, jobFor(addr, port))
	if version, _ := s.Available(t.Context()); strings.HasPrefix(version, "2.1") {
		if o.run == nil || !strings.Contains(o.run.Error(), "want 2.5 or newer") {
			t.Errorf("%v", o.run)
		}
		return
	}
	if o.run != nil || o.read != nil || !slices.Contains(o.checks, "::1 nikto:999997 GET /hidden/") {
		t.Errorf("%v, %v, %q", o.run, o.read, o.checks)
	}
}

func TestRealNiktoAtAClosedPortIsNotClean(t *testing.T) {
	s := installed(t, Options{})
	web := serve(t, "127.0.0.1", 0)
	addr, port := web.web(t, "")
	web.Close()
	o := run(t, t.Context(), s, jobFor(addr, port))
	if o.run == nil && !errors.Is(o.read, ErrNotScanned) || len(o.covered)+len(o.checks) > 0 {
		t.Errorf("%v, %v, %q\n%s", o.run, o.read, o.covered, &o.raw)
	}
}

func TestCancelledRealNiktoEndsWithinTwoSeconds(t *testing.T) {
	s := installed(t, Options{})
	addr, port := serve(t, "127.0.0.1", 50*time.Millisecond).web(t, "")
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	begin := time.Now()
	o := run(t, ctx, s, jobFor(addr, port))
	if took := time.Since(begin); !errors.Is(o.run, context.DeadlineExceeded) || took > 6*time.Second {
		t.Errorf("%v after %s", o.run, took)
	}
	if !errors.Is(o.read, scan.ErrTruncated) || len(o.covered) > 0 {
		t.Errorf("a cancelled run reads as %v, covered %q\n%s", o.read, o.covered, &o.raw)
	}
}

// standIn is a program that takes Nikto's options and does what its text says; "$out" is the report to be written.
func standIn(t *testing.T, version, text string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "nikto-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	script := `#!/bin/sh
for a; do [ "$a" = -Version ] && { echo "Nikto ` + version + ` (LW 2.5)"; exit 0; }; done
args="$*"
while [ $# -gt 0 ]; do case $1 in -output) out=$2;; -host) host=$2;; esac; shift; done
begin() { echo "<niktoscans><niktoscan version=\"` + version + `\" options=\"$args\"><scandetails targetip=\"127.0.0.1\" targethostname=\"127.0.0.1\" targetport=\"8080\" starttime=\"2026-11-22 03:56:10\">
<item id=\"013587\" method=\"GET\"><description>Suggested security header missing: referrer-policy.</description><uri>/</uri></item>" >"$out"; }
end() { echo '<statistics endtime="2026-11-22 03:56:47"/></scandetails></niktoscan></niktoscans>' >>"$out"; }
` + text
	path := filepath.Join(dir, "nikto")
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(path, []byte(script), 0o755)); err != nil {
		t.Fatal(err)
	}
	return path
}

func standInScanner(t *testing.T, version, text string) *Scanner {
	t.Helper()
	s, err := New(Options{Path: standIn(t, version, text), TargetLimit: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var standInJob = jobFor(netip.MustParseAddr("127.0.0.1"), scan.WebPort{Port: 8080})

func TestOnlyAWholeReportCovers(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"whole", "begin; end", ""},
		{"whole, exit code of 2.5.0", "begin; end; exit 1", ""},
		{"crashed", "begin; echo boom >&2; exit 255", "exit status 255: boom"},
		{"half a report", "begin; echo '+ ERROR: lost'", "nikto did not finish: + ERROR: lost"},
		{"no report", "echo '+ ERROR: Unable to open'", "nikto did not finish: + ERROR: Unable to open"},
		{"gave up", "begin; echo '+ ERROR: Error limit (20) reached for host, giving up.'; end", "giving up"},
		{"hangs", "begin; trap '' INT; sleep 60", "did not finish in time"},
		{"killed", "begin; kill -9 $$", "signal: killed"},
		{"a pipe for a report", `mkfifo "$out"`, "did not finish"},
		{"a link for a report", `ln -s /etc/hostname "$out"`, "did not finish"},
	} {
		s := standInScanner(t, "2.6.1", c.text)
		s.opts.TargetLimit = 2 * time.Second
		o := run(t, t.Context(), s, standInJob)
		if c.want == "" {
			if o.run != nil || o.read != nil || len(o.covered) != 1 || len(o.checks) != 1 {
				t.Errorf("%s: %v, %v, %q", c.name, o.run, o.read, o.covered)
			}
			continue
		}
		if o.run == nil || fault.KindOf(o.run) != fault.KindUnavailable || !strings.Contains(o.run.Error(), c.want) {
			t.Errorf("%s: %v", c.name, o.run)
		}
		if !errors.Is(o.read, scan.ErrTruncated) || len(o.covered) > 0 || strings.Contains(c.text, "begin") != (len(o.checks) == 1) {
			t.Errorf("%s: reads as %v, covered %q, checks %q", c.name, o.read, o.covered, o.checks)
		}
	}
}

func TestPortsAreScannedSideBySideAndOneFailureStaysAlone(t *testing.T) {
	s := standInScanner(t, "2.6.1", `case $host in *:8081/) echo no >&2; exit 3;; esac; begin; end`)
	job := jobFor(netip.MustParseAddr("127.0.0.1"), scan.WebPort{Port: 8080}, scan.WebPort{Port: 8081}, scan.WebPort{Port: 8082}, scan.WebPort{Port: 22})
	job.Exclude = []finding.PortRange{{First: 22, Last: 22}}
	o := run(t, t.Context(), s, job)
	if o.run == nil || !strings.Contains(o.run.Error(), "127.0.0.1:8081: nikto: exit status 3: no") || len(o.checks) != 2 {
		t.Errorf("%v, %q", o.run, o.checks)
	}
	if !slices.IsSorted(o.percents) || o.percents[len(o.percents)-1] > 99 {
		t.Errorf("progress %v", o.percents)
	}
	full := errors.New("the disk is full")
	err := s.Run(t.Context(), job, writer(func([]byte) (int, error) { return 0, full }), func(scan.Progress) {})
	if !errors.Is(err, full) {
		t.Errorf("a writer that fails: %v", err)
	}
	if err := s.Run(t.Context(), scan.Job{}, io.Discard, func(scan.Progress) {}); err != nil {
		t.Errorf("no web port: %v", err)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func TestCancelKillsTheGroup(t *testing.T) {
	s := standInScanner(t, "2.6.1", `begin; trap '' INT; (trap '' INT; exec sleep 300) & echo "$!" >"$HOME/../nikto-child-$PPID"; wait; sleep 300`)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	child := filepath.Join(os.TempDir(), fmt.Sprintf("nikto-child-%d", os.Getpid()))
	t.Cleanup(func() { os.Remove(child) })
	begin := time.Now()
	o := run(t, ctx, s, standInJob)
	if took := time.Since(begin); !errors.Is(o.run, context.DeadlineExceeded) || took > 3*time.Second || len(o.checks) != 1 || len(o.covered) > 0 {
		t.Errorf("%v after %s, %q, %q", o.run, took, o.checks, o.covered)
	}
	pid, err := os.ReadFile(child)
	if err != nil {
		t.Fatal(err)
	}
	stat, _ := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/stat")
	if _, state, _ := strings.Cut(string(stat), ") "); state != "" && state[0] != 'Z' { // dead, whoever has to notice
		t.Errorf("the child %s lives on", pid)
	}
}

func TestCommandLineFollowsTheJob(t *testing.T) {
	v4, v6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("::ffff:192.0.2.1")
	for _, c := range []struct {
		version string
		opts    Options
		addr    netip.Addr
		web     scan.WebPort
		want    string
	}{
		{"2.6.1", Options{}, v4, scan.WebPort{Port: 80}, "-host http://192.0.2.1:80/ … -nocheck -nossl"},
		{"2.6.1", Options{}, v6, scan.WebPort{Port: 443, TLS: true}, "-host https://192.0.2.1:443/ … -nocheck"},
		{"2.6.1", Options{}, netip.MustParseAddr("2001:db8::1"), scan.WebPort{Port: 80}, "-host http://[2001:db8::1]:80/ … -nocheck -ipv6 -nossl"},
		{"2.6.1", Options{}, v4, scan.WebPort{Port: 80, Name: "www.example.org", Path: "/a b/-x?y=1"},
			"-host http://192.0.2.1:80/ … -root /a%20b/-x -nocheck -nossl -Add-header Host:www.example.org"},
		{"2.1.6", Options{}, v4, scan.WebPort{Port: 80, Name: "www.example.org"}, "-host http://192.0.2.1:80/ … -nossl -vhost www.example.org"},
		{"2.5.0", Options{}, v4, scan.WebPort{Port: 80, Name: "here.example.org"}, "-host http://192.0.2.1:80/ … -nossl -vhost here.example.org"},
		{"2.5.0", Options{}, v4, scan.WebPort{Port: 80, Name: "there.example.org"}, "error connects to wherever there.example.org resolves to"},
		{"2.1.6", Options{}, netip.MustParseAddr("2001:db8::1"), scan.WebPort{Port: 80}, "error cannot scan IPv6"},
		{"2.6.1", Options{}, netip.MustParseAddr("fe80::1%eth0"), scan.WebPort{Port: 80}, "error interface"},
		{"2.6.1", Options{}, v4, scan.WebPort{Port: 80, Name: "-evil"}, "error host name"},
		{"2.6.1", Options{}, v4, scan.WebPort{Port: 80, Name: "a\r\nX: y"}, "error host name"},
		{"2.6.1", Options{Tuning: "x6", Plugins: []string{"headers"}, Pause: 1500 * time.Millisecond}, v4, scan.WebPort{Port: 80},
			"-host http://192.0.2.1:80/ … -nocheck -nossl -Tuning x6 -Plugins headers;report_xml -Pause 1.5"},
	} {
		s, err := New(c.opts)
		if err != nil {
			t.Fatal(err)
		}
		s.lookup = func(_ context.Context, _, host string) ([]netip.Addr, error) {
			return map[string][]netip.Addr{"here.example.org": {v4}, "there.example.org": {v4, netip.MustParseAddr("198.51.100.1")}}[host], nil
		}
		r := &runner{Scanner: s, version: c.version}
		args, err := r.args(t.Context(), task{c.addr, c.web})
		got := strings.Replace(strings.Join(args, " "), "-ask no -nointeractive -Format xml -timeout 10", "…", 1)
		if reason, fails := strings.CutPrefix(c.want, "error "); fails {
			if err == nil || !strings.Contains(err.Error(), reason) || fault.KindOf(err) != fault.KindUnavailable {
				t.Errorf("%s: %s, %v", c.want, got, err)
			}
		} else if err != nil || got != c.want {
			t.Errorf("got %s, %v\nwant %s", got, err, c.want)
		}
	}
}

func TestOptionsAreClosed(t *testing.T) {
	for _, o := range []Options{{Path: "nikto"}, {Tuning: "3 -output x"}, {Tuning: "-x"}, {Plugins: []string{"a;b"}}, {Plugins: []string{"@@ALL"}},
		{Pause: -1}, {Timeout: -1}, {TargetLimit: -1}, {Parallel: 99}} {
		if _, err := New(o); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestVersionsThatWeCannotRun(t *testing.T) {
	for version, want := range map[string]string{"2.1.5": "too old", "x": "does not say"} {
		s := standInScanner(t, version, "")
		if _, err := s.Available(t.Context()); err == nil || !strings.Contains(err.Error(), want) || fault.KindOf(err) != fault.KindUnavailable {
			t.Errorf("%s: %v", version, err)
		}
	}
	t.Setenv("PATH", t.TempDir())
	s, _ := New(Options{})
	if _, err := s.Available(t.Context()); err == nil || !strings.Contains(err.Error(), "nikto is not installed: Debian") {
		t.Errorf("a missing program: %v", err)
	}
	if err := s.Run(t.Context(), standInJob, io.Discard, func(scan.Progress) {}); fault.KindOf(err) != fault.KindUnavailable {
		t.Errorf("a missing program: %v", err)
	}
}
