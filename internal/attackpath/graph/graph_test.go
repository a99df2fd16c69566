package graph

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/attackpath"
)

var shapes = map[string]shape2{
	"one need":            {facts: 7, actions: 10, needs: 1},
	"one need, hosts":     {facts: 9, actions: 10, needs: 1, hosts: true},
	"many needs":          {facts: 7, actions: 10, needs: 3},
	"many needs, hosts":   {facts: 9, actions: 11, needs: 2, hosts: true, shared: true},
	"few facts, all ways": {facts: 4, actions: 10, needs: 2, shared: true},
}

func eachSmall(t *testing.T, count int, check func(t *testing.T, s small, g *Graph)) {
	if os.Getenv("TEST_LONG") != "" {
		count *= 10
	}
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(count) {
				n := randomNetwork(seed, shape)
				check(t, brute(n), New(n))
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
		})
	}
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestPathsAreTheLikeliestOfEachSetOfHosts(t *testing.T) {
	eachSmall(t, 150, func(t *testing.T, s small, g *Graph) {
		for f := range s.Facts {
			found, err := g.Paths(context.Background(), attackpath.Question{To: attackpath.Fact(f), K: 100})
			if err != nil || !found.Complete {
				t.Fatal(err, found)
			}
			want := s.best(attackpath.Fact(f))
			var got []float64
			for _, p := range found.Paths {
				got = append(got, p.P)
				checkPath(t, s, attackpath.Fact(f), p)
			}
			if !slices.EqualFunc(got, want, near) {
				t.Errorf("fact %d: chances %v, by trying all %v", f, got, want)
			}
		}
	})
}

func TestDirectPathsAreThoseThatAreNoDetours(t *testing.T) {
	eachSmall(t, 150, func(t *testing.T, s small, g *Graph) {
		for f := range s.Facts {
			all, err := g.Paths(context.Background(), attackpath.Question{To: attackpath.Fact(f), K: 100})
			if err != nil {
				t.Fatal(err)
			}
			var want [][]int64
			for _, p := range all.Paths {
				if hosts := sorted(p.Hosts); !slices.ContainsFunc(want, func(likelier []int64) bool { return len(likelier) > 0 && holdsAll(hosts, likelier) }) {
					want = append(want, hosts)
				}
			}
			direct, err := g.Paths(context.Background(), attackpath.Question{To: attackpath.Fact(f), K: 100, Direct: true})
			var got [][]int64
			for _, p := range direct.Paths {
				got = append(got, sorted(p.Hosts))
			}
			if err != nil || !direct.Complete || !slices.EqualFunc(got, want, slices.Equal[[]int64]) {
				t.Errorf("fact %d: %v over hosts %v, want %v", f, err, got, want)
			}
		}
	})
}

func sorted(hosts []int64) []int64 { return slices.Sorted(slices.Values(hosts)) }

func holdsAll(hosts, part []int64) bool {
	return !slices.ContainsFunc(part, func(h int64) bool { return !slices.Contains(hosts, h) })
}

// checkPath tells that every step has what it needs, that nothing is superfluous, and that alternatives are such.
func checkPath(t *testing.T, s small, to attackpath.Fact, p attackpath.Path) {
	t.Helper()
	set, product := 0, 1.0
	for _, step := range p.Steps {
		a := s.Actions[step.Action]
		holds := s.holds(set)
		for _, f := range a.Pre {
			if !holds[f] {
				t.Errorf("step %v needs %d, which does not hold", step, f)
			}
		}
		set |= 1 << step.Action
		product *= a.P
		for _, other := range step.Alternatives {
			if s.sameAs(int(other)) != s.sameAs(int(step.Action)) || s.Actions[other].P > a.P {
				t.Errorf("step %v: %d is no alternative", step, other)
			}
		}
	}
	if !slices.Contains(s.minimal(to), set) || !near(product, p.P) {
		t.Errorf("path %+v is not minimal or not of the chance %v", p, product)
	}
}

