package textindex_test

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/textindex"
)

var schema = textindex.Schema{K1: 0.6, Fields: []textindex.Field{
	{Name: "title", Weight: 1, B: 0.6}, {Name: "products", Weight: 2, B: 0.3}, {Name: "description", Weight: 1, B: 0.75},
}}

// corpus is documents by key.
type corpus map[int64][]string

func (c corpus) documents(keys []int64) iter.Seq2[textindex.Document, error] {
	return func(yield func(textindex.Document, error) bool) {
		for _, k := range keys {
			if !yield(textindex.Document{Key: k, Fields: c[k]}, nil) {
				return
			}
		}
	}
}

func (c corpus) shuffled(r *rand.Rand) iter.Seq2[textindex.Document, error] {
	keys := slices.Sorted(maps.Keys(c))
	r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	return c.documents(keys)
}

// randomCorpus has few words, some in most documents and some in one.
func randomCorpus(r *rand.Rand, n int) corpus {
	c := corpus{}
	for len(c) < n {
		c[int64(r.IntN(4*n))-int64(n)] = randomFields(r)
	}
	return c
}

func randomFields(r *rand.Rand) []string {
	text := func(most int) string {
		words := make([]string, r.IntN(most))
		for i := range words {
			words[i] = randomWord(r)
		}
		return strings.Join(words, " ")
	}
	return []string{text(5), text(3), text(60)}
}

func randomWord(r *rand.Rand) string {
	word := fmt.Sprintf("word%d", int(math.Exp(r.Float64()*7)))
	switch r.IntN(20) {
	case 0:
		return word + "_" + randomWord(r)
	case 1:
		return fmt.Sprintf("%d.%d.%d", r.IntN(3), r.IntN(3), r.IntN(5))
	default:
		return word
	}
}

// book is what BM25F needs to know of a corpus.
type book struct {
	sums    [8]float64
	texts   map[int64][]map[string]int
	lengths map[int64][]float64
}

func (c corpus) read() *book {
	b := &book{texts: map[int64][]map[string]int{}, lengths: map[int64][]float64{}}
	for key, fields := range c {
		b.texts[key] = nil
		for f, text := range fields {
			n, times := 0, map[string]int{}
			for t := range textindex.Tokens(text) {
				times[t.Term] = min(times[t.Term]+1, 31)
				if !t.Extra {
					n++
				}
			}
			stored := float64(textindex.StoredLength(n))
			b.sums[f] += stored
			b.texts[key] = append(b.texts[key], times)
			b.lengths[key] = append(b.lengths[key], stored)
		}
	}
	return b
}

// search is BM25F by the book.
func (b *book) search(q textindex.Query, schema textindex.Schema) []textindex.Hit {
	docs := float64(len(b.texts))
	words := map[string]bool{} // whether a document must hold it
	for t := range textindex.Tokens(q.Text) {
		words[t.Term] = words[t.Term] || !t.Extra
	}
	scores := map[int64]float64{}
	held := map[int64]int{}
	wanted := 0
	for word, must := range words {
		if must {
			wanted++
		}
		counted := map[int64]float64{}
		for key, fields := range b.texts {
			x := 0.0
			for f, times := range fields {
				field := schema.Fields[f]
				average := b.sums[f] / docs
				x += float64(times[word]) * field.Weight / (1 - field.B + field.B*max(b.lengths[key][f], 1)/average)
			}
			if x > 0 {
				counted[key] = x
			}
		}
		df := float64(len(counted))
		idf := math.Log(1 + (docs-df+0.5)/(df+0.5))
		if !must {
			idf *= 0.6
		}
		for key, x := range counted {
			scores[key] += idf * x / (schema.K1 + x)
			if must {
				held[key]++
			}
		}
	}
	var hits []textindex.Hit
	for key, s := range scores {
		if (!q.All || held[key] == wanted) && (q.Filter == nil || q.Filter(key)) {
			if q.Boost != nil {
				s *= q.Boost(key)
			}
			hits = append(hits, textindex.Hit{Key: key, Score: s})
		}
	}
	slices.SortFunc(hits, func(a, b textindex.Hit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(b.Key, a.Key))
	})
	return hits
}

func build(t testing.TB, dir string, c corpus, r *rand.Rand, memory int64) *textindex.Index {
	t.Helper()
	err := textindex.Create(context.Background(), dir, schema, c.shuffled(r), textindex.Options{Generation: 1, MemoryLimit: memory})
	if err != nil {
		t.Fatal(err)
	}
	return reopen(t, dir)
}

