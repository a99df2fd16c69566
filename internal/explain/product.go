package explain

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/version"
)

// product is what a CVE is about.
type product struct {
	name  phrase // as people write it; empty text: not known
	many  bool   // the name speaks of several
	part  byte   // a, o, h of the configurations; 0: not known
	count int    // different products of the configurations
	fix   fix
}

// fix is what the configurations say of versions.
type fix struct {
	versions []string // first versions without the flaw, ascending; only where nothing affected lies behind the last
	each     bool     // several products, each with versions of its own
	last     string   // the newest version that is named as affected
	exact    string   // the only version that is affected
}

// findProduct looks where the best name is: in KEV, where CISA writes for people; in the configurations, which also
// tell versions; then in what the assigner wrote.
func (w *writer) findProduct() product {
	p := w.configured()
	if name, ok := w.kevName(); ok {
		p.name, p.many = name, plural(name.text)
		return p
	}
	if p.name.text == "" {
		p.name, p.many, p.count = w.assigned()
	}
	return p
}

func (w *writer) kevName() (phrase, bool) {
	k := w.in.Facts.KEV
	if k == nil {
		return phrase{}, false
	}
	maker, name := cut(clean(k.Vendor), maxName), cut(clean(k.Product), maxName)
	if name == "" || strings.Contains(strings.ToLower(name), "multiple") {
		return phrase{}, false
	}
	return known(joinName(maker, name), FieldKEVProduct), true
}

// joinName puts maker and name together without saying the same twice.
func joinName(maker, name string) string {
	lowMaker, lowName := strings.ToLower(maker), strings.ToLower(name)
	if maker == "" || strings.HasPrefix(lowName, lowMaker) || strings.HasPrefix(lowMaker, lowName) {
		return name
	}
	return maker + " " + name
}

func plural(name string) bool {
	return strings.Contains(name, " and ") || strings.Contains(name, ", ") || strings.HasSuffix(strings.ToLower(name), " products")
}

// assigned is the product in the assigner's own words.
func (w *writer) assigned() (name phrase, many bool, count int) {
	seen := map[string]bool{}
	first := ""
	for _, a := range w.record.Affected[:min(len(w.record.Affected), maxLeaves)] {
		maker, product := named(a.Vendor), named(a.Product)
		if product == "" {
			continue
		}
		joined := joinName(maker, product)
		if first == "" {
			first = joined
		}
		seen[joined] = true
	}
	if first == "" {
		return phrase{}, false, 0
	}
	name = known(first, FieldAffected)
	return w.andOthers(name, len(seen), FieldAffected), len(seen) > 1, len(seen)
}

// named drops what assigners write where they have nothing to say.
func named(text string) string {
	text = cut(clean(text), maxName)
	switch strings.ToLower(text) {
	case "n/a", "na", "unknown", "unspecified", "-", "*", "none":
		return ""
	}
	return text
}

func (w *writer) andOthers(name phrase, count int, field string) phrase {
	switch {
	case count <= 1:
		return name
	case count == 2:
		return w.text("product.more1", with("product", name)).on(field)
	default:
		return w.text("product.more", with("product", name), with("n", number(count-1, field)))
	}
}

// maxLeaves bounds how many criteria are looked at; the records that name the most devices have about 10,000.
const maxLeaves = 20_000

// leaf is a vulnerable criterion, taken apart.
type leaf struct {
	key   string // vendor:product
	part  byte
	exact string
	match *cve.CPEMatch
}

func leaves(nodes []cve.Node, out []leaf) []leaf {
	for i := range nodes {
		out = leaves(nodes[i].Children, out)
		for j := range nodes[i].Matches {
			m := &nodes[i].Matches[j]
			if !m.Vulnerable || nodes[i].Negate || len(out) >= maxLeaves {
				continue
			}
			if l, ok := newLeaf(m); ok {
				out = append(out, l)
			}
		}
	}
	return out
}

// newLeaf takes a CPE 2.3 name apart at the colons that are not escaped.
func newLeaf(m *cve.CPEMatch) (leaf, bool) {
	const part, vendor, name, ver, update = 2, 3, 4, 5, 6
	var f [update + 1]string
	n, start := 0, 0
	s := m.Criteria
	for i := 0; i < len(s) && n < len(f); i++ {
		switch s[i] {
		case '\\':
			i++
		case ':':
			f[n] = s[start:i]
			n++
			start = i + 1
		}
	}
	if n <= name || len(f[part]) != 1 || plain(f[name]) == "" {
		return leaf{}, false
	}
	l := leaf{key: f[vendor] + ":" + f[name], part: f[part][0], match: m}
	if v := f[ver]; v != "" && v != "*" && v != "-" {
		l.exact = plain(v)
		if u := f[update]; u != "" && u != "*" && u != "-" {
			l.exact += " " + plain(u)
		}
	}
	return l, true
}

