package job

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"log/slog"
	"sync"
	"time"
)

// Times says when something comes again: config.Schedule, which reads cron's syntax and "@every 6h".
type Times interface {
	// Next is the first time after another, zero for never.
	Next(after time.Time) time.Time
}

// Schedule has jobs made again and again.
type Schedule struct {
	Name  string // there is one of a name
	Times Times
	// Spread is how far at most a moment is put off, so that not all installations call at once: always by the same amount
	// in one installation.
	Spread time.Duration
	// Job is queued. A Key keeps it from being queued while the last one is unfinished.
	Job Job
	// If says whether there is anything to do; nil is always.
	If func(ctx context.Context) (bool, error)
}

// Firings remember when schedules fired, for all processes.
type Firings interface {
	// Installation tells this installation from others.
	Installation(ctx context.Context) (string, error)
	// Fired returns the moment for which each schedule fired last; one that never did is absent.
	Fired(ctx context.Context) (map[string]time.Time, error)
	// Fire moves a schedule on from the moment last (zero: it never fired) and queues jobs, both or neither. fired is false
	// when another process did.
	Fire(ctx context.Context, name string, last, moment time.Time, jobs ...Job) (fired bool, err error)
}

// tickEvery is how often schedules are looked at: the finest is a minute.
const tickEvery = 10 * time.Second

// Scheduler queues the jobs of schedules when their time comes. Any number of processes may have one: each moment fires
// once. What was missed while none ran fires once, not as often as it was missed.
type Scheduler struct {
	firings Firings
	source  func(ctx context.Context) ([]Schedule, error)
	wake    func()
	log     *slog.Logger
	now     func() time.Time

	mu      sync.Mutex
	stopped bool
	end     context.CancelFunc
	loop    sync.WaitGroup
}

// NewScheduler returns a Scheduler. source is asked at every look, so that schedules may come and go; wake is called when
// jobs were queued. Of the options Log and Now are used.
func NewScheduler(firings Firings, source func(ctx context.Context) ([]Schedule, error), wake func(), opts Options) *Scheduler {
	opts = opts.WithDefaults()
	return &Scheduler{firings: firings, source: source, wake: wake, log: opts.Log, now: opts.Now}
}

// Start begins to look at the schedules until Stop. It does nothing after Stop and the second time.
func (s *Scheduler) Start(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped || s.end != nil {
		return
	}
	ctx, s.end = context.WithCancel(context.WithoutCancel(ctx))
	s.loop.Go(func() { s.run(ctx) })
}

// Stop ends that and waits for it.
func (s *Scheduler) Stop() {
	s.mu.Lock()
	s.stopped = true
	if s.end != nil {
		s.end()
	}
	s.mu.Unlock()
	s.loop.Wait()
}

func (s *Scheduler) run(ctx context.Context) {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	trouble := Trouble{Log: s.log, What: "schedules cannot be looked at"}
	for {
		trouble.Note(ctx, s.Look(ctx))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Look fires what is due now.
func (s *Scheduler) Look(ctx context.Context) error {
	schedules, err := s.source(ctx)
	if err != nil || len(schedules) == 0 {
		return err
	}
	installation, err := s.firings.Installation(ctx)
	if err != nil {
		return err
	}
	fired, err := s.firings.Fired(ctx)
	if err != nil {
		return err
	}
	for _, one := range schedules {
		if err := s.look(ctx, one, fired[one.Name], Spread(installation, one.Name, one.Spread)); err != nil {
			return err
		}
	}
	return nil
}

// look fires one schedule if its moment has come. One that never fired begins to count now. So does one whose last moment
// lies ahead: the clock was set back, and nobody is to wait until it is there again.
func (s *Scheduler) look(ctx context.Context, one Schedule, last time.Time, spread time.Duration) error {
	now := s.now()
	if last.IsZero() || last.After(now.Add(time.Minute)) {
		_, err := s.firings.Fire(ctx, one.Name, last, now)
		return err
	}
	moment := one.Times.Next(last)
	if moment.IsZero() || moment.Add(spread).After(now) {
		return nil
	}
	// Of several moments that were missed the last one is meant.
	if next := one.Times.Next(moment); !next.IsZero() && !next.Add(spread).After(now) {
		moment = now.Add(-spread)
	}
	var jobs []Job
	due := true
	if one.If != nil {
		var err error
		if due, err = one.If(ctx); err != nil {
			return err
		}
	}
	if due {
		jobs = append(jobs, one.Job)
	}
	won, err := s.firings.Fire(ctx, one.Name, last, moment, jobs...)
	if err == nil && won && due {
		s.log.Info("schedule fired", "schedule", one.Name, "kind", string(one.Job.Kind), "moment", moment)
		s.wake()
	}
	return err
}

// Spread is by how much an installation puts off a schedule: evenly from 0 to most over all installations, whole seconds.
func Spread(installation, name string, most time.Duration) time.Duration {
	seconds := uint64(max(0, most/time.Second))
	if seconds == 0 {
		return 0
	}
	sum := sha256.Sum256([]byte(installation + "\x00" + name))
	return time.Duration(binary.BigEndian.Uint64(sum[:])%(seconds+1)) * time.Second //nolint:gosec // seconds came from a duration
}
