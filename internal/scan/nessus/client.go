package nessus

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/outbound"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// client speaks Nessus's REST API (version 6 and later, /api on the server itself). Safe for concurrent use; each run has
// a session of its own.
type client struct {
	door *outbound.Client
	base string
	opts Options
}

// session is one run's way in: with API keys, or with a token that is asked for again when it has expired.
type session struct {
	*client
	token string
}

const (
	maxAnswer  = 64 << 20         // bytes of a JSON answer: the details of a scan list all its hosts
	maxRefusal = 64 << 10         // of one that says what was wrong
	tries      = 5                // of a request that the server was too busy for, or that got lost and changes nothing
	maxWait    = 60 * time.Second // that the server may ask for before the next try
	perRequest = 2 * time.Minute
)

// refusal is an answer that is no success.
type refusal struct {
	status  int
	message string
	after   time.Duration // Retry-After, 0 = not said
}

func (r *refusal) Error() string {
	if r.message == "" {
		return fmt.Sprintf("Nessus answers %d %s", r.status, http.StatusText(r.status))
	}
	return fmt.Sprintf("Nessus answers %d: %s", r.status, r.message)
}

func (r *refusal) busy() bool {
	return r.status == http.StatusTooManyRequests || r.status == http.StatusServiceUnavailable
}

func statusOf(err error) int {
	var r *refusal
	if errors.As(err, &r) {
		return r.status
	}
	return 0
}

// noScanAPI is what Nessus Professional, Expert and Essentials answer since version 7.
const noScanAPI = "this Nessus does not let its API run scans (Professional, Expert and Essentials do not since version 7): " +
	"import its .nessus exports, or use Nessus Manager, Tenable.io or Tenable.sc"

// explain gives a refusal its kind. What was explained further down stays as it is.
func explain(what string, err error) error {
	var r *refusal
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &cert) && len(cert.UnverifiedCertificates) > 0:
		return fault.Unavailable("nessus: %s: the server's certificate cannot be verified: configure its CA file, or its fingerprint if it is "+
			"%x (compare it on the server): %w", what, sha256.Sum256(cert.UnverifiedCertificates[0].Raw), err)
	case !errors.As(err, &r):
		return fmt.Errorf("nessus: %s: %w", what, err)
	case fault.KindOf(err) != fault.KindInternal:
		return err
	}
	kind := fault.Unavailable
	switch {
	case r.status == http.StatusPreconditionFailed && strings.Contains(strings.ToLower(r.message), "api is not available"):
		return fault.Unavailable("nessus: %s: %s (%w)", what, noScanAPI, r)
	case r.status == http.StatusUnauthorized, r.status == http.StatusForbidden:
		kind = fault.Denied
	case r.status == http.StatusNotFound:
		kind = fault.NotFound
	case r.status == http.StatusConflict:
		kind = fault.Conflict
	case r.status == http.StatusBadRequest:
		kind = fault.Invalid
	}
	return kind("nessus: %s: %w", what, r)
}

// open logs in, where there is a user to log in.
func (c *client) open(ctx context.Context) (*session, error) {
	s := &session{client: c}
	if c.opts.Username == "" {
		return s, nil
	}
	return s, s.login(ctx)
}

func (s *session) login(ctx context.Context) error {
	s.token = ""
	var answer struct {
		Token string `json:"token"`
	}
	who := map[string]string{"username": s.opts.Username, "password": s.opts.Password.Reveal()}
	if err := s.retried(ctx, http.MethodPost, "/session", who, &answer); err != nil {
		return explain("log in", err)
	}
	if answer.Token == "" || len(answer.Token) > 1024 || strings.ContainsFunc(answer.Token, func(r rune) bool { return r <= ' ' || r > '~' || r == ';' }) {
		return fault.Unavailable("nessus: log in: the server gives no token")
	}
	s.token = answer.Token
	return nil
}

// close logs out.
func (s *session) close(ctx context.Context) {
	if s.token != "" {
		_ = s.once(ctx, http.MethodDelete, "/session", nil, nil) // the token expires by itself otherwise
	}
}

// call sends a request and decodes the answer into out, which may be nil. An expired session is opened again.
func (s *session) call(ctx context.Context, method, path string, body, out any) error {
	err := s.retried(ctx, method, path, body, out)
	if statusOf(err) != http.StatusUnauthorized || s.token == "" {
		return err
	}
	if err := s.login(ctx); err != nil {
		return err
	}
	return s.retried(ctx, method, path, body, out)
}

// retried tries again what the server was too busy for, and what got lost if it changes nothing.
func (s *session) retried(ctx context.Context, method, path string, body, out any) error {
	wait := time.Second
	for try := 1; ; try++ {
		err := s.once(ctx, method, path, body, out)
		var r *refusal
		switch {
		case err == nil || ctx.Err() != nil || try == tries:
			return err
		case errors.As(err, &r) && r.busy():
			if r.after > 0 {
				wait = min(r.after, maxWait)
			}
		case method != http.MethodGet, !lost(err):
			return err
		}
		if err := pause(ctx, min(wait, s.opts.Poll)); err != nil {
			return err
		}
		wait *= 2
	}
}

// lost says that the network, not the server, is why there is no answer, and that it may be better the next time.
func lost(err error) bool {
	var cert *tls.CertificateVerificationError
	return statusOf(err) == 0 && fault.KindOf(err) == fault.KindUnavailable && !errors.As(err, &cert)
}

// pause waits, or says why it did not.
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

func (s *session) once(ctx context.Context, method, path string, body, out any) error {
	ctx, cancel := context.WithTimeout(ctx, perRequest)
	defer cancel()
	resp, err := s.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil {
		_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, maxRefusal)) // so that the connection is used again
		return err
	}
	limited := &io.LimitedReader{R: resp.Body, N: maxAnswer}
	err = json.NewDecoder(limited).Decode(out)
	switch {
	case limited.N <= 0:
		return fault.Invalid("%s %s: Nessus's answer is longer than %d MiB", method, path, maxAnswer>>20)
	case fault.KindOf(err) != fault.KindInternal, ctx.Err() != nil:
		return err
	case err != nil:
		return fault.Unavailable("%s %s: Nessus's answer is not the JSON that was expected: %w", method, path, err)
	}
	return nil
}

// send is one request. An answer that is no success is a *refusal.
func (s *session) send(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var payload io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", method, path, err)
		}
		payload = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.base+path, payload)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	switch {
	case s.token != "":
		req.Header.Set("X-Cookie", "token="+s.token)
	case s.opts.AccessKey != "":
		req.Header.Set("X-ApiKeys", "accessKey="+s.opts.AccessKey.Reveal()+"; secretKey="+s.opts.SecretKey.Reveal())
	}
	resp, err := s.door.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, newRefusal(resp)
}

func newRefusal(resp *http.Response) *refusal {
	r := &refusal{status: resp.StatusCode}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal)) // what came is good enough
	var said struct {
		Error   string `json:"error"`
		Message string `json:"message"`
	}
	if json.Unmarshal(text, &said) == nil {
		r.message = said.Error
		if r.message == "" {
			r.message = said.Message
		}
	}
	r.message = printable(r.message)
	after := resp.Header.Get("Retry-After")
	if n, err := strconv.Atoi(after); err == nil && n > 0 {
		r.after = time.Duration(min(n, 3600)) * time.Second
	} else if at, err := http.ParseTime(after); err == nil {
		r.after = max(0, time.Until(at))
	}
	return r
}

// printable makes the server's words fit for one line of a message.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return '?'
		}
		return r
	}, oneLine(text))
	return intake.Cut(text, 300)
}
