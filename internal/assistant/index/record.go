package index

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
)

// A file of vectors is a header and then records of one size, which are only ever added. The last record of a key counts.
//
//	header   magic, dimensions, checksum of both, zeros up to headerSize
//	record   key, group, hash (8 bytes each), scale (float32), what (1 byte), three zeros, checksum of the rest (4),
//	         then one signed byte a dimension: what it is times 127 over the largest
//
// Numbers are little endian. A record whose checksum is wrong ends the file: it was being written when the machine died.
const (
	headerSize = 64
	fixedSize  = 40
)

var magic = [8]byte{'P', 'S', 'V', 'E', 'C', 'T', '0', '1'}

// What a record says.
const (
	put     = 1
	removal = 2
)

// MaxDimensions is the most that a vector may have.
const MaxDimensions = 8192

var errHeader = errors.New("not a file of vectors with these dimensions")

func header(dims int) []byte {
	b := make([]byte, headerSize)
	copy(b, magic[:])
	binary.LittleEndian.PutUint32(b[8:], uint32(dims))
	binary.LittleEndian.PutUint32(b[12:], crc32.ChecksumIEEE(b[:12]))
	return b
}

func checkHeader(b []byte, dims int) error {
	if len(b) < headerSize || string(b[:headerSize]) != string(header(dims)) {
		return errHeader
	}
	return nil
}

// record is one change of a file.
type record struct {
	key, group int64
	hash       uint64
	scale      float32
	what       byte
	codes      []byte // one signed byte a dimension
}

func (r *record) append(b []byte) []byte {
	at := len(b)
	b = binary.LittleEndian.AppendUint64(b, uint64(r.key))
	b = binary.LittleEndian.AppendUint64(b, uint64(r.group))
	b = binary.LittleEndian.AppendUint64(b, r.hash)
	b = binary.LittleEndian.AppendUint32(b, math.Float32bits(r.scale))
	b = append(b, r.what, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = append(b, r.codes...)
	binary.LittleEndian.PutUint32(b[at+fixedSize-8:], checksum(b[at:]))
	return b
}

// checksum is of a record without itself.
func checksum(b []byte) uint32 {
	return crc32.Update(crc32.ChecksumIEEE(b[:fixedSize-8]), crc32.IEEETable, b[fixedSize:])
}

// read reads a record; false: it is damaged. codes are a part of b.
func (r *record) read(b []byte) bool {
	r.key = int64(binary.LittleEndian.Uint64(b))
	r.group = int64(binary.LittleEndian.Uint64(b[8:]))
	r.hash = binary.LittleEndian.Uint64(b[16:])
	r.scale = math.Float32frombits(binary.LittleEndian.Uint32(b[24:]))
	r.what = b[28]
	r.codes = b[fixedSize:]
	return binary.LittleEndian.Uint32(b[fixedSize-8:]) == checksum(b) && (r.what == put || r.what == removal)
}

// quantise writes a vector as signed bytes and the scale that gives it back.
func quantise(vector []float32, codes []byte) (scale float32) {
	most := float32(0)
	for _, x := range vector {
		most = max(most, float32(math.Abs(float64(x))))
	}
	if most == 0 {
		clear(codes)
		return 0
	}
	for i, x := range vector {
		codes[i] = byte(int8(math.Round(float64(x / most * 127))))
	}
	return most / 127
}

// signs writes which dimensions are above 0, one bit each.
func signs(codes []byte, bits []uint64) {
	clear(bits)
	for i, c := range codes {
		if int8(c) > 0 {
			bits[i/64] |= 1 << (i % 64)
		}
	}
}

// dot is the product of a vector and codes, in units of their scale.
func dot(vector []float32, codes []byte) float32 {
	var a, b, c, d float32
	i := 0
	for ; i+4 <= len(vector); i += 4 {
		v, k := vector[i:i+4:i+4], codes[i:i+4:i+4]
		a += v[0] * float32(int8(k[0]))
		b += v[1] * float32(int8(k[1]))
		c += v[2] * float32(int8(k[2]))
		d += v[3] * float32(int8(k[3]))
	}
	for ; i < len(vector); i++ {
		a += vector[i] * float32(int8(codes[i]))
	}
	return a + b + c + d
}
