package nmap

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// ErrNoHosts says that nmap looked at nothing: its targets did not resolve, or nobody was there. That is not a clean
// result.
var ErrNoHosts = fault.NotFound("nmap scanned no host: its targets did not resolve or did not answer")

// maxPorts bounds the port elements of one host: all ports of tcp, udp and sctp.
const maxPorts = 3 * 65536

// Read turns nmap's XML into events, a host's as soon as its element is complete. A record (scan.Records) is a <port> of
// any state or a <script>, of a port, a host or the run:
//
//	open port                        ServiceSeen
//	script that found a weakness     Observation, with every CVE that it names
//	everything else                  Drop: informational when understood (closed ports, plain scripts), else with its reason
//
// Ports that nmap only counts (<extraports>) are no records. Coverage comes at the end of a run that ended well, for
// hosts that answered and ports that were not silent. Several documents may follow each other. The errors are scan.ErrTruncated,
// ErrNoHosts, fault.Invalid with the line, or that of nmap itself.
func (*Scanner) Read(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error {
	in := intake.Text(raw)
	if err := sniff(in); err != nil {
		return err
	}
	x := intake.NewXML(Name, in, intake.Limits{})
	total := 0
	for documents := 0; ; documents++ {
		root, err := x.Root("nmaprun")
		switch {
		case err == io.EOF && documents == 0:
			return fmt.Errorf("nmap %w: it is empty", scan.ErrTruncated)
		case err == io.EOF && total == 0:
			return ErrNoHosts
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case intake.Attr(root, "scanner") == "masscan":
			return fault.Invalid("this is masscan's report, not nmap's: import it as masscan")
		}
		d := &document{XML: x, ctx: ctx, emit: emit, ports: map[string][]finding.PortRange{}, scripts: argScripts(intake.Attr(root, "args"))}
		d.at = seconds(intake.Attr(root, "start"))
		if err := d.read(); err != nil {
			return err
		}
		total += max(d.hosts, d.seen) // other tools that write this format have no runstats
	}
}

// sniff recognises nmap's other outputs, which people import by mistake.
func sniff(in *bufio.Reader) error {
	head, _ := in.Peek(512)
	head = bytes.TrimLeft(head, " \t\r\n")
	switch {
	case bytes.HasPrefix(head, []byte("# Nmap")), bytes.HasPrefix(head, []byte("Starting Nmap")),
		bytes.HasPrefix(head, []byte("Host: ")), bytes.HasPrefix(head, []byte("Nmap scan report")):
		return fault.Invalid("this is nmap's normal or grepable output (-oN, -oG), which leaves out most of what it found: use the XML that -oX or -oA writes")
	case len(head) > 0 && head[0] != '<':
		return fault.Invalid("not an nmap report: it does not begin like XML")
	}
	return nil
}

// document is one <nmaprun> while it is read.
type document struct {
	*intake.XML
	ctx  context.Context
	emit func(finding.Event) error

	at       time.Time
	ports    map[string][]finding.PortRange // scaninfo: what was scanned, by protocol
	scripts  []string                       // named one by one on the command line
	hosts    int                            // as runstats counts them
	seen     int                            // host elements
	coverage []finding.Coverage
	failed   string // nmap's own error
}

func (d *document) read() error {
	err := d.Each(func(e xml.StartElement) error {
		if err := d.ctx.Err(); err != nil {
			return err
		}
		switch e.Name.Local {
		case "scaninfo":
			d.scaninfo(e)
		case "host":
			return d.host1(e)
		case "target":
			if err := d.target(e); err != nil {
				return err
			}
		case "prescript", "postscript":
			return d.runScripts()
		case "runstats":
			return d.runstats()
		}
		return d.Skip()
	})
	switch {
	case err != nil:
		return err
	case d.failed != "":
		return fault.Unavailable("nmap ended with an error: %s", d.failed)
	}
	for _, c := range d.coverage {
		if err := d.emit(finding.Event{Coverage: &c}); err != nil {
			return err
		}
	}
	return nil
}

// scaninfo notes which ports were scanned: services="1,3-4,6-7".
func (d *document) scaninfo(e xml.StartElement) {
	ranges, err := finding.ReadPorts(cutServices(intake.Attr(e, "services")))
	if err == nil {
		protocol := intake.Attr(e, "protocol")
		d.ports[protocol] = scan.MergePorts(append(d.ports[protocol], ranges...))
	}
}

// cutServices drops port 0, which nmap can scan and we do not number.
func cutServices(s string) string {
	s = strings.TrimPrefix(s, "0,")
	if rest, ok := strings.CutPrefix(s, "0-"); ok {
		return "1-" + rest
	}
	return s
}

// target is one that nmap could not even read.
func (d *document) target(e xml.StartElement) error {
	name := hostName(intake.Attr(e, "specification"))
	if name == "" || intake.Attr(e, "status") != "skipped" {
		return nil
	}
	return d.emit(finding.Event{Host: &finding.HostSeen{Names: []string{name}, Status: string(asset.Unknown),
		Reason: "nmap skipped it: " + intake.Cut(intake.Attr(e, "reason"), 100), At: d.at}})
}

// runScripts counts the scripts that ran once for the whole run: they speak of no host.
func (d *document) runScripts() error {
	scripts, err := d.scriptList()
	if err != nil || len(scripts) == 0 {
		return err
	}
	return d.emit(finding.Event{Drop: &finding.Drop{Reason: "script output about no host", Count: len(scripts), Informational: true}})
}

func (d *document) runstats() error {
	return d.Each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "finished":
			if intake.Attr(e, "exit") == "error" {
				d.failed = intake.Cut(intake.Attr(e, "errormsg"), 500)
				if d.failed == "" {
					d.failed = "no reason given"
				}
			}
		case "hosts":
			d.hosts, _ = strconv.Atoi(intake.Attr(e, "total"))
		}
		return d.Skip()
	})
}

