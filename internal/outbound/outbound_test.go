package outbound

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
)

func get(t *testing.T, c *Client, rawURL string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, rawURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err == nil {
		t.Cleanup(func() { resp.Body.Close() })
	}
	return resp, err
}

func client(t *testing.T, config Config) *Client {
	t.Helper()
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func server(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s
}

func TestOnlyListedHostsAreAsked(t *testing.T) {
	asked := 0
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		io.WriteString(w, r.UserAgent()+r.Header.Get("Accept-Encoding"))
	})
	port := s.URL[strings.LastIndex(s.URL, ":"):]
	for _, c := range []struct {
		name, url string
		config    Config
		want      string
	}{
		{"nothing is listed", s.URL, Config{}, "the host 127.0.0.1 is not on the list"},
		{"another host", s.URL, Config{Hosts: []string{"nvd.nist.gov"}, Named: []string{"http://localhost/"}}, "not on the list"},
		{"http to a publisher", "http://nvd.nist.gov/", Config{Hosts: []string{"nvd.nist.gov"}}, "only https is allowed"},
		{"http to a host named with https", s.URL, Config{Named: []string{"https://127.0.0.1/"}}, "only https is allowed"},
		{"user-info", "http://me:pw@127.0.0.1" + port, Config{Named: []string{s.URL}}, "a URL with a user name in it"},
		{"scheme", "ftp://127.0.0.1" + port, Config{Named: []string{s.URL}}, "only https is allowed"},
		// A publisher's name that resolves to this machine, as a rebinding attack would have it.
		{"listed name, own address", "https://localhost" + port, Config{Hosts: []string{"localhost"}}, "which is no public address"},
	} {
		_, err := get(t, client(t, c.config), c.url)
		if err == nil || fault.KindOf(err) != fault.KindDenied || !strings.Contains(err.Error(), c.want) ||
			strings.Contains(err.Error(), "pw") {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	if asked > 0 {
		t.Errorf("%d requests arrived", asked)
	}
	resp, err := get(t, client(t, Config{Version: "1.2.3", Named: []string{s.URL}}), s.URL+"/x")
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(resp.Body); string(b) != "patchscout/1.2.3" {
		t.Errorf("agent and encodings %q", b)
	}
}

func TestRedirectsStayOnTheHostAndOnHTTPS(t *testing.T) {
	var target string
	handler := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/end" {
			io.WriteString(w, "end")
			return
		}
		http.Redirect(w, r, target, http.StatusFound)
	}
	plain := server(t, handler)
	secure := httptest.NewTLSServer(http.HandlerFunc(handler))
	t.Cleanup(secure.Close)
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	c := client(t, Config{Named: []string{plain.URL, secure.URL, "http://localhost"}, RootCAs: roots})
	for _, test := range []struct{ from, to, want string }{
		{plain.URL, "/end", ""},
		{secure.URL, "/end", ""},
		{plain.URL, secure.URL + "/end", ""}, // up to https is welcome
		{secure.URL, plain.URL + "/end", "redirected from https to http"},
		{plain.URL, "http://localhost:1/", "redirected to another host, localhost"},
		{plain.URL, "http://127.0.0.1:1/end", "redirected to another port"},
		{plain.URL, "file:///etc/passwd", "redirected to another host"},
		{plain.URL, "/again", "more than 5 redirects"},
	} {
		target = test.to
		resp, err := get(t, c, test.from+"/start")
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s to %s: %v", test.from, test.to, err)
		case test.want == "":
			if b, _ := io.ReadAll(resp.Body); string(b) != "end" {
				t.Errorf("%s to %s: %q", test.from, test.to, b)
			}
		case err == nil || !strings.Contains(err.Error(), test.want):
			t.Errorf("%s to %s: %v, want %s", test.from, test.to, err, test.want)
		}
	}
}

func TestCertificateIsVerified(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // the refusal that is wanted here
	s.StartTLS()
	t.Cleanup(s.Close)
	_, err := get(t, client(t, Config{Named: []string{s.URL}}), s.URL)
	if err == nil || fault.KindOf(err) != fault.KindUnavailable || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("error %v", err)
	}
}

