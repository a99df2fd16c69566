package app

import (
	"context"
	"path/filepath"

	"github.com/patchscout/patchscout/docs"
	"github.com/patchscout/patchscout/internal/assistant/retrieve"
)

// texts is what the assistant searches as text.
type texts struct {
	finder   *retrieve.Finder
	indexing indexing
}

func (a *App) openTexts() {
	a.texts.finder = retrieve.New(retrieve.Config{
		CVEs: a.find, Catalogue: a.store.Catalogue(), Estate: a.store.Estate(), Pages: docs.Pages,
		Dir: filepath.Join(a.cfg.DataDir, "text", "assistant"),
	})
}

// searcher searches records as text. What changed lately it brings in itself; when that is not enough, the indexes are built
// in the background.
func (a *App) searcher() retrieve.Searcher { return building{a} }

type building struct{ app *App }

func (b building) Search(ctx context.Context, q retrieve.Query) (retrieve.Found, error) {
	found, err := b.app.texts.finder.Search(ctx, q)
	if err == nil && found.Behind {
		b.app.buildLater(ctx, &b.app.texts.indexing, b.app.texts.finder.Refresh)
	}
	return found, err
}
