package wording

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/patchscout/patchscout/internal/assistant/answer"
)

// checker judges sentences by the draft. Lines are what this product says; of records only those count that publishers
// wrote, and those say nothing of the asker's own hosts.
type checker struct {
	draft *answer.Draft
	lines []unit
	texts map[int]unit // records by number
	all   string       // lines and records, for words
	own   map[string]bool
	rules string
}

// unit is something that a sentence may rest on.
type unit struct {
	full  string   // plainly
	bare  string   // without what is quoted from others
	parts []string // one thing each, with the thing that it is about
	cites []int
	said  []string // states
}

func newChecker(d *answer.Draft) *checker {
	c := &checker{draft: d, texts: map[int]unit{}, own: map[string]bool{}, rules: " " + strings.Join(words.FindAllString(plainly(rules), -1), " ") + " "}
	var all strings.Builder
	for _, l := range d.Lines {
		u := newUnit(l.Text, "", l.Cites)
		c.lines = append(c.lines, u)
		all.WriteString(u.full + "\n")
	}
	for _, s := range d.Sources {
		if !public[s.Kind] {
			all.WriteString(plainly(tame(s.ID+" "+s.Title, mostTitle)) + "\n")
			c.own[strings.ToLower(s.Title)] = s.Kind == "host" || s.Kind == "site"
			continue
		}
		text := s.ID + " " + tame(s.Title, mostTitle) + ". " + tame(s.Text, mostRecord) + " " + string(s.From)
		if s.At != nil {
			text += " " + s.At.UTC().Format("2006-01-02")
		}
		c.texts[s.N] = newUnit(text, plainly(s.ID), []int{s.N})
		all.WriteString(c.texts[s.N].full + "\n")
	}
	for _, f := range d.Facts.Items {
		c.own[strings.ToLower(f.Name)] = f.Kind == "host" || f.Kind == "site"
	}
	c.all = all.String()
	return c
}

func newUnit(text, about string, cites []int) unit {
	u := unit{full: plainly(text), bare: plainly(quoted.ReplaceAllString(text, " ")), cites: cites}
	u.said = said(u.bare)
	if strings.Contains(u.bare, "finding") { // what is found on a host affects it
		u.said = append(u.said, "affected+")
	}
	if about != "" || len(things(u.full)) < 2 {
		u.parts = []string{u.full + " " + about}
		return u
	}
	last := ""
	for _, p := range clauses(u.full) {
		if t := things(p); len(t) > 0 {
			last = strings.Join(t, " ")
			u.parts = append(u.parts, p)
			continue
		}
		u.parts = append(u.parts, p+" "+last)
	}
	return u
}

var (
	cveID    = regexp.MustCompile(`(?i)\bcve[-‐‑–_ ]?[0-9]{4}[-‐‑–_ ]?[0-9]{3,}`)
	thing    = regexp.MustCompile(`\b(?:cve-[0-9]{4}-[0-9]{4,}|cwe-[0-9]+|t[0-9]{4}(?:\.[0-9]{3})?|[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9a-z_-]+(?:\.[0-9a-z_-]+)*\.[a-z]{2,})\b`)
	markup   = regexp.MustCompile("(?i)<[a-z/!?]|&(?:#|[a-z]+;)|```|~~|!\\[|\\]\\s*\\(|\\]\\s*:|\\[[^\\]0-9]|^#{1,6}\\s|^\\s*>|^\\s*(?:---|===|\\*\\*\\*)|\\|.*\\||[{}]|\\$\\(|\\\\[a-z(\\[]|`|\\*\\*\\*|^[=+@]")
	link     = regexp.MustCompile(`(?i)[a-z][a-z0-9+.-]*:/|\bwww\.|\b(?:mailto|javascript|data|tel|file):|\b[a-z0-9-]+(?:\.[a-z0-9-]+)+/[a-z0-9]`)
	ownWords = regexp.MustCompile(`\b(?:you|your|yours|we|our|us|my|estate|network)\b|\b[0-9]+ (?:[a-z-]+ ){0,3}(?:findings?|hosts?|services?|servers?|machines?|systems?|sites?|scans?|ports?|assets?|imports?|vulnerabilities|vulnerability|issues?|problems?)\b`)
	counted  = regexp.MustCompile(`(?:^|[\s(*])(?:no|0|none of the|without) (?:[a-z-]+ ){0,4}(?:findings?|hosts?|services?|servers?|machines?|systems?|sites?|scans?|vulnerabilities|issues?|problems?|cves?)\b`)
	version  = regexp.MustCompile(`(?:^|\s)v?([0-9]+(?:\.[0-9]+)+[a-z0-9]*)`)
)

