package neo4j

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/fault"
)

// maxSteps bounds what one question brings here. An estate of 10,000 hosts has 10^4 to 10^5 steps.
const maxSteps = 300_000

// Paths asks the database for all steps that could lead to the fact, and the ranking graph which of them do.
func (g *Graph) Paths(ctx context.Context, q attackpath.Question) (attackpath.Found, error) {
	p, err := g.read(ctx, candidates, []attackpath.Fact{q.To})
	if late(ctx, err) {
		return attackpath.Found{Why: "the time was over before the graph database had answered"}, nil
	}
	if err != nil {
		return attackpath.Found{}, err
	}
	rank := g.rank()
	defer rank.Close(ctx) //nolint:errcheck // it is in memory
	if err := rank.Load(ctx, p.net); err != nil {
		return attackpath.Found{}, err
	}
	q.To, q.Without.Actions = p.local[q.To], p.localSteps(q.Without.Actions)
	found, err := rank.Paths(ctx, q)
	if err != nil {
		return found, err
	}
	if p.why != "" && found.Complete {
		found.Complete, found.Why = false, p.why
	}
	for i := range found.Paths {
		for j, s := range found.Paths[i].Steps {
			found.Paths[i].Steps[j] = attackpath.PathStep{Action: p.steps[s.Action], Alternatives: p.stepsOf(s.Alternatives)}
		}
	}
	return found, nil
}

// Forward lists what follows from facts. A part of it would be no answer: beyond the limit it is an error.
func (g *Graph) Forward(ctx context.Context, from []attackpath.Fact) ([]attackpath.Fact, error) {
	return g.closure(ctx, consequences, from, func(rank attackpath.Graph, from []attackpath.Fact) ([]attackpath.Fact, error) {
		return rank.Forward(ctx, from)
	})
}

// Backward lists what leads to a fact, likewise.
func (g *Graph) Backward(ctx context.Context, to attackpath.Fact) ([]attackpath.Fact, error) {
	return g.closure(ctx, candidates, []attackpath.Fact{to}, func(rank attackpath.Graph, to []attackpath.Fact) ([]attackpath.Fact, error) {
		return rank.Backward(ctx, to[0])
	})
}

func (g *Graph) closure(ctx context.Context, query string, of []attackpath.Fact, ask func(attackpath.Graph, []attackpath.Fact) ([]attackpath.Fact, error)) ([]attackpath.Fact, error) {
	p, err := g.read(ctx, query, of)
	switch {
	case err != nil:
		return nil, err
	case p.why != "":
		return nil, fault.Unavailable("graph database %s: %s", g.place, p.why)
	}
	rank := g.rank()
	defer rank.Close(ctx) //nolint:errcheck // it is in memory
	if err := rank.Load(ctx, p.net); err != nil {
		return nil, err
	}
	local := make([]attackpath.Fact, len(of))
	for i, f := range of {
		local[i] = p.local[f]
	}
	list, err := ask(rank, local)
	for i, f := range list {
		list[i] = p.facts[f]
	}
	return list, err
}

// late says that the question ended with its deadline, not because nobody waits for an answer.
func late(ctx context.Context, err error) bool {
	return err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded)
}

// part is the part of the network that a question is about, with numbers of its own. They are in the order of the numbers
// in the database, so that answers do not depend on which part it is.
type part struct {
	net   *attackpath.Network
	facts []attackpath.Fact // by number here: the number there
	steps []int32
	local map[attackpath.Fact]attackpath.Fact
	why   string // it is not all there is
}

func (p *part) stepsOf(local []int32) (out []int32) {
	for _, s := range local {
		out = append(out, p.steps[s])
	}
	return out
}

// localSteps are those of some steps that are in the part.
func (p *part) localSteps(steps []int32) (out []int32) {
	for _, s := range steps {
		if i, found := slices.BinarySearch(p.steps, s); found {
			out = append(out, int32(i))
		}
	}
	return out
}

type condition struct {
	complete bool
	load     int64
	content  string
}

// about says what the database holds.
func (g *Graph) about(ctx context.Context) (c condition, err error) {
	err = g.reading(ctx, func(tx driver.ManagedTransaction) error {
		c, err = conditionOf(ctx, tx)
		return err
	})
	return c, err
}

func conditionOf(ctx context.Context, tx driver.ManagedTransaction) (c condition, err error) {
	return c, each(ctx, tx, about, nil, func(f fields) { c = condition{f.yes("complete"), f.number("load"), f.text("content")} })
}

func (g *Graph) reading(ctx context.Context, work func(driver.ManagedTransaction) error) error {
	s := g.driver.NewSession(ctx, driver.SessionConfig{AccessMode: driver.AccessModeRead})
	defer s.Close(context.WithoutCancel(ctx)) //nolint:errcheck // everything was read
	_, err := s.ExecuteRead(ctx, func(tx driver.ManagedTransaction) (any, error) { return nil, work(tx) }, until(ctx))
	return g.wrap(ctx, err)
}

// read brings the part of the network that a query finds from some facts.
func (g *Graph) read(ctx context.Context, query string, of []attackpath.Fact) (p *part, err error) {
	if g.rank == nil {
		return nil, fault.Invalid("graph database %s: it was opened for writing only", g.place)
	}
	var steps []readStep
	var states []readState
	var now condition
	err = g.reading(ctx, func(tx driver.ManagedTransaction) (err error) {
		if now, err = conditionOf(ctx, tx); err != nil {
			return err
		}
		if steps, err = readSteps(ctx, tx, query, of); err != nil {
			return err
		}
		states, err = readStates(ctx, tx, factsOf(steps, of))
		return err
	})
	if err != nil {
		return nil, err
	}
	p = toPart(steps, states)
	for _, f := range of {
		if _, there := p.local[f]; !there {
			return nil, fault.NotFound("graph database %s: there is no fact %d", g.place, f)
		}
	}
	if !now.complete {
		p.why = "the graph database is just being loaded, or its last load did not end"
	}
	return p, nil
}

