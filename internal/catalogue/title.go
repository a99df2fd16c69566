package catalogue

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/version"
)

// Title words a record's facts in one line: what is affected, in which versions, by what weakness, with what effect.
//
//	OpenSSH 8.5p1 to 9.7p1: signal handler race condition, remote code execution, CVSS 8.1
//
// It is made from facts alone. Only a record that names no product, or nothing but one, falls back to the beginning of
// the publisher's text, since "SQL injection, CVSS 7.5" tells nobody what it is about. All of it is hostile input still.
func Title(r *cve.Record) string {
	if r.Rejected() {
		return "Withdrawn: " + r.ID.String()
	}
	product := affectedOf(r).String()
	if product == "" && r.Description != "" {
		return firstSentence(r.Description)
	}
	said := faults(r)
	if m, ok := r.Score(); ok {
		said = append(said, "CVSS "+strconv.FormatFloat(m.Score, 'f', 1, 64))
	}
	switch {
	case product == "" && len(said) == 0:
		return "No details published yet"
	case product == "":
		return capital(strings.Join(said, ", "))
	case len(said) == 0 && r.Description != "":
		return firstSentence(r.Description)
	case len(said) == 0:
		return product + ": weakness not yet described"
	default:
		return product + ": " + strings.Join(said, ", ")
	}
}

// maxSentence bytes of a publisher's text stand for a title.
const maxSentence = 110

func firstSentence(text string) string {
	text, rest, more := strings.Cut(strings.TrimSpace(text), "\n")
	for more && strings.HasPrefix(text, "**") { // a remark on a line of its own: ** UNSUPPORTED WHEN ASSIGNED **
		text, rest, more = strings.Cut(strings.TrimSpace(rest), "\n")
	}
	text = strings.TrimSpace(text)
	if end := strings.Index(text, ". "); end > 20 {
		text = text[:end]
	}
	text = strings.TrimSuffix(text, ".")
	if len(text) <= maxSentence {
		return text
	}
	cut := strings.LastIndexByte(text[:maxSentence], ' ')
	if cut < maxSentence/2 {
		cut = maxSentence
	}
	return strings.ToValidUTF8(text[:cut], "") + "…"
}

// faults names the weakness and its effect; the effect is left out where the weakness says it.
func faults(r *cve.Record) []string {
	var said []string
	weakness := ""
	for _, id := range r.CWEs {
		if w, ok := weaknesses[id]; ok {
			weakness = w.name
			said = append(said, w.name)
			break
		}
	}
	effect := effectOf(r)
	if effect != "" && !strings.Contains(weakness, effect) {
		said = append(said, effect)
	}
	return said
}

// affected is the product that a record is about.
type affected struct {
	name     string // "vendor:product"
	more     int    // other products
	from, to string // "" is open; to is exclusive when before is set
	before   bool
}

// maxLeaves is how many criteria are looked at: the first name the product, and some records have thousands.
const maxLeaves = 300

func affectedOf(r *cve.Record) *affected {
	a := &affected{}
	left := maxLeaves
	seen := map[string]bool{}
	a.nodes(r.Configurations, &left, seen)
	a.more = max(len(seen)-1, 0)
	return a
}

func (a *affected) nodes(nodes []cve.Node, left *int, seen map[string]bool) {
	for i := range nodes {
		a.nodes(nodes[i].Children, left, seen)
		for j := range nodes[i].Matches {
			m := &nodes[i].Matches[j]
			if *left--; *left < 0 {
				return
			}
			if m.Vulnerable {
				a.leaf(m, seen)
			}
		}
	}
}

func (a *affected) leaf(m *cve.CPEMatch, seen map[string]bool) {
	name := vendorProduct(m.Criteria)
	if name == "" {
		return
	}
	if a.name == "" {
		a.name = name
		a.setRange(m)
		seen[name] = true
		return
	}
	if name == a.name {
		a.widen(m)
		return
	}
	seen[name] = true
}

func (a *affected) setRange(m *cve.CPEMatch) { a.from, a.to, a.before = bounds(m) }

// widen keeps the lowest start and the highest end: "1.0.1 to 3.2" for several ranges, said as such.
func (a *affected) widen(m *cve.CPEMatch) {
	from, to, before := bounds(m)
	if a.from != "" && (from == "" || version.Compare(from, a.from) < 0) {
		a.from = from
	}
	if a.to == "" {
		return
	}
	if c := version.Compare(to, a.to); to == "" || c > 0 || c == 0 && !before {
		a.to, a.before = to, before
	}
}

// bounds of a criterion; a single version is a range of one, and no version is an open one.
func bounds(m *cve.CPEMatch) (from, to string, before bool) {
	if v := exactVersion(m.Criteria); v != "" {
		return v, v, false
	}
	from = m.StartIncluding
	if from == "" {
		from = m.StartExcluding
	}
	if m.EndExcluding != "" {
		return from, m.EndExcluding, true
	}
	return from, m.EndIncluding, false
}

// exactVersion is the version and update of a CPE 2.3 name, "" for any or none.
func exactVersion(criteria string) string {
	fields := splitCPE(criteria, 7)
	if len(fields) < 6 || fields[5] == "*" || fields[5] == "-" {
		return ""
	}
	v := fields[5]
	if len(fields) > 6 && fields[6] != "*" && fields[6] != "-" {
		v += fields[6]
	}
	return strings.ReplaceAll(v, `\`, "")
}

// splitCPE cuts a name at colons that are not escaped, into at most n fields.
func splitCPE(criteria string, n int) []string {
	fields := make([]string, 0, n)
	start := 0
	for i := 0; i < len(criteria) && len(fields) < n; i++ {
		switch criteria[i] {
		case '\\':
			i++
		case ':':
			fields = append(fields, criteria[start:i])
			start = i + 1
		}
	}
	if len(fields) < n && start <= len(criteria) {
		fields = append(fields, criteria[start:])
	}
	return fields
}

func (a *affected) String() string {
	if a.name == "" {
		return ""
	}
	text := DisplayName(a.name)
	if r := a.versions(); r != "" {
		text += " " + r
	}
	switch a.more {
	case 0:
		return text
	case 1:
		return text + " and another product"
	default:
		return fmt.Sprintf("%s and %d more products", text, a.more)
	}
}

func (a *affected) versions() string {
	switch {
	case a.from == "" && a.to == "":
		return ""
	case a.from == a.to:
		return a.to
	case a.to == "":
		return "from " + a.from
	case a.from == "" && a.before:
		return "before " + a.to
	case a.from == "":
		return "up to " + a.to
	case a.before:
		return a.from + " to before " + a.to
	default:
		return a.from + " to " + a.to
	}
}
