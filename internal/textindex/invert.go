package textindex

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"hash/maphash"
	"slices"
)

// inverter turns documents into postings in memory. Terms are numbered as they come; their postings wait in streams of
// (gap to the document before, number of the counts).
type inverter struct {
	fields int
	words  tokenizer
	keys   []int64
	lens   []byte // fields of each document

	seed  maphash.Seed
	table []uint32 // term numbers + 1 by hash, open addressing, a power of two
	terms []term
	pages pages

	tuples     map[counts]uint32
	tupleList  []counts
	tupleUse   []uint64
	lastCounts counts // of the tuple asked for last, most often the same
	lastTuple  uint32

	touched []uint32 // terms of the document at hand
}

type term struct {
	hash     uint32
	text     uint32 // address
	length   uint8
	df       uint32
	next     uint32 // lowest document that the next posting could be
	current  counts // in the document at hand
	postings stream
}

const termSize = 56 // bytes of a term

func newInverter(fields int) *inverter {
	return &inverter{fields: fields, seed: maphash.MakeSeed(), table: make([]uint32, 1<<12), tuples: map[counts]uint32{}}
}

// size is the memory held, in bytes. A grown slice may hold up to a quarter more than it uses.
func (v *inverter) size() int64 {
	return v.pages.size() + int64(cap(v.terms))*termSize + int64(cap(v.table))*4 +
		int64(cap(v.keys))*8 + int64(cap(v.lens)) + int64(len(v.tupleList))*64
}

func (v *inverter) add(d Document) {
	doc := uint32(len(v.keys))
	v.keys = append(v.keys, d.Key)
	v.touched = v.touched[:0]
	for f := range v.fields {
		n := 0
		if f < len(d.Fields) {
			n = v.field(f, d.Fields[f])
		}
		v.lens = append(v.lens, lengthCode(n))
	}
	for _, id := range v.touched {
		t := &v.terms[id]
		v.pages.appendUvarint(&t.postings, doc-t.next)
		v.pages.appendUvarint(&t.postings, v.tuple(t.current))
		t.df++
		t.next, t.current = doc+1, 0
	}
}

// field counts the words of one field and returns how many there are; extras do not make a text longer.
func (v *inverter) field(f int, text string) int {
	n := 0
	v.words.each(text, func(word []byte, _, _ int, extra bool) bool {
		id := v.number(word)
		t := &v.terms[id]
		if t.current == 0 {
			v.touched = append(v.touched, id)
		}
		t.current = t.current.add(f)
		if !extra {
			n++
		}
		return n < maxWords
	})
	return n
}

// number finds a term's number or gives it one.
func (v *inverter) number(word []byte) uint32 {
	hash := uint32(maphash.Bytes(v.seed, word))
	mask := uint32(len(v.table) - 1)
	for slot := hash & mask; ; slot = (slot + 1) & mask {
		id := v.table[slot]
		if id == 0 {
			return v.newTerm(word, hash, slot)
		}
		if t := &v.terms[id-1]; t.hash == hash && bytes.Equal(v.text(t), word) {
			return id - 1
		}
	}
}

func (v *inverter) text(t *term) []byte { return v.pages.at(t.text, int(t.length)) }

func (v *inverter) newTerm(word []byte, hash, slot uint32) uint32 {
	id := uint32(len(v.terms))
	t := term{hash: hash, text: v.pages.alloc(len(word)), length: uint8(len(word))}
	copy(v.text(&t), word)
	t.postings = v.pages.newStream()
	v.terms = append(v.terms, t)
	v.table[slot] = id + 1
	if len(v.terms)*3 > len(v.table)*2 {
		v.rehash()
	}
	return id
}

func (v *inverter) rehash() {
	v.table = make([]uint32, 2*len(v.table))
	mask := uint32(len(v.table) - 1)
	for id := range v.terms {
		slot := v.terms[id].hash & mask
		for v.table[slot] != 0 {
			slot = (slot + 1) & mask
		}
		v.table[slot] = uint32(id) + 1
	}
}

// tuple is the number of such counts.
func (v *inverter) tuple(c counts) uint32 {
	if c != v.lastCounts || len(v.tupleList) == 0 {
		id, ok := v.tuples[c]
		if !ok {
			id = uint32(len(v.tupleList))
			v.tuples[c] = id
			v.tupleList = append(v.tupleList, c)
			v.tupleUse = append(v.tupleUse, 0)
		}
		v.lastCounts, v.lastTuple = c, id
	}
	v.tupleUse[v.lastTuple]++
	return v.lastTuple
}

