package answer

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
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
	versions := k.versions()
	switch {
	case len(versions) > 0 && len(versions) == len(k.Products) && oneMention(versions):
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

// oneMention says that these are one product in the question, whose name several vendors have.
func oneMention(list []understand.ProductName) bool {
	for _, p := range list {
		if p.Vendor == "" || p.Text != list[0].Text || p.Version != list[0].Version {
			return false
		}
	}
	return true
}

// singular are questions for one: "which CVE has the highest EPSS?"
var singular = regexp.MustCompile(`(?i)\b(?:which|what|what's|name)\b.*\b(?:cve|vulnerability|flaw|one)\b|(?:which|what) (?:is|was|of \w+ (?:is|was)) the \w+(?: \w+){0,2} of (?:them|those|these)\b|(?:which|what) of (?:them|those|these) (?:is|was) the\b`)

// one says that one CVE is asked for: the one that has most of something.
func (k *desk) one() bool {
	lower := strings.ToLower(k.Text)
	return k.Limit == 1 || k.Limit == 0 && !k.All && (k.Sort != "" || k.least()) && singular.MatchString(k.Text) &&
		!strings.Contains(lower, "cves") && !strings.Contains(lower, "vulnerabilities")
}

// theOne answers which CVE has most of something.
func (k *desk) theOne(list report.Source, c *report.CVE, total int, what string) {
	n := k.d.Cite(recordSource(c))
	k.d.Facts.Value, k.d.Facts.Count, k.d.Facts.More = report.Text(c.ID), nil, max(total-1, 0)
	k.d.Facts.Items = append(k.d.Facts.Items, report.Figure{Kind: "cve", ID: c.ID, Name: string(c.Title), Value: report.Text(k.orderValue(c))})
	k.d.Say([]int{n}, "**%s** comes first by %s: %s%s", c.ID, k.orderWords(), k.orderNote(c), brief(c))
	k.d.Say([]int{k.d.Cite(list)}, "It is one of %s.", boldCount(total, what))
	k.aged()
	k.next(c.ID, nil)
}

// list answers which, how many, whether any, and by what.
func (k *desk) list(ctx context.Context, ids []cve.ID) error {
	k.years()
	a, ok, err := k.filtered(ctx, ids)
	if err != nil || !ok {
		return err
	}
	k.data("nvd")
	k.data(a.feeds...)
	k.d.Link, k.d.Command = a.link(), a.command()
	switch {
	case k.Measure == understand.Group || k.Measure == understand.Trend || k.GroupBy != "":
		return k.group(ctx, a)
	case len(k.Products) > 1 && (k.Measure == understand.Compare || k.comparing()):
		return k.versus(ctx, a)
	case k.Time != nil && k.Against != nil:
		return k.periods(ctx, a)
	}
	a.filter.Limit = max(k.most(), wholeItems)
	page, err := k.Desk.SearchCVEs(ctx, a.counting(), true)
	if err != nil {
		return err
	}
	total := len(page.Items)
	if page.Total != nil {
		total = *page.Total
	}
	if a.onlyKEV() { // CISA's list is the list of it: some of its CVEs have no record yet, or none any more
		listed, err := k.Desk.Exploited(ctx, request.Exploited{Ransomware: a.filter.Ransomware, Limit: 1})
		if err != nil {
			return err
		}
		if total = listed.Total; a.entries != nil {
			total = a.listed()
			k.Products = a.named
		}
		k.d.Link = a.kevLink()
	}
	k.whole = total <= wholeItems
	what := k.phrase(total)
	source := report.Source{Kind: "list", ID: strings.TrimPrefix(k.d.Link, "/"), Title: "Catalogue: " + what,
		Text: report.Thousands(total) + " " + what + ".", URL: k.d.Link, API: "/api/v1/cves"}
	items, err := k.items(ctx, a, page)
	if err != nil {
		return err
	}
	if len(items) > 0 && k.one() && k.Measure != understand.Count && k.Measure != understand.Whether {
		k.theOne(source, &items[0], total, what)
		return nil
	}
	list := k.d.Cite(source)
	k.d.Facts.Count = numbered(total)
	if k.Measure == understand.Whether {
		k.d.Facts.Yes = truth(total > 0)
	}
	k.begin(list, total, len(items), what, k.appliesNote(a.sure, a.maybe))
	k.show(items, total)
	k.gaps(list, a, total)
	if page.Note != "" && a.filter.Words != "" {
		k.d.Say([]int{list}, "%s", quoted(string(page.Note), 200))
	}
	k.aged()
	if total > 0 {
		k.d.Next = append(k.d.Next, "Which of those are in KEV?", "Which of those affect my hosts?")
	}
	return nil
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

// gaps says why a number may be lower than people expect.
func (k *desk) gaps(list int, a asked, total int) {
	newest := k.cat.Newest.Time
	if from := a.filter.PublishedFrom; total == 0 && !from.IsZero() && !newest.IsZero() && newest.Before(from) {
		k.d.Say([]int{list}, "The newest record of the catalogue is of %s.", dayText(k.cat.Newest))
	}
	if k.cat.Starter && k.Measure == understand.Count {
		k.d.Say([]int{list}, "The catalogue is the starter, which holds part of all CVEs.")
	}
}

// begin says how many there are.
func (k *desk) begin(list, total, shown int, what, note string) {
	cites := []int{list}
	switch {
	case k.Measure == understand.Whether && total == 0:
		k.d.Say(cites, "No: there are no %s.%s", what, note)
	case k.Measure == understand.Whether:
		k.d.Say(cites, "Yes: there %s %s.%s", areText(total), boldCount(total, what), note)
	case total == 0:
		k.d.Say(cites, "There are **0** %s.%s", what, note)
	case k.Measure == understand.Count || shown == total:
		k.d.Say(cites, "There %s %s.%s", areText(total), boldCount(total, what), note)
	default:
		k.d.Say(cites, "There %s %s; the first %d by %s:%s", areText(total), boldCount(total, what), shown, k.orderWords(), note)
	}
}

func areText(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func boldCount(n int, what string) string { return fmt.Sprintf("**%s** %s", report.Thousands(n), what) }

// show lists CVEs; of a count only the first, since nobody asked for them.
func (k *desk) show(items []report.CVE, total int) {
	shown := items
	if k.Measure == understand.Count || k.Measure == understand.Whether {
		shown = items[:min(len(items), 3)]
	}
	for i := range shown {
		c := &shown[i]
		n := k.d.Cite(recordSource(c))
		k.d.Facts.Items = append(k.d.Facts.Items, report.Figure{Kind: "cve", ID: c.ID, Name: string(c.Title), Value: report.Text(k.orderValue(c))})
		if k.Measure != understand.Count {
			k.d.Item([]int{n}, "**%s**: %s%s", c.ID, k.orderNote(c), brief(c))
		}
	}
	k.d.Facts.More = max(total-len(shown), 0)
	if k.Measure != understand.Count && k.d.Facts.More > 0 && len(shown) > 0 {
		k.d.Say([]int{1}, "And %s more.", report.Thousands(k.d.Facts.More))
	}
}

// least says that the other end of an order is asked for.
func (k *desk) least() bool { return k.Least || k.Sort == "oldest" }

// order is what the list is sorted by, as Top and filters have it.
func (k *desk) order() string {
	switch k.Sort {
	case "epss":
		return catalogue.ByEPSS
	case "cvss", "severity":
		return catalogue.ByCVSS
	case "modified", "last_seen":
		return catalogue.ByModified
	case "kev_added", "kev":
		return catalogue.ByKEV
	case "published", "date", "first_seen", "age", "newest", "oldest":
		return string(catalogue.SortDate)
	case "likelihood":
		return string(catalogue.SortLikelihood)
	case "score", "priority", "priority_score":
		return string(catalogue.SortScore)
	case "decision", "rank", "due":
		return string(catalogue.SortDecision)
	}
	switch k.Attribute {
	case understand.EPSS:
		return catalogue.ByEPSS
	case understand.CVSS, understand.Severity:
		return catalogue.ByCVSS
	case understand.Modified:
		return catalogue.ByModified
	case understand.Likelihood:
		return string(catalogue.SortLikelihood)
	case understand.Score:
		return string(catalogue.SortScore)
	}
	switch {
	case k.Measure == understand.First:
		return string(catalogue.SortDecision)
	case k.TimeOf == "modified":
		return catalogue.ByModified
	case k.TimeOf == "kev_added", k.KEV != nil && *k.KEV:
		return catalogue.ByKEV
	}
	return string(catalogue.SortDate)
}

func (k *desk) orderWords() string {
	most := map[string][2]string{
		catalogue.ByEPSS: {"EPSS, the highest first", "EPSS, the lowest first"}, catalogue.ByCVSS: {"CVSS, the highest first", "CVSS, the lowest first"},
		catalogue.ByModified: {"change, the newest first", "change, the oldest first"}, catalogue.ByKEV: {"the day that CISA added them, the newest first", "the day that CISA added them, the oldest first"},
		string(catalogue.SortDate): {"publication, the newest first", "publication, the oldest first"}, string(catalogue.SortDecision): {"decision, the most urgent first", "decision, the least urgent first"},
		string(catalogue.SortLikelihood): {"likelihood, the highest first", "likelihood, the lowest first"}, string(catalogue.SortScore): {"priority score, the highest first", "priority score, the lowest first"},
	}[k.order()]
	if k.least() {
		return most[1]
	}
	return most[0]
}

// orderValue is what a CVE of the list is sorted by.
func (k *desk) orderValue(c *report.CVE) string {
	switch k.order() {
	case catalogue.ByEPSS, string(catalogue.SortLikelihood):
		if c.EPSS != nil {
			return shortNumber(*c.EPSS, 5)
		}
	case catalogue.ByCVSS:
		if c.CVSS != nil {
			return fmt.Sprintf("%.1f", *c.CVSS)
		}
	case catalogue.ByModified:
		return dayText(c.Modified)
	case catalogue.ByKEV:
		return dayText(c.KEVAdded)
	case string(catalogue.SortDate):
		return dayText(c.Published)
	case string(catalogue.SortScore):
		if c.PriorityScore != nil {
			return shortNumber(*c.PriorityScore, 3)
		}
	}
	return string(c.Decision)
}

func (k *desk) orderNote(c *report.CVE) string {
	switch k.order() {
	case catalogue.ByModified:
		return "changed " + dayText(c.Modified) + ", "
	case string(catalogue.SortDate):
		return "published " + dayText(c.Published) + ", "
	case string(catalogue.SortScore):
		return "score " + k.orderValue(c) + ", "
	}
	return ""
}

// items are the CVEs to show, in the order asked for. Words rank by relevance, unless an order was asked for.
func (k *desk) items(ctx context.Context, a asked, page report.CVEList) ([]report.CVE, error) {
	if a.filter.Words == "" {
		return k.Desk.TopCVEs(ctx, a.filter, k.order(), k.least(), k.most())
	}
	var out []report.CVE
	for _, b := range page.Items[:min(len(page.Items), k.most())] {
		id, err := cve.ParseID(b.ID)
		if err != nil {
			return nil, err
		}
		c, _, err := k.Desk.CVE(ctx, id)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// counting is the filter as SearchCVEs takes it.
func (a asked) counting() catalogue.Filter {
	f := a.filter
	f.Limit = max(f.Limit, 1)
	return f
}

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
		most = mostAll
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
	for _, g := range groups[:min(len(groups), mostAll)] {
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

// phrase says in words what is selected: "critical CVEs of Nginx that are in KEV, published in 2021".
func (k *desk) phrase(n int) string {
	noun := "CVEs"
	if n == 1 {
		noun = "CVE"
	}
	var before, after []string
	if slices.Equal(k.Severities, []string{"unknown"}) {
		after = append(after, "that nobody has scored")
	} else if len(k.Severities) > 0 {
		before = append(before, joinedBy(k.Severities, "or"))
	}
	if k.Those && len(k.CVEs) == 0 && len(k.Products) == 0 {
		after = append(after, "among those")
	}
	if len(k.Products) > 0 {
		of := "of " + k.rangedNames()
		if v := k.versions(); len(v) == 1 {
			of = "for " + k.productNames() + " " + quoted(v[0].Version, 40)
		}
		after = append(after, of)
	}
	add := func(when bool, format string, args ...any) {
		if when {
			after = append(after, fmt.Sprintf(format, args...))
		}
	}
	join := func(names []string) string {
		if k.allOf(names) {
			return inWords(names)
		}
		return joinedBy(names, "or")
	}
	add(len(k.CWEs) > 0, "with %s", join(k.CWEs))
	add(len(k.Question.Techniques) > 0, "linked to %s", join(k.Question.Techniques))
	add(k.withdrawnOnes(), "that were withdrawn")
	flag := func(b *bool, yes, no string) {
		if b != nil {
			after = append(after, map[bool]string{true: yes, false: no}[*b])
		}
	}
	flag(k.KEV, "in KEV", "not in KEV")
	flag(k.Exploited, "known to be exploited (KEV or CISA's SSVC)", "not known to be exploited (KEV or CISA's SSVC)")
	flag(k.Ransomware, "used by ransomware", "without known use by ransomware")
	switch k.Exploit {
	case "":
	case "any":
		after = append(after, "with a public exploit")
	case "none":
		after = append(after, "without a public exploit")
	default:
		after = append(after, "with an exploit in "+report.FeedTitle(k.Exploit))
	}
	add(k.MinCVSS != nil, "with CVSS of at least %s", numberOf(k.MinCVSS))
	add(k.MaxCVSS != nil, "with CVSS of at most %s", numberOf(k.MaxCVSS))
	add(k.MinEPSS != nil, "with EPSS of at least %s", numberOf(k.MinEPSS))
	add(k.MaxEPSS != nil, "with EPSS of at most %s", numberOf(k.MaxEPSS))
	add(len(k.Decisions) > 0, "with the decision %s", joinedBy(k.Decisions, "or"))
	if k.Time != nil {
		verb := map[string]string{"modified": "changed", "last_seen": "changed", "kev_added": "added to KEV"}[k.TimeOf]
		if verb == "" {
			verb = "published"
		}
		after = append(after, verb+" "+periodText(k.Time))
	}
	if topic := k.topic(); topic != "" {
		after = append(after, "about “"+quoted(topic, 80)+"”")
	}
	if len(before)+len(after) == 0 {
		after = append(after, "in the catalogue")
	}
	return strings.TrimSpace(strings.Join(before, " ")+" "+noun) + " " + strings.Join(after, ", ")
}

func numberOf(v *float64) string {
	if v == nil {
		return ""
	}
	return shortNumber(*v, 5)
}

func periodText(p *understand.Period) string {
	day := func(t time.Time) string { return t.Format(time.DateOnly) }
	switch {
	case p.Words != "":
		return strings.TrimSpace("in " + strings.TrimPrefix(quoted(p.Words, 60), "in "))
	case !p.From.IsZero() && !p.To.IsZero():
		return "from " + day(p.From) + " to before " + day(p.To)
	case !p.From.IsZero():
		return "since " + day(p.From)
	}
	return "before " + day(p.To)
}

// link is the catalogue's page of the selection, as far as the page has its conditions.
func (a asked) link() string {
	v := url.Values{}
	for name, value := range a.params() {
		v.Set(name, value)
	}
	if len(v) == 0 {
		return "/catalogue"
	}
	return "/catalogue?" + v.Encode()
}

func (a asked) params() map[string]string {
	f, out := a.filter, map[string]string{}
	set := func(name, value string) {
		if value != "" {
			out[name] = value
		}
	}
	day := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.DateOnly)
	}
	set("q", f.Words)
	set("severity", strings.Join(f.Severities, ","))
	if f.KEV {
		set("kev", "true")
	}
	if f.Ransomware {
		set("ransomware", "true")
	}
	set("exploit", f.Exploit)
	set("cwe", f.CWE)
	set("cpe", f.CPE)
	set("technique", f.Technique)
	set("min_cvss", numberOf(f.MinCVSS))
	set("min_epss", numberOf(f.MinEPSS))
	set("published_after", day(f.PublishedFrom))
	set("published_before", day(f.PublishedTo))
	set("modified_after", day(f.ModifiedFrom))
	set("modified_before", day(f.ModifiedTo))
	if len(f.Products) == 1 {
		set("vendor", f.Products[0].Vendor)
		set("product", f.Products[0].Product)
	}
	return out
}

// command is `cve search` of the selection, "" where it lacks a condition.
func (a asked) command() string {
	f := a.filter
	if f.IDs != nil || len(f.CWEs)+len(f.Techniques) > 0 || f.Withdrawn || f.MaxCVSS != nil || f.MaxEPSS != nil || f.NotKEV || f.NotRansomware || f.Exploited != nil || f.NoExploit || len(f.Decisions) > 0 || len(f.Products) > 1 || !f.KEVFrom.IsZero() || !f.KEVTo.IsZero() {
		return ""
	}
	p := a.params()
	parts := []string{"patchscout cve search"}
	for _, name := range []string{"q", "vendor", "product", "cpe", "severity", "kev", "ransomware", "exploit", "cwe", "technique", "min_cvss", "min_epss", "published_after", "published_before", "modified_after", "modified_before"} {
		value, ok := p[name]
		switch {
		case !ok:
		case name == "q":
			parts = append(parts, quoted(value, 200))
		case value == "true":
			parts = append(parts, "--"+name)
		default:
			if strings.ContainsAny(value, " *\\'\"$&;|") {
				value = "'" + strings.ReplaceAll(value, "'", "") + "'"
			}
			parts = append(parts, "--"+strings.ReplaceAll(name, "_", "-")+" "+value)
		}
	}
	return strings.Join(parts, " ")
}
