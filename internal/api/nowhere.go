package api

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/patchscout/patchscout/internal/fault"
)

// nowhere answers what no operation answers, in the same words as they do.
func (s *Server) nowhere() {
	nothing := func(w http.ResponseWriter, r *http.Request) {
		s.writeError(w, r, fault.NotFound("there is nothing at this path; %s/docs tells what there is", s.opts.BasePath))
	}
	s.router.NotFound(func(w http.ResponseWriter, r *http.Request) {
		if !s.ui.shows(s, w, r) {
			nothing(w, r)
		}
	})
	s.router.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		allowed := s.methods(r)
		if len(allowed) == 0 { // a method that no path takes
			nothing(w, r)
			return
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		s.writeError(w, r, huma.NewError(http.StatusMethodNotAllowed, "this path takes "+strings.Join(allowed, ", ")))
	})
}

// methods are those that a path takes.
func (s *Server) methods(r *http.Request) (out []string) {
	path := r.URL.Path
	if r.URL.RawPath != "" {
		path = r.URL.RawPath
	}
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if s.router.Match(chi.NewRouteContext(), method, path) {
			out = append(out, method)
		}
	}
	return out
}

// head answers HEAD as GET without its body, but for what never ends.
func (s *Server) head(next http.Handler) http.Handler {
	asGet := middleware.GetHead(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/events") {
			next.ServeHTTP(w, r)
			return
		}
		asGet.ServeHTTP(w, r)
	})
}
