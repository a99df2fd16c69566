package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	events "github.com/patchscout/patchscout/internal/live" // the package has a function of that name
	"github.com/patchscout/patchscout/internal/report"
)

// watching is what live events need of the product.
type watching interface {
	Watch(ctx context.Context, scan, since int64, again bool) (*events.Watcher, error)
	// StillWatches says whether the scan is over; fault.Denied and fault.NotFound end watching.
	StillWatches(ctx context.Context, scan int64) (over bool, err error)
	MakeTicket(ctx context.Context, scan int64) (report.LiveTicket, error)
	UseTicket(ctx context.Context, ticket string, scan int64) (auth.Identity, error)
}

// liveTimes say how long an open connection is left alone; tests set others.
type liveTimes struct {
	check time.Duration // how often it is found out whether the asker may still watch, and whether the scan is over
	ping  time.Duration // how often a silent connection is tried
	write time.Duration // how long the peer may take to read what was sent
}

var liveEvery = liveTimes{check: 30 * time.Second, ping: 20 * time.Second, write: 10 * time.Second}

type watchInput struct {
	Scan   int64  `path:"scan_id" minimum:"1" example:"42"`
	Since  int64  `query:"since" minimum:"0" example:"0" doc:"the number of the last event that you have"`
	Ticket string `query:"ticket" maxLength:"64" example:"" doc:"of create-live-ticket, for browsers that cannot send their cookie"`
}

type eventsInput struct {
	ID     int64  `path:"id" minimum:"1" example:"42"`
	Since  int64  `query:"since" minimum:"0" example:"0" doc:"the number of the last event that you have"`
	Ticket string `query:"ticket" maxLength:"64" example:"" doc:"of create-live-ticket, for browsers that cannot send their cookie"`
	Last   string `header:"Last-Event-ID" maxLength:"20" example:"0" doc:"what browsers send when they connect again; wins over since"`
}

type ticketInput struct {
	Body struct {
		ScanID int64 `json:"scan_id" minimum:"1" example:"42"`
	}
}

type ticketOutput struct{ Body report.LiveTicket }

const liveWords = "The first message is the state, then come the events after since (0 is all that are kept), then live ones. " +
	"See docs/live.md for the types and for the close codes."

func (s *Server) liveOperations() {
	for id, path := range map[string]string{"watch-scan": "//ws/{scan_id}", "watch-scan-below-api": "/scans/ws/{scan_id}"} {
		op := operation{ID: id, Method: http.MethodGet, Path: path, Tag: "scans", Role: auth.Viewer, Status: http.StatusSwitchingProtocols,
			Errors: []int{http.StatusUpgradeRequired, http.StatusNotImplemented}, Summary: "Watch a scan by WebSocket", Description: liveWords}
		d := s.describeLive(op, "scan_id", http.StatusSwitchingProtocols, "each message is one of these, as text", "application/json")
		huma.Register(s.api, d, s.socket)
	}
	op := operation{ID: "watch-scan-events", Method: http.MethodGet, Path: "/scans/{id}/events", Tag: "scans", Role: auth.Viewer, Errors: []int{http.StatusNoContent},
		Summary: "Watch a scan by server-sent events", Description: liveWords + " 204 says a browser that connects again that it has got everything."}
	huma.Register(s.api, s.describeLive(op, "id", http.StatusOK, "each data line is one of these", "text/event-stream"), s.eventStream)
	handle(s, operation{ID: "create-live-ticket", Method: http.MethodPost, Path: "/auth/ticket", Tag: "scans", Role: auth.Viewer, Reads: true,
		Status: http.StatusCreated, Errors: []int{http.StatusNotFound}, Summary: "Get a ticket to watch a scan",
		Description: "It is good once, for 30 seconds, for who cannot send a cookie or a header with a WebSocket: add ?ticket= to its address."},
		func(ctx context.Context, d Desk, in *ticketInput) (*ticketOutput, error) {
			t, err := d.MakeTicket(ctx, in.Body.ScanID)
			return &ticketOutput{t}, err
		})
}

// describeLive is describeOperation for an answer that stays open: who has a ticket is let in by it.
func (s *Server) describeLive(op operation, param string, status int, words, kind string) huma.Operation {
	d := s.describeOperation(op)
	d.Middlewares = append(huma.Middlewares{s.sameSite, s.redeem(param)}, d.Middlewares...)
	example := report.LiveMessage{Seq: 7, ScanID: 42, At: time.Date(2026, 3, 2, 10, 20, 30, 0, time.UTC), Type: "progress",
		Data: json.RawMessage(`{"percent":41.5,"stage":"nmap: services","eta_s":190,"tasks":{"done":3,"total":8}}`)}
	var data []*huma.Schema
	for _, one := range []any{report.ScanStatus{}, report.LiveProgress{}, report.LiveHost{}, report.LiveService{}, report.LiveFinding{}, report.LiveSentence{}} {
		data = append(data, s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(one), true, ""))
	}
	registry := s.api.OpenAPI().Components.Schemas
	message := registry.Schema(reflect.TypeFor[report.LiveMessage](), true, "LiveMessage")
	if whole := registry.SchemaFromRef(message.Ref); whole != nil && whole.Properties["data"] != nil {
		whole.Properties["data"] = &huma.Schema{OneOf: data, Nullable: true, Description: whole.Properties["data"].Description}
	}
	d.Responses = map[string]*huma.Response{strconv.Itoa(status): {Description: words,
		Content: map[string]*huma.MediaType{kind: {Schema: message, Example: example}}}}
	return d
}

