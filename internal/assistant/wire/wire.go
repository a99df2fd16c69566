// Package wire asks the JSON interfaces of servers that help the assistant: it tries again where that may help, and keeps to
// limits of size and time. It never logs what it sends or gets.
package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/outbound"
)

// Server is one such interface. Safe for concurrent use.
type Server struct {
	name   string
	base   *url.URL
	header http.Header
	door   *outbound.Client
}

// Config says where a server is.
type Config struct {
	Name    string      // in errors: "ChromaDB"
	URL     string      // http(s)://host[:port][/path], without credentials
	Header  http.Header // sent with each request
	Timeout time.Duration
	Client  *outbound.Client // nil: one that may speak to this URL only
}

// maxBody is how large an answer may be.
const maxBody = 256 << 20

// New returns a Server, or fault.Invalid for an address that is none. It does not connect.
func New(c Config) (*Server, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return nil, fault.Invalid("the address of %s: want http(s)://host[:port][/path], without credentials", c.Name)
	}
	s := &Server{name: c.Name, base: u, header: c.Header, door: c.Client}
	if s.door == nil {
		idle := c.Timeout
		if idle == 0 {
			idle = time.Minute
		}
		if s.door, err = outbound.New(outbound.Config{Named: []string{c.URL}, MaxBody: maxBody, Idle: idle}); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Host is the server's host, with its port where the address has one.
func (s *Server) Host() string { return s.base.Host }

// Error is what a server answered instead of what was asked for.
type Error struct {
	Server string
	Status int
	Said   string // the beginning of its text, one line
	after  time.Duration
}

func (e *Error) Error() string {
	if e.Said == "" {
		return fmt.Sprintf("%s answers %d %s", e.Server, e.Status, http.StatusText(e.Status))
	}
	return fmt.Sprintf("%s answers %d: %s", e.Server, e.Status, e.Said)
}

// Status is the one that a server answered with, 0 for any other error.
func Status(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// tries of one request; the pauses between them double from the first.
const (
	tries      = 3
	firstPause = 200 * time.Millisecond
	mostPause  = 10 * time.Second
)

// Call sends in as JSON to a path below the address (nil: no body) and reads the answer into out (nil: it is not looked
// at). It tries again when a server is busy or does not answer, as what it asks for may be asked twice. The error is
// fault.Unavailable, and an *Error where the server answered.
func (s *Server) Call(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("ask %s: %w", s.name, err)
		}
	}
	pause := firstPause
	for try := 1; ; try++ {
		err := s.once(ctx, method, path, body, out)
		wait, again := retry(err)
		if err == nil || !again || try == tries || ctx.Err() != nil {
			return s.unavailable(err)
		}
		select {
		case <-ctx.Done():
			return s.unavailable(ctx.Err())
		case <-time.After(min(max(wait, pause), mostPause)):
		}
		pause *= 2
	}
}

func (s *Server) unavailable(err error) error {
	if err == nil || fault.KindOf(err) == fault.KindDenied {
		return err
	}
	return fault.Unavailable("ask %s: %w", s.name, err)
}

// retry says whether to ask again, and what the server wants one to wait.
func retry(err error) (wait time.Duration, again bool) {
	var e *Error
	switch {
	case err == nil || fault.KindOf(err) == fault.KindDenied || fault.KindOf(err) == fault.KindInvalid:
		return 0, false
	case errors.As(err, &e):
		return e.after, e.Status == http.StatusTooManyRequests || e.Status >= 500
	}
	return 0, true
}

func (s *Server) once(ctx context.Context, method, path string, body []byte, out any) error {
	address := *s.base
	if path != "" {
		address = *s.base.JoinPath(path)
	}
	req, err := http.NewRequestWithContext(ctx, method, address.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	for name, values := range s.header {
		req.Header[name] = values
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := s.door.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return s.refusal(resp)
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fault.Invalid("%s answers something else than was asked for: %w", s.name, err)
	}
	return nil
}

// maxSaid is how much of a server's complaint is told.
const maxSaid = 300

func (s *Server) refusal(resp *http.Response) error {
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, 16<<10))
	e := &Error{Server: s.name, Status: resp.StatusCode}
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && n > 0 {
		e.after = time.Duration(min(n, 60)) * time.Second
	}
	var doc struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
	}
	if json.Unmarshal(raw, &doc) == nil {
		e.Said = line(doc.Message)
		if e.Said == "" {
			e.Said = line(strings.Trim(string(doc.Error), `"`))
		}
	}
	return e
}

// line is foreign text as one printable line.
func line(text string) string {
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "?"), func(r rune) bool { return r <= ' ' || r >= 0x7f }), " ")
	return text[:min(len(text), maxSaid)]
}
