package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
)

// once is what requests with a key need of the product.
type once interface {
	// BeginOnce remembers a request of the asker; nil says that it is the first with the key. What is remembered is
	// forgotten after a day.
	BeginOnce(ctx context.Context, key string) (before *Once, err error)
	EndOnce(ctx context.Context, key string, o Once) error
	ForgetOnce(ctx context.Context, key string) error
}

// Once is a request that must not be done twice, and how it was answered.
type Once struct {
	Begun  time.Time
	Status int    // 0 while it runs
	Digest string // of the request
	Header string // JSON of onceHeaders
	Kept   bool   // whether Answer is what was answered
	Answer []byte
}

const (
	onceHeader = "Idempotency-Key"
	// maxOnce is the longest answer that is kept.
	maxOnce = 64 << 10
	// onceRetry is when to ask again for the answer of a request that still runs.
	onceRetry = 2 * time.Second
	// onceSettles bounds what is written down after the client may have gone.
	onceSettles = 10 * time.Second
)

// onceHeaders are the headers of an answer that are kept with it.
var onceHeaders = []string{"Content-Type", "Location", "ETag"}

var onceKeys = regexp.MustCompile(`^[\x21-\x7e]{1,255}$`)

// onceParam documents the header.
func onceParam() *huma.Param {
	short, long := 1, 255
	return &huma.Param{Name: onceHeader, In: "header", Example: "5f0c1c52-9d6e-4c0e-8a51-1f6a0a5d7a10",
		Description: "A text of your own. Sent again within a day with the same key and body, a request is not done again: it is answered as it was.",
		Schema:      &huma.Schema{Type: huma.TypeString, MinLength: &short, MaxLength: &long}}
}

// idempotent answers a POST that carries a key as it was answered the first time.
func (s *Server) idempotent(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key, who := r.Header.Get(onceHeader), auth.From(r.Context())
		switch {
		case key == "" || r.Method != http.MethodPost || who.Kind == auth.Anonymous:
			next.ServeHTTP(w, r)
		case !onceKeys.MatchString(key):
			s.writeError(w, r, fault.InvalidOption(onceHeader, ": want 1 to 255 visible ASCII characters"))
		default:
			s.onlyOnce(w, r, next, key)
		}
	})
}

func (s *Server) onlyOnce(w http.ResponseWriter, r *http.Request, next http.Handler, key string) {
	desk := s.opts.Desk(auth.From(r.Context()))
	before, err := desk.BeginOnce(r.Context(), key)
	switch {
	case err != nil:
		s.writeError(w, r, err)
	case before != nil:
		s.again(w, r, *before)
	default:
		s.first(w, r, next, desk, key)
	}
}

// first does what is asked and remembers the answer. What came to nothing may be asked again.
func (s *Server) first(w http.ResponseWriter, r *http.Request, next http.Handler, desk once, key string) {
	body, answer := digesting(r), &answering{ResponseWriter: w}
	r.Body = body
	ended := false
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), onceSettles)
		defer cancel()
		var err error
		if ended && answer.status < http.StatusBadRequest {
			err = desk.EndOnce(ctx, key, s.remembered(r, body, answer))
		} else {
			err = desk.ForgetOnce(ctx, key)
		}
		if err != nil {
			s.opts.Log.ErrorContext(ctx, "a request with a key was not remembered", "error", err)
		}
	}()
	next.ServeHTTP(answer, r)
	ended = true
}

func (s *Server) remembered(r *http.Request, body *digestingBody, answer *answering) Once {
	o := Once{Status: max(answer.status, http.StatusOK), Digest: body.digest()}
	if route := chi.RouteContext(r.Context()); answer.long || route == nil || s.secrets[route.RoutePattern()] {
		return o
	}
	header := map[string]string{}
	for _, name := range onceHeaders {
		if v := answer.Header().Get(name); v != "" {
			header[name] = v
		}
	}
	text, _ := json.Marshal(header) // of strings: it cannot fail
	o.Kept, o.Header, o.Answer = true, string(text), answer.body.Bytes()
	return o
}

