package app

import (
	"context"

	"github.com/patchscout/patchscout/internal/store"
)

// together answers with what fn says, all of whose reads belong to one state of the data (store.Together).
func together[T any](ctx context.Context, s *store.Store, fn func(context.Context) (T, error)) (out T, err error) {
	err = s.Together(ctx, func(ctx context.Context) error {
		out, err = fn(ctx)
		return err
	})
	return out, err
}
