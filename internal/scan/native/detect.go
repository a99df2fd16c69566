package native

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// connsPerService bounds the connections to one port at a time: one that listens and the probes beside it.
	connsPerService = 6
	// serviceBudget bounds the whole look at one port, whatever it does.
	serviceBudget = 6 * time.Second
	// quietEnough is how long a port without a hint may keep us listening once every probe has failed.
	quietEnough = 2500 * time.Millisecond
)

// target is one open port and how its host was named.
type target struct {
	addr  netip.AddrPort
	names []string
	pages []page
	named bool // by the user, port and all
	rtt   time.Duration
}

// service is what was recognised at a port. The zero value is an open port that said nothing.
type service struct {
	Name      string // protocol: "ssh", "http"
	Product   string
	Version   string
	Extra     string
	CPEs      []string // the product's first, then those of its parts (OpenSSL, PHP, …)
	TLS       bool
	Banner    []byte // evidence, as said
	Backport  string
	OS        string
	OSCPEs    []string
	HostNames []string // what the host calls itself
	SSHKey    string
	Guessed   bool
}

// detector identifies services, a bounded number at once. Safe for concurrent use.
type detector struct {
	dial     *dialer
	services chan struct{} // one token per service under way
}

// service looks at one open port. conn is the connection that found it open, or nil; service closes it. The result is
// never nil. It returns within serviceBudget, at once when ctx ends.
func (d *detector) service(ctx context.Context, t target, conn net.Conn) *service {
	select {
	case d.services <- struct{}{}:
	default:
		// No room yet. An idle connection held meanwhile would only use up the server's patience.
		if conn != nil {
			conn.Close()
			conn = nil
		}
		select {
		case d.services <- struct{}{}:
		case <-ctx.Done():
			return &service{}
		}
	}
	defer func() { <-d.services }()
	ctx, cancel := context.WithTimeout(ctx, serviceBudget)
	defer cancel()
	s := &session{ctx: ctx, dial: d.dial, target: t, heard: &overheard{}, patience: min(max(10*t.rtt, 600*time.Millisecond), 2*time.Second)}
	found := s.identify(conn)
	if found == nil {
		found = &service{}
	}
	if found.Name == "" {
		if name := usualNames[t.addr.Port()]; name != "" {
			found.Name, found.Guessed = name, true
		}
	}
	found.complete()
	return found
}

// session is the look at one port, or at what is inside its TLS.
type session struct {
	ctx      context.Context
	dial     *dialer
	target   target
	patience time.Duration // for the first byte of an answer
	inside   bool          // connections are TLS
	spare    chan *wire    // a connection that is open already, for whoever asks first
	heard    *overheard
}

// overheard collects what probes were told that was no answer in their own protocol.
type overheard struct {
	mu   sync.Mutex
	said []byte
}

// overhear keeps bytes that the probe could not use; they choose what is tried next.
func (s *session) overhear(b []byte) {
	s.heard.mu.Lock()
	defer s.heard.mu.Unlock()
	if len(s.heard.said) == 0 {
		s.heard.said = slices.Clone(b[:min(len(b), maxBanner)])
	}
}

func (o *overheard) bytes() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.said
}

// probe asks in one protocol. run returns nil when the answer was not of that protocol.
type probe struct {
	name string
	run  func(*session) *service
}

// identify finds out what the port speaks. Who is known to wait for the client is asked at once; for all others
// somebody listens until the end, and the probes start beside it after a short silence.
func (s *session) identify(conn net.Conn) *service {
	port := s.target.addr.Port()
	hinted := probesNamed(hints[port])
	var first *wire
	if conn != nil {
		first = newWire(s.ctx, conn)
	}
	if prints(port) && !s.target.named {
		return s.listen(first, quietEnough)
	}
	if len(hinted) > 0 {
		s.spare = make(chan *wire, 1)
		if first != nil {
			s.spare <- first
		}
		likely := s.in(s.ctx)
		likely.patience = max(s.patience, 2*time.Second) // somebody is there who only may be slow
		found := likely.race(hinted)
		s.dropSpare()
		if found != nil {
			return found
		}
		first = nil
	}
	headStart, listenFor := max(min(5*s.target.rtt, 300*time.Millisecond), 100*time.Millisecond), quietEnough
	if speaksFirst[port] {
		headStart, listenFor = time.Second, 5*time.Second
	}
	return s.listenAndProbe(first, headStart, listenFor, hinted)
}

