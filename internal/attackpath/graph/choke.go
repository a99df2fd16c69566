package graph

import (
	"context"
	"slices"

	"github.com/patchscout/patchscout/internal/attackpath"
)

// Choke is something without which a goal cannot be derived.
type Choke struct {
	Goal     attackpath.Fact
	Hosts    []int64 // in the order in which the best path meets them, without the goal's own
	Findings []int64 // in the order of the best path
}

// Chokes finds, for every goal that can be derived, the hosts and findings that all its derivations need. Such a thing lies on
// the best path, so only what does is tried: 64 removals in one wave. With several needs it is as exact as with one.
func (g *Graph) Chokes(ctx context.Context, goals []attackpath.Fact) ([]Choke, error) {
	v := g.view(attackpath.Removal{})
	t := newTrial(v)
	var list []Choke
	var paths []attackpath.Path
	b := Best{v: v, d: v.best()}
	for _, goal := range goals {
		if p, ok := b.Path(goal); ok {
			list, paths = append(list, Choke{Goal: goal}), append(paths, p)
			t.want(int32(goal), p, v)
		}
	}
	lost, err := t.run(ctx, listGoals(list))
	if err != nil {
		return nil, err
	}
	for i := range list {
		c := &list[i]
		for _, s := range paths[i].Steps {
			if h := v.host[v.edge[s.Action]]; h != 0 && h != v.hostOf[c.Goal] && lost(int32(c.Goal), t.hosts[h]) && !slices.Contains(c.Hosts, h) {
				c.Hosts = append(c.Hosts, h)
			}
			if f := v.finding[s.Action]; f != 0 && lost(int32(c.Goal), t.findings[f]) && !slices.Contains(c.Findings, f) {
				c.Findings = append(c.Findings, f)
			}
		}
	}
	return list, nil
}

func listGoals(list []Choke) []int32 {
	var goals []int32
	for _, c := range list {
		goals = append(goals, int32(c.Goal))
	}
	return goals
}

// trial tries removals, each by itself. Removals are numbered as they come.
type trial struct {
	*view
	hosts    map[int64]int32
	findings map[int64]int32
	order    []suspect
}

type suspect struct{ host, finding int64 }

func newTrial(v *view) *trial {
	return &trial{view: v, hosts: map[int64]int32{}, findings: map[int64]int32{}}
}

func (t *trial) want(goal int32, p attackpath.Path, v *view) {
	for _, s := range p.Steps {
		e := v.edge[s.Action]
		if h := v.host[e]; h != 0 && h != v.hostOf[goal] {
			number(t, t.hosts, h, suspect{host: h})
		}
		if f := v.finding[s.Action]; f != 0 {
			number(t, t.findings, f, suspect{finding: f})
		}
	}
}

func number(t *trial, known map[int64]int32, id int64, s suspect) {
	if _, ok := known[id]; !ok {
		known[id] = int32(len(t.order))
		t.order = append(t.order, s)
	}
}

// run returns whether a goal is lost by a removal.
func (t *trial) run(ctx context.Context, goals []int32) (func(goal, removal int32) bool, error) {
	w := newWave(t.view, t.relevant(goals))
	lost := make(map[int32][]uint64, len(goals))
	for from := 0; from < len(t.order); from += 64 {
		if err := w.run(ctx, cases(len(t.order), from/64), t.working(t.order[from:min(from+64, len(t.order))])); err != nil {
			return nil, err
		}
		for _, goal := range goals {
			if len(lost[goal]) == from/64 { // a goal may be named twice
				lost[goal] = append(lost[goal], ^w.holds[goal])
			}
		}
	}
	return func(goal, removal int32) bool { return lost[goal][removal/64]>>(removal%64)&1 != 0 }, nil
}

// working tells in which of up to 64 cases, each without one suspect, an edge works.
func (t *trial) working(without []suspect) func(e int32) uint64 {
	hosts, findings := map[int64]uint64{}, map[int64]uint64{}
	for i, s := range without {
		if s.host != 0 {
			hosts[s.host] |= 1 << i
		} else {
			findings[s.finding] |= 1 << i
		}
	}
	return func(e int32) uint64 {
		off := hosts[t.host[e]] | hosts[t.hostOf[t.post[e]]]
		for _, f := range t.pre.of(e) {
			off |= hosts[t.hostOf[f]]
		}
		works := uint64(0)
		for _, a := range t.members.of(e) {
			if t.gone == nil || !t.gone.has(a) {
				works |= ^findings[t.finding[a]]
			}
		}
		return works &^ off
	}
}
