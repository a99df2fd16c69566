package textindex

import (
	"cmp"
	"context"
	"math"
	"math/bits"
	"runtime/debug"
	"slices"

	"github.com/patchscout/patchscout/internal/fault"
)

// scope is the documents that a search knows of, and by whose number the rarity of words is reckoned.
type scope struct {
	within func(key int64) bool // nil: all
	docs   int
}

func (x *Index) scope(within func(int64) bool) scope {
	if within == nil {
		return scope{docs: x.docs}
	}
	s := scope{within: within}
	for _, seg := range x.segments {
		for d := range seg.docs() {
			if doc := uint32(d); !seg.isDead(doc) && within(seg.key(doc)) {
				s.docs++
			}
		}
	}
	return s
}

// holding is how many documents of the scope hold a word.
func (s scope) holding(seg *segment, l listing, c *cursor) (int, error) {
	if s.within == nil {
		return seg.livingIn(l, c)
	}
	n := 0
	err := eachPosting(seg, l, c, func(doc uint32) {
		if !seg.isDead(doc) && s.within(seg.key(doc)) {
			n++
		}
	})
	return n, err
}

func eachPosting(s *segment, l listing, c *cursor, fn func(doc uint32)) error {
	if err := c.open(s, l, 1); err != nil {
		return err
	}
	for !c.ended() {
		if c.n == 0 {
			if err := c.read(); err != nil {
				return err
			}
		}
		for _, doc := range c.docs[:c.n] {
			fn(doc)
		}
		c.leave()
	}
	return nil
}

// rarity is what a word weighs that so many of all documents hold.
func rarity(docs, holding int) float64 {
	holding = min(holding, docs)
	return math.Log1p((float64(docs-holding) + 0.5) / (float64(holding) + 0.5))
}

// Word is a word of a question as an index knows it.
type Word struct {
	Text   string // as the question spells it
	Docs   int    // that hold it
	Rarity float64
}

// Words lists the words of a question, each once, at most 64, with what is known of them among the documents that within
// passes (nil: all). Other readings of words (see Query.Text) are not among them.
func (x *Index) Words(text string, within func(key int64) bool) (words []Word, err error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.closed {
		return nil, fault.Unavailable("text index %s is closed", x.dir)
	}
	defer catchFault(debug.SetPanicOnFault(true), &err)
	among, spare := x.scope(within), &cursor{}
	for _, c := range wordsOf(text) {
		v, err := x.variant(string(c.word), 1, among, spare)
		if err != nil {
			return nil, err
		}
		words = append(words, Word{Text: c.text, Docs: v.df, Rarity: rarity(among.docs, v.df)})
	}
	return words, nil
}

// wordsOf are the words of a question without other readings, in the order of their bytes.
func wordsOf(text string) []*clause {
	return slices.DeleteFunc(parseQuery(text, PrefixNone), func(c *clause) bool { return c.extra })
}

// Holds says which of the words of a question a document holds: bit i stands for word i of Words. Of a key that is not there
// none is set.
func (x *Index) Holds(text string, keys []int64) (held []uint64, err error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.closed {
		return nil, fault.Unavailable("text index %s is closed", x.dir)
	}
	defer catchFault(debug.SetPanicOnFault(true), &err)
	held = make([]uint64, len(keys))
	words, c := wordsOf(text), &cursor{}
	for _, s := range x.segments {
		places := s.placesOf(keys)
		if len(places) == 0 {
			continue
		}
		for bit, w := range words {
			l, ok, err := s.lookup(w.word)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
			if err := c.open(s, l, 1); err != nil {
				return nil, err
			}
			if err := mark(c, places, held, 1<<bit); err != nil {
				return nil, err
			}
		}
	}
	return held, nil
}

// keyPlace is a document of a segment and which of the keys it has.
type keyPlace struct {
	doc uint32
	key int
}

// placesOf finds the living documents of keys, by number.
func (s *segment) placesOf(keys []int64) (places []keyPlace) {
	for i, key := range keys {
		if doc, ok := s.find(key); ok && !s.isDead(doc) {
			places = append(places, keyPlace{doc, i})
		}
	}
	slices.SortFunc(places, func(a, b keyPlace) int { return cmp.Compare(a.doc, b.doc) })
	return places
}

func mark(c *cursor, places []keyPlace, held []uint64, bit uint64) error {
	for _, p := range places {
		more, err := c.seek(p.doc)
		if err != nil || !more {
			return err
		}
		if c.least() == p.doc {
			held[p.key] |= bit
		}
	}
	return nil
}

// mostHolding bounds how many documents words that must be held are looked up for.
const mostHolding = 1 << 20

// Holding selects the documents that hold all words of each text, among those that within passes (nil: all); without words
// it is nil, as in Query.Filter.
func (x *Index) Holding(ctx context.Context, texts []string, within func(key int64) bool) (func(int64) bool, error) {
	var sets []map[int64]bool
	for _, text := range texts {
		if len(wordsOf(text)) == 0 {
			continue
		}
		keys, _, err := x.Keys(ctx, Query{Text: text, All: true, Within: within}, mostHolding)
		if err != nil {
			return nil, err
		}
		set := make(map[int64]bool, len(keys))
		for _, k := range keys {
			set[k] = true
		}
		sets = append(sets, set)
	}
	if len(sets) == 0 {
		return nil, nil //nolint:nilnil // no condition
	}
	return func(key int64) bool {
		return !slices.ContainsFunc(sets, func(set map[int64]bool) bool { return !set[key] })
	}, nil
}

// CountWords is how many words a mask of Holds has.
func CountWords(held uint64) int { return bits.OnesCount64(held) }
