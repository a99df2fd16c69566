package cvelist

import (
	"strings"
	"unicode/utf8"

	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/feed"
)

// Limits on what one container says of products. What is more than a person reads is cut; of rules a part would be
// worse than none, so that beyond their limit there are none.
const (
	maxProducts = 5_000
	maxVersions = 50_000 // of all products
	maxCPEs     = 5_000  // of all products
	maxLeaves   = 15_000 // package match takes 20,000 from a record

	textProducts = 200
	textVersions = 50
	textBytes    = 300
)

// product is one element of affected.
type product struct {
	vendor, name  string
	pack          string // packageName
	cpes          []string
	defaultStatus status
	versions      []entry
}

// entry is one element of versions. Its texts are as published.
type entry struct {
	version, below, upTo string // below is lessThan, upTo lessThanOrEqual
	kind                 string // versionType
	status               status
	changes              []change
}

// change says that from a version on the status is another.
type change struct {
	at     string
	status status
}

// status of a version; the zero value is unknown, which is also the schema's default.
type status uint8

const (
	unknown status = iota
	affected
	unaffected
)

func (p *parser) status() status {
	switch strings.ToLower(p.d.Word()) {
	case "affected":
		return affected
	case "unaffected":
		return unaffected
	}
	return unknown
}

// affected reads the list of products.
func (p *parser) affected(c *container) {
	d := p.d
	versions, cpes := 0, 0
	for d.Array(); d.More(); {
		one := p.product()
		versions, cpes = versions+len(one.versions), cpes+len(one.cpes)
		if len(c.affected) >= maxProducts || versions > maxVersions || cpes > maxCPEs {
			d.Reject("too many affected products, versions or CPE names")
			return
		}
		c.affected = append(c.affected, one)
	}
}

func (p *parser) product() (one product) {
	d := p.d
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "vendor":
			one.vendor = feed.Clean(d.Word())
		case "product":
			one.name = feed.Clean(d.Word())
		case "packageName":
			one.pack = feed.Clean(d.Word())
		case "cpes":
			for d.Array(); d.More() && len(one.cpes) <= maxCPEs; {
				one.cpes = append(one.cpes, d.Word())
			}
		case "defaultStatus":
			one.defaultStatus = p.status()
		case "versions":
			for d.Array(); d.More() && len(one.versions) <= maxVersions; {
				one.versions = append(one.versions, p.entry())
			}
		default:
			d.Skip()
		}
	}
	return one
}

func (p *parser) entry() (e entry) {
	d := p.d
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "version":
			e.version = feed.Clean(d.Word())
		case "lessThan":
			e.below = feed.Clean(d.Word())
		case "lessThanOrEqual":
			e.upTo = feed.Clean(d.Word())
		case "versionType":
			e.kind = strings.ToLower(d.Word())
		case "status":
			e.status = p.status()
		case "changes":
			for d.Array(); d.More() && len(e.changes) <= maxVersions; {
				e.changes = append(e.changes, p.change())
			}
		default:
			d.Skip()
		}
	}
	return e
}

func (p *parser) change() (c change) {
	d := p.d
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "at":
			c.at = feed.Clean(d.Word())
		case "status":
			c.status = p.status()
		default:
			d.Skip()
		}
	}
	return c
}

// products gives what the container says of products as text for people and as rules. Rules that it publishes itself
// (cpeApplicability) stand in place of those made from affected.
func (c *container) products() (texts []cve.Affected, rules []cve.Node) {
	var leaves []cve.CPEMatch
	for i := range c.affected {
		one := &c.affected[i]
		if len(texts) < textProducts {
			if text, ok := one.text(); ok {
				texts = append(texts, text)
			}
		}
		if len(c.applies) == 0 && len(leaves) <= maxLeaves {
			leaves = one.leaves(leaves)
		}
	}
	switch {
	case len(c.applies) > 0:
		rules = c.applies
	case len(leaves) > 0 && len(leaves) <= maxLeaves:
		rules = []cve.Node{{Matches: leaves}}
	}
	return texts, rules
}

// text writes the product for people; ok is false for one without any name.
func (p *product) text() (a cve.Affected, ok bool) {
	a = cve.Affected{Vendor: cut(said(p.vendor)), Product: cut(firstOf(said(p.name), said(p.pack)))}
	if a.Vendor == "" && a.Product == "" {
		return a, false
	}
	if p.defaultStatus == affected && !p.any(affected) {
		a.Versions = append(a.Versions, "all versions")
	}
	for i := range p.versions {
		if text := p.versions[i].text(p.defaultStatus); text != "" && len(a.Versions) < textVersions {
			a.Versions = append(a.Versions, cut(text))
		}
	}
	return a, true
}

func (p *product) any(s status) bool {
	for i := range p.versions {
		if p.versions[i].status == s {
			return true
		}
	}
	return false
}

