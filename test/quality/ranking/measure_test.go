package main

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/priority"
)

// labels makes n rows of which the named ones are positive.
func labels(n int, positive ...int) []bool {
	out := make([]bool, n)
	for _, i := range positive {
		out[i] = true
	}
	return out
}

func TestRecallCountsTiesByTheirExpectedPlace(t *testing.T) {
	falling, flat, steps := make([]float64, 100), make([]float64, 100), make([]float64, 100)
	for i := range falling {
		falling[i], steps[i] = float64(-i), float64(-(i / 20))
	}
	for _, c := range []struct {
		name     string
		scores   []float64
		positive []bool
		want     [3]float64
		auc      float64
	}{
		{"all in front", falling, labels(100, 0, 1), [3]float64{0.5, 1, 1}, 1},
		{"all at the end", falling, labels(100, 98, 99), [3]float64{0, 0, 0}, 0},
		{"one in ten", falling, labels(100, 7), [3]float64{0, 0, 1}, 92.0 / 99},
		{"everything tied is random order", flat, labels(100, 3, 50, 99), [3]float64{0.01, 0.05, 0.1}, 0.5},
		{"tied groups of 20, one hit in the first", steps, labels(100, 19, 60), [3]float64{0.025, 0.125, 0.25},
			((80.0-1)/98 + 19.0/2/98 + 20.0/98 + 19.0/2/98) / 2},
	} {
		got := newOrder(c.scores).measure(c.positive, nil)
		for i := range got.recall {
			if math.Abs(got.recall[i]-c.want[i]) > 1e-9 {
				t.Errorf("%s: recall %v, want %v", c.name, got.recall, c.want)
				break
			}
		}
		if math.Abs(got.auc-c.auc) > 1e-9 {
			t.Errorf("%s: AUC %v, want %v", c.name, got.auc, c.auc)
		}
	}
}

func TestTheOrderOfRowsDoesNotMatter(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	scores, positive := make([]float64, 500), make([]bool, 500)
	for i := range scores {
		scores[i], positive[i] = float64(rng.IntN(20)), rng.IntN(10) == 0
	}
	want := newOrder(scores).measure(positive, nil)
	for range 10 {
		rng.Shuffle(len(scores), func(i, j int) {
			scores[i], scores[j] = scores[j], scores[i]
			positive[i], positive[j] = positive[j], positive[i]
		})
		got := newOrder(scores).measure(positive, nil)
		if math.Abs(got.auc-want.auc) > 1e-9 || math.Abs(got.recall[1]-want.recall[1]) > 1e-9 {
			t.Fatalf("%+v, then %+v", want, got)
		}
	}
}

func TestWeightsCountARowSoManyTimes(t *testing.T) {
	scores := []float64{5, 4, 4, 2, 1}
	positive := labels(5, 1, 3)
	weight := []uint8{2, 1, 3, 0, 1}
	long := []float64{5, 5, 4, 4, 4, 4, 1}
	want := newOrder(long).measure(labels(7, 2), nil)
	if got := newOrder(scores).measure(positive, weight); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestTheBootstrapIsRepeatable(t *testing.T) {
	scores := []float64{9, 8, 7, 6, 5, 4, 3, 2, 1, 0}
	orders := []order{newOrder(scores)}
	at := func(_ int, r result) float64 { return r.auc }
	a := middle(bootstrap(orders, labels(10, 0, 1, 5), 200)[0], at)
	b := middle(bootstrap(orders, labels(10, 0, 1, 5), 200)[0], at)
	if a != b || a.low > a.high || a.low < 0 || a.high > 1 {
		t.Errorf("%v, then %v", a, b)
	}
}

func TestFoldIsTheFNVHashOfTheID(t *testing.T) {
	// Computed by the definition of FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/
	hash := func(s string) uint64 {
		h := uint64(14695981039346656037)
		for _, c := range []byte(s) {
			h = (h ^ uint64(c)) * 1099511628211
		}
		return h
	}
	seen := map[int]int{}
	for i := range uint32(5000) {
		id := cve.NewID(2017, i+1).String()
		if got, want := foldOf(id), int(hash(id)%5); got != want {
			t.Fatalf("%s: fold %d, want %d", id, got, want)
		}
		seen[foldOf(id)]++
	}
	for f := range folds {
		if seen[f] < 900 || seen[f] > 1100 {
			t.Errorf("fold %d has %d of 5000", f, seen[f])
		}
	}
}

func TestFitFindsTheWeightsThatMadeTheLabels(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	x, positive := make([]priority.Signals, 60000), make([]bool, 60000)
	for i := range x {
		x[i][priority.SignalModule], x[i][priority.SignalTotal] = float64(rng.IntN(2)), float64(rng.IntN(2))
		z := -3 + 2*x[i][priority.SignalModule] - x[i][priority.SignalTotal]
		positive[i] = rng.Float64() < sigmoid(z)
		if rng.IntN(3) == 0 {
			x[i][priority.SignalCode] = math.NaN() // never known where it is not 0: must stay without weight
		}
	}
	m := fit(x, positive)
	if w := m.Parts[priority.SignalModule].Weight; math.Abs(w-2) > 0.1 {
		t.Errorf("module: %v", w)
	}
	if w := m.Parts[priority.SignalTotal].Weight; math.Abs(w+1) > 0.1 {
		t.Errorf("total: %v", w)
	}
	if w := m.Parts[priority.SignalCode].Weight; math.Abs(w) > 1e-9 {
		t.Errorf("code: %v", w)
	}
}

func TestKnotsRiseWhateverEPSSDoes(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	x, y := make([]float64, 3000), make([]float64, 3000)
	for i := range x {
		x[i] = float64(rng.IntN(40))
		y[i] = min(1, max(0, x[i]/60+rng.NormFloat64()/4))
	}
	k := knots(x, y)
	if len(k) < 3 {
		t.Fatalf("%d knots", len(k))
	}
	for i := 1; i < len(k); i++ {
		if k[i].LogOdds <= k[i-1].LogOdds || k[i].EPSS <= k[i-1].EPSS {
			t.Errorf("%v, then %v", k[i-1], k[i])
		}
	}
}

func TestOnlyEvidenceOfTheDayIsUsed(t *testing.T) {
	day := func(s string) time.Time { d, _ := time.Parse(time.DateOnly, s); return d }
	w := &world{protocol: protocol{day: day("2021-09-11")}, changed: map[string]time.Time{
		"exploit/old": day("2020-10-02"), "exploit/changed": day("2023-01-01")}}
	dated, proven := w.dated([]intel.Exploit{
		{Source: "exploitdb", Key: "EDB-1", Published: day("2021-09-11")},
		{Source: "exploitdb", Key: "EDB-2", Published: day("2021-09-12")},
		{Source: "metasploit", Key: "exploit/old", Published: day("2018-03-01")},
		{Source: "metasploit", Key: "exploit/changed", Published: day("2018-03-01")},
		{Source: "metasploit", Key: "auxiliary/undated"},
	})
	if len(dated) != 3 || len(proven) != 2 || w.n.undatedModules != 1 || w.n.laterExploits != 1 {
		t.Errorf("%d dated, %d proven, %+v", len(dated), len(proven), w.n)
	}
}
