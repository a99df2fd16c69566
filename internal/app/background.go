package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/job/local"
	"github.com/patchscout/patchscout/internal/job/river"
	"github.com/patchscout/patchscout/internal/store"
)

// How long what the server did is kept.
const (
	jobsKept   = 30 * 24 * time.Hour
	eventsKept = 7 * 24 * time.Hour
	auditKept  = 400 * 24 * time.Hour // a year and the time to look at it
)

// background is what a process does beside answering: it runs jobs, and has the server's own queued when they are due.
type background struct {
	queue     job.Queue
	scheduler *job.Scheduler
	withdraw  func() // says that this process runs no tools any more
	readying  sync.WaitGroup
	hurry     context.CancelFunc
	ending    atomic.Bool
}

// duties are what a process that runs jobs does besides.
type duties struct {
	version   string
	schedules bool // has the server's own jobs queued
	starter   bool // loads the starter catalogue where there is none
}

// startBackground begins to run jobs.
func (a *App) startBackground(ctx context.Context, d duties) (*background, error) {
	a.slots = make(chan struct{}, a.cfg.Jobs.Tools)
	queue, err := a.newQueue(ctx)
	if err != nil {
		return nil, err
	}
	a.queue = queue
	ctx = context.WithoutCancel(ctx)
	readying, hurry := context.WithCancel(ctx)
	b := &background{queue: queue, scheduler: a.scheduler(), withdraw: func() {}, hurry: hurry}
	if a.store.Engine() == store.Postgres {
		b.withdraw = a.enlist(ctx, d.version, a.cfg.Jobs.Tools)
	}
	if d.starter {
		a.prepared = make(chan struct{})
		b.readying.Go(func() {
			defer close(a.prepared)
			if err := a.Prepare(readying, func(Progress) {}); err != nil && readying.Err() == nil {
				a.log.Warn("the starter catalogue was not loaded", "error", err)
			}
		})
	}
	if err := queue.Start(ctx); err != nil {
		b.withdraw()
		hurry()
		return nil, err
	}
	if d.schedules {
		b.scheduler.Start(ctx)
		b.readying.Go(func() { a.keepAwake(readying) })
		b.readying.Go(func() { a.warm(readying) })
		b.readying.Go(func() { a.followPaths(readying) })
		b.readying.Go(func() { a.followVectors(readying) })
	}
	return b, nil
}

// stop ends it all: no job begins any more, those that run have until ctx ends and are then handed on.
func (b *background) stop(ctx context.Context) error {
	b.ending.Store(true)
	b.scheduler.Stop()
	b.hurry()
	err := b.queue.Stop(ctx)
	b.withdraw()
	b.readying.Wait()
	return err
}

// trouble says why no jobs are done, "" is fine.
func (b *background) trouble() string {
	if b.ending.Load() {
		return "the server stops"
	}
	return ""
}

func (a *App) newQueue(ctx context.Context) (job.Queue, error) {
	options := job.Options{Worker: processName(), Log: a.log, Now: a.now, Limits: map[job.Kind]int{
		job.Scan: a.cfg.Jobs.Scans, job.Tool: a.cfg.Jobs.Tools, job.Import: a.cfg.Jobs.Imports,
	}}
	if a.store.Engine() == store.Postgres {
		return river.New(ctx, a.cfg.DatabaseURL.Reveal(), a.store.Jobs(), a.handlers(), options)
	}
	return local.New(a.store.Jobs(), a.handlers(), options), nil
}

// handlers is what is done for each kind of job. They act for the system: whoever asked for a job was judged when he did.
func (a *App) handlers() map[job.Kind]job.Handler {
	s := a.For(auth.ForSystem())
	return map[job.Kind]job.Handler{
		job.Scan: s.conduct, job.Tool: s.toolJob,
		job.Import: s.importJob, job.Ingest: s.ingestJob, job.Feeds: s.feedsJob,
		job.Rematch: s.rematchJob, job.Triage: s.triageJob, job.Purge: s.purgeJob, job.Paths: s.pathsJob,
	}
}

// rematchJob judges the estate anew after the catalogue changed.
func (a *App) rematchJob(ctx context.Context, r *job.Run) error {
	r.Progress(0, "matching known hosts anew")
	done, err := a.rematch(ctx, &syncProgress{report: func(p Progress) { r.Progress(p.Percent, p.Stage) }})
	return errors.Join(err, r.Result(done))
}

// triageJob applies the rules and terms to everything.
func (a *App) triageJob(ctx context.Context, r *job.Run) error {
	var args struct {
		ApplyRules bool `json:"apply_rules"`
	}
	if err := json.Unmarshal(r.Job.Args, &args); err != nil || !args.ApplyRules {
		return fmt.Errorf("%w: job %d does not say what to do", job.ErrFatal, r.Job.ID)
	}
	r.Progress(0, "applying rules and terms")
	done, err := a.ApplyRules(ctx)
	return errors.Join(err, r.Result(done))
}

// purgeJob removes what is older than it is kept. One that fails does not keep the others from it.
func (a *App) purgeJob(ctx context.Context, r *job.Run) error {
	r.Progress(0, "removing what is old")
	now := a.now()
	a.prune(ctx)
	jobs, err := a.store.Jobs().PruneJobs(ctx, jobsKept)
	events, more := a.store.Estate().PruneEvents(ctx, now.Add(-eventsKept))
	entries, last := a.store.Estate().PurgeLogins(ctx, now.Add(-auditKept))
	chats, late := a.store.Estate().ForgetChats(ctx, now.AddDate(0, 0, -a.cfg.Assistant.KeepDays))
	return errors.Join(err, more, last, late, r.Result(map[string]int64{"jobs": jobs, "events": int64(events), "audit": entries, "chats": int64(chats)}))
}

// Work runs jobs of the server's own trust zone on the database that the configuration names, until ctx ends.
func (a *App) Work(ctx context.Context, version string, ready func()) error {
	if a.store.Engine() != store.Postgres {
		return fault.InvalidOption("database-url", ": a worker beside the server wants the server's PostgreSQL; with SQLite the server does all itself")
	}
	if err := a.store.Init(ctx); err != nil {
		return err
	}
	b, err := a.startBackground(ctx, duties{version: version, starter: true})
	if err != nil {
		return err
	}
	ready()
	<-ctx.Done()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.cfg.Server.Grace)
	defer cancel()
	return b.stop(grace)
}
