package catalogue

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/patchscout/patchscout/internal/cve"
)

// Rank sorts records in which all words occur, best first. Since every record holds every word, rarity plays no part;
// what remains of BM25F is how often and where they occur against the record's length. The texts come from the records
// themselves, so both databases rank alike and neither has to store positions. What is new or exploited counts a
// little more: of two that fit alike it is the one to read first.
func Rank(words []string, records []*cve.Record, exploited func(cve.ID) bool) {
	scores := make(map[cve.ID]float64, len(records))
	latest := 0
	for _, r := range records {
		latest = max(latest, r.ID.Year())
	}
	for _, r := range records {
		s := relevance(words, r) * (1 + recencyWorth*recency(latest-r.ID.Year()))
		if exploited(r.ID) {
			s *= 1.15
		}
		scores[r.ID] = s
	}
	slices.SortFunc(records, func(a, b *cve.Record) int {
		return cmp.Or(cmp.Compare(scores[b.ID], scores[a.ID]), cmp.Compare(b.ID, a.ID))
	})
}

// recencyWorth is what the newest gains over the oldest.
const recencyWorth = 0.3

// recency falls from 1 to 0 within 20 years.
func recency(years int) float64 { return 1 - float64(min(years, 20))/20 }

// The weights of a word by where it stands, and BM25's parameters: the saturation that is usual, a length norm that
// does not punish long advisories much.
const (
	weightProducts    = 4
	weightTitle       = 2
	weightDescription = 1
	prefixWorth       = 0.7 // "overflows" for "overflow"
	saturation        = 1.2
	lengthNorm        = 0.4
	usualLength       = 50
)

func relevance(words []string, r *cve.Record) float64 {
	counts := make([]float64, len(words))
	count := func(text string, weight, most float64) int {
		n := 0
		here := make([]float64, len(words))
		for token := range strings.FieldsFuncSeq(Fold(text), notWord) {
			n++
			for i, w := range words {
				here[i] += worth(token, w)
			}
		}
		for i, h := range here {
			counts[i] += weight * min(h, most)
		}
		return n
	}
	count(productWords(r), weightProducts, 1) // a product's name stands there once for every vendor spelling
	count(r.Title, weightTitle, 1)
	length := count(r.Description, weightDescription, 3)
	norm := saturation * (1 - lengthNorm + lengthNorm*float64(length)/usualLength)
	score := 0.0
	for _, tf := range counts {
		score += tf / (tf + norm)
	}
	return score
}

// worth is how much a token counts as the wanted word.
func worth(token, wanted string) float64 {
	switch {
	case token == wanted:
		return 1
	case len(wanted) >= PrefixFrom && strings.HasPrefix(token, wanted):
		return prefixWorth
	default:
		return 0
	}
}

// PrefixFrom is the length from which a word also finds longer ones.
const PrefixFrom = 4

// Words splits what a user typed into search terms as SplitWords does, at most 16. It is what makes a full-text query
// safe to build: no operator or quote of a query language survives.
func Words(text string) []string {
	terms := SplitWords(text)
	return terms[:min(len(terms), 16)]
}

// SplitWords cuts text into words as SQLite's unicode61 does: runs of letters and digits, lower case, no diacritics.
func SplitWords(text string) []string { return strings.FieldsFunc(Fold(text), notWord) }

func notWord(r rune) bool {
	if r < 0x80 {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && (r < 'A' || r > 'Z')
	}
	return !unicode.IsLetter(r) && !unicode.IsNumber(r)
}

// Fold lowers case and strips diacritics.
func Fold(s string) string {
	s = strings.ToLower(s)
	for i := range len(s) {
		if s[i] >= 0x80 {
			return strings.Map(dropMark, norm.NFD.String(s))
		}
	}
	return s
}

func dropMark(r rune) rune {
	if unicode.Is(unicode.Mn, r) {
		return -1
	}
	return r
}
