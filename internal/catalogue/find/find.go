// Package find answers searches over the catalogue: words by a ranked text index that is kept in files beside the
// database, everything else by the database. Both databases give the same answers, because the ranking is neither's. It
// never answers from an index silently when there is none: the page's note says what stood in.
package find

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/textindex"
)

// Store is what the database answers; store.Catalogue is the one of the product.
type Store interface {
	// Search answers with what the database alone can.
	Search(context.Context, catalogue.Filter) (catalogue.Page, error)
	// Narrow lists the CVEs that pass a filter but for its words, up to limit; complete says that these are all.
	Narrow(ctx context.Context, f catalogue.Filter, limit int) (ids []cve.ID, complete bool, err error)
	// Passing lists those of ids that pass a filter but for its words.
	Passing(ctx context.Context, f catalogue.Filter, ids []cve.ID) ([]cve.ID, error)
	// Ordered answers a filter whose words select ids, in its order.
	Ordered(ctx context.Context, f catalogue.Filter, ids []cve.ID) (catalogue.Page, error)
	// Hits returns CVEs in the order of ids.
	Hits(ctx context.Context, ids []cve.ID) ([]catalogue.Hit, error)

	// Count says how many CVEs pass a filter but for its words.
	Count(ctx context.Context, f catalogue.Filter) (int, error)

	TextState(context.Context) (catalogue.TextState, error)
	// Stats says how many CVEs there are.
	Stats(context.Context) (catalogue.Stats, error)
	// Identify gives the catalogue its identity, if it has none.
	Identify(context.Context) error
	Texts(ctx context.Context, fn func(catalogue.Text) error) (catalogue.TextState, error)
	TextsSince(ctx context.Context, since int64) ([]catalogue.Text, catalogue.TextState, error)
}

// Finder searches. Safe for concurrent use; Close it.
type Finder struct {
	store    Store
	dir      string
	narrowTo int

	mu   sync.Mutex
	open *textindex.Index
}

// New returns a Finder that keeps its index below dir.
func New(store Store, dir string) *Finder { return &Finder{store: store, dir: dir, narrowTo: narrowTo} }

// Close lets go of the index.
func (f *Finder) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open == nil {
		return nil
	}
	err := f.open.Close()
	f.open = nil
	return err
}

// The notes of a page.
const (
	NoteStandIn = "The text index is not built yet: these are the newest CVEs with all the words in title, products or the beginning of the text."
	NoteBehind  = "The text index is being brought up to date: what changed last may be missing."
	NoteSome    = "No CVE holds all the words: these hold some of them."
	NoteMany    = "Too many CVEs hold these words: only the newest %d were put in this order."
)

// narrowTo is how many CVEs a filter may select to be handed to the index as a set; a wider one is asked of what the
// index found, piece by piece. Reading this many ids takes some 10 ms.
const narrowTo = 20_000

// orderMost is how many hits are put in another order than relevance.
const orderMost = 50_000

// Search answers a filter. fault.Invalid: the filter is malformed.
func (f *Finder) Search(ctx context.Context, filter catalogue.Filter) (catalogue.Page, error) {
	if err := filter.Validate(); err != nil {
		return catalogue.Page{}, err
	}
	ids, words := filter.Named()
	if len(ids) > 0 || len(catalogue.Words(words)) == 0 {
		return f.store.Search(ctx, filter)
	}
	for try := 0; try < 3; try++ {
		index, behind, err := f.index(ctx)
		if err != nil {
			return catalogue.Page{}, err
		}
		if index == nil {
			break
		}
		q := question{finder: f, index: index, filter: filter, words: words}
		page, err := q.answer(ctx)
		if fault.KindOf(err) == fault.KindUnavailable { // closed by another search that found a newer one, or damaged
			f.drop(index)
			continue
		}
		if behind && page.Note == "" {
			page.Note = NoteBehind
		}
		return page, err
	}
	page, err := f.store.Search(ctx, filter)
	page.Note = NoteStandIn
	return page, err
}

// drop lets go of an index that failed.
func (f *Finder) drop(index *textindex.Index) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open == index {
		f.open = nil
	}
	_ = index.Close()
}

