package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/job"
)

// Jobs are the rows of the background jobs: the product's job.Store. Nothing of them is in a list that is kept, so they
// are written without a new generation and, on PostgreSQL, beside whoever writes the estate. It is safe for concurrent use.
type Jobs struct {
	db       *database
	sweeping *attention
}

// Jobs returns the background jobs. Nothing is opened before its first use.
func (s *Store) Jobs() *Jobs { return &Jobs{db: s.estate, sweeping: &s.sweeping} }

// JobsChannel is where PostgreSQL tells (NOTIFY) that a job was written ("due") or is to end ("cancel").
const JobsChannel = "patchscout_jobs"

// dueOfKind is how many due jobs of each kind a sweep names: more than all workers run until the next one.
const dueOfKind = 500

const jobColumns = `id, kind, lane, site, scan, key, priority, who, state, attempt, max_attempts, run_at, created, started, finished,
	worker, fence, beat, cancel, percent, stage, error`

// Enqueue keeps new jobs; see job.Store.
func (j *Jobs) Enqueue(ctx context.Context, jobs ...job.Job) (kept []job.Job, err error) {
	err = j.write(ctx, func(tx *Tx) error {
		kept, err = enqueue(ctx, tx, j.db.opts.Now, jobs)
		return err
	})
	return kept, err
}

// Enqueue keeps new jobs together with the data that they are about; see job.Store. Who has a job.Queue wakes it afterwards.
func (t *EstateTx) Enqueue(ctx context.Context, jobs ...job.Job) ([]job.Job, error) {
	return enqueue(ctx, t.tx, t.clock, jobs)
}

func enqueue(ctx context.Context, tx *Tx, clock func() time.Time, jobs []job.Job) ([]job.Job, error) {
	kept := make([]job.Job, len(jobs))
	for i, one := range jobs {
		var err error
		if kept[i], err = enqueueOne(ctx, tx, clock, one); err != nil {
			return nil, fmt.Errorf("queue a job of kind %s: %w", one.Kind, err)
		}
	}
	return kept, notifyJobs(ctx, tx, "due")
}

// enqueueOne inserts a job or finds the one that has its key. That one may end between the two, and then there is room.
func enqueueOne(ctx context.Context, tx *Tx, clock func() time.Time, one job.Job) (job.Job, error) {
	for range 5 {
		id, err := insertJob(ctx, tx, clock, one)
		if err == nil {
			return oneJob(ctx, tx, `j.id = ?`, id)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return job.Job{}, err
		}
		found, err := oneJob(ctx, tx, `j.key = ? AND j.state IN ('queued', 'running')`, plain(one.Key))
		if fault.KindOf(err) != fault.KindNotFound {
			return found, err
		}
	}
	return job.Job{}, fault.Conflict("jobs of the key %s come and go too fast", one.Key)
}

// insertJob returns sql.ErrNoRows when an unfinished job has the key. A delay is kept, not a moment: the clocks of the
// machines may differ.
func insertJob(ctx context.Context, tx *Tx, clock func() time.Time, one job.Job) (id int64, err error) {
	now := jobNow(tx, clock)
	runAt := "0"
	if delay := one.RunAt.Sub(clock()); !one.RunAt.IsZero() && delay > 0 {
		runAt = now + " + " + strconv.FormatInt(delay.Milliseconds(), 10)
	}
	if one.MaxAttempts <= 0 {
		one.MaxAttempts = job.DefaultAttempts
	}
	err = tx.QueryRow(ctx, `INSERT INTO job (kind, lane, site, scan, key, priority, who, state, attempt, max_attempts, run_at, created,
		started, finished, worker, fence, beat, cancel, percent, stage, error)
		VALUES (?, ?, ?, ?, ?, ?, ?, 'queued', 0, ?, `+runAt+`, `+now+`, 0, 0, '', 0, 0, 0, 0, '', '') ON CONFLICT DO NOTHING RETURNING id`,
		string(one.Kind), one.Lane, one.Site, one.Scan, plain(one.Key), one.Priority, plain(one.By), one.MaxAttempts).Scan(&id)
	if err != nil || len(one.Args) == 0 {
		return id, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO job_body (job, args, result) VALUES (?, ?, '')`, id, string(one.Args))
	return id, err
}

// Lease takes due jobs, the most urgent and then the oldest first; see job.Store.
func (j *Jobs) Lease(ctx context.Context, want job.Want) (leased []job.Job, err error) {
	if want.N <= 0 {
		return nil, nil
	}
	if j.db.side.engine() == SQLite { // whoever asks every second must not wait for the one writer
		if waits, err := j.waits(ctx, want); err != nil || !waits {
			return nil, err
		}
	}
	err = j.write(ctx, func(tx *Tx) error {
		ids, err := j.take(ctx, tx, want)
		if err != nil || len(ids) == 0 {
			return err
		}
		leased, err = jobsWhere(ctx, tx, `j.id IN (`+Marks(len(ids))+`) ORDER BY j.priority, j.id`, anys(ids)...)
		return err
	})
	return leased, err
}

// waits says whether there is anything to lease.
func (j *Jobs) waits(ctx context.Context, want job.Want) (waits bool, err error) {
	err = j.db.view(ctx, func(tx *Tx) error {
		where, args := j.due(tx, want)
		return tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM job WHERE `+where+`)`, args...).Scan(&waits)
	})
	return waits, err
}

