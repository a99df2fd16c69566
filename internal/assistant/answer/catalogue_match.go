package answer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/match"
	"github.com/patchscout/patchscout/internal/report"
)

// spanOf reads a rule of a record.
func spanOf(a report.AffectedRule) (s span, ok bool) {
	name, err := cpe.Parse(a.CPE)
	if err != nil {
		return s, false
	}
	s.vendor, s.product = cpe.Unquote(name.Get(cpe.Vendor)), cpe.Unquote(name.Get(cpe.ProductName))
	s.name = productName(name.Get(cpe.Vendor), name.Get(cpe.ProductName))
	if v := name.Get(cpe.Version); v != cpe.Any && v != cpe.NA {
		s.exact = cpe.Unquote(v)
		if u := name.Get(cpe.Update); u != cpe.Any && u != cpe.NA {
			s.exact += " " + cpe.Unquote(u)
		}
	}
	s.versions = string(a.Versions)
	for part := range strings.SplitSeq(s.versions, ", ") {
		sign, version, _ := strings.Cut(part, " ")
		switch sign {
		case ">=", ">":
			s.from = version
		case "<":
			s.before = version
		case "<=":
			s.last = version
		}
	}
	return s, true
}

// sameName compares names of CPE as the vocabulary and records write them.
func sameName(a, b string) bool { return bareName(a) == bareName(b) }

func bareName(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(cpe.Unquote(s)), " ", "_"), "-", "_")
}

// sameProduct says that a vendor and product are another spelling of a product that is named.
func sameProduct(p understand.ProductName, vendor, product string) bool {
	if p.Vendor == "" || p.Product == "" {
		return false
	}
	quote := func(v, n string) cpe.Product {
		return cpe.Product{Part: 'a', Vendor: cpe.Quote(cpe.Unquote(v)), Product: cpe.Quote(cpe.Unquote(n))}
	}
	return cpe.Same(quote(p.Vendor, p.Product), quote(vendor, product))
}

// versions are the products of the question that have one.
func (k *desk) versions() []understand.ProductName {
	var out []understand.ProductName
	for _, p := range k.Products {
		if p.Version != "" && (anyName(p.Product) != "" || len(k.CVEs) > 0) && (p.Relation == "" || p.Relation == "=") {
			out = append(out, p)
		}
	}
	return out
}

// anyName is "" for a name that leaves open which.
func anyName(name string) string {
	if name == "*" {
		return ""
	}
	return cpe.Unquote(name)
}

// productNames are the question's products as people write them.
func (k *desk) productNames() string {
	var names []string
	for _, p := range k.Products {
		if name := displayed(p); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return series(names, "or")
}

func displayed(p understand.ProductName) string {
	p.Vendor, p.Product = anyName(p.Vendor), anyName(p.Product)
	switch {
	case p.Vendor != "":
		return productName(cpe.Quote(cpe.Unquote(p.Vendor)), cpe.Quote(cpe.Unquote(p.Product)))
	case p.Product != "":
		return productName("", cpe.Quote(cpe.Unquote(p.Product)))
	}
	return quoted(p.Text, 60)
}

// applied is what applies to one version of a product.
type applied struct {
	cpe     string // of the part that the catalogue knows
	matches map[cve.ID]match.Match
	known   bool // the catalogue has rules of the product
}

// matched asks which CVEs apply to a version. Which of application, hardware or operating system a product is does not
// stand in what people write: all are tried.
func (k *desk) matched(ctx context.Context, vendor, product, version string) (applied, error) {
	out := applied{matches: map[cve.ID]match.Match{}}
	var lines, bare []string
	for _, part := range "aoh" {
		n := cpe.New(byte(part), cpe.Unquote(vendor), cpe.Unquote(product), version, "")
		lines = append(lines, n.String())
		bare = append(bare, cpe.New(byte(part), cpe.Unquote(vendor), cpe.Unquote(product), "", "").String())
	}
	i := -1
	err := k.Desk.Match(ctx, lines, func(l report.MatchLine) error {
		i++
		if len(l.CVEs) > 0 && out.cpe == "" {
			out.cpe, out.known = lines[i], true
		}
		for _, m := range l.CVEs {
			out.matches[m.CVE] = m
		}
		return nil
	})
	if err != nil || out.known {
		return out, err
	}
	i = -1
	return out, k.Desk.Match(ctx, bare, func(l report.MatchLine) error {
		if i++; l.UnknownVersion > 0 || len(l.CVEs) > 0 {
			out.known, out.cpe = true, lines[i]
		}
		return nil
	})
}

// affected says whether versions of products are affected by CVEs.
func (k *desk) affected(ctx context.Context, ids []cve.ID) error {
	found, missing, err := k.records(ctx, ids)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		k.missing(missing)
		return nil
	}
	for i := range found {
		c := &found[i]
		if rejected(c) {
			k.withdrawn(c)
			continue
		}
		for _, p := range k.versions() {
			if err := k.affectedBy(ctx, c, p); err != nil {
				return err
			}
		}
	}
	k.d.Link = "/catalogue/" + found[0].ID
	k.data("nvd")
	k.aged()
	return nil
}

