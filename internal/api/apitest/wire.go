package apitest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Wire sends calls as they are over connections of its own, one at a time. net/http's client would repair them.
type Wire struct {
	Address string
	conn    net.Conn
	in      *bufio.Reader
}

// Answer is what came back. Status is 0 when the connection ended without an answer.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	Took   time.Duration
}

// patience is how long a call may take before it counts as hanging.
const patience = 30 * time.Second

// Close ends the connection.
func (w *Wire) Close() {
	if w.conn != nil {
		_ = w.conn.Close()
		w.conn = nil
	}
}

// Send sends a call and reads the answer. An error is a server that does not answer at all.
func (w *Wire) Send(c Call, header ...[2]string) (Answer, error) {
	fresh := w.conn == nil
	a, err := w.try(c, header)
	if err == nil && a.Status == 0 && !fresh && !c.Cut && !c.Last { // an old connection may have been closed meanwhile
		a, err = w.try(c, header)
	}
	return a, err
}

func (w *Wire) try(c Call, header [][2]string) (Answer, error) {
	if w.conn == nil {
		conn, err := (&net.Dialer{Timeout: patience}).DialContext(context.Background(), "tcp", w.Address)
		if err != nil {
			return Answer{}, fmt.Errorf("the server takes no connection: %w", err)
		}
		w.conn, w.in = conn, bufio.NewReader(conn)
	}
	begin := time.Now()
	_ = w.conn.SetDeadline(begin.Add(patience))
	written := make(chan struct{})
	go func(conn net.Conn) { // the answer may come before all is written
		defer close(written)
		_, _ = conn.Write(c.wire(w.Address, header))
		if half, ok := conn.(*net.TCPConn); ok && (c.Cut || c.Last) {
			_ = half.CloseWrite()
		}
	}(w.conn)
	a, keep, err := w.read(c)
	a.Took = time.Since(begin)
	if !keep {
		w.Close()
	}
	<-written
	return a, err
}

func (w *Wire) read(c Call) (a Answer, keep bool, err error) {
	for {
		resp, err := http.ReadResponse(w.in, &http.Request{Method: c.Method}) //nolint:bodyclose // read to its end below, with the connection
		if err != nil {
			if late, ok := err.(net.Error); ok && late.Timeout() { //nolint:errorlint // as it comes from a connection
				return a, false, fmt.Errorf("no answer in %s", patience)
			}
			return a, false, nil
		}
		if resp.StatusCode < http.StatusSwitchingProtocols || resp.StatusCode == http.StatusEarlyHints {
			continue
		}
		a.Status, a.Header = resp.StatusCode, resp.Header
		if resp.StatusCode == http.StatusSwitchingProtocols {
			return a, false, nil
		}
		if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
			_ = w.conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond)) // it stays open
			a.Body, _ = io.ReadAll(io.LimitReader(resp.Body, 64<<10))
			return a, false, nil
		}
		a.Body, err = io.ReadAll(resp.Body)
		plain := !c.Cut && !c.Last && !c.Protocol && c.Lie == 0 && c.Method != http.MethodConnect
		return a, err == nil && !resp.Close && plain, nil
	}
}

// wire is the call in bytes; header goes before its own.
func (c Call) wire(address string, header [][2]string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", c.Method, c.Target)
	all := append(append([][2]string{}, header...), c.Header...)
	if !has(all, "Host") {
		fmt.Fprintf(&b, "Host: %s\r\n", address)
	}
	for _, h := range all {
		if h[0] == "Host" && h[1] == "" {
			continue // none
		}
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	switch {
	case c.Chunked:
		b.WriteString("Transfer-Encoding: chunked\r\n\r\n")
		for rest := c.Body; len(rest) > 0; {
			n := min(len(rest), 4096)
			fmt.Fprintf(&b, "%x\r\n%s\r\n", n, rest[:n])
			rest = rest[n:]
		}
		if !c.Cut {
			b.WriteString("0\r\n\r\n")
		}
	case c.Cut:
		fmt.Fprintf(&b, "Content-Length: %s\r\n\r\n", strconv.Itoa(len(c.Body)+c.Lie+1))
		b.Write(c.Body[:len(c.Body)/2])
	case len(c.Body) > 0 || c.Method != http.MethodGet:
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", len(c.Body))
		b.Write(c.Body)
	default:
		b.WriteString("\r\n")
	}
	return b.Bytes()
}

func has(header [][2]string, name string) bool {
	for _, h := range header {
		if strings.EqualFold(h[0], name) {
			return true
		}
	}
	return false
}
