package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// measure runs a command to its end with its output in a file. Exit codes of accepted are no errors.
//
// It goes through a second process of this program: Linux counts the memory of whoever forks into the child's peak, and
// this one has read hundreds of megabytes of feeds by then.
func measure(ctx context.Context, stdin io.Reader, accepted []int, name string, args ...string) (usage, error) {
	self, err := os.Executable()
	if err != nil {
		return usage{}, err
	}
	output, err := os.CreateTemp("", "patchscout-bench-*")
	if err != nil {
		return usage{}, err
	}
	defer os.Remove(output.Name())
	defer output.Close()
	var figures, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, self, append([]string{name}, args...)...)
	cmd.Env = append(os.Environ(), childMarker+"="+output.Name())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &figures, &stderr
	gently(cmd)
	if err := cmd.Run(); err != nil {
		return usage{}, fmt.Errorf("%s: %w: %s", filepath.Base(name), err, bytes.TrimSpace(stderr.Bytes()))
	}
	var u usage
	if _, err := fmt.Sscan(figures.String(), &u.wall, &u.cpu, &u.peak, &u.code); err != nil {
		return u, fmt.Errorf("figures of %s: %w", filepath.Base(name), err)
	}
	if u.code != 0 && !slices.Contains(accepted, u.code) {
		return u, fmt.Errorf("%s %v: exit code %d: %s", filepath.Base(name), args, u.code, bytes.TrimSpace(stderr.Bytes()))
	}
	u.stdout, err = os.ReadFile(output.Name())
	return u, err
}

// childMarker names the file for the output in the second process.
const childMarker = "PATCHSCOUT_BENCH_OUTPUT"

// gently has a cancelled command interrupted, so that it can end what it started itself, and killed when that takes long.
func gently(cmd *exec.Cmd) {
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
}

// measureHere is the second process: it runs the command that its arguments name and prints what that took.
func measureHere(ctx context.Context, output string, args []string) error {
	if err := os.Unsetenv(childMarker); err != nil {
		return err
	}
	file, err := os.OpenFile(output, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	gently(cmd)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, file, os.Stderr
	begin := time.Now()
	err = cmd.Run()
	wall := time.Since(begin)
	if cmd.ProcessState == nil {
		return err
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	_, err = fmt.Println(int64(wall), int64(cpu), peakOf(cmd.ProcessState), cmd.ProcessState.ExitCode())
	return err
}

// database is where the command under test keeps its data.
type database struct {
	name string
	dir  string // the data folder
	url  string // "": SQLite in the folder
}

// flags are those that have the command under test use a database.
func (d *database) flags() []string {
	flags := []string{"--data-dir", d.dir, "--no-progress"}
	if d.url != "" {
		flags = append(flags, "--database-url", d.url)
	}
	return flags
}

// own runs the command under test on a database.
func (b *bench) own(ctx context.Context, on *database, stdin io.Reader, args ...string) (usage, error) {
	return measure(ctx, stdin, []int{3, 4}, b.patchscout, append(on.flags(), args...)...)
}

// median runs the command several times and returns the one in the middle by wall time, with the largest peak.
func (b *bench) median(ctx context.Context, on *database, times int, args ...string) (usage, error) {
	var runs []usage
	peak := 0.0
	for range times {
		u, err := b.own(ctx, on, nil, args...)
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
