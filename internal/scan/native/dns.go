package native

import (
	"bytes"
	"encoding/binary"
)

// dns asks for version.bind in class CHAOS over TCP.
func (s *session) dns() *service {
	query := []byte("\x00\x1e\x70\x73\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07version\x04bind\x00\x00\x10\x00\x03")
	answer := s.ask(query, func(b []byte) bool { return len(b) >= 2 && len(b) >= 2+int(binary.BigEndian.Uint16(b)) })
	found := parseDNS(answer)
	if found == nil {
		s.overhear(answer)
	}
	return found
}

func parseDNS(b []byte) *service {
	if len(b) < 14 || !bytes.Equal(b[2:4], []byte("ps")) || b[4]&0x80 == 0 {
		return nil
	}
	message := b[2:min(len(b), 2+int(binary.BigEndian.Uint16(b)))]
	found := &service{Name: "domain"}
	text, ok := chaosText(message)
	if !ok || text == "" {
		found.note("version is not revealed")
		return found
	}
	found.Banner = []byte("version.bind: " + text)
	if g, ok := identify("dns", text); ok {
		found.add(g)
	}
	found.note(text)
	found.distribution(text)
	return found
}

// chaosText returns the first TXT string of the answers.
func chaosText(m []byte) (string, bool) {
	if len(m) < 12 {
		return "", false
	}
	questions, answers := int(binary.BigEndian.Uint16(m[4:])), int(binary.BigEndian.Uint16(m[6:]))
	at := 12
	for range min(questions, 4) {
		if at = skipName(m, at); at < 0 {
			return "", false
		}
		at += 4
	}
	for range min(answers, 8) {
		if at = skipName(m, at); at < 0 || at+10 > len(m) {
			return "", false
		}
		kind, size := binary.BigEndian.Uint16(m[at:]), int(binary.BigEndian.Uint16(m[at+8:]))
		at += 10
		if at+size > len(m) {
			return "", false
		}
		if kind == 16 && size > 0 && int(m[at]) < size {
			return line(string(m[at+1 : at+1+int(m[at])])), true
		}
		at += size
	}
	return "", false
}

// skipName returns the place after a name, -1 when there is none. A compression pointer ends a name.
func skipName(m []byte, at int) int {
	for at < len(m) {
		switch n := int(m[at]); {
		case n == 0:
			return at + 1
		case n >= 0xc0:
			return at + 2
		default:
			at += 1 + n
		}
	}
	return -1
}
