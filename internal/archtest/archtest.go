// Package archtest holds the house's import rules (docs/decisions/0000-the-house.md) and says in one sentence what goes
// uphill. It judges non-test imports of this module only, and is itself imported by nothing.
package archtest

import (
	"fmt"
	"slices"
	"strings"
)

const module = "github.com/patchscout/patchscout/"

// floors, from the ground up. A package may import those of lower floors. A folder stands for what is below it, unless
// that is listed itself.
var floors = [][]string{
	{"internal/fault", "internal/machine", "web", "docs"},
	{"internal/version", "internal/config", "internal/telemetry", "internal/cpe", "internal/outbound", "internal/jsonstream", "internal/textindex"},
	{"internal/cve", "internal/asset", "internal/textindex/"},
	{"internal/intel"},
	{"internal/finding"},
	{"internal/match", "internal/priority", "internal/attackpath", "internal/scan", "internal/feed", "internal/auth", "internal/job", "internal/live"},
	{"internal/explain"},
	{"internal/scan/intake", "internal/scan/tool"}, // what several scanners share
	{"internal/scan/", "internal/feed/", "internal/attackpath/", "internal/scope"}, // adapters: one tool, publisher or graph each; scope judges scan's targets
	{"internal/catalogue", "internal/assistant/wire"},
	{"internal/assess", "internal/catalogue/"},
	{"internal/store", "internal/report", "internal/request", "internal/app/demo", "internal/job/", "internal/worker", "internal/assistant/understand", "internal/assistant/embed", "internal/assistant/llm"},
	{"internal/assistant/index"},
	{"internal/assistant/retrieve"}, // answers rest on the documents of report: docs/decisions/0023-assistant.md
	{"internal/assistant/answer"},
	{"internal/assistant/wording"},
	{"internal/assistant"},
	{"internal/api"},
	{"internal/app"},
	{"internal/cli"},
	{"cmd/patchscout"},
}

// free are packages that stand beside the house: test programs and this one. Product code must not import them.
var free = []string{
	"internal/archtest", "test", "scripts", "internal/store/storetest", "internal/job/jobtest", "internal/scan/scantest", "internal/assistant/llm/llmtest", "internal/attackpath/graphtest", "internal/assistant/peertest", "internal/catalogue/starter/make",
}

// restricted packages may only be imported by the ones listed (and by what is below the package itself).
var restricted = map[string][]string{
	"internal/store": {"internal/app"},
	"internal/app":   {"internal/cli", "cmd/patchscout"},
	"internal/cli":   {"cmd/patchscout"},
}

// Check judges one import of from; both are import paths. It returns "" when the import is fine or not ours.
func Check(from, to string) string {
	from, ours := strings.CutPrefix(from, module)
	to, alsoOurs := strings.CutPrefix(to, module)
	if !ours || !alsoOurs || within(from, free) {
		return ""
	}
	if within(to, free) {
		return fmt.Sprintf("%s imports %s, which is for tests only", from, to)
	}
	if say := checkRestricted(from, to); say != "" {
		return say
	}
	return checkFloors(from, to)
}

func checkRestricted(from, to string) string {
	for name, allowed := range restricted {
		if !below(to, name) || below(from, name) || slices.Contains(allowed, from) {
			continue
		}
		return fmt.Sprintf("%s imports %s, which only %s may", from, to, strings.Join(allowed, " and "))
	}
	return ""
}

func checkFloors(from, to string) string {
	a, b := Floor(from), Floor(to)
	switch {
	case a < 0:
		return fmt.Sprintf("%s has no floor: add it to internal/archtest", from)
	case b < 0:
		return fmt.Sprintf("%s has no floor: add it to internal/archtest", to)
	case b < a, b == a && below(to, from): // a package may be split into a folder of its own
		return ""
	case b == a && adapter(from) && adapter(to):
		return fmt.Sprintf("%s imports its sibling %s: adapters know only their parent and the domain", from, to)
	default:
		return fmt.Sprintf("%s imports %s, which stands above or beside it: imports run downhill", from, to)
	}
}

// Floor returns the floor of a package path relative to the module, -1 when it has none. The longest entry decides.
func Floor(path string) int {
	best, length := -1, 0
	for i, floor := range floors {
		for _, name := range floor {
			matches := below(path, strings.TrimSuffix(name, "/")) && (!strings.HasSuffix(name, "/") || strings.HasPrefix(path, name))
			if matches && len(name) > length {
				best, length = i, len(name)
			}
		}
	}
	return best
}

func adapter(path string) bool {
	return Floor(path) == Floor("internal/scan/nmap") && path != "internal/scope"
}

func below(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

func within(path string, folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return below(path, f) })
}
