package intake

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/scan"
)

// Limits on a hostile XML report. Zero fields take the defaults.
type Limits struct {
	Token  int   // bytes between two tokens: the longest text; default 4 MiB
	Depth  int   // nested elements; default 64
	Record int64 // bytes of one record, see XML.Record; default 64 MiB
}

func (l Limits) withDefaults() Limits {
	if l.Token <= 0 {
		l.Token = 4 << 20
	}
	if l.Depth <= 0 {
		l.Depth = 64
	}
	if l.Record <= 0 {
		l.Record = 64 << 20
	}
	return l
}

// XML pulls elements out of a report. Entities other than XML's own five are errors and a DTD is never looked at, so
// nothing expands and nothing is fetched. Names are local names as written, without their prefix. Control bytes that XML
// forbids, which tools write all the same, become "?". It is not safe for concurrent use.
type XML struct {
	tool   string
	limits Limits
	dec    *xml.Decoder
	gate   *gate
	open   []string // names of the open elements
	record int64    // offset where the record began, 0 outside of one
}

// NewXML reads raw, which may have any encoding that Text knows. tool names the format in errors: "nessus".
func NewXML(tool string, raw io.Reader, limits Limits) *XML {
	g := &gate{r: asVersion10(Text(raw))}
	dec := xml.NewDecoder(g)
	dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // Text has seen to it
	return &XML{tool: tool, limits: limits.withDefaults(), dec: dec, gate: g}
}

var version11 = regexp.MustCompile(`^\s*<\?xml\s+version\s*=\s*["'](1\.[1-9])["']`)

// asVersion10 has the decoder read XML 1.1, in which Burp writes: nothing that tools make use of differs.
func asVersion10(in *bufio.Reader) *bufio.Reader {
	head, _ := in.Peek(64)
	at := version11.FindSubmatchIndex(head)
	if at == nil {
		return in
	}
	said := slices.Concat(head[:at[2]], []byte("1.0"), head[at[3]:])
	_, _ = in.Discard(len(head)) // it was peeked
	return bufio.NewReaderSize(io.MultiReader(bytes.NewReader(said), in), 64<<10)
}

var errTooLarge = errors.New("larger than any real report's")

// Next returns the next start element, end element or text; what it returns is valid until the following call. At the end
// of the input it is io.EOF between documents and scan.ErrTruncated inside of one; what is no XML is fault.Invalid with
// its line.
func (x *XML) Next() (xml.Token, error) {
	for {
		x.gate.left = x.limits.Token
		tok, err := x.dec.RawToken()
		if err != nil {
			return nil, x.explain(err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if x.open = append(x.open, tok.Name.Local); len(x.open) > x.limits.Depth {
				return nil, x.Fail(errors.New("elements are nested too deeply"))
			}
			return tok, x.checkRecord()
		case xml.EndElement:
			if len(x.open) == 0 || x.open[len(x.open)-1] != tok.Name.Local {
				return nil, x.Fail(fmt.Errorf("</%s> closes nothing", Cut(tok.Name.Local, 40)))
			}
			x.open = x.open[:len(x.open)-1]
			return tok, nil
		case xml.CharData:
			return tok, x.checkRecord()
		}
	}
}

// Record says that a record (a host, an item) begins here; one beyond the limit is an error. Done ends it.
func (x *XML) Record() { x.record = max(1, x.dec.InputOffset()) }

// Done ends a record.
func (x *XML) Done() { x.record = 0 }

func (x *XML) checkRecord() error {
	if x.record > 0 && x.dec.InputOffset()-x.record > x.limits.Record {
		return x.Fail(fmt.Errorf("a record is %w", errTooLarge))
	}
	return nil
}

// Line is where the reading is, from 1.
func (x *XML) Line() int {
	line, _ := x.dec.InputPos()
	return line
}

// Fail is fault.Invalid with the tool and line.
func (x *XML) Fail(err error) error {
	return fault.Invalid("%s report, line %d: %w", x.tool, x.Line(), err)
}

func (x *XML) explain(err error) error {
	var syntax *xml.SyntaxError
	switch {
	case err == io.EOF && len(x.open) == 0:
		return io.EOF
	case err == io.EOF, errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &syntax) && strings.HasPrefix(syntax.Msg, "unexpected EOF"):
		return fmt.Errorf("%s %w after %d bytes", x.tool, scan.ErrTruncated, x.dec.InputOffset())
	case errors.As(err, &syntax):
		return fault.Invalid("%s report, line %d: %s", x.tool, syntax.Line, syntax.Msg)
	}
	return x.Fail(err)
}

