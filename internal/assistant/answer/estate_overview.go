package answer

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// overview says in some six lines how things stand, of all or of the part that is named.
func (q *Asked) overview(ctx context.Context, d *Draft) error {
	whole := *q
	whole.Subject, whole.Time, whole.TimeOf = understand.Findings, nil, ""
	c, t, err := whole.findings(ctx)
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	counts, err := whole.counted(ctx, c)
	if err != nil {
		return err
	}
	n := whole.citeList(d, c, counts.Total)
	d.Facts.Count = numbered(counts.Total)
	act := counts.ByDecision["act"]
	d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: "list", ID: "open", Name: "open", Count: numbered(counts.Total)}, report.Figure{Kind: "list", ID: "act", Name: "act", Count: numbered(act)},
		report.Figure{Kind: "list", ID: "kev", Name: "known to be exploited", Count: numbered(counts.KEV)})
	if counts.Total == 0 {
		d.Say([]int{n}, "%s", c.sentence(0))
		return q.candidates(ctx, d, c, 0)
	}
	d.Say([]int{n}, "**%s** of %s %s to be acted on now; **%s** %s known to be exploited.", report.Thousands(act), plainBold(report.Plural(counts.Total, "open finding", "open findings")+where(c)),
		have(act, "is", "are"), report.Thousands(counts.KEV), have(counts.KEV, "is", "are"))
	var parts []string
	for _, s := range []string{"critical", "high", "medium", "low", "info", "unknown"} {
		if m := counts.BySeverity[s]; m > 0 {
			parts = append(parts, report.Thousands(m)+" "+s)
		}
	}
	d.Item([]int{n}, "By severity: %s", and(parts))
	for _, step := range []func(context.Context, *Draft, *Asked) error{q.lateAndNew, q.worstOf, q.pathsOf, q.staleOf} {
		if err := step(ctx, d, &whole); err != nil {
			return err
		}
	}
	q.askOn(d, "What should I fix first?", "What is new since last week?", "How would an attacker reach a crown jewel?")
	return nil
}

func where(c *chosen) string { return by0(strings.Join(c.where, " ")) }

// lateAndNew says what is overdue, and how the week went.
func (q *Asked) lateAndNew(ctx context.Context, d *Draft, whole *Asked) error {
	late := *whole
	late.Overdue = true
	cl, t, err := late.findings(ctx)
	if err != nil || t != nil {
		return err
	}
	overdue, err := late.counted(ctx, cl)
	if err != nil {
		return err
	}
	cite := late.cited(d, cl, overdue.Total)
	week := &understand.Period{From: q.Now.AddDate(0, 0, -7), Words: "in the last 7 days"}
	var parts []string
	cites := []int{cite}
	for _, part := range []struct{ state, of, word string }{{"", "first_seen", "new"}, {"fixed", "fixed", "fixed"}} {
		one := *whole
		one.State, one.TimeOf, one.Time = part.state, part.of, week
		c, t, err := one.findings(ctx)
		if err != nil || t != nil {
			return err
		}
		counts, err := one.counted(ctx, c)
		if err != nil {
			return err
		}
		cites = append(cites, one.cited(d, c, counts.Total))
		parts = append(parts, report.Thousands(counts.Total)+" "+part.word)
	}
	d.Item(cites, "Overdue: %s. In the last 7 days: %s", report.Thousands(overdue.Total), and(parts))
	return nil
}

// cited cites a list that is not the one that the answer is about.
func (q *Asked) cited(d *Draft, c *chosen, n int) int {
	link, command := d.Link, d.Command
	defer func() { d.Link, d.Command = link, command }()
	return q.citeList(d, c, n)
}

// worstOf names the hosts that are the most urgent.
func (q *Asked) worstOf(ctx context.Context, d *Draft, whole *Asked) error {
	hosts, _, t, err := whole.hostsMeant(ctx)
	if err != nil || t != nil {
		return err
	}
	var names []string
	var cites []int
	for i := range hosts {
		if openOf(&hosts[i]) > 0 && len(names) < 3 {
			cites = append(cites, d.Cite(hostSource(&hosts[i])))
			names = append(names, bold(hostCalled(hosts[i].Host))+" with "+report.Thousands(openOf(&hosts[i])))
		}
	}
	if len(names) > 0 {
		d.Item(cites, "Most urgent hosts: %s", and(names))
	}
	return nil
}

// pathsOf says how far attack paths reach.
func (q *Asked) pathsOf(ctx context.Context, d *Draft, _ *Asked) error {
	if len(q.Hosts)+len(q.Sites) > 0 || len(q.owners()) > 0 {
		return nil // paths are worked out over all
	}
	doc, err := q.Desk.Paths(ctx, request.Paths{})
	if err != nil {
		if notFound(err) {
			return nil
		}
		return err
	}
	cite := d.Cite(report.Source{Kind: "list", ID: "/paths", Title: "Attack paths", Text: report.Plural(len(doc.Jewels), "crown jewel", "crown jewels"), URL: "/paths", API: "/api/v1/paths"})
	if len(doc.Jewels) == 0 {
		d.Item([]int{cite}, "No host is tagged as a crown jewel, so that attack paths have no goal")
		return nil
	}
	d.Item([]int{cite}, "Attack paths reach %d of %s", doc.Totals.JewelsReached, report.Plural(len(doc.Jewels), "crown jewel", "crown jewels"))
	return nil
}

