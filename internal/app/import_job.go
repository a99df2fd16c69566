package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/live"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/store"
)

// fatal is an error that would happen again; people are told only what it is.
type fatal struct{ error }

// Unwrap lets job.ErrFatal be found.
func (f fatal) Unwrap() []error { return []error{job.ErrFatal, f.error} }

// importJob reads an uploaded report. Its result is the ledger.
func (a *App) importJob(ctx context.Context, r *job.Run) error {
	var args importArgs
	if err := json.Unmarshal(r.Job.Args, &args); err != nil {
		return fatal{err}
	}
	b := a.For(args.Asker.identity())
	ledger, err := b.readUpload(ctx, r, args)
	switch {
	case err == nil:
		return r.Result(ledger)
	case passing(ctx, err): // the next attempt finds it as it is
		return err
	case context.Cause(ctx) != nil && errors.Is(context.Cause(ctx), job.ErrCancelled):
		return errors.Join(context.Cause(ctx), b.endUpload(ctx, r.Job.Scan, args.Blob, "cancelled"))
	case errors.Is(err, ErrReport):
		return errors.Join(fatal{err}, b.endUpload(ctx, r.Job.Scan, args.Blob, strings.TrimPrefix(err.Error(), "import ")))
	}
	return err
}

// passing says that it is not the job that failed but its process that ends, or lost it.
func passing(ctx context.Context, err error) bool {
	cause := context.Cause(ctx)
	return errors.Is(cause, job.ErrStopping) || errors.Is(cause, job.ErrLost) || errors.Is(err, job.ErrStopping) || errors.Is(err, job.ErrLost)
}

// endUpload writes down why an uploaded report did not become part of the estate.
func (a *App) endUpload(ctx context.Context, id int64, blob, reason string) error {
	ctx = context.WithoutCancel(ctx)
	s, err := a.store.Estate().Scan(ctx, a.who.View, id)
	if err != nil {
		return err
	}
	if s.Status != finding.Pending && s.Status != finding.Running {
		return nil
	}
	s.Status, s.Reason, s.Completed = finding.Failed, reason, a.now().UTC()
	defer a.publish(id, live.End, short(toStatus(s, store.Control{})))
	return errors.Join(a.store.Estate().UpdateScan(ctx, s), a.store.Estate().DropBlob(ctx, blob))
}

func (a *App) readUpload(ctx context.Context, r *job.Run, args importArgs) (report.Ledger, error) {
	s, err := a.store.Estate().Scan(ctx, a.who.View, r.Job.Scan)
	if err != nil {
		return report.Ledger{}, err
	}
	if s.Status == finding.Failed {
		return report.Ledger{}, fatal{fmt.Errorf("import %d is over: %s", s.ID, s.Reason)}
	}
	if done, err := a.store.Estate().Ledgers(ctx, a.who.View, s.ID); err != nil || len(done) > 0 {
		return a.finishUpload(ctx, s, done, err)
	}
	r.Progress(1, "preparing")
	if err := a.Prepare(ctx, func(Progress) {}); err != nil {
		return report.Ledger{}, err
	}
	saved := &saved{path: args.File, part: assess.NewPart(""), up: map[netip.Addr]bool{}, upNames: map[string]bool{}}
	defer func() { saved.close() }()
	req := ImportRequest{Tool: args.Tool, Site: s.Site, Host: args.Host, Full: args.Full}
	if err := a.readBlob(ctx, r, args, req, saved); err != nil {
		return report.Ledger{}, err
	}
	r.Progress(60, "storing")
	owner, release, err := a.takeImport(ctx, s)
	if err != nil {
		return report.Ledger{}, err
	}
	defer release()
	run, err := a.assessorOn(a.store.Estate().Fenced(s.ID, owner)).Resume(ctx, s.ID)
	if err != nil {
		return report.Ledger{}, err
	}
	return a.commitImport(ctx, req, saved, run, args.Blob)
}

// readBlob reads the report.
func (a *App) readBlob(ctx context.Context, r *job.Run, args importArgs, req ImportRequest, s *saved) error {
	raw, err := a.store.Estate().OpenBlob(ctx, auth.Everything(), args.Blob)
	if err != nil {
		return fatal{fmt.Errorf("%s: what was uploaded is gone: %w", args.File, err)}
	}
	defer raw.Close()
	err = s.read(ctx, req, &reading{r: raw, run: r, size: args.Size, from: 1, to: 60, stage: "reading " + args.File})
	if err != nil && ctx.Err() == nil {
		return reportError{args.File, err}
	}
	return err
}

