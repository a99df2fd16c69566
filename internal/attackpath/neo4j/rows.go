package neo4j

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/patchscout/patchscout/internal/attackpath"
)

// row is a node or relationship as a parameter.
type row = map[string]any

// rows are all nodes and relationships of a picture, by kind, in the order in which they are written.
type rows struct {
	Picture
	nodes map[label][]row
	links map[link][]row

	seen  map[string]bool
	given []int32 // by fact: the likeliest action that gives it, -1 for none
	start map[attackpath.Fact]bool
	goals map[attackpath.Fact]attackpath.Goal
}

var (
	nodeOrder = []label{site, asset, service, vulnerability, state, entryPoint, step}
	linkOrder = []link{runs, hasVuln, needed, gained, fallen, exploits, standsIn, reaches, reachesTo}
)

func toRows(p Picture) *rows {
	r := &rows{Picture: p, nodes: map[label][]row{}, links: map[link][]row{}, seen: map[string]bool{}, start: map[attackpath.Fact]bool{}, goals: map[attackpath.Fact]attackpath.Goal{}}
	if r.Estate == nil {
		r.Estate = estateOf(p.Network)
	}
	r.learn()
	r.estate()
	r.states()
	for i := range p.Network.Actions {
		r.action(i)
	}
	return r
}

func (r *rows) learn() {
	n := r.Network
	for _, f := range n.Start {
		r.start[f] = true
	}
	for _, g := range n.Goals {
		r.goals[g.Fact] = g
	}
	r.given = slices.Repeat([]int32{-1}, len(n.Facts))
	for i := range n.Actions {
		post := n.Actions[i].Post
		if best := r.given[post]; best < 0 || n.Actions[i].P > n.Actions[best].P {
			r.given[post] = int32(i)
		}
	}
}

// node adds one, unless it is there: what it is about is the same then.
func (r *rows) node(l label, key string, p float64, known attackpath.Known, reason string, more row) {
	if r.seen[key] {
		return
	}
	r.seen[key] = true
	more["key"], more["p"], more["known"], more["reason"] = key, p, known.String(), reason
	r.nodes[l] = append(r.nodes[l], more)
}

// link adds a relationship. What tells it from others between the same two is a part of its key.
func (r *rows) link(l link, from, to, tell string, p float64, known attackpath.Known, reason string, more row) {
	key := from + " " + l.name + " " + to
	if tell != "" {
		key += " " + tell
	}
	if r.seen[key] {
		return
	}
	r.seen[key] = true
	if more == nil {
		more = row{}
	}
	more["key"], more["p"], more["known"], more["reason"] = key, p, known.String(), reason
	r.links[l] = append(r.links[l], row{"a": from, "b": to, "r": more})
}

func assetKey(host int64) string { return fmt.Sprintf("host:%d", host) }
func serviceKey(host int64, protocol string, port uint16) string {
	return fmt.Sprintf("service:%d:%s/%d", host, protocol, port)
}
func weaknessKey(name string) string      { return "weakness:" + short(name) }
func siteKey(name string) string          { return "site:" + short(name) }
func stateKey(f attackpath.Fact) string   { return fmt.Sprintf("state:%d", f) }
func stepKey[T int | int32](n T) string   { return fmt.Sprintf("step:%d", n) }
func findingWord(finding int64) string    { return fmt.Sprintf("finding:%d", finding) }
func (r *rows) reason(index int32) string { return at(r.Network.Reasons, index) }

