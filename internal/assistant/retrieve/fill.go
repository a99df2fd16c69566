package retrieve

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/assistant/index"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/textindex"
	"github.com/patchscout/patchscout/internal/textindex/kept"
)

// Weights are the part of nearness in the order of each kind; a kind that is not here is not embedded. They are the smallest
// that found most on the tuning half of 24 questions that describe findings and hosts without their words (go run
// ./test/quality/assistant -only near, all-MiniLM-L6-v2, 1,331 findings and 41 hosts). Found first, and among ten, in per cent:
//
//	weight           0          0.05       0.1        0.2        0.3
//	tuning half      46.2 53.8  61.5 61.5  61.5 61.5  53.8 61.5  53.8 69.2
//	reporting half    9.1 18.2  27.3 54.5  27.3 54.5  27.3 54.5  27.3 63.6
//	  its hosts       0.0  0.0  33.3 66.7  33.3 66.7  33.3 66.7  33.3 66.7
//	  its findings   20.0 40.0  20.0 40.0  20.0 40.0  20.0 40.0  20.0 60.0
//
// Of CVEs, techniques, scans and pages no gain is shown, so words alone rank them.
var Weights = map[Kind]float64{Finding: 0.05, Host: 0.05}

// Embedded are the kinds whose records are few enough to be embedded as they change: a model on this machine embeds some
// three long texts a second. Of 100,000 findings those that say the same share one vector.
var Embedded = []Kind{Finding, Host, Scan, Technique, Doc}

// Filler keeps vectors up to date with the records. Safe for concurrent use, one Pass at a time.
type Filler struct {
	finder *Finder
	// Hurry leaves the pauses out, which keep embedding to half of a core.
	Hurry bool

	mu   sync.Mutex
	of   index.Index
	done map[Kind]string // the texts that the vectors were last made of
	kept int             // vectors there were after the last pass
	read time.Duration   // that the records took of the pass
}

// Filler returns what fills the vectors of the finder's Meaning.
func (f *Finder) Filler() *Filler { return &Filler{finder: f, done: map[Kind]string{}} }

// Pass embeds the texts that have no vector, or that of another text, and removes the vectors of records that are gone. What
// it did stays when it ends early: the next one goes on from there. When nothing changed since the last one it does nothing. read
// is how long the records were read, for whoever chooses when to look again.
func (x *Filler) Pass(ctx context.Context) (read time.Duration, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.read = 0
	if x.wanted() {
		err = x.pass(ctx)
	}
	return x.read, err
}

// wanted says whether nearness counts for any kind: without that nothing is opened.
func (x *Filler) wanted() bool {
	return x.finder.config.Meaning != nil && slices.ContainsFunc(Embedded, func(k Kind) bool { return x.finder.config.weight(k) > 0 })
}

func (x *Filler) pass(ctx context.Context) error {
	m, err := x.finder.config.Meaning(ctx)
	if err != nil || m == nil {
		return err
	}
	if n, err := m.Vectors.Len(ctx); err != nil {
		return err
	} else if x.of != m.Vectors || n != x.kept { // another place, or somebody took some out
		x.of, x.done = m.Vectors, map[Kind]string{}
	}
	there, err := m.Vectors.Keys(ctx)
	if err != nil {
		return err
	}
	var failed error
	for _, kind := range Embedded {
		if err := x.kind(ctx, m, kind, of(there, kind)); err != nil {
			failed = errors.Join(failed, fmt.Errorf("embed the texts of kind %s: %w", kind, err))
		}
		if ctx.Err() != nil || errors.Is(failed, errEnough) {
			break
		}
	}
	if n, err := m.Vectors.Len(ctx); err == nil {
		x.kept = n
	}
	return failed
}

// of are the keys of a kind.
func of(keys []int64, kind Kind) map[int64]bool {
	out := map[int64]bool{}
	for _, k := range keys {
		if k>>kindShift == kindNumbers[kind] {
			out[k] = true
		}
	}
	return out
}

// mostMissing texts are held in memory between reading and embedding them.
const mostMissing = 2000

func (x *Filler) kind(ctx context.Context, m *Meaning, kind Kind, there map[int64]bool) error {
	for {
		if x.finder.config.weight(kind) <= 0 || !m.has(kind) {
			return m.Vectors.Delete(ctx, slices.Collect(maps.Keys(there)))
		}
		state, err := x.finder.textState(ctx, kind)
		if err != nil || state == x.done[kind] {
			return err
		}
		missing, gone, more, err := x.look(ctx, m, kind, there)
		if err != nil {
			return err
		}
		if err := m.Vectors.Delete(ctx, gone); err != nil {
			return err
		}
		if err := x.embed(ctx, m, missing); err != nil {
			return err
		}
		if !more {
			x.done[kind] = state // what changed meanwhile has another
			return nil
		}
		for _, t := range missing {
			for _, d := range t.of {
				there[d.Key] = true
			}
		}
	}
}

