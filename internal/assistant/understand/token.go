package understand

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/patchscout/patchscout/internal/cve"
)

// kind is what a token is by its looks alone.
type kind string

const (
	wordToken    kind = "word"
	numberToken  kind = "number"  // 12, 9.3, 50%
	cveToken     kind = "cve"     //
	cweToken     kind = "cwe"     //
	attackToken  kind = "attack"  // T1190
	addressToken kind = "address" //
	networkToken kind = "network" // 10.0.0.0/24, 10.0.0.1-20
	versionToken kind = "version" // 2.4.49, 8.9p1, 1.0.2k-fips
	urlToken     kind = "url"     //
	hashToken    kind = "hash"    //
	portToken    kind = "port"    // tcp/445
	domainToken  kind = "domain"  // db1.example.org
	dateToken    kind = "date"    // 2024-05-01
	markToken    kind = "mark"    // what stands between words: , ; : ( ) -
)

// token is a word of the question or what stands between two.
type token struct {
	text   string // as written
	word   string // lower case, without the possessive
	single string // of a plural: its singular
	kind   kind
	number float64
	value  string // cleaned: "CVE-2021-44228"
	after  bool   // a mark stands between it and the word before
}

// most is how many tokens of a question are read. No question needs more; a text that was pasted has more.
const mostTokens = 300

// tokenise cuts a text into tokens. Marks are dropped, but the word after one knows.
func tokenise(text string) []token {
	var out []token
	mark := false
	for field := range strings.FieldsSeq(unquote(text)) {
		if len(out) >= mostTokens {
			break
		}
		lead, core, trail := peel(field)
		mark = mark || lead
		if core == "" {
			mark = true
			continue
		}
		for i, t := range classify(core) {
			t.after = mark && i == 0
			out = append(out, t)
		}
		mark = trail
	}
	return join(out)
}

// unquote makes straight what word processors bend.
func unquote(text string) string {
	ascii := true
	for i := range len(text) {
		ascii = ascii && text[i] < utf8.RuneSelf
	}
	if ascii {
		return text
	}
	return bent.Replace(text)
}

var bent = strings.NewReplacer("’", "'", "‘", "'", "`", "'", "“", " ", "”", " ", "«", " ", "»", " ", "–", "-", "—", " - ", "‑", "-", "‐", "-",
	"≥", " >= ", "≤", " <= ", "…", " ", "​", "", "¿", " ", "？", "? ")

const marks = ",;:()[]{}\"'!?|*_~"

// peel takes off what stands around a word.
func peel(field string) (lead bool, core string, trail bool) {
	core = strings.TrimLeft(field, marks+"-.")
	lead = len(core) < len(field)
	if strings.HasPrefix(core, ":") { // ::1
		core = field
	}
	if strings.HasPrefix(field, "::") {
		core, lead = field, false
	}
	cut := strings.TrimRight(core, marks+".-")
	trail = len(cut) < len(core) && !strings.HasSuffix(core, "'")
	if strings.HasSuffix(core, "::") && strings.Count(core, ":") > 2 {
		cut, trail = core, false
	}
	return lead, cut, trail
}

// classify says what a field is, which may be several words: "what's", "openssh8.9", "tcp/udp".
func classify(s string) []token {
	low := strings.ToLower(s)
	if t, ok := exact(s, low); ok {
		return []token{t}
	}
	if parts := comparison(low); len(parts) > 1 {
		return each(parts)
	}
	if parts := contracted(low); parts != nil {
		return each(parts)
	}
	if len(low) != len(s) { // letters whose small form is longer, and what is no letter at all
		s = low
	}
	low = strings.TrimSuffix(strings.TrimSuffix(low, "'s"), "s'")
	if t, ok := exact(s[:len(low)], low); ok {
		return []token{t}
	}
	if name, version, ok := glued(low); ok {
		return append(classify(name), classify(version)...)
	}
	if strings.ContainsAny(low, "/&+") && !strings.Contains(low, "://") && len(low) > 3 {
		if parts := strings.FieldsFunc(low, func(c rune) bool { return c == '/' || c == '&' || c == '+' }); len(parts) > 1 && !known2(low) {
			return each(parts)
		}
	}
	return []token{word(s, low)}
}

