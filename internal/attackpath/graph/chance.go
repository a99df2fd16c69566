package graph

import (
	"context"

	"github.com/patchscout/patchscout/internal/attackpath"
)

// ChanceOptions say how chances are worked out.
type ChanceOptions struct {
	Samples int    // random trials; 0 makes none
	Seed    uint64 // the same seed gives the same answer
	United  int    // best paths of each goal that are united for its lower bound; 0 is 5, less than 0 none
	Without attackpath.Removal
}

// Chance is how likely a fact is to be derived.
type Chance struct {
	Low, High float64 // hold for certain
	Sampled   float64 // from trials; only chance may put it slightly outside of the bounds
	Error     float64 // standard error of Sampled
}

// Chances of all facts.
type Chances struct {
	Samples int // that were made
	Low     []float64
	High    []float64
	Sampled []float64 // nil without samples
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
		at.Sampled, at.Error = c.Sampled[f], c.Error[f]
	}
	return at
}

// Chances works out bounds and, if asked for, samples.
func (g *Graph) Chances(ctx context.Context, o ChanceOptions) (Chances, error) {
	b, err := g.Best(ctx, o.Without)
	if err != nil {
		return Chances{}, err
	}
	c := Chances{Low: make([]float64, b.v.facts), High: make([]float64, b.v.facts)}
	for f := range c.Low {
		if c.Low[f] = b.Chance(attackpath.Fact(f)); c.Low[f] > 0 {
			c.High[f] = 1
		}
	}
	c.Why = "only the best path is known"
	return c, nil
}