func things(text string) []string { return thing.FindAllString(text, -1) }

// judge says why a sentence may not stand; "" is that it may.
func (c *checker) judge(sentence string) string {
	if why := c.form(sentence); why != "" {
		return why
	}
	cites, why := c.cited(sentence)
	if why != "" {
		return why
	}
	s := plainly(sentence)
	grounds := c.grounds(s, cites)
	for _, check := range []func(string, string, []unit) string{c.numbers, c.names, c.pairs, c.states, c.counterWords, c.orders, c.sense} {
		if why := check(sentence, s, grounds); why != "" {
			return why
		}
	}
	return ""
}

// form is what may be in a text of ours at all.
func (c *checker) form(sentence string) string {
	switch {
	case strings.ContainsFunc(sentence, func(r rune) bool { return !unhidden(r) && r != ' ' || r == unicode.ReplacementChar }):
		return "hidden or control characters"
	case link.MatchString(sentence):
		return "an address on the web"
	case markup.MatchString(sentence) || strings.Count(sentence, "**")%2 != 0:
		return "markup"
	case c.otherScript(sentence) || foreignTo(sentence):
		return "not English"
	case c.leaks(sentence):
		return "repeats its instructions"
	}
	return ""
}

// otherScript finds letters that neither English nor any record has: other scripts, and letters that look like ours.
func (c *checker) otherScript(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool {
		return r > 0x24F && (unicode.IsLetter(r) || unicode.IsSymbol(r) || unicode.IsNumber(r)) && r != '→' && r != '≥' && r != '≤' && !inLines(c.lines, r)
	})
}

func inLines(lines []unit, r rune) bool {
	return slices.ContainsFunc(lines, func(u unit) bool { return strings.ContainsRune(u.bare, unicode.ToLower(r)) })
}

func foreignTo(text string) bool {
	ours, others := 0, 0
	for _, w := range words.FindAllString(strings.ToLower(text), -1) {
		switch {
		case idle[w]:
			ours++
		case foreign[w]:
			others++
		}
	}
	return others > ours || others >= 3
}

// leaks finds seven words in a row of the rules.
func (c *checker) leaks(text string) bool {
	const row = 7
	list := words.FindAllString(plainly(text), -1)
	for i := 0; i+row <= len(list); i++ {
		if strings.Contains(c.rules, " "+strings.Join(list[i:i+row], " ")+" ") {
			return true
		}
	}
	return false
}

// cited reads the citations: they exist, and there is one where the answer has any.
func (c *checker) cited(sentence string) ([]int, string) {
	var out []int
	for _, m := range citation.FindAllStringSubmatch(sentence, -1) {
		for _, text := range strings.Split(m[1], ",") {
			n, err := strconv.Atoi(strings.TrimSpace(text))
			if err != nil || n < 1 || n > len(c.draft.Sources) {
				return nil, "cites a record that is not there"
			}
			out = append(out, n)
		}
	}
	if len(out) == 0 && len(c.draft.Sources) > 0 {
		return nil, "cites nothing"
	}
	return out, ""
}

// grounds are the lines that rest on what the sentence cites, and the records of publishers that it cites; of the asker's
// own hosts lines alone tell.
func (c *checker) grounds(s string, cites []int) []unit {
	var out []unit
	for _, l := range c.lines {
		if len(l.cites) == 0 || slices.ContainsFunc(l.cites, func(n int) bool { return slices.Contains(cites, n) }) {
			out = append(out, l)
		}
	}
	if c.isOwn(s) {
		return out
	}
	for _, n := range cites {
		if u, ok := c.texts[n]; ok {
			out = append(out, u)
		}
	}
	return out
}

func (c *checker) isOwn(s string) bool {
	if ownWords.MatchString(s) || counted.MatchString(s) {
		return true
	}
	for name, is := range c.own {
		if is && len(name) > 1 && has(s, name) {
			return true
		}
	}
	return false
}

