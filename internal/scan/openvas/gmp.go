package openvas

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// connection is one connection to gvmd. Not for concurrent use.
type connection struct {
	ctx     context.Context
	conn    net.Conn
	in      *bufio.Reader
	timeout time.Duration
	patient bool // each byte extends the time: a report
	until   time.Time
	stop    func() bool
}

// dial connects and, with TLS, knows whom it speaks to. Cancelling ctx ends whatever the connection is at.
func (o Options) dial(ctx context.Context) (*connection, error) {
	dialCtx, cancel := context.WithTimeout(ctx, min(o.Timeout, 10*time.Second))
	defer cancel()
	conn, err := o.open(dialCtx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, err
	}
	c := &connection{ctx: ctx, conn: conn, timeout: o.Timeout}
	c.in = bufio.NewReaderSize(c, 64<<10)
	c.stop = context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	return c, nil
}

func (c *connection) close() {
	c.stop()
	c.conn.Close()
}

// Read makes the connection the source of its buffer: each read has its deadline.
func (c *connection) Read(p []byte) (int, error) {
	if c.patient {
		c.until = time.Now().Add(c.timeout)
	}
	c.deadline(c.until)
	n, err := c.conn.Read(p)
	return n, c.explain(err)
}

// deadline sets the time for the next read or write, and loses no cancellation that came meanwhile.
func (c *connection) deadline(at time.Time) {
	c.conn.SetDeadline(at)
	if c.ctx.Err() != nil {
		c.conn.SetDeadline(time.Unix(1, 0))
	}
}

func (c *connection) explain(err error) error {
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return err
	case c.ctx.Err() != nil:
		return c.ctx.Err()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fault.Unavailable("openvas: gvmd did not answer within %s", c.timeout)
	}
	return fault.Unavailable("openvas: the connection to gvmd broke: %w", err)
}

// send writes one command. Everything in it was put there by encoding/xml, which escapes it.
func (c *connection) send(command any) error {
	text, err := xml.Marshal(command)
	if err != nil {
		return fmt.Errorf("openvas: write a command: %w", err)
	}
	c.deadline(time.Now().Add(c.timeout))
	_, err = c.conn.Write(text)
	return c.explain(err)
}

// ask sends a command and reads its answer. An answer with another status than 2xx is a *refusal.
func (c *connection) ask(what string, command any) (reply, error) {
	var r reply
	if err := c.send(command); err != nil {
		return r, err
	}
	c.patient, c.until = false, time.Now().Add(c.timeout)
	text, err := io.ReadAll(&answer{in: c.in, left: maxAnswer})
	if err != nil {
		return r, broken(what, err)
	}
	if err := xml.Unmarshal(text, &r); err != nil {
		return r, fault.Unavailable("openvas: gvmd's answer to %s is not GMP: %w", what, err)
	}
	return r, r.check(what)
}

// broken says that an answer did not arrive whole; what has its kind already keeps it.
func broken(what string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || fault.KindOf(err) != fault.KindInternal {
		return err
	}
	return fault.Unavailable("openvas: %s: %w", what, err)
}

// reply is what we read of any answer.
type reply struct {
	XMLName  xml.Name
	Status   string `xml:"status,attr"`
	Text     string `xml:"status_text,attr"`
	ID       string `xml:"id,attr"`
	Version  string `xml:"version"`
	ReportID string `xml:"report_id"`
	Tasks    []struct {
		ID       string `xml:"id,attr"`
		Status   string `xml:"status"`
		Progress string `xml:"progress"` // may hold elements for single hosts behind the figure
	} `xml:"task"`
	Ranges []portRange `xml:"port_list>port_ranges>port_range"`
}

type portRange struct {
	Type  string `xml:"type"`
	Start uint16 `xml:"start"`
	End   uint16 `xml:"end"`
}

// refusal is an answer that says no.
type refusal struct {
	what string
	code int
	text string
}

func (r *refusal) Error() string {
	return fmt.Sprintf("gvmd refuses to %s: %s (%d)%s", r.what, r.text, r.code, r.advice())
}

// advice says what to do, where that is known.
func (r *refusal) advice() string {
	switch {
	case r.code == 400 && strings.Contains(r.text, "Authentication failed"):
		return ": wrong username or password"
	case r.code == 401, strings.Contains(r.text, "before AUTHENTICATE"):
		return ": set a username and password"
	case r.code == 403:
		return ": the user's role does not allow it"
	case r.code == 404 && r.what == "create the task":
		return ": the scan configuration or scanner is missing, which comes with the feed: has gvmd loaded it?"
	case r.code == 404 && r.what == "create the target":
		return ": the port list is missing, which comes with the feed: has gvmd loaded it?"
	case r.code == 503:
		return ": its scanner or database is not ready, try again later"
	}
	return ""
}

