package catalogue

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
)

// Merge makes one record of what all feeds say. It is a pure function of the set of parts: their order does not matter.
// What is said of each field, and by whom:
//
//	rejection       whoever of NVD and the CVE List changed its record last; at the same time, rejected
//	status          NVD's word, else that of the next
//	published       the first of the precedence that has a date
//	modified        the latest of all
//	title           the CVE List's, then that of other sources, else one made of facts; NVD has none
//	description     the first of the precedence that has one
//	metrics         all, side by side; which one counts says cve.Record.Score: version, then NVD, CNA, ADP, others
//	CWEs, rules     the first of the precedence that has any
//	references      all, each URL once with everybody's tags
//	affected, ratings, exploitation: all
//
// The precedence is NVD, the CVE List, other sources by name. What was not taken and differs is a Conflict.
func Merge(id cve.ID, parts []Part) *cve.Record {
	parts = slices.Clone(parts)
	slices.SortFunc(parts, compareParts)
	m := merging{parts: parts, out: &cve.Record{ID: id}}
	m.status()
	m.dates()
	m.texts()
	m.metrics()
	m.lists()
	m.references()
	m.rest()
	if m.out.Title == "" {
		m.out.Title = Title(m.out)
	}
	return m.out
}

type merging struct {
	parts []Part
	out   *cve.Record
}

func (m *merging) origin(field cve.Field, p Part) {
	m.out.Origins = append(m.out.Origins, cve.Origin{Field: field, Source: p.Feed, At: p.Record.Modified})
}

// maxConflict is how much of a value that was not taken is shown.
const maxConflict = 200

func (m *merging) conflict(field cve.Field, p Part, value string) {
	m.out.Conflicts = append(m.out.Conflicts, cve.Conflict{
		Field: field, Source: p.Feed, At: p.Record.Modified, Value: cutText(value, maxConflict),
	})
}

// first takes a field from the first part that has it and notes what later ones say otherwise. text is "" for a part
// that says nothing.
func (m *merging) first(field cve.Field, parts []Part, text func(*cve.Record) string) *cve.Record {
	var taken *cve.Record
	said := ""
	for _, p := range parts {
		value := text(p.Record)
		switch {
		case value == "":
		case taken == nil:
			taken, said = p.Record, value
			m.origin(field, p)
		case value != said:
			m.conflict(field, p, value)
		}
	}
	return taken
}

func (m *merging) status() {
	for _, p := range m.parts {
		if m.out.Source == "" {
			m.out.Source = p.Record.Source
		}
	}
	var said []Part // whoever else speaks of a CVE cannot withdraw it
	for _, p := range m.parts {
		if p.Feed == feedNVD || p.Feed == feedList {
			said = append(said, p)
		}
	}
	if len(said) == 0 {
		return
	}
	taken := said[0]
	if len(said) == 2 && said[0].Record.Rejected() != said[1].Record.Rejected() {
		nvd, list := said[0].Record, said[1].Record
		if list.Modified.After(nvd.Modified) || list.Modified.Equal(nvd.Modified) && list.Rejected() {
			taken = said[1]
		}
	}
	if m.out.Status = taken.Record.Status; m.out.Status != "" {
		m.origin(cve.FieldStatus, taken)
	}
	for _, p := range said {
		if p.Feed != taken.Feed && p.Record.Status != "" && p.Record.Status != m.out.Status {
			m.conflict(cve.FieldStatus, p, p.Record.Status)
		}
	}
}

func (m *merging) dates() {
	day := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format(time.DateOnly)
	}
	if r := m.first(cve.FieldPublished, m.parts, func(r *cve.Record) string { return day(r.Published) }); r != nil {
		m.out.Published = r.Published
	}
	var latest *Part
	for i, p := range m.parts {
		if latest == nil || p.Record.Modified.After(latest.Record.Modified) {
			latest = &m.parts[i]
		}
	}
	if latest != nil && !latest.Record.Modified.IsZero() {
		m.out.Modified = latest.Record.Modified
		m.origin(cve.FieldModified, *latest)
	}
}

func (m *merging) texts() {
	if r := m.first(cve.FieldTitle, m.parts, func(r *cve.Record) string { return r.Title }); r != nil {
		m.out.Title = r.Title
	}
	if r := m.first(cve.FieldDescription, m.parts, func(r *cve.Record) string { return r.Description }); r != nil {
		m.out.Description = r.Description
	}
}

// from is a metric with where we have it from.
type from struct {
	cve.Metric
	part Part
}

