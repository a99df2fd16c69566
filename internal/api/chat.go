package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/assistant"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// chats is what the assistant's operations need of the product.
type chats interface {
	Ask(ctx context.Context, req request.Ask, emit assistant.Emit) (report.Answer, error)
	ChatSessions(ctx context.Context, skip, limit int) (report.ChatSessionList, error)
	ChatHistory(ctx context.Context, session string, skip, limit int) (report.ChatHistory, error)
	ForgetChat(ctx context.Context, session string) error
	ForgetChats(ctx context.Context) error
	ChatFeedback(ctx context.Context, req request.Feedback) (report.Answer, error)
	ChatSuggestions(ctx context.Context, about *request.Thing) (report.ChatSuggestions, error)
	AssistantState(ctx context.Context) (report.AssistantState, error)
	AcceptPeers(ctx context.Context, model, embeddings, vectors *bool) (report.AssistantState, error)
}

// SessionID is the name of a conversation. Programs that count their conversations may send a number.
type SessionID string

// UnmarshalJSON reads a text, an integer, or null for none.
func (s *SessionID) UnmarshalJSON(b []byte) error {
	if n := bytes.TrimSpace(b); len(n) > 0 && (n[0] == '-' || n[0] >= '0' && n[0] <= '9') {
		if len(n) > 19 || bytes.ContainsAny(n, "-.eE") {
			return errors.New("want a text or a whole number that is not negative")
		}
		*s = SessionID(n)
		return nil
	}
	var text *string
	if err := json.Unmarshal(b, &text); err != nil || text == nil {
		return err
	}
	*s = SessionID(*text)
	return nil
}

// Schema implements huma.SchemaProvider.
func (SessionID) Schema(huma.Registry) *huma.Schema {
	longest, least := 64, 0.0
	return &huma.Schema{AnyOf: []*huma.Schema{
		{Type: huma.TypeString, MaxLength: &longest, Pattern: "^[A-Za-z0-9._-]*$"}, {Type: huma.TypeInteger, Minimum: &least}, {Type: "null"},
	}, Examples: []any{"monday"}, Description: "of the conversation to ask on in: a name of your own, or the one of the answer before; absent: begin one"}
}

// ChatAbout is what the asker looks at.
type ChatAbout struct {
	Kind string `json:"kind" minLength:"1" maxLength:"40" example:"host" doc:"as sources have it: cve, finding, host, scan, technique, path; or page"`
	ID   string `json:"id" maxLength:"200" example:"12"`
}

// ChatQuestion is a question with what it is asked in.
type ChatQuestion struct {
	Message   string     `json:"message" minLength:"1" maxLength:"2000" example:"Which hosts have critical findings?"`
	SessionID SessionID  `json:"session_id,omitempty"`
	About     *ChatAbout `json:"about,omitempty" doc:"what is on the asker's screen: 'this host', 'it'"`
	Keep      *bool      `json:"keep,omitempty" doc:"in the history; absent: yes" example:"true"`
	Model     *bool      `json:"model,omitempty" doc:"let the language model word the answer, where one is set up; absent: yes" example:"true"`
	Zone      string     `json:"zone,omitempty" maxLength:"64" doc:"your time zone, for today and yesterday; absent: the server's" example:"Europe/Berlin"`
}

func (q ChatQuestion) request() request.Ask {
	out := request.Ask{Question: q.Message, Session: string(q.SessionID), Zone: q.Zone, Keep: q.Keep == nil || *q.Keep, NoModel: q.Model != nil && !*q.Model}
	if q.About != nil {
		out.About = &request.Thing{Kind: q.About.Kind, ID: q.About.ID}
	}
	return out
}

type askInput struct {
	accepted
	Body ChatQuestion
}

// accepted finds out what form of an answer the client takes.
type accepted struct{ events bool }

// Resolve implements huma.Resolver.
func (a *accepted) Resolve(c huma.Context) []error {
	a.events = prefersEvents(c.Header("Accept"))
	return nil
}

// prefersEvents says whether text/event-stream stands before application/json in what a client accepts; browsers' fetch
// sends */*, which is JSON.
func prefersEvents(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		kind, _, _ := strings.Cut(part, ";")
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case "text/event-stream":
			return true
		case "application/json":
			return false
		}
	}
	return false
}

// ChatByName names a conversation.
type ChatByName struct {
	SessionID string `path:"session_id" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9._-]+$" example:"monday"`
}

// ChatPage is a part of a list.
type ChatPage struct {
	Skip  int `query:"skip" minimum:"0" maximum:"1000000" default:"0" example:"0" doc:"how many to leave out"`
	Limit int `query:"limit" minimum:"1" maximum:"200" default:"50" example:"20" doc:"how many"`
}

type historyInput struct {
	ChatByName
	ChatPage
}

type chatExportInput struct {
	ChatByName
	Format string `query:"format" enum:"json,markdown" default:"json" example:"markdown"`
}

type feedbackInput struct {
	ByID
	Body struct {
		Good    bool   `json:"good" example:"true"`
		Comment string `json:"comment,omitempty" maxLength:"2000" example:"it forgot the branch office" doc:"for who runs the product"`
	}
}

type suggestionsInput struct {
	Kind string `query:"kind" maxLength:"40" example:"host" doc:"of what is on the screen, as sources have it; absent: nothing is"`
	ID   string `query:"id" maxLength:"200" example:"12"`
}

