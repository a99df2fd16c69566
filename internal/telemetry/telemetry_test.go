package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestEveryLineCarriesTheIdsOfItsContext(t *testing.T) {
	var out bytes.Buffer
	log, _, err := Open(&out, Options{Format: "json", Level: "info"})
	if err != nil {
		t.Fatal(err)
	}
	ctx := WithJob(WithScan(WithRequest(t.Context(), "r1"), 7), 9, "scan")
	log.With("feed", "nvd").InfoContext(ctx, "loaded")
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{"request_id": "r1", "scan_id": 7.0, "job_id": 9.0, "job": "scan", "feed": "nvd"} {
		if line[key] != want {
			t.Errorf("%s = %v, want %v, in %s", key, line[key], want, out.String())
		}
	}
	if RequestID(ctx) != "r1" || RequestID(t.Context()) != "" {
		t.Error("the request's id is not found in its context")
	}
}

func TestSiblingsDoNotShareAttributes(t *testing.T) {
	parent := WithRequest(t.Context(), "r1")
	a, b := WithScan(parent, 1), WithScan(parent, 2)
	if got := a.Value(contextKey{}).([]slog.Attr)[1].Value.Int64(); got != 1 {
		t.Errorf("scan %d, want 1: a sibling (%v) wrote over it", got, b)
	}
}

func TestSecretsByNameNeverReachTheLog(t *testing.T) {
	var out bytes.Buffer
	log, _, _ := Open(&out, Options{Format: "text", Level: "info"})
	log.Info("login", "Authorization", "Bearer hunter2", "cookie", "s=hunter2", "new_password", "hunter2", "X-Api-Key", "hunter2", "token_id", 4)
	if text := out.String(); strings.Contains(text, "hunter2") || !strings.Contains(text, "token_id=4") {
		t.Errorf("log: %s", text)
	}
}

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestMetricsAreScraped(t *testing.T) {
	m := NewMetrics("1.2.3")
	reads := 0
	m.Samples(time.Hour, slog.New(slog.DiscardHandler), func(context.Context) ([]Sample, error) {
		reads++
		return []Sample{{Name: "patchscout_scans", Help: "Scans by status.", Labels: []string{"status", "running"}, Value: 3}}, nil
	})
	m.Gauge("patchscout_watchers", "Live connections.", func() float64 { return 5 })
	m.Request("GET", "/api/v1/sites", 200, 20*time.Millisecond)
	scrape(t, m)
	text := scrape(t, m)
	for _, want := range []string{`patchscout_build_info{version="1.2.3"} 1`, `patchscout_scans{status="running"} 3`, "patchscout_watchers 5",
		`patchscout_http_request_duration_seconds_count{method="GET",route="/api/v1/sites",status="200"} 1`, "patchscout_samples_ok 1", "go_goroutines"} {
		if !strings.Contains(text, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
	if reads != 1 {
		t.Errorf("the database was read %d times for two scrapes, want once", reads)
	}
}

func TestMetricsSayThatTheDatabaseIsGone(t *testing.T) {
	m := NewMetrics("")
	m.Samples(time.Hour, slog.New(slog.DiscardHandler), func(context.Context) ([]Sample, error) { return nil, errors.New("gone") })
	if text := scrape(t, m); !strings.Contains(text, "patchscout_samples_ok 0") || !strings.Contains(text, "go_goroutines") {
		t.Error("a scrape without the database has no figures of the process")
	}
}

func TestTracesReachTheCollector(t *testing.T) {
	got := make(chan string, 10)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- r.URL.Path + " " + string(body)
	}))
	defer collector.Close()
	stop, err := OpenTraces(t.Context(), TraceOptions{Endpoint: collector.URL, Sample: 1, Version: "1"})
	if err != nil {
		t.Fatal(err)
	}
	handler := TraceRequests(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, end := Span(r.Context(), "scan", "scan_id", int64(7))
		end(errors.New("tool failed"))
		Route(r.Context(), r.Method, "/api/v1/scans/{id}")
	}))
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/api/v1/scans/7", http.NoBody))
	if err := stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	sent := <-got
	for _, want := range []string{"/v1/traces ", "GET /api/v1/scans/{id}", "scan_id", "tool failed"} {
		if !strings.Contains(sent, want) {
			t.Errorf("the collector did not get %q", want)
		}
	}
}

func TestWithoutTracesNothingIsMade(t *testing.T) {
	ctx := t.Context()
	if got, end := Span(ctx, "scan"); got != ctx {
		t.Error("a span was begun")
	} else if n := testing.AllocsPerRun(100, func() { end(nil) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
