package app

import (
	"context"
	"fmt"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
)

// How far Today looks, and how much it shows.
const (
	soonDays      = 14
	urgentDays    = 4 // today and the three days that a decision to act leaves
	exploitedDays = 90
	mostExploited = 20
	mostActions   = 10
	mostRisky     = 5
)

// Today says what to act on now. since is a day or a moment; "" is the asker's last visit.
func (a *App) Today(ctx context.Context, since string) (report.Today, error) {
	return together(ctx, a.store, func(ctx context.Context) (report.Today, error) { return a.today(ctx, since) })
}

func (a *App) today(ctx context.Context, since string) (report.Today, error) {
	visit, err := a.lastVisit(ctx, since)
	if err != nil {
		return report.Today{}, err
	}
	out, err := a.standingToday(ctx)
	if err != nil {
		return out, err
	}
	done, err := a.store.Estate().Doings(ctx, a.who.View, visit)
	if err != nil {
		return out, err
	}
	if !visit.IsZero() {
		out.Since = pointer(visit)
		if out.Changes, err = a.changes(ctx, visit, out.NewlyExploited); err != nil {
			return out, err
		}
		out.Changes.Scans, out.Changes.Imports = done.Scans, done.Imports
	}
	out.NewlyExploited = out.NewlyExploited[:min(mostExploited, len(out.NewlyExploited))]
	if err := a.addFeeds(ctx, &out); err != nil {
		return out, err
	}
	out.First.Scans, out.First.Imports = done.EverScanned, done.EverImp
	return out, nil
}

func (a *App) lastVisit(ctx context.Context, since string) (time.Time, error) {
	if since != "" || a.who.User == 0 {
		return parseMoment("since", since, false)
	}
	return a.store.Estate().LastVisit(ctx, a.who.User)
}

// Visit keeps that the asker has seen it now.
func (a *App) Visit(ctx context.Context) error {
	auth.MarkRecorded(ctx) // that somebody looked is no change that anybody answers for
	if a.who.User == 0 {
		return nil
	}
	return a.store.Estate().Visit(ctx, a.who.User)
}

// standingToday is what Today says whoever looks for the first or the tenth time; it is kept until somebody writes. All
// newly exploited CVEs are in it. The lists are the caller's to cut, not to change.
func (a *App) standingToday(ctx context.Context) (report.Today, error) {
	estate, err := a.store.Estate().Generation(ctx)
	if err != nil {
		return report.Today{}, err
	}
	catalogue, err := a.store.Catalogue().Generation(ctx)
	if err != nil {
		return report.Today{}, err
	}
	today := a.now().UTC().Truncate(24 * time.Hour)
	key := fmt.Sprintf("%d %s %t %q", catalogue, today.Format(time.DateOnly), a.who.View.All(), a.who.View.Sites())
	if known, ok := a.todays.find(estate, key); ok {
		return known, nil
	}
	out, err := a.workOutToday(ctx, today)
	if err == nil {
		a.todays.keep(estate, key, out)
	}
	return out, err
}

// openNow are the findings that Today counts.
var openNow = finding.Filter{Live: true, Confirmed: true}

func (a *App) workOutToday(ctx context.Context, today time.Time) (out report.Today, err error) {
	if out.Counts, err = a.counts(ctx, finding.Filter{Live: true}); err != nil {
		return out, err
	}
	overdue, soon, err := a.store.Estate().Due(ctx, a.who.View, openNow, soonDays)
	if err != nil {
		return out, err
	}
	out.Overdue = overdue
	for i, n := range soon {
		out.DueSoon = append(out.DueSoon, report.DueDay{Day: report.Date{Time: today.AddDate(0, 0, i)}, Findings: n})
	}
	if out.Urgent, err = a.urgent(ctx, today, overdue, soon[:urgentDays]); err != nil {
		return out, err
	}
	if out.Actions, err = a.actions(ctx); err != nil {
		return out, err
	}
	if out.Risk, err = a.riskToday(ctx); err != nil {
		return out, err
	}
	out.NewlyExploited, err = a.newlyExploited(ctx, today.AddDate(0, 0, -exploitedDays))
	return out, err
}

