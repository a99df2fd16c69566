package graph

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/patchscout/patchscout/internal/attackpath"
)

// Limits of one question for paths. An answer that met one says so.
const (
	freePops = 50_000  // states taken before those that lead over the same hosts to the same needs are dropped
	maxPops  = 100_000 // states taken in all
)

// Paths returns the best paths to a fact, the likeliest first, distinct by the hosts that they lead over. Steps of published
// networks, which have no hosts, count like hosts.
//
// It searches backward from the goal. A state is a derivation from its end: facts that have their edge, and facts that are
// still open. The first open fact gets an edge; its edges are tried in the order of their cost and that of their needs, and
// only when one is taken from the heap, the next one is put there (Lawler). What open facts cost at least is known exactly
// from the forward search, so that without detours every state taken is part of an answer.
func (g *Graph) Paths(ctx context.Context, q attackpath.Question) (attackpath.Found, error) {
	v := g.view(q.Without)
	if err := v.known(q.To); err != nil {
		return attackpath.Found{}, fmt.Errorf("attack paths: %w", err)
	}
	if !q.Direct {
		return v.paths(ctx, int32(q.To), max(q.K, 1), maxPops), nil
	}
	found := v.paths(ctx, int32(q.To), lookedAt*max(q.K, 1), maxPops)
	found.Paths = direct(found.Paths)
	found.Paths = found.Paths[:min(len(found.Paths), max(q.K, 1))]
	return found, nil
}

// lookedAt is among how many times as many paths the direct ones are looked for. To look on until there are enough would be to
// walk through all detours of an estate in which everybody reaches everybody.
const lookedAt = 3

// direct leaves out paths that lead over all hosts of a likelier one.
func direct(likeliest []attackpath.Path) (kept []attackpath.Path) {
	for _, p := range likeliest {
		if !slices.ContainsFunc(kept, func(likelier attackpath.Path) bool { return detours(p, likelier) }) {
			kept = append(kept, p)
		}
	}
	return kept
}

func detours(p, likelier attackpath.Path) bool {
	return len(likelier.Hosts) > 0 && !slices.ContainsFunc(likelier.Hosts, func(h int64) bool { return !slices.Contains(p.Hosts, h) })
}

// paths takes at most so many states.
func (v *view) paths(ctx context.Context, to int32, k, pops int) attackpath.Found {
	least := v.least()
	switch {
	case v.begins(to):
		return attackpath.Found{Paths: []attackpath.Path{{P: 1}}, Complete: true}
	case math.IsInf(least.cost[to], 1):
		return attackpath.Found{Complete: true}
	case k == 1 && v.wide == 0:
		return attackpath.Found{Paths: []attackpath.Path{v.path(v.walk(to, least.giver))}, Complete: true}
	}
	s := &search{view: v, least: least.cost, rows: v.inOrder(), to: to, k: k, pops: pops, seen: map[string]bool{}}
	s.try(state{parent: -1}, to, 0)
	s.run(ctx)
	if !s.found.Complete && len(s.found.Paths) < k {
		s.makeDo(ctx)
	}
	return s.found
}

// inOrder are the edges that give each fact and can be used, those first that cost least with their needs.
func (v *view) inOrder() rows {
	return v.sorted.get(func() rows {
		least, useful := v.least().cost, v.detourless()
		key := make([]float64, len(v.post))
		r := rows{start: make([]int32, 1, v.facts+1), data: make([]int32, 0, len(v.givers.data))}
		for f := range int32(v.facts) {
			from := len(r.data)
			for _, e := range v.givers.of(f) {
				if !useful.has(e) {
					continue
				}
				if key[e] = v.cost[e] + dearest(v.pre.of(e), least); !math.IsInf(key[e], 1) {
					r.data = append(r.data, e)
				}
			}
			slices.SortFunc(r.data[from:], func(a, b int32) int {
				switch {
				case key[a] < key[b]:
					return -1
				case key[a] > key[b]:
					return 1
				}
				return int(a) - int(b)
			})
			r.start = append(r.start, int32(len(r.data)))
		}
		return r
	})
}

func dearest(facts []int32, cost []float64) float64 {
	c := 0.0
	for _, f := range facts {
		c = max(c, cost[f])
	}
	return c
}

// state is the choice of one edge, after the choices of its parents.
type state struct {
	parent int32
	edge   int32
	at     int32   // place of the edge among those that give its fact
	rest   span    // other open facts
	before float64 // what the choices of the parents cost
	hosts  uint64  // hash of the hosts up to and with this edge
	wide   bool    // an edge up to this one has several needs
	whole  bool    // nothing is open, and its place in the heap is its cost
}

type span struct{ from, to int32 }

type search struct {
	*view
	least  []float64
	rows   rows
	k      int
	pops   int
	to     int32
	states []state
	open   []int32 // spans of states
	heap   heap
	chosen choices // of the state at hand
	need   []int32
	seen   map[string]bool // hosts of the paths found
	met    map[uint64]bool // open facts and hosts of states, once too many were taken
	found  attackpath.Found
}