// staleOf says which hosts were not looked at for long.
func (q *Asked) staleOf(ctx context.Context, d *Draft, whole *Asked) error {
	hosts, _, t, err := whole.hostsMeant(ctx)
	if err != nil || t != nil {
		return err
	}
	old, oldest := 0, time.Time{}
	for i := range hosts {
		if at := hosts[i].LastSeen; q.Now.Sub(at).Hours() > oldHours {
			if old++; oldest.IsZero() || at.Before(oldest) {
				oldest = at
			}
		}
	}
	cite := d.Cite(report.Source{Kind: "list", ID: "/assets", Title: "Hosts", Text: report.Plural(len(hosts), "host", "hosts"), URL: "/assets", API: "/api/v1/assets"})
	if old == 0 {
		d.Item([]int{cite}, "All %s were seen within the last 30 days", report.Plural(len(hosts), "host", "hosts"))
		return nil
	}
	d.Item([]int{cite}, "%s of %s %s not seen for more than 30 days, the first since %s", report.Thousands(old), report.Plural(len(hosts), "host", "hosts"), have(old, "was", "were"), day(oldest))
	return nil
}

// timeToFix says how long findings stood until they were fixed.
func (q *Asked) timeToFix(ctx context.Context, d *Draft) error {
	done := *q
	done.State = "fixed"
	c, t, err := done.findings(ctx)
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	c.req.Hidden = true
	var days []float64
	if err := q.Desk.AskRows(ctx, c.req, func(f finding.Listed) error {
		if !f.ClosedAt.IsZero() {
			days = append(days, f.ClosedAt.Sub(f.FirstSeen).Hours()/24)
		}
		return nil
	}); err != nil {
		return err
	}
	n := done.citeList(d, c, len(days))
	d.Facts.Count = numbered(len(days))
	if len(days) == 0 {
		d.refuse([]int{n}, "nothing that was asked for was fixed yet", "Ask which findings are open.")
		return nil
	}
	slices.Sort(days)
	sum := 0.0
	for _, v := range days {
		sum += v
	}
	mean, middle := sum/float64(len(days)), days[len(days)/2]
	d.Facts.Value = report.Text(strconv.FormatFloat(math.Round(mean*10)/10, 'f', -1, 64))
	d.Say([]int{n}, "**%s days** on average, from the day a finding was first seen until a scan no longer found it: %s fixed%s, half of them within %s.",
		decimal(math.Round(mean*10)/10), report.Plural(len(days), "finding was", "findings were"), where(c), report.Plural(int(math.Ceil(middle)), "day", "days"))
	q.askOn(d, "What was fixed in the last 30 days?", "How many findings are overdue?", "What should I fix first?")
	return nil
}

// shareOfHosts says which part of the hosts is asked for.
func (q *Asked) shareOfHosts(ctx context.Context, d *Draft, h *hostsAsked, cite int) (bool, error) {
	all := *q
	all.Question = q.placesOnly()
	if !findingConditions(q) && len(q.Products)+len(q.Ports) == 0 && q.Time == nil && q.AtLeast == nil && q.AtMost == nil {
		all.Question = understand.Question{Text: q.Text, Subject: q.Subject, Measure: q.Measure}
	}
	base, _, t, err := all.hostsMeant(ctx)
	if err != nil || t != nil {
		return true, q.cannot(d, t, err)
	}
	if len(base) == 0 {
		return false, nil
	}
	part := 100 * float64(len(h.hosts)) / float64(len(base))
	d.Facts.Value = report.Text(decimal(math.Round(part*10) / 10))
	words := strings.ReplaceAll(strings.Join(h.words, " "), "on hosts ", "")
	d.Say([]int{cite}, "**%s %%** of the hosts: **%s** of %s%s.", decimal(math.Round(part*10)/10), report.Thousands(len(h.hosts)), report.Thousands(len(base)), by0(words))
	for i := range h.hosts[:min(3, len(h.hosts))] {
		d.Cite(hostSource(&h.hosts[i]))
	}
	return true, nil
}

// placesOnly is the question without conditions on what was found.
func (q *Asked) placesOnly() understand.Question {
	return understand.Question{Text: q.Text, Subject: q.Subject, Measure: q.Measure, Hosts: q.Hosts, Sites: q.Sites, Owner: q.Owner, Owners: q.Owners, OS: q.OS, Systems: q.Systems, Tags: q.Tags,
		Criticality: q.Criticality, Jewels: q.Jewels, Exposed: q.Exposed, Status: q.Status}
}

