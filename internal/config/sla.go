package config

import "github.com/patchscout/patchscout/internal/fault"

// SLA is the organisation's own terms: within how many days a finding is to be dealt with. 0 sets no term. What an
// administrator sets while the server runs (Settings, or PUT /api/v1/settings/sla) stands before it.
type SLA struct {
	Decision SLADecision `koanf:"decision"`
	Severity SLASeverity `koanf:"severity"`
}

// SLADecision is the days by decision.
type SLADecision struct {
	Act    int `koanf:"act"`    // days for findings to act on
	Attend int `koanf:"attend"` // days for findings to attend to
	Plan   int `koanf:"plan"`   // days for findings to plan
	Track  int `koanf:"track"`  // days for findings to track
}

// SLASeverity is the days by severity.
type SLASeverity struct {
	Critical int `koanf:"critical"` // days for findings of this severity
	High     int `koanf:"high"`     // days for findings of this severity
	Medium   int `koanf:"medium"`   // days for findings of this severity
	Low      int `koanf:"low"`      // days for findings of this severity
	Info     int `koanf:"info"`     // days for findings of this severity
}

// ByDecision is the days by the word that findings carry.
func (s SLA) ByDecision() map[string]int {
	d := s.Decision
	return map[string]int{"act": d.Act, "attend": d.Attend, "plan": d.Plan, "track": d.Track}
}

// BySeverity likewise.
func (s SLA) BySeverity() map[string]int {
	v := s.Severity
	return map[string]int{"critical": v.Critical, "high": v.High, "medium": v.Medium, "low": v.Low, "info": v.Info}
}

// MaxTerm is the longest term: ten years, in days.
const MaxTerm = 3650

func (s SLA) validate() error {
	for kind, terms := range map[string]map[string]int{"decision": s.ByDecision(), "severity": s.BySeverity()} {
		for word, days := range terms {
			if days < 0 || days > MaxTerm {
				return fault.Invalid("sla.%s.%s %d: want 0 to %d days", kind, word, days, MaxTerm)
			}
		}
	}
	return nil
}
