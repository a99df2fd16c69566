// Package wording lets a language model put an answer that stands into better words, and checks each sentence before
// anybody reads it: citations must exist, and CVE ids, numbers, hosts and versions must be in the records that are cited. It
// never lets a sentence pass that no record holds, and gives the model no tools and no secrets.
package wording

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/answer"
	"github.com/patchscout/patchscout/internal/assistant/llm"
	"github.com/patchscout/patchscout/internal/report"
)

type sourceOf = report.Source

// Writer words answers. Safe for concurrent use.
type Writer struct {
	Model llm.Model
	// Hide says that hosts, addresses, sites and users go to the model as placeholders, and that nothing else of their
	// records goes there.
	Hide bool
	// Names are what Hide hides beside what looks like an address, a name with dots, a path or a URL: names of hosts, sites,
	// users and owners that the asker may see.
	Names []Name
	// Tokens is how many one answer may take; 0: what the model says, else 8000.
	Tokens int
}

// Name is a word of the estate.
type Name struct {
	Kind string // HOST, SITE, USER; "" is NAME
	Text string
}

// Word returns the text that stands, and what the model did. say is given each sentence once it was checked. When the model
// fails, or too little of what it wrote may stand, text is the draft's own and Used is false: say was then told
// nothing that stands. An error is ctx's or say's.
//
//	the model's sentences that passed, with the draft's first line before them where they do not begin with the answer
//	what is missing or stale, where they leave it out
//	the draft's list, as it is, and what follows it
func (w *Writer) Word(ctx context.Context, question string, d *answer.Draft, say func(text string) error) (text string, did report.AnswerModel, err error) {
	did = report.AnswerModel{Name: tame(w.Model.Name(), mostTitle), Cut: []string{}}
	h := w.hider(d)
	messages, err := prompt(question, d, h, w.budget())
	if err != nil {
		did.Error = report.Text(err.Error())
		return d.Text(), did, nil
	}
	s := &speaker{draft: d, hider: h, check: newChecker(d), say: say}
	err = w.Model.Stream(ctx, messages, s.take)
	did.Name = tame(w.Model.Name(), mostTitle) // a model that was not named is known by now
	switch {
	case ctx.Err() != nil:
		return "", did, ctx.Err()
	case s.failed != nil:
		return "", did, s.failed
	}
	err = s.end(err)
	did.Cut, did.Marked = s.cut, len(s.cut) > 0
	switch {
	case s.failed != nil:
		return "", did, s.failed
	case err != nil:
		did.Error = report.Text(tame(err.Error(), 400))
		return d.Text(), did, nil
	}
	did.Used = true
	return s.text.String(), did, nil
}

func (w *Writer) budget() int {
	if w.Tokens > 0 {
		return w.Tokens
	}
	if m, ok := w.Model.(interface{ Tokens() int }); ok {
		return m.Tokens()
	}
	return 8000
}

// errEnough ends a stream of which no more is wanted.
var errEnough = errors.New("enough")

var (
	errLoop    = errors.New("the language model repeats itself")
	errEndless = errors.New("the language model writes a sentence without end")
	errLittle  = errors.New("too little of what the language model wrote is in the records")
)

const (
	longSentence = 800 // bytes
	longText     = 4000
)

// speaker hears a model and says the sentences that may stand.
type speaker struct {
	draft *answer.Draft
	hider *hider
	check *checker
	say   func(string) error

	held    string // not a whole sentence yet
	heard   []string
	total   int
	stood   int
	again   int
	cut     []string
	text    strings.Builder
	gap     string // before the next sentence
	item    bool   // the last sentence was one of a list
	failed  error  // of say
	stopped error  // why no more is wanted
}

func (s *speaker) take(text string) error {
	s.held += text
	for {
		sentence, gap, rest, ok := next(s.held)
		if !ok {
			break
		}
		s.held = rest
		if err := s.sentence(sentence); err != nil {
			return s.stop(err)
		}
		s.part(gap)
	}
	if len(s.held) > longSentence {
		s.held = ""
		s.strike("a sentence without end")
		return s.stop(errEndless)
	}
	return nil
}

func (s *speaker) stop(err error) error {
	if s.failed == nil {
		s.stopped = err
	}
	return err
}

// part remembers how the next sentence is set off.
func (s *speaker) part(gap string) {
	switch {
	case s.text.Len() == 0:
	case strings.Count(gap, "\n") > 1:
		s.gap = "\n\n"
	case strings.Contains(gap, "\n") && s.gap != "\n\n":
		s.gap = "\n"
	}
}

