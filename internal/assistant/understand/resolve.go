package understand

import (
	"slices"
	"strings"
)

// resolve decides, of all that was said, what is asked of what.
func (r *reader) resolve() {
	if w := r.word(r.began); (w == "scan" || w == "rescan") && len(r.q.Sites) > 0 && len(r.tokens) <= r.began+4 {
		r.q.Act = "scan"
	}
	r.additions()
	r.siteByNoun()
	r.pickMeasure()
	r.pickSubject()
	r.group()
	r.standing()
	r.fact()
	r.aboutProduct()
	r.howTo()
	r.ending()
	r.timing()
	r.tidy()
}

// additions reads "KEV entries that were added in March": CISA added them, and no scan found them.
func (r *reader) additions() {
	q := &r.q
	if q.KEV == nil || !*q.KEV || r.ofOursBut("first_seen") || !r.has("entries", "entry", "kev", "cisa", "listings") || !r.has("added", "joined", "entered", "appeared", "introduced") && !(r.saidMeasure(Change) && r.has("new") && q.Time != nil) ||
		slices.ContainsFunc(r.nouns, func(n noun) bool { return n.subject == "findings" || n.subject == "hosts" }) {
		return
	}
	if r.saidMeasure(Change) {
		r.measures = slices.DeleteFunc(r.measures, func(m Measure) bool { return m == Change })
		r.times = append(r.times, "kev_added")
	}
	for i, t := range r.times {
		if t == "first_seen" {
			r.times[i] = "kev_added"
		}
	}
}

// ofOursBut is ofOurs, if a time of that kind does not make it so.
func (r *reader) ofOursBut(time string) bool {
	times := r.times
	r.times = slices.DeleteFunc(slices.Clone(times), func(t string) bool { return t == time })
	defer func() { r.times = times }()
	return r.ofOurs()
}

// siteByNoun takes "the branch" as the site of that name, where the word says what kind of place a site is as well.
func (r *reader) siteByNoun() {
	r.nouns = slices.DeleteFunc(r.nouns, func(n noun) bool {
		name, ok := find(r.v.Sites(), r.word(n.at))
		if !ok || n.subject != "sites" || r.word(n.at-1) != "the" || !situating[r.word(n.at-2)] && r.word(n.at-2) != "of" && r.word(n.at-2) != "for" || len(r.q.Sites) > 0 {
			return false
		}
		r.q.Sites = with(r.q.Sites, name)
		return true
	})
}

func (r *reader) saidMeasure(m Measure) bool { return slices.Contains(r.measures, m) }
func (r *reader) saidAttr(a Attribute) bool  { return slices.Contains(r.attributes, a) }

// order is which measure goes before which, when a question says several.
var order = []Measure{Suppose, Count, Reach, Compare, First, Why, Change, Trend, How, Overview, Explain, Whether, List}

func (r *reader) pickMeasure() {
	for _, m := range order {
		if m == Whether && picking[r.word(r.began)] {
			continue
		}
		if r.saidMeasure(m) {
			r.q.Measure = m
			break
		}
	}
	r.pickAmong()
	if r.q.Measure == Count && r.saidMeasure(Trend) && r.q.GroupBy == "" {
		r.q.Measure = Trend
	}
	if r.q.Measure == Compare && !r.comparable() {
		r.q.Measure = List
		if len(r.q.Tags) > 0 && len(r.owners) == 0 {
			r.q.Measure, r.q.GroupBy, r.most = Group, "host", true
		}
	}
	if r.q.Measure == Explain && (r.due || r.q.Overdue) && !r.one() && r.q.Time != nil {
		r.q.Measure = List
	}
	if r.q.Measure == Explain && r.plural() && !r.one() && !r.saidMeasure(Why) {
		r.q.Measure = List
	}
}

