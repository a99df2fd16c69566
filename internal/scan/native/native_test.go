package native

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
)

func mustAddrPort(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

var loopback = netip.MustParseAddr("127.0.0.1")

// listen starts a server on a free loopback port that handles each connection with handle, and returns its port.
func listen(t testing.TB, handle func(net.Conn)) uint16 {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, l, handle)
	return l.Addr().(*net.TCPAddr).AddrPort().Port()
}

func serveOn(t testing.TB, l net.Listener, handle func(net.Conn)) {
	var running sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	running.Go(func() {
		for {
			c, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				continue
			}
			mu.Lock()
			open[c] = true
			mu.Unlock()
			running.Go(func() {
				handle(c)
				c.Close()
				mu.Lock()
				delete(open, c)
				mu.Unlock()
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for c := range open {
			c.Close()
		}
		mu.Unlock()
		running.Wait()
	})
}

// closedPort is a port at which nobody listens.
func closedPort(t testing.TB) uint16 {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort().Port()
}

type result struct {
	raw      []byte
	hosts    []finding.HostSeen
	services map[uint16]finding.ServiceSeen
	coverage []finding.Coverage
	drops    []finding.Drop
}

func jobFor(ports ...uint16) scan.Job {
	job := scan.Job{Hosts: []scan.HostTarget{{Address: loopback}}}
	for _, p := range ports {
		job.Ports = append(job.Ports, finding.PortRange{First: p, Last: p})
	}
	return job
}

func runJob(t testing.TB, job scan.Job) result {
	t.Helper()
	var raw bytes.Buffer
	if err := (Scanner{}).Run(t.Context(), job, &raw, nil); err != nil {
		t.Fatal(err)
	}
	r, err := readAll(raw.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func readAll(raw []byte) (result, error) {
	r := result{raw: raw, services: map[uint16]finding.ServiceSeen{}}
	err := Scanner{}.Read(context.Background(), bytes.NewReader(raw), func(e finding.Event) error {
		switch {
		case e.Host != nil:
			r.hosts = append(r.hosts, *e.Host)
		case e.Service != nil:
			r.services[e.Service.Port] = *e.Service
		case e.Coverage != nil:
			r.coverage = append(r.coverage, *e.Coverage)
		case e.Drop != nil:
			r.drops = append(r.drops, *e.Drop)
		}
		return nil
	})
	return r, err
}

func TestARefusalIsAnAnswer(t *testing.T) {
	p := closedPort(t)
	r := runJob(t, jobFor(p))
	if len(r.hosts) != 1 || r.hosts[0].Status != "up" || r.hosts[0].Reason != fmt.Sprintf("refused %d/tcp", p) {
		t.Errorf("hosts: %+v", r.hosts)
	}
	if len(r.coverage) != 1 || !finding.Contains(r.coverage[0].Ports, p) {
		t.Errorf("a closed port is covered, got %+v", r.coverage)
	}
}

func TestASilentHostIsNotACleanHost(t *testing.T) {
	h := newHost(netip.MustParseAddr("192.0.2.1"))
	h.ports = []uint16{22, 80, 443}
	s := &sweep{first: 24, watch: newWatch(nil, nil)}
	s.wake = sync.NewCond(&s.mu)
	h.fill(3)
	for range 20 {
		if len(h.queue) == 0 {
			s.refill(h)
		}
		if h.swept {
			break
		}
		a := h.queue[0]
		h.queue = h.queue[1:]
		h.silents++
		if a.try+1 < tries {
			h.retry = append(h.retry, attempt{a.port, a.try + 1})
		}
	}
	rec := h.done()
	if !h.swept || rec.Status != "unknown" || rec.Reason != "did not answer on 3 ports" || rec.Ports != "" {
		t.Errorf("done record: %+v", rec)
	}
}

func TestNoRouteIsDown(t *testing.T) {
	h := newHost(netip.MustParseAddr("192.0.2.1"))
	h.ports, h.next, h.downs = []uint16{22}, 1, 1
	if rec := h.done(); rec.Status != "down" || rec.Ports != "" {
		t.Errorf("%+v", rec)
	}
}

func TestOutcomesAreToldApart(t *testing.T) {
	for _, c := range []struct {
		err  error
		want outcome
	}{
		{syscall.ECONNREFUSED, closed},
		{syscall.ECONNRESET, closed},
		{syscall.EHOSTUNREACH, unreachable},
		{syscall.ENETUNREACH, unsent},
		{syscall.EMFILE, unsent},
		{syscall.EPERM, unsent},
		{os.ErrDeadlineExceeded, silent},
		{context.Canceled, unsent},
	} {
		if got := outcomeOf(&net.OpError{Op: "dial", Err: c.err}); got != c.want {
			t.Errorf("%v is outcome %d, want %d", c.err, got, c.want)
		}
	}
}

func TestTheTimeoutFollowsTheRoundTrip(t *testing.T) {
	var c clock
	if c.timeout(0) != initialTimeout {
		t.Error("the first time-out is not the initial one")
	}
	for range 20 {
		c.sample(time.Millisecond)
	}
	if got := c.timeout(0); got != floorTimeout {
		t.Errorf("near host: %v", got)
	}
	for range 50 {
		c.sample(400 * time.Millisecond)
	}
	if got := c.timeout(0); got < 700*time.Millisecond || got > 1200*time.Millisecond {
		t.Errorf("far host: %v", got)
	}
	if got := c.timeout(5); got != capTimeout {
		t.Errorf("no cap: %v", got)
	}
}

func TestASelfConnectionIsNotAnOpenPort(t *testing.T) {
	// A socket that is bound to the port which it connects to meets itself.
	p := closedPort(t)
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: int(p)}}
	c, err := d.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", p))
	if err != nil {
		t.Skipf("this kernel refuses: %v", err)
	}
	defer c.Close()
	if !selfConnected(c) {
		t.Error("a connection to itself was not recognised")
	}
}

func TestHostsTakeTurns(t *testing.T) {
	var hosts []*host
	for i := range 4 {
		h := newHost(netip.AddrFrom4([4]byte{127, 0, 0, byte(i + 1)}))
		h.ports = []uint16{1, 2, 3, 4, 5}
		hosts = append(hosts, h)
	}
	s := newSweep(scan.Job{}, hosts, nil, newWatch(nil, hosts))
	seen := map[netip.Addr]int{}
	for range 8 {
		h, _, _, ok := s.take(t.Context())
		if !ok {
			t.Fatal("nothing to take")
		}
		seen[h.addr]++
	}
	for addr, n := range seen {
		if n != 2 {
			t.Errorf("%s had %d of 8 turns", addr, n)
		}
	}
}

func TestAURLPinsItsPort(t *testing.T) {
	p := listen(t, httpServer("HTTP/1.1 200 OK\r\nServer: nginx/1.16.1\r\n\r\n"))
	job := jobFor(closedPort(t))
	job.Hosts[0].URLs = []string{fmt.Sprintf("http://www.example.org:%d/app?x=1", p)}
	r := runJob(t, job)
	if r.services[p].Product != "nginx" {
		t.Errorf("services: %+v", r.services)
	}
}

func TestAPortNamedWithTheTargetIsScannedBesidesTheOthers(t *testing.T) {
	named, usual := listen(t, lines("SSH-2.0-OpenSSH_7.2p2\r\n", nil)), listen(t, lines("SSH-2.0-OpenSSH_8.9p1\r\n", nil))
	job := jobFor(usual)
	job.Hosts[0].Ports = []uint16{named}
	r := runJob(t, job)
	if r.services[named].Version != "7.2p2" || r.services[usual].Version != "8.9p1" || !finding.Contains(r.coverage[0].Ports, named) {
		t.Errorf("services: %+v, coverage %+v", r.services, r.coverage)
	}
}

func TestPrintersAreNotMadeToPrint(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:9107")
	if err != nil {
		t.Skip("the printers' port is taken:", err)
	}
	heard := make(chan int, 100)
	serveOn(t, l, func(c net.Conn) {
		c.SetReadDeadline(time.Now().Add(500 * time.Millisecond)) // twice what a probe waits before it speaks
		n, _ := c.Read(make([]byte, 100))
		heard <- n
		io.WriteString(c, "HTTP/1.1 200 OK\r\nServer: nginx/1.16.1\r\nContent-Length: 0\r\n\r\n")
	})
	job := jobFor(9107)
	if _, open := runJob(t, job).services[9107]; !open {
		t.Error("the port is not listed")
	}
	if n := <-heard; n > 0 {
		t.Error("something was sent to a printer")
	}
	job.Hosts[0].Ports = []uint16{9107}
	runJob(t, job)
	if n := <-heard; n == 0 {
		t.Error("a port that the user named was not asked")
	}
}

func TestExcludedPortsAreNotAsked(t *testing.T) {
	touched := make(chan struct{}, 10)
	p := listen(t, func(net.Conn) { touched <- struct{}{} })
	job := jobFor(p, closedPort(t))
	job.Exclude = []finding.PortRange{{First: p, Last: p}}
	job.Hosts[0].URLs = []string{fmt.Sprintf("http://127.0.0.1:%d/", p)}
	job.Hosts[0].Ports = []uint16{p}
	r := runJob(t, job)
	if len(touched) > 0 || finding.Contains(r.coverage[0].Ports, p) {
		t.Error("an excluded port was asked or covered")
	}
}

func TestTheRateIsObeyed(t *testing.T) {
	job := jobFor()
	job.Ports = []finding.PortRange{{First: 40000, Last: 40099}}
	job.Rate = 200
	began := time.Now()
	runJob(t, job)
	if took := time.Since(began); took < 400*time.Millisecond {
		t.Errorf("100 ports at 200 a second took %v", took)
	}
}

func TestProfilesHoldWhatTheyPromise(t *testing.T) {
	for profile, n := range map[scan.Profile]int{scan.Quick: 100, scan.Standard: 1000, scan.Full: 65535} {
		ports, err := portsOf(scan.Job{Profile: profile})
		if err != nil || len(ports) != n {
			t.Errorf("%s: %d ports, %v", profile, len(ports), err)
		}
		if distinct := slices.Compact(slices.Sorted(slices.Values(ports))); len(distinct) != n || distinct[0] == 0 {
			t.Errorf("%s: ports repeat or are 0", profile)
		}
	}
	quick, _ := portsOf(scan.Job{Profile: scan.Quick})
	for _, p := range []uint16{21, 22, 25, 53, 80, 110, 143, 443, 445, 1883, 3306, 5432, 5672, 6379, 8080, 9200, 11211, 27017} {
		if !slices.Contains(quick, p) {
			t.Errorf("quick leaves out %d", p)
		}
	}
	if _, err := portsOf(scan.Job{Profile: "everything"}); err == nil {
		t.Error("an unknown profile was accepted")
	}
}

func TestCancellingEndsWithinTwoSeconds(t *testing.T) {
	tarpit := listen(t, say(""))
	greeter := listen(t, say("220 (vsFTPd 2.3.4)\r\n"))
	ctx, cancel := context.WithCancel(t.Context())
	job := jobFor(tarpit, greeter)
	var raw bytes.Buffer
	var cancelled time.Time
	err := Scanner{}.Run(ctx, job, &raw, func(p scan.Progress) {
		if p.Found != nil && p.Found.Service != nil {
			cancelled = time.Now()
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || cancelled.IsZero() {
		t.Fatalf("Run returned %v", err)
	}
	if took := time.Since(cancelled); took > 2*time.Second {
		t.Errorf("it took %v to stop", took)
	}
	r, err := readAll(raw.Bytes())
	if !errors.Is(err, scan.ErrTruncated) {
		t.Errorf("reading gave %v", err)
	}
	if r.services[greeter].Version != "2.3.4" || len(r.hosts) != 1 {
		t.Errorf("what was found is lost: %+v", r)
	}
	if len(r.coverage) > 0 {
		t.Error("an interrupted host is covered")
	}
}

func TestTarpitsAreLeftBehind(t *testing.T) {
	ports := map[string]uint16{
		"silence": listen(t, say("")),
		"endless banner": listen(t, func(c net.Conn) {
			for {
				if _, err := c.Write(bytes.Repeat([]byte("A"), 4096)); err != nil {
					return
				}
			}
		}),
		"a byte a second": listen(t, func(c net.Conn) {
			for _, b := range []byte("220 slow and slower, never an end") {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}),
		"endless headers": listen(t, func(c net.Conn) {
			buf := make([]byte, 1024)
			if _, err := c.Read(buf); err != nil {
				return
			}
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\n")
			for i := 0; ; i++ {
				if _, err := fmt.Fprintf(c, "X-Header-%d: %s\r\n", i, strings.Repeat("v", 1000)); err != nil {
					return
				}
			}
		}),
		"endless ssh": listen(t, func(c net.Conn) {
			for {
				if _, err := fmt.Fprint(c, "SSH-2.0-OpenSSH_7.4\r\n"); err != nil {
					return
				}
			}
		}),
		"close at once": listen(t, func(c net.Conn) {}),
		"bomb":          listen(t, httpServer("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\nx")),
	}
	var list []uint16
	for _, p := range ports {
		list = append(list, p)
	}
	began := time.Now()
	r := runJob(t, jobFor(list...))
	if took := time.Since(began); took > serviceBudget+time.Second {
		t.Errorf("tarpits held the scan for %v", took)
	}
	for name, p := range ports {
		s, ok := r.services[p]
		if !ok {
			t.Errorf("%s: the open port is missing", name)
		}
		if len(s.Banner) > maxBanner {
			t.Errorf("%s: banner of %d bytes", name, len(s.Banner))
		}
	}
	if finding.Contains(r.coverage[0].Ports, ports["silence"]) {
		t.Error("a port whose service stayed unknown is covered")
	}
}

func TestAReportThatCannotBeWrittenEndsTheScan(t *testing.T) {
	full := errors.New("no space left on device")
	err := Scanner{}.Run(t.Context(), jobFor(closedPort(t)), writerFunc(func([]byte) (int, error) { return 0, full }), nil)
	if !errors.Is(err, full) {
		t.Errorf("Run returned %v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestProgressNeverFalls(t *testing.T) {
	p := listen(t, say("220 (vsFTPd 3.0.3)\r\n"))
	job := jobFor(p)
	job.Ports = append(job.Ports, finding.PortRange{First: 42000, Last: 42500})
	last, services := 0.0, 0
	err := Scanner{}.Run(t.Context(), job, &bytes.Buffer{}, func(p scan.Progress) {
		if p.Percent < last || p.Percent > 100 {
			t.Errorf("%.1f after %.1f", p.Percent, last)
		}
		last = p.Percent
		if p.Found != nil && p.Found.Service != nil {
			services++
		}
	})
	if err != nil || last != 100 || services != 1 {
		t.Errorf("ended at %.1f with %d services, %v", last, services, err)
	}
}

func TestATimeoutOfTheJobIsAnError(t *testing.T) {
	p := listen(t, say(""))
	job := jobFor(p)
	job.Timeout = 300 * time.Millisecond
	began := time.Now()
	err := Scanner{}.Run(t.Context(), job, &bytes.Buffer{}, nil)
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 2*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

func TestAHostThatAcceptsEverythingIsOnlyListed(t *testing.T) {
	h := newHost(loopback)
	for p := range uint16(enoughVague) {
		h.facts.learn(p+1, &service{})
	}
	if !h.facts.tarpit() {
		t.Error("not taken for a tarpit")
	}
	h.ports = []uint16{1, 5000}
	h.facts.learn(5000, unexamined(5000))
	h.answered = true
	if rec := h.done(); rec.Ports != "" {
		t.Errorf("covers %q", rec.Ports)
	}
}
