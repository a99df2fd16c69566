package answer

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
)

// ofFindings answers what is asked about findings.
func (q *Asked) ofFindings(ctx context.Context, d *Draft) error {
	if len(q.Question.Findings) > 0 {
		return q.oneFinding(ctx, d)
	}
	c, t, err := q.findings(ctx)
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	if len(q.Triage) > 0 && q.Attribute == "" && q.Measure == understand.Why {
		q.Attribute = understand.TriageOf
	}
	switch {
	case q.Measure == understand.Overview:
		return q.overview(ctx, d)
	case q.Measure == understand.Fact && q.Attribute == understand.Duration:
		return q.timeToFix(ctx, d)
	case q.Share && q.Measure == understand.Count:
		return q.shareOfFindings(ctx, d, c)
	case q.Measure == understand.Count && q.wereOpen():
		return q.openThen(ctx, d)
	case q.Measure == understand.Count && q.GroupBy == "cve":
		return q.listCVEs(ctx, d, c)
	case q.Measure == understand.Count && q.GroupBy != "":
		return q.countGroups(ctx, d, c)
	}
	switch q.Measure {
	case understand.List, understand.Explain:
		return q.listFindings(ctx, d, c)
	case understand.Group:
		return q.groupFindings(ctx, d, c)
	case understand.Fact, understand.Why:
		return q.factOfFindings(ctx, d, c)
	case understand.Compare:
		return q.compareFindings(ctx, d, c)
	case understand.Change:
		return q.changedFindings(ctx, d, c)
	case understand.Trend:
		return q.trendOfFindings(ctx, d, c)
	case understand.First, understand.How:
		return q.first(ctx, d, c)
	case understand.Whether:
		return q.whetherFindings(ctx, d, c)
	default:
		return q.countFindings(ctx, d, c)
	}
}

// cannot puts trouble into words.
func (q *Asked) cannot(d *Draft, t *trouble, err error) error {
	if err == nil && t != nil && t.lookup != "" {
		q.noRecord(d, t.lookup)
	} else if err == nil && t != nil {
		d.refuse(nil, t.because, t.instead)
	}
	return err
}

// counted is how many findings were asked for, and how urgent they are.
func (q *Asked) counted(ctx context.Context, c *chosen) (report.FindingCounts, error) {
	return q.Desk.AskCounts(ctx, c.req)
}

// top are the first findings in the order that was asked for.
func (q *Asked) top(ctx context.Context, c *chosen, limit int) ([]report.Finding, error) {
	req := c.req
	req.Sort, req.Limit = q.sortOf(), limit
	list, err := q.Desk.AskPage(ctx, req)
	return list.Findings, err
}

// sortOf is the order that was asked for, as lists take it.
func (q *Asked) sortOf() string {
	switch q.Sort {
	case "oldest":
		return "first_seen:asc"
	case "newest":
		return "first_seen"
	}
	name, direction, directed := strings.Cut(q.Sort, ":")
	if !slices.Contains(finding.SortFields(), finding.SortField(name)) {
		name = ""
	}
	if name == "" && q.Least {
		name = string(finding.ByScore)
	}
	if name == "" {
		return ""
	}
	if directed && !q.Least {
		return name + ":" + direction
	}
	if q.Least {
		s, _ := finding.ParseSort(name) // it is one of them
		if s.Descending() {
			return name + ":asc"
		}
		return name + ":desc"
	}
	return name
}

// citeList cites the page that shows what was counted.
func (q *Asked) citeList(d *Draft, c *chosen, n int) int {
	link := c.link()
	if c.exact {
		d.Link, d.Command = link, c.command()
	}
	return d.Cite(report.Source{Kind: "list", ID: link, Title: quoted(plainBold(c.phrase(2)), 160), Text: cut(plainBold(report.Plural(n, "finding", "findings") + ": " + c.phrase(2))),
		URL: link, API: report.Text("/api/v1" + link)})
}

// plainBold takes our own marks off.
func plainBold(text string) string { return strings.ReplaceAll(text, "**", "") }