// pickAmong mends the order of measures where words beside them say more.
func (r *reader) pickAmong() {
	q := &r.q
	first := r.word(r.began)
	switch {
	case first == "why" && r.saidMeasure(Why) && r.one() && q.Measure != Suppose:
		q.Measure = Why
	case q.Measure == Overview && len(q.CVEs) > 0 && yesNo[first]:
		q.Measure, r.affected, r.ours = Whether, true, true
	case q.Measure == Overview && (len(q.CVEs)+len(q.Findings)+len(q.Techniques)+len(q.CWEs)+len(q.Hosts)+len(q.Products) > 0 || len(r.topics) > 0 && first == "how"):
		q.Measure = Explain
	case q.Measure == "" && secondAsks(q.Text):
		q.Measure = Whether
	case q.Measure == First && len(q.Decisions) > 0 && first == "which" && len(r.nouns) > 0 && r.nouns[0].subject == "findings":
		q.Measure = List
	case q.State == "fixed" && r.fresh && q.Measure == Count && (q.Time != nil || len(q.Scans) > 0):
		q.Measure, q.State = Change, ""
	case q.Measure == Whether && r.saidMeasure(List) && !yesNo[first]:
		q.Measure = List
	case q.Measure == Reach && len(q.Hosts)+len(q.From)+len(q.Sites) == 0 && !q.Jewels && len(q.CVEs) == 0 && (len(q.Ports) > 0 || len(q.Products) > 0 && len(r.nouns) > 0):
		q.Measure = List
		if r.saidMeasure(Count) {
			q.Measure = Count
		}
	}
	if q.Measure != Suppose && q.Measure != Reach && q.Measure != Change && r.contrasts() {
		q.Measure = Compare
		if q.State == "fixed" && slices.Contains(r.times, "first_seen") {
			q.Measure, q.State = Change, ""
		}
	}
	if q.Measure == Compare && q.Time == nil && r.has("fewer", "less", "safer", "better", "lower", "cleaner", "least", "fewest", "lowest") {
		q.Least = true
	}
	if q.Measure == Change {
		r.times = slices.DeleteFunc(r.times, func(t string) bool { return t == "fixed" })
	}
}

// secondAsks reads "we have X? is it vulnerable".
func secondAsks(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "? is ") || strings.Contains(text, "? are ") || strings.Contains(text, ", is it ") || strings.Contains(text, ", are they ") || strings.Contains(text, ", are we ")
}

var yesNo = map[string]bool{
	"is": true, "are": true, "do": true, "does": true, "did": true, "was": true, "were": true, "has": true, "have": true, "any": true, "can": true, "could": true, "am": true, "anything": true, "anyone": true, "anybody": true,
}

// contrasts says whether two of a kind are set against each other: "does A or B have more", "A versus B".
func (r *reader) contrasts() bool {
	q := &r.q
	two := len(r.more) > 0 && q.Time != nil || len(q.Sites) == 2 || len(q.Hosts) == 2 || len(r.owners) == 2 || r.twoSystems() || len(q.Products) == 2 && len(q.CVEs) == 0 || len(q.CVEs) >= 2 || len(q.Tags) == 2
	against := q.State == "fixed" && slices.Contains(r.times, "first_seen")
	contrast, joined := false, false
	for i, t := range r.tokens {
		number := i+2 < len(r.tokens) && r.word(i+1) == "than" && r.tokens[i+2].kind == numberToken
		contrast = contrast || contrasting[t.word] && !number && r.word(i-1) != "or" && r.word(i-1) != "no" || t.word == "first" && (two && len(q.CVEs) >= 2 && r.saidMeasure(First))
		joined = joined || t.word == "or" || t.word == "than" || t.word == "versus" || t.word == "vs" || t.word == "between" || t.word == "against" || t.word == "which" || t.word == "compare" || t.word == "compared"
	}
	switch {
	case r.saidMeasure(Compare) && (two || len(q.Severities) == 2 && len(r.heads()) > 0 && r.saidMeasure(Whether)):
		return true
	case !contrast || !joined || slices.ContainsFunc(r.nouns, func(n noun) bool { return n.subject == "services" }) && !two:
		return false
	case against:
		return r.saidMeasure(Whether) || r.saidMeasure(Compare)
	case len(q.Severities) == 2 && !two:
		return r.moreOf()
	case len(q.CVEs) >= 2:
		return r.saidMeasure(Compare) || r.saidMeasure(First) || r.has("more", "less", "worse", "higher", "lower", "earlier", "later", "sooner", "older", "newer", "longer")
	}
	return two
}

