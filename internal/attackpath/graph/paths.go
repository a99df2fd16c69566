package graph

import (
	"context"
	"fmt"

	"github.com/patchscout/patchscout/internal/attackpath"
)

// Paths returns the best paths to a fact, the likeliest first, distinct by the hosts that they lead over.
func (g *Graph) Paths(ctx context.Context, q attackpath.Question) (attackpath.Found, error) {
	v := g.view(q.Without)
	if err := v.known(q.To); err != nil {
		return attackpath.Found{}, fmt.Errorf("attack paths: %w", err)
	}
	b := Best{v: v, d: v.best()}
	p, ok := b.Path(q.To)
	if !ok {
		return attackpath.Found{Complete: true}, ctx.Err()
	}
	return attackpath.Found{Paths: []attackpath.Path{p}, Complete: q.K <= 1 && v.wide == 0, Why: "only the best one was looked for"}, ctx.Err()
}
