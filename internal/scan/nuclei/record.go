package nuclei

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/jsonstream"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// record is one result, by the keys of all versions.
type record struct {
	template, matcher, extractor, kind string
	host, port, scheme, url, path      string
	matchedAt, ip                      string
	at                                 time.Time
	matched                            bool // matcher-status, true where it is missing
	failed                             string
	extracted                          []string
	request, response                  string
	parameter                          string // that was fuzzed

	name, severity, description, remedy, vector string
	references, cves, cwes, tags                []string
}

const (
	maxList = 200
	maxPart = 4 << 10 // bytes of a request or response that are kept
)

// decode reads one object; the decoder's error tells whether it could.
func decode(d *jsonstream.Decoder) *record {
	r := &record{matched: true}
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "template-id", "templateID", "template_id":
			r.template = text(d)
		case "info":
			r.info(d)
		case "matcher-name", "matcher_name":
			r.matcher = text(d)
		case "extractor-name", "extractor_name":
			r.extractor = text(d)
		case "type":
			r.kind = text(d)
		case "host":
			r.host = text(d)
		case "port":
			r.port = text(d)
		case "scheme":
			r.scheme = text(d)
		case "url":
			r.url = text(d)
		case "path":
			r.path = text(d)
		case "matched-at", "matched", "matched_at":
			r.matchedAt = text(d)
		case "ip":
			r.ip = text(d)
		case "timestamp":
			r.at = moment(text(d))
		case "matcher-status", "matcher_status":
			if d.Kind() == jsonstream.Bool {
				r.matched = d.Bool()
			} else {
				d.Skip()
			}
		case "error":
			r.failed = text(d)
		case "extracted-results", "extracted_results":
			r.extracted = texts(d)
		case "request":
			r.request = part(d)
		case "response":
			r.response = part(d)
		case "fuzzing_parameter":
			r.parameter = text(d)
		default:
			d.Skip()
		}
	}
	return r
}

func (r *record) info(d *jsonstream.Decoder) {
	if d.Kind() != jsonstream.Object {
		d.Skip()
		return
	}
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "name":
			r.name = text(d)
		case "severity":
			r.severity = text(d)
		case "description":
			r.description = text(d)
		case "remediation":
			r.remedy = text(d)
		case "reference", "references":
			r.references = texts(d)
		case "tags":
			r.tags = texts(d)
		case "classification":
			r.classification(d)
		default:
			d.Skip()
		}
	}
}

func (r *record) classification(d *jsonstream.Decoder) {
	if d.Kind() != jsonstream.Object {
		d.Skip()
		return
	}
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "cve-id", "cve_id":
			r.cves = texts(d)
		case "cwe-id", "cwe_id":
			r.cwes = texts(d)
		case "cvss-metrics", "cvss_metrics":
			r.vector = text(d)
		default:
			d.Skip()
		}
	}
}

