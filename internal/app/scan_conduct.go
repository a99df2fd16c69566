package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/scan"
)

// conduct is the handler of a scan's job: it begins the scan, or continues it where another process left off.
func (a *App) conduct(ctx context.Context, r *job.Run) error {
	id := r.Job.Scan
	if err := a.bury(ctx, id); err != nil {
		return err
	}
	w := &work{App: a, id: id, owner: newOwner()}
	kept, err := a.store.Estate().ClaimRunning(ctx, id, w.owner)
	switch {
	case fault.KindOf(err) == fault.KindNotFound:
		return nil // it was deleted meanwhile
	case fault.KindOf(err) == fault.KindConflict:
		return a.elsewhere(ctx, r.Job, err)
	case err != nil:
		return err
	}
	ctx, stop := w.obey(ctx)
	defer stop()
	keep := context.WithoutCancel(ctx)
	if err := w.open(ctx, kept); err != nil {
		return w.refused(keep, err)
	}
	err = w.run(ctx, func(p Progress) { r.Progress(p.Percent, p.Stage) })
	switch {
	case w.stopped():
		return errors.Join(job.ErrStopping, err)
	case errors.Is(err, errTaken):
		return a.elsewhere(keep, r.Job, err)
	}
	return err
}

// elsewhere is the end of a job whose scan somebody else works on: none when the scan needs this job no more, else to be
// tried again. That somebody may be an attempt that was believed dead, took the scan once more and ends for the same reason.
func (a *App) elsewhere(ctx context.Context, mine job.Job, conflict error) error {
	attended, err := a.store.Estate().Attended(ctx, mine.Scan, mine.ID)
	if err != nil || attended {
		return err
	}
	return conflict
}

// obey returns the context of a scan that a job conducts. A person's cancel ends it as an interrupt ends a command's; a
// process that is to stop does not end the scan, but w.stopping tells it to hand over.
func (w *work) obey(ctx context.Context) (context.Context, func()) {
	stopping := make(chan struct{})
	w.stopping = stopping
	inner, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	detach := context.AfterFunc(ctx, func() {
		switch cause := context.Cause(ctx); {
		case errors.Is(cause, job.ErrCancelled):
			cancel(errWanted)
		case errors.Is(cause, job.ErrLost):
			cancel(errTaken)
		default:
			close(stopping)
		}
	})
	return inner, func() {
		detach()
		cancel(nil)
	}
}

// open makes the work ready to run: names are looked up, scanners built, the scan is marked as running.
func (w *work) open(ctx context.Context, kept json.RawMessage) error {
	if err := w.read(kept); err != nil {
		return err
	}
	if w.job.Resolved {
		if err := w.restore(ctx, kept); err != nil {
			return err
		}
		return w.lookAgain(ctx)
	}
	record, err := w.store.Estate().Scan(ctx, w.who.View, w.id)
	if err != nil {
		return err
	}
	if err := w.resolve(ctx, record); err != nil {
		return err
	}
	if err := w.awaitCatalogue(ctx); err != nil {
		return err
	}
	if err := w.dateScan(ctx, &record); err != nil {
		return err
	}
	now, err := json.Marshal(w.job)
	if err != nil {
		return err
	}
	if err := w.store.Estate().SetWork(ctx, w.id, w.owner, now); err != nil {
		return err
	}
	record.Status, record.Started = finding.Running, w.now().UTC()
	if err := w.store.Estate().UpdateScan(ctx, record); err != nil {
		return err
	}
	return w.restore(ctx, now)
}

// awaitCatalogue waits until the process has seen to it that there is a catalogue: a scan of its first minute would find
// nothing otherwise.
func (w *work) awaitCatalogue(ctx context.Context) error {
	if w.prepared == nil {
		return nil
	}
	select {
	case <-w.prepared:
		return nil
	case <-w.stopping:
		return job.ErrStopping
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// resolve finds out what the targets lead to, and whether all of it may be scanned.
func (w *work) resolve(ctx context.Context, record finding.Scan) (err error) {
	w.plan, err = parsePlan(ScanRequest{Targets: record.Targets, Exclude: w.job.Exclude, Scanners: w.job.Scanners, Profile: w.job.Profile,
		Ports: w.job.Ports, ExcludePorts: w.job.ExcludePorts})
	if err != nil {
		return err
	}
	ex, err := scan.Expand(ctx, w.plan.targets, w.plan.exclude, w.resolver)
	if err != nil {
		return err
	}
	if len(ex.Hosts)+len(ex.Unresolved) == 0 {
		return fault.InvalidOption("exclude", " leaves nothing to scan")
	}
	if err := w.inScope(ctx, record.Site, ex.Hosts); err != nil {
		return err
	}
	w.job.pin(ex)
	return nil
}

// refused ends a scan that could not begin, by a person's cancel or because it makes no sense; anything else is tried
// again.
func (w *work) refused(ctx context.Context, err error) error {
	kind := fault.KindOf(err)
	final := kind == fault.KindInvalid || kind == fault.KindDenied || kind == fault.KindNotFound || errors.Is(err, context.Canceled)
	if !final || w.stopped() {
		return errors.Join(err, w.release(ctx, false))
	}
	reason := err.Error()
	if errors.Is(err, context.Canceled) {
		reason = "cancelled"
	}
	pipeline, err := w.assessor().Resume(ctx, w.id)
	if err == nil {
		_, err = pipeline.Finish(ctx, assess.End{Status: finding.Failed, Reason: reason})
	}
	if err != nil {
		return errors.Join(fmt.Errorf("end scan %d: %w", w.id, err), w.release(ctx, false))
	}
	return w.release(ctx, false)
}
