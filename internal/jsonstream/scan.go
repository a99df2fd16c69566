package jsonstream

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Eight bytes at a time: a byte of the word is zero, and only then, sets its top bit in (w-ones)&^w&tops.
const (
	ones = 0x0101010101010101
	tops = 0x8080808080808080
)

// special has the top bit set for each byte of w that ends or complicates a string: a quote, a backslash, a control
// character or a byte beyond ASCII. Borrows can mark a byte too much above a marked one, never one too few, and the
// caller looks at the lowest.
func special(w uint64) uint64 {
	quote := w ^ ones*'"'
	back := w ^ ones*'\\'
	return ((quote-ones)&^quote | (back-ones)&^back | (w - ones*0x20) | w) & tops
}

// raw reads a string and returns its bytes between the quotes, valid until the next read. plain says that they hold
// neither escapes nor anything beyond ASCII.
func (d *Decoder) raw() (text []byte, plain bool) {
	plain = true
	start := d.pos // of the opening quote; moves when the buffer does
	i := start + 1
	for {
		for i+8 <= len(d.buf) {
			m := special(binary.LittleEndian.Uint64(d.buf[i:]))
			if m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
		if i < len(d.buf) {
			switch c := d.buf[i]; {
			case c == '"' && i-start > d.limits.String: // a document in memory is never filled
				d.failAt(i, "string is too long")
				return nil, false
			case c == '"':
				d.pos = i + 1
				return d.buf[start+1 : i], plain
			case c == '\\' && i+1 < len(d.buf):
				plain = false
				i += 2
				continue
			case c == '\\': // its other half comes with the next fill
			case c < 0x20:
				d.failAt(i, "control character in a string")
				return nil, false
			default:
				plain = plain && c < utf8.RuneSelf
				i++
				continue
			}
		}
		if i-start > d.limits.String {
			d.failAt(i, "string is too long")
			return nil, false
		}
		if !d.fill(start) {
			d.pos = len(d.buf)
			d.broke()
			return nil, false
		}
		i -= start
		start = 0
	}
}

// failAt fails with the offset of buf[i], while pos stays where Recover can find the brackets again.
func (d *Decoder) failAt(i int, reason string) {
	if d.err == nil {
		d.err = &Error{Offset: d.base + int64(i), Reason: reason}
	}
}

// bytes reads a string value; null is empty. The bytes are valid until the next call.
func (d *Decoder) bytes() []byte {
	if d.err != nil {
		return nil
	}
	c := d.peek()
	if c == 'n' && d.literal("null") {
		return nil
	}
	if c != '"' {
		d.unexpected(c, "want a string")
		return nil
	}
	text, plain := d.raw()
	if d.err != nil || plain {
		return text
	}
	return d.unescape(text)
}

// Text reads a string; null is "". Control characters other than line ends and tabs are left out and what is not UTF-8
// becomes U+FFFD, so that any database and terminal can hold it.
func (d *Decoder) Text() string { return string(d.bytes()) }

const (
	poolSize   = 1 << 14 // a power of two
	poolLength = 160     // longer texts hardly repeat
)

var seed = maphash.MakeSeed()

// Word reads a string as Text does, but gives texts that were seen lately the same memory: for values that repeat.
func (d *Decoder) Word() string {
	b := d.bytes()
	if len(b) == 0 {
		return ""
	}
	if len(b) > poolLength {
		return string(b)
	}
	slot := &d.pool[maphash.Bytes(seed, b)&(poolSize-1)]
	if *slot != string(b) {
		*slot = string(b)
	}
	return *slot
}

// Bytes reads a string as Text does, without copying: valid until the next call of any method.
func (d *Decoder) Bytes() []byte { return d.bytes() }

// unescape resolves escapes and repairs what is not UTF-8, into scratch.
func (d *Decoder) unescape(raw []byte) []byte {
	out := d.scratch[:0]
	for i := 0; i < len(raw); {
		c := raw[i]
		switch {
		case c == '\\':
			var r rune
			r, i = d.escape(raw, i+1)
			out = appendText(out, r)
		case c < utf8.RuneSelf:
			out = append(out, c)
			i++
		default:
			r, n := utf8.DecodeRune(raw[i:])
			out = appendText(out, r)
			i += n
		}
	}
	d.scratch = out
	return out
}

// appendText leaves control characters out, but for line ends and tabs.
func appendText(out []byte, r rune) []byte {
	if r < ' ' && r != '\n' && r != '\t' && r != '\r' || r >= 0x7f && r <= 0x9f {
		return out
	}
	return utf8.AppendRune(out, r)
}

// escape reads one escape whose letter is at i, and returns where the text goes on.
func (d *Decoder) escape(raw []byte, i int) (rune, int) {
	switch c := raw[i]; c {
	case '"', '\\', '/':
		return rune(c), i + 1
	case 'n':
		return '\n', i + 1
	case 't':
		return '\t', i + 1
	case 'r':
		return '\r', i + 1
	case 'b', 'f':
		return ' ', i + 1
	case 'u':
		r := hex4(raw, i+1)
		if r < 0 {
			break
		}
		i += 5
		if !utf16.IsSurrogate(r) {
			return r, i
		}
		if i+1 < len(raw) && raw[i] == '\\' && raw[i+1] == 'u' {
			if pair := utf16.DecodeRune(r, hex4(raw, i+2)); pair != utf8.RuneError {
				return pair, i + 6
			}
		}
		return utf8.RuneError, i
	}
	d.fail("bad escape in a string")
	return 0, len(raw)
}

// hex4 reads four hexadecimal digits at i, -1 if there are none.
func hex4(raw []byte, i int) rune {
	if i+4 > len(raw) {
		return -1
	}
	var r rune
	for _, c := range raw[i : i+4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return -1
		}
	}
	return r
}

