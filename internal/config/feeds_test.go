package config

import (
	"slices"
	"testing"
	"time"
)

func TestListsLoadBeforeRecords(t *testing.T) {
	names := Default().EnabledFeeds()
	if len(names) != len(Default().Feeds.All()) || names[0] != "kev" {
		t.Errorf("feeds that are on: %v", names)
	}
	if i := slices.Index(names, "nvd"); i < slices.Index(names, "malwarebazaar") || i < slices.Index(names, "cvelist") {
		t.Errorf("order %v", names)
	}
	cfg := Default()
	cfg.Feeds.NVD.Enabled = false
	if slices.Contains(cfg.EnabledFeeds(), "nvd") {
		t.Error("nvd is off")
	}
}

func TestSchedule(t *testing.T) {
	friday := time.Date(2026, 11, 20, 4, 31, 0, 0, time.Local)
	for _, tt := range []struct {
		text     string
		next     time.Time
		interval time.Duration
	}{
		{"@every 6h", friday.Add(6 * time.Hour), 6 * time.Hour},
		{"30 4 * * 1-5", friday.AddDate(0, 0, 3).Add(-time.Minute), 72 * time.Hour}, // a weekend is no delay
		{"@weekly", time.Date(2026, 11, 22, 0, 0, 0, 0, time.Local), 7 * 24 * time.Hour},
		{"", time.Time{}, 0},
	} {
		s, err := ParseSchedule(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Next(friday); !got.Equal(tt.next) {
			t.Errorf("%q: next %v, want %v", tt.text, got, tt.next)
		}
		if got := s.Interval(friday); got != tt.interval {
			t.Errorf("%q: interval %v, want %v", tt.text, got, tt.interval)
		}
	}
}

func FuzzSchedule(f *testing.F) {
	for _, text := range []string{"@every 6h", "@daily", "30 4 * * 1-5", "TZ=0", "*/0 * * * *", "@every -1h", "0 0 31 2 *"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSchedule(text)
		if now := time.Now(); err == nil && text != "" && !s.Next(now).After(now) {
			t.Errorf("%q comes next at %v", text, s.Next(now))
		}
	})
}
