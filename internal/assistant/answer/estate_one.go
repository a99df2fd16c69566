package answer

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
)

// oneFinding answers what is asked of findings by their numbers.
func (q *Asked) oneFinding(ctx context.Context, d *Draft) error {
	for _, id := range q.Question.Findings[:min(len(q.Question.Findings), 5)] {
		f, err := q.Desk.Vulnerability(ctx, id)
		if fault.KindOf(err) == fault.KindNotFound {
			d.refuse(nil, fmt.Sprintf("there is no finding %d", id), "Ask for a list: which findings are the most urgent?")
			return nil
		}
		if err != nil {
			return err
		}
		q.tellFinding(d, &f)
	}
	if id := q.Question.Findings[0]; len(q.Question.Findings) == 1 {
		d.Command, d.Link = fmt.Sprintf("patchscout findings show %d", id), fmt.Sprintf("/findings/%d", id)
	}
	q.askOn(d, "How do I fix it?", "Which other hosts have the same?", "What else is open on that host?")
	return nil
}

// factOfFindings answers a fact of the one finding that the conditions leave, else of the most urgent ones.
func (q *Asked) factOfFindings(ctx context.Context, d *Draft, c *chosen) error {
	counts, err := q.counted(ctx, c)
	if err != nil {
		return err
	}
	if counts.Total == 0 {
		other, err := q.elsewhere(ctx, c)
		if err != nil {
			return err
		}
		if other == nil {
			n := q.citeList(d, c, 0)
			d.Facts.Count = numbered(0)
			d.Say([]int{n}, "%s", c.sentence(0))
			return q.candidates(ctx, d, c, 0)
		}
		c, counts.Total = other, 1
	}
	list, err := q.top(ctx, c, 3)
	if err != nil || len(list) == 0 {
		return err
	}
	f, err := q.Desk.Vulnerability(ctx, list[0].ID)
	if err != nil {
		return err
	}
	if f.State != "open" && c.state == "open" {
		d.Say(nil, "This finding is not open any more: it is %s.", f.State)
	}
	q.tellFinding(d, &f)
	d.Command, d.Link = fmt.Sprintf("patchscout findings show %d", f.ID), fmt.Sprintf("/findings/%d", f.ID)
	if counts.Total > 1 && q.Attribute == understand.TriageOf && len(q.Triage) > 0 {
		return q.restOfTriage(ctx, d, c, f.ID, counts.Total)
	}
	if counts.Total > 1 {
		n := q.citeList(d, c, counts.Total)
		d.Say([]int{n}, "This is the most urgent of %s.", report.Plural(counts.Total, "such finding", "such findings"))
	}
	q.askOn(d, "How do I fix it?", "Which other hosts have the same?", "What else is open on that host?")
	return nil
}

// restOfTriage tells who set aside the others, where several were: who did it is asked of each.
func (q *Asked) restOfTriage(ctx context.Context, d *Draft, c *chosen, told int64, total int) error {
	list, err := q.top(ctx, c, 10)
	if err != nil {
		return err
	}
	for i := range list {
		if list[i].ID == told {
			continue
		}
		f, err := q.Desk.Vulnerability(ctx, list[i].ID)
		if err != nil {
			return err
		}
		q.tellFinding(d, &f)
	}
	n := q.citeList(d, c, total)
	if total > len(list) {
		d.Say([]int{n}, "These are %d of %s.", len(list), report.Plural(total, "such finding", "such findings"))
	}
	return nil
}

// elsewhere looks for the same findings in any state, set aside and potential ones too; nil where there are none.
func (q *Asked) elsewhere(ctx context.Context, c *chosen) (*chosen, error) {
	if len(q.CVEs) == 0 && c.req.Host == "" {
		return nil, nil
	}
	other := *c
	other.req.State, other.req.Hidden, other.req.Confirmed, other.req.Triage = "all", true, false, nil
	counts, err := q.counted(ctx, &other)
	if err != nil || counts.Total == 0 {
		return nil, err
	}
	return &other, nil
}

// tellFinding says what was asked of a finding, or all that matters of it.
func (q *Asked) tellFinding(d *Draft, f *report.Vulnerability) {
	cites := []int{d.Cite(findingSource(&f.Finding))}
	if f.CVE != "" {
		title := ""
		if f.CVEFacts != nil {
			title = string(f.CVEFacts.Title)
		}
		cites = append(cites, d.Cite(weaknessSource(string(f.CVE), title)))
	}
	d.Cite(report.Source{Kind: "host", ID: strconv.FormatInt(f.HostID, 10), Title: quote(f.Host), Text: cut("site " + f.Site), URL: fmt.Sprintf("/assets/%d", f.HostID)})
	name := bold(weaknessOf(&f.Finding)) + " on " + bold(placeOf(&f.Finding))
	text, value := q.attributeOf(f, name)
	d.Facts.Value = report.Text(value)
	d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: "finding", ID: strconv.FormatInt(f.ID, 10), Name: quoted(plainBold(name), 160), Value: report.Text(value)})
	d.Say(cites, "%s", text)
	if q.Measure == understand.Why || q.Attribute == "" {
		q.reasons(d, f, cites)
	}
}

