package priority

import (
	"strings"

	cvss20 "github.com/pandatix/go-cvss/20"
	cvss30 "github.com/pandatix/go-cvss/30"
	cvss31 "github.com/pandatix/go-cvss/31"
	cvss40 "github.com/pandatix/go-cvss/40"

	"github.com/patchscout/patchscout/internal/cve"
)

// maxVector is longer than a CVSS 4.0 vector with every metric set.
const maxVector = 512

// BaseScore computes the base score of a vector of any version by the standards' formulas. ok is false for a vector
// that is not complete.
func BaseScore(s string) (version string, score float64, ok bool) {
	s = strings.Trim(strings.TrimSpace(s), "()")
	if len(s) > maxVector {
		return "", 0, false
	}
	switch parsed := cve.ReadVector(s); {
	case strings.HasPrefix(s, "CVSS:4.0/"):
		c, err := cvss40.ParseVector(s)
		if err != nil {
			return "", 0, false
		}
		return "4.0", c.Score(), true
	case strings.HasPrefix(s, "CVSS:3.1/"):
		c, err := cvss31.ParseVector(s)
		if err != nil {
			return "", 0, false
		}
		return "3.1", c.BaseScore(), true
	case strings.HasPrefix(s, "CVSS:3.0/"):
		c, err := cvss30.ParseVector(s)
		if err != nil {
			return "", 0, false
		}
		return "3.0", c.BaseScore(), true
	case parsed.Version() == "2":
		c, err := cvss20.ParseVector(strings.TrimPrefix(s, "CVSS:2.0/"))
		if err != nil {
			return "", 0, false
		}
		return "2.0", c.BaseScore(), true
	default:
		return "", 0, false
	}
}
