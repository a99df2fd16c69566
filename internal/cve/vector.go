package cve

import "strings"

// Vector is the text of a CVSS vector of any version. Reading it never fails: publishers and tools write vectors with
// missing, doubled or foreign metrics, and one odd metric must not hide the others.
type Vector string

// maxVector is longer than a CVSS 4.0 vector with every metric set.
const maxVector = 512

// ReadVector trims what some publishers put around a vector. What is too long to be one is none.
func ReadVector(s string) Vector {
	s = strings.Trim(strings.TrimSpace(s), "()")
	if len(s) > maxVector {
		return ""
	}
	return Vector(s)
}

// Metric returns the value of a metric, "" when it does not stand in the vector. Of a doubled one the first counts.
func (v Vector) Metric(name string) string {
	for part := range strings.SplitSeq(string(v), "/") {
		if key, value, ok := strings.Cut(part, ":"); ok && key == name {
			return value
		}
	}
	return ""
}

// Version is "2", "3" or "4", "" when it is none. Of a vector without prefix only 2.0 has Au, only 4.0 has VC, and only 3.x
// has PR with C.
func (v Vector) Version() string {
	switch major, _, _ := strings.Cut(v.Metric("CVSS"), "."); {
	case major != "":
		return major
	case v.Metric("Au") != "":
		return "2"
	case v.Metric("VC") != "":
		return "4"
	case v.Metric("PR") != "" && v.Metric("C") != "":
		return "3"
	default:
		return ""
	}
}

// All says whether every metric named ("AV:N") has the value, and whether all of them are present at all.
func (v Vector) All(pairs ...string) (yes, known bool) {
	yes = true
	for _, pair := range pairs {
		key, want, _ := strings.Cut(pair, ":")
		got := v.Metric(key)
		if got == "" {
			return false, false
		}
		yes = yes && got == want
	}
	return yes, true
}
