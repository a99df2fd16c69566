package main

import (
	"bufio"
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"hash/fnv"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/docs"
	"github.com/patchscout/patchscout/internal/assistant/embed"
	"github.com/patchscout/patchscout/internal/assistant/index"
	"github.com/patchscout/patchscout/internal/assistant/retrieve"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/catalogue/find"
	"github.com/patchscout/patchscout/internal/store"
)

//go:embed meaning.txt
var meaningText string

// nearWeights are what is tried of nearness.
var nearWeights = []float64{0, 0.05, 0.1, 0.2, 0.3, 0.5}

// meant is a question that describes a record without its words.
type meant struct {
	kind   retrieve.Kind
	wanted []string
	text   string
}

func (m meant) tuning() bool {
	h := fnv.New32a()
	_, _ = io.WriteString(h, m.text)
	return h.Sum32()>>3%2 == 1
}

func (m meant) is(p retrieve.Passage) bool {
	return slices.ContainsFunc(m.wanted, func(w string) bool {
		return strings.HasPrefix(p.ID, w) || strings.Contains(p.Title, w) || m.kind == retrieve.Host && strings.Contains(p.Text, w)
	})
}

func readMeanings() (list []meant) {
	for in := bufio.NewScanner(strings.NewReader(meaningText)); in.Scan(); {
		if cells := strings.Split(in.Text(), " | "); len(cells) == 3 {
			list = append(list, meant{retrieve.Kind(cells[0]), strings.Split(cells[1], "/"), cells[2]})
		}
	}
	return list
}

// near is a data folder that is searched with and without embeddings.
type near struct {
	store   *store.Store
	find    *find.Finder
	meaning retrieve.Meaning
	dir     string
}

// tellNear measures what nearness adds to words: on questions that describe records of the estate, techniques and pages, or
// on titles whose CVE is among the first ten by words.
func (o options) tellNear(ctx context.Context, dir string, w io.Writer) error {
	s, err := store.Open(ctx, store.Options{DataDir: dir})
	if err != nil {
		return err
	}
	defer s.Close()
	n := near{store: s, find: find.New(s.Catalogue(), filepath.Join(dir, "text")), dir: dir}
	defer n.find.Close()
	model, err := embed.OpenONNX(o.embedDir)
	if err != nil {
		return err
	}
	defer model.Close()
	vectors, err := index.OpenLocal(filepath.Join(dir, "text", "measured"), model.Dimensions())
	if err != nil {
		return err
	}
	defer vectors.Close()
	n.meaning = retrieve.Meaning{Embed: remembering{model, map[string][]float32{}}, Vectors: vectors, Kinds: retrieve.Kinds}
	if o.only == "near-titles" {
		return n.titles(ctx, o.feeds, o.titles, w)
	}
	return n.records(ctx, w)
}

// remembering embeds each text once: the same questions are asked with each weight.
type remembering struct {
	embed.Embedder
	known map[string][]float32
}

func (r remembering) Embed(ctx context.Context, texts []string) (out [][]float32, err error) {
	for _, t := range texts {
		if r.known[t] == nil {
			v, err := r.Embedder.Embed(ctx, []string{t})
			if err != nil {
				return nil, err
			}
			r.known[t] = v[0]
		}
		out = append(out, r.known[t])
	}
	return out, nil
}

func (n near) finder(weight float64) *retrieve.Finder {
	weights := map[retrieve.Kind]float64{}
	for _, k := range retrieve.Embedded {
		weights[k] = weight
	}
	return retrieve.New(retrieve.Config{
		CVEs: n.find, Catalogue: n.store.Catalogue(), Estate: n.store.Estate(), Pages: docs.Pages, Dir: filepath.Join(n.dir, "text", "assistant"),
		Meaning: func(context.Context) (*retrieve.Meaning, error) { return &n.meaning, nil }, Weights: weights,
	})
}

func (n near) records(ctx context.Context, w io.Writer) error {
	first := n.finder(1)
	defer first.Close()
	fill := first.Filler()
	fill.Hurry = true
	begun := time.Now()
	if _, err := fill.Pass(ctx); err != nil {
		return err
	}
	if err := first.Refresh(ctx); err != nil {
		return err
	}
	kept, err := n.meaning.Vectors.Len(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%d vectors, the missing ones in %s\n", kept, time.Since(begun).Round(time.Second))
	list := readMeanings()
	for _, weight := range nearWeights {
		f := n.finder(weight)
		scores := map[string][3]*score{}
		for _, m := range list {
			found, err := f.Search(ctx, retrieve.Query{Text: m.text, Kinds: []retrieve.Kind{m.kind}, View: auth.Everything(), Patience: time.Minute})
			if err != nil {
				return err
			}
			place := 1 + slices.IndexFunc(found.Passages[m.kind], m.is)
			half := "reporting"
			if m.tuning() {
				half = "tuning"
			}
			tally(scores, half+" "+string(m.kind), place)
			tally(scores, half+" all", place)
		}
		tellScores(w, weight, scores)
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

func tally(scores map[string][3]*score, name string, place int) {
	if _, is := scores[name]; !is {
		scores[name] = [3]*score{{}, {}, {}}
	}
	for i, most := range []int{1, 3, 10} {
		scores[name][i].add(place >= 1 && place <= most)
	}
}

func tellScores(w io.Writer, weight float64, scores map[string][3]*score) {
	names := []string{}
	for name := range scores {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		s := scores[name]
		fmt.Fprintf(w, "weight %.2f  %-22s first %5.1f %%  three %5.1f %%  ten %5.1f %%  of %d\n", weight, name, s[0].percent(), s[1].percent(), s[2].percent(), s[0].all)
	}
}

// titles puts the first ten by words in the order of both.
func (n near) titles(ctx context.Context, feeds string, most int, w io.Writer) error {
	list, err := readTitles(ctx, feeds, most)
	if err != nil {
		return err
	}
	f := n.finder(0)
	defer f.Close()
	scores := make([]map[string][3]*score, len(nearWeights))
	for i := range scores {
		scores[i] = map[string][3]*score{}
	}
	for _, t := range list {
		found, err := f.Search(ctx, retrieve.Query{Text: t.text, Kinds: []retrieve.Kind{retrieve.CVE}, View: auth.Everything()})
		if err != nil {
			return err
		}
		passages := found.Passages[retrieve.CVE]
		if !slices.ContainsFunc(passages, func(p retrieve.Passage) bool { return slices.Contains(t.cves, p.ID) }) {
			continue // no order would help
		}
		question, err := n.meaning.Embed.Embed(ctx, []string{t.text})
		if err != nil {
			return err
		}
		for i := range passages {
			p := &passages[i]
			v, err := n.meaning.Embed.Embed(ctx, []string{p.Title + "\n" + p.Text[:min(len(p.Text), 400)]})
			if err != nil {
				return err
			}
			p.Near = cosine(question[0], v[0])
		}
		half := "reporting titles"
		if t.tuning() {
			half = "tuning titles"
		}
		for i, weight := range nearWeights {
			order := slices.Clone(passages)
			slices.SortStableFunc(order, func(a, b retrieve.Passage) int {
				return cmp.Compare((1-weight)*b.Score+weight*b.Near, (1-weight)*a.Score+weight*a.Near)
			})
			tally(scores[i], half, 1+slices.IndexFunc(order, func(p retrieve.Passage) bool { return slices.Contains(t.cves, p.ID) }))
		}
	}
	for i, weight := range nearWeights {
		tellScores(w, weight, scores[i])
	}
	return nil
}

func cosine(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
