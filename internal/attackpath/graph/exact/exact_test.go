package exact_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/attackpath/graph/exact"
	"github.com/patchscout/patchscout/internal/attackpath/graphtest"
)

func solve(t *testing.T, c exact.Case) map[string]exact.GoalAnswer {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	answer, err := exact.Solve(ctx, c)
	if err != nil {
		t.Fatalf("%s: %v", c.Name, err)
	}
	goals := map[string]exact.GoalAnswer{}
	for _, g := range answer.Goals {
		goals[g.Goal] = g
	}
	return goals
}

func TestThreeHostsHaveTwoPathsAndOneFix(t *testing.T) {
	c := graphtest.Published()["three hosts"]
	g := solve(t, c)["work.root"]
	if g.PathCount != 2 || *g.ExactProbability != 1 || !g.Complete {
		t.Errorf("%d paths, P = %v", g.PathCount, *g.ExactProbability)
	}
	web := []string{"CVE-2002-0392 on web"}
	if !reflect.DeepEqual(g.AllMinimalFixCuts, [][]string{web}) || !slices.Equal(g.SinglePointFixes, web) || g.MinFixCut.Size != 1 {
		t.Errorf("the web server's weakness is the only fix: %v, %v", g.AllMinimalFixCuts, g.SinglePointFixes)
	}
	if want := "send to httpd > exploit httpd > mount the export > change a program > wait until it is run"; strings.Join(g.MinimalPaths[0].Steps, " > ") != want {
		t.Errorf("the shorter path comes first, each step after what it needs: %v", g.MinimalPaths[0])
	}
	c.Actions = slices.DeleteFunc(slices.Clone(c.Actions), func(a exact.Action) bool { return slices.Contains(a.Fix, "mountd on file") })
	if g := solve(t, c)["work.root"]; !g.Reachable || g.PathCount != 1 {
		t.Errorf("patching mountd alone does not help: %+v", g)
	}
}

func TestThreeMachinesHaveThreePathsAndTheirChance(t *testing.T) {
	goals := solve(t, graphtest.Published()["three machines"])
	g := goals["m2.root"]
	if g.PathCount != 3 || *g.ExactProbability != 0.08707968 || g.MaxPathProbability != 0.072 {
		t.Errorf("want three paths and 0.08708: %d, %v, %v", g.PathCount, *g.ExactProbability, g.MaxPathProbability)
	}
	want := [][]string{{"local 2"}, {"ftp 0 to 2", "ftp 1 to 2"}, {"ftp 0 to 1", "ftp 0 to 2", "sshd 0 to 1"}}
	if !reflect.DeepEqual(g.AllMinimalFixCuts, want) {
		t.Errorf("cuts %v", g.AllMinimalFixCuts)
	}
	if g := goals["m1.root"]; g.PathCount != 4 || *g.ExactProbability != 0.088371712 {
		t.Errorf("m1: %d paths, %v", g.PathCount, *g.ExactProbability)
	}
}

func TestWebAndDatabaseHaveThePublishedChances(t *testing.T) {
	c := graphtest.Published()["web, database, workstation"]
	goals := solve(t, c)
	if p := *goals["db.root"].ExactProbability; p != 0.4656 {
		t.Errorf("database %v", p)
	}
	if p := *goals["work.user"].ExactProbability; p != 0.7488 {
		t.Errorf("workstation %v", p)
	}
	c.Actions = slices.DeleteFunc(slices.Clone(c.Actions), func(a exact.Action) bool { return a.ID == "visit the own site" })
	goals = solve(t, c)
	if p := *goals["db.root"].ExactProbability; p != 0.4656 {
		t.Errorf("database without the cycle %v", p)
	}
	if g := goals["work.user"]; *g.ExactProbability != 0.72 || !slices.Equal(g.SinglePointFixes, []string{"CVE-2009-1918 on work", "browsing the web"}) {
		t.Errorf("workstation without the cycle %v, %v", *g.ExactProbability, g.SinglePointFixes)
	}
}

// graphs is how many random networks are tried.
func graphs() uint64 {
	if os.Getenv("TEST_LONG") != "" {
		return 10_000
	}
	return 1_000
}

