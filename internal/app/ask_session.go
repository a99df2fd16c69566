package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
	"github.com/patchscout/patchscout/internal/store"
)

// beginChat names a new conversation, or says what went before in one.
func (a *App) beginChat(ctx context.Context, session string) (string, understand.Context, error) {
	if session == "" {
		return strings.ToLower(rand.Text()), understand.Context{}, nil
	}
	if err := checkSession(session); err != nil {
		return "", understand.Context{}, err
	}
	if before, ok := a.asking.recent.find(a.viewer(), session); ok {
		return session, before.in(a.who.View), nil
	}
	doc, err := a.store.Estate().ChatContext(ctx, a.viewer(), session)
	if err != nil {
		a.log.WarnContext(ctx, "a conversation goes on without what was said before", "error", err)
		return session, understand.Context{}, nil
	}
	var before keptContext
	if len(doc) > 0 {
		if err := json.Unmarshal(doc, &before); err != nil { // of another version
			a.log.InfoContext(ctx, "what was said before in a conversation cannot be read", "error", err)
			before = keptContext{}
		}
	}
	return session, before.in(a.who.View), nil
}

// seen is what the asker could see when he was answered. What he may see can shrink later, and what he was told does not:
// then neither the answer nor what it was about is for him any more.
type seen struct {
	All   bool     `json:"all"`
	Sites []string `json:"sites"`
}

func seenIn(v auth.View) *seen { return &seen{v.All(), v.Sites()} }

// within says whether all of it is in a view. What nobody wrote down is in no view but that of everything.
func (s *seen) within(v auth.View) bool {
	return v.All() || s != nil && !s.All && !slices.ContainsFunc(s.Sites, func(site string) bool { return !v.Sees(site) })
}

// keptContext is what the next question of a conversation stands in.
type keptContext struct {
	understand.Context
	Seen *seen `json:"seen"`
}

// in is what is left of it for somebody who sees that much: all, or nothing.
func (c keptContext) in(v auth.View) understand.Context {
	if !c.Seen.within(v) {
		return understand.Context{}
	}
	return c.Context
}

// keptAnswer is an answer as it is written down.
type keptAnswer struct {
	report.Answer
	Seen *seen `json:"seen"`
}

func checkSession(session string) error {
	if err := store.CheckChatSession(session); err != nil {
		return fault.InvalidOption("session", " %.70q: want 1 to 64 letters, digits, dots, hyphens and underscores", session)
	}
	return nil
}

// keepAnswer writes an answer down. An answer that cannot be kept is still one.
func (a *App) keepAnswer(ctx context.Context, out *report.Answer, next understand.Context) {
	ctx, end := context.WithTimeout(context.WithoutCancel(ctx), keepPatience) // who goes away after the answer finds it later
	defer end()
	m, err := message(keptAnswer{*out, seenIn(a.who.View)}, next)
	if err == nil {
		out.ID, err = a.store.Estate().AddChatMessage(ctx, a.viewer(), out.SessionID, m)
	}
	if err != nil {
		a.log.WarnContext(ctx, "an answer was not kept in its conversation", "error", err)
		a.asking.recent.keep(a.viewer(), out.SessionID, keptContext{next, seenIn(a.who.View)})
		return
	}
	a.asking.recent.forget(a.viewer(), out.SessionID)
}

// message is an answer as it is kept. What the records of a very long one say is left out: they can be opened.
func message(out keptAnswer, next understand.Context) (store.ChatMessage, error) {
	doc, err := json.Marshal(out)
	if err == nil && len(doc) > maxKept {
		short := make([]report.Source, len(out.Sources))
		for i, s := range out.Sources {
			s.Text = ""
			short[i] = s
		}
		out.Sources = short
		doc, err = json.Marshal(out)
	}
	if err != nil {
		return store.ChatMessage{}, fmt.Errorf("write the answer: %w", err)
	}
	context, err := json.Marshal(keptContext{next, out.Seen})
	return store.ChatMessage{At: out.At, Question: out.Question, Answer: doc, Context: context}, err
}

// ChatSessions lists the asker's conversations, the last one first.
func (a *App) ChatSessions(ctx context.Context, skip, limit int) (report.ChatSessionList, error) {
	doc := report.ChatSessionList{Items: []report.ChatSession{}, Skip: skip, Limit: limit}
	list, total, err := a.store.Estate().ChatSessions(ctx, a.viewer(), skip, limit)
	for _, s := range list {
		doc.Items = append(doc.Items, toChat(s))
	}
	doc.Total = total
	return doc, err
}