func (c *checker) numbers(sentence, s string, grounds []unit) string {
	for _, id := range cveID.FindAllString(sentence, -1) {
		if !c.knowsCVE(strings.ToLower(id)) {
			return "a CVE that is not among the records"
		}
	}
	own := c.isOwn(s)
	for _, w := range told(s) {
		found := slices.ContainsFunc(grounds, func(u unit) bool {
			if own && digits(w) {
				return holdsNumber(u.bare, w)
			}
			return holdsNumber(u.full, w)
		})
		if !found {
			return "a number, version or name that no cited record has"
		}
	}
	if has(s, "1") || !slices.Contains(strings.Fields(s), "one") || strings.Contains(s, "one of") || strings.Contains(s, "no one") {
		return ""
	}
	if slices.ContainsFunc(grounds, func(u unit) bool { return has(u.full, "1") || has(u.full, "one") }) {
		return ""
	}
	return "a number, version or name that no cited record has"
}

// knowsCVE: as a source or in what we ourselves say of it; what texts of strangers name does not count.
func (c *checker) knowsCVE(id string) bool {
	return slices.ContainsFunc(c.draft.Sources, func(s sourceOf) bool { return s.Kind == "cve" && strings.EqualFold(s.ID, id) }) ||
		slices.ContainsFunc(c.lines, func(u unit) bool { return has(u.bare, id) })
}

// usual are names that anybody may use.
var usual = set(`cve cves cvss epss kev cisa nvd nist mitre att&ck cwe api http https tls ssl ssh ip tcp udp dns url id ids i patchscout yes no os it rce dos
january february march april may june july august september october november december monday tuesday wednesday thursday friday saturday sunday english`)

// names are words with a capital letter that is not owed to the beginning of a sentence.
func (c *checker) names(sentence, _ string, _ []unit) string {
	text := strings.TrimLeft(citation.ReplaceAllString(sentence, ""), "-* ")
	begins := true
	for _, w := range strings.Fields(text) {
		bare := strings.Trim(w, `.,;:!?"'“”‘’()*`)
		bare = strings.TrimSuffix(strings.TrimSuffix(bare, "'s"), "’s")
		inner := strings.IndexFunc(bare, unicode.IsUpper)
		low := strings.ToLower(bare)
		if inner >= 0 && (inner > 0 || !begins) && !usual[low] && !c.knownName(low) {
			return "a name that no record has"
		}
		begins = strings.HasSuffix(strings.TrimRight(w, "*"), ":")
	}
	return ""
}

func (c *checker) knownName(low string) bool {
	if has(c.all, low) || c.own[low] {
		return true
	}
	for _, p := range strings.FieldsFunc(low, func(r rune) bool { return !within(r) }) {
		if len(p) > 1 && !has(c.all, p) && !usual[p] && !idle[p] && !strings.Contains(c.all, stem(p)) {
			return false
		}
	}
	return true
}

// pairs: what is said of one thing is said of that thing somewhere: numbers, severities and decisions beside a CVE or
// host, and the version beside its product.
func (c *checker) pairs(_, s string, grounds []unit) string {
	var about []string
	for _, clause := range clauses(s) {
		if now := things(clause); len(now) > 0 {
			about = now
		}
		for _, v := range values(clause) {
			if len(about) > 0 && !together(grounds, about, v) {
				return "a value that no record gives to that"
			}
			if len(about) == 0 && !slices.ContainsFunc(grounds, func(u unit) bool { return holdsNumber(u.full, v) }) {
				return "a value that no record gives"
			}
		}
	}
	for _, at := range version.FindAllStringSubmatchIndex(s, -1) {
		v, product := s[at[2]:at[3]], before(s[:at[2]])
		if product == "" || isAddress(v) {
			continue
		}
		if !slices.ContainsFunc(grounds, func(u unit) bool { return holdsNumber(u.full, v) && strings.Contains(u.full, stem(product)) }) {
			return "a version that no record gives to that product"
		}
	}
	return ""
}

// ofVersions are words that stand before a version and name no product.
var ofVersions = set(`version versions release releases upgrade upgrading upgraded update updating updated fixed patched later newer prior earlier cvss score scores scored epss base
rated rating severity affected introduced least most equal starting value likelihood confidence priority number`)

// before is the last word that says something before a version, where that is a name.
func before(text string) string {
	list := words.FindAllString(text, -1)
	for i := len(list) - 1; i >= 0 && i >= len(list)-4; i-- {
		w := list[i]
		switch {
		case idle[w] || strings.ContainsFunc(w, unicode.IsDigit) || len(w) < 2:
		case ofVersions[w]:
			if w != "version" && w != "versions" && w != "release" {
				return ""
			}
		default:
			return w
		}
	}
	return ""
}

// values of a clause: numbers, and words that rate.
func values(clause string) []string {
	var out []string
	out = append(out, told(thing.ReplaceAllString(clause, " "))...)
	for _, w := range severities {
		if has(clause, w) {
			out = append(out, w)
		}
	}
	return out
}

