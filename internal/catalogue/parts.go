package catalogue

import (
	"cmp"
	"slices"

	"github.com/patchscout/patchscout/internal/cve"
)

// feedNVD and feedList are the feeds of records that have a place of their own in the precedence; all others are files
// that somebody ingested under a name.
const (
	feedNVD  = "nvd"
	feedList = "cvelist"
)

// Part is what one feed says of a CVE. A CVE is stored as its parts, so that nothing that a source said is lost by what
// another says, and merged when it is read: the order in which sources arrive cannot matter.
type Part struct {
	Feed   string
	Record *cve.Record
}

// place is a feed's place in the precedence, lowest first.
func place(feed string) int {
	switch feed {
	case feedNVD:
		return 0
	case feedList:
		return 1
	default:
		return 2
	}
}

func compareParts(a, b Part) int {
	return cmp.Or(cmp.Compare(place(a.Feed), place(b.Feed)), cmp.Compare(a.Feed, b.Feed))
}

// with returns parts with p in the place of what its feed said before, in the order of precedence.
func with(parts []Part, p Part) []Part {
	out := make([]Part, 0, len(parts)+1)
	for _, old := range parts {
		if old.Feed != p.Feed {
			out = append(out, old)
		}
	}
	out = append(out, p)
	slices.SortFunc(out, compareParts)
	return out
}

// without returns the parts of all other feeds.
func without(parts []Part, feed string) []Part {
	return slices.DeleteFunc(slices.Clone(parts), func(p Part) bool { return p.Feed == feed })
}

// saidBy returns what a feed says, nil if nothing.
func saidBy(parts []Part, feed string) *cve.Record {
	for _, p := range parts {
		if p.Feed == feed {
			return p.Record
		}
	}
	return nil
}

// plain says whether a record can be stored in the short form that NVD's have.
func plain(parts []Part) bool {
	return len(parts) == 1 && parts[0].Feed == feedNVD
}

// EncodeParts appends the stored form of parts, which must be in the order of precedence, to dst.
func (e *Encoder) EncodeParts(dst []byte, parts []Part) []byte {
	if plain(parts) {
		dst, _ = e.Encode(dst, parts[0].Record)
		return dst
	}
	w := writer{buf: e.raw[:0]}
	w.uint(uint64(len(parts)))
	for _, p := range parts {
		w.last = "" // a part's bytes must not depend on the one before it
		w.string(p.Feed)
		w.record(p.Record)
		w.more(p.Record)
	}
	e.raw = w.buf
	return pack(append(dst, formatParts), w.buf)
}

// Digest is of everything that is kept of a part. NVD's is the one that Encode gives.
func (e *Encoder) Digest(p Part) uint64 {
	w := writer{buf: e.raw[:0]}
	w.record(p.Record)
	if p.Feed != feedNVD {
		w.more(p.Record)
	}
	e.raw = w.buf
	return digest64(w.buf)
}

// more writes what NVD's records do not have.
func (w *writer) more(r *cve.Record) {
	w.string(r.Title)
	w.uint(uint64(len(r.Affected)))
	for _, a := range r.Affected {
		w.string(a.Vendor)
		w.string(a.Product)
		w.strings(a.Versions)
	}
	w.uint(uint64(len(r.Ratings)))
	for _, rating := range r.Ratings {
		w.string(rating.Level)
		w.string(rating.Source)
	}
	w.strings(r.ExploitedBy)
}

func (w *writer) strings(list []string) {
	w.uint(uint64(len(list)))
	for _, s := range list {
		w.string(s)
	}
}

// parts reads what EncodeParts wrote.
func (r *reader) parts(id cve.ID) []Part {
	return list(r, func(r *reader) Part {
		r.last = ""
		p := Part{Feed: r.string(), Record: &cve.Record{ID: id}}
		r.record(p.Record)
		r.more(p.Record)
		return p
	})
}

func (r *reader) more(rec *cve.Record) {
	rec.Title = r.string()
	rec.Affected = list(r, func(r *reader) cve.Affected {
		return cve.Affected{Vendor: r.string(), Product: r.string(), Versions: list(r, (*reader).string)}
	})
	rec.Ratings = list(r, func(r *reader) cve.Rating { return cve.Rating{Level: r.string(), Source: r.string()} })
	rec.ExploitedBy = list(r, (*reader).string)
}
