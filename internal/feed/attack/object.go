package attack

import (
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
)

// object is what any STIX object of a bundle may say. Only what the bundle's techniques need is kept of it.
type object struct {
	stix, kind          string // "attack-pattern--…", "attack-pattern"
	id, url             string // "T1190", of the first reference to ATT&CK itself
	name, short         string
	description         string
	detection           string
	modified            time.Time
	revoked, deprecated bool
	tactics             []string
	platforms           []string
	refs                []string // of a matrix its tactics, of a detection strategy its analytics

	relation, source, target string // of a relationship
}

// object reads the next object of the bundle and keeps it.
func (b *bundle) object(d *feed.Records, file feed.File) (string, error) {
	if d.Count() > maxObjects {
		return "", fault.Invalid("%s: more than %d objects", file.Name, maxObjects)
	}
	o := readObject(d)
	if d.Err() != nil {
		return o.label(), nil
	}
	if field, reason := b.keep(o); reason != "" {
		d.Bad(field, reason)
	}
	return o.label(), nil
}

// label names the object in messages.
func (o object) label() string {
	if o.id != "" {
		return o.id
	}
	return feed.Cut(o.stix, 100)
}

func readObject(d *feed.Records) (o object) {
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "type":
			o.kind = d.Word()
		case "id":
			o.stix = d.Text()
		case "name":
			o.name = feed.Cut(feed.Clean(d.Text()), maxNote)
		case "description":
			o.description = d.Text()
		case "x_mitre_detection":
			o.detection = d.Text()
		case "x_mitre_shortname":
			o.short = feed.Clean(d.Word())
		case "modified":
			o.modified, _ = time.Parse(time.RFC3339, d.Text())
		case "revoked":
			o.revoked = d.Bool()
		case "x_mitre_deprecated":
			o.deprecated = d.Bool()
		case "external_references":
			o.readReferences(d)
		case "kill_chain_phases":
			o.readPhases(d)
		case "x_mitre_platforms":
			o.platforms = readWords(d)
		case "tactic_refs", "x_mitre_analytic_refs":
			o.refs = readWords(d)
		case "relationship_type":
			o.relation = d.Word()
		case "source_ref":
			o.source = d.Word()
		case "target_ref":
			o.target = d.Word()
		default:
			d.Skip()
		}
	}
	return o
}

// mitre are the names under which ATT&CK refers to itself; the old ones of its domains stand in revoked techniques.
var mitre = []string{"mitre-attack", "mitre-mobile-attack", "mitre-ics-attack"}

// readReferences keeps ATT&CK's own id and page; all others are literature.
func (o *object) readReferences(d *feed.Records) {
	for d.Array(); d.More(); {
		var source, id, url string
		for d.Object(); d.More(); {
			switch string(d.Key()) {
			case "source_name":
				source = d.Word()
			case "external_id":
				id = feed.Clean(d.Word())
			case "url":
				url = feed.Clean(d.Text())
			default:
				d.Skip()
			}
		}
		if o.id == "" && slices.Contains(mitre, source) && len(id) <= 20 {
			o.id = id
			if strings.HasPrefix(url, "https://attack.mitre.org/") && len(url) < 200 {
				o.url = url
			}
		}
	}
}

// readPhases keeps the tactics' short names.
func (o *object) readPhases(d *feed.Records) {
	for d.Array(); d.More(); {
		var chain, phase string
		for d.Object(); d.More(); {
			switch string(d.Key()) {
			case "kill_chain_name":
				chain = d.Word()
			case "phase_name":
				phase = feed.Clean(d.Word())
			default:
				d.Skip()
			}
		}
		if slices.Contains(mitre, chain) {
			o.tactics = short(o.tactics, phase)
		}
	}
}

func readWords(d *feed.Records) (words []string) {
	for d.Array(); d.More(); {
		words = short(words, feed.Clean(d.Word()))
	}
	return words
}

// keep files the object under its kind; one that is of no use is left out without a word. A reason says what is wrong.
func (b *bundle) keep(o object) (field, reason string) {
	switch o.kind {
	case "attack-pattern":
		if o.stix == "" || !intel.IsTechniqueID(o.id) {
			return "external_references", "no technique id"
		}
		b.techniques[o.stix] = o
	case "x-mitre-tactic":
		if o.stix == "" || o.id == "" || o.short == "" {
			return "x_mitre_shortname", "no tactic id or short name"
		}
		if !o.gone() {
			b.tactics[o.stix] = o
		}
	case "x-mitre-matrix":
		if !o.gone() {
			b.order = append(b.order, o.refs...)
		}
	case "intrusion-set", "malware", "tool", "course-of-action":
		if o.stix != "" && o.id != "" && !o.gone() {
			b.named[o.stix] = intel.Named{ID: o.id, Name: o.name}
		}
	case "x-mitre-detection-strategy":
		if !o.gone() {
			b.strategies[o.stix] = strategy{name: o.name, analytics: o.refs}
		}
	case "x-mitre-analytic":
		if !o.gone() {
			b.analytics[o.stix] = o.analytic()
		}
	case "relationship":
		if !o.gone() {
			b.relate(o)
		}
	}
	return "", ""
}

// gone says that MITRE took the object back.
func (o object) gone() bool { return o.revoked || o.deprecated }

// analytic is the text of one way to detect, behind the platforms that it is for.
func (o object) analytic() string {
	text := strings.TrimSpace(o.description)
	if text == "" {
		return ""
	}
	var platforms []string
	for _, p := range o.platforms {
		if p != "None" { // what ATT&CK for ICS writes
			platforms = append(platforms, p)
		}
	}
	if len(platforms) > 0 {
		text = strings.Join(platforms, ", ") + ": " + text
	}
	return feed.Cut(text, maxAnalytic)
}
