package catalogue

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/intel"
)

// Filter selects CVEs. The zero Filter selects all that are not rejected, newest first. Nil bounds and zero values are
// no condition; a CVE of which a bounded number is not known does not pass the bound.
type Filter struct {
	Words      string // all must occur, in any order; where no CVE has all, those that have some; a CVE id selects that CVE
	KEV        bool   // only those in KEV
	Ransomware bool   // only those that KEV connects with ransomware

	MinCVSS, MaxCVSS *float64 // of the score that stands for the record, 0..10
	MinEPSS, MaxEPSS *float64 // 0..1
	Severities       []string // critical, high, medium, low, info, unknown; any of them

	Vendor    string // as in CPE names, without escapes; case does not matter
	Product   string
	CPE       string // a CPE name: CVEs that apply to it, conditional and uncertain ones too; a vendor and product without version: all
	CWE       string // "CWE-79" or "79"
	Exploit   string // any, exploitdb, metasploit, nuclei, verified, remote, local, webapps, dos
	Technique string // an ATT&CK id; a parent includes its sub-techniques; published and derived links both count

	PublishedFrom, PublishedTo time.Time // From is included, To is not
	ModifiedFrom, ModifiedTo   time.Time

	KEVFrom, KEVTo time.Time // when CISA added it; those that are not in KEV do not pass
	NotKEV         bool      // only those that are not in KEV
	NotRansomware  bool      // in KEV or not, but without ransomware
	Exploited      *bool     // in KEV, or attacked as CISA's SSVC says; false is neither
	NoExploit      bool      // only those without a public exploit
	Decisions      []string  // act, attend, plan, track, as of a host that the internet can reach; any of them
	Products       []Product // any of these
	IDs            []cve.ID  // only these; nil does not narrow
	CWEs           []string  // all of these, or with AnyOf any
	Techniques     []string  // likewise
	AnyOf          bool
	Withdrawn      bool // only those that were rejected, which no other filter finds

	Sort  Sort   // "" is SortRelevance where there are words, else SortDate
	Limit int    // 0 is 50, at most 1,000
	After string // Page.Next of the page before
	Skip  int    // leave out so many of what would come, at most MaxSkip
}

// Product names a product as Filter.Vendor and Filter.Product do; an empty one is any.
type Product struct{ Vendor, Product string }

// MaxSkip is how many hits can be left out: who wants more pages on with After.
const MaxSkip = 10_000

// Validate says what is wrong with a filter, naming the field.
func (f Filter) Validate() error {
	for _, b := range []struct {
		name     string
		low, top *float64
		most     float64
	}{{"CVSS", f.MinCVSS, f.MaxCVSS, 10}, {"EPSS", f.MinEPSS, f.MaxEPSS, 1}} {
		for _, v := range []*float64{b.low, b.top} {
			if v != nil && !(*v >= 0 && *v <= b.most) { // so that NaN is refused too
				return fault.Invalid("%s bound %g: want 0 to %g", b.name, *v, b.most)
			}
		}
		if b.low != nil && b.top != nil && *b.low > *b.top {
			return fault.Invalid("%s between %g and %g: the first is the larger", b.name, *b.low, *b.top)
		}
	}
	for _, severity := range f.Severities {
		if SeverityCode(severity) == 0 && severity != cve.SeverityUnknown {
			return fault.Invalid("severity %.40q: want critical, high, medium, low, info or unknown", severity)
		}
	}
	for _, decision := range f.Decisions {
		if DecisionRank(decision) < 0 {
			return fault.Invalid("decision %.40q: want act, attend, plan or track", decision)
		}
	}
	if _, ok := CWENumber(f.CWE); f.CWE != "" && !ok {
		return fault.Invalid("CWE %.40q: want CWE-79 or 79", f.CWE)
	}
	for _, name := range f.CWEs {
		if _, ok := CWENumber(name); !ok {
			return fault.Invalid("CWE %.40q: want CWE-79 or 79", name)
		}
	}
	for _, id := range f.Techniques {
		if !techniqueID.MatchString(id) {
			return fault.Invalid("technique %.40q: want an ATT&CK id such as T1190 or T1059.001", id)
		}
	}
	if f.Exploit != "" && f.Exploit != "any" && ExploitNames[f.Exploit] == 0 {
		return fault.Invalid("exploit %.40q: want any, exploitdb, metasploit, nuclei, verified, remote, local, webapps or dos", f.Exploit)
	}
	if f.Skip < 0 || f.Skip > MaxSkip {
		return fault.Invalid("skip %d: want 0 to %d", f.Skip, MaxSkip)
	}
	if f.Technique != "" && !techniqueID.MatchString(f.Technique) {
		return fault.Invalid("technique %.40q: want an ATT&CK id such as T1190 or T1059.001", f.Technique)
	}
	if f.Sort != "" && !slices.Contains(Sorts, f.Sort) {
		return fault.Invalid("sort %.40q: want relevance, decision, likelihood, score or date", f.Sort)
	}
	return nil
}

// OnlyWords says that a filter has no condition but its words.
func (f Filter) OnlyWords() bool {
	return !f.KEV && !f.Ransomware && f.MinCVSS == nil && f.MaxCVSS == nil && f.MinEPSS == nil && f.MaxEPSS == nil &&
		len(f.Severities) == 0 && f.Vendor+f.Product+f.CPE+f.CWE+f.Exploit+f.Technique == "" && f.PublishedFrom.IsZero() &&
		f.PublishedTo.IsZero() && f.ModifiedFrom.IsZero() && f.ModifiedTo.IsZero() && f.KEVFrom.IsZero() && f.KEVTo.IsZero() &&
		!f.NotKEV && !f.NotRansomware && f.Exploited == nil && !f.NoExploit && len(f.Decisions)+len(f.Products)+len(f.CWEs)+len(f.Techniques) == 0 &&
		f.IDs == nil && !f.Withdrawn
}

var techniqueID = regexp.MustCompile(`^[Tt][0-9]{4}([.][0-9]{3})?$`)

// Named separates the CVE ids among the words from the rest.
func (f Filter) Named() (ids []cve.ID, rest string) {
	var words []string
	for _, word := range strings.Fields(f.Words) {
		if id, err := cve.ParseID(word); err == nil {
			ids = append(ids, id)
			continue
		}
		words = append(words, word)
	}
	return ids, strings.Join(words, " ")
}

// Sorts are all orders.
var Sorts = []Sort{SortRelevance, SortDecision, SortLikelihood, SortScore, SortDate}

// Sort is the order of a search's answer. What is not known comes last in each.
type Sort string

// The orders.
const (
	SortRelevance  Sort = "relevance"  // only with words
	SortDecision   Sort = "decision"   // then likelihood, then score: what to do first
	SortLikelihood Sort = "likelihood" // highest first
	SortScore      Sort = "score"      // priority_score, highest first; its recency is that of the last sync
	SortDate       Sort = "date"       // publication, newest first
)

// Orders of Top that are no Sort: they have no index to page along.
const (
	ByEPSS     = "epss"      // highest first
	ByCVSS     = "cvss"      // highest first, of equal ones the likelier
	ByModified = "modified"  // newest first
	ByKEV      = "kev_added" // newest first; only those in KEV
)

// Group is how many CVEs of a filter fall under a key: a year, severity, decision, CWE, vendor or product.
type Group struct {
	Key   string
	CVEs  int
	Other string // of a product: its vendor
}

// Page is a piece of a search's answer.
type Page struct {
	Hits []Hit
	Next string // "" at the end
	Note string // what the reader should know of the answer, a sentence; "" if nothing
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
