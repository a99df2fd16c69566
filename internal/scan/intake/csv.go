package intake

import (
	"bufio"
	"bytes"
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
	ended   bool
	said    bool // the row has a quoted field: it is not blank, even if that is empty
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

// Ended says whether the current row ended with a line break and not with the input: a last row that did not may be cut.
func (t *Table) Ended() bool { return t.ended }

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
		if len(row) > 1 || strings.TrimSpace(row[0]) != "" || t.said {
			return row, nil
		}
	}
}

// read takes one row off the stream: fields may hold line breaks, and only their first bytes are kept.
func (t *Table) read() ([]string, error) {
	t.row, t.at, t.ended, t.said = t.row[:0], t.line, false, false
	var field []byte
	var quoted, behind, begun bool // within quotes; behind the closing one; the row has begun
	end := func() {
		t.row = append(t.row, Cut(string(field), t.keep))
		field, behind = field[:0], false
	}
	for size := 0; ; size++ {
		run := t.plain(quoted)
		size += len(run)
		if len(run) > 0 {
			begun, behind = true, false
		}
		if room := t.keep + 4 - len(field); room > 0 { // a character more than is kept, so that Cut sees that there is one
			field = append(field, run[:min(len(run), room)]...)
		}
		_, _ = t.in.Discard(len(run)) // it was peeked
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
		case size > maxRow:
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
		case quoted && c == '"':
			quoted, behind = false, true
			continue
		case quoted:
		case c == '"' && behind: // a doubled quote
			quoted, behind = true, false
		case c == '"' && len(bytes.TrimSpace(field)) == 0: // blanks before a quoted field are no part of it
			field = field[:0]
			quoted, t.said = true, true
			continue
		case c == t.comma:
			end()
			continue
		case c == '\n':
			end()
			t.ended = true
			return t.row, nil
		case c == '\r' && t.endOfLine():
			continue
		}
		if len(field) < t.keep+4 {
			field = append(field, c)
		}
	}
}

// plain peeks at the bytes that come next, are in memory already and mean only themselves.
func (t *Table) plain(quoted bool) []byte {
	ahead, _ := t.in.Peek(t.in.Buffered())
	for i, c := range ahead {
		switch {
		case c == '"', c == '\n', quoted && t.escape && c == '\\', !quoted && (c == t.comma || c == '\r'):
			return ahead[:i]
		}
	}
	return ahead
}

func (t *Table) endOfLine() bool {
	next, err := t.in.Peek(1)
	return err != nil || next[0] == '\n'
}
