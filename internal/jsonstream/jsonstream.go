// Package jsonstream reads JSON from a stream one token at a time, as fast as the feeds need it and within limits. It
// never builds a tree, never uses reflection, and does not check what the caller skips beyond its brackets and quotes.
package jsonstream

import (
	"errors"
	"fmt"
	"io"

	"github.com/patchscout/patchscout/internal/fault"
)

// Limits bound what a hostile document can make us hold. Zero fields take the defaults.
type Limits struct {
	Depth  int // nested objects and arrays; default 64
	String int // bytes of one string or number as written; default 4 MiB
	Record int // bytes of one record (see Decoder.Record); default 64 MiB
}

func (l Limits) withDefaults() Limits {
	if l.Depth <= 0 {
		l.Depth = 64
	}
	if l.String <= 0 {
		l.String = 4 << 20
	}
	if l.Record <= 0 {
		l.Record = 64 << 20
	}
	return l
}

// Error says what is wrong and where. Fatal errors end the document: the stream broke off or the reader failed.
// After any other, Recover can go on behind the record.
type Error struct {
	Offset int64  // bytes from the start of the decompressed document
	Reason string // a fixed text, without anything from the document
	Fatal  bool
	Err    error // the reader's own error, if it is that
}

func (e *Error) Error() string {
	if e.Err != nil && !errors.Is(e.Err, io.ErrUnexpectedEOF) {
		return fmt.Sprintf("%s at byte %d: %v", e.Reason, e.Offset, e.Err)
	}
	return fmt.Sprintf("%s at byte %d", e.Reason, e.Offset)
}

func (e *Error) Unwrap() error { return e.Err }

// Broken is the error for a document that ended at record n: fault.Invalid, but the reader's own error keeps its kind.
func Broken(name string, n int, err error) error {
	var e *Error
	if errors.As(err, &e) && e.Err != nil && !errors.Is(e.Err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("read %s at record %d: %w", name, n, err)
	}
	return fault.Invalid("read %s at record %d: %w", name, n, err)
}

// Rejection says where record n of a document is wrong, and why, as feed.Sink.Reject takes them. id is the record's
// own name and field the member that was read, each "" when not known.
func Rejection(name string, n int, id, field string, err error) (place, reason string) {
	return RejectionAt(fmt.Sprintf("%s record %d", name, n), id, field, err)
}

// RejectionAt is Rejection for a record whose place the caller names ("feed.ndjson line 17").
func RejectionAt(place, id, field string, err error) (string, string) {
	if id != "" {
		place += " (" + id + ")"
	}
	if field != "" {
		place += " " + field
	}
	var e *Error
	if !errors.As(err, &e) {
		return place, err.Error()
	}
	return fmt.Sprintf("%s, byte %d", place, e.Offset), e.Reason
}

// Kind is what kind of value comes next.
type Kind byte

// The kinds; None is the end of the document or an error.
const (
	None   Kind = 0
	Object Kind = '{'
	Array  Kind = '['
	String Kind = '"'
	Number Kind = '0'
	Bool   Kind = 't'
	Null   Kind = 'n'
)

// open is one object or array that was entered.
type open struct {
	kind  Kind // Object, Array, or Null for a null read in place of either
	first bool // nothing of it was read yet
}

// Decoder pulls tokens. Its errors stick: after the first, all methods return zero values and Err tells, so that
// callers read straight on and ask once per record. Use by one goroutine only.
//
//	for d.Object(); d.More(); {
//		switch string(d.Key()) {
//		case "id":
//			id = d.Text()
//		default:
//			d.Skip()
//		}
//	}
type Decoder struct {
	r      io.Reader
	limits Limits

	buf      []byte // buf[pos:] is not yet read
	pos      int
	base     int64 // offset of buf[0] in the document
	readErr  error // what the reader said at the end of buf
	key      []byte
	stack    []open
	err      *Error
	recordAt int64 // offset where the record began, -1 outside of one

	scratch []byte
	pool    [poolSize]string
}

// New returns a Decoder that reads r through a buffer of its own.
func New(r io.Reader, limits Limits) *Decoder {
	d := &Decoder{r: r, limits: limits.withDefaults(), buf: make([]byte, 0, 128<<10), recordAt: -1}
	d.skipBOM()
	return d
}

