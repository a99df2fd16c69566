package nessus

import "github.com/patchscout/patchscout/internal/finding"

// vectors are an item's CVSS vectors, by version.
type vectors struct{ two, three, four string }

// best is the newest, as the standard writes it: without what Nessus puts before it ("CVSS2#") and without temporal metrics,
// which change from week to week while the finding does not.
func (v vectors) best() string {
	for _, text := range []string{v.four, v.three, v.two} {
		if vector := finding.VectorIn(text); vector != "" {
			return vector
		}
	}
	return ""
}
