package nessus

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// dialect is which product wrote a table. They differ in the names of columns only, of which every field knows all.
type dialect string

const (
	classic dialect = "Nessus"     // Plugin ID, CVE, CVSS, Risk, Host, …
	center  dialect = "Tenable.sc" // Plugin, Plugin Name, Family, Severity, IP Address, …
	cloud   dialect = "Tenable.io" // asset.…; definition.…
	explore dialect = "Tenable VM" // Asset Name, Plugin ID, Plugin Name, …
)

// needed are the columns that each dialect must have.
var needed = []struct {
	dialect dialect
	columns []string
}{
	{classic, []string{"plugin id", "risk", "host", "port", "name"}},
	{center, []string{"plugin", "plugin name", "severity", "ip address", "port"}},
	{center, []string{"plugin", "plugin name", "severity", "dns name", "port"}},
	{cloud, []string{"definition.id", "definition.name"}},
	{explore, []string{"plugin id", "plugin name", "severity", "asset name"}},
	{explore, []string{"plugin id", "plugin name", "severity", "ip address"}},
}

// dialectOf knows a table by the names of its columns.
func dialectOf(header []string) (dialect, bool) {
	have := map[string]bool{}
	for _, name := range header {
		have[strings.ToLower(strings.TrimSpace(name))] = true
	}
	for _, n := range needed {
		if !slices.ContainsFunc(n.columns, func(c string) bool { return !have[c] }) {
			return n.dialect, true
		}
	}
	return "", false
}

// The columns of each field, in all dialects. The first that is there and not blank counts.
var (
	columnPlugin      = []string{"Plugin ID", "Plugin", "definition.id"}
	columnName        = []string{"Plugin Name", "definition.name", "Name"}
	columnFamily      = []string{"Plugin Family", "Family", "definition.family"}
	columnSeverity    = []string{"Risk", "severity", "definition.severity", "Risk Factor"}
	columnProtocol    = []string{"Protocol"}
	columnPort        = []string{"Port"}
	columnCVE         = []string{"CVE", "CVEs", "definition.cve"}
	columnCWE         = []string{"CWE", "definition.cwe"}
	columnBID         = []string{"BID", "definition.bugtraq"}
	columnXref        = []string{"XREF", "Cross References"}
	columnReferences  = []string{"definition.references"}
	columnLinks       = []string{"See Also", "definition.see_also"}
	columnTwo         = []string{"CVSS v2.0 Vector", "CVSS V2 Vector", "CVSS Vector", "CVSSv2 Vector", "definition.cvss2.base_vector"}
	columnThree       = []string{"CVSS v3.0 Vector", "CVSS V3 Vector", "CVSS3 Vector", "CVSSv3 Vector", "definition.cvss3.base_vector"}
	columnFour        = []string{"CVSS v4.0 Vector", "CVSS V4 Vector", "CVSS4 Vector", "CVSSv4 Vector", "definition.cvss4.base_vector"}
	columnSynopsis    = []string{"Synopsis", "definition.synopsis"}
	columnDescription = []string{"Description", "definition.description"}
	columnSolution    = []string{"Solution", "Steps to Remediate", "definition.solution"}
	columnOutput      = []string{"Plugin Output", "Plugin Text", "output"}
	columnKind        = []string{"Check Type", "Plugin Type", "definition.type"}
	columnService     = []string{"Service"}
	columnExploited   = []string{"Exploited by Nessus", "definition.exploited_by_nessus"}
	columnState       = []string{"Vulnerability State", "state"}
	columnOS          = []string{"OS", "Operating System", "asset.operating_system"}
	columnMAC         = []string{"MAC Address", "asset.display_mac_address"}
	columnFixed       = []string{"Last Fixed", "last_fixed"}
	columnSeen        = []string{"Host End", "Last Observed", "Last Found", "Last Seen", "last_seen", "Indexed At"}

	columnAddresses = []string{"IP Address", "asset.display_ipv4_address", "asset.ipv4_addresses", "Host", "asset.name",
		"asset.display_ipv6_address", "asset.ipv6_addresses", "Asset Name"}
	columnNames = []string{"Host", "DNS Name", "FQDN", "asset.display_fqdn", "asset.host_name", "asset.name", "Asset Name",
		"NetBIOS Name", "NetBios", "asset.netbios_name"}
)

