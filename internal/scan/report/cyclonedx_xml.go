package report

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// cdxXML is one pass over an XML document.
func (k *rereadable) cdxXML(ctx context.Context, see cdxVisitor) error {
	x := intake.NewXML("cyclonedx", k.again(ctx), intake.Limits{Token: 16 << 20, Depth: 100})
	root, err := x.Root("bom")
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("cyclonedx %w: it has no root element", scan.ErrTruncated)
	}
	if err != nil {
		return err
	}
	if see.known != nil && strings.Contains(xmlns(root), "cyclonedx.org/schema/bom") {
		see.known()
	}
	j := cdxXML{x, see}
	return x.Each(j.top)
}

func xmlns(e xml.StartElement) string {
	var all strings.Builder
	for _, a := range e.Attr {
		if a.Name.Local == "xmlns" || a.Name.Space == "xmlns" {
			all.WriteString(a.Value + " ")
		}
	}
	return all.String()
}

type cdxXML struct {
	x   *intake.XML
	see cdxVisitor
}

func (j cdxXML) top(e xml.StartElement) error {
	switch {
	case e.Name.Local == "metadata" && j.see.header != nil:
		return j.metadata()
	case e.Name.Local == "components":
		return j.x.Each(func(e xml.StartElement) error { return j.component(e) })
	case e.Name.Local == "vulnerabilities" && j.see.vulnerability != nil:
		return j.x.Each(func(e xml.StartElement) error { return j.vulnerability(e, nil) })
	}
	return j.x.Skip()
}

func (j cdxXML) metadata() error {
	var subject cdxComponent
	var at time.Time
	var authors [3]string
	err := j.x.Each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "authors":
			return j.each("author", func() error { return j.only("name", &authors[0]) })
		case "supplier":
			return j.only("name", &authors[1])
		case "manufacturer", "manufacture":
			return j.only("name", &authors[2])
		case "timestamp":
			text, err := j.x.Text()
			at = moment(text)
			return err
		case "component":
			subject = cdxComponent{ref: intake.Attr(e, "bom-ref"), kind: intake.Attr(e, "type")}
			return j.x.Each(func(e xml.StartElement) error { return j.field(&subject, e) })
		}
		return j.x.Skip()
	})
	j.see.header(subject, cmp.Or(authors[:]...), at)
	return err
}

func (j cdxXML) field(c *cdxComponent, e xml.StartElement) error {
	switch e.Name.Local {
	case "group":
		return j.word(&c.group)
	case "name":
		return j.word(&c.name)
	case "version":
		return j.word(&c.version)
	case "purl":
		return j.word(&c.purl)
	}
	return j.x.Skip()
}

func (j cdxXML) word(field *string) error { return j.text(field, maxShort) }

func (j cdxXML) text(field *string, n int) error {
	text, err := j.x.Text()
	*field = intake.Cut(text, n)
	return err
}

// component reads a component and those inside of it. Until 1.3 its vulnerabilities stood inside too (the extension
// http://cyclonedx.org/schema/ext/vulnerability/1.0).
func (j cdxXML) component(e xml.StartElement) error {
	if e.Name.Local != "component" {
		return j.x.Skip()
	}
	c := cdxComponent{ref: intake.Attr(e, "bom-ref"), kind: intake.Attr(e, "type")}
	err := j.x.Each(func(e xml.StartElement) error {
		switch {
		case e.Name.Local == "components":
			return j.x.Each(j.component)
		case e.Name.Local == "vulnerabilities" && j.see.vulnerability != nil:
			return j.x.Each(func(e xml.StartElement) error { return j.vulnerability(e, &c) })
		}
		return j.field(&c, e)
	})
	if err != nil || j.see.component == nil {
		return err
	}
	return j.see.component(&c)
}

// vulnerability reads a vulnerability; inside is the component that it stands in.
func (j cdxXML) vulnerability(e xml.StartElement, inside *cdxComponent) error {
	if e.Name.Local != "vulnerability" {
		return j.x.Skip()
	}
	j.x.Record()
	v := cdxVulnerability{ref: intake.Attr(e, "bom-ref")}
	if ref := intake.Attr(e, "ref"); ref != "" && inside == nil {
		v.affect(cdxAffected{ref: ref})
	}
	if err := j.x.Each(func(e xml.StartElement) error { return j.part(&v, e) }); err != nil {
		return err
	}
	j.x.Done()
	if inside != nil {
		v.affect(cdxAffected{ref: inside.call()})
	}
	return j.see.vulnerability(&v)
}

