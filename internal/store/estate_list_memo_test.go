package store

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/patchscout/patchscout/internal/finding"
)

// A block that is sorted by the bytes of its numbers is sorted as two findings are compared.
func TestBlocksAreSortedAsFindingsAre(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, most := range []uint64{0, 1, 200, 70_000, 1 << 33, 1 << 62} {
		for _, by := range finding.SortFields() {
			for _, reverse := range []bool{false, true} {
				in := sorter{by: finding.Sort{By: by, Reverse: reverse}, low: randomBlock(rng, most)}
				if by == finding.ByHost {
					in.high = randomBlock(rng, most)
				}
				want := slices.Clone(asTheyStand.places[:])
				slices.SortStableFunc(want, func(a, b uint16) int { return in.by.Compare(in.key(int(a)), int64(a), in.key(int(b)), int64(b)) })
				if got := in.order().places; !slices.Equal(got[:], want) {
					t.Errorf("%s of numbers up to %d: sorted otherwise than findings are compared", in.by, most)
				}
			}
		}
	}
}

// randomBlock is packed; a third of its numbers are 0.
func randomBlock(rng *rand.Rand, most uint64) []byte {
	var values blockValues
	for i := range values {
		if most > 0 && rng.IntN(3) > 0 {
			values[i] = rng.Uint64N(most) + 1
		}
	}
	_, _, data := values.pack()
	return data
}

func TestPackedNumbersAreReadOneByOne(t *testing.T) {
	data := randomBlock(rand.New(rand.NewPCG(3, 4)), 1<<20)
	var values blockValues
	if err := values.unpack(data); err != nil {
		t.Fatal(err)
	}
	for i, want := range values {
		if got := packedAt(data, i); got != want {
			t.Fatalf("number %d is %d, want %d", i, got, want)
		}
	}
}

// What was worked out never takes more room than there is, and what is gone gives it back.
func TestWhatListsKeepIsBounded(t *testing.T) {
	cache := &listCache{}
	blocks := make([]blockMemo, 40)
	for i := range blocks {
		for key := range 5000 {
			blocks[i].keepAnswer(&cache.memo, string(rune('a'+key)), &blockBits{})
		}
	}
	if used := cache.memo.Load(); used > maxListMemo || used < maxListMemo/2 {
		t.Errorf("%d bytes are kept, want nearly %d", used, maxListMemo)
	}
	for i := range blocks {
		blocks[i].forget(&cache.memo)
		blocks[i].keepAnswer(&cache.memo, "late", &blockBits{})
	}
	if used := cache.memo.Load(); used != 0 {
		t.Errorf("%d bytes are kept of what is gone", used)
	}
}
