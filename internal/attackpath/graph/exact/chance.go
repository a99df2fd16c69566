package exact

import (
	"cmp"
	"context"
	"slices"
)

// bounds enclose a chance.
type bounds struct{ low, high double }

func (b *bounds) atLeast(p double) {
	if p.hi > b.low.hi {
		b.low = p
	}
	if b.low.hi > b.high.hi {
		b.high = b.low
	}
}

func (b *bounds) narrow(o bounds) {
	if o.low.hi > b.low.hi {
		b.low = o.low
	}
	if o.high.hi < b.high.hi {
		b.high = o.high
	}
}

// tries are how many situations are looked through, in which order of deciding actions: the right order can make thousands
// of millions, and which it is shows when one tries. Back from the goal is more often the right one.
var tries = []struct {
	most     int
	fromGoal bool
}{{20_000, true}, {20_000, false}, {2_000_000, true}}

// chanceOf works out how likely the goal can be derived: it decides action by action, and takes situations together in
// which the same is left to decide. Where that is too much it returns bounds, and why.
func chanceOf(ctx context.Context, p *problem) (bounds, string) {
	known := bounds{high: one}
	q := simplify(p)
	why := ""
	for _, try := range tries {
		d := newDeciding(q, try.fromGoal)
		var b bounds
		if b, why = d.run(ctx, try.most); why == "" {
			return b, ""
		}
		known.narrow(b)
		if ctx.Err() != nil {
			break
		}
	}
	return known, why
}

// situation is what is left to decide: which facts hold of those that matter, and which actions are undecided. Of sure
// ones it is known already that without them there is no way, and their chance is taken into account.
type situation struct {
	mass             double
	held, left, sure set
}

type deciding struct {
	p      *problem // actions in the order in which they are decided
	always set      // actions of p = 1
	levels [][]situation
	index  []map[string]int
	won    double
	count  int
}

func newDeciding(p *problem, fromGoal bool) *deciding {
	order := p.byDistance()
	if fromGoal {
		order = p.byDepth()
	}
	q := &problem{nFacts: p.nFacts, goal: p.goal}
	for _, i := range order {
		q.actions = append(q.actions, p.actions[i])
	}
	n := len(q.actions)
	d := &deciding{p: q, always: newSet(n), levels: make([][]situation, n+1), index: make([]map[string]int, n+1)}
	for i, r := range q.actions {
		if r.p == one {
			d.always.add(i)
		}
	}
	return d
}

// byDistance orders actions by how soon they can be tried.
func (p *problem) byDistance() []int {
	round := make([]int, len(p.actions))
	reached, n := newSet(p.nFacts), 0
	for again := true; again; n++ {
		again = false
		next := reached.clone()
		for i, r := range p.actions {
			if round[i] == 0 && r.pre.within(reached) {
				round[i], again = n+1, true
				next.addAll(r.post)
			}
		}
		reached = next
	}
	order := make([]int, len(p.actions))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(round[a], round[b]) })
	return order
}

// byDepth orders actions as one comes to them going back from the goal, what is needed for one need before the next.
func (p *problem) byDepth() []int {
	var order []int
	seen, fact := make([]bool, len(p.actions)), make([]bool, p.nFacts)
	var back func(f int)
	back = func(f int) {
		if fact[f] {
			return
		}
		fact[f] = true
		for i, r := range p.actions {
			if seen[i] || !r.post.has(f) {
				continue
			}
			seen[i] = true
			for need := range r.pre.all {
				back(need)
			}
			order = append(order, i)
		}
	}
	back(p.goal)
	return order
}

// run decides until nothing is left or most situations were looked at. Situations with more to decide come first, so that
// all ways to one have come together when its turn comes.
func (d *deciding) run(ctx context.Context, most int) (bounds, string) {
	left := newSet(len(d.p.actions))
	for i := range d.p.actions {
		left.add(i)
	}
	d.put(situation{one, newSet(d.p.nFacts), left, newSet(len(d.p.actions))})
	for level := len(d.levels) - 1; level >= 0; level-- {
		for i, s := range d.levels[level] {
			if d.count++; d.count > most {
				return d.estimate(level, i), "there are too many outcomes to look at"
			}
			if d.count%256 == 0 && ctx.Err() != nil {
				return d.estimate(level, i), "time was up"
			}
			d.decide(s)
		}
		d.levels[level], d.index[level] = nil, nil
	}
	return bounds{d.won, d.won}, ""
}

