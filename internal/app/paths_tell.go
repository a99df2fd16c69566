package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/explain"
	"github.com/patchscout/patchscout/internal/report"
)

// stepKinds are the kinds of steps as documents call them.
var stepKinds = map[attackpath.ActionKind]string{
	attackpath.Exploit: "exploit", attackpath.Moves: "moves", attackpath.Enters: "enters", attackpath.Implies: "implies", attackpath.LogsIn: "logs_in",
	attackpath.Reusing: "reuse", attackpath.SameHost: "same_host", attackpath.Step: "step",
}

// tell puts paths into documents.
func (q *pathsAsked) tell(ctx context.Context, list []walked) ([]report.Path, error) {
	out := make([]report.Path, 0, len(list))
	var flaws []*attackpath.Flaw
	for _, w := range list {
		for _, s := range w.path.Steps {
			flaws = append(flaws, q.net.Actions[s.Action].Flaw)
		}
	}
	if err := q.learnRemedies(ctx, flaws); err != nil {
		return out, err
	}
	for _, w := range list {
		p, err := q.tellOne(ctx, w)
		if err != nil {
			return out, err
		}
		out = append(out, p)
	}
	return out, nil
}

// telling is a path while it is put into words.
type telling struct {
	*pathsAsked
	walked
	edges []attackpath.EdgeKey
	alias map[attackpath.Fact]attackpath.Fact  // what only follows from something stands for that
	place map[attackpath.Fact]explain.PathFact // where he stands who has a fact
	meant map[attackpath.Fact]int64            // the host for which a port of many is reached
	said  []explain.PathStep
	steps []report.PathStep
}

func (q *pathsAsked) tellOne(ctx context.Context, w walked) (report.Path, error) {
	t := &telling{pathsAsked: q, walked: w, edges: q.model.Edges(w.path), alias: map[attackpath.Fact]attackpath.Fact{},
		place: map[attackpath.Fact]explain.PathFact{}, meant: map[attackpath.Fact]int64{}}
	t.findMeant()
	known := attackpath.Observed
	for i, s := range w.path.Steps {
		known = max(known, q.net.Actions[s.Action].Known)
		t.step(i)
	}
	out := report.Path{ID: t.id(), To: q.hostOf(w.goal.Host), From: t.from(), Chance: w.path.P, Weight: w.goal.Weight, Hosts: []report.PathHost{}, Known: known.String(),
		Assumed: []string{}, Says: explain.Walk(t.said, w.path.P), Steps: t.steps}
	for _, id := range w.path.Hosts {
		out.Hosts = append(out.Hosts, q.hostOf(id))
	}
	for _, text := range q.model.Assumptions(w.path) {
		out.Assumed = append(out.Assumed, explain.Line(text))
	}
	return out, t.addTechniques(ctx)
}

// idOf is the name of a path.
func (q *pathsAsked) idOf(w walked) string {
	return (&telling{pathsAsked: q, walked: w, edges: q.model.Edges(w.path)}).id()
}