// known2 are the words whose slash is part of them.
func known2(low string) bool {
	return low == "tl/dr" || low == "i/o" || low == "b/r" || low == "att&ck" || low == "os/2"
}

func each(parts []string) []token {
	var out []token
	for _, p := range parts {
		if p = strings.Trim(p, marks+"."); p != "" {
			out = append(out, classify(p)...)
		}
	}
	return out
}

func word(text, low string) token {
	return token{text: text, word: low, single: singular(low), kind: wordToken}
}

// comparison cuts signs off: ">=9", "<2.4.49", "#12".
func comparison(low string) []string {
	sign := len(low) - len(strings.TrimLeft(low, "<>="))
	if sign == 0 || sign == len(low) {
		return nil
	}
	return []string{low[:sign], low[sign:]}
}

// contracted are the short forms: "what's", "don't", "we've".
func contracted(low string) []string {
	at := strings.LastIndexByte(low, '\'')
	if at <= 0 {
		if full, ok := unapostrophed[low]; ok {
			return strings.Fields(full)
		}
		return nil
	}
	head, tail := low[:at], low[at+1:]
	switch {
	case tail == "s" && isAsking[head]:
		return []string{head, "is"}
	case low == "can't":
		return []string{"can", "not"}
	case low == "won't":
		return []string{"will", "not"}
	case tail == "t" && strings.HasSuffix(head, "n"):
		return []string{head[:len(head)-1], "not"}
	case tail == "re":
		return []string{head, "are"}
	case tail == "ve":
		return []string{head, "have"}
	case tail == "d":
		return []string{head, "would"}
	case tail == "ll":
		return []string{head, "will"}
	case low == "i'm":
		return []string{"i", "am"}
	}
	return nil
}

var isAsking = map[string]bool{
	"what": true, "who": true, "where": true, "when": true, "how": true, "why": true, "that": true, "there": true, "it": true, "which": true, "here": true,
}

// unapostrophed are the short forms of whoever types in a hurry.
var unapostrophed = map[string]string{
	"whats": "what is", "hows": "how is", "whos": "who is", "wheres": "where is", "whens": "when is", "whys": "why is", "isnt": "is not", "arent": "are not", "dont": "do not",
	"doesnt": "does not", "didnt": "did not", "cant": "can not", "cannot": "can not", "havent": "have not", "hasnt": "has not", "wasnt": "was not", "werent": "were not",
	"im": "i am", "ive": "i have", "weve": "we have", "theres": "there is", "u": "you", "r": "are", "pls": "please", "plz": "please", "thx": "thanks", "w/o": "without", "w/": "with", "b/c": "because", "thats": "that is", "gimme": "give me", "wanna": "want to", "gotta": "have to",
}

// exact recognises what only looks one way.
func exact(text, low string) (token, bool) {
	t := token{text: text, word: low, kind: wordToken}
	switch {
	case low == "":
	case low[0] == 'c' && strings.HasPrefix(low, "cve"):
		if id, err := cve.ParseID(dashes("CVE", low[3:])); err == nil {
			t.kind, t.value = cveToken, id.String()
		}
	case strings.HasPrefix(low, "cwe") && digits(strings.TrimLeft(low[3:], "-_:")):
		t.kind, t.value = cweToken, "CWE-"+strings.TrimLeft(low[3:], "-_:0")
	case technique(low):
		t.kind, t.value = attackToken, strings.ToUpper(low)
	case strings.Contains(low, "://"):
		t.kind, t.value = urlToken, text
	case low[0] == '#' && digits(low[1:]):
		t.kind, t.value = numberToken, "#"
		t.number = number(low[1:])
	default:
		return digitsFirst(t)
	}
	return t, t.kind != wordToken
}

