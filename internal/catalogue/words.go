package catalogue

import (
	"strings"

	"github.com/patchscout/patchscout/internal/cve"
)

// maxProductWords bounds the searchable product text of one record: some name thousands of devices.
const maxProductWords = 16 << 10

// productWords lists the vendors and products of a record, each once, as text to search.
func productWords(r *cve.Record) string {
	var w wordList
	w.nodes(r.Configurations)
	return w.text.String()
}

type wordList struct {
	text strings.Builder
	seen map[string]struct{}
	last string
}

func (w *wordList) nodes(nodes []cve.Node) {
	for i := range nodes {
		w.nodes(nodes[i].Children)
		for j := range nodes[i].Matches {
			w.add(vendorProduct(nodes[i].Matches[j].Criteria))
		}
	}
}

// add takes "vendor:product". Neighbours are mostly the same, which the check against last makes cheap.
func (w *wordList) add(name string) {
	if name == w.last || w.text.Len() > maxProductWords {
		return
	}
	w.last = name
	if _, ok := w.seen[name]; ok {
		return
	}
	if w.seen == nil {
		w.seen = map[string]struct{}{}
	}
	w.seen[name] = struct{}{}
	w.text.WriteString(strings.ReplaceAll(name, `\`, ""))
	w.text.WriteByte(' ')
}

// vendorProduct cuts "vendor:product" out of a CPE 2.3 name without checking it; "" when it is none. An escaped colon
// belongs to the text.
func vendorProduct(criteria string) string {
	const prefix = len("cpe:2.3:a:")
	if len(criteria) < prefix {
		return ""
	}
	rest := criteria[prefix:]
	colons := 0
	for i := 0; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case ':':
			if colons++; colons == 2 {
				return rest[:i]
			}
		}
	}
	return ""
}
