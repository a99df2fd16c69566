package find

import (
	"context"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/textindex"
)

// Ranking is the CVEs that hold words of a question best, for whoever weighs them against other records.
type Ranking struct {
	Hits  []Ranked
	Words []textindex.Word // of the question
	All   bool             // every hit holds all the words
	Note  string           // NoteStandIn: there is no index, and no hits; NoteBehind
}

// Ranked is a CVE that was found. Held has bit i for word i.
type Ranked struct {
	ID    cve.ID
	Score float64 // that ranks, with newer CVEs worth more
	Plain float64 // without
	Held  uint64
}

// Rank finds the CVEs that hold the words of a text: those with all of them or, where there are fewer than are wanted,
// behind these those with some. Words of must have to be held in any case. It reads the index only.
func (f *Finder) Rank(ctx context.Context, text string, must []string, limit int) (Ranking, error) {
	for range 3 {
		index, behind, err := f.index(ctx)
		if err != nil {
			return Ranking{}, err
		}
		if index == nil {
			break
		}
		r, err := rank(ctx, index, text, must, limit)
		if fault.KindOf(err) == fault.KindUnavailable { // as in Search
			f.drop(index)
			continue
		}
		if behind {
			r.Note = NoteBehind
		}
		return r, err
	}
	return Ranking{Note: NoteStandIn}, nil
}

// rankWorth is what the newest gains over the oldest here: enough to part those that fit alike. With recencyWorth 71.8 % of
// 2,790 titles of exploits found their CVE first and 87.7 % among ten, with this 73.5 % and 88.7 %.
const rankWorth = 0.05

func rank(ctx context.Context, index *textindex.Index, text string, must []string, limit int) (r Ranking, err error) {
	q := question{words: text}
	within, err := index.Holding(ctx, must, nil)
	if err != nil {
		return r, err
	}
	keys := map[int64]bool{}
	for _, q.some = range []bool{false, true} {
		query := q.query(limit, nil)
		query.Prefix, query.Filter = textindex.PrefixNone, within
		query.Boost, query.MaxBoost = boost(time.Now().Year(), rankWorth), 1+rankWorth
		found, err := index.Search(ctx, query)
		if err != nil {
			return r, err
		}
		for _, h := range found.Hits {
			if len(r.Hits) < limit && !keys[h.Key] {
				keys[h.Key] = true
				r.Hits = append(r.Hits, Ranked{ID: cve.ID(h.Key), Score: h.Score, Plain: h.Score / query.Boost(h.Key)})
			}
		}
		if len(r.Hits) >= limit {
			break
		}
	}
	if r.Words, err = index.Words(text, nil); err != nil {
		return r, err
	}
	held, err := index.Holds(text, slices.Collect(func(yield func(int64) bool) {
		for _, h := range r.Hits {
			if !yield(int64(h.ID)) {
				return
			}
		}
	}))
	for i := range held {
		r.Hits[i].Held = held[i]
	}
	r.All = !q.some
	return r, err
}

// Records is how many CVEs the index holds, and whether it holds what changed last.
func (f *Finder) Records(ctx context.Context) (n int, current bool, err error) {
	index, behind, err := f.index(ctx)
	if err != nil || index == nil {
		return 0, false, err
	}
	return index.Docs(), !behind, nil
}
