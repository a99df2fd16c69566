// Package priority says how urgent a finding is: the score, the likelihood, the decision with its due date, and the key
// that lists sort by. One file per factor, values in, values out. It never fetches a fact and never fills in a missing
// one without naming it.
package priority

import (
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
)

// Input is what is known of one weakness in one place. What is missing is left at its zero value.
type Input struct {
	Record *cve.Record // nil for a check without a CVE, and for a CVE that the catalogue does not hold
	Facts  intel.Facts
	// Vector is a check's own CVSS vector; it is read only when Record brings no metric.
	Vector       string
	VectorSource string // who gave Vector: the tool's name, or "derived from …"
	// Word is a tool's own word on the severity. It counts where nothing is scored: "info" then is a note, which nobody has
	// to act on.
	Word     string
	Exposure Exposure
	Now      time.Time
}

// Verdict is everything that is said of one Input. Nil pointers are not known.
type Verdict struct {
	Severity string // critical, high, medium, low, info, unknown

	CVSS        *float64 // 0..10
	CVSSVersion string
	CVSSSource  string
	CVSSVector  string

	EPSS           *float64
	EPSSPercentile *float64

	KEV             bool
	KEVAdded        time.Time
	Exploited       bool
	ExploitedSource string // "kev", "ssvc", a name of Record.ExploitedBy; "" when not exploited as far as known

	Score        *float64 // the priority_score, 0..1; nil when none of its terms is known
	ScorePartial bool

	Likelihood       *float64
	LikelihoodSource string // FromEPSS or FromEstimate; "" where Likelihood is nil

	Decision    Decision
	Forensics   bool
	Assumed     []string // inputs of the decision that were not known, each taken at its earlier date
	Derived     []string // inputs of the decision that were derived from the CVSS vector
	Exposed     bool
	ExposedWhy  string
	Automatable bool
	Total       bool // the technical impact is total

	// Arose is the day on which the facts gave this decision: the day of the KEV entry, else of publication; zero when
	// neither is known.
	Arose time.Time
}

// Assess judges one input. It is a pure function.
func Assess(in Input) Verdict {
	m, scored := metricOf(in)
	var metric *cve.Metric
	v := Verdict{Severity: Severity(m, scored), KEV: in.Facts.KEV != nil}
	if !scored && in.Record != nil {
		v.Severity = in.Record.Severity() // a source's word without a score
	}
	if !scored && v.Severity == cve.SeverityUnknown && strings.EqualFold(in.Word, "info") {
		v.Severity = "info"
	}
	if scored {
		metric = &m
		v.CVSS, v.CVSSVersion, v.CVSSSource, v.CVSSVector = &m.Score, m.Version, m.Source, m.Vector
	}
	if e := in.Facts.EPSS; e != nil {
		v.EPSS, v.EPSSPercentile = &e.Score, &e.Percentile
	}
	v.Exploited, v.ExploitedSource = Exploited(in.Facts, in.Record)
	var published time.Time
	if in.Record != nil {
		published = in.Record.Published
	}
	v.Score, v.ScorePartial = Score(v.Exploited, v.CVSS, published, in.Now)
	v.Likelihood, v.LikelihoodSource = Likelihood(evidence(in, metric))
	v.decide(in, m.Vector)
	v.Arose = published
	if v.KEV {
		v.KEVAdded = in.Facts.KEV.Added
		v.Arose = v.KEVAdded
	}
	return v
}

// decide leaves a withdrawn CVE without a decision: there is nothing to be done about it.
func (v *Verdict) decide(in Input, vector string) {
	if in.Record != nil && in.Record.Rejected() {
		return
	}
	if v.Severity == "info" && v.CVSS == nil && !v.KEV {
		v.Decision = Track
		return
	}
	automatable, impact := Automatable(in.Facts.SSVC, vector), TechnicalImpact(in.Facts.SSVC, vector)
	v.note("exposed", in.Exposure.Known, false)
	v.note("automatable", automatable.Known, automatable.Derived)
	v.note("technical_impact", impact.Known, impact.Derived)
	v.Exposed = in.Exposure.Exposed || !in.Exposure.Known
	v.ExposedWhy = in.Exposure.Why
	v.Automatable = automatable.Yes || !automatable.Known
	v.Total = impact.Yes || !impact.Known
	v.Decision, v.Forensics = Decide(v.KEV, v.Exposed, v.Automatable, v.Total)
}

func (v *Verdict) note(input string, known, derived bool) {
	if !known {
		v.Assumed = append(v.Assumed, input)
	}
	if derived {
		v.Derived = append(v.Derived, input)
	}
}

// metricOf chooses the assessment that counts: the catalogue's, else the check's own vector.
func metricOf(in Input) (cve.Metric, bool) {
	if in.Record != nil {
		if m, ok := in.Record.Score(); ok {
			return m, true
		}
	}
	if in.Vector == "" {
		return cve.Metric{}, false
	}
	version, score, ok := BaseScore(in.Vector)
	return cve.Metric{Version: version, Vector: in.Vector, Score: score, Source: in.VectorSource}, ok
}
