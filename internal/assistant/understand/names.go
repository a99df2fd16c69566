package understand

import (
	"cmp"
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/patchscout/patchscout/internal/cve"
)

// Lists is what a vocabulary is built from. Those of the catalogue (Products, Techniques, Feeds) and those of the estate
// change apart: see NameBook.With.
type Lists struct {
	Products   []Known
	Techniques []TechniqueName
	Feeds      []string

	Ours     []string // what services and software on the asker's hosts call themselves, without versions: "OpenSSH", "Apache httpd"
	Hosts    []HostEntry
	Sites    []string
	Owners   []string
	Tags     []string
	Labels   []string
	Scanners []string // sensors that reported something
}

// Known is a product of the catalogue and of how many CVEs it is named in.
type Known struct {
	Vendor  string
	Product string
	CVEs    int
}

// TechniqueName is a technique of ATT&CK.
type TechniqueName struct {
	ID   string // T1190
	Name string // Exploit Public-Facing Application
}

// HostEntry is a host with all that it is called by.
type HostEntry struct {
	ID    int64
	Site  string
	Names []string // addresses and names
}

// NameBook is a Vocabulary in memory. Read-only once it is built, safe for concurrent use.
type NameBook struct {
	*catalogueNames
	*estateNames
}

var _ Vocabulary = (*NameBook)(nil)

// NewNames builds a vocabulary.
func NewNames(l Lists) *NameBook {
	return &NameBook{newCatalogueNames(l), newEstateNames(l)}
}

// With is the same catalogue with the estate of another asker, or of a later time. It is cheap.
func (n *NameBook) With(l Lists) *NameBook {
	return &NameBook{n.catalogueNames, newEstateNames(l)}
}

// catalogueNames are products, vendors, techniques and feeds.
type catalogueNames struct {
	products   []product
	byWords    map[string]int32 // "http server" -> the first of products that has it; the next ones by product.next
	byJoined   map[string]int32 // "httpserver", of names with blanks that matter
	vendors    map[string]int32 // "apache" -> CVEs
	techniques map[string][]string
	techIDs    []string
	feeds      []string
	words      *wordIndex
}

type product struct {
	vendor, product string
	cves            int32
	next            int32
}

// known is how many CVEs a product must have for a word of its name to correct somebody's spelling: below that a
// coincidence is likelier than the product.
const known = 5

func newCatalogueNames(l Lists) *catalogueNames {
	n := &catalogueNames{
		products: make([]product, 0, len(l.Products)), byWords: make(map[string]int32, len(l.Products)),
		byJoined: map[string]int32{}, vendors: make(map[string]int32, len(l.Products)/2),
		techniques: map[string][]string{}, feeds: slices.Clone(l.Feeds), words: newWordIndex(len(l.Products)),
	}
	last, vendor := "", ""
	for _, p := range l.Products {
		if p.Vendor != last || vendor == "" { // they come sorted by vendor
			last, vendor = p.Vendor, plain(p.Vendor)
		}
		n.addProduct(p, vendor)
	}
	for _, t := range l.Techniques {
		name := plain(t.Name)
		n.techniques[name] = append(n.techniques[name], t.ID)
		n.techIDs = append(n.techIDs, t.ID)
	}
	slices.Sort(n.techIDs)
	n.words.done()
	return n
}

func (n *catalogueNames) addProduct(p Known, vendor string) {
	name := plain(p.Product)
	next, seen := n.byWords[name]
	if !seen {
		next = -1
	}
	at := int32(len(n.products))
	n.products = append(n.products, product{p.Vendor, p.Product, int32(p.CVEs), next})
	n.byWords[name] = at
	n.vendors[vendor] += int32(p.CVEs)
	if p.CVEs < known {
		return
	}
	if joined := strings.ReplaceAll(name, " ", ""); joined != name && len(joined) >= 6 {
		n.byJoined[joined] = at
	}
	for word := range strings.FieldsSeq(name) {
		n.words.add(word, p.CVEs)
	}
	for word := range strings.FieldsSeq(vendor) {
		n.words.add(word, p.CVEs)
	}
}

// estateNames are what the asker's own hosts are called and run.
type estateNames struct {
	ours     map[string]string // "openssh" -> "OpenSSH"
	ourWords map[string]bool
	hosts    map[string]int32 // the last of refs
	refs     []hostRef
	sites    []string
	owners   []string
	tags     []string
	labels   []string
	scanners []string
	own      *wordIndex
}

