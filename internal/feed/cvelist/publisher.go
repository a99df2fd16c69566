package cvelist

import (
	"regexp"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/feed"
)

// The program's repository on GitHub. Its releases hold the same records, but their downloads are redirected to another
// host, which our door to the world does not follow; the archive of the main branch is not.
const (
	baseURL    = "https://codeload.github.com/CVEProject/cvelistV5/zip/refs/heads/"
	branch     = "main"
	branchFile = "cvelistV5-main.zip" // as GitHub names it for a browser
)

var (
	oneRecord = regexp.MustCompile(`^CVE-[0-9]{4}-[0-9]{4,10}\.json$`)
	group     = regexp.MustCompile(`^CVE-[0-9]{4}-[0-9]{1,7}xxx\.json$`)
	list      = regexp.MustCompile(`^cve5[^/]*\.ndjson$`)
	archive   = regexp.MustCompile(`^(cvelistV5-[^/]*|[^/]*_all_CVEs_at_midnight|[^/]*_delta_CVEs_[^/]*)\.zip(\.zip)?$`)
)

// Base is GitHub's folder of archives of the repository's branches.
func (Reader) Base() string { return baseURL }

// Remote is the archive of the whole list, some 600 MB.
func (Reader) Remote(time.Time) []feed.Remote {
	return []feed.Remote{{Name: branchFile, URL: baseURL + branch}}
}

// Owns knows single records, lists with a record a line, and the archives that the program and GitHub make.
func (Reader) Owns(name string) bool {
	return oneRecord.MatchString(name) || group.MatchString(name) || list.MatchString(name) || archive.MatchString(name)
}

// Group puts the files of single records together as the repository's folders do: "CVE-2024-12345.json" belongs to
// "CVE-2024-12xxx.json". See feed.Grouper.
func (Reader) Group(name string) string {
	if !oneRecord.MatchString(name) {
		return ""
	}
	number := strings.TrimSuffix(name, ".json")
	return number[:len(number)-3] + "xxx.json"
}

// Partial is true: a CVE that is in none of the files is not gone, since the list withdraws records by marking them.
func (Reader) Partial(string) bool { return true }

// Less reads the whole list first, then what changed, by date, then single records. Each record says itself when it
// was changed; the order only spares work.
func (Reader) Less(a, b string) bool {
	if x, y := rank(a), rank(b); x != y {
		return x < y
	}
	return a < b
}

func rank(name string) int {
	switch {
	case strings.Contains(name, "_delta_CVEs_"):
		return 1
	case list.MatchString(name):
		return 2
	case strings.HasPrefix(name, "CVE-"):
		return 3
	}
	return 0
}
