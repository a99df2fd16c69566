package main

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/patchscout/patchscout/internal/explain"
)

// Shape checks an explanation as a whole: how many sentences there are, and that each is a sentence.
func Shape(in explain.Input, e explain.Explanation) (problems []string) {
	low := 3
	if in.Record != nil && in.Record.Rejected() {
		low = 1
	}
	if n := len(e.Sentences); n < low || n > 6 {
		problems = append(problems, fmt.Sprintf("%d sentences", n))
	}
	for _, s := range e.Sentences {
		for _, p := range spelling(s.Text) {
			problems = append(problems, p+": "+s.Text)
		}
	}
	return problems
}

// doubled are words that say a template put two things together which both brought the same word.
var (
	words      = regexp.MustCompile(`[\p{L}\p{N}'’.-]+`)
	wrongAn    = regexp.MustCompile(`\b(?:a [aeio]\w|an [bcdfgjklmnpqrstvwz])`)
	oddMarks   = regexp.MustCompile(`  |,,|;;| ,| ;| \.(?: |$)|\.\.$|[,;:]\.$|⟨|⟩`)
	manyNumber = regexp.MustCompile(`\b1 (?:other products|products|days|entries|modules|of them are)\b`)
)

// spelling finds slips of the templates; what is quoted is not ours.
func spelling(text string) (problems []string) {
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		problems = append(problems, "control characters")
	}
	first, _ := utf8.DecodeRuneInString(text)
	own, _ := cutQuotes(text)
	if unicode.IsLower(first) && !strings.ContainsFunc(strings.Fields(text)[0], unicode.IsUpper) {
		problems = append(problems, "begins with a small letter")
	}
	if !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "”") {
		problems = append(problems, "does not end")
	}
	previous := ""
	for _, word := range words.FindAllString(own, -1) {
		if word == previous && strings.IndexFunc(word, unicode.IsLower) == 0 { // names may double: "Duran Duran"
			problems = append(problems, "doubled word "+word)
		}
		previous = word
	}
	for name, pattern := range map[string]*regexp.Regexp{"a or an": wrongAn, "marks": oddMarks, "plural": manyNumber} {
		if found := pattern.FindString(own); found != "" {
			problems = append(problems, name+" at "+found)
		}
	}
	return problems
}

// cutQuotes takes quotations out of a text.
func cutQuotes(text string) (rest string, quotes []string) {
	for {
		before, after, ok := strings.Cut(text, "“")
		rest += before
		if !ok {
			return rest, quotes
		}
		quote, tail, _ := strings.Cut(after, "”")
		quotes = append(quotes, quote)
		rest += "“”"
		text = tail
	}
}

// Check judges one sentence: every quotation, date, share, number, name and claim in it must be found in the fields that
// it cites. It returns what is not.
func Check(in explain.Input, s explain.Sentence) (problems []string) {
	c := &checker{facts: facts{in: in, cited: map[string]bool{}}}
	if len(s.Fields) == 0 {
		c.fail("cites no field")
	}
	for _, field := range s.Fields {
		c.cited[field] = true
		if !c.exists(field) {
			c.fail("cites the unknown field %s", field)
		}
	}
	rest := c.title(c.quotes(s.Text))
	rest = c.flaws(rest)
	rest = c.products(rest)
	rest = c.dates(rest)
	rest = c.shares(rest)
	rest = c.claims(rest)
	c.numbers(rest)
	c.names(rest)
	c.triggers(rest)
	for i, p := range c.problems {
		c.problems[i] = p + ": " + s.Text + fmt.Sprintf(" %v", s.Fields)
	}
	return c.problems
}

type checker struct {
	facts
	problems []string
}