func reopen(t testing.TB, dir string) *textindex.Index {
	t.Helper()
	x, err := textindex.Open(dir, schema)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

func search(t testing.TB, x *textindex.Index, q textindex.Query) textindex.Result {
	t.Helper()
	r, err := x.Search(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func randomQuery(r *rand.Rand) textindex.Query {
	words := make([]string, 1+r.IntN(7))
	for i := range words {
		words[i] = randomWord(r)
	}
	q := textindex.Query{Text: strings.Join(words, " "), All: r.IntN(4) == 0, Limit: 1 + r.IntN(40), Count: r.IntN(4) == 0}
	if r.IntN(4) == 0 {
		q.Filter = func(key int64) bool { return key%3 != 0 }
	}
	if r.IntN(4) == 0 {
		q.MaxBoost = 1.5
		q.Boost = func(key int64) float64 { return 1 + float64(key&7)/14 }
	}
	return q
}

// same compares hits. Scores are kept to 24 binary places, so what differs by less may come in either order.
func same(got, want []textindex.Hit) bool {
	const tolerance = 1e-5
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		if math.Abs(got[i].Score-want[i].Score) > tolerance {
			return false
		}
	}
	return true
}

func TestSearchRanksAsBM25FByTheBook(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	c := randomCorpus(r, 5000) // more than one window
	naive := c.read()
	for _, memory := range []int64{0, 400_000} {
		x := build(t, t.TempDir(), c, r, memory)
		if x.Docs() != len(c) {
			t.Fatalf("%d documents, want %d", x.Docs(), len(c))
		}
		for range 25 {
			q := randomQuery(r)
			all := naive.search(q, schema)
			got := search(t, x, q)
			if want := all[:min(q.Limit, len(all))]; !same(got.Hits, want) {
				t.Fatalf("%+v:\ngot  %v\nwant %v", q, got.Hits, want)
			}
			if (q.All || q.Count) && got.Matched != len(all) || !q.All && !q.Count && got.Matched != -1 {
				t.Fatalf("%+v: %d matched, want %d", q, got.Matched, len(all))
			}
			if (got.Next != nil) != (len(all) > q.Limit) {
				t.Fatalf("%+v: next page %v of %d hits", q, got.Next, len(all))
			}
			checkScores(t, got.Hits, all)
		}
	}
}

// checkScores compares each document's own score.
func checkScores(t *testing.T, got, all []textindex.Hit) {
	t.Helper()
	want := map[int64]float64{}
	for _, h := range all {
		want[h.Key] = h.Score
	}
	for _, h := range got {
		if w, ok := want[h.Key]; !ok || math.Abs(w-h.Score) > 1e-5 {
			t.Fatalf("document %d scores %v, want %v", h.Key, h.Score, w)
		}
	}
}

func TestPrunedSearchFindsExactlyWhatAnExhaustiveOneDoes(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	x := build(t, t.TempDir(), randomCorpus(r, 12_000), r, 0)
	for i := range 300 {
		q := randomQuery(r)
		q.All, q.Count = false, false
		q.Prefix = []textindex.Prefix{textindex.PrefixNone, textindex.PrefixLast, textindex.PrefixAll}[i%3]
		pruned := search(t, x, q)
		q.Count = true
		if full := search(t, x, q); !slices.Equal(pruned.Hits, full.Hits) {
			t.Fatalf("%+v:\ngot  %v\nwant %v", q, pruned.Hits, full.Hits)
		}
	}
}

func TestPagesJoinToTheWholeResult(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	x := build(t, t.TempDir(), randomCorpus(r, 3000), r, 0)
	for range 30 {
		q := randomQuery(r)
		q.Limit = 10_000
		whole := search(t, x, q).Hits
		q.Limit = 1 + len(whole)/7
		var pages []textindex.Hit
		for {
			page := search(t, x, q)
			pages = append(pages, page.Hits...)
			if q.After = page.Next; q.After == nil {
				break
			}
		}
		if !slices.Equal(pages, whole) {
			t.Fatalf("%+v: pages differ from the whole", q)
		}
	}
}

func TestKeysAreAllThatMatchNewestFirst(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	c := randomCorpus(r, 3000)
	x, naive := build(t, t.TempDir(), c, r, 0), c.read()
	for range 20 {
		q := randomQuery(r)
		var want []int64
		for _, h := range naive.search(q, schema) {
			want = append(want, h.Key)
		}
		slices.SortFunc(want, func(a, b int64) int { return cmp.Compare(b, a) })
		got, more, err := x.Keys(context.Background(), q, 100)
		if err != nil || more != (len(want) > 100) || !slices.Equal(got, want[:min(100, len(want))]) {
			t.Fatalf("%+v: %v, %v, %v; want %v", q, got, more, err, want)
		}
	}
}

func TestUpdatedIndexRanksAsOneBuiltAnew(t *testing.T) {
	ctx := context.Background()
	r := rand.New(rand.NewPCG(5, 5))
	c := randomCorpus(r, 1500)
	dir := t.TempDir()
	build(t, dir, c, r, 0)
	for generation := int64(1); generation < 30; generation++ {
		upserts, deletes := corpus{}, []int64{1 << 40}
		keys := slices.Sorted(maps.Keys(c))
		for range 1 + r.IntN(80) {
			switch k := keys[r.IntN(len(keys))]; r.IntN(3) {
			case 0:
				upserts[k] = randomFields(r)
			case 1:
				upserts[int64(r.IntN(1<<20))] = randomFields(r)
			default:
				deletes = append(deletes, k)
			}
		}
		for _, k := range deletes {
			delete(c, k)
		}
		maps.Copy(c, upserts)
		change := textindex.Change{From: generation, Upserts: upserts.shuffled(r), Deletes: deletes}
		memory := int64(r.IntN(2)) * 300_000
		if err := textindex.Update(ctx, dir, schema, change, textindex.Options{Generation: generation + 1, MemoryLimit: memory}); err != nil {
			t.Fatal(err)
		}
		if generation%5 != 0 {
			continue
		}
		updated, fresh := reopen(t, dir), build(t, t.TempDir(), c, r, 0)
		if updated.Docs() != len(c) || updated.Generation() != generation+1 {
			t.Fatalf("%d documents of generation %d, want %d of %d", updated.Docs(), updated.Generation(), len(c), generation+1)
		}
		for i := range 40 {
			q := randomQuery(r)
			q.Prefix = []textindex.Prefix{textindex.PrefixNone, textindex.PrefixAll}[i%2]
			got, want := search(t, updated, q), search(t, fresh, q)
			if !slices.Equal(got.Hits, want.Hits) || got.Matched != want.Matched {
				t.Fatalf("generation %d, %+v:\ngot  %v\nwant %v", generation, q, got, want)
			}
		}
	}
}

func TestOtherWeightsNeedNoOtherIndex(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	c := randomCorpus(r, 3000)
	naive := c.read()
	dir := t.TempDir()
	build(t, dir, c, r, 0)
	other := textindex.Schema{K1: 1.4, Fields: []textindex.Field{
		{Name: "title", Weight: 7, B: 0}, {Name: "products", Weight: 0.5, B: 1}, {Name: "description", Weight: 2, B: 0.2},
	}}
	x, err := textindex.Open(dir, other)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	for range 15 {
		q := randomQuery(r)
		all := naive.search(q, other)
		if got := search(t, x, q); !same(got.Hits, all[:min(q.Limit, len(all))]) {
			t.Fatalf("%+v: %v, want %v", q, got.Hits, all[:min(q.Limit, len(all))])
		}
	}
}

func TestLongerWordsAreFoundAndCountLess(t *testing.T) {
	c := corpus{1: {"heap overflow"}, 2: {"heap overflowing"}, 3: {"heap over"}, 4: {"stack smashed"}}
	x := build(t, t.TempDir(), c, rand.New(rand.NewPCG(7, 7)), 0)
	find := func(text string, prefix textindex.Prefix) (keys []int64) {
		for _, h := range search(t, x, textindex.Query{Text: text, Prefix: prefix, Limit: 10, All: true}).Hits {
			keys = append(keys, h.Key)
		}
		return keys
	}
	for _, tc := range []struct {
		text   string
		prefix textindex.Prefix
		want   []int64
	}{
		{"overflow heap", textindex.PrefixNone, []int64{1}},
		{"overflow heap", textindex.PrefixAll, []int64{1, 2}},
		{"overflow heap", textindex.PrefixLast, []int64{1}},
		{"heap overfl", textindex.PrefixLast, []int64{2, 1}},
		{"heap", textindex.PrefixNone, []int64{3, 2, 1}},
		{"overflow absent", textindex.PrefixAll, nil},
		{"ov", textindex.PrefixAll, nil}, // too short
		{"", textindex.PrefixAll, nil},
		{"-- ; ' \"", textindex.PrefixAll, nil},
	} {
		if got := find(tc.text, tc.prefix); !slices.Equal(got, tc.want) {
			t.Errorf("%q %q: %v, want %v", tc.text, tc.prefix, got, tc.want)
		}
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	if _, err := textindex.Open(dir, schema); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("no index: %v", err)
	}
	if err := textindex.Update(ctx, dir, schema, textindex.Change{}, textindex.Options{}); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("update of no index: %v", err)
	}
	x := build(t, dir, corpus{1: {"a"}}, rand.New(rand.NewPCG(8, 8)), 0)
	if err := textindex.Update(ctx, dir, schema, textindex.Change{From: 7}, textindex.Options{}); fault.KindOf(err) != fault.KindConflict {
		t.Errorf("update from another generation: %v", err)
	}
	other := textindex.Schema{K1: 1, Fields: []textindex.Field{{Name: "host", Weight: 1}}}
	if _, err := textindex.Open(dir, other); fault.KindOf(err) != fault.KindInvalid {
		t.Errorf("other fields: %v", err)
	}
	for _, bad := range []textindex.Schema{
		{}, {K1: 1}, {K1: math.NaN(), Fields: other.Fields}, {K1: 1, Fields: []textindex.Field{{Name: "a", Weight: 1, B: 2}}},
		{K1: 1, Fields: []textindex.Field{{Name: "a"}}}, {K1: 1, Fields: []textindex.Field{{Weight: 1}}}, {K1: 1, Fields: make([]textindex.Field, 9)},
		{K1: 1, Fields: []textindex.Field{{Name: "a", Weight: 1}, {Name: "a", Weight: 1}}},
	} {
		if _, err := textindex.Open(dir, bad); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("schema %+v: %v", bad, err)
		}
	}
	for _, bad := range []textindex.Query{{Text: "a"}, {Text: "a", Limit: 1 << 30}, {Text: "a", Limit: 1, Boost: func(int64) float64 { return 1 }}} {
		if _, err := x.Search(ctx, bad); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("query %+v: %v", bad, err)
		}
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	if _, err := x.Search(stopped, textindex.Query{Text: "a", Limit: 1}); err == nil {
		t.Error("a search goes on without its context")
	}
	x.Close()
	if _, err := x.Search(ctx, textindex.Query{Text: "a", Limit: 1}); fault.KindOf(err) != fault.KindUnavailable {
		t.Errorf("search after close: %v", err)
	}
}

