package openvas

import (
	"encoding/xml"
	"regexp"
	"strings"

	"github.com/patchscout/patchscout/internal/scan/intake"
)

// maxTags is what is kept of a check's tags: the solution stands behind the insight, which lists every flaw.
const maxTags = 1 << 20

// result reads one <result>.
func (d *document) result() error {
	d.Record()
	r := result{}
	err := d.Each(func(e xml.StartElement) error { return d.resultPart(&r, e) })
	d.Done()
	if err != nil {
		return err
	}
	d.results++
	at := d.now()
	if at.IsZero() {
		at = r.at
	}
	if key, ok := keyOf(r.host); ok {
		if level, _ := r.level(); level == failure {
			d.unfinished[key] = true
		}
	}
	return d.record(&r, at, d.lookedFor())
}

func (d *document) resultPart(r *result, e xml.StartElement) (err error) {
	switch e.Name.Local {
	case "nvt":
		r.oid = intake.Attr(e, "oid")
		return d.Each(func(e xml.StartElement) error { return d.checkPart(r, e) })
	case "host":
		r.host, err = d.TextWith(func(e xml.StartElement) error { return d.hostnamePart(r, e) })
	case "port":
		r.port, err = d.Text()
	case "name":
		if r.name == "" {
			r.name, err = d.Text()
			return err
		}
		return d.Skip()
	case "threat":
		r.threat, err = d.Text()
	case "severity":
		r.severity, err = d.number()
	case "original_severity":
		r.original, err = d.number()
	case "qod":
		return d.quality(r)
	case "description":
		r.description, err = d.Text()
	case "path":
		r.location, err = d.Text()
	case "detection":
		return d.detection(r)
	case "delta":
		r.delta, err = d.Text()
	case "compliance":
		r.compliance, err = d.Text()
	case "creation_time", "modification_time":
		var text string
		text, err = d.Text()
		if t := timeOf(text); !t.IsZero() {
			r.at = t
		}
	default:
		return d.Skip()
	}
	return err
}

func (d *document) hostnamePart(r *result, e xml.StartElement) (err error) {
	if e.Name.Local == "hostname" {
		r.hostname, err = d.Text()
		return err
	}
	return d.Skip()
}

func (d *document) number() (number, error) {
	text, err := d.Text()
	return numberOf(text), err
}

func (d *document) quality(r *result) error {
	text, err := d.TextWith(func(e xml.StartElement) (err error) {
		switch e.Name.Local {
		case "value":
			r.qod, err = d.Text()
			return err
		case "type":
			r.qodType, err = d.Text()
			return err
		}
		return d.Skip()
	})
	if r.qod == "" {
		r.qod = text
	}
	return err
}

// detection says by which product, and where, the check knew it: its path is the place of the weakness.
func (d *document) detection(r *result) error {
	var name string
	var walk func(xml.StartElement) error
	walk = func(e xml.StartElement) (err error) {
		switch e.Name.Local {
		case "result", "details", "detail":
			return d.Each(walk)
		case "name":
			name, err = d.Text()
			return err
		case "value":
			value, err := d.Text()
			if name == "location" && r.location == "" && !strings.HasPrefix(value, "general/") && !portShape.MatchString(value) {
				r.location = value
			}
			return err
		}
		return d.Skip()
	}
	return d.Each(walk)
}

// checkPart reads a part of <nvt>.
func (d *document) checkPart(r *result, e xml.StartElement) (err error) {
	var text string
	switch name := e.Name.Local; name {
	case "name":
		text, err = d.Text()
		if text != "" {
			r.name = text
		}
	case "family":
		r.family, err = d.Text()
	case "cvss_base":
		r.base, err = d.number()
	case "cvss_base_vector":
		text, err = d.Text()
		r.rate(text)
	case "severities":
		return d.Each(func(e xml.StartElement) error { return d.vector(r) })
	case "tags":
		text, err = d.LongText(maxTags)
		r.tags(text)
	case "solution":
		text, err = d.Text()
		if text != "" {
			r.solution = text
		}
	case "summary":
		r.summary, err = d.Text()
	case "cve", "cves", "cve_id", "bid", "bugtraq_id", "xref":
		text, err = d.LongText(maxTags)
		r.citeOld(name, text)
	case "refs", "cert":
		return d.Each(func(e xml.StartElement) error {
			r.cite(intake.Attr(e, "type"), intake.Attr(e, "id"))
			return d.Skip()
		})
	default:
		return d.Skip()
	}
	return err
}

// citeOld adds what the dialects before GMP 9 write into elements of their own.
func (r *result) citeOld(name, text string) {
	switch name {
	case "cve", "cves", "cve_id":
		r.cves = append(r.cves, cvesIn(text)...)
	case "xref":
		r.citeOther(text)
	default:
		r.citeList("bid", text)
	}
}

func (d *document) vector(r *result) error {
	return d.Each(func(e xml.StartElement) error {
		if e.Name.Local != "value" {
			return d.Skip()
		}
		text, err := d.Text()
		r.rate(text)
		return err
	})
}

// tags reads "cvss_base_vector=AV:N/…|summary=…|solution=…". A text may hold "|" itself: only known keys begin a tag.
func (r *result) tags(text string) {
	for len(text) > 0 {
		key, rest, ok := strings.Cut(text, "=")
		if !ok {
			return
		}
		value := rest
		text = ""
		if m := nextTag.FindStringIndex(rest); m != nil {
			value, text = rest[:m[0]], rest[m[0]+1:]
		}
		value = strings.TrimSpace(value)
		switch key = strings.TrimSpace(key); {
		case value == "" || value == "NOTAG":
		case key == "cvss_base_vector":
			r.rate(value)
		case key == "solution" && r.solution == "":
			r.solution = value
		case key == "summary" && r.summary == "":
			r.summary = value
		case key == "qodType" || key == "qod_type":
			r.qodType = value
		}
	}
}

// nextTag begins the next of the tags that gvmd writes.
var nextTag = regexp.MustCompile(`\|(?:cvss_base_vector|summary|insight|affected|impact|solution|vuldetect|solution_type|solution_method|qod_type|qodType|qod|` +
	`last_modification|creation_date|severity_vector|severity_date|severity_origin|deprecated|modification_time|creation_time|risk_factor)=`)
