package attackpath

import (
	"net/netip"
	"slices"
	"testing"
)

// plainly says whether somebody reaches a port, rule by rule and host by host. A nil sender is in the internet.
func plainly(e *Estate, from, to *Host, port uint16) bool {
	external := func(h *Host) bool {
		return slices.ContainsFunc(e.Sites, func(s Site) bool { return s.Name == h.Site && s.External })
	}
	site := ""
	if from != nil {
		site = from.Site
	}
	said := -1
	for i, c := range e.Corrections {
		if c.Edge == ReachEdge(site, to.ID, "tcp", port) {
			said = i // the last one is the newest
		}
	}
	if said >= 0 {
		return e.Corrections[said].Says != SaysNever
	}
	holds := func(z Zone, h *Host, allow, receiver bool) bool {
		if h == nil {
			return z.Internet || z.Site == "" && (!z.Network.IsValid() || z.Network.Bits() == 0)
		}
		if z.Internet {
			return receiver && external(h)
		}
		if z.Site != "" && z.Site != h.Site {
			return false
		}
		inside := 0
		for _, a := range h.Addresses {
			if z.Network.Contains(a) {
				inside++
			}
		}
		return !z.Network.IsValid() || allow && inside > 0 || !allow && inside > 0 && inside == len(h.Addresses)
	}
	for _, r := range e.Policy.Rules {
		if holds(r.From, from, r.Allow, false) && holds(r.To, to, r.Allow, true) && onPort(r.Ports, "tcp", port) {
			return r.Allow
		}
	}
	if from == nil {
		return to.Exposed || external(to)
	}
	return from.Site == to.Site || e.Assume.Flat
}

func TestReachIsWhatTheRulesSayOneByOne(t *testing.T) {
	reached, refused := 0, 0
	for seed := range uint64(400) {
		e := randomEstate(seed)
		for i := range e.Policy.Rules {
			if i%4 == 3 {
				e.Policy.Rules[i].From = Zone{Network: netip.MustParsePrefix("0.0.0.0/0")}
			}
		}
		m := mustBuild(t, e)
		for to := range e.Hosts {
			for _, port := range []uint16{22, 80, 443, 9999} {
				senders := m.reach.senderSet(portKey{class: m.state[to].class, protocol: "tcp", port: port})
				for from := -1; from < len(e.Hosts); from++ {
					var sender *Host
					part := int32(0)
					if from >= 0 {
						sender, part = &e.Hosts[from], m.state[from].part
					}
					want := plainly(&e, sender, &e.Hosts[to], port)
					if senders.has(part) != want {
						t.Fatalf("seed %d: host %d (0 is the internet) reaches %d of host %d: %v, want %v", seed, from+1, port, to+1, !want, want)
					}
					if want {
						reached++
					} else {
						refused++
					}
				}
			}
		}
	}
	if min(reached, refused) < 1000 {
		t.Errorf("%d reached and %d refused say little", reached, refused)
	}
}
