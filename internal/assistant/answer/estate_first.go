package answer

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/report"
)

// ofFixes answers what to do first, what one update would end, and what cuts attack paths.
func (q *Asked) ofFixes(ctx context.Context, d *Draft) (bool, error) {
	if q.Measure == understand.Suppose {
		return true, q.suppose(ctx, d)
	}
	if len(q.CVEs) > 0 && len(q.Hosts)+len(q.Sites) == 0 && (q.Measure == understand.How || q.Measure == understand.Fact || q.Measure == understand.Explain) {
		return false, nil // how a CVE is fixed stands in its record
	}
	if len(q.Question.Findings) > 0 && q.Measure != understand.Count {
		if q.Attribute == "" {
			q.Attribute = understand.Remedy
		}
		return true, q.oneFinding(ctx, d)
	}
	if q.Jewels && q.Measure == understand.First || slices.Contains(q.Topics, "paths") || strings.Contains(strings.ToLower(q.Text), "path") {
		return true, q.fixesOfPaths(ctx, d)
	}
	c, t, err := q.findings(ctx)
	if err != nil || t != nil {
		return true, q.cannot(d, t, err)
	}
	if q.Measure == understand.Fact || q.Measure == understand.How && len(q.CVEs) > 0 {
		if q.Attribute == "" {
			q.Attribute = understand.Remedy
		}
		return true, q.factOfFindings(ctx, d, c)
	}
	return true, q.first(ctx, d, c)
}

// bySize says whether the action that ends most findings is asked for, and not the most urgent one.
func (q *Asked) bySize() bool {
	text := strings.ToLower(q.Text)
	return slices.ContainsFunc([]string{"most finding", "most issue", "most vulnerab", "most problem", "most cve", "most hole", "biggest effect", "biggest impact", "largest effect"}, func(w string) bool { return strings.Contains(text, w) })
}

// largestActions names the actions that end most findings.
func (q *Asked) largestActions(d *Draft, actions []report.Group, list, total int) error {
	slices.SortStableFunc(actions, func(a, b report.Group) int { return cmp.Compare(b.Findings, a.Findings) })
	best := actions[0]
	d.Facts.Value = report.Text(quoted(string(best.Action), 160))
	d.Say([]int{list}, "**%s** ends most: %s of %s, on %s.", quoted(string(best.Action), 160), report.Thousands(best.Findings), report.Plural(total, "finding", "findings"), report.Plural(best.Hosts, "host", "hosts"))
	q.actions(d, actions, list)
	q.askOn(d, "What should I fix first?", "Which hosts have most of them?", "What cuts the attack paths?")
	return nil
}

// first says what to fix first: by decision and rank, as actions that end several findings.
func (q *Asked) first(ctx context.Context, d *Draft, c *chosen) error {
	counts, err := q.counted(ctx, c)
	if err != nil {
		return err
	}
	list := q.citeList(d, c, counts.Total)
	d.Facts.Count = numbered(counts.Total)
	if counts.Total == 0 {
		d.Say([]int{list}, "Nothing: %s", lowerNo(c.sentence(0)))
		return q.candidates(ctx, d, c, 0)
	}
	groups, err := q.Desk.AskGroups(ctx, c.req, "remedy")
	if err != nil {
		return err
	}
	actions := slices.DeleteFunc(slices.Clone(groups), func(g report.Group) bool { return g.Key == "" })
	if q.Least {
		slices.Reverse(actions)
	}
	if q.Measure != understand.Count && q.bySize() && len(actions) > 0 {
		return q.largestActions(d, actions, list, counts.Total)
	}
	top, err := q.top(ctx, c, 3)
	if err != nil {
		return err
	}
	d.Facts.Count = numbered(len(actions))
	if q.Measure == understand.Count {
		d.Say([]int{list}, "**%s** %s would end %s.", report.Thousands(len(actions)), have(len(actions), "action", "actions"), report.Plural(counts.Total, "finding", "findings"))
	} else if len(top) > 0 {
		f := &top[0]
		cites := []int{d.Cite(findingSource(f))}
		do := cmpOr(string(f.Remedy), "no remedy is known")
		for _, g := range actions {
			if g.Key == f.RemedyKey && g.Action != "" {
				do = string(g.Action)
			}
		}
		d.Facts.Value = report.Text(quoted(do, 160))
		why := f.Severity
		if f.Decision != "" {
			why = "decision " + string(f.Decision) + ", " + why
		}
		if f.KEV != nil && *f.KEV {
			why += ", known to be exploited"
		}
		if f.RiskRemoved != nil && *f.RiskRemoved > 0 {
			why += fmt.Sprintf(", takes %.2f off the risk of attack paths", *f.RiskRemoved)
		}
		if !f.Due.IsZero() {
			why += ", due " + f.Due.String()
		}
		d.Say(cites, "First: **%s**, for %s on %s (%s).", quoted(do, 160), bold(weaknessOf(f)), bold(placeOf(f)), why)
	}
	q.actions(d, actions, list)
	for i := range top {
		d.Cite(findingSource(&top[i]))
	}
	if rest := noRemedy(groups); rest > 0 {
		d.Say([]int{list}, "Of %s no remedy is known.", report.Plural(rest, "finding", "findings"))
	}
	d.Command += " --group remedy"
	if d.Link != "" {
		d.Link = d.Link + map[bool]string{true: "&", false: "?"}[len(d.Link) > len("/findings")] + "group=remedy"
	}
	if d.Command == " --group remedy" {
		d.Command = ""
	}
	q.askOn(d, "Why is the first one so urgent?", "Which of those are overdue?", "What cuts the attack paths?")
	return nil
}

