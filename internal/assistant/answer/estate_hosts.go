package answer

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/report"
)

// hostsAsked are the hosts of a question, what they are called in it, and whether a page of the product lists just them.
type hostsAsked struct {
	hosts   []report.AskHost
	words   []string // "in site dmz", "that run nginx"
	looked  int      // of how many hosts that was asked
	unknown int      // hosts that run a product in a version that is not known
	counts  map[int64]int
	about   string // what is counted: "critical findings"
	link    string
}

// findingConditions says whether a question narrows hosts by what was found on them.
func findingConditions(q *Asked) bool {
	return len(q.CVEs)+len(q.CWEs)+len(q.Techniques)+len(q.Severities)+len(q.Decisions)+len(q.Triage)+len(q.Labels)+len(q.Question.Findings) > 0 || q.KEV != nil ||
		q.Exploited != nil || q.Exploit != "" || q.Ransomware != nil || q.MinCVSS != nil || q.MaxCVSS != nil || q.MinEPSS != nil || q.MaxEPSS != nil ||
		q.State != "" && q.State != "all" || q.Overdue || q.DueWithin != nil || q.Potential || len(q.Titled) > 0 || q.Fixable != nil || q.Assignee != "" || q.Scanner != "" || len(q.Scans) > 0 || q.Sort != "" && q.Measure == understand.Group
}

// hosts reads which hosts a question is about.
func (q *Asked) hosts(ctx context.Context) (*hostsAsked, *trouble, error) {
	base, words, t, err := q.hostsMeant(ctx)
	if t != nil || err != nil {
		return nil, t, err
	}
	out := &hostsAsked{hosts: base, words: words, looked: len(base), link: q.hostsLink()}
	var keeps []func(*report.AskHost) bool
	not := map[bool]string{true: "do not run", false: "run"}[q.Negated]
	if len(q.Products) > 0 {
		out.link = ""
		var names []string
		for _, p := range q.Products {
			names = append(names, bold(productWords(p)))
		}
		out.words = append(out.words, "that "+not+" "+q.joined(names))
		keeps = append(keeps, func(h *report.AskHost) bool {
			sure, maybe := false, false
			for _, p := range q.Products {
				for _, s := range runs(h, p) {
					sure, maybe = sure || s.match == 1, maybe || s.match == -1
				}
			}
			if q.Both && !q.Negated {
				sure = !slices.ContainsFunc(q.Products, func(p understand.ProductName) bool {
					return !slices.ContainsFunc(runs(h, p), func(s placed) bool { return s.match == 1 })
				})
			}
			if !sure && maybe {
				out.unknown++
			}
			return sure
		})
	}
	if len(q.Ports) > 0 {
		out.link = ""
		out.words = append(out.words, map[bool]string{true: "that do not answer at ", false: "that answer at "}[q.Negated]+q.allPorts())
		keeps = append(keeps, func(h *report.AskHost) bool {
			if q.Both {
				return !slices.ContainsFunc(q.Ports, func(p understand.Port) bool { return len(servicesAt(h, []understand.Port{p})) == 0 })
			}
			return len(servicesAt(h, q.Ports)) > 0
		})
	}
	if q.Time != nil || q.TimeOf == "scanned" {
		keep, word, t := q.hostTime()
		if t != nil {
			return nil, t, nil
		}
		out.link = ""
		out.words = append(out.words, word)
		keeps = append(keeps, keep)
	}
	if findingConditions(q) {
		plain := *q
		plain.Products, plain.Ports, plain.Time, plain.TimeOf, plain.Negated, plain.Sort = nil, nil, nil, "", false, ""
		c, t, err := plain.findings(ctx)
		if t != nil || err != nil {
			return nil, t, err
		}
		groups, err := q.Desk.AskGroups(ctx, c.req, "host")
		if err != nil {
			return nil, nil, err
		}
		out.counts = map[int64]int{}
		for _, g := range groups {
			if id, err := strconv.ParseInt(string(g.Key), 10, 64); err == nil {
				out.counts[id] = g.Findings
			}
		}
		bare := *c
		bare.where = nil
		out.about, out.link = bare.phrase(2), ""
		if q.AtLeast == nil && q.AtMost == nil {
			out.words = append(out.words, map[bool]string{true: "without ", false: "with "}[q.Negated]+out.about)
			keeps = append(keeps, func(h *report.AskHost) bool { return out.counts[h.ID] > 0 })
		}
	}
	if q.AtLeast != nil || q.AtMost != nil {
		if out.counts == nil {
			out.counts, out.about = map[int64]int{}, "open findings"
			for i := range base {
				out.counts[base[i].ID] = openOf(&base[i])
			}
		}
		out.link = ""
		out.words = append(out.words, "with "+bounds(q.AtLeast, q.AtMost)+" "+out.about)
		keeps = append(keeps, func(h *report.AskHost) bool {
			n := out.counts[h.ID]
			return (q.AtLeast == nil || n >= *q.AtLeast) && (q.AtMost == nil || n <= *q.AtMost)
		})
	}
	if q.Negated && len(keeps) == 0 {
		return nil, &trouble{because: "I cannot tell what \"not\" belongs to in this question", instead: "Ask, for instance: which hosts do not run nginx?"}, nil
	}
	left := []report.AskHost{}
	for i := range base {
		h := &base[i]
		all := true
		for _, keep := range keeps {
			all = keep(h) && all
		}
		if all != (q.Negated && len(keeps) > 0) {
			left = append(left, *h)
		}
	}
	out.hosts = left
	return out, nil, nil
}

