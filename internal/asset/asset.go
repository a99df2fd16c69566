// Package asset describes what is out there: sites, hosts, services, and what makes a host the same host tomorrow.
// It never talks to the network or a database.
package asset

import (
	"net/netip"
	"time"
)

// Site is a vantage point and address space: the same address in two sites is two hosts. "default" always exists.
type Site struct {
	ID       int64
	Name     string
	External bool // its scans see what the internet sees
	Demo     bool // made by demo or seed, and removed with it
}

// DefaultSite is the name of the site that always exists.
const DefaultSite = "default"

// IdentifierKind names what an Identifier holds.
type IdentifierKind string

// The kinds; SSHKey and MAC are strong (a contradiction is another host), the others are weak.
const (
	SSHKey  IdentifierKind = "ssh-key" // "SHA256:…" of the host key
	MAC     IdentifierKind = "mac"     // only when seen on the same link
	Address IdentifierKind = "address" // IPv4-mapped unfolded, IPv6 zone kept
	Name    IdentifierKind = "name"    // DNS name, lower case, no final dot
)

// Strong says whether two different values of this kind at one address mean two hosts.
func (k IdentifierKind) Strong() bool { return k == SSHKey || k == MAC }

// Identifier is a dated fact by which a host is found again.
type Identifier struct {
	Kind      IdentifierKind
	Value     string
	Source    string // the sensor that told, for an SSH key with its port ("native/22")
	FirstSeen time.Time
	LastSeen  time.Time
}

// Host is one machine in one site.
type Host struct {
	ID          int64
	Site        string
	Address     netip.Addr // the newest
	Identifiers []Identifier
	Status      HostStatus
	OS          string   // for people, "Debian 12"
	CPEs        []string // operating system and hardware, canonical CPE 2.3
	Tags        []string
	Owner       string // who answers for it
	Criticality string // one of Criticalities: a person's word; "" when nobody said
	Exposed     *bool  // a person's word on whether the internet reaches it; nil when nobody said
	Own         Own    // what people said of this very host; the four above are this and what rules add
	Demo        bool   // made by demo or seed, and removed with it
	FirstSeen   time.Time
	LastSeen    time.Time
}

// HostStatus is what the last scan saw.
type HostStatus string

// The statuses.
const (
	Up      HostStatus = "up"
	Down    HostStatus = "down"
	Unknown HostStatus = "unknown" // did not resolve, or the tool could not tell
)

// Service is what answers at a port.
type Service struct {
	ID       int64
	HostID   int64
	Protocol string // tcp, udp
	Port     uint16
	Name     string // "ssh", "http"
	Product  string // "OpenSSH"
	Version  string // "9.2p1"
	CPEs     []string
	TLS      bool
	Banner   string // what it said, as evidence: printable, cut at 1 KiB
	Backport string // distribution named in the banner that backports fixes ("Debian"), "" if none
	Said     []Said // what each sensor said last, which the fields above are chosen from
	// Candidates is how many CVEs the product has that cannot be ruled in or out because the version is not known.
	Candidates int
	Demo       bool
	FirstSeen  time.Time
	LastSeen   time.Time
}

// Said is one sensor's last word on a service.
type Said struct {
	Sensor   string    `json:"sensor"`
	Scan     int64     `json:"scan"`
	At       time.Time `json:"at"`
	Name     string    `json:"name,omitempty"`
	Product  string    `json:"product,omitempty"`
	Version  string    `json:"version,omitempty"`
	CPEs     []string  `json:"cpes,omitempty"`
	TLS      bool      `json:"tls,omitempty"`
	Banner   string    `json:"banner,omitempty"`
	Backport string    `json:"backport,omitempty"`
	Guessed  bool      `json:"guessed,omitempty"` // named from the port number alone

	Candidates int `json:"candidates,omitempty"`
}