// index returns the index, nil if there is none to use or most CVEs are not in it yet, and whether it is of an older generation.
func (f *Finder) index(ctx context.Context) (index *textindex.Index, behind bool, err error) {
	state, err := f.store.TextState(ctx)
	if err != nil {
		return nil, false, err
	}
	if index = f.opened(state); index == nil {
		return nil, false, nil
	}
	if index.Generation() >= state.Changed {
		return index, false, nil
	}
	stats, err := f.store.Stats(ctx)
	if err != nil {
		return nil, false, err
	}
	if index.Docs()*leastPart < stats.Records { // of the starter, or of a load that ended before NVD's: it knows next to nothing
		return nil, false, nil
	}
	return index, true, nil
}

// leastPart: an index that is behind answers only if it holds at least one CVE in so many.
const leastPart = 2

// opened returns the index of the catalogue's texts, nil if there is none or none that can be used: Refresh makes a new
// one, and until then the database stands in.
func (f *Finder) opened(state catalogue.TextState) *textindex.Index {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open != nil && f.open.Current() {
		return f.open
	}
	if state.Identity == "" {
		return nil
	}
	index, err := textindex.Open(f.folder(state), Schema)
	if err != nil {
		return nil
	}
	if old := f.open; old != nil {
		_ = old.Close() // waits for the searches that run; those that come too late begin again
	}
	f.open = index
	return index
}

// question is one search for words.
type question struct {
	finder *Finder
	index  *textindex.Index
	filter catalogue.Filter
	words  string

	some   bool // documents that hold some of the words, since none holds all
	within map[int64]bool
	wide   bool // too many pass the filter: what is found is asked for
}

func (q *question) answer(ctx context.Context) (catalogue.Page, error) {
	if q.filter.Limit <= 0 {
		q.filter.Limit = 50
	}
	q.filter.Limit = min(q.filter.Limit, 1000)
	if q.filter.Sort != "" && q.filter.Sort != catalogue.SortRelevance {
		return q.ordered(ctx)
	}
	after, err := q.cursor()
	if err != nil {
		return catalogue.Page{}, err
	}
	page, err := q.ranked(ctx, after)
	if err == nil && len(page.Hits) == 0 && after == nil && !q.some {
		if q.some, err = q.none(ctx); err == nil && q.some {
			page, err = q.ranked(ctx, nil)
		}
	}
	if q.some && len(page.Hits) > 0 {
		page.Note = NoteSome
	}
	return page, err
}

// none says whether no CVE that passes holds all the words: a page may also be empty because too much was skipped.
func (q *question) none(ctx context.Context) (bool, error) {
	if q.filter.Skip == 0 {
		return true, nil
	}
	first := *q
	first.filter.Skip, first.filter.Limit = 0, 1
	hits, _, err := first.hits(ctx, nil)
	return len(hits) == 0, err
}

// askFew is how many CVEs may hold the words for the database to be asked of each whether it passes the filter. Where
// more do, it is asked for all that pass.
const askFew = 5000

// narrow finds out which CVEs pass the filter's other conditions, if they are few enough to be held.
func (q *question) narrow(ctx context.Context) error {
	q.within, q.wide = nil, false
	if q.filter.OnlyWords() {
		return nil
	}
	few := q.query(askFew, nil)
	few.Boost = nil
	keys, more, err := q.index.Keys(ctx, few, min(askFew, max(q.finder.narrowTo, 1)))
	if err != nil {
		return err
	}
	var ids []cve.ID
	if more {
		ids, more, err = q.passAll(ctx)
	} else {
		ids, err = q.finder.store.Passing(ctx, q.filter, cves(keys))
	}
	if q.wide = more; err != nil || more {
		return err
	}
	q.within = make(map[int64]bool, len(ids))
	for _, id := range ids {
		q.within[int64(id)] = true
	}
	return nil
}

func (q *question) passAll(ctx context.Context) (ids []cve.ID, more bool, err error) {
	ids, complete, err := q.finder.store.Narrow(ctx, q.filter, q.finder.narrowTo)
	return ids, !complete, err
}

func cves(keys []int64) []cve.ID {
	ids := make([]cve.ID, len(keys))
	for i, k := range keys {
		ids[i] = cve.ID(k)
	}
	return ids
}

func (q *question) query(limit int, after *textindex.Cursor) textindex.Query {
	t := textindex.Query{
		Text: q.words, All: !q.some, Prefix: textindex.PrefixAll, Limit: limit, After: after,
		Boost: boost(time.Now().Year(), recencyWorth), MaxBoost: 1 + recencyWorth,
	}
	if q.within != nil {
		t.Filter = func(key int64) bool { return q.within[key] }
	}
	return t
}

