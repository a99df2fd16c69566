package report

import "time"

// Paths is how attackers would walk: the answer of `patchscout paths`, GET /attack-paths and GET /attack-paths/{scan_id}.
// Chances are 0..1: that somebody who tries all of this gets there.
type Paths struct {
	Scenario   PathScenario `json:"scenario"`
	Scan       *int64       `json:"scan_id" doc:"only what this scan saw; null is the whole estate"`
	Jewels     []PathJewel  `json:"jewels" doc:"the most in danger first"`
	Paths      []Path       `json:"paths" doc:"the best way to each jewel first, the likeliest times the weight of its jewel in front, then the second to each, and so on"`
	Totals     PathTotals   `json:"totals"`
	Notices    []string     `json:"notices" doc:"what is assumed, and what to do about it"`
	Complete   bool         `json:"complete" doc:"false: there may be more; incomplete says why"`
	Incomplete Text         `json:"incomplete"`
	Generation int64        `json:"generation" doc:"of the estate that this was worked out for"`
	At         time.Time    `json:"at"`
}

// PathScenario is what the answer assumes.
type PathScenario struct {
	Assume      string      `json:"assume" enum:"site,flat" doc:"site: where no rule says anything a site reaches only itself; flat: every site reaches every other"`
	Reuse       bool        `json:"reuse" doc:"an administrator's credentials of one host work on the others of its site"`
	Secrets     bool        `json:"secrets" doc:"what can be read holds a login"`
	Entries     []PathEntry `json:"entries"`
	Policy      int         `json:"policy_rules" doc:"declared rules in force"`
	Corrections int         `json:"corrections" doc:"edges that somebody corrected"`
	// OtherReached is how many jewels are reached under the other answer to assume, so that both are always told.
	OtherReached int `json:"other_reached"`
}

// PathEntry is where an attacker begins.
type PathEntry struct {
	Kind    string `json:"kind" enum:"internet,site,host,user"`
	Name    string `json:"name" example:"the internet"`
	Ref     string `json:"ref" example:"site:branch" doc:"as from= takes it"`
	Assumed bool   `json:"assumed" doc:"nobody named it"`
	Reaches int    `json:"reaches" doc:"hosts that can be attacked from here directly"`
}

// PathHost names a host.
type PathHost struct {
	ID          int64  `json:"id"`
	Name        string `json:"name" example:"10.0.3.7"`
	Site        string `json:"site"`
	OS          Text   `json:"os"`
	Jewel       bool   `json:"jewel"`
	Criticality *int   `json:"criticality" minimum:"1" maximum:"5"`
}

// PathChance is how likely a host falls: bounds that hold for certain, and an estimate between them.
type PathChance struct {
	Low     float64  `json:"low" doc:"the best path alone, or several together"`
	High    float64  `json:"high"`
	Sampled *float64 `json:"sampled" doc:"from random trials; null when none were made"`
	Error   *float64 `json:"error" doc:"standard error of sampled"`
	Samples int      `json:"samples"`
}

// PathJewel is a host that matters, and how it stands.
type PathJewel struct {
	PathHost
	Why     string      `json:"why" example:"tagged jewel"`
	Reached bool        `json:"reached"`
	Chance  PathChance  `json:"chance"`
	Paths   int         `json:"paths" doc:"found, distinct by hosts; at most as many as were asked for"`
	Chokes  []PathChoke `json:"chokes" doc:"hosts that every path leads over"`
	Fixes   *FixSet     `json:"fixes" doc:"the smallest set of findings whose fixes cut every path; null where nothing helps or it was not asked for"`
	Patches *FixSet     `json:"patches" doc:"the same with CVEs patched everywhere"`
}

// PathChoke is a host that every path to a jewel leads over.
type PathChoke struct {
	PathHost
	Jewels int `json:"jewels" doc:"to how many jewels every path leads over it"`
}

// PathTotals counts.
type PathTotals struct {
	Hosts         int `json:"hosts"`
	Reached       int `json:"reached" doc:"hosts on which an attacker can become a user"`
	Jewels        int `json:"jewels"`
	JewelsReached int `json:"jewels_reached"`
	Paths         int `json:"paths"`
	Facts         int `json:"facts"`
	Actions       int `json:"actions"`
}

