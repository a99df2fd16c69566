package app

import (
	"context"
	"time"

	"github.com/patchscout/patchscout/internal/assistant"
	replies "github.com/patchscout/patchscout/internal/assistant/answer" // the tests of the package have an answer
	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

var _ replies.Desk = (*App)(nil)

// asking is what all questions share. The zero value is ready for use.
type asking struct {
	names  vocabularies
	recent recent
	model  languageModel
	told   questions

	suggested memo[string, []string]
}

// How long the looking up for one answer may take: somebody waits for a request, and a command finds everything cold. What
// a language model takes comes on top (assistant.llm_timeout).
const (
	requestPatience = 10 * time.Second
	commandPatience = time.Minute
	keepPatience    = 5 * time.Second
)

// maxKept is how long a kept answer may be, as the store has it.
const maxKept = 250 << 10

// Ask answers a question of the asker's, and tells emit the answer piece by piece.
func (a *App) Ask(ctx context.Context, req request.Ask, emit assistant.Emit) (report.Answer, error) {
	auth.MarkRecorded(ctx) // what somebody asked is his own business
	ctx = whole(ctx)       // the answer's patience is not that of an index that is built meanwhile
	now, err := a.askedAt(req.Zone)
	if err != nil {
		return report.Answer{}, err
	}
	session, before, err := a.beginChat(ctx, req.Session)
	if err != nil {
		return report.Answer{}, err
	}
	if before.About, err = thing(req.About); err != nil {
		return report.Answer{}, err
	}
	names, err := a.vocabulary(ctx)
	if err != nil {
		return report.Answer{}, err
	}
	r := assistant.Request{
		Question: req.Question, SessionID: session, Context: before, Vocabulary: names.NameBook, Desk: a, Search: a.searcher(),
		View: a.who.View, Admin: a.who.Role.Allows(auth.Admin), Now: now, Patience: a.patience(),
	}
	if !req.NoModel {
		r.Writer = a.writer(ctx, names)
	}
	r.Keep = func(ctx context.Context, out *report.Answer, next understand.Context) {
		if !req.Keep {
			a.asking.recent.keep(a.viewer(), out.SessionID, keptContext{next, seenIn(a.who.View)})
			return
		}
		a.keepAnswer(ctx, out, next)
	}
	begun := time.Now()
	out, _, err := assistant.Ask(ctx, r, emit)
	a.asking.told.add(out, err, time.Since(begun))
	return out, err
}

func (a *App) patience() time.Duration {
	if a.who.Kind == auth.Local {
		return commandPatience
	}
	return requestPatience
}

// askedAt is now where the asker is.
func (a *App) askedAt(zone string) (time.Time, error) {
	if zone == "" {
		return a.now(), nil
	}
	place, err := time.LoadLocation(zone)
	if err != nil {
		return time.Time{}, fault.InvalidOption("zone", " %.40q: want a time zone such as Europe/Berlin", zone)
	}
	return a.now().In(place), nil
}

func thing(t *request.Thing) (*understand.Thing, error) {
	switch {
	case t == nil:
		return nil, nil //nolint:nilnil // nothing is on the screen
	case t.Kind == "" || len(t.Kind) > 40 || len(t.ID) > 200:
		return nil, fault.InvalidOption("about", ": want a kind, such as cve, and an id")
	}
	return &understand.Thing{Kind: t.Kind, ID: t.ID}, nil
}
