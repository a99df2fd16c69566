package answer

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/retrieve"
	"github.com/patchscout/patchscout/internal/report"
)

// product answers from the product's own pages: a word of the trade in our words, else the sentences that fit best.
func (k *desk) product(ctx context.Context) (bool, error) {
	explained := k.terms()
	if !explained && k.tells() {
		return true, nil
	}
	if k.Search == nil {
		return explained, nil
	}
	found, err := k.Search.Search(ctx, retrieve.Query{Text: k.Text, Kinds: []retrieve.Kind{retrieve.Doc}, View: k.View, Limit: 5})
	if err != nil {
		return false, err
	}
	pages := found.Passages[retrieve.Doc]
	if len(pages) == 0 {
		return explained, nil
	}
	best := pages[0]
	k.d.Features.Score, k.d.Features.Words = best.Score, best.Part
	k.d.Features.Margin = marginOf(pages)
	if explained {
		k.d.Cite(docSource(best))
		return true, nil
	}
	if best.Part < leastPart {
		k.refuse("the product's pages say nothing that fits; the nearest is “"+ourText(best.Title, 80)+"”", "Ask with other words, or look into the pages themselves.", "", k.d.Cite(docSource(best)))
		return true, nil
	}
	for i, p := range pages[:min(len(pages), 2)] {
		if i > 0 && p.Part < 0.8*best.Part {
			break
		}
		n := k.d.Cite(docSource(p))
		said := fitting(p.Text, k.Text, 3-i)
		if len(said) == 0 {
			continue
		}
		if i == 0 {
			k.d.Facts.Value = report.Text(ourText(said[0], 200))
		}
		for _, s := range said {
			k.d.Say([]int{n}, "%s", s)
		}
	}
	for _, p := range pages[1:min(len(pages), 3)] {
		k.d.Cite(docSource(p))
	}
	return len(k.d.Lines) > 0, nil
}

func docSource(p retrieve.Passage) report.Source {
	return report.Source{Kind: "doc", ID: p.ID, Title: ourText(p.Title, 120), Text: ourText(p.Text, 700), URL: docURL(p.ID), From: "PatchScout"}
}

// docURL is where a page of the product can be read.
func docURL(id string) string { return "/help/" + id }

var (
	docLink  = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	docBreak = regexp.MustCompile(`[.:!?]\s+`)
)

// ourText is text of our own pages in one line: its commands stay in backquotes, its links become their words.
func ourText(text string, most int) string {
	text = strings.ReplaceAll(docLink.ReplaceAllString(text, "$1"), "**", "")
	text = strings.NewReplacer("[", "(", "]", ")", "*", "").Replace(strings.Join(strings.Fields(text), " "))
	if r := []rune(text); len(r) > most {
		text = strings.TrimRight(string(r[:most-1]), " ,;:.") + "…"
	}
	return text
}

// fitting are the sentences of a section that hold most of the question's words, best first. A word counts the more the
// fewer sentences of the section have it.
func fitting(text, question string, most int) (out []string) {
	wanted, all := tellingWords(question), docSentences(text)
	holds := func(sentence, word string) bool {
		return strings.Contains(strings.ToLower(sentence), word[:min(len(word), 6)])
	}
	worth := make([]float64, len(wanted))
	for i, w := range wanted {
		n := 1
		for _, s := range all {
			if holds(s, w) {
				n++
			}
		}
		worth[i] = 1 / float64(n)
	}
	type scored struct {
		at  int
		sum float64
	}
	var list []scored
	for i, s := range all {
		sum := 0.0
		for j, w := range wanted {
			if holds(s, w) {
				sum += worth[j]
			}
		}
		list = append(list, scored{i, sum})
	}
	slices.SortStableFunc(list, func(a, b scored) int { return cmp.Compare(b.sum, a.sum) })
	for i, s := range list[:min(len(list), most)] {
		if i > 0 && s.sum < 0.6*list[0].sum {
			break
		}
		out = append(out, all[s.at])
	}
	return out
}

// docSentences cuts Markdown of our own pages into sentences, items and rows of tables.
func docSentences(text string) (out []string) {
	paragraph := ""
	flush := func() {
		for _, s := range cutSentences(paragraph) {
			if s = ourText(s, 420); len(s) > 20 {
				out = append(out, s)
			}
		}
		paragraph = ""
	}
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "":
			flush()
		case strings.HasPrefix(trimmed, "|--"), strings.HasPrefix(trimmed, "| --"), strings.HasPrefix(trimmed, "|:"):
		case strings.HasPrefix(trimmed, "|"):
			flush()
			cells := strings.Split(strings.Trim(trimmed, "|"), "|")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			paragraph = cells[0] + ": " + strings.Join(slices.DeleteFunc(cells[1:], func(c string) bool { return c == "" }), "; ")
			flush()
		case strings.HasPrefix(trimmed, "- "), strings.HasPrefix(trimmed, "* "):
			flush()
			paragraph = trimmed[2:]
		case strings.HasPrefix(trimmed, "patchscout "), strings.HasPrefix(trimmed, "curl "):
			flush()
			paragraph = "`" + trimmed + "`"
			flush()
		default:
			paragraph += " " + trimmed
		}
	}
	flush()
	return out
}

func cutSentences(text string) (out []string) {
	for {
		at := -1
		for _, m := range docBreak.FindAllStringIndex(text, -1) {
			if text[m[0]] != ':' && strings.Count(text[:m[0]], "`")%2 == 0 && m[0] > 30 {
				at = m[0] + 1
				break
			}
		}
		if at < 0 {
			return append(out, text)
		}
		out, text = append(out, text[:at]), text[at:]
	}
}

// filler are words of questions that describe nothing.
var filler = map[string]bool{}

func init() {
	for _, w := range strings.Fields(`a an and any are about be can could did do does for from give had has have how i if in is it its me my of on one or our please
		show so tell that the their them there these they this to us was we were what when where which who why will with would you your find know explain mean means
		list there's what's cve cves vulnerability vulnerabilities bug flaw exploit module metasploit affecting called that's where`) {
		filler[w] = true
	}
}

// tellingWords are the words of a question that describe something, in lower case, without their plural s.
func tellingWords(text string) (out []string) {
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' || r >= 0x80)
	}) {
		w = strings.Trim(w, "-._")
		if filler[w] || len(w) < 2 {
			continue
		}
		if len(w) > 4 {
			w = strings.TrimSuffix(w, "s")
		}
		if !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}
