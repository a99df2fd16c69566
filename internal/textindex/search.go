package textindex

import (
	"context"
	"math"
	"runtime/debug"

	"github.com/patchscout/patchscout/internal/fault"
)

// Query asks for documents.
type Query struct {
	// Text is read as documents are; a word that is there twice counts once. At most 64 words of 4 KiB are looked at.
	Text string
	// All wants documents that hold every word, in whatever fields. Otherwise one is enough.
	All bool
	// Prefix says which words also find longer ones.
	Prefix Prefix
	// Limit is how many hits to return, 1 to MaxLimit.
	Limit int
	// After goes on behind the last hit of the page before, in an index of the same generation.
	After *Cursor
	// Filter says whether a document may be a hit; nil: all may. It is called from the goroutine of the search, only for
	// documents that would make it into the result, or for all that match when they are counted. It must not close the
	// index.
	Filter func(key int64) bool
	// Within says which documents there are for this search; nil: all. Others are no hits, and the rarity of words is
	// reckoned without them, so that with fields whose B is 0 the answer does not depend on what they hold.
	Within func(key int64) bool
	// Boost multiplies a document's score, with 0 to MaxBoost (what is outside is taken as the nearest); nil: nothing does.
	Boost    func(key int64) float64
	MaxBoost float64
	// Count counts all documents that match. Searches for All do it anyway, others must look at every document for it.
	Count bool
}

// MaxLimit of hits to one search.
const MaxLimit = 100_000

// Cursor is a place in the order of hits: Score descending, then Key descending.
type Cursor struct {
	Score float64
	Key   int64
}

// Hit is a document that was found. Score is above 0 (0 only by Boost) and comparable within one index and question.
type Hit struct {
	Key   int64
	Score float64
}

// Result is the answer to a Query.
type Result struct {
	Hits    []Hit
	Matched int     // documents that match and pass Filter, on all pages; -1 when they were not counted
	Next    *Cursor // where the next page begins; nil when there are no more hits
}

// Search returns the best hits. The order depends on documents and question only, not on segments and updates. A question
// without words finds nothing. fault.Unavailable: the index is damaged, or was closed.
func (x *Index) Search(ctx context.Context, q Query) (Result, error) {
	if q.Limit < 1 || q.Limit > MaxLimit {
		return Result{}, fault.Invalid("text search: limit %d, want 1 to %d", q.Limit, MaxLimit)
	}
	if q.Boost != nil && !(q.MaxBoost > 0 && q.MaxBoost <= 1e6) {
		return Result{}, fault.Invalid("text search: highest boost %g, want a number above 0", q.MaxBoost)
	}
	q.Filter = q.filter()
	top := newTop(q)
	w := walker{x: x, ctx: ctx, all: q.All, counting: q.Count || q.All, scoring: true, sink: top}
	err := x.run(&w, q)
	if err != nil {
		return Result{}, err
	}
	return top.result(w.counting), nil
}

// Keys returns the keys of matching documents, for sorting by something else: descending, at most limit (1 to 1<<24) of
// them, the highest. more says whether there are others.
func (x *Index) Keys(ctx context.Context, q Query, limit int) (keys []int64, more bool, err error) {
	if limit < 1 || limit > maxDocs {
		return nil, false, fault.Invalid("text search: limit %d, want 1 to %d", limit, maxDocs)
	}
	set := &keySet{filter: q.filter()}
	w := walker{x: x, ctx: ctx, all: q.All, counting: true, sink: set}
	if err := x.run(&w, q); err != nil {
		return nil, false, err
	}
	keys, more = set.result(limit)
	return keys, more, nil
}

// filter joins what may be a hit with what there is.
func (q Query) filter() func(int64) bool {
	switch {
	case q.Within == nil:
		return q.Filter
	case q.Filter == nil:
		return q.Within
	}
	return func(key int64) bool { return q.Within(key) && q.Filter(key) }
}

// run walks all segments. A page that cannot be read any more (a failing disk, a file cut by somebody) is an error.
func (x *Index) run(w *walker, q Query) (err error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.closed {
		return fault.Unavailable("text index %s is closed", x.dir)
	}
	defer catchFault(debug.SetPanicOnFault(true), &err)
	spare := &cursor{}
	clauses, among := parseQuery(q.Text, q.Prefix), x.scope(q.Within)
	wanted := 0
	for _, c := range clauses {
		if err := x.resolve(c, among, spare); err != nil {
			return err
		}
		if !c.extra {
			wanted++
		}
		if len(c.variants) == 0 && !c.extra && w.all {
			return nil
		}
	}
	if wanted == 0 {
		return nil
	}
	for i := range x.segments {
		if err := w.segment(i, clauses); err != nil {
			return err
		}
	}
	return nil
}

// catchFault makes an error of a fault in mapped memory. Any other panic goes on.
func catchFault(before bool, err *error) {
	debug.SetPanicOnFault(before)
	switch p := recover().(type) {
	case nil:
	case interface{ Addr() uintptr }:
		*err = damaged("a page at %#x cannot be read", p.Addr())
	default:
		panic(p)
	}
}

// Scores are added up as whole numbers: sums are then exact, whatever their order.
const scoreUnit = 1 << 24

func toScore(n int64) float64 { return float64(n) / scoreUnit }

// score of a clause that counts x in a document; at least 1, so that what matches is told from what does not.
func score(idf, x, k1 float64) int64 {
	return max(int64(idf*(x/(k1+x))*scoreUnit), 1)
}

// scoreBound is no less than the score of anything that counts at most x.
func scoreBound(idf, x, k1 float64) int64 {
	if x == 0 {
		return 0
	}
	return int64(math.Ceil(idf*(x/(k1+x))*scoreUnit*(1+1e-9))) + 1
}
