package priority

import "github.com/patchscout/patchscout/internal/intel"

// FromEPSS is the likelihood_source of a value that EPSS gave.
const FromEPSS = "epss"

// Likelihood is the probability of exploitation within 30 days, 0..1: EPSS where known, nil otherwise.
func Likelihood(e *intel.EPSS) (value *float64, source string) {
	if e == nil {
		return nil, ""
	}
	return &e.Score, FromEPSS
}
