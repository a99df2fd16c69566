package textindex

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/machine"
)

// Options of a build or update.
type Options struct {
	// Generation is the caller's name for the state of the data that is indexed.
	Generation int64
	// MemoryLimit is about how many bytes the documents at hand may take; what is more waits on disk. The process takes
	// two to three times as much. 0: 32 MiB.
	MemoryLimit int64
	// NoWait gives up with fault.Conflict when another process is writing, instead of waiting until ctx is done.
	NoWait bool

	step func(string) error // for tests: called before each step that changes the folder
}

// Change is what an Update makes of an index.
type Change struct {
	// From is the generation that the change begins from. When the index has another one, Update returns fault.Conflict
	// and changes nothing.
	From int64
	// Upserts are documents that are new or replace the one with their key; nil: none.
	Upserts iter.Seq2[Document, error]
	// Deletes are keys of documents to remove. Keys that are not there are no error; one that is also in Upserts stays.
	Deletes []int64
}

const defaultMemory = 32 << 20

// Create builds an index of all documents, in any order; of several with one key the last counts. The folder is made if
// missing. An index that is there answers until the new one is complete, and is then removed. An error of the sequence
// comes back and leaves things as they were.
func Create(ctx context.Context, dir string, schema Schema, documents iter.Seq2[Document, error], o Options) error {
	return write(ctx, dir, schema, o, func(w *writer) error { return w.create(documents, o.Generation) })
}

// Update changes an index. Readers keep the state that they opened. It takes time by the size of the change, and now and
// then merges what former updates left: at worst everything, which takes less than a build.
func Update(ctx context.Context, dir string, schema Schema, change Change, o Options) error {
	return write(ctx, dir, schema, o, func(w *writer) error { return w.update(change, o.Generation) })
}

func write(ctx context.Context, dir string, schema Schema, o Options, do func(*writer) error) (err error) {
	if err := schema.Validate(); err != nil {
		return err
	}
	if err := makeFolder(dir); err != nil {
		return err
	}
	release, err := lockFolder(ctx, dir, !o.NoWait)
	if err != nil {
		return err
	}
	defer release()
	w := &writer{ctx: ctx, dir: dir, schema: schema, memory: o.MemoryLimit, step: o.step}
	if w.memory <= 0 {
		w.memory = defaultMemory
	}
	defer w.close()
	defer catchFault(debug.SetPanicOnFault(true), &err)
	return do(w)
}

// writer holds the lock of a folder. The segments it has made are in no manifest until commit.
type writer struct {
	ctx    context.Context
	dir    string
	schema Schema
	memory int64
	step   func(string) error // see Options

	old  []*segment // of the index that is being changed
	made []*segment // new ones, in the order in which they replace each other
}

func (w *writer) close() {
	for _, s := range slices.Concat(w.old, w.made) {
		unmap(s.data) //nolint:errcheck // nothing was written through it
	}
}

func (w *writer) at(step string) error {
	if w.step != nil {
		return w.step(step)
	}
	return w.ctx.Err()
}

func (w *writer) create(documents iter.Seq2[Document, error], generation int64) error {
	current, err := readManifest(w.dir)
	switch {
	case err != nil && fault.KindOf(err) == fault.KindInternal:
		return err
	case err != nil: // none, or one that cannot be used
		current = &manifest{}
	}
	if err := w.sweep(current); err != nil {
		return err
	}
	if err := w.take(documents); err != nil {
		return err
	}
	if err := w.mergeAll(); err != nil {
		return err
	}
	return w.commit(generation)
}

func (w *writer) update(change Change, generation int64) error {
	current, err := readManifest(w.dir)
	if err != nil {
		return err
	}
	if current.generation != change.From {
		return fault.Conflict("text index %s is of generation %d, not %d", w.dir, current.generation, change.From)
	}
	if !slices.Equal(current.fields, w.schema.names()) {
		return fault.Invalid("text index %s has the fields %.200q, want %q", w.dir, current.fields, w.schema.names())
	}
	if err := w.sweep(current); err != nil {
		return err
	}
	for _, ref := range current.segments {
		s, err := mapSegment(w.dir, ref, len(current.fields))
		if err != nil {
			return missing(err)
		}
		w.old = append(w.old, s)
	}
	if change.Upserts != nil {
		if err := w.take(change.Upserts); err != nil {
			return err
		}
	}
	w.replace(change.Deletes)
	if err := w.mergeSome(); err != nil {
		return err
	}
	return w.commit(generation)
}

// take inverts documents into segments of bounded size.
func (w *writer) take(documents iter.Seq2[Document, error]) error {
	v := newInverter(len(w.schema.Fields))
	for d, err := range documents {
		if err != nil {
			return err
		}
		v.add(d)
		if v.size() < w.memory && len(v.keys) < maxDocs {
			continue
		}
		if err := w.spill(v); err != nil {
			return err
		}
		v = newInverter(len(w.schema.Fields))
	}
	if len(v.keys) == 0 {
		return nil
	}
	return w.spill(v)
}

// manySpills are merged before there are more, so that neither files nor mappings pile up.
const manySpills = 16

