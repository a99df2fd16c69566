package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
)

// errAnonymous is the answer to who has not said who he is: 401, where other denials are 403.
var errAnonymous = fault.Denied("log in first, with a session cookie or the header Authorization: Bearer and a token")

// statuses is the one place where kinds of errors become HTTP statuses.
var statuses = map[fault.Kind]int{
	fault.KindNotFound:    http.StatusNotFound,
	fault.KindInvalid:     http.StatusUnprocessableEntity,
	fault.KindConflict:    http.StatusConflict,
	fault.KindDenied:      http.StatusForbidden,
	fault.KindUnavailable: http.StatusServiceUnavailable,
	fault.KindInternal:    http.StatusInternalServerError,
}

// sayInternal is all that a client learns of what went wrong inside.
const sayInternal = "internal error; the server's log has the cause"

// problem turns an error into the document of RFC 9457. Of what has no kind the client only learns that it is ours, and the
// log learns everything.
func (s *Server) problem(ctx context.Context, err error) huma.StatusError {
	var done huma.StatusError
	if errors.As(err, &done) {
		return done
	}
	if fault.KindOf(err) == fault.KindInternal && errors.Is(err, context.DeadlineExceeded) {
		err = fault.Unavailable("this took too long and was given up; ask for less, or try again")
	}
	if fault.KindOf(err) == fault.KindInternal && errors.Is(err, context.Canceled) {
		err = fault.Unavailable("the client went away, or the server stops") // nobody may be left to read it
	}
	status := statuses[fault.KindOf(err)]
	switch {
	case errors.Is(err, errAnonymous), auth.NotLetIn(err):
		status = http.StatusUnauthorized
	case errors.As(err, new(auth.Throttled)):
		status = http.StatusTooManyRequests
	}
	if status == http.StatusInternalServerError {
		s.opts.Log.ErrorContext(ctx, "request failed", "who", auth.From(ctx).Name, "error", err)
		return huma.NewError(status, sayInternal)
	}
	field, text := fault.FieldOf(err)
	said := said(text)
	if field == "" {
		return huma.NewError(status, said)
	}
	detail := &huma.ErrorDetail{Message: said, Location: fieldOf(field)}
	if text != err.Error() { // it begins with what follows the name
		said = detail.Location + ": " + said
	}
	return huma.NewError(status, said, detail)
}

// said is a text with the fields of a request in place of options. A whole command line stays one.
func said(text string) string {
	command := strings.Index(text, "patchscout ")
	if command < 0 {
		command = len(text)
	}
	return flags.ReplaceAllStringFunc(text[:command], fieldOf) + text[command:]
}

// answer is the problem document of an error with the headers that belong to it.
func (s *Server) answer(ctx context.Context, err error) error {
	if errors.As(err, new(huma.HeadersError)) {
		return err
	}
	if headers := retry(err); headers != nil {
		return huma.ErrorWithHeaders(s.problem(ctx, err), headers)
	}
	return s.problem(ctx, err)
}

// retry says when to come again, in the header Retry-After.
func retry(err error) http.Header {
	var throttled auth.Throttled
	if !errors.As(err, &throttled) {
		return nil
	}
	return http.Header{"Retry-After": {strconv.Itoa(max(1, int(math.Ceil(throttled.Wait.Seconds()))))}}
}

// notIn is the answer to who says in a way that does not count who he is.
func notIn(text string) error { return fmt.Errorf("%w: %s", errAnonymous, text) }

// flags are options as the command line writes them; fieldOf is the same in a request: --min-cvss is min_cvss.
var flags = regexp.MustCompile(`--[a-z][a-z-]*[a-z]\b`)

func fieldOf(flag string) string {
	if strings.ToLower(flag) != flag {
		return flag // a header
	}
	return strings.ReplaceAll(strings.TrimPrefix(flag, "--"), "-", "_")
}

