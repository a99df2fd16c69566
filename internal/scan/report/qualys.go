package report

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// qualys reads Qualys's reports: XML of a VM scan (SCAN), of a scan report (ASSET_DATA_REPORT), of the detection API
// (HOST_LIST_VM_DETECTION_OUTPUT) and of a web application scan (WAS_SCAN_REPORT), and the CSV of scans and of reports. A
// record is a QID seen on a host: a vulnerability, a potential one (PRACTICE), a service or an information.
type qualys struct{}

// Name is "qualys".
func (qualys) Name() string { return "qualys" }

var qualysRoots = []string{"SCAN", "ASSET_DATA_REPORT", "HOST_LIST_VM_DETECTION_OUTPUT", "WAS_SCAN_REPORT"}

var (
	qualysXML = regexp.MustCompile(`<(?:!DOCTYPE )?(?:SCAN|ASSET_DATA_REPORT|HOST_LIST_VM_DETECTION_OUTPUT|WAS_SCAN_REPORT)[\s>]`)
	qualysCSV = regexp.MustCompile(`(?m)^.*(?:^|[,;"])QID"?[,;].*$`)
)

// Detect knows the root elements, and a header row of Qualys's columns.
func (qualys) Detect(head []byte) bool {
	if bytes.HasPrefix(head, []byte("<")) {
		return qualysXML.Match(head)
	}
	if bytes.HasPrefix(head, []byte("{")) || bytes.HasPrefix(head, []byte("[")) {
		return false
	}
	row := string(qualysCSV.Find(head))
	return strings.Contains(row, "VULN TITLE") && strings.Contains(row, "Q_SEVERITY") || // of the PCI service
		strings.Contains(row, "Title") && strings.Contains(row, "Severity") && (strings.Contains(row, "IP") || strings.Contains(row, "Asset"))
}

// Read emits the records. What a report says of its QIDs once for all hosts stands behind them: such a report is read twice.
func (qualys) Read(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error {
	head, in := intake.Head(heedful{ctx, raw})
	q := &qualysReport{out: newOut(emit), glossary: map[string]*qualysVuln{}}
	if !bytes.HasPrefix(head, []byte("<")) {
		return q.csv(intake.NewTable("qualys", in, 0))
	}
	if !bytes.Contains(head, []byte("<ASSET_DATA_REPORT")) && !bytes.Contains(head, []byte("<WAS_SCAN_REPORT")) {
		return q.document(intake.NewXML("qualys", in, intake.Limits{}))
	}
	k, err := keep("qualys", in)
	if err != nil {
		return err
	}
	defer k.close()
	q.XML = intake.NewXML("qualys", k.again(ctx), intake.Limits{})
	if err := q.lookAhead(); err != nil {
		if !cut(err) {
			return err
		}
		q.partial = err
	}
	return q.document(intake.NewXML("qualys", k.again(ctx), intake.Limits{}))
}

type qualysReport struct {
	*out
	*intake.XML
	at       time.Time
	glossary map[string]*qualysVuln
	kept     int   // bytes of texts in the glossary
	partial  error // the report broke off before the end of its glossary
}

// qualysVuln is one record; what all records of a QID share may be in the glossary.
type qualysVuln struct {
	qid, kind, title, severity string
	status                     string
	port, protocol             string
	fqdn, url, parameter       string
	threat, impact, solution   string
	result                     string
	cves, bids, refs           string
	vector, cwe, cvss          string
}

// qualysHost is where it was seen.
type qualysHost struct {
	address netip.Addr
	name    string
	names   []string
	os      string
	at      time.Time
}

const (
	maxGlossary     = 100_000  // QIDs; Qualys has given fewer
	maxGlossaryText = 24 << 20 // of their texts; beyond that only titles, severities and CVEs are kept
)

var qualysTimes = []string{time.RFC3339, "2006-01-02T15:04:05", "01/02/2006 15:04:05", "01/02/2006 at 15:04:05 (MST)", "01/02/2006 15:04:05 (MST)", "2006-01-02 15:04:05", "01/02/2006 at 15:04:05 (MST-0700)",
	"2006-01-02 15:04:05.0", "Jan 2, 2006 03:04 PM (MST)", "02 Jan 2006 03:04PM MST", "2 Jan 2006 03:04PM MST"}

// lookAhead reads the glossary, and when the report was made.
func (q *qualysReport) lookAhead() error {
	_, err := q.Root(qualysRoots...)
	switch {
	case err == io.EOF: //nolint:errorlint // Root returns it bare
		return fault.Invalid("qualys report: it has no root element")
	case err != nil:
		return err
	}
	return q.Each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "HEADER":
			return q.header()
		case "GLOSSARY":
			return q.Each(func(xml.StartElement) error { // VULN_DETAILS_LIST, QID_LIST
				return q.Each(func(xml.StartElement) error { return q.define() })
			})
		}
		return q.Skip()
	})
}

