package app

import (
	"context"
	"fmt"
	"time"

	"github.com/patchscout/patchscout/internal/report"
)

// CatalogueState says which state of the catalogue answers show, whichever process wrote it.
func (a *App) CatalogueState(ctx context.Context) (report.CatalogueState, error) {
	texts, err := a.store.Catalogue().TextState(ctx)
	if err != nil {
		return report.CatalogueState{}, err
	}
	feeds, err := a.feeds(ctx)
	state := report.CatalogueState{Tag: fmt.Sprintf("%s %d", texts.Identity, texts.Generation)}
	for _, f := range feeds {
		for _, at := range []time.Time{f.LastGood, f.LastRun} {
			if at.After(state.Changed) {
				state.Changed = at.Truncate(time.Second).Add(time.Second) // HTTP's dates have no fractions: rather too late
			}
		}
	}
	return state, err
}

// EstateState says which state of the estate the asker's answers show, and of the catalogue that it is judged by.
func (a *App) EstateState(ctx context.Context) (report.CatalogueState, error) {
	catalogue, estate, err := a.store.Generations(ctx)
	return report.CatalogueState{Tag: fmt.Sprintf("%d %d %t %q", catalogue, estate, a.who.View.All(), a.who.View.Sites())}, err
}
