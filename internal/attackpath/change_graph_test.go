package attackpath_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/attackpath/graph"
	"github.com/patchscout/patchscout/internal/attackpath/graphtest"
)

// A graph that follows a model's changes, one that loads the model as it is then, and one of a model that is built anew
// answer alike.
func TestAGraphFollowsAModel(t *testing.T) {
	ctx := context.Background()
	reached := 0
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 1))
		size := graphtest.GenerateOptions{Hosts: 150, Sites: 8, Jewels: 5, Seed: seed}
		e, other := graphtest.Generate(size), graphtest.Generate(graphtest.GenerateOptions{Hosts: 150, Sites: 8, Jewels: 5, Seed: seed + 1000})
		e.Assume = attackpath.Assumptions{Flat: seed%2 == 0, Reuse: seed%3 == 0, Secrets: seed%4 == 0}
		m, following := loaded(t, e)
		for range 15 {
			i := r.IntN(len(e.Hosts))
			h := e.Hosts[i]
			h.Services, h.Flaws = other.Hosts[i].Services, other.Hosts[i].Flaws
			h.Jewel = r.IntN(10) == 0
			c, err := m.Replace(ctx, []attackpath.Host{h})
			if err != nil {
				t.Fatal(err)
			}
			if err := following.Apply(ctx, c); err != nil {
				t.Fatal(err)
			}
			e.Hosts = append(append(append([]attackpath.Host{}, e.Hosts[:i]...), h), e.Hosts[i+1:]...)
		}
		anew, fresh := loaded(t, e)
		again := graph.New(nil)
		if err := again.Load(ctx, m.Network()); err != nil {
			t.Fatal(err)
		}
		for _, h := range e.Hosts {
			for _, p := range []attackpath.Privilege{attackpath.User, attackpath.Root} {
				want := cost(t, fresh, anew, h.ID, p)
				if !math.IsInf(want, 1) {
					reached++
				}
				if a, b := cost(t, following, m, h.ID, p), cost(t, again, m, h.ID, p); !near(a, want) || !near(b, want) {
					t.Fatalf("seed %d, %v of host %d: cost %v by changes, %v loaded after them, %v built anew", seed, p, h.ID, a, b, want)
				}
			}
		}
	}
	if reached < 100 {
		t.Errorf("only %d privileges are reached at all: the test says little", reached)
	}
}

func near(a, b float64) bool { return a == b || math.Abs(a-b) < 1e-6 }

func loaded(t *testing.T, e attackpath.Estate) (*attackpath.Model, *graph.Graph) {
	t.Helper()
	m, err := attackpath.Build(context.Background(), e)
	if err != nil {
		t.Fatal(err)
	}
	g := graph.New(nil)
	if err := g.Load(context.Background(), m.Network()); err != nil {
		t.Fatal(err)
	}
	return m, g
}

func cost(t *testing.T, g *graph.Graph, m *attackpath.Model, host int64, p attackpath.Privilege) float64 {
	t.Helper()
	f, ok := m.Fact(host, p)
	if !ok {
		return math.Inf(1)
	}
	best, err := g.Best(context.Background(), attackpath.Removal{})
	if err != nil {
		t.Fatal(err)
	}
	return best.Cost(f)
}
