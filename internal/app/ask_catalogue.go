package app

import (
	"context"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/report"
)

// TopCVEs lists the CVEs of a filter that have most of what an order sorts by (catalogue.ByEPSS, a catalogue.Sort), or
// least. The filter's words, sort and page do not count.
func (a *App) TopCVEs(ctx context.Context, f catalogue.Filter, by string, least bool, limit int) ([]report.CVE, error) {
	cat, err := a.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	hits, err := a.store.Catalogue().Top(ctx, f, by, least, limit)
	out := make([]report.CVE, 0, len(hits))
	for _, h := range hits {
		out = append(out, a.toCVE(h.Record, h.Facts, cat))
	}
	return out, err
}

// CVEGroups counts the CVEs of a filter by year, severity, decision, cwe, vendor or product, the most first; years by year.
func (a *App) CVEGroups(ctx context.Context, f catalogue.Filter, by string) ([]catalogue.Group, error) {
	return a.store.Catalogue().Groups(ctx, f, by)
}

// CVERules calls fn with the rules of every CVE that names a product: with all of the CVE's, also those of other products.
func (a *App) CVERules(ctx context.Context, p catalogue.Product, fn func(id cve.ID, rules []report.AffectedRule)) error {
	ids, err := a.CVEIDs(ctx, catalogue.Filter{Products: []catalogue.Product{p}})
	if err != nil {
		return err
	}
	var rules []report.AffectedRule
	return a.store.Catalogue().Records(ctx, ids, func(id cve.ID, stored []byte) error {
		r, err := catalogue.Decode(id, stored)
		if err != nil {
			return err
		}
		rules = rules[:0]
		for _, n := range r.Configurations {
			rules = affected(rules, n)
		}
		fn(id, rules)
		return nil
	})
}

// CWEs returns every entry of CWE that was loaded.
func (a *App) CWEs(ctx context.Context) ([]intel.Weakness, error) {
	return a.store.Catalogue().AllWeaknesses(ctx)
}

// TouchedByCVEs counts the asker's open, confirmed findings of CVEs and the hosts that they are on, and says whether any
// host of his was ever seen. CVEs that touch none are absent.
func (a *App) TouchedByCVEs(ctx context.Context, ids []string) (report.Touched, error) {
	doc := report.Touched{CVEs: map[string]report.TouchedBy{}}
	touched, err := a.store.Estate().TouchedBy(ctx, a.who.View, openNow, ids)
	for id, t := range touched {
		doc.CVEs[id] = report.TouchedBy{Findings: t.Findings, Hosts: t.Hosts}
	}
	if doc.Scanned = len(touched) > 0; err != nil || doc.Scanned {
		return doc, err
	}
	page, err := a.AssetPage(ctx, AssetRequest{Limit: 1})
	doc.Scanned = page.Total > 0
	return doc, err
}

// KEVEntries returns CISA's whole list of exploited vulnerabilities, what was added last first.
func (a *App) KEVEntries(ctx context.Context) ([]intel.KEV, error) {
	return a.store.Catalogue().ExploitedSince(ctx, time.Time{})
}

// CVEIDs returns the CVEs that pass every condition of a filter but its words, in no order of use.
func (a *App) CVEIDs(ctx context.Context, f catalogue.Filter) ([]cve.ID, error) {
	ids, _, err := a.store.Catalogue().Narrow(ctx, f, mostIDs)
	return ids, err
}

// mostIDs is more than there are CVEs.
const mostIDs = 5_000_000

// IndicatorCount says how many indicators a filter selects; its limit and page do not count.
func (a *App) IndicatorCount(ctx context.Context, f catalogue.IndicatorFilter) (n int, err error) {
	f.Now, f.Limit, f.After = a.now(), 1000, ""
	for {
		page, next, err := a.store.Catalogue().ListIndicators(ctx, f)
		if n += len(page); err != nil || next == "" {
			return n, err
		}
		f.After = next
	}
}
