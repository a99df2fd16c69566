package openvas

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// answer is one response of gvmd as a stream. GMP has no lengths: a response ends where its root element closes. It reads
// nothing behind that.
type answer struct {
	in    *bufio.Reader
	left  int64 // bytes that it may still have
	frame frame
	err   error
}

var errLongAnswer = errors.New("the answer is longer than any real one")

func (a *answer) Read(p []byte) (int, error) {
	switch {
	case a.err != nil:
		return 0, a.err
	case len(p) == 0:
		return 0, nil
	case a.left <= 0:
		a.err = errLongAnswer
		return 0, a.err
	}
	if _, err := a.in.Peek(1); err != nil {
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("gvmd closed the connection within an answer: %w", io.ErrUnexpectedEOF)
		}
		a.err = err
		return 0, err
	}
	chunk, _ := a.in.Peek(min(a.in.Buffered(), len(p), int(min(a.left, 1<<30))))
	n, done, err := a.frame.take(chunk)
	copy(p, chunk[:n])
	_, _ = a.in.Discard(n) // it was peeked
	a.left -= int64(n)
	switch {
	case err != nil:
		a.err = err
	case done:
		a.err = io.EOF
	}
	return n, nil
}

// frame follows the nesting of elements byte by byte, at several hundred MB/s where a parser manages thirty. It does not
// check names: the reader of the document does.
type frame struct {
	state state
	depth int
	quote byte
	lead  string // what followed "<!" so far
	seen  int    // bytes of the end sign that were seen
	slash bool   // the last byte of the tag was "/"
}

type state uint8

const (
	inText state = iota
	afterLess
	inTag
	inEndTag
	inQuote
	inInstruction
	afterBang
	inComment
	inCDATA
)

// maxFrameDepth is beyond what any reader follows.
const maxFrameDepth = 1000

// take goes over bytes and says how many belong to the document, and whether it ends with them.
func (f *frame) take(p []byte) (n int, done bool, err error) {
	for i, c := range p {
		switch f.state {
		case inText:
			if c == '<' {
				f.state = afterLess
			} else if f.depth == 0 && c > ' ' && c < 0x80 {
				return i, false, errors.New("gvmd does not speak GMP: its answer is not XML")
			}
		case afterLess:
			f.begin(c)
		case inTag:
			if f.tag(c) {
				return i + 1, true, nil
			}
		case inQuote:
			if c == f.quote {
				f.state = inTag
			}
		case inEndTag:
			if c == '>' {
				f.state = inText
				if f.depth--; f.depth <= 0 {
					return i + 1, true, nil
				}
			}
		case inInstruction:
			f.until(c, "?>")
		case afterBang:
			err = f.declaration(c)
		case inComment:
			f.until(c, "-->")
		case inCDATA:
			f.until(c, "]]>")
		}
		if f.depth > maxFrameDepth {
			err = errors.New("the elements of gvmd's answer are nested too deeply")
		}
		if err != nil {
			return i, false, err
		}
	}
	return len(p), false, nil
}

func (f *frame) begin(c byte) {
	switch c {
	case '/':
		f.state = inEndTag
	case '?':
		f.state, f.seen = inInstruction, 0
	case '!':
		f.state, f.lead = afterBang, ""
	default:
		f.state, f.slash = inTag, false
	}
}

// tag goes on in a start tag; true when it was the whole document.
func (f *frame) tag(c byte) bool {
	switch {
	case c == '"' || c == '\'':
		f.state, f.quote = inQuote, c
	case c == '>' && f.slash:
		f.state = inText
		return f.depth == 0
	case c == '>':
		f.state = inText
		f.depth++
	}
	f.slash = c == '/'
	return false
}

func (f *frame) declaration(c byte) error {
	f.lead += string(rune(c))
	switch {
	case f.lead == "--":
		f.state, f.seen = inComment, 0
	case f.lead == "[CDATA[":
		f.state, f.seen = inCDATA, 0
	case !strings.HasPrefix("--", f.lead) && !strings.HasPrefix("[CDATA[", f.lead):
		return errors.New("gvmd's answer has a document type, which GMP has not")
	}
	return nil
}

// until looks for a sign of two or three bytes, of which all but the last are the same ("--", "]]") or there is one.
func (f *frame) until(c byte, sign string) {
	last := len(sign) - 1
	switch {
	case c == sign[last] && f.seen >= last:
		f.state = inText
	case c == sign[0]:
		f.seen++
	default:
		f.seen = 0
	}
}
