package understand

import (
	"fmt"
	"strconv"
	"strings"
)

// Words is the question as it was read, in one sentence. It names no CVE that the asker did not name.
func (q Question) Words() string {
	switch {
	case q.Outside != "":
		return "A question that no data here answers (" + q.Outside + ")."
	case q.Act != "":
		return "A request to do something (" + q.Act + "), not a question."
	case q.Subject == Nothing:
		return "The question was not understood."
	case q.Subject == Product:
		return "How PatchScout works: " + list(q.Topics, "and") + "."
	case q.Subject == CVEs && q.Measure == List && len(q.Rest) > 0 && q.Understood <= 0.3:
		return "Which CVEs are described as \"" + strings.Join(q.Rest, " ") + "\"?"
	}
	if q.Subject == Indicators {
		q.Hosts = nil // they are the values
	}
	text := strings.Join(strings.Fields(q.opening()+" "+q.narrowed()), " ")
	if strings.HasPrefix(text, "Tell") || strings.HasPrefix(text, "Explain") || strings.HasPrefix(text, "Compare") {
		return text + "."
	}
	return text + "?"
}

// opening says what is wanted of what.
func (q Question) opening() string {
	what := q.what()
	switch q.Measure {
	case Count:
		if q.GroupBy != "" {
			return "How many different values of " + q.GroupBy + " have " + what
		}
		return "How many " + what + " are there"
	case Group:
		order := "most first"
		if q.Least {
			order = "fewest first"
		}
		return "How many " + what + " are there by " + q.GroupBy + ", " + order
	case Fact:
		if q.Attribute == OpenPorts || q.Attribute == Affected || q.Attribute == Exploits || q.Attribute == References || q.Attribute == Addresses || q.Attribute == Names || q.Attribute == TagsOf {
			return "What are the " + attributeWords(q.Attribute) + " of " + what
		}
		return "What is the " + attributeWords(q.Attribute) + " of " + what
	case Whether:
		if q.Subject == Indicators && len(q.Values) > 0 {
			return "Is " + list(q.Values, "or") + " known as bad"
		}
		if q.Attribute != "" {
			return "Yes or no, " + attributeWords(q.Attribute) + " of " + what
		}
		return "Are there any " + what
	case Explain:
		return "What is there to know about " + what
	case Why:
		return "Why is it so with " + what
	case Compare:
		return "Compare " + what
	case Change:
		return "What changed among " + what
	case Trend:
		return "How did the number of " + what + " develop"
	case First:
		return "What comes first among " + what
	case Reach:
		return "How would an attacker reach " + hostWords(q.Hosts) + from(q.From)
	case Suppose:
		return "What would change if this were fixed: " + what
	case How:
		return "How is this fixed: " + what
	}
	which := "Which "
	if q.Limit > 0 {
		which = "Which are the first " + strconv.Itoa(q.Limit) + " "
	}
	return which + what + " are there"
}

func from(places []HostName) string {
	if len(places) == 0 {
		return ""
	}
	return " from " + hostWords(places)
}

// what is the subject with what stands before it: "critical open findings".
func (q Question) what() string {
	var words []string
	if q.Subject == Findings {
		words = append(words, stateWords(q.State))
	}
	if q.Overdue {
		words = append(words, "overdue")
	}
	if q.Potential {
		words = append(words, "unconfirmed")
	}
	if len(q.Severities) > 0 && q.Subject != Hosts {
		words = append(words, list(q.Severities, "or"))
	}
	text := strings.Join(append(words, q.noun()), " ")
	if len(q.Severities) > 0 && q.Subject == Hosts {
		text += " with " + list(q.Severities, "or") + " findings"
	}
	return text
}

