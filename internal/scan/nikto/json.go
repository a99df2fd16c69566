package nikto

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/jsonstream"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// unrecorded is the policy of JSON reports, which do not keep the command line.
const unrecorded = "nikto, options not recorded"

// maxEarly is how many items may stand before the host that they are of: in no dialect of Nikto's own any does.
const maxEarly = 10_000

func (d *document) readJSON(piece io.Reader) error {
	j := &jsonReport{document: d, Decoder: jsonstream.New(&mender{in: bufio.NewReaderSize(intake.Text(piece), 64<<10)}, jsonstream.Limits{})}
	for {
		var err error
		switch j.Kind() {
		case jsonstream.Object:
			err = j.host()
		case jsonstream.Array:
			for j.Array(); err == nil && j.More(); {
				err = j.element()
			}
		default:
			j.End()
			return j.explain()
		}
		if err == nil {
			err = j.explain()
		}
		if err != nil {
			return err
		}
	}
}

type jsonReport struct {
	*document
	*jsonstream.Decoder
}

// explain turns the decoder's error into ours.
func (j *jsonReport) explain() error {
	err := j.Err()
	var e *jsonstream.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e) && errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("nikto %w after %d bytes", scan.ErrTruncated, e.Offset)
	case errors.As(err, &e) && e.Err != nil:
		return fmt.Errorf("read nikto report: %w", err)
	}
	return fault.Invalid("nikto report: %w", err)
}

// element is one of the array: a host, from 2.6 on.
func (j *jsonReport) element() error {
	if j.Kind() != jsonstream.Object {
		j.Skip()
		return nil
	}
	return j.host()
}

// host reads {"host","ip","port","banner" or "server_banner","vulnerabilities":[…],"start_time","end_time"}.
func (j *jsonReport) host() error {
	s, ip, port := &site{}, "", ""
	var early []item
	complete := true
	for j.Object(); j.More(); {
		switch string(j.Key()) {
		case "host", "hostname":
			s.host = j.text()
		case "ip":
			ip = j.text()
		case "port":
			port = j.text()
		case "start_time":
			s.start = moment(j.text())
		case "end_time":
			s.end = moment(j.text())
			complete = !s.end.IsZero()
		case "vulnerabilities":
			s.identify(ip, port)
			if err := j.items(s, &early); err != nil {
				return err
			}
		default:
			j.Skip()
		}
	}
	s.identify(ip, port)
	for n := range early {
		if err := j.item(s, &early[n]); err != nil {
			return err
		}
	}
	if err := j.explain(); err != nil {
		return err
	}
	s.policy = unrecorded
	if name := s.name(); name != "" {
		s.policy += " host=" + name
	}
	return j.finish(s, complete)
}

// text reads a string or a number.
func (j *jsonReport) text() string {
	switch j.Kind() {
	case jsonstream.String:
		return intake.Cut(j.Text(), intake.MaxText)
	case jsonstream.Number:
		f, _ := j.Float()
		return fmt.Sprintf("%.0f", f)
	}
	j.Skip()
	return ""
}

func (j *jsonReport) items(s *site, early *[]item) error {
	if j.Kind() != jsonstream.Array {
		j.Skip()
		return nil
	}
	if s.known() {
		s.policy = unrecorded
		if name := s.name(); name != "" {
			s.policy += " host=" + name
		}
	}
	for j.Array(); j.More(); {
		mark := j.Record()
		i, ok := j.record()
		var err error
		switch {
		case j.Err() != nil && !j.Recover(mark):
			return nil // the document ends here, and says so
		case !ok:
			err = j.malformed()
		case s.known() || len(*early) >= maxEarly:
			err = j.item(s, &i)
		default:
			*early = append(*early, i)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (j *jsonReport) malformed() error {
	j.document.items++
	return j.drop("malformed item", 1)
}

// record reads one item; false for what is none.
func (j *jsonReport) record() (i item, ok bool) {
	if j.Kind() != jsonstream.Object {
		j.Skip()
		return i, false
	}
	for j.Object(); j.More(); {
		switch string(j.Key()) {
		case "id":
			i.id = j.text()
		case "OSVDB", "osvdb":
			i.osvdb = j.text()
		case "method":
			i.method = j.text()
		case "url", "uri":
			i.uri = j.text()
		case "msg", "message":
			i.msg = j.text()
		case "references", "refs":
			i.refs = j.texts()
		default:
			j.Skip()
		}
	}
	return i, j.Err() == nil
}

// texts reads a string or an array of strings.
func (j *jsonReport) texts() string {
	if j.Kind() != jsonstream.Array {
		return j.text()
	}
	all := ""
	for j.Array(); j.More(); {
		if all += j.text() + " "; len(all) > intake.MaxText {
			all = intake.Cut(all, intake.MaxText)
		}
	}
	return all
}

// mender repairs what Nikto up to 2.5 writes and no JSON is:
//
//	"vulnerabilities":]}     no items: the last byte, taken for a comma, was the bracket
//	…]{"host":…              several hosts: only the last is closed
//	{…},]                    the comma behind the last item
//	"it's \'quoted\'"        escapes that JSON does not have, and control characters
type mender struct {
	in     *bufio.Reader
	inside bool // a string
	comma  bool // read, not yet given: it may be one too many
	last   byte // the last byte given outside of strings that is no blank
	rest   []byte
}

func (m *mender) Read(p []byte) (int, error) {
	for len(m.rest) == 0 {
		if err := m.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}

// fill mends what the buffer holds.
func (m *mender) fill() error {
	if _, err := m.in.Peek(1); err != nil {
		if m.comma {
			m.comma, m.rest = false, append(m.rest[:0], ',')
			return nil
		}
		return err
	}
	ahead, _ := m.in.Peek(m.in.Buffered())
	out, used := make([]byte, 0, len(ahead)+len(ahead)/8+8), 0
	for used < len(ahead) {
		c := ahead[used]
		if m.inside && c == '\\' {
			if used+1 == len(ahead) && used > 0 {
				break // its other half comes with the next fill
			}
			next, err := m.in.Peek(used + 2)
			if err != nil {
				out, used = append(out, '\\', '\\'), used+1
				break
			}
			ahead = ahead[:len(ahead):len(ahead)]
			out, used = append(out, escape(next[used+1])...), used+2
			if used >= len(ahead) {
				break
			}
			continue
		}
		out = m.byte(out, c)
		used++
	}
	m.rest = out
	_, err := m.in.Discard(used)
	return err
}

// escape is an escape sequence that JSON has.
func escape(c byte) string {
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't', 'u':
		return "\\" + string(c)
	}
	switch {
	case c < ' ':
		return " "
	case c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= 0x80:
		return "\\\\" + string([]byte{c}) // a backslash meant as one
	}
	return string([]byte{c})
}

func (m *mender) byte(out []byte, c byte) []byte {
	switch {
	case m.inside && c < ' ':
		return append(out, ' ')
	case m.inside:
		m.inside = c != '"'
		return append(out, c)
	case c == ' ' || c == '\t' || c == '\n' || c == '\r':
		return append(out, c)
	}
	if m.comma {
		m.comma = false
		if c != ']' && c != '}' {
			out = append(out, ',')
			m.last = ','
		}
	}
	switch {
	case c == ',':
		m.comma = true
		return out
	case c == ']' && m.last == ':':
		out = append(out, '[')
	case c == '{' && m.last == ']':
		out = append(out, '}')
	}
	m.inside = c == '"'
	m.last = c
	return append(out, c)
}
