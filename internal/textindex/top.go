package textindex

import (
	"cmp"
	"container/heap"
	"math"
	"slices"
)

// sink takes documents that match.
type sink interface {
	// floor is the text score below which nothing is of interest any more.
	floor() int64
	offer(key int64, score int64)
}

// top keeps the best hits.
type top struct {
	q       Query
	hits    hitHeap // the worst first
	limit   int     // one more than asked for, to know whether there are more
	matched int
	counts  bool
	least   int64
}

func newTop(q Query) *top {
	t := &top{q: q, limit: q.Limit + 1, counts: q.Count || q.All}
	return t
}

func (t *top) floor() int64 { return t.least }

func (t *top) offer(key, score int64) {
	if t.counts { // the filter is asked of all
		if t.q.Filter != nil && !t.q.Filter(key) {
			return
		}
		t.matched++
	}
	h := Hit{Key: key, Score: t.boosted(key, score)}
	if after := t.q.After; after != nil && !behind(h, Hit{Key: after.Key, Score: after.Score}) {
		return
	}
	if len(t.hits) == t.limit && !behind(t.hits[0], h) {
		return
	}
	if !t.counts && t.q.Filter != nil && !t.q.Filter(key) {
		return
	}
	t.add(h)
}

func (t *top) boosted(key, score int64) float64 {
	s := toScore(score)
	if t.q.Boost != nil {
		s *= min(max(t.q.Boost(key), 0), t.q.MaxBoost)
	}
	if math.IsNaN(s) {
		return 0
	}
	return s
}

func (t *top) add(h Hit) {
	if len(t.hits) < t.limit {
		heap.Push(&t.hits, h)
	} else {
		t.hits[0] = h
		heap.Fix(&t.hits, 0)
	}
	if len(t.hits) == t.limit {
		worst := t.hits[0].Score
		if t.q.Boost != nil {
			worst /= t.q.MaxBoost
		}
		t.least = max(int64(worst*scoreUnit)-1, 0)
	}
}

func (t *top) result(counted bool) Result {
	hits := []Hit(t.hits)
	slices.SortFunc(hits, compareHits)
	r := Result{Hits: hits, Matched: -1}
	if counted {
		r.Matched = t.matched
	}
	if len(hits) > t.q.Limit {
		r.Hits = hits[:t.q.Limit]
		last := r.Hits[t.q.Limit-1]
		r.Next = &Cursor{Score: last.Score, Key: last.Key}
	}
	return r
}

// compareHits is the order of hits.
func compareHits(a, b Hit) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(b.Key, a.Key))
}

// behind says whether a comes after b.
func behind(a, b Hit) bool { return compareHits(a, b) > 0 }

// hitHeap has the last of the order on top.
type hitHeap []Hit

func (h hitHeap) Len() int           { return len(h) }
func (h hitHeap) Less(i, j int) bool { return behind(h[i], h[j]) }
func (h hitHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *hitHeap) Push(v any)        { *h = append(*h, v.(Hit)) }
func (h *hitHeap) Pop() any {
	old := *h
	v := old[len(old)-1]
	*h = old[:len(old)-1]
	return v
}

// keySet keeps all keys.
type keySet struct {
	filter func(int64) bool
	keys   []int64
}

func (s *keySet) floor() int64 { return 0 }

func (s *keySet) offer(key, _ int64) {
	if s.filter == nil || s.filter(key) {
		s.keys = append(s.keys, key)
	}
}

func (s *keySet) result(limit int) (keys []int64, more bool) {
	slices.Sort(s.keys) // nearly sorted already, segments being so
	slices.Reverse(s.keys)
	return s.keys[:min(limit, len(s.keys))], len(s.keys) > limit
}
