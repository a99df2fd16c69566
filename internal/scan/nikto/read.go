package nikto

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// ErrNotScanned says that Nikto looked at nothing: it could not connect. That is not a clean result.
var ErrNotScanned = fault.Unavailable("nikto scanned nothing: it could not connect")

// errUnfinished is what Run notes behind the report of a scan that was ended before its time.
var errUnfinished = fmt.Errorf("nikto %w: the scan was ended before it was complete", scan.ErrTruncated)

// Read turns a report of any of Nikto's dialects into events, item by item. A record is an item:
//
//	"Unable to connect" (id FAIL from 2.6 on)      Drop: the scan failed; nothing at all scanned is ErrNotScanned
//	a note: banners, uncommon headers, …           Drop, informational
//	every other item                               Observation, with every CVE that its text or references name
//
// The pieces of a run of ours, and documents that were joined, follow each other; what is wrong with one does not lose
// the others, and is returned at the end. Coverage comes at the end, of the port of every document that Nikto finished: XML,
// whose options say under which policy, and JSON, which keeps them to itself. CSV and text do not say whether they are
// complete. A report that Nikto closes when it is interrupted looks finished: only our own runs say otherwise.
func (*Scanner) Read(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error {
	d := &document{ctx: ctx, emit: emit}
	pieces := &pieces{in: bufio.NewReaderSize(raw, 64<<10)}
	var failure error
	for n := 0; ; n++ {
		head, piece, err := pieces.next()
		if err == io.EOF { //nolint:errorlint // next returns it bare
			break
		}
		if err == nil {
			err = d.readPiece(head, piece)
		}
		end := pieces.skip()
		if d.refused != nil {
			return d.refused
		}
		if err == nil && end == unfinished {
			err = errUnfinished
		}
		if end == unfinished || err != nil {
			d.coverage = d.coverage[:d.covered]
		}
		d.covered = len(d.coverage)
		if failure == nil {
			failure = err
		}
	}
	switch {
	case failure != nil:
		return failure
	case d.items == 0 && d.hosts == 0 && d.failed == 0:
		return fmt.Errorf("nikto %w: it is empty", scan.ErrTruncated)
	case d.hosts == 0:
		return ErrNotScanned
	}
	return d.cover()
}

// document is what is read, over all pieces.
type document struct {
	ctx  context.Context
	emit func(finding.Event) error

	hosts    int // that were scanned
	failed   int // that Nikto could not connect to
	items    int
	covered  int // coverage of pieces that are complete
	coverage []finding.Coverage
	refused  error // emit's or the context's: it ends everything
}

// readPiece tells the dialects apart by their first byte.
func (d *document) readPiece(head []byte, piece io.Reader) error {
	switch {
	case len(head) == 0:
		return nil
	case head[0] == '<' && bytes.Contains(bytes.ToLower(head), []byte("<html")):
		return fault.Invalid("this is Nikto's HTML report, which is for people: use the XML or JSON that -Format xml or json writes")
	case head[0] == '<' && bytes.Contains(head, []byte("</niktoscan")) && !bytes.Contains(head, []byte("<niktoscan")):
		d.failed++ // 2.1.6 that could not connect closes what it never opened
		return nil
	case head[0] == '<':
		return d.readXML(piece)
	case head[0] == '{' || head[0] == '[':
		return d.readJSON(piece)
	case head[0] == '"' || bytes.HasPrefix(head, []byte("Nikto - v")):
		return d.readCSV(piece)
	case bytes.HasPrefix(head, []byte("- Nikto")) || bytes.HasPrefix(head, []byte("+ ")):
		return d.readText(piece)
	case head[0] == ']': // 2.5.0 that could not connect writes "]}"
		d.failed++
		return nil
	}
	return fault.Invalid("not a nikto report: it begins like none of its formats (xml, json, csv, txt)")
}

// give emits; its error ends everything.
func (d *document) give(e finding.Event) error {
	if err := d.ctx.Err(); err != nil {
		d.refused = err
		return err
	}
	if err := d.emit(e); err != nil {
		d.refused = err
		return err
	}
	return nil
}

func (d *document) drop(reason string, n int) error {
	return d.give(finding.Event{Drop: &finding.Drop{Reason: reason, Count: n}})
}

// site is one web server while its items are read: its host is told before the first of them.
type site struct {
	target
	told   bool
	failed bool
}

func (d *document) begin(s *site) error {
	if s.told || !s.known() {
		return nil
	}
	s.told = true
	return d.give(s.seen("up", "answered Nikto"))
}

func (d *document) item(s *site, i *item) error {
	d.items++
	switch {
	case i.failed():
		s.failed = true
		d.failed++
		if !s.told && s.known() {
			s.told = true
			if err := d.give(s.seen("unknown", "Nikto could not connect to its web server")); err != nil {
				return err
			}
		}
		return d.drop("the scan failed: nikto could not connect", 1)
	case !s.known():
		return d.drop("item of a host without an address or name", 1)
	case strings.TrimSpace(i.msg) == "" && i.id == "":
		return d.drop("item without an id or text", 1)
	}
	if err := d.begin(s); err != nil {
		return err
	}
	return d.give(s.event(i))
}

// finish ends a site; its coverage waits for the end of the report. complete says that Nikto came to its end.
func (d *document) finish(s *site, complete bool) error {
	if s.failed {
		return nil
	}
	d.hosts++
	if err := d.begin(s); err != nil {
		return err
	}
	if complete && s.addr.IsValid() && s.port != 0 && s.policy != "" {
		d.coverage = append(d.coverage, finding.Coverage{Sensor: Name, Address: s.addr, Protocol: "tcp",
			Ports: []finding.PortRange{{First: s.port, Last: s.port}}, Policy: s.policy, At: s.at()})
	}
	return nil
}

func (d *document) cover() error {
	for i := range d.coverage {
		if err := d.give(finding.Event{Coverage: &d.coverage[i]}); err != nil {
			return err
		}
	}
	return nil
}

// The marks that Run writes behind each report of Nikto's, so that a cut one does not spoil the next and an unfinished
// one is known for what it is. For XML they are processing instructions, which everybody else skips.
const (
	finished   = "<?patchscout finished?>"
	unfinished = "<?patchscout unfinished?>"
	markBegin  = "<?patchscout "
)

// pieces cuts a raw report at those marks.
type pieces struct {
	in   *bufio.Reader
	mark string // that ended the piece
	over bool   // the piece
}

// next returns the beginning of the next piece, in UTF-8 and without leading blanks, and the whole of it; io.EOF when
// there is none.
func (p *pieces) next() ([]byte, io.Reader, error) {
	p.mark, p.over = "", false
	if _, err := p.in.Peek(1); err == io.EOF { //nolint:errorlint // bufio returns it bare
		return nil, nil, io.EOF
	}
	head, whole := intake.Head(p)
	return head, whole, nil
}

// skip leaves the rest of the piece and returns the mark at its end.
func (p *pieces) skip() string {
	_, _ = io.Copy(io.Discard, p) // the reader's error, if it has one, comes again
	return p.mark
}

// Read gives the piece's bytes up to its mark.
func (p *pieces) Read(b []byte) (int, error) {
	if p.over {
		return 0, io.EOF
	}
	if mark := p.markHere(); mark != "" {
		_, _ = p.in.Discard(len(mark)) // it was peeked
		p.mark, p.over = mark, true
		return 0, io.EOF
	}
	ahead, err := p.in.Peek(max(1, min(len(b), p.in.Buffered())))
	if len(ahead) == 0 {
		p.over = true
		return 0, err
	}
	n := 1 + beforeMark(ahead[1:])
	copy(b, ahead[:n])
	_, _ = p.in.Discard(n)
	return n, nil
}

// markHere is the mark that comes next, "" for none.
func (p *pieces) markHere() string {
	if first, _ := p.in.Peek(1); len(first) == 0 || first[0] != '<' {
		return ""
	}
	ahead, _ := p.in.Peek(len(unfinished))
	for _, mark := range []string{finished, unfinished} {
		if bytes.HasPrefix(ahead, []byte(mark)) {
			return mark
		}
	}
	return ""
}

// beforeMark is how much of text stands before what is a mark or may become one.
func beforeMark(text []byte) int {
	if i := bytes.Index(text, []byte(markBegin)); i >= 0 {
		return i
	}
	for n := min(len(text), len(markBegin)-1); n > 0; n-- {
		if bytes.HasSuffix(text, []byte(markBegin[:n])) {
			return len(text) - n
		}
	}
	return len(text)
}

// isTruncated says that a piece ended within a document.
func isTruncated(err error) bool { return errors.Is(err, scan.ErrTruncated) }
