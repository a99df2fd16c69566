package understand

import (
	_ "embed"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/cve"
)

//go:embed alias.txt
var aliasText string

//go:embed nickname.txt
var nicknameText string

type alias struct{ vendor, product string }

// aliases are names of products as people say them.
var aliases = table(func() map[string][]alias {
	all := map[string][]alias{}
	for names, target := range lines(aliasText) {
		for entry := range strings.FieldsSeq(target) {
			vendor, product, _ := strings.Cut(entry, ":")
			for name := range strings.SplitSeq(names, "|") {
				if key := plain(name); !slices.Contains(all[key], alias{vendor, product}) {
					all[key] = append(all[key], alias{vendor, product})
				}
			}
		}
	}
	return all
})

// joinedAliases are the aliases without their blanks.
var joinedAliases = table(func() map[string][]alias {
	all := map[string][]alias{}
	for name, targets := range aliases() {
		if joined := strings.ReplaceAll(name, " ", ""); joined != name && len(joined) >= 6 {
			all[joined] = targets
		}
	}
	return all
})

// aliasWords are the words of aliases and nicknames.
var aliasWords = table(func() map[string]bool {
	all := map[string]bool{}
	for name := range aliases() {
		for word := range strings.FieldsSeq(name) {
			all[word] = true
		}
	}
	for name := range nicknames() {
		for word := range strings.FieldsSeq(name) {
			all[word] = true
		}
	}
	return all
})

// nicknameWords are the words of aliases and nicknames, to be found by misspelt ones.
var nicknameWords = table(func() *wordIndex {
	x := newWordIndex(600)
	for word := range aliasWords() {
		if len(word) >= 5 {
			x.add(word, 5000)
		}
	}
	x.done()
	return x
})

// vendorAliases are vendors as people say them: "ms" for microsoft.
var vendorAliases = table(func() map[string]string {
	all := map[string]string{}
	for names, target := range lines(aliasText) {
		if vendor, ok := strings.CutSuffix(strings.TrimSpace(target), ":"); ok && !strings.Contains(vendor, " ") {
			for name := range strings.SplitSeq(names, "|") {
				all[plain(name)] = plain(vendor)
			}
		}
	}
	return all
})

func vendorOf(name string) string {
	if vendor, ok := vendorAliases()[name]; ok {
		return vendor
	}
	return name
}

// nicknames are the names that CVEs became known by.
var nicknames = table(func() map[string][]cve.ID {
	all := map[string][]cve.ID{}
	for names, target := range lines(nicknameText) {
		var ids []cve.ID
		for field := range strings.FieldsSeq(target) {
			id, err := cve.ParseID(field)
			if err != nil {
				panic("nickname.txt: " + err.Error()) // written by us, and read by a test
			}
			ids = append(ids, id)
		}
		for name := range strings.SplitSeq(names, "|") {
			all[plain(name)] = ids
		}
	}
	return all
})

// lines are the "left = right" lines of a table, without comments.
func lines(text string) func(func(left, right string) bool) {
	return func(yield func(left, right string) bool) {
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			left, right, ok := strings.Cut(line, " = ")
			if !ok {
				panic("a table has a line without ' = ': " + line) // written by us, and read by a test
			}
			if !yield(strings.TrimSpace(left), strings.TrimSpace(right)) {
				return
			}
		}
	}
}
