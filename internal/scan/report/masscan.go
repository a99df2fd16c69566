package report

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/jsonstream"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// masscan reads what masscan writes: XML (-oX), JSON (-oJ, with its trailing comma), lists (-oL) and grepable text (-oG). A
// record is a port in any state, or a banner. It covers nothing: masscan sends once and does not wait for an answer.
type masscan struct{}

// Name is "masscan".
func (masscan) Name() string { return "masscan" }

var masscanJSON = regexp.MustCompile(`^\[\s*(?:,\s*)?\{\s*"ip"\s*:\s*"[^"]{2,60}"\s*,\s*"timestamp"`)

// Detect knows the scanner attribute of the XML, the first comment of the texts and the first member of the JSON.
func (masscan) Detect(head []byte) bool {
	switch {
	case bytes.HasPrefix(head, []byte("<")):
		return bytes.Contains(head, []byte("<nmaprun")) && bytes.Contains(head, []byte(`scanner="masscan"`))
	case bytes.HasPrefix(head, []byte("#masscan")), bytes.HasPrefix(head, []byte("# Masscan ")):
		return true
	}
	return masscanJSON.Match(head)
}

// Read emits the ports.
func (masscan) Read(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error {
	head, in := intake.Head(heedful{ctx, raw})
	m := &masscanReport{out: newOut(emit)}
	switch {
	case bytes.HasPrefix(head, []byte("<")):
		return m.xml(intake.NewXML("masscan", in, intake.Limits{}))
	case bytes.HasPrefix(head, []byte("[")):
		return m.json(newStream(&commaless{in: in}))
	case bytes.HasPrefix(head, []byte("#")), bytes.HasPrefix(head, []byte("Host: ")), bytes.HasPrefix(head, []byte("open ")), bytes.HasPrefix(head, []byte("Timestamp: ")):
		return m.lines(in)
	case len(head) == 0:
		return fmt.Errorf("masscan %w: it is empty", scan.ErrTruncated)
	}
	return fault.Invalid("not a masscan report: it is neither XML nor JSON nor a list of masscan's")
}

type masscanReport struct {
	*out
	known bool
}

// masscanPort is one record.
type masscanPort struct {
	address        string
	protocol, port string
	state          string
	service        string
	banner         string
	at             time.Time
	isBanner       bool
}

func (m *masscanReport) tell(p masscanPort) error {
	address, err := netip.ParseAddr(p.address)
	protocol := strings.ToLower(p.protocol)
	number := portNumber(p.port)
	switch {
	case err != nil:
		return m.drop("malformed: no address")
	case protocol != "tcp" && protocol != "udp":
		return m.drop("a protocol without ports")
	case number == 0:
		return m.drop("malformed: no port number")
	}
	address = address.Unmap()
	if err := m.host(finding.HostSeen{Address: address, Status: string(asset.Up), Reason: "answered on a port", At: p.at}); err != nil {
		return err
	}
	if p.state != "" && p.state != "open" {
		return m.note("port closed")
	}
	s := finding.ServiceSeen{Address: address, Protocol: protocol, Port: number, Name: masscanName(p.service), TLS: p.service == "ssl" || p.service == "X509",
		Banner: intake.Cut(p.banner, 1<<10), Guessed: !p.isBanner, At: p.at}
	return m.emit(finding.Event{Service: &s})
}

// masscanName is the service that a banner's kind tells of, "" for what tells of none.
func masscanName(kind string) string {
	switch kind {
	case "title", "http.server", "html", "http":
		return "http"
	case "ssl", "X509", "unknown", "vuln":
		return ""
	}
	if len(kind) > 40 || strings.ContainsAny(kind, " \t\n") {
		return ""
	}
	return kind
}

func (m *masscanReport) xml(x *intake.XML) error {
	root, err := x.Root("nmaprun")
	switch {
	case err == io.EOF: //nolint:errorlint // Root returns it bare
		return fmt.Errorf("masscan %w: it is empty", scan.ErrTruncated)
	case err != nil:
		return err
	case intake.Attr(root, "scanner") != "masscan":
		return fault.Invalid("not a masscan report: this is %s's", intake.Cut(intake.Attr(root, "scanner"), 20))
	}
	return x.Each(func(e xml.StartElement) error {
		if e.Name.Local != "host" {
			return x.Skip()
		}
		p := masscanPort{at: unixTime(intake.Attr(e, "endtime"))}
		return x.Each(func(e xml.StartElement) error {
			switch e.Name.Local {
			case "address":
				p.address = intake.Attr(e, "addr")
			case "ports":
				return x.Each(func(e xml.StartElement) error { return m.xmlPort(x, e, p) })
			}
			return x.Skip()
		})
	})
}

func (m *masscanReport) xmlPort(x *intake.XML, e xml.StartElement, p masscanPort) error {
	if e.Name.Local != "port" {
		return x.Skip()
	}
	p.protocol, p.port = intake.Attr(e, "protocol"), intake.Attr(e, "portid")
	err := x.Each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "state":
			p.state = intake.Attr(e, "state")
		case "service":
			p.service, p.banner, p.isBanner = intake.Attr(e, "name"), intake.Attr(e, "banner"), true
		}
		return x.Skip()
	})
	if err != nil {
		return err
	}
	return m.tell(p)
}

