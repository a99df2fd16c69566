package native

import (
	"bytes"
	"strings"
	"time"
)

// listen waits for the server to speak, and goes on in its protocol. It closes w, which may be nil: then it connects.
func (s *session) listen(w *wire, patience time.Duration) *service {
	if w == nil {
		var err error
		if w, err = s.open(); err != nil {
			return nil
		}
	}
	w.bind(s.ctx)
	defer w.Close()
	said := w.answer(patience, length(1))
	if len(said) == 0 {
		return nil
	}
	if !greetingEnd(said) {
		said = append(said, w.answer(300*time.Millisecond, func(b []byte) bool { return greetingEnd(append(said[:len(said):len(said)], b...)) })...)
	}
	if found := s.listenTo(w, said); found != nil {
		return found
	}
	return &service{Banner: said}
}

// greetingEnd says that a greeting needs no waiting for more.
func greetingEnd(b []byte) bool {
	switch {
	case len(b) > 3 && isDigits(b[:3]):
		return replyEnd(b)
	case len(b) > 4 && b[3] == 0 && int(b[0])|int(b[1])<<8|int(b[2])<<16 <= len(b)-4: // a whole MySQL packet
		return true
	case hasAnyPrefix(b, "\xff"):
		return len(b) > 64
	case hasAnyPrefix(b, "( "):
		return bytes.HasSuffix(b, []byte(") ) "))
	}
	return lineEnd(b) || len(b) >= 4096
}

// listenTo recognises who speaks by the first words. w may be nil: then nothing further is asked.
func (s *session) listenTo(w *wire, said []byte) *service {
	text := string(said)
	switch {
	case strings.HasPrefix(text, "SSH-"):
		return s.ssh(w, said)
	case strings.HasPrefix(text, "HTTP/"):
		return s.http()
	case strings.HasPrefix(text, "RFB "):
		return vnc(said)
	case strings.HasPrefix(text, "@RSYNCD:"):
		return rsync(said)
	case strings.HasPrefix(text, "( success ( "):
		return svn(said)
	case strings.HasPrefix(text, "INFO {"):
		return nats(said)
	case hasAnyPrefix(said, "+OK", "-ERR") && (text[0] == '+' || s.greets("pop3")):
		return s.pop3(w, said)
	case hasAnyPrefix(said, "* OK", "* PREAUTH", "* BYE"):
		return s.imap(w, said)
	case hasAnyPrefix(said, "220", "421", "500", "530", "550", "554"):
		return s.ftpOrSMTP(w, said)
	case hasAnyPrefix(said, "200 ", "201 ", "400 ", "502 "):
		return nntp(said)
	case len(said) > 1 && said[0] == 0xff && said[1] >= 0xfa:
		return telnet(said)
	}
	if found := mysql(said); found != nil {
		return found
	}
	return bySignature("banner", "", firstLine(said), said)
}

// greets says that the port is known for a protocol, for words that several protocols share.
func (s *session) greets(name string) bool {
	return strings.HasPrefix(usualNames[s.target.addr.Port()], name)
}

func firstLine(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte("\n"))
	return strings.TrimRight(string(b), "\r")
}
