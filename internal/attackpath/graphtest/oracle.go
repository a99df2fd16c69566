package graphtest

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/patchscout/patchscout/internal/attackpath/graph/exact"
)

// Truth is what trying everything finds out about a goal.
type Truth struct {
	Reachable bool
	Paths     [][]string // ids of minimal sets of actions, each sorted; sorted
	P         float64    // over all outcomes of the actions
	Cuts      [][]string // minimal sets of fixes, the smallest first, then as text; none when no set is enough
}

// Try answers by trying all 2^n outcomes and all sets of fixes. It takes up to 64 facts.
func Try(c Case, goal string) Truth {
	t := Truth{Paths: [][]string{}}
	m := small(c, goal)
	derives := make([]bool, 1<<len(c.Actions))
	for works := range derives {
		derives[works] = m.derives(func(i int) bool { return works>>i&1 == 1 })
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
	t.Cuts = cuts(c, m)
	return t
}

// Derives says whether the goal holds when only some actions work. What has the chance 0 never does.
func Derives(c Case, goal string, works func(int) bool) bool { return small(c, goal).derives(works) }

// masks are a case with facts as bits.
type masks struct {
	pre, post   []uint64
	never       []bool
	start, goal uint64
}

func small(c Case, goal string) masks {
	known := map[string]uint64{}
	bit := func(facts ...string) uint64 {
		all := uint64(0)
		for _, f := range facts {
			if known[f] == 0 {
				known[f] = 1 << len(known)
			}
			all |= known[f]
		}
		return all
	}
	m := masks{start: bit(c.Init...), goal: bit(goal)}
	for _, a := range c.Actions {
		m.pre, m.post, m.never = append(m.pre, bit(a.Pre...)), append(m.post, bit(a.Post...)), append(m.never, a.P == 0)
	}
	if len(known) > 64 {
		panic("more than 64 facts")
	}
	return m
}

func (m masks) derives(works func(int) bool) bool {
	holds := m.start
	for before := ^holds; before != holds; {
		before = holds
		for i := range m.pre {
			if !m.never[i] && m.pre[i]&^holds == 0 && works(i) {
				holds |= m.post[i]
			}
		}
	}
	return holds&m.goal != 0
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

func cuts(c Case, m masks) [][]string {
	fixes := Fixes(c)
	by := make([]int, len(c.Actions)) // that take each action away
	for i, a := range c.Actions {
		for _, f := range a.Fix {
			by[i] |= 1 << slices.Index(fixes, f)
		}
	}
	stops := make([]bool, 1<<len(fixes))
	for done := range stops {
		stops[done] = !m.derives(func(i int) bool { return by[i]&done == 0 })
	}
	out := [][]string{}
	for done, ok := range stops {
		if ok && minimal(done, func(less int) bool { return stops[less] }) {
			out = append(out, names(done, func(i int) string { return fixes[i] }))
		}
	}
	slices.SortFunc(out, func(a, b []string) int { return cmp.Or(len(a)-len(b), slices.Compare(a, b)) })
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

func hasID(id string) func(exact.Action) bool {
	return func(a exact.Action) bool { return a.ID == id }
}
