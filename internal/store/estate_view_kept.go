package store

import (
	"context"
	"sync"
)

// keptAnswers are answers about the whole estate that hold as long as nobody writes to it. The zero value is ready for use.
type keptAnswers[V any] struct {
	mu         sync.Mutex
	generation int64
	kept       map[string]V
	size       int
}

func (k *keptAnswers[V]) find(generation int64, key string) (V, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	v, known := k.kept[key]
	return v, known && k.generation == generation
}

// keep takes an answer of the newest generation that was seen; where there is no more room, all others go.
func (k *keptAnswers[V]) keep(generation int64, key string, v V, size, most int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if generation < k.generation || size > most {
		return
	}
	if generation > k.generation || k.kept == nil || k.size+size > most {
		k.generation, k.kept, k.size = generation, map[string]V{}, 0
	}
	if _, twice := k.kept[key]; !twice {
		k.size += size
	}
	k.kept[key] = v
}

// Generation rises with every write that changes what the estate says.
func (e *Estate) Generation(ctx context.Context) (int64, error) { return e.db.generationTogether(ctx) }
