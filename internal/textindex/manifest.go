package textindex

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/machine"
)

// manifest says what the index consists of. It is replaced as a whole, so a reader has the state before a change or
// the one after it.
type manifest struct {
	generation int64
	fields     []string
	segments   []segmentRef
}

// segmentRef names a segment. Its size and footer's checksum tell it from any other file.
type segmentRef struct {
	name string
	size uint64
	sum  uint32
	docs uint64
	dead []uint32 // ascending
}

const (
	manifestName  = "manifest"
	manifestMagic = "PSTXMAN\n"
	segmentPrefix = "seg-"
	tempPrefix    = "tmp-"
	maxManifest   = 256 << 20
	maxSegments   = 1024 // that a manifest may name; a writer keeps fewer than ten
)

func (m *manifest) append(b []byte) []byte {
	b = append(b, manifestMagic...)
	b = binary.LittleEndian.AppendUint32(b, formatVersion)
	b = binary.LittleEndian.AppendUint64(b, uint64(m.generation))
	b = binary.AppendUvarint(b, uint64(len(m.fields)))
	for _, f := range m.fields {
		b = appendText(b, f)
	}
	b = binary.AppendUvarint(b, uint64(len(m.segments)))
	for _, s := range m.segments {
		b = s.append(b)
	}
	return binary.LittleEndian.AppendUint32(b, checksum(b))
}

func (s *segmentRef) append(b []byte) []byte {
	b = appendText(b, s.name)
	b = binary.AppendUvarint(b, s.size)
	b = binary.LittleEndian.AppendUint32(b, s.sum)
	b = binary.AppendUvarint(b, s.docs)
	b = binary.AppendUvarint(b, uint64(len(s.dead)))
	next := uint32(0)
	for _, d := range s.dead {
		b = binary.AppendUvarint(b, uint64(d-next))
		next = d + 1
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// parseManifest is the opposite of append.
func parseManifest(b []byte) (*manifest, error) {
	fixed := len(manifestMagic) + 4 + 8
	if len(b) < fixed+4 || string(b[:len(manifestMagic)]) != manifestMagic {
		return nil, damaged("its manifest")
	}
	if v := binary.LittleEndian.Uint32(b[len(manifestMagic):]); v != formatVersion {
		return nil, otherVersion(manifestName, v)
	}
	body := b[:len(b)-4]
	if checksum(body) != binary.LittleEndian.Uint32(b[len(body):]) {
		return nil, damaged("checksum of its manifest")
	}
	r := &manifestReader{rest: body[fixed:]}
	m := &manifest{generation: int64(binary.LittleEndian.Uint64(b[len(manifestMagic)+4:]))}
	for range r.count(maxFields) {
		m.fields = append(m.fields, r.text(maxName))
	}
	for range r.count(maxSegments) {
		m.segments = append(m.segments, r.segment())
	}
	if r.bad || len(r.rest) > 0 {
		return nil, damaged("its manifest")
	}
	return m, nil
}

// manifestReader reads on after an error, and gives zeros then.
type manifestReader struct {
	rest []byte
	bad  bool
}

func (r *manifestReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *manifestReader) count(most uint64) int {
	n := r.uvarint()
	if n > most {
		r.bad, r.rest = true, nil
		return 0
	}
	return int(n)
}

func (r *manifestReader) bytes(n int) []byte {
	if n > len(r.rest) {
		r.bad, r.rest = true, nil
		return make([]byte, n)
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *manifestReader) text(most uint64) string { return string(r.bytes(r.count(most))) }

func (r *manifestReader) segment() segmentRef {
	s := segmentRef{name: r.text(maxName), size: r.uvarint()}
	s.sum = binary.LittleEndian.Uint32(r.bytes(4))
	s.docs = r.uvarint()
	if s.docs > maxDocs || !isSegment(s.name) {
		r.bad = true
		return s
	}
	next := uint64(0)
	for range r.count(s.docs) {
		d := next + r.uvarint()
		if d >= s.docs || r.bad {
			r.bad = true
			return s
		}
		s.dead = append(s.dead, uint32(d))
		next = d + 1
	}
	return s
}

// isSegment guards against names that lead elsewhere.
func isSegment(name string) bool {
	hex, ok := strings.CutPrefix(name, segmentPrefix)
	return ok && len(hex) == 16 && strings.Trim(hex, "0123456789abcdef") == ""
}

// readManifest reads the manifest of a folder. fault.NotFound when there is none.
func readManifest(dir string) (*manifest, error) {
	path := filepath.Join(dir, manifestName)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.NotFound("no text index in %s", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("text index: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxManifest {
		return nil, damaged("its manifest")
	}
	b, err := machine.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("text index: %w", err)
	}
	return parseManifest(b)
}

func (m *manifest) names(file string) bool {
	return slices.ContainsFunc(m.segments, func(s segmentRef) bool { return s.name == file })
}