type readStep struct {
	n, needs, finding, host int64
	p                       float64
	kind, weakness, id      string
	pre, post               []int64
}

type readState struct {
	n, host    int64
	kind, text string
	start      bool
}

func readSteps(ctx context.Context, tx driver.ManagedTransaction, query string, of []attackpath.Fact) (list []readStep, err error) {
	err = each(ctx, tx, query, map[string]any{"states": stateKeys(of), "limit": maxSteps + 1}, func(f fields) {
		list = append(list, readStep{n: f.number("n"), needs: f.number("needs"), finding: f.number("finding"), host: f.number("host"), p: f.share("p"),
			kind: f.text("kind"), weakness: f.text("weakness"), id: f.text("id"), pre: f.numbers("pre"), post: f.numbers("post")})
	})
	slices.SortFunc(list, func(a, b readStep) int { return cmp.Compare(a.n, b.n) })
	return list, err
}

func readStates(ctx context.Context, tx driver.ManagedTransaction, of []attackpath.Fact) (list []readState, err error) {
	for part := range slices.Chunk(of, 10_000) {
		if err = each(ctx, tx, tellStates, map[string]any{"states": stateKeys(part)}, func(f fields) {
			list = append(list, readState{n: f.number("n"), host: f.number("host"), kind: f.text("kind"), text: f.text("text"), start: f.yes("start")})
		}); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b readState) int { return cmp.Compare(a.n, b.n) })
	return list, nil
}

func stateKeys(facts []attackpath.Fact) []string {
	keys := make([]string, len(facts))
	for i, f := range facts {
		keys[i] = stateKey(f)
	}
	return keys
}

func factsOf(steps []readStep, more []attackpath.Fact) []attackpath.Fact {
	all := slices.Clone(more)
	for i := range steps {
		for _, f := range steps[i].pre {
			all = append(all, attackpath.Fact(f))
		}
		for _, f := range steps[i].post {
			all = append(all, attackpath.Fact(f))
		}
	}
	return distinct(all)
}

func toPart(steps []readStep, states []readState) *part {
	p := &part{net: &attackpath.Network{}, local: map[attackpath.Fact]attackpath.Fact{}}
	for _, s := range states {
		f := attackpath.Fact(len(p.facts))
		p.local[attackpath.Fact(s.n)] = f
		p.facts = append(p.facts, attackpath.Fact(s.n))
		p.net.Facts = append(p.net.Facts, attackpath.FactInfo{Kind: factKinds[s.kind], Host: s.host, Text: s.text})
		if s.start {
			p.net.Start = append(p.net.Start, f)
		}
	}
	weaknesses := map[string]int32{}
	for i := range steps[:min(len(steps), maxSteps)] {
		p.add(&steps[i], weaknesses)
	}
	if len(steps) > maxSteps {
		p.why = fmt.Sprintf("more than %d steps have to do with it: only some were looked at", maxSteps)
	}
	return p
}

// add takes a step over. One of which somebody took something away in the database must not count as one that needs less.
func (p *part) add(s *readStep, weaknesses map[string]int32) {
	pre := make([]attackpath.Fact, 0, len(s.pre))
	for _, f := range s.pre {
		if l, known := p.local[attackpath.Fact(f)]; known {
			pre = append(pre, l)
		}
	}
	if int64(len(pre)) != s.needs || s.needs == 0 || len(s.post) != 1 || s.p <= 0 || s.p > 1 {
		p.why = fmt.Sprintf("somebody changed step %d in the graph database: it was left out", s.n)
		return
	}
	slices.Sort(pre)
	weakness := int32(-1)
	if s.weakness != "" {
		known := false
		if weakness, known = weaknesses[s.weakness]; !known {
			weakness = int32(len(weaknesses))
			weaknesses[s.weakness] = weakness
			p.net.Weaknesses = append(p.net.Weaknesses, s.weakness)
		}
	}
	p.steps = append(p.steps, int32(s.n))
	p.net.Actions = append(p.net.Actions, attackpath.Action{Kind: actionKinds[s.kind], Pre: pre, Post: p.local[attackpath.Fact(s.post[0])], P: s.p, Host: s.host, Finding: s.finding, Weakness: weakness, ID: s.id})
}

var factKinds, actionKinds = turned(stateKinds), turned(stepKinds)

func turned[K comparable](words map[K]string) map[string]K {
	out := map[string]K{}
	for k, word := range words {
		out[word] = k
	}
	return out
}

// fields are those of one record. What is missing or of another type, since somebody changed it, is zero.
type fields struct{ *driver.Record }

func (f fields) number(name string) int64  { return value[int64](f, name) }
func (f fields) share(name string) float64 { return value[float64](f, name) }
func (f fields) text(name string) string   { return value[string](f, name) }
func (f fields) yes(name string) bool      { return value[bool](f, name) }

func (f fields) numbers(name string) (out []int64) {
	for _, v := range value[[]any](f, name) {
		if n, ok := v.(int64); ok {
			out = append(out, n)
		}
	}
	return out
}

func value[T any](f fields, name string) (out T) {
	v, _ := f.Get(name)
	out, _ = v.(T)
	return out
}

// each runs a query and calls take for every record.
func each(ctx context.Context, tx driver.ManagedTransaction, query string, params map[string]any, take func(fields)) error {
	result, err := tx.Run(ctx, query, params)
	if err != nil {
		return err
	}
	for result.Next(ctx) {
		take(fields{result.Record()})
	}
	return result.Err()
}
