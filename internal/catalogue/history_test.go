package catalogue

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/cve"
)

// changesOf is what a history must hold: the days on which a CVE's score differs from the day before.
func changesOf(days map[int64][]EPSSScore) map[string]EPSSChange {
	out := map[string]EPSSChange{}
	var prev []EPSSScore
	for _, day := range sortedDays(days) {
		eachScore(func(id cve.ID, s []stand) {
			if s[0] != s[1] {
				c := EPSSChange{CVE: id, Day: day, Score: s[1].score, Scored: s[1].scored}
				out[keyOf(c)] = c
			}
		}, prev, days[day])
		prev = days[day]
	}
	return out
}

func sortedDays(days map[int64][]EPSSScore) []int64 {
	var out []int64
	for day := range days {
		out = append(out, day)
	}
	slices.Sort(out)
	return out
}

func keyOf(c EPSSChange) string { return fmt.Sprint(c.CVE, c.Day) }

func randomScores(rng *rand.Rand) []EPSSScore {
	var out []EPSSScore
	for n := range 12 {
		if rng.IntN(3) > 0 {
			out = append(out, EPSSScore{cve.NewID(2021, uint32(n+1)), float64(rng.IntN(2))})
		}
	}
	return out
}

// However days arrive, and however often one is corrected, the rows are those that the days themselves ask for, and a row
// that is said to be new never is there.
func TestPlanKeepsOnlyWhatChanged(t *testing.T) {
	for seed := range 300 {
		rng := rand.New(rand.NewPCG(uint64(seed), 1))
		days, stored := map[int64][]EPSSScore{}, map[string]EPSSChange{}
		for step := range 12 {
			day, now := int64(1+rng.IntN(8)), randomScores(rng)
			sorted := sortedDays(days)
			i, read := slices.BinarySearch(sorted, day)
			var prev, next []EPSSScore
			nextDay, after := int64(0), i
			if read {
				after++
			}
			if i > 0 {
				prev = days[sorted[i-1]]
			}
			if after < len(sorted) {
				nextDay = sorted[after]
				next = days[nextDay]
			}
			deletes, puts := plan(prev, days[day], next, now, read, day, nextDay)
			days[day] = now
			for _, c := range deletes {
				if _, ok := stored[keyOf(c)]; !ok {
					t.Fatalf("seed %d step %d: deletes %v, which is not there", seed, step, c)
				}
				delete(stored, keyOf(c))
			}
			for _, c := range puts {
				if _, ok := stored[keyOf(c)]; ok && c.New {
					t.Fatalf("seed %d step %d: %v is called new and is not", seed, step, c)
				}
				c.New = false
				stored[keyOf(c)] = c
			}
			if diff := cmp.Diff(changesOf(days), stored); diff != "" {
				t.Fatalf("seed %d step %d, day %d (-want +got):\n%s", seed, step, day, diff)
			}
		}
	}
}

func TestHistoryGoesBackTwoYearsToTheBeginningOfAMonth(t *testing.T) {
	newest := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	want := time.Date(2024, 11, 1, 0, 0, 0, 0, time.UTC)
	if got := time.Unix(oldestDay(newest.Unix()), 0).UTC(); !got.Equal(want) {
		t.Errorf("oldest day kept on %s is %s, want %s", newest, got, want)
	}
}