// bounds says how many are asked for.
func bounds(least, most *int) string {
	switch {
	case least != nil && most != nil && *least == *most:
		return "exactly " + report.Thousands(*least)
	case least != nil && most != nil:
		return report.Thousands(*least) + " to " + report.Thousands(*most)
	case least != nil:
		return report.Thousands(*least) + " or more"
	case *most == 0:
		return "no"
	default:
		return "at most " + report.Thousands(*most)
	}
}

// hostTime narrows hosts by when they were seen or looked at.
func (q *Asked) hostTime() (keep func(*report.AskHost) bool, words string, t *trouble) {
	within := func(at time.Time) bool {
		p := q.Time
		return p == nil || !at.IsZero() && (p.From.IsZero() || !at.Before(p.From)) && (p.To.IsZero() || at.Before(p.To))
	}
	not := map[bool]string{true: "not ", false: ""}[q.Negated]
	period := ""
	if q.Time != nil {
		period = " " + since(q.Time)
	}
	switch q.TimeOf {
	case "scanned":
		if q.Time == nil {
			return func(h *report.AskHost) bool { return !h.Looked.IsZero() }, map[bool]string{true: "that were never scanned", false: "that were scanned"}[q.Negated], nil
		}
		return func(h *report.AskHost) bool { return within(h.Looked) }, "that were " + not + "scanned" + period, nil
	case "last_seen", "":
		return func(h *report.AskHost) bool { return within(h.LastSeen) }, "that were " + not + "last seen" + period, nil
	case "first_seen":
		return func(h *report.AskHost) bool { return within(h.FirstSeen) }, "that were " + not + "first seen" + period, nil
	}
	return nil, "", &trouble{because: "hosts have no time of the kind " + quote(q.TimeOf), instead: "Ask by when they were first seen, last seen or scanned."}
}

func portWords(ports []understand.Port) string {
	var words []string
	for _, p := range ports {
		text := strconv.Itoa(int(p.From))
		if p.To > p.From {
			text += "-" + strconv.Itoa(int(p.To))
		}
		if p.Protocol != "" {
			text += "/" + p.Protocol
		}
		words = append(words, text)
	}
	return have(len(words), "port ", "ports ") + or(words)
}

// servicesAt is what answers at ports of a host.
func servicesAt(h *report.AskHost, ports []understand.Port) (out []*report.Service) {
	for i := range h.Services {
		s := &h.Services[i]
		if len(ports) == 0 || slices.ContainsFunc(ports, func(p understand.Port) bool {
			return s.Port >= p.From && s.Port <= max(p.From, p.To) && (p.Protocol == "" || p.Protocol == s.Protocol)
		}) {
			out = append(out, s)
		}
	}
	return out
}