func (q *Asked) countFindings(ctx context.Context, d *Draft, c *chosen) error {
	counts, err := q.counted(ctx, c)
	if err != nil {
		return err
	}
	n := counts.Total
	first := q.citeList(d, c, n)
	d.Facts.Count = numbered(n)
	d.Say([]int{first}, "%s", c.sentence(n))
	if err := q.candidates(ctx, d, c, n); err != nil || n == 0 {
		return err
	}
	q.split(d, c, counts, first)
	list, err := q.top(ctx, c, 3)
	if err != nil {
		return err
	}
	for i := range list {
		d.Cite(findingSource(&list[i]))
	}
	q.askOn(d, "Which are the most urgent?", "Which hosts have most of them?", "What should I fix first?")
	return nil
}

// split says how urgent the counted findings are, where that was not asked for.
func (q *Asked) split(d *Draft, c *chosen, counts report.FindingCounts, source int) {
	if counts.Total < 2 {
		return
	}
	var parts []string
	if len(q.Severities) != 1 {
		for _, s := range []string{"critical", "high", "medium", "low", "info", "unknown"} {
			if n := counts.BySeverity[s]; n > 0 {
				parts = append(parts, report.Thousands(n)+" "+s)
			}
		}
	}
	text := ""
	if len(parts) > 1 {
		text = "By severity: " + and(parts) + "."
	}
	if n := counts.ByDecision["act"]; n > 0 && len(q.Decisions) == 0 {
		text = strings.TrimSpace(text + " " + fmt.Sprintf("%s %s to be acted on now.", report.Thousands(n), have(n, "is", "are")))
	}
	if text != "" {
		d.Say([]int{source}, "%s", text)
	}
}

// candidates says that there are potential findings where no confirmed one is.
func (q *Asked) candidates(ctx context.Context, d *Draft, c *chosen, n int) error {
	if n > 0 || c.req.Potential || !c.req.Confirmed {
		return nil
	}
	other := *c
	other.req.Confirmed, other.req.Potential = false, true
	counts, err := q.counted(ctx, &other)
	if err != nil || counts.Total == 0 {
		return err
	}
	d.Say(nil, "There %s %s that %s not confirmed: the version alone does not tell, as where a distribution backports fixes.", have(counts.Total, "is", "are"),
		report.Plural(counts.Total, "potential one", "potential ones"), have(counts.Total, "is", "are"))
	return nil
}

// askOn are questions to ask on with.
func (q *Asked) askOn(d *Draft, questions ...string) {
	d.Next = append(d.Next, questions[:min(len(questions), 3)]...)
}

func (q *Asked) listFindings(ctx context.Context, d *Draft, c *chosen) error {
	counts, err := q.counted(ctx, c)
	if err != nil {
		return err
	}
	c.req.Sort = q.sortOf()
	n := counts.Total
	list, err := q.top(ctx, c, q.fit(n))
	if err != nil {
		return err
	}
	first := q.citeList(d, c, n)
	d.Facts.Count = numbered(n)
	if q.Limit == 1 && len(list) == 1 && n > 1 {
		q.theFirst(d, &list[0], c, n, first)
		return nil
	}
	switch {
	case n > len(list):
		d.Say([]int{first}, "%s The first %d of %s%s:", c.sentence(n), len(list), report.Thousands(n), orderWords(c.req.Sort))
	case n > 0:
		d.Say([]int{first}, "%s", strings.TrimSuffix(c.sentence(n), ".")+":")
	default:
		d.Say([]int{first}, "%s", c.sentence(n))
		return q.candidates(ctx, d, c, n)
	}
	q.itemsOf(d, list)
	d.Facts.More = n - len(list)
	if d.Facts.More > 0 {
		d.Say([]int{first}, "And %s more.", report.Thousands(d.Facts.More))
	}
	q.askOn(d, "Why is the first one so urgent?", "Which of those are known to be exploited?", "What should I fix first?")
	return nil
}

