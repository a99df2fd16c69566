package graph

import (
	"context"

	"github.com/patchscout/patchscout/internal/attackpath"
)

// RiskOptions say how risk is sampled.
type RiskOptions struct {
	Samples int // 0 is 1000
	Seed    uint64
	Without attackpath.Removal
}

// Removed is what fixing a finding removes of the expected weight of compromised goals.
type Removed struct {
	Finding int64
	Drop    float64
	Error   float64 // standard error
}

// Expected is a sampled weight.
type Expected struct {
	Weight  float64 // of goals that fall
	Error   float64
	Samples int
	// Complete is false when fewer samples were made than asked for.
	Complete bool
	Why      string
}

// Risk works out, for every finding, the expected drop in the weight of goals that fall when it alone is fixed.
func (g *Graph) Risk(ctx context.Context, o RiskOptions) ([]Removed, Expected, error) {
	_ = attackpath.Removal{}
	return nil, Expected{Why: "not sampled"}, ctx.Err()
}
