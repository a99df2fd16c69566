package graph

import (
	"context"
	"math"
	"slices"

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

// Risk works out, for every finding, the expected drop in the weight of goals that fall when it alone is fixed: the mean, over
// random trials, of the weight of the goals that fall in the trial and all of whose derivations in it use the finding. That is
// the same, trial by trial, as asking again without the finding. The most comes first; findings that are not listed lie on no
// way to a goal, and drop nothing.
func (g *Graph) Risk(ctx context.Context, o RiskOptions) ([]Removed, Expected, error) {
	if o.Samples <= 0 {
		o.Samples = 1000
	}
	v := g.view(o.Without)
	r := newRisk(v)
	total := Expected{Complete: true}
	for block := 0; 64*block < o.Samples; block++ {
		if err := ctx.Err(); err != nil {
			if block == 0 {
				return nil, Expected{}, err
			}
			total.Complete, total.Why = false, "time ran out before all samples were made"
			break
		}
		r.toss(o.Seed, block)
		for i := range min(64, o.Samples-64*block) {
			r.trial(i)
			total.Samples++
		}
	}
	n := float64(total.Samples)
	total.Weight, total.Error = r.total.mean(n)
	list := make([]Removed, 0, len(r.drop))
	for l, d := range r.drop {
		at := Removed{Finding: r.ids[l]}
		at.Drop, at.Error = d.mean(n)
		list = append(list, at)
	}
	slices.SortStableFunc(list, func(a, b Removed) int {
		switch {
		case a.Drop > b.Drop:
			return -1
		case a.Drop < b.Drop:
			return 1
		}
		return 0 // by finding, as they are
	})
	return list, total, nil
}

// sum is of samples and their squares.
type sum struct{ one, two float64 }

func (s *sum) add(x float64) { s.one, s.two = s.one+x, s.two+x*x }

func (s sum) mean(n float64) (mean, standardError float64) {
	mean = s.one / n
	return mean, math.Sqrt(max(0, s.two/n-mean*mean) / max(1, n-1))
}

// risk is the work on samples. Edges and nodes are those of the net that leads to the goals.
type risk struct {
	net    *cutNet
	ids    []int64 // findings by label, ascending
	tosses *tosses
	weight []float64 // by place in net.ends
	drop   []sum     // by label
	total  sum

	works  []uint64 // by edge: in which samples of the block
	single []uint64 // by edge: in which of them all its members that work are of one finding
	shown  rows     // places in outcomes by edge
	labels []int32  // by place
	out    []uint64 // by place

	// Of one sample.
	bit    uint64
	giver  []int32 // by node, -1 while it does not hold
	order  []int32 // nodes as they came to hold
	must   []span  // by node: labels that all its derivations need, ascending, in arena
	arena  []int32
	merged []int32
	amount []float64 // by label
}

func newRisk(v *view) *risk {
	r := &risk{tosses: v.tosses()}
	weight := map[int32]float64{}
	for _, g := range v.goals {
		weight[int32(g.Fact)] += g.Weight
	}
	goals, _ := v.goalsOf(nil)
	goals = v.derived(goals)
	for _, f := range goals {
		r.weight = append(r.weight, weight[f])
	}
	r.net = v.cutNet(goals, ByFinding)
	r.net.reduce()
	n := r.net
	r.listFindings()
	r.drop, r.amount = make([]sum, len(r.ids)), make([]float64, len(r.ids))
	r.works, r.single = make([]uint64, len(n.post)), make([]uint64, len(n.post))
	r.giver, r.must = make([]int32, n.nodes), make([]span, n.nodes)
	r.listMembers()
	return r
}

func (r *risk) listFindings() {
	v := r.net.from
	for e, orig := range r.net.orig {
		if orig < 0 || r.net.gone.has(int32(e)) {
			continue
		}
		for _, a := range v.left(orig) {
			if v.finding[a] != 0 {
				r.ids = append(r.ids, v.finding[a])
			}
		}
	}
	slices.Sort(r.ids)
	r.ids = slices.Compact(r.ids)
}

// listMembers notes the members of each edge with the labels of their findings, -1 for none.
func (r *risk) listMembers() {
	v := r.net.from
	r.shown.start = append(r.shown.start, 0)
	for e := range int32(len(r.net.post)) {
		if orig := r.net.orig[e]; orig >= 0 && !r.net.gone.has(e) {
			for _, a := range v.left(orig) {
				label := int32(-1)
				if at, ok := slices.BinarySearch(r.ids, v.finding[a]); ok && v.finding[a] != 0 {
					label = int32(at)
				}
				r.shown.data = append(r.shown.data, a)
				r.labels = append(r.labels, label)
			}
		}
		r.shown.start = append(r.shown.start, int32(len(r.shown.data)))
	}
	r.out = make([]uint64, len(r.shown.data))
}
