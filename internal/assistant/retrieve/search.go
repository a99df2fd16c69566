package retrieve

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/catalogue/find"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/textindex"
)

// The notes of a search.
const (
	NoteNone   = "The text index is being built: some kinds of records were not searched."
	NoteBehind = "The text index is being brought up to date: what changed last may be missing."
)

// search is one search under way.
type search struct {
	finder *Finder
	query  Query
	until  time.Time // from then on nothing is brought up to date
	found  Found
	known  map[string]bool // words of the question: whether an index has them
	order  []string        // of the words
	sites  map[int64]bool  // that the asker sees; nil: not asked yet
	vector []float32       // of the question, nil for none

	meaning *Meaning // that vector is of
	best    float64  // of the kind that is searched
}

// hit is what an index found, on its way to a passage.
type hit struct {
	key         int64
	raw, ranked float64
	score, part float64
	words       int
	near        float64
}

func (s *search) kind(ctx context.Context, kind Kind) ([]Passage, error) {
	if kind == CVE {
		return s.cves(ctx)
	}
	var within func(int64) bool
	if s.finder.estate[kind] != nil {
		var err error
		if within, err = s.sees(ctx); err != nil {
			return nil, err
		}
	}
	hits, err := s.hits(ctx, kind, within)
	if err != nil {
		return nil, err
	}
	if hits, err = s.near(ctx, kind, hits); err != nil {
		return nil, err
	}
	return s.passages(ctx, kind, hits)
}

// sees returns what tells whether a key of the estate belongs to a site of the view; nil is all.
func (s *search) sees(ctx context.Context) (func(int64) bool, error) {
	if s.query.View.All() {
		return nil, nil //nolint:nilnil // no condition
	}
	if s.sites == nil {
		s.sites = map[int64]bool{}
		ids, err := s.finder.config.Estate.SiteNumbers(ctx, s.query.View)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			s.sites[id] = true
		}
	}
	return func(key int64) bool { return s.sites[siteOf(key)] }, nil
}

// wanted is how many hits are looked at for what is shown: of findings that say the same only few
// are, and of a section one piece.
func (s *search) wanted(kind Kind) int {
	if kind == Finding || kind == Doc {
		return min(4*s.query.Limit, 2*mostLimit)
	}
	return s.query.Limit
}

func (s *search) hits(ctx context.Context, kind Kind, within func(int64) bool) (hits []hit, err error) {
	x := s.finder.kept(kind)
	if err := s.follow(ctx, x); err != nil {
		return nil, err
	}
	there, behind, err := x.Use(ctx, func(index *textindex.Index) error {
		hits = nil
		must, err := index.Holding(ctx, s.query.Exact, within)
		if err != nil {
			return err
		}
		r, err := index.Search(ctx, textindex.Query{Text: s.query.Text, Limit: s.wanted(kind), Within: within, Filter: must})
		if err != nil {
			return err
		}
		words, err := index.Words(s.query.Text, within)
		if err != nil {
			return err
		}
		keys := make([]int64, len(r.Hits))
		for i, h := range r.Hits {
			keys[i] = h.Key
			hits = append(hits, hit{key: h.Key, raw: h.Score, ranked: h.Score})
		}
		held, err := index.Holds(s.query.Text, keys)
		if err != nil {
			return err
		}
		hits = s.weigh(hits, words, held)
		return nil
	})
	s.note(there, behind)
	return hits, err
}

func (s *search) note(there, behind bool) {
	note := ""
	switch {
	case !there:
		note = NoteNone
	case behind:
		note = NoteBehind
	default:
		return
	}
	s.found.Behind = true
	s.say(note)
}

func (s *search) say(note string) {
	if !slices.Contains(s.found.Notes, note) {
		s.found.Notes = append(s.found.Notes, note)
	}
}

