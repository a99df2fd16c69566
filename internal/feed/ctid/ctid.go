// Package ctid reads the mappings from known exploited vulnerabilities to ATT&CK techniques that the Center for
// Threat-Informed Defense publishes. It never maps anything itself.
package ctid

import (
	"context"
	"io"
	"path"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/jsonstream"
)

// The files carry the day of the KEV catalogue and ATT&CK's version in folder and name, and no listing tells the newest:
// these are the ones that stood on the project's main branch in January 2026. A newer one is named in the feed's URL.
const (
	baseURL = "https://raw.githubusercontent.com/center-for-threat-informed-defense/mappings-explorer/main/mappings/kev/"
	release = "attack-16.1/kev-07.28.2025/"
	prefix  = "kev-07.28.2025_attack-16.1-"

	maxMappings = 200_000 // held until the file's date is known; it has some 1,200
	maxComment  = 4 << 10 // bytes; the longest has some 2,200
)

// Reader reads mapping files. The zero value is ready and safe for concurrent use.
type Reader struct{}

// Feed is "ctid".
func (Reader) Feed() string { return "ctid" }

// Base is the project's folder of KEV mappings.
func (Reader) Base() string { return baseURL }

// Remote is the newest release for each of the domains that it covers.
func (Reader) Remote(time.Time) []feed.Remote {
	var all []feed.Remote
	for _, domain := range []string{"enterprise", "mobile"} {
		name := prefix + domain + ".json"
		all = append(all, feed.Remote{Name: name, URL: baseURL + release + domain + "/" + name})
	}
	return all
}

// Owns knows every release by its name.
func (Reader) Owns(name string) bool {
	ok, _ := path.Match("kev-*_attack-*-*.json", name)
	return ok && !strings.HasSuffix(name, "_stix.json")
}

// Partial is false: a file has all mappings of its domain.
func (Reader) Partial(string) bool { return false }

// Less reads releases in the order of their days, so that the newest has the last word.
func (Reader) Less(a, b string) bool {
	if x, y := released(a), released(b); !x.Equal(y) {
		return x.Before(y)
	}
	return a < b
}

// released is the day in a file's name, zero where there is none.
func released(name string) time.Time {
	day, _, _ := strings.Cut(strings.TrimPrefix(name, "kev-"), "_")
	t, _ := time.Parse("01.02.2006", day)
	return t
}

// Read streams the mappings into sink.Mapping. See feed.Reader.
func (Reader) Read(ctx context.Context, file feed.File, r io.Reader, sink feed.Sink) error {
	body, err := feed.Begin(file, r)
	if err != nil {
		return err
	}
	d := feed.NewRecords(ctx, file, body, sink, jsonstream.Limits{String: 256 << 10, Record: 1 << 20, Depth: 16})
	var mappings []intel.Mapping
	var date time.Time
	list := false
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "metadata":
			date = readDate(d)
		case "mapping_objects":
			list = true
			if mappings, err = readMappings(d, file); err != nil {
				return err
			}
		default:
			d.Skip()
		}
	}
	d.End()
	if err := d.Broken(); err != nil {
		return err
	}
	if !list {
		return fault.Invalid("%s: no list of mappings in it, this is no mapping file", file.Name)
	}
	if len(mappings) == 0 {
		return fault.Invalid("%s: no mapping in it that can be used", file.Name)
	}
	for _, m := range mappings {
		m.Date = date
		if err := sink.Mapping(m); err != nil {
			return err
		}
	}
	return nil
}

// readDate reads the day of the mapping set, zero if it has none.
func readDate(d *feed.Records) (date time.Time) {
	for d.Object(); d.More(); {
		switch key := string(d.Key()); key {
		case "creation_date", "last_update":
			if d.Kind() != jsonstream.String {
				d.Skip()
			} else if t, ok := day(feed.Clean(d.Text())); ok && t.After(date) {
				date = t
			}
		default:
			d.Skip()
		}
	}
	return date
}

// day reads the American way of writing a date and the international one.
func day(text string) (time.Time, bool) {
	if t, err := time.Parse("1/2/2006", text); err == nil {
		return t, true
	}
	return feed.Date(text)
}

// readMappings reads the list. What CTID says it could not map is left out.
func readMappings(d *feed.Records, file feed.File) (all []intel.Mapping, err error) {
	err = d.Each(jsonstream.Array, func() (string, error) {
		e := readEntry(d)
		m, field, reason := e.mapping()
		if reason != "" {
			d.Bad(field, reason)
		}
		if d.Err() != nil || e.status == "non_mappable" {
			return m.CVE.String(), nil
		}
		if len(all) == maxMappings {
			return "", fault.Invalid("%s: more than %d mappings", file.Name, maxMappings)
		}
		all = append(all, m)
		return "", nil
	})
	return all, err
}

// entry is a mapping as published.
type entry struct {
	capability, kind, technique, comment, status string
}

func readEntry(d *feed.Records) (e entry) {
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "capability_id":
			e.capability = feed.Clean(d.Word())
		case "mapping_type":
			e.kind = feed.Clean(d.Word())
		case "attack_object_id":
			e.technique = feed.Clean(d.Word())
		case "comments":
			e.comment = feed.Cut(strings.TrimSpace(d.Text()), maxComment)
		case "status":
			e.status = feed.Clean(d.Word())
		default:
			d.Skip()
		}
	}
	return e
}

// mapping checks the entry. Without a reason it is good; else field names what is wrong.
func (e entry) mapping() (m intel.Mapping, field, reason string) {
	m = intel.Mapping{Technique: e.technique, Kind: e.kind, Comment: e.comment, Source: "ctid"}
	var err error
	if m.CVE, err = cve.ParseID(e.capability); err != nil {
		return m, "capability_id", "malformed CVE id"
	}
	switch {
	case e.status == "non_mappable":
		return m, "", ""
	case e.technique == "":
		return m, "attack_object_id", "no technique"
	case !intel.IsTechniqueID(e.technique):
		return m, "attack_object_id", "malformed technique id"
	}
	switch e.kind {
	case intel.MappingExploitation, intel.MappingPrimary, intel.MappingSecondary:
	default:
		m.Kind = intel.MappingOther
	}
	return m, "", ""
}
