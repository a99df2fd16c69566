package store_test

import (
	"context"
	"slices"
	"testing"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

// Whatever the filter and the order, a list that is entered at a mark goes on as the list that was paged to there.
func TestMarksAreWhereTheListGoesOn(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		w := newWorld(t, eng.Open(t).Estate(), 4, 120, 40) // more than one block of ids
		w.workOutRisk()
		for i := range 25 {
			w.checkMarks(auth.Everything(), w.randomFilter(i%4), w.want)
			w.checkMarks(auth.Everything(), w.randomFilter(i%4), w.want) // another sort, and what is kept by now
		}
		for _, by := range finding.SortFields() {
			for _, reverse := range []bool{false, true} {
				f := finding.Filter{ShowHidden: true, Sort: finding.Sort{By: by, Reverse: reverse}}
				w.checkMarks(auth.Everything(), f, w.want)
				w.checkMarks(auth.OfSites("branch"), f, func(f finding.Filter) []int64 {
					f.Site = "branch"
					return w.want(f)
				})
			}
		}
		w.change()
		w.reread()
		w.checkMarks(auth.Everything(), finding.Filter{}, w.want) // not what was kept before
	})
}

// checkMarks compares the rows behind every mark with those of a plain reader.
func (w *world) checkMarks(v auth.View, f finding.Filter, plain func(finding.Filter) []int64) {
	w.t.Helper()
	ctx := context.Background()
	want := plain(f)
	every := 1 + w.rng.IntN(len(want)/2+3)
	for range 2 { // the second time from memory
		total, marks, err := w.e.FindingMarks(ctx, v, f, every)
		if err != nil || total != len(want) || len(marks) != (len(want)+every-1)/every {
			w.t.Fatalf("%+v: %d marks each %d of %d findings, want %d (%v)", f, len(marks), every, total, len(want), err)
		}
		for i, mark := range marks {
			page := f
			page.Limit = every
			if page.After, err = finding.ParseCursor(mark.String(), f.Sort); i > 0 && err != nil {
				w.t.Fatal(err)
			}
			if i == 0 {
				if mark != (finding.Cursor{}) {
					w.t.Fatalf("the list begins at %+v", mark)
				}
				page.After = finding.Cursor{}
			}
			listed, err := w.e.Findings(ctx, v, page)
			if err != nil {
				w.t.Fatal(err)
			}
			var got []int64
			for _, l := range listed {
				got = append(got, l.ID)
			}
			if rows := want[i*every : min((i+1)*every, len(want))]; !slices.Equal(got, rows) {
				w.t.Fatalf("%+v: mark %d each %d\n got %v\nwant %v", f, i, every, head(got), head(rows))
			}
		}
	}
}
