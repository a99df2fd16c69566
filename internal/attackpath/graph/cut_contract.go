package graph

import "slices"

// contract makes the net small without changing what cuts it. What holds in any case is left out of needs. Edges with the same
// needs and gain become one, which is broken when all labels of all of them are removed. And of an edge that nothing breaks,
// both ends become one where it is the only one that gives its end, or the only one that its need is of use for. So the hosts
// of a class, which all lead to the same place, become a single edge with the labels of all.
func (n *cutNet) contract() {
	n.dropSure()
	for quiet := 0; quiet < 2; {
		for _, byUse := range []bool{false, true} {
			// Never both in one go: a need with one use and one giver must not join what that giver is also of use for.
			if n.join(byUse) {
				quiet = 0
			} else {
				quiet++
			}
		}
	}
}

// dropSure leaves out what holds whatever is removed.
func (n *cutNet) dropSure() {
	sure := newBitset(n.nodes)
	queue := []int32{}
	give := func(e int32) {
		if x := n.post[e]; !contains(n.ends, x) && !sure.has(x) && len(n.labels.of(e)) == 0 && all(n.pre.of(e), sure) {
			sure.add(x)
			queue = append(queue, x)
		}
	}
	for _, e := range n.free {
		give(e)
	}
	for len(queue) > 0 {
		x := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, e := range n.needers.of(x) {
			give(e)
		}
	}
	n.remake(func(e int32, pre []int32) ([]int32, int32, bool) {
		pre = slices.DeleteFunc(pre, sure.has)
		return pre, n.post[e], !sure.has(n.post[e])
	})
}

// surely tells whether an edge is there, has one need, and cannot be broken.
func (n *cutNet) surely(e int32) bool {
	return !n.gone.has(e) && len(n.pre.of(e)) == 1 && len(n.labels.of(e)) == 0
}

// join makes pairs of nodes one, and then edges that are alike; false when there was nothing to do.
func (n *cutNet) join(byUse bool) bool {
	to := make([]int32, n.nodes) // what a node becomes part of
	for x := range to {
		to[x] = int32(x)
	}
	joined := false
	for x := range int32(n.nodes) {
		list := n.givers.of(x)
		if byUse {
			list = n.needers.of(x)
		}
		if byUse && contains(n.ends, x) { // being asked for is a use too
			continue
		}
		if len(list) != 1 || len(n.labels.of(list[0])) > 0 || len(n.pre.of(list[0])) != 1 {
			continue
		}
		a, b := root(to, n.pre.of(list[0])[0]), root(to, n.post[list[0]])
		if a != b {
			to[max(a, b)] = min(a, b)
			joined = true
		}
	}
	if !joined {
		return false
	}
	for i, x := range n.ends {
		n.ends[i] = root(to, x)
	}
	n.remake(func(e int32, pre []int32) ([]int32, int32, bool) {
		for i := range pre {
			pre[i] = root(to, pre[i])
		}
		post := root(to, n.post[e])
		return pre, post, true
	})
	return true
}

func root(to []int32, x int32) int32 {
	for to[x] != x {
		to[x] = to[to[x]]
		x = to[x]
	}
	return x
}

// remake makes the edges anew as change says, those alike as one. Edges that
// need what they give go, and those that need the only end.
func (n *cutNet) remake(change func(e int32, pre []int32) ([]int32, int32, bool)) {
	m := &cutNet{from: n.from, ids: n.ids, nodes: n.nodes, ends: n.ends, pre: rows{start: []int32{0}}}
	size := 1
	for size < 2*len(n.post)+1 {
		size *= 2
	}
	table := make([]int32, size)
	like := make([]int32, len(n.post)) // edge that an edge becomes, -1 for none
	var pre []int32
	for e := range int32(len(n.post)) {
		like[e] = -1
		if n.gone.has(e) {
			continue
		}
		var post int32
		var stays bool
		pre, post, stays = change(e, append(pre[:0], n.pre.of(e)...))
		slices.Sort(pre)
		pre = slices.Compact(pre)
		if !stays || slices.Contains(pre, post) || len(n.ends) == 1 && slices.Contains(pre, n.target()) {
			continue
		}
		like[e] = m.edge(table, pre, post)
	}
	m.mergeLabels(n, like)
	m.gone = newBitset(len(m.post))
	m.connect()
	*n = *m
}

// edge finds or makes an edge.
func (n *cutNet) edge(table []int32, pre []int32, post int32) int32 {
	at := uint64(post)
	for _, x := range pre {
		at = mix(at, uint64(x))
	}
	mask := uint64(len(table) - 1)
	for at &= mask; table[at] != 0; at = (at + 1) & mask {
		if e := table[at] - 1; n.post[e] == post && slices.Equal(n.pre.of(e), pre) {
			return e
		}
	}
	e := int32(len(n.post))
	n.post = append(n.post, post)
	n.pre.data = append(n.pre.data, pre...)
	n.pre.start = append(n.pre.start, int32(len(n.pre.data)))
	table[at] = e + 1
	return e
}

// mergeLabels gives every edge the labels of those that became it; none when nothing breaks one of them.
func (n *cutNet) mergeLabels(old *cutNet, like []int32) {
	of := group(len(n.post), len(like), func(e int32) []int32 {
		if like[e] < 0 {
			return nil
		}
		return like[e : e+1]
	})
	n.labels = rows{start: make([]int32, 1, len(n.post)+1), data: make([]int32, 0, len(old.labels.data))}
	for e := range int32(len(n.post)) {
		from := len(n.labels.data)
		for _, o := range of.of(e) {
			labels := old.labels.of(o)
			if len(labels) == 0 {
				n.labels.data = n.labels.data[:from]
				break
			}
			n.labels.data = append(n.labels.data, labels...)
		}
		merged := n.labels.data[from:]
		slices.Sort(merged)
		n.labels.data = n.labels.data[:from+len(slices.Compact(merged))]
		n.labels.start = append(n.labels.start, int32(len(n.labels.data)))
	}
}