// text reads a string or number; what else stands there is skipped.
func text(d *jsonstream.Decoder) string {
	switch d.Kind() {
	case jsonstream.String:
		return intake.Cut(d.Text(), intake.MaxText)
	case jsonstream.Number:
		f, _ := d.Float()
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	d.Skip()
	return ""
}

// texts reads a string, a list of strings or null.
func texts(d *jsonstream.Decoder) []string {
	if d.Kind() != jsonstream.Array {
		if s := text(d); s != "" {
			return []string{s}
		}
		return nil
	}
	var out []string
	for d.Array(); d.More(); {
		if s := text(d); s != "" && len(out) < maxList {
			out = append(out, s)
		}
	}
	return out
}

// part reads the beginning of a request or response.
func part(d *jsonstream.Decoder) string {
	if d.Kind() != jsonstream.String {
		d.Skip()
		return ""
	}
	b := d.Bytes()
	return intake.Cut(string(b[:min(len(b), maxPart+4)]), maxPart)
}

func moment(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() < 2000 {
		return time.Time{}
	}
	return t.UTC()
}

// place is where a result was seen.
type place struct {
	addr netip.Addr
	name string
	port uint16
}

// hostless are the protocols whose results are the host's, not a port's.
var hostless = map[string]bool{"dns": true, "whois": true, "file": true, "code": true}

// where reads the host out of ip, matched-at, url and host, the port out of matched-at, port, url and host: that is the
// order in which they are about the match and not about the target.
func (r *record) where() place {
	var p place
	ip := strings.Trim(strings.TrimSpace(r.ip), "[].")
	if addr, err := netip.ParseAddr(ip); err == nil && !addr.IsUnspecified() {
		p.addr = addr.Unmap()
	}
	var ports []uint16
	order := []string{r.matchedAt, r.url, r.host}
	if hostless[r.kind] { // matched-at is a record below the host's name
		order = []string{r.host, r.url, r.matchedAt}
	}
	for i, text := range order {
		name, addr, port := endpoint(text)
		if !p.addr.IsValid() && addr.IsValid() {
			p.addr = addr
		}
		if p.name == "" && name != "" {
			p.name = name
		}
		ports = append(ports, port)
		if i == 0 {
			ports = append(ports, portOf(r.port))
		}
	}
	if !hostless[r.kind] {
		if i := slices.IndexFunc(ports, func(p uint16) bool { return p != 0 }); i >= 0 {
			p.port = ports[i]
		}
	}
	return p
}

// endpoint takes "https://host:port/path", "host:port", "host" or an address apart.
func endpoint(text string) (name string, addr netip.Addr, port uint16) {
	text = strings.TrimSpace(intake.Cut(text, 4<<10))
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		scheme, rest = "", text
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	host := rest
	if h, p, err := net.SplitHostPort(rest); err == nil {
		host, port = h, portOf(p)
	}
	if port == 0 {
		port = map[string]uint16{"http": 80, "https": 443}[strings.ToLower(scheme)]
	}
	host = strings.ToLower(strings.Trim(host, "[]."))
	if a, err := netip.ParseAddr(host); err == nil {
		return "", a.Unmap(), port
	}
	if host == "" || len(host) > 253 || strings.ContainsFunc(host, func(r rune) bool {
		return r != '-' && r != '.' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	}) {
		return "", netip.Addr{}, port
	}
	return host, netip.Addr{}, port
}

func portOf(text string) uint16 {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 16)
	if err != nil {
		return 0
	}
	return uint16(n)
}

// observation is the result as evidence. The check is `nuclei:<template-id>:<matcher-name>:<path>`: the extractor's name where
// no matcher has one; the path of matched-at without its query, which often has random parts, but with the name of a fuzzed
// parameter.
func (r *record) observation(at place) *finding.Observation {
	o := &finding.Observation{Address: at.addr, Port: at.port, Protocol: "tcp", Check: r.check(), CVEs: r.ids(), Title: r.title(), Output: r.output(),
		Location: r.location(), Remedy: r.remedy, Vector: vector(r.vector), Confidence: r.confidence(), At: r.at, Severity: severity(r.severity),
		CWEs: numbers(r.cwes), References: links(r.references)}
	if at.port == 0 {
		o.Protocol = ""
	}
	if !at.addr.IsValid() {
		o.HostName = at.name
	}
	return o
}

func (r *record) check() string {
	matcher := r.matcher
	if matcher == "" {
		matcher = r.extractor
	}
	path := ""
	if _, rest, ok := strings.Cut(r.matchedAt, "://"); ok {
		rest, _, _ = strings.Cut(rest, "#")
		rest, _, _ = strings.Cut(rest, "?")
		_, path, _ = strings.Cut(rest, "/")
		path = "/" + path
	}
	if r.parameter != "" {
		path += "?" + r.parameter
	}
	return "nuclei:" + word(r.template, 200) + ":" + word(matcher, 200) + ":" + word(path, 600)
}

// word makes one word of hostile text.
func word(s string, n int) string {
	return intake.Cut(strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f && r <= 0xa0 || r == 0xfffd {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(s, "_")), n)
}

func (r *record) title() string {
	name := strings.Join(strings.Fields(r.name), " ")
	if name == "" {
		name = word(r.template, 200)
	}
	if r.matcher != "" {
		name += " (" + word(r.matcher, 100) + ")"
	}
	return intake.Cut(name, 300)
}

// location is where it matched, without a user and password.
func (r *record) location() string {
	text := intake.Cut(r.matchedAt, 1000)
	if u, err := url.Parse(text); err == nil && u.User != nil {
		u.User = nil
		return u.String()
	}
	return text
}

