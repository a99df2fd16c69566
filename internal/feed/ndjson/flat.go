package ndjson

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/jsonstream"
	"github.com/patchscout/patchscout/internal/priority"
)

// Limits on one flat record.
const (
	maxProducts   = 1_000
	maxVersions   = 5_000  // of a product
	maxLeaves     = 15_000 // package match takes 20,000 from a record
	maxReferences = 5_000
	maxCWEs       = 200
	maxNames      = 1_000 // vendors, products, sources

	textProducts = 200
	textVersions = 50
	textBytes    = 300
)

// flat is one record of the flat shape, its members in any order.
type flat struct {
	*jsonstream.Decoder
	field string
	rec   cve.Record

	score             float64
	scored            bool
	vector, severity  string
	exploited         bool
	vendors, products []string
	count             int // of affected products
	leaves            []cve.CPEMatch
}

// flat reads a line of the flat shape.
func (in *reading) flat(place string, line []byte) error {
	f := &flat{Decoder: in.d}
	f.Reset(line)
	for f.Object(); f.More(); {
		f.field = string(f.Key())
		f.member()
	}
	if f.End(); f.Err() == nil {
		f.finish(in.Feed())
	}
	if err := f.Err(); err != nil {
		in.sink.Reject(jsonstream.RejectionAt(place, f.rec.ID.String(), f.field, err))
		return nil
	}
	return in.sink.CVE(&f.rec)
}

func (f *flat) member() {
	switch f.field {
	case "cve_id":
		id, err := cve.ParseID(f.Text())
		if err != nil {
			f.Reject("malformed CVE id")
		}
		f.rec.ID = id
	case "title":
		f.rec.Title = feed.Clean(f.Text())
	case "description":
		f.rec.Description = strings.TrimSpace(f.Text())
	case "published_at":
		f.rec.Published = f.time()
	case "modified_at":
		f.rec.Modified = f.time()
	case "cvss_score":
		f.score, f.scored = f.Float()
	case "cvss_vector":
		f.vector = strings.TrimSpace(f.Text())
	case "severity":
		f.severity = strings.ToLower(strings.TrimSpace(f.Text()))
	case "exploited_in_the_wild":
		f.exploited = f.Bool()
	case "cwe_ids":
		f.rec.CWEs = f.weaknesses()
	case "vendors":
		f.vendors = f.words(maxNames)
	case "products":
		f.products = f.words(maxNames)
	case "affected":
		for f.Array(); f.More(); {
			f.product()
		}
	case "references":
		f.references()
	case "sources":
		f.rec.Source = cut(strings.Join(f.words(maxNames), ", "))
	default:
		f.field = "" // whatever it says
		f.Skip()
	}
}

