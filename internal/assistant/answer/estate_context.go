package answer

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// pointed fills in what a question points at: "the second one", "it", "those", of what the answer before listed or of what
// is on the screen. What the reading has filled in already stands.
func (q *Asked) pointed() {
	if !q.Those && q.Ordinal == 0 {
		return
	}
	named := len(q.CVEs)+len(q.Hosts)+len(q.Question.Findings)+len(q.Scans)+len(q.Techniques)+len(q.Products)+len(q.Imports) > 0
	if q.Ordinal != 0 {
		things := q.listed()
		at := q.Ordinal - 1
		if q.Ordinal < 0 {
			at = len(things) + q.Ordinal
		}
		if at >= 0 && at < len(things) {
			q.forget()
			q.take(things[at])
		}
		return
	}
	if named || q.narrowed() {
		return
	}
	things := q.Context.Shown
	if len(things) == 0 && q.Context.About != nil {
		things = []understand.Thing{*q.Context.About}
	}
	things = ofKind(things, thingKinds(q.Subject))
	for _, t := range things[:min(len(things), manyItems)] {
		q.take(t)
	}
}

// settle reads what only the data tells: a list that was asked for as a question for yes or no, and "never scanned".
func (q *Asked) settle() {
	text := strings.ToLower(q.Text)
	begins := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(text, w+" ") })
	}
	if q.Measure == understand.Whether && begins("which", "what", "who", "list", "show", "name", "give") {
		q.Measure = understand.List
	}
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
	}
	if has("mttr", "mean time to", "on average", "average time", "how long do we take", "how long does it take us", "how fast do we", "how quickly do we") && has("fix", "remed", "patch", "clos", "resolv", "mttr") {
		q.Subject, q.Measure, q.Attribute, q.State = understand.Findings, understand.Fact, understand.Duration, ""
		q.Question.Unknown = nil
	}
	if p := q.Time; q.Negated && p != nil && p.From.IsZero() && !p.To.IsZero() && (q.TimeOf == "scanned" || q.TimeOf == "last_seen") {
		q.Negated = false // "not for more than a month": the last time was before that
	}
	if q.Subject == understand.Hosts && q.Negated && q.Time == nil && q.TimeOf == "" && strings.Contains(text, "scanned") {
		q.TimeOf = "scanned"
	}
}

// superlative says whether the one that has most, or least, is asked for.
func (q *Asked) superlative() bool {
	text := " " + strings.ToLower(q.Text) + " "
	return slices.ContainsFunc([]string{" most ", " fewest ", " least ", " worst ", " top ", " highest ", " largest ", " biggest ", " more "}, func(w string) bool { return strings.Contains(text, w) })
}

// listed is what the answer before listed: the records of the kind that most of it was about.
func (q *Asked) listed() []understand.Thing {
	count, best := map[string]int{}, ""
	for _, t := range q.Context.Shown {
		if slices.Contains([]string{"finding", "host", "cve", "scan", "import", "technique"}, t.Kind) {
			if count[t.Kind]++; best == "" || count[t.Kind] > count[best] {
				best = t.Kind
			}
		}
	}
	return ofKind(q.Context.Shown, []string{best})
}

// forget drops the conditions that led to the list of which one thing is meant now.
func (q *Asked) forget() {
	of := q.Question
	q.Question = understand.Question{Text: of.Text, Subject: of.Subject, Measure: of.Measure, Attribute: of.Attribute, Audience: of.Audience, Follows: of.Follows,
		Corrected: of.Corrected, Rest: of.Rest, Understood: of.Understood, Topics: of.Topics, GroupBy: of.GroupBy}
}

// narrowed says whether the reading carried conditions over: they say what "those" are, and better than a list that was cut.
func (q *Asked) narrowed() bool {
	return findingConditions(q) || hostConditions(q) || len(q.Sites)+len(q.Ports)+len(q.Tags)+len(q.Criticality) > 0 || q.Owner != "" || q.Time != nil
}

func thingKinds(s understand.Subject) []string {
	switch s {
	case understand.Hosts, understand.Services, understand.Software:
		return []string{"host"}
	case understand.Scans:
		return []string{"scan"}
	case understand.Imports:
		return []string{"import"}
	case understand.CVEs:
		return []string{"cve"}
	default:
		return []string{"finding", "host", "cve"}
	}
}