// Float reads a number; ok is false for null.
func (d *Decoder) Float() (f float64, ok bool) {
	if d.err != nil {
		return 0, false
	}
	c := d.peek()
	if c == 'n' && d.literal("null") {
		return 0, false
	}
	if c != '-' && (c < '0' || c > '9') {
		d.unexpected(c, "want a number")
		return 0, false
	}
	text := d.number()
	if len(text) == 3 && text[1] == '.' && isDigit(text[0]) && isDigit(text[2]) { // 7.5, as nearly all scores are
		return float64(int(text[0]-'0')*10+int(text[2]-'0')) / 10, true
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		d.fail("bad number")
		return 0, false
	}
	return f, true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// number reads the characters of a number, valid until the next call.
func (d *Decoder) number() []byte {
	i := 0
	for {
		for ; d.pos+i < len(d.buf); i++ {
			switch c := d.buf[d.pos+i]; {
			case isDigit(c), c == '-', c == '+', c == '.', c|0x20 == 'e':
			default:
				d.pos += i
				return d.buf[d.pos-i : d.pos]
			}
		}
		if i > 64 {
			d.fail("bad number")
			return nil
		}
		if !d.fill(d.pos) {
			d.pos += i
			return d.buf[d.pos-i : d.pos]
		}
	}
}

// Skip moves behind the next value without checking more of it than its brackets and quotes.
func (d *Decoder) Skip() {
	if d.err == nil {
		d.skipValue()
	}
}

func (d *Decoder) skipValue() {
	switch c := d.peek(); {
	case c == '{' || c == '[':
		d.pos++
		d.skipNested(1)
	case c == '"':
		d.skipString()
	case c == 't' && d.literal("true"), c == 'f' && d.literal("false"), c == 'n' && d.literal("null"):
	case c == '-' || isDigit(c):
		d.number()
	default:
		d.unexpected(c, "want a value")
	}
}

// skipNested moves behind the bracket that closes the given number of open ones.
func (d *Decoder) skipNested(depth int) {
	for {
		for d.pos < len(d.buf) {
			c := d.buf[d.pos]
			switch c {
			case '"':
				d.skipString()
				if d.err != nil {
					return
				}
				continue
			case '{', '[':
				depth++
			case '}', ']':
				depth--
			}
			d.pos++
			if depth == 0 {
				return
			}
		}
		if !d.fill(d.pos) {
			d.broke()
			return
		}
	}
}

// skipString moves behind a string of any length and content.
func (d *Decoder) skipString() {
	d.pos++
	for {
		for d.pos+8 <= len(d.buf) {
			w := binary.LittleEndian.Uint64(d.buf[d.pos:])
			quote, back := w^ones*'"', w^ones*'\\'
			m := ((quote-ones)&^quote | (back-ones)&^back) & tops
			if m != 0 {
				d.pos += bits.TrailingZeros64(m) >> 3
				break
			}
			d.pos += 8
		}
		switch {
		case d.pos >= len(d.buf):
		case d.buf[d.pos] == '"':
			d.pos++
			return
		case d.buf[d.pos] != '\\':
			d.pos++
			continue
		case d.pos+1 < len(d.buf):
			d.pos += 2
			continue
		}
		if !d.fill(d.pos) {
			d.broke()
			return
		}
	}
}