func TestOneSourceOfDocumentsFailing(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	build(t, dir, corpus{1: {"first"}}, rand.New(rand.NewPCG(9, 9)), 0)
	broken := func(yield func(textindex.Document, error) bool) {
		_ = yield(textindex.Document{Key: 2, Fields: []string{"second"}}, nil) && yield(textindex.Document{}, context.DeadlineExceeded)
	}
	if err := textindex.Create(ctx, dir, schema, broken, textindex.Options{Generation: 2}); err != context.DeadlineExceeded {
		t.Errorf("build: %v", err)
	}
	if err := textindex.Update(ctx, dir, schema, textindex.Change{From: 1, Upserts: broken}, textindex.Options{Generation: 2}); err != context.DeadlineExceeded {
		t.Errorf("update: %v", err)
	}
	if x := reopen(t, dir); x.Generation() != 1 || len(search(t, x, textindex.Query{Text: "first", Limit: 5}).Hits) != 1 {
		t.Error("the index did not stay as it was")
	}
}

func TestDocumentsOfAnyShape(t *testing.T) {
	long := strings.Repeat("x", 1<<21)
	c := corpus{
		math.MinInt64: {"lowest"}, math.MaxInt64: {"highest", "", ""}, 0: nil, 1: {}, 2: {"", "", ""}, 3: {long + " lost", "many", strings.Repeat("many ", 100_000)},
		4: {"\xff\xfe broken \xc3", "naïve Ａpache ﬁle", "\x00zero"}, 5: {"extra", "fields", "are", "ignored"},
	}
	x := build(t, t.TempDir(), c, rand.New(rand.NewPCG(10, 10)), 0)
	for text, want := range map[string][]int64{
		"lowest": {math.MinInt64}, "HIGHEST": {math.MaxInt64}, "many": {3}, "lost": nil, "broken": {4}, "naive apache file": {4},
		"zero": {4}, "extra": {5}, "ignored": nil, strings.Repeat("x", 5000): {3}, strings.Repeat("nothing ", 5000) + "lowest": nil,
	} {
		keys, _, err := x.Keys(context.Background(), textindex.Query{Text: text}, 10)
		if err != nil || !slices.Equal(keys, want) {
			t.Errorf("%.20q: %v, %v; want %v", text, keys, err, want)
		}
	}
}