// hostsLink is the page that lists the hosts of the question's words on them, "" where no page does.
func (q *Asked) hostsLink() string {
	search := url.Values{}
	switch {
	case len(q.systems()) > 0 || len(q.Owners) > 1 || q.Exposed != nil || q.Status != "" || len(q.Sites) > 1 || len(q.Tags) > 1 || len(q.Criticality) > 1 || len(q.Hosts) > 1 || q.Owner == "nobody":
		return ""
	case len(q.Hosts) == 1 && (q.Hosts[0].Kind != "address" && q.Hosts[0].Kind != "name"):
		return ""
	case len(q.Hosts) == 1:
		search.Set("q", q.Hosts[0].Text)
	}
	search.Set("owner", q.Owner)
	for key, list := range map[string][]string{"site": q.Sites, "tag": q.Tags, "criticality": q.Criticality} {
		if len(list) == 1 {
			search.Set(key, list[0])
		}
	}
	if q.Jewels {
		if search.Get("tag") != "" {
			return ""
		}
		search.Set("tag", "jewel")
	}
	return page("/assets", search)
}

// sentence counts the hosts: "**3** hosts in site dmz run nginx."
func (h *hostsAsked) sentence(n int) string {
	words := strings.Join(h.words, " ")
	words = strings.ReplaceAll(words, "on hosts ", "")
	if n == 1 {
		words = strings.NewReplacer("that run ", "that runs ", "that answer ", "that answers ", "that do not ", "that does not ", "that were ", "that was ", "that are ", "that is ").Replace(words)
	}
	if words == "" {
		return number(n) + " " + have(n, "host is", "hosts are") + " known."
	}
	if strings.HasPrefix(words, "in ") || strings.HasPrefix(words, "on ") {
		return number(n) + " " + have(n, "host", "hosts") + " " + have(n, "is", "are") + " known " + words + "."
	}
	if last, ok := strings.CutPrefix(words, "that "); ok && !strings.Contains(last, " that ") {
		verb, rest, _ := strings.Cut(last, " ")
		return number(n) + " " + have(n, "host", "hosts") + " " + verb + " " + rest + "."
	}
	return number(n) + " " + have(n, "host", "hosts") + " " + words + " " + have(n, "is", "are") + " known."
}

func (q *Asked) citeHosts(d *Draft, h *hostsAsked, n int) int {
	link := cmpOr(h.link, "/assets")
	d.Link = h.link
	if h.link != "" {
		d.Command = assetsCommand(h.link)
	}
	title := "Hosts " + plainBold(strings.ReplaceAll(strings.Join(h.words, " "), "on hosts ", ""))
	return d.Cite(report.Source{Kind: "list", ID: link, Title: quoted(strings.TrimSpace(title), 160), Text: cut(plainBold(h.sentence(n))), URL: link, API: report.Text("/api/v1" + link)})
}

// assetsCommand is the command of a page of hosts.
func assetsCommand(link string) string {
	_, query, _ := strings.Cut(link, "?")
	search, err := url.ParseQuery(query)
	if err != nil {
		return ""
	}
	words := []string{"patchscout assets list"}
	for _, key := range []string{"q", "site", "owner", "tag", "criticality"} {
		if v := search.Get(key); v != "" {
			words = append(words, "--"+map[string]string{"q": "search"}[key]+map[bool]string{true: "", false: key}[key == "q"]+" "+shell(v))
		}
	}
	return strings.Join(words, " ")
}

