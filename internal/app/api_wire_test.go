package app

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/config"
)

// line is a connection on which a test writes what it likes.
type line struct {
	net.Conn
	t  *testing.T
	in *bufio.Reader
}

func (g *grounds) dial() *line {
	g.t.Helper()
	conn, err := net.DialTimeout("tcp", g.address, 5*time.Second)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(40 * time.Second))
	return &line{Conn: conn, t: g.t, in: bufio.NewReader(conn)}
}

func (l *line) say(format string, args ...any) *line {
	_, _ = fmt.Fprintf(l.Conn, format, args...) // a server that hangs up early is what is tested
	return l
}

// hear is the status and text of the next answer, 0 when the connection ends.
func (l *line) hear() (int, string) {
	resp, err := http.ReadResponse(l.in, nil)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text)
}

const loginHead = "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

func (g *grounds) healthy(when string) {
	g.t.Helper()
	begin := time.Now()
	status, text := g.dial().say("GET /api/v1/auth/ways HTTP/1.1\r\nHost: localhost\r\n\r\n").hear()
	if status != http.StatusOK || time.Since(begin) > 5*time.Second {
		g.t.Errorf("%s: %d after %s: %.200s", when, status, time.Since(begin), text)
	}
}

func TestClientsThatSendNothingKeepNobodyOut(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the server's patience")
	}
	g := openGrounds(t, "", nil)
	begin := time.Now()
	var slow sync.WaitGroup
	slow.Add(1)
	go func() { // a byte each second never becomes a header
		defer slow.Done()
		l := g.dial()
		for i := 0; time.Since(begin) < 25*time.Second; i++ {
			if _, err := l.Write([]byte{"GET / HTTP/1.1\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"[i]}); err != nil {
				return
			}
			time.Sleep(time.Second)
		}
		t.Error("a byte each second is let in for ever")
	}()
	for range 300 {
		g.dial().say("GET /api/v1/sites HTTP/1.1\r\nHost: loc")
	}
	var halves []*line
	for range 300 {
		halves = append(halves, g.dial().say("%sContent-Length: 100\r\n\r\n{", loginHead))
	}
	var refused []*line
	for range 20 {
		refused = append(refused, g.dial().say("POST /api/v1/sites HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"))
	}
	for range 20 {
		g.healthy("beside 600 clients that send nothing")
	}
	for _, l := range refused { // who is not let in is told at once, whatever is missing
		if status, _ := l.hear(); status != http.StatusUnauthorized || time.Since(begin) > 12*time.Second {
			t.Errorf("refused: %d after %s", status, time.Since(begin))
		}
	}
	for _, l := range halves {
		if status, text := l.hear(); status != http.StatusRequestTimeout {
			t.Errorf("half a body: %d %.100s", status, text)
			break
		}
	}
	slow.Wait()
	g.healthy("afterwards")
}

