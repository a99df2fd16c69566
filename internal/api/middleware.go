package api

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/telemetry"
)

// Observer counts answers; telemetry.Metrics is the one of the product.
type Observer interface {
	Begin() (end func())
	Request(method, route string, status int, took time.Duration)
}

// Limits keep one client from taking the server away from others. The zero value sets none.
type Limits struct {
	Requests int           // answered at one time, live connections aside
	Answer   time.Duration // how long an operation may think; exports are sent for as long as they are read
	Silence  time.Duration // how long a client may take for the next piece of what it sends or reads, 0 is 30 seconds
	Compress string        // on, off, or auto: not for clients on this machine
}

// frame is around every request, outermost first.
func (s *Server) frame() []func(http.Handler) http.Handler {
	return []func(http.Handler) http.Handler{s.observe, s.recover, s.protect, s.atOnce(), s.patient, s.compress, s.introduce}
}

// noted is what the frame wants to know of a request when it is over.
type noted struct{ who string }

type notedKey struct{}

// introduce finds out who asks and keeps it for the access log. Who asks for health is nobody, so that the answer comes
// even when the database, where users are, is gone.
func (s *Server) introduce(next http.Handler) http.Handler {
	known := s.identify(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n, ok := r.Context().Value(notedKey{}).(*noted); ok {
			n.who = auth.From(r.Context()).Name
		}
		next.ServeHTTP(w, r)
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if healthy(r) || s.still(r) {
			next.ServeHTTP(w, r)
			return
		}
		known.ServeHTTP(w, r)
	})
}

// healthy says whether a request asks for health.
func healthy(r *http.Request) bool {
	return r.URL.Path == "/health" || strings.HasPrefix(r.URL.Path, "/health/")
}

// requestIDs are those that a proxy in front may have given.
var requestIDs = regexp.MustCompile(`^[A-Za-z0-9._-]{8,64}$`)

// observe gives the request its id, and logs and counts the answer.
func (s *Server) observe(next http.Handler) http.Handler {
	return telemetry.TraceRequests(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if !requestIDs.MatchString(id) {
			id = rand.Text()[:16]
		}
		if s.opts.Observer != nil {
			defer s.opts.Observer.Begin()()
		}
		w.Header().Set("X-Request-Id", id)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		n, begin, answer := &noted{}, time.Now(), &recorder{ResponseWriter: w}
		ctx := context.WithValue(telemetry.WithRequest(r.Context(), id), notedKey{}, n)
		r = r.WithContext(ctx)
		defer func() { s.answered(r, answer, n, time.Since(begin)) }()
		next.ServeHTTP(answer, r)
	}))
}

// answered logs by pattern, never by path or query: those may hold what is nobody else's business.
func (s *Server) answered(r *http.Request, w *recorder, n *noted, took time.Duration) {
	route := "none"
	if c := chi.RouteContext(r.Context()); c != nil && c.RoutePattern() != "" {
		route = strings.TrimSuffix(c.RoutePattern(), "/*")
	}
	status := w.status
	if status == 0 {
		status = http.StatusOK
	}
	if s.opts.Observer != nil {
		s.opts.Observer.Request(method(r), route, status, took)
	}
	telemetry.Route(r.Context(), method(r), route)
	level := slog.LevelInfo
	if (r.Method == http.MethodGet || strings.HasPrefix(route, workerPath)) && status < http.StatusBadRequest {
		level = slog.LevelDebug
	}
	s.opts.Log.LogAttrs(r.Context(), level, "answered", slog.String("method", method(r)), slog.String("route", route), slog.Int("status", status),
		slog.Duration("took", took), slog.Int64("bytes", w.bytes), slog.String("who", n.who), slog.String("from", r.RemoteAddr))
}

// method is the request's, or "other": a client may send anything, and each value is kept for ever.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "other"
}

// recorder remembers what was answered. It passes on flushing and taking over of the connection.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
		if status == http.StatusServiceUnavailable && w.Header().Get("Retry-After") == "" {
			w.Header().Set("Retry-After", retryAfter)
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// retryAfter is in seconds: what is unavailable is looked for again that soon.
const retryAfter = "2"

func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

func (w *recorder) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// recover answers 500 for a bug, and tells the log where it is.
func (s *Server) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch bug := recover(); {
			case bug == nil:
			case bug == http.ErrAbortHandler: //nolint:errorlint // as net/http compares it
				panic(bug)
			default:
				s.opts.Log.ErrorContext(r.Context(), "bug", "panic", bug, "stack", string(debug.Stack()))
				if answer, ok := w.(*recorder); ok && answer.status == 0 {
					s.writeError(w, r, huma.NewError(http.StatusInternalServerError, sayInternal))
				}
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// live says whether a request is for a connection that stays, or waits for a job: it does not count among those that come
// and go. It goes by the path: headers anybody can send with anything.
func live(r *http.Request) bool {
	return r.URL.Path == workerPath+"lease" || strings.Contains(r.URL.Path, "/ws/") || strings.HasSuffix(r.URL.Path, "/events")
}

// atOnce refuses what is more than the server can do well at one time. Health is always answered.
func (s *Server) atOnce() func(http.Handler) http.Handler {
	if s.opts.Limits.Requests == 0 {
		return func(next http.Handler) http.Handler { return next }
	}
	room := make(chan struct{}, s.opts.Limits.Requests)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if live(r) || healthy(r) {
				next.ServeHTTP(w, r)
				return
			}
			select {
			case room <- struct{}{}:
				defer func() { <-room }()
				if r.Body != nil && r.Body != http.NoBody {
					r.Body = yielding{r.Body, room}
				}
				next.ServeHTTP(w, r)
			default:
				s.writeError(w, r, fault.Unavailable("%d requests are being answered: try again", cap(room)))
			}
		})
	}
}