// ofHosts answers what is asked about hosts.
func (q *Asked) ofHosts(ctx context.Context, d *Draft) error {
	switch {
	case q.Measure == understand.Compare && len(q.sides()) > 1:
		return q.compareSides(ctx, d)
	case q.Measure == understand.Overview:
		return q.overview(ctx, d)
	case len(q.Triage) > 0 && (q.Measure == understand.Why || q.Attribute == understand.TriageOf):
		q.Subject = understand.Findings
		return q.ofFindings(ctx, d)
	case q.Measure == understand.Change && len(q.Hosts) > 0:
		q.Subject = understand.Findings
		return q.ofFindings(ctx, d)
	}
	if single := len(q.Hosts) == 1 && (q.Hosts[0].Kind == "address" || q.Hosts[0].Kind == "name" || q.Hosts[0].Kind == "id" || q.Hosts[0].Kind == ""); single {
		switch {
		case len(q.CVEs) > 0 && q.Measure != understand.Count && q.Measure != understand.List:
			return q.affected(ctx, d)
		case q.Measure == understand.Fact, q.Measure == understand.Explain, q.Measure == understand.Why, q.Measure == understand.List && !findingConditions(q) && len(q.Products)+len(q.Ports) == 0:
			return q.oneHost(ctx, d)
		case q.Measure == understand.Whether:
			return q.whetherHost(ctx, d)
		}
	}
	h, t, err := q.hosts(ctx)
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	switch q.Measure {
	case understand.Group, understand.First, understand.Compare:
		return q.groupHosts(ctx, d, h)
	case understand.Whether:
		d.Facts.Yes = truth(len(h.hosts) > 0)
		q.listHosts(d, h, map[bool]string{true: "Yes: ", false: "No: "}[len(h.hosts) > 0])
	case understand.Count:
		n := q.citeHosts(d, h, len(h.hosts))
		d.Facts.Count = numbered(len(h.hosts))
		if q.Share {
			if done, err := q.shareOfHosts(ctx, d, h, n); done || err != nil {
				return err
			}
		}
		d.Say([]int{n}, "%s", h.sentence(len(h.hosts)))
		q.versionsNotKnown(d, h)
		if err := q.portsOfFindings(ctx, d, h); err != nil {
			return err
		}
		for i := range h.hosts[:min(3, len(h.hosts))] {
			d.Cite(hostSource(&h.hosts[i]))
		}
	case understand.Fact:
		return q.factOfHosts(d, h)
	case understand.Change:
		if q.Time != nil && q.TimeOf == "" {
			q.TimeOf = "first_seen"
			if h, t, err = q.hosts(ctx); err != nil || t != nil {
				return q.cannot(d, t, err)
			}
		}
		q.listHosts(d, h, "")
	case understand.Trend, understand.Suppose, understand.How:
		d.refuse(nil, "how the number of hosts develops is not kept", "Ask which hosts were first seen since a day.")
	default:
		q.listHosts(d, h, "")
	}
	q.askOn(d, "Which of those have critical findings?", "Which host is the worst?", "What should I fix first?")
	return nil
}

func (q *Asked) versionsNotKnown(d *Draft, h *hostsAsked) {
	if h.unknown > 0 {
		d.Say(nil, "%s more %s it in a version that is not known.", report.Plural(h.unknown, "host", "hosts"), have(h.unknown, "runs", "run"))
	}
}

// sorted are the hosts in the order that was asked for: by default those with most of what was counted, then the most urgent.
func (q *Asked) sorted(h *hostsAsked) []report.AskHost {
	list := slices.Clone(h.hosts)
	switch {
	case h.counts != nil && !q.Negated:
		slices.SortStableFunc(list, func(a, b report.AskHost) int { return cmp.Compare(h.counts[b.ID], h.counts[a.ID]) })
	case strings.HasPrefix(q.Sort, "last_seen"):
		slices.SortStableFunc(list, func(a, b report.AskHost) int { return b.LastSeen.Compare(a.LastSeen) })
	case strings.HasPrefix(q.Sort, "first_seen"):
		slices.SortStableFunc(list, func(a, b report.AskHost) int { return b.FirstSeen.Compare(a.FirstSeen) })
	}
	if q.Least {
		slices.Reverse(list)
	}
	return list
}

