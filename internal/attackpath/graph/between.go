package graph

import (
	"context"
	"math"

	"github.com/patchscout/patchscout/internal/attackpath"
)

// BestFrom is Best for an attacker who has only the facts of from: what does a host expose, and how likely is the best way.
func (g *Graph) BestFrom(ctx context.Context, from []attackpath.Fact, without attackpath.Removal) (Best, error) {
	v := g.view(without)
	list := make([]int32, 0, len(from))
	for _, f := range from {
		if err := v.known(f); err != nil {
			return Best{}, err
		}
		if v.dead == nil || !v.dead.has(int32(f)) {
			list = append(list, int32(f))
		}
	}
	return Best{v: v, d: v.deriveFrom(list, v.cost, false)}, ctx.Err()
}

// BestTo is, for every fact, how likely somebody who has it gets to the fact to in the best way that uses it; 0 where none does.
// What else an action needs is counted as its best derivation from the start.
func (g *Graph) BestTo(ctx context.Context, to attackpath.Fact, without attackpath.Removal) ([]float64, error) {
	v := g.view(without)
	if err := v.known(to); err != nil {
		return nil, err
	}
	start, left := v.best().cost, make([]float64, v.facts)
	for f := range left {
		left[f] = math.Inf(1)
	}
	var open heap
	left[to] = 0
	open.push(0, int32(to))
	for len(open) > 0 {
		at := open.pop()
		if at.cost > left[at.id] {
			continue
		}
		for _, e := range v.givers.of(at.id) {
			for i, f := range v.pre.of(e) {
				if c := at.cost + v.cost[e] + others(v.pre.of(e), i, start); c < left[f] {
					left[f] = c
					open.push(c, f)
				}
			}
		}
	}
	for f, c := range left {
		left[f] = math.Exp(-c)
	}
	return left, ctx.Err()
}

func others(pre []int32, but int, cost []float64) float64 {
	sum := 0.0
	for i, f := range pre {
		if i != but {
			sum += cost[f]
		}
	}
	return sum
}
