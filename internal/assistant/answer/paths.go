package answer

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// ofPaths answers how attackers would walk.
func (q *Asked) ofPaths(ctx context.Context, d *Draft) error {
	if t := q.pathTrouble(); t != nil {
		return q.cannot(d, t, nil)
	}
	switch {
	case q.Measure == understand.Suppose:
		return q.suppose(ctx, d)
	case q.Measure == understand.First, q.Measure == understand.How, q.Attribute == understand.Remedy, q.cuts():
		return q.fixesOfPaths(ctx, d)
	case len(q.From) == 1 && q.From[0].Kind != "internet" && q.From[0].Kind != "site" && len(q.Hosts) == 0 && !q.Jewels:
		return q.reachable(ctx, d)
	}
	req, t, err := q.walk(ctx)
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	if len(q.Scans) == 1 && q.Scans[0] > 0 {
		req.Scan = q.Scans[0]
	}
	doc, err := q.Desk.Paths(ctx, req)
	if err != nil {
		return err
	}
	if doc.Totals.Jewels == 0 {
		d.refuse(nil, "no host is tagged as a crown jewel, so that no path has an end", "Tag one with: patchscout assets tag HOST --tag jewel. Or name the host that is to be reached.")
		return nil
	}
	link := pathsLink(req)
	d.Link, d.Command = link, pathsCommand(req)
	cite := d.Cite(report.Source{Kind: "path", ID: link, Title: "Attack paths", Text: fmt.Sprintf("%d of %d jewels are reached, %d paths", doc.Totals.JewelsReached, doc.Totals.Jewels, doc.Totals.Paths),
		URL: link, API: report.Text("/api/v1/attack-paths")})
	d.Facts.Yes = truth(doc.Totals.JewelsReached > 0)
	for _, j := range doc.Jewels {
		value := "not reached"
		if j.Reached {
			value = "reached"
		}
		d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: "host", ID: strconv.FormatInt(j.ID, 10), Name: quote(j.Name), Value: report.Text(value)})
	}
	if err := q.noJewels(ctx, d, doc, req); err != nil {
		return err
	}
	switch {
	case q.Measure == understand.Count && strings.Contains(strings.ToLower(q.Text), "path"):
		d.Facts.Count = numbered(doc.Totals.Paths)
		d.Say([]int{cite}, "**%s** %s known to %s.", report.Plural(doc.Totals.Paths, "attack path", "attack paths"), have(doc.Totals.Paths, "is", "are"), q.goals(doc))
	default:
		d.Facts.Count = numbered(doc.Totals.JewelsReached)
	}
	if doc.Totals.JewelsReached == 0 {
		d.Say([]int{cite}, "No: from %s nobody gets to %s, by what is known of %s.", entries(doc), q.goals(doc), report.Plural(doc.Totals.Hosts, "host", "hosts"))
		q.notices(d, doc.Scenario, doc.Complete, string(doc.Incomplete), cite)
		return nil
	}
	if text := strings.ToLower(q.Text); q.Measure == understand.List || strings.HasPrefix(text, "which") || strings.HasPrefix(text, "what") || q.Measure == understand.Count || q.Measure == understand.Group || q.Measure == understand.Whether && len(req.To) == 0 {
		q.listJewels(d, doc, cite)
	}
	if len(doc.Paths) > 0 && q.Measure != understand.Count {
		q.bestPath(d, &doc.Paths[0])
	}
	q.chokes(d, doc, cite)
	q.notices(d, doc.Scenario, doc.Complete, string(doc.Incomplete), cite)
	q.askOn(d, "What cuts these paths?", "Which hosts do all paths lead over?", "What should I fix first?")
	return nil
}

// cuts says whether what ends the paths is asked for.
func (q *Asked) cuts() bool {
	text := " " + strings.ToLower(q.Text) + " "
	return q.Measure != understand.Suppose && slices.ContainsFunc([]string{" cut ", " cuts ", " break ", " breaks ", " block ", " stop ", " stops ", " end ", " ends "}, func(w string) bool { return strings.Contains(text, w) })
}

// noJewels notes that nobody said which hosts matter.
func (q *Asked) noJewels(ctx context.Context, d *Draft, doc report.Paths, req request.Paths) error {
	if len(req.To) > 0 {
		return nil
	}
	all, err := q.Desk.AskHosts(ctx)
	if err == nil && !slices.ContainsFunc(all, func(h report.AskHost) bool { return asset.IsJewel(h.Tags) }) {
		d.Missing = append(d.Missing, "no host is tagged as a crown jewel: all that are taken to matter are looked at")
	}
	return err
}

