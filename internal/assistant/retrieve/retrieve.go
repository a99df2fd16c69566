// Package retrieve finds records by words and, where it is set up, by meaning: CVEs, findings, hosts, techniques, scans and
// the product's own pages, each kind from its index. It never returns a record that the asker may not see, and ranks only
// among those that he may.
package retrieve

import (
	"context"
	"time"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/auth"
)

// Kind is a kind of record.
type Kind string

// The kinds, as sources of answers name them.
const (
	CVE       Kind = "cve"
	Finding   Kind = "finding"
	Host      Kind = "host"
	Technique Kind = "technique"
	Scan      Kind = "scan"
	Doc       Kind = "doc" // a section of the product's own pages
)

// Query asks for records.
type Query struct {
	Text  string
	Kinds []Kind    // none: all
	View  auth.View // whose eyes; zero sees nothing of the estate
	Limit int       // of each kind, 1..100; 0 is 10
	// Exact are words that a hit must hold, such as a product's name; none: one of the words is enough.
	Exact []string
	// Patience is how long the embedding of the question may take; 0 is half a second.
	Patience time.Duration
	// Wait is how long bringing indexes up to date may keep the answer; 0 is a moment, which suffices for what changed
	// lately. With more, those that are not there yet are made, if they are made within it.
	Wait time.Duration
}

// Passage is a record that was found.
type Passage struct {
	understand.Thing
	Kind  Kind
	Title string
	Text  string // what the index read, cut
	At    time.Time
	// Score is 0..1: of the words of the question, weighed by their rarity, the part that the record holds, the sum over
	// fields as BM25F has it against the best possible.
	Score float64
	Part  float64 // of the words of the question, weighed by their rarity, the part that it holds, wherever it stands
	Raw   float64 // of the index, comparable within one kind and question
	Words int     // of the question's words that it holds
	Near  float64 // cosine of the embeddings, 0 where there are none
}

// Found is what a query gave: the passages of each kind, best first.
type Found struct {
	Passages map[Kind][]Passage
	Words    int      // of the question that some index knows
	Unknown  []string // words that no index has
	Notes    []string // an index that is being built, embeddings that failed
	Behind   bool     // some index is not up to date, or there is none yet: a Refresh in the background is due
	Took     time.Duration
}

// Searcher searches. *Finder is the one of the product.
type Searcher interface {
	Search(ctx context.Context, q Query) (Found, error)
}
