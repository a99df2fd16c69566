package native

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

// PostgreSQL: https://www.postgresql.org/docs/current/protocol-message-formats.html

// postgres asks for SSL, as every client does first, then for a protocol that does not exist. The error that comes back
// is PostgreSQL's own; it does not hold a version, so there is none.
func (s *session) postgres() *service {
	w, err := s.open()
	if err != nil {
		return nil
	}
	defer w.Close()
	answer := w.ask([]byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f}, s.patience, length(1))
	if len(answer) != 1 || answer[0] != 'S' && answer[0] != 'N' {
		if !hasAnyPrefix(answer, "E") {
			s.overhear(answer)
			return nil
		}
		return parsePostgres(answer) // a refusal before SSL: too many clients, starting up
	}
	ssl := answer[0] == 'S'
	if ssl {
		w.Close()
		if w, err = s.open(); err != nil {
			return nil
		}
		defer w.Close()
	}
	found := parsePostgres(w.ask([]byte{0, 0, 0, 8, 0x7f, 0xff, 0, 0}, s.patience, messageEnd))
	if found != nil && ssl {
		found.note("offers TLS")
	}
	return found
}

// messageEnd says that a PostgreSQL message (type, length, body) is complete.
func messageEnd(b []byte) bool {
	return len(b) >= 5 && len(b) >= 1+int(min(binary.BigEndian.Uint32(b[1:5]), 4096))
}

// parsePostgres reads an ErrorResponse: fields of one letter and a text, each ended by a zero byte.
func parsePostgres(b []byte) *service {
	if len(b) < 6 || b[0] != 'E' {
		return nil
	}
	fields := map[byte]string{}
	body := b[5:]
	if text, _, ok := bytes.Cut(b[1:], []byte{0}); ok && len(text) > 8 && isText(text) {
		body = append([]byte("SFATAL\x00M"), b[1:]...) // protocol 2: one string, before PostgreSQL 7.4
	}
	for len(body) > 1 && body[0] != 0 && len(fields) < 20 {
		text, rest, ok := bytes.Cut(body[1:], []byte{0})
		if !ok {
			break
		}
		fields[body[0]] = line(string(text))
		body = rest
	}
	if fields['S'] == "" || fields['M'] == "" {
		return nil
	}
	found := recognise("app", "postgresql", "postgresql", b)
	found.note(fields['M'])
	found.note("version is not revealed before login")
	return found
}

func isText(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return len(b) > 0
}

// MongoDB: https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/

// mongo asks for buildInfo, which needs no login, as OP_MSG and, where that is not understood, as OP_QUERY.
func (s *session) mongo() *service {
	command := bson("buildInfo")
	message := append([]byte{0, 0, 0, 0, 0}, command...)
	answer := s.ask(mongoMessage(2013, message), mongoEnd)
	if found := parseMongo(answer); found != nil {
		return found
	}
	if len(answer) > 0 && !mongoEnd(answer) {
		s.overhear(answer)
		return nil
	}
	if len(answer) == 0 {
		return nil
	}
	query := append([]byte{0, 0, 0, 0}, "admin.$cmd\x00\x00\x00\x00\x00\xff\xff\xff\xff"...)
	return parseMongo(s.ask(mongoMessage(2004, append(query, command...)), mongoEnd))
}

// bson is {name: 1, $db: "admin"}.
func bson(name string) []byte {
	var d []byte
	d = append(d, 0x10)
	d = append(d, name...)
	d = append(d, 0, 1, 0, 0, 0)
	d = append(d, "\x02$db\x00\x06\x00\x00\x00admin\x00\x00"...)
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(d)+4)), d...)
}

func mongoMessage(opcode uint32, body []byte) []byte {
	m := binary.LittleEndian.AppendUint32(nil, uint32(16+len(body)))
	m = append(m, "scou\x00\x00\x00\x00"...)
	m = binary.LittleEndian.AppendUint32(m, opcode)
	return append(m, body...)
}

func mongoEnd(b []byte) bool {
	return len(b) >= 16 && len(b) >= int(min(binary.LittleEndian.Uint32(b), 1<<16))
}

