package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/patchscout/patchscout/internal/auth"
	events "github.com/patchscout/patchscout/internal/live"
)

// Close codes of our own (RFC 6455, 7.4.2); the others are the standard's: 1000 the scan is over, 1001 the server stops,
// 1008 too many messages from the client, 1011 an error of ours.
const (
	closeOut     websocket.StatusCode = 4001
	closeRemoved websocket.StatusCode = 4004
	closeSlow    websocket.StatusCode = 4008
)

// goodbye is a close frame.
type goodbye struct {
	code   websocket.StatusCode
	reason string
}

// closing says how a connection is ended for a reason.
func closing(why error) goodbye {
	for err, code := range map[error]websocket.StatusCode{errOut: closeOut, errRemoved: closeRemoved, events.ErrSlow: closeSlow,
		events.ErrStopping: websocket.StatusGoingAway, errTalk: websocket.StatusPolicyViolation} {
		if errors.Is(why, err) {
			return goodbye{code, err.Error()}
		}
	}
	if errors.Is(why, io.EOF) {
		return goodbye{websocket.StatusNormalClosure, "the scan is over"}
	}
	return goodbye{websocket.StatusInternalError, "internal error: connect again with ?since="}
}

// Bounds of what a client may send: nothing is expected, but some clients say "ping".
const (
	socketRead     = 4 << 10
	socketMessages = 60 // in a minute
)

// socket answers a WebSocket's handshake.
func (s *Server) socket(ctx context.Context, in *watchInput) (*huma.StreamResponse, error) {
	desk := s.opts.Desk(auth.From(ctx))
	w, err := desk.Watch(ctx, in.Scan, in.Since, false)
	if err != nil {
		return nil, s.refusal(ctx, err)
	}
	return &huma.StreamResponse{Body: func(c huma.Context) {
		defer w.Close()
		r, answer := humachi.Unwrap(c)
		if !upgrades(r) {
			answer.Header().Set("Upgrade", "websocket")
			answer.Header().Set("Connection", "Upgrade")
			answer.Header().Set("Sec-WebSocket-Version", "13")
			s.writeError(answer, r, huma.NewError(http.StatusUpgradeRequired, "this is a WebSocket: connect with ws:// or wss://, or use /api/v1/scans/{id}/events"))
			return
		}
		p := &pipe{}
		conn, err := websocket.Accept(taking{answer, p}, r, &websocket.AcceptOptions{
			InsecureSkipVerify: true,                          // sameSite has looked at Origin, with the reverse proxy in mind
			CompressionMode:    websocket.CompressionDisabled, // each of a thousand watchers would have to be compressed for
		})
		if err != nil {
			return // Accept has answered
		}
		t := &talk{s: s, conn: conn, pipe: p, watcher: w, desk: desk, scan: in.Scan}
		t.run(context.WithoutCancel(c.Context()))
	}}, nil
}

// upgrades says whether a request is a WebSocket's opening handshake (RFC 6455, 4.2.1).
func upgrades(r *http.Request) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(r.Header.Get("Sec-WebSocket-Key")))
	return r.Method == http.MethodGet && r.ProtoAtLeast(1, 1) && r.ProtoMajor == 1 && err == nil && len(key) == 16 && len(r.Header.Values("Sec-WebSocket-Key")) == 1 &&
		lists(r.Header.Values("Upgrade"), "websocket") && lists(r.Header.Values("Connection"), "upgrade") && r.Header.Get("Sec-WebSocket-Version") == "13"
}

// lists says whether a word is in a header that lists words.
func lists(values []string, word string) bool {
	for _, one := range strings.Split(strings.Join(values, ","), ",") {
		if strings.EqualFold(strings.TrimSpace(one), word) {
			return true
		}
	}
	return false
}

// talk is one open WebSocket.
type talk struct {
	s       *Server
	conn    *websocket.Conn
	pipe    *pipe
	watcher *events.Watcher
	desk    Desk
	scan    int64
}

