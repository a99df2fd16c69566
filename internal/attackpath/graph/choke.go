package graph

import (
	"context"

	"github.com/patchscout/patchscout/internal/attackpath"
)

// Choke is something without which a goal cannot be derived.
type Choke struct {
	Goal     attackpath.Fact
	Hosts    []int64 // in the order in which the best path meets them, without the goal's own
	Findings []int64 // in the order of the best path
}

// Chokes finds, for every goal that can be derived, the hosts and findings that all its derivations need.
func (g *Graph) Chokes(ctx context.Context, goals []attackpath.Fact) ([]Choke, error) {
	var list []Choke
	b, err := g.Best(ctx, attackpath.Removal{})
	if err != nil {
		return nil, err
	}
	for _, goal := range goals {
		p, ok := b.Path(goal)
		if !ok {
			continue
		}
		c := Choke{Goal: goal}
		for _, h := range p.Hosts {
			if h != b.v.hostOf[goal] && !b.v.newView(attackpath.Removal{Hosts: []int64{h}}).reaches(goal) {
				c.Hosts = append(c.Hosts, h)
			}
		}
		for _, s := range p.Steps {
			if f := b.v.finding[s.Action]; f != 0 && !b.v.newView(attackpath.Removal{Findings: []int64{f}}).reaches(goal) {
				c.Findings = append(c.Findings, f)
			}
		}
		list = append(list, c)
	}
	return list, ctx.Err()
}

func (v *view) reaches(f attackpath.Fact) bool { return v.closure(v.beginning(), -1).has(int32(f)) }
