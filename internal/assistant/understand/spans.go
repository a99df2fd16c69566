package understand

import (
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
	hosts   []HostName
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
	if !r.couldBeName(at) || t.after && t.kind == wordToken {
		return none
	}
	switch kind {
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
	case "ownername":
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
	for _, name := range list {
		if strings.EqualFold(name, text) || plain(name) == plain(text) {
			return name, true
		}
	}
	return "", false
}

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

// estateName reads the names of the asker's own things without a word before them that says what they are. Sites that are
// called as a word of the grammar ("default", "internal") need one.
func (r *reader) estateName(i int) span {
	for end := min(i+4, len(r.tokens)); end > i; end-- {
		if r.broken(i, end) {
			continue
		}
		text := r.text(i, end)
		if end == i+1 && !r.free(i) {
			continue
		}
		for _, kind := range []string{"site", "ownername", "tag", "label"} {
			if name, ok := find(r.list(kind), text); ok {
				s := one(i, end, kind, name)
				if placing[r.word(i-1)] {
					s.effects = append(s.effects, effect{"sure", ""})
				}
				return s
			}
		}
		if hosts := r.v.Host(text); len(hosts) > 0 {
			return one(i, end, "hostname", text)
		}
	}
	return span{from: i, to: i}
}

// placing are the words that a place follows.
var placing = map[string]bool{"in": true, "at": true, "on": true, "of": true, "for": true, "from": true, "and": true, "or": true, "site": true, "between": true, "with": true, "to": true, "vs": true, "versus": true}

// free says whether a word may be a name on its own: it says nothing else, or stands where names stand.
func (r *reader) free(i int) bool {
	t := r.tokens[i]
	if len(t.word) < 2 || fillers()[t.word] {
		return false
	}
	return !theGrammar().heads[t.word] || placing[r.word(i-1)]
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
		if end == i+1 && theGrammar().heads[r.tokens[i].word] || r.tokens[i].kind != wordToken {
			continue
		}
		ids := r.v.Technique(r.text(i, end))
		if len(ids) == 1 && (end > i+1 || r.word(i-1) == "technique" || !commonWords()[r.word(i)]) {
			return one(i, end, "attack", ids[0])
		}
		if len(ids) > 1 && end > i+1 {
			return one(i, end, "attack", ids[0])
		}
	}
	return span{from: i, to: i}
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
	switch _, alias := aliases()[plain(r.text(from, to))]; {
	case alias, best.Ours && !(to == from+1 && theGrammar().heads[r.word(from)]), introduces[r.word(from-1)] && !(to == from+1 && theGrammar().heads[r.word(from)]):
	case to == from+1 && theGrammar().heads[r.word(from)]:
		return best, false
	case everyday && best.CVEs < 50, best.CVEs < 2:
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

func (r *reader) namesVendor(from, to int, p ProductName) bool {
	first, _, _ := strings.Cut(plain(p.Vendor), " ")
	return to > from+1 && vendorOf(r.word(from)) == first
}

// introduces are the words after which a product comes.
var introduces = map[string]bool{"product": true, "software": true, "package": true, "run": true, "runs": true, "running": true, "use": true, "using": true, "uses": true, "install": true, "installed": true}

// fillers are the words that say nothing by themselves.
var fillers = table(func() map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(grammarText) {
		if right, ok := strings.CutPrefix(line, "filler=: "); ok {
			for w := range strings.SplitSeq(right, "|") {
				all[strings.TrimSpace(w)] = true
			}
		}
	}
	return all
})
