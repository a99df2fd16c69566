package app

import (
	"slices"
	"testing"

	"github.com/patchscout/patchscout/internal/config"
)

func TestEveryFeedOfTheConfigurationHasItsReader(t *testing.T) {
	if got, want := FeedNames(), config.Default().EnabledFeeds(); !slices.Equal(got, want) {
		t.Errorf("feeds that are read:\n%v\nthat are on unless configured otherwise:\n%v", got, want)
	}
}
