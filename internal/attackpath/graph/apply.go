package graph

import (
	"context"
	"fmt"
	"slices"

	"github.com/patchscout/patchscout/internal/attackpath"
)

// Apply changes the network after some hosts were looked at again. It costs as much as copying the arrays; questions that run
// go on with the old ones.
func (g *Graph) Apply(ctx context.Context, c attackpath.Change) error {
	g.change.Lock()
	defer g.change.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	ix, err := g.now.Load().changed(c)
	if err != nil {
		return fmt.Errorf("change the attack network: %w", err)
	}
	g.now.Store(ix)
	return nil
}

// changed is the index after a change. Arrays that only grow share memory up to the old length, which nobody writes to.
func (ix *index) changed(c attackpath.Change) (*index, error) {
	next := &index{
		facts: ix.facts + len(c.Facts), names: append(slices.Clip(ix.names), c.Weaknesses...),
		hostOf: slices.Clip(ix.hostOf), factKey: slices.Clip(ix.factKey), traits: slices.Clip(ix.traits),
		p: slices.Clip(ix.p), edge: slices.Clone(ix.edge), finding: slices.Clip(ix.finding), weakness: slices.Clip(ix.weakness), key: slices.Clip(ix.key),
		post: slices.Clip(ix.post), host: slices.Clip(ix.host), told: slices.Clip(ix.told), cost: slices.Clone(ix.cost),
		pre: rows{start: slices.Clip(ix.pre.start), data: slices.Clip(ix.pre.data)}, members: ix.members, givers: ix.givers, needers: ix.needers,
		wide: ix.wide, free: slices.Clone(ix.free),
	}
	next.addFacts(c.Facts)
	start, goals := ix.begun(), ix.goals
	if c.Start != nil {
		start = c.Start
	}
	if c.Goals != nil {
		goals = c.Goals
	}
	if err := next.begin(start, goals); err != nil {
		return nil, err
	}
	if err := next.addActions(c.New); err != nil {
		return nil, err
	}
	return next, next.refold(c, ix)
}

func (ix *index) begun() []attackpath.Fact {
	list := make([]attackpath.Fact, len(ix.start))
	for i, f := range ix.start {
		list[i] = attackpath.Fact(f)
	}
	return list
}

// refold brings the edges in line: members that ended, new members of old edges, and new edges.
func (ix *index) refold(c attackpath.Change, old *index) error {
	members := map[int32][]int32{}
	of := func(e int32) []int32 {
		if m, ok := members[e]; ok {
			return m
		}
		if int(e) < old.members.len() {
			return slices.Clone(old.members.of(e))
		}
		return nil
	}
	for _, a := range c.Gone {
		if a < 0 || int(a) >= len(old.edge) {
			return fmt.Errorf("action %d of %d is not there", a, len(old.edge))
		}
		if e := ix.edge[a]; e >= 0 {
			members[e] = slices.DeleteFunc(of(e), func(m int32) bool { return m == a })
			ix.edge[a] = -1
		}
	}
	fresh := map[int32][]int32{} // new edges by the fact they give
	var need []int32
	for i := range c.New {
		a := &c.New[i]
		if a.P <= 0 {
			continue
		}
		need = needs(need[:0], a.Pre)
		e := ix.find(need, a, old, fresh)
		if e < 0 {
			e = ix.addEdge(need, a)
			fresh[int32(a.Post)] = append(fresh[int32(a.Post)], e)
		}
		n := int32(len(old.edge) + i)
		ix.edge[n] = e
		members[e] = append(of(e), n)
	}
	ix.reconnect(members, fresh, old)
	return nil
}

func (ix *index) find(need []int32, a *attackpath.Action, old *index, fresh map[int32][]int32) int32 {
	fits := func(e int32) bool { return ix.fits(e, need, a) }
	post := int32(a.Post)
	if i := slices.IndexFunc(fresh[post], fits); i >= 0 {
		return fresh[post][i]
	}
	if int(post) >= old.facts {
		return -1
	}
	if i := slices.IndexFunc(old.givers.of(post), fits); i >= 0 {
		return old.givers.of(post)[i]
	}
	return -1
}

// reconnect patches the rows: edges without members leave those of their facts, new edges join them.
func (ix *index) reconnect(members, fresh map[int32][]int32, old *index) {
	givers, needers := map[int32][]int32{}, map[int32][]int32{}
	row := func(changed map[int32][]int32, r rows, f int32) []int32 {
		if list, ok := changed[f]; ok {
			return list
		}
		if int(f) < r.len() {
			return slices.Clone(r.of(f))
		}
		return nil
	}
	known := int32(len(old.post))
	for e, m := range members {
		ix.rank(m)
		if e < known && len(m) == 0 {
			givers[ix.post[e]] = without(row(givers, old.givers, ix.post[e]), e)
			for _, f := range ix.pre.of(e) {
				needers[f] = without(row(needers, old.needers, f), e)
			}
			if len(ix.pre.of(e)) > 1 {
				ix.wide--
			}
			ix.free = without(ix.free, e)
		}
	}
	for e := known; e < int32(len(ix.post)); e++ {
		givers[ix.post[e]] = append(row(givers, old.givers, ix.post[e]), e)
		for _, f := range ix.pre.of(e) {
			needers[f] = append(row(needers, old.needers, f), e)
		}
	}
	edges := len(ix.post)
	ix.cost = append(ix.cost, make([]float64, edges-len(ix.cost))...)
	for e, m := range members {
		ix.cost[e] = ix.costOf(m)
	}
	ix.members = old.members.patched(edges, members)
	ix.givers = old.givers.patched(ix.facts, givers)
	ix.needers = old.needers.patched(ix.facts, needers)
}

func without(list []int32, e int32) []int32 {
	return slices.DeleteFunc(list, func(x int32) bool { return x == e })
}
