package textindex_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/textindex"
)

// generationOf makes documents that all say of which generation they are.
func generationOf(generation int64, n int) corpus {
	c := corpus{}
	for key := range int64(n) {
		c[key] = []string{fmt.Sprintf("generation%d number%d", generation, key), "marker", ""}
	}
	return c
}

// checkGeneration finds all documents to be of the index's own generation.
func checkGeneration(x *textindex.Index, n int) error {
	for _, text := range []string{"marker", fmt.Sprintf("generation%d", x.Generation())} {
		r, err := x.Search(context.Background(), textindex.Query{Text: text, Limit: 1, Count: true})
		if err != nil || r.Matched != n {
			return fmt.Errorf("%d of %d documents say %s: %w", r.Matched, n, text, err)
		}
	}
	return nil
}

// advance brings an index to the next generation.
func advance(dir string, from int64, n int, step func(string) error) error {
	c := generationOf(from+1, n)
	change := textindex.Change{From: from, Upserts: c.documents(slices.Sorted(maps.Keys(c)))}
	return textindex.Update(context.Background(), dir, schema, change, textindex.WithStep(textindex.Options{Generation: from + 1}, step))
}

func create(t testing.TB, dir string, generation int64, n int) {
	t.Helper()
	c := generationOf(generation, n)
	err := textindex.Create(context.Background(), dir, schema, c.documents(slices.Sorted(maps.Keys(c))), textindex.Options{Generation: generation})
	if err != nil {
		t.Fatal(err)
	}
}

func TestReadersGoOnWhileTheIndexChanges(t *testing.T) {
	dir := t.TempDir()
	const docs, generations = 200, 15
	create(t, dir, 1, docs)
	first := reopen(t, dir)
	var readers sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		readers.Go(func() {
			x, err := textindex.Open(dir, schema)
			for {
				if err == nil {
					err = checkGeneration(x, docs)
				}
				if err != nil {
					t.Error(err)
					return
				}
				select {
				case <-done:
					x.Close()
					return
				default:
				}
				if !x.Current() {
					x.Close()
					x, err = textindex.Open(dir, schema)
				}
			}
		})
	}
	for g := int64(1); g < generations; g++ {
		if err := advance(dir, g, docs, nil); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	readers.Wait()
	if first.Current() || checkGeneration(first, docs) != nil {
		t.Error("a reader of the first generation lost it")
	}
	if x := reopen(t, dir); x.Generation() != generations || !x.Current() {
		t.Errorf("generation %d at the end", x.Generation())
	}
}

func TestOfTwoWritersFromOneGenerationOneLoses(t *testing.T) {
	dir := t.TempDir()
	create(t, dir, 1, 50)
	errs := make([]error, 2)
	var writers sync.WaitGroup
	for i := range errs {
		writers.Go(func() { errs[i] = advance(dir, 1, 50, nil) })
	}
	writers.Wait()
	if lost := errors.Join(errs...); (errs[0] == nil) == (errs[1] == nil) || fault.KindOf(lost) != fault.KindConflict {
		t.Errorf("errors %v and %v, want one conflict", errs[0], errs[1])
	}
	if err := checkGeneration(reopen(t, dir), 50); err != nil {
		t.Error(err)
	}
}

func TestASecondWriterNeedNotWait(t *testing.T) {
	dir := t.TempDir()
	create(t, dir, 1, 5)
	inside := func(string) error {
		err := textindex.Create(context.Background(), dir, schema, corpus{}.documents(nil), textindex.Options{NoWait: true})
		if fault.KindOf(err) != fault.KindConflict {
			t.Errorf("second writer: %v", err)
		}
		hurried, stop := context.WithTimeout(context.Background(), 5*time.Millisecond)
		defer stop()
		err = textindex.Create(hurried, dir, schema, corpus{}.documents(nil), textindex.Options{})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a writer that waits: %v", err)
		}
		return nil
	}
	if err := advance(dir, 1, 5, inside); err != nil {
		t.Fatal(err)
	}
}

// stop is what a step panics with: nothing after it is done, as if the process had been killed.
type stop struct{}

