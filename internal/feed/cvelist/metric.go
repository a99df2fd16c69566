package cvelist

import (
	"strings"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/jsonstream"
)

// metric reads one element of metrics: {"format","scenarios","cvssV3_1":{…}} or {"other":{"type","content"}}.
func (p *parser) metric(c *container) {
	d := p.d
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "cvssV2_0":
			p.cvss(c, "2.0")
		case "cvssV3_0":
			p.cvss(c, "3.0")
		case "cvssV3_1":
			p.cvss(c, "3.1")
		case "cvssV4_0":
			p.cvss(c, "4.0")
		case "other":
			p.other(c)
		default:
			d.Skip()
		}
	}
}

// cvss reads one assessment. Without a score it is none: nothing is not 0.
func (p *parser) cvss(c *container, version string) {
	m, scored, d := cve.Metric{Version: version}, false, p.d
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "vectorString":
			m.Vector = d.Word()
		case "baseScore":
			m.Score, scored = d.Float()
		case "version":
			// Some assigners put a 3.1 vector under cvssV3_0: the assessment's own word counts.
			switch v := d.Word(); v {
			case "2.0", "3.0", "3.1", "4.0":
				m.Version = v
			}
		default:
			d.Skip()
		}
	}
	switch {
	case m.Score < 0 || m.Score > 10:
		d.Reject("CVSS score outside 0 to 10")
	case len(c.metrics) >= maxMetrics:
		d.Reject("too many metrics")
	case scored:
		c.metrics = append(c.metrics, m)
	}
}

// assessment is the content of an "other" metric of any type.
type assessment struct {
	ssvc  intel.SSVC
	words string // of a severity
}

// other reads {"type":"ssvc","content":{…}}, and severities in words. "kev" and what may follow are left to others.
func (p *parser) other(c *container) {
	d := p.d
	kind, content := "", assessment{}
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "type":
			kind = strings.ToLower(d.Word())
		case "content":
			content = p.content()
		default:
			d.Skip()
		}
	}
	switch v := content.ssvc; {
	case kind == "ssvc" && v.Exploitation+v.Automatable+v.TechnicalImpact != "":
		c.ssvc = &v
	case strings.Contains(kind, "severity") && c.rating == "":
		c.rating = levels[strings.ToLower(strings.TrimSpace(content.words))]
	}
}

// levels are the severities that Apache, Red Hat and others write, by the words of ours.
var levels = map[string]string{
	"critical": "critical", "important": "high", "high": "high", "moderate": "medium", "medium": "medium", "low": "low",
}

func (p *parser) content() (a assessment) {
	d := p.d
	switch d.Kind() {
	case jsonstream.String:
		a.words = d.Text()
		return a
	case jsonstream.Object:
	default:
		d.Skip()
		return a
	}
	for d.Object(); d.More(); {
		key := string(d.Key())
		switch {
		case key == "options" && d.Kind() == jsonstream.Array:
			p.options(&a.ssvc)
		case key == "timestamp" && d.Kind() == jsonstream.String:
			a.ssvc.At = p.time()
		case (key == "text" || key == "value") && d.Kind() == jsonstream.String:
			a.words = d.Text()
		default:
			d.Skip()
		}
	}
	return a
}

var withoutBlanks = strings.NewReplacer(" ", "", "_", "", "-", "")

// options reads [{"Exploitation":"none"},{"Automatable":"yes"},{"Technical Impact":"total"}]; CISA's spelling varies.
func (p *parser) options(v *intel.SSVC) {
	d := p.d
	for d.Array(); d.More(); {
		if d.Kind() != jsonstream.Object {
			d.Skip()
			continue
		}
		for d.Object(); d.More(); {
			name := strings.ToLower(string(d.Key()))
			if d.Kind() != jsonstream.String {
				d.Skip()
				continue
			}
			value := strings.ToLower(strings.TrimSpace(d.Word()))
			switch withoutBlanks.Replace(name) {
			case "exploitation":
				v.Exploitation = oneOf(value, "none", "poc", "active")
			case "automatable":
				v.Automatable = oneOf(value, "yes", "no")
			case "technicalimpact":
				v.TechnicalImpact = oneOf(value, "partial", "total")
			}
		}
	}
}

// oneOf is the value if it is one that is known, else "": not assessed.
func oneOf(value string, known ...string) string {
	for _, k := range known {
		if value == k {
			return k
		}
	}
	return ""
}
