package attackpath

import (
	"strings"

	"github.com/patchscout/patchscout/internal/cve"
)

// loss is how much of confidentiality, integrity or availability is lost.
type loss uint8

const (
	lossUnknown loss = iota
	lossNone
	lossSome // CVSS 2 "partial", 3 and 4 "low"
	lossAll  // "complete", "high"
)

// assessment is what CVSS vectors say together. Letters are those of the vector, 0 where none says it.
type assessment struct {
	version string // of the vector that speaks: "2", "3", "4"; "" for none
	av      byte   // N, A, L, P
	ac      byte   // L, M, H
	at      byte   // CVSS 4: N, P
	pr      byte   // N, L, H
	ui      byte   // N, R
	c, i, a loss
}

// maxMetrics bounds how many assessments of one weakness are read.
const maxMetrics = 16

// assess reads the vectors: the newest by the best source speaks (design decision 7), the others only fill what it leaves
// out, the better ones first.
func assess(metrics []cve.Metric) assessment {
	metrics = metrics[:min(len(metrics), maxMetrics)]
	best, ok := (&cve.Record{Metrics: metrics}).Score()
	if !ok {
		return assessment{}
	}
	out := readAssessment(best.Vector)
	for i := range metrics {
		if out.complete() {
			break
		}
		if metrics[i] != best {
			out.fill(readAssessment(metrics[i].Vector))
		}
	}
	return out
}

func readAssessment(vector string) (a assessment) {
	v := cve.ReadVector(vector)
	if a.version = v.Version(); a.version == "" {
		return a
	}
	for part := range strings.SplitSeq(string(v), "/") {
		if key, value, _ := strings.Cut(part, ":"); value != "" {
			a.take(key, value[0])
		}
	}
	return a
}

func (a *assessment) take(key string, value byte) {
	switch key {
	case "AV":
		set(&a.av, value, "NALP")
	case "AC":
		set(&a.ac, value, "LMH")
	case "AT":
		set(&a.at, value, "NP")
	case "PR":
		set(&a.pr, value, "NLH")
	case "Au":
		// Two accounts (M) are rare and were mostly meant as an administrator's.
		set(&a.pr, map[byte]byte{'N': 'N', 'S': 'L', 'M': 'H'}[value], "NLH")
	case "UI":
		if value == 'A' || value == 'P' {
			value = 'R'
		}
		set(&a.ui, value, "NR")
	case "C", "VC":
		setLoss(&a.c, value)
	case "I", "VI":
		setLoss(&a.i, value)
	case "A", "VA":
		setLoss(&a.a, value)
	case "SC": // what is lost behind the component (CVSS 4) is lost on the host or farther away: the greater one counts
		raise(&a.c, value)
	case "SI":
		raise(&a.i, value)
	case "SA":
		raise(&a.a, value)
	}
}

func set(field *byte, value byte, allowed string) {
	if *field == 0 && strings.IndexByte(allowed, value) >= 0 {
		*field = value
	}
}

func setLoss(field *loss, value byte) {
	if *field == lossUnknown {
		*field = lossOf(value)
	}
}

// raise counts a loss behind the component. CVSS 4 writes V before S, so that V is known.
func raise(field *loss, value byte) {
	if value == 'S' { // safety of people
		value = 'H'
	}
	*field = max(*field, lossOf(value))
}

func lossOf(value byte) loss {
	switch value {
	case 'N':
		return lossNone
	case 'L', 'P':
		return lossSome
	case 'H', 'C':
		return lossAll
	default:
		return lossUnknown
	}
}

func (a *assessment) complete() bool {
	return a.av != 0 && a.ac != 0 && a.pr != 0 && a.ui != 0 && a.c != 0 && a.i != 0 && a.a != 0
}

// fill takes over what a does not know.
func (a *assessment) fill(other assessment) {
	for _, f := range []struct{ mine, theirs *byte }{
		{&a.av, &other.av}, {&a.ac, &other.ac}, {&a.pr, &other.pr}, {&a.ui, &other.ui}} {
		if *f.mine == 0 {
			*f.mine = *f.theirs
		}
	}
	for _, f := range []struct{ mine, theirs *loss }{{&a.c, &other.c}, {&a.i, &other.i}, {&a.a, &other.a}} {
		if *f.mine == lossUnknown {
			*f.mine = *f.theirs
		}
	}
	if a.version == "" {
		a.version = other.version
	}
	if a.version == "3" && a.ac == 'H' && other.version == "2" && other.ac == 'H' {
		a.at = 'P' // both scales call it hard
	}
}

// scored says whether any impact is known.
func (a *assessment) scored() bool { return a.c != 0 && a.i != 0 && a.a != 0 }

func (a *assessment) all(l loss) bool { return a.c >= l && a.i >= l && a.a >= l }

// letters writes the impacts as the vector that spoke: "C:H/I:H/A:N", of version 2 "C:C/I:C/A:N".
func (a *assessment) letters() string {
	scale := "?NLH"
	if a.version == "2" {
		scale = "?NPC"
	}
	return "C:" + scale[a.c:a.c+1] + "/I:" + scale[a.i:a.i+1] + "/A:" + scale[a.a:a.a+1]
}