func (w *writer) spill(v *inverter) error {
	s, err := w.newSegment(func(out *segmentWriter) error { return v.write(w.ctx, out) })
	if err != nil {
		return err
	}
	w.made = append(w.made, s)
	if len(w.made) < manySpills {
		return nil
	}
	return w.mergeAll()
}

// newSegment makes a file, has it written, and opens it.
func (w *writer) newSegment(fill func(*segmentWriter) error) (*segment, error) {
	if err := w.at("segment"); err != nil {
		return nil, err
	}
	name := newName()
	path := filepath.Join(w.dir, name)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("text index: %w", err)
	}
	err = fill(newSegmentWriter(file, w.schema))
	info, statErr := file.Stat()
	if err = errors.Join(err, statErr, file.Close()); err != nil {
		os.Remove(path)
		return nil, err
	}
	data, err := mapFile(path, uint64(info.Size()))
	if err != nil {
		return nil, fmt.Errorf("text index: %w", err)
	}
	s, err := openSegment(name, data, len(w.schema.Fields))
	if err != nil {
		return nil, errors.Join(err, unmap(data))
	}
	return s, nil
}

func newName() string {
	var b [8]byte
	rand.Read(b[:]) //nolint:errcheck // never fails, says crypto/rand
	return segmentPrefix + hex.EncodeToString(b[:])
}

// replace marks as dead what was deleted and what a later segment holds too.
func (w *writer) replace(deletes []int64) {
	deletes = slices.Compact(slices.Sorted(slices.Values(deletes)))
	for _, s := range w.old {
		dead := make(map[uint32]bool, len(s.dead))
		for _, d := range s.dead {
			dead[d] = true
		}
		for _, key := range deletes {
			if d, ok := s.find(key); ok {
				dead[d] = true
			}
		}
		replacedBy(s, w.made, dead)
		s.bury(sortedKeys(dead))
	}
	w.replaceMade()
}

// replaceMade does so among the new segments.
func (w *writer) replaceMade() {
	for i, s := range w.made {
		dead := map[uint32]bool{}
		replacedBy(s, w.made[i+1:], dead)
		s.bury(sortedKeys(dead))
	}
}

func replacedBy(s *segment, later []*segment, dead map[uint32]bool) {
	if s.docs() == 0 {
		return
	}
	for _, l := range later {
		if l.docs() == 0 || l.key(0) > s.key(uint32(s.docs()-1)) {
			continue // the usual case of a build in the order of keys
		}
		for i := range l.docs() {
			if d, ok := s.find(l.key(uint32(i))); ok {
				dead[d] = true
			}
		}
	}
}

func sortedKeys(set map[uint32]bool) []uint32 {
	docs := make([]uint32, 0, len(set))
	for d := range set {
		docs = append(docs, d)
	}
	slices.Sort(docs)
	return docs
}

// commit makes the state of the writer the index: from here on readers see it.
func (w *writer) commit(generation int64) error {
	m := &manifest{generation: generation, fields: w.schema.names()}
	for _, s := range slices.Concat(w.old, w.made) {
		m.segments = append(m.segments, segmentRef{
			name: s.name, size: uint64(len(s.data)), sum: s.sum(), docs: s.foot.docs, dead: s.dead,
		})
	}
	if err := w.at("manifest"); err != nil {
		return err
	}
	temp := filepath.Join(w.dir, tempPrefix+manifestName)
	if err := writeFile(temp, m.append(nil)); err != nil {
		return err
	}
	// The segments' names must be on disk before the manifest that needs them.
	if err := syncFolder(w.dir); err != nil {
		return err
	}
	if err := w.at("rename"); err != nil {
		return err
	}
	if err := later(temp, filepath.Join(w.dir, manifestName)); err != nil {
		return err
	}
	if err := machine.Rename(temp, filepath.Join(w.dir, manifestName)); err != nil {
		return fmt.Errorf("text index: %w", err)
	}
	if err := syncFolder(w.dir); err != nil {
		return err
	}
	return w.sweep(m)
}

// later gives a manifest a later time than that of the one it replaces: the clock of some file systems ticks 64 times a
// second, and Current must see every commit.
func later(next, path string) error {
	was, err := os.Stat(path)
	if err != nil {
		return nil //nolint:nilerr // there is none to differ from
	}
	now, err := os.Stat(next)
	if err == nil && !now.ModTime().After(was.ModTime()) {
		at := was.ModTime().Add(time.Microsecond)
		err = os.Chtimes(next, at, at)
	}
	if err != nil {
		return fmt.Errorf("text index: %w", err)
	}
	return nil
}

func writeFile(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("text index: %w", err)
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// sweep removes our files that a manifest does not name: what it replaced, and what killed writers left. Readers that
// have them mapped keep them; where that keeps the file from being removed it stays until a later commit.
func (w *writer) sweep(m *manifest) error {
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		return fmt.Errorf("text index: %w", err)
	}
	for _, e := range entries {
		ours := isSegment(e.Name()) && !m.names(e.Name()) || strings.HasPrefix(e.Name(), tempPrefix)
		if !ours {
			continue
		}
		if err := w.at("remove"); err != nil {
			return err
		}
		if err := os.Remove(filepath.Join(w.dir, e.Name())); machine.InUse(err) {
			continue // the next commit tries again
		} else if err != nil {
			return fmt.Errorf("text index: %w", err)
		}
	}
	return nil
}
