package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/machine"
)

// folder is the open data folder. Its locks end with their process, however that ends:
//
//	lock              shared while a process uses the folder; exclusive to migrate, restore, remerge
//	migrate           exclusive while waiting for and holding the exclusive lock
//	catalogue.writer  exclusive while a process loads feeds, which lasts longer than a transaction
//	catalogue.switch  shared while a connection is being opened; exclusive for the instant in which the catalogue's
//	                  file is replaced, so that nobody pairs the new file with the old write-ahead log
type folder struct {
	path string
	held *lockFile
	mu   sync.Mutex // one half of the data migrates at a time
}

// migrateWait is how long to wait for others to leave before a migration gives up.
const migrateWait = 10 * time.Second

func openFolder(ctx context.Context, path string, readOnly bool) (*folder, error) {
	if err := checkFolder(path, readOnly); err != nil {
		return nil, err
	}
	f := &folder{path: path}
	held, err := f.lock(ctx, "lock", false, migrateWait)
	if err != nil {
		return nil, err
	}
	f.held = held
	return f, nil
}

// checkFolder makes the folder where it is missing and refuses one that others could have prepared or can read.
func checkFolder(path string, readOnly bool) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if readOnly {
			return fault.NotFound("data folder %s does not exist", path)
		}
		return makeFolder(path)
	}
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if !info.IsDir() {
		return fault.Invalid("data folder %s is a file", path)
	}
	if owner, mine, _ := machine.Owner(path, info); !mine && owner != "" {
		return fault.Denied("data folder %s belongs to user %s, not to you (%s)", path, owner, machine.Me())
	}
	others, err := machine.Others(path, info)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if (others.Read || others.Write) && !readOnly {
		return closeFolder(path, others.Write)
	}
	return nil
}

// makeFolder makes the folder for this user alone, also where a new folder inherits who may use it.
func makeFolder(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	if others, err := machine.Others(path, info); err == nil && others == (machine.Access{}) {
		return nil
	}
	if err := machine.CloseFolder(path); err != nil {
		return fmt.Errorf("close the data folder to others: %w", err)
	}
	return nil
}

// closeFolder takes a folder away from others, unless it holds other files: --data-dir /tmp must not do that to
// everybody's /tmp. Where others can write it is refused, since they could put a database of theirs there; where they can
// only look it stays as it is, our files being closed to them one by one.
func closeFolder(path string, writable bool) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if slices.ContainsFunc(entries, foreign) {
		if writable {
			return fault.Denied("data folder %s can be written by others and holds other files: name a folder of its own, or chmod 700 it", path)
		}
		return nil
	}
	if err := machine.CloseFolder(path); err != nil {
		return fmt.Errorf("close the data folder to others: %w", err)
	}
	return nil
}

// foreign says whether an entry of the data folder is not ours.
func foreign(e os.DirEntry) bool {
	name := e.Name()
	for _, ours := range []string{".lock", ".serve", ".migrate", ".catalogue.", "catalogue.", "estate.", "downloads", workPrefix, oldPrefix} {
		if strings.HasPrefix(name, ours) {
			return false
		}
	}
	return name != "text"
}

func (f *folder) file(name string) string { return filepath.Join(f.path, name) }

func (f *folder) close() error {
	if f == nil {
		return nil
	}
	return f.held.release()
}

// exclusively runs fn while no other process uses the folder, unless another did the work while this one waited:
// enough is asked first. Those who want the folder for themselves queue at a lock of their own and let go of their
// shared one meanwhile; otherwise two that start together would wait for each other.
func (f *folder) exclusively(ctx context.Context, what string, enough func() (bool, error), fn func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.held.unlock(); err != nil {
		return err
	}
	err := f.inTurn(ctx, enough, func() error {
		if err := f.held.wait(ctx, true, migrateWait); err != nil {
			return fmt.Errorf("cannot %s: %w", what, err)
		}
		return fn()
	})
	return errors.Join(err, f.held.wait(ctx, false, migrateWait))
}

// inTurn runs fn while no other process creates or migrates, unless one has done the work.
func (f *folder) inTurn(ctx context.Context, enough func() (bool, error), fn func() error) error {
	turn, err := f.lock(ctx, "migrate", true, 2*migrateWait)
	if err != nil {
		return err
	}
	defer turn.release() //nolint:errcheck // closing a lock file loses nothing
	if ok, err := enough(); ok || err != nil {
		return err
	}
	return fn()
}

// lock takes a named lock of the folder, waiting at most the given time.
func (f *folder) lock(ctx context.Context, name string, exclusive bool, wait time.Duration) (*lockFile, error) {
	file, err := machine.OpenLock(f.file("." + name))
	if err != nil {
		return nil, fmt.Errorf("open a lock file: %w", err)
	}
	l := &lockFile{file}
	if err := l.wait(ctx, exclusive, wait); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return l, nil
}

type lockFile struct{ lock *machine.Lock }

func (l *lockFile) wait(ctx context.Context, exclusive bool, limit time.Duration) error {
	deadline := time.Now().Add(limit)
	for delay := time.Millisecond; ; delay = min(2*delay, 100*time.Millisecond) {
		err := l.lock.Try(exclusive)
		if !errors.Is(err, machine.ErrLocked) {
			if err != nil {
				return fmt.Errorf("lock %s: %w", l.lock.File.Name(), err)
			}
			return nil
		}
		if time.Now().After(deadline) {
			return fault.Conflict("another patchscout process holds %s", l.lock.File.Name())
		}
		if err := pause(ctx, delay); err != nil {
			return err
		}
	}
}

func (l *lockFile) unlock() error { return l.lock.Unlock() }

func (l *lockFile) release() error {
	if l == nil {
		return nil
	}
	return l.lock.Close() // closing drops the lock
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
