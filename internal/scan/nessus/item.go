package nessus

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// item is a ReportItem or a row of a table: what one plugin says of one port of one host.
type item struct {
	plugin   string
	name     string
	family   string
	kind     string // plugin_type: local, remote, combined, summary, settings, …
	service  string // svc_name
	protocol string
	port     uint16
	bad      string // why the record cannot be used, a fixed text

	severity    string // critical, high, medium, low, info; "" where nothing is said
	cves        []cve.ID
	cwes        []int
	vectors     vectors
	synopsis    string
	description string
	solution    string
	output      string
	location    string
	references  []string
	exploited   bool // Nessus itself used the weakness
	fixed       bool // the table says that it is gone
	compliance  compliance
}

// origin is where an item was seen and under what.
type origin struct {
	address netip.Addr
	name    string // only when address is invalid
	at      time.Time
	policy  string // "" is not known
	login   login
}

// maxList bounds the CVEs and CWEs of one item, maxReferences its references; a kernel update names some hundreds of CVEs.
const (
	maxList       = 4096
	maxReferences = 200
)

// event is what the item becomes, apart from the services, which the host keeps (see services).
func (it *item) event(from origin) finding.Event {
	switch {
	case it.bad != "":
		return dropped(it.bad)
	case it.compliance.result != "":
		return it.complianceEvent(from)
	case len(it.cves) == 0 && (it.severity == "info" || it.severity == ""):
		return informational("no severity")
	}
	return finding.Event{Observation: it.observation(from)}
}

func dropped(reason string) finding.Event {
	return finding.Event{Drop: &finding.Drop{Reason: reason, Count: 1}}
}

func informational(reason string) finding.Event {
	return finding.Event{Drop: &finding.Drop{Reason: reason, Count: 1, Informational: true}}
}

func (it *item) observation(from origin) *finding.Observation {
	o := &finding.Observation{
		Address: from.address, Protocol: it.protocol, Port: it.port, Check: Name + ":" + it.plugin, CVEs: it.cves,
		Title: it.name, Output: it.evidence(), Location: it.location, Remedy: remedy(it.solution), Vector: it.vectors.best(),
		Confidence: it.confidence(), At: from.at, Severity: it.severity, CWEs: it.cwes, References: it.references,
		FixedIn: fixedIn(it.output), Policy: it.policy(from), Passed: it.fixed,
	}
	if !from.address.IsValid() {
		o.HostName = from.name
	}
	if o.Port == 0 {
		o.Protocol = "" // the host itself: Nessus writes "tcp" for want of a better word
	}
	if o.Title == "" {
		o.Title = it.synopsis
	}
	return o
}

// evidence is what the plugin saw, or what it says in general when it tells nothing of this host.
func (it *item) evidence() string {
	for _, text := range []string{it.output, it.description, it.synopsis} {
		if text != "" {
			return intake.Cut(text, intake.MaxText)
		}
	}
	return ""
}

// remedy leaves out what Nessus writes where there is nothing to do.
func remedy(solution string) string {
	if strings.EqualFold(solution, "n/a") || strings.EqualFold(solution, "none") {
		return ""
	}
	return solution
}

var fixedLine = regexp.MustCompile(`(?mi)^[ \t]*fixed (?:version|release|package)s?[ \t]*:[ \t]*v?(\d[^\s,;/]{0,60})[ \t]*\r?$`)

// fixedIn is the version that the output names as fixed, if it names just one.
func fixedIn(output string) string {
	found := ""
	for _, m := range fixedLine.FindAllStringSubmatch(output, 20) {
		if found != "" && found != m[1] {
			return ""
		}
		found = m[1]
	}
	return found
}

// confidence is how sure a plugin is of what it says, on OpenVAS' scale of the quality of detection (design decision 5).
// The first row that fits counts.
//
//	99  exploited_by_nessus: it used the weakness
//	97  local check: read on the host itself, from the package manager, the registry or files
//	80  the text says that a version was believed which the service tells of itself: it may be patched all the same
//	98  there is proof in the output, or the text says that the plugin did it
//	90  any other remote check: it saw how the service behaves
func (it *item) confidence() int {
	switch {
	case it.exploited:
		return 99
	case it.local():
		return 97
	case says(it.description, "has not tested for", "relied only on the application's self-reported", "self-reported version",
		"according to its banner", "according to its version", "according to the banner"):
		return 80
	case says(it.description, "nessus was able to", "it was possible to") || says(it.output, "to confirm the presence of the vulnerability, this proof", "nessus was able to exploit"):
		return 98
	}
	return 90
}

