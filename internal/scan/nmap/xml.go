package nmap

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/scan"
)

// Limits on a hostile report. Real ones stay far below: the longest token is a script's output, the deepest nesting
// that of its tables, the largest host one with all ports open and scripts on each.
const (
	maxToken = 4 << 20  // bytes between two tokens
	maxDepth = 32       // elements
	maxHost  = 64 << 20 // bytes of one host kept in memory at a time
	maxText  = 16 << 10 // bytes of one script's output that we keep
)

// tokens reads XML within limits. Entities other than XML's own five are errors and the DTD is never looked at, so
// nothing expands and nothing is fetched.
type tokens struct {
	dec   *xml.Decoder
	gate  *gate
	depth int
	host  int64 // offset where the host began, 0 outside of one
}

func newTokens(r *bufio.Reader) *tokens {
	head, _ := r.Peek(256)
	utf8 := unicode.UTF8.NewDecoder().Reader(r) // ill-formed bytes become U+FFFD
	if declared := strings.ToLower(string(head)); strings.Contains(declared, `encoding="iso-8859-1"`) {
		utf8 = charmap.ISO8859_1.NewDecoder().Reader(r) // nmap 4
	}
	g := &gate{r: bufio.NewReaderSize(utf8, 32<<10)}
	dec := xml.NewDecoder(g)
	dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	return &tokens{dec: dec, gate: g}
}

var errTooLarge = errors.New("larger than any real report's")

// next returns the next start or end element or text. At the end of the input it returns io.EOF between documents and
// scan.ErrTruncated inside of one.
func (t *tokens) next() (xml.Token, error) {
	for {
		t.gate.left = maxToken
		tok, err := t.dec.Token()
		if err != nil {
			return nil, t.explain(err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if t.depth++; t.depth > maxDepth {
				return nil, t.explain(errors.New("elements are nested too deeply"))
			}
			return tok, t.checkHost()
		case xml.EndElement:
			t.depth--
			return tok, nil
		case xml.CharData:
			return tok, t.checkHost()
		}
	}
}

func (t *tokens) checkHost() error {
	if t.host > 0 && t.dec.InputOffset()-t.host > maxHost {
		return t.explain(fmt.Errorf("a host is %w", errTooLarge))
	}
	return nil
}

func (t *tokens) explain(err error) error {
	var syntax *xml.SyntaxError
	switch {
	case err == io.EOF && t.depth == 0:
		return io.EOF
	case err == io.EOF, errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &syntax) && syntax.Msg == "unexpected EOF":
		return fmt.Errorf("nmap %w after %d bytes", scan.ErrTruncated, t.dec.InputOffset())
	case errors.As(err, &syntax):
		return fault.Invalid("nmap report, line %d: %s", syntax.Line, syntax.Msg)
	}
	line, _ := t.dec.InputPos()
	return fault.Invalid("nmap report, line %d: %w", line, err)
}

// each calls f for every child element of the open one; f must consume its child (skip does).
func (t *tokens) each(f func(xml.StartElement) error) error {
	for {
		tok, err := t.next()
		if err != nil {
			return err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if err := f(tok); err != nil {
				return err
			}
		case xml.EndElement:
			return nil
		}
	}
}

// skip consumes the rest of the open element.
func (t *tokens) skip() error {
	return t.each(func(xml.StartElement) error { return t.skip() })
}

// text consumes the open element and returns its own text, cut.
func (t *tokens) text() (string, error) {
	var b strings.Builder
	for {
		tok, err := t.next()
		if err != nil {
			return "", err
		}
		switch tok := tok.(type) {
		case xml.CharData:
			b.WriteString(cut(string(tok), maxText-b.Len()))
		case xml.StartElement:
			if err := t.skip(); err != nil {
				return "", err
			}
		case xml.EndElement:
			return strings.TrimSpace(b.String()), nil
		}
	}
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// cut shortens text to n bytes without breaking a character.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:max(0, n)], "")
}

// gate hands bytes to the decoder, at most left of them before the next token, and replaces what XML forbids but nmap
// writes: control bytes of a banner, as themselves or as "&#x1;".
type gate struct {
	r    *bufio.Reader
	left int
}

func (g *gate) ReadByte() (byte, error) {
	if g.left--; g.left < 0 {
		return 0, fmt.Errorf("a token is %w", errTooLarge)
	}
	b, err := g.r.ReadByte()
	switch {
	case err != nil:
		return 0, err
	case b < ' ' && b != '\t' && b != '\n' && b != '\r':
		return '?', nil
	case b == '&':
		return g.reference(), nil
	}
	return b, nil
}

// reference looks at what follows "&": a reference to a character that XML forbids is swallowed.
func (g *gate) reference() byte {
	ahead, _ := g.r.Peek(2)
	if len(ahead) < 2 || ahead[0] != '#' {
		return '&'
	}
	for n := 3; n <= 10; n++ {
		ahead, err := g.r.Peek(n)
		if err != nil {
			return '&'
		}
		if ahead[n-1] == ';' {
			if isForbidden(string(ahead[1 : n-1])) {
				g.r.Discard(n)
				return '?'
			}
			return '&'
		}
	}
	return '&'
}

func isForbidden(number string) bool {
	base := 10
	if hex, ok := strings.CutPrefix(number, "x"); ok {
		number, base = hex, 16
	}
	n, err := strconv.ParseUint(number, base, 32)
	return err == nil && (n < ' ' && n != '\t' && n != '\n' && n != '\r' || n >= 0xd800 && n < 0xe000 || n == 0xfffe || n == 0xffff || n > 0x10ffff)
}

// Read makes gate an io.Reader for a declared charset; the decoder goes on to use ReadByte.
func (g *gate) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := g.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = b
	return 1, nil
}
