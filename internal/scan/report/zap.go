package report

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/jsonstream"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// zap reads the reports of the Zed Attack Proxy: traditional XML and JSON, with or without requests and responses, from
// 2.4 on, and the alerts of its API. A record is an alert of a site; its instances, one a path, are its evidence.
type zap struct{}

// Name is "zap".
func (zap) Name() string { return "zap" }

// Detect knows the root element of the XML, and the members that only ZAP's JSON has.
func (zap) Detect(head []byte) bool {
	if bytes.HasPrefix(head, []byte("<")) {
		return bytes.Contains(head, []byte("<OWASPZAPReport"))
	}
	found := outline(head)
	return has(found, "@generated", "@version") || has(found, "@programName", "site") || has(found, "alerts[].pluginId", "alerts[].risk")
}

// Read emits the alerts.
func (zap) Read(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error {
	head, in := intake.Head(raw)
	z := zapReport{out: newOut(emit), ctx: ctx}
	if bytes.HasPrefix(head, []byte("<")) {
		return z.xml(intake.NewXML("zap", in, intake.Limits{Token: 16 << 20}))
	}
	return z.json(newStream(heedful{ctx, in}))
}

type zapReport struct {
	*out
	ctx   context.Context //nolint:containedctx // it lives as long as one call of Read
	at    time.Time
	site  zapSite
	known bool // a member was met that only these reports have
}

type zapSite struct{ name, host, port string }

// endpoint is where the alerts of the site were seen; the site's attributes win over its name.
func (s zapSite) endpoint() endpoint {
	e := place(s.name)
	if s.host != "" {
		host := e
		host.setHost(strings.Trim(s.host, "[]"))
		if host.host != "" {
			e = host
		}
	}
	if p := portNumber(s.port); p != 0 {
		e.port, e.protocol = p, "tcp"
	}
	return e
}

// zapAlert is one alert while it is read.
type zapAlert struct {
	plugin, ref, name  string
	risk, confidence   string
	cwe                string
	desc, solution     string
	other, references  string
	tags               strings.Builder
	first              string // the first instance's address
	instances          strings.Builder
	uri, method, param string // of the instance that is read, or of the alert itself before 2.5
	attack, evidence   string
	instanceOther      string
	named              []string // what instances say that may name CVEs
}

// set takes one field by its name, which is the same in XML and in JSON; the API's names differ in case and in words.
func (a *zapAlert) set(name, value string) bool {
	switch strings.ToLower(name) {
	case "pluginid":
		a.plugin = value
	case "alertref":
		a.ref = value
	case "alert", "name":
		if a.name == "" || name == "name" && value != "" {
			a.name = value
		}
	case "riskcode", "risk":
		a.risk = value
	case "confidence", "reliability":
		a.confidence = value
	case "cweid":
		a.cwe = value
	case "desc", "description":
		a.desc = value
	case "solution":
		a.solution = value
	case "otherinfo", "other":
		a.other = value
	case "reference":
		a.references = value
	default:
		return a.setInstance(strings.ToLower(name), value)
	}
	return true
}

func (a *zapAlert) setInstance(name, value string) bool {
	switch name {
	case "uri", "url":
		a.uri = value
	case "method":
		a.method = value
	case "param":
		a.param = value
	case "attack":
		a.attack = value
	case "evidence":
		a.evidence = value
	case "otherinfo":
		a.instanceOther = value
	default:
		return false
	}
	return true
}

// endInstance adds the instance that was read to the evidence.
func (a *zapAlert) endInstance() {
	if a.uri != "" {
		a.uri = urlPassword.ReplaceAllString(a.uri, "://***@")
		if a.first == "" {
			a.first = a.uri
		}
		line := strings.TrimSpace(a.method + " " + a.uri)
		for _, part := range [][2]string{{"parameter", a.param}, {"attack", a.attack}, {"evidence", a.evidence}} {
			if part[1] != "" {
				line += "\n  " + part[0] + ": " + intake.Cut(part[1], 1<<10)
			}
		}
		if a.instances.Len() < intake.MaxText {
			a.instances.WriteString(line + "\n")
		}
	}
	if a.instanceOther != "" && len(a.named) < 100 {
		a.named = append(a.named, intake.Cut(a.instanceOther, 2<<10))
	}
	a.uri, a.method, a.param, a.attack, a.evidence, a.instanceOther = "", "", "", "", "", ""
}

var (
	zapRisk = map[string]string{"0": "info", "1": "low", "2": "medium", "3": "high"}
	// zapConfidence is on the scale of design decision 5. 0 is what a person marked as false.
	zapConfidence = map[string]int{"1": 40, "low": 40, "2": 75, "medium": 75, "3": 90, "high": 90, "4": 99, "confirmed": 99, "user confirmed": 99}
)

func (z *zapReport) alert(a *zapAlert) error {
	a.endInstance()
	confidence := strings.ToLower(strings.TrimSpace(a.confidence))
	key := strings.TrimSpace(a.ref)
	if key == "" {
		key = strings.TrimSpace(a.plugin)
	}
	switch {
	case key == "":
		return z.drop("malformed: an alert without a plugin id")
	case confidence == "0" || confidence == "false positive":
		return z.note("marked as a false positive in ZAP")
	}
	o := finding.Observation{Check: "zap:" + key, Title: htmlText(a.name), Remedy: htmlText(a.solution), Location: a.first, At: z.at,
		Confidence: zapConfidence[confidence], Severity: zapRisk[strings.TrimSpace(a.risk)]}
	if o.Confidence == 0 {
		o.Confidence = 60
	}
	if o.Severity == "" {
		o.Severity = severity(a.risk)
	}
	if cwe := finding.CWEOf(a.cwe); cwe != 0 {
		o.CWEs = []int{cwe}
	}
	e := z.site.endpoint()
	if e.host == "" {
		e = place(a.first)
	}
	o.Address, o.HostName, o.Port, o.Protocol = e.address, e.name(), e.port, e.protocol
	o.CVEs = finding.CVEsIn(strings.Join(append([]string{a.name, a.desc, a.other, a.references, a.tags.String()}, a.named...), "\n"))
	o.References = linksIn(a.references)
	o.Output = strings.TrimSpace(a.instances.String() + "\n" + htmlText(a.other) + "\n" + htmlText(a.desc))
	return z.cry(o)
}

// zapTimes are the ways in which versions of ZAP write when the report was made; the zone is not said.
var zapTimes = []string{"Mon, 2 Jan 2006 15:04:05", "Mon, 2 Jan 2006 15:04:05 MST", time.RFC3339Nano, time.ANSIC, time.RFC1123Z}

func (z *zapReport) xml(x *intake.XML) error {
	root, err := x.Root("OWASPZAPReport")
	switch {
	case err == io.EOF: //nolint:errorlint // Root returns it bare
		return fault.Invalid("zap report: it is empty")
	case err != nil:
		return err
	}
	z.at = readTime(intake.Attr(root, "created"), time.RFC3339Nano)
	if z.at.IsZero() {
		z.at = readTime(intake.Attr(root, "generated"), zapTimes...)
	}
	return x.Each(func(e xml.StartElement) error {
		if e.Name.Local != "site" {
			return x.Skip()
		}
		z.site = zapSite{intake.Attr(e, "name"), intake.Attr(e, "host"), intake.Attr(e, "port")}
		return x.Each(func(e xml.StartElement) error {
			if e.Name.Local != "alerts" {
				return x.Skip()
			}
			return x.Each(func(e xml.StartElement) error { return z.xmlAlert(x, e) })
		})
	})
}

func (z *zapReport) xmlAlert(x *intake.XML, e xml.StartElement) error {
	if err := z.ctx.Err(); err != nil {
		return err
	}
	if e.Name.Local != "alertitem" {
		return x.Skip()
	}
	var a zapAlert
	x.Record()
	err := x.Each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "instances":
			return x.Each(func(xml.StartElement) error { return z.xmlInstance(x, &a) })
		case "tags":
			return x.Each(func(xml.StartElement) error {
				return x.Each(func(xml.StartElement) error {
					text, err := x.Text()
					a.tags.WriteString(text + "\n")
					return err
				})
			})
		}
		name := e.Name.Local
		text, err := x.Text()
		a.set(name, text)
		return err
	})
	x.Done()
	if err != nil {
		return err
	}
	return z.alert(&a)
}