// decide lets the next action that can be tried work, or not.
func (d *deciding) decide(s situation) {
	next := -1
	for i := range s.left.all {
		if d.p.actions[i].pre.within(s.held) {
			next = i
			break
		}
	}
	r := d.p.actions[next] // put leaves only situations in which one can be tried
	left := s.left.without(next)
	sure := s.sure
	if sure.has(next) {
		sure = sure.without(next)
	}
	d.put(situation{s.mass.times(r.p), s.held.union(r.post), left.clone(), sure.clone()})
	d.put(situation{s.mass.times(r.p.rest()), s.held.clone(), left, sure.clone()})
}

// put files a situation under what is left of it, adding to one that is the same. It owns the sets.
func (d *deciding) put(s situation) {
	switch d.reduce(&s) {
	case atOnce:
		d.won = d.won.plus(s.mass)
		return
	case never:
		return
	}
	level := s.left.size()
	key := string(s.sure.key(s.left.key(s.held.key(make([]byte, 0, 8*(len(s.held)+2*len(s.left)))))))
	if at, known := d.index[level][key]; known {
		same := &d.levels[level][at]
		same.mass = same.mass.plus(s.mass)
		return
	}
	if d.index[level] == nil {
		d.index[level] = map[string]int{}
	}
	d.index[level][key] = len(d.levels[level])
	d.levels[level] = append(d.levels[level], s)
}

// reduce takes out of a situation all that is decided or of no matter any more.
func (d *deciding) reduce(s *situation) answered {
	for {
		d.fire(s)
		if s.held.has(d.p.goal) {
			return atOnce
		}
		if !d.forward(s) {
			return never
		}
		needs := d.backward(s)
		if d.secure(s) {
			continue // something is sure that could be tried
		}
		s.held.keep(needs)
		return open
	}
}

// fire uses what can be tried and works for sure.
func (d *deciding) fire(s *situation) {
	for again := true; again; {
		again = false
		for i := range s.left.all {
			if !d.always.has(i) && !s.sure.has(i) {
				continue
			}
			if r := &d.p.actions[i]; r.pre.within(s.held) {
				s.held.addAll(r.post)
				s.left.remove(i)
				s.sure.remove(i)
				again = true
			}
		}
	}
}

// forward drops what can never be tried and what gives nothing new. It says whether there still is a way.
func (d *deciding) forward(s *situation) bool {
	reached, tried := s.held.clone(), newSet(len(d.p.actions))
	for again := true; again; {
		again = false
		for i := range s.left.all {
			if r := &d.p.actions[i]; !tried.has(i) && r.pre.within(reached) {
				tried.add(i)
				again = true
				reached.addAll(r.post)
			}
		}
	}
	s.left.keep(tried)
	for i := range s.left.all {
		if d.p.actions[i].post.within(s.held) {
			s.left.remove(i)
		}
	}
	return reached.has(d.p.goal)
}

// backward drops what is not on a way to the goal, and returns what the rest needs.
func (d *deciding) backward(s *situation) set {
	useful, needed := newSet(len(d.p.actions)), newSet(d.p.nFacts)
	wanted := newSet(d.p.nFacts) // that are needed and not held
	wanted.add(d.p.goal)
	for again := true; again; {
		again = false
		for i := range s.left.all {
			if r := &d.p.actions[i]; !useful.has(i) && r.post.meets(wanted) {
				useful.add(i)
				again = true
				needed.addAll(r.pre)
				for w := range wanted {
					wanted[w] |= r.pre[w] &^ s.held[w]
				}
			}
		}
	}
	s.left.keep(useful)
	s.sure.keep(useful)
	return needed
}

