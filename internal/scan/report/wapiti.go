package report

import (
	"bytes"
	"context"
	"encoding/xml"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/jsonstream"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// wapiti reads the JSON and XML of Wapiti 2.3 to 3.x. A record is an entry of a vulnerability, an anomaly or an additional.
// What one category says of two paths are two findings. Requests, which may hold the session's cookies, are passed over.
type wapiti struct{}

// Name is "wapiti".
func (wapiti) Name() string { return "wapiti" }

// Detect knows the JSON's members and the XML's generator.
func (wapiti) Detect(head []byte) bool {
	if bytes.HasPrefix(head, []byte("<")) {
		return bytes.Contains(head, []byte("<report type=\"security\"")) && bytes.Contains(bytes.ToLower(head), []byte("wapiti"))
	}
	found := outline(head)
	if has(found, "vulnerabilities", "anomalies") || has(found, "infos.version", "infos.target") {
		return true
	}
	first := bytes.HasPrefix(head, []byte("{")) && bytes.Contains(head[:min(len(head), 200)], []byte(`"classifications"`))
	return first && bytes.Contains(head, []byte(`"wstg"`)) || first && bytes.Contains(head, []byte(`"sol"`)) && bytes.Contains(head, []byte(`"ref"`))
}

// Read emits the entries.
func (wapiti) Read(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error {
	head, in := intake.Head(heedful{ctx, raw})
	w := &wapitiReport{out: newOut(emit), classes: map[string]*wapitiClass{}}
	if bytes.HasPrefix(head, []byte("<")) {
		return w.xml(intake.NewXML("wapiti", in, intake.Limits{Token: 16 << 20}))
	}
	k, err := keep("wapiti", in)
	if err != nil {
		return err
	}
	defer k.close()
	if err := k.pass(ctx, "wapiti", w.lookAhead); err != nil { // what all entries need stands at the end
		return err
	}
	if !w.known {
		return fault.Invalid("not a wapiti report: it has no vulnerabilities and infos")
	}
	return k.pass(ctx, "wapiti", w.json)
}

type wapitiReport struct {
	*out
	at      time.Time
	target  endpoint
	base    string // scheme and authority of the target
	classes map[string]*wapitiClass
	known   bool
}

// wapitiClass is what the report says of a category.
type wapitiClass struct {
	desc, solution string
	refs           []string
}

// maxClasses is many times what Wapiti knows.
const maxClasses = 500

func (w *wapitiReport) class(name string) *wapitiClass {
	c := w.classes[name]
	if c == nil {
		c = &wapitiClass{}
		if len(w.classes) < maxClasses {
			w.classes[name] = c
		}
	}
	return c
}

func (w *wapitiReport) setTarget(target string) {
	w.target = place(target)
	if i := strings.Index(target, "://"); i >= 0 {
		end := strings.IndexAny(target[i+3:], "/?#")
		if end >= 0 {
			target = target[:i+3+end]
		}
		w.base = target
	}
}

var wapitiTimes = []string{time.RFC1123Z, time.RFC1123, time.RFC3339, "Mon, 02 Jan 2006 15:04:05", time.ANSIC}

func (w *wapitiReport) lookAhead(d *jsonstream.Decoder) error {
	found := 0
	members(d, func(name string) {
		switch name {
		case "vulnerabilities", "infos":
			found++
		}
		switch name {
		case "infos":
			members(d, func(name string) {
				switch said := word(d); name {
				case "target":
					w.setTarget(said)
				case "date":
					w.at = readTime(said, wapitiTimes...)
				}
			})
		case "classifications":
			members(d, func(name string) { w.readClass(d, strings.Clone(name)) })
		default:
			d.Skip()
		}
	})
	w.known = found == 2
	return nil
}

func (w *wapitiReport) readClass(d *jsonstream.Decoder, name string) {
	c := w.class(name)
	members(d, func(name string) {
		switch name {
		case "desc":
			c.desc = text(d, 4<<10)
		case "sol":
			c.solution = text(d, 4<<10)
		case "ref":
			members(d, func(string) {
				if link := word(d); len(c.refs) < 20 {
					c.refs = append(c.refs, link)
				}
			})
		default:
			d.Skip()
		}
	})
}

// wapitiEntry is one record.
type wapitiEntry struct{ method, path, info, level, parameter, module string }

func (w *wapitiReport) json(d *jsonstream.Decoder) (err error) {
	members(d, func(section string) {
		switch section {
		case "vulnerabilities", "anomalies", "additionals":
			members(d, func(category string) {
				if err = w.entries(d, strings.Clone(category)); err != nil {
					d.Reject("ended") // err is what counts
				}
			})
		default:
			d.Skip()
		}
	})
	return err
}

func (w *wapitiReport) entries(d *jsonstream.Decoder, category string) error {
	var e wapitiEntry
	return records(d, w.out, func() {
		e = wapitiEntry{}
		fields := map[string]*string{"method": &e.method, "path": &e.path, "info": &e.info, "level": &e.level, "parameter": &e.parameter, "module": &e.module}
		members(d, func(name string) {
			if field := fields[name]; field != nil {
				*field = text(d, intake.MaxText)
				return
			}
			d.Skip()
		})
	}, func() error { return w.tell(category, e) })
}

// wapitiLevels are Wapiti's 0 (informational) to 4.
var wapitiLevels = map[string]string{"0": "info", "1": "low", "2": "medium", "3": "high", "4": "critical"}

// wapitiCWE are the weaknesses that Wapiti's categories are.
var wapitiCWE = map[string]int{"sql-injection": 89, "blind-sql-injection": 89, "cross-site-scripting": 79, "reflected-cross-site-scripting": 79,
	"stored-cross-site-scripting": 79, "stored-html-injection": 79, "html-injection": 79, "path-traversal": 22, "file-handling": 22,
	"command-execution": 78, "commands-execution": 78, "crlf-injection": 93, "crlf": 93, "open-redirect": 601, "server-side-request-forgery": 918,
	"xml-external-entity": 611, "cross-site-request-forgery": 352, "backup-file": 530, "potentially-dangerous-file": 538, "ldap-injection": 90,
	"unrestricted-file-upload": 434, "htaccess-bypass": 287, "weak-credentials": 1391, "secure-flag-cookie": 614, "httponly-flag-cookie": 1004,
	"content-security-policy-configuration": 693, "http-strict-transport-security-hsts": 319, "clickjacking-protection": 1021}

var urlPassword = regexp.MustCompile(`://[^/@\s:]+:[^/@\s]+@`)

func (w *wapitiReport) tell(category string, e wapitiEntry) error {
	key := slug(category)
	if key == "" || e.path == "" && e.info == "" {
		return w.drop("malformed: an entry without a category, or without path and info")
	}
	c := w.class(category)
	o := finding.Observation{Address: w.target.address, HostName: w.target.name(), Protocol: w.target.protocol, Port: w.target.port, At: w.at,
		Check: "wapiti:" + key + ":" + withoutQuery(e.path), Title: category, Severity: wapitiLevels[strings.TrimSpace(e.level)], Confidence: 80,
		Remedy: htmlText(c.solution), References: reflist(c.refs), CVEs: finding.CVEsIn(category + "\n" + e.info)}
	if e.level == "" {
		o.Severity = "info"
	}
	if cwe := wapitiCWE[key]; cwe != 0 {
		o.CWEs = []int{cwe}
	}
	o.Location = e.path
	if strings.HasPrefix(e.path, "/") {
		o.Location = w.base + e.path
	}
	request := strings.TrimSpace(e.method + " " + o.Location)
	if e.parameter != "" {
		request += "\nparameter: " + e.parameter
	}
	o.Output = urlPassword.ReplaceAllString(joined(e.info, request, htmlText(c.desc)), "://***@")
	return w.cry(o)
}

func (w *wapitiReport) xml(x *intake.XML) error {
	_, err := x.Root("report")
	switch {
	case err == io.EOF: //nolint:errorlint // Root returns it bare
		return fault.Invalid("wapiti report: it is empty")
	case err != nil:
		return err
	}
	return x.Each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "report_infos":
			return w.xmlInfos(x)
		case "vulnerabilities", "anomalies", "additionals":
			return x.Each(func(e xml.StartElement) error { return w.xmlCategory(x, e) })
		}
		return x.Skip()
	})
}

