package answer

import (
	"regexp"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/report"
)

// term is a word of the trade in a sentence or two, with the page that says more.
type term struct {
	names string // as a pattern of words
	title string
	text  string
	page  string
}

// glossary is looked through in order: a longer name stands before one that it holds.
var glossary = []term{
	{`epss`, "EPSS", "EPSS (Exploit Prediction Scoring System, by FIRST) is the probability, from 0 to 1, that a CVE is attacked within the next 30 days. Where EPSS has no value, PatchScout shows its own estimate behind a `~`.", "likelihood.md"},
	{`kev|known exploited`, "KEV", "KEV (Known Exploited Vulnerabilities) is CISA's list of CVEs that are known to be attacked, each with the day on which it was added and the day by which US agencies must fix it.", "sources.md"},
	{`ssvc`, "SSVC", "SSVC (Stakeholder-Specific Vulnerability Categorization) assesses whether a CVE is exploited, whether an attack can be automated and how much an attacker gains; PatchScout's decision rests on such inputs.", "sources.md"},
	{`cvss`, "CVSS", "CVSS (Common Vulnerability Scoring System) says from 0 to 10 how bad a vulnerability is if it is used: 9 and more is critical, 7 and more high, 4 and more medium. It does not say how likely that is.", "findings.md"},
	{`cwe`, "CWE", "CWE (Common Weakness Enumeration, by MITRE) names kinds of flaws, such as CWE-79 for cross-site scripting; a CVE is one flaw in one product.", "sources.md"},
	{`cpe`, "CPE", "CPE is a name of a product with vendor, product and version that CVE records and scanners share; PatchScout matches hosts to CVEs by it.", "match.md"},
	{`cve`, "CVE", "A CVE is the public id of one vulnerability, such as CVE-2021-44228, with a record that says what is affected.", "match.md"},
	{`att&?ck|mitre attack`, "ATT&CK", "ATT&CK (by MITRE) is a catalogue of what attackers do: tactics are their aims, techniques such as T1190 their ways.", "techniques.md"},
	{`vex`, "VEX", "VEX documents say of a product whether a CVE affects it; PatchScout reads them as triage.", "triage.md"},
	{`potential (?:finding|match|vulnerabilit)\w*|potential`, "Potential finding", "A potential finding is one whose evidence is weak, such as a version behind a distribution that backports fixes: it is counted apart and never mixed with the confirmed ones.", "findings.md"},
	{`priority[_ ]score|priority score`, "priority_score", "priority_score is a number from 0 to 1 that orders findings of one decision: it is 0.5 if the CVE is exploited in the wild, plus 0.4 times CVSS / 10, plus 0.1 times how new it is (1 on the day of publication, falling to 0 within 30 days). A term that is not known is left out, and that is said.", "findings.md"},
	{`risk[_ ]removed`, "risk_removed", "risk_removed says by how much the expected weight of compromised jewels drops when a finding is fixed, from the attack paths.", "attack-paths.md"},
	{`jewels?|crown jewels?`, "Jewel", "A jewel is a host that matters to you: tagged `jewel`, it is what attack paths lead to, with the weight of its criticality.", "attack-paths.md"},
	{`attack paths?`, "Attack path", "An attack path is a walk of an attacker from where he stands over weaknesses that were found to a jewel; each step says what it rests on.", "attack-paths.md"},
	{`coverage`, "Coverage", "Coverage is what a run looked at: only what it covered and no longer saw counts as fixed, so that a smaller scan closes nothing.", "imports.md"},
	{`sites?`, "Site", "A site is a network with addresses of its own: the same address in two sites is two hosts, and users may be limited to sites.", "findings.md"},
	{`exit codes?`, "Exit codes", "Exit codes: 0 is fine, 1 something went wrong, 2 the command line or configuration makes no sense, 3 a confirmed finding at or above `--fail-on`, 4 incomplete.", "exit-codes.md"},
	{`decisions?|act|attend|plan|track`, "Decision", "The decision says what to do with a finding: act (at once), attend (soon), plan (with the next updates) or track (watch it). It follows from known exploitation, exposure to the internet, whether an attack can be automated and how much it gains.", "findings.md"},
	{`likelihood`, "Likelihood", "The likelihood is EPSS where there is a value, else PatchScout's estimate on the same scale.", "likelihood.md"},
	{`confidence`, "Confidence", "The confidence of a finding, 0 to 100, says how sure the evidence is; findings below the threshold are potential.", "findings.md"},
	{`triage`, "Triage", "Triage is what people say of a finding: confirmed, false positive, accepted for a time, or out of scope; what is set aside leaves the lists and counts.", "triage.md"},
	{`sla`, "SLA", "The SLA is your own deadline by severity or decision, beside the due date that CISA's order gives.", "triage.md"},
	{`scope`, "Scope", "The scope says what may be scanned at all: rules allow and deny networks and names.", "scope.md"},
	{`workers?`, "Worker", "A worker runs the scanners of one site and hands its results to the server.", "workers.md"},
	{`starter(?: catalogue)?`, "Starter catalogue", "The starter catalogue comes with the program and holds bare facts of part of all CVEs; `patchscout feeds sync` loads all.", "feeds.md"},
	{`feeds?`, "Feed", "A feed is the data of one publisher, such as NVD, KEV or EPSS, loaded with `patchscout feeds sync`.", "feeds.md"},
	{`indicators?(?: of compromise)?|iocs?`, "Indicator", "An indicator of compromise is an address, domain, URL or hash that is known as bad; `patchscout ioc lookup` looks values up.", "techniques.md"},
	{`metasploit`, "Metasploit", "Metasploit is a framework of attack code; a module for a CVE means that nearly anybody can use it.", "sources.md"},
	{`nuclei`, "Nuclei", "Nuclei is a scanner that runs templates; a template for a CVE finds it over the network.", "sources.md"},
	{`exploit-?db`, "Exploit-DB", "Exploit-DB is a public archive of attack code.", "sources.md"},
}