// theFirst tells the one finding that was asked for: the oldest, the one with the highest EPSS.
func (q *Asked) theFirst(d *Draft, f *report.Finding, c *chosen, n, list int) {
	cite := d.Cite(findingSource(f))
	d.Say([]int{cite}, "%s.", strings.TrimSuffix(findingLine(f), "."))
	value := map[string]string{"first_seen": day(f.FirstSeen), "epss": chance(f.EPSS), "cvss": rating(f.CVSS)}[strings.TrimSuffix(c.req.Sort, ":asc")]
	what := ""
	if value != "" {
		what = map[string]string{"first_seen": ": first seen on **", "epss": ": EPSS **", "cvss": ": CVSS **"}[strings.TrimSuffix(c.req.Sort, ":asc")] + value + "**"
	}
	d.Say([]int{list}, "It is the first of %s%s%s.", boldNumber(n, "finding", "findings"), orderWords(c.req.Sort), what)
	d.Facts.Value, d.Facts.More = report.Text(value), 0
	d.Facts.Items = []report.Figure{{Kind: "finding", ID: strconv.FormatInt(f.ID, 10), Name: quoted(weaknessOf(f)+" on "+placeOf(f), 160), Value: report.Text(value)}}
	q.askOn(d, "Why is it so urgent?", "How do I fix it?", "What should I fix first?")
}

// chance is a probability in percent, "" where it is not known.
func chance(p *float64) string {
	if p == nil {
		return ""
	}
	return strconv.FormatFloat(*p*100, 'f', 1, 64) + " %"
}

// rating is a CVSS score, "" where there is none.
func rating(score *float64) string {
	if score == nil {
		return ""
	}
	return strconv.FormatFloat(*score, 'f', 1, 64)
}

var orders = map[string]string{"": "most urgent first", "rank": "most urgent first", "severity": "most severe first", "cvss": "highest CVSS first", "epss": "highest EPSS first",
	"likelihood": "likeliest first", "score": "highest score first", "due": "due first", "sla": "due by your terms first", "first_seen": "newest first",
	"last_seen": "seen last first", "host": "by host", "risk_removed": "those whose fixing removes most risk first", "first_seen:asc": "oldest first", "cvss:asc": "lowest CVSS first",
	"epss:asc": "lowest EPSS first", "severity:asc": "least severe first", "score:asc": "lowest score first"}

func orderWords(sort string) string {
	if words := orders[sort]; words != "" {
		return ", " + words
	}
	return ", by " + strings.ReplaceAll(sort, ":", " ")
}

func (q *Asked) itemsOf(d *Draft, list []report.Finding) {
	for i := range list {
		f := &list[i]
		d.Item([]int{d.Cite(findingSource(f))}, "%s", findingLine(f))
		d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: "finding", ID: strconv.FormatInt(f.ID, 10), Name: quoted(weaknessOf(f)+" on "+placeOf(f), 160), Value: report.Text(f.Severity)})
	}
}

