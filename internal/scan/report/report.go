// Package report reads the reports of tools that we do not run ourselves: one format a file. It never runs a tool, never
// holds more of a report than one record and what all records need, and never invents what a report does not say.
package report

import (
	"cmp"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// All lists the readers in the order in which they are asked whether a report is theirs. The generic ones come last.
func All() []scan.Reader {
	return []scan.Reader{
		sarif{},
		trivy{},
		grype{},
		cyclonedx{},
		openvex{},
		csaf{},
		zap{},
		burp{},
		qualys{},
		testssl{},
		sshaudit{},
		wapiti{},
		masscan{},
		generic{},
	}
}

// maxHosts is how many hosts a reader remembers to have told of. Telling of one again does no harm.
const maxHosts = 50_000

// out is where the events of one report go. Its methods return what emit returns.
type out struct {
	emit func(finding.Event) error
	told map[hostKey]bool
}

type hostKey struct {
	address netip.Addr
	name    string // only without an address
}

func newOut(emit func(finding.Event) error) *out { return &out{emit: emit, told: map[hostKey]bool{}} }

// host tells of a host unless the report did before. One that has neither address nor name is the importer's to name.
func (o *out) host(h finding.HostSeen) error {
	if !h.Address.IsValid() && len(h.Names) == 0 {
		return nil
	}
	key := hostKey{address: h.Address}
	if !h.Address.IsValid() {
		key.name = h.Names[0]
	}
	if o.told[key] {
		return nil
	}
	if len(o.told) < maxHosts {
		o.told[key] = true
	}
	if h.Status == "" {
		h.Status = string(asset.Unknown)
	}
	return o.emit(finding.Event{Host: &h})
}

// observe tells of a record that found something, and of its host before it. Texts are cut to what is kept.
func (o *out) observe(obs finding.Observation) error {
	h := finding.HostSeen{Address: obs.Address, Status: string(asset.Up), At: obs.At}
	if obs.HostName != "" {
		h.Names = []string{obs.HostName}
	}
	if obs.Address.IsValid() {
		obs.HostName = ""
	}
	if err := o.host(h); err != nil {
		return err
	}
	if obs.Severity == "none" {
		obs.Severity = "info"
	}
	obs.Title = intake.Cut(oneLine(obs.Title), maxShort)
	obs.Check = intake.Cut(oneLine(obs.Check), maxShort)
	for _, text := range []*string{&obs.Output, &obs.Location, &obs.Remedy} {
		*text = intake.Cut(*text, intake.MaxText)
	}
	if len(obs.References) > maxReferences {
		obs.References = obs.References[:maxReferences]
	}
	return o.emit(finding.Event{Observation: &obs})
}

// maxShort is what is kept of a title or an id, maxReferences of a list of links.
const (
	maxShort      = 1 << 10
	maxReferences = 50
)

// How sure a record is, on the scale of design decision 5.
const (
	fromPackages = 97 // the package manager's or the lock file's own word
	fromCheck    = 95 // the tool looked at the very setting
	fromPattern  = 70 // a pattern in code or in an answer
	fromCPE      = 60 // the name of a package only looks like a product's
	toReview     = 40 // the tool asks a person to look
)

// note counts a record that was understood and holds no finding.
func (o *out) note(reason string) error {
	return o.emit(finding.Event{Drop: &finding.Drop{Reason: reason, Count: 1, Informational: true}})
}

// drop counts a record that could not be used. The reason is a fixed text, without anything from the report.
func (o *out) drop(reason string) error {
	return o.emit(finding.Event{Drop: &finding.Drop{Reason: reason, Count: 1}})
}

// cry tells of an observation, or counts it as informational when it is of no consequence and names no CVE: nobody needs
// a finding that says that all is well.
func (o *out) cry(obs finding.Observation) error {
	if (obs.Severity == "info" || obs.Severity == "none") && len(obs.CVEs) == 0 && !obs.Passed && obs.Compliance == nil {
		return o.note("of no severity")
	}
	return o.observe(obs)
}

// scored is a CVSS vector and who gave it.
type scored struct{ source, vector string }

// newest is the vector of the newest version, of several the one by the first of prefer, then by name of the source.
func newest(list []scored, prefer ...string) string {
	best, rank := scored{}, 0
	for _, s := range list {
		if s.vector = finding.VectorIn(s.vector); s.vector == "" {
			continue
		}
		r := slices.Index(prefer, strings.ToLower(s.source))
		if r < 0 {
			r = len(prefer)
		}
		older := cmp.Or(-strings.Compare(edition(s.vector), edition(best.vector)), cmp.Compare(r, rank), strings.Compare(s.source, best.source))
		if best.vector == "" || older < 0 {
			best, rank = s, r
		}
	}
	return best.vector
}

// edition is the version of a canonical vector, "" for 2.0.
func edition(vector string) string {
	version, _, ok := strings.Cut(strings.TrimPrefix(vector, "CVSS:"), "/AV")
	if !ok {
		return ""
	}
	return version
}

// upgrade is the remedy for a package.
func upgrade(name, fixed string) string {
	if fixed == "" {
		return ""
	}
	return "Upgrade " + name + " to " + fixed
}

// sentences joins what is not empty, as paragraphs.
func sentences(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return strings.TrimSpace(s) == "" }), "\n")
}