// asksMeaning are the ways in which people ask what a word means. What follows is the word.
var asksMeaning = regexp.MustCompile(`(?i)\b(?:what(?:'s| is| are| does| do)|how (?:is|are|do you|does it)|explain|define|definition of|meaning of|mean(?:s|t)? by|describe|difference between|tell me (?:about|what))\b`)

// terms explains the words of the trade that are asked for.
func (k *desk) terms() bool {
	about := k.Topics
	if len(about) == 0 {
		if !asksMeaning.MatchString(k.Text) && !k.Follows {
			return false
		}
		about = []string{k.Text}
	}
	said, named := 0, ""
	for _, t := range glossary {
		if said > 0 && (len(k.Topics) <= 1 && !strings.Contains(strings.ToLower(k.Text), "difference") || said == 3) {
			break
		}
		whole := regexp.MustCompile(`(?i)(?:^|[^\w])(?:` + t.names + `)(?:[^\w]|$)`)
		if !whole.MatchString(strings.Join(about, " , ") + " ; " + strings.Join(about, " ")) {
			continue
		}
		named += " " + strings.Join(whole.FindAllString(k.Text, -1), " ")
		n := k.d.Cite(report.Source{Kind: "doc", ID: t.page, Title: t.title, Text: t.text, URL: docURL(t.page), From: "PatchScout"})
		k.d.Say([]int{n}, "%s", t.text)
		if said++; said == 1 {
			k.d.Facts.Value = report.Text(t.title)
			k.d.Link = docURL(t.page)
		}
	}
	if said > 0 && len(k.Topics) == 0 && !nothingElse(k.Text, named) {
		*k.d = Draft{}
		return false
	}
	return said > 0 && (len(k.Topics) > 0 && short(k.Text) || len(k.Topics) == 0)
}

// nothingElse says that a question asks for a word and for nothing beside it.
func nothingElse(text, named string) bool {
	names := tellingWords(named)
	for _, w := range tellingWords(text) {
		if !slices.Contains(names, w) && !askingWords[w] {
			return false
		}
	}
	return true
}

// askingWords ask for the meaning of a word.
var askingWords = map[string]bool{"define": true, "definition": true, "meaning": true, "describe": true, "difference": true, "between": true, "term": true,
	"word": true, "stand": true, "acronym": true, "abbreviation": true, "exactly": true, "actually": true, "word's": true, "simple": true, "plain": true, "about": true}

// short questions ask for a word, longer ones for how something is done with it.
func short(text string) bool { return len(tellingWords(text)) <= 4 }
