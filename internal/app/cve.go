package app

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/priority"
	"github.com/patchscout/patchscout/internal/report"
)

// CVE returns everything that is known of one CVE; fault.NotFound when the catalogue does not hold it.
func (a *App) CVE(ctx context.Context, id cve.ID) (report.CVE, report.Catalogue, error) {
	cat, err := a.Catalogue(ctx)
	if err != nil {
		return report.CVE{}, cat, err
	}
	facts, err := a.store.Catalogue().Facts(ctx, []cve.ID{id})
	if err != nil {
		return report.CVE{}, cat, err
	}
	record, err := a.store.Catalogue().CVE(ctx, id)
	if fault.KindOf(err) == fault.KindNotFound && facts[id].KEV != nil {
		record, err = &cve.Record{ID: id}, nil // exploited before anybody has described it
	}
	if err != nil {
		if cat.Starter {
			err = fmt.Errorf("%w: the starter catalogue holds only part of all CVEs; load the rest with patchscout feeds sync", err)
		}
		return report.CVE{}, cat, err
	}
	out := a.toCVE(record, facts[id], cat)
	err = a.addDetails(ctx, &out, record, facts[id])
	return out, cat, err
}

// isLink says whether a reference may be shown as a link: what records refer to is as hostile as the rest of them.
func isLink(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && slices.Contains([]string{"http", "https", "ftp"}, strings.ToLower(u.Scheme))
}

// judge judges a CVE without a host: the catalogue assumes that it is exposed, and says so (design decision 7).
func (a *App) judge(r *cve.Record, facts intel.Facts) priority.Verdict {
	return priority.Assess(priority.Input{
		Record: r, Facts: facts, Now: a.now(), Exposure: priority.Exposure{Exposed: true, Why: "no host given"},
	})
}

// toCVE shows a record with what is known of its use, as far as lists need it; addDetails adds the rest.
func (a *App) toCVE(r *cve.Record, facts intel.Facts, cat report.Catalogue) report.CVE {
	v := a.judge(r, facts)
	out := report.CVE{
		ID: r.ID.String(), Title: report.Text(r.Title), Description: report.Text(r.Description), Status: report.Text(r.Status),
		Published: report.Date{Time: r.Published}, Modified: report.Date{Time: r.Modified}, Severity: v.Severity, CVSS: v.CVSS,
		CVSSVersion: report.Text(v.CVSSVersion), CVSSSource: report.Text(v.CVSSSource), CVSSVector: report.Text(v.CVSSVector),
		SeveritySource: report.Text(v.CVSSSource), EPSS: v.EPSS, EPSSPercentile: v.EPSSPercentile, Likelihood: rounded(v.Likelihood),
		LikelihoodSource: report.Text(v.LikelihoodSource), Decision: report.Text(v.Decision), DecisionAssumed: notNil(v.Assumed),
		PriorityScore: rounded(v.Score), ScorePartial: v.ScorePartial, ScoreMissing: scoreMissing(r, v),
		CWEs: notNil(r.CWEs), ExploitedBy: notNil(r.ExploitedBy), EPSSHistory: []report.EPSSDay{}, Explanation: []report.Sentence{},
		Weaknesses: []report.Weakness{}, Techniques: []report.TechniqueLink{}, Notices: []string{report.NoticeNVD},
	}
	said := func(rating cve.Rating) bool { return rating.Level == v.Severity }
	if i := slices.IndexFunc(r.Ratings, said); v.CVSS == nil && i >= 0 {
		out.SeveritySource = report.Text(r.Ratings[i].Source)
	}
	if r.Rejected() {
		out.Status = cve.StatusRejected
	}
	if r.Title == "" {
		out.Title = report.Text(catalogue.Title(r))
	}
	addUse(&out, r, facts, cat)
	addRecord(&out, r)
	return out
}

// scoreMissing names the terms of the priority score that are left out because they are not known.
func scoreMissing(r *cve.Record, v priority.Verdict) []string {
	out := []string{}
	if v.CVSS == nil {
		out = append(out, "cvss")
	}
	if r.Published.IsZero() {
		out = append(out, "recency")
	}
	return out
}

