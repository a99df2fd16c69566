package understand

import (
	"slices"
	"strings"
)

// correct mends the spelling of words that nothing else explains, and says whether it did. What describes a
// vulnerability is left as it is: names in titles are strange.
func (r *reader) correct() bool {
	before, tokens := slices.Clone(r.q.Corrected), slices.Clone(r.tokens)
	for i := range r.tokens {
		if to := r.nearHost(i); to != "" {
			r.q.Corrected = append(r.q.Corrected, Correction{r.tokens[i].text, to})
			fixed := classify(to)[0]
			fixed.after = r.tokens[i].after
			tokens[i] = fixed
			continue
		}
		if r.placed[i] || r.tokens[i].kind != wordToken {
			continue
		}
		if to := r.mended(i); to != "" {
			r.q.Corrected = append(r.q.Corrected, Correction{r.tokens[i].text, to})
			fixed := word(to, to)
			fixed.after = r.tokens[i].after
			tokens[i] = fixed
		}
	}
	if len(r.q.Corrected) == len(before) {
		return false
	}
	if !r.asks() && !starters[tokens[0].word] && !r.telegram(tokens) {
		r.q.Corrected = before
		return false
	}
	r.tokens = tokens
	return true
}

// nearHost is the one host whose name is a slip away from one that no host has.
func (r *reader) nearHost(i int) string {
	t := r.tokens[i]
	book, ok := r.v.(interface{ NearHost(name string) string })
	if !ok || t.kind != domainToken || len(r.v.Host(t.word)) > 0 || r.anyIndicator() {
		return ""
	}
	return book.NearHost(t.word)
}

// telegram says whether the tokens, mended, are all words of the grammar and of names.
func (r *reader) telegram(tokens []token) bool {
	trial := &reader{v: r.v, c: r.c, now: r.now, tokens: tokens}
	trial.match()
	trial.gather()
	trial.numbers()
	return len(trial.unplaced()) == 0 && len(trial.classes) == 0 && (len(trial.nouns) > 0 || trial.conditions() || len(trial.measures)+len(trial.attributes)+len(trial.q.CVEs)+len(trial.q.Products) > 0)
}

// mended is the word that a misspelt one is likely to be, or "".
func (r *reader) mended(i int) string {
	w := r.tokens[i].word
	if to, ok := slipsOf[w]; ok {
		return to
	}
	if len(w) < shortest || commonWords()[w] || commonWords()[r.tokens[i].single] || strings.ContainsAny(w, "@/\\.:=") || r.namedBefore(i) {
		return ""
	}
	if figures(w) != "" {
		return r.figured(w)
	}
	for _, site := range r.v.Sites() {
		if to := strings.ToLower(site); len(w) >= 5 && to != w && (distance(w, to, 2) == 1 || w[0] == to[0] && sameLetters(w, to) && distance(w, to, 2) <= 2) && situated[r.word(i-1)] {
			return to
		}
	}
	if near := nearest(w, grammarWords()); len(near) > 0 {
		names := r.v.Near(w)
		if len(names) == 0 || distance(w, near[0], 2) <= distance(w, names[0], 2) {
			return r.fitting(i, near)
		}
	}
	if r.v.Known(w) {
		return ""
	}
	if len(w) >= 5 { // of four letters, a product is near to everything
		for _, n := range r.v.Near(w) {
			return n
		}
	}
	return ""
}

// sameLetters says whether two words have the same letters in some order.
func sameLetters(a, b string) bool {
	x, y := []byte(a), []byte(b)
	slices.Sort(x)
	slices.Sort(y)
	return string(x) == string(y)
}

// situated are words after which a site's name can come.
var situated = map[string]bool{"the": true, "in": true, "at": true, "of": true, "from": true, "for": true, "site": true, "our": true, "and": true, "or": true}

// fitting is, of words that are equally near, the one that says most together with the words around it; a word is more
// often short of a letter than one too long.
func (r *reader) fitting(i int, near []string) string {
	w := r.tokens[i].word
	least := distance(w, near[0], 2)
	best, most := near[0], -1
	tokens := slices.Clone(r.tokens)
	for _, n := range near {
		if distance(w, n, 2) > least {
			continue
		}
		tokens[i] = word(n, n)
		score := 0
		for at := max(0, i-4); at <= i; at++ {
			if s, _ := theGrammar().longest(tokens, at, r.began); s.to > i {
				score = max(score, 4*s.length())
			}
		}
		if fillers()[n] {
			score -= 2
		}
		if len(n) > len(w) {
			score++
		}
		if n[0] == w[0] {
			score++
		}
		if score > most {
			best, most = n, score
		}
	}
	return best
}

