package index_test

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/patchscout/patchscout/internal/assistant/index"
	"github.com/patchscout/patchscout/internal/fault"
)

const dims = 96

// cloud makes vectors as texts have them: around some themes, with noise.
func cloud(r *rand.Rand, n, dims int) [][]float32 {
	themes := make([][]float32, 1+n/50)
	for i := range themes {
		themes[i] = around(r, nil, dims, 1)
	}
	out := make([][]float32, n)
	for i := range out {
		out[i] = around(r, themes[r.IntN(len(themes))], dims, 0.8)
	}
	return out
}

func around(r *rand.Rand, theme []float32, dims int, noise float64) []float32 {
	v := make([]float32, dims)
	sum := 0.0
	for i := range v {
		x := r.NormFloat64() * noise / math.Sqrt(float64(dims))
		if theme != nil {
			x += float64(theme[i])
		}
		v[i] = float32(x)
		sum += x * x
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}

// exact is the ranking that every search is judged by.
func exact(vectors [][]float32, question []float32, limit int, may func(i int) bool) []int64 {
	var hits []index.Hit
	for i, v := range vectors {
		if !may(i) {
			continue
		}
		h := index.Hit{Key: int64(i)}
		for d := range v {
			h.Cosine += float64(v[d]) * float64(question[d])
		}
		hits = append(hits, h)
	}
	slices.SortFunc(hits, func(a, b index.Hit) int { return cmp.Or(cmp.Compare(b.Cosine, a.Cosine), cmp.Compare(a.Key, b.Key)) })
	keys := make([]int64, 0, limit)
	for _, h := range hits[:min(limit, len(hits))] {
		keys = append(keys, h.Key)
	}
	return keys
}

func open(t testing.TB, dir string) *index.Local {
	t.Helper()
	x, err := index.OpenLocal(dir, dims)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	return x
}

func items(vectors [][]float32) []index.Item {
	list := make([]index.Item, len(vectors))
	for i, v := range vectors {
		list[i] = index.Item{Key: int64(i), Group: int64(i % 3), Vector: v, Hash: uint64(i) * 7}
	}
	return list
}

func upsert(t testing.TB, x index.Index, list []index.Item) {
	t.Helper()
	if err := x.Upsert(context.Background(), list); err != nil {
		t.Fatal(err)
	}
}

func search(t testing.TB, x index.Index, question []float32, limit int, groups []int64) []int64 {
	t.Helper()
	hits, err := x.Search(context.Background(), question, limit, groups)
	if err != nil {
		t.Fatal(err)
	}
	keys := make([]int64, len(hits))
	for i, h := range hits {
		keys[i] = h.Key
	}
	return keys
}

func common(a, b []int64) (n int) {
	for _, k := range a {
		if slices.Contains(b, k) {
			n++
		}
	}
	return n
}

func TestNearestAreFound(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	vectors := cloud(r, 5000, dims)
	dir := t.TempDir()
	x := open(t, dir)
	upsert(t, x, items(vectors))
	reopened := open(t, dir)
	found := 0
	for range 50 {
		question := around(r, vectors[r.IntN(len(vectors))], dims, 0.5)
		want := exact(vectors, question, 10, func(int) bool { return true })
		got := search(t, x, question, 10, nil)
		found += common(want, got)
		if again := search(t, reopened, question, 10, nil); !slices.Equal(got, again) {
			t.Fatalf("opened again it answers %v, before %v", again, got)
		}
	}
	if found < 490 {
		t.Errorf("%d of 500 neighbours found, want at least 490", found)
	}
}

func TestOnlyGroupsThatOneMaySee(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	vectors := cloud(r, 600, dims)
	x := open(t, t.TempDir())
	upsert(t, x, items(vectors))
	question := vectors[0]
	got := search(t, x, question, 20, []int64{1})
	for _, key := range got {
		if key%3 != 1 {
			t.Errorf("%d is of group %d", key, key%3)
		}
	}
	want := exact(vectors, question, 20, func(i int) bool { return i%3 == 1 })
	if common(want, got) < 19 {
		t.Errorf("found %v, want %v: what one may not see must not take places", got, want)
	}
	if got := search(t, x, question, 20, []int64{}); len(got) != 0 {
		t.Errorf("without any group %v", got)
	}
}

func TestChangesAreSeenByOthers(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	vectors := cloud(r, 100, dims)
	dir := t.TempDir()
	writer, reader := open(t, dir), open(t, dir)
	upsert(t, writer, items(vectors))
	if got := search(t, reader, vectors[7], 1, nil); !slices.Equal(got, []int64{7}) {
		t.Fatalf("the other process finds %v", got)
	}
	if err := writer.Delete(context.Background(), []int64{7, 1000}); err != nil {
		t.Fatal(err)
	}
	upsert(t, writer, []index.Item{{Key: 8, Group: 1, Vector: vectors[7], Hash: 99}})
	if got := search(t, reader, vectors[7], 1, nil); !slices.Equal(got, []int64{8}) {
		t.Errorf("after a change it finds %v, want 8", got)
	}
	hashes, err := reader.Hashes(context.Background(), []int64{7, 8, 9})
	if err != nil || len(hashes) != 2 || hashes[8] != 99 || hashes[9] != 63 {
		t.Errorf("hashes %v, %v", hashes, err)
	}
	if n, err := reader.Len(context.Background()); n != 99 || err != nil {
		t.Errorf("%d vectors, %v; want 99", n, err)
	}
}

func TestSpaceOfTheDeadIsGivenBack(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	vectors := cloud(r, 600, dims)
	dir := t.TempDir()
	writer, reader := open(t, dir), open(t, dir)
	for range 5 {
		upsert(t, writer, items(vectors))
		if got := search(t, reader, vectors[5], 1, nil); !slices.Equal(got, []int64{5}) {
			t.Fatalf("found %v", got)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "vectors"))
	if most := int64(2 * 600 * (dims + 40)); err != nil || info.Size() > most {
		t.Errorf("the file has %d bytes, want at most %d: %v", info.Size(), most, err)
	}
}

// A process that is killed while it writes leaves half a record: what was whole before it stays, and writing goes on.
func TestHalfARecordIsCutOff(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	vectors := cloud(r, 50, dims)
	dir := t.TempDir()
	upsert(t, open(t, dir), items(vectors))
	path := filepath.Join(dir, "vectors")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{1, 40, 100, 136 + 3, len(data) - 1} {
		torn := filepath.Join(t.TempDir(), "torn")
		if err := os.MkdirAll(torn, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(torn, "vectors"), data[:len(data)-cut], 0o600); err != nil {
			t.Fatal(err)
		}
		x := open(t, torn)
		n, err := x.Len(context.Background())
		if want := max(0, (len(data)-cut-64)/(dims+40)); err != nil || n != want {
			t.Errorf("cut by %d: %d vectors, %v; want %d", cut, n, err, want)
		}
		upsert(t, x, items(vectors)[:50])
		if got := search(t, open(t, torn), vectors[49], 1, nil); !slices.Equal(got, []int64{49}) {
			t.Errorf("cut by %d and written again: found %v", cut, got)
		}
	}
}

func TestDamageLosesOnlyWhatIsBehindIt(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 11))
	vectors := cloud(r, 50, dims)
	dir := t.TempDir()
	upsert(t, open(t, dir), items(vectors))
	path := filepath.Join(dir, "vectors")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[64+20*(dims+40)+60] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	x := open(t, dir)
	keys, err := x.Keys(context.Background())
	if err != nil || len(keys) != 20 {
		t.Fatalf("%d vectors, %v; want 20", len(keys), err)
	}
}

