package retrieve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/catalogue/find"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/textindex/kept"
)

// Estate is what the estate tells of its texts; store.Estate is the one of the product.
type Estate interface {
	TextState(context.Context) (finding.TextState, error)
	IdentifyTexts(context.Context) error
	Texts(ctx context.Context, kind finding.TextKind, fn func(finding.TextState, iter.Seq2[finding.Text, error]) error) error
	TextsSince(ctx context.Context, kind finding.TextKind, since int64, fn func(finding.TextState, []finding.TextRef, iter.Seq2[finding.Text, error]) error) error
	// TextsSeen returns those that exist and are in the view, in the order of ids.
	TextsSeen(ctx context.Context, v auth.View, kind finding.TextKind, ids []int64) ([]finding.Text, error)
	SiteNumbers(context.Context, auth.View) ([]int64, error)
}

// CVEs ranks the catalogue; find.Finder is the one of the product.
type CVEs interface {
	Rank(ctx context.Context, text string, must []string, limit int) (find.Ranking, error)
	// Search stands in where there is no index to rank by.
	Search(context.Context, catalogue.Filter) (catalogue.Page, error)
	Records(context.Context) (n int, current bool, err error)
	Refresh(context.Context) (built bool, err error)
}

// Catalogue is what else is read of the catalogue; store.Catalogue is the one of the product.
type Catalogue interface {
	Hits(context.Context, []cve.ID) ([]catalogue.Hit, error)
	TextState(context.Context) (catalogue.TextState, error)
	Technique(ctx context.Context, id string) (intel.Technique, error)
	Techniques(context.Context, catalogue.TechniqueFilter) (page []intel.Technique, next string, err error)
}

// Config is what a Finder is made of.
type Config struct {
	CVEs      CVEs
	Catalogue Catalogue
	Estate    Estate
	Pages     fs.FS  // the product's own, Markdown
	Dir       string // of the indexes

	// Meaning finds by nearness beside words, nil for none. It is asked at each search and each Pass of a Filler, and gives nil
	// where there is none now. Weights are the part that nearness has in the order of a kind, 0 (off) to 1; nil is Weights.
	Meaning func(context.Context) (*Meaning, error)
	Weights map[Kind]float64
}

func (c Config) weight(kind Kind) float64 {
	if c.Weights == nil {
		return Weights[kind]
	}
	return c.Weights[kind]
}

// Finder searches. Safe for concurrent use; Close it. Nothing is opened or built before the first search.
type Finder struct {
	config Config
	pages  *pages
	estate map[Kind]*kept.Index
	static map[Kind]*kept.Index
}

// New returns a Finder.
func New(c Config) *Finder {
	f := &Finder{config: c, pages: &pages{files: c.Pages}, estate: map[Kind]*kept.Index{}, static: map[Kind]*kept.Index{}}
	for kind, of := range estateKinds {
		f.estate[kind] = kept.New(estateTexts{c.Estate, of}, filepath.Join(c.Dir, "estate", string(kind)), estateSchema)
	}
	f.static[Technique] = kept.New(techniqueTexts{c.Catalogue}, filepath.Join(c.Dir, "techniques"), textSchema).Small()
	f.static[Doc] = kept.New(f.pages, filepath.Join(c.Dir, "pages"), textSchema).Small()
	return f
}

// Kinds are all kinds, in the order in which they are told.
var Kinds = []Kind{CVE, Finding, Host, Technique, Scan, Doc}

func (f *Finder) kept(kind Kind) *kept.Index {
	if x := f.estate[kind]; x != nil {
		return x
	}
	return f.static[kind]
}

// Close lets go of the indexes, but for those of the catalogue, which are their owner's.
func (f *Finder) Close() error {
	var err error
	for _, kind := range Kinds {
		if x := f.kept(kind); x != nil {
			err = errors.Join(err, x.Close())
		}
	}
	return err
}

// Follow brings in what changed lately; what must be made anew is left to Refresh.
func (f *Finder) Follow(ctx context.Context) error {
	for _, kind := range Kinds {
		x := f.kept(kind)
		if x == nil {
			continue
		}
		if err := x.Follow(ctx); err != nil {
			return fmt.Errorf("index the texts of kind %s: %w", kind, err)
		}
	}
	return nil
}

// refreshed is in which order: techniques once more behind the CVEs, which may give the catalogue its identity.
var refreshed = []Kind{Doc, Technique, Scan, Host, Finding, CVE, Technique}

// Refresh brings all indexes up to date, or makes them anew. It may take seconds: it is for the background. One that fails
// does not keep the others from it, and what is made in a moment does not wait for the catalogue.
func (f *Finder) Refresh(ctx context.Context) (err error) {
	for _, kind := range refreshed {
		var failed error
		if x := f.kept(kind); x != nil {
			_, failed = x.Refresh(ctx)
		} else {
			_, failed = f.config.CVEs.Refresh(ctx)
		}
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("index the texts of kind %s: %w", kind, failed))
		}
	}
	return err
}

// partNames are the names of the kinds in report.AssistantPart.
var partNames = map[Kind]string{CVE: "cves", Finding: "findings", Host: "assets", Technique: "techniques", Scan: "scans", Doc: "docs"}

// State says what is searched. A part that cannot be read is told as one that is not current.
func (f *Finder) State(ctx context.Context) []report.AssistantPart {
	parts := make([]report.AssistantPart, 0, len(Kinds))
	for _, kind := range Kinds {
		p := report.AssistantPart{Name: partNames[kind]}
		if x := f.kept(kind); x != nil {
			there, behind, err := x.Count(ctx, &p.Records)
			p.Current = there && !behind && err == nil
		} else {
			n, current, err := f.config.CVEs.Records(ctx)
			p.Records, p.Current = n, current && err == nil
		}
		parts = append(parts, p)
	}
	return parts
}

// What a search for each kind may return, and what it returns when nothing is said.
const (
	usualLimit = 10
	mostLimit  = 100
)

// followTime is how long a search waits for what changed to be brought in, all kinds together, before it answers without.
const followTime = 120 * time.Millisecond

// Search implements Searcher.
func (f *Finder) Search(ctx context.Context, q Query) (Found, error) {
	begun := time.Now()
	if q.Limit <= 0 {
		q.Limit = usualLimit
	}
	q.Limit = min(q.Limit, mostLimit)
	if len(q.Kinds) == 0 {
		q.Kinds = Kinds
	}
	s := &search{finder: f, query: q, found: Found{Passages: map[Kind][]Passage{}}, known: map[string]bool{}, until: begun.Add(max(followTime, q.Wait))}
	s.ask(ctx)
	s.query.Text = content(q.Text)
	for _, kind := range Kinds {
		if !slices.Contains(q.Kinds, kind) {
			continue
		}
		passages, err := s.kind(ctx, kind)
		if err != nil {
			return Found{}, fmt.Errorf("search the texts of kind %s: %w", kind, err)
		}
		s.found.Passages[kind] = passages
	}
	s.sum()
	s.found.Took = time.Since(begun)
	tellWatcher(ctx, &s.found)
	return s.found, nil
}

// follow brings an index up to date, or makes it, if that is quickly done.
func (s *search) follow(ctx context.Context, x *kept.Index) error {
	soon, cancel := context.WithDeadline(ctx, s.until)
	defer cancel()
	bring := x.Follow
	if s.query.Wait > followTime {
		bring = func(ctx context.Context) error {
			_, err := x.Refresh(ctx)
			return err
		}
	}
	err := bring(soon)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		return nil
	case fault.KindOf(err) == fault.KindUnavailable:
		return err
	}
	s.found.Behind = true
	return nil
}
