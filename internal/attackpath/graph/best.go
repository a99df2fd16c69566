package graph

import (
	"context"
	"math"

	"github.com/patchscout/patchscout/internal/attackpath"
)

// derivations hold a least-cost derivation of every fact.
type derivations struct {
	cost  []float64 // +Inf: cannot be derived
	giver []int32   // edge, -1 for none
}

// derive is Knuth's generalisation of Dijkstra's algorithm: an edge is tried when the last of its needs is settled. What
// several needs cost together is their sum (of trees), or with deepest their maximum: a lower limit of what any derivation
// costs, however much its needs share. Steps that cost nothing never enter the heap.
func (v *view) derive(cost []float64, deepest bool) derivations {
	return v.deriveFrom(v.beginning(), cost, deepest)
}

func (v *view) deriveFrom(start []int32, cost []float64, deepest bool) derivations {
	d := derivations{cost: make([]float64, v.facts), giver: make([]int32, v.facts)}
	for f := range d.cost {
		d.cost[f], d.giver[f] = math.Inf(1), -1
	}
	settled := newBitset(v.facts)
	var open heap
	var now []int32
	reach := func(f, e int32, at, c float64) {
		if c >= d.cost[f] {
			return
		}
		d.cost[f], d.giver[f] = c, e
		if c == at {
			now = append(now, f)
		} else {
			open.push(c, f)
		}
	}
	for _, f := range start {
		reach(f, -1, 0, 0)
	}
	for _, e := range v.free {
		reach(v.post[e], e, -1, cost[e])
	}
	for len(now) > 0 || len(open) > 0 {
		var f int32
		if n := len(now); n > 0 {
			f, now = now[n-1], now[:n-1]
		} else {
			f = open.pop().id
		}
		if settled.has(f) {
			continue
		}
		settled.add(f)
		at := d.cost[f]
		for _, e := range v.needers.of(f) {
			to := v.post[e]
			if c := at + cost[e]; c < d.cost[to] { // never more than what all needs cost
				if pre := v.pre.of(e); len(pre) > 1 {
					if c = together(pre, d.cost, settled, deepest); math.IsInf(c, 1) {
						continue
					}
					c += cost[e]
				}
				reach(to, e, at, c)
			}
		}
	}
	return d
}

// together is what needs cost; +Inf until all are settled.
func together(pre []int32, cost []float64, settled bitset, deepest bool) float64 {
	c := 0.0
	for _, f := range pre {
		switch {
		case !settled.has(f):
			return math.Inf(1)
		case deepest:
			c = max(c, cost[f])
		default:
			c += cost[f]
		}
	}
	return c
}

func (v *view) best() derivations {
	return v.sums.get(func() derivations { return v.derive(v.cost, false) })
}

// least is a lower limit of every derivation's cost, exact where every action has one need.
func (v *view) least() derivations {
	if v.wide == 0 {
		return v.best()
	}
	return v.maxima.get(func() derivations { return v.derive(v.cost, true) })
}

// Best holds a best derivation of every fact. It stays valid when the graph changes.
type Best struct {
	v *view
	d derivations
}

// Best works out the least-cost derivation of every fact, where the cost of an action is -ln P.
func (g *Graph) Best(ctx context.Context, without attackpath.Removal) (Best, error) {
	if err := ctx.Err(); err != nil {
		return Best{}, err
	}
	v := g.view(without)
	return Best{v: v, d: v.best()}, ctx.Err()
}

// Reached tells whether a fact can be derived at all.
func (b Best) Reached(f attackpath.Fact) bool { return b.has(f) && !math.IsInf(b.d.cost[f], 1) }

func (b Best) has(f attackpath.Fact) bool { return b.v != nil && f >= 0 && int(f) < b.v.facts }

// Cost is -ln of the chance of the best derivation tree; +Inf where there is none.
func (b Best) Cost(f attackpath.Fact) float64 {
	if !b.has(f) {
		return math.Inf(1)
	}
	return b.d.cost[f]
}

// Chance is the product over the different actions of the best derivation, 0 where there is none.
func (b Best) Chance(f attackpath.Fact) float64 {
	switch {
	case !b.Reached(f):
		return 0
	case b.v.wide == 0:
		return math.Exp(-b.d.cost[f])
	}
	p := 1.0
	for _, e := range b.v.walk(int32(f), b.d.giver) {
		p *= math.Exp(-b.v.cost[e])
	}
	return p
}

// Action is the action that gives a fact in its best derivation; false where it needs none or there is none.
func (b Best) Action(f attackpath.Fact) (int32, bool) {
	if !b.Reached(f) || b.d.giver[f] < 0 {
		return -1, false
	}
	return b.v.first(b.d.giver[f])
}

// Path is the best derivation of a fact; false where there is none.
func (b Best) Path(f attackpath.Fact) (attackpath.Path, bool) {
	if !b.Reached(f) {
		return attackpath.Path{}, false
	}
	return b.v.path(b.v.walk(int32(f), b.d.giver)), true
}

// walk lists the edges of a derivation, needs before what needs them. Every fact has one giver in it, so that it is minimal.
func (v *view) walk(to int32, giver []int32) []int32 {
	var edges []int32
	seen := map[int32]bool{}
	type frame struct{ fact, next int32 }
	stack := []frame{{fact: to}}
	seen[to] = true
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		e := giver[top.fact]
		if e < 0 {
			stack = stack[:len(stack)-1]
			continue
		}
		pre := v.pre.of(e)
		if int(top.next) == len(pre) {
			edges = append(edges, e)
			stack = stack[:len(stack)-1]
			continue
		}
		need := pre[top.next]
		top.next++
		if !seen[need] {
			seen[need] = true
			stack = append(stack, frame{fact: need})
		}
	}
	return edges
}

// path tells edges as a path.
func (v *view) path(edges []int32) attackpath.Path {
	p := attackpath.Path{P: 1, Steps: make([]attackpath.PathStep, 0, len(edges))}
	seen := map[int64]bool{0: true}
	for _, e := range edges {
		m := v.left(e)
		step := attackpath.PathStep{Action: m[0]}
		if len(m) > 1 {
			step.Alternatives = append([]int32(nil), m[1:]...)
		}
		p.Steps = append(p.Steps, step)
		p.P *= v.p[m[0]]
		if h := v.host[e]; !seen[h] {
			seen[h] = true
			p.Hosts = append(p.Hosts, h)
		}
	}
	return p
}
