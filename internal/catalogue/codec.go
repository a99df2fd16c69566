package catalogue

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"sync"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/patchscout/patchscout/internal/cve"
)

// A stored record is one byte of format and then an s2 block. In format 1 the block holds the fields of what NVD says, in
// the order of writer.record; in format 2 the parts of every feed (parts.go). Strings are their length and bytes;
// numbers are varints. A CPE name is written as what it shares with the one before it and the rest: the leaves of one
// configuration differ in their version only, and this alone halves the catalogue.
const (
	formatNVD   = 1
	formatParts = 2
)

// maxRecord bounds what a stored record may claim to unpack to.
const maxRecord = 64 << 20

// Encoder turns records into their stored form. It is not safe for concurrent use; the zero value is ready.
type Encoder struct {
	raw []byte
}

// Encode appends the stored form of r to dst and returns it with the digest of everything that is kept of r. The ID is
// the row's key and not part of either; Title is generated, not stored.
func (e *Encoder) Encode(dst []byte, r *cve.Record) (stored []byte, digest uint64) {
	w := writer{buf: e.raw[:0]}
	w.record(r)
	e.raw = w.buf
	return pack(append(dst, formatNVD), w.buf), digest64(w.buf)
}

// pack appends raw as an s2 block.
func pack(dst, raw []byte) []byte {
	// s2 wants the room up front; what it does not use is cut off.
	start, room := len(dst), s2.MaxEncodedLen(len(raw))
	for cap(dst)-start < room {
		dst = append(dst[:cap(dst)], 0)
	}
	packed := s2.Encode(dst[start:start+room], raw)
	return dst[:start+len(packed)]
}

type writer struct {
	buf  []byte
	last string // the CPE name before this one
}

func (w *writer) uint(n uint64) { w.buf = binary.AppendUvarint(w.buf, n) }
func (w *writer) int(n int64)   { w.buf = binary.AppendVarint(w.buf, n) }
func (w *writer) string(s string) {
	w.uint(uint64(len(s)))
	w.buf = append(w.buf, s...)
}

func (w *writer) bool(b bool) {
	if b {
		w.buf = append(w.buf, 1)
		return
	}
	w.buf = append(w.buf, 0)
}

// time keeps milliseconds, which is what NVD publishes; the zero time is 0 and the epoch itself is out of range.
func (w *writer) time(t time.Time) {
	if t.IsZero() {
		w.int(0)
		return
	}
	w.int(t.UnixMilli())
}

func (w *writer) record(r *cve.Record) {
	w.string(r.Source)
	w.string(r.Status)
	w.time(r.Published)
	w.time(r.Modified)
	w.string(r.Description)
	w.uint(uint64(len(r.Metrics)))
	for _, m := range r.Metrics {
		w.metric(m)
	}
	w.uint(uint64(len(r.CWEs)))
	for _, c := range r.CWEs {
		w.string(c)
	}
	w.nodes(r.Configurations)
	w.uint(uint64(len(r.References)))
	for _, ref := range r.References {
		w.string(ref.URL)
		w.uint(uint64(len(ref.Tags)))
		for _, tag := range ref.Tags {
			w.string(tag)
		}
	}
}

func (w *writer) metric(m cve.Metric) {
	w.string(m.Version)
	w.string(m.Vector)
	w.int(int64(math.Round(m.Score * 100))) // published with one decimal; two leave room
	w.string(m.Source)
	w.bool(m.Primary)
	w.string(string(m.Provider))
}

func (w *writer) nodes(nodes []cve.Node) {
	w.uint(uint64(len(nodes)))
	for i := range nodes {
		n := &nodes[i]
		w.uint(uint64(n.Operator))
		w.bool(n.Negate)
		w.nodes(n.Children)
		w.uint(uint64(len(n.Matches)))
		for j := range n.Matches {
			w.leaf(&n.Matches[j])
		}
	}
}

// The bits of a leaf's first byte say which bounds follow.
const (
	leafVulnerable = 1 << iota
	leafStartIncluding
	leafStartExcluding
	leafEndIncluding
	leafEndExcluding
	leafDerived
)

func (w *writer) leaf(m *cve.CPEMatch) {
	flags := byte(0)
	if m.Vulnerable {
		flags = leafVulnerable
	}
	if m.Derived {
		flags |= leafDerived
	}
	bounds := [...]string{m.StartIncluding, m.StartExcluding, m.EndIncluding, m.EndExcluding}
	for i, b := range bounds {
		if b != "" {
			flags |= leafStartIncluding << i
		}
	}
	w.buf = append(w.buf, flags)
	shared := sharedPrefix(w.last, m.Criteria)
	w.uint(uint64(shared))
	w.string(m.Criteria[shared:])
	w.last = m.Criteria
	for _, b := range bounds {
		if b != "" {
			w.string(b)
		}
	}
}

func sharedPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// digest64 mixes eight bytes at a time with a 128-bit multiplication (the construction of wyhash). It tells changed
// records from unchanged ones and is part of the stored format; it is no defence against crafted collisions and needs
// to be none.
func digest64(b []byte) uint64 {
	const k0, k1 = 0xa0761d6478bd642f, 0xe7037ed1a0b428db
	h := uint64(len(b)) ^ k0
	for len(b) >= 8 {
		hi, lo := bits.Mul64(h^binary.LittleEndian.Uint64(b), k1)
		h = hi ^ lo
		b = b[8:]
	}
	var tail [8]byte
	copy(tail[:], b)
	hi, lo := bits.Mul64(h^binary.LittleEndian.Uint64(tail[:])^k1, k0)
	return hi ^ lo
}

