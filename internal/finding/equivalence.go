package finding

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed equivalence.txt
var equivalenceText string

// sharedPrefix begins the weakness of checks that several tools have. It never names a tool.
const sharedPrefix = "same:"

// equivalence is the table, by whole check and by the beginning of one.
type equivalence struct {
	exact  map[string]Weakness
	prefix map[string]Weakness
}

var equivalences = sync.OnceValue(func() equivalence { return readEquivalences(equivalenceText) })

func readEquivalences(text string) equivalence {
	e := equivalence{exact: map[string]Weakness{}, prefix: map[string]Weakness{}}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 2 || strings.HasPrefix(line, "#") {
			continue
		}
		for _, check := range fields[1:] {
			check, blanks := strings.ReplaceAll(check, "%20", " "), strings.Contains(check, "%20")
			if !blanks && (strings.HasSuffix(check, ":") || strings.HasSuffix(check, "/")) {
				e.prefix[check] = Weakness(sharedPrefix + fields[0])
			} else {
				e.exact[check] = Weakness(sharedPrefix + fields[0])
			}
		}
	}
	return e
}

// OfCheck is the weakness that a check without a CVE sees: the check itself, unless the table of equivalent checks knows
// it under a name that tools share.
func OfCheck(check string) Weakness {
	table := equivalences()
	if w, ok := table.exact[check]; ok {
		return w
	}
	for i := range len(check) {
		if c := check[i]; c != ':' && c != '/' {
			continue
		}
		if w, ok := table.prefix[check[:i+1]]; ok {
			return w
		}
	}
	return Weakness(check)
}

// Shared says whether the weakness stands for checks of several tools. Finding.Check then is the one that saw it.
func (w Weakness) Shared() bool { return strings.HasPrefix(string(w), sharedPrefix) }
