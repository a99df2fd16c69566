package app

import (
	"context"
	"errors"
	"io"

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/intake"
	"github.com/patchscout/patchscout/internal/store"
)

// taskKeeper keeps a scan's tasks in the estate and takes what they say to the pipeline.
type taskKeeper struct{ *work }

var _ scan.Keeper = (*taskKeeper)(nil)

// Save implements scan.Keeper.
func (k *taskKeeper) Save(ctx context.Context, tasks ...*scan.Task) error {
	return k.store.Estate().SaveTasks(ctx, k.id, k.owner, tasks)
}

// Open implements scan.Keeper.
func (k *taskKeeper) Open(_ context.Context, t *scan.Task) (scan.Report, error) {
	raw, err := k.store.Estate().NewBlob()
	if err != nil {
		return nil, err
	}
	return &taskReport{keeper: k, raw: raw, mask: intake.NewMaskWriter(raw), part: k.pipeline.Part(t.Scanner), scanner: t.Scanner}, nil
}

// Stored implements scan.Keeper.
func (k *taskKeeper) Stored(ctx context.Context, t *scan.Task) (io.ReadCloser, error) {
	return k.store.Estate().OpenBlob(ctx, auth.Everything(), t.Report)
}

// Committed implements scan.Keeper.
func (k *taskKeeper) Committed(ctx context.Context, t *scan.Task) (bool, error) {
	return k.store.Estate().TaskCommitted(ctx, k.id, t)
}

// taskReport is what one attempt at a task says: its raw report on the way to the blobs, without credentials, and its events
// on the way through the pipeline.
type taskReport struct {
	keeper *taskKeeper
	raw    *store.BlobWriter
	mask   *intake.MaskWriter
	size   int64
	part   *assess.Part

	scanner string
}

func (r *taskReport) Write(p []byte) (int, error) {
	r.size += int64(len(p))
	return r.mask.Write(p)
}

func (r *taskReport) Emit(e finding.Event) error {
	r.keeper.tell(r.scanner, e)
	return r.part.Emit(e)
}

// Keep stores the raw report. One that cannot be kept is worth a warning, not the scan.
func (r *taskReport) Keep(ctx context.Context, t *scan.Task) error {
	if r.size == 0 {
		return nil
	}
	err := r.mask.Close()
	var hash string
	if err == nil {
		hash, err = r.raw.Keep(ctx)
	}
	if err != nil {
		r.keeper.log.Warn("raw report not kept", "scan_id", r.keeper.id, "task", t.N, "scanner", t.Scanner, "error", err)
		return nil
	}
	t.Report = hash
	return nil
}

// Commit implements scan.Report. The report's time is the task's end wherever it has none itself, so that it says the same
// when it is read again.
func (r *taskReport) Commit(ctx context.Context, t *scan.Task) error {
	_, err := r.part.Commit(ctx, assess.PartEnd{
		Completed: t.Ended == scan.Completed, Dropped: t.Dropped, Report: t.Report, At: t.Finished,
	})
	return errors.Join(err, r.raw.Close())
}

// Discard implements scan.Report.
func (r *taskReport) Discard() {
	r.part.Discard()
	_ = r.raw.Close() // a temporary file that stays does no harm
}
