package textindex

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	maxWord     = 64 // bytes of a term; longer words are cut
	maxParts    = 8  // words that are joined to one extra
	maxWords    = 1 << 16
	maxText     = 1 << 20
	maxQuery    = 4096 // bytes of a question
	maxClauses  = 64   // words of a question that are looked up
	versionSign = '.'
)

// emit takes a term, folded (lower case, no diacritics, at most 64 bytes) and valid until the next call, with the bytes of
// the text that it stands for, and says whether to go on. extra marks another reading of what stands there: a search for
// all words wants the words; extras only add to the rank.
type emit func(term []byte, start, end int, extra bool) bool

// tokenizer is reused from text to text to save memory. Not safe for concurrent use.
type tokenizer struct {
	folded []byte // the folded words of a chain, one after the other
	whole  []byte // room for an extra
	parts  []part // the words of a chain
	wide   []byte // room for folding what is not ASCII
	stems  []byte // room for a stem
}

// part is a word of a chain such as mod_proxy.so.
type part struct {
	start, end int  // in the text
	from, to   int  // in tokenizer.folded
	joiner     byte // what stands before it: . _ - or 0
	digit      bool // begins with a digit
}

// each emits the words of a text in order. Words are runs of letters and digits. What is special here:
//
//	CVE-2021-44228   cve-2021-44228                  one word
//	2.4.49           2.4.49 +2.4                      a version, and the line it belongs to
//	mod_proxy.so     mod, proxy, so +modproxyso       joined by . _ -
//	FrontPage        frontpage +front +page
//	C++, C#          c +c++, c +c#
//	overflows        overflow                         English plurals, whatever the language
func (t *tokenizer) each(text string, take emit) {
	yield := func(term []byte, start, end int, extra bool) bool { return take(t.stem(term), start, end, extra) }
	if len(text) > maxText {
		text = text[:maxText]
	}
	for at := 0; at < len(text); {
		if c := text[at]; c < utf8.RuneSelf && !word[c] {
			at++
			continue
		}
		next := t.chain(text, at)
		if len(t.parts) > 0 && !t.flush(text, yield) {
			return
		}
		at = next
	}
}

// word tells the ASCII letters and digits; lower folds them.
var word, lower = asciiTables()

func asciiTables() (word [256]bool, lower [256]byte) {
	for c := range 256 {
		b := byte(c)
		lower[c] = b
		switch {
		case b >= 'A' && b <= 'Z':
			lower[c] = b + 'a' - 'A'
			word[c] = true
		case b >= 'a' && b <= 'z', b >= '0' && b <= '9':
			word[c] = true
		}
	}
	return word, lower
}

// chain reads words joined by single . _ - into t.parts and returns where the text goes on.
func (t *tokenizer) chain(text string, at int) int {
	t.parts, t.folded = t.parts[:0], t.folded[:0]
	joiner := byte(0)
	for {
		from := len(t.folded)
		end := t.run(text, at)
		if end == at {
			_, size := utf8.DecodeRuneInString(text[at:])
			return at + size
		}
		if to := len(t.folded); to > from {
			p := part{start: at, end: end, from: from, to: to, joiner: joiner, digit: isDigit(t.folded[from])}
			t.parts = append(t.parts, p)
		}
		if end+1 >= len(text) || len(t.parts) == maxParts || !joins(text[end]) || !startsWord(text[end+1:]) {
			return end
		}
		joiner, at = text[end], end+1
	}
}

func joins(c byte) bool { return c == '.' || c == '_' || c == '-' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func startsWord(text string) bool {
	if text[0] < utf8.RuneSelf {
		return word[text[0]]
	}
	r, _ := utf8.DecodeRuneInString(text)
	return wordRune(r)
}

func wordRune(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsNumber(r))
}

// run folds one run of letters and digits into t.folded, at most maxWord bytes of it, and returns its end.
func (t *tokenizer) run(text string, at int) int {
	limit := len(t.folded) + maxWord
	for at < len(text) {
		c := text[at]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[at:])
			if !wordRune(r) && !unicode.Is(unicode.Mn, r) {
				return at
			}
			t.foldRune(text[at:at+size], limit)
			at += size
			continue
		}
		if !word[c] {
			return at
		}
		if len(t.folded) < limit {
			t.folded = append(t.folded, lower[c])
		}
		at++
	}
	return at
}

// foldRune appends the letters that a rune is made of, in lower case: é is e, ﬁ is fi, Ａ is a.
func (t *tokenizer) foldRune(s string, limit int) {
	t.wide = norm.NFKD.AppendString(t.wide[:0], s)
	for rest := t.wide; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		rest = rest[size:]
		r = unicode.ToLower(r)
		if wordRune(r) && len(t.folded)+utf8.RuneLen(r) <= limit {
			t.folded = utf8.AppendRune(t.folded, r)
		}
	}
}

