package graph

import (
	"math"
	"slices"
	"sync"

	"github.com/patchscout/patchscout/internal/attackpath"
)

// view is an index with some things taken away: only the costs of edges are its own.
type view struct {
	*index
	removal attackpath.Removal
	cost    []float64 // of the likeliest member that is left; +Inf where none is
	gone    bitset    // actions; nil when nothing is taken away
	dead    bitset    // facts that cannot hold, being on a host that was taken away; nil for none

	sums   lazy[derivations]
	maxima lazy[derivations]
	sorted lazy[rows]
	closed lazy[bitset]
	nets   [3]lazy[*cutNet]
}

// views keeps the last ones, since the same what-if is asked for every jewel.
type views struct {
	mu   sync.Mutex
	kept []*view
}

const keptViews = 3

func (ix *index) without(r attackpath.Removal) *view {
	ix.views.mu.Lock()
	defer ix.views.mu.Unlock()
	for i, v := range ix.views.kept {
		if sameRemoval(v.removal, r) {
			copy(ix.views.kept[1:i+1], ix.views.kept[:i])
			ix.views.kept[0] = v
			return v
		}
	}
	v := ix.newView(r)
	ix.views.kept = slices.Insert(ix.views.kept, 0, v)
	ix.views.kept = ix.views.kept[:min(len(ix.views.kept), keptViews)]
	return v
}

func sameRemoval(a, b attackpath.Removal) bool {
	return slices.Equal(a.Findings, b.Findings) && slices.Equal(a.Weaknesses, b.Weaknesses) &&
		slices.Equal(a.Hosts, b.Hosts) && slices.Equal(a.Actions, b.Actions)
}

func cloneRemoval(r attackpath.Removal) attackpath.Removal {
	return attackpath.Removal{Findings: slices.Clone(r.Findings), Weaknesses: slices.Clone(r.Weaknesses),
		Hosts: slices.Clone(r.Hosts), Actions: slices.Clone(r.Actions)}
}

func (ix *index) newView(r attackpath.Removal) *view {
	v := &view{index: ix, removal: cloneRemoval(r), cost: ix.cost}
	if sameRemoval(r, attackpath.Removal{}) {
		return v
	}
	v.cost, v.gone = slices.Clone(ix.cost), newBitset(len(ix.p))
	for _, a := range r.Actions {
		if a >= 0 && int(a) < len(ix.p) {
			v.remove(a)
		}
	}
	v.removeLabelled(r)
	v.removeHosts(r.Hosts)
	return v
}

func (v *view) remove(a int32) {
	e := v.edge[a]
	if e < 0 || v.gone.has(a) {
		return
	}
	v.gone.add(a)
	if !math.IsInf(v.cost[e], 1) {
		if m, ok := v.first(e); ok {
			v.cost[e] = math.Abs(math.Log(v.p[m]))
		} else {
			v.cost[e] = math.Inf(1)
		}
	}
}

func (v *view) removeLabelled(r attackpath.Removal) {
	if len(r.Findings) == 0 && len(r.Weaknesses) == 0 {
		return
	}
	findings := map[int64]bool{}
	for _, f := range r.Findings {
		findings[f] = f != 0
	}
	weak := make([]bool, len(v.names))
	for i, name := range v.names {
		weak[i] = slices.Contains(r.Weaknesses, name)
	}
	for a := range v.p {
		if w := v.weakness[a]; w >= 0 && weak[w] || len(findings) > 0 && findings[v.finding[a]] {
			v.remove(int32(a))
		}
	}
}

func (v *view) removeHosts(hosts []int64) {
	if len(hosts) == 0 {
		return
	}
	off := map[int64]bool{}
	for _, h := range hosts {
		off[h] = h != 0
	}
	v.dead = newBitset(v.facts)
	for f, h := range v.hostOf {
		if off[h] {
			v.dead.add(int32(f))
		}
	}
	for e, h := range v.host {
		if off[h] || v.dead.has(v.post[e]) || slices.ContainsFunc(v.pre.of(int32(e)), v.dead.has) {
			v.cost[e] = math.Inf(1)
		}
	}
}

// first is the likeliest member of an edge that is left.
func (v *view) first(e int32) (int32, bool) {
	for _, a := range v.members.of(e) {
		if v.gone == nil || !v.gone.has(a) {
			return a, true
		}
	}
	return -1, false
}

// left are the members of an edge that are left, likeliest first.
func (v *view) left(e int32) []int32 {
	all := v.members.of(e)
	if v.gone == nil {
		return all
	}
	list := make([]int32, 0, len(all))
	for _, a := range all {
		if !v.gone.has(a) {
			list = append(list, a)
		}
	}
	return list
}

// works tells whether an edge has a member that is left.
func (v *view) works(e int32) bool { return !math.IsInf(v.cost[e], 1) }

// begins tells whether a fact holds from the beginning.
func (v *view) begins(f int32) bool { return v.starts.has(f) && (v.dead == nil || !v.dead.has(f)) }