func TestAPinnedCertificateIsTrustedAndNoOther(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // the refusals that are wanted here
	s.StartTLS()
	t.Cleanup(s.Close)
	right := sha256.Sum256(s.Certificate().Raw)
	if _, err := get(t, client(t, Config{Named: []string{s.URL}, Pin: right[:]}), s.URL); err != nil {
		t.Error(err)
	}
	wrong := sha256.Sum256([]byte("another"))
	for _, pin := range [][]byte{wrong[:], right[:31]} {
		_, err := get(t, client(t, Config{Named: []string{s.URL}, Pin: pin}), s.URL)
		if err == nil || fault.KindOf(err) != fault.KindDenied || !strings.Contains(err.Error(), "not the configured one") {
			t.Errorf("error %v", err)
		}
	}
}

func TestBodyIsLimitedInSizeAndSilence(t *testing.T) {
	release := make(chan struct{})
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/announced":
			io.WriteString(w, strings.Repeat("x", 200))
		case "/endless":
			for range 100 {
				io.WriteString(w, "xxxxx")
				w.(http.Flusher).Flush()
			}
		case "/silent":
			io.WriteString(w, "x")
			w.(http.Flusher).Flush()
			<-release
		}
	})
	defer close(release)
	c := client(t, Config{Named: []string{s.URL}, MaxBody: 100, Idle: 50 * time.Millisecond})
	if _, err := get(t, c, s.URL+"/announced"); fault.KindOf(err) != fault.KindInvalid {
		t.Errorf("announced: %v", err)
	}
	resp, err := get(t, c, s.URL+"/endless")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(resp.Body); fault.KindOf(err) != fault.KindInvalid || len(b) > 100 {
		t.Errorf("endless: %d bytes, %v", len(b), err)
	}
	if resp, err = get(t, c, s.URL+"/silent"); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(resp.Body); fault.KindOf(err) != fault.KindUnavailable || string(b) != "x" ||
		!strings.Contains(err.Error(), "nothing came for 50ms") {
		t.Errorf("silent: %q, %v", b, err)
	}
}

func TestSlowReaderIsNotTheServersSilence(t *testing.T) {
	s := server(t, func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, strings.Repeat("x", 1<<20))
	})
	resp, err := get(t, client(t, Config{Named: []string{s.URL}, Idle: 100 * time.Millisecond}), s.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(250 * time.Millisecond) // the very thing under test
	if n, err := io.Copy(io.Discard, resp.Body); n != 1<<20-10 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestCancelledRequestSaysSo(t *testing.T) {
	s := server(t, func(http.ResponseWriter, *http.Request) {})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/?key=secret", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client(t, Config{Named: []string{s.URL}}).Do(req)
	if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v", err)
	}
}

func TestProxyIsUsedButTheListStillHolds(t *testing.T) {
	var asked []string
	proxy := server(t, func(w http.ResponseWriter, r *http.Request) { asked = append(asked, r.URL.String()) })
	u, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := client(t, Config{Named: []string{"http://feeds.example/"}, Proxy: u})
	if _, err := get(t, c, "http://feeds.example/x"); err != nil || len(asked) != 1 || asked[0] != "http://feeds.example/x" {
		t.Errorf("asked %v, %v", asked, err)
	}
	if _, err := get(t, c, "http://other.example/x"); fault.KindOf(err) != fault.KindDenied || len(asked) != 1 {
		t.Errorf("asked %v, %v", asked, err)
	}
}

func TestNamedURLsAreChecked(t *testing.T) {
	for _, raw := range []string{"", "feeds.example", "ftp://feeds.example/", "https://", "http://[::1"} {
		if _, err := New(Config{Named: []string{raw}}); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func TestPublicAddresses(t *testing.T) {
	for _, a := range []string{"8.8.8.8", "129.6.13.49", "2610:20:6005:13::49", "::ffff:8.8.8.8"} {
		if !public(netip.MustParseAddr(a)) {
			t.Errorf("%s is public", a)
		}
	}
	for _, a := range []string{
		"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
		"255.255.255.255", "240.0.0.1", "198.18.0.1", "::", "::1", "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:127.0.0.1",
		"::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "fec0::1",
	} {
		if public(netip.MustParseAddr(a)) {
			t.Errorf("%s is not public", a)
		}
	}
}
