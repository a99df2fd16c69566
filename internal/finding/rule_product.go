package finding

import (
	"net/url"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/fault"
)

// wantedProduct is software as a rule or a VEX document names it: a CPE, a purl, or a name with or without a version.
type wantedProduct struct {
	cpe       cpe.Name // Part is 0 for the others
	kind      string   // a purl's type: "deb"
	namespace string
	name      string // lower case
	version   string // "" is every version
	plain     string // of a purl: its package as components name it, see PackageOf
}

// software is what a finding is about, one thing under one name.
type software struct {
	cpe       cpe.Name
	kind      string
	namespace string
	name      string
	version   string
}

// maxProduct is the longest name of a product that is read.
const maxProduct = 1 << 10

// parseProduct reads "pkg:deb/debian/openssl@1.1.1", "cpe:2.3:a:…", "cpe:/a:…", "openssl@1.1.1k", "openbsd:openssh" or
// "openssh".
func parseProduct(text string) (wantedProduct, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "" || len(text) > maxProduct:
		return wantedProduct{}, fault.Invalid("product %.40q: want a purl, a CPE or a name", text)
	case strings.HasPrefix(text, "cpe:"):
		name, err := cpe.Parse(text)
		return wantedProduct{cpe: name}, err
	case strings.HasPrefix(text, "pkg:"):
		s, ok := parsePURL(text)
		if !ok {
			return wantedProduct{}, fault.Invalid("product %q: not a purl", text)
		}
		plain, version, _ := PackageOf(text)
		return wantedProduct{kind: s.kind, namespace: s.namespace, name: s.name, version: version, plain: plain}, nil
	}
	s := parseName(text)
	if vendor, name, found := strings.Cut(s.name, ":"); found && vendor != "" && name != "" && !strings.ContainsAny(text, "/ ") {
		return wantedProduct{cpe: cpe.New('a', vendor, name, s.version, ""), name: s.name, version: s.version}, nil
	}
	return wantedProduct{name: s.name, version: s.version}, nil
}

// versioned says whether the product is named with its version.
func (p wantedProduct) versioned() bool {
	if p.cpe.Part != 0 {
		return p.cpe.Get(cpe.Version) != cpe.Any
	}
	return p.version != ""
}

// is says whether s is the product: 0 it is not, 1 it is, 2 it is in the very version that the product names. A product
// with a version is not software of which the version is not known.
func (p wantedProduct) is(s software) int {
	switch {
	case p.cpe.Part != 0 && s.cpe.Part != 0:
		return sameCPE(p.cpe, s.cpe)
	case p.cpe.Part != 0 && p.name == "" || s.cpe.Part != 0 && p.kind != "":
		return 0
	}
	if p.kind != "" && s.kind == "" {
		return p.isPlain(s)
	}
	name := s.name
	if s.cpe.Part != 0 {
		name = s.cpe.Text(cpe.ProductName)
	}
	if p.name == "" || !strings.EqualFold(p.name, name) || p.kind != "" && p.kind != s.kind ||
		p.namespace != "" && s.namespace != "" && !strings.EqualFold(p.namespace, s.namespace) {
		return 0
	}
	return p.inVersion(s)
}

// isPlain compares a purl with a component that is named without its type, as findings do: only with the very version, since
// packages of different types share names.
func (p wantedProduct) isPlain(s software) int {
	if p.plain == "" || p.version == "" || !strings.EqualFold(p.plain, s.name) || !strings.EqualFold(p.version, s.version) {
		return 0
	}
	return 2
}

func (p wantedProduct) inVersion(s software) int {
	version := s.version
	if s.cpe.Part != 0 {
		version = s.cpe.Text(cpe.Version) + s.cpe.Text(cpe.Update) // "7.2" and "p2" is what people write as 7.2p2
	}
	switch {
	case p.version == "":
		return 1
	case version != "" && strings.EqualFold(p.version, version):
		return 2
	}
	return 0
}

// sameCPE compares the product by alias, and every other attribute that the rule names.
func sameCPE(rule, seen cpe.Name) int {
	if !cpe.Same(rule.Product(), seen.Product()) && rule.Product() != seen.Product() {
		return 0
	}
	for _, a := range []cpe.Attribute{cpe.Version, cpe.Update, cpe.Edition, cpe.SWEdition, cpe.TargetSW, cpe.TargetHW} {
		want, got := rule.Get(a), seen.Get(a)
		if want == cpe.Any || want == got || a == cpe.Update && want == cpe.NA && got == cpe.Any {
			continue
		}
		if !cpe.HasWildcard(want) || !asset.Like(want, got) {
			return 0
		}
	}
	if rule.Get(cpe.Version) == cpe.Any {
		return 1
	}
	return 2
}

