package textindex

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/machine"
)

// openMapped opens a segment to be mapped. Its size is checked: what lies behind the end of a file must not be read.
func openMapped(path string, size uint64) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if uint64(info.Size()) != size || size == 0 || !info.Mode().IsRegular() {
		return nil, errors.Join(damaged("%s has %d bytes, want %d", filepath.Base(path), info.Size(), size), f.Close())
	}
	return f, nil
}

// makeFolder makes a folder that is ours alone.
func makeFolder(dir string) error {
	info, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(dir, 0o700); err == nil {
			info, err = os.Lstat(dir)
		}
	}
	if err != nil {
		return fmt.Errorf("text index: %w", err)
	}
	if !info.IsDir() {
		return fault.Invalid("text index: %s is no folder", dir)
	}
	others, err := machine.Others(dir, info)
	if err == nil && (others.Read || others.Write) {
		err = machine.CloseFolder(dir)
	}
	if err != nil {
		return fmt.Errorf("text index: %w", err)
	}
	return nil
}

// lockFolder waits until this process is the only one that writes, or until ctx is done. A killed
// process leaves no lock behind.
func lockFolder(ctx context.Context, dir string, wait bool) (release func(), err error) {
	l, err := machine.OpenLock(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("text index: %w", err)
	}
	for delay := time.Millisecond; ; delay = min(2*delay, 100*time.Millisecond) {
		err := l.Try(true)
		switch {
		case err == nil:
			return func() { _ = l.Close() }, nil // the process's end releases it too
		case !errors.Is(err, machine.ErrLocked):
			_ = l.Close()
			return nil, fmt.Errorf("lock text index %s: %w", dir, err)
		case !wait:
			_ = l.Close()
			return nil, fault.Conflict("another process is writing the text index %s", dir)
		}
		if err := pause(ctx, delay); err != nil {
			_ = l.Close()
			return nil, err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// syncFolder makes names that were added or replaced last.
func syncFolder(dir string) error {
	if err := machine.Sync(dir); err != nil {
		return fmt.Errorf("text index: %w", err)
	}
	return nil
}
