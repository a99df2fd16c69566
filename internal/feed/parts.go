package feed

import (
	"context"
	"errors"
	"io"
	"os"
	"path"
	"strings"

	"github.com/klauspost/compress/zip"

	"github.com/patchscout/patchscout/internal/fault"
)

// Parts is what File.Open yields for a file that is many: a zip archive, or the small files that a Grouper puts
// together. Its Read reads the part that Next moved to, and ends where the part does.
type Parts interface {
	io.ReadCloser
	// Next moves to the next part and returns its name within the file, with slashes; io.EOF behind the last. After a
	// *PartError, here or from Read, the parts behind it can still be read; any other error is for the file.
	Next() (name string, err error)
}

// PartError is one part that cannot be read. Reason is one of few fixed texts.
type PartError struct{ Name, Reason string }

func (e *PartError) Error() string { return e.Name + ": " + e.Reason }

// Limits on archives. The CVE List had 320,000 records in 0.6 GB of zip in 2026, 2 GB unpacked, the largest 3 MB.
const (
	maxParts        = 1_000_000
	maxPart         = 32 << 20
	maxPartsTotal   = 64 << 30
	maxSpool        = 8 << 30  // an archive in the archive
	maxDirectory    = 96 << 20 // bytes that a zip's directory may have: it is held in memory
	maxArchiveDepth = 1        // archives in an archive, as GitHub's releases of the CVE List are
)

// isArchive says whether a file is a zip by its name and its first bytes; one in the place of another file is none.
func (s stored) isArchive(f io.ReaderAt) bool {
	var magic [4]byte
	if n, _ := f.ReadAt(magic[:], 0); n < len(magic) {
		return false
	}
	return strings.HasSuffix(s.name, ".zip") && (string(magic[:]) == "PK\x03\x04" || string(magic[:]) == "PK\x05\x06")
}

// archive is a zip file as Parts.
type archive struct {
	stored
	ctx   context.Context
	file  *os.File
	size  int64
	dirs  []directory // of the archive and of those open within it, the innermost last
	parts int
	total int64 // bytes unpacked
	told  int64 // stored bytes told to count

	part io.ReadCloser // nil before the first
	name string
	left int64 // bytes that the part may still have
}

// directory is the list of one archive's entries.
type directory struct {
	entries []*zip.File
	prefix  string // of their names, for people
	spool   *os.File
}

// openArchive opens a zip file whose bytes are still what was hashed.
func (s stored) openArchive(ctx context.Context, f *os.File) (Parts, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fault.Unavailable("read %s: %w", s.path, err)
	}
	if s.checksum != "" { // entries are read in any order: the whole is looked at first
		sum, _, err := checksum(ctx, s.path)
		if err != nil {
			return nil, err
		}
		if sum != s.checksum {
			return nil, fault.Conflict("%s changed while it was being read", s.path)
		}
	}
	a := &archive{stored: s, ctx: ctx, file: f, size: info.Size()}
	if err := a.enter(f, info.Size(), "", nil); err != nil {
		return nil, err
	}
	return a, nil
}

// enter reads an archive's directory.
func (a *archive) enter(r io.ReaderAt, size int64, prefix string, spool *os.File) error {
	guard := &directoryGuard{ReaderAt: r, left: maxDirectory}
	z, err := zip.NewReader(guard, size)
	guard.done = true
	switch {
	case guard.left < 0:
		return fault.Invalid("%s: the zip archive's directory has more than %d bytes", a.path, maxDirectory)
	case err != nil && !errors.Is(err, zip.ErrInsecurePath): // names are shown, never used as paths
		return fault.Invalid("%s: the zip archive is damaged or breaks off: %w", a.path, err)
	}
	a.dirs = append(a.dirs, directory{z.File, prefix, spool})
	return nil
}

// directoryGuard ends the reading of a directory that would not fit into memory, and tells an offset that an archive
// makes up from a fault of the disk.
type directoryGuard struct {
	io.ReaderAt
	left int64
	done bool
}

func (g *directoryGuard) ReadAt(b []byte, at int64) (int, error) {
	if at < 0 {
		return 0, io.ErrUnexpectedEOF
	}
	if !g.done {
		if g.left -= int64(len(b)); g.left < 0 {
			return 0, io.ErrUnexpectedEOF
		}
	}
	return g.ReaderAt.ReadAt(b, at)
}

