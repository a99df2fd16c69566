package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/telemetry"
)

// logged is a log that a test may read while a server writes it.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// serving is a server with extra routes, as an admin unless the request says otherwise.
func serving(t *testing.T, o Options, routes map[string]http.HandlerFunc) (base string, log *logged) {
	t.Helper()
	log = &logged{}
	logger, _, err := telemetry.Open(log, telemetry.Options{Format: "json", Level: "debug"})
	if err != nil {
		t.Fatal(err)
	}
	o.Log, o.Desk = logger, func(auth.Identity) Desk { return nil }
	if o.Authenticate == nil {
		o.Authenticate = func(r *http.Request) (auth.Identity, error) {
			if r.Header.Get("X-Nobody") != "" {
				return auth.Identity{}, nil
			}
			return auth.Identity{Kind: auth.Token, Name: "anna", Role: auth.Admin, View: auth.Everything()}, nil
		}
	}
	s := New(o)
	for path, fn := range routes {
		s.router.HandleFunc(path, fn)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	return server.URL, log
}

func get(t *testing.T, target string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

func TestABugIsAnswered500WithoutDetails(t *testing.T) {
	base, log := serving(t, Options{}, map[string]http.HandlerFunc{"/bug": func(http.ResponseWriter, *http.Request) { panic("hunter2") }})
	answer, body := get(t, base+"/bug")
	if answer.StatusCode != http.StatusInternalServerError || strings.Contains(body, "hunter2") {
		t.Errorf("%d %s", answer.StatusCode, body)
	}
	if !strings.Contains(log.String(), "middleware_test.go") {
		t.Errorf("the log does not say where the bug is: %s", log)
	}
	if answer, _ := get(t, base+"/health"); answer.StatusCode != http.StatusOK {
		t.Error("the server did not survive")
	}
}

func TestACrowdIsToldToComeAgainAndHealthIsAnswered(t *testing.T) {
	entered, leave := make(chan struct{}, 2), make(chan struct{})
	base, _ := serving(t, Options{Limits: Limits{Requests: 2}}, map[string]http.HandlerFunc{
		"/slow": func(http.ResponseWriter, *http.Request) { entered <- struct{}{}; <-leave },
		"/fast": func(http.ResponseWriter, *http.Request) {},
	})
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() { get(t, base+"/slow") })
		<-entered
	}
	answer, body := get(t, base+"/fast")
	if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" || !strings.Contains(body, "2 requests") {
		t.Errorf("%d %v %s", answer.StatusCode, answer.Header, body)
	}
	if answer, _ := get(t, base+"/health/live"); answer.StatusCode != http.StatusOK {
		t.Errorf("health: %d", answer.StatusCode)
	}
	close(leave)
	both.Wait()
	if answer, _ := get(t, base+"/fast"); answer.StatusCode != http.StatusOK {
		t.Errorf("afterwards: %d", answer.StatusCode)
	}
}

func TestLinesSayWhoAndWhatAndNoSecret(t *testing.T) {
	base, log := serving(t, Options{}, map[string]http.HandlerFunc{"/items/{id}": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("12345")) }})
	answer, _ := get(t, base+"/items/hunter2?token=hunter2", "Authorization", "Bearer hunter2", "Cookie", "patchscout_session=hunter2", "X-Request-Id", "from-the-proxy-1")
	if answer.Header.Get("X-Request-Id") != "from-the-proxy-1" {
		t.Errorf("request id %q", answer.Header.Get("X-Request-Id"))
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(strings.TrimSpace(log.String())), &line); err != nil {
		t.Fatalf("%v in %s", err, log)
	}
	for key, want := range map[string]any{"route": "/items/{id}", "status": 200.0, "bytes": 5.0, "who": "anna", "request_id": "from-the-proxy-1", "method": "GET"} {
		if line[key] != want {
			t.Errorf("%s = %v, want %v", key, line[key], want)
		}
	}
	if strings.Contains(log.String(), "hunter2") {
		t.Errorf("the log has a secret: %s", log)
	}
	get(t, base+"/health", "X-Request-Id", "evil id with blanks\t")
	if strings.Contains(log.String(), "evil") {
		t.Error("a client may write into the log")
	}
}

