package jobtest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// clocked is a scheduler over real data with a clock that the test moves.
type clocked struct {
	*job.Scheduler
	jobs *store.Jobs
	now  time.Time
	due  bool
	err  error
}

func schedule(t *testing.T, eng *storetest.Engine, text string, spread time.Duration) *clocked {
	t.Helper()
	times, err := config.ParseSchedule(text)
	if err != nil {
		t.Fatal(err)
	}
	c := &clocked{jobs: eng.Open(t).Jobs(), now: time.Date(2026, 3, 1, 12, 0, 30, 0, time.Local), due: true}
	source := func(context.Context) ([]job.Schedule, error) {
		return []job.Schedule{{Name: "s", Times: times, Spread: spread, Job: job.Job{Kind: job.Feeds},
			If: func(context.Context) (bool, error) { return c.due, c.err }}}, nil
	}
	c.Scheduler = job.NewScheduler(c.jobs, source, func() {}, job.Options{Now: func() time.Time { return c.now }})
	return c
}

// after moves the clock, looks, and says how many jobs there are in all.
func (c *clocked) after(t *testing.T, d time.Duration) int {
	t.Helper()
	c.now = c.now.Add(d)
	if err := c.Look(context.Background()); err != nil {
		t.Fatal(err)
	}
	all, err := c.jobs.Jobs(context.Background(), job.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func TestAScheduleFiresAtItsMoments(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		c := schedule(t, eng, "*/10 * * * *", 0) // 12:00:30
		for i, step := range []struct {
			wait time.Duration
			want int
		}{
			{0, 0}, {9 * time.Minute, 0}, {time.Minute, 1}, {time.Second, 1}, {10 * time.Minute, 2},
			{72 * time.Hour, 3}, {time.Second, 3}, {10 * time.Minute, 4}, // a pause is made up for once
			{-24 * time.Hour, 4}, {11 * time.Minute, 5}, // and a clock that was set back goes on from there
		} {
			if got := c.after(t, step.wait); got != step.want {
				t.Errorf("step %d: %d jobs, want %d", i, got, step.want)
			}
		}
	})
}

func TestAScheduleWithNothingToDoWaitsForItsNextMoment(t *testing.T) {
	c := schedule(t, storetest.NewSQLite(t), "@every 5m", 0)
	c.after(t, 0)
	c.due = false
	if n := c.after(t, 6*time.Minute); n != 0 {
		t.Errorf("%d jobs", n)
	}
	c.due = true
	if n := c.after(t, time.Minute); n != 0 {
		t.Errorf("%d jobs before the next moment", n)
	}
	if n := c.after(t, 5*time.Minute); n != 1 {
		t.Errorf("%d jobs", n)
	}
	c.err = fmt.Errorf("disk")
	c.now = c.now.Add(time.Hour)
	if err := c.Look(context.Background()); err == nil {
		t.Error("no error")
	}
	c.err = nil
	if n := c.after(t, time.Second); n != 2 {
		t.Errorf("after the trouble: %d jobs", n)
	}
}

func TestEveryMomentFiresOnceForAllProcesses(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		var all []*clocked
		for range 4 {
			c := schedule(t, eng, "@every 1m", 0)
			c.after(t, 0)
			all = append(all, c)
		}
		for range 5 {
			var turn sync.WaitGroup
			for _, c := range all {
				turn.Go(func() { c.after(t, time.Minute) })
			}
			turn.Wait()
		}
		if n := all[0].after(t, 0); n != 5 {
			t.Errorf("%d jobs of 5 moments", n)
		}
	})
}

func TestAnInstallationPutsItsMomentsOffByTheSameAmount(t *testing.T) {
	eng := storetest.NewSQLite(t)
	c := schedule(t, eng, "0 * * * *", 30*time.Minute)
	name, err := c.jobs.Installation(context.Background())
	if again, _ := schedule(t, eng, "0 * * * *", 0).jobs.Installation(context.Background()); err != nil || name == "" || again != name {
		t.Fatalf("the installation is %q, then %q, %v", name, again, err)
	}
	off := job.Spread(name, "s", 30*time.Minute)
	c.after(t, 0)
	if n := c.after(t, 59*time.Minute+30*time.Second+off-time.Second); n != 0 {
		t.Errorf("%d jobs too early", n)
	}
	if n := c.after(t, 2*time.Second); n != 1 {
		t.Errorf("%d jobs in time", n)
	}
	seen := map[time.Duration]bool{}
	for i := range 200 {
		d := job.Spread(fmt.Sprint(i), "s", 10*time.Second)
		if d < 0 || d > 10*time.Second {
			t.Errorf("spread by %v", d)
		}
		seen[d] = true
	}
	if len(seen) != 11 {
		t.Errorf("200 installations have only %d moments", len(seen))
	}
}
