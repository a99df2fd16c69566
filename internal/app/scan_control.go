package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/store"
)

// ResumeScan continues a scan that was paused, or whose process died, from its last completed task. It is then like Scan.
func (a *App) ResumeScan(ctx context.Context, id int64, progress func(Progress)) (_ ScanResult, err error) {
	defer func() { a.auditEnd(ctx, "scan.resume", numbered("scan", id), "", err) }()
	if progress == nil {
		progress = func(Progress) {}
	}
	if err := a.checkExist(ctx, id, ""); err != nil {
		return ScanResult{}, err
	}
	w, err := a.takeOver(ctx, id, progress)
	if err != nil {
		return ScanResult{}, err
	}
	progress(Progress{Stage: "looking up names"})
	if err := w.lookAgain(ctx); err != nil {
		return ScanResult{}, fmt.Errorf("scan %d: %w", id, orReleased(err, w.release(context.WithoutCancel(ctx), true)))
	}
	if err := w.run(ctx, progress); err != nil {
		return ScanResult{}, err
	}
	result, err := a.scanResult(context.WithoutCancel(ctx), id, 0)
	result.Notes = w.notes
	return result, err
}

func orReleased(err, second error) error {
	if second != nil {
		return also(err, second)
	}
	return err
}

// takeOver waits for a process that is about to pause the scan.
func (a *App) takeOver(ctx context.Context, id int64, progress func(Progress)) (*work, error) {
	for {
		w, err := a.resume(ctx, id)
		if fault.KindOf(err) != fault.KindConflict {
			return w, err
		}
		control, controlErr := a.control(ctx, id)
		if controlErr != nil || control == nil || control.Wanted != store.WantPause || !control.Works(a.now()) {
			return nil, err
		}
		progress(Progress{Stage: "waiting for the process that pauses the scan"})
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(beatEvery):
		}
	}
}

// control is who works on a scan; nil when it was not cut into tasks.
func (a *App) control(ctx context.Context, id int64) (*store.Control, error) {
	found, err := a.store.Estate().Controls(ctx, a.who.View, []int64{id})
	if c, ok := found[id]; ok && err == nil {
		return &c, nil
	}
	return nil, err
}

// bury lets go of a scan for a process that was killed, so that nobody has to wait until it is believed dead.
func (a *App) bury(ctx context.Context, id int64) error {
	c, err := a.control(ctx, id)
	if c == nil || err != nil || !died(c.Owner) {
		return err
	}
	if err = a.store.Estate().Release(ctx, id, c.Owner, false); fault.KindOf(err) == fault.KindConflict {
		return nil // somebody else was faster
	}
	return err
}

// PauseScan asks the process that works on a scan to pause it, which it does when its running tasks have ended, or half a
// minute later by stopping and repeating them. A scan that waits for its turn is taken out of the queue.
func (a *App) PauseScan(ctx context.Context, id int64) (err error) {
	defer func() { a.auditEnd(ctx, "scan.pause", numbered("scan", id), "", err) }()
	if err := a.checkExist(ctx, id, ""); err != nil {
		return err
	}
	s, err := a.store.Estate().Scan(ctx, a.who.View, id)
	if err != nil {
		return err
	}
	if s.Kind != finding.KindScan {
		return fault.Conflict("scan %d is an import, which cannot be paused", id)
	}
	if err := a.bury(ctx, id); err != nil {
		return err
	}
	works, err := a.store.Estate().Want(ctx, id, store.WantPause)
	if err != nil || works {
		return err
	}
	waits, err := a.waits(ctx, id)
	if err != nil {
		return err
	}
	if !waits {
		return a.notRunning(ctx, id)
	}
	if err := a.store.Estate().PauseQueued(ctx, id); err != nil {
		return err
	}
	return a.jobs().CancelScan(ctx, id, job.Scan)
}

