package app

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"math"
	"slices"
	"strconv"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// PathReach says what a host exposes (forward: to whom one who is a user there gets), or what leads to it.
func (a *App) PathReach(ctx context.Context, req request.Paths, host string, forward bool) (report.PathReach, error) {
	id, err := a.hostID(ctx, host, req.Site)
	if err != nil {
		return report.PathReach{}, err
	}
	out := report.PathReach{Direction: "backward", Hosts: []report.PathReached{}, Notices: []string{}}
	ask := (*pathsAsked).leadsTo
	if forward {
		out.Direction, ask = "forward", (*pathsAsked).exposes
		req.From = []string{"host:" + strconv.FormatInt(id, 10)}
	}
	doc, _, err := askPaths(ctx, a, out.Direction+" "+strconv.FormatInt(id, 10), req, func(ctx context.Context, q *pathsAsked) (report.PathReach, error) {
		if _, there := q.estate.host(id); !there {
			return out, fault.NotFound("no host %s", host)
		}
		reached, err := ask(q, ctx, id)
		if err != nil {
			return out, err
		}
		slices.SortStableFunc(reached, func(a, b report.PathReached) int {
			return cmp.Or(cmp.Compare(b.Chance, a.Chance), cmp.Compare(a.ID, b.ID))
		})
		out.Host, out.Total, out.Hosts, out.Notices = q.hostOf(id), len(reached), append(out.Hosts, reached[:min(len(reached), q.req.Limit)]...), q.notices()
		return out, nil
	})
	if errors.Is(err, errLate) {
		out.Notices = append(out.Notices, errLate.Error())
		out.Host = report.PathHost{ID: id, Name: host}
		return out, nil
	}
	return doc, err
}

// exposes lists the hosts to which one gets who begins on a host: the question's only entry point.
func (q *pathsAsked) exposes(ctx context.Context, id int64) ([]report.PathReached, error) {
	best, err := q.graph.Best(ctx, attackpath.Removal{})
	if err != nil {
		return nil, err
	}
	return q.held(id, attackpath.Root, best.Chance), nil
}

// held lists the other hosts on which to be somebody has a chance: the likeliest one, and of the privileges that have any the
// one that is asked for first.
func (q *pathsAsked) held(without int64, first attackpath.Privilege, chance func(attackpath.Fact) float64) []report.PathReached {
	out := []report.PathReached{}
	for i := range q.estate.Hosts {
		h := &q.estate.Hosts[i]
		one := report.PathReached{PathHost: q.hostOf(h.ID)}
		for _, p := range []attackpath.Privilege{attackpath.User, attackpath.Root} {
			fact, there := q.model.Fact(h.ID, p)
			if c := 0.0; there {
				if c = chance(fact); c > 0 && (p == first || one.Privilege == "") {
					one.Privilege = p.String()
				}
				one.Chance = max(one.Chance, c)
			}
		}
		if one.Chance > 0 && h.ID != without {
			out = append(out, one)
		}
	}
	return out
}

// leadsTo lists the hosts from which one gets to a host. Where a step needs several things, what is not had from there is
// taken to be had.
func (q *pathsAsked) leadsTo(ctx context.Context, id int64) ([]report.PathReached, error) {
	goal, there := q.model.Fact(id, attackpath.User)
	if !there {
		return nil, nil
	}
	used, err := q.graph.Backward(ctx, goal)
	if err != nil {
		return nil, err
	}
	cost := q.costsTo(goal, used)
	return q.held(id, attackpath.User, func(f attackpath.Fact) float64 {
		if c, leads := cost[f]; leads {
			return math.Exp(-c)
		}
		return 0
	}), nil
}

// costsTo is what the cheapest way from each fact to a goal costs, in -ln of its chance: Dijkstra's algorithm backward over
// the facts that are used.
func (q *pathsAsked) costsTo(goal attackpath.Fact, used []attackpath.Fact) map[attackpath.Fact]float64 {
	inside := make([]bool, len(q.net.Facts))
	for _, f := range used {
		inside[f] = true
	}
	givers := map[attackpath.Fact][]int32{}
	for i := range q.net.Actions {
		if a := &q.net.Actions[i]; inside[a.Post] && a.P > 0 {
			givers[a.Post] = append(givers[a.Post], int32(i)) //nolint:gosec // far fewer
		}
	}
	cost, settled := map[attackpath.Fact]float64{goal: 0}, map[attackpath.Fact]bool{}
	open := &costly{{goal, 0}}
	for open.Len() > 0 {
		at := heap.Pop(open).(costlyFact)
		if settled[at.fact] {
			continue
		}
		settled[at.fact] = true
		for _, n := range givers[at.fact] {
			a := &q.net.Actions[n]
			c := at.cost + math.Abs(math.Log(a.P))
			for _, need := range a.Pre {
				if known, there := cost[need]; inside[need] && (!there || c < known) {
					cost[need] = c
					heap.Push(open, costlyFact{need, c})
				}
			}
		}
	}
	return cost
}

type costlyFact struct {
	fact attackpath.Fact
	cost float64
}

// costly is a heap, the cheapest first.
type costly []costlyFact

func (h costly) Len() int           { return len(h) }
func (h costly) Less(i, j int) bool { return h[i].cost < h[j].cost }
func (h costly) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *costly) Push(x any)        { *h = append(*h, x.(costlyFact)) }
func (h *costly) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
