package store

import (
	"testing"
	"time"
)

func TestPostgresThatSaysNothingIsNotWaitedForForEver(t *testing.T) {
	for url, want := range map[string]time.Duration{
		"postgres://u@127.0.0.1/d":                   connectTimeout,
		"postgres://u@127.0.0.1/d?connect_timeout=3": 3 * time.Second,
	} {
		p, err := newPostgres(url)
		if err != nil || p.config.ConnectTimeout != want {
			t.Errorf("%s: connects for %s, want %s (%v)", url, p.config.ConnectTimeout, want, err)
		}
	}
}