func TestBestDerivationsAreRightWithOneNeed(t *testing.T) {
	eachSmall(t, 100, func(t *testing.T, s small, g *Graph) {
		b, err := g.Best(context.Background(), attackpath.Removal{})
		if err != nil {
			t.Fatal(err)
		}
		all := s.holds(len(s.p) - 1)
		for f := range s.Facts {
			fact := attackpath.Fact(f)
			if b.Reached(fact) != all[f] {
				t.Errorf("fact %d: reached %v", f, b.Reached(fact))
			}
			p, ok := b.Path(fact)
			if ok != all[f] || ok && !near(p.P, b.Chance(fact)) {
				t.Errorf("fact %d: path %+v, chance %v", f, p, b.Chance(fact))
			}
			if want := s.best(fact); g.now.Load().wide == 0 && len(want) > 0 && !near(b.Chance(fact), want[0]) {
				t.Errorf("fact %d: %v, by trying all %v", f, b.Chance(fact), want[0])
			}
		}
	})
}

func TestChancesLieBetweenTheirBounds(t *testing.T) {
	eachSmall(t, 150, func(t *testing.T, s small, g *Graph) {
		c, err := g.Chances(context.Background(), ChanceOptions{Samples: 6400, Seed: 1})
		if err != nil || !c.Complete {
			t.Fatal(err, c.Why)
		}
		b, _ := g.Best(context.Background(), attackpath.Removal{})
		for f, p := range s.chances() {
			at := c.At(attackpath.Fact(f))
			if at.Low > p+1e-9 || at.High < p-1e-9 || at.Low < b.Chance(attackpath.Fact(f))-1e-9 && g.now.Load().wide == 0 {
				t.Errorf("fact %d: %v is not within %+v", f, p, at)
			}
			if math.Abs(at.Sampled-p) > 5*at.Error+1e-6 {
				t.Errorf("fact %d: %v was sampled as %+v", f, p, at)
			}
		}
	})
}

func TestCutsAreTheSmallest(t *testing.T) {
	byFinding := func(a attackpath.Action, removed func(int64) bool) bool { return a.Finding != 0 && removed(a.Finding) }
	byWeakness := func(a attackpath.Action, removed func(int64) bool) bool { return removed(int64(a.Weakness)) }
	eachSmall(t, 150, func(t *testing.T, s small, g *Graph) {
		byHost := func(a attackpath.Action, removed func(int64) bool) bool {
			return removed(a.Host) || removed(s.Facts[a.Post].Host) || slices.ContainsFunc(a.Pre, func(f attackpath.Fact) bool { return removed(s.Facts[f].Host) })
		}
		for _, goals := range [][]attackpath.Fact{{s.Goals[0].Fact}, {s.Goals[0].Fact, s.Goals[1].Fact}} {
			var hosts []int64
			for h := int64(1); h <= 5; h++ {
				if !slices.ContainsFunc(goals, func(f attackpath.Fact) bool { return s.Facts[f].Host == h }) {
					hosts = append(hosts, h)
				}
			}
			checkCut(t, g, CutQuestion{Goals: goals, By: ByFinding}, s.smallestCut(goals, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, byFinding))
			checkCut(t, g, CutQuestion{Goals: goals, By: ByWeakness}, s.smallestCut(goals, []int64{0, 1, 2, 3, 4}, byWeakness))
			checkCut(t, g, CutQuestion{Goals: goals, By: ByHost}, s.smallestCut(goals, hosts, byHost))
		}
	})
}

