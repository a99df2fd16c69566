// Package cwe reads the weaknesses of CWE and what CAPEC, the catalogue of attack patterns, adds to them: the patterns
// that use a weakness and the ATT&CK techniques that these are. It never judges a vulnerability by its weakness.
package cwe

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"path"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/jsonstream"
)

const (
	baseURL  = "https://cwe-api.mitre.org/api/v1/cwe/weakness/"
	capecURL = "https://raw.githubusercontent.com/mitre/cti/master/capec/2.1/"

	weaknessFile = "cwe_weaknesses.json"
	capecFile    = "stix-capec.json"     // the bundle as MITRE publishes it
	patternFile  = "attack-pattern.json" // its attack patterns alone
	patternDir   = "capec"

	maxDescription = 8 << 10
	maxList        = 500 // of parents, patterns or techniques; CWE-20 has some 50 patterns
	maxWeaknesses  = 50_000
	researchView   = "1000" // the view in which every weakness has its place
)

// Reader reads both catalogues. The zero value is ready and safe for concurrent use.
type Reader struct{}

// Feed is "cwe".
func (Reader) Feed() string { return "cwe" }

// Base is MITRE's CWE API.
func (Reader) Base() string { return baseURL }

// Remote is all weaknesses from CWE's API, which is the one place that publishes them as JSON, and CAPEC's bundle.
func (Reader) Remote(time.Time) []feed.Remote {
	return []feed.Remote{
		{Name: weaknessFile, URL: baseURL + "all"},
		{Name: capecFile, URL: capecURL + capecFile},
	}
}

// Owns knows the files of both catalogues.
func (Reader) Owns(name string) bool {
	return name == weaknessFile || name == capecFile || name == patternFile
}

// OwnsPath wants CAPEC's patterns in a folder of that name: ATT&CK's may be called the same.
func (r Reader) OwnsPath(file string) bool {
	name := path.Base(file)
	return r.Owns(name) && (name != patternFile || path.Base(path.Dir(file)) == patternDir)
}

// Partial is false: each file is a whole catalogue.
func (Reader) Partial(string) bool { return false }

// Less reads CWE before CAPEC.
func (Reader) Less(a, b string) bool {
	if x, y := a != weaknessFile, b != weaknessFile; x != y {
		return y
	}
	return a < b
}

// Read streams parts of weaknesses into sink.Weakness: CWE's file gives all of an entry but its techniques, CAPEC's only
// ID, CAPECs and Techniques. Whoever stores them reads all files of a run and joins the parts by intel.Weakness.Merge.
// See feed.Reader.
func (Reader) Read(ctx context.Context, file feed.File, r io.Reader, sink feed.Sink) error {
	body, err := feed.Begin(file, r)
	if err != nil {
		return err
	}
	head := bufio.NewReaderSize(body, 4<<10)
	text, _ := head.Peek(4 << 10)
	limits := jsonstream.Limits{String: 1 << 20, Record: 8 << 20, Depth: 32}
	d := feed.NewRecords(ctx, file, head, sink, limits)
	switch {
	case file.Name != weaknessFile:
		return readCAPEC(d, file, sink)
	case bytes.Contains(text, []byte(`"Weaknesses"`)):
		return readAPI(d, file, sink)
	}
	// The form of the copies: a map of "weakness/79.json" to the weakness.
	if err := eachWeakness(d, file, sink, jsonstream.Object); err != nil {
		return err
	}
	return end(d)
}

// readAPI reads the form of CWE's API: the list in an object.
func readAPI(d *feed.Records, file feed.File, sink feed.Sink) error {
	list := false
	for d.Object(); d.More(); {
		if string(d.Key()) != "Weaknesses" {
			d.Skip()
			continue
		}
		list = true
		if err := eachWeakness(d, file, sink, jsonstream.Array); err != nil {
			return err
		}
	}
	if d.Err() == nil && !list {
		return noWeakness(file)
	}
	return end(d)
}

func end(d *feed.Records) error {
	d.End()
	return d.Broken()
}

func noWeakness(file feed.File) error {
	return fault.Invalid("%s: no weakness in it that can be used", file.Name)
}

func eachWeakness(d *feed.Records, file feed.File, sink feed.Sink, kind jsonstream.Kind) error {
	good := 0
	err := d.Each(kind, func() (string, error) {
		w := readWeakness(d)
		if w.ID == "" {
			d.Bad("id", "no weakness id")
		} else if w.Name == "" {
			d.Bad("name", "no name")
		}
		if d.Err() != nil {
			return w.ID, nil
		}
		if good++; good > maxWeaknesses {
			return "", fault.Invalid("%s: more than %d weaknesses", file.Name, maxWeaknesses)
		}
		return w.ID, sink.Weakness(w)
	})
	if err == nil && good == 0 {
		return noWeakness(file)
	}
	return err
}

// readWeakness knows the members by both their names: the copies' and the API's.
func readWeakness(d *feed.Records) (w intel.Weakness) {
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "id", "ID":
			w.ID = entryID("CWE-", d.Text())
		case "name", "Name":
			w.Name = feed.Cut(feed.Clean(d.Text()), 500)
		case "abstraction", "Abstraction":
			w.Abstraction = feed.Clean(d.Word())
		case "status", "Status":
			w.Status = feed.Clean(d.Word())
		case "description", "Description":
			w.Description = feed.Cut(strings.TrimSpace(d.Text()), maxDescription)
		case "related_weaknesses", "RelatedWeaknesses":
			w.Parents = readParents(d)
		case "related_attack_patterns", "RelatedAttackPatterns":
			w.CAPECs = readPatterns(d)
		default:
			d.Skip()
		}
	}
	return w
}

// readParents keeps what a weakness is a kind of, in the one view that holds all.
func readParents(d *feed.Records) (parents []string) {
	for d.Array(); d.More(); {
		var nature, id, view string
		for d.Object(); d.More(); {
			switch string(d.Key()) {
			case "nature", "Nature":
				nature = d.Word()
			case "cweid", "CweID":
				id = entryID("CWE-", d.Word())
			case "view_id", "ViewID":
				view = d.Word()
			default:
				d.Skip()
			}
		}
		if nature == "ChildOf" && view == researchView {
			parents = add(parents, id)
		}
	}
	return parents
}

func readPatterns(d *feed.Records) (patterns []string) {
	for d.Array(); d.More(); {
		patterns = add(patterns, entryID("CAPEC-", d.Word()))
	}
	return patterns
}

// entryID is "CWE-79" for "79", "CWE-79" and "cwe-79"; "" for what is no number.
func entryID(prefix, text string) string {
	text = strings.TrimSpace(text)
	if len(text) > len(prefix) && strings.EqualFold(text[:len(prefix)], prefix) {
		text = text[len(prefix):]
	}
	if text == "" || len(text) > 7 || strings.Trim(text, "0123456789") != "" {
		return ""
	}
	return prefix + text
}
