package exact

import (
	"context"
	"fmt"
	"testing"
)

// Wherever the search for a chance is stopped, the chance is between its bounds.
func TestBoundsHoldWhereverTheSearchStops(t *testing.T) {
	c := Case{Init: []string{"h00"}, Goals: []string{"h22"}}
	add := func(x, y, to int) {
		if y < 3 && x < 3 && x >= 0 && y >= 0 {
			from, n := fmt.Sprintf("h%d%d", to/3, to%3), len(c.Actions)
			c.Actions = append(c.Actions, Action{ID: fmt.Sprint(n), Pre: []string{from}, Post: []string{fmt.Sprintf("h%d%d", x, y)}, P: []float64{0.9, 0.2, 0.6}[n%3]})
		}
	}
	for i := range 9 {
		add(i/3, i%3+1, i)
		add(i/3+1, i%3, i)
		add(i/3, i%3-1, i)
		add(i/3-1, i%3, i)
	}
	p, _ := forGoal(c, "h22")
	q := simplify(p)
	for _, fromGoal := range []bool{false, true} {
		exact, why := newDeciding(q, fromGoal).run(context.Background(), 1_000_000)
		if why != "" {
			t.Fatal(why)
		}
		for most := 0; ; most++ {
			b, why := newDeciding(q, fromGoal).run(context.Background(), most)
			if b.low.float() > exact.low.float()+1e-15 || b.high.float() < exact.low.float()-1e-15 {
				t.Fatalf("after %d: %v is not within %v and %v", most, exact.low.float(), b.low.float(), b.high.float())
			}
			if why == "" {
				break
			}
		}
	}
}

func TestSumsRoundAsByHand(t *testing.T) {
	if got := decimal(0.1).plus(decimal(0.2)).float(); got != 0.3 {
		t.Errorf("0.1 + 0.2 = %v", got)
	}
	if got := decimal(0.8).times(decimal(0.9)).times(decimal(0.1)).float(); got != 0.072 {
		t.Errorf("0.8 x 0.9 x 0.1 = %v", got)
	}
	if got := decimal(0.9).rest().float(); got != 0.1 {
		t.Errorf("1 - 0.9 = %v", got)
	}
}
