package nessus

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// limits: the policy's list of plugins is one text of over a megabyte.
var limits = intake.Limits{Token: 16 << 20, Record: 64 << 20}

// readXML reads .nessus version 2. Several documents may follow each other.
func readXML(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error {
	x := intake.NewXML(Name, raw, limits)
	d := &document{XML: x, ctx: ctx, emit: emit, looked: map[hostKey]bool{}}
	for documents := 0; ; documents++ {
		root, err := x.Root(rootV2, rootV1)
		switch {
		case err == io.EOF && documents == 0: //nolint:errorlint // Root returns it bare
			return fmt.Errorf("nessus %w: it is empty", scan.ErrTruncated)
		case err == io.EOF: //nolint:errorlint // Root returns it bare
			return d.finish()
		case err != nil:
			return err
		case root.Name.Local == rootV1:
			return fault.Invalid("this is version 1 of Nessus's XML, which leaves out CVEs: export the scan as .nessus version 2")
		}
		d.policy = policy{}
		if err := d.read(); err != nil {
			return err
		}
	}
}

// document is a report while it is read.
type document struct {
	*intake.XML
	ctx  context.Context
	emit func(finding.Event) error

	policy   policy
	hosts    int
	coverage []finding.Coverage
	looked   map[hostKey]bool // whether every scan of the host in this report ran to its end
}

func (d *document) read() error {
	return d.Each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "Policy":
			return d.policy.read(d.XML)
		case "Report":
			id := d.policy.identity()
			return d.Each(func(e xml.StartElement) error {
				if e.Name.Local != "ReportHost" {
					return d.Skip()
				}
				return d.host(intake.Attr(e, "name"), id)
			})
		}
		return d.Skip()
	})
}

// finish tells what was covered. It comes last, since a report that breaks off covers nothing.
func (d *document) finish() error {
	if d.hosts == 0 {
		return ErrNoHosts
	}
	for _, c := range d.coverage {
		if !d.looked[hostKey{c.Address, c.HostName}] {
			continue
		}
		if err := d.emit(finding.Event{Coverage: &c}); err != nil {
			return err
		}
	}
	return nil
}

func (d *document) host(name, policy string) error {
	if err := d.ctx.Err(); err != nil {
		return err
	}
	d.hosts++
	h := &host{services: services{}, policy: policy}
	h.call(name)
	err := d.Each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "HostProperties":
			return d.properties(h)
		case "ReportItem":
			return d.item(h, e)
		}
		return d.Skip()
	})
	if err != nil {
		return err
	}
	if err := d.tell(h); err != nil {
		return err
	}
	for _, e := range h.services.events() {
		if err := d.emit(e); err != nil {
			return err
		}
	}
	d.cover(h)
	return nil
}

func (d *document) cover(h *host) {
	if !h.named() {
		return
	}
	c := h.coverage()
	before, again := d.looked[h.key()]
	d.looked[h.key()] = len(c) > 0 && (before || !again)
	d.coverage = append(d.coverage, c...)
}

// tell emits the host itself, once, before anything that was seen on it.
func (d *document) tell(h *host) error {
	if h.told || !h.named() {
		return nil
	}
	h.told = true
	return d.emit(h.event())
}

func (d *document) properties(h *host) error {
	return d.Each(func(e xml.StartElement) error {
		if e.Name.Local != "tag" {
			return d.Skip()
		}
		name := intake.Attr(e, "name")
		text, err := d.Text()
		h.property(name, text)
		return err
	})
}

func (d *document) item(h *host, e xml.StartElement) error {
	d.Record()
	defer d.Done()
	it := startItem(e)
	err := d.Each(func(e xml.StartElement) error { return d.element(it, e.Name.Local) })
	if err != nil {
		return err
	}
	it.finish(h)
	h.hear(it)
	if err := d.tell(h); err != nil {
		return err
	}
	if !h.told && it.bad == "" {
		it.bad = "names no host"
	}
	if h.services.take(it, h.origin()) {
		return nil
	}
	return d.emit(it.event(h.origin()))
}

