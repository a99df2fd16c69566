// Package answer answers a question that was understood: from queries where it is about counts, lists and facts, else from
// what the texts have. Every sentence cites the records that it rests on. It never says what no record says, and says
// what is missing instead.
package answer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/assistant/retrieve"
	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
)

// Desk is where answers are looked up: the product as the asker may use it. *app.App has all of it.
type Desk interface {
	Estate
	Catalogue
}

// Asked is a question and with what it is answered.
type Asked struct {
	understand.Question
	Context understand.Context
	Desk    Desk
	Search  retrieve.Searcher
	View    auth.View
	Now     time.Time // in the asker's zone
	Admin   bool      // may see what only administrators may
}

// Draft is an answer before anybody words it.
type Draft struct {
	Lines   []Line
	Sources []report.Source
	Facts   report.AnswerFacts
	Missing []string
	Data    []report.DataAge
	Command string
	Link    string
	Next    []string
	Refused bool
	Features
}

// Line is a paragraph or an item of a list, with the sources that it rests on.
type Line struct {
	Text  string
	Cites []int // numbers of sources
	Item  bool
}

// Features is what the confidence of an answer is worked out from.
type Features struct {
	Structured bool    // a query gave it
	Understood float64 // as understand.Question has it
	Corrected  int
	Rest       int // words that nothing explains
	Score      float64
	Margin     float64 // of the best over the next, 0..1
	Words      float64 // part of the words, weighed by rarity, that the best record holds
	Product    bool    // the question's product is the record's
	Near       float64
}

// Cite adds a source, or finds the same one, and returns its number.
func (d *Draft) Cite(s report.Source) int {
	at := slices.IndexFunc(d.Sources, func(o report.Source) bool { return o.Kind == s.Kind && o.ID == s.ID })
	if at < 0 {
		s.N = len(d.Sources) + 1
		d.Sources = append(d.Sources, s)
		return s.N
	}
	return d.Sources[at].N
}

// Say adds a paragraph that rests on the sources.
func (d *Draft) Say(cites []int, format string, args ...any) {
	d.Lines = append(d.Lines, Line{Text: fmt.Sprintf(format, args...), Cites: cites})
}

// Item adds an item of a list.
func (d *Draft) Item(cites []int, format string, args ...any) {
	d.Lines = append(d.Lines, Line{Text: fmt.Sprintf(format, args...), Cites: cites, Item: true})
}

// Text is the answer composed without a model, as report.Answer.Answer has it.
func (d *Draft) Text() string {
	var b strings.Builder
	for i, l := range d.Lines {
		switch {
		case i == 0:
		case l.Item && d.Lines[i-1].Item:
			b.WriteString("\n")
		default:
			b.WriteString("\n\n")
		}
		b.WriteString(l.Markup())
	}
	return b.String()
}

// Markup is a line with its citations.
func (l Line) Markup() string {
	text := l.Text
	if l.Item {
		text = "- " + text
	}
	end := strings.TrimRight(text, ".:")
	tail := text[len(end):]
	for i, n := range l.Cites {
		if i == 0 {
			end += " "
		}
		end += fmt.Sprintf("[%d]", n)
	}
	return end + tail
}

// part answers one kind of question; false: not this one.
type part func(ctx context.Context, q *Asked, d *Draft) (bool, error)

// parts are asked one after the other, until one answers.
var parts = []part{outside, estate, ofCatalogue, texts}

// Answer looks the answer up. An error is one of the product (a database that fails); what cannot be answered is a Draft
// that is Refused.
func Answer(ctx context.Context, q *Asked) (*Draft, error) {
	d := &Draft{}
	for _, answers := range parts {
		done, err := answers(ctx, q, d)
		if notFound(err) { // what is on the screen may be gone, or of a site that the asker does not see
			*d, done, err = Draft{}, true, nil
			d.refuse(nil, "what you ask about is not among what you may see", "Ask for a list: which hosts are there?")
		}
		if err != nil {
			return nil, err
		}
		if done {
			d.Understood, d.Corrected, d.Rest = q.Understood, len(q.Corrected), len(q.Question.Rest)
			tellWatcher(ctx, d)
			return d, nil
		}
		*d = Draft{}
	}
	unknown(q, d)
	tellWatcher(ctx, d)
	return d, nil
}
