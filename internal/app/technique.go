package app

import (
	"context"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/report"
)

// TechniqueRequest says which techniques to list; all of it must apply.
type TechniqueRequest = catalogue.TechniqueFilter

// maxSuccessors ends a circle of techniques that replace each other.
const maxSuccessors = 8

// CheckTechnique says what is wrong with an id before anything is opened.
func CheckTechnique(id string) error {
	if !techniqueID.MatchString(strings.ToUpper(id)) {
		return fault.Invalid("technique %.40q: want an id such as T1190 or T1059.001", id)
	}
	return nil
}

// Technique returns what is known of one; in the place of a revoked one its successor.
func (a *App) Technique(ctx context.Context, id string) (report.Technique, error) {
	id = strings.ToUpper(id)
	t, err := a.technique(ctx, id)
	if err != nil {
		return report.Technique{}, err
	}
	out := toTechnique(t)
	if t.ID != id {
		out.Asked = report.Text(id)
	}
	tactics, err := a.store.Catalogue().Tactics(ctx)
	if err != nil {
		return out, err
	}
	for _, short := range t.Tactics {
		tactic := report.Tactic{Short: short}
		i := slices.IndexFunc(tactics, func(known intel.Tactic) bool { return known.Domain == t.Domain && known.Short == short })
		if i >= 0 {
			tactic.ID, tactic.Name = report.Text(tactics[i].ID), report.Text(tactics[i].Name)
		}
		out.Tactics = append(out.Tactics, tactic)
	}
	mappings, err := a.store.Catalogue().Mappings(ctx, t.ID)
	for _, m := range mappings {
		out.CVEs = append(out.CVEs, report.MappedCVE{
			CVE: m.CVE.String(), Technique: m.Technique, Kind: m.Kind, Source: m.Source, Comment: report.Text(m.Comment),
		})
	}
	return out, err
}

// isAttack: a run that failed loaded nothing.
func isAttack(f catalogue.FeedStatus) bool { return f.Feed == "attack" && f.Synced() }

// technique follows revoked techniques to the one that stands.
func (a *App) technique(ctx context.Context, id string) (intel.Technique, error) {
	t, err := a.store.Catalogue().Technique(ctx, id)
	if fault.KindOf(err) == fault.KindNotFound {
		if feeds, feedsErr := a.store.Catalogue().Feeds(ctx); feedsErr == nil && !slices.ContainsFunc(feeds, isAttack) {
			return t, fault.NotFound("%w: ATT&CK was never loaded; load it with patchscout feeds sync --feed attack,ctid", err)
		}
	}
	for range maxSuccessors {
		if err != nil || !t.Revoked || t.ReplacedBy == "" {
			break
		}
		next, nextErr := a.store.Catalogue().Technique(ctx, t.ReplacedBy)
		if fault.KindOf(nextErr) == fault.KindNotFound {
			break // what is known of the revoked one is better than nothing
		}
		t, err = next, nextErr
	}
	return t, err
}

func toTechnique(t intel.Technique) report.Technique {
	return report.Technique{
		ID: t.ID, Domain: t.Domain, Name: report.Text(t.Name), Revoked: t.Revoked, Deprecated: t.Deprecated,
		ReplacedBy: report.Text(t.ReplacedBy), Parent: report.Text(t.Parent), Tactics: []report.Tactic{}, Platforms: notNil(t.Platforms),
		Description: report.Text(t.Description), Detection: report.Text(t.Detection), Mitigations: named(t.Mitigations),
		Groups: named(t.Groups), Software: named(t.Software), CVEs: []report.MappedCVE{}, Modified: report.Date{Time: t.Modified},
		URL: report.Text(t.URL), Notices: []string{report.NoticeAttack},
	}
}

func named(list []intel.Named) []report.Named {
	out := []report.Named{}
	for _, n := range list {
		out = append(out, report.Named{ID: n.ID, Name: report.Text(n.Name), Note: report.Text(n.Note)})
	}
	return out
}

// Techniques lists techniques by id.
func (a *App) Techniques(ctx context.Context, req TechniqueRequest) (report.TechniqueList, error) {
	doc := report.TechniqueList{Query: req.Words, Items: []report.TechniqueBrief{}, Notices: []string{report.NoticeAttack}}
	page, next, err := a.store.Catalogue().Techniques(ctx, req)
	for _, t := range page {
		doc.Items = append(doc.Items, report.TechniqueBrief{
			ID: t.ID, Domain: t.Domain, Name: report.Text(t.Name), Tactics: notNil(t.Tactics), Platforms: notNil(t.Platforms),
			Revoked: t.Revoked, Deprecated: t.Deprecated, ReplacedBy: report.Text(t.ReplacedBy),
		})
	}
	doc.More, doc.Next = next != "", report.Text(next)
	return doc, err
}