// Path is one walk.
type Path struct {
	ID      string     `json:"id" doc:"the same as long as the path is: made of its steps"`
	To      PathHost   `json:"to"`
	From    string     `json:"from" example:"the internet"`
	Chance  float64    `json:"chance"`
	Weight  float64    `json:"weight" doc:"of the jewel: criticality / 5"`
	Hosts   []PathHost `json:"hosts" doc:"in the order in which they fall"`
	Known   string     `json:"known" enum:"observed,policy,assumed" doc:"the weakest of its steps"`
	Assumed []string   `json:"assumed" doc:"every assumption that it rests on, as a sentence"`
	Says    string     `json:"says" doc:"the whole path in plain words"`
	Steps   []PathStep `json:"steps"`
}

// PathStep is one step of a walk.
type PathStep struct {
	N            int               `json:"n"`
	Kind         string            `json:"kind" enum:"enters,moves,exploit,logs_in,implies,reuse,same_host,step"`
	Edge         string            `json:"edge" doc:"names the edge for corrections; empty where it cannot be corrected"`
	Needs        []string          `json:"needs" doc:"in words"`
	Gains        string            `json:"gains" doc:"in words"`
	Host         *PathHost         `json:"host" doc:"on which it happens"`
	Port         *uint16           `json:"port"`
	Protocol     Text              `json:"protocol"`
	Service      Text              `json:"service"`
	Chance       float64           `json:"chance"`
	ChanceWhy    string            `json:"chance_why"`
	Known        string            `json:"known" enum:"observed,policy,assumed"`
	Why          string            `json:"why" doc:"from where it is known, in words"`
	Says         string            `json:"says" doc:"the step in plain words"`
	Weakness     Text              `json:"weakness" doc:"CVE id, or the scanner's check"`
	Finding      *int64            `json:"finding_id"`
	Title        Text              `json:"title"`
	Scanner      Text              `json:"scanner"`
	Rules        []string          `json:"rules" doc:"by which needs and gain were told from the facts of the weakness"`
	Technique    *PathTechnique    `json:"technique"`
	Fix          Text              `json:"fix" doc:"what to do so that this step ends"`
	Alternatives []PathAlternative `json:"alternatives" doc:"what would do in its place, likelier first"`
}

// PathTechnique is an ATT&CK technique.
type PathTechnique struct {
	ID     string `json:"id" example:"T1190"`
	Name   string `json:"name"`
	Source string `json:"source" enum:"ctid,derived,rule"`
}

// PathAlternative is another weakness that does the same.
type PathAlternative struct {
	Finding  int64   `json:"finding_id"`
	Weakness string  `json:"weakness"`
	Chance   float64 `json:"chance"`
}

// FixSet is a set of fixes that together cut every path, as checked by asking again without them.
type FixSet struct {
	Fixes    []Fix `json:"fixes"`
	Smallest bool  `json:"smallest" doc:"no smaller set does; false: none was found"`
	Verified bool  `json:"verified" doc:"asked again without them: nothing is reached"`
	Complete bool  `json:"complete"`
	Total    int   `json:"total" doc:"how many fixes there are; fixes lists 500 at most"`

	Actions []FixAction `json:"actions" doc:"the fixes that are listed, as things to do: one update of a host's software ends all its findings"`
}

// FixAction is one thing to do, which may end several findings.
type FixAction struct {
	Do         Text      `json:"do"`
	Host       *PathHost `json:"host" doc:"null: everywhere"`
	Findings   []int64   `json:"findings" doc:"empty where it is to be done everywhere"`
	Weaknesses []string  `json:"weaknesses"`
}

// Fix is one thing to do.
type Fix struct {
	Weakness    string    `json:"weakness"`
	Finding     *int64    `json:"finding_id" doc:"null: patch it everywhere"`
	Host        *PathHost `json:"host" doc:"null: patch it everywhere"`
	Title       Text      `json:"title"`
	Do          Text      `json:"do"`
	Findings    int       `json:"findings" doc:"that it ends"`
	Cuts        int       `json:"cuts" doc:"of the listed paths, those that it alone ends"`
	RiskRemoved *float64  `json:"risk_removed"`
}

// PathFixes answers what to fix: GET /attack-paths/fixes, `paths --fixes`.
type PathFixes struct {
	Scenario   PathScenario `json:"scenario"`
	All        *FixSet      `json:"all" doc:"for all jewels together, finding by finding"`
	Patches    *FixSet      `json:"patches" doc:"for all jewels together, each CVE everywhere"`
	Ranked     []Fix        `json:"ranked" doc:"findings by risk_removed, the most first; none where no random trials are made"`
	Notices    []string     `json:"notices"`
	Complete   bool         `json:"complete"`
	Incomplete Text         `json:"incomplete"`
}