// yielding is a body whose request takes nobody's place while it waits for the client: some hundred clients that send
// nothing would keep all others out.
type yielding struct {
	io.ReadCloser
	room chan struct{}
}

func (y yielding) Read(p []byte) (int, error) {
	<-y.room
	defer func() { y.room <- struct{}{} }()
	return y.ReadCloser.Read(p)
}

// patient waits for a client only so long: each piece that it sends or reads must come in time, and a body on the whole
// at slowest bytes a second. A connection that stays has its own rules.
func (s *Server) patient(next http.Handler) http.Handler {
	silence := s.opts.Limits.Silence
	if silence == 0 {
		silence = 30 * time.Second
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if live(r) && r.Header.Get("Upgrade") != "" && (r.Body == nil || r.Body == http.NoBody) {
			next.ServeHTTP(w, r)
			return
		}
		control := http.NewResponseController(w)
		answer := &pacedWriter{ResponseWriter: w, control: control, silence: silence}
		if r.Body != nil && r.Body != http.NoBody {
			answer.body = &pacedBody{ReadCloser: r.Body, control: control, begin: time.Now(), silence: silence}
			r.Body = answer.body
		}
		next.ServeHTTP(answer, r)
		answer.leave()
		answer.hurry(time.Now()) // for what net/http still holds, and so that an old deadline does not meet the next answer
	})
}

// slowest is the least rate of a body: 16 KiB a second is a telephone line of old.
const slowest = 16 << 10

// pacedBody moves the deadline of reading while a body keeps coming, and takes it away at the end: net/http would take a
// deadline that passes while the answer is thought about for a client that went away.
type pacedBody struct {
	io.ReadCloser
	control *http.ResponseController
	begin   time.Time
	silence time.Duration
	until   time.Time // that the operation sets itself, zero is none
	ended   bool
	read    int64
}

func (b *pacedBody) Read(p []byte) (int, error) {
	deadline := b.begin.Add(b.silence + time.Duration(b.read/slowest)*time.Second)
	if !b.until.IsZero() && b.until.Before(deadline) {
		deadline = b.until
	}
	_ = b.control.SetReadDeadline(deadline)
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if errors.Is(err, io.EOF) {
		b.ended = true
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// Close reads what is left, as net/http does; a client that was too slow already gets no time for that.
func (b *pacedBody) Close() error {
	if b.ended {
		return b.ReadCloser.Close()
	}
	_ = b.control.SetReadDeadline(time.Now().Add(leftover))
	err := b.ReadCloser.Close()
	b.ended = true
	_ = b.control.SetReadDeadline(time.Time{})
	return err
}

// leftover is how long net/http may wait for what nobody wants to read of a body: it looks for the next request behind
// it, before it sends the answer, and a client that sends nothing more would hold the connection for ever.
const leftover = time.Second

// pacedWriter gives each piece of an answer its time.
type pacedWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	silence time.Duration
	set     time.Time
	body    *pacedBody // nil when the request has none
}

// leave is for the rest of the request's body, when the answer begins.
func (w *pacedWriter) leave() {
	if w.body != nil && !w.body.ended {
		_ = w.control.SetReadDeadline(time.Now().Add(leftover))
	}
	w.body = nil
}

// SetReadDeadline is for an operation that has its own time for the body; with none ours still holds.
func (w *pacedWriter) SetReadDeadline(t time.Time) error {
	if w.body == nil || w.body.ended {
		return w.control.SetReadDeadline(t)
	}
	w.body.until = t
	return nil
}

func (w *pacedWriter) WriteHeader(status int) {
	if status >= http.StatusOK {
		w.leave()
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *pacedWriter) Write(p []byte) (int, error) {
	w.leave()
	if now := time.Now(); now.Sub(w.set) > time.Second { // moving it for each small piece would cost more than the piece
		w.hurry(now)
	}
	return w.ResponseWriter.Write(p)
}

func (w *pacedWriter) hurry(now time.Time) {
	w.set = now
	_ = w.control.SetWriteDeadline(now.Add(w.silence)) // a writer without deadlines is one of a test
}

func (w *pacedWriter) Flush() { _ = w.control.Flush() }

func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
