package priority

import "time"

// Term is a decision with its history: since when it holds and by when it is due. It is stored with the finding, so
// that looking again never buys time. The zero Term is a finding that was not decided yet.
type Term struct {
	Decision Decision
	Since    time.Time // the UTC day on which the decision arose
	Due      time.Time // a UTC day; zero for Track
}

// Next carries a term on with a new verdict. The due date is the later of first seen and the day the decision arose,
// plus the decision's days; a new date replaces the old one only when it is earlier, so that a rescan, a late import or
// a milder verdict never moves it later. A finding that is only to be tracked has no due date.
func (t Term) Next(v Verdict, firstSeen, now time.Time) Term {
	since := t.since(v, firstSeen, now)
	if v.Decision.Days() == 0 {
		return Term{Decision: v.Decision, Since: since}
	}
	due := later(day(firstSeen), since).AddDate(0, 0, v.Decision.Days())
	if !t.Due.IsZero() && t.Due.Before(due) {
		due = t.Due
	}
	return Term{Decision: v.Decision, Since: since, Due: due}
}

// since is the day on which v's decision arose: for a first decision the day of its facts, and of what nobody published
// (a check of a tool) the day on which it was first seen, so that a report gives the same term whenever it is imported;
// for a changed decision the day of the KEV entry that changed it, else today.
func (t Term) since(v Verdict, firstSeen, now time.Time) time.Time {
	switch {
	case t.Decision == v.Decision && !t.Since.IsZero():
		return t.Since
	case t.Decision != "" && !(v.KEV && v.KEVAdded.After(t.Since)):
		return day(now)
	case !v.Arose.IsZero():
		return earlier(day(v.Arose), day(now))
	case firstSeen.IsZero():
		return day(now)
	default:
		return earlier(day(firstSeen), day(now))
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
