package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/version"
)

// claim is a way to say something about a CVE, and when it may be said.
type claim struct {
	pattern *regexp.Regexp
	holds   func(f *facts, groups []string) bool
}

func say(pattern string, holds func(f *facts, groups []string) bool) claim {
	return claim{regexp.MustCompile(`(?i)` + pattern), holds}
}

func when(holds func(f *facts) bool) func(*facts, []string) bool {
	return func(f *facts, _ []string) bool { return holds(f) }
}

func metric(name, values string) func(*facts, []string) bool {
	return when(func(f *facts) bool { return f.is(name, values) })
}

func weak(ids string) func(*facts, []string) bool {
	return when(func(f *facts) bool { return f.weak(ids) })
}

// weak says that a cited CWE is one of these numbers.
func (f *facts) weak(ids string) bool {
	return f.cited["cwes"] && slices.ContainsFunc(f.record().CWEs, func(id string) bool {
		return slices.Contains(strings.Fields(ids), strings.TrimPrefix(id, "CWE-"))
	})
}

// codeWords are what a text must hold for "their own code": somebody runs code, commands or programs.
var codeWords = regexp.MustCompile(`(?i)(execut|run|inject)[^.]{0,80}(code|command|program|binar|executable)|(code|command)s?\W+(execution|injection)|(code|command)s? [^.]{0,20}executed`)

// codeKinds are CWEs whose meaning, or whose usual worst outcome, is that the attacker's code runs.
const codeKinds = "77 78 88 94 95 96 98 434 502 506 917 1336 119 120 121 122 123 124 129 131 134 190 191 193 415 416 426 427 428 " +
	"470 494 672 680 749 763 787 788 822 823 824 829 843 913 1321"

func (f *facts) runsCode() bool {
	if f.weak(codeKinds) {
		return true
	}
	return slices.ContainsFunc(f.texts(), codeWords.MatchString)
}

func (f *facts) everything() bool { return f.is("C", "HC") && f.is("I", "HC") && f.is("A", "HC") }

// lexicon holds what explanations may claim, longest first where one stands in another.
var lexicon = slices.Concat(lexiconWho, lexiconGain, lexiconRating, lexiconUse, lexiconDo, lexiconWhat)

var lexiconWho = []claim{
	say(`without logging in and without anyone's help`, when(func(f *facts) bool { return f.is("UI", "N") && f.is("PR", "N") })),
	say(`without logging in`, when(func(f *facts) bool { return f.is("PR", "N") || f.is("Au", "N") })),
	say(`anyone who, over the network, gets a user to do something, such as opening a link or a file,`, when(func(f *facts) bool {
		return f.is("AV", "N") && f.is("UI", "RPA") && f.is("PR", "N")
	})),
	say(`gets a user of the machine to do something, such as opening a prepared file`, when(func(f *facts) bool {
		return f.is("AV", "L") && f.is("UI", "RPA") && f.is("PR", "N")
	})),
	say(`provided that a user is brought to do something, such as opening a link or a file`, metric("UI", "RPA")),
	say(`far-reaching rights(?: on the machine)?(?: on it)?, such as an administrator's`, metric("PR", "H")),
	say(`far-reaching rights on it`, metric("PR", "H")),
	say(`has an account on the machine`, when(func(f *facts) bool { return f.is("AV", "L") && (f.is("PR", "L") || f.is("Au", "SM")) })),
	say(`has an account(?: on it)?|can log in`, when(func(f *facts) bool { return f.is("PR", "L") || f.is("Au", "SM") })),
	say(`can reach it over the network`, metric("AV", "N")),
	say(`on the same local network or within radio range`, metric("AV", "A")),
	say(`can run something on the machine`, metric("AV", "L")),
	say(`lay hands on the device`, metric("AV", "P")),
	say(`only under conditions that the attacker does not control`, when(func(f *facts) bool { return f.is("AC", "H") || f.is("AT", "P") })),
	say(`under somewhat special conditions`, metric("AC", "M")),
	say(`the damage can reach beyond it, to other systems`, when(func(f *facts) bool {
		return f.is("S", "C") || f.is("SC", "H") || f.is("SI", "HS") || f.is("SA", "HS")
	})),
	say(`do damage to other systems that depend on it`, when(func(f *facts) bool {
		return f.is("SC", "LH") || f.is("SI", "LHS") || f.is("SA", "LHS")
	})),
	say(`the rating names no damage that an attacker could do to it`, when(func(f *facts) bool {
		return f.is("C", "N") && f.is("I", "N") && f.is("A", "N")
	})),
	say(`how it can be attacked has not been assessed`, when(func(f *facts) bool { return f.cited["cvss"] && len(f.vector()) < 4 })),
	say(`an attacker who|anyone who`, when(func(f *facts) bool { return f.vector()["AV"] != "" && f.cited["cvss.vector.AV"] })),
}

