package match

import (
	"bytes"
	"slices"
	"sort"
	"strings"

	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/version"
)

// grade says how a rule's version fits an observed one.
type grade uint8

const (
	no    grade = iota
	every       // the rule is for every version
	maybe       // the rule is for an update that the observation does not name
	yes
)

// query is an observed name, ready to be compared: both spellings of an update (7.2p2, 7.2:p2) become the same.
type query struct {
	name    cpe.Name
	version string // canonical; Any and NA as they are
	text    string // for people: "7.2p2"
	base    []byte // key of the version without the update
	full    []byte // key with it
	update  string // Any (not known), NA (none), else known
}

func newQuery(n cpe.Name) query {
	q := query{name: n, version: n.Get(cpe.Version), update: n.Get(cpe.Update)}
	if q.version == cpe.Any || q.version == cpe.NA {
		q.text = q.version
		return q
	}
	q.text = n.Text(cpe.Version)
	base, glued := version.Split(q.text)
	update := glued
	if attr := n.Text(cpe.Update); attr != "" {
		update = attr
		q.text += " " + attr
		if glued != "" && version.Compare(glued, attr) != 0 {
			base = n.Text(cpe.Version)
		}
	}
	if update != "" {
		q.update = update
	}
	q.base, q.full = version.Key(base), version.JoinKey(base, update)
	return q
}

// match appends the surest hit of each CVE that q fits, in the order of CVEs.
func (p *pack) match(w *workspace, hits []hit, q query, host *inventory) []hit {
	run := run{pack: p, query: q, host: host}
	w.best = slices.Grow(w.best[:0], len(p.cves))[:len(p.cves)]
	best, found := w.best, w.found[:0]
	clear(best)
	try := func(r rule, g grade) {
		h, ok := run.weigh(r, g)
		if !ok {
			return
		}
		if i := best[r.cve]; i == 0 {
			found = append(found, h)
			best[r.cve] = int32(len(found))
		} else if h.surer(&found[i-1]) {
			found[i-1] = h
		}
	}
	if q.version != cpe.NA {
		p.matchExact(q, try)
		for i := range p.ranges {
			if g := p.inRange(q, p.ranges[i]); g != no {
				try(p.ranges[i], g)
			}
		}
	}
	for i := range p.others {
		if g := p.fitsOther(q, p.others[i]); g != no {
			try(p.others[i], g)
		}
	}
	for _, i := range best {
		if i != 0 {
			hits = append(hits, found[i-1])
		}
	}
	w.found = found
	return hits
}

// matchExact searches the versions equal to q's and tries their rules.
func (p *pack) matchExact(q query, try func(rule, grade)) {
	baseOf := func(i int) []byte {
		base, _ := version.Split(p.versions[i].text)
		return version.Key(base)
	}
	i := sort.Search(len(p.versions), func(i int) bool { return bytes.Compare(baseOf(i), q.base) >= 0 })
	for ; i < len(p.versions) && bytes.Equal(baseOf(i), q.base); i++ {
		base, glued := version.Split(p.versions[i].text)
		p.exact(i, func(r rule) {
			if g := q.fitsUpdate(base, glued, p.strings[r.update]); g != no {
				try(r, g)
			}
		})
	}
}

// fitsUpdate compares q's update with that of a rule for the same version. An update in the attribute stands over one
// glued to the version.
func (q query) fitsUpdate(base, glued, attr string) grade {
	switch {
	case attr == cpe.NA && glued == "":
		return q.fitsNoUpdate()
	case attr != "" && attr != cpe.NA:
		glued = cpe.Unquote(attr)
	}
	if glued == "" {
		return yes
	}
	switch q.update {
	case cpe.Any:
		return maybe
	case cpe.NA:
		return no
	}
	return when(glued == q.update || bytes.Equal(q.full, version.JoinKey(base, glued)))
}

func (q query) fitsNoUpdate() grade {
	switch q.update {
	case cpe.Any:
		return maybe
	case cpe.NA:
		return yes
	}
	return no
}

// inRange tests a range rule. NVD's ranges speak of the version attribute, so "up to 7.2" includes 7.2p2, "before 9.3p2"
// includes 9.3p1, and a rule with an update ("*:p2", up to 7.2) ends at that update. Pre-releases lie before
// the release that ends a range.
func (q query) inRange(start, end *edge, flags uint8, attr string) grade {
	g := yes
	if start != nil {
		if g = q.after(start, flags&flagStartExcl != 0); g == no {
			return no
		}
	}
	if end == nil {
		return g
	}
	if attr != "" && attr != cpe.NA {
		base, _ := version.Split(end.text)
		end = &edge{text: end.text, base: end.base, full: version.JoinKey(base, cpe.Unquote(attr)), hasUpdate: true}
	}
	return min(g, q.before(end, flags&flagEndExcl != 0, attr == cpe.NA))
}

// inRange tests a range rule of p.
func (p *pack) inRange(q query, r rule) grade {
	var start, end *edge
	if r.a != 0 {
		start = &p.edges[r.a-1]
	}
	if r.b != 0 {
		end = &p.edges[r.b-1]
	}
	return q.inRange(start, end, r.flags, p.strings[r.update])
}