// pathTrouble is a condition that paths do not know.
func (q *Asked) pathTrouble() *trouble {
	if q.Measure == understand.Suppose {
		return nil
	}
	if len(q.Severities)+len(q.Decisions)+len(q.Products)+len(q.Ports)+len(q.Triage) > 0 || q.KEV != nil || q.Time != nil || q.Owner != "" || q.OS != "" {
		return &trouble{because: "attack paths are worked out over all findings and not for some of them", instead: "Ask how an attacker would reach a host, or what would happen if a CVE were fixed."}
	}
	return nil
}

// walk reads where to and from where attackers are asked about.
func (q *Asked) walk(ctx context.Context) (req request.Paths, t *trouble, err error) {
	if t, err = q.checkSites(ctx); t != nil || err != nil {
		return req, t, err
	}
	all, err := q.Desk.AskHosts(ctx)
	if err != nil {
		return req, nil, err
	}
	var jewels bool
	for _, h := range q.Hosts {
		if h.Kind == "jewels" {
			jewels = true
		}
	}
	if len(q.Hosts) > 0 && !jewels || len(q.Sites) > 0 {
		plain := *q
		plain.Jewels = false
		hosts, _, t, err := plain.hostsMeant(ctx)
		if t != nil || err != nil {
			return req, t, err
		}
		if len(hosts) > 50 {
			return req, &trouble{because: fmt.Sprintf("%d hosts are too many to ask for paths to each", len(hosts)), instead: "Name one of them."}, nil
		}
		if len(hosts) == 0 {
			return req, &trouble{because: "no host is known there"}, nil
		}
		for i := range hosts {
			req.To = append(req.To, strconv.FormatInt(hosts[i].ID, 10))
		}
	}
	for _, from := range q.From {
		switch from.Kind {
		case "internet":
			req.From = append(req.From, "internet")
		case "site":
			req.From = append(req.From, "site:"+siteOf(all, from.Text))
		default:
			ids, err := q.hostIDs(ctx, from)
			if err != nil {
				return req, nil, err
			}
			if len(ids) == 0 {
				return req, q.noHost(all, from.Text), nil
			}
			req.From = append(req.From, "host:"+strconv.FormatInt(ids[0], 10))
		}
	}
	return req, nil, nil
}

func pathsLink(req request.Paths) string {
	var parts []string
	if len(req.To) > 0 {
		parts = append(parts, "to="+shellURL(strings.Join(req.To, ",")))
	}
	if len(req.From) > 0 {
		parts = append(parts, "from="+shellURL(strings.Join(req.From, ",")))
	}
	if req.Scan > 0 {
		parts = append(parts, fmt.Sprintf("scan=%d", req.Scan))
	}
	if len(parts) == 0 {
		return "/paths"
	}
	return "/paths?" + strings.Join(parts, "&")
}

func pathsCommand(req request.Paths) string {
	words := []string{"patchscout paths"}
	for _, to := range req.To {
		words = append(words, "--to "+shell(to))
	}
	for _, from := range req.From {
		words = append(words, "--from "+shell(from))
	}
	return strings.Join(words, " ")
}

// goals are the hosts that are to be reached, in words.
func (q *Asked) goals(doc report.Paths) string {
	var names []string
	for _, j := range doc.Jewels {
		names = append(names, bold(j.Name))
	}
	if len(names) == 0 {
		return fmt.Sprintf("any of the %s that matter", report.Plural(doc.Totals.Jewels, "host", "hosts"))
	}
	return few(names, 5)
}

func entries(doc report.Paths) string {
	var names []string
	for _, e := range doc.Scenario.Entries {
		names = append(names, quote(e.Name))
	}
	return cmpOr(few(names, 3), "where attackers begin")
}

func (q *Asked) listJewels(d *Draft, doc report.Paths, cite int) {
	d.Say([]int{cite}, "**%d** of %s %s reached from %s:", doc.Totals.JewelsReached, report.Plural(doc.Totals.Jewels, "host that matters", "hosts that matter"),
		have(doc.Totals.JewelsReached, "is", "are"), entries(doc))
	for i, j := range doc.Jewels {
		if i >= q.limit() {
			d.Say([]int{cite}, "And %d more.", len(doc.Jewels)-i)
			break
		}
		n := d.Cite(jewelSource(j.PathHost))
		if !j.Reached {
			d.Item([]int{n}, "%s: not reached", bold(j.Name))
			continue
		}
		d.Item([]int{n}, "%s: chance %s, %s", bold(j.Name), chanceOf(j.Chance), report.Plural(j.Paths, "path", "paths"))
	}
}

