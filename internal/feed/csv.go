package feed

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/patchscout/patchscout/internal/fault"
)

const (
	maxLine  = 1 << 20 // bytes of one CSV record, line breaks within quotes included
	maxField = 64 << 10

	maxRepairs = 100 // of quotes without end: each may cost reading maxLine again
)

// Lines reads delimited text row by row, as publishers write it: quoted fields with doubled quotes and line breaks
// within, LF or CRLF. encoding/csv has no limit on a field and cannot go on behind a bad row.
type Lines struct {
	name string
	r    *bufio.Reader
	line int // of the row's beginning, from 1
	next int // of what is read next
	raw  []byte
	row  []string

	repairs  int
	blanks   bool
	comments bool
}

// NewLines reads r, which Begin returned.
func NewLines(file File, r io.Reader) *Lines {
	return &Lines{name: file.Name, r: bufio.NewReaderSize(r, 64<<10), next: 1}
}

// SkipBlanks takes blanks before a field as no part of it, as in `"a", "b"`.
func (l *Lines) SkipBlanks() { l.blanks = true }

// KeepComments takes a line that begins with # as one field, whatever quotes and commas it has.
func (l *Lines) KeepComments() { l.comments = true }

func (l *Lines) isComment() bool { return l.comments && bytes.HasPrefix(l.raw, []byte{'#'}) }

// Place names the current row for Sink.Reject: "files_exploits.csv line 17".
func (l *Lines) Place() string { return fmt.Sprintf("%s line %d", l.name, l.line) }

// RowError is a row that cannot be used; the ones behind it can.
type RowError struct{ Reason string }

func (e *RowError) Error() string { return e.Reason }

// Next returns the fields of the next row that is not blank, in a slice that the following call reuses; io.EOF at the
// end. After a *RowError reading goes on behind the row; any other error is for the file.
func (l *Lines) Next() ([]string, error) {
	for {
		if err := l.read(); err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(l.raw)) > 0 {
			return l.split()
		}
	}
}

// Each calls f for every row that is left. A row that cannot be used is rejected and the next one follows; an error of f
// ends the file.
func (l *Lines) Each(ctx context.Context, sink Sink, f func(row []string) error) error {
	for n := 0; ; n++ {
		if n&0xfff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		row, err := l.Next()
		var bad *RowError
		switch {
		case err == io.EOF: //nolint:errorlint // a wrapped one is a failure, not the end
			return nil
		case errors.As(err, &bad):
			sink.Reject(l.Place(), bad.Reason)
			continue
		case err == nil:
			err = f(row)
		}
		if err != nil {
			return err
		}
	}
}

// read collects one row into raw: one line, or several when a quoted field spans them.
func (l *Lines) read() error {
	l.raw, l.line = l.raw[:0], l.next
	first := 0 // length of the row's first line
	q := quoting{blanks: l.blanks}
	for {
		part, err := l.readLine()
		l.raw = append(l.raw, part...)
		if first == 0 {
			first = len(l.raw)
		}
		if !l.isComment() {
			q.scan(part)
		}
		atEnd := err == io.EOF //nolint:errorlint // a wrapped one is a failure, not the end
		switch {
		case err != nil && !atEnd:
			return fmt.Errorf("read %s at line %d: %w", l.name, l.next, err)
		case atEnd && len(l.raw) == 0:
			return io.EOF
		case len(l.raw) > maxLine && !q.open:
			return fault.Invalid("read %s at line %d: a row of more than %d bytes", l.name, l.line, maxLine)
		case len(l.raw) > maxLine, atEnd && q.open && bytes.HasSuffix(l.raw, []byte{'\n'}):
			return l.unclosed(first)
		case atEnd && q.open:
			return fault.Invalid("read %s at line %d: the file breaks off within a quoted field", l.name, l.line)
		case atEnd || !q.open:
			l.raw = bytes.TrimRight(l.raw, "\r\n")
			return nil
		}
	}
}

// readLine returns a line with its end, or a part of one beyond maxLine; valid until the next call.
func (l *Lines) readLine() ([]byte, error) {
	part, err := l.r.ReadSlice('\n')
	if err == nil {
		l.next++
	}
	if !errors.Is(err, bufio.ErrBufferFull) {
		return part, err
	}
	long := slices.Clone(part)
	for errors.Is(err, bufio.ErrBufferFull) && len(long) <= maxLine {
		part, err = l.r.ReadSlice('\n')
		long = append(long, part...)
	}
	if err == nil {
		l.next++
	}
	if errors.Is(err, bufio.ErrBufferFull) {
		err = nil
	}
	return long, err
}

