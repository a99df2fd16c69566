package graphtest

import (
	"math/bits"
	"slices"
)

// Truth is what trying everything finds out about a goal.
type Truth struct {
	Reachable bool
	Paths     [][]string // ids of minimal sets of actions, each sorted; sorted
	P         float64    // over all outcomes of the actions
	Cuts      [][]string // minimal sets of fixes, the smallest first, then as text; none when no set is enough
}

// Try answers by trying all 2^n outcomes and all sets of fixes.
func Try(c Case, goal string) Truth {
	t := Truth{Paths: [][]string{}, Cuts: [][]string{}}
	derives := make([]bool, 1<<len(c.Actions))
	for works := range derives {
		derives[works] = Derives(c, goal, func(i int) bool { return works>>i&1 == 1 })
		if derives[works] {
			t.P += outcome(c, works)
		}
	}
	t.Reachable = derives[len(derives)-1]
	for works, ok := range derives {
		if ok && minimal(works, func(less int) bool { return derives[less] }) {
			t.Paths = append(t.Paths, names(works, func(i int) string { return c.Actions[i].ID }))
		}
	}
	slices.SortFunc(t.Paths, slices.Compare)
	t.Cuts = cuts(c, goal)
	return t
}

// Derives says whether the goal holds when only some actions work. What has the chance 0 never does.
func Derives(c Case, goal string, works func(int) bool) bool {
	holds := map[string]bool{}
	for _, f := range c.Init {
		holds[f] = true
	}
	for again := true; again; {
		again = false
		for i, a := range c.Actions {
			if a.P == 0 || !works(i) || slices.ContainsFunc(a.Pre, func(f string) bool { return !holds[f] }) {
				continue
			}
			for _, f := range a.Post {
				again = again || !holds[f]
				holds[f] = true
			}
		}
	}
	return holds[goal]
}

func outcome(c Case, works int) float64 {
	p := 1.0
	for i, a := range c.Actions {
		if works>>i&1 == 1 {
			p *= a.P
		} else {
			p *= 1 - a.P
		}
	}
	return p
}

// minimal says whether a set is enough and no smaller one within it. What is enough stays so with more in it.
func minimal(s int, enough func(int) bool) bool {
	for left := s; left != 0; left &= left - 1 {
		if enough(s &^ (left & -left)) {
			return false
		}
	}
	return true
}

func cuts(c Case, goal string) [][]string {
	fixes := Fixes(c)
	stops := make([]bool, 1<<len(fixes))
	for done := range stops {
		stops[done] = !Derives(c, goal, func(i int) bool {
			return !slices.ContainsFunc(c.Actions[i].Fix, func(f string) bool { return done>>slices.Index(fixes, f)&1 == 1 })
		})
	}
	out := [][]string{}
	for done, ok := range stops {
		if ok && minimal(done, func(less int) bool { return stops[less] }) {
			out = append(out, names(done, func(i int) string { return fixes[i] }))
		}
	}
	slices.SortFunc(out, func(a, b []string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return slices.Compare(a, b)
	})
	return out
}

// Fixes lists the fixes of a case, sorted.
func Fixes(c Case) []string {
	var all []string
	for _, a := range c.Actions {
		all = append(all, a.Fix...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func names(s int, name func(int) string) []string {
	list := make([]string, 0, bits.OnesCount(uint(s)))
	for ; s != 0; s &= s - 1 {
		list = append(list, name(bits.TrailingZeros(uint(s))))
	}
	slices.Sort(list)
	return list
}
