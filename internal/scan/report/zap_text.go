package report

import (
	"errors"
	"fmt"
	"html"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/jsonstream"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// htmlText is the text of a piece of HTML, with line breaks where blocks end. What is no tag stays as it is.
func htmlText(markup string) string {
	if !strings.ContainsAny(markup, "<&") {
		return strings.TrimSpace(markup)
	}
	var b strings.Builder
	for rest := markup; rest != ""; {
		open := strings.IndexByte(rest, '<')
		if open < 0 {
			b.WriteString(rest)
			break
		}
		b.WriteString(rest[:open])
		rest = rest[open:]
		end := strings.IndexByte(rest, '>')
		if end < 0 || !isTag(rest[1:]) {
			b.WriteByte('<')
			rest = rest[1:]
			continue
		}
		if breaksLine(rest[1:end]) {
			b.WriteByte('\n')
		}
		rest = rest[end+1:]
	}
	lines := strings.Split(html.UnescapeString(b.String()), "\n")
	kept := lines[:0]
	for _, line := range lines {
		if line = strings.TrimSpace(line); line != "" {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

func isTag(text string) bool {
	return text != "" && (text[0] == '/' || text[0] == '!' || text[0]|0x20 >= 'a' && text[0]|0x20 <= 'z')
}

func breaksLine(tag string) bool {
	name := strings.ToLower(strings.Trim(tag, "/ "))
	name, _, _ = strings.Cut(name, " ")
	switch name {
	case "p", "br", "li", "ul", "ol", "div", "tr", "table", "pre", "h1", "h2", "h3", "h4":
		return true
	}
	return false
}

// zones are the abbreviations that Java and date print; another one is taken for UTC.
var zones = map[string]float64{"UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "MET": 1, "MEST": 2, "EET": 2, "EEST": 3, "MSK": 3,
	"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10, "BRT": -3, "ART": -3,
	"IST": 5.5, "SGT": 8, "HKT": 8, "JST": 9, "KST": 9, "AWST": 8, "AEST": 10, "AEDT": 11, "ACST": 9.5, "NZST": 12, "NZDT": 13, "SAST": 2}

// readTime reads a time in one of the layouts, zero for what is none. A time without a zone is taken for UTC.
func readTime(text string, layouts ...string) time.Time {
	text = oneLine(text)
	for _, layout := range layouts {
		t, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		if name, offset := t.Zone(); offset == 0 && strings.Contains(layout, "MST") {
			t = t.Add(-time.Duration(zones[name] * float64(time.Hour)))
		}
		if t.Year() > 1990 && t.Year() < 2200 {
			return t.UTC()
		}
	}
	return time.Time{}
}

// unixTime reads seconds since 1970, zero for what is none.
func unixTime(text string) time.Time {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n <= 0 || n > 1<<33 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

// slug makes an id of a name: "SQL Injection (blind)" becomes "sql-injection-blind".
func slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() > 200 {
			break
		}
	}
	return strings.Trim(b.String(), "-")
}

func withoutQuery(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return path
}

// joined puts the parts that are not empty one below the other.
func joined(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "\n\n")
}

// linksIn lists the addresses that a piece of HTML or text leads to, each once.
func linksIn(markup string) (out []string) {
	for rest := markup; len(out) < maxReferences; {
		i := strings.Index(rest, "http")
		if i < 0 {
			return out
		}
		rest = rest[i:]
		end := strings.IndexAny(rest, "\"'<> \t\r\n|")
		if end < 0 {
			end = len(rest)
		}
		link := strings.TrimRight(html.UnescapeString(rest[:end]), ".,;)")
		if (strings.HasPrefix(link, "http://") || strings.HasPrefix(link, "https://")) && !slices.Contains(out, link) {
			out = append(out, link)
		}
		rest = rest[end:]
	}
	return out
}

// wholeRows calls f at every row that follows. A row of fewer than width fields is malformed, or cut off when it is the last.
func wholeRows(o *out, tool string, t *intake.Table, width int, f func(row []string) error) error {
	short := false
	for rows := 0; ; rows++ {
		row, err := t.Next()
		switch {
		case err == io.EOF && rows == 0: //nolint:errorlint // a wrapped one is a failure, not the end
			return fmt.Errorf("%s %w behind its header", tool, scan.ErrTruncated)
		case err == io.EOF && short: //nolint:errorlint // a wrapped one is a failure, not the end
			return fmt.Errorf("%s %w within its last row", tool, scan.ErrTruncated)
		case err == io.EOF: //nolint:errorlint // as above
			return nil
		case err != nil:
			return err
		}
		if short {
			if err := o.drop("malformed: a row with fewer fields than the header"); err != nil {
				return err
			}
		}
		if short = len(row) < width; short {
			continue
		}
		if err := f(row); err != nil {
			return err
		}
	}
}

// stream is a document that is read once.
type stream struct {
	*jsonstream.Decoder
	in    io.Reader
	size  int64
	ended bool
}

func newStream(in io.Reader) *stream {
	s := &stream{in: in}
	s.Decoder = jsonstream.New(s, limits)
	return s
}

// Read is for the decoder.
func (s *stream) Read(p []byte) (int, error) {
	n, err := s.in.Read(p)
	s.size += int64(n)
	s.ended = s.ended || errors.Is(err, io.EOF)
	return n, err
}

// end is the error of the document, nil when it was read to its end.
func (s *stream) end(tool string) error {
	s.End()
	err := s.Err()
	var e *jsonstream.Error
	if errors.As(err, &e) && !e.Fatal && s.ended && s.size > 0 && s.size-e.Offset < int64(len("false")) { // within "null" or "true"
		return fmt.Errorf("%s %w: it breaks off at byte %d", tool, scan.ErrTruncated, e.Offset)
	}
	if err != nil {
		return broken(tool, err)
	}
	return nil
}
