package llm_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/assistant/llm"
	"github.com/patchscout/patchscout/internal/assistant/llm/llmtest"
	"github.com/patchscout/patchscout/internal/fault"
)

const key = "sk-5up3rs3cr3t"

var prompt = []llm.Message{{Role: "system", Content: "Be brief and say only what is known."}, {Role: "user", Content: "How is db7.corp.example doing today?"}}

func client(t *testing.T, c llm.Config) *llm.Client {
	t.Helper()
	m, err := llm.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// quick are limits that a test does not wait long for.
func quick(s *llmtest.Server) llm.Config {
	return llm.Config{URL: s.URL, Model: "m", Key: key, Timeout: 3 * time.Second, First: 300 * time.Millisecond, Silence: 200 * time.Millisecond}
}

func ask(t *testing.T, m *llm.Client) (string, error) {
	t.Helper()
	var b strings.Builder
	err := m.Stream(t.Context(), prompt, func(text string) error { b.WriteString(text); return nil })
	if err != nil && (strings.Contains(err.Error(), key) || strings.Contains(err.Error(), "db7") || strings.ContainsAny(err.Error(), "\x1b\n")) {
		t.Errorf("the error tells secrets: %q", err)
	}
	return b.String(), err
}

func raw(kind, text string) func(http.ResponseWriter, llmtest.Request) {
	return func(w http.ResponseWriter, _ llmtest.Request) {
		if kind != "" {
			w.Header().Set("Content-Type", kind)
		}
		io.WriteString(w, text)
	}
}

func chunk(text string) string {
	return fmt.Sprintf("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":%q}}]}\n\n", text)
}

const stop = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"

