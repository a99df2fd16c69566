package attackpath

import (
	"slices"
	"strings"
)

// skip is why a finding gives an attacker nothing.
type skip uint8

const (
	counted   skip = iota // it gives an edge
	noStep                // availability only, or nothing is known of it
	noPort                // over the network, but no port of the host is known
	noService             // a package of which no service is known to run
	noClient              // somebody must open something, and nobody sits there
	needsRoot             // only an administrator of the host can use it
	noGain                // it gives a user of the host what he has
	saidNever             // somebody corrected it
	skipKinds
)

// skips counts findings of a host by why they give nothing.
type skips [skipKinds]uint16

type counts [skipKinds]int

func (c *counts) add(s skips, sign int) {
	for k, n := range s {
		c[k] += sign * int(n)
	}
}

// emitting is the work on one host.
type emitting struct {
	*Model
	i      int32
	h      *Host
	st     *hostState
	client int8 // 0 not asked yet, 1 yes, -1 no
	logged bool // something gives or needs a login
	asked  bool // a finding needs a login
}

// emit adds the actions of a host, all in one piece.
func (m *Model) emit(i int32) {
	e := &emitting{Model: m, i: i, h: m.hosts[i], st: &m.state[i]}
	e.st.first = int32(len(m.net.Actions))
	e.st.skips = skips{}
	e.begin()
	for j := range e.h.Flaws {
		e.st.skips[e.flaw(&e.h.Flaws[j])]++
	}
	e.sameMachine()
	e.logins()
	e.implied()
	e.st.n = int32(len(m.net.Actions)) - e.st.first
	m.counts.add(e.st.skips, 1)
}

// begin adds the entry points on the host itself.
func (e *emitting) begin() {
	for k := range e.entries {
		n := &e.entries[k]
		switch {
		case n.Kind == FromHost && n.Host == e.h.ID:
			e.add(Action{Kind: Enters, Known: Policy, Pre: e.pre(n.fact), Post: e.st.user, P: 1, Host: e.h.ID, Weakness: -1,
				Why: e.reasons.id("the question begins there: a user of the host")})
		case n.Kind == FromUser && (n.Host == e.h.ID || n.Host == 0 && n.Site == e.h.Site && len(e.loginServices()) > 0):
			e.add(Action{Kind: Enters, Known: Policy, Pre: e.pre(n.fact), Post: e.login(), P: 1, Host: e.h.ID, Weakness: -1,
				Why: e.reasons.id("the question begins so: with a stolen login")})
		}
	}
	if e.estate.Assume.Reuse && len(e.loginServices()) > 0 {
		e.add(Action{Kind: Reusing, Known: Assumed, Pre: e.pre(e.reuses()), Post: e.login(), P: 1, Host: e.h.ID, Weakness: -1,
			Why: e.reasons.id("scenario credential reuse: an administrator's credentials of one host are taken to work on the others of its site")})
	}
}

// flaw adds what a finding gives, or says why it gives nothing.
func (e *emitting) flaw(f *Flaw) skip {
	x := f.Effect
	if x == nil || x.Reach == FromNowhere || x.Gain == Nothing || !(x.P > 0) {
		return noStep
	}
	a := Action{Kind: Exploit, P: min(x.P, 1), Host: e.h.ID, Finding: f.Finding, Flaw: f}
	if c := e.fixes[f.Finding]; c != nil {
		p, ok := c.chance()
		if !ok {
			return saidNever
		}
		a.P, a.Known, a.Why = p, Policy, e.reasons.correction(c)
	}
	got, why := e.worth(f)
	if why == counted {
		why = e.needs(f, &a)
	}
	if why != counted {
		return why
	}
	a.Post, a.Weakness = e.gain(f, got), e.weakness(f.Weakness)
	if a.Known != Policy {
		a.Why = e.whyFound(f, e.more(f, got, a.Known))
	}
	e.add(a)
	return counted
}

