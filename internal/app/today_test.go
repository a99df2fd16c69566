package app

import (
	"context"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/finding"
)

func TestWhatIsUrgentIsTheListThatTodayLeadsTo(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		ctx := context.Background()
		empty, err := a.Today(ctx, "")
		if err != nil || empty.Urgent.Findings != 0 || !empty.Urgent.By.IsZero() {
			t.Fatalf("nothing is known, and %+v is urgent (%v)", empty.Urgent, err)
		}
		a.now = func() time.Time { return time.Now().AddDate(0, 0, -59) } // what was planned for 60 days is due tomorrow
		furnish(t, a, "branch")
		a.now = time.Now
		today, err := a.Today(ctx, "")
		if err != nil {
			t.Fatal(err)
		}
		list, err := a.counts(ctx, finding.Filter{Live: true, Confirmed: true, DueBefore: today.Urgent.By.AddDate(0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		if u := today.Urgent; u.Findings == 0 || u.Findings != list.Confirmed || u.KEV != list.KEV || u.Hosts != 3 {
			t.Errorf("%+v is urgent; the list has %+v, on 3 hosts", u, list)
		}
		last := today.Urgent.By.Sub(a.now().UTC().Truncate(24 * time.Hour))
		if last < -24*time.Hour || last > 3*24*time.Hour {
			t.Errorf("what is urgent ends %s from today", last)
		}
	})
}
