package api

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
)

// maxBody is the largest JSON body, maxDepth how deep it may nest.
const (
	maxBody  = 1 << 20
	maxDepth = 32
)

// operation is one thing that can be asked of the API.
type operation struct {
	ID          string // as a generated client names it: "list-sites"
	Method      string
	Path        string // below /api/v1, or absolute where it begins with "//"
	Tag         string // the resource; a token's scopes name it
	Summary     string
	Description string
	Role        auth.Role // who may; auth.Nobody is everybody, without logging in
	Status      int       // of success, 0 is the method's usual one
	MaxBody     int64     // 0 is maxBody, -1 no limit
	// Timeout is how long the body may take to arrive, 0 is 15 seconds, -1 no limit.
	Timeout time.Duration
	// Reads says that a POST changes nothing: a search with a body.
	Reads bool
	// Unchanged lets somebody in whose password must be changed first.
	Unchanged bool
	Errors    []int // beside the usual ones
	Hidden    bool  // left out of the document
	// AnyQuery lets query parameters through that are not described, and leaves it to fn to check those that are: other
	// programs send the browser there.
	AnyQuery bool
	// Also are further statuses of success with the same body, and what they mean; fn's output has a field Status then.
	Also map[int]string
	// Streams are the media types of an answer that is written as it comes; fn returns s.stream then.
	Streams []string
	// Whole is what a stream of application/json holds when it has come.
	Whole any
}

// mayKey holds what an operation demands, for those who check it and for the tests that list it.
const mayKey = "x-patchscout-role"

// handle registers an operation. fn gets the product as the asker may see it; its error becomes a problem document.
func handle[I, O any](s *Server, op operation, fn func(ctx context.Context, d Desk, in *I) (*O, error)) {
	places := placesOf(reflect.TypeFor[I]())
	huma.Register(s.api, s.describeOperation(op), func(ctx context.Context, in *I) (*O, error) {
		ctx, cancel := s.within(ctx, op)
		defer cancel()
		ctx = auth.WithTrail(ctx)
		out, err := fn(ctx, s.opts.Desk(auth.From(ctx)), in)
		s.record(ctx, op, err)
		if err != nil {
			return nil, places.mark(s.answer(ctx, err))
		}
		return out, nil
	})
	s.addStatuses(op)
}

// addStatuses documents the further statuses of success.
func (s *Server) addStatuses(op operation) {
	for status, meaning := range op.Also {
		responses := s.documented(op).Responses
		same := *responses[strconv.Itoa(op.Status)]
		same.Description = meaning
		responses[strconv.Itoa(status)] = &same
	}
	if empty := s.documented(op).Responses["204"]; empty != nil {
		empty.Content = nil
	}
}

// documented is the operation in the document.
func (s *Server) documented(op operation) *huma.Operation {
	item := s.api.OpenAPI().Paths[op.path()]
	return map[string]*huma.Operation{http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodPatch: item.Patch,
		http.MethodDelete: item.Delete}[op.Method]
}

// within ends what an operation does when it has taken too long: somebody waits for the answer. What it streams afterwards
// may take as long as it is read, and what takes a long body as long as that takes to come.
func (s *Server) within(ctx context.Context, op operation) (context.Context, context.CancelFunc) {
	if s.opts.Limits.Answer <= 0 || op.Timeout < 0 || len(op.Streams) > 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, s.opts.Limits.Answer)
}

// path is the whole path of an operation.
func (op operation) path() string {
	if absolute, ok := strings.CutPrefix(op.Path, "//"); ok {
		return "/" + absolute
	}
	return "/api/v1" + op.Path
}

// writes says whether the operation changes anything.
func (op operation) writes() bool {
	return op.Method != http.MethodGet && op.Method != http.MethodHead && !op.Reads
}

func (s *Server) describeOperation(op operation) huma.Operation {
	d := huma.Operation{
		OperationID: op.ID, Method: op.Method, Path: op.path(), Summary: op.Summary, Description: op.Description, Tags: []string{op.Tag},
		DefaultStatus: op.Status, MaxBodyBytes: op.MaxBody, BodyReadTimeout: op.Timeout, Errors: op.errors(), Hidden: op.Hidden, SkipValidateParams: op.AnyQuery,
		Middlewares: huma.Middlewares{s.guard(op)},
		Extensions:  map[string]any{mayKey: string(op.Role)},
	}
	if d.MaxBodyBytes == 0 {
		d.MaxBodyBytes = maxBody
	}
	if d.BodyReadTimeout == 0 {
		d.BodyReadTimeout = 15 * time.Second
	}
	if op.Method == http.MethodPost && op.writes() && op.Role != auth.Nobody {
		d.Parameters = append(d.Parameters, onceParam())
	}
	if len(op.Streams) > 0 {
		d.Responses = streams(op.Streams)
		if op.Whole != nil {
			media := d.Responses["200"].Content["application/json"]
			media.Schema, media.Example = s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(op.Whole), true, ""), nil
		}
	}
	if op.Role != auth.Nobody {
		d.Security = []map[string][]string{{"token": {}}, {"cookie": {}}}
	}
	return d
}

// errors are the statuses beside success that the operation may answer with.
func (op operation) errors() []int {
	statuses := []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusTooManyRequests,
		http.StatusInternalServerError, http.StatusServiceUnavailable} // 401 for a bad token, also where none is needed
	if strings.Contains(op.Path, "{") {
		statuses = append(statuses, http.StatusNotFound)
	}
	if op.Method != http.MethodGet {
		statuses = append(statuses, http.StatusRequestTimeout, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	statuses = append(statuses, op.Errors...)
	slices.Sort(statuses)
	return slices.Compact(statuses)
}

// guard lets in who may do the operation, before anything of the request is read.
func (s *Server) guard(op operation) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		if err := op.admit(auth.From(c.Context())); err != nil {
			s.recordDenial(c, op, err)
			s.writeProblem(c, err)
			return
		}
		url := c.URL()
		if err := checkText(url.Path, url.Query()); err != nil {
			s.writeProblem(c, err)
			return
		}
		next(c)
	}
}

// admit says why somebody may not do the operation.
func (op operation) admit(who auth.Identity) error {
	switch {
	case op.Role == auth.Nobody:
		return nil
	case who.Kind == auth.Anonymous:
		return errAnonymous
	case !who.Role.Allows(op.Role):
		return fault.Denied("this needs the role %s; %s has %s", op.Role, who.Name, who.Role)
	case who.MustChange && !op.Unchanged:
		return fault.Denied("change the password first: POST /api/v1/auth/password")
	case len(who.Scopes) > 0 && !slices.Contains(who.Scopes, op.scope()):
		return fault.Denied("the token's scopes do not have %s", op.scope())
	}
	return nil
}

// scope is what a limited token must have been given.
func (op operation) scope() string {
	if op.writes() {
		return fmt.Sprintf("%s:write", op.Tag)
	}
	return fmt.Sprintf("%s:read", op.Tag)
}
