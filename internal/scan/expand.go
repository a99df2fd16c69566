package scan

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
)

// resolveTimeout is per name: the resolver of a Linux machine gives up on one dead server after 5 s.
const resolveTimeout = 5 * time.Second

// resolveParallel keeps a list of a thousand names from flooding a small office's resolver.
const resolveParallel = 16

// maxPerName bounds what one name can bring: the answer comes from somebody else's server.
const maxPerName = 32

// Resolver finds a name's addresses; *net.Resolver is one. Network is always "ip".
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Expansion is what targets came to.
type Expansion struct {
	Hosts      []HostTarget // in the order named, no address twice
	Unresolved []Unresolved // not clean hosts: nothing is known of them
	Excluded   int          // addresses left out because an exclude holds them
}

// Unresolved is a target without an address.
type Unresolved struct {
	Target Target
	Reason string // "no such host", for people
}

// Expand turns targets into addresses without duplicates. Of a network with 30 bits or fewer the first and last IPv4
// address (network and broadcast) are left out; ranges are taken as written. A name with addresses of both families is
// scanned on all its IPv4 addresses only: the two families are nearly always one machine, which would be listed twice.
// An exclude that does not resolve is an error, because it cannot be honoured; so are more than MaxAddresses.
func Expand(ctx context.Context, targets, excludes []Target, resolver Resolver) (Expansion, error) {
	found := resolveAll(ctx, slices.Concat(targets, excludes), resolver)
	if err := ctx.Err(); err != nil {
		return Expansion{}, fmt.Errorf("resolve targets: %w", err)
	}
	out := expander{index: map[netip.Addr]int{}}
	for _, t := range excludes {
		if err := out.exclude(t, found); err != nil {
			return Expansion{}, err
		}
	}
	for _, t := range targets {
		if err := out.add(t, found); err != nil {
			return Expansion{}, err
		}
	}
	return out.Expansion, nil
}

type expander struct {
	Expansion
	excludes []Target
	index    map[netip.Addr]int // into Hosts; -1 for an excluded address
}

func (x *expander) exclude(t Target, found map[string]answer) error {
	if t.Name == "" {
		x.excludes = append(x.excludes, t)
		return nil
	}
	a := found[t.lookup()]
	if a.reason != "" {
		return fault.Invalid("exclude %s did not resolve (%s): what it names cannot be left out", quote(t.Text), a.reason)
	}
	for _, addr := range a.all {
		x.excludes = append(x.excludes, Target{Kind: KindAddress, Addr: addr})
	}
	return nil
}

func (x *expander) add(t Target, found map[string]answer) error {
	if t.Name != "" {
		a := found[t.lookup()]
		if a.reason != "" {
			x.Unresolved = append(x.Unresolved, Unresolved{Target: t, Reason: a.reason})
		}
		for _, addr := range a.family() {
			if err := x.addAddress(t, addr); err != nil {
				return err
			}
		}
		return nil
	}
	for addr := range t.addresses() {
		if err := x.addAddress(t, addr); err != nil {
			return err
		}
	}
	return nil
}

func (x *expander) addAddress(t Target, addr netip.Addr) error {
	i, seen := x.index[addr]
	if !seen {
		i = len(x.Hosts)
		if slices.ContainsFunc(x.excludes, func(e Target) bool { return e.Contains(addr) }) {
			i = -1
			x.Excluded++
		}
		if len(x.index) > 4*MaxAddresses || i >= MaxAddresses {
			return fault.Invalid("the targets hold more than %d addresses: name smaller networks", MaxAddresses)
		}
		x.index[addr] = i
		if i >= 0 {
			x.Hosts = append(x.Hosts, HostTarget{Address: addr})
		}
	}
	if i >= 0 {
		x.Hosts[i].merge(t)
	}
	return nil
}

