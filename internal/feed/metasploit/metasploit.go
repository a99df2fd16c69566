// Package metasploit reads the list of Metasploit's modules. It never reads or runs a module itself.
package metasploit

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/jsonstream"
)

const (
	baseURL   = "https://raw.githubusercontent.com/rapid7/metasploit-framework/master/db/"
	listFile  = "modules_metadata_base.json"
	sourceURL = "https://github.com/rapid7/metasploit-framework/blob/master"
)

// Reader reads the list. The zero value is ready and safe for concurrent use.
type Reader struct{}

// Feed is "metasploit".
func (Reader) Feed() string { return "metasploit" }

// Base is the folder of the list on the project's master branch.
func (Reader) Base() string { return baseURL }

// Remote is the one list.
func (Reader) Remote(time.Time) []feed.Remote { return []feed.Remote{{Name: listFile}} }

// Owns knows the list by its name.
func (Reader) Owns(name string) bool { return name == listFile }

// Partial is false: the file is the whole list.
func (Reader) Partial(string) bool { return false }

// Less orders by name.
func (Reader) Less(a, b string) bool { return a < b }

// ranks are Metasploit's own names of its numbers (lib/msf/core/constants.rb).
var ranks = map[int]string{
	600: "excellent", 500: "great", 400: "good", 300: "normal", 200: "average", 100: "low", 0: "manual",
}

const maxReferences = 500 // the module with most has some 40

// Read streams one intel.Exploit for each CVE that a module names into sink.Exploit; modules without a CVE are left
// out. See feed.Reader.
func (Reader) Read(ctx context.Context, file feed.File, r io.Reader, sink feed.Sink) error {
	body, err := feed.Begin(file, r)
	if err != nil {
		return err
	}
	records := feed.NewRecords(ctx, file, body, sink, jsonstream.Limits{String: 64 << 10, Record: 1 << 20, Depth: 16})
	good := 0
	err = records.Each(jsonstream.Object, func() (string, error) {
		m := readModule(records)
		exploits := m.exploits(records)
		if records.Err() != nil {
			return m.name(), nil
		}
		for _, e := range exploits {
			if err := sink.Exploit(e); err != nil {
				return "", err
			}
			good++
		}
		return m.name(), nil
	})
	if err != nil {
		return err
	}
	records.End()
	if err := records.Broken(); err != nil {
		return err
	}
	if good == 0 {
		return fault.Invalid("%s: no module with a CVE in it, this is no list of Metasploit's modules", file.Name)
	}
	return nil
}

// module is an entry of the list.
type module struct {
	fullname, title, kind, date, path string
	rank                              int // -1 where there is none
	cves                              []string
}

// name is the module's, for messages.
func (m module) name() string {
	if len(m.fullname) > 100 {
		return ""
	}
	return m.fullname
}

func readModule(d *feed.Records) module {
	m := module{rank: -1, fullname: feed.Clean(d.Name())}
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "fullname":
			if name := feed.Clean(d.Text()); name != "" {
				m.fullname = name
			}
		case "name":
			m.title = feed.Clean(d.Text())
		case "type":
			m.kind = feed.Clean(d.Word())
		case "disclosure_date":
			m.date = feed.Clean(d.Text())
		case "path":
			m.path = feed.Clean(d.Text())
		case "rank":
			if f, ok := d.Float(); ok && f >= 0 && f <= 1000 {
				m.rank = int(f)
			}
		case "references":
			m.cves = readReferences(d)
		default:
			d.Skip()
		}
	}
	return m
}

// readReferences keeps what names a CVE.
func readReferences(d *feed.Records) (cves []string) {
	for d.Array(); d.More(); {
		if ref := d.Bytes(); len(ref) > 4 && strings.EqualFold(string(ref[:4]), "CVE-") {
			cves = append(cves, string(ref))
		}
		if len(cves) > maxReferences {
			d.Reject("too many references")
		}
	}
	return cves
}

// exploits makes one for each CVE, or none when anything is wrong with the module.
func (m module) exploits(d *feed.Records) (all []intel.Exploit) {
	if len(m.cves) == 0 {
		return nil
	}
	published, ok := feed.Date(m.date)
	if !ok && m.date != "" {
		d.Bad("disclosure_date", "malformed date")
	}
	if m.fullname == "" {
		d.Bad("fullname", "no name")
	}
	seen := map[cve.ID]bool{}
	for _, ref := range m.cves {
		id, err := cve.ParseID(strings.TrimSpace(ref))
		if err != nil {
			d.RejectPart(m.name(), "references", "malformed CVE id")
			continue
		}
		if seen[id] {
			continue
		}
		seen[id] = true
		all = append(all, intel.Exploit{
			CVE: id, Source: "metasploit", Key: m.fullname, Title: m.title, Kind: m.kind, Rank: ranks[m.rank],
			Published: published, URL: m.url(),
		})
	}
	return all
}

// url is the module's source, "" for a path that is none of the project's.
func (m module) url() string {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_-."
	if !strings.HasPrefix(m.path, "/modules/") || strings.Trim(m.path, allowed) != "" || strings.Contains(m.path, "..") {
		return ""
	}
	return sourceURL + m.path
}
