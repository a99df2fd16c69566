package graph

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/attackpath"
)

// By says what a cut is made of.
type By uint8

// The kinds.
const (
	ByFinding  By = iota // each finding is fixed by itself
	ByWeakness           // "patch this everywhere"
	ByHost               // hosts are taken off the network; never the goals' own
)

// CutQuestion asks for the smallest set without which no goal can be derived.
type CutQuestion struct {
	Goals   []attackpath.Fact // none are those of the Network
	By      By
	Exact   int // up to which size the smallest set is looked for exhaustively if need be; 0 is 3
	Without attackpath.Removal
}

// Cut is a set that stops all derivations of the goals that were reached.
type Cut struct {
	Reached    []attackpath.Fact // goals that are reached before, ascending
	Possible   bool              // a cut exists; false also when time ran out before one was found
	Findings   []int64           // ByFinding, ascending
	Weaknesses []string          // ByWeakness, ascending
	Hosts      []int64           // ByHost, ascending
	Size       int
	AtLeast    int  // no smaller set than of this size does
	Verified   bool // asked again without the set: no goal is reached
	Smallest   bool // proven
	Complete   bool // false: a limit or the deadline ended the search; Why says which
	Why        string
}

// Removal is what the cut takes away.
func (c Cut) Removal() attackpath.Removal {
	return attackpath.Removal{Findings: c.Findings, Weaknesses: c.Weaknesses, Hosts: c.Hosts}
}

// Cut finds the smallest set of fixes. Where every action on the way has one need and every finding is on one edge it is a
// minimum cut, proven at any size. Else the set is looked for exhaustively up to Exact and further while that is quick, and
// what is found beyond is as small as its lower limit or said to be perhaps not the smallest.
func (g *Graph) Cut(ctx context.Context, q CutQuestion) (Cut, error) {
	v := g.view(q.Without)
	goals, err := v.goalsOf(q.Goals)
	if err != nil {
		return Cut{}, fmt.Errorf("cut attack paths: %w", err)
	}
	if q.Exact <= 0 {
		q.Exact = 3
	}
	c := Cut{Complete: true}
	safe := map[int64]bool{0: true}
	for _, f := range goals {
		safe[v.hostOf[f]] = true
	}
	goals = v.derived(goals)
	for _, f := range goals {
		c.Reached = append(c.Reached, attackpath.Fact(f))
	}
	if len(goals) == 0 {
		c.Possible, c.Verified, c.Smallest = true, true, true
		return c, ctx.Err()
	}
	n := v.netFor(goals, q.By, safe)
	labels := n.solve(ctx, q.Exact, &c)
	if !c.Possible {
		return c, nil
	}
	n.name(labels, q.By, &c)
	c.Verified = v.verified(c.Removal(), goals)
	c.Smallest = c.Smallest && c.Verified
	return c, nil
}

// goalsOf are the goals that a question is about, ascending, each once.
func (v *view) goalsOf(goals []attackpath.Fact) ([]int32, error) {
	var list []int32
	for _, f := range goals {
		if err := v.known(f); err != nil {
			return nil, err
		}
		list = append(list, int32(f))
	}
	if len(goals) == 0 {
		for _, goal := range v.goals {
			list = append(list, int32(goal.Fact))
		}
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// derived are those facts that can be.
func (v *view) derived(facts []int32) []int32 {
	return slices.DeleteFunc(facts, func(f int32) bool { return !v.reached().has(f) })
}

// verified asks again, of the network itself, without the set as well.
func (v *view) verified(set attackpath.Removal, goals []int32) bool {
	r := cloneRemoval(v.removal)
	r.Findings = append(r.Findings, set.Findings...)
	r.Weaknesses = append(r.Weaknesses, set.Weaknesses...)
	r.Hosts = append(r.Hosts, set.Hosts...)
	w := v.newView(r)
	had := w.closure(w.beginning(), -1)
	return !slices.ContainsFunc(goals, had.has)
}

func (n *cutNet) name(labels []int32, by By, c *Cut) {
	for _, l := range labels {
		switch id := n.ids[l]; by {
		case ByFinding:
			c.Findings = append(c.Findings, id)
		case ByWeakness:
			c.Weaknesses = append(c.Weaknesses, n.from.names[id])
		case ByHost:
			c.Hosts = append(c.Hosts, id)
		}
	}
	slices.Sort(c.Findings)
	slices.SortFunc(c.Weaknesses, strings.Compare)
	slices.Sort(c.Hosts)
	c.Size = len(labels)
}
