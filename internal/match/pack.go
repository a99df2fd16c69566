package match

import (
	"bytes"
	"encoding/binary"
	"sort"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/s2"

	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/version"
)

// FormatVersion names the pack format. It is part of the table name in the databases, so that a binary with another
// format never reads these. It must change with anything below and with the order of package version.
//
// A pack holds all vulnerable leaves of one product:
//
//	format byte, compression byte (0 none, 1 S2 block), then the body:
//	CVE ids (count, first, differences)
//	strings (update values, attributes, version patterns), residual conditions, edges of ranges: each count, texts
//	exact versions in order: count, then text, size of the rules in bytes, rules
//	range rules, other rules: count, rules
const FormatVersion = 1

// compressAbove is the size from which compressing a pack pays.
const compressAbove = 256

// maxPack bounds what a damaged index can make us allocate; Linux, the largest product, needs about 4 MB.
const maxPack = 256 << 20

// Pack is the packed form of one product's rules.
type Pack struct {
	Bytes []byte
	CVEs  int // distinct CVEs in it
}

// Rule kinds; the last three are the list "others".
const (
	kindExact   = iota
	kindRange   // start, end or both
	kindEvery   // every version, no range
	kindNA      // version NA
	kindPattern // version with wildcards
)

// Flags of an encoded rule.
const (
	flagUpdate    = 1
	flagAttrs     = 2
	flagResidual  = 4
	flagStart     = 8
	flagEnd       = 16
	flagStartExcl = 32
	flagEndExcl   = 64
	flagDerived   = 128 // the product's name was made from its assigner's words
)

// rule is a decoded leaf; the numbers index the tables of its pack.
type rule struct {
	cve      uint32
	update   uint32 // strings, 0 = ANY
	attrs    uint32 // strings, 0 = all ANY
	residual uint32 // residuals, 0 = none
	a, b     uint32 // exact: a = version; range: edges + 1, 0 = open; pattern: a = strings
	flags    uint8
	kind     uint8
}

// edge is the end of a range with its keys.
type edge struct {
	text      string
	base      []byte // key without the update
	full      []byte
	hasUpdate bool
}

func newEdge(text string) *edge {
	base, update := version.Split(text)
	return &edge{text: text, base: version.Key(base), full: version.JoinKey(base, update), hasUpdate: update != ""}
}

// pack is the decoded form. Immutable but for parsed, which is filled on first use.
type pack struct {
	product   cpe.Product
	cves      []cve.ID
	strings   []string // [0] = ""
	residuals []string // [0] = ""
	parsed    []atomic.Pointer[expr]
	edges     []edge
	versions  []exactVersion // in the order of their base keys
	ranges    []rule
	others    []rule
	size      int // bytes, roughly
}

// exactVersion is a version that rules name. The rules stay encoded: of thousands of versions one is asked for.
type exactVersion struct {
	text  string // plain
	rules string
}

// table numbers strings in the order of their first use, from 1 (0 is "").
type table struct {
	index map[string]uint32
	list  []string
}

func (t *table) add(s string) uint32 {
	if s == "" {
		return 0
	}
	if i, ok := t.index[s]; ok {
		return i
	}
	if t.index == nil {
		t.index = map[string]uint32{}
	}
	t.list = append(t.list, s)
	t.index[s] = uint32(len(t.list))
	return uint32(len(t.list))
}

func (t *table) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(t.list)))
	for _, s := range t.list {
		b = appendString(b, s)
	}
	return b
}

