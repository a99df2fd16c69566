package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/worker"
)

const (
	leaseWait = 25 * time.Second // the longest that a worker waits for a job
	leasePoll = time.Second      // that jobs of other processes are looked for
	seenAgain = 10 * time.Second // that a worker's lease is written down
)

// Workers lists who runs tools: those of the sites that the asker sees, and the server's own processes.
func (a *App) Workers(ctx context.Context) ([]report.Worker, error) {
	found, err := a.store.Jobs().Workers(ctx, a.who.View)
	out := make([]report.Worker, len(found))
	for i, w := range found {
		out[i] = report.Worker{Name: report.Text(w.Name), Version: report.Text(w.Version), Capacity: w.Capacity, Started: w.Started.UTC(), LastSeen: w.Seen.UTC(),
			Alive: w.Alive, Scanners: make([]report.WorkerScanner, len(w.Scanners))}
		if w.Lane != "" {
			out[i].Site = &found[i].Lane
		}
		for j, t := range w.Scanners {
			out[i].Scanners[j] = report.WorkerScanner{Name: t.Name, Available: t.Error == "", Version: report.Text(t.Version), Reason: report.Text(t.Error), Parallel: t.Parallel}
		}
	}
	return out, err
}

// lane is whose jobs the asker may lease.
func (a *App) lane() (string, error) {
	if a.who.Site == "" {
		return "", fault.Denied("this needs the token of a site's worker")
	}
	return a.who.Site, nil
}

// GreetWorker notes what a worker can do.
func (a *App) GreetWorker(ctx context.Context, h worker.Hello) (worker.Welcome, error) {
	lane, err := a.lane()
	if err != nil {
		return worker.Welcome{}, err
	}
	w := store.Worker{Lane: lane, Name: h.Name, Version: h.Version, Capacity: h.Capacity}
	for _, t := range h.Scanners {
		w.Scanners = append(w.Scanners, store.WorkerTool(t))
	}
	a.log.InfoContext(ctx, "worker is there", "worker", h.Name, "site", lane, "capacity", h.Capacity)
	return worker.Welcome{Site: lane, BeatMS: job.BeatEvery.Milliseconds(), MaxReport: scan.DefaultMaxRaw}, a.store.Jobs().SaveWorker(ctx, w)
}

// DismissWorker forgets a worker that ends.
func (a *App) DismissWorker(ctx context.Context, name string) error {
	lane, err := a.lane()
	if err != nil {
		return err
	}
	return a.store.Jobs().DropWorker(ctx, lane, name)
}

// LeaseTool gives the worker a job of its site, and waits for one as long as it asks; nil is none.
func (a *App) LeaseTool(ctx context.Context, ask worker.Ask) (*worker.Lease, error) {
	lane, err := a.lane()
	if err != nil {
		return nil, err
	}
	if err := a.store.Jobs().SeeWorker(ctx, lane, ask.Worker); err != nil {
		if fault.KindOf(err) == fault.KindNotFound {
			return nil, fault.Conflict("say hello first: nothing is known of the worker %.120q", ask.Worker)
		}
		return nil, err
	}
	seen, until := time.Now(), time.Now().Add(min(time.Duration(ask.WaitMS)*time.Millisecond, leaseWait))
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(until.Add(time.Second)) {
		until = deadline.Add(-time.Second) // an answer that says nothing is better than none
	}
	for {
		arrived := a.tools.jobs(lane)
		j, err := a.leaseOne(ctx, lane, ask)
		if j != nil || err != nil {
			return a.leased(ctx, j, err)
		}
		left := time.Until(until)
		if left <= 0 || a.tools.isClosed() {
			return nil, nil //nolint:nilnil // none in time
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-arrived:
		case <-time.After(min(left, leasePoll/2+rand.N(leasePoll))):
		}
		if time.Since(seen) > seenAgain {
			seen = time.Now()
			if err := a.store.Jobs().SeeWorker(ctx, lane, ask.Worker); err != nil {
				return nil, err
			}
		}
	}
}

// leaseOne leases the most urgent job of a lane that the worker has room for. There are never many: a scan queues what its
// lane has room for.
func (a *App) leaseOne(ctx context.Context, lane string, ask worker.Ask) (*job.Job, error) {
	queued, err := a.store.Jobs().Jobs(ctx, job.Filter{Kinds: []job.Kind{job.Tool}, States: []job.State{job.Queued}})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(queued, func(x, y job.Job) int { return cmp.Or(cmp.Compare(x.Priority, y.Priority), cmp.Compare(x.ID, y.ID)) })
	for _, j := range queued {
		var o struct{ Scanner string }
		if j.Lane != lane || json.Unmarshal(j.Args, &o) != nil || !slices.Contains(ask.Scanners, o.Scanner) {
			continue
		}
		leased, err := a.store.Jobs().Lease(ctx, job.Want{Worker: ask.Worker, Kinds: []job.Kind{job.Tool}, Lane: lane, ID: j.ID, N: 1})
		if err != nil || len(leased) > 0 {
			return first(leased), err
		}
	}
	return nil, nil //nolint:nilnil // none
}

