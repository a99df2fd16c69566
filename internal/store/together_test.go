package store_test

import (
	"context"
	"testing"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

func TestReadsTogetherSeeOneState(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		s := eng.Open(t)
		sites := func(ctx context.Context) int {
			t.Helper()
			list, err := s.Estate().Sites(ctx, auth.Everything())
			if err != nil {
				t.Fatal(err)
			}
			return len(list)
		}
		before := sites(ctx)
		if err := s.Together(ctx, func(together context.Context) error {
			first := sites(together)
			if _, _, err := s.Estate().CreateSite(ctx, asset.Site{Name: "branch"}); err != nil {
				return err
			}
			if again := sites(together); again != first {
				t.Errorf("%d sites, and then %d", first, again)
			}
			if now := sites(ctx); now != before+1 {
				t.Errorf("others see %d sites, want %d", now, before+1)
			}
			_, err := s.Catalogue().Generation(together)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if now := sites(ctx); now != before+1 {
			t.Errorf("%d sites afterwards, want %d", now, before+1)
		}
	})
}
