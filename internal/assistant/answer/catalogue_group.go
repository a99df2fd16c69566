package answer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/report"
)

// group counts by year, severity, decision, CWE, vendor or product.
func (k *desk) group(ctx context.Context, a asked) error {
	by := k.GroupBy
	switch by {
	case "", "time", "month", "date", "published":
		by = "year"
	case "weakness":
		by = "cwe"
	}
	if !slices.Contains([]string{"year", "severity", "decision", "cwe", "vendor", "product"}, by) {
		k.refuse("CVEs of the catalogue cannot be counted by "+quoted(by, 30), "They can be by year, severity, decision, CWE, vendor and product.", "")
		return nil
	}
	if a.filter.Words != "" {
		k.refuse("CVEs that words describe cannot be counted by "+by, "Ask with conditions, such as a product, a severity or a CWE.", "")
		return nil
	}
	var groups []catalogue.Group
	var err error
	if (by == "vendor" || by == "product") && a.ofKEV() {
		groups, err = k.kevGroups(ctx, a, by)
	} else {
		groups, err = k.Desk.CVEGroups(ctx, a.filter, by)
	}
	if err != nil {
		return err
	}
	groups = slices.DeleteFunc(groups, func(g catalogue.Group) bool { return g.Key == "" })
	if k.least() || by == "year" && k.Measure == understand.Group && k.Limit > 0 {
		slices.SortStableFunc(groups, func(x, y catalogue.Group) int {
			if k.least() {
				return x.CVEs - y.CVEs
			}
			return y.CVEs - x.CVEs
		})
	}
	what := k.phrase(2)
	list := k.d.Cite(report.Source{Kind: "list", ID: "by-" + by + ":" + k.d.Link, Title: "Catalogue: " + what + " by " + by,
		Text: groupText(groups), URL: k.d.Link, API: "/api/v1/cves"})
	k.whole = len(groups) <= wholeItems
	most := k.most()
	if by == "year" && k.Limit == 0 {
		most = manyItems
	}
	if len(groups) == 0 {
		k.d.Facts.Count = numbered(0)
		k.d.Say([]int{list}, "There are **0** %s.", what)
		return nil
	}
	top := slices.MaxFunc(groups, func(x, y catalogue.Group) int { return x.CVEs - y.CVEs })
	word := "most"
	if k.least() {
		top, word = groups[0], "fewest"
	}
	k.d.Say([]int{list}, "**%s** has the %s %s: **%s**. By %s:", k.groupName(by, top), word, what, report.Thousands(top.CVEs), by)
	k.d.Facts.Value = report.Text(k.groupName(by, top))
	for _, g := range groups[:min(len(groups), most)] {
		name := k.groupName(by, g)
		k.d.Item([]int{list}, "%s: **%s**", name, report.Thousands(g.CVEs))
		k.d.Facts.Items = append(k.d.Facts.Items, report.Figure{Kind: by, ID: g.Key, Name: name, Count: numbered(g.CVEs)})
	}
	if k.d.Facts.More = max(len(groups)-most, 0); k.d.Facts.More > 0 {
		k.d.Say([]int{list}, "And %s more.", report.Thousands(k.d.Facts.More))
	}
	k.aged()
	return nil
}

func groupText(groups []catalogue.Group) string {
	var parts []string
	for _, g := range groups[:min(len(groups), manyItems)] {
		parts = append(parts, fmt.Sprintf("%s %d", quoted(g.Key, 60), g.CVEs))
	}
	return strings.Join(parts, ", ")
}

func (k *desk) groupName(by string, g catalogue.Group) string {
	switch by {
	case "vendor":
		return productName(cpe.Quote(g.Key), "")
	case "product":
		return productName(cpe.Quote(g.Other), cpe.Quote(g.Key))
	}
	return g.Key
}

// versus compares how many CVEs products have.
func (k *desk) versus(ctx context.Context, a asked) error {
	type side struct {
		name  string
		total int
	}
	var sides []side
	for _, p := range k.Products {
		one := asked{filter: a.counting()}
		one.filter.IDs, one.filter.Products = nil, nil
		known := false
		var err error
		if one.ofKEV() {
			known, err = k.kevNames(ctx, &one, []understand.ProductName{p})
		}
		if !known {
			one.filter.Products = []catalogue.Product{{Vendor: anyName(p.Vendor), Product: anyName(p.Product)}}
		}
		if err != nil {
			return err
		}
		page, err := k.Desk.SearchCVEs(ctx, one.filter, true)
		if err != nil {
			return err
		}
		total := *page.Total
		if known && one.onlyKEV() { // some entries have no record yet
			total = one.listed()
		}
		sides = append(sides, side{productName(cpe.Quote(anyName(p.Vendor)), cpe.Quote(anyName(p.Product))), total})
	}
	slices.SortStableFunc(sides, func(x, y side) int { return y.total - x.total })
	list := k.d.Cite(report.Source{Kind: "list", ID: strings.TrimPrefix(k.d.Link, "/"), Title: "Catalogue", URL: k.d.Link, API: "/api/v1/cves",
		Text: fmt.Sprintf("%s %d, %s %d", sides[0].name, sides[0].total, sides[1].name, sides[1].total)})
	if sides[0].total == sides[1].total {
		k.d.Say([]int{list}, "**%s** and **%s** have equally many: **%s** each.", sides[0].name, sides[1].name, report.Thousands(sides[0].total))
	} else {
		k.d.Say([]int{list}, "**%s** has more%s: **%s** against **%s** of %s.", sides[0].name, k.ofWhat(), report.Thousands(sides[0].total), report.Thousands(sides[1].total), sides[1].name)
		k.d.Facts.Value = report.Text(sides[0].name)
	}
	for _, s := range sides {
		k.d.Facts.Items = append(k.d.Facts.Items, report.Figure{Kind: "product", ID: s.name, Name: s.name, Count: numbered(s.total)})
		if len(sides) > 2 {
			k.d.Item([]int{list}, "%s: **%s**", s.name, report.Thousands(s.total))
		}
	}
	k.aged()
	return nil
}