// merge notes one more way in which the user named the host.
func (h *HostTarget) merge(t Target) {
	h.Explicit = h.Explicit || t.Kind != KindNetwork && t.Kind != KindRange
	if t.Name != "" && !slices.Contains(h.Names, t.Name) {
		h.Names = append(h.Names, t.Name)
	}
	if t.URL != "" && !slices.Contains(h.URLs, t.URL) {
		h.URLs = append(h.URLs, t.URL)
	}
	if t.Port != 0 && !slices.Contains(h.Ports, t.Port) {
		h.Ports = append(h.Ports, t.Port)
	}
}

// addresses yields what the target names without a resolver.
func (t Target) addresses() iter.Seq[netip.Addr] {
	switch {
	case t.prefix.IsValid():
		return t.networkAddresses()
	case t.first.IsValid():
		return between(t.first, t.last)
	case t.Kind == KindRange:
		return t.octetAddresses()
	}
	return func(yield func(netip.Addr) bool) {
		if t.Addr.IsValid() {
			yield(t.Addr)
		}
	}
}

func (t Target) networkAddresses() iter.Seq[netip.Addr] {
	first, last := t.prefix.Addr(), lastOf(t.prefix)
	if first.Is4() && t.prefix.Bits() <= 30 { // /31 has no broadcast address: RFC 3021
		first, last = first.Next(), last.Prev()
	}
	return between(first, last)
}

func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	last, _ := netip.AddrFromSlice(b)
	return last
}

func between(first, last netip.Addr) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for addr := first; addr.IsValid() && !last.Less(addr); addr = addr.Next() {
			if !yield(addr) {
				return
			}
		}
	}
}

func (t Target) octetAddresses() iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		first := [4]byte{t.octets[0].first, t.octets[1].first, t.octets[2].first, t.octets[3].first}
		for b := first; ; {
			if addr, reason := usable(netip.AddrFrom4(b)); reason == "" && !yield(addr) {
				return
			}
			i := 3
			for ; i >= 0 && b[i] == t.octets[i].last; i-- {
				b[i] = first[i]
			}
			if i < 0 {
				return
			}
			b[i]++
		}
	}
}

func (t Target) lookup() string {
	if t.rooted {
		return t.Name + "."
	}
	return t.Name
}

// answer is what a resolver said: addresses, or the reason why there are none.
type answer struct {
	all    []netip.Addr
	reason string
}

// family is the IPv4 addresses, or the IPv6 ones when there are no others.
func (a answer) family() []netip.Addr {
	is6 := func(addr netip.Addr) bool { return !addr.Is4() }
	if v4 := slices.DeleteFunc(slices.Clone(a.all), is6); len(v4) > 0 {
		return v4
	}
	return a.all
}

// resolveAll asks for every name once, a few at a time.
func resolveAll(ctx context.Context, targets []Target, resolver Resolver) map[string]answer {
	found := map[string]answer{}
	for _, t := range targets {
		if t.Name != "" {
			found[t.lookup()] = answer{}
		}
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, resolveParallel)
	names := make([]string, 0, len(found))
	for name := range found {
		names = append(names, name)
	}
	for _, name := range names {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			a := resolve(ctx, resolver, name)
			mu.Lock()
			defer mu.Unlock()
			found[name] = a
		})
	}
	wg.Wait()
	return found
}

func resolve(ctx context.Context, resolver Resolver, name string) answer {
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	said, err := resolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return answer{reason: resolveReason(err)}
	}
	var a answer
	for _, addr := range said {
		addr, reason := usable(addr)
		if reason == "" && !slices.Contains(a.all, addr) && len(a.all) < maxPerName {
			a.all = append(a.all, addr)
		}
	}
	if len(a.all) == 0 {
		return answer{reason: "the name has no address of a host"}
	}
	slices.SortFunc(a.all, netip.Addr.Compare) // servers rotate their answers; a scan should not
	return a
}

func resolveReason(err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return "no such host"
	case errors.As(err, &dns) && dns.IsTimeout, errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("the resolver did not answer within %s", resolveTimeout)
	default:
		return err.Error()
	}
}
