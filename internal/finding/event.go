// Package finding turns what scanners say into findings: normalise, fingerprint, merge evidence, keep the life cycle.
// It never runs a tool, never opens a database, and never overwrites one scanner's evidence with another's.
package finding

import (
	"net/netip"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
)

// Event is one thing that a report says. Exactly one field is set. A report is a stream of events: a host's HostSeen
// comes before what was seen on it.
type Event struct {
	Host        *HostSeen
	Service     *ServiceSeen
	Observation *Observation
	Coverage    *Coverage
	Drop        *Drop
	Statement   *Statement
}

// HostSeen says how a host answered.
type HostSeen struct {
	Address netip.Addr // invalid when the report has only a name
	Names   []string   // as the user or the report names it, and what it calls itself
	MAC     string
	SSHKey  string // "SHA256:…"
	Status  string // asset.HostStatus: up, down, unknown
	Reason  string // "syn-ack on 22/tcp", "did not resolve: no such host", for people
	OS      string
	CPEs    []string // operating system, hardware
	At      time.Time
}

// ServiceSeen says what answers at an open port.
type ServiceSeen struct {
	Address  netip.Addr
	HostName string // only when Address is invalid
	Protocol string // tcp, udp
	Port     uint16
	Name     string // "ssh"
	Product  string
	Version  string
	Extra    string
	CPEs     []string // canonical 2.3, NVD's spelling where the reader knows it
	TLS      bool
	Banner   string // evidence, raw as said (hostile), at most 1 KiB
	Backport string // "Debian", "Ubuntu", …: the banner names a distribution that backports fixes
	Guessed  bool   // named from the port number alone (nmap method="table"): no product to match
	SSHKey   string // host key fingerprint when the service is SSH
	At       time.Time
}

// Observation is a check's own result: a script that found something, a plugin that fired.
type Observation struct {
	Address  netip.Addr
	HostName string // only when Address is invalid; neither is a report that names no host: the importer names it
	Protocol string
	Port     uint16 // 0 is the host itself
	// Component is what is affected when it is not a port: a package, "" otherwise.
	Component  string
	Check      string   // "nmap:http-vuln-cve2017-5638"
	CVEs       []cve.ID // all that the check names
	Title      string
	Output     string // raw, hostile, cut at 16 KiB by the store
	Location   string // URL or path
	Remedy     string
	Vector     string // CVSS vector the tool gives, the newest version of several
	Confidence int    // 0..100, the quality-of-detection scale of design decision 5
	At         time.Time

	// Severity is the tool's own word where it gives one: critical, high, medium, low, info; "" otherwise. It rates a
	// check that has neither a CVE in the catalogue nor a vector.
	Severity   string
	CWEs       []int
	References []string // http(s) URLs and ids as the tool gives them ("BID:12345"), the most useful first
	FixedIn    string   // the version that fixes it, where the tool says so
	// Policy names what the tool was told to look for (a policy id, a set of templates), so that a later look under the
	// same policy can close what it no longer sees; "" where the report does not say.
	Policy     string
	Compliance *Compliance // not nil makes it a finding of kind compliance
	// Passed says that the check looked and that what it checks does not hold: a compliance item that passed. It never
	// opens a finding and ends the check's earlier sightings.
	Passed bool
}

// Compliance is a configuration check against a benchmark.
type Compliance struct {
	Result    string // passed, failed, warning, error
	Benchmark string // "CIS Debian Linux 12 v1.1.0 L1 Server"
	Reference string // "CIS|5.2.8,800-53|AC-2", as the tool writes it
}

// Statement is what a VEX document says of a vulnerability in a product. It becomes a rule of triage, not a finding. It is
// one record.
type Statement struct {
	CVE      cve.ID
	Products []string // purl, CPE or component name with version; none is every product of the estate: such a one is refused
	// Parts are what within the products the statement is about, written as Products are ("openssl in this image"); empty is
	// the products as a whole. A statement about a part says nothing of that part elsewhere.
	Parts  []string
	Status VEXStatus
	Reason string // justification and detail, for people
	Author string
	At     time.Time
}

// VEXStatus is OpenVEX's word; CycloneDX and CSAF are translated into it.
type VEXStatus string

// The statuses (OpenVEX specification 0.2.0, "Status Labels").
const (
	VEXNotAffected VEXStatus = "not_affected"
	VEXAffected    VEXStatus = "affected"
	VEXFixed       VEXStatus = "fixed"
	VEXPending     VEXStatus = "under_investigation"
)

// Coverage says what a sensor really looked at. Only what is covered can be closed (design decision 4). A failed,
// partial or cancelled look emits none.
type Coverage struct {
	Sensor   string // "native", "nmap"
	Address  netip.Addr
	HostName string // only when Address is invalid
	Protocol string
	Ports    []PortRange
	Checks   []string // ids of checks that ran to the end; nil for service detection only
	// Policy covers every check that was seen under the same policy, on all ports: a scanner that cannot list its checks
	// says that it looked for the same again. Protocol and Ports may then be empty.
	Policy string
	At     time.Time
}

// Drop is a record that a reader could not or would not use, for the ledger.
type Drop struct {
	Reason string // "port closed", "address outside of the scope", "malformed: …"
	Count  int
	// Informational marks a record that was understood and holds no finding (an open port, a script's plain output);
	// it counts as informational, not as dropped.
	Informational bool
}
