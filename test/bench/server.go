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
	"sync"
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
	var ready, resident []float64
	for i := range 4 {
		s, err := b.serve(ctx, lite)
		if err != nil {
			return err
		}
		if i > 0 { // the first start makes the first user
			time.Sleep(serverRests)
			ready, resident = append(ready, ms(s.ready)), append(resident, residentOf(s.pid))
		}
		if err := s.stop(); err != nil {
			return err
		}
	}
	slices.Sort(ready)
	b.figure("ready after", ready[1], serverReady, "ms")
	b.figure("resident after 10 s, the most", slices.Max(resident)/mega, serverIdle, "MB")
	return nil
}

// served is a server that runs.
type served struct {
	url   string
	pid   int
	ready time.Duration // from the start of the process to the first 200 of /health/ready
	stop  func() error  // may be called twice
}

// serve starts the server on a free port and waits until it is ready.
func (b *bench) serve(ctx context.Context, on *database, more ...string) (*served, error) {
	if err := os.MkdirAll(on.dir, 0o700); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, b.patchscout, slices.Concat(on.flags(), []string{"serve", "--listen", "127.0.0.1:0"}, more)...)
	gently(cmd)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &served{pid: cmd.Process.Pid}
	s.stop = sync.OnceValue(func() error {
		_ = cmd.Process.Signal(os.Interrupt)
		return cmd.Wait()
	})
	if s.url, err = announced(stderr); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	go io.Copy(io.Discard, stderr) //nolint:errcheck // nobody reads the rest
	if err := s.wait(ctx); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	s.ready = time.Since(begin)
	return s, nil
}

// wait asks until the server says that it is ready.
func (s *served) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/health/ready", nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(r); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		if ctx.Err() != nil {
			return fmt.Errorf("the server was not ready: %w", ctx.Err())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// announced reads the URL that the server prints when it listens, or says what it said before it ended.
func announced(stderr io.Reader) (string, error) {
	said := ""
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), "listens on "); ok {
			return strings.Fields(url)[0], nil
		}
		said = lines.Text()
	}
	return "", fmt.Errorf("the server ended before it listened: %s", said)
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
