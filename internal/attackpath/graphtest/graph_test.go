package graphtest_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/attackpath/graph"
	"github.com/patchscout/patchscout/internal/attackpath/graphtest"
)

func TestTheEmbeddedGraph(t *testing.T) {
	graphtest.Run(t, func() attackpath.Graph { return graph.New(nil) })
}

// loaded is a random network in the embedded graph.
func loaded(t *testing.T, seed uint64) (*graph.Graph, *graphtest.Network) {
	t.Helper()
	n := graphtest.ToNetwork(graphtest.Random(seed))
	g := graph.New(nil)
	if err := g.Load(t.Context(), n.Network); err != nil {
		t.Fatal(err)
	}
	return g, n
}

func TestChancesAreWithinTheirBounds(t *testing.T) {
	samples := 0
	for seed := range graphtest.Graphs() {
		g, n := loaded(t, seed)
		if seed%20 == 0 {
			samples = 2000
		} else {
			samples = 0
		}
		c, err := g.Chances(t.Context(), graph.ChanceOptions{Samples: samples, Seed: seed})
		if err != nil || !c.Complete {
			t.Fatalf("seed %d: %v %s", seed, err, c.Why)
		}
		for _, goal := range n.Case.Goals {
			truth, at := graphtest.Try(n.Case, goal), c.At(n.FactOf[goal])
			if at.Low > truth.P+1e-12 || at.High < truth.P-1e-12 {
				t.Fatalf("seed %d, %s: %v is not within %v and %v\n%s", seed, goal, truth.P, at.Low, at.High, graphtest.Tell(n.Case))
			}
			if off := math.Abs(at.Sampled - truth.P); samples > 0 && off > 6*math.Sqrt(truth.P*(1-truth.P)/float64(samples))+1e-9 {
				t.Fatalf("seed %d, %s: sampled %v, is %v\n%s", seed, goal, at.Sampled, truth.P, graphtest.Tell(n.Case))
			}
		}
	}
}

func TestPublishedChancesAreWithinTheirBounds(t *testing.T) {
	for name, c := range graphtest.Published() {
		n := graphtest.ToNetwork(c)
		chances, err := graph.New(n.Network).Chances(t.Context(), graph.ChanceOptions{Samples: 20_000})
		if err != nil {
			t.Fatal(err)
		}
		for _, goal := range c.Goals {
			truth, at := graphtest.Try(c, goal), chances.At(n.FactOf[goal])
			if at.Low > truth.P+1e-12 || at.High < truth.P-1e-12 || math.Abs(at.Sampled-truth.P) > 0.02 {
				t.Errorf("%s, %s: %+v, is %v", name, goal, at, truth.P)
			}
		}
	}
}

func TestCutsByWeaknessAreTheSmallest(t *testing.T) {
	for seed := range graphtest.Graphs() {
		g, n := loaded(t, seed)
		goal := n.Case.Goals[0]
		truth := graphtest.Try(n.Case, goal)
		cut, err := g.Cut(t.Context(), graph.CutQuestion{Goals: []attackpath.Fact{n.FactOf[goal]}, By: graph.ByWeakness})
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case !truth.Reachable:
			if len(cut.Reached) > 0 || cut.Size != 0 {
				t.Fatalf("seed %d: a cut of what cannot be reached: %+v", seed, cut)
			}
		case cut.Possible != (len(truth.Cuts) > 0):
			t.Fatalf("seed %d: %+v, want one of %v\n%s", seed, cut, truth.Cuts, graphtest.Tell(n.Case))
		case cut.Possible && !slices.ContainsFunc(truth.Cuts, func(c []string) bool { return slices.Equal(c, cut.Weaknesses) }):
			t.Fatalf("seed %d: %v is no minimal cut of %v\n%s", seed, cut.Weaknesses, truth.Cuts, graphtest.Tell(n.Case))
		case cut.Possible && (cut.Size != len(truth.Cuts[0]) && (cut.Smallest || len(truth.Cuts[0]) <= 3) || !cut.Verified || cut.AtLeast > len(truth.Cuts[0])):
			t.Fatalf("seed %d: %+v, want size %d\n%s", seed, cut, len(truth.Cuts[0]), graphtest.Tell(n.Case))
		}
	}
}

