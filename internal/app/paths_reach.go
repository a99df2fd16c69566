package app

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/explain"
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
		if forward { // the question begins on the host
			for _, entry := range q.model.EntryNotices() {
				out.Notices = slices.DeleteFunc(out.Notices, func(n string) bool { return n == explain.Line(entry) })
			}
		}
		out.Incomplete = q.why()
		out.Complete = out.Incomplete == ""
		return out, nil
	})
	if errors.Is(err, errLate) {
		out.Incomplete, out.Host = report.Text(errLate.Error()), report.PathHost{ID: id, Name: host}
		return out, nil
	}
	return doc, err
}

// exposes lists the hosts to which one gets who is a user of a host and has nothing else.
func (q *pathsAsked) exposes(ctx context.Context, id int64) ([]report.PathReached, error) {
	fact, there := q.model.Fact(id, attackpath.User)
	if !there {
		return nil, nil
	}
	best, err := q.graph.BestFrom(ctx, []attackpath.Fact{fact}, attackpath.Removal{})
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

// leadsTo lists the hosts from which one gets to a host. What a step needs besides, as a login does, is had from where
// attackers begin, or from the host itself.
func (q *pathsAsked) leadsTo(ctx context.Context, id int64) ([]report.PathReached, error) {
	goal, there := q.model.Fact(id, attackpath.User)
	if !there {
		return nil, nil
	}
	chance, err := q.graph.BestTo(ctx, goal, attackpath.Removal{})
	if err != nil {
		return nil, err
	}
	if err := q.addAlone(ctx, goal, chance); err != nil {
		return nil, err
	}
	return q.held(id, attackpath.User, func(f attackpath.Fact) float64 { return chance[f] }), nil
}

// maxAlone is of how many hosts it is asked one by one what they lead to.
const maxAlone = 1000

// addAlone raises the chances of hosts that give more than one thing that a step needs: with nothing but the host.
func (q *pathsAsked) addAlone(ctx context.Context, goal attackpath.Fact, chance []float64) error {
	if !slices.ContainsFunc(q.net.Actions, func(a attackpath.Action) bool { return len(a.Pre) > 1 }) {
		return nil
	}
	limited, cancel := partOf(ctx, 0.5)
	defer cancel()
	for i := range q.estate.Hosts {
		fact, there := q.model.Fact(q.estate.Hosts[i].ID, attackpath.User)
		if !there {
			continue
		}
		best, err := q.graph.BestFrom(limited, []attackpath.Fact{fact}, attackpath.Removal{})
		if tooSlow(ctx, err) || i == maxAlone {
			q.say("steps that need several things at once, as a port and a login, are taken to have the others from where attackers begin")
			return nil
		}
		if err != nil {
			return err
		}
		chance[fact] = max(chance[fact], best.Chance(goal))
	}
	return nil
}
