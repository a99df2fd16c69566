package app

import (
	"context"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/report"
)

// Catalogue says what results rest on: how much, how new, and the age of each feed.
func (a *App) Catalogue(ctx context.Context) (report.Catalogue, error) {
	stats, err := a.store.Catalogue().Stats(ctx)
	if err != nil {
		return report.Catalogue{}, err
	}
	feeds, err := a.feeds(ctx)
	if err != nil {
		return report.Catalogue{}, err
	}
	out := report.Catalogue{
		Records: stats.Records, Newest: report.Date{Time: stats.Newest}, Starter: !stats.Starter.IsZero(), Feeds: []report.FeedAge{},
	}
	for _, f := range feeds {
		out.Feeds = append(out.Feeds, report.FeedAge{Name: f.Feed, AgeHours: a.age(f)})
	}
	return out, nil
}

// age is nil for a feed without any data.
func (a *App) age(f catalogue.FeedStatus) *float64 {
	at, ok := f.AsOf()
	if !ok {
		return nil
	}
	hours := max(0, float64(int(a.now().Sub(at).Hours()*10))/10)
	return &hours
}

// kevKnown says whether "not in KEV" is knowledge.
func kevKnown(c report.Catalogue) bool { return c.Synced("kev") }

// lastGood is when each feed's last good run began.
func (a *App) lastGood(ctx context.Context) (map[string]time.Time, error) {
	feeds, err := a.feeds(ctx)
	since := map[string]time.Time{}
	for _, f := range feeds {
		if f.Synced() {
			since[f.Feed] = f.LastGood
		}
	}
	return since, err
}