// json reads an array of {"ip","timestamp","ports":[{"port","proto","status"} or {"port","proto","service":{"name","banner"}}]}.
// Some versions end it with {finished: 1}, which is no JSON.
func (m *masscanReport) json(s *stream) error {
	d := s.Decoder
	for d.Array(); d.More(); {
		var p masscanPort
		var ports []masscanPort
		d.Record()
		members(d, func(key string) {
			switch key {
			case "ip":
				p.address = word(d)
			case "timestamp":
				p.at = unixTime(word(d))
			case "ports":
				elements(d, func() { ports = append(ports, masscanJSONPort(d)) })
			case "finished":
				p.state = "finished"
				d.Skip()
			default:
				d.Skip()
			}
		})
		if d.Err() != nil {
			break
		}
		d.Done()
		if p.state == "finished" && p.address == "" {
			continue
		}
		if (p.address == "" || len(ports) == 0) && !m.known {
			return fault.Invalid("not a masscan report: an element without an address and ports")
		}
		m.known = true
		if len(ports) == 0 {
			ports = append(ports, masscanPort{})
		}
		for _, port := range ports {
			port.address, port.at = p.address, p.at
			if err := m.tell(port); err != nil {
				return err
			}
		}
	}
	if err := s.end("masscan"); err != nil {
		return err
	}
	if !m.known {
		return fault.Invalid("a masscan report without a port: nothing answered, or it did not run")
	}
	return nil
}

func masscanJSONPort(d *jsonstream.Decoder) (p masscanPort) {
	members(d, func(key string) {
		switch key {
		case "port":
			p.port = word(d)
		case "proto":
			p.protocol = word(d)
		case "status":
			p.state = word(d)
		case "service":
			p.isBanner = true
			members(d, func(key string) {
				switch key {
				case "name":
					p.service = word(d)
				case "banner":
					p.banner = text(d, intake.MaxText)
				default:
					d.Skip()
				}
			})
		default:
			d.Skip()
		}
	})
	return p
}

// commaless takes out of masscan's JSON what is none: a comma before the bracket that closes the array, before its first
// element, or two of them, and {finished: 1}. It knows texts and leaves them alone.
type commaless struct {
	in      *bufio.Reader
	quoted  bool
	escaped bool
	comma   bool // one is held back
	begun   bool // an element has begun
	pending []byte
}

func (c *commaless) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(c.pending) > 0 {
			p[n] = c.pending[0]
			c.pending = c.pending[1:]
			n++
			continue
		}
		b, err := c.in.ReadByte()
		if err != nil {
			if n > 0 && errors.Is(err, io.EOF) {
				return n, nil
			}
			return n, err
		}
		if c.take(b) {
			p[n] = b
			n++
		}
	}
	return n, nil
}

// take says whether b is to be handed on now.
func (c *commaless) take(b byte) bool {
	switch {
	case c.quoted:
		c.quoted = b != '"' || c.escaped
		c.escaped = b == '\\' && !c.escaped
		return true
	case b == ',':
		c.comma = c.begun
		return false
	case b == ' ' || b == '\t' || b == '\r' || b == '\n':
		return false
	case b == '{' && c.finished():
		return false
	}
	c.quoted = b == '"'
	if b != '[' {
		c.begun = true
	}
	if !c.comma {
		return true
	}
	c.comma = false
	if b == ']' || b == '}' {
		return true
	}
	c.pending = append(c.pending[:0], ',', b)
	return false
}

