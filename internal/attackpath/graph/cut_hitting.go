package graph

import (
	"context"
	"math"
	"slices"
)

// maxDerivations is how many derivations the exhaustive search of one cut looks at before it gives up beyond the size asked for;
// within that size it may take ten times as many.
const maxDerivations = 400

// breaking is the search for few labels without which the target cannot be derived. Every derivation must have an edge of
// which all labels are removed, so a derivation is looked for that has as few breakable edges as possible, and each of them is
// tried (a hitting set, found while the sets are).
type breaking struct {
	*cutNet
	ctx     context.Context
	removed bitset  // labels
	shut    []uint8 // edges that are taken to stay, by how many choices
	looked  int
	limit   int
	cost    []float64
	ends    bool // a limit or the deadline was met
	closed  bitset
}

func (n *cutNet) breaking(ctx context.Context) *breaking {
	return &breaking{cutNet: n, ctx: ctx, removed: newBitset(len(n.ids)), shut: make([]uint8, len(n.post)),
		cost: make([]float64, n.nodes), closed: newBitset(len(n.ids))}
}

// left counts the labels of an edge that are not removed.
func (b *breaking) left(e int32) int {
	n := 0
	for _, l := range b.labels.of(e) {
		if !b.removed.has(l) {
			n++
		}
	}
	return n
}

// broken tells whether all labels of an edge are removed.
func (b *breaking) broken(e int32) bool { return len(b.labels.of(e)) > 0 && b.left(e) == 0 }

// derive looks for the derivation of least weight; false when there is none. A weight less than 0 closes an edge.
func (b *breaking) derive(weigh func(e int32) float64) ([]int32, bool) {
	b.looked++
	giver := make([]int32, b.nodes)
	for x := range b.cost {
		b.cost[x], giver[x] = math.Inf(1), -1
	}
	settled := newBitset(b.nodes)
	var open heap
	var now []int32
	reach := func(e int32, at, sum float64) {
		w, x := weigh(e), b.post[e]
		if w < 0 || sum+w >= b.cost[x] {
			return
		}
		b.cost[x], giver[x] = sum+w, e
		if sum+w == at {
			now = append(now, x)
		} else {
			open.push(sum+w, x)
		}
	}
	for _, e := range b.free {
		reach(e, -1, 0)
	}
	for len(now) > 0 || len(open) > 0 {
		var x int32
		if n := len(now); n > 0 {
			x, now = now[n-1], now[:n-1]
		} else {
			x = open.pop().id
		}
		if settled.has(x) {
			continue
		}
		settled.add(x)
		if x == b.target() {
			return b.edgesOf(giver), true
		}
		for _, e := range b.needers.of(x) {
			if !settled.has(b.post[e]) {
				if sum := together(b.pre.of(e), b.cost, settled, false); !math.IsInf(sum, 1) {
					reach(e, b.cost[x], sum)
				}
			}
		}
	}
	return nil, false
}

// edgesOf lists the edges of the target's derivation, ascending.
func (b *breaking) edgesOf(giver []int32) []int32 {
	list := []int32{giver[b.target()]}
	for i := 0; i < len(list); i++ {
		for _, x := range b.pre.of(list[i]) {
			if e := giver[x]; !slices.Contains(list, e) {
				list = append(list, e)
			}
		}
	}
	slices.Sort(list)
	return list
}

// cuts tells whether the removed labels cut.
func (b *breaking) cuts() bool {
	_, ok := b.derive(func(e int32) float64 {
		if b.broken(e) {
			return -1
		}
		return 0
	})
	return !ok
}

// atLeast is a lower limit: the sum over derivations that share no label of what breaking each costs at least. It stops at
// enough. The second answer is false when some derivation cannot be broken at all.
func (b *breaking) atLeast(enough int) (int, bool) {
	clear(b.closed)
	total := 0
	for total < enough {
		edges, ok := b.derive(func(e int32) float64 {
			if b.shut[e] > 0 {
				return 0
			}
			if b.broken(e) {
				return -1
			}
			w := 0
			for _, l := range b.labels.of(e) {
				if b.closed.has(l) {
					return -1
				}
				if !b.removed.has(l) {
					w++
				}
			}
			return float64(w)
		})
		if !ok {
			return total, true
		}
		least := math.MaxInt
		for _, e := range edges {
			if b.shut[e] > 0 || len(b.labels.of(e)) == 0 {
				continue
			}
			least = min(least, b.left(e))
			for _, l := range b.labels.of(e) {
				b.closed.add(l)
			}
		}
		if least == math.MaxInt {
			return total, false
		}
		total += least
	}
	return total, true
}

// within looks for a set of at most so many further labels. What is removed then stays so when it is found.
func (b *breaking) within(size int) bool {
	if b.looked > b.limit || b.ctx.Err() != nil {
		b.ends = true
		return false
	}
	if size > 0 {
		if least, possible := b.atLeast(size + 1); !possible || least > size {
			return false
		}
	}
	edges, ok := b.derive(func(e int32) float64 {
		switch n := b.left(e); {
		case b.shut[e] > 0 || len(b.labels.of(e)) == 0 || n > size:
			return 0
		case n == 0:
			return -1
		}
		return 1
	})
	if !ok {
		return true
	}
	edges = slices.DeleteFunc(edges, func(e int32) bool { return b.shut[e] > 0 || len(b.labels.of(e)) == 0 || b.left(e) > size })
	slices.SortStableFunc(edges, func(x, y int32) int { return b.left(x) - b.left(y) })
	return b.branch(edges, size)
}

// branch breaks each of the edges in turn; an edge that was tried is taken to stay in the turns after it.
func (b *breaking) branch(edges []int32, size int) bool {
	tried := 0
	defer func() {
		for _, e := range edges[:tried] {
			b.shut[e]--
		}
	}()
	for _, e := range edges {
		var gone []int32
		for _, l := range b.labels.of(e) {
			if !b.removed.has(l) {
				gone = append(gone, l)
				b.removed.add(l)
			}
		}
		if b.within(size - len(gone)) {
			return true
		}
		for _, l := range gone {
			b.removed.drop(l)
		}
		b.shut[e]++
		tried++
		if b.ends {
			return false
		}
	}
	return false
}
