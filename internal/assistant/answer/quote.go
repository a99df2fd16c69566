package answer

import (
	"strings"

	"github.com/patchscout/patchscout/internal/explain"
)

// marks are what our Markdown subset, and that of whoever shows an answer, would read as markup. What scanned hosts and
// publishers wrote has none of it: the signs that people need stay readable as signs of their kind.
var marks = strings.NewReplacer("*", "∗", "`", "'", "[", "(", "]", ")", "<", "‹", ">", "›", "|", "¦", "#", "＃")

// quoted is what scanned hosts, reports and feeds wrote, as data: one line, without control and bidi characters and without
// markup, at most so many runes. Every such text of an answer passes through here.
func quoted(text string, most int) string {
	text = strings.TrimLeft(strings.TrimSpace(marks.Replace(explain.Line(text))), "-+•·›= ")
	if r := []rune(text); len(r) > most {
		text = strings.TrimRight(string(r[:most-1]), " ,;:.") + "…"
	}
	return text
}
