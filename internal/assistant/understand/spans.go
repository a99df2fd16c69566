package understand

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// reader reads one question.
type reader struct {
	v       Vocabulary
	c       Context
	now     time.Time
	tokens  []token
	spans   []span
	placed  []bool // tokens that something explains
	periods []Period
	names   []ProductName // of spans: the effect has the place
	q       Question

	said      // what the phrases said
	began int // where the question begins, after "hi, could you please"
}

// match explains the tokens from the left to the right, each stretch by what explains most of it.
func (r *reader) match() {
	r.spans, r.placed, r.began = nil, make([]bool, len(r.tokens)), 0
	for i := 0; i < len(r.tokens); {
		s := r.best(i)
		if s.to <= i {
			i++
			continue
		}
		if s.says("polite") && s.from == r.began || s.says("follow") && s.from == r.began {
			r.began = s.to
		}
		for j := s.from; j < s.to; j++ {
			r.placed[j] = true
		}
		r.spans = append(r.spans, s)
		i = s.to
	}
}

func (s span) says(key string) bool {
	for _, e := range s.effects {
		if e.key == key {
			return true
		}
	}
	return false
}

func (s span) length() int { return s.to - s.from }

// best is the longest of what phrases, periods and names make of the tokens from i on. Of equal length, what looks only one
// way goes before phrases, and phrases before names.
func (r *reader) best(i int) span {
	best, _ := theGrammar().longest(r.tokens, i, r.began)
	if p := r.period(i); p.length() > best.length() || p.length() > 0 && p.length() == best.length() && best.says("filler") {
		best = p
	}
	if best.says("service") && best.length() == 1 {
		return best // "with ssh" is the service, not the technique
	}
	if n := r.named(i); n.length() > best.length() || n.length() > 0 && n.length() == best.length() && (best.says("filler") || n.says("sure")) {
		best = n
	}
	return best
}

func (r *reader) period(i int) span {
	p, end, ok := calendar{r.tokens, r.now}.period(i)
	if !ok {
		return span{from: i, to: i}
	}
	r.periods = append(r.periods, p)
	return one(i, end, "period", strconv.Itoa(len(r.periods)-1))
}

func one(from, to int, key, value string) span {
	return span{from, to, []effect{{key, value}}, []string{"name: " + key + " " + value}}
}

// named is a name that begins at token i.
func (r *reader) named(i int) span {
	t := r.tokens[i]
	switch t.kind {
	case cveToken, cweToken, attackToken, addressToken, networkToken, portToken, hashToken, versionToken:
		return one(i, i+1, string(t.kind), t.value)
	case urlToken:
		return one(i, i+1, "hash", t.value)
	case domainToken:
		return r.domain(i)
	case numberToken:
		if t.value == "#" {
			return one(i, i+1, "finding", strconv.Itoa(int(t.number)))
		}
	}
	for _, read := range []func(int) span{r.ports, r.labelled, r.estateName, r.technique, r.product} {
		if s := read(i); s.length() > 0 {
			if s.length() == 1 && s.says("attack") && !relating[r.word(i-1)] {
				if p := r.product(i); p.length() > 0 { // Confluence is a product, and where attackers read on too
					return p
				}
			}
			return s
		}
	}
	return span{from: i, to: i}
}

func (r *reader) domain(i int) span {
	if p := r.product(i); p.length() > 0 && len(r.v.Host(r.tokens[i].word)) == 0 {
		return p
	}
	return one(i, i+1, "domain", r.tokens[i].value)
}

// ports reads "port 443", "ports 80, 443 and 8080", "port 8000-8100", "443 port".
func (r *reader) ports(i int) span {
	none := span{from: i, to: i}
	if w := r.tokens[i].word; w != "port" && w != "ports" && w != "tcp" && w != "udp" {
		return none
	}
	at, protocol := i+1, ""
	if w := r.tokens[i].word; w == "tcp" || w == "udp" {
		protocol = w + "/"
		if r.word(at) == "port" || r.word(at) == "ports" {
			at++
		}
	}
	if w := r.word(at); w == "tcp" || w == "udp" {
		protocol = w + "/"
		at++
	}
	if r.word(at) == "number" {
		at++
	}
	s := none
	for at < len(r.tokens) {
		t := r.tokens[at]
		from, to, dash := strings.Cut(strings.TrimSuffix(t.word, ","), "-")
		if digits(from) && len(from) <= 5 && (!dash || digits(to)) {
			s.effects = append(s.effects, effect{"port", protocol + t.word})
			at++
			s.to = at
			continue
		}
		if t.kind == portToken {
			s.effects = append(s.effects, effect{"port", t.word})
			at++
			s.to = at
			continue
		}
		if s.to > i && (t.word == "and" || t.word == "or") && at+1 < len(r.tokens) && digits(r.tokens[at+1].word) {
			at++
			continue
		}
		break
	}
	if s.to == i {
		return none
	}
	s.effects, s.rules = append(s.effects, effect{"sure", ""}), []string{"name: port"}
	return s
}