// local says that the check needs to be logged in to the host.
func (it *item) local() bool {
	return it.kind == "local" || strings.HasSuffix(it.family, "Local Security Checks") || it.family == "Windows : Microsoft Bulletins" ||
		it.family == "Policy Compliance"
}

func says(text string, phrases ...string) bool {
	if text == "" {
		return false
	}
	text = strings.ToLower(strings.Join(strings.Fields(text[:min(len(text), 8<<10)]), " "))
	return slices.ContainsFunc(phrases, func(p string) bool { return strings.Contains(text, p) })
}

// setPlace reads protocol and port as written.
func (it *item) setPlace(protocol, port string) {
	it.protocol = strings.ToLower(protocol)
	if port = strings.TrimSpace(port); port == "" {
		return
	}
	n, err := strconv.ParseUint(strings.TrimSuffix(port, ".0"), 10, 16)
	switch {
	case err != nil:
		it.bad = "malformed: port"
	case n != 0 && it.protocol != "tcp" && it.protocol != "udp":
		it.bad = "a protocol other than tcp and udp"
	}
	it.port = uint16(n)
}

var pluginID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,40}$`)

func (it *item) setPlugin(id string) {
	if it.plugin = id; !pluginID.MatchString(id) {
		it.plugin, it.bad = "", "malformed: plugin id"
	}
}

// severities are the words by number, and those of the tables.
var severities = map[string]string{
	"0": "info", "1": "low", "2": "medium", "3": "high", "4": "critical",
	"none": "info", "info": "info", "informational": "info", "low": "low", "medium": "medium", "high": "high", "critical": "critical",
	"serious": "high", "moderate": "medium",
}

func severity(text string) string { return severities[strings.ToLower(strings.TrimSpace(text))] }

// addCVEs takes every CVE that the text names.
func (it *item) addCVEs(text string) {
	if id, err := cve.ParseID(text); err == nil { // nothing else, the usual case
		it.addCVE(id)
		return
	}
	for _, id := range finding.CVEsIn(text) {
		it.addCVE(id)
	}
}

func (it *item) addCVE(id cve.ID) {
	if len(it.cves) < maxList && !slices.Contains(it.cves, id) {
		it.cves = append(it.cves, id)
	}
}

// addCWEs takes the numbers of a list.
func (it *item) addCWEs(text string) {
	for _, word := range list(text) {
		if n := finding.CWEOf(word); n > 0 && len(it.cwes) < maxList && !slices.Contains(it.cwes, n) {
			it.cwes = append(it.cwes, n)
		}
	}
}

// refer notes a reference. CWEs and CVEs among them are more than that.
func (it *item) refer(kind, value string) {
	kind, value = strings.ToUpper(strings.TrimSpace(kind)), strings.TrimSpace(value)
	if value == "" || len(value) > 200 || len(it.references) >= maxReferences {
		return
	}
	switch kind {
	case "CWE":
		it.addCWEs(value)
		return
	case "CVE":
		it.addCVEs(value)
		return
	}
	if ref := kind + ":" + value; !slices.Contains(it.references, ref) {
		it.references = append(it.references, ref)
	}
}

// link notes the web addresses of a text; they go before what refer noted, being of more use.
func (it *item) link(text string) {
	for _, word := range list(text) {
		if (strings.HasPrefix(word, "http://") || strings.HasPrefix(word, "https://")) && len(word) < 2<<10 &&
			len(it.references) < maxReferences && !slices.Contains(it.references, word) {
			at := slices.IndexFunc(it.references, func(r string) bool { return !strings.HasPrefix(r, "http") })
			if at < 0 {
				at = len(it.references)
			}
			it.references = slices.Insert(it.references, at, word)
		}
	}
}

// list splits at blanks, commas and semicolons.
func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\n' || r == '\r' || r == '\t' || r == ',' || r == ';' })
}
