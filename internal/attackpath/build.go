package attackpath

import (
	"context"
	"slices"
	"sort"
	"sync"

	"github.com/patchscout/patchscout/internal/fault"
)

// Model is an Estate's Network and what is needed to keep it up to date and to tell of it. Reading it is safe for
// concurrent use; Replace is not, and neither is reading beside it.
//
//	entry -> Stands(part of a site) -> [hub ->] Reaches(class, port) -> Holds(host) -> Stands(part of its site) -> …
//
// The rules are in build_reach.go (who can send to what) and build_host.go (what can be done on a host).
type Model struct {
	estate Estate // without Hosts
	net    *Network
	hosts  []*Host
	index  map[int64]int32 // host id -> place in hosts and state
	state  []hostState
	reach  *reach
	fixes  map[int64]*Correction // by finding
	same   sameHosts
	fixed  map[int64]int // corrected findings that are there
	counts counts
	never  Fact // what actions need that ended; -1: none ended yet

	mu           sync.Mutex // guards what Entries works out
	entryInfo    []EntryInfo
	entries      []entry
	entryActions []int32 // those that belong to no host
	internet     int32   // hosts that the internet reaches
	goalMode     goalMode
	empty        map[string]int32 // entry points' sites without hosts, and the part that stands for them

	nodes      []node
	nodeID     map[portKey]int32
	hubs       map[hubKey]Fact
	coins      map[coinKey]Fact
	siteFacts  map[siteFact]Fact
	side       map[sideKey]Fact
	weaknesses map[string]int32
	reasons    *reasons
	found      map[foundKey]int32
	arena      []Fact
	shared     []Action // that belong to no host, to be added after those of the hosts at hand
}

// hostState is what a Model remembers of a host.
type hostState struct {
	user, root, login Fact // -1: there is none
	part, class       int32
	first, n          int32 // its own actions
	internet          bool  // the internet reaches a port of it
	skips             skips
}

// node is a port of a class that something needs.
type node struct {
	portKey
	fact Fact
}

type siteFact struct {
	kind FactKind
	site string
}

// sideKey names facts that only one host knows.
type sideKey struct {
	kind     FactKind
	host     int64
	port     uint16
	protocol string
	ports    string // of Reaches: any of these; of HasLogin: whose account
}

type hubKey struct {
	set, why int32
	known    Known
}

// Build makes the Network of an estate. The Estate must not be changed afterwards: the Model refers to its hosts.
func Build(ctx context.Context, e Estate) (*Model, error) {
	m := newModel(&e)
	if err := m.name(); err != nil {
		return nil, err
	}
	m.place()
	m.same.resolve(m)
	m.internet = m.countInternet()
	if err := m.chooseEntries(); err != nil {
		return nil, err
	}
	for i := range m.hosts {
		if i&1023 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		m.emit(int32(i))
	}
	m.flush()
	if err := m.connectAll(ctx); err != nil {
		return nil, err
	}
	m.enter()
	m.net.Goals = m.goals()
	m.net.Notices = m.notices()
	// Room for what rescans append, so that a rescan does not copy everything.
	m.net.Actions = slices.Grow(m.net.Actions, len(m.net.Actions)/16+1024)
	m.sync()
	return m, ctx.Err()
}

// Network returns the Network. It is the Model's own: only Replace changes it.
func (m *Model) Network() *Network { return m.net }

// Fact returns the fact that an attacker has a privilege on a host; false where nothing could give it to him.
func (m *Model) Fact(host int64, p Privilege) (Fact, bool) {
	i, ok := m.index[host]
	if !ok {
		return 0, false
	}
	f := Fact(-1)
	switch p {
	case User:
		f = m.state[i].user
	case Root:
		f = m.state[i].root
	}
	return max(f, 0), f >= 0
}

func newModel(e *Estate) *Model {
	why := &reasons{ids: map[string]int32{}}
	m := &Model{
		net: &Network{}, reasons: why, reach: newReach(e, why), fixes: findingFixes(e.Corrections),
		index: make(map[int64]int32, len(e.Hosts)), nodeID: map[portKey]int32{}, hubs: map[hubKey]Fact{}, coins: map[coinKey]Fact{}, never: -1, empty: map[string]int32{}, fixed: map[int64]int{},
		siteFacts: map[siteFact]Fact{}, side: map[sideKey]Fact{}, weaknesses: map[string]int32{}, found: map[foundKey]int32{},
	}
	m.estate = *e
	m.estate.Hosts = nil
	m.hosts = make([]*Host, 0, len(e.Hosts))
	flaws := 0
	for i := range e.Hosts {
		m.hosts = append(m.hosts, &e.Hosts[i])
		flaws += len(e.Hosts[i].Flaws)
	}
	m.net.Actions = make([]Action, 0, flaws+3*len(e.Hosts))
	m.net.Facts = make([]FactInfo, 0, 3*len(e.Hosts))
	return m
}

