package store

import "context"

// togetherKey is where a context holds the transaction that one of the databases is read in.
type togetherKey struct{ *database }

// Together lets fn read both halves in one transaction each: what it reads belongs to one state of the data, and many
// small reads cost what they read, not a transaction each. The reads of fn must be made with the context that it is
// given, one after the other, and not from within the rows of another. Writes are as they are without it. Where a full
// load replaces the catalogue meanwhile, fn is called again from its beginning.
func (s *Store) Together(ctx context.Context, fn func(ctx context.Context) error) error {
	return s.estate.view(ctx, func(estate *Tx) error {
		ctx := context.WithValue(ctx, togetherKey{s.estate}, &shared{Tx: estate})
		return s.catalogue.steady(ctx, func(catalogue *Tx) error {
			return fn(context.WithValue(ctx, togetherKey{s.catalogue}, &shared{Tx: catalogue}))
		})
	})
}

// shared is a transaction that many read in.
type shared struct {
	*Tx
	generation int64 // 0 before it is asked
}

// together is the transaction that a context holds, nil for none.
func (d *database) together(ctx context.Context) *Tx {
	if s, ok := ctx.Value(togetherKey{d}).(*shared); ok {
		return s.Tx
	}
	return nil
}

// generationTogether is generation, asked once in a transaction that is shared: whatever is kept for a generation asks.
func (d *database) generationTogether(ctx context.Context) (int64, error) {
	s, ok := ctx.Value(togetherKey{d}).(*shared)
	if ok && s.generation != 0 {
		return s.generation, nil
	}
	n, err := d.generation(ctx)
	if ok {
		s.generation = n
	}
	return n, err
}
