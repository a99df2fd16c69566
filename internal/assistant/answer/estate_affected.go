package answer

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/report"
)

// affected says whether the asker's hosts, or some of them, have a CVE: yes with the finding, no with what was looked at, or
// that nobody can know.
func (q *Asked) affected(ctx context.Context, d *Draft) error {
	if q.asksWhetherFixed() {
		return q.isFixed(ctx, d)
	}
	all, words, t, err := q.hostsMeant(ctx)
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	for _, id := range q.CVEs[:min(len(q.CVEs), 5)] {
		if err := q.affectedBy(ctx, d, id, all, strings.Join(words, " ")); err != nil {
			return err
		}
	}
	q.askOn(d, "How do I fix it?", "Is it exploited in the wild?", "What should I fix first?")
	return nil
}

// asksWhetherFixed says whether it is asked of CVEs if they were fixed here.
func (q *Asked) asksWhetherFixed() bool {
	text := " " + strings.ToLower(q.Text)
	return q.Measure == understand.Whether && (q.State == "fixed" || q.State == "closed" || q.Attribute == understand.State) &&
		slices.ContainsFunc([]string{" fixed", " patched", " closed", " gone", " resolved", " remediated", " solved", " mitigated"}, func(w string) bool { return strings.Contains(text, w) })
}

// isFixed answers whether what was found is fixed everywhere.
func (q *Asked) isFixed(ctx context.Context, d *Draft) error {
	still, gone := *q, *q
	still.State, gone.State = "", "fixed"
	c, t, err := still.findings(ctx)
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	open, err := still.counted(ctx, c)
	if err != nil {
		return err
	}
	for _, id := range q.CVEs {
		d.Cite(weaknessSource(id.String(), ""))
	}
	cites := []int{still.citeList(d, c, open.Total)}
	d.Facts.Count = numbered(open.Total)
	if open.Total > 0 {
		d.Facts.Yes = truth(false)
		d.Say(cites, "No: %s", c.sentence(open.Total))
		list, err := still.top(ctx, c, 5)
		still.itemsOf(d, list)
		d.Facts.More = open.Total - len(list)
		return err
	}
	done, t, err := gone.findings(ctx)
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	fixed, err := gone.counted(ctx, done)
	if err != nil {
		return err
	}
	if fixed.Total == 0 {
		d.Say(cites, "It was never found: %s", lowerFirst(plainBold(c.sentence(0))))
		return nil
	}
	d.Facts.Yes, d.Facts.Count = truth(true), numbered(fixed.Total)
	d.Say([]int{gone.citeList(d, done, fixed.Total)}, "Yes: %s", done.sentence(fixed.Total))
	list, err := gone.top(ctx, done, 5)
	gone.itemsOf(d, list)
	d.Facts.More = fixed.Total - len(list)
	return err
}

func (q *Asked) affectedBy(ctx context.Context, d *Draft, id cve.ID, hosts []report.AskHost, where string) error {
	one := *q
	one.CVEs = []cve.ID{id}
	c, t, err := one.findings(ctx)
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	facts, _, err := q.Desk.CVE(ctx, id)
	known := err == nil
	if err != nil && !notFound(err) {
		return err
	}
	counts, err := one.counted(ctx, c)
	if err != nil {
		return err
	}
	name := id.String()
	if known || counts.Total > 0 {
		d.Cite(weaknessSource(name, string(facts.Title)))
	}
	d.Command = strings.TrimSpace(cmpOr(d.Command, c.command()))
	if c.exact {
		d.Link = c.link()
	}
	if counts.Total > 0 {
		return one.yesAffected(ctx, d, c, counts, where)
	}
	if len(d.Lines) == 0 {
		d.Facts.Yes = truth(false)
	}
	if done, err := one.almostAffected(ctx, d, c, where); done || err != nil {
		return err
	}
	if !known {
		d.Facts.Yes = nil
		d.refuse([]int{d.Cite(report.Source{Kind: "catalogue", ID: "lookup " + name, Title: "The catalogue", Text: "Looked up: " + name + ". There is no such record, and no finding names it.", URL: "/catalogue"})},
			"the catalogue has no such record, and no finding names it", "Check the number, or load the feeds with: patchscout feeds sync.")
		return nil
	}
	if where != "" && len(productsOf(facts)) == 0 {
		if done, err := one.onlyElsewhere(ctx, d, id, where); done || err != nil {
			return err
		}
	}
	return one.notAffected(d, id, facts, hosts, where)
}

