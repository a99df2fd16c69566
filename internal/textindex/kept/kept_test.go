package kept_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"testing"

	"github.com/patchscout/patchscout/internal/textindex"
	"github.com/patchscout/patchscout/internal/textindex/kept"
)

// shelf is a source in memory.
type shelf struct {
	state kept.State
	books map[int64]string
	gone  []int64
	built int
}

func (s *shelf) State(context.Context) (kept.State, error) { return s.state, nil }

func (s *shelf) Identify(context.Context) error {
	s.state.Identity = "shelf"
	return nil
}

func (s *shelf) documents(yield func(textindex.Document, error) bool) {
	for key, text := range s.books {
		if !yield(textindex.Document{Key: key, Fields: []string{text}}, nil) {
			return
		}
	}
}

func (s *shelf) All(_ context.Context, fn func(kept.State, iter.Seq2[textindex.Document, error]) error) error {
	s.built++
	return fn(s.state, s.documents)
}

func (s *shelf) Since(_ context.Context, _ int64, fn func(kept.State, []int64, iter.Seq2[textindex.Document, error]) error) error {
	return fn(s.state, s.gone, s.documents)
}

var schema = textindex.Schema{K1: 1, Fields: []textindex.Field{{Name: "text", Weight: 1}}}

func fullShelf() *shelf {
	s := &shelf{state: kept.State{Generation: 5, Changed: 5}, books: map[int64]string{}}
	for i := range int64(3000) {
		s.books[i] = fmt.Sprintf("a book of shelf number %d", i%7)
	}
	return s
}

func count(t *testing.T, x *kept.Index, words string) (n int, there, behind bool) {
	t.Helper()
	there, behind, err := x.Use(t.Context(), func(index *textindex.Index) error {
		r, err := index.Search(t.Context(), textindex.Query{Text: words, Limit: 5000})
		n = len(r.Hits)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n, there, behind
}

func TestAnIndexIsBuiltFollowedAndNeverOfOtherData(t *testing.T) {
	s, dir := fullShelf(), t.TempDir()
	x := kept.New(s, dir, schema)
	defer x.Close()
	if err := x.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, there, behind := count(t, x, "book"); there || !behind || s.built > 0 {
		t.Errorf("there %v, behind %v: following builds nothing", there, behind)
	}
	if _, err := x.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, there, behind := count(t, x, "book"); n != 3000 || !there || behind {
		t.Errorf("%d books, there %v, behind %v", n, there, behind)
	}
	s.state.Generation, s.state.Changed, s.gone, s.books = 7, 6, []int64{1}, map[int64]string{9999: "a new scroll"}
	if n, _, behind := count(t, x, "scroll"); n != 0 || !behind {
		t.Errorf("%d scrolls, behind %v", n, behind)
	}
	if err := x.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, _, behind := count(t, x, "book scroll"); n != 3000 || behind || s.built != 1 {
		t.Errorf("%d texts, behind %v, built %d times", n, behind, s.built)
	}
	s.state.Identity, s.state.Generation, s.state.Changed = "another", 1, 1
	if _, there, _ := count(t, x, "book"); there {
		t.Error("the index of one shelf answers for another")
	}
	s.state = kept.State{Identity: "shelf", Generation: 3, Changed: 3} // put back to what it was
	if _, err := x.Refresh(t.Context()); err != nil || s.built != 2 {
		t.Errorf("built %d times, %v", s.built, err)
	}
	if n, _, _ := count(t, x, "book scroll"); n != 1 {
		t.Errorf("%d texts of one", n)
	}
}

func TestAnIndexThatOpensAndCannotBeReadIsMadeAnew(t *testing.T) {
	s, dir := fullShelf(), t.TempDir()
	x := kept.New(s, dir, schema)
	defer x.Close()
	if _, err := x.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	segments, err := filepath.Glob(filepath.Join(dir, "*", "seg-*"))
	if err != nil || len(segments) != 1 {
		t.Fatal(segments, err)
	}
	info, err := os.Stat(segments[0])
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(segments[0], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	junk := make([]byte, 600) // in the postings, which are checked when they are read
	if _, err := file.WriteAt(junk, info.Size()-2200); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if n, there, _ := count(t, x, "book"); there && n == 3000 {
		t.Skip("the damage hit nothing that this question reads")
	} else if there {
		t.Fatalf("%d books of a damaged index", n)
	}
	if _, err := x.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, there, behind := count(t, x, "book"); n != 3000 || !there || behind || s.built != 2 {
		t.Errorf("%d books, there %v, behind %v, built %d times", n, there, behind, s.built)
	}
}