// readTable reads a table of any dialect. Its end cannot be told from a cut at the end of a row, so it covers nothing.
func readTable(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error {
	t := intake.NewTable(Name, raw, 0)
	if err := t.Header(); err != nil {
		return err
	}
	r := &rows{Table: t, emit: emit, told: map[hostKey]bool{}, ports: map[hostPort]bool{}}
	if r.dialect() == "" {
		return fault.Invalid("not a table of Nessus, Tenable.io or Tenable.sc: the first line has not the columns of any of them")
	}
	return r.read(ctx)
}

// read takes row after row. One that ends early waits for the next: at the end of the table it was cut off, unless the
// tool leaves out empty fields in other rows too.
func (r *rows) read(ctx context.Context) error {
	var waiting *pair
	usual := false
	for n := 0; ; n++ {
		if n%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		row, err := r.Next()
		if err == io.EOF && waiting != nil && !usual { //nolint:errorlint // Next returns it bare
			return fmt.Errorf("nessus %w: the last row has not all columns", scan.ErrTruncated)
		}
		if waiting != nil && (err == nil || err == io.EOF) { //nolint:errorlint // Next returns it bare
			usual = true
			if err := r.tellRow(*waiting); err != nil {
				return err
			}
			waiting = nil
		}
		switch {
		case err == io.EOF: //nolint:errorlint // Next returns it bare
			return nil
		case err != nil:
			return err
		case blank(row):
			continue
		}
		p := pair{r.host(), r.item()}
		if len(row) < r.Columns() {
			waiting = &p
			continue
		}
		if err := r.tellRow(p); err != nil {
			return err
		}
	}
}

// pair is what a row says.
type pair struct {
	host *host
	item *item
}

// blank rows are what spreadsheets leave behind.
func blank(row []string) bool {
	return !slices.ContainsFunc(row, func(field string) bool { return strings.TrimSpace(field) != "" })
}

// rows is a table while it is read.
type rows struct {
	*intake.Table
	emit  func(finding.Event) error
	told  map[hostKey]bool
	ports map[hostPort]bool // whose service was told
}

type hostKey struct {
	address netip.Addr
	name    string
}

// maxTold is how many hosts and how many ports are remembered as told. Beyond, hosts are told again, which changes nothing, and
// ports are not told.
const maxTold = 100_000

func (r *rows) dialect() dialect {
	for _, n := range needed {
		if !slices.ContainsFunc(n.columns, func(c string) bool { return !r.Has(c) }) {
			return n.dialect
		}
	}
	return ""
}

func (r *rows) tellRow(p pair) error {
	h, it := p.host, p.item
	it.finish(h)
	if !h.named() && it.bad == "" {
		it.bad = "names no host"
	}
	if it.bad == "" {
		if err := r.tell(h); err != nil {
			return err
		}
	}
	if e, ok := r.service(h, it); ok {
		return r.emit(e)
	}
	return r.emit(it.event(h.origin()))
}

// serving is how plugin 22964 says what answers at a port. Tables have no other word for it.
var serving = regexp.MustCompile(`(?i)\bAn? ([a-z0-9-]{2,20}) server is running on this port`)

// service makes the first row that names what answers at a port its ServiceSeen.
func (r *rows) service(h *host, it *item) (finding.Event, bool) {
	m := serving.FindStringSubmatch(it.output)
	if m == nil || it.plugin != "22964" || len(r.ports) >= maxTold {
		return finding.Event{}, false
	}
	it.service = strings.ToLower(m[1])
	if it.service == "web" {
		it.service = "www"
	}
	from := h.origin()
	at := hostPort{hostKey{from.address, from.name}, servicePort{it.protocol, it.port}}
	one := services{}
	if r.ports[at] || !one.take(it, from) {
		return finding.Event{}, false
	}
	at.name = strings.Clone(at.name)
	r.ports[at] = true
	return one.events()[0], true
}

type hostPort struct {
	hostKey
	servicePort
}

func (r *rows) tell(h *host) error {
	key := h.key()
	if r.told[key] {
		return nil
	}
	if len(r.told) >= maxTold {
		clear(r.told)
	}
	key.name = strings.Clone(key.name)
	r.told[key] = true
	return r.emit(h.event())
}

func (r *rows) host() *host {
	h := &host{}
	for _, column := range columnAddresses {
		for _, word := range list(r.Get(column)) {
			if addr, err := netip.ParseAddr(word); err == nil && !h.address.IsValid() && !addr.IsLinkLocalUnicast() {
				h.call(word)
			}
		}
	}
	for _, column := range columnNames {
		if name := r.Get(column); name != "" && !isAddress(name) {
			h.call(name)
		}
	}
	for _, word := range list(r.Get(columnMAC...)) {
		h.mac(word)
	}
	h.os = intake.Cut(oneLine(r.Get(columnOS...)), 255)
	h.end = when(r.Get(columnSeen...))
	if gone := when(r.Get(columnFixed...)); r.fixed() && !gone.IsZero() {
		h.end = gone
	}
	return h
}

func isAddress(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}

func (r *rows) fixed() bool { return strings.EqualFold(r.Get(columnState...), "fixed") }

func (r *rows) item() *item {
	it := &item{name: intake.Cut(r.Get(columnName...), maxShort), family: r.Get(columnFamily...), service: r.Get(columnService...),
		kind: strings.ToLower(r.Get(columnKind...)), synopsis: r.Get(columnSynopsis...), description: r.Get(columnDescription...),
		solution: r.Get(columnSolution...), exploited: strings.EqualFold(r.Get(columnExploited...), "true"), fixed: r.fixed()}
	it.setPlugin(r.Get(columnPlugin...))
	protocol := r.Get(columnProtocol...)
	it.setPlace(protocol, r.Get(columnPort...))
	it.output = strings.TrimSpace(strings.TrimPrefix(r.Get(columnOutput...), "Plugin Output:"))
	if strings.HasPrefix(it.protocol, "http") { // of a web application scan, which has no ports
		it.location = firstURL(it.output)
	}
	rating := r.Get(columnSeverity...)
	it.severity, it.compliance.result = severity(rating), complianceResult(rating)
	if it.severity != "" {
		it.compliance.result = ""
	}
	it.vectors = vectors{two: r.Get(columnTwo...), three: r.Get(columnThree...), four: r.Get(columnFour...)}
	it.addCVEs(r.Get(columnCVE...))
	it.addCWEs(r.Get(columnCWE...))
	it.link(r.Get(columnLinks...))
	r.references(it)
	return it
}

// grouped is a list of numbers that a spreadsheet took for one and wrote with separators of thousands: what the list was
// cannot be told any more.
var grouped = regexp.MustCompile(`^\d{1,3}(,\d{3}){2,}$`)

// bracketed are Tenable.io's references: "CVE=[CVE-2023-21835], IAVA=[2023-A-0042]".
var bracketed = regexp.MustCompile(`([A-Z][A-Z0-9_-]{1,30})=\[([^\]]+)\]`)

func (r *rows) references(it *item) {
	if bids := r.Get(columnBID...); !grouped.MatchString(bids) {
		for _, id := range list(bids) {
			it.refer("BID", id)
		}
	}
	for _, part := range strings.FieldsFunc(r.Get(columnXref...), func(c rune) bool { return c == ',' || c == ';' || c == '\n' }) {
		kind, value, ok := strings.Cut(part, ":")
		if sharp, number, has := strings.Cut(part, "#"); has && len(sharp) < len(kind) { // Tenable.sc: "CERT #836068"
			kind, value, ok = sharp, number, true
		}
		if ok {
			it.refer(kind, value)
		}
	}
	for _, m := range bracketed.FindAllStringSubmatch(r.Get(columnReferences...), 100) {
		for _, value := range list(m[2]) {
			if kind := m[1]; kind == "BUGTRAQ" {
				it.refer("BID", value)
			} else {
				it.refer(kind, value)
			}
		}
	}
}
