package priority

import (
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
)

// The likelihood_source of a value.
const (
	FromEPSS     = "epss"
	FromEstimate = "estimated"
)

// The limits of an estimate: about the lowest and the highest that EPSS itself gives.
const (
	leastEstimate = 0.0005
	mostEstimate  = 0.97
)

// Evidence is what the likelihood of one CVE rests on. Nil and empty fields are not known; only Exploits says by being
// empty that none is public.
type Evidence struct {
	EPSS     *intel.EPSS
	Metric   *cve.Metric
	CWEs     []string
	Exploits []intel.Exploit
}

// Likelihood is the probability of exploitation, 0..1: EPSS where known, else an estimate on EPSS's scale, nil for a CVE
// of which neither an assessment nor a weakness nor an exploit is known.
func Likelihood(e Evidence) (value *float64, source string) {
	if e.EPSS != nil {
		return &e.EPSS.Score, FromEPSS
	}
	estimate, ok := Estimate(e)
	if !ok {
		return nil, ""
	}
	return &estimate, FromEstimate
}

// Estimate says what EPSS would about say, without asking it. ok is false when there is nothing to estimate from. It
// allocates nothing.
func Estimate(e Evidence) (value float64, ok bool) {
	if e.Metric == nil && len(e.CWEs) == 0 && len(e.Exploits) == 0 {
		return 0, false
	}
	return shipped.Scale(shipped.LogOdds(SignalsOf(e))), true
}

// evidence gathers what Assess was given. A withdrawn CVE has none, and neither has a check without a CVE, whatever its
// vector: EPSS's scale speaks of CVEs.
func evidence(in Input, m *cve.Metric) Evidence {
	e := Evidence{EPSS: in.Facts.EPSS}
	if in.Record != nil && in.Record.Rejected() {
		return e
	}
	e.Exploits = in.Facts.Exploits
	if in.Record != nil {
		e.Metric, e.CWEs = m, in.Record.CWEs
	}
	return e
}