// parseMongo reads a reply to our message: OP_MSG (2013) or OP_REPLY (1).
func parseMongo(b []byte) *service {
	if len(b) < 21 || !bytes.Equal(b[8:12], []byte("scou")) {
		return nil
	}
	var document []byte
	switch binary.LittleEndian.Uint32(b[12:]) {
	case 2013:
		document = b[21:]
	case 1:
		if len(b) < 36 {
			return nil
		}
		document = b[36:]
	default:
		return nil
	}
	text := "mongodb"
	version := bsonString(document, "version")
	if version != "" {
		text += " " + version
	}
	found := recognise("app", "mongodb", text, nil)
	if version == "" {
		found.note("version is not revealed")
	} else {
		found.Banner = []byte("buildInfo.version: " + version)
	}
	return found
}

// bsonString returns the string element of a document's top level; "" when it is not there or the document is broken.
func bsonString(d []byte, name string) string {
	if len(d) < 5 {
		return ""
	}
	d = d[4:]
	for len(d) > 1 && d[0] != 0 {
		kind := d[0]
		key, rest, ok := bytes.Cut(d[1:], []byte{0})
		if !ok {
			return ""
		}
		size, ok := bsonSize(kind, rest)
		if !ok || size > len(rest) {
			return ""
		}
		if kind == 2 && string(key) == name {
			return line(string(bytes.TrimRight(rest[4:size], "\x00")))
		}
		d = rest[size:]
	}
	return ""
}

// bsonSize is the length of a value; ok is false for what does not fit or is not known.
func bsonSize(kind byte, b []byte) (int, bool) {
	switch kind {
	case 1, 9, 0x11, 0x12:
		return 8, true
	case 0x10:
		return 4, true
	case 8:
		return 1, true
	case 0x0a, 0x06:
		return 0, true
	case 7:
		return 12, true
	case 0x13:
		return 16, true
	}
	if len(b) < 4 {
		return 0, false
	}
	n := int(int32(binary.LittleEndian.Uint32(b)))
	switch kind {
	case 2, 0x0d, 0x0e:
		return 4 + n, n >= 1
	case 3, 4:
		return n, n >= 5
	case 5:
		return 5 + n, n >= 0
	}
	return 0, false
}

// SQL Server: MS-TDS 2.2.6.5. The PRELOGIN answer holds the server's version.

func (s *session) mssql() *service {
	options := []byte{0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, 0, 0, 0, 0, 0, 0, 2}
	packet := append([]byte{0x12, 1, 0, byte(8 + len(options)), 0, 0, 0, 0}, options...)
	answer := s.ask(packet, func(b []byte) bool { return len(b) >= 4 && len(b) >= int(binary.BigEndian.Uint16(b[2:])) })
	found := parseTDS(answer)
	if found == nil {
		s.overhear(answer)
	}
	return found
}

func parseTDS(b []byte) *service {
	if len(b) < 14 || b[0] != 4 || b[1] != 1 || int(binary.BigEndian.Uint16(b[2:])) > len(b) {
		return nil
	}
	body := b[8:]
	for i := 0; i+5 <= len(body) && body[i] != 0xff; i += 5 {
		at := int(binary.BigEndian.Uint16(body[i+1:]))
		if body[i] != 0 {
			continue
		}
		if at+4 > len(body) {
			return nil
		}
		version := fmt.Sprintf("%d.%d.%d", body[at], body[at+1], binary.BigEndian.Uint16(body[at+2:]))
		found := recognise("app", "ms-sql-s", "sqlserver "+version, b)
		found.Version = version
		return found
	}
	return nil
}

// rdp asks for a connection (X.224) and reads which security the server wants.
func (s *session) rdp() *service {
	answer := s.ask([]byte{3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 3, 0, 0, 0}, length(11))
	found := parseRDP(answer)
	if found == nil {
		s.overhear(answer)
	}
	return found
}

func parseRDP(b []byte) *service {
	if len(b) < 11 || b[0] != 3 || b[1] != 0 || b[5] != 0xd0 || int(b[2])<<8|int(b[3]) > len(b) {
		return nil
	}
	found := &service{Name: "ms-wbt-server", Banner: []byte(strings.ToUpper(fmt.Sprintf("x224 %x", b[:11])))}
	if len(b) >= 19 && b[11] == 2 {
		found.note(map[byte]string{0: "standard RDP security", 1: "TLS", 2: "CredSSP", 8: "RDSTLS"}[b[15]])
	}
	return found
}
