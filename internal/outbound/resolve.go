package outbound

import (
	"context"
	"net"
	"net/netip"

	"github.com/patchscout/patchscout/internal/fault"
)

// Addresses finds the addresses of a host that an administrator wrote down, for connections that are not HTTP: whoever
// connects must connect to one of these and not ask for the name again, so that what was judged is what is spoken to. As
// for other named hosts they may be private or this machine, and a name must not lead to the link or to a cloud's
// metadata service. A nil resolver is the system's.
func Addresses(ctx context.Context, resolver *net.Resolver, host string) ([]netip.Addr, error) {
	if literal, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{literal}, nil
	}
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	found, err := resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fault.Unavailable("find the address of %.80q: %w", host, err)
	}
	for i, a := range found {
		if revealing(a) {
			return nil, fault.Denied("%.80s resolves to %s, which no name may lead to", host, a)
		}
		found[i] = a.Unmap()
	}
	return found, nil
}
