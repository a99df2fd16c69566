package textindex

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"sort"

	"github.com/patchscout/patchscout/internal/fault"
)

// segment reads a segment file that is mapped into memory. Everything in it is checked before it is used: what is small
// when the file is opened, words and postings when they are read. Safe for concurrent use.
type segment struct {
	name   string
	data   []byte // the file
	fields int
	foot   *footer

	keys, lens            []byte
	postings, dict, index []byte
	firsts                []uint32  // where the first word of each block of dict ends in index
	times                 []float64 // how often a word stands in each field, for each code: fields numbers a code

	dead     []uint32 // documents that no longer count, ascending
	deadBits []uint64 // nil when there are none
	living   livingCounts
}

// openSegment checks data and keeps it.
func openSegment(name string, data []byte, fields int) (*segment, error) {
	s := &segment{name: name, data: data, fields: fields}
	foot, err := s.openFooter()
	if err != nil {
		return nil, err
	}
	s.foot = foot
	if err := s.cut(len(data) - trailer - footerSize(fields)); err != nil {
		return nil, err
	}
	if err := s.openTuples(); err != nil {
		return nil, err
	}
	return s, s.openIndex()
}

func (s *segment) openFooter() (*footer, error) {
	d, size := s.data, footerSize(s.fields)
	if len(d) < preamble || string(d[:len(segmentMagic)]) != segmentMagic {
		return nil, damaged("%s is no segment", s.name)
	}
	if v := binary.LittleEndian.Uint32(d[len(segmentMagic):]); v != formatVersion {
		return nil, otherVersion(s.name, v)
	}
	if len(d) < preamble+size+trailer || string(d[len(d)-len(segmentMagic):]) != segmentMagic {
		return nil, damaged("%s is cut short", s.name)
	}
	foot := d[len(d)-trailer-size : len(d)-len(segmentMagic)]
	length, sum := binary.LittleEndian.Uint32(foot[size:]), binary.LittleEndian.Uint32(foot[size+4:])
	if length != uint32(size) || sum != checksum(foot[:size+4]) {
		return nil, damaged("footer of %s", s.name)
	}
	return readFooter(foot, s.fields), nil
}

func otherVersion(name string, v uint32) error {
	if v > formatVersion {
		return fault.Invalid("text index: %s has format %d, newer than %d which this program knows", name, v, formatVersion)
	}
	return damaged("%s has format %d", name, v)
}

// cut divides the file up to end into its regions.
func (s *segment) cut(end int) error {
	f, at := s.foot, uint64(preamble)
	rest := uint64(end)
	next := func(size uint64) []byte {
		if at > rest || size > rest-at {
			at = math.MaxUint64
			return nil
		}
		part := s.data[at : at+size : at+size]
		at += size
		return part
	}
	if f.docs > maxDocs || f.tuples > rest || f.blocks > rest {
		return damaged("sizes in %s", s.name)
	}
	s.keys = next(f.docs * 8)
	s.lens = next(f.docs * uint64(s.fields))
	tuples := next(f.tuples * 16)
	s.postings = next(f.postings + padding)
	s.dict, s.index = next(f.dict), next(f.index)
	switch {
	case at != rest || f.postings > rest:
		return damaged("sizes in %s", s.name)
	case checksum(s.keys) != f.keysSum, checksum(s.lens) != f.lensSum,
		checksum(tuples) != f.tupleSum, checksum(s.index) != f.indexSum:
		return damaged("checksum in %s", s.name)
	}
	return nil
}

// tuple is one kind of counts and how often it occurs.
func (s *segment) tuple(code int) (counts, uint64) {
	at := s.data[preamble+len(s.keys)+len(s.lens)+16*code:]
	return counts(binary.LittleEndian.Uint64(at)), binary.LittleEndian.Uint64(at[8:])
}

func (s *segment) openTuples() error {
	s.times = make([]float64, int(s.foot.tuples)*s.fields)
	for code := range int(s.foot.tuples) {
		c, _ := s.tuple(code)
		if c == 0 || s.fields < maxFields && c>>(8*s.fields) != 0 {
			return damaged("counts in %s", s.name)
		}
		for f := range s.fields {
			s.times[code*s.fields+f] = float64(c.of(f))
		}
	}
	for _, f := range s.foot.fields {
		if !f.weighs() {
			return damaged("weights in %s", s.name)
		}
	}
	return nil
}

// openIndex finds the first word of every block of dict.
func (s *segment) openIndex() error {
	n := int(s.foot.blocks)
	if n > len(s.index)/9 {
		return damaged("index of %s", s.name)
	}
	s.firsts = make([]uint32, n)
	at, offset := 8*n, uint32(0)
	for i := range n {
		o := binary.LittleEndian.Uint32(s.index[8*i:])
		if at >= len(s.index) || o < offset || uint64(o) > s.foot.dict || i == 0 && o != 0 {
			return damaged("index of %s", s.name)
		}
		at += 1 + int(s.index[at])
		s.firsts[i], offset = uint32(at), o
	}
	if at != len(s.index) {
		return damaged("index of %s", s.name)
	}
	return nil
}

