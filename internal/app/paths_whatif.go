package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/attackpath/graph"
	"github.com/patchscout/patchscout/internal/explain"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// maxTried is how many of each are tried at once.
const maxTried = 1000

// shownNew is how many of the paths that are the best ones then are told.
const shownNew = 20

// PathWhatIf says what difference something would make.
func (a *App) PathWhatIf(ctx context.Context, req request.WhatIf) (report.WhatIf, error) {
	removal, rules, err := a.tried(ctx, &req)
	if err != nil {
		return report.WhatIf{}, err
	}
	kind := fmt.Sprintf("what if %#v %#v", removal, rules)
	out, _, err := askPaths(ctx, a, kind, req.Paths, func(ctx context.Context, q *pathsAsked) (report.WhatIf, error) {
		return q.whatIf(ctx, removal, rules)
	})
	return out, err // there is no answer to give in part: errLate is one of those to try again
}

// tried checks what is to be tried.
func (a *App) tried(ctx context.Context, req *request.WhatIf) (r attackpath.Removal, rules []attackpath.PolicyRule, err error) {
	if max(len(req.Findings), len(req.Weaknesses), len(req.Hosts), len(req.Rules)) > maxTried {
		return r, nil, fault.Invalid("more than %d findings, weaknesses, hosts or rules are tried at once", maxTried)
	}
	r.Findings = slices.Clone(req.Findings)
	slices.Sort(r.Findings)
	r.Findings = slices.Compact(r.Findings)
	for _, name := range req.Weaknesses {
		if strings.HasPrefix(strings.ToUpper(name), "CVE-") {
			name = strings.ToUpper(name)
		}
		r.Weaknesses = append(r.Weaknesses, name)
	}
	for _, text := range req.Hosts {
		id, err := a.hostID(ctx, text, req.Site)
		if err != nil {
			return r, nil, err
		}
		r.Hosts = append(r.Hosts, id)
	}
	rules, err = a.triedRules(ctx, req.Rules)
	return r, rules, err
}

// checkFindings refuses findings that are not there, or not for the asker. One that is no step for attackers is fixed in vain.
func (q *pathsAsked) checkFindings(ctx context.Context, ids []int64) error {
	known := q.flawsOf(ids, nil).findings
	for _, id := range ids {
		if _, there := known[id]; there {
			continue
		}
		if _, err := q.app.store.Estate().Finding(ctx, q.app.who.View, id); err != nil {
			return err
		}
	}
	return nil
}

// triedRules reads rules in the words of policy files.
func (a *App) triedRules(ctx context.Context, list []request.PathRule) ([]attackpath.PolicyRule, error) {
	var policy attackpath.PolicySet
	for i, r := range list {
		rule, err := attackpath.NewRule(r.From, r.To, r.Ports, r.Allow, r.Note)
		if err != nil {
			return nil, fault.InvalidOption("rules", "[%d]: %w", i, err)
		}
		rule.N, rule.Note = i+1, strings.TrimSpace("tried "+rule.Note)
		policy.Rules = append(policy.Rules, rule)
	}
	if len(list) == 0 {
		return nil, nil
	}
	return policy.Rules, a.checkPolicy(ctx, policy)
}

// checkPolicy refuses rules about sites that the asker does not see, or that are not there.
func (a *App) checkPolicy(ctx context.Context, p attackpath.PolicySet) error {
	known, err := a.store.Estate().Sites(ctx, a.who.View)
	if err != nil {
		return err
	}
	sites := make([]attackpath.Site, len(known))
	for i, s := range known {
		sites[i] = attackpath.Site{Name: s.Name, External: s.External}
	}
	return p.Validate(sites)
}

