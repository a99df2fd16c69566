package store_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

func TestAPageShowsWhatWasWrittenLast(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng.Open(t).Estate(), 4, 20, 20)
		f := finding.Filter{ShowHidden: true, Limit: 40}
		compare := func() {
			t.Helper()
			for range 2 { // the second time of what is kept
				page, counts, err := w.e.FindingPage(ctx, auth.Everything(), f)
				if err != nil {
					t.Fatal(err)
				}
				plain, err := w.e.Findings(ctx, auth.Everything(), f)
				if err != nil {
					t.Fatal(err)
				}
				ids := make([]int64, len(plain))
				for i := range plain {
					ids[i] = plain[i].ID
				}
				evidence, err := w.e.Evidence(ctx, auth.Everything(), ids)
				if err != nil {
					t.Fatal(err)
				}
				for i := range plain {
					plain[i].Evidence = evidence[plain[i].ID]
				}
				if !reflect.DeepEqual(page, plain) {
					t.Fatal("a page is not what the list and the evidence are")
				}
				if counts.Total != len(w.want(f)) {
					t.Fatalf("%d findings, want %d", counts.Total, len(w.want(f)))
				}
			}
		}
		compare()
		for range 4 {
			w.change()
			w.reread()
			compare()
		}
		page, _, err := w.e.FindingPage(ctx, auth.Everything(), f)
		if err != nil {
			t.Fatal(err)
		}
		update(t, w.e, func(ctx context.Context, tx *store.EstateTx) error {
			return tx.DeleteFindings(ctx, []int64{page[0].ID})
		})
		w.reread()
		compare()
	})
}

func TestWhatOneShowedIsNotShownToWhoMayNotSeeIt(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng.Open(t).Estate(), 5, 30, 20)
		f := finding.Filter{ShowHidden: true, Limit: 1000}
		all, _, err := w.e.FindingPage(ctx, auth.Everything(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, site := range worldSites {
			want := 0
			for _, l := range all {
				if l.Site == site {
					want++
				}
			}
			page, counts, err := w.e.FindingPage(ctx, auth.OfSites(site), f)
			if err != nil || len(page) != want || counts.Total != want {
				t.Errorf("%s: %d of %d findings, want %d (%v)", site, len(page), counts.Total, want, err)
			}
			for _, l := range page {
				if l.Site != site {
					t.Errorf("who sees %s sees a finding of %s", site, l.Site)
				}
			}
		}
	})
}
