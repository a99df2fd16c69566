package understand

import (
	"slices"
	"strings"
	"time"
)

// Parse reads a question. now is the asker's time, in his zone. It never fails: what is not understood has Subject Nothing
// or words in Rest.
func Parse(text string, v Vocabulary, c Context, now time.Time) Question {
	r := &reader{v: v, c: c, now: now}
	r.q.Text = text
	r.tokens = r.split(tokenise(text))
	r.match()
	if r.correct() {
		r.match()
	}
	r.gather()
	r.numbers()
	if r.describes() {
		if r.asks() && r.factual() && len(r.attributes)+len(r.times) == 0 && r.q.Time == nil {
			r.q.Outside = "unknown"
			r.finish()
			return r.q
		}
		return r.description()
	}
	if r.greets() {
		return r.q
	}
	r.resolve()
	r.follows()
	r.beyond()
	r.finish()
	return r.q
}

// greets says whether nothing but politeness was said.
func (r *reader) greets() bool {
	if len(r.tokens) == 0 || r.follow != "" || len(r.unplaced()) > 0 || slices.ContainsFunc(r.spans, func(s span) bool { return !s.says("polite") && !s.says("filler") }) {
		return false
	}
	key := ""
	for _, t := range r.tokens {
		switch t.word {
		case "hi", "hello", "hey", "morning", "afternoon", "evening", "day", "greetings", "howdy", "moin":
			key = "greeting"
		case "thanks", "thank", "thx", "ty", "ok", "okay", "great", "nice", "perfect", "cool", "bye", "goodbye", "cheers", "understood", "alright", "awesome", "wonderful", "excellent", "got", "sorry", "fine":
			key = firstOf(key, "thanks")
		}
	}
	r.q.Outside, r.q.Understood = key, 1
	return key != ""
}

// split takes apart words with a dash whose parts the grammar knows: "false-positive", "internet-facing".
func (r *reader) split(tokens []token) []token {
	var out []token
	for _, t := range tokens {
		parts := strings.Split(t.word, "-")
		heads := theGrammar().heads
		if t.kind != wordToken || len(parts) < 2 || heads[t.word] || len(r.v.Host(t.word)) > 0 || !all(parts, func(p string) bool { return heads[p] || heads[singular(p)] }) {
			out = append(out, t)
			continue
		}
		for i, p := range classifyAll(parts) {
			p.after = t.after && i == 0
			out = append(out, p)
		}
	}
	return out
}

func classifyAll(parts []string) []token {
	var out []token
	for _, p := range parts {
		out = append(out, classify(p)...)
	}
	return out
}

func all(list []string, ok func(string) bool) bool {
	return !slices.ContainsFunc(list, func(s string) bool { return !ok(s) })
}

// numbers gives numbers that no phrase took to what they can belong to: the version of the product before them, a port, how
// many findings a host has, or how many things are wanted.
func (r *reader) numbers() {
	for i, t := range r.tokens {
		n, ok := t.numeric()
		if !ok || r.placed[i] && t.kind == numberToken {
			continue
		}
		switch {
		case t.kind == numberToken && r.afterProduct(i):
			r.setVersion(i, strings.TrimSuffix(t.word, "%"))
			r.placeVersion(i)
		case r.bound(i):
			r.placed[i] = true
		case t.kind == numberToken && r.portish(i):
			r.port(t.word)
			r.placed[i] = true
		case thresholds[r.word(i-1)]: // no list is as long as that
		case r.q.Limit == 0 && n >= 1 && n <= 1000 && t.word != "one" && t.word != "couple" && t.word != "half" && r.q.AtLeast == nil && r.nounAt(i+1, i+3):
			r.q.Limit = int(n)
			r.placed[i] = true
		}
	}
}

