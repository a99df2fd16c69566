package wording

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// How sentences and records are read: as small letters, numbers as digits, dates as 2006-01-02.

var (
	citation = regexp.MustCompile(`\[\s*([0-9]+(?:\s*,\s*[0-9]+)*)\s*\]`)
	thousand = regexp.MustCompile(`\b([0-9]{1,3})((?:,[0-9]{3})+)\b`)
	percent  = regexp.MustCompile(`([0-9])\s*(?:percent\b|per cent\b|%)`)
	dayFirst = regexp.MustCompile(`\b([0-9]{1,2})(?:st|nd|rd|th)?(?: of)? (` + monthNames + `)\.?,? ([0-9]{4})\b`)
	dayThen  = regexp.MustCompile(`\b(` + monthNames + `)\.? ([0-9]{1,2})(?:st|nd|rd|th)?,? ([0-9]{4})\b`)
	withUnit = regexp.MustCompile(`\b([0-9]+)-(day|year|hour|minute|week|month|bit|point|byte)`)
	tens     = regexp.MustCompile(`\b([2-9])0[ -]([1-9])\b`)
	words    = regexp.MustCompile(`[\pL\pN]+(?:['’][\pL]+)?`)
	quoted   = regexp.MustCompile("“[^”]*”|\"[^\"]*\"|«[^»]*»|‘[^’]*’|`[^`]*`|(?:^|[\\s(:])'[^'\\s][^\n]*?'(?:$|[\\s).,;:])")
	holds    = regexp.MustCompile(`[\pL\pN_]+(?:[._:/+@-]+[\pL\pN_]+)*%?`)
)

const monthNames = `january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec`

var months = []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

var numerals = map[string]string{
	"zero": "0", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10",
	"eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15", "sixteen": "16", "seventeen": "17", "eighteen": "18",
	"nineteen": "19", "twenty": "20", "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90",
}

// plainly is a text as it is compared: without citations and marks, in small letters, one way of writing numbers and dates.
func plainly(text string) string {
	text = strings.ReplaceAll(strings.ToLower(citation.ReplaceAllString(text, "")), "**", "")
	text = strings.NewReplacer("‑", "-", "–", "-", "’", "'").Replace(text)
	text = words.ReplaceAllStringFunc(text, func(w string) string {
		if n, ok := numerals[w]; ok {
			return n
		}
		return w
	})
	text = tens.ReplaceAllString(text, "$1$2") // twenty-one: 20-1
	text = withUnit.ReplaceAllString(text, "$1 $2")
	text = thousand.ReplaceAllStringFunc(text, func(n string) string { return strings.ReplaceAll(n, ",", "") })
	text = dayFirst.ReplaceAllStringFunc(text, func(m string) string { p := dayFirst.FindStringSubmatch(m); return day(p[3], p[2], p[1]) })
	text = dayThen.ReplaceAllStringFunc(text, func(m string) string { p := dayThen.FindStringSubmatch(m); return day(p[3], p[1], p[2]) })
	text = percent.ReplaceAllString(text, "$1%")
	return strings.Join(strings.Fields(text), " ")
}

func day(year, month, day string) string {
	m := slices.Index(months, month[:3]) + 1
	d, _ := strconv.Atoi(day) // digits by the pattern
	return year + "-" + pad(m) + "-" + pad(d)
}

func pad(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

// has says whether a text holds a word or number as one: 5 is not in 10.0.0.5, nor 2021 in CVE-2021-44228.
func has(text, what string) bool {
	for from := 0; ; {
		at := strings.Index(text[from:], what)
		if at < 0 {
			return false
		}
		at += from
		if free(text[:at], text[at+len(what):]) {
			return true
		}
		_, size := utf8.DecodeRuneInString(text[at:])
		from = at + size
	}
}

func free(before, after string) bool {
	l, size := utf8.DecodeLastRuneInString(before)
	r, wide := utf8.DecodeRuneInString(after)
	ll, _ := utf8.DecodeLastRuneInString(before[:len(before)-size])
	rr, _ := utf8.DecodeRuneInString(after[wide:])
	joined := func(mark, beyond rune) bool {
		return mark == '_' || (mark == '.' || mark == ',' || mark == '-') && beyond != utf8.RuneError && within(beyond)
	}
	return !within(l) && !within(r) && !joined(l, ll) && !joined(r, rr)
}

// holdsNumber is has for a word with digits in it, in the ways in which one number is written.
func holdsNumber(text, what string) bool {
	if has(text, what) || has(text, strings.TrimPrefix(what, "v")) || has(text, "v"+what) {
		return true
	}
	if plain, ok := strings.CutSuffix(what, ".0"); ok && strings.Count(what, ".") == 1 && has(text, plain) {
		return true
	}
	if digits(what) && has(text, what+".0") {
		return true
	}
	if digits(what) && len(what) == 4 && strings.Contains(text, what+"-") { // the year of a date
		return dateWith(text, what)
	}
	return false
}

var date = regexp.MustCompile(`\b([0-9]{4})-[0-9]{2}-[0-9]{2}\b`)

func dateWith(text, year string) bool {
	return slices.ContainsFunc(date.FindAllStringIndex(text, -1), func(at []int) bool {
		return text[at[0]:at[0]+4] == year && free(text[:at[0]], text[at[1]:])
	})
}

func digits(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsDigit(r) })
}

