package app

import (
	"context"
	"fmt"
	"sync"

	"github.com/patchscout/patchscout/internal/catalogue/find"
)

// IndexTexts brings the text index up to date, if it is not. It may be called beside searches.
func (a *App) IndexTexts(ctx context.Context) error {
	_, err := a.find.Refresh(ctx)
	if err != nil {
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
// App: a catalogue that no sync of this folder has made, such as the starter's, has none. Close waits for it; ctx ends it.
func (a *App) indexLater(ctx context.Context, note string) {
	if note != find.NoteStandIn && note != find.NoteBehind {
		return
	}
	a.indexing.once.Do(func() {
		a.indexing.done.Go(func() {
			if err := a.IndexTexts(ctx); err != nil && ctx.Err() == nil {
				a.log.Warn("searches do without a text index", "error", err)
			}
		})
	})
}
