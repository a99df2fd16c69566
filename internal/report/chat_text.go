package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
)

// shownSources is how many sources of an answer a person wants to see under it; JSON has all.
const shownSources = 10

// widestAnswer is where lines of an answer end on the widest terminal: longer ones are hard to read.
const widestAnswer = 100

// AnswerText shows an answer to a person: the text, the records that it rests on, and what to know before believing it.
func AnswerText(w io.Writer, a Answer, t Terminal) error {
	p := &answerPrinter{w: w, Terminal: t}
	if p.Width > widestAnswer {
		p.Width = widestAnswer
	}
	p.text(a.Answer)
	p.sources(a.Sources, shownSources)
	p.caveats(a)
	return p.err
}

// SourceText shows one source of an answer with what the record says.
func SourceText(w io.Writer, s Source, t Terminal) error {
	p := &answerPrinter{w: w, Terminal: t}
	p.line(p.paint(toneTitle, fmt.Sprintf("[%d] %s", s.N, Plain(s.Kind+" "+s.ID))))
	for _, text := range []string{s.Title, s.Text} {
		if text != "" {
			p.wrapped("", "", noBold(text))
		}
	}
	var where []string
	for _, word := range []string{string(s.From), s.URL} {
		if word != "" {
			where = append(where, noBold(word))
		}
	}
	if s.At != nil {
		where = append(where, stamp(*s.At))
	}
	p.wrapped("", "", strings.Join(where, ", "))
	return p.err
}

// answerPrinter writes lines until one fails.
type answerPrinter struct {
	Terminal
	w   io.Writer
	err error
}

func (p *answerPrinter) line(text string) {
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.w, strings.TrimRight(text, " "))
	}
}

// text writes paragraphs, lists and bold words.
func (p *answerPrinter) text(text string) {
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		rest, item := strings.CutPrefix(line, "- ")
		switch {
		case strings.TrimSpace(line) == "":
			p.line("")
		case item:
			p.wrapped("  - ", "    ", rest)
		default:
			p.wrapped("", "", rest)
		}
	}
}

// wrapped writes a text of one line in as many as it needs, the first one behind first and the others behind other.
func (p *answerPrinter) wrapped(first, other, text string) {
	bold, line, width := false, first, lipgloss.Width(first)
	begin := true
	for word := range strings.FieldsSeq(Plain(text)) {
		shown, wide := "", 0
		for i, piece := range strings.Split(word, "**") {
			if i > 0 {
				bold = !bold
			}
			if wide += lipgloss.Width(piece); bold && piece != "" {
				piece = p.paint(toneTitle, piece)
			}
			shown += piece
		}
		switch {
		case begin:
			line, width, begin = line+shown, width+wide, false
		case p.Width > 0 && width+1+wide > p.Width:
			p.line(line)
			line, width = other+shown, lipgloss.Width(other)+wide
		default:
			line, width = line+" "+shown, width+1+wide
		}
	}
	p.line(line)
}

func (p *answerPrinter) sources(list []Source, most int) {
	if len(list) == 0 {
		return
	}
	p.line("")
	p.line(p.paint(toneTitle, "Sources"))
	for _, s := range list[:min(most, len(list))] {
		number := fmt.Sprintf("%3d  ", s.N)
		p.wrapped(number, strings.Repeat(" ", len(number)), noBold(strings.Join(sourceWords(s, Plain), ", ")))
	}
	if more := len(list) - most; more > 0 {
		p.line(fmt.Sprintf("     and %d more", more))
	}
}

// noBold takes our own markup out of what others wrote.
func noBold(text string) string { return strings.ReplaceAll(text, "**", "") }

// caveats say what to know before believing the answer: old or missing data, and words that were read as others.
func (p *answerPrinter) caveats(a Answer) {
	var lines []string
	for _, d := range a.Data {
		if d.At == nil || d.Stale {
			lines = append(lines, "Data: "+dataWord(d))
		}
	}
	if len(a.Corrected) > 0 || a.Sure != "high" && !a.Refused {
		lines = append(lines, "Read as: "+a.Understood+readings(a.Corrected))
	}
	if a.Sure != "high" && !a.Refused {
		lines = append(lines, fmt.Sprintf("Confidence: %s (%.0f %%)", a.Sure, 100*a.Confidence))
	}
	if m := a.Model; m != nil {
		lines = append(lines, "Worded by: "+modelWords(*m))
	}
	if a.Command != "" {
		lines = append(lines, "The same: "+string(a.Command))
	}
	if len(lines) > 0 {
		p.line("")
	}
	for _, l := range lines {
		p.wrapped("", "  ", noBold(l))
	}
}

