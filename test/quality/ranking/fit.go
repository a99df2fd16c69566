package main

import (
	"cmp"
	"hash/fnv"
	"math"
	"slices"

	"github.com/patchscout/patchscout/internal/priority"
)

const (
	folds = 5
	// ridge is the weight of the penalty 1/2 x ridge x sum of squares on all weights but the base: worth a few rows, it
	// only keeps a rare signal from running off.
	ridge = 3
)

// foldOf is the fold of a text: its 64-bit FNV-1a hash modulo 5.
func foldOf(text string) int {
	h := fnv.New64a()
	h.Write([]byte(text))
	return int(h.Sum64() % folds)
}

// fit is a logistic regression with an L2 penalty, by Newton's method. Signals are centred at their mean over the rows
// that have them, and a missing one stands at its mean: it adds nothing, here as in the product.
func fit(x []priority.Signals, positive []bool) priority.Model {
	var m priority.Model
	for j := range m.Parts {
		m.Parts[j].Mean = mean(x, j)
	}
	k := len(m.Parts) + 1
	w := make([]float64, k)
	for range 50 {
		step := newton(&m, x, positive, w)
		largest := 0.0
		for j := range w {
			w[j] -= step[j]
			largest = max(largest, math.Abs(step[j]))
		}
		if largest < 1e-9 {
			break
		}
	}
	m.Base = w[0]
	for j := range m.Parts {
		m.Parts[j].Weight = w[j+1]
	}
	return m
}

func mean(x []priority.Signals, j int) float64 {
	var sum, n float64
	for i := range x {
		if v := x[i][j]; !math.IsNaN(v) {
			sum, n = sum+v, n+1
		}
	}
	return sum / max(n, 1)
}

// newton returns the step of one iteration: the inverse Hessian times the gradient.
func newton(m *priority.Model, x []priority.Signals, positive []bool, w []float64) []float64 {
	k := len(w)
	gradient, hessian := make([]float64, k), make([][]float64, k)
	for i := range hessian {
		hessian[i] = make([]float64, k)
		if i > 0 {
			gradient[i], hessian[i][i] = ridge*w[i], ridge
		}
	}
	v := make([]float64, k)
	for i := range x {
		centred(m, &x[i], v)
		z := 0.0
		for j := range v {
			z += w[j] * v[j]
		}
		p := sigmoid(z)
		for a := range v {
			gradient[a] += (p - number(positive[i])) * v[a]
			for b := 0; b <= a; b++ {
				hessian[a][b] += p * (1 - p) * v[a] * v[b]
			}
		}
	}
	return solve(hessian, gradient)
}

func centred(m *priority.Model, s *priority.Signals, v []float64) {
	v[0] = 1
	for j := range s {
		v[j+1] = 0
		if !math.IsNaN(s[j]) {
			v[j+1] = s[j] - m.Parts[j].Mean
		}
	}
}

// solve returns a⁻¹b for a symmetric positive definite a, of which the lower half is given (Cholesky).
func solve(a [][]float64, b []float64) []float64 {
	n := len(b)
	for i := range n {
		for j := 0; j <= i; j++ {
			for k := range j {
				a[i][j] -= a[i][k] * a[j][k]
			}
			if i == j {
				a[i][i] = math.Sqrt(a[i][i])
			} else {
				a[i][j] /= a[j][j]
			}
		}
	}
	x := slices.Clone(b)
	for i := range n {
		for k := range i {
			x[i] -= a[i][k] * x[k]
		}
		x[i] /= a[i][i]
	}
	for i := n - 1; i >= 0; i-- {
		for k := i + 1; k < n; k++ {
			x[i] -= a[k][i] * x[k]
		}
		x[i] /= a[i][i]
	}
	return x
}

func sigmoid(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// outOfFold scores every row by weights that were fitted on the other folds.
func outOfFold(x []priority.Signals, positive []bool, fold []int) []float64 {
	scores := make([]float64, len(x))
	for f := range folds {
		var train []priority.Signals
		var labels []bool
		for i := range x {
			if fold[i] != f {
				train, labels = append(train, x[i]), append(labels, positive[i])
			}
		}
		m := fit(train, labels)
		for i := range x {
			if fold[i] == f {
				scores[i] = m.LogOdds(x[i])
			}
		}
	}
	return scores
}

// parts of the rows, from the lowest log-odds to the highest, each of which may become a knot.
var parts = []float64{0.10, 0.30, 0.50, 0.70, 0.85, 0.93, 0.97, 0.99, 0.997, 1}

// knots fits EPSS as a rising function of the log-odds: the means of parts of the rows, neighbours joined until they rise
// (isotonic regression), lines in between.
func knots(logOdds, epss []float64) []priority.Knot {
	rows := make([]int, len(logOdds))
	for i := range rows {
		rows[i] = i
	}
	slices.SortStableFunc(rows, func(a, b int) int { return cmp.Compare(logOdds[a], logOdds[b]) })
	var blocks []block
	from := 0
	for _, part := range parts {
		to := int(math.Round(part * float64(len(rows))))
		for to > from && to < len(rows) && logOdds[rows[to]] == logOdds[rows[to-1]] {
			to++ // equal ones stay together
		}
		if to > from {
			blocks = join(blocks, newBlock(rows[from:to], logOdds, epss))
			from = to
		}
	}
	out := make([]priority.Knot, len(blocks))
	for i, b := range blocks {
		out[i] = priority.Knot{LogOdds: b.x / b.n, EPSS: b.y / b.n}
	}
	return out
}

// block is a run of rows with the sums of both numbers.
type block struct{ n, x, y float64 }

func newBlock(rows []int, x, y []float64) block {
	b := block{n: float64(len(rows))}
	for _, i := range rows {
		b.x, b.y = b.x+x[i], b.y+y[i]
	}
	return b
}

// join appends a block and pools it with its neighbours until their means rise.
func join(blocks []block, b block) []block {
	for len(blocks) > 0 {
		last := blocks[len(blocks)-1]
		if last.y/last.n < b.y/b.n {
			break
		}
		b = block{last.n + b.n, last.x + b.x, last.y + b.y}
		blocks = blocks[:len(blocks)-1]
	}
	return append(blocks, b)
}
