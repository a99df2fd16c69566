package native

import (
	"bytes"
	"regexp"
	"strings"
)

// heloName is how we introduce ourselves; .invalid is nobody's (RFC 6761).
const heloName = "patchscout.invalid"

var ftpGreeting = regexp.MustCompile(`(?i)\bftp|ftpd\b|FileZilla|Serv-U`)

// ftpOrSMTP tells the two protocols with three-digit replies apart: by the words of the greeting, else by asking with
// a command that only SMTP knows.
func (s *session) ftpOrSMTP(w *wire, said []byte) *service {
	text := replyText(said)
	if ftpGreeting.MatchString(text) && !strings.Contains(text, "SMTP") {
		return ftp(w, said, s)
	}
	if g, ok := identify("ftp", text); ok && g.product != "" && !strings.Contains(text, "SMTP") {
		return ftp(w, said, s)
	}
	if w == nil {
		if port := s.target.addr.Port(); port == 21 || port == 990 || port == 2121 {
			return ftp(w, said, s)
		}
		return smtp(said, nil)
	}
	if !bytes.HasPrefix(said, []byte("220")) { // a refusal; who refuses is not asked further
		return smtp(said, nil)
	}
	answer := w.ask([]byte("EHLO "+heloName+"\r\n"), s.patience, replyEnd)
	if hasAnyPrefix(answer, "250") || strings.Contains(text, "SMTP") {
		w.Write([]byte("QUIT\r\n"))
		return smtp(said, answer)
	}
	if hasAnyPrefix(answer, "5", "4", "3") {
		return ftp(w, said, s)
	}
	return smtp(said, answer)
}

// replyText is a reply without codes, its lines joined.
func replyText(b []byte) string {
	var words []string
	for text := range bytes.Lines(b) {
		if len(text) >= 4 && isDigits(text[:3]) {
			text = text[4:]
		}
		words = append(words, line(string(text)))
		if len(words) == 50 {
			break
		}
	}
	return strings.Join(words, " ")
}

func ftp(w *wire, said []byte, s *session) *service {
	text := replyText(said)
	found := recognise("ftp", "ftp", text, said)
	found.distribution(text)
	if found.Product == "" && w != nil {
		// SYST and HELP need no login; some servers name themselves only there.
		answer := w.ask([]byte("HELP\r\n"), s.patience, replyEnd)
		if g, ok := identify("ftp", replyText(answer)); ok {
			found.add(g)
		}
	}
	if w != nil {
		w.Write([]byte("QUIT\r\n"))
	}
	return found
}

func smtp(said, ehlo []byte) *service {
	text := replyText(said)
	found := recognise("smtp", "smtp", text, said)
	found.distribution(text)
	if name, _, ok := strings.Cut(text, " "); ok && strings.Contains(name, ".") {
		found.HostNames = hostName(name)
	}
	if hasAnyPrefix(ehlo, "250") {
		var words []string
		for text := range bytes.Lines(ehlo) {
			if len(text) > 4 && len(words) < 16 {
				word, _, _ := strings.Cut(line(string(text[4:])), " ")
				words = append(words, word)
			}
		}
		if len(words) > 1 {
			found.note(strings.Join(words[1:], " "))
		}
	}
	return found
}

var hostNamePattern = regexp.MustCompile(`^(?i)[a-z\d_](?:[a-z\d_-]*[a-z\d])?(?:\.[a-z\d_](?:[a-z\d_-]*[a-z\d])?)+$`)

// hostName returns name as a list of one when it is a DNS name of a real host.
func hostName(name string) []string {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if len(name) > 253 || !hostNamePattern.MatchString(name) || strings.HasSuffix(name, "localdomain") ||
		strings.HasPrefix(name, "localhost") || isDigits([]byte(name[strings.LastIndexByte(name, '.')+1:])) {
		return nil
	}
	return []string{name}
}

func (s *session) pop3(w *wire, said []byte) *service {
	text := firstLine(said)
	found := recognise("pop3", "pop3", text, said)
	found.distribution(text)
	if w == nil {
		return found
	}
	answer := w.ask([]byte("CAPA\r\n"), s.patience, func(b []byte) bool {
		return bytes.HasSuffix(b, []byte("\r\n.\r\n")) || hasAnyPrefix(b, "-ERR") && lineEnd(b)
	})
	for text := range bytes.Lines(answer) {
		if name, ok := bytes.CutPrefix(text, []byte("IMPLEMENTATION ")); ok {
			found.note(string(name))
			if g, ok := identify("pop3", "+OK "+line(string(name))); ok && found.Product == "" {
				found.add(g)
			}
			found.distribution(line(string(name)))
		}
	}
	w.Write([]byte("QUIT\r\n"))
	return found
}

func (s *session) imap(w *wire, said []byte) *service {
	text := firstLine(said)
	found := &service{Name: "imap", Banner: said}
	found.distribution(text)
	if w == nil || !hasAnyPrefix(said, "* OK", "* PREAUTH") {
		if g, ok := identify("imap", text); ok {
			found.add(g)
		}
		return found
	}
	// ID (RFC 2971) is the one command of IMAP that asks for a version; a server without it says BAD.
	answer := w.ask([]byte("a1 CAPABILITY\r\na2 ID NIL\r\n"), s.patience, func(b []byte) bool {
		return bytes.Contains(b, []byte("\na2 ")) && lineEnd(b[bytes.LastIndex(b, []byte("\na2 "))+1:]) || bytes.HasPrefix(b, []byte("a2 "))
	})
	w.Write([]byte("a3 LOGOUT\r\n"))
	for text := range bytes.Lines(answer) {
		if id, ok := bytes.CutPrefix(text, []byte("* ID ")); ok {
			found.Banner = append(append(found.Banner[:len(found.Banner):len(found.Banner)], '\n'), text...)
			if g, ok := identify("imap", line(string(id))); ok {
				found.add(g)
			}
		}
	}
	if found.Product == "" {
		if g, ok := identify("imap", text); ok {
			found.add(g)
		}
	}
	return found
}

func nntp(said []byte) *service {
	if !bytes.Contains(bytes.ToUpper(said), []byte("NNTP")) && !bytes.Contains(said, []byte("INN")) && !hasAnyPrefix(said, "200 ", "201 ") {
		return nil
	}
	return recognise("nntp", "nntp", firstLine(said), said)
}