func TestOtherDimensionsBeginAnew(t *testing.T) {
	dir := t.TempDir()
	upsert(t, open(t, dir), items(cloud(rand.New(rand.NewPCG(1, 1)), 10, dims)))
	other, err := index.OpenLocal(dir, 2*dims)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if n, err := other.Len(context.Background()); n != 0 || err != nil {
		t.Errorf("%d vectors of another model, %v", n, err)
	}
	upsert(t, other, items(cloud(rand.New(rand.NewPCG(1, 1)), 10, 2*dims)))
	if n, err := other.Len(context.Background()); n != 10 || err != nil {
		t.Errorf("%d vectors, %v; want 10", n, err)
	}
}

func TestVectorsThatAreNoneAreRefused(t *testing.T) {
	x := open(t, t.TempDir())
	for name, v := range map[string][]float32{"short": make([]float32, 3), "no number": append(make([]float32, dims-1), float32(math.NaN()))} {
		err := x.Upsert(context.Background(), []index.Item{{Key: 1, Vector: v}})
		if fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := x.Search(context.Background(), v, 1, nil); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%s asked: %v", name, err)
		}
	}
	if _, err := x.Search(context.Background(), make([]float32, dims), 5, nil); err != nil {
		t.Errorf("an empty index: %v", err)
	}
}

func TestManyAtOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	vectors := cloud(r, 400, dims)
	dir := t.TempDir()
	a, b := open(t, dir), open(t, dir)
	var done sync.WaitGroup
	for i, x := range []*index.Local{a, b, a, b} {
		done.Go(func() {
			for round := range 6 {
				part := items(vectors)[100*i : 100*i+100]
				if err := x.Upsert(context.Background(), part); err != nil {
					t.Error(err)
				}
				if _, err := x.Search(context.Background(), vectors[round], 5, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done.Wait()
	if n, err := open(t, dir).Len(context.Background()); n != 400 || err != nil {
		t.Errorf("%d vectors, %v; want 400", n, err)
	}
}
