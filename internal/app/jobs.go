package app

import (
	"context"
	"slices"
	"strconv"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

var (
	jobKinds  = []job.Kind{job.Scan, job.Tool, job.Import, job.Ingest, job.Feeds, job.Rematch, job.Triage, job.Purge, job.Report, job.Paths}
	jobStates = []job.State{job.Queued, job.Running, job.Done, job.Dead, job.Cancelled}
	// analystJobs are the kinds that an analyst's own requests become; the others are the administrator's.
	analystJobs = []job.Kind{job.Scan, job.Tool, job.Import, job.Triage, job.Report}
)

// Jobs lists the background jobs that the asker may see, without what they came to.
func (a *App) Jobs(ctx context.Context, req request.Jobs) (report.JobList, error) {
	doc := report.JobList{Jobs: []report.Job{}}
	filter, err := a.jobFilter(req)
	if err != nil {
		return doc, err
	}
	if req.Limit > 0 {
		filter.Limit = req.Limit + 1 // one more says whether there is a next page
	}
	found, err := a.store.Jobs().Jobs(ctx, filter)
	if err != nil {
		return doc, err
	}
	if req.Limit > 0 && len(found) > req.Limit {
		found = found[:req.Limit]
		next := strconv.FormatInt(found[req.Limit-1].ID, 10)
		doc.Next = &next
	}
	for _, j := range found {
		doc.Jobs = append(doc.Jobs, toJob(j))
	}
	return doc, nil
}

// jobFilter leaves what the asker may see: the jobs of his sites, and his own of those that concern none.
func (a *App) jobFilter(req request.Jobs) (job.Filter, error) {
	f := job.Filter{Scan: req.Scan, Before: req.Before, Bare: true, Limited: !a.who.View.All(), Sites: a.who.View.Sites(), Own: a.who.Name}
	for _, k := range req.Kinds {
		if !slices.Contains(jobKinds, job.Kind(k)) {
			return f, fault.InvalidOption("kind", " %.40s: want one of %v", k, jobKinds)
		}
		f.Kinds = append(f.Kinds, job.Kind(k))
	}
	for _, s := range req.States {
		if !slices.Contains(jobStates, job.State(s)) {
			return f, fault.InvalidOption("state", " %.40s: want one of %v", s, jobStates)
		}
		f.States = append(f.States, job.State(s))
	}
	return f, nil
}

// Job returns a job, fault.NotFound for one that the asker may not see.
func (a *App) Job(ctx context.Context, id int64) (report.Job, error) {
	j, err := a.job(ctx, id)
	return toJob(j), err
}

func (a *App) job(ctx context.Context, id int64) (job.Job, error) {
	found, err := a.store.Jobs().Jobs(ctx, job.Filter{IDs: []int64{id}, Limited: !a.who.View.All(), Sites: a.who.View.Sites(), Own: a.who.Name})
	if err == nil && len(found) == 0 {
		err = fault.NotFound("there is no job %d", id)
	}
	if err != nil {
		return job.Job{}, err
	}
	return found[0], nil
}

// CancelJob ends a job that waits and asks one that runs to end. A scan's is cancelled with the scan.
func (a *App) CancelJob(ctx context.Context, id int64) (_ report.Job, err error) {
	defer func() { a.auditEnd(ctx, "job.cancel", numbered("job", id), "", err) }()
	j, err := a.ownJob(ctx, id)
	if err != nil {
		return report.Job{}, err
	}
	if j.Kind == job.Scan && j.Scan != 0 && !j.State.Over() {
		_, err = a.CancelScan(ctx, j.Scan)
	} else {
		err = a.endJob(ctx, id)
	}
	if err != nil {
		return report.Job{}, err
	}
	return a.Job(ctx, id)
}

// endJob has the queue of this process see to it at once, if there is one.
func (a *App) endJob(ctx context.Context, id int64) error {
	cancel := a.store.Jobs().Cancel
	if a.queue != nil {
		cancel = a.queue.Cancel
	}
	_, err := cancel(ctx, id)
	return err
}

// RetryJob queues a dead or cancelled job again. A scan's is continued as the scan is.
func (a *App) RetryJob(ctx context.Context, id int64) (_ report.Job, err error) {
	defer func() { a.auditEnd(ctx, "job.retry", numbered("job", id), "", err) }()
	if _, err := a.ownJob(ctx, id); err != nil {
		return report.Job{}, err
	}
	if err := a.store.Jobs().Retry(ctx, id); err != nil {
		return report.Job{}, err
	}
	a.wake()
	return a.Job(ctx, id)
}

// ownJob returns a job that the asker sees and may do something to.
func (a *App) ownJob(ctx context.Context, id int64) (job.Job, error) {
	j, err := a.job(ctx, id)
	if err == nil && !a.who.Role.Allows(auth.Admin) && !slices.Contains(analystJobs, j.Kind) {
		err = fault.Denied("jobs of kind %s are the administrator's", j.Kind)
	}
	return j, err
}

func toJob(j job.Job) report.Job {
	out := report.Job{
		ID: j.ID, Kind: string(j.Kind), State: string(j.State), Cancelling: j.Cancel && j.State == job.Running, Site: report.Text(j.Site), Lane: report.Text(j.Lane),
		By: report.Text(j.By), Priority: j.Priority, Attempt: j.Attempt, MaxAttempts: j.MaxAttempts, Percent: tenths(j.Percent), Stage: report.Text(j.Stage),
		Error: report.Text(j.Error), Worker: report.Text(j.Worker), CreatedAt: j.Created, RunAt: pointer(j.RunAt), StartedAt: pointer(j.Started),
		FinishedAt: pointer(j.Finished), Result: j.Result,
	}
	if j.Scan != 0 {
		out.Scan = &j.Scan
	}
	return out
}
