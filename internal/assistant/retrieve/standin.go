package retrieve

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/textindex"
)

// NoteStandIn says that the database stood in for the text index of the catalogue.
const NoteStandIn = "The text index of the catalogue is being built: these are CVEs that hold the words, not yet the ones that fit best. Ask again in some seconds."

// fewest are the words that a stand-in looks for when no CVE holds them all: the longest, which say most.
var fewest = []int{4, 2}

// standIn finds CVEs by the database alone, which knows those that hold all of some words, and not how rare a word is.
func (s *search) standIn(ctx context.Context) ([]Passage, error) {
	s.found.Behind = true
	s.say(NoteStandIn)
	words := uniqueWords(s.query.Text)
	var passages []Passage
	for _, some := range narrowing(words) {
		page, err := s.finder.config.CVEs.Search(ctx, catalogue.Filter{Words: strings.Join(append(some, s.query.Exact...), " "), Limit: s.query.Limit})
		if err != nil {
			return nil, err
		}
		if len(page.Hits) > 0 {
			passages = s.standing(page.Hits, words)
			break
		}
	}
	for _, w := range words { // whether others hold them is not known
		if _, twice := s.known[w]; !twice {
			s.order = append(s.order, w)
		}
		s.known[w] = true
	}
	return passages, nil
}

// narrowing are the words to be looked for, and then the longest of them only.
func narrowing(words []string) (tries [][]string) {
	if len(words) == 0 {
		return nil
	}
	tries = append(tries, words)
	long := slices.SortedStableFunc(slices.Values(words), func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, n := range fewest {
		if n < len(words) {
			tries = append(tries, long[:n:n])
		}
	}
	return tries
}

func uniqueWords(text string) (words []string) {
	for _, w := range catalogue.Words(text) {
		if !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	return words
}

// standing makes passages of what the database found, those that hold most of the words first.
func (s *search) standing(hits []catalogue.Hit, words []string) []Passage {
	passages := make([]Passage, 0, len(hits))
	for _, one := range hits {
		id, title := one.Record.ID.String(), one.Record.Title
		has := catalogue.SplitWords(title + " " + one.Record.Description)
		var held uint64
		for bit, w := range words {
			if slices.ContainsFunc(has, func(h string) bool { return h == w || len(w) >= catalogue.PrefixFrom && strings.HasPrefix(h, w) }) {
				held |= 1 << bit
			}
		}
		n := textindex.CountWords(held)
		part := float64(n) / float64(len(words))
		passages = append(passages, passage(CVE, id, cmp.Or(title, id), one.Record.Description, one.Record.Published,
			hit{raw: float64(n), score: part, part: part, words: n}))
	}
	slices.SortStableFunc(passages, func(a, b Passage) int { return cmp.Compare(b.Words, a.Words) })
	return passages
}
