package finding

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Merge joins what is known of one finding in two places (two stores' rows, two hosts that turned out to be one):
// the evidence of both, the smaller id, the more recent word of a person, which stands before a rule's. It is commutative and associative; looks are
// the looks of all sensors at the place.
func Merge(a, b Finding, looks []Look, decrees ...Decree) Finding {
	out := a
	if b.ID != 0 && (a.ID == 0 || b.ID < a.ID) {
		out.ID = b.ID
	}
	out.Triage, out.Own = JoinWords(&a, &b)
	out.Assignee, out.Labels = out.Own.Assignee, out.Own.Labels // what rules add, they add again
	if b.Withdrawn.IsZero() || !a.Withdrawn.IsZero() && b.Withdrawn.After(a.Withdrawn) {
		out.Withdrawn = b.Withdrawn
	}
	out.Demo = a.Demo && b.Demo
	out.Evidence = slices.Clone(a.Evidence)
	for _, e := range b.Evidence {
		out.Evidence = union(out.Evidence, e, Times(looks, e.Source(), out.Fingerprint))
	}
	sortEvidence(out.Evidence)
	out.Derive(looks...)
	out.Life = Fold(&out, looks, decrees...)
	return out
}

// union adds a row that covers an interval: its ends and the looks within it are sightings.
func union(rows []Evidence, e Evidence, looks []time.Time) []Evidence {
	points := []time.Time{e.FirstSeen}
	for _, t := range looks {
		if t.After(e.FirstSeen) && t.Before(e.LastSeen) {
			points = append(points, t)
		}
	}
	points = append(points, e.LastSeen)
	for i, t := range points {
		sight := e
		sight.FirstSeen, sight.LastSeen = t, t
		sight.FirstScan, sight.LastScan = 0, 0
		if i == 0 {
			sight.FirstScan, sight.LastScan = e.FirstScan, e.FirstScan
		}
		if i == len(points)-1 {
			sight.LastScan, sight.FirstScan = e.LastScan, cmp.Or(sight.FirstScan, e.LastScan)
		}
		if i > 0 {
			sight.ID = 0
		}
		rows = See(rows, sight, looks)
	}
	return rows
}

func sortEvidence(rows []Evidence) {
	slices.SortFunc(rows, func(a, b Evidence) int {
		return cmp.Or(strings.Compare(a.Sensor, b.Sensor), strings.Compare(a.Check, b.Check),
			a.FirstSeen.Compare(b.FirstSeen), a.LastSeen.Compare(b.LastSeen), strings.Compare(a.says(), b.says()))
	})
}

func (t Triage) compare(other Triage) int {
	return cmp.Or(strings.Compare(string(t.State), string(other.State)), strings.Compare(t.Note, other.Note),
		strings.Compare(t.By, other.By))
}
