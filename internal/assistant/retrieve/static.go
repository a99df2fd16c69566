package retrieve

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"io/fs"
	"iter"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/textindex"
	"github.com/patchscout/patchscout/internal/textindex/kept"
)

// techniqueTexts are the techniques of ATT&CK, a thousand short texts: any change of the catalogue makes them anew.
type techniqueTexts struct{ catalogue Catalogue }

func (t techniqueTexts) State(ctx context.Context) (kept.State, error) {
	s, err := t.catalogue.TextState(ctx)
	if err != nil || s.Generation == 0 {
		return kept.State{}, err
	}
	// The catalogue may have no identity before its own index is made; what it has changed then is another generation.
	return kept.State{Identity: format + cmp.Or(s.Identity, "new"), Generation: s.Generation, Changed: s.Generation, Floor: s.Generation}, nil
}

func (techniqueTexts) Identify(context.Context) error { return nil }

func (t techniqueTexts) All(ctx context.Context, fn func(kept.State, iter.Seq2[textindex.Document, error]) error) error {
	s, err := t.State(ctx)
	if err != nil {
		return err
	}
	return fn(s, func(yield func(textindex.Document, error) bool) {
		for f := (catalogue.TechniqueFilter{Limit: 1000}); ; {
			page, next, err := t.catalogue.Techniques(ctx, f)
			if err != nil {
				yield(textindex.Document{}, err)
				return
			}
			for _, one := range page {
				if key, ok := techniqueKey(one.ID); ok && !yield(techniqueDocument(key, one), nil) {
					return
				}
			}
			if f.After = next; next == "" {
				return
			}
		}
	})
}

func (techniqueTexts) Since(context.Context, int64, func(kept.State, []int64, iter.Seq2[textindex.Document, error]) error) error {
	return fault.NotFound("what changed of techniques is not known one by one")
}

func techniqueDocument(key int64, t intel.Technique) textindex.Document {
	var body strings.Builder
	body.WriteString(strings.Join(t.Tactics, " ") + " " + strings.Join(t.Platforms, " ") + " " + t.Description + " " + t.Detection)
	for _, m := range t.Mitigations {
		body.WriteString(" " + m.Name)
	}
	return textindex.Document{Key: key, Fields: []string{t.ID + " " + t.Name, body.String()}}
}

// techniqueKey makes a number of T1059.001, and techniqueID the id of that.
func techniqueKey(id string) (int64, bool) {
	main, sub, _ := strings.Cut(strings.TrimPrefix(id, "T"), ".")
	a, err := strconv.ParseInt(main, 10, 32)
	b, errSub := strconv.ParseInt(cmp.Or(sub, "0"), 10, 32)
	return a*1000 + b, err == nil && errSub == nil && b < 1000 && a >= 0 && b >= 0
}

func techniqueID(key int64) string {
	if key%1000 == 0 {
		return fmt.Sprintf("T%04d", key/1000)
	}
	return fmt.Sprintf("T%04d.%03d", key/1000, key%1000)
}

func (s *search) techniques(ctx context.Context, hits []hit) (passages []Passage, err error) {
	for _, h := range hits {
		t, err := s.finder.config.Catalogue.Technique(ctx, techniqueID(h.key))
		if fault.KindOf(err) == fault.KindNotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		passages = append(passages, passage(Technique, t.ID, t.Name, t.Description, t.Modified, h))
	}
	return passages, nil
}

// pages are the product's own pages, a document a heading, or several where much stands below it. A link names the page and the heading: scan.md#ports.
type pages struct {
	files fs.FS

	once     sync.Once
	sections []section
	identity string
	err      error
}

type section struct{ page, anchor, title, text string }

