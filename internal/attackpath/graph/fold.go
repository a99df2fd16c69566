package graph

import (
	"math"
	"slices"

	"github.com/patchscout/patchscout/internal/attackpath"
)

// foldAll makes the edges, in the order of their first members. Edges are found by a table of hashes, twice as large as needed.
func (ix *index) foldAll(actions []attackpath.Action) {
	size := 1
	for size < 2*len(actions)+1 {
		size *= 2
	}
	table := make([]int32, size)
	ix.pre.start = append(make([]int32, 0, len(actions)+1), 0)
	var need []int32
	for i := range actions {
		a := &actions[i]
		if a.P <= 0 {
			continue
		}
		need = needs(need[:0], a.Pre)
		at := shape(need, a) & uint64(size-1)
		for table[at] != 0 && !ix.fits(table[at]-1, need, a) {
			at = (at + 1) & uint64(size-1)
		}
		if table[at] == 0 {
			table[at] = ix.addEdge(need, a) + 1
		}
		ix.edge[i] = table[at] - 1
	}
	edges := len(ix.post)
	ix.members = group(edges, len(ix.edge), func(i int32) []int32 { return present(ix.edge[i : i+1]) })
	ix.cost = make([]float64, edges)
	for e := range int32(edges) {
		ix.rank(ix.members.of(e))
		ix.cost[e] = ix.costOf(ix.members.of(e))
	}
	ix.givers = group(ix.facts, edges, func(e int32) []int32 { return ix.post[e : e+1] })
	ix.needers = group(ix.facts, edges, ix.pre.of)
}

func present(edge []int32) []int32 {
	if edge[0] < 0 {
		return nil
	}
	return edge
}

// needs appends facts ascending, each once.
func needs(to []int32, facts []attackpath.Fact) []int32 {
	for _, f := range facts {
		to = append(to, int32(f))
	}
	if len(to) > 1 {
		slices.Sort(to)
		to = slices.Compact(to)
	}
	return to
}

func shape(need []int32, a *attackpath.Action) uint64 {
	h := mix(uint64(a.Post), uint64(a.Host))
	for _, f := range need {
		h = mix(h, uint64(f))
	}
	return h
}

func (ix *index) fits(e int32, need []int32, a *attackpath.Action) bool {
	return ix.post[e] == int32(a.Post) && ix.host[e] == a.Host && slices.Equal(ix.pre.of(e), need)
}

func (ix *index) addEdge(need []int32, a *attackpath.Action) int32 {
	e := int32(len(ix.post))
	ix.post = append(ix.post, int32(a.Post))
	ix.host = append(ix.host, a.Host)
	ix.told = append(ix.told, a.Kind == attackpath.Step && a.Host == 0)
	ix.pre.data = append(ix.pre.data, need...)
	ix.pre.start = append(ix.pre.start, int32(len(ix.pre.data)))
	switch {
	case len(need) > 1:
		ix.wide++
	case len(need) == 0:
		ix.free = append(ix.free, e)
	}
	return e
}

// rank puts the likeliest action first.
func (ix *index) rank(actions []int32) {
	slices.SortFunc(actions, func(a, b int32) int {
		switch {
		case ix.p[a] > ix.p[b]:
			return -1
		case ix.p[a] < ix.p[b]:
			return 1
		}
		return int(a) - int(b)
	})
}

func (ix *index) costOf(ranked []int32) float64 {
	if len(ranked) == 0 {
		return math.Inf(1)
	}
	return math.Abs(math.Log(ix.p[ranked[0]])) // Abs: -0 would print as such
}
