package intel

import (
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/cve"
)

// Rule derives a technique from a CVE's weaknesses and CVSS vector. docs/techniques.md has the table with its figures.
type Rule struct {
	Bit        uint   // its place in RuleBits, stable for ever: stores filter by it
	Technique  string // "T1190"
	Kind       string // MappingExploitation or MappingPrimary
	Confidence int    // 20..75
	Text       string // what holds of the CVE, for people

	fires func(*traits) bool
}

// DerivedSource is the Source of a TechniqueLink that a rule gave.
const DerivedSource = "derived"

// rules are ordered by Bit. The figures are what the Center for Threat-Informed Defense says of the same CVEs: of those
// where the rule fires and CTID (KEV of 2025-07-28, ATT&CK 16.1, enterprise) names techniques of the rule's kind, in how
// many it names this technique, its parent or a sub-technique of it. Confidence is that share, rounded to 5. Rules of
// fewer than ten cases cannot be judged: they stand in CTID's own method (vulnerability type -> technique) and have
// the lowest confidence. TestMeasureRules computes the figures.
//
// What did not hold and is no rule: user interaction and memory corruption -> T1203 as exploitation (3 of 27) and
// T1059.007 (6 of 27); permissions and privileges (CWE-250, 269, 732, …) -> T1068 (2 of 11); access control -> T1078
// as impact (5 of 60); files -> T1005 by weakness alone (6 of 31); hard-coded credentials -> T1078 as exploitation
// (0 of 4).
var rules = []Rule{
	// 51 of 73
	{0, "T1190", MappingExploitation, 70, "anyone on the network can use it: injection, file handling or access control",
		func(t *traits) bool { return t.anonymous() && t.is(injection|files|access) }},
	// 13 of 24
	{1, "T1190", MappingExploitation, 55, "anyone on the network can use it without a user's help (CVSS 3 or 4)",
		func(t *traits) bool { return t.anonymous() && t.newer && !t.is(injection|files|access) }},
	// 5 of 16
	{2, "T1190", MappingExploitation, 30, "a user of the service can use it over the network: injection, file handling or access control",
		func(t *traits) bool { return t.network && t.account && t.unaided && t.is(injection|files|access) }},
	// 16 of 51
	{3, "T1078", MappingExploitation, 30, "whoever uses it needs an account",
		func(t *traits) bool { return t.account }},
	// 11 of 27
	{4, "T1068", MappingExploitation, 40, "a local user can use it",
		func(t *traits) bool { return t.local && t.account }},
	// 16 of 40
	{5, "T1204", MappingExploitation, 40, "a user must open something that comes over the network",
		func(t *traits) bool { return t.network && t.aided && !t.is(script|forgery|redirect) }},
	// 9 of 27
	{6, "T1189", MappingExploitation, 35, "a user must open something that comes over the network, and memory is corrupted",
		func(t *traits) bool { return t.network && t.aided && t.is(memory) }},
	// 4 of 11
	{7, "T1204.001", MappingExploitation, 35, "cross-site scripting",
		func(t *traits) bool { return t.is(script) }},
	// 8 of 11
	{8, "T1059.007", MappingPrimary, 75, "cross-site scripting",
		func(t *traits) bool { return t.is(script) }},
	// 68 of 95
	{9, "T1059", MappingPrimary, 70, "what is sent is run: injection of commands, code or queries, unsafe deserialization, file upload",
		func(t *traits) bool { return t.is(code) }},
	// 23 of 45
	{10, "T1059", MappingPrimary, 50, "anyone on the network can use it and gains all (CVSS 3 or 4)",
		func(t *traits) bool { return t.anonymous() && t.newer && t.allHigh() && !t.is(code) }},
	// 5 of 14
	{11, "T1005", MappingPrimary, 35, "it only discloses, over the network",
		func(t *traits) bool { return t.network && t.c != none && t.c != 0 && t.i == none && t.a == none }},
	// 4 of 15
	{12, "T1203", MappingPrimary, 25, "a user must open something that comes over the network, and memory is corrupted",
		func(t *traits) bool { return t.network && t.aided && t.is(memory) }},

	// Fewer than ten cases each.
	{13, "T1499.004", MappingPrimary, 20, "it only stops the service", // 1 of 4
		func(t *traits) bool { return t.c == none && t.i == none && t.a == high }},
	{14, "T1204.001", MappingExploitation, 20, "cross-site request forgery", // 0 of 1
		func(t *traits) bool { return t.is(forgery) }},
	{15, "T1566.002", MappingExploitation, 20, "a trusted site sends its users elsewhere", // none
		func(t *traits) bool { return t.is(redirect) }},
	{16, "T1110", MappingExploitation, 20, "passwords can be tried without end, or are weak", // none
		func(t *traits) bool { return t.is(guessing) }},
	{17, "T1078.001", MappingPrimary, 20, "a credential that is built in", // 0 of 1
		func(t *traits) bool { return t.is(builtIn) }},
	{18, "T1552", MappingPrimary, 20, "credentials that are kept or sent unprotected", // none
		func(t *traits) bool { return t.is(secrets) }},
	{19, "T1574", MappingPrimary, 20, "a program or library is looked for where others can put theirs", // 0 of 1
		func(t *traits) bool { return t.is(search) }},
	{20, "T1505.003", MappingPrimary, 20, "any file can be uploaded", // 1 of 5
		func(t *traits) bool { return t.is(upload) }},
}

