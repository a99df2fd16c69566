package graph

import (
	"slices"
)

// cutNet is the part of a network that leads to goals, in numbers of its own. Edges are broken when all of their labels are
// removed: findings, weaknesses or hosts. The last node is the target: it holds when any goal does.
type cutNet struct {
	from   *view
	ids    []int64 // of labels, ascending
	nodes  int
	target int32
	goals  []int32 // nodes in the order of the question; -1 where it holds from the beginning

	pre    rows
	post   []int32
	orig   []int32 // edge of the network, -1 for none
	labels rows    // ascending; none: cannot be broken
	gone   bitset

	givers, needers rows
	free            []int32
	wide            bool
}

// cutEdge is an edge while the net is made.
type cutEdge struct {
	pre    []int32
	post   int32
	labels []int64
	orig   int32
}

func (v *view) cutNet(goals []int32, by By, safe map[int64]bool) *cutNet {
	m := &netMaker{view: v, by: by, safe: safe, node: make(map[int32]int32), split: map[int32]int32{}}
	m.edges = v.relevant(goals)
	for e := range int32(len(v.post)) {
		if m.edges.has(e) {
			m.add(e)
		}
	}
	target := m.fresh()
	for _, f := range goals {
		m.made = append(m.made, cutEdge{pre: m.needed([]int32{f}), post: target, orig: -1})
	}
	n := m.net(target)
	for _, f := range goals {
		at, ok := m.node[f]
		if !ok {
			at = -1
		}
		n.goals = append(n.goals, at)
	}
	n.reduce()
	return n
}

// netMaker makes a cutNet.
type netMaker struct {
	*view
	by    By
	safe  map[int64]bool // hosts that cannot be removed
	edges bitset
	node  map[int32]int32 // what needs of a fact refer to
	split map[int32]int32 // what is given of a fact, where its host lies between that and its use
	nodes int32
	made  []cutEdge
}

func (m *netMaker) fresh() int32 {
	m.nodes++
	return m.nodes - 1
}

func (m *netMaker) add(e int32) {
	m.made = append(m.made, cutEdge{pre: m.needed(m.pre.of(e)), post: m.given(m.post[e]), labels: m.labelsOf(e), orig: e})
}

// needed are the nodes of facts. What holds from the beginning is no need, unless its host can be taken away.
func (m *netMaker) needed(facts []int32) []int32 {
	var list []int32
	for _, f := range facts {
		if !m.begins(f) {
			m.given(f)
			list = append(list, m.node[f])
		} else if m.by == ByHost && !m.safe[m.hostOf[f]] {
			if _, ok := m.node[f]; !ok {
				m.node[f] = m.fresh()
				m.made = append(m.made, cutEdge{post: m.node[f], labels: []int64{m.hostOf[f]}, orig: -1})
			}
			list = append(list, m.node[f])
		}
	}
	return list
}

// given is the node that edges for a fact lead to.
func (m *netMaker) given(f int32) int32 {
	if n, ok := m.split[f]; ok {
		return n
	}
	if n, ok := m.node[f]; ok {
		return n
	}
	m.node[f] = m.fresh()
	if m.by != ByHost || m.safe[m.hostOf[f]] || m.staysOnHost(f) {
		return m.node[f]
	}
	m.split[f] = m.fresh()
	m.made = append(m.made, cutEdge{pre: []int32{m.split[f]}, post: m.node[f], labels: []int64{m.hostOf[f]}, orig: -1})
	return m.split[f]
}

// staysOnHost tells whether a fact is only of use for others of its host: then it need not be split too.
func (m *netMaker) staysOnHost(f int32) bool {
	for _, e := range m.needers.of(f) {
		if m.edges.has(e) && m.hostOf[m.post[e]] != m.hostOf[f] {
			return false
		}
	}
	return true
}

// labelsOf lists what breaks an edge when all of it is removed; nil when nothing does.
func (m *netMaker) labelsOf(e int32) []int64 {
	if m.by == ByHost {
		if h := m.host[e]; !m.safe[h] && h != m.hostOf[m.post[e]] {
			return []int64{h}
		}
		return nil
	}
	var list []int64
	for _, a := range m.members.of(e) {
		if m.gone != nil && m.gone.has(a) {
			continue
		}
		id := m.finding[a]
		if m.by == ByWeakness {
			id = int64(m.weakness[a])
		}
		if id < 0 || m.by == ByFinding && id == 0 {
			return nil
		}
		list = append(list, id)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (m *netMaker) net(target int32) *cutNet {
	n := &cutNet{from: m.view, nodes: int(m.nodes), target: target, gone: newBitset(len(m.made))}
	for _, e := range m.made {
		n.ids = append(n.ids, e.labels...)
	}
	slices.Sort(n.ids)
	n.ids = slices.Compact(n.ids)
	n.pre.start, n.labels.start = []int32{0}, []int32{0}
	for _, e := range m.made {
		n.post = append(n.post, e.post)
		n.orig = append(n.orig, e.orig)
		n.pre.data = append(n.pre.data, e.pre...)
		n.pre.start = append(n.pre.start, int32(len(n.pre.data)))
		for _, id := range e.labels {
			l, _ := slices.BinarySearch(n.ids, id)
			n.labels.data = append(n.labels.data, int32(l))
		}
		n.labels.start = append(n.labels.start, int32(len(n.labels.data)))
	}
	n.connect()
	return n
}

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
