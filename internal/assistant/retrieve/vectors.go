package retrieve

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/assistant/embed"
	"github.com/patchscout/patchscout/internal/assistant/index"
	"github.com/patchscout/patchscout/internal/finding"
)

// embedTime is how long a search waits for the vector of a question: an answer that comes late helps nobody.
const embedTime = 500 * time.Millisecond

// NoteEmbed says that nearness did not count.
const NoteEmbed = "Records were found by words alone: the embedding of the question failed or took too long."

// Meaning is what finds records by nearness.
type Meaning struct {
	Embed   embed.Embedder
	Vectors index.Index
	Kinds   []Kind // whose texts may be embedded
	Batch   int    // texts that are embedded at once while vectors are filled; 0 is 1
}

func (m *Meaning) has(kind Kind) bool { return m != nil && slices.Contains(m.Kinds, kind) }

// kindNumbers are the kinds in the keys of vectors. They are stored: never change one.
var kindNumbers = map[Kind]int64{CVE: 1, Finding: 2, Host: 3, Technique: 4, Scan: 5, Doc: 6}

const kindShift = idBits + siteBits

// Key is what the vector of a record is kept by: its kind, its site (0 where it has none) and its number.
func Key(kind Kind, site, id int64) int64 { return kindNumbers[kind]<<kindShift | keyOf(site, id) }

// Group is what the vectors of a kind and site are found by, all of a key that is not the number.
func Group(kind Kind, site int64) int64 { return Key(kind, site, 0) >> idBits }

// ask gets the vector of the question, where one is wanted.
func (s *search) ask(ctx context.Context) {
	c := s.finder.config
	if c.Meaning == nil || len(s.query.Exact) > 0 || !slices.ContainsFunc(s.query.Kinds, func(k Kind) bool { return c.weight(k) > 0 }) {
		return
	}
	type answer struct {
		vectors [][]float32
		meaning *Meaning
		err     error
	}
	// A model that does not obey its context must not hold the answer up either.
	soon, cancel := context.WithTimeout(ctx, cmp.Or(s.query.Patience, embedTime))
	done := make(chan answer, 1)
	go func() {
		defer cancel()
		m, err := c.Meaning(soon)
		if err != nil || m == nil || !slices.ContainsFunc(s.query.Kinds, func(k Kind) bool { return m.has(k) && c.weight(k) > 0 }) {
			done <- answer{err: err}
			return
		}
		v, err := m.Embed.Embed(soon, []string{s.query.Text})
		done <- answer{v, m, err}
	}()
	select {
	case a := <-done:
		if a.err == nil && a.meaning == nil {
			return
		}
		if a.err == nil && len(a.vectors) == 1 {
			s.vector, s.meaning = a.vectors[0], a.meaning
			return
		}
	case <-soon.Done():
	}
	s.say(NoteEmbed)
}

// near adds what lies near the question to what holds its words, and puts all in the order of both.
func (s *search) near(ctx context.Context, kind Kind, hits []hit) ([]hit, error) {
	if s.vector == nil || s.finder.config.weight(kind) <= 0 || !s.meaning.has(kind) {
		return hits, nil
	}
	groups, err := s.groups(ctx, kind)
	if err != nil || len(groups) == 0 {
		return hits, err
	}
	soon, cancel := context.WithTimeout(ctx, cmp.Or(s.query.Patience, embedTime))
	defer cancel()
	found, err := s.meaning.Vectors.Search(soon, s.vector, s.wanted(kind), groups)
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
	s.best = best(hits)
	s.both(kind, hits)
	if kind == Finding { // of those that say the same one has the vector: records gives it to the others
		return hits, nil
	}
	return hits[:min(len(hits), s.wanted(kind))], nil
}

// best is the most that an index could have given for the words of the question.
func best(hits []hit) float64 {
	for _, h := range hits {
		if h.score > 0 && h.score < 1 {
			return h.raw / h.score
		}
	}
	return 1
}

// both puts hits in the order of words and nearness together: a convex sum, so that an id or a name that is held cannot be
// outdone by what only sounds alike.
func (s *search) both(kind Kind, hits []hit) {
	weight := s.finder.config.weight(kind)
	for i := range hits {
		h := &hits[i]
		h.ranked = (1-weight)*h.score + weight*max(h.near, 0)
		h.raw = h.ranked * s.best
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(b.ranked, a.ranked) })
}

// alike gives the nearness of a finding to those that say the same, and returns the texts in the order of both.
func (s *search) alike(texts []finding.Text, hits []hit) []finding.Text {
	if s.vector == nil {
		return texts
	}
	at, nearest := map[int64]int{}, map[saying]float64{}
	for i, h := range hits {
		at[idOf(h.key)] = i
	}
	for _, t := range texts {
		say := sayingOf(t)
		nearest[say] = max(nearest[say], hits[at[t.ID]].near)
	}
	byID := map[int64]finding.Text{}
	for _, t := range texts {
		hits[at[t.ID]].near, byID[t.ID] = nearest[sayingOf(t)], t
	}
	s.both(Finding, hits)
	texts = texts[:0]
	for _, h := range hits {
		if t, is := byID[idOf(h.key)]; is {
			texts = append(texts, t)
		}
	}
	return texts
}

// saying is what findings of one site share that say the same.
type saying struct {
	site int64
	text string
}

func sayingOf(t finding.Text) saying { return saying{t.Site, t.Title} }

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
