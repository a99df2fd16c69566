package match

import (
	"encoding/binary"
	"strings"

	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
)

// Operators of an encoded expr.
const (
	opLeaf byte = 'L'
	opAnd  byte = '&'
	opOr   byte = '|'
	opNot  byte = '!'
)

// expr is a condition on the host: what a configuration asks beside the vulnerable product itself.
type expr struct {
	op         byte
	kids       []expr
	name       cpe.Name
	bounds     bounds
	vulnerable bool
}

func leafExpr(m *cve.CPEMatch) (expr, error) {
	name, err := cpe.Parse(m.Criteria)
	return expr{op: opLeaf, name: name, bounds: boundsOf(*m), vulnerable: m.Vulnerable}, err
}

func nodeExpr(n *cve.Node, depth int) (expr, error) {
	if depth > maxDepth {
		return expr{}, fault.Invalid("configuration nested deeper than %d", maxDepth)
	}
	e := expr{op: opOr}
	if n.Operator == cve.And {
		e.op = opAnd
	}
	for i := range n.Matches {
		kid, err := leafExpr(&n.Matches[i])
		if err != nil {
			return e, err
		}
		e.kids = append(e.kids, kid)
	}
	for i := range n.Children {
		kid, err := nodeExpr(&n.Children[i], depth+1)
		if err != nil {
			return e, err
		}
		e.kids = append(e.kids, kid)
	}
	if n.Negate {
		return expr{op: opNot, kids: []expr{e}}, nil
	}
	if len(e.kids) == 1 {
		return e.kids[0], nil
	}
	return e, nil
}

// encodeNeeds writes the conjunction of needs; "" when there are none.
func encodeNeeds(needs []expr) string {
	switch len(needs) {
	case 0:
		return ""
	case 1:
		return string(appendExpr(nil, &needs[0]))
	}
	return string(appendExpr(nil, &expr{op: opAnd, kids: needs}))
}

func appendExpr(b []byte, e *expr) []byte {
	b = append(b, e.op)
	if e.op != opLeaf {
		b = binary.AppendUvarint(b, uint64(len(e.kids)))
		for i := range e.kids {
			b = appendExpr(b, &e.kids[i])
		}
		return b
	}
	flags := byte(0)
	for i, set := range []bool{e.vulnerable, e.bounds.startExcl, e.bounds.endExcl, e.bounds.start != "", e.bounds.end != ""} {
		if set {
			flags |= 1 << i
		}
	}
	b = append(b, flags)
	b = appendString(b, shortName(e.name))
	if e.bounds.start != "" {
		b = appendString(b, e.bounds.start)
	}
	if e.bounds.end != "" {
		b = appendString(b, e.bounds.end)
	}
	return b
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// shortName drops what every name has.
func shortName(n cpe.Name) string {
	s := strings.TrimPrefix(n.String(), "cpe:2.3:")
	for strings.HasSuffix(s, ":*") {
		s = s[:len(s)-2]
	}
	return s
}

// parseExpr reads what encodeNeeds wrote.
func parseExpr(s string) (*expr, error) {
	r := reader{b: s}
	e := r.expr(0)
	if r.bad || r.i != len(s) {
		return nil, fault.Invalid("damaged condition in the match index")
	}
	return &e, nil
}

func (r *reader) expr(depth int) (e expr) {
	e.op = r.byte()
	switch e.op {
	case opLeaf:
		flags := r.byte()
		name, err := cpe.Parse("cpe:2.3:" + r.string())
		r.bad = r.bad || err != nil
		e.name = name
		e.vulnerable = flags&1 != 0
		e.bounds.startExcl, e.bounds.endExcl = flags&2 != 0, flags&4 != 0
		if flags&8 != 0 {
			e.bounds.start = r.string()
		}
		if flags&16 != 0 {
			e.bounds.end = r.string()
		}
	case opAnd, opOr, opNot:
		n := r.count()
		if depth > 2*maxDepth || e.op == opNot && n != 1 {
			r.bad = true
		}
		for i := 0; i < n && !r.bad; i++ {
			e.kids = append(e.kids, r.expr(depth+1))
		}
	default:
		r.bad = true
	}
	return e
}