// slipsOf are slips of the keyboard in words too short, or too like others, to be mended by distance.
var slipsOf = map[string]string{
	"hw": "how", "hwo": "how", "owh": "how", "teh": "the", "hte": "the", "waht": "what", "wat": "what", "wht": "what", "whta": "what", "hwat": "what", "wich": "which", "whcih": "which", "whic": "which", "wihch": "which", "whch": "which", "hwich": "which",
	"si": "is", "ar": "are", "rae": "are", "aer": "are", "fo": "of", "ni": "in", "ahve": "have", "hav": "have", "hve": "have", "haev": "have", "mny": "many", "amny": "many", "mnay": "many", "ther": "there", "thre": "there", "tehre": "there", "taht": "that", "tht": "that",
	"al": "all", "hots": "hosts", "lsit": "list", "lst": "list", "lits": "list", "shwo": "show", "sho": "show", "shw": "show", "opne": "open", "opn": "open", "oepn": "open", "hosst": "hosts", "hsots": "hosts", "hst": "host", "hsot": "host", "fixd": "fixed", "fiexd": "fixed", "fxied": "fixed", "wehn": "when", "whne": "when",
	"hwo's": "who", "whre": "where", "wher": "where", "wehre": "where", "wy": "why", "whi": "why", "adn": "and", "nad": "and", "nd": "and", "frm": "from", "wth": "with", "wiht": "with", "numer": "number", "nubmer": "number", "numbr": "number", "nuber": "number",
	"hgih": "high", "hihg": "high", "hig": "high", "hgh": "high", "lwo": "low", "pathc": "patch", "ptach": "patch", "sacn": "scan", "scna": "scan", "scn": "scan", "prot": "port", "potr": "port", "wrost": "worst", "msot": "most", "tpo": "top",
	"becasue": "because", "cevs": "cves", "cvs": "cves", "deos": "does", "od": "do", "ew": "we", "ou": "our", "oru": "our", "vuls": "vulnerabilities", "vul": "vulnerability", "alot": "many", "explane": "explain", "explian": "explain", "tecnique": "technique", "ramsomware": "ransomware", "wen": "when", "sean": "seen", "mayn": "many", "wre": "were", "mapt": "mapped", "maped": "mapped", "exploted": "exploited", "exploitted": "exploited", "aphace": "apache", "apahce": "apache", "cicso": "cisco", "csico": "cisco", "micorsoft": "microsoft", "mircosoft": "microsoft", "softwares": "software", "informations": "information",
}

// figured mends a word with digits, such as "log4shel": the digits must stay, since those of versions and hosts mean
// something.
func (r *reader) figured(w string) string {
	if len(w) < 6 || len(w)-len(figures(w)) < 4 || r.v.Known(w) {
		return ""
	}
	for _, n := range nearest(w, nicknameWords()) {
		if figures(n) == figures(w) {
			return n
		}
	}
	return ""
}

func figures(w string) string {
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, w)
}

// namedBefore says whether a name is expected here: "host db99" is not a misspelt word.
func (r *reader) namedBefore(i int) bool {
	_, label := labels[r.word(i-1)]
	return label && i > 0 && r.tokens[i-1].single == ""
}

// unplaced are the tokens that nothing explains.
func (r *reader) unplaced() []int {
	var out []int
	for i, t := range r.tokens {
		if !r.placed[i] && strings.IndexFunc(t.word, func(c rune) bool {
			return c != '<' && c != '>' && c != '=' && c != '%' && c != '/' && c != '\\' && c != '&' && c != '+'
		}) >= 0 {
			out = append(out, i)
		}
	}
	return out
}

// starters are words that begin questions and orders, and next to no title.
var starters = map[string]bool{
	"what": true, "which": true, "who": true, "whom": true, "whose": true, "when": true, "where": true, "why": true, "how": true, "is": true, "are": true, "am": true, "do": true, "does": true, "did": true,
	"has": true, "have": true, "had": true, "was": true, "were": true, "can": true, "could": true, "should": true, "would": true, "will": true, "tell": true, "explain": true, "describe": true, "compare": true,
	"give": true, "any": true, "anything": true, "suppose": true, "since": true, "and": true, "in": true, "on": true, "of": true, "whats": true, "summarise": true, "summarize": true,
}

// doubtful are words that begin orders and titles.
var doubtful = map[string]bool{"list": true, "show": true, "find": true, "count": true, "name": true, "display": true, "number": true, "total": true, "all": true, "only": true, "top": true, "get": true, "print": true, "view": true}

// asks says whether the text is put as a question or an order.
func (r *reader) asks() bool {
	if r.began > 0 || strings.HasSuffix(r.q.Text, "?") {
		return true
	}
	title := strings.Contains(r.q.Text, " - ") || len(r.classes) > 0
	first := r.word(0)
	if doubtful[first] {
		return !title && len(r.unplaced()) <= 1
	}
	if starters[first] {
		return true
	}
	return !title && (r.saidMeasure(Count) || slices.ContainsFunc(r.tokens, func(t token) bool { return ourWords[t.word] && t.word != "my" }))
}

