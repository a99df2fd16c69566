// Package assistant answers questions about the asker's own exposure and the catalogue: a question is understood, looked
// up, answered with citations, and, where a language model is set up, worded by it and checked. It never says what no record
// holds, and treats every record as data.
package assistant

import (
	"context"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/patchscout/patchscout/internal/assistant/answer"
	"github.com/patchscout/patchscout/internal/assistant/retrieve"
	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/assistant/wording"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
)

// MaxQuestion is how long a question may be, in bytes.
const MaxQuestion = 2000

// Request is a question and what it is answered with.
type Request struct {
	Question   string
	SessionID  string
	Context    understand.Context
	Vocabulary understand.Vocabulary
	Desk       answer.Desk
	Search     retrieve.Searcher
	View       auth.View
	Admin      bool
	Now        time.Time       // in the asker's zone
	Writer     *wording.Writer // nil: composed without a model
	// Patience is how long looking the answer up may take; 0 is as long as ctx. What the model takes is its own.
	Patience time.Duration
	// Keep is told the whole answer, before anybody else is, and may give it its id; nil: it is not kept.
	Keep func(ctx context.Context, out *report.Answer, next understand.Context)
}

// Emit is told an answer piece by piece; it may be nil.
type Emit func(report.AnswerPart) error

// Ask answers. The context of the next question of the session comes back beside the answer. fault.Invalid: there is no
// question, or it is too long.
func Ask(ctx context.Context, r Request, emit Emit) (report.Answer, understand.Context, error) {
	if emit == nil {
		emit = func(report.AnswerPart) error { return nil }
	}
	text, err := Clean(r.Question)
	if err != nil {
		return report.Answer{}, r.Context, err
	}
	q := answer.Asked{
		Question: understand.Parse(text, r.Vocabulary, r.Context, r.Now),
		Context:  r.Context, Desk: r.Desk, Search: r.Search, View: r.View, Now: r.Now, Admin: r.Admin,
	}
	d, err := r.look(ctx, &q)
	if err != nil {
		return report.Answer{}, r.Context, err
	}
	out := document(&q, d)
	out.SessionID, out.At = r.SessionID, r.Now
	if err := r.word(ctx, &out, d, emit); err != nil {
		return report.Answer{}, r.Context, err
	}
	next := follow(&q, out)
	if r.Keep != nil {
		r.Keep(ctx, &out, next)
	}
	return out, next, emit(report.AnswerPart{Whole: &out})
}

func (r Request) look(ctx context.Context, q *answer.Asked) (*answer.Draft, error) {
	if r.Patience > 0 {
		var end context.CancelFunc
		ctx, end = context.WithTimeout(ctx, r.Patience)
		defer end()
	}
	return answer.Answer(ctx, q)
}

// Clean makes one line of a question.
func Clean(text string) (string, error) {
	switch {
	case len(text) > MaxQuestion:
		return "", fault.Invalid("question: of %d bytes, want at most %d", len(text), MaxQuestion)
	case !utf8.ValidString(text):
		return "", fault.Invalid("question: not UTF-8")
	}
	text = strings.Join(strings.Fields(strings.Map(shown, text)), " ")
	if text == "" {
		return "", fault.Invalid("question: ask something, such as: what should I fix first?")
	}
	return text, nil
}

// shown leaves of a text what shows and stays in its place: no control characters, directions, zero widths or tags.
func shown(r rune) rune {
	switch {
	case unicode.IsSpace(r), unicode.IsControl(r):
		return ' '
	case unicode.IsPrint(r):
		return r
	}
	return -1
}

// showFacts takes out of the facts what records wrote to steer whoever shows them.
func showFacts(f *report.AnswerFacts) {
	f.Value = report.Text(strings.Map(shown, string(f.Value)))
	for i := range f.Items {
		f.Items[i].Name, f.Items[i].Value = strings.Map(shown, f.Items[i].Name), report.Text(strings.Map(shown, string(f.Items[i].Value)))
	}
}

func document(q *answer.Asked, d *answer.Draft) report.Answer {
	confidence := answer.Confidence(d)
	ground(d)
	showFacts(&d.Facts)
	d.Facts.Items = some(d.Facts.Items)
	return report.Answer{
		Question: q.Text, Answer: d.Text(), Sources: some(d.Sources), Facts: &d.Facts,
		Confidence: confidence, Sure: sure(confidence), Kind: kind(q.Question), Understood: q.Words(),
		Corrected: corrections(q.Corrected), Refused: d.Refused, Missing: some(d.Missing), Data: some(d.Data),
		Command: report.Text(d.Command), Link: report.Text(d.Link), Next: some(d.Next),
	}
}

// some is a list that JSON has as [] when it is empty.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// sure is a confidence in a word. Of answers with 0.7, nine in ten were right.
func sure(confidence float64) string {
	switch {
	case confidence >= 0.7:
		return "high"
	case confidence >= 0.4:
		return "medium"
	default:
		return "low"
	}
}

func kind(q understand.Question) string {
	return strings.TrimSpace(string(q.Measure) + " " + string(q.Subject))
}

func corrections(list []understand.Correction) []report.SpellingFix {
	out := make([]report.SpellingFix, len(list))
	for i, c := range list {
		out[i] = report.SpellingFix(c)
	}
	return out
}

// word tells what is known, and then the text: the draft's own, or what the model makes of it.
func (r Request) word(ctx context.Context, out *report.Answer, d *answer.Draft, emit Emit) error {
	begun := report.AnswerBegun{SessionID: r.SessionID, Understood: out.Understood, Corrected: out.Corrected, Sources: out.Sources}
	if r.Writer == nil || d.Refused {
		if err := emit(report.AnswerPart{Begun: &begun}); err != nil {
			return err
		}
		return emit(report.AnswerPart{Text: out.Answer})
	}
	begun.Model = report.Text(r.Writer.Model.Name())
	if err := emit(report.AnswerPart{Begun: &begun}); err != nil {
		return err
	}
	said := false
	text, did, err := r.Writer.Word(ctx, out.Question, d, func(text string) error {
		said = true
		return emit(report.AnswerPart{Text: text})
	})
	if err != nil {
		return err
	}
	out.Answer, out.Model = text, &did
	if did.Used {
		return nil
	}
	if said {
		if err := emit(report.AnswerPart{Reset: true}); err != nil {
			return err
		}
	}
	return emit(report.AnswerPart{Text: text})
}

// follow is the context of the next question. An answer that could not be given leaves what went before.
func follow(q *answer.Asked, out report.Answer) understand.Context {
	if out.Refused && q.Subject == understand.Nothing {
		return q.Context
	}
	next := understand.Context{Question: &q.Question, About: q.Context.About}
	for _, s := range out.Sources {
		if s.Kind != "list" {
			next.Shown = append(next.Shown, understand.Thing{Kind: s.Kind, ID: s.ID, Name: s.Title})
		}
	}
	return next
}