// short keeps what an index cannot hold out of keys: it takes some 8,000 bytes.
func short(name string) string {
	if len(name) <= 1000 {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}

func at(list []string, i int32) string {
	if i < 0 || int(i) >= len(list) {
		return ""
	}
	return list[i]
}

func (r *rows) chance(f attackpath.Fact) float64 {
	if r.start[f] {
		return 1
	}
	if r.Chance == nil {
		return 0
	}
	return r.Chance(f)
}

// estate are hosts with what they run and what is wrong with them.
func (r *rows) estate() {
	fell := map[int64]float64{}
	for f, info := range r.Network.Facts {
		if info.Host != 0 && (info.Kind == attackpath.Holds || r.isGoal(attackpath.Fact(f))) {
			fell[info.Host] = max(fell[info.Host], r.chance(attackpath.Fact(f)))
		}
	}
	for _, s := range r.Estate.Sites {
		r.node(site, siteKey(s.Name), 1, attackpath.Observed, "a site of the estate", row{"name": s.Name, "external": s.External})
	}
	weights := map[int64]attackpath.Goal{}
	for _, g := range r.Network.Goals {
		weights[g.Host] = g
	}
	worst := r.worst()
	for i := range r.Estate.Hosts {
		h := &r.Estate.Hosts[i]
		goal, isGoal := weights[h.ID]
		r.node(asset, assetKey(h.ID), fell[h.ID], attackpath.Observed, "a host of the estate", row{"id": h.ID, "name": h.Name, "site": h.Site, "os": h.OS,
			"jewel": isGoal, "criticality": int64(h.Criticality), "weight": goal.Weight, "exposed": h.Exposed, "tags": h.Tags})
		for _, s := range h.Services {
			r.service(h.ID, s)
		}
		for j := range h.Flaws {
			r.flaw(h.ID, &h.Flaws[j], worst)
		}
	}
}

func (r *rows) isGoal(f attackpath.Fact) bool { _, is := r.goals[f]; return is }

func (r *rows) service(host int64, s attackpath.Service) {
	reason := "seen on the host"
	if s.Scan != 0 {
		reason = fmt.Sprintf("scan %d saw it", s.Scan)
	}
	key := serviceKey(host, s.Protocol, s.Port)
	r.node(service, key, 1, attackpath.Observed, reason, row{"host": host, "protocol": s.Protocol, "port": int64(s.Port), "name": s.Name, "product": s.Product})
	r.link(runs, assetKey(host), key, "", 1, attackpath.Observed, reason, nil)
}

// worst is the highest chance of each weakness.
func (r *rows) worst() map[string]float64 {
	worst := map[string]float64{}
	for i := range r.Estate.Hosts {
		for j := range r.Estate.Hosts[i].Flaws {
			f := &r.Estate.Hosts[i].Flaws[j]
			worst[f.Weakness] = max(worst[f.Weakness], works(f))
		}
	}
	for i := range r.Network.Actions {
		if a := &r.Network.Actions[i]; a.Weakness >= 0 {
			name := at(r.Network.Weaknesses, a.Weakness)
			worst[name] = max(worst[name], a.P)
		}
	}
	return worst
}

// works is the chance of a weakness for who is in place, 0 where it is no step.
func works(f *attackpath.Flaw) float64 {
	if f.Effect == nil || f.Effect.Gain == attackpath.Nothing || f.Effect.Reach == attackpath.FromNowhere {
		return 0
	}
	return f.Effect.P
}

func (r *rows) weakness(name string, p float64, title string) {
	r.node(vulnerability, weaknessKey(name), p, attackpath.Observed, "findings say so", row{"name": name, "title": title})
}

func (r *rows) flaw(host int64, f *attackpath.Flaw, worst map[string]float64) {
	r.weakness(f.Weakness, worst[f.Weakness], f.Title)
	more := row{"finding": f.Finding, "protocol": f.Protocol, "port": int64(f.Port), "component": f.Component, "title": f.Title, "remedy": f.Remedy}
	if f.Effect != nil {
		more["technique"] = f.Effect.Technique
	}
	reason := "it was found"
	if f.Scanner != "" {
		reason = f.Scanner + " found it"
	}
	r.link(hasVuln, assetKey(host), weaknessKey(f.Weakness), findingWord(f.Finding), works(f), attackpath.Observed, reason, more)
}

func (r *rows) states() {
	for f := range attackpath.Fact(len(r.Network.Facts)) {
		i := r.Network.Facts[f]
		known, reason, l := attackpath.Assumed, "nothing gives it", state
		if by := r.given[f]; by >= 0 {
			known, reason = r.Network.Actions[by].Known, r.reason(r.Network.Actions[by].Why)
		}
		if r.start[f] {
			known, reason, l = attackpath.Observed, "an attacker begins there", entryPoint
		}
		says := i.Text
		if r.Describe != nil {
			says = r.Describe(f)
		}
		goal, isGoal := r.goals[f]
		r.node(l, stateKey(f), r.chance(f), known, reason, row{"n": int64(f), "kind": stateKinds[i.Kind], "says": says, "text": i.Text, "host": i.Host, "site": i.Site, "class": int64(i.Class),
			"protocol": i.Protocol, "port": int64(i.Port), "privilege": i.Privilege.String(), "start": r.start[f], "goal": isGoal, "weight": goal.Weight})
		switch {
		case i.Host != 0 && (i.Kind == attackpath.Holds || isGoal):
			r.link(fallen, stateKey(f), assetKey(i.Host), "", 1, attackpath.Observed, "who has that has the host", nil)
		case i.Kind == attackpath.Stands && r.seen[siteKey(i.Site)]:
			r.link(standsIn, siteKey(i.Site), stateKey(f), "", 1, attackpath.Observed, "hosts of the site send from there", nil)
		}
	}
}

var stateKinds = map[attackpath.FactKind]string{attackpath.Other: "other", attackpath.EntryAt: "entry", attackpath.Stands: "stands", attackpath.Reaches: "reaches", attackpath.Holds: "holds",
	attackpath.HasLogin: "login", attackpath.Administers: "administers", attackpath.Reads: "reads", attackpath.Writes: "writes", attackpath.Lured: "lured", attackpath.Reuses: "reuses"}

var stepKinds = map[attackpath.ActionKind]string{attackpath.Exploit: "exploit", attackpath.Moves: "moves", attackpath.Enters: "enters", attackpath.Implies: "implies", attackpath.LogsIn: "logs in",
	attackpath.Reusing: "reusing", attackpath.SameHost: "same host", attackpath.Step: "step"}

func (r *rows) action(i int) {
	a, key := &r.Network.Actions[i], stepKey(i)
	reason, weakness, needs := r.reason(a.Why), at(r.Network.Weaknesses, a.Weakness), distinct(a.Pre)
	r.node(step, key, a.P, a.Known, reason, row{"n": int64(i), "kind": stepKinds[a.Kind], "needs": int64(len(needs)), "host": a.Host, "finding": a.Finding, "weakness": weakness, "id": a.ID})
	for _, f := range needs {
		r.link(needed, stateKey(f), key, "", 1, a.Known, reason, row{"needs": int64(len(needs))})
	}
	r.link(gained, key, stateKey(a.Post), "", a.P, a.Known, reason, nil)
	if weakness != "" {
		r.weakness(weakness, a.P, "")
		r.link(exploits, key, weaknessKey(weakness), "", a.P, a.Known, reason, row{"finding": a.Finding})
	}
	r.reach(a, reason)
}

// reach are the ways through the network: from where one stands to ports of a class of hosts, and to what answers there.
func (r *rows) reach(a *attackpath.Action, reason string) {
	for _, f := range a.Pre {
		pre := r.Network.Facts[f]
		if to := serviceKey(a.Host, pre.Protocol, pre.Port); pre.Kind == attackpath.Reaches && r.seen[to] {
			r.link(reachesTo, stateKey(f), to, "", 1, a.Known, "hosts that are treated alike answer there", nil)
		}
		if (a.Kind == attackpath.Moves || a.Kind == attackpath.Enters) && goesOn(pre.Kind, r.Network.Facts[a.Post].Kind) {
			r.link(reaches, stateKey(f), stateKey(a.Post), "", a.P, a.Known, reason, nil)
		}
	}
}

// goesOn leaves out that who holds a host stands in its site: that is no way through the network but a step.
func goesOn(from, to attackpath.FactKind) bool {
	switch from {
	case attackpath.EntryAt, attackpath.Stands, attackpath.Other:
		return to == attackpath.Stands || to == attackpath.Reaches || to == attackpath.Other
	}
	return false
}

func distinct(facts []attackpath.Fact) []attackpath.Fact {
	sorted := slices.Sorted(slices.Values(facts))
	return slices.Compact(sorted)
}

// estateOf is what a network itself tells of hosts.
func estateOf(n *attackpath.Network) *attackpath.Estate {
	e, index := &attackpath.Estate{}, map[int64]int{}
	host := func(id int64, site string) *attackpath.Host {
		i, known := index[id]
		if !known {
			i = len(e.Hosts)
			index[id] = i
			e.Hosts = append(e.Hosts, attackpath.Host{ID: id, Name: fmt.Sprintf("host %d", id), Site: site})
		}
		return &e.Hosts[i]
	}
	for _, f := range n.Facts {
		if f.Host != 0 {
			host(f.Host, f.Site)
		}
	}
	for i := range n.Actions {
		if a := &n.Actions[i]; a.Host != 0 && a.Flaw != nil {
			h := host(a.Host, "")
			h.Flaws = append(h.Flaws, *a.Flaw)
		} else if a.Host != 0 {
			host(a.Host, "")
		}
	}
	slices.SortFunc(e.Hosts, func(a, b attackpath.Host) int { return int(a.ID - b.ID) })
	return e
}

// content tells pictures apart, so that the same one need not be written again.
func (r *rows) content() (string, error) {
	sum := sha256.New()
	out := json.NewEncoder(sum) // maps in the order of their keys
	for _, l := range nodeOrder {
		if err := out.Encode(r.nodes[l]); err != nil {
			return "", err
		}
	}
	for _, l := range linkOrder {
		if err := out.Encode(r.links[l]); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