// due is the condition for what a worker would take.
func (j *Jobs) due(tx *Tx, want job.Want) (string, []any) {
	where, args := `state = 'queued' AND lane = ? AND run_at <= `+jobNow(tx, j.db.opts.Now), []any{want.Lane}
	if want.ID != 0 {
		where, args = where+` AND id = ?`, append(args, want.ID)
	}
	if len(want.Kinds) > 0 {
		where, args = where+` AND kind IN (`+Marks(len(want.Kinds))+`)`, append(args, anys(names(want.Kinds))...)
	}
	return where, args
}

func (j *Jobs) take(ctx context.Context, tx *Tx, want job.Want) ([]int64, error) {
	now := jobNow(tx, j.db.opts.Now)
	where, args := j.due(tx, want)
	skip := ""
	if tx.Engine() == Postgres {
		skip = ` FOR UPDATE SKIP LOCKED`
	}
	rows, err := tx.Query(ctx, `WITH taken AS MATERIALIZED (SELECT id FROM job WHERE `+where+` ORDER BY priority, id LIMIT ?`+skip+`)
		UPDATE job SET state = 'running', attempt = attempt + 1, fence = fence + 1, worker = ?, started = `+now+`, beat = `+now+`,
		cancel = 0, percent = 0, stage = '' WHERE id IN (SELECT id FROM taken) RETURNING id`, append(args, want.N, plain(want.Worker))...)
	if err != nil {
		return nil, err
	}
	return appendIDs(nil, rows)
}

// Beat says that a job is worked on; see job.Store.
func (j *Jobs) Beat(ctx context.Context, id, fence int64, p job.Progress) (cancel bool, err error) {
	err = j.write(ctx, func(tx *Tx) error {
		err := tx.QueryRow(ctx, `UPDATE job SET beat = `+jobNow(tx, j.db.opts.Now)+`, percent = ?, stage = ?
			WHERE id = ? AND fence = ? AND state = 'running' RETURNING cancel`, p.Percent, plain(p.Stage), id, fence).Scan(&cancel)
		return held(err, id)
	})
	return cancel, err
}

// held turns that no row was written into that the job is another's.
func held(err error, id int64) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fault.Conflict("job %d is another worker's by now", id)
	}
	return err
}

// Finish ends an attempt; see job.Store. A failure that may be tried again makes the job dead when it was the last that it
// may have, and cancelled when somebody wants it to end.
func (j *Jobs) Finish(ctx context.Context, id, fence int64, end job.End) error {
	switch end.State {
	case job.Done, job.Cancelled, job.Dead, job.Queued:
	default:
		return fault.Invalid("a job cannot end as %q", end.State)
	}
	return j.write(ctx, func(tx *Tx) error {
		now := jobNow(tx, j.db.opts.Now)
		set, args := `state = ?, finished = `+now, []any{string(end.State)}
		switch end.State {
		case job.Done:
			set += `, percent = 100`
		case job.Queued:
			set, args = requeued(now)+`, run_at = `+now+` + ?`, []any{max(0, end.After.Milliseconds())}
		}
		err := tx.QueryRow(ctx, `UPDATE job SET error = ?, `+set+` WHERE id = ? AND fence = ? AND state = 'running' RETURNING id`,
			slices.Concat([]any{plain(end.Error)}, args, []any{id, fence})...).Scan(&id)
		if err := held(err, id); err != nil {
			return err
		}
		return saveResult(ctx, tx, id, end.Result)
	})
}

