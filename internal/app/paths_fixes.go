package app

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/attackpath/graph"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// PathFixes says which fixes end the paths.
func (a *App) PathFixes(ctx context.Context, req request.Paths) (report.PathFixes, error) {
	out, _, err := askPaths(ctx, a, "fixes", req, func(ctx context.Context, q *pathsAsked) (report.PathFixes, error) { return q.fixes(ctx) })
	if errors.Is(err, errLate) {
		return report.PathFixes{Scenario: lateScenario(req), Ranked: []report.Fix{}, Notices: []string{}, Incomplete: report.Text(errLate.Error())}, nil
	}
	if err == nil {
		a.rememberRisk(ctx, req)
	}
	return out, err
}

func (q *pathsAsked) fixes(ctx context.Context) (report.PathFixes, error) {
	out := report.PathFixes{Ranked: []report.Fix{}}
	goals, err := q.goals(ctx)
	if err != nil {
		return out, err
	}
	found, err := q.find(ctx, goals, attackpath.Removal{})
	if err != nil {
		return out, err
	}
	if out.All, out.Patches, err = q.cuts(ctx, nil, found); err != nil {
		return out, err
	}
	if out.Ranked, err = q.ranked(ctx, found); err != nil {
		return out, err
	}
	out.Scenario, out.Notices = q.scenario(ctx), q.notices()
	out.Incomplete = q.why()
	out.Complete = out.Incomplete == ""
	return out, nil
}

// cuts are the smallest sets of fixes without which no goal is reached, finding by finding and each weakness everywhere.
func (q *pathsAsked) cuts(ctx context.Context, goals []attackpath.Fact, found []walked) (findings, weaknesses *report.FixSet, err error) {
	for _, set := range []struct {
		by   graph.By
		into **report.FixSet
	}{{graph.ByFinding, &findings}, {graph.ByWeakness, &weaknesses}} {
		limited, cancel := partOf(ctx, 0.3)
		cut, err := q.graph.Cut(limited, graph.CutQuestion{Goals: goals, By: set.by})
		cancel()
		if tooSlow(ctx, err) {
			cut, err = graph.Cut{Why: "the time was over"}, nil
		}
		if err != nil {
			return nil, nil, err
		}
		if !cut.Complete {
			q.say("a smaller set of fixes may do: %s", cmp.Or(cut.Why, "a limit was reached"))
		}
		if *set.into, err = q.fixSet(ctx, cut, found); err != nil {
			return nil, nil, err
		}
	}
	return findings, weaknesses, nil
}

// maxFixes is how many fixes of a set are listed.
const maxFixes = 500

// fixSet is nil where there is nothing to cut, or where no fix cuts it.
func (q *pathsAsked) fixSet(ctx context.Context, cut graph.Cut, found []walked) (*report.FixSet, error) {
	if !cut.Possible || cut.Size == 0 {
		return nil, nil
	}
	out := &report.FixSet{Fixes: []report.Fix{}, Smallest: cut.Smallest, Verified: cut.Verified, Complete: cut.Complete}
	flaws := q.flawsOf(cut.Findings, cut.Weaknesses)
	out.Total = len(cut.Findings) + len(cut.Weaknesses)
	for _, id := range cut.Findings {
		out.Fixes = append(out.Fixes, q.fixOfFinding(id, flaws, found, nil))
	}
	for _, name := range cut.Weaknesses {
		out.Fixes = append(out.Fixes, q.fixOfWeakness(name, flaws, found))
	}
	slices.SortStableFunc(out.Fixes, func(a, b report.Fix) int { return cmp.Compare(b.Cuts, a.Cuts) })
	out.Fixes = slices.Clip(out.Fixes[:min(len(out.Fixes), maxFixes)])
	if err := q.sayDo(ctx, out.Fixes, flaws); err != nil {
		return nil, err
	}
	out.Actions = q.actions(out.Fixes, flaws)
	return out, nil
}

// flawed is a flaw and its host.
type flawed struct {
	host int64
	flaw *attackpath.Flaw
}

// flawIndex finds flaws by finding and by weakness.
type flawIndex struct {
	findings   map[int64]flawed
	weaknesses map[string][]flawed
}

// of is the flaw that a fix ends, one of them where it ends several; the zero value where it is not there.
func (x *flawIndex) of(f report.Fix) flawed {
	if f.Finding != nil {
		return x.findings[*f.Finding]
	}
	if list := x.weaknesses[f.Weakness]; len(list) > 0 {
		return list[0]
	}
	return flawed{}
}

// flawsOf looks for the flaws that are named.
func (q *pathsAsked) flawsOf(findings []int64, weaknesses []string) flawIndex {
	x := flawIndex{map[int64]flawed{}, map[string][]flawed{}}
	wanted, named := map[int64]bool{}, map[string]bool{}
	for _, id := range findings {
		wanted[id] = true
	}
	for _, name := range weaknesses {
		named[name] = true
	}
	for h := range q.estate.Hosts {
		host := &q.estate.Hosts[h]
		for i := range host.Flaws {
			f := &host.Flaws[i]
			if wanted[f.Finding] {
				x.findings[f.Finding] = flawed{host.ID, f}
			}
			if named[f.Weakness] {
				x.weaknesses[f.Weakness] = append(x.weaknesses[f.Weakness], flawed{host.ID, f})
			}
		}
	}
	return x
}

