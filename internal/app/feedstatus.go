package app

import (
	"context"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/report"
)

// FeedStatus says what there is of each feed, and which are older than they ought to be.
func (a *App) FeedStatus(ctx context.Context) (report.Feeds, error) {
	cat, err := a.Catalogue(ctx)
	if err != nil {
		return report.Feeds{}, err
	}
	feeds, err := a.feeds(ctx)
	if err != nil {
		return report.Feeds{}, err
	}
	doc := report.Feeds{Catalogue: cat, Feeds: []report.FeedState{}}
	plans, missing := a.plans(), a.missing()
	for _, f := range feeds {
		state := a.toFeedState(f, plans[f.Feed])
		state.Missing = missing[f.Feed]
		doc.Feeds = append(doc.Feeds, state)
	}
	return doc, nil
}

// missing says what must be configured before a feed can be fetched from its publisher.
func (a *App) missing() map[string]report.Text {
	out := map[string]report.Text{}
	urls := a.feedURLs()
	for _, p := range publishers(a.cfg) {
		r, ok := p.(feed.Readier)
		if !ok || urls[p.Feed()] != "" || a.cfg.Feeds.Mirror != "" {
			continue
		}
		if err := r.Ready(); err != nil {
			out[p.Feed()] = report.Text(err.Error())
		}
	}
	return out
}

func (a *App) toFeedState(f catalogue.FeedStatus, p plannedFeed) report.FeedState {
	return report.FeedState{
		Feed: f.Feed, Enabled: p.enabled, Status: report.Text(f.Status), Records: f.Records,
		Newest: report.Date{Time: f.Newest}, Starter: report.Date{Time: f.Starter}, LastGood: pointer(f.LastGood),
		LastRun: pointer(f.LastRun), AgeHours: a.age(f), Source: report.Text(f.Source), Error: report.Text(f.Error),
		Schedule: report.Text(p.text), DueAt: pointer(p.due(f, a.now())), Stale: p.stale(f, a.now()),
	}
}

// plannedFeed is what the configuration says of when a feed is loaded.
type plannedFeed struct {
	enabled  bool
	text     string
	schedule config.Schedule
}

func (a *App) plans() map[string]plannedFeed {
	out := map[string]plannedFeed{}
	for _, f := range a.cfg.Feeds.All() {
		schedule, err := config.ParseSchedule(f.Schedule)
		if err != nil {
			continue // the configuration was validated
		}
		out[f.Name] = plannedFeed{enabled: f.Enabled, text: f.Schedule, schedule: schedule}
	}
	return out
}

// retryAfter is how soon a feed that failed is due again: not at every tick of a timer, not only after a week.
const retryAfter = 30 * time.Minute

// due is when the feed is to be loaded next: now when it never was, zero when nothing loads it by itself.
func (p plannedFeed) due(f catalogue.FeedStatus, now time.Time) time.Time {
	if !p.enabled || p.text == "" {
		return time.Time{}
	}
	due := now
	if f.Synced() {
		due = p.schedule.Next(f.LastGood)
	}
	if retry := f.LastRun.Add(retryAfter); f.Status == string(feed.StatusFailed) && retry.After(due) {
		return retry
	}
	return due
}

// stale says whether what there is of a feed is older than twice its schedule's interval.
func (p plannedFeed) stale(f catalogue.FeedStatus, now time.Time) bool {
	at, ok := f.AsOf()
	if !ok || !p.enabled {
		return false
	}
	interval := p.schedule.Interval(at)
	return interval > 0 && now.Sub(at) > 2*interval
}

// dueFeeds are those of names whose schedule says that they are due.
func (a *App) dueFeeds(ctx context.Context, names []string) ([]string, error) {
	feeds, err := a.feeds(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]catalogue.FeedStatus{}
	for _, f := range feeds {
		known[f.Feed] = f
	}
	plans, now := a.plans(), a.now()
	var out []string
	for _, name := range names {
		if due := plans[name].due(known[name], now); !due.IsZero() && !due.After(now) {
			out = append(out, name)
		}
	}
	return out, nil
}

// FeedRuns lists the latest runs of a feed ("" for all), newest first.
func (a *App) FeedRuns(ctx context.Context, name string, limit int) (report.FeedRuns, error) {
	doc := report.FeedRuns{Runs: []report.FeedRun{}}
	runs, err := a.store.Catalogue().Runs(ctx, name, limit)
	if err != nil {
		return doc, err
	}
	if len(runs) == 0 && name != "" && !slices.Contains(FeedNames(), name) {
		return doc, fault.NotFound("there is no run of a feed %.40s", name)
	}
	for _, r := range runs {
		doc.Runs = append(doc.Runs, toFeedRun(r))
	}
	return doc, nil
}

func toFeedRun(r feed.Run) report.FeedRun {
	out := report.FeedRun{
		Feed: r.Feed, Source: report.Text(r.Source), Status: string(r.Status), Seen: r.Seen, Inserted: r.Inserted,
		Updated: r.Updated, Unchanged: r.Unchanged, Rejected: r.Rejected, Reasons: []report.Rejected{},
		StartedAt: pointer(r.Started), EndedAt: pointer(r.Finished), Error: report.Text(r.Error),
	}
	for _, reason := range r.Reasons {
		out.Reasons = append(out.Reasons, report.Rejected{Reason: reason.Reason, Count: reason.Count, Places: notNil(reason.Places)})
	}
	return out
}
