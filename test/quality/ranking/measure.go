package main

import (
	"math"
	"math/rand/v2"
	"slices"
)

// efforts are the fractions of the list that somebody works through.
var efforts = []float64{0.01, 0.05, 0.10}

// order is a ranking with its ties kept together: rows by falling score, cut into groups of equal score.
type order struct {
	rows []int
	ends []int // of each group, in rows
}

// newOrder sorts rows by score, the highest first.
func newOrder(scores []float64) order {
	o := order{rows: make([]int, len(scores))}
	for i := range o.rows {
		o.rows[i] = i
	}
	slices.SortStableFunc(o.rows, func(a, b int) int {
		switch {
		case scores[a] > scores[b]:
			return -1
		case scores[a] < scores[b]:
			return 1
		}
		return 0
	})
	for i := range o.rows {
		if i+1 == len(o.rows) || scores[o.rows[i+1]] != scores[o.rows[i]] {
			o.ends = append(o.ends, i+1)
		}
	}
	return o
}

// result is how good an order is.
type result struct {
	recall [3]float64 // at efforts
	auc    float64
}

// measure counts each row weight times; weights are nil for once each. Rows of equal score count by their expected
// place under random order, so that no arm gains or loses by how its ties happen to lie.
func (o order) measure(positive []bool, weight []uint8) result {
	var n, p float64
	for i, yes := range positive {
		w := times(weight, i)
		n += w
		if yes {
			p += w
		}
	}
	var r result
	var seen, found, area float64 // rows and positives so far; pairs in the right order
	at := 0
	for _, end := range o.ends {
		var rows, hits float64
		for ; at < end; at++ {
			w := times(weight, o.rows[at])
			rows += w
			if positive[o.rows[at]] {
				hits += w
			}
		}
		for i, effort := range efforts {
			if cut := effort * n; rows > 0 && cut > seen {
				r.recall[i] = (found + hits*min(1, (cut-seen)/rows)) / p
			}
		}
		misses := rows - hits
		area += misses * (found + hits/2)
		seen, found = seen+rows, found+hits
	}
	r.auc = area / (p * (n - p))
	return r
}

func times(weight []uint8, i int) float64 {
	if weight == nil {
		return 1
	}
	return float64(weight[i])
}

// interval is the middle 95 % of a bootstrap.
type interval struct{ low, high float64 }

// bootstrap measures all orders on the same resamples of the rows; the seed is fixed, so that a run can be repeated.
func bootstrap(orders []order, positive []bool, resamples int) [][]result {
	rng := rand.New(rand.NewPCG(20210911, 5))
	weight := make([]uint8, len(positive))
	out := make([][]result, len(orders))
	for range resamples {
		clear(weight)
		for range weight {
			weight[rng.IntN(len(weight))]++
		}
		for i, o := range orders {
			out[i] = append(out[i], o.measure(positive, weight))
		}
	}
	return out
}

// middle returns the 95 % interval of f over the resamples.
func middle(results []result, f func(i int, r result) float64) interval {
	values := make([]float64, 0, len(results))
	for i, r := range results {
		if v := f(i, r); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	if len(values) == 0 {
		return interval{math.NaN(), math.NaN()}
	}
	at := func(q float64) float64 { return values[int(math.Round(q*float64(len(values)-1)))] }
	return interval{at(0.025), at(0.975)}
}
