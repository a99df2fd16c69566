package app

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/patchscout/patchscout/internal/api"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/store"
)

// asker is whose keys a request's are: one user's, or one token's, as long as they may do and see the same. An answer is
// given again before it is looked at who may have it, so whoever may less by now is another asker.
func (a *App) asker() string {
	who, token := a.who, int64(0)
	if who.Kind == auth.Token { // tokens of one user may have the same name; a session may be another one when a request is sent again
		token = who.Token
	}
	may := fmt.Sprintf("%q %q %t %q %q %t", who.Role, who.Site, who.View.All(), who.View.Sites(), who.Scopes, who.MustChange)
	sum := sha256.Sum256([]byte(may))
	return fmt.Sprintf("%s %d %d %s %x", who.Kind, who.User, token, who.Name, sum[:8])
}

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