var unpacked = sync.Pool{New: func() any { return new([]byte) }}

var errRecord = errors.New("stored record is damaged")

// Decode reads what Encode and EncodeParts wrote, merged. Damage is an error, never a panic.
func Decode(id cve.ID, stored []byte) (*cve.Record, error) {
	parts, err := DecodeParts(id, stored)
	if err != nil {
		return nil, err
	}
	if len(parts) == 1 && parts[0].Feed == feedNVD {
		r := parts[0].Record
		r.Title = Title(r)
		return r, nil
	}
	return Merge(id, parts), nil
}

// DecodeParts reads what each feed says.
func DecodeParts(id cve.ID, stored []byte) ([]Part, error) {
	if len(stored) == 0 || stored[0] != formatNVD && stored[0] != formatParts {
		return nil, fmt.Errorf("%s: %w", id, errRecord)
	}
	n, err := s2.DecodedLen(stored[1:])
	if err != nil || n > maxRecord {
		return nil, fmt.Errorf("%s: %w", id, errRecord)
	}
	buf := unpacked.Get().(*[]byte)
	defer unpacked.Put(buf)
	*buf, err = s2.Decode((*buf)[:cap(*buf)], stored[1:])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", id, errRecord)
	}
	// One copy as text; every string of the record is a piece of it.
	r := reader{text: string(*buf)}
	var parts []Part
	if stored[0] == formatNVD {
		rec := &cve.Record{ID: id}
		r.record(rec)
		parts = []Part{{Feed: feedNVD, Record: rec}}
	} else {
		parts = r.parts(id)
	}
	if r.bad || r.text != "" {
		return nil, fmt.Errorf("%s: %w", id, errRecord)
	}
	return parts, nil
}

type reader struct {
	text string
	last string
	bad  bool
}

func (r *reader) uint() uint64 {
	n, shift := uint64(0), 0
	for i := 0; i < len(r.text) && shift < 64; i++ {
		c := r.text[i]
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			r.text = r.text[i+1:]
			return n
		}
		shift += 7
	}
	r.fail()
	return 0
}

func (r *reader) fail() { r.bad, r.text = true, "" }

func (r *reader) int() int64 {
	n := r.uint()
	return int64(n>>1) ^ -int64(n&1)
}

// count reads a number of things of at least one byte each, so that damage cannot ask for more memory than there is.
func (r *reader) count() int {
	n := r.uint()
	if n > uint64(len(r.text)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) string() string {
	n := r.count()
	s := r.text[:n]
	r.text = r.text[n:]
	return s
}

func (r *reader) byte() byte {
	if r.text == "" {
		r.fail()
		return 0
	}
	b := r.text[0]
	r.text = r.text[1:]
	return b
}

func (r *reader) time() time.Time {
	n := r.int()
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}

func (r *reader) record(rec *cve.Record) {
	rec.Source = r.string()
	rec.Status = r.string()
	rec.Published = r.time()
	rec.Modified = r.time()
	rec.Description = r.string()
	rec.Metrics = list(r, (*reader).metric)
	rec.CWEs = list(r, (*reader).string)
	rec.Configurations = r.nodes(0)
	rec.References = list(r, func(r *reader) cve.Reference {
		return cve.Reference{URL: r.string(), Tags: list(r, (*reader).string)}
	})
}

func list[T any](r *reader, one func(*reader) T) []T {
	n := r.count()
	if n == 0 {
		return nil
	}
	out := make([]T, 0, min(n, 1024)) // damage may claim many: grow with what is really there
	for range n {
		if r.bad {
			return nil
		}
		out = append(out, one(r))
	}
	return out
}

func (r *reader) metric() cve.Metric {
	return cve.Metric{
		Version:  r.string(),
		Vector:   r.string(),
		Score:    float64(r.int()) / 100,
		Source:   r.string(),
		Primary:  r.byte() != 0,
		Provider: cve.Provider(r.string()),
	}
}

// maxDepth of nested configurations; NVD uses two, its old feeds three.
const maxDepth = 32

func (r *reader) nodes(depth int) []cve.Node {
	if depth > maxDepth {
		r.fail()
		return nil
	}
	return list(r, func(r *reader) cve.Node {
		return cve.Node{
			Operator: cve.Operator(r.byte()),
			Negate:   r.byte() != 0,
			Children: r.nodes(depth + 1),
			Matches:  list(r, (*reader).leaf),
		}
	})
}

func (r *reader) leaf() cve.CPEMatch {
	flags := r.byte()
	shared := r.uint()
	rest := r.string()
	if shared > uint64(len(r.last)) {
		r.fail()
		return cve.CPEMatch{}
	}
	criteria := rest
	if shared > 0 {
		criteria = r.last[:shared] + rest
	}
	r.last = criteria
	bound := func(bit byte) string {
		if flags&bit == 0 {
			return ""
		}
		return r.string()
	}
	return cve.CPEMatch{
		Vulnerable:     flags&leafVulnerable != 0,
		Criteria:       criteria,
		StartIncluding: bound(leafStartIncluding),
		StartExcluding: bound(leafStartExcluding),
		EndIncluding:   bound(leafEndIncluding),
		EndExcluding:   bound(leafEndExcluding),
		Derived:        flags&leafDerived != 0,
	}
}
