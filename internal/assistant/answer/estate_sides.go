package answer

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/report"
)

// side is one of several things that are compared: the question about it alone.
type side struct {
	kind, id, name string
	q              Asked
}

// sides are what is compared, by what several of were named; nil: nothing is.
func (q *Asked) sides() (out []side) {
	add := func(kind, id, name string, narrow func(*Asked)) {
		one := side{kind: kind, id: id, name: name, q: *q}
		narrow(&one.q)
		out = append(out, one)
	}
	switch {
	case len(q.Hosts) > 1:
		for i, h := range q.Hosts {
			add("host", h.Text, quote(h.Text), func(o *Asked) { o.Hosts = q.Hosts[i : i+1] })
		}
	case len(q.Sites) > 1:
		for i, s := range q.Sites {
			add("site", s, quote(s), func(o *Asked) { o.Sites = q.Sites[i : i+1] })
		}
	case len(q.Owners) > 1:
		for i, o := range q.Owners {
			add("owner", o, quote(o), func(one *Asked) { one.Owner, one.Owners = o, q.Owners[i:i+1] })
		}
	case len(q.Systems) > 1:
		for i, s := range q.Systems {
			add("os", s, quote(capital(s)), func(o *Asked) { o.OS, o.Systems = s, q.Systems[i:i+1] })
		}
	case len(q.Products) > 1:
		for i, p := range q.Products {
			add("product", cmpOr(p.Product, p.Text), quote(productWords(p)), func(o *Asked) { o.Products = q.Products[i : i+1] })
		}
	case len(q.Severities) > 1:
		for i, s := range q.Severities {
			add("severity", s, s, func(o *Asked) { o.Severities = q.Severities[i : i+1] })
		}
	case len(q.Decisions) > 1:
		for i, s := range q.Decisions {
			add("decision", s, s, func(o *Asked) { o.Decisions = q.Decisions[i : i+1] })
		}
	case len(q.Tags) > 1:
		for i, s := range q.Tags {
			add("tag", s, quote(s), func(o *Asked) { o.Tags = q.Tags[i : i+1] })
		}
	case len(q.Ports) > 1:
		for i, p := range q.Ports {
			add("port", portWords(q.Ports[i:i+1]), portWords([]understand.Port{p}), func(o *Asked) { o.Ports = q.Ports[i : i+1] })
		}
	}
	return out
}

// compareSides says of which there is more: findings, or hosts where those are what is counted.
func (q *Asked) compareSides(ctx context.Context, d *Draft) error {
	hosts := q.comparesHosts()
	if !hosts && (len(q.Hosts) > 1 || len(q.Sites) > 1) {
		return q.comparePlaces(ctx, d)
	}
	var figures []grouped
	noun := ""
	for _, s := range q.sides() {
		one := grouped{kind: s.kind, id: s.id, name: s.name}
		if hosts {
			s.q.Subject, s.q.Measure = understand.Hosts, understand.Count
			h, t, err := s.q.hosts(ctx)
			if err != nil || t != nil {
				return q.cannot(d, t, err)
			}
			one.n, noun = len(h.hosts), "hosts"
			s.q.citeHosts(d, h, one.n)
		} else {
			s.q.Subject = understand.Findings
			c, t, err := s.q.findings(ctx)
			if err != nil || t != nil {
				return q.cannot(d, t, err)
			}
			counts, err := q.counted(ctx, c)
			if err != nil {
				return err
			}
			one.n, noun = counts.Total, q.nounOfAll(c)
			q.citeList(d, c, one.n)
		}
		figures = append(figures, one)
	}
	d.Link, d.Command = "", ""
	q.sayCompared(d, figures, noun)
	q.askOn(d, "Which host is the worst?", "What should I fix first?", "What is new since last week?")
	return nil
}

