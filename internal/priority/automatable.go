package priority

import (
	"strings"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
)

// Answer is a yes or no, whether it is known at all, and whether it was derived rather than assessed by a person.
type Answer struct{ Yes, Known, Derived bool }

// Automatable says whether an attacker can automate the steps up to exploitation (SSVC v2.1, "Automatable"). SSVC's own
// word counts where CISA gave one. Otherwise it is derived from the CVSS vector:
//
//	4.0  the supplemental metric AU where set, else AV:N AC:L AT:N PR:N UI:N
//	3.x  AV:N AC:L PR:N UI:N
//	2.0  AV:N AC:L Au:N
//
// that is: reachable over the network, needs no luck, no account and nobody's click.
func Automatable(s *intel.SSVC, cvssVector string) Answer {
	if s != nil {
		switch strings.ToLower(s.Automatable) {
		case "yes":
			return Answer{Yes: true, Known: true}
		case "no":
			return Answer{Known: true}
		}
	}
	v := cve.ReadVector(cvssVector)
	switch v.Version() {
	case "4":
		if au := v.Metric("AU"); au == "Y" || au == "N" {
			return Answer{Yes: au == "Y", Known: true, Derived: true}
		}
		return derived(v.All("AV:N", "AC:L", "AT:N", "PR:N", "UI:N"))
	case "3":
		return derived(v.All("AV:N", "AC:L", "PR:N", "UI:N"))
	case "2":
		return derived(v.All("AV:N", "AC:L", "Au:N"))
	default:
		return Answer{}
	}
}

func derived(yes, known bool) Answer { return Answer{Yes: yes, Known: known, Derived: known} }
