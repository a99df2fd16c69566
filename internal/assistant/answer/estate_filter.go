package answer

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// chosen is which findings a question is about: a query, what the query cannot say, and both in words.
type chosen struct {
	req     request.AskFindings
	about   request.AskWeaknesses
	narrows bool // about says something
	exact   bool // the list's page and command can say all of it

	before []string // words before "findings": critical
	behind []string // clauses behind it: "with a public exploit"
	where  []string // "on 10.0.0.5", "in site dmz"
	state  string   // open, fixed …
	hosts  []report.AskHost
}

// trouble is why a condition cannot be met by any data: the text of a refusal.
type trouble struct{ because, instead, lookup string }

// findings reads which findings a question is about. A condition that cannot be asked of the data is trouble, never dropped.
func (q *Asked) findings(ctx context.Context) (*chosen, *trouble, error) {
	c := &chosen{exact: true}
	if t := c.states(q); t != nil {
		return nil, t, nil
	}
	c.ratings(q)
	if t := c.people(ctx, q); t != nil {
		return nil, t, nil
	}
	if t, err := c.runs(ctx, q); t != nil || err != nil {
		return nil, t, err
	}
	if t := c.times(q); t != nil {
		return nil, t, nil
	}
	c.catalogue(q)
	if t, err := c.places(ctx, q); t != nil || err != nil {
		return nil, t, err
	}
	if t, err := c.products(ctx, q); t != nil || err != nil {
		return nil, t, err
	}
	if t, err := c.exploitation(ctx, q); t != nil || err != nil {
		return nil, t, err
	}
	if t := c.negate(ctx, q); t != nil {
		return nil, t, nil
	}
	if err := c.resolve(ctx, q); err != nil {
		return nil, nil, err
	}
	return c, nil, c.fixable(ctx, q)
}

// resolve asks the catalogue which weaknesses have what it is asked for.
func (c *chosen) resolve(ctx context.Context, q *Asked) error {
	if !c.narrows {
		return nil
	}
	list, err := q.Desk.AskWeaknesses(ctx, c.req, c.about)
	if err != nil {
		return err
	}
	if have := c.req.Further.Weaknesses; have != nil {
		list = slices.DeleteFunc(list, func(w string) bool { return !slices.Contains(have, w) })
	}
	c.req.Further.Weaknesses = list
	return nil
}

// fixable narrows to findings of which it is known what ends them, or to the others.
func (c *chosen) fixable(ctx context.Context, q *Asked) error {
	if q.Fixable == nil {
		return nil
	}
	c.exact = false
	c.behind = append(c.behind, map[bool]string{true: "with a known fix", false: "without a known fix"}[*q.Fixable])
	ids := []int64{}
	err := q.Desk.AskPlaces(ctx, c.req, func(p finding.Place) {
		if p.Fix == *q.Fixable {
			ids = append(ids, p.ID)
		}
	})
	c.req.Further.IDs = ids
	return err
}

var triageWords = map[string]string{
	"confirmed": "confirmed by a person", "false_positive": "marked as false positives", "accepted": "accepted", "out_of_scope": "out of scope", "none": "not triaged yet",
}