// WhatIf is the difference that something makes.
type WhatIf struct {
	Before    PathTotals    `json:"before"`
	After     PathTotals    `json:"after"`
	Gone      []string      `json:"gone" doc:"ids of paths, of those listed before, that end"`
	Left      []string      `json:"left"`
	New       []Path        `json:"new" doc:"paths that are the best ones then and were not listed before"`
	Jewels    []WhatIfJewel `json:"jewels"`
	Risk      float64       `json:"risk" doc:"expected weight of compromised jewels before"`
	RiskAfter float64       `json:"risk_after"`
	Says      string        `json:"says" example:"41 of 43 paths are gone; 1 of 3 jewels is still reached."`
	Notices   []string      `json:"notices"`
	// What is not complete is told among the notices too.
	Complete   bool `json:"complete"`
	Incomplete Text `json:"incomplete"`
}

// WhatIfJewel is a jewel before and after.
type WhatIfJewel struct {
	PathHost
	Before PathChance `json:"before"`
	After  PathChance `json:"after"`
}

// PathReach is what one host exposes (forward) or what leads to it (backward).
type PathReach struct {
	Host      PathHost      `json:"host"`
	Direction string        `json:"direction" enum:"forward,backward"`
	Hosts     []PathReached `json:"hosts" doc:"the likeliest first"`
	Total     int           `json:"total"`
	Notices   []string      `json:"notices"`

	Complete   bool `json:"complete"`
	Incomplete Text `json:"incomplete"`
}

// PathReached is a host of a PathReach.
type PathReached struct {
	PathHost
	Privilege string  `json:"privilege" enum:"none,user,root"`
	Chance    float64 `json:"chance" doc:"of the best way between the two: that who holds the one gets the other"`
}

// PathMap is the whole estate as a graph for drawing: hosts that are alike are one node.
type PathMap struct {
	Nodes      []PathNode `json:"nodes"`
	Edges      []PathEdge `json:"edges"`
	Folded     int        `json:"folded" doc:"hosts that stand in nodes with others"`
	Complete   bool       `json:"complete"`
	Incomplete Text       `json:"incomplete"`
	Notices    []string   `json:"notices"`
}

// PathNode is a node of a PathMap.
type PathNode struct {
	ID        string  `json:"id"`
	Kind      string  `json:"kind" enum:"entry,site,host,group"`
	Name      string  `json:"name"`
	Site      Text    `json:"site"`
	Hosts     int     `json:"hosts"`
	Host      *int64  `json:"host_id" doc:"of a single host"`
	Members   []int64 `json:"members" doc:"of a group: the first 50"`
	Jewel     bool    `json:"jewel"`
	Reached   bool    `json:"reached"`
	Privilege string  `json:"privilege" enum:"none,user,root"`
	Chance    float64 `json:"chance" doc:"of the best path to it"`
	OnPath    bool    `json:"on_path" doc:"the best path to a jewel leads over it"`
}

// PathEdge is an edge of a PathMap.
type PathEdge struct {
	From     string  `json:"from"`
	To       string  `json:"to"`
	Kind     string  `json:"kind" enum:"reaches,exploits,logs_in,same_host"`
	Chance   float64 `json:"chance"`
	Known    string  `json:"known" enum:"observed,policy,assumed"`
	Findings int     `json:"findings"`
	OnPath   bool    `json:"on_path"`
}

// PathPolicy is what somebody declared of the network.
type PathPolicy struct {
	Rules   []PathRule `json:"rules"`
	Same    [][]string `json:"same" doc:"groups of one machine seen in several sites: site/address"`
	Clients []string   `json:"clients" doc:"networks where people open what they are sent"`
	Source  Text       `json:"source"`
	At      *time.Time `json:"at"`
	By      Text       `json:"by"`
}

// PathRule is one rule: zones are "internet", "any", "site:NAME", "NETWORK" or "site:NAME/NETWORK".
type PathRule struct {
	N     int      `json:"n"`
	From  string   `json:"from" example:"site:branch"`
	To    string   `json:"to" example:"10.0.0.0/24"`
	Ports []string `json:"ports" example:"tcp/443"`
	Allow bool     `json:"allow"`
	Note  Text     `json:"note"`
}

// PathCorrection is a person's word on an edge.
type PathCorrection struct {
	ID     int64     `json:"id"`
	Edge   string    `json:"edge"`
	Says   string    `json:"says" enum:"never,always,chance"`
	Chance *float64  `json:"chance"`
	About  string    `json:"about" doc:"the edge in words; empty when nothing is there any more"`
	Note   Text      `json:"note"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
}

// PathCorrections lists them.
type PathCorrections struct {
	Corrections []PathCorrection `json:"corrections"`
}