func (c *checker) fail(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// blank takes a checked stretch out of a text, leaving a mark so that words do not run together.
const blank = " · "

func (c *checker) quotes(text string) string {
	rest, quotes := cutQuotes(text)
	for _, quote := range quotes {
		if !c.quoted(strings.TrimSuffix(quote, "…")) {
			c.fail("the quotation is not in the cited fields")
		}
	}
	return strings.ReplaceAll(rest, "“”", blank)
}

// titled is a line that begins with a publisher's words.
var titled = regexp.MustCompile(`^([^·]+?)…?(, used in attacks.*|, attack code is public.*|, CVSS .*|, not scored yet)$`)

// title takes a publisher's words off the front of a line.
func (c *checker) title(text string) string {
	if m := titled.FindStringSubmatch(text); m != nil && c.quoted(m[1]) {
		return blank + m[2]
	}
	return text
}

// flawClause is "has a flaw: … (kind)" and "In plain words: … (kind)". What happens and what it is called are one text
// per CWE; the name is what can be checked.
var (
	flawClause = regexp.MustCompile(`(?:ha(?:s|ve) a flaw: |^There is a flaw in [^“]*?: |^In plain words: )([^“]*?) \(([^()]*)\)\.$`)
	shortFlaw  = regexp.MustCompile(`^.+?: ([^:]+?)(?:, used in attacks|, attack code|, CVSS |, not scored|$)`)
)

func (c *checker) flaws(text string) string {
	if m := flawClause.FindStringSubmatchIndex(text); m != nil {
		if kind := text[m[4]:m[5]]; !c.isKind(kind) {
			c.fail("no cited CWE is a case of %s", kind)
		}
		if strings.HasPrefix(text, "In plain words: ") {
			return blank
		}
		if rest, in := strings.CutPrefix(text[:m[2]], "There is a flaw in "); in {
			return strings.TrimSuffix(rest, ": ") + " has a flaw" + blank
		}
		return text[:m[0]] + "has a flaw" + blank
	}
	if m := shortFlaw.FindStringSubmatchIndex(text); m != nil && c.cited["cwes"] && !strings.HasSuffix(text, ".") {
		if kind := text[m[2]:m[3]]; !c.isKind(kind) {
			c.fail("no cited CWE is a case of %s", kind)
		}
		return text[:m[2]] + blank + text[m[3]:]
	}
	return text
}

// subject is the product in front of "has a flaw" or behind "update". Its words are names however they are written.
var subjects = []*regexp.Regexp{
	regexp.MustCompile(`^(.*?) ha(?:s|ve) a flaw`),
	regexp.MustCompile(`(?i)\bupdate (.*?) to (?:the fixed version|\S*\d)`),
	regexp.MustCompile(`(?i)^what is wrong in (.*?) has not been described`),
	regexp.MustCompile(`^(.*?): +· ,`),
	regexp.MustCompile(`^Of (.*?), its publisher writes: `),
}

func (c *checker) products(text string) string {
	for _, pattern := range subjects {
		m := pattern.FindStringSubmatchIndex(text)
		if m == nil {
			continue
		}
		name := text[m[2]:m[3]]
		if name == "each product" {
			continue
		}
		for _, word := range strings.Fields(c.withoutVersion(fold(name))) {
			if !glue[word] && !c.isCount(word) && !c.says(word) {
				c.fail("%q of the product is not in the cited fields", word)
			}
		}
		text = text[:m[2]] + blank + text[m[3]:]
	}
	return text
}

// glue are the words between the names of products.
var glue = map[string]bool{"and": true, "one": true, "other": true, "product": true, "products": true, "it": true, "each": true}

const dateText = `(\d{1,2} (?:January|February|March|April|May|June|July|August|September|October|November|December) \d{4})`

// datePlaces say by the words beside a date what it must be the date of.
var datePlaces = []struct {
	pattern *regexp.Regexp
	field   string
}{
	{regexp.MustCompile(`since ` + dateText + ` it has been on CISA's list`), "kev.added"},
	{regexp.MustCompile(`known exploited vulnerabilities, since ` + dateText), "kev.added"},
	{regexp.MustCompile(`\(listed on ` + dateText + `\)`), "kev.added"},
	{regexp.MustCompile(`EPSS forecast of ` + dateText), "epss.date"},
	{regexp.MustCompile(`exploited \(as of ` + dateText + `\)`), "feeds.kev"},
	{regexp.MustCompile(`disclosed on ` + dateText), "exploits metasploit"},
	{regexp.MustCompile(`Exploit-DB has [^()]*\((?:the first of )?` + dateText), "exploits exploitdb"},
	{regexp.MustCompile(`(?:CISA's|its) assessment of ` + dateText), "ssvc.at"},
	{regexp.MustCompile(` by ` + dateText), "due"},
}

var anyDate = regexp.MustCompile(dateText)

func (c *checker) dates(text string) string {
	for _, place := range datePlaces {
		m := place.pattern.FindStringSubmatchIndex(text)
		if m == nil {
			continue
		}
		if date := text[m[2]:m[3]]; !c.isDate(place.field, date) {
			c.fail("%s is not the cited date of %s", date, place.field)
		}
		text = text[:m[2]] + blank + text[m[3]:]
	}
	if date := anyDate.FindString(text); date != "" {
		c.fail("nothing says what the date %s is", date)
	}
	return text
}

var sharePattern = regexp.MustCompile(`(under |more than for )?(\d+(?:\.\d+)?) %`)

func (c *checker) shares(text string) string {
	return sharePattern.ReplaceAllStringFunc(text, func(share string) string {
		m := sharePattern.FindStringSubmatch(share)
		if !c.isShare(m[1], m[2]) {
			c.fail("%s is not in the cited fields", share)
		}
		return blank
	})
}

// claims takes out of the text what the lexicon knows and the fields support.
func (c *checker) claims(text string) string {
	for _, claim := range lexicon {
		for {
			m := claim.pattern.FindStringSubmatchIndex(text)
			if m == nil {
				break
			}
			groups := make([]string, len(m)/2)
			for i := range groups {
				if m[2*i] >= 0 {
					groups[i] = text[m[2*i]:m[2*i+1]]
				}
			}
			if !claim.holds(&c.facts, groups) {
				c.fail("the cited fields do not support %q", groups[0])
			}
			text = text[:m[0]] + blank + text[m[1]:]
		}
	}
	return text
}

var numberPattern = regexp.MustCompile(`(?i)[a-z-]*\d[\w.:+~-]*`)

func (c *checker) numbers(text string) {
	for _, n := range numberPattern.FindAllString(text, -1) {
		n = strings.TrimRight(n, ".,;:")
		if !c.isVersion(n) && !c.says(n) {
			c.fail("the number %s is not in the cited fields", n)
		}
	}
}

// names finds words with a capital letter. The first word of a sentence may be one of the language's own.
func (c *checker) names(text string) {
	for i, word := range words.FindAllString(text, -1) {
		word = strings.TrimSuffix(strings.TrimRight(word, ".-'’"), "'s")
		if !strings.ContainsFunc(word, unicode.IsUpper) || i == 0 && starters[word] || numberPattern.MatchString(word) {
			continue
		}
		if !c.isPublisher(word) && !c.says(word) {
			c.fail("the name %s is not in the cited fields", word)
		}
	}
}

// starters are the words that sentences may begin with.
var starters = map[string]bool{
	"An": true, "Anyone": true, "As": true, "Attack": true, "Its": true, "It": true, "In": true, "Install": true,
	"Neither": true, "No": true, "Nobody": true, "None": true, "Nothing": true, "The": true, "Update": true, "What": true,
	"And": true, "Of": true, "These": true, "Whether": true, "How": true, "A": true,
}

// trigger are words that make a claim. Where the lexicon has not taken them out they stand in a sentence that nobody
// has justified.
var trigger = regexp.MustCompile(`(?i)\b(?:attack\w*|exploit\w*|ransom\w*|malware|botnet|worm\w*|code|program\w*|logg?\w*in|login|account|` +
	`password\w*|administrator\w*|rights|root|network|internet|remote\w*|local\w*|users?|verified|proof|public|update\w*|upgrade\w*|patch\w*|fix\w*|advisory|` +
	`critical|high|medium|low|severe|severity|control|read|change|stop|steal|delete|data|database|script|withdrawn|listed|known|` +
	`forecast|chance|days?|weeks?|supported|dispute\w*|victim\w*|hackers?|crimin\w*|nation\w*)\b`)

func (c *checker) triggers(text string) {
	for _, word := range trigger.FindAllString(text, -1) {
		c.fail("nothing justifies %q", word)
	}
}
