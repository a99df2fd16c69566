package app

import (
	"bytes"
	"context"
	"io"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/nvd"
)

// refreshRun is the name under which the load of a single CVE is recorded: it is no run of the feed, whose age it must
// not touch.
const refreshRun = "nvd-refresh"

// feeds is the status of every feed and every source that was ingested.
func (a *App) feeds(ctx context.Context) ([]catalogue.FeedStatus, error) {
	_, all, err := a.standing.ask(ctx, a.store.Catalogue())
	return all, err
}

// RefreshCVE asks NVD's API for one CVE and loads the answer into the catalogue.
func (a *App) RefreshCVE(ctx context.Context, id cve.ID) (err error) {
	defer func() { a.auditEnd(ctx, "cve.refresh", id.String(), "", err) }()
	if err := a.wide("loading a record"); err != nil {
		return err
	}
	client, err := a.client("")
	if err != nil {
		return err
	}
	raw, err := a.nvdAPI().One(ctx, client, id)
	if err != nil {
		return err
	}
	syncer := catalogue.Syncer{
		Target: refreshTarget{a.store.Catalogue()}, Readers: []feed.Reader{nvd.Reader{}}, Force: true, Now: a.now, Log: a.log,
	}
	runs, err := syncer.Sync(ctx, []feed.Gathered{{Feed: "nvd", Source: "NVD API", Files: []feed.File{{
		Feed: "nvd", Name: id.String() + ".json", Path: "the NVD API's answer on " + id.String(), Size: int64(len(raw)), Partial: true,
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil },
	}}}})
	if err != nil {
		return err
	}
	for _, r := range runs {
		if r.Status == feed.StatusFailed {
			return fault.Unavailable("load the answer of the NVD API on %s: %s", id, r.Error)
		}
	}
	if changed(runs) {
		if _, err := a.rematch(ctx, &syncProgress{}); err != nil {
			return err
		}
	}
	return a.followTexts(ctx)
}

// refreshTarget takes a single record of NVD as a change of the catalogue in use, whatever that was made from: a
// starter catalogue would else be replaced by the one record.
type refreshTarget struct{ catalogue.Target }

// Meta implements catalogue.Target.
func (t refreshTarget) Meta(ctx context.Context, key string) (string, error) {
	if key == catalogue.MetaOrigin {
		return catalogue.OriginFeeds, nil
	}
	return t.Target.Meta(ctx, key)
}

// Change implements catalogue.Target.
func (t refreshTarget) Change(ctx context.Context, fn func(catalogue.Writer) error) error {
	return t.Target.Change(ctx, func(w catalogue.Writer) error { return fn(refreshWriter{w}) })
}

// refreshWriter records the run under its own name.
type refreshWriter struct{ catalogue.Writer }

// Finish implements catalogue.Writer.
func (w refreshWriter) Finish(run feed.Run) error {
	run.Feed, run.Files = refreshRun, nil
	return w.Writer.Finish(run)
}
