package explain

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/patchscout/patchscout/internal/cve"
)

// what says what it is: the product and the kind of flaw in our words where both are known, else the publisher's words
// and then the kind of flaw.
func (w *writer) what() {
	if w.in.Check != nil {
		w.check()
		return
	}
	if w.product.name.text != "" && w.flaw.clause.text != "" && (!w.flaw.generic || w.words().text == "") {
		w.say(What, w.flawed())
		return
	}
	words := w.words()
	switch {
	case words.text != "":
		w.say(What, words)
		w.kind()
	case w.product.name.text != "" && w.flaw.entry.text != "":
		w.say(What, w.text("what.named", with("product", w.product.name), with("weakness", w.flaw.entry)))
	case w.product.name.text != "":
		w.say(What, w.text("what.unknown", with("product", w.product.name)).on(FieldCWEs, FieldDescription))
	default:
		w.say(What, w.text("what.nothing", with("id", w.id())).on(FieldDescription))
		w.kind()
	}
}

// flawed is "X has a flaw: …". A name that its makers begin with a small letter does not begin a sentence.
func (w *writer) flawed() phrase {
	key := "what.one"
	switch first, _ := utf8.DecodeRuneInString(w.product.name.text); {
	case unicode.IsLower(first):
		key = "what.in"
	case w.product.many:
		key = "what.many"
	}
	return w.text(key, with("product", w.product.name), with("flaw", w.flaw.clause), with("name", w.flawName()))
}

func (w *writer) flawName() phrase {
	if w.flaw.name.text == "" {
		return phrase{}
	}
	return w.text("name", with("name", w.flaw.name))
}

// words are the publisher's own: the description's first sentence, the assigner's title, CISA's name of it.
func (w *writer) words() phrase {
	if quote := w.description(); quote.text != "" {
		return quote
	}
	if text := quotable(w.record.Title); text != "" && w.ownTitle() {
		return w.text("what.title", with("text", known(text, FieldTitle)))
	}
	if k := w.in.Facts.KEV; k != nil {
		if text := quotable(k.Name); text != "" {
			return w.text("what.kev", with("text", known(text, FieldKEVName)))
		}
	}
	return phrase{}
}

// description quotes the publisher's description, and names the product where the quotation does not.
func (w *writer) description() phrase {
	quote, note := w.quote()
	switch product := w.product.name; {
	case quote == "":
		return phrase{}
	case note == "" && product.text != "" && !names(quote, product.text):
		return w.text("what.quoted.of", with("text", known(quote, FieldDescription)), with("product", product))
	default:
		return w.text("what.quoted"+note, with("text", known(quote, FieldDescription)))
	}
}

// quote is what of the description is worth quoting: its beginning, or, where the product is known anyway, the first
// sentence that speaks of a weakness.
func (w *writer) quote() (text, note string) {
	all, note := untagged(clean(w.record.Description))
	text = quotable(all)
	if text == "" || w.product.name.text == "" || telling.MatchString(text) {
		return text, note
	}
	return quotable(all[tellingAt(all):]), note
}

// names says that a quotation holds a word of the product's name that is long enough to be one.
func names(quote, product string) bool {
	quote = strings.ToLower(quote)
	for word := range strings.FieldsSeq(strings.ToLower(product)) {
		if len(word) > 2 && word != "and" && strings.Contains(quote, word) {
			return true
		}
	}
	return false
}

// ownTitle says that the title is the assigner's, not one that was made from other fields.
func (w *writer) ownTitle() bool {
	return slices.ContainsFunc(w.record.Origins, func(o cve.Origin) bool { return o.Field == cve.FieldTitle })
}

// kind words the CWE after a quotation; a generic one adds nothing to it.
func (w *writer) kind() {
	switch {
	case w.flaw.generic:
	case w.flaw.clause.text != "":
		w.say(What, w.text("what.kind", with("flaw", w.flaw.clause), with("name", w.flawName())))
	case w.flaw.entry.text != "":
		w.say(What, w.text("what.kind.named", with("weakness", w.flaw.entry)))
	}
}

// check words what a scanner found without a CVE.
func (w *writer) check() {
	c := w.in.Check
	source := known(cut(clean(c.Source), maxName), FieldCheck)
	if source.text == "" {
		source.text = "?"
	}
	if title := quotable(c.Title); title != "" {
		w.say(What, w.text("what.check", with("source", source), with("text", known(title, FieldCheck))))
		return
	}
	key := cut(clean(c.Key), maxName)
	w.say(What, w.text("what.check.id", with("source", source), with("key", known(key, FieldCheck))))
}
