package index

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/machine"
)

// Local keeps vectors in a file of a folder, which several processes may share. In memory are the keys and one bit a
// dimension (some 100 bytes a vector of 384); the rest is read where a search wants it. What is in it can be made again: a
// damaged file loses what stands behind the damage, and Hashes says so to whoever fills it.
type Local struct {
	dir  string
	dims int

	writing sync.Mutex // one writer at a time in this process
	mu      sync.RWMutex
	file    *os.File
	read    int64 // bytes of the file that are in table
	table   table
	closed  bool
}

// OpenLocal opens the vectors of a folder, which is made if it is missing. dims is how many dimensions they have: a file of
// others is replaced by an empty one.
func OpenLocal(dir string, dims int) (*Local, error) {
	if dims < 1 || dims > MaxDimensions {
		return nil, fault.Invalid("vectors of %d dimensions: want 1 to %d", dims, MaxDimensions)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a folder for vectors: %w", err)
	}
	x := &Local{dir: dir, dims: dims, table: newTable(dims)}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x, x.catchUp()
}

func (x *Local) path() string { return filepath.Join(x.dir, "vectors") }

// Dir is the folder.
func (x *Local) Dir() string { return x.dir }

// Close lets go of the file. Closing twice is fine.
func (x *Local) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.closed = true
	if x.file == nil {
		return nil
	}
	err := x.file.Close()
	x.file = nil
	return err
}

// Len is how many vectors there are.
func (x *Local) Len(context.Context) (n int, err error) {
	err = x.current(func() error { n = len(x.table.slots); return nil })
	return n, err
}

// Keys returns every key, in no order.
func (x *Local) Keys(context.Context) (keys []int64, err error) {
	err = x.current(func() error {
		for key := range x.table.slots {
			keys = append(keys, key)
		}
		return nil
	})
	return keys, err
}

// Hashes returns the hashes of those keys that are there.
func (x *Local) Hashes(_ context.Context, keys []int64) (hashes map[int64]uint64, err error) {
	hashes = make(map[int64]uint64, len(keys))
	err = x.current(func() error {
		for _, k := range keys {
			if slot, is := x.table.slots[k]; is {
				hashes[k] = x.table.hashes[slot]
			}
		}
		return nil
	})
	return hashes, err
}

// current runs fn with the state of the file as it is now.
func (x *Local) current(fn func() error) error {
	x.mu.RLock()
	if x.closed || x.isCurrent() {
		defer x.mu.RUnlock()
		if x.closed {
			return fault.Unavailable("the vectors were closed")
		}
		return fn()
	}
	x.mu.RUnlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return fault.Unavailable("the vectors were closed")
	}
	if err := x.catchUp(); err != nil {
		return err
	}
	return fn()
}

// isCurrent says whether the file is still the one that was read, to its end.
func (x *Local) isCurrent() bool {
	now, err := os.Stat(x.path())
	if err != nil || x.file == nil {
		return x.file == nil && errors.Is(err, os.ErrNotExist)
	}
	open, err := x.file.Stat()
	return err == nil && os.SameFile(now, open) && now.Size() == x.read
}

// catchUp reads what was added to the file, or the whole of another one.
func (x *Local) catchUp() error {
	file, err := os.Open(x.path())
	switch {
	case errors.Is(err, os.ErrNotExist):
		x.reset(nil)
		return nil
	case err != nil:
		return fmt.Errorf("open vectors: %w", err)
	}
	if x.file != nil && same(x.file, file) {
		file.Close()
		return x.readOn()
	}
	x.reset(file)
	head := make([]byte, headerSize)
	if n, err := file.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read vectors: %w", err)
	} else if err := checkHeader(head[:n], x.dims); err != nil {
		x.reset(nil) // the next writer makes a new one
		return nil
	}
	x.read = headerSize
	return x.readOn()
}

func same(a, b *os.File) bool {
	x, errX := a.Stat()
	y, errY := b.Stat()
	return errX == nil && errY == nil && os.SameFile(x, y)
}

func (x *Local) reset(file *os.File) {
	if x.file != nil {
		x.file.Close()
	}
	x.file, x.read, x.table = file, 0, newTable(x.dims)
}

// readOn reads records from where the last look ended.
func (x *Local) readOn() error {
	info, err := x.file.Stat()
	if err != nil {
		return fmt.Errorf("read vectors: %w", err)
	}
	size := int64(fixedSize + x.dims)
	x.table.grow(int((info.Size() - x.read) / size))
	in := io.NewSectionReader(x.file, x.read, info.Size()-x.read)
	block := make([]byte, size*int64(max(1, min(1<<20/size, (info.Size()-x.read)/size+1))))
	for {
		n, err := io.ReadFull(in, block)
		for at := int64(0); at+size <= int64(n); at += size {
			var r record
			if !r.read(block[at : at+size]) {
				return nil // what was being written, or is damaged: a writer cuts it off
			}
			x.table.apply(&r)
			x.read += size
		}
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return fmt.Errorf("read vectors: %w", err)
		}
	}
}