func (q *Asked) listHosts(d *Draft, h *hostsAsked, lead string) {
	list := q.sorted(h)
	n := q.citeHosts(d, h, len(list))
	d.Facts.Count = numbered(len(list))
	sentence := h.sentence(len(list))
	if lead != "" {
		sentence = lead + lowerNo(sentence)
	}
	shown := list[:q.fit(len(list))]
	switch {
	case len(list) == 0:
		if len(q.Products) > 0 && !q.Negated {
			sentence = strings.TrimSuffix(sentence, ".") + fmt.Sprintf("; %s looked at.", report.Plural(h.looked, "host was", "hosts were"))
		}
		d.Say([]int{n}, "%s", sentence)
	case len(shown) < len(list):
		d.Say([]int{n}, "%s The first %d of %s:", sentence, len(shown), report.Thousands(len(list)))
	default:
		d.Say([]int{n}, "%s", strings.TrimSuffix(sentence, ".")+":")
	}
	for i := range shown {
		one := &shown[i]
		count := h.counts[one.ID]
		figure := report.Figure{Kind: "host", ID: strconv.FormatInt(one.ID, 10), Name: quote(hostCalled(one.Host))}
		if h.counts != nil && !q.Negated {
			figure.Count = numbered(count)
		}
		d.Facts.Items = append(d.Facts.Items, figure)
		d.Item([]int{d.Cite(hostSource(one))}, "%s", q.hostItem(one, h))
	}
	if d.Facts.More = len(list) - len(shown); d.Facts.More > 0 {
		d.Say([]int{n}, "And %s more.", report.Thousands(d.Facts.More))
	}
	q.versionsNotKnown(d, h)
}

// lowerNo lowers the word behind "No:".
func lowerNo(s string) string {
	if rest, no := strings.CutPrefix(s, "**No**"); no {
		return "no" + rest
	}
	return s
}

// hostItem is a host as an item of a list, with what was asked of it.
func (q *Asked) hostItem(one *report.AskHost, h *hostsAsked) string {
	var parts []string
	if len(one.Hostnames) > 0 && one.Address != "" {
		parts = append(parts, quote(one.Hostnames[0]))
	}
	if one.OS != "" {
		parts = append(parts, quoted(string(one.OS), 60))
	}
	for _, p := range q.Products {
		if q.Negated {
			break
		}
		for _, s := range runs(one, p) {
			if s.match == 1 && len(parts) < 5 {
				parts = append(parts, strings.TrimSpace(quoted(s.name, 60)+" "+quote(s.version))+" at "+s.where())
			}
		}
	}
	if len(q.Ports) > 0 && !q.Negated {
		for _, s := range servicesAt(one, q.Ports) {
			if len(parts) < 5 {
				parts = append(parts, fmt.Sprintf("%d/%s %s", s.Port, s.Protocol, quoted(strings.TrimSpace(cmpOr(string(s.Product), string(s.Service))+" "+string(s.Version)), 60)))
			}
		}
	}
	switch {
	case q.TimeOf == "scanned" && one.Looked.IsZero():
		parts = append(parts, "never scanned")
	case q.TimeOf == "scanned":
		parts = append(parts, "last looked at "+day(one.Looked))
	case q.Time != nil || strings.HasPrefix(q.Sort, "last_seen"):
		parts = append(parts, "last seen "+day(one.LastSeen))
	}
	if h.counts != nil && !q.Negated {
		parts = append(parts, report.Plural(h.counts[one.ID], "finding", "findings"))
	} else if n := openOf(one); n > 0 {
		parts = append(parts, report.Plural(n, "open finding", "open findings"))
	}
	return bold(hostCalled(one.Host)) + " in site " + quote(one.Site) + ": " + cmpOr(strings.Join(parts, ", "), "no open findings")
}