// addUse adds what is known of the CVE's use.
func addUse(out *report.CVE, r *cve.Record, facts intel.Facts, cat report.Catalogue) {
	if kevKnown(cat) {
		known := facts.KEV != nil
		out.KEV = &known
	}
	if k := facts.KEV; k != nil {
		if len(r.Configurations) == 0 && r.Description == "" && k.Product != "" {
			out.Title = report.Text(exploitedTitle(k))
		}
		out.KEVAdded, out.KEVDue, out.Ransomware = report.Date{Time: k.Added}, report.Date{Time: k.Due}, &k.Ransomware
		out.RequiredAction = report.Text(k.RequiredAction)
	}
	if facts.EPSS != nil {
		out.EPSSDate = report.Date{Time: facts.EPSS.Date}
		out.Notices = append(out.Notices, report.NoticeEPSS)
	}
	if s := facts.SSVC; s != nil {
		out.SSVC = &report.SSVC{
			Exploitation: report.Text(s.Exploitation), Automatable: report.Text(s.Automatable),
			TechnicalImpact: report.Text(s.TechnicalImpact), Source: report.Text(s.Source), Date: report.Date{Time: s.At},
		}
	}
	out.Exploits = exploits(facts.Exploits)
}

// exploits are shown with the verified ones first, then the better ranked, then the older.
func exploits(known []intel.Exploit) []report.Exploit {
	sorted := slices.SortedStableFunc(slices.Values(known), func(a, b intel.Exploit) int {
		return cmp.Or(worth(b)-worth(a), a.Published.Compare(b.Published))
	})
	out := []report.Exploit{}
	for _, x := range sorted {
		out = append(out, report.Exploit{
			Source: x.Source, ID: x.Key, Title: report.Text(x.Title), Kind: report.Text(x.Kind), Rank: report.Text(x.Rank),
			Verified: x.Verified, Published: report.Date{Time: x.Published}, URL: report.Text(x.URL),
		})
	}
	return out
}

func worth(x intel.Exploit) int {
	switch {
	case x.Rank == "excellent", x.Rank == "great":
		return 2
	case x.Verified:
		return 1
	}
	return 0
}

// addRecord adds the parts of the record that are lists.
func addRecord(out *report.CVE, r *cve.Record) {
	out.Scores, out.Ratings = []report.Score{}, []report.Rating{}
	for _, m := range r.Metrics {
		out.Scores = append(out.Scores, report.Score{
			Version: m.Version, Score: m.Score, Severity: cve.Severity(m.Score), Vector: m.Vector, Source: m.Source, Provider: string(m.Provider),
		})
	}
	for _, rating := range r.Ratings {
		out.Ratings = append(out.Ratings, report.Rating{Level: rating.Level, Source: rating.Source})
	}
	out.Affected, out.AffectedText = []report.AffectedRule{}, []report.AffectedText{}
	for _, n := range r.Configurations {
		out.Affected = affected(out.Affected, n)
	}
	for _, t := range r.Affected {
		out.AffectedText = append(out.AffectedText, report.AffectedText{Vendor: t.Vendor, Product: t.Product, Versions: notNil(t.Versions)})
	}
	out.References = []report.Reference{}
	for _, ref := range r.References {
		if !isLink(ref.URL) {
			continue
		}
		out.References = append(out.References, report.Reference{URL: ref.URL, Tags: notNil(ref.Tags)})
	}
	out.Provenance, out.Conflicts = []report.Provenance{}, []report.Conflict{}
	for _, o := range origins(r) {
		out.Provenance = append(out.Provenance, report.Provenance{Field: string(o.Field), Source: o.Source, Date: report.Date{Time: o.At}})
	}
	for _, c := range r.Conflicts {
		out.Conflicts = append(out.Conflicts, report.Conflict{
			Field: string(c.Field), Source: c.Source, Date: report.Date{Time: c.At}, Value: c.Value,
		})
	}
}

// generated is the source of what is made of other fields.
const generated = "generated"

// origins says where each field comes from, also of a record of which only NVD speaks: that is stored without.
func origins(r *cve.Record) []cve.Origin {
	out := slices.Clone(r.Origins)
	if len(out) == 0 {
		_, scored := r.Score()
		for _, field := range []struct {
			name cve.Field
			set  bool
		}{
			{cve.FieldStatus, r.Status != ""}, {cve.FieldPublished, !r.Published.IsZero()}, {cve.FieldModified, !r.Modified.IsZero()},
			{cve.FieldDescription, r.Description != ""}, {cve.FieldScore, scored}, {cve.FieldSeverity, scored || len(r.Ratings) > 0},
			{cve.FieldCWEs, len(r.CWEs) > 0}, {cve.FieldConfigurations, len(r.Configurations) > 0},
			{cve.FieldReferences, len(r.References) > 0}, {cve.FieldExploited, len(r.ExploitedBy) > 0},
		} {
			if field.set {
				out = append(out, cve.Origin{Field: field.name, Source: "nvd", At: r.Modified})
			}
		}
	}
	if !slices.ContainsFunc(out, func(o cve.Origin) bool { return o.Field == cve.FieldTitle }) {
		out = append(out, cve.Origin{Field: cve.FieldTitle, Source: generated})
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