func TestAWriterKilledAtAnyStepLeavesTheOldIndexOrTheNew(t *testing.T) {
	const docs = 200
	steps := map[string]int{}
	for n, ended := 0, false; !ended; n++ {
		dir := t.TempDir()
		create(t, dir, 1, docs)
		for g := range int64(9) { // so that some die while merging
			if x := reopen(t, dir); x.Generation() != g+1 {
				break
			}
			left := n
			ended = runStopped(func() error {
				return advance(dir, g+1, docs, func(step string) error {
					if left--; left < 0 {
						steps[step]++
						panic(stop{})
					}
					return nil
				})
			})
			if err := checkGeneration(reopen(t, dir), docs); err != nil {
				t.Fatalf("killed at step %d of generation %d: %v", n, g, err)
			}
		}
		x := reopen(t, dir)
		if err := advance(dir, x.Generation(), docs, nil); err != nil {
			t.Fatalf("the writer after the one killed at step %d: %v", n, err)
		}
		checkFolder(t, dir, reopen(t, dir))
	}
	for _, step := range []string{"segment", "manifest", "rename", "remove"} {
		if steps[step] == 0 {
			t.Errorf("no writer was killed before %q: %v", step, steps)
		}
	}
}

// runStopped says whether fn came to its end.
func runStopped(fn func() error) (ended bool) {
	defer func() {
		if p := recover(); p != nil && p != any(stop{}) {
			panic(p)
		}
	}()
	return fn() == nil
}

// checkFolder finds nothing in a folder but the index, for its owner only.
func checkFolder(t *testing.T, dir string, x *textindex.Index) {
	t.Helper()
	size := int64(0)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", e.Name(), info.Mode(), err)
		}
		if strings.HasPrefix(e.Name(), "seg-") {
			size += info.Size()
		} else if e.Name() != "manifest" && e.Name() != "lock" {
			t.Errorf("%s was left behind", e.Name())
		}
	}
	if size != x.Size() {
		t.Errorf("%d bytes of segments in the folder, the index has %d", size, x.Size())
	}
}

func TestTheFolderIsClosedToOthers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "index")
	create(t, dir, 1, 3)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := advance(dir, 1, 3, nil); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	checkFolder(t, dir, reopen(t, dir))
}

// TestMain lets the test's own program be the writer that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("TEXTINDEX_WRITE"); dir != "" {
		from, _ := strconv.ParseInt(os.Getenv("TEXTINDEX_FROM"), 10, 64)
		for ; ; from++ {
			if err := advance(dir, from, 2000, nil); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
	}
	os.Exit(m.Run())
}

func TestKilledProcessesLeaveAnIndexThatOpens(t *testing.T) {
	dir := t.TempDir()
	create(t, dir, 1, 2000)
	r := rand.New(rand.NewPCG(1, 1))
	for range 12 {
		from := reopen(t, dir).Generation()
		writer := exec.Command(os.Args[0])
		writer.Env = append(os.Environ(), "TEXTINDEX_WRITE="+dir, fmt.Sprintf("TEXTINDEX_FROM=%d", from))
		var said bytes.Buffer
		writer.Stderr = &said
		if err := writer.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(20+r.IntN(60)) * time.Millisecond) // a kill may come at any time: none is the right one
		writer.Process.Kill()
		writer.Wait()
		x := reopen(t, dir)
		if err := checkGeneration(x, 2000); err != nil || said.Len() > 0 {
			t.Fatalf("%v; the writer said %q", err, said.String())
		}
	}
	x := reopen(t, dir)
	if err := advance(dir, x.Generation(), 2000, nil); err != nil {
		t.Fatal(err)
	}
	checkFolder(t, dir, reopen(t, dir))
}

// damageable is an index of several segments with dead documents and lists of all lengths, and questions to it.
func damageable(t testing.TB) (dir string, ask func(*textindex.Index) (string, error)) {
	ctx, r := context.Background(), rand.New(rand.NewPCG(3, 3))
	c, dir := randomCorpus(r, 600), t.TempDir()
	build(t, dir, c, r, 0)
	upserts := randomCorpus(r, 60)
	change := textindex.Change{From: 1, Upserts: upserts.shuffled(r), Deletes: []int64{1, 2, 3, 4, 5}}
	if err := textindex.Update(ctx, dir, schema, change, textindex.Options{Generation: 2}); err != nil {
		t.Fatal(err)
	}
	var questions []textindex.Query
	for range 15 {
		questions = append(questions, randomQuery(r))
	}
	questions = append(questions, textindex.Query{Text: "word1", Prefix: textindex.PrefixAll, Limit: 50, Count: true})
	for n := range 1200 { // every word there is
		questions = append(questions, textindex.Query{Text: fmt.Sprintf("word%d", n), Limit: 3})
	}
	return dir, func(x *textindex.Index) (string, error) {
		var said strings.Builder
		for _, q := range questions {
			r, err := x.Search(ctx, q)
			if err != nil {
				return "", err
			}
			fmt.Fprint(&said, r.Hits, r.Matched)
		}
		return said.String(), nil
	}
}

