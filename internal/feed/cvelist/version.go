package cvelist

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/version"
)

// place is a point between versions: before or behind the one of its text, or before or behind all.
type place struct {
	end    int8 // -1 before all versions, +1 behind all
	text   string
	key    []byte
	behind bool
}

var (
	first = place{end: -1}
	last  = place{end: 1}
)

func before(text string) place { return place{text: text, key: version.Key(text)} }
func behind(text string) place { return place{text: text, key: version.Key(text), behind: true} }

func (a place) compare(b place) int {
	if a.end != 0 || b.end != 0 {
		return int(a.end) - int(b.end)
	}
	if c := bytes.Compare(a.key, b.key); c != 0 || a.behind == b.behind {
		return c
	}
	if a.behind {
		return 1
	}
	return -1
}

// span is the versions between two places.
type span struct{ from, to place }

// maxPairs bounds the work of taking spans from spans.
const maxPairs = 1_000_000

// spans are the versions that are affected. Where every version is but those listed as unaffected, these are what lies
// between them: plain ranges, which can be matched surely and name the version that ends them.
//
//	unaffected     ├──2.6.12)            [5.10.100──5.11)        [6.2──────┤
//	affected                 [2.6.12──5.10.100)      [5.11──6.2)
//
// An entry that cannot be read makes no rule. Where all others are affected it must not be left out of what is not:
// there are no rules then.
func (p *product) spans() []span {
	var in, out []span
	unread := false
	for i := range p.versions {
		a, u, ok := p.versions[i].spans()
		if !ok && p.versions[i].status != affected {
			unread = true
		}
		in, out = append(in, a...), append(out, u...)
	}
	switch {
	case p.defaultStatus != affected:
	case unread || len(p.versions) > 0 && len(in)+len(out) == 0:
		return nil
	case len(out) > 0 || len(p.versions) == 0:
		in = []span{{first, last}}
	}
	if len(in)*len(out) > maxPairs {
		return nil
	}
	return without(in, out)
}

// without takes the versions of out from those of in.
func without(in, out []span) []span {
	for _, hole := range out {
		left := in[:0:0]
		for _, s := range in {
			if hole.to.compare(s.from) <= 0 || hole.from.compare(s.to) >= 0 {
				left = append(left, s)
				continue
			}
			if s.from.compare(hole.from) < 0 {
				left = append(left, span{s.from, hole.from})
			}
			if hole.to.compare(s.to) < 0 {
				left = append(left, span{hole.to, s.to})
			}
		}
		in = left
	}
	return in
}

// spans reads the versions of one entry, by what is said of them. ok is false for prose, for commits, and for what
// contradicts itself.
func (e *entry) spans() (in, out []span, ok bool) {
	if e.kind == "git" || e.status == unknown && len(e.changes) == 0 {
		return nil, nil, e.status == unknown
	}
	all, ok := e.whole()
	if !ok {
		return nil, nil, false
	}
	keep := func(s span, is status) {
		switch {
		case s.from.compare(s.to) >= 0 || is == unknown:
		case is == affected:
			in = append(in, s)
		default:
			out = append(out, s)
		}
	}
	now := e.status
	rest := all
	for _, c := range slices.SortedStableFunc(slices.Values(e.changes), byVersion) {
		if !isVersion(c.at) {
			return nil, nil, false
		}
		at := before(plain(c.at))
		if at.compare(rest.from) > 0 && at.compare(rest.to) < 0 {
			keep(span{rest.from, at}, now)
			rest.from = at
		}
		if at.compare(rest.to) < 0 {
			now = c.status
		}
	}
	keep(rest, now)
	return in, out, true
}

func byVersion(a, b change) int { return version.Compare(a.at, b.at) }

// whole is the range of the entry, its changes not looked at.
func (e *entry) whole() (s span, ok bool) {
	switch {
	case e.below == "" && e.upTo == "":
		return e.single()
	case openStart(e.version):
		s.from = first
	case isVersion(e.version):
		s.from = before(plain(e.version))
	default:
		return s, false
	}
	switch {
	case openEnd(e.below) || openEnd(e.upTo):
		s.to = last
	case isVersion(e.below):
		s.to = before(plain(e.below))
	case e.below == "" && isVersion(e.upTo):
		s.to = behind(plain(e.upTo))
	case e.below == "":
		next, ok := nextBranch(e.upTo)
		if !ok {
			return s, false
		}
		s.to = before(next)
	default: // "publication": whatever was fixed by then
		return s, false
	}
	return s, s.from.compare(s.to) < 0
}

// single reads an entry without an end: one version, all of them, or comparisons as some assigners write them
// (">= 1.0, < 2.0").
func (e *entry) single() (span, bool) {
	switch {
	case e.version == "*":
		return span{first, last}, true
	case len(e.changes) > 0 && isVersion(e.version): // a range whose end is a change
		return span{before(plain(e.version)), last}, e.changes[len(e.changes)-1].status == unaffected
	case isVersion(e.version) && e.version != "0" && !isInterval(e.version):
		return span{before(plain(e.version)), behind(plain(e.version))}, true
	default:
		return comparisons(e.version)
	}
}