// groupHosts counts hosts by something, or says which has most findings.
func (q *Asked) groupHosts(ctx context.Context, d *Draft, h *hostsAsked) error {
	by := cmpOr(q.GroupBy, "host")
	key := map[string]func(*report.AskHost) []string{
		"site":        func(o *report.AskHost) []string { return []string{o.Site} },
		"owner":       func(o *report.AskHost) []string { return []string{cmpOr(string(o.Owner), "nobody")} },
		"os":          func(o *report.AskHost) []string { return []string{cmpOr(string(o.OS), "not known")} },
		"criticality": func(o *report.AskHost) []string { return []string{cmpOr(string(o.Criticality), "not set")} },
		"tag":         func(o *report.AskHost) []string { return o.Tags },
		"status":      func(o *report.AskHost) []string { return []string{o.Status} },
		"port": func(o *report.AskHost) (out []string) {
			for _, s := range o.Services {
				out = append(out, fmt.Sprintf("%d/%s", s.Port, s.Protocol))
			}
			return out
		},
		"product": func(o *report.AskHost) (out []string) {
			for _, s := range o.Services {
				if s.Product != "" && !slices.Contains(out, string(s.Product)) {
					out = append(out, string(s.Product))
				}
			}
			return out
		},
	}[by]
	if by == "host" {
		return q.worstHosts(ctx, d, h)
	}
	if slices.Contains([]string{"cve", "cwe", "technique", "severity", "decision", "scanner", "year", "vendor", "assignee", "remedy"}, by) {
		q.Subject = understand.Findings
		return q.ofFindings(ctx, d)
	}
	if key == nil {
		d.refuse(nil, "hosts cannot be counted by "+quote(by), "They can be by site, owner, operating system, criticality, tag, status, port or product.")
		return nil
	}
	counts := map[string]int{}
	for i := range h.hosts {
		for _, k := range key(&h.hosts[i]) {
			counts[k]++
		}
	}
	groups := fromMap(by, counts)
	q.sayGroups(d, groups, q.citeHosts(d, h, len(h.hosts)), strings.TrimSuffix(h.sentence(len(h.hosts)), "."), "host", "hosts")
	return nil
}

// sayGroups lists groups, the largest first, or names the one that has most.
func (q *Asked) sayGroups(d *Draft, groups []grouped, cite int, sentence, one1, many1 string) {
	slices.SortStableFunc(groups, func(a, b grouped) int {
		if q.Least {
			return cmp.Compare(a.n, b.n)
		}
		return cmp.Compare(b.n, a.n)
	})
	d.Facts.Count = numbered(len(groups))
	if len(groups) == 0 {
		d.Say([]int{cite}, "%s.", sentence)
		return
	}
	if q.Limit == 1 {
		g := groups[0]
		d.Facts.Value = report.Text(g.name)
		d.Facts.Items = []report.Figure{{Kind: g.kind, ID: g.id, Name: g.name, Count: numbered(g.n)}}
		d.Say([]int{cite}, "%s has the %s: %s.", boldOurs(g.name), map[bool]string{true: "fewest", false: "most"}[q.Least], report.Plural(g.n, one1, many1))
		return
	}
	shown := groups[:q.fit(len(groups))]
	d.Say([]int{cite}, "%s, by %s:", sentence, one(groups[0].kind))
	for _, g := range shown {
		d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: g.kind, ID: g.id, Name: g.name, Count: numbered(g.n)})
		d.Item([]int{cite}, "%s: %s", boldOurs(g.name), report.Thousands(g.n))
	}
	if d.Facts.More = len(groups) - len(shown); d.Facts.More > 0 {
		d.Say([]int{cite}, "And %s more.", report.Thousands(d.Facts.More))
	}
}

