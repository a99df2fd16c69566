package exact

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// Solve answers all goals of a valid case. It shares the time until the context's deadline among them; what is left when it
// comes is said to be incomplete.
func Solve(ctx context.Context, c Case) (Answer, error) {
	if err := c.Validate(); err != nil {
		return Answer{}, err
	}
	answer := Answer{Name: c.Name, Goals: make([]GoalAnswer, 0, len(c.Goals))}
	for i, goal := range c.Goals {
		part, stop := share(ctx, len(c.Goals)-i)
		answer.Goals = append(answer.Goals, solveGoal(part, c, goal))
		stop()
		if context.Cause(ctx) == context.Canceled {
			return Answer{}, ctx.Err()
		}
	}
	return answer, nil
}

// share is the part of the time left for one of so many.
func share(ctx context.Context, among int) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, time.Until(deadline)/time.Duration(among))
}

// tooLarge is the number of actions on the way to one goal beyond which only one path is looked for.
const tooLarge = 4_000

func solveGoal(ctx context.Context, c Case, goal string) GoalAnswer {
	g := GoalAnswer{Goal: goal, MinimalPaths: []Path{}, SinglePointFixes: []string{}, AllMinimalFixCuts: [][]string{}, Incomplete: []string{}}
	p, how := forGoal(c, goal)
	switch how {
	case atOnce:
		g.Reachable = true
		g.MinimalPaths = []Path{{Steps: []string{}, Probability: 1}}
		g.setProbability(bounds{one, one})
	case never:
		g.setProbability(bounds{})
		g.setCuts(cuts{smallest: [][]string{{}}, all: [][]string{{}}})
	default:
		g.Reachable = true
		g.solve(ctx, c, p)
	}
	g.PathCount = len(g.MinimalPaths)
	if g.PathCount > 0 {
		g.MaxPathProbability = g.MinimalPaths[0].Probability
	}
	g.Complete = len(g.Incomplete) == 0
	return g
}

func (g *GoalAnswer) solve(ctx context.Context, c Case, p *problem) {
	if len(p.actions) > tooLarge {
		g.missing("paths, probability and fixes", fmt.Sprintf("%d actions lead to it, more than %d", len(p.actions), tooLarge))
		return
	}
	part, stop := share(ctx, 3)
	paths := findPaths(part, p)
	stop()
	if paths.why != "" {
		g.missing("minimal_paths", paths.why)
	}
	if len(paths.sets) == 0 {
		paths.sets = [][]int{somePath(p)}
	}
	g.setPaths(c, p, paths.sets)

	part, stop = share(ctx, 2)
	chance, why := chanceOf(part, p)
	stop()
	chance.atLeast(decimal(g.MinimalPaths[0].Probability))
	if g.setProbability(chance); g.ExactProbability == nil {
		g.missing("exact_probability", why)
	}

	found := findCuts(ctx, p)
	if found.why != "" {
		g.missing("all_minimal_fix_cuts", found.why)
		if found.smallest == nil {
			g.missing("min_fix_cut", found.why)
		}
	}
	g.setCuts(found)
}

func (g *GoalAnswer) missing(what, why string) {
	g.Incomplete = append(g.Incomplete, what+": "+why)
}

func (g *GoalAnswer) setPaths(c Case, p *problem, sets [][]int) {
	for _, actions := range sets {
		path := Path{Probability: p.product(actions)}
		for _, a := range p.inOrder(actions) {
			path.Steps = append(path.Steps, c.Actions[p.actions[a].from].ID)
		}
		g.MinimalPaths = append(g.MinimalPaths, path)
	}
	slices.SortFunc(g.MinimalPaths, func(a, b Path) int {
		return cmp.Or(cmp.Compare(b.Probability, a.Probability), cmp.Compare(len(a.Steps), len(b.Steps)), slices.Compare(a.Steps, b.Steps))
	})
}

// product is the chance that all of some actions work. The order of multiplying must not show.
func (p *problem) product(actions []int) float64 {
	chances := make([]double, 0, len(actions))
	for _, a := range actions {
		chances = append(chances, p.actions[a].p)
	}
	slices.SortFunc(chances, func(a, b double) int { return cmp.Compare(b.hi, a.hi) })
	all := one
	for _, x := range chances {
		all = all.times(x)
	}
	return all.float()
}

func (g *GoalAnswer) setProbability(b bounds) {
	low, high := b.low.float(), b.high.float()
	if low == high {
		g.ExactProbability = &low
		return
	}
	g.ProbabilityBounds = []float64{low, high}
}

func (g *GoalAnswer) setCuts(found cuts) {
	if found.smallest != nil {
		g.MinFixCut = &FixCut{Size: len(found.smallest[0]), Sets: found.smallest}
	}
	if found.all != nil {
		g.AllMinimalFixCuts = found.all
	}
	if found.single != nil {
		g.SinglePointFixes = found.single
	}
}