var lexiconGain = []claim{
	say(`run their own code on it and so take it over`, when(func(f *facts) bool { return f.runsCode() && f.everything() })),
	say(`run their own code on it`, when((*facts).runsCode)),
	say(`run a script of their own in that user's browser`, weak("79 80 87")),
	say(`have actions carried out in that user's name`, weak("352")),
	say(`lead that user on to a site of their choosing`, weak("601")),
	say(`make the browsers of other users run the attacker's script`, weak("79 80 87")),
	say(`have actions carried out in the name of a user who is logged in`, weak("352")),
	say(`make it send requests to other systems on their behalf`, weak("918")),
	say(`lead users on to a site of the attacker's choosing`, weak("601")),
	say(`read and change what is in its database`, when(func(f *facts) bool {
		return f.weak("89") && f.is("C", "LPHC") && f.is("I", "LPHC")
	})),
	say(`read what is in its database`, when(func(f *facts) bool { return f.weak("89") && f.is("C", "LPHC") })),
	say(`change what is in its database`, when(func(f *facts) bool { return f.weak("89") && f.is("I", "LPHC") })),
	say(`take full control of it: read everything, change everything and stop it`, when((*facts).everything)),
	say(`read and change all of its data`, when(func(f *facts) bool { return f.is("C", "HC") && f.is("I", "HC") })),
	say(`read and change some of its data`, when(func(f *facts) bool { return f.is("C", "LP") && f.is("I", "LP") })),
	say(`read all of its data`, metric("C", "HC")),
	say(`read some of its data`, metric("C", "LP")),
	say(`change whatever they like in it`, metric("I", "HC")),
	say(`change some of its data`, metric("I", "LP")),
	say(`make it stop working`, metric("A", "HC")),
	say(`slow it down or interrupt it`, metric("A", "LP")),
}

// grade is FIRST's scale of severities.
func grade(score float64) string {
	switch {
	case score >= 9:
		return "critical"
	case score >= 7:
		return "high"
	case score >= 4:
		return "medium"
	case score >= 0.1:
		return "low"
	default:
		return "harmless"
	}
}

// rated checks "critical, 9.8 of 10 (CVSS 3.1, by the US database NVD)".
func rated(f *facts, g []string) bool {
	m := f.metric()
	by := map[string]bool{
		"the US database NVD": m.Provider == "nvd", "its publisher": m.Provider == "cna",
		"CISA":             strings.EqualFold(m.Source, "134c704f-9b21-4f2e-91b3-4a467353bcc0") || strings.EqualFold(m.Source, "CISA-ADP"),
		"another assessor": m.Provider != "nvd" && m.Provider != "cna",
	}
	return m.Version != "" && f.cited["cvss.score"] && f.cited["cvss.version"] && f.cited["cvss.source"] &&
		g[2] == strconv.FormatFloat(m.Score, 'f', 1, 64) && g[1] == grade(m.Score) && g[3] == m.Version &&
		(by[g[4]] || f.in.Check != nil && g[4] == "PatchScout" && m.Source == "derived" || f.in.Check != nil && g[4] == m.Source)
}

