package report

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// enterpriseTechnique is how ids of techniques and sub-techniques of ATT&CK for enterprises look.
var enterpriseTechnique = regexp.MustCompile(`^T1[0-9]{3}(\.[0-9]{3})?$`)

// PathsNavigator writes the techniques of the listed paths as a layer of the ATT&CK Navigator: the score is the number of
// paths that use one.
func PathsNavigator(w io.Writer, p Paths) error {
	layer := Layer{Name: "Attack paths", Description: strings.Join(plainAll(p.Notices), " "), Unit: [2]string{"path", "paths"}, Facts: p.layerFacts()}
	uses := p.techniques()
	for _, id := range slices.Sorted(maps.Keys(uses)) {
		layer.Techniques = append(layer.Techniques, uses[id].technique(id))
	}
	return Navigator(w, layer)
}

// techniqueUse is where paths use a technique.
type techniqueUse struct {
	paths      int
	chance     float64 // of the likeliest step
	hosts      []string
	weaknesses []string
	sources    []string
}

func (p Paths) techniques() map[string]*techniqueUse {
	uses := map[string]*techniqueUse{}
	known := p.techniquesNamed()
	for _, path := range p.Paths {
		counted := map[string]bool{}
		for _, s := range path.Steps {
			if s.Technique == nil || !enterpriseTechnique.MatchString(s.Technique.ID) || known && s.Technique.Name == "" {
				continue
			}
			if uses[s.Technique.ID] == nil {
				uses[s.Technique.ID] = &techniqueUse{}
			}
			uses[s.Technique.ID].add(s, !counted[s.Technique.ID])
			counted[s.Technique.ID] = true
		}
	}
	return uses
}

// techniquesNamed says whether ATT&CK itself has been read: then an id without a name is none of its.
func (p Paths) techniquesNamed() bool {
	return slices.ContainsFunc(p.Paths, func(path Path) bool {
		return slices.ContainsFunc(path.Steps, func(s PathStep) bool { return s.Technique != nil && s.Technique.Name != "" })
	})
}

func (u *techniqueUse) add(s PathStep, newPath bool) {
	if newPath {
		u.paths++
	}
	u.chance = max(u.chance, s.Chance)
	if s.Host != nil {
		u.hosts = join(u.hosts, Plain(s.Host.Name))
	}
	u.weaknesses = join(u.weaknesses, Plain(string(s.Weakness)))
	u.sources = join(u.sources, s.Technique.Source)
}

// maxListed bounds what a tooltip of the Navigator lists by name.
const maxListed = 20

func (u *techniqueUse) technique(id string) LayerTechnique {
	by := ""
	if n := len(u.weaknesses); n > 0 {
		by = " by " + Plural(n, "weakness", "weaknesses")
	}
	return LayerTechnique{
		ID: id, Score: u.paths, Enabled: true,
		Comment: fmt.Sprintf("%s on %s%s; the likeliest step works in %s of tries.", Plural(u.paths, "path", "paths"),
			Plural(len(u.hosts), "host", "hosts"), by, Percent(u.chance)),
		Facts: []LayerFact{{"hosts", listed(u.hosts)}, {"weaknesses", listed(u.weaknesses)}, {"mapped by", listed(u.sources)}},
	}
}

// listed is names one after the other, the first of many.
func listed(names []string) string {
	slices.Sort(names)
	if rest := len(names) - maxListed; rest > 0 {
		return strings.Join(names[:maxListed], ", ") + " and " + Thousands(rest) + " more"
	}
	return orMissing(strings.Join(names, ", "))
}

func (p Paths) layerFacts() []LayerFact {
	entries := []string{}
	for _, e := range p.Scenario.Entries {
		entries = append(entries, Plain(e.Name))
	}
	return []LayerFact{
		{"made by", "PatchScout"}, {"made at", orMissing(stamp(p.At))}, {"attackers begin at", listed(entries)}, {"assumed of sites", orMissing(p.Scenario.Assume)},
		{"jewels reached", fmt.Sprintf("%d of %d", p.Totals.JewelsReached, p.Totals.Jewels)}, {"paths", strconv.Itoa(len(p.Paths))},
		{"complete", strconv.FormatBool(p.Complete)},
	}
}

func plainAll(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = Plain(s)
	}
	return out
}