// noun is what is spoken of: the things that are named, else the subject.
func (q Question) noun() string {
	var named []string
	for _, id := range q.CVEs {
		named = append(named, id.String())
	}
	switch q.Subject {
	case CVEs:
		if len(named) > 0 {
			return list(named, "and")
		}
		return "CVEs"
	case Findings:
		if len(q.Findings) > 0 {
			return "finding " + numbers(q.Findings)
		}
	case Hosts:
		if len(q.Hosts) > 0 && q.Measure != Count && q.Measure != List {
			return hostWords(q.Hosts)
		}
	case Techniques:
		if len(q.Techniques) > 0 {
			return list(q.Techniques, "and")
		}
	case Weaknesses:
		if len(q.CWEs) > 0 {
			return list(q.CWEs, "and")
		}
	case Indicators:
		if len(q.Values) > 0 {
			return list(q.Values, "and")
		}
	case Scans:
		if len(q.Scans) == 1 && q.Scans[0] == -1 {
			return "the last scan"
		}
		if len(q.Scans) > 0 {
			return "scan " + numbers(q.Scans)
		}
	case Feeds:
		if len(q.Feeds) > 0 {
			return "data"
		}
	case Paths:
		return "attack paths"
	}
	return string(q.Subject)
}

func stateWords(state string) string {
	switch state {
	case "":
		return "open"
	case "all":
		return "open and fixed"
	}
	return state
}

// narrowed says the conditions.
func (q Question) narrowed() string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	yes := func(b *bool, is, not string) {
		if b != nil {
			out = append(out, map[bool]string{true: is, false: not}[*b])
		}
	}
	if q.Subject != Hosts && q.Measure != Reach || q.Measure == Count || q.Measure == List {
		if len(q.Hosts) > 0 && q.Measure != Reach {
			say("on %s", hostWords(q.Hosts))
		}
	}
	if q.Subject != CVEs && len(q.CVEs) > 0 {
		var ids []string
		for _, id := range q.CVEs {
			ids = append(ids, id.String())
		}
		say("of %s", list(ids, "or"))
	}
	if len(q.Products) > 0 {
		say("%s %s", map[bool]string{true: "without", false: "with"}[q.Negated], productWords(q.Products))
	}
	if len(q.Sites) > 0 {
		say("in site %s", list(q.Sites, "or"))
	}
	if len(q.Ports) > 0 {
		say("on port %s", portWords(q.Ports))
	}
	if q.Subject != Weaknesses && len(q.CWEs) > 0 {
		say("of %s", list(q.CWEs, "or"))
	}
	if q.Subject != Techniques && len(q.Techniques) > 0 {
		say("of technique %s", list(q.Techniques, "or"))
	}
	if len(q.Decisions) > 0 {
		say("with decision %s", list(q.Decisions, "or"))
	}
	yes(q.KEV, "in KEV", "not in KEV")
	yes(q.Exploited, "that are exploited", "that are not exploited")
	yes(q.Ransomware, "used by ransomware", "not used by ransomware")
	yes(q.Exposed, "reachable from the internet", "not reachable from the internet")
	switch q.Exploit {
	case "":
	case "none":
		say("without a public exploit")
	case "any":
		say("with a public exploit")
	default:
		say("with an exploit in %s", q.Exploit)
	}
	bound := func(name string, least, most *float64, format func(float64) string) {
		switch {
		case least != nil && most != nil && *least == *most:
			say("with %s %s", name, format(*least))
		case least != nil && most != nil:
			say("with %s from %s to %s", name, format(*least), format(*most))
		case least != nil:
			say("with %s of at least %s", name, format(*least))
		case most != nil:
			say("with %s of at most %s", name, format(*most))
		}
	}
	bound("CVSS", q.MinCVSS, q.MaxCVSS, func(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) })
	bound("EPSS", q.MinEPSS, q.MaxEPSS, func(f float64) string { return strconv.FormatFloat(100*f, 'f', -1, 32) + " %" })
	if q.Jewels {
		say("on crown jewels")
	}
	for _, c := range []struct {
		words string
		list  []string
	}{{"marked", q.Triage}, {"on hosts of criticality", q.Criticality}, {"tagged", q.Tags}, {"labelled", q.Labels}} {
		if len(c.list) > 0 {
			say("%s %s", c.words, strings.ReplaceAll(list(c.list, "or"), "_", " "))
		}
	}
	for _, c := range []struct{ words, value string }{{"owned by", q.Owner}, {"assigned to", q.Assignee}, {"reported by", q.Scanner}, {"with operating system", q.OS}, {"with status", q.Status}} {
		if c.value != "" {
			say("%s %s", c.words, c.value)
		}
	}
	if len(q.Scans) > 0 && q.Subject != Scans {
		say("of scan %s", numbers(q.Scans))
	}
	if len(q.Feeds) > 0 {
		say("of feed %s", list(q.Feeds, "and"))
	}
	if q.DueWithin != nil {
		say("due %s", timeWords(q.DueWithin.Words))
	}
	if q.Time != nil {
		say("%s", strings.TrimSpace(strings.ReplaceAll(q.TimeOf, "_", " ")+" "+timeWords(q.Time.Words)))
		if q.Against != nil {
			say("against %s", q.Against.Words)
		}
	}
	if q.Audience != "" {
		say("for a %s reader", map[string]string{"manager": "non-technical", "technical": "technical"}[q.Audience])
	}
	return strings.Join(out, ", ")
}

