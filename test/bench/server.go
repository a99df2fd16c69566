package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The limits of an idle server on a full catalogue.
const (
	serverReady = 1000 // ms from the start of the process to the first 200 of /health/ready
	serverIdle  = 120  // MB resident after serverRests
	serverRests = 10 * time.Second
)

// idleServer starts the server on all feeds and measures when it is ready and what it takes when nobody asks it anything.
func (b *bench) idleServer(ctx context.Context) error {
	lite, err := b.loaded(ctx)
	if err != nil {
		return err
	}
	fmt.Println("\nserver: ready and idle on all feeds, the middle of 3 starts")
	if _, err := b.start(ctx, lite, 0); err != nil { // makes the first user, once
		return err
	}
	var ready, resident []float64
	for range 3 {
		s, err := b.start(ctx, lite, serverRests)
		if err != nil {
			return err
		}
		ready, resident = append(ready, ms(s.ready)), append(resident, s.resident)
	}
	slices.Sort(ready)
	b.figure("ready after", ready[1], serverReady, "ms")
	b.figure("resident after 10 s, the most", slices.Max(resident)/mega, serverIdle, "MB")
	return nil
}

// started is what one start of the server showed.
type started struct {
	ready    time.Duration
	resident float64 // bytes, 0 where the system does not tell
}

// start runs the server until it is ready and has rested, and ends it.
func (b *bench) start(ctx context.Context, on *database, rest time.Duration) (s started, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.patchscout, append(on.flags(), "serve", "--listen", "127.0.0.1:0")...)
	gently(cmd)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return s, err
	}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return s, err
	}
	defer func() {
		cancel()
		if waitErr := cmd.Wait(); err == nil && waitErr != nil && !errors.Is(waitErr, context.Canceled) {
			err = waitErr
		}
	}()
	base, err := announced(stderr)
	if err != nil {
		return s, err
	}
	go io.Copy(io.Discard, stderr) //nolint:errcheck // nobody reads the rest
	for {
		answer, err := http.Get(base + "/health/ready") //nolint:noctx // the server's end ends it
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				break
			}
		}
		if ctx.Err() != nil {
			return s, fmt.Errorf("the server was not ready: %w", ctx.Err())
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.ready = time.Since(begin)
	time.Sleep(rest)
	s.resident = residentOf(cmd.Process.Pid)
	return s, nil
}

// announced reads the URL that the server prints when it listens.
func announced(stderr io.Reader) (string, error) {
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), "listens on "); ok {
			return strings.Fields(url)[0], nil
		}
	}
	return "", errors.New("the server ended before it listened")
}

// residentOf is the resident memory of a process on Linux.
func residentOf(pid int) float64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if kib, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, _ := strconv.ParseFloat(strings.Fields(kib)[0], 64)
			return n * 1024
		}
	}
	return 0
}
