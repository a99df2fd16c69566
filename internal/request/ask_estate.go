package request

import "github.com/patchscout/patchscout/internal/finding"

// AskFindings selects findings as a question does: what a list can be narrowed by, and what only words can.
type AskFindings struct {
	Findings
	Further   finding.Further
	KEV       *bool // false: those that CISA does not list
	Exploited *bool
}

// AskWeaknesses asks which weaknesses of findings have something that the catalogue knows. Each field narrows.
type AskWeaknesses struct {
	Techniques []string // ATT&CK ids, any of them; a parent includes its sub-techniques
	CWEs       []string // any of them
	Exploit    string   // any, exploitdb, metasploit, nuclei; none
	Ransomware *bool
	Vendor     string // of the products that they affect
	Product    string

	PublishedFrom, PublishedTo string // days; From is included, To is not
	ModifiedFrom, ModifiedTo   string
	KEVFrom, KEVTo             string // when CISA added them
}
