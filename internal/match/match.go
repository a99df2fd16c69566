// Package match tells which CVEs apply to observed software: NISTIR 7696 name matching over whole configurations, with
// the reason and the confidence of each answer. Values in, values out; it never asks the network and never guesses a
// version.
package match

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
)

// Status says how surely a CVE applies. Along one way through a configuration the weakest status counts; of several
// ways the surest.
type Status string

// The statuses, surest first.
const (
	Affected    Status = "affected"
	Conditional Status = "conditional" // needs a platform that is not known
	Uncertain   Status = "uncertain"   // the update is unknown, or the rule has no range
)

// Confidence values, on OpenVAS's quality-of-detection scale (design decision 5).
const (
	confidenceVersion   = 80 // the service itself said its version
	confidenceEdition   = 70 // the rule names an edition that the observation does not
	confidenceDerived   = 70 // the rule's product was named in words, not by a CPE name
	confidencePlatform  = 50 // conditional
	confidenceUpdate    = 40 // the rule is for an update that the observation does not name
	confidenceBackport  = 30 // the banner names a distribution that backports fixes
	confidenceEveryRule = 20 // a rule for every version
)

// Subject is one observed product.
type Subject struct {
	CPE      string // either binding
	Backport string // distribution named by the banner, "" if none
}

// Match is one CVE that applies to a subject.
type Match struct {
	CVE        cve.ID
	Status     Status
	Subject    string   // the observed name that matched, canonical CPE 2.3
	Criteria   string   // the rule that it matched, canonical CPE 2.3
	Needs      []string // conditions of a conditional match: CPE names of which the host's platform must show one each
	Confidence int      // 0..100
	Reason     string   // one sentence without a full stop
	FixedIn    string   // first version that the matching rule does not cover, "" if the record names none
}

// SubjectResult is what applies to one subject.
type SubjectResult struct {
	Name       cpe.Name
	Matches    []Match  // by CVE
	Candidates []cve.ID // the subject's version is unknown: CVEs that would apply to some version, by CVE
	Err        error    // the subject cannot be used (fault.Invalid)
}

// Result holds one SubjectResult per subject, in order.
type Result struct {
	Subjects []SubjectResult
}

// PackSource finds the packed rules of products, in the order asked; nil where a product is unknown.
type PackSource interface {
	Packs(ctx context.Context, products []cpe.Product) ([][]byte, error)
}

// Matcher answers from packed rules. Safe for concurrent use.
type Matcher struct {
	source PackSource
	cache  *packCache

	// Terse leaves Criteria out of matches: a long list is faster without words that nobody reads. Set it before use.
	Terse bool
}

// New returns a Matcher over one generation of the catalogue.
func New(source PackSource) *Matcher {
	return &Matcher{source: source, cache: newPackCache()}
}

// Host matches what was seen on one host. Every subject and every platform name is also the others' platform. A
// subject or platform that cannot be parsed is reported in its own result and does not stop the rest; err is only about
// the catalogue.
func (m *Matcher) Host(ctx context.Context, subjects []Subject, platform []string) (Result, error) {
	res := Result{Subjects: make([]SubjectResult, len(subjects))}
	var host inventory
	var products []cpe.Product
	for i, s := range subjects {
		r := &res.Subjects[i]
		if r.Name, r.Err = ParseSubject(s.CPE); r.Err != nil {
			continue
		}
		host.add(r.Name)
		products = append(products, cpe.Aliases(r.Name.Product())...)
	}
	for _, p := range platform {
		if name, err := cpe.Parse(p); err == nil {
			host.add(name)
		}
	}
	packs, err := m.packs(ctx, products)
	if err != nil {
		return Result{}, err
	}
	for i := range subjects {
		if r := &res.Subjects[i]; r.Err == nil {
			matchSubject(r, subjects[i], packs, &host, m.Terse)
		}
	}
	return res, nil
}