func TestWhatBendsHTTPIsRefused(t *testing.T) {
	g := openGrounds(t, "", nil)
	body := `{"name":"nobody","password":"wrong password"}`
	packed := gzipped(body)
	large := strings.Repeat("a", 2<<20)
	for name, c := range map[string]struct {
		text string
		want []int
	}{
		"two lengths":             {loginHead + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}", []int{400}},
		"a length below zero":     {loginHead + "Content-Length: -1\r\n\r\n{}", []int{400}},
		"a length of letters":     {loginHead + "Content-Length: 1a\r\n\r\n{}", []int{400}},
		"another encoding":        {loginHead + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", []int{501, 400}},
		"an encoding of old":      {loginHead + "Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}", []int{501, 400}},
		"a blank before a colon":  {loginHead + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", []int{400}},
		"a folded header":         {loginHead + "X: a\r\n b: c\r\nContent-Length: 0\r\n\r\n", []int{400, 422}},
		"broken chunks":           {loginHead + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", []int{400}},
		"no host":                 {"GET /health HTTP/1.1\r\n\r\n", []int{400}},
		"two hosts":               {"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", []int{400}},
		"another host":            {"GET /api/v1/sites HTTP/1.1\r\nHost: evil.example\r\n\r\n", []int{403}},
		"a proxy's request":       {"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", []int{403, 404}},
		"CONNECT":                 {"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: localhost\r\n\r\n", []int{400, 403, 404, 405}},
		"another version":         {"GET /health HTTP/3.7\r\nHost: localhost\r\n\r\n", []int{505, 400}},
		"no HTTP":                 {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", []int{400, 0}},
		"HTTP/2 without TLS":      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{505, 400, 403, 0}},
		"ten thousand headers":    {"GET /health HTTP/1.1\r\nHost: localhost\r\n" + strings.Repeat("X-A: bbbbbbbbbbbb\r\n", 10_000) + "\r\n", []int{431}},
		"a header of a MiB":       {"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + large[:1<<20] + "\r\n\r\n", []int{431}},
		"a path of a MiB":         {"GET /" + large[:1<<20] + " HTTP/1.1\r\nHost: localhost\r\n\r\n", []int{431}},
		"too large, as it says":   {loginHead + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(large)) + large, []int{413}},
		"too large, in chunks":    {loginHead + fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(large), large), []int{413}},
		"a packed body":           {loginHead + fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(packed), packed), []int{400, 415, 422}},
		"NUL in a header":         {"GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n", []int{400}},
		"a header within another": {"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: a\rSet-Cookie: b\r\n\r\n", []int{400}},
	} {
		status, text := g.dial().say("%s", c.text).hear()
		ok := false
		for _, want := range c.want {
			ok = ok || status == want
		}
		if !ok || strings.Contains(text, "goroutine") {
			t.Errorf("%s: %d, want %v: %.200s", name, status, c.want, text)
		}
	}
	g.healthy("afterwards")
	l := g.dial().say("%s", strings.Repeat("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n", 50))
	for i := range 50 {
		if status, _ := l.hear(); status != http.StatusOK {
			t.Fatalf("request %d of 50 in one piece: %d", i, status)
		}
	}
	if status, _ := g.dial().say("%sExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", loginHead, len(large)).hear(); status != http.StatusRequestEntityTooLarge && status != http.StatusContinue {
		t.Errorf("asked before it is sent: %d", status)
	}
}

// A request whose lengths contradict each other is read by its chunks, and what follows them is a request of its own:
// nothing of it may be taken for the first one's.
func TestSmuggledRequestHasNoRights(t *testing.T) {
	g := openGrounds(t, "", nil)
	hidden := "GET /api/v1/users HTTP/1.1\r\nHost: localhost\r\n\r\n"
	admin := g.askers["admin"][0]
	l := g.dial().say("POST /api/v1/scope/check HTTP/1.1\r\nHost: localhost\r\n%s: %s\r\nContent-Type: application/json\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n%s", admin[0], admin[1], hidden)
	if status, text := l.hear(); status != http.StatusBadRequest {
		t.Errorf("the first: %d %.200s", status, text)
	}
	if status, text := l.hear(); status != http.StatusUnauthorized && status != 0 {
		t.Errorf("the hidden one: %d %.200s", status, text)
	}
}

func TestStreamsThatAreResetAtOnceCostLittle(t *testing.T) {
	cert, key := pairFor(t, t.TempDir(), 1)
	g := openGrounds(t, "", func(c *config.Config) { c.Server.TLSCert, c.Server.TLSKey = cert, key })
	trust := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}} //nolint:gosec // its own certificate
	conn, err := tls.Dial("tcp", g.address, trust)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	go func() { _, _ = io.Copy(io.Discard, conn) }()
	var out bytes.Buffer
	out.WriteString("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	frame := func(kind, flags byte, stream uint32, payload []byte) {
		var head [9]byte
		binary.BigEndian.PutUint32(head[:4], uint32(len(payload))<<8|uint32(kind)) //nolint:gosec // short
		head[4] = flags
		binary.BigEndian.PutUint32(head[5:], stream)
		out.Write(head[:])
		out.Write(payload)
	}
	frame(4, 0, 0, nil) // settings
	name := "localhost"
	headers := append([]byte{0x82, 0x84, 0x87, 0x41, byte(len(name))}, name...) // GET / over https, RFC 7541
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	sent := 0
	for i := range uint32(50_000) {
		frame(1, 0x5, 2*i+1, headers)
		frame(3, 0, 2*i+1, []byte{0, 0, 0, 8})
		if out.Len() > 16<<10 {
			if _, err := conn.Write(out.Bytes()); err != nil {
				break // the server has had enough
			}
			out.Reset()
		}
		sent++
	}
	runtime.ReadMemStats(&after)
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // as above
	answer, err := client.Get("https://" + g.address + "/health/live")
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	t.Logf("%d streams, %d goroutines, %d MB", sent, runtime.NumGoroutine(), after.Sys>>20)
	if n := runtime.NumGoroutine(); n > 2000 || after.HeapInuse > before.HeapInuse+200<<20 {
		t.Errorf("%d goroutines, %d MB more", n, (after.HeapInuse-before.HeapInuse)>>20)
	}
}

