package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// VersionCheck is the check of evidence that comes from comparing a service's version with the catalogue.
const VersionCheck = "version"

// Evidence is why one sensor's check holds a finding to be true, and the interval of scans in which it said just this.
// There is a new row only when it says something else or says it again after a look that did not see it.
type Evidence struct {
	ID     int64 // of the stored row, 0 for a new one
	Sensor string
	Check  string // VersionCheck, or the check's id

	FirstSeen time.Time
	LastSeen  time.Time
	FirstScan int64
	LastScan  int64

	Status     Status
	Confidence int
	Reason     string // one sentence
	Criteria   string // the catalogue's CPE that matched, "" for a check's own result
	Needs      []string
	FixedIn    string
	Title      string
	Output     string // raw, hostile; at most MaxText bytes
	Location   string
	Remedy     string
	Vector     string

	Policy     string // what the sensor was told to look for, see Observation.Policy
	Severity   string // the tool's own word
	CWEs       []int
	References []string
	Compliance
}

// MaxText is how much of a raw text is kept, and maxLine of a short one.
const (
	MaxText = 16 << 10
	maxLine = 1 << 10
)

// Source is who says so: a check of a sensor under a policy. Policies are apart because a look under one of them says
// nothing of what only another looks for.
type Source struct{ Sensor, Check, Policy string }

// Source is who says the evidence.
func (e Evidence) Source() Source { return Source{e.Sensor, e.Check, e.Policy} }

// says is the content of the evidence: what makes two sightings one row.
func (e Evidence) says() string {
	return strings.Join([]string{string(e.Status), string(rune(e.Confidence)), e.Reason, e.Criteria,
		strings.Join(e.Needs, "\x01"), e.FixedIn, e.Title, e.Output, e.Location, e.Remedy, e.Vector,
		e.Severity, fmt.Sprint(e.CWEs), strings.Join(e.References, "\x01"), e.Result, e.Benchmark, e.Reference}, "\x00")
}

// Says is whether two pieces of evidence say the same, whoever says it and when.
func (e Evidence) Says(other Evidence) bool { return e.says() == other.says() }

// compare orders evidence by what it says; used only to break ties.
func (e Evidence) compare(other Evidence) int {
	return cmp.Or(cmp.Compare(e.Confidence, other.Confidence), cmp.Compare(e.Status.rank(), other.Status.rank()),
		strings.Compare(e.says(), other.says()))
}

func (e Evidence) holds(at time.Time) bool { return !at.Before(e.FirstSeen) && !at.After(e.LastSeen) }

// Trim cuts the texts of a new piece of evidence to what is kept.
func (e *Evidence) Trim() {
	e.Output = Cut(e.Output, MaxText)
	for _, s := range []*string{&e.Reason, &e.Criteria, &e.FixedIn, &e.Title, &e.Location, &e.Remedy, &e.Vector, &e.Policy,
		&e.Severity, &e.Result, &e.Benchmark, &e.Reference} {
		*s = Cut(*s, maxLine)
	}
}

// Cut makes a text fit n bytes, valid UTF-8 and free of NUL (which PostgreSQL refuses); what was cut ends in "…".
func Cut(s string, n int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "�"), "\x00", "�")
	if len(s) <= n {
		return s
	}
	n -= len("…")
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// See adds one sighting (FirstSeen = LastSeen) to the rows. looks are the other times at which the same sensor looked
// for the same thing, seen or not, in any order: a look between two sightings that is in no row was a miss, and a miss
// ends a row. Adding sightings and misses in any order gives the same rows.
//
//	looks      1   2   3   4   5   6
//	said       a   a   -   a   b   b
//	rows      [a   a]     [a] [b   b]
func See(rows []Evidence, sight Evidence, looks []time.Time) []Evidence {
	at := sight.FirstSeen
	for i := range rows {
		if rows[i].Source() != sight.Source() || !rows[i].holds(at) {
			continue
		}
		if rows[i].says() == sight.says() {
			rows[i].noteScan(sight)
			return rows
		}
		if at.Equal(rows[i].FirstSeen) || at.Equal(rows[i].LastSeen) {
			return seeTwice(rows, i, sight, looks)
		}
		rows = split(rows, i, at, looks)
		break
	}
	rows = append(rows, sight)
	return join(rows, len(rows)-1, looks)
}

