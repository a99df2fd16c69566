package app

import (
	"context"
	"encoding/json"
	"time"

	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/job"
)

// What the server does by itself, and when. The feeds have schedules of their own (feeds.*.schedule); the check for those
// that are due comes often and mostly finds nothing.
const (
	feedsCheck   = "@every 5m"
	feedsSpread  = 5 * time.Minute
	purgeAt      = "40 3 * * *"
	rulesAt      = "10 0 * * *" // terms and accepted findings end with a day
	upkeepSpread = 10 * time.Minute
)

// rulesArgs are the Args of the job of kind triage that applies all rules and terms.
var rulesArgs = json.RawMessage(`{"apply_rules":true}`)

// scheduler has the server's own jobs queued when their time comes: of all processes one does.
func (a *App) scheduler() *job.Scheduler {
	return job.NewScheduler(a.store.Jobs(), a.schedules, a.wake, job.Options{Log: a.log, Now: a.now})
}

// schedules are those of this moment; what people plan joins them here.
func (a *App) schedules(context.Context) ([]job.Schedule, error) {
	due, err := json.Marshal(SyncRequest{Due: true})
	if err != nil {
		return nil, err
	}
	list := []job.Schedule{
		{Name: "feeds", Spread: feedsSpread, If: a.feedsDue, Job: job.Job{Kind: job.Feeds, Key: "feeds due", Args: due}},
		{Name: "purge", Spread: upkeepSpread, Job: job.Job{Kind: job.Purge, Key: "purge"}},
		{Name: "rules", Spread: upkeepSpread, Job: job.Job{Kind: job.Triage, Key: "rules", Args: rulesArgs}},
	}
	for i, text := range []string{feedsCheck, purgeAt, rulesAt} {
		times, err := config.ParseSchedule(text)
		if err != nil {
			return nil, err
		}
		list[i].Times, list[i].Job.By = times, "system"
	}
	return list, nil
}

// feedsDue says whether any feed that is on is due.
func (a *App) feedsDue(ctx context.Context) (bool, error) {
	due, err := a.dueFeeds(ctx, a.cfg.EnabledFeeds())
	return len(due) > 0, err
}
