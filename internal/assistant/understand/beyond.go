package understand

import (
	"slices"
	"strings"
)

// beyond finds what no data answers although words of ours are in it: what is said of an answer that was never given, and
// what is asked of a thing, or of its maker, that is none of the attributes there are.
func (r *reader) beyond() {
	q := &r.q
	switch {
	case q.Outside != "" || q.Act != "" || q.Subject == Product:
	case len(q.Products) > 0 && len(q.CVEs) == 0 && (q.Subject == Software || q.Subject == Hosts || q.Subject == Nothing || q.Subject == CVEs) && r.those == "" && r.newest():
		q.Outside = "newest"
	case r.ofNothing():
		q.Outside = "context"
	case r.c.Question == nil && r.belongings():
		q.Outside = "unknown"
	}
}

// newest says whether what is asked hangs on which version of a product is the newest one.
func (r *reader) newest() bool {
	text := strings.ToLower(r.q.Text)
	for _, said := range []string{"up to date", "up-to-date", "outdated", "out of date", "obsolete", "latest version", "newest version", "current version of", "old version", "older version", "latest release", "newest release", "is the latest", "is the newest"} {
		if at := strings.Index(text, said); at >= 0 {
			return !strings.Contains(text[at:], "older version of") && !strings.Contains(text, " than ") && !strings.Contains(text, "affected")
		}
	}
	return false
}

// ofNothing says whether the question points at an answer before it, and there is none.
func (r *reader) ofNothing() bool {
	q := &r.q
	if r.c.Question != nil || r.c.About != nil || r.namesAny() || len(r.nouns) > 0 || len(q.Tags)+len(r.topics)+len(r.classes) > 0 || len(r.unplaced()) > 0 {
		return false
	}
	words := len(r.tokens) - r.began
	switch {
	case r.follow == "more", q.Ordinal != 0:
		return true
	case r.follow == "and" && q.Subject == Nothing:
		return true
	case q.Measure == Why && !r.conditions() && q.GroupBy == "" && q.Time == nil:
		return words <= 3 || r.those != ""
	case r.those == "yes":
		return words <= 8 && (r.saidThose("them", "these", "those") || words <= 4)
	case r.those == "one":
		return words <= 6 && q.Measure != Overview && q.Measure != First && r.saidThose("it", "that") && r.word(len(r.tokens)-1) != "it" && !r.has("here") || words <= 4 && q.Measure == How
	}
	return false
}

// saidThose says whether one of the words points, and does not merely join: "that" of "anything that is exposed" joins.
func (r *reader) saidThose(words ...string) bool {
	for i, t := range r.tokens {
		if slices.Contains(words, t.word) && (t.word != "that" || i == len(r.tokens)-1 || i <= r.began+1) {
			return true
		}
	}
	return false
}

// belongings says whether what is asked is something of a thing that nothing is known of: "the landlord of 10.0.0.5",
// "how much memory does db1 have".
func (r *reader) belongings() bool {
	q := &r.q
	if len(q.Hosts)+len(q.Products)+len(q.Sites) == 0 || len(q.CVEs)+len(q.Findings)+len(r.attributes)+len(r.classes)+len(r.topics) > 0 || q.GroupBy != "" || r.conditions() && len(q.Sites) == 0 {
		return false
	}
	if slices.ContainsFunc(r.nouns, func(n noun) bool { return n.subject != "hosts" && n.subject != "software" }) {
		return false
	}
	for _, i := range r.unplaced() {
		t := r.tokens[i]
		if t.kind != wordToken || len(t.word) < 3 || fillers()[t.word] || !commonWords()[t.word] && !commonWords()[t.single] && len(t.word) < 5 {
			continue
		}
		before, after := r.word(i-1), r.word(i+1)
		switch {
		case before == "much" && r.word(i-2) == "how":
			return true
		case (after == "of" || after == "for" && before == "the") && (before == "the" || before == "is" || before == "what's" || before == "whats" || before == "whose"):
			return true
		case after == "does" && (before == "what" || before == "which"), after == "of" && (r.word(i-2) == "the" || r.word(i-2) == "what"):
			return true
		}
	}
	return false
}

// factual says whether a question begins as those for one fact do, which no description of a vulnerability does.
func (r *reader) factual() bool {
	first, second := r.word(r.began), r.word(r.began+1)
	switch first {
	case "who", "whose", "whom":
		return true
	case "when":
		return true
	case "how":
		return second == "old" || second == "much" || second == "tall" || second == "big" || second == "expensive" || second == "often"
	case "under", "until", "till":
		return second == "what" || second == "which" || second == "when"
	}
	return strings.HasPrefix(strings.ToLower(r.q.Text), "for how long")
}
