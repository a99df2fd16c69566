package textindex

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/machine"
)

// Index answers searches from the state that its folder had when it was opened. Safe for concurrent use. It holds no
// lock: a writer may replace or remove its files meanwhile.
type Index struct {
	schema   Schema
	manifest *manifest
	stamp    os.FileInfo // of the manifest
	dir      string
	segments []*segment
	scales   []float64 // for each segment's bounds
	docs     int       // living
	norms    *norms

	mu     sync.RWMutex // held for reading by searches, for writing by Close
	closed bool
}

// Open opens the index of a folder. fault.NotFound: there is none. fault.Invalid: it has other fields than the schema,
// or was written by a newer program. fault.Unavailable: it is damaged. Whatever the reason, Create makes a new one.
func Open(dir string, schema Schema) (*Index, error) {
	if err := schema.Validate(); err != nil {
		return nil, err
	}
	for try := 0; ; try++ {
		x, err := open(dir, schema)
		// A writer may have replaced the manifest and removed a segment between our reading the one and opening the other.
		if err == nil {
			return x, nil
		}
		if !errors.Is(err, fs.ErrNotExist) || try == maxTries {
			return nil, missing(err)
		}
	}
}

const maxTries = 20

// missing says of a segment that is not there that this is damage.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return damaged("%w", err)
	}
	return err
}

func open(dir string, schema Schema) (x *Index, err error) {
	defer catchFault(debug.SetPanicOnFault(true), &err)
	stamp, statErr := os.Stat(filepath.Join(dir, manifestName))
	m, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	if statErr != nil {
		return nil, fmt.Errorf("text index: %w", statErr)
	}
	if !slices.Equal(m.fields, schema.names()) {
		return nil, fault.Invalid("text index %s has the fields %.200q, want %q", dir, m.fields, schema.names())
	}
	x = &Index{schema: schema, manifest: m, stamp: stamp, dir: dir}
	for _, ref := range m.segments {
		s, err := mapSegment(dir, ref, len(m.fields))
		if err != nil {
			return nil, errors.Join(err, x.Close())
		}
		x.segments = append(x.segments, s)
	}
	x.count()
	return x, nil
}

// mapSegment opens a segment that a manifest names.
func mapSegment(dir string, ref segmentRef, fields int) (*segment, error) {
	data, err := mapFile(filepath.Join(dir, ref.name), ref.size)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) && fault.KindOf(err) == fault.KindInternal {
			err = fmt.Errorf("text index: %w", err)
		}
		return nil, err
	}
	s, err := openSegment(ref.name, data, fields)
	if err == nil && (ref.sum != s.sum() || ref.docs != s.foot.docs) {
		err = damaged("%s is not the segment that the manifest names", ref.name)
	}
	if err != nil {
		return nil, errors.Join(err, unmap(data))
	}
	s.bury(ref.dead)
	return s, nil
}

// count adds up what BM25F needs to know of all documents.
func (x *Index) count() {
	sums := make([]uint64, len(x.schema.Fields))
	for _, s := range x.segments {
		x.docs += s.docs() - len(s.dead)
		for f, n := range s.livingLengths() {
			sums[f] += n
		}
	}
	x.norms = newNorms(x.schema.Fields, sums, x.docs)
	for _, s := range x.segments {
		x.scales = append(x.scales, s.scaleOf(x.norms))
	}
}

// Close waits for searches under way and gives the files back. Searches after it fail. Closing twice is fine.
func (x *Index) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return nil
	}
	x.closed = true
	var err error
	for _, s := range x.segments {
		err = errors.Join(err, unmap(s.data))
	}
	return err
}

// Generation is the one given to the Create or Update that made this state.
func (x *Index) Generation() int64 { return x.manifest.generation }

// Docs is the number of documents.
func (x *Index) Docs() int { return x.docs }

// Current says whether the folder still holds the state that was opened; it costs one stat. When it does not, open the
// index again.
func (x *Index) Current() bool {
	now, err := os.Stat(filepath.Join(x.dir, manifestName))
	return err == nil && now.ModTime().Equal(x.stamp.ModTime()) && now.Size() == x.stamp.Size() &&
		(machine.SameFileOpens || os.SameFile(now, x.stamp)) // readers who keep asking must not keep writers from answering
}
