package app

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/explain"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/report"
)

// addDetails adds to a CVE what a list of CVEs does not show: plain words, EPSS's past, names of weaknesses, techniques.
func (a *App) addDetails(ctx context.Context, out *report.CVE, r *cve.Record, facts intel.Facts) error {
	weaknesses, err := a.store.Catalogue().Weaknesses(ctx, r.CWEs)
	if err != nil {
		return err
	}
	for _, id := range r.CWEs {
		out.Weaknesses = append(out.Weaknesses, report.Weakness{ID: id, Name: report.Text(weaknesses[id].Name)})
	}
	loaded, err := a.loaded(ctx)
	if err != nil {
		return err
	}
	out.Explanation = sentences(explain.CVE(explain.Input{
		ID: r.ID, Record: r, Facts: facts, Verdict: a.judge(r, facts), Loaded: loaded, Weaknesses: weaknesses, Name: catalogue.DisplayName,
	}))
	if err := a.addHistory(ctx, out, r.ID); err != nil {
		return err
	}
	return a.addTechniques(ctx, out, r, facts)
}

func sentences(e explain.Explanation) []report.Sentence {
	out := []report.Sentence{}
	for _, s := range e.Sentences {
		out = append(out, report.Sentence{Topic: string(s.Topic), Text: s.Text, Fields: notNil(s.Fields)})
	}
	return out
}

// loaded dates the data of every feed that there is any of.
func (a *App) loaded(ctx context.Context) (map[string]time.Time, error) {
	feeds, err := a.feeds(ctx)
	out := map[string]time.Time{}
	for _, f := range feeds {
		at, ok := f.AsOf()
		if f.Newest.Before(at) && !f.Newest.IsZero() { // a file may be old when it is loaded
			at = f.Newest
		}
		if ok {
			out[f.Feed] = at
		}
	}
	return out, err
}

// addHistory adds the days on which EPSS changed its mind.
func (a *App) addHistory(ctx context.Context, out *report.CVE, id cve.ID) error {
	days, err := a.store.Catalogue().EPSSHistory(ctx, id)
	for i, d := range days {
		if i == 0 || d.Score != days[i-1].Score {
			out.EPSSHistory = append(out.EPSSHistory, report.EPSSDay{Date: report.Date{Time: d.Date}, EPSS: d.Score})
		}
	}
	return err
}

// addTechniques adds ATT&CK techniques: those that are published of the CVE first, then what our rules derive.
func (a *App) addTechniques(ctx context.Context, out *report.CVE, r *cve.Record, facts intel.Facts) error {
	links := techniqueLinks(r, facts)
	for _, link := range links {
		t, err := a.techniqueNamed(ctx, strings.ToUpper(link.Technique))
		if err != nil {
			return err
		}
		row := report.TechniqueLink{
			ID: link.Technique, Name: report.Text(t.Name), Kind: link.Kind, Source: link.Source, Confidence: link.Confidence,
			Reason: report.Text(link.Reason),
		}
		if t.ID != "" && t.ID != link.Technique {
			row.ID, row.Reason = t.ID, report.Text(strings.TrimSpace(string(row.Reason)+" (published as "+link.Technique+", since revoked)"))
		}
		out.Techniques = append(out.Techniques, row)
	}
	if len(links) > 0 {
		out.Notices = append(out.Notices, report.NoticeAttack)
	}
	return nil
}

// kinds is the order in which techniques are shown: how it is exploited, then what that leads to.
var kinds = []string{intel.MappingExploitation, intel.MappingPrimary, intel.MappingSecondary, intel.MappingOther}

// techniqueLinks are the techniques of a CVE: published ones first, and within each how it is exploited before what
// that leads to.
func techniqueLinks(r *cve.Record, facts intel.Facts) []intel.TechniqueLink {
	links := intel.Techniques(r, facts.Mappings)
	derived := func(l intel.TechniqueLink) int { return map[bool]int{true: 1}[l.Source == intel.DerivedSource] }
	slices.SortStableFunc(links, func(a, b intel.TechniqueLink) int {
		return cmp.Or(derived(a)-derived(b), slices.Index(kinds, a.Kind)-slices.Index(kinds, b.Kind))
	})
	return links
}
