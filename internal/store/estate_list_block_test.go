package store

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestABlockGivesBackItsNumbers(t *testing.T) {
	for name, draw := range map[string]func() uint64{
		"zeros": func() uint64 { return 0 },
		"ones":  func() uint64 { return 1 },
		"bits":  func() uint64 { return rand.Uint64N(2) },
		"bytes": func() uint64 { return 1<<50 + rand.Uint64N(200) },
		"gaps":  func() uint64 { return rand.Uint64N(2) * (1_700_000_000_000 + rand.Uint64N(1<<36)) },
		"all":   rand.Uint64,
		"most":  func() uint64 { return ^uint64(0) - rand.Uint64N(2)*(^uint64(0)-1) },
	} {
		var values, got blockValues
		for i := range values {
			values[i] = draw()
		}
		lo, hi, data := values.pack()
		if name == "zeros" {
			if data != nil {
				t.Error("a block of zeros takes room")
			}
			continue
		}
		if err := got.unpack(data); err != nil || got != values {
			t.Errorf("%s: not the same (%v)", name, err)
		}
		if gotLo, gotHi := bounds(data); uint64(gotLo) != lo || uint64(gotHi) != hi {
			t.Errorf("%s: bounds %d to %d, want %d to %d", name, gotLo, gotHi, lo, hi)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	values := blockValues{1, 2, 300}
	_, _, data := values.pack()
	f.Add(data)
	f.Add([]byte{8})
	f.Fuzz(func(_ *testing.T, data []byte) {
		_ = (&blockValues{}).unpack(data)
	})
}

func TestSearchingWordsFindsTheLines(t *testing.T) {
	body := []byte("\nopenssh\nopen\nno\nssh openssh openssh\n")
	for needle, want := range map[string][]int{"open": {1, 2, 4}, "ssh": {1, 4}, "no": {3}, "nn": nil, "": nil} {
		if got := slices.Collect(matchingLines(body, []byte(needle))); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", needle, got, want)
		}
	}
	if strings.Contains(searchable("A\nB"), "\n") {
		t.Error("a word of two lines")
	}
}

// ForgetLists leaves an estate as a migration does that finds findings in it.
func ForgetLists(ctx context.Context, s *Store) error {
	return s.estate.update(ctx, func(tx *Tx) error {
		for _, statement := range []string{`DELETE FROM list_column`, `DELETE FROM list_word`, `DELETE FROM list_words`,
			`DELETE FROM list_stale`, `INSERT INTO list_stale (finding) SELECT id FROM finding`} {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}

func BenchmarkUnpack(b *testing.B) {
	for name, span := range map[string]uint64{"1 byte": 200, "2 bytes": 60_000, "4 bytes": 1 << 30, "7 bytes": 1 << 50} {
		var values blockValues
		for i := range values {
			values[i] = 1 + rand.Uint64N(span)*rand.Uint64N(2)
		}
		values[0] = 1 + span
		_, _, data := values.pack()
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_ = values.unpack(data)
			}
		})
	}
}
