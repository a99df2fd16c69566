package report

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/jsonstream"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// outline is what the beginning of a JSON document holds: the path of every member up to a depth ("runs[].tool") with its
// value where that is a text, a number or a bool. Of arrays only the first element counts. It is for Detect functions.
func outline(head []byte) map[string]string {
	found := map[string]string{}
	if len(head) == 0 || head[0] != '{' && head[0] != '[' {
		return found
	}
	d := jsonstream.New(bytes.NewReader(head), jsonstream.Limits{Depth: 12})
	sketch(d, "", 0, found)
	return found
}

func sketch(d *jsonstream.Decoder, path string, depth int, found map[string]string) {
	if _, twice := found[path]; twice || depth > 5 || len(found) > 500 {
		d.Skip()
		return
	}
	found[path] = ""
	switch d.Kind() {
	case jsonstream.Object:
		for d.Object(); d.More(); {
			name := string(d.Key())
			if path != "" {
				name = path + "." + name
			}
			sketch(d, name, depth+1, found)
		}
	case jsonstream.Array:
		for d.Array(); d.More(); {
			sketch(d, path+"[]", depth+1, found)
		}
	case jsonstream.None:
		delete(found, path)
	default:
		found[path] = text(d, maxShort)
	}
}

// has says whether an outline holds all of the paths.
func has(found map[string]string, paths ...string) bool {
	for _, p := range paths {
		if _, ok := found[p]; !ok {
			return false
		}
	}
	return true
}

// inMemory is how much of a report is kept in memory while it is read more than once; more goes to a temporary file.
const inMemory = 8 << 20

// rereadable is a report that is read more than once, since JSON's members come in any order: what all records need (the
// name of the image, the time, the rules) may stand behind them.
type rereadable struct {
	memory []byte
	file   *os.File
	size   int64
}

// keep takes all of raw, as UTF-8. close must be called.
func keep(tool string, raw io.Reader) (*rereadable, error) {
	in := intake.Text(raw)
	k := &rereadable{}
	var buf bytes.Buffer
	n, err := io.CopyN(&buf, in, inMemory)
	k.memory, k.size = buf.Bytes(), n
	if errors.Is(err, io.EOF) {
		return k, nil
	}
	if err == nil {
		err = k.spill(in)
	}
	if err != nil {
		k.close()
		return nil, fmt.Errorf("read %s report: %w", tool, err)
	}
	return k, nil
}

// spill moves what is in memory to a file, with the rest of the report behind it. The file is the user's alone.
func (k *rereadable) spill(rest io.Reader) (err error) {
	if k.file, err = os.CreateTemp("", "patchscout-report-*"); err != nil {
		return err
	}
	_ = os.Remove(k.file.Name()) // where an open file can lose its name, nothing of it outlives us; elsewhere close sees to it
	if _, err = k.file.Write(k.memory); err != nil {
		return err
	}
	k.memory = nil
	w := bufio.NewWriterSize(k.file, 1<<18)
	n, err := io.Copy(w, rest)
	k.size += n
	return cmp.Or(err, w.Flush())
}

// again is the report from its beginning. Only one such reader is in use at a time; it ends with the context.
func (k *rereadable) again(ctx context.Context) io.Reader {
	var r io.Reader = bytes.NewReader(k.memory)
	if k.file != nil {
		r = io.NewSectionReader(k.file, 0, k.size)
	}
	return heedful{ctx, r}
}

func (k *rereadable) close() {
	if k.file != nil {
		_ = k.file.Close() // nothing is written any more
		_ = os.Remove(k.file.Name())
	}
}

// heedful stops reading when the context ends.
type heedful struct {
	ctx context.Context //nolint:containedctx // it lives as long as one call of Read
	r   io.Reader
}

func (h heedful) Read(p []byte) (int, error) {
	if err := h.ctx.Err(); err != nil {
		return 0, err
	}
	return h.r.Read(p)
}

// limits of a JSON report: texts of 10 MB are met in real ones (a response's body).
var limits = jsonstream.Limits{Depth: 100, String: 16 << 20}

// pass reads the document once: f gets the decoder before the document's only value, and its errors are returned as they
// are.
func (k *rereadable) pass(ctx context.Context, tool string, f func(*jsonstream.Decoder) error) error {
	d := jsonstream.New(k.again(ctx), limits)
	if err := f(d); err != nil {
		return err
	}
	if d.End(); d.Err() != nil {
		return k.broken(tool, d.Err())
	}
	return nil
}

