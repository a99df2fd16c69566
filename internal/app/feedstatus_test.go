package app

import (
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/config"
)

func TestFeedIsDueByItsScheduleAndStaleAfterTwoIntervals(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	ago := func(hours int) time.Time { return now.Add(-time.Duration(hours) * time.Hour) }
	for _, tt := range []struct {
		name       string
		feed       catalogue.FeedStatus
		off        bool
		due, stale bool
	}{
		{name: "never loaded", due: true},
		{name: "just loaded", feed: catalogue.FeedStatus{LastGood: ago(1)}},
		{name: "one interval", feed: catalogue.FeedStatus{LastGood: ago(7)}, due: true},
		{name: "over two intervals", feed: catalogue.FeedStatus{LastGood: ago(13)}, due: true, stale: true},
		{name: "failed just now", feed: catalogue.FeedStatus{LastGood: ago(13), LastRun: now, Status: "failed"}, stale: true},
		{name: "failed an hour ago", feed: catalogue.FeedStatus{LastGood: ago(7), LastRun: ago(1), Status: "failed"}, due: true},
		{name: "the starter's", feed: catalogue.FeedStatus{Starter: ago(48)}, due: true, stale: true},
		{name: "off", feed: catalogue.FeedStatus{LastGood: ago(100)}, off: true},
	} {
		schedule, err := config.ParseSchedule("@every 6h")
		if err != nil {
			t.Fatal(err)
		}
		p := plannedFeed{enabled: !tt.off, text: "@every 6h", schedule: schedule}
		at := p.due(tt.feed, now)
		if due := !at.IsZero() && !at.After(now); due != tt.due || p.stale(tt.feed, now) != tt.stale {
			t.Errorf("%s: due %v (%v), stale %v", tt.name, due, at, p.stale(tt.feed, now))
		}
	}
}
