package wording

import (
	"cmp"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/patchscout/patchscout/internal/assistant/answer"
)

// hider puts placeholders in place of what belongs to the estate, the same one for the same thing, and puts that back.
// A nil hider leaves all as it is.
type hider struct {
	names map[string][]Name // by their first word, lower case; the longest first
	given map[string]string // placeholder -> what it stands for
	known map[string]string // lower case -> placeholder
	count map[string]int
}

// stand is what a placeholder looks like.
var stand = regexp.MustCompile(`(?i)(?:HOST|NET|MAC|URL|PATH|USER|SITE|NAME|TEXT)_[0-9]+`)

// looks are what is hidden by its looks, in this order. TEXT comes first: what looks like a placeholder and is none.
var looks = []struct {
	kind string
	like *regexp.Regexp
	only func(string) bool
}{
	{"TEXT", stand, nil},
	{"URL", regexp.MustCompile(`(?i)\b[a-z][a-z0-9+.-]{1,15}://[^\s"'<>\x60]+|\bwww\.[^\s"'<>\x60]+`), nil},
	{"USER", regexp.MustCompile(`[\pL0-9._%+-]+@[\pL0-9](?:[\pL0-9.-]*[\pL0-9])?`), nil},
	{"PATH", regexp.MustCompile(`(?i)\b[a-z]:\\[^\s"'<>|]*|\\\\[^\s"'<>|]+`), nil},
	{"USER", regexp.MustCompile(`\b[\pL0-9.-]+\\[\pL0-9._$-]+`), nil}, // DOMAIN\user
	{"PATH", regexp.MustCompile(`(?:~|\B)/[\pL0-9._%+@~-]+(?:/[\pL0-9._%+@~-]*)+`), nil},
	{"MAC", regexp.MustCompile(`(?i)\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}\b|\b[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}\b`), nil},
	{"NET", regexp.MustCompile(`(?i)[0-9a-f:.]+/[0-9]{1,3}\b`), isNetwork},
	{"HOST", regexp.MustCompile(`(?i)[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*(?:%[a-z0-9]+)?`), isAddress},
	{"HOST", regexp.MustCompile(`\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b`), isAddress},
	{"HOST", regexp.MustCompile(`(?i)\b[\pL0-9_](?:[\pL0-9_-]*[\pL0-9_])?(?:\.[\pL0-9_](?:[\pL0-9_-]*[\pL0-9_])?)*\.[\pL][\pL0-9-]*[\pL0-9]\b`), nil},
}

func isAddress(text string) bool {
	_, err := netip.ParseAddr(strings.TrimRight(text, ".:"))
	return err == nil
}

func isNetwork(text string) bool {
	_, err := netip.ParsePrefix(text)
	return err == nil
}

func (w *Writer) hider(d *answer.Draft) *hider {
	if !w.Hide {
		return nil
	}
	h := &hider{names: map[string][]Name{}, given: map[string]string{}, known: map[string]string{}, count: map[string]int{}}
	for _, n := range w.Names {
		h.name(n)
	}
	for _, s := range d.Sources {
		h.name(Name{kinds[s.Kind], nameOf(s.Kind, s.Title)})
	}
	for _, f := range d.Facts.Items {
		h.name(Name{kinds[f.Kind], nameOf(f.Kind, f.Name)})
	}
	for word := range h.names {
		slices.SortStableFunc(h.names[word], func(a, b Name) int { return cmp.Compare(len(b.Text), len(a.Text)) })
	}
	return h
}

// kinds are the records whose titles are names of the estate.
var kinds = map[string]string{"host": "HOST", "site": "SITE", "owner": "USER", "assignee": "USER", "user": "USER"}

func nameOf(kind, title string) string {
	if kinds[kind] == "" {
		return ""
	}
	return title
}

// longNumber is from how many digits on a number can be somebody's name: shorter ones are counts, ports and years.
const longNumber = 5

// name takes a name to hide. A single letter and a short number alone say nothing, and would take every number along.
func (h *hider) name(n Name) {
	n.Text = strings.TrimSpace(n.Text)
	if n.Kind == "" {
		n.Kind = "NAME"
	}
	if utf8.RuneCountInString(n.Text) < 2 || len(n.Text) < longNumber && !strings.ContainsFunc(n.Text, unicode.IsLetter) {
		return
	}
	first := strings.ToLower(word(n.Text))
	h.names[first] = append(h.names[first], n)
}

// word is what a text begins with: letters and digits, or one character that is neither.
func word(text string) string {
	end := strings.IndexFunc(text, func(r rune) bool { return !within(r) })
	switch {
	case end < 0:
		return text
	case end == 0:
		_, end = utf8.DecodeRuneInString(text)
	}
	return text[:end]
}

func within(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// piece of a text; what is hidden already is not looked at again.
type piece struct {
	text   string
	hidden bool
}

func (h *hider) hide(text string) string {
	if h == nil {
		return text
	}
	list := []piece{{text: text}}
	list = split(list, func(text string) []piece { return h.byLooks(text, 0) })
	list = split(list, h.byName)
	for i := 1; i < len(looks); i++ {
		list = split(list, func(text string) []piece { return h.byLooks(text, i) })
	}
	var b strings.Builder
	for _, p := range list {
		b.WriteString(p.text)
	}
	return b.String()
}

func split(list []piece, by func(string) []piece) []piece {
	var out []piece
	for _, p := range list {
		if p.hidden {
			out = append(out, p)
			continue
		}
		out = append(out, by(p.text)...)
	}
	return out
}

func (h *hider) byLooks(text string, i int) []piece {
	var out []piece
	at := 0
	for _, found := range looks[i].like.FindAllStringIndex(text, -1) {
		what := strings.TrimRight(text[found[0]:found[1]], ".,;:!?)]}*")
		if what == "" || looks[i].only != nil && !looks[i].only(what) {
			continue
		}
		out = append(out, piece{text: text[at:found[0]]}, piece{h.place(looks[i].kind, what), true})
		at = found[0] + len(what)
	}
	return append(out, piece{text: text[at:]})
}

func (h *hider) byName(text string) []piece {
	var out []piece
	from := 0
	for at := 0; at < len(text); {
		first := word(text[at:])
		next := at + len(first)
		for _, n := range h.names[strings.ToLower(first)] {
			end := at + len(n.Text)
			if end > len(text) || !strings.EqualFold(text[at:end], n.Text) || !edge(text[end:]) {
				continue
			}
			out = append(out, piece{text: text[from:at]}, piece{h.place(n.Kind, text[at:end]), true})
			from, next = end, end
			break
		}
		at = next
	}
	return append(out, piece{text: text[from:]})
}

// edge says whether a name may end before the text.
func edge(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return text == "" || !within(r)
}

// place is the placeholder of a thing. What is written in other letters is put back as it was met first.
func (h *hider) place(kind, what string) string {
	low := strings.ToLower(what)
	if p, ok := h.known[low]; ok {
		return p
	}
	h.count[kind]++
	p := fmt.Sprintf("%s_%d", kind, h.count[kind])
	h.known[low], h.given[p] = p, what
	return p
}

// back puts in what the placeholders stand for. false: one was never given.
func (h *hider) back(text string) (string, bool) {
	if h == nil {
		return text, true
	}
	ok := true
	text = strings.ReplaceAll(text, `\_`, "_") // as some models write Markdown
	text = stand.ReplaceAllStringFunc(text, func(p string) string {
		what, given := h.given[strings.ToUpper(p)]
		ok = ok && given
		return what
	})
	return text, ok
}
