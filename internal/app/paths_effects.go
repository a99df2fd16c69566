package app

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/store"
)

// effects keeps what CVEs do for an attacker as long as nobody writes to the catalogue: to work it out for all CVEs of a
// large estate takes seconds. Safe for concurrent use.
type effects struct {
	mu         sync.Mutex
	generation int64
	known      map[cve.ID]*attackpath.Effect  // nil of a CVE that the catalogue does not know
	kinds      map[kindKey]*attackpath.Effect // they follow from themselves: no generation
}

// How many effects are kept, and how many records are in memory at once while they are made.
const (
	maxEffects  = 200_000
	effectBatch = 2000
)

// find returns those that are known of a generation, and the ids of the others, ascending.
func (e *effects) find(generation int64, ids []cve.ID) (known map[cve.ID]*attackpath.Effect, unknown []cve.ID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	known = make(map[cve.ID]*attackpath.Effect, len(ids))
	for _, id := range ids {
		if effect, asked := e.known[id]; asked && e.generation == generation {
			known[id] = effect
		} else {
			unknown = append(unknown, id)
		}
	}
	slices.Sort(unknown)
	return known, slices.Compact(unknown)
}

func (e *effects) keep(generation int64, made map[cve.ID]*attackpath.Effect) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if generation < e.generation {
		return
	}
	if generation > e.generation || e.known == nil || len(e.known)+len(made) > maxEffects {
		e.generation, e.known = generation, map[cve.ID]*attackpath.Effect{}
	}
	for id, effect := range made {
		e.known[id] = effect
	}
}

// effectsOf says what CVEs do for an attacker; one that the catalogue does not know has no effect.
func (a *App) effectsOf(ctx context.Context, ids []cve.ID) (map[cve.ID]*attackpath.Effect, error) {
	c := a.store.Catalogue()
	generation, err := c.Generation(ctx)
	if err != nil {
		return nil, err
	}
	known, unknown := a.effects.find(generation, ids)
	made := make(map[cve.ID]*attackpath.Effect, len(unknown))
	for batch := range slices.Chunk(unknown, effectBatch) {
		if err := a.makeEffects(ctx, batch, made); err != nil {
			return nil, err
		}
	}
	if len(made) > 0 {
		if after, err := c.Generation(ctx); err == nil && after == generation { // else somebody wrote in between
			a.effects.keep(generation, made)
		}
	}
	for id, effect := range made {
		known[id] = effect
	}
	return known, nil
}

func (a *App) makeEffects(ctx context.Context, ids []cve.ID, into map[cve.ID]*attackpath.Effect) error {
	records, err := a.store.Catalogue().CVEs(ctx, ids)
	if err != nil {
		return err
	}
	facts, err := a.store.Catalogue().Facts(ctx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		into[id] = nil
		if r := records[id]; r != nil {
			into[id] = attackpath.EffectOf(attackpath.FlawedOf(r, facts[id]))
		}
	}
	return nil
}

// kindKey tells weaknesses apart of which only a finding tells.
type kindKey struct {
	weakness, vector, title, severity, cwes string
	kev, exploited                          bool
}

// ofKind is what a weakness does of which the catalogue knows nothing: a scanner's check, mostly.
func (e *effects) ofKind(k *store.FlawKind) *attackpath.Effect {
	key := kindKey{string(k.Weakness), k.Vector, k.Title, k.Severity, fmt.Sprint(k.CWEs), k.KEV, k.Exploited}
	e.mu.Lock()
	defer e.mu.Unlock()
	if effect := e.kinds[key]; effect != nil {
		return effect
	}
	if e.kinds == nil || len(e.kinds) >= maxEffects {
		e.kinds = map[kindKey]*attackpath.Effect{}
	}
	effect := attackpath.EffectOf(flawOf(k))
	e.kinds[key] = effect
	return effect
}
