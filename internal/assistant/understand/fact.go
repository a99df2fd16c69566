package understand

import (
	"slices"
)

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
