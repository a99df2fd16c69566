package answer

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/report"
)

// plainly says what a CVE is to somebody who knows nothing of the trade: what it is about, what an attacker gains, whether it
// is used, and what to do by when.
func (k *desk) plainly(ctx context.Context, c *report.CVE, n int) error {
	where, err := k.plainProduct(ctx, c)
	if err != nil {
		return err
	}
	one := []int{n}
	switch attack := plainAttack(c); {
	case where != "" && attack != "":
		k.d.Say(one, "**%s** is a flaw in %s: %s.", c.ID, where, attack)
	case where != "":
		k.d.Say(one, "**%s** is a flaw in %s. Nobody has assessed yet how much damage it can do.", c.ID, where)
	case attack != "":
		k.d.Say(one, "**%s** is a flaw in software that its record does not name: %s.", c.ID, attack)
	default:
		k.d.Say(one, "**%s** is a flaw of which little is published. Its publisher writes: “%s”", c.ID, sentencesOf(string(c.Description), 260))
	}
	k.d.Say(one, "%s", strings.Join(plainUse(c), " "))
	k.d.Say(one, "%s", plainDo(c))
	return nil
}

// plainProduct names what a CVE is in, without versions: the products of its record, else what CISA calls it.
func (k *desk) plainProduct(ctx context.Context, c *report.CVE) (string, error) {
	var names []string
	all := &desk{Asked: &Asked{}, d: &Draft{}}
	for _, s := range all.ranges(c) {
		if !slices.Contains(names, s.name) {
			names = append(names, s.name)
		}
	}
	switch {
	case len(names) == 1:
		return names[0], nil
	case len(names) == 2:
		return and(names), nil
	case len(names) > 2:
		return fmt.Sprintf("%s and %s", names[0], report.Plural(len(names)-1, "other product", "other products")), nil
	}
	id, err := cve.ParseID(c.ID)
	if err != nil || inKEV(c) == 0 {
		return "", err
	}
	entries, err := k.Desk.KEVEntries(ctx)
	for _, e := range entries {
		if e.CVE == id {
			name := quoted(e.Product, 80)
			if !strings.HasPrefix(strings.ToLower(name), strings.ToLower(e.Vendor)) {
				name = quoted(e.Vendor, 60) + " " + name
			}
			return strings.TrimSpace(name), err
		}
	}
	return "", err
}

// plainAttack is who can do what, without words of the trade, "" where nobody has assessed it.
func plainAttack(c *report.CVE) string {
	for _, s := range c.Explanation {
		if s.Topic != "attack" || strings.Contains(s.Text, "not been assessed") {
			continue
		}
		text := strings.TrimRight(quoted(s.Text, 400), ".")
		if text != "" {
			text = strings.ToLower(text[:1]) + text[1:]
		}
		return plainWords.Replace(text)
	}
	if words := strings.ToLower(string(c.Title) + " " + string(c.Description)); words != "" {
		for _, w := range plainGains {
			if strings.Contains(words, w.word) {
				return "an attacker could " + w.gain
			}
		}
	}
	return ""
}

// plainWords replaces what only people of the trade say.
var plainWords = strings.NewReplacer("run their own code on it", "run programs of their own on it", "run their own code", "run programs of their own",
	"have a script run", "act")

// plainGains are what records without a score say, by the words that they use for it.
var plainGains = []struct{ word, gain string }{
	{"remote code execution", "run programs of their own on the system from afar, and so take it over"},
	{"execute arbitrary code", "run programs of their own on the system, and so take it over"},
	{"execute code", "run programs of their own on the system, and so take it over"},
	{"code execution", "run programs of their own on the system, and so take it over"},
	{"command injection", "give the system commands of their own, and so take it over"},
	{"elevation of privilege", "gain far more rights than they should have"},
	{"privilege escalation", "gain far more rights than they should have"},
	{"authentication bypass", "get in without logging in"},
	{"bypass authentication", "get in without logging in"},
	{"sql injection", "read or change what is in the database"},
	{"path traversal", "read files that are none of their business"},
	{"directory traversal", "read files that are none of their business"},
	{"information disclosure", "read data that is none of their business"},
	{"denial of service", "make the system stop working"},
	{"cross-site scripting", "act in the name of people who use the site"},
}

