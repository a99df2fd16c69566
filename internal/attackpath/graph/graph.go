// Package graph is the embedded engine: it holds an attackpath.Network in compact arrays and answers questions of it. It never
// guesses: what it could not finish within a limit or the context's deadline says so, and every set of fixes was tried by
// asking again before it is given.
//
//	facts --actions--> facts        an AND/OR graph: an action needs all of its facts, a fact needs one of its actions
//	  folded: actions with the same needs, gain and host are members of one edge; an edge works when a member does
//
// With n the sum of the sizes of all actions: loading, reachability and Apply are linear, best derivations n log n. The k
// best paths of actions with one need cost about k times their length in heap operations; with actions of many needs, and the
// smallest cut by weakness or with such actions, the worst case is exponential (both are NP-hard), hence the limits. Where
// actions need several facts, Best minimises the sum over derivation trees, in which shared parts count twice; Paths and the
// chances that are told count every action once.
//
// Answers depend on the Network alone: no map's order, clock or thread decides anything. Ties go to smaller numbers.
package graph

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/patchscout/patchscout/internal/attackpath"
)

// Graph answers questions of one Network. Questions may be asked at the same time, also during Apply: each is answered from
// the network as it was when the question came.
type Graph struct {
	change sync.Mutex // one Load or Apply at a time
	now    atomic.Pointer[index]
}

var _ attackpath.Graph = (*Graph)(nil)

// New returns a graph of n, which may be nil. It panics when n is not a network: facts that are not there, chances over 1.
// Load says such things as errors.
func New(n *attackpath.Network) *Graph {
	g := &Graph{}
	if n == nil {
		n = &attackpath.Network{}
	}
	if err := g.Load(context.Background(), n); err != nil {
		panic(err)
	}
	return g
}

// Load replaces what the graph holds. Nothing of n is kept.
func (g *Graph) Load(ctx context.Context, n *attackpath.Network) error {
	g.change.Lock()
	defer g.change.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	ix, err := newIndex(n)
	if err != nil {
		return err
	}
	g.now.Store(ix)
	return nil
}

// Close lets go of the network.
func (g *Graph) Close(context.Context) error {
	g.change.Lock()
	defer g.change.Unlock()
	ix, err := newIndex(&attackpath.Network{})
	g.now.Store(ix)
	return err
}

// view is the network as a question sees it.
func (g *Graph) view(without attackpath.Removal) *view { return g.now.Load().without(without) }