// worstHosts ranks hosts: by what was counted, else by how urgent their findings are.
func (q *Asked) worstHosts(ctx context.Context, d *Draft, h *hostsAsked) error {
	if h.counts != nil && !q.Negated || q.Least {
		list := slices.Clone(h.hosts)
		of := func(o *report.AskHost) int { return openOf(o) }
		if h.counts != nil {
			of = func(o *report.AskHost) int { return h.counts[o.ID] }
		}
		slices.SortStableFunc(list, func(a, b report.AskHost) int {
			if q.Least {
				return cmp.Compare(of(&a), of(&b))
			}
			return cmp.Compare(of(&b), of(&a))
		})
		h.hosts = list
	}
	if len(h.hosts) == 0 {
		q.listHosts(d, h, "")
		return nil
	}
	limit := max(1, min(q.limit(), len(h.hosts)))
	n := q.citeHosts(d, h, len(h.hosts))
	worst := &h.hosts[0]
	cites := []int{d.Cite(hostSource(worst)), n}
	d.Facts.Count, d.Facts.Value = numbered(len(h.hosts)), report.Text(quote(hostCalled(worst.Host)))
	if h.counts != nil {
		d.Say(cites, "%s has the %s %s: **%s**.", bold(hostCalled(worst.Host)), map[bool]string{true: "fewest", false: "most"}[q.Least], h.about, report.Thousands(h.counts[worst.ID]))
	} else {
		d.Say(cites, "%s is the %s: %s.", bold(hostCalled(worst.Host)), map[bool]string{true: "least urgent", false: "most urgent"}[q.Least], worstWords(worst))
	}
	d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: "host", ID: strconv.FormatInt(worst.ID, 10), Name: quote(hostCalled(worst.Host)), Count: numbered(countOf(h, worst))})
	if q.Limit == 1 {
		limit = min(3, len(h.hosts))
	}
	for i := range h.hosts[1:limit] {
		one := &h.hosts[1+i]
		d.Item([]int{d.Cite(hostSource(one))}, "%s: %s", bold(hostCalled(one.Host)), worstWords(one))
		if q.Limit != 1 {
			d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: "host", ID: strconv.FormatInt(one.ID, 10), Name: quote(hostCalled(one.Host)), Count: numbered(countOf(h, one))})
		}
	}
	d.Facts.More = len(h.hosts) - limit
	q.askOn(d, "What should I fix first there?", "How would an attacker reach it?", "Who owns it?")
	return nil
}

func countOf(h *hostsAsked, one *report.AskHost) int {
	if h.counts != nil {
		return h.counts[one.ID]
	}
	return openOf(one)
}

func worstWords(h *report.AskHost) string {
	var parts []string
	for _, s := range []struct {
		n    int
		word string
	}{{h.Findings.Critical, "critical"}, {h.Findings.High, "high"}, {h.Findings.Medium, "medium"}, {h.Findings.Low, "low"}} {
		if s.n > 0 {
			parts = append(parts, report.Thousands(s.n)+" "+s.word)
		}
	}
	text := report.Plural(openOf(h), "open finding", "open findings")
	if len(parts) > 0 {
		text += " (" + strings.Join(parts, ", ") + ")"
	}
	if h.Decision != "" {
		text += ", the most urgent is " + string(h.Decision)
	}
	if h.KEV != nil && *h.KEV > 0 {
		text += fmt.Sprintf(", %s known to be exploited", report.Thousands(*h.KEV))
	}
	return text
}

// factOfHosts answers one attribute of several hosts.
func (q *Asked) factOfHosts(d *Draft, h *hostsAsked) error {
	n := q.citeHosts(d, h, len(h.hosts))
	d.Facts.Count = numbered(len(h.hosts))
	if len(h.hosts) == 0 {
		d.Say([]int{n}, "%s", h.sentence(0))
		return nil
	}
	shown := h.hosts[:q.fit(len(h.hosts))]
	d.Say([]int{n}, "%s", strings.TrimSuffix(h.sentence(len(h.hosts)), ".")+":")
	for i := range shown {
		one := &shown[i]
		text, value := q.hostFact(one)
		d.Item([]int{d.Cite(hostSource(one))}, "%s", text)
		d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: "host", ID: strconv.FormatInt(one.ID, 10), Name: quote(hostCalled(one.Host)), Value: report.Text(value)})
	}
	if d.Facts.More = len(h.hosts) - len(shown); d.Facts.More > 0 {
		d.Say([]int{n}, "And %s more.", report.Thousands(d.Facts.More))
	}
	return nil
}

// joined is names as the question wants them: one of them, or all.
func (q *Asked) joined(names []string) string {
	if q.Both && !q.Negated {
		return and(names)
	}
	return or(names)
}

// allPorts are the ports of the question in words.
func (q *Asked) allPorts() string {
	if words := portWords(q.Ports); !q.Both || q.Negated {
		return words
	}
	return strings.ReplaceAll(portWords(q.Ports), " or ", " and ")
}
