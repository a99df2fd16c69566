package auth

import (
	"fmt"
	"net/netip"
	"time"
)

// Failures are the logins that failed for one key: a name, an address, or both. The zero value is none.
type Failures struct {
	Count int
	Last  time.Time
	Wait  time.Time // before which no other is tried
}

// Throttled is the answer to a login that comes too soon.
type Throttled struct{ Wait time.Duration }

func (t Throttled) Error() string {
	return fmt.Sprintf("too many logins failed: try again in %s", t.Wait.Round(time.Second))
}

// A limit lets some logins fail at once and then doubles the wait with each, up to a most: nobody is ever locked out for good.
type limit struct {
	free int
	most time.Duration
}

// Somebody who guesses one user's password from one place waits longest. A name is also slowed down wherever the guesses
// come from, but little: else anybody could keep its owner out. forgotten is when a failure counts no more.
var (
	limitPair    = limit{free: 5, most: 15 * time.Minute}
	limitAddress = limit{free: 30, most: 15 * time.Minute}
	limitName    = limit{free: 50, most: 5 * time.Second}
)

const forgotten = 24 * time.Hour

// next is what is known after one more failure.
func (l limit) next(f Failures, now time.Time) Failures {
	if now.Sub(f.Last) > forgotten {
		f = Failures{}
	}
	f.Count, f.Last = f.Count+1, now
	if over := f.Count - l.free; over >= 0 {
		f.Wait = now.Add(min(l.most, time.Second<<min(over, 20)))
	}
	return f
}

// counted are the keys of a login, with their limits. They are hashed when kept: people type passwords where a name belongs.
type counted struct {
	hash  []byte
	limit limit
}

func countedFor(name, from string) []counted {
	at := Network(from)
	return []counted{
		{Digest("pair\x00" + name + "\x00" + at), limitPair},
		{Digest("address\x00" + at), limitAddress},
		{Digest("name\x00" + name), limitName},
	}
}

// Network is what a client cannot change at will: its address, and of IPv6 the network of 64 bits.
func Network(from string) string {
	a, err := netip.ParseAddr(from)
	if err != nil {
		return from
	}
	if a = a.Unmap().WithZone(""); a.Is6() {
		p, _ := a.Prefix(64) // 64 bits fit
		return p.String()
	}
	return a.String()
}
