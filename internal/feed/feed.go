// Package feed fetches publishers' files and reads them record by record: conditional requests, checksums, retry,
// resume, rate limits, runs. It never stores records itself and never merges.
package feed

import (
	"context"
	"io"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
)

// Sink takes the records that a Reader finds. Each call passes ownership: the reader never touches the value again, so
// a sink may keep it or hand it to another goroutine. An error stops the file and comes back from Read.
// A Reader calls its sink from one goroutine only.
type Sink interface {
	CVE(*cve.Record) error
	KEV(intel.KEV) error
	EPSS(intel.EPSS) error
	Exploit(intel.Exploit) error
	SSVC(intel.SSVC) error
	Technique(intel.Technique) error
	Tactic(intel.Tactic) error
	Mapping(intel.Mapping) error
	Weakness(intel.Weakness) error
	Indicator(intel.Indicator) error
	// Reject is told of one record that could not be used; the file goes on. Place names the file, the record or line
	// and the field ("nvdcve-2.0-2024.json record 17 (CVE-2024-0017) published"); reason is one of few fixed texts.
	Reject(place, reason string)
}

// File is one file of a feed, ready to be read.
type File struct {
	Feed string // "nvd", "kev", "epss", …
	Name string // base name without .gz, unique within a Gather: "nvdcve-2.0-2024.json"
	Path string // where the bytes come from, for people: a path or a URL
	Size int64  // bytes as stored (compressed), the unit of progress

	// Checksum is the SHA-256 of the bytes as stored, lower-case hex. What equals the checksum of the last good run need
	// not be read again.
	Checksum string

	// Unchanged says that Options.Seen holds this Checksum for this Name.
	Unchanged bool

	// Partial says that the file holds only what changed lately (NVD "modified" and "recent", pages of its API with a
	// date range). A CVE that such a file does not hold is not gone.
	Partial bool

	// Open yields the decompressed bytes. Reading fails before io.EOF when the gzip stream is truncated, when a limit on
	// decompressed size is hit, or when the size or checksum of a .meta beside the file does not match what was read:
	// records seen until then must not be kept.
	Open func(context.Context) (io.ReadCloser, error)
}

// Reader turns one publisher's file into records.
type Reader interface {
	// Feed is the feed's name as users write it.
	Feed() string
	// Read streams r (decompressed) into the sink. One bad record is rejected and the file goes on; a file that is
	// broken as a whole (truncated, HTML, no records at all) is an error, fault.Invalid, that names file and place.
	Read(ctx context.Context, file File, r io.Reader, sink Sink) error
}

// Publisher is a Reader that also knows which files are its own and where they are published.
type Publisher interface {
	Reader
	// Owns says whether a file belongs to this feed; name is its base name without .gz.
	Owns(name string) bool
	// Partial says whether such a file holds only what changed lately.
	Partial(name string) bool
	// Less is the load order: whether file a must be read before file b.
	Less(a, b string) bool
	// Base is the publisher's own URL, with a trailing slash, that the names of Remote hang from.
	Base() string
	// Remote lists what to fetch, on the day of now.
	Remote(now time.Time) []Remote
}

// PathOwner is a Publisher whose files have names that say too little: in a folder OwnsPath decides instead of Owns.
type PathOwner interface {
	// OwnsPath judges a file by its absolute path, with slashes and without .gz.
	OwnsPath(path string) bool
}

// Readier is a Publisher that cannot always be fetched from its own site; a folder, a mirror or a configured URL of the
// feed always can.
type Readier interface {
	// Ready says what is missing, naming the setting; nil when nothing is.
	Ready() error
}

// KeyHolder is a Publisher whose URLs hold a key. It stands in them as KeyMark, which is replaced only in the request
// itself, so that no message, log, run record or download state can show it.
type KeyHolder interface {
	Key() string
}

// KeyMark stands in Remote.URL, and may stand in Options.URLs, where the key of a KeyHolder belongs.
const KeyMark = "{auth-key}"

// Remote is a file to fetch, named relative to a base URL.
type Remote struct {
	Name     string // as published, with .gz: "nvdcve-2.0-2024.json.gz"
	Meta     string // the file that names its checksum, "" if the publisher has none
	Optional bool   // a 404 is no error (the file of a year that has just begun)

	// URL is where the publisher itself has the file, when that is not its Base followed by Name. A mirror and a
	// configured URL are asked for Name.
	URL string
}

// Gathered is what there is to load for one feed.
type Gathered struct {
	Feed   string
	Source string // the folder, or the URL that was asked
	Files  []File // in load order, unchanged ones included
	// Missing names files that a mirror ought to have and has not; the rest is loaded without them.
	Missing []string
	Err     error // why this feed cannot be loaded; nothing of it may change then
}

// Changed says whether any file differs from the last good run.
func (g Gathered) Changed() bool {
	for _, f := range g.Files {
		if !f.Unchanged {
			return true
		}
	}
	return false
}

// Size is the number of stored bytes in all files, changed or not.
func (g Gathered) Size() int64 {
	var n int64
	for _, f := range g.Files {
		n += f.Size
	}
	return n
}

// ReadFile opens a file and streams it into the sink: what a loader calls for each changed file.
func ReadFile(ctx context.Context, reader Reader, file File, sink Sink) error {
	r, err := file.Open(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	return reader.Read(ctx, file, r, sink)
}

// Nothing is a Sink that takes everything and keeps nothing. A sink that wants some kinds only embeds it.
type Nothing struct{}

// CVE implements Sink.
func (Nothing) CVE(*cve.Record) error { return nil }

// KEV implements Sink.
func (Nothing) KEV(intel.KEV) error { return nil }

// EPSS implements Sink.
func (Nothing) EPSS(intel.EPSS) error { return nil }

// Exploit implements Sink.
func (Nothing) Exploit(intel.Exploit) error { return nil }

// SSVC implements Sink.
func (Nothing) SSVC(intel.SSVC) error { return nil }

// Technique implements Sink.
func (Nothing) Technique(intel.Technique) error { return nil }

// Tactic implements Sink.
func (Nothing) Tactic(intel.Tactic) error { return nil }

// Mapping implements Sink.
func (Nothing) Mapping(intel.Mapping) error { return nil }

// Weakness implements Sink.
func (Nothing) Weakness(intel.Weakness) error { return nil }

// Indicator implements Sink.
func (Nothing) Indicator(intel.Indicator) error { return nil }

// Reject implements Sink.
func (Nothing) Reject(string, string) {}
