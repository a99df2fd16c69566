package exact

import (
	"cmp"
	"context"
	"slices"
)

// Limits of the search for cuts.
const (
	maxCuts      = 20_000
	maxCutSteps  = 400_000
	maxQuestions = 1_000_000 // whether the goal can be reached without something
)

// cutting finds the sets of fixes that leave no path. It needs no list of all paths: it asks whether the goal can be reached
// without some fixes, and learns from the answer one more set of which a fix is needed (Murakami and Uno 2014, with the sets
// made as they are needed).
type cutting struct {
	ctx       context.Context
	p         *problem
	sets      []set // fixes of a path each; of every one something must be done
	questions int
	steps     int
	most      int // fixes in a set
	out       []set
	why       string
}

// cuts is what was found.
type cuts struct {
	smallest [][]string // all of the smallest size; nil when no set is enough, or none is known to be smallest
	all      [][]string // minimal ones, smallest first
	single   []string
	why      string // what was left out, "" for nothing
}

func findCuts(ctx context.Context, p *problem) cuts {
	c := &cutting{ctx: ctx, p: p}
	everything := newSet(len(p.fixes))
	for i := range p.fixes {
		everything.add(i)
	}
	if c.reached(everything) {
		return cuts{} // a path needs nothing that anybody could fix
	}
	var out cuts
	for c.most = 1; len(c.out) == 0 && c.why == ""; c.most++ {
		c.begin()
	}
	if c.why == "" {
		out.smallest = c.named()
	} else {
		c.out = []set{c.some(everything)} // at least one
	}
	if len(c.out) > 0 {
		out.all = c.named()
	}
	first := c.why
	c.why, c.out, c.most, c.steps = "", nil, len(p.fixes), 0
	if c.begin(); c.why == "" {
		out.all = c.named()
		out.smallest = smallest(out.all)
		return out.withSingle(c)
	}
	out.all = merged(out.all, c.named())
	out.why = c.why
	if first != "" {
		out.why = first
		out.smallest = nil
	}
	return out.withSingle(c)
}

// withSingle adds the fixes that are enough alone. They are asked for one by one: that is certain in any case.
func (out cuts) withSingle(c *cutting) cuts {
	for i, name := range c.p.fixes {
		if !c.reached(newSet(len(c.p.fixes)).with(i)) {
			out.single = append(out.single, name)
		}
	}
	slices.Sort(out.single)
	return out
}

func smallest(sorted [][]string) [][]string {
	n := 0
	for n < len(sorted) && len(sorted[n]) == len(sorted[0]) {
		n++
	}
	return sorted[:n]
}

func merged(a, b [][]string) [][]string {
	all := append(slices.Clone(a), b...)
	sortCuts(all)
	return slices.CompactFunc(all, slices.Equal)
}

func (c *cutting) named() [][]string {
	out := make([][]string, 0, len(c.out))
	for _, s := range c.out {
		names := make([]string, 0, s.size())
		for i := range s.all {
			names = append(names, c.p.fixes[i])
		}
		slices.Sort(names)
		out = append(out, names)
	}
	sortCuts(out)
	return out
}

func sortCuts(cuts [][]string) {
	slices.SortFunc(cuts, func(a, b []string) int { return cmp.Or(cmp.Compare(len(a), len(b)), slices.Compare(a, b)) })
}

func (c *cutting) begin() {
	chosen, free := newSet(len(c.p.fixes)), newSet(len(c.p.fixes))
	for i := range c.p.fixes {
		free.add(i)
	}
	c.extend(chosen, free)
}

// extend looks for minimal cuts that hold all that is chosen and else only what is free. Each set is come to in one way
// only: what is tried later is not free for those that are tried before it.
func (c *cutting) extend(chosen, free set) {
	if c.steps++; c.over() {
		return
	}
	open := c.unmet(chosen, free)
	if open == nil {
		c.out = append(c.out, chosen)
		return
	}
	if size := chosen.size(); size >= c.most || size+c.atLeast(chosen) > c.most {
		return
	}
	tries := open.clone()
	tries.keep(free)
	free = free.clone()
	for f := range tries.all {
		free.remove(f)
	}
	for f := range tries.all {
		if next := chosen.with(f); c.eachCounts(next, f) {
			c.extend(next, free)
		}
		free.add(f)
	}
}

func (c *cutting) over() bool {
	switch {
	case c.why != "":
	case c.ctx.Err() != nil:
		c.why = "time was up"
	case len(c.out) >= maxCuts:
		c.why = "there are more sets of fixes than are listed"
	case c.steps > maxCutSteps || c.questions > maxQuestions:
		c.why = "there are too many sets of fixes to look at"
	}
	return c.why != ""
}

// unmet returns a set of fixes of which none is chosen although one must be, with few that are free; nil when chosen is a
// cut.
func (c *cutting) unmet(chosen, free set) set {
	var best set
	fewest := 0
	for _, s := range c.sets {
		if s.meets(chosen) {
			continue
		}
		if n := s.common(free); best == nil || n < fewest {
			best, fewest = s, n
		}
	}
	if best == nil && c.reached(chosen) {
		best = c.learn(chosen)
	}
	return best
}

// atLeast is how many more fixes are needed, at the least: sets that have no fix in common each need one of their own.
func (c *cutting) atLeast(chosen set) int {
	used, n := chosen.clone(), 0
	for _, s := range c.sets {
		if !s.meets(used) {
			used.addAll(s)
			n++
		}
	}
	return n
}

// eachCounts says whether no chosen fix could be left out: without it the goal can be reached.
func (c *cutting) eachCounts(chosen set, newest int) bool {
	for f := range chosen.all {
		if f == newest {
			continue // chosen because of a set that nothing else meets
		}
		others := chosen.without(f)
		if !slices.ContainsFunc(c.sets, func(s set) bool { return !s.meets(others) }) {
			if !c.reached(others) {
				return false
			}
			c.learn(others)
		}
	}
	return true
}

// reached asks whether the goal can be reached when fixes are done.
func (c *cutting) reached(done set) bool {
	c.questions++
	return c.p.closure(func(i int) bool { return !c.p.fixable(i, done) }, -1).has(c.p.goal)
}

func (p *problem) fixable(action int, done set) bool {
	return slices.ContainsFunc(p.actions[action].fix, done.has)
}

// learn returns the fixes of a path that needs none of those done: as few as can be, so that no other such set is part of
// it.
func (c *cutting) learn(done set) set {
	path := newSet(len(c.p.fixes))
	for i := range c.p.fixes {
		if !done.has(i) {
			path.add(i)
		}
	}
	for f := range path.clone().all {
		less := path.without(f)
		c.questions++
		if c.p.closure(func(i int) bool { return c.p.within(i, less) }, -1).has(c.p.goal) {
			path = less
		}
	}
	c.sets = append(c.sets, path)
	return path
}

func (p *problem) within(action int, fixes set) bool {
	return !slices.ContainsFunc(p.actions[action].fix, func(f int) bool { return !fixes.has(f) })
}

// some is a minimal cut, not the smallest.
func (c *cutting) some(from set) set {
	for f := range from.clone().all {
		if less := from.without(f); !c.reached(less) {
			from = less
		}
	}
	return from
}
