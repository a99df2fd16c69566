package graph_test

import (
	"context"
	"testing"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/attackpath/graph"
	"github.com/patchscout/patchscout/internal/attackpath/graphtest"
)

func estate(b *testing.B, hosts int, flat bool) *attackpath.Model {
	b.Helper()
	e := graphtest.Generate(graphtest.GenerateOptions{Hosts: hosts})
	e.Assume.Flat = flat
	m, err := attackpath.Build(context.Background(), e)
	if err != nil {
		b.Fatal(err)
	}
	return m
}

func eachScenario(b *testing.B, hosts int, run func(b *testing.B, m *attackpath.Model)) {
	for _, flat := range []bool{false, true} {
		b.Run(map[bool]string{false: "site", true: "flat"}[flat], func(b *testing.B) {
			m := estate(b, hosts, flat)
			b.ReportMetric(float64(len(m.Network().Actions)), "actions")
			b.ResetTimer()
			run(b, m)
		})
	}
}

func BenchmarkNew(b *testing.B) {
	eachScenario(b, 10_000, func(b *testing.B, m *attackpath.Model) {
		for b.Loop() {
			graph.New(m.Network())
		}
	})
}

// A fresh graph for every round: answers are kept until something changes.
func BenchmarkBestToEveryJewel(b *testing.B) {
	eachScenario(b, 10_000, func(b *testing.B, m *attackpath.Model) { bestOfAll(b, m) })
}

func BenchmarkBestOf100000Hosts(b *testing.B) {
	eachScenario(b, 100_000, func(b *testing.B, m *attackpath.Model) { bestOfAll(b, m) })
}

func bestOfAll(b *testing.B, m *attackpath.Model) {
	reached := 0
	for b.Loop() {
		b.StopTimer()
		g := graph.New(m.Network())
		b.StartTimer()
		reached = bestToJewels(b, g, m)
	}
	b.ReportMetric(float64(reached), "jewels")
}

func bestToJewels(b *testing.B, g *graph.Graph, m *attackpath.Model) int {
	best, err := g.Best(context.Background(), attackpath.Removal{})
	if err != nil {
		b.Fatal(err)
	}
	reached := 0
	for _, goal := range m.Network().Goals {
		if _, ok := best.Path(goal.Fact); ok {
			reached++
		}
	}
	return reached
}

func BenchmarkTenPathsAndCutsOfEveryJewel(b *testing.B) {
	eachScenario(b, 10_000, func(b *testing.B, m *attackpath.Model) {
		for b.Loop() {
			g := graph.New(m.Network())
			paths, whole, smallest, cuts := 0, 0, 0, 0
			for _, goal := range m.Network().Goals {
				found, err := g.Paths(context.Background(), attackpath.Question{To: goal.Fact, K: 10})
				if err != nil {
					b.Fatal(err)
				}
				paths += len(found.Paths)
				if found.Complete {
					whole++
				}
				for _, by := range []graph.By{graph.ByFinding, graph.ByWeakness} {
					c, err := g.Cut(context.Background(), graph.CutQuestion{Goals: []attackpath.Fact{goal.Fact}, By: by})
					if err != nil {
						b.Fatal(err)
					}
					if cuts++; c.Smallest {
						smallest++
					}
				}
			}
			b.ReportMetric(float64(paths), "paths")
			b.ReportMetric(float64(whole), "whole")
			b.ReportMetric(float64(smallest)/float64(cuts), "smallest/cut")
		}
	})
}

func BenchmarkTenPathsOfEveryJewel(b *testing.B) {
	eachScenario(b, 10_000, func(b *testing.B, m *attackpath.Model) {
		for b.Loop() {
			g := graph.New(m.Network())
			for _, goal := range m.Network().Goals {
				if _, err := g.Paths(context.Background(), attackpath.Question{To: goal.Fact, K: 10}); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

func BenchmarkCutOfAllJewels(b *testing.B) {
	eachScenario(b, 10_000, func(b *testing.B, m *attackpath.Model) {
		g := graph.New(m.Network())
		for b.Loop() {
			for _, by := range []graph.By{graph.ByFinding, graph.ByWeakness, graph.ByHost} {
				c, err := g.Cut(context.Background(), graph.CutQuestion{By: by})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(c.Size), []string{"findings", "weaknesses", "hosts"}[by])
				b.ReportMetric(float64(c.AtLeast), []string{"findings_min", "weaknesses_min", "hosts_min"}[by])
			}
		}
	})
}

func BenchmarkChances1000(b *testing.B) {
	eachScenario(b, 10_000, func(b *testing.B, m *attackpath.Model) {
		for b.Loop() {
			b.StopTimer()
			g := graph.New(m.Network())
			b.StartTimer()
			if _, err := g.Chances(context.Background(), graph.ChanceOptions{Samples: 1000}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkRisk1000(b *testing.B) {
	eachScenario(b, 10_000, func(b *testing.B, m *attackpath.Model) {
		g := graph.New(m.Network())
		for b.Loop() {
			if _, _, err := g.Risk(context.Background(), graph.RiskOptions{Samples: 1000}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkChokes(b *testing.B) {
	eachScenario(b, 10_000, func(b *testing.B, m *attackpath.Model) {
		var goals []attackpath.Fact
		for _, g := range m.Network().Goals {
			goals = append(goals, g.Fact)
		}
		g := graph.New(m.Network())
		for b.Loop() {
			if _, err := g.Chokes(context.Background(), goals); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// One host was looked at again, with one flaw less.
func BenchmarkUpdateAfterOneHost(b *testing.B) {
	eachScenario(b, 10_000, func(b *testing.B, m *attackpath.Model) {
		e := graphtest.Generate(graphtest.GenerateOptions{Hosts: 10_000})
		g := graph.New(m.Network())
		i := 0
		for b.Loop() {
			i = (i + 37) % len(e.Hosts)
			h := e.Hosts[i]
			h.Flaws = h.Flaws[1:]
			change, err := m.Replace(context.Background(), []attackpath.Host{h})
			if err != nil {
				b.Fatal(err)
			}
			if err := g.Apply(context.Background(), change); err != nil {
				b.Fatal(err)
			}
			bestToJewels(b, g, m)
		}
	})
}
