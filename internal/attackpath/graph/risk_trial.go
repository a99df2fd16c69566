package graph

import "slices"

// toss decides 64 samples.
func (r *risk) toss(seed uint64, block int) {
	r.tosses.block(seed, block)
	for e := range int32(len(r.net.post)) {
		if r.net.orig[e] < 0 {
			r.works[e], r.single[e] = ^uint64(0), 0 // a goal's own end
			continue
		}
		works, mixed := uint64(0), uint64(0)
		from, to := r.shown.start[e], r.shown.start[e+1]
		for i := from; i < to; i++ {
			r.out[i] = r.tosses.action(r.shown.data[i])
			for j := from; j < i; j++ {
				if r.labels[j] != r.labels[i] {
					mixed |= r.out[j] & r.out[i]
				}
			}
			if works |= r.out[i]; r.labels[i] < 0 {
				mixed |= r.out[i]
			}
		}
		r.works[e], r.single[e] = works, works&^mixed
	}
}

// label is the finding without which an edge would not work in the sample; -1 for none.
func (r *risk) label(e int32) int32 {
	if r.single[e]&r.bit == 0 {
		return -1
	}
	for i := r.shown.start[e]; ; i++ {
		if r.out[i]&r.bit != 0 {
			return r.labels[i]
		}
	}
}

// trial works one of the 64 samples out: what holds in it, what each of that is first supposed to need, corrected until it is
// right, and what the goals then owe to which finding.
func (r *risk) trial(i int) {
	r.bit = 1 << i
	r.spread()
	r.suppose()
	for r.correct() {
	}
	r.count()
}

// spread finds what holds.
func (r *risk) spread() {
	for x := range r.giver {
		r.giver[x] = -1
	}
	r.order = r.order[:0]
	for _, e := range r.net.free {
		r.give(e)
	}
	for at := 0; at < len(r.order); at++ {
		for _, e := range r.net.needers.of(r.order[at]) {
			if r.giver[r.net.post[e]] < 0 && r.holds(e) {
				r.give(e)
			}
		}
	}
}

func (r *risk) give(e int32) {
	x := r.net.post[e]
	if r.giver[x] < 0 && r.works[e]&r.bit != 0 {
		r.giver[x] = e
		r.order = append(r.order, x)
	}
}

func (r *risk) holds(e int32) bool {
	if r.works[e]&r.bit == 0 {
		return false
	}
	for _, x := range r.net.pre.of(e) {
		if r.giver[x] < 0 {
			return false
		}
	}
	return true
}

// suppose gives every node the labels of one derivation: whatever all need is among them.
func (r *risk) suppose() {
	r.arena = r.arena[:0]
	for _, x := range r.order {
		e := r.giver[x]
		r.merged = r.merged[:0]
		for _, need := range r.net.pre.of(e) {
			r.merged = append(r.merged, r.list(need)...)
		}
		if l := r.label(e); l >= 0 {
			r.merged = append(r.merged, l)
		}
		slices.Sort(r.merged)
		r.merged = slices.Compact(r.merged)
		from := int32(len(r.arena))
		r.arena = append(r.arena, r.merged...)
		r.must[x] = span{from, int32(len(r.arena))}
	}
}

func (r *risk) list(x int32) []int32 { return r.arena[r.must[x].from:r.must[x].to] }

// correct drops labels that some edge can do without, given what its needs need; false when there was none. What is left in
// the end is the greatest solution below the first one, which is what all derivations need.
func (r *risk) correct() bool {
	changed := false
	for _, x := range r.order {
		if r.must[x].from == r.must[x].to {
			continue
		}
		givers := r.net.givers.of(x)
		if len(givers) == 1 {
			changed = r.keep(x, givers[0]) || changed
			continue
		}
		for _, e := range givers {
			if r.holds(e) {
				changed = r.keep(x, e) || changed
			}
		}
	}
	return changed
}

// keep drops what an edge does not need from the labels of the node that it gives.
func (r *risk) keep(x, e int32) bool {
	s := r.must[x]
	to := s.from
	own := r.label(e)
	for _, l := range r.arena[s.from:s.to] {
		if l == own || slices.ContainsFunc(r.net.pre.of(e), func(need int32) bool { return contains(r.list(need), l) }) {
			r.arena[to] = l
			to++
		}
	}
	r.must[x].to = to
	return to < s.to
}

// count adds up what each label would take away.
func (r *risk) count() {
	fallen := 0.0
	r.merged = r.merged[:0]
	for i, x := range r.net.ends {
		if r.giver[x] < 0 {
			continue
		}
		fallen += r.weight[i]
		for _, l := range r.list(x) {
			if r.amount[l] == 0 {
				r.merged = append(r.merged, l)
			}
			r.amount[l] += r.weight[i]
		}
	}
	for _, l := range r.merged {
		if r.amount[l] != 0 { // a weight of 0 would list it twice
			r.drop[l].add(r.amount[l])
			r.amount[l] = 0
		}
	}
	r.total.add(fallen)
}