// describes says whether the text tells a vulnerability in words, as titles of exploits do, instead of asking something
// that queries can answer.
func (r *reader) describes() bool {
	q := &r.q
	asks := r.asks()
	left := len(r.unplaced())
	if r.told && left == 0 && len(q.Products) == 0 && !strings.Contains(q.Text, " - ") && !slices.ContainsFunc(r.nouns, func(n noun) bool { return n.subject == "vulns" }) {
		return false // "default passwords", "self-signed certificates"
	}
	if r.tells() {
		return true
	}
	if slices.ContainsFunc(r.tokens, func(t token) bool { return t.kind == attackToken }) {
		return false
	}
	if r.defines() || asks && (q.Outside != "" || q.Act != "" || r.follow != "") || len(q.CVEs) > 0 {
		return false
	}
	if !asks {
		return r.titled(left)
	}
	told := left > 0 || len(r.classes) > 0
	return told && r.toldOf() && !r.ofOurs() && !r.saidMeasure(Count) && !r.saidMeasure(How) && len(r.topics) == 0 && q.GroupBy == "" && !r.most && !r.conditions()
}

// tells says whether the question begins as people begin to describe a flaw: "which flaw lets you read …", "the bug in
// MOVEit that …".
func (r *reader) tells() bool {
	i := r.began
	for i < len(r.tokens) && opening[r.word(i)] {
		i++
	}
	flaw := i < len(r.tokens) && flaws[r.word(i)] && (i == 0 || r.word(i-1) != "how")
	if !flaw || len(r.q.CVEs)+len(r.q.Hosts)+len(r.q.Techniques) > 0 || r.saidMeasure(Count) || slices.ContainsFunc(r.tokens, func(t token) bool { return ourWords[t.word] && t.word != "it" }) {
		return false
	}
	verb := false
	for at := i + 1; at < len(r.tokens) && at < i+7; at++ {
		verb = verb || letting[r.word(at)]
	}
	return verb && (len(r.unplaced()) >= 2 || len(r.classes) > 0 && len(r.tokens) > i+6)
}

var (
	opening = map[string]bool{"which": true, "what": true, "is": true, "was": true, "the": true, "a": true, "that": true, "name": true, "of": true, "s": true, "id": true, "find": true, "me": true, "cve": true, "for": true, "there": true}
	flaws   = map[string]bool{"flaw": true, "bug": true, "vulnerability": true, "hole": true, "weakness": true, "issue": true, "cve": true, "one": true}
	letting = map[string]bool{"lets": true, "let": true, "allows": true, "allow": true, "allowed": true, "makes": true, "made": true, "enables": true, "gives": true, "gave": true, "permits": true, "where": true, "leads": true, "led": true, "leaks": true, "leaked": true, "causes": true, "can": true, "could": true, "reads": true, "crashes": true}
)

// titled says whether words that ask nothing are the title of an exploit, and not a question in telegram style.
func (r *reader) titled(left int) bool {
	q := &r.q
	dash := strings.Contains(q.Text, " - ")
	switch {
	case left == 0 && !dash && r.plural() && (q.Time != nil || q.KEV != nil || q.Exploited != nil || q.Ransomware != nil) && slices.ContainsFunc(r.nouns, func(n noun) bool { return n.subject == "vulns" }):
		return false // "critical use-after-free bugs in Chrome from 2023 that were exploited"
	case left == 0 && !dash && r.conditions() && r.plural() && slices.ContainsFunc(r.nouns, func(n noun) bool { return n.subject == "cves" || n.subject == "findings" }):
		return false
	case q.Outside == "injection" || q.Act != "" && !dash && len(r.classes) == 0:
		return false
	case q.Outside != "":
		return dash || len(r.classes) > 0 || left > 1
	case dash:
		return left > 0 || len(r.classes) > 0 || !r.ofEstate()
	case !r.ofEstate():
		return left > 0 || len(r.classes) > 0
	}
	return len(r.classes) > 0 && (left > 0 || len(q.Products) > 0 && !r.ofOurs()) || left > len(r.tokens)/2
}

// defines says whether a class of weakness is what is asked about: "what is SQL injection?"
func (r *reader) defines() bool {
	q := &r.q
	if len(r.classes) != 1 || r.classes[0] == "" || !r.saidMeasure(Explain) || len(r.nouns)+len(q.Products)+len(r.unplaced()) > 0 {
		return false
	}
	q.CWEs, r.classes = with(q.CWEs, r.classes[0]), nil
	return true
}