func (q *qualysReport) define() error {
	v, err := q.fields()
	if err != nil || v.qid == "" || len(q.glossary) >= maxGlossary {
		return err
	}
	for _, s := range []*string{&v.threat, &v.impact, &v.solution} {
		*s = strings.Clone(intake.Cut(*s, 2<<10))
		if q.kept += len(*s); q.kept > maxGlossaryText {
			*s = ""
		}
	}
	v.result = ""
	q.glossary[v.qid] = v
	return nil
}

// document reads hosts and their records, whatever the root.
func (q *qualysReport) document(x *intake.XML) error {
	q.XML = x
	_, err := q.Root(qualysRoots...)
	switch {
	case err == io.EOF: //nolint:errorlint // Root returns it bare
		return fmt.Errorf("qualys %w: it is empty", scan.ErrTruncated)
	case err != nil:
		return err
	}
	return q.Each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "HEADER":
			return q.header()
		case "IP": // of SCAN
			return q.scannedHost(e)
		case "ERROR":
			said, err := q.Text()
			if err != nil {
				return err
			}
			return fault.Invalid("qualys reports a scan that failed: %s", oneLine(intake.Cut(said, 200)))
		case "HOST_LIST":
			return q.Each(func(xml.StartElement) error { return q.reportedHost() })
		case "RESPONSE":
			return q.response()
		case "RESULTS":
			return q.Each(func(xml.StartElement) error {
				return q.Each(func(e xml.StartElement) error { return q.webRecord(e.Name.Local) })
			})
		}
		return q.Skip()
	})
}

func (q *qualysReport) response() error {
	return q.Each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "DATETIME":
			said, err := q.Text()
			q.at = readTime(said, qualysTimes...)
			return err
		case "HOST_LIST":
			return q.Each(func(xml.StartElement) error { return q.reportedHost() })
		}
		return q.Skip()
	})
}

// header finds the time: <KEY value="DATE"> with a duration beside it, or <GENERATION_DATETIME>.
func (q *qualysReport) header() error {
	var took time.Duration
	err := q.Each(func(e xml.StartElement) error {
		name := e.Name.Local
		if name == "KEY" {
			name = intake.Attr(e, "value")
		}
		if name != "DATE" && name != "DURATION" && name != "GENERATION_DATETIME" {
			return q.Skip()
		}
		said, err := q.Text()
		if name == "DURATION" {
			took = clock(said)
			return err
		}
		if t := readTime(said, qualysTimes...); !t.IsZero() {
			q.at = t
		}
		return err
	})
	if !q.at.IsZero() {
		q.at = q.at.Add(took)
	}
	return err
}

// clock reads "01:02:03".
func clock(text string) time.Duration {
	var h, m, s int
	if n, err := fmt.Sscanf(text, "%d:%d:%d", &h, &m, &s); n != 3 || err != nil || h < 0 || h > 1000 || m < 0 || m > 59 || s < 0 || s > 59 {
		return 0
	}
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second
}

