package store

import (
	"context"
	"database/sql"
	"time"
)

// Figures are counts of rows for whoever watches the server. They hold no names of hosts.
type Figures struct {
	Scans map[string]int    // by status
	Tasks map[[2]string]int // of scans that are not over, by scanner and status
	Jobs  map[[2]string]int // by kind and state
	// Waiting is since when the oldest job that is due waits, by kind; absent where none does.
	Waiting map[string]time.Time
}

// Figures counts. It reads indexes of a few thousand rows.
func (e *Estate) Figures(ctx context.Context) (f Figures, err error) {
	f = Figures{Scans: map[string]int{}, Tasks: map[[2]string]int{}, Jobs: map[[2]string]int{}, Waiting: map[string]time.Time{}}
	now := millis(e.db.opts.Now())
	err = e.db.view(ctx, func(tx *Tx) error {
		err := each(ctx, tx, `SELECT status, count(*) FROM scan GROUP BY status`, nil, func(rows *sql.Rows) error {
			var status string
			var n int
			err := rows.Scan(&status, &n)
			f.Scans[status] = n
			return err
		})
		if err != nil {
			return err
		}
		err = eachPair(ctx, tx, `SELECT t.scanner, t.status, count(*) FROM task t JOIN scan s ON s.id = t.scan WHERE s.completed = 0 GROUP BY t.scanner, t.status`, f.Tasks)
		if err != nil {
			return err
		}
		if err := eachPair(ctx, tx, `SELECT kind, state, count(*) FROM job GROUP BY kind, state`, f.Jobs); err != nil {
			return err
		}
		return each(ctx, tx, `SELECT kind, min(CASE WHEN run_at > created THEN run_at ELSE created END) FROM job WHERE state = 'queued' AND run_at <= ?
			GROUP BY kind`, []any{now}, func(rows *sql.Rows) error {
			var kind string
			var since int64
			err := rows.Scan(&kind, &since)
			f.Waiting[kind] = time.UnixMilli(since)
			return err
		})
	})
	return f, err
}

func eachPair(ctx context.Context, tx *Tx, query string, into map[[2]string]int) error {
	return each(ctx, tx, query, nil, func(rows *sql.Rows) error {
		var key [2]string
		var n int
		err := rows.Scan(&key[0], &key[1], &n)
		into[key] = n
		return err
	})
}
