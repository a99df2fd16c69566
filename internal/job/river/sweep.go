package river

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	upstream "github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/patchscout/patchscout/internal/job"
)

// calm is the shortest time between two sweeps: a thousand new rows are one.
const calm = 100 * time.Millisecond

// sweep has lost rows queued again and River call for what is due: when it is woken, and every few seconds.
func (q *Queue) sweep(ctx context.Context) {
	tick := time.NewTicker(job.SweepEvery)
	defer tick.Stop()
	trouble := job.Trouble{Log: q.opts.Log, What: "lost and due jobs cannot be looked for"}
	for {
		trouble.Note(ctx, q.sweepOnce(ctx))
		select {
		case <-ctx.Done():
			return
		case <-time.After(calm):
		}
		select {
		case <-ctx.Done():
			return
		case <-q.wake:
		case <-tick.C:
			q.runner.BeatAll(ctx) // so that a clock that was moved does not make them look lost
		}
	}
}

func (q *Queue) sweepOnce(ctx context.Context) error {
	ctx, done := context.WithTimeout(ctx, job.Alive)
	defer done()
	ids, err := q.store.Sweep(ctx)
	if err != nil || len(ids) == 0 {
		return err
	}
	due, err := q.store.Jobs(ctx, job.Filter{IDs: ids, Bare: true})
	if err != nil {
		return err
	}
	return q.call(ctx, due)
}

// call sees to it that there are as many River jobs waiting as rows are due, of each kind. One too many finds nothing to
// lease and ends; one too few is made up for by the next sweep.
func (q *Queue) call(ctx context.Context, due []job.Job) error {
	calls, err := q.waiting(ctx)
	if err != nil {
		return err
	}
	var missing []upstream.InsertManyParams
	for _, j := range due {
		if calls[j.Kind]--; calls[j.Kind] < 0 {
			missing = append(missing, upstream.InsertManyParams{Args: call{ID: j.ID}, InsertOpts: &upstream.InsertOpts{Queue: string(j.Kind), MaxAttempts: 1}})
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if _, err := q.client.InsertMany(ctx, missing); err != nil {
		return fmt.Errorf("call for due jobs: %w", err)
	}
	return nil
}

// waiting counts the River jobs that no worker has taken yet, by kind of our rows.
func (q *Queue) waiting(ctx context.Context) (map[job.Kind]int, error) {
	rows, err := q.pool.Query(ctx, `SELECT queue, count(*) FROM `+Schema+`.river_job WHERE state IN ('available', 'scheduled') GROUP BY queue`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	calls := map[job.Kind]int{}
	for rows.Next() {
		var kind string
		var n int
		if err := rows.Scan(&kind, &n); err != nil {
			return nil, err
		}
		calls[job.Kind(kind)] = n
	}
	return calls, rows.Err()
}

// channel is store.JobsChannel.
const channel = "patchscout_jobs"

// listen hears from other processes that jobs were written, or that some are to end. What it misses while it is not
// connected the beats and the sweeps see.
func (q *Queue) listen(ctx context.Context) {
	trouble := job.Trouble{Log: q.opts.Log, What: "other processes cannot be listened to"}
	for ctx.Err() == nil {
		trouble.Note(ctx, q.listenOnce(ctx, func() { trouble.Note(ctx, nil) }))
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func (q *Queue) listenOnce(ctx context.Context, works func()) error {
	conn, err := pgx.ConnectConfig(ctx, q.pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is pending on it
	if _, err := conn.Exec(ctx, `LISTEN `+channel); err != nil {
		return err
	}
	works()
	q.Wake()
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		if n.Payload == "cancel" {
			q.runner.BeatAll(ctx)
			continue
		}
		q.Wake()
	}
}

// lockMigrate is the advisory lock under which one process at a time changes River's tables.
const lockMigrate = 0x70617463_0009

// migrate brings River's tables up to date. Where they are, nothing is written and no right to do so is needed.
func migrate(ctx context.Context, pool *pgxpool.Pool, log *slog.Logger) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return unavailable(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, int64(lockMigrate)); err != nil {
		return unavailable(err)
	}
	defer conn.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, int64(lockMigrate)) //nolint:errcheck // it ends with the connection
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: Schema, Logger: quiet(log)})
	if err != nil {
		return fmt.Errorf("set up River: %w", err)
	}
	if valid, err := migrator.Validate(ctx, nil); err == nil && valid.OK {
		return nil
	}
	if _, err := pool.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS `+Schema); err != nil {
		return fmt.Errorf("create the schema %s: %w", Schema, err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("create River's tables: %w", err)
	}
	return nil
}
