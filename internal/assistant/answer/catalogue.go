package answer

import (
	"context"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// Catalogue is what is asked of the catalogue and the feeds.
type Catalogue interface {
	Catalogue(ctx context.Context) (report.Catalogue, error)
	FeedStatus(ctx context.Context) (report.Feeds, error)
	FeedRuns(ctx context.Context, name string, limit int) (report.FeedRuns, error)
	CVE(ctx context.Context, id cve.ID) (report.CVE, report.Catalogue, error)
	SearchCVEs(ctx context.Context, f catalogue.Filter, count bool) (report.CVEList, error)
	TopCVEs(ctx context.Context, f catalogue.Filter, by string, least bool, limit int) ([]report.CVE, error)
	CVEGroups(ctx context.Context, f catalogue.Filter, by string) ([]catalogue.Group, error)
	CVERules(ctx context.Context, p catalogue.Product, fn func(id cve.ID, rules []report.AffectedRule)) error // fn keeps no rules
	CVEIDs(ctx context.Context, f catalogue.Filter) ([]cve.ID, error)
	KEVEntries(ctx context.Context) ([]intel.KEV, error)
	CWEs(ctx context.Context) ([]intel.Weakness, error)
	TouchedByCVEs(ctx context.Context, ids []string) (report.Touched, error)
	Exploited(ctx context.Context, req request.Exploited) (report.ExploitedList, error)
	Match(ctx context.Context, lines []string, answer func(report.MatchLine) error) error
	Technique(ctx context.Context, id string) (report.Technique, error)
	Techniques(ctx context.Context, req catalogue.TechniqueFilter) (report.TechniqueList, error)
	ListIndicators(ctx context.Context, f catalogue.IndicatorFilter, value string) (report.IndicatorList, error)
	IndicatorCount(ctx context.Context, f catalogue.IndicatorFilter) (int, error)
	LookUpAll(ctx context.Context, values []string) (report.IndicatorAnswers, error)
}

// desk is one question to the catalogue while it is answered.
type desk struct {
	*Asked
	d   *Draft
	cat report.Catalogue

	whole bool // the list is short enough to be told as a whole
}

// ofCatalogue answers what is asked about CVEs, techniques, weaknesses, indicators, feeds and the product itself.
func ofCatalogue(ctx context.Context, q *Asked, d *Draft) (done bool, err error) {
	k := &desk{Asked: q, d: d}
	if asksParts.MatchString(q.Text) && len(q.CVEs) == 0 { // "sub-techniques of T1566"
		if ids := techniqueIDs.FindAllString(q.Text, 3); len(ids) > 0 {
			asked := *q
			asked.Question.Techniques, asked.Subject = ids, understand.Techniques
			k.Asked, q = &asked, &asked
		}
	}
	if q.Subject == understand.Nothing && len(q.CVEs) == 0 && taken.MatchString(q.Text) && strings.Contains(strings.ToLower(q.Text), "cve") {
		asked := *q
		asked.Subject, asked.Understood = understand.CVEs, max(q.Understood, 0.6)
		k.Asked, q = &asked, &asked
	}
	if k.describes() {
		return false, nil
	}
	if k.cat, err = q.Desk.Catalogue(ctx); err != nil {
		return false, err
	}
	switch q.Subject {
	case understand.CVEs:
		done, err = k.cves(ctx)
	case understand.Techniques:
		done, err = k.techniques(ctx)
	case understand.Weaknesses:
		done, err = k.weaknesses(ctx)
	case understand.Indicators:
		done, err = k.indicators(ctx)
	case understand.Feeds:
		done, err = k.feeds(ctx)
	case understand.Product:
		done, err = k.product(ctx)
	case understand.Nothing:
		done, err = k.named(ctx)
	case understand.Findings, understand.Fixes, understand.Software:
		if len(q.CVEs) > 0 { // not of the asker's own, or the estate would have answered
			done, err = k.cves(ctx)
		}
	}
	d.Structured = done && err == nil
	return done, err
}

// describes says that words are all there is: they tell what a record says, and the texts know which.
func (k *desk) describes() bool {
	return k.Subject == understand.CVEs && k.Measure == understand.List && k.Understood <= 0.3 && len(k.Question.Rest) > 0 && len(k.CVEs) == 0
}

// named answers a question of which only names were understood.
func (k *desk) named(ctx context.Context) (bool, error) {
	switch {
	case len(k.CVEs) > 0:
		return k.cves(ctx)
	case len(k.Question.Techniques) > 0:
		return k.techniques(ctx)
	case len(k.CWEs) > 0:
		return k.weaknesses(ctx)
	case len(k.Values) > 0:
		return k.indicators(ctx)
	case len(k.Topics) > 0:
		return k.product(ctx)
	}
	return k.terms(), nil
}

// cves answers about CVEs: about those that are named, or about those that the conditions select.
func (k *desk) cves(ctx context.Context) (bool, error) {
	if len(k.Values) > 0 && len(k.CVEs) == 0 {
		return k.indicators(ctx)
	}
	k.grouping()
	ids := k.meant()
	switch {
	case k.noProduct():
		return true, nil
	case len(ids) > 0 && k.selects() && k.plural():
		return true, k.list(ctx, ids)
	case len(ids) > 1 && (k.Measure == understand.Compare || k.Measure == understand.First || k.weighs()):
		return true, k.compare(ctx, ids)
	case len(ids) > 0 && len(k.versions()) > 0 && !k.aboutOne():
		return true, k.affected(ctx, ids)
	case len(ids) > 0:
		return true, k.facts(ctx, ids)
	case k.foreign() != "":
		k.refuse("the catalogue knows nothing of "+k.foreign()+", which the question names",
			"Ask about your findings for that, or leave it out.", "")
		return true, nil
	case k.empty():
		return false, nil
	}
	if err := k.list(ctx, nil); err != nil {
		return true, err
	}
	// Words that select nothing describe something: the texts know better.
	if n := k.d.Facts.Count; k.topic() != "" && !k.d.Refused && (n != nil && *n == 0 || len(strings.Fields(k.topic())) > 2 && k.Measure != understand.Count) {
		return false, nil
	}
	return true, nil
}

// grouping takes what is counted by from words that the grammar left: "which vendor has most CVEs".
func (k *desk) grouping() {
	if k.GroupBy != "" || k.Measure == understand.Fact {
		return
	}
	for _, g := range []struct{ by, words string }{{"vendor", "vendor vendors maker makers manufacturer manufacturers company"}, {"product", "product products software"}, {"year", "year years annually yearly"}, {"cwe", "weakness weaknesses cwe"}} {
		for _, w := range strings.Fields(g.words) {
			if i := slices.Index(k.Question.Rest, w); i >= 0 {
				k.GroupBy, k.Measure = g.by, understand.Group
				k.Question.Rest = slices.Delete(slices.Clone(k.Question.Rest), i, i+1)
				return
			}
		}
	}
}

// meant are the CVEs that the question names, or that "it", "those" and "the second one" mean.
func (k *desk) meant() []cve.ID {
	if len(k.CVEs) > 0 || !k.Those && k.Ordinal == 0 {
		return k.CVEs
	}
	var shown []cve.ID
	for _, thing := range k.Context.Shown {
		if id, err := cve.ParseID(thing.ID); err == nil && thing.Kind == "cve" {
			shown = append(shown, id)
		}
	}
	if len(shown) == 0 && k.Context.About != nil {
		if id, err := cve.ParseID(k.Context.About.ID); err == nil {
			shown = append(shown, id)
		}
	}
	switch n := k.Ordinal; {
	case n > 0 && n <= len(shown):
		return shown[n-1 : n]
	case n < 0 && len(shown) > 0:
		return shown[len(shown)-1:]
	case n != 0:
		return nil
	case k.plural() && (len(k.Products) > 0 || k.Time != nil), k.plural() && k.selectedBefore(): // the conditions of the question before select all of them
		return nil
	case k.Measure == understand.Explain || k.Measure == understand.Why:
		return shown[:min(len(shown), 1)]
	}
	return shown[:min(len(shown), fewItems)]
}

// selectedBefore says that the question before chose among CVEs by conditions, which this one has taken over: those that the
// answer showed may be a few of many.
func (k *desk) selectedBefore() bool {
	before := k.Context.Question
	if before == nil || before.Subject != understand.CVEs || len(before.CVEs) > 0 || len(before.Rest) > 0 {
		return false
	}
	b := &desk{Asked: &Asked{Question: *before}}
	return b.selects() && k.Follows
}

// plural says that a selection among CVEs is asked for, not facts of them.
func (k *desk) plural() bool {
	return len(k.CVEs) == 0 && (k.Measure == understand.Count || k.Measure == understand.List || k.Measure == understand.Whether || k.Measure == understand.Group)
}

// aboutOne are facts that do not depend on the version that somebody runs.
func (k *desk) aboutOne() bool {
	switch k.Attribute {
	case "", understand.Affected, understand.Version:
		return false
	}
	return true
}

// noProduct refuses where a product is named that nobody knows: to leave it out would count what was not asked for.
func (k *desk) noProduct() bool {
	if len(k.Unknown) == 0 || len(k.Products) > 0 || len(k.CVEs) > 0 && (k.Measure == understand.Explain || k.Measure == understand.How) || len(k.CVEs) > 0 && k.Attribute != "" && k.Attribute != understand.Affected {
		return false
	}
	k.refuse("nothing in the catalogue goes by the name of "+quoted(k.Unknown[0], 60),
		"Ask with the name that CPE or the vendor uses, or search for words of a description.", "")
	return true
}

// missing says that a record is not there, without repeating what was asked for: the source does.
func (k *desk) missing(ids []cve.ID) {
	first := ids[0].String()
	say := "the catalogue of " + report.Plural(k.cat.Records, "CVE", "CVEs") + " has no record of what you ask about"
	what := "Check the id"
	if k.cat.Starter {
		say += ", and it is only the starter, which holds part of all CVEs"
		what += ", or load the rest with `patchscout feeds sync`"
	}
	text := first + " was looked up in the catalogue: there is no record of it."
	for _, id := range ids[1:] {
		text += " Nor of " + id.String() + "."
	}
	n := k.d.Cite(report.Source{Kind: "catalogue", ID: "cves", Title: "Catalogue", Text: text, URL: "/catalogue", API: "/api/v1/cves"})
	k.d.Missing = append(k.d.Missing, "the record that was asked for")
	k.data("nvd")
	k.refuse(say, what+".", "", n)
}

// isMissing tells "there is none" from what went wrong.
func isMissing(err error) bool { return fault.KindOf(err) == fault.KindNotFound }