func (z *zapReport) xmlInstance(x *intake.XML, a *zapAlert) error {
	err := x.Each(func(e xml.StartElement) error {
		switch name := e.Name.Local; name {
		case "uri", "method", "param", "attack", "evidence", "otherinfo":
			text, err := x.Text()
			a.setInstance(name, text)
			return err
		}
		return x.Skip() // request and response
	})
	a.endInstance()
	return err
}

func (z *zapReport) json(s *stream) (err error) {
	d := s.Decoder
	members(d, func(key string) {
		switch key {
		case "@generated", "created":
			said := word(d)
			if at := readTime(said, zapTimes...); z.at.IsZero() || key == "created" && !at.IsZero() {
				z.at = at
			}
		case "site":
			z.known = true
			elements(d, func() {
				if e := z.jsonSite(d); err == nil {
					err = e
				}
			})
		case "alerts": // of the API
			z.known = true
			err = z.jsonAlerts(d)
		default:
			d.Skip()
		}
		if err != nil {
			d.Reject("ended") // so that nothing more is read; err is what counts
		}
	})
	if err != nil {
		return err
	}
	if err := s.end("zap"); err != nil {
		return err
	}
	if !z.known {
		return fault.Invalid("not a zap report: it has no sites")
	}
	return nil
}

func (z *zapReport) jsonSite(d *jsonstream.Decoder) (err error) {
	z.site = zapSite{}
	members(d, func(key string) {
		switch key {
		case "@name":
			z.site.name = word(d)
		case "@host":
			z.site.host = word(d)
		case "@port":
			z.site.port = word(d)
		case "alerts":
			if err = z.jsonAlerts(d); err != nil {
				d.Reject("ended")
			}
		default:
			d.Skip()
		}
	})
	return err
}

