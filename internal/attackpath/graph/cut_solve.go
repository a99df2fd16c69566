package graph

import (
	"context"
	"fmt"
	"slices"
)

// solve finds labels that cut, and says of them what is proven.
func (n *cutNet) solve(ctx context.Context, exact int, c *Cut) []int32 {
	best, size, ok := n.byFlow(func(int32) int32 { return 1 })
	if !ok && !n.wide {
		c.Smallest = true // that nothing does is sure
		c.Why = "some way cannot be cut by such fixes"
		return nil
	}
	if ok && !n.wide && n.unshared() {
		c.Possible, c.Smallest, c.AtLeast = true, true, size
		return best
	}
	b := n.breaking(ctx)
	if !b.possible() {
		c.Smallest = true
		c.Why = "some way cannot be cut by such fixes"
		return nil
	}
	best = b.few(best, ok)
	c.Possible = true
	c.AtLeast, _ = b.atLeast(len(best))
	c.AtLeast = max(c.AtLeast, 1)
	return b.prove(best, exact, c)
}

// unshared tells whether no label is on two edges.
func (n *cutNet) unshared() bool {
	seen := newBitset(len(n.ids))
	for e := range int32(len(n.post)) {
		if n.gone.has(e) {
			continue
		}
		for _, l := range n.labels.of(e) {
			if seen.has(l) {
				return false
			}
			seen.add(l)
		}
	}
	return true
}

// byFlow is a cut of the relaxed net, where each label costs something.
func (n *cutNet) byFlow(price func(label int32) int32) (labels []int32, size int, ok bool) {
	f := n.flow(func(e int32) int32 {
		sum := int32(0)
		for _, l := range n.labels.of(e) {
			sum += price(l)
		}
		if sum == 0 {
			return unbreakable
		}
		return sum
	})
	size, ok = f.run()
	if !ok {
		return nil, 0, false
	}
	for _, e := range f.cut() {
		labels = append(labels, n.labels.of(e)...)
	}
	slices.Sort(labels)
	return slices.Compact(labels), size, true
}

// possible tells whether removing all labels cuts.
func (b *breaking) possible() bool {
	_, ok := b.derive(func(e int32) float64 {
		if len(b.labels.of(e)) > 0 {
			return -1
		}
		return 0
	})
	return !ok
}

// few is a small set that cuts, not always the smallest: of the minimum cut, one in which labels on many edges are cheap, and
// a greedy one, the smallest without superfluous members.
func (b *breaking) few(cut []int32, ok bool) []int32 {
	on := make([]int32, len(b.ids)) // edges by label
	for e := range int32(len(b.post)) {
		if !b.gone.has(e) {
			for _, l := range b.labels.of(e) {
				on[l]++
			}
		}
	}
	var best []int32
	keep := func(set []int32) {
		if set = b.needed(set, on); best == nil || len(set) < len(best) {
			best = set
		}
	}
	if ok {
		keep(cut)
		if cheap, _, ok := b.byFlow(func(l int32) int32 { return max(1, 1024/on[l]) }); ok {
			keep(cheap)
		}
	}
	if len(best) != 1 {
		keep(b.greedy(on))
	}
	return best
}

// needed drops members without which the set cuts as well, those on few edges first.
func (b *breaking) needed(set, on []int32) []int32 {
	set = slices.Clone(set)
	order := slices.Clone(set)
	slices.SortStableFunc(order, func(x, y int32) int {
		if on[x] != on[y] {
			return int(on[x]) - int(on[y])
		}
		return int(y) - int(x)
	})
	for _, l := range set {
		b.removed.add(l)
	}
	for _, l := range order {
		if b.removed.drop(l); b.cuts() {
			set = slices.DeleteFunc(set, func(x int32) bool { return x == l })
		} else {
			b.removed.add(l)
		}
		if b.ctx.Err() != nil {
			break
		}
	}
	clear(b.removed)
	return set
}

// greedy breaks one derivation after the other where that costs least, labels on many edges counting less.
func (b *breaking) greedy(on []int32) []int32 {
	price := func(e int32) float64 {
		sum := 0.0
		for _, l := range b.labels.of(e) {
			if !b.removed.has(l) {
				sum += 1 / float64(on[l])
			}
		}
		return sum
	}
	for b.ctx.Err() == nil {
		edges, ok := b.derive(func(e int32) float64 {
			if b.broken(e) {
				return -1
			}
			return float64(b.left(e))
		})
		if !ok {
			break
		}
		cheapest := int32(-1)
		for _, e := range edges {
			if len(b.labels.of(e)) > 0 && (cheapest < 0 || price(e) < price(cheapest)) {
				cheapest = e
			}
		}
		for _, l := range b.labels.of(cheapest) {
			b.removed.add(l)
		}
	}
	var set []int32
	for l := range int32(len(b.ids)) {
		if b.removed.has(l) || b.ctx.Err() != nil { // without time left all labels cut, which is known
			set = append(set, l)
		}
	}
	clear(b.removed)
	return set
}

// prove looks for smaller sets, size by size.
func (b *breaking) prove(best []int32, exact int, c *Cut) []int32 {
	for size := c.AtLeast; size < len(best); size++ {
		b.limit = b.looked + maxDerivations
		if size <= exact {
			b.limit = b.looked + 10*maxDerivations
		}
		if b.within(size) {
			best = nil
			for l := range int32(len(b.ids)) {
				if b.removed.has(l) {
					best = append(best, l)
				}
			}
			break
		}
		if b.ends {
			c.Complete = false
			c.Why = fmt.Sprintf("whether %d would do was not settled", size)
			if b.ctx.Err() != nil {
				c.Why = "time ran out before a smaller set was ruled out"
			}
			c.AtLeast = size
			return best
		}
		c.AtLeast = size + 1
	}
	c.AtLeast, c.Smallest = len(best), true
	return best
}
