// Package cpe reads, prints and compares CPE 2.3 names (NISTIR 7695), in both bindings: formatted strings
// ("cpe:2.3:a:openbsd:openssh:7.2:p2:…") and 2.2 URIs ("cpe:/a:openbsd:openssh:7.2p2"). It never looks anything up in
// a dictionary: a well-formed name of a product that nobody knows is a name.
package cpe

import (
	"strings"

	"github.com/patchscout/patchscout/internal/fault"
)

// Attribute indexes the attributes of a Name after part, in the order of the formatted string.
type Attribute int

// The attributes (NISTIR 7695, section 5.2).
const (
	Vendor Attribute = iota
	ProductName
	Version
	Update
	Edition
	Language
	SWEdition
	TargetSW
	TargetHW
	Other
	attributes
)

// Logical values (NISTIR 7695, section 5.3.1): ANY is "no restriction" in a rule and "not known" in an observation;
// NA is "has none".
const (
	Any = "*"
	NA  = "-"
)

// Limits on hostile input. The longest name in NVD has about 250 characters.
const (
	maxName  = 1024
	maxValue = 255
)

// Name is a well-formed CPE name. Values are canonical: lower case, and escaped as the 2.3 formatted string writes them, so
// that equal values are equal strings and an unescaped "*" or "?" is a wildcard. The zero Name is not valid.
type Name struct {
	Part   byte // 'a' application, 'o' operating system, 'h' hardware
	values [attributes]string
}

// Product is what rules are indexed by. Vendor and Product are canonical values.
type Product struct {
	Part    byte
	Vendor  string
	Product string
}

// String prints "a:openbsd:openssh".
func (p Product) String() string { return string(p.Part) + ":" + p.Vendor + ":" + p.Product }

// Get returns a canonical value, Any when it is not set.
func (n Name) Get(a Attribute) string {
	if n.values[a] == "" {
		return Any
	}
	return n.values[a]
}

// Text returns the value as plain text without escapes; "" for ANY and NA.
func (n Name) Text(a Attribute) string {
	v := n.Get(a)
	if v == Any || v == NA {
		return ""
	}
	return Unquote(v)
}

// With returns a copy of n with one attribute replaced by a canonical value (Any, NA or the result of Quote).
func (n Name) With(a Attribute, value string) Name {
	n.set(a, value)
	return n
}

// set keeps ANY as "", so that equal names are equal values.
func (n *Name) set(a Attribute, value string) {
	if value == Any {
		value = ""
	}
	n.values[a] = value
}

// Product returns what n's rules are indexed by.
func (n Name) Product() Product {
	return Product{Part: n.Part, Vendor: n.Get(Vendor), Product: n.Get(ProductName)}
}

// String prints the 2.3 formatted string.
func (n Name) String() string {
	var b strings.Builder
	b.Grow(64)
	b.WriteString("cpe:2.3:")
	b.WriteByte(n.Part)
	for a := range attributes {
		b.WriteByte(':')
		b.WriteString(n.Get(a))
	}
	return b.String()
}

// New builds a name from plain text as a tool or a banner says it; "" is ANY. The text is escaped, so it can never
// bring a wildcard or a separator into the name.
func New(part byte, vendor, product, version, update string) Name {
	n := Name{Part: part}
	for a, text := range []string{vendor, product, version, update} {
		if text != "" {
			n.set(Attribute(a), Quote(text))
		}
	}
	return n
}

// Parse reads either binding. Trailing attributes of a formatted string may be missing (tools cut them) and are ANY.
// Errors are fault.Invalid and name the text and the place.
func Parse(s string) (Name, error) {
	if len(s) > maxName {
		return Name{}, fault.Invalid("CPE %q: longer than %d characters", s[:40]+"…", maxName)
	}
	var n Name
	var err error
	switch {
	case hasPrefix(s, "cpe:2.3:"):
		n, err = parseFormatted(s)
	case hasPrefix(s, "cpe:/"):
		n, err = parseURI(s)
	default:
		return Name{}, fault.Invalid(`CPE %q: want "cpe:2.3:…" or "cpe:/…"`, s)
	}
	if err != nil {
		return Name{}, fault.Invalid("CPE %q: %w", s, err)
	}
	return n, nil
}

func hasPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// names are for error messages.
var names = [attributes]string{"vendor", "product", "version", "update", "edition", "language", "sw_edition", "target_sw", "target_hw", "other"}