// told are the words with digits or marks inside: numbers, versions, ids, addresses, names with dots.
func told(text string) []string {
	var out []string
	for _, w := range holds.FindAllString(text, -1) {
		w = strings.Trim(w, "._:/+@-")
		if w != "" && (strings.ContainsFunc(w, unicode.IsDigit) || strings.ContainsAny(w, ".@")) && w != "e.g" && w != "i.e" {
			out = append(out, w)
		}
	}
	return out
}

// clauses are the parts of a sentence that say one thing each.
func clauses(text string) []string {
	var out []string
	for _, p := range parting.Split(text, -1) {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

var parting = regexp.MustCompile(`[,;:](?:\s|$)|\s(?:and|but|while|whereas|although|though|or|nor)\s|\s[-—(]\s?|[()]`)

// stem is a word without its ending, so that "attackers" is "attacker's" and "allowed" is "allows".
func stem(w string) string {
	for _, end := range []string{"'s", "ing", "ies", "ed", "es", "s", "e", "ly"} {
		if s, ok := strings.CutSuffix(w, end); ok && len(s) >= 3 {
			return s
		}
	}
	return w
}

// idle are words that say nothing by themselves; they also tell English.
var idle = set(`a an the this that these those there here it its they them their he she we us our you your i is are was were be been being am
of on in at by for from to with within as into onto over under than then and or but if so while when where which who whose what how why because since
has have had having do does did can could may might must should will would shall not no yes also too both each other another such more most very
about between after before during until up down out off again still just already only per via`)

func set(text string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(text) {
		out[w] = true
	}
	return out
}

// foreign are frequent words of other languages that English does not have.
var foreign = set(`der die das und ist nicht ein eine einen auf mit für sind wird von dem den des im zu sie kein keine oder auch bei nach
el los las que está están una uno del por para con su sus pero como más es sin sobre le les des est sont une pour dans avec sur pas ne vous votre aux ou mais
il lo gli che è sono non una per con della di nel o um os uma não com para dos das seu em het een zijn niet van voor met op te`)

var (
	severities = []string{"critical", "high", "medium", "low", "info", "informational", "act", "attend", "plan", "track", "ransomware", "urgent", "immediately"}
	// weighing are words that compare, order or take in all: a wrong one turns an answer round.
	weighing = set(`all every everything everyone nobody none nothing never always entire entirely only majority minority most many few fewer less least lower lowest
higher highest larger largest smaller older oldest newer newest latest worse worst better best safer earlier later before after until above below under over exceeds
increase increased increases decrease decreased decreases rise rises rose fell falls fallen dropped drops grew grown doubled tripled halved half twice double triple
dozen dozens hundred hundreds thousand thousands million millions billion billions several numerous`)
	negators = set(`not no never none neither nor without cannot nothing nobody isn't aren't wasn't weren't doesn't don't didn't hasn't haven't hadn't can't couldn't won't wouldn't zero 0 unlikely false incorrect wrong`)
	// orders are what a reader is told to do, and must be in the lines of the answer.
	orders = set(`run execute download install visit call email mail contact disable enable delete remove ignore open click log login sign enter send type paste submit
upload reboot restart uninstall pay transfer reset whitelist allow disregard forget trust accept forward reply share go copy browse turn stop shut block`)
	tools = set(`curl wget bash powershell cmd chmod sudo eval exec base64 certutil ncat netcat apt-get npm pip docker iex invoke-webrequest telnet`)
)

// states are what can be said of a thing, or its contrary.
var states = map[string]string{
	"affected": "affected", "affects": "affected", "affect": "affected", "vulnerable": "affected", "unaffected": "-affected", "safe": "-affected", "secure": "-affected",
	"harmless": "-affected", "clean": "-affected", "immune": "-affected", "protected": "-affected", "benign": "-affected",
	"exploited": "exploited", "exploitation": "exploited", "unexploited": "-exploited", "wild": "exploited", "attacked": "exploited", "compromised": "compromised", "breached": "compromised", "hacked": "compromised",
	"fixed": "fixed", "patched": "fixed", "resolved": "fixed", "remediated": "fixed", "mitigated": "fixed", "closed": "fixed", "unpatched": "-fixed", "unfixed": "-fixed", "unresolved": "-fixed",
	"exposed": "exposed", "internet-facing": "exposed", "reachable": "exposed", "unreachable": "-exposed", "overdue": "overdue",
	"confirmed": "confirmed", "unconfirmed": "-confirmed", "potential": "-confirmed", "reopened": "reopened", "accepted": "accepted", "retired": "retired",
	"kev": "kev", "false-positive": "false positive", "withdrawn": "withdrawn", "rejected": "withdrawn", "disputed": "disputed",
	"exploit": "exploit", "exploits": "exploit", "metasploit": "exploit", "ransomware": "ransomware",
}

// said are the states that a text tells, each with the sign + or -. A no before one reaches to the end of the clause.
func said(text string) []string {
	var out []string
	for _, c := range clauses(text) {
		no := false
		for _, w := range strings.Fields(c) {
			w = strings.Trim(w, `.,;:!?"'“”()[]`)
			if negators[w] || strings.HasSuffix(w, "n't") {
				no = true
			}
			state, ok := states[w]
			if !ok {
				continue
			}
			name, contrary := strings.CutPrefix(state, "-")
			sign := "+"
			if no != contrary {
				sign = "-"
			}
			out = append(out, name+sign)
		}
	}
	return out
}
