package priority

import "github.com/patchscout/patchscout/internal/cve"

// Severity names the score of m, "unknown" when nobody scored.
func Severity(m cve.Metric, scored bool) string {
	if !scored {
		return cve.SeverityUnknown
	}
	return cve.Severity(m.Score)
}
