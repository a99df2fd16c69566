package graph

import (
	"fmt"
	"slices"
	"sync"

	"github.com/patchscout/patchscout/internal/attackpath"
)

// index is a network in arrays. It never changes, apart from what is worked out once on demand.
type index struct {
	facts   int
	hostOf  []int64  // of facts
	factKey []uint64 // see identity.go
	traits  []trait
	start   []int32
	starts  bitset
	goals   []attackpath.Goal

	// Actions, by their number in the Network.
	p        []float64
	edge     []int32 // -1: never works, or is gone
	finding  []int64
	weakness []int32
	key      []uint64
	names    []string // of weaknesses

	// Edges: actions with the same needs, gain and host.
	post    []int32
	host    []int64
	told    []bool    // a step of a published network without a host: paths differ by it
	cost    []float64 // of the likeliest member, -ln P; +Inf where there is none
	pre     rows      // facts, ascending, each once
	members rows      // actions, likeliest first
	givers  rows      // edges by fact they give
	needers rows      // edges by facts they need
	wide    int       // edges with several needs
	free    []int32   // edges that need nothing

	views  views
	doms   lazy[domTree]
	useful lazy[bitset] // edges that can be part of a derivation without detours
	keys   lazy[[]uint64]
}

type trait uint8

const (
	held trait = 1 << iota // being a user or more on a host
	hub                    // many ways come together in it
)

// lazy is worked out by the first who asks.
type lazy[T any] struct {
	once  sync.Once
	value T
}

func (l *lazy[T]) get(make func() T) T {
	l.once.Do(func() { l.value = make() })
	return l.value
}

func newIndex(n *attackpath.Network) (*index, error) {
	ix := &index{facts: len(n.Facts), names: slices.Clone(n.Weaknesses)}
	ix.addFacts(n.Facts)
	if err := ix.begin(n.Start, n.Goals); err != nil {
		return nil, err
	}
	if err := ix.addActions(n.Actions); err != nil {
		return nil, err
	}
	ix.foldAll(n.Actions)
	return ix, nil
}

func (ix *index) addFacts(facts []attackpath.FactInfo) {
	ix.hostOf = slices.Grow(ix.hostOf, len(facts))
	ix.factKey = slices.Grow(ix.factKey, len(facts))
	ix.traits = slices.Grow(ix.traits, len(facts))
	for i := range facts {
		f := &facts[i]
		ix.hostOf = append(ix.hostOf, f.Host)
		ix.factKey = append(ix.factKey, factIdentity(f))
		var t trait
		if f.Kind == attackpath.Holds && f.Privilege >= attackpath.User {
			t |= held
		}
		if f.Kind == attackpath.Stands || f.Kind == attackpath.Other {
			t |= hub
		}
		ix.traits = append(ix.traits, t)
	}
}

func (ix *index) begin(start []attackpath.Fact, goals []attackpath.Goal) error {
	ix.start, ix.starts, ix.goals = nil, newBitset(ix.facts), slices.Clone(goals)
	for _, f := range start {
		if err := ix.known(f); err != nil {
			return fmt.Errorf("start: %w", err)
		}
		if !ix.starts.has(int32(f)) {
			ix.starts.add(int32(f))
			ix.start = append(ix.start, int32(f))
		}
	}
	slices.Sort(ix.start)
	for _, g := range goals {
		if err := ix.known(g.Fact); err != nil {
			return fmt.Errorf("goal: %w", err)
		}
	}
	return nil
}

func (ix *index) known(f attackpath.Fact) error {
	if f < 0 || int(f) >= ix.facts {
		return fmt.Errorf("attack network: fact %d of %d is not there", f, ix.facts)
	}
	return nil
}

// addActions appends what is kept of actions, without their edges.
func (ix *index) addActions(actions []attackpath.Action) error {
	n := len(actions)
	ix.p, ix.edge, ix.finding = slices.Grow(ix.p, n), slices.Grow(ix.edge, n), slices.Grow(ix.finding, n)
	ix.weakness, ix.key = slices.Grow(ix.weakness, n), slices.Grow(ix.key, n)
	for i := range actions {
		a := &actions[i]
		if err := ix.check(a); err != nil {
			return fmt.Errorf("action %d: %w", len(ix.p), err)
		}
		ix.p = append(ix.p, a.P)
		ix.edge = append(ix.edge, -1)
		ix.finding = append(ix.finding, a.Finding)
		ix.weakness = append(ix.weakness, a.Weakness)
		ix.key = append(ix.key, ix.identity(a))
	}
	return nil
}

func (ix *index) check(a *attackpath.Action) error {
	for _, f := range a.Pre {
		if err := ix.known(f); err != nil {
			return err
		}
	}
	if !(a.P >= 0 && a.P <= 1) {
		return fmt.Errorf("attack network: a chance of %v is not between 0 and 1", a.P)
	}
	if int(a.Weakness) >= len(ix.names) {
		return fmt.Errorf("attack network: weakness %d of %d is not there", a.Weakness, len(ix.names))
	}
	return ix.known(a.Post)
}
