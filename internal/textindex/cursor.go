package textindex

import (
	"encoding/binary"
	"math"
)

// cursor walks one word's postings in a segment, block by block. It only goes forward.
type cursor struct {
	s      *segment
	df     int
	skips  []byte // nil for a word of one document
	blocks []byte // of the list, and on for padding
	scale  float64

	at      int    // the block that docs holds or, when n is 0, that comes next
	n, pos  int    // postings of the block, the next of them
	base    uint32 // lowest document that block at could hold
	packed  block
	coded   bool
	docs    [blockSize]uint32
	codes   [blockSize]uint32
	nblocks int
}

// open begins a walk. scale is what the bounds of this segment are to be multiplied with.
func (c *cursor) open(s *segment, l listing, scale float64) error {
	c.s, c.df, c.scale = s, l.df, scale
	c.at, c.n, c.pos, c.base, c.coded = 0, 0, 0, 0, false
	c.nblocks = (l.df + blockSize - 1) / blockSize
	if l.df == 1 {
		c.skips, c.blocks = nil, nil
		c.n, c.docs[0], c.codes[0], c.coded = 1, l.doc, l.code, true
		return nil
	}
	list := s.postings[l.at : l.at+l.size+padding]
	table := uint64(c.nblocks) * skipEntry
	if l.size < table+4 || checksum(list[:table]) != binary.LittleEndian.Uint32(list[table:]) {
		return damaged("a list of %s", s.name)
	}
	c.skips, c.blocks = list[:table], list[table+4:]
	return nil
}

// last is the last document of a block. Blocks past the end have none.
func (c *cursor) last(block int) uint32 {
	if c.skips == nil {
		return c.docs[0]
	}
	return binary.LittleEndian.Uint32(c.skips[block*skipEntry:])
}

func (c *cursor) ended() bool { return c.at >= c.nblocks }

// least is the lowest document that may come next.
func (c *cursor) least() uint32 {
	if c.n > 0 {
		return c.docs[c.pos&(blockSize-1)]
	}
	return c.base
}

// skip passes over blocks that end before a document.
func (c *cursor) skip(doc uint32) {
	for !c.ended() && c.last(c.at) < doc {
		c.leave()
	}
}

// leave goes to the next block without reading it.
func (c *cursor) leave() {
	c.base = c.last(c.at) + 1
	c.at++
	c.n, c.pos, c.coded = 0, 0, false
}

// seek goes to the first posting at or after a document and says whether there is one.
func (c *cursor) seek(doc uint32) (bool, error) {
	c.skip(doc)
	if c.ended() {
		return false, nil
	}
	if c.n == 0 {
		if err := c.read(); err != nil {
			return false, err
		}
	}
	for c.pos < c.n && c.docs[c.pos&(blockSize-1)] < doc {
		c.pos++
	}
	if c.pos == c.n { // only in a block whose skip entry lies
		return false, damaged("a list of %s", c.s.name)
	}
	return true, nil
}

// read unpacks the documents of the block at hand.
func (c *cursor) read() error {
	from, to := uint32(0), binary.LittleEndian.Uint32(c.skips[c.at*skipEntry+4:])
	if c.at > 0 {
		from = binary.LittleEndian.Uint32(c.skips[c.at*skipEntry-skipEntry+4:])
	}
	if to < from || int64(to) > int64(len(c.blocks))-padding {
		return damaged("a list of %s", c.s.name)
	}
	b, err := openBlock(c.blocks[from:], int(to-from))
	if err != nil {
		return err
	}
	want := blockSize
	if c.at == c.nblocks-1 {
		want = c.df - blockSize*c.at
	}
	b.docs(&c.docs, c.base)
	last := c.docs[b.n-1]
	if b.n != want || last != c.last(c.at) || int(last) >= c.s.docs() || c.base > last {
		return damaged("a list of %s", c.s.name)
	}
	c.packed, c.n, c.pos, c.coded = b, b.n, 0, false
	return nil
}

// code unpacks the codes of the block at hand.
func (c *cursor) code() error {
	if c.coded {
		return nil
	}
	c.coded = true
	return c.packed.unpackCodes(&c.codes, int(c.s.foot.tuples))
}

// bound is the most that the word can count in documents from lo to before hi, before saturation; the walk must not be
// past lo. It is 0 when there are none.
func (c *cursor) bound(lo, hi uint32, n *norms) float64 {
	c.skip(lo)
	if c.ended() || c.least() >= hi {
		return 0
	}
	if c.skips == nil {
		return c.s.value(c.docs[0], c.codes[0], n)
	}
	most := float32(0)
	for i := c.at; i < c.nblocks; i++ {
		e := c.skips[i*skipEntry:]
		most = max(most, math.Float32frombits(binary.LittleEndian.Uint32(e[8:])))
		if binary.LittleEndian.Uint32(e)+1 >= hi {
			break
		}
	}
	return float64(most) * c.scale
}

// value is what a word counts in a document, before saturation: its occurrences by the weight and length of their fields.
func (s *segment) value(doc, code uint32, n *norms) float64 {
	x := 0.0
	lens := s.lens[int(doc)*s.fields : int(doc)*s.fields+s.fields]
	times := s.times[int(code)*s.fields:][:len(lens)]
	for f, length := range lens {
		x += float64(times[f] * n[f&(maxFields-1)][length]) // converted, not fused with the sum: all platforms rank alike
	}
	return x
}

// scaleOf is by how much a word may count more than the bounds of the segment say, because averages or weights changed.
func (s *segment) scaleOf(n *norms) float64 {
	own := newNorms(s.foot.fields, s.foot.lengths, s.docs())
	most := 0.0
	for f := range s.fields {
		for code := range 256 {
			most = max(most, n[f][code]/own[f][code])
		}
	}
	return most * (1 + 1e-9)
}