// startItem reads the attributes.
func startItem(e xml.StartElement) *item {
	it := &item{}
	var port, protocol string
	for _, a := range e.Attr {
		switch a.Name.Local {
		case "pluginID":
			it.setPlugin(a.Value)
		case "pluginName":
			it.name = intake.Cut(a.Value, maxShort)
		case "pluginFamily":
			it.family = intake.Cut(a.Value, maxShort)
		case "severity":
			it.severity = severity(a.Value)
		case "svc_name":
			it.service = a.Value
		case "port":
			port = a.Value
		case "protocol":
			protocol = a.Value
		}
	}
	if it.plugin == "" && it.bad == "" {
		it.bad = "malformed: plugin id"
	}
	it.setPlace(protocol, port)
	return it
}

// maxShort is what is kept of a title.
const maxShort = 1 << 10

// element reads one child of an item. What is not named here is skipped, whichever version of Nessus wrote it.
func (d *document) element(it *item, name string) error {
	switch name {
	case "cve", "cwe", "bid", "osvdb", "xref", "see_also", "cvss4_vector", "cvss3_vector", "cvss_vector", "plugin_type", "risk_factor",
		"synopsis", "description", "solution", "plugin_output", "exploited_by_nessus", "metasploit_name", "edb-id", "secunia", "msft",
		"mskb", "iava", "iavb", "iavt", "url", "uri", "plugin_name":
	default:
		if !strings.HasPrefix(name, "compliance-") {
			return d.Skip()
		}
	}
	text, err := d.Text()
	if err != nil || text == "" {
		return err
	}
	it.take(name, text)
	return nil
}

func (it *item) take(name, text string) {
	switch name {
	case "cve":
		it.addCVEs(text)
	case "cwe":
		it.addCWEs(text)
	case "bid", "osvdb", "edb-id", "secunia", "msft", "mskb", "iava", "iavb", "iavt":
		it.refer(name, text)
	case "metasploit_name":
		it.refer("MSF", text)
	case "xref":
		if kind, value, ok := strings.Cut(text, ":"); ok {
			it.refer(kind, value)
		}
	case "see_also":
		it.link(text)
	case "cvss4_vector":
		it.vectors.four = text
	case "cvss3_vector":
		it.vectors.three = text
	case "cvss_vector":
		it.vectors.two = text
	case "plugin_type":
		it.kind = strings.ToLower(text)
	case "plugin_name":
		if it.name == "" {
			it.name = intake.Cut(text, maxShort)
		}
	case "risk_factor":
		if it.severity == "" {
			it.severity = severity(text)
		}
	case "synopsis":
		it.synopsis = text
	case "description":
		it.description = text
	case "solution":
		it.solution = text
	case "plugin_output":
		it.output = text
	case "exploited_by_nessus":
		it.exploited = strings.EqualFold(text, "true")
	case "url", "uri":
		it.location = intake.Cut(text, maxShort)
	default:
		it.compliance.read(name, text)
	}
}

// finish draws the conclusions that need the whole item.
func (it *item) finish(h *host) {
	if it.family == "Policy Compliance" || strings.HasSuffix(it.name, "Compliance Checks") {
		it.compliance.fromText(it.description)
	}
	if it.severity != "info" && it.severity != "" {
		it.addCVEs(it.name) // "… Spring4Shell (CVE-2022-22965) Mitigations", which is not in the list
	}
	if h.url != "" && it.location == "" {
		it.location = firstURL(it.output)
		if it.location == "" {
			it.location = h.url
		}
	}
}

// firstURL is the first web address of a web application scan's output, where it was found.
func firstURL(text string) string {
	at := strings.Index(text, "http://")
	if s := strings.Index(text, "https://"); s >= 0 && (at < 0 || s < at) {
		at = s
	}
	if at < 0 {
		return ""
	}
	end := strings.IndexAny(text[at:], " \t\r\n'\"<>`)")
	if end < 0 {
		end = len(text) - at
	}
	return intake.Cut(text[at:at+end], maxShort)
}
