// Package graphtest holds what every attackpath.Graph must get right: small random networks with answers found by trying
// everything, and published networks. It is for tests only, and slow on purpose: what judges others must be simple.
package graphtest

import (
	"fmt"
	"math/rand/v2"

	"github.com/patchscout/patchscout/internal/attackpath/graph/exact"
)

// Case is a network of facts and actions with its questions.
type Case = exact.Case

// Random makes a small network: 4 to 11 actions, some of several needs, cycles, fixes that several share, some that nothing
// takes away, chances of 1 and below. The same seed makes the same network.
func Random(seed uint64) Case {
	r := rand.New(rand.NewPCG(seed, 0x70617468))
	c := Case{Name: fmt.Sprintf("random %d", seed), Init: []string{"h0.entry", "h0.other"}}
	entries := c.Init
	var gained []string
	for h := 1 + r.IntN(3); h > 0; h-- {
		gained = append(gained, fmt.Sprintf("h%d.user", h), fmt.Sprintf("h%d.root", h))
	}
	for i := range 4 + r.IntN(8) {
		a := exact.Action{ID: fmt.Sprintf("a%d", i), Post: []string{gained[r.IntN(len(gained))]}, P: 1}
		for range 1 + r.IntN(3)*r.IntN(2) {
			from := gained
			if r.IntN(5) < 2 {
				from = entries
			}
			a.Pre = append(a.Pre, from[r.IntN(len(from))])
		}
		if r.IntN(4) > 0 {
			a.P = float64(1+r.IntN(9)) / 10
		}
		if r.IntN(8) > 0 {
			a.Fix = []string{fmt.Sprintf("fix%d", r.IntN(7))}
		}
		c.Actions = append(c.Actions, a)
	}
	c.Goals = []string{gained[0], gained[r.IntN(len(gained))]}
	return c
}

// RandomOdd is Random with what only package exact knows: actions of no needs, of several gains or several fixes, and those
// that never work.
func RandomOdd(seed uint64) Case {
	r := rand.New(rand.NewPCG(seed, 0x6f6464))
	c := Random(seed)
	for i := range c.Actions {
		a := &c.Actions[i]
		switch r.IntN(8) {
		case 0:
			a.Post = append(a.Post, c.Actions[r.IntN(len(c.Actions))].Post...)
		case 1:
			a.Fix = append(a.Fix, fmt.Sprintf("fix%d", r.IntN(7)))
		case 2:
			if r.IntN(4) == 0 {
				a.Pre = nil
			}
		case 3:
			if r.IntN(3) == 0 {
				a.P = 0
			}
		case 4:
			a.Pre = append(a.Pre, a.Post[0])
		}
	}
	return c
}