// requeued sets what becomes of a running job whose attempt came to nothing.
func requeued(now string) string {
	return `state = CASE WHEN cancel = 1 THEN 'cancelled' WHEN attempt >= max_attempts THEN 'dead' ELSE 'queued' END,
		finished = CASE WHEN cancel = 1 OR attempt >= max_attempts THEN ` + now + ` ELSE 0 END`
}

func saveResult(ctx context.Context, tx *Tx, id int64, result json.RawMessage) error {
	if len(result) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `INSERT INTO job_body (job, args, result) VALUES (?, '', ?)
		ON CONFLICT (job) DO UPDATE SET result = excluded.result`, id, string(result))
	return err
}

// HandBack puts a running job back; see job.Store. One that is to end is cancelled.
func (j *Jobs) HandBack(ctx context.Context, id, fence int64) error {
	return j.write(ctx, func(tx *Tx) error {
		now := jobNow(tx, j.db.opts.Now)
		err := tx.QueryRow(ctx, `UPDATE job SET state = CASE WHEN cancel = 1 THEN 'cancelled' ELSE 'queued' END,
			finished = CASE WHEN cancel = 1 THEN `+now+` ELSE 0 END, attempt = attempt - 1, run_at = 0, worker = '', percent = 0, stage = ''
			WHERE id = ? AND fence = ? AND state = 'running' RETURNING id`, id, fence).Scan(&id)
		if err := held(err, id); err != nil {
			return err
		}
		return notifyJobs(ctx, tx, "due")
	})
}

// Sweep queues lost jobs again and says what is due; see job.Store. It names at most 500 jobs of a kind. On PostgreSQL one
// process at a time looks for lost jobs. A beat in the future is as old as one that is long past: the clock was set back.
func (j *Jobs) Sweep(ctx context.Context) (due []int64, err error) {
	begin := j.db.opts.Now()
	err = j.write(ctx, func(tx *Tx) error {
		if err := j.requeueLost(ctx, tx); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT id FROM (SELECT id, priority, row_number() OVER (PARTITION BY kind ORDER BY priority, id) AS n
			FROM job WHERE state = 'queued' AND lane = '' AND run_at <= `+jobNow(tx, j.db.opts.Now)+`) AS waiting
			WHERE n <= ? ORDER BY priority, id`, dueOfKind)
		if err != nil {
			return err
		}
		due, err = appendIDs(nil, rows)
		return err
	})
	if err == nil {
		j.sweeping.note(begin)
	}
	return due, err
}

// lockSweep is the advisory lock of the process that looks for lost jobs.
const lockSweep = 0x70617463_0008

func (j *Jobs) requeueLost(ctx context.Context, tx *Tx) error {
	if tx.Engine() == Postgres {
		mine := false
		if err := tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock(?)`, int64(lockSweep)).Scan(&mine); err != nil || !mine {
			return err
		}
	}
	now, alive := jobNow(tx, j.db.opts.Now), strconv.FormatInt(job.Alive.Milliseconds(), 10)
	lanes := ``
	if !j.sweeping.long(j.db.opts.Now()) {
		lanes = ` AND lane = ''`
	}
	_, err := tx.Exec(ctx, `UPDATE job SET `+requeued(now)+`, run_at = 0, error = 'the worker was lost: ' || worker
		WHERE state = 'running'`+lanes+` AND (beat < `+now+` - `+alive+` OR beat > `+now+` + `+alive+`)`)
	return err
}

// Cancel ends a job or asks it to end; see job.Store. fault.Conflict says that it is over by itself.
func (j *Jobs) Cancel(ctx context.Context, id int64) (ended bool, err error) {
	err = j.write(ctx, func(tx *Tx) error {
		if err := j.cancelWhere(ctx, tx, `id = ?`, id); err != nil {
			return err
		}
		var state job.State
		err := tx.QueryRow(ctx, `SELECT state FROM job WHERE id = ?`, id).Scan(&state)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.NotFound("there is no job %d", id)
		}
		if state == job.Done || state == job.Dead {
			return fault.Conflict("job %d is over (%s)", id, state)
		}
		ended = state == job.Cancelled
		return err
	})
	return ended, err
}