// name numbers the hosts, and the weaknesses in the order of their names, so that equal estates give equal Networks.
func (m *Model) name() error {
	names := map[string]bool{}
	for i, h := range m.hosts {
		if _, twice := m.index[h.ID]; twice {
			return fault.Invalid("host %d is twice in the estate", h.ID)
		}
		m.index[h.ID] = int32(i)
		for j := range h.Flaws {
			names[h.Flaws[j].Weakness] = true
		}
	}
	for n := range names {
		m.net.Weaknesses = append(m.net.Weaknesses, n)
	}
	sort.Strings(m.net.Weaknesses)
	for i, n := range m.net.Weaknesses {
		m.weaknesses[n] = int32(i)
	}
	return nil
}

// place gives every host its part, its class and the fact that somebody is a user of it.
func (m *Model) place() {
	m.state = make([]hostState, len(m.hosts))
	for i := range m.hosts {
		m.settle(int32(i))
		m.tally(m.hosts[i], 1)
	}
	for i := range m.reach.parts {
		m.standsFact(int32(i))
		m.outward(int32(i))
	}
}

// settle places a host for the first time.
func (m *Model) settle(i int32) {
	h := m.hosts[i]
	part, class := m.reach.place(h)
	m.state[i] = hostState{user: -1, root: -1, login: -1, part: part, class: class, first: -1}
	m.state[i].user = m.fact(FactInfo{Kind: Holds, Privilege: User, Host: h.ID, Site: h.Site})
	m.join(i, 1)
}

// join counts a host in to (1) or out of (-1) its part and class.
func (m *Model) join(i, n int32) {
	p, c := &m.reach.parts[m.state[i].part], &m.reach.classes[m.state[i].class]
	p.hosts += n
	c.hosts += n
	if p.sample < 0 {
		p.sample = i
	}
	if c.sample < 0 {
		c.sample = i
	}
}

func (m *Model) fact(f FactInfo) Fact {
	m.net.Facts = append(m.net.Facts, f)
	return Fact(len(m.net.Facts) - 1)
}

func (m *Model) standsFact(part int32) Fact {
	p := &m.reach.parts[part]
	if p.fact < 0 {
		p.fact = m.fact(FactInfo{Kind: Stands, Site: p.site, Class: part})
	}
	return p.fact
}

// inSite is the fact that an attacker stands anywhere in a site. It is made when it is first needed.
func (m *Model) inSite(site string) Fact {
	key := siteFact{Stands, site}
	f, ok := m.siteFacts[key]
	if !ok {
		f = m.fact(FactInfo{Kind: Stands, Site: site, Class: -1})
		m.siteFacts[key] = f
		if s := m.reach.siteParts[site]; s != nil {
			for _, p := range s.list() {
				m.share(m.standsIn(p, f))
			}
		}
	}
	return f
}

func (m *Model) standsIn(part int32, site Fact) Action {
	return Action{Kind: Moves, Pre: m.pre(m.standsFact(part)), Post: site, P: 1, Weakness: -1,
		Why: m.reasons.id("whoever sends from a host of site " + m.reach.parts[part].site + " stands in that site")}
}

// lured is the fact that an attacker can put something before the people of a site.
func (m *Model) lured(site string) Fact {
	key := siteFact{Lured, site}
	f, ok := m.siteFacts[key]
	if !ok {
		f = m.fact(FactInfo{Kind: Lured, Site: site})
		m.siteFacts[key] = f
		m.share(Action{Kind: Moves, Known: Assumed, Pre: m.pre(m.standsFact(0)), Post: f, P: 1, Weakness: -1,
			Why: m.reasons.id("anyone in the internet is taken to be able to send people something to open")})
		m.share(Action{Kind: Moves, Known: Assumed, Pre: m.pre(m.inSite(site)), Post: f, P: 1, Weakness: -1,
			Why: m.reasons.id("whoever is in a site is taken to be able to send its people something to open")})
	}
	return f
}

// port is the fact that an attacker can send to a port of a class.
func (m *Model) port(k portKey) Fact {
	id, ok := m.nodeID[k]
	if !ok {
		id = int32(len(m.nodes))
		m.nodeID[k] = id
		m.nodes = append(m.nodes, node{k, m.fact(FactInfo{Kind: Reaches, Site: m.reach.classes[k.class].site, Class: k.class, Protocol: k.protocol, Port: k.port})})
	}
	return m.nodes[id].fact
}

func (m *Model) pre(facts ...Fact) []Fact {
	if cap(m.arena)-len(m.arena) < len(facts) {
		m.arena = make([]Fact, 0, 16384)
	}
	at := len(m.arena)
	m.arena = append(m.arena, facts...)
	return m.arena[at:len(m.arena):len(m.arena)]
}

func (m *Model) add(a Action) int32 {
	m.net.Actions = append(m.net.Actions, a)
	return int32(len(m.net.Actions) - 1)
}

func (m *Model) share(a Action) { m.shared = append(m.shared, a) }

// flush adds what belongs to no host. A host's own actions are in one piece, so that they can be taken out again.
func (m *Model) flush() {
	m.net.Actions = append(m.net.Actions, m.shared...)
	m.shared = nil
}

// sync hands what was interned to the Network.
func (m *Model) sync() { m.net.Reasons = m.reasons.list }