// sameSite refuses pages elsewhere: browsers let them read whatever comes through a WebSocket, with the user's cookie.
func (s *Server) sameSite(c huma.Context, next func(huma.Context)) {
	if r, _ := humachi.Unwrap(c); !s.SameSite(r) {
		s.writeProblem(c, fault.Denied("a page of %.100q may not watch here: list its origin in server.cors_origins", r.Header.Get("Origin")))
		return
	}
	next(c)
}

// redeem lets in who shows a ticket, as the one whom it was given to.
func (s *Server) redeem(param string) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		ticket := c.Query("ticket")
		if ticket == "" {
			next(c)
			return
		}
		scan, err := strconv.ParseInt(c.Param(param), 10, 64)
		if err != nil || len(ticket) > 64 {
			next(huma.WithContext(c, auth.With(c.Context(), auth.Identity{})))
			return
		}
		who, err := s.opts.Desk(auth.Identity{}).UseTicket(c.Context(), ticket, scan)
		if err != nil {
			if fault.KindOf(err) == fault.KindDenied {
				err = notIn(err.Error())
			}
			s.writeProblem(c, err)
			return
		}
		r, _ := humachi.Unwrap(c)
		who.From = Client(r)
		next(huma.WithContext(c, auth.With(c.Context(), who)))
	}
}

// refusal is the answer to who cannot watch.
func (s *Server) refusal(ctx context.Context, err error) error {
	if errors.Is(err, events.ErrMany) {
		return huma.Error429TooManyRequests(err.Error())
	}
	return s.problem(ctx, err)
}

// eventStream answers with server-sent events (WHATWG HTML, 9.2).
func (s *Server) eventStream(ctx context.Context, in *eventsInput) (*huma.StreamResponse, error) {
	since, again := in.Since, in.Last != ""
	if again {
		n, err := strconv.ParseInt(in.Last, 10, 64)
		if err != nil || n < 0 {
			return nil, s.problem(ctx, fault.InvalidOption("last-event-id", " %.20q: want the number of an event", in.Last))
		}
		since = n
	}
	desk := s.opts.Desk(auth.From(ctx))
	w, err := desk.Watch(ctx, in.ID, since, again)
	if errors.Is(err, events.ErrNothing) {
		return &huma.StreamResponse{Body: func(c huma.Context) { c.SetStatus(http.StatusNoContent) }}, nil
	}
	if err != nil {
		return nil, s.refusal(ctx, err)
	}
	return &huma.StreamResponse{Body: func(c huma.Context) {
		defer w.Close()
		_, answer := humachi.Unwrap(c)
		out := &eventWriter{w: answer, control: http.NewResponseController(answer)}
		out.begin()
		out.end(s.sendEvents(c.Context(), desk, in.ID, w, out))
	}}, nil
}

// sendEvents writes events until there is a reason to stop, which it returns.
func (s *Server) sendEvents(ctx context.Context, desk Desk, scan int64, w *events.Watcher, out *eventWriter) error {
	checked := time.Now()
	for {
		round, cancel := context.WithTimeout(ctx, min(liveEvery.ping, liveEvery.check))
		frames, err := w.Next(round)
		cancel()
		silent := errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil
		if err != nil && !silent {
			return err
		}
		if err := out.send(frames); err != nil {
			return err
		}
		if time.Since(checked) < liveEvery.check {
			continue
		}
		checked = time.Now()
		if err := s.check(ctx, desk, scan, w); err != nil {
			return err
		}
	}
}

// Why a connection is ended by the server.
var (
	errOut     = errors.New("you may not watch any more: log in again")
	errRemoved = errors.New("the scan was removed")
	errTalk    = errors.New("too many messages: nothing is expected from you")
)

// check finds out whether the asker may still watch and whether the scan is over. A database that does not answer is no
// reason to end.
func (s *Server) check(ctx context.Context, desk Desk, scan int64, w *events.Watcher) error {
	ctx, cancel := context.WithTimeout(ctx, liveEvery.write)
	defer cancel()
	over, err := desk.StillWatches(ctx, scan)
	switch fault.KindOf(err) {
	case fault.KindDenied:
		return errOut
	case fault.KindNotFound:
		return errRemoved
	}
	if err == nil && over {
		w.Over()
	}
	return nil
}

// eventWriter writes server-sent events.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	buf     []byte
}

func (o *eventWriter) begin() {
	h := o.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would collect them
	o.w.WriteHeader(http.StatusOK)
	o.buf = append(o.buf, "retry: 3000\n\n"...)
}

// send writes some events, or a sign of life.
func (o *eventWriter) send(frames []events.Frame) error {
	if len(frames) == 0 {
		o.buf = append(o.buf, ": still here\n\n"...)
	}
	for _, f := range frames {
		o.buf = fmt.Appendf(o.buf, "id: %d\ndata: %s\n\n", f.Seq, f.Text)
	}
	return o.flush()
}

func (o *eventWriter) flush() error {
	_ = o.control.SetWriteDeadline(time.Now().Add(liveEvery.write)) // a writer of a test has none
	_, err := o.w.Write(o.buf)
	o.buf = o.buf[:0]
	return errors.Join(err, o.control.Flush())
}

// end says why nothing follows, as a comment: whatever it is, a browser connects again with the last number.
func (o *eventWriter) end(why error) {
	if !errors.Is(why, io.EOF) && !errors.Is(why, context.Canceled) {
		o.buf = fmt.Appendf(o.buf, ": %s\n\n", strings.ReplaceAll(closing(why).reason, "\n", " "))
	}
	_ = o.flush() // who is gone misses nothing
}
