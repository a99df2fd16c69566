package store

import (
	"context"

	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/job"
)

// QueuedImport is an import that waits for its job.
type QueuedImport struct{ Scan, Job int64 }

// QueueImports keeps imports that nobody works on yet and the jobs that read them, all or none. jobOf makes the job of an
// import from its id.
func (e *Estate) QueueImports(ctx context.Context, scans []finding.Scan, jobOf func(i int, id int64) (job.Job, error)) (queued []QueuedImport, err error) {
	err = e.Update(ctx, func(tx *EstateTx) error {
		queued = queued[:0]
		for i, s := range scans {
			id, err := tx.insertScan(ctx, s)
			if err != nil {
				return err
			}
			j, err := jobOf(i, id)
			if err != nil {
				return err
			}
			kept, err := tx.Enqueue(ctx, j)
			if err != nil {
				return err
			}
			queued = append(queued, QueuedImport{id, kept[0].ID})
		}
		return nil
	})
	return queued, err
}

// TakeImport says that a process works on an import that is not over, in the place of one that may have before. After it
// the other's beats fail.
func (e *Estate) TakeImport(ctx context.Context, s finding.Scan, owner string) error {
	if err := e.Update(ctx, func(tx *EstateTx) error {
		_, err := tx.tx.Exec(ctx, `DELETE FROM scan_control WHERE scan = ?`, s.ID)
		return err
	}); err != nil {
		return err
	}
	if err := e.BeginWork(ctx, s.ID, owner, nil); err != nil {
		return err
	}
	s.Status = finding.Running
	return e.UpdateScan(ctx, s)
}

// DropBlob removes raw data that nothing refers to: a report that was uploaded and is none. It leaves those of ledgers alone.
func (e *Estate) DropBlob(ctx context.Context, hash string) error {
	return e.Update(ctx, func(tx *EstateTx) error {
		_, err := tx.tx.Exec(ctx, `DELETE FROM blob WHERE hash = ? AND NOT EXISTS (SELECT 1 FROM ledger l WHERE l.report = ?)`, hash, hash)
		return err
	})
}
