package finding

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Look is a coverage as the estate keeps it: one sensor looked at one host at one time. Only complete looks are kept
// (design decision 4). At is the report's time, the same for all that a report says.
type Look struct {
	Sensor   string
	Scan     int64
	At       time.Time
	Protocol string
	Ports    []PortRange // what was looked at
	Open     []PortRange // where a service answered
	Known    []PortRange // where a service told its version
	Checks   []string    // ids of the checks that ran to the end
	Policy   string      // covers every check that was seen under the same policy, see Coverage
}

// AnyPolicy is the policy of a look that a person declared complete: it covers all checks of the sensor.
const AnyPolicy = "*"

// Covers says whether the look would have seen the finding by the source's check if it were still there: the port was
// looked at and the check ran; or the same policy was carried out again; or the port was looked at and nothing answers
// there any more. A service that answers without telling its version does not refute what an earlier version said.
func (l Look) Covers(f Fingerprint, src Source) bool {
	switch {
	case l.Sensor != src.Sensor:
		return false
	case l.Gone(f):
		return true
	case src.Check == VersionCheck:
		return f.Port != 0 && f.Protocol == l.Protocol && Contains(l.Ports, f.Port) && Contains(l.Known, f.Port)
	case l.Policy == AnyPolicy, l.Policy != "" && l.Policy == src.Policy:
		return true
	case f.Port != 0 && (f.Protocol != l.Protocol || !Contains(l.Ports, f.Port)):
		return false
	}
	return slices.ContainsFunc(l.Checks, func(ran string) bool { return ran == src.Check || l.Sensor+":"+ran == src.Check })
}

// Gone says whether the look covered the finding's port and no service answered there.
func (l Look) Gone(f Fingerprint) bool {
	return f.Port != 0 && f.Protocol == l.Protocol && Contains(l.Ports, f.Port) && !Contains(l.Open, f.Port)
}

// Times lists when the source's sensor looked for its check at f, for See and Miss.
func Times(looks []Look, src Source, f Fingerprint) []time.Time {
	var out []time.Time
	for _, l := range looks {
		if l.Covers(f, src) {
			out = append(out, l.At)
		}
	}
	return out
}

// State is where a finding is in its life.
type State string

// The states. A finding that left for another reason than that the weakness is gone is closed, not fixed.
const (
	Open     State = "open"
	Fixed    State = "fixed"
	Reopened State = "reopened"
	Closed   State = "closed"
)

// Live says whether the finding still stands.
func (s State) Live() bool { return s == Open || s == Reopened }

// Closing says why a finding is no longer open.
type Closing string

// The reasons. Only the first two count as fixed.
const (
	NotSeen       Closing = "not_seen"
	ServiceGone   Closing = "service_gone"
	HostRetired   Closing = "host_retired"
	SensorRetired Closing = "sensor_retired"
	Withdrawn     Closing = "withdrawn"
	ByPerson      Closing = "by_person"
	Passed        Closing = "passed" // the check ran and has never found anything: there was nothing to fix
)

// Decree is a person's word that ends findings, until they are seen again.
type Decree struct {
	ID      int64
	At      time.Time
	Reason  Closing // HostRetired, SensorRetired, ByPerson
	By      string
	Note    string
	Sensor  string // of SensorRetired: what only this sensor saw ends
	Finding int64  // of ByPerson; 0 speaks of every finding of the host
}

func (c Closing) state() State {
	if c == NotSeen || c == ServiceGone {
		return Fixed
	}
	return Closed
}

// Who closed a finding.
const (
	ByScan      = "scan"
	ByCatalogue = "catalogue"
	// ByPersonWord is a person who took back what a scan had said.
	ByPersonWord = "undo"
)

// Life is what the evidence and the looks say of a finding's life.
type Life struct {
	State     State
	FirstSeen time.Time
	LastSeen  time.Time
	ClosedAt  time.Time // zero while it is open
	ClosedBy  string    // ByScan, ByCatalogue, or a person
	Closing   Closing
	Lapses    []Lapse      // oldest first
	History   []Transition // oldest first; never stored
}

// Lapse is the time between an ending of a finding and its return.
type Lapse struct {
	From, To time.Time
	Fixed    bool // the ending counted as fixed
}

// lapses are those of a history.
func lapses(history []Transition) (out []Lapse) {
	var ended Transition
	for _, t := range history {
		switch t.To {
		case Reopened:
			out = append(out, Lapse{From: ended.At, To: t.At, Fixed: ended.To == Fixed})
		default:
			ended = t
		}
	}
	return out
}

// Transition is one change of state.
type Transition struct {
	At     time.Time
	To     State
	Reason Closing // "" for an opening
	By     string
	Sensor string // whose report decided
	Scan   int64
}

// moment is one thing that happened to a finding: a sighting, a look that saw nothing, or a decree.
type moment struct {
	at     time.Time
	seen   bool
	gone   bool
	denied bool // the check itself says that the weakness is not there
	src    Source
	scan   int64
	decree *Decree
}

// fold is a life while it is computed.
type fold struct {
	Life
	missing  map[Source]bool // of every source that ever saw it: does it still miss it?
	lastScan map[Source]int64
	missed   moment // the miss that ends it unless something was seen at that very time; zero without one
}

