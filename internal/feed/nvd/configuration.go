package nvd

import (
	"slices"

	"github.com/patchscout/patchscout/internal/cve"
)

// configurations reads the list of boolean expressions. An expression without any leaf can never hold and is left out.
func (p *parser) configurations() []cve.Node {
	start, d := len(p.children), p.d
	for d.Array(); d.More(); {
		node := p.node()
		if len(node.Matches) > 0 || len(node.Children) > 0 || node.Negate {
			p.children = append(p.children, node)
		}
	}
	return p.takeChildren(start)
}

// node reads a configuration or a node of one: {"operator","negate","nodes":[…],"cpeMatch":[…]}. Feeds of the 1.x shape
// say "children" and "cpe_match", and nest deeper; the decoder's limit on depth bounds the recursion.
func (p *parser) node() cve.Node {
	var n cve.Node
	d := p.d
	if p.nodes++; p.nodes > maxNodes {
		d.Reject("too many configuration nodes")
	}
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "operator":
			n.Operator = p.operator()
		case "negate":
			n.Negate = d.Bool()
		case "nodes", "children":
			start := len(p.children)
			for d.Array(); d.More(); {
				child := p.node() // first: it uses the same scratch
				p.children = append(p.children, child)
			}
			n.Children = p.takeChildren(start)
		case "cpeMatch", "cpe_match":
			n.Matches = p.cpeMatches()
		default:
			d.Skip()
		}
	}
	return simplify(n)
}

// simplify takes out a level that says nothing: NVD wraps each single node in a configuration of its own. A node
// without parts holds never, so it must not stay an AND, which would hold always.
func simplify(n cve.Node) cve.Node {
	if len(n.Children) == 1 && len(n.Matches) == 0 && !n.Negate {
		return n.Children[0]
	}
	if len(n.Children) == 0 && len(n.Matches) == 0 {
		n.Operator = cve.Or
	}
	return n
}

func (p *parser) operator() cve.Operator {
	switch string(p.d.Bytes()) {
	case "AND":
		return cve.And
	case "OR", "":
		return cve.Or
	default:
		p.d.Reject("operator is neither AND nor OR")
		return cve.Or
	}
}

// takeChildren cuts the nodes that were collected since start off the shared scratch, into a slice of their own.
func (p *parser) takeChildren(start int) []cve.Node {
	out := own(p.children[start:])
	clear(p.children[start:])
	p.children = p.children[:start]
	return out
}

// own copies what was collected in scratch space into a slice that the record keeps; nil for nothing.
func own[T any](scratch []T) []T {
	if len(scratch) == 0 {
		return nil
	}
	return slices.Clone(scratch)
}

func (p *parser) cpeMatches() []cve.CPEMatch {
	p.matches = p.matches[:0]
	d := p.d
	for d.Array(); d.More(); {
		m := p.cpeMatch()
		if p.leafs++; p.leafs > maxMatches {
			d.Reject("too many CPE matches")
			return nil
		}
		p.matches = append(p.matches, m)
	}
	return own(p.matches)
}

func (p *parser) cpeMatch() cve.CPEMatch {
	var m cve.CPEMatch
	said, d := false, p.d
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "vulnerable":
			m.Vulnerable, said = d.Bool(), true
		case "criteria", "cpe23Uri":
			m.Criteria = d.Word()
		case "versionStartIncluding":
			m.StartIncluding = d.Word()
		case "versionStartExcluding":
			m.StartExcluding = d.Word()
		case "versionEndIncluding":
			m.EndIncluding = d.Word()
		case "versionEndExcluding":
			m.EndExcluding = d.Word()
		default:
			d.Skip()
		}
	}
	if !said || len(m.Criteria) < 5 || m.Criteria[:4] != "cpe:" {
		d.Reject("CPE match without a CPE name or without vulnerable")
	}
	return m
}