// flush emits the words of the chain in t.parts.
func (t *tokenizer) flush(text string, yield emit) bool {
	if n := t.cveID(); n > 0 {
		p := t.parts[:3]
		t.whole = append(append(append(t.whole[:0], "cve-"...), t.term(p[1])...), '-')
		t.whole = append(t.whole, t.term(p[2])...)
		if !yield(t.whole, p[0].start, p[2].end, false) {
			return false
		}
		t.parts = t.parts[3:]
	}
	versions := 0
	for i := 0; i < len(t.parts); {
		n := t.versionLength(i)
		if n > 1 {
			versions++
			if !t.version(t.parts[i:i+n], yield) {
				return false
			}
			i += n
			continue
		}
		if !t.single(text, t.parts[i], yield) {
			return false
		}
		i++
	}
	if len(t.parts) < 2 || versions > 0 {
		return true
	}
	return t.joined(yield)
}

func (t *tokenizer) term(p part) []byte { return t.folded[p.from:p.to] }

// cveID is how many parts of the chain are a CVE id at its beginning: 3 or 0.
func (t *tokenizer) cveID() int {
	p := t.parts
	if len(p) < 3 || string(t.term(p[0])) != "cve" || p[1].joiner != '-' || p[2].joiner != '-' {
		return 0
	}
	if p[1].to-p[1].from != 4 || p[2].to-p[2].from > 10 {
		return 0
	}
	for _, c := range t.folded[p[1].from:p[2].to] {
		if !isDigit(c) {
			return 0
		}
	}
	return 3
}

// versionLength is how many parts from i on make up a version such as 2.4.49, 1.0.1f or 2.4.x.
func (t *tokenizer) versionLength(i int) int {
	if !t.parts[i].digit {
		return 0
	}
	n := 1
	for _, p := range t.parts[i+1:] {
		if p.joiner != versionSign || !p.digit && string(t.term(p)) != "x" {
			break
		}
		n++
	}
	return n
}

// version emits a version and the line that it belongs to.
func (t *tokenizer) version(parts []part, yield emit) bool {
	start, end := parts[0].start, parts[len(parts)-1].end
	for n := len(parts); n >= 2; n = min(n-1, 2) {
		t.whole = t.whole[:0]
		for i, p := range parts[:n] {
			if i > 0 {
				t.whole = append(t.whole, versionSign)
			}
			t.whole = append(t.whole, t.term(p)...)
		}
		t.whole = t.whole[:min(len(t.whole), maxWord)]
		if !yield(t.whole, start, end, n < len(parts)) {
			return false
		}
		if n == 2 {
			break
		}
	}
	return true
}

// single emits a word and what else it can be read as.
func (t *tokenizer) single(text string, p part, yield emit) bool {
	term := t.term(p)
	if !yield(term, p.start, p.end, false) {
		return false
	}
	suffix := signs(text[p.end:], len(term))
	if suffix != "" && len(term)+len(suffix) <= maxWord {
		t.whole = append(append(t.whole[:0], term...), suffix...)
		if !yield(t.whole, p.start, p.end+len(suffix), true) {
			return false
		}
	}
	return t.camel(text, p, yield)
}

// signs that belong to the name before them.
func signs(after string, length int) string {
	switch {
	case len(after) >= 2 && after[:2] == "++":
		return "++"
	case len(after) >= 1 && after[0] == '#' && length == 1:
		return "#"
	default:
		return ""
	}
}

// camel emits the words of FrontPage. Only plain ASCII words are looked at.
func (t *tokenizer) camel(text string, p part, yield emit) bool {
	if p.end-p.start != p.to-p.from || p.end-p.start < 5 {
		return true
	}
	from := p.start
	for i := p.start + 1; i <= p.end; i++ {
		if i < p.end && !(isUpper(text[i]) && !isUpper(text[i-1])) {
			continue
		}
		if from == p.start && i == p.end {
			return true // one word
		}
		if i-from >= 3 && !yield(t.folded[p.from+from-p.start:p.from+i-p.start], from, i, true) {
			return false
		}
		from = i
	}
	return true
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }

// joined emits the words of a chain as one.
func (t *tokenizer) joined(yield emit) bool {
	if len(t.parts) < 2 || len(t.folded) > maxWord {
		return true
	}
	first, last := t.parts[0], t.parts[len(t.parts)-1]
	return yield(t.folded[first.from:last.to], first.start, last.end, true)
}

// stem takes the plural off words of plain letters. More (-ing, -ed, -ation) was measured and found no more titles.
func (t *tokenizer) stem(term []byte) []byte {
	n := len(term)
	if n < 4 || term[n-1] != 's' || !plain(term) {
		return term
	}
	ends := func(suffix string) bool { return n > len(suffix)+1 && string(term[n-len(suffix):]) == suffix }
	switch {
	case ends("ies"):
		t.stems = append(append(t.stems[:0], term[:n-3]...), 'y')
		return t.stems
	case ends("sses"), ends("shes"), ends("ches"), ends("xes"):
		return term[:n-2]
	case ends("ss"), ends("us"), ends("is"):
		return term
	default:
		return term[:n-1]
	}
}

func plain(term []byte) bool {
	for _, c := range term {
		if c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}
