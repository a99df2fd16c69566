package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

var asked = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func say(t *testing.T, e *store.Estate, by store.Viewer, session, question string, at time.Time) int64 {
	t.Helper()
	id, err := e.AddChatMessage(t.Context(), by, session, store.ChatMessage{
		At: at, Question: question, Context: json.RawMessage(`{"n":1}`), Answer: json.RawMessage(`{"answer":"` + question + `"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestConversationsBelongToWhoAsked(t *testing.T) {
	storetest.Run(t, func(t *testing.T, engine *storetest.Engine) {
		e := engine.Open(t).Estate()
		user, err := e.AddUser(t.Context(), auth.User{Name: "anna", Role: auth.Viewer, View: auth.Everything()})
		if err != nil {
			t.Fatal(err)
		}
		anna, local := store.Viewer{User: user, Name: "anna's token"}, store.Viewer{Name: "local:bob"}
		before, err := e.Generation(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		first := say(t, e, anna, "main", "how many are critical", asked)
		second := say(t, e, anna, "main", "and on the web server", asked.Add(time.Minute))
		say(t, e, local, "main", "what is new", asked.Add(2*time.Minute))
		say(t, e, anna, "other", "hello", asked.Add(3*time.Minute))
		if first == second {
			t.Error("two answers of one number")
		}

		list, total, err := e.ChatSessions(t.Context(), anna, 0, 1)
		if err != nil || total != 2 || len(list) != 1 || list[0].Name != "other" {
			t.Errorf("%+v of %d, %v: want the last one of two", list, total, err)
		}
		s, messages, err := e.ChatMessages(t.Context(), anna, "main", 1, 10)
		if err != nil || s.Questions != 2 || s.Title != "how many are critical" || len(messages) != 1 || messages[0].ID != second {
			t.Errorf("%+v, %+v, %v", s, messages, err)
		}
		if doc, err := e.ChatContext(t.Context(), anna, "main"); err != nil || string(doc) != `{"n":1}` {
			t.Errorf("context %s, %v", doc, err)
		}
		if doc, err := e.ChatContext(t.Context(), anna, "new"); err != nil || doc != nil {
			t.Errorf("context %s of a new conversation, %v", doc, err)
		}
		if _, list, err := e.ChatMessages(t.Context(), local, "main", 0, 0); err != nil || len(list) != 1 || list[0].Question != "what is new" {
			t.Errorf("%+v, %v: want his own conversation of the name", list, err)
		}
		for _, err := range []error{
			e.RemoveChat(t.Context(), local, "other"),
			func() error { _, _, err := e.ChatMessages(t.Context(), local, "other", 0, 0); return err }(),
			func() error { _, _, err := e.ChatFeedback(t.Context(), local, first, true, "", asked); return err }(),
		} {
			if fault.KindOf(err) != fault.KindNotFound {
				t.Errorf("%v: want that there is none, since it is another's", err)
			}
		}

		session, m, err := e.ChatFeedback(t.Context(), anna, first, false, "the count is\x00 wrong", asked.Add(time.Hour))
		if err != nil || session != "main" || m.Feedback == nil || m.Feedback.Good || m.Feedback.Comment != "the count is wrong" || !m.Feedback.At.Equal(asked.Add(time.Hour)) {
			t.Errorf("%s %+v, %v", session, m.Feedback, err)
		}
		if after, err := e.Generation(t.Context()); err != nil || after != before {
			t.Errorf("conversations moved the estate from %d to %d, %v", before, after, err)
		}
	})
}

func TestARemovedUserLeavesNoConversation(t *testing.T) {
	storetest.Run(t, func(t *testing.T, engine *storetest.Engine) {
		e := engine.Open(t).Estate()
		user, err := e.AddUser(t.Context(), auth.User{Name: "anna", Role: auth.Viewer, View: auth.Everything()})
		if err != nil {
			t.Fatal(err)
		}
		anna := store.Viewer{User: user, Name: "anna"}
		id := say(t, e, anna, "main", "hello", asked)
		if err := e.RemoveUser(t.Context(), user); err != nil {
			t.Fatal(err)
		}
		if _, err := e.AddChatMessage(t.Context(), anna, "main", store.ChatMessage{At: asked, Question: "still me"}); fault.KindOf(err) != fault.KindNotFound {
			t.Errorf("one who is gone asked on: %v", err)
		}
		if _, total, err := e.ChatSessions(t.Context(), anna, 0, 0); err != nil || total != 0 {
			t.Errorf("%d conversations are left, %v", total, err)
		}
		local := store.Viewer{Name: "anna"}
		if _, total, err := e.ChatSessions(t.Context(), local, 0, 0); err != nil || total != 0 {
			t.Errorf("%d conversations fell to another of her name, %v", total, err)
		}
		if next := say(t, e, local, "main", "hello", asked); next <= id {
			t.Errorf("answer %d has a number that was used", next)
		}
	})
}

func TestWhatIsKeptOfConversationsIsBounded(t *testing.T) {
	storetest.Run(t, func(t *testing.T, engine *storetest.Engine) {
		e := engine.Open(t).Estate()
		by := store.Viewer{Name: "local:bob"}
		defer store.LimitChats(3, 2)()
		for i := range 5 {
			say(t, e, by, "long", fmt.Sprint("question ", i), asked.Add(time.Duration(i)*time.Minute))
		}
		s, list, err := e.ChatMessages(t.Context(), by, "long", 0, 0)
		if err != nil || len(list) != 2 || list[0].Question != "question 3" || s.Title != "question 0" {
			t.Errorf("%+v, %+v, %v: want the last two", s, list, err)
		}
		for i := range 4 {
			say(t, e, by, fmt.Sprint("s", i), "hello", asked.Add(time.Duration(10+i)*time.Minute))
		}
		sessions, total, err := e.ChatSessions(t.Context(), by, 0, 0)
		if err != nil || total != 3 || sessions[2].Name != "s1" {
			t.Errorf("%+v, %v: want the last three", sessions, err)
		}
		if n, err := e.ForgetChats(t.Context(), asked.Add(12*time.Minute)); err != nil || n != 1 {
			t.Errorf("%d forgotten, %v", n, err)
		}
		if n, err := e.RemoveChats(t.Context(), by); err != nil || n != 2 {
			t.Errorf("%d removed, %v", n, err)
		}

		for name, m := range map[string]store.ChatMessage{
			"answer":   {At: asked, Question: "q", Answer: json.RawMessage(`"` + strings.Repeat("x", 257<<10) + `"`)},
			"context":  {At: asked, Question: "q", Context: json.RawMessage(`"` + strings.Repeat("x", 65<<10) + `"`)},
			"question": {At: asked, Question: strings.Repeat("x", 5<<10)},
			"no JSON":  {At: asked, Question: "q", Answer: json.RawMessage(`{`)},
		} {
			if _, err := e.AddChatMessage(t.Context(), by, "main", m); fault.KindOf(err) != fault.KindInvalid || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, name := range []string{"", "a b", "../x", strings.Repeat("a", 65), "ä"} {
			if _, err := e.AddChatMessage(t.Context(), by, name, store.ChatMessage{At: asked}); fault.KindOf(err) != fault.KindInvalid {
				t.Errorf("session %q: %v", name, err)
			}
		}
	})
}

func TestManyAskInOneConversationAtOnce(t *testing.T) {
	storetest.Run(t, func(t *testing.T, engine *storetest.Engine) {
		e, by := engine.Open(t).Estate(), store.Viewer{Name: "local:bob"}
		errs := make(chan error)
		const n = 8
		for i := range n {
			go func() {
				_, err := e.AddChatMessage(context.Background(), by, "main", store.ChatMessage{At: asked, Question: fmt.Sprint(i)})
				errs <- err
			}()
		}
		for range n {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		if s, list, err := e.ChatMessages(t.Context(), by, "main", 0, 0); err != nil || len(list) != n || s.Questions != n {
			t.Errorf("%d of %d, %v", len(list), n, err)
		}
	})
}

func TestAConsentHoldsForOneAddress(t *testing.T) {
	storetest.Run(t, func(t *testing.T, engine *storetest.Engine) {
		e := engine.Open(t).Estate()
		want := store.Consent{Peer: "model", URL: "https://a.example/v1", By: "anna", At: asked}
		for _, c := range []store.Consent{{Peer: "model", URL: "https://old.example", By: "bob", At: asked}, want, {Peer: "vectors", URL: "x", At: asked}, {Peer: "vectors"}} {
			if err := e.SetAssistantConsent(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := e.AssistantConsent(t.Context()); err != nil || !reflect.DeepEqual(got, []store.Consent{want}) {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestConversationsAreBackedUpAndARestoredEstateIsAnother(t *testing.T) {
	for fromName, from := range engines(t) {
		source := from(t).Open(t)
		e, by := source.Estate(), store.Viewer{Name: "local:bob"}
		id := say(t, e, by, "main", "what is new", asked)
		if _, _, err := e.ChatFeedback(t.Context(), by, id, true, "right", asked); err != nil {
			t.Fatal(err)
		}
		if err := e.SetAssistantConsent(t.Context(), store.Consent{Peer: "model", URL: "https://a.example", By: "anna", At: asked}); err != nil {
			t.Fatal(err)
		}
		if err := e.IdentifyTexts(t.Context()); err != nil {
			t.Fatal(err)
		}
		archive := backedUp(t, source, store.BackupOptions{Program: "test"})
		for toName, to := range engines(t) {
			eng := to(t)
			if _, err := store.Restore(t.Context(), eng.Options(), bytes.NewReader(archive), store.RestoreOptions{}); err != nil {
				t.Fatal(err)
			}
			e := eng.Open(t).Estate()
			_, list, err := e.ChatMessages(t.Context(), by, "main", 0, 0)
			if err != nil || len(list) != 1 || list[0].Feedback == nil || list[0].Feedback.Comment != "right" || string(list[0].Context) != `{"n":1}` {
				t.Errorf("%s to %s: %+v, %v", fromName, toName, list, err)
			}
			if consents, err := e.AssistantConsent(t.Context()); err != nil || len(consents) != 1 {
				t.Errorf("%s to %s: %+v, %v", fromName, toName, consents, err)
			}
			if s, err := e.TextState(t.Context()); err != nil || s.Identity != "" {
				t.Errorf("%s to %s: %+v, %v: an index of before would be taken for one of this", fromName, toName, s, err)
			}
			if next := say(t, e, by, "main", "and now", asked); next <= id {
				t.Errorf("%s to %s: answer %d has a number that was used", fromName, toName, next)
			}
		}
	}
}
