package graph

import (
	"context"
	"math"
	"math/bits"

	"github.com/patchscout/patchscout/internal/attackpath"
)

// ChanceOptions say how chances are worked out.
type ChanceOptions struct {
	Samples int    // random trials; 0 makes none
	Seed    uint64 // the same seed gives the same answer
	// United is how many best paths of each goal are united for its lower bound; 0 is 8, less than 0 none. It is the one figure
	// that something more in the network can lower a little, since other paths may then be the best: the bound stays valid,
	// but who compares a network with one that has less may raise it to that of the other.
	United  int
	Without attackpath.Removal
}

// Chance is how likely a fact is to be derived.
type Chance struct {
	Low, High float64 // hold for certain
	Sampled   float64 // from trials, and within the bounds
	Error     float64 // standard error of Sampled
}

// Chances of all facts.
type Chances struct {
	Samples int // that were made
	Low     []float64
	High    []float64
	Sampled []float64 // shares of the trials as they came out, which luck may put outside of the bounds; nil without samples
	Error   []float64
	// Complete is false when time ran out: fewer samples, or bounds that are wider than they could be. Why says it.
	Complete bool
	Why      string
}

// At is the chance of a fact.
func (c Chances) At(f attackpath.Fact) Chance {
	if f < 0 || int(f) >= len(c.Low) {
		return Chance{}
	}
	at := Chance{Low: c.Low[f], High: c.High[f]}
	if c.Sampled != nil {
		at.Sampled, at.Error = min(max(c.Sampled[f], at.Low), at.High), c.Error[f]
	}
	return at
}

// Chances works out bounds and, if asked for, samples. Without time left, bounds are wide but valid.
func (g *Graph) Chances(ctx context.Context, o ChanceOptions) (Chances, error) {
	v := g.view(o.Without)
	works := v.edgeChances()
	c := Chances{Low: v.lower(works), Complete: true}
	v.unite(ctx, works, o.United, &c)
	c.High = v.upper(ctx, works, &c)
	for f, low := range c.Low { // they can differ by rounding where they are equal
		c.High[f] = max(c.High[f], low)
	}
	v.sample(ctx, o, &c)
	return c, nil
}

func (c *Chances) incomplete(why string) {
	if c.Complete {
		c.Complete, c.Why = false, why
	}
}

// edgeChances are the chances that any member of an edge works. No action is a member of two edges, so edges are independent.
func (v *view) edgeChances() []float64 {
	works := make([]float64, len(v.post))
	for e := range int32(len(v.post)) {
		if !v.works(e) {
			continue
		}
		fails := 1.0
		for _, a := range v.members.of(e) {
			if v.gone == nil || !v.gone.has(a) {
				fails *= 1 - v.p[a]
			}
		}
		works[e] = 1 - fails
	}
	return works
}

// lower is the chance of one derivation in which any member of an edge will do: the best such.
func (v *view) lower(works []float64) []float64 {
	cost := make([]float64, len(works))
	for e, p := range works {
		cost[e] = math.Abs(math.Log(p))
	}
	low := v.derive(cost, false).cost
	for f, c := range low {
		low[f] = math.Exp(-c)
	}
	return low
}

// unite raises the lower bounds of goals: the chance that one of their best paths works as a whole.
func (v *view) unite(ctx context.Context, works []float64, k int, c *Chances) {
	if k == 0 {
		k = 8
	}
	const (
		unitePops = 10_000
		manyGoals = 250 // then the hosts are listed, and no single one matters that much
	)
	if k < 0 || len(v.goals) > manyGoals {
		return
	}
	for _, goal := range v.goals {
		if ctx.Err() != nil {
			c.incomplete("time ran out before the lower bounds were raised")
			return
		}
		f := int32(goal.Fact)
		if c.Low[f] > 0 && c.Low[f] < 1 {
			found := v.paths(ctx, f, k, unitePops)
			c.Low[f] = max(c.Low[f], v.union(found.Paths, works))
		}
	}
}

// union is the chance that all edges of one of the paths work, by inclusion and exclusion.
func (v *view) union(paths []attackpath.Path, works []float64) float64 {
	paths = paths[:min(len(paths), 12)]
	p := 0.0
	seen := map[int32]int{}
	var add func(next, n int, product float64)
	add = func(next, n int, product float64) {
		for i := next; i < len(paths); i++ {
			with := product
			for _, s := range paths[i].Steps {
				e := v.edge[s.Action]
				if seen[e]++; seen[e] == 1 {
					with *= works[e]
				}
			}
			if n%2 == 0 {
				p += with
			} else {
				p -= with
			}
			add(i+1, n+1, with)
			for _, s := range paths[i].Steps {
				seen[v.edge[s.Action]]--
			}
		}
	}
	add(0, 0, 1)
	return min(p, 1)
}

// sample counts in how many random trials each fact is derived.
func (v *view) sample(ctx context.Context, o ChanceOptions, c *Chances) {
	if o.Samples <= 0 {
		return
	}
	t, w := v.tosses(), newWave(v, v.detourless())
	hits := make([]int32, v.facts)
	for block := 0; 64*block < o.Samples; block++ {
		t.block(o.Seed, block)
		if w.run(ctx, cases(o.Samples, block), t.edge) != nil {
			c.incomplete("time ran out before all samples were made")
			break
		}
		for f, holds := range w.holds {
			hits[f] += int32(bits.OnesCount64(holds))
		}
		c.Samples = min(64*(block+1), o.Samples)
	}
	if c.Samples == 0 {
		return
	}
	c.Sampled, c.Error = make([]float64, v.facts), make([]float64, v.facts)
	for f, n := range hits {
		c.Sampled[f] = float64(n) / float64(c.Samples)
		if c.Low[f] < 1 && c.High[f] > 0 {
			c.Error[f] = standardError(float64(n), float64(c.Samples))
		}
	}
}

// standardError of a share; one hit and one miss are added, so that seeing none does not pass for certainty.
func standardError(hits, n float64) float64 {
	p := (hits + 1) / (n + 2)
	return math.Sqrt(p * (1 - p) / (n + 2))
}
