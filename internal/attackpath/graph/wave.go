package graph

import "context"

// wave works out what holds in 64 cases at once: bit i of a word is case i. Cases differ by which edges work in them.
type wave struct {
	*view
	edges   bitset   // that are looked at
	holds   []uint64 // by fact
	queue   []int32
	waiting bitset
}

func newWave(v *view, edges bitset) *wave {
	return &wave{view: v, edges: edges, holds: make([]uint64, v.facts), waiting: newBitset(v.facts)}
}

// run starts from nothing. works tells in which cases an edge works; it is only asked when some have all its needs.
func (w *wave) run(ctx context.Context, cases uint64, works func(e int32) uint64) error {
	if err := ctx.Err(); err != nil { // a wave may be too short to come to the question below
		return err
	}
	clear(w.holds)
	w.queue = w.queue[:0]
	for _, f := range w.start {
		if w.begins(f) {
			w.gain(f, cases)
		}
	}
	for _, e := range w.free {
		if w.edges.has(e) && w.view.works(e) {
			w.gain(w.post[e], cases&works(e))
		}
	}
	for at := 0; at < len(w.queue); at++ {
		if at&0xfff == 0xfff {
			if err := ctx.Err(); err != nil {
				clear(w.waiting)
				return err
			}
			w.queue, at = append(w.queue[:0], w.queue[at:]...), 0
		}
		f := w.queue[at]
		w.waiting.drop(f)
		for _, e := range w.needers.of(f) {
			w.pass(e, works)
		}
	}
	return nil
}

func (w *wave) pass(e int32, works func(e int32) uint64) {
	if !w.edges.has(e) || !w.view.works(e) {
		return
	}
	got := ^w.holds[w.post[e]]
	for _, f := range w.pre.of(e) {
		got &= w.holds[f]
	}
	if got != 0 {
		w.gain(w.post[e], got&works(e))
	}
}

func (w *wave) gain(f int32, in uint64) {
	if in &^= w.holds[f]; in == 0 {
		return
	}
	w.holds[f] |= in
	if !w.waiting.has(f) {
		w.waiting.add(f)
		w.queue = append(w.queue, f)
	}
}

// relevant are the edges that derivations of goals can use, without detours.
func (v *view) relevant(goals []int32) bitset {
	useful := v.detourless()
	had := v.reached()
	edges, facts := newBitset(len(v.post)), newBitset(v.facts)
	var queue []int32
	want := func(f int32) {
		if !facts.has(f) && !v.begins(f) && had.has(f) {
			facts.add(f)
			queue = append(queue, f)
		}
	}
	for _, f := range goals {
		want(f)
	}
	for len(queue) > 0 {
		f := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, e := range v.givers.of(f) {
			if useful.has(e) && v.works(e) && all(v.pre.of(e), had) {
				edges.add(e)
				for _, need := range v.pre.of(e) {
					want(need)
				}
			}
		}
	}
	return edges
}