// finishUpload ends an import whose process died after its report was committed.
func (a *App) finishUpload(ctx context.Context, s finding.Scan, done []finding.Ledger, err error) (report.Ledger, error) {
	if err != nil {
		return report.Ledger{}, err
	}
	out := toLedger(done[0])
	out.ID = s.ID
	if s.Status != finding.Running {
		return out, nil
	}
	run, err := a.assessor().Resume(ctx, s.ID)
	if err != nil {
		return out, err
	}
	scanners := []finding.ScannerRun{{Name: done[0].Tool, Status: "completed"}}
	_, err = run.Finish(context.WithoutCancel(ctx), assess.End{Status: finding.Completed, File: done[0].File, Scanners: scanners})
	return out, err
}

// reading tells a job's progress by what is read.
type reading struct {
	r          io.Reader
	run        *job.Run
	n, size    int64
	from, to   float64
	stage      string
	everyBytes int64
}

// Read implements io.Reader.
func (t *reading) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.n += int64(n)
	if t.everyBytes += int64(n); t.everyBytes > 1<<20 || err != nil {
		t.everyBytes = 0
		t.run.Progress(t.from+(t.to-t.from)*min(1, float64(t.n)/float64(max(t.size, 1))), t.stage)
	}
	return n, err
}

// takeImport makes this process the one that works on an import and beats for it.
func (a *App) takeImport(ctx context.Context, s finding.Scan) (owner string, release func(), err error) {
	owner = newOwner()
	if err := a.store.Estate().TakeImport(ctx, s, owner); err != nil {
		return owner, nil, err
	}
	return owner, a.beatFor(ctx, s.ID, owner), nil
}

// awaitEvery is how often an unfinished job is looked at by somebody who waits.
const awaitEvery = 150 * time.Millisecond

// await waits until a job is over.
func (a *App) await(ctx context.Context, id int64) (job.Job, error) {
	tick := time.NewTicker(awaitEvery)
	defer tick.Stop()
	for {
		j, err := a.store.Jobs().Job(ctx, id)
		if err != nil || j.State.Over() {
			return j, err
		}
		select {
		case <-ctx.Done():
			return j, fault.Unavailable("job %d goes on in the background: see %s", id, jobLink(id))
		case <-tick.C:
		}
	}
}

// enqueue has the queue of this process run a job, or leaves it to the next one that has a queue.
func (a *App) enqueue(ctx context.Context, j job.Job) (report.Queued, error) {
	add := a.store.Jobs().Enqueue
	if a.queue != nil {
		add = a.queue.Enqueue
	}
	kept, err := add(ctx, j)
	if err != nil {
		return report.Queued{}, err
	}
	return report.Queued{JobID: kept[0].ID, Status: string(kept[0].State), Links: report.QueuedLinks{Job: jobLink(kept[0].ID)}}, nil
}

// feedsArgs are what a job of kind feeds needs: never an address or a folder, which only the configuration names.
type feedsArgs struct {
	Feeds []string `json:"feeds,omitempty"`
	Force bool     `json:"force,omitempty"`
	Due   bool     `json:"due,omitempty"`
}

// QueueSync has feeds loaded by a job.
func (a *App) QueueSync(ctx context.Context, req SyncRequest) (doc report.Queued, err error) {
	defer func() {
		a.auditEnd(ctx, "feeds.sync", strings.Join(req.Feeds, ", "), fmt.Sprintf("force %t", req.Force), err)
	}()
	req.From = ""
	if err := CheckSync(a.cfg, req); err != nil {
		return report.Queued{}, err
	}
	if req.Force && !a.who.Role.Allows(auth.Admin) {
		return report.Queued{}, fault.Denied("what is held is released by an admin only")
	}
	feeds := slices.Compact(slices.Sorted(slices.Values(req.Feeds)))
	args, err := json.Marshal(feedsArgs{Feeds: feeds, Force: req.Force, Due: req.Due})
	if err != nil {
		return report.Queued{}, err
	}
	return a.enqueue(ctx, job.Job{Kind: job.Feeds, Key: "feeds " + string(args), By: a.who.Name, Args: args})
}

// feedsJob loads feeds. Its result is what feeds sync answers; a feed that fails or is held has that in its run.
func (a *App) feedsJob(ctx context.Context, r *job.Run) error {
	var args feedsArgs
	if err := json.Unmarshal(r.Job.Args, &args); len(r.Job.Args) > 0 && err != nil {
		return fatal{err}
	}
	doc, err := a.SyncFeeds(ctx, SyncRequest{Feeds: args.Feeds, Force: args.Force, Due: args.Due}, func(p Progress) { r.Progress(p.Percent, p.Stage) })
	if err == nil && doc.Estate == nil && r.Job.Attempt > 1 { // the process before may have died between loading and matching
		doc.Estate, err = a.rematch(ctx, &syncProgress{report: func(p Progress) { r.Progress(p.Percent, p.Stage) }})
	}
	if ctx.Err() != nil && err != nil {
		return context.Cause(ctx)
	}
	if err == nil && !args.Due {
		err = allFailed(doc.Runs)
	}
	return errors.Join(err, r.Result(doc))
}