func TestHealthSaysWhyAndIsFastWhenTheDatabaseHangs(t *testing.T) {
	asked := 0
	fails := report.Health{Status: "unavailable", Checks: []report.HealthCheck{{Name: "database", Status: "failed", Reason: "PostgreSQL cannot be reached"}}}
	base, _ := serving(t, Options{Health: func(context.Context) report.Health { asked++; return fails },
		Authenticate: func(*http.Request) (auth.Identity, error) { panic("health needs nobody") }}, nil)
	for _, path := range []string{"/health", "/health/ready"} {
		answer, body := get(t, base+path)
		if answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "PostgreSQL cannot be reached") || answer.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", path, answer.StatusCode, body)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times within a second", asked)
	}
	if answer, _ := get(t, base+"/health/live"); answer.StatusCode != http.StatusOK {
		t.Error("the process is alive")
	}
	hang := make(chan struct{})
	defer close(hang)
	base, _ = serving(t, Options{Health: func(context.Context) report.Health { <-hang; return fails }}, nil)
	begin := time.Now()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if answer, body := get(t, base+"/health"); answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "does not answer") {
				t.Errorf("%d %s", answer.StatusCode, body)
			}
		})
	}
	all.Wait()
	if took := time.Since(begin); took > 3*healthPatience {
		t.Errorf("took %s", took)
	}
}

func TestMetricsAreForViewersUnlessOpen(t *testing.T) {
	m := telemetry.NewMetrics("1")
	base, _ := serving(t, Options{Metrics: m.Handler(), Observer: m}, nil)
	if answer, _ := get(t, base+"/metrics", "X-Nobody", "1"); answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("nobody: %d", answer.StatusCode)
	}
	if _, body := get(t, base+"/metrics"); !strings.Contains(body, `patchscout_http_request_duration_seconds_count{method="GET",route="/metrics",status="401"} 1`) {
		t.Errorf("metrics: %s", body)
	}
	base, _ = serving(t, Options{Metrics: m.Handler(), Authenticate: func(*http.Request) (auth.Identity, error) {
		return auth.Identity{Kind: auth.Token, Name: "ben", Role: auth.Admin, View: auth.OfSites("branch")}, nil
	}}, nil)
	if answer, body := get(t, base+"/metrics"); answer.StatusCode != http.StatusForbidden || strings.Contains(body, "patchscout_") {
		t.Errorf("who sees one site: %d %.100s", answer.StatusCode, body)
	}
	base, _ = serving(t, Options{Metrics: m.Handler(), MetricsOpen: true}, nil)
	if answer, _ := get(t, base+"/metrics", "X-Nobody", "1"); answer.StatusCode != http.StatusOK {
		t.Errorf("open: %d", answer.StatusCode)
	}
	base, _ = serving(t, Options{}, nil)
	if answer, _ := get(t, base+"/metrics"); answer.StatusCode != http.StatusNotFound {
		t.Errorf("off: %d", answer.StatusCode)
	}
}

func TestLongAnswersArePacked(t *testing.T) {
	long := strings.Repeat(`{"name":"value"},`, 1000)
	write := func(kind, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.Header().Set("ETag", `"a"`)
			_, _ = io.WriteString(w, text)
		}
	}
	base, _ := serving(t, Options{Limits: Limits{Compress: "on"}}, map[string]http.HandlerFunc{"/long": write("application/json", long), "/short": write("application/json", "{}"),
		"/packed": write("application/zip", long), "/none": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }})
	answer, body := get(t, base+"/long", "Accept-Encoding", "br, gzip;q=0.8")
	unpacked, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(unpacked); err != nil || string(text) != long || answer.Header.Get("ETag") != `W/"a"` || answer.Header.Get("Vary") == "" || len(body) > len(long)/4 {
		t.Errorf("%v, %d bytes, %v", err, len(body), answer.Header)
	}
	for path, want := range map[string]string{"/short": "{}", "/packed": long, "/none": ""} {
		if answer, body := get(t, base+path, "Accept-Encoding", "gzip"); answer.Header.Get("Content-Encoding") != "" || body != want {
			t.Errorf("%s: %v", path, answer.Header)
		}
	}
	for _, accept := range []string{"", "identity", "gzip;q=0"} {
		if _, body := get(t, base+"/long", "Accept-Encoding", accept); body != long {
			t.Errorf("packed for %q", accept)
		}
	}
	base, _ = serving(t, Options{Limits: Limits{Compress: "auto"}}, map[string]http.HandlerFunc{"/long": write("application/json", long)})
	if _, body := get(t, base+"/long", "Accept-Encoding", "gzip"); body != long {
		t.Error("auto packs for a client on this machine")
	}
}

