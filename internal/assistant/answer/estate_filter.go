package answer

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
	"github.com/patchscout/patchscout/internal/version"
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

// runs narrows to what a scan or import saw; the last one is found out.
func (c *chosen) runs(ctx context.Context, q *Asked) (*trouble, error) {
	numbers, kind := append(slices.Clone(q.Scans), q.Imports...), "scan"
	if len(q.Scans) == 0 {
		kind = "import"
	}
	if len(numbers) == 0 || q.Measure == understand.Compare || q.Measure == understand.Change {
		return nil, nil
	}
	if len(numbers) > 1 {
		return &trouble{because: "findings are listed for one scan or import at a time", instead: "Ask for one, or compare two scans."}, nil
	}
	id := numbers[0]
	if id < 0 {
		list, _, err := q.Desk.ScanStatuses(ctx, request.Scans{Kind: kind, Status: "completed", Limit: int(min(-id, 50))})
		if err != nil {
			return nil, err
		}
		if int64(len(list)) < -id {
			return &trouble{because: "there is no such completed " + kind, instead: "Ask: when was the last scan?"}, nil
		}
		id = list[-id-1].ScanID
	}
	if _, err := q.Desk.ScanStatus(ctx, id); err != nil {
		if notFound(err) {
			return &trouble{because: fmt.Sprintf("there is no %s %d", kind, id), instead: "Ask which scans there are."}, nil
		}
		return nil, err
	}
	c.req.Scan = id
	c.where = append(c.where, fmt.Sprintf("in %s **%d**", kind, id))
	return nil, nil
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

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func dayOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

// since says a period in words.
func since(p *understand.Period) string {
	switch {
	case strings.HasPrefix(p.Words, "the last ") || strings.HasPrefix(p.Words, "the past ") || strings.HasPrefix(p.Words, "the next "):
		return "in " + quote(p.Words)
	case p.Words != "":
		return quote(p.Words)
	case p.From.IsZero():
		return "before " + day(p.To)
	case p.To.IsZero():
		return "since " + day(p.From)
	default:
		return "from " + day(p.From) + " to " + day(p.To)
	}
}

// times reads a period; which time it narrows depends on the state where nobody said.
func (c *chosen) times(q *Asked) *trouble {
	if p := q.DueWithin; p != nil {
		c.req.DueBefore = stamp(p.To)
		if !p.From.IsZero() && !q.Overdue {
			c.req.Further.DueAfter, c.exact = p.From.UTC().Truncate(24*time.Hour), false
		}
		c.behind = append(c.behind, "due "+since(p))
	}
	p := q.Time
	if p == nil {
		return nil
	}
	of := q.TimeOf
	if of == "" {
		of = map[string]string{"fixed": "fixed", "closed": "fixed", "reopened": "returned"}[q.State]
	}
	if of == "scanned" {
		of = "last_seen"
	}
	switch of {
	case "", "first_seen":
		c.req.FirstSeenAfter, c.req.FirstSeenBefore = stamp(p.From), stamp(p.To)
		c.behind = append(c.behind, "first seen "+since(p))
	case "last_seen":
		c.req.LastSeenAfter, c.req.LastSeenBefore = stamp(p.From), stamp(p.To)
		c.behind = append(c.behind, "last seen "+since(p))
	case "fixed", "closed":
		if c.req.State == "" {
			c.req.State, c.state = "fixed", "fixed"
		}
		c.req.ClosedAfter = stamp(p.From)
		if !p.To.IsZero() && p.To.Before(q.Now) {
			c.req.Further.ClosedBefore, c.exact = p.To, false
		}
		c.state += " " + since(p)
	case "returned", "reopened":
		c.req.ReturnedAfter = stamp(p.From)
		if !p.To.IsZero() && p.To.Before(q.Now) {
			c.req.Further.ReturnedBefore, c.exact = p.To, false
		}
		c.state += " " + since(p)
	case "due":
		c.req.DueBefore = stamp(p.To)
		if !p.From.IsZero() {
			c.req.Further.DueAfter, c.exact = p.From.UTC().Truncate(24*time.Hour), false
		}
		c.behind = append(c.behind, "due "+since(p))
	case "published":
		c.about.PublishedFrom, c.about.PublishedTo, c.narrows = dayOf(p.From), dayOf(p.To), true
		c.behind = append(c.behind, "whose CVEs were published "+since(p))
	case "modified":
		c.about.ModifiedFrom, c.about.ModifiedTo, c.narrows = dayOf(p.From), dayOf(p.To), true
		c.behind = append(c.behind, "whose CVEs were changed "+since(p))
	case "kev_added":
		c.about.KEVFrom, c.about.KEVTo, c.narrows = dayOf(p.From), dayOf(p.To), true
		c.behind = append(c.behind, "that CISA listed as exploited "+since(p))
	default:
		return &trouble{because: fmt.Sprintf("findings have no time of the kind %s", quote(of)), instead: "Ask by when they were first seen, last seen, fixed or are due."}
	}
	return nil
}

// catalogue are the conditions that the catalogue answers, weakness by weakness.
func (c *chosen) catalogue(q *Asked) {
	switch len(q.CVEs) {
	case 0:
	case 1:
		c.req.Weakness = q.CVEs[0].String()
		c.behind = append(c.behind, "of "+c.req.Weakness)
	default:
		var names []string
		for _, id := range q.CVEs {
			names = append(names, id.String())
		}
		c.req.Further.Weaknesses, c.exact = names, false
		c.behind = append(c.behind, "of "+or(names))
	}
	if len(q.Techniques) > 0 {
		c.about.Techniques, c.narrows = q.Techniques, true
		c.behind = append(c.behind, "that lead to "+or(q.Techniques))
	}
	if len(q.CWEs) > 0 {
		c.about.CWEs, c.narrows = q.CWEs, true
		c.behind = append(c.behind, "of kind "+or(q.CWEs))
	}
	if q.Exploit != "" {
		c.about.Exploit, c.narrows = q.Exploit, true
		c.behind = append(c.behind, map[string]string{"any": "with a public exploit", "none": "without a public exploit", "exploitdb": "with an exploit in Exploit-DB",
			"metasploit": "with a Metasploit module", "nuclei": "with a Nuclei template"}[q.Exploit])
	}
	if c.narrows {
		c.exact = false
	}
}

// exploitation are the conditions that need KEV to have been loaded: without it "none" would be a lie.
func (c *chosen) exploitation(ctx context.Context, q *Asked) (*trouble, error) {
	if q.KEV == nil && q.Exploited == nil && q.Ransomware == nil && q.TimeOf != "kev_added" {
		return nil, nil
	}
	if t, err := q.synced(ctx, "kev"); t != nil || err != nil {
		return t, err
	}
	say := func(b *bool, yes, no string) {
		switch {
		case b == nil:
		case *b:
			c.behind = append(c.behind, yes)
		default:
			c.behind, c.exact = append(c.behind, no), false
		}
	}
	c.req.KEV, c.req.Exploited = q.KEV, q.Exploited
	c.req.Findings.KEV, c.req.Findings.Exploited = q.KEV != nil && *q.KEV, q.Exploited != nil && *q.Exploited
	say(q.KEV, "that CISA lists as exploited", "that CISA does not list as exploited")
	if q.KEV == nil {
		say(q.Exploited, "that are known to be exploited", "of which no exploitation is known")
	}
	say(q.Ransomware, "used in ransomware campaigns", "not known from ransomware campaigns")
	if q.Ransomware != nil {
		c.about.Ransomware, c.narrows, c.exact = q.Ransomware, true, false
	}
	return nil, nil
}

// synced is trouble where a feed never ran.
func (q *Asked) synced(ctx context.Context, feed string) (*trouble, error) {
	status, err := q.Desk.FeedStatus(ctx)
	if err != nil {
		return nil, err
	}
	if status.Catalogue.Synced(feed) {
		return nil, nil
	}
	for _, f := range status.Feeds {
		if f.Feed == feed && f.Records > 0 {
			return nil, nil
		}
	}
	return &trouble{because: "the feed " + feed + " was never loaded, so that nobody can tell", instead: "Load it with: patchscout feeds sync " + feed + "."}, nil
}

// hostConditions says whether a question narrows by what hosts are, beyond one host and one site.
func hostConditions(q *Asked) bool {
	return len(q.Hosts) > 1 || len(q.Sites) > 1 || len(q.Owners) > 1 || len(q.Systems) > 0 || q.OS != "" || q.Exposed != nil || q.Jewels || q.Status != "" ||
		slices.ContainsFunc(q.Hosts, func(h understand.HostName) bool { return h.Kind != "address" && h.Kind != "name" && h.Kind != "id" })
}

// places reads where findings are.
func (c *chosen) places(ctx context.Context, q *Asked) (*trouble, error) {
	set, words, t, err := q.hostsMeant(ctx)
	if t != nil || err != nil {
		return t, err
	}
	c.where = append(c.where, words...)
	c.hosts = set
	if q.Owner != "" && len(q.Owners) < 2 {
		c.req.Owner = q.Owner
	}
	c.req.Tags, c.req.Criticality = q.Tags, q.Criticality
	switch {
	case hostConditions(q):
		c.exact = false
		ids := make([]int64, 0, len(set))
		for _, h := range set {
			ids = append(ids, h.ID)
		}
		c.req.Further.Hosts = ids
		if len(ids) == 1 {
			c.req.Host, c.exact = strconv.FormatInt(ids[0], 10), true
		}
	case len(q.Hosts) == 1:
		if len(set) == 1 {
			c.req.Host = strconv.FormatInt(set[0].ID, 10)
			break
		}
		c.exact = false
		c.req.Further.Hosts = []int64{}
		for _, h := range set {
			c.req.Further.Hosts = append(c.req.Further.Hosts, h.ID)
		}
	}
	if len(q.Sites) == 1 {
		c.req.Site = siteOf(set, q.Sites[0])
	}
	for _, p := range q.Ports {
		switch {
		case p.To > p.From:
			c.req.Further.PortRanges, c.exact = append(c.req.Further.PortRanges, [2]uint16{p.From, p.To}), false
			c.where = append(c.where, fmt.Sprintf("at ports %d to %d", p.From, p.To))
		default:
			c.req.Ports = append(c.req.Ports, strconv.Itoa(int(p.From)))
			c.where = append(c.where, fmt.Sprintf("at port %d", p.From))
		}
		if p.Protocol != "" && !slices.Contains(c.req.Protocols, p.Protocol) {
			c.req.Protocols = append(c.req.Protocols, p.Protocol)
		}
	}
	if c.req.Further.PortRanges != nil && c.req.Ports != nil { // any of both
		for _, p := range c.req.Ports {
			n, err := strconv.ParseUint(p, 10, 16)
			if err != nil {
				return nil, err
			}
			c.req.Further.PortRanges = append(c.req.Further.PortRanges, [2]uint16{uint16(n), uint16(n)})
		}
		c.req.Ports = nil
	}
	return nil, nil
}

// siteOf is a site as it is written.
func siteOf(hosts []report.AskHost, name string) string {
	for _, h := range hosts {
		if strings.EqualFold(h.Site, name) {
			return h.Site
		}
	}
	return name
}

// hostsMeant are the hosts that the question's words on hosts select, the most urgent first, and these words. All hosts where
// there are none.
func (q *Asked) hostsMeant(ctx context.Context) (out []report.AskHost, words []string, t *trouble, err error) {
	all, err := q.Desk.AskHosts(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	if t, err = q.checkSites(ctx); t != nil || err != nil {
		return nil, nil, t, err
	}
	var keeps []func(*report.AskHost) bool
	add := func(word string, keep func(*report.AskHost) bool) {
		keeps = append(keeps, keep)
		if word != "" {
			words = append(words, word)
		}
	}
	if len(q.Hosts) > 0 {
		ids, word, t, err := q.namedHosts(ctx, all)
		if t != nil || err != nil {
			return nil, nil, t, err
		}
		add(word, func(h *report.AskHost) bool { return ids[h.ID] })
	}
	if len(q.Sites) > 0 {
		add("in site "+boldAll(q.Sites), func(h *report.AskHost) bool {
			return slices.ContainsFunc(q.Sites, func(s string) bool { return strings.EqualFold(s, h.Site) })
		})
	}
	if systems := q.systems(); len(systems) > 0 {
		var names []string
		for _, s := range systems {
			names = append(names, quote(s))
		}
		add("on hosts with "+or(names), func(h *report.AskHost) bool {
			return slices.ContainsFunc(systems, func(s string) bool { return runsOS(string(h.OS), s) })
		})
	}
	if q.Exposed != nil {
		add(map[bool]string{true: "on hosts that the internet reaches", false: "on hosts that the internet does not reach"}[*q.Exposed],
			func(h *report.AskHost) bool { return h.Reach.Exposed != nil && *h.Reach.Exposed == *q.Exposed })
	}
	if q.Jewels {
		add("on crown jewels", func(h *report.AskHost) bool { return asset.IsJewel(h.Tags) })
	}
	if q.Status != "" && q.Subject != understand.Scans {
		add("on hosts that are "+quote(q.Status), func(h *report.AskHost) bool { return hasStatus(h, q.Status) })
	}
	if owners := q.owners(); len(owners) > 0 {
		var names []string
		for _, o := range owners {
			names = append(names, map[bool]string{true: "nobody", false: quote(o)}[o == "nobody"])
		}
		word := "on hosts of " + or(names)
		if owners[0] == "nobody" && len(owners) == 1 {
			word = "on hosts without an owner"
		}
		add(word, func(h *report.AskHost) bool {
			return slices.ContainsFunc(owners, func(o string) bool { return strings.EqualFold(string(h.Owner), o) || o == "nobody" && h.Owner == "" })
		})
	}
	if len(q.Tags) > 0 {
		add("on hosts tagged "+quote(and(q.Tags)), func(h *report.AskHost) bool {
			return !slices.ContainsFunc(q.Tags, func(t string) bool { return !slices.Contains(h.Tags, t) })
		})
	}
	if len(q.Criticality) > 0 {
		add("on hosts of "+or(q.Criticality)+" criticality", func(h *report.AskHost) bool {
			return slices.Contains(q.Criticality, string(h.Criticality)) || h.Criticality == "" && slices.Contains(q.Criticality, "none")
		})
	}
	for i := range all {
		h := &all[i]
		if !slices.ContainsFunc(keeps, func(keep func(*report.AskHost) bool) bool { return !keep(h) }) {
			out = append(out, *h)
		}
	}
	return out, words, nil, nil
}

// systems are the operating systems that are named, any of them.
func (q *Asked) systems() []string {
	if len(q.Systems) == 0 && q.OS != "" {
		return []string{q.OS}
	}
	return q.Systems
}

// owners are the owners that are named, any of them.
func (q *Asked) owners() []string {
	if len(q.Owners) == 0 && q.Owner != "" {
		return []string{q.Owner}
	}
	return q.Owners
}

func boldAll(names []string) string {
	var out []string
	for _, n := range names {
		out = append(out, bold(n))
	}
	return or(out)
}

// checkSites is trouble where a site is named that is not there for the asker.
func (q *Asked) checkSites(ctx context.Context) (*trouble, error) {
	if len(q.Sites) == 0 {
		return nil, nil
	}
	sites, err := q.Desk.Sites(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range sites {
		names = append(names, quote(s.Name))
	}
	for _, want := range q.Sites {
		if !slices.ContainsFunc(sites, func(s report.Site) bool { return strings.EqualFold(s.Name, want) }) {
			t := &trouble{because: "there is no site " + quote(want)}
			if len(names) > 0 {
				t.instead = "There is " + few(names, fewItems) + "."
			}
			return t, nil
		}
	}
	return nil, nil
}

// namedHosts are the ids of the hosts that are named, by address, name, network or number.
func (q *Asked) namedHosts(ctx context.Context, all []report.AskHost) (ids map[int64]bool, words string, t *trouble, err error) {
	ids = map[int64]bool{}
	var names []string
	for _, name := range q.Hosts {
		switch name.Kind {
		case "network":
			network, err := netip.ParsePrefix(name.Text)
			if err != nil {
				return nil, "", &trouble{because: quote(name.Text) + " is no network"}, nil
			}
			for i := range all {
				if slices.ContainsFunc(all[i].Addresses, func(a string) bool { ip, err := netip.ParseAddr(a); return err == nil && network.Masked().Contains(ip) }) {
					ids[all[i].ID] = true
				}
			}
		case "jewels":
			for i := range all {
				if asset.IsJewel(all[i].Tags) {
					ids[all[i].ID] = true
				}
			}
			names = append(names, "crown jewels")
			continue
		case "internet":
			for i := range all {
				if e := all[i].Reach.Exposed; e != nil && *e {
					ids[all[i].ID] = true
				}
			}
			names = append(names, "hosts that the internet reaches")
			continue
		case "site":
			for i := range all {
				if strings.EqualFold(all[i].Site, name.Text) {
					ids[all[i].ID] = true
				}
			}
		case "os":
			for i := range all {
				if runsOS(string(all[i].OS), name.Text) {
					ids[all[i].ID] = true
				}
			}
		default:
			found, err := q.hostIDs(ctx, name)
			if err != nil {
				return nil, "", nil, err
			}
			if len(found) == 0 {
				return nil, "", q.noHost(all, name.Text), nil
			}
			for _, id := range found {
				ids[id] = true
			}
			if name.Kind == "id" && len(found) == 1 {
				if at := slices.IndexFunc(all, func(h report.AskHost) bool { return h.ID == found[0] }); at >= 0 {
					names = append(names, bold(hostCalled(all[at].Host)))
					continue
				}
			}
		}
		names = append(names, bold(name.Text))
	}
	return ids, "on " + or(names), nil, nil
}

func (q *Asked) hostIDs(ctx context.Context, name understand.HostName) ([]int64, error) {
	if name.ID != 0 {
		return q.Desk.HostNamed(ctx, strconv.FormatInt(name.ID, 10), "")
	}
	site := name.Site
	if site == "" && len(q.Sites) == 1 {
		site = q.Sites[0]
	}
	return q.Desk.HostNamed(ctx, name.Text, site)
}

// noHost says that a host is not there, and which ones are called alike.
func (q *Asked) noHost(all []report.AskHost, text string) *trouble {
	t := &trouble{because: "there is no host " + quote(text) + " in what was scanned or imported", instead: "Scan it with: patchscout scan " + shell(text) + "."}
	if _, err := netip.ParseAddr(text); err != nil {
		t.instead = ""
	}
	if near := alike(all, text); len(near) > 0 {
		t.instead = "Did you mean " + or(near) + "?"
	}
	return t
}

// alike are names of hosts that differ little from a text, at most three.
func alike(all []report.AskHost, text string) (out []string) {
	text = strings.ToLower(text)
	for _, most := range []int{1, 2} {
		for i := range all {
			for _, name := range append(slices.Clone(all[i].Addresses), all[i].Hostnames...) {
				short, _, _ := strings.Cut(name, ".")
				if _, err := netip.ParseAddr(name); err == nil {
					short = name
				}
				if len(out) < 3 && (differs(name, text) <= most || differs(short, text) <= most) && !slices.Contains(out, quote(name)) {
					out = append(out, quote(name))
				}
			}
		}
		if len(out) > 0 {
			break
		}
	}
	return out
}

// differs is how many letters must be changed, added or taken away to make one word of another; at most 3.
func differs(a, b string) int {
	if d := len(a) - len(b); d > 2 || d < -2 {
		return 3
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := last
			if a[i] != b[j] {
				change++
			}
			last = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return min(row[len(b)], 3)
}

// systems are families of operating systems by what their members are called.
var systems = map[string][]string{
	"linux":   {"linux", "ubuntu", "debian", "centos", "red hat", "redhat", "rhel", "fedora", "suse", "alpine", "rocky", "alma", "oracle linux", "amazon linux", "raspbian", "kali", "arch"},
	"macos":   {"macos", "mac os", "os x", "darwin"},
	"mac":     {"macos", "mac os", "os x", "darwin"},
	"unix":    {"unix", "linux", "bsd", "solaris", "aix", "hp-ux", "ubuntu", "debian", "macos"},
	"bsd":     {"bsd"},
	"rhel":    {"red hat", "redhat", "rhel"},
	"red hat": {"red hat", "redhat", "rhel"},
}

// runsOS says whether an operating system is what was asked for.
func runsOS(have, want string) bool {
	have, want = strings.ToLower(have), strings.ToLower(strings.TrimSpace(want))
	if have == "" {
		return false
	}
	if family, known := systems[want]; known {
		return slices.ContainsFunc(family, func(word string) bool { return strings.Contains(have, word) })
	}
	return !slices.ContainsFunc(strings.Fields(want), func(word string) bool { return !strings.Contains(have, word) })
}

func hasStatus(h *report.AskHost, status string) bool {
	if status == "silent" {
		return h.Status == "down" || h.Status == "silent"
	}
	return strings.EqualFold(h.Status, status)
}

// placed is where a product answers or lies on a host.
type placed struct {
	host    *report.AskHost
	service *report.Service // nil: a package
	name    string
	version string
	match   int // 1 the version is as asked, 0 it is not, -1 it is not known
}

// where is a place in words.
func (s placed) where() string {
	if s.service != nil {
		return fmt.Sprintf("%d/%s", s.service.Port, s.service.Protocol)
	}
	return "a package"
}

// runs lists where a product is on a host.
func runs(h *report.AskHost, p understand.ProductName) (out []placed) {
	for i := range h.Services {
		s := &h.Services[i]
		if isProduct(p, string(s.Product), string(s.Service), s.CPEs) {
			out = append(out, placed{host: h, service: s, name: cmpOr(string(s.Product), string(s.Service)), version: string(s.Version), match: inVersion(p, string(s.Version))})
		}
	}
	for _, c := range h.Components {
		name, v := finding.SplitComponent(c)
		if isPackage(p, name) {
			out = append(out, placed{host: h, name: name, version: v, match: inVersion(p, v)})
		}
	}
	return out
}

func isProduct(p understand.ProductName, product, service string, cpes []string) bool {
	if p.Product != "" {
		for _, c := range cpes {
			parts := strings.Split(strings.TrimPrefix(strings.TrimPrefix(c, "cpe:2.3:"), "cpe:/"), ":")
			if len(parts) >= 3 && strings.EqualFold(parts[2], p.Product) && (p.Vendor == "" || strings.EqualFold(parts[1], p.Vendor)) {
				return true
			}
		}
	}
	product, text := strings.ToLower(product), strings.ToLower(strings.TrimSpace(p.Text))
	if product == "" {
		return text != "" && strings.EqualFold(service, text)
	}
	if text != "" && strings.Contains(product, text) {
		return true
	}
	name := strings.ToLower(strings.ReplaceAll(p.Product, "_", " "))
	return name != "" && strings.Contains(product, name) && (!slices.Contains(generic, name) || p.Vendor != "" && strings.Contains(product, strings.ToLower(p.Vendor)))
}

// generic are names of products that others' products have in theirs: an HP HTTP Server is none of Apache's.
var generic = []string{"http server", "web server", "server", "client", "agent", "mail server", "ftp server", "dns server", "proxy", "gateway", "router", "firmware", "office", "database", "windows", "linux"}

func isPackage(p understand.ProductName, name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{p.Text, p.Product, strings.ReplaceAll(p.Product, "_", "-")} {
		if word = strings.ToLower(strings.TrimSpace(word)); len(word) > 1 && strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// inVersion says whether a version is one that was asked for: 1, 0, and -1 where it is not known.
func inVersion(p understand.ProductName, have string) int {
	if p.Version == "" {
		return 1
	}
	if have == "" {
		return -1
	}
	c, in := version.Compare(have, p.Version), false
	switch p.Relation {
	case "<":
		in = c < 0
	case "<=":
		in = c <= 0
	case ">":
		in = c > 0
	case ">=":
		in = c >= 0
	default:
		rest, begins := strings.CutPrefix(have, p.Version)
		in = c == 0 || begins && rest != "" && (rest[0] < '0' || rest[0] > '9')
	}
	if in {
		return 1
	}
	return 0
}

// productWords is a product with its version as people say it.
func productWords(p understand.ProductName) string {
	text := cmpOr(p.Text, strings.ReplaceAll(p.Product, "_", " "))
	if p.Version == "" || strings.HasSuffix(text, p.Version) && p.Relation == "" {
		return quote(text)
	}
	relation := map[string]string{"<": " older than ", "<=": " up to ", ">": " newer than ", ">=": " from "}[p.Relation]
	text = strings.TrimSpace(strings.TrimSuffix(text, p.Version))
	return quote(text) + cmpOr(relation, " ") + quote(p.Version)
}

// products narrows findings to those in products: by how services and packages call themselves, as the list does, else by
// what the CVEs affect.
func (c *chosen) products(ctx context.Context, q *Asked) (*trouble, error) {
	if len(q.Products) == 0 {
		return nil, nil
	}
	all, err := q.Desk.AskHosts(ctx)
	if err != nil {
		return nil, err
	}
	var words, names []string
	for _, p := range q.Products {
		words = append(words, bold(productWords(p)))
		names = append(names, namesOf(all, p)...)
	}
	c.where = append(c.where, "in "+or(words))
	slices.Sort(names)
	names = slices.Compact(names)
	one := q.Products[0]
	switch {
	case len(names) == 0 && len(q.Products) == 1 && one.Product != "":
		c.about.Vendor, c.about.Product, c.narrows, c.exact = one.Vendor, one.Product, true, false
	case len(names) == 1:
		c.req.Product = names[0]
	default:
		c.req.Further.Products, c.exact = append([]string{}, names...), false
	}
	if slices.ContainsFunc(q.Products, func(p understand.ProductName) bool { return p.Version != "" }) {
		c.exact = false
		c.req.Further.IDs, err = c.inVersions(ctx, q, all)
	}
	return nil, err
}

// inVersions are the findings in products in the versions that were asked for, whatever their state: what runs where is known,
// so that only the places of findings are read.
func (c *chosen) inVersions(ctx context.Context, q *Asked, all []report.AskHost) ([]int64, error) {
	type at struct {
		host     int64
		protocol string
		port     uint16
	}
	versions := map[at]string{}
	for i := range all {
		for _, s := range all[i].Services {
			versions[at{all[i].ID, s.Protocol, s.Port}] = string(s.Version)
		}
	}
	whole := request.AskFindings{Findings: request.Findings{State: "all", Hidden: true, Product: c.req.Product}, Further: finding.Further{Products: c.req.Further.Products}}
	ids := []int64{}
	err := q.Desk.AskPlaces(ctx, whole, func(p finding.Place) {
		v := versions[at{p.Host, p.Protocol, p.Port}]
		if p.Component != "" {
			_, v = finding.SplitComponent(p.Component)
		}
		if slices.ContainsFunc(q.Products, func(want understand.ProductName) bool { return inVersion(want, v) == 1 }) {
			ids = append(ids, p.ID)
		}
	})
	return ids, err
}

// namesOf is how a product is called on the hosts: as it was written where that occurs in names, else the names of what has
// its CPE.
func namesOf(all []report.AskHost, p understand.ProductName) []string {
	text := strings.ToLower(strings.TrimSpace(p.Text))
	if p.Version != "" {
		text = strings.TrimSpace(strings.TrimSuffix(text, strings.ToLower(p.Version)))
	}
	var out []string
	for i := range all {
		for _, s := range runs(&all[i], understand.ProductName{Text: text, Vendor: p.Vendor, Product: p.Product}) {
			name := strings.ToLower(s.name)
			if text != "" && strings.Contains(name, text) {
				name = text
			}
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
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

// noun is what is counted, without its state: "critical findings of CVE-2021-44228".
func (c *chosen) noun(n int) string {
	words := append(slices.Clone(c.before), have(n, "finding", "findings"))
	return strings.Join(append(words, c.behind...), " ")
}

// phrase is what is counted with its state and place: "open critical findings on 10.0.0.5".
func (c *chosen) phrase(n int) string {
	text := strings.Join(append([]string{c.noun(n)}, c.where...), " ")
	if strings.Contains(c.state, " ") {
		return text + " that " + have(n, "is", "are") + " " + c.state
	}
	return c.state + " " + text
}

// sentence is a count as a sentence: "**3** critical findings are open on **10.0.0.5**."
func (c *chosen) sentence(n int) string {
	is := have(n, "is", "are")
	if strings.HasPrefix(c.state, "fixed ") || strings.HasPrefix(c.state, "closed ") { // within a time
		is = have(n, "was", "were")
	}
	text := number(n) + " " + c.noun(n) + " " + is + " " + c.state
	return strings.Join(append([]string{text}, c.where...), " ") + "."
}

// command is the command that lists the same.
func (c *chosen) command() string {
	words := []string{"patchscout findings"}
	for _, p := range c.params() {
		switch {
		case p[0] == "search":
			words = append(words, "--search "+shell(p[1]))
		case p[1] == "true":
			words = append(words, "--"+strings.ReplaceAll(p[0], "_", "-"))
		default:
			words = append(words, "--"+strings.ReplaceAll(p[0], "_", "-")+" "+shell(p[1]))
		}
	}
	if c.req.Confirmed {
		words = append(words, "--confirmed")
	}
	return strings.Join(words, " ")
}

// link is the page that lists the same.
func (c *chosen) link() string {
	search := url.Values{}
	for _, p := range c.params() {
		if p[0] == "min_epss" { // the page's are the API's
			search.Set(p[0], p[1])
			continue
		}
		search.Set(p[0], p[1])
	}
	return page("/findings", search)
}

// params are the filters that lists know, as pages and the API name them.
func (c *chosen) params() (out [][2]string) {
	r := &c.req.Findings
	add := func(name, value string) {
		if value != "" {
			out = append(out, [2]string{name, value})
		}
	}
	flag := func(name string, on bool) {
		if on {
			add(name, "true")
		}
	}
	number := func(name string, v float64) {
		if v > 0 {
			add(name, decimal(round(v)))
		}
	}
	add("host", c.hostParam())
	add("site", r.Site)
	if r.Scan > 0 {
		add("scan", strconv.FormatInt(r.Scan, 10))
	}
	add("state", r.State)
	add("triage", strings.Join(r.Triage, ","))
	flag("hidden", r.Hidden)
	add("severity", strings.Join(r.Severities, ","))
	add("decision", strings.Join(r.Decisions, ","))
	flag("kev", r.KEV)
	flag("exploited", r.Exploited)
	add("kind", strings.Join(r.Kinds, ","))
	flag("potential", r.Potential)
	number("min_cvss", r.MinCVSS)
	number("min_epss", r.MinEPSS)
	add("cve", r.Weakness)
	add("scanner", r.Scanner)
	add("port", strings.Join(r.Ports, ","))
	add("protocol", strings.Join(r.Protocols, ","))
	add("product", r.Product)
	add("search", r.Text)
	add("assignee", r.Assignee)
	add("label", strings.Join(r.Labels, ","))
	add("owner", r.Owner)
	add("tag", strings.Join(r.Tags, ","))
	add("criticality", strings.Join(r.Criticality, ","))
	add("due_before", r.DueBefore)
	flag("overdue", r.Overdue)
	add("first_seen_after", r.FirstSeenAfter)
	add("first_seen_before", r.FirstSeenBefore)
	add("last_seen_after", r.LastSeenAfter)
	add("last_seen_before", r.LastSeenBefore)
	add("closed_after", r.ClosedAfter)
	add("returned_after", r.ReturnedAfter)
	add("sort", r.Sort)
	return out
}

// hostParam is the one host as people write it.
func (c *chosen) hostParam() string {
	if c.req.Host == "" || len(c.hosts) != 1 {
		return c.req.Host
	}
	h := c.hosts[0]
	if h.Address != "" {
		return string(h.Address)
	}
	return c.req.Host
}
