//go:build unix

package textindex

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
)

// mapFile maps a file for reading. The mapping outlives the file's name.
func mapFile(path string, size uint64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if uint64(info.Size()) != size || size == 0 || !info.Mode().IsRegular() {
		return nil, damaged("%s has %d bytes, want %d", filepath.Base(path), info.Size(), size)
	}
	data, err := syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", path, err)
	}
	return data, nil
}

func unmap(data []byte) error { return syscall.Munmap(data) }

// makeFolder makes a folder that is ours alone.
func makeFolder(dir string) error {
	info, err := os.Lstat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = os.MkdirAll(dir, 0o700)
	case err == nil && !info.IsDir():
		return fault.Invalid("text index: %s is no folder", dir)
	case err == nil && info.Mode().Perm()&0o077 != 0:
		err = os.Chmod(dir, 0o700)
	}
	if err != nil {
		return fmt.Errorf("text index: %w", err)
	}
	return nil
}

// lockFolder waits until this process is the only one that writes, or until ctx is done. The lock is an flock: a killed
// process leaves none behind.
func lockFolder(ctx context.Context, dir string, wait bool) (release func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("text index: %w", err)
	}
	for delay := time.Millisecond; ; delay = min(2*delay, 100*time.Millisecond) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return func() { f.Close() }, nil
		case errors.Is(err, syscall.EINTR):
			continue
		case !errors.Is(err, syscall.EWOULDBLOCK):
			f.Close()
			return nil, fmt.Errorf("lock text index %s: %w", dir, err)
		case !wait:
			f.Close()
			return nil, fault.Conflict("another process is writing the text index %s", dir)
		}
		if err := pause(ctx, delay); err != nil {
			f.Close()
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
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("text index: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("text index: %w", err)
	}
	return nil
}
