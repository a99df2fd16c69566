package answer

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/version"
)

// ranged narrows to CVEs of which some version in a range is affected: "CVEs of tomcat before 9.0.50". false: no range was
// asked for.
func (k *desk) ranged(ctx context.Context, a *asked) (bool, error) {
	if !slices.ContainsFunc(k.Products, isRange) {
		return false, nil
	}
	a.filter.IDs = []cve.ID{}
	for _, p := range k.Products {
		err := k.Desk.CVERules(ctx, catalogue.Product{Vendor: anyName(p.Vendor), Product: anyName(p.Product)}, func(id cve.ID, rules []report.AffectedRule) {
			if !isRange(p) || slices.ContainsFunc(rulesOf(rules, p), func(s span) bool { return s.meets(p.Relation, p.Version) }) {
				a.filter.IDs = append(a.filter.IDs, id)
			}
		})
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

func isRange(p understand.ProductName) bool {
	return p.Version != "" && p.Relation != "" && p.Relation != "="
}

// rangedNames are the products asked for with their ranges of versions: "Apache Tomcat before 9.0.50".
func (k *desk) rangedNames() string {
	var names []string
	for _, p := range k.Products {
		name := displayed(p)
		if isRange(p) {
			name += " " + map[string]string{"<": "before", "<=": "up to", ">": "after", ">=": "from"}[p.Relation] + " " + quoted(p.Version, 40)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) > 5 { // a sentence, not a table
		return k.productNames()
	}
	return series(names, "or")
}

// rulesOf are the ranges of one product among the rules of a record.
func rulesOf(rules []report.AffectedRule, p understand.ProductName) (out []span) {
	for _, rule := range rules {
		if s, ok := spanOf(rule); ok && (anyName(p.Product) == "" || sameName(s.product, p.Product) || sameProduct(p, s.vendor, s.product)) {
			out = append(out, s)
		}
	}
	return out
}

// meets says that some version of the span is before, or after, another one.
func (s span) meets(relation, v string) bool {
	low, high := s.from, s.before
	if high == "" {
		high = s.last
	}
	if s.exact != "" {
		low, high = s.exact, s.exact
	}
	switch relation {
	case "<":
		return low == "" || version.Compare(low, v) < 0
	case "<=":
		return low == "" || version.Compare(low, v) <= 0
	case ">":
		return high == "" || version.Compare(high, v) > 0
	case ">=":
		return high == "" || version.Compare(high, v) > 0 || version.Compare(high, v) == 0 && s.before == ""
	}
	return true
}

var (
	ranks  = regexp.MustCompile(`(?i)\b(?:earlier|earliest|first|sooner|later|last|newer|newest|older|oldest|worse|worst|higher|highest|lower|lowest|more|most|less|least)\b`)
	joins  = regexp.MustCompile(`(?i)\b(?:both|and|as well as|plus|together)\b`)
	either = regexp.MustCompile(`(?i)\b(?:or|either|any of)\b`)
	idsIn  = regexp.MustCompile(`(?i)\b(?:CWE[- ]?\d+|T\d{4}(?:\.\d{3})?)\b`)
	more   = regexp.MustCompile(`(?i)\b(?:more|fewer|less|most|fewest|least|compare[ds]?|comparison|versus|vs|than|against)\b`)
	taken  = regexp.MustCompile(`(?i)\b(?:withdrawn|rejected|retracted|revoked|invalidated)\b`)
)

// allOf says that of several weaknesses or techniques all must be met, not any.
func (k *desk) allOf(names []string) bool {
	return len(names) > 1 && joins.MatchString(k.Text) && !either.MatchString(k.Text) && len(idsIn.FindAllString(k.Text, -1)) >= len(names)
}

// comparing says that a question weighs things against each other.
func (k *desk) comparing() bool { return more.MatchString(k.Text) }

// weighs makes a comparison of a question for the one of several CVEs that is worse, newer or was listed earlier.
func (k *desk) weighs() bool {
	if k.Measure != understand.List && k.Measure != understand.Fact || !ranks.MatchString(k.Text) {
		return false
	}
	k.Measure = understand.Compare
	return true
}

// weighedBy is what several CVEs are compared by, where the words say so and no attribute does.
func (k *desk) weighedBy() {
	if k.Attribute != "" || !ranks.MatchString(k.Text) {
		return
	}
	switch text := strings.ToLower(k.Text); {
	case k.KEV != nil || strings.Contains(text, "kev"):
		k.Attribute = understand.KEVAttr
	case strings.Contains(text, "publish") || strings.Contains(text, "newer") || strings.Contains(text, "older"):
		k.Attribute = understand.Published
	case strings.Contains(text, "cvss"):
		k.Attribute = understand.CVSS
	case strings.Contains(text, "epss"):
		k.Attribute = understand.EPSS
	}
}

// years makes two stretches of time of two years that are weighed against each other.
func (k *desk) years() {
	named := yearsOf(k.Text)
	if k.Against != nil || k.Time == nil || len(named) != 2 || named[0] == named[1] || !k.comparing() {
		return
	}
	of := func(year int) *understand.Period {
		from := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		return &understand.Period{From: from, To: from.AddDate(1, 0, 0), Words: strconv.Itoa(year)}
	}
	asked := *k.Asked
	asked.Time, asked.Against = of(named[0]), of(named[1])
	k.Asked = &asked
}

// withdrawnOnes says that CVEs are asked for that were withdrawn.
func (k *desk) withdrawnOnes() bool {
	return len(k.CVEs) == 0 && taken.MatchString(k.Text) && !k.Negated
}

// ofWhat are the conditions of a comparison beside what is compared.
func (k *desk) ofWhat() string {
	rest := *k
	asked := *k.Asked
	asked.Products, asked.Time, asked.Against = nil, nil, nil
	rest.Asked = &asked
	if what := rest.phrase(2); what != "CVEs in the catalogue" {
		return " " + what
	}
	return " CVEs"
}

// periods compares how many CVEs two stretches of time have.
func (k *desk) periods(ctx context.Context, a asked) error {
	type side struct {
		name  string
		total int
	}
	var sides []side
	for _, t := range []*understand.Period{k.Time, k.Against} {
		f := a.counting()
		at := *k.Asked
		at.Time = t
		one := &desk{Asked: &at, d: &Draft{}, cat: k.cat}
		if !one.period(&f) {
			return nil
		}
		page, err := k.Desk.SearchCVEs(ctx, f, true)
		if err != nil {
			return err
		}
		sides = append(sides, side{strings.TrimPrefix(periodText(t), "in "), *page.Total})
	}
	k.d.Link = "/catalogue"
	list := k.d.Cite(report.Source{Kind: "list", ID: "catalogue", Title: "Catalogue", URL: k.d.Link, API: "/api/v1/cves",
		Text: fmt.Sprintf("%s %d, %s %d", sides[0].name, sides[0].total, sides[1].name, sides[1].total)})
	x, y := sides[0], sides[1]
	for _, s := range sides {
		k.d.Facts.Items = append(k.d.Facts.Items, report.Figure{Kind: "period", ID: s.name, Name: s.name, Count: numbered(s.total)})
	}
	word := map[bool]string{true: "more", false: "fewer"}[x.total > y.total]
	answer := ""
	if k.Measure == understand.Whether || strings.HasPrefix(strings.ToLower(k.Text), "were ") || strings.HasPrefix(strings.ToLower(k.Text), "are ") {
		k.d.Facts.Yes = truth(x.total > y.total)
		answer = yesText(x.total > y.total) + ": "
	}
	if x.total == y.total {
		k.d.Say([]int{list}, "Both have equally many%s: **%s**.", k.ofWhat(), report.Thousands(x.total))
		return nil
	}
	k.d.Facts.Value = report.Text(x.name)
	k.d.Say([]int{list}, "%s**%s** has %s%s: **%s** against **%s** of %s.", answer, x.name, word, k.ofWhat(), report.Thousands(x.total), report.Thousands(y.total), y.name)
	k.aged()
	return nil
}
