// Package kept keeps a text index beside the data that it is made of: opened when it is first asked, brought up to date by
// what changed, made anew in the background where that is not enough. Several processes may keep the same one. It never
// answers from an index of other data than its source's.
package kept

import (
	"context"
	"iter"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/textindex"
)

// State says which texts a source has.
type State struct {
	Identity   string // of the source's data, never given to another; "" until it has one
	Generation int64  // now
	Floor      int64  // changes before and at this generation are not known one by one
	Changed    int64  // the last generation that changed a text
}

// Source is where the texts come from. All and Since call fn once, with texts of one state, and return its error.
type Source interface {
	State(ctx context.Context) (State, error)
	// Identify gives the data its identity, if it has none.
	Identify(ctx context.Context) error
	All(ctx context.Context, fn func(State, iter.Seq2[textindex.Document, error]) error) error
	// Since tells what generations after one have changed: documents, and the keys of those that are gone.
	Since(ctx context.Context, since int64, fn func(State, []int64, iter.Seq2[textindex.Document, error]) error) error
}

// Index is an index of a source. Safe for concurrent use; Close it.
type Index struct {
	source Source
	dir    string
	schema textindex.Schema
	small  bool

	mu   sync.Mutex
	open *textindex.Index
	of   string // the identity
	bad  bool   // what is there opens and cannot be read
}

// New returns an Index that keeps its files below dir. Nothing is opened before it is asked.
func New(source Source, dir string, schema textindex.Schema) *Index {
	return &Index{source: source, dir: dir, schema: schema}
}

// Small says that making the index anew takes milliseconds: Follow does it.
func (x *Index) Small() *Index {
	x.small = true
	return x
}

// Close lets go of the index.
func (x *Index) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.open == nil {
		return nil
	}
	err := x.open.Close()
	x.open = nil
	return err
}

// Use calls fn with the index, again when that was closed by another search or is damaged. Without an index there is nothing
// to call it with: there is false. behind says that texts changed since.
func (x *Index) Use(ctx context.Context, fn func(*textindex.Index) error) (there, behind bool, err error) {
	for range 3 {
		state, err := x.source.State(ctx)
		if err != nil {
			return false, false, err
		}
		index := x.opened(state)
		if index == nil {
			return false, true, nil
		}
		err = fn(index)
		if fault.KindOf(err) != fault.KindUnavailable {
			return true, index.Generation() < state.Changed, err
		}
		x.drop(index)
	}
	x.setBad(true)
	return false, true, nil
}

func (x *Index) setBad(bad bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.bad = bad
}

func (x *Index) isBad() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.bad
}

// drop lets go of an index that failed.
func (x *Index) drop(index *textindex.Index) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.open == index {
		x.open = nil
	}
	_ = index.Close()
}

// opened returns the index of the source's texts, nil if there is none or none that can be used.
func (x *Index) opened(state State) *textindex.Index {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.open != nil && x.of == state.Identity && x.open.Current() {
		return x.open
	}
	if state.Identity == "" {
		return nil
	}
	index, err := textindex.Open(x.folder(state), x.schema)
	if err != nil {
		return nil
	}
	if index.Generation() > state.Generation { // of a database that was put back to what it was
		_ = index.Close()
		return nil
	}
	if x.open != nil {
		_ = x.open.Close() // waits for the searches that run; those that come too late begin again
	}
	x.open, x.of = index, state.Identity
	return index
}

// Refresh brings the index to the state of its source: not at all, by what changed, or anew. It may run beside searches and
// beside other processes; one of these does the work and the others wait for it. built says that there was something to do.
func (x *Index) Refresh(ctx context.Context) (built bool, err error) { return x.bring(ctx, true) }

// Follow brings an index up to date by what changed lately, which is quickly done. One that must be made anew is left to a
// Refresh in the background: that reads all texts.
func (x *Index) Follow(ctx context.Context) error {
	_, err := x.bring(ctx, false)
	return err
}

func (x *Index) bring(ctx context.Context, anew bool) (built bool, err error) {
	for try := 0; ; try++ {
		state, err := x.source.State(ctx)
		if err != nil {
			return built, err
		}
		if state.Identity == "" {
			if err := x.source.Identify(ctx); err != nil || try > 5 {
				return built, err
			}
			continue
		}
		done, err := x.refresh(ctx, state, anew)
		built = built || !done
		if done || err != nil && !(fault.KindOf(err) == fault.KindConflict && try < 5) { // another process was quicker: look again
			return built, err
		}
	}
}

// refresh does what one look at the state asks for; done says that there was nothing to do.
func (x *Index) refresh(ctx context.Context, state State, anew bool) (done bool, err error) {
	dir := x.folder(state)
	at, ok := x.generation(dir, state)
	switch {
	case !ok || x.isBad() || at > state.Generation || at < state.Floor:
		return x.build(ctx, dir, anew)
	case at >= state.Changed:
		return true, nil
	}
	err = x.source.Since(ctx, at, func(now State, gone []int64, changed iter.Seq2[textindex.Document, error]) error {
		return textindex.Update(ctx, dir, x.schema, textindex.Change{From: at, Deletes: gone, Upserts: changed}, textindex.Options{Generation: now.Generation})
	})
	switch fault.KindOf(err) {
	case fault.KindNotFound, fault.KindInvalid, fault.KindUnavailable: // it went, or is damaged
		return x.build(ctx, dir, anew)
	}
	return false, err
}

// generation is that of the index in a folder: of the one that is open, without reading it anew, where it is current.
func (x *Index) generation(dir string, state State) (at int64, ok bool) {
	if index := x.opened(state); index != nil {
		return index.Generation(), true
	}
	index, err := textindex.Open(dir, x.schema)
	if err != nil {
		return 0, false
	}
	at = index.Generation()
	return at, index.Close() == nil
}

func (x *Index) folder(state State) string { return filepath.Join(x.dir, state.Identity) }

// build makes the index anew, unless that is left to another time.
func (x *Index) build(ctx context.Context, dir string, anew bool) (done bool, err error) {
	if !anew && !x.small {
		return true, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, err
	}
	x.forget(dir)
	err = x.source.All(ctx, func(state State, documents iter.Seq2[textindex.Document, error]) error {
		return textindex.Create(ctx, dir, x.schema, documents, textindex.Options{Generation: state.Generation})
	})
	if err == nil {
		x.setBad(false)
	}
	return false, err
}

// unused is how long the index of other data outlives its last use.
const unused = 30 * 24 * time.Hour

// forget removes the indexes of data that is no longer.
func (x *Index) forget(keep string) {
	entries, err := os.ReadDir(x.dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		path := filepath.Join(x.dir, e.Name())
		info, err := e.Info()
		if err == nil && e.IsDir() && path != keep && time.Since(info.ModTime()) > unused {
			_ = os.RemoveAll(path)
		}
	}
}

// Count says how many documents there are, as Use has it.
func (x *Index) Count(ctx context.Context, n *int) (there, behind bool, err error) {
	return x.Use(ctx, func(index *textindex.Index) error {
		*n = index.Docs()
		return nil
	})
}
