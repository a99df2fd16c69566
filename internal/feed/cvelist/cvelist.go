// Package cvelist reads the CVE Program's own records, in its JSON formats 5.0 to 5.2: from files of one record, from
// lists with a record a line, and from the archives that the program publishes. It says what assigners and the Authorized
// Data Publishers wrote; it never makes a rule of prose and never guesses a version.
package cvelist

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
)

// Limits on one record. The largest of the CVE List has 2.5 MB; the schema itself allows 512 references and URLs of
// 2,048 characters.
const (
	maxRecord     = 32 << 20
	maxString     = 1 << 20
	maxReferences = 5_000
	maxURL        = 2_048
	maxMetrics    = 200
	maxCWEs       = 200
)

// Reader reads CVE records. The zero value is ready and safe for concurrent use.
type Reader struct{}

// Feed is "cvelist".
func (Reader) Feed() string { return "cvelist" }

// Read streams records into sink.CVE and CISA's assessments into sink.SSVC. See feed.Reader. r is one record or has one
// on each line; where it is feed.Parts, each part is such a file.
func (Reader) Read(ctx context.Context, file feed.File, r io.Reader, sink feed.Sink) error {
	in := &reading{ctx: ctx, file: file, sink: sink}
	var err error
	switch parts, many := r.(feed.Parts); {
	case many:
		err = in.parts(parts)
	case path.Ext(file.Name) == ".json":
		err = in.single(r)
	default:
		err = in.lines(r)
	}
	if err == nil && in.good == 0 {
		err = fault.Invalid("%s: no CVE record of format 5 in it that can be used", file.Name)
	}
	return err
}

// IsRecord says whether a JSON object with these members is a record for ReadRecord.
func IsRecord(has func(member string) bool) bool { return has("cveMetadata") || has("containers") }

// ReadRecord gives the one CVE record that raw holds to the sink, or rejects it. place names raw for Sink.Reject
// ("feed.ndjson line 17"). The error is the sink's own. The sink keeps nothing of raw.
func ReadRecord(place string, raw []byte, sink feed.Sink) error {
	p := parsers.Get().(*parser)
	defer func() { p.d.Reset(nil); parsers.Put(p) }() // raw is the caller's
	_, err := p.read(place, raw, sink)
	return err
}

var parsers = sync.Pool{New: func() any { return newParser() }}

// reading is one file on its way into the sink.
type reading struct {
	ctx  context.Context
	file feed.File
	sink feed.Sink
	good int // records that could be used
}

func (in *reading) record(p *parser, place string, raw []byte) error {
	good, err := p.read(place, raw, in.sink)
	if good {
		in.good++
	}
	return err
}

// single reads a file that is one record.
func (in *reading) single(r io.Reader) error {
	body, err := feed.Begin(in.file, r)
	if err != nil {
		return err
	}
	raw, err := io.ReadAll(io.LimitReader(body, maxRecord+1))
	switch {
	case err != nil:
		return fmt.Errorf("read %s: %w", in.file.Name, err)
	case len(raw) > maxRecord:
		return fault.Invalid("%s: a record of more than %d bytes", in.file.Name, maxRecord)
	}
	return in.record(newParser(), in.file.Name, raw)
}

// parts reads an archive or a folder. A part that cannot be read is rejected by its name, and the rest goes on.
func (in *reading) parts(parts feed.Parts) error {
	p := newParser()
	var raw bytes.Buffer
	for {
		if err := in.ctx.Err(); err != nil {
			return err
		}
		name, err := parts.Next()
		if err == io.EOF { //nolint:errorlint // a wrapped one is a failure, not the end
			return nil
		}
		if err == nil && oneRecord.MatchString(path.Base(strings.TrimSuffix(name, ".gz"))) { // else a README, or a list of changes
			err = in.part(p, in.file.Name+": "+feed.Clean(name), parts, &raw)
		}
		var bad *feed.PartError
		if errors.As(err, &bad) {
			in.sink.Reject(in.file.Name+": "+feed.Clean(bad.Name), bad.Reason)
			err = nil
		}
		if err != nil {
			return err
		}
	}
}

func (in *reading) part(p *parser, place string, r io.Reader, raw *bytes.Buffer) error {
	raw.Reset()
	if _, err := raw.ReadFrom(io.LimitReader(r, maxRecord+1)); err != nil {
		return fmt.Errorf("read %s: %w", place, err)
	}
	if raw.Len() > maxRecord {
		in.sink.Reject(place, "record is too long")
		return nil
	}
	return in.record(p, place, raw.Bytes())
}

// lines reads a record a line: a damaged one can harm no other.
func (in *reading) lines(r io.Reader) error {
	body, err := feed.Begin(in.file, r)
	if err != nil {
		return err
	}
	p, lines := newParser(), feed.NewJSONLines(in.file, body, maxRecord)
	for {
		if lines.Line()&0xff == 0 && in.ctx.Err() != nil {
			return in.ctx.Err()
		}
		line, err := lines.Next()
		var bad *feed.RowError
		switch {
		case err == io.EOF: //nolint:errorlint // a wrapped one is a failure, not the end
			return nil
		case errors.As(err, &bad):
			in.sink.Reject(lines.Place(), bad.Reason)
			continue
		case err == nil:
			err = in.record(p, lines.Place(), line)
		}
		if err != nil {
			return err
		}
	}
}
