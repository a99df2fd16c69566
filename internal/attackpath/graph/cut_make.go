package graph

import "slices"

// netMaker makes a cutNet.
type netMaker struct {
	*view
	net    cutNet
	by     By
	edges  bitset
	node   []int32         // what needs of a fact refer to, from 1; 0: not yet
	split  map[int32]int32 // what is given of a fact, where its host lies between that and its use
	nodes  int32
	labels []int64 // of edges, in the order of net.labels.data
	list   []int32
	ids    []int64
}

func (m *netMaker) fresh() int32 {
	m.nodes++
	return m.nodes - 1
}

func (m *netMaker) edge(pre []int32, post int32, labels []int64, orig int32) {
	n := &m.net
	n.post, n.orig = append(n.post, post), append(n.orig, orig)
	n.pre.data = append(n.pre.data, pre...)
	n.pre.start = append(n.pre.start, int32(len(n.pre.data)))
	m.labels = append(m.labels, labels...)
	n.labels.start = append(n.labels.start, int32(len(m.labels)))
}

// number gives labels numbers in the order of what they stand for.
func (m *netMaker) number() {
	n := &m.net
	n.ids = slices.Clone(m.labels)
	slices.Sort(n.ids)
	n.ids = slices.Compact(n.ids)
	n.labels.data = make([]int32, len(m.labels))
	for i, id := range m.labels {
		l, _ := slices.BinarySearch(n.ids, id)
		n.labels.data[i] = int32(l)
	}
}

// needed are the nodes of facts. What holds from the beginning is no need, unless its host can be taken away.
func (m *netMaker) needed(facts []int32) []int32 {
	m.list = m.list[:0]
	for _, f := range facts {
		if !m.begins(f) {
			m.given(f)
			m.list = append(m.list, m.node[f]-1)
		} else if m.by == ByHost && m.hostOf[f] != 0 {
			if m.node[f] == 0 {
				m.node[f] = m.fresh() + 1
				m.edge(nil, m.node[f]-1, []int64{m.hostOf[f]}, -1)
			}
			m.list = append(m.list, m.node[f]-1)
		}
	}
	return m.list
}

// given is the node that edges for a fact lead to.
func (m *netMaker) given(f int32) int32 {
	if n, ok := m.split[f]; ok {
		return n
	}
	if m.node[f] != 0 {
		return m.node[f] - 1
	}
	m.node[f] = m.fresh() + 1
	if m.by != ByHost || m.hostOf[f] == 0 || m.staysOnHost(f) {
		return m.node[f] - 1
	}
	m.split[f] = m.fresh()
	m.edge([]int32{m.split[f]}, m.node[f]-1, []int64{m.hostOf[f]}, -1)
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
		if h := m.host[e]; h != 0 && h != m.hostOf[m.post[e]] {
			return []int64{h}
		}
		return nil
	}
	list := m.ids[:0]
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
	m.ids = list
	slices.Sort(list)
	return slices.Compact(list)
}
