// Package llm speaks to a language model behind an OpenAI-compatible address (chat completions: OpenAI's API reference;
// Ollama, vLLM, llama.cpp and the Hugging Face router have the same). It hands on text as it comes, and never anything that
// is not in the request that it was given. No error of it holds the key, a prompt or what the model said.
package llm

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/outbound"
)

// Model words answers.
type Model interface {
	Name() string
	// Stream sends messages and hands on what the model says, piece by piece. It ends with the model's own end, ctx, a
	// limit, or fault.Unavailable.
	Stream(ctx context.Context, messages []Message, each func(text string) error) error
}

// Message is one of a conversation.
type Message struct {
	Role    string `json:"role"` // system, user, assistant
	Content string `json:"content"`
}

// Config says which model is asked, and how much it may take.
type Config struct {
	URL   string // http://127.0.0.1:11434/v1; without a path /v1 is meant, and /chat/completions at its end is left out
	Model string // its name there; "" takes the first that the server lists
	Key   string // sent as Bearer; "" is none

	Timeout time.Duration // for a whole answer, retries included; 0 is 60 s
	First   time.Duration // until the first sign of the model; 0 is three quarters of Timeout, for models that must be loaded
	Silence time.Duration // between two signs; 0 is 20 s, or First where that is shorter
	Tokens  int           // that one answer may take, prompt included; 0 is 8000

	// Client is the door to the world. Its limit of silence should be no shorter than Timeout. nil: one that knows URL alone
	// and goes without a proxy.
	Client *outbound.Client
	// Proxied says that Client goes through a proxy: "this machine" is then the proxy's.
	Proxied  bool
	Resolver *net.Resolver // finds the addresses of localhost; nil is the system's
}

// Client is a model behind an address. Safe for concurrent use.
type Client struct {
	base     *url.URL
	host     string
	key      string
	timeout  time.Duration
	first    time.Duration
	silence  time.Duration
	tokens   int
	door     *outbound.Client
	proxied  bool
	resolver *net.Resolver
	wait     func(context.Context, time.Duration) error // between two tries

	mu     sync.Mutex
	model  string
	habits habits
}

var _ Model = (*Client)(nil)

// New returns a Client, or fault.Invalid for an address that is none. It does not connect.
func New(c Config) (*Client, error) {
	base, err := address(c.URL)
	if err != nil {
		return nil, err
	}
	if strings.ContainsFunc(c.Key, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return nil, fault.Invalid("the language model's key: want printable ASCII without blanks")
	}
	timeout := orDefault(c.Timeout, time.Minute)
	first := orDefault(c.First, timeout*3/4)
	client := &Client{
		base: base, host: base.Host, key: c.Key, model: c.Model, timeout: timeout, first: first,
		silence: orDefault(c.Silence, min(20*time.Second, first)), tokens: orDefault(c.Tokens, 8000),
		door: c.Client, proxied: c.Proxied, resolver: c.Resolver, wait: pause,
	}
	if client.door == nil {
		if client.door, err = outbound.New(outbound.Config{Named: []string{base.String()}, MaxBody: maxBytes, Idle: timeout}); err != nil {
			return nil, err
		}
	}
	return client, nil
}

func orDefault[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// address is the base that /chat/completions and /models stand below.
func address(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil: // its text would repeat a password in it
		return nil, fault.Invalid("the language model's address is malformed: want http(s)://host/…")
	case u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, fault.Invalid("the language model's address: want http(s)://host/…")
	case u.User != nil:
		return nil, fault.Invalid("the language model's address has a user name in it; a key goes into llm_key")
	}
	u.Fragment = ""
	u.Path = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/chat/completions")
	u.RawPath = ""
	if u.Path == "" {
		u.Path = "/v1"
	}
	return u, nil
}

// Name is the configured model or the one that was found, and where neither is known yet, the place where it is.
func (c *Client) Name() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.model == "" {
		return c.host
	}
	return c.model
}

// URL is the address without what may be a secret.
func (c *Client) URL() string { return c.base.Scheme + "://" + c.base.Host + c.base.EscapedPath() }

// Tokens is how many one answer may take, prompt included.
func (c *Client) Tokens() int { return c.tokens }

// Local says whether what is sent stays on this machine: the address is loopback, or localhost and leads to nothing else.
// Any other name may lead elsewhere tomorrow; and a local server may hand a model of the cloud through, which Ollama's
// names say.
func (c *Client) Local(ctx context.Context) bool {
	c.mu.Lock()
	model := c.model
	c.mu.Unlock()
	if c.proxied || ofCloud(model) {
		return false
	}
	host := strings.ToLower(c.base.Hostname())
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().IsLoopback()
	}
	if host != "localhost" && !strings.HasSuffix(host, ".localhost") {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	found, err := outbound.Addresses(ctx, c.resolver, host)
	return err == nil && len(found) > 0 && !slices.ContainsFunc(found, func(a netip.Addr) bool { return !a.IsLoopback() })
}

// ofCloud knows models that Ollama hands on to its makers: "gpt-oss:120b-cloud".
func ofCloud(model string) bool {
	return strings.HasSuffix(model, "-cloud") || strings.HasSuffix(model, ":cloud")
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
