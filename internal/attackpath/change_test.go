package attackpath

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// randomEstate makes a small estate in which much of what is possible happens.
func randomEstate(seed uint64) Estate {
	r := rand.New(rand.NewPCG(seed, 3))
	e := Estate{Sites: []Site{{Name: "a"}, {Name: "b"}, {Name: "c", External: r.IntN(3) == 0}}}
	for i := range 2 + r.IntN(10) {
		e.Hosts = append(e.Hosts, randomHost(r, int64(i+1)))
	}
	e.Policy.Source = "p.yaml"
	for i := range r.IntN(7) {
		rule := PolicyRule{N: i + 1, From: randomZone(r), To: randomZone(r), Allow: r.IntN(5) > 1}
		if r.IntN(2) == 0 {
			rule.Ports = []PortRange{{[]string{"", "tcp"}[r.IntN(2)], 22, uint16(22 + r.IntN(100))}}
		}
		e.Policy.Rules = append(e.Policy.Rules, rule)
	}
	if r.IntN(2) == 0 {
		e.Policy.Same = [][]HostRef{{{"a", "10.0.0.1"}, {"b", "10.1.0.1"}}, {{"a", "10.0.0.2"}, {"b", "10.1.0.1"}}}
	}
	e.Policy.Clients = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/30")}
	for i := range r.IntN(4) {
		c := Correction{ID: int64(i + 1), Says: []Says{SaysNever, SaysAlways, SaysChance}[r.IntN(3)], P: 0.3, At: time.Unix(int64(i), 0)}
		c.Edge = FindingEdge(int64(1 + r.IntN(30)))
		if r.IntN(2) == 0 {
			c.Edge = ReachEdge([]string{"", "a", "b", "c"}[r.IntN(4)], int64(1+r.IntN(8)), "tcp", []uint16{22, 80, 443}[r.IntN(3)])
		}
		e.Corrections = append(e.Corrections, c)
	}
	e.Assume = Assumptions{Flat: r.IntN(3) == 0, Reuse: r.IntN(3) == 0, Secrets: r.IntN(3) == 0}
	if r.IntN(2) == 0 {
		e.Assume.From = []Entry{{Kind: []EntryKind{FromInternet, FromSite}[r.IntN(2)]}}
		if e.Assume.From[0].Kind == FromSite {
			e.Assume.From[0].Site = "a"
		}
	}
	return e
}

func randomZone(r *rand.Rand) Zone {
	switch site := []string{"a", "b", "c"}[r.IntN(3)]; r.IntN(6) {
	case 0:
		return Zone{}
	case 1:
		return Zone{Internet: true}
	case 2:
		return Zone{Network: netip.MustParsePrefix([]string{"10.0.0.0/30", "10.1.0.0/16", "10.0.0.0/8", "10.2.0.2/32"}[r.IntN(4)])}
	case 3:
		return Zone{Site: site, Network: netip.MustParsePrefix("10.0.0.0/31")}
	default:
		return Zone{Site: site}
	}
}

func randomHost(r *rand.Rand, id int64) Host {
	site := int(id) % 3
	h := Host{ID: id, Site: []string{"a", "b", "c"}[site]}
	for range 1 + r.IntN(2) {
		h.Addresses = append(h.Addresses, netip.AddrFrom4([4]byte{10, byte(site), 0, byte(r.IntN(6))}))
	}
	h.Name = h.Addresses[0].String()
	h.Exposed, h.ExposedSure = r.IntN(4) == 0, r.IntN(2) == 0
	h.Jewel, h.Criticality = r.IntN(6) == 0, r.IntN(6)
	for _, p := range []uint16{22, 80, 443} {
		if r.IntN(2) == 0 {
			h.Services = append(h.Services, Service{Protocol: "tcp", Port: p, Name: map[uint16]string{22: "ssh", 80: "http", 443: "https"}[p], Product: map[uint16]string{22: "OpenSSH"}[p], Scan: int64(r.IntN(3))})
		}
	}
	for i := range r.IntN(4) {
		h.Flaws = append(h.Flaws, randomFlaw(r, id*4+int64(i), &h))
	}
	return h
}

func randomFlaw(r *rand.Rand, finding int64, h *Host) Flaw {
	f := Flaw{Finding: finding, Weakness: fmt.Sprintf("CVE-%d", r.IntN(9)), Scanner: "nmap"}
	f.Effect = &Effect{Reach: Reach(r.IntN(4)), Needs: Privilege(r.IntN(5) / 2 % 3), Lures: r.IntN(6) == 0, Gain: Gain(r.IntN(8)), P: float64(1+r.IntN(9)) / 10}
	switch {
	case len(h.Services) > 0 && r.IntN(3) > 0:
		s := h.Services[r.IntN(len(h.Services))]
		f.Protocol, f.Port = s.Protocol, s.Port
	case r.IntN(2) == 0:
		f.Component = []string{"openssh-server@1", "openssl@3"}[r.IntN(2)]
	}
	return f
}