func (r *reader) word(i int) string {
	if i < 0 || i >= len(r.tokens) {
		return ""
	}
	return r.tokens[i].word
}

// labelled reads names that follow what they are: "site dmz", "owner ops", "tagged web", "host db1".
func (r *reader) labelled(i int) span {
	none := span{from: i, to: i}
	at := i + 1
	kind := labels[r.tokens[i].word]
	if kind == "" || i+1 >= len(r.tokens) {
		return none
	}
	for at < len(r.tokens) && (joining[r.word(at)]) {
		at++
	}
	if at >= len(r.tokens) {
		return none
	}
	for end := min(at+4, len(r.tokens)); end > at; end-- {
		if name, ok := find(r.list(kind), r.text(at, end)); ok {
			return span{i, end, []effect{{kind, name}, {"sure", ""}}, []string{"name: " + kind + " " + name}}
		}
	}
	t := r.tokens[at]
	if !r.couldBeName(at) || t.after && t.kind == wordToken || r.tokens[i].single != "" && kind == "host" && t.kind == wordToken && !strings.ContainsAny(t.word, "-0123456789") {
		return none
	}
	if kind != "tag" && kind != "label" && r.estateName(at).length() > 0 {
		return none // "hosts dmz": the name is of another kind
	}
	switch kind {
	case "assigneename":
		return span{i, at + 1, []effect{{kind, t.text}, {"sure", ""}}, []string{"name: " + kind}}
	case "host":
		if len(r.v.Host(t.word)) > 0 || at == i+1 && (t.kind == wordToken || t.kind == versionToken) {
			return span{i, at + 1, []effect{{"hostname", t.word}, {"sure", ""}}, []string{"name: host"}}
		}
	case "site", "ownername", "tag", "label":
		if at == i+1 || kind != "site" {
			return span{i, at + 1, []effect{{kind, t.text}, {"sure", ""}}, []string{"name: " + kind}}
		}
	}
	return none
}

// labels are the words that say what kind of name comes next.
var labels = map[string]string{
	"site": "site", "location": "site", "zone": "site", "segment": "site", "owner": "ownername", "owned": "ownername", "team": "ownername", "tag": "tag", "tagged": "tag", "tags": "tag",
	"label": "label", "labelled": "label", "labeled": "label", "labels": "label", "host": "host", "machine": "host", "server": "host", "hostname": "host", "asset": "host", "sites": "site", "hosts": "host",
	"belonging": "ownername", "belongs": "ownername", "belong": "ownername", "device": "host", "box": "host", "managed": "ownername", "maintained": "ownername", "scanner": "scannername", "sensor": "scannername",
	"assigned": "assigneename", "assignee": "assigneename", "assignees": "assigneename", "assign": "assigneename",
}

var joining = map[string]bool{"is": true, "are": true, "by": true, "to": true, "as": true, "named": true, "called": true, "with": true, "the": true}

// couldBeName says whether a word that no phrase has may be the name of something.
func (r *reader) couldBeName(i int) bool {
	t := r.tokens[i]
	if t.kind == wordToken {
		return !theGrammar().heads[t.word] && !theGrammar().heads[t.single]
	}
	return t.kind == versionToken
}

func (r *reader) list(kind string) []string {
	switch kind {
	case "site":
		return r.v.Sites()
	case "ownername", "assigneename":
		return r.v.Owners()
	case "tag":
		return r.v.Tags()
	case "label":
		return r.v.Labels()
	case "scannername":
		return r.v.Scanners()
	}
	return nil
}

