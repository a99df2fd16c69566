// Package understand reads a question about vulnerabilities and one's own hosts: what it is about, what is wanted of that,
// and which conditions are named. It works by a written grammar (grammar.txt) and by the vocabulary of the data, and says
// which words it could not place. It never looks at findings or records themselves, and never guesses a name that the
// vocabulary does not have.
package understand

import (
	"time"

	"github.com/patchscout/patchscout/internal/cve"
)

// Subject is what a question is about.
type Subject string

// The subjects. Nothing is a question that nothing here can answer.
const (
	Nothing    Subject = ""
	Findings   Subject = "findings"   // what was found on the asker's hosts
	Hosts      Subject = "hosts"      // the asker's hosts
	Services   Subject = "services"   // open ports and what answers there
	Software   Subject = "software"   // products and versions on the asker's hosts
	Sites      Subject = "sites"      //
	CVEs       Subject = "cves"       // the catalogue, whoever is affected
	Techniques Subject = "techniques" // ATT&CK
	Weaknesses Subject = "weaknesses" // CWE
	Indicators Subject = "indicators" // of compromise
	Scans      Subject = "scans"      //
	Imports    Subject = "imports"    //
	Feeds      Subject = "feeds"      // publishers' data, its age, ingestion runs
	Paths      Subject = "paths"      // how an attacker would walk
	Fixes      Subject = "fixes"      // what to do first, updates, what cuts paths
	Product    Subject = "product"    // PatchScout itself: how to do something, what a word means
)

// Measure is what is wanted of the subject.
type Measure string

// The measures.
const (
	Count   Measure = "count"   // how many
	List    Measure = "list"    // which
	Group   Measure = "group"   // how many by Question.GroupBy; which host, product, … has most
	Fact    Measure = "fact"    // one attribute: Question.Attribute
	Whether Measure = "whether" // yes or no: is it affected, is it exploited, does any host …
	Explain Measure = "explain" // what is it, in plain words; Question.Audience
	Why     Measure = "why"     // what a decision, score, state or path rests on
	Compare Measure = "compare" // two or more of one kind, or one at two times
	Change  Measure = "change"  // what is new, fixed, different since Question.Time
	Trend   Measure = "trend"   // how it develops
	First   Measure = "first"   // what to do first
	Reach   Measure = "reach"   // how to get to Question.Hosts from Question.From
	Suppose Measure = "suppose" // what if something were fixed
	How     Measure = "how"     // how something is done: fixed, with this product, …

	Overview Measure = "overview" // how things stand as a whole: "how secure are we?", "give me a summary"
)

// Question is a question as it was read. The zero value of a condition does not narrow.
type Question struct {
	Text    string // as asked, one line, without control characters
	Subject Subject
	Measure Measure

	Attribute Attribute // of Fact, Why and Compare: what about it
	GroupBy   string    // of Group: host, site, product, severity, port, cve, cwe, technique, decision, scanner, owner, vendor, year
	Audience  string    // of Explain: "manager", "technical"; "" is anybody
	Least     bool      // of Group, First and sorted lists: the least, oldest or lowest instead of the most
	Limit     int       // how many were asked for; 0: nobody said
	All       bool      // the whole list was asked for
	Sort      string    // as request.Findings.Sort or catalogue.Sort have it; "" is the subject's own
	Negated   bool      // hosts that do not run, findings that are not …

	// What is named.
	CVEs       []cve.ID
	CWEs       []string   // "CWE-79"
	Techniques []string   // "T1190"; by name too
	Hosts      []HostName // addresses, networks, names, "jewels"
	From       []HostName // of Reach: where from; "internet" has Kind "internet"
	Sites      []string   // as they are written
	Products   []ProductName
	Ports      []Port
	Values     []string // indicators: addresses, domains, URLs, hashes of which is asked whether they are known as bad
	Findings   []int64  // "finding 12"
	Scans      []int64  // "scan 7"; -1 is the last, -2 the one before it
	Imports    []int64
	Feeds      []string // names as `feeds status` has them
	Topics     []string // of Product and Explain: pages or words of the product that are asked about

	// Conditions.
	Severities  []string // critical, high, medium, low, info, unknown
	Decisions   []string // act, attend, plan, track
	KEV         *bool
	Exploited   *bool
	Exploit     string // any, exploitdb, metasploit, nuclei; "none" is without
	Ransomware  *bool
	MinCVSS     *float64
	MaxCVSS     *float64
	MinEPSS     *float64 // 0..1
	MaxEPSS     *float64
	State       string   // open, fixed, reopened, closed, all; "" is open
	Triage      []string // confirmed, false_positive, accepted, out_of_scope, none
	Overdue     bool
	DueWithin   *Period
	Potential   bool // asked for unconfirmed ones
	Jewels      bool // only what matters: hosts tagged jewel
	Exposed     *bool
	Criticality []string
	Tags        []string
	Labels      []string
	Owner       string // "nobody"
	Assignee    string // "nobody", "me"
	Scanner     string
	OS          string // words of the operating system
	Status      string // of hosts: up, silent, retired; of scans: running, failed, completed
	Time        *Period
	Against     *Period  // of Compare: the other time
	AtLeast     *int     // of hosts: at least, or at most, so many findings that the conditions fit; of products and sites likewise
	AtMost      *int     //
	Share       bool     // of Count: as a share of all there are, of what the conditions leave out
	Fixable     *bool    // a fix is known, or none is: "with a patch available"
	Withdrawn   *bool    // of CVEs: withdrawn by who issued them
	Titled      []string // words that the title of a finding has: "remote code execution", "self-signed certificate"
	Owners      []string // where several are named, all of them; Owner is then the first
	Systems     []string // where several operating systems are named, all of them; OS is then the first
	TimeOf      string   // what Time narrows: first_seen, fixed, reopened, last_seen, published, modified, due, scanned, kev_added; "" is the subject's own

	// How sure the reading is.
	Both       bool         // of hosts: all of Products and Ports are wanted, not one of them
	Follows    bool         // took something from the question before
	Those      bool         // speaks of what the answer before listed: "of those", "them", "it", "the second one"
	More       bool         // the next ones of the list before
	Ordinal    int          // 1.. of those; -1 the last; 0 none
	Corrected  []Correction // spelling
	Rest       []string     // words that nothing explains, as written
	Unknown    []string     // names that the vocabulary does not have: "host db99", "product Frobnicator 3"
	Rules      []string     // lines of the grammar that decided, for whoever debugs it
	Understood float64      // 0..1: part of the words that matter that were placed
	Act        string       // what the asker wants done that a question cannot do: scan, delete, triage, fix, login …; "" is none
	Outside    string       // why no data of the product can answer: forecast, blame, secret, weather, opinion …; "" is none
}

