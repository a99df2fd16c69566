package retrieve_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/patchscout/patchscout/internal/assistant/index"
	"github.com/patchscout/patchscout/internal/assistant/retrieve"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/catalogue/find"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

// letters is a model that counts two letters.
type letters struct {
	mu     sync.Mutex
	texts  []string
	refuse string // texts with this in them
}

func (*letters) Name() string    { return "letters" }
func (*letters) Dimensions() int { return 2 }
func (l *letters) Embed(_ context.Context, texts []string) (out [][]float32, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range texts {
		if l.refuse != "" && strings.Contains(t, l.refuse) {
			return nil, errors.New("this text is not for me")
		}
		l.texts = append(l.texts, t)
		if strings.Count(t, "e") > strings.Count(t, "o") {
			out = append(out, []float32{1, 0})
		} else {
			out = append(out, []float32{0, 1})
		}
	}
	return out, nil
}

// asked are the texts since the last call.
func (l *letters) asked() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	texts := l.texts
	l.texts = nil
	return texts
}

type filling struct {
	*house
	model   *letters
	vectors *index.Local
	finder  *retrieve.Finder
	fill    *retrieve.Filler
}

func newFilling(t *testing.T, engine *storetest.Engine) *filling {
	t.Helper()
	x := &filling{house: newHouse(t, engine), model: &letters{}}
	var err error
	if x.vectors, err = index.OpenLocal(t.TempDir(), 2); err != nil {
		t.Fatal(err)
	}
	x.finder = retrieve.New(retrieve.Config{CVEs: find.New(x.s.Catalogue(), x.dir), Catalogue: x.s.Catalogue(), Estate: x.e, Dir: x.dir,
		Weights: map[retrieve.Kind]float64{retrieve.Finding: 0.3},
		Meaning: func(context.Context) (*retrieve.Meaning, error) {
			return &retrieve.Meaning{Embed: x.model, Vectors: x.vectors, Kinds: retrieve.Embedded, Batch: 1}, nil
		}})
	t.Cleanup(func() {
		if err := errors.Join(x.finder.Close(), x.vectors.Close()); err != nil {
			t.Error(err)
		}
	})
	x.fill = x.finder.Filler()
	x.fill.Hurry = true
	return x
}

func (x *filling) pass() []string {
	x.t.Helper()
	if _, err := x.fill.Pass(x.t.Context()); err != nil {
		x.t.Fatal(err)
	}
	return x.model.asked()
}

func (x *filling) many() int {
	x.t.Helper()
	n, err := x.vectors.Len(x.t.Context())
	if err != nil {
		x.t.Fatal(err)
	}
	return n
}

func TestFindingsThatSayTheSameAreEmbeddedOnce(t *testing.T) {
	storetest.Run(t, func(t *testing.T, engine *storetest.Engine) {
		x := newFilling(t, engine)
		var hosts, found []int64
		for i := range 5 {
			hosts = append(hosts, x.host("office", fmt.Sprint("10.0.0.", i+1), fmt.Sprint("web", i, ".example"), "nginx"))
			found = append(found, x.finding("office", hosts[i], "CVE-2024-1", "Eternal secret overflow", fmt.Sprint("evidence ", i)))
		}
		plc := x.host("plant", "10.9.0.1", "plc.plant", "turbine")
		x.finding("plant", plc, "CVE-2024-1", "Eternal secret overflow", "")
		if texts := x.pass(); !slices.Equal(texts, []string{"Eternal secret overflow"}) || x.many() != 2 {
			t.Fatalf("%q, %d vectors: want one text for two sites", texts, x.many())
		}
		if texts := x.pass(); len(texts) > 0 {
			t.Errorf("nothing changed, and %q", texts)
		}

		// All of them are near, not only the one with the vector, to whoever may see them.
		if err := x.finder.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, p := range mustFind(t, x.finder, "eee overflow", auth.OfSites("office")) {
			if p.Near < 0.9 {
				t.Errorf("finding %s is not near", p.ID)
			}
		}
		if list := mustFind(t, x.finder, "eee", auth.OfSites("office")); len(list) != 1 || list[0].ID == "" {
			t.Errorf("%d findings of the office by nearness alone", len(list))
		}
		if list := mustFind(t, x.finder, "eee", auth.View{}); len(list) != 0 {
			t.Errorf("%+v for one who sees nothing", list)
		}

		// When the one that has the vector goes, the next takes its place.
		x.update(func(ctx context.Context, tx *store.EstateTx) error { return tx.DeleteHost(ctx, hosts[0]) })
		if x.pass(); x.many() != 2 {
			t.Errorf("%d vectors", x.many())
		}
		if list := mustFind(t, x.finder, "eee", auth.OfSites("office")); len(list) != 1 || list[0].ID == fmt.Sprint(found[0]) {
			t.Errorf("%+v", list)
		}
		x.update(func(ctx context.Context, tx *store.EstateTx) error { return tx.DeleteHost(ctx, plc) })
		if x.pass(); x.many() != 1 {
			t.Errorf("%d vectors of one site", x.many())
		}
	})
}

func mustFind(t *testing.T, f *retrieve.Finder, text string, view auth.View) []retrieve.Passage {
	t.Helper()
	found, err := f.Search(t.Context(), retrieve.Query{Text: text, Kinds: []retrieve.Kind{retrieve.Finding}, View: view})
	if err != nil {
		t.Fatal(err)
	}
	return found.Passages[retrieve.Finding]
}

func TestFillingGoesOnWhereItEnded(t *testing.T) {
	x := newFilling(t, storetest.NewSQLite(t))
	web := x.host("office", "10.0.0.1", "web.example", "nginx")
	for i := range 6 {
		x.finding("office", web, fmt.Sprint("CVE-2024-", i+1), fmt.Sprint("Overflow ", i), "")
	}
	x.model.refuse = "Overflow 2"
	if _, err := x.fill.Pass(t.Context()); err == nil || x.many() != 5 {
		t.Fatalf("%v, %d vectors: one text that is refused keeps no other from its vector", err, x.many())
	}
	x.model.asked()
	x.model.refuse = ""

	x.fill = x.finder.Filler() // another process
	x.fill.Hurry = true
	if texts := x.pass(); !slices.Equal(texts, []string{"Overflow 2"}) {
		t.Errorf("embedded again: %q", texts)
	}
	keys, err := x.vectors.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := x.vectors.Delete(t.Context(), keys); err != nil { // somebody removed them
		t.Fatal(err)
	}
	if texts := x.pass(); len(texts) != 6 || x.many() != 6 {
		t.Errorf("%d texts, %d vectors", len(texts), x.many())
	}

	x.finding("office", web, "CVE-2024-77", "Another", "")
	over, end := context.WithCancel(t.Context())
	end()
	if _, err := x.fill.Pass(over); !errors.Is(err, context.Canceled) {
		t.Errorf("a pass that is over: %v", err)
	}
	x.model.refuse = "o"
	for i := range 6 {
		x.finding("office", web, fmt.Sprint("CVE-2025-", i+1), fmt.Sprint("One more ", i), "")
	}
	if _, err := x.fill.Pass(t.Context()); err == nil {
		t.Error("a model that always fails is no error")
	}
	if n := len(x.model.asked()); n != 0 {
		t.Errorf("%d texts", n)
	}
}