func (z *zapReport) jsonAlerts(d *jsonstream.Decoder) error {
	var a *zapAlert
	return records(d, z.out, func() {
		a = &zapAlert{}
		members(d, func(key string) {
			switch {
			case key == "instances":
				elements(d, func() { z.jsonInstance(d, a) })
			case key == "tags":
				z.jsonTags(d, a)
			case d.Kind() == jsonstream.Object || d.Kind() == jsonstream.Array:
				d.Skip()
			default:
				a.set(key, text(d, intake.MaxText))
			}
		})
	}, func() error {
		if err := z.ctx.Err(); err != nil {
			return err
		}
		return z.alert(a)
	})
}

func (z *zapReport) jsonInstance(d *jsonstream.Decoder, a *zapAlert) {
	members(d, func(key string) {
		switch key {
		case "uri", "method", "param", "attack", "evidence", "otherinfo":
			a.setInstance(key, text(d, intake.MaxText))
		default:
			d.Skip() // request and response
		}
	})
	a.endInstance()
}

// jsonTags reads [{"tag","link"}] of reports and {"tag":"link"} of the API.
func (z *zapReport) jsonTags(d *jsonstream.Decoder, a *zapAlert) {
	elements(d, func() {
		members(d, func(key string) {
			said := word(d)
			if a.tags.Len() < intake.MaxText {
				fmt.Fprintf(&a.tags, "%s %s\n", key, said)
			}
		})
	})
}
