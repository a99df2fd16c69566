package answer

import (
	"fmt"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/assistant/understand"
)

// times reads a period; which time it narrows depends on the state where nobody said.
func (c *chosen) times(q *Asked) *trouble {
	if p := q.DueWithin; p != nil {
		c.req.DueBefore = stamp(p.To)
		if !p.From.IsZero() && !q.Overdue {
			c.req.Further.DueAfter, c.exact = p.From.UTC().Truncate(24*time.Hour), false
		}
		c.behind = append(c.behind, "due "+since(p))
	}
	p := q.Time
	if p == nil {
		return nil
	}
	of := q.TimeOf
	if of == "" {
		of = map[string]string{"fixed": "fixed", "closed": "fixed", "reopened": "returned"}[q.State]
	}
	if of == "scanned" {
		of = "last_seen"
	}
	switch of {
	case "", "first_seen":
		c.req.FirstSeenAfter, c.req.FirstSeenBefore = stamp(p.From), stamp(p.To)
		c.behind = append(c.behind, "first seen "+since(p))
	case "last_seen":
		c.req.LastSeenAfter, c.req.LastSeenBefore = stamp(p.From), stamp(p.To)
		c.behind = append(c.behind, "last seen "+since(p))
	case "fixed", "closed":
		if c.req.State == "" {
			c.req.State, c.state = "fixed", "fixed"
		}
		c.req.ClosedAfter = stamp(p.From)
		if !p.To.IsZero() && p.To.Before(q.Now) {
			c.req.Further.ClosedBefore, c.exact = p.To, false
		}
		c.state += " " + since(p)
	case "returned", "reopened":
		c.req.ReturnedAfter = stamp(p.From)
		if !p.To.IsZero() && p.To.Before(q.Now) {
			c.req.Further.ReturnedBefore, c.exact = p.To, false
		}
		c.state += " " + since(p)
	case "due":
		c.req.DueBefore = stamp(p.To)
		if !p.From.IsZero() {
			c.req.Further.DueAfter, c.exact = p.From.UTC().Truncate(24*time.Hour), false
		}
		c.behind = append(c.behind, "due "+since(p))
	case "published":
		c.about.PublishedFrom, c.about.PublishedTo, c.narrows = dayOf(p.From), dayOf(p.To), true
		c.behind = append(c.behind, "whose CVEs were published "+since(p))
	case "modified":
		c.about.ModifiedFrom, c.about.ModifiedTo, c.narrows = dayOf(p.From), dayOf(p.To), true
		c.behind = append(c.behind, "whose CVEs were changed "+since(p))
	case "kev_added":
		c.about.KEVFrom, c.about.KEVTo, c.narrows = dayOf(p.From), dayOf(p.To), true
		c.behind = append(c.behind, "that CISA listed as exploited "+since(p))
	default:
		return &trouble{because: fmt.Sprintf("findings have no time of the kind %s", quote(of)), instead: "Ask by when they were first seen, last seen, fixed or are due."}
	}
	return nil
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func dayOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

// since says a period in words.
func since(p *understand.Period) string {
	switch {
	case strings.HasPrefix(p.Words, "the last ") || strings.HasPrefix(p.Words, "the past ") || strings.HasPrefix(p.Words, "the next "):
		return "in " + quote(p.Words)
	case p.Words != "":
		return quote(p.Words)
	case p.From.IsZero():
		return "before " + day(p.To)
	case p.To.IsZero():
		return "since " + day(p.From)
	default:
		return "from " + day(p.From) + " to " + day(p.To)
	}
}
