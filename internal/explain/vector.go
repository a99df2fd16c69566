package explain

import (
	"strings"

	"github.com/patchscout/patchscout/internal/cve"
)

// vector is a CVSS vector of any version. Version 2 is told by its Au, version 4 by its VC.
type vector struct {
	cve.Vector
	v2 bool
	v4 bool
}

func readVector(text string) vector {
	v := vector{Vector: cve.ReadVector(text)}
	v.v2, v.v4 = v.Metric("Au") != "", v.Metric("VC") != ""
	return v
}

// level of an impact: 0 none or not known, 1 some, 2 all.
func (v vector) level(name string) int {
	switch v.Metric(name) {
	case "H", "C":
		return 2
	case "L", "P":
		return 1
	default:
		return 0
	}
}

// impacts are the names of the three metrics of damage to the product itself.
func (v vector) impacts() (c, i, a string) {
	if v.v4 {
		return "VC", "VI", "VA"
	}
	return "C", "I", "A"
}

// usable says that there is enough to speak of who and what.
func (v vector) usable() bool {
	c, i, a := v.impacts()
	for _, name := range []string{"AV", c, i, a} {
		if v.Metric(name) == "" {
			return false
		}
	}
	return strings.Contains("NALP", v.Metric("AV")) && (v.v2 || v.Metric("PR") != "")
}

// full says that confidentiality, integrity and availability are all lost completely.
func (v vector) full() bool {
	c, i, a := v.impacts()
	return v.level(c) == 2 && v.level(i) == 2 && v.level(a) == 2
}