// attributeOf is a sentence about one attribute of a finding, and its value.
func (q *Asked) attributeOf(f *report.Vulnerability, name string) (text, value string) {
	unknown := func(what string) (string, string) { return fmt.Sprintf("Of %s no %s is known.", name, what), "" }
	switch q.Attribute {
	case understand.Severity:
		return fmt.Sprintf("%s is %s%s.", name, f.Severity, by(string(f.SeverityBy), " by ")), f.Severity
	case understand.CVSS, understand.Vector:
		if f.CVSS == nil {
			return unknown("CVSS score")
		}
		value = strconv.FormatFloat(*f.CVSS, 'f', 1, 64)
		return fmt.Sprintf("%s has CVSS **%s** (version %s%s).", name, value, cmpOr(string(f.CVSSVersion), "not known"), by(string(f.CVSSSource), ", from ")), value
	case understand.EPSS:
		if f.EPSS == nil {
			return unknown("EPSS value")
		}
		value = strconv.FormatFloat(*f.EPSS, 'f', -1, 64)
		return fmt.Sprintf("%s has EPSS **%s**.", name, percent(*f.EPSS)), value
	case understand.KEVAttr, understand.ExploitedBy:
		if f.KEV == nil {
			return fmt.Sprintf("I don't know whether %s is exploited, because CISA's list was never loaded or the finding has no CVE.", name), ""
		}
		value = map[bool]string{true: "yes", false: "no"}[*f.KEV]
		return fmt.Sprintf("%s: CISA %s it as exploited.", capital(map[bool]string{true: "yes", false: "no"}[*f.KEV]), map[bool]string{true: "lists", false: "does not list"}[*f.KEV]), value
	case understand.Decision:
		if f.Decision == "" {
			return unknown("decision")
		}
		return fmt.Sprintf("%s is **%s**.", name, f.Decision), string(f.Decision)
	case understand.Due:
		if f.Due.IsZero() {
			return fmt.Sprintf("%s has no day on which it is due.", name), ""
		}
		late := ""
		if f.Overdue {
			late = " It is overdue."
		}
		return fmt.Sprintf("%s is due on **%s**.%s", name, f.Due, late), f.Due.String()
	case understand.Score:
		if f.PriorityScore == nil {
			return unknown("score")
		}
		value = strconv.FormatFloat(*f.PriorityScore, 'f', 2, 64)
		return fmt.Sprintf("%s has priority score **%s**.", name, value), value
	case understand.Likelihood:
		if f.Likelihood == nil {
			return unknown("likelihood")
		}
		value = strconv.FormatFloat(*f.Likelihood, 'f', -1, 64)
		return fmt.Sprintf("%s has likelihood **%s**, %s.", name, percent(*f.Likelihood), cmpOr(string(f.LikelihoodSource), "source not known")), value
	case understand.Risk:
		if f.RiskRemoved == nil {
			return fmt.Sprintf("I don't know what fixing %s takes off the risk, because attack paths did not run since it counts.", name), ""
		}
		value = strconv.FormatFloat(*f.RiskRemoved, 'f', 3, 64)
		return fmt.Sprintf("Fixing %s takes **%s** off the risk of attack paths.", name, value), value
	case understand.Confidence:
		value = strconv.Itoa(f.Confidence)
		return fmt.Sprintf("%s is reported with confidence **%d** of 100 and status %s.", name, f.Confidence, f.Status), value
	case understand.State, understand.Status:
		return fmt.Sprintf("%s is **%s**, first seen %s and last seen %s.", name, f.State, day(f.FirstSeen), day(f.LastSeen)), f.State
	case understand.TriageOf:
		text = fmt.Sprintf("%s is %s", name, cmpOr(triageWords[f.Triage], f.Triage))
		if f.Triage != "none" {
			text += by(quote(string(f.TriageBy)), " by ")
			if !f.TriageUntil.IsZero() {
				text += ", until **" + f.TriageUntil.String() + "**"
			}
			text += by(quoted(string(f.TriageReason), 160), ": ")
		}
		return strings.TrimSuffix(text, ".") + ".", f.Triage
	case understand.OwnerOf:
		owner := quote(string(f.Owner))
		if f.Assignee != "" {
			return fmt.Sprintf("%s is assigned to **%s**%s.", name, quote(string(f.Assignee)), by(owner, "; the host is owned by ")), string(f.Assignee)
		}
		if owner == "" {
			return fmt.Sprintf("%s is assigned to nobody, and its host has no owner.", name), ""
		}
		return fmt.Sprintf("%s is assigned to nobody; its host is owned by **%s**.", name, owner), owner
	case understand.FirstSeen:
		return fmt.Sprintf("%s was first seen on **%s**.", name, q.moment(f.FirstSeen)), f.FirstSeen.UTC().Format("2006-01-02")
	case understand.LastSeen, understand.LastScan:
		return fmt.Sprintf("%s was last seen on **%s**.", name, q.moment(f.LastSeen)), f.LastSeen.UTC().Format("2006-01-02")
	case understand.FixedIn:
		if f.FixedIn == "" {
			return unknown("fixed version")
		}
		return fmt.Sprintf("%s is fixed in **%s**.", name, quote(string(f.FixedIn))), quote(string(f.FixedIn))
	case understand.Remedy:
		if f.Remedy == "" && f.FixedIn == "" {
			return unknown("remedy")
		}
		return fmt.Sprintf("To fix %s: %s", name, sentenceOf(cmpOr(string(f.Remedy), "update to "+string(f.FixedIn)))), quoted(string(f.Remedy), 160)
	case understand.Evidence:
		var parts []string
		for _, e := range f.Evidence {
			parts = append(parts, fmt.Sprintf("%s in scan %d (%d of 100): %s", quote(e.Scanner), e.ScanID, e.Confidence, quoted(cmpOr(string(e.Reason), string(e.Output)), 160)))
		}
		if len(parts) == 0 {
			return unknown("evidence")
		}
		return fmt.Sprintf("%s rests on what %s said.", name, strings.Join(parts[:min(len(parts), 4)], "; ")), ""
	case understand.History:
		var parts []string
		for _, h := range f.History {
			parts = append(parts, fmt.Sprintf("%s: %s %s", day(h.At), h.What, quoted(strings.TrimSpace(string(h.From)+" to "+string(h.To)+" "+string(h.Note)), 80)))
		}
		if len(parts) == 0 {
			return fmt.Sprintf("%s was first seen on %s, and nothing was changed since.", name, day(f.FirstSeen)), ""
		}
		return fmt.Sprintf("%s, oldest first: %s.", name, strings.Join(parts[max(0, len(parts)-6):], "; ")), ""
	case understand.Exploits:
		if f.CVEFacts == nil {
			return unknown("exploit")
		}
		value = strconv.Itoa(len(f.CVEFacts.Exploits))
		return fmt.Sprintf("Of %s %s known.", name, report.Plural(len(f.CVEFacts.Exploits), "public exploit is", "public exploits are")), value
	}
	text = name + " is " + f.Severity
	if f.Decision != "" {
		text += fmt.Sprintf(" with decision **%s**", f.Decision)
	}
	if !f.Due.IsZero() {
		text += fmt.Sprintf(", due %s", f.Due)
	}
	return text + fmt.Sprintf("; it is %s.", f.State), cmpOr(string(f.Decision), f.Severity)
}

