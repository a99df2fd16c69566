package understand

import (
	"slices"
	"strconv"

	"github.com/patchscout/patchscout/internal/cve"
)

// follows brings in what went before, where the question needs it: "and in dmz?", "which of those …", "why?". A question
// that stands by itself takes nothing.
func (r *reader) follows() {
	q := &r.q
	if q.Outside != "" || q.Act != "" || q.Subject == Product && r.those != "one" && r.follow == "" {
		return
	}
	last := r.c.Question
	if last != nil && q.Measure == First && len(q.CVEs)+len(q.Hosts)+len(q.Sites) == 0 && len(r.nouns) == 0 && r.those == "" && r.word(r.began) == "which" && len(last.CVEs) > 1 {
		q.CVEs, q.Subject, q.Measure, q.Follows = last.CVEs, CVEs, Compare, true
		return
	}
	if last != nil && r.those == "one" && r.q.Ordinal == 0 && len(r.nouns) > 0 && (r.nouns[0].subject == "hosts" || r.nouns[0].subject == "sites") && (q.Measure == Count || q.Measure == List) && last.names() == 0 && (last.Measure == Count || last.Measure == List || last.Measure == Group) {
		r.those = "yes" // "how many hosts does that concern?"
	}
	if last != nil && r.those == "one" && r.q.Ordinal == 0 && len(r.nouns) == 0 && q.Measure == Count && (last.Measure == Count || last.Measure == List || last.Measure == Group) {
		r.those = "yes" // "how many is that?"
	}
	switch {
	case last == nil && r.c.About != nil && r.needsThing():
		r.take(*r.c.About)
	case last == nil:
		return
	case r.follow == "more" && r.q.Ordinal == 0 && !r.namesAny():
		r.again(true)
	case r.those != "":
		r.ofThose()
	case r.bare():
		r.inherit()
	}
}

// needsThing says whether the question is about something that it does not name.
func (r *reader) needsThing() bool {
	q := &r.q
	if len(q.CVEs)+len(q.Hosts)+len(q.Findings)+len(q.Scans)+len(q.Techniques)+len(q.Products)+len(q.Sites) > 0 {
		return false
	}
	return r.those != "" || (q.Measure == Why || q.Measure == How && q.Attribute == Remedy || q.Measure == Fact || q.Measure == Explain) && len(r.nouns) == 0 || q.Subject == Nothing && len(r.attributes) > 0
}

// bare says whether the question is only a part of one: a name, a condition, "why?", "which hosts?".
func (r *reader) bare() bool {
	q := &r.q
	content := 0
	for _, s := range r.spans {
		if !s.says("filler") && !s.says("polite") {
			content++
		}
	}
	switch {
	case r.follow == "and", q.Subject == Nothing:
		return true
	case len(r.nouns) == 0 && !r.namesAny() && !r.ours && !r.catalogue && (q.Measure == Count || q.Measure == List || q.Measure == Whether) && q.Subject == Findings && len(r.unplaced()) == 0 && content <= 3:
		return true // "how many are critical?", "are any overdue?"
	case q.Measure == Why && !r.namesAny(), q.Measure == How && q.Attribute == Remedy && !r.namesAny():
		return true
	case len(r.nouns) == 1 && content <= 2 && !r.namesAny() && (q.Measure == List || q.Measure == Count) && len(r.unplaced()) == 0 && len(r.tokens) <= 3:
		return !r.saidFirst("list", "show", "count") // "which hosts?", "how many findings?"
	case len(r.measures) == 0 && len(r.nouns) == 0 && content <= 2 && len(q.CVEs) == 0:
		return true
	case q.Measure == Fact && !r.namesAny() && len(r.nouns) == 0, q.Measure == Compare && r.things() == 1:
		return true
	}
	return false
}

func (r *reader) saidFirst(words ...string) bool { return slices.Contains(words, r.word(0)) }

// namesAny says whether anything is named.
func (r *reader) namesAny() bool { return r.things() > 0 || len(r.q.Sites)+len(r.q.Ports) > 0 }

func (r *reader) things() int {
	q := &r.q
	return len(q.CVEs) + len(q.Hosts) + len(q.Findings) + len(q.Scans) + len(q.Techniques) + len(q.Products) + len(q.Values) + len(q.CWEs)
}

// again is the question before once more: for the next ones of a list.
func (r *reader) again(more bool) {
	next := *r.c.Question
	next.Text, next.Corrected, next.Follows, next.Those, next.Rules = r.q.Text, r.q.Corrected, true, false, append(r.q.Rules, "follows: more")
	next.More = more
	if next.Measure == Count {
		next.Measure = List
	}
	if r.q.Limit > 0 {
		next.Limit = r.q.Limit
	}
	next.All = r.q.All
	r.q = next
}

