package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
)

const askWords = "Answered from your own findings and from the catalogue, as far as you may see them; what the data does not hold is said so. " +
	"A client that accepts text/event-stream gets the parts as they are made: events begun (what was understood, and the sources), text (more of the answer), " +
	"reset (the text begins anew), answer (all of it, last) and error (a problem document, last). An error before the first part is answered as usual."

// askOperation registers the one operation that answers in two forms.
func (s *Server) askOperation() {
	op := operation{ID: "ask", Method: http.MethodPost, Path: "/chat/query", Tag: chatTag, Role: auth.Viewer, Errors: []int{http.StatusNotFound},
		Summary: "Ask a question", Description: askWords, Streams: []string{"application/json", "text/event-stream"}, Whole: report.Answer{}}
	handle(s, op, func(ctx context.Context, d Desk, in *askInput) (*huma.StreamResponse, error) {
		auth.MarkRecorded(ctx) // that somebody asked is no change that anybody answers for
		if in.events {
			return s.askStream(d, in.Body), nil
		}
		doc, err := d.Ask(ctx, in.Body.request(), nil)
		return whole(doc), err
	})
	registry := s.api.OpenAPI().Components.Schemas
	response := s.documented(op).Responses["200"]
	response.Description = "the answer, or its parts as they are made"
	response.Content["text/event-stream"] = &huma.MediaType{
		Schema: registry.Schema(reflect.TypeFor[report.AnswerPart](), true, ""),
		Example: "event: begun\ndata: {\"session_id\":\"monday\",\"understood\":\"…\",\"corrected\":[],\"sources\":[],\"model\":null}\n\n" +
			"event: text\ndata: {\"text\":\"**12** open findings are critical.\"}\n\nevent: answer\ndata: {\"answer\":\"…\"}\n\n",
	}
}

// whole answers with a document at once.
func whole(doc any) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(c huma.Context) {
		c.SetHeader("Content-Type", "application/json")
		c.SetStatus(http.StatusOK)
		_ = jsonFormat.Marshal(c.BodyWriter(), doc) // a client that went away misses nothing
	}}
}

// askEvery is how long a stream may be silent: a proxy takes a longer silence for the end.
var askEvery = 15 * time.Second

// askStream answers piece by piece.
func (s *Server) askStream(d Desk, q ChatQuestion) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(c huma.Context) {
		r, w := humachi.Unwrap(c)
		out := &partWriter{w: w, control: http.NewResponseController(w)}
		stop := out.stayAwake(askEvery)
		_, err := d.Ask(r.Context(), q.request(), out.part)
		stop()
		switch {
		case err == nil:
		case !out.begun:
			s.writeError(w, r, err)
		default:
			_ = out.event("error", s.problem(r.Context(), err)) // the last thing that is said
		}
	}}
}

// partWriter writes the parts of an answer as server-sent events.
type partWriter struct {
	mu      sync.Mutex
	w       http.ResponseWriter
	control *http.ResponseController
	begun   bool
	events  int
}

// part writes one part. Its error is that the client went away, which ends the answer.
func (p *partWriter) part(part report.AnswerPart) error {
	switch {
	case part.Begun != nil:
		return p.event("begun", part.Begun)
	case part.Whole != nil:
		return p.event("answer", part.Whole)
	case part.Reset:
		return p.event("reset", struct{}{})
	default:
		return p.event("text", map[string]string{"text": part.Text})
	}
}

func (p *partWriter) event(name string, data any) error {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(data); err != nil { // ends in one line feed, and has no other
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begin()
	p.events++
	return p.send(fmt.Appendf(nil, "id: %d\nevent: %s\ndata: %s\n", p.events, name, body.Bytes()))
}

func (p *partWriter) begin() {
	if p.begun {
		return
	}
	p.begun = true
	h := p.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would collect them
	p.w.WriteHeader(http.StatusOK)
}

func (p *partWriter) send(b []byte) error {
	if _, err := p.w.Write(b); err != nil {
		return err
	}
	return p.control.Flush()
}

// stayAwake sends a sign of life now and then, once the answer has begun, until stop.
func (p *partWriter) stayAwake(every time.Duration) (stop func()) {
	ended := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
				p.sign()
			}
		}
	})
	return func() { close(ended); done.Wait() }
}

func (p *partWriter) sign() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.begun {
		_ = p.send([]byte(": still here\n\n")) // who is gone is noticed at the next part
	}
}