// again answers a request that was sent before.
func (s *Server) again(w http.ResponseWriter, r *http.Request, before Once) {
	if before.Status == 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(onceRetry.Seconds())))
		s.writeError(w, r, fault.Conflict("the first request with this %s still runs", onceHeader))
		return
	}
	body := digesting(r)
	_, err := io.Copy(io.Discard, body)
	switch {
	case err != nil:
		s.writeError(w, r, fault.Invalid("read the request: %w", err))
	case body.digest() != before.Digest:
		s.writeError(w, r, fault.InvalidOption(onceHeader, ": it was used for another request"))
	case !before.Kept:
		s.writeError(w, r, fault.Conflict("this was done at %s; its answer was too long to keep, or holds a secret", before.Begun.UTC().Format(time.RFC3339)))
	default:
		before.write(w)
	}
}

func (o Once) write(w http.ResponseWriter) {
	header := map[string]string{}
	_ = json.Unmarshal([]byte(o.Header), &header) // ours
	for name, value := range header {
		w.Header().Set(name, value)
	}
	w.Header().Set("Idempotent-Replayed", "true")
	w.WriteHeader(o.Status)
	_, _ = w.Write(o.Answer) // a client that went away misses nothing
}

// digestingBody reads a request's body and digests it on the way.
type digestingBody struct {
	io.Reader
	io.Closer
	hash hash.Hash
}

// digesting begins the digest of a request. Forms draw their boundary anew each time that they are sent: of them only
// the length counts.
func digesting(r *http.Request) *digestingBody {
	b := &digestingBody{Reader: r.Body, Closer: r.Body, hash: sha256.New()}
	kind := r.Header.Get("Content-Type")
	if form, _, _ := strings.Cut(kind, ";"); form == "multipart/form-data" {
		kind = form + " " + strconv.FormatInt(r.ContentLength, 10)
	} else {
		b.Reader = io.TeeReader(r.Body, b.hash)
	}
	for _, part := range []string{r.URL.Path, r.URL.RawQuery, kind} {
		_, _ = io.WriteString(b.hash, part+"\n")
	}
	return b
}

func (b *digestingBody) digest() string { return hex.EncodeToString(b.hash.Sum(nil)) }

// answering keeps a copy of an answer while it is not too long.
type answering struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
	long   bool
}

// Unwrap lets http.ResponseController find the connection.
func (a *answering) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answering) WriteHeader(status int) {
	if a.status == 0 && status >= http.StatusOK {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answering) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	if a.long = a.long || a.body.Len()+len(p) > maxOnce; a.long {
		a.body = bytes.Buffer{}
	} else {
		a.body.Write(p)
	}
	return a.ResponseWriter.Write(p)
}

// secretive finds the operations whose answers hold what is shown once only: such an answer is not kept.
func secretive(doc *huma.OpenAPI) map[string]bool {
	out := map[string]bool{}
	for path, item := range doc.Paths {
		if item.Post == nil {
			continue
		}
		for _, response := range item.Post.Responses {
			for _, body := range response.Content {
				out[path] = out[path] || body.Schema != nil && holdsSecret(doc.Components.Schemas, body.Schema, 0)
			}
		}
	}
	return out
}

var secretNames = regexp.MustCompile(`(?i)token|password|secret|ticket|csrf|cookie`)

func holdsSecret(r huma.Registry, s *huma.Schema, depth int) bool {
	if s.Ref != "" {
		s = r.SchemaFromRef(s.Ref)
	}
	if s == nil || depth > 8 {
		return false
	}
	for name, property := range s.Properties {
		if secretNames.MatchString(name) || holdsSecret(r, property, depth+1) {
			return true
		}
	}
	return s.Items != nil && holdsSecret(r, s.Items, depth+1)
}
