package attackpath

import (
	"slices"
	"strings"
)

// sameHosts are the groups of hosts that a policy says are one machine.
type sameHosts struct {
	wanted map[string][]wantedHost // address or name -> groups that name it
	groups [][]int32               // places of hosts, ascending
	of     map[int32][]int32       // host -> groups
	source string
}

type wantedHost struct {
	group int32
	site  string
}

func (s *sameHosts) resolve(m *Model) {
	*s = sameHosts{wanted: map[string][]wantedHost{}, of: map[int32][]int32{}, source: m.estate.Policy.Source}
	for g, group := range m.estate.Policy.Same {
		s.groups = append(s.groups, nil)
		for _, ref := range group {
			key := strings.ToLower(ref.Host)
			s.wanted[key] = append(s.wanted[key], wantedHost{int32(g), ref.Site})
		}
	}
	if len(s.groups) == 0 {
		return
	}
	for i := range m.hosts {
		s.join(m, int32(i))
	}
}

// join puts a host into the groups that name it. Every member has the fact of an administrator, since another may give it.
func (s *sameHosts) join(m *Model, i int32) {
	for _, g := range s.named(m.hosts[i]) {
		s.groups[g] = append(s.groups[g], i)
		slices.Sort(s.groups[g])
		s.of[i] = append(s.of[i], g)
		(&emitting{Model: m, h: m.hosts[i], st: &m.state[i]}).root()
	}
}

// leave takes a host out of its groups and returns those.
func (s *sameHosts) leave(i int32) []int32 {
	groups := s.of[i]
	for _, g := range groups {
		s.groups[g] = slices.DeleteFunc(s.groups[g], func(j int32) bool { return j == i })
	}
	delete(s.of, i)
	return groups
}

// named lists the groups that name a host.
func (s *sameHosts) named(h *Host) (out []int32) {
	if len(s.groups) == 0 {
		return nil
	}
	look := func(name string) {
		for _, w := range s.wanted[name] {
			if (w.site == "" || w.site == h.Site) && !slices.Contains(out, w.group) {
				out = append(out, w.group)
			}
		}
	}
	look(strings.ToLower(h.Name))
	for _, a := range h.Addresses {
		look(a.Unmap().WithZone("").String())
	}
	return out
}

// sameMachine adds that whoever holds another host of the group holds this one.
func (e *emitting) sameMachine() {
	var done []int32
	for _, g := range e.same.of[e.i] {
		for _, j := range e.same.groups[g] {
			if j == e.i || slices.Contains(done, j) {
				continue
			}
			done = append(done, j)
			why := e.reasons.id(declared("both are one machine", e.same.source))
			other := e.state[j]
			for _, p := range [][2]Fact{{other.user, e.st.user}, {other.root, e.st.root}} {
				e.add(Action{Kind: SameHost, Known: Policy, Pre: e.pre(p[0]), Post: p[1], P: 1, Host: e.h.ID, Weakness: -1, Why: why})
			}
		}
	}
}
