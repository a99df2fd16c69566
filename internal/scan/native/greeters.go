package native

import (
	"bytes"
	"encoding/json"
	"strings"
)

// The protocols in which the server's first words say all that there is to know.

func vnc(said []byte) *service {
	found := &service{Name: "vnc", Banner: said[:min(len(said), 64)]}
	if len(said) >= 11 {
		found.note("protocol " + strings.TrimLeft(line(string(said[4:7])), "0") + "." + strings.TrimLeft(line(string(said[8:11])), "0"))
	}
	return found
}

func rsync(said []byte) *service {
	found := &service{Name: "rsync", Product: "rsync", Banner: said, CPEs: []string{cpeName('a', "samba", "rsync", "", "")}}
	version, _, _ := strings.Cut(line(strings.TrimPrefix(firstLine(said), "@RSYNCD:")), " ")
	found.note("protocol " + version + "; the program's version is not revealed")
	return found
}

func svn(said []byte) *service {
	return &service{Name: "svn", Product: "Subversion svnserve", Banner: said, Extra: "version is not revealed",
		CPEs: []string{cpeName('a', "apache", "subversion", "", "")}}
}

func nats(said []byte) *service {
	var info struct {
		Version string `json:"version"`
	}
	text, _ := bytes.CutPrefix([]byte(firstLine(said)), []byte("INFO "))
	if json.Unmarshal(text, &info) != nil {
		return &service{Name: "nats", Banner: said}
	}
	return recognise("app", "nats", "nats "+line(info.Version), said)
}

// telnet drops the option negotiation (RFC 854) and looks at what is left.
func telnet(said []byte) *service {
	text := line(string(withoutTelnetOptions(said)))
	found := recognise("telnet", "telnet", text, []byte(text))
	found.distribution(text)
	return found
}

func withoutTelnetOptions(b []byte) []byte {
	var text []byte
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] != 0xff:
			text = append(text, b[i])
		case i+1 < len(b) && b[i+1] == 0xfa: // a subnegotiation, up to IAC SE
			end := bytes.Index(b[i:], []byte{0xff, 0xf0})
			if end < 0 {
				return text
			}
			i += end + 1
		case i+1 < len(b) && b[i+1] >= 0xfb:
			i += 2
		default:
			i++
		}
	}
	return text
}

// mysql reads the initial handshake (protocol 10) or the error that stands in its place. nil when it is neither.
func mysql(said []byte) *service {
	if len(said) < 6 || said[3] != 0 {
		return nil
	}
	size := int(said[0]) | int(said[1])<<8 | int(said[2])<<16
	if size < 3 || size > 4096 {
		return nil
	}
	packet := said[4:min(len(said), 4+size)]
	switch packet[0] {
	case 10, 9:
		version, rest, ok := bytes.Cut(packet[1:], []byte{0})
		if !ok || len(version) == 0 || len(version) > 100 || len(rest) < 4 {
			return nil
		}
		text := line(string(version))
		found := recognise("mysql", "mysql", text, said[:min(len(said), 4+size)])
		found.note(text)
		found.distribution(text)
		return found
	case 0xff:
		message := line(string(packet[min(3, len(packet)):]))
		if !strings.Contains(message, "not allowed to connect") && !strings.Contains(message, "Too many connections") &&
			!strings.Contains(message, "is blocked because") {
			return nil
		}
		found := &service{Name: "mysql", Banner: said}
		found.note(message)
		if strings.Contains(message, "MariaDB") {
			found.Product, found.CPEs = "MariaDB", []string{cpeName('a', "mariadb", "mariadb", "", "")}
		} else if strings.Contains(message, "MySQL server") {
			found.Product, found.CPEs = "MySQL", []string{cpeName('a', "oracle", "mysql", "", "")}
		}
		return found
	}
	return nil
}
