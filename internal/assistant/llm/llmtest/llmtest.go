// Package llmtest is a language model for tests: a server on loopback that speaks the protocol of chat completions, and
// behaves as it is told, well or badly. It is for tests only.
package llmtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/assistant/llm"
)

// Data is what a request holds between its markers, as a model reads it.
type Data struct {
	Question string `json:"question"`
	Answer   []struct {
		Text  string `json:"text"`
		Cites []int  `json:"cites"`
		Item  bool   `json:"item"`
	} `json:"answer"`
	Records []struct {
		N     int    `json:"n"`
		Kind  string `json:"kind"`
		ID    string `json:"id"`
		Title string `json:"title"`
		Text  string `json:"text"`
	} `json:"records"`
}

// Request is one that arrived.
type Request struct {
	Method, Path string
	Header       http.Header
	Raw          string
	Body         struct {
		Model               string        `json:"model"`
		Messages            []llm.Message `json:"messages"`
		Stream              bool          `json:"stream"`
		MaxTokens           *int          `json:"max_tokens"`
		MaxCompletionTokens *int          `json:"max_completion_tokens"`
		Temperature         *float64      `json:"temperature"`
	}
}

// Data reads what stands between the markers.
func (r Request) Data() Data {
	var d Data
	for _, m := range r.Body.Messages {
		for _, line := range strings.Split(m.Content, "\n") {
			if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &d) == nil {
				return d
			}
		}
	}
	return d
}

// System is the text of the rules.
func (r Request) System() string {
	for _, m := range r.Body.Messages {
		if m.Role == "system" {
			return m.Content
		}
	}
	return ""
}

// Server is a model.
type Server struct {
	URL string // with /v1

	mu    sync.Mutex
	asked []Request
	serve func(w http.ResponseWriter, r Request)
	gone  chan struct{}
}

// New starts a model that answers every question by serve. It ends with the test.
func New(t testing.TB, serve func(w http.ResponseWriter, r Request)) *Server {
	t.Helper()
	s := &Server{serve: serve, gone: make(chan struct{})}
	server := httptest.NewServer(s)
	s.URL = server.URL + "/v1"
	t.Cleanup(func() { close(s.gone); server.CloseClientConnections(); server.Close() })
	return s
}

// Saying starts a model that says what say makes of a request, in small pieces.
func Saying(t testing.TB, say func(r Request) string) *Server {
	return New(t, func(w http.ResponseWriter, r Request) { Stream(w, say(r)) })
}

// Behave changes what the model does from now on.
func (s *Server) Behave(serve func(w http.ResponseWriter, r Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serve = serve
}

// Gone is closed when the server ends: what stalls waits for it.
func (s *Server) Gone() <-chan struct{} { return s.gone }

// Asked are the requests so far.
func (s *Server) Asked() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.asked...)
}

// ServeHTTP implements http.Handler: /v1/models, and all else by what the test said.
func (s *Server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r := Request{Method: req.Method, Path: req.URL.Path, Header: req.Header.Clone()}
	raw, err := io.ReadAll(req.Body)
	if err != nil {
		return // the client left
	}
	r.Raw = string(raw)
	if len(raw) > 0 && json.Unmarshal(raw, &r.Body) != nil {
		http.Error(w, "not JSON", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.asked = append(s.asked, r)
	serve := s.serve
	s.mu.Unlock()
	if r.Path == "/v1/models" {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"object":"list","data":[{"id":"big:cloud"},{"id":"stand-in"},{"id":"other"}]}`)
		return
	}
	serve(w, r)
}

// Events begins a stream.
func Events(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	flush(w)
}

// Piece sends one piece of text.
func Piece(w http.ResponseWriter, text string) {
	raw, err := json.Marshal(map[string]any{"object": "chat.completion.chunk", "choices": []any{map[string]any{"index": 0, "delta": map[string]any{"content": text}}}})
	if err != nil {
		panic(err) // a map of texts
	}
	fmt.Fprintf(w, "data: %s\n\n", raw)
	flush(w)
}

// Done ends a stream for a reason: stop, length, content_filter.
func Done(w http.ResponseWriter, why string) {
	fmt.Fprintf(w, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":%q}]}\n\ndata: [DONE]\n\n", why)
	flush(w)
}

// Stream says a text in pieces of seven bytes, as tokens come.
func Stream(w http.ResponseWriter, text string) {
	Events(w)
	for _, p := range pieces(text) {
		Piece(w, p)
	}
	Done(w, "stop")
}

func pieces(text string) []string {
	var out []string
	runes := []rune(text)
	for i := 0; i < len(runes); i += 7 {
		out = append(out, string(runes[i:min(i+7, len(runes))]))
	}
	return out
}

func flush(w http.ResponseWriter) {
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
}

// Honest says the lines of the answer again, each with its citations: a model that does what it should.
func Honest(r Request) string {
	var out []string
	for _, l := range r.Data().Answer {
		if l.Item {
			continue
		}
		text := strings.TrimRight(l.Text, ".: ")
		for i, n := range l.Cites {
			if i == 0 {
				text += " "
			}
			text += fmt.Sprintf("[%d]", n)
		}
		out = append(out, text+".")
	}
	return strings.Join(out, " ")
}

// Obey repeats and does what it reads, in lines and records alike, and tells its rules: the worst that an injection can
// hope for.
func Obey(r Request) string {
	d := r.Data()
	var b strings.Builder
	for _, rec := range d.Records {
		for _, text := range []string{rec.Title, rec.Text} {
			if text != "" {
				fmt.Fprintf(&b, "%s [%d].\n%s\n", strings.TrimRight(text, "."), rec.N, text)
			}
		}
	}
	for _, l := range d.Answer {
		cites := ""
		for _, n := range l.Cites {
			cites += fmt.Sprintf("[%d]", n)
		}
		fmt.Fprintf(&b, "%s %s.\n%s\n", strings.TrimRight(l.Text, "."), cites, l.Text)
	}
	fmt.Fprintf(&b, "%s [1].\n%s", d.Question, r.System())
	return b.String()
}

// Drip sends each byte of a stream alone, with a rest between.
func Drip(w http.ResponseWriter, text string, rest time.Duration, gone <-chan struct{}) {
	Events(w)
	for _, b := range []byte(text) {
		if _, err := w.Write([]byte{b}); err != nil {
			return
		}
		flush(w)
		select {
		case <-gone:
			return
		case <-time.After(rest):
		}
	}
}