// metrics keeps every assessment once. NVD's files repeat what the CNA and CISA say; their own word, in the CVE List,
// comes first.
func (m *merging) metrics() {
	var said, all []from
	for _, p := range m.parts {
		for _, metric := range p.Record.Metrics {
			if p.Feed != feedNVD && p.Feed != feedList { // a file may claim to speak for NVD
				metric.Provider = cve.ProviderOther
			}
			said = append(said, from{metric, p})
		}
	}
	slices.SortStableFunc(said, func(a, b from) int { return cmp.Compare(closeness(a), closeness(b)) })
	for _, f := range said {
		if !slices.ContainsFunc(all, func(old from) bool { return sameMetric(old.Metric, f.Metric) }) {
			all = append(all, f)
			m.out.Metrics = append(m.out.Metrics, f.Metric)
		}
	}
	best, ok := m.out.Score()
	if !ok {
		return
	}
	for _, f := range all {
		if f.Metric == best {
			m.origin(cve.FieldScore, f.part)
			m.origin(cve.FieldSeverity, f.part)
			break
		}
	}
	for _, f := range all {
		if f.Score != best.Score {
			m.conflict(cve.FieldScore, f.part, fmt.Sprintf("%s (CVSS %s by %s)", strconv.FormatFloat(f.Score, 'f', 1, 64), f.Version, f.Provider))
		}
	}
}

// closeness ranks a copy of an assessment by how near it is to its author, lowest first.
func closeness(f from) int {
	if f.Provider != cve.ProviderNVD && f.part.Feed == feedNVD {
		return place(feedList)*2 + 1 // a copy, behind the CVE List's
	}
	return place(f.part.Feed) * 2
}

// sameMetric: two sources name the assessor differently (an address, a UUID), so the assessment itself decides.
func sameMetric(a, b cve.Metric) bool {
	return a.Version == b.Version && a.Provider == b.Provider && a.Score == b.Score && a.Vector == b.Vector
}

func (m *merging) lists() {
	if r := m.first(cve.FieldCWEs, m.parts, func(r *cve.Record) string { return sortedList(r.CWEs) }); r != nil {
		m.out.CWEs = r.CWEs
	}
	r := m.first(cve.FieldConfigurations, m.parts, func(r *cve.Record) string { return rulesText(r.Configurations) })
	if r != nil {
		m.out.Configurations = r.Configurations
	}
}

func sortedList(list []string) string {
	return strings.Join(slices.Sorted(slices.Values(list)), ", ")
}

// rulesText prints the vulnerable leaves of a configuration, each once and in a fixed order, for people.
func rulesText(nodes []cve.Node) string {
	var list []string
	var walk func([]cve.Node)
	walk = func(nodes []cve.Node) {
		for _, n := range nodes {
			walk(n.Children)
			for _, leaf := range n.Matches {
				if leaf.Vulnerable {
					list = append(list, leafText(leaf))
				}
			}
		}
	}
	walk(nodes)
	slices.Sort(list)
	return strings.Join(slices.Compact(list), "; ")
}

func leafText(m cve.CPEMatch) string {
	text := strings.TrimRight(m.Criteria, ":*")
	for _, bound := range []struct{ sign, version string }{
		{">=", m.StartIncluding}, {">", m.StartExcluding}, {"<=", m.EndIncluding}, {"<", m.EndExcluding},
	} {
		if bound.version != "" {
			text += " " + bound.sign + bound.version
		}
	}
	return text
}

func (m *merging) references() {
	at := map[string]int{}
	for _, p := range m.parts {
		if len(p.Record.References) > 0 {
			m.origin(cve.FieldReferences, p)
		}
		for _, ref := range p.Record.References {
			i, known := at[ref.URL]
			if !known {
				at[ref.URL] = len(m.out.References)
				m.out.References = append(m.out.References, cve.Reference{URL: ref.URL, Tags: slices.Clone(ref.Tags)})
				continue
			}
			for _, tag := range ref.Tags {
				if !hasTag(m.out.References[i].Tags, tag) {
					m.out.References[i].Tags = append(m.out.References[i].Tags, tag)
				}
			}
		}
	}
}

// hasTag: NVD writes "Vendor Advisory" where the CVE List writes "vendor-advisory".
func hasTag(tags []string, tag string) bool {
	plain := func(s string) string { return strings.ReplaceAll(strings.ToLower(s), " ", "-") }
	return slices.ContainsFunc(tags, func(t string) bool { return plain(t) == plain(tag) })
}

func (m *merging) rest() {
	for _, p := range m.parts {
		m.out.Affected = append(m.out.Affected, p.Record.Affected...)
		m.out.Ratings = append(m.out.Ratings, p.Record.Ratings...)
		if len(p.Record.ExploitedBy) > 0 {
			m.origin(cve.FieldExploited, p)
		}
		for _, by := range p.Record.ExploitedBy {
			if !slices.Contains(m.out.ExploitedBy, by) {
				m.out.ExploitedBy = append(m.out.ExploitedBy, by)
			}
		}
		if len(m.out.Metrics) == 0 && len(m.out.Ratings) > 0 && len(m.out.Ratings) == len(p.Record.Ratings) {
			m.origin(cve.FieldSeverity, p)
		}
	}
}

// cutText shortens at a rune's beginning.
func cutText(s string, most int) string {
	if len(s) <= most {
		return s
	}
	end := 0
	for i := range s {
		if i > most-len("…") {
			break
		}
		end = i
	}
	return s[:end] + "…"
}