func parseFormatted(s string) (n Name, err error) {
	rest := s[len("cpe:2.3:"):]
	part, rest, more := cutValue(rest)
	if n.Part, err = parsePart(part); err != nil {
		return n, err
	}
	for a := range attributes {
		if !more {
			return n, needProduct(a)
		}
		var value string
		value, rest, more = cutValue(rest)
		if value, err = canonical(value); err != nil {
			return n, fault.Invalid("%s: %w", names[a], err)
		}
		n.set(a, value)
	}
	if more {
		return n, fault.Invalid("more than 11 attributes")
	}
	return n, nil
}

// needProduct reports a name that ends before its product.
func needProduct(a Attribute) error {
	if a <= ProductName {
		return fault.Invalid("ends before the %s", names[a])
	}
	return nil
}

func parsePart(s string) (byte, error) {
	if len(s) == 1 {
		switch c := s[0] | 0x20; c {
		case 'a', 'o', 'h':
			return c, nil
		}
	}
	return 0, fault.Invalid("part %q: want a, o or h", s)
}

// cutValue cuts s at the next colon that is not escaped.
func cutValue(s string) (value, rest string, more bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case ':':
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

// canonical brings one value of a formatted string into canonical form. Tools forget escapes: what needs one gets one.
func canonical(v string) (string, error) {
	switch {
	case v == "" || v == Any:
		return Any, nil
	case v == NA:
		return NA, nil
	case len(v) > maxValue:
		return "", fault.Invalid("longer than %d characters", maxValue)
	case isCanonical(v):
		return v, nil
	}
	out := make([]byte, 0, len(v)+4)
	for i := 0; i < len(v); i++ {
		c := v[i]
		if c == '\\' {
			if i++; i == len(v) {
				return "", fault.Invalid("%q ends in a lone backslash", v)
			}
			if isControl(v[i]) {
				return "", fault.Invalid("control character in %q", v)
			}
			out = appendEscaped(out, v[i])
			continue
		}
		switch {
		case isControl(c):
			return "", fault.Invalid("control character in %q", v)
		case c == '*' || c == '?':
			out = append(out, c)
		default:
			out = appendEscaped(out, c)
		}
	}
	if string(out) == NA {
		return `\-`, nil // an escaped hyphen is a hyphen, not NA
	}
	return string(out), nil
}

// isCanonical is the fast path: nothing to fold or escape.
func isCanonical(v string) bool {
	for i := 0; i < len(v); i++ {
		c := v[i]
		if c == '\\' && i+1 < len(v) && isPunctuation(v[i+1]) {
			i++
			continue
		}
		if !isPlain(c) && c != '*' && c != '?' {
			return false
		}
	}
	return true
}

// appendEscaped appends the literal character c.
func appendEscaped(out []byte, c byte) []byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return append(out, c+'a'-'A')
	case c == ' ':
		return append(out, '_')
	case isPlain(c) || c >= 0x80:
		return append(out, c)
	default:
		return append(out, '\\', c)
	}
}

// isPlain says what a formatted string writes without a backslash (NISTIR 7695, section 6.2).
func isPlain(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '.' || c == '-'
}

func isPunctuation(c byte) bool { return c > ' ' && c < 0x7f && !isPlain(c) && !('A' <= c && c <= 'Z') }

func isControl(c byte) bool { return c < ' ' || c == 0x7f }

// Quote turns plain text into a canonical value: lower case, spaces as "_", everything special escaped. Control
// characters are dropped and long text is cut. "" becomes ANY, "-" a literal hyphen.
func Quote(text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return Any
	}
	if text == NA {
		return `\-`
	}
	out := make([]byte, 0, len(text)+4)
	for i := 0; i < len(text) && len(out) < maxValue-1; i++ {
		if !isControl(text[i]) {
			out = appendEscaped(out, text[i])
		}
	}
	if len(out) == 0 {
		return Any
	}
	return string(out)
}

// Unquote removes the escapes of a canonical value.
func Unquote(v string) string {
	if strings.IndexByte(v, '\\') < 0 {
		return v
	}
	out := make([]byte, 0, len(v))
	for i := 0; i < len(v); i++ {
		if v[i] == '\\' && i+1 < len(v) {
			i++
		}
		out = append(out, v[i])
	}
	return string(out)
}

// HasWildcard says whether a canonical value holds an unescaped "*" or "?" beside other characters, or is one.
func HasWildcard(v string) bool {
	for i := 0; i < len(v); i++ {
		switch v[i] {
		case '\\':
			i++
		case '*', '?':
			return true
		}
	}
	return false
}