// recencyWorth is what the newest gains over the oldest: of two that fit alike the newer is the one to read first.
const recencyWorth = 0.3

// boost falls from 1 and worth to 1 within 20 years.
func boost(year int, worth float64) func(int64) float64 {
	return func(key int64) float64 {
		age := min(max(year-cve.ID(key).Year(), 0), 20)
		return 1 + worth*(1-float64(age)/20)
	}
}

// ranked returns a page by relevance.
func (q *question) ranked(ctx context.Context, after *textindex.Cursor) (page catalogue.Page, err error) {
	if err := q.narrow(ctx); err != nil {
		return page, err
	}
	hits, next, err := q.hits(ctx, after)
	if err != nil {
		return page, err
	}
	ids := make([]cve.ID, len(hits))
	for i, h := range hits {
		ids[i] = cve.ID(h.Key)
	}
	if page.Hits, err = q.finder.store.Hits(ctx, ids); err != nil {
		return page, err
	}
	if next != nil {
		page.Next = printCursor(*next, q.some)
	}
	return page, nil
}

// hits collects one page of what passes the filter, and where the next begins.
func (q *question) hits(ctx context.Context, after *textindex.Cursor) (hits []textindex.Hit, next *textindex.Cursor, err error) {
	limit := q.filter.Limit + q.filter.Skip
	defer func() { hits = hits[min(q.filter.Skip, len(hits)):] }()
	if !q.wide {
		r, err := q.index.Search(ctx, q.query(limit, after))
		return r.Hits, r.Next, err
	}
	for size := 4 * limit; ; size = min(2*size, textindex.MaxLimit) {
		r, err := q.index.Search(ctx, q.query(size, after))
		if err != nil {
			return nil, nil, err
		}
		passing, err := q.passing(ctx, r.Hits)
		if err != nil {
			return nil, nil, err
		}
		for _, h := range r.Hits {
			if !passing[h.Key] {
				continue
			}
			if len(hits) == limit {
				last := hits[limit-1]
				return hits, &textindex.Cursor{Score: last.Score, Key: last.Key}, nil
			}
			hits = append(hits, h)
		}
		if r.Next == nil {
			return hits, nil, nil
		}
		after = r.Next
	}
}

func (q *question) passing(ctx context.Context, hits []textindex.Hit) (map[int64]bool, error) {
	ids := make([]cve.ID, len(hits))
	for i, h := range hits {
		ids[i] = cve.ID(h.Key)
	}
	passing, err := q.finder.store.Passing(ctx, q.filter, ids)
	out := make(map[int64]bool, len(passing))
	for _, id := range passing {
		out[int64(id)] = true
	}
	return out, err
}

// ordered returns a page in another order than relevance: of the CVEs that hold all the words.
func (q *question) ordered(ctx context.Context) (catalogue.Page, error) {
	query := q.query(textindex.MaxLimit, nil)
	query.Boost = nil
	keys, more, err := q.index.Keys(ctx, query, orderMost)
	if err != nil {
		return catalogue.Page{}, err
	}
	page, err := q.finder.store.Ordered(ctx, q.filter, cves(keys))
	if more {
		page.Note = fmt.Sprintf(NoteMany, orderMost)
	}
	return page, err
}

// A cursor is "ra" (all words) or "rs" (some), the score's bits and the key.
func printCursor(c textindex.Cursor, some bool) string {
	mode := "ra"
	if some {
		mode = "rs"
	}
	return mode + strconv.FormatUint(math.Float64bits(c.Score), 16) + "." + strconv.FormatInt(c.Key, 10)
}

var errCursor = errors.New("not one of ours, or of another order")

// cursor reads Filter.After.
func (q *question) cursor() (*textindex.Cursor, error) {
	text := q.filter.After
	if text == "" {
		return nil, nil
	}
	bad := fault.Invalid("cursor %.40q: %w", text, errCursor)
	if len(text) < 3 || text[:2] != "ra" && text[:2] != "rs" {
		return nil, bad
	}
	score, key, ok := strings.Cut(text[2:], ".")
	bits, err := strconv.ParseUint(score, 16, 64)
	id, errKey := strconv.ParseInt(key, 10, 64)
	c := textindex.Cursor{Score: math.Float64frombits(bits), Key: id}
	if !ok || err != nil || errKey != nil || math.IsNaN(c.Score) || math.IsInf(c.Score, 0) {
		return nil, bad
	}
	q.some = text[:2] == "rs"
	return &c, nil
}