// Upsert adds or replaces.
func (x *Local) Upsert(ctx context.Context, items []Item) error {
	for _, it := range items {
		if err := x.check(it.Vector); err != nil {
			return fmt.Errorf("vector %d: %w", it.Key, err)
		}
	}
	return x.write(ctx, len(items), func(i int, r *record) {
		it := &items[i]
		*r = record{key: it.Key, group: it.Group, hash: it.Hash, what: put, codes: r.codes}
		r.scale = quantise(it.Vector, r.codes)
	})
}

// check says what is wrong with a vector.
func (x *Local) check(vector []float32) error {
	if len(vector) != x.dims {
		return fault.Invalid("of %d dimensions, want %d", len(vector), x.dims)
	}
	for i, v := range vector {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fault.Invalid("dimension %d is no number", i)
		}
	}
	return nil
}

// Delete removes keys; one that is not there is no error.
func (x *Local) Delete(ctx context.Context, keys []int64) error {
	var there []int64
	err := x.current(func() error {
		for _, k := range keys {
			if _, is := x.table.slots[k]; is {
				there = append(there, k)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return x.write(ctx, len(there), func(i int, r *record) {
		clear(r.codes)
		*r = record{key: there[i], what: removal, codes: r.codes}
	})
}

// write adds n records, or writes the file anew where most of it is dead.
func (x *Local) write(ctx context.Context, n int, fill func(i int, r *record)) error {
	if n == 0 {
		return nil
	}
	x.writing.Lock()
	defer x.writing.Unlock()
	lock, err := x.lock(ctx)
	if err != nil {
		return err
	}
	defer lock.Close() //nolint:errcheck // closing lets go, whatever it says
	if err := x.current(func() error { return nil }); err != nil {
		return err
	}
	if err := x.add(n, fill); err != nil {
		return fmt.Errorf("write vectors: %w", err)
	}
	if err := x.current(func() error { return nil }); err != nil {
		return err
	}
	if x.table.mostlyDead() {
		return x.compact()
	}
	return nil
}

// lock waits until no other process writes.
func (x *Local) lock(ctx context.Context) (*machine.Lock, error) {
	lock, err := machine.OpenLock(filepath.Join(x.dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("lock vectors: %w", err)
	}
	for {
		err := lock.Try(true)
		if err == nil {
			return lock, nil
		}
		if !errors.Is(err, machine.ErrLocked) {
			return nil, errors.Join(fmt.Errorf("lock vectors: %w", err), lock.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), lock.Close())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// add appends records behind the last whole one.
func (x *Local) add(n int, fill func(i int, r *record)) error {
	fresh := x.file == nil
	flags := os.O_RDWR | os.O_CREATE
	if fresh {
		flags |= os.O_TRUNC
	}
	out, err := os.OpenFile(x.path(), flags, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	at := x.read
	if fresh {
		if _, err := out.WriteAt(header(x.dims), 0); err != nil {
			return err
		}
		at = headerSize
	} else if err := out.Truncate(at); err != nil { // what a killed writer left
		return err
	}
	r := record{codes: make([]byte, x.dims)}
	block := make([]byte, 0, 1<<20)
	for i := range n {
		fill(i, &r)
		block = r.append(block)
		if len(block)+fixedSize+x.dims > cap(block) || i == n-1 {
			if _, err := out.WriteAt(block, at); err != nil {
				return err
			}
			at += int64(len(block))
			block = block[:0]
		}
	}
	return nil
}

// compact writes what lives to a new file, which replaces the old one as a whole.
func (x *Local) compact() error {
	name := x.path() + ".new"
	out, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write vectors: %w", err)
	}
	err = x.copyLiving(out)
	if errClose := out.Close(); err == nil {
		err = errClose
	}
	if err == nil {
		err = machine.Rename(name, x.path())
	}
	if err != nil {
		_ = os.Remove(name)
		return fmt.Errorf("write vectors: %w", err)
	}
	return x.current(func() error { return nil })
}

func (x *Local) copyLiving(out *os.File) error {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if _, err := out.Write(header(x.dims)); err != nil {
		return err
	}
	size := fixedSize + x.dims
	block := make([]byte, size)
	for slot, group := range x.table.groups {
		if group == dead {
			continue
		}
		if _, err := x.file.ReadAt(block, x.at(slot)); err != nil {
			return err
		}
		if _, err := out.Write(block); err != nil {
			return err
		}
	}
	return nil
}

// at is where the record of a slot begins.
func (x *Local) at(slot int) int64 { return headerSize + int64(slot)*int64(fixedSize+x.dims) }
