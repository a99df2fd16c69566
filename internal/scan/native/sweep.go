package native

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
)

const (
	// few is the number of hosts up to which a silent host is asked on all of its ports before it counts as silent.
	// With more hosts, the first firstPorts ports decide, twice: most addresses of a network are nobody's.
	few        = 8
	firstPorts = 24
	// atOnce is how many hosts are swept at the same time; the others wait. It keeps state small on a /16.
	atOnce = 256
	// tries is how often a silent port of a host that answers elsewhere is asked.
	tries = 2
)

// host is one address while it is scanned. Its fields below mu belong to the sweep's lock.
type host struct {
	addr  netip.Addr
	names []string
	pages []page
	ports []uint16 // in the order in which they are asked
	named []uint16 // those that came with the target

	queue    []attempt
	retry    []attempt // silent so far; asked again when the queue is empty
	next     int       // first port of ports that is not in the queue yet
	inflight int
	window   int
	clock    clock
	answered bool
	told     bool
	reason   string
	downs    int // "unreachable" answers
	silents  int
	quiet    []uint16 // ports that said nothing to the end, or were reported unreachable: a filter, or loss
	unsent   []uint16
	whyNot   error // why unsent
	second   bool  // the silent host's second chance is under way
	swept    bool

	services sync.WaitGroup
	facts    facts
}

type attempt struct {
	port uint16
	try  int
}

// facts is what services said about their host.
type facts struct {
	mu     sync.Mutex
	os     string
	cpes   []string
	sshKey string
	sshOn  uint16
	names  []string
	vague  []uint16 // open ports whose service was not recognised: looked at, but not covered
	open   int
}

func newHost(addr netip.Addr) *host {
	h := &host{addr: addr, window: 32}
	if addr.IsLoopback() {
		h.window = 128
	}
	return h
}

// sweep hands out attempts, fair over hosts, and collects what comes of them.
type sweep struct {
	dial    dialer
	out     *report
	watch   *watch
	detect  detector
	workers int
	first   int // ports after which a silent host is given up

	mu      sync.Mutex
	wake    *sync.Cond
	waiting []*host // not begun
	active  []*host // begun and not swept
	cursor  int
	stopped bool

	finishing sync.WaitGroup
}

func newSweep(job scan.Job, hosts []*host, out *report, watch *watch) *sweep {
	files := openFiles()
	budget := max(files-48, 8) // what the rest of the program holds open
	s := &sweep{out: out, watch: watch, waiting: hosts, workers: min(512, max(budget*2/3, 4)), first: firstPorts}
	if len(hosts) <= few {
		s.first = 1000 // a full scan gives a silent host up after the standard ports
	}
	s.wake = sync.NewCond(&s.mu)
	s.detect = detector{dial: &s.dial, services: make(chan struct{}, min(64, max(budget/3/connsPerService, 1)))}
	rate := job.Rate
	if rate == 0 && slices.ContainsFunc(hosts, func(h *host) bool { return !h.addr.IsLoopback() }) {
		rate = politeRate
	}
	if rate > 0 {
		s.dial.pace.gap = time.Second / time.Duration(rate)
	}
	return s
}

// run returns when all hosts are done or ctx is; no goroutine of the scan outlives it.
func (s *sweep) run(ctx context.Context) {
	wakeUp := context.AfterFunc(ctx, func() {
		s.mu.Lock()
		s.stopped = true
		s.mu.Unlock()
		s.wake.Broadcast()
	})
	defer wakeUp()
	var workers sync.WaitGroup
	total := 0
	for _, h := range s.waiting {
		total += len(h.ports)
	}
	for range min(s.workers, total) {
		workers.Go(func() { s.work(ctx) })
	}
	workers.Wait()
	s.finishing.Wait()
}

func (s *sweep) work(ctx context.Context) {
	for {
		h, a, timeout, ok := s.take(ctx)
		if !ok {
			return
		}
		conn, rtt, what, err := s.dial.dial(ctx, netip.AddrPortFrom(h.addr, a.port), timeout)
		s.settle(ctx, h, a, conn, rtt, what, err)
	}
}