func (q *pathsAsked) fixOfFinding(id int64, flaws flawIndex, found []walked, risk *float64) report.Fix {
	f := flaws.findings[id]
	out := report.Fix{Finding: &id, Findings: 1, Cuts: q.ends(found, attackpath.Removal{Findings: []int64{id}}), RiskRemoved: risk}
	if f.flaw == nil {
		return out
	}
	host := q.hostOf(f.host)
	out.Host, out.Weakness, out.Title = &host, f.flaw.Weakness, report.Text(f.flaw.Title)
	return out
}

func (q *pathsAsked) fixOfWeakness(name string, flaws flawIndex, found []walked) report.Fix {
	out := report.Fix{Weakness: name, Findings: len(flaws.weaknesses[name]), Cuts: q.ends(found, attackpath.Removal{Weaknesses: []string{name}})}
	if list := flaws.weaknesses[name]; len(list) > 0 {
		out.Title = report.Text(list[0].flaw.Title)
	}
	return out
}

// sayDo fills in what is to be done.
func (q *pathsAsked) sayDo(ctx context.Context, fixes []report.Fix, flaws flawIndex) error {
	list := make([]*attackpath.Flaw, 0, len(fixes))
	for _, f := range fixes {
		list = append(list, flaws.of(f).flaw)
	}
	if err := q.learnRemedies(ctx, list); err != nil {
		return err
	}
	for i, f := range fixes {
		if flaw := flaws.of(f); flaw.flaw != nil {
			fixes[i].Do = q.do(flaw, f.Finding == nil)
		}
	}
	return nil
}

// ends counts the walks that a removal ends: those with a step that nothing is left for.
func (q *pathsAsked) ends(found []walked, r attackpath.Removal) (n int) {
	gone := q.removes(r)
	for i := range found {
		if stops(found[i].path, gone) {
			n++
		}
	}
	return n
}

// removes says of an action whether a removal takes it away.
func (q *pathsAsked) removes(r attackpath.Removal) func(int32) bool {
	findings, hosts, weak := map[int64]bool{}, map[int64]bool{}, map[int32]bool{}
	for _, id := range r.Findings {
		findings[id] = true
	}
	for _, id := range r.Hosts {
		hosts[id] = true
	}
	for i, name := range q.net.Weaknesses {
		if slices.Contains(r.Weaknesses, name) {
			weak[int32(i)] = true //nolint:gosec // far fewer
		}
	}
	return func(n int32) bool {
		a := &q.net.Actions[n]
		return a.Finding != 0 && findings[a.Finding] || hosts[a.Host] || a.Weakness >= 0 && weak[a.Weakness] || hosts[q.net.Facts[a.Post].Host]
	}
}

func stops(p attackpath.Path, gone func(int32) bool) bool {
	return slices.ContainsFunc(p.Steps, func(s attackpath.PathStep) bool {
		return gone(s.Action) && !slices.ContainsFunc(s.Alternatives, func(n int32) bool { return !gone(n) })
	})
}

// ranked lists the findings of which fixing takes most off the risk.
func (q *pathsAsked) ranked(ctx context.Context, found []walked) ([]report.Fix, error) {
	if q.req.Samples < 0 { // a ranking is made of trials
		return []report.Fix{}, nil
	}
	limited, cancel := partOf(ctx, 0.6)
	defer cancel()
	removed, expected, err := q.graph.Risk(limited, graph.RiskOptions{Samples: q.req.Samples, Seed: pathSeed})
	if tooSlow(ctx, err) {
		expected, err = graph.Expected{Why: "the time was over"}, nil
	}
	if err != nil {
		return nil, err
	}
	if !expected.Complete {
		q.say("the ranking is rough: %s", cmp.Or(expected.Why, "a limit was reached"))
	}
	removed = slices.DeleteFunc(slices.Clone(removed), func(r graph.Removed) bool { return r.Drop <= 0 })
	slices.SortStableFunc(removed, func(a, b graph.Removed) int {
		return cmp.Or(cmp.Compare(b.Drop, a.Drop), cmp.Compare(a.Finding, b.Finding))
	})
	removed = removed[:min(len(removed), q.req.Limit)]
	ids := make([]int64, len(removed))
	for i, r := range removed {
		ids[i] = r.Finding
	}
	flaws := q.flawsOf(ids, nil)
	out := make([]report.Fix, 0, len(removed))
	for _, r := range removed {
		out = append(out, q.fixOfFinding(r.Finding, flaws, found, &r.Drop))
	}
	return out, q.sayDo(ctx, out, flaws)
}