type peersInput struct {
	Body struct {
		Model      *bool `json:"model,omitempty" example:"true" doc:"the questions and the records that answer them, with placeholders for hosts, sites and people, may go to the model as it is configured"`
		Embeddings *bool `json:"embeddings,omitempty" example:"false" doc:"questions and records may go to the embeddings' address as it is configured"`
		Vectors    *bool `json:"vectors,omitempty" example:"false" doc:"embeddings may be kept in the ChromaDB that is configured"`
	}
}

type (
	answerOutput      struct{ Body report.Answer }
	chatListOutput    struct{ Body report.ChatSessionList }
	chatOutput        struct{ Body report.ChatHistory }
	suggestionsOutput struct{ Body report.ChatSuggestions }
	assistantOutput   struct{ Body report.AssistantState }
)

const chatTag = "assistant"

func (s *Server) chatOperations() {
	s.askOperation()
	s.historyOperations()
	handle(s, operation{ID: "get-chat-suggestions", Method: http.MethodGet, Path: "/chat/suggestions", Tag: chatTag, Role: auth.Viewer,
		Summary: "Questions worth asking", Description: "Made from the asker's own data, and about what is on the screen when kind and id say so. Each has an answer."},
		func(ctx context.Context, d Desk, in *suggestionsInput) (*suggestionsOutput, error) {
			var about *request.Thing
			if in.Kind != "" || in.ID != "" {
				about = &request.Thing{Kind: in.Kind, ID: in.ID}
			}
			doc, err := d.ChatSuggestions(ctx, about)
			return &suggestionsOutput{doc}, err
		})
	handle(s, operation{ID: "get-assistant", Method: http.MethodGet, Path: "/chat/state", Tag: chatTag, Role: auth.Viewer,
		Summary: "How the assistant is set up", Description: "Its language model, its embeddings and what it searches as text."},
		func(ctx context.Context, d Desk, _ *struct{}) (*assistantOutput, error) {
			doc, err := d.AssistantState(ctx)
			return &assistantOutput{doc}, err
		})
	handle(s, operation{ID: "accept-assistant-peers", Method: http.MethodPut, Path: "/chat/state", Tag: chatTag, Role: auth.Admin,
		Summary: "Accept what is sent to other machines", Description: "A model, embeddings or ChromaDB that are not on this machine are used once an admin accepted that: " +
			"exactly the address that is configured, until it changes. What is left out stays."},
		func(ctx context.Context, d Desk, in *peersInput) (*assistantOutput, error) {
			doc, err := d.AcceptPeers(ctx, in.Body.Model, in.Body.Embeddings, in.Body.Vectors)
			return &assistantOutput{doc}, err
		})
}

func (s *Server) historyOperations() {
	handle(s, operation{ID: "list-chats", Method: http.MethodGet, Path: "/chat/sessions", Tag: chatTag, Role: auth.Viewer,
		Summary: "List your conversations", Description: "The last one first. Nobody sees another's."},
		func(ctx context.Context, d Desk, in *ChatPage) (*chatListOutput, error) {
			doc, err := d.ChatSessions(ctx, in.Skip, in.Limit)
			return &chatListOutput{doc}, err
		})
	handle(s, operation{ID: "forget-chats", Method: http.MethodDelete, Path: "/chat/sessions", Tag: chatTag, Role: auth.Viewer,
		Summary: "Forget all your conversations"},
		func(ctx context.Context, d Desk, _ *struct{}) (*struct{}, error) { return nil, d.ForgetChats(ctx) })
	handle(s, operation{ID: "get-chat", Method: http.MethodGet, Path: "/chat/history/{session_id}", Tag: chatTag, Role: auth.Viewer,
		Summary: "A conversation of yours", Description: "Questions and answers, the oldest first."},
		func(ctx context.Context, d Desk, in *historyInput) (*chatOutput, error) {
			doc, err := d.ChatHistory(ctx, in.SessionID, in.Skip, in.Limit)
			return &chatOutput{doc}, err
		})
	handle(s, operation{ID: "forget-chat", Method: http.MethodDelete, Path: "/chat/history/{session_id}", Tag: chatTag, Role: auth.Viewer,
		Summary: "Forget a conversation of yours"},
		func(ctx context.Context, d Desk, in *ChatByName) (*struct{}, error) {
			return nil, d.ForgetChat(ctx, in.SessionID)
		})
	handle(s, operation{ID: "export-chat", Method: http.MethodGet, Path: "/chat/history/{session_id}/export", Tag: chatTag, Role: auth.Viewer,
		Summary: "A conversation as a file", Description: "All of it: json is the document, markdown is for people.",
		Streams: []string{"application/json", "text/markdown"}, Whole: report.ChatHistory{}}, s.exportChat)
	handle(s, operation{ID: "rate-answer", Method: http.MethodPost, Path: "/chat/answers/{id}/feedback", Tag: chatTag, Role: auth.Viewer,
		Summary: "Say what you think of an answer", Description: "Of your own answers. What was said last stands."},
		func(ctx context.Context, d Desk, in *feedbackInput) (*answerOutput, error) {
			doc, err := d.ChatFeedback(ctx, request.Feedback{Answer: in.ID, Good: in.Body.Good, Comment: in.Body.Comment})
			return &answerOutput{doc}, err
		})
}