// take waits for the next attempt, going round the hosts that have room.
func (s *sweep) take(ctx context.Context) (*host, attempt, time.Duration, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if s.stopped {
			return nil, attempt{}, 0, false
		}
		for len(s.active) < atOnce && len(s.waiting) > 0 {
			h := s.waiting[0]
			s.waiting = s.waiting[1:]
			h.fill(min(s.first, len(h.ports)))
			s.active = append(s.active, h)
		}
		if len(s.active) == 0 {
			s.wake.Broadcast()
			return nil, attempt{}, 0, false
		}
		for range s.active {
			h := s.active[s.cursor%len(s.active)]
			s.cursor++
			if len(h.queue) > 0 && h.inflight < h.window {
				a := h.queue[0]
				h.queue = h.queue[1:]
				h.inflight++
				return h, a, h.clock.timeout(a.try), true
			}
		}
		s.wake.Wait()
	}
}

func (h *host) fill(upTo int) {
	for ; h.next < upTo; h.next++ {
		h.queue = append(h.queue, attempt{port: h.ports[h.next]})
	}
}

func (s *sweep) settle(ctx context.Context, h *host, a attempt, conn net.Conn, rtt time.Duration, what outcome, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.inflight--
	finished := 1
	switch what {
	case open, closed:
		h.answer(a, rtt, what)
		s.tellUp(h)
		if what == open {
			s.identify(ctx, h, a.port, conn, rtt)
		}
	case unreachable:
		h.downs++
		h.quiet = append(h.quiet, a.port)
		h.whyNot = err
	case unsent:
		h.unsent = append(h.unsent, a.port)
		h.whyNot = err
	case silent:
		h.silents++
		if a.try+1 < tries {
			finished = 0
			h.retry = append(h.retry, attempt{port: a.port, try: a.try + 1})
		} else {
			h.quiet = append(h.quiet, a.port)
		}
	}
	if h.inflight == 0 && len(h.queue) == 0 {
		finished += s.refill(h)
	}
	if finished > 0 {
		s.watch.update(func(w *watch) { w.done += finished }, nil)
	}
	if h.swept {
		i := slices.Index(s.active, h)
		s.active = slices.Delete(s.active, i, i+1)
		s.conclude(ctx, h)
		s.wake.Broadcast()
		return
	}
	s.wake.Signal()
	if what == open || what == closed {
		s.wake.Signal() // the window grew by one
	}
}

// answer learns from a port that spoke: the host is there, how far it is, and whether we ask too fast.
func (h *host) answer(a attempt, rtt time.Duration, what outcome) {
	h.clock.sample(rtt)
	limit := 256
	if h.addr.IsLoopback() {
		limit = 512
	}
	if a.try > 0 {
		h.window = max(h.window/2, 8) // an answer to a second try means that the first was lost
	} else {
		h.window = min(h.window+1, limit)
	}
	if !h.answered {
		h.answered = true
		h.reason = fmt.Sprintf("connected to %d/tcp", a.port)
		if what == closed {
			h.reason = fmt.Sprintf("refused %d/tcp", a.port)
		}
	}
}

// refill decides what comes after an empty queue and returns how many ports it gave up. It sets swept at the end.
func (s *sweep) refill(h *host) (gaveUp int) {
	switch {
	case h.answered && h.next < len(h.ports):
		h.fill(len(h.ports))
	case h.answered && len(h.retry) > 0:
		h.queue, h.retry = h.retry, nil
	case !h.answered && !h.second && len(h.retry) > 0:
		// Nobody spoke. The most frequent ports get a second chance, against loss; the others have had theirs.
		h.second = true
		n := min(firstPorts, len(h.retry))
		h.queue, h.retry = h.retry[:n:n], h.retry[n:]
	default:
		h.swept = true
		return len(h.retry) + len(h.ports) - h.next
	}
	return 0
}

// tellUp writes the host's line as soon as it is known to be there. The sweep's lock is held.
func (s *sweep) tellUp(h *host) {
	if h.told {
		return
	}
	h.told = true
	at := now()
	s.out.write(record{Kind: kindHost, Address: h.addr.String(), Names: h.names, Status: string(asset.Up), Reason: h.reason, At: at})
	seen := &finding.HostSeen{Address: h.addr, Names: h.names, Status: string(asset.Up), Reason: h.reason, At: at}
	s.watch.update(func(*watch) {}, &finding.Event{Host: seen})
}