// finished swallows "finished: 1}" behind its brace.
func (c *commaless) finished() bool {
	ahead, err := c.in.Peek(16)
	end := bytes.IndexByte(ahead, '}')
	if word := bytes.TrimLeft(ahead, " "); end < 0 && err != nil && strings.HasPrefix("finished: 1", string(word)) {
		_, _ = c.in.Discard(len(ahead)) // it breaks off here
		return true
	}
	if end < 0 || !bytes.HasPrefix(bytes.TrimLeft(ahead, " "), []byte("finished")) {
		return false
	}
	_, _ = c.in.Discard(end + 1) // it was peeked
	return true
}

var masscanGrep = regexp.MustCompile(`^(?:Timestamp: (\d+)\s+)?Host: (\S+) \([^)]*\)\s+(Ports|Port|Banner|Service): (.*)$`)

// lines reads lists ("open tcp 80 192.0.2.1 1700000000", "banner tcp 80 192.0.2.1 1700000000 http text") and grepable text
// ("Timestamp: 1700000000 Host: 192.0.2.1 () Ports: 80/open/tcp//http//").
func (m *masscanReport) lines(in *bufio.Reader) error {
	ended := false
	for !ended {
		line, err := limitedLine(in)
		if err != nil && err != io.EOF { //nolint:errorlint // bufio returns it bare
			return fmt.Errorf("read masscan report: %w", err)
		}
		last := err != nil
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "#"):
			m.known = m.known || strings.HasPrefix(strings.ToLower(strings.TrimLeft(line, "# ")), "masscan")
			ended = strings.HasPrefix(line, "# end") || strings.HasPrefix(line, "# Masscan done")
		case strings.TrimSpace(line) == "":
		case last: // every line of a whole report has its end
			return fmt.Errorf("masscan %w within a line", scan.ErrTruncated)
		default:
			if err := m.line(line); err != nil {
				return err
			}
		}
		if last && !ended && !m.known {
			return fault.Invalid("not a masscan report: it has no lines of masscan's")
		}
		if last && !ended {
			return fmt.Errorf("masscan %w: its last line is missing", scan.ErrTruncated)
		}
	}
	return nil
}

func (m *masscanReport) line(line string) error {
	if g := masscanGrep.FindStringSubmatch(line); g != nil {
		m.known = true
		return m.grepable(g[1], g[2], g[3], g[4])
	}
	f := strings.SplitN(line, " ", 7)
	if len(f) < 5 || f[0] != "open" && f[0] != "closed" && f[0] != "banner" {
		if !m.known {
			return fault.Invalid("not a masscan report: a line of another kind")
		}
		return m.drop("malformed: a line of another kind")
	}
	m.known = true
	p := masscanPort{state: f[0], protocol: f[1], port: f[2], address: f[3], at: unixTime(f[4])}
	if f[0] == "banner" {
		p.state, p.isBanner = "open", true
		if len(f) > 5 {
			p.service = f[5]
		}
		if len(f) > 6 {
			p.banner = f[6]
		}
	}
	return m.tell(p)
}

// grepable reads what stands behind the host: "80/open/tcp//http//", several by commas, or "Port: 80 Service: http Banner: text".
func (m *masscanReport) grepable(at, address, kind, rest string) error {
	if kind == "Ports" {
		for entry := range strings.SplitSeq(rest, ",") {
			f := strings.Split(strings.TrimSpace(entry), "/")
			p := masscanPort{address: address, at: unixTime(at)}
			if len(f) > 2 {
				p.port, p.state, p.protocol = f[0], f[1], f[2]
			}
			if err := m.tell(p); err != nil {
				return err
			}
		}
		return nil
	}
	p := masscanPort{address: address, protocol: "tcp", at: unixTime(at), isBanner: true}
	rest, p.banner, _ = strings.Cut(kind+": "+rest, "Banner: ")
	f := strings.Fields(rest)
	for i := 0; i+1 < len(f); i++ {
		switch f[i] {
		case "Port:":
			p.port, _, _ = strings.Cut(f[i+1], "/")
		case "Service:":
			p.service = f[i+1]
		}
	}
	return m.tell(p)
}

// limitedLine reads a line, of which it keeps the first 16 KiB.
func limitedLine(in *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		part, err := in.ReadSlice('\n')
		b.Write(part[:min(len(part), max(0, intake.MaxText-b.Len()))])
		if !errors.Is(err, bufio.ErrBufferFull) {
			return b.String(), err
		}
	}
}
