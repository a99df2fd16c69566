// Package ndjson reads any list of CVE records that a person wants to add: a JSON object a line, each in a shape that
// another reader knows or in the flat one of docs/ndjson.md. It never corrects a line: what contradicts itself is
// rejected with its reason.
package ndjson

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/jsonstream"
)

const (
	maxLine    = 32 << 20
	maxString  = 1 << 20
	maxMembers = 1_000 // of a line's object, in any shape
)

// Shape is a kind of line that another package reads.
type Shape struct {
	// Is says whether an object with these members has the shape. The first Shape that says so reads the line.
	Is func(has func(member string) bool) bool
	// Read gives the record to the sink or rejects it; its error is the sink's own.
	Read func(place string, line []byte, sink feed.Sink) error
}

// Reader reads lines of the given shapes, and flat ones where none fits. The zero value reads flat ones only. Safe for
// concurrent use.
type Reader struct {
	Name   string // of the source, as a person gave it; "" is "ndjson"
	Shapes []Shape
}

// Feed is the name of the source.
func (r Reader) Feed() string {
	if r.Name == "" {
		return "ndjson"
	}
	return r.Name
}

// Read streams the lines' records into the sink. See feed.Reader.
func (r Reader) Read(ctx context.Context, file feed.File, body io.Reader, sink feed.Sink) error {
	text, err := feed.Begin(file, body)
	if err != nil {
		return err
	}
	in := &reading{Reader: r, sink: &counting{Sink: sink}, d: jsonstream.New(strings.NewReader(""),
		jsonstream.Limits{String: maxString, Record: maxLine})}
	lines := feed.NewJSONLines(file, text, maxLine)
	for {
		if lines.Line()&0xff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		line, err := lines.Next()
		var bad *feed.RowError
		switch {
		case err == io.EOF: //nolint:errorlint // a wrapped one is a failure, not the end
			return in.end(file)
		case errors.As(err, &bad):
			in.sink.Reject(lines.Place(), bad.Reason)
			continue
		case err == nil:
			err = in.line(lines.Place(), line)
		}
		if err != nil {
			return err
		}
	}
}

// reading is one file on its way into the sink.
type reading struct {
	Reader
	sink *counting
	d    *jsonstream.Decoder
}

// counting knows whether anything of a file could be used.
type counting struct {
	feed.Sink
	good int
}

// CVE implements feed.Sink.
func (c *counting) CVE(r *cve.Record) error {
	c.good++
	return c.Sink.CVE(r)
}

func (in *reading) end(file feed.File) error {
	if in.sink.good == 0 {
		return fault.Invalid("%s: no line in it is a record that can be used", file.Name)
	}
	return nil
}

func (in *reading) line(place string, line []byte) error {
	members, err := in.members(line)
	if err != nil {
		in.sink.Reject(jsonstream.RejectionAt(place, "", "", err))
		return nil
	}
	has := func(member string) bool { return slices.Contains(members, member) }
	for _, shape := range in.Shapes {
		if shape.Is(has) {
			return shape.Read(place, line, in.sink)
		}
	}
	if !has("cve_id") {
		in.sink.Reject(place, "an object of no known shape: neither cve_id nor the members of an NVD or CVE record")
		return nil
	}
	return in.flat(place, line)
}

// members lists the names of the line's members.
func (in *reading) members(line []byte) ([]string, error) {
	var names []string
	d := in.d
	d.Reset(line)
	for d.Object(); d.More(); {
		if len(names) >= maxMembers {
			d.Reject("too many members")
			break
		}
		names = append(names, string(d.Key()))
		d.Skip()
	}
	d.End()
	return names, d.Err()
}