// reflist leaves of references what is a link or a short id, each once.
func reflist(lists ...[]string) (refs []string) {
	for _, list := range lists {
		for _, ref := range list {
			if ref = strings.TrimSpace(ref); ref != "" && len(ref) <= maxShort && len(refs) < maxReferences && !slices.Contains(refs, ref) {
				refs = append(refs, ref)
			}
		}
	}
	return refs
}

// distinct leaves the first of equal numbers.
func distinct(list []int) (out []int) {
	for _, n := range list {
		if !slices.Contains(out, n) && len(out) < maxReferences {
			out = append(out, n)
		}
	}
	return out
}

// cwes reads the numbers of a list of CWEs, each once.
func cwes(list []string) (out []int) {
	for _, s := range list {
		if n := finding.CWEOf(s); n > 0 && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// severity translates a tool's word: critical, high, medium, low, info, none; "" for what is none of them.
func severity(word string) string {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "critical", "crit", "urgent", "fatal", "blocker":
		return "critical"
	case "high", "error", "important", "serious", "major":
		return "high"
	case "medium", "moderate", "warning", "warn", "med":
		return "medium"
	case "low", "minor", "negligible":
		return "low"
	case "info", "informational", "information", "note", "log", "trivial":
		return "info"
	case "none":
		return "none"
	}
	return ""
}

// graded is the word for a CVSS score as a tool writes it ("7.5"), "" where it is none.
func graded(score string) string {
	f, err := strconv.ParseFloat(strings.TrimSpace(score), 64)
	if err != nil || f < 0 || f > 10 {
		return ""
	}
	if f == 0 {
		return "none"
	}
	return cve.Severity(f)
}

// endpoint is a place as tools write it: a URL, host:port, a name or an address.
type endpoint struct {
	address  netip.Addr
	host     string // the name, or the address as text
	port     uint16 // 0 where neither the text nor the scheme says
	scheme   string // lower case, "" where there is none
	path     string // with query, "" where there is none
	protocol string // "tcp" when port is not 0
}

// name is the host's name when it is no address.
func (e endpoint) name() string {
	if e.address.IsValid() {
		return ""
	}
	return e.host
}

// named is the host's name, also beside an address; "" where only the address is known.
func (e endpoint) named() string {
	if _, err := netip.ParseAddr(e.host); err == nil {
		return ""
	}
	return e.host
}

// place splits a place. Without a host in it the result has none.
func place(text string) endpoint {
	text = strings.TrimSpace(text)
	if len(text) > 8<<10 || strings.ContainsAny(text, "\x00\n\r") {
		return endpoint{}
	}
	var e endpoint
	if before, _, ok := strings.Cut(text, "://"); ok && !strings.ContainsAny(before, "/?#[]@") {
		u, err := url.Parse(text)
		if err != nil {
			return plainPlace(text)
		}
		e.scheme, e.path = strings.ToLower(u.Scheme), u.RequestURI()
		e.setHost(u.Hostname())
		e.setPort(u.Port())
		return e
	}
	e.setAuthority(text)
	return e
}

// plainPlace splits what net/url refuses, such as a path with a bare percent sign.
func plainPlace(text string) endpoint {
	var e endpoint
	scheme, rest, _ := strings.Cut(text, "://")
	e.scheme = strings.ToLower(scheme)
	i := strings.IndexAny(rest, "/?#")
	if i >= 0 {
		rest, e.path = rest[:i], rest[i:]
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 { // credentials
		rest = rest[i+1:]
	}
	e.setAuthority(rest)
	return e
}

// setAuthority reads host, host:port, an address of either family or [address]:port.
func (e *endpoint) setAuthority(text string) {
	if i := strings.IndexAny(text, "/?#"); i >= 0 {
		text, e.path = text[:i], text[i:]
	}
	host, port := text, ""
	if rest, ok := strings.CutPrefix(text, "["); ok {
		host, port, _ = strings.Cut(rest, "]")
		port = strings.TrimPrefix(port, ":")
	} else if strings.Count(text, ":") == 1 {
		host, port, _ = strings.Cut(text, ":")
	}
	e.setHost(host)
	e.setPort(port)
}

func (e *endpoint) setHost(host string) {
	e.host = strings.TrimSuffix(strings.TrimSpace(host), ".")
	if a, err := netip.ParseAddr(e.host); err == nil {
		e.address = a
	} else if asset.NameValue(e.host) == "" {
		e.host = ""
	}
}

// setPort takes the port, or the scheme's own where there is none.
func (e *endpoint) setPort(text string) {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 16)
	if err != nil || n == 0 {
		n = schemePorts[e.scheme]
	}
	if e.port = uint16(n); n != 0 { //nolint:gosec // parsed as 16 bits
		e.protocol = "tcp"
	}
}

var schemePorts = map[string]uint64{
	"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21, "ftps": 990, "ssh": 22, "smtp": 25, "ldap": 389, "ldaps": 636,
}

// portNumber reads a port, 0 for what is none.
func portNumber(text string) uint16 {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 16)
	if err != nil {
		return 0
	}
	return uint16(n)
}

// oneLine makes a text fit a line.
func oneLine(text string) string {
	if strings.ContainsAny(text, "\n\r\t") {
		return strings.Join(strings.Fields(text), " ")
	}
	return strings.TrimSpace(text)
}
