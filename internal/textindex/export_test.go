package textindex

import "iter"

// Token is a word of a text as the index knows it: what emit takes.
type Token struct {
	Term       string
	Start, End int
	Extra      bool
}

// Tokens cuts a text into words.
func Tokens(text string) iter.Seq[Token] {
	return func(yield func(Token) bool) {
		t := tokenizer{}
		t.each(text, func(term []byte, start, end int, extra bool) bool {
			return yield(Token{Term: string(term), Start: start, End: end, Extra: extra})
		})
	}
}

// StoredLength is what a length is rounded to.
func StoredLength(n int) int { return lengthOf(lengthCode(n)) }

// WithStep has a function called before each step that changes the folder.
func WithStep(o Options, step func(string) error) Options {
	o.step = step
	return o
}

// Size is that of the segments in bytes.
func (x *Index) Size() int64 {
	n := int64(0)
	for _, ref := range x.manifest.segments {
		n += int64(ref.size)
	}
	return n
}