// CancelScan does so with all jobs of a scan, or with those of some kinds; see job.Store.
func (j *Jobs) CancelScan(ctx context.Context, scan int64, kinds ...job.Kind) error {
	if scan == 0 {
		return nil
	}
	where, args := `scan = ?`, []any{scan}
	if len(kinds) > 0 {
		where, args = where+` AND kind IN (`+Marks(len(kinds))+`)`, append(args, anys(names(kinds))...)
	}
	return j.write(ctx, func(tx *Tx) error { return j.cancelWhere(ctx, tx, where, args...) })
}

func (j *Jobs) cancelWhere(ctx context.Context, tx *Tx, where string, args ...any) error {
	_, err := tx.Exec(ctx, `UPDATE job SET cancel = 1, finished = CASE WHEN state = 'queued' THEN `+jobNow(tx, j.db.opts.Now)+` ELSE 0 END,
		state = CASE WHEN state = 'queued' THEN 'cancelled' ELSE state END WHERE state IN ('queued', 'running') AND `+where, args...)
	if err != nil {
		return err
	}
	return notifyJobs(ctx, tx, "cancel")
}

// Retry queues a dead or cancelled job again, with all its attempts; see job.Store. fault.Conflict says that it is not
// over, ended well, or that its key has another job by now.
func (j *Jobs) Retry(ctx context.Context, id int64) error {
	err := j.write(ctx, func(tx *Tx) error {
		res, err := tx.Exec(ctx, `UPDATE job SET state = 'queued', attempt = 0, run_at = 0, started = 0, finished = 0, cancel = 0, percent = 0,
			stage = '', worker = '' WHERE id = ? AND state IN ('dead', 'cancelled')`, id)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			return errors.Join(err, notifyJobs(ctx, tx, "due"))
		}
		found, err := oneJob(ctx, tx, `j.id = ?`, id)
		if err != nil {
			return err
		}
		return fault.Conflict("job %d is %s: only a dead or cancelled one can be retried", id, found.State)
	})
	if doubled(err) {
		return fault.Conflict("job %d has a successor that is not over", id)
	}
	return err
}

// doubled says whether a unique index refused a row.
func doubled(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23505"
	}
	return err != nil && strings.Contains(err.Error(), "UNIQUE constraint failed")
}

// Job returns a job, fault.NotFound when there is none.
func (j *Jobs) Job(ctx context.Context, id int64) (found job.Job, err error) {
	err = j.db.view(ctx, func(tx *Tx) error {
		found, err = oneJob(ctx, tx, `j.id = ?`, id)
		return err
	})
	return found, err
}

// Jobs lists jobs, newest first.
func (j *Jobs) Jobs(ctx context.Context, f job.Filter) (found []job.Job, err error) {
	where, args := jobFilter(f)
	where += ` ORDER BY j.id DESC`
	if f.Limit > 0 {
		where, args = where+` LIMIT ?`, append(args, f.Limit)
	}
	read := jobsWhere
	if f.Bare {
		read = bareJobsWhere
	}
	err = j.db.view(ctx, func(tx *Tx) error {
		found, err = read(ctx, tx, where, args...)
		return err
	})
	return found, err
}

func jobFilter(f job.Filter) (string, []any) {
	where, args := []string{`1 = 1`}, []any(nil)
	add := func(condition string, values ...any) { where, args = append(where, condition), append(args, values...) }
	if len(f.IDs) > 0 {
		add(`j.id IN (`+Marks(len(f.IDs))+`)`, anys(f.IDs)...)
	}
	if len(f.Kinds) > 0 {
		add(`j.kind IN (`+Marks(len(f.Kinds))+`)`, anys(names(f.Kinds))...)
	}
	if len(f.States) > 0 {
		// Nearly all jobs are done: those are found from the newest on, the others by their state.
		column := `j.state`
		if slices.Contains(f.States, job.Done) {
			column = `j.state || ''`
		}
		add(column+` IN (`+Marks(len(f.States))+`)`, anys(names(f.States))...)
	}
	if f.Scan != 0 {
		add(`j.scan <> 0 AND j.scan = ?`, f.Scan) // as the index has it
	}
	if f.Before != 0 {
		add(`j.id < ?`, f.Before)
	}
	if f.Limited {
		sites := slices.DeleteFunc(slices.Clone(f.Sites), func(s string) bool { return s == "" })
		seen, values := `j.site = '' AND j.who = ? AND j.who <> ''`, []any{f.Own}
		if len(sites) > 0 {
			seen, values = seen+` OR j.site IN (`+Marks(len(sites))+`)`, append(values, anys(sites)...)
		}
		add(`(`+seen+`)`, values...)
	}
	return strings.Join(where, ` AND `), args
}

