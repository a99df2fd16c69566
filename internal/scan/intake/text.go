// Package intake reads what other people's tools wrote: text of any encoding, XML, CSV and JSON, within limits and from a
// stream. It knows no tool's format, resolves no entity, fetches nothing, and never holds more than one record.
package intake

import (
	"bufio"
	"bytes"
	"io"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
	"golang.org/x/text/transform"
)

// HeadSize is how much of a report Detect functions get to see.
const HeadSize = 8 << 10

// MaxText is what a reader keeps of one text, in bytes: what the estate keeps of an output.
const MaxText = 16 << 10

// Text returns the report as UTF-8 without a byte order mark: UTF-16 is known by its mark or by its zero bytes, UTF-32
// by its mark, another
// encoding by the XML declaration; ill-formed bytes become U+FFFD. Text of text is the same text.
func Text(r io.Reader) *bufio.Reader {
	in := bufio.NewReaderSize(r, 64<<10)
	head, _ := in.Peek(512)
	var t transform.Transformer = unicode.UTF8.NewDecoder()
	if e := encodingOf(head); e != nil {
		t = e.NewDecoder()
	} else if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		_, _ = in.Discard(3) // it was peeked
	}
	return undeclared(bufio.NewReaderSize(transform.NewReader(in, t), 64<<10))
}

// undeclared makes the XML declaration say what the text now is: it may go through Text once more.
func undeclared(in *bufio.Reader) *bufio.Reader {
	head, _ := in.Peek(512)
	at := declared.FindSubmatchIndex(head)
	if at == nil || encodingOf(head) == nil {
		return in
	}
	said := slices.Concat(head[:at[2]], []byte("utf-8"), head[at[3]:])
	_, _ = in.Discard(len(head)) // it was peeked
	return bufio.NewReaderSize(io.MultiReader(bytes.NewReader(said), in), 64<<10)
}

// Head returns the beginning of a report as Detect functions get it, and a reader of the whole, as Text gives it.
func Head(r io.Reader) (head []byte, whole *bufio.Reader) {
	whole = bufio.NewReaderSize(Text(r), HeadSize)
	head, _ = whole.Peek(HeadSize)
	return bytes.TrimLeft(bytes.Clone(head), " \t\r\n"), whole // reading on overwrites what was peeked
}

var declared = regexp.MustCompile(`^\s*<\?xml[^>]{0,200}\sencoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']`)

// encodingOf returns nil for UTF-8.
func encodingOf(head []byte) encoding.Encoding {
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe, 0, 0}), bytes.HasPrefix(head, []byte{0, 0, 0xfe, 0xff}):
		return utf32.UTF32(utf32.LittleEndian, utf32.ExpectBOM)
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	case len(head) >= 4 && head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0:
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case len(head) >= 4 && head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0:
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	}
	m := declared.FindSubmatch(head)
	if m == nil {
		return nil
	}
	name := strings.ToLower(string(m[1]))
	if strings.HasPrefix(name, "utf") || name == "us-ascii" { // a declaration of UTF-16 that could be read is not true
		return nil
	}
	e, err := htmlindex.Get(name)
	if err != nil {
		return nil
	}
	return e
}

// Cut shortens a text to n bytes without breaking a character.
func Cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:max(0, n)], "")
}
