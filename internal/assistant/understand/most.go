package understand

import (
	"slices"
	"strings"
)

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
