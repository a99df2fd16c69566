package exact

// problem is what of a case matters to one goal, by number: actions that can be tried and lead on, in the order of the
// file; facts that do not hold from the beginning. Sets of facts have nFacts bits.
type problem struct {
	actions []rule
	nFacts  int
	goal    int
	fixes   []string // in the order in which they are named
}

// rule is an action of a problem.
type rule struct {
	from int // index in Case.Actions
	pre  set
	post set
	p    double
	fix  []int
}

// answered is a goal that needs no calculation.
type answered int

const (
	open answered = iota
	atOnce
	never
)

// forGoal restricts a case to a goal.
func forGoal(c Case, goal string) (*problem, answered) {
	start := make(map[string]bool, len(c.Init))
	for _, f := range c.Init {
		start[f] = true
	}
	if start[goal] {
		return nil, atOnce
	}
	p := number(c, start, goal)
	if p == nil || !p.trim() {
		return nil, never
	}
	return p, open
}

// number makes numbers of names: of facts that must be gained and lie on a way to the goal. It returns nil where nothing
// gives the goal.
func number(c Case, start map[string]bool, goal string) *problem {
	ways := lead(c, start, goal)
	p := &problem{goal: -1}
	facts, fixes := map[string]int{}, map[string]int{}
	for _, i := range ways {
		for _, f := range c.Actions[i].Post {
			if _, known := facts[f]; !known && !start[f] {
				facts[f] = len(facts)
			}
		}
	}
	p.nFacts = len(facts)
	if g, ok := facts[goal]; ok {
		p.goal = g
	}
	for _, i := range ways {
		a := c.Actions[i]
		r := rule{from: i, pre: numbers(a.Pre, facts), post: numbers(a.Post, facts), p: decimal(a.P)}
		for _, name := range distinct(a.Fix) {
			n, known := fixes[name]
			if !known {
				n = len(p.fixes)
				fixes[name] = n
				p.fixes = append(p.fixes, name)
			}
			r.fix = append(r.fix, n)
		}
		p.actions = append(p.actions, r)
	}
	if p.goal < 0 {
		return nil
	}
	return p
}

// numbers is the set of those facts that have a number; the others hold from the beginning, or nobody needs them.
func numbers(names []string, facts map[string]int) set {
	s := newSet(len(facts))
	for _, f := range names {
		if n, ok := facts[f]; ok {
			s.add(n)
		}
	}
	return s
}

// lead returns the actions that can be tried and whose gains are needed on a way to the goal, ascending. It takes time in
// proportion to the case, so that what is large and beside the point costs little.
func lead(c Case, start map[string]bool, goal string) []int {
	users, givers := map[string][]int{}, map[string][]int{}
	missing := make([]int, len(c.Actions))
	var ready []int
	for i, a := range c.Actions {
		for _, f := range distinct(a.Pre) {
			if !start[f] {
				users[f] = append(users[f], i)
				missing[i]++
			}
		}
		if missing[i] == 0 {
			ready = append(ready, i)
		}
	}
	held := map[string]bool{}
	for len(ready) > 0 {
		i := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		if c.Actions[i].P == 0 {
			continue
		}
		for _, f := range c.Actions[i].Post {
			givers[f] = append(givers[f], i)
			if held[f] {
				continue
			}
			held[f] = true
			for _, u := range users[f] {
				if missing[u]--; missing[u] == 0 {
					ready = append(ready, u)
				}
			}
		}
	}
	return backFrom(c, start, goal, givers)
}

func backFrom(c Case, start map[string]bool, goal string, givers map[string][]int) []int {
	useful, needed := make([]bool, len(c.Actions)), map[string]bool{goal: true}
	for open := []string{goal}; len(open) > 0; {
		f := open[len(open)-1]
		open = open[:len(open)-1]
		for _, i := range givers[f] {
			useful[i] = true
			for _, pre := range c.Actions[i].Pre {
				if !needed[pre] && !start[pre] {
					needed[pre] = true
					open = append(open, pre)
				}
			}
		}
	}
	var ways []int
	for i, u := range useful {
		if u {
			ways = append(ways, i)
		}
	}
	return ways
}

// thorough is how many facts times actions backSteps looks through.
const thorough = 4_000_000

// trim takes away what no path to the goal can use, until nothing more goes. It returns false where there is no path.
func (p *problem) trim() bool {
	for {
		before := p.weight()
		if !p.closure(nil, -1).has(p.goal) {
			return false
		}
		p.keepUseful(p.closure(nil, -1))
		if p.nFacts*len(p.actions) <= thorough {
			p.dropBackSteps()
		}
		if p.weight() == before {
			return true
		}
	}
}

func (p *problem) weight() int {
	n := len(p.actions)
	for _, r := range p.actions {
		n += r.post.size()
	}
	return n
}

// keepUseful keeps actions that can be tried and give something that is needed on the way to the goal.
func (p *problem) keepUseful(reached set) {
	needed := newSet(p.nFacts)
	needed.add(p.goal)
	useful := make([]bool, len(p.actions))
	for again := true; again; {
		again = false
		for i, r := range p.actions {
			if !useful[i] && r.pre.within(reached) && !r.pre.has(p.goal) && r.post.meets(needed) {
				useful[i], again = true, true
				needed.addAll(r.pre)
			}
		}
	}
	kept := p.actions[:0:0]
	for i, r := range p.actions {
		if !useful[i] {
			continue
		}
		r.post = r.post.clone()
		r.post.keep(needed)
		for f := range r.pre.all { // what an action needs it need not give
			r.post.remove(f)
		}
		if !r.post.empty() {
			kept = append(kept, r)
		}
	}
	p.actions = kept
}

// dropBackSteps drops a gain where the action can only be tried by whoever has it already: no minimal path goes there.
func (p *problem) dropBackSteps() {
	for f := range p.gains().all {
		reached := p.closure(nil, f)
		for i, r := range p.actions {
			if r.post.has(f) && !r.pre.within(reached) {
				p.actions[i].post = r.post.without(f)
			}
		}
	}
}

func (p *problem) gains() set {
	all := newSet(p.nFacts)
	for _, r := range p.actions {
		all.addAll(r.post)
	}
	return all
}

// closure is what can be gained by the actions that alive allows (nil: all), without ever having the fact banned (-1: none).
func (p *problem) closure(alive func(int) bool, banned int) set {
	reached := newSet(p.nFacts)
	done := make([]bool, len(p.actions))
	for again := true; again; {
		again = false
		for i, r := range p.actions {
			if done[i] || !r.pre.within(reached) {
				continue
			}
			done[i] = true
			if alive != nil && !alive(i) {
				continue
			}
			if !r.post.within(reached) {
				reached.addAll(r.post)
				again = true
			}
			if banned >= 0 {
				reached.remove(banned)
			}
		}
	}
	return reached
}

// inOrder lists a set of actions so that each comes after those that give what it needs: always the first of the file that
// can be tried.
func (p *problem) inOrder(actions []int) []int {
	reached := newSet(p.nFacts)
	left := append([]int(nil), actions...)
	var order []int
	for len(left) > 0 {
		at := 0
		for at < len(left) && !p.actions[left[at]].pre.within(reached) {
			at++
		}
		if at == len(left) {
			break // not a derivation
		}
		reached.addAll(p.actions[left[at]].post)
		order = append(order, left[at])
		left = append(left[:at], left[at+1:]...)
	}
	return order
}