func TestDamageIsAnErrorOrDoesNotMatter(t *testing.T) {
	dir, ask := damageable(t)
	right, err := ask(reopen(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	entries, _ := os.ReadDir(dir)
	found, tried := 0, 0
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		whole, err := os.ReadFile(path)
		if err != nil || len(whole) == 0 {
			continue
		}
		try := func(data []byte, what string, must bool) {
			t.Helper()
			tried++
			replaceFile(t, path, data)
			x, err := textindex.Open(dir, schema)
			said := right
			if err == nil {
				said, err = ask(x)
				x.Close()
			}
			if err != nil {
				found++
				if kind := fault.KindOf(err); kind != fault.KindUnavailable && kind != fault.KindInvalid {
					t.Errorf("%s of %s: %v has kind %q", what, e.Name(), err, kind)
				}
			}
			if err == nil && (said != right || must) {
				t.Errorf("%s of %s went unnoticed", what, e.Name())
			}
		}
		step := max(len(whole)/400, 1)
		for i := 0; i < len(whole); i += step {
			data := bytes.Clone(whole)
			data[i] ^= 1 << (i % 8)
			try(data, fmt.Sprintf("a wrong bit in byte %d", i), false)
		}
		for _, n := range []int{0, 1, 10, len(whole) / 3, len(whole) - 1} {
			try(whole[:n], fmt.Sprintf("the end after %d bytes", n), true)
		}
		try(append(bytes.Clone(whole), 0), "one byte too many", true)
		replaceFile(t, path, whole)
	}
	if said, err := ask(reopen(t, dir)); err != nil || said != right {
		t.Fatal("the index is not as it was", err)
	}
	if found < tried*9/10 {
		t.Errorf("%d of %d damages were found", found, tried)
	}
}

// replaceFile leaves what is mapped alone.
func replaceFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func TestANewerFormatIsSaidToBeNewer(t *testing.T) {
	for _, pattern := range []string{"manifest", "seg-*"} {
		dir := t.TempDir()
		create(t, dir, 1, 3)
		names, _ := filepath.Glob(filepath.Join(dir, pattern))
		data, err := os.ReadFile(names[0])
		if err != nil {
			t.Fatal(err)
		}
		data[8]++ // behind 8 bytes of magic
		replaceFile(t, names[0], data)
		_, err = textindex.Open(dir, schema)
		if fault.KindOf(err) != fault.KindInvalid || !strings.Contains(err.Error(), "newer") {
			t.Errorf("%s: %v", pattern, err)
		}
		create(t, dir, 2, 3)
		checkFolder(t, dir, reopen(t, dir))
	}
}

func TestAMissingSegmentIsDamage(t *testing.T) {
	dir := t.TempDir()
	create(t, dir, 1, 3)
	names, _ := filepath.Glob(filepath.Join(dir, "seg-*"))
	if err := os.Remove(names[0]); err != nil {
		t.Fatal(err)
	}
	_, err := textindex.Open(dir, schema)
	if again := advance(dir, 1, 3, nil); fault.KindOf(err) != fault.KindUnavailable || fault.KindOf(again) != fault.KindUnavailable {
		t.Errorf("open: %v, update: %v", err, again)
	}
	create(t, dir, 2, 3)
	checkFolder(t, dir, reopen(t, dir))
}

func TestAFileCutWhileItIsOpenIsAnError(t *testing.T) {
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(4, 4))
	c := randomCorpus(r, 4000)
	x, whole := build(t, dir, c, r, 0), build(t, t.TempDir(), c, r, 0)
	q := textindex.Query{Text: "word1 word2", Limit: 5}
	before := search(t, whole, q)
	names, _ := filepath.Glob(filepath.Join(dir, "seg-*"))
	if err := os.Truncate(names[0], 4096*3); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Search(context.Background(), q); fault.KindOf(err) != fault.KindUnavailable {
		t.Errorf("%v", err)
	}
	if after := search(t, whole, q); !slices.Equal(after.Hits, before.Hits) {
		t.Errorf("another index answers %v, not %v any more", after, before)
	}
}