// nounOfAll is what is counted on every side, without what tells the sides apart.
func (q *Asked) nounOfAll(c *chosen) string {
	words := []string{c.state}
	if len(q.Severities) == 1 {
		words = append(words, q.Severities[0])
	}
	words = append(words, "findings")
	if q.KEV != nil && *q.KEV {
		words = append(words, "that CISA lists as exploited")
	}
	return strings.Join(words, " ")
}

// comparesHosts says whether hosts are what is counted, and not what was found on them.
func (q *Asked) comparesHosts() bool {
	if q.Subject == understand.Software || q.Subject == understand.Services {
		return !findingConditions(q)
	}
	if q.Subject != understand.Hosts || len(q.Hosts) > 1 || len(q.Severities)+len(q.Decisions) > 1 {
		return false
	}
	if len(q.Systems) > 1 || len(q.Products) > 1 || len(q.Tags) > 1 || len(q.Ports) > 1 {
		return true
	}
	text := strings.ToLower(q.Text)
	return slices.ContainsFunc([]string{"host", "machine", "server", "box", "system", "device", "computer", "asset"}, func(w string) bool {
		return strings.Contains(text, "more "+w) || strings.Contains(text, "fewer "+w) || strings.Contains(text, "many "+w) || strings.Contains(text, "most "+w) || strings.Contains(text, w+"s has") ||
			strings.Contains(text, "of "+w) || strings.Contains(text, "number of "+w)
	})
}

// sayCompared says which of several has more, and how many each has. A question for yes or no asks for the first of them.
func (q *Asked) sayCompared(d *Draft, figures []grouped, noun string) {
	ranked := slices.Clone(figures)
	slices.SortStableFunc(ranked, func(a, b grouped) int {
		if q.Least {
			return cmp.Compare(a.n, b.n)
		}
		return cmp.Compare(b.n, a.n)
	})
	var parts []string
	for i, f := range figures {
		parts = append(parts, fmt.Sprintf("%s has %s", f.name, report.Thousands(f.n)))
		d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: f.kind, ID: f.id, Name: f.name, Count: numbered(figures[i].n)})
	}
	if figures[0].kind == "severity" || figures[0].kind == "decision" || figures[0].kind == "os" {
		parts = nil
		for _, f := range figures {
			parts = append(parts, report.Thousands(f.n)+" "+f.name)
		}
	}
	var cites []int
	for i := range min(len(d.Sources), len(figures)) {
		cites = append(cites, i+1)
	}
	lead := ""
	if q.yesOrNo() && len(figures) == 2 {
		is := figures[0].n > figures[1].n
		if q.Least {
			is = figures[0].n < figures[1].n
		}
		d.Facts.Yes = truth(is)
		lead = map[bool]string{true: "Yes: ", false: "No: "}[is]
	}
	if len(ranked) > 1 && ranked[0].n == ranked[1].n {
		d.Say(cites, "%s: %s %s.", strings.TrimSuffix(cmpOr(lead, "They are level"), ": "), and(parts), noun)
		return
	}
	d.Facts.Value = report.Text(ranked[0].name)
	word := map[bool]string{true: "fewest", false: "most"}[q.Least]
	if len(ranked) == 2 {
		word = map[bool]string{true: "fewer", false: "more"}[q.Least]
	}
	if figures[0].kind == "severity" || figures[0].kind == "decision" || figures[0].kind == "os" {
		d.Say(cites, "%s%s are **%s**: %s %s.", lead, capital(word), ranked[0].name, and(parts), noun)
		return
	}
	d.Say(cites, "%s%s has %s %s: %s.", lead, boldOurs(ranked[0].name), word, noun, and(parts))
}

// yesOrNo says whether a question that compares asks for yes or no.
func (q *Asked) yesOrNo() bool {
	first, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(q.Text)), " ")
	return slices.Contains([]string{"is", "are", "do", "does", "has", "have", "did"}, first) && !strings.Contains(strings.ToLower(q.Text), " or ")
}
