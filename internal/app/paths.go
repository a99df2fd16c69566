package app

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/attackpath/graph"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// Paths says how attackers would walk to what matters: the best way to each jewel first, then the second to each.
func (a *App) Paths(ctx context.Context, req request.Paths) (report.Paths, error) {
	out, at, err := askPaths(ctx, a, "paths", req, func(ctx context.Context, q *pathsAsked) (report.Paths, error) {
		return q.paths(ctx, byDanger)
	})
	if err == nil {
		a.rememberRisk(ctx, req)
		out.Notices = a.mirrored(ctx, req, out.Notices)
	}
	return a.dated(ctx, req, out, at, err)
}

// CriticalPaths is Paths with the best path to each jewel only, the weightiest jewel first.
func (a *App) CriticalPaths(ctx context.Context, req request.Paths) (report.Paths, error) {
	req.K = 1
	out, at, err := askPaths(ctx, a, "critical", req, func(ctx context.Context, q *pathsAsked) (report.Paths, error) {
		return q.paths(ctx, byWeight)
	})
	return a.dated(ctx, req, out, at, err)
}

// dated says of what state of the estate an answer is; one that was not ready in time says that it is empty.
func (a *App) dated(_ context.Context, req request.Paths, out report.Paths, at *pathEstate, err error) (report.Paths, error) {
	if errors.Is(err, errLate) {
		out = report.Paths{Scenario: lateScenario(req), Jewels: []report.PathJewel{}, Paths: []report.Path{}, Notices: []string{}, Incomplete: report.Text(errLate.Error()),
			At: a.now().UTC()}
		err = nil
	}
	if at != nil {
		out.Generation = at.state.estate
	}
	if req.Scan != 0 {
		out.Scan = &req.Scan
	}
	return out, err
}

func lateScenario(req request.Paths) report.PathScenario {
	return report.PathScenario{Assume: assumeWord(req.Assume == "flat"), Reuse: req.Reuse, Secrets: req.Secrets, Entries: []report.PathEntry{}}
}

// order says which paths stand first.
type order uint8

const (
	byDanger order = iota // chance times weight
	byWeight
)

// maxJewels is how many jewels are looked at: of an estate in which nobody named any, every host is one.
const maxJewels = 200

// walked is a path to a goal.
type walked struct {
	goal  attackpath.Goal
	path  attackpath.Path
	round int // how many better ones lead to the goal: rank
}

// danger is how much a walk matters.
func (w *walked) danger() float64 { return w.path.P * w.goal.Weight }

func (q *pathsAsked) paths(ctx context.Context, first order) (report.Paths, error) {
	out := report.Paths{Jewels: []report.PathJewel{}, Paths: []report.Path{}, At: q.app.now().UTC()}
	goals, err := q.goals(ctx)
	if err != nil {
		return out, err
	}
	found, err := q.find(ctx, goals, attackpath.Removal{})
	if err != nil {
		return out, err
	}
	if out.Totals, err = q.totals(ctx, attackpath.Removal{}); err != nil {
		return out, err
	}
	if out.Jewels, err = q.jewels(ctx, goals, found); err != nil {
		return out, err
	}
	if first == byWeight {
		slices.SortStableFunc(found, func(a, b walked) int { return cmp.Compare(b.goal.Weight, a.goal.Weight) })
		slices.SortStableFunc(out.Jewels, func(a, b report.PathJewel) int { return cmp.Compare(criticality(b), criticality(a)) })
	}
	out.Totals.Paths = len(found)
	if out.Paths, err = q.tell(ctx, found[:min(len(found), q.req.Limit)]); err != nil {
		return out, err
	}
	out.Scenario, out.Notices = q.scenario(ctx), q.notices()
	if len(q.net.Goals) > len(goals) {
		out.Notices = append(out.Notices, report.Plural(len(goals), "host is", "hosts are")+" looked at closely, of "+report.Plural(len(q.net.Goals), "host", "hosts")+" that count: the likeliest to fall.")
	}
	out.Incomplete = q.why()
	out.Complete = out.Incomplete == ""
	return out, nil
}

func criticality(j report.PathJewel) int {
	if j.Criticality == nil {
		return 3
	}
	return *j.Criticality
}

// goals are those that are looked at closely, the most in danger first.
func (q *pathsAsked) goals(ctx context.Context) ([]attackpath.Goal, error) {
	best, err := q.graph.Best(ctx, attackpath.Removal{})
	if err != nil {
		return nil, err
	}
	goals := slices.Clone(q.net.Goals)
	slices.SortStableFunc(goals, func(a, b attackpath.Goal) int {
		return cmp.Or(cmp.Compare(best.Chance(b.Fact)*b.Weight, best.Chance(a.Fact)*a.Weight), cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Host, b.Host))
	})
	return goals[:min(len(goals), maxJewels)], nil
}

// find looks for the best paths to goals, in the order of rank.
func (q *pathsAsked) find(ctx context.Context, goals []attackpath.Goal, without attackpath.Removal) (found []walked, err error) {
	limited, cancel := partOf(ctx, 0.5)
	defer cancel()
	for _, goal := range goals {
		f, err := q.graph.Paths(limited, attackpath.Question{To: goal.Fact, K: q.req.K, Direct: true, Without: without})
		if err != nil && !tooSlow(ctx, err) {
			return nil, err
		}
		if err != nil {
			f = attackpath.Found{Why: "the time was over"}
		}
		if !f.Complete {
			q.say("there may be more paths to %s: %s", q.hostOf(goal.Host).Name, cmp.Or(f.Why, "a limit was reached"))
		}
		for _, p := range f.Paths {
			found = append(found, walked{goal: goal, path: p})
		}
	}
	rank(found)
	return found, nil
}