var lexiconRating = []claim{
	say(`rated (critical|high|medium|low|harmless), (\d+\.\d) of 10 \(CVSS ([\d.]+), by ([^()]+)\)`, rated),
	say(`CVSS (\d+\.\d)$`, func(f *facts, g []string) bool {
		return f.cited["cvss.score"] && f.metric().Version != "" && g[1] == strconv.FormatFloat(f.metric().Score, 'f', 1, 64)
	}),
	say(`nobody has scored it yet, so its severity is not known|not scored yet`, when(func(f *facts) bool {
		return f.cited["cvss"] && f.metric().Version == ""
	})),
	say(`calls it (critical|high|medium|low), but nobody has given it a score`, func(f *facts, g []string) bool {
		ok := false
		for _, r := range f.record().Ratings {
			ok = ok || strings.EqualFold(r.Level, g[1])
		}
		return ok && f.cited["ratings"] && f.cited["cvss"] && f.metric().Version == ""
	}),
	say(`the EPSS forecast does not cover it`, when(func(f *facts) bool {
		_, loaded := f.in.Loaded["epss"]
		return f.in.Facts.EPSS == nil && loaded && f.cited["epss"]
	})),
	say(`the EPSS forecast(?: of ·)? +puts the chance of attacks within 30 days at`, when(func(f *facts) bool {
		return f.in.Facts.EPSS != nil && f.cited["epss.score"]
	})),
	say(`the EPSS forecast of +· +puts the chance of attacks within 30 days at`, when(func(f *facts) bool {
		return f.in.Facts.EPSS != nil && f.cited["epss.score"]
	})),
	say(`PatchScout itself estimates the chance of attacks within 30 days at`, when(func(f *facts) bool {
		return f.in.Facts.EPSS == nil && f.in.Verdict.Likelihood != nil && f.cited["likelihood"]
	})),
}

// tells says that a feed was loaded, is cited and has nothing of this CVE.
func (f *facts) silent(name string) bool {
	feed := map[string]string{"metasploit": "metasploit", "exploit-db": "exploitdb", "nuclei": "nuclei"}[strings.ToLower(name)]
	_, loaded := f.in.Loaded[feed]
	return loaded && f.cited["feeds."+feed] && len(f.exploits(feed)) == 0
}

func (f *facts) ssvc(value string) bool {
	s := f.in.Facts.SSVC
	return s != nil && f.cited["ssvc.exploitation"] && strings.EqualFold(s.Exploitation, value)
}

func (f *facts) unlisted() bool {
	_, loaded := f.in.Loaded["kev"]
	return f.in.Facts.KEV == nil && loaded && f.cited["feeds.kev"]
}

func silentAll(f *facts, groups []string) bool {
	for _, name := range groups[1:] {
		if !f.silent(name) {
			return false
		}
	}
	return true
}

func (f *facts) verified() (n int) {
	for _, e := range f.exploits("exploitdb") {
		if e.Verified {
			n++
		}
	}
	return n
}

const tool = `(Metasploit|Exploit-DB|Nuclei)`

