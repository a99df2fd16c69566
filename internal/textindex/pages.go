package textindex

import "encoding/binary"

// pages is memory that only grows, addressed by numbers so that the garbage collector has nothing to follow. What is
// allocated never moves and never crosses the end of a page.
type pages struct {
	all  [][]byte
	next uint32 // where the next allocation goes
}

const (
	pageBits = 16
	pageSize = 1 << pageBits
)

// alloc returns the address of n bytes, at most a page.
func (p *pages) alloc(n int) uint32 {
	if room := len(p.all)<<pageBits - int(p.next); room < n {
		p.next = uint32(len(p.all)) << pageBits
		p.all = append(p.all, make([]byte, pageSize))
	}
	at := p.next
	p.next += uint32(n)
	return at
}

func (p *pages) at(address uint32, n int) []byte {
	offset := int(address & (pageSize - 1))
	return p.all[address>>pageBits][offset : offset+n]
}

func (p *pages) size() int64 { return int64(len(p.all)) << pageBits }

// stream is a growing list of bytes in pages: chunks of doubling size, each ending in the address of the next.
type stream struct{ head, tail, left, chunk uint32 } // tail is the next byte, left what fits before the chunk's link

const (
	linkSize   = 4
	firstChunk = 8
	lastChunk  = 512
)

func (p *pages) newStream() stream {
	at := p.alloc(firstChunk)
	return stream{head: at, tail: at, left: firstChunk - linkSize, chunk: firstChunk}
}

func (p *pages) appendByte(s *stream, b byte) {
	if s.left == 0 {
		p.grow(s)
	}
	p.all[s.tail>>pageBits][s.tail&(pageSize-1)] = b
	s.tail++
	s.left--
}

func (p *pages) appendUvarint(s *stream, n uint32) {
	for n >= 0x80 {
		p.appendByte(s, byte(n)|0x80)
		n >>= 7
	}
	p.appendByte(s, byte(n))
}

func (p *pages) grow(s *stream) {
	s.chunk = min(2*s.chunk, lastChunk)
	at := p.alloc(int(s.chunk))
	binary.LittleEndian.PutUint32(p.at(s.tail, linkSize), at)
	s.tail, s.left = at, s.chunk-linkSize
}

// readStream appends a stream's bytes to dst.
func (p *pages) readStream(dst []byte, s *stream) []byte {
	at := s.head
	for chunk := uint32(firstChunk); ; chunk = min(2*chunk, lastChunk) {
		last := at + chunk - linkSize
		if s.tail >= at && s.tail <= last {
			return append(dst, p.at(at, int(s.tail-at))...)
		}
		dst = append(dst, p.at(at, int(chunk-linkSize))...)
		at = binary.LittleEndian.Uint32(p.at(last, linkSize))
	}
}
