package finding

import (
	"maps"
	"slices"
)

// bannerAt is the confidence up to which evidence may rest on a version that the service told of itself: several tools that
// read one banner are one witness.
const bannerAt = 80

// mostSure is the most that agreement gives: only a tool that proved a weakness is surer by itself.
const mostSure = 99

// Agreement is the confidence that follows from several pieces of evidence of one finding, 0..100. What may rest on one
// banner (version comparisons, and checks that are no surer than those) counts once, at its surest; the checks of one
// sensor count once, too. Such witnesses are independent of each other, and each leaves over its own part of the doubt:
//
//	1 - (1-banner)(1-check1)(1-check2)…
//
// Only what confirms by itself is a witness: weak words do not add up, and nothing is confirmed of which no single piece
// is. Without two witnesses it is the surest piece.
func Agreement(rows []Evidence) int {
	best := 0
	witness := map[string]int{}
	affected := slices.ContainsFunc(rows, func(e Evidence) bool { return e.Status == Affected })
	for _, e := range rows {
		if affected && e.Status != Affected {
			continue
		}
		best = max(best, e.Confidence)
		who := e.Sensor
		if e.Check == VersionCheck || e.Confidence <= bannerAt {
			who = ""
		}
		if affected && e.Confidence >= ConfirmedAt {
			witness[who] = max(witness[who], e.Confidence)
		}
	}
	if len(witness) < 2 {
		return best
	}
	doubt := 1.0
	for _, c := range slices.Sorted(maps.Values(witness)) { // in one order, since floats round
		doubt *= 1 - float64(c)/100
	}
	return max(best, min(mostSure, int(100*(1-doubt)+0.5)))
}