// scannedHost reads an IP of a SCAN: sections of categories, whose attributes say the port, of entries.
func (q *qualysReport) scannedHost(e xml.StartElement) error {
	h := qualysHost{at: q.at}
	h.set(intake.Attr(e, "value"), intake.Attr(e, "name"))
	err := q.Each(func(e xml.StartElement) (err error) {
		switch section := e.Name.Local; section {
		case "OS":
			h.os, err = q.Text()
			return err
		case "INFOS", "SERVICES", "VULNS", "PRACTICES":
			return q.Each(func(cat xml.StartElement) error {
				port, protocol := intake.Attr(cat, "port"), intake.Attr(cat, "protocol")
				return q.Each(func(e xml.StartElement) error {
					q.Record()
					qid, severity, cve := intake.Attr(e, "number"), intake.Attr(e, "severity"), intake.Attr(e, "cveid")
					v, err := q.fields()
					q.Done()
					if err != nil {
						return err
					}
					v.qid, v.severity, v.kind, v.port, v.protocol = qid, severity, section, port, protocol
					v.cves += " " + cve
					return q.tell(&h, v)
				})
			})
		}
		return q.Skip()
	})
	if err != nil {
		return err
	}
	return q.hostSeen(&h)
}

// hostSeen tells of the host, also of one on which nothing was found.
func (q *qualysReport) hostSeen(h *qualysHost) error {
	return q.host(finding.HostSeen{Address: h.address, Names: h.names, Status: string(asset.Up), OS: oneLine(intake.Cut(h.os, 300)), At: h.at})
}

// reportedHost reads a HOST of a report or of the API: what it is comes before what was found on it.
func (q *qualysReport) reportedHost() error {
	h := qualysHost{at: q.at}
	var ip, dns string
	err := q.Each(func(e xml.StartElement) (err error) {
		switch e.Name.Local {
		case "IP", "IPV6":
			ip, err = q.Text()
		case "DNS":
			dns, err = q.Text()
		case "OPERATING_SYSTEM", "OS":
			h.os, err = q.Text()
		case "VULN_INFO_LIST", "DETECTION_LIST":
			h.set(ip, dns)
			return q.Each(func(xml.StartElement) error {
				q.Record()
				v, err := q.fields()
				q.Done()
				if err != nil {
					return err
				}
				return q.tell(&h, v)
			})
		default:
			return q.Skip()
		}
		return err
	})
	if err != nil {
		return err
	}
	h.set(ip, dns)
	return q.hostSeen(&h)
}

func (q *qualysReport) webRecord(kind string) error {
	q.Record()
	v, err := q.fields()
	q.Done()
	if err != nil {
		return err
	}
	v.kind = kind
	e := place(v.url)
	v.port = fmt.Sprint(e.port)
	h := qualysHost{address: e.address, name: e.name(), at: q.at}
	if h.name != "" {
		h.names = []string{h.name}
	}
	return q.tell(&h, v)
}

func (h *qualysHost) set(ip, name string) {
	h.names = nil
	if a, err := netip.ParseAddr(strings.TrimSpace(ip)); err == nil {
		h.address = a.Unmap()
	}
	if n := place(name).name(); n != "" && !strings.EqualFold(n, "No registered hostname") {
		h.names = []string{n}
	}
	if !h.address.IsValid() && len(h.names) > 0 {
		h.name = h.names[0]
	}
}

// fields reads what stands in an entry, at any depth that Qualys uses, to the end of the open element.
func (q *qualysReport) fields() (*qualysVuln, error) {
	v := &qualysVuln{}
	return v, q.into(v)
}

func (q *qualysReport) into(v *qualysVuln) error {
	return q.Each(func(e xml.StartElement) error {
		var field *string
		switch name := e.Name.Local; name {
		case "QID":
			field = &v.qid
		case "TITLE":
			field = &v.title
		case "SEVERITY":
			field = &v.severity
		case "TYPE":
			field = &v.kind
		case "VULN_STATUS", "STATUS":
			field = &v.status
		case "PORT":
			field = &v.port
		case "PROTOCOL":
			field = &v.protocol
		case "FQDN":
			field = &v.fqdn
		case "URL":
			field = &v.url
		case "PARAM":
			field = &v.parameter
		case "THREAT", "DIAGNOSIS", "DESCRIPTION":
			field = &v.threat
		case "IMPACT", "CONSEQUENCE":
			field = &v.impact
		case "SOLUTION":
			field = &v.solution
		case "RESULT", "RESULTS":
			field = &v.result
		case "CWE":
			field = &v.cwe
		case "CVSS3_BASE", "CVSS_BASE":
			return q.score(v, name)
		case "CVE_ID_LIST", "BUGTRAQ_ID_LIST", "VENDOR_REFERENCE_LIST":
			return q.list(v, name)
		case "CVSS_SCORE", "CVSS3_SCORE":
			return q.into(v)
		default:
			return q.Skip()
		}
		said, err := q.Text()
		*field = said
		return err
	})
}

