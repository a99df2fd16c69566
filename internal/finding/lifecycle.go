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
}

// Covers says whether the look would have seen the finding by the check if it were still there: the port was looked at
// and the check ran; or the port was looked at and nothing answers there any more. A service that answers without
// telling its version does not refute what an earlier version said.
func (l Look) Covers(f Fingerprint, check string) bool {
	if l.Gone(f) {
		return true
	}
	if f.Port != 0 && (f.Protocol != l.Protocol || !Contains(l.Ports, f.Port)) {
		return false
	}
	if check == VersionCheck {
		return f.Port != 0 && Contains(l.Known, f.Port)
	}
	return slices.ContainsFunc(l.Checks, func(ran string) bool { return ran == check || l.Sensor+":"+ran == check })
}

// Gone says whether the look covered the finding's port and no service answered there.
func (l Look) Gone(f Fingerprint) bool {
	return f.Port != 0 && f.Protocol == l.Protocol && Contains(l.Ports, f.Port) && !Contains(l.Open, f.Port)
}

// times lists when the sensor of src looked for its check at f.
func times(looks []Look, src source, f Fingerprint) []time.Time {
	var out []time.Time
	for _, l := range looks {
		if l.Sensor == src.sensor && l.Covers(f, src.check) {
			out = append(out, l.At)
		}
	}
	return out
}

// Times lists when a sensor looked for a check at f, for See and Miss.
func Times(looks []Look, sensor, check string, f Fingerprint) []time.Time {
	return times(looks, source{sensor, check}, f)
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
)

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
)

// Life is what the evidence and the looks say of a finding's life.
type Life struct {
	State     State
	FirstSeen time.Time
	LastSeen  time.Time
	ClosedAt  time.Time // zero while it is open
	ClosedBy  string    // ByScan, ByCatalogue, or a person
	Closing   Closing
	History   []Transition // oldest first
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

// moment is one thing that happened to a finding.
type moment struct {
	at   time.Time
	seen bool
	gone bool
	src  source
	scan int64
}

// Fold computes the life of a finding from its evidence and the looks at its host, in order of time, whatever the order
// in which they became known. It is closed when every sensor that saw it looked again and no longer sees it; a sensor
// that itself saw the version and now sees an unaffected one speaks for the others too.
func Fold(f *Finding, looks []Look) Life {
	life := Life{State: Open}
	missing := map[source]bool{} // of every source that ever saw it: does it still miss it?
	lastScan := map[source]int64{}
	for _, m := range moments(f, looks) {
		if m.seen {
			life.see(m)
			missing[m.src], lastScan[m.src] = false, m.scan
			continue
		}
		if _, saw := missing[m.src]; !saw {
			continue
		}
		missing[m.src] = true
		if m.src.check == VersionCheck {
			refute(missing, lastScan, m.scan)
		}
		if life.State.Live() && allMissing(missing) {
			life.close(m)
		}
	}
	if !f.Withdrawn.IsZero() && life.State.Live() {
		life.end(Transition{At: f.Withdrawn, To: Closed, Reason: Withdrawn, By: ByCatalogue})
	}
	return life
}

func (l *Life) see(m moment) {
	if l.FirstSeen.IsZero() {
		l.FirstSeen = m.at
		l.History = append(l.History, Transition{At: m.at, To: Open, By: ByScan, Sensor: m.src.sensor, Scan: m.scan})
	}
	l.LastSeen = m.at
	if l.State.Live() {
		return
	}
	l.State, l.ClosedAt, l.ClosedBy, l.Closing = Reopened, time.Time{}, "", ""
	l.History = append(l.History, Transition{At: m.at, To: Reopened, By: ByScan, Sensor: m.src.sensor, Scan: m.scan})
}

func (l *Life) close(m moment) {
	reason := NotSeen
	if m.gone {
		reason = ServiceGone
	}
	l.end(Transition{At: m.at, To: reason.state(), Reason: reason, By: ByScan, Sensor: m.src.sensor, Scan: m.scan})
}

func (l *Life) end(t Transition) {
	l.State, l.ClosedAt, l.ClosedBy, l.Closing = t.To, t.At, t.By, t.Reason
	l.History = append(l.History, t)
}

// refute lets a sensor's new look at a version speak for the version evidence of the others, but not for what they saw
// in the same scan: two tools may read one banner differently, and neither is the newer word.
func refute(missing map[source]bool, lastScan map[source]int64, scan int64) {
	for src := range missing {
		if src.check == VersionCheck && lastScan[src] != scan {
			missing[src] = true
		}
	}
}

func allMissing(missing map[source]bool) bool {
	for _, m := range missing {
		if !m {
			return false
		}
	}
	return true
}

// moments lists, in order of time, the ends of every row and the looks that saw nothing. At the same time a sighting
// comes after a miss, so that what any part of a report saw is seen.
func moments(f *Finding, looks []Look) []moment {
	var out []moment
	sources := map[source]bool{}
	for _, e := range f.Evidence {
		sources[e.source()] = true
		out = append(out, moment{at: e.FirstSeen, seen: true, src: e.source(), scan: e.FirstScan})
		if e.LastSeen.After(e.FirstSeen) {
			out = append(out, moment{at: e.LastSeen, seen: true, src: e.source(), scan: e.LastScan})
		}
	}
	for _, l := range looks {
		for src := range sources {
			if l.Sensor == src.sensor && l.Covers(f.Fingerprint, src.check) && !held(f.Evidence, src, l.At) {
				out = append(out, moment{at: l.At, src: src, scan: l.Scan, gone: l.Gone(f.Fingerprint)})
			}
		}
	}
	slices.SortFunc(out, func(a, b moment) int {
		return cmp.Or(a.at.Compare(b.at), order(a.seen, b.seen), order(a.gone, b.gone), strings.Compare(a.src.sensor, b.src.sensor),
			strings.Compare(a.src.check, b.src.check))
	})
	return out
}

func held(rows []Evidence, src source, at time.Time) bool {
	return slices.ContainsFunc(rows, func(e Evidence) bool { return e.source() == src && e.holds(at) })
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
