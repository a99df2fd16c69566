package graph

import (
	"context"

	"github.com/patchscout/patchscout/internal/attackpath"
)

// Reached says what can be derived at all.
type Reached struct {
	Facts  int // that hold
	Hosts  int // on which an attacker can be a user or more
	Goals  int // goals that hold
	Weight float64
	facts  bitset
}

// Holds tells whether a fact can be derived.
func (r Reached) Holds(f attackpath.Fact) bool {
	return f >= 0 && int(f) < 64*len(r.facts) && r.facts.has(int32(f))
}

// Reached works out what can be derived. It takes linear time.
func (g *Graph) Reached(ctx context.Context, without attackpath.Removal) (Reached, error) {
	if err := ctx.Err(); err != nil {
		return Reached{}, err
	}
	v := g.view(without)
	r := Reached{facts: v.reached()}
	r.Facts = r.facts.count()
	hosts := map[int64]bool{}
	for f, t := range v.traits {
		if t&held != 0 && r.facts.has(int32(f)) {
			hosts[v.hostOf[f]] = true
		}
	}
	r.Hosts = len(hosts)
	for _, goal := range v.goals {
		if r.Holds(goal.Fact) {
			r.Goals++
			r.Weight += goal.Weight
		}
	}
	return r, ctx.Err()
}

// reached are the facts that can be derived.
func (v *view) reached() bitset {
	return v.closed.get(func() bitset { return v.closure(v.beginning(), -1) })
}

func (v *view) beginning() []int32 {
	if v.dead == nil {
		return v.start
	}
	var list []int32
	for _, f := range v.start {
		if v.begins(f) {
			list = append(list, f)
		}
	}
	return list
}

// closure is all that follows from facts without ever having one of them, -1 for none.
func (v *view) closure(from []int32, avoid int32) bitset {
	holds := newBitset(v.facts)
	queue := make([]int32, 0, 1024)
	gain := func(f int32) {
		if f != avoid && !holds.has(f) {
			holds.add(f)
			queue = append(queue, f)
		}
	}
	for _, f := range from {
		gain(f)
	}
	for _, e := range v.free {
		if v.works(e) {
			gain(v.post[e])
		}
	}
	for len(queue) > 0 {
		f := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, e := range v.needers.of(f) {
			if !holds.has(v.post[e]) && v.works(e) && all(v.pre.of(e), holds) {
				gain(v.post[e])
			}
		}
	}
	return holds
}

func all(facts []int32, in bitset) bool {
	for _, f := range facts {
		if !in.has(f) {
			return false
		}
	}
	return true
}

// Forward lists what an attacker who has only the facts of from has in the end if all actions work: those and what follows.
func (g *Graph) Forward(ctx context.Context, from []attackpath.Fact) ([]attackpath.Fact, error) {
	v := g.view(attackpath.Removal{})
	list := make([]int32, 0, len(from))
	for _, f := range from {
		if err := v.known(f); err != nil {
			return nil, err
		}
		list = append(list, int32(f))
	}
	return listed(v.closure(list, -1)), ctx.Err()
}

// Backward lists what derivations of to from the start use, to itself too; nothing when there is none. What can only be had
// after to is left out.
func (g *Graph) Backward(ctx context.Context, to attackpath.Fact) ([]attackpath.Fact, error) {
	v := g.view(attackpath.Removal{})
	if err := v.known(to); err != nil {
		return nil, err
	}
	if !v.reached().has(int32(to)) {
		return nil, ctx.Err()
	}
	return listed(v.before(int32(to))), ctx.Err()
}

// before is what leads to a fact that can be derived, over actions all of whose needs can be had without it.
func (v *view) before(to int32) bitset {
	had := v.closure(v.beginning(), to)
	used := newBitset(v.facts)
	used.add(to)
	queue := []int32{to}
	for len(queue) > 0 {
		f := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if v.begins(f) {
			continue
		}
		for _, e := range v.givers.of(f) {
			if !v.works(e) || !all(v.pre.of(e), had) {
				continue
			}
			for _, need := range v.pre.of(e) {
				if !used.has(need) {
					used.add(need)
					queue = append(queue, need)
				}
			}
		}
	}
	return used
}

func listed(b bitset) []attackpath.Fact {
	var list []attackpath.Fact
	for f := range int32(64 * len(b)) {
		if b.has(f) {
			list = append(list, attackpath.Fact(f))
		}
	}
	return list
}
