package textindex

import (
	"cmp"
	"context"
	"math/bits"
	"slices"
	"sync"
)

// window is how many documents are looked at at a time: their sums stay in the processor's nearest memory.
const window = 4096

// walker finds the documents that match in one segment after the other, a window of documents at a time (MaxScore, with
// the bounds of the blocks that lie in the window): words that even together cannot lift a document to the floor are
// only looked up for documents that the other words found.
//
//	words by bound:   remote  attackers  code | overflow  libwebp
//	                  together below the floor|  walked: their documents are the candidates
//	                  looked up for these     |
type walker struct {
	x        *Index
	ctx      context.Context
	all      bool
	counting bool // every match is wanted: no floor
	scoring  bool // scores are wanted, not only what matches
	sink     sink

	s     *segment
	room  *walkRoom
	words []*walkWord
}

// walkWord is a clause in a segment.
type walkWord struct {
	c       *clause
	cursors []*cursor
	worth   []float64
	df      int
	bound   int64 // in the window at hand
}

// walkRoom is memory that is used again by other searches.
type walkRoom struct {
	sums       [window]int64
	counts     [window]float64 // of a clause with several words, before saturation
	seen, more [window / 64]uint64
	found      []candidate
	cursors    []*cursor
	used       int
}

type candidate struct {
	doc   uint32
	score int64
	count float64 // of the clause at hand; below 0 when it was not found
}

var walkRooms = sync.Pool{New: func() any { return &walkRoom{} }}

func (r *walkRoom) cursor() *cursor {
	if r.used == len(r.cursors) {
		r.cursors = append(r.cursors, &cursor{})
	}
	r.used++
	return r.cursors[r.used-1]
}

// segment walks segment i.
func (w *walker) segment(i int, clauses []*clause) error {
	w.s, w.room, w.words = w.x.segments[i], walkRooms.Get().(*walkRoom), w.words[:0]
	w.room.used = 0
	if err := w.windows(i, clauses); err != nil {
		return err
	}
	walkRooms.Put(w.room) // only what was left empty, not after an error or a panic
	return nil
}

