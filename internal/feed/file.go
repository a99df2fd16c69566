package feed

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/patchscout/patchscout/internal/fault"
)

// Limits on what a stored file may unpack to. NVD's largest yearly file is some 300 MB, at a ratio of about 15.
const (
	maxUnpacked  = 4 << 30
	maxRatio     = 200
	ratioFrom    = 64 << 20 // small files may be very regular
	maxMetaBytes = 4 << 10
)

// Meta is what a publisher says of a file's uncompressed content (NVD's .meta).
type Meta struct {
	Modified string // lastModifiedDate, verbatim
	Size     int64  // bytes uncompressed; -1 when not said
	SHA256   string // lower-case hex; "" when not said
}

// ParseMeta reads NVD's "key:value" lines. A text without a sha256 is fault.Invalid.
func ParseMeta(name string, r io.Reader) (Meta, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxMetaBytes))
	if err != nil {
		return Meta{}, fmt.Errorf("read %s: %w", name, err)
	}
	m := Meta{Size: -1}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(line, ":")
		switch value = strings.TrimSpace(value); strings.TrimSpace(strings.TrimPrefix(key, "\uFEFF")) {
		case "lastModifiedDate":
			m.Modified = Clean(value)
		case "size":
			if m.Size, err = strconv.ParseInt(value, 10, 64); err != nil || m.Size < 0 {
				return Meta{}, fault.Invalid("%s size: want a number of bytes, have %.40q", name, value)
			}
		case "sha256":
			m.SHA256 = strings.ToLower(value)
		}
	}
	if sum, err := hex.DecodeString(m.SHA256); err != nil || len(sum) != sha256.Size {
		return Meta{}, fault.Invalid("%s: no sha256 in it, this is no .meta file", name)
	}
	return m, nil
}

// stored is a file on disk with what must hold of it.
type stored struct {
	name     string // for messages
	path     string
	checksum string // of the bytes as stored; "" before it is known
	meta     *Meta
	count    func(int64) // told of stored bytes as they are consumed, may be nil
}

// open yields the decompressed bytes and checks at their end what File.Open promises.
func (s stored) open(ctx context.Context) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := os.Open(s.path)
	if err != nil {
		return nil, fault.Unavailable("open %s: %w", s.path, err)
	}
	if s.isArchive(f) {
		parts, err := s.openArchive(ctx, f)
		if err != nil {
			f.Close()
			return nil, err
		}
		return parts, nil
	}
	v := &verifier{stored: s, file: f, packed: &counter{r: f, sum: sha256.New(), count: s.count}, sum: sha256.New()}
	buffered := bufio.NewReaderSize(v.packed, 128<<10)
	v.r, v.buffered = buffered, buffered
	if magic, _ := buffered.Peek(2); string(magic) == "\x1f\x8b" {
		if v.r, err = gzip.NewReader(buffered); err != nil {
			f.Close()
			return nil, fault.Invalid("%s: the gzip header is broken", s.path)
		}
		v.zipped = true
	}
	return v, nil
}

// Local describes one file that a person named, whatever its name is, as one of a feed. count is told of stored bytes as
// they are read; it may be nil.
func Local(ctx context.Context, feed, path string, count func(int64)) (File, error) {
	sum, size, err := checksum(ctx, path)
	if err != nil {
		return File{}, err
	}
	s := stored{name: plainName(path), path: path, checksum: sum, count: count}
	return File{Feed: feed, Name: s.name, Path: path, Size: size, Checksum: sum, Partial: true, Open: s.open}, nil
}

// counter counts and hashes what passes.
type counter struct {
	r     io.Reader
	n     int64
	sum   hash.Hash
	count func(int64)
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	c.sum.Write(b[:n])
	if c.count != nil && n > 0 {
		c.count(int64(n))
	}
	return n, err
}

// verifier unpacks a file and turns its io.EOF into an error when anything is not as promised.
type verifier struct {
	stored
	file     *os.File
	packed   *counter
	buffered *bufio.Reader
	r        io.Reader
	zipped   bool
	n        int64
	sum      hash.Hash
	err      error
}

func (v *verifier) Read(b []byte) (int, error) {
	if v.err != nil {
		return 0, v.err
	}
	n, err := v.r.Read(b)
	v.n += int64(n)
	if v.meta != nil {
		v.sum.Write(b[:n])
	}
	switch {
	case errors.Is(err, io.EOF):
		v.err = v.atEnd()
	case err != nil:
		v.err = v.unpackError(err)
	default:
		v.err = v.tooLarge()
	}
	return n, v.err
}

func (v *verifier) Close() error { return v.file.Close() }

func (v *verifier) unpackError(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fault.Invalid("%s: the gzip stream breaks off after %d bytes", v.path, v.packed.n)
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		return fault.Invalid("%s: the gzip stream is damaged: %w", v.path, err)
	case v.zipped && !isPathError(err):
		return fault.Invalid("%s: the gzip stream is damaged near byte %d: %w", v.path, v.packed.n, err)
	default:
		return fault.Unavailable("read %s: %w", v.path, err)
	}
}

func isPathError(err error) bool {
	var e *os.PathError
	return errors.As(err, &e)
}

func (v *verifier) tooLarge() error {
	switch {
	case v.meta != nil && v.meta.Size >= 0 && v.n > v.meta.Size:
		return fault.Invalid("%s: unpacks to more than the %d bytes that its .meta says", v.path, v.meta.Size)
	case v.n > maxUnpacked:
		return fault.Invalid("%s: unpacks to more than %d bytes", v.path, int64(maxUnpacked))
	case v.n > ratioFrom && v.n > maxRatio*v.packed.n:
		return fault.Invalid("%s: unpacks to more than %d times its size", v.path, maxRatio)
	}
	return nil
}

// atEnd returns io.EOF when all is as promised.
func (v *verifier) atEnd() error {
	if err := v.tooLarge(); err != nil {
		return err
	}
	if v.meta != nil {
		if v.meta.Size >= 0 && v.n != v.meta.Size {
			return fault.Invalid("%s: %d bytes unpacked, its .meta says %d", v.path, v.n, v.meta.Size)
		}
		if sum := hex.EncodeToString(v.sum.Sum(nil)); sum != v.meta.SHA256 {
			return fault.Invalid("%s: wrong checksum: sha256 %s, its .meta says %s", v.path, sum, v.meta.SHA256)
		}
	}
	if v.checksum != "" {
		if _, err := io.Copy(io.Discard, v.buffered); err != nil {
			return fault.Unavailable("read %s: %w", v.path, err)
		}
		if hex.EncodeToString(v.packed.sum.Sum(nil)) != v.checksum {
			return fault.Conflict("%s changed while it was being read", v.path)
		}
	}
	return io.EOF
}

// contextReader ends with the context.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}

// checksum hashes a file's bytes as stored.
func checksum(ctx context.Context, path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, fault.Unavailable("open %s: %w", path, err)
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{contextReader{ctx, f}}, make([]byte, 256<<10))
	if err != nil {
		return "", 0, fault.Unavailable("read %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}
