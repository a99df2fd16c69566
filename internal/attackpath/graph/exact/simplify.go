package exact

// simplify joins actions without changing the chance of the goal, until nothing more can be joined. What always works and
// alone gives something is the same as what it needs; ways that differ in nothing are one way of more chance; two actions in
// a row that nothing else uses are one of less.
func simplify(p *problem) *problem {
	q := &problem{actions: append([]rule(nil), p.actions...), nFacts: p.nFacts, goal: p.goal}
	for again := true; again; {
		again = q.fire() || q.joinAlike() || q.joinRows()
		if again && !q.solved() {
			q.trim()
		}
	}
	return q
}

// solved says whether some action always gives the goal.
func (p *problem) solved() bool {
	for _, r := range p.actions {
		if r.pre.empty() && r.p == one && r.post.has(p.goal) {
			return true
		}
	}
	return false
}

// fire uses an action that always works and needs nothing: its gains hold from the beginning.
func (p *problem) fire() bool {
	for i, r := range p.actions {
		if !r.pre.empty() || r.p != one || r.post.has(p.goal) {
			continue
		}
		p.drop(i)
		for j := range p.actions {
			a := &p.actions[j]
			a.pre, a.post = a.pre.minus(r.post), a.post.minus(r.post)
		}
		p.dropIdle()
		return true
	}
	return false
}

func (p *problem) drop(i int) { p.actions = append(p.actions[:i:i], p.actions[i+1:]...) }

// dropIdle drops what gives nothing, or nothing that it does not need.
func (p *problem) dropIdle() {
	kept := p.actions[:0:0]
	for _, r := range p.actions {
		if r.post = r.post.minus(r.pre); !r.post.empty() {
			kept = append(kept, r)
		}
	}
	p.actions = kept
}

// joinAlike makes one of two actions of the same needs and gains, and drops one that can do nothing that a sure one does
// not.
func (p *problem) joinAlike() bool {
	gone := make([]bool, len(p.actions))
	for i := range p.actions {
		for j := range p.actions {
			if i != j && !gone[i] && !gone[j] {
				gone[j] = p.actions[i].absorbs(p.actions[j])
			}
		}
	}
	kept := p.actions[:0:0]
	for i, r := range p.actions {
		if !gone[i] {
			kept = append(kept, r)
		}
	}
	changed := len(kept) < len(p.actions)
	p.actions = kept
	return changed
}

// absorbs takes another action's part, where it can.
func (r *rule) absorbs(o rule) bool {
	switch {
	case r.p == one && r.pre.within(o.pre) && o.post.within(r.post):
		return true
	case r.pre.equal(o.pre) && r.post.equal(o.post):
		r.p = r.p.rest().times(o.p.rest()).rest()
		return true
	}
	return false
}

// joinRows does away with a fact that one action alone gives or uses.
func (p *problem) joinRows() bool {
	for f := range p.gains().all {
		if f == p.goal {
			continue
		}
		givers, users := p.around(f)
		switch {
		case len(givers) == 1 && p.onlyGives(givers[0], f) && (len(users) == 1 || p.actions[givers[0]].p == one):
			p.pull(givers[0], users, f)
			return true
		case len(users) == 1 && p.actions[users[0]].p == one && p.actions[users[0]].pre.size() == 1:
			p.push(givers, users[0], f)
			return true
		}
	}
	return false
}

func (p *problem) around(f int) (givers, users []int) {
	for i, r := range p.actions {
		if r.post.has(f) {
			givers = append(givers, i)
		}
		if r.pre.has(f) {
			users = append(users, i)
		}
	}
	return givers, users
}

func (p *problem) onlyGives(action, f int) bool {
	return p.actions[action].post.size() == 1 && p.actions[action].post.has(f)
}

// pull lets the users of a fact need what its only giver needs.
func (p *problem) pull(giver int, users []int, f int) {
	g := p.actions[giver]
	for _, u := range users {
		r := &p.actions[u]
		r.pre, r.p = r.pre.without(f).union(g.pre), r.p.times(g.p)
	}
	p.drop(giver)
	p.dropIdle()
}

// push lets the givers of a fact give what its only user, which always works, makes of it.
func (p *problem) push(givers []int, user, f int) {
	gain := p.actions[user].post
	for _, g := range givers {
		r := &p.actions[g]
		r.post = r.post.without(f).union(gain)
	}
	p.drop(user)
	p.dropIdle()
}

func (s set) minus(t set) set {
	u := make(set, len(s))
	for i := range s {
		u[i] = s[i] &^ t[i]
	}
	return u
}
