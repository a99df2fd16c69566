package native

import (
	"bytes"
	"context"
	"io"
	"net"
	"time"
)

// maxAnswer is how much one connection may send us. A web page is the largest thing that we look at.
const maxAnswer = 256 << 10

// wire is a connection to something hostile: it ends with its context, and after maxAnswer bytes it reads as closed.
type wire struct {
	net.Conn
	left    int
	release func() bool
}

func newWire(ctx context.Context, c net.Conn) *wire {
	w := &wire{Conn: c, left: maxAnswer}
	w.release = context.AfterFunc(ctx, func() { c.Close() })
	return w
}

// Read implements io.Reader under the cap.
func (w *wire) Read(b []byte) (int, error) {
	if w.left <= 0 {
		return 0, io.EOF
	}
	n, err := w.Conn.Read(b[:min(len(b), w.left)])
	w.left -= n
	return n, err
}

// bind makes the wire end with ctx instead of the context under which it was opened.
func (w *wire) bind(ctx context.Context) *wire {
	w.release()
	w.release = context.AfterFunc(ctx, func() { w.Conn.Close() })
	return w
}

// Close closes the connection and forgets the context. Safe to call twice.
func (w *wire) Close() error {
	w.release()
	return w.Conn.Close()
}

// open connects to the session's port, inside of TLS where the session is.
func (s *session) open() (*wire, error) {
	if s.spare != nil {
		select {
		case w := <-s.spare:
			return w.bind(s.ctx), nil
		default:
		}
	}
	timeout := min(max(6*s.target.rtt, 500*time.Millisecond), 2*time.Second)
	conn, _, what, err := s.dial.dial(s.ctx, s.target.addr, timeout)
	if what != open {
		if err == nil {
			err = net.ErrClosed
		}
		return nil, err
	}
	w := newWire(s.ctx, conn)
	if !s.inside {
		return w, nil
	}
	return s.secure(w)
}

// dropSpare closes the spare connection if nobody took it.
func (s *session) dropSpare() {
	select {
	case w := <-s.spare:
		w.Close()
	default:
	}
	s.spare = nil
}

// ask connects, sends and reads one answer. An empty answer is nil.
func (s *session) ask(request []byte, complete func([]byte) bool) []byte {
	w, err := s.open()
	if err != nil {
		return nil
	}
	defer w.Close()
	return w.ask(request, s.patience, complete)
}

// ask sends and reads one answer.
func (w *wire) ask(request []byte, patience time.Duration, complete func([]byte) bool) []byte {
	w.SetWriteDeadline(time.Now().Add(patience))
	if _, err := w.Write(request); err != nil {
		return nil
	}
	return w.answer(patience, complete)
}

// answer reads until complete says so, the peer stops, or patience is over. Patience is for the whole answer: who sends
// a byte a second is cut off like who sends nothing. complete may be nil: then a pause of 150 ms ends the answer.
func (w *wire) answer(patience time.Duration, complete func([]byte) bool) []byte {
	deadline := time.Now().Add(patience)
	var got []byte
	buf := make([]byte, 4096)
	for {
		until := deadline
		if pause := time.Now().Add(150 * time.Millisecond); complete == nil && len(got) > 0 && pause.Before(until) {
			until = pause
		}
		w.SetReadDeadline(until)
		n, err := w.Read(buf)
		got = append(got, buf[:n]...)
		if err != nil || len(got) > 0 && complete != nil && complete(got) {
			return got
		}
	}
}

// lineEnd says that at least one line is there.
func lineEnd(b []byte) bool { return bytes.IndexByte(b, '\n') >= 0 }

// replyEnd says that an SMTP- or FTP-like reply is complete: its last line is "NNN text", not "NNN-text".
func replyEnd(b []byte) bool {
	if len(b) == 0 || b[len(b)-1] != '\n' {
		return false
	}
	last := b[bytes.LastIndexByte(b[:len(b)-1], '\n')+1:]
	return len(last) >= 4 && isDigits(last[:3]) && last[3] != '-'
}

func isDigits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0
}

// length says that at least n bytes are there.
func length(n int) func([]byte) bool { return func(b []byte) bool { return len(b) >= n } }
