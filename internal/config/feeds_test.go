package config

import (
	"slices"
	"strings"
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

func TestAFeedsAddressIsAFolderWithoutSecrets(t *testing.T) {
	for _, bad := range []string{"https://user:hunter2@host/x/", "https://host/x/?token=hunter2", "https://host/x/#hunter2", "file:///etc/", "javascript:x"} {
		c := Default()
		c.Feeds.KEV.URL = bad
		if err := c.Validate(); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("feeds.kev.url %s: %v", bad, err)
		}
		c = Default()
		if c.Feeds.Mirror = bad; strings.Contains(bad, "://") && c.Validate() == nil {
			t.Errorf("feeds.mirror %s is accepted", bad)
		}
	}
	c := Default()
	c.Feeds.KEV.URL = "https://mirror.example/a%20b/"
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}
