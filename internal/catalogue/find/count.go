package find

import (
	"context"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/fault"
)

// Count says how many CVEs a filter selects on all pages, of those that hold words at most 50,000. While there is no text
// index it counts what Search could page through.
func (f *Finder) Count(ctx context.Context, filter catalogue.Filter) (int, error) {
	if err := filter.Validate(); err != nil {
		return 0, err
	}
	filter.Skip, filter.After, filter.Limit = 0, "", 1000
	ids, words := filter.Named()
	if len(ids) == 0 && len(catalogue.Words(words)) == 0 {
		return f.store.Count(ctx, filter)
	}
	if len(ids) == 0 {
		for range 3 {
			index, _, err := f.index(ctx)
			if err != nil {
				return 0, err
			}
			if index == nil {
				break
			}
			q := question{finder: f, index: index, filter: filter, words: words}
			n, err := q.count(ctx)
			if fault.KindOf(err) == fault.KindUnavailable { // as in Search
				f.drop(index)
				continue
			}
			return n, err
		}
	}
	page, err := f.store.Search(ctx, filter)
	return len(page.Hits), err
}

func (q *question) count(ctx context.Context) (n int, err error) {
	for _, q.some = range []bool{false, true} {
		query := q.query(orderMost, nil)
		query.Boost = nil
		keys, _, err := q.index.Keys(ctx, query, orderMost)
		if err != nil {
			return 0, err
		}
		if n = len(keys); !q.filter.OnlyWords() {
			passing, err := q.finder.store.Passing(ctx, q.filter, cves(keys))
			if err != nil {
				return 0, err
			}
			n = len(passing)
		}
		if n > 0 {
			break
		}
	}
	return n, nil
}