// urgent is what is overdue or due within days, up to the last of them on which something is.
func (a *App) urgent(ctx context.Context, today time.Time, overdue int, soon []int) (report.Urgent, error) {
	last := -1
	for i, n := range soon {
		if n > 0 {
			last = i
		}
	}
	if last < 0 && overdue == 0 {
		return report.Urgent{}, nil
	}
	by := today.AddDate(0, 0, last)
	due := openNow
	due.DueBefore = by.AddDate(0, 0, 1)
	counts, err := a.counts(ctx, due)
	if err != nil {
		return report.Urgent{}, err
	}
	_, hosts, err := a.store.Estate().FindingGroups(ctx, a.who.View, due, finding.GroupHost, finding.GroupCursor{}, 1)
	return report.Urgent{Findings: counts.Confirmed, Hosts: hosts, KEV: counts.KEV, By: report.Date{Time: by}}, err
}

// actions are the most urgent groups of findings that one action fixes; what nobody knows a remedy of is no action.
func (a *App) actions(ctx context.Context) ([]report.Group, error) {
	groups, _, err := a.store.Estate().FindingGroups(ctx, a.who.View, openNow, finding.GroupRemedy, finding.GroupCursor{}, mostActions+1)
	out := []report.Group{}
	for _, g := range groups {
		if g.Key != "" && len(out) < mostActions {
			out = append(out, toGroup(g, finding.GroupRemedy))
		}
	}
	return out, err
}

// riskToday are the open findings whose fixing takes most off the risk of attack paths.
func (a *App) riskToday(ctx context.Context) (report.TodayRisk, error) {
	out := report.TodayRisk{Findings: []report.RiskFinding{}}
	state, err := a.store.Estate().RiskState(ctx)
	if err != nil || state.At.IsZero() {
		return out, err
	}
	out.At = &state.At
	listed, total, err := a.store.Estate().RiskRanking(ctx, a.who.View, openNow, mostRisky)
	out.Total = total
	for _, l := range listed {
		out.Findings = append(out.Findings, report.RiskFinding{ID: l.ID, HostID: l.HostID, Host: hostName(l), Site: l.Site, Weakness: string(l.Weakness),
			Title: report.Text(l.Title), RiskRemoved: *l.RiskRemoved})
	}
	return out, err
}

// newlyExploited are the CVEs of open findings that KEV has added since a day, newest first.
func (a *App) newlyExploited(ctx context.Context, since time.Time) ([]report.Exploited, error) {
	added, err := a.store.Catalogue().ExploitedSince(ctx, since)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(added))
	for i, k := range added {
		names[i] = k.CVE.String()
	}
	touched, err := a.store.Estate().TouchedBy(ctx, a.who.View, openNow, names)
	out := []report.Exploited{}
	for i, k := range added {
		if t := touched[names[i]]; t.Findings > 0 {
			out = append(out, report.Exploited{CVE: names[i], Title: report.Text(k.Name), Since: report.Date{Time: k.Added}, Ransomware: k.Ransomware,
				Findings: t.Findings, Hosts: t.Hosts})
		}
	}
	return out, err
}

// changes counts what the lists with the same filters show.
func (a *App) changes(ctx context.Context, since time.Time, exploited []report.Exploited) (*report.Changes, error) {
	out := &report.Changes{}
	for _, c := range []struct {
		into   *int
		filter finding.Filter
	}{
		{&out.New, finding.Filter{Live: true, Confirmed: true, FirstSeenAfter: since}},
		{&out.Fixed, finding.Filter{States: []finding.State{finding.Fixed}, Confirmed: true, ClosedAfter: since}},
		{&out.Reopened, finding.Filter{Live: true, Confirmed: true, ReturnedAfter: since}},
	} {
		counts, err := a.store.Estate().CountFindings(ctx, a.who.View, c.filter)
		if err != nil {
			return nil, err
		}
		*c.into = counts.Total
	}
	day := since.UTC().Truncate(24 * time.Hour)
	for _, e := range exploited {
		if !e.Since.Before(day) {
			out.KEV++
		}
	}
	return out, nil
}

// addFeeds adds how the feeds are that are on or have data.
func (a *App) addFeeds(ctx context.Context, out *report.Today) error {
	status, err := a.FeedStatus(ctx)
	if err != nil {
		return err
	}
	out.Feeds, out.KEVKnown = []report.FeedState{}, kevKnown(status.Catalogue)
	for _, f := range status.Feeds {
		if f.Enabled || f.AgeHours != nil {
			out.Feeds = append(out.Feeds, f)
		}
		out.First.Feeds = out.First.Feeds || f.LastGood != nil
	}
	return nil
}