// encodePack packs leaves; equal leaves become one. The result depends on the set of leaves alone, not on their order.
func encodePack(leaves []leaf) Pack {
	sort.Slice(leaves, func(i, j int) bool { return lessLeaf(&leaves[i], &leaves[j]) })
	var cves []cve.ID
	var texts, residuals, edges table
	exact := map[string][]byte{}
	var ranges, others []byte
	nRanges, nOthers := 0, 0
	for i := range leaves {
		l := &leaves[i]
		if i > 0 && *l == leaves[i-1] {
			continue
		}
		if len(cves) == 0 || cves[len(cves)-1] != l.cve {
			cves = append(cves, l.cve)
		}
		r := rule{cve: uint32(len(cves) - 1), update: texts.add(l.update), attrs: texts.add(l.attrs), residual: residuals.add(l.residual)}
		if l.derived {
			r.flags = flagDerived
		}
		switch {
		case !l.bounds.empty():
			r.a, r.b = edges.add(l.bounds.start), edges.add(l.bounds.end)
			r.flags |= boundFlags(l.bounds)
			ranges = appendRule(ranges, r)
			nRanges++
		case l.version == "" || l.version == cpe.NA || cpe.HasWildcard(l.version):
			kind := byte(kindEvery)
			switch {
			case l.version == cpe.NA:
				kind = kindNA
			case l.version != "":
				kind = kindPattern
				r.a = texts.add(l.version)
			}
			others = appendRule(append(others, kind), r)
			if kind == kindPattern {
				others = binary.AppendUvarint(others, uint64(r.a))
			}
			nOthers++
		default:
			text := cpe.Unquote(l.version)
			exact[text] = appendRule(exact[text], r)
		}
	}
	body := appendIDs(nil, cves)
	body = texts.append(body)
	body = residuals.append(body)
	body = edges.append(body)
	body = appendExact(body, exact)
	body = append(binary.AppendUvarint(body, uint64(nRanges)), ranges...)
	body = append(binary.AppendUvarint(body, uint64(nOthers)), others...)
	return Pack{Bytes: compress(body), CVEs: len(cves)}
}

func lessLeaf(a, b *leaf) bool {
	switch {
	case a.cve != b.cve:
		return a.cve < b.cve
	case a.version != b.version:
		return a.version < b.version
	case a.update != b.update:
		return a.update < b.update
	case a.bounds != b.bounds:
		return a.bounds.less(b.bounds)
	case a.attrs != b.attrs:
		return a.attrs < b.attrs
	case a.derived != b.derived:
		return b.derived
	}
	return a.residual < b.residual
}

func (b bounds) less(o bounds) bool {
	switch {
	case b.start != o.start:
		return b.start < o.start
	case b.end != o.end:
		return b.end < o.end
	case b.startExcl != o.startExcl:
		return o.startExcl
	}
	return !b.endExcl && o.endExcl
}

func boundFlags(b bounds) (flags uint8) {
	if b.start != "" {
		flags |= flagStart
	}
	if b.end != "" {
		flags |= flagEnd
	}
	if b.startExcl {
		flags |= flagStartExcl
	}
	if b.endExcl {
		flags |= flagEndExcl
	}
	return flags
}

func appendIDs(b []byte, ids []cve.ID) []byte {
	b = binary.AppendUvarint(b, uint64(len(ids)))
	last := cve.ID(0)
	for _, id := range ids {
		b = binary.AppendUvarint(b, uint64(id-last))
		last = id
	}
	return b
}

func appendRule(b []byte, r rule) []byte {
	b = binary.AppendUvarint(b, uint64(r.cve))
	for i, v := range []uint32{r.update, r.attrs, r.residual} {
		if v != 0 {
			r.flags |= 1 << i
		}
	}
	b = append(b, r.flags)
	for _, v := range []uint32{r.update, r.attrs, r.residual} {
		if v != 0 {
			b = binary.AppendUvarint(b, uint64(v))
		}
	}
	if r.flags&flagStart != 0 {
		b = binary.AppendUvarint(b, uint64(r.a))
	}
	if r.flags&flagEnd != 0 {
		b = binary.AppendUvarint(b, uint64(r.b))
	}
	return b
}

// appendExact writes the versions in the order of their base keys, so that a reader can search them.
func appendExact(b []byte, exact map[string][]byte) []byte {
	type entry struct {
		text string
		key  []byte
	}
	entries := make([]entry, 0, len(exact))
	for text := range exact {
		base, _ := version.Split(text)
		entries = append(entries, entry{text, version.Key(base)})
	}
	sort.Slice(entries, func(i, j int) bool {
		if c := bytes.Compare(entries[i].key, entries[j].key); c != 0 {
			return c < 0
		}
		return entries[i].text < entries[j].text
	})
	b = binary.AppendUvarint(b, uint64(len(entries)))
	for _, e := range entries {
		b = appendString(b, e.text)
		b = appendString(b, string(exact[e.text]))
	}
	return b
}

func compress(body []byte) []byte {
	if len(body) > compressAbove {
		packed := s2.EncodeBetter(nil, body)
		if len(packed) < len(body)*9/10 {
			return append([]byte{FormatVersion, 1}, packed...)
		}
	}
	return append([]byte{FormatVersion, 0}, body...)
}