// needs fills in where one must be to use a finding.
func (e *emitting) needs(f *Flaw, a *Action) skip {
	x := f.Effect
	if x.Needs == Root && (x.Reach == OnHost || !e.administered(f)) {
		return needsRoot
	}
	if x.Lures && !e.isClient() {
		return noClient
	}
	var pre [3]Fact
	need := pre[:0]
	switch x.Reach {
	case OverNetwork:
		ports, why := e.ports(f)
		if why != counted {
			return why
		}
		if f.Port == 0 && f.Component == "" && !x.Lures && a.Known == Observed {
			a.Known = Assumed
		}
		if len(ports) > 0 {
			need = append(need, e.anyOf(ports))
		}
	case OverLink:
		need = append(need, e.inSite(e.h.Site))
	case OnHost:
		need = append(need, e.st.user)
	}
	switch {
	case x.Reach == OnHost:
	case x.Needs == User && !e.administered(f):
		need = append(need, e.login())
		e.asked = true
	case x.Needs != None:
		need = append(need, e.account(f))
	}
	if x.Lures {
		need = append(need, e.lured(e.h.Site))
	}
	a.Pre = e.Model.pre(need...)
	return counted
}

// administered says whether another finding makes one administrator of what answers at a finding's port.
func (e *emitting) administered(f *Flaw) bool {
	return f.Port != 0 && slices.ContainsFunc(e.h.Flaws, func(other Flaw) bool {
		x := other.Effect
		return x != nil && x.Gain == AppAdmin && x.Reach != FromNowhere && other.Finding != f.Finding &&
			other.Port == f.Port && protocolOf(other.Protocol) == protocolOf(f.Protocol)
	})
}

// account is what a finding needs that asks for an account where another one makes administrators of what answers there: so
// flaws of one application join, one lets in, the next one runs code. A login of the host will do too, unless the account
// must be an administrator's.
func (e *emitting) account(f *Flaw) Fact {
	key := sideKey{kind: HasLogin, host: e.h.ID, port: f.Port, protocol: protocolOf(f.Protocol), ports: f.Effect.Needs.String()}
	account, ok := e.side[key]
	if !ok {
		account = e.fact(FactInfo{Kind: HasLogin, Privilege: f.Effect.Needs, Host: e.h.ID, Site: e.h.Site, Port: key.port, Protocol: key.protocol})
		e.side[key] = account
	}
	if slices.ContainsFunc(e.net.Actions[e.st.first:], func(a Action) bool { return a.Kind == Implies && a.Post == account }) {
		return account
	}
	taken := func(from Fact, why string) {
		e.add(Action{Kind: Implies, Known: Assumed, Pre: e.pre(from), Post: account, P: 1, Host: e.h.ID, Weakness: -1, Why: e.reasons.id(why)})
	}
	taken(e.own(Administers, f), "who administers what answers there by one flaw is taken to have the account that another one asks for")
	if f.Effect.Needs == User {
		taken(e.login(), "a login of the host is taken to count as an account of what answers there")
		e.asked = true
	}
	return account
}

