package textindex

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"

	"github.com/patchscout/patchscout/internal/fault"
)

// A segment file, all numbers little-endian:
//
//	magic, version
//	keys       8 bytes a document, ascending
//	lens       a length code for each field of each document
//	tuples     the counts that occur (8 bytes) and how often (8 bytes)
//	postings   for each word of more than one document: a skip table and its blocks
//	dict       the words in order, dictBlock of them at a time, each written as what differs from the one before
//	index      offset, checksum and first word of each block of dict
//	footer     sizes and checksums of the above, the weights that the skip tables' bounds were computed with
//	           footer's length, checksum, magic
//
// Everything that is read when the file is opened has its checksum in the footer; a block of dict has its own in the
// index, skip tables and blocks of postings carry theirs.
const (
	segmentMagic  = "PSTXSEG\n"
	formatVersion = 1
	preamble      = len(segmentMagic) + 4
	trailer       = 8 + len(segmentMagic) // length and checksum of the footer, magic
	dictBlock     = 24
	skipEntry     = 12 // last document, end of its block, bound
	padding       = 8  // unpack reads on
)

// footer describes a segment.
type footer struct {
	docs, tuples, terms, blocks uint64 // blocks of dict
	postings, dict, index       uint64 // sizes in bytes
	keysSum, lensSum, tupleSum  uint32 // checksums
	indexSum                    uint32
	fields                      []Field  // as the bounds were computed; without names
	lengths                     []uint64 // sum of each field's lengths
}

// segmentWriter writes one segment file, front to back.
type segmentWriter struct {
	file  *os.File
	out   *bufio.Writer
	err   error
	foot  footer
	norms *norms

	lens   []byte
	tuples []counts

	entry  []byte // the list at hand
	blocks []byte
	dict   []byte
	index  []byte // offset, checksum, length of the first word; then the words
	firsts []byte
	last   []byte // word
	since  int    // start of the block of dict at hand
}

func newSegmentWriter(file *os.File, schema Schema) *segmentWriter {
	w := &segmentWriter{file: file, out: bufio.NewWriterSize(file, 1<<16)}
	w.foot.fields = schema.Fields
	return w
}

// begin writes what is known of the documents. The slices are not changed and must not change until finish.
func (w *segmentWriter) begin(keys []int64, lens []byte, table *tupleTable) error {
	if len(keys) > maxDocs {
		return fault.Invalid("text index: %d documents in one segment, at most %d", len(keys), maxDocs)
	}
	fields := len(w.foot.fields)
	w.lens, w.tuples = lens, table.list
	w.foot.docs, w.foot.tuples = uint64(len(keys)), uint64(len(table.list))
	w.foot.lengths = sumLengths(lens, fields)
	w.norms = newNorms(w.foot.fields, w.foot.lengths, len(keys))

	w.write(binary.LittleEndian.AppendUint32([]byte(segmentMagic), formatVersion))
	w.foot.keysSum = w.words(len(keys), func(i int) uint64 { return uint64(keys[i]) })
	w.write(lens)
	w.foot.lensSum = checksum(lens)
	w.foot.tupleSum = w.words(2*len(table.list), func(i int) uint64 {
		if i%2 == 0 {
			return uint64(table.list[i/2])
		}
		return table.use[i/2]
	})
	return w.err
}

func sumLengths(lens []byte, fields int) []uint64 {
	sums := make([]uint64, fields)
	for i, code := range lens {
		sums[i%fields] += uint64(lengthOf(code))
	}
	return sums
}

// words writes n numbers and returns their checksum.
func (w *segmentWriter) words(n int, value func(int) uint64) uint32 {
	b := make([]byte, 0, 8*n)
	for i := range n {
		b = binary.LittleEndian.AppendUint64(b, value(i))
	}
	w.write(b)
	return checksum(b)
}

func (w *segmentWriter) write(b []byte) {
	if w.err == nil {
		_, w.err = w.out.Write(b)
	}
}

// term writes a word with its postings. Words ascend, and so do the documents of one.
func (w *segmentWriter) term(word []byte, postings []posting) error {
	if len(postings) == 0 || w.err != nil {
		return w.err
	}
	if w.foot.terms > 0 && bytes.Compare(word, w.last) <= 0 || !ascend(postings) {
		return damaged("words or documents out of order") // in a segment that is being merged
	}
	w.enter(word)
	w.dict = binary.AppendUvarint(w.dict, uint64(len(postings)))
	if len(postings) == 1 {
		w.dict = binary.AppendUvarint(w.dict, uint64(postings[0].doc))
		w.dict = binary.AppendUvarint(w.dict, uint64(postings[0].code))
		return w.err
	}
	w.list(postings)
	w.dict = binary.AppendUvarint(w.dict, w.foot.postings)
	w.dict = binary.AppendUvarint(w.dict, uint64(len(w.entry)))
	w.foot.postings += uint64(len(w.entry))
	w.write(w.entry)
	return w.err
}