// Next implements Parts. It descends into archives within the archive.
func (a *archive) Next() (string, error) {
	a.closePart()
	for len(a.dirs) > 0 {
		if err := a.ctx.Err(); err != nil {
			return "", err
		}
		at := len(a.dirs) - 1
		dir := &a.dirs[at]
		if len(dir.entries) == 0 {
			a.leave()
			continue
		}
		entry := dir.entries[0]
		dir.entries[0], dir.entries = nil, dir.entries[1:]
		name := dir.prefix + path.Clean(strings.ReplaceAll(entry.Name, `\`, "/"))
		if strings.HasSuffix(entry.Name, "/") {
			continue
		}
		if a.parts++; a.parts > maxParts {
			return "", fault.Invalid("%s: a zip archive of more than %d files", a.path, maxParts)
		}
		if at < maxArchiveDepth && strings.HasSuffix(name, ".zip") {
			if err := a.descend(entry, name); err != nil {
				return "", err
			}
			continue
		}
		a.tell(int64(min(entry.CompressedSize64, 1<<62)))
		return name, a.openPart(entry, name)
	}
	return "", io.EOF
}

// openPart opens one entry; what is wrong with it is its own matter.
func (a *archive) openPart(entry *zip.File, name string) error {
	a.name, a.left = name, maxPart
	if entry.UncompressedSize64 > maxPart {
		return &PartError{name, "file in the archive is too long"}
	}
	r, err := a.unpack(entry, name)
	if err != nil {
		return err
	}
	a.part = r
	return nil
}

func (a *archive) unpack(entry *zip.File, name string) (io.ReadCloser, error) {
	const encrypted = 1
	if entry.Flags&encrypted != 0 {
		return nil, &PartError{name, "file in the archive is encrypted"}
	}
	r, err := entry.Open()
	switch {
	case isPathError(err):
		return nil, fault.Unavailable("read %s: %w", a.path, err)
	case err != nil:
		return nil, &PartError{name, "file in the archive is damaged"}
	}
	return r, nil
}

// Read implements Parts.
func (a *archive) Read(b []byte) (int, error) {
	if a.part == nil {
		return 0, io.EOF
	}
	n, err := a.part.Read(b)
	a.total += int64(n)
	a.left -= int64(n)
	switch {
	case a.total > maxPartsTotal:
		return 0, fault.Invalid("%s: unpacks to more than %d bytes", a.path, int64(maxPartsTotal))
	case a.total > ratioFrom && a.total > maxRatio*a.size:
		return 0, fault.Invalid("%s: unpacks to more than %d times its size", a.path, maxRatio)
	case a.left < 0:
		return 0, &PartError{a.name, "file in the archive is too long"}
	case err != nil && err != io.EOF && isPathError(err): //nolint:errorlint // a wrapped one is a failure, not the end
		return n, fault.Unavailable("read %s: %w", a.path, err)
	case err != nil && err != io.EOF: //nolint:errorlint // as above
		return n, &PartError{a.name, "file in the archive is damaged"}
	}
	return n, err
}

// descend unpacks an archive within the archive to a temporary file that has no name any more: a zip is read from its
// end.
func (a *archive) descend(entry *zip.File, name string) error {
	r, err := a.unpack(entry, name)
	if err != nil {
		return err
	}
	defer r.Close()
	spool, err := os.CreateTemp("", "patchscout-*.zip")
	if err != nil {
		return fault.Unavailable("unpack %s: %w", name, err)
	}
	_ = os.Remove(spool.Name()) // where an open file keeps its name, the system's cleaning takes it
	limit := int64(min(maxSpool, max(ratioFrom, maxRatio*entry.CompressedSize64)))
	n, err := io.Copy(spool, io.LimitReader(contextReader{a.ctx, r}, limit+1))
	switch {
	case isPathError(err):
		err = fault.Unavailable("unpack %s of %s: %w", name, a.path, err)
	case err != nil && a.ctx.Err() == nil, n > limit:
		err = &PartError{name, "archive in the archive is damaged or too long"}
	}
	if err == nil {
		err = a.enter(spool, n, name+"/", spool)
	}
	if err != nil {
		spool.Close()
	}
	return err
}

// leave goes back to the archive around the innermost one.
func (a *archive) leave() {
	last := len(a.dirs) - 1
	if spool := a.dirs[last].spool; spool != nil {
		spool.Close()
	}
	a.dirs = a.dirs[:last]
	if last == 0 {
		a.tell(a.size - a.told)
	}
}

// tell counts stored bytes as consumed.
func (a *archive) tell(n int64) {
	if n = min(n, a.size-a.told); n > 0 && a.count != nil {
		a.told += n
		a.count(n)
	}
}

func (a *archive) closePart() {
	if a.part != nil {
		a.part.Close() // it was read or is not wanted
		a.part = nil
	}
}

// Close implements Parts.
func (a *archive) Close() error {
	a.closePart()
	for _, dir := range a.dirs {
		if dir.spool != nil {
			dir.spool.Close()
		}
	}
	a.dirs = nil
	return a.file.Close()
}