// plainUse says without words of the trade whether a CVE is used, and by whom it could be.
func plainUse(c *report.CVE) (text []string) {
	switch {
	case c.Ransomware != nil && *c.Ransomware:
		text = append(text, "It is being used in attacks, also by gangs that lock up data for ransom.")
	case inKEV(c) == 1 || len(c.ExploitedBy) > 0:
		text = append(text, "It is being used in attacks.")
	case c.KEV != nil:
		text = append(text, "No attacks with it are known to the US agency that lists them.")
	default:
		text = append(text, "Whether it is used in attacks is not known here.")
	}
	attacks := slices.ContainsFunc(c.Exploits, func(x report.Exploit) bool { return x.Source != "nuclei" })
	switch {
	case attacks:
		text = append(text, "Ready-made means to attack it are public, for anybody to use.")
	case len(c.Exploits) > 0:
		text = append(text, "Anybody can look for systems that have it with a ready-made check.")
	}
	return text
}

// plainDo says what is to be done, and by when.
func plainDo(c *report.CVE) string {
	what := "install the vendor's update"
	when := map[string]string{"act": "within 3 days, as it cannot wait", "attend": "within 14 days", "plan": "with the next round of updates", "track": "with the next round of updates; there is no hurry"}[string(c.Decision)]
	if days := daysOf(c); days != "" {
		when = days
	}
	text := "What to do: " + what
	if when != "" {
		text += " " + when
	}
	text += "."
	for _, s := range c.Explanation {
		if s.Topic == "do" && strings.Contains(s.Text, "already been attacked") {
			text += " Have somebody look for signs of a break-in, too."
		}
	}
	return text
}

var inDays = regexp.MustCompile(`within (\d+) days`)

// daysOf is the time that the explanation gives.
func daysOf(c *report.CVE) string {
	for _, s := range c.Explanation {
		if s.Topic == "do" {
			if m := inDays.FindString(s.Text); m != "" {
				return m
			}
		}
	}
	return ""
}

// gained asks what an attacker can do, from where and with what.
var gained = regexp.MustCompile(`(?i)\b(?:could|can|may|does|do|is|what)\b.*\b(?:attacker|hacker|somebody|someone|remote|remotely|over the network|internet|log(?:ged|ging)? ?in|login|authenticat\w*|account|password|user interaction|click|physical|run code|execute code|take over|steal|read)\b`)

// What is asked of an attack, with what says so in the sentence on it.
var attackAsks = []struct {
	asks *regexp.Regexp
	yes  func(v map[string]string, text string) *bool
}{
	{regexp.MustCompile(`(?i)\b(?:remote|remotely|over the network|internet|from afar)\b`), func(v map[string]string, _ string) *bool { return vectorIs(v, "AV", "N") }},
	{regexp.MustCompile(`(?i)\b(?:physical\w*)\b`), func(v map[string]string, _ string) *bool { return vectorIs(v, "AV", "P") }},
	{regexp.MustCompile(`(?i)\b(?:without|no|not|unauthenticated)\b.*\b(?:log\w*|login|authenticat\w*|account|password|credentials)\b|\bunauthenticated\b`), func(v map[string]string, _ string) *bool { return loginNeeded(v, false) }},
	{regexp.MustCompile(`(?i)\b(?:log\w*|login|authenticat\w*|account|password|credentials)\b`), func(v map[string]string, _ string) *bool { return loginNeeded(v, true) }},
	{regexp.MustCompile(`(?i)\b(?:user interaction|click|open(?:s)? a|user's help)\b`), func(v map[string]string, _ string) *bool {
		if no := vectorIs(v, "UI", "N"); no != nil {
			return truth(!*no)
		}
		return nil
	}},
	{regexp.MustCompile(`(?i)\b(?:code|commands?|programs?|take over|takeover)\b`), func(_ map[string]string, text string) *bool {
		return truth(strings.Contains(text, "own code") || strings.Contains(text, "full control") || strings.Contains(text, "take it over") || strings.Contains(text, "remote code execution"))
	}},
	{regexp.MustCompile(`(?i)\b(?:steal|read|leak|data)\b`), func(v map[string]string, _ string) *bool {
		if no := vectorIs(v, "C", "N"); no != nil {
			return truth(!*no)
		}
		return nil
	}},
}