// time reads RFC 3339, also without a zone (then UTC), or a date alone. Null and "" are the zero time.
func (f *flat) time() time.Time {
	text := strings.TrimSpace(f.Text())
	if text == "" {
		return time.Time{}
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	f.Reject("malformed time")
	return time.Time{}
}

// words reads a list of strings; blank ones are left out, and each stands once.
func (f *flat) words(limit int) []string {
	var out []string
	for f.Array(); f.More(); {
		text := feed.Clean(f.Word())
		switch {
		case text == "" || slices.Contains(out, text):
		case len(out) >= limit:
			f.Reject("too many entries")
			return nil
		default:
			out = append(out, text)
		}
	}
	return out
}

func (f *flat) weaknesses() []string {
	ids := f.words(maxCWEs)
	for i, id := range ids {
		id = strings.ToUpper(id)
		digits, ok := strings.CutPrefix(id, "CWE-")
		if !ok || digits == "" || len(digits) > 6 || strings.Trim(digits, "0123456789") != "" {
			f.Reject("malformed CWE id")
			return nil
		}
		ids[i] = id
	}
	return ids
}

// references reads a list of URLs, or of {"url","tags"}.
func (f *flat) references() {
	for f.Array(); f.More(); {
		var ref cve.Reference
		if f.Kind() == jsonstream.String {
			ref.URL = feed.Clean(f.Text())
		} else {
			ref = f.reference()
		}
		known := slices.ContainsFunc(f.rec.References, func(r cve.Reference) bool { return r.URL == ref.URL })
		switch {
		case ref.URL == "" || known:
		case len(f.rec.References) >= maxReferences:
			f.Reject("too many references")
			return
		default:
			f.rec.References = append(f.rec.References, ref)
		}
	}
}

func (f *flat) reference() (ref cve.Reference) {
	for f.Object(); f.More(); {
		switch string(f.Key()) {
		case "url":
			ref.URL = feed.Clean(f.Text())
		case "tags":
			ref.Tags = f.words(maxNames)
		default:
			f.Skip()
		}
	}
	return ref
}

// finish makes of the members what depends on several of them.
func (f *flat) finish(source string) {
	f.field = "cve_id"
	if f.rec.ID == 0 {
		f.Reject("record without a CVE id")
		return
	}
	f.assessment(source)
	if f.exploited {
		f.rec.ExploitedBy = []string{source}
	}
	if len(f.rec.Affected) == 0 {
		f.named()
	}
	if len(f.leaves) > 0 {
		f.rec.Configurations = []cve.Node{{Matches: f.leaves}}
	}
}

// levels are the severities, also as some publishers call them. "" is one that is not known.
var levels = map[string]string{
	"": "", "unknown": "", "none": "info", "info": "info", "informational": "info", "low": "low", "medium": "medium",
	"moderate": "medium", "high": "high", "important": "high", "critical": "critical",
}

// tolerance is how far a score may lie from its vector's: 3.0 and 3.1 round differently, and scores have one decimal.
const tolerance = 0.1

// assessment checks score, vector and severity against each other.
func (f *flat) assessment(source string) {
	if f.field = "cvss_score"; f.scored && !(f.score >= 0 && f.score <= 10) {
		f.Reject("CVSS score outside 0 to 10")
		return
	}
	m := cve.Metric{Vector: f.vector, Score: f.score, Source: source, Provider: cve.ProviderOther}
	if f.vector != "" {
		f.field = "cvss_vector"
		version, score, ok := priority.BaseScore(f.vector)
		switch {
		case !ok:
			f.Reject("malformed CVSS vector")
			return
		case f.scored && math.Abs(score-f.score) > tolerance+1e-9:
			f.Reject("the CVSS vector contradicts the score")
			return
		case !f.scored:
			m.Score = score
		}
		m.Version = version
	}
	f.field = "severity"
	level, known := levels[f.severity]
	switch {
	case !known:
		f.Reject("severity is none of low, medium, high, critical")
	case f.scored || f.vector != "":
		f.rec.Metrics = []cve.Metric{m}
	case level != "":
		f.rec.Ratings = []cve.Rating{{Level: level, Source: source}}
	}
	if f.Err() == nil {
		f.field = ""
	}
}

// named makes products for people of the two lists of names: in pairs where both are as long, with the one vendor where
// there is one, each by itself otherwise.
func (f *flat) named() {
	paired := len(f.vendors) == len(f.products)
	for i, name := range f.products {
		a := cve.Affected{Product: cut(name)}
		switch {
		case paired:
			a.Vendor = cut(f.vendors[i])
		case len(f.vendors) == 1:
			a.Vendor = cut(f.vendors[0])
		}
		f.affected(a)
	}
	if len(f.products) == 0 || !paired && len(f.vendors) > 1 {
		for _, vendor := range f.vendors {
			f.affected(cve.Affected{Vendor: cut(vendor)})
		}
	}
}

func (f *flat) affected(a cve.Affected) {
	if len(f.rec.Affected) < textProducts {
		f.rec.Affected = append(f.rec.Affected, a)
	}
}

// cut shortens a text for people, at a character.
func cut(text string) string {
	if len(text) <= textBytes {
		return text
	}
	return strings.ToValidUTF8(text[:textBytes-len("…")], "") + "…"
}

// product reads one element of affected: {"cpe","versions"} or {"vendor","product","versions"}.
func (f *flat) product() {
	var name, vendor, product string
	var versions []span
	said := false
	for f.Object(); f.More(); {
		switch string(f.Key()) {
		case "cpe":
			name = strings.TrimSpace(f.Text())
		case "vendor":
			vendor = feed.Clean(f.Text())
		case "product":
			product = feed.Clean(f.Text())
		case "versions":
			said = f.Kind() != jsonstream.Null
			versions = f.versions()
		default:
			f.Skip()
		}
	}
	switch {
	case f.Err() != nil:
	case name != "":
		f.byCPE(name, versions, said)
	case vendor == "" && product == "":
		f.Reject("affected product without cpe, vendor and product")
	default:
		f.byNames(vendor, product, versions)
	}
}

func (f *flat) byCPE(text string, versions []span, said bool) {
	name, err := cpe.Parse(text)
	if err != nil || cpe.HasWildcard(name.Get(cpe.Vendor)) || cpe.HasWildcard(name.Get(cpe.ProductName)) {
		f.Reject("affected cpe names no vendor and product")
		return
	}
	a := cve.Affected{Vendor: cut(name.Text(cpe.Vendor)), Product: cut(name.Text(cpe.ProductName))}
	if !said {
		if v := name.Text(cpe.Version); v != "" {
			a.Versions = []string{cut(strings.TrimSpace(v + " " + name.Text(cpe.Update)))}
		}
		f.leaf(cve.CPEMatch{Vulnerable: true, Criteria: text})
	}
	f.rules(a, name, versions, false)
}

func (f *flat) byNames(vendor, product string, versions []span) {
	name := cpe.New('a', vendor, product, "", "")
	if _, err := cpe.Parse(name.String()); err != nil || vendor == "" || product == "" {
		name = cpe.Name{} // for people only
	}
	f.rules(cve.Affected{Vendor: cut(vendor), Product: cut(product)}, name, versions, true)
}

func (f *flat) rules(a cve.Affected, name cpe.Name, versions []span, derived bool) {
	for _, s := range versions {
		if len(a.Versions) < textVersions {
			a.Versions = append(a.Versions, cut(s.String()))
		}
		if name.Part != 0 && !s.prose() {
			f.leaf(s.match(name, derived))
		}
	}
	f.affected(a)
	if f.count++; f.count > maxProducts || len(f.leaves) > maxLeaves {
		f.Reject("too many affected products or versions")
	}
}

func (f *flat) leaf(m cve.CPEMatch) { f.leaves = append(f.leaves, m) }
