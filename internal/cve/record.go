// Package cve holds what is known of a vulnerability: one Record per CVE, merged from all sources. Plain facts; it
// never decides whether a host is affected (match) or how urgent that is (priority).
package cve

import (
	"slices"
	"strings"
	"time"
)

// Record is one CVE. A missing fact is the zero value and stays missing: no CVSS is not a score of 0.
type Record struct {
	ID        ID
	Source    string // who assigned it, as NVD writes it (an e-mail address or a UUID)
	Status    string // NVD's vulnStatus, verbatim: Analyzed, Modified, Deferred, Awaiting Analysis, Rejected, …
	Published time.Time
	Modified  time.Time

	Title       string // the assigner's, else one generated from facts (catalogue.Title); "" until generated
	Description string // the publisher's English text; "" in the starter catalogue

	Metrics        []Metric
	CWEs           []string // "CWE-79", without NVD-CWE-noinfo and NVD-CWE-Other, in the publisher's order, no duplicates
	Configurations []Node   // the CVE applies if any of them holds
	References     []Reference

	// Affected is what the assigner wrote of products and versions, for people. What a rule can be made of stands in
	// Configurations too; prose ("before 2.3", "n/a") stands here only and is never matched.
	Affected []Affected
	// Ratings are severities that came without a score; see Severity.
	Ratings []Rating
	// ExploitedBy names the sources that assert exploitation in the wild in the record itself. KEV and SSVC stand in
	// intel.Facts.
	ExploitedBy []string

	// Origins says of every field that is set where it comes from, Conflicts what other sources said instead. Both are
	// made when the parts of a record are merged; a part has neither.
	Origins   []Origin
	Conflicts []Conflict
}

// Affected is a product as its assigner names it, with its versions as text ("2.4.49", "before 2.3", "5.0 up to 5.4").
type Affected struct {
	Vendor, Product string
	Versions        []string
}

// Rating is a severity in words: low, medium, high, critical.
type Rating struct {
	Level  string
	Source string
}

// Field names a part of a Record for Origin and Conflict.
type Field string

// The fields that are merged.
const (
	FieldStatus         Field = "status"
	FieldPublished      Field = "published"
	FieldModified       Field = "modified"
	FieldTitle          Field = "title"
	FieldDescription    Field = "description"
	FieldScore          Field = "cvss" // the metric that Score returns
	FieldSeverity       Field = "severity"
	FieldCWEs           Field = "cwes"
	FieldConfigurations Field = "configurations"
	FieldReferences     Field = "references"
	FieldExploited      Field = "exploited"
)

// Origin says where a field's value comes from.
type Origin struct {
	Field  Field
	Source string    // the feed: nvd, cvelist, or the name given to an ingested file
	At     time.Time // when that source last changed its record; zero when it does not say
}

// Conflict is a value that another source gave and that was not taken.
type Conflict struct {
	Field  Field
	Source string
	At     time.Time
	Value  string // as printed for people, at most 200 bytes
}

// Metric is one CVSS assessment. Score is 0.0..10.0 as published.
type Metric struct {
	Version  string // "2.0", "3.0", "3.1", "4.0"
	Vector   string // "CVSS:3.1/AV:N/…"; version 2 has no prefix: "AV:N/AC:L/Au:N/…"
	Score    float64
	Source   string // "nvd@nist.gov", a CNA, or CISA-ADP's UUID 134c704f-9b21-4f2e-91b3-4a467353bcc0
	Primary  bool   // NVD's type Primary
	Provider Provider
}

// Provider ranks who assessed: NVD before the CNA before an ADP (design decision 7) before all others.
type Provider string

// The providers, best first.
const (
	ProviderNVD Provider = "nvd"
	ProviderCNA Provider = "cna"
	ProviderADP Provider = "adp"
	// ProviderOther is anybody else: a file that was ingested under a name of its own.
	ProviderOther Provider = "other"
)

// Node is a boolean expression over CPE matches: its Children and Matches joined by Operator, then negated if Negate.
// NVD writes configurations two levels deep; deeper nesting (older feeds' "children") is kept as it stands.
type Node struct {
	Operator Operator
	Negate   bool
	Children []Node
	Matches  []CPEMatch
}

// Operator joins the parts of a Node. The zero value is Or.
type Operator uint8

// The operators.
const (
	Or Operator = iota
	And
)

// CPEMatch is one leaf: a CPE 2.3 name, perhaps with a version range. Empty bounds are open.
type CPEMatch struct {
	Vulnerable     bool
	Criteria       string // as published, parsed by package cpe where it is used
	StartIncluding string
	StartExcluding string
	EndIncluding   string
	EndExcluding   string
	// Derived says that the name was made from a vendor's and product's text, because its publisher gave no CPE name.
	Derived bool
}

// Reference is a link with the publisher's tags ("Patch", "Exploit", "Vendor Advisory").
type Reference struct {
	URL  string
	Tags []string
}

// Score returns the metric that stands for the record: the newest of CVSS 4.0, 3.1, 3.0, 2.0 that exists, by NVD, then
// CNA, then ADP (design decision 7); anybody else's only where none of these has scored it. ok is false when nobody has.
func (r *Record) Score() (best Metric, ok bool) {
	for _, m := range r.Metrics {
		if !ok || m.outranks(best) {
			best, ok = m, true
		}
	}
	return best, ok
}

func (m Metric) outranks(other Metric) bool {
	a, b := m.Provider.rank(), other.Provider.rank()
	if last := ProviderOther.rank(); (a == last) != (b == last) {
		return a != last
	}
	return m.Version > other.Version || m.Version == other.Version && a < b
}

func (p Provider) rank() int {
	switch p {
	case ProviderNVD:
		return 0
	case ProviderCNA:
		return 1
	case ProviderADP:
		return 2
	default:
		return 3
	}
}

// Severity is the band of the score that stands for the record, else the word of a source that gave no score, else
// SeverityUnknown.
func (r *Record) Severity() string {
	if m, ok := r.Score(); ok {
		return Severity(m.Score)
	}
	for _, rating := range r.Ratings {
		if slices.Contains([]string{"critical", "high", "medium", "low", "info"}, rating.Level) {
			return rating.Level
		}
	}
	return SeverityUnknown
}

// Rejected says that the CVE was withdrawn by its assigner: by its status, or by the words that the CVE Program puts in
// the place of the description, which some copies of NVD hold under another status. Rejected records stay in the
// catalogue, marked.
func (r *Record) Rejected() bool {
	return r.Status == StatusRejected || strings.HasPrefix(r.Description, "** REJECT **") || strings.HasPrefix(r.Description, "Rejected reason:")
}

// StatusRejected is NVD's word for a withdrawn CVE.
const StatusRejected = "Rejected"

// Severity names a CVSS score: critical >= 9, high >= 7, medium >= 4, low > 0, info at 0 (FIRST CVSS 3.1 section 5,
// with its "none" called info as in the rest of the product).
func Severity(score float64) string {
	switch {
	case score >= 9:
		return "critical"
	case score >= 7:
		return "high"
	case score >= 4:
		return "medium"
	case score > 0:
		return "low"
	default:
		return "info"
	}
}

// SeverityUnknown is the severity of what nobody scored.
const SeverityUnknown = "unknown"