// ofThose asks about what the answer before listed.
func (r *reader) ofThose() {
	q, last := &r.q, r.c.Question
	q.Those, q.Follows = true, true
	if r.those == "one" {
		r.takeOne()
		return
	}
	if q.Subject == Nothing || q.Subject == Findings && last.Subject != Findings && len(r.heads()) == 0 {
		q.Subject = last.Subject
	}
	if by := ""; (last.Subject == Findings || last.Subject == Hosts) && len(r.nouns) <= 1 && (q.Measure == List || q.Measure == "" || q.Measure == Fact || q.Measure == Explain) {
		switch {
		case q.Subject == Sites, r.saidAttr(SiteOf):
			by = "site"
		case r.saidAttr(OwnerOf):
			by = "owner"
		case r.saidAttr(OS) && last.Subject == Hosts:
			by = "os"
		}
		if by != "" {
			q.Subject, q.Measure, q.GroupBy, q.Attribute = last.Subject, Group, by, ""
		}
	}
	if q.Measure == "" {
		q.Measure = List
	}
	r.conditionsOf(last)
	if len(r.heads()) == 0 {
		r.worstOf()
	}
	if q.Subject == Hosts && (q.TimeOf == "fixed" || q.TimeOf == "reopened") && q.Measure == List {
		q.Subject, q.Measure, q.GroupBy = Findings, Group, "host"
	}
}

// takeOne is "it", "that host", "the second one": the thing that the answer before was about.
func (r *reader) takeOne() {
	if r.things() > 0 && r.q.Measure != Compare && !r.affected {
		r.q.Those = false
		return
	}
	if r.q.Ordinal != 0 {
		if t, ok := r.nth(r.q.Ordinal); ok {
			r.take(t)
		} else {
			r.q.Outside = "ordinal"
		}
		return
	}
	last := r.c.Question
	switch {
	case last.Measure == Group && last.GroupBy == "host" && len(last.Hosts) == 0 && slices.ContainsFunc(r.c.Shown, func(t Thing) bool { return t.Kind == "host" }):
		r.take(r.shownOf(Hosts)) // "why is it the worst?" of the worst host of a site
	case len(last.CVEs)+len(last.Hosts)+len(last.Findings)+len(last.Techniques)+len(last.Scans)+len(last.Products)+len(last.Values)+len(last.CWEs)+len(last.Sites) > 0:
		r.namesOf(last)
	case len(r.c.Shown) > 0:
		r.take(r.shownOf(last.Subject))
	case r.c.About != nil:
		r.take(*r.c.About)
	}
	r.settle(last)
}

// names is how many things a question names.
func (q *Question) names() int {
	return len(q.CVEs) + len(q.Hosts) + len(q.Findings) + len(q.Techniques) + len(q.Scans) + len(q.Values) + len(q.CWEs)
}

// shownOf is the first of what was shown that is of the kind that was asked for.
func (r *reader) shownOf(s Subject) Thing {
	kind := map[Subject]string{CVEs: "cve", Hosts: "host", Findings: "finding", Scans: "scan", Techniques: "technique"}[s]
	for _, t := range r.c.Shown {
		if t.Kind == kind {
			return t
		}
	}
	return r.c.Shown[0]
}

// nth is one of what was listed, counted among those of the kind that was listed.
func (r *reader) nth(n int) (Thing, bool) {
	shown := r.c.Shown
	if n < 0 {
		n = len(shown) + 1 + n
	}
	if n < 1 || n > len(shown) {
		return Thing{}, false
	}
	return shown[n-1], true
}

// take puts a thing where its kind belongs.
func (r *reader) take(t Thing) {
	q := &r.q
	q.Follows, q.Those = true, true
	n, _ := strconv.ParseInt(t.ID, 10, 64)
	subject := Nothing
	switch t.Kind {
	case "cve":
		if id, err := cve.ParseID(t.ID); err == nil {
			q.CVEs, subject = append(q.CVEs, id), CVEs
		}
	case "finding":
		q.Findings, subject = append(q.Findings, n), Findings
	case "host":
		name := t.Name
		if name == "" {
			name = t.ID
		}
		q.Hosts, subject = append(q.Hosts, HostName{Text: name, Kind: "id", ID: n}), Hosts
	case "scan":
		q.Scans, subject = append(q.Scans, n), Scans
	case "import":
		q.Imports, subject = append(q.Imports, n), Imports
	case "technique":
		q.Techniques, subject = append(q.Techniques, t.ID), Techniques
	case "weakness":
		q.CWEs, subject = append(q.CWEs, t.ID), Weaknesses
	case "site":
		q.Sites, subject = append(q.Sites, t.ID), Sites
	case "feed":
		q.Feeds, subject = append(q.Feeds, t.ID), Feeds
	case "path":
		subject = Paths
	}
	if q.Subject == Nothing || len(r.nouns) == 0 && q.Measure != Reach && q.Measure != Suppose && q.Measure != First && !(q.Subject == Findings && (r.affected || r.ours)) || q.Subject == Fixes && q.Measure != First && len(q.CVEs)+len(q.Findings) > 0 {
		q.Subject = subject
	}
	r.settled()
}