func first(jobs []job.Job) *job.Job {
	if len(jobs) == 0 {
		return nil
	}
	return &jobs[0]
}

// leased makes the answer. A worker that went away meanwhile does not have the job.
func (a *App) leased(ctx context.Context, j *job.Job, err error) (*worker.Lease, error) {
	if err != nil {
		return nil, err
	}
	l := worker.Lease{ID: j.ID, Fence: j.Fence, Scan: j.Scan}
	if err = json.Unmarshal(j.Args, &l.Order); err == nil {
		err = ctx.Err()
	}
	if err != nil {
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if back := a.store.Jobs().HandBack(within, j.ID, j.Fence); back != nil {
			err = fmt.Errorf("%w; %w", err, back)
		}
		return nil, err
	}
	a.log.InfoContext(ctx, "tool leased", "job_id", j.ID, "scan_id", j.Scan, "scanner", l.Order.Scanner, "worker", j.Worker, "fence", j.Fence)
	return &l, nil
}

// held checks that a job is the asker's to speak of: of its site, a tool's, running under that fence.
func (a *App) held(ctx context.Context, id, fence int64) error {
	lane, err := a.lane()
	if err != nil {
		return err
	}
	j, err := a.store.Jobs().Job(ctx, id)
	switch {
	case err != nil:
		return err
	case j.Kind != job.Tool || j.Lane != lane:
		return fault.NotFound("there is no job %d", id)
	case j.State != job.Running || j.Fence != fence:
		return fault.Conflict("job %d is another worker's by now, or over", id)
	}
	return nil
}

// BeatTool notes that a worker is at a job.
func (a *App) BeatTool(ctx context.Context, id int64, p worker.Pulse) (worker.PulseAnswer, error) {
	if err := a.held(ctx, id, p.Fence); err != nil {
		return worker.PulseAnswer{}, err
	}
	cancel, err := a.store.Jobs().Beat(ctx, id, p.Fence, job.Progress{Percent: p.Percent, Stage: p.Stage})
	return worker.PulseAnswer{Cancel: cancel}, err
}

// TakeToolReport keeps the raw report of a job, without credentials. digest is the SHA-256 of what raw gives.
func (a *App) TakeToolReport(ctx context.Context, id, fence int64, digest []byte, raw io.Reader) error {
	if err := a.held(ctx, id, fence); err != nil {
		return err
	}
	out, err := a.newToolReport()
	if err != nil {
		return err
	}
	defer out.close()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, sum), io.LimitReader(raw, scan.DefaultMaxRaw+1))
	switch {
	case err != nil:
		return fault.Invalid("read the report: %w", err)
	case n > scan.DefaultMaxRaw:
		return fault.Invalid("raw report is larger than %d MiB", scan.DefaultMaxRaw>>20)
	case subtle.ConstantTimeCompare(sum.Sum(nil), digest) != 1:
		return fault.Invalid("the report is not what its Content-Digest says: %d bytes came", n)
	}
	hash, err := out.keep(ctx)
	if err != nil || hash == "" {
		return err
	}
	return a.store.Jobs().KeepToolReport(ctx, id, fence, hash)
}

// FinishTool ends a job with its outcome and the report that was kept under the same fence.
func (a *App) FinishTool(ctx context.Context, id int64, d worker.Done) (err error) {
	if err := a.held(ctx, id, d.Fence); err != nil {
		return err
	}
	if d.Outcome.Report, err = a.store.Jobs().ToolReport(ctx, id, d.Fence); err != nil {
		return err
	}
	result, err := json.Marshal(d.Outcome)
	if err != nil {
		return err
	}
	end := job.End{State: job.Done, Result: result}
	if d.Outcome.Status == string(scan.Cancelled) {
		end.State = job.Cancelled
	}
	if err := a.store.Jobs().Finish(ctx, id, d.Fence, end); err != nil {
		return err
	}
	a.tools.end(id)
	return a.store.Jobs().DropToolReports(ctx, id)
}

// HandBackTool gives a job back that the worker does not bring to an end.
func (a *App) HandBackTool(ctx context.Context, id, fence int64) error {
	if err := a.held(ctx, id, fence); err != nil {
		return err
	}
	if err := a.store.Jobs().HandBack(ctx, id, fence); err != nil {
		return err
	}
	a.tools.arrived(a.who.Site)
	a.tools.end(id)
	return nil
}