// write stores what was added as a segment. Documents are put in the order of their keys; of two with one key the later
// stays.
func (v *inverter) write(ctx context.Context, w *segmentWriter) error {
	order := newOrder(v.keys)
	table := newTupleTable(v.tupleList, v.tupleUse)
	if err := w.begin(order.keys(v.keys), order.lens(v.lens, v.fields), table); err != nil {
		return err
	}
	var raw []byte
	var postings []posting
	for i, id := range v.sorted() {
		if i%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		t := &v.terms[id]
		raw = v.pages.readStream(raw[:0], &t.postings)
		postings = v.decode(postings[:0], raw, order, table)
		if err := w.term(v.text(t), postings); err != nil {
			return err
		}
	}
	return w.finish()
}

// decode reads a stream into the segment's own order and codes.
func (v *inverter) decode(dst []posting, raw []byte, order *order, table *tupleTable) []posting {
	doc := uint32(0)
	for len(raw) > 0 {
		gap, n := binary.Uvarint(raw)
		code, m := binary.Uvarint(raw[n:])
		raw = raw[n+m:]
		doc += uint32(gap)
		if to := order.to(doc); to != gone {
			dst = append(dst, posting{doc: to, code: table.codes[code]})
		}
		doc++
	}
	if order.moved != nil {
		slices.SortFunc(dst, func(a, b posting) int { return cmp.Compare(a.doc, b.doc) })
	}
	return dst
}

// sorted returns the terms' numbers in the order of their bytes.
func (v *inverter) sorted() []uint32 {
	type entry struct {
		head uint64 // the first 8 bytes decide most comparisons
		id   uint32
	}
	entries := make([]entry, len(v.terms))
	var head [8]byte
	for i := range v.terms {
		clear(head[:])
		copy(head[:], v.text(&v.terms[i]))
		entries[i] = entry{binary.BigEndian.Uint64(head[:]), uint32(i)}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		if c := cmp.Compare(a.head, b.head); c != 0 {
			return c
		}
		return bytes.Compare(v.text(&v.terms[a.id]), v.text(&v.terms[b.id]))
	})
	ids := make([]uint32, len(entries))
	for i, e := range entries {
		ids[i] = e.id
	}
	return ids
}

// gone marks a document that a later one with its key replaces.
const gone = ^uint32(0)

// order puts documents in the order of their keys. moved is nil when they came so.
type order struct {
	moved []uint32 // from arrival to place, or gone
	n     int
}

func newOrder(keys []int64) *order {
	if ascending(keys) {
		return &order{n: len(keys)}
	}
	byKey := make([]uint32, len(keys))
	for i := range byKey {
		byKey[i] = uint32(i)
	}
	slices.SortStableFunc(byKey, func(a, b uint32) int { return cmp.Compare(keys[a], keys[b]) })
	o := &order{moved: make([]uint32, len(keys))}
	for i, at := range byKey {
		if i+1 < len(byKey) && keys[byKey[i+1]] == keys[at] {
			o.moved[at] = gone
			continue
		}
		o.moved[at] = uint32(o.n)
		o.n++
	}
	return o
}

func ascending(keys []int64) bool {
	for i := 1; i < len(keys); i++ {
		if keys[i] <= keys[i-1] {
			return false
		}
	}
	return true
}

func (o *order) to(doc uint32) uint32 {
	if o.moved == nil {
		return doc
	}
	return o.moved[doc]
}

func (o *order) keys(keys []int64) []int64 {
	if o.moved == nil {
		return keys
	}
	out := make([]int64, o.n)
	for i, k := range keys {
		if to := o.moved[i]; to != gone {
			out[to] = k
		}
	}
	return out
}

func (o *order) lens(lens []byte, fields int) []byte {
	if o.moved == nil {
		return lens
	}
	out := make([]byte, o.n*fields)
	for i := range o.moved {
		if to := int(o.moved[i]); o.moved[i] != gone {
			copy(out[to*fields:(to+1)*fields], lens[i*fields:])
		}
	}
	return out
}

// tupleTable numbers counts by how often they occur, so that the common ones pack small.
type tupleTable struct {
	list  []counts
	use   []uint64
	codes []uint32 // from the number given to the constructor
}

func newTupleTable(list []counts, use []uint64) *tupleTable {
	byUse := make([]uint32, len(list))
	for i := range byUse {
		byUse[i] = uint32(i)
	}
	slices.SortFunc(byUse, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(use[b], use[a]), cmp.Compare(list[a], list[b]))
	})
	t := &tupleTable{codes: make([]uint32, len(list))}
	for code, i := range byUse {
		t.list = append(t.list, list[i])
		t.use = append(t.use, use[i])
		t.codes[i] = uint32(code)
	}
	return t
}
