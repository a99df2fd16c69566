package priority

import "github.com/patchscout/patchscout/internal/cve"

// Severity names the score of m, "unknown" when nobody scored.
func Severity(m cve.Metric, scored bool) string {
	if !scored {
		return cve.SeverityUnknown
	}
	return cve.Severity(m.Score)
}

// SeverityRank orders severities for thresholds: critical 5, high 4, medium 3, low 2, info 1, anything else 0.
func SeverityRank(severity string) int {
	switch severity {
	case "critical":
		return 5
	case "high":
		return 4
	case "medium":
		return 3
	case "low":
		return 2
	case "info":
		return 1
	default:
		return 0
	}
}
