package exact

import (
	"cmp"
	"container/heap"
	"context"
	"math"
	"slices"
)

// Limits of the search for paths. They are counts, not times, so that the same case has the same answer everywhere.
const (
	maxPaths  = 20_000
	maxMemory = 32_000_000  // words
	maxWork   = 800_000_000 // comparisons of two sets
)

// found is the minimal sets of actions that give the goal, as far as they were found: the likeliest ones.
type found struct {
	sets [][]int // actions of the problem
	why  string  // what stopped the search, "" when it came to its end
}

// findPaths is Knuth's search (1977) for all derivations instead of the best one, directed to the goal (A*): sets of actions
// come in the order of their chance times what is at best still to come, then those of fewer actions. A set that another one
// is part of comes after it, so whatever is taken is minimal for good, and when a limit ends the search those that are there
// are the likeliest.
func findPaths(ctx context.Context, p *problem) found {
	s := newSearch(p)
	why := s.run(ctx)
	sets := make([][]int, 0, len(s.nodes[p.goal].sets))
	for _, set := range s.nodes[p.goal].sets {
		sets = append(sets, slices.Collect(set.all))
	}
	return found{sets: sets, why: why}
}

// node is something to derive: a fact, or several facts at once (what an action needs). Facts come first.
type node struct {
	sets   []set
	seen   map[string]bool
	gives  []int  // actions that need this and nothing else
	joined []join // with what this is a part of
	ahead  int64  // what the actions from here to the goal cost at least
}

type join struct{ other, both int }

type search struct {
	p      *problem
	cost   []int64 // of actions: -ln p. As integers, since sums must not depend on their order by a last digit
	nodes  []node
	queue  candidates
	words  int
	made   int
	memory int
	work   int
}

type candidate struct {
	node    int
	set     set
	cost    int64 // with what is ahead
	actions int
	n       int // when it was made: a tie is broken the same way everywhere
}

// costUnit is the cost of the chance 1/e. A double's smallest chance costs 745 of them: 2^23 such fit.
const costUnit = 1 << 30

func newSearch(p *problem) *search {
	s := &search{p: p, nodes: make([]node, p.nFacts), words: len(newSet(len(p.actions)))}
	for _, r := range p.actions {
		s.cost = append(s.cost, int64(math.Round(-math.Log(r.p.hi)*costUnit)))
	}
	s.wire()
	s.lookAhead()
	return s
}

// lookAhead works out what is still to come from each node, from the goal back. What else the actions there need is not
// counted, so that it is never too much.
func (s *search) lookAhead() {
	const far = math.MaxInt64
	for i := range s.nodes {
		s.nodes[i].ahead = far
	}
	s.nodes[s.p.goal].ahead = 0
	for again := true; again; {
		again = false
		for i := range s.nodes {
			n := &s.nodes[i]
			least := n.ahead
			for _, a := range n.gives {
				for f := range s.p.actions[a].post.all {
					if ahead := s.nodes[f].ahead; ahead != far {
						least = min(least, ahead+s.cost[a])
					}
				}
			}
			for _, j := range n.joined {
				least = min(least, s.nodes[j.both].ahead)
			}
			if least < n.ahead {
				n.ahead, again = least, true
			}
		}
	}
}

// wire joins what actions need two by two. Actions with the same needs share the joints.
func (s *search) wire() {
	joints := map[[2]int]int{}
	for i, r := range s.p.actions {
		at := -1
		for f := range r.pre.all {
			if at < 0 {
				at = f
				continue
			}
			both, known := joints[[2]int{at, f}]
			if !known {
				both = len(s.nodes)
				s.nodes = append(s.nodes, node{})
				joints[[2]int{at, f}] = both
				s.nodes[at].joined = append(s.nodes[at].joined, join{f, both})
				s.nodes[f].joined = append(s.nodes[f].joined, join{at, both})
			}
			at = both
		}
		if at >= 0 {
			s.nodes[at].gives = append(s.nodes[at].gives, i)
		}
	}
}

func (s *search) run(ctx context.Context) string {
	for i, r := range s.p.actions {
		if r.pre.empty() {
			s.act(i, newSet(len(s.p.actions)))
		}
	}
	for round := 0; len(s.queue) > 0; round++ {
		switch {
		case round%256 == 0 && ctx.Err() != nil:
			return "time was up"
		case len(s.nodes[s.p.goal].sets) >= maxPaths:
			return "there are more paths than are listed"
		case s.memory >= maxMemory || s.work >= maxWork:
			return "there are too many ways to look at"
		}
		c := heap.Pop(&s.queue).(candidate)
		if !s.superfluous(c.node, c.set) {
			s.take(c)
		}
	}
	return ""
}

func (s *search) take(c candidate) {
	n := &s.nodes[c.node]
	n.sets = append(n.sets, c.set)
	for _, a := range n.gives {
		s.act(a, c.set)
	}
	for _, j := range n.joined {
		for _, other := range s.nodes[j.other].sets {
			s.offer(j.both, c.set.union(other))
		}
	}
}

// act uses an action after what a set of actions has given. One that is in the set has given its gains there.
func (s *search) act(action int, needs set) {
	if needs.has(action) {
		return
	}
	all := needs.with(action)
	for f := range s.p.actions[action].post.all {
		s.offer(f, all)
	}
}

func (s *search) offer(to int, set set) {
	n := &s.nodes[to]
	if n.seen == nil {
		n.seen = map[string]bool{}
	}
	key := string(set.key(make([]byte, 0, 8*s.words)))
	s.work += s.words
	if n.ahead == math.MaxInt64 || n.seen[key] || s.superfluous(to, set) {
		return
	}
	n.seen[key] = true
	s.made++
	s.memory += 3*s.words + 24 // about: the set, its key, its places in the map and the heap
	cost, actions := n.ahead, 0
	for a := range set.all {
		cost += s.cost[a]
		actions++
	}
	heap.Push(&s.queue, candidate{to, set, cost, actions, s.made})
}

// superfluous says whether less than the set is known to be enough.
func (s *search) superfluous(at int, set set) bool {
	for i, known := range s.nodes[at].sets {
		if known.within(set) {
			s.work += i
			return true
		}
	}
	s.work += len(s.nodes[at].sets)
	return false
}

// candidates is a heap: the likeliest first, then fewest actions.
type candidates []candidate

func (c candidates) Len() int      { return len(c) }
func (c candidates) Swap(i, j int) { c[i], c[j] = c[j], c[i] }
func (c *candidates) Push(x any)   { *c = append(*c, x.(candidate)) }

func (c candidates) Less(i, j int) bool {
	a, b := &c[i], &c[j]
	switch {
	case a.cost != b.cost:
		return a.cost < b.cost
	case a.actions != b.actions:
		return a.actions < b.actions
	}
	return a.n < b.n
}

func (c *candidates) Pop() any {
	old := *c
	last := old[len(old)-1]
	old[len(old)-1] = candidate{}
	*c = old[:len(old)-1]
	return last
}

// somePath is one minimal path, for where the search ended without any: actions are taken away, the unlikeliest first, as
// long as the goal can be reached.
func somePath(p *problem) []int {
	in := make([]bool, len(p.actions))
	order := make([]int, len(p.actions))
	for i := range in {
		in[i], order[i] = true, i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p.actions[a].p.hi, p.actions[b].p.hi) })
	for _, a := range order {
		in[a] = false
		if !p.closure(func(i int) bool { return in[i] }, -1).has(p.goal) {
			in[a] = true
		}
	}
	var path []int
	for i, kept := range in {
		if kept {
			path = append(path, i)
		}
	}
	return path
}
