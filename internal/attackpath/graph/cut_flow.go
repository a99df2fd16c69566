package graph

import "math"

// A minimum cut of the net in which every edge has one need, the last of them: an edge's capacity is what it costs to break it.
// With that less is needed than in truth, so that what cuts here cuts in truth. Where every edge has one need and no label is
// on two edges, no smaller set of labels cuts.

const unbreakable = math.MaxInt32

// flow is a residual network: arcs lie in pairs, arc i^1 is the reverse of arc i.
type flow struct {
	source, sink int32
	to           []int32
	room         []int32
	out          rows
	edge         []int32 // by pair
	level, next  []int32
}

func (n *cutNet) flow(capacity func(e int32) int32) *flow {
	f := &flow{source: int32(n.nodes), sink: n.target()}
	from := make([]int32, 0, 2*len(n.post))
	for e := range int32(len(n.post)) {
		if n.gone.has(e) {
			continue
		}
		need := f.source
		if pre := n.pre.of(e); len(pre) > 0 {
			need = pre[len(pre)-1]
		}
		from = append(from, need, n.post[e])
		f.to = append(f.to, n.post[e], need)
		f.room = append(f.room, capacity(e), 0)
		f.edge = append(f.edge, e)
	}
	f.out = group(n.nodes+1, len(from), func(i int32) []int32 { return from[i : i+1] })
	f.level, f.next = make([]int32, n.nodes+1), make([]int32, n.nodes+1)
	return f
}

// run finds the greatest flow (Dinic); false when nothing limits it.
func (f *flow) run() (int, bool) {
	total := 0
	for f.levels() {
		copy(f.next, f.out.start)
		for {
			got := f.push()
			if got == unbreakable {
				return 0, false
			}
			if got == 0 {
				break
			}
			total += int(got)
		}
	}
	return total, true
}

// levels counts arcs with room from the source; false when the sink is not reached.
func (f *flow) levels() bool {
	for i := range f.level {
		f.level[i] = -1
	}
	f.level[f.source] = 0
	queue := []int32{f.source}
	for at := 0; at < len(queue); at++ {
		x := queue[at]
		for _, a := range f.out.of(x) {
			if y := f.to[a]; f.room[a] > 0 && f.level[y] < 0 {
				f.level[y] = f.level[x] + 1
				queue = append(queue, y)
			}
		}
	}
	return f.level[f.sink] >= 0
}

// push sends what fits over one more way of the levels.
func (f *flow) push() int32 {
	var way []int32 // arcs
	x := f.source
	for x != f.sink {
		arc := int32(-1)
		for ; f.next[x] < f.out.start[x+1]; f.next[x]++ {
			a := f.out.data[f.next[x]]
			if f.room[a] > 0 && f.level[f.to[a]] == f.level[x]+1 {
				arc = a
				break
			}
		}
		switch {
		case arc >= 0:
			way = append(way, arc)
			x = f.to[arc]
		case len(way) == 0:
			return 0
		default: // a dead end: never come here again
			last := way[len(way)-1]
			way = way[:len(way)-1]
			x = f.to[last^1]
			f.next[x]++
		}
	}
	least := int32(unbreakable)
	for _, a := range way {
		least = min(least, f.room[a])
	}
	if least == unbreakable {
		return unbreakable
	}
	for _, a := range way {
		if f.room[a] != unbreakable {
			f.room[a] -= least
		}
		if f.room[a^1] != unbreakable {
			f.room[a^1] += least
		}
	}
	return least
}

// cut are the edges between what can be reached with room and what cannot, after run.
func (f *flow) cut() []int32 {
	var list []int32
	for i, e := range f.edge {
		if a := 2 * i; f.level[f.to[a+1]] >= 0 && f.level[f.to[a]] < 0 {
			list = append(list, e)
		}
	}
	return list
}