// timeWords puts "in" before a time that has no word of its own.
func timeWords(words string) string {
	first, _, _ := strings.Cut(words, " ")
	switch first {
	case "since", "before", "after", "until", "between", "in", "more", "less", "today", "yesterday", "last", "this", "next":
		return words
	}
	return "in " + words
}

func attributeWords(a Attribute) string {
	switch a {
	case CVSS:
		return "CVSS score"
	case EPSS:
		return "EPSS score"
	case KEVAttr:
		return "KEV entry"
	case Vector:
		return "CVSS vector"
	case OS:
		return "operating system"
	case Weakness:
		return "weakness (CWE)"
	case FixedIn:
		return "fixed version"
	case Affected:
		return "affected products"
	case ExploitedBy:
		return "exploitation"
	case Published:
		return "day of publication"
	case Modified:
		return "day of the last change"
	case OpenPorts:
		return "open ports"
	case Duration:
		return "duration"
	}
	return strings.ReplaceAll(string(a), "_", " ")
}

// list is "a", "a or b", "a, b or c".
func list(items []string, last string) string {
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	return strings.Join(items[:len(items)-1], ", ") + " " + last + " " + items[len(items)-1]
}

func numbers(ids []int64) string {
	var out []string
	for _, id := range ids {
		switch id {
		case -1:
			out = append(out, "the last one")
		case -2:
			out = append(out, "the one before")
		default:
			out = append(out, strconv.FormatInt(id, 10))
		}
	}
	return list(out, "and")
}

func hostWords(hosts []HostName) string {
	var out []string
	for _, h := range hosts {
		switch h.Kind {
		case "internet":
			out = append(out, "the internet")
		case "jewels":
			out = append(out, "the crown jewels")
		case "id":
			out = append(out, "host "+h.Text)
		case "site":
			out = append(out, "site "+h.Text)
		default:
			out = append(out, h.Text)
		}
	}
	if len(out) == 0 {
		return "any host"
	}
	return list(out, "and")
}

func productWords(products []ProductName) string {
	var out []string
	for _, p := range products {
		text := p.Text
		if p.Version != "" {
			text += strings.TrimRight(" "+map[string]string{"<": "older than ", "<=": "up to ", ">": "newer than ", ">=": "at least "}[p.Relation], " ") + " " + p.Version
		}
		out = append(out, text)
	}
	return list(out, "and")
}

func portWords(ports []Port) string {
	var out []string
	for _, p := range ports {
		text := strconv.Itoa(int(p.From))
		if p.To != p.From {
			text += "-" + strconv.Itoa(int(p.To))
		}
		if p.Protocol != "" {
			text += "/" + p.Protocol
		}
		out = append(out, text)
	}
	return list(out, "or")
}