// Reset makes d read doc, which must stay as it is until d is done with it, with the limits d has. It spares a Decoder
// for each of many small documents.
func (d *Decoder) Reset(doc []byte) {
	d.r, d.buf, d.readErr = nil, doc[:len(doc):len(doc)], io.EOF // fill never reads again, so nothing writes to doc
	d.pos, d.base, d.recordAt = 0, 0, -1
	d.key, d.stack, d.err = nil, d.stack[:0], nil
	d.skipBOM()
}

// Err is the first error since New, Reset or Recover, nil if all is well.
func (d *Decoder) Err() error {
	if d.err == nil {
		return nil
	}
	return d.err
}

// Offset is how many bytes of the document were read.
func (d *Decoder) Offset() int64 { return d.base + int64(d.pos) }

func (d *Decoder) skipBOM() {
	for len(d.buf) < 3 && d.fill(0) {
	}
	if len(d.buf) >= 3 && string(d.buf[:3]) == "\xef\xbb\xbf" {
		d.pos = 3
	}
}

// Reject makes reason the sticky error, for what is valid JSON but no valid record.
func (d *Decoder) Reject(reason string) { d.fail(reason) }

func (d *Decoder) fail(reason string) {
	if d.err == nil {
		d.err = &Error{Offset: d.Offset(), Reason: reason}
	}
}

// broke reports the end of the stream within the document.
func (d *Decoder) broke() {
	if d.err != nil {
		return
	}
	d.err = &Error{Offset: d.Offset(), Reason: "reading", Fatal: true, Err: d.readErr}
	if d.atEnd() {
		d.err.Reason, d.err.Err = "the file breaks off", io.ErrUnexpectedEOF
	}
}

// atEnd tells the end of the stream from a failure of its reader.
func (d *Decoder) atEnd() bool {
	return d.readErr == io.EOF //nolint:errorlint // a wrapped one is a failure, not the end
}

// fill reads more bytes behind buf[keep:], which moves to the front. False at the end of the stream.
func (d *Decoder) fill(keep int) bool {
	if d.readErr != nil {
		return false
	}
	if keep > 0 {
		n := copy(d.buf, d.buf[keep:])
		d.buf = d.buf[:n]
		d.base += int64(keep)
		d.pos -= keep
	}
	if len(d.buf) == cap(d.buf) {
		grown := make([]byte, len(d.buf), 2*cap(d.buf))
		copy(grown, d.buf)
		d.buf = grown
	}
	for range 100 {
		n, err := d.r.Read(d.buf[len(d.buf):cap(d.buf)])
		d.buf = d.buf[:len(d.buf)+n]
		if err != nil {
			d.readErr = err
		}
		if n > 0 || err != nil {
			return n > 0
		}
	}
	d.readErr = io.ErrNoProgress
	return false
}

// peek skips white space and returns the next byte without reading it, 0 at the end of the stream.
func (d *Decoder) peek() byte {
	for {
		for d.pos < len(d.buf) {
			c := d.buf[d.pos]
			if c > ' ' || c != ' ' && c != '\n' && c != '\r' && c != '\t' {
				return c
			}
			d.pos++
		}
		if !d.fill(d.pos) {
			return 0
		}
	}
}

// Kind tells what comes next without reading it.
func (d *Decoder) Kind() Kind {
	if d.err != nil {
		return None
	}
	switch c := d.peek(); {
	case c == '{' || c == '[' || c == '"' || c == 'n':
		return Kind(c)
	case c == 't' || c == 'f':
		return Bool
	case c == '-' || c >= '0' && c <= '9':
		return Number
	default:
		return None
	}
}

// Object enters an object; null counts as an empty one.
func (d *Decoder) Object() { d.enter(Object, "want an object") }

// Array enters an array; null counts as an empty one.
func (d *Decoder) Array() { d.enter(Array, "want an array") }

func (d *Decoder) enter(kind Kind, reason string) {
	if d.err != nil {
		return
	}
	switch c := d.peek(); {
	case len(d.stack) >= d.limits.Depth:
		d.fail("nested too deep") // with the bracket unread, or Recover would miscount
		return
	case c == byte(kind):
		d.pos++
	case c == 'n' && d.literal("null"):
		kind = Null
	default:
		d.unexpected(c, reason)
		return
	}
	d.stack = append(d.stack, open{kind, true})
}

