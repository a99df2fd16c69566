package find

import (
	"context"
	"crypto/rand"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/textindex"
)

// Schema is how CVEs are indexed: a word counts most where it names a product. The numbers are those that found most
// entries of two other publishers by their titles (docs/decisions/0012-text-index.md).
var Schema = textindex.Schema{
	K1: 0.4,
	Fields: []textindex.Field{
		{Name: "title", Weight: 1, B: 0.6}, {Name: "products", Weight: 3, B: 0.6}, {Name: "description", Weight: 1, B: 0.6},
	},
}

// Refresh brings the index to the state of the catalogue: not at all, by what changed, or anew. It may run beside
// searches and beside other processes; one of these does the work and the others wait for it. built says that there was
// something to do.
func (f *Finder) Refresh(ctx context.Context) (built bool, err error) { return f.bring(ctx, true) }

// Follow brings an index up to date by what changed lately, which is quickly done. An index that must be made anew is
// left to a Refresh in the background: that reads all texts.
func (f *Finder) Follow(ctx context.Context) error {
	_, err := f.bring(ctx, false)
	return err
}

func (f *Finder) bring(ctx context.Context, anew bool) (built bool, err error) {
	for try := 0; ; try++ {
		state, err := f.store.TextState(ctx)
		if err != nil {
			return built, err
		}
		if state.Identity == "" {
			if err := f.store.Identify(ctx); err != nil || try > 5 {
				return built, err
			}
			continue
		}
		done, err := f.refresh(ctx, state, anew)
		built = built || !done
		if done || err != nil && !(fault.KindOf(err) == fault.KindConflict && try < 5) { // another process was quicker: look again
			return built, err
		}
	}
}

// refresh does what one look at the state asks for; done says that there was nothing to do.
func (f *Finder) refresh(ctx context.Context, state catalogue.TextState, anew bool) (done bool, err error) {
	dir := f.folder(state)
	index, err := textindex.Open(dir, Schema)
	if err != nil {
		return f.build(ctx, dir, anew)
	}
	at := index.Generation()
	if err := index.Close(); err != nil {
		return false, err
	}
	switch {
	case at >= state.Changed:
		return true, nil
	case at < state.Floor:
		return f.build(ctx, dir, anew)
	}
	err = f.update(ctx, dir, at)
	switch fault.KindOf(err) {
	case fault.KindNotFound, fault.KindInvalid, fault.KindUnavailable: // it went, or is damaged
		return f.build(ctx, dir, anew)
	}
	return false, err
}

// folder is where the index of one catalogue is kept.
func (f *Finder) folder(state catalogue.TextState) string {
	return filepath.Join(f.dir, state.Identity)
}

func (f *Finder) update(ctx context.Context, dir string, since int64) error {
	texts, state, err := f.store.TextsSince(ctx, since)
	if err != nil {
		return err
	}
	change := textindex.Change{From: since}
	for _, t := range texts {
		if t.Empty() {
			change.Deletes = append(change.Deletes, int64(t.ID))
		}
	}
	change.Upserts = func(yield func(textindex.Document, error) bool) {
		for _, t := range texts {
			if !t.Empty() && !yield(document(t), nil) {
				return
			}
		}
	}
	return textindex.Update(ctx, dir, Schema, change, textindex.Options{Generation: state.Generation})
}

func document(t catalogue.Text) textindex.Document {
	return textindex.Document{Key: int64(t.ID), Fields: []string{t.Title, t.Products, t.Description}}
}

var errStop = errors.New("the index wants no more")

// build makes the index anew, unless that is left to another time.
func (f *Finder) build(ctx context.Context, dir string, anew bool) (done bool, err error) {
	if !anew {
		return true, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, err
	}
	f.forget(dir)
	// The generation is read before the texts: what changes meanwhile is brought in again.
	state, err := f.store.TextState(ctx)
	if err != nil {
		return false, err
	}
	return false, textindex.Create(ctx, dir, Schema, f.documents(ctx), textindex.Options{Generation: state.Generation})
}

func (f *Finder) documents(ctx context.Context) iter.Seq2[textindex.Document, error] {
	return func(yield func(textindex.Document, error) bool) {
		_, err := f.store.Texts(ctx, func(t catalogue.Text) error {
			if !t.Empty() && !yield(document(t), nil) {
				return errStop
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(textindex.Document{}, err)
		}
	}
}

// unused is how long the index of another catalogue outlives its last use.
const unused = 30 * 24 * time.Hour

// identityLength tells the folders of catalogues from those of other indexes beside them.
var identityLength = len(rand.Text())

// forget removes the indexes of catalogues that are no longer.
func (f *Finder) forget(keep string) {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		path := filepath.Join(f.dir, e.Name())
		info, err := e.Info()
		if err == nil && e.IsDir() && len(e.Name()) == identityLength && path != keep && time.Since(info.ModTime()) > unused {
			_ = os.RemoveAll(path)
		}
	}
}