// PruneJobs removes the jobs that were over for longer than age and returns how many those were. It does so in portions.
func (j *Jobs) PruneJobs(ctx context.Context, age time.Duration) (removed int64, err error) {
	for {
		var n int64
		err := j.write(ctx, func(tx *Tx) error {
			res, err := tx.Exec(ctx, `DELETE FROM job WHERE id IN (SELECT id FROM job WHERE finished <> 0 AND finished < `+
				jobNow(tx, j.db.opts.Now)+` - ? LIMIT 1000)`, age.Milliseconds())
			if err != nil {
				return err
			}
			n, err = res.RowsAffected()
			return err
		})
		removed += n
		if err != nil || n < 1000 {
			return removed, err
		}
	}
}

// write is a short transaction that no list depends on.
func (j *Jobs) write(ctx context.Context, fn func(*Tx) error) error {
	return j.db.transact(ctx, true, fn)
}

// jobNow is the time as SQL: the database server's where there is one, since the clocks of its clients may differ.
func jobNow(tx *Tx, clock func() time.Time) string {
	if tx.Engine() == Postgres {
		return `CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)`
	}
	return strconv.FormatInt(clock().UnixMilli(), 10)
}

// notifyJobs tells the other processes, when the transaction ends.
func notifyJobs(ctx context.Context, tx *Tx, what string) error {
	if tx.Engine() != Postgres {
		return nil
	}
	_, err := tx.Exec(ctx, `SELECT pg_notify(?, ?)`, JobsChannel, what)
	return err
}

// plain leaves out what PostgreSQL takes in no text.
func plain(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
}

func names[T ~string](items []T) []string {
	out := make([]string, len(items))
	for i, v := range items {
		out[i] = string(v)
	}
	return out
}

func oneJob(ctx context.Context, tx *Tx, where string, arg any) (job.Job, error) {
	found, err := jobsWhere(ctx, tx, where, arg)
	if err != nil {
		return job.Job{}, err
	}
	if len(found) == 0 {
		return job.Job{}, fault.NotFound("there is no job %v", arg)
	}
	return found[0], nil
}

func jobsWhere(ctx context.Context, tx *Tx, where string, args ...any) ([]job.Job, error) {
	return readJobs(ctx, tx, `SELECT `+jobColumns+`, coalesce(b.args, ''), coalesce(b.result, '')
		FROM job j LEFT JOIN job_body b ON b.job = j.id WHERE `+where, args)
}

func bareJobsWhere(ctx context.Context, tx *Tx, where string, args ...any) ([]job.Job, error) {
	return readJobs(ctx, tx, `SELECT `+jobColumns+`, '', '' FROM job j WHERE `+where, args)
}

func readJobs(ctx context.Context, tx *Tx, query string, args []any) (found []job.Job, err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	err = eachRow(rows, func() error {
		one, err := scanJob(rows)
		found = append(found, one)
		return err
	})
	return found, err
}

func scanJob(rows *sql.Rows) (one job.Job, err error) {
	var runAt, created, started, finished, beat int64
	var args, result string
	err = rows.Scan(&one.ID, &one.Kind, &one.Lane, &one.Site, &one.Scan, &one.Key, &one.Priority, &one.By, &one.State, &one.Attempt,
		&one.MaxAttempts, &runAt, &created, &started, &finished, &one.Worker, &one.Fence, &beat, &one.Cancel, &one.Percent, &one.Stage,
		&one.Error, &args, &result)
	one.RunAt, one.Created, one.Started = moment(runAt), moment(created), moment(started)
	one.Finished, one.Beat = moment(finished), moment(beat)
	if args != "" {
		one.Args = json.RawMessage(args)
	}
	if result != "" {
		one.Result = json.RawMessage(result)
	}
	return one, err
}
