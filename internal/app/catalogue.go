package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/priority"
	"github.com/patchscout/patchscout/internal/report"
)

// Catalogue says what results rest on: how much, how new, and the age of each feed.
func (a *App) Catalogue(ctx context.Context) (report.Catalogue, error) {
	stats, err := a.store.Catalogue().Stats(ctx)
	if err != nil {
		return report.Catalogue{}, err
	}
	feeds, err := a.store.Catalogue().Feeds(ctx)
	if err != nil {
		return report.Catalogue{}, err
	}
	out := report.Catalogue{
		Records: stats.Records, Newest: report.Date{Time: stats.Newest}, Starter: !stats.Starter.IsZero(), Feeds: []report.FeedAge{},
	}
	for _, f := range feeds {
		out.Feeds = append(out.Feeds, report.FeedAge{Name: f.Feed, AgeHours: a.age(f)})
	}
	return out, nil
}

// age is nil for a feed without any data.
func (a *App) age(f catalogue.FeedStatus) *float64 {
	at, ok := f.AsOf()
	if !ok {
		return nil
	}
	hours := max(0, float64(int(a.now().Sub(at).Hours()*10))/10)
	return &hours
}

// kevKnown says whether "not in KEV" is knowledge.
func kevKnown(c report.Catalogue) bool { return c.Synced("kev") }

// lastGood is when each feed's last good run began.
func (a *App) lastGood(ctx context.Context) (map[string]time.Time, error) {
	feeds, err := a.store.Catalogue().Feeds(ctx)
	since := map[string]time.Time{}
	for _, f := range feeds {
		if f.Synced() {
			since[f.Feed] = f.LastGood
		}
	}
	return since, err
}

// CVE returns everything that is known of one CVE; fault.NotFound when the catalogue does not hold it.
func (a *App) CVE(ctx context.Context, id cve.ID) (report.CVE, report.Catalogue, error) {
	cat, err := a.Catalogue(ctx)
	if err != nil {
		return report.CVE{}, cat, err
	}
	record, err := a.store.Catalogue().CVE(ctx, id)
	if err != nil {
		if cat.Starter {
			err = fmt.Errorf("%w: the starter catalogue holds only part of all CVEs; load the rest with patchscout feeds sync", err)
		}
		return report.CVE{}, cat, err
	}
	facts, err := a.store.Catalogue().Facts(ctx, []cve.ID{id})
	return a.toCVE(record, facts[id], cat), cat, err
}

// SearchRequest says what to search for; all of it must apply.
type SearchRequest struct {
	Words   string
	KEV     bool
	MinCVSS float64
	Vendor  string
	Product string
	Limit   int
}

// Search finds CVEs, the most relevant first.
func (a *App) Search(ctx context.Context, req SearchRequest) (report.Search, report.Catalogue, error) {
	cat, err := a.Catalogue(ctx)
	if err != nil {
		return report.Search{}, cat, err
	}
	var lowest *float64
	if req.MinCVSS > 0 {
		lowest = &req.MinCVSS
	}
	page, err := a.store.Catalogue().Search(ctx, catalogue.Filter{
		Words: req.Words, KEV: req.KEV, MinCVSS: lowest, Vendor: req.Vendor, Product: req.Product, Limit: req.Limit,
	})
	doc := report.Search{Query: req.Words, Items: []report.CVEBrief{}, More: page.Next != ""}
	for _, h := range page.Hits {
		c := a.toCVE(h.Record, h.Facts, cat)
		doc.Items = append(doc.Items, report.CVEBrief{
			ID: c.ID, Title: c.Title, Published: c.Published, Severity: c.Severity, CVSS: c.CVSS, EPSS: c.EPSS, KEV: c.KEV,
		})
	}
	return doc, cat, err
}

// toCVE judges a CVE without a host: the catalogue assumes that it is exposed, and says so (design decision 7).
func (a *App) toCVE(r *cve.Record, facts intel.Facts, cat report.Catalogue) report.CVE {
	v := priority.Assess(priority.Input{
		Record: r, Facts: facts, Now: a.now(), Exposure: priority.Exposure{Exposed: true, Why: "no host given"},
	})
	out := report.CVE{
		ID: r.ID.String(), Title: report.Text(r.Title), Description: report.Text(r.Description), Status: report.Text(r.Status),
		Published: report.Date{Time: r.Published}, Modified: report.Date{Time: r.Modified}, Severity: v.Severity, CVSS: v.CVSS,
		CVSSVersion: report.Text(v.CVSSVersion), CVSSSource: report.Text(v.CVSSSource), CVSSVector: report.Text(v.CVSSVector),
		EPSS: v.EPSS, Decision: report.Text(v.Decision), PriorityScore: rounded(v.Score), CWEs: notNil(r.CWEs),
		Affected: []report.AffectedRule{}, Exploits: []report.Exploit{}, References: []report.Reference{},
	}
	if r.Title == "" {
		out.Title = report.Text(catalogue.Title(r))
	}
	if facts.EPSS != nil {
		out.EPSSDate = report.Date{Time: facts.EPSS.Date}
	}
	if kevKnown(cat) {
		out.KEV = &v.KEV
	}
	if k := facts.KEV; k != nil {
		if len(r.Configurations) == 0 && r.Description == "" && k.Product != "" {
			out.Title = report.Text(exploitedTitle(k))
		}
		out.KEVAdded, out.KEVDue, out.Ransomware = report.Date{Time: k.Added}, report.Date{Time: k.Due}, &k.Ransomware
	}
	for _, n := range r.Configurations {
		out.Affected = affected(out.Affected, n)
	}
	for _, x := range facts.Exploits {
		out.Exploits = append(out.Exploits, report.Exploit{
			Source: x.Source, ID: x.Key, Title: report.Text(x.Title), Verified: x.Verified, URL: report.Text(x.URL),
		})
	}
	for _, ref := range r.References {
		out.References = append(out.References, report.Reference{URL: ref.URL, Tags: notNil(ref.Tags)})
	}
	return out
}

// exploitedTitle stands for a record of which nothing is published yet but that it is exploited.
func exploitedTitle(k *intel.KEV) string {
	product := k.Product
	if !strings.HasPrefix(strings.ToLower(product), strings.ToLower(k.Vendor)) {
		product = k.Vendor + " " + product
	}
	return product + ": exploited in the wild, no details in NVD yet"
}

// affected appends the vulnerable leaves of a configuration.
func affected(rules []report.AffectedRule, n cve.Node) []report.AffectedRule {
	for _, m := range n.Matches {
		if m.Vulnerable {
			rules = append(rules, report.AffectedRule{CPE: shortCPE(m.Criteria), Versions: report.Text(versions(m))})
		}
	}
	for _, child := range n.Children {
		rules = affected(rules, child)
	}
	return rules
}

// shortCPE leaves the trailing wildcards away: cpe:2.3:a:openbsd:openssh.
func shortCPE(criteria string) string {
	for len(criteria) > 2 && criteria[len(criteria)-2:] == ":*" {
		criteria = criteria[:len(criteria)-2]
	}
	return criteria
}

func versions(m cve.CPEMatch) string {
	text := ""
	for _, bound := range []struct{ sign, version string }{
		{">=", m.StartIncluding}, {">", m.StartExcluding}, {"<=", m.EndIncluding}, {"<", m.EndExcluding},
	} {
		if bound.version == "" {
			continue
		}
		if text != "" {
			text += ", "
		}
		text += bound.sign + " " + bound.version
	}
	return text
}
