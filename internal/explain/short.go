package explain

import (
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/cve"
)

// Short is the CVE in one line in language l: the product and the flaw, then what makes it urgent.
func (l *Language) Short(in Input) Sentence {
	w := newWriter(l, in)
	if w.record.Rejected() {
		p := w.text("short.rejected", with("id", w.id())).on(w.withdrawal())
		return Sentence{Topic: What, Text: p.text, Fields: p.sorted()}
	}
	p := w.text("short", with("what", w.shortWhat()), with("more", w.shortMore()))
	return Sentence{Topic: What, Text: p.text, Fields: p.sorted()}
}

// maxTitle runes of a publisher's words stand in a title.
const maxTitle = 90

func (w *writer) shortWhat() phrase {
	quote, _ := w.quote()
	flaw := w.flaw.name
	if flaw.text == "" {
		flaw = w.flaw.entry
	}
	switch product := w.product.name; {
	case product.text != "" && flaw.text != "":
		return w.text("short.flaw", with("product", product), with("flaw", flaw))
	case w.in.Check != nil && quotable(w.in.Check.Title) != "":
		return known(headline(w.in.Check.Title), FieldCheck)
	case w.ownTitle() && quotable(w.record.Title) != "":
		return known(headline(w.record.Title), FieldTitle)
	case w.in.Facts.KEV != nil && quotable(w.in.Facts.KEV.Name) != "":
		return known(headline(w.in.Facts.KEV.Name), FieldKEVName)
	case quote != "":
		return known(headline(quote), FieldDescription)
	case product.text != "":
		return w.text("short.product", with("product", product))
	default:
		return w.text("short.nothing").on(FieldDescription)
	}
}

// headline is the beginning of a publisher's words.
func headline(text string) string { return strings.TrimRight(cut(quotable(text), maxTitle), ".") }

func (w *writer) shortMore() phrase {
	state := phrase{}
	switch k := w.in.Facts.KEV; {
	case k != nil:
		state = w.optional("short.used.date", k.Added, FieldKEVAdded).on(FieldKEV)
		if state.text == "" {
			state = w.text("short.used").on(FieldKEV)
		}
	case w.used().text != "":
		state = w.text("short.used").on(w.used().fields...)
	case w.in.attackCode():
		state = w.text("short.code").on(FieldExploits)
	}
	score := w.text("short.unscored").on(FieldCVSS)
	if m := w.metric(); m != (cve.Metric{}) {
		score = w.text("short.score", with("score", known(strconv.FormatFloat(min(max(m.Score, 0), 10), 'f', 1, 64), FieldCVSSScore)))
	}
	return phrase{state.text + score.text, append(state.fields, score.fields...)}
}

// attackCode says that somebody publishes code which attacks; a template that looks for the weakness does not.
func (in Input) attackCode() bool {
	for _, e := range in.Facts.Exploits {
		if e.Source != "nuclei" {
			return true
		}
	}
	return false
}