// ofKind keeps the things of the first of the kinds of which there are any.
func ofKind(things []understand.Thing, kinds []string) (out []understand.Thing) {
	for _, kind := range kinds {
		for _, t := range things {
			if t.Kind == kind {
				out = append(out, t)
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

// take adds a thing to what is named.
func (q *Asked) take(t understand.Thing) {
	n, err := strconv.ParseInt(t.ID, 10, 64)
	switch t.Kind {
	case "cve":
		if id, err := cve.ParseID(t.ID); err == nil {
			q.CVEs = append(q.CVEs, id)
		}
	case "host":
		if err == nil {
			q.Hosts = append(q.Hosts, understand.HostName{Text: cmpOr(t.Name, t.ID), Kind: "id", ID: n})
		}
	case "finding":
		if err == nil {
			q.Question.Findings = append(q.Question.Findings, n)
			if q.Subject == understand.CVEs || q.Subject == understand.Nothing {
				q.Subject = understand.Findings
			}
		}
	case "scan":
		if err == nil {
			q.Scans = append(q.Scans, n)
		}
	case "import":
		if err == nil {
			q.Imports = append(q.Imports, n)
		}
	case "technique":
		q.Techniques = append(q.Techniques, t.ID)
	}
}

// nothingThere refuses where nothing was ever looked at in the asker's eyes.
func (q *Asked) nothingThere(ctx context.Context, d *Draft) (bool, error) {
	hosts, err := q.Desk.AskHosts(ctx)
	if err != nil || len(hosts) > 0 || q.Subject == understand.Scans || q.Subject == understand.Imports || q.Subject == understand.Sites {
		return false, err
	}
	seen, err := q.Desk.AskSeen(ctx)
	if err != nil {
		return false, err
	}
	because := "nothing was ever scanned or imported that you may see"
	if seen.Scans+seen.Imports > 0 {
		because = "no host is known: " + report.Plural(seen.Scans, "scan", "scans") + " and " + report.Plural(seen.Imports, "import", "imports") + " found none"
	}
	if len(q.Hosts) == 1 && q.Hosts[0].Text != "" {
		because = quote(q.Hosts[0].Text) + " was never scanned: " + because
	}
	d.refuse(nil, because, "Begin with: patchscout scan TARGET, or patchscout import FILE.")
	q.askOn(d, "How do I scan a network?", "How do I import a report?", "Which CVEs are known to be exploited?")
	return true, nil
}

// nearHosts takes names of hosts that are written a little wrong for the one host that is called so but for that. A number in a
// name is never taken for another.
func (q *Asked) nearHosts(ctx context.Context) (taken []string) {
	near := func(text string) string {
		if _, err := netip.ParseAddr(text); err == nil || !strings.Contains(text, ".") {
			return ""
		}
		hosts, err := q.Desk.AskHosts(ctx)
		if err != nil {
			return ""
		}
		if ids, err := q.Desk.HostNamed(ctx, text, ""); err != nil || len(ids) > 0 {
			return ""
		}
		if found := alike(hosts, text); len(found) == 1 && digits(found[0]) == digits(text) {
			return found[0]
		}
		return ""
	}
	for i := range q.Hosts {
		if name := near(q.Hosts[i].Text); name != "" && (q.Hosts[i].Kind == "name" || q.Hosts[i].Kind == "") {
			q.Hosts = slices.Clone(q.Hosts)
			q.Hosts[i] = understand.HostName{Text: name, Kind: "name"}
			taken = append(taken, bold(name))
		}
	}
	left := []string{}
	for _, unknown := range q.Unknown {
		rest, of := strings.CutPrefix(unknown, "host ")
		name := near(rest)
		if !of || name == "" {
			left = append(left, unknown)
			continue
		}
		if !slices.ContainsFunc(q.Hosts, func(h understand.HostName) bool { return h.Text == name }) {
			q.Hosts = append(slices.Clone(q.Hosts), understand.HostName{Text: name, Kind: "name"})
			taken = append(taken, bold(name))
		}
	}
	q.Unknown = left
	return taken
}

func digits(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}

// unknownNames is trouble where something is named that the data does not have. A product that nobody runs is an answer.
func (q *Asked) unknownNames(ctx context.Context) *trouble {
	for _, name := range q.Unknown {
		if cveLike.MatchString(name) {
			return &trouble{because: "the catalogue has no such CVE, and no finding names it", instead: "Check the number.", lookup: cveLike.FindString(name)}
		}
		what, rest, _ := strings.Cut(name, " ")
		switch strings.ToLower(what) {
		case "product", "software", "service":
			if len(q.Products) == 0 {
				q.Products = append(q.Products, understand.ProductName{Text: rest})
			}
			if q.Subject == understand.Hosts || q.Subject == understand.Software || q.Subject == understand.Services {
				continue
			}
			if hosts, err := q.Desk.AskHosts(ctx); err == nil && len(namesOf(hosts, q.Products[0])) == 0 {
				return &trouble{because: "no product " + quote(rest) + " is known, neither on your hosts nor to the catalogue", instead: "Ask which software there is."}
			}
		case "host":
			if q.Subject == understand.Scans || q.Subject == understand.Imports {
				q.Hosts = append(q.Hosts, understand.HostName{Text: rest, Kind: "target"}) // one may have been scanned in vain
				continue
			}
			hosts, err := q.Desk.AskHosts(ctx)
			if err != nil {
				return &trouble{because: "the hosts could not be read"}
			}
			if ids, err := q.Desk.HostNamed(ctx, rest, ""); err == nil && len(ids) > 0 {
				q.Hosts = append(q.Hosts, understand.HostName{Text: rest, Kind: "name"})
				continue
			}
			return q.noHost(hosts, rest)
		case "site":
			return &trouble{because: "there is no site " + quote(rest), instead: "Ask: which sites are there?"}
		default:
			return &trouble{because: "nothing here is called " + quote(name), instead: "Ask without it, or with a name as lists have it."}
		}
	}
	return nil
}

// unknownCVEs is trouble where a CVE is named that neither the catalogue nor any finding has: "no findings of it are open"
// would sound as if there were such a one. Whether one is affected is answered for each.
func (q *Asked) unknownCVEs(ctx context.Context) (*trouble, error) {
	if len(q.CVEs) == 0 || q.Measure == understand.Whether && q.onlyNamesCVEs() {
		return nil, nil //nolint:nilnil // no trouble
	}
	var ids []cve.ID
	for _, id := range q.CVEs {
		switch _, _, err := q.Desk.CVE(ctx, id); {
		case err == nil:
		case notFound(err):
			ids = append(ids, id)
		default:
			return nil, err
		}
	}
	for _, id := range ids {
		counts, err := q.Desk.AskCounts(ctx, request.AskFindings{Findings: request.Findings{Weakness: id.String(), State: "all", Hidden: true}})
		if err != nil {
			return nil, err
		}
		if counts.Total == 0 {
			return &trouble{lookup: id.String()}, nil
		}
	}
	return nil, nil //nolint:nilnil // no trouble
}

// date says how old the data is that an answer rests on.
func (q *Asked) date(ctx context.Context, d *Draft) error {
	hosts, err := q.Desk.AskHosts(ctx)
	if err != nil {
		return err
	}
	var last *report.AskHost
	ids := map[string]bool{}
	for _, s := range d.Sources {
		if s.Kind == "host" {
			ids[s.ID] = true
		}
	}
	for i := range hosts {
		h := &hosts[i]
		if (len(q.Hosts) == 0 || ids[strconv.FormatInt(h.ID, 10)]) && (len(q.Sites) == 0 || slices.ContainsFunc(q.Sites, func(s string) bool { return strings.EqualFold(s, h.Site) })) &&
			(last == nil || h.LastSeen.After(last.LastSeen)) {
			last = h
		}
	}
	age := report.DataAge{Name: "hosts", Note: "nothing was ever seen"}
	if last != nil {
		at, hours := last.LastSeen, q.Now.Sub(last.LastSeen).Hours()
		age = report.DataAge{Name: "hosts", At: &at, AgeHours: &hours, Stale: hours > oldHours, Note: report.Text("last seen " + q.moment(at))}
		if age.Stale && !d.Refused && len(d.Lines) > 0 && (q.Subject == understand.Findings || q.Subject == understand.Hosts || q.Subject == understand.CVEs) {
			d.Say(nil, "What this rests on was last seen %s: a scan would bring it up to date.", q.ago(at))
		}
	}
	d.Data = append(d.Data, age)
	return q.feedAges(ctx, d)
}

// oldHours is after how long what was seen of hosts is called old.
const oldHours = 30 * 24

// feedAges adds the ages of the feeds that ratings rest on, where the answer speaks of any.
func (q *Asked) feedAges(ctx context.Context, d *Draft) error {
	rated := slices.Contains([]understand.Subject{understand.Findings, understand.Fixes, understand.Paths, understand.CVEs}, q.Subject) || findingConditions(q)
	if !rated {
		return nil
	}
	status, err := q.Desk.FeedStatus(ctx)
	if err != nil {
		return err
	}
	for _, f := range status.Feeds {
		if f.Feed != "kev" && f.Feed != "epss" {
			continue
		}
		age := report.DataAge{Name: f.Feed, At: f.LastGood, AgeHours: f.AgeHours, Stale: f.Stale || f.AgeHours == nil && f.Records == 0}
		if f.AgeHours == nil && f.Records == 0 {
			age.Note = "never loaded"
			if f.Feed == "kev" || q.MinEPSS != nil || q.MaxEPSS != nil {
				d.Missing = append(d.Missing, "the feed "+f.Feed+" was never loaded")
			}
		}
		d.Data = append(d.Data, age)
	}
	return nil
}