// seeTwice settles two different words of one check at one time (a report that names it twice): the stronger stays.
func seeTwice(rows []Evidence, i int, sight Evidence, looks []time.Time) []Evidence {
	if sight.compare(rows[i]) <= 0 {
		return rows
	}
	if rows[i].FirstSeen.Equal(rows[i].LastSeen) {
		sight.ID = rows[i].ID
		rows[i] = sight
		return join(rows, i, looks)
	}
	rows = split(rows, i, sight.FirstSeen, looks)
	rows = append(rows, sight)
	return join(rows, len(rows)-1, looks)
}

// noteScan: when one report is read twice, the row's ends carry the number of the first reading, so that the second changes
// nothing.
func (e *Evidence) noteScan(sight Evidence) {
	earlier := func(a, b int64) int64 {
		if a == 0 || b != 0 && b < a {
			return b
		}
		return a
	}
	if sight.FirstSeen.Equal(e.FirstSeen) {
		e.FirstScan = earlier(e.FirstScan, sight.FirstScan)
	}
	if sight.LastSeen.Equal(e.LastSeen) {
		e.LastScan = earlier(e.LastScan, sight.LastScan)
	}
}

// Miss records that a source's sensor looked for its check at a time and did not see it: it splits a row that goes over the
// time. A look at a time at which the row is known to have been seen changes nothing.
func Miss(rows []Evidence, src Source, at time.Time, looks []time.Time) []Evidence {
	for i := range rows {
		if rows[i].Source() == src && at.After(rows[i].FirstSeen) && at.Before(rows[i].LastSeen) {
			return split(rows, i, at, looks)
		}
	}
	return rows
}

// split takes the moment at out of row i, which then is two rows that end and begin at the looks next to it. The left
// one keeps the row's id.
func split(rows []Evidence, i int, at time.Time, looks []time.Time) []Evidence {
	left, right := rows[i], rows[i]
	right.ID = 0
	left.LastSeen, left.LastScan = left.FirstSeen, left.FirstScan
	right.FirstSeen, right.FirstScan = right.LastSeen, right.LastScan
	for _, t := range looks {
		if t.Before(at) && t.After(left.LastSeen) {
			left.LastSeen = t
		}
		if t.After(at) && t.Before(right.FirstSeen) {
			right.FirstSeen = t
		}
	}
	hasLeft, hasRight := rows[i].FirstSeen.Before(at), rows[i].LastSeen.After(at)
	switch {
	case hasLeft && hasRight:
		rows[i] = left
		return append(rows, right)
	case hasLeft:
		rows[i] = left
	default:
		rows[i] = right
		rows[i].ID = left.ID
	}
	return rows
}

// join unites row i with the rows next to it in time that say the same, if nothing lies between.
func join(rows []Evidence, i int, looks []time.Time) []Evidence {
	for {
		j := slices.IndexFunc(rows, func(e Evidence) bool {
			return e.Source() == rows[i].Source() && !e.FirstSeen.Equal(rows[i].FirstSeen) && e.says() == rows[i].says() &&
				adjacent(rows, e, rows[i], looks)
		})
		if j < 0 {
			return rows
		}
		first, last := rows[i], rows[j]
		if last.FirstSeen.Before(first.FirstSeen) {
			first, last = last, first
		}
		merged := first
		merged.LastSeen, merged.LastScan = last.LastSeen, last.LastScan
		if merged.ID == 0 {
			merged.ID = last.ID
		}
		rows[min(i, j)] = merged
		rows = slices.Delete(rows, max(i, j), max(i, j)+1)
		i = min(i, j)
	}
}

// adjacent says whether no look and no other row of the source lies between two rows.
func adjacent(rows []Evidence, a, b Evidence, looks []time.Time) bool {
	if b.FirstSeen.Before(a.FirstSeen) {
		a, b = b, a
	}
	between := func(t time.Time) bool { return t.After(a.LastSeen) && t.Before(b.FirstSeen) }
	if slices.ContainsFunc(looks, between) {
		return false
	}
	return !slices.ContainsFunc(rows, func(e Evidence) bool { return e.Source() == a.Source() && between(e.FirstSeen) })
}
