package attackpath

import (
	"encoding/binary"
	mathbits "math/bits"
	"net/netip"
	"slices"
)

// zones finds the zones of a policy that a host is in, in time that does not grow with the number of rules: networks are
// looked up by their lengths.
//
// A host may have an address inside a zone and another outside. What is let through needs one of them (attackers take the
// way that is open); what is refused must hold all of them. So each zone has two elements: "some address" and "every
// address", and rules name the one that they need.
type zones struct {
	list    []Zone
	bySite  map[string][]int32
	any     []int32
	outside []int32 // zones that the internet is in
	nets    map[netip.Prefix][]int32
	lengths [2][]int // prefix lengths in use, of IPv4 and of IPv6
}

func some(zone int32) int32  { return zone * 2 }
func every(zone int32) int32 { return zone*2 + 1 }

// elementOf is the element that a rule's zone needs.
func elementOf(zone int32, allow bool) int32 {
	if allow {
		return some(zone)
	}
	return every(zone)
}

// newZones numbers the zones of rules, from and to in the order of the rules.
func newZones(rules []PolicyRule) (z *zones, from, to []int32) {
	z = &zones{bySite: map[string][]int32{}, nets: map[netip.Prefix][]int32{}}
	ids := map[Zone]int32{}
	number := func(zone Zone) int32 {
		if zone.Network.IsValid() {
			zone.Network = zone.Network.Masked()
		}
		id, ok := ids[zone]
		if !ok {
			id = int32(len(z.list))
			ids[zone] = id
			z.add(id, zone)
		}
		return id
	}
	for _, r := range rules {
		from = append(from, elementOf(number(r.From), r.Allow))
		to = append(to, elementOf(number(r.To), r.Allow))
	}
	return z, from, to
}

func (z *zones) add(id int32, zone Zone) {
	z.list = append(z.list, zone)
	// 0.0.0.0/0 is how firewalls write "anybody".
	if zone.Internet || zone.Site == "" && (!zone.Network.IsValid() || zone.Network.Bits() == 0) {
		z.outside = append(z.outside, id)
	}
	switch {
	case zone.Internet:
	case zone.Network.IsValid():
		z.nets[zone.Network] = append(z.nets[zone.Network], id)
		family := 0
		if zone.Network.Addr().Is6() {
			family = 1
		}
		if bits := zone.Network.Bits(); !slices.Contains(z.lengths[family], bits) {
			z.lengths[family] = append(z.lengths[family], bits)
		}
	case zone.Site != "":
		z.bySite[zone.Site] = append(z.bySite[zone.Site], id)
	default:
		z.any = append(z.any, id)
	}
}

// internet returns the elements that a sender in the internet is in.
func (z *zones) internet() (out []int32) {
	for _, id := range z.outside {
		out = append(out, some(id), every(id))
	}
	slices.Sort(out)
	return out
}

// of returns the elements that a host is in, ascending. External says that its site stands in the internet; that counts
// for who is reached, a sender there stands in the internet besides.
func (z *zones) of(site string, addresses []netip.Addr, external bool) (out []int32) {
	both := func(ids []int32) {
		for _, id := range ids {
			out = append(out, some(id), every(id))
		}
	}
	both(z.any)
	both(z.bySite[site])
	if external {
		for _, id := range z.outside {
			if z.list[id].Internet {
				out = append(out, some(id), every(id))
			}
		}
	}
	if len(z.nets) > 0 && len(addresses) > 0 {
		out = z.networks(out, site, addresses)
	}
	slices.Sort(out)
	return out
}

func (z *zones) networks(out []int32, site string, addresses []netip.Addr) []int32 {
	seen := map[int32]int{} // zone -> addresses in it
	for _, a := range addresses {
		a = a.Unmap().WithZone("")
		family := 0
		if a.Is6() {
			family = 1
		}
		for _, bits := range z.lengths[family] {
			p, err := a.Prefix(bits)
			if err != nil {
				continue
			}
			for _, id := range z.nets[p] {
				if s := z.list[id].Site; s == "" || s == site {
					seen[id]++
				}
			}
		}
	}
	for id, n := range seen {
		out = append(out, some(id))
		if n == len(addresses) {
			out = append(out, every(id))
		}
	}
	return out
}

// bits is a set of small numbers.
type bits []uint64

func (b bits) has(i int32) bool { return int(i>>6) < len(b) && b[i>>6]>>(uint(i)&63)&1 == 1 }

func (b *bits) set(i int32) {
	for int(i>>6) >= len(*b) {
		*b = append(*b, 0)
	}
	(*b)[i>>6] |= 1 << (uint(i) & 63)
}

// and returns what is in both, and whether anything is.
func (b bits) and(c bits) (out bits, found bool) {
	out = make(bits, min(len(b), len(c)))
	for i := range out {
		out[i] = b[i] & c[i]
		found = found || out[i] != 0
	}
	return out, found
}

// without takes c out of a copy of b.
func (b bits) without(c bits) bits {
	out := slices.Clone(b)
	for i := range min(len(b), len(c)) {
		out[i] &^= c[i]
	}
	return out
}

func (b bits) empty() bool { return !slices.ContainsFunc(b, func(w uint64) bool { return w != 0 }) }

func (b bits) list() (out []int32) {
	for i, w := range b {
		for ; w != 0; w &= w - 1 {
			out = append(out, int32(i*64+mathbits.TrailingZeros64(w)))
		}
	}
	return out
}

// key is the set as text, the same for equal sets.
func (b bits) key() string {
	for len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	out := make([]byte, 0, len(b)*8)
	for _, w := range b {
		out = binary.LittleEndian.AppendUint64(out, w)
	}
	return string(out)
}

// keyOf is a list of numbers as text, the same for equal lists.
func keyOf(list []int32) string {
	out := make([]byte, 0, len(list)*4)
	for _, n := range list {
		out = binary.LittleEndian.AppendUint32(out, uint32(n))
	}
	return string(out)
}