// softwareOf lists what a finding is about, under every name that is known: its component, else what answers at its port,
// else the host's system.
func softwareOf(f *Finding, h HostFacts) []software {
	if f.Component != "" {
		return componentOf(f)
	}
	if f.Port == 0 {
		if h.Host == nil {
			return nil
		}
		return withCPEs(nil, h.Host.CPEs)
	}
	for _, s := range h.Services {
		if s.HostID == f.HostID && s.Protocol == f.Protocol && s.Port == f.Port {
			var out []software
			if s.Product != "" {
				out = append(out, software{kind: "service", name: strings.ToLower(s.Product), version: s.Version})
			}
			return withCPEs(out, s.CPEs)
		}
	}
	return nil
}

func withCPEs(out []software, cpes []string) []software {
	for _, text := range cpes {
		if name, err := cpe.Parse(text); err == nil {
			out = append(out, software{cpe: name})
		}
	}
	return out
}

func componentOf(f *Finding) []software {
	if strings.HasPrefix(f.Component, "cpe:") {
		return withCPEs(nil, []string{f.Component})
	}
	if s, ok := parsePURL(f.Component); ok {
		_, s.version, _ = PackageOf(f.Component)
		return []software{s}
	}
	return []software{parseName(f.Component)}
}

// parseName reads "openssl@1.1.1k" or "openssl 1.1.1k" (what follows must begin as a version does) or a bare name; an npm
// scope ("@angular/core") is a part of the name.
func parseName(text string) software {
	text = strings.TrimSpace(text)
	name, version := text, ""
	if i := strings.LastIndexByte(text, '@'); i > 0 {
		name, version = text[:i], text[i+1:]
	} else if i := strings.LastIndexByte(text, ' '); i > 0 && i+1 < len(text) && text[i+1] >= '0' && text[i+1] <= '9' {
		name, version = text[:i], text[i+1:]
	}
	return software{name: strings.ToLower(strings.TrimSpace(name)), version: strings.TrimSpace(version)}
}

// parsePURL reads a package URL (purl-spec): pkg:type/namespace/name@version?qualifiers#subpath.
func parsePURL(text string) (s software, ok bool) {
	rest, ok := strings.CutPrefix(text, "pkg:")
	if !ok || len(text) > maxProduct {
		return s, false
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, _, _ = strings.Cut(rest, "?")
	rest = strings.Trim(rest, "/")
	if i := strings.LastIndexByte(rest, '@'); i > strings.LastIndexByte(rest, '/') && i > 0 {
		s.version = decode(rest[i+1:])
		rest = rest[:i]
	}
	parts := strings.Split(rest, "/")
	if len(parts) < 2 || slices.Contains(parts, "") {
		return s, false
	}
	s.kind, s.name = strings.ToLower(parts[0]), strings.ToLower(decode(parts[len(parts)-1]))
	s.namespace = strings.ToLower(decode(strings.Join(parts[1:len(parts)-1], "/")))
	if s.kind == "pypi" {
		s.name = strings.ReplaceAll(s.name, "_", "-") // purl-spec, type pypi
	}
	return s, true
}

// decode undoes percent-encoding; what is not encoded properly stays as it is.
func decode(s string) string {
	if d, err := url.PathUnescape(s); err == nil {
		return d
	}
	return s
}

// withinImage says whether the host is one of the products: a container image that a report names by its repository, with
// the tag or the digest that the product names.
func withinImage(products []string, h HostFacts) bool {
	return h.Host != nil && slices.ContainsFunc(h.Host.Names(), func(host string) bool {
		return slices.ContainsFunc(products, func(p string) bool { return isImage(p, host) })
	})
}

func isImage(product, host string) bool {
	if strings.EqualFold(product, host) {
		return true
	}
	path, digest, _ := strings.Cut(host, "@")
	tag := ""
	if i := strings.LastIndexByte(path, ':'); i > strings.LastIndexByte(path, '/') {
		path, tag = path[:i], path[i+1:]
	}
	name := path[strings.LastIndexByte(path, '/')+1:]
	want := parseName(product)
	qualified := ""
	if s, ok := parsePURL(product); ok {
		want, qualified = s, qualifier(product, "tag")
	}
	if want.name == "" || !strings.EqualFold(want.name, name) && !strings.EqualFold(want.name, path) {
		return false
	}
	is := func(version string) bool {
		return version != "" && (strings.EqualFold(version, digest) || strings.EqualFold(version, tag))
	}
	return want.version == "" && qualified == "" || is(want.version) || is(qualified)
}

// qualifier is one qualifier of a purl, decoded.
func qualifier(purl, name string) string {
	rest, _, _ := strings.Cut(purl, "#")
	_, query, _ := strings.Cut(rest, "?")
	for q := range strings.SplitSeq(query, "&") {
		if value, ok := strings.CutPrefix(q, name+"="); ok {
			return decode(value)
		}
	}
	return ""
}