func newEstateNames(l Lists) *estateNames {
	n := &estateNames{
		ours: map[string]string{}, ourWords: map[string]bool{}, hosts: make(map[string]int32, 3*len(l.Hosts)), refs: make([]hostRef, 0, 3*len(l.Hosts)), own: newWordIndex(len(l.Ours)),
		sites: slices.Clone(l.Sites), owners: slices.Clone(l.Owners), tags: slices.Clone(l.Tags),
		labels: slices.Clone(l.Labels), scanners: slices.Clone(l.Scanners),
	}
	for _, name := range l.Ours {
		n.ours[plain(name)] = name
		for word := range strings.FieldsSeq(plain(name)) {
			n.ourWords[word] = true
			n.own.add(word, 1000)
		}
	}
	for _, h := range l.Hosts {
		n.addHost(h)
	}
	for _, list := range [][]string{l.Sites, l.Owners, l.Tags, l.Labels, l.Scanners} {
		for _, name := range list {
			n.own.add(strings.ToLower(name), 500)
		}
	}
	n.own.done()
	return n
}

// hostRef is one name of a host; next is the one before it with the same name, -1 for none.
type hostRef struct {
	text, site string
	id         int64
	next       int32
}

func (n *estateNames) addHost(h HostEntry) {
	for _, name := range h.Names {
		key := strings.ToLower(name)
		n.refer(key, name, h)
		if short, _, dotted := strings.Cut(key, "."); dotted && hostKind(name) == "name" {
			n.refer(short, name, h)
		}
	}
}

// refer lets a word mean a host. Names of one host come one after the other, so that the last one tells whether it is known.
func (n *estateNames) refer(key, name string, h HostEntry) {
	last, seen := n.hosts[key]
	if !seen {
		last = -1
	} else if n.refs[last].id == h.ID {
		return
	}
	n.hosts[key] = int32(len(n.refs))
	n.refs = append(n.refs, hostRef{name, h.Site, h.ID, last})
}

func hostKind(name string) string {
	if isAddress(name) {
		return "address"
	}
	return "name"
}

// Host finds hosts by address, name, or the first label of a name.
func (n *estateNames) Host(text string) []HostName {
	var found []HostName
	at, ok := n.hosts[strings.ToLower(text)]
	for ; ok && at >= 0; at = n.refs[at].next {
		ref := n.refs[at]
		found = append(found, HostName{Text: ref.text, Kind: hostKind(ref.text), ID: ref.id, Site: ref.site})
	}
	slices.Reverse(found)
	return found
}

// NearHost is the only host name that is one slip away from a name, or "".
func (n *estateNames) NearHost(name string) string {
	found := ""
	for known := range n.hosts {
		if len(known) >= 6 && known[0] == name[0] && len(known) < len(name)+2 && len(name) < len(known)+2 && distance(name, known, 1) == 1 && figures(known) == figures(name) && !isAddress(known) {
			if found != "" {
				return ""
			}
			found = known
		}
	}
	return found
}

// Sites lists the sites.
func (n *estateNames) Sites() []string { return n.sites }

// Owners lists who owns hosts.
func (n *estateNames) Owners() []string { return n.owners }

// Tags lists the tags of hosts.
func (n *estateNames) Tags() []string { return n.tags }

// Labels lists the labels of findings.
func (n *estateNames) Labels() []string { return n.labels }

// Scanners lists the sensors that reported something.
func (n *estateNames) Scanners() []string { return n.scanners }

// Feeds lists the publishers' feeds.
func (n *catalogueNames) Feeds() []string { return n.feeds }

// Technique finds techniques by id or name.
func (n *catalogueNames) Technique(words string) []string {
	id := strings.ToUpper(words)
	if _, found := slices.BinarySearch(n.techIDs, id); found {
		return []string{id}
	}
	return n.techniques[plain(words)]
}

// Nickname finds the CVEs that go by a name.
func (n *catalogueNames) Nickname(words string) []cve.ID { return nicknames()[plain(words)] }

// Product finds products by name, the one with the most CVEs first.
func (n *NameBook) Product(words string) []ProductName {
	name := plain(words)
	if name == "" {
		return nil
	}
	found := n.aliased(words, name)
	for _, p := range n.named(name) {
		if !slices.ContainsFunc(found, func(o ProductName) bool { return o.Vendor == p.Vendor && o.Product == p.Product }) {
			found = append(found, p)
		}
	}
	if len(found) == 0 && !strings.Contains(name, " ") {
		found = n.joined(name)
	}
	if _, ours := n.ours[name]; ours && len(found) == 0 {
		found = []ProductName{{Product: strings.ReplaceAll(name, " ", "_")}}
	}
	for i := range found {
		found[i].Text = words
		found[i].Ours = n.isOurs(name, found[i])
		found[i].CVEs = n.weight(found[i])
	}
	slices.SortStableFunc(found, func(a, b ProductName) int { return cmp.Compare(min(1, b.CVEs), min(1, a.CVEs)) }) // an alias of what this catalogue does not have comes last
	return found
}