// ParseSubject reads a CPE that is to be matched: its vendor and product must be plain names, and its version, if it
// has one, a version.
func ParseSubject(s string) (cpe.Name, error) {
	name, err := cpe.Parse(s)
	if err != nil {
		return name, err
	}
	for _, a := range []struct {
		attribute cpe.Attribute
		name      string
	}{{cpe.Vendor, "vendor"}, {cpe.ProductName, "product"}} {
		v := name.Get(a.attribute)
		if v == cpe.NA || cpe.HasWildcard(v) {
			return name, fault.Invalid("CPE %q: %s %q is a wildcard: name one %s", s, a.name, v, a.name)
		}
	}
	if v := name.Get(cpe.Version); v != cpe.Any && cpe.HasWildcard(v) {
		return name, fault.Invalid("CPE %q: version %q is a wildcard: name one version, or * if it is not known", s, v)
	}
	return name, nil
}

// packs returns the decoded packs of products, from the cache or the source.
func (m *Matcher) packs(ctx context.Context, products []cpe.Product) (map[cpe.Product]*pack, error) {
	found := make(map[cpe.Product]*pack, len(products))
	var missing []cpe.Product
	for _, p := range products {
		if _, ok := found[p]; ok {
			continue
		}
		cached, ok := m.cache.get(p)
		if !ok {
			missing = append(missing, p)
		}
		found[p] = cached
	}
	if len(missing) == 0 {
		return found, nil
	}
	blobs, err := m.source.Packs(ctx, missing)
	if err != nil {
		return nil, err
	}
	for i, blob := range blobs {
		var decoded *pack
		if blob != nil {
			if decoded, err = decodePack(missing[i], blob); err != nil {
				return nil, err
			}
		}
		m.cache.put(missing[i], decoded)
		found[missing[i]] = decoded
	}
	return found, nil
}

func matchSubject(r *SubjectResult, s Subject, packs map[cpe.Product]*pack, host *inventory, terse bool) {
	q := newQuery(r.Name)
	if q.version == cpe.Any {
		r.Candidates = candidates(q, packs)
		return
	}
	w := workspaces.Get().(*workspace)
	defer workspaces.Put(w)
	hits := w.hits[:0]
	contributors := 0
	for _, product := range cpe.Aliases(r.Name.Product()) {
		if p := packs[product]; p != nil {
			before := len(hits)
			if hits = p.match(w, hits, q, host); len(hits) > before {
				contributors++
			}
		}
	}
	if contributors > 1 {
		hits = mergeHits(hits)
	}
	w.hits = hits
	r.Matches = matchSlice(len(hits))
	words := phrasebook{query: q, subject: q.name.String(), terse: terse}
	for i := range hits {
		r.Matches[i] = words.match(&hits[i], s)
	}
}

// workspace is memory that one subject's matching needs and the next one's can use again.
type workspace struct {
	hits, found []hit
	best        []int32 // per CVE of a pack: index into found + 1
}

var workspaces = sync.Pool{New: func() any { return new(workspace) }}

var spareMatches sync.Pool // of *[]Match

// matchSlice returns n Matches to be overwritten, from what Recycle gave back if that is large enough.
func matchSlice(n int) []Match {
	if spare, _ := spareMatches.Get().(*[]Match); spare != nil && cap(*spare) >= n {
		return (*spare)[:n]
	}
	return make([]Match, n)
}

// Recycle gives the result's memory back for later ones. The caller must not use it, or copies of its Matches slices,
// afterwards. Nobody has to call it.
func (r Result) Recycle() {
	for i := range r.Subjects {
		if matches := r.Subjects[i].Matches; cap(matches) > 0 {
			spareMatches.Put(&matches)
		}
	}
}

// mergeHits keeps the surest hit of each CVE over several packs, in the order of CVEs.
func mergeHits(hits []hit) []hit {
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(a.cve, b.cve) })
	merged := hits[:0]
	for _, h := range hits {
		if n := len(merged); n > 0 && merged[n-1].cve == h.cve {
			if h.surer(&merged[n-1]) {
				merged[n-1] = h
			}
			continue
		}
		merged = append(merged, h)
	}
	return merged
}

// candidates lists the CVEs of a product whose version is not known.
func candidates(q query, packs map[cpe.Product]*pack) []cve.ID {
	seen := map[cve.ID]bool{}
	var ids []cve.ID
	for _, product := range cpe.Aliases(q.name.Product()) {
		p := packs[product]
		if p == nil {
			continue
		}
		p.each(func(r rule) {
			if id := p.cves[r.cve]; !seen[id] && q.attributes(p.strings[r.attrs]).ok {
				seen[id] = true
				ids = append(ids, id)
			}
		})
	}
	slices.Sort(ids)
	return ids
}
