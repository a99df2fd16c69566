package understand

import (
	_ "embed"
	"strings"
)

//go:embed common.txt
var commonText string

//go:embed english.txt
var englishText string

// commonWords are words that descriptions of vulnerabilities and everyday English are full of. They are no misspellings of
// others, and no names of products that few have heard of.
var commonWords = table(func() map[string]bool {
	all := make(map[string]bool, 6000)
	for w := range strings.FieldsSeq(commonText) {
		all[w] = true
	}
	for w := range english() {
		all[w] = true
	}
	return all
})

// english are everyday words by which a product is meant only where something besides says so: "gateway", "slip", "know".
var english = table(func() map[string]bool {
	all := make(map[string]bool, 3000)
	for w := range strings.FieldsSeq(englishText) {
		all[w] = true
	}
	return all
})
