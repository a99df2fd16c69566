package worker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

const (
	waitIdle = 20 * time.Second // for a job, while all scanners have room
	waitBusy = 2 * time.Second  // for a job of some scanners, while others of them run
	// DefaultGrace is how long tools have to end when the worker stops, before their jobs are handed back.
	DefaultGrace = 10 * time.Second

	minBackoff = 500 * time.Millisecond
	maxBackoff = 5 * time.Second // less than job.Alive, so that a server that comes back hears of every job in time
	byeWithin  = 3 * time.Second
	greetEvery = 5 * time.Minute // what the scanners here say of themselves may have changed
)

// Tool is a scanner that this machine has.
type Tool struct {
	Name     string
	Parallel int // runs of it at one time, at least 1
	Open     func() (scan.Scanner, error)
}

// Options say how to work.
type Options struct {
	Server      Server
	Name        string // of this process, for people
	Concurrency int    // tools at one time, at least 1
	Tools       []Tool
	Grace       time.Duration // 0 is DefaultGrace
	Log         *slog.Logger  // nil logs nothing
	// Ready is called once, when the server knows of the worker.
	Ready func(site string)
}

// Work leases and runs jobs until ctx ends; then the running ones have Grace to end before they are handed back. A server
// that does not answer is asked again for as long as it takes; one that does not let the worker in is an error.
func Work(ctx context.Context, opts Options) error {
	c, err := newClient(opts.Server)
	if err != nil {
		return err
	}
	if _, err := opts.Server.Token(); err != nil {
		return err
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Grace <= 0 {
		opts.Grace = DefaultGrace
	}
	w := &worker{Options: opts, client: c, side: map[string]int{}, slots: make(chan struct{}, max(1, opts.Concurrency))}
	if err := w.greet(ctx); err != nil {
		return err
	}
	if opts.Ready != nil {
		opts.Ready(w.welcome.Site)
	}
	return w.work(ctx)
}

type worker struct {
	Options
	client  *client
	welcome Welcome
	greeted time.Time
	slots   chan struct{}

	mu   sync.Mutex
	side map[string]int // running, by scanner
}

// greet says hello until the server answers.
func (w *worker) greet(ctx context.Context) error {
	hello := w.hello(ctx)
	for pause := minBackoff; ; pause = longer(pause) {
		err := w.quickly(ctx, "/hello", hello, &w.welcome)
		switch {
		case err == nil:
			w.greeted = time.Now()
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !again(err), untrusted(err):
			return err
		}
		w.Log.Warn("the server does not answer; trying again", "error", err)
		if !sleep(ctx, jitter(pause)) {
			return ctx.Err()
		}
	}
}

// untrusted says that the server's certificate is not one to believe, which is for a person to mend.
func untrusted(err error) bool {
	var bad *tls.CertificateVerificationError
	return errors.As(err, &bad)
}

// hello asks every scanner whether it is there, all at once.
func (w *worker) hello(ctx context.Context) Hello {
	h := Hello{Name: w.Name, Version: w.Server.Version, Capacity: cap(w.slots), Scanners: make([]HelloTool, len(w.Tools))}
	var wg sync.WaitGroup
	for i, t := range w.Tools {
		wg.Go(func() {
			h.Scanners[i] = HelloTool{Name: t.Name, Parallel: max(1, t.Parallel)}
			s, err := t.Open()
			if err == nil {
				h.Scanners[i].Version, err = version(ctx, s)
			}
			if err != nil {
				h.Scanners[i].Error = intake.Cut(err.Error(), 1000)
			}
			h.Scanners[i].Version = intake.Cut(h.Scanners[i].Version, 200)
		})
	}
	wg.Wait()
	return h
}

// work leases and runs until ctx ends.
func (w *worker) work(ctx context.Context) error {
	running, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	var jobs sync.WaitGroup
	err := w.lease(ctx, func(l Lease) {
		jobs.Go(func() {
			defer w.release(l.Order.Scanner)
			w.run(running, l)
		})
	})
	ended := make(chan struct{})
	go func() { jobs.Wait(); close(ended) }()
	if err != nil { // the server let this worker in and does not any more
		stop(job.ErrLost)
	}
	select {
	case <-ended:
	case <-time.After(w.Grace):
		stop(job.ErrStopping)
		<-ended
	}
	bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), byeWithin)
	defer cancel()
	_ = w.client.call(bye, "/goodbye", Farewell{Worker: w.Name}, nil) // it is noticed without, later
	return err
}

// lease asks for jobs while there is room, and starts what it gets. It returns nil when ctx ends, and why the server does
// not want this worker any more.
func (w *worker) lease(ctx context.Context, start func(Lease)) error {
	pause := minBackoff
	for {
		select {
		case <-ctx.Done():
			return nil
		case w.slots <- struct{}{}:
		}
		l, err := w.ask(ctx)
		if l != nil {
			w.mu.Lock()
			w.side[l.Order.Scanner]++
			w.mu.Unlock()
			start(*l)
			pause = minBackoff
			continue
		}
		<-w.slots
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			pause = minBackoff
			continue
		case fault.KindOf(err) == fault.KindDenied:
			return err
		}
		w.Log.Warn("no job could be leased; trying again", "error", err)
		if !sleep(ctx, jitter(pause)) {
			return nil
		}
		pause = longer(pause)
	}
}

// ask waits for one job.
func (w *worker) ask(ctx context.Context) (*Lease, error) {
	if time.Since(w.greeted) > greetEvery {
		w.greeted = time.Now()
		if err := w.quickly(ctx, "/hello", w.hello(ctx), &w.welcome); err != nil {
			return nil, err
		}
	}
	names, wait := w.room()
	if len(names) == 0 {
		sleep(ctx, minBackoff)
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, wait+callWithin)
	defer cancel()
	var got Leased
	err := w.client.call(ctx, "/lease", Ask{Worker: w.Name, Scanners: names, WaitMS: wait.Milliseconds()}, &got)
	return got.Job, err
}

// room lists the scanners of which one more may run, and how long to wait for a job of theirs.
func (w *worker) room() (names []string, wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	wait = waitIdle
	for _, t := range w.Tools {
		if w.side[t.Name] < max(1, t.Parallel) {
			names = append(names, t.Name)
		} else {
			wait = waitBusy
		}
	}
	return names, wait
}

func (w *worker) release(scanner string) {
	w.mu.Lock()
	w.side[scanner]--
	w.mu.Unlock()
	<-w.slots
}

// quickly is a call that does not wait.
func (w *worker) quickly(ctx context.Context, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	return w.client.call(ctx, path, in, out)
}

func (w *worker) scanner(name string) (scan.Scanner, error) {
	for _, t := range w.Tools {
		if t.Name == name {
			return t.Open()
		}
	}
	return nil, fault.Unavailable("this worker has no scanner %s", name)
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func longer(d time.Duration) time.Duration { return min(2*d, maxBackoff) }

// jitter keeps the workers of a server that was away from coming back all at once.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d) }

// lost says that the server does not count on this worker any more.
func lost(err error) bool {
	switch fault.KindOf(err) {
	case fault.KindDenied, fault.KindNotFound, fault.KindConflict:
		return true
	}
	return false
}

func jobPath(id int64, what string) string { return fmt.Sprintf("/jobs/%d/%s", id, what) }