// joined finds a name that was written without its blanks: "apachehttpd", "fortios" the other way round.
func (n *catalogueNames) joined(name string) []ProductName {
	for _, a := range joinedAliases()[name] {
		return []ProductName{{Vendor: a.vendor, Product: a.product}}
	}
	if at, ok := n.byJoined[name]; ok {
		return []ProductName{{Vendor: n.products[at].vendor, Product: n.products[at].product}}
	}
	return nil
}

func (n *NameBook) isOurs(name string, p ProductName) bool {
	if _, ours := n.ours[name]; ours {
		return true
	}
	_, ours := n.ours[plain(p.Product)]
	if !ours {
		_, ours = n.ours[plain(p.Vendor+" "+p.Product)]
	}
	return ours
}

// aliased are the products that people call otherwise than CPE does. Of a catalogue that does not have such a
// product, the alias is still the name to look for.
func (n *catalogueNames) aliased(words, name string) []ProductName {
	var found []ProductName
	for _, a := range aliases()[name] {
		found = append(found, ProductName{Text: words, Vendor: a.vendor, Product: a.product})
	}
	return found
}

// named are the products whose CPE name, with or without the vendor before it, is name.
func (n *catalogueNames) named(name string) []ProductName {
	var found []product
	take := func(words, vendor string) {
		at, ok := n.byWords[words]
		for ; ok && at >= 0; at = n.products[at].next {
			if p := n.products[at]; vendor == "" || plain(p.vendor) == vendor {
				found = append(found, p)
			}
		}
	}
	take(name, "")
	for i := range len(name) {
		if name[i] == ' ' {
			take(name[i+1:], vendorOf(name[:i]))
			if len(found) == 0 {
				take(name, vendorOf(name[:i]))
			}
		}
	}
	slices.SortStableFunc(found, func(a, b product) int { return cmp.Compare(b.cves, a.cves) })
	var out []ProductName
	for _, p := range found {
		out = append(out, ProductName{Vendor: p.vendor, Product: p.product, CVEs: int(p.cves)})
	}
	if cves, ok := n.vendors[vendorOf(name)]; ok && (len(found) == 0 || int32(found[0].cves) < cves/4) {
		out = append([]ProductName{{Vendor: strings.ReplaceAll(vendorOf(name), " ", "_"), CVEs: int(cves)}}, out...)
	}
	return out
}

// weight is how much is known of a product or vendor: what is known of little is likelier a word than a name.
func (n *catalogueNames) weight(p ProductName) int {
	if p.Product == "" {
		return int(n.vendors[plain(p.Vendor)])
	}
	at, ok := n.byWords[plain(p.Product)]
	for ; ok && at >= 0; at = n.products[at].next {
		if o := n.products[at]; o.vendor == p.Vendor {
			return int(o.cves)
		}
	}
	return 0
}

// Known says whether a word is part of some name.
func (n *NameBook) Known(word string) bool {
	word = strings.ToLower(word)
	return n.words.has(word) || n.own.has(word) || n.ourWords[word] || aliasWords()[word]
}

// Near finds words like a misspelt one.
func (n *NameBook) Near(word string) []string {
	word = strings.ToLower(word)
	return nearest(word, n.own, nicknameWords(), n.words, grammarWords())
}

// plain is a name as words: lower case, punctuation as one blank.
func plain(name string) string {
	clean, ascii := true, true
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 0x80:
			clean, ascii = false, false
		case c == '_' || c == '-' || c == '\\' || c == '/' || c == '!' || c == ',' || c >= 'A' && c <= 'Z':
			clean = false
		}
	}
	switch {
	case clean:
		return strings.TrimSpace(name)
	case ascii:
		return plainASCII(name)
	}
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(c rune) bool { return c < 0x80 && isBlank(byte(c)) }), " ")
}

func isBlank(c byte) bool {
	return c == ' ' || c == '_' || c == '-' || c == '\\' || c == '/' || c == '!' || c == ','
}

func plainASCII(name string) string {
	out := make([]byte, 0, len(name))
	for i := range len(name) {
		c := name[i]
		switch {
		case !isBlank(c):
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			out = append(out, c)
		case len(out) > 0 && out[len(out)-1] != ' ':
			out = append(out, ' ')
		}
	}
	return strings.TrimSuffix(string(out), " ")
}

// once for tables that are written in files of the package.
func table[T any](read func() T) func() T { return sync.OnceValue(read) }