func (q *Asked) whetherFindings(ctx context.Context, d *Draft, c *chosen) error {
	if len(q.CVEs) > 0 && q.asksWhetherFixed() {
		return q.isFixed(ctx, d)
	}
	counts, err := q.counted(ctx, c)
	if err != nil {
		return err
	}
	n := counts.Total
	first := q.citeList(d, c, n)
	d.Facts.Count, d.Facts.Yes = numbered(n), truth(n > 0)
	if n == 0 {
		d.Say([]int{first}, "No: %s", lowerFirst(plainBold("no"+strings.TrimPrefix(c.sentence(0), "**No**"))))
		return q.candidates(ctx, d, c, n)
	}
	d.Say([]int{first}, "Yes: %s", c.sentence(n))
	list, err := q.top(ctx, c, 3)
	q.itemsOf(d, list)
	d.Facts.More = n - len(list)
	q.askOn(d, "Which hosts have them?", "What should I fix first?", "How many of those are overdue?")
	return err
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// grouped is how many findings something has.
type grouped struct {
	kind, id, name string
	n, hosts       int
}

func (q *Asked) groupFindings(ctx context.Context, d *Draft, c *chosen) error {
	by := cmpOr(q.GroupBy, "severity")
	groups, t, err := q.groupsBy(ctx, c, by)
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	if by == "cve" && (q.AtLeast != nil || q.AtMost != nil || q.byHosts()) {
		return q.widespread(d, c, groups)
	}
	total := 0
	for _, g := range groups {
		total += g.n
	}
	slices.SortStableFunc(groups, func(a, b grouped) int {
		if q.Least {
			return cmp.Compare(a.n, b.n)
		}
		return cmp.Compare(b.n, a.n)
	})
	if byOrder := orderOf(by); byOrder != nil && q.Limit == 0 && !q.Least {
		slices.SortStableFunc(groups, func(a, b grouped) int { return cmp.Compare(slices.Index(byOrder, a.id), slices.Index(byOrder, b.id)) })
	}
	first := q.citeList(d, c, total)
	d.Facts.Count = numbered(len(groups))
	if len(groups) == 0 {
		d.Facts.Count = numbered(0)
		d.Say([]int{first}, "%s", c.sentence(0))
		return q.candidates(ctx, d, c, 0)
	}
	limit := q.fit(len(groups))
	shown := groups[:limit]
	most := have(1, map[bool]string{true: "fewest", false: "most"}[q.Least], "")
	switch {
	case q.Limit == 1 || q.Limit == 0 && q.superlative() || len(groups) == 1 && q.superlative():
		g := groups[0]
		cite := q.citeGroup(ctx, d, g)
		d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: g.kind, ID: g.id, Name: g.name, Count: numbered(g.n)})
		d.Facts.Value = report.Text(g.name)
		ties := tiesOf(groups)
		if ties > 1 {
			d.Say(append(cite, first), "%s has the %s: %s. %s as many.", boldOurs(g.name), most, report.Plural(g.n, "finding", "findings"), others(ties-1))
		} else {
			d.Say(append(cite, first), "%s has the %s %s: %s.", boldOurs(g.name), most, strings.TrimPrefix(c.phrase(2), ""), report.Thousands(g.n))
		}
		if len(groups) > 1 {
			var next []string
			for _, o := range groups[1:min(4, len(groups))] {
				next = append(next, fmt.Sprintf("%s with %s", o.name, report.Thousands(o.n)))
				q.citeGroup(ctx, d, o)
				if q.Limit != 1 {
					d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: o.kind, ID: o.id, Name: o.name, Count: numbered(o.n)})
				}
			}
			d.Say([]int{first}, "Then %s %s.", have(len(next), "comes", "come"), and(next))
			d.Facts.More = len(groups) - len(d.Facts.Items)
		}
	default:
		rest := ""
		if len(groups) > len(shown) {
			rest = fmt.Sprintf(" The first %d of %s, %s:", len(shown), report.Plural(len(groups), one(by), many(by)), map[bool]string{true: "fewest first", false: "most first"}[q.Least])
		}
		sentence := c.sentence(total)
		if rest == "" {
			sentence = strings.TrimSuffix(sentence, ".") + ", by " + one(by) + ":"
		}
		if !additive(by) {
			sentence = fmt.Sprintf("%s of %s:", capital(many(by)), plainBold(c.phrase(2)))
			if rest != "" {
				sentence = strings.TrimSuffix(sentence, ":") + "."
			}
		}
		d.Say([]int{first}, "%s%s", sentence, rest)
		for _, g := range shown {
			d.Item(q.citeGroup(ctx, d, g), "%s: %s", boldOurs(g.name), report.Thousands(g.n))
			d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: g.kind, ID: g.id, Name: g.name, Count: numbered(g.n)})
		}
		d.Facts.More = len(groups) - len(shown)
		if d.Facts.More > 0 {
			d.Say([]int{first}, "And %s more.", report.Thousands(d.Facts.More))
		}
	}
	q.askOn(d, "Which are the most urgent?", "How many of those are overdue?", "What should I fix first?")
	return nil
}