// waits says whether a scan waits for a process to take it.
func (a *App) waits(ctx context.Context, id int64) (bool, error) {
	waiting, err := a.store.Jobs().Jobs(ctx, job.Filter{Kinds: []job.Kind{job.Scan}, States: []job.State{job.Queued, job.Running}, Scan: id, Limit: 1})
	return len(waiting) > 0, err
}

// canceller ends jobs: the queue of this process, which sees to it at once, or their rows.
type canceller interface {
	CancelScan(ctx context.Context, scan int64, kinds ...job.Kind) error
}

func (a *App) jobs() canceller {
	if a.queue != nil {
		return a.queue
	}
	return a.store.Jobs()
}

// notRunning says what a scan is doing instead.
func (a *App) notRunning(ctx context.Context, id int64) error {
	s, err := a.store.Estate().Scan(ctx, a.who.View, id)
	switch {
	case err != nil:
		return err
	case s.Status != finding.Running && s.Status != finding.Pending:
		return fault.Conflict("scan %d is over (%s)", id, s.Status)
	}
	return fault.Conflict("scan %d is not running: continue it with: patchscout scans resume %d", id, id)
}

// CancelScan ends a scan. Now says that it has ended; else a process works on it, which ends it within seconds. What was
// found is kept.
func (a *App) CancelScan(ctx context.Context, id int64) (now bool, err error) {
	defer func() { a.auditEnd(ctx, "scan.cancel", numbered("scan", id), "", err) }()
	if err := a.checkExist(ctx, id, ""); err != nil {
		return false, err
	}
	if _, err := a.store.Estate().Scan(ctx, a.who.View, id); err != nil {
		return false, err
	}
	if err := a.bury(ctx, id); err != nil {
		return false, err
	}
	works, err := a.store.Estate().Want(ctx, id, store.WantCancel)
	if err != nil {
		return false, err
	}
	// Its jobs hear of it at once, and the tools of other machines before whoever conducts the scan tells them.
	if err := a.jobs().CancelScan(ctx, id); err != nil || works {
		return false, err
	}
	w, err := a.resume(ctx, id)
	if fault.KindOf(err) == fault.KindConflict {
		return a.endedMeanwhile(ctx, id, err)
	}
	if err != nil {
		return false, err
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	result, err := w.scan(over, nil, func(Progress) {}) // which only settles the tasks
	keep := context.WithoutCancel(ctx)
	if err != nil {
		return false, orReleased(err, w.release(keep, true))
	}
	if _, err := w.pipeline.Finish(keep, w.end(over, result)); err != nil {
		return false, orReleased(err, w.release(keep, true))
	}
	return true, w.release(keep, false)
}

// endedMeanwhile is for a cancel that came while a process was about to take the scan: its job has been told.
func (a *App) endedMeanwhile(ctx context.Context, id int64, conflict error) (now bool, err error) {
	c, err := a.control(ctx, id)
	if err == nil && c != nil && c.Works(a.now()) {
		return false, nil
	}
	return false, errors.Join(err, conflict)
}

// showControl adds to a running scan how far it is and who works on it.
func (a *App) showControl(ctx context.Context, run *report.Run) error {
	if run.Status != string(finding.Running) {
		return nil
	}
	c, err := a.control(ctx, run.ID)
	if c == nil || err != nil {
		return err
	}
	run.Progress = &report.Progress{Percent: tenths(c.Percent), Stage: report.Text(c.Stage), Tasks: report.TaskCount{Done: c.Done, Total: c.Total}}
	if c.ETA > 0 {
		eta := int(c.ETA.Seconds())
		run.Progress.ETA = &eta
	}
	how := fmt.Sprintf(": continue with patchscout scans resume %d", run.ID)
	switch {
	case c.Works(a.now()) && !died(c.Owner):
	case c.Paused:
		run.Paused, run.Reason = true, report.Text("paused"+how)
	default:
		run.Reason = report.Text("interrupted" + how)
	}
	return nil
}
