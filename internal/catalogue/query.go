package catalogue

import (
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
)

// Filter selects CVEs. The zero Filter selects all that are not rejected, newest first.
type Filter struct {
	Words   string  // all must occur, in any order; a CVE id among them selects that CVE
	KEV     bool    // only those in KEV
	MinCVSS float64 // 0: unscored ones too
	Vendor  string  // as in CPE names, without escapes; case does not matter
	Product string
	Limit   int    // 0 is 50, at most 1,000
	After   string // Page.Next of the page before
}

// Page is a piece of a search's answer: by relevance where there are words, else by publication, newest first.
type Page struct {
	Hits []Hit
	Next string // "" at the end
}

// Hit is one CVE with what is known of its use.
type Hit struct {
	Record *cve.Record
	Facts  intel.Facts
}

// FeedStatus is what there is of one feed.
type FeedStatus struct {
	Feed    string
	Records int       // 0 when nothing was ever loaded
	Newest  time.Time // of the newest record: modified (nvd), added (kev), day (epss), published (exploitdb)

	LastGood time.Time // when a sync last ended well, zero: never
	LastRun  time.Time // when the last attempt began, zero: never
	Source   string    // of the last good sync
	Status   string    // of the last attempt: ok, unchanged, failed; "" when never synced
	Error    string    // of the last attempt
	// Starter is the date of the starter catalogue that the records come from, zero once the feed has been synced and
	// for feeds that the starter does not hold.
	Starter time.Time
}

// Synced says whether the feed was ever loaded from its publisher.
func (s FeedStatus) Synced() bool { return !s.LastGood.IsZero() }

// AsOf is the date of the data: the last good sync, or the starter's. ok is false when there is no data.
func (s FeedStatus) AsOf() (at time.Time, ok bool) {
	if s.Synced() {
		return s.LastGood, true
	}
	return s.Starter, !s.Starter.IsZero()
}

// Stats describe the catalogue that results rest on.
type Stats struct {
	Generation int64
	Records    int       // CVEs
	Newest     time.Time // the latest change of one
	Starter    time.Time // date of the starter catalogue when the CVEs come from it, else zero
}
