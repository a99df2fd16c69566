// Package textindex ranks documents of several fields by the words of a question (BM25F) from immutable, memory-mapped
// files: a full build, small updates on top of it, searches beside both from any number of processes. It knows numbers
// and texts only, never what they stand for, and never changes a file that a reader may have open.
//
// A folder holds one index:
//
//	manifest     names the segments, their dead documents and the generation; replaced as a whole by every change
//	seg-<hex>    a segment: an inverted index over some documents, written once
//	lock         held by the one process that writes
//
// A document lives in exactly one segment. A change adds a segment and marks what it replaces as dead in the manifest;
// when segments become many or much of them is dead, they are merged. The numbers of BM25F are counted over all living
// documents, so that an index that was changed ranks exactly as one that was built anew.
package textindex

import (
	"math"

	"github.com/patchscout/patchscout/internal/fault"
)

// Schema says what a document consists of and how its fields weigh. Names and order are part of the index; weights, B
// and K1 are not, they may differ from search to search (a search is fastest with those of the build).
//
// For titles, products and descriptions of 280,000 vulnerabilities, asked with 31,000 titles that others gave to them, K1
// 0.4, B 0.6 and weights 1, 3, 1 found most; the neighbourhood is flat (K1 0.3 to 0.6, weights of 1 to 4).
type Schema struct {
	Fields []Field
	K1     float64 // saturation: how little a word's repetition adds; above 0
}

// Field is one text of a document.
type Field struct {
	Name   string
	Weight float64 // of a word in this field; above 0
	B      float64 // 0..1: how much a field longer than usual counts less
}

// Document is one entry. Key is the caller's; Fields are in the order of Schema.Fields, missing ones at the end are
// empty. A field counts up to its first MiB.
type Document struct {
	Key    int64
	Fields []string
}

const (
	maxFields = 8 // a document's counts of one word fit 64 bits
	maxName   = 64
)

// Validate says what is wrong with a schema.
func (s Schema) Validate() error {
	if len(s.Fields) == 0 || len(s.Fields) > maxFields {
		return fault.Invalid("text index: %d fields, want 1 to %d", len(s.Fields), maxFields)
	}
	if !(s.K1 > 0) || math.IsInf(s.K1, 0) {
		return fault.Invalid("text index: K1 of %g, want a number above 0", s.K1)
	}
	seen := map[string]bool{}
	for _, f := range s.Fields {
		if f.Name == "" || len(f.Name) > maxName || seen[f.Name] {
			return fault.Invalid("text index: field name %.70q is empty, too long or there twice", f.Name)
		}
		seen[f.Name] = true
		if !f.weighs() {
			return fault.Invalid("text index: field %s: weight %g, b %g; want above 0, and 0 to 1", f.Name, f.Weight, f.B)
		}
	}
	return nil
}

func (f Field) weighs() bool { return f.Weight > 0 && f.Weight <= 1e6 && f.B >= 0 && f.B <= 1 }

func (s Schema) names() []string {
	names := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		names[i] = f.Name
	}
	return names
}
