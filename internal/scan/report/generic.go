package report

import (
	"cmp"
	"context"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/jsonstream"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// generic reads findings of tools that we do not know (docs/readers.md): as JSON, {"findings":[…]} or the list alone, and as
// CSV with a header. It also knows the field names of DefectDojo's generic findings. A record is a finding, or each of its
// endpoints where it has several.
type generic struct{}

// Name implements scan.Reader.
func (generic) Name() string { return "generic" }

// ourFormat is what a document may call itself, so that it is known even when it is empty.
const ourFormat = "patchscout-findings"

// Detect implements scan.Reader.
func (generic) Detect(head []byte) bool {
	if !isJSON(head) {
		return isTable(head)
	}
	found := outline(head)
	if found["format"] == ourFormat {
		return true
	}
	fields, inList := map[string]bool{}, false
	for path := range found {
		if name, ok := strings.CutPrefix(path, "findings[]."); ok && name != "" {
			fields[fieldOf(name)] = true
		} else if name, ok := strings.CutPrefix(path, "[]."); ok && name != "" {
			if foreign[plain(name)] {
				return false
			}
			fields[fieldOf(name)], inList = true, true
		} else if foreignDocument[plain(path)] {
			return false
		}
	}
	return sure(fields) && (!inList || placed(fields))
}

// sure says whether the fields are those of a finding.
func sure(fields map[string]bool) bool {
	return fields["title"] && fields["severity"] || (fields["title"] || fields["check"]) && fields["cve"] && placed(fields) ||
		fields["check"] && fields["severity"] && placed(fields)
}

func placed(fields map[string]bool) bool {
	return slices.ContainsFunc([]string{"host", "address", "component", "endpoint", "location"}, func(f string) bool { return fields[f] })
}

// isJSON tells the two forms apart.
func isJSON(head []byte) bool { return len(head) > 0 && (head[0] == '{' || head[0] == '[') }

// foreign are the fields, and foreignDocument the members of a document, by which a report is another tool's, whatever else
// it has.
var (
	foreign = map[string]bool{
		"qid": true, "plugin_id": true, "plugin": true, "plugin_output": true, "pluginid": true, "nvt_name": true, "nvt_oid": true,
		"template_id": true, "finding": true, "fqdn/ip": true,
	}
	foreignDocument = map[string]bool{
		"hosts": true, "scan": true, "schemaversion": true, "bomformat": true, "runs": true, "site": true, "matches": true,
	}
)

// aliases are other names of fields: what tools, people and DefectDojo call them.
var aliases = map[string][]string{
	"host":           {"hostname", "host_name", "fqdn", "dns", "dns_name", "target", "asset", "server"},
	"address":        {"ip", "ip_address", "ipv4", "ipv6", "host_ip", "ip_addr"},
	"port":           {"port_number"},
	"protocol":       {"proto", "port_protocol", "transport"},
	"component":      {"component_name", "package", "package_name", "pkg", "library", "module"},
	"version":        {"component_version", "package_version", "installed_version"},
	"purl":           {"package_url"},
	"check":          {"id", "check_id", "rule", "rule_id", "vuln_id_from_tool", "test_id"},
	"title":          {"name", "summary", "issue", "vulnerability"},
	"severity":       {"risk", "risk_level", "criticality", "threat"},
	"cve":            {"cves", "cve_id", "cve_ids", "cveid", "vulnerability_id", "vulnerability_ids"},
	"cvss_vector":    {"vector", "cvss_vectors", "cvssv4", "cvssv3", "cvssv2", "cvss4_vector", "cvss3_vector", "cvss_v3_vector", "cvss_v4_vector", "cvss_3_vector"},
	"cvss":           {"cvss_score", "score", "cvssv3_score", "cvssv4_score", "cvss_base_score", "base_score"},
	"cwe":            {"cwes", "cweid", "cwe_id", "cwe_ids"},
	"description":    {"details", "detail", "synopsis"},
	"output":         {"evidence", "proof", "steps_to_reproduce", "payload"},
	"impact":         {},
	"remedy":         {"mitigation", "solution", "remediation", "recommendation", "fix"},
	"fixed_in":       {"fixed_version", "fix_version", "fixed"},
	"location":       {"path", "file_path", "file", "sast_source_file_path"},
	"line":           {"line_number", "sast_source_line"},
	"endpoint":       {"endpoints", "url", "urls", "uri", "affected_url"},
	"confidence":     {"qod"},
	"references":     {"reference", "links", "see_also"},
	"date":           {"observed_at", "timestamp", "time", "last_seen", "scan_date", "generated"},
	"tool":           {"scanner", "source_tool"},
	"passed":         {},
	"verified":       {},
	"active":         {},
	"false_positive": {"falsepositive", "false_p"},
	"duplicate":      {"is_duplicate"},
	"mitigated":      {"is_mitigated", "fixed_at"},
	"accepted":       {"risk_accepted"},
	"out_of_scope":   {},
}

// canonical is the field by any of its names.
var canonical = func() map[string]string {
	names := map[string]string{}
	for field, others := range aliases {
		names[field] = field
		for _, name := range others {
			names[name] = field
		}
	}
	return names
}()

// plain writes a name as the tables above do: "Cwe Id" and "cwe-id" are cwe_id.
func plain(name string) string {
	return underscored.Replace(strings.ToLower(strings.TrimSpace(name)))
}

var underscored = strings.NewReplacer(" ", "_", "-", "_")

// fieldOf is the field that a member or column holds, "" for one that is ignored.
func fieldOf(name string) string {
	if field, ok := canonical[name]; ok {
		return field
	}
	return canonical[plain(name)]
}

// row is one finding by field. Of several names for one field the first that says something counts; lists are joined by
// line breaks.
type row struct {
	fields map[string]string
	places []endpoint // where the format has a list of them
	others bool       // it has a field of another tool's
}

func (r *row) set(field, value string) {
	if value = strings.TrimSpace(value); field == "" || value == "" || nothing(value) {
		return
	}
	switch old := r.fields[field]; {
	case old == "":
		r.fields[field] = value
	case field == "cve" || field == "cvss_vector" || field == "cwe" || field == "references":
		r.fields[field] = old + "\n" + value
	}
}

// nothing knows the ways to say that a field is empty.
func nothing(s string) bool {
	switch strings.ToLower(s) {
	case "n/a", "na", "none", "null", "-", "nan", "not applicable":
		return true
	}
	return false
}

func (r *row) yes(field string) bool {
	switch strings.ToLower(r.fields[field]) {
	case "true", "yes", "1", "y", "x":
		return true
	}
	return false
}

// hidden says why the report itself does not count the finding, "" if it does.
func (r *row) hidden() string {
	if active := strings.ToLower(r.fields["active"]); active == "false" || active == "no" || active == "0" {
		return "inactive in the report"
	}
	for _, field := range []string{"false_positive", "duplicate", "mitigated", "accepted", "out_of_scope"} {
		if r.yes(field) || field == "mitigated" && !moment(r.fields[field]).IsZero() {
			return strings.ReplaceAll(field, "_", " ") + " in the report"
		}
	}
	return ""
}

// at is the row's place, or which field is malformed.
func (r *row) at() (e endpoint, malformed string) {
	if url := r.fields["endpoint"]; url != "" {
		e = place(url)
	}
	if host := r.fields["host"]; host != "" {
		named := place(host)
		if named.host == "" {
			return e, "host"
		}
		e.host, e.address = named.host, named.address
		if named.port != 0 {
			e.port, e.protocol = named.port, named.protocol
		}
	}
	if text := r.fields["address"]; text != "" {
		address, err := netip.ParseAddr(text)
		if err != nil {
			return e, "address"
		}
		e.address = address
	}
	if text := r.fields["port"]; text != "" {
		port, protocol, _ := strings.Cut(text, "/") // "443/tcp"
		e.port = portNumber(port)
		if e.port == 0 && strings.Trim(port, "0") != "" {
			return e, "port"
		}
		e.protocol = strings.ToLower(protocol)
	}
	if protocol := strings.ToLower(r.fields["protocol"]); protocol == "tcp" || protocol == "udp" {
		e.protocol = protocol
	}
	switch {
	case e.port == 0:
		e.protocol = ""
	case e.protocol == "":
		e.protocol = "tcp"
	case e.protocol != "tcp" && e.protocol != "udp":
		return e, "protocol"
	}
	return e, ""
}

// genericReport is what all rows share.
type genericReport struct {
	o        *out
	at       time.Time
	defaults map[string]string // fields of rows that do not have them
}

// tell tells of a row, once for each of its places.
func (g *genericReport) tell(r *row) error {
	for field, value := range g.defaults {
		if r.fields[field] == "" && (field != "host" || r.fields["address"] == "" && r.fields["endpoint"] == "" && len(r.places) == 0) {
			r.fields[field] = value
		}
	}
	if len(r.places) == 0 {
		e, malformed := r.at()
		if malformed != "" {
			return g.o.drop("malformed: " + malformed)
		}
		return g.tellAt(r, e)
	}
	for _, e := range r.places {
		if err := g.tellAt(r, e); err != nil {
			return err
		}
	}
	return nil
}

func (g *genericReport) tellAt(r *row, e endpoint) error {
	if reason := r.hidden(); reason != "" {
		return g.o.drop(reason)
	}
	obs, malformed := g.observation(r, e)
	switch {
	case malformed != "":
		return g.o.drop("malformed: " + malformed)
	case obs.Check == "":
		return g.o.drop("a finding without title, check or cve")
	}
	return g.o.cry(obs)
}

func (g *genericReport) observation(r *row, e endpoint) (obs finding.Observation, malformed string) {
	f := r.fields
	obs = finding.Observation{
		Address: e.address, HostName: e.named(), Port: e.port, Protocol: e.protocol, Component: finding.Component(f["purl"], f["component"], f["version"]),
		CVEs: finding.CVEsIn(f["cve"]), Title: cmp.Or(f["title"], f["check"], f["cve"]), Output: sentences(f["output"], f["description"], f["impact"]),
		Location: r.location(e), Remedy: f["remedy"], FixedIn: f["fixed_in"], Severity: cmp.Or(severity(f["severity"]), graded(f["cvss"]), graded(f["severity"])),
		Vector: finding.VectorIn(f["cvss_vector"] + " " + f["cvss"]), CWEs: cwes(strings.FieldsFunc(f["cwe"], isSeparator)),
		References: reflist(strings.Fields(strings.ReplaceAll(f["references"], ",", " "))), Passed: r.yes("passed"), At: cmp.Or(dated(f["date"]), g.at),
	}
	if obs.CVEs == nil && strings.Contains(strings.ToUpper(f["cve"]), "CVE") {
		return obs, "cve"
	}
	if obs.CVEs == nil { // a vulnerability's other name (GHSA-…) is the check where there is none
		obs.References = reflist(obs.References, strings.Fields(f["cve"]))
		if obs.CVEs = finding.CVEsIn(f["check"] + " " + f["title"]); len(obs.CVEs) > 1 {
			obs.CVEs = obs.CVEs[:1:1]
		}
	}
	if obs.Component != "" {
		obs.Port, obs.Protocol = 0, ""
	}
	obs.Check = r.check(&obs)
	obs.Confidence, malformed = r.confidence(&obs)
	return obs, malformed
}

func isSeparator(r rune) bool { return r == ',' || r == ';' || r == '|' || r == '\n' || r == ' ' }

func (r *row) location(e endpoint) string {
	at := r.fields["location"]
	if line := r.fields["line"]; at != "" && line != "" && line != "0" {
		at += ":" + line
	}
	if e.path != "" && e.scheme != "" {
		authority := e.host
		if e.port != 0 && uint64(e.port) != schemePorts[e.scheme] {
			authority += ":" + strconv.Itoa(int(e.port))
		}
		return cmp.Or(at, e.scheme+"://"+authority+e.path)
	}
	return at
}

// check is the check's own id, else the title; without a CVE the place is a part of it, "" where there is neither.
func (r *row) check(obs *finding.Observation) string {
	key := cmp.Or(r.fields["check"], oneLine(r.fields["title"]))
	if key == "" && len(obs.CVEs) > 0 {
		key = obs.CVEs[0].String()
	}
	if key == "" {
		key = strings.TrimSpace(r.fields["cve"])
	}
	if key == "" {
		return ""
	}
	if tool := r.fields["tool"]; tool != "" {
		key = oneLine(tool) + "/" + key
	}
	if len(obs.CVEs) == 0 && obs.Location != "" {
		key += "@" + obs.Location
	}
	return "generic:" + key
}

// confidence is the row's own; else what a person verified is sure, and so is a package's version.
func (r *row) confidence(obs *finding.Observation) (int, string) {
	if text := strings.TrimSuffix(r.fields["confidence"], "%"); text != "" {
		n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		switch {
		case err == nil && n >= 0 && n <= 100:
			return int(n), ""
		case err == nil:
			return 0, "confidence"
		}
		switch strings.ToLower(text) {
		case "certain", "confirmed", "high":
			return fromCheck, ""
		case "firm", "medium":
			return fromPattern, ""
		case "tentative", "low":
			return toReview, ""
		}
		return 0, "confidence"
	}
	switch {
	case r.yes("verified"):
		return fromCheck, ""
	case obs.Component != "" && len(obs.CVEs) > 0 && r.fields["version"]+r.fields["purl"] != "":
		return fromPackages, ""
	}
	return fromPattern, ""
}

// dated is a time, also as American spreadsheets write a day.
func dated(s string) time.Time {
	if s == "" {
		return time.Time{}
	}
	if t, err := time.Parse("01/02/2006", s); err == nil {
		return t
	}
	return moment(s)
}

// Read implements scan.Reader.
func (generic) Read(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error {
	head, whole := intake.Head(raw)
	if isJSON(head) {
		return readGeneric(ctx, whole, emit)
	}
	return readTable(ctx, whole, emit)
}

func readGeneric(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error {
	kept, err := keep("generic", raw)
	if err != nil {
		return err
	}
	defer kept.close()
	r := genericJSON{genericReport: genericReport{o: newOut(emit), defaults: map[string]string{}}}
	if err := kept.pass(ctx, "generic", r.document); err != nil && !cut(err) {
		return err
	}
	if !r.known && kept.size > 0 {
		if err := kept.pass(ctx, "generic", r.document); err != nil {
			return err
		}
		return fault.Invalid("not a generic report: no findings with a title and a severity or CVE")
	}
	r.telling = true
	return kept.pass(ctx, "generic", r.document)
}

type genericJSON struct {
	genericReport
	known, telling bool
	empty          bool // the list is there, and has nothing in it
}

func (r *genericJSON) document(d *jsonstream.Decoder) error {
	if d.Kind() == jsonstream.Array {
		return r.findings(d)
	}
	for d.Object(); d.More(); {
		d.Done()
		key := string(d.Key())
		switch field := fieldOf(key); {
		case key == "findings":
			if err := r.findings(d); err != nil {
				return err
			}
			r.known = r.known || r.empty && d.Err() == nil
		case r.telling:
			d.Skip()
		case key == "format":
			r.known = word(d) == ourFormat || r.known
		case field == "date":
			r.at = later(r.at, dated(word(d)))
		case field == "host" || field == "address" || field == "tool":
			if d.Kind() == jsonstream.String {
				if s := word(d); s != "" {
					r.defaults[field] = s
				}
			} else {
				d.Skip()
			}
		default:
			d.Skip()
		}
	}
	return nil
}

func (r *genericJSON) findings(d *jsonstream.Decoder) error {
	if r.telling {
		var one row
		return records(d, r.o, func() { one = readRow(d) }, func() error { return r.tell(&one) })
	}
	if d.Kind() != jsonstream.Array {
		d.Skip()
		return nil
	}
	empty := true
	for d.Array(); d.More(); {
		empty = false
		if r.known {
			d.Skip()
			continue
		}
		mark := d.Record()
		fields := map[string]bool{}
		one := readRow(d)
		for field := range one.fields {
			fields[field] = true
		}
		r.known = sure(fields) && !one.others
		if d.Err() != nil && !d.Recover(mark) {
			return nil
		}
		d.Done()
	}
	r.empty = empty
	return nil
}

// maxEndpoints bounds the places of one finding.
const maxEndpoints = 10_000

func readRow(d *jsonstream.Decoder) row {
	r := row{fields: map[string]string{}}
	members(d, func(name string) {
		field := fieldOf(name)
		switch {
		case field == "":
			r.others = r.others || foreign[plain(name)]
			d.Skip()
		case field == "endpoint" && d.Kind() == jsonstream.Array:
			elements(d, func() {
				if e := readEndpoint(d); len(r.places) < maxEndpoints {
					r.places = append(r.places, e)
				}
			})
		case d.Kind() == jsonstream.Array, d.Kind() == jsonstream.Object:
			elements(d, func() { r.set(field, readValue(d)) })
		default:
			r.set(field, text(d, 16<<10))
		}
	})
	return r
}

// readValue reads a value out of a list: a text, or an object's first ({"vulnerability_id":"CVE-…"}).
func readValue(d *jsonstream.Decoder) (value string) {
	if d.Kind() != jsonstream.Object {
		return text(d, 4<<10)
	}
	members(d, func(string) {
		if s := word(d); value == "" {
			value = s
		}
	})
	return value
}

// readEndpoint reads a URL, or {"protocol":"https","host":…,"port":…,"path":…}.
func readEndpoint(d *jsonstream.Decoder) endpoint {
	if d.Kind() != jsonstream.Object {
		return place(word(d))
	}
	var scheme, host, port, path string
	members(d, func(name string) {
		switch name {
		case "protocol", "scheme":
			scheme = strings.ToLower(word(d))
		case "host":
			host = word(d)
		case "port":
			port = word(d)
		case "path":
			path = word(d)
		default:
			d.Skip()
		}
	})
	e := endpoint{scheme: scheme}
	e.setHost(strings.Trim(host, "[]"))
	e.setPort(port)
	if path != "" {
		e.path = "/" + strings.TrimPrefix(path, "/")
	}
	if scheme == "udp" && e.port != 0 {
		e.protocol = "udp"
	}
	return e
}