// allFailed is the error of a load that somebody asked for and that got nothing. What is loaded by the clock is tried again
// by the clock.
func allFailed(runs []report.FeedRun) error {
	for _, run := range runs {
		if run.Status != "failed" {
			return nil
		}
	}
	if len(runs) == 0 {
		return nil
	}
	return fatal{fault.Unavailable("%s: %s", runs[0].Feed, runs[0].Error)}
}

// ingestArgs are what a job of kind ingest needs.
type ingestArgs struct {
	Source string       `json:"source"`
	Files  []ingestFile `json:"files"`
	Asker  asker        `json:"asker"`
}

type ingestFile struct {
	Name string `json:"name"`
	Blob string `json:"blob"`
	Size int64  `json:"size"`
}

// QueueIngest takes the files of records that read hands over and has them loaded by a job. An error of read leaves nothing
// behind.
func (a *App) QueueIngest(ctx context.Context, read func(take func(name string, in io.Reader) error) (string, error)) (doc report.Queued, err error) {
	u := &uploads{app: a}
	defer func() {
		u.close(ctx)
		a.auditEnd(ctx, "ingest", u.names(), "", err)
	}()
	source, err := read(u.takeRecords)
	if err != nil {
		return doc, err
	}
	if err := CheckIngest(IngestRequest{Source: source}); err != nil {
		return doc, err
	}
	if err := u.keep(ctx); err != nil {
		return doc, err
	}
	args := ingestArgs{Source: source, Asker: *askerOf(a.who)}
	for _, f := range u.files {
		args.Files = append(args.Files, ingestFile{f.name, f.hash, f.raw.Size()})
	}
	body, err := json.Marshal(args)
	if err != nil {
		return doc, err
	}
	doc, err = a.enqueue(ctx, job.Job{Kind: job.Ingest, By: a.who.Name, Args: body})
	u.kept = err == nil
	return doc, err
}

// AwaitIngest waits until records are loaded and returns the ledger.
func (a *App) AwaitIngest(ctx context.Context, queued report.Queued) (doc report.Ingest, err error) {
	j, err := a.await(ctx, queued.JobID)
	if err != nil {
		return doc, err
	}
	if j.State != job.Done {
		return doc, fault.Invalid("%s", either(j.Error, "the job was "+string(j.State)))
	}
	return doc, json.Unmarshal(j.Result, &doc)
}

// ingestJob loads uploaded records. Its result is what feeds ingest answers.
func (a *App) ingestJob(ctx context.Context, r *job.Run) error {
	var args ingestArgs
	if err := json.Unmarshal(r.Job.Args, &args); err != nil {
		return fatal{err}
	}
	if err := a.Prepare(ctx, func(Progress) {}); err != nil {
		return err
	}
	watch := &syncProgress{report: func(p Progress) { r.Progress(p.Percent, p.Stage) }}
	gathered := feed.Gathered{Feed: args.Source}
	doc := report.Ingest{Source: args.Source, Files: []string{}, Rejected: []report.RejectedLine{}}
	for _, f := range args.Files {
		doc.Files = append(doc.Files, f.Name)
		gathered.Files = append(gathered.Files, a.uploadedRecords(args.Source, f, watch))
	}
	gathered.Source = strings.Join(doc.Files, ", ")
	doc, err := a.For(args.Asker.identity()).ingest(ctx, doc, gathered, watch)
	if err != nil && passing(ctx, err) {
		return err
	}
	for _, f := range args.Files {
		if dropErr := a.store.Estate().DropBlob(context.WithoutCancel(ctx), f.Blob); dropErr != nil {
			a.log.Warn("records that were loaded could not be removed", "error", dropErr)
		}
	}
	switch {
	case ctx.Err() != nil && err != nil:
		return context.Cause(ctx)
	case err != nil:
		return fatal{err}
	}
	return r.Result(doc)
}

// uploadedRecords describes an upload as a file of a feed.
func (a *App) uploadedRecords(source string, f ingestFile, watch *syncProgress) feed.File {
	return feed.File{Feed: source, Name: f.Name, Path: f.Name, Size: f.Size, Partial: true,
		Open: func(ctx context.Context) (io.ReadCloser, error) {
			raw, err := a.store.Estate().OpenBlob(ctx, auth.Everything(), f.Blob)
			if err != nil {
				return nil, err
			}
			return struct {
				io.Reader
				io.Closer
			}{&tallied{raw, func(n int64) { watch.read(source, n) }}, raw}, nil
		}}
}

// tallied tells how much is read.
type tallied struct {
	io.Reader
	count func(int64)
}

// Read implements io.Reader.
func (c *tallied) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.count(int64(n))
	return n, err
}