// onlyElsewhere answers no where a CVE whose record names no products was found on others of the asker's hosts.
func (q *Asked) onlyElsewhere(ctx context.Context, d *Draft, id cve.ID, where string) (bool, error) {
	all := *q
	all.Question = understand.Question{Text: q.Text, Subject: understand.Findings, Measure: q.Measure, CVEs: []cve.ID{id}}
	c, t, err := all.findings(ctx)
	if err != nil || t != nil {
		return false, err
	}
	groups, err := q.Desk.AskGroups(ctx, c.req, "host")
	if err != nil || len(groups) == 0 {
		return false, err
	}
	var names []string
	total := 0
	cites := []int{d.Cite(weaknessSource(id.String(), ""))}
	for _, g := range groups {
		total += g.Findings
		names = append(names, bold(cmpOr(string(g.Name), string(g.Key))))
		if s, ok := q.hostByID(ctx, string(g.Key)); ok && len(cites) < 4 {
			cites = append(cites, d.Cite(s))
		}
	}
	all.cited(d, c, total)
	d.Say(cites, "No: no open finding of %s is%s; there is on %s.", id, by0(where), few(names, 5))
	return true, nil
}

func (q *Asked) yesAffected(ctx context.Context, d *Draft, c *chosen, counts report.FindingCounts, where string) error {
	groups, err := q.Desk.AskGroups(ctx, c.req, "host")
	if err != nil {
		return err
	}
	list, err := q.top(ctx, c, min(q.limit(), 5))
	if err != nil {
		return err
	}
	cites := []int{d.Cite(weaknessSource(q.CVEs[0].String(), ""))}
	for i := range list {
		cites = append(cites, d.Cite(findingSource(&list[i])))
	}
	q.citeList(d, c, counts.Total)
	d.Facts.Yes, d.Facts.Count = truth(true), numbered(len(groups))
	if len(groups) == 1 && len(list) > 0 {
		d.Say(cites[:2], "Yes: **%s** has **%s**%s.", quote(list[0].Host), q.CVEs[0], map[bool]string{true: "", false: fmt.Sprintf(", in %d places", counts.Total)}[counts.Total == 1])
	} else {
		d.Say(cites[:min(3, len(cites))], "Yes: **%s** hosts have **%s**%s.", report.Thousands(len(groups)), q.CVEs[0], by0(where))
	}
	for i := range list {
		f := &list[i]
		text := findingLine(f)
		if len(f.Evidence) > 0 {
			text += "; " + quote(f.Evidence[0].Scanner) + " said: " + quoted(cmpOr(string(f.Evidence[0].Reason), string(f.Evidence[0].Output)), 140)
		}
		d.Item([]int{cites[i+1]}, "%s", text)
		d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: "host", ID: strconv.FormatInt(f.HostID, 10), Name: quote(f.Host)})
	}
	if rest := counts.Total - len(list); rest > 0 {
		d.Facts.More = rest
		d.Say(nil, "And %s more.", report.Thousands(rest))
	}
	return nil
}

// almostAffected tells of findings that are not open, were set aside or are not confirmed.
func (q *Asked) almostAffected(ctx context.Context, d *Draft, c *chosen, where string) (bool, error) {
	other, err := q.elsewhere(ctx, c)
	if err != nil || other == nil {
		return false, err
	}
	list, err := q.top(ctx, other, 5)
	if err != nil || len(list) == 0 {
		return false, err
	}
	counts, err := q.counted(ctx, other)
	if err != nil {
		return false, err
	}
	potential, fixed, aside := 0, 0, 0
	for i := range list {
		f := &list[i]
		switch {
		case f.State == "fixed" || f.State == "closed":
			fixed++
		case f.Triage == "false_positive" || f.Triage == "accepted" || f.Triage == "out_of_scope":
			aside++
		default:
			potential++
		}
	}
	cite := d.Cite(findingSource(&list[0]))
	name := q.CVEs[0].String()
	switch {
	case aside > 0:
		f := &list[slices.IndexFunc(list, func(f report.Finding) bool {
			return f.Triage == "false_positive" || f.Triage == "accepted" || f.Triage == "out_of_scope"
		})]
		if f.Triage == "accepted" {
			d.Facts.Yes = truth(true)
			d.Say([]int{d.Cite(findingSource(f))}, "Yes, and it was accepted: %s%s is set aside%s.", name, by0(where), by(string(f.TriageBy), " by "))
			break
		}
		d.Say([]int{d.Cite(findingSource(f))}, "No: a scanner reported %s%s, and it is %s%s.", name, by0(where), triageWords[f.Triage], by(string(f.TriageBy), " by "))
	case potential > 0:
		d.Facts.Yes = nil
		d.Lines = append(d.Lines, Line{Cites: []int{cite}, Text: fmt.Sprintf("Perhaps: %s%s is only potential, because the version alone does not tell.", name, by0(where))})
	default:
		f := &list[0]
		d.Say([]int{cite}, "No, not any more: %s%s is %s, last seen on %s.", name, by0(where), f.State, day(f.LastSeen))
	}
	for i := range list[:min(3, len(list))] {
		f := &list[i]
		text := findingLine(f) + ", " + f.State
		if f.Triage != "none" {
			text += ", " + cmpOr(triageWords[f.Triage], f.Triage)
		}
		d.Item([]int{d.Cite(findingSource(f))}, "%s", text)
	}
	if rest := counts.Total - min(3, len(list)); rest > 0 {
		d.Say(nil, "And %s more.", report.Thousands(rest))
	}
	return true, nil
}