// text writes the versions of one entry: "5.0 before 5.4", "before 2.3", "not affected: 5.10.100 up to 5.10.*". What is
// not affected is of interest only where all else is.
func (e *entry) text(otherwise status) string {
	if e.status == unknown || e.status == unaffected && otherwise != affected {
		return ""
	}
	text := e.span()
	if e.kind == "git" && text != "" {
		text = "git " + text
	}
	for _, c := range e.changes {
		switch c.status {
		case affected:
			text += ", affected from " + c.at
		case unaffected:
			text += ", not affected from " + c.at
		}
	}
	if e.status == unaffected {
		text = "not affected: " + text
	}
	return text
}

func (e *entry) span() string {
	from := ""
	if !openStart(e.version) {
		from = e.version
	}
	switch {
	case openEnd(e.below) || openEnd(e.upTo):
		if from == "" {
			return "all versions"
		}
		return from + " and later"
	case e.below != "":
		return strings.TrimSpace(from + " before " + e.below)
	case e.upTo != "":
		return strings.TrimSpace(from + " up to " + e.upTo)
	case e.version == "*":
		return "all versions"
	default:
		return said(e.version)
	}
}

// said is the text, "" where it is one of the ways in which assigners say nothing.
func said(text string) string {
	switch strings.ToLower(text) {
	case "n/a", "na", "-", "none", "unspecified", "unknown", "not applicable", "not available":
		return ""
	}
	return text
}

// cut shortens a text for people, at a character.
func cut(text string) string {
	if len(text) <= textBytes {
		return text
	}
	text = text[:textBytes-len("…")]
	for !utf8.ValidString(text) {
		text = text[:len(text)-1]
	}
	return text + "…"
}

// leaves appends the product's rules. There are none where the versions are not those of the product, or not ones that
// can be compared.
func (p *product) leaves(out []cve.CPEMatch) []cve.CPEMatch {
	if p.distributed() {
		return out
	}
	names, derived := p.names()
	if len(names) == 0 {
		return out
	}
	if len(p.versions) == 0 && p.defaultStatus == affected && !derived {
		for _, criteria := range p.cpes { // the names themselves say which versions
			if _, ok := published(criteria); ok {
				out = append(out, cve.CPEMatch{Vulnerable: true, Criteria: criteria})
			}
		}
		return out
	}
	exact := p.exact()
	for _, s := range p.spans() {
		if s.single() && len(exact[s.from.text]) > 0 {
			out = append(out, exact[s.from.text]...)
			continue
		}
		for _, name := range names {
			if len(out) > maxLeaves {
				return out
			}
			out = append(out, s.match(name, derived))
		}
	}
	return out
}

// exact are the published names of single versions, by version: they also know the update ("2020.2:hotfix1").
func (p *product) exact() map[string][]cve.CPEMatch {
	var exact map[string][]cve.CPEMatch
	for _, criteria := range p.cpes {
		name, ok := published(criteria)
		if v := name.Text(cpe.Version); ok && v != "" {
			if exact == nil {
				exact = map[string][]cve.CPEMatch{}
			}
			exact[v] = append(exact[v], cve.CPEMatch{Vulnerable: true, Criteria: criteria})
		}
	}
	return exact
}

// names are the CPE names of the product, without versions: those it has, else one made of its vendor's and its own.
func (p *product) names() (names []cpe.Name, derived bool) {
	seen := map[cpe.Name]bool{}
	for _, text := range p.cpes {
		if name, ok := published(text); ok {
			if name = name.With(cpe.Version, cpe.Any).With(cpe.Update, cpe.Any); !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	if len(names) > 0 {
		return names, false
	}
	if name, ok := derive(p.vendor, firstOf(said(p.name), p.pack)); ok {
		return []cpe.Name{name}, true
	}
	return nil, false
}

// published reads a CPE name that names a vendor and a product.
func published(text string) (cpe.Name, bool) {
	name, err := cpe.Parse(text)
	if err != nil {
		return name, false
	}
	for _, a := range []cpe.Attribute{cpe.Vendor, cpe.ProductName} {
		if v := name.Get(a); v == cpe.NA || cpe.HasWildcard(v) || said(name.Text(a)) == "" {
			return name, false
		}
	}
	return name, true
}

// packageKinds are the version types of distributions' packages: their order is another, and a fix has a version that
// the software never had.
var packageKinds = map[string]bool{"rpm": true, "deb": true, "dpkg": true, "debian": true, "apk": true, "alpm": true}

// distributed says that the entry speaks of a package within a distribution: its versions are the package's, while its
// product and CPE names are the distribution's.
//
//	{"vendor":"Red Hat","product":"Red Hat Enterprise Linux 9","packageName":"httpd","cpes":["cpe:/a:redhat:enterprise_linux:9"]}
func (p *product) distributed() bool {
	for i := range p.versions {
		if packageKinds[p.versions[i].kind] {
			return true
		}
	}
	return p.pack != "" && p.name != "" && !shareWord(p.name, p.pack)
}

// shareWord says whether two names have a word in common: "Apache Log4j2" and "org.apache.logging.log4j:log4j-core".
func shareWord(a, b string) bool {
	split := func(s string) []string {
		return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
			return r < utf8.RuneSelf && (r < 'a' || r > 'z') && (r < '0' || r > '9')
		})
	}
	words := split(b)
	for _, x := range split(a) {
		for _, y := range words {
			if x == y {
				return true
			}
		}
	}
	return false
}
