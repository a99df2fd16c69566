package exact_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/attackpath/graph/exact"
	"github.com/patchscout/patchscout/internal/attackpath/graphtest"
)

func step(from, to string, p float64, fix ...string) exact.Action {
	return exact.Action{ID: from + " to " + to, Pre: []string{from}, Post: []string{to}, P: p, Fix: fix}
}

// hosts of which everyone reaches everyone, goal the last one.
func complete(n int) exact.Case {
	c := exact.Case{Name: "complete", Init: []string{"h0"}, Goals: []string{fmt.Sprint("h", n-1)}}
	for i := range n {
		for j := 1; j < n; j++ {
			if i != j {
				c.Actions = append(c.Actions, step(fmt.Sprint("h", i), fmt.Sprint("h", j), 0.5, fmt.Sprint("f", i, j)))
			}
		}
	}
	return c
}

// a row of hosts with two ways from each to the next, and a way back.
func row(n int) exact.Case {
	c := exact.Case{Name: "row", Init: []string{"h0"}, Goals: []string{fmt.Sprint("h", n)}}
	for i := range n {
		a, b := fmt.Sprint("h", i), fmt.Sprint("h", i+1)
		second := step(a, b, 0.6, fmt.Sprint("b", i))
		second.ID += " again"
		c.Actions = append(c.Actions, step(a, b, 0.9, fmt.Sprint("a", i%5)), second, step(b, a, 1))
	}
	return c
}

func TestAllPathsOfEightHostsThatReachEachOther(t *testing.T) {
	g := solve(t, complete(8))["h7"]
	if !g.Complete || g.PathCount != 1957 { // sum of 6!/(6-k)!
		t.Errorf("%d paths, %v", g.PathCount, g.Incomplete)
	}
	if g.MinFixCut.Size != 7 || len(g.MinFixCut.Sets) != 2 {
		t.Errorf("cut at the beginning or at the end: %+v", g.MinFixCut)
	}
	small := solve(t, complete(4))["h3"]
	if want := graphtest.Try(complete(4), "h3").P; math.Abs(*small.ExactProbability-want) > 1e-12 {
		t.Errorf("%v, want %v", *small.ExactProbability, want)
	}
}

func TestMorePathsThanCanBeListedStillHaveTheirChanceAndCuts(t *testing.T) {
	g := solve(t, row(40))["h40"] // 2^40 paths
	if g.Complete || len(g.Incomplete) != 1 || g.PathCount < 1000 {
		t.Errorf("%d paths, %v", g.PathCount, g.Incomplete)
	}
	if want := math.Pow(0.9, 40); math.Abs(g.MaxPathProbability-want) > 1e-12 {
		t.Errorf("the likeliest comes first: %v, want %v", g.MaxPathProbability, want)
	}
	if want := math.Pow(0.96, 40); g.ExactProbability == nil || math.Abs(*g.ExactProbability-want) > 1e-12 {
		t.Errorf("chance %v, want %v", g.ExactProbability, want)
	}
	if g.MinFixCut == nil || g.MinFixCut.Size != 2 || len(g.AllMinimalFixCuts) != 40 {
		t.Errorf("a pair at each host: %+v, %d", g.MinFixCut, len(g.AllMinimalFixCuts))
	}
}

func TestThreeOfFive(t *testing.T) {
	c := exact.Case{Init: []string{"s"}, Goals: []string{"goal"}}
	for i := range 5 {
		c.Actions = append(c.Actions, step("s", fmt.Sprint("m", i), 0.5, fmt.Sprint("f", i)))
	}
	for i := range 5 {
		for j := i + 1; j < 5; j++ {
			for k := j + 1; k < 5; k++ {
				c.Actions = append(c.Actions, exact.Action{ID: fmt.Sprint("any", i, j, k), Pre: []string{fmt.Sprint("m", i), fmt.Sprint("m", j), fmt.Sprint("m", k)}, Post: []string{"goal"}, P: 1})
			}
		}
	}
	g := solve(t, c)["goal"]
	if *g.ExactProbability != 0.5 || g.PathCount != 10 || g.MinFixCut.Size != 3 || len(g.MinFixCut.Sets) != 10 {
		t.Errorf("%v, %d paths, %+v", *g.ExactProbability, g.PathCount, g.MinFixCut)
	}
}

func TestWhatIsNotFinishedInTimeIsSaid(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), time.Nanosecond)
	defer stop()
	<-ctx.Done()
	c := row(6)
	answer, err := exact.Solve(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	g, want := answer.Goals[0], math.Pow(0.96, 6)
	if g.Complete || !g.Reachable || g.PathCount < 1 || badPath(c, g.MinimalPaths[0]) != "" {
		t.Errorf("a path is known in any case: %+v", g)
	}
	switch {
	case g.ExactProbability != nil:
		if math.Abs(*g.ExactProbability-want) > 1e-12 {
			t.Errorf("chance %v, want %v", *g.ExactProbability, want)
		}
	case g.ProbabilityBounds[0] > want || g.ProbabilityBounds[1] < want:
		t.Errorf("%v is not within %v", want, g.ProbabilityBounds)
	}
	if !slices.ContainsFunc(g.Incomplete, func(s string) bool { return s == "min_fix_cut: time was up" }) || g.MinFixCut != nil {
		t.Errorf("the smallest cut is not known: %v, %v", g.MinFixCut, g.Incomplete)
	}
}

func TestStoppingEnds(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := exact.Solve(ctx, row(40)); err == nil {
		t.Error("a stopped search has no answer")
	}
}
