package openvas

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// result is one record of a report, whatever its format.
type result struct {
	host     string
	hostname string
	port     string // "512/tcp", "general/tcp", "https (443/tcp)"

	oid         string
	name        string
	family      string
	threat      string
	severity    number
	original    number // before a person overrode it
	base        number // of the check
	qod         string
	qodType     string
	cves        []cve.ID
	refs        []string
	vector      string
	solution    string
	summary     string
	description string
	location    string
	delta       string
	compliance  string
	at          time.Time
}

// number is a figure that may be missing.
type number struct {
	value float64
	known bool
}

func numberOf(text string) number {
	v, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
	if err != nil || math.IsNaN(v) || math.Abs(v) > 1000 {
		return number{}
	}
	return number{v, true}
}

// Greenbone's figures for what is no severity (gvmd manage_utils.h).
const (
	severityFalsePositive = -1
	maxRefs               = 100
	maxCVEs               = 10000
	maxTitle              = 1000
)

// Reasons of the ledger.
const (
	reasonGone          = "gone since the report that this delta report compares with"
	reasonNoHost        = "result without a host"
	reasonBadHost       = "malformed: the host is neither an address nor a name"
	reasonFalsePositive = "marked as a false positive in OpenVAS"
	reasonError         = "error message of the scanner"
	reasonNoCheck       = "result without a check"
	reasonLog           = "log message"
)

// record emits a result as exactly one record.
func (s *sink) record(r *result, at time.Time, policy string) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	if r.host == "" {
		r.host = r.hostname
	}
	key, ok := keyOf(r.host)
	level, plain := r.level()
	r.cves = append(r.cves, cvesIn(r.oid, r.name)...)
	slices.Sort(r.cves)
	r.cves = slices.Compact(r.cves)
	switch {
	case r.delta == "gone":
		return s.drop(reasonGone, false)
	case r.host == "":
		return s.drop(reasonNoHost, false)
	case !ok:
		return s.drop(reasonBadHost, false)
	case level == falsePositive:
		return s.drop(reasonFalsePositive, false)
	case level == failure:
		return s.drop(reasonError, false)
	}
	if err := s.host(key, []string{r.hostname}, at); err != nil {
		return err
	}
	result := complianceResult(r.compliance)
	switch {
	case plain && len(r.cves) == 0 && result == "":
		return s.drop(reasonLog, true)
	case r.check() == "":
		return s.drop(reasonNoCheck, false)
	}
	o := r.observation(key, at, policy)
	o.Severity = level
	if result != "" {
		o.Compliance = &finding.Compliance{Result: result, Benchmark: intake.Cut(r.family, maxTitle), Reference: r.oid}
		o.Passed = result == "passed"
	}
	return s.emit(finding.Event{Observation: &o})
}