// settle gives the subject that fits what was taken over.
func (r *reader) settle(last *Question) {
	q := &r.q
	if len(r.nouns) == 0 && q.Measure != Reach && q.Measure != Suppose && q.Measure != First && !(q.Subject == Findings && (r.affected || r.ours)) {
		switch {
		case len(q.CVEs) > 0 && r.ours && (r.affected || r.saidAttr(Affected)):
			q.Subject = Findings
		case len(q.Findings) > 0:
			q.Subject = Findings
		case len(q.CVEs) > 0:
			q.Subject = CVEs
		case len(q.Techniques) > 0:
			q.Subject = Techniques
		case len(q.Hosts) > 0:
			q.Subject = Hosts
		case q.Subject == Nothing || q.Subject == Product:
			q.Subject = last.Subject
		}
	}
	r.settled()
}

// settled reads the facts again, now that the thing is known.
func (r *reader) settled() {
	r.q.Attribute = ""
	if r.q.Subject == Product {
		return
	}
	r.standing()
	r.fact()
	r.howTo()
	if r.q.Measure == "" {
		r.q.Measure = Explain
	}
}

// namesOf takes over what the question before named.
func (r *reader) namesOf(last *Question) {
	q := &r.q
	q.Follows = true
	q.CVEs, q.Findings, q.Techniques, q.Scans = union(last.CVEs, q.CVEs), union(last.Findings, q.Findings), union(last.Techniques, q.Techniques), union(last.Scans, q.Scans)
	q.Values, q.CWEs = append(q.Values, last.Values...), append(q.CWEs, last.CWEs...)
	if len(q.Hosts) == 0 || q.Measure == Compare {
		q.Hosts = append(slices.Clone(last.Hosts), q.Hosts...)
	}
	if len(q.Products) == 0 || q.Measure == Compare {
		q.Products = append(slices.Clone(last.Products), q.Products...)
	}
	if len(q.Sites) == 0 || q.Measure == Compare {
		q.Sites = append(slices.Clone(last.Sites), q.Sites...)
	}
}

// inherit fills a part of a question from the one before: what is named anew replaces its like, the rest stays.
func (r *reader) inherit() {
	q, last := r.q, r.c.Question
	q.Follows = true
	next := q
	if next.Measure == "" || next.Measure == Explain && r.follow == "and" || len(r.measures) == 0 {
		next.Measure, next.Attribute = last.Measure, firstOf(next.Attribute, last.Attribute)
		next.GroupBy, next.Limit, next.Sort, next.Least = firstOf(next.GroupBy, last.GroupBy), firstOf(next.Limit, last.Limit), firstOf(next.Sort, last.Sort), next.Least || last.Least
	}
	if len(r.nouns) == 0 && (q.Attribute == "" || q.Subject == Nothing || q.Subject == Feeds || q.Subject == Scans) {
		next.Subject = last.Subject
	}
	r.q = next
	r.keep(last)
	r.q.Follows = true
	if r.q.Subject == Hosts && (r.q.TimeOf == "fixed" || r.q.TimeOf == "reopened") && r.q.Measure == List {
		r.q.Subject, r.q.Measure, r.q.GroupBy = Findings, Group, "host" // hosts have no time of their findings
	}
	if len(r.nouns) == 0 {
		r.fitSubject(last)
		r.worstOf()
	}
	if len(r.attributes) > 0 || r.q.KEV != nil && last.KEV == nil || r.q.Exploited != nil && last.Exploited == nil || r.q.Exploit != "" && last.Exploit == "" {
		r.q.Attribute = ""
		r.standing()
		r.fact()
		r.howTo()
		if len(r.attributes) > 0 && len(r.measures) == 0 && r.q.Attribute != "" && (r.q.Measure == Whether || r.q.Measure == Explain || r.q.Measure == How) {
			r.q.Measure = Fact
		}
		if r.q.Attribute == "" && r.q.Measure == last.Measure {
			r.q.Attribute = last.Attribute
		}
	}
}

// worstOf is "which one is the worst?" of a list.
func (r *reader) worstOf() {
	q := &r.q
	if !r.most || q.Measure != List && q.Measure != Group {
		return
	}
	if q.Limit == 0 {
		q.Limit = 1
	}
	if q.Subject == Hosts {
		q.Subject, q.Measure, q.GroupBy = Findings, Group, "host"
	}
}