// after is the model that a what-if ends in: the same with things taken away, or one of other rules.
func (q *pathsAsked) after(ctx context.Context, rules []attackpath.PolicyRule) (*pathsAsked, error) {
	if len(rules) == 0 {
		return q, nil
	}
	e := q.estate.Estate
	e.Assume = q.assume
	e.Policy.Rules = slices.Concat(rules, e.Policy.Rules)
	if len(e.Assume.From) == 0 { // default entries depend on the rules: what is compared begins at the same places
		for _, entry := range q.model.Entries() {
			e.Assume.From = append(e.Assume.From, entry.Entry)
		}
	}
	model, err := attackpath.Build(ctx, e)
	if err != nil {
		return nil, err
	}
	other := *q
	other.model, other.net, other.graph = model, model.Network(), graph.New(nil)
	other.learn()
	return &other, other.graph.Load(ctx, model.Network())
}

func (q *pathsAsked) whatIf(ctx context.Context, removal attackpath.Removal, rules []attackpath.PolicyRule) (out report.WhatIf, err error) {
	out = report.WhatIf{Gone: []string{}, Left: []string{}, New: []report.Path{}, Jewels: []report.WhatIfJewel{}}
	if err := q.checkFindings(ctx, removal.Findings); err != nil {
		return out, err
	}
	after, err := q.after(ctx, rules)
	if err != nil {
		return out, err
	}
	goals, err := q.goals(ctx)
	if err != nil {
		return out, err
	}
	found, err := q.find(ctx, goals, attackpath.Removal{})
	if err != nil {
		return out, err
	}
	before := found[:min(len(found), q.req.Limit)]
	if err := q.compareTotals(ctx, after, removal, &out); err != nil {
		return out, err
	}
	if err := q.comparePaths(ctx, after, removal, len(rules) > 0, found, &out); err != nil {
		return out, err
	}
	if err := q.compareJewels(ctx, after, removal, rules, goals, &out); err != nil {
		return out, err
	}
	out.Before.Paths, out.After.Paths = len(before), len(out.Left)+len(out.New)
	out.Notices = q.notices()
	for _, name := range removal.Weaknesses { // a slip of the pen looks like a fix that helps nothing
		if !slices.Contains(q.net.Weaknesses, name) {
			out.Notices = append(out.Notices, fmt.Sprintf("No finding of %.64s gives attackers a step here: fixing it changes nothing.", name))
		}
	}
	for _, why := range after.incomplete {
		q.say("%s", why)
	}
	out.Incomplete = q.why()
	out.Complete = out.Incomplete == ""
	for _, why := range q.incomplete {
		if text := explain.LineSentence(why); !slices.Contains(out.Notices, text) {
			out.Notices = append(out.Notices, text)
		}
	}
	out.Says = explain.WhatIf(explain.Difference{Paths: len(before), Gone: len(out.Gone), New: len(out.New), Jewels: out.Before.JewelsReached, Left: out.After.JewelsReached})
	return out, nil
}

func (q *pathsAsked) compareTotals(ctx context.Context, after *pathsAsked, removal attackpath.Removal, out *report.WhatIf) (err error) {
	if out.Before, err = q.totals(ctx, attackpath.Removal{}); err != nil {
		return err
	}
	out.After, err = after.totals(ctx, removal)
	return err
}

// comparePaths says which paths end, which are left and which are the best ones then.
func (q *pathsAsked) comparePaths(ctx context.Context, after *pathsAsked, removal attackpath.Removal, otherRules bool, found []walked, out *report.WhatIf) error {
	gone := q.removes(removal)
	known := map[string]bool{}
	for i := range found {
		w := &found[i]
		known[w.route()] = true
		if i >= q.req.Limit { // not listed, but nothing new either
			continue
		}
		ends := stops(w.path, gone)
		if !ends && otherRules {
			stays, err := after.walkable(ctx, removal, w)
			if err != nil {
				return err
			}
			ends = !stays
		}
		if id := q.idOf(*w); ends {
			out.Gone = append(out.Gone, id)
			delete(known, w.route())
		} else {
			out.Left = append(out.Left, id)
		}
	}
	goals, err := after.goals(ctx)
	if err != nil {
		return err
	}
	best, err := after.find(ctx, goals, removal)
	if err != nil {
		return err
	}
	best = slices.DeleteFunc(best, func(w walked) bool { return known[w.route()] })
	out.New, err = after.tell(ctx, best[:min(len(best), shownNew)])
	return err
}

