package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
)

const (
	tries       = 3
	longestWait = 10 * time.Second // that a server's Retry-After is believed
	leastAnswer = 200              // tokens that must be left for the answer
	mostAnswer  = 4096             // tokens: the thoughts of models that think count too
	maxModels   = 1 << 20          // bytes of a list of models
	maxError    = 16 << 10         // bytes of an error that are read
)

// habits are what a server was found to refuse, so that it is asked in its way from then on.
type habits struct {
	completionTokens bool // wants max_completion_tokens: OpenAI's newer models
	noTemperature    bool
	noStream         bool
}

// body is a request for a completion.
type body struct {
	Model               string    `json:"model"`
	Messages            []Message `json:"messages"`
	Stream              bool      `json:"stream"`
	MaxTokens           int       `json:"max_tokens,omitempty"`
	MaxCompletionTokens int       `json:"max_completion_tokens,omitempty"`
	Temperature         *float64  `json:"temperature,omitempty"`
}

// Estimate is how many tokens a text takes at most, as far as that can be said without the model's own table: four bytes
// a token is what English and JSON take, and other scripts take more bytes a character and more tokens.
func Estimate(text string) int {
	wide := 0
	for _, r := range text {
		if r >= 0x80 {
			wide++
		}
	}
	return (len(text)+3)/4 + wide
}

func estimate(messages []Message) int {
	sum := 8
	for _, m := range messages {
		sum += Estimate(m.Content) + 8 // what stands around a message
	}
	return sum
}

// Stream implements Model. Nothing is tried again once text was handed on. ErrLength: the model had more to say.
func (c *Client) Stream(ctx context.Context, messages []Message, each func(text string) error) error {
	left := c.tokens - estimate(messages)
	if left < leastAnswer {
		return fault.Invalid("the question and its records take more than the language model's budget of %d tokens", c.tokens)
	}
	caller := ctx
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, fault.Unavailable("the language model was not done after %s", c.timeout))
	defer cancel()
	if err := c.Find(ctx); err != nil {
		return c.because(caller, ctx, err)
	}
	r := reply{messages: messages, key: c.key, each: each}
	err := c.persist(ctx, min(left, mostAnswer), &r)
	return c.because(caller, ctx, err)
}

// because says why a time ran out; what the caller himself ended is his.
func (c *Client) because(caller, ctx context.Context, err error) error {
	if err == nil || caller.Err() != nil || ctx.Err() == nil {
		return err
	}
	return context.Cause(ctx)
}

// persist asks until there is an answer, the server's habits are known, or it is no use.
func (c *Client) persist(ctx context.Context, tokens int, r *reply) error {
	for try, learnt := 1, 0; ; {
		c.mu.Lock()
		habits := c.habits
		c.mu.Unlock()
		err := c.once(ctx, tokens, habits, r)
		var no *refusal
		switch {
		case err == nil || r.said || !errors.As(err, &no):
			return err
		case no.status == http.StatusBadRequest || no.status == http.StatusUnprocessableEntity:
			if learnt++; learnt > 3 || !c.learn(habits, no) {
				return no.fault()
			}
		case no.status == http.StatusTooManyRequests || no.status == http.StatusServiceUnavailable:
			if try++; try > tries || no.after > longestWait {
				return no.fault()
			}
			if err := c.wait(ctx, max(no.after, backoff(try))); err != nil {
				return no.fault()
			}
		default:
			return no.fault()
		}
	}
}

func backoff(try int) time.Duration {
	d := 125 * time.Millisecond << try
	return d + rand.N(d/2) // so that several do not come back at once
}

// learn takes a habit from a refusal, and says whether there is any use in asking again.
func (c *Client) learn(used habits, no *refusal) bool {
	now := used
	switch {
	case !used.completionTokens && strings.Contains(no.hint, "max_tokens"):
		now.completionTokens = true
	case !used.noTemperature && strings.Contains(no.hint, "temperature"):
		now.noTemperature = true
	case !used.noStream && strings.Contains(no.hint, "stream"):
		now.noStream = true
	default:
		return false
	}
	c.mu.Lock()
	c.habits = now
	c.mu.Unlock()
	return true
}

