package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/job"
)

// QueueScan keeps a scan that nobody works on yet, with what whoever does needs (as BeginWork), and the job that wakes
// somebody, all or none. The job gets the scan's id.
func (e *Estate) QueueScan(ctx context.Context, s finding.Scan, work json.RawMessage, j job.Job) (id int64, err error) {
	err = e.Update(ctx, func(tx *EstateTx) error {
		if id, err = tx.insertScan(ctx, s); err != nil {
			return err
		}
		if _, err := tx.tx.Exec(ctx, `INSERT INTO scan_job (scan, job) VALUES (?, ?)`, id, string(work)); err != nil {
			return err
		}
		if _, err := tx.tx.Exec(ctx, `INSERT INTO scan_control (scan, `+controlColumns+`) VALUES (`+Marks(10)+`)`,
			id, "", 0, "", 0, 0.0, "", 0, 0, 0); err != nil {
			return err
		}
		return tx.queueScan(ctx, id, j)
	})
	return id, err
}

func (t *EstateTx) queueScan(ctx context.Context, id int64, j job.Job) error {
	// A job that waits already will do; one that runs may be about to end, so it may not.
	var waiting int
	if err := t.tx.QueryRow(ctx, `SELECT count(*) FROM job WHERE scan = ? AND kind = ? AND state = ?`, id, string(j.Kind), string(job.Queued)).
		Scan(&waiting); err != nil || waiting > 0 {
		return err
	}
	j.Scan = id
	_, err := t.Enqueue(ctx, j)
	return err
}

// RequeueScan has a scan that nobody works on continued by the job. fault.Conflict says that somebody does, or that it is
// over.
func (e *Estate) RequeueScan(ctx context.Context, id int64, j job.Job) error {
	return e.Update(ctx, func(tx *EstateTx) error {
		c, err := e.claimable(ctx, tx.tx, id)
		if err != nil {
			return err
		}
		if c.Works(e.db.opts.Now()) && c.Wanted == WantPause {
			return fault.Conflict("scan %d is still being paused: its tasks have 30 seconds to end; try again then", id)
		}
		if c.Works(e.db.opts.Now()) {
			return fault.Conflict("scan %d is being worked on by %s", id, ownerName(c.Owner))
		}
		if _, err := tx.tx.Exec(ctx, `UPDATE scan_control SET paused = 0, wanted = '' WHERE scan = ?`, id); err != nil {
			return err
		}
		return tx.queueScan(ctx, id, j)
	})
}

// PauseQueued pauses a scan that is not over, and that nobody works on: ClaimRunning leaves it alone then.
func (e *Estate) PauseQueued(ctx context.Context, id int64) error {
	return e.Update(ctx, func(tx *EstateTx) error {
		c, err := e.claimable(ctx, tx.tx, id)
		if err != nil {
			return err
		}
		if c.Works(e.db.opts.Now()) {
			return fault.Conflict("scan %d is being worked on by %s", id, ownerName(c.Owner))
		}
		if c.Paused {
			return fault.Conflict("scan %d is paused already", id)
		}
		_, err = tx.tx.Exec(ctx, `UPDATE scan_control SET paused = 1 WHERE scan = ?`, id)
		return err
	})
}

// SetWork replaces what QueueScan kept for whoever works on the scan; only its owner may.
func (e *Estate) SetWork(ctx context.Context, id int64, owner string, work json.RawMessage) error {
	return e.Update(ctx, func(tx *EstateTx) error {
		res, err := tx.tx.Exec(ctx, `UPDATE scan_job SET job = ? WHERE scan = ? AND EXISTS (SELECT 1 FROM scan_control c WHERE c.scan = ? AND c.owner = ?)`,
			string(work), id, id, owner)
		return owned(res, err, id)
	})
}

// Work is what QueueScan or BeginWork kept of a scan; fault.NotFound for an import.
func (e *Estate) Work(ctx context.Context, id int64) (work json.RawMessage, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		var text string
		err := tx.QueryRow(ctx, `SELECT job FROM scan_job WHERE scan = ?`, id).Scan(&text)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.NotFound("scan %d has no tasks", id)
		}
		work = json.RawMessage(text)
		return err
	})
	return work, err
}

// ScanCounts says how many hosts answered a scan so far, and how many findings it saw.
func (e *Estate) ScanCounts(ctx context.Context, id int64) (hosts, findings int, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM scan_host WHERE scan = ? AND status = 'up'`, id).Scan(&hosts); err != nil {
			return err
		}
		ids, err := seenBy(ctx, tx, id)
		findings = len(ids)
		return err
	})
	return hosts, findings, err
}