// contrasting are the words by which two things are set against each other.
var contrasting = map[string]bool{
	"more": true, "fewer": true, "less": true, "worse": true, "better": true, "safer": true, "riskier": true, "higher": true, "most": true, "worst": true, "lower": true, "larger": true, "bigger": true, "least": true, "fewest": true, "cleaner": true, "greater": true, "earlier": true, "later": true, "sooner": true, "older": true, "newer": true, "longer": true,
}

func (r *reader) has(words ...string) bool {
	return slices.ContainsFunc(r.tokens, func(t token) bool { return slices.Contains(words, t.word) })
}

func (r *reader) twoSystems() bool {
	return len(r.q.Products) == 2 && r.isSystem(r.q.Products[0]) && r.isSystem(r.q.Products[1])
}

// moreOf reads "more high or medium findings", which is not "high or more".
func (r *reader) moreOf() bool {
	for i, t := range r.tokens {
		if (t.word == "more" || t.word == "fewer" || t.word == "less") && r.word(i+1) != "than" && r.word(i-1) != "or" {
			for _, s := range r.spans {
				if s.from == i+1 && s.says("severity") {
					return true
				}
			}
		}
	}
	return false
}

// picking are the words after which "do we have" asks for more than yes or no.
var picking = map[string]bool{"which": true, "what": true, "who": true, "where": true, "list": true, "show": true, "name": true, "give": true, "when": true}

// comparable says whether there are two of a kind to compare, or two times.
func (r *reader) comparable() bool {
	q := &r.q
	return len(q.CVEs) > 1 || len(q.Hosts) > 1 || len(q.Sites) > 1 || len(q.Products) > 1 || len(q.Scans) > 0 || len(r.more) > 0 || len(q.Findings) > 1 || q.Time != nil ||
		len(q.Techniques) > 1 || len(q.Severities) > 1 || r.c.Question != nil || r.c.About != nil || len(q.Imports) > 1 || len(q.CVEs)+len(q.Hosts)+len(q.Sites) > 0 || len(r.owners) > 1 || len(q.Tags) > 1
}

// one says whether the question names a single thing that can have attributes.
func (r *reader) one() bool {
	q := &r.q
	return len(q.CVEs)+len(q.Findings)+len(q.Hosts)+len(q.Scans)+len(q.Techniques)+len(q.CWEs)+len(q.Values)+len(q.Imports) > 0 || r.those != ""
}

// plural says whether several things are spoken of.
func (r *reader) plural() bool {
	return slices.ContainsFunc(r.spans, func(s span) bool {
		return s.says("subject") && r.tokens[s.to-1].single != ""
	}) || len(r.nouns) > 0 && (len(r.q.Severities) > 0 || r.most || r.q.Overdue)
}

// conditions says whether something narrows findings.
func (r *reader) conditions() bool {
	q := &r.q
	return len(q.Severities)+len(q.Decisions)+len(q.Triage)+len(q.Criticality)+len(q.Tags)+len(q.Labels)+len(q.Sites) > 0 || q.KEV != nil || q.Exploited != nil || q.Exploit != "" || q.Ransomware != nil ||
		q.State != "" || q.Overdue || q.Potential || q.Jewels || q.Exposed != nil || q.Owner != "" || q.Assignee != "" || q.Scanner != "" || q.MinCVSS != nil || q.MaxCVSS != nil || q.MinEPSS != nil || q.MaxEPSS != nil || r.due
}

