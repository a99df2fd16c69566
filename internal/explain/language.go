package explain

import (
	_ "embed"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Language is one set of texts. It is read only and safe for concurrent use.
type Language struct {
	messages map[string]string
}

//go:embed english.txt
var englishTexts string

// English is the language that the product speaks.
var English = NewLanguage(englishTexts)

// NewLanguage reads texts in the form of english.txt: "key = text", several keys of one text separated by blanks, lines
// that begin with # are comments.
func NewLanguage(texts string) *Language {
	l := &Language{messages: map[string]string{}}
	for line := range strings.Lines(texts) {
		line = strings.TrimRight(line, "\r\n")
		keys, text, ok := strings.Cut(line, " = ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		for _, key := range strings.Fields(keys) {
			l.messages[key] = text
		}
	}
	return l
}

// phrase is a piece of text with the fields that it rests on.
type phrase struct {
	text   string
	fields []string
}

// known is a value as it stands in a field.
func known(text string, fields ...string) phrase { return phrase{text, fields} }

// on adds fields.
func (p phrase) on(fields ...string) phrase {
	return phrase{p.text, slices.Concat(p.fields, fields)}
}

func (p phrase) sorted() []string {
	fields := slices.Clone(p.fields)
	slices.Sort(fields)
	return slices.Compact(fields)
}

// sentence begins with a capital, unless the first word has one of its own inside ("nginx" stays, "iOS" too), and ends
// in a full stop.
func (p phrase) sentence() string {
	text := strings.TrimSpace(p.text)
	if first, size := utf8.DecodeRuneInString(text); size > 0 && unicode.IsLower(first) && !spelledSmall(text) {
		text = string(unicode.ToUpper(first)) + text[size:]
	}
	if strings.HasSuffix(text, ".") {
		return text
	}
	for _, end := range []string{".”", "!”", "?”", "…”"} {
		if strings.HasSuffix(text, end) {
			return text
		}
	}
	return text + "."
}

// spelledSmall says that a text's first word is a name which its makers begin with a small letter.
func spelledSmall(text string) bool {
	word, _, _ := strings.Cut(text, " ")
	return strings.IndexFunc(word, unicode.IsUpper) > 0
}

// value is what stands for {name} in a text.
type value struct {
	name string
	phrase
}

func with(name string, p phrase) value { return value{name, p} }

// text fills a message. Fields of the values that the text uses come along. Values are put in once: braces in them are
// text.
func (w *writer) text(key string, values ...value) phrase {
	message, ok := w.lang.messages[key]
	if !ok {
		return phrase{text: "⟨" + key + "⟩"} // a test fails on it
	}
	var b strings.Builder
	var fields []string
	for {
		before, rest, open := strings.Cut(message, "{")
		b.WriteString(before)
		if !open {
			return phrase{b.String(), fields}
		}
		name, after, _ := strings.Cut(rest, "}")
		message = after
		i := slices.IndexFunc(values, func(v value) bool { return v.name == name })
		if i < 0 {
			b.WriteString("⟨" + name + "⟩")
			continue
		}
		b.WriteString(values[i].text)
		fields = append(fields, values[i].fields...)
	}
}

// has says whether there is a message.
func (l *Language) has(key string) bool { return l.messages[key] != "" }

// number prints a count.
func number(n int, fields ...string) phrase { return known(strconv.Itoa(n), fields...) }

// date prints a day as "3 November 2021".
func (w *writer) date(t time.Time, fields ...string) phrase {
	y, m, d := t.UTC().Date()
	month := w.text("month." + strconv.Itoa(int(m)))
	return w.text("date", with("day", number(d)), with("month", month), with("year", number(y))).on(fields...)
}

// percent prints a share of 0..1 as people read it: "97 %", "3.2 %", "0.04 %", "under 0.01 %".
func (w *writer) percent(x float64, fields ...string) phrase {
	x = clamp(x) * 100
	digits := 2
	switch {
	case x < 0.01:
		return w.text("under", with("n", known("0.01"))).on(fields...)
	case x >= 10:
		digits = 0
	case x >= 1:
		digits = 1
	}
	return w.text("percent", with("n", known(trimNumber(x, digits)))).on(fields...)
}

// share prints a rank of 0..1, always rounded down: "higher than 100 %" would be wrong of anything.
func (w *writer) share(x float64, fields ...string) phrase {
	x = min(clamp(x)*100, 99.9)
	if x >= 99 {
		x = math.Floor(x*10+1e-6) / 10
	} else {
		x = math.Floor(x + 1e-6)
	}
	return w.text("percent", with("n", known(trimNumber(x, 1)))).on(fields...)
}

func clamp(x float64) float64 {
	if math.IsNaN(x) {
		return 0
	}
	return min(max(x, 0), 1)
}

func trimNumber(x float64, digits int) string {
	s := strconv.FormatFloat(x, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// list joins phrases: "a, b and c" with last "list.two", "a, b or c" with "list.last".
func (w *writer) list(last string, items []phrase) phrase {
	if len(items) == 0 {
		return phrase{}
	}
	all := items[0]
	for i, item := range items[1:] {
		key := "list.more"
		if i == len(items)-2 {
			key = last
		}
		all = w.text(key, with("a", all), with("b", item))
	}
	return all
}