// route tells walks apart by where they lead.
func (w *walked) route() string { return fmt.Sprint(w.goal.Host, w.path.Hosts) }

// walkable says whether a walk can still be made when nothing but its own hosts is there.
func (q *pathsAsked) walkable(ctx context.Context, removal attackpath.Removal, w *walked) (bool, error) {
	only := removal
	only.Hosts = slices.Clone(removal.Hosts)
	for i := range q.estate.Hosts {
		if id := q.estate.Hosts[i].ID; !slices.Contains(w.path.Hosts, id) && id != w.goal.Host {
			only.Hosts = append(only.Hosts, id)
		}
	}
	reached, err := q.graph.Reached(ctx, only)
	goal, there := q.model.Fact(w.goal.Host, attackpath.User)
	return there && reached.Holds(goal), err
}

// compareJewels says how the jewels stand before and after, and what the expected loss is.
func (q *pathsAsked) compareJewels(ctx context.Context, after *pathsAsked, removal attackpath.Removal, rules []attackpath.PolicyRule, goals []attackpath.Goal, out *report.WhatIf) error {
	now, err := q.chances(ctx, q.graph, attackpath.Removal{})
	if err != nil {
		return err
	}
	then, err := after.chances(ctx, after.graph, removal)
	if err != nil {
		return err
	}
	way := wayOf(removal, rules)
	goalThen := map[int64]attackpath.Fact{}
	for _, g := range after.net.Goals {
		goalThen[g.Host] = g.Fact
	}
	jewels := map[int64]report.WhatIfJewel{}
	for _, g := range q.net.Goals {
		j := report.WhatIfJewel{PathHost: q.hostOf(g.Host), Before: toChance(now, g.Fact)}
		if fact, there := goalThen[g.Host]; there {
			j.After = toChance(then, fact)
		}
		switch way {
		case onlyLess:
			agree(&j.After, &j.Before)
		case onlyMore:
			agree(&j.Before, &j.After)
		case moreAndLess:
		}
		out.Risk += g.Weight * likely(j.Before)
		out.RiskAfter += g.Weight * likely(j.After)
		jewels[g.Host] = j
	}
	for _, g := range goals {
		if j := jewels[g.Host]; j.Before.High > 0 || j.After.High > 0 {
			out.Jewels = append(out.Jewels, j)
		}
	}
	return nil
}

// way says what a change can do to chances.
type way uint8

const (
	moreAndLess way = iota
	onlyLess        // something is taken away
	onlyMore        // something is let through
)

func wayOf(r attackpath.Removal, rules []attackpath.PolicyRule) way {
	allows := slices.ContainsFunc(rules, func(r attackpath.PolicyRule) bool { return r.Allow })
	denies := slices.ContainsFunc(rules, func(r attackpath.PolicyRule) bool { return !r.Allow })
	takes := len(r.Findings)+len(r.Weaknesses)+len(r.Hosts) > 0
	switch {
	case allows && !denies && !takes:
		return onlyMore
	case !allows:
		return onlyLess
	default:
		return moreAndLess
	}
}

// agree lets the bounds of two chances, of which less cannot be above more, say so too: each holds for certain, but which
// paths are united for a lower bound depends on what else there is.
func agree(less, more *report.PathChance) {
	more.Low = max(more.Low, less.Low)
	less.High = min(less.High, more.High)
	for _, c := range []*report.PathChance{less, more} {
		if c.Sampled != nil {
			within := min(max(*c.Sampled, c.Low), c.High)
			c.Sampled = &within
		}
	}
}