// bound reads "more than 5 critical findings", "at least one", "3 or more vulnerabilities".
func (r *reader) bound(i int) bool {
	before, after := r.word(i-2)+" "+r.word(i-1), r.word(i+1)+" "+r.word(i+2)
	sign := ""
	switch {
	case before == "at least" || before == "minimum of" || before == "fewer than" && r.word(i-3) == "no" || before == "less than" && (r.word(i-3) == "no" || r.word(i-3) == "not"), r.word(i-1) == ">=", after == "or more", after == "or above", after == "and more":
		sign = ">="
	case before == "at most" || before == "up to" || before == "maximum of" || before == "more than" && (r.word(i-3) == "no" || r.word(i-3) == "not"), r.word(i-1) == "<=", after == "or less", after == "or fewer":
		sign = "<="
	case before == "more than" || before == "greater than" || before == "higher than", r.word(i-1) == "over", r.word(i-1) == "above", r.word(i-1) == ">", r.word(i-1) == "exceeding":
		sign = ">"
	case before == "less than" || before == "fewer than" || before == "lower than", r.word(i-1) == "under", r.word(i-1) == "below", r.word(i-1) == "<":
		sign = "<"
	case r.word(i-1) == "exactly", r.word(i-1) == "precisely", r.word(i-1) == "only" && r.word(i-2) == "with":
		sign = "="
	default:
		return false
	}
	from := i + 1
	if sign != "" && strings.HasPrefix(after, "or ") || after == "and more" {
		from = i + 3
	}
	r.counted = r.countedFrom(from)
	if r.counted == "" && r.nounBefore(i) && (i == len(r.tokens)-1 || from >= len(r.tokens)) {
		r.counted = "findings" // "hosts with findings > 5"
	}
	if r.counted == "services" || r.counted == "software" || r.counted == "scans" {
		r.q.Unknown = append(r.q.Unknown, "number of "+r.counted+" of a host")
		return false
	}
	if r.counted == "" {
		return false
	}
	for at := i - 3; at < from; at++ {
		if at >= 0 && (thresholds[r.word(at)] || boundWords[r.word(at)]) {
			r.placed[at] = true
		}
	}
	r.threshold(span{}, sign+r.tokens[i].word)
	return true
}

var boundWords = map[string]bool{"or": true, "more": true, "less": true, "fewer": true, "no": true, "minimum": true, "maximum": true, "exceeding": true, "greater": true, "above": true, "and": true}

// countedFrom is the noun that comes next, with nothing but what narrows it before.
func (r *reader) countedFrom(i int) string {
	for _, s := range r.spans {
		if s.from < i || s.from > i+5 {
			continue
		}
		for _, e := range s.effects {
			switch e.key {
			case "subject":
				return e.value
			case "severity":
				if s.to == len(r.tokens) {
					return "findings"
				}
			case "kev", "exploited", "overdue", "state", "decision", "filler", "exploit", "potential", "cvss", "triage", "not", "measure", "exposed", "os", "ransomware", "attr", "class":
			default:
				return ""
			}
		}
	}
	return ""
}

// portish says whether a number is that of a port: "listens on 8080".
func (r *reader) portish(i int) bool {
	t := r.tokens[i]
	if t.number < 1 || t.number > 65535 || strings.ContainsAny(t.word, ".%") || len(r.q.Ports) > 8 {
		return false
	}
	before, after := r.word(i-1), r.word(i+1)
	if after == "open" || after == "tcp" || after == "udp" || after == "reachable" && before != "than" {
		return true
	}
	return (before == "on" || before == "at" || before == "via" || before == "or" && r.tokens[max(0, i-2)].kind == numberToken || before == "and" && r.tokens[max(0, i-2)].kind == numberToken) && slices.ContainsFunc(r.tokens[:i], func(t token) bool { return listeningWords[t.word] })
}

var listeningWords = map[string]bool{
	"listen": true, "listens": true, "listening": true, "answer": true, "answers": true, "respond": true, "responds": true, "open": true, "services": true, "service": true, "runs": true, "running": true, "reachable": true, "exposed": true, "exposes": true, "something": true, "anything": true,
}

// thresholds are the words that make a number a bound.
var thresholds = map[string]bool{"than": true, "least": true, "most": true, "over": true, "under": true, "above": true, "below": true, "exactly": true, ">": true, "<": true, ">=": true, "<=": true}

// placeVersion marks a version and the words of comparison around it.
func (r *reader) placeVersion(i int) {
	r.placed[i] = true
	for at := i - 1; at >= 0 && versionWord[r.word(at)]; at-- {
		r.placed[at] = true
	}
	if w := r.word(i + 1); (w == "or" || w == "and") && r.relation(i) != "" {
		r.placed[i+1], r.placed[min(i+2, len(r.tokens)-1)] = true, true
	}
}

// afterProduct says whether a product, and nothing but words of comparison, stands before token i.
func (r *reader) afterProduct(i int) bool {
	for at := i - 1; at >= 0 && at > i-5; at-- {
		for _, s := range r.spans {
			if s.to == at+1 && s.says("product") {
				return true
			}
		}
		if !versionWord[r.word(at)] {
			return false
		}
	}
	return false
}

var versionWord = map[string]bool{
	"version": true, "versions": true, "older": true, "newer": true, "than": true, "before": true, "below": true, "above": true, "prior": true, "to": true, "up": true, "at": true, "least": true,
	"most": true, "after": true, "less": true, "lower": true, "higher": true, "<": true, ">": true, "<=": true, ">=": true, "under": true, "over": true, "earlier": true, "later": true, "in": true, "release": true, "v": true,
}

// nounAt says whether a subject is named by the next tokens.
func (r *reader) nounAt(from, to int) bool {
	return slices.ContainsFunc(r.spans, func(s span) bool { return s.from >= from && s.from < to && s.says("subject") })
}
