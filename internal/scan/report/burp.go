package report

import (
	"bytes"
	"context"
	"encoding/xml"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// burp reads the XML that Burp Suite Professional and Enterprise write ("Report issues", XML), of any version. A record is
// an issue. What one issue type says of two paths are two findings: each is fixed by itself. Requests and responses, which
// hold sessions and passwords, are passed over.
type burp struct{}

// Name is "burp".
func (burp) Name() string { return "burp" }

// Detect knows Burp's root element, or the DTD that stands before it.
func (burp) Detect(head []byte) bool {
	return bytes.HasPrefix(head, []byte("<")) && (bytes.Contains(head, []byte("<issues burpVersion=")) || bytes.Contains(head, []byte("<!DOCTYPE issues")))
}

// Read emits the issues.
func (burp) Read(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error {
	x := intake.NewXML("burp", heedful{ctx, raw}, intake.Limits{Token: 16 << 20, Record: 1 << 30}) // bodies are passed over, not held
	root, err := x.Root("issues")
	switch {
	case err == io.EOF: //nolint:errorlint // Root returns it bare
		return fault.Invalid("burp report: it is empty")
	case err != nil:
		return err
	}
	b := burpReport{out: newOut(emit), XML: x, at: readTime(intake.Attr(root, "exportTime"), burpTimes...)}
	return x.Each(b.issue)
}

var burpTimes = []string{"Mon Jan 2 15:04:05 MST 2006", "Mon Jan 2 15:04:05 -07:00 2006", time.RFC3339}

type burpReport struct {
	*out
	*intake.XML
	at time.Time
}

// burpIssue is one issue while it is read.
type burpIssue struct {
	kind, name, host, ip, path, location string
	severity, confidence                 string
	detail, background, references       string
	classes, remediation, advice         string
	items                                []string
}

func (b *burpReport) issue(e xml.StartElement) error {
	if e.Name.Local != "issue" {
		return b.Skip()
	}
	var i burpIssue
	fields := map[string]*string{"type": &i.kind, "name": &i.name, "path": &i.path, "location": &i.location, "severity": &i.severity,
		"confidence": &i.confidence, "issueDetail": &i.detail, "issueBackground": &i.background, "references": &i.references,
		"vulnerabilityClassifications": &i.classes, "remediationDetail": &i.remediation, "remediationBackground": &i.advice}
	b.Record()
	err := b.Each(func(e xml.StartElement) (err error) {
		switch field := fields[e.Name.Local]; {
		case e.Name.Local == "host":
			i.ip = intake.Attr(e, "ip")
			i.host, err = b.Text()
		case e.Name.Local == "issueDetailItems":
			return b.Each(func(xml.StartElement) error {
				item, err := b.Text()
				if len(i.items) < 100 {
					i.items = append(i.items, htmlText(item))
				}
				return err
			})
		case field != nil:
			*field, err = b.Text()
		default:
			return b.Skip() // requestresponse, serialNumber, collaboratorEvent
		}
		return err
	})
	b.Done()
	if err != nil {
		return err
	}
	return b.tell(&i)
}

// burpConfidence is on the scale of design decision 5.
var burpConfidence = map[string]int{"certain": 95, "firm": 80, "tentative": 50}

// burpExtension is the type of every issue that an extension adds: only the name tells them apart.
const burpExtension = "134217728"

func (b *burpReport) tell(i *burpIssue) error {
	if i.kind == "" && i.name == "" {
		return b.drop("malformed: an issue without type and name")
	}
	if strings.EqualFold(i.severity, "false positive") {
		return b.note("marked as a false positive in Burp")
	}
	key := i.kind
	if key == "" || key == burpExtension {
		key = strings.TrimPrefix(key+":"+slug(i.name), ":")
	}
	e := place(i.host)
	if a, err := netip.ParseAddr(strings.TrimSpace(i.ip)); err == nil {
		e.address = a
	}
	o := finding.Observation{Address: e.address, HostName: e.name(), Protocol: e.protocol, Port: e.port, At: b.at,
		Check: "burp:" + key + ":" + withoutQuery(i.path), Title: htmlText(i.name), Severity: severity(i.severity),
		Confidence: burpConfidence[strings.ToLower(strings.TrimSpace(i.confidence))], Location: strings.TrimSuffix(i.host, "/") + i.location,
		Remedy: joined(htmlText(i.remediation), htmlText(i.advice)), CWEs: finding.CWEsIn(i.classes), References: linksIn(i.references)}
	if o.Confidence == 0 {
		o.Confidence = 60
	}
	if i.location == "" {
		o.Location += i.path
	}
	o.Output = joined(htmlText(i.detail), strings.Join(i.items, "\n"), htmlText(i.background))
	o.CVEs = finding.CVEsIn(strings.Join([]string{i.name, i.detail, strings.Join(i.items, "\n"), i.references, i.remediation}, "\n"))
	if err := b.known(e, b.at); err != nil {
		return err
	}
	return b.cry(o)
}

// known tells of a host that has an address and a name.
func (o *out) known(e endpoint, at time.Time) error {
	h := finding.HostSeen{Address: e.address, Status: "up", At: at}
	if e.host != "" && e.host != e.address.String() {
		h.Names = []string{e.host}
	}
	return o.host(h)
}
