package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/intake"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/worker"
)

const (
	ownWorkerSeen  = 10 * time.Second // how often a process of the server says that it is there
	ownWorkerAsked = 5 * time.Minute  // how often it asks its scanners whether they still are
	elsewhereAfter = time.Second      // before a job that cannot run here is given to another process
)

// toolJob runs a tool for a scan that is conducted elsewhere: the handler of kind tool in the server's own processes. What
// the tool is told beside the order comes from this process's configuration alone.
func (a *App) toolJob(ctx context.Context, r *job.Run) error {
	defer a.tools.end(r.Job.ID)
	var order worker.Order
	if err := json.Unmarshal(r.Job.Args, &order); err != nil {
		return fmt.Errorf("%w: job %d: %w", job.ErrFatal, r.Job.ID, err)
	}
	entry, err := scannerNamed(order.Scanner)
	if err != nil {
		return fmt.Errorf("%w: %w", job.ErrFatal, err)
	}
	s, err := entry.build(a.cfg)
	if err != nil {
		return err
	}
	if elsewhere, err := a.runsElsewhere(ctx, s); elsewhere || err != nil {
		return err
	}
	raw, err := a.newToolReport()
	if err != nil {
		return err
	}
	defer raw.close()
	out := worker.Run(ctx, s, order, raw, scan.DefaultMaxRaw, func(p scan.Progress) { r.Progress(p.Percent, p.Stage) })
	cause := context.Cause(ctx)
	if errors.Is(cause, job.ErrLost) || errors.Is(cause, job.ErrStopping) {
		return cause
	}
	return errors.Join(cause, a.keepOutcome(context.WithoutCancel(ctx), r, out, raw))
}

func (a *App) keepOutcome(ctx context.Context, r *job.Run, out worker.Outcome, raw *toolReport) (err error) {
	if out.Report, err = raw.keep(ctx); err != nil {
		return err
	}
	return r.Result(out)
}

// runsElsewhere hands a job back that another process of the server can run and this one cannot.
func (a *App) runsElsewhere(ctx context.Context, s scan.Scanner) (bool, error) {
	_, err := s.Available(ctx)
	if err == nil || ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	others := &remoteScanner{Scanner: s, scan: &remoteScan{parts: a.parts}}
	if _, err := others.available(ctx, alive); err != nil {
		return false, nil //nolint:nilerr // nobody can: the outcome says why
	}
	select {
	case <-ctx.Done():
		return true, context.Cause(ctx)
	case <-time.After(elsewhereAfter):
		return true, job.ErrStopping
	}
}

// toolReport is a raw report on its way to the blobs, without credentials.
type toolReport struct {
	blob *store.BlobWriter
	mask *intake.MaskWriter
	size int64
}

func (a *App) newToolReport() (*toolReport, error) {
	blob, err := a.store.Estate().NewBlob()
	if err != nil {
		return nil, err
	}
	return &toolReport{blob: blob, mask: intake.NewMaskWriter(blob)}, nil
}

func (r *toolReport) Write(p []byte) (int, error) {
	r.size += int64(len(p))
	return r.mask.Write(p)
}

// keep returns the SHA-256 of what is kept, "" when nothing was written.
func (r *toolReport) keep(ctx context.Context) (string, error) {
	if r.size == 0 {
		return "", nil
	}
	if err := r.mask.Close(); err != nil {
		return "", err
	}
	return r.blob.Keep(ctx)
}

func (r *toolReport) close() { _ = r.blob.Close() } // a temporary file that stays does no harm

// enlist says that this process runs tools of the server's own lane, until ctx ends or stop is called. Version is the
// program's, capacity how many jobs it runs at one time.
func (a *App) enlist(ctx context.Context, version string, capacity int) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	me := store.Worker{Name: processName(), Version: version, Capacity: capacity}
	var done sync.WaitGroup
	done.Go(func() {
		for {
			me.Scanners = a.toolsHere(ctx)
			a.seen(ctx, a.store.Jobs().SaveWorker(ctx, me))
			if !a.stay(ctx, me) {
				break
			}
		}
		gone, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		a.seen(gone, a.store.Jobs().DropWorker(gone, "", me.Name))
	})
	return func() { cancel(); done.Wait() }
}

// stay says that this process is there until the scanners are to be asked again; false when it ends.
func (a *App) stay(ctx context.Context, me store.Worker) bool {
	tick := time.NewTicker(ownWorkerSeen)
	defer tick.Stop()
	for asked := time.Now(); time.Since(asked) < ownWorkerAsked; {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
		err := a.store.Jobs().SeeWorker(ctx, "", me.Name)
		if fault.KindOf(err) == fault.KindNotFound {
			err = a.store.Jobs().SaveWorker(ctx, me)
		}
		a.seen(ctx, err)
	}
	return true
}

// seen: whoever could not be written down now will be in a moment.
func (a *App) seen(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		a.log.WarnContext(ctx, "this process could not say that it is there", "error", err)
	}
}

// toolsHere asks the scanners of this process, all at once.
func (a *App) toolsHere(ctx context.Context) []store.WorkerTool {
	infos := Scanners(ctx, a.cfg)
	out := make([]store.WorkerTool, len(infos))
	for i, info := range infos {
		out[i] = store.WorkerTool{Name: info.Name, Version: string(info.Version), Error: string(info.Reason),
			Parallel: max(1, scannerTable[i].limits(scan.Job{}).Parallel)}
	}
	return out
}

// processName tells this process from the others that run tools.
func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return fmt.Sprintf("%.100s/%d", host, os.Getpid())
}

// RemoteWorker runs tools for a server that is elsewhere, until ctx ends. It opens no database.
func RemoteWorker(ctx context.Context, cfg config.Config, opts worker.Options) error {
	for _, e := range scannerTable {
		opts.Tools = append(opts.Tools, worker.Tool{Name: e.name, Parallel: max(1, e.limits(scan.Job{}).Parallel),
			Open: func() (scan.Scanner, error) { return e.build(cfg) }})
	}
	if opts.Name == "" {
		opts.Name = processName()
	}
	return worker.Work(ctx, opts)
}