func TestReplacingHostsAnswersLikeBuildingAnew(t *testing.T) {
	seeds := uint64(1500)
	if testing.Short() {
		seeds = 300
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 5))
		e := randomEstate(seed)
		before := e
		before.Hosts = slices.Clone(e.Hosts)
		m := mustBuild(t, before)
		for range 1 + r.IntN(4) {
			hosts := replacement(r, &e)
			n := *m.Network()
			n.Actions = slices.Clone(n.Actions)
			c, err := m.Replace(context.Background(), hosts)
			if err != nil {
				t.Fatal(err)
			}
			checkNetwork(t, m.Network())
			sameAnswers(t, seed, m, mustBuild(t, e))
			after := applied(&n, c)
			if !slices.Equal(best(after), best(m.Network())) || !slices.Equal(after.Reasons, m.Network().Reasons) || !slices.Equal(after.Weaknesses, m.Network().Weaknesses) {
				t.Fatalf("seed %d: who applies the change gets another network", seed)
			}
		}
	}
}

// replacement changes hosts of an estate or adds some, and returns those.
func replacement(r *rand.Rand, e *Estate) (out []Host) {
	e.Hosts = slices.Clone(e.Hosts)
	for range 1 + r.IntN(2) {
		id := int64(1 + r.IntN(len(e.Hosts)+1))
		if slices.ContainsFunc(out, func(h Host) bool { return h.ID == id }) {
			continue
		}
		h := randomHost(r, id)
		if int(id) <= len(e.Hosts) {
			if r.IntN(2) == 0 { // most rescans change little
				flaws := h.Flaws
				h = e.Hosts[id-1]
				h.Flaws = flaws
			}
			e.Hosts[id-1] = h
		} else {
			e.Hosts = append(e.Hosts, h)
		}
		out = append(out, h)
	}
	return out
}

// applied does to a network what a change says, as graphs do.
func applied(n *Network, c Change) *Network {
	gone := map[int32]bool{}
	for _, a := range c.Gone {
		gone[a] = true
	}
	out := &Network{Facts: append(slices.Clone(n.Facts), c.Facts...), Start: n.Start, Goals: n.Goals,
		Reasons: append(slices.Clone(n.Reasons), c.Reasons...), Weaknesses: append(slices.Clone(n.Weaknesses), c.Weaknesses...)}
	for i, a := range n.Actions {
		if !gone[int32(i)] {
			out.Actions = append(out.Actions, a)
		}
	}
	out.Actions = append(out.Actions, c.New...)
	if c.Start != nil {
		out.Start = c.Start
	}
	return out
}

func sameAnswers(t *testing.T, seed uint64, got, want *Model) {
	t.Helper()
	a, b := chances(got), chances(want)
	for k := range a {
		if _, ok := b[k]; !ok {
			t.Fatalf("seed %d: replaced holds %s (%v), built anew does not", seed, k, a[k])
		}
	}
	for k, p := range b {
		if math.Abs(a[k]-p) > 1e-12 {
			t.Fatalf("seed %d: %s has %v replaced, %v built anew", seed, k, a[k], p)
		}
	}
	if g, w := goalsOf(got), goalsOf(want); !slices.Equal(g, w) {
		t.Fatalf("seed %d: goals %v replaced, %v built anew", seed, g, w)
	}
	if g, w := got.Network().Notices, want.Network().Notices; !slices.Equal(g, w) {
		t.Fatalf("seed %d: notices %q replaced, %q built anew", seed, g, w)
	}
	for i, e := range got.Entries() {
		if w := want.Entries()[i]; e.Ref != w.Ref || e.Reaches != w.Reaches {
			t.Fatalf("seed %d: entry %s reaches %d replaced; %s reaches %d built anew", seed, e.Ref, e.Reaches, w.Ref, w.Reaches)
		}
	}
}

func goalsOf(m *Model) (out []Goal) {
	for _, g := range m.Network().Goals {
		g.Fact = 0
		out = append(out, g)
	}
	return out
}

func TestReplaceRefusesWhatItCannotDo(t *testing.T) {
	s := tell(t, "a", "b")
	s.host(1, "a", "10.0.0.1")
	m := s.build()
	_, err := m.Replace(context.Background(), []Host{{ID: 1, Site: "b"}})
	if err == nil || !strings.Contains(err.Error(), "another site") {
		t.Errorf("error %v", err)
	}
	_, err = m.Replace(context.Background(), []Host{{ID: 2, Site: "b"}, {ID: 2, Site: "b"}})
	if err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("error %v", err)
	}
}