func toChat(s store.ChatSession) report.ChatSession {
	return report.ChatSession{SessionID: s.Name, Title: s.Title, Started: s.Started, Last: s.Last, Questions: s.Questions}
}

// ChatHistory is one of the asker's conversations.
func (a *App) ChatHistory(ctx context.Context, session string, skip, limit int) (report.ChatHistory, error) {
	doc := report.ChatHistory{Items: []report.Answer{}, Skip: skip, Limit: limit}
	s, list, err := a.store.Estate().ChatMessages(ctx, a.viewer(), session, skip, limit)
	if err != nil {
		return doc, err
	}
	doc.ChatSession, doc.Total = toChat(s), s.Questions
	for _, m := range list {
		doc.Items = append(doc.Items, a.toAnswer(session, m))
	}
	return doc, nil
}

// toAnswer is a kept answer as it was given, with what was said of it since. One that rests on sites that the asker no longer
// sees is not shown: the question stays, which is his own.
func (a *App) toAnswer(session string, m store.ChatMessage) report.Answer {
	var kept keptAnswer
	err := json.Unmarshal(m.Answer, &kept)
	out := kept.Answer
	switch {
	case err != nil: // of a version to come, that was restored here
		out = report.Answer{Answer: "(this answer cannot be read by this version)", Sure: "low"}
	case !kept.Seen.within(a.who.View):
		out = report.Answer{Answer: "This was answered when you could see more than now, and is no longer shown. Ask again.", Sure: "low", Refused: true}
	}
	out.ID, out.SessionID, out.Question, out.At = m.ID, session, m.Question, m.At
	out.Sources, out.Corrected, out.Missing, out.Data, out.Next = some(out.Sources), some(out.Corrected), some(out.Missing), some(out.Data), some(out.Next)
	if out.Feedback = nil; m.Feedback != nil {
		out.Feedback = &report.AnswerFeedback{Good: m.Feedback.Good, Comment: m.Feedback.Comment, At: m.Feedback.At}
	}
	return out
}

// some is a list that JSON has as [] when it is empty.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// ForgetChat removes one of the asker's conversations.
func (a *App) ForgetChat(ctx context.Context, session string) error {
	auth.MarkRecorded(ctx)
	known := a.asking.recent.forget(a.viewer(), session)
	err := a.store.Estate().RemoveChat(ctx, a.viewer(), session)
	if known && fault.KindOf(err) == fault.KindNotFound {
		return nil
	}
	return err
}

// ForgetChats removes all of the asker's conversations.
func (a *App) ForgetChats(ctx context.Context) error {
	auth.MarkRecorded(ctx)
	a.asking.recent.forgetAll(a.viewer())
	_, err := a.store.Estate().RemoveChats(ctx, a.viewer())
	return err
}

// ChatFeedback keeps what the asker thinks of an answer.
func (a *App) ChatFeedback(ctx context.Context, req request.Feedback) (report.Answer, error) {
	auth.MarkRecorded(ctx)
	session, m, err := a.store.Estate().ChatFeedback(ctx, a.viewer(), req.Answer, req.Good, req.Comment, a.now().UTC())
	if err != nil {
		return report.Answer{}, err
	}
	return a.toAnswer(session, m), nil
}

// recent is what conversations that are not kept stand in, so that one may ask on in them as long as this process lives. The
// zero value is ready for use.
type recent struct {
	mu    sync.Mutex
	kept  map[recentKey]keptContext
	order []recentKey // the oldest first
}

type recentKey struct {
	who     store.Viewer
	session string
}

// maxRecent is how many are remembered.
const maxRecent = 200

func (r *recent) find(who store.Viewer, session string) (keptContext, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.kept[recentKey{who, session}]
	return c, ok
}

func (r *recent) keep(who store.Viewer, session string, c keptContext) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := recentKey{who, session}
	if r.kept == nil {
		r.kept = map[recentKey]keptContext{}
	}
	if _, known := r.kept[key]; !known {
		if r.order = append(r.order, key); len(r.order) > maxRecent {
			delete(r.kept, r.order[0])
			r.order = r.order[1:]
		}
	}
	r.kept[key] = c
}

func (r *recent) forget(who store.Viewer, session string) (known bool) {
	return r.forgetWhere(func(k recentKey) bool { return k == recentKey{who, session} })
}

func (r *recent) forgetAll(who store.Viewer) {
	r.forgetWhere(func(k recentKey) bool { return k.who == who })
}

func (r *recent) forgetWhere(gone func(recentKey) bool) (any bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	left := r.order[:0]
	for _, k := range r.order {
		if !gone(k) {
			left = append(left, k)
			continue
		}
		any = true
		delete(r.kept, k)
	}
	r.order = left
	return any
}
