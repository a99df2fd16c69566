package graph

// parts are the strongly connected parts of the facts over edges without detours, needs first (Tarjan).
func (v *view) parts() [][]int32 {
	t := tarjan{view: v, useful: v.detourless(), low: make([]int32, v.facts), number: make([]int32, v.facts), in: newBitset(v.facts)}
	for f := range int32(v.facts) {
		if t.number[f] == 0 {
			t.walk(f)
		}
	}
	return t.found
}

type tarjan struct {
	*view
	useful      bitset
	number, low []int32
	in          bitset // facts on the stack
	stack       []int32
	frames      []frame
	entered     int32
	found       [][]int32
}

// frame is a fact whose needs are being walked: which edge, which of its needs comes next.
type frame struct{ fact, edge, need int32 }

func (t *tarjan) walk(root int32) {
	t.enter(root)
	for len(t.frames) > 0 {
		top := &t.frames[len(t.frames)-1]
		f := top.fact
		x, ok := t.next(top)
		switch {
		case !ok:
			t.leave(f)
		case t.number[x] == 0:
			t.enter(x)
		case t.in.has(x):
			t.low[f] = min(t.low[f], t.number[x])
		}
	}
}

func (t *tarjan) enter(f int32) {
	t.entered++
	t.number[f], t.low[f] = t.entered, t.entered
	t.stack = append(t.stack, f)
	t.in.add(f)
	t.frames = append(t.frames, frame{fact: f})
}

func (t *tarjan) next(top *frame) (int32, bool) {
	row := t.givers.of(top.fact)
	for int(top.edge) < len(row) {
		pre := t.pre.of(row[top.edge])
		if t.useful.has(row[top.edge]) && int(top.need) < len(pre) {
			top.need++
			return pre[top.need-1], true
		}
		top.edge, top.need = top.edge+1, 0
	}
	return 0, false
}

func (t *tarjan) leave(f int32) {
	t.frames = t.frames[:len(t.frames)-1]
	if n := len(t.frames); n > 0 {
		up := t.frames[n-1].fact
		t.low[up] = min(t.low[up], t.low[f])
	}
	if t.low[f] != t.number[f] {
		return
	}
	for i := len(t.stack) - 1; ; i-- {
		t.in.drop(t.stack[i])
		if t.stack[i] == f {
			part := append([]int32(nil), t.stack[i:]...)
			t.stack = t.stack[:i]
			t.found = append(t.found, part)
			return
		}
	}
}
