package textindex

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"math/bits"

	"github.com/patchscout/patchscout/internal/fault"
)

// blockSize is how many postings are packed together. One byte holds their number less one.
const blockSize = 128

// maxDocs of a segment. With it no sum of packed gaps can overflow 32 bits.
const maxDocs = 1 << 24

const maxWidth = 24

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum is a variable so that tests can see what happens to damage that a checksum would have caught.
var checksum = func(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

func damaged(format string, args ...any) error {
	return fault.Unavailable("text index is damaged: "+format, args...)
}

// posting is a document of a segment and how often a word stands in which of its fields: an index into the segment's
// table of such counts, of which few exist.
type posting struct{ doc, code uint32 }

// appendBlock packs postings; base is the lowest document that the first could be.
//
//	crc32 of the rest · n-1 · width of gaps · width of codes · gaps · codes
func appendBlock(dst []byte, postings []posting, base uint32) []byte {
	var gaps, codes [blockSize]uint32
	var anyGap, anyCode uint32
	for i, p := range postings {
		gaps[i], codes[i] = p.doc-base, p.code
		anyGap |= gaps[i]
		anyCode |= p.code
		base = p.doc + 1
	}
	wide, narrow := bits.Len32(anyGap), bits.Len32(anyCode)
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0, byte(len(postings)-1), byte(wide), byte(narrow))
	dst = pack(dst, gaps[:len(postings)], uint(wide))
	dst = pack(dst, codes[:len(postings)], uint(narrow))
	binary.LittleEndian.PutUint32(dst[at:], checksum(dst[at+4:]))
	return dst
}

const blockHeader = 7

// pack appends values of width bits each, lowest bit first.
func pack(dst []byte, values []uint32, width uint) []byte {
	var word uint64
	var held uint
	for _, v := range values {
		word |= uint64(v) << held
		for held += width; held >= 8; held -= 8 {
			dst = append(dst, byte(word))
			word >>= 8
		}
	}
	if held > 0 {
		dst = append(dst, byte(word))
	}
	return dst
}

func packedSize(n int, width uint) int { return (n*int(width) + 7) / 8 }

// unpack reads n values; src must go on for 8 bytes after them.
func unpack(dst *[blockSize]uint32, n int, src []byte, width uint) {
	mask := uint64(1)<<width - 1
	at := uint(0)
	for i := range n & (2*blockSize - 1) {
		dst[i&(blockSize-1)] = uint32(binary.LittleEndian.Uint64(src[at>>3:]) >> (at & 7) & mask)
		at += width
	}
}

// block is a packed block whose checksum and sizes were found right.
type block struct {
	n           int
	wide, thin  uint
	gaps, codes []byte // both go on for at least 8 bytes
}

// openBlock checks the block that src begins with and that is size long; src goes on for 8 bytes after it.
func openBlock(src []byte, size int) (b block, err error) {
	if size < blockHeader || size > len(src)-8 || checksum(src[4:size]) != binary.LittleEndian.Uint32(src) {
		return b, damaged("a block of postings")
	}
	b.n, b.wide, b.thin = int(src[4])+1, uint(src[5]), uint(src[6])
	if b.n > blockSize || b.wide > maxWidth || b.thin > maxWidth ||
		size != blockHeader+packedSize(b.n, b.wide)+packedSize(b.n, b.thin) {
		return b, damaged("the size of a block of postings")
	}
	b.gaps = src[blockHeader:]
	b.codes = b.gaps[packedSize(b.n, b.wide):]
	return b, nil
}

// docs unpacks the documents; base is the lowest that the first could be. They ascend.
func (b *block) docs(dst *[blockSize]uint32, base uint32) {
	unpack(dst, b.n, b.gaps, b.wide)
	base--
	for i := range b.n & (2*blockSize - 1) {
		base += dst[i&(blockSize-1)] + 1
		dst[i&(blockSize-1)] = base
	}
}

// unpackCodes unpacks the codes, of which there are known.
func (b *block) unpackCodes(dst *[blockSize]uint32, known int) error {
	unpack(dst, b.n, b.codes, b.thin)
	for _, c := range dst[:b.n] {
		if int(c) >= known {
			return damaged("a posting without counts")
		}
	}
	return nil
}

// Lengths of fields are kept in one byte: exact below 64, then 16 steps per doubling, which is 6 % at most.
const exactLength = 64

func lengthCode(n int) byte {
	if n < exactLength {
		return byte(n)
	}
	e := bits.Len(uint(n)) - 1 // 6 for 64..127
	return byte(min(exactLength+(e-6)*16+(n>>(e-4))&15, 255))
}

func lengthOf(code byte) int {
	if code < exactLength {
		return int(code)
	}
	e := int(code-exactLength)/16 + 6
	return (16 + int(code-exactLength)%16) << (e - 4)
}

// counts is how often a word stands in each field of a document, a byte a field.
type counts uint64

// maxCount: BM25 hears no difference beyond, and fewer kinds of counts pack better.
const maxCount = 31

func (c counts) of(field int) int { return int(c >> (8 * field) & 0xff) }

func (c counts) add(field int) counts {
	if c.of(field) >= maxCount {
		return c
	}
	return c + 1<<(8*field)
}

// norms holds weight / (1 - b + b * length/average) for every field and length code: what one occurrence counts.
type norms [maxFields][256]float64

// newNorms takes the sum of lengths of each field over n documents.
func newNorms(fields []Field, sums []uint64, n int) *norms {
	var t norms
	for f, field := range fields {
		average := 1.0
		if n > 0 && sums[f] > 0 {
			average = float64(sums[f]) / float64(n)
		}
		for code := range 256 {
			t[f][code] = field.Weight / (1 - field.B + field.B*max(float64(lengthOf(byte(code))), 1)/average)
		}
	}
	return &t
}

// roundUp returns x as a float32 that is not smaller.
func roundUp(x float64) float32 {
	f := float32(x)
	if float64(f) < x {
		f = math.Nextafter32(f, float32(math.Inf(1)))
	}
	return f
}