// unclosed rejects only the row's first line when a quote on it has no end, and goes on with the line behind it.
func (l *Lines) unclosed(first int) error {
	if l.repairs++; l.repairs > maxRepairs || first > maxLine {
		return fault.Invalid("read %s at line %d: a quoted field without end", l.name, l.line)
	}
	rest := slices.Clone(l.raw[first:])
	l.r = bufio.NewReaderSize(io.MultiReader(bytes.NewReader(rest), l.r), 64<<10)
	l.next = l.line + 1
	return &RowError{"quoted field without end"}
}

// quoting follows a row's quotes. A quote opens a field only at its beginning; elsewhere it is text, as in 'a 6" disk'.
type quoting struct {
	open   bool // within a quoted field
	begun  bool // behind the first byte of a field
	closed bool // the last byte was a quote that closed, unless another follows
	blanks bool // before a field are no part of it
}

func (q *quoting) scan(part []byte) {
	if !q.open && bytes.IndexByte(part, '"') < 0 {
		return
	}
	for _, c := range part {
		switch {
		case q.open:
			if c == '"' {
				q.open, q.closed = false, true
			}
		case c == '"' && (q.closed || !q.begun):
			q.open, q.closed, q.begun = true, false, true
		case q.blanks && c == ' ' && !q.begun && !q.closed:
		default:
			q.closed, q.begun = false, c != ','
		}
	}
}

func (l *Lines) split() ([]string, error) {
	l.row = l.row[:0]
	if bytes.IndexByte(l.raw, 0) >= 0 {
		return nil, &RowError{"NUL byte"}
	}
	text := string(l.raw)
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	if l.isComment() {
		l.row = append(l.row, text[:min(len(text), maxField)])
		return l.row, nil
	}
	for {
		if l.blanks {
			text = strings.TrimLeft(text, " ")
		}
		field, rest, more, ok := cutField(text)
		if !ok {
			return nil, &RowError{"text behind a quoted field"}
		}
		if len(field) > maxField {
			return nil, &RowError{fmt.Sprintf("field %d is longer than %d bytes", len(l.row)+1, maxField)}
		}
		if l.row = append(l.row, field); !more {
			return l.row, nil
		}
		if len(l.row) >= 200 {
			return nil, &RowError{"more than 200 fields"}
		}
		text = rest
	}
}

// cutField takes the first field off a row whose quotes are even.
func cutField(text string) (field, rest string, more, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		field, rest, more = strings.Cut(text, ",")
		return field, rest, more, true
	}
	var b strings.Builder
	for text = text[1:]; ; {
		i := strings.IndexByte(text, '"')
		if i < 0 {
			return "", "", false, false
		}
		b.WriteString(text[:i])
		text = text[i+1:]
		switch {
		case text == "":
			return b.String(), "", false, true
		case text[0] == ',':
			return b.String(), text[1:], true, true
		case text[0] == '"':
			b.WriteByte('"')
			text = text[1:]
		default:
			return "", "", false, false
		}
	}
}

// Columns finds columns by name in a header row, without regard to case and blanks; -1 where there is none.
func Columns(header []string, names ...string) []int {
	at := make([]int, len(names))
	for i, name := range names {
		at[i] = -1
		for j, h := range header {
			if strings.EqualFold(strings.TrimSpace(h), name) {
				at[i] = j
				break
			}
		}
	}
	return at
}

// Cell returns the field of a column, trimmed and without control characters; "" where the row or the column lacks it.
func Cell(row []string, at int) string {
	if at < 0 || at >= len(row) {
		return ""
	}
	return Clean(row[at])
}

// Clean trims text and takes out control characters, line ends and tabs become blanks.
func Clean(text string) string {
	text = strings.TrimSpace(text)
	if strings.IndexFunc(text, isControl) < 0 {
		return text
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case isControl(r):
			return -1
		default:
			return r
		}
	}, text)
}

func isControl(r rune) bool { return r < ' ' || r >= 0x7f && r <= 0x9f }

// Date reads "2006-01-02", or the date in the front of a time. ok is false for anything else.
func Date(text string) (time.Time, bool) {
	if len(text) > 10 && (text[10] == 'T' || text[10] == ' ') {
		text = text[:10]
	}
	t, err := time.Parse(time.DateOnly, text)
	return t, err == nil
}
