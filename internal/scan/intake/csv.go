package intake

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/scan"
)

// Table reads delimited text as tools write it: quoted fields with doubled or backslashed quotes and line breaks within,
// LF or CRLF, any encoding that Text knows. A field longer than MaxText (see Keep) is cut, not refused. It is not safe for
// concurrent use.
type Table struct {
	tool   string
	in     *bufio.Reader
	comma  byte
	escape bool
	keep   int // bytes of a field

	line    int // where the next row begins, from 1
	at      int // where the current row began
	columns map[string]int
	width   int // of the header
	row     []string
}

// maxFields is more than any dialect's columns; maxRow bounds what one row may take off the stream.
const (
	maxFields = 500
	maxRow    = 64 << 20
)

// NewTable reads raw. comma separates fields; 0 takes the one of ",", ";" and tab that the first line has most of. tool
// names the format in errors.
func NewTable(tool string, raw io.Reader, comma byte) *Table {
	t := &Table{tool: tool, in: Text(raw), comma: comma, line: 1, keep: MaxText}
	if comma == 0 {
		t.comma = t.guess()
	}
	return t
}

// Backslashes takes \" within a quoted field for a quote, as Nikto writes it.
func (t *Table) Backslashes() { t.escape = true }

// Keep makes a field longer than n bytes the one that is cut, instead of MaxText: a list of CVEs must stay whole.
func (t *Table) Keep(n int) { t.keep = n }

func (t *Table) guess() byte {
	head, _ := t.in.Peek(4 << 10)
	first, _, _ := strings.Cut(string(head), "\n")
	best := byte(',')
	for _, c := range []byte{';', '\t'} {
		if strings.Count(first, string(c)) > strings.Count(first, string(best)) {
			best = c
		}
	}
	return best
}

// Header takes the next row as the names of the columns and says whether all of need are among them. Names are compared
// without regard to case and blanks around them.
func (t *Table) Header(need ...string) error {
	row, err := t.Next()
	if err == io.EOF { //nolint:errorlint // a wrapped one is a failure, not the end
		return fault.Invalid("%s report: no header row", t.tool)
	}
	if err != nil {
		return err
	}
	t.columns, t.width = map[string]int{}, len(row)
	for i, name := range row {
		name = columnName(name)
		if _, twice := t.columns[name]; !twice && name != "" {
			t.columns[name] = i
		}
	}
	for _, name := range need {
		if !t.Has(name) {
			return fault.Invalid("%s report, line %d: no column %q in the header", t.tool, t.at, name)
		}
	}
	return nil
}

// Columns is how many fields the header has: a row with fewer is malformed, or cut off when it is the last.
func (t *Table) Columns() int { return t.width }

func columnName(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// Has says whether the header has a column.
func (t *Table) Has(name string) bool {
	_, ok := t.columns[columnName(name)]
	return ok
}

// Get is the current row's field of the first of the columns that is there and not blank, trimmed; "" otherwise.
func (t *Table) Get(names ...string) string {
	for _, name := range names {
		i, ok := t.columns[columnName(name)]
		if !ok || i >= len(t.row) {
			continue
		}
		if field := strings.TrimSpace(t.row[i]); field != "" {
			return field
		}
	}
	return ""
}

// Line is where the current row began, from 1.
func (t *Table) Line() int { return t.at }

// Fail is fault.Invalid with the tool and the line of the current row.
func (t *Table) Fail(err error) error {
	return fault.Invalid("%s report, line %d: %w", t.tool, t.at, err)
}

// Next returns the fields of the next row that is not blank, in a slice that the following call reuses; io.EOF at the end,
// scan.ErrTruncated where the input ends within a quoted field.
func (t *Table) Next() ([]string, error) {
	for {
		row, err := t.read()
		if err != nil {
			return nil, err
		}
		if len(row) > 1 || strings.TrimSpace(row[0]) != "" {
			return row, nil
		}
	}
}

// read takes one row off the stream, byte by byte: fields may hold line breaks, and only their first MaxText bytes are
// kept.
func (t *Table) read() ([]string, error) {
	t.row, t.at = t.row[:0], t.line
	var field strings.Builder
	var quoted, behind, begun bool // within quotes; behind the closing one; the row has begun
	add := func(c byte) {
		if field.Len() < t.keep+4 {
			field.WriteByte(c)
		}
	}
	end := func() {
		t.row = append(t.row, Cut(field.String(), t.keep))
		field.Reset()
		behind = false
	}
	for n := 0; ; n++ {
		c, err := t.in.ReadByte()
		switch {
		case err == io.EOF && quoted: //nolint:errorlint // bufio returns it bare
			return nil, fmt.Errorf("%s %w within a quoted field that began before line %d", t.tool, scan.ErrTruncated, t.line)
		case err == io.EOF && !begun: //nolint:errorlint // bufio returns it bare
			return nil, io.EOF
		case err == io.EOF: //nolint:errorlint // bufio returns it bare
			end()
			return t.row, nil
		case err != nil:
			return nil, fmt.Errorf("read %s report at line %d: %w", t.tool, t.line, err)
		case n > maxRow:
			return nil, t.Fail(errors.New("a row is longer than any real report's"))
		case len(t.row) >= maxFields:
			return nil, t.Fail(fmt.Errorf("a row has more than %d fields", maxFields))
		}
		begun = true
		if c == '\n' {
			t.line++
		}
		switch {
		case quoted && t.escape && c == '\\':
			next, _ := t.in.Peek(1)
			if len(next) == 1 && (next[0] == '"' || next[0] == '\\') {
				c, _ = t.in.ReadByte() // it was peeked
			}
			add(c)
		case quoted && c == '"':
			quoted, behind = false, true
		case quoted:
			add(c)
		case c == '"' && behind: // a doubled quote
			add(c)
			quoted, behind = true, false
		case c == '"' && strings.TrimSpace(field.String()) == "": // blanks before a quoted field are no part of it
			field.Reset()
			quoted = true
		case c == t.comma:
			end()
		case c == '\n':
			end()
			return t.row, nil
		case c == '\r' && t.endOfLine():
		default:
			add(c)
		}
	}
}

func (t *Table) endOfLine() bool {
	next, err := t.in.Peek(1)
	return err != nil || next[0] == '\n'
}
