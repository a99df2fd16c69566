package report

import (
	"math"
	"strconv"
)

// Percent is a chance for people: "41 %". What is not certain never reads as if it were.
func Percent(p float64) string {
	switch n := math.Round(p * 100); {
	case p <= 0:
		return "0 %"
	case p >= 1:
		return "100 %"
	case n < 1:
		return "<1 %"
	case n > 99:
		return ">99 %"
	default:
		return strconv.Itoa(int(n)) + " %"
	}
}
