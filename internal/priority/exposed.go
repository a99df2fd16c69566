package priority

import "net/netip"

// Exposure says whether a host can be reached from the internet, as far as known, and why we think so.
type Exposure struct {
	Exposed bool
	Known   bool
	Sure    bool // a person said so or a scan saw it; else its addresses suggest it
	Why     string
}

// Exposed decides for a host: a person's word (override, nil for none) wins; else a host that answered a scan from an
// external site or that has a globally routable address is exposed. Of a host that only has a name nothing is known.
func Exposed(externalSite bool, addresses []netip.Addr, override *bool) Exposure {
	if override != nil {
		return Exposure{Exposed: *override, Known: true, Sure: true, Why: "a person said so"}
	}
	if externalSite {
		return Exposure{Exposed: true, Known: true, Sure: true, Why: "answered a scan from an external site"}
	}
	if len(addresses) == 0 {
		return Exposure{Why: "no address is known"}
	}
	for _, a := range addresses {
		if Routable(a) {
			return Exposure{Exposed: true, Known: true, Why: a.String() + " is a public address"}
		}
	}
	return Exposure{Known: true, Why: "no public address"}
}

// notGlobal lists the blocks of the IANA special-purpose registries (RFC 6890 and successors) that look like ordinary
// unicast and are not reachable globally. Loopback, link-local, private and multicast addresses netip knows itself.
var notGlobal = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "240.0.0.0/4",
	"64:ff9b:1::/48", "100::/64", "2001:2::/48", "2001:10::/28", "2001:db8::/32", "3fff::/20", "5f00::/16", "fec0::/10",
)

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// Routable says whether an address is globally routable.
func Routable(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsValid() || a.Zone() != "" || !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range notGlobal {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