// shareOfFindings says which part of the findings is asked for.
func (q *Asked) shareOfFindings(ctx context.Context, d *Draft, c *chosen) error {
	counts, err := q.counted(ctx, c)
	if err != nil {
		return err
	}
	all := *q
	all.Question = q.placesOnly()
	if !findingConditions(q) && len(q.Products)+len(q.Ports) == 0 && q.Time == nil {
		all.Question = understand.Question{Text: q.Text, Subject: q.Subject, Measure: q.Measure}
	}
	all.State = map[bool]string{true: q.State, false: ""}[q.State == "all"]
	cc, t, err := all.findings(ctx)
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	of, err := all.counted(ctx, cc)
	if err != nil {
		return err
	}
	n := q.citeList(d, c, counts.Total)
	d.Facts.Count = numbered(counts.Total)
	if of.Total == 0 {
		d.Say([]int{n}, "%s", cc.sentence(0))
		return nil
	}
	part := 100 * float64(counts.Total) / float64(of.Total)
	d.Facts.Value = report.Text(decimal(math.Round(part*10) / 10))
	d.Say([]int{n}, "**%s %%**: **%s** of %s.", decimal(math.Round(part*10)/10), report.Thousands(counts.Total), report.Thousands(of.Total)+" "+plainBold(cc.phrase(of.Total)))
	d.Say([]int{n}, "Counted: %s.", plainBold(c.phrase(2)))
	return nil
}

// sitesLooked says when sites were last looked at.
func (q *Asked) sitesLooked(ctx context.Context, d *Draft) error {
	hosts, _, t, err := q.hostsMeant(ctx)
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	last, count, order := map[string]time.Time{}, map[string]int{}, []string{}
	for i := range hosts {
		h := &hosts[i]
		if _, known := last[h.Site]; !known {
			order = append(order, h.Site)
		}
		count[h.Site]++
		for _, at := range []time.Time{h.LastSeen, h.Looked} {
			if at.After(last[h.Site]) {
				last[h.Site] = at
			}
		}
	}
	if len(order) == 0 {
		d.refuse(nil, "no host of "+or(q.Sites)+" was ever looked at", "Scan it with: patchscout scan TARGET --site NAME.")
		return nil
	}
	slices.SortStableFunc(order, func(a, b string) int { return last[a].Compare(last[b]) })
	if q.Time != nil {
		order = slices.DeleteFunc(order, func(s string) bool {
			in := (q.Time.From.IsZero() || !last[s].Before(q.Time.From)) && (q.Time.To.IsZero() || last[s].Before(q.Time.To))
			return in == q.Negated
		})
		d.Facts.Count = numbered(len(order))
		cite := d.Cite(report.Source{Kind: "list", ID: "/assets?tab=sites", Title: "Sites", Text: report.Plural(len(order), "site", "sites"), URL: "/assets?tab=sites", API: "/api/v1/sites"})
		d.Say([]int{cite}, "%s %s %slooked at %s%s", number(len(order)), have(len(order), "site was", "sites were"), map[bool]string{true: "not ", false: ""}[q.Negated], since(q.Time),
			map[bool]string{true: ":", false: "."}[len(order) > 0])
	}
	d.Link = "/assets?tab=sites"
	for _, s := range order[:min(len(order), q.limit())] {
		at := last[s]
		cite := d.Cite(report.Source{Kind: "site", ID: s, Title: quote(s), Text: cut(report.Plural(count[s], "host", "hosts") + ", last looked at " + q.moment(at)), URL: "/assets?site=" + shellURL(s), At: &at})
		text := fmt.Sprintf("%s was last looked at on **%s**, %s.", bold(s), q.moment(at), q.ago(at))
		if len(order) == 1 && q.Time == nil {
			d.Facts.Value = report.Text(at.UTC().Format(time.DateOnly))
			d.Say([]int{cite}, "%s", text)
		} else {
			d.Item([]int{cite}, "%s", text)
		}
		d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: "site", ID: s, Name: quote(s), Value: report.Text(at.UTC().Format(time.DateOnly))})
	}
	q.askOn(d, "Which hosts were not scanned in the last 30 days?", "What should I fix first?", "How old is the data?")
	return nil
}

// portsOfFindings says which hosts have findings at a port at which no service is known.
func (q *Asked) portsOfFindings(ctx context.Context, d *Draft, h *hostsAsked) error {
	if len(q.Ports) == 0 || q.Negated || findingConditions(q) || len(q.Products) > 0 {
		return nil
	}
	other := *q
	other.Subject = understand.Findings
	c, t, err := other.findings(ctx)
	if err != nil || t != nil {
		return err
	}
	groups, err := q.Desk.AskGroups(ctx, c.req, "host")
	if err != nil {
		return err
	}
	extra := 0
	for _, g := range groups {
		if !slices.ContainsFunc(h.hosts, func(o report.AskHost) bool { return strconv.FormatInt(o.ID, 10) == string(g.Key) }) {
			extra++
		}
	}
	if extra > 0 {
		d.Say(nil, "%s %s findings at %s, where no service answers now.", report.Plural(extra, "more host", "more hosts"), have(extra, "has", "have"), portWords(q.Ports))
	}
	return nil
}
