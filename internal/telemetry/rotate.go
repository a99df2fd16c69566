package telemetry

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// rotating is a log file that is renamed to name.1 when it is full; name.1 becomes name.2, and so on up to keep.
// A failed rename keeps writing to the old file: a log must not stop the work that it describes.
type rotating struct {
	mu   sync.Mutex
	path string
	max  int64
	keep int
	file *os.File
	size int64
}

func openRotating(path string, maxSize int64, keep int) (*rotating, error) {
	r := &rotating{path: path, max: maxSize, keep: keep}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("create log folder: %w", err)
	}
	return r, r.open()
}

// open appends; 0600 because lines name hosts of the estate.
func (r *rotating) open() error {
	file, err := os.OpenFile(r.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open log file: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(fmt.Errorf("open log file: %w", err), file.Close())
	}
	r.file, r.size = file, info.Size()
	return nil
}

// Write never splits a line over two files: slog writes one record a call.
func (r *rotating) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.size > 0 && r.size+int64(len(line)) > r.max {
		r.rotate()
	}
	n, err := r.file.Write(line)
	r.size += int64(n)
	return n, err
}

func (r *rotating) rotate() {
	old := r.file
	for i := r.keep - 1; i >= 1; i-- {
		err := os.Rename(r.numbered(i), r.numbered(i+1))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return
		}
	}
	if os.Rename(r.path, r.numbered(1)) != nil {
		return
	}
	if r.open() == nil {
		_ = old.Close() // its lines are written; nothing to do about a failing close
	}
}

func (r *rotating) numbered(i int) string { return fmt.Sprintf("%s.%d", r.path, i) }

// Close ends writing.
func (r *rotating) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.file.Close()
}