// ofOurs says whether the question is about the asker's own.
func (r *reader) ofOurs() bool {
	q := &r.q
	return r.ours || len(q.Sites)+len(q.Hosts)+len(q.Decisions)+len(q.Triage)+len(q.Findings)+len(q.Scans)+len(q.Imports)+len(q.Tags)+len(q.Labels)+len(q.Criticality) > 0 || q.Overdue || q.State != "" && !r.saidAttr(FixedIn) || q.Owner != "" || q.Assignee != "" ||
		q.Jewels || q.Exposed != nil || q.Potential || q.Scanner != "" && !slices.Contains(r.times, "published") || slices.Contains(r.times, "first_seen") || slices.Contains(r.times, "last_seen") || q.OS != ""
}

var namedBy = map[string][]string{
	"hosts": {"address", "hostname", "network", "domain"}, "vulns": {"cve"}, "cves": {"cve"}, "techniques": {"attack"}, "weaknesses": {"cwe"}, "software": {"product"}, "sites": {"site"}, "feeds": {"feed"},
	"indicators": {"hash", "address", "domain"},
}

// groupName is what things are grouped by.
var groupName = map[string]string{
	"hosts": "host", "sites": "site", "software": "product", "services": "port", "cves": "cve", "vulns": "cve", "findings": "cve",
	"by-owner": "owner", "by-vendor": "vendor", "by-scanner": "scanner", "by-severity": "severity", "by-decision": "decision", "by-year": "year", "by-os": "os", "by-tag": "tag",
	"techniques": "technique", "weaknesses": "cwe",
}

// facts are the attributes that a subject has, those first that win when several were said.
var facts = map[Subject][]Attribute{
	CVEs:       {FixedIn, Remedy, Vector, CVSS, EPSS, Due, Technique, Weakness, Affected, Published, Modified, References, Decision, Score, Severity, Likelihood, Description, Age, FirstSeen},
	Findings:   {Evidence, TriageOf, Due, FirstSeen, LastSeen, History, Confidence, Remedy, FixedIn, Decision, Risk, CVSS, EPSS, Score, Severity, Likelihood, State, OwnerOf, Description, Technique, Weakness, References},
	Hosts:      {LastScan, LastSeen, FirstSeen, OwnerOf, CritOf, TagsOf, SiteOf, OS, OpenPorts, Runs, Version, Names, Addresses, Risk, Score, Status, History},
	Services:   {Version, FirstSeen, LastSeen, OpenPorts},
	Software:   {Version, FirstSeen, LastSeen},
	Sites:      {LastScan, OwnerOf, Risk},
	Techniques: {Tactic, Mitigation, Description, References},
	Weaknesses: {Description, Mitigation},
	Scans:      {Errors, Duration, LastScan, Status, Records, Age},
	Imports:    {Errors, Status, Age, Records, Duration},
	Feeds:      {Errors, Records, Age, Status, LastScan, Modified},
	Indicators: {FirstSeen, LastSeen, References},
	Fixes:      {Risk},
}

var asking = map[string]bool{"mean": true, "means": true, "explain": true, "define": true, "definition": true, "meaning": true, "describe": true, "tell": true, "show": true, "please": true, "list": true, "hi": true, "hello": true}

// systems are products that a host is rather than has.
var systems = map[string]bool{
	"linux_kernel": true, "windows": true, "windows_10": true, "windows_11": true, "windows_7": true, "windows_8": true, "windows_8.1": true, "windows_xp": true, "windows_vista": true, "windows_server_2003": true,
	"windows_server_2008": true, "windows_server_2012": true, "windows_server_2016": true, "windows_server_2019": true, "windows_server_2022": true, "debian_linux": true, "ubuntu_linux": true, "enterprise_linux": true,
	"centos": true, "fedora": true, "freebsd": true, "macos": true, "mac_os_x": true, "alpine_linux": true, "solaris": true, "aix": true, "windows_server_2025": true, "windows_2000": true, "windows_server_2008_r2": true,
}