// ofEstate says whether words that are not of titles show that the asker's own things are meant.
func (r *reader) ofEstate() bool {
	q := &r.q
	known := slices.ContainsFunc(q.Hosts, func(h HostName) bool { return h.Kind != "name" || h.ID > 0 })
	return known || len(q.Sites) > 0 && len(r.unplaced()) == 0 || slices.ContainsFunc(r.tokens, func(t token) bool { return ourWords[t.word] }) || q.Overdue || slices.ContainsFunc(r.nouns, func(n noun) bool {
		return (n.subject == "findings" || n.subject == "hosts" || n.subject == "sites") && r.tokens[n.at].single != ""
	})
}

// toldOf says whether a vulnerability is what the words are about.
func (r *reader) toldOf() bool {
	bug := len(r.classes) > 0 || len(r.q.Products) > 0
	for _, n := range r.nouns {
		switch n.subject {
		case "vulns", "cves":
			bug = true
		case "hosts", "findings", "services", "sites", "scans", "imports", "feeds", "fixes", "paths":
			return false
		}
	}
	return bug && len(r.q.Hosts)+len(r.q.Sites)+len(r.q.Values) == 0
}

// description is the question for those records whose text is like the words.
func (r *reader) description() Question {
	q := Question{Text: r.q.Text, Subject: CVEs, Measure: List, Products: r.q.Products, Corrected: r.q.Corrected, Rules: []string{"words that describe a vulnerability"}}
	for i, t := range r.tokens {
		if i >= r.began && !smallWords()[t.word] && !(asking[t.word] || starters[t.word]) {
			q.Rest = append(q.Rest, t.text)
		}
	}
	q.Understood = min(0.3, share(len(r.tokens)-len(r.unplaced()), len(r.tokens)))
	return q
}

func share(part, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(part) / float64(of)
}

// finish says what was not understood.
func (r *reader) finish() {
	q := &r.q
	r.unused()
	content, placed := 0, 0
	for i, t := range r.tokens {
		if fillers()[t.word] {
			continue
		}
		content++
		if r.placed[i] {
			placed++
		}
	}
	topics := q.Subject == Product
	for _, i := range r.unplaced() {
		t := r.tokens[i]
		if topics {
			placed++
			continue
		}
		q.Rest = append(q.Rest, t.text)
		if name := r.nameless(i); name != "" {
			r.unknown(name)
		}
	}
	q.Understood = share(placed, content)
	if content == 0 && q.Subject != Nothing {
		q.Understood = 1
	}
}

// unused takes back the placing of words that were known, and yet do not count in this question: better to say so than to
// answer as if they had not been said.
func (r *reader) unused() {
	q := &r.q
	for _, s := range r.spans {
		counts := len(s.effects) == 0
		for _, e := range s.effects {
			switch e.key {
			case "indicator":
				counts = counts || q.Subject == Indicators || q.Outside != ""
			case "class":
				counts = counts || e.value != "" && slices.Contains(q.CWEs, e.value) || q.Subject == Product || e.value == "" && (len(q.Titled) > 0 || r.told)
			case "attr":
				counts = counts || e.value != "vector" || r.one() || q.Subject != CVEs && q.Subject != Findings || len(q.Titled) > 0 && q.Subject == Findings
			case "titled":
				counts = counts || q.Subject != CVEs
			default:
				counts = true
			}
		}
		for i := s.from; i < s.to && !counts; i++ {
			r.placed[i] = false
		}
	}
}

// nameless is a word that stands where a name would, and is none that is known: "in Oslo", "does Frobnicator".
func (r *reader) nameless(i int) string {
	t := r.tokens[i]
	if t.kind != wordToken && t.kind != versionToken {
		return ""
	}
	at := i - 1
	for at >= 0 && skipped[r.word(at)] {
		at--
	}
	text := t.text
	for j := i + 1; j < len(r.tokens) && !r.placed[j] && !r.tokens[j].after; j++ {
		text += " " + r.tokens[j].text
	}
	switch w := r.word(at); {
	case i > 0 && !r.placed[i-1] && !t.after:
		return ""
	case labels[w] == "host" && (r.tokens[at].single != "" || english()[t.word]):
		return ""
	case english()[t.word] && (w == "use" || w == "using" || w == "run" || w == "runs" || w == "any" || w == "have"):
		return ""
	case introduces[w] || r.runs && (w == "run" || w == "runs" || w == "have" || w == "any"):
		return "product " + text
	case labels[w] == "host":
		return "host " + text
	case english()[t.word] || commonWords()[t.word] || theGrammar().heads[t.word]:
		return ""
	case t.text != t.word && i > 0 && (w == "does" || w == "did" || w == "has" || w == "do"):
		return text
	case situating[w], placing[w] && (t.text != t.word || strings.ContainsAny(t.word, "0123456789-_.")):
		return text
	}
	return ""
}