func (r reply) check(what string) error {
	code, err := strconv.Atoi(r.Status)
	if err != nil || !strings.HasSuffix(r.XMLName.Local, "_response") {
		return fault.Unavailable("openvas: gvmd's answer to %s is not GMP", what)
	}
	if code >= 200 && code < 300 {
		return nil
	}
	return fault.Unavailable("openvas: %w", &refusal{what: what, code: code, text: printable(r.Text)})
}

// printable makes gvmd's words fit an error.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	return intake.Cut(strings.Join(strings.Fields(text), " "), 200)
}

// refused says whether err is a refusal with the code.
func refused(err error, code int) bool {
	var r *refusal
	return errors.As(err, &r) && r.code == code
}

// reportFilter asks for all that is a weakness, also what is uncertain, as the scanner rated it.
const reportFilter = "rows=-1 levels=chml min_qod=0 apply_overrides=0"

// minGMP is the first version whose commands are all as we write them (OpenVAS 9).
const minGMP = 7

// version asks for the protocol's version, which gvmd tells everybody.
func (c *connection) version() (string, error) {
	r, err := c.ask("tell its version", cmdVersion{})
	if err != nil {
		return "", err
	}
	version := printable(r.Version)
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err != nil || n < minGMP {
		return "", fault.Unavailable("openvas: gvmd speaks GMP %s: want %d or newer", version, minGMP)
	}
	return version, nil
}

func (c *connection) login(o Options) error {
	if o.Username == "" {
		return fault.Unavailable("openvas: no username is configured: gvmd wants a login")
	}
	_, err := c.ask("log in", cmdLogin{Username: o.Username, Password: o.Password.Reveal()})
	return err
}

// connect dials and logs in.
func (o Options) connect(ctx context.Context) (*connection, string, error) {
	c, err := o.dial(ctx)
	if err != nil {
		return nil, "", err
	}
	version, err := c.version()
	if err == nil {
		err = c.login(o)
	}
	if err != nil {
		c.close()
		return nil, "", err
	}
	return c, version, nil
}

// Available connects and logs in. Version is "GMP 22.7"; the error is fault.Unavailable and says what to do.
func (s *Scanner) Available(ctx context.Context) (string, error) {
	c, version, err := s.opts.withDefaults().connect(ctx)
	if err != nil {
		return "", err
	}
	c.close()
	return "GMP " + version, nil
}

// maxRootTag bounds the start tag of a report's response.
const maxRootTag = 64 << 10

// report streams a report to raw; n says how much was written. A refusal writes nothing.
func (c *connection) report(id string, raw io.Writer) (n int64, err error) {
	const what = "give the report"
	cmd := cmdReports{ID: id, Format: xmlReportFormat, Details: 1, All: 1, Filter: reportFilter}
	if err := c.send(cmd); err != nil {
		return 0, err
	}
	timeout := c.timeout
	defer func() { c.timeout = timeout }()
	c.patient, c.timeout = true, 10*timeout // gvmd gathers a large report before its first byte
	in := &answer{in: c.in, left: math.MaxInt64}
	head, err := rootTag(in)
	if err != nil {
		return 0, broken(what, err)
	}
	if err := rootReply(head).check(what); err != nil {
		return 0, err
	}
	c.timeout = timeout
	return copyReport(raw, io.MultiReader(bytes.NewReader(head), in))
}

// rootTag reads up to the end of the first start tag that is not a declaration.
func rootTag(in *answer) ([]byte, error) {
	var head []byte
	one := make([]byte, 1)
	for len(head) < maxRootTag {
		n, err := in.Read(one)
		head = append(head, one[:n]...)
		switch {
		case in.frame.depth > 0 || errors.Is(in.err, io.EOF): // the root is open, or was all
			return head, nil
		case err != nil:
			return nil, err
		}
	}
	return nil, errLongAnswer
}

// rootReply reads the status of a response of which only the root's start tag is there.
func rootReply(head []byte) (r reply) {
	dec := xml.NewDecoder(bytes.NewReader(head))
	for {
		tok, err := dec.Token()
		if err != nil {
			return r
		}
		if e, ok := tok.(xml.StartElement); ok {
			r.XMLName, r.Status, r.Text = e.Name, intake.Attr(e, "status"), intake.Attr(e, "status_text")
			return r
		}
	}
}

// copyReport tells an error of raw, which is the caller's, from one of gvmd.
func copyReport(raw io.Writer, in io.Reader) (n int64, err error) {
	buf := make([]byte, 64<<10)
	for {
		got, readErr := in.Read(buf)
		if got > 0 {
			wrote, err := raw.Write(buf[:got])
			n += int64(wrote)
			if err != nil {
				return n, fmt.Errorf("write the report of openvas: %w", err)
			}
		}
		switch {
		case errors.Is(readErr, io.EOF) && !errors.Is(readErr, io.ErrUnexpectedEOF):
			return n, nil
		case readErr != nil:
			return n, broken(fmt.Sprintf("the report broke off after %d bytes", n), readErr)
		}
	}
}
