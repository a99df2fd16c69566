package attackpath

// Fact numbers something that holds or does not, from 0 without gaps.
type Fact int32

// FactKind tells what a fact is about.
type FactKind uint8

// The kinds.
const (
	Other       FactKind = iota // of a published network: Text says it
	EntryAt                     // an attacker begins here
	Stands                      // he can send from hosts of a part of a site: Site, Class
	Reaches                     // he can send to a port of a class of hosts: Site, Class, Protocol, Port
	Holds                       // he is Privilege on Host
	HasLogin                    // he has a login that Host accepts
	Administers                 // he is administrator of what answers at Port of Host
	Reads                       // he reads files of Host (Port: of that service)
	Writes                      // he writes files of Host
	Lured                       // he can put something before people at client hosts
	Reuses                      // he has an administrator's credentials of Site
)

// FactInfo says what a fact is.
type FactInfo struct {
	Kind      FactKind
	Privilege Privilege
	Port      uint16
	Class     int32 // tells classes of a site apart: hosts that rules treat alike
	Host      int64
	Site      string
	Protocol  string
	Text      string // of Other
}

// ActionKind tells why an action is possible.
type ActionKind uint8

// The kinds.
const (
	Exploit  ActionKind = iota // a finding
	Moves                      // being somewhere lets one send from there, or to there
	Enters                     // an entry point
	Implies                    // root is a user too
	LogsIn                     // a login is used at a service for it
	Reusing                    // the scenario "credential reuse"
	SameHost                   // one machine in two sites
	Step                       // of a published network
)

// Action needs all of Pre and gives Post. It works with the chance P, decided once and independently of all others.
type Action struct {
	Kind     ActionKind
	Known    Known
	Pre      []Fact // at least one; never changed, may share memory
	Post     Fact
	P        float64 // 0 < P <= 1
	Host     int64   // the host that it happens on, 0 for none: taking that host away takes the action away
	Finding  int64   // the fix that takes it away; 0 when there is none
	Weakness int32   // index in Network.Weaknesses, -1 for none: "patch this everywhere" takes away all of its actions
	Flaw     *Flaw   // of Exploit
	Why      int32   // index in Network.Reasons: from where it is known, for people
	ID       string  // of a published network's action
}

// Network is facts and actions: a monotone AND/OR graph. Cycles are allowed.
type Network struct {
	Facts      []FactInfo
	Actions    []Action
	Weaknesses []string
	Reasons    []string // "a scan of site office saw it on 2026-11-20"
	Start      []Fact   // hold from the beginning
	Goals      []Goal
	Notices    []string // what is assumed of the whole, for people: printed with every answer
}

// Goal is a host that matters.
type Goal struct {
	Fact        Fact
	Host        int64
	Criticality int     // 1..5
	Weight      float64 // Criticality / 5
}

// Change turns a Network into the one after a host was looked at again: the actions of Gone end, New ones are appended with
// the next numbers, and so are Facts. Start and Goals replace the old ones where they are not nil.
type Change struct {
	Gone       []int32 // indices into Network.Actions, ascending
	New        []Action
	Facts      []FactInfo
	Weaknesses []string
	Reasons    []string
	Start      []Fact
	Goals      []Goal
}