// listenAndProbe takes the first recognised of a listener and the probes that were not tried yet.
func (s *session) listenAndProbe(first *wire, headStart, listenFor time.Duration, tried []probe) *service {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	began := time.Now()
	var listener sync.WaitGroup
	defer listener.Wait()
	defer cancel()
	heard := make(chan *service, 1)
	listener.Go(func() { heard <- s.in(ctx).listen(first, listenFor) })
	select {
	case found := <-heard:
		if found != nil {
			return found
		}
		heard = nil // it was closed on us; it may still answer to a question
	case <-time.After(headStart):
	case <-ctx.Done():
		return nil
	}
	probed := make(chan *service, 1)
	var prober sync.WaitGroup
	defer prober.Wait()
	defer cancel()
	prober.Go(func() { probed <- s.in(ctx).probeAll(tried) })
	for heard != nil || probed != nil {
		select {
		case found := <-heard:
			if found != nil {
				return found
			}
			heard = nil
		case found := <-probed:
			if found != nil {
				return found
			}
			probed = nil
			if time.Since(began) >= listenFor {
				return s.unknown()
			}
		case <-ctx.Done():
			return s.unknown()
		}
	}
	return s.unknown()
}

// unknown is the service that nobody recognised, with what it said.
func (s *session) unknown() *service {
	said := s.heard.bytes()
	if len(said) == 0 {
		return nil
	}
	if found := s.listenTo(nil, said); found != nil {
		return found
	}
	return &service{Banner: said}
}

// in is the same look under another context.
func (s *session) in(ctx context.Context) *session {
	c := *s
	c.ctx = ctx
	return &c
}

// probeAll tries every probe that is not in tried.
func (s *session) probeAll(tried []probe) *service {
	return s.race(slices.DeleteFunc(slices.Clone(generic), func(p probe) bool {
		return slices.ContainsFunc(tried, func(t probe) bool { return t.name == p.name }) || s.inside && p.name == "tls"
	}))
}

// opening is how many probes of a race start at once; the others follow after headway, or when these have failed. Most
// ports speak one of the first two, and need not be asked in ten protocols.
const (
	opening = 2
	headway = 250 * time.Millisecond
)

// race runs probes in their order, at most connsPerService-1 at a time, and returns the first that recognises something.
// What was overheard moves a probe to the front. It returns when all that it started have ended.
func (s *session) race(probes []probe) *service {
	ctx, cancel := context.WithCancel(s.ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	todo := &agenda{probes: slices.Clone(probes), heard: s.heard}
	results := make(chan *service, len(probes))
	for i := range min(connsPerService-1, len(probes)) {
		running.Go(func() {
			if i >= opening && sleep(ctx, headway) != nil {
				return
			}
			for p, ok := todo.next(); ok && ctx.Err() == nil; p, ok = todo.next() {
				results <- p.run(s.in(ctx))
			}
		})
	}
	for range probes {
		select {
		case found := <-results:
			if found != nil {
				return found
			}
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// agenda hands out probes. Safe for concurrent use.
type agenda struct {
	mu     sync.Mutex
	probes []probe
	heard  *overheard
}

func (a *agenda) next() (probe, bool) {
	likely := likelyFrom(a.heard.bytes())
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.probes) == 0 {
		return probe{}, false
	}
	i := max(slices.IndexFunc(a.probes, func(p probe) bool { return p.name == likely }), 0)
	p := a.probes[i]
	a.probes = slices.Delete(a.probes, i, i+1)
	return p, true
}
