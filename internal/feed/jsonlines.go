package feed

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// JSONLines reads text that holds a JSON document on each line: a line that is damaged or too long harms no other.
type JSONLines struct {
	name string
	r    *bufio.Reader
	max  int
	line int
	long []byte
}

// NewJSONLines reads r, which Begin returned. Lines of more than limit bytes are refused one by one.
func NewJSONLines(file File, r io.Reader, limit int) *JSONLines {
	return &JSONLines{name: file.Name, r: bufio.NewReaderSize(r, 128<<10), max: limit}
}

// Line is the number of the line that Next returned last, from 1.
func (l *JSONLines) Line() int { return l.line }

// Place names that line for Sink.Reject: "feed.ndjson line 17".
func (l *JSONLines) Place() string { return fmt.Sprintf("%s line %d", l.name, l.line) }

// Next returns the next line that is not blank, without the blanks around it, in memory that the following call uses
// again; io.EOF at the end. After a *RowError reading goes on behind the line; any other error is for the file.
func (l *JSONLines) Next() ([]byte, error) {
	for {
		text, err := l.read()
		if err != nil {
			return nil, err
		}
		if text = bytes.TrimSpace(text); len(text) > 0 {
			return text, nil
		}
	}
}

// read returns one line. The last one need not end.
func (l *JSONLines) read() ([]byte, error) {
	l.line++
	l.long = l.long[:0]
	size := 0
	for {
		part, err := l.r.ReadSlice('\n')
		size += len(part)
		more := errors.Is(err, bufio.ErrBufferFull)
		switch {
		case err != nil && !more && err != io.EOF: //nolint:errorlint // a wrapped one is a failure, not the end
			return nil, fmt.Errorf("read %s at line %d: %w", l.name, l.line, err)
		case err != nil && !more && size == 0:
			return nil, io.EOF
		case !more && size > l.max:
			return nil, &RowError{Reason: "line is too long"}
		case !more && len(l.long) == 0:
			return part, nil
		}
		if size <= l.max {
			l.long = append(l.long, part...)
		}
		if !more {
			return l.long, nil
		}
	}
}