func TestWhatServersSayIsRead(t *testing.T) {
	const sse = "text/event-stream"
	for name, c := range map[string]struct{ kind, say, want string }{
		"a stream":                       {sse, chunk("Hel") + chunk("lo") + stop + "data: [DONE]\n\n", "Hello"},
		"CRLF":                           {sse, strings.ReplaceAll(chunk("Hello")+"data: [DONE]\n\n", "\n", "\r\n"), "Hello"},
		"no blank after data:":           {sse, strings.ReplaceAll(chunk("Hello")+"data: [DONE]\n\n", "data: ", "data:"), "Hello"},
		"keep-alive comments":            {sse + "; charset=utf-8", ": ping\n\n:\n\n" + chunk("Hello") + ": ping\n\ndata: [DONE]\n\n", "Hello"},
		"a byte order mark":              {sse, "\xef\xbb\xbf" + chunk("Hello") + "data: [DONE]\n\n", "Hello"},
		"events with names and ids":      {sse, "event: message\nid: 1\nretry: 5\n" + chunk("Hello") + "data: [DONE]\n\n", "Hello"},
		"data in two lines":              {sse, "data: {\"choices\":\ndata: [{\"delta\":{\"content\":\"Hello\"}}]}\n\ndata: [DONE]\n\n", "Hello"},
		"usage at the end":               {sse, chunk("Hello") + stop + "data: {\"choices\":[],\"usage\":{\"total_tokens\":9}}\n\ndata: [DONE]\n\n", "Hello"},
		"nothing after [DONE] counts":    {sse, chunk("Hello") + "data: [DONE]\n\n" + chunk(" there"), "Hello"},
		"no [DONE] after the finish":     {sse, chunk("Hello") + stop, "Hello"},
		"no blank line at the end":       {sse, chunk("Hello") + strings.TrimSpace(stop), "Hello"},
		"[DONE] without an end of line":  {sse, chunk("Hello") + "data: [DONE]", "Hello"},
		"a role first, null content":     {sse, "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":null}}]}\n\n" + chunk("Hello") + stop, "Hello"},
		"other choices":                  {sse, strings.ReplaceAll(chunk("Nono"), `"index":0`, `"index":1`) + chunk("Hello") + stop, "Hello"},
		"reasoning_content":              {sse, "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hmm\",\"reasoning\":\"hmm\"}}]}\n\n" + chunk("Hello") + stop, "Hello"},
		"thoughts":                       {sse, chunk("<thi") + chunk("nk>so the user <b>") + chunk("wants</th") + chunk("ink>Hel") + chunk("lo <3") + stop, "Hello <3"},
		"what only begins like thoughts": {sse, chunk("a <") + chunk("thin line <th") + stop, "a <thin line <th"},
		"tool calls are not read":        {sse, "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"function\":{\"name\":\"scan\"}}]}}]}\n\n" + chunk("Hello") + stop, "Hello"},
		"JSON instead of a stream":       {"application/json", `{"choices":[{"index":0,"message":{"role":"assistant","content":"<think>x</think>Hello"},"finish_reason":"stop"}]}`, "Hello"},
		"content in parts":               {"application/json", `{"choices":[{"message":{"content":[{"type":"text","text":"Hel"},{"type":"image"},{"type":"text","text":"lo"}]}}]}`, "Hello"},
		"a stream called plain text":     {"text/plain", "\n" + chunk("Hello") + stop, "Hello"},
		"JSON called plain text":         {"text/plain", ` {"choices":[{"message":{"content":"Hello"}}]}`, "Hello"},
		"escapes across pieces":          {sse, chunk("\"q\" \\n é\n") + stop, "\"q\" \\n é\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := llmtest.New(t, raw(c.kind, c.say))
			if got, err := ask(t, client(t, quick(s))); err != nil || got != c.want {
				t.Errorf("%q, %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestWhatGoesWrongIsSaidInOneLine(t *testing.T) {
	const sse = "text/event-stream"
	for name, c := range map[string]struct{ kind, say, want string }{
		"an error in the stream":      {sse, chunk("Hel") + "data: {\"error\":{\"message\":\"out of\\u001b[2J memory\",\"code\":500}}\n\n", "says that it failed: out of [2J memory"},
		"an error as text":            {"application/json", `{"error":"model not found"}`, "says that it failed: model not found"},
		"an error that repeats us":    {sse, "data: {\"error\":{\"message\":\"cannot answer: How is db7.corp.example doing\"}}\n\n", "says that it failed"},
		"an error with the key":       {sse, "data: {\"error\":{\"message\":\"bad key " + key + "\"}}\n\n", "says that it failed"},
		"it breaks off":               {sse, chunk("Hel"), "broke off"},
		"it breaks off in a line":     {sse, "data: {\"choi", "is not the JSON"},
		"nothing":                     {sse, "", "broke off"},
		"an empty answer":             {sse, chunk("") + stop, "said nothing"},
		"thoughts only":               {sse, chunk("<think>hmm") + stop, "said nothing"},
		"filtered":                    {sse, chunk("Hel") + strings.ReplaceAll(stop, "stop", "content_filter"), "filtered"},
		"cut at the limit":            {sse, chunk("Hel") + strings.ReplaceAll(stop, "stop", "length"), "limit of tokens"},
		"garbage":                     {sse, "data: \x00\x01\x02{{{\n\n", "is not the JSON"},
		"not UTF-8":                   {sse, "data: {\"choices\":[{\"delta\":{\"content\":\"\xff\xfe\"}}]}\n\n", "not UTF-8"},
		"an endless line":             {sse, "data: " + strings.Repeat("x", 300<<10), "a line of more than"},
		"an endless event":            {sse, strings.Repeat("data: "+strings.Repeat("x", 1<<10)+"\n", 300), "an event of more than"},
		"too much text":               {sse, strings.Repeat(chunk(strings.Repeat("word ", 200)), 100), "says more than"},
		"too many bytes":              {sse, strings.Repeat(": "+strings.Repeat("x", 100<<10)+"\n", 100), " bytes"},
		"a page":                      {"text/html", "<html>sign in</html>", "something else than a completion (text/html)"},
		"a page called plain text":    {"text/plain", "<html>sign in</html>", "something else than a completion"},
		"an array":                    {"application/json", `[1,2,3]`, "is not the JSON"},
		"an answer without a message": {"application/json", `{"choices":[]}`, "said nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			s := llmtest.New(t, raw(c.kind, c.say))
			_, err := ask(t, client(t, quick(s)))
			if err == nil || !strings.Contains(err.Error(), c.want) || fault.KindOf(err) != fault.KindUnavailable && fault.KindOf(err) != fault.KindInvalid {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

func TestStatusesAreToldWithWhatToLookAt(t *testing.T) {
	for status, want := range map[int]string{
		http.StatusInternalServerError: "answers 500", http.StatusUnauthorized: "answers 401 Unauthorized (look at llm_key)",
		http.StatusNotFound: "look at llm_url and llm_model", http.StatusBadRequest: "answers 400",
	} {
		s := llmtest.New(t, func(w http.ResponseWriter, _ llmtest.Request) {
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"error":{"message":"Incorrect API key provided: sk-5up****; asked: How is db7.corp.example doing"}}`)
		})
		_, err := ask(t, client(t, quick(s)))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "sk-5up") {
			t.Errorf("%d: %v, want %s", status, err, want)
		}
		if len(s.Asked()) != 1 {
			t.Errorf("%d: asked %d times", status, len(s.Asked()))
		}
	}
}

func TestABusyServerIsAskedAgainAndAFailingOneIsNot(t *testing.T) {
	left := 2
	busy := func(status int, after string) func(http.ResponseWriter, llmtest.Request) {
		return func(w http.ResponseWriter, _ llmtest.Request) {
			if left--; left >= 0 {
				w.Header().Set("Retry-After", after)
				w.WriteHeader(status)
				return
			}
			llmtest.Stream(w, "Hello")
		}
	}
	s := llmtest.New(t, busy(http.StatusServiceUnavailable, "0"))
	if got, err := ask(t, client(t, quick(s))); err != nil || got != "Hello" || len(s.Asked()) != 3 {
		t.Errorf("%q, %v after %d", got, err, len(s.Asked()))
	}
	left = 99
	s.Behave(busy(http.StatusTooManyRequests, "3600"))
	began := time.Now()
	if _, err := ask(t, client(t, quick(s))); err == nil || time.Since(began) > time.Second {
		t.Errorf("an hour is waited for: %v", err)
	}
	s.Behave(func(w http.ResponseWriter, _ llmtest.Request) { // text, and then it breaks: not again
		llmtest.Events(w)
		llmtest.Piece(w, "Hel")
	})
	before := len(s.Asked())
	if got, err := ask(t, client(t, quick(s))); err == nil || got != "Hel" || len(s.Asked()) != before+1 {
		t.Errorf("%q, %v after %d", got, err, len(s.Asked())-before)
	}
}

func TestSilenceEndsARequest(t *testing.T) {
	for name, serve := range map[string]func(*llmtest.Server) func(http.ResponseWriter, llmtest.Request){
		"before the first word": func(s *llmtest.Server) func(http.ResponseWriter, llmtest.Request) {
			return func(http.ResponseWriter, llmtest.Request) { <-s.Gone() }
		},
		"after the header": func(s *llmtest.Server) func(http.ResponseWriter, llmtest.Request) {
			return func(w http.ResponseWriter, _ llmtest.Request) { llmtest.Events(w); <-s.Gone() }
		},
		"in the middle": func(s *llmtest.Server) func(http.ResponseWriter, llmtest.Request) {
			return func(w http.ResponseWriter, _ llmtest.Request) {
				llmtest.Events(w)
				llmtest.Piece(w, "Hel")
				<-s.Gone()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := llmtest.New(t, nil)
			s.Behave(serve(s))
			began := time.Now()
			_, err := ask(t, client(t, quick(s)))
			if err == nil || !strings.Contains(err.Error(), "nothing came from the language model for") || time.Since(began) > 2*time.Second {
				t.Errorf("%v after %s", err, time.Since(began))
			}
		})
	}
}

func TestADrippingServerIsEndedByTheWholeTime(t *testing.T) {
	s := llmtest.New(t, nil)
	s.Behave(func(w http.ResponseWriter, _ llmtest.Request) {
		llmtest.Drip(w, strings.Repeat(chunk("x"), 1000), 5*time.Millisecond, s.Gone())
	})
	c := quick(s)
	c.Timeout = 400 * time.Millisecond
	_, err := ask(t, client(t, c))
	if err == nil || !strings.Contains(err.Error(), "was not done after 400ms") {
		t.Error(err)
	}
}

func TestWhoLeavesEndsTheRequest(t *testing.T) {
	s := llmtest.New(t, nil)
	s.Behave(func(w http.ResponseWriter, _ llmtest.Request) {
		llmtest.Events(w)
		llmtest.Piece(w, "Hel")
		<-s.Gone()
	})
	ctx, leave := context.WithCancel(context.Background())
	err := client(t, quick(s)).Stream(ctx, prompt, func(string) error { leave(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	enough := errors.New("enough")
	if err := client(t, quick(s)).Stream(t.Context(), prompt, func(string) error { return enough }); !errors.Is(err, enough) {
		t.Error(err)
	}
}

func TestNoRedirectLeadsElsewhere(t *testing.T) {
	stolen := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen++ }))
	t.Cleanup(other.Close)
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		s := llmtest.New(t, func(w http.ResponseWriter, _ llmtest.Request) {
			w.Header().Set("Location", strings.Replace(other.URL, "127.0.0.1", "localhost", 1)+"/v1/chat/completions")
			w.WriteHeader(status)
		})
		if _, err := ask(t, client(t, quick(s))); fault.KindOf(err) != fault.KindDenied {
			t.Error(err)
		}
	}
	if stolen > 0 {
		t.Errorf("%d requests went elsewhere", stolen)
	}
}

func TestServersWithHabitsOfTheirOwnAreAskedInTheirWay(t *testing.T) {
	s := llmtest.New(t, func(w http.ResponseWriter, r llmtest.Request) {
		refuse := func(say string) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"error":{"message":%q}}`, say)
		}
		switch {
		case r.Body.MaxTokens != nil:
			refuse("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.")
		case r.Body.Temperature != nil:
			refuse("Unsupported value: 'temperature' does not support 0 with this model.")
		case r.Body.Stream:
			refuse("Your organization must be verified to stream this model.")
		default:
			raw("application/json", `{"choices":[{"message":{"content":"Hello"},"finish_reason":"stop"}]}`)(w, r)
		}
	})
	m := client(t, quick(s))
	for i, want := range []int{4, 5} { // the second question is asked rightly at once
		if got, err := ask(t, m); err != nil || got != "Hello" || len(s.Asked()) != want {
			t.Errorf("%d: %q, %v after %d requests", i, got, err, len(s.Asked()))
		}
	}
}

func TestARequestHoldsWhatItWasGivenAndNothingElse(t *testing.T) {
	s := llmtest.Saying(t, func(llmtest.Request) string { return "Hello" })
	c := quick(s)
	c.Model = ""
	m := client(t, c)
	if m.Name() == "" || strings.Contains(m.URL(), "@") {
		t.Errorf("name %q, address %q", m.Name(), m.URL())
	}
	if _, err := ask(t, m); err != nil {
		t.Fatal(err)
	}
	asked := s.Asked()
	if len(asked) != 2 || asked[0].Path != "/v1/models" || m.Name() != "stand-in" {
		t.Fatalf("%d requests, model %s", len(asked), m.Name())
	}
	r := asked[1]
	if r.Method != "POST" || r.Path != "/v1/chat/completions" || r.Header.Get("Authorization") != "Bearer "+key || r.Body.Model != "stand-in" ||
		!r.Body.Stream || r.Body.Temperature == nil || *r.Body.Temperature != 0 || r.Body.MaxTokens == nil || *r.Body.MaxTokens > 8000 {
		t.Errorf("%+v", r)
	}
	if strings.Contains(r.Raw, key) || len(r.Body.Messages) != 2 || r.Header.Get("Cookie") != "" {
		t.Errorf("%s", r.Raw)
	}
	if dump := fmt.Sprintf("%v", s.URL); strings.Contains(dump, key) {
		t.Error("the key is shown")
	}
}

func TestWhatIsLongerThanTheBudgetIsNotSent(t *testing.T) {
	s := llmtest.Saying(t, func(llmtest.Request) string { return "Hello" })
	c := quick(s)
	c.Tokens = 1000
	err := client(t, c).Stream(t.Context(), []llm.Message{{Role: "user", Content: strings.Repeat("word ", 1000)}}, func(string) error { return nil })
	if fault.KindOf(err) != fault.KindInvalid || len(s.Asked()) > 0 {
		t.Errorf("%v, %d requests", err, len(s.Asked()))
	}
}

func TestAddresses(t *testing.T) {
	for in, want := range map[string]string{
		"http://127.0.0.1:11434": "http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/": "http://127.0.0.1:11434/v1",
		"https://router.huggingface.co/v1": "https://router.huggingface.co/v1", "https://api.openai.com/v1/": "https://api.openai.com/v1",
		"http://gpu:8000/v1/chat/completions": "http://gpu:8000/v1", "https://x.example/openai?api-version=1": "https://x.example/openai",
	} {
		if got := client(t, llm.Config{URL: in}).URL(); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	for _, in := range []string{"", "127.0.0.1:11434", "ftp://x/", "http://", "http://me:s3cret@x/v1", "http://[::1"} {
		if _, err := llm.New(llm.Config{URL: in}); fault.KindOf(err) != fault.KindInvalid || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", in, err)
		}
	}
	if _, err := llm.New(llm.Config{URL: "http://x/", Key: "a\r\nX: y"}); fault.KindOf(err) != fault.KindInvalid || strings.Contains(err.Error(), "X: y") {
		t.Error(err)
	}
}

func TestOnlyThisMachineIsLocal(t *testing.T) {
	for url, want := range map[string]bool{
		"http://127.0.0.1:11434": true, "http://127.9.9.9/": true, "http://[::1]:8000/v1": true, "http://[::ffff:127.0.0.1]/": true, "http://localhost:1/": true,
		"http://10.0.0.5/": false, "http://0.0.0.0/": false, "https://api.openai.com/v1": false, "http://localhost.example/": false, "http://gpu/": false,
	} {
		if got := client(t, llm.Config{URL: url}).Local(t.Context()); got != want {
			t.Errorf("%s: %t", url, got)
		}
	}
	if client(t, llm.Config{URL: "http://127.0.0.1/", Proxied: true}).Local(t.Context()) {
		t.Error("a proxy's 127.0.0.1 is not this machine")
	}
	if client(t, llm.Config{URL: "http://127.0.0.1/", Model: "gpt-oss:120b-cloud"}).Local(t.Context()) {
		t.Error("a model of the cloud behind a local server is not on this machine")
	}
}