// seconds reads a time in seconds; anything absurd is no time.
func seconds(s string) time.Time {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 || n > 1<<34 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

// argScripts finds the scripts that the command line names one by one: they ran on every host even where they said
// nothing, so that silence means the weakness is gone. Categories and patterns name no script.
func argScripts(args string) []string {
	var out []string
	fields := strings.Fields(intake.Cut(args, intake.MaxText))
	for i, f := range fields {
		list, ok := strings.CutPrefix(f, "--script=")
		if f == "--script" && i+1 < len(fields) {
			list, ok = fields[i+1], true
		}
		if !ok {
			continue
		}
		for name := range strings.SplitSeq(strings.Trim(list, `"'`), ",") {
			name = strings.TrimSuffix(name[strings.LastIndexByte(name, '/')+1:], ".nse")
			if scriptName.MatchString(name) && !categories[name] && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// host is one <host> element.
type host struct {
	at       time.Time
	timedOut bool
	status   string
	reason   string
	addr     netip.Addr
	mac      string
	names    []string
	ports    []port
	scanned  bool // has <ports>
	extra    []extra
	scripts  []script
	os       osGuess
	bad      map[string]int // records that make no sense, by reason
}

// port is one <port> element.
type port struct {
	protocol string
	number   uint16
	state    string
	reason   string
	service  service
	scripts  []script
}

// extra is ports that nmap only counts: state, and which where it says.
type extra struct {
	state string
	ports map[string][]finding.PortRange // by protocol; nil when the version does not say
}

// host1 reads one host and emits its events.
func (d *document) host1(e xml.StartElement) error {
	d.Record()
	h := host{at: seconds(intake.Attr(e, "endtime")), timedOut: intake.Attr(e, "timedout") == "true", bad: map[string]int{}}
	if h.at.IsZero() {
		h.at = seconds(intake.Attr(e, "starttime"))
	}
	if h.at.IsZero() {
		h.at = d.at
	}
	err := d.Each(func(e xml.StartElement) error { return d.hostPart(&h, e) })
	d.Done()
	if err != nil {
		return err
	}
	d.seen++
	return d.emitHost(&h)
}

func (d *document) hostPart(h *host, e xml.StartElement) (err error) {
	switch e.Name.Local {
	case "status":
		h.status, h.reason = intake.Attr(e, "state"), intake.Cut(intake.Attr(e, "reason"), 100)
	case "address":
		h.address(intake.Attr(e, "addrtype"), intake.Attr(e, "addr"))
	case "hostnames":
		return d.hostnames(h)
	case "ports":
		h.scanned = true
		return d.portList(h)
	case "hostscript":
		h.scripts, err = d.scriptList()
		return err
	case "os":
		h.os, err = d.osList()
		return err
	}
	return d.Skip()
}

func (h *host) address(kind, text string) {
	if kind == "mac" {
		if mac, err := net.ParseMAC(text); err == nil {
			h.mac = mac.String()
		}
		return
	}
	if addr, err := netip.ParseAddr(text); err == nil && !h.addr.IsValid() {
		h.addr = addr.Unmap()
	}
}

func (d *document) hostnames(h *host) error {
	return d.Each(func(e xml.StartElement) error {
		name := hostName(intake.Attr(e, "name"))
		if name != "" && len(h.names) < 32 && !slices.Contains(h.names, name) {
			h.names = append(h.names, name)
		}
		return d.Skip()
	})
}

// hostName is the name in the form that identifies a host, "" when it is none.
func hostName(s string) string {
	t, err := scan.ParseTarget(strings.ToLower(s))
	if err != nil || t.Kind != scan.KindName || t.Port != 0 {
		return ""
	}
	return t.Name
}

func (d *document) portList(h *host) error {
	return d.Each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "extraports":
			return d.extraports(h, intake.Attr(e, "state"))
		case "port":
			return d.port(h, e)
		}
		return d.Skip()
	})
}

func (d *document) extraports(h *host, state string) error {
	x := extra{state: state}
	err := d.Each(func(e xml.StartElement) error {
		ranges, err := finding.ReadPorts(cutServices(intake.Attr(e, "ports")))
		if e.Name.Local == "extrareasons" && err == nil && ranges != nil {
			if x.ports == nil {
				x.ports = map[string][]finding.PortRange{}
			}
			x.ports[intake.Attr(e, "proto")] = append(x.ports[intake.Attr(e, "proto")], ranges...)
		}
		return d.Skip()
	})
	h.extra = append(h.extra, x)
	return err
}

func (d *document) port(h *host, e xml.StartElement) error {
	p := port{protocol: intake.Attr(e, "protocol")}
	number, err := strconv.ParseUint(intake.Attr(e, "portid"), 10, 16)
	p.number = uint16(number)
	bad := ""
	switch {
	case err != nil || number == 0:
		bad = fmt.Sprintf("malformed: port number %q", intake.Cut(intake.Attr(e, "portid"), 20))
	case p.protocol != "tcp" && p.protocol != "udp":
		bad = fmt.Sprintf("protocol %q is not kept", intake.Cut(p.protocol, 20))
	case len(h.ports) >= maxPorts:
		return d.Fail(errors.New("a host has more ports than there are"))
	}
	if err := d.Each(func(e xml.StartElement) error { return d.portPart(&p, e) }); err != nil {
		return err
	}
	if bad != "" {
		h.bad[bad]++
		h.bad["script output of such a port"] += len(p.scripts)
		return nil
	}
	h.ports = append(h.ports, p)
	return nil
}

func (d *document) portPart(p *port, e xml.StartElement) error {
	switch e.Name.Local {
	case "state":
		p.state, p.reason = intake.Attr(e, "state"), intake.Cut(intake.Attr(e, "reason"), 100)
	case "service":
		return d.service(&p.service, e)
	case "script":
		s, err := d.script(e)
		p.scripts = append(p.scripts, s)
		return err
	}
	return d.Skip()
}
