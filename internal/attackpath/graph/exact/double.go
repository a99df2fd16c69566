package exact

import (
	"math"
	"math/big"
	"strconv"
)

// double is a number of twice the precision of a float64, hi + lo: sums over thousands of outcomes then round to the same
// float64 that a calculation by hand rounds to (0.08708, not 0.08708000000000002).
type double struct{ hi, lo float64 }

var one = double{hi: 1}

// decimal takes p for the shortest decimal number that is written so: 0.1 is a tenth.
func decimal(p float64) double {
	r, ok := new(big.Rat).SetString(strconv.FormatFloat(p, 'g', -1, 64))
	if !ok {
		return double{hi: p}
	}
	lo, _ := r.Sub(r, new(big.Rat).SetFloat64(p)).Float64()
	return double{p, lo}
}

func (a double) float() float64 { return min(max(a.hi+a.lo, 0), 1) }

func quick(a, b float64) double { // |a| >= |b|
	s := a + b
	return double{s, b - (s - a)}
}

func (a double) plus(b double) double {
	s := a.hi + b.hi
	v := s - a.hi
	e := (a.hi - (s - v)) + (b.hi - v)
	return quick(s, e+a.lo+b.lo)
}

func (a double) times(b double) double {
	p := a.hi * b.hi
	e := math.FMA(a.hi, b.hi, -p)
	return quick(p, e+a.hi*b.lo+a.lo*b.hi)
}

// rest is 1 - a.
func (a double) rest() double { return one.plus(double{-a.hi, -a.lo}) }