func (q query) after(start *edge, exclusive bool) grade {
	if exclusive {
		return when(bytes.Compare(q.full, start.full) > 0)
	}
	c := bytes.Compare(q.base, start.base)
	if c != 0 || !start.hasUpdate {
		return when(c >= 0)
	}
	if bytes.Compare(q.full, start.full) >= 0 {
		return yes
	}
	return q.unlessUnknown()
}

func (q query) before(end *edge, exclusive, noUpdate bool) grade {
	c := bytes.Compare(q.base, end.base)
	switch {
	case !end.hasUpdate && exclusive:
		return when(bytes.Compare(q.full, end.full) < 0)
	case !end.hasUpdate && c == 0 && noUpdate && bytes.Compare(q.full, end.full) >= 0:
		return q.fitsNoUpdate()
	case !end.hasUpdate:
		return when(c == 0 || bytes.Compare(q.full, end.full) < 0)
	case c != 0:
		return when(c < 0)
	}
	inside := bytes.Compare(q.full, end.full)
	if inside < 0 || inside == 0 && !exclusive {
		if q.update == cpe.Any {
			return maybe // 9.3 may be 9.3p2
		}
		return yes
	}
	return no
}

// unlessUnknown is for an observation below an edge's update: out, unless its own update is unknown.
func (q query) unlessUnknown() grade {
	if q.update == cpe.Any {
		return maybe
	}
	return no
}

func when(b bool) grade {
	if b {
		return yes
	}
	return no
}

// fitsOther tests a rule of p without a version of its own. An observed NA fits rules for NA and for all versions.
func (p *pack) fitsOther(q query, r rule) grade {
	switch r.kind {
	case kindNA:
		return when(q.version == cpe.NA)
	case kindPattern:
		return q.fitsPattern(p.strings[r.a])
	}
	return q.fitsEvery(p.strings[r.update])
}

func (q query) fitsPattern(pattern string) grade {
	return when(q.version != cpe.NA && glob(pattern, q.version))
}

// fitsEvery tests a rule for every version, perhaps of one update.
func (q query) fitsEvery(attr string) grade {
	if attr == "" || q.update == cpe.Any {
		return every
	}
	if attr == cpe.NA {
		return min(every, q.fitsNoUpdate())
	}
	if q.update != cpe.NA && bytes.Equal(version.JoinKey("", cpe.Unquote(attr)), version.JoinKey("", q.update)) {
		return every
	}
	return no
}

// glob matches a canonical value against a pattern with unescaped "*" (any text) and "?" (one character), NISTIR 7696
// section 6.3. It only ever goes back to the last "*", so that no pattern of a feed takes more than length times length.
func glob(pattern, value string) bool {
	behind, from, seen := "", "", false // the pattern behind the last "*", and the value where that was tried
	for value != "" {
		if pattern != "" && pattern[0] == '*' {
			pattern = pattern[1:]
			behind, from, seen = pattern, value, true
			continue
		}
		n, m := unit(pattern), unit(value)
		if n > 0 && (pattern[0] == '?' || pattern[:n] == value[:m]) {
			pattern, value = pattern[n:], value[m:]
			continue
		}
		if !seen {
			return false
		}
		from = from[unit(from):]
		pattern, value = behind, from
	}
	return strings.Trim(pattern, "*") == ""
}

// unit is the length of the first character of a canonical value, its backslash included.
func unit(v string) int {
	if len(v) > 1 && v[0] == '\\' {
		return 2
	}
	return min(1, len(v))
}

// attributeFit is how the attributes after update fit.
type attributeFit struct {
	ok       bool
	edition  string // what the rule asks and the observation does not say, for the reason; "" if nothing
	targetOS string // operating system that the rule is for, to be shown by the platform; "" if none
}

// attributes compares q with a rule's attributes after update. What the observation does not say does not exclude (a
// banner never names its edition) but is named; an operating system in target_sw is a platform.
func (q query) attributes(attrs string) attributeFit {
	if attrs == "" {
		return attributeFit{ok: true}
	}
	ruleName, err := cpe.Parse("cpe:2.3:a:x:x:*:*:" + attrs)
	if err != nil {
		return attributeFit{}
	}
	fit := attributeFit{ok: true}
	for a := cpe.Edition; a <= cpe.Other; a++ {
		want, have := ruleName.Get(a), q.name.Get(a)
		switch {
		case want == cpe.Any || want == have:
		case want == cpe.NA:
			if have != cpe.Any {
				return attributeFit{}
			}
		case have == cpe.Any:
			if a == cpe.TargetSW && osFamily(want) != "" {
				fit.targetOS = want
			} else if a != cpe.TargetHW {
				fit.edition = strings.TrimPrefix(fit.edition+", "+cpe.Unquote(want), ", ")
			}
		case have == cpe.NA || !glob(want, have):
			return attributeFit{}
		}
	}
	return fit
}
