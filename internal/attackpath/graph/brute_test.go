package graph

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"

	"github.com/patchscout/patchscout/internal/attackpath"
)

// small is a network of few actions with answers found by trying every outcome.
type small struct {
	*attackpath.Network
	p []float64 // by outcome: bit i is whether action i works
}

type shape2 struct {
	facts, actions, needs int
	hosts                 bool
	shared                bool // findings are shared between actions
}

func randomNetwork(seed uint64, s shape2) *attackpath.Network {
	r := rand.New(rand.NewPCG(seed, 3))
	n := &attackpath.Network{Weaknesses: []string{"w0", "w1", "w2", "w3", "w4"}, Start: []attackpath.Fact{0}}
	for i := range s.facts {
		f := attackpath.FactInfo{Kind: attackpath.Other, Text: fmt.Sprint("f", i)}
		if s.hosts && i > 1 {
			f = attackpath.FactInfo{Kind: attackpath.Holds, Privilege: attackpath.User, Host: int64(i+1) / 2}
		}
		n.Facts = append(n.Facts, f)
	}
	for i := range s.actions {
		a := attackpath.Action{Kind: attackpath.Step, ID: fmt.Sprint("a", i), Post: attackpath.Fact(r.IntN(s.facts-1) + 1), P: float64(1+r.IntN(10)) / 10, Weakness: -1}
		for range 1 + r.IntN(s.needs) {
			a.Pre = append(a.Pre, attackpath.Fact(r.IntN(s.facts)))
		}
		if s.hosts {
			a.Kind, a.Host = attackpath.Exploit, n.Facts[a.Post].Host
		}
		if r.IntN(6) > 0 {
			a.Finding, a.Weakness = int64(i+1), int32(r.IntN(5))
			if s.shared {
				a.Finding = int64(1 + r.IntN(6))
			}
		}
		n.Actions = append(n.Actions, a)
	}
	n.Goals = []attackpath.Goal{{Fact: attackpath.Fact(s.facts - 1), Host: n.Facts[s.facts-1].Host, Weight: 1}, {Fact: attackpath.Fact(r.IntN(s.facts)), Weight: 0.4}}
	return n
}

func brute(n *attackpath.Network) small {
	s := small{Network: n, p: make([]float64, 1<<len(n.Actions))}
	for o := range s.p {
		s.p[o] = 1
		for i, a := range n.Actions {
			if o>>i&1 != 0 {
				s.p[o] *= a.P
			} else {
				s.p[o] *= 1 - a.P
			}
		}
	}
	return s
}

// holds are the facts that can be derived when the actions of a set work.
func (s small) holds(actions int) []bool {
	holds := make([]bool, len(s.Facts))
	for _, f := range s.Start {
		holds[f] = true
	}
	for changed := true; changed; {
		changed = false
		for i, a := range s.Actions {
			if actions>>i&1 != 0 && !holds[a.Post] && !slices.ContainsFunc(a.Pre, func(f attackpath.Fact) bool { return !holds[f] }) {
				holds[a.Post], changed = true, true
			}
		}
	}
	return holds
}

func (s small) chances() []float64 {
	sum := make([]float64, len(s.Facts))
	for o, p := range s.p {
		for f, h := range s.holds(o) {
			if h {
				sum[f] += p
			}
		}
	}
	return sum
}

// minimal lists the sets of actions that derive a fact, and of which nothing can be left out.
func (s small) minimal(f attackpath.Fact) []int {
	derives := make([]bool, len(s.p))
	for o := range s.p {
		derives[o] = s.holds(o)[f]
	}
	var list []int
	for o, ok := range derives {
		for i := range s.Actions {
			ok = ok && (o>>i&1 == 0 || !derives[o&^(1<<i)])
		}
		if ok {
			list = append(list, o)
		}
	}
	return list
}

// best is the likeliest chance of each set of hosts (or steps) of minimal sets, the likeliest first.
func (s small) best(f attackpath.Fact) []float64 {
	by := map[string]float64{}
	for _, o := range s.minimal(f) {
		p, over := 1.0, []int64{}
		for i, a := range s.Actions {
			if o>>i&1 == 0 {
				continue
			}
			p *= a.P
			if a.Host != 0 {
				over = append(over, a.Host)
			} else if a.Kind == attackpath.Step {
				over = append(over, -1-int64(s.sameAs(i)))
			}
		}
		slices.Sort(over)
		name := fmt.Sprint(slices.Compact(over))
		by[name] = max(by[name], p)
	}
	var list []float64
	for _, p := range by {
		list = append(list, p)
	}
	sort.Sort(sort.Reverse(sort.Float64Slice(list)))
	return list
}

// sameAs is the first action with the same needs, gain and host.
func (s small) sameAs(i int) int {
	set := func(a attackpath.Action) []attackpath.Fact {
		pre := slices.Clone(a.Pre)
		slices.Sort(pre)
		return slices.Compact(pre)
	}
	return slices.IndexFunc(s.Actions, func(a attackpath.Action) bool {
		return a.Post == s.Actions[i].Post && a.Host == s.Actions[i].Host && slices.Equal(set(a), set(s.Actions[i]))
	})
}

// smallestCut tries all sets of labels; of returns what takes an action away.
func (s small) smallestCut(goals []attackpath.Fact, labels []int64, broken func(a attackpath.Action, removed func(int64) bool) bool) int {
	best := -1
	for set := range 1 << len(labels) {
		size := 0
		for i := range labels {
			size += set >> i & 1
		}
		if best >= 0 && size >= best {
			continue
		}
		removed := func(l int64) bool { i := slices.Index(labels, l); return i >= 0 && set>>i&1 != 0 }
		left := 0
		for i, a := range s.Actions {
			if !broken(a, removed) {
				left |= 1 << i
			}
		}
		holds := s.holds(left)
		if !slices.ContainsFunc(goals, func(f attackpath.Fact) bool { return holds[f] }) {
			best = size
		}
	}
	return best
}