// sentence checks one and says it.
func (s *speaker) sentence(raw string) error {
	text, item := tidy(raw)
	if text == "" {
		return nil
	}
	s.total++
	text, given := s.hider.back(text)
	key := strings.Join(words.FindAllString(plainly(text), -1), " ")
	switch {
	case slices.Contains(s.heard, key) || repeats(key):
		s.strike("said twice")
		s.total--
		if s.again++; s.again >= 2 {
			return errLoop
		}
		return nil
	case !given:
		s.strike("a placeholder that stands for nothing")
		return nil
	}
	s.heard = append(s.heard, key)
	if len(text) > longSentence {
		s.strike("a sentence without end")
		return nil
	}
	if why := s.check.judge(text); why != "" {
		s.strike(why)
		return nil
	}
	if item && s.inDraft() { // the list is shown as it is
		return nil
	}
	s.stood++
	if s.text.Len() == 0 && !s.check.answers(text) {
		if err := s.put(s.draft.Lines[0].Markup(), false); err != nil {
			return err
		}
		s.gap = "\n\n"
		if s.same(text) {
			return nil
		}
	}
	if err := s.put(text, item); err != nil {
		return err
	}
	if s.stood >= mostSentences || s.text.Len() > longText {
		return errEnough
	}
	return nil
}

// inDraft says whether the draft has a list of its own.
func (s *speaker) inDraft() bool {
	return slices.ContainsFunc(s.draft.Lines, func(l answer.Line) bool { return l.Item })
}

func (s *speaker) same(text string) bool {
	return strings.Trim(plainly(text), ". ") == strings.Trim(plainly(s.draft.Lines[0].Text), ". ")
}

func (s *speaker) put(text string, item bool) error {
	gap := s.gap
	switch {
	case s.text.Len() == 0:
		gap = ""
	case item && s.item:
		gap = "\n"
	case item != s.item || gap == "\n":
		gap = "\n\n"
	case gap == "":
		gap = " "
	}
	if item {
		text = "- " + text
	}
	s.gap, s.item = "", item
	s.text.WriteString(gap + text)
	if s.failed = s.say(gap + text); s.failed != nil {
		return s.failed
	}
	return nil
}

func (s *speaker) strike(why string) {
	if !slices.Contains(s.cut, why) {
		s.cut = append(s.cut, why)
	}
}

// end says what is left, and why nothing of it may stand.
func (s *speaker) end(err error) error {
	switch {
	case s.stopped == errEnough, errors.Is(err, llm.ErrLength): // the last sentence is not whole
		if s.stopped == nil && strings.TrimSpace(s.held) != "" {
			s.strike("a sentence that was not finished")
		}
	case s.stopped != nil:
		return s.stopped
	case err != nil:
		return err
	case strings.TrimSpace(s.held) != "":
		if err := s.sentence(s.held); err != nil && err != errEnough {
			return err
		}
	}
	if s.stood == 0 || s.stood*2 < s.total {
		return errLittle
	}
	return s.rest()
}

// rest is what of the draft has to be there whatever the model says: what is missing or stale, and its list.
func (s *speaker) rest() error {
	lines := s.draft.Lines
	at := slices.IndexFunc(lines, func(l answer.Line) bool { return l.Item })
	if at < 0 {
		at = len(lines)
	}
	have := plainly(s.text.String())
	for _, l := range lines[:at] {
		if w := warning(plainly(l.Text)); w != "" && !has(have, w) {
			s.gap = "\n\n"
			if err := s.put(l.Markup(), false); err != nil {
				return err
			}
		}
	}
	for _, l := range lines[at:] {
		s.gap = "\n\n"
		text := l.Markup()
		if l.Item {
			text = strings.TrimPrefix(text, "- ")
		}
		if err := s.put(text, l.Item); err != nil {
			return err
		}
	}
	return nil
}

// warning is the word that a line of ours warns by.
func warning(text string) string {
	for _, w := range []string{"stale", "out of date", "never synced", "never ran", "never scanned", "not scanned", "was not", "missing", "incomplete", "unconfirmed", "potential", "hours old", "days old"} {
		if strings.Contains(text, w) {
			return w
		}
	}
	return ""
}

// answers says whether a sentence begins the answer: with its count, its yes or no, its value.
func (c *checker) answers(text string) bool {
	s, facts := plainly(text), c.draft.Facts
	if want, known := c.yes(); known {
		if yes, says := opens(s); !says || yes != want {
			return false
		}
	}
	if facts.Count != nil {
		n := itoa(*facts.Count)
		if !has(s, n) && (*facts.Count != 0 || !counted.MatchString(s)) && (*facts.Count != 1 || !has(s, "one")) {
			return false
		}
	}
	if v := plainly(string(facts.Value)); v != "" && holdsNumber(c.lines[0].full, v) && !holdsNumber(s, v) {
		return false
	}
	return true
}
