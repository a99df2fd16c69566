package app

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/report"
)

// Catalogue says what results rest on: how much, how new, and the age of each feed.
func (a *App) Catalogue(ctx context.Context) (report.Catalogue, error) {
	stats, feeds, err := a.standing.ask(ctx, a.store.Catalogue())
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

// standing is what the catalogue holds and how its feeds went, as long as nobody writes to it: every answer about a finding
// asks for it, and to read it takes longer than to read the finding. The zero value is ready for use.
type standing struct {
	mu    sync.Mutex
	stats catalogue.Stats
	feeds []catalogue.FeedStatus
	known bool
}

// catalogueState is what standing needs of the catalogue.
type catalogueState interface {
	Generation(ctx context.Context) (int64, error)
	Stats(ctx context.Context) (catalogue.Stats, error)
	Feeds(ctx context.Context) ([]catalogue.FeedStatus, error)
}

// ask leaves out refreshRun. The list is the caller's.
func (s *standing) ask(ctx context.Context, c catalogueState) (catalogue.Stats, []catalogue.FeedStatus, error) {
	now, err := c.Generation(ctx)
	if err != nil {
		return catalogue.Stats{}, nil, err
	}
	s.mu.Lock()
	stats, feeds, known := s.stats, s.feeds, s.known && s.stats.Generation == now
	s.mu.Unlock()
	if known {
		return stats, slices.Clone(feeds), nil
	}
	if stats, err = c.Stats(ctx); err != nil {
		return stats, nil, err
	}
	if feeds, err = c.Feeds(ctx); err != nil {
		return stats, nil, err
	}
	feeds = slices.DeleteFunc(feeds, func(f catalogue.FeedStatus) bool { return f.Feed == refreshRun })
	if after, err := c.Generation(ctx); err == nil && after == stats.Generation { // else somebody wrote in between
		s.mu.Lock()
		s.stats, s.feeds, s.known = stats, feeds, true
		s.mu.Unlock()
	}
	return stats, slices.Clone(feeds), nil
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