func TestCutsByFindingAreTheSmallest(t *testing.T) {
	for seed := range graphtest.Graphs() {
		g, n := loaded(t, seed)
		c := n.Case
		c.Actions = slices.Clone(c.Actions) // each fix of its own
		for i := range c.Actions {
			if len(c.Actions[i].Fix) > 0 {
				c.Actions[i].Fix = []string{c.Actions[i].ID}
			}
		}
		truth := graphtest.Try(c, c.Goals[0])
		cut, err := g.Cut(t.Context(), graph.CutQuestion{Goals: []attackpath.Fact{n.FactOf[c.Goals[0]]}, By: graph.ByFinding})
		if err != nil {
			t.Fatal(err)
		}
		if !truth.Reachable {
			continue
		}
		if cut.Possible != (len(truth.Cuts) > 0) {
			t.Fatalf("seed %d: %+v, want one of %v\n%s", seed, cut, truth.Cuts, graphtest.Tell(c))
		}
		if !cut.Possible {
			continue
		}
		if size := len(truth.Cuts[0]); cut.Size != size && (cut.Smallest || size <= 3) || !cut.Verified || cut.AtLeast > size || len(cut.Findings) != cut.Size {
			t.Fatalf("seed %d: %+v, want size %d\n%s", seed, cut, size, graphtest.Tell(c))
		}
		if left := n.Without(attackpath.Removal{Findings: cut.Findings}); graphtest.Try(left, c.Goals[0]).Reachable {
			t.Fatalf("seed %d: %v is no cut\n%s", seed, cut.Findings, graphtest.Tell(c))
		}
	}
}

func TestChokesAreWhatAllPathsNeed(t *testing.T) {
	for seed := range graphtest.Graphs() {
		g, n := loaded(t, seed)
		goal := n.Case.Goals[0]
		chokes, err := g.Chokes(t.Context(), []attackpath.Fact{n.FactOf[goal]})
		if err != nil {
			t.Fatal(err)
		}
		if !graphtest.Derives(n.Case, goal, func(int) bool { return true }) {
			if len(chokes) > 0 {
				t.Fatalf("seed %d: %+v of what cannot be reached", seed, chokes)
			}
			continue
		}
		var hosts, findings []int64
		for _, w := range n.Removals() {
			switch stops := !graphtest.Derives(n.Without(w), goal, func(int) bool { return true }); {
			case !stops:
			case len(w.Hosts) > 0 && w.Hosts[0] != n.Facts[n.FactOf[goal]].Host:
				hosts = append(hosts, w.Hosts...)
			case len(w.Findings) > 0:
				findings = append(findings, w.Findings...)
			}
		}
		if len(chokes) != 1 || !sameNumbers(chokes[0].Hosts, hosts) || !sameNumbers(chokes[0].Findings, findings) {
			t.Fatalf("seed %d: %+v, want hosts %v and findings %v\n%s", seed, chokes, hosts, findings, graphtest.Tell(n.Case))
		}
	}
}

func sameNumbers(a, b []int64) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func TestRiskIsWhatAFixTakesAway(t *testing.T) {
	const samples = 4000
	for seed := range graphtest.Graphs() / 5 {
		g, n := loaded(t, seed)
		removed, before, err := g.Risk(t.Context(), graph.RiskOptions{Samples: samples, Seed: seed})
		if err != nil || !before.Complete {
			t.Fatalf("seed %d: %v %s", seed, err, before.Why)
		}
		said := map[int64]float64{}
		for _, r := range removed {
			said[r.Finding] = r.Drop
		}
		for finding := range n.Fixes {
			want := 0.0
			left := n.Without(attackpath.Removal{Findings: []int64{finding}})
			for _, goal := range n.Case.Goals {
				want += graphtest.Try(n.Case, goal).P - graphtest.Try(left, goal).P
			}
			if off := math.Abs(said[finding] - want); off > 12/math.Sqrt(samples) {
				t.Fatalf("seed %d, finding %d: %v, want %v\n%s", seed, finding, said[finding], want, graphtest.Tell(n.Case))
			}
		}
	}
}

func TestAnotherActionNeverLowersABound(t *testing.T) {
	for seed := range graphtest.Graphs() / 10 {
		c := graphtest.Random(seed)
		all := c.Actions
		low := map[string]float64{}
		for k := range all {
			c.Actions = all[:k+1]
			n := graphtest.ToNetwork(c)
			chances, err := graph.New(n.Network).Chances(context.Background(), graph.ChanceOptions{Samples: 500, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			for _, goal := range c.Goals {
				if at := chances.At(n.FactOf[goal]); at.Sampled < low[goal] {
					t.Fatalf("seed %d, %s: sampled %v with %s, %v without", seed, goal, at.Sampled, all[k].ID, low[goal])
				} else {
					low[goal] = at.Sampled
				}
			}
		}
	}
}
