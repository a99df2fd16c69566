package retrieve

import (
	"context"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/textindex"
	"github.com/patchscout/patchscout/internal/textindex/kept"
)

// estateKinds are the kinds that belong to the estate, as it names them.
var estateKinds = map[Kind]finding.TextKind{Finding: finding.TextFinding, Host: finding.TextHost, Scan: finding.TextScan}

// estateSchema has B of 0 everywhere: how long the texts of other sites are must not move what is found in one's own, and
// texts are cut where they are read.
var estateSchema = textindex.Schema{K1: 0.4, Fields: []textindex.Field{
	{Name: "title", Weight: 1.5}, {Name: "names", Weight: 2}, {Name: "body", Weight: 0.7},
}}

// textSchema is for texts that everybody sees.
var textSchema = textindex.Schema{K1: 1.5, Fields: []textindex.Field{
	{Name: "title", Weight: 3, B: 0.3}, {Name: "body", Weight: 1, B: 0.6},
}}

// A key within an index of the estate is the site and the number of the record, so that what the asker may not see is left
// out before anything is ranked. Key puts the kind before it.
const (
	idBits   = 39
	siteBits = 20
	idMask   = 1<<idBits - 1
	siteMask = 1<<siteBits - 1
)

func keyOf(site, id int64) int64 { return site&siteMask<<idBits | id&idMask }
func siteOf(key int64) int64     { return key >> idBits & siteMask }
func idOf(key int64) int64       { return key & idMask }

// estateTexts is one kind of the estate's texts as an index wants them.
type estateTexts struct {
	estate Estate
	kind   finding.TextKind
}

// format changes when what is indexed of a record does.
const format = "1-"

func stateOf(s finding.TextState) kept.State {
	if s.Identity != "" {
		s.Identity = format + s.Identity
	}
	return kept.State{Identity: s.Identity, Generation: s.Generation, Changed: s.Changed}
}

func (e estateTexts) State(ctx context.Context) (kept.State, error) {
	s, err := e.estate.TextState(ctx)
	return stateOf(s), err
}

func (e estateTexts) Identify(ctx context.Context) error { return e.estate.IdentifyTexts(ctx) }

func (e estateTexts) All(ctx context.Context, fn func(kept.State, iter.Seq2[textindex.Document, error]) error) error {
	return e.estate.Texts(ctx, e.kind, func(s finding.TextState, texts iter.Seq2[finding.Text, error]) error {
		return fn(stateOf(s), documents(texts))
	})
}

func (e estateTexts) Since(ctx context.Context, since int64, fn func(kept.State, []int64, iter.Seq2[textindex.Document, error]) error) error {
	return e.estate.TextsSince(ctx, e.kind, since, func(s finding.TextState, gone []finding.TextRef, texts iter.Seq2[finding.Text, error]) error {
		keys := make([]int64, len(gone))
		for i, g := range gone {
			keys[i] = keyOf(g.Site, g.ID)
		}
		return fn(stateOf(s), keys, documents(texts))
	})
}

func documents(texts iter.Seq2[finding.Text, error]) iter.Seq2[textindex.Document, error] {
	return func(yield func(textindex.Document, error) bool) {
		for t, err := range texts {
			if !yield(textindex.Document{Key: keyOf(t.Site, t.ID), Fields: []string{t.Title, t.Names, t.Body}}, err) || err != nil {
				return
			}
		}
	}
}

// cut bounds a text without breaking a letter.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return strings.TrimRight(s[:most], " \n") + "…"
}
