// Package catalogue turns what feeds publish into one catalogue of vulnerabilities: which record of a CVE wins, what
// changed since the last run, which products' rules must be packed anew, what a reader of a list sees as title. It
// knows no SQL: a Target keeps the rows. It never lets a feed that failed half-way change what is known.
package catalogue

import (
	"context"
	"time"

	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/match"
)

// Target is where the catalogue is kept; store.Catalogue is the one of the product.
type Target interface {
	// Lock keeps other loaders, of this process and of others, away until unlock. It waits a while and then fails with
	// fault.Conflict. Readers are not disturbed.
	Lock(ctx context.Context) (unlock func(), err error)
	// Seen maps feed + "/" + file name to the checksum of the last good run.
	Seen(ctx context.Context) (map[string]string, error)
	// Meta returns a fact that Writer.SetMeta stored, "" if it was not.
	Meta(ctx context.Context, key string) (string, error)
	// Digests returns what is stored of every CVE, in brief.
	Digests(ctx context.Context) (map[cve.ID]Digest, error)
	// Records returns the stored form of the CVEs asked for, in the order of id.
	Records(ctx context.Context, ids []cve.ID, each func(id cve.ID, stored []byte) error) error
	// Change runs fn in one transaction on the catalogue in use.
	Change(ctx context.Context, fn func(Writer) error) error
	// Rebuild runs fn on a next generation that begins without CVEs and packs and with all else as it is, and puts it
	// in the place of the one in use when fn succeeds. Readers go on reading the old one meanwhile.
	Rebuild(ctx context.Context, fn func(Writer) error) error
}

// Writer changes the catalogue. It belongs to the function that received it.
type Writer interface {
	// Record returns a stored record as Encode made it, nil if there is none.
	Record(cve.ID) ([]byte, error)
	// Put adds or replaces a record. Ascending ids are fastest.
	Put(*Row) error
	Delete(cve.ID) error
	// Pack returns the stored pack of a product, nil if there is none.
	Pack(cpe.Product) ([]byte, error)
	// PutPack adds or replaces a pack; one without CVEs is removed.
	PutPack(cpe.Product, match.Pack) error

	KEV() Table[cve.ID, intel.KEV]
	EPSS() Table[cve.ID, intel.EPSS]
	Exploits() Table[ExploitKey, intel.Exploit]

	SetMeta(key, value string) error
	// Summarise counts anew what the feeds' tables hold.
	Summarise(feeds ...string) error
	// Finish records a run and, when it ended well, its files.
	Finish(feed.Run) error
}

// Table is a list that a feed replaces as a whole.
type Table[K comparable, V any] interface {
	All() (map[K]V, error)
	Put(V) error
	Delete(K) error
}

// ExploitKey identifies an exploit: one of Exploit-DB may name several CVEs.
type ExploitKey struct {
	CVE         cve.ID
	Source, Key string
}

// Digest is what must be known of a stored record to judge an incoming one.
type Digest struct {
	Modified   int64 // unix seconds
	Hash       int64
	Scored     bool
	Configured bool
	Rejected   bool
}

// Row is a record as it is stored: the columns that are filtered and sorted by, the record, the text to search.
type Row struct {
	ID           cve.ID
	Published    int64 // unix seconds
	Modified     int64
	Status       string
	Scored       bool
	Score        float64
	ScoreVersion string
	ScoreSource  string
	Configured   bool
	Hash         int64
	Record       []byte // Decode reads it

	Title, Products, Description string
}

// Digest is what Target.Digests will say of the row.
func (r *Row) Digest() Digest {
	return Digest{
		Modified: r.Modified, Hash: r.Hash, Scored: r.Scored, Configured: r.Configured, Rejected: r.Status == "Rejected",
	}
}

// NewRow encodes a record. The row keeps no reference to the encoder.
func (e *Encoder) NewRow(r *cve.Record) *Row {
	stored, hash := e.Encode(nil, r)
	row := &Row{
		ID: r.ID, Published: unix(r.Published), Modified: unix(r.Modified), Status: r.Status,
		Configured: len(r.Configurations) > 0, Hash: int64(hash), Record: stored,
	}
	if !r.Rejected() { // nobody searches for what was withdrawn
		row.Title, row.Products, row.Description = Title(r), productWords(r), r.Description
	}
	if m, ok := r.Score(); ok {
		row.Scored, row.Score, row.ScoreVersion, row.ScoreSource = true, m.Score, m.Version, m.Source
	}
	return row
}

// unix is 0 for the zero time, whose own Unix is far below any date.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// The keys of facts about the catalogue itself.
const (
	// MetaOrigin is OriginStarter or OriginFeeds, "" while there is nothing.
	MetaOrigin = "origin"
	// MetaStarter is the date of the starter catalogue that was loaded, RFC 3339.
	MetaStarter = "starter"
)

// The values of MetaOrigin.
const (
	OriginStarter = "starter"
	OriginFeeds   = "feeds"
)
