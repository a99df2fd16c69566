package textindex

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

const (
	// keepSegments is how many an index may have: each adds some 10 µs to a search.
	keepSegments = 8
	// deadShare is the part of a segment, 1/deadShare, that may be dead before it is merged.
	deadShare = 5
	// largeShare: the small segments are merged with the large one when together they reach 1/largeShare of it.
	largeShare = 4
)

// mergeAll makes one segment of all new ones.
func (w *writer) mergeAll() error {
	w.replaceMade()
	if len(w.made) == 0 || len(w.made) == 1 && len(w.made[0].dead) == 0 {
		return nil
	}
	return w.merge(slices.Clone(w.made))
}

// mergeSome keeps the number of segments and of dead documents small. Most updates merge nothing; now and then the small
// segments become one, and rarely everything does.
func (w *writer) mergeSome() error {
	all := slices.Concat(w.old, w.made)
	slices.SortStableFunc(all, func(a, b *segment) int { return cmp.Compare(b.docs(), a.docs()) })
	if len(all) == 0 {
		return nil
	}
	small := 0
	for _, s := range all[1:] {
		small += s.docs()
	}
	from := len(all)
	switch large := all[0].docs(); {
	case len(all[0].dead)*deadShare > large, small*largeShare > large && len(all) > keepSegments/2:
		from = 0
	case len(all) > keepSegments || slices.ContainsFunc(all[1:], mostlyDead):
		from = 1
	}
	if from == len(all) {
		return nil
	}
	return w.merge(all[from:])
}

func mostlyDead(s *segment) bool { return len(s.dead)*deadShare > s.docs() }

// merge puts one segment in the place of several, none if all of them is dead. Files that no manifest names go at once.
func (w *writer) merge(from []*segment) error {
	m := newMerger(from, len(w.schema.Fields))
	var merged []*segment
	if len(m.keys) > 0 {
		s, err := w.newSegment(func(out *segmentWriter) error { return m.write(w, out) })
		if err != nil {
			return err
		}
		merged = append(merged, s)
	}
	w.old, _ = divide(w.old, from)
	made, merge := divide(w.made, from)
	w.made = append(made, merged...)
	for _, s := range from {
		unmap(s.data) //nolint:errcheck // nothing was written through it
	}
	for _, s := range merge {
		if err := w.at("drop"); err != nil {
			return err
		}
		if err := os.Remove(filepath.Join(w.dir, s.name)); err != nil {
			return fmt.Errorf("text index: %w", err)
		}
	}
	return nil
}

// divide tells the segments that are among others from those that are not.
func divide(segments, others []*segment) (not, among []*segment) {
	for _, s := range segments {
		if slices.Contains(others, s) {
			among = append(among, s)
		} else {
			not = append(not, s)
		}
	}
	return not, among
}

// merger puts the living documents of segments together in the order of their keys.
type merger struct {
	from  []*segment
	to    [][]uint32 // for each segment: from document to its new place, or gone
	keys  []int64
	lens  []byte
	codes [][]uint32 // for each segment: from code to that of table
	table *tupleTable
}

func newMerger(from []*segment, fields int) *merger {
	m := &merger{from: from, to: make([][]uint32, len(from))}
	for i, s := range from {
		m.to[i] = make([]uint32, s.docs())
		for d := range m.to[i] {
			m.to[i][d] = gone
		}
	}
	m.documents(fields)
	m.tuples()
	return m
}

// documents walks all segments by key. No key lives in two.
func (m *merger) documents(fields int) {
	next := make([]uint32, len(m.from))
	for {
		best := -1
		for i, s := range m.from {
			for int(next[i]) < s.docs() && s.isDead(next[i]) {
				next[i]++
			}
			if int(next[i]) < s.docs() && (best < 0 || s.key(next[i]) < m.from[best].key(next[best])) {
				best = i
			}
		}
		if best < 0 {
			return
		}
		s, doc := m.from[best], next[best]
		m.to[best][doc] = uint32(len(m.keys))
		m.keys = append(m.keys, s.key(doc))
		m.lens = append(m.lens, s.lens[int(doc)*fields:int(doc+1)*fields]...)
		next[best]++
	}
}

func (m *merger) tuples() {
	numbers := map[counts]uint32{}
	var list []counts
	var use []uint64
	m.codes = make([][]uint32, len(m.from))
	for i, s := range m.from {
		for code := range int(s.foot.tuples) {
			c, n := s.tuple(code)
			id, ok := numbers[c]
			if !ok {
				id = uint32(len(list))
				numbers[c] = id
				list, use = append(list, c), append(use, 0)
			}
			use[id] += n
			m.codes[i] = append(m.codes[i], id)
		}
	}
	m.table = newTupleTable(list, use)
	for _, codes := range m.codes {
		for code, id := range codes {
			codes[code] = m.table.codes[id]
		}
	}
}

// write merges the words.
func (m *merger) write(w *writer, out *segmentWriter) error {
	if err := out.begin(m.keys, m.lens, m.table); err != nil {
		return err
	}
	words := make([]*wordCursor, len(m.from))
	for i, s := range m.from {
		words[i] = s.words(0)
		if !words[i].next() {
			words[i].word = nil
		}
	}
	var word []byte
	var postings []posting
	cur := &cursor{}
	for n := 0; ; n++ {
		if n%1024 == 0 && w.ctx.Err() != nil {
			return w.ctx.Err()
		}
		least := leastWord(words)
		if least == nil {
			break
		}
		word, postings = append(word[:0], least...), postings[:0]
		for i, c := range words {
			if c.word == nil || !bytes.Equal(c.word, word) {
				continue
			}
			var err error
			if postings, err = m.collect(postings, i, c.listing, cur); err != nil {
				return err
			}
			if !c.next() {
				c.word = nil
			}
		}
		if !slices.IsSortedFunc(postings, byDoc) {
			slices.SortFunc(postings, byDoc)
		}
		if err := out.term(word, postings); err != nil {
			return err
		}
	}
	for _, c := range words {
		if c.err != nil {
			return c.err
		}
	}
	return out.finish()
}

func byDoc(a, b posting) int { return cmp.Compare(a.doc, b.doc) }

func leastWord(words []*wordCursor) []byte {
	var least []byte
	for _, c := range words {
		if c.word != nil && (least == nil || bytes.Compare(c.word, least) < 0) {
			least = c.word
		}
	}
	return least
}

// collect appends the living postings of a word in segment i.
func (m *merger) collect(dst []posting, i int, l listing, cur *cursor) ([]posting, error) {
	if err := cur.open(m.from[i], l, 1); err != nil {
		return dst, err
	}
	for !cur.ended() {
		if more, err := cur.seek(cur.base); !more || err != nil {
			return dst, err
		}
		if err := cur.code(); err != nil {
			return dst, err
		}
		for j, doc := range cur.docs[:cur.n] {
			if to := m.to[i][doc]; to != gone {
				dst = append(dst, posting{doc: to, code: m.codes[i][cur.codes[j]]})
			}
		}
		cur.leave()
	}
	return dst, nil
}
