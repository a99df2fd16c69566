package app

import (
	"bufio"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// openAsked is the demo estate, to be asked about.
func openAsked(t *testing.T, change func(*config.Config)) *App {
	t.Helper()
	cfg := config.Default()
	cfg.DataDir = filepath.Join(t.TempDir(), "data")
	if change != nil {
		change(&cfg)
	}
	a, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

func asks(t *testing.T, a *App, req request.Ask) report.Answer {
	t.Helper()
	out, err := a.Ask(t.Context(), req, nil)
	if err != nil {
		t.Fatalf("%q: %v", req.Question, err)
	}
	return out
}

func TestAConversationIsItsAskersOwn(t *testing.T) {
	a := openAsked(t, nil)
	anna := a.For(auth.Identity{Kind: auth.Session, Name: "anna", Role: auth.Viewer, View: auth.Everything()})
	ben := a.For(auth.Identity{Kind: auth.Session, Name: "ben", Role: auth.Viewer, View: auth.Everything()})
	first := asks(t, anna, request.Ask{Question: "what should I fix first?", Session: "monday", Keep: true})
	if first.ID == 0 || first.SessionID != "monday" {
		t.Fatalf("kept as %d of %q", first.ID, first.SessionID)
	}
	if _, err := ben.ChatHistory(t.Context(), "monday", 0, 10); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("ben reads anna's conversation: %v", err)
	}
	if _, err := ben.ChatFeedback(t.Context(), request.Feedback{Answer: first.ID, Good: true}); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("ben rates anna's answer: %v", err)
	}
	if err := ben.ForgetChat(t.Context(), "monday"); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("ben forgets anna's conversation: %v", err)
	}
	asks(t, ben, request.Ask{Question: "how many hosts are there?", Session: "monday", Keep: true}) // his own of the same name
	his, err := ben.ChatHistory(t.Context(), "monday", 0, 10)
	if err != nil || his.Total != 1 || his.Items[0].Question != "how many hosts are there?" {
		t.Errorf("ben's own: %+v, %v", his, err)
	}
	rated, err := anna.ChatFeedback(t.Context(), request.Feedback{Answer: first.ID, Comment: "which host?"})
	if err != nil || rated.Feedback == nil || rated.Feedback.Good || rated.Feedback.Comment != "which host?" || rated.Answer != first.Answer {
		t.Errorf("feedback: %+v, %v", rated.Feedback, err)
	}
	if err := anna.ForgetChats(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list, err := anna.ChatSessions(t.Context(), 0, 10); err != nil || list.Total != 0 {
		t.Errorf("after all was forgotten: %+v, %v", list, err)
	}
}

func TestWhatIsNotKeptLeavesNoTraceButTheContext(t *testing.T) {
	a := openAsked(t, nil)
	out := asks(t, a, request.Ask{Question: "what is CVE-2021-44228?"})
	if out.ID != 0 || out.SessionID == "" {
		t.Errorf("id %d, session %q", out.ID, out.SessionID)
	}
	if list, err := a.ChatSessions(t.Context(), 0, 10); err != nil || list.Total != 0 {
		t.Errorf("kept: %+v, %v", list, err)
	}
	if _, known := a.asking.recent.find(a.viewer(), out.SessionID); !known {
		t.Error("one cannot ask on in it")
	}
	if err := a.ForgetChat(t.Context(), out.SessionID); err != nil {
		t.Error(err)
	}
	if _, known := a.asking.recent.find(a.viewer(), out.SessionID); known {
		t.Error("it was not forgotten")
	}
}

func TestAnAnswerOutlivesAHistoryThatFails(t *testing.T) {
	a := openAsked(t, nil)
	a.who = auth.Identity{Kind: auth.Session, Name: "gone", User: 4711, Role: auth.Viewer, View: auth.Everything()} // of whom nothing can be kept
	out := asks(t, a, request.Ask{Question: "what should I fix first?", Keep: true})
	if out.ID != 0 || out.Answer == "" {
		t.Errorf("id %d, answer %q", out.ID, out.Answer)
	}
}

func TestWrongQuestionsAreRefusedBeforeAnythingIsKept(t *testing.T) {
	a := openAsked(t, nil)
	for name, req := range map[string]request.Ask{
		"nothing":   {Question: "  "},
		"too long":  {Question: strings.Repeat("why ", 1000)},
		"session":   {Question: "why?", Session: "no/slash"},
		"zone":      {Question: "why?", Zone: "Mars/Olympus"},
		"about":     {Question: "why?", About: &request.Thing{ID: "7"}},
		"not UTF-8": {Question: "why \xff?"},
	} {
		if _, err := a.Ask(t.Context(), req, nil); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if list, err := a.ChatSessions(t.Context(), 0, 10); err != nil || list.Total != 0 {
		t.Errorf("kept: %+v, %v", list, err)
	}
}

func TestAModelElsewhereNeedsConsent(t *testing.T) {
	a := openAsked(t, func(c *config.Config) { c.LLMURL, c.LLMModel = "http://192.0.2.1:9/v1", "m" })
	names, err := a.vocabulary(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if w := a.writer(t.Context(), names); w != nil {
		t.Fatal("it is on before anybody accepted it")
	}
	yes, no := true, false
	viewer := a.For(auth.Identity{Kind: auth.Session, Name: "ben", Role: auth.Viewer, View: auth.Everything()})
	if _, err := viewer.AcceptPeers(t.Context(), &yes, nil, nil); fault.KindOf(err) != fault.KindDenied {
		t.Errorf("a viewer accepts: %v", err)
	}
	state, err := a.AcceptPeers(t.Context(), &yes, nil, nil)
	if err != nil || !state.Model.Remote || state.Model.Accepted == nil || !*state.Model.Accepted {
		t.Fatalf("%+v, %v", state.Model, err)
	}
	if w := a.writer(t.Context(), names); w == nil || !w.Hide {
		t.Error("accepted, and off or without placeholders")
	}
	if _, err := a.AcceptPeers(t.Context(), nil, &yes, nil); fault.KindOf(err) != fault.KindConflict {
		t.Errorf("nothing is configured that could be accepted: %v", err)
	}
	if _, err := a.AcceptPeers(t.Context(), &no, nil, nil); err != nil {
		t.Fatal(err)
	}
	if w := a.writer(t.Context(), names); w != nil {
		t.Error("on after it was refused")
	}
	entries, err := a.store.Estate().Audit(t.Context(), auth.AuditFilter{})
	if err != nil || !slices.ContainsFunc(entries, func(e auth.Entry) bool { return e.Action == "assistant.accept" && e.Outcome == auth.Done }) {
		t.Errorf("the trail does not tell: %v", err)
	}
}

// chatEvents reads server-sent events.
func chatEvents(t *testing.T, text string) (names []string, data map[string]string) {
	t.Helper()
	data = map[string]string{}
	name := ""
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		if n, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			name = n
			names = append(names, n)
		}
		if d, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			data[name] += d
		}
	}
	return names, data
}

