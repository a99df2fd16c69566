package graph

// detourless are the edges that can be part of a derivation in which no fact is used to gain itself. An edge is not, when the
// fact that it gives dominates one of its needs: whoever has the need had the fact before. In a site that is entered over few
// hosts, that is most of its edges. What holds for the whole network holds for every removal too.
//
// Dominators are those of the graph in which every action needs only one of its facts, always the same one. Less is needed
// there than in the network, so that what dominates there dominates in the network.
func (ix *index) detourless() bitset {
	return ix.useful.get(func() bitset {
		d := ix.doms.get(ix.dominators)
		useful := newBitset(len(ix.post))
		for e := range int32(len(ix.post)) {
			if d.reached(ix.post[e]) && !d.detour(ix.pre.of(e), ix.post[e]) {
				useful.add(e)
			}
		}
		return useful
	})
}

// domTree are the dominators of facts. Intervals of a walk over the tree tell who is above whom.
type domTree struct {
	parent     []int32 // immediate dominator; -1: the beginning, or not reached
	first, end []int32
}

func (d domTree) reached(f int32) bool { return d.end[f] > 0 }

// above tells whether a dominates b, which may be a itself.
func (d domTree) above(a, b int32) bool {
	return d.first[a] <= d.first[b] && d.first[b] < d.end[a]
}

func (d domTree) detour(pre []int32, post int32) bool {
	for _, f := range pre {
		if !d.reached(f) || d.above(post, f) {
			return true
		}
	}
	return false
}

func (ix *index) dominators() domTree {
	main := make([]int32, len(ix.post))
	for e := range main {
		main[e] = ix.mainNeed(int32(e))
	}
	roots := append([]int32(nil), ix.start...)
	for _, e := range ix.free {
		roots = append(roots, ix.post[e])
	}
	return semiNCA(ix.facts, roots,
		func(f int32, to func(int32)) {
			for _, e := range ix.needers.of(f) {
				if main[e] == f {
					to(ix.post[e])
				}
			}
		},
		func(f int32, from func(int32)) {
			for _, e := range ix.givers.of(f) {
				if main[e] >= 0 {
					from(main[e])
				}
			}
		})
}

// mainNeed is the one need of an edge that the dominators look at: of a host rather than of many, else the last. It must not
// depend on other actions, so that an action more never makes a dominator more.
func (ix *index) mainNeed(e int32) int32 {
	main := int32(-1)
	for _, f := range ix.pre.of(e) {
		if main < 0 || ix.hostOf[f] != 0 || ix.hostOf[main] == 0 {
			main = f
		}
	}
	return main
}
