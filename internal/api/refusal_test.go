package api

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/auth"
)

// anybody is a server whose operations find nothing behind them.
var anybody = Options{
	Desk: func(auth.Identity) Desk { return nil },
	Authenticate: func(*http.Request) (auth.Identity, error) {
		return auth.Identity{Kind: auth.Off, Role: auth.Admin, View: auth.Everything()}, nil
	},
}

func TestBodiesThatSayAThingTwiceOrNestTooDeepAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":1,"b":{"a":2},"c":[{"a":1},{"a":2}]}`: "",
		`{"a":"a","b":"a"}`:                         "",
		`{"a":1,"a":2}`:                             "at body.a: it is there twice",
		`{"x":[{"a":1,"b":[],"a":{}}]}`:             "at body.a: it is there twice",
		strings.Repeat("[", 33):                     "nested deeper than 32 levels",
		`{"a":["\u0000"]}`:                          "a text has a NUL",
		`{"a":1`:                                    "",
		"":                                          "",
	} {
		got := ""
		if err := checkShape([]byte(text)); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// A body with a hundred thousand mistakes, each told together with the whole body, made an answer of gigabytes.
func TestTheAnswerToManyMistakesIsShort(t *testing.T) {
	web := httptest.NewServer(New(anybody).Handler())
	defer web.Close()
	var body strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&body, `,"f%d":1`, i)
	}
	status, text := send(t, web, "POST", "/api/v1/findings/triage", `{"state":"none","password":"correct horse"`+body.String()+"}")
	if status != http.StatusUnprocessableEntity || len(text) > 16<<10 || strings.Contains(text, "correct horse") || !strings.Contains(text, "more mistakes") {
		t.Errorf("%d, %d bytes: %.300s", status, len(text), text)
	}
}

func TestMistakesOfABodyAreToldWithoutIt(t *testing.T) {
	web := httptest.NewServer(New(anybody).Handler())
	defer web.Close()
	for _, body := range []string{`{"name":"a","name":1,"password":"correct horse"}`, `{"name":"a","password":"correct horse"`, `["correct horse"]`, `"correct horse"`,
		`{"name":{"a":"correct horse"},"password":"correct horse"}`} {
		status, text := send(t, web, "POST", "/api/v1/auth/login", body)
		var p huma.ErrorModel
		if err := json.Unmarshal([]byte(text), &p); err != nil || status != http.StatusUnprocessableEntity && status != http.StatusBadRequest || len(p.Errors) == 0 || p.Errors[0].Location == "" {
			t.Errorf("%s: %d %s", body, status, text)
		}
		if strings.Contains(text, "correct horse") || strings.Contains(text, "Go ") {
			t.Errorf("%s: %s", body, text)
		}
	}
}

func TestWhatNoOperationAnswersIsAProblemToo(t *testing.T) {
	web := httptest.NewServer(New(anybody).Handler())
	defer web.Close()
	for request, want := range map[string]int{"GET /nothing": 404, "GET /api/v1/": 404, "PUT /health": 405, "PROPFIND /health": 405, "PROPFIND /nothing": 404, "TRACE /health": 405, "GET /api/v1/auth/login": 405} {
		method, path, _ := strings.Cut(request, " ")
		r, err := http.NewRequestWithContext(t.Context(), method, web.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != want || answer.Header.Get("Content-Type") != "application/problem+json" || (want == 405) != (answer.Header.Get("Allow") != "") {
			t.Errorf("%s: %d %v", request, answer.StatusCode, answer.Header)
		}
	}
	answer, err := http.Head(web.URL + "/health")
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("HEAD: %d", answer.StatusCode)
	}
}

func send(t *testing.T, web *httptest.Server, method, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, web.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func TestHandshakesThatAreNoneAreProblems(t *testing.T) {
	good := http.Header{"Upgrade": {"h2c, WebSocket"}, "Connection": {"keep-alive, Upgrade"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/ws/1", nil)
	r.Header = good
	if !upgrades(r) {
		t.Error("RFC 6455's own is refused")
	}
	for name, value := range map[string]string{"Upgrade": "h2c", "Connection": "close", "Sec-Websocket-Version": "8", "Sec-Websocket-Key": "short"} {
		r.Header = good.Clone()
		r.Header.Set(name, value)
		if upgrades(r) {
			t.Errorf("%s: %s is let through", name, value)
		}
	}
}

// JSON has no word for infinity: what was refused could not be told, and the answer was no problem document.
func TestANumberWithoutEndIsRefusedLikeOneTooLarge(t *testing.T) {
	web := httptest.NewServer(New(anybody).Handler())
	defer web.Close()
	for _, value := range []string{"Infinity", "-Inf", "2"} {
		status, text := send(t, web, "GET", "/api/v1/cves?max_epss="+value, "")
		var p huma.ErrorModel
		if err := json.Unmarshal([]byte(text), &p); err != nil || status != http.StatusUnprocessableEntity || len(p.Errors) == 0 || p.Errors[0].Location != "query.max_epss" {
			t.Errorf("%s: %d %s", value, status, text)
		}
	}
}