// secure finds actions without which there is no way, back from the goal: they must work, so their chance is a factor of
// the whole. It says whether one of them can be tried at once.
func (d *deciding) secure(s *situation) bool {
	ready := false
	wanted, looked := newSet(d.p.nFacts), newSet(d.p.nFacts)
	wanted.add(d.p.goal)
	for again := true; again; {
		again = false
		for f := range wanted.all {
			if looked.has(f) || s.held.has(f) {
				continue
			}
			looked.add(f)
			giver := d.onlyGiver(s, f)
			if giver < 0 {
				continue
			}
			r := &d.p.actions[giver]
			if !d.always.has(giver) && !s.sure.has(giver) {
				s.sure.add(giver)
				s.mass = s.mass.times(r.p)
				ready = ready || r.pre.within(s.held)
			}
			wanted.addAll(r.pre)
			again = true
		}
	}
	return ready
}

func (d *deciding) onlyGiver(s *situation, f int) int {
	giver := -1
	for i := range s.left.all {
		if !d.p.actions[i].post.has(f) {
			continue
		}
		if giver >= 0 {
			return -1
		}
		giver = i
	}
	return giver
}

// estimate encloses the chance when the search ended early: situations that were not looked at have bounds of their own,
// as far as they weigh enough to be worth the time.
func (d *deciding) estimate(level, from int) bounds {
	pending := slices.Concat(d.levels[:level]...)
	pending = append(pending, d.levels[level][from:]...)
	slices.SortStableFunc(pending, func(a, b situation) int { return cmp.Compare(b.mass.hi, a.mass.hi) })
	b := bounds{d.won, d.won}
	for i := range pending {
		s, low, high := &pending[i], 0.0, 1.0
		if i < maxEstimates {
			low, high = d.enclose(s)
		}
		b.low = b.low.plus(s.mass.times(double{hi: low}))
		b.high = b.high.plus(s.mass.times(double{hi: high}))
	}
	// What is added up in float64 may be off by its last digits: the bounds must not be.
	b.low.hi, b.high.hi = max(0, b.low.hi*(1-1e-12)), min(1, b.high.hi*(1+1e-12))
	b.low.lo, b.high.lo = 0, 0
	return b
}

// maxEstimates are how many situations have bounds of their own.
const maxEstimates = 50_000

// enclose bounds the chance of a situation. Ways are positively correlated (each is more likely where others work: Harris
// 1960), so needs together are at least as likely as their product and at most as the least of them, and ways together at
// most as if they were independent and at least as the best one.
func (d *deciding) enclose(s *situation) (low, high float64) {
	lows, highs := make([]float64, d.p.nFacts), make([]float64, d.p.nFacts)
	for f := range highs {
		highs[f] = 1
		if s.held.has(f) {
			lows[f] = 1
		}
	}
	const rounds = 8 // each is true, later ones are tighter
	for range rounds {
		d.lift(s, lows)
		d.press(s, highs)
	}
	return lows[d.p.goal], highs[d.p.goal]
}

func (d *deciding) chanceIn(s *situation, i int) float64 {
	if s.sure.has(i) {
		return 1
	}
	return d.p.actions[i].p.hi
}

func (d *deciding) lift(s *situation, lows []float64) {
	for i := range s.left.all {
		r := &d.p.actions[i]
		p := d.chanceIn(s, i)
		for f := range r.pre.all {
			p *= lows[f]
		}
		for f := range r.post.all {
			lows[f] = max(lows[f], p)
		}
	}
}

func (d *deciding) press(s *situation, highs []float64) {
	none := make([]float64, len(highs)) // that no way works
	for f := range none {
		none[f] = 1
	}
	for i := range s.left.all {
		r := &d.p.actions[i]
		least := 1.0
		for f := range r.pre.all {
			least = min(least, highs[f])
		}
		for f := range r.post.all {
			none[f] *= 1 - d.chanceIn(s, i)*least
		}
	}
	for f := range none {
		if !s.held.has(f) {
			highs[f] = min(highs[f], 1-none[f])
		}
	}
}