// actions lists what to do, and how much it solves.
func (q *Asked) actions(d *Draft, actions []report.Group, list int) {
	limit := 5
	if q.Limit > 0 || q.All {
		limit = q.limit()
	}
	shown := actions[:min(limit, len(actions))]
	if len(shown) == 0 {
		return
	}
	d.Say([]int{list}, "By action, the most urgent first:")
	for _, g := range shown {
		name := cmpOr(string(g.Action), cmpOr(string(g.Name), string(g.Key)))
		text := fmt.Sprintf("**%s**: %s on %s", quoted(name, 140), report.Plural(g.Findings, "finding", "findings"), report.Plural(g.Hosts, "host", "hosts"))
		if g.KEV > 0 {
			text += fmt.Sprintf(", %s known exploited", report.Thousands(g.KEV))
		}
		if g.Decision != "" {
			text += ", " + string(g.Decision)
		}
		if !g.Due.IsZero() {
			text += ", due " + g.Due.String()
		}
		link := "/findings?remedy=" + shellURL(string(g.Key))
		cite := d.Cite(report.Source{Kind: "fix", ID: string(g.Key), Title: quoted(name, 160), Text: cut(plainBold(text)), URL: link})
		d.Item([]int{cite}, "%s", text)
		d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: "fix", ID: string(g.Key), Name: quoted(name, 140), Count: numbered(g.Findings), Value: g.Decision})
	}
	if d.Facts.More = len(actions) - len(shown); d.Facts.More > 0 {
		d.Say([]int{list}, "And %s more.", report.Plural(d.Facts.More, "action", "actions"))
	}
}

func noRemedy(groups []report.Group) int {
	for _, g := range groups {
		if g.Key == "" {
			return g.Findings
		}
	}
	return 0
}

// fixesOfPaths says what cuts the attack paths.
func (q *Asked) fixesOfPaths(ctx context.Context, d *Draft) error {
	req, t, err := q.walk(ctx)
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	if t := q.pathTrouble(); t != nil {
		return q.cannot(d, t, nil)
	}
	doc, err := q.Desk.PathFixes(ctx, req)
	if err != nil {
		return err
	}
	cite := d.Cite(report.Source{Kind: "path", ID: "fixes", Title: "What cuts the attack paths", Text: "Attack paths, fixes", URL: "/paths?view=fixes", API: "/api/v1/attack-paths/fixes"})
	d.Link, d.Command = "/paths?view=fixes", "patchscout paths --fixes"
	set := doc.All
	if set == nil || len(set.Fixes) == 0 {
		paths, err := q.Desk.Paths(ctx, req)
		if err != nil {
			return err
		}
		if paths.Totals.JewelsReached == 0 {
			d.Facts.Count = numbered(0)
			d.Say([]int{cite}, "Nothing has to be fixed: of %s none is reached.", report.Plural(paths.Totals.Jewels, "crown jewel", "crown jewels"))
			return nil
		}
		d.refuse([]int{cite}, "no set of fixes was found that ends every path: some steps need no finding that could be fixed"+by1("; ", string(doc.Incomplete)), "Ask: which hosts do all paths lead over?")
		return nil
	}
	n := max(set.Total, len(set.Fixes))
	d.Facts.Count = numbered(n)
	smallest := ""
	if set.Smallest {
		smallest = "; no smaller set does"
	}
	d.Say([]int{cite}, "**%s** put an end to every path to the crown jewels%s:", report.Plural(n, "fix", "fixes"), smallest)
	shown := set.Fixes[:q.fit(len(set.Fixes))]
	for _, f := range shown {
		where := "everywhere"
		if f.Host != nil {
			where = "on " + quote(f.Host.Name)
		}
		source := weaknessSource(f.Weakness, string(f.Title))
		if f.Finding != nil {
			id := strconv.FormatInt(*f.Finding, 10)
			source = report.Source{Kind: "finding", ID: id, Title: quoted(f.Weakness+" "+where, 160), Text: cut(string(f.Do)), URL: "/findings/" + id}
		}
		d.Item([]int{d.Cite(source)}, "**%s** %s: %s", quoted(f.Weakness, 80), where, sentenceOf(cmpOr(string(f.Do), "fix it")))
		d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: "fix", ID: f.Weakness, Name: quoted(f.Weakness+" "+where, 140)})
	}
	if d.Facts.More = n - len(shown); d.Facts.More > 0 {
		d.Say([]int{cite}, "And %d more.", d.Facts.More)
	}
	q.notices(d, doc.Scenario, doc.Complete, string(doc.Incomplete), cite)
	return nil
}
