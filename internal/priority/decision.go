package priority

// Decision says by when to remediate, after CISA BOD 26-04 (2026-06-10).
type Decision string

// The decisions, most urgent first. The zero Decision is none yet.
const (
	Act    Decision = "act"    // 3 days
	Attend Decision = "attend" // 14 days
	Plan   Decision = "plan"   // 60 days
	Track  Decision = "track"  // with the next upgrade
)

// Days is the time that a decision leaves, 0 for Track.
func (d Decision) Days() int {
	switch d {
	case Act:
		return 3
	case Attend:
		return 14
	case Plan:
		return 60
	default:
		return 0
	}
}

// rank orders decisions: 0 is the most urgent, 9 none.
func (d Decision) rank() byte {
	switch d {
	case Act:
		return 0
	case Attend:
		return 1
	case Plan:
		return 2
	case Track:
		return 3
	default:
		return 9
	}
}

// Decide is the table of BOD 26-04, row by row:
//
//	KEV  exposed  automatable   total              partial
//	yes  yes      yes           act + forensics    act
//	yes  yes      no            act + forensics    attend
//	yes  no       yes           act + forensics    attend
//	yes  no       no            attend             attend
//	no   yes      yes           act                attend
//	no   yes      no            attend             plan
//	no   no       yes           plan               plan
//	no   no       no            track              track
func Decide(kev, exposed, automatable, total bool) (d Decision, forensics bool) {
	if kev {
		return decideExploited(exposed, automatable, total)
	}
	switch {
	case exposed && automatable && total:
		return Act, false
	case exposed && (automatable || total):
		return Attend, false
	case exposed || automatable:
		return Plan, false
	default:
		return Track, false
	}
}

func decideExploited(exposed, automatable, total bool) (Decision, bool) {
	switch {
	case total && (exposed || automatable):
		return Act, true
	case exposed && automatable:
		return Act, false
	default:
		return Attend, false
	}
}
