package nvd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/machine"
)

const (
	lockWait = 10 * time.Second // a ledger is held for the time of one small write
	lockPoll = 20 * time.Millisecond
	// NVD's clock and ours do not tick together: a window is a second longer than theirs.
	window = apiWindow + time.Second
)

// ledger is when the latest requests went out, shared by all processes of one data folder: NVD counts by address, or by
// key, and not by process. A killed process leaves it unlocked.
type ledger struct {
	path  string
	limit int // requests within a window
}

// reserve notes a request now if the limit allows one, and says how long to wait before asking again if not.
func (l ledger) reserve(ctx context.Context, now time.Time) (wait time.Duration, err error) {
	if err := os.MkdirAll(filepath.Dir(l.path), 0o700); err != nil {
		return 0, fault.Unavailable("keep NVD's request limit: %w", err)
	}
	f, err := os.OpenFile(l.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return 0, fault.Unavailable("keep NVD's request limit: %w", err)
	}
	defer f.Close() // which unlocks
	if err := lock(ctx, f); err != nil {
		return 0, err
	}
	times, err := readTimes(f, now)
	if err != nil {
		return 0, err
	}
	if len(times) >= l.limit {
		return times[len(times)-l.limit].Add(window).Sub(now), nil
	}
	return 0, writeTimes(f, append(times, now))
}

func lock(ctx context.Context, f *os.File) error {
	l := &machine.Lock{File: f}
	for end := time.Now().Add(lockWait); ; {
		err := l.Try(true)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, machine.ErrLocked):
			return fault.Unavailable("lock %s: %w", f.Name(), err)
		case time.Now().After(end):
			return fault.Unavailable("%s is locked by another process that does not go on", f.Name())
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lockPoll):
		}
	}
}

// readTimes returns the requests of the window that ends now, oldest first. What is damaged, and what a clock that was
// set back has left in the future, does not count.
func readTimes(f *os.File, now time.Time) ([]time.Time, error) {
	var b [4 << 10]byte
	n, err := f.ReadAt(b[:], 0)
	if n == 0 && err != nil && !errors.Is(err, io.EOF) {
		return nil, fault.Unavailable("read %s: %w", f.Name(), err)
	}
	var times []time.Time
	for line := range bytes.Lines(b[:n]) {
		ms, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64)
		if t := time.UnixMilli(ms); err == nil && t.After(now.Add(-window)) && !t.After(now.Add(time.Second)) {
			times = append(times, t)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return times, nil
}

func writeTimes(f *os.File, times []time.Time) error {
	var b bytes.Buffer
	for _, t := range times {
		fmt.Fprintln(&b, t.UnixMilli())
	}
	if err := f.Truncate(0); err != nil {
		return fault.Unavailable("write %s: %w", f.Name(), err)
	}
	if _, err := f.WriteAt(b.Bytes(), 0); err != nil {
		return fault.Unavailable("write %s: %w", f.Name(), err)
	}
	return nil
}