func readings(list []SpellingFix) string {
	var words []string
	for _, c := range list {
		words = append(words, c.From+" → "+c.To)
	}
	if len(words) == 0 {
		return ""
	}
	return " (" + strings.Join(words, ", ") + ")"
}

func modelWords(m AnswerModel) string {
	switch {
	case !m.Used && m.Error != "":
		return "PatchScout, since " + m.Name + " failed: " + string(m.Error)
	case !m.Used:
		return "PatchScout, since what " + m.Name + " wrote did not stand"
	case m.Marked:
		return m.Name + "; what no record says was cut"
	default:
		return m.Name + ", and checked"
	}
}

// dataWord says how old one source of data is.
func dataWord(d DataAge) string {
	text := d.Name + " never came"
	switch {
	case d.At == nil:
	case d.AgeHours != nil && *d.AgeHours < 48:
		text = fmt.Sprintf("%s is %.0f hours old", d.Name, *d.AgeHours)
	default:
		text = d.Name + " is of " + d.At.UTC().Format(time.DateOnly)
	}
	if d.Stale && d.At != nil {
		text += ", older than its schedule allows"
	}
	if d.Note != "" {
		text += ": " + string(d.Note)
	}
	return text
}

// ChatTable lists conversations, the last one first.
func ChatTable(w io.Writer, list ChatSessionList, t Terminal) error {
	if len(list.Items) == 0 {
		_, err := fmt.Fprintln(w, "No conversation is kept: ask something.")
		return err
	}
	g := &grid{columns: []column{{Title: "SESSION"}, {Title: "LAST"}, {Title: "QUESTIONS", Right: true}, {Title: "BEGAN WITH", Flex: 20}}}
	for _, s := range list.Items {
		g.add(plainCells(s.SessionID, stamp(s.Last), fmt.Sprint(s.Questions), s.Title)...)
	}
	return g.draw(w, t)
}

// ChatText shows a conversation to a person.
func ChatText(w io.Writer, c ChatHistory, t Terminal) error {
	p := &answerPrinter{w: w, Terminal: t}
	for i, a := range c.Items {
		if i > 0 {
			p.line("")
		}
		p.wrapped("", "", "**> "+noBold(a.Question)+"**")
		p.line("")
		if p.err == nil {
			p.err = AnswerText(w, a, t)
		}
	}
	return p.err
}

// AssistantText shows how the assistant is set up.
func AssistantText(w io.Writer, s AssistantState) error {
	p := &answerPrinter{w: w}
	for _, peer := range []struct {
		name string
		AssistantPeer
	}{{"Language model", s.Model}, {"Embeddings", s.Embeddings}, {"Vectors", s.Vectors}} {
		p.wrapped("", "  ", peer.name+": "+peerWords(peer.AssistantPeer))
	}
	for _, part := range s.Index {
		text := fmt.Sprintf("Index of %s: %d records", part.Name, part.Records)
		if !part.Current {
			text += ", being brought up to date"
		}
		p.line(text)
	}
	p.line(fmt.Sprintf("Conversations are kept for %d days.", s.KeepDays))
	return p.err
}

func peerWords(p AssistantPeer) string {
	if p.Name == "" && p.URL == "" {
		return "none"
	}
	text := strings.TrimSpace(string(p.Name) + " " + string(p.URL))
	if p.Remote {
		text += ", on another machine"
	}
	if p.Accepted != nil && !*p.Accepted {
		text += ", not accepted: off"
	}
	if p.Sends != "" {
		text += "; is sent " + string(p.Sends)
	}
	if p.Error != "" {
		text += "; not used: " + string(p.Error)
	}
	return text
}