func (w *wapitiReport) xmlInfos(x *intake.XML) error {
	return x.Each(func(e xml.StartElement) error {
		name := intake.Attr(e, "name")
		said, err := x.Text()
		switch name {
		case "target":
			w.setTarget(said)
		case "date", "dateOfScan":
			w.at = readTime(said, wapitiTimes...)
		}
		return err
	})
}

// xmlCategory reads a category: what it means comes before its entries.
func (w *wapitiReport) xmlCategory(x *intake.XML, e xml.StartElement) error {
	name := intake.Attr(e, "name")
	c := w.class(name)
	return x.Each(func(e xml.StartElement) (err error) {
		switch e.Name.Local {
		case "description":
			c.desc, err = x.Text()
		case "solution":
			c.solution, err = x.Text()
		case "references":
			return x.Each(func(xml.StartElement) error {
				return x.Each(func(e xml.StartElement) error {
					isURL := e.Name.Local == "url"
					link, err := x.Text()
					if isURL && len(c.refs) < 20 {
						c.refs = append(c.refs, link)
					}
					return err
				})
			})
		case "entries":
			return x.Each(func(xml.StartElement) error { return w.xmlEntry(x, name) })
		default:
			return x.Skip()
		}
		return err
	})
}

func (w *wapitiReport) xmlEntry(x *intake.XML, category string) error {
	var r wapitiEntry
	fields := map[string]*string{"method": &r.method, "path": &r.path, "info": &r.info, "level": &r.level, "parameter": &r.parameter, "module": &r.module}
	x.Record()
	err := x.Each(func(e xml.StartElement) (err error) {
		field := fields[e.Name.Local]
		if field == nil {
			return x.Skip() // http_request, curl_command
		}
		*field, err = x.Text()
		return err
	})
	x.Done()
	if err != nil {
		return err
	}
	return w.tell(category, r)
}
