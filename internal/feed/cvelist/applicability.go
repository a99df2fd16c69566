package cvelist

import (
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/jsonstream"
)

// maxNodes bounds the nodes of one record, as package nvd does.
const maxNodes = 20_000

// applicability reads cpeApplicability, the rules that an assigner publishes itself (since format 5.1), in NVD's shape:
// [{"operator","negate","nodes":[{"operator","negate","cpeMatch":[…]}]}].
type applicability struct {
	d            *jsonstream.Decoder
	count, leafs int
	unread       bool // a name could not be read, or a part of an expression is missing
}

// read reads the whole list. What cannot be read in full is as good as absent: an expression that lost a part says
// something else.
func (a *applicability) read() []cve.Node {
	out := a.nodes()
	if a.unread {
		return nil
	}
	return out
}

func (a *applicability) nodes() []cve.Node {
	var out []cve.Node
	for a.d.Array(); a.d.More(); {
		n := a.node()
		a.unread = a.unread || len(n.Matches)+len(n.Children) == 0
		out = append(out, n)
	}
	return out
}

func (a *applicability) node() (n cve.Node) {
	d := a.d
	if a.count++; a.count > maxNodes {
		d.Reject("too many configuration nodes")
	}
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "operator":
			switch d.Word() {
			case "AND":
				n.Operator = cve.And
			case "OR", "":
			default:
				d.Reject("operator is neither AND nor OR")
			}
		case "negate":
			n.Negate = d.Bool()
		case "nodes":
			n.Children = a.nodes()
		case "cpeMatch":
			n.Matches = a.matches()
		default:
			d.Skip()
		}
	}
	if len(n.Children) == 1 && len(n.Matches) == 0 && !n.Negate {
		return n.Children[0]
	}
	return n
}

func (a *applicability) matches() []cve.CPEMatch {
	var out []cve.CPEMatch
	for a.d.Array(); a.d.More(); {
		m := a.match()
		if a.leafs++; a.leafs > maxLeaves {
			a.d.Reject("too many CPE matches")
			return nil
		}
		if _, ok := published(m.Criteria); !ok {
			a.unread = true
		}
		out = append(out, m)
	}
	return out
}

func (a *applicability) match() (m cve.CPEMatch) {
	d := a.d
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "vulnerable":
			m.Vulnerable = d.Bool()
		case "criteria":
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
	return m
}
