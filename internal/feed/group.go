package feed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/fault"
)

// Grouper is a Publisher that also publishes each record as a file of its own: in a folder these are too many to be
// remembered one by one, and are gathered as a few Files whose Open yields Parts.
type Grouper interface {
	// Group is the name of the File that a file of this name is a part of, which the Publisher owns, too; "" for one
	// that stands for itself.
	Group(name string) string
}

// groups splits paths into those that stand for themselves and the groups of the others, by name.
func groups(p Publisher, paths []string) (alone []string, grouped map[string][]string) {
	g, ok := p.(Grouper)
	if !ok {
		return paths, nil
	}
	grouped = map[string][]string{}
	for _, path := range paths {
		if name := g.Group(plainName(path)); name != "" {
			grouped[name] = append(grouped[name], path)
		} else {
			alone = append(alone, path)
		}
	}
	return alone, grouped
}

// group describes the files of a group as one. Its checksum covers their names, sizes and times instead of their bytes:
// a folder of 300,000 records is asked on every sync whether it changed.
func (o Options) group(ctx context.Context, p Publisher, name string, paths []string) (File, error) {
	if err := ctx.Err(); err != nil {
		return File{}, err
	}
	slices.Sort(paths)
	h, size := sha256.New(), int64(0)
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return File{}, fault.Unavailable("read %s: %w", path, err)
		}
		size += info.Size()
		fmt.Fprintf(h, "%s\n%d %d\n", filepath.Base(path), info.Size(), info.ModTime().UnixNano())
	}
	sum := hex.EncodeToString(h.Sum(nil))
	var count func(int64)
	if o.Read != nil {
		count = func(n int64) { o.Read(p.Feed(), n) }
	}
	return File{
		Feed: p.Feed(), Name: name, Path: filepath.Join(filepath.Dir(paths[0]), name), Size: size, Checksum: sum,
		Unchanged: o.Seen[p.Feed()+"/"+name] == sum, Partial: p.Partial(name),
		Open: func(ctx context.Context) (io.ReadCloser, error) {
			return &filesAsParts{ctx: ctx, paths: paths, count: count}, nil
		},
	}, nil
}

// filesAsParts is a list of files as Parts. Each may be compressed.
type filesAsParts struct {
	ctx   context.Context
	paths []string
	count func(int64)
	part  io.ReadCloser
	name  string
}

// Next implements Parts.
func (f *filesAsParts) Next() (string, error) {
	_ = f.Close() // it was read or is not wanted
	if err := f.ctx.Err(); err != nil {
		return "", err
	}
	if len(f.paths) == 0 {
		return "", io.EOF
	}
	path := f.paths[0]
	f.paths, f.name = f.paths[1:], filepath.Base(path)
	part, err := f.open(path)
	if err != nil {
		return "", f.bad(err)
	}
	f.part = part
	return f.name, nil
}

// open spares a plain file what a compressed one needs: there are hundreds of thousands.
func (f *filesAsParts) open(path string) (io.ReadCloser, error) {
	if strings.HasSuffix(path, ".gz") {
		return stored{name: strings.TrimSuffix(f.name, ".gz"), path: path, count: f.count}.open(f.ctx)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return plainPart{file, f.count}, nil
}

// plainPart tells of the bytes that were read.
type plainPart struct {
	*os.File
	count func(int64)
}

func (p plainPart) Read(b []byte) (int, error) {
	n, err := p.File.Read(b)
	if p.count != nil && n > 0 {
		p.count(int64(n))
	}
	return n, err
}

// Read implements Parts.
func (f *filesAsParts) Read(b []byte) (int, error) {
	if f.part == nil {
		return 0, io.EOF
	}
	n, err := f.part.Read(b)
	if err == nil || err == io.EOF { //nolint:errorlint // a wrapped one is a failure, not the end
		return n, err
	}
	return n, f.bad(err)
}

// bad makes what is wrong with one file its own matter.
func (f *filesAsParts) bad(err error) error {
	switch {
	case f.ctx.Err() != nil:
		return f.ctx.Err()
	case fault.KindOf(err) == fault.KindInvalid:
		return &PartError{f.name, "file is damaged or too long"}
	default:
		return &PartError{f.name, "file cannot be read"}
	}
}

// Close implements Parts.
func (f *filesAsParts) Close() error {
	if f.part == nil {
		return nil
	}
	err := f.part.Close()
	f.part = nil
	return err
}