// reader reads a pack's body; bad stays set once anything did not fit.
type reader struct {
	b   string
	i   int
	bad bool
}

func (r *reader) byte() byte {
	if r.bad || r.i >= len(r.b) {
		r.bad = true
		return 0
	}
	r.i++
	return r.b[r.i-1]
}

func (r *reader) uvarint() uint64 {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		c := r.byte()
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	r.bad = true
	return 0
}

// count reads a number of things that follow, each at least one byte long.
func (r *reader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.b)-r.i) {
		r.bad = true
		return 0
	}
	return int(n)
}

func (r *reader) string() string {
	n := r.count()
	if r.bad {
		return ""
	}
	r.i += n
	return r.b[r.i-n : r.i]
}

func (r *reader) strings() []string {
	n := r.count()
	list := make([]string, 1, n+1)
	for range n {
		list = append(list, r.string())
	}
	return list
}

func (r *reader) ids() []cve.ID {
	n := r.count()
	ids := make([]cve.ID, n)
	last := cve.ID(0)
	for i := range ids {
		last += cve.ID(r.uvarint())
		ids[i] = last
	}
	return ids
}

// rule reads one rule and checks that its numbers lie within p's tables.
func (r *reader) rule(p *pack) (out rule) {
	out.cve = r.index(len(p.cves))
	out.flags = r.byte()
	if out.flags&flagUpdate != 0 {
		out.update = r.index(len(p.strings))
	}
	if out.flags&flagAttrs != 0 {
		out.attrs = r.index(len(p.strings))
	}
	if out.flags&flagResidual != 0 {
		out.residual = r.index(len(p.residuals))
	}
	if out.flags&flagStart != 0 {
		out.a = r.index(len(p.edges) + 1)
	}
	if out.flags&flagEnd != 0 {
		out.b = r.index(len(p.edges) + 1)
	}
	r.bad = r.bad || out.flags&(flagStart|flagStartExcl) != 0 && out.a == 0 || out.flags&(flagEnd|flagEndExcl) != 0 && out.b == 0
	return out
}

// unbounded reads a rule of a kind that has no range.
func (r *reader) unbounded(p *pack) rule {
	out := r.rule(p)
	r.bad = r.bad || out.flags&(flagStart|flagEnd) != 0
	return out
}

func (r *reader) index(n int) uint32 {
	v := r.uvarint()
	if v >= uint64(n) {
		r.bad = true
		return 0
	}
	return uint32(v)
}

// decodePack reads what encodePack wrote. A damaged pack is fault.Internal's business: the index is ours.
func decodePack(product cpe.Product, blob []byte) (*pack, error) {
	body, err := decompress(blob)
	if err != nil {
		return nil, fault.Invalid("match index of %s: %w", product, err)
	}
	r := reader{b: body}
	p := &pack{product: product, cves: r.ids(), strings: r.strings(), residuals: r.strings()}
	p.parsed = make([]atomic.Pointer[expr], len(p.residuals))
	texts := r.strings()
	p.edges = make([]edge, len(texts)-1)
	for i, text := range texts[1:] {
		p.edges[i] = *newEdge(text)
	}
	p.versions = make([]exactVersion, r.count())
	for i := range p.versions {
		p.versions[i] = exactVersion{text: r.string(), rules: r.string()}
	}
	p.ranges = make([]rule, r.count())
	for i := range p.ranges {
		p.ranges[i] = r.rule(p)
		p.ranges[i].kind = kindRange
	}
	p.others = make([]rule, r.count())
	for i := range p.others {
		kind := r.byte()
		p.others[i] = r.unbounded(p)
		p.others[i].kind = kind
		r.bad = r.bad || kind < kindEvery || kind > kindPattern
		if kind == kindPattern {
			p.others[i].a = r.index(len(p.strings))
		}
	}
	if r.bad || r.i != len(body) {
		return nil, fault.Invalid("match index of %s is damaged: run feeds sync again", product)
	}
	p.size = 512 + len(body) + 28*(len(p.ranges)+len(p.others)) + 16*len(p.strings) + 32*len(p.versions) + 150*len(p.residuals) + 112*len(p.edges)
	return p, nil
}

// condition returns a residual parsed, nil when it is damaged: then nothing is known and the match is dropped, since a
// damaged index must never invent one.
func (p *pack) condition(index uint32) *expr {
	if e := p.parsed[index].Load(); e != nil {
		return e
	}
	e, err := parseExpr(p.residuals[index])
	if err != nil {
		return nil
	}
	p.parsed[index].Store(e)
	return e
}

