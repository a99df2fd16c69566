package attack

import (
	"cmp"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
)

// bundle is what is held of a file until its end. The keys are STIX ids.
type bundle struct {
	domain     string
	techniques map[string]object
	tactics    map[string]object
	order      []string               // tactics as the matrix has them, those of several matrices one after the other
	named      map[string]intel.Named // groups, software, mitigations
	strategies map[string]strategy    // ways to detect
	analytics  map[string]string      // their parts
	uses       map[string][]relation  // technique -> groups, software, mitigations
	detects    map[string][]string    // technique -> strategies
	parents    map[string]string      // sub-technique -> technique
	successors map[string]string      // revoked technique -> the one that replaces it
}

type strategy struct {
	name      string
	analytics []string
}

type relation struct{ source, note string }

func newBundle(domain string) *bundle {
	return &bundle{
		domain: domain, techniques: map[string]object{}, tactics: map[string]object{}, named: map[string]intel.Named{},
		strategies: map[string]strategy{}, analytics: map[string]string{}, uses: map[string][]relation{},
		detects: map[string][]string{}, parents: map[string]string{}, successors: map[string]string{},
	}
}

// relate files a relationship between techniques, or from something to a technique; others are of no use here.
func (b *bundle) relate(o object) {
	if !strings.HasPrefix(o.target, "attack-pattern--") {
		return
	}
	switch o.relation {
	case "uses", "mitigates":
		note := feed.Cut(strings.TrimSpace(o.description), maxNote)
		b.uses[o.target] = append(b.uses[o.target], relation{o.source, note})
	case "detects":
		b.detects[o.target] = append(b.detects[o.target], o.source)
	case "subtechnique-of":
		b.parents[o.source] = o.target
	case "revoked-by":
		b.successors[o.source] = o.target
	}
}

// allTactics lists the tactics in the order of the matrix, then those that stand in none.
func (b *bundle) allTactics() []intel.Tactic {
	var all []intel.Tactic
	for stix, o := range b.tactics {
		place := slices.Index(b.order, stix)
		if place < 0 {
			place = len(b.order)
		}
		all = append(all, intel.Tactic{ID: o.id, Short: o.short, Domain: b.domain, Name: o.name, Order: place})
	}
	slices.SortFunc(all, func(x, y intel.Tactic) int {
		return cmp.Or(cmp.Compare(x.Order, y.Order), strings.Compare(x.ID, y.ID))
	})
	return all
}

// allTechniques resolves the relationships of every technique. Of two with one id the one that still stands counts: a
// technique that became another's sub-technique and came back has both.
func (b *bundle) allTechniques() []intel.Technique {
	best := map[string]string{}
	for stix, o := range b.techniques {
		if other, twice := best[o.id]; !twice || b.before(stix, other) {
			best[o.id] = stix
		}
	}
	all := make([]intel.Technique, 0, len(best))
	for _, stix := range best {
		all = append(all, b.technique(stix, b.techniques[stix]))
	}
	slices.SortFunc(all, func(x, y intel.Technique) int { return strings.Compare(x.ID, y.ID) })
	return all
}

func (b *bundle) before(x, y string) bool {
	a, c := b.techniques[x], b.techniques[y]
	if a.gone() != c.gone() {
		return c.gone()
	}
	return cmp.Or(c.modified.Compare(a.modified), strings.Compare(x, y)) < 0
}

func (b *bundle) technique(stix string, o object) intel.Technique {
	t := intel.Technique{
		ID: o.id, Domain: b.domain, Name: o.name, Modified: o.modified.UTC(), URL: o.url,
		Revoked: o.revoked, Deprecated: o.deprecated,
	}
	if o.gone() {
		t.ReplacedBy = b.successor(stix)
		return t
	}
	t.Description = feed.Cut(strings.TrimSpace(o.description), maxDescription)
	t.Parent = b.parent(stix, o.id)
	t.Tactics, t.Platforms = o.tactics, o.platforms
	t.Detection = feed.Cut(strings.TrimSpace(o.detection), maxDetection)
	if t.Detection == "" {
		t.Detection = b.detection(stix)
	}
	b.fillLists(&t, b.uses[stix])
	return t
}

// successor follows "revoked-by" to the technique that stands today, "" if that leads nowhere.
func (b *bundle) successor(stix string) string {
	for range 10 { // a chain of more is a circle
		next, ok := b.successors[stix]
		if !ok {
			return ""
		}
		if o, known := b.techniques[next]; known && !o.gone() {
			return o.id
		}
		stix = next
	}
	return ""
}

// parent is the technique of a sub-technique, by its relationship or, where that is missing, by its id.
func (b *bundle) parent(stix, id string) string {
	if o, ok := b.techniques[b.parents[stix]]; ok && !o.gone() {
		return o.id
	}
	if parent, _, isSub := strings.Cut(id, "."); isSub {
		return parent
	}
	return ""
}

// fillLists sorts what is related to a technique into its lists.
func (b *bundle) fillLists(t *intel.Technique, relations []relation) {
	for _, r := range relations {
		n, ok := b.named[r.source]
		if !ok {
			continue // revoked, deprecated, or a campaign
		}
		n.Note = r.note
		switch {
		case strings.HasPrefix(r.source, "intrusion-set--"):
			t.Groups = append(t.Groups, n)
		case strings.HasPrefix(r.source, "course-of-action--"):
			t.Mitigations = append(t.Mitigations, n)
		default:
			t.Software = append(t.Software, n)
		}
	}
	t.Groups, t.Software, t.Mitigations = tidy(t.Groups), tidy(t.Software), tidy(t.Mitigations)
}

// tidy sorts a list by id, once each, and cuts it.
func tidy(list []intel.Named) []intel.Named {
	slices.SortFunc(list, func(a, b intel.Named) int {
		return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), strings.Compare(a.ID, b.ID), strings.Compare(a.Note, b.Note))
	})
	list = slices.CompactFunc(list, func(a, b intel.Named) bool { return a.ID == b.ID })
	return slices.Clip(list[:min(len(list), maxNamed)])
}

// detection is the text of the detection strategies that stand, since ATT&CK 18, where x_mitre_detection stood before:
// each strategy's name, then its analytics, one a line.
func (b *bundle) detection(stix string) string {
	var parts []string
	for _, ref := range b.detects[stix] {
		s, ok := b.strategies[ref]
		if !ok {
			continue
		}
		lines := []string{s.name}
		for _, a := range s.analytics {
			if text := b.analytics[a]; text != "" {
				lines = append(lines, "- "+text)
			}
		}
		parts = append(parts, strings.Join(lines, "\n"))
	}
	slices.Sort(parts)
	return feed.Cut(strings.Join(parts, "\n\n"), maxDetection)
}