func vectorIs(v map[string]string, name, value string) *bool {
	if v[name] == "" {
		return nil
	}
	return truth(v[name] == value)
}

func loginNeeded(v map[string]string, asked bool) *bool {
	none := vectorIs(v, "PR", "N")
	if none == nil {
		none = vectorIs(v, "Au", "N")
	}
	if none == nil {
		return nil
	}
	return truth(!*none == asked)
}

// gains answers what an attacker can do with a CVE.
func (k *desk) gains(c *report.CVE) error {
	n := k.d.Cite(recordSource(c))
	text := ""
	for _, s := range c.Explanation {
		if s.Topic == "attack" {
			text = quoted(s.Text, 400)
		}
	}
	values := map[string]string{}
	for part := range strings.SplitSeq(string(c.CVSSVector), "/") {
		name, value, _ := strings.Cut(part, ":")
		values[name] = value
	}
	k.d.Link, k.d.Command = "/catalogue/"+c.ID, "patchscout cve "+c.ID
	k.data("nvd")
	if text == "" {
		text = "How it can be attacked has not been assessed."
	}
	before := ""
	if k.Measure != understand.Explain && k.Measure != understand.List && !regexp.MustCompile(`(?i)^\s*(?:what|how|who|which)\b`).MatchString(k.Text) {
		for _, a := range attackAsks {
			if !a.asks.MatchString(k.Text) {
				continue
			}
			if yes := a.yes(values, strings.ToLower(text+" "+string(c.Title))); yes != nil {
				k.d.Facts.Yes, before = yes, yesText(*yes)+". "
			}
			break
		}
	}
	k.d.Facts.Value = report.Text(text)
	k.d.Say([]int{n}, "%sOf **%s**: %s", before, c.ID, text)
	if k.Attribute == understand.Vector {
		k.d.Say([]int{n}, "%s", vectorFact(c).text)
	}
	k.aged()
	k.next(c.ID, nil)
	return nil
}

var earlier = regexp.MustCompile(`(?i)\b(?:earlier|earliest|first|sooner|older|oldest|before)\b`)

// first says that of what is compared the least or earliest is asked for.
func (k *desk) first() bool {
	switch k.Attribute {
	case understand.Published, understand.KEVAttr, understand.Due:
		return k.Least || earlier.MatchString(k.Text)
	}
	return k.Least
}

// leads says what the first of those that are compared has more of, "" where it is just the worse one.
func (k *desk) leads() string {
	low := k.first()
	pick := func(high, least string) string {
		if low {
			return least
		}
		return high
	}
	switch k.Attribute {
	case understand.CVSS, understand.Severity:
		return pick("has the higher CVSS", "has the lower CVSS")
	case understand.EPSS, understand.Likelihood:
		return pick("has the higher EPSS", "has the lower EPSS")
	case understand.Published:
		return pick("was published later", "was published earlier")
	case understand.KEVAttr, understand.Due:
		return pick("was added to KEV later", "was added to KEV earlier")
	case understand.Exploits:
		return pick("has more public exploits", "has fewer public exploits")
	}
	return ""
}
