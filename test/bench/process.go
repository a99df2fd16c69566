package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// usage is what a child process took.
type usage struct {
	wall   time.Duration
	cpu    time.Duration // user and system
	peak   float64       // bytes resident
	stdout []byte
	code   int
}

// measure runs a command to its end. Exit codes of accepted are no errors.
func measure(ctx context.Context, stdin io.Reader, accepted []int, name string, args ...string) (usage, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	begin := time.Now()
	err := cmd.Run()
	u := usage{wall: time.Since(begin), stdout: stdout.Bytes()}
	if cmd.ProcessState == nil {
		return u, err
	}
	u.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	u.code = cmd.ProcessState.ExitCode()
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.peak = float64(r.Maxrss) * 1024 // Linux counts KiB
	}
	if err != nil && !slices.Contains(accepted, u.code) {
		return u, fmt.Errorf("%s %v: %w: %s", filepath.Base(name), args, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return u, nil
}

// own runs the command under test with the bench's data folder.
func (b *bench) own(ctx context.Context, stdin io.Reader, args ...string) (usage, error) {
	args = append([]string{"--data-dir", b.dataDir, "--no-progress"}, args...)
	return measure(ctx, stdin, []int{3, 4}, b.patchscout, args...)
}

// median runs the command several times and returns the one in the middle by wall time, with the largest peak.
func (b *bench) median(ctx context.Context, times int, args ...string) (usage, error) {
	var runs []usage
	peak := 0.0
	for range times {
		u, err := b.own(ctx, nil, args...)
		if err != nil {
			return u, err
		}
		peak = max(peak, u.peak)
		runs = append(runs, u)
	}
	slices.SortFunc(runs, func(a, b usage) int { return int(a.wall - b.wall) })
	middle := runs[len(runs)/2]
	middle.peak = peak
	return middle, nil
}

// folderSize adds up the files below a folder.
func folderSize(dir string) (total float64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			total += float64(info.Size())
		}
		return err
	})
	return total, err
}
