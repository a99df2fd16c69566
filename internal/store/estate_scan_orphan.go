package store

import (
	"context"

	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/job"
)

// Attended says whether a scan needs nobody beside the job: it is over, paused or gone, or another job conducts it or will.
func (e *Estate) Attended(ctx context.Context, id, but int64) (bool, error) {
	var open int
	err := e.db.view(ctx, func(tx *Tx) error {
		return tx.QueryRow(ctx, `SELECT count(*) FROM scan s JOIN scan_control c ON c.scan = s.id
			WHERE s.id = ? AND s.status IN (?, ?) AND c.paused = 0
			AND NOT EXISTS (SELECT 1 FROM job j WHERE j.scan = s.id AND j.kind = ? AND j.state IN (?, ?) AND j.id <> ?)`,
			id, string(finding.Pending), string(finding.Running), string(job.Scan), string(job.Queued), string(job.Running), but).Scan(&open)
	})
	return open == 0, err
}

// Orphan is a scan that nobody works on and that no job will continue.
type Orphan struct {
	ID       int64
	Site, By string
}

// Orphans are the scans that had a job and have none any more although they are neither over nor paused: two processes that
// each took the other for the one that goes on leave such a scan. One whose job gave up is a person's to retry.
func (e *Estate) Orphans(ctx context.Context) (out []Orphan, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		rows, err := tx.Query(ctx, `SELECT s.id, s.site, s.asked_by FROM scan s JOIN scan_control c ON c.scan = s.id
			WHERE s.status IN (?, ?) AND c.paused = 0 AND (c.owner = '' OR c.beat < ?)
			AND EXISTS (SELECT 1 FROM job j WHERE j.scan = s.id AND j.kind = ?)
			AND NOT EXISTS (SELECT 1 FROM job j WHERE j.scan = s.id AND j.kind = ? AND j.state IN (?, ?, ?)) ORDER BY s.id`,
			string(finding.Pending), string(finding.Running), millis(e.db.opts.Now().Add(-Alive)), string(job.Scan), string(job.Scan),
			string(job.Queued), string(job.Running), string(job.Dead))
		if err != nil {
			return err
		}
		return eachRow(rows, func() error {
			var o Orphan
			err := rows.Scan(&o.ID, &o.Site, &o.By)
			out = append(out, o)
			return err
		})
	})
	return out, err
}