// ports are those over which a finding can be used. None, where people open what they are sent without any.
func (e *emitting) ports(f *Flaw) ([]portKey, skip) {
	switch {
	case f.Port != 0:
		return []portKey{e.at(f.Protocol, f.Port)}, counted
	case f.Effect.Lures:
		return nil, counted
	}
	why := noPort
	if f.Component != "" {
		why = noService
	}
	var out []portKey
	for _, s := range e.h.Services {
		if k := e.at(s.Protocol, s.Port); (f.Component == "" || serves(f.Component, s)) && !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	if len(out) == 0 {
		return nil, why
	}
	return out, counted
}

func (e *emitting) at(protocol string, port uint16) portKey {
	return portKey{class: e.st.class, protocol: protocolOf(protocol), port: port}
}

func protocolOf(p string) string {
	switch p {
	case "tcp", "udp":
		return p
	case "":
		return "tcp"
	}
	return strings.ToLower(p)
}

// anyOf is the fact that one can send to one of these ports. Ports that the same parts reach alike count as one; where
// more than one is left, a fact of the host stands for them, so that the weakness is tried once and not once a port.
func (e *emitting) anyOf(ports []portKey) Fact {
	seen := map[string]bool{}
	var left []portKey
	for _, k := range ports {
		if len(ports) == 1 {
			return e.port(k)
		}
		if a := e.reach.alike(k); !seen[a] {
			seen[a] = true
			left = append(left, k)
		}
	}
	if len(left) == 1 {
		return e.port(left[0])
	}
	var list []int32
	for _, k := range left {
		list = append(list, int32(k.port), int32(len(k.protocol)))
	}
	key := sideKey{kind: Reaches, host: e.h.ID, ports: keyOf(list)}
	f, ok := e.side[key]
	if !ok {
		f = e.fact(FactInfo{Kind: Reaches, Host: e.h.ID, Site: e.h.Site, Class: e.st.class})
		e.side[key] = f
	}
	if !e.made(f) {
		for _, k := range left {
			e.add(Action{Kind: Moves, Pre: e.pre(e.port(k)), Post: f, P: 1, Weakness: -1, Why: e.reasons.id("any of the host's ports will do")})
		}
	}
	return f
}

// made says whether this round gave the host's own fact already.
func (e *emitting) made(f Fact) bool {
	return slices.ContainsFunc(e.net.Actions[e.st.first:], func(a Action) bool { return a.Post == f && a.Kind == Moves })
}

// more is what else a step rests on.
func (e *emitting) more(f *Flaw, got Privilege, known Known) string {
	var out []string
	if known == Assumed {
		out = append(out, "the report names no port, so that any open one of the host is taken to do")
	}
	if got == Root && f.Effect.Gain == AsService {
		_, why := e.runsAs(f)
		out = append(out, why)
	}
	if f.Effect.Lures {
		_, why := IsClient(*e.h, e.estate.Policy)
		out = append(out, "people sit there: "+why)
	}
	return strings.Join(out, "; ")
}

// worth is the privilege that a finding gives, where it gives one, or why it gives nothing new.
func (e *emitting) worth(f *Flaw) (got Privilege, why skip) {
	local := f.Effect.Reach == OnHost
	switch f.Effect.Gain {
	case AsService:
		got, _ = e.runsAs(f)
	case AsUser:
		got = User
	case AsRoot:
		got = Root
	case ALogin:
		if local || f.Effect.Needs != None {
			return None, noGain
		}
		return None, counted
	default:
		return None, counted
	}
	if got == None || got == User && local {
		return None, noGain
	}
	return got, counted
}

// gain is the fact that a finding gives.
func (e *emitting) gain(f *Flaw, got Privilege) Fact {
	switch got {
	case Root:
		return e.root()
	case User:
		return e.st.user
	}
	switch f.Effect.Gain {
	case ALogin:
		return e.login()
	case AppAdmin:
		return e.own(Administers, f)
	case ReadsFiles:
		return e.reads(f)
	default:
		return e.own(Writes, f)
	}
}

// runsAs says as what runs over which a finding is used, and why.
func (e *emitting) runsAs(f *Flaw) (Privilege, string) {
	switch {
	case f.Port != 0:
		return RunsAs(e.service(f.Protocol, f.Port), *e.h)
	case f.Component != "":
		for _, s := range e.h.Services {
			if serves(f.Component, s) {
				return RunsAs(s, *e.h)
			}
		}
	}
	return User, ""
}

func (e *emitting) service(protocol string, port uint16) Service {
	for _, s := range e.h.Services {
		if s.Port == port && protocolOf(s.Protocol) == protocolOf(protocol) {
			return s
		}
	}
	return Service{Protocol: protocolOf(protocol), Port: port}
}

// reads is the fact that one reads files; in the scenario "secrets read" they hold a login.
func (e *emitting) reads(f *Flaw) Fact {
	got := e.own(Reads, f)
	if e.estate.Assume.Secrets {
		known := func(a Action) bool { return a.Kind == Implies && a.Pre[0] == got }
		if !slices.ContainsFunc(e.net.Actions[e.st.first:], known) {
			e.add(Action{Kind: Implies, Known: Assumed, Pre: e.pre(got), Post: e.login(), P: 1, Host: e.h.ID, Weakness: -1,
				Why: e.reasons.id("scenario secrets read: what can be read there is taken to hold a login")})
		}
	}
	return got
}

// own is a fact that leads on to nothing but this host.
func (e *emitting) own(kind FactKind, f *Flaw) Fact {
	key := sideKey{kind: kind, host: e.h.ID, port: f.Port, protocol: protocolOf(f.Protocol)}
	if f.Port == 0 {
		key.protocol = ""
	}
	got, ok := e.side[key]
	if !ok {
		got = e.fact(FactInfo{Kind: kind, Host: e.h.ID, Site: e.h.Site, Port: key.port, Protocol: key.protocol})
		e.side[key] = got
	}
	return got
}

func (e *emitting) root() Fact {
	if e.st.root < 0 {
		e.st.root = e.fact(FactInfo{Kind: Holds, Privilege: Root, Host: e.h.ID, Site: e.h.Site})
	}
	return e.st.root
}

func (e *emitting) login() Fact {
	e.logged = true
	if e.st.login < 0 {
		e.st.login = e.fact(FactInfo{Kind: HasLogin, Host: e.h.ID, Site: e.h.Site})
	}
	return e.st.login
}

func (e *emitting) reuses() Fact {
	key := siteFact{Reuses, e.h.Site}
	f, ok := e.siteFacts[key]
	if !ok {
		f = e.fact(FactInfo{Kind: Reuses, Site: e.h.Site})
		e.siteFacts[key] = f
	}
	return f
}

func (e *emitting) isClient() bool {
	if e.client == 0 {
		e.client = -1
		if yes, _ := IsClient(*e.h, e.estate.Policy); yes {
			e.client = 1
		}
	}
	return e.client > 0
}

func (e *emitting) loginServices() (out []Service) {
	for _, s := range e.h.Services {
		if yes, _ := LoginService(s); yes {
			out = append(out, s)
		}
	}
	return out
}

// logins adds that a login is used at the services for it.
func (e *emitting) logins() {
	if !e.logged {
		return
	}
	// A user of the host may use what asks for an account there.
	if e.asked {
		e.add(Action{Kind: Implies, Known: Assumed, Pre: e.pre(e.st.user), Post: e.st.login, P: 1, Host: e.h.ID, Weakness: -1,
			Why: e.reasons.id("an account that was taken on a host is taken to count as an account of its services")})
	}
	var done []portKey
	for _, s := range e.loginServices() {
		k := e.at(s.Protocol, s.Port)
		if slices.Contains(done, k) {
			continue
		}
		done = append(done, k)
		e.add(Action{Kind: LogsIn, Pre: e.pre(e.st.login, e.port(k)), Post: e.st.user, P: 1, Host: e.h.ID, Weakness: -1, Why: e.whyLogin(s)})
	}
}

// implied adds what goes without saying: an administrator is a user, and a user of a host can send from it.
func (e *emitting) implied() {
	always := func(pre, post Fact, kind ActionKind, known Known, why string) {
		e.add(Action{Kind: kind, Known: known, Pre: e.pre(pre), Post: post, P: 1, Host: e.h.ID, Weakness: -1, Why: e.reasons.id(why)})
	}
	if e.st.root >= 0 {
		always(e.st.root, e.st.user, Implies, Observed, "an administrator may do what a user may")
		if e.estate.Assume.Reuse {
			always(e.st.root, e.reuses(), Reusing, Assumed, "scenario credential reuse: an administrator finds the credentials of his like")
		}
	}
	always(e.st.user, e.standsFact(e.st.part), Moves, Observed, "whoever holds a host sends from its place")
}

func (m *Model) weakness(name string) int32 {
	id, ok := m.weaknesses[name]
	if !ok {
		id = int32(len(m.net.Weaknesses))
		m.weaknesses[name] = id
		m.net.Weaknesses = append(m.net.Weaknesses, name)
	}
	return id
}

// foundKey tells sentences on findings apart, without writing each.
type foundKey struct {
	scanner  string
	site     string
	scan     int64
	port     uint16
	protocol string
	more     string
	kind     ActionKind
}

// whyFound says who found something, and which scan saw its port open.
func (e *emitting) whyFound(f *Flaw, more string) int32 {
	key := foundKey{scanner: f.Scanner, more: more}
	if f.Port != 0 {
		key.port, key.protocol, key.site = f.Port, protocolOf(f.Protocol), e.h.Site
		key.scan = e.service(f.Protocol, f.Port).Scan
	}
	return e.foundWhy(key)
}

func (e *emitting) whyLogin(s Service) int32 {
	return e.foundWhy(foundKey{kind: LogsIn, scan: s.Scan, site: e.h.Site, port: s.Port, protocol: protocolOf(s.Protocol)})
}

func (m *Model) foundWhy(key foundKey) int32 {
	id, ok := m.found[key]
	if !ok {
		id = m.reasons.id(foundWords(key))
		m.found[key] = id
	}
	return id
}
