package finding

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/patchscout/patchscout/internal/cpe"
)

// The kinds of remedy keys, before the colon.
const (
	upgradeRemedy = "upgrade:" // a product
	packageRemedy = "package:" // a package, in its manager's own versions: no release of the product of that name
	textRemedy    = "text:"    // the hash of what a tool advises
)

// Remedy says which action ends what the evidence says. key is the same for all findings that one action fixes: it names
// the product where an upgrade is the action, not the version, and is a hash of the advice otherwise; "" where nobody
// says what to do. name is for people: the product, or the advice. fixedIn is the first fixed version by the strongest
// evidence that knows one. The order of the rows does not matter.
func Remedy(rows []Evidence) (key, name, fixedIn string) { return RemedyOf("", rows) }

// RemedyOf is Remedy for a finding in a component: a package is brought up to date whatever its weaknesses are.
func RemedyOf(component string, rows []Evidence) (key, name, fixedIn string) {
	rows = slices.SortedFunc(slices.Values(rows), stronger)
	for _, e := range rows {
		fill(&fixedIn, cleanVersion(e.FixedIn))
	}
	if name = componentName(component); name != "" {
		return packageRemedy + strings.ToLower(name), name, fixedIn
	}
	for _, e := range rows {
		if p, version := productToUpgrade(e); p.key != "" {
			fill(&fixedIn, version)
			return upgradeRemedy + p.key, spelledIn(p.name, rows), fixedIn
		}
	}
	for _, e := range rows {
		if key, name = advice(e); key != "" {
			return key, name, fixedIn
		}
	}
	return "", "", fixedIn
}

// Action is what a remedy asks of people, in one line: "upgrade OpenSSH to 9.8".
func Action(key, name, fixedIn string) string {
	switch {
	case key == "":
		return "no remedy is known"
	case strings.HasPrefix(key, textRemedy):
		return name
	case fixedIn == "":
		return "upgrade " + name
	default:
		return "upgrade " + name + " to " + fixedIn
	}
}

// componentName is a package's name without its version: "lodash@4.17.20" and "pkg:npm/lodash@4.17.20?x=y" are lodash.
func componentName(component string) string {
	name := strings.TrimSpace(component)
	if purl, is := strings.CutPrefix(name, "pkg:"); is {
		purl, _, _ = strings.Cut(purl, "#")
		purl, _, _ = strings.Cut(purl, "?")
		name = purl[strings.Index(purl, "/")+1:]
	}
	if i := strings.LastIndexByte(name, '@'); i > 0 {
		name = name[:i]
	}
	return line(name, maxRemedyName)
}

// product is what an upgrade replaces.
type product struct{ key, name string }

// productToUpgrade reads the product from what the catalogue matched, else from the advice, else from the check's title.
func productToUpgrade(e Evidence) (p product, version string) {
	if n, err := cpe.Parse(e.Criteria); err == nil && n.Product().Product != cpe.Any {
		if p := catalogueProduct(n.Product()); p.key != "" {
			return p, ""
		}
	}
	if !strings.ContainsAny(e.Remedy, "0123456789") {
		return product{}, ""
	}
	words := upgradeTo.FindStringSubmatch(oneLine(e.Remedy))
	if words == nil {
		return product{}, ""
	}
	name := cmp.Or(trimProduct(words[1]), trimProduct(words[2]))
	if name == "" {
		name = titleProduct(e.Title)
	}
	return namedProduct(name), cleanVersion(words[3])
}

// upgradeTo reads "Upgrade to OpenSSH version 9.8 or later", "Update OpenSSH to 9.8", "Upgrade to version 9.8 or later."
// and their like: the product before or after "to", and the version.
var upgradeTo = regexp.MustCompile(`(?i)^(?:please |solution: ?)?(?:upgrade|update)\b\s*(?:your |the |installation of )*(?:(.{0,60}?)\s+)??` +
	`to\s+(.{0,60}?)\s*(?:versions?\s+|release\s+|v\.?)?(\d+(?:\.[0-9a-z]+)*(?:[-+~_][0-9a-z.+~]+)*)(?:[^0-9a-z]|$)`)

// fillers are words around a product's name that are no part of it.
var fillers = regexp.MustCompile(`(?i)^(?:a |an |the |any |at least |least |latest |newer |versions? |release |vendor |of |package |software |affected |service |and |or |be )+\s*|(?:^|\s+)(?:versions?|releases?|or|to|packages?|at least|the)$`)

func trimProduct(s string) string {
	for {
		next := strings.Trim(fillers.ReplaceAllString(s, ""), " ,;:()'\"")
		if next == s {
			break
		}
		s = next
	}
	if !strings.ContainsFunc(s, unicode.IsLetter) || strings.ContainsAny(s, "/<>=") {
		return ""
	}
	return s
}