// fitSubject follows a new name of another kind: "what about 10.0.0.7?" after a CVE.
func (r *reader) fitSubject(last *Question) {
	q := &r.q
	switch {
	case q.Subject == Findings || q.Subject == Fixes || q.Subject == Paths:
	case len(q.CVEs) > 0 && len(last.CVEs) == 0 && last.Subject != Hosts:
		q.Subject = CVEs
	case len(q.Hosts) > 0 && len(last.Hosts) == 0 && last.Subject == CVEs:
		q.Subject = Findings
		if q.Measure == Fact || q.Measure == Explain {
			q.Measure, q.Attribute = Whether, ""
		}
	}
}

// keep takes over the conditions that the question does not say anew.
func (r *reader) keep(last *Question) {
	q := &r.q
	place := len(q.Hosts)+len(q.Sites) > 0
	if len(q.CVEs)+len(q.Findings)+len(q.Techniques)+len(q.CWEs) == 0 {
		q.CVEs, q.Findings, q.Techniques, q.CWEs = last.CVEs, last.Findings, last.Techniques, last.CWEs
	}
	if !place {
		q.Hosts, q.Sites = last.Hosts, last.Sites
	} else if len(q.Findings) > 0 && len(last.Findings) > 0 {
		q.Findings = nil
	}
	if q.Measure == Compare {
		q.Hosts, q.Sites = union(last.Hosts, q.Hosts), union(last.Sites, q.Sites)
		q.CVEs, q.Products = union(last.CVEs, q.CVEs), union(last.Products, q.Products)
	}
	r.conditionsOf(last)
}

func union[T comparable](a, b []T) []T {
	out := slices.Clone(a)
	for _, x := range b {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

// conditionsOf takes over the conditions of the question before; what is said anew stands.
func (r *reader) conditionsOf(last *Question) {
	q := &r.q
	q.Severities, q.Decisions, q.Triage = lists(q.Severities, last.Severities), lists(q.Decisions, last.Decisions), lists(q.Triage, last.Triage)
	q.Criticality, q.Tags, q.Labels = lists(q.Criticality, last.Criticality), lists(q.Tags, last.Tags), lists(q.Labels, last.Labels)
	q.Hosts, q.Sites, q.Products, q.Ports = lists(q.Hosts, last.Hosts), lists(q.Sites, last.Sites), lists(q.Products, last.Products), lists(q.Ports, last.Ports)
	q.CVEs, q.CWEs, q.Techniques, q.Scans, q.Feeds = lists(q.CVEs, last.CVEs), lists(q.CWEs, last.CWEs), lists(q.Techniques, last.Techniques), lists(q.Scans, last.Scans), lists(q.Feeds, last.Feeds)
	q.KEV, q.Exploited, q.Ransomware, q.Exposed = firstOf(q.KEV, last.KEV), firstOf(q.Exploited, last.Exploited), firstOf(q.Ransomware, last.Ransomware), firstOf(q.Exposed, last.Exposed)
	q.MinCVSS, q.MaxCVSS, q.MinEPSS, q.MaxEPSS = firstOf(q.MinCVSS, last.MinCVSS), firstOf(q.MaxCVSS, last.MaxCVSS), firstOf(q.MinEPSS, last.MinEPSS), firstOf(q.MaxEPSS, last.MaxEPSS)
	q.Exploit, q.State, q.Owner, q.Assignee = firstOf(q.Exploit, last.Exploit), firstOf(q.State, last.State), firstOf(q.Owner, last.Owner), firstOf(q.Assignee, last.Assignee)
	q.Scanner, q.OS, q.Status = firstOf(q.Scanner, last.Scanner), firstOf(q.OS, last.OS), firstOf(q.Status, last.Status)
	q.Overdue, q.Potential, q.Jewels = q.Overdue || last.Overdue, q.Potential || last.Potential, q.Jewels || last.Jewels
	q.DueWithin = firstOf(q.DueWithin, last.DueWithin)
	q.AtLeast, q.AtMost, q.Fixable = firstOf(q.AtLeast, last.AtLeast), firstOf(q.AtMost, last.AtMost), firstOf(q.Fixable, last.Fixable)
	q.Titled = lists(q.Titled, last.Titled)
	if q.Measure == Compare || q.Owner == last.Owner {
		q.Owners = lists(q.Owners, last.Owners)
	}
	if q.Measure == Compare || q.OS == last.OS {
		q.Systems = lists(q.Systems, last.Systems)
	}
	if q.Time == nil {
		q.Time, q.TimeOf = last.Time, last.TimeOf
	} else if last.TimeOf != "" && len(r.times) == 0 {
		q.TimeOf = last.TimeOf
	}
}

func firstOf[T comparable](a, b T) T {
	var zero T
	if a == zero {
		return b
	}
	return a
}

func lists[T any](a, b []T) []T {
	if len(a) == 0 {
		return b
	}
	return a
}
