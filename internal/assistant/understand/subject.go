package understand

import (
	"slices"
	"strings"
)

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