func checkCut(t *testing.T, g *Graph, q CutQuestion, want int) {
	t.Helper()
	c, err := g.Cut(context.Background(), q)
	switch {
	case err != nil:
		t.Fatal(err)
	case want < 0:
		if c.Possible || !c.Smallest || c.Why == "" {
			t.Errorf("%+v: %+v, but nothing cuts", q, c)
		}
	case !c.Possible || !c.Verified || !c.Smallest || !c.Complete || c.Size != want || c.AtLeast != want && want > 0:
		t.Errorf("%+v: %+v, but %d are enough", q, c, want)
	}
	if c.Possible {
		r, _ := g.Reached(context.Background(), c.Removal())
		if slices.ContainsFunc(q.Goals, r.Holds) {
			t.Errorf("%+v: %+v does not cut", q, c)
		}
	}
}

func TestChokesAreWhatEveryDerivationNeeds(t *testing.T) {
	eachSmall(t, 100, func(t *testing.T, s small, g *Graph) {
		goals := []attackpath.Fact{s.Goals[0].Fact, s.Goals[1].Fact}
		list, err := g.Chokes(context.Background(), goals)
		if err != nil {
			t.Fatal(err)
		}
		all := s.holds(len(s.p) - 1)
		for _, goal := range goals {
			i := slices.IndexFunc(list, func(c Choke) bool { return c.Goal == goal })
			if (i >= 0) != all[goal] {
				t.Fatalf("goal %d: %v", goal, list)
			}
			if i < 0 {
				continue
			}
			var hosts, findings []int64
			for id := int64(1); id <= 11; id++ {
				if r, _ := g.Reached(context.Background(), attackpath.Removal{Hosts: []int64{id}}); !r.Holds(goal) && s.Facts[goal].Host != id {
					hosts = append(hosts, id)
				}
				if r, _ := g.Reached(context.Background(), attackpath.Removal{Findings: []int64{id}}); !r.Holds(goal) {
					findings = append(findings, id)
				}
			}
			got := list[i]
			slices.Sort(got.Hosts)
			slices.Sort(got.Findings)
			if !slices.Equal(got.Hosts, hosts) || !slices.Equal(got.Findings, findings) {
				t.Errorf("%+v, by trying all %v and %v", got, hosts, findings)
			}
		}
	})
}

func TestRiskIsWhatRemovingMakesOfIt(t *testing.T) {
	eachSmall(t, 60, func(t *testing.T, s small, g *Graph) {
		const samples = 300
		list, total, err := g.Risk(context.Background(), RiskOptions{Samples: samples, Seed: 4})
		if err != nil {
			t.Fatal(err)
		}
		drop := map[int64]float64{}
		for _, r := range list {
			drop[r.Finding] = r.Drop
			if r.Drop < 0 {
				t.Errorf("%+v", r)
			}
		}
		for id := int64(1); id <= 11; id++ {
			_, without, err := g.Risk(context.Background(), RiskOptions{Samples: samples, Seed: 4, Without: attackpath.Removal{Findings: []int64{id}}})
			if err != nil || !near(total.Weight-without.Weight, drop[id]) {
				t.Errorf("finding %d: %v before, %v after, drop %v (%v)", id, total, without, drop[id], err)
			}
		}
		c, _ := g.Chances(context.Background(), ChanceOptions{Samples: samples, Seed: 4})
		want := 0.0
		for _, goal := range s.Goals {
			want += goal.Weight * c.Sampled[goal.Fact]
		}
		if !near(want, total.Weight) {
			t.Errorf("%v expected, by sampling the chances %v", total, want)
		}
	})
}

