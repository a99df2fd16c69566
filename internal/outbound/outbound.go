// Package outbound is the one door through which the product speaks to the world (design decision 14): only hosts on
// its list, checked again on the address that was connected, with limits on size and silence. It never follows a
// redirect to another host or down to plain http, and never sends credentials of its own accord.
package outbound

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
)

// Config says where connections may go. The zero value allows none.
type Config struct {
	Version string // for the User-Agent; "" is "dev"

	// Hosts may be asked over https at public addresses: the publishers that the product knows.
	Hosts []string
	// Named are base URLs that an administrator wrote down. Their hosts may have private and loopback addresses, though a
	// name must not lead to the link or to a cloud's metadata service; those with an http URL may be asked over plain http.
	Named []string

	Proxy   *url.URL       // for all connections; nil goes direct. Its address is trusted as a named one.
	RootCAs *x509.CertPool // nil: the system's
	// Pin is the SHA-256 of the one server certificate that is trusted, whoever signed it and whatever name and dates are in
	// it: of a server of one's own that signs its certificate itself. For a Client of one named URL; nil verifies as usual.
	Pin []byte

	Resolver *net.Resolver // finds the addresses of names; nil is the system's

	MaxBody int64         // bytes of one response body; default 2 GiB
	Dial    time.Duration // to connect, and again for TLS; default 15 s
	Idle    time.Duration // without a byte of header or body; default 60 s
}

// Client sends requests. It is safe for concurrent use.
type Client struct {
	http    *http.Client
	agent   string
	hosts   map[string]bool
	named   map[string]scheme // host -> the least safe scheme named for it
	maxBody int64
	idle    time.Duration
}

type scheme string

const (
	plain  scheme = "http"
	secure scheme = "https"
)

const maxRedirects = 5

// New returns a Client, or fault.Invalid for a named URL that is none.
func New(c Config) (*Client, error) {
	client := &Client{
		agent: "patchscout/" + orDefault(c.Version, "dev"), hosts: map[string]bool{}, named: map[string]scheme{},
		maxBody: orDefault(c.MaxBody, 2<<30), idle: orDefault(c.Idle, time.Minute),
	}
	for _, host := range c.Hosts {
		client.hosts[strings.ToLower(host)] = true
	}
	for _, raw := range c.Named {
		if err := client.name(raw); err != nil {
			return nil, err
		}
	}
	client.http = &http.Client{Transport: client.transport(c), CheckRedirect: client.redirect}
	return client, nil
}

func orDefault[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// name puts the host of a configured URL on the list.
func (c *Client) name(raw string) error {
	u, err := url.Parse(raw)
	if err != nil { // its text would repeat a password in it
		return fault.Invalid("a URL of the configuration or --from is malformed: want http(s)://host/…")
	}
	if u.Hostname() == "" || u.Scheme != string(plain) && u.Scheme != string(secure) {
		return fault.Invalid("URL %.80q: want http(s)://host/…", u.Redacted())
	}
	host := strings.ToLower(u.Hostname())
	if c.named[host] != plain {
		c.named[host] = scheme(u.Scheme)
	}
	return nil
}

func (c *Client) transport(config Config) *http.Transport {
	t := &http.Transport{
		DialContext:            c.dial(orDefault(config.Dial, 15*time.Second), config.Resolver, nil),
		TLSHandshakeTimeout:    orDefault(config.Dial, 15*time.Second),
		ResponseHeaderTimeout:  c.idle,
		MaxResponseHeaderBytes: 256 << 10,
		MaxIdleConns:           8,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        30 * time.Second,
		DisableCompression:     true, // stored bytes are what was published, and a checksum is over those
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: config.RootCAs},
	}
	if len(config.Pin) > 0 {
		pin(t.TLSClientConfig, config.Pin)
	}
	if config.Proxy != nil {
		t.Proxy = http.ProxyURL(config.Proxy)
		t.DialContext = c.dial(orDefault(config.Dial, 15*time.Second), config.Resolver, config.Proxy)
	}
	return t
}

// pin trusts the certificate of that SHA-256 and no other.
func pin(c *tls.Config, want []byte) {
	c.InsecureSkipVerify = true // the check of chain and name; VerifyConnection takes its place
	c.VerifyConnection = func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return fault.Denied("the server shows no certificate")
		}
		sum := sha256.Sum256(state.PeerCertificates[0].Raw)
		if subtle.ConstantTimeCompare(sum[:], want) != 1 {
			return fault.Denied("the server's certificate has the SHA-256 fingerprint %x, which is not the configured one", sum)
		}
		return nil
	}
}

// dial connects and refuses addresses that the host may not have. The check is on the address that is really connected,
// after name resolution, so that a name which resolves to our own network (or does so only the second time) is caught.
func (c *Client) dial(timeout time.Duration, resolver *net.Resolver, proxy *url.URL) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, fault.Invalid("address %.80q: %w", address, err)
		}
		host = strings.ToLower(host)
		_, named := c.named[host]
		trusted := named || proxy != nil && strings.EqualFold(host, proxy.Hostname())
		_, notLiteral := netip.ParseAddr(host)
		d := net.Dialer{Timeout: timeout, Resolver: resolver, ControlContext: func(_ context.Context, _, connected string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(connected)
			switch {
			case err != nil || !trusted && !public(to.Addr()):
				return fault.Denied("%s resolves to %s, which is no public address; name its URL in the configuration to allow it",
					host, connected)
			case notLiteral != nil && revealing(to.Addr()):
				return fault.Denied("%s resolves to %s, which no name may lead to", host, connected)
			}
			return nil
		}}
		return d.DialContext(ctx, network, address)
	}
}

