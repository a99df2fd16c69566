package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"strings"

	"github.com/patchscout/patchscout/internal/finding"
)

// furtherConditions are those of finding.Further.
func (l *lists) furtherConditions(ctx context.Context, f finding.Filter) ([]condition, error) {
	if f.Further == nil {
		return nil, nil
	}
	out := furtherRanges(f.Further)
	for _, more := range []func(context.Context, *finding.Further) ([]condition, error){l.anyWeakness, l.anyProduct} {
		c, err := more(ctx, f.Further)
		if err != nil {
			return nil, err
		}
		out = append(out, c...)
	}
	return out, nil
}

func furtherRanges(f *finding.Further) (out []condition) {
	between := func(col listColumn, lo, hi uint64) { // both included
		out = append(out, condition{col: col, in: within{lo, hi}, passes: func(v uint64) bool { return v >= lo && v <= hi }, rank: inRange,
			key: fmt.Sprint(lo, "-", hi)})
	}
	if f.MaxCVSS != nil {
		between(colCVSS, 1, finding.NumberKey(f.MaxCVSS))
	}
	if f.MaxEPSS != nil {
		between(colEPSS, 1, finding.NumberKey(f.MaxEPSS))
	}
	if !f.DueAfter.IsZero() {
		between(colDue, max(finding.TimeKey(f.DueAfter), 1), math.MaxInt64)
	}
	if !f.ClosedBefore.IsZero() {
		between(colClosed, 1, max(finding.TimeKey(f.ClosedBefore), 1)-1)
	}
	if !f.ReturnedBefore.IsZero() {
		between(colReturned, 1, max(finding.TimeKey(f.ReturnedBefore), 1)-1)
	}
	if f.Hosts != nil {
		hosts := &numberSet{}
		for _, id := range f.Hosts {
			hosts.add(uint64(id)) //nolint:gosec // a negative one is nobody's
		}
		out = append(out, hosts.condition(colHost))
	}
	if ranges := f.PortRanges; ranges != nil {
		out = append(out, condition{col: colPort, rank: someOfMany, key: fmt.Sprint("ranges ", ranges), passes: func(v uint64) bool {
			for _, r := range ranges {
				if v != 0 && v >= uint64(r[0]) && v <= uint64(r[1]) {
					return true
				}
			}
			return false
		}})
	}
	return out
}

// anyWeakness asks for one of several words; they are looked up once as long as nobody writes.
func (l *lists) anyWeakness(ctx context.Context, f *finding.Further) ([]condition, error) {
	if f.Weaknesses == nil {
		return nil, nil
	}
	key := sha256.Sum256([]byte(strings.Join(f.Weaknesses, "\n")))
	c, err := l.remembered("weaknesses "+string(key[:]), func() (condition, error) {
		set := &numberSet{}
		for _, text := range f.Weaknesses {
			n, err := l.words.find(ctx, weaknessOf(text))
			if err != nil {
				return condition{}, err
			}
			if n != 0 {
				set.add(n)
			}
		}
		return set.condition(colWeakness), nil
	})
	return []condition{c}, err
}

func (l *lists) anyProduct(ctx context.Context, f *finding.Further) ([]condition, error) {
	if f.Products == nil {
		return nil, nil
	}
	anyOf := []condition{}
	for _, product := range f.Products {
		c, err := l.remembered("product "+product, func() (condition, error) { return l.productCondition(ctx, product) })
		if err != nil {
			return nil, err
		}
		anyOf = append(anyOf, c.anyOf...)
	}
	if len(anyOf) == 0 {
		return []condition{{col: colProduct, in: nowhere, passes: never, rank: oneOfMany}}, nil
	}
	return []condition{{anyOf: anyOf, rank: someOfMany}}, nil
}
