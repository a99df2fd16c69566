// Package request says what a caller asks of the product, in people's words: the command line and the API fill these in,
// package app reads them. It holds values only and never checks them.
package request

import (
	"time"

	"github.com/patchscout/patchscout/internal/finding"
)

// Scan says what to scan and how, as the user wrote it.
type Scan struct {
	Targets      []string
	Exclude      []string
	Scanners     []string // empty: the configuration's
	Profile      string   // "" is standard
	Ports        string
	ExcludePorts string
	Site         string
	Baseline     int64 // a scan whose findings are not New
	Demo         bool  // mark everything as demo

	Timeout time.Duration // of one task, 0 = the configuration's
}

// Findings selects findings in people's words; the zero value selects what is open and nobody set aside, most
// urgent first. Days are YYYY-MM-DD or RFC 3339.
type Findings struct {
	Scan       int64
	Host       string // address or host id
	Site       string
	State      string   // open, reopened, fixed, closed, all; "" is open and reopened
	Triage     []string // none, confirmed, false_positive, accepted, out_of_scope
	Hidden     bool     // also what people set aside
	Severities []string
	Decisions  []string
	KEV        bool
	Exploited  bool
	Statuses   []string // affected, conditional, uncertain, unaffected
	Kinds      []string // vulnerability, compliance
	Confidence int      // at least
	Confirmed  bool
	Potential  bool
	MinCVSS    float64
	MinEPSS    float64
	MinRisk    float64 // of risk_removed

	Weakness  string
	Remedy    string
	Scanner   string
	Ports     []string
	Protocols []string // tcp, udp, sctp, host
	Component string
	Product   string
	Text      string

	Assignee    string // nobody: without one
	Labels      []string
	Owner       string // nobody: without one
	Tags        []string
	Criticality []string // minimal, low, medium, high, critical, none

	DueBefore       string
	Overdue         bool
	SLABefore       string
	SLAOverdue      bool
	FirstSeenAfter  string
	FirstSeenBefore string
	LastSeenAfter   string
	LastSeenBefore  string
	ClosedAfter     string
	ReturnedAfter   string

	Sort   string
	Cursor string
	Limit  int // 0 is all
	Whole  int // a first page is the whole list where there are no more than this, whatever Limit is
}

// Triage is what a person says of findings: of those that are named, or of all that a filter selects. Of what is
// empty nothing is said.
type Triage struct {
	IDs    []int64
	Filter *Findings // where no ids are named

	State   string // none, confirmed, false_positive, accepted, out_of_scope
	Until   string // YYYY-MM-DD, the last day
	Reason  string
	Scope   string // ScopeFinding is the default
	Site    string // of ScopeEverywhere: only there
	Assign  *string
	Labels  []string // "x" puts it on, "-x" takes it off
	Comment string

	// Confirm is asked before more than one finding that a filter selects are changed; false changes nothing.
	Confirm func(findings int) bool
	DryRun  bool
	Expect  *int // how many findings the asker knows the filter to select: with another number nothing is changed
	Most    int  // more findings than this are not changed at once, 0 is no limit
}

// Close ends findings by a person's word.
type Close struct {
	IDs     []int64
	Filter  *Findings
	Reason  string
	Confirm func(findings int) bool // as in Triage
	DryRun  bool
	Expect  *int // as in Triage
	Most    int  // as in Triage
}

// Rule is a rule about findings as a user writes it.
type Rule struct {
	Name   string
	Where  finding.RuleWhere
	Host   string // one host by id, address or name, wherever it moves
	State  string
	Reason string
	Until  string // YYYY-MM-DD, the last day
	Assign string
	Labels []string
	DryRun bool
}

// HostRule is a rule about hosts as a user writes it.
type HostRule struct {
	Name        string
	Places      []string // networks, addresses, names with "*"
	Sites       []string
	Owner       string
	Tags        []string
	Criticality string
	Exposed     string // yes, no
	Until       string
}

// Tag is what a person says of hosts. Of what is nil or empty nothing is said.
type Tag struct {
	Hosts       []string // ids, addresses or names
	Site        string
	Tags        []string // "x" puts it on, "-x" takes it off
	Owner       *string  // "" leaves it to the rules
	Criticality *string  // likewise
	Exposed     string   // yes, no, unset
}

// Assets selects hosts; the zero value selects all.
type Assets struct {
	Site        string
	Text        string
	Owner       string
	Tag         string
	Criticality string

	Sort   string // id, urgency, address, last_seen; "" is id. A page's alone, as Cursor and Limit are
	Cursor string
	Limit  int
}

// Sync says what to load and from where.
type Sync struct {
	Feeds []string // empty: all that are on
	From  string   // folder or URL; "": the configured mirror, else the publishers
	Force bool     // load also what removes or downgrades much
	Due   bool     // only those whose schedule says that they are due
}

// Scans selects scans and imports; the zero value is all, newest first.
type Scans struct {
	Site   string
	Kind   string // scan, import; "" is both
	Status string // pending, running, completed, failed
	Before int64  // the last id of the page before, 0 begins with the newest
	Skip   int
	Limit  int // 0 is all
}

// ScopeRule is a rule on what may be scanned as an administrator writes it.
type ScopeRule struct {
	Network string // a network, an address, a host name or *.DOMAIN
	Deny    bool
	Site    string // "" is every site
	Role    string // analyst, admin: the least role that it is for; "" is everybody who may scan
	User    string // the one user that it is for; "" is everybody
	Note    string
	Until   string // YYYY-MM-DD, the last day
}

// ScopeCheck asks what would happen to targets.
type ScopeCheck struct {
	Targets []string
	Site    string
	User    string // who would scan them; "" is the asker, "*" whoever may scan
}