func (j cdxXML) part(v *cdxVulnerability, e xml.StartElement) error {
	switch e.Name.Local {
	case "id":
		return j.word(&v.id)
	case "source":
		return j.only("url", &v.url)
	case "references":
		return j.each("reference", func() error { return j.keep(&v.aliases, "id") })
	case "ratings":
		return j.each("rating", func() error { return j.rating(v) })
	case "cwes":
		var list []string
		err := j.each("cwe", func() error { return j.add(&list) })
		v.cwes = cwes(list)
		return err
	case "description":
		return j.text(&v.description, 8<<10)
	case "detail":
		return j.text(&v.detail, 4<<10)
	case "recommendation":
		return j.text(&v.recommendation, 8<<10)
	case "recommendations":
		return j.each("recommendation", func() error { return j.text(&v.recommendation, 8<<10) })
	case "workaround":
		return j.text(&v.workaround, 4<<10)
	case "advisories":
		return j.each("advisory", func() error { return j.advisory(v) })
	case "analysis":
		return j.x.Each(func(e xml.StartElement) error { return j.analysis(v, e) })
	case "affects":
		return j.each("target", func() error { return j.affected(v) })
	}
	return j.x.Skip()
}

// each calls f for the children of a name.
func (j cdxXML) each(name string, f func() error) error {
	return j.x.Each(func(e xml.StartElement) error {
		if e.Name.Local != name {
			return j.x.Skip()
		}
		return f()
	})
}

// only reads the text of the children of a name.
func (j cdxXML) only(name string, field *string) error {
	return j.each(name, func() error { return j.word(field) })
}

func (j cdxXML) add(list *[]string) error {
	var s string
	err := j.word(&s)
	if s != "" && len(*list) < maxReferences {
		*list = append(*list, s)
	}
	return err
}

func (j cdxXML) keep(list *[]string, name string) error {
	return j.each(name, func() error { return j.add(list) })
}

// advisory is {title, url}; in the extension a URL alone.
func (j cdxXML) advisory(v *cdxVulnerability) error {
	url := ""
	plain, err := j.x.TextWith(func(e xml.StartElement) error {
		if e.Name.Local == "url" {
			return j.word(&url)
		}
		return j.x.Skip()
	})
	if url == "" {
		url = plain
	}
	if url != "" && len(v.advisories) < maxReferences {
		v.advisories = append(v.advisories, url)
	}
	return err
}

func (j cdxXML) rating(v *cdxVulnerability) error {
	var r cdxRating
	err := j.x.Each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "source":
			return j.only("name", &r.source)
		case "score": // a number; in the extension {base, impact, exploitability}
			plain, err := j.x.TextWith(func(e xml.StartElement) error {
				if e.Name.Local == "base" {
					return j.word(&r.score)
				}
				return j.x.Skip()
			})
			if r.score == "" {
				r.score = intake.Cut(plain, 10)
			}
			return err
		case "severity":
			return j.word(&r.severity)
		case "vector":
			return j.word(&r.vector)
		}
		return j.x.Skip()
	})
	r.vector = finding.VectorIn(r.vector)
	if len(v.ratings) < maxReferences {
		v.ratings = append(v.ratings, r)
	}
	return err
}

func (j cdxXML) analysis(v *cdxVulnerability, e xml.StartElement) error {
	switch e.Name.Local {
	case "state":
		return j.word(&v.state)
	case "justification":
		return j.word(&v.justification)
	case "detail":
		return j.text(&v.reason, 4<<10)
	case "responses":
		return j.each("response", func() error { return j.add(&v.responses) })
	case "firstIssued", "lastUpdated":
		var s string
		err := j.word(&s)
		v.updated = later(v.updated, moment(s))
		return err
	}
	return j.x.Skip()
}

func (j cdxXML) affected(v *cdxVulnerability) error {
	var a cdxAffected
	err := j.x.Each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "ref":
			return j.word(&a.ref)
		case "versions":
			return j.each("version", func() error {
				version, status := "", ""
				err := j.x.Each(func(e xml.StartElement) error {
					switch e.Name.Local {
					case "version":
						return j.word(&version)
					case "status":
						return j.word(&status)
					}
					return j.x.Skip()
				})
				a.list(version, status)
				return err
			})
		}
		return j.x.Skip()
	})
	v.affect(a)
	return err
}