func TestAQuestionIsAnsweredAtOnceOrPieceByPiece(t *testing.T) {
	d := openDoor(t, nil)
	h := []string{"Authorization", "Bearer " + d.token(d.user("anna", auth.Admin, false), auth.Viewer)}
	for session, want := range map[string]string{``: "", `,"session_id":"monday"`: "monday", `,"session_id":7`: "7", `,"session_id":null`: ""} {
		resp, text := d.ask("POST", "/api/v1/chat/query", `{"message":"What should I fix first?"`+session+`}`, h...)
		var out report.Answer
		if err := json.Unmarshal([]byte(text), &out); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %v %s", session, resp.StatusCode, err, text)
		}
		if out.Answer == "" || out.Sources == nil || out.SessionID == "" || want != "" && out.SessionID != want {
			t.Errorf("%s: %s", session, text)
		}
	}
	for _, wrong := range []string{`true`, `{"a":1}`, `1.5`, `-1`, `"a b"`, `["x"]`} {
		if resp, text := d.ask("POST", "/api/v1/chat/query", `{"message":"why?","session_id":`+wrong+`}`, h...); resp.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("session_id %s: %d %s", wrong, resp.StatusCode, text)
		}
	}
	resp, text := d.ask("POST", "/api/v1/chat/query", `{"message":"What should I fix first?","session_id":"monday"}`, append(h, "Accept", "text/event-stream")...)
	names, data := chatEvents(t, text)
	if resp.Header.Get("Content-Type") != "text/event-stream" || len(names) < 3 || names[0] != "begun" || names[1] != "text" || names[len(names)-1] != "answer" {
		t.Fatalf("%s: %v\n%s", resp.Header.Get("Content-Type"), names, text)
	}
	var whole report.Answer
	if err := json.Unmarshal([]byte(data["answer"]), &whole); err != nil || whole.SessionID != "monday" || whole.ID == 0 {
		t.Errorf("%v: %s", err, data["answer"])
	}
	resp, text = d.ask("POST", "/api/v1/chat/query", `{"message":"   "}`, append(h, "Accept", "text/event-stream")...)
	if resp.StatusCode != http.StatusUnprocessableEntity || resp.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("before the first part: %d %s %s", resp.StatusCode, resp.Header.Get("Content-Type"), text)
	}
	resp, text = d.ask("GET", "/api/v1/chat/history/monday/export?format=markdown", "", h...)
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") || strings.Count(text, "\n## What should I fix first?") != 2 {
		t.Errorf("export: %d %v\n%s", resp.StatusCode, resp.Header, text)
	}
	if resp, text = d.ask("DELETE", "/api/v1/chat/history/monday", "", h...); resp.StatusCode != http.StatusNoContent {
		t.Errorf("forget: %d %s", resp.StatusCode, text)
	}
	if entries := d.trail(); slices.ContainsFunc(entries, func(e auth.Entry) bool {
		return strings.Contains(e.Detail+e.Subject+e.Action, "chat") || e.Action == "ask"
	}) {
		t.Error("what somebody asked is in the audit trail")
	}
}

func TestTheSameQuestionSentTwiceIsAskedOnce(t *testing.T) {
	d := openDoor(t, nil)
	h := []string{"Authorization", "Bearer " + d.token(d.user("anna", auth.Admin, false), auth.Viewer), "Idempotency-Key", "one"}
	_, first := d.ask("POST", "/api/v1/chat/query", `{"message":"What should I fix first?","session_id":"once"}`, h...)
	resp, again := d.ask("POST", "/api/v1/chat/query", `{"message":"What should I fix first?","session_id":"once"}`, h...)
	if first != again || resp.Header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("%s\n%s", first, again)
	}
}

func TestWhoGoesAwayEndsTheAnswer(t *testing.T) {
	a := openAsked(t, nil)
	gone := errors.New("gone")
	if _, err := a.Ask(t.Context(), request.Ask{Question: "what should I fix first?", Keep: true}, func(report.AnswerPart) error { return gone }); !errors.Is(err, gone) {
		t.Errorf("%v", err)
	}
}
