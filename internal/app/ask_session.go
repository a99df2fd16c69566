package app

import (
	"context"
	"crypto/rand"
	"regexp"
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

// chats keeps conversations. The zero value is ready for use.
type chats struct {
	mu   sync.Mutex
	last int64
	kept map[store.Viewer][]*chat
}

type chat struct {
	report.ChatSession
	answers []report.Answer
	next    understand.Context
}

var sessionIDs = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// beginChat names a new conversation, or says what went before in one.
func (a *App) beginChat(_ context.Context, session string) (string, understand.Context, error) {
	if session == "" {
		return strings.ToLower(rand.Text()), understand.Context{}, nil
	}
	if err := checkSession(session); err != nil {
		return "", understand.Context{}, err
	}
	a.asking.chats.mu.Lock()
	defer a.asking.chats.mu.Unlock()
	if c := a.chat(session); c != nil {
		return session, c.next, nil
	}
	return session, understand.Context{}, nil
}

func checkSession(session string) error {
	if !sessionIDs.MatchString(session) {
		return fault.InvalidOption("session_id", " %.70q: want 1 to 64 letters, digits, dots, hyphens and underscores", session)
	}
	return nil
}

func (a *App) chat(session string) *chat {
	for _, c := range a.asking.chats.kept[a.viewer()] {
		if c.SessionID == session {
			return c
		}
	}
	return nil
}

// keepAnswer writes an answer down. An answer that cannot be kept is still one.
func (a *App) keepAnswer(_ context.Context, out *report.Answer, next understand.Context) {
	k := &a.asking.chats
	k.mu.Lock()
	defer k.mu.Unlock()
	c := a.chat(out.SessionID)
	if c == nil {
		c = &chat{ChatSession: report.ChatSession{SessionID: out.SessionID, Title: out.Question, Started: out.At}}
		if k.kept == nil {
			k.kept = map[store.Viewer][]*chat{}
		}
		k.kept[a.viewer()] = append([]*chat{c}, k.kept[a.viewer()]...)
	}
	k.last++
	out.ID = k.last
	c.Last, c.Questions, c.next = out.At, c.Questions+1, next
	c.answers = append(c.answers, *out)
}

// ChatSessions lists the asker's conversations, the last one first.
func (a *App) ChatSessions(_ context.Context, skip, limit int) (report.ChatSessionList, error) {
	k := &a.asking.chats
	k.mu.Lock()
	defer k.mu.Unlock()
	all := k.kept[a.viewer()]
	doc := report.ChatSessionList{Items: []report.ChatSession{}, Total: len(all), Skip: skip, Limit: limit}
	for i := skip; i < min(len(all), skip+limit); i++ {
		doc.Items = append(doc.Items, all[i].ChatSession)
	}
	return doc, nil
}

// ChatHistory is one of the asker's conversations.
func (a *App) ChatHistory(_ context.Context, session string, skip, limit int) (report.ChatHistory, error) {
	k := &a.asking.chats
	k.mu.Lock()
	defer k.mu.Unlock()
	c := a.chat(session)
	if c == nil {
		return report.ChatHistory{}, noChat(session)
	}
	doc := report.ChatHistory{ChatSession: c.ChatSession, Items: []report.Answer{}, Total: len(c.answers), Skip: skip, Limit: limit}
	if skip < len(c.answers) {
		doc.Items = append(doc.Items, c.answers[skip:min(len(c.answers), skip+limit)]...)
	}
	return doc, nil
}

func noChat(session string) error { return fault.NotFound("conversation %.70s", session) }

// ForgetChat removes one of the asker's conversations.
func (a *App) ForgetChat(ctx context.Context, session string) error {
	auth.MarkRecorded(ctx)
	k := &a.asking.chats
	k.mu.Lock()
	defer k.mu.Unlock()
	all := k.kept[a.viewer()]
	at := slices.IndexFunc(all, func(c *chat) bool { return c.SessionID == session })
	if at < 0 {
		return noChat(session)
	}
	k.kept[a.viewer()] = slices.Delete(all, at, at+1)
	return nil
}

// ForgetChats removes all of the asker's conversations.
func (a *App) ForgetChats(ctx context.Context) error {
	auth.MarkRecorded(ctx)
	k := &a.asking.chats
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.kept, a.viewer())
	return nil
}

// ChatFeedback keeps what the asker thinks of an answer.
func (a *App) ChatFeedback(ctx context.Context, req request.Feedback) (report.Answer, error) {
	auth.MarkRecorded(ctx)
	k := &a.asking.chats
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.kept[a.viewer()] {
		for i := range c.answers {
			if c.answers[i].ID == req.Answer {
				c.answers[i].Feedback = &report.AnswerFeedback{Good: req.Good, Comment: req.Comment, At: a.now().UTC()}
				return c.answers[i], nil
			}
		}
	}
	return report.Answer{}, fault.NotFound("answer %d", req.Answer)
}
