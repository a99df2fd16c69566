package report

import "time"

// HostIdentifier is a dated fact by which a host is found again.
type HostIdentifier struct {
	Kind      string    `json:"kind"` // address, name, mac, ssh-key
	Value     string    `json:"value"`
	Strong    bool      `json:"strong"` // two different ones at one address are two hosts
	Source    Text      `json:"source"` // the sensor that told, of an SSH key with its port
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
}

// HostReach says whether the internet reaches a host, and why that is thought.
type HostReach struct {
	Exposed *bool  `json:"exposed"` // null: not known
	Why     string `json:"why"`
}

// HostOwn is what people said of this very host; what it has beside that comes from rules.
type HostOwn struct {
	Tags        []string `json:"tags"`
	Without     []string `json:"without"` // tags taken off, which no rule puts back
	Owner       Text     `json:"owner"`
	Criticality Text     `json:"criticality"`
	Exposed     *bool    `json:"exposed"`
}

// ServiceEvidence is what led to what is said of a service.
type ServiceEvidence struct {
	Port      uint16        `json:"port"`
	Protocol  string        `json:"protocol"`
	Banner    Text          `json:"banner"`   // what it said itself, printable, cut
	Backport  Text          `json:"backport"` // the distribution named there that backports fixes
	FirstSeen time.Time     `json:"first_seen"`
	LastSeen  time.Time     `json:"last_seen"`
	Said      []ServiceSaid `json:"said"` // the last word of each scanner, newest first
}

// ServiceSaid is one scanner's last word on a service.
type ServiceSaid struct {
	Scanner string    `json:"scanner"`
	ScanID  int64     `json:"scan_id"`
	At      time.Time `json:"at"`
	Service Text      `json:"service"`
	Product Text      `json:"product"`
	Version Text      `json:"version"`
	Guessed bool      `json:"guessed"` // named from the port's number alone
}
