package answer

import (
	"context"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
)

// selects says that conditions choose among CVEs.
func (k *desk) selects() bool {
	q := &k.Question
	return q.KEV != nil || q.Exploited != nil || q.Ransomware != nil || q.Exploit != "" || len(q.Severities)+len(q.Decisions) > 0 ||
		q.MinCVSS != nil || q.MaxCVSS != nil || q.MinEPSS != nil || q.MaxEPSS != nil || q.Time != nil ||
		len(q.Products)+len(q.CWEs)+len(q.Techniques) > 0
}

// empty says that a question about CVEs asks for nothing that a query could answer: it describes something in words.
func (k *desk) empty() bool {
	switch k.Measure {
	case understand.Count, understand.Group, understand.Trend:
		return false
	}
	return !k.selects() && k.Sort == "" && k.Limit == 0 && !k.All && k.Measure != understand.List || k.topic() != "" && !k.selects() && k.Sort == ""
}

// topic are the words of a question that no condition explains: "CVEs about path traversal".
func (k *desk) topic() string {
	var words []string
	for _, w := range k.Question.Rest {
		if len(w) > 2 && !saysNothing[strings.ToLower(w)] {
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}

// saysNothing are words around a question about CVEs that describe none of them.
var saysNothing = map[string]bool{}

func init() {
	for _, w := range strings.Fields(`listed hold holds held contain contains contained store stored known checked check exist exists existing entry entries entrys tied
		linked connected campaign campaigns gang gangs group groups total altogether overall database catalogue catalog count number withdrawn rejected retracted
		recorded currently overall published added found available there together both either vulns vuln bugs holes flaws according belong belongs
		most recent recently latest newest oldest highest lowest top first gimme please thanks tell show give identifier identifiers`) {
		saysNothing[w] = true
	}
}

// foreign is a condition of the question that the catalogue knows nothing of, "" if there is none.
func (k *desk) foreign() string {
	q := &k.Question
	for _, c := range []struct {
		set  bool
		name string
	}{
		{len(q.Hosts)+len(q.From) > 0, "hosts"}, {len(q.Sites) > 0, "sites"}, {len(q.Ports) > 0, "ports"}, {q.Owner != "", "owners"}, {q.Assignee != "", "assignees"},
		{len(q.Tags) > 0, "tags"}, {len(q.Labels) > 0, "labels"}, {q.Scanner != "", "scanners"}, {q.Overdue || q.DueWithin != nil, "due days of your own"},
		{len(q.Triage) > 0, "triage"}, {len(q.Criticality) > 0 || q.Jewels, "what matters to you"}, {q.OS != "" && len(q.Products) == 0, "operating systems of hosts"},
	} {
		if c.set {
			return c.name
		}
	}
	return ""
}

// asked is a selection of CVEs: as a filter, in words, and as an address.
type asked struct {
	filter catalogue.Filter
	sure   int // of one version: CVEs that apply for sure, and perhaps
	maybe  int
	feeds  []string

	entries []intel.KEV // of CISA's list, where products were looked up in it
	named   []understand.ProductName
}

// filtered makes a filter of the question's conditions. false: it was refused.
func (k *desk) filtered(ctx context.Context, ids []cve.ID) (a asked, ok bool, err error) {
	q := &k.Question
	f := &a.filter
	f.Severities, f.MinCVSS, f.MaxCVSS, f.MinEPSS, f.MaxEPSS, f.Decisions = q.Severities, q.MinCVSS, q.MaxCVSS, q.MinEPSS, q.MaxEPSS, q.Decisions
	need := func(feed string, when bool) {
		if when && !slices.Contains(a.feeds, feed) {
			a.feeds = append(a.feeds, feed)
		}
	}
	if q.KEV != nil {
		f.KEV, f.NotKEV = *q.KEV, !*q.KEV
	}
	if q.Ransomware != nil {
		f.Ransomware, f.NotRansomware = *q.Ransomware, !*q.Ransomware
	}
	f.Exploited = q.Exploited
	switch q.Exploit {
	case "none":
		f.NoExploit = true
	default:
		f.Exploit = q.Exploit
	}
	need("kev", q.KEV != nil || q.Ransomware != nil || q.Exploited != nil || k.TimeOf == "kev_added" || k.Sort == catalogue.ByKEV)
	need("epss", q.MinEPSS != nil || q.MaxEPSS != nil || k.Sort == catalogue.ByEPSS)
	switch q.Exploit {
	case "exploitdb", "metasploit", "nuclei":
		need(q.Exploit, true)
	case "any", "none":
		need("exploitdb", !k.cat.Synced("metasploit") && !k.cat.Synced("nuclei"))
	}
	if k.unsynced(a.feeds...) {
		return a, false, nil
	}
	switch {
	case len(q.CWEs) > 1:
		f.CWEs, f.AnyOf = q.CWEs, !k.allOf(q.CWEs)
	case len(q.CWEs) == 1:
		f.CWE = q.CWEs[0]
	}
	switch {
	case len(q.Techniques) > 1:
		f.Techniques, f.AnyOf = q.Techniques, !k.allOf(q.Techniques)
		need("attack", true)
	case len(q.Techniques) == 1:
		f.Technique = q.Techniques[0]
		need("attack", true)
	}
	f.Withdrawn = k.withdrawnOnes()
	if !k.period(f) {
		return a, false, nil
	}
	if len(ids) > 0 {
		var names []string
		for _, id := range ids {
			names = append(names, id.String())
		}
		f.Words = strings.Join(names, " ")
	} else {
		f.Words = k.topic()
	}
	ok, err = k.products(ctx, &a)
	return a, ok, err
}

// period sets when something happened; false: it was refused.
func (k *desk) period(f *catalogue.Filter) bool {
	t := k.Time
	if t == nil {
		return true
	}
	switch k.TimeOf {
	case "", "published", "first_seen":
		if k.TimeOf == "" && k.KEV != nil && *k.KEV && k.Measure == understand.Change {
			f.KEVFrom, f.KEVTo = t.From, t.To
			return true
		}
		f.PublishedFrom, f.PublishedTo = t.From, t.To
	case "modified", "last_seen":
		f.ModifiedFrom, f.ModifiedTo = t.From, t.To
	case "kev_added":
		f.KEVFrom, f.KEVTo = t.From, t.To
	default:
		k.refuse("the catalogue has no such date of a CVE as the question narrows by", "It knows when a CVE was published, changed and added to KEV.", "")
		return false
	}
	return true
}

// products sets which products; false: it was refused.
func (k *desk) products(ctx context.Context, a *asked) (bool, error) {
	if ok, err := k.ranged(ctx, a); ok || err != nil {
		return true, err
	}
	versions, err := k.withVendors(ctx, k.versions())
	if err != nil {
		return false, err
	}
	switch {
	case len(versions) > 0 && len(k.versions()) == len(k.Products) && oneMention(versions):
		var name string
		var sure, maybe int
		known := false
		for _, p := range versions[:min(len(versions), mostVendors)] { // nginx is of F5 and of its own: the one that knows more
			n, s, m, is, err := k.applies(ctx, p)
			if err != nil {
				return false, err
			}
			if is && (!known || s+m > sure+maybe) {
				name, sure, maybe, known = n, s, m, true
				k.Products = []understand.ProductName{p}
			}
		}
		if !known {
			k.refuse("the catalogue has no rules of "+displayed(versions[0]), "Ask with another name of it, or search for words of a description.", "")
			return false, nil
		}
		a.filter.CPE, a.sure, a.maybe = name, sure, maybe
		return true, nil
	case len(versions) > 0:
		k.refuse("several versions or vendors at once cannot be matched", "Ask for one product with its vendor and version.", "")
		return false, nil
	}
	if len(k.Products) > 0 && a.ofKEV() {
		if known, err := k.kevNames(ctx, a, k.Products); known || err != nil {
			return true, err
		}
	}
	if len(k.Products) > 0 && a.filter.Exploited != nil && *a.filter.Exploited {
		if known, err := k.exploitedNames(ctx, a); known || err != nil {
			return true, err
		}
	}
	for _, p := range k.Products {
		a.filter.Products = append(a.filter.Products, catalogue.Product{Vendor: anyName(p.Vendor), Product: anyName(p.Product)})
	}
	return true, nil
}

// mostVendors of one name are tried.
const mostVendors = 5

// withVendors finds the vendors of products that several have, in the rules of the CVEs that name them.
func (k *desk) withVendors(ctx context.Context, list []understand.ProductName) (out []understand.ProductName, err error) {
	for _, p := range list {
		if p.Vendor != "" {
			out = append(out, p)
			continue
		}
		top, err := k.Desk.TopCVEs(ctx, catalogue.Filter{Products: []catalogue.Product{{Product: anyName(p.Product)}}}, string(catalogue.SortDate), false, mostRead)
		if err != nil {
			return nil, err
		}
		for i := range top {
			for _, rule := range top[i].Affected {
				s, ok := spanOf(rule)
				one := p
				if one.Vendor = s.vendor; ok && sameName(s.product, p.Product) && !slices.Contains(out, one) {
					out = append(out, one)
				}
			}
		}
	}
	return out, nil
}

// mostRead of a product's CVEs are read for its vendors.
const mostRead = 30

// oneMention says that these are one product in the question, whose name several vendors have.
func oneMention(list []understand.ProductName) bool {
	for _, p := range list {
		if p.Vendor == "" || p.Text != list[0].Text || p.Version != list[0].Version {
			return false
		}
	}
	return true
}

// onlyKEV says that a selection is CISA's list, or those of it that ransomware uses.
func (a asked) onlyKEV() bool {
	f := a.filter
	if f.Words != "" || !f.KEV && !f.Ransomware {
		return false
	}
	f.KEV, f.Ransomware = false, false
	if a.entries != nil {
		f.IDs = nil
	}
	return f.OnlyWords()
}

// listed is how many entries of CISA's list a selection by its names has.
func (a asked) listed() (total int) {
	for _, e := range a.entries {
		if !a.filter.Ransomware || e.Ransomware {
			total++
		}
	}
	return total
}

// counting is the filter as SearchCVEs takes it.
func (a asked) counting() catalogue.Filter {
	f := a.filter
	f.Limit = max(f.Limit, 1)
	return f
}