// textState tells whether the texts of a kind changed.
func (f *Finder) textState(ctx context.Context, kind Kind) (string, error) {
	s, err := f.source(kind).State(ctx)
	return fmt.Sprint(s.Identity, " ", s.Changed), err
}

// missing is a text without a vector, and the keys that want it.
type missing struct {
	text string
	of   []document
}

// look compares the records with the vectors that are there.
func (x *Filler) look(ctx context.Context, m *Meaning, kind Kind, there map[int64]bool) (list []*missing, gone []int64, more bool, err error) {
	begun := time.Now()
	defer func() { x.read += time.Since(begun) }()
	wanted, texts := map[int64]bool{}, map[uint64]*missing{}
	var some []document
	check := func() error {
		keys := make([]int64, len(some))
		for i, d := range some {
			keys[i] = d.Key
		}
		hashes, err := m.Vectors.Hashes(ctx, keys)
		for _, d := range some {
			if h, is := hashes[d.Key]; is && h == d.Hash {
				continue
			}
			switch t := texts[d.Hash]; {
			case t != nil:
				t.of = append(t.of, d)
			case len(list) >= mostMissing:
				more = true
			default:
				t = &missing{text: d.Text, of: []document{d}}
				texts[d.Hash], list = t, append(list, t)
			}
		}
		some = some[:0]
		return err
	}
	err = x.finder.documents(ctx, kind, func(docs iter.Seq2[document, error]) error {
		for d, err := range docs {
			if err != nil {
				return err
			}
			wanted[d.Key] = true
			if some = append(some, d); len(some) == 500 {
				if err := check(); err != nil {
					return err
				}
			}
		}
		return check()
	})
	if err != nil {
		return nil, nil, false, err
	}
	for key := range there {
		if !wanted[key] {
			gone = append(gone, key)
		}
	}
	return list, gone, more, nil
}

// mostFailures in a row end a pass; a text that a server does not like must not keep the others from it.
const mostFailures = 3

var errEnough = errors.New("embedding stops for now")

func (x *Filler) embed(ctx context.Context, m *Meaning, list []*missing) error {
	var failed error
	failures := 0
	for some := range slices.Chunk(list, max(m.Batch, 1)) {
		begun := time.Now()
		err := put(ctx, m, some)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			failures = 0
		default:
			if failed, failures = err, failures+1; failures == mostFailures {
				return errors.Join(errEnough, failed)
			}
		}
		if err := x.pause(ctx, time.Since(begun)); err != nil {
			return err
		}
	}
	return failed
}

// pause waits as long as the work took.
func (x *Filler) pause(ctx context.Context, took time.Duration) error {
	if x.Hurry {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(took):
		return nil
	}
}

func put(ctx context.Context, m *Meaning, some []*missing) error {
	texts := make([]string, len(some))
	for i, t := range some {
		texts[i] = t.text
	}
	vectors, err := m.Embed.Embed(ctx, texts)
	if err != nil {
		return err
	}
	if len(vectors) != len(texts) {
		return fault.Unavailable("%s gives %d vectors for %d texts", m.Embed.Name(), len(vectors), len(texts))
	}
	var items []index.Item
	for i, t := range some {
		for _, d := range t.of {
			items = append(items, index.Item{Key: d.Key, Group: d.Group, Vector: vectors[i], Hash: d.Hash})
		}
	}
	return m.Vectors.Upsert(ctx, items)
}

// document is a text to be embedded. Hash tells whether it is the one that a vector was made of.
type document struct {
	Key   int64
	Group int64
	Hash  uint64
	Text  string
}

// documents hands the texts of a kind to fn. Of findings of a site that say the same it is the first, whoever sees one of
// a site sees all.
func (f *Finder) documents(ctx context.Context, kind Kind, fn func(iter.Seq2[document, error]) error) error {
	said := map[int64]map[uint64]bool{} // by group
	return f.source(kind).All(ctx, func(_ kept.State, docs iter.Seq2[textindex.Document, error]) error {
		return fn(func(yield func(document, error) bool) {
			for d, err := range docs {
				if err != nil {
					yield(document{}, err)
					return
				}
				one := embeddable(kind, d)
				if kind == Finding {
					if said[one.Group] == nil {
						said[one.Group] = map[uint64]bool{}
					}
					if said[one.Group][one.Hash] {
						continue
					}
					said[one.Group][one.Hash] = true
				}
				if !yield(one, nil) {
					return
				}
			}
		})
	})
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

// maxEmbed is how much of a text is embedded, in bytes: what a thing is stands at its beginning, and a model takes as long as
// a text is.
const maxEmbed = 400

// embeddable is the text of a record as it is embedded. Of a finding it is the title: what else is said of it is of hosts.
func embeddable(kind Kind, d textindex.Document) document {
	fields := d.Fields
	if kind == Finding {
		fields = fields[:1]
	}
	text := cut(strings.Join(fields, "\n"), maxEmbed)
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(text))
	key := kindNumbers[kind]<<kindShift | d.Key
	return document{Key: key, Group: key >> idBits, Hash: sum.Sum64(), Text: text}
}
