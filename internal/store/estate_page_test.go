package store_test

import (
	"context"
	"testing"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

func TestAPageIsTheListAndItsCount(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng.Open(t).Estate(), 3, 30, 20)
		for i := range 20 {
			f := w.randomFilter(i % 4)
			want := w.want(f)
			f.Skip, f.Limit = i, 1+i*3
			page, counts, err := w.e.FindingPage(ctx, auth.Everything(), f)
			if err != nil || counts.Total != len(want) {
				t.Fatalf("%+v: %d, want %d (%v)", f, counts.Total, len(want), err)
			}
			rest := want[min(f.Skip, len(want)):]
			rest = rest[:min(f.Limit, len(rest))]
			if len(page) != len(rest) {
				t.Fatalf("%+v: %d findings, want %d", f, len(page), len(rest))
			}
			for n, id := range rest {
				if page[n].ID != id {
					t.Fatalf("%+v: finding %d is %d, want %d", f, n, page[n].ID, id)
				}
			}
		}
		if page, counts, err := w.e.FindingPage(ctx, auth.View{}, w.randomFilter(0)); err != nil || len(page)+counts.Total != 0 {
			t.Errorf("who sees nothing sees %d of %d (%v)", len(page), counts.Total, err)
		}
	})
}