// A client that begins a body and goes silent, and one that does not read, lose their connection; nobody waits for them.
func TestSilentClientsAreCutOff(t *testing.T) {
	ended := make(chan error, 2)
	base, _ := serving(t, Options{Limits: Limits{Silence: 200 * time.Millisecond}}, map[string]http.HandlerFunc{
		"/upload": func(_ http.ResponseWriter, r *http.Request) { _, err := io.Copy(io.Discard, r.Body); ended <- err },
		"/patient": func(w http.ResponseWriter, r *http.Request) { // sets no time itself, as operations that take files
			_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
			_, err := io.Copy(io.Discard, r.Body)
			ended <- err
		},
		"/download": func(w http.ResponseWriter, _ *http.Request) {
			var err error
			for block := make([]byte, 1<<20); err == nil; {
				_, err = w.Write(block)
			}
			ended <- err
		},
	})
	u, _ := url.Parse(base)
	for _, request := range []string{"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\nabc", "GET /download HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"POST /patient HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nabc", "GET /download HTTP/1.1\r\nHost: localhost\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"} {
		conn, err := net.Dial("tcp", u.Host)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-ended:
			if err == nil {
				t.Errorf("%.10s ended well", request)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%.10s is still waited for", request)
		}
	}
}

// What takes longer to think about than its body took to come is no client that went away.
func TestABodysDeadlineDoesNotEndTheAnswer(t *testing.T) {
	base, _ := serving(t, Options{}, map[string]http.HandlerFunc{"/think": func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(100 * time.Millisecond)) // as huma does
		_, _ = io.ReadAll(r.Body)
		select {
		case <-r.Context().Done():
			w.WriteHeader(http.StatusGone)
		case <-time.After(400 * time.Millisecond):
		}
	}})
	answer, err := http.Post(base+"/think", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("status %d", answer.StatusCode)
	}
}

func TestWhatTakesTooLongIsUnavailable(t *testing.T) {
	s := New(Options{Limits: Limits{Answer: 50 * time.Millisecond}, Log: slog.New(slog.DiscardHandler), Desk: func(auth.Identity) Desk { return nil }})
	handle(s, operation{ID: "get-slow", Method: http.MethodGet, Path: "//slow", Tag: "system"}, func(ctx context.Context, _ Desk, _ *struct{}) (*struct{}, error) {
		<-ctx.Done()
		return nil, fmt.Errorf("read: %w", ctx.Err())
	})
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/slow", http.NoBody))
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "too long") || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestBehindAProxyUnderASubPath(t *testing.T) {
	base, _ := serving(t, Options{BasePath: "/scout", Version: "1"}, nil)
	behind, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	for name, prefix := range map[string]string{"passed on": "", "taken away": "/scout"} {
		t.Run(name, func(t *testing.T) {
			proxy := httptest.NewServer(http.StripPrefix(prefix, httputil.NewSingleHostReverseProxy(behind)))
			defer proxy.Close()
			if answer, _ := get(t, proxy.URL+"/scout/health"); answer.StatusCode != http.StatusOK {
				t.Errorf("health: %d", answer.StatusCode)
			}
			_, text := get(t, proxy.URL+"/scout/openapi.json")
			var doc struct{ Servers []huma.Server }
			if err := json.Unmarshal([]byte(text), &doc); err != nil || len(doc.Servers) != 1 || doc.Servers[0].URL != "/scout" {
				t.Errorf("document: %v, servers %+v", err, doc.Servers)
			}
			_, page := get(t, proxy.URL+"/scout/docs")
			if !strings.Contains(page, "/scout/openapi.json") {
				t.Errorf("the page of the documentation asks elsewhere: %.300s", page)
			}
			for part := range strings.SplitSeq(page, `"`) {
				if strings.HasSuffix(part, ".js") || strings.HasSuffix(part, ".css") {
					if answer, _ := get(t, proxy.URL+part); answer.StatusCode != http.StatusOK {
						t.Errorf("%s: %d", part, answer.StatusCode)
					}
				}
			}
		})
	}
}

// Whoever has an IPv6 network has more addresses than could be counted.
func TestStrangersAreCountedByNetwork(t *testing.T) {
	browser := &Browser{Listen: "127.0.0.1:8000", TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, StrangersPerMinute: 3}
	base, _ := serving(t, Options{Browser: browser}, nil)
	refused := 0
	for i := range 9 { // more than twice as many, since a minute may begin meanwhile
		if answer, _ := get(t, base+"/openapi.json", "X-Nobody", "1", "X-Forwarded-For", fmt.Sprintf("2001:db8::%x", i+1)); answer.StatusCode == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused == 0 {
		t.Error("each address of a network may do as much as one client")
	}
	if answer, _ := get(t, base+"/openapi.json", "X-Nobody", "1", "X-Forwarded-For", "192.0.2.1"); answer.StatusCode != http.StatusOK {
		t.Errorf("another client: %d", answer.StatusCode)
	}
}
