package main

import (
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/patchscout/patchscout/internal/assistant/answer"
)

// wantCalibrated is how far confidence may be from how often it is right: the expected calibration error.
const wantCalibrated = 0.05

// sample is an answer that was given, with whether it is right.
type sample struct {
	x          []float64
	confidence float64 // the product's own
	right      bool
	fits       bool // of the half that weights are fitted on
	hopeless   bool // nothing has the answer
}

var featureNames = []string{"1", "structured", "understood", "corrected", "rest", "score", "root of margin", "words", "product", "near"}

func featuresOf(f answer.Features) []float64 {
	flag := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	return []float64{1, flag(f.Structured), f.Understood, math.Min(float64(f.Corrected), 3), math.Min(float64(f.Rest), 5), f.Score, math.Sqrt(math.Max(f.Margin, 0)), f.Words, flag(f.Product), f.Near}
}

// samples takes every answer that was no refusal; of titles, being right is to have the CVE first.
func samples(questions []asked, titles []found) (out []sample) {
	for _, a := range questions {
		if !a.answer.Refused {
			out = append(out, sample{featuresOf(a.features), a.answer.Confidence, a.wrong == "" && a.citation == "", a.n%2 == 1, a.kind == "unanswerable"})
		}
	}
	for _, f := range titles {
		if !f.answer.Refused {
			out = append(out, sample{featuresOf(f.features), f.answer.Confidence, f.place == 1, f.tuning(), f.place < 0})
		}
	}
	return out
}

// fit is a logistic regression by iteratively reweighted least squares, with a ridge worth one row.
func fit(rows []sample) []float64 {
	k := len(featureNames)
	w := make([]float64, k)
	for range 40 {
		gradient, hessian := make([]float64, k), make([][]float64, k)
		for i := range hessian {
			hessian[i] = make([]float64, k)
			hessian[i][i], gradient[i] = 1, w[i]
		}
		for _, r := range rows {
			p := chance(w, r.x)
			for a := range k {
				gradient[a] += (p - truthOf(r)) * r.x[a]
				for b := range k {
					hessian[a][b] += p * (1 - p) * r.x[a] * r.x[b]
				}
			}
		}
		step := solve(hessian, gradient)
		largest := 0.0
		for i := range w {
			w[i] -= step[i]
			largest = math.Max(largest, math.Abs(step[i]))
		}
		if largest < 1e-8 {
			break
		}
	}
	return w
}

func truthOf(s sample) float64 {
	if s.right {
		return 1
	}
	return 0
}

func chance(w, x []float64) float64 {
	z := 0.0
	for i := range w {
		z += w[i] * x[i]
	}
	return 1 / (1 + math.Exp(-z))
}

// solve is Gauss with pivots; the ridge keeps it from being singular.
func solve(a [][]float64, b []float64) []float64 {
	n := len(b)
	for i := range n {
		best := i
		for r := i + 1; r < n; r++ {
			if math.Abs(a[r][i]) > math.Abs(a[best][i]) {
				best = r
			}
		}
		a[i], a[best], b[i], b[best] = a[best], a[i], b[best], b[i]
		for r := i + 1; r < n; r++ {
			f := a[r][i] / a[i][i]
			for c := i; c < n; c++ {
				a[r][c] -= f * a[i][c]
			}
			b[r] -= f * b[i]
		}
	}
	for i := n - 1; i >= 0; i-- {
		for c := i + 1; c < n; c++ {
			b[i] -= a[i][c] * b[c]
		}
		b[i] /= a[i][i]
	}
	return b
}

// calibration is the expected calibration error over ten bins of as many rows each.
func calibration(rows []sample, p func(sample) float64) (sum float64) {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b sample) int {
		switch x, y := p(a), p(b); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	for i := range 10 {
		bin := rows[len(rows)*i/10 : len(rows)*(i+1)/10]
		said, right := 0.0, 0.0
		for _, r := range bin {
			said, right = said+p(r), right+truthOf(r)
		}
		sum += math.Abs(said - right)
	}
	return sum / float64(max(len(rows), 1))
}

// area is the part of pairs of a right and a wrong answer of which the right one is the surer.
func area(rows []sample, p func(sample) float64) float64 {
	var good, pairs float64
	for _, a := range rows {
		for _, b := range rows {
			if a.right && !b.right {
				pairs++
				switch x, y := p(a), p(b); {
				case x > y:
					good++
				case x == y:
					good += 0.5
				}
			}
		}
	}
	return good / math.Max(pairs, 1)
}

// tellConfidence prints fitted weights and how well the product's own confidence and they do on the other half.
func tellConfidence(w io.Writer, rows []sample) (missed int) {
	var fits, other []sample
	for _, r := range rows {
		if r.fits {
			fits = append(fits, r)
		} else {
			other = append(other, r)
		}
	}
	if len(fits) < 20 || len(other) < 20 {
		return 0
	}
	byQuery, byWords := fit(answered(fits, true)), fit(answered(fits, false))
	fmt.Fprintf(w, "\nconfidence, fitted on %d answers, reported on %d\n", len(fits), len(other))
	tellWeights(w, "by query", byQuery)
	tellWeights(w, "by words", byWords)
	own := func(s sample) float64 { return s.confidence }
	fitted := func(s sample) float64 {
		if s.structured() {
			return chance(byQuery, s.x)
		}
		return chance(byWords, s.x)
	}
	tellOne(w, "as fitted", other, fitted)
	if tellOne(w, "the product's", other, own) > wantCalibrated {
		missed++
		fmt.Fprintf(w, "  MISSED: the product's calibration error is above %.2f\n", wantCalibrated)
	}
	return missed
}

// structured says that a query answered, and not words.
func (s sample) structured() bool { return s.x[1] == 1 }

// answered are those that a query answered, or those that words did: they are wrong for different reasons.
func answered(rows []sample, structured bool) (out []sample) {
	for _, r := range rows {
		if r.structured() == structured {
			out = append(out, r)
		}
	}
	return out
}

func tellWeights(w io.Writer, name string, weights []float64) {
	fmt.Fprintf(w, "  %s:", name)
	for i, feature := range featureNames {
		fmt.Fprintf(w, " %s %.4f", feature, weights[i])
	}
	fmt.Fprintln(w)
}

func tellOne(w io.Writer, name string, rows []sample, p func(sample) float64) float64 {
	var sure, hopeless, kept score
	for _, r := range rows {
		if p(r) >= 0.7 {
			sure.add(r.right)
		}
		if r.right {
			kept.add(p(r) >= 0.7)
		}
		if r.hopeless {
			hopeless.add(p(r) >= 0.7)
		}
	}
	e := calibration(rows, p)
	fmt.Fprintf(w, "  %-14s calibration error %.3f, AUC %.3f, precision at 0.7 %.3f, right ones kept %.3f, unanswerable ones above 0.7: %d of %d\n",
		name, e, area(rows, p), sure.percent()/100, kept.percent()/100, hopeless.right, hopeless.all)
	return e
}