func TestHostileUploadsAreRefusedAndLeaveNothing(t *testing.T) {
	g := openGrounds(t, "", nil)
	asker := g.askers["analyst"][0]
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	_, _ = w.Write([]byte(`<?xml version="1.0"?><nmaprun scanner="nmap"><host><address addr="`))
	blanks := bytes.Repeat([]byte("a"), 1<<20)
	for range 300 {
		_, _ = w.Write(blanks)
	}
	_ = w.Close()
	laughs := `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "` + strings.Repeat("ha", 1000) + `">`
	for i := range 12 {
		laughs += fmt.Sprintf(`<!ENTITY %c "%s">`, 'b'+i, strings.Repeat(fmt.Sprintf("&%c;", 'a'+i), 10))
	}
	laughs += `]><nmaprun scanner="nmap"><host><address addr="127.0.0.9" addrtype="ipv4"/><hostnames><hostname name="&m;"/></hostnames></host></nmaprun>`
	for name, body := range map[string]string{
		"entities":      laughs,
		"a packed bomb": bomb.String(),
		"deep XML":      `<nmaprun scanner="nmap">` + strings.Repeat("<host>", 200_000),
		"deep JSON":     `{"version":"2.1.0","runs":` + strings.Repeat("[", 500_000),
		"zip":           "PK\x03\x04" + strings.Repeat("\x00", 100),
		"packed twice":  gzipped(gzipped("<nmaprun/>")),
		"a file":        `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><nmaprun scanner="nmap"><host><address addr="127.0.0.9" addrtype="ipv4"/><hostnames><hostname name="&x;"/></hostnames></host></nmaprun>`,
	} {
		begin := time.Now()
		l := g.dial().say("POST /api/v1/imports?wait=true&site=branch HTTP/1.1\r\nHost: localhost\r\n%s: %s\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n%s", asker[0], asker[1], len(body), body)
		status, text := l.hear()
		if status < 200 || status >= 500 || time.Since(begin) > 30*time.Second {
			t.Errorf("%s: %d after %s: %.300s", name, status, time.Since(begin), text)
		}
		if strings.Contains(text, "hahaha") || len(text) > 64<<10 {
			t.Errorf("%s: %.300s", name, text)
		}
		t.Logf("%s: %d after %s: %.200s", name, status, time.Since(begin).Round(time.Millisecond), text)
	}
	l := g.dial().say("POST /api/v1/imports HTTP/1.1\r\nHost: localhost\r\n%s: %s\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n<nmap", asker[0], asker[1], 1<<30)
	if status, text := l.hear(); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a GiB that is only declared: %d %.200s", status, text)
	}
	var m runtime.MemStats
	runtime.GC()
	if runtime.ReadMemStats(&m); m.HeapInuse > 300<<20 || m.Sys > 1<<30 {
		t.Errorf("%d MB in use, %d MB from the system", m.HeapInuse>>20, m.Sys>>20)
	}
	for _, bug := range g.log.lines("msg=bug", "request failed") {
		t.Error(bug)
	}
	g.healthy("afterwards")
}

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}