// digitsFirst recognises addresses, dates, versions, numbers, ports, hashes and host names.
func digitsFirst(t token) (token, bool) {
	low := t.word
	if !strings.ContainsAny(low, "0123456789.:") {
		return t, false
	}
	switch {
	case isAddress(low):
		t.kind, t.value = addressToken, netip.MustParseAddr(low).String()
	case isNetwork(low):
		t.kind, t.value = networkToken, low
	case isDay(low):
		t.kind, t.value = dateToken, low
	case isNumber(strings.TrimSuffix(low, "%")):
		t.kind, t.number, t.value = numberToken, number(strings.TrimSuffix(low, "%")), low
	case isHash(low):
		t.kind, t.value = hashToken, low
	case isPort(low):
		t.kind, t.value = portToken, low
	case isVersion(low):
		t.kind, t.value = versionToken, strings.TrimPrefix(low, "v")
	case isDomain(low):
		t.kind, t.value = domainToken, low
	}
	return t, t.kind != wordToken
}

// glued cuts "openssh8.9" where the version begins.
func glued(low string) (name, version string, ok bool) {
	if !strings.Contains(low, ".") || strings.ContainsAny(low, "/:@") {
		return "", "", false
	}
	for i := 2; i < len(low); i++ {
		if isLetter(low[i-1]) && isDigit(low[i]) && dotted(low[i:]) {
			return low[:i], low[i:], true
		}
	}
	return "", "", false
}

func dotted(s string) bool {
	head, tail, ok := strings.Cut(s, ".")
	return ok && digits(head) && tail != "" && isDigit(tail[0])
}

// join puts together what blanks cut: "cve 2021 44228", "CVE - 2021-44228", "cwe 79", "t 1190", "50 %".
func join(tokens []token) []token {
	var out []token
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		rest := tokens[i+1:]
		switch {
		case (t.word == "cve" || t.word == "cves") && len(rest) >= 1 && cveTail(rest[0].word):
			t.kind, t.text = cveToken, t.text+"-"+rest[0].text
			t.value = mustCVE(dashes("CVE", rest[0].word))
			i++
		case t.word == "cve" && len(rest) >= 2 && isYear(rest[0].word) && digits(rest[1].word) && len(rest[1].word) >= 3 && len(rest[1].word) <= 10:
			if id := mustCVE("CVE-" + rest[0].word + "-" + rest[1].word); id != "" {
				t.kind, t.text, t.value = cveToken, t.text+"-"+rest[0].text+"-"+rest[1].text, id
				i += 2
			}
		case t.word == "cwe" && len(rest) >= 1 && digits(rest[0].word) && len(rest[0].word) <= 5:
			t.kind, t.text, t.value = cweToken, t.text+"-"+rest[0].text, "CWE-"+strings.TrimLeft(rest[0].word, "0")
			i++
		case t.kind == numberToken && t.value != "#" && len(rest) >= 1 && (rest[0].word == "%" || rest[0].word == "percent" || rest[0].word == "pct"):
			t.value, t.text = t.word+"%", t.text+" %"
			i++
		}
		if t.kind == cveToken || t.kind == cweToken {
			t.word, t.single = strings.ToLower(t.value), ""
		}
		out = append(out, t)
	}
	return out
}

func cveTail(s string) bool {
	s = strings.TrimLeft(s, "-_:#")
	year, tail, ok := strings.Cut(strings.ReplaceAll(s, "_", "-"), "-")
	return ok && isYear(year) && digits(tail) && mustCVE("CVE-"+year+"-"+tail) != ""
}

func mustCVE(s string) string {
	id, err := cve.ParseID(s)
	if err != nil {
		return ""
	}
	return id.String()
}

// dashes brings "2021_44228", ":2021-44228", "202144228" into form.
func dashes(prefix, s string) string {
	s = strings.TrimLeft(strings.NewReplacer("_", "-", ":", "-", "/", "-", ".", "-").Replace(s), "-#")
	if digits(s) && len(s) >= 8 && isYear(s[:4]) {
		s = s[:4] + "-" + s[4:]
	}
	return prefix + "-" + s
}

func technique(low string) bool {
	id, sub, dot := strings.Cut(low, ".")
	return len(id) == 5 && id[0] == 't' && digits(id[1:]) && (!dot || len(sub) == 3 && digits(sub))
}

func isAddress(s string) bool {
	if !strings.ContainsAny(s, ".:") {
		return false
	}
	_, err := netip.ParseAddr(s)
	return err == nil
}