func TestRandomNetworksHaveTheAnswersOfTryingEverything(t *testing.T) {
	for seed := range graphs() {
		c := graphtest.Random(seed)
		if seed%2 == 1 {
			c = graphtest.RandomOdd(seed)
		}
		for goal, g := range solve(t, c) {
			if diff := compare(c, g, graphtest.Try(c, goal)); diff != "" {
				t.Fatalf("%s: %s\n%+v", goal, diff, c)
			}
		}
	}
}

func compare(c exact.Case, g exact.GoalAnswer, want graphtest.Truth) string {
	sets := make([][]string, 0, len(g.MinimalPaths))
	for _, p := range g.MinimalPaths {
		if why := badPath(c, p); why != "" {
			return why
		}
		set := slices.Sorted(slices.Values(p.Steps))
		if set == nil {
			set = []string{}
		}
		sets = append(sets, set)
	}
	slices.SortFunc(sets, slices.Compare)
	switch {
	case !g.Complete:
		return fmt.Sprintf("incomplete: %v", g.Incomplete)
	case g.Reachable != want.Reachable || g.PathCount != len(want.Paths) || !reflect.DeepEqual(sets, want.Paths):
		return fmt.Sprintf("paths %v, want %v", sets, want.Paths)
	case g.ExactProbability == nil || math.Abs(*g.ExactProbability-want.P) > 1e-12:
		return fmt.Sprintf("chance %v, want %v", *g.ExactProbability, want.P)
	case !reflect.DeepEqual(g.AllMinimalFixCuts, want.Cuts):
		return fmt.Sprintf("cuts %v, want %v", g.AllMinimalFixCuts, want.Cuts)
	case (g.MinFixCut == nil) != (len(want.Cuts) == 0):
		return fmt.Sprintf("smallest cut %v of %v", g.MinFixCut, want.Cuts)
	}
	return compareCuts(g, want.Cuts)
}

func compareCuts(g exact.GoalAnswer, cuts [][]string) string {
	single := []string{}
	for _, cut := range cuts {
		if len(cut) == 1 {
			single = append(single, cut[0])
		}
	}
	if !slices.Equal(g.SinglePointFixes, single) {
		return fmt.Sprintf("single fixes %v, want %v", g.SinglePointFixes, single)
	}
	if len(cuts) == 0 {
		return ""
	}
	smallest := slices.DeleteFunc(slices.Clone(cuts), func(cut []string) bool { return len(cut) > len(cuts[0]) })
	if !reflect.DeepEqual(*g.MinFixCut, exact.FixCut{Size: len(cuts[0]), Sets: smallest}) {
		return fmt.Sprintf("smallest %v, want %v", *g.MinFixCut, smallest)
	}
	return ""
}

// badPath says what is wrong with the order or the chance of a path.
func badPath(c exact.Case, p exact.Path) string {
	holds := map[string]bool{}
	for _, f := range c.Init {
		holds[f] = true
	}
	chance := 1.0
	for _, id := range p.Steps {
		a := c.Actions[slices.IndexFunc(c.Actions, func(a exact.Action) bool { return a.ID == id })]
		for _, f := range a.Pre {
			if !holds[f] {
				return fmt.Sprintf("%v: %s needs %s", p.Steps, id, f)
			}
		}
		for _, f := range a.Post {
			holds[f] = true
		}
		chance *= a.P
	}
	if math.Abs(chance-p.Probability) > 1e-12 {
		return fmt.Sprintf("%v: chance %v, want %v", p.Steps, p.Probability, chance)
	}
	return ""
}

func TestAnotherActionNeverLowersAChance(t *testing.T) {
	for seed := range graphs() / 10 {
		c := graphtest.Random(seed)
		all := c.Actions
		before := map[string]float64{}
		for n := range all {
			c.Actions = all[:n+1]
			for goal, g := range solve(t, c) {
				if *g.ExactProbability < before[goal]-1e-15 {
					t.Fatalf("seed %d, %s: %v with %s, %v without", seed, goal, *g.ExactProbability, all[n].ID, before[goal])
				}
				before[goal] = *g.ExactProbability
			}
		}
	}
}

func TestTheSameCaseHasTheSameAnswer(t *testing.T) {
	for seed := range uint64(50) {
		c := graphtest.Random(seed)
		if a, b := solve(t, c), solve(t, c); !reflect.DeepEqual(a, b) {
			t.Fatalf("seed %d: %+v\n%+v", seed, a, b)
		}
	}
}
