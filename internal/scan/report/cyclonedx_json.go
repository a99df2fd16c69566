package report

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/jsonstream"
)

// cdxJSON is one pass over a JSON document.
func (k *rereadable) cdxJSON(ctx context.Context, see cdxVisitor) error {
	return k.pass(ctx, "cyclonedx", func(d *jsonstream.Decoder) error { return cdxJSON{d, see}.document() })
}

type cdxJSON struct {
	d   *jsonstream.Decoder
	see cdxVisitor
}

func (j cdxJSON) document() error {
	d := j.d
	for d.Object(); d.More(); {
		d.Done()
		var err error
		switch key := string(d.Key()); {
		case key == "bomFormat" && j.see.known != nil:
			if strings.EqualFold(word(d), "cyclonedx") {
				j.see.known()
			}
		case key == "$schema" && j.see.known != nil:
			if strings.Contains(word(d), "cyclonedx") {
				j.see.known()
			}
		case key == "metadata" && j.see.header != nil:
			j.metadata()
		case key == "components" && j.see.component != nil:
			err = j.components(0)
		case key == "vulnerabilities" && j.see.vulnerability != nil:
			var v cdxVulnerability
			err = j.records(func() { v = j.vulnerability() }, func() error { return j.see.vulnerability(&v) })
		default:
			d.Skip()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// records is like the function of that name, for a visitor that may not care.
func (j cdxJSON) records(read func(), tell func() error) error {
	d := j.d
	if d.Kind() != jsonstream.Array {
		d.Skip()
		return nil
	}
	for d.Array(); d.More(); {
		mark := d.Record()
		read()
		err := d.Err()
		if err == nil {
			d.Done()
			err = tell()
		} else if !d.Recover(mark) {
			return nil
		} else if j.see.malformed != nil {
			err = j.see.malformed(reasonOf(err))
		} else {
			err = nil
		}
		if err != nil {
			return err
		}
	}
	d.Done()
	return nil
}

func (j cdxJSON) metadata() {
	var subject cdxComponent
	var at time.Time
	var authors [3]string
	named := func(field *string) {
		elements(j.d, func() { members(j.d, func(key string) { set(j.d, key == "name" && *field == "", field) }) })
	}
	members(j.d, func(key string) {
		switch key {
		case "authors":
			named(&authors[0])
		case "supplier":
			named(&authors[1])
		case "manufacturer", "manufacture":
			named(&authors[2])
		case "timestamp":
			at = moment(word(j.d))
		case "component":
			members(j.d, func(key string) { j.field(&subject, key) })
		default:
			j.d.Skip()
		}
	})
	j.see.header(subject, cmp.Or(authors[:]...), at)
}

func (j cdxJSON) field(c *cdxComponent, key string) {
	switch key {
	case "bom-ref":
		c.ref = word(j.d)
	case "type":
		c.kind = word(j.d)
	case "group":
		c.group = word(j.d)
	case "name":
		c.name = word(j.d)
	case "version":
		c.version = word(j.d)
	case "purl":
		c.purl = word(j.d)
	default:
		j.d.Skip()
	}
}

// components reads an array of components, each with those inside of it, which are records too.
func (j cdxJSON) components(depth int) error {
	d := j.d
	if d.Kind() != jsonstream.Array || depth > 20 {
		d.Skip()
		return nil
	}
	for d.Array(); d.More(); {
		if d.Kind() != jsonstream.Object {
			d.Skip()
			if d.Err() == nil {
				if err := j.see.component(&cdxComponent{}); err != nil {
					return err
				}
			}
			continue
		}
		var c cdxComponent
		mark := d.Record()
		for d.Object(); d.More(); {
			if string(d.Key()) != "components" {
				j.field(&c, string(d.Key()))
				continue
			}
			if err := j.components(depth + 1); err != nil {
				return err
			}
			d.Done()
		}
		err := d.Err()
		switch {
		case err == nil:
			err = j.see.component(&c)
		case !d.Recover(mark):
			return nil
		default:
			err = j.see.malformed(reasonOf(err))
		}
		if err != nil {
			return err
		}
	}
	d.Done()
	return nil
}

func (j cdxJSON) vulnerability() (v cdxVulnerability) {
	d := j.d
	members(d, func(key string) {
		switch key {
		case "id":
			v.id = word(d)
		case "source":
			members(d, func(key string) { set(d, key == "url", &v.url) })
		case "references":
			elements(d, func() {
				id := ""
				members(d, func(key string) { set(d, key == "id", &id) })
				if len(v.aliases) < maxReferences {
					v.aliases = append(v.aliases, id)
				}
			})
		case "ratings":
			elements(d, func() { j.rating(&v) })
		case "cwes":
			v.cwes = cwes(texts(d, maxReferences))
		case "description":
			v.description = text(d, 8<<10)
		case "detail":
			v.detail = text(d, 4<<10)
		case "recommendation":
			v.recommendation = text(d, 8<<10)
		case "workaround":
			v.workaround = text(d, 4<<10)
		case "advisories":
			elements(d, func() {
				url := ""
				members(d, func(key string) { set(d, key == "url", &url) })
				if len(v.advisories) < maxReferences {
					v.advisories = append(v.advisories, url)
				}
			})
		case "analysis":
			j.analysis(&v)
		case "affects":
			elements(d, func() { j.affected(&v) })
		default:
			d.Skip()
		}
	})
	return v
}

// set reads a word into field if it is wanted.
func set(d *jsonstream.Decoder, wanted bool, field *string) {
	if wanted {
		*field = word(d)
		return
	}
	d.Skip()
}

func (j cdxJSON) rating(v *cdxVulnerability) {
	var r cdxRating
	d := j.d
	members(d, func(key string) {
		switch key {
		case "source":
			members(d, func(key string) { set(d, key == "name", &r.source) })
		case "score":
			r.score = word(d)
		case "severity":
			r.severity = word(d)
		case "vector":
			r.vector = finding.VectorIn(word(d))
		default:
			d.Skip()
		}
	})
	if len(v.ratings) < maxReferences {
		v.ratings = append(v.ratings, r)
	}
}

func (j cdxJSON) analysis(v *cdxVulnerability) {
	d := j.d
	members(d, func(key string) {
		switch key {
		case "state":
			v.state = word(d)
		case "justification":
			v.justification = word(d)
		case "detail":
			v.reason = text(d, 4<<10)
		case "response":
			v.responses = texts(d, 20)
		case "firstIssued", "lastUpdated":
			v.updated = later(v.updated, moment(word(d)))
		default:
			d.Skip()
		}
	})
}

func (j cdxJSON) affected(v *cdxVulnerability) {
	var a cdxAffected
	d := j.d
	if d.Kind() != jsonstream.Object {
		v.affect(cdxAffected{ref: word(d)})
		return
	}
	members(d, func(key string) {
		switch key {
		case "ref":
			a.ref = word(d)
		case "versions":
			elements(d, func() {
				version, status := "", ""
				members(d, func(key string) {
					switch key {
					case "version":
						version = word(d)
					case "status":
						status = word(d)
					default:
						d.Skip()
					}
				})
				a.list(version, status)
			})
		default:
			d.Skip()
		}
	})
	v.affect(a)
}

// list adds a version, which is affected unless the document says otherwise.
func (a *cdxAffected) list(version, status string) {
	a.listed = true
	if status == "unaffected" {
		return
	}
	if a.affected = true; a.version == "" {
		a.version = version
	}
}
