package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/job"
)

// WorkerAlive is how long a worker is believed to be there without a word; WorkerForgotten when it leaves the list.
const (
	WorkerAlive     = 45 * time.Second
	WorkerForgotten = 24 * time.Hour
)

// Worker is a process that runs tools.
type Worker struct {
	Lane     string // the site whose jobs it runs, "" is the server's own
	Name     string
	Version  string
	Scanners []WorkerTool
	Capacity int // tools at one time
	Started  time.Time
	Seen     time.Time
	Alive    bool // as it is read: seen within WorkerAlive
}

// WorkerTool is one scanner of a worker.
type WorkerTool struct {
	Name     string `json:"name"`
	Version  string `json:"version,omitempty"`
	Error    string `json:"error,omitempty"` // why it cannot run there
	Parallel int    `json:"parallel"`        // of it at one time
}

// SaveWorker keeps what a worker says of itself, and that it is there. Those who were not seen for long are forgotten.
func (j *Jobs) SaveWorker(ctx context.Context, w Worker) error {
	scanners, err := json.Marshal(w.Scanners)
	if err != nil {
		return err
	}
	return j.write(ctx, func(tx *Tx) error {
		now := jobNow(tx, j.db.opts.Now)
		if _, err := tx.Exec(ctx, `DELETE FROM worker WHERE seen < `+now+` - ?`, WorkerForgotten.Milliseconds()); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO worker (lane, name, version, scanners, capacity, started, seen) VALUES (?, ?, ?, ?, ?, `+now+`, `+now+`)
			ON CONFLICT (lane, name) DO UPDATE SET version = excluded.version, scanners = excluded.scanners, capacity = excluded.capacity,
			seen = excluded.seen`, w.Lane, w.Name, w.Version, string(scanners), w.Capacity)
		return err
	})
}

// SeeWorker notes that a worker is there. fault.NotFound says that nothing is known of it (any more).
func (j *Jobs) SeeWorker(ctx context.Context, lane, name string) error {
	return j.write(ctx, func(tx *Tx) error {
		res, err := tx.Exec(ctx, `UPDATE worker SET seen = `+jobNow(tx, j.db.opts.Now)+` WHERE lane = ? AND name = ?`, lane, name)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fault.NotFound("there is no worker %s", name))
		}
		return nil
	})
}

// DropWorker forgets a worker that has ended.
func (j *Jobs) DropWorker(ctx context.Context, lane, name string) error {
	return j.write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM worker WHERE lane = ? AND name = ?`, lane, name)
		return err
	})
}

// Workers lists the workers of the view, and the server's own, by lane and name.
func (j *Jobs) Workers(ctx context.Context, v auth.View) (found []Worker, err error) {
	c := conditions{}
	if !v.All() {
		c.add("lane IN ("+Marks(1+len(v.Sites()))+")", append([]any{""}, anys(v.Sites())...)...)
	}
	return j.workers(ctx, c)
}

// WorkersOf lists the workers of one lane, by name.
func (j *Jobs) WorkersOf(ctx context.Context, lane string) ([]Worker, error) {
	c := conditions{}
	c.add("lane = ?", lane)
	return j.workers(ctx, c)
}

func (j *Jobs) workers(ctx context.Context, c conditions) (found []Worker, err error) {
	err = j.db.view(ctx, func(tx *Tx) error {
		rows, err := tx.Query(ctx, `SELECT lane, name, version, scanners, capacity, started, seen, CASE WHEN seen > `+jobNow(tx, j.db.opts.Now)+
			` - `+strconv.FormatInt(WorkerAlive.Milliseconds(), 10)+` THEN 1 ELSE 0 END FROM worker WHERE `+c.String()+` ORDER BY lane, name`, c.args...)
		if err != nil {
			return err
		}
		return eachRow(rows, func() error {
			var w Worker
			var scanners string
			var started, seen int64
			if err := rows.Scan(&w.Lane, &w.Name, &w.Version, &scanners, &w.Capacity, &started, &seen, &w.Alive); err != nil {
				return err
			}
			w.Started, w.Seen = moment(started), moment(seen)
			found = append(found, w)
			return json.Unmarshal([]byte(scanners), &found[len(found)-1].Scanners)
		})
	})
	return found, err
}

// LaneOf says who runs the tools of a site's scans: "" the server's own processes, or the site's name when there is a
// token of its workers that is not revoked. One that has expired keeps the site its own: what the server would find at the
// same addresses are other hosts.
func (j *Jobs) LaneOf(ctx context.Context, site string) (lane string, err error) {
	err = j.db.view(ctx, func(tx *Tx) error {
		var one int
		err := tx.QueryRow(ctx, `SELECT 1 FROM token WHERE role = ? AND site = ? AND site <> '' AND revoked = 0 LIMIT 1`,
			string(auth.Worker), site).Scan(&one)
		if err == nil {
			lane = site
		}
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return lane, err
}

// KeepToolReport notes the raw report (a blob) of a job that runs under a fence; a later one takes its place.
// fault.Conflict says that the job is another's by now.
func (j *Jobs) KeepToolReport(ctx context.Context, id, fence int64, hash string) error {
	return j.write(ctx, func(tx *Tx) error {
		var one int
		err := tx.QueryRow(ctx, `SELECT 1 FROM job WHERE id = ? AND fence = ? AND state = 'running'`, id, fence).Scan(&one)
		if err := held(err, id); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO tool_report (job, fence, hash) VALUES (?, ?, ?) ON CONFLICT (job, fence) DO UPDATE SET hash = excluded.hash`,
			id, fence, hash)
		return err
	})
}

// ToolReport returns what KeepToolReport noted, "" when there is nothing.
func (j *Jobs) ToolReport(ctx context.Context, id, fence int64) (hash string, err error) {
	err = j.db.view(ctx, func(tx *Tx) error {
		err := tx.QueryRow(ctx, `SELECT hash FROM tool_report WHERE job = ? AND fence = ?`, id, fence).Scan(&hash)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return hash, err
}

// DropToolReports forgets the notes of a job that is over; its result names the report that counts.
func (j *Jobs) DropToolReports(ctx context.Context, id int64) error {
	return j.write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM tool_report WHERE job = ?`, id)
		return err
	})
}

// attention is since when this process has swept without a gap: while the server or its database was away, workers of the
// sites could not be heard, and their silence says nothing. It is safe for concurrent use.
type attention struct {
	mu          sync.Mutex
	since, last time.Time
}

// gap is the longest time between two sweeps of a process that is there.
const gap = 10 * time.Second

// note takes a sweep that came to its end.
func (a *attention) note(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if since := now.Sub(a.last); since < 0 || since > gap {
		a.since = now
	}
	a.last = now
}

// long says whether a worker that is there would have been heard.
func (a *attention) long(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	since := now.Sub(a.last)
	return since >= 0 && since <= gap && now.Sub(a.since) >= job.Alive
}