// isNetwork says whether s is 10.0.0.0/24, 10.0.0.1-20, 10.0.0.1-10.0.0.20 or 10.0.0.*.
func isNetwork(s string) bool {
	if _, err := netip.ParsePrefix(s); err == nil {
		return true
	}
	if head, ok := strings.CutSuffix(s, ".*"); ok {
		return isAddress(head + ".0")
	}
	from, to, ok := strings.Cut(s, "-")
	return ok && isAddress(from) && (isAddress(to) || digits(to) && len(to) <= 3)
}

func isHash(s string) bool {
	if len(s) != 32 && len(s) != 40 && len(s) != 64 {
		return false
	}
	for i := range len(s) {
		if !isDigit(s[i]) && (s[i] < 'a' || s[i] > 'f') {
			return false
		}
	}
	return true
}

func isPort(s string) bool {
	a, b, ok := strings.Cut(s, "/")
	if !ok {
		return false
	}
	if protocols[a] {
		a, b = b, a
	}
	from, to, _ := strings.Cut(a, "-")
	return protocols[b] && digits(from) && len(from) <= 5 && (to == "" || digits(to) && len(to) <= 5)
}

var protocols = map[string]bool{"tcp": true, "udp": true, "sctp": true}

// isVersion says whether s is a number with dots and what people hang on it: 2.4.49, v1.2, 8.9p1, 1.0.2k-fips, 3.x.
func isVersion(s string) bool {
	s = strings.TrimPrefix(s, "v")
	if s == "" || !isDigit(s[0]) || len(s) > 40 {
		return false
	}
	dots, alpha := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case isDigit(c):
		case c == '.':
			dots++
		case isLetter(c) || c == '-' || c == '_' || c == '+' || c == '~' || c == ':':
			alpha++
		default:
			return false
		}
	}
	return dots > 0 && alpha <= 16 && (alpha == 0 || !isDomain(s) || isDigit(s[2])) || dots == 0 && alpha > 0 && len(s) <= 5 && isLetter(s[len(s)-1]) && !ordinalSuffix(s)
}

func ordinalSuffix(s string) bool {
	tail := strings.TrimLeft(s, "0123456789")
	return tail == "st" || tail == "nd" || tail == "rd" || tail == "th" || tail == "d" || tail == "h" || tail == "w" || tail == "k" || tail == "x" || tail == "am" || tail == "pm" || tail == "days" || tail == "m"
}

// isDomain says whether s is a name with dots whose last label is letters.
func isDomain(s string) bool {
	if len(s) > 253 || !strings.Contains(s, ".") {
		return false
	}
	labels := strings.Split(s, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.IndexFunc(l, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '-' && c != '_' }) >= 0 {
			return false
		}
	}
	last := labels[len(labels)-1]
	return len(last) >= 2 && strings.IndexFunc(last, unicode.IsDigit) < 0 && !fileEnding[last]
}

// fileEnding are the endings of files and of products with a dot that are no hosts.
var fileEnding = map[string]bool{
	"php": true, "asp": true, "aspx": true, "jsp": true, "cgi": true, "js": true, "net": true, "c": true, "html": true, "htm": true, "xml": true, "exe": true, "dll": true, "txt": true, "md": true, "json": true, "csv": true, "pl": true, "action": true, "do": true, "nessus": true,
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

func digits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

func isYear(s string) bool { return len(s) == 4 && digits(s) && (s[:2] == "19" || s[:2] == "20") }

// singular is the singular of a plural, or "".
func singular(w string) string {
	switch {
	case len(w) < 4 || !strings.HasSuffix(w, "s") || strings.HasSuffix(w, "ss") || strings.HasSuffix(w, "us") || strings.HasSuffix(w, "is"):
		return ""
	case strings.HasSuffix(w, "ies") && len(w) > 4:
		return w[:len(w)-3] + "y"
	case strings.HasSuffix(w, "ses") || strings.HasSuffix(w, "xes") || strings.HasSuffix(w, "ches") || strings.HasSuffix(w, "shes"):
		if strings.HasSuffix(w, "ases") || strings.HasSuffix(w, "ches") && w == "caches" {
			return w[:len(w)-1]
		}
		return w[:len(w)-2]
	}
	return w[:len(w)-1]
}