// comparisons reads "< 1.2.3", "<= 1.2.3", ">= 1.0, < 2.0" and Siemens' "All versions < V3.0".
func comparisons(text string) (s span, ok bool) {
	const all = "all versions "
	if len(text) > len(all) && strings.EqualFold(text[:len(all)], all) {
		text = text[len(all):]
	}
	s = span{first, last}
	parts := 0
	for text = strings.TrimSpace(text); text != ""; parts++ {
		operator := text[:len(text)-len(strings.TrimLeft(text, "<>="))]
		text = strings.TrimLeft(text[len(operator):], " ")
		end := strings.IndexAny(text, " ,<>=")
		if end < 0 {
			end = len(text)
		}
		value := text[:end]
		text = strings.TrimLeft(text[end:], " ,")
		if !isVersion(value) || isInterval(value) {
			return s, false
		}
		if !s.narrow(operator, plain(value)) {
			return s, false
		}
	}
	return s, parts > 0 && s.from.compare(s.to) < 0
}

// narrow takes in one comparison; false for one that is none, or the second of its kind.
func (s *span) narrow(operator, value string) bool {
	switch {
	case operator == "=" && s.from.end != 0 && s.to.end != 0:
		s.from, s.to = before(value), behind(value)
	case operator == "<" && s.to.end != 0:
		s.to = before(value)
	case operator == "<=" && s.to.end != 0:
		s.to = behind(value)
	case operator == ">" && s.from.end != 0:
		s.from = behind(value)
	case operator == ">=" && s.from.end != 0:
		s.from = before(value)
	default:
		return false
	}
	return true
}

func openStart(text string) bool {
	return text == "0" || text == "*" || isUnspecified(text) || text == ""
}
func openEnd(text string) bool { return text == "*" || isUnspecified(text) }

func isUnspecified(text string) bool { return strings.EqualFold(text, "unspecified") }

const (
	maxVersion = 64
	maxWords   = 3 // "1.0-beta.2+build.7" has two; "8840_n_vision_programmer" is the name of a thing
)

// isVersion tells a version from prose, commits and wildcards: one word that begins with a digit, or with one behind a
// "v" or "r".
func isVersion(text string) bool {
	if text == "" || len(text) > maxVersion || len(plain(text)) == 0 || !isDigit(plain(text)[0]) {
		return false
	}
	words, inside := 0, false
	for _, c := range []byte(text) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && !isDigit(c) && strings.IndexByte(".-_+~:()", c) < 0 {
			return false
		}
		if letter && !inside {
			words++
		}
		inside = letter
	}
	return words <= maxWords && !isWildcard(text) && !isCommit(text)
}

// plain leaves the "v" of "v1.2" out.
func plain(text string) string {
	if len(text) > 1 && strings.IndexByte("vVrR", text[0]) >= 0 && isDigit(text[1]) {
		return text[1:]
	}
	return text
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isWildcard knows "2.7.x": which versions that means is for people to say.
func isWildcard(text string) bool {
	for part := range strings.SplitSeq(strings.ToLower(text), ".") {
		if part == "x" || part == "xx" {
			return true
		}
	}
	return false
}

// isCommit knows hashes of git, which have no order.
func isCommit(text string) bool {
	if len(text) < 12 {
		return false
	}
	letter := false
	for _, c := range []byte(text) {
		if !isDigit(c) && (c < 'a' || c > 'f') {
			return false
		}
		letter = letter || !isDigit(c)
	}
	return letter || len(text) == 40
}

// isInterval knows "12.0.1-12.0.3" and "2013-2016": from one to the other, in or out nobody says.
func isInterval(text string) bool {
	a, b, ok := strings.Cut(text, "-")
	if !ok || b == "" || strings.Trim(a+b, "0123456789.") != "" {
		return false
	}
	return strings.Contains(a, ".") && strings.Contains(b, ".") || len(a) == 4 && len(b) == 4
}

// nextBranch reads "5.10.*", the end of the branch: what comes behind begins with 5.11.
func nextBranch(text string) (string, bool) {
	branch, ok := strings.CutSuffix(plain(text), ".*")
	if !ok || !isVersion(branch) {
		return "", false
	}
	dot := strings.LastIndexByte(branch, '.') + 1
	n, err := strconv.ParseUint(branch[dot:], 10, 32)
	if err != nil {
		return "", false
	}
	return branch[:dot] + strconv.FormatUint(n+1, 10), true
}

// single says that the span is one version.
func (s span) single() bool {
	return s.from.end == 0 && s.to.end == 0 && !s.from.behind && s.to.behind && bytes.Equal(s.from.key, s.to.key)
}

// match writes the span as a rule for a product.
func (s span) match(name cpe.Name, derived bool) cve.CPEMatch {
	m := cve.CPEMatch{Vulnerable: true, Derived: derived}
	if s.single() {
		m.Criteria = name.With(cpe.Version, cpe.Quote(s.from.text)).String()
		return m
	}
	m.Criteria = name.String()
	if s.from.end == 0 {
		if s.from.behind {
			m.StartExcluding = s.from.text
		} else {
			m.StartIncluding = s.from.text
		}
	}
	if s.to.end == 0 {
		if s.to.behind {
			m.EndIncluding = s.to.text
		} else {
			m.EndExcluding = s.to.text
		}
	}
	return m
}