// score keeps the newest version's figure, and a vector where one stands beside it.
func (q *qualysReport) score(v *qualysVuln, name string) error {
	said, err := q.Text()
	if vector := finding.VectorIn(said); vector != "" {
		v.vector = vector
	}
	if f := strings.Fields(said); len(f) > 0 && (v.cvss == "" || name == "CVSS3_BASE") {
		v.cvss = f[0]
	}
	return err
}

// list reads the ids of a list of references: CVE_ID/ID and the like.
func (q *qualysReport) list(v *qualysVuln, name string) error {
	return q.Each(func(xml.StartElement) error {
		return q.Each(func(e xml.StartElement) error {
			part := e.Name.Local
			said, err := q.Text()
			switch {
			case part == "ID" && name == "CVE_ID_LIST":
				v.cves += " " + said
			case part == "ID" && name == "BUGTRAQ_ID_LIST":
				v.bids += " BID:" + said
			case part == "URL" && name == "VENDOR_REFERENCE_LIST":
				v.refs += " " + said
			}
			return err
		})
	})
}

// qualysSeverity are Qualys's five levels: minimal, medium, serious, critical, urgent.
var qualysSeverity = map[string]string{"1": "low", "2": "low", "3": "medium", "4": "high", "5": "critical"}

func (q *qualysReport) tell(h *qualysHost, v *qualysVuln) error {
	v.qid = strings.TrimPrefix(strings.TrimSpace(v.qid), "QID-")
	known := q.glossary[v.qid]
	if known == nil && q.partial != nil {
		return q.partial
	}
	if known != nil {
		v.fill(known)
	}
	if err := q.hostSeen(h); err != nil {
		return err
	}
	kind := strings.ToLower(strings.TrimSpace(v.kind))
	switch {
	case v.qid == "" || strings.Trim(v.qid, "0123456789") != "":
		return q.drop("malformed: no QID")
	case kind == "infos", kind == "services", kind == "ig", kind == "info", kind == "information gathered", kind == "information_gathered":
		return q.note("information gathered")
	}
	o := finding.Observation{Address: h.address, HostName: h.name, Port: portNumber(v.port), At: h.at, Check: "qualys:" + v.qid, Title: htmlText(v.title),
		CVEs: finding.CVEsIn(v.cves), Severity: qualysSeverity[strings.TrimSpace(v.severity)], Confidence: 95, Remedy: htmlText(v.solution),
		Vector: v.vector, References: reflist(linksIn(v.refs), strings.Fields(v.bids)), Location: v.url}
	if o.Port != 0 {
		o.Protocol = "tcp"
		if strings.EqualFold(strings.TrimSpace(v.protocol), "udp") {
			o.Protocol = "udp"
		}
	}
	if o.Title == "" {
		o.Title = "Qualys QID " + v.qid
	}
	if cwe := finding.CWEsIn(v.cwe); len(cwe) > 0 {
		o.CWEs = cwe
	}
	if v.url != "" { // of a web application: a path is fixed by itself
		o.Check += ":" + withoutQuery(place(v.url).path)
	}
	if strings.HasPrefix(kind, "practice") || strings.HasPrefix(kind, "potential") {
		o.Confidence = 50
	}
	o.Output = joined(v.result, v.parameter, htmlText(v.threat), htmlText(v.impact))
	o.Passed = strings.EqualFold(strings.TrimSpace(v.status), "Fixed")
	return q.observe(o)
}

// fill takes what the glossary says where the record itself says nothing.
func (v *qualysVuln) fill(known *qualysVuln) {
	for _, p := range [][2]*string{{&v.title, &known.title}, {&v.severity, &known.severity}, {&v.threat, &known.threat}, {&v.impact, &known.impact},
		{&v.solution, &known.solution}, {&v.vector, &known.vector}, {&v.cwe, &known.cwe}, {&v.bids, &known.bids}, {&v.refs, &known.refs}} {
		if *p[0] == "" {
			*p[0] = *p[1]
		}
	}
	v.cves += " " + known.cves
}
