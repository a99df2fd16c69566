package asset

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/fault"
)

// Place names hosts: an address, a network, a DNS name, or a name with "*". The zero Place names none.
type Place struct {
	network netip.Prefix // valid for addresses and networks
	name    string       // canonical, may hold "*"
}

// ParsePlace reads "192.0.2.7", "10.0.0.0/8", "fe80::1%eth0", "www.example.org" or "*.example.org"; fault.Invalid says what
// is wrong.
func ParsePlace(s string) (Place, error) {
	s = strings.TrimSpace(s)
	if network, err := netip.ParsePrefix(s); err == nil {
		if network.Addr().Is4In6() && network.Bits() >= 96 {
			network = netip.PrefixFrom(network.Addr().Unmap(), network.Bits()-96)
		}
		return Place{network: network.Masked()}, nil
	}
	if strings.Contains(s, "/") {
		return Place{}, fault.Invalid("%q: want an address, a network such as 10.0.0.0/8, or a host name", s)
	}
	if a, err := netip.ParseAddr(s); err == nil {
		a = Unfold(a)
		if a.Zone() != "" { // a prefix has no zone: the address is compared as text
			return Place{name: AddressValue(a)}, nil
		}
		return Place{network: netip.PrefixFrom(a, a.BitLen())}, nil
	}
	name := NameValue(s)
	if name == "" {
		return Place{}, fault.Invalid("%q: want an address, a network such as 10.0.0.0/8, or a host name", s)
	}
	return Place{name: name}, nil
}

// Holds says whether the place names the host.
func (p Place) Holds(h *Host) bool {
	if p.network.IsValid() {
		return slices.ContainsFunc(h.Addresses(), func(a netip.Addr) bool { return p.network.Contains(a.WithZone("")) })
	}
	if p.name == "" {
		return false
	}
	for _, id := range h.Identifiers {
		if (id.Kind == Name || id.Kind == Address) && Like(p.name, id.Value) {
			return true
		}
	}
	return false
}

// Narrow says how narrow the place is, 0..129: 129 is one host, a network is its prefix's length as of IPv6.
func (p Place) Narrow() int {
	switch {
	case p.network.IsValid() && p.network.IsSingleIP():
		return 129
	case p.network.IsValid() && p.network.Addr().Is4():
		return p.network.Bits() * 4
	case p.network.IsValid():
		return p.network.Bits()
	case !strings.Contains(p.name, "*"):
		return 129
	default:
		return min(len(p.name), 128)
	}
}

// String prints the place as ParsePlace reads it.
func (p Place) String() string {
	switch {
	case p.network.IsValid() && p.network.IsSingleIP():
		return p.network.Addr().String()
	case p.network.IsValid():
		return p.network.String()
	default:
		return p.name
	}
}

// Places are several, of which one is enough.
type Places []Place

// ParsePlaces reads a list; the texts come back in canonical form, sorted and without doubles.
func ParsePlaces(texts []string) (Places, []string, error) {
	var places Places
	var canonical []string
	for _, text := range texts {
		p, err := ParsePlace(text)
		if err != nil {
			return nil, nil, err
		}
		places, canonical = append(places, p), append(canonical, p.String())
	}
	slices.Sort(canonical)
	return places, slices.Compact(canonical), nil
}

// Holding returns how narrow the narrowest place is that holds the host, -1 when none does.
func (ps Places) Holding(h *Host) int {
	best := -1
	for _, p := range ps {
		if p.Holds(h) {
			best = max(best, p.Narrow())
		}
	}
	return best
}

// Like says whether a text is what a pattern with "*" describes. It takes time in proportion to both at most.
func Like(pattern, text string) bool {
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(text) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, mark = i, j
			i++
		case i < len(pattern) && pattern[i] == text[j]:
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[i:], "*") == ""
}