func find(list []string, text string) (string, bool) {
	long := shortened[text]
	for _, name := range list {
		if strings.EqualFold(name, text) || plain(name) == plain(text) || len(text) >= 5 && strings.Contains(text, " ") && strings.EqualFold(name, strings.ReplaceAll(text, " ", "")) || long != "" && strings.EqualFold(name, long) {
			return name, true
		}
	}
	return "", false
}

// shortened are words that names are written in full of.
var shortened = map[string]string{"prod": "production", "dev": "development", "db": "database", "dbs": "database", "hq": "headquarters", "mgmt": "management", "infra": "infrastructure"}

// text is the tokens as words with one blank between.
func (r *reader) text(from, to int) string {
	if to == from+1 {
		return r.tokens[from].word
	}
	var b strings.Builder
	for i := from; i < to; i++ {
		if i > from {
			b.WriteByte(' ')
		}
		b.WriteString(r.tokens[i].word)
	}
	return b.String()
}

// estateName reads the names of the asker's own things without a word before them that says what they are. Those that are
// called as a word of the grammar ("default", "servers") must stand where names stand.
func (r *reader) estateName(i int) span {
	for end := min(i+4, len(r.tokens)); end > i; end-- {
		if r.broken(i, end) {
			continue
		}
		text := r.text(i, end)
		for _, kind := range []string{"site", "ownername", "tag", "label"} {
			name, ok := find(r.list(kind), text)
			if !ok && kind == "tag" && r.tokens[end-1].single != "" { // "the printers" are what is tagged printer
				name, ok = find(r.list(kind), strings.TrimSuffix(text, r.word(end-1))+r.tokens[end-1].single)
			}
			if !ok || end == i+1 && !r.free(i, kind) {
				continue
			}
			s := one(i, end, kind, name)
			if kind == "site" || r.situated(i) {
				s.effects = append(s.effects, effect{"sure", ""})
			}
			return s
		}
		if end == i+1 && !r.free(i, "host") {
			continue
		}
		if hosts := r.v.Host(text); len(hosts) > 0 {
			return one(i, end, "hostname", text)
		}
	}
	return span{from: i, to: i}
}

// placing are the words that a place follows.
var placing = map[string]bool{"in": true, "at": true, "on": true, "of": true, "for": true, "from": true, "and": true, "or": true, "site": true, "between": true, "with": true, "to": true, "vs": true, "versus": true, "inside": true, "within": true, "about": true, "only": true, "by": true, "across": true, "than": true, "against": true, "as": true}

// situating are those of placing that hardly anything but a place follows.
var situating = map[string]bool{"in": true, "at": true, "inside": true, "within": true, "site": true, "zone": true, "across": true}

// sitely are the words after the name of a site.
var sitely = map[string]bool{"site": true, "zone": true, "network": true, "segment": true, "location": true, "subnet": true, "lan": true, "sites": true, "vlan": true, "area": true, "hosts": true, "host": true, "machines": true, "findings": true, "systems": true}

// determining are the words that make a noun of what follows: "which servers", "how many branches".
var determining = map[string]bool{"which": true, "what": true, "many": true, "much": true, "every": true, "each": true, "any": true, "list": true, "show": true, "per": true, "number": true, "of": true, "these": true, "those": true, "linux": true, "windows": true, "web": true, "count": true, "most": true, "top": true, "do": true, "does": true, "are": true, "is": true, "by": true, "no": true, "two": true, "affected": true, "vulnerable": true, "name": true, "give": true, "me": true}

// before is the place of the last token before i that says something.
func (r *reader) before(i int) int {
	for i--; i >= 0 && skipped[r.word(i)] && r.word(i) != "all"; i-- {
	}
	return i
}

// situated says whether a word stands where a place would.
func (r *reader) situated(i int) bool { return placing[r.word(r.before(i))] }