func TestAFlawMoreNeverLowersAChance(t *testing.T) {
	eachSmall(t, 150, func(t *testing.T, s small, g *Graph) {
		all, _ := g.Chances(context.Background(), ChanceOptions{Samples: 320, Seed: 9, United: -1})
		for i := range s.Actions {
			less, _ := g.Chances(context.Background(), ChanceOptions{Samples: 320, Seed: 9, United: -1, Without: attackpath.Removal{Actions: []int32{int32(i)}}})
			smaller := *s.Network
			smaller.Actions = slices.Delete(slices.Clone(s.Actions), i, i+1)
			rebuilt, _ := New(&smaller).Chances(context.Background(), ChanceOptions{Samples: 320, Seed: 9, United: -1})
			for f := range s.Facts {
				for _, l := range []Chances{less, rebuilt} {
					if l.Low[f] > all.Low[f]+1e-9 || l.High[f] > all.High[f]+1e-6 || l.Sampled[f] > all.Sampled[f] {
						t.Errorf("fact %d without action %d: %+v, with it %+v", f, i, l.At(attackpath.Fact(f)), all.At(attackpath.Fact(f)))
					}
				}
				if less.Sampled[f] != rebuilt.Sampled[f] {
					t.Errorf("fact %d: removed %v, never there %v", f, less.Sampled[f], rebuilt.Sampled[f])
				}
			}
		}
	})
}

func TestApplyIsAsIfBuiltAnew(t *testing.T) {
	eachSmall(t, 100, func(t *testing.T, s small, _ *Graph) {
		half := *s.Network
		half.Actions, half.Weaknesses = s.Actions[:6], s.Weaknesses
		g := New(&half)
		change := attackpath.Change{Gone: []int32{1, 4}, New: s.Actions[6:], Facts: []attackpath.FactInfo{{Kind: attackpath.Other, Text: "new"}}}
		if err := g.Apply(context.Background(), change); err != nil {
			t.Fatal(err)
		}
		after := *s.Network
		after.Facts = append(slices.Clone(s.Facts), change.Facts...)
		after.Actions = slices.Concat(s.Actions[:1], s.Actions[2:4], s.Actions[5:])
		want, _ := New(&after).Chances(context.Background(), ChanceOptions{Samples: 64})
		got, _ := g.Chances(context.Background(), ChanceOptions{Samples: 64})
		for f := range after.Facts {
			if !near(want.Low[f], got.Low[f]) || math.Abs(want.High[f]-got.High[f]) > 1e-6 || want.Sampled[f] != got.Sampled[f] {
				t.Errorf("fact %d: %+v, built anew %+v", f, got.At(attackpath.Fact(f)), want.At(attackpath.Fact(f)))
			}
		}
		ix, fresh := g.now.Load(), New(&after).now.Load()
		if ix.wide != fresh.wide || len(ix.givers.data) != len(fresh.givers.data) || len(ix.needers.data) != len(fresh.needers.data) {
			t.Errorf("edges differ: %v, %v", ix.givers, fresh.givers)
		}
	})
}

func TestForwardAndBackward(t *testing.T) {
	// 0 -> 1 -> 2 -> 3 -> 1, and 4 -> 5 that nobody reaches.
	n := chain([][2]attackpath.Fact{{0, 1}, {1, 2}, {2, 3}, {3, 1}, {4, 5}, {5, 2}}, 6)
	g := New(n)
	forward, err := g.Forward(context.Background(), []attackpath.Fact{2})
	if want := []attackpath.Fact{1, 2, 3}; err != nil || !slices.Equal(forward, want) {
		t.Error(forward, err)
	}
	backward, err := g.Backward(context.Background(), 2)
	if want := []attackpath.Fact{0, 1, 2}; err != nil || !slices.Equal(backward, want) {
		t.Error(backward, err)
	}
	if none, _ := g.Backward(context.Background(), 5); none != nil {
		t.Error(none)
	}
}

func TestTheBestWayBetweenTwo(t *testing.T) {
	eachSmall(t, 60, func(t *testing.T, s small, g *Graph) {
		to := s.Goals[0].Fact
		back, err := g.BestTo(context.Background(), to, attackpath.Removal{})
		if err != nil {
			t.Fatal(err)
		}
		for f := range s.Facts {
			from := []attackpath.Fact{attackpath.Fact(f)}
			b, err := g.BestFrom(context.Background(), from, attackpath.Removal{})
			if err != nil {
				t.Fatal(err)
			}
			forward, _ := g.Forward(context.Background(), from)
			if slices.Contains(forward, to) != b.Reached(to) {
				t.Errorf("from %d: %v", f, forward)
			}
			if g.now.Load().wide == 0 && !near(b.Chance(to), back[f]) {
				t.Errorf("from %d to %d: %v forward, %v backward", f, to, b.Chance(to), back[f])
			}
		}
	})
}

