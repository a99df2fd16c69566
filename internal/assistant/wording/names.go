package wording

import (
	"cmp"
	"slices"
)

// Placeholders returns what puts placeholders in place of names, and of what looks like an address, a host, a path or a URL,
// as Writer.Hide does: for others that send texts to another machine. Each text is hidden by itself. Safe for concurrent use.
func Placeholders(names []Name) func(text string) string {
	shared := &hider{names: map[string][]Name{}}
	for _, n := range names {
		shared.name(n)
	}
	for word := range shared.names {
		slices.SortStableFunc(shared.names[word], func(a, b Name) int { return cmp.Compare(len(b.Text), len(a.Text)) })
	}
	return func(text string) string {
		h := hider{names: shared.names, given: map[string]string{}, known: map[string]string{}, count: map[string]int{}}
		return h.hide(text)
	}
}