func (s *search) run(ctx context.Context) {
	s.found.Complete = true
	for pops := 1; len(s.heap) > 0 && len(s.found.Paths) < s.k; pops++ {
		switch {
		case pops == freePops:
			s.met = map[uint64]bool{}
			s.incomplete("very many ways lead over the same hosts; detours among them were left out")
		case pops > s.pops:
			s.incomplete(fmt.Sprintf("the search was ended after %d steps", s.pops))
			return
		case pops&1023 == 0 && ctx.Err() != nil:
			s.incomplete("time ran out")
			return
		}
		s.take(s.heap.pop())
	}
}

// makeDo adds what is known without a search: the best derivation tree, and the best ones without an edge of it.
func (s *search) makeDo(ctx context.Context) {
	tree := s.walk(s.to, s.best().giver)
	s.add(tree)
	cost := slices.Clone(s.cost)
	for _, e := range tree {
		if len(s.found.Paths) >= s.k || ctx.Err() != nil {
			break
		}
		cost[e] = math.Inf(1)
		if d := s.derive(cost, false); !math.IsInf(d.cost[s.to], 1) {
			s.add(s.walk(s.to, d.giver))
		}
		cost[e] = s.cost[e]
	}
	slices.SortStableFunc(s.found.Paths, func(a, b attackpath.Path) int { return cmp.Compare(b.P, a.P) })
}

func (s *search) incomplete(why string) { s.found.Complete, s.found.Why = false, why }

// take goes on from a state: with its next sibling, and with the first edge of the next open fact.
func (s *search) take(at entry) {
	id := at.id
	x := s.states[id]
	s.chosen.fill(s, x.parent)
	if x.whole {
		s.chosen.set(s.post[x.edge], x.edge)
		s.finish()
		return
	}
	s.sibling(x)
	s.chosen.set(s.post[x.edge], x.edge)

	s.need = append(s.need[:0], s.open[x.rest.from:x.rest.to]...)
	for _, f := range s.pre.of(x.edge) {
		if !s.begins(f) && s.chosen.of(f) < 0 && !slices.Contains(s.need, f) {
			s.need = append(s.need, f)
		}
	}
	if cost := x.before + s.cost[x.edge]; len(s.need) == 0 {
		if cost <= at.cost+1e-12 {
			s.finish()
			return
		}
		s.states[id].whole = true
		s.heap.push(cost, id)
		return
	}
	if s.met != nil && s.repeats(x.hosts) {
		return
	}
	next := 0
	for i, f := range s.need {
		if a, b := s.least[f], s.least[s.need[next]]; a > b || a == b && f < s.need[next] {
			next = i
		}
	}
	f := s.need[next]
	s.need = slices.Delete(s.need, next, next+1)
	rest := span{int32(len(s.open)), int32(len(s.open) + len(s.need))}
	s.open = append(s.open, s.need...)
	wide := x.wide || len(s.pre.of(x.edge)) > 1
	s.try(state{parent: id, rest: rest, before: x.before + s.cost[x.edge], hosts: x.hosts, wide: wide}, f, 0)
}

func (s *search) sibling(x state) {
	f, from := s.post[x.edge], x.at+1
	x.hosts = 0
	if x.parent >= 0 {
		x.hosts = s.states[x.parent].hosts
	}
	s.try(x, f, from)
}

// try puts the next edge for a fact, from a place on, that makes no circle with the choices made on the heap.
func (s *search) try(x state, f, from int32) {
	row := s.rows.of(f)
	for at := from; int(at) < len(row); at++ {
		e := row[at]
		if s.chosen.circles(s.view, f, e) {
			continue
		}
		if h := s.host[e]; h != 0 && !s.chosen.over(s.view, h) {
			x.hosts ^= mix(uint64(h), 1)
		}
		x.edge, x.at = e, at
		s.states = append(s.states, x)
		s.heap.push(x.before+s.atLeast(x, f), int32(len(s.states)-1))
		return
	}
}

// atLeast is a lower limit of what a state still costs. What was chosen for other open facts may serve this one too, so what
// that costs is taken off; without several needs there is no such thing, and the limit is exact but for circles.
func (s *search) atLeast(x state, f int32) float64 {
	least := s.cost[x.edge] + dearest(s.pre.of(x.edge), s.least)
	if !x.wide {
		return least
	}
	least = max(0, least-s.chosen.aside(s.view, f))
	for _, g := range s.open[x.rest.from:x.rest.to] {
		least = max(least, s.least[g]-s.chosen.aside(s.view, g))
	}
	return least
}

// repeats tells whether a likelier state with the same open facts led over the same hosts.
func (s *search) repeats(hosts uint64) bool {
	all := uint64(0)
	for _, f := range s.need {
		all += mix(uint64(f), 2)
	}
	key := mix(hosts, all)
	if s.met[key] {
		return true
	}
	s.met[key] = true
	return false
}

// finish keeps a path if its hosts are new.
func (s *search) finish() { s.add(s.chosen.walk(s.view, s.to)) }

func (s *search) add(edges []int32) {
	if name := s.name(edges); !s.seen[name] {
		s.seen[name] = true
		s.found.Paths = append(s.found.Paths, s.path(edges))
	}
}

// name is what distinguishes a path.
func (s *search) name(edges []int32) string {
	var over []int64
	for _, e := range edges {
		switch {
		case s.host[e] != 0:
			over = append(over, s.host[e])
		case s.told[e]:
			over = append(over, -1-int64(e))
		}
	}
	slices.Sort(over)
	return fmt.Sprint(slices.Compact(over))
}