// first is the first word of a block of dict.
func (s *segment) first(block int) []byte {
	from := 8 * len(s.firsts)
	if block > 0 {
		from = int(s.firsts[block-1])
	}
	return s.index[from+1 : s.firsts[block]]
}

func (s *segment) docs() int { return int(s.foot.docs) }

func (s *segment) key(doc uint32) int64 {
	return int64(binary.LittleEndian.Uint64(s.keys[8*int(doc):]))
}

// find returns the document with a key, dead or not.
func (s *segment) find(key int64) (doc uint32, ok bool) {
	i := sort.Search(s.docs(), func(i int) bool { return s.key(uint32(i)) >= key })
	return uint32(i), i < s.docs() && s.key(uint32(i)) == key
}

// bury says which documents no longer count. It is called before the segment is shared.
func (s *segment) bury(docs []uint32) {
	s.dead, s.deadBits = docs, nil
	if len(docs) == 0 {
		return
	}
	s.deadBits = make([]uint64, (s.docs()+63)/64)
	for _, d := range docs {
		s.deadBits[d/64] |= 1 << (d % 64)
	}
}

func (s *segment) isDead(doc uint32) bool {
	return s.deadBits != nil && s.deadBits[doc/64]&(1<<(doc%64)) != 0
}

// livingLengths is the sum of the lengths of each field over documents that count.
func (s *segment) livingLengths() []uint64 {
	sums := slices.Clone(s.foot.lengths)
	for _, d := range s.dead {
		for f := range s.fields {
			sums[f] -= min(sums[f], uint64(lengthOf(s.lens[int(d)*s.fields+f])))
		}
	}
	return sums
}

// listing says where a word's postings are.
type listing struct {
	df        int
	doc, code uint32 // of the only one, when df is 1
	at, size  uint64 // in postings, when there are more
}

// lookup finds a word.
func (s *segment) lookup(word []byte) (l listing, ok bool, err error) {
	block := sort.Search(len(s.firsts), func(i int) bool { return bytes.Compare(s.first(i), word) > 0 }) - 1
	if block < 0 {
		return l, false, nil
	}
	c := s.words(block)
	for c.next() {
		if d := bytes.Compare(c.word, word); d >= 0 {
			return c.listing, d == 0, nil
		}
		if c.block != block {
			break
		}
	}
	return l, false, c.err
}

// wordCursor walks the words of a segment in order.
type wordCursor struct {
	s       *segment
	block   int // the block of dict that rest belongs to
	rest    []byte
	word    []byte
	listing listing
	err     error
}

// words walks from the first word of a block on.
func (s *segment) words(block int) *wordCursor { return &wordCursor{s: s, block: block - 1} }

// from walks from the first word that is not smaller than the given one.
func (s *segment) from(word []byte) (c *wordCursor, ok bool) {
	block := sort.Search(len(s.firsts), func(i int) bool { return bytes.Compare(s.first(i), word) > 0 }) - 1
	c = s.words(max(block, 0))
	for c.next() {
		if bytes.Compare(c.word, word) >= 0 {
			return c, true
		}
	}
	return c, false
}

// next goes to the next word. At the end, or at what is damaged, it returns false.
func (c *wordCursor) next() bool {
	if c.err == nil && len(c.rest) == 0 {
		if c.block+1 >= len(c.s.firsts) {
			return false
		}
		c.block++
		c.err = c.open()
	}
	if c.err == nil && !c.read() {
		c.err = damaged("words of %s", c.s.name)
	}
	return c.err == nil
}

func (c *wordCursor) open() error {
	s, i := c.s, c.block
	from, to := binary.LittleEndian.Uint32(s.index[8*i:]), uint32(s.foot.dict)
	if i+1 < len(s.firsts) {
		to = binary.LittleEndian.Uint32(s.index[8*i+8:])
	}
	c.rest, c.word = s.dict[from:to], c.word[:0]
	if len(c.rest) == 0 || checksum(c.rest) != binary.LittleEndian.Uint32(s.index[8*i+4:]) {
		return damaged("words of %s", s.name)
	}
	return nil
}

func (c *wordCursor) read() bool {
	b := c.rest
	if len(b) < 2 || int(b[0]) > len(c.word) || int(b[1]) > len(b)-2 || int(b[0])+int(b[1]) > maxWord {
		return false
	}
	c.word = append(c.word[:b[0]], b[2:2+int(b[1])]...)
	b = b[2+int(b[1]):]
	var n [3]uint64
	for i := range n {
		v, size := binary.Uvarint(b)
		if size <= 0 {
			return false
		}
		n[i], b = v, b[size:]
	}
	c.rest = b
	df, docs := n[0], c.s.foot.docs
	switch {
	case df == 0 || df > docs:
		return false
	case df == 1:
		c.listing = listing{df: 1, doc: uint32(n[1]), code: uint32(n[2])}
		return n[1] < docs && n[2] < c.s.foot.tuples
	default:
		c.listing = listing{df: int(df), at: n[1], size: n[2]}
		return n[1] <= c.s.foot.postings && n[2] <= c.s.foot.postings-n[1]
	}
}

// sum is the checksum of the footer, which holds or stands for those of everything else.
func (s *segment) sum() uint32 {
	return binary.LittleEndian.Uint32(s.data[len(s.data)-len(segmentMagic)-4:])
}
