package asset

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/patchscout/patchscout/internal/fault"
)

// Own is what people said themselves of a host. Tags, Owner, Criticality and Exposed of the host are this and, where it
// says nothing, what rules say.
type Own struct {
	Tags        []string `json:"tags,omitempty"`    // sorted
	Without     []string `json:"without,omitempty"` // tags taken off, which no rule puts back; sorted
	Owner       string   `json:"owner,omitempty"`
	Criticality string   `json:"criticality,omitempty"`
	Exposed     *bool    `json:"exposed,omitempty"`
}

// Criticalities are the words for how much depends on a host, the least first; "" is that nobody said.
var Criticalities = []string{"minimal", "low", "medium", "high", "critical"}

// CriticalityLevel is the place of a word among Criticalities, from 1; 0 is that nobody said.
func CriticalityLevel(word string) int { return slices.Index(Criticalities, word) + 1 }

// ReadCriticality reads a word of Criticalities or its place among them, 1 to 5; "" is that nobody says.
func ReadCriticality(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if n, err := strconv.Atoi(s); err == nil && n >= 1 && n <= len(Criticalities) {
		return Criticalities[n-1], nil
	}
	return s, CheckCriticality(s)
}

// JewelTag marks the hosts that an attacker must not get: what attack paths lead to.
const JewelTag = "jewel"

// IsJewel says whether the tag is among some.
func IsJewel(tags []string) bool {
	return slices.ContainsFunc(tags, func(t string) bool { return strings.EqualFold(t, JewelTag) })
}

// Join unites what was said of two hosts that are one: the first one's words, and the second's where it said nothing.
func (o Own) Join(other Own) Own {
	if o.Owner == "" {
		o.Owner = other.Owner
	}
	if o.Criticality == "" {
		o.Criticality = other.Criticality
	}
	if o.Exposed == nil {
		o.Exposed = other.Exposed
	}
	o.Tags = Union(o.Tags, other.Tags)
	o.Without = Minus(Union(o.Without, other.Without), o.Tags)
	return o
}

// Retag puts tags on and takes tags off.
func (o *Own) Retag(on, off []string) { o.Tags, o.Without = Relabel(o.Tags, o.Without, on, off) }

// Relabel adds labels to and takes labels off own words: those that it takes off are remembered, so that no rule brings
// them back.
func Relabel(own, without, on, off []string) (newOwn, newWithout []string) {
	newOwn = Minus(Union(own, on), off)
	return newOwn, Minus(Union(without, off), newOwn)
}

// Union is a sorted list without doubles, nil when it is empty; its arguments are left alone.
func Union(lists ...[]string) []string {
	out := slices.Concat(lists...)
	slices.Sort(out)
	if out = slices.Compact(out); len(out) == 0 {
		return nil
	}
	return out
}

// Minus is a without what b holds, nil when nothing is left.
func Minus(a, b []string) (out []string) {
	for _, s := range a {
		if !slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return out
}

// maxLabel is the longest label or tag, in bytes.
const maxLabel = 64

// CheckLabel says what is wrong with a label or tag.
func CheckLabel(s string) error {
	bad := func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r) || strings.ContainsRune(`,"'*`, r) || r == unicode.ReplacementChar
	}
	if s == "" || len(s) > maxLabel || s[0] == '-' || strings.ContainsFunc(s, bad) {
		return fault.Invalid("label %q: want 1 to %d characters without blanks, commas, quotes, '*' or a leading '-'", s, maxLabel)
	}
	return nil
}

// CheckCriticality says what is wrong with a criticality.
func CheckCriticality(s string) error {
	if s != "" && !slices.Contains(Criticalities, s) {
		return fault.Invalid("criticality %q: want %s, or 1 to %d", s, strings.Join(Criticalities, ", "), len(Criticalities))
	}
	return nil
}