// free says whether a word may be a name on its own: it says nothing else, or stands where names stand.
func (r *reader) free(i int, kind string) bool {
	t := r.tokens[i]
	if len(t.word) < 2 || fillers()[t.word] {
		return false
	}
	heads := theGrammar().heads
	if !heads[t.word] && !(heads[t.single] && theGrammar().nouns[t.single]) {
		return true
	}
	at := r.before(i)
	switch before := r.word(at); {
	case kind == "tag" && sitely[r.word(i+1)], kind == "tag" && (r.word(i+1) == "servers" || r.word(i+1) == "server" || r.word(i+1) == "devices" || r.word(i+1) == "boxes"):
		return !theGrammar().nouns[t.word]
	case kind != "site":
		return placing[before] && !theGrammar().nouns[t.word] && !theGrammar().nouns[t.single]
	case situating[before] || sitely[r.word(i+1)] && !(t.single != "" && sitely[t.word]):
		return true
	case !theGrammar().nouns[t.word] && !theGrammar().nouns[t.single]:
		beside := (r.word(i+1) == "or" || r.word(i+1) == "and" || r.word(i+1) == "vs" || r.word(i+1) == "versus") && r.siteAt(i+2)
		return placing[before] || at >= 0 && r.aloneInGrammar(i) || beside
	case (before == "or" || before == "and" || before == "vs" || before == "versus" || before == "between") && r.siteBeside(i):
		return true
	case t.single == "" && at >= 0 && !determining[before], t.single == "" && (before == "is" || before == "are" || before == "does" || before == "was"):
		return true
	case before == "than" || before == "against":
		return true
	case (r.word(i+1) == "or" || r.word(i+1) == "and" || r.word(i+1) == "vs" || r.word(i+1) == "versus") && r.siteAt(i+2):
		return true
	case at < 0 || before == "and" || before == "about":
		return i == len(r.tokens)-1 // "and the servers?"
	}
	return !determining[r.word(at)] && r.nounBefore(i)
}

// aloneInGrammar says whether no phrase of several words takes the word.
func (r *reader) aloneInGrammar(i int) bool {
	s, _ := theGrammar().longest(r.tokens, i, r.began)
	return s.length() == 0
}

// siteBeside says whether a site is named just before "or" and "and".
func (r *reader) siteBeside(i int) bool {
	at := r.before(r.before(i))
	if r.word(r.before(i)) == "between" {
		return true
	}
	return r.siteAt(at) || sitely[r.word(at)] && r.siteAt(at-1)
}

func (r *reader) siteAt(i int) bool {
	for skipped[r.word(i)] {
		i++
	}
	if i < 0 || i >= len(r.tokens) {
		return false
	}
	_, ok := find(r.v.Sites(), r.word(i))
	return ok
}

// nounBefore says whether the question has its subject already: in "critical findings servers" the last word is a place.
func (r *reader) nounBefore(i int) bool {
	on := r.word(r.before(i)) == "on"
	return slices.ContainsFunc(r.spans, func(s span) bool { return s.to <= i && (s.says("subject") || on && s.says("severity")) })
}

// broken says whether a mark stands inside the stretch.
func (r *reader) broken(from, to int) bool {
	for i := from + 1; i < to; i++ {
		if r.tokens[i].after {
			return true
		}
	}
	return false
}

func (r *reader) technique(i int) span {
	for end := min(i+6, len(r.tokens)); end > i; end-- {
		if end == i+1 && theGrammar().heads[r.tokens[i].word] && !(r.relates(i) && end == len(r.tokens)) || r.tokens[i].kind != wordToken {
			continue
		}
		if end == i+1 && !r.has("technique", "techniques", "att&ck", "mitre", "tactic") && len(r.v.Product(r.text(i, end))) > 0 {
			continue // Confluence and Cron are techniques, and products that people mean
		}
		ids := r.v.Technique(r.text(i, end))
		if len(ids) == 1 && (end > i+1 || r.word(i-1) == "technique" || !commonWords()[r.word(i)] || r.relates(i) && end == len(r.tokens)) {
			if r.relates(i) {
				return span{i, end, []effect{{"attack", ids[0]}, {"sure", ""}}, []string{"name: attack " + ids[0]}}
			}
			return one(i, end, "attack", ids[0])
		}
		if len(ids) > 1 && end > i+1 {
			return one(i, end, "attack", ids[0])
		}
	}
	return span{from: i, to: i}
}

// relating are the words after which a technique may be named by a common word: "related to phishing".
var relating = map[string]bool{"to": true, "with": true, "via": true, "through": true, "of": true, "by": true, "technique": true, "for": true, "using": true}

func (r *reader) relates(i int) bool {
	return relating[r.word(i-1)] || r.word(i-1) == "is" && r.has("technique")
}

