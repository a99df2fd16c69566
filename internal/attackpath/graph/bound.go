package graph

import (
	"context"
	"math"
	"slices"
)

// upper bounds the chance of every fact from above: the least solution u of
//
//	u(v) = 1 - prod over the edges e that give v of (1 - p(e) * min over the needs x of e of u(x)),   u = 1 at the beginning.
//
// Why it holds. Let D(v, n) be the event that v has a derivation tree of depth n or less, and P(v, n) its chance. A tree of the
// least depth does not use v to gain v, so D(v, n+1) is the union, over the edges e that give v, of "e works and the needs of e
// have trees of depth n in which v does not occur". In these trees e is of no use, so the two are independent, and the chance of
// both is p(e) * P(all needs, without v) <= p(e) * min P(x, n). All these events are increasing in independent outcomes, so by
// Harris' inequality the chance that none happens is at least the product of their complements. Hence P(v, n+1) <= F(P(., n))(v),
// where F is the right side above; F is monotone, so P(., n) <= F^n(beginning) <= u, and the chance of v is the limit of P(v, n).
//
// Two more facts make u smaller: edges whose fact dominates a need are in no tree of least depth; and nobody has v without its
// dominator d, so u(v) <= u(d).
//
// Iterating from 0 gives less than u. So each circle's values are raised a little at the end, until F does not raise them any
// more: then they are above the least solution (Knaster and Tarski). Where that does not help, the iteration begins at 1.
func (v *view) upper(ctx context.Context, works []float64, c *Chances) []float64 {
	b := &bounding{view: v, works: works, useful: v.detourless(), above: v.doms.get(v.dominators).parent, u: make([]float64, v.facts), d: make([]float64, v.facts)}
	for _, part := range v.parts() {
		if ctx.Err() != nil {
			c.incomplete("time ran out before the upper bounds were lowered")
			for f := range b.u {
				if c.Low[f] > 0 {
					b.u[f] = 1
				}
			}
			return b.u
		}
		b.solve(part)
	}
	return b.u
}

type bounding struct {
	*view
	works  []float64
	useful bitset
	above  []int32
	u, d   []float64
}

// of is the right side of the equation for a fact.
func (b *bounding) of(f int32) float64 {
	if b.begins(f) {
		return 1
	}
	fails := 1.0
	for _, e := range b.givers.of(f) {
		if p := b.works[e]; p > 0 && b.useful.has(e) {
			needs := 1.0
			for _, x := range b.pre.of(e) {
				needs = min(needs, b.u[x])
			}
			fails *= 1 - p*needs
		}
	}
	p := 1 - fails
	if d := b.above[f]; d >= 0 {
		p = min(p, b.u[d])
	}
	return p
}

const (
	boundRounds = 200
	boundStep   = 1e-10 // changes below it end the iteration
)

func (b *bounding) solve(part []int32) {
	if len(part) == 1 {
		b.u[part[0]] = b.of(part[0])
		return
	}
	b.iterate(part)
	if way, ok := b.growth(part); ok {
		for by := 10 * boundStep; by < 0.1; by *= 10 {
			if b.raised(part, way, by) {
				return
			}
		}
	}
	for _, f := range part { // from above every round is valid
		if b.u[f] > 0 {
			b.u[f] = 1
		}
	}
	b.iterate(part)
}

// iterate applies the equation until little changes. Between two solutions it stays on its side of both.
func (b *bounding) iterate(part []int32) {
	for range boundRounds {
		change := 0.0
		for _, f := range part {
			p := b.of(f)
			change = max(change, math.Abs(p-b.u[f]))
			b.u[f] = p
		}
		if change < boundStep {
			return
		}
	}
}

// growth is a direction in which the values can be raised so that the equation, which grows by its slopes, stays behind:
// d = 1 + slopes * d. False when there is none, since a circle feeds itself.
func (b *bounding) growth(part []int32) ([]float64, bool) {
	d := b.d // of facts outside of the part: 0
	defer func() {
		for _, f := range part {
			d[f] = 0
		}
	}()
	const tooMuch = 1e7
	for range 5 * boundRounds {
		change, most := 0.0, 0.0
		for _, f := range part {
			g := 1 + b.slope(f, d)
			change = max(change, math.Abs(g-d[f])/g)
			most = max(most, g)
			d[f] = g
		}
		if most > tooMuch {
			return nil, false
		}
		if change < 1e-3 {
			way := make([]float64, len(part))
			for i, f := range part {
				way[i] = 1.01 * d[f]
			}
			return way, true
		}
	}
	return nil, false
}

// slope is by how much a fact's value grows when those of its part grow by d.
func (b *bounding) slope(f int32, d []float64) float64 {
	fails, growth := 1.0, 0.0
	for _, e := range b.givers.of(f) {
		if p := b.works[e]; p > 0 && b.useful.has(e) {
			needs, most := 1.0, 0.0
			for _, x := range b.pre.of(e) {
				needs, most = min(needs, b.u[x]), max(most, d[x])
			}
			growth = growth*(1-p*needs) + fails*p*most
			fails *= 1 - p*needs
		}
	}
	return growth
}

// raised tries values a little higher, and keeps them when the equation does not ask for more.
func (b *bounding) raised(part []int32, way []float64, by float64) bool {
	was := make([]float64, len(part))
	for i, f := range part {
		was[i] = b.u[f]
		if b.u[f] > 0 {
			b.u[f] = min(1, b.u[f]+by*way[i])
		}
	}
	if !slices.ContainsFunc(part, func(f int32) bool { return b.of(f) > b.u[f] }) {
		return true
	}
	for i, f := range part {
		b.u[f] = was[i]
	}
	return false
}
