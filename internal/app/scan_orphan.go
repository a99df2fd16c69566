package app

import (
	"context"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
)

// rewakeEvery is how often a server looks for scans that nobody will continue.
const rewakeEvery = 20 * time.Second

// rewake gives the scans a job again that lost theirs.
func (a *App) rewake(ctx context.Context) error {
	orphans, err := a.store.Estate().Orphans(ctx)
	if err != nil {
		return err
	}
	for _, o := range orphans {
		j := a.conductJob(o.Site)
		j.By = o.By
		switch err := a.store.Estate().RequeueScan(ctx, o.ID, j); {
		case fault.KindOf(err) == fault.KindConflict: // another server was faster, or it is over by now
		case err != nil:
			return err
		default:
			a.log.Info("a scan had lost its job and is continued", "scan_id", o.ID)
			a.wake()
		}
	}
	return nil
}

// keepAwake calls rewake until ctx ends.
func (a *App) keepAwake(ctx context.Context) {
	tick := time.NewTicker(rewakeEvery)
	defer tick.Stop()
	for {
		if err := a.rewake(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("scans without a job could not be looked for", "error", err) // the next time it may
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
