package request

// Paths asks how attackers would walk.
type Paths struct {
	Scan    int64    // only what this scan saw; 0 is the whole estate
	To      []string // hosts by id, address or name; none are the jewels
	From    []string // "internet", "site:NAME", "host:HOST", "user:HOST", "user:site:NAME"; none are the default ones
	Site    string   // where To and From are, if a name or address is in several sites
	Assume  string   // site, flat; "" is site
	Reuse   bool
	Secrets bool
	K       int  // paths to each jewel, 1..50; 0 is 10
	Limit   int  // paths in all, 1..1000; 0 is 100
	Fixes   bool // work the smallest fixes out too
	Samples int  // random trials; 0 is the default number, -1 none
}

// WhatIf asks for the difference that something makes.
type WhatIf struct {
	Paths
	Findings   []int64    // fixed
	Weaknesses []string   // patched everywhere
	Hosts      []string   // taken off the network
	Rules      []PathRule // in front of the declared ones
}

// PathRule is a rule of a policy; zones are "internet", "any", "site:NAME", "NETWORK" or "site:NAME/NETWORK".
type PathRule struct {
	From  string
	To    string
	Ports []string // "tcp/443", "udp/53", "8000-8100"; none is every port
	Allow bool
	Note  string
}

// PathCorrection is a person's word on an edge.
type PathCorrection struct {
	Edge   string
	Says   string // never, always, chance
	Chance *float64
	Note   string
}