func (c *chosen) states(q *Asked) *trouble {
	c.req.State, c.req.Triage = q.State, q.Triage
	c.req.Confirmed = !q.Potential
	c.req.Potential = q.Potential
	if q.Potential {
		c.before = append(c.before, "potential")
	}
	switch q.State {
	case "":
		c.state = "open"
	case "open", "fixed", "reopened", "closed":
		c.state = q.State
		if q.State == "open" {
			c.req.State = "" // reopened ones are open again
		}
	case "all":
		c.state = "known"
		c.req.Hidden = true
	default:
		return &trouble{because: fmt.Sprintf("findings have no state %s", quote(q.State)), instead: "They are open, reopened, fixed or closed."}
	}
	if len(q.Triage) > 0 {
		var words []string
		for _, t := range q.Triage {
			words = append(words, cmpOr(triageWords[t], t))
		}
		if c.state == "open" && q.State == "" {
			c.state = or(words)
		} else {
			c.behind = append(c.behind, "that are "+or(words))
		}
	}
	if q.Overdue {
		c.req.Overdue = true
		c.state = "overdue"
	}
	return nil
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (c *chosen) ratings(q *Asked) {
	if len(q.Severities) > 0 {
		c.req.Severities = q.Severities
		c.before = append(c.before, or(q.Severities))
	}
	if len(q.Decisions) > 0 {
		c.req.Decisions = q.Decisions
		c.behind = append(c.behind, "with decision "+or(q.Decisions))
	}
	if q.MinCVSS != nil {
		c.req.MinCVSS = *q.MinCVSS
		c.behind = append(c.behind, "with CVSS "+decimal(*q.MinCVSS)+upTo(q.MaxCVSS, decimal))
	}
	if q.MaxCVSS != nil {
		c.req.Further.MaxCVSS, c.exact = q.MaxCVSS, false
		if q.MinCVSS == nil {
			c.behind = append(c.behind, "with CVSS "+decimal(*q.MaxCVSS)+" or less")
		}
	}
	if q.MinEPSS != nil {
		c.req.MinEPSS = *q.MinEPSS
		c.behind = append(c.behind, "with EPSS "+percent(*q.MinEPSS)+upTo(q.MaxEPSS, percent))
	}
	if q.MaxEPSS != nil {
		c.req.Further.MaxEPSS, c.exact = q.MaxEPSS, false
		if q.MinEPSS == nil {
			c.behind = append(c.behind, "with EPSS "+percent(*q.MaxEPSS)+" or less")
		}
	}
	if q.Scanner != "" {
		c.req.Scanner = strings.ToLower(q.Scanner)
		c.behind = append(c.behind, "that "+quote(q.Scanner)+" reported")
	}
	if len(q.Labels) > 0 {
		c.req.Labels = q.Labels
		c.behind = append(c.behind, "labelled "+quote(and(q.Labels)))
	}
	if len(q.Titled) > 0 {
		c.req.Text = wordsOf(q.Titled)
		var words []string
		for _, t := range q.Titled {
			words = append(words, "“"+quote(t)+"”")
		}
		c.behind = append(c.behind, "about "+and(words))
	}
	if slices.Contains(q.Topics, "compliance") {
		c.req.Kinds = []string{"compliance"}
		c.before = append(c.before, "compliance")
	}
}

// wordsOf is what a text filter is given: words without the s of the plural, so that "default passwords" finds a password.
func wordsOf(titled []string) string {
	words := strings.Fields(strings.Join(titled, " "))
	for i, w := range words {
		if len(w) > 4 && strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") {
			words[i] = strings.TrimSuffix(w, "s")
		}
	}
	return strings.Join(words, " ")
}

// upTo is the upper end of a range whose lower end was said.
func upTo(most *float64, say func(float64) string) string {
	if most == nil {
		return " or more"
	}
	return " to " + say(*most)
}

// round takes the last digits off a bound: "more than 0.9" is a little more than that.
func round(v float64) float64 { return math.Round(v*1e6) / 1e6 }

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func percent(v float64) string { return strconv.FormatFloat(math.Round(v*1e6)/1e4, 'f', -1, 64) + " %" }

func (c *chosen) people(ctx context.Context, q *Asked) *trouble {
	if q.Assignee == "" {
		return nil
	}
	c.req.Assignee = q.Assignee
	switch q.Assignee {
	case "nobody":
		c.behind = append(c.behind, "that nobody is assigned to")
		return nil
	case "me":
		if c.req.Assignee = q.Desk.AskUser(ctx); c.req.Assignee == "" {
			return &trouble{because: "nobody is signed in here, so that I cannot tell who you are", instead: "Ask by name: what is assigned to anna?"}
		}
		c.behind = append(c.behind, "assigned to you")
	default:
		c.behind = append(c.behind, "assigned to "+quote(q.Assignee))
	}
	return nil
}

// negate turns the one condition round that "not" can belong to.
func (c *chosen) negate(ctx context.Context, q *Asked) *trouble {
	if !q.Negated || q.Subject == understand.Hosts {
		return nil
	}
	without := func(all, some []string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(some, s) })
	}
	switch {
	case len(q.Severities) > 0 && len(q.Decisions) == 0:
		c.req.Severities = without([]string{"critical", "high", "medium", "low", "info", "unknown"}, q.Severities)
		c.before[slices.Index(c.before, or(q.Severities))] = "not " + or(q.Severities)
	case len(q.Decisions) > 0:
		c.req.Decisions = without([]string{"act", "attend", "plan", "track"}, q.Decisions)
	case len(q.Hosts)+len(q.Sites) > 0 && c.hosts != nil:
		all, err := q.Desk.AskHosts(ctx)
		if err != nil {
			return &trouble{because: "the hosts could not be read"}
		}
		c.req.Host, c.req.Site, c.req.Further.Hosts = "", "", []int64{}
		for i := range all {
			if !slices.ContainsFunc(c.hosts, func(h report.AskHost) bool { return h.ID == all[i].ID }) {
				c.req.Further.Hosts = append(c.req.Further.Hosts, all[i].ID)
			}
		}
		for i := range c.where {
			c.where[i] = "not " + c.where[i]
		}
	case q.KEV != nil || q.Exploited != nil || q.Ransomware != nil || q.Exploit == "none":
		return nil // the condition says it itself
	default:
		return &trouble{because: "I cannot tell what \"not\" belongs to in this question", instead: "Ask for what there is instead, such as: which hosts do not run nginx?"}
	}
	c.exact = false
	return nil
}
