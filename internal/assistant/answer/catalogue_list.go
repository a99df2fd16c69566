package answer

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

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
