package graph

// semiNCA finds immediate dominators: semidominators by Lengauer and Tarjan with path compression, then the nearest common
// ancestor (Georgiadis). roots all hang below one beginning that is none of the nodes.
func semiNCA(n int, roots []int32, out, in func(node int32, visit func(int32))) domTree {
	s := newDepthFirst(n, roots, out)
	count := len(s.order)
	semi, label, ancestor, idom := make([]int32, count), make([]int32, count), make([]int32, count), make([]int32, count)
	for i := range int32(count) {
		semi[i], label[i], ancestor[i] = i, i, -1
	}
	var path []int32
	eval := func(x int32) int32 { // the node of least semidominator on the way up
		if ancestor[x] < 0 {
			return label[x]
		}
		path = path[:0]
		for y := x; ancestor[ancestor[y]] >= 0; y = ancestor[y] {
			path = append(path, y)
		}
		for i := len(path) - 1; i >= 0; i-- {
			y := path[i]
			up := ancestor[y]
			if semi[label[up]] < semi[label[y]] {
				label[y] = label[up]
			}
			ancestor[y] = ancestor[up]
		}
		return label[x]
	}
	for i := int32(count - 1); i > 0; i-- {
		least := s.parent[i]
		if s.top[i] {
			least = 0
		}
		in(s.order[i], func(from int32) {
			if p := s.number[from]; p >= 0 {
				least = min(least, semi[eval(p)])
			}
		})
		semi[i] = least
		ancestor[i] = s.parent[i]
	}
	for i := int32(1); i < int32(count); i++ {
		d := s.parent[i]
		for d > semi[i] {
			d = idom[d]
		}
		idom[i] = d
	}
	return hang(n, s, idom)
}

// depthFirst numbers nodes by a walk; number 0 is the beginning.
type depthFirst struct {
	order  []int32 // nodes by number; order[0] is -1
	parent []int32 // by number
	number []int32 // by node, -1 when not reached
	top    []bool  // by number: a root
}

func newDepthFirst(n int, roots []int32, out func(int32, func(int32))) depthFirst {
	s := depthFirst{order: []int32{-1}, parent: []int32{-1}, number: make([]int32, n), top: []bool{true}}
	for i := range s.number {
		s.number[i] = -1
	}
	isRoot := newBitset(n)
	type item struct{ node, parent int32 }
	var stack []item
	for i := len(roots) - 1; i >= 0; i-- {
		isRoot.add(roots[i])
		stack = append(stack, item{roots[i], 0})
	}
	for len(stack) > 0 {
		x := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if s.number[x.node] >= 0 {
			continue
		}
		number := int32(len(s.order))
		s.number[x.node] = number
		s.order = append(s.order, x.node)
		s.parent = append(s.parent, x.parent)
		s.top = append(s.top, isRoot.has(x.node))
		out(x.node, func(to int32) {
			if s.number[to] < 0 {
				stack = append(stack, item{to, number})
			}
		})
	}
	return s
}

// hang makes the tree from immediate dominators by number: a node's is always of a smaller number.
func hang(n int, s depthFirst, idom []int32) domTree {
	d := domTree{parent: make([]int32, n), first: make([]int32, n), end: make([]int32, n)}
	for i := range d.parent {
		d.parent[i] = -1
	}
	size := make([]int32, len(s.order))
	for i := len(s.order) - 1; i > 0; i-- {
		size[i]++
		size[idom[i]] += size[i]
	}
	next := make([]int32, len(s.order)) // free place within the interval of each
	next[0] = 1
	for i := 1; i < len(s.order); i++ {
		f, up := s.order[i], idom[i]
		d.first[f] = next[up]
		next[up] += size[i]
		d.end[f] = d.first[f] + size[i]
		next[i] = d.first[f] + 1
		if up > 0 {
			d.parent[f] = s.order[up]
		}
	}
	return d
}
