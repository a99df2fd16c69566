package priority

import (
	"strings"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
)

// TechnicalImpact says whether exploitation gives total control (Yes) or partial (SSVC v2.1, "Technical Impact").
// SSVC's own word counts where CISA gave one. Otherwise it is derived from the CVSS vector: total when confidentiality,
// integrity and availability are all lost completely (4.0 VC, VI, VA high; 3.x C, I, A high; 2.0 C, I, A complete).
func TechnicalImpact(s *intel.SSVC, cvssVector string) Answer {
	if s != nil {
		switch strings.ToLower(s.TechnicalImpact) {
		case "total":
			return Answer{Yes: true, Known: true}
		case "partial":
			return Answer{Known: true}
		}
	}
	v := cve.ReadVector(cvssVector)
	switch v.Version() {
	case "4":
		return derived(v.All("VC:H", "VI:H", "VA:H"))
	case "3":
		return derived(v.All("C:H", "I:H", "A:H"))
	case "2":
		return derived(v.All("C:C", "I:C", "A:C"))
	default:
		return Answer{}
	}
}