func chain(steps [][2]attackpath.Fact, facts int) *attackpath.Network {
	n := &attackpath.Network{Facts: make([]attackpath.FactInfo, facts), Start: []attackpath.Fact{0}}
	for i, s := range steps {
		n.Actions = append(n.Actions, attackpath.Action{Kind: attackpath.Step, Pre: []attackpath.Fact{s[0], s[0]}, Post: s[1], P: 1, Finding: int64(i + 1), Weakness: -1})
	}
	return n
}

func TestOddNetworks(t *testing.T) {
	ctx := context.Background()
	empty := New(nil)
	if r, err := empty.Reached(ctx, attackpath.Removal{}); err != nil || r.Facts != 0 {
		t.Error(r, err)
	}
	if c, err := empty.Cut(ctx, CutQuestion{}); err != nil || !c.Possible || c.Size != 0 {
		t.Error(c, err)
	}
	if _, _, err := empty.Risk(ctx, RiskOptions{}); err != nil {
		t.Error(err)
	}
	if c, err := empty.Chances(ctx, ChanceOptions{Samples: 10}); err != nil || len(c.Low) != 0 {
		t.Error(c, err)
	}
	if _, err := empty.Paths(ctx, attackpath.Question{To: 0}); err == nil {
		t.Error("a fact that is not there was looked for")
	}
	g := New(chain([][2]attackpath.Fact{{0, 1}, {1, 0}}, 3))
	found, _ := g.Paths(ctx, attackpath.Question{To: 0, K: 3})
	if len(found.Paths) != 1 || found.Paths[0].P != 1 || len(found.Paths[0].Steps) != 0 || !found.Complete {
		t.Errorf("a goal that holds from the beginning: %+v", found)
	}
	if found, _ := g.Paths(ctx, attackpath.Question{To: 2, K: 3}); len(found.Paths) != 0 || !found.Complete {
		t.Errorf("a goal that nothing gives: %+v", found)
	}
	if c, _ := g.Cut(ctx, CutQuestion{Goals: []attackpath.Fact{0}}); c.Possible || !c.Smallest {
		t.Errorf("what holds from the beginning was cut: %+v", c)
	}
	c, _ := g.Chances(ctx, ChanceOptions{Samples: 100})
	if at := c.At(1); at != (Chance{Low: 1, High: 1, Sampled: 1}) {
		t.Errorf("what always works: %+v", at)
	}
	if err := g.Load(ctx, &attackpath.Network{Start: []attackpath.Fact{1}}); err == nil {
		t.Error("a network without its facts was loaded")
	}
	if err := g.Apply(ctx, attackpath.Change{Gone: []int32{9}}); err == nil {
		t.Error("an action that is not there was taken away")
	}
}

func TestAnswersAtTheSameTime(t *testing.T) {
	n := randomNetwork(5, shape2{facts: 40, actions: 200, needs: 2, hosts: true})
	g := New(n)
	done := make(chan string)
	ask := func() string {
		p, _ := g.Paths(context.Background(), attackpath.Question{To: 39, K: 5})
		c, _ := g.Chances(context.Background(), ChanceOptions{Samples: 100, Seed: 1})
		cut, _ := g.Cut(context.Background(), CutQuestion{Goals: []attackpath.Fact{39}, By: ByWeakness})
		r, _, _ := g.Risk(context.Background(), RiskOptions{Samples: 100})
		return fmt.Sprint(p, c, cut, r)
	}
	for range 8 {
		go func() { done <- ask() }()
	}
	go func() { done <- fmt.Sprint(g.Apply(context.Background(), attackpath.Change{})) }()
	answers := map[string]bool{}
	for range 9 {
		answers[<-done] = true
	}
	if len(answers) != 2 { // one of the questions, one of the change
		t.Errorf("%d different answers to one question", len(answers)-1)
	}
}

