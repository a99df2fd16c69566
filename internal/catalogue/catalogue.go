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
	// Records returns the stored form of the CVEs asked for, in the order of id. each must not keep it.
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
	// Records does so for many, in the order of id. each must not keep what it is given.
	Records(ids []cve.ID, each func(id cve.ID, stored []byte) error) error
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
	KnowledgeWriter

	// Facts returns what is known of the use of CVEs; every id asked for has an entry.
	Facts(ids []cve.ID) (map[cve.ID]intel.Facts, error)
	// Stand replaces the standing of a stored CVE.
	Stand(cve.ID, Standing) error
	// PublishedSince lists the CVEs published at a time (unix seconds) or later.
	PublishedSince(at int64) ([]cve.ID, error)
	// StandByEPSS gives every stored CVE the EPSS score that is stored of it now, as Stand would.
	StandByEPSS() error
	// Unscored lists the CVEs that stand by an EPSS score that is gone.
	Unscored() ([]cve.ID, error)

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