// Rules lists the rules by which techniques are derived, ordered by Bit. Do not change the slice.
func Rules() []Rule { return rules }

// RuleBits says which rules fire for a record: bit Rule.Bit is set. A rejected record has none. Safe for concurrent use.
func RuleBits(r *cve.Record) (bits uint32) {
	t := traitsOf(r)
	if t == nil {
		return 0
	}
	for i := range rules {
		if rules[i].fires(t) {
			bits |= 1 << rules[i].Bit
		}
	}
	return bits
}

// DeriveTechniques gives the techniques that the rules see in a record, the surest first, each technique once for a kind.
func DeriveTechniques(r *cve.Record) []TechniqueLink {
	var links []TechniqueLink
	for bits, i := RuleBits(r), 0; i < len(rules); i++ {
		if bits&(1<<rules[i].Bit) == 0 {
			continue
		}
		links = append(links, TechniqueLink{
			Technique: rules[i].Technique, Kind: rules[i].Kind, Source: DerivedSource, Confidence: rules[i].Confidence,
			Reason: rules[i].Text,
		})
	}
	slices.SortStableFunc(links, func(a, b TechniqueLink) int { return b.Confidence - a.Confidence })
	return once(links)
}

// once keeps the first link of each technique and kind.
func once(links []TechniqueLink) []TechniqueLink {
	kept := links[:0]
	for _, l := range links {
		same := func(k TechniqueLink) bool { return k.Technique == l.Technique && k.Kind == l.Kind }
		if !slices.ContainsFunc(kept, same) {
			kept = append(kept, l)
		}
	}
	return kept
}

// Techniques joins what is published of a CVE with what is derived: published mappings first, in their order, and
// derived ones only of a kind of which nothing is published. Who looked at the CVE knows better than a rule.
func Techniques(r *cve.Record, published []Mapping) []TechniqueLink {
	var links []TechniqueLink
	for _, m := range published {
		links = append(links, TechniqueLink{
			Technique: m.Technique, Kind: m.Kind, Source: m.Source, Confidence: 100, Reason: m.Comment,
		})
	}
	links = once(links)
	for _, l := range DeriveTechniques(r) {
		same := func(m Mapping) bool { return m.Kind == l.Kind }
		if !slices.ContainsFunc(published, same) {
			links = append(links, l)
		}
	}
	return links
}

// traits are what the rules ask of a record.
type traits struct {
	weaknesses class

	newer   bool // CVSS 3 or 4, which say whether a user must help
	network bool // attack vector network or adjacent
	local   bool
	open    bool // no privileges needed
	account bool // some are
	unaided bool // no user must help
	aided   bool // one must
	c, i, a level
}

// level is a loss: of CVSS 2, "complete" is high and "partial" low.
type level byte

const (
	none level = 'N'
	low  level = 'L'
	high level = 'H'
)

func (t *traits) is(c class) bool { return t.weaknesses&c != 0 }

// anonymous: anyone who reaches it, without an account and without a user's help.
func (t *traits) anonymous() bool { return t.network && t.open && t.unaided }

func (t *traits) allHigh() bool { return t.c == high && t.i == high && t.a == high }

// traitsOf reads a record, nil for one that was rejected.
func traitsOf(r *cve.Record) *traits {
	if r == nil || r.Rejected() {
		return nil
	}
	var t traits
	for _, id := range r.CWEs {
		t.weaknesses |= classes[id]
	}
	if best, ok := r.Score(); ok && len(best.Vector) <= maxVector {
		t.readVector(best.Vector)
	}
	return &t
}

// maxVector is longer than a CVSS 4.0 vector with every metric set.
const maxVector = 512

// readVector reads the base metrics of any CVSS version; what is odd or missing stays unknown.
func (t *traits) readVector(vector string) {
	complexity := ""
	for part := range strings.SplitSeq(strings.Trim(vector, "()"), "/") {
		metric, value, _ := strings.Cut(part, ":")
		switch metric {
		case "AV":
			t.network = value == "N" || value == "A"
			t.local = value == "L"
		case "PR":
			t.newer = true
			t.open, t.account = value == "N", value == "L" || value == "H"
		case "Au":
			t.open, t.account = value == "N", value == "S" || value == "M"
		case "UI":
			t.unaided, t.aided = value == "N", value == "R" || value == "P" || value == "A"
		case "AC":
			complexity = value
		case "C", "VC":
			t.c = loss(value)
		case "I", "VI":
			t.i = loss(value)
		case "A", "VA":
			t.a = loss(value)
		}
	}
	if !t.newer && t.network {
		// CVSS 2 does not ask for a user's help; NVD wrote "medium" complexity where a victim must open something.
		t.unaided, t.aided = complexity == "L", complexity == "M"
	}
}

func loss(value string) level {
	switch value {
	case "N":
		return none
	case "L", "P":
		return low
	case "H", "C":
		return high
	default:
		return 0
	}
}

// LinkedTechniques is Techniques for who knows the rules that fire (RuleBits) and wants no more than the ids.
func LinkedTechniques(bits uint32, published []Mapping) []string {
	var ids []string
	for _, m := range published {
		ids = append(ids, m.Technique)
	}
	for i := range rules {
		same := func(m Mapping) bool { return m.Kind == rules[i].Kind }
		if bits&(1<<rules[i].Bit) != 0 && !slices.ContainsFunc(published, same) {
			ids = append(ids, rules[i].Technique)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