func chanceOf(c report.PathChance) string {
	if c.Sampled != nil {
		return report.Percent(*c.Sampled)
	}
	return "at least " + report.Percent(c.Low)
}

func jewelSource(h report.PathHost) report.Source {
	id := strconv.FormatInt(h.ID, 10)
	return report.Source{Kind: "host", ID: id, Title: quote(h.Name), Text: cut("site " + h.Site + " " + string(h.OS)), URL: "/assets/" + id, API: report.Text("/api/v1/assets/" + id)}
}

// bestPath tells a path step by step.
func (q *Asked) bestPath(d *Draft, p *report.Path) {
	host := d.Cite(jewelSource(p.To))
	path := d.Cite(report.Source{Kind: "path", ID: p.ID, Title: quoted("From "+p.From+" to "+p.To.Name, 160), Text: cut(p.Says), URL: "/paths?path=" + shellURL(p.ID)})
	d.Facts.Value = report.Text(report.Percent(p.Chance))
	d.Say([]int{host, path}, "%s way to %s leads from %s in %s, with a chance of **%s**:", map[bool]string{true: "Yes: the likeliest", false: "The likeliest"}[q.Measure == understand.Whether], bold(p.To.Name), quote(p.From), report.Plural(len(p.Steps), "step", "steps"), report.Percent(p.Chance))
	for i, s := range p.Steps {
		if i == 8 {
			d.Item([]int{path}, "and %s more", report.Plural(len(p.Steps)-i, "step", "steps"))
			break
		}
		cites := []int{path}
		if s.Weakness != "" {
			if s.Finding != nil {
				id := strconv.FormatInt(*s.Finding, 10)
				cites = []int{d.Cite(report.Source{Kind: "finding", ID: id, Title: quoted(string(s.Weakness)+" "+string(s.Title), 160), Text: cut(s.Says), URL: "/findings/" + id})}
			} else {
				cites = []int{d.Cite(weaknessSource(string(s.Weakness), string(s.Title)))}
			}
		}
		d.Item(cites, "%s", quoted(s.Says, 260))
	}
	if len(p.Assumed) > 0 {
		d.Say([]int{path}, "Assumed: %s", sentenceOf(strings.Join(p.Assumed[:min(2, len(p.Assumed))], " ")))
	}
}

// chokes names the hosts that every path leads over.
func (q *Asked) chokes(d *Draft, doc report.Paths, cite int) {
	var names []string
	for _, j := range doc.Jewels {
		for _, c := range j.Chokes {
			if name := bold(c.Name); c.ID != j.ID && len(names) < 3 && !strings.Contains(strings.Join(names, " "), name) {
				names = append(names, name)
				d.Cite(jewelSource(c.PathHost))
			}
		}
	}
	if len(names) > 0 {
		d.Say([]int{cite}, "Every path to a host that matters leads over %s.", or(names))
	}
}

// notices say what an answer about paths rests on.
func (q *Asked) notices(d *Draft, s report.PathScenario, complete bool, incomplete string, cite int) {
	text := ""
	if s.Policy == 0 {
		text = "No network rules are declared, so that a site is taken to reach only itself."
		if s.Assume == "flat" {
			text = "No network rules are declared, so that every site is taken to reach every other."
		}
	}
	if !complete && incomplete != "" {
		text = strings.TrimSpace(text + " Not complete: " + sentenceOf(incomplete))
	}
	if text != "" {
		d.Say([]int{cite}, "%s", text)
	}
}