// reserved are ranges beyond those that netip knows of: RFC 6890 and its registry. NAT64 and 6to4 carry an IPv4 address
// that might be anything.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"),
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("fec0::/10"),
}

// metadata is where clouds tell a machine its own credentials, beside the link-local addresses: Alibaba, Azure, Oracle,
// Amazon, Google, Scaleway.
var metadata = []netip.Prefix{
	netip.MustParsePrefix("100.100.100.200/32"),
	netip.MustParsePrefix("168.63.129.16/32"),
	netip.MustParsePrefix("192.0.0.192/32"),
	netip.MustParsePrefix("fd00:ec2::/64"),
	netip.MustParsePrefix("fd20:ce::/64"),
	netip.MustParsePrefix("fd00:42::/64"),
}

// revealing says whether an address is on the link or a cloud's metadata service, in any spelling that leads there. An
// administrator may write down such an address; a name that leads there was pointed there by somebody else.
func revealing(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	switch b := a.As16(); {
	case a.Is4():
	case b[0] == 0x20 && b[1] == 0x02: // 6to4
		return revealing(netip.AddrFrom4([4]byte(b[2:6])))
	case netip.MustParsePrefix("64:ff9b::/96").Contains(a): // NAT64
		return revealing(netip.AddrFrom4([4]byte(b[12:])))
	}
	for _, p := range metadata {
		if p.Contains(a) {
			return true
		}
	}
	return a.IsLinkLocalUnicast()
}

func public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range reserved {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// Do sends a request. A host that is not on the list, user-info in the URL and a scheme that is not allowed are
// fault.Denied; what the network did is fault.Unavailable. The body must be closed; reading it fails with fault.Invalid
// beyond the limit of size and with fault.Unavailable after too long a silence.
func (c *Client) Do(req *http.Request) (*http.Response, error) {
	if err := c.allowed(req.URL); err != nil {
		return nil, err
	}
	caller := req.Context()
	ctx, cancel := context.WithCancel(caller)
	req = req.Clone(ctx)
	req.Header.Set("User-Agent", c.agent)
	resp, err := c.http.Do(req)
	if err != nil {
		cancel()
		return nil, sendError(caller, req, err)
	}
	if resp.ContentLength > c.maxBody {
		resp.Body.Close()
		cancel()
		return nil, fault.Invalid("%s: %d bytes announced, more than the limit of %d", place(req.URL), resp.ContentLength, c.maxBody)
	}
	resp.Body = newBody(resp.Body, c, place(req.URL), cancel)
	return resp, nil
}

// sendError says what failed without the query of the URL, which may hold a key.
func sendError(caller context.Context, req *http.Request, err error) error {
	var sent *url.Error
	if errors.As(err, &sent) {
		err = sent.Err
	}
	if caller.Err() != nil || fault.KindOf(err) != fault.KindInternal {
		return fmt.Errorf("%s %s: %w", req.Method, place(req.URL), err)
	}
	return fault.Unavailable("%s %s: %w", req.Method, place(req.URL), err)
}

// place is a URL for messages: without user-info, query and fragment.
func place(u *url.URL) string { return u.Scheme + "://" + u.Host + u.EscapedPath() }

func (c *Client) allowed(u *url.URL) error {
	host := strings.ToLower(u.Hostname())
	named, isNamed := c.named[host]
	switch {
	case u.User != nil:
		return fault.Denied("%s: a URL with a user name in it", place(u))
	case !isNamed && !c.hosts[host]:
		return fault.Denied("%s: the host %s is not on the list of allowed destinations", place(u), host)
	case u.Scheme == string(secure):
		return nil
	case u.Scheme == string(plain) && named == plain:
		return nil
	default:
		return fault.Denied("%s: only https is allowed", place(u))
	}
}

// redirect keeps to the host, and to https once a request was https.
func (c *Client) redirect(req *http.Request, via []*http.Request) error {
	from := via[len(via)-1].URL
	switch {
	case len(via) > maxRedirects:
		return fault.Unavailable("more than %d redirects", maxRedirects)
	case !strings.EqualFold(req.URL.Hostname(), from.Hostname()):
		return fault.Denied("redirected to another host, %s", req.URL.Hostname())
	case from.Scheme == string(secure) && req.URL.Scheme != string(secure):
		return fault.Denied("redirected from https to %s", req.URL.Scheme)
	case from.Scheme == req.URL.Scheme && req.URL.Port() != from.Port():
		return fault.Denied("redirected to another port, %s", req.URL.Host)
	}
	return c.allowed(req.URL)
}

// body limits a response body in size and silence.
type body struct {
	io.ReadCloser
	place  string
	left   int64
	idle   time.Duration
	timer  *time.Timer
	silent atomic.Bool
	cancel context.CancelFunc
}

func newBody(r io.ReadCloser, c *Client, place string, cancel context.CancelFunc) *body {
	b := &body{ReadCloser: r, place: place, left: c.maxBody, idle: c.idle, cancel: cancel}
	b.timer = time.AfterFunc(b.idle, func() {
		b.silent.Store(true)
		cancel()
	})
	return b
}

func (b *body) Read(p []byte) (int, error) {
	b.timer.Reset(b.idle)
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop() // what our own caller takes its time for is not the server's silence
	if b.left -= int64(n); b.left < 0 {
		return 0, fault.Invalid("%s: more bytes than the limit allows", b.place)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		if b.silent.Load() {
			err = fmt.Errorf("nothing came for %s: %w", b.idle, err)
		}
		err = fault.Unavailable("read %s: %w", b.place, err)
	}
	return n, err
}

func (b *body) Close() error {
	b.timer.Stop()
	err := b.ReadCloser.Close()
	b.cancel()
	return err
}
