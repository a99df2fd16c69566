package app

import (
	"context"
	"fmt"
	"time"

	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/store"
)

// attend tells other processes every second that this one works on an import, until release, so that they can tell one
// that is running from one whose process was killed.
func (a *App) attend(ctx context.Context, id int64) (release func(), err error) {
	estate, owner := a.store.Estate(), newOwner()
	if err := estate.BeginWork(ctx, id, owner, nil); err != nil {
		return nil, err
	}
	return a.beatFor(ctx, id, owner), nil
}

// beatFor tells other processes every second that an import is worked on, until release.
func (a *App) beatFor(ctx context.Context, id int64, owner string) (release func()) {
	estate := a.store.Estate()
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(beatEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if _, err := estate.Beat(ctx, id, owner, store.ScanProgress{Stage: "storing"}); err != nil && ctx.Err() == nil {
				a.log.Warn("import could not be kept alive", "scan_id", id, "error", err) // the next beat may
			}
		}
	}()
	return func() {
		cancel()
		<-done
		if err := estate.Release(context.WithoutCancel(ctx), id, owner, false); err != nil {
			a.log.Warn("import could not be let go", "scan_id", id, "error", err)
		}
	}
}

// interrupted says what to do about an import whose process died, or whose job will not be done; "" when that is not so.
func (a *App) interrupted(ctx context.Context, s finding.Scan) (string, error) {
	if s.Kind != finding.KindImport || s.Status != finding.Running && s.Status != finding.Pending {
		return "", nil
	}
	reads, err := a.store.Jobs().Jobs(ctx, job.Filter{Kinds: []job.Kind{job.Import}, Scan: s.ID, Bare: true, Limit: 1})
	switch {
	case err != nil:
		return "", err
	case len(reads) > 0 && !reads[0].State.Over(): // it will be, or another process takes it over
		return "", nil
	case len(reads) > 0 && reads[0].State == job.Cancelled && s.Status == finding.Pending:
		return "cancelled before it was read", nil
	case s.Status == finding.Pending:
		return "not read: upload the report again", nil
	}
	c, err := a.control(ctx, s.ID)
	if err != nil || c != nil && c.Works(a.now()) && !died(c.Owner) {
		return "", err
	}
	return fmt.Sprintf("interrupted: import the file again, or take back what it wrote with patchscout imports undo %d", s.ID), nil
}

// unqueue has an import that waits to be read not read any more, and one that is being read end.
func (a *App) unqueue(ctx context.Context, id int64, apply bool) error {
	if !apply {
		return nil
	}
	if _, err := a.store.Estate().Scan(ctx, a.who.View, id); err != nil {
		return err
	}
	return a.jobs().CancelScan(ctx, id, job.Import)
}

// endInterrupted ends an import whose process died.
func (a *App) endInterrupted(ctx context.Context, id int64) error {
	s, err := a.store.Estate().Scan(ctx, a.who.View, id)
	if err != nil {
		return err
	}
	reason, err := a.interrupted(ctx, s)
	if err != nil || reason == "" {
		return err
	}
	s.Status, s.Reason = finding.Failed, "interrupted"
	return a.store.Estate().UpdateScan(ctx, s)
}