func (d *Decoder) unexpected(c byte, reason string) {
	if c == 0 && d.pos >= len(d.buf) {
		d.broke()
		return
	}
	d.fail(reason)
}

// More moves to the next member (whose name Key then returns) or element of what was entered last, and says whether
// there is one. False leaves the object or array.
func (d *Decoder) More() bool {
	if d.err != nil || len(d.stack) == 0 {
		return false
	}
	top := &d.stack[len(d.stack)-1]
	if top.kind == Null {
		d.stack = d.stack[:len(d.stack)-1]
		return false
	}
	c := d.peek()
	if c == byte(top.kind)+2 { // in ASCII '}' is '{'+2 and ']' is '['+2
		d.pos++
		d.stack = d.stack[:len(d.stack)-1]
		return false
	}
	if !top.first {
		if c != ',' {
			d.unexpected(c, "want a comma or the end of an object or array")
			return false
		}
		d.pos++
	}
	top.first = false
	if d.recordAt >= 0 && d.Offset()-d.recordAt > int64(d.limits.Record) {
		d.fail("record is too long")
		return false
	}
	return top.kind == Array || d.readKey()
}

func (d *Decoder) readKey() bool {
	if c := d.peek(); c != '"' {
		d.unexpected(c, "want a member name")
		return false
	}
	raw, plain := d.raw()
	if d.err != nil {
		return false
	}
	if !plain {
		raw = d.unescape(raw)
	}
	if d.pos < len(d.buf) && d.buf[d.pos] == ':' {
		d.pos++
		d.key = raw
		return d.err == nil
	}
	d.key = append(d.key[:0:0], raw...) // raw does not outlive the reading ahead below
	if c := d.peek(); c != ':' {
		d.unexpected(c, "want a colon")
		return false
	}
	d.pos++
	return d.err == nil
}

// Key is the name of the member that More moved to; valid until the next call of any method.
func (d *Decoder) Key() []byte { return d.key }

// Bool reads true or false; null is false.
func (d *Decoder) Bool() bool {
	if d.err != nil {
		return false
	}
	switch c := d.peek(); {
	case c == 't' && d.literal("true"):
		return true
	case c == 'f' && d.literal("false"), c == 'n' && d.literal("null"):
		return false
	default:
		d.unexpected(c, "want true or false")
		return false
	}
}

// literal reads the word if it comes next.
func (d *Decoder) literal(word string) bool {
	for len(d.buf)-d.pos < len(word) {
		if !d.fill(d.pos) {
			return false
		}
	}
	if string(d.buf[d.pos:d.pos+len(word)]) != word {
		return false
	}
	d.pos += len(word)
	return true
}

// Record marks the start of a record, the value that comes next: Limits.Record counts from here. Give the returned
// mark to Recover when the record turns out bad.
func (d *Decoder) Record() (mark int) {
	d.peek()
	d.recordAt = d.Offset()
	return len(d.stack)
}

// Done ends a record: Limits.Record no longer counts.
func (d *Decoder) Done() { d.recordAt = -1 }

// Recover forgets a record's error and moves behind the record by its brackets alone. False if that cannot be done: the
// error was fatal, or the stream breaks off meanwhile, and Err stays or says so.
func (d *Decoder) Recover(mark int) bool {
	if d.err == nil {
		return true
	}
	if d.err.Fatal {
		return false
	}
	depth := 0
	for _, o := range d.stack[mark:] {
		if o.kind != Null {
			depth++
		}
	}
	untouched := d.Offset() == d.recordAt
	d.stack = d.stack[:mark]
	d.err = nil
	d.recordAt = -1
	if depth > 0 {
		d.skipNested(depth)
	} else if untouched {
		d.skipValue()
	}
	return d.err == nil
}

// End checks that nothing but white space follows.
func (d *Decoder) End() {
	if d.err != nil {
		return
	}
	if c := d.peek(); c != 0 || d.pos < len(d.buf) {
		d.fail("text after the end of the document")
		d.err.Fatal = true
		return
	}
	if !d.atEnd() {
		d.broke()
	}
}
