package textindex

import (
	"bytes"
	"cmp"
	"slices"
)

// Prefix says which words of a question also find longer ones.
type Prefix string

// The ways. A word has to have at least four letters to find longer ones.
const (
	PrefixNone Prefix = ""     // whole words only
	PrefixLast Prefix = "last" // the last word, for somebody who is still typing
	PrefixAll  Prefix = "all"  // every word: overflow also finds overflows, which counts less
)

const (
	prefixFrom  = 4   // letters
	prefixWorth = 0.5 // of a longer word against the one that was asked for
	extraWorth  = 0.6 // of another reading of words that count by themselves; measured with titles of exploits
	maxLonger   = 24  // longer words that are looked up for one; the most frequent
	maxScan     = 20_000
)

// clause is a word of the question with the longer words that stand for it too.
type clause struct {
	word     []byte
	text     string // as the question spells it
	extra    bool   // only adds to the rank
	longer   bool   // looks for longer words
	variants []variant
	idf      float64
}

// variant is a word of the index.
type variant struct {
	word  string
	worth float64
	df    int
	lists []listing // one for each segment; df 0 where the word does not occur
}

// parseQuery cuts a question into its words, each once, in the order of their bytes so that the sums of scores do not
// depend on how it was put.
func parseQuery(text string, prefix Prefix) []*clause {
	if len(text) > maxQuery {
		text = text[:maxQuery]
	}
	var clauses []*clause
	known := map[string]*clause{}
	t := tokenizer{}
	last := (*clause)(nil)
	t.each(text, func(word []byte, start, end int, extra bool) bool {
		c, ok := known[string(word)]
		if !ok {
			if len(clauses) == maxClauses {
				return false
			}
			c = &clause{word: bytes.Clone(word), text: text[start:end], extra: extra, longer: prefix == PrefixAll && !extra}
			known[string(word)] = c
			clauses = append(clauses, c)
		}
		c.extra = c.extra && extra
		if !extra {
			last = c
		}
		return true
	})
	if prefix == PrefixLast && last != nil {
		last.longer = true
	}
	for _, c := range clauses {
		c.longer = c.longer && len(c.word) >= prefixFrom
	}
	slices.SortFunc(clauses, func(a, b *clause) int { return bytes.Compare(a.word, b.word) })
	return clauses
}

// resolve looks the words of a clause up.
func (x *Index) resolve(c *clause, among scope, spare *cursor) error {
	exact, err := x.variant(string(c.word), 1, among, spare)
	if err != nil {
		return err
	}
	if exact.df > 0 {
		c.variants = append(c.variants, exact)
	}
	if c.longer {
		longer, err := x.longer(c.word, among, spare)
		if err != nil {
			return err
		}
		c.variants = append(c.variants, longer...)
	}
	df := 0
	for _, v := range c.variants {
		df += v.df
	}
	c.idf = rarity(among.docs, df)
	if c.extra {
		c.idf *= extraWorth
	}
	return nil
}

func (x *Index) variant(word string, worth float64, among scope, spare *cursor) (variant, error) {
	v := variant{word: word, worth: worth, lists: make([]listing, len(x.segments))}
	for i, s := range x.segments {
		l, ok, err := s.lookup([]byte(word))
		if err != nil {
			return v, err
		}
		if !ok {
			continue
		}
		n, err := among.holding(s, l, spare)
		if err != nil {
			return v, err
		}
		v.lists[i] = l
		v.df += n
	}
	return v, nil
}

// longer finds the most frequent words that begin with a word. Numbers of the living decide, so that the choice does
// not depend on how the documents are spread over segments.
func (x *Index) longer(word []byte, among scope, spare *cursor) ([]variant, error) {
	found := map[string]*variant{}
	for i, s := range x.segments {
		c, ok := s.from(word)
		for n := 0; ok && n < maxScan && bytes.HasPrefix(c.word, word); n++ {
			if len(c.word) > len(word) {
				n, err := among.holding(s, c.listing, spare)
				if err != nil {
					return nil, err
				}
				v := found[string(c.word)]
				if v == nil {
					v = &variant{word: string(c.word), worth: prefixWorth, lists: make([]listing, len(x.segments))}
					found[v.word] = v
				}
				v.lists[i] = c.listing
				v.df += n
			}
			ok = c.next()
		}
		if c.err != nil {
			return nil, c.err
		}
	}
	var all []variant
	for _, v := range found {
		if v.df > 0 {
			all = append(all, *v)
		}
	}
	slices.SortFunc(all, func(a, b variant) int { return cmp.Or(cmp.Compare(b.df, a.df), cmp.Compare(a.word, b.word)) })
	return all[:min(len(all), maxLonger)], nil
}