// byHosts says whether weaknesses are ranked by how many hosts have them.
func (q *Asked) byHosts() bool {
	text := strings.ToLower(q.Text)
	return slices.ContainsFunc([]string{"of hosts", "most hosts", "many hosts", "by hosts", "of machines", "most machines", "most servers", "of systems", "most systems", "widespread", "most common", "spread"},
		func(w string) bool { return strings.Contains(text, w) })
}

// widespread ranks weaknesses by how many hosts have them.
func (q *Asked) widespread(d *Draft, c *chosen, groups []grouped) error {
	total := 0
	groups = slices.DeleteFunc(groups, func(g grouped) bool {
		return q.AtLeast != nil && g.hosts < *q.AtLeast || q.AtMost != nil && g.hosts > *q.AtMost
	})
	for _, g := range groups {
		total += g.n
	}
	slices.SortStableFunc(groups, func(a, b grouped) int {
		if q.Least {
			return cmp.Compare(a.hosts, b.hosts)
		}
		return cmp.Compare(b.hosts, a.hosts)
	})
	n := q.citeList(d, c, total)
	d.Facts.Count = numbered(len(groups))
	where := ""
	if q.AtLeast != nil || q.AtMost != nil {
		where = " on " + bounds(q.AtLeast, q.AtMost) + " hosts each"
	}
	if len(groups) == 0 {
		d.Say([]int{n}, "**No** weakness is open%s.", where)
		return nil
	}
	shown := groups[:q.fit(len(groups))]
	d.Say([]int{n}, "%s %s %s open%s; those on most hosts first:", number(len(groups)), have(len(groups), "weakness", "weaknesses"), have(len(groups), "is", "are"), where)
	for _, g := range shown {
		d.Item([]int{d.Cite(weaknessSource(g.id, ""))}, "%s on %s", boldOurs(g.name), report.Plural(g.hosts, "host", "hosts"))
		d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: "cve", ID: g.id, Name: g.name, Count: numbered(g.hosts)})
	}
	if d.Facts.More = len(groups) - len(shown); d.Facts.More > 0 {
		d.Say([]int{n}, "And %s more.", report.Thousands(d.Facts.More))
	}
	q.askOn(d, "Which of those are known to be exploited?", "How do I fix the first one?", "What should I fix first?")
	return nil
}

// countGroups says how many different hosts, products, ports … the findings are about.
func (q *Asked) countGroups(ctx context.Context, d *Draft, c *chosen) error {
	groups, t, err := q.groupsBy(ctx, c, q.GroupBy)
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	groups = slices.DeleteFunc(groups, func(g grouped) bool { return g.id == "" })
	total := 0
	for _, g := range groups {
		total += g.n
	}
	slices.SortStableFunc(groups, func(a, b grouped) int { return cmp.Compare(b.n, a.n) })
	n := q.citeList(d, c, total)
	d.Facts.Count = numbered(len(groups))
	d.Say([]int{n}, "%s %s %s %s.", number(len(groups)), have(len(groups), one(q.GroupBy), many(q.GroupBy)), have(len(groups), "has", "have"), plainBold(c.phrase(2)))
	var names []string
	for _, g := range groups[:min(3, len(groups))] {
		names = append(names, g.name+" with "+report.Thousands(g.n))
		q.citeGroup(ctx, d, g)
	}
	if len(names) > 0 {
		d.Say([]int{n}, "Most: %s.", and(names))
	}
	return nil
}

// boldOurs is a name that was quoted before.
func boldOurs(name string) string { return "**" + name + "**" }

func others(n int) string {
	return map[bool]string{true: "1 other has", false: fmt.Sprintf("%d others have", n)}[n == 1]
}

func tiesOf(groups []grouped) int {
	n := 0
	for _, g := range groups {
		if g.n == groups[0].n {
			n++
		}
	}
	return n
}

// additive says whether every finding is in exactly one group.
func additive(by string) bool { return by != "technique" && by != "cwe" && by != "scanner" }

func orderOf(by string) []string {
	switch by {
	case "severity":
		return []string{"critical", "high", "medium", "low", "info", "unknown"}
	case "decision":
		return []string{"act", "attend", "plan", "track", ""}
	}
	return nil
}

