package graph

// choices are the edges of a state and its parents: which edge gives which fact. There are few, so a list is quickest.
type choices struct {
	facts []int32
	edges []int32
	stack []int32
	tried []int32
}

func (c *choices) fill(s *search, id int32) {
	c.facts, c.edges = c.facts[:0], c.edges[:0]
	for ; id >= 0; id = s.states[id].parent {
		e := s.states[id].edge
		c.set(s.post[e], e)
	}
}

func (c *choices) set(f, e int32) {
	c.facts = append(c.facts, f)
	c.edges = append(c.edges, e)
}

// of is the edge that was chosen to give a fact, -1 for none.
func (c *choices) of(f int32) int32 {
	for i, have := range c.facts {
		if have == f {
			return c.edges[i]
		}
	}
	return -1
}

func (c *choices) over(v *view, host int64) bool {
	for _, e := range c.edges {
		if v.host[e] == host {
			return true
		}
	}
	return false
}

// circles tells whether a fact would lead to itself if an edge gave it.
func (c *choices) circles(v *view, f, edge int32) bool {
	c.stack, c.tried = append(c.stack[:0], edge), c.tried[:0]
	for len(c.stack) > 0 {
		e := c.stack[len(c.stack)-1]
		c.stack = c.stack[:len(c.stack)-1]
		for _, need := range v.pre.of(e) {
			if need == f {
				return true
			}
			if given := c.of(need); given >= 0 && !contains(c.tried, given) {
				c.tried = append(c.tried, given)
				c.stack = append(c.stack, given)
			}
		}
	}
	return false
}

// aside is what those choices cost that do not need a fact: its derivation may share them.
func (c *choices) aside(v *view, f int32) float64 {
	c.tried = append(c.tried[:0], f) // facts that need it
	for grown := true; grown; {
		grown = false
		for i, g := range c.facts {
			if contains(c.tried, g) {
				continue
			}
			for _, need := range v.pre.of(c.edges[i]) {
				if contains(c.tried, need) {
					c.tried, grown = append(c.tried, g), true
					break
				}
			}
		}
	}
	sum := 0.0
	for i, g := range c.facts {
		if !contains(c.tried, g) {
			sum += v.cost[c.edges[i]]
		}
	}
	return sum
}

func contains(list []int32, x int32) bool {
	for _, have := range list {
		if have == x {
			return true
		}
	}
	return false
}

// walk lists the edges, needs before what needs them.
func (c *choices) walk(v *view, to int32) []int32 {
	var order []int32
	var visit func(f int32)
	visit = func(f int32) {
		e := c.of(f)
		if e < 0 || contains(order, e) {
			return
		}
		for _, need := range v.pre.of(e) {
			visit(need)
		}
		order = append(order, e)
	}
	visit(to)
	return order
}
