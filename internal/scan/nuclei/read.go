package nuclei

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/jsonstream"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// errUnfinished is a run of ours that did not come to its end.
var errUnfinished = fmt.Errorf("nuclei %w: the run was ended before it was complete", scan.ErrTruncated)

// ours is a line that Run writes before and behind what Nuclei writes, so that the kept report says what was asked of
// whom, and that it was answered: Nuclei itself writes nothing at all when it finds nothing.
//
//	{"patchscout":{"began":"2026-11-22T03:56:10Z","version":"3.3.0","policy":"…","targets":[{"address":"192.0.2.1","port":80}]}}
//	{"patchscout":{"ended":"2026-11-22T03:58:10Z"}}                            with "skipped":["192.0.2.1:80"] or "unfinished":"cancelled"
type ours struct {
	Began      time.Time `json:"began,omitzero"`
	Version    string    `json:"version,omitempty"`
	Policy     string    `json:"policy,omitempty"`
	Targets    []target  `json:"targets,omitempty"`
	Ended      time.Time `json:"ended,omitzero"`
	Skipped    []string  `json:"skipped,omitempty"` // that stopped answering
	Unfinished string    `json:"unfinished,omitempty"`
}

type target struct {
	Address netip.Addr `json:"address"`
	Port    uint16     `json:"port"`
}

const (
	ourLine = `{"patchscout":`
	// maxLine bounds a line: Nuclei keeps up to 1 MiB of a response, and templates as base64.
	maxLine  = 32 << 20
	maxOurs  = 16 << 20 // of a line of ours: 65,536 addresses
	maxHosts = 1 << 20
)

var limits = jsonstream.Limits{String: 16 << 20}

// Read turns JSON lines, or the array that -je writes, into events. A record is a line or element:
//
//	matched, with a CVE or a severity other than info      Observation, with every CVE that the template names
//	info without a CVE, matcher-status false               Drop, informational
//	no host, an error in place of a match, not JSON        Drop with its reason
//
// Coverage comes at the end, for runs of ours that ended (see ours) and targets that went on answering; a report that
// somebody else made covers nothing, for it does not say with which templates and targets.
func (*Scanner) Read(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error {
	head, whole := intake.Head(raw)
	d := &document{ctx: ctx, emit: emit, known: map[string]bool{}}
	err := error(nil)
	switch {
	case len(head) == 0:
		return fmt.Errorf("nuclei %w: it is empty, which says nothing unless we know what was asked", scan.ErrTruncated)
	case head[0] == '[' || isPretty(head):
		err = d.stream(whole)
	case head[0] == '{':
		err = d.lines(whole)
	default:
		return fault.Invalid("not a nuclei report: it is neither JSON lines (-jsonl) nor a JSON array (-je)")
	}
	if err == nil && d.open != nil {
		err = errUnfinished
	}
	if err == nil {
		err = d.unfinished
	}
	if err != nil {
		return err
	}
	return d.cover()
}

// isPretty says that objects go over several lines.
func isPretty(head []byte) bool {
	line, _, more := bytes.Cut(head, []byte("\n"))
	return more && len(bytes.TrimSpace(line)) == 1
}

type document struct {
	ctx  context.Context
	emit func(finding.Event) error

	known      map[string]bool // hosts that were told
	open       *ours           // the run that is being read
	coverage   []finding.Coverage
	unfinished error
}

func (d *document) give(e finding.Event) error {
	if err := d.ctx.Err(); err != nil {
		return err
	}
	return d.emit(e)
}

func (d *document) drop(reason string, informational bool) error {
	return d.give(finding.Event{Drop: &finding.Drop{Reason: reason, Count: 1, Informational: informational}})
}

// lines reads line by line: one that is broken loses only itself.
func (d *document) lines(in *bufio.Reader) error {
	dec := jsonstream.New(bytes.NewReader(nil), limits)
	var line []byte
	for {
		var long bool
		var err error
		line, long, err = readLine(in, line[:0])
		if err != nil && err != io.EOF { //nolint:errorlint // bufio returns it bare
			return fmt.Errorf("read nuclei report: %w", err)
		}
		last := err != nil
		text := bytes.TrimSpace(line)
		switch {
		case len(text) == 0 && !long:
		case long:
			err = d.drop("line longer than any real one", false)
		default:
			err = d.line(dec, text, last)
		}
		if err != nil && err != io.EOF { //nolint:errorlint // bufio returns it bare
			return err
		}
		if last {
			return nil
		}
	}
}

// readLine appends the next line to buf; one that is too long is read to its end and not kept.
func readLine(in *bufio.Reader, buf []byte) (line []byte, long bool, err error) {
	for {
		part, err := in.ReadSlice('\n')
		if long = long || len(buf)+len(part) > maxLine; !long {
			buf = append(buf, part...)
		}
		if err != bufio.ErrBufferFull { //nolint:errorlint // bufio returns it bare
			return buf, long, err
		}
	}
}

func (d *document) line(dec *jsonstream.Decoder, text []byte, last bool) error {
	if bytes.HasPrefix(text, []byte(ourLine)) {
		return d.ourOwn(text)
	}
	if text[0] != '{' {
		return d.drop("line is not JSON", false)
	}
	dec.Reset(text)
	r := decode(dec)
	dec.End()
	var e *jsonstream.Error
	if err := dec.Err(); errors.As(err, &e) {
		if last && errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("nuclei %w within its last line", scan.ErrTruncated)
		}
		return d.drop("malformed line", false)
	}
	return d.record(r)
}

