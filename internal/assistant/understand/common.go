package understand

import (
	_ "embed"
	"strings"
)

//go:embed common.txt
var commonText string

// commonWords are words that descriptions of vulnerabilities and everyday English are full of. They are no misspellings of
// others, and no names of products that few have heard of.
var commonWords = table(func() map[string]bool {
	all := make(map[string]bool, 4000)
	for w := range strings.FieldsSeq(commonText) {
		all[w] = true
	}
	return all
})