var lexiconUse = []claim{
	say(`it is being used in attacks: (?:since +· +it has been|it is) on CISA's list of known exploited vulnerabilities`, when(func(f *facts) bool {
		return f.in.Facts.KEV != nil && f.cited["kev"]
	})),
	say(`used in attacks(?: \(listed on +· +\))?`, when(func(f *facts) bool {
		return f.in.Facts.KEV != nil && f.cited["kev"] || f.ssvc("active") || len(f.record().ExploitedBy) > 0 && f.cited["exploited_by"]
	})),
	say(`which connects it with ransomware`, when(func(f *facts) bool {
		return f.in.Facts.KEV != nil && f.in.Facts.KEV.Ransomware && f.cited["kev.ransomware"]
	})),
	say(`says CISA's assessment`, when(func(f *facts) bool { return f.ssvc("active") })),
	say(`CISA's assessment(?: of +·)? +knows of a proof of concept`, when(func(f *facts) bool { return f.ssvc("poc") })),
	say(`CISA does not list it as known to be exploited(?: \(as of +· +\))?, and its assessment(?: of +·)? +found no attacks`, when(func(f *facts) bool {
		return f.unlisted() && f.ssvc("none")
	})),
	say(`CISA does not list it as known to be exploited(?: \(as of +· +\))?, but its assessment(?: of +·)? +knows of a proof of concept`, when(func(f *facts) bool {
		return f.unlisted() && f.ssvc("poc")
	})),
	say(`CISA does not list it as known to be exploited(?: \(as of +· +\))?`, when((*facts).unlisted)),
	say(`CISA's assessment(?: of +·)? +found no attacks`, when(func(f *facts) bool { return f.ssvc("none") })),
	say(`whether it is being used is not known here, since no list of attacks has been loaded`, when(func(f *facts) bool {
		_, loaded := f.in.Loaded["kev"]
		return !loaded && f.in.Facts.KEV == nil && f.cited["feeds.kev"]
	})),
	say(`neither `+tool+` nor `+tool+` has attack code for it`, silentAll),
	say(`none of `+tool+`, `+tool+` and `+tool+` has anything for it`, silentAll),
	say(tool+` has no attack code for it`, silentAll),
	say(`attack code is public`, when(func(f *facts) bool {
		return f.cited["exploits"] && len(f.in.Facts.Exploits) > len(f.exploits("nuclei"))
	})),
	say(`anyone can look for it with a ready-made check \(Nuclei\)`, when(func(f *facts) bool { return f.cited["exploits"] && len(f.exploits("nuclei")) > 0 })),
	say(`Metasploit has (a module|(\d+) modules) for it`, func(f *facts, g []string) bool {
		n := max(len(f.exploits("metasploit")), 0)
		return f.cited["exploits"] && (g[2] == "" && n == 1 || g[2] == strconv.Itoa(n))
	}),
	say(`disclosed on`, when(func(f *facts) bool { return f.cited["exploits"] && len(f.exploits("metasploit")) > 0 })),
	say(`ranked (\w+)`, func(f *facts, g []string) bool {
		for _, e := range f.exploits("metasploit") {
			if strings.EqualFold(e.Rank, g[1]) {
				return f.cited["exploits"]
			}
		}
		return false
	}),
	say(`Exploit-DB has (an entry|(\d+) entries)`, func(f *facts, g []string) bool {
		n := len(f.exploits("exploitdb"))
		return f.cited["exploits"] && (g[2] == "" && n == 1 || g[2] == strconv.Itoa(n))
	}),
	say(`(?:(\d+|one) of them |(all) )?verified to work`, func(f *facts, g []string) bool {
		n := f.verified()
		switch {
		case !f.cited["exploits"]:
			return false
		case g[1] == "one":
			return n == 1
		case g[1] != "":
			return g[1] == strconv.Itoa(n)
		default:
			return n == len(f.exploits("exploitdb"))
		}
	}),
}

// days of the decisions, as BOD 26-04 has them.
var days = map[string]string{"act": "3", "attend": "14", "plan": "60"}

// within checks a time: a number of days of the cited decision.
func (f *facts) within(text, field string) bool {
	decision := string(f.in.Verdict.Decision)
	if field == "decision.not_exposed" {
		decision = f.elsewhere()
	}
	if !f.cited[field] {
		return false
	}
	if strings.HasPrefix(text, "with the next") {
		return decision == "track"
	}
	return text == "within "+days[decision]+" days"
}

// elsewhere is the row of BOD 26-04's table for a system that is not exposed.
func (f *facts) elsewhere() string {
	v := f.in.Verdict
	switch {
	case v.KEV && v.Automatable && v.Total:
		return "act"
	case v.KEV:
		return "attend"
	case v.Automatable:
		return "plan"
	default:
		return "track"
	}
}