// notAffected says what was looked at, or why nobody can know.
func (q *Asked) notAffected(d *Draft, id cve.ID, facts report.CVE, hosts []report.AskHost, where string) error {
	cites := []int{d.Cite(weaknessSource(id.String(), string(facts.Title)))}
	named := len(q.Hosts) > 0
	var running, blind, blank []*report.AskHost
	var said []string
	for i := range hosts {
		h := &hosts[i]
		here := false
		for _, p := range productsOf(facts) {
			for _, s := range runs(h, p) {
				here = true
				if s.version == "" {
					blind = append(blind, h)
				}
				if line := strings.TrimSpace(quoted(s.name, 60) + " " + quote(s.version)); len(said) < 4 && !slices.Contains(said, line) {
					said = append(said, line)
				}
			}
		}
		if here {
			running = append(running, h)
		}
		if h.Looked.IsZero() && len(h.Services) == 0 && len(h.Components) == 0 {
			blank = append(blank, h)
		}
	}
	if named && len(hosts) > 0 {
		cites = append(cites, d.Cite(hostSource(&hosts[0])))
	}
	if len(blank) == len(hosts) {
		d.Facts.Yes = nil
		d.refuse(cites, "the hosts"+by0(where)+" were never scanned, and no report says what runs there", "Scan them with: patchscout scan TARGET.")
		return nil
	}
	if len(blind) > 0 {
		d.Facts.Yes = nil
		for _, h := range blind[:min(3, len(blind))] {
			cites = append(cites, d.Cite(hostSource(h)))
		}
		d.refuse(cites, fmt.Sprintf("%s the product that %s is about, in a version that is not known", report.Plural(len(slices.Compact(blind)), "host runs", "hosts run"), id),
			"A scan with a login, or a report of the installed packages, would tell.")
		return nil
	}
	if len(productsOf(facts)) == 0 {
		d.Facts.Yes = nil
		d.refuse(cites, "no finding of it is open"+by0(where)+", and its record does not say which products it is about", "Load what does with: patchscout feeds sync.")
		return nil
	}
	if len(facts.Affected) == 0 && len(running) > 0 {
		d.Facts.Yes = nil
		for _, h := range running[:min(3, len(running))] {
			cites = append(cites, d.Cite(hostSource(h)))
		}
		d.refuse(cites, fmt.Sprintf("%s what it is about (%s), and its record names the affected versions only in words", report.Plural(len(running), "host runs", "hosts run"), strings.Join(said, ", ")),
			"Compare them with the record, or load the feeds with: patchscout feeds sync.")
		return nil
	}
	d.Facts.Count = numbered(0)
	if len(running) > 0 {
		for _, h := range running[:min(3, len(running))] {
			cites = append(cites, d.Cite(hostSource(h)))
		}
		d.Say(cites, "No: %s%s, and the versions there (%s) are not affected by %s.", report.Plural(len(running), "host runs the product", "hosts run the product"), by0(where), strings.Join(said, ", "), id)
	} else {
		p := productsOf(facts)[0]
		d.Say(cites, "No: %s%s, and none runs %s, which %s is about.", report.Plural(len(hosts), "host was looked at", "hosts were looked at"), by0(where), bold(strings.ReplaceAll(p.Product, "_", " ")), id)
	}
	if len(blank) > 0 {
		d.Say(nil, "Of %s nothing is known: never scanned.", report.Plural(len(blank), "host", "hosts"))
	}
	if named && len(hosts) == 1 && !hosts[0].Looked.IsZero() {
		d.Say([]int{cites[len(cites)-1]}, "It was last scanned on %s.", q.moment(hosts[0].Looked))
	}
	return nil
}

// productsOf are the products that a record is about.
func productsOf(facts report.CVE) (out []understand.ProductName) {
	for _, a := range facts.Affected {
		parts := strings.Split(strings.TrimPrefix(a.CPE, "cpe:2.3:"), ":")
		if len(parts) < 3 {
			continue
		}
		p := understand.ProductName{Vendor: parts[1], Product: parts[2], Text: strings.ReplaceAll(parts[2], "_", " ")}
		if !slices.ContainsFunc(out, func(o understand.ProductName) bool { return o.Product == p.Product }) && len(out) < 20 {
			out = append(out, p)
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, a := range facts.AffectedText[:min(len(facts.AffectedText), 20)] {
		if text := strings.ToLower(strings.TrimSpace(a.Product)); len(text) > 2 && text != "n/a" {
			out = append(out, understand.ProductName{Product: text, Text: text})
		}
	}
	return out
}
