package match

import (
	"strings"

	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
)

// Limits on what one record may hold; NVD's largest has 4,891 leaves, two levels deep.
const (
	maxLeaves     = 20000
	maxDepth      = 16
	maxConditions = 32 << 20 // bytes: an AND of n criteria writes each of them n-1 times
)

// leaf is one vulnerable criterion of one CVE with what else must hold for it: the other operands of every AND above
// it. OR operands beside it do not matter, since the leaf alone satisfies them; a leaf below a negation can never be
// the reason of a match and is no leaf here.
//
//	AND ─┬─ OR ─┬─ firmware < 1.2   <- leaf
//	     │      └─ firmware 1.4
//	     └─ OR ─── router r7000     <- residual
type leaf struct {
	cve      cve.ID
	version  string // canonical values, "" for ANY
	update   string
	attrs    string // the six attributes after update, joined by ":", "" when all are ANY
	bounds   bounds
	residual string // encoded expr, "" for none
	derived  bool   // the product's name was made from its assigner's words
}

// bounds is a version range as published; "" is open.
type bounds struct {
	start, end         string
	startExcl, endExcl bool
}

func (b bounds) empty() bool { return b.start == "" && b.end == "" }

// boundsOf reads a range. Some records escape its ends as in a name ("15.5\\(2\\)t").
func boundsOf(m cve.CPEMatch) bounds {
	b := bounds{start: cpe.Unquote(m.StartIncluding), end: cpe.Unquote(m.EndIncluding)}
	if m.StartExcluding != "" {
		b.start, b.startExcl = cpe.Unquote(m.StartExcluding), true
	}
	if m.EndExcluding != "" {
		b.end, b.endExcl = cpe.Unquote(m.EndExcluding), true
	}
	return b
}

// walker collects the leaves of one record.
type walker struct {
	id     cve.ID
	leaves int
	size   int // of the conditions written so far
	emit   func(cpe.Product, leaf)
}

// leavesOf calls emit for each vulnerable leaf of r, with its product. A criterion that is no CPE is left out together
// with what depends on it; the first such is returned as an error after the rest was read.
func leavesOf(r *cve.Record, emit func(cpe.Product, leaf)) error {
	w := walker{id: r.ID, emit: emit}
	var first error
	for i := range r.Configurations {
		if err := w.node(&r.Configurations[i], nil, 0); err != nil && first == nil {
			first = fault.Invalid("%s: %w", r.ID, err)
		}
	}
	return first
}

// node walks n, whose AND siblings further up are needs.
func (w *walker) node(n *cve.Node, needs []expr, depth int) error {
	if n.Negate {
		return nil
	}
	if depth > maxDepth {
		return fault.Invalid("configuration nested deeper than %d", maxDepth)
	}
	if n.Operator == cve.And {
		return w.and(n, needs, depth)
	}
	residual, first := w.condition(needs)
	if first != nil {
		return first
	}
	for i := range n.Matches {
		if err := w.leaf(&n.Matches[i], residual); err != nil && first == nil {
			first = err
		}
	}
	for i := range n.Children {
		if err := w.node(&n.Children[i], needs, depth+1); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// and visits each operand with the others added to what it needs.
func (w *walker) and(n *cve.Node, needs []expr, depth int) error {
	operands := make([]expr, 0, len(n.Matches)+len(n.Children))
	for i := range n.Matches {
		e, err := leafExpr(&n.Matches[i])
		if err != nil {
			return err
		}
		operands = append(operands, e)
	}
	for i := range n.Children {
		e, err := nodeExpr(&n.Children[i], depth+1)
		if err != nil {
			return err
		}
		operands = append(operands, e)
	}
	others := func(i int) []expr {
		rest := make([]expr, 0, len(needs)+len(operands)-1)
		rest = append(rest, needs...)
		rest = append(rest, operands[:i]...)
		return append(rest, operands[i+1:]...)
	}
	var first error
	for i := range n.Matches {
		if !n.Matches[i].Vulnerable {
			continue
		}
		if w.size > maxConditions {
			return errConditions
		}
		residual, err := w.condition(others(i))
		if err == nil {
			err = w.leaf(&n.Matches[i], residual)
		}
		if err != nil && first == nil {
			first = err
		}
	}
	for i := range n.Children {
		if !hasVulnerable(&n.Children[i]) {
			continue
		}
		if w.size > maxConditions {
			return errConditions
		}
		if err := w.node(&n.Children[i], others(len(n.Matches)+i), depth+1); err != nil && first == nil {
			first = err
		}
	}
	return first
}

var errConditions = fault.Invalid("conditions of more than %d bytes", maxConditions)

// condition encodes what a leaf needs, within the limit on one record.
func (w *walker) condition(needs []expr) (string, error) {
	if w.size > maxConditions {
		return "", errConditions
	}
	text := encodeNeeds(needs)
	w.size += len(text)
	return text, nil
}

func hasVulnerable(n *cve.Node) bool {
	for i := range n.Matches {
		if n.Matches[i].Vulnerable {
			return true
		}
	}
	for i := range n.Children {
		if hasVulnerable(&n.Children[i]) {
			return true
		}
	}
	return false
}

func (w *walker) leaf(m *cve.CPEMatch, residual string) error {
	if !m.Vulnerable {
		return nil
	}
	if w.leaves++; w.leaves > maxLeaves {
		return fault.Invalid("more than %d criteria", maxLeaves)
	}
	name, err := cpe.Parse(m.Criteria)
	if err != nil {
		return err
	}
	l := leaf{cve: w.id, bounds: boundsOf(*m), residual: residual, attrs: attrsOf(name), derived: m.Derived}
	l.version, l.update = open(name.Get(cpe.Version)), open(name.Get(cpe.Update))
	if !l.bounds.empty() {
		l.version = "" // a range stands in place of the version
	}
	w.emit(name.Product(), l)
	return nil
}

// open writes ANY as "".
func open(v string) string {
	if v == cpe.Any {
		return ""
	}
	return v
}

// attrsOf joins the attributes after update; "" when all are ANY.
func attrsOf(n cpe.Name) string {
	all := true
	var b strings.Builder
	for a := cpe.Edition; a <= cpe.Other; a++ {
		if a > cpe.Edition {
			b.WriteByte(':')
		}
		v := n.Get(a)
		all = all && v == cpe.Any
		b.WriteString(v)
	}
	if all {
		return ""
	}
	return b.String()
}

// ProductsOf lists the products that r names as vulnerable, each once, in order of appearance.
func ProductsOf(r *cve.Record) []cpe.Product {
	seen := map[cpe.Product]bool{}
	var products []cpe.Product
	_ = leavesOf(r, func(p cpe.Product, _ leaf) { // what cannot be read names no product; Add reports it
		if !seen[p] {
			seen[p] = true
			products = append(products, p)
		}
	})
	return products
}
