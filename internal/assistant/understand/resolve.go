package understand

import (
	"slices"
	"strings"
	"time"
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

// pickSubject takes the first noun, without those that only say what kind of thing a name is, or what is grouped by.
func (r *reader) pickSubject() {
	nouns := r.heads()
	if len(nouns) > 0 {
		r.q.Subject = r.subjectOf(nouns[0].subject)
	}
	if len(nouns) > 1 && r.most {
		r.mostOf(nouns)
	}
	if len(nouns) == 0 {
		r.q.Subject = r.withoutNoun()
	}
	r.preferEstate(nouns)
}

// heads are the nouns that can be the subject.
func (r *reader) heads() []noun {
	var out []noun
	for _, n := range r.nouns {
		if r.apposition(n) {
			continue
		}
		out = append(out, n)
	}
	return withoutGroups(out, r.most)
}

// withoutGroups leaves out what findings can be grouped by but what is no subject, unless it is what has the most of
// something, or all that there is.
func withoutGroups(nouns []noun, most bool) []noun {
	var real []noun
	for i, n := range nouns {
		if !strings.HasPrefix(n.subject, "by-") || most && i == 0 {
			real = append(real, n)
		}
	}
	if len(real) == 1 && strings.HasPrefix(real[0].subject, "by-") {
		return nil
	}
	return real
}

// apposition says whether a name comes right after the noun: "host 10.0.0.5", "vulnerability CVE-…", "product nginx", or
// the noun right after: "the Log4j vulnerability", which is its own question when it is plural.
func (r *reader) apposition(n noun) bool {
	for _, s := range r.spans {
		if s.to == n.at && n.subject == "sites" && s.says("site") && r.tokens[n.at].single == "" {
			return true // "the servers site"
		}
		if n.subject == "sites" && n.at > 0 && !r.placed[n.at-1] && r.tokens[n.at].single == "" && r.couldBeName(n.at-1) && (!english()[r.word(n.at-1)] || r.tokens[n.at-1].text != r.word(n.at-1)) {
			name := r.tokens[n.at-1].text // "the Munich site"
			r.q.Sites = with(r.q.Sites, name)
			r.unknown("site " + name)
			r.placed[n.at-1] = true
			return true
		}
		if s.from <= n.at {
			continue
		}
		if s.from == n.at+1 && !r.tokens[s.from].after && r.tokens[n.at].single == "" {
			for _, e := range s.effects {
				if slices.Contains(namedBy[n.subject], e.key) {
					return true
				}
			}
		}
		break
	}
	return false
}

var namedBy = map[string][]string{
	"hosts": {"address", "hostname", "network", "domain"}, "vulns": {"cve"}, "cves": {"cve"}, "techniques": {"attack"}, "weaknesses": {"cwe"}, "software": {"product"}, "sites": {"site"}, "feeds": {"feed"},
	"indicators": {"hash", "address", "domain"},
}

func (r *reader) subjectOf(noun string) Subject {
	if (noun == "vulns" || noun == "cves") && r.has("open", "unresolved", "outstanding", "unfixed") && !r.has("source", "port", "ports") && len(r.q.CVEs) == 0 {
		return Findings // in a catalogue nothing is open
	}
	if noun != "vulns" {
		if noun == "cves" && r.ofOurs() && !r.catalogue && len(r.q.CVEs) == 0 {
			return Findings
		}
		return Subject(noun)
	}
	if len(r.classes) > 0 && (r.q.Ransomware != nil || r.q.KEV != nil) && !r.ofOurs() {
		return CVEs
	}
	if r.catalogue || r.kevlist && !r.ofOurs() || (r.q.MinEPSS != nil || r.q.MinCVSS != nil || r.q.MaxEPSS != nil || r.q.MaxCVSS != nil) && !r.ofOurs() && r.plural() || len(r.q.Products) > 0 && !r.ofOurs() || slices.Contains(r.times, "published") && !r.ofOurs() || slices.Contains(r.times, "kev_added") && !r.ofOurs() || r.published() {
		return CVEs
	}
	return Findings
}

// published says whether a year is named as people name the years of CVEs: "vulnerabilities of 2021".
func (r *reader) published() bool { return r.ofYear() && !r.ofOurs() }

// ofYear says whether the time is a year, and nothing says of what.
func (r *reader) ofYear() bool {
	t := r.q.Time
	return t != nil && len(r.times) == 0 && !t.From.IsZero() && t.To.Equal(t.From.AddDate(1, 0, 0)) && t.From.YearDay() == 1 && slices.ContainsFunc(r.tokens, func(t token) bool { return isYear(t.word) })
}

// mostOf reads "which host has the most findings": findings by host.
func (r *reader) mostOf(nouns []noun) {
	at := -1
	for _, s := range r.spans {
		if s.says("most") || s.says("least") {
			at = s.from
		}
	}
	if at < 0 || nouns[0].at > at {
		if len(nouns) > 1 && nouns[0].at > at { // the most affected hosts by findings
			if by := groupName[nouns[0].subject]; by != "" && (Subject(nouns[1].subject) == Findings || nouns[1].subject == "vulns" || nouns[1].subject == "cves") {
				r.q.GroupBy, r.q.Subject, r.q.Measure = by, r.subjectOf(nouns[1].subject), Group
			}
		}
		return
	}
	if second := groupName[nouns[1].subject]; r.q.Measure == Count && (nouns[0].subject == "findings" || nouns[0].subject == "vulns") && nouns[1].at > at && second != "" && r.q.GroupBy == "" {
		r.q.GroupBy, r.q.Subject, r.q.Measure = second, Findings, Group // "how many findings does the worst host have"
		if r.tokens[nouns[1].at].single == "" {
			r.q.Limit = 1
		}
		return
	}
	for _, n := range nouns[1:] {
		by := groupName[nouns[0].subject]
		if n.at > at && by != "" && r.q.GroupBy == "" {
			r.q.GroupBy, r.q.Subject, r.q.Measure = by, r.subjectOf(n.subject), Group
			if r.q.Subject == CVEs && by != "product" && by != "vendor" && by != "year" && by != "cwe" && by != "technique" {
				r.q.Subject = Findings
			}
			return
		}
	}
}

// groupName is what things are grouped by.
var groupName = map[string]string{
	"hosts": "host", "sites": "site", "software": "product", "services": "port", "cves": "cve", "vulns": "cve", "findings": "cve",
	"by-owner": "owner", "by-vendor": "vendor", "by-scanner": "scanner", "by-severity": "severity", "by-decision": "decision", "by-year": "year", "by-os": "os", "by-tag": "tag",
	"techniques": "technique", "weaknesses": "cwe",
}

// withoutNoun is the subject of a question that has no noun: "is 10.0.0.5 affected?", "critical in dmz", "log4shell".
func (r *reader) withoutNoun() Subject {
	q := &r.q
	switch {
	case (len(q.Scans) > 0 || q.Scanner != "") && r.finds():
		return Findings
	case q.Measure == Compare && (len(r.more) > 0 || q.Time != nil) && len(q.CVEs)+len(q.Hosts)+len(q.Products) == 0:
		return Findings
	case q.Measure == Reach || q.Measure == Suppose && (len(q.CVEs)+len(q.Hosts)+len(q.Findings)+len(q.Products) > 0 || r.those != ""):
		return Paths
	case len(q.Findings) > 0:
		return Findings
	case q.Measure == First:
		return Fixes
	case len(q.CVEs) > 0 && r.word(r.began) == "where":
		q.Measure = List
		return Hosts
	case len(q.CVEs) > 0:
		return r.ofCVE()
	case len(q.Techniques) > 0:
		return Techniques
	case len(q.CWEs) > 0 && !r.ofOurs():
		return Weaknesses
	case len(q.Values) > 0 || r.indicator && len(q.Hosts) > 0:
		return Indicators
	case len(q.Scans) > 0 && !r.conditionsBeyondOwner() && q.Measure != Change && q.Measure != Compare:
		return Scans
	case len(q.Scans) > 0 && q.Measure == Compare:
		return Scans
	case len(q.Imports) > 0:
		return Imports
	case len(q.Products) > 0 && r.isSystem(q.Products[0]) && (r.ours || r.has("left", "still", "any", "anything", "boxes")) && !r.affected && len(q.Severities) == 0:
		return Hosts
	case len(q.Products) == 1 && len(q.Hosts) == 0 && q.Products[0].Product != "" && (r.saidAttr(Addresses) || r.saidAttr(OwnerOf) || r.saidAttr(Names) || r.saidAttr(SiteOf) || r.saidAttr(OS) || r.saidAttr(LastScan)) && (q.Products[0].Ours || r.ours):
		q.Measure = Fact
		return Hosts
	case q.Measure == Compare && len(q.Products) > 1 && r.has("common", "widespread", "here", "often", "used", "frequent"):
		return Software
	case len(q.Products) > 0 && r.word(r.began) == "where" && !r.affected && (r.runs || r.ours || q.Products[0].Ours):
		q.Measure = List
		return Hosts
	case r.told && len(q.Products) == 0:
		return Findings
	case len(q.Products) > 0:
		return r.ofProduct()
	case len(q.Ports) > 0, r.saidAttr(OpenPorts) && len(q.Hosts) == 0 && (len(q.Sites) > 0 || r.c.Question == nil && r.c.About == nil):
		return Services
	case r.saidAttr(Runs) && len(q.Hosts)+len(q.CVEs) == 0 && len(q.Severities) == 0 && (r.ours || len(q.Sites) > 0):
		r.attributes = slices.DeleteFunc(r.attributes, func(a Attribute) bool { return a == Runs })
		if q.Measure == Explain {
			q.Measure = List
		}
		return Software
	case q.Sort != "" && r.ours && len(q.Hosts) == 0:
		return Findings
	case q.KEV != nil && len(q.Hosts)+len(q.Sites) == 0 && r.has("updated", "synced", "refreshed", "loaded", "downloaded", "fresh", "current", "old", "date"):
		q.Feeds, q.KEV = with(q.Feeds, "kev"), nil
		q.Measure, q.Attribute = firstOf(map[bool]Measure{true: Whether}[q.Measure == Whether], Fact), Age
		for i := range r.tokens {
			r.placed[i] = r.placed[i] || r.has("updated", "loaded", "downloaded") && (r.word(i) == "updated" || r.word(i) == "loaded" || r.word(i) == "downloaded")
		}
		return Feeds
	case q.Owner != "" && q.Owner != "nobody" && !r.conditionsBeyondOwner():
		return Hosts
	case len(q.Feeds) > 0:
		return Feeds
	case len(q.Hosts) > 0 && (len(q.Severities)+len(q.Decisions)+len(q.Triage) > 0 || q.KEV != nil || q.Exploited != nil || q.Overdue || q.Potential || q.State == "fixed" || q.State == "reopened" || q.State == "closed") && (len(r.attributes) == 0 || q.Measure == Count):
		return Findings
	case len(q.Hosts) > 0:
		return Hosts
	case r.saidAttr(LastScan) && !r.conditionsBeyondOwner() && (q.Measure == "" || q.Measure == Explain || q.Measure == List || q.Measure == Whether || r.asksWhen()):
		return Scans
	case q.Measure == Overview:
		return Findings
	case (len(q.Tags)+len(q.Criticality) > 0 || q.Jewels || q.Exposed != nil || q.OS != "" || q.Status != "") && len(q.Severities)+len(q.Decisions)+len(q.Triage) == 0 && q.KEV == nil && q.Exploited == nil && !q.Overdue && q.State == "" && q.GroupBy == "" && !r.due && (q.Measure == Count || q.Measure == List || q.Measure == "" || q.Measure == Explain && r.pluralName()):
		return Hosts
	case slices.Contains(r.times, "kev_added") && !r.ours:
		return CVEs
	case q.KEV != nil && q.Ransomware != nil && q.Measure == Count && !r.ofOurs() && r.those == "" && r.follow == "" && r.c.Question == nil && r.c.About == nil:
		return CVEs
	case r.conditions() || q.Measure == Change || q.Measure == Trend || q.GroupBy != "" || len(r.owners) > 1 || len(q.Sites) > 1:
		return Findings
	case r.saidAttr(Age):
		return Feeds
	case r.saidAttr(LastScan):
		return Scans
	}
	return Nothing
}

// finds says whether it is what somebody found that is asked.
func (r *reader) finds() bool {
	return slices.ContainsFunc(r.tokens, func(t token) bool {
		return t.word == "find" || t.word == "found" || t.word == "detect" || t.word == "discover" || t.word == "report" || t.word == "see"
	})
}

func (r *reader) conditionsBeyondOwner() bool {
	q := &r.q
	return len(q.Severities)+len(q.Decisions)+len(q.Triage) > 0 || q.KEV != nil || q.Overdue || q.State != "" || q.Exploited != nil
}

// pluralName says whether several things are named by what they are tagged: "what are the crown jewels".
func (r *reader) pluralName() bool {
	return slices.ContainsFunc(r.tokens, func(t token) bool { return t.word == "are" || t.word == "jewels" || t.word == "tagged" })
}

// ofCVE: about a CVE itself, or about where we have it.
func (r *reader) ofCVE() Subject {
	q := &r.q
	switch {
	case len(q.Hosts)+len(q.Sites) > 0 && len(q.Products) == 0:
		return Findings
	case r.ours && r.saidAttr(Affected) && q.Measure == Whether:
		return Findings
	case r.affected && (r.ours || len(q.Products) == 0 && !r.saidAttr(Affected)):
		return Findings
	case q.Measure == Whether && r.ours, q.Measure == Count && r.ours, q.Measure == List && r.ours && len(r.attributes) == 0:
		return Findings
	case r.saidAttr(Due) && !r.ours && (q.KEV != nil || r.has("cisa", "kev")), (r.saidAttr(Due) || r.saidAttr(FixedIn)) && q.State == "fixed" && !r.ours:
		q.State = ""
		return CVEs
	case q.Overdue, q.State != "" && q.Measure != How && !r.saidAttr(FixedIn), len(q.Decisions) == 0 && q.Assignee != "":
		return Findings
	case r.saidAttr(FirstSeen), r.saidAttr(LastSeen), r.saidAttr(Evidence):
		return Findings
	}
	return CVEs
}

// ofProduct: what is known of a product, or whether we have it.
func (r *reader) ofProduct() Subject {
	q := &r.q
	switch {
	case r.affected && !r.ours && len(q.Hosts)+len(q.Sites) == 0:
		return CVEs
	case (r.kevlist || q.KEV != nil || q.Ransomware != nil) && !r.ofOurs():
		return CVEs // "is Jenkins in the KEV catalogue"
	case r.affected, r.conditions() && r.ofOurs():
		return Findings
	case q.Measure == Whether || q.Measure == Count || r.runs || r.ours || len(q.Hosts)+len(q.Sites) > 0 || r.saidAttr(Version):
		return Software
	}
	return CVEs
}

// preferEstate mends what the first noun got wrong.
func (r *reader) preferEstate(nouns []noun) {
	q := &r.q
	first := ""
	if len(nouns) > 0 {
		first = nouns[0].subject
	}
	switch {
	case q.Measure == Reach && (first == "fixes" || r.saidMeasure(First) && len(q.From) == 0):
		q.Subject, q.Measure = Fixes, First
	case q.Measure == Reach:
		q.Subject = Paths
	case q.Subject == Fixes && (q.Measure == List || q.Measure == "") && len(q.CVEs)+len(q.Findings) == 0:
		q.Measure = First
	case q.Measure == First && (q.Subject == Findings || q.Subject == Nothing || q.Subject == CVEs):
		if first == "" || first == "fixes" {
			q.Subject = Fixes
		}
	case q.Measure == Suppose:
		q.Subject = Paths
	case first == "findings" && len(q.CVEs) > 0 && r.saidAttr(Affected) && !r.ours && len(q.Hosts)+len(q.Sites) == 0 && r.has("versions", "version", "products", "releases", "product"):
		q.Subject = CVEs
	case first == "fixes" && len(q.CVEs) > 0 && !r.plural():
		q.Subject = CVEs
	case first == "software" && len(q.CVEs) > 0 && (r.saidAttr(Affected) || r.affected || len(q.Hosts)+len(q.Sites) == 0) && !r.ours:
		q.Subject = CVEs
		q.Measure, q.Attribute = Fact, Affected
	case r.saidAttr(Duration) && len(q.Scans) == 0 && first != "scans" && r.has("fix", "remediate", "mttr", "repair", "patch", "resolve", "remediation"):
		q.Subject, q.Measure, q.Attribute, q.State = Findings, Fact, Duration, "fixed"
	case first == "services" && r.q.Subject == Services && len(q.Products) > 0 && r.affected:
		q.Subject = Findings
	case first == "weaknesses" && len(q.CVEs) > 0:
		q.Subject = CVEs
	case first == "techniques" && len(q.CVEs) > 0 && !r.ours:
		q.Subject = CVEs
		q.Attribute = Technique
	case first == "indicators" && len(q.CVEs) > 0:
		q.Subject = CVEs
	case first == "feeds" && r.saidAttr(FixedIn):
		q.Subject = CVEs
	case first == "software" && len(q.Products) > 0 && len(nouns) == 1 && len(q.Hosts)+len(q.Sites) == 0 && !r.ours && r.affected:
		q.Subject = CVEs
	case first == "sites" && len(q.Hosts) > 0 && r.saidAttr(SiteOf) && !r.most && q.Measure != Count:
		q.Subject, q.Measure, q.Attribute = Hosts, Fact, SiteOf
	case first == "scans" && len(nouns) > 1 && (nouns[1].subject == "findings" || nouns[1].subject == "vulns") && len(q.Scans) > 0:
		q.Subject = Findings
	}
	if (first == "vulns" || first == "cves") && len(q.CVEs) > 0 && q.Subject == Findings && !r.ours && len(q.Hosts)+len(q.Sites) == 0 {
		q.Subject = CVEs
	}
}

// group reads the measure of groups.
func (r *reader) group() {
	q := &r.q
	if by := groupName[string(q.Subject)]; strings.HasPrefix(string(q.Subject), "by-") {
		q.GroupBy, q.Subject = firstOf(q.GroupBy, by), Findings
		if (by == "vendor" || by == "year") && !r.ofOurs() {
			q.Subject = CVEs
		}
	}
	if r.saidAttr(Evidence) && r.most && !r.one() && q.GroupBy == "" && r.has("scanner", "tool", "sensor") {
		q.GroupBy, q.Subject = "scanner", Findings
		r.attributes, q.Limit = nil, max(q.Limit, 1)
	}
	if r.saidAttr(OwnerOf) && !r.one() && q.GroupBy == "" && q.Owner == "" && (r.most || q.AtLeast != nil || q.AtMost != nil) && (q.Subject == Findings || q.Subject == Hosts || q.Subject == Nothing) {
		q.GroupBy = "owner"
	}
	if len(r.nouns) > 0 && strings.HasPrefix(r.nouns[0].subject, "by-") && r.most && q.GroupBy == "" && len(r.heads()) == 0 && !r.one() {
		q.GroupBy, q.Subject = groupName[r.nouns[0].subject], Findings
		if (q.GroupBy == "vendor" || q.GroupBy == "year") && !r.ofOurs() {
			q.Subject = CVEs
		}
	}
	if r.counted == "hosts" && (q.Subject == Findings || q.Subject == CVEs) && (q.Measure == List || q.Measure == "" || q.Measure == Count) {
		q.Subject, q.GroupBy = Findings, "cve" // "which vulnerabilities are on more than 3 hosts"
	}
	if q.AtLeast != nil || q.AtMost != nil {
		r.most = false
		if q.Measure != Count && q.GroupBy == "" {
			q.Least = false
		}
	}
	if q.GroupBy != "" && q.Measure != Trend {
		if q.Subject == Nothing {
			q.Subject = Findings
		}
		if q.Measure != Compare && !(q.Measure == Count && r.counted != "") {
			q.Measure = Group
		}
		if q.GroupBy == "host" && r.most && len(r.nouns) > 0 && (r.nouns[0].subject == "cves" || r.nouns[0].subject == "vulns") {
			q.Subject, q.GroupBy = Findings, "cve" // "top ten CVEs by hosts"
		}
		if q.Measure == Group && r.most && q.Subject == Hosts && q.GroupBy == "host" {
			q.Subject = Findings
		}
		return
	}
	if r.most && (q.Measure == List || q.Measure == "" || q.Measure == Explain || q.Measure == Whether) {
		r.superlative()
	}
	if q.Subject == Hosts && q.Sort != "" && r.oneOf() && (q.Measure == List || q.Measure == "") && slices.ContainsFunc(r.nouns, func(n noun) bool { return n.subject == "findings" || n.subject == "vulns" || n.subject == "cves" }) {
		q.Subject, q.Measure = Findings, List // "which host has the oldest finding": the finding says where it is
	}
	if q.Sort != "" && !r.most && q.Limit == 0 && (q.Measure == List || q.Measure == "" || q.Measure == Explain) && r.oneOf() {
		q.Limit = 1
	}
	if r.most && q.Measure == Group && q.Limit == 0 && r.single() {
		q.Limit = 1
	}
}

// single says whether the first thing that is named is one: "which host", not "which hosts".
func (r *reader) single() bool {
	nouns := r.heads()
	if len(nouns) == 0 {
		return false
	}
	for _, s := range r.spans {
		if s.from == nouns[0].at {
			return r.tokens[s.to-1].single == ""
		}
	}
	return false
}

// superlative reads "the worst host", "most vulnerable site", "most common weakness", "the highest CVSS".
func (r *reader) superlative() {
	q := &r.q
	nouns := r.heads()
	if len(nouns) == 0 {
		return
	}
	by := groupName[nouns[0].subject]
	switch q.Subject {
	case Hosts, Sites, Software, Techniques, Weaknesses:
		q.GroupBy, q.Subject, q.Measure = by, Findings, Group
		if (by == "cwe" || by == "technique" || by == "product") && r.catalogue {
			q.Subject = CVEs
		}
	case Services:
		q.GroupBy, q.Measure = "port", Group
	case Findings, CVEs:
		if r.widespread() {
			q.GroupBy, q.Measure = "cve", Group
			return
		}
		if q.Measure == "" || q.Measure == Explain {
			q.Measure = List
		}
		if q.Sort == "" && r.saidAttr(CVSS) {
			q.Sort = "cvss"
		}
		if q.Sort == "" && r.saidAttr(EPSS) {
			q.Sort = "epss"
		}
	}
	if q.Limit == 0 && (r.single() || r.oneOf()) {
		q.Limit = 1
	}
}

// oneOf says whether one of many is asked for: "which of our findings has the highest EPSS", "the highest score".
func (r *reader) oneOf() bool {
	return !r.has("have", "are", "top") && (r.has("has", "is", "what's", "s") && r.has("highest", "lowest", "oldest", "newest", "worst", "latest"))
}

// widespread says whether "most" is about how many have it, not how bad it is.
func (r *reader) widespread() bool {
	for _, s := range r.spans {
		if s.says("most") {
			text := r.text(s.from, s.to)
			for _, w := range []string{"common", "frequent", "often", "widespread", "prevalent", "popular"} {
				if strings.Contains(text, w) {
					return true
				}
			}
		}
	}
	return false
}

// standing turns what would narrow a list into the fact that is asked of one CVE: "is CVE-… exploited?"
func (r *reader) standing() {
	q := &r.q
	if q.Subject != CVEs || len(q.CVEs) == 0 || q.Measure == Compare && len(q.CVEs) > 1 && len(r.attributes) == 0 && q.KEV == nil && q.Exploited == nil && q.Exploit == "" && q.Ransomware == nil {
		return
	}
	take := func(a Attribute) {
		if q.Attribute == "" || q.Attribute == Severity {
			q.Attribute = a
		}
	}
	switch {
	case q.Ransomware != nil:
		take(Ransom)
	case q.Exploit == "any" && r.saidAttr(Vector):
		take(Vector)
	case q.Exploit != "":
		take(Exploits)
	case q.KEV != nil && r.saidAttr(Due):
		take(Due)
	case q.KEV != nil:
		take(KEVAttr)
	case q.Exploited != nil && (r.saidAttr(Likelihood) || r.saidAttr(EPSS)):
		take(Likelihood)
	case q.Exploited != nil:
		take(ExploitedBy)
	case len(q.Severities) > 0 && q.Measure == Whether:
		take(Severity)
	case len(q.Decisions) > 0 && q.Measure == Whether:
		take(Decision)
	case r.affected && len(q.Products) > 0, len(q.Products) > 0 && (q.Measure == Whether || r.saidAttr(Affected)):
		take(Affected)
		if q.Measure != Compare && q.Measure != List {
			q.Measure = Whether
		}
	}
	if q.Attribute != "" {
		q.KEV, q.Exploited, q.Ransomware = nil, nil, nil
		if q.Attribute == Exploits && q.Exploit == "any" || q.Attribute != Exploits {
			q.Exploit = ""
		}
		if q.Measure == "" || q.Measure == Explain || q.Measure == List {
			q.Measure = Fact
		}
	}
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

// fact takes the attribute that was asked for.
func (r *reader) fact() {
	q := &r.q
	if r.saidAttr(Vector) && len(q.CVEs) == 1 && (q.Exploited != nil || q.Attribute == ExploitedBy) {
		q.Exploited, q.Attribute = nil, Vector // "can it be exploited without logging in" asks how, not whether somebody does
		r.attributes = slices.DeleteFunc(r.attributes, func(a Attribute) bool { return a == ExploitedBy })
	}
	if q.Attribute == "" || q.Attribute == Severity && len(r.attributes) > 0 {
		for _, a := range facts[q.Subject] {
			if r.saidAttr(a) && r.isAsked(a) {
				q.Attribute = a
				break
			}
		}
	}
	if q.Attribute == "" && r.asksWhen() {
		q.Attribute = r.momentOf()
	}
	if q.Attribute == "" {
		return
	}
	switch q.Measure {
	case "", Explain, List:
		if r.one() || r.saidMeasure(Explain) || r.asksWhen() || q.Subject == Feeds || q.Subject == Scans && !r.plural() || len(q.Products) > 0 && (q.Subject == Software || q.Subject == CVEs) {
			q.Measure = Fact
		}
	case How:
		if q.Attribute != Remedy && q.Attribute != FixedIn && r.one() {
			q.Measure = Fact
		}
	case Whether:
		if q.Attribute == FixedIn || q.Attribute == Due {
			q.Measure = Fact
		}
	case Count:
		if q.Attribute == CVSS || q.Attribute == EPSS || q.Attribute == Due || q.Subject == Feeds {
			q.Measure = Fact
		}
	}
}

// isAsked says whether an attribute is what is asked, and not what a condition is made of.
func (r *reader) isAsked(a Attribute) bool {
	q := &r.q
	switch a {
	case Severity:
		return len(q.Severities) == 0 || q.Measure == Whether
	case Due:
		return !q.Overdue && (!r.due || r.one() || q.Measure == Whether && r.one() || r.asksWhen())
	case Affected:
		return r.one() || !r.plural() || r.saidMeasure(Explain)
	case Runs:
		return len(q.Products) == 0
	case LastScan:
		return r.one() || r.asksWhen() || !q.Negated && r.negated == 0
	case Published, Modified, FirstSeen, LastSeen:
		return r.one() || r.asksWhen() || q.Measure == Explain
	case Status:
		return (q.Status == "" || r.one()) && !(q.Subject == Scans && q.Status == "running" && q.Measure == Whether)
	case State:
		return r.one()
	case Errors:
		return r.one() || q.Measure == Why || q.Subject == Feeds || q.Measure == Explain
	}
	return true
}

func (r *reader) asksWhen() bool {
	for i := r.began; i < len(r.tokens) && i < r.began+3; i++ {
		if r.word(i) == "when" {
			return true
		}
	}
	return false
}

// momentOf is the attribute of "when was it …".
func (r *reader) momentOf() Attribute {
	if len(r.times) == 0 {
		switch r.q.Subject {
		case Scans:
			return LastScan
		case Feeds:
			return Age
		case Imports:
			return Age
		}
		return ""
	}
	switch r.times[0] {
	case "published":
		return Published
	case "modified":
		return Modified
	case "last_seen":
		return LastSeen
	case "scanned":
		return LastScan
	case "kev_added":
		return KEVAttr
	case "due":
		return Due
	case "fixed":
		return History
	}
	return FirstSeen
}

// aboutProduct reads questions about PatchScout and its words: "what does act mean", "how do I import a report".
func (r *reader) aboutProduct() {
	q := &r.q
	named := r.one() || len(q.Tags) > 0 && r.has("tagged") || len(q.Sites)+len(q.Products)+len(q.Values) > 0 && !slices.Contains(r.topics, "imports")
	switch {
	case q.Act != "" || q.Outside != "" || r.follow != "":
		return
	case q.Overdue && len(r.topics) == 0 && !r.has("mean", "means", "definition"): // "what is overdue?" wants the list
		return
	case slices.Contains(r.topics, "assistant") || slices.Contains(r.topics, "patchscout") && !named:
	case r.saidMeasure(How) && !named && len(r.topics) > 0:
	case r.saidMeasure(How) && !named && r.those == "" && !r.saidAttr(Remedy) && (q.Measure == How || q.Measure == Reach || q.Measure == List):
	case len(r.topics) > 0 && (r.saidMeasure(Explain) || r.saidMeasure(List) || q.Measure == "" || r.saidMeasure(Whether)) && !named && !r.estateNoun():
	case (q.Measure == Explain || r.saidMeasure(Explain)) && !named && r.definition():
	default:
		return
	}
	q.Subject = Product
	if q.Measure != How {
		q.Measure = Explain
	}
	if r.saidMeasure(How) {
		q.Measure = How
	}
	q.Topics = r.topicWords()
	r.clearConditions()
}

func (r *reader) estateNoun() bool {
	return slices.ContainsFunc(r.nouns, func(n noun) bool { return n.subject == "hosts" || n.subject == "findings" || n.subject == "vulns" }) && (r.plural() || r.ours)
}

// definition says whether a word of the trade is asked for: "what is EPSS", "what does attend mean".
func (r *reader) definition() bool {
	if r.plural() && r.ours || r.q.Time != nil || len(r.more) > 0 || r.most {
		return false
	}
	content := 0
	for _, s := range r.spans {
		if !s.says("filler") && !s.says("polite") && !s.says("measure") && !s.says("ours") {
			content++
		}
	}
	text := " " + strings.ToLower(r.q.Text) + " "
	asks := strings.Contains(text, " mean") || strings.Contains(text, " stand for ") || strings.Contains(text, " stands for ") || strings.Contains(text, " definition ") || strings.Contains(text, " define ") || strings.Contains(text, " meant ") || strings.Contains(text, "explain ") || strings.Contains(text, "what is ") || strings.Contains(text, "what's ") || strings.Contains(text, "whats ") || strings.Contains(text, "what are ")
	return asks && content > 0 && content <= 3 && !r.article() && (len(r.unplaced()) == 0 || strings.Contains(text, " mean"))
}

// article says whether "the" stands before what is asked about: "what is the severity" has something in mind.
func (r *reader) article() bool {
	for i := r.began; i < len(r.tokens) && i < r.began+4; i++ {
		if r.word(i) == "the" || r.word(i) == "my" || r.word(i) == "our" {
			return !strings.Contains(strings.ToLower(r.q.Text), "mean") && !strings.Contains(strings.ToLower(r.q.Text), "difference")
		}
	}
	return false
}

// topicWords are the topics, and all words that say something.
func (r *reader) topicWords() []string {
	out := slices.Clone(r.topics)
	for i, t := range r.tokens {
		if i >= r.began && !fillers()[t.word] && !asking[t.word] && len(t.word) > 1 && !slices.Contains(out, t.word) {
			out = append(out, t.word)
		}
	}
	return out
}

var asking = map[string]bool{"mean": true, "means": true, "explain": true, "define": true, "definition": true, "meaning": true, "describe": true, "tell": true, "show": true, "please": true, "list": true, "hi": true, "hello": true}

func (r *reader) clearConditions() {
	r.q = Question{
		Text: r.q.Text, Subject: r.q.Subject, Measure: r.q.Measure, Topics: r.q.Topics, Audience: r.q.Audience, Corrected: r.q.Corrected, Rules: r.q.Rules, Act: r.q.Act, Outside: r.q.Outside,
	}
}

// howTo reads "how do I fix …".
func (r *reader) howTo() {
	q := &r.q
	if q.Fixable != nil && r.one() && len(q.CVEs)+len(q.Findings) > 0 && !r.plural() {
		q.Fixable = nil
	}
	if q.Fixable != nil || !r.saidAttr(Remedy) || q.Subject == Product || q.Measure == Count || q.Measure == Compare {
		return
	}
	if q.Measure == "" || q.Measure == How || q.Measure == Fact || q.Measure == Explain || q.Measure == First || q.Measure == List && (r.one() || len(q.Products) > 0) {
		q.Measure, q.Attribute = How, Remedy
		if q.State == "fixed" {
			q.State = ""
		}
		switch {
		case len(q.Findings) > 0:
			q.Subject = Findings
		case len(q.CVEs) > 0:
			q.Subject = CVEs
		case len(q.Hosts) > 0 || q.Subject == Nothing && r.those == "":
			q.Subject = Fixes
		}
	}
}

// ending gives a question that has no measure yet the one that its subject suggests.
func (r *reader) ending() {
	q := &r.q
	if q.Measure != "" || q.Subject == Nothing {
		return
	}
	switch {
	case q.Attribute != "":
		q.Measure = Fact
	case len(q.CVEs) > 0 && q.Subject == CVEs, q.Subject == Techniques && len(q.Techniques) > 0, q.Subject == Weaknesses && len(q.CWEs) > 0, len(q.Findings) > 0, q.Subject == Hosts && len(q.Hosts) > 0 && !r.plural(), q.Subject == Scans && len(q.Scans) > 0:
		q.Measure = Explain
	case q.Subject == Indicators && len(q.Values)+len(q.Hosts) > 0:
		q.Measure = Whether
	default:
		q.Measure = List
	}
}

// timing says what the time narrows.
func (r *reader) timing() {
	q := &r.q
	if len(r.more) > 0 && q.Measure == Compare {
		q.Against = &r.more[0]
	}
	if q.Measure == First && q.Time != nil && q.Time.From.IsZero() {
		r.due = true
	}
	if r.due && q.Time != nil && !q.Overdue && q.Attribute != Due {
		q.DueWithin, q.Time = q.Time, nil
		if strings.HasPrefix(q.DueWithin.Words, "the last ") {
			if p, ok := within(q.DueWithin, r); ok {
				q.DueWithin = p
			}
		}
		q.State = strings.TrimPrefix(q.State, "fixed")
		if !q.DueWithin.To.IsZero() && q.DueWithin.To.Before(r.now) && strings.Contains(q.DueWithin.Words, "day") && r.now.Sub(q.DueWithin.To) < 7*24*time.Hour {
			q.DueWithin.To = q.DueWithin.To.AddDate(0, 0, 7) // deadlines are ahead: "before Friday" is the coming one
		}
		return
	}
	if r.due && q.Time == nil && !q.Overdue && q.Attribute == "" && (q.Measure == List || q.Measure == Count) {
		q.Sort = "due"
	}
	if r.fresh && q.Time == nil && q.Measure != Change && len(q.Scans) == 0 && (q.Subject == Findings || q.Subject == CVEs || q.Subject == Hosts || q.Subject == Services || q.Subject == Software) && (q.Measure == List || q.Measure == Count || q.Measure == Whether || q.Measure == Group) {
		from := calendar{r.tokens, r.now}.today().AddDate(0, 0, -7)
		q.Time = &Period{From: from, Words: "the last 7 days"}
	}
	if q.Time == nil && len(r.times) > 0 && q.Measure != Fact && (len(q.Scans) > 0 || q.Subject == Hosts && (q.Negated || r.negated > 0)) {
		q.TimeOf = r.times[0]
	}
	if q.Time != nil && !q.Time.From.Before(r.now.AddDate(0, 0, -1)) && !q.Time.From.IsZero() && (q.Sort == "epss" || r.saidAttr(Likelihood) || r.saidAttr(EPSS)) {
		q.Time = nil // the forecast of EPSS is for the next 30 days
	}
	if q.Time == nil {
		return
	}
	q.TimeOf = r.timeOf()
	if r.q.Time.From.IsZero() && (q.Negated || r.negated > 0) && (q.TimeOf == "scanned" || q.TimeOf == "last_seen") && q.Subject == Hosts {
		q.Negated = true // "not scanned for more than a month" is not scanned since then
		q.Time = &Period{From: q.Time.To, Words: "the last " + strings.TrimSuffix(strings.TrimPrefix(q.Time.Words, "more than "), " ago")}
	}
	if len(q.Decisions) > 0 && q.TimeOf == "first_seen" && len(r.times) == 0 && r.has("within") {
		q.Time, q.TimeOf = nil, "" // what a decision asks for is done within a time
	}
}

// within turns "within 7 days", which looks back, around: deadlines are ahead.
func within(p *Period, r *reader) (*Period, bool) {
	return &Period{From: r.now, To: r.now.Add(r.now.Sub(p.From)), Words: strings.Replace(p.Words, "the last ", "the next ", 1)}, true
}

func (r *reader) timeOf() string {
	q := &r.q
	for _, t := range []string{"kev_added", "reopened", "fixed", "published", "modified", "first_seen", "scanned", "last_seen"} {
		if slices.Contains(r.times, t) && !(t == "fixed" && q.State == "open") && !(t == "modified" && q.Measure == Change) {
			if q.Subject == Findings && t == "published" && !r.ofCVEs() || q.Subject != CVEs && t == "modified" {
				return "first_seen"
			}
			return t
		}
	}
	switch q.Subject {
	case CVEs:
		if q.KEV != nil && *q.KEV && (!r.ofYear() || r.has("entries", "entry", "additions", "listings")) {
			return "kev_added"
		}
		return "published"
	case Findings:
		if q.State == "fixed" || q.State == "closed" {
			return "fixed"
		}
		if r.ofYear() && r.ofCVEs() {
			return "published"
		}
		return "first_seen"
	case Hosts, Services, Software:
		if q.Negated {
			return "last_seen"
		}
		return "first_seen"
	case Scans:
		return "scanned"
	}
	return ""
}

// ofCVEs says whether CVEs or vulnerabilities, and no findings, are spoken of.
func (r *reader) ofCVEs() bool {
	return slices.ContainsFunc(r.nouns, func(n noun) bool { return n.subject == "cves" || n.subject == "vulns" }) && !slices.ContainsFunc(r.nouns, func(n noun) bool { return n.subject == "findings" })
}

// tidy takes back what makes no sense together.
func (r *reader) tidy() {
	q := &r.q
	if r.negated > 0 {
		q.Negated = true
	}
	if q.Subject == Paths && len(q.From) > 0 && q.Measure == List {
		q.Measure = Reach
	}
	if q.Subject == Hosts && q.Measure == Fact && q.Attribute == "" {
		q.Measure = Explain
	}
	if q.Subject == Hosts && q.Measure == Explain && !r.one() && len(q.Tags) > 0 {
		q.Measure = List
	}
	if q.Subject == Hosts && q.OS == "" && len(q.Products) == 1 && r.saidAttr(OS) {
		q.OS = q.Products[0].Text
	}
	if q.Measure == Count && q.Subject == Findings && q.GroupBy == "" && slices.ContainsFunc(r.tokens, func(t token) bool { return t.word == "different" || t.word == "distinct" || t.word == "unique" }) && len(r.heads()) > 0 {
		q.GroupBy = groupName[r.heads()[0].subject]
	}
	r.tidySystems()
	if (q.Subject == Findings || q.Subject == Hosts) && len(q.CVEs) == 0 {
		for _, kind := range r.kinds {
			q.Titled = with(q.Titled, kind)
		}
	}
	if len(q.Titled) > 0 && q.Outside == "secret" && (q.Subject != Nothing || q.Measure != Explain) {
		q.Outside = ""
	}
	if len(r.owners) > 1 {
		q.Owners = r.owners
	}
	if q.Measure == Compare && (q.Subject == Sites || q.Subject == Hosts && len(q.Hosts) < 2 || q.Subject == Nothing) && (len(q.Sites) > 1 || len(q.Owners) > 1 || len(q.Systems) > 1 || len(q.Tags) > 1) {
		if q.Subject != Hosts || len(r.heads()) == 0 || r.conditions() && len(q.Severities) > 0 || r.has("affected", "vulnerable") {
			q.Subject = Findings
		}
	}
	if q.Subject == Hosts && q.Measure == Compare && len(q.Hosts) < 2 && slices.ContainsFunc(r.nouns, func(n noun) bool { return n.subject == "findings" || n.subject == "vulns" || n.subject == "cves" }) && r.has("more", "fewer", "most", "fewest", "less") {
		q.Subject = Findings // "do Apache hosts or nginx hosts have more findings"
	}
	if q.Subject == Hosts && q.Measure == Compare && len(q.Hosts) == 1 && q.Time != nil && len(r.more) == 0 {
		q.Measure, q.TimeOf = Change, ""
	}
	if q.Subject == Hosts && q.Status == "silent" && (q.State == "fixed" || q.State == "closed") {
		q.State = "" // "gone quiet"
	}
	if q.Subject == Hosts && q.Status == "silent" && q.Time != nil {
		q.TimeOf, q.Negated = "last_seen", true // silent since then
	}
	if q.Owner != "" && q.Assignee == "" && r.has("plate", "desk", "backlog", "queue", "todo") && len(r.nouns) == 0 {
		q.Assignee, q.Owner, q.Subject, q.Measure, q.Attribute = q.Owner, "", Findings, List, ""
		for i := range r.tokens {
			r.placed[i] = r.placed[i] || slices.Contains([]string{"plate", "desk", "backlog", "queue", "todo"}, r.word(i))
		}
	}
	for i := range r.tokens {
		if port := map[string]string{"http": "80/tcp", "https": "443/tcp"}[r.word(i)]; port != "" && !r.placed[i] && q.Subject == Hosts && len(q.Ports) > 0 {
			r.port(port) // "ssh and http"
			r.placed[i] = true
		}
	}
	if q.Subject == Hosts && len(q.Products)+len(q.Ports) > 1 && (r.has("both") || r.has("also", "simultaneously", "together") && r.has("and") || r.has("plus")) {
		q.Both = true
		for i := range r.tokens {
			r.placed[i] = r.placed[i] || r.word(i) == "both" || r.word(i) == "also" || r.word(i) == "together"
		}
	}
	if r.has("databases") && r.ours || r.has("database", "databases") && (q.Subject == Hosts || q.Subject == Software || q.Subject == Services) && len(q.Products)+len(q.Ports) == 0 && !slices.Contains(r.topics, "operations") {
		if len(q.Tags)+len(q.Hosts) == 0 {
			r.unknown("databases as a kind of software: name the product, such as PostgreSQL")
		}
	}
	if q.Subject == Hosts && r.clean {
		none := 0
		q.AtMost, q.State = &none, ""
	}
	if q.Subject == Findings && q.Attribute == State && q.Measure == Whether && len(q.CVEs) > 0 && (q.State == "fixed" || r.has("fixed", "patched", "resolved")) {
		q.Attribute, q.State = "", "fixed"
	}
	if q.Subject == Findings && q.Measure == List && len(q.CVEs) > 0 && r.affected && yesNo[r.word(r.began)] {
		q.Measure = Whether
	}
	if q.Subject == Hosts && q.Measure == Group && q.GroupBy == "product" {
		q.Subject = Software
	}
	if q.Subject == Findings && q.Measure == Explain && !r.one() && r.follow == "" && q.Audience == "" {
		q.Measure = List
	}
	if q.Measure == Reach && len(q.Hosts) > 0 && len(q.Sites) > 0 && len(q.From) == 0 && (r.has("on", "from") || r.has("inside")) {
		for _, s := range q.Sites {
			q.From = append(q.From, HostName{Text: s, Kind: "site"})
		}
		q.Sites = nil
	}
	if q.Subject == Software && q.Measure == Count && q.Attribute == Version {
		q.Attribute, q.GroupBy = "", "version"
	}
	if q.Measure == Why && q.Audience == "manager" && len(q.CVEs) > 0 {
		q.Measure = Explain
	}
	if q.Withdrawn != nil && q.Subject != CVEs {
		q.Withdrawn = nil
	}
	if q.Withdrawn != nil && len(q.CVEs) > 0 {
		q.Withdrawn, q.Attribute = nil, State
	}
	if (q.Attribute == LastScan || q.Attribute == Age) && q.Subject == Scans && r.has("successful", "succeeded", "worked", "well", "successfully") {
		q.Status = "completed"
	} else if q.Attribute == LastScan {
		q.Status = ""
	}
	if q.Subject == CVEs && q.State == "fixed" && (q.Attribute == FixedIn || q.Attribute == Due) {
		q.State = ""
	}
	if q.Measure == Compare && q.Least && q.Limit == 1 {
		q.Limit = 0
	}
	if q.KEV != nil && *q.KEV && q.Exploited != nil && *q.Exploited && q.Subject == CVEs {
		q.Exploited = nil // what CISA lists is exploited
	}
	if q.Subject == Hosts && q.Time != nil && (q.TimeOf == "fixed" || q.TimeOf == "reopened") && (q.Measure == List || q.Measure == Count || q.Measure == "") {
		if q.Subject, q.GroupBy = Findings, "host"; q.Measure != Count {
			q.Measure = Group
		}
	}
	if q.Subject == Services && r.saidAttr(OpenPorts) && len(q.Hosts) > 0 && len(q.Ports) == 0 && (q.Measure == List || q.Measure == Fact || q.Measure == Explain) {
		q.Subject, q.Measure, q.Attribute = Hosts, Fact, OpenPorts
	}
	for _, c := range r.classes {
		if c != "" && (q.Subject == Findings || q.Subject == CVEs || q.Subject == Hosts) {
			q.CWEs = with(q.CWEs, c)
		}
	}
	if q.Subject == CVEs && q.Measure == Count && r.q.State == "open" {
		q.State = ""
	}
	if (q.Subject == Services || q.Measure == Reach || q.Subject == Hosts && len(q.Ports) > 0) && q.State == "open" {
		q.State = ""
	}
	if q.Subject == Hosts && q.Attribute == SiteOf && len(q.CVEs)+len(q.Products) > 0 && len(q.Hosts) == 0 && (len(q.CVEs) > 0 || q.Measure == List) {
		q.Measure, q.Attribute = List, ""
	}
	if q.Measure == Compare && len(q.CVEs) > 1 {
		q.Severities = nil
	}
	if q.Status == "failed" && (r.one() || q.Subject == Feeds) || q.Subject == Feeds && q.Status == "running" {
		q.Status = ""
	}
	if q.Subject != Scans && q.Status == "running" {
		q.Status = ""
	}
	if q.Sort != "" && !r.one() && (q.Measure == Explain || q.Measure == Fact || q.Measure == List) && (q.Subject == Findings || q.Subject == CVEs || q.Subject == Hosts || q.Subject == Scans) {
		q.Measure, q.Attribute = List, ""
		if q.Limit == 0 && (r.single() || r.saidAttr(CVSS) || r.saidAttr(EPSS)) && !(r.word(r.began) == "list" || r.word(r.began) == "show") {
			q.Limit = 1
		}
	}
	if q.Subject == CVEs && slices.Contains(r.times, "kev_added") && len(q.CVEs) == 0 && q.KEV == nil {
		yes := true
		q.KEV = &yes
	}
	if q.Subject == CVEs && q.KEV != nil && *q.KEV && len(q.CVEs) == 0 && (q.Measure == List || q.Measure == "") && (q.Sort == "newest" || slices.Contains(r.times, "kev_added") && r.has("recently", "latest", "newest", "recent", "last") && q.Time == nil) {
		q.Sort, q.TimeOf = "kev_added", "kev_added"
	}
	if q.Measure == Suppose && q.State == "fixed" {
		q.State = ""
	}
	if q.Subject == Feeds && len(q.Feeds) == 0 {
		for _, t := range r.tokens {
			if name, ok := find(r.v.Feeds(), t.word); ok {
				q.Feeds = with(q.Feeds, name)
			}
		}
	}
	if q.Subject == Feeds && q.State != "" {
		q.State = ""
	}
}

// isSystem says whether a product is what a host is rather than has.
func (r *reader) isSystem(p ProductName) bool {
	return systems[p.Product] || p.Vendor == "microsoft" && p.Product == "windows"
}

// tidySystems turns operating systems into what the asker's hosts run as such.
func (r *reader) tidySystems() {
	q := &r.q
	ours := q.Subject == Hosts || q.Subject == Software || q.Subject == Services || q.Subject == Findings && q.Measure != Explain
	if !ours || q.Attribute == Version || len(q.CVEs) > 0 && q.Subject == Findings && q.Measure == Whether && !r.ours {
		return
	}
	var rest []ProductName
	for _, p := range q.Products {
		if !r.isSystem(p) {
			rest = append(rest, p)
			continue
		}
		q.Systems = with(q.Systems, strings.ToLower(strings.TrimSpace(p.Text+" "+p.Version)))
	}
	if q.OS != "" && len(q.Systems) > 0 && !slices.Contains(q.Systems, q.OS) {
		q.Systems = append([]string{q.OS}, q.Systems...)
	}
	if len(q.Systems) == 0 {
		return
	}
	q.OS, q.Products = q.Systems[0], rest
	if len(q.Systems) == 1 {
		q.Systems = nil
	}
	if q.Subject == Software && len(rest) == 0 {
		q.Subject = Hosts
	}
}

// systems are products that a host is rather than has.
var systems = map[string]bool{
	"linux_kernel": true, "windows": true, "windows_10": true, "windows_11": true, "windows_7": true, "windows_8": true, "windows_8.1": true, "windows_xp": true, "windows_vista": true, "windows_server_2003": true,
	"windows_server_2008": true, "windows_server_2012": true, "windows_server_2016": true, "windows_server_2019": true, "windows_server_2022": true, "debian_linux": true, "ubuntu_linux": true, "enterprise_linux": true,
	"centos": true, "fedora": true, "freebsd": true, "macos": true, "mac_os_x": true, "alpine_linux": true, "solaris": true, "aix": true, "windows_server_2025": true, "windows_2000": true, "windows_server_2008_r2": true,
}
