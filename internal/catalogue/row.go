package catalogue

import (
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
)

// Digest is what must be known of a stored CVE to judge what NVD says of it now.
type Digest struct {
	NVD      bool  // NVD has spoken of it; the next two are of its part
	Modified int64 // unix seconds
	Hash     int64
	Others   bool // other feeds have spoken of it too

	Scored     bool // these are of the merged record
	Configured bool
	Rejected   bool
}

// Row is a CVE as it is stored: what all feeds say in one piece, the merged values that are filtered and sorted by, the
// text to search.
type Row struct {
	ID          cve.ID
	Published   int64 // unix seconds
	Modified    int64
	Rejected    bool // withdrawn
	Scored      bool
	Score       float64
	Severity    string
	Configured  bool
	CWEs        []int  // 79 for CWE-79, ascending
	Techniques  uint32 // bits of intel.Rules whose technique is derived
	Record      []byte // Decode reads it
	Feeds       string // whose parts Record holds, blank-separated, in the order of precedence
	NVDModified int64  // of NVD's part
	NVDHash     int64  // of NVD's part, 0 if there is none

	Title, Products, Description string

	Standing Standing
}

// Digest is what Target.Digests will say of the row.
func (r *Row) Digest() Digest {
	d := Digest{Modified: r.NVDModified, Hash: r.NVDHash, Scored: r.Scored, Configured: r.Configured, Rejected: r.Rejected}
	d.NVD, d.Others = SpokenBy(r.Feeds)
	return d
}

// SpokenBy says of Row.Feeds whether NVD is among them, and whether others are.
func SpokenBy(feeds string) (nvd, others bool) {
	return feeds == feedNVD || strings.HasPrefix(feeds, feedNVD+" "), feeds != feedNVD
}

// NewRow encodes what NVD alone says. The row keeps no reference to the encoder.
func (e *Encoder) NewRow(r *cve.Record) *Row {
	stored, hash := e.Encode(nil, r)
	row := newRow(r)
	row.Record, row.Feeds = stored, feedNVD
	row.NVDModified, row.NVDHash = unix(r.Modified), int64(hash)
	return row
}

// MergedRow encodes what several feeds say; merged is Merge of parts, which are in the order of precedence.
func (e *Encoder) MergedRow(parts []Part) (row *Row, merged *cve.Record) {
	id := parts[0].Record.ID
	if plain(parts) {
		return e.NewRow(parts[0].Record), parts[0].Record
	}
	merged = Merge(id, parts)
	row = newRow(merged)
	row.Record = e.EncodeParts(nil, parts)
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.Feed
		if p.Feed == feedNVD {
			row.NVDModified, row.NVDHash = unix(p.Record.Modified), int64(e.Digest(p))
		}
	}
	row.Feeds = strings.Join(names, " ")
	return row, merged
}

// newRow fills what is read off a merged record.
func newRow(r *cve.Record) *Row {
	row := &Row{
		ID: r.ID, Published: unix(r.Published), Modified: unix(r.Modified), Rejected: r.Rejected(),
		Configured: len(r.Configurations) > 0, CWEs: cweNumbers(r.CWEs), Techniques: intel.RuleBits(r),
		Severity: r.Severity(),
	}
	if !r.Rejected() { // nobody searches for what was withdrawn
		row.Title, row.Products, row.Description = r.Title, productWords(r), r.Description
		if row.Title == "" {
			row.Title = Title(r)
		}
	}
	if m, ok := r.Score(); ok {
		row.Scored, row.Score = true, m.Score
	}
	return row
}

// cweNumbers reads "CWE-79" as 79; what is no such id is left out.
func cweNumbers(ids []string) []int {
	var out []int
	for _, id := range ids {
		if n, ok := CWENumber(id); ok {
			out = append(out, n)
		}
	}
	return out
}

// CWENumber reads "CWE-79" or "79" in any case.
func CWENumber(id string) (int, bool) {
	if len(id) > 4 && strings.EqualFold(id[:4], "CWE-") {
		id = id[4:]
	}
	n, err := strconv.Atoi(id)
	return n, err == nil && n > 0 && n < 1<<20
}
