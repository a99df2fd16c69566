package api

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
)

// How health is asked: a check that has not ended in healthPatience is a reason in itself, and its answer holds for
// healthHolds, so that whoever asks often costs nothing.
const (
	healthPatience = time.Second
	healthHolds    = time.Second
)

type healthAnswer struct {
	Status       int
	CacheControl string `header:"Cache-Control"`
	Body         report.Health
}

// healthOperations are public: a load balancer has no password. They tell reasons in the product's words, and nothing of
// where its parts are.
func (s *Server) healthOperations() {
	h := &health{ask: s.opts.Health, now: s.opts.Now}
	ready := func(ctx context.Context, _ Desk, _ *struct{}) (*healthAnswer, error) {
		doc := h.ready(ctx)
		if !doc.Ready {
			return &healthAnswer{Status: http.StatusServiceUnavailable, CacheControl: "no-store", Body: doc}, nil
		}
		return &healthAnswer{Status: http.StatusOK, CacheControl: "no-store", Body: doc}, nil
	}
	for _, path := range []struct{ id, path, summary string }{
		{"get-health", "//health", "Whether the server can do its work, and why not"},
		{"get-readiness", "//health/ready", "As /health, for probes that decide where requests go"},
	} {
		op := operation{ID: path.id, Method: http.MethodGet, Path: path.path, Tag: "system", Role: auth.Nobody, Unchanged: true, Summary: path.summary,
			Description: "503 with the same document when a check failed. Warnings do not make the server unready."}
		handle(s, op, ready)
		s.describeUnready(op)
	}
	handle(s, operation{ID: "get-liveness", Method: http.MethodGet, Path: "//health/live", Tag: "system", Role: auth.Nobody, Unchanged: true,
		Summary: "Whether the process answers at all, for probes that restart it"},
		func(context.Context, Desk, *struct{}) (*healthAnswer, error) {
			return &healthAnswer{Status: http.StatusOK, CacheControl: "no-store", Body: report.Health{Status: "ok", Ready: true, Checks: []report.HealthCheck{}}}, nil
		})
}

// describeUnready has the document say that 503 is a health document too.
func (s *Server) describeUnready(op operation) {
	answers := s.api.OpenAPI().Paths[op.path()].Get.Responses
	content := map[string]*huma.MediaType{}
	for kind, media := range answers["200"].Content {
		content[kind] = media
	}
	if unready := answers["503"]; unready != nil {
		for kind, media := range unready.Content { // more than max_requests are answered with a problem
			content[kind] = media
		}
	}
	answers["503"] = &huma.Response{Description: "a check failed", Content: content}
}

// health asks once at a time, however many ask it.
type health struct {
	ask func(context.Context) report.Health
	now func() time.Time

	mu      sync.Mutex
	last    report.Health
	at      time.Time
	pending chan struct{} // closed when the check that runs has ended
}

func (h *health) ready(ctx context.Context) report.Health {
	if h.ask == nil {
		return report.Health{Status: "ok", Ready: true, Checks: []report.HealthCheck{}}
	}
	h.mu.Lock()
	if !h.at.IsZero() && h.now().Sub(h.at) < healthHolds {
		defer h.mu.Unlock()
		return h.last
	}
	pending := h.pending
	if pending == nil {
		pending = make(chan struct{})
		h.pending = pending
		go h.check(pending)
	}
	h.mu.Unlock()
	timer := time.NewTimer(healthPatience)
	defer timer.Stop()
	select {
	case <-pending:
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.last
	case <-timer.C:
	case <-ctx.Done():
	}
	return report.Health{Status: "unavailable", Checks: []report.HealthCheck{{Name: "database", Status: "failed", Reason: "the database does not answer within a second"}}}
}

// check runs apart from who asked: the next one may wait for the same answer.
func (h *health) check(done chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*healthPatience)
	defer cancel()
	doc := h.ask(ctx)
	h.mu.Lock()
	h.last, h.at, h.pending = doc, h.now(), nil
	h.mu.Unlock()
	close(done)
}

// metrics serves what Prometheus scrapes: to viewers, or to everybody where the configuration says so. It counts all
// sites, so a viewer must see them all.
func (s *Server) metrics() {
	if s.opts.Metrics == nil {
		return
	}
	op := operation{ID: "get-metrics", Method: http.MethodGet, Path: "//metrics", Tag: "system", Role: auth.Viewer}
	s.router.Get("/metrics", func(w http.ResponseWriter, r *http.Request) {
		if !s.opts.MetricsOpen {
			who := auth.From(r.Context())
			err := op.admit(who)
			if err == nil && !who.View.All() {
				err = fault.Denied("the metrics count all sites: that takes somebody who sees all of them")
			}
			if err != nil {
				s.writeError(w, r, err)
				return
			}
		}
		s.opts.Metrics.ServeHTTP(w, r)
	})
}
