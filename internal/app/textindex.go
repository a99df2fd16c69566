package app

import (
	"context"
	"fmt"
	"sync"

	"github.com/patchscout/patchscout/internal/catalogue/find"
)

// followTexts brings the text index up to date by what a load has changed. One that must be made anew is made in the
// background of the first search.
func (a *App) followTexts(ctx context.Context) error {
	if err := a.find.Follow(ctx); err != nil {
		return fmt.Errorf("index the texts: %w", err)
	}
	return nil
}

// indexing is the text index being built in the background. The zero value is ready.
type indexing struct {
	once sync.Once
	done sync.WaitGroup
}

// indexLater builds the text index in the background when an answer's note says that it is not up to date, once for an
// App: after a full load and over the starter catalogue there is none. Close waits for it; ctx ends it.
func (a *App) indexLater(ctx context.Context, note string) {
	if note != find.NoteStandIn && note != find.NoteBehind {
		return
	}
	a.indexing.once.Do(func() {
		a.indexing.done.Go(func() {
			if _, err := a.find.Refresh(ctx); err != nil && ctx.Err() == nil {
				a.log.Warn("searches do without a text index", "error", err)
			}
		})
	})
}
