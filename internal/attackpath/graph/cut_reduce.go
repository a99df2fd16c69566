package graph

import "slices"

// reduce takes away what changes nothing: edges that no derivation of an end without detours uses, and needs that follow
// from other needs of the same edge. Often no edge with several needs is left, and the cut is a minimum cut of a flow.
func (n *cutNet) reduce() {
	for range 4 {
		before, after := n.above(), n.below()
		changed := false
		for e := range int32(len(n.post)) {
			if n.gone.has(e) {
				continue
			}
			if n.useless(e, before, after) {
				n.gone.add(e)
				changed = true
			}
		}
		if n.narrow(before) {
			changed = true
		}
		if !changed {
			return
		}
		n.connect()
	}
}

// above are dominators: what every derivation of a node has first.
func (n *cutNet) above() domTree {
	main := func(e int32) int32 {
		if pre := n.pre.of(e); len(pre) > 0 {
			return pre[len(pre)-1]
		}
		return -1
	}
	var roots []int32
	for _, e := range n.free {
		roots = append(roots, n.post[e])
	}
	return semiNCA(n.nodes, roots,
		func(x int32, to func(int32)) {
			for _, e := range n.needers.of(x) {
				if main(e) == x {
					to(n.post[e])
				}
			}
		},
		func(x int32, from func(int32)) {
			for _, e := range n.givers.of(x) {
				if m := main(e); m >= 0 {
					from(m)
				}
			}
		})
}

// below are dominators seen from the ends: what everything that a node is of use for leads over.
func (n *cutNet) below() domTree {
	return semiNCA(n.nodes, n.ends,
		func(x int32, to func(int32)) {
			for _, e := range n.givers.of(x) {
				for _, need := range n.pre.of(e) {
					to(need)
				}
			}
		},
		func(x int32, from func(int32)) {
			for _, e := range n.needers.of(x) {
				from(n.post[e])
			}
		})
}

// useless tells whether some node comes before a need of an edge in every case, and after what it gives too.
func (n *cutNet) useless(e int32, before, after domTree) bool {
	post := n.post[e]
	if !before.reached(post) || !after.reached(post) {
		return true
	}
	for _, need := range n.pre.of(e) {
		if !before.reached(need) {
			return true
		}
		const far = 64 // chains are short; what is farther is not looked at
		for x, i := need, 0; x >= 0 && i < far; x, i = before.parent[x], i+1 {
			if after.reached(x) && after.above(x, post) {
				return true
			}
		}
	}
	return false
}

// narrow drops needs that dominate other needs of their edge.
func (n *cutNet) narrow(before domTree) bool {
	if !n.wide {
		return false
	}
	changed := false
	next := rows{start: make([]int32, 1, len(n.pre.start)), data: make([]int32, 0, len(n.pre.data))}
	for e := range int32(len(n.post)) {
		pre := n.pre.of(e)
		for _, x := range pre {
			follows := !n.gone.has(e) && slices.ContainsFunc(pre, func(y int32) bool { return y != x && before.above(x, y) })
			if follows {
				changed = true
			} else {
				next.data = append(next.data, x)
			}
		}
		next.start = append(next.start, int32(len(next.data)))
	}
	n.pre = next
	return changed
}