// Fold computes the life of a finding from its evidence, the looks at its host and the decrees about it, in order of time,
// whatever the order in which they became known. It is closed when every sensor that saw it looked again and no longer
// sees it; a sensor that itself saw the version and now sees an unaffected one speaks for the others too.
func Fold(f *Finding, looks []Look, decrees ...Decree) Life {
	life := &fold{Life: Life{State: Open}, missing: map[Source]bool{}, lastScan: map[Source]int64{}}
	for _, m := range moments(f, looks, decrees) {
		if m.decree != nil || !m.at.Equal(life.missed.at) {
			life.settle()
		}
		switch {
		case m.decree != nil:
			life.obey(*m.decree)
		case m.seen:
			life.see(m)
		default:
			life.miss(m)
		}
	}
	life.settle()
	if !f.Withdrawn.IsZero() && life.State.Live() {
		life.end(Transition{At: f.Withdrawn, To: Closed, Reason: Withdrawn, By: ByCatalogue})
	}
	life.Lapses = lapses(life.History)
	return life.Life
}

func (l *fold) see(m moment) {
	l.missing[m.src], l.lastScan[m.src] = false, m.scan
	if l.FirstSeen.IsZero() || l.Closing == Passed {
		l.FirstSeen = m.at
		l.History = append(l.History, Transition{At: m.at, To: Open, By: ByScan, Sensor: m.src.Sensor, Scan: m.scan})
		l.State = Open
	}
	l.LastSeen = m.at
	if l.State.Live() {
		l.ClosedAt, l.ClosedBy, l.Closing = time.Time{}, "", ""
		return
	}
	l.State, l.ClosedAt, l.ClosedBy, l.Closing = Reopened, time.Time{}, "", ""
	l.History = append(l.History, Transition{At: m.at, To: Reopened, By: ByScan, Sensor: m.src.Sensor, Scan: m.scan})
}

func (l *fold) miss(m moment) {
	if _, saw := l.missing[m.src]; !saw {
		if m.denied && l.FirstSeen.IsZero() {
			l.FirstSeen, l.LastSeen = m.at, m.at
			l.end(Transition{At: m.at, To: Closed, Reason: Passed, By: ByScan, Sensor: m.src.Sensor, Scan: m.scan})
		}
		return
	}
	l.missing[m.src] = true
	if m.src.Check == VersionCheck {
		l.refute(m.scan)
	}
	if l.missed.at.IsZero() && l.allMissing() {
		l.missed = m
	}
}

// settle ends it if it is still missed now that all is told that happened at the time of the miss: one report may see
// it under one policy and cover another under which it was seen before.
func (l *fold) settle() {
	m := l.missed
	l.missed = moment{}
	if m.at.IsZero() || !l.State.Live() || !l.allMissing() {
		return
	}
	reason := NotSeen
	if m.gone {
		reason = ServiceGone
	}
	l.end(Transition{At: m.at, To: reason.state(), Reason: reason, By: ByScan, Sensor: m.src.Sensor, Scan: m.scan})
}

// obey: what a retired sensor saw counts no more; the others' word stands.
func (l *fold) obey(d Decree) {
	if d.Reason == SensorRetired {
		for src := range l.missing {
			l.missing[src] = l.missing[src] || src.Sensor == d.Sensor
		}
		if !l.allMissing() {
			return
		}
	}
	if l.State.Live() && !l.FirstSeen.IsZero() {
		l.end(Transition{At: d.At, To: d.Reason.state(), Reason: d.Reason, By: d.By, Sensor: d.Sensor})
	}
}

func (l *fold) end(t Transition) {
	l.State, l.ClosedAt, l.ClosedBy, l.Closing = t.To, t.At, t.By, t.Reason
	l.History = append(l.History, t)
}

// refute lets a sensor's new look at a version speak for the version evidence of the others, but not for what they saw
// in the same scan: two tools may read one banner differently, and neither is the newer word.
func (l *fold) refute(scan int64) {
	for src := range l.missing {
		if src.Check == VersionCheck && l.lastScan[src] != scan {
			l.missing[src] = true
		}
	}
}

func (l *fold) allMissing() bool {
	for _, m := range l.missing {
		if !m {
			return false
		}
	}
	return true
}

// moments lists, in order of time, the ends of every row, the looks that saw nothing and the decrees. At the same time a
// sighting comes after a miss, so that what any part of a report saw is seen; a decree comes last.
func moments(f *Finding, looks []Look, decrees []Decree) []moment {
	var out []moment
	sources := map[Source]bool{}
	for _, e := range f.Evidence {
		src, seen := e.Source(), e.Status != Unaffected
		sources[src] = true
		out = append(out, moment{at: e.FirstSeen, seen: seen, denied: !seen, src: src, scan: e.FirstScan})
		if e.LastSeen.After(e.FirstSeen) {
			out = append(out, moment{at: e.LastSeen, seen: seen, denied: !seen, src: src, scan: e.LastScan})
		}
	}
	for _, l := range looks {
		for src := range sources {
			if l.Covers(f.Fingerprint, src) && !held(f.Evidence, src, l.At) {
				out = append(out, moment{at: l.At, src: src, scan: l.Scan, gone: l.Gone(f.Fingerprint)})
			}
		}
	}
	for _, d := range decrees {
		if d.Finding == 0 || d.Finding == f.ID {
			out = append(out, moment{at: d.At, decree: &d})
		}
	}
	slices.SortFunc(out, func(a, b moment) int {
		return cmp.Or(a.at.Compare(b.at), order(a.decree != nil, b.decree != nil), order(a.seen, b.seen), order(a.gone, b.gone),
			strings.Compare(a.src.Sensor, b.src.Sensor), strings.Compare(a.src.Check, b.src.Check), strings.Compare(a.src.Policy, b.src.Policy))
	})
	return out
}

func held(rows []Evidence, src Source, at time.Time) bool {
	return slices.ContainsFunc(rows, func(e Evidence) bool { return e.Source() == src && e.holds(at) })
}

// order puts false before true.
func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}
