package understand

import (
	"slices"
	"strings"
)

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