// Root finds the next root element, which must have one of the names. At the end of the input it is io.EOF.
func (x *XML) Root(names ...string) (xml.StartElement, error) {
	for {
		tok, err := x.Next()
		if err != nil {
			return xml.StartElement{}, err
		}
		if start, ok := tok.(xml.StartElement); ok {
			for _, name := range names {
				if start.Name.Local == name {
					return start.Copy(), nil
				}
			}
			return start, fault.Invalid("not a %s report: its root is <%s>, want <%s>", x.tool, Cut(start.Name.Local, 40), strings.Join(names, "> or <"))
		}
	}
}

// Each calls f for every child element of the open one; f must consume its child (Skip, Text and Each do). An error of f
// ends it.
func (x *XML) Each(f func(xml.StartElement) error) error {
	for {
		tok, err := x.Next()
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

// Skip consumes the rest of the open element.
func (x *XML) Skip() error {
	for depth := len(x.open); len(x.open) >= depth; {
		if _, err := x.Next(); err != nil {
			return err
		}
	}
	return nil
}

// Text consumes the open element and returns its own text without that of its children, cut at MaxText bytes and
// trimmed.
func (x *XML) Text() (string, error) { return x.TextWith(nil) }

// TextWith is Text that gives the children to f, which must consume them; nil skips them.
func (x *XML) TextWith(f func(xml.StartElement) error) (string, error) { return x.text(MaxText, f) }

// LongText is Text cut at n bytes instead of MaxText, for what is not kept as it is but read further.
func (x *XML) LongText(n int) (string, error) { return x.text(n, nil) }

func (x *XML) text(keep int, f func(xml.StartElement) error) (string, error) {
	var b strings.Builder
	for {
		tok, err := x.Next()
		if err != nil {
			return "", err
		}
		switch tok := tok.(type) {
		case xml.CharData:
			if room := keep - b.Len(); len(tok) <= room {
				b.Write(tok)
			} else {
				b.WriteString(Cut(string(tok[:min(len(tok), room+4)]), room))
			}
		case xml.StartElement:
			if f == nil {
				err = x.Skip()
			} else {
				err = f(tok)
			}
			if err != nil {
				return "", err
			}
		case xml.EndElement:
			return strings.TrimSpace(b.String()), nil
		}
	}
}

// Attr is the value of an attribute, "" where it is missing.
func Attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// gate hands bytes to the decoder, at most left of them before the next token, and replaces what XML forbids but tools
// write: control bytes of a banner, as themselves or as "&#x1;".
type gate struct {
	r     *bufio.Reader
	ahead []byte // what r has in memory, of which used is handed out: a call per byte costs more than the parsing
	used  int
	left  int
}

// ReadByte is what the decoder calls.
func (g *gate) ReadByte() (byte, error) {
	if g.left--; g.left < 0 {
		return 0, fmt.Errorf("a token is %w", errTooLarge)
	}
	if g.used == len(g.ahead) {
		if err := g.fill(); err != nil {
			return 0, err
		}
	}
	b := g.ahead[g.used]
	g.used++
	switch {
	case b < ' ' && b != '\t' && b != '\n' && b != '\r':
		return '?', nil
	case b == '&':
		return g.reference(), nil
	}
	return b, nil
}

// fill lets go of what was handed out and looks at what comes next, at least one byte.
func (g *gate) fill() error {
	_, _ = g.r.Discard(g.used) // it was peeked
	g.ahead, g.used = nil, 0
	if _, err := g.r.Peek(1); err != nil {
		return err
	}
	g.ahead, _ = g.r.Peek(g.r.Buffered())
	return nil
}

// reference looks at what follows "&": a reference to a character that XML forbids is swallowed.
func (g *gate) reference() byte {
	_, _ = g.r.Discard(g.used) // it was peeked
	g.ahead, g.used = nil, 0
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
			if forbidden(string(ahead[1 : n-1])) {
				_, _ = g.r.Discard(n) // it was peeked
				return '?'
			}
			return '&'
		}
	}
	return '&'
}

func forbidden(number string) bool {
	base := 10
	if hex, ok := strings.CutPrefix(number, "x"); ok {
		number, base = hex, 16
	}
	n, err := strconv.ParseUint(number, base, 32)
	return err == nil && (n < ' ' && n != '\t' && n != '\n' && n != '\r' || n >= 0xd800 && n < 0xe000 || n == 0xfffe || n == 0xffff || n > 0x10ffff)
}

// Read makes gate an io.Reader; the decoder uses ReadByte.
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