func together(grounds []unit, about []string, value string) bool {
	for _, u := range grounds {
		for _, p := range u.parts {
			if holdsNumber(p, value) && slices.ContainsFunc(about, func(t string) bool { return has(p, t) }) {
				return true
			}
		}
	}
	return false
}

// states: affected, exploited, fixed and the like are said of it somewhere, in the same sense.
func (c *checker) states(_, s string, grounds []unit) string {
	if yes, says := opens(s); says {
		want, known := c.yes()
		if !known || want != yes {
			return "contradicts the answer"
		}
	}
	for _, state := range said(s) {
		if slices.ContainsFunc(grounds, func(u unit) bool { return slices.Contains(u.said, state) }) {
			continue
		}
		contrary := strings.TrimRight(state, "+-") + map[bool]string{true: "-", false: "+"}[strings.HasSuffix(state, "+")]
		if slices.ContainsFunc(grounds, func(u unit) bool { return slices.Contains(u.said, contrary) }) {
			return "contradicts the answer"
		}
		return "a state that no record gives"
	}
	return ""
}

// opens says whether a text begins with yes or no.
func opens(s string) (yes, says bool) {
	first, _, _ := strings.Cut(strings.TrimLeft(s, "-* "), " ")
	switch strings.TrimRight(first, ",.:;!-") {
	case "yes", "correct", "indeed", "true", "right", "definitely", "certainly":
		return true, true
	case "no", "nope", "false", "incorrect", "wrong":
		return false, strings.ContainsAny(first, ",.:;!-") || first != "no"
	}
	return false, false
}

func (c *checker) yes() (yes, known bool) {
	if c.draft.Facts.Yes != nil {
		return *c.draft.Facts.Yes, true
	}
	if len(c.lines) == 0 {
		return false, false
	}
	return opens(c.lines[0].bare)
}

// counterWords: a no, a comparison or an all that no line has turns an answer round.
func (c *checker) counterWords(_, s string, grounds []unit) string {
	denies, denied := false, false
	for _, w := range strings.Fields(s) {
		w = strings.Trim(w, `.,;:!?"'“”()`)
		denies = denies || negators[w] || strings.HasSuffix(w, "n't")
		if !weighing[w] {
			continue
		}
		if !slices.ContainsFunc(grounds, func(u unit) bool { return has(u.bare, w) }) {
			return "a comparison or amount that no record has"
		}
	}
	for _, u := range grounds {
		for _, w := range strings.Fields(u.bare) {
			w = strings.Trim(w, `.,;:!?"'“”()`)
			denied = denied || negators[w] || strings.HasSuffix(w, "n't") || strings.HasPrefix(w, "un") && states[w] != ""
		}
	}
	if counted.MatchString(s) && !slices.ContainsFunc(grounds, func(u unit) bool { return counted.MatchString(u.bare) || has(u.bare, "0") }) || denies && !denied {
		return "denies what no record denies"
	}
	return ""
}

// orders: what a reader is told to do is in the lines, which are ours; records of strangers give no orders.
func (c *checker) orders(_, s string, _ []unit) string {
	for _, clause := range clauses(s) {
		list := words.FindAllString(clause, -1)
		for i, w := range list {
			told := tools[w] || orders[w] && (i == 0 || telling[list[i-1]] || i > 1 && list[i-2] == "you")
			if told && !slices.ContainsFunc(c.lines, func(u unit) bool { return strings.Contains(u.bare, stem(w)) }) && !c.docs(w) {
				return "tells the reader to do what no line of the answer says"
			}
		}
	}
	return ""
}

// telling are words before what the reader is to do.
var telling = set(`must should please you then just simply immediately now always and to-do kindly`)

func (c *checker) docs(w string) bool {
	return slices.ContainsFunc(c.draft.Sources, func(s sourceOf) bool { return s.Kind == "doc" && strings.Contains(c.texts[s.N].full, stem(w)) })
}

// sense: a quarter of the words that say something are in what the sentence rests on.
func (c *checker) sense(_, s string, grounds []unit) string {
	known, all := 0, 0
	for _, w := range words.FindAllString(s, -1) {
		if idle[w] {
			continue
		}
		all++
		if slices.ContainsFunc(grounds, func(u unit) bool { return strings.Contains(u.full, stem(w)) }) {
			known++
		}
	}
	if all == 0 {
		return "says nothing"
	}
	if known*4 < all {
		return "says what no cited record says"
	}
	return ""
}