// broken knows a document that breaks off within a "null" or "true" too.
func (k *rereadable) broken(tool string, err error) error {
	var e *jsonstream.Error
	if errors.As(err, &e) && !e.Fatal && e.Offset > 0 && k.size-e.Offset < int64(len("false")) {
		return fmt.Errorf("%s %w: it breaks off at byte %d", tool, scan.ErrTruncated, e.Offset)
	}
	return broken(tool, err)
}

// broken is the error of a document that could not be read to its end.
func broken(tool string, err error) error {
	var e *jsonstream.Error
	switch {
	case !errors.As(err, &e):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s %w: it breaks off at byte %d", tool, scan.ErrTruncated, e.Offset)
	case e.Err != nil:
		return fmt.Errorf("read %s report: %w", tool, err)
	}
	return fault.Invalid("%s report: %w", tool, err)
}

// cut says whether an error of a pass that only looks ahead may be left to the pass that tells: that meets it again, with
// what stands before it told.
func cut(err error) bool {
	return errors.Is(err, scan.ErrTruncated) || fault.KindOf(err) == fault.KindInvalid
}

// members calls f for every member of the object that comes next. Anything but an object is skipped: one odd member must
// not cost a record.
func members(d *jsonstream.Decoder, f func(name string)) {
	if d.Kind() != jsonstream.Object {
		d.Skip()
		return
	}
	for d.Object(); d.More(); {
		f(string(d.Key()))
	}
}

// elements calls f for every element of the array that comes next; a single value is taken for an array of one.
func elements(d *jsonstream.Decoder, f func()) {
	switch d.Kind() {
	case jsonstream.Array:
		for d.Array(); d.More(); {
			f()
		}
	case jsonstream.Null, jsonstream.None:
		d.Skip()
	default:
		f()
	}
}

// records reads the elements of an array as records: read takes one off the stream, tell tells of it. A malformed one is
// dropped and left behind. The error is tell's.
func records(d *jsonstream.Decoder, o *out, read func(), tell func() error) error {
	if d.Kind() != jsonstream.Array {
		d.Skip()
		return nil
	}
	for d.Array(); d.More(); {
		mark := d.Record()
		read()
		if err := d.Err(); err != nil {
			if !d.Recover(mark) {
				return nil
			}
			if err := o.drop("malformed: " + reasonOf(err)); err != nil {
				return err
			}
			continue
		}
		d.Done()
		if err := tell(); err != nil {
			return err
		}
	}
	d.Done()
	return nil
}

// reasonOf is the decoder's own words, which are fixed ones.
func reasonOf(err error) string {
	var e *jsonstream.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return "not readable"
}

// text reads a text of at most n bytes; numbers and bools are taken as they are written, anything else is "".
func text(d *jsonstream.Decoder, n int) string {
	switch d.Kind() {
	case jsonstream.String:
		b := d.Bytes()
		if len(b) <= n {
			return string(b)
		}
		return intake.Cut(string(b[:n+1]), n)
	case jsonstream.Number:
		f, _ := d.Float()
		return strconv.FormatFloat(f, 'f', -1, 64)
	case jsonstream.Bool:
		return strconv.FormatBool(d.Bool())
	}
	d.Skip()
	return ""
}

// word is a short text: a name, an id, a version.
func word(d *jsonstream.Decoder) string { return strings.TrimSpace(text(d, maxShort)) }

// texts reads an array of texts, at most n of them; a single text is an array of one.
func texts(d *jsonstream.Decoder, n int) (out []string) {
	elements(d, func() {
		if s := word(d); s != "" && len(out) < n {
			out = append(out, s)
		}
	})
	return out
}

// truth reads a bool, also one that is written as a text.
func truth(d *jsonstream.Decoder) bool {
	s := strings.ToLower(text(d, 10))
	return s == "true" || s == "1" || s == "yes"
}

// moment reads a time as tools write it, zero for none.
func moment(s string) time.Time {
	s = strings.TrimSpace(s)
	if len(s) < len("2006-01-02") || len(s) > 64 {
		return time.Time{}
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05.999999999Z0700",
		"2006-01-02 15:04:05.999999999 -0700 MST", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999 MST",
		"2006-01-02 15:04:05.999999999", "2006-01-02T15:04Z07:00", "2006-01-02 15:04", time.RFC1123Z, time.RFC1123, time.ANSIC, time.UnixDate, "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1990 && t.Year() < 2200 {
			return t.UTC()
		}
	}
	return time.Time{}
}

// later is the later of two times.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
