// Package attack reads MITRE ATT&CK: techniques with what prevents and detects them and who uses them, and tactics. It
// reads the STIX 2.1 bundles of attack-stix-data only and never maps a CVE to a technique.
package attack

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/jsonstream"
)

const baseURL = "https://raw.githubusercontent.com/mitre-attack/attack-stix-data/master/"

var domains = []string{"enterprise", "mobile", "ics"}

// Limits on what a hostile bundle can make us hold. Enterprise 18.1 has some 25,000 objects, of them 20,000
// relationships; its longest text has some 10 KiB.
const (
	maxObjects     = 500_000
	maxDescription = 16 << 10
	maxDetection   = 16 << 10
	maxNote        = 600 // of a relationship: what a group does with a technique
	maxAnalytic    = 2 << 10
	maxNamed       = 1_000 // in one list; T1059.003 is used by some 350
	maxList        = 200   // short lists: tactics, platforms, analytics
)

// Reader reads bundles. The zero value is ready and safe for concurrent use.
type Reader struct{}

// Feed is "attack".
func (Reader) Feed() string { return "attack" }

// Base is the project's master branch.
func (Reader) Base() string { return baseURL }

// Remote is the newest bundle of each domain.
func (Reader) Remote(time.Time) []feed.Remote {
	var all []feed.Remote
	for _, d := range domains {
		name := d + "-attack.json"
		all = append(all, feed.Remote{Name: name, URL: baseURL + d + "-attack/" + name})
	}
	return all
}

// Owns knows the bundles of the three domains.
func (Reader) Owns(name string) bool { return domainOf(name) != "" }

// domainOf is the domain of a file, "" for one that is no bundle.
func domainOf(name string) string {
	for _, d := range domains {
		if name == d+"-attack.json" {
			return d
		}
	}
	return ""
}

// Partial is false: a bundle is the whole domain.
func (Reader) Partial(string) bool { return false }

// Less orders by name.
func (Reader) Less(a, b string) bool { return a < b }

// Read streams the tactics into sink.Tactic and then the techniques into sink.Technique, each sorted by id. A bundle's
// relationships may stand before what they relate, so both come at the end of the file. See feed.Reader.
func (Reader) Read(ctx context.Context, file feed.File, r io.Reader, sink feed.Sink) error {
	body, err := feed.Begin(file, r)
	if err != nil {
		return err
	}
	d := feed.NewRecords(ctx, file, body, sink, jsonstream.Limits{String: 1 << 20, Record: 4 << 20, Depth: 32})
	b := newBundle(domainOf(file.Name))
	list := false
	for d.Object(); d.More(); {
		if string(d.Key()) != "objects" {
			d.Skip()
			continue
		}
		list = true
		if err := d.Each(jsonstream.Array, func() (string, error) { return b.object(d, file) }); err != nil {
			return err
		}
	}
	d.End()
	if err := d.Broken(); err != nil {
		return err
	}
	if !list || len(b.techniques) == 0 || len(b.tactics) == 0 {
		return fault.Invalid("%s: no techniques and tactics in it, this is no ATT&CK bundle", file.Name)
	}
	return b.give(sink)
}

// give passes on what the whole bundle says.
func (b *bundle) give(sink feed.Sink) error {
	for _, t := range b.allTactics() {
		if err := sink.Tactic(t); err != nil {
			return err
		}
	}
	for _, t := range b.allTechniques() {
		if err := sink.Technique(t); err != nil {
			return err
		}
	}
	return nil
}

// short appends to a list that stays short.
func short(list []string, s string) []string {
	if s == "" || len(list) >= maxList || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