func (c *Client) once(ctx context.Context, tokens int, h habits, r *reply) error {
	b := body{Model: c.Name(), Messages: r.messages, Stream: !h.noStream}
	if h.completionTokens {
		b.MaxCompletionTokens = tokens
	} else {
		b.MaxTokens = tokens
	}
	if !h.noTemperature {
		b.Temperature = new(float64)
	}
	raw, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("write the request to the language model: %w", err)
	}
	watch, ctx := newWatch(ctx, c.first, c.silence)
	defer watch.stop()
	resp, err := c.send(ctx, http.MethodPost, "/chat/completions", raw)
	if err != nil {
		return watch.because(err)
	}
	defer resp.Body.Close()
	if err := judge(resp, r); err != nil {
		return watch.because(err)
	}
	return watch.because(r.read(resp, watch))
}

func (c *Client) send(ctx context.Context, method, path string, raw []byte) (*http.Response, error) {
	u := *c.base
	u.Path += path
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(raw))
	if err != nil {
		return nil, fault.Invalid("the language model's address cannot be asked")
	}
	req.Header.Set("Accept", "text/event-stream, application/json")
	if raw != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	return c.door.Do(req)
}

// refusal is an answer that is none.
type refusal struct {
	status int
	after  time.Duration
	hint   string // the server's words, for learn; may hold what was asked, and is told to nobody
	said   string // as much of it as may be told
}

func (r *refusal) Error() string {
	return fmt.Sprintf("the language model's server answers %d", r.status)
}

func (r *refusal) fault() error {
	say := r.Error() + " " + http.StatusText(r.status)
	switch r.status {
	case http.StatusUnauthorized, http.StatusForbidden:
		say += " (look at llm_key)"
	case http.StatusNotFound:
		say += " (look at llm_url and llm_model)"
	}
	if r.said != "" {
		say += ": " + r.said
	}
	return fault.Unavailable("%s", say)
}

// judge turns statuses other than 200 into a refusal.
func judge(resp *http.Response, r *reply) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, maxError)) // as much as came: the status says enough
	no := &refusal{status: resp.StatusCode, after: after(resp.Header.Get("Retry-After")), hint: string(raw)}
	var doc struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
	}
	if json.Unmarshal(raw, &doc) == nil {
		no.said = r.tellable(message(doc.Error, doc.Message))
	}
	return no
}

// after reads Retry-After: seconds or a date.
func after(text string) time.Duration {
	if n, err := strconv.Atoi(text); err == nil && n >= 0 {
		return time.Duration(min(n, 86400)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// message is the text of an error object, which some servers write as a string.
func message(raw json.RawMessage, otherwise string) string {
	var text string
	var object struct {
		Message string `json:"message"`
	}
	switch {
	case json.Unmarshal(raw, &text) == nil && text != "":
		return text
	case json.Unmarshal(raw, &object) == nil && object.Message != "":
		return object.Message
	}
	return otherwise
}

// Find makes the name of the model known: the configured one, or the first that the server lists and runs itself.
func (c *Client) Find(ctx context.Context) error {
	c.mu.Lock()
	known := c.model != ""
	c.mu.Unlock()
	if known {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, min(c.first, 10*time.Second))
	defer cancel()
	resp, err := c.send(ctx, http.MethodGet, "/models", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := judge(resp, &reply{key: c.key}); err != nil {
		var no *refusal
		errors.As(err, &no)
		return no.fault()
	}
	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxModels))
	if err != nil {
		return fault.Unavailable("read the language model's list of models: %w", err)
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return fault.Unavailable("the language model's list of models is not the JSON that it should be; set llm_model")
	}
	at := slices.IndexFunc(list.Data, func(m struct {
		ID string `json:"id"`
	}) bool {
		return m.ID != "" && len(m.ID) <= 200 && plain(m.ID) == m.ID && !ofCloud(m.ID)
	})
	if at < 0 {
		return fault.Unavailable("the language model's server lists no model of its own; set llm_model")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.model == "" {
		c.model = list.Data[at].ID
	}
	return nil
}
