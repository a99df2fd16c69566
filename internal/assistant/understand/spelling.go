package understand

import (
	"cmp"
	"math/bits"
	"slices"
)

// wordIndex finds words within a small edit distance. It walks over all of them: a word's letters as bits throw out
// nearly all before anything is compared, 60,000 words in well under a millisecond, and no tables of deletions are kept.
type wordIndex struct {
	weights map[string]int32
	list    []nearWord
}

type nearWord struct {
	word    string
	letters uint32
	weight  int32
}

func newWordIndex(size int) *wordIndex { return &wordIndex{weights: make(map[string]int32, size)} }

// shortest is how long a word must be to be a misspelling of another: of three letters nearly everything is near.
const shortest = 4

func (x *wordIndex) add(word string, weight int) {
	if len(word) >= 2 && len(word) <= 40 {
		x.weights[word] += int32(min(weight, 1<<20))
	}
}

// done makes the list to walk over. Nothing may be added after it.
func (x *wordIndex) done() {
	x.list = make([]nearWord, 0, len(x.weights))
	for word, weight := range x.weights {
		if len(word) >= shortest {
			x.list = append(x.list, nearWord{word, letters(word), weight})
		}
	}
	slices.SortFunc(x.list, func(a, b nearWord) int { return cmp.Compare(a.word, b.word) })
}

func (x *wordIndex) has(word string) bool {
	_, ok := x.weights[word]
	return ok
}

// letters are the letters and digits of a word as bits.
func letters(word string) uint32 {
	var set uint32
	for i := range len(word) {
		switch c := word[i]; {
		case c >= 'a' && c <= 'z':
			set |= 1 << (c - 'a')
		case c >= '0' && c <= '9':
			set |= 1 << 26
		default:
			set |= 1 << 27
		}
	}
	return set
}

// slips is how many slips of the keyboard a word of some length may have.
func slips(length int) int {
	if length >= 8 {
		return 2
	}
	return 1
}

// nearest finds the words of the indexes that are like word, the likeliest first, at most eight.
func nearest(word string, indexes ...*wordIndex) []string {
	if len(word) < shortest || len(word) > 40 {
		return nil
	}
	type candidate struct {
		nearWord
		distance, index int
	}
	var found []candidate
	most, set := slips(len(word)), letters(word)
	for i, x := range indexes {
		for _, w := range x.list {
			if bits.OnesCount32(w.letters^set) > 2*most || w.word == word {
				continue
			}
			if d := distance(word, w.word, most); d <= most {
				found = append(found, candidate{w, d, i})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), -cmp.Compare(firstLetter(a.word, word), firstLetter(b.word, word)), cmp.Compare(b.weight, a.weight), cmp.Compare(a.word, b.word))
	})
	var out []string
	for _, c := range found {
		if len(out) < 8 && !slices.Contains(out, c.word) {
			out = append(out, c.word)
		}
	}
	return out
}

// firstLetter prefers words that begin alike: people seldom miss the first letter.
func firstLetter(a, b string) int {
	if a[0] == b[0] {
		return 1
	}
	return 0
}

// distance is the number of letters to add, leave out, change, or swap with their neighbour (optimal string alignment);
// more than most is most+1.
func distance(a, b string, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most || len(a) > 40 || len(b) > 40 {
		return most + 1
	}
	var rows [3][41]int
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			least = min(least, row[j])
		}
		if least > most {
			return most + 1
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
