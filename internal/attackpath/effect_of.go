package attackpath

import (
	"slices"

	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
)

// Flawed is all that is known of a weakness from which its Effect is told. What is not known is the zero value. A CVE's is
// made by FlawedOf; a check without a CVE fills Weakness, Title, Description, Severity, CWEs and Metrics as far as its tool
// gives them.
type Flawed struct {
	Weakness    string // CVE id, or "<tool>:<key>"
	Title       string
	Description string
	Rejected    bool
	Metrics     []cve.Metric  // of all versions, by all sources; a check's own vector or the one that its tool gave
	CWEs        []string      // "CWE-78"
	Products    []cpe.Product // the vulnerable ones, perhaps not all
	Severity    string        // of a check: critical, high, medium, low, info

	Mappings   []intel.Mapping
	Techniques []intel.TechniqueLink // published and derived: intel.Techniques

	// How ready an exploit is.
	Exploited string // who says that it is exploited in the wild: "KEV", a source's name; "" when nobody does
	Published string // who says that an exploit is public without naming it; "" when nobody does
	Exploits  []intel.Exploit
}

// EffectOf says what a weakness does for an attacker. It is never nil; what is no step forward gains Nothing, and Why says
// so. Pure, and safe on hostile text.
func EffectOf(f Flawed) *Effect {
	if f.Rejected {
		return &Effect{P: noneKnown, PWhy: "withdrawn", Why: []string{"the CVE was withdrawn"}}
	}
	if e := checkEffect(&f); e != nil {
		return e
	}
	w := weigh(&f)
	w.decide()
	return w.effect
}

// decide asks the rules in their order.
func (w *weighing) decide() {
	w.reach()
	w.ctid(intel.MappingExploitation, w.exploitedBy)
	w.gain()
	w.ctid(intel.MappingExploitation, w.escalates)
	w.ctid(intel.MappingPrimary, w.leadsTo)
	w.settle()
	w.technique()
	w.effect.P, w.effect.PWhy = chance(&w.cvss, w.flaw, w.effect.Lures)
}

// settle takes the gain of what cannot be used from anywhere.
func (w *weighing) settle() {
	if e := w.effect; e.Reach == FromNowhere && e.Gain != Nothing {
		e.Gain = Nothing
		w.foremost("not known from where it is used, so no step is made of it")
	}
}

// FlawedOf is what the catalogue knows of a CVE. Nothing of it is copied: neither must be changed while it is in use.
func FlawedOf(r *cve.Record, facts intel.Facts) Flawed {
	f := Flawed{
		Weakness: r.ID.String(), Description: r.Description, Rejected: r.Rejected(),
		Metrics: r.Metrics, CWEs: r.CWEs, Products: productsOf(r.Configurations),
		Mappings: facts.Mappings, Techniques: intel.Techniques(r, facts.Mappings), Exploits: facts.Exploits,
	}
	if said := func(o cve.Origin) bool { return o.Field == cve.FieldTitle }; slices.ContainsFunc(r.Origins, said) {
		f.Title = r.Title // else it was made from the facts that are weighed anyway
	}
	if facts.SSVC != nil && facts.SSVC.Exploitation == "poc" {
		f.Published = "CISA's SSVC"
	}
	switch {
	case facts.KEV != nil:
		f.Exploited = "KEV"
	case facts.SSVC != nil && facts.SSVC.Exploitation == "active":
		f.Exploited = "CISA's SSVC"
	case len(r.ExploitedBy) > 0:
		f.Exploited = r.ExploitedBy[0]
	}
	return f
}

// maxProducts is how many products are looked at: Log4Shell names 400, and the first ones say what it is in.
const maxProducts = 32

// productsOf lists the vulnerable products of configurations, each once, in their order, at most maxProducts.
func productsOf(nodes []cve.Node) (out []cpe.Product) {
	for i := range nodes {
		out = appendProducts(out, &nodes[i], 0)
	}
	return out
}

const maxDepth = 8

func appendProducts(out []cpe.Product, n *cve.Node, depth int) []cpe.Product {
	for i := range n.Children {
		if depth < maxDepth {
			out = appendProducts(out, &n.Children[i], depth+1)
		}
	}
	for i := range n.Matches {
		m := &n.Matches[i]
		if !m.Vulnerable || len(out) >= maxProducts {
			continue
		}
		name, err := cpe.Parse(m.Criteria)
		if err == nil && !slices.Contains(out, name.Product()) {
			out = append(out, name.Product())
		}
	}
	return out
}