var groupNames = map[string][2]string{"host": {"host", "hosts"}, "site": {"site", "sites"}, "product": {"product", "products"}, "severity": {"severity", "severities"},
	"port": {"port", "ports"}, "cve": {"weakness", "weaknesses"}, "cwe": {"kind of weakness", "kinds of weakness"}, "technique": {"technique", "techniques"},
	"decision": {"decision", "decisions"}, "scanner": {"scanner", "scanners"}, "owner": {"owner", "owners"}, "assignee": {"assignee", "assignees"}, "vendor": {"vendor", "vendors"},
	"year": {"year", "years"}, "remedy": {"action", "actions"}}

func one(by string) string { return cmpOr(groupNames[by][0], by) }

func many(by string) string { return cmpOr(groupNames[by][1], by+"s") }

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// groupsBy counts findings by something.
func (q *Asked) groupsBy(ctx context.Context, c *chosen, by string) ([]grouped, *trouble, error) {
	switch by {
	case "severity", "decision":
		counts, err := q.Desk.AskCounts(ctx, c.req)
		of := map[string]map[string]int{"severity": counts.BySeverity, "decision": counts.ByDecision}[by]
		if c.req.Confirmed {
			return fromMap(by, of), nil, err
		}
	case "host", "site", "product", "cve", "owner", "assignee", "remedy":
		list, err := q.Desk.AskGroups(ctx, c.req, by)
		var out []grouped
		for _, g := range list {
			name := quote(cmpOr(string(g.Action), cmpOr(string(g.Name), string(g.Key))))
			out = append(out, grouped{kind: by, id: string(g.Key), name: cmpOr(name, nobody(by)), n: g.Findings, hosts: g.Hosts})
		}
		return out, nil, err
	case "port", "scanner", "cwe":
		counts, err := q.Desk.AskTally(ctx, c.req, by)
		if by == "cwe" && err == nil && len(counts) == 0 {
			counts, err = q.weaknessesOf(ctx, c)
		}
		return fromMap(by, counts), nil, err
	case "technique":
		return q.groupTechniques(ctx, c)
	case "year", "vendor":
		list, err := q.Desk.AskGroups(ctx, c.req, map[string]string{"year": "cve", "vendor": "remedy"}[by])
		counts := map[string]int{}
		for _, g := range list {
			counts[partOf(by, string(g.Key))] += g.Findings
		}
		return fromMap(by, counts), nil, err
	}
	return q.groupRows(ctx, c, by)
}

// weaknessesOf counts findings by the kinds of weakness that the catalogue gives their CVEs, where no scanner named any.
func (q *Asked) weaknessesOf(ctx context.Context, c *chosen) (map[string]int, error) {
	groups, err := q.Desk.AskGroups(ctx, c.req, "cve")
	counts := map[string]int{}
	for _, g := range groups[:min(len(groups), 2000)] {
		id := finding.Weakness(g.Key).CVE()
		if id == 0 || err != nil {
			continue
		}
		record, _, missing := q.Desk.CVE(ctx, id)
		if missing != nil {
			continue // a CVE that no feed has yet
		}
		for _, w := range record.CWEs {
			counts[w] += g.Findings
		}
	}
	return counts, err
}

// partOf is the year of a weakness, and the vendor of what fixes it.
func partOf(by, key string) string {
	if by == "year" {
		if id := finding.Weakness(key).CVE(); id != 0 {
			return strings.Split(id.String(), "-")[1]
		}
		return "no CVE"
	}
	if parts := strings.Split(key, ":"); len(parts) > 2 {
		return parts[1]
	}
	return ""
}

func nobody(by string) string {
	switch by {
	case "owner", "assignee":
		return "nobody"
	case "remedy":
		return "no remedy is known"
	default:
		return "not known"
	}
}

func fromMap(by string, counts map[string]int) (out []grouped) {
	for key, n := range counts {
		if n > 0 {
			out = append(out, grouped{kind: by, id: key, name: cmpOr(quote(key), nobody(by)), n: n})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].id < out[j].id })
	return out
}