// Attribute names a fact of a thing.
type Attribute string

// The attributes.
const (
	Severity    Attribute = "severity"
	CVSS        Attribute = "cvss"
	Vector      Attribute = "vector"
	EPSS        Attribute = "epss"
	KEVAttr     Attribute = "kev"
	ExploitedBy Attribute = "exploited"
	Exploits    Attribute = "exploits"
	Published   Attribute = "published"
	Modified    Attribute = "modified"
	Affected    Attribute = "affected" // products and versions
	FixedIn     Attribute = "fixed_in"
	Remedy      Attribute = "remedy"
	Weakness    Attribute = "weakness" // CWE
	Technique   Attribute = "technique"
	References  Attribute = "references"
	Ransom      Attribute = "ransomware"
	Description Attribute = "description"
	Decision    Attribute = "decision"
	Due         Attribute = "due"
	Score       Attribute = "score"
	Likelihood  Attribute = "likelihood"
	Risk        Attribute = "risk_removed"
	Confidence  Attribute = "confidence"
	State       Attribute = "state"
	TriageOf    Attribute = "triage"
	History     Attribute = "history"
	Evidence    Attribute = "evidence"
	FirstSeen   Attribute = "first_seen"
	LastSeen    Attribute = "last_seen"
	LastScan    Attribute = "last_scan"
	OS          Attribute = "os"
	Addresses   Attribute = "addresses"
	Names       Attribute = "names"
	OpenPorts   Attribute = "ports"
	Runs        Attribute = "software"
	Version     Attribute = "version"
	OwnerOf     Attribute = "owner"
	CritOf      Attribute = "criticality"
	TagsOf      Attribute = "tags"
	SiteOf      Attribute = "site"
	Age         Attribute = "age"     // of feeds and data
	Records     Attribute = "records" // of feeds and the catalogue
	Errors      Attribute = "errors"  // of scans and feed runs
	Duration    Attribute = "duration"
	Status      Attribute = "status"
	Tactic      Attribute = "tactic"
	Mitigation  Attribute = "mitigation"
)

// HostName is a host, some hosts or a place as the asker wrote it.
type HostName struct {
	Text string // cleaned: "10.0.0.5", "10.0.0.0/24", "db1.example.org"
	Kind string // address, network, name, id, jewels, internet, site, os
	ID   int64  // where the vocabulary knows exactly one, or Kind is id
	Site string // when said: "10.0.0.5 in dmz"
}

// ProductName is a product as the asker wrote it and as the vocabulary has it.
type ProductName struct {
	Text     string // "Apache httpd"
	Vendor   string // of CPE; "" where several vendors have the product
	Product  string // of CPE
	Version  string // "2.4.49"; "" is any
	Relation string // of Version: "" or "=", "<", "<=", ">", ">="
	Ours     bool   // it was seen on hosts that the asker may see
	CVEs     int    // of how many CVEs of the catalogue it is named in
}

// Port is "443", "tcp/443" or the range of "8000-8100".
type Port struct {
	Protocol string // "" is any
	From, To uint16
}

// Period is a stretch of time; a zero end is open.
type Period struct {
	From, To time.Time
	Words    string // "the last 7 days", as understood
}

// Correction is a misspelt word.
type Correction struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Context is what went before in a session.
type Context struct {
	Question *Question // nil: nothing
	Shown    []Thing   // what the last answer cited, in its order
	About    *Thing    // what is on the asker's screen; "this", "it", "here" without anything before
}

// Thing is a record by kind and id, as sources of an answer have them: {"cve","CVE-2021-44228"}, {"host","12"}.
type Thing struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	Name string `json:"name,omitempty"` // as people say it: an address, a title
}

// Vocabulary is the names of the data that the asker may see. It answers from memory, and is safe for concurrent use.
type Vocabulary interface {
	// Product finds products by words as written, lower case, one blank between: by CPE names, aliases ("log4shell's"
	// log4j, "apache httpd", "ms exchange"), and what services call themselves. Best first, exact ones only.
	Product(words string) []ProductName
	// Near finds known words of products, vendors, hosts, sites and the grammar within a small edit distance of a misspelt
	// one, the likeliest first.
	Near(word string) []string
	// Known says whether a word is part of some name.
	Known(word string) bool
	// Host finds hosts by address or name, exactly.
	Host(text string) []HostName
	Sites() []string
	// Technique finds techniques by name ("exploit public-facing application", "phishing") or id.
	Technique(words string) []string
	Feeds() []string
	// Nickname finds CVEs that go by a name: heartbleed, log4shell, eternalblue, zerologon …
	Nickname(words string) []cve.ID
	Owners() []string
	Tags() []string
	Labels() []string
	Scanners() []string // sensors that reported something
}
