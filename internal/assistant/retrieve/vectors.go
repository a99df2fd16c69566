package retrieve

import (
	"cmp"
	"context"
	"hash/fnv"
	"iter"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/textindex"
	"github.com/patchscout/patchscout/internal/textindex/kept"
)

// embedTime is how long a search waits for the vector of a question: an answer that comes late helps nobody.
const embedTime = 500 * time.Millisecond

// NoteEmbed says that nearness did not count.
const NoteEmbed = "Records were found by words alone: the embedding of the question failed or took too long."

// kindNumbers are the kinds in the keys of vectors. They are stored: never change one.
var kindNumbers = map[Kind]int64{CVE: 1, Finding: 2, Host: 3, Technique: 4, Scan: 5, Doc: 6}

const kindShift = idBits + siteBits

// Key is what the vector of a record is kept by: its kind, its site (0 where it has none) and its number.
func Key(kind Kind, site, id int64) int64 { return kindNumbers[kind]<<kindShift | keyOf(site, id) }

// Group is what the vectors of a kind and site are found by, all of a key that is not the number.
func Group(kind Kind, site int64) int64 { return Key(kind, site, 0) >> idBits }

// Document is a text to be embedded. Hash tells whether it is the one that a vector was made of.
type Document struct {
	Key   int64
	Group int64
	Hash  uint64
	Text  string
}

// Embedded are the kinds whose records are few enough to be embedded as they change.
var Embedded = []Kind{Finding, Host, Scan, Technique, Doc}

// Documents hands all texts of a kind to fn, with the generation that they are of: for Changes, and for a State that is newer.
func (f *Finder) Documents(ctx context.Context, kind Kind, fn func(generation int64, texts iter.Seq2[Document, error]) error) error {
	return f.source(kind).All(ctx, func(s kept.State, docs iter.Seq2[textindex.Document, error]) error {
		return fn(s.Generation, embeddable(kind, docs))
	})
}

// Changes hands to fn what changed of a kind of the estate after a generation, and the keys of what is gone. Of other kinds
// it is not known: fault.NotFound.
func (f *Finder) Changes(ctx context.Context, kind Kind, since int64, fn func(generation int64, gone []int64, texts iter.Seq2[Document, error]) error) error {
	return f.source(kind).Since(ctx, since, func(s kept.State, gone []int64, docs iter.Seq2[textindex.Document, error]) error {
		for i := range gone {
			gone[i] |= kindNumbers[kind] << kindShift
		}
		return fn(s.Generation, gone, embeddable(kind, docs))
	})
}

// Texts says of which data the texts of a kind are, and when they changed last.
func (f *Finder) Texts(ctx context.Context, kind Kind) (identity string, changed int64, err error) {
	s, err := f.source(kind).State(ctx)
	return s.Identity, s.Changed, err
}

func (f *Finder) source(kind Kind) kept.Source {
	switch kind {
	case Technique:
		return techniqueTexts{f.config.Catalogue}
	case Doc:
		return f.pages
	}
	return estateTexts{f.config.Estate, finding.TextKind(kind)}
}

// maxEmbed is how much of a text a small model reads anyway, in bytes.
const maxEmbed = 1 << 10

func embeddable(kind Kind, docs iter.Seq2[textindex.Document, error]) iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		for d, err := range docs {
			if err != nil {
				yield(Document{}, err)
				return
			}
			text := ""
			for _, field := range d.Fields {
				text += field + "\n"
			}
			text = cut(text, maxEmbed)
			sum := fnv.New64a()
			_, _ = sum.Write([]byte(text))
			key := kindNumbers[kind]<<kindShift | d.Key
			if !yield(Document{Key: key, Group: key >> idBits, Hash: sum.Sum64(), Text: text}, nil) {
				return
			}
		}
	}
}

// ask gets the vector of the question, where one is wanted.
func (s *search) ask(ctx context.Context) {
	c := s.finder.config
	if c.Embed == nil || c.Vectors == nil || c.Weight <= 0 || len(s.query.Exact) > 0 {
		return
	}
	type answer struct {
		vectors [][]float32
		err     error
	}
	// A model that does not obey its context must not hold the answer up either.
	soon, cancel := context.WithTimeout(ctx, embedTime)
	done := make(chan answer, 1)
	go func() {
		defer cancel()
		v, err := c.Embed.Embed(soon, []string{s.query.Text})
		done <- answer{v, err}
	}()
	select {
	case a := <-done:
		if a.err == nil && len(a.vectors) == 1 {
			s.vector = a.vectors[0]
			return
		}
	case <-soon.Done():
	}
	s.say(NoteEmbed)
}

// near adds what lies near the question to what holds its words, and puts all in the order of both.
func (s *search) near(ctx context.Context, kind Kind, hits []hit) ([]hit, error) {
	c := s.finder.config
	if s.vector == nil {
		return hits, nil
	}
	groups, err := s.groups(ctx, kind)
	if err != nil || len(groups) == 0 {
		return hits, err
	}
	soon, cancel := context.WithTimeout(ctx, embedTime)
	defer cancel()
	found, err := c.Vectors.Search(soon, s.vector, s.wanted(kind), groups)
	if err != nil {
		s.say(NoteEmbed)
		return hits, ctx.Err()
	}
	at := make(map[int64]int, len(hits))
	for i, h := range hits {
		at[h.key] = i
	}
	for _, v := range found {
		key := v.Key & (1<<kindShift - 1)
		i, known := at[key]
		if !known {
			i = len(hits)
			hits = append(hits, hit{key: key})
		}
		hits[i].near = v.Cosine
	}
	for i := range hits {
		hits[i].ranked = (1-c.Weight)*hits[i].score + c.Weight*max(hits[i].near, 0)
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(b.ranked, a.ranked) })
	return hits[:min(len(hits), s.wanted(kind))], nil
}

// groups are those of a kind that the asker may see.
func (s *search) groups(ctx context.Context, kind Kind) (groups []int64, err error) {
	if s.finder.estate[kind] == nil {
		return []int64{Group(kind, 0)}, nil
	}
	sites, err := s.finder.config.Estate.SiteNumbers(ctx, s.query.View)
	for _, site := range sites {
		groups = append(groups, Group(kind, site))
	}
	if s.query.View.All() {
		groups = append(groups, Group(kind, 0)) // scans of a site that is gone
	}
	return groups, err
}
