package explain

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/version"
)

// Everywhere says in one sentence what ends a weakness wherever it was found.
func Everywhere(s PathStep) string { return phrase{text: fixOfFlaw(s, true)}.sentence() }

// fixOfFlaw says what ends a weakness: what the finding says, where that is something to do; else to update, to the version
// that the finding or the catalogue names, or to any without it. Ports are closed where there is nothing to update to.
func fixOfFlaw(s PathStep, everywhere bool) string {
	remedy := s.remedy()
	product := either(shown(s.Software), s.product())
	switch name := flawName(s, false); {
	case orders(remedy):
		return remedy
	case s.Software != "" && s.FixedIn != "":
		return tell("update.one", "what", shown(s.Software), "version", shown(s.FixedIn))
	case s.Update != "":
		return cut(clean(s.Update), maxQuote)
	case product != "" && strings.HasPrefix(name, "CVE-"):
		return tell("update.without", "what", product, "weakness", name)
	case remedy != "":
		return remedy
	case everywhere:
		return tell("fix.all", "weakness", name)
	case s.Port != 0:
		return tell("fix.close", "port", portName(s.Protocol, s.Port), "host", hostName(s.Gains), "from", closedTo(s.From))
	default:
		return tell("fix.flaw", "weakness", name, "host", hostName(s.Gains))
	}
}

// remedy is what the finding says to do, "" where it says that nothing is known.
func (s *PathStep) remedy() string {
	if s.Flaw == nil || noRemedy.MatchString(strings.TrimSpace(s.Flaw.Remedy)) {
		return ""
	}
	return quotable(s.Flaw.Remedy)
}

// product is what has the weakness.
func (s *PathStep) product() string {
	if s.Flaw != nil && s.Flaw.Component != "" {
		return shown(s.Flaw.Component)
	}
	return shown(s.Product)
}

var (
	noRemedy = regexp.MustCompile(`(?i)^(?:no|none|not|n/?a|unknown)\b`)
	// statement finds remedies that tell something rather than what to do: "The vendor has released updates."
	statement = regexp.MustCompile(`(?i)^(?:please )?(?:the|a|an|there|this|these|that|see|refer|consult|vendor)\b`)
	updates   = regexp.MustCompile(`(?i)^(?:please )?(?:update|upgrade)\b`)
)

// orders says whether a remedy is something to do.
func orders(remedy string) bool { return remedy != "" && !statement.MatchString(remedy) }

// Updates says whether what is to be done is to update something: of several such, the highest version does for all.
func Updates(do string) bool { return updates.MatchString(do) }

// maxWithout is how many weaknesses of an update are named.
const maxWithout = 4

// Together says in one sentence which update of one piece of software ends several weaknesses: to the highest version that
// is known to end one of them; those are named of which none is known.
func Together(steps []PathStep) string {
	var highest *PathStep
	var open []phrase
	for i := range steps {
		s := &steps[i]
		switch {
		case s.FixedIn == "":
			open = append(open, known(flawName(*s, false)))
		case highest == nil || version.Compare(s.FixedIn, highest.FixedIn) > 0:
			highest = s
		}
	}
	slices.SortFunc(open, func(a, b phrase) int { return strings.Compare(a.text, b.text) })
	if rest := len(open) - maxWithout; rest > 0 {
		open = append(open[:maxWithout], known(tell("walk.more", "n", fmt.Sprint(rest))))
	}
	names := paths.list("list.two", open).text
	switch {
	case highest == nil:
		return phrase{text: tell("update.without", "what", either(shown(steps[0].Software), steps[0].product()), "weakness", names)}.sentence()
	case len(open) > 0:
		return phrase{text: tell("update.too", "update", strings.TrimRight(fixOfFlaw(*highest, false), "."), "weaknesses", names)}.sentence()
	default:
		return phrase{text: fixOfFlaw(*highest, false)}.sentence()
	}
}
