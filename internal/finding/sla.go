package finding

import (
	"maps"
	"time"
)

// Terms are the organisation's own: within how many days a finding is to be dealt with, by decision and by severity. 0, or
// a word that is missing, sets no term. They stand beside Rating.Due, which follows CISA's directive.
type Terms struct {
	Decision map[string]int // act, attend, plan, track
	Severity map[string]int // critical, high, medium, low, info
}

// With is the terms with others in their place where these say something, if only that there is none.
func (t Terms) With(set Terms) Terms {
	if len(set.Decision)+len(set.Severity) == 0 {
		return t
	}
	return Terms{Decision: over(t.Decision, set.Decision), Severity: over(t.Severity, set.Severity)}
}

func over(days, set map[string]int) map[string]int {
	out := make(map[string]int, len(days)+len(set))
	maps.Copy(out, days)
	maps.Copy(out, set)
	return out
}

// Due is the day by which the finding is to be dealt with, zero where no term applies: the earliest of the terms, counted
// from the later of the days on which it was first seen and its decision arose.
func (t Terms) Due(f *Finding) time.Time {
	days := t.Decision[f.Decision]
	if s := t.Severity[f.Severity]; s > 0 && (days == 0 || s < days) {
		days = s
	}
	if days <= 0 || f.FirstSeen.IsZero() {
		return time.Time{}
	}
	start := day(f.FirstSeen)
	if since := day(f.DecisionSince); since.After(start) {
		start = since
	}
	return start.AddDate(0, 0, days)
}

// Next is the due day after looking again, given the one before: looking never buys time, so a stored day stays unless the
// new one is earlier. Where the terms themselves were changed, Due says the new day.
func (t Terms) Next(f *Finding, before time.Time) time.Time {
	due := t.Due(f)
	if due.IsZero() || !before.IsZero() && before.Before(due) {
		return before
	}
	return due
}

// Overdue says whether the finding stands beyond its organisation's term, and nobody set it aside.
func (f *Finding) Overdue(now time.Time) bool {
	return f.State.Live() && !f.SLADue.IsZero() && day(now).After(f.SLADue) && !f.Triage.Hidden(now)
}

func day(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(24 * time.Hour)
}