const span = `(within \d+ days|with the next regular upgrade)`

// fixedBy says that a version ends the affected range of a product, and that no affected one lies behind it.
func (f *facts) fixedBy(text string, last bool) bool {
	for key := range f.products() {
		found, behind := false, false
		for _, l := range f.leaves() {
			if l.vendor+":"+l.product != key {
				continue
			}
			m := l.match
			found = found || unescaped.Replace(m.EndExcluding) == text
			switch end := m.EndIncluding + l.version; {
			case m.EndExcluding != "":
				behind = behind || version.Compare(unescaped.Replace(m.EndExcluding), text) > 0
			case end == "":
				behind = true
			default:
				behind = behind || version.Compare(unescaped.Replace(end), text) >= 0
			}
		}
		if found && (!behind || !last) {
			return f.cited["configurations"]
		}
	}
	return false
}

func (f *facts) tagged(tag string) bool {
	if !f.cited["references"] {
		return false
	}
	for _, r := range f.record().References {
		if slices.Contains(r.Tags, tag) {
			return true
		}
	}
	return false
}

func (f *facts) asked(words ...string) bool {
	k := f.in.Facts.KEV
	return k != nil && f.cited["kev.required_action"] && slices.ContainsFunc(words, func(w string) bool {
		return strings.Contains(strings.ToLower(k.RequiredAction), w)
	})
}

// unfixed says that some product of the record has no version which is known to be good.
func (f *facts) unfixed() bool {
	if len(f.products()) == 0 {
		return true
	}
	for _, l := range f.leaves() {
		if l.match.EndExcluding == "" {
			return true
		}
	}
	return false
}