// weigh works out what hits hold of the question, and notes its words. Those that hold none, but what a word can be read as
// too, are left out.
func (s *search) weigh(hits []hit, words []textindex.Word, held []uint64) []hit {
	best := 0.0
	for _, w := range words {
		best += w.Rarity
		if _, twice := s.known[w.Text]; !twice {
			s.order = append(s.order, w.Text)
		}
		s.known[w.Text] = s.known[w.Text] || w.Docs > 0
	}
	if best == 0 {
		return nil
	}
	for i := range hits {
		h, part := &hits[i], 0.0
		for bit, w := range words {
			if held[i]&(1<<bit) != 0 {
				part += w.Rarity
			}
		}
		h.words, h.part, h.score = textindex.CountWords(held[i]), part/best, min(h.raw/best, 1)
	}
	return slices.DeleteFunc(hits, func(h hit) bool { return h.words == 0 })
}

// sum tells what became of the words of the question.
func (s *search) sum() {
	for _, word := range s.order {
		if s.known[word] {
			s.found.Words++
		} else {
			s.found.Unknown = append(s.found.Unknown, word)
		}
	}
}

func (s *search) cves(ctx context.Context) ([]Passage, error) {
	c := s.finder.config
	r, err := c.CVEs.Rank(ctx, s.query.Text, s.query.Exact, s.query.Limit)
	if err != nil {
		return nil, err
	}
	if r.Note == find.NoteStandIn {
		return s.standIn(ctx)
	}
	s.note(true, r.Note == find.NoteBehind)
	hits, held := make([]hit, len(r.Hits)), make([]uint64, len(r.Hits))
	for i, h := range r.Hits {
		hits[i], held[i] = hit{key: int64(h.ID), raw: h.Plain, ranked: h.Score}, h.Held
	}
	hits = s.weigh(hits, r.Words, held)
	ids, byID := make([]cve.ID, len(hits)), make(map[int64]hit, len(hits))
	for i, h := range hits {
		ids[i], byID[h.key] = cve.ID(h.key), h
	}
	records, err := c.Catalogue.Hits(ctx, ids)
	if err != nil {
		return nil, err
	}
	var passages []Passage
	for _, r := range records {
		id, title := r.Record.ID.String(), r.Record.Title
		passages = append(passages, passage(CVE, id, cmp.Or(title, id), r.Record.Description, r.Record.Published, byID[int64(r.Record.ID)]))
	}
	return passages, nil
}

// maxText is how much of a text a passage brings, in bytes.
const maxText = 2 << 10

func passage(kind Kind, id, title, text string, at time.Time, h hit) Passage {
	return Passage{
		Thing: understand.Thing{Kind: string(kind), ID: id, Name: title}, Kind: kind, Title: title, Text: cut(text, maxText), At: at,
		Score: h.score, Part: h.part, Raw: h.raw, Words: h.words, Near: h.near,
	}
}

// passages makes what was found of hits: what is gone meanwhile, or not for the asker's eyes, is left out.
func (s *search) passages(ctx context.Context, kind Kind, hits []hit) ([]Passage, error) {
	if len(hits) == 0 {
		return nil, nil
	}
	switch kind {
	case Technique:
		return s.techniques(ctx, hits)
	case Doc:
		return s.finder.pages.passages(hits, s.query.Limit), nil
	}
	return s.records(ctx, kind, hits)
}

// mostAlike is how many findings of one weakness stand among the others before those that say something else.
const mostAlike = 2

func (s *search) records(ctx context.Context, kind Kind, hits []hit) ([]Passage, error) {
	ids, byID := make([]int64, len(hits)), make(map[int64]hit, len(hits))
	for i, h := range hits {
		ids[i] = idOf(h.key)
	}
	texts, err := s.finder.config.Estate.TextsSeen(ctx, s.query.View, estateKinds[kind], ids)
	if err != nil {
		return nil, err
	}
	if kind == Finding {
		texts = s.alike(texts, hits)
	}
	for _, h := range hits {
		byID[idOf(h.key)] = h
	}
	var first, rest []Passage
	same := map[string]int{}
	for _, t := range texts {
		p := passage(kind, strconv.FormatInt(t.ID, 10), t.Title, textOf(t), t.At, byID[t.ID])
		if same[t.Like]++; t.Like != "" && same[t.Like] > mostAlike {
			rest = append(rest, p)
			continue
		}
		first = append(first, p)
	}
	first = append(first, rest...)
	return first[:min(len(first), s.query.Limit)], nil
}

func textOf(t finding.Text) string {
	if t.Body == "" {
		return t.Names
	}
	return t.Names + "\n" + t.Body
}
