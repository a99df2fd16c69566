// Package attackpath says how an attacker would walk: from where he stands, through what he reaches, over weaknesses that
// were found, to the hosts that matter. It turns an Estate into a Network of facts and actions; package graph answers
// questions of it. Values in, values out: it never reads a database, and never lets an assumption pass for a fact.
//
//	Estate (hosts, services, findings, policy)  --Build-->  Network (facts, actions)  --graph.New-->  paths, chances, cuts
//
// Facts only ever come to hold (an attacker forgets nothing), an action needs all of its facts and gives one more.
package attackpath

import (
	"net/netip"
	"time"
)

// Privilege is what an attacker may do on a host.
type Privilege uint8

// The privileges, the least first.
const (
	None Privilege = iota
	User
	Root // administrator, SYSTEM, root
)

func (p Privilege) String() string { return [...]string{"none", "user", "root"}[p] }

// Known says from where a step is known. The worst of its steps is what a path rests on.
type Known uint8

// The ways, the surest first.
const (
	Observed Known = iota // a scan or a report saw it
	Policy                // somebody declared it
	Assumed               // nobody has said otherwise; the sentence says what is assumed
)

func (k Known) String() string { return [...]string{"observed", "policy", "assumed"}[k] }

// Estate is all that a Network is made of. Hosts are in the order of their ids.
type Estate struct {
	Sites       []Site
	Hosts       []Host
	Policy      PolicySet
	Corrections []Correction
	Assume      Assumptions
}

// Site is a vantage point and address space, see asset.Site.
type Site struct {
	Name     string
	External bool // it stands in the internet
}

// Host is a host with what attackers can use.
type Host struct {
	ID          int64
	Site        string
	Name        string // for people: address, else name
	Addresses   []netip.Addr
	OS          string
	CPEs        []string // of system and hardware
	Tags        []string
	Jewel       bool
	Criticality int // 1..5, 0 when nobody said
	Exposed     bool
	ExposedWhy  string // for people: why the internet is taken to reach it
	ExposedSure bool   // a person said so or a scan from outside saw it; else its address suggests it
	Services    []Service
	Flaws       []Flaw
}

// Service is what answers at a port. A scan from the host's own site saw it, so the site reaches it.
type Service struct {
	Protocol string // tcp, udp
	Port     uint16
	Name     string
	Product  string
	Scan     int64 // the scan that saw it last, 0 when it is not known
}

// Flaw is a finding that counts: open, confirmed, not set aside.
type Flaw struct {
	Finding   int64
	Weakness  string // CVE id, or "<tool>:<key>"
	Protocol  string
	Port      uint16 // 0: the host itself or a component
	Component string
	Title     string
	Remedy    string
	Scanner   string  // who says so
	Effect    *Effect // what it does for an attacker; nil or of no gain gives no action. Shared, read only
}

// Assumptions are the scenario that a Network is built for. The zero value assumes least.
type Assumptions struct {
	// Flat lets every site reach every other where no rule says anything; otherwise a site reaches only itself.
	Flat bool
	// Reuse is the named scenario "credential reuse": who is root on a host can log in to the other hosts of its site.
	Reuse bool
	// Secrets is the named scenario "secrets read": reading files or memory of a service gives a login there.
	Secrets bool
	// From are the entry points; none are the default ones: the internet, and where it reaches nothing, each site.
	From []Entry
	// To are hosts that stand for the jewels; none are the jewels.
	To []int64
}

// EntryKind tells where an attacker stands at first.
type EntryKind string

// The kinds.
const (
	FromInternet EntryKind = "internet"
	FromSite     EntryKind = "site" // inside a site, without any host
	FromHost     EntryKind = "host" // on a host, as a user
	FromUser     EntryKind = "user" // with a stolen login of a host, or of all hosts of a site
)

// Entry is where an attacker begins.
type Entry struct {
	Kind    EntryKind
	Site    string // of FromSite and FromUser
	Host    int64  // of FromHost, and of FromUser for one host
	Assumed bool   // nobody named it
}

// PolicySet is what somebody declared of the network: the rules of a file, in its order.
type PolicySet struct {
	Rules   []PolicyRule
	Same    [][]HostRef    // groups of hosts that are one machine seen in several sites
	Clients []netip.Prefix // where people sit who open what they are sent
	Source  string         // the file's name
	At      time.Time
	By      string
}

// PolicyRule lets something through or not. The first rule that says anything of a connection decides; where none does,
// the Assumptions do.
type PolicyRule struct {
	N     int // its line or place in the file, from 1
	From  Zone
	To    Zone
	Ports []PortRange // none is every port
	Allow bool
	Note  string
}

// Zone is a part of the network. Zero fields leave all in.
type Zone struct {
	Internet bool
	Site     string
	Network  netip.Prefix // the zero Prefix is every address
}

// PortRange is ports of a protocol; "" is both.
type PortRange struct {
	Protocol string
	From, To uint16
}

// HostRef names a host for people: an address or name in a site.
type HostRef struct {
	Site string
	Host string
}

// Correction is a person's word on an edge. It outlives rebuilding, since it names what the edge is about.
type Correction struct {
	ID   int64
	Edge EdgeKey
	Says Says
	P    float64 // of SaysChance
	Note string
	By   string
	At   time.Time
}

// Says is what somebody says of an edge.
type Says string

// What can be said.
const (
	SaysNever  Says = "never"
	SaysAlways Says = "always" // it works whenever its needs are met
	SaysChance Says = "chance"
)

// EdgeKey names an edge for good, as text: "finding:12" is what a finding gives an attacker; "reach:internet>7:tcp/443",
// "reach:branch>7:tcp/443" is that the internet or a site reaches a port of host 7.
type EdgeKey string
