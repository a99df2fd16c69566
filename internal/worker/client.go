package worker

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/outbound"
)

const (
	maxAnswer  = 64 << 20 // bytes: an order of 65,536 targets has some ten
	maxProblem = 16 << 10
	callWithin = 20 * time.Second // of calls that do not wait
	maxToken   = 4096
)

// Server is where the jobs are and how to reach it.
type Server struct {
	URL     string // https://host[:port][/base]; http only for this machine
	Token   func() (string, error)
	RootCAs *x509.CertPool // nil is the system's
	Proxy   *url.URL       // nil goes direct
	Version string         // of this program
}

// TokenFile reads the token from a file at each call, so that it can be replaced while the worker runs. Others than its
// owner must not be able to read it.
func TokenFile(path string) func() (string, error) {
	return func() (string, error) {
		f, err := os.Open(path)
		if err != nil {
			return "", fault.Invalid("token file: %w", err)
		}
		defer f.Close()
		if err := checkMode(f); err != nil {
			return "", err
		}
		text, err := io.ReadAll(io.LimitReader(f, maxToken))
		if err != nil {
			return "", fault.Invalid("token file: %w", err)
		}
		token := strings.TrimSpace(string(text))
		if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return "", fault.Invalid("token file %s: want one line with the token", path)
		}
		return token, nil
	}
}

// client speaks the protocol. It is safe for concurrent use.
type client struct {
	base   string
	token  func() (string, error)
	client *outbound.Client
}

func newClient(s Server) (*client, error) {
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fault.InvalidOption("server", ": want a URL as https://patchscout.example.org")
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return nil, fault.InvalidOption("server", " %s: the token would travel for everybody to read; want https", u.Redacted())
	}
	if loopback(u.Hostname()) {
		s.Proxy = nil
	}
	out, err := outbound.New(outbound.Config{Version: s.Version, Named: []string{s.URL}, RootCAs: s.RootCAs, Proxy: s.Proxy, MaxBody: maxAnswer})
	if err != nil {
		return nil, err
	}
	base := strings.TrimSuffix(strings.TrimSuffix(u.String(), "/"), "/api/v1")
	return &client{base: base + "/api/v1/worker", token: s.Token, client: out}, nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// call sends a document and reads the answer; either may be nil. Errors are what the server says (Denied, NotFound,
// Conflict, Invalid) or Unavailable when it is worth trying again.
func (c *client) call(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	return c.send(req, out)
}

// upload sends a raw report of known size and digest.
func (c *client) upload(ctx context.Context, id, fence int64, report *os.File, size int64, digest []byte) error {
	if _, err := report.Seek(0, io.SeekStart); err != nil {
		return err
	}
	place := fmt.Sprintf("%s/jobs/%d/report?fence=%d", c.base, id, fence)
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, place, io.NopCloser(io.LimitReader(report, size)))
	if err != nil {
		return err
	}
	req.ContentLength = size
	req.Header.Set("Content-Type", "application/octet-stream")
	req.Header.Set("Content-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(digest)+":") // RFC 9530
	return c.send(req, nil)
}

func (c *client) send(req *http.Request, out any) error {
	token, err := c.token()
	if err != nil {
		return fault.Unavailable("%w", err) // it may be in the middle of being replaced
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "application/json")
	resp, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return refusal(resp)
	}
	if out == nil {
		_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, maxProblem)) // the connection can be used again
		return err
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fault.Unavailable("read the server's answer: %w", err)
	}
	return nil
}

// refusal is the error that an answer stands for.
func refusal(resp *http.Response) error {
	var problem struct {
		Title  string `json:"title"`
		Detail string `json:"detail"`
	}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxProblem)) // half a sentence is better than none
	_ = json.Unmarshal(text, &problem)
	say := problem.Detail
	if say == "" {
		say = problem.Title
	}
	if say == "" {
		say = http.StatusText(resp.StatusCode)
	}
	err := fmt.Errorf("the server says %d: %s", resp.StatusCode, say)
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fault.Denied("%w", err)
	case http.StatusNotFound, http.StatusGone:
		return fault.NotFound("%w", err)
	case http.StatusConflict:
		return fault.Conflict("%w", err)
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return fault.Unavailable("%w", err)
	}
	if resp.StatusCode < 500 {
		return fault.Invalid("%w", err)
	}
	return fault.Unavailable("%w", err)
}

// again says whether a call is worth repeating: nobody said no.
func again(err error) bool {
	switch fault.KindOf(err) {
	case fault.KindDenied, fault.KindNotFound, fault.KindConflict, fault.KindInvalid:
		return false
	}
	return true
}
