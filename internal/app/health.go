package app

import (
	"context"
	"fmt"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/machine"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/telemetry"
)

// How much room the disk of the data folder must have: below the first the server takes no requests, since a write would
// fail in the middle of the work; below the second it warns.
const (
	diskLow  = 64 << 20
	diskWarn = 1 << 30
)

// healthChecker says whether the server can do its work.
type healthChecker struct {
	app *App
	// jobs says whether background work is done, nil is not asked: a reason, "" is fine.
	jobs func() string
}

func (h *healthChecker) check(ctx context.Context) report.Health {
	doc := report.Health{Status: "ok", Ready: true, Checks: []report.HealthCheck{}}
	add := func(name, status, reason string) {
		doc.Checks = append(doc.Checks, report.HealthCheck{Name: name, Status: status, Reason: reason})
		switch {
		case status == "failed":
			doc.Status, doc.Ready = "unavailable", false
		case status == "warning" && doc.Ready:
			doc.Status = "warning"
		}
	}
	if err := h.app.store.Ready(ctx); err != nil {
		add("database", "failed", publicReason(err))
		h.disk(add)
		return doc
	}
	add("database", "ok", "")
	h.disk(add)
	if h.jobs != nil {
		if reason := h.jobs(); reason != "" {
			add("jobs", "failed", reason)
		} else {
			add("jobs", "ok", "")
		}
	}
	h.catalogue(ctx, add)
	return doc
}

// publicReason is what of an error everybody may know.
func publicReason(err error) string {
	switch fault.KindOf(err) {
	case fault.KindUnavailable, fault.KindConflict:
		return err.Error()
	}
	return "the database cannot be read; the server's log has the cause"
}

func (h *healthChecker) disk(add func(name, status, reason string)) {
	if h.app.cfg.DataDir == "" {
		return
	}
	free, err := machine.Room(h.app.cfg.DataDir)
	if err != nil {
		return
	}
	switch {
	case free < diskLow:
		add("disk", "failed", fmt.Sprintf("%d MiB are left on the disk of the data folder", free>>20))
	case free < diskWarn:
		add("disk", "warning", fmt.Sprintf("%d MiB are left on the disk of the data folder", free>>20))
	default:
		add("disk", "ok", "")
	}
}

// catalogue warns: an old catalogue is still one.
func (h *healthChecker) catalogue(ctx context.Context, add func(name, status, reason string)) {
	feeds, err := h.app.For(auth.ForSystem()).FeedStatus(ctx)
	if err != nil {
		add("catalogue", "warning", "its state cannot be read")
		return
	}
	if feeds.Catalogue.Records == 0 {
		add("catalogue", "warning", "it is empty: load the feeds")
		return
	}
	stale := 0
	for _, f := range feeds.Feeds {
		if f.Enabled && f.Stale {
			stale++
		}
	}
	if stale > 0 {
		add("catalogue", "warning", fmt.Sprintf("%d feeds are older than twice their schedule", stale))
		return
	}
	add("catalogue", "ok", "")
}

// samplesHold is how long figures of the database hold: a scrape must cost no query of its own.
const samplesHold = 15 * time.Second

// newMetrics are the figures of this server; watchers counts live connections.
func (a *App) newMetrics(version string, watchers func() int) *telemetry.Metrics {
	m := telemetry.NewMetrics(version)
	m.Gauge("patchscout_watchers", "Live connections that watch a scan.", func() float64 { return float64(watchers()) })
	m.Samples(samplesHold, a.log, a.For(auth.ForSystem()).samples)
	return m
}

// samples are the figures of the database; names and help are in docs/operations.md too.
func (a *App) samples(ctx context.Context) (out []telemetry.Sample, err error) {
	figures, err := a.store.Estate().Figures(ctx)
	if err != nil {
		return nil, err
	}
	for status, n := range figures.Scans {
		out = append(out, telemetry.Sample{Name: "patchscout_scans", Help: "Scans by status.", Labels: []string{"status", status}, Value: float64(n)})
	}
	for key, n := range figures.Tasks {
		out = append(out, telemetry.Sample{Name: "patchscout_tasks", Help: "Tasks of scans that are not over.",
			Labels: []string{"scanner", key[0], "status", key[1]}, Value: float64(n)})
	}
	for key, n := range figures.Jobs {
		out = append(out, telemetry.Sample{Name: "patchscout_jobs", Help: "Background jobs.", Labels: []string{"kind", key[0], "state", key[1]}, Value: float64(n)})
	}
	for kind, since := range figures.Waiting {
		out = append(out, telemetry.Sample{Name: "patchscout_queue_age_seconds", Help: "How long the oldest job that is due waits.",
			Labels: []string{"kind", kind}, Value: max(0, a.now().Sub(since).Seconds())})
	}
	counts, err := a.store.Estate().CountFindings(ctx, a.who.View, finding.Filter{})
	if err != nil {
		return nil, err
	}
	for severity, n := range counts.BySeverity {
		out = append(out, telemetry.Sample{Name: "patchscout_findings", Help: "Open findings by severity, as the list without a filter has them.",
			Labels: []string{"severity", severity}, Value: float64(n)})
	}
	cat, err := a.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	out = append(out, telemetry.Sample{Name: "patchscout_catalogue_records", Help: "CVEs in the catalogue.", Value: float64(cat.Records)})
	for _, f := range cat.Feeds {
		if f.AgeHours != nil {
			out = append(out, telemetry.Sample{Name: "patchscout_feed_age_seconds", Help: "How old the data of a feed is.",
				Labels: []string{"feed", f.Name}, Value: *f.AgeHours * 3600})
		}
	}
	return append(out, a.asking.told.samples()...), nil
}