// identify starts the service detection of an open port. The sweep's lock is held.
func (s *sweep) identify(ctx context.Context, h *host, port uint16, conn net.Conn, rtt time.Duration) {
	s.watch.update(func(w *watch) { w.open++ }, nil)
	far := h.clock.smoothed
	h.services.Go(func() {
		var svc *service
		if h.facts.tarpit() {
			conn.Close()
			svc = unexamined(port)
		} else {
			t := target{addr: netip.AddrPortFrom(h.addr, port), names: h.names, pages: h.pages,
				named: slices.Contains(h.named, port), rtt: max(rtt, far)}
			svc = s.detect.service(ctx, t, conn)
		}
		if ctx.Err() != nil && (svc.Product == "" || svc.Guessed) {
			return // interrupted before anything was recognised: not a result
		}
		h.facts.learn(port, svc)
		rec := svc.record(h.addr, port)
		s.out.write(rec)
		s.watch.update(func(w *watch) { w.named++ }, &finding.Event{Service: rec.service(h.addr)})
	})
}

// conclude waits for the host's services and writes its last line. The sweep's lock is held by the caller.
func (s *sweep) conclude(ctx context.Context, h *host) {
	s.finishing.Go(func() {
		h.services.Wait()
		if ctx.Err() != nil {
			return
		}
		rec := h.done()
		s.out.write(rec)
		if seen := rec.host(h.addr); seen.OS != "" || seen.SSHKey != "" || !h.answered {
			s.watch.update(func(*watch) {}, &finding.Event{Host: &seen})
		}
	})
}

// done is the host's last record: its status, what its services said about it, and what was really looked at.
func (h *host) done() record {
	f := &h.facts
	f.mu.Lock()
	defer f.mu.Unlock()
	rec := record{Kind: kindDone, Address: h.addr.String(), Names: append(slices.Clone(h.names), f.names...), At: now(),
		OS: f.os, CPEs: f.cpes, SSHKey: f.sshKey, Open: f.open, Silent: h.silents, Unsent: len(h.unsent)}
	if h.answered {
		rec.Status, rec.Reason = string(asset.Up), h.reason
		rec.Ports = finding.PrintPorts(rangesOf(without(h.ports, h.unsent, h.quiet, f.vague))) // silence closes nothing
		return rec
	}
	rec.Status, rec.Reason = string(asset.Unknown), fmt.Sprintf("did not answer on %d ports", h.next-len(h.unsent))
	switch {
	case h.downs > 0 && h.silents == 0:
		rec.Status, rec.Reason = string(asset.Down), "no route to host"
	case len(h.unsent) == h.next:
		rec.Reason = fmt.Sprintf("could not be asked: %v", h.whyNot)
	}
	return rec
}

func without(ports []uint16, lists ...[]uint16) []uint16 {
	var not [65536]bool
	for _, l := range lists {
		for _, p := range l {
			not[p] = true
		}
	}
	var kept []uint16
	for _, p := range ports {
		if !not[p] {
			kept = append(kept, p)
		}
	}
	return kept
}

// enoughVague is how many open ports of a host may stay unrecognised before the others are only listed: a host that
// accepts everything and says nothing would hold the scan for hours.
const enoughVague = 200

func (f *facts) tarpit() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.vague) >= enoughVague
}

// unexamined is an open port of such a host.
func unexamined(port uint16) *service {
	return &service{Name: usualNames[port], Guessed: true, Extra: "open, not looked at: the host accepts everything and says nothing"}
}

// learn keeps what a service says about its host. The lowest SSH port speaks for the host's key: a container's sshd on
// 2222 is another key on the same address.
func (f *facts) learn(port uint16, svc *service) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open++
	if svc.Name == "" || svc.Guessed {
		f.vague = append(f.vague, port)
	}
	if svc.SSHKey != "" && (f.sshKey == "" || port < f.sshOn) {
		f.sshKey, f.sshOn = svc.SSHKey, port
	}
	// The most telling one wins ("Debian 12" over "Debian"); equal ones agree or the first stays.
	if len(svc.OS) > len(f.os) {
		f.os = svc.OS
		f.cpes = svc.OSCPEs
	}
	for _, n := range svc.HostNames {
		if len(f.names) < 16 && !slices.Contains(f.names, n) {
			f.names = append(f.names, n)
		}
	}
}
