package answer

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
)

// ofKEV says that a selection is within CISA's list.
func (a *asked) ofKEV() bool {
	f := &a.filter
	return f.KEV || f.Ransomware || !f.KEVFrom.IsZero() || !f.KEVTo.IsZero()
}

// kevNames narrows a selection within CISA's list by the vendors and products that the list itself names: many of its CVEs
// have a record that names no product yet. false: the list names none of them, records may.
func (k *desk) kevNames(ctx context.Context, a *asked, products []understand.ProductName) (bool, error) {
	entries, err := k.Desk.KEVEntries(ctx)
	if err != nil {
		return false, err
	}
	ids := map[cve.ID]bool{}
	known := false
	exact := func(vendor string) bool { // VMware, beside which the list has VMware Tanzu
		return slices.ContainsFunc(entries, func(e intel.KEV) bool { return signless(e.Vendor) == signless(vendor) })
	}
	for i, p := range products {
		if p.Vendor != "" && likeName(p.Text, p.Vendor) && !likeName(p.Text, p.Product) && !namesProduct(p) { // a vendor that has one product was meant as a vendor
			p.Product = ""
			products = slices.Clone(products)
			products[i] = p
		}
		for _, e := range entries {
			if anyName(p.Product) == "" && exact(anyName(p.Vendor)) && signless(e.Vendor) != signless(anyName(p.Vendor)) {
				continue
			}
			if kevIs(p, e) {
				known = true
				ids[e.CVE] = true
			}
		}
		if anyName(p.Product) == "" { // of a vendor the list says all there is
			continue
		}
		named, err := k.Desk.CVEIDs(ctx, catalogue.Filter{KEV: true, Products: []catalogue.Product{{Vendor: anyName(p.Vendor), Product: anyName(p.Product)}}})
		if err != nil {
			return false, err
		}
		for _, id := range named {
			ids[id] = true
		}
	}
	if !known {
		return false, nil
	}
	a.named = products
	a.filter.IDs = []cve.ID{}
	for _, e := range entries {
		if ids[e.CVE] {
			a.filter.IDs = append(a.filter.IDs, e.CVE)
			a.entries = append(a.entries, e)
		}
	}
	return true, nil
}

// exploitedNames narrows what is exploited to products by CISA's list, which names them where records do not yet, together
// with those whose records name them. false: the list names none.
func (k *desk) exploitedNames(ctx context.Context, a *asked) (bool, error) {
	listed := asked{}
	known, err := k.kevNames(ctx, &listed, k.Products)
	if !known || err != nil {
		return false, err
	}
	f := catalogue.Filter{Exploited: a.filter.Exploited}
	for _, p := range listed.named {
		f.Products = append(f.Products, catalogue.Product{Vendor: anyName(p.Vendor), Product: anyName(p.Product)})
	}
	if a.filter.IDs, err = k.Desk.CVEIDs(ctx, f); err != nil {
		return false, err
	}
	a.filter.IDs = append(a.filter.IDs, listed.filter.IDs...)
	slices.Sort(a.filter.IDs)
	a.filter.IDs = slices.Compact(a.filter.IDs)
	return true, nil
}

// kevIs says that an entry is of a vendor or product.
func kevIs(p understand.ProductName, e intel.KEV) bool {
	vendor, product := anyName(p.Vendor), anyName(p.Product)
	if vendor != "" && !likeName(e.Vendor, vendor) && (product == "" || !likeName(e.Product, vendor)) {
		return false
	}
	if product == "" {
		return vendor != ""
	}
	return likeName(e.Product, product) || signless(e.Product)+"server" == signless(product) || p.Text != "" && likeName(e.Product, p.Text)
}

// namesProduct says that what was written has more than the vendor in it: "Microsoft Exchange".
func namesProduct(p understand.ProductName) bool {
	vendor, product := nameWords(p.Vendor), nameWords(p.Product)
	return slices.ContainsFunc(nameWords(p.Text), func(w string) bool { return !slices.Contains(vendor, w) && slices.Contains(product, w) })
}

// likeName says that the words of one name stand in the other at its beginning: "Exchange Server" is exchange_server, and
// "Confluence Server and Data Center" is confluence.
func likeName(listed, asked string) bool {
	l, a := signless(listed), signless(asked)
	if a == "" || l == "" {
		return false
	}
	if l == a {
		return true
	}
	words, wanted := nameWords(listed), nameWords(asked)
	for i := 0; i+len(wanted) <= len(words); i++ {
		if slices.Equal(words[i:i+len(wanted)], wanted) {
			return true
		}
	}
	return len(a) >= 4 && strings.HasPrefix(l, a) && len(wanted) == 1 && len(l)-len(a) <= 1 // log4j of Log4j2
}

var nameSigns = regexp.MustCompile(`[^\pL\pN]+`)

func signless(name string) string {
	return nameSigns.ReplaceAllString(strings.ToLower(name), "")
}

func nameWords(name string) []string {
	return strings.Fields(nameSigns.ReplaceAllString(strings.ToLower(name), " "))
}

// kevLink is the page that shows the entries.
func (a *asked) kevLink() string {
	v := url.Values{"tab": {"exploited"}}
	if len(a.named) == 1 {
		name := anyName(a.named[0].Product)
		if name == "" {
			name = anyName(a.named[0].Vendor)
		}
		v.Set("q", strings.Join(nameWords(name), " "))
	}
	if a.filter.Ransomware {
		v.Set("ransomware", "true")
	}
	return "/threats?" + v.Encode()
}

// kevGroups counts the entries of CISA's list by the vendor or product that it names, or by the year in which it added them.
func (k *desk) kevGroups(ctx context.Context, a asked, by string) ([]catalogue.Group, error) {
	entries, err := k.Desk.KEVEntries(ctx)
	if err != nil {
		return nil, err
	}
	among := map[cve.ID]bool{}
	if f := a.filter; !a.onlyKEV() {
		ids, err := k.Desk.CVEIDs(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			among[id] = true
		}
	} else {
		for _, e := range entries {
			among[e.CVE] = !f.Ransomware || e.Ransomware
		}
	}
	type name struct{ vendor, product string }
	counts := map[name]int{}
	var order []name
	for _, e := range entries {
		n := name{vendor: e.Vendor}
		switch {
		case !among[e.CVE]:
			continue
		case by == "product":
			n.product = e.Product
		}
		if counts[n] == 0 {
			order = append(order, n)
		}
		counts[n]++
	}
	var groups []catalogue.Group
	for _, n := range order {
		g := catalogue.Group{Key: n.vendor, CVEs: counts[n]}
		if by == "product" {
			g.Key, g.Other = n.product, n.vendor
		}
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(x, y catalogue.Group) int {
		if x.CVEs != y.CVEs {
			return y.CVEs - x.CVEs
		}
		return strings.Compare(x.Key+" "+x.Other, y.Key+" "+y.Other)
	})
	return groups, nil
}
