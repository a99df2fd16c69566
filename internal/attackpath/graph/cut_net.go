package graph

import "slices"

// cutNet is the part of a network that leads to some facts, in numbers of its own. Edges are broken when all of their labels
// are removed: findings, weaknesses or hosts.
type cutNet struct {
	from  *view
	ids   []int64 // of labels, ascending
	nodes int
	ends  []int32 // what is asked for: nodes in the order of the question

	pre    rows
	post   []int32
	orig   []int32 // edge of the network, -1 for none; nil once edges were made one
	labels rows    // ascending; none: cannot be broken
	gone   bitset

	givers, needers rows
	free            []int32
	wide            bool
}

// cutNet makes the net of goals that can be derived. Each ends in a node of its own, that only it leads to.
func (v *view) cutNet(goals []int32, by By) *cutNet {
	m := &netMaker{view: v, by: by, edges: v.relevant(goals), node: make([]int32, v.facts), split: map[int32]int32{}}
	m.net.pre.start, m.net.labels.start = []int32{0}, []int32{0}
	for e := range int32(len(v.post)) {
		if m.edges.has(e) {
			m.edge(m.needed(v.pre.of(e)), m.given(v.post[e]), m.labelsOf(e), e)
		}
	}
	n := &m.net
	for _, f := range goals {
		need := m.needed([]int32{f})
		n.ends = append(n.ends, m.fresh())
		m.edge(need, n.ends[len(n.ends)-1], nil, -1)
	}
	n.from, n.nodes, n.gone = v, int(m.nodes), newBitset(len(n.post))
	m.number()
	n.connect()
	return n
}

// small is the net of all goals of the network, as small as can be. It is made once.
func (v *view) small(by By) *cutNet {
	return v.nets[by].get(func() *cutNet {
		goals, _ := v.goalsOf(nil)
		return v.cutNet(v.derived(goals), by).shrunk()
	})
}

func (n *cutNet) shrunk() *cutNet {
	n.contract()
	n.reduce()
	n.contract()
	return n
}

// netFor is the net of some goals that can be derived, with a single end that holds when any of them does.
func (v *view) netFor(goals []int32, by By, safe map[int64]bool) *cutNet {
	all, _ := v.goalsOf(nil)
	all = v.derived(all)
	var whole *cutNet
	ends := make([]int32, len(goals))
	if slices.ContainsFunc(goals, func(f int32) bool { return !slices.Contains(all, f) }) {
		whole = v.cutNet(goals, by).shrunk()
		copy(ends, whole.ends)
	} else {
		whole = v.small(by)
		for i, f := range goals {
			ends[i] = whole.ends[slices.Index(all, f)]
		}
	}
	return whole.part(ends, func(id int64) bool { return by == ByHost && safe[id] }).shrunk()
}

// part is what leads to some nodes. What has a safe label cannot be broken.
func (n *cutNet) part(ends []int32, safe func(id int64) bool) *cutNet {
	m := &netMaker{node: make([]int32, n.nodes)}
	m.net.pre.start, m.net.labels.start = []int32{0}, []int32{0}
	var queue []int32
	number := func(x int32) int32 {
		if m.node[x] == 0 {
			m.node[x] = m.fresh() + 1
			queue = append(queue, x)
		}
		return m.node[x] - 1
	}
	target := m.fresh()
	for _, x := range ends {
		m.edge([]int32{number(x)}, target, nil, -1)
	}
	var pre []int32
	short := n.shortcuts(ends)
	for at := 0; at < len(queue); at++ {
		for _, e := range n.givers.of(queue[at]) {
			if !short.allow(e) {
				continue
			}
			pre = pre[:0]
			for _, x := range n.pre.of(e) {
				pre = append(pre, number(x))
			}
			m.edge(pre, m.node[queue[at]]-1, n.labelIDs(e, safe), -1)
		}
	}
	p := &m.net
	p.from, p.nodes, p.gone, p.ends = n.from, int(m.nodes), newBitset(len(p.post)), []int32{target}
	m.number()
	p.connect()
	return p
}

func (n *cutNet) labelIDs(e int32, safe func(id int64) bool) []int64 {
	var list []int64
	for _, l := range n.labels.of(e) {
		if safe(n.ids[l]) {
			return nil
		}
		list = append(list, n.ids[l])
	}
	return list
}

// target is the end of a net that has one.
func (n *cutNet) target() int32 { return n.ends[0] }

// connect makes the rows of nodes anew, from the edges that are left.
func (n *cutNet) connect() {
	left := func(list func(e int32) []int32) func(e int32) []int32 {
		return func(e int32) []int32 {
			if n.gone.has(e) {
				return nil
			}
			return list(e)
		}
	}
	n.givers = group(n.nodes, len(n.post), left(func(e int32) []int32 { return n.post[e : e+1] }))
	n.needers = group(n.nodes, len(n.post), left(n.pre.of))
	n.free, n.wide = n.free[:0], false
	for e := range int32(len(n.post)) {
		if !n.gone.has(e) {
			switch len(n.pre.of(e)) {
			case 0:
				n.free = append(n.free, e)
			case 1:
			default:
				n.wide = true
			}
		}
	}
}