// id names a path by its steps, so that it is the same as long as they are.
func (t *telling) id() string {
	sum := sha256.New()
	for i, s := range t.path.Steps {
		a := &t.net.Actions[s.Action]
		key := string(t.edges[i])
		if key == "" {
			post := t.net.Facts[a.Post]
			key = fmt.Sprintf("%s %d %d %d %s %s %d", stepKinds[a.Kind], a.Host, post.Kind, post.Host, post.Site, post.Protocol, post.Port)
		}
		fmt.Fprintln(sum, key)
	}
	fmt.Fprint(sum, t.goal.Host)
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// from is where the path begins.
func (t *telling) from() string {
	for _, s := range t.path.Steps {
		for _, f := range t.net.Actions[s.Action].Pre {
			if e, known := t.entries[f]; known {
				return explain.Line(e.Name)
			}
		}
	}
	return ""
}

// findMeant finds for each port of many hosts the one that the path means: that of the first step which needs it.
func (t *telling) findMeant() {
	for i := len(t.path.Steps) - 1; i >= 0; i-- {
		a := &t.net.Actions[t.path.Steps[i].Action]
		host := a.Host
		if host == 0 {
			host = cmp.Or(t.net.Facts[a.Post].Host, t.meant[a.Post])
		}
		for _, f := range a.Pre {
			if info := t.net.Facts[f]; info.Host == 0 && host != 0 && (info.Kind == attackpath.Reaches || info.Kind == attackpath.Lured) {
				t.meant[f] = host
			}
		}
	}
}

// resolve is what stands for a fact.
func (t *telling) resolve(f attackpath.Fact) attackpath.Fact {
	for range len(t.path.Steps) {
		next, is := t.alias[f]
		if !is {
			return f
		}
		f = next
	}
	return f
}

// fact is a fact as words are made of it.
func (t *telling) fact(f attackpath.Fact) explain.PathFact {
	info := t.net.Facts[f]
	out := explain.PathFact{Kind: info.Kind, Privilege: info.Privilege, Site: info.Site, Protocol: info.Protocol, Port: info.Port, Text: info.Text}
	if e, begins := t.entries[f]; begins {
		out.Kind, out.Entry, out.Site = attackpath.EntryAt, e.Kind, e.Site
		info.Host = cmp.Or(info.Host, e.Host)
	}
	if id := cmp.Or(info.Host, t.meant[f]); id != 0 {
		h := t.hostOf(id)
		out.Host, out.OS = h.Name, string(h.OS)
		if out.Kind != attackpath.EntryAt {
			out.Site = cmp.Or(h.Site, out.Site)
		}
	}
	return out
}

// step tells one step, unless it only says in other words what the one before gave.
func (t *telling) step(i int) {
	s := t.path.Steps[i]
	a := &t.net.Actions[s.Action]
	from := t.whence(a)
	if t.plain(a) {
		t.alias[a.Post], t.place[a.Post] = t.resolve(a.Pre[0]), from
		return
	}
	said := explain.PathStep{Kind: a.Kind, Known: a.Known, Why: t.reason(a), From: from, Gains: t.fact(a.Post), Chance: a.P, Others: len(s.Alternatives),
		Flaw: a.Flaw, Corrected: t.corrected[t.edges[i]], Jewel: t.isJewel(a)}
	for _, f := range a.Pre {
		said.Needs = append(said.Needs, t.fact(t.resolve(f)))
	}
	host, service := t.over(a, &said)
	t.remedied(&said)
	t.place[a.Post] = said.Gains
	if said.Gains.Kind != attackpath.Holds {
		t.place[a.Post] = from
	}
	t.said = append(t.said, said)
	t.steps = append(t.steps, t.document(i, said, host, service))
}

// whence is where the attacker stands when he takes an action.
func (t *telling) whence(a *attackpath.Action) (from explain.PathFact) {
	for n, f := range a.Pre {
		at, known := t.place[f]
		if !known {
			at = t.fact(f)
		}
		if n == 0 || t.net.Facts[f].Kind == attackpath.Reaches {
			from = at
		}
	}
	return from
}

// plain says that an action is none that an attacker takes: who is on a host sends from its site, and root is a user too.
func (t *telling) plain(a *attackpath.Action) bool {
	if a.P < 1 || len(a.Pre) != 1 {
		return false
	}
	switch kind := t.net.Facts[a.Post].Kind; a.Kind {
	case attackpath.Implies:
		return a.Known != attackpath.Assumed
	case attackpath.Moves:
		return kind == attackpath.Stands || kind == attackpath.Other
	default:
		return false
	}
}

func (t *telling) reason(a *attackpath.Action) string {
	if a.Why < 0 || int(a.Why) >= len(t.net.Reasons) {
		return ""
	}
	return explain.Line(t.net.Reasons[a.Why])
}

// isJewel says whether the host matters that an action gives something on.
func (t *telling) isJewel(a *attackpath.Action) bool {
	info := t.net.Facts[a.Post]
	h, known := t.estate.host(info.Host)
	return known && info.Kind == attackpath.Holds && h.Jewel
}

// over fills in over which port a step goes, and returns the host on which it happens and what answers there.
func (t *telling) over(a *attackpath.Action, said *explain.PathStep) (host int64, service string) {
	info := t.net.Facts[a.Post]
	host = cmp.Or(a.Host, info.Host, t.meant[a.Post])
	if info.Kind == attackpath.Reaches || info.Kind == attackpath.Administers || info.Kind == attackpath.HasLogin && info.Port != 0 {
		said.Protocol, said.Port = info.Protocol, info.Port
	}
	for _, f := range a.Pre {
		if need := t.net.Facts[f]; need.Kind == attackpath.Reaches && need.Port != 0 {
			said.Protocol, said.Port = need.Protocol, need.Port
		}
	}
	if a.Flaw != nil && a.Flaw.Port != 0 {
		said.Protocol, said.Port = a.Flaw.Protocol, a.Flaw.Port
	}
	h, known := t.estate.host(host)
	if !known || said.Port == 0 {
		return host, ""
	}
	at := slices.IndexFunc(h.Services, func(s attackpath.Service) bool { return s.Port == said.Port && s.Protocol == said.Protocol })
	if at < 0 {
		return host, ""
	}
	said.Product = h.Services[at].Product
	return host, cmp.Or(h.Services[at].Product, h.Services[at].Name)
}

func (t *telling) document(i int, said explain.PathStep, host int64, service string) report.PathStep {
	words := explain.Path(said)
	out := report.PathStep{N: len(t.steps) + 1, Kind: stepKinds[said.Kind], Edge: string(t.edges[i]), Needs: words.Needs, Gains: words.Gains, Service: report.Text(service),
		Chance: said.Chance, ChanceWhy: words.ChanceWhy, Known: said.Known.String(), Why: said.Why, Says: words.Says, Fix: report.Text(words.Fix), Rules: []string{},
		Alternatives: []report.PathAlternative{}}
	if host != 0 {
		h := t.hostOf(host)
		out.Host = &h
	}
	if said.Port != 0 {
		out.Port, out.Protocol = &said.Port, report.Text(said.Protocol)
	}
	if f := said.Flaw; f != nil {
		out.Weakness, out.Title, out.Scanner, out.Finding = report.Text(f.Weakness), report.Text(f.Title), report.Text(f.Scanner), &f.Finding
		if f.Effect != nil {
			out.Rules = append(out.Rules, f.Effect.Why...)
			if f.Effect.Technique != "" {
				out.Technique = &report.PathTechnique{ID: f.Effect.Technique, Source: f.Effect.TechniqueSource}
			}
		}
	}
	for _, n := range t.path.Steps[i].Alternatives {
		if a := &t.net.Actions[n]; a.Flaw != nil {
			out.Alternatives = append(out.Alternatives, report.PathAlternative{Finding: a.Finding, Weakness: a.Flaw.Weakness, Chance: a.P})
		}
	}
	return out
}

// addTechniques names the techniques of the steps.
func (t *telling) addTechniques(ctx context.Context) error {
	for i := range t.steps {
		technique := t.steps[i].Technique
		if technique == nil {
			continue
		}
		named, err := t.app.techniqueNamed(ctx, technique.ID)
		if err != nil {
			return err
		}
		technique.Name = named.Name
	}
	return nil
}