// stream reads an array, or objects that go over several lines.
func (d *document) stream(in io.Reader) error {
	dec := jsonstream.New(in, limits)
	for {
		var err error
		switch dec.Kind() {
		case jsonstream.Object:
			err = d.element(dec)
		case jsonstream.Array:
			for dec.Array(); err == nil && dec.More(); {
				err = d.element(dec)
			}
		default:
			dec.End()
			return explain(dec.Err())
		}
		if err == nil {
			err = explain(dec.Err())
		}
		if err != nil {
			return err
		}
	}
}

func explain(err error) error {
	var e *jsonstream.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("nuclei %w: %w", scan.ErrTruncated, err)
	case errors.As(err, &e) && e.Err != nil:
		return fmt.Errorf("read nuclei report: %w", err)
	}
	return fault.Invalid("nuclei report: %w", err)
}

func (d *document) element(dec *jsonstream.Decoder) error {
	mark := dec.Record()
	if dec.Kind() != jsonstream.Object {
		dec.Skip()
		if dec.Err() != nil {
			return nil // explained by the caller
		}
		return d.drop("element is not an object", false)
	}
	r := decode(dec)
	if dec.Err() == nil {
		return d.record(r)
	}
	if !dec.Recover(mark) {
		return nil // explained by the caller
	}
	return d.drop("malformed element", false)
}

// ourOwn reads a line that Run wrote.
func (d *document) ourOwn(text []byte) error {
	var line struct {
		PatchScout ours `json:"patchscout"`
	}
	if len(text) > maxOurs || json.Unmarshal(text, &line) != nil {
		return d.drop("malformed line", false)
	}
	o := line.PatchScout
	switch {
	case !o.Began.IsZero():
		if d.open != nil {
			d.unfinished = errUnfinished
		}
		d.open = &o
		return d.asked()
	case d.open == nil:
		return nil // behind a run whose beginning is not here: it covers nothing
	case o.Unfinished != "" || o.Ended.IsZero():
		d.unfinished = errUnfinished
	default:
		d.ended(o)
	}
	d.open = nil
	return nil
}

// asked tells the hosts of a run: whether they are up is not said.
func (d *document) asked() error {
	for _, t := range d.open.Targets {
		if !t.Address.IsValid() {
			continue
		}
		seen := &finding.HostSeen{Address: t.Address, Status: "unknown", Reason: "asked by Nuclei", At: d.open.Began}
		if err := d.tell(seen); err != nil {
			return err
		}
	}
	return nil
}

func (d *document) tell(h *finding.HostSeen) error {
	key := h.Address.String()
	if !h.Address.IsValid() && len(h.Names) > 0 {
		key = h.Names[0]
	}
	key += " " + h.Status
	if d.known[key] {
		return nil
	}
	if len(d.known) < maxHosts {
		d.known[key] = true
	}
	return d.give(finding.Event{Host: h})
}

func (d *document) ended(o ours) {
	skipped := map[string]bool{}
	for _, s := range o.Skipped {
		skipped[s] = true
	}
	for _, t := range d.open.Targets {
		if !t.Address.IsValid() || t.Port == 0 || d.open.Policy == "" || skipped[netip.AddrPortFrom(t.Address, t.Port).String()] {
			continue
		}
		d.coverage = append(d.coverage, finding.Coverage{Sensor: Name, Address: t.Address, Protocol: "tcp",
			Ports: []finding.PortRange{{First: t.Port, Last: t.Port}}, Policy: d.open.Policy, At: o.Ended})
	}
}

func (d *document) cover() error {
	for i := range d.coverage {
		if err := d.give(finding.Event{Coverage: &d.coverage[i]}); err != nil {
			return err
		}
	}
	return nil
}

// record turns one into its event.
func (d *document) record(r *record) error {
	at := r.where()
	switch {
	case r.template == "":
		return d.drop("no template id: not a result of Nuclei", false)
	case r.failed != "" && !r.matched:
		return d.drop("template ended with an error", false)
	case !r.matched:
		return d.drop("template did not match", true)
	case !at.addr.IsValid() && at.name == "":
		return d.drop("result without a host", false)
	}
	seen := &finding.HostSeen{Address: at.addr, Status: "up", Reason: "answered Nuclei", At: r.at}
	if at.name != "" {
		seen.Names = []string{at.name}
	}
	if err := d.tell(seen); err != nil {
		return err
	}
	o := r.observation(at)
	if o.Severity == "info" && len(o.CVEs) == 0 {
		return d.drop("note: severity info", true)
	}
	if d.open != nil {
		o.Policy = d.open.Policy
	}
	return d.give(finding.Event{Observation: o})
}