func (k *desk) affectedBy(ctx context.Context, c *report.CVE, p understand.ProductName) error {
	n := k.d.Cite(recordSource(c))
	id, err := cve.ParseID(c.ID)
	if err != nil {
		return err
	}
	named := k.ranges(c)
	var vendors [][2]string // the record's own names where the question's leave the vendor open
	for _, s := range named {
		if pair := [2]string{s.vendor, s.product}; !slices.Contains(vendors, pair) {
			vendors = append(vendors, pair)
		}
	}
	if len(vendors) == 0 {
		vendors = [][2]string{{anyName(p.Vendor), anyName(p.Product)}}
	}
	what := displayed(p) + " " + quoted(p.Version, 40)
	if len(vendors) == 1 && len(named) > 0 && anyName(p.Product) == "" {
		what = named[0].name + " " + quoted(p.Version, 40)
	}
	k.d.Command = "patchscout match " + cpe.New('a', cpe.Unquote(vendors[0][0]), cpe.Unquote(vendors[0][1]), p.Version, "").String()
	for _, v := range vendors {
		got, err := k.matched(ctx, v[0], v[1], p.Version)
		if err != nil {
			return err
		}
		m, ok := got.matches[id]
		if !ok {
			continue
		}
		fixed := ""
		if m.FixedIn != "" {
			fixed = " It is fixed in " + quoted(m.FixedIn, 40) + "."
		}
		switch m.Status {
		case match.Affected:
			k.d.Facts.Yes, k.d.Facts.Value = truth(true), "affected"
			k.d.Say([]int{n}, "Yes: **%s** is affected by **%s**: %s.%s", what, c.ID, quoted(m.Reason, 240), fixed)
		case match.Conditional:
			k.d.Facts.Value = "conditional"
			k.d.Say([]int{n}, "It depends: **%s** is affected by **%s** under conditions: %s.%s", what, c.ID, quoted(m.Reason, 240), fixed)
		default:
			k.d.Facts.Value = "uncertain"
			k.d.Say([]int{n}, "It may be: whether **%s** is affected by **%s** cannot be told for sure: %s.%s", what, c.ID, quoted(m.Reason, 240), fixed)
		}
		return nil
	}
	k.d.Facts.Yes, k.d.Facts.Value = truth(false), "not affected"
	if len(named) == 0 && len(c.Affected)+len(c.AffectedText) == 0 {
		k.d.Facts.Yes, k.d.Facts.Value = nil, ""
		k.refuse("the record of "+c.ID+" names no products or versions that could be compared",
			"It says: “"+sentencesOf(string(c.Description), 260)+"”", "affected versions of "+c.ID, n)
		return nil
	}
	if len(named) == 0 {
		k.d.Say([]int{n}, "No: the record of **%s** does not name %s.", c.ID, displayed(p))
		return nil
	}
	var list []string
	for _, s := range named[:min(len(named), 5)] {
		list = append(list, s.text())
	}
	k.d.Say([]int{n}, "No: **%s** is not affected by **%s**. Its record names %s.", what, c.ID, and(list))
	return nil
}

// applies lists the CVEs that apply to one version of a product, where nothing else narrows.
func (k *desk) applies(ctx context.Context, p understand.ProductName) (cpeName string, sure, maybe int, known bool, err error) {
	got, err := k.matched(ctx, p.Vendor, p.Product, p.Version)
	for _, m := range got.matches {
		if m.Status == match.Affected {
			sure++
		} else {
			maybe++
		}
	}
	return got.cpe, sure, maybe, got.known, err
}

func (k *desk) appliesNote(sure, maybe int) string {
	if maybe == 0 {
		return ""
	}
	return fmt.Sprintf(" Of what applies to this version %s for sure, %s under conditions or perhaps.", report.Thousands(sure), report.Thousands(maybe))
}