// plain undoes what a CPE name does to text.
func plain(v string) string {
	return cut(clean(strings.ReplaceAll(strings.ReplaceAll(v, `\`, ""), "_", " ")), maxName)
}

// configured finds the product that the configurations are about.
func (w *writer) configured() product {
	all := leaves(w.record.Configurations, nil)
	if len(all) == 0 {
		return product{}
	}
	keys, parts := distinct(all)
	main := w.mainKey(keys)
	p := product{part: parts[main], count: len(keys)}
	name := known(w.display(main), FieldConfigurations)
	if family, ok := w.family(keys); ok {
		p.name = w.text("product.family", with("n", number(len(keys), FieldConfigurations)), with("product", family))
		p.many = true
		p.fix = fix{each: fixedEach(all)}
		return p
	}
	p.fix = fixOf(all, main)
	if p.fix.exact != "" && len(keys) == 1 {
		name = w.text("product.version", with("product", name), with("version", known(p.fix.exact, FieldConfigurations)))
	}
	p.name, p.many = w.andOthers(name, len(keys), FieldConfigurations), len(keys) > 1
	return p
}

func distinct(all []leaf) (keys []string, parts map[string]byte) {
	parts = map[string]byte{}
	for _, l := range all {
		if _, ok := parts[l.key]; !ok {
			keys = append(keys, l.key)
			parts[l.key] = l.part
		}
	}
	return keys, parts
}

// mainKey is the product that the description speaks of first, else the first of the configurations: distributions that
// ship a library are listed beside it in no order.
func (w *writer) mainKey(keys []string) string {
	text := strings.ToLower(clean(w.record.Description))
	best, at, length := keys[0], len(text), 0
	for _, key := range keys[:min(len(keys), 200)] {
		_, name, _ := strings.Cut(key, ":")
		name = strings.ToLower(plain(name))
		found := strings.Index(text, name)
		if found >= 0 && len(name) > 2 && (found < at || found == at && len(name) > length) {
			best, at, length = key, found, len(name)
		}
	}
	return best
}

func (w *writer) display(key string) string {
	if w.in.Name != nil {
		return cut(clean(w.in.Name(key)), maxName)
	}
	maker, name, _ := strings.Cut(key, ":")
	return joinName(capitals(plain(strings.TrimSuffix(maker, "_project"))), capitals(plain(name)))
}

func capitals(text string) string {
	words := strings.Fields(text)
	for i, word := range words {
		if r, size := utf8.DecodeRuneInString(word); unicode.IsLower(r) {
			words[i] = string(unicode.ToUpper(r)) + word[size:]
		}
	}
	return strings.Join(words, " ")
}

// family finds what the names of three products or more begin with: "Microsoft Windows", "Cisco".
func (w *writer) family(keys []string) (phrase, bool) {
	if len(keys) < 3 {
		return phrase{}, false
	}
	maker, _, _ := strings.Cut(keys[0], ":")
	var common []string
	for i, key := range keys {
		if m, _, _ := strings.Cut(key, ":"); m != maker {
			return phrase{}, false
		}
		words := strings.Fields(w.display(key))
		if i == 0 {
			common = words
		}
		n := 0
		for n < min(len(common), len(words)) && common[n] == words[n] {
			n++
		}
		common = common[:n]
	}
	name := strings.Trim(strings.Join(common, " "), " -/")
	if name == "" {
		if name = capitals(plain(maker)); name == "" {
			return phrase{}, false
		}
	}
	return known(name, FieldConfigurations), true
}

// fixOf reads the first versions without the flaw of one product. They count only when no affected version lies behind
// the last of them: then there is nothing to update to that is known to be good.
func fixOf(all []leaf, key string) fix {
	var f fix
	open, rules := false, 0
	for _, l := range all {
		if l.key != key {
			continue
		}
		rules++
		switch m := l.match; {
		case m.EndExcluding != "":
			f.versions = addVersion(f.versions, versionText(m.EndExcluding))
		case m.EndIncluding != "":
			f.last = newer(f.last, versionText(m.EndIncluding))
		case l.exact != "":
			f.last = newer(f.last, l.exact)
			f.exact = l.exact
		default:
			open = true
		}
	}
	if rules > 1 || f.last != f.exact {
		f.exact = ""
	}
	if n := len(f.versions); n > 0 && (open || f.last != "" && version.Compare(f.last, f.versions[n-1]) >= 0) {
		f.versions = nil
	}
	return f
}

func versionText(v string) string { return cut(clean(strings.ReplaceAll(v, `\`, "")), maxName) }

func newer(a, b string) string {
	if a == "" || version.Compare(a, b) < 0 {
		return b
	}
	return a
}

// addVersion keeps versions ascending and each once.
func addVersion(versions []string, v string) []string {
	if v == "" {
		return versions
	}
	for i, have := range versions {
		switch c := version.Compare(v, have); {
		case c == 0:
			return versions
		case c < 0:
			return append(versions[:i:i], append([]string{v}, versions[i:]...)...)
		}
	}
	return append(versions, v)
}

// fixedEach says that every product of a family has a first version without the flaw.
func fixedEach(all []leaf) bool {
	by := map[string][]leaf{}
	for _, l := range all {
		by[l.key] = append(by[l.key], l)
	}
	for key, own := range by {
		if len(fixOf(own, key).versions) == 0 {
			return false
		}
	}
	return true
}
