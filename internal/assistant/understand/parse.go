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
		return r.description()
	}
	r.resolve()
	r.follows()
	r.finish()
	return r.q
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

// numbers gives numbers that no phrase took to what they can belong to: the version of the product before them.
func (r *reader) numbers() {
	for i, t := range r.tokens {
		if r.placed[i] || t.kind != numberToken {
			continue
		}
		switch {
		case r.afterProduct(i):
			r.setVersion(i, strings.TrimSuffix(t.word, "%"))
			r.placeVersion(i)
		case thresholds[r.word(i-1)]: // "hosts with more than 5 findings": no list is as long as that
		case i+1 < len(r.tokens) && r.q.Limit == 0 && t.number >= 1 && t.number <= 1000 && r.nounAt(i+1, i+3):
			r.q.Limit = int(t.number)
			r.placed[i] = true
		}
	}
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
