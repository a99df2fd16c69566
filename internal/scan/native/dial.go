package native

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/machine"
)

// outcome is what one connection attempt says about a port.
type outcome int

const (
	silent      outcome = iota // nothing came back in time: filtered, lost, or nobody there
	open                       // connected
	closed                     // refused: the host is there and says no
	unreachable                // a router or our own stack says that the host cannot be reached
	unsent                     // we could not ask (no descriptors, no source ports, forbidden): says nothing about the port
)

// The bounds of a host's time-out. Below 100 ms a busy machine looks like a silent one; the kernel sends a lost SYN again
// only after one second, so our own second try is worth more than a longer first one.
const (
	floorTimeout   = 100 * time.Millisecond
	initialTimeout = time.Second
	capTimeout     = 3 * time.Second
)

// shortage is how long an attempt waits for descriptors or source ports before it gives up as unsent.
const shortage = 15 * time.Second

// dialer opens every connection of a scan, so that one pace and one shortage rule hold for all of them.
type dialer struct {
	pace pacer
}

// dial connects once. The connection is non-nil exactly when the outcome is open; the caller closes it.
func (d *dialer) dial(ctx context.Context, to netip.AddrPort, timeout time.Duration) (net.Conn, time.Duration, outcome, error) {
	pause := 10 * time.Millisecond
	gaveUp := time.Now().Add(shortage)
	for {
		if err := d.pace.wait(ctx); err != nil {
			return nil, 0, unsent, err
		}
		began := time.Now()
		nd := net.Dialer{Timeout: timeout, KeepAlive: -1}
		conn, err := nd.DialContext(ctx, "tcp", to.String())
		took := time.Since(began)
		if err == nil {
			if selfConnected(conn) {
				// Both ends are ours: the kernel happened to choose the port that we asked for as the source port.
				conn.Close()
				return nil, took, closed, nil
			}
			return conn, took, open, nil
		}
		if !ourShortage(err) || time.Now().After(gaveUp) || ctx.Err() != nil {
			return nil, took, outcomeOf(err), err
		}
		if sleep(ctx, pause) != nil {
			return nil, took, unsent, ctx.Err()
		}
		pause = min(2*pause, 500*time.Millisecond)
	}
}

func selfConnected(c net.Conn) bool {
	local, ok1 := c.LocalAddr().(*net.TCPAddr)
	remote, ok2 := c.RemoteAddr().(*net.TCPAddr)
	return ok1 && ok2 && local.Port == remote.Port && local.IP.Equal(remote.IP)
}

// ourShortage says that the attempt failed for want of something on this machine that will come back.
func ourShortage(err error) bool { return machine.Shortage(err) }

func outcomeOf(err error) outcome {
	var timeout net.Error
	switch {
	case machine.Refused(err), machine.Reset(err):
		return closed
	case machine.Unreachable(err):
		return unreachable
	case errors.Is(err, context.Canceled):
		return unsent
	case machine.TimedOut(err), errors.As(err, &timeout) && timeout.Timeout():
		return silent
	default:
		return unsent // ENETUNREACH, EPERM, EACCES, EINVAL, shortages: nothing left this machine
	}
}

// clock follows a host's round-trip time as TCP does (RFC 6298: smoothed by 1/8, deviation by 1/4).
// Not safe for concurrent use.
type clock struct {
	smoothed, deviation time.Duration
}

func (c *clock) sample(rtt time.Duration) {
	if c.smoothed == 0 {
		c.smoothed, c.deviation = max(rtt, 1), rtt/2
		return
	}
	c.deviation += ((c.smoothed - rtt).Abs() - c.deviation) / 4
	c.smoothed += (rtt - c.smoothed) / 8
}

// timeout is how long to wait for an answer to the given try (0 is the first).
func (c *clock) timeout(try int) time.Duration {
	if c.smoothed == 0 {
		return initialTimeout
	}
	t := max(c.smoothed+4*c.deviation, 2*c.smoothed, floorTimeout)
	return min(t<<try, capTimeout)
}

// pacer spaces connection attempts evenly; the zero value does not pace. Safe for concurrent use.
type pacer struct {
	mu   sync.Mutex
	gap  time.Duration
	next time.Time
}

func (p *pacer) wait(ctx context.Context) error {
	if p.gap == 0 {
		return ctx.Err()
	}
	p.mu.Lock()
	at := time.Now()
	// A pause is not saved up beyond 50 ms, or the attempts after it would come as one burst.
	if p.next.Before(at.Add(-50 * time.Millisecond)) {
		p.next = at.Add(-50 * time.Millisecond)
	}
	due := p.next
	p.next = p.next.Add(p.gap)
	p.mu.Unlock()
	return sleep(ctx, due.Sub(at))
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