var lexiconDo = []claim{
	say(span+` on systems that can be reached from the internet, and `+span+` elsewhere`, func(f *facts, g []string) bool {
		return f.within(g[1], "decision") && f.within(g[2], "decision.not_exposed") && slices.Contains(f.in.Verdict.Assumed, "exposed")
	}),
	say(span+` on systems that can be reached from the internet; elsewhere it can wait for the next regular upgrade`, func(f *facts, g []string) bool {
		return f.within(g[1], "decision") && f.cited["decision.not_exposed"] && f.elsewhere() == "track" &&
			slices.Contains(f.in.Verdict.Assumed, "exposed")
	}),
	say(span+`, since its system can be reached from the internet`, func(f *facts, g []string) bool {
		return f.within(g[1], "decision") && f.in.Verdict.Exposed && f.cited["exposed"] && !slices.Contains(f.in.Verdict.Assumed, "exposed")
	}),
	say(span, func(f *facts, g []string) bool { return f.within(g[1], "decision") }),
	say(`no fixed version is recorded`, when(func(f *facts) bool { return f.cited["configurations"] && f.unfixed() })),
	say(`update +· +to (?:the fixed version of its line \((.+?)\)|(\S+)) or later`, func(f *facts, g []string) bool {
		if g[2] != "" {
			return f.fixedBy(g[2], true)
		}
		for _, v := range strings.Split(strings.ReplaceAll(g[1], " or ", ", "), ", ") {
			if !f.fixedBy(v, false) {
				return false
			}
		}
		return true
	}),
	say(`update +· +to the fixed version of its line \(the record names (\d+), the newest is (\S+)\)`, func(f *facts, g []string) bool {
		ends := map[string]bool{}
		for _, l := range f.leaves() {
			ends[l.match.EndExcluding] = true
		}
		delete(ends, "")
		n, _ := strconv.Atoi(g[1])
		return n <= len(ends) && f.fixedBy(g[2], true)
	}),
	say(`update each product to the fixed version that the record names for it`, when(func(f *facts) bool {
		for key := range f.products() {
			ok := false
			for _, l := range f.leaves() {
				ok = ok || l.vendor+":"+l.product == key && l.match.EndExcluding != ""
			}
			if !ok {
				return false
			}
		}
		return f.cited["configurations"]
	})),
	say(`but CISA asks users to install a fix or stop using it; do so`, when(func(f *facts) bool { return f.asked("discontinue", "disconnect") })),
	say(`but CISA asks users to take it out of use; do so`, when(func(f *facts) bool { return f.asked("disconnect") && !f.asked("apply") })),
	say(`but CISA asks users to install the vendor's fix; do so`, when(func(f *facts) bool { return f.asked("update", "patch") })),
	say(`the record links to a patch`, when(func(f *facts) bool { return f.tagged("Patch") })),
	say(`the record links to the vendor's advisory`, when(func(f *facts) bool { return f.tagged("Vendor Advisory") })),
	say(`install the vendor's fix or shield it from attackers`, when(func(f *facts) bool { return f.tagged("Patch") || f.tagged("Vendor Advisory") })),
	say(`shield it from attackers or do without it|look for a fix`, when(func(f *facts) bool { return f.cited["configurations"] && f.unfixed() })),
	say(`also look for signs that it has already been attacked`, when(func(f *facts) bool { return f.in.Verdict.Forensics && f.cited["forensics"] })),
	say(`where facts are missing, this assumes the worst`, when(func(f *facts) bool {
		return f.cited["assumed"] && slices.ContainsFunc(f.in.Verdict.Assumed, func(s string) bool { return s != "exposed" })
	})),
	say(`deal with it`, when(func(f *facts) bool { return f.in.Check != nil && f.cited["check"] })),
	say(` by +· `, when(func(f *facts) bool { return f.cited["due"] })),
	say(`by when has not been decided`, when(func(f *facts) bool { return f.in.Verdict.Decision == "" && f.cited["decision"] })),
	say(`nothing needs to be done about it`, when(func(f *facts) bool { return f.withdrawn() && f.in.Facts.KEV == nil })),
	say(`and yet CISA still has it on its list of known exploited vulnerabilities(?:, since +·)?`, when(func(f *facts) bool {
		return f.cited["kev"] && f.in.Facts.KEV != nil
	})),
	say(`these authorities contradict each other: ask the vendor before relying on the withdrawal`, when(func(f *facts) bool {
		return f.withdrawn() && f.cited["kev"] && f.in.Facts.KEV != nil
	})),
}

func (f *facts) withdrawn() bool {
	words := f.record().Description
	return f.cited["status"] && f.record().Status == "Rejected" ||
		f.cited["description"] && (strings.HasPrefix(words, "** REJECT **") || strings.HasPrefix(words, "Rejected reason:"))
}

var lexiconWhat = []claim{
	say(`has been withdrawn(?: by those who assigned it and does not count as a vulnerability of its own)?`, when((*facts).withdrawn)),
	say(`who notes that others dispute it`, when(func(f *facts) bool {
		return f.cited["description"] && strings.Contains(f.record().Description, "DISPUTED")
	})),
	say(`who notes that the product is no longer supported`, when(func(f *facts) bool {
		return f.cited["description"] && strings.Contains(f.record().Description, "UNSUPPORTED")
	})),
	say(`but its description speaks of attackers who run their own code`, when(func(f *facts) bool {
		return f.cited["description"] && codeWords.MatchString(f.record().Description)
	})),
	say(`but its title speaks of attackers who run their own code`, when(func(f *facts) bool {
		return f.cited["title"] && codeWords.MatchString(f.record().Title)
	})),
	say(`but CISA's name for it speaks of attackers who run their own code`, when(func(f *facts) bool {
		return f.in.Facts.KEV != nil && f.cited["kev.name"] && codeWords.MatchString(f.in.Facts.KEV.Name)
	})),
	say(`^(?:nothing has been published|nothing published yet)`, when(func(f *facts) bool { return f.record().Description == "" && f.cited["description"] })),
}
