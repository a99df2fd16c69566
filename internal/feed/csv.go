package feed

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/patchscout/patchscout/internal/fault"
)

const (
	maxLine  = 1 << 20 // bytes of one CSV record, line breaks within quotes included
	maxField = 64 << 10
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
}

// NewLines reads r, which Begin returned.
func NewLines(file File, r io.Reader) *Lines {
	return &Lines{name: file.Name, r: bufio.NewReaderSize(r, 64<<10), next: 1}
}

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

// read collects one row into raw: lines until the quotes are even.
func (l *Lines) read() error {
	l.raw, l.line = l.raw[:0], l.next
	quotes, long := 0, false
	for {
		part, err := l.r.ReadSlice('\n')
		quotes += bytes.Count(part, []byte{'"'})
		if long = long || len(l.raw)+len(part) > maxLine; !long {
			l.raw = append(l.raw, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && err != io.EOF {
			return fmt.Errorf("read %s at line %d: %w", l.name, l.next, err)
		}
		l.next++
		switch {
		case long:
			// The quotes of a row without end would swallow the rest of the file: whoever writes such rows is no publisher.
			return fault.Invalid("read %s at line %d: a row of more than %d bytes", l.name, l.line, maxLine)
		case err == io.EOF && quotes%2 == 1:
			return fault.Invalid("read %s at line %d: the file breaks off within a quoted field", l.name, l.line)
		case err == io.EOF && len(l.raw) == 0:
			return io.EOF
		case err == io.EOF || quotes%2 == 0:
			l.raw = bytes.TrimRight(l.raw, "\r\n")
			return nil
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
	for {
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
