package report

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// ChatMarkdown writes a conversation for people: each question with its answer, the records that it rests on, and how old
// the data was.
func ChatMarkdown(w io.Writer, c ChatHistory) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "# %s\n\nA conversation with PatchScout, %s.\n", markdownLine(c.Title), c.Started.UTC().Format(time.RFC3339))
	for _, a := range c.Items {
		markdownAnswer(out, a)
	}
	return out.Flush()
}

func markdownAnswer(out *bufio.Writer, a Answer) {
	fmt.Fprintf(out, "\n## %s\n\n", markdownLine(a.Question))
	fmt.Fprintf(out, "%s\n", markdownText(a.Answer))
	if len(a.Sources) > 0 {
		fmt.Fprint(out, "\n### Sources\n\n")
	}
	for _, s := range a.Sources {
		fmt.Fprintf(out, "%d. %s\n", s.N, strings.Join(sourceWords(s, markdownLine), ", "))
	}
	fmt.Fprintf(out, "\n_%s, confidence %.0f %% (%s)._\n", a.At.UTC().Format(time.RFC3339), 100*a.Confidence, markdownLine(a.Sure))
	if age := dataWords(a.Data); age != "" {
		fmt.Fprintf(out, "\n_Data: %s._\n", markdownLine(age))
	}
}

// sourceWords are the id, the title, who says so and the day of a source.
func sourceWords(s Source, clean func(string) string) []string {
	words := []string{clean(s.Kind + " " + s.ID)}
	if s.Title != "" && s.Title != s.ID {
		words = append(words, clean(s.Title))
	}
	if s.From != "" {
		words = append(words, clean(string(s.From)))
	}
	if s.At != nil {
		words = append(words, s.At.UTC().Format(time.DateOnly))
	}
	return words
}

// dataWords say how old the data is.
func dataWords(list []DataAge) string {
	var words []string
	for _, d := range list {
		switch {
		case d.At == nil:
			words = append(words, d.Name+" never")
		case d.Stale:
			words = append(words, d.Name+" "+d.At.UTC().Format(time.DateOnly)+" (old)")
		default:
			words = append(words, d.Name+" "+d.At.UTC().Format(time.DateOnly))
		}
	}
	return strings.Join(words, ", ")
}

// markdownLine is foreign text as one line in which nothing is markup.
func markdownLine(text string) string {
	line := markdownEscapes.Replace(strings.Join(strings.Fields(Plain(text)), " "))
	return lineStart.ReplaceAllString(line, `$1\$2`)
}

// lineStart is what makes a list, a rule or a heading at the beginning of a line.
var lineStart = regexp.MustCompile(`^([0-9]*)([-+=.)])`)

var sourceNumber = regexp.MustCompile(`\\\[([0-9]{1,3})\\\]`)

var markdownEscapes = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;",
	"#", `\#`, "|", `\|`, "!", `\!`, "~", `\~`, "$", `\$`)

// markdownText is an answer's text: its paragraphs, lists, bold words and numbers of sources stay, nothing else is markup.
func markdownText(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		rest, item := strings.CutPrefix(line, "- ")
		rest = keptMarkup(markdownLine(rest))
		if item {
			rest = "- " + rest
		}
		lines[i] = rest
	}
	return strings.Join(lines, "\n")
}

// keptMarkup gives **bold** and [1] back.
func keptMarkup(line string) string {
	return sourceNumber.ReplaceAllString(strings.ReplaceAll(line, `\*\*`, "**"), "[$1]")
}