func (w *walker) windows(i int, clauses []*clause) error {
	for _, c := range clauses {
		word, err := w.open(c, i)
		if err != nil {
			return err
		}
		if len(word.cursors) > 0 {
			w.words = append(w.words, word)
		} else if w.all && !c.extra {
			return nil
		}
	}
	if len(w.words) == 0 {
		return nil
	}
	for lo := 0; lo < w.s.docs(); lo += window {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if err := w.window(uint32(lo), uint32(min(lo+window, w.s.docs()))); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) open(c *clause, segment int) (*walkWord, error) {
	word := &walkWord{c: c}
	for _, v := range c.variants {
		l := v.lists[segment]
		if l.df == 0 {
			continue
		}
		cur := w.room.cursor()
		if err := cur.open(w.s, l, w.x.scales[segment]); err != nil {
			return nil, err
		}
		word.cursors = append(word.cursors, cur)
		word.worth = append(word.worth, v.worth)
		word.df += l.df
	}
	return word, nil
}

func (w *walker) window(lo, hi uint32) error {
	walked, looked, rest := w.split(lo, hi)
	if len(walked) == 0 {
		return nil
	}
	for _, word := range walked {
		if err := w.walk(word, lo, hi); err != nil {
			return err
		}
	}
	w.gather(lo, rest)
	for _, word := range looked {
		if word.bound == 0 {
			continue // no document of the window holds it
		}
		rest -= word.bound
		if err := w.look(word, rest); err != nil {
			return err
		}
	}
	for _, c := range w.room.found {
		w.sink.offer(w.s.key(c.doc), c.score)
	}
	return nil
}

// floor is what a sum must reach.
func (w *walker) floor() int64 {
	if w.counting {
		return 0
	}
	return w.sink.floor()
}

// split decides which words are walked in a window and which only looked up, and the most that the latter can add.
func (w *walker) split(lo, hi uint32) (walked, looked []*walkWord, rest int64) {
	if w.all {
		return w.splitAll(lo, hi)
	}
	for _, word := range w.words {
		word.bound = w.bound(word, lo, hi)
	}
	slices.SortStableFunc(w.words, func(a, b *walkWord) int { return cmp.Compare(b.bound, a.bound) })
	n, floor := len(w.words), w.floor()
	for n > 0 && (rest+w.words[n-1].bound < floor || w.words[n-1].bound == 0) {
		n--
		rest += w.words[n].bound
	}
	return w.words[:n], w.words[n:], rest
}

// splitAll walks the rarest of the words that must be there.
func (w *walker) splitAll(lo, hi uint32) (walked, looked []*walkWord, rest int64) {
	for _, word := range w.words {
		word.bound = w.bound(word, lo, hi)
		if word.bound == 0 && !word.c.extra {
			return nil, nil, 0
		}
	}
	slices.SortStableFunc(w.words, func(a, b *walkWord) int {
		if a.c.extra != b.c.extra {
			return cmp.Compare(btoi(a.c.extra), btoi(b.c.extra))
		}
		return cmp.Compare(a.df, b.df)
	})
	for _, word := range w.words[1:] {
		rest += word.bound
	}
	return w.words[:1], w.words[1:], rest
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (w *walker) bound(word *walkWord, lo, hi uint32) int64 {
	x := 0.0
	for i, c := range word.cursors {
		x += word.worth[i] * c.bound(lo, hi, w.x.norms)
	}
	return scoreBound(word.c.idf, x, w.x.schema.K1)
}

// walk adds a word's scores to the sums of the window's documents.
func (w *walker) walk(word *walkWord, lo, hi uint32) error {
	if len(word.cursors) == 1 && word.worth[0] == 1 {
		return w.walkOne(word, lo, hi)
	}
	room := w.room
	for i, c := range word.cursors {
		err := w.blocks(c, lo, hi, func(docs, codes []uint32) {
			for j, doc := range docs {
				at := (doc - lo) & (window - 1)
				room.more[at/64] |= 1 << (at % 64)
				if w.scoring {
					room.counts[at] += float64(word.worth[i] * w.s.value(doc, codes[j], w.x.norms))
				}
			}
		})
		if err != nil {
			return err
		}
	}
	for i, set := range room.more {
		for room.seen[i] |= set; set != 0; set &= set - 1 {
			at := 64*i + bits.TrailingZeros64(set)
			room.sums[at] += score(word.c.idf, room.counts[at], w.x.schema.K1)
			room.counts[at] = 0
		}
		room.more[i] = 0
	}
	return nil
}

func (w *walker) walkOne(word *walkWord, lo, hi uint32) error {
	room, idf, k1, norms := w.room, word.c.idf, w.x.schema.K1, w.x.norms
	return w.blocks(word.cursors[0], lo, hi, func(docs, codes []uint32) {
		codes = codes[:len(docs)]
		for j, doc := range docs {
			at := (doc - lo) & (window - 1)
			room.seen[at/64] |= 1 << (at % 64)
			if !w.scoring {
				continue
			}
			room.sums[at] += score(idf, w.s.value(doc, codes[j], norms), k1)
		}
	})
}

// blocks hands out the postings from lo to before hi.
func (w *walker) blocks(c *cursor, lo, hi uint32, take func(docs, codes []uint32)) error {
	for more, err := c.seek(lo); more || err != nil; more, err = c.seek(lo) {
		if err == nil && w.scoring {
			err = c.code()
		}
		if err != nil {
			return err
		}
		from := c.pos
		for c.pos < c.n && c.docs[c.pos&(blockSize-1)] < hi {
			c.pos++
		}
		take(c.docs[from:c.pos], c.codes[from:c.pos])
		if c.pos < c.n {
			return nil
		}
		c.leave()
		if c.ended() || c.base >= hi {
			return nil
		}
	}
	return nil
}

// gather makes candidates of the sums that could reach the floor with the rest, and empties the sums.
func (w *walker) gather(lo uint32, rest int64) {
	room, floor := w.room, w.floor()
	room.found = room.found[:0]
	for i, set := range room.seen {
		for ; set != 0; set &= set - 1 {
			at := 64*i + bits.TrailingZeros64(set)
			sum, doc := room.sums[at], lo+uint32(at)
			room.sums[at] = 0
			if sum+rest >= floor && !w.s.isDead(doc) {
				room.found = append(room.found, candidate{doc: doc, score: sum})
			}
		}
		room.seen[i] = 0
	}
}

// look adds a word's scores to the candidates and keeps those that could reach the floor with the rest, and hold the
// word if they must.
func (w *walker) look(word *walkWord, rest int64) error {
	found := w.room.found
	for i := range found {
		found[i].count = -1
	}
	for i, c := range word.cursors {
		if err := w.lookUp(c, word.worth[i], found); err != nil {
			return err
		}
	}
	kept, floor := found[:0], w.floor()
	must := w.all && !word.c.extra
	for _, f := range found {
		if f.count >= 0 {
			f.score += score(word.c.idf, f.count, w.x.schema.K1)
		} else if must {
			continue
		}
		if f.score+rest >= floor {
			kept = append(kept, f)
		}
	}
	w.room.found = kept
	return nil
}

func (w *walker) lookUp(c *cursor, worth float64, found []candidate) error {
	for i := range found {
		f := &found[i]
		if more, err := c.seek(f.doc); !more || err != nil {
			return err
		}
		if c.least() != f.doc {
			continue
		}
		f.count = max(f.count, 0)
		if w.scoring {
			if err := c.code(); err != nil {
				return err
			}
			f.count += float64(worth * w.s.value(f.doc, c.codes[c.pos&(blockSize-1)], w.x.norms))
		}
	}
	return nil
}