// groupRows counts by what no list groups by, finding by finding: potential ones have no counts of their own.
func (q *Asked) groupRows(ctx context.Context, c *chosen, by string) ([]grouped, *trouble, error) {
	key := map[string]func(finding.Listed) string{
		"severity": func(f finding.Listed) string { return cmpOr(f.Severity, "unknown") },
		"decision": func(f finding.Listed) string { return f.Decision },
	}[by]
	if key == nil {
		return nil, &trouble{because: "findings cannot be counted by " + quote(by),
			instead: "They can be by host, site, product, severity, port, CVE, CWE, technique, decision, scanner, owner or year."}, nil
	}
	counts := map[string]int{}
	err := q.Desk.AskRows(ctx, c.req, func(f finding.Listed) error {
		counts[key(f)]++
		return nil
	})
	return fromMap(by, counts), nil, err
}

// groupTechniques counts by where CVEs lead to, as the matrix does.
func (q *Asked) groupTechniques(ctx context.Context, c *chosen) ([]grouped, *trouble, error) {
	list, err := q.Desk.AskGroups(ctx, c.req, "cve")
	if err != nil {
		return nil, nil, err
	}
	var ids []cve.ID
	for _, g := range list {
		if id := finding.Weakness(g.Key).CVE(); id != 0 {
			ids = append(ids, id)
		}
	}
	leads, err := q.Desk.AskTechniques(ctx, ids)
	counts := map[string]int{}
	for _, g := range list {
		for _, t := range leads[finding.Weakness(g.Key).CVE()] {
			counts[t] += g.Findings
		}
	}
	return fromMap("technique", counts), nil, err
}

// citeGroup cites the record that a group is.
func (q *Asked) citeGroup(ctx context.Context, d *Draft, g grouped) []int {
	switch g.kind {
	case "host":
		if s, ok := q.hostByID(ctx, g.id); ok {
			return []int{d.Cite(s)}
		}
	case "cve":
		return []int{d.Cite(weaknessSource(g.id, ""))}
	case "technique":
		return []int{d.Cite(report.Source{Kind: "technique", ID: g.id, Title: g.id, Text: g.id, URL: "/threats/" + g.id, API: report.Text("/api/v1/techniques/" + g.id)})}
	}
	return nil
}

// weaknessSource cites a CVE, or a scanner's check in its place.
func weaknessSource(id, title string) report.Source {
	if finding.Weakness(id).CVE() == 0 {
		link := "/findings?cve=" + shellURL(id)
		return report.Source{Kind: "list", ID: link, Title: quoted(cmpOr(title, id), 160), Text: cut(id), URL: link}
	}
	return report.Source{Kind: "cve", ID: id, Title: quoted(cmpOr(title, id), 160), Text: cut(id + " " + title), URL: "/catalogue/" + id, API: report.Text("/api/v1/cves/" + id)}
}

func (q *Asked) hostByID(ctx context.Context, id string) (report.Source, bool) {
	all, err := q.Desk.AskHosts(ctx)
	if err != nil {
		return report.Source{}, false
	}
	for i := range all {
		if strconv.FormatInt(all[i].ID, 10) == id || hostCalled(all[i].Host) == id {
			return hostSource(&all[i]), true
		}
	}
	return report.Source{}, false
}

// compareFindings compares how many findings several places have.
func (q *Asked) compareFindings(ctx context.Context, d *Draft, c *chosen) error {
	switch {
	case len(q.sides()) > 1:
		return q.compareSides(ctx, d)
	case len(q.Scans) > 1:
		return q.compareScans(ctx, d)
	case len(q.CVEs) > 1:
		q.GroupBy = "cve"
		return q.groupFindings(ctx, d, c)
	case q.Time != nil:
		return q.changedFindings(ctx, d, c)
	}
	q.GroupBy = cmpOr(q.GroupBy, "severity")
	return q.groupFindings(ctx, d, c)
}