// run sends events until there is a reason to stop, tells it and waits for everything. The connection has a context of its
// own: one that ends would cut it before the close frame is sent.
func (t *talk) run(ctx context.Context) {
	watching, stop := context.WithCancelCause(ctx)
	var work sync.WaitGroup
	work.Go(func() { stop(t.listen(ctx)) })
	work.Go(func() { stop(t.tend(watching, ctx)) })
	why := t.send(watching)
	if cause := context.Cause(watching); cause != nil {
		why = cause
	}
	stop(why)
	if errors.Is(why, errGone) {
		_ = t.conn.CloseNow() // nobody is left to tell
	} else {
		bye := closing(why)
		_ = t.conn.Close(bye.code, bye.reason) // as above
	}
	work.Wait()
}

// errGone is a peer that went away or does not read.
var errGone = errors.New("the peer is gone")

func (t *talk) send(watching context.Context) error {
	for {
		frames, err := t.watcher.Next(watching)
		if len(frames) > 0 && t.pipe.send(frames, liveEvery.write) != nil {
			return errGone
		}
		if err != nil {
			return err
		}
	}
}

// listen takes in what the peer sends, which means nothing, and its close.
func (t *talk) listen(ctx context.Context) error {
	t.conn.SetReadLimit(socketRead)
	begin, messages := time.Now(), 0
	for {
		_, in, err := t.conn.Reader(ctx)
		if err == nil {
			_, err = io.Copy(io.Discard, in)
		}
		if err != nil {
			return errGone
		}
		if time.Since(begin) > time.Minute {
			begin, messages = time.Now(), 0
		}
		if messages++; messages > socketMessages {
			return errTalk
		}
	}
}

// tend finds out from time to time whether the peer is there and may still watch.
func (t *talk) tend(watching, conn context.Context) error {
	ping, check := time.NewTicker(liveEvery.ping), time.NewTicker(liveEvery.check)
	defer ping.Stop()
	defer check.Stop()
	for {
		select {
		case <-watching.Done():
			return nil
		case <-ping.C:
			if err := t.ping(conn); err != nil {
				return errGone
			}
		case <-check.C:
			if err := t.s.check(watching, t.desk, t.scan, t.watcher); err != nil {
				return err
			}
		}
	}
}

func (t *talk) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, liveEvery.write)
	defer cancel()
	return t.conn.Ping(ctx)
}

// pipe is a connection to one of many watchers. Messages go around the WebSocket's own writer, which would copy each for
// each watcher and make a system call of it: here they are sent as they are, many by one call. What the WebSocket writes
// itself are whole control frames.
type pipe struct {
	net.Conn

	mu sync.Mutex
}

// Write sends a frame of the WebSocket's own.
func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.Conn.Write(b)
}

// send sends messages, which takes no longer than a time.
func (p *pipe) send(frames []events.Frame, within time.Duration) error {
	parts := make(net.Buffers, 0, 2*len(frames))
	headers := make([]byte, 0, 10*len(frames))
	for _, f := range frames {
		from := len(headers)
		headers = textHeader(headers, len(f.Text))
		parts = append(parts, headers[from:], f.Text)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.SetWriteDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	if tls, ok := p.Conn.(interface{ NetConn() net.Conn }); ok && tls != nil {
		parts = net.Buffers{bytes.Join(parts, nil)} // TLS would make a record of each part
	}
	if _, err := parts.WriteTo(p.Conn); err != nil {
		return err
	}
	return p.SetWriteDeadline(time.Time{})
}

// textHeader appends the head of an unmasked text frame, whole in one (RFC 6455, 5.2).
func textHeader(to []byte, length int) []byte {
	const finalText = 0x81
	switch {
	case length < 126:
		return append(to, finalText, byte(length))
	case length < 1<<16:
		return binary.BigEndian.AppendUint16(append(to, finalText, 126), uint16(length))
	}
	return binary.BigEndian.AppendUint64(append(to, finalText, 127), uint64(length))
}

// taking puts a pipe around the connection that websocket.Accept takes over.
type taking struct {
	http.ResponseWriter
	pipe *pipe
}

// Hijack implements http.Hijacker.
func (t taking) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buf, err := http.NewResponseController(t.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	t.pipe.Conn = conn
	buf.Writer.Reset(t.pipe)
	return t.pipe, buf, nil
}
