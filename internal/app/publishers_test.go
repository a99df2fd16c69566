package app

import (
	"slices"
	"testing"

	"github.com/patchscout/patchscout/internal/config"
)

func TestEveryFeedOfTheConfigurationHasItsReader(t *testing.T) {
	if got, want := FeedNames(), config.FeedNames(); !slices.Equal(got, want) {
		t.Errorf("feeds that are read:\n%v\nthat can be configured:\n%v", got, want)
	}
}
