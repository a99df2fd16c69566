package intel

import (
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
)

// Technique is one ATT&CK technique or sub-technique (MITRE ATT&CK, STIX 2.1 attack-pattern). Lists are sorted by id.
type Technique struct {
	ID          string // "T1190", "T1059.001"
	Domain      string // enterprise, mobile, ics
	Name        string
	Description string   // MITRE's text, Markdown and citations as published
	Detection   string   // how it is noticed, "" where MITRE does not say
	Parent      string   // "T1059" of a sub-technique, else ""
	Tactics     []string // short names, "initial-access", in the order published
	Platforms   []string
	Mitigations []Named // how it is prevented: courses of action
	Groups      []Named // who uses it
	Software    []Named // malware and tools that use it
	Modified    time.Time
	URL         string

	// A revoked technique stays known under its id and names its successor; a deprecated one has none. Either lists
	// nothing else than its name.
	Revoked    bool
	Deprecated bool
	ReplacedBy string
}

// Named is something that ATT&CK knows by id and name, with what is said of it in this place ("" if nothing).
type Named struct {
	ID   string // "M1048", "G0007", "S0154"
	Name string
	Note string
}

// Tactic is what an attacker wants to reach at a stage.
type Tactic struct {
	ID     string // "TA0001"
	Short  string // "initial-access"
	Domain string
	Name   string
	Order  int // its place in the domain's matrix, from 0
}

// The kinds of a Mapping, as the Center for Threat-Informed Defense names them.
const (
	MappingExploitation = "exploitation_technique"
	MappingPrimary      = "primary_impact"
	MappingSecondary    = "secondary_impact"
	MappingOther        = "uncategorized"
)

// Mapping is one published statement that a CVE is exploited by, or leads to, a technique.
type Mapping struct {
	CVE       cve.ID
	Technique string
	Kind      string // one of the Mapping constants
	Comment   string
	Source    string    // "ctid"
	Date      time.Time // of the mapping set
}

// TechniqueLink is a technique of one CVE with where we have it from.
type TechniqueLink struct {
	Technique  string
	Kind       string // one of the Mapping constants
	Source     string // "ctid", or "derived" from CWE and CVSS by the rules of this package
	Confidence int    // 0..100; 100 for published ones
	Reason     string // the rule, or the publisher's comment
}

// Weakness is one CWE entry, or a part of one: the files of the feed "cwe" arrive one by one, and CAPEC's file gives
// Weaknesses that hold only ID, CAPECs and Techniques. Merge joins the parts in any order.
type Weakness struct {
	ID          string // "CWE-79"
	Name        string
	Abstraction string // Pillar, Class, Base, Variant, Compound
	Status      string // Stable, Draft, Incomplete, Deprecated
	Description string
	Parents     []string // "CWE-74": ChildOf in the Research view (1000)
	CAPECs      []string // "CAPEC-63"
	Techniques  []string // ATT&CK ids that CAPEC's taxonomy mappings name: weak evidence, see docs
}

// Merge returns what two parts of one entry say together: texts of the one that has them, lists joined, sorted by
// number and without duplicates.
func (w Weakness) Merge(other Weakness) Weakness {
	text := func(mine *string, theirs string) {
		if *mine == "" {
			*mine = theirs
		}
	}
	text(&w.ID, other.ID)
	text(&w.Name, other.Name)
	text(&w.Abstraction, other.Abstraction)
	text(&w.Status, other.Status)
	text(&w.Description, other.Description)
	w.Parents = joinIDs(w.Parents, other.Parents)
	w.CAPECs = joinIDs(w.CAPECs, other.CAPECs)
	w.Techniques = joinIDs(w.Techniques, other.Techniques)
	return w
}

func joinIDs(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.SortFunc(all, CompareIDs)
	return slices.Compact(all)
}

// CompareIDs orders "CWE-79" before "CWE-564", and techniques as text.
func CompareIDs(a, b string) int {
	if len(a) != len(b) && strings.Contains(a, "-") {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// IsTechniqueID says whether a text has the form of a technique's id, "T1059", or a sub-technique's, "T1059.001".
func IsTechniqueID(s string) bool {
	parent, sub, isSub := strings.Cut(s, ".")
	return len(parent) == 5 && parent[0] == 'T' && isDigits(parent[1:]) && (!isSub || len(sub) == 3 && isDigits(sub))
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }
