package finding

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
)

// Fingerprint is the identity of a finding: where, and which weakness. It holds no path, no title and no tool (but for
// a check without a CVE), so that what two tools say of one CVE at one port is one finding. It is not the public id.
type Fingerprint struct {
	Site      string
	HostID    int64
	Protocol  string // tcp, udp; "" for the host itself
	Port      uint16 // 0 for the host itself and for components
	Component string // a package; "" when a port is affected
	Weakness  Weakness
}

// Weakness is a CVE id, or where there is none the check, written "<tool>:<key>".
type Weakness string

// OfCVE is the weakness that a CVE is.
func OfCVE(id cve.ID) Weakness { return Weakness(id.String()) }

// CVE is the id of the weakness, 0 for a check without one.
func (w Weakness) CVE() cve.ID {
	id, err := cve.ParseID(string(w))
	if err != nil {
		return 0
	}
	return id
}

// Check is the check of a weakness without a CVE, "" otherwise.
func (w Weakness) Check() string {
	if w.CVE() != 0 {
		return ""
	}
	return string(w)
}

// Status says how surely the weakness applies, given that the evidence is right.
type Status string

// The statuses, as match gives them.
const (
	Affected    Status = "affected"
	Conditional Status = "conditional" // needs a platform that is not known
	Uncertain   Status = "uncertain"   // the version's update is not known, or the rule has no range
	Unaffected  Status = "unaffected"  // a check looked and says that it does not hold
)

func (s Status) rank() int {
	switch s {
	case Affected:
		return 2
	case Conditional:
		return 1
	default:
		return 0
	}
}

// ConfirmedAt is the confidence from which an affected finding is confirmed (design decision 5).
const ConfirmedAt = 70

// Finding is one weakness in one place with all that is known of it. The derived parts are computed from the evidence
// by Derive and from the catalogue by assess; nobody else writes them.
type Finding struct {
	ID int64 // public, positive, independent of the fingerprint
	Fingerprint
	Evidence  []Evidence
	Withdrawn time.Time // when the catalogue took the match back; zero when it stands
	Triage    Triage
	Assignee  string
	Labels    []string // sorted
	Own       Own      // what people said of the two themselves; the rest is rules'
	Demo      bool

	Life
	Kind       Kind
	Compliance // of KindCompliance
	Title      string
	Remedy     string
	RemedyKey  string // the same for all findings that one action fixes, see Derive; "" where nobody says what to do
	RemedyName string // what the action is about, for people: "OpenSSH"
	FixedIn    string // the version that fixes it
	Location   string
	Vector     string // a check's own CVSS vector
	VectorBy   string // the sensor that gave Vector
	WordBy     string // whose word Word is; not stored
	Word       string // the tool's own word on the severity, of the strongest evidence that has one; not stored
	Check      string // the strongest check that saw it, "" where only versions speak
	CWEs       []int
	Status     Status
	Confidence int // 0..100
	Reason     string
	Rating
}

// Confirmed says whether the finding counts in default lists and thresholds; the others are potential.
func (f *Finding) Confirmed() bool { return f.Status == Affected && f.Confidence >= ConfirmedAt }

// Kind tells what sort of finding it is.
type Kind string

// The kinds.
const (
	KindVulnerability Kind = "vulnerability"
	KindCompliance    Kind = "compliance" // a configuration check against a benchmark
)

// Rating is how urgent the finding is, as package priority judged it when the catalogue was last asked. Nil pointers
// and zero times are not known.
type Rating struct {
	Severity         string
	SeverityBy       string    // who gave it: the catalogue's source, "openvas vector", "nessus", "" when unknown
	SLADue           time.Time // by the organisation's own terms; zero where it has none
	CVSS             *float64
	CVSSVersion      string
	CVSSSource       string
	CVSSVector       string
	EPSS             *float64
	EPSSPercentile   *float64
	KEV              bool
	Exploited        bool
	ExploitedSource  string
	Score            *float64 // priority_score
	ScorePartial     bool
	Likelihood       *float64
	LikelihoodSource string
	Decision         string
	DecisionSince    time.Time
	Due              time.Time // zero for track
	Forensics        bool
	Assumed          []string // decision inputs that were not known
	Derived          []string // decision inputs derived from the CVSS vector
	Exposed          bool
	ExposedWhy       string
	RankKey          string
}

// Triage is a person's word. Rescans never change it.
type Triage struct {
	State TriageState
	Until time.Time // the last UTC day on which it holds; zero has no end
	By    string
	At    time.Time
	Note  string
	Rule  int64 // the rule that says so, 0 is a person's word on this finding, which no rule overrides
}

// TriageState is what a person decided.
type TriageState string

// The triage states.
const (
	Untriaged     TriageState = "none"
	Confirmed     TriageState = "confirmed"
	FalsePositive TriageState = "false_positive"
	Accepted      TriageState = "accepted"
	OutOfScope    TriageState = "out_of_scope"
)

// Hidden says whether the triage keeps the finding out of default lists on a day.
func (t Triage) Hidden(on time.Time) bool {
	switch t.State {
	case FalsePositive, OutOfScope, Accepted:
		return !t.Ended(on)
	default:
		return false
	}
}

// Derive computes what the finding says of itself from its current evidence: the strongest speaks, the others add what it
// left out. looks are the looks at its host, of all sensors: what a sensor said before it looked again and no longer says
// speaks only when nothing else is left. The order in which evidence arrived does not matter.
func (f *Finding) Derive(looks ...Look) {
	current := f.standing(f.current(), looks)
	slices.SortFunc(current, stronger)
	f.Title, f.Remedy, f.Location, f.Vector, f.VectorBy, f.Reason, f.Word, f.WordBy, f.Check = "", "", "", "", "", "", "", "", ""
	f.Kind, f.Compliance, f.CWEs = KindVulnerability, Compliance{}, nil
	f.Status, f.Confidence = Uncertain, 0
	if len(current) > 0 {
		f.Status, f.Reason, f.Confidence = current[0].Status, current[0].Reason, Agreement(current)
	}
	for _, e := range current {
		f.add(e)
	}
	slices.Sort(f.CWEs)
	f.CWEs = slices.Compact(f.CWEs)
	f.RemedyKey, f.RemedyName, f.FixedIn = RemedyOf(f.Component, current)
}

// add fills in what stronger evidence left out.
func (f *Finding) add(e Evidence) {
	fill(&f.Title, e.Title)
	fill(&f.Remedy, e.Remedy)
	fill(&f.Location, e.Location)
	if e.Check != VersionCheck {
		fill(&f.Check, e.Check)
	}
	if f.Vector == "" && e.Vector != "" {
		f.Vector, f.VectorBy = e.Vector, e.Sensor
	}
	if f.Word == "" && e.Severity != "" {
		f.Word, f.WordBy = e.Severity, e.Sensor
	}
	if e.Result != "" && f.Result == "" {
		f.Kind, f.Compliance = KindCompliance, e.Compliance
	}
	f.CWEs = append(f.CWEs, e.CWEs...)
}

// current is the newest row of every sensor and check.
func (f *Finding) current() []Evidence {
	newest := map[Source]Evidence{}
	for _, e := range f.Evidence {
		old, seen := newest[e.Source()]
		if !seen || e.LastSeen.After(old.LastSeen) || e.LastSeen.Equal(old.LastSeen) && e.compare(old) > 0 {
			newest[e.Source()] = e
		}
	}
	out := make([]Evidence, 0, len(newest))
	for _, e := range newest {
		out = append(out, e)
	}
	return out
}

// standing leaves out the rows that their own sensor's later looks refuted; all of them stay when none would be left, so
// that a fixed finding keeps its last words.
func (f *Finding) standing(rows []Evidence, looks []Look) []Evidence {
	refuted := func(e Evidence) bool {
		return e.Status == Unaffected || slices.ContainsFunc(looks, func(l Look) bool {
			return l.At.After(e.LastSeen) && l.Covers(f.Fingerprint, e.Source())
		})
	}
	if left := slices.DeleteFunc(slices.Clone(rows), refuted); len(left) > 0 {
		return left
	}
	return rows
}

// stronger sorts what confirms first, then by confidence, then by status; names break ties.
func stronger(a, b Evidence) int {
	confirms := func(e Evidence) int {
		if e.Status == Affected && e.Confidence >= ConfirmedAt {
			return 1
		}
		return 0
	}
	for _, d := range []int{confirms(b) - confirms(a), b.Confidence - a.Confidence, b.Status.rank() - a.Status.rank()} {
		if d != 0 {
			return d
		}
	}
	return cmp.Or(strings.Compare(a.Sensor, b.Sensor), strings.Compare(a.Check, b.Check), strings.Compare(a.Policy, b.Policy), strings.Compare(a.says(), b.says()))
}

func fill(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

// Compare orders fingerprints by host, port, component and weakness.
func (f Fingerprint) Compare(other Fingerprint) int {
	return cmp.Or(strings.Compare(f.Site, other.Site), cmp.Compare(f.HostID, other.HostID), cmp.Compare(f.Port, other.Port),
		strings.Compare(f.Protocol, other.Protocol), strings.Compare(f.Component, other.Component),
		strings.Compare(string(f.Weakness), string(other.Weakness)))
}
