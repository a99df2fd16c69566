package app

import (
	"context"
	"fmt"

	"github.com/patchscout/patchscout/internal/api"
	"github.com/patchscout/patchscout/internal/store"
)

// asker is whose keys a request's are: one user's, or one token's.
func (a *App) asker() string { return fmt.Sprintf("%s %d %s", a.who.Kind, a.who.User, a.who.Name) }

// BeginOnce remembers a request with a key of its sender's; nil says that it is the first.
func (a *App) BeginOnce(ctx context.Context, key string) (*api.Once, error) {
	before, err := a.store.Estate().BeginOnce(ctx, a.asker(), key)
	if before == nil || err != nil {
		return nil, err
	}
	o := api.Once(*before)
	return &o, nil
}

// EndOnce keeps how a request with a key was answered.
func (a *App) EndOnce(ctx context.Context, key string, o api.Once) error {
	return a.store.Estate().EndOnce(ctx, a.asker(), key, store.Once(o))
}

// ForgetOnce lets a request with a key be sent again.
func (a *App) ForgetOnce(ctx context.Context, key string) error {
	return a.store.Estate().ForgetOnce(ctx, a.asker(), key)
}
