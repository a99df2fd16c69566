package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"time"

	"github.com/patchscout/patchscout/internal/job"
)

// Installation is a name that tells this data from all others, made when it is first asked for; see job.Firings.
func (j *Jobs) Installation(ctx context.Context) (name string, err error) {
	read := func(tx *Tx) error { return tx.QueryRow(ctx, `SELECT name FROM installation WHERE id = 1`).Scan(&name) }
	if err := j.db.view(ctx, read); !errors.Is(err, sql.ErrNoRows) {
		return name, err
	}
	err = j.write(ctx, func(tx *Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO installation (id, name) VALUES (1, ?) ON CONFLICT DO NOTHING`, rand.Text()); err != nil {
			return err
		}
		return read(tx)
	})
	return name, err
}

// Fired returns the last moments of the schedules; see job.Firings.
func (j *Jobs) Fired(ctx context.Context) (fired map[string]time.Time, err error) {
	err = j.db.view(ctx, func(tx *Tx) error {
		fired = map[string]time.Time{}
		return each(ctx, tx, `SELECT name, fired FROM schedule`, nil, func(rows *sql.Rows) error {
			var name string
			var at int64
			err := rows.Scan(&name, &at)
			fired[name] = moment(at)
			return err
		})
	})
	return fired, err
}

// Fire moves a schedule on if it still is where the caller saw it; see job.Firings.
func (j *Jobs) Fire(ctx context.Context, name string, last, at time.Time, jobs ...job.Job) (fired bool, err error) {
	err = j.write(ctx, func(tx *Tx) error {
		var res sql.Result
		if last.IsZero() {
			res, err = tx.Exec(ctx, `INSERT INTO schedule (name, fired) VALUES (?, ?) ON CONFLICT DO NOTHING`, name, millis(at))
		} else {
			res, err = tx.Exec(ctx, `UPDATE schedule SET fired = ? WHERE name = ? AND fired = ?`, millis(at), name, millis(last))
		}
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if fired = err == nil && n == 1; !fired || len(jobs) == 0 {
			return err
		}
		_, err = enqueue(ctx, tx, j.db.opts.Now, jobs)
		return err
	})
	return fired && err == nil, err
}

// ForgetSchedule has a schedule that is no more forgotten; one that comes again under the name begins anew.
func (j *Jobs) ForgetSchedule(ctx context.Context, name string) error {
	return j.write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM schedule WHERE name = ?`, name)
		return err
	})
}
