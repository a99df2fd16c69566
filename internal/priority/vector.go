package priority

import (
	"strings"

	cvss20 "github.com/pandatix/go-cvss/20"
	cvss30 "github.com/pandatix/go-cvss/30"
	cvss31 "github.com/pandatix/go-cvss/31"
	cvss40 "github.com/pandatix/go-cvss/40"
)

// vector is a CVSS vector taken apart. Reading it never fails: publishers and tools write vectors with missing, doubled
// or foreign metrics, and one odd metric must not hide the others.
type vector struct {
	version string // "2", "3", "4"; "" when it is none
	metrics map[string]string
}

// maxVector is longer than a CVSS 4.0 vector with every metric set.
const maxVector = 512

func parseVector(s string) vector {
	s = strings.Trim(strings.TrimSpace(s), "()")
	if s == "" || len(s) > maxVector {
		return vector{}
	}
	v := vector{metrics: map[string]string{}}
	for part := range strings.SplitSeq(s, "/") {
		key, value, ok := strings.Cut(part, ":")
		if !ok {
			continue
		}
		if key == "CVSS" {
			v.version, _, _ = strings.Cut(value, ".")
			continue
		}
		if _, twice := v.metrics[key]; !twice {
			v.metrics[key] = value
		}
	}
	if v.version == "" {
		v.version = v.guess()
	}
	return v
}

// guess names the version of a vector without prefix: only 2.0 has Au, only 4.0 has VC, only 3.x has S with C, I, A.
func (v vector) guess() string {
	has := func(key string) bool { return v.metrics[key] != "" }
	switch {
	case has("Au"):
		return "2"
	case has("VC"):
		return "4"
	case has("PR") && has("C"):
		return "3"
	default:
		return ""
	}
}

// all says whether every metric named has the value, and whether all of them are present at all.
func (v vector) all(pairs ...string) (yes, known bool) {
	yes = true
	for _, pair := range pairs {
		key, want, _ := strings.Cut(pair, ":")
		got := v.metrics[key]
		if got == "" {
			return false, false
		}
		yes = yes && got == want
	}
	return yes, true
}

// BaseScore computes the base score of a vector of any version by the standards' formulas. ok is false for a vector
// that is not complete.
func BaseScore(s string) (version string, score float64, ok bool) {
	s = strings.Trim(strings.TrimSpace(s), "()")
	if len(s) > maxVector {
		return "", 0, false
	}
	switch parsed := parseVector(s); {
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
	case parsed.version == "2":
		c, err := cvss20.ParseVector(strings.TrimPrefix(s, "CVSS:2.0/"))
		if err != nil {
			return "", 0, false
		}
		return "2.0", c.BaseScore(), true
	default:
		return "", 0, false
	}
}