func TestADeadlineEndsASearch(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	g := New(randomNetwork(5, shape2{facts: 40, actions: 200, needs: 2, hosts: true}))
	c, err := g.Chances(ctx, ChanceOptions{Samples: 1000})
	if err == nil && c.Complete {
		t.Error("complete without any time")
	}
	if cut, err := g.Cut(ctx, CutQuestion{Goals: []attackpath.Fact{39}, By: ByWeakness}); err == nil && cut.Possible && !cut.Verified {
		t.Errorf("%+v was given without any time", cut)
	}
	if _, _, err := g.Risk(ctx, RiskOptions{}); err == nil {
		t.Error("risk without any time")
	}
	// Very many derivations with several needs: there is always a path, and it is not passed for all there is.
	hard := New(randomNetwork(1, shape2{facts: 500, actions: 3000, needs: 2}))
	ctx, cancel = context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if found, err := hard.Paths(ctx, attackpath.Question{To: 499, K: 10}); err != nil || len(found.Paths) == 0 || found.Complete || found.Why == "" {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestTheOrderOfActionsDecidesNothing(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(40) {
		n := randomNetwork(seed, shape2{facts: 30, actions: 90, needs: 2, hosts: true})
		shuffled := *n
		shuffled.Actions = slices.Clone(n.Actions)
		rand.New(rand.NewPCG(seed, 8)).Shuffle(len(n.Actions), func(i, j int) {
			shuffled.Actions[i], shuffled.Actions[j] = shuffled.Actions[j], shuffled.Actions[i]
		})
		tell := func(n *attackpath.Network) string {
			g := New(n)
			to := n.Goals[0].Fact
			found, _ := g.Paths(ctx, attackpath.Question{To: to, K: 8})
			text := ""
			for _, p := range found.Paths {
				text += fmt.Sprintf(" %.6f", p.P)
			}
			for _, by := range []By{ByFinding, ByWeakness, ByHost} {
				c, _ := g.Cut(ctx, CutQuestion{Goals: []attackpath.Fact{to}, By: by})
				text += fmt.Sprintf(" %v %d %v", c.Possible, c.Size, c.Smallest)
			}
			c, _ := g.Chances(ctx, ChanceOptions{Samples: 100, Seed: seed})
			r, total, _ := g.Risk(ctx, RiskOptions{Samples: 100, Seed: seed})
			return text + fmt.Sprintf(" %.6f %v %v %.6f %v", c.High[to], c.Sampled[to], total.Samples, total.Weight, len(r))
		}
		if a, b := tell(n), tell(&shuffled); a != b {
			t.Fatalf("seed %d:\n%s\n%s", seed, a, b)
		}
	}
}

func TestADeadlineEndsTrialsInWhichHardlyAnythingHappens(t *testing.T) {
	n := &attackpath.Network{Start: []attackpath.Fact{0}, Facts: make([]attackpath.FactInfo, 1002), Goals: []attackpath.Goal{{Fact: 1001, Weight: 1}}}
	for i := range 1000 {
		for _, a := range [][2]attackpath.Fact{{0, attackpath.Fact(i + 1)}, {attackpath.Fact(i + 1), 1001}} {
			n.Actions = append(n.Actions, attackpath.Action{Kind: attackpath.Step, Pre: []attackpath.Fact{a[0]}, Post: a[1], P: 1e-9, Weakness: -1})
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c, err := New(n).Chances(ctx, ChanceOptions{Samples: 100_000})
	if err != nil || c.Complete || c.Samples != 0 || c.At(1001).High == 0 {
		t.Errorf("%d trials, complete %v, %+v (%v)", c.Samples, c.Complete, c.At(1001), err)
	}
}
