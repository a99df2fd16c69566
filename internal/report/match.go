package report

import (
	"strconv"
	"unicode/utf8"

	"github.com/patchscout/patchscout/internal/match"
	"github.com/patchscout/patchscout/internal/telemetry"
)

// MatchLine is what `match` answers for one line, that is one host. Its JSON is
//
//	{"cpe":<the line>,"cpes":[…],"cves":[{"id","status","matched_cpe","needs":[…],"confidence","reason","fixed_in"}],
//	 "unknown_version":N,"error":null or text}
type MatchLine struct {
	Line           string
	CPEs           []string      // the line's CPEs, canonical 2.3
	CVEs           []match.Match // by id, one each: of several CPEs the surest
	UnknownVersion int           // CVEs of products whose version the line does not say
	Error          string
}

// AppendJSON appends the line's JSON and a line end. It is written by hand because `match` answers tens of thousands of
// lines a second, most of the time being spent here otherwise.
func (l MatchLine) AppendJSON(b []byte) []byte {
	b = append(b, `{"cpe":`...)
	b = appendString(b, l.Line)
	b = append(b, `,"cpes":[`...)
	b = appendStrings(b, l.CPEs)
	b = append(b, `],"cves":[`...)
	var subject, reason repeated
	for i := range l.CVEs {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendMatch(b, &l.CVEs[i], &subject, &reason)
	}
	b = append(b, `],"unknown_version":`...)
	b = strconv.AppendInt(b, int64(l.UnknownVersion), 10)
	b = append(b, `,"error":`...)
	if l.Error == "" {
		b = append(b, "null"...)
	} else {
		b = appendString(b, l.Error)
	}
	return append(b, "}\n"...)
}

// repeated remembers where in the output a text stands, since the same CPE and the same reason follow each other many
// times: copying them is cheaper than escaping them again.
type repeated struct {
	text       string
	start, end int
}

func (r *repeated) append(b []byte, text string) []byte {
	if r.end > 0 && r.text == text {
		return append(b, b[r.start:r.end]...)
	}
	r.text, r.start = text, len(b)
	b = appendString(b, text)
	r.end = len(b)
	return b
}

func appendMatch(b []byte, m *match.Match, subject, reason *repeated) []byte {
	b = append(b, `{"id":"`...)
	b = m.CVE.Append(b)
	b = append(b, `","status":"`...)
	b = append(b, m.Status...)
	b = append(b, `","matched_cpe":`...)
	b = subject.append(b, m.Subject)
	b = append(b, `,"needs":[`...)
	b = appendStrings(b, m.Needs)
	b = append(b, `],"confidence":`...)
	b = strconv.AppendInt(b, int64(m.Confidence), 10)
	b = append(b, `,"reason":`...)
	b = reason.append(b, m.Reason)
	b = append(b, `,"fixed_in":`...)
	if m.FixedIn == "" {
		return append(b, "null}"...)
	}
	return append(appendString(b, m.FixedIn), '}')
}

func appendStrings(b []byte, list []string) []byte {
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, s)
	}
	return b
}

// appendString appends s as a JSON string (RFC 8259 section 7): bytes that are not UTF-8 become U+FFFD; DEL, C1
// controls, bidirectional and invisible characters are escaped too, since the output also reaches terminals.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < 0x7f && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[start:i]...)
		r, size := rune(c), 1
		if c >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		b = appendRune(b, r)
		i += size
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

func appendRune(b []byte, r rune) []byte {
	switch {
	case r == '"' || r == '\\':
		return append(b, '\\', byte(r))
	case r == '\n':
		return append(b, '\\', 'n')
	case r == '\t':
		return append(b, '\\', 't')
	case telemetry.Harmful(r):
		return appendEscape(b, r)
	}
	return utf8.AppendRune(b, r)
}