// product reads the longest name of a product, or a nickname of a CVE.
func (r *reader) product(i int) span {
	for end := min(i+6, len(r.tokens)); end > i; end-- {
		if fillers()[r.word(end-1)] || fillers()[r.word(i)] || r.broken(i, end) && !r.adjoining(i, end) {
			continue
		}
		text := r.text(i, end)
		if ids := r.v.Nickname(text); len(ids) > 0 {
			s := span{from: i, to: end, rules: []string{"nickname: " + text}}
			for _, id := range ids {
				s.effects = append(s.effects, effect{"cve", id.String()})
			}
			return s
		}
		if found := r.v.Product(text); len(found) > 0 {
			if p, ok := r.choose(i, end, found); ok {
				p.Text = r.written(i, end)
				r.names = append(r.names, p)
				return one(i, end, "product", strconv.Itoa(len(r.names)-1))
			}
		}
	}
	return span{from: i, to: i}
}

func (r *reader) adjoining(_, _ int) bool { return false }

func (r *reader) written(from, to int) string {
	words := make([]string, 0, to-from)
	for _, t := range r.tokens[from:to] {
		words = append(words, t.text)
	}
	return strings.Join(words, " ")
}

// choose is the product that is meant by words that several have. A word that means something else too is a product
// only where much is known of it or something says that a product comes.
func (r *reader) choose(from, to int, found []ProductName) (ProductName, bool) {
	best := found[0]
	everyday := true
	for i := from; i < to; i++ {
		w := r.word(i)
		if r.tokens[i].kind == wordToken && !theGrammar().heads[w] && !theGrammar().heads[r.tokens[i].single] && !commonWords()[w] {
			everyday = false
		}
		if to == from+1 && (r.tokens[i].kind != wordToken || len(w) < 2) {
			return best, false
		}
	}
	_, alias := aliases()[plain(r.text(from, to))]
	if w := r.word(from); to == from+1 && !alias && (english()[w] || english()[r.tokens[from].single] && best.CVEs < 20) && !best.Ours && !introduces[r.word(from-1)] && !versioned(r, to) {
		return best, false
	}
	switch {
	case alias, best.Ours && !(to == from+1 && theGrammar().heads[r.word(from)]), introduces[r.word(from-1)] && !(to == from+1 && theGrammar().heads[r.word(from)]):
	case to == from+1 && theGrammar().heads[r.word(from)]:
		return best, false
	case everyday && best.CVEs < 50, best.CVEs < 2:
		return best, false
	}
	if to == from+1 && best.CVEs < known && !best.Ours && !alias && r.slip(r.word(from)) {
		return best, false
	}
	total := 0
	for _, p := range found {
		if p.Product == best.Product {
			total += p.CVEs
		}
	}
	if best.Product != "" && total > 0 && best.CVEs*4 < total*3 && !r.namesVendor(from, to, best) {
		best.Vendor, best.CVEs = "", total
	}
	return best, true
}

// slip says whether a word that hardly anything is called is a slip in a name that much is: catalogues have misspelt
// vendors too.
func (r *reader) slip(w string) bool {
	if len(w) < 5 {
		return false
	}
	near := r.v.Near(w)
	if len(near) == 0 || distance(w, near[0], 1) > 1 {
		return false
	}
	found := r.v.Product(near[0])
	return len(found) > 0 && (found[0].CVEs >= 100 || found[0].Ours)
}

// versioned says whether a version follows.
func versioned(r *reader, i int) bool {
	return i < len(r.tokens) && (r.tokens[i].kind == versionToken || r.tokens[i].kind == numberToken && strings.Contains(r.word(i), "."))
}

func (r *reader) namesVendor(from, to int, p ProductName) bool {
	first, _, _ := strings.Cut(plain(p.Vendor), " ")
	return to > from+1 && vendorOf(r.word(from)) == first
}

// introduces are the words after which a product comes.
var introduces = map[string]bool{"product": true, "software": true, "package": true, "run": true, "runs": true, "running": true, "use": true, "using": true, "uses": true, "install": true, "installed": true}

// fillers are the words that say nothing by themselves.
var fillers = table(func() map[string]bool { return wordsOf("filler=: ", 2) })

// smallWords are those of them that say nothing in a title either: the first line of the grammar's.
var smallWords = table(func() map[string]bool { return wordsOf("filler=: ", 1) })

func wordsOf(prefix string, lines int) map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(grammarText) {
		right, ok := strings.CutPrefix(line, prefix)
		if !ok || lines == 0 {
			continue
		}
		lines--
		for w := range strings.SplitSeq(right, "|") {
			all[strings.TrimSpace(w)] = true
		}
	}
	return all
}
