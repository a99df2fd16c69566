package attackpath

// Effect is what a weakness does for an attacker who stands where it can be used. Effects are made once for a CVE, and
// shared.
type Effect struct {
	Reach           Reach
	Needs           Privilege // the account that the attacker must have there: CVSS PR or Au
	Lures           bool      // somebody must open something: CVSS UI
	Gain            Gain
	P               float64  // 0..1: that it works for one who is in place and tries; never 0
	PWhy            string   // where P comes from, for people
	Why             []string // the rules that decided, the weightiest first: "AV:N", "CWE-78 with C:H/I:H/A:H"
	Technique       string   // ATT&CK id, "" when not known
	TechniqueSource string   // "ctid", "derived", "rule"
}

// Reach says from where a weakness can be used.
type Reach uint8

// The ways.
const (
	FromNowhere Reach = iota // not by software: physical access, or nothing is known
	OverNetwork              // whoever reaches the port
	OverLink                 // whoever stands in the same site
	OnHost                   // a user of the host
)

// Gain is what using a weakness gives.
type Gain uint8

// The gains.
const (
	Nothing   Gain = iota // no step forward: availability only, or nothing is known
	AsService             // what the service runs as
	AsUser
	AsRoot
	ALogin     // credentials that the host accepts
	AppAdmin   // the application's administrator: no privilege on the host
	ReadsFiles // reading only: no privilege (a login in the scenario "secrets read")
	WritesFiles
)