// rank puts the best way to each goal first, the most dangerous of them in front, then the second to each, and so on: ten
// ways to one goal are mostly alike.
func rank(found []walked) {
	slices.SortStableFunc(found, func(a, b walked) int {
		return cmp.Or(cmp.Compare(b.danger(), a.danger()), cmp.Compare(len(a.path.Hosts), len(b.path.Hosts)), cmp.Compare(a.goal.Host, b.goal.Host))
	})
	before := map[attackpath.Fact]int{}
	for i := range found {
		goal := found[i].goal.Fact
		found[i].round = before[goal]
		before[goal]++
	}
	slices.SortStableFunc(found, func(a, b walked) int { return cmp.Compare(a.round, b.round) })
}

// partOf bounds something to a part of the time that is left.
func partOf(ctx context.Context, part float64) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Duration(part*float64(time.Until(deadline))))
}

// pathSeed makes random trials the same for the same question.
const pathSeed = 7

// chances works out how likely every fact is, in a part of the time.
func (q *pathsAsked) chances(ctx context.Context, g *graph.Graph, without attackpath.Removal) (graph.Chances, error) {
	limited, cancel := partOf(ctx, 0.5)
	defer cancel()
	c, err := g.Chances(limited, graph.ChanceOptions{Samples: max(q.req.Samples, 0), Seed: pathSeed, Without: without})
	if tooSlow(ctx, err) {
		c.Complete, c.Why, err = false, "the time was over", nil
	}
	if err == nil && !c.Complete {
		q.say("chances are rough: %s", cmp.Or(c.Why, "a limit was reached"))
	}
	return c, err
}

func toChance(c graph.Chances, f attackpath.Fact) report.PathChance {
	at := c.At(f)
	out := report.PathChance{Low: at.Low, High: at.High, Samples: c.Samples}
	if c.Samples > 0 {
		sampled, spread := at.Sampled, at.Error
		out.Sampled, out.Error = &sampled, &spread
	}
	return out
}

// likely is the best single number for a chance.
func likely(c report.PathChance) float64 {
	if c.Sampled != nil {
		return *c.Sampled
	}
	return (c.Low + c.High) / 2
}

// jewels says how the goals stand, the most in danger first. Where every host is one, those that nobody reaches are left out.
func (q *pathsAsked) jewels(ctx context.Context, goals []attackpath.Goal, found []walked) ([]report.PathJewel, error) {
	chances, err := q.chances(ctx, q.graph, attackpath.Removal{})
	if err != nil {
		return nil, err
	}
	chokes, err := q.chokes(ctx, goals)
	if err != nil {
		return nil, err
	}
	paths := map[int64]int{}
	for _, w := range found {
		paths[w.goal.Host]++
	}
	best, err := q.graph.Best(ctx, attackpath.Removal{})
	if err != nil {
		return nil, err
	}
	named, out := q.named(), []report.PathJewel{}
	for _, goal := range goals {
		j := report.PathJewel{PathHost: q.hostOf(goal.Host), Why: q.whyJewel(goal.Host), Reached: best.Reached(goal.Fact), Chance: toChance(chances, goal.Fact),
			Paths: paths[goal.Host], Chokes: chokes[goal.Fact]}
		if !j.Reached && !named {
			continue
		}
		if j.Chokes == nil {
			j.Chokes = []report.PathChoke{}
		}
		if q.req.Fixes && j.Reached {
			if j.Fixes, j.Patches, err = q.cuts(ctx, []attackpath.Fact{goal.Fact}, found); err != nil {
				return nil, err
			}
		}
		out = append(out, j)
	}
	weight := func(j report.PathJewel) float64 { return likely(j.Chance) * float64(criticality(j)) }
	slices.SortStableFunc(out, func(a, b report.PathJewel) int { return cmp.Compare(weight(b), weight(a)) })
	return out, nil
}

// named says whether anybody said what matters.
func (q *pathsAsked) named() bool {
	return len(q.assume.To) > 0 || slices.ContainsFunc(q.estate.Hosts, func(h attackpath.Host) bool { return h.Jewel || h.Criticality >= important })
}

// important is the criticality from which on hosts stand for jewels where none is tagged.
const important = 4

func (q *pathsAsked) whyJewel(id int64) string {
	h, _ := q.estate.host(id)
	switch {
	case slices.Contains(q.assume.To, id):
		return "asked for"
	case h != nil && h.Jewel:
		return "tagged jewel"
	case h != nil && h.Criticality >= important:
		return "criticality " + []string{"high", "critical"}[min(h.Criticality-important, 1)]
	default:
		return "nobody said which hosts matter"
	}
}

// chokes are the hosts that every path to a goal leads over.
func (q *pathsAsked) chokes(ctx context.Context, goals []attackpath.Goal) (map[attackpath.Fact][]report.PathChoke, error) {
	facts := make([]attackpath.Fact, len(goals))
	for i, g := range goals {
		facts[i] = g.Fact
	}
	limited, cancel := partOf(ctx, 0.3)
	defer cancel()
	list, err := q.graph.Chokes(limited, facts)
	if err != nil && !tooSlow(ctx, err) {
		return nil, err
	}
	if err != nil {
		q.say("which hosts every path leads over was not worked out in time")
	}
	jewels := map[int64]int{}
	for _, c := range list {
		for _, h := range c.Hosts {
			jewels[h]++
		}
	}
	out := map[attackpath.Fact][]report.PathChoke{}
	for _, c := range list {
		for _, h := range c.Hosts {
			out[c.Goal] = append(out[c.Goal], report.PathChoke{PathHost: q.hostOf(h), Jewels: jewels[h]})
		}
	}
	return out, nil
}