func ascend(postings []posting) bool {
	for i := 1; i < len(postings); i++ {
		if postings[i].doc <= postings[i-1].doc {
			return false
		}
	}
	return true
}

// enter writes the word itself into dict.
func (w *segmentWriter) enter(word []byte) {
	shared := 0
	if w.foot.terms%dictBlock == 0 {
		w.closeBlock()
		w.index = binary.LittleEndian.AppendUint32(w.index, uint32(len(w.dict)))
		w.firsts = append(w.firsts, byte(len(word)))
		w.firsts = append(w.firsts, word...)
		w.foot.blocks++
	} else {
		for shared < len(word) && shared < len(w.last) && word[shared] == w.last[shared] {
			shared++
		}
	}
	w.foot.terms++
	w.last = append(w.last[:0], word...)
	w.dict = append(w.dict, byte(shared), byte(len(word)-shared))
	w.dict = append(w.dict, word[shared:]...)
}

func (w *segmentWriter) closeBlock() {
	if w.foot.blocks > 0 {
		w.index = binary.LittleEndian.AppendUint32(w.index, checksum(w.dict[w.since:]))
	}
	w.since = len(w.dict)
}

// list makes the skip table and the blocks of a word in w.entry.
func (w *segmentWriter) list(postings []posting) {
	w.entry, w.blocks = w.entry[:0], w.blocks[:0]
	base := uint32(0)
	for len(postings) > 0 {
		n := min(blockSize, len(postings))
		w.blocks = appendBlock(w.blocks, postings[:n], base)
		last := postings[n-1].doc
		w.entry = binary.LittleEndian.AppendUint32(w.entry, last)
		w.entry = binary.LittleEndian.AppendUint32(w.entry, uint32(len(w.blocks)))
		w.entry = binary.LittleEndian.AppendUint32(w.entry, math.Float32bits(w.bound(postings[:n])))
		base, postings = last+1, postings[n:]
	}
	w.entry = binary.LittleEndian.AppendUint32(w.entry, checksum(w.entry))
	w.entry = append(w.entry, w.blocks...)
}

// bound is the most that a word can count in any of these documents, before saturation.
func (w *segmentWriter) bound(postings []posting) float32 {
	most := 0.0
	fields := len(w.foot.fields)
	for _, p := range postings {
		c, lens := w.tuples[p.code], w.lens[int(p.doc)*fields:]
		x := 0.0
		for f := range fields {
			if n := c.of(f); n > 0 {
				x += float64(n) * w.norms[f][lens[f]]
			}
		}
		most = max(most, x)
	}
	return roundUp(most)
}

// finish writes the rest and brings the file to disk.
func (w *segmentWriter) finish() error {
	w.closeBlock()
	w.write(make([]byte, padding)) // after the postings
	w.foot.dict = uint64(len(w.dict))
	if w.foot.dict > math.MaxUint32 {
		return fault.Invalid("text index: %d bytes of words in one segment", w.foot.dict)
	}
	index := append(w.index, w.firsts...)
	w.foot.index, w.foot.indexSum = uint64(len(index)), checksum(index)
	w.write(w.dict)
	w.write(index)
	foot := w.foot.append(nil)
	foot = binary.LittleEndian.AppendUint32(foot, uint32(len(foot)))
	foot = binary.LittleEndian.AppendUint32(foot, checksum(foot))
	w.write(append(foot, segmentMagic...))
	if w.err == nil {
		w.err = w.out.Flush()
	}
	if w.err == nil {
		w.err = w.file.Sync()
	}
	if w.err != nil {
		return fmt.Errorf("write text index segment: %w", w.err)
	}
	return nil
}

func (f *footer) append(b []byte) []byte {
	for _, n := range []uint64{f.docs, f.tuples, f.terms, f.blocks, f.postings, f.dict, f.index} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	for _, n := range []uint32{f.keysSum, f.lensSum, f.tupleSum, f.indexSum} {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	for i, field := range f.fields {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(field.Weight))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(field.B))
		b = binary.LittleEndian.AppendUint64(b, f.lengths[i])
	}
	return b
}

// footerSize is what append writes for a number of fields.
func footerSize(fields int) int { return 7*8 + 4*4 + fields*24 }

// readFooter is the opposite of append. b has the size for the number of fields.
func readFooter(b []byte, fields int) *footer {
	next64 := func() (n uint64) { n, b = binary.LittleEndian.Uint64(b), b[8:]; return n }
	next32 := func() (n uint32) { n, b = binary.LittleEndian.Uint32(b), b[4:]; return n }
	f := &footer{}
	for _, n := range []*uint64{&f.docs, &f.tuples, &f.terms, &f.blocks, &f.postings, &f.dict, &f.index} {
		*n = next64()
	}
	for _, n := range []*uint32{&f.keysSum, &f.lensSum, &f.tupleSum, &f.indexSum} {
		*n = next32()
	}
	for range fields {
		f.fields = append(f.fields, Field{Weight: math.Float64frombits(next64()), B: math.Float64frombits(next64())})
		f.lengths = append(f.lengths, next64())
	}
	return f
}
