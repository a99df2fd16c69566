package app

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/patchscout/patchscout/docs"
	"github.com/patchscout/patchscout/internal/assistant/retrieve"
)

// texts is what the assistant searches as text.
type texts struct {
	finder   *retrieve.Finder
	indexing indexing
	asked    atomic.Bool // anything, since the start
	meanings meanings
}

func (a *App) openTexts() {
	a.texts.finder = a.newFinder(nil)
}

// newFinder is one with the weights of nearness; nil is the usual ones.
func (a *App) newFinder(weights map[retrieve.Kind]float64) *retrieve.Finder {
	return retrieve.New(retrieve.Config{
		CVEs: a.find, Catalogue: a.store.Catalogue(), Estate: a.store.Estate(), Pages: docs.Pages,
		Dir: filepath.Join(a.cfg.DataDir, "text", "assistant"), Meaning: a.meaning, Weights: weights,
	})
}

// How long a command waits for indexes to be made that are soon made: of the product's pages, of techniques, of an estate
// of some thousand findings. Somebody who asks a server gets his answer first.
const commandWait = time.Second

// commandEmbed is how long a command waits for the embedding of its question: it has to read the model first.
const commandEmbed = 5 * time.Second

// searcher searches records as text. What changed lately it brings in itself; when that is not enough, the indexes are built
// in the background.
func (a *App) searcher() retrieve.Searcher {
	b := &building{app: a}
	if a.queue == nil {
		b.wait.Store(int64(commandWait))
	}
	return b
}

type building struct {
	app  *App
	wait atomic.Int64 // of a search; what took too long once is not waited for again
}

func (b *building) Search(ctx context.Context, q retrieve.Query) (retrieve.Found, error) {
	q.Wait = time.Duration(b.wait.Load())
	if b.app.queue == nil {
		q.Patience = commandEmbed
	}
	found, err := b.app.texts.finder.Search(ctx, q)
	first := err == nil && b.app.queue != nil && b.app.texts.asked.CompareAndSwap(false, true)
	if err == nil && found.Behind {
		b.wait.Store(0)
	}
	if first || err == nil && found.Behind { // a server's first question has all kinds made ready for the next ones
		b.app.buildLater(ctx, &b.app.texts.indexing, b.app.texts.finder.Refresh)
	}
	return found, err
}

// Indexing says whether texts are being indexed. A command waits for it when it closes.
func (a *App) Indexing() bool { return a.indexing.busy() || a.texts.indexing.busy() }
