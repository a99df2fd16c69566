package priority

import "math"

// Model is a logistic regression over Signals with a table that carries its log-odds to EPSS's scale.
type Model struct {
	Base  float64 // log-odds of a CVE of which nothing is known
	Parts [signals]Part
	Knots []Knot // both numbers rise from knot to knot; at least two
}

// Part is what is added for one signal: Weight x (signal - Mean). A signal that is not known adds nothing, which is to
// take it at its mean.
type Part struct{ Weight, Mean float64 }

// Knot is a point of the piecewise linear map from log-odds to EPSS.
type Knot struct{ LogOdds, EPSS float64 }

// Shipped is the model behind Estimate; test/quality fits it anew and compares.
func Shipped() Model { return shipped }

// LogOdds sums the parts of the signals that are known.
func (m *Model) LogOdds(s Signals) float64 {
	sum := m.Base
	for i, x := range s {
		if !math.IsNaN(x) {
			sum += m.Parts[i].Weight * (x - m.Parts[i].Mean)
		}
	}
	return sum
}

// Scale carries log-odds to EPSS's scale. It rises everywhere, so that it never changes an order: beyond the last knots
// their slopes go on, up to the limits of an estimate.
func (m *Model) Scale(logOdds float64) float64 {
	i := 1
	for i < len(m.Knots)-1 && logOdds > m.Knots[i].LogOdds {
		i++
	}
	a, b := m.Knots[i-1], m.Knots[i]
	y := a.EPSS + (logOdds-a.LogOdds)*(b.EPSS-a.EPSS)/(b.LogOdds-a.LogOdds)
	return min(max(y, leastEstimate), mostEstimate)
}

// shipped was fitted by `go run ./test/quality/ranking` on the 29,986 CVEs of 2017 and 2018 that were published, scored
// and not rejected on 2021-09-11, of which 171 entered KEV from then to 2025-08-25: logistic regression with an L2 penalty
// of 3 on exploits dated by that day. The knots are from the same CVEs and EPSS v1 of 2021-08-31. No other year was looked
// at. What was left out and why, and how well it ranks, stands in docs/likelihood.md.
var shipped = Model{
	Base: -5.8488,
	Parts: [signals]Part{
		SignalExploits:   {1.3476, 0.0795},
		SignalReady:      {0.8857, 0.0162},
		SignalModule:     {0.5486, 0.0083},
		SignalGoodModule: {0.1747, 0.0051},
		SignalNetwork:    {0.1863, 0.7358},
		SignalNoAccount:  {0.5393, 0.6986},
		SignalNoClick:    {0.3796, 0.6041},
		SignalTotal:      {0.6045, 0.4467},
		SignalCode:       {0.5611, 0.1398},
		SignalSeldom:     {-0.9319, 0.3875},
	},
	Knots: []Knot{
		{-7.1024, 0.0175},
		{-6.5311, 0.0181},
		{-6.0594, 0.0239},
		{-5.6122, 0.0251},
		{-5.1602, 0.0334},
		{-4.8306, 0.0344},
		{-4.3329, 0.0832},
		{-3.4957, 0.1084},
		{-2.2747, 0.2307},
		{-0.6176, 0.5214},
	},
}
