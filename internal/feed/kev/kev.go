// Package kev reads CISA's catalogue of known exploited vulnerabilities, as JSON or CSV. It never says that a CVE that is
// not in the catalogue is not exploited.
package kev

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

const (
	baseURL  = "https://www.cisa.gov/sites/default/files/feeds/"
	jsonFile = "known_exploited_vulnerabilities.json"
	csvFile  = "known_exploited_vulnerabilities.csv"
)

// Reader reads KEV files. The zero value is ready and safe for concurrent use.
type Reader struct{}

// Feed is "kev".
func (Reader) Feed() string { return "kev" }

// Base is CISA's folder of feeds.
func (Reader) Base() string { return baseURL }

// Remote is the JSON file; CISA publishes no checksum.
func (Reader) Remote(time.Time) []feed.Remote { return []feed.Remote{{Name: jsonFile}} }

// Owns knows both forms.
func (Reader) Owns(name string) bool { return name == jsonFile || name == csvFile }

// Partial is false: each file is the whole catalogue.
func (Reader) Partial(string) bool { return false }

// Less reads the CSV first, so that where a folder holds both the JSON has the last word: it holds more.
func (Reader) Less(a, b string) bool { return a < b }

// Read streams the entries into sink.KEV. See feed.Reader.
func (Reader) Read(ctx context.Context, file feed.File, r io.Reader, sink feed.Sink) error {
	body, err := feed.Begin(file, r)
	if err != nil {
		return err
	}
	if path.Ext(file.Name) == ".csv" {
		return readCSV(ctx, file, body, sink)
	}
	return readJSON(file, body, sink)
}

func readJSON(file feed.File, r io.Reader, sink feed.Sink) error {
	d := jsonstream.New(r, jsonstream.Limits{String: 64 << 10, Record: 1 << 20})
	list, n, good := false, 0, 0
	for d.Object(); d.More(); {
		if string(d.Key()) != "vulnerabilities" {
			d.Skip()
			continue
		}
		list = true
		for d.Array(); d.More(); {
			n++
			mark := d.Record()
			e := readEntry(d)
			kev, field, reason := e.kev()
			if d.Err() != nil {
				field = "" // the entry was not read to its end
			} else if reason != "" {
				d.Reject(reason)
			}
			if err := d.Err(); err != nil {
				if !d.Recover(mark) {
					return jsonstream.Broken(file.Name, n, d.Err())
				}
				sink.Reject(jsonstream.Rejection(file.Name, n, e.knownID(), field, err))
				continue
			}
			good++
			if err := sink.KEV(kev); err != nil {
				return err
			}
		}
	}
	d.End()
	if err := d.Err(); err != nil {
		return jsonstream.Broken(file.Name, n, err)
	}
	if !list {
		return fault.Invalid("%s: no list of vulnerabilities in it, this is no KEV catalogue", file.Name)
	}
	return anyGood(file, good)
}

// anyGood refuses a catalogue without a single entry: CISA's never was, and taking it would forget all that is exploited.
func anyGood(file feed.File, good int) error {
	if good == 0 {
		return fault.Invalid("%s: no entry in it that can be used", file.Name)
	}
	return nil
}

// entry is a record as both forms write it.
type entry struct {
	id, vendor, product, name, added, due, ransomware, action string
}

func readEntry(d *jsonstream.Decoder) (e entry) {
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "cveID":
			e.id = d.Text()
		case "vendorProject":
			e.vendor = d.Text()
		case "product":
			e.product = d.Text()
		case "vulnerabilityName":
			e.name = d.Text()
		case "dateAdded":
			e.added = d.Text()
		case "dueDate":
			e.due = d.Text()
		case "knownRansomwareCampaignUse":
			e.ransomware = d.Text()
		case "requiredAction":
			e.action = d.Text()
		default:
			d.Skip()
		}
	}
	return e
}

// knownID is the entry's id for messages, "" when it is none.
func (e entry) knownID() string {
	id, err := cve.ParseID(e.id)
	if err != nil {
		return ""
	}
	return id.String()
}

// kev checks the entry. Without a reason it is good; else field names what is wrong.
func (e entry) kev() (k intel.KEV, field, reason string) {
	id, err := cve.ParseID(strings.TrimSpace(e.id))
	if err != nil {
		return k, "cveID", "malformed CVE id"
	}
	k = intel.KEV{
		CVE: id, Vendor: feed.Clean(e.vendor), Product: feed.Clean(e.product), Name: feed.Clean(e.name),
		Ransomware: strings.EqualFold(strings.TrimSpace(e.ransomware), "known"), RequiredAction: feed.Clean(e.action),
	}
	var ok bool
	if k.Added, ok = feed.Date(strings.TrimSpace(e.added)); !ok {
		return k, "dateAdded", "malformed date"
	}
	if due := strings.TrimSpace(e.due); due != "" {
		if k.Due, ok = feed.Date(due); !ok {
			return k, "dueDate", "malformed date"
		}
	}
	return k, "", ""
}

func readCSV(ctx context.Context, file feed.File, r io.Reader, sink feed.Sink) error {
	lines := feed.NewLines(file, r)
	header, err := lines.Next()
	if err != nil {
		return fault.Invalid("%s line 1: %w", file.Name, err)
	}
	at := feed.Columns(header, "cveID", "vendorProject", "product", "vulnerabilityName", "dateAdded", "dueDate",
		"knownRansomwareCampaignUse", "requiredAction")
	if at[0] < 0 || at[4] < 0 {
		return fault.Invalid("%s line 1: no columns cveID and dateAdded, this is no KEV catalogue", file.Name)
	}
	good := 0
	err = lines.Each(ctx, sink, func(row []string) error {
		cell := func(i int) string { return feed.Cell(row, at[i]) }
		e := entry{cell(0), cell(1), cell(2), cell(3), cell(4), cell(5), cell(6), cell(7)}
		kev, field, reason := e.kev()
		if reason != "" {
			sink.Reject(lines.Place()+" "+field, reason)
			return nil
		}
		good++
		return sink.KEV(kev)
	})
	if err != nil {
		return err
	}
	return anyGood(file, good)
}
