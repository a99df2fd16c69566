// Package kev reads CISA's catalogue of known exploited vulnerabilities, as JSON or CSV. It never says that a CVE that is
// not in the catalogue is not exploited.
package kev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/jsonstream"
	"github.com/patchscout/patchscout/internal/intel"
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
		return readCSV(file, body, sink)
	}
	return readJSON(file, body, sink)
}

func readJSON(file feed.File, r io.Reader, sink feed.Sink) error {
	d := jsonstream.New(r, jsonstream.Limits{String: 64 << 10, Record: 1 << 20})
	list, n := false, 0
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
					return broken(file, n, d.Err())
				}
				reject(sink, fmt.Sprintf("%s record %d", file.Name, n), e.id, field, err)
				continue
			}
			if err := sink.KEV(kev); err != nil {
				return err
			}
		}
	}
	d.End()
	if err := d.Err(); err != nil {
		return broken(file, n, err)
	}
	if !list {
		return fault.Invalid("%s: no list of vulnerabilities in it, this is no KEV catalogue", file.Name)
	}
	return nil
}

func broken(file feed.File, n int, err error) error {
	var e *jsonstream.Error
	if errors.As(err, &e) && e.Err != nil && !errors.Is(e.Err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("read %s at record %d: %w", file.Name, n, err) // the source's own error keeps its kind
	}
	return fault.Invalid("read %s at record %d: %w", file.Name, n, err)
}

func reject(sink feed.Sink, place, id, field string, err error) {
	if parsed, bad := cve.ParseID(id); bad == nil {
		place += " (" + parsed.String() + ")"
	}
	if field != "" {
		place += " " + field
	}
	reason := err.Error()
	var e *jsonstream.Error
	if errors.As(err, &e) {
		reason = e.Reason
		place += fmt.Sprintf(", byte %d", e.Offset)
	}
	sink.Reject(place, reason)
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

func readCSV(file feed.File, r io.Reader, sink feed.Sink) error {
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
	for {
		row, err := lines.Next()
		var bad *feed.RowError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &bad):
			sink.Reject(lines.Place(), bad.Reason)
			continue
		case err != nil:
			return err
		}
		cell := func(i int) string { return feed.Cell(row, at[i]) }
		e := entry{cell(0), cell(1), cell(2), cell(3), cell(4), cell(5), cell(6), cell(7)}
		kev, field, reason := e.kev()
		if reason != "" {
			sink.Reject(lines.Place()+" "+field, reason)
			continue
		}
		if err := sink.KEV(kev); err != nil {
			return err
		}
	}
}