// exact calls use with each rule of versions[i]. A damaged rule ends it: a damaged index must never invent a match.
func (p *pack) exact(i int, use func(rule)) {
	r := reader{b: p.versions[i].rules}
	for r.i < len(r.b) {
		found := r.unbounded(p)
		if r.bad {
			return
		}
		found.a = uint32(i)
		use(found)
	}
}

func decompress(blob []byte) (string, error) {
	if len(blob) < 2 || blob[0] != FormatVersion || blob[1] > 1 {
		return "", fault.Invalid("not in format %d", FormatVersion)
	}
	if blob[1] == 0 {
		return string(blob[2:]), nil
	}
	n, err := s2.DecodedLen(blob[2:])
	if err != nil || n > maxPack {
		return "", fault.Invalid("damaged: run feeds sync again")
	}
	body, err := s2.Decode(nil, blob[2:])
	if err != nil {
		return "", fault.Invalid("damaged: %w", err)
	}
	return string(body), nil
}

// CVEs lists the CVEs that a pack has rules of, in order.
func CVEs(blob []byte) ([]cve.ID, error) {
	body, err := decompress(blob)
	if err != nil {
		return nil, err
	}
	r := reader{b: body}
	ids := r.ids()
	if r.bad {
		return nil, fault.Invalid("damaged match index")
	}
	return ids, nil
}

// leaves undoes encodePack.
func (p *pack) leaves() []leaf {
	var out []leaf
	p.each(func(r rule) {
		out = append(out, leaf{
			cve: p.cves[r.cve], version: p.versionOf(r), update: p.strings[r.update], attrs: p.strings[r.attrs],
			bounds: p.boundsOf(r), residual: p.residuals[r.residual], derived: r.flags&flagDerived != 0,
		})
	})
	return out
}

// each calls use with every rule.
func (p *pack) each(use func(rule)) {
	for i := range p.versions {
		p.exact(i, use)
	}
	for i := range p.ranges {
		use(p.ranges[i])
	}
	for i := range p.others {
		use(p.others[i])
	}
}

// versionOf returns r's version attribute in canonical form, "" for ANY.
func (p *pack) versionOf(r rule) string {
	switch r.kind {
	case kindExact:
		return cpe.Quote(p.versions[r.a].text)
	case kindNA:
		return cpe.NA
	case kindPattern:
		return p.strings[r.a]
	}
	return ""
}

func (p *pack) boundsOf(r rule) (b bounds) {
	if r.flags&flagStart != 0 {
		b.start, b.startExcl = p.edges[r.a-1].text, r.flags&flagStartExcl != 0
	}
	if r.flags&flagEnd != 0 {
		b.end, b.endExcl = p.edges[r.b-1].text, r.flags&flagEndExcl != 0
	}
	return b
}

// criteria prints r as the record's author would: the CPE name without the range.
func (p *pack) criteria(r rule) string {
	parts := []string{"cpe:2.3", p.product.String(), star(p.versionOf(r)), star(p.strings[r.update])}
	if attrs := p.strings[r.attrs]; attrs != "" {
		return strings.Join(append(parts, attrs), ":")
	}
	return strings.Join(append(parts, "*:*:*:*:*:*"), ":")
}

func star(v string) string {
	if v == "" {
		return cpe.Any
	}
	return v
}

// packCache keeps decoded packs up to a size; beyond it starts anew, which is cheap beside the bookkeeping of an LRU.
type packCache struct {
	mu    sync.Mutex
	packs map[cpe.Product]*pack
	size  int
}

const (
	cacheBytes   = 12 << 20
	emptyProduct = 200 // what remembering an unknown product costs
)

func newPackCache() *packCache { return &packCache{packs: map[cpe.Product]*pack{}} }

func (c *packCache) get(p cpe.Product) (*pack, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.packs[p]
	return found, ok
}

func (c *packCache) put(product cpe.Product, p *pack) {
	c.mu.Lock()
	defer c.mu.Unlock()
	size := emptyProduct
	if p != nil {
		size = p.size
	}
	if c.size+size > cacheBytes {
		c.packs, c.size = map[cpe.Product]*pack{}, 0
	}
	c.packs[product] = p
	c.size += size
}