// writeProblem answers a request whose operation did not run.
func (s *Server) writeProblem(c huma.Context, err error) {
	p := s.problem(c.Context(), err)
	c.SetHeader("Content-Type", "application/problem+json")
	if url := c.URL(); p.GetStatus() == http.StatusUnauthorized {
		c.SetHeader("WWW-Authenticate", challenge(url.Path))
	}
	c.SetStatus(p.GetStatus())
	_ = json.NewEncoder(c.BodyWriter()).Encode(p) // a client that went away misses nothing
}

// writeError is writeProblem outside of the operations.
func (s *Server) writeError(w http.ResponseWriter, r *http.Request, err error) {
	p := s.problem(r.Context(), err)
	w.Header().Set("Content-Type", "application/problem+json")
	maps.Copy(w.Header(), retry(err))
	if p.GetStatus() == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", challenge(r.URL.Path))
	}
	w.WriteHeader(p.GetStatus())
	_ = json.NewEncoder(w).Encode(p) // as above
}

var secretField = regexp.MustCompile(`(?i)password|current|secret|token`)

// discreet leaves secrets out of what is told of a mistake: answers are logged by those who get them.
func discreet(c huma.Context, _ string, v any) (any, error) {
	if problem, ok := v.(*huma.ErrorModel); ok {
		for _, detail := range problem.Errors {
			if detail.Message == unknownQuery {
				detail.Message += knownQueries(c)
			}
			if secretField.MatchString(detail.Location) || holdsSecretField(detail.Value) {
				detail.Value = nil
			}
		}
	}
	return v, nil
}

// unknownQuery is what huma says of a query parameter that an operation does not have.
const unknownQuery = "unknown query parameter"

// knownQueries names those that it has.
func knownQueries(c huma.Context) string {
	var names []string
	if c != nil && c.Operation() != nil {
		for _, p := range c.Operation().Parameters {
			if p.In == "query" {
				names = append(names, p.Name)
			}
		}
	}
	if len(names) == 0 {
		return ": this operation has none"
	}
	slices.Sort(names)
	return ": this operation has " + strings.Join(names, ", ")
}

// holdsSecretField: a mistake about a whole body tells the whole body.
func holdsSecretField(v any) bool {
	fields, ok := v.(map[string]any)
	for name := range fields {
		ok = ok && !secretField.MatchString(name)
	}
	return fields != nil && !ok
}

// jsonFormat reads and writes JSON. A body that nests deeper than maxDepth, or says a thing twice, is refused before it is
// built: of two fields of one name each reader takes another.
var jsonFormat = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false) // answers are application/json with nosniff
		return enc.Encode(v)
	},
	Unmarshal: func(data []byte, v any) error {
		if err := checkShape(data); err != nil {
			return err
		}
		if err := json.Unmarshal(data, v); err != nil {
			return plainJSON(err)
		}
		return nil
	},
}

// checkShape refuses what no operation takes: too deep, a field twice, NUL, which no database keeps.
func checkShape(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	var around []*within
	for {
		tok, err := dec.Token()
		if err != nil {
			return nil // Unmarshal says what is wrong, with the place
		}
		if text, ok := tok.(string); ok && strings.Contains(text, "\x00") {
			return errors.New("a text has a NUL")
		}
		if len(around) > 0 {
			if name, twice := around[len(around)-1].take(tok); twice {
				return fmt.Errorf("at body.%s: it is there twice", name)
			}
		}
		switch tok {
		case json.Delim('{'), json.Delim('['):
			if around = append(around, &within{object: tok == json.Delim('{')}); len(around) > maxDepth {
				return fmt.Errorf("nested deeper than %d levels", maxDepth)
			}
		case json.Delim('}'), json.Delim(']'):
			around = around[:len(around)-1]
		}
	}
}

// within is an object or list that is being read.
type within struct {
	object, value bool // value: of an object, a name was read and its value comes
	names         map[string]bool
}

// take looks at the next token and returns the name that was there before.
func (w *within) take(tok json.Token) (name string, twice bool) {
	if !w.object {
		return "", false
	}
	name, isName := tok.(string)
	if w.value || !isName { // a value, or the end
		w.value = false
		return "", false
	}
	w.value, twice = true, w.names[name]
	if w.names == nil {
		w.names = map[string]bool{}
	}
	w.names[name] = true
	return name, twice
}