func by(text, before string) string {
	if text == "" {
		return ""
	}
	return before + quote(text)
}

// sentenceOf is somebody's text as a sentence.
func sentenceOf(text string) string { return strings.TrimRight(quoted(text, 240), ". ") + "." }

// reasons says what a finding's decision rests on, in the words of the product.
func (q *Asked) reasons(d *Draft, f *report.Vulnerability, cites []int) {
	said := 0
	for _, topic := range []string{"use", "rating", "what"} {
		for _, s := range f.Explanation {
			if s.Topic == topic && said < 3 {
				d.Item(cites, "%s", quoted(s.Text, 300))
				said++
			}
		}
	}
	if reach := f.HostFacts.Exposed; reach != nil && slices.Contains([]understand.Attribute{"", understand.Decision, understand.Score}, q.Attribute) {
		d.Item(cites, "%s", map[bool]string{true: "The internet reaches the host.", false: "The internet does not reach the host."}[*reach])
	}
	if len(f.DecisionAssumed) > 0 {
		d.Item(cites, "Assumed, because it is not known: %s.", quoted(and(f.DecisionAssumed), 160))
	}
	if len(f.Evidence) > 0 {
		e := f.Evidence[0]
		d.Item(cites, "%s reported it with confidence %d of 100: %s", capital(quote(e.Scanner)), e.Confidence, sentenceOf(cmpOr(string(e.Reason), cmpOr(string(e.Output), "no reason given"))))
	}
	if f.FixedIn != "" || f.Remedy != "" {
		d.Item(cites, "To do: %s", sentenceOf(cmpOr(string(f.Remedy), "update to "+string(f.FixedIn))))
	}
}