// titleProduct is the product that a title begins with: "OpenSSH < 9.8 …", "Apache HTTP Server 2.4.x before …".
func titleProduct(title string) string {
	end := titleEnd.FindStringIndex(title)
	if end == nil {
		return ""
	}
	return trimProduct(title[:end[0]])
}

var titleEnd = regexp.MustCompile(`(?i)\s+(?:[<>=(]|v?\d|before|prior|multiple|unspecified|denial|remote|information|security|privilege|memory|buffer|cross|xss|rce|dos|sql)`)

// catalogueProduct is a product as the catalogue names it.
func catalogueProduct(p cpe.Product) product {
	name := line(strings.ReplaceAll(cpe.Unquote(p.Product), "_", " "), maxRemedyName)
	if name == "" {
		return product{}
	}
	return product{key: Cut(oneSpelling(p), maxLine), name: name}
}

// oneSpelling is the same for all spellings of a product.
func oneSpelling(p cpe.Product) string {
	key := p.Vendor + ":" + p.Product
	for _, a := range cpe.Aliases(p) {
		key = min(key, a.Vendor+":"+a.Product)
	}
	return key
}

// namedProduct is a product as people write it. Where the catalogue has one of that name in several spellings, it is that
// one, so that "Update OpenSSH" and the catalogue's openbsd:openssh are one action.
func namedProduct(name string) product {
	name = line(name, maxRemedyName)
	words := strings.Fields(strings.ToLower(name))
	if len(words) == 0 {
		return product{}
	}
	slug := strings.Join(words, "_")
	for _, try := range [][2]string{{slug, slug}, {words[0], strings.Join(words[1:], "_")}} {
		p := cpe.Product{Part: 'a', Vendor: cpe.Quote(try[0]), Product: cpe.Quote(try[1])}
		if try[1] != "" && len(cpe.Aliases(p)) > 1 { // more than p itself
			return product{key: oneSpelling(p), name: name}
		}
	}
	return product{key: slug, name: name}
}

// spelledIn writes a name as the evidence does: "openssh" is OpenSSH where a tool says so.
func spelledIn(name string, rows []Evidence) string {
	if strings.ToLower(name) != name {
		return name
	}
	for _, e := range rows {
		for _, text := range []string{e.Title, e.Remedy, e.Reason} {
			lower := strings.ToLower(text)
			i := strings.Index(lower, name)
			if i < 0 || len(lower) != len(text) || inWord(text[:i], text[i+len(name):]) {
				continue
			}
			if spelled := text[i : i+len(name)]; spelled != name {
				return spelled
			}
		}
	}
	return name
}

// inWord says whether what stands before and after a place goes on without a gap.
func inWord(before, after string) bool {
	letter := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	last, _ := utf8.DecodeLastRuneInString(before)
	first, _ := utf8.DecodeRuneInString(after)
	return letter(last) || letter(first)
}

// advice is what a tool says in its own words. What could be said of any weakness ("apply the vendor's patch") is an
// action of this weakness only, and no solution is none.
func advice(e Evidence) (key, name string) {
	text := oneLine(e.Remedy)
	plain := strings.TrimRight(strings.ToLower(text), " .!")
	if plain == "" || noSolution.MatchString(plain) {
		return "", ""
	}
	if anySolution.MatchString(plain) {
		plain += "\x00" + e.Check + "\x00" + strings.ToLower(e.Title)
		if e.Title != "" {
			text = strings.TrimRight(text, ". ") + ": " + oneLine(e.Title)
		}
	}
	hash := sha256.Sum256([]byte(plain))
	return textRemedy + hex.EncodeToString(hash[:12]), line(text, maxRemedyName)
}

var (
	noSolution  = regexp.MustCompile(`^(?:n/?a|none|unknown|no (?:known )?(?:solution|remedy|fix|patch|workaround)\b.*|not (?:yet )?(?:known|available).*)$`)
	anySolution = regexp.MustCompile(`^(?:please )?(?:upgrade|update|install|apply|contact|see|refer|consult|check|ask|general solution|a? ?workaround|vendor|the vendor|patch|as a workaround)\b`)
)

// cleanVersion drops the words around a version and what is no version at all.
func cleanVersion(v string) string {
	v = strings.Trim(oneLine(v), " .,;:")
	if !strings.ContainsFunc(v, unicode.IsDigit) {
		return ""
	}
	return line(v, maxVersion)
}

// How long the parts of a remedy are, in bytes.
const (
	maxRemedyName = 160
	maxVersion    = 80
)

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// line is a text on one line that fits n bytes.
func line(s string, n int) string {
	s = oneLine(s)
	if !utf8.ValidString(s) || len(s) > n {
		return Cut(s, n)
	}
	return s
}