func (r *result) observation(key hostKey, at time.Time, policy string) finding.Observation {
	protocol, port := portOf(r.port)
	if port == 0 && strings.HasPrefix(r.oid, "CVE-") {
		protocol, port = foundAt(r.description)
	}
	return finding.Observation{
		Address: key.addr, HostName: key.name, Protocol: protocol, Port: port,
		Check: r.check(), CVEs: r.cves, Policy: policy, At: at,
		Title:    intake.Cut(oneLine(firstOf(r.name, r.oid)), maxTitle),
		Output:   intake.Cut(firstOf(r.description, r.summary), intake.MaxText),
		Location: intake.Cut(firstOf(r.location, installedAt(r.description)), maxTitle),
		Remedy:   intake.Cut(oneLine(r.solution), intake.MaxText),
		Vector:   r.ratedVector(), Confidence: r.confidence(), FixedIn: fixedIn(r.description),
		References: r.refs[:min(len(r.refs), maxRefs)],
	}
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// oneLine joins the lines that the feed's authors wrapped: one remedy must read the same wherever it stands.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// check is the finding's weakness where it has no CVE. Results of the manager itself have the id 0.
func (r *result) check() string {
	switch {
	case r.oid != "" && r.oid != "0":
		return Name + ":" + intake.Cut(oneLine(r.oid), 200)
	case r.name != "":
		return Name + ":" + intake.Cut(oneLine(r.name), 200)
	}
	return ""
}

// What a level is that is no severity.
const (
	falsePositive = "false positive"
	failure       = "error"
	info          = "info"
)

// level is the severity in our words; the figure decides, since Greenbone's words have changed (its High began at 7 and
// ended at 10 before it knew Critical), and the word where there is none. plain says that it is no weakness.
func (r *result) level() (level string, plain bool) {
	severity := r.severity
	if !severity.known && r.threat == "" {
		severity = r.base
	}
	switch {
	case !severity.known:
		return threatWord(r.threat)
	case severity.value > 0:
		return cve.Severity(severity.value), false
	case severity.value == 0:
		return info, true
	case severity.value == severityFalsePositive:
		return falsePositive, false
	}
	return failure, false
}

func threatWord(threat string) (string, bool) {
	switch threat = strings.ToLower(threat); threat {
	case "critical", "high", "medium", "low":
		return threat, false
	case "log", "debug", "none", "info":
		return info, true
	case "false positive", "false_positive":
		return falsePositive, false
	case "error", "error message":
		return failure, false
	}
	return "", false
}

// ratedVector is the check's vector, unless a person gave the result another severity than the vector's.
func (r *result) ratedVector() string {
	if r.original.known && r.severity.known && r.original.value > 0 && math.Abs(r.original.value-r.severity.value) > 0.05 {
		return ""
	}
	return r.vector
}

// vectorShape is a CVSS vector of any version, the second without a prefix.
var vectorShape = regexp.MustCompile(`^(CVSS:(3\.0|3\.1|4\.0)/)?(AV:[A-Z](?:/[A-Za-z]{1,4}:[A-Za-z]{1,6}){2,40})$`)

// rate takes a vector if it is of a newer version than what is there.
func (r *result) rate(vector string) {
	vector = strings.Trim(strings.TrimSpace(vector), "()")
	if len(vector) < 300 && vectorShape.MatchString(vector) && vectorRank(vector) > vectorRank(r.vector) {
		r.vector = vector
	}
}

func vectorRank(vector string) int {
	switch {
	case vector == "":
		return 0
	case strings.HasPrefix(vector, "CVSS:4"):
		return 4
	case strings.HasPrefix(vector, "CVSS:3.1"):
		return 3
	case strings.HasPrefix(vector, "CVSS:3.0"):
		return 2
	}
	return 1
}

// defaultQoD is what gvmd takes for checks that do not tell theirs (QOD_DEFAULT in its manage.h).
const defaultQoD = 75

// qodTypes are the percentages of Greenbone's types of detection (GMP, "Quality of Detection").
var qodTypes = map[string]int{
	"exploit": 100, "remote_vul": 99, "remote_app": 98, "package": 97, "registry": 97, "remote_active": 95, "remote_banner": 80,
	"executable_version": 80, "remote_analysis": 70, "remote_probe": 50, "remote_banner_unreliable": 30, "package_unreliable": 30,
	"executable_version_unreliable": 30, "general_note": 1,
}

func (r *result) confidence() int {
	if n, err := strconv.Atoi(strings.TrimSuffix(r.qod, "%")); err == nil && n >= 0 {
		return min(n, 100)
	}
	if n, ok := qodTypes[r.qodType]; ok {
		return n
	}
	return defaultQoD
}

func complianceResult(word string) string {
	switch strings.ToLower(word) {
	case "yes":
		return "passed"
	case "no":
		return "failed"
	case "incomplete":
		return "warning"
	}
	return ""
}

// portShape finds number and protocol in "443/tcp" and "https (443/tcp)".
var portShape = regexp.MustCompile(`(?:^|\()([0-9]{1,5})/([A-Za-z]{2,8})\)?$`)

// portOf reads a port; "general/tcp", "general/CPE-T" and "package" are the host itself.
func portOf(text string) (protocol string, port uint16) {
	m := portShape.FindStringSubmatch(text)
	if m == nil {
		return "", 0
	}
	n, err := strconv.ParseUint(m[1], 10, 16)
	if err != nil || n == 0 {
		return "", 0
	}
	return strings.ToLower(m[2]), uint16(n)
}

// cveID finds CVEs, under their old name too: until 2005 a candidate was called CAN.
var cveID = regexp.MustCompile(`(?i)\b(?:CVE|CAN)-([0-9]{4}-[0-9]{4,10})\b`)

// cvesIn lists the CVEs that texts name.
func cvesIn(texts ...string) []cve.ID {
	var out []cve.ID
	for _, text := range texts {
		for _, m := range cveID.FindAllStringSubmatch(text, maxCVEs) {
			if id, err := cve.ParseID("CVE-" + m[1]); err == nil {
				out = append(out, id)
			}
		}
	}
	return out
}

// cite adds a reference as (type, id) gives it; URLs come first.
func (r *result) cite(kind, id string) {
	id = strings.TrimSpace(id)
	if id == "" || len(id) > 2000 || len(r.refs) >= 4*maxRefs {
		return
	}
	switch strings.ToLower(kind) {
	case "cve", "cve_id":
		if len(r.cves) < maxCVEs {
			r.cves = append(r.cves, cvesIn(id)...)
		}
		return
	case "bid", "bugtraq_id":
		id = "BID:" + id
	case "url":
		if slices.Contains(r.refs, id) {
			return
		}
		r.refs = slices.Insert(r.refs, r.urls(), id)
		return
	}
	if !slices.Contains(r.refs, id) {
		r.refs = append(r.refs, id)
	}
}

// urls counts the references that are URLs: they stand first.
func (r *result) urls() int {
	n := slices.IndexFunc(r.refs, func(ref string) bool { return !strings.Contains(ref, "://") })
	if n < 0 {
		return len(r.refs)
	}
	return n
}

// citeList adds a list such as "CVE-2011-1473, CVE-2011-5094" or "NOBID".
func (r *result) citeList(kind, list string) {
	for id := range strings.SplitSeq(list, ",") {
		if id = strings.TrimSpace(id); !strings.HasPrefix(id, "NO") || strings.Contains(id, "-") {
			r.cite(kind, id)
		}
	}
}

// citeOther adds the references of old dialects and of CSV: "URL:https://…, IAVA:2013-A-0179", "NOXREF". A comma within
// a URL separates nothing unless another reference begins there.
func (r *result) citeOther(list string) {
	for _, id := range strings.Fields(otherRef.ReplaceAllString(list, " $1")) {
		id = strings.Trim(id, ",")
		address, named := strings.CutPrefix(id, "URL:")
		switch {
		case named || strings.Contains(id, "://"):
			r.cite("url", address)
		case id != "NOXREF":
			r.cite("", id)
		}
	}
}

var otherRef = regexp.MustCompile(`,((?:URL:|https?://|[A-Z][A-Z-]{1,15}:)\S)`)

// What the feed's checks and gvmd's comparison of versions write in one form.
var (
	fixedVersion = regexp.MustCompile(`(?m)^[ \t]*Fixed version:[ \t]+([0-9][^\r\n]{0,99})`)
	installPath  = regexp.MustCompile(`Installation\s+path / port:[ \t]+((?:/|[A-Za-z]:\\|https?://)[^\r\n]{1,500})`)
	productPort  = regexp.MustCompile(`The product was found at: ([0-9]{1,5}/[a-z]{3,4})\.`)
)

// fixedIn is the version that the check's output names.
func fixedIn(output string) string { return group(fixedVersion, output, "Fixed version:") }

// installedAt is the path that the check's output names.
func installedAt(output string) string { return group(installPath, output, "path / port:") }

// foundAt is the port of the product of which gvmd's CVE scanner says that its version is vulnerable: the result itself
// is of the host.
func foundAt(output string) (protocol string, port uint16) {
	return portOf(group(productPort, output, "found at:"))
}

// group is what the expression finds in a text; sign, which it contains, is looked for first: that is much faster.
func group(re *regexp.Regexp, text, sign string) string {
	if !strings.Contains(text, sign) {
		return ""
	}
	if m := re.FindStringSubmatch(text); m != nil {
		return strings.TrimSpace(m[1])
	}
	return ""
}
