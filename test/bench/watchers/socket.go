package watchers

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
)

// socket is the client's side of a WebSocket (RFC 6455), just enough to be read by a thousand at little cost beside the
// server that is measured.
type socket struct {
	net.Conn
	in  *bufio.Reader
	own []byte // of a message that does not fit into in
}

const normalClosure = 1000

// The opcodes that a server sends.
const (
	opText  = 1
	opClose = 8
	opPing  = 9
)

func dial(ctx context.Context, host, path string) (*socket, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	s := &socket{Conn: conn, in: bufio.NewReaderSize(conn, 32<<10)}
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", path, host)
	if err != nil {
		return s, err
	}
	first, err := s.in.ReadString('\n')
	if err != nil || !strings.Contains(first, " 101 ") {
		return s, fmt.Errorf("handshake: %q: %w", first, err)
	}
	for line := first; strings.TrimSpace(line) != ""; {
		if line, err = s.in.ReadString('\n'); err != nil {
			return s, err
		}
	}
	return s, nil
}

// next returns the next text message, which is good until the next call, or the code of a close frame.
func (s *socket) next() (text []byte, code int, err error) {
	for {
		op, payload, err := s.frame()
		switch {
		case err != nil:
			return nil, 0, err
		case op == opClose && len(payload) >= 2:
			return nil, int(binary.BigEndian.Uint16(payload)), nil
		case op == opClose:
			return nil, 1005, nil // no code
		case op == opText:
			return payload, 0, nil
		case op == opPing:
			// a pong with a mask of zeros and what the ping holds
			if _, err := s.Write(append([]byte{0x8a, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)); err != nil {
				return nil, 0, err
			}
		}
	}
}

func (s *socket) frame() (op byte, payload []byte, err error) {
	var head [8]byte
	if _, err := io.ReadFull(s.in, head[:2]); err != nil {
		return 0, nil, err
	}
	op = head[0] & 0x0f
	length := int(head[1] & 0x7f)
	switch length {
	case 126:
		_, err = io.ReadFull(s.in, head[:2])
		length = int(binary.BigEndian.Uint16(head[:2]))
	case 127:
		_, err = io.ReadFull(s.in, head[:8])
		length = int(binary.BigEndian.Uint64(head[:8]))
	}
	if err != nil || length > 1<<20 {
		return 0, nil, fmt.Errorf("a frame of %d bytes: %w", length, err)
	}
	if length <= s.in.Size() {
		if payload, err = s.in.Peek(length); err == nil {
			_, err = s.in.Discard(length)
		}
		return op, payload, err
	}
	s.own = append(s.own[:0], make([]byte, length)...)
	_, err = io.ReadFull(s.in, s.own)
	return op, s.own, err
}
