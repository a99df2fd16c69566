package nvd

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/feed"
)

const (
	baseURL   = "https://nvd.nist.gov/feeds/json/cve/2.0/"
	prefix    = "nvdcve-2.0-"
	firstYear = 2002 // this file holds 1999 to 2002
)

// Base is NVD's folder of JSON 2.0 files.
func (Reader) Base() string { return baseURL }

// Remote lists the files of all years and "modified", each with its .meta. Shortly after New Year the new year's file
// does not exist yet.
func (Reader) Remote(now time.Time) []feed.Remote {
	var files []feed.Remote
	last := now.UTC().Year()
	for year := firstYear; year <= last; year++ {
		files = append(files, remote(fmt.Sprint(year), year == last))
	}
	return append(files, remote("modified", true))
}

func remote(part string, optional bool) feed.Remote {
	return feed.Remote{Name: prefix + part + ".json.gz", Meta: prefix + part + ".meta", Optional: optional}
}

// Owns knows the yearly files, "modified", "recent" and the pages that API stores.
func (Reader) Owns(name string) bool {
	ok, _ := path.Match(prefix+"*.json", name)
	return ok
}

// Partial is true for all but the yearly files.
func (Reader) Partial(name string) bool {
	part := strings.TrimSuffix(strings.TrimPrefix(name, prefix), ".json")
	return len(part) != 4 || strings.Trim(part, "0123456789") != ""
}

// Less reads years in order, then pages of the API, then "recent", then "modified", which is the newest word.
func (Reader) Less(a, b string) bool {
	if x, y := rank(a), rank(b); x != y {
		return x < y
	}
	return a < b
}

func rank(name string) int {
	switch strings.TrimSuffix(strings.TrimPrefix(name, prefix), ".json") {
	case "recent":
		return 2
	case "modified":
		return 3
	}
	if (Reader{}).Partial(name) {
		return 1
	}
	return 0
}