func (p *pages) read() error {
	p.once.Do(func() {
		if p.files == nil {
			return
		}
		sum := fnv.New64a()
		var names []string
		names, p.err = fs.Glob(p.files, "*.md")
		for _, name := range names {
			body, err := fs.ReadFile(p.files, name)
			if err != nil {
				p.err = err
				return
			}
			p.sections = append(p.sections, sectionsOf(name, string(body))...)
		}
		for _, s := range p.sections { // keys are places among them: however they are cut, another cut is another index
			fmt.Fprintf(sum, "%q", s)
		}
		p.identity = format + hex.EncodeToString(sum.Sum(nil))
	})
	return p.err
}

// sectionsOf cuts a page at its headings. Those of a section bear the page's name before their own, so that "ports" of scan
// and of scope can be told apart.
func sectionsOf(page, body string) (list []section) {
	top, fenced := strings.TrimSuffix(page, ".md"), false
	var text strings.Builder
	now := section{page: page, title: top}
	flush := func() {
		for _, piece := range pieces(strings.TrimSpace(text.String())) {
			now.text = piece
			list = append(list, now)
		}
		text.Reset()
	}
	for line := range strings.Lines(body) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
			continue
		}
		level := len(line) - len(strings.TrimLeft(line, "#"))
		if fenced || level == 0 || level > 4 || !strings.HasPrefix(line[level:], " ") {
			text.WriteString(line + "\n")
			continue
		}
		flush()
		heading := strings.TrimSpace(line[level:])
		if level == 1 {
			top = heading
			now = section{page: page, title: heading}
			continue
		}
		now = section{page: page, anchor: anchorOf(heading), title: top + ": " + heading}
	}
	flush()
	return list
}

// mostPiece is how long a document of a page is, in bytes: what a person would read to have his answer.
const mostPiece = 1200

// pieces cuts a text between paragraphs, and where one is too long between lines.
func pieces(text string) (list []string) {
	var now strings.Builder
	flush := func() {
		if piece := strings.TrimSpace(now.String()); piece != "" {
			list = append(list, piece)
		}
		now.Reset()
	}
	for _, paragraph := range strings.Split(text, "\n\n") {
		if now.Len()+len(paragraph) > mostPiece {
			flush()
		}
		for line := range strings.Lines(paragraph) {
			if now.Len()+len(line) > mostPiece {
				flush()
			}
			now.WriteString(line)
		}
		now.WriteString("\n\n")
	}
	flush()
	return list
}

// anchorOf is what Markdown readers call a heading by.
func anchorOf(heading string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(heading) {
		switch {
		case r == ' ', r == '-':
			b.WriteByte('-')
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_', r >= 0x80:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func (p *pages) State(context.Context) (kept.State, error) {
	err := p.read()
	return kept.State{Identity: p.identity, Generation: 1, Changed: 1}, err
}

func (*pages) Identify(context.Context) error { return nil }

func (p *pages) All(ctx context.Context, fn func(kept.State, iter.Seq2[textindex.Document, error]) error) error {
	state, err := p.State(ctx)
	if err != nil {
		return err
	}
	return fn(state, func(yield func(textindex.Document, error) bool) {
		for i, s := range p.sections {
			if !yield(textindex.Document{Key: int64(i), Fields: []string{s.page + " " + s.title, s.text}}, nil) {
				return
			}
		}
	})
}

func (*pages) Since(context.Context, int64, func(kept.State, []int64, iter.Seq2[textindex.Document, error]) error) error {
	return fault.NotFound("pages change with the program")
}

// passages are the best piece of each section.
func (p *pages) passages(hits []hit, limit int) (list []Passage) {
	said := map[string]bool{}
	for _, h := range hits {
		if h.key < 0 || h.key >= int64(len(p.sections)) || len(list) == limit {
			continue
		}
		s := p.sections[h.key]
		id := s.page
		if s.anchor != "" {
			id += "#" + s.anchor
		}
		if said[id] {
			continue
		}
		said[id] = true
		list = append(list, passage(Doc, id, s.title, s.text, time.Time{}, h))
	}
	return list
}
