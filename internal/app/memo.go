package app

import (
	"context"
	"sync"

	"github.com/patchscout/patchscout/internal/fault"
)

// memo keeps what was read of the catalogue as long as nobody writes to it. The zero value is ready for use.
type memo[K comparable, V any] struct {
	mu         sync.Mutex
	generation int64
	kept       map[K]V
	weight     int
}

// maxMemo is how many things one keeps, and maxWeight how many hosts, names or whatever large ones have, together: there may
// be as many views as users.
const (
	maxMemo   = 5000
	maxWeight = 100_000
)

func (m *memo[K, V]) find(generation int64, key K) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, known := m.kept[key]
	return v, known && m.generation == generation
}

func (m *memo[K, V]) keep(generation int64, key K, v V) { m.keepLarge(generation, key, v, 0) }

// keepLarge keeps something that weighs much. What weighs more than all may is kept alone.
func (m *memo[K, V]) keepLarge(generation int64, key K, v V, weight int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if generation < m.generation {
		return
	}
	if generation > m.generation || m.kept == nil || len(m.kept) >= maxMemo || m.weight+weight > maxWeight {
		m.generation, m.kept, m.weight = generation, map[K]V{}, 0
	}
	m.kept[key] = v
	m.weight += weight
}

// techniqueName is what links to a technique show of it; ID is "" where the catalogue does not know it.
type techniqueName struct{ ID, Name string }

// techniqueNamed is technique for those who show its name only: its document is long, and a page names several.
func (a *App) techniqueNamed(ctx context.Context, id string) (techniqueName, error) {
	generation, err := a.store.Catalogue().Generation(ctx)
	if err != nil {
		return techniqueName{}, err
	}
	if known, ok := a.names.find(generation, id); ok {
		return known, nil
	}
	t, err := a.technique(ctx, id)
	if err != nil && fault.KindOf(err) != fault.KindNotFound {
		return techniqueName{}, err
	}
	found := techniqueName{t.ID, t.Name}
	if err != nil {
		found = techniqueName{}
	}
	if after, err := a.store.Catalogue().Generation(ctx); err == nil && after == generation { // else somebody wrote in between
		a.names.keep(generation, id, found)
	}
	return found, nil
}