// reachable says what one who is on a host gets to.
func (q *Asked) reachable(ctx context.Context, d *Draft) error {
	all, err := q.Desk.AskHosts(ctx)
	if err != nil {
		return err
	}
	ids, err := q.hostIDs(ctx, q.From[0])
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return q.cannot(d, q.noHost(all, q.From[0].Text), nil)
	}
	doc, err := q.Desk.PathReach(ctx, request.Paths{Limit: 100}, strconv.FormatInt(ids[0], 10), true)
	if err != nil {
		return err
	}
	if doc.Incomplete != "" && doc.Total == 0 {
		d.refuse([]int{d.Cite(jewelSource(doc.Host))}, string(doc.Incomplete), "")
		return nil
	}
	cite := d.Cite(jewelSource(doc.Host))
	d.Command = "patchscout paths reach " + shell(doc.Host.Name)
	d.Link = fmt.Sprintf("/paths?from=%s", shellURL(fmt.Sprintf("host:%d", doc.Host.ID)))
	d.Facts.Count, d.Facts.Yes = numbered(doc.Total), truth(doc.Total > 0)
	if doc.Total == 0 {
		d.Say([]int{cite}, "**No** host can be reached by one who is on %s, by what is known.", bold(doc.Host.Name))
		return nil
	}
	d.Say([]int{cite}, "**%s** can be reached by one who is on %s, the likeliest first:", report.Plural(doc.Total, "host", "hosts"), bold(doc.Host.Name))
	for _, h := range doc.Hosts[:min(q.limit(), len(doc.Hosts))] {
		d.Item([]int{d.Cite(jewelSource(h.PathHost))}, "%s as %s, chance %s", bold(h.Name), cmpOr(h.Privilege, "user"), report.Percent(h.Chance))
		d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: "host", ID: strconv.FormatInt(h.ID, 10), Name: quote(h.Name), Value: report.Text(report.Percent(h.Chance))})
	}
	if d.Facts.More = doc.Total - len(d.Facts.Items); d.Facts.More > 0 {
		d.Say([]int{cite}, "And %d more.", d.Facts.More)
	}
	return nil
}

// suppose says what would be different if something were fixed.
func (q *Asked) suppose(ctx context.Context, d *Draft) error {
	if len(q.CVEs)+len(q.Question.Findings)+len(q.Hosts) == 0 {
		d.refuse(nil, "nothing was named that would be fixed", "Name a CVE, a finding or a host: what if finding 12 were fixed?")
		return nil
	}
	req := request.WhatIf{Findings: q.Question.Findings}
	var cites []int
	for _, id := range q.CVEs {
		one := *q
		one.Question = understand.Question{CVEs: q.CVEs, Subject: understand.Findings}
		c, t, err := one.findings(ctx)
		if err != nil || t != nil {
			return q.cannot(d, t, err)
		}
		counts, err := q.Desk.AskCounts(ctx, c.req)
		if err != nil {
			return err
		}
		if counts.Total == 0 {
			d.refuse([]int{d.Cite(report.Source{Kind: "catalogue", ID: "lookup " + id.String(), Title: "Findings", Text: "Looked up: " + id.String() + ". No open finding is of it.", URL: "/findings?state=all"})},
				"no open finding is of that CVE, so that fixing it changes nothing", "Ask what to fix first.")
			return nil
		}
		req.Weaknesses = append(req.Weaknesses, id.String())
		cites = append(cites, d.Cite(weaknessSource(id.String(), "")))
	}
	for _, h := range q.Hosts {
		if len(q.CVEs)+len(q.Question.Findings) > 0 {
			break
		}
		ids, err := q.hostIDs(ctx, h)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			all, err := q.Desk.AskHosts(ctx)
			return q.cannot(d, q.noHost(all, h.Text), err)
		}
		req.Hosts = append(req.Hosts, strconv.FormatInt(ids[0], 10))
	}
	for _, id := range q.Question.Findings {
		cites = append(cites, d.Cite(report.Source{Kind: "finding", ID: strconv.FormatInt(id, 10), Title: fmt.Sprintf("Finding %d", id), URL: fmt.Sprintf("/findings/%d", id)}))
	}
	doc, err := q.Desk.PathWhatIf(ctx, req)
	if err != nil {
		if notFound(err) {
			d.refuse(nil, quoted(err.Error(), 160), "")
			return nil
		}
		return err
	}
	if doc.Before.Jewels == 0 {
		d.refuse(cites, "no host is tagged as a crown jewel, so that there are no attack paths to end", "Tag one with: patchscout assets tag HOST --tag jewel.")
		return nil
	}
	link := "/paths"
	if len(req.Weaknesses) > 0 {
		link += "?patch=" + shellURL(strings.Join(req.Weaknesses, ","))
	}
	d.Link = link
	cites = append(cites, d.Cite(report.Source{Kind: "path", ID: link, Title: "What if", Text: cut(doc.Says), URL: link}))
	d.Facts.Count = numbered(len(doc.Gone))
	d.Facts.Value = report.Text(strconv.Itoa(doc.After.JewelsReached))
	d.Say(cites, "%s", quoted(doc.Says, 300))
	risk := fmt.Sprintf("The risk goes from %.2f to %.2f.", doc.Risk, doc.RiskAfter)
	if doc.Risk == doc.RiskAfter {
		risk = fmt.Sprintf("The risk stays %.2f.", doc.Risk)
	}
	d.Say(cites[len(cites)-1:], "%s", risk)
	q.askOn(d, "What cuts all paths?", "What should I fix first?", "How would an attacker reach the crown jewels?")
	return nil
}
