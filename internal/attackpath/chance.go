package attackpath

import (
	"fmt"
	"strings"

	"github.com/patchscout/patchscout/internal/intel"
)

// How hard an attack is once the attacker is in place: the chances that NISTIR 7788 gives CVSS's attack complexity.
const (
	easy   = 0.9
	medium = 0.6
	hard   = 0.2
)

// How ready an exploit is.
const (
	readyMade  = 1.0 // it is used in the wild, or comes with Metasploit
	published  = 0.8 // somebody published one
	noneKnown  = 0.3
	userFactor = 0.5 // somebody must open what he is sent
)

// chance is how likely the weakness works for one who is in place and tries.
func chance(a *assessment, f *Flawed, lures bool) (p float64, why string) {
	hardness, says := complexity(a)
	ready, how := readiness(f)
	p, why = hardness*ready, says+"; "+how
	if lures {
		p, why = p*userFactor, why+fmt.Sprintf("; somebody must open it (%.1f)", userFactor)
	}
	return p, why
}

// complexity reads the attack complexity. CVSS 3 and 4 know two grades: high is medium of the three that version 2 knows,
// for half of what they call high needs no more than the right moment; it is hard where version 2 says so too, or where
// version 4 also wants requirements that the attacker cannot bring about (AT:P).
func complexity(a *assessment) (p float64, why string) {
	switch {
	case a.ac == 0:
		return medium, fmt.Sprintf("complexity not known (%.1f)", medium)
	case a.ac == 'H' && (a.version == "2" || a.at == 'P'):
		return hard, fmt.Sprintf("hard: AC:H (%.1f)", hard)
	case a.ac == 'H':
		return medium, fmt.Sprintf("medium: AC:H (%.1f)", medium)
	case a.at == 'P':
		return medium, fmt.Sprintf("medium: AT:P (%.1f)", medium)
	case a.ac == 'M':
		return medium, fmt.Sprintf("medium: AC:M (%.1f)", medium)
	default:
		return easy, fmt.Sprintf("easy: AC:L (%.1f)", easy)
	}
}

func readiness(f *Flawed) (p float64, why string) {
	if f.Exploited != "" {
		return readyMade, fmt.Sprintf("exploited in the wild, says %s (%.1f)", shorten(f.Exploited, 60), readyMade)
	}
	public := f.Published
	for i := range f.Exploits {
		switch x := &f.Exploits[i]; {
		case x.Source == "metasploit" && (x.Kind == "exploit" || x.Kind == ""):
			return readyMade, fmt.Sprintf("Metasploit has a module (%.1f)", readyMade)
		case public == "" && usable(x):
			public = x.Source
		}
	}
	if public != "" {
		return published, fmt.Sprintf("a public exploit: %s (%.1f)", shorten(public, 40), published)
	}
	return noneKnown, fmt.Sprintf("no public exploit known (%.1f)", noneKnown)
}

// usable says whether a public exploit does more than stop the service.
func usable(x *intel.Exploit) bool { return x.Kind != "dos" && x.Source != "" }

// shorten makes a publisher's text fit for a sentence: one line, at most n bytes.
func shorten(s string, n int) string {
	s = strings.ToValidUTF8(s[:min(len(s), n)], "")
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, s)
}
