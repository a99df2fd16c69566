package textindex

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"testing"
)

// These tests make checksums hold whatever is read, so that what stands behind them has to withstand damage by itself.

func trustAll(t testing.TB) {
	real := checksum
	checksum = func([]byte) uint32 { return 0 }
	t.Cleanup(func() { checksum = real })
}

var fuzzSchema = Schema{K1: 0.6, Fields: []Field{{Name: "a", Weight: 1, B: 0.6}, {Name: "b", Weight: 2, B: 0.6}}}

func fuzzDocuments(n int) iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		for i := range n {
			text := fmt.Sprintf("often half%d few%d once%d", i%2, i%17, i)
			if !yield(Document{Key: int64(i) * 3, Fields: []string{text, text[:i%20]}}, nil) {
				return
			}
		}
	}
}

// sample returns the files of an index.
func sample(t testing.TB, docs int) (manifest, segment []byte) {
	dir := t.TempDir()
	if err := Create(context.Background(), dir, fuzzSchema, fuzzDocuments(docs), Options{Generation: 1}); err != nil {
		t.Fatal(err)
	}
	m, err := readManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	if segment, err = os.ReadFile(filepath.Join(dir, m.segments[0].name)); err != nil {
		t.Fatal(err)
	}
	return m.append(nil), segment
}

// use reads all there is of a segment in all ways. Errors are fine.
func use(t testing.TB, data []byte) {
	s, err := openSegment("seg-0000000000000000", data, len(fuzzSchema.Fields))
	if err != nil {
		return
	}
	if s.docs() > 1 {
		s.bury([]uint32{0, uint32(s.docs() - 1)})
	}
	x := &Index{schema: fuzzSchema, manifest: &manifest{}, segments: []*segment{s}}
	x.count()
	for _, q := range []Query{
		{Text: "often half1 few3 once7", Limit: 5}, {Text: "often half1", All: true, Limit: 500}, {Text: "half", Prefix: PrefixAll, Limit: 5, Count: true},
	} {
		x.Search(context.Background(), q)    //nolint:errcheck // any answer will do
		x.Keys(context.Background(), q, 100) //nolint:errcheck // any answer will do
	}
	w := &writer{ctx: context.Background(), dir: t.TempDir(), schema: fuzzSchema}
	file, err := os.Create(filepath.Join(w.dir, "merged"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	newMerger([]*segment{s, s}, len(fuzzSchema.Fields)).write(w, newSegmentWriter(file, fuzzSchema)) //nolint:errcheck // any answer will do
}

func TestDamageBehindChecksumsNeverPanics(t *testing.T) {
	trustAll(t)
	_, whole := sample(t, 400)
	step := max(len(whole)/500, 1)
	for i := 0; i < len(whole); i += step {
		for _, value := range []byte{0xff, whole[i] + 1} {
			data := append([]byte(nil), whole...)
			data[i] = value
			use(t, data)
		}
	}
}

func FuzzOpenSegment(f *testing.F) {
	trustAll(f)
	for _, docs := range []int{1, 3, 200} {
		_, segment := sample(f, docs)
		f.Add(segment)
		f.Add(segment[:len(segment)/2])
	}
	f.Fuzz(func(t *testing.T, data []byte) { use(t, data) })
}

func FuzzOpen(f *testing.F) {
	trustAll(f)
	for _, docs := range []int{1, 200} {
		manifest, segment := sample(f, docs)
		f.Add(manifest, segment)
	}
	f.Add((&manifest{fields: fuzzSchema.names()}).append(nil), []byte{})
	f.Fuzz(func(t *testing.T, manifest, segment []byte) {
		m, err := parseManifest(manifest)
		if err != nil {
			return
		}
		dir := t.TempDir()
		for _, ref := range m.segments[:min(len(m.segments), 3)] {
			if err := os.WriteFile(filepath.Join(dir, ref.name), segment, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, manifestName), manifest, 0o600); err != nil {
			t.Fatal(err)
		}
		x, err := Open(dir, fuzzSchema)
		if err != nil {
			return
		}
		defer x.Close()
		x.Search(context.Background(), Query{Text: "often half1 few3", Limit: 5}) //nolint:errcheck // any answer will do
	})
}