var cveText = regexp.MustCompile(`(?i)\bCVE[-_](\d{4})-(\d{4,19})\b`)

// ids are the CVEs of the classification and of the template's id; only where there are none those of its name, and of the
// references of a template that is no mere note.
func (r *record) ids() []cve.ID {
	out := cves(append(slices.Clone(r.cves), r.template))
	if len(out) == 0 {
		out = cves([]string{r.name})
	}
	if s := severity(r.severity); len(out) == 0 && s != "info" {
		out = cves(r.references)
	}
	return out
}

func cves(texts []string) []cve.ID {
	var out []cve.ID
	for _, text := range texts {
		for _, m := range cveText.FindAllStringSubmatch(text, -1) {
			id, err := cve.ParseID("CVE-" + m[1] + "-" + m[2])
			if err == nil && !slices.Contains(out, id) && len(out) < maxList {
				out = append(out, id)
			}
		}
	}
	return out
}

var cweText = regexp.MustCompile(`(?i)\bCWE[-_:](\d{1,5})\b`)

func numbers(texts []string) []int {
	var out []int
	for _, text := range texts {
		for _, m := range cweText.FindAllStringSubmatch(text, -1) {
			if n, err := strconv.Atoi(m[1]); err == nil && n > 0 && !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	return out
}

// links cuts the addresses out of lists, which old versions join by line ends and dashes.
func links(texts []string) []string {
	var out []string
	for _, text := range texts {
		for _, w := range strings.Fields(text) {
			u, err := url.Parse(w)
			if err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && len(w) <= 500 && len(out) < 50 {
				out = append(out, w)
			}
		}
	}
	return out
}

// severity is the tool's word in ours; "unknown" and what nobody knows is "".
func severity(word string) string {
	switch word = strings.ToLower(strings.TrimSpace(word)); word {
	case "critical", "high", "medium", "low", "info":
		return word
	case "informational", "none":
		return "info"
	}
	return ""
}

var vectorText = regexp.MustCompile(`^(?:CVSS:)?([234]\.[01])/([A-Za-z0-9:/]{10,200})$`)

// vector is spelt as CVSS does; old templates leave its beginning out.
func vector(text string) string {
	if m := vectorText.FindStringSubmatch(strings.TrimSpace(text)); m != nil {
		return "CVSS:" + m[1] + "/" + m[2]
	}
	return ""
}

// confidence is 95 where the template drew the answer that proves it, 80 where it read a version or a name.
func (r *record) confidence() int {
	if strings.HasSuffix(r.template, "-version") || strings.HasSuffix(r.template, "-detect") || strings.HasSuffix(r.template, "-detection") ||
		slices.ContainsFunc(r.tags, func(t string) bool { return t == "passive" || t == "tech" || t == "detect" }) {
		return 80
	}
	return 95
}

// output is what a person needs to believe it: the description, what was extracted, the request and the answer.
func (r *record) output() string {
	var b strings.Builder
	add := func(heading, text string) {
		if text = strings.TrimSpace(text); text != "" {
			if b.Len() > 0 {
				b.WriteString("\n\n")
			}
			b.WriteString(heading + text)
		}
	}
	add("", intake.Cut(r.description, maxPart))
	add("Extracted: ", intake.Cut(strings.Join(r.extracted, "\n"), maxPart))
	add("Request:\n", masked(r.request))
	add("Response:\n", masked(r.response))
	return intake.Cut(b.String(), intake.MaxText)
}

// credentials are the headers that would let a reader of the report in.
var credentials = []string{"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-auth-token", "x-csrf-token"}

// masked hides their values.
func masked(text string) string {
	var b strings.Builder
	for line := range strings.SplitAfterSeq(text, "\n") {
		name, _, ok := strings.Cut(line, ":")
		isHeader := func(header string) bool { return strings.EqualFold(header, strings.TrimSpace(name)) }
		if !ok || len(name) > 30 || !slices.ContainsFunc(credentials, isHeader) {
			b.WriteString(line)
			continue
		}
		b.WriteString(name + ": ***" + line[len(strings.TrimRight(line, "\r\n")):])
	}
	return b.String()
}