// maxEdges bounds what a policy may tell apart. 10,000 random rules among 100,000 hosts make 5 million.
const maxEdges = 20_000_000

// connectAll lets the parts reach the ports. Where many parts reach many ports alike, a hub between them makes a sum of
// what would be a product.
func (m *Model) connectAll(ctx context.Context) error {
	uses := map[hubKey]int{}
	for i := range m.nodes {
		if i&1023 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for _, l := range m.reach.links(m.nodes[i].portKey) {
			uses[hubKey{l.set, l.why, l.known}]++
		}
	}
	edges := 0
	for k, many := range uses {
		edges += many
		if n := int(m.reach.sizes[k.set]); worthHub(n, many) {
			edges += n
		} else {
			edges += (n - 1) * many
		}
	}
	if edges > maxEdges {
		return fault.Invalid("the policy's %d rules tell so many places apart that %d edges would be needed, more than %d: join networks that are treated alike", len(m.estate.Policy.Rules), edges, maxEdges)
	}
	for i := range m.nodes {
		if i&1023 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for _, l := range m.reach.links(m.nodes[i].portKey) {
			m.connect(&m.nodes[i], l, worthHub(int(m.reach.sizes[l.set]), uses[hubKey{l.set, l.why, l.known}]))
		}
	}
	return nil
}

// worthHub says whether a hub saves much. A few edges more are easier to follow than a fact between.
func worthHub(parts, ports int) bool {
	return parts*ports > 64 && parts*ports > 2*(parts+ports)
}

// connect lets the parts of a link reach a port.
func (m *Model) connect(to *node, l link, hub bool) {
	if _, there := m.hubs[hubKey{l.set, l.why, l.known}]; l.fix == nil && (there || hub) {
		m.add(Action{Kind: Moves, Known: l.known, Pre: m.pre(m.hub(l)), Post: to.fact, P: 1, Weakness: -1, Why: l.why})
		return
	}
	m.direct(to, l, m.reach.sets[l.set].list())
}

// direct lets parts reach a port one by one. A chance that somebody gave is decided once for the edge, not once for every
// part of the site that it is said of.
func (m *Model) direct(to *node, l link, parts []int32) {
	post := to.fact
	if l.fix != nil && l.p < 1 && len(parts) > 0 {
		post = m.coin(to, l)
	}
	for _, p := range parts {
		m.add(Action{Kind: Moves, Known: l.known, Pre: m.pre(m.standsFact(p)), Post: post, P: 1, Weakness: -1, Why: l.why})
	}
}

type coinKey struct {
	to  Fact
	fix *Correction
}

func (m *Model) coin(to *node, l link) Fact {
	key := coinKey{to.fact, l.fix}
	f, ok := m.coins[key]
	if !ok {
		f = m.fact(FactInfo{Kind: Other, Class: to.class, Text: "can try " + m.About(l.fix.Edge)})
		m.coins[key] = f
		m.add(Action{Kind: Moves, Known: l.known, Pre: m.pre(f), Post: to.fact, P: l.p, Weakness: -1, Why: l.why})
	}
	return f
}

func (m *Model) hub(l link) Fact {
	key := hubKey{l.set, l.why, l.known}
	f, ok := m.hubs[key]
	if !ok {
		f = m.fact(FactInfo{Kind: Other, Class: int32(len(m.hubs) + 1), Text: "can send where " + hubWords(l.known, m.reasons.list[l.why])})
		m.hubs[key] = f
		for _, p := range m.reach.sets[l.set].list() {
			m.add(Action{Kind: Moves, Known: l.known, Pre: m.pre(m.standsFact(p)), Post: f, P: 1, Weakness: -1, Why: l.why})
		}
	}
	return f
}

// goalMode tells what the goals are, since nobody may have named any.
type goalMode uint8

const (
	asked goalMode = iota // by the asker
	tagged
	important // criticality high and critical
	allHosts
)

func (m *Model) goals() (out []Goal) {
	m.goalMode = m.chooseGoals()
	chosen := m.estate.Assume.To
	if m.goalMode == asked {
		for _, id := range chosen {
			out = append(out, m.goal(m.index[id]))
		}
		return out
	}
	for i, h := range m.hosts {
		if m.goalMode == allHosts || m.goalMode == tagged && h.Jewel || m.goalMode == important && h.Criticality >= 4 {
			out = append(out, m.goal(int32(i)))
		}
	}
	return out
}

func (m *Model) chooseGoals() goalMode {
	if len(m.estate.Assume.To) > 0 {
		return asked
	}
	mode := allHosts
	for _, h := range m.hosts {
		if h.Jewel {
			return tagged
		}
		if h.Criticality >= 4 {
			mode = important
		}
	}
	return mode
}

// goal weighs a host: where nobody said how critical it is, it is of medium criticality.
func (m *Model) goal(i int32) Goal {
	c := m.hosts[i].Criticality
	if c < 1 || c > 5 {
		c = 3
	}
	return Goal{Fact: m.state[i].user, Host: m.hosts[i].ID, Criticality: c, Weight: float64(c) / 5}
}
