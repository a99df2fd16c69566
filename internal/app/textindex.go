package app

import (
	"context"
	"fmt"
	"sync"
	"time"

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
	mu      sync.Mutex
	running bool
	stopped bool
	not     time.Time // before this, after a failure
	end     context.CancelFunc
	done    sync.WaitGroup
	ended   bool // of a command's only one
}

// indexPause is how long a server waits after a failure to build the text index.
const indexPause = time.Minute

// indexLater builds the text index in the background when an answer's note says that it is not up to date: after a full
// load and over the starter catalogue there is none. A command does so once and waits for it at its end, unless ctx ends;
// a server does it as often as that is so, beyond the request that found out, until Close.
func (a *App) indexLater(ctx context.Context, note string) {
	if note != find.NoteStandIn && note != find.NoteBehind {
		return
	}
	a.buildLater(ctx, &a.indexing, func(ctx context.Context) error {
		_, err := a.find.Refresh(ctx)
		return err
	})
}

func (a *App) buildLater(ctx context.Context, x *indexing, build func(context.Context) error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.running || x.stopped || time.Now().Before(x.not) {
		return
	}
	x.running = true
	if whole, ok := ctx.Value(wholeKey{}).(context.Context); ok {
		ctx = whole
	}
	if a.queue != nil {
		ctx, x.end = context.WithCancel(context.WithoutCancel(ctx))
	}
	x.done.Go(func() { a.build(ctx, x, build) })
}

func (a *App) build(ctx context.Context, x *indexing, build func(context.Context) error) {
	err := build(ctx)
	if err != nil && ctx.Err() == nil {
		a.log.Warn("searches do without a text index", "error", err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.end != nil {
		x.end()
	}
	x.running, x.end, x.ended = a.queue == nil, nil, a.queue == nil // a command does it once
	if err != nil {
		x.not = time.Now().Add(indexPause)
	}
}

type wholeKey struct{}

// whole has what is built in the background live as long as ctx, under contexts that are made of it and end before.
func whole(ctx context.Context) context.Context { return context.WithValue(ctx, wholeKey{}, ctx) }

// busy says whether it is being built.
func (x *indexing) busy() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.running && !x.ended
}

// stop ends what a server builds and waits.
func (x *indexing) stop() {
	x.mu.Lock()
	x.stopped = true
	if x.end != nil {
		x.end()
	}
	x.mu.Unlock()
	x.done.Wait()
}
