package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/attackpath/graph"
	"github.com/patchscout/patchscout/internal/explain"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// How much a map shows: what a browser draws fluently.
const (
	maxNodes     = 5000
	shownMembers = 50
)

// PathMap is the whole estate for drawing. Sites stand between the hosts that send from them and those that they reach, so
// that there are not as many edges as pairs of hosts:
//
//	entry ---> site ---> host or group ---> site ---> host …
func (a *App) PathMap(ctx context.Context, req request.Paths) (report.PathMap, error) {
	out, _, err := askPaths(ctx, a, "map", req, func(ctx context.Context, q *pathsAsked) (report.PathMap, error) {
		best, err := q.graph.Best(ctx, attackpath.Removal{})
		if err != nil {
			return report.PathMap{}, err
		}
		d := &drawing{pathsAsked: q, best: best, node: map[int64]string{}, edges: map[edgeKey]*report.PathEdge{}, siteOf: map[string]int{}}
		return d.draw(ctx)
	})
	if errors.Is(err, errLate) {
		return report.PathMap{Nodes: []report.PathNode{}, Edges: []report.PathEdge{}, Notices: []string{}, Incomplete: report.Text(errLate.Error())}, nil
	}
	return out, err
}

// drawing is a map in the making.
type drawing struct {
	*pathsAsked
	best graph.Best

	sites   []string // 0 is the internet
	siteOf  map[string]int
	walks   []attackpath.Path // the best one to each goal
	onPath  map[int64]bool    // hosts that they lead over
	node    map[int64]string  // of a host
	nodes   []report.PathNode
	folded  int
	edges   map[edgeKey]*report.PathEdge
	sources []sources // by fact: from which sites it is had
}

type edgeKey struct{ from, to, kind string }

// places is a set of sites.
type places []uint64

func (p places) has(n int) bool { return n/64 < len(p) && p[n/64]>>(n%64)&1 == 1 }

// sources are sets of sites by how surely something is had from them: attackpath.Observed first.
type sources [3]places

// known says how surely something is had from a site; false where it is not.
func (s *sources) known(n int) (attackpath.Known, bool) {
	for k := range s {
		if s[k].has(n) {
			return attackpath.Known(k), true //nolint:gosec // 0 to 2
		}
	}
	return 0, false
}

// add takes what is had from elsewhere over a way that is known less surely, and says whether that is anything new.
func (s *sources) add(from *sources, way attackpath.Known) (changed bool) {
	for k := range from {
		level := max(k, int(way))
		for w, bits := range from[k] {
			if s[level] == nil {
				s[level] = make(places, len(from[k]))
			}
			if bits&^s[level][w] != 0 {
				s[level][w] |= bits
				changed = true
			}
		}
	}
	return changed
}

func (d *drawing) draw(ctx context.Context) (report.PathMap, error) {
	for _, name := range append([]string{""}, d.siteNames()...) {
		d.siteOf[name] = len(d.sites)
		d.sites = append(d.sites, name)
	}
	goals, err := d.goals(ctx)
	if err != nil {
		return report.PathMap{}, err
	}
	d.findWalks(goals)
	d.placeEntries()
	d.placeSites()
	d.placeHosts()
	d.spread()
	d.connect()
	d.mark()
	d.standInSites()
	out := report.PathMap{Nodes: d.nodes, Edges: []report.PathEdge{}, Folded: d.folded, Notices: d.notices()}
	for _, e := range d.edges {
		out.Edges = append(out.Edges, *e)
	}
	slices.SortFunc(out.Edges, func(a, b report.PathEdge) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Kind, b.Kind))
	})
	out.Incomplete = d.why()
	out.Complete = out.Incomplete == ""
	return out, ctx.Err()
}

func (d *drawing) siteNames() (out []string) {
	for _, s := range d.estate.Sites {
		out = append(out, s.Name)
	}
	return out
}

func (d *drawing) findWalks(goals []attackpath.Goal) {
	d.onPath = map[int64]bool{}
	if !d.named() {
		goals = goals[:min(len(goals), 20)] // where every host is a goal, the likeliest show the ways
	}
	for _, g := range goals {
		p, found := d.best.Path(g.Fact)
		if !found {
			continue
		}
		d.walks = append(d.walks, p)
		for _, h := range p.Hosts {
			d.onPath[h] = true
		}
	}
}

func entryNode(ref string) string { return "entry:" + ref }
func siteNode(site string) string { return "site:" + site }

func (d *drawing) placeEntries() {
	for _, e := range d.model.Entries() {
		d.nodes = append(d.nodes, report.PathNode{ID: entryNode(e.Ref), Kind: "entry", Name: explain.Line(e.Name), Members: []int64{}, Reached: true, Privilege: "none",
			Chance: 1, OnPath: true})
	}
}

func (d *drawing) placeSites() {
	hosts := map[string]int{}
	for i := range d.estate.Hosts {
		hosts[d.estate.Hosts[i].Site]++
	}
	for _, site := range d.sites[1:] {
		d.nodes = append(d.nodes, report.PathNode{ID: siteNode(site), Kind: "site", Name: site, Site: report.Text(site), Hosts: hosts[site], Members: []int64{}, Privilege: "none"})
	}
}

// standing is what an attacker is on a host at best, and how likely he is anything.
func (d *drawing) standing(id int64) (p attackpath.Privilege, chance float64) {
	for _, privilege := range []attackpath.Privilege{attackpath.User, attackpath.Root} {
		if fact, there := d.model.Fact(id, privilege); there && d.best.Reached(fact) {
			p, chance = privilege, max(chance, d.best.Chance(fact))
		}
	}
	return p, chance
}

// placeHosts makes a node of each host that matters or stands on a path, and one of others that are alike. Where that gives too
// many nodes, hosts count as alike that are less so.
func (d *drawing) placeHosts() {
	var groups map[string][]int
	var order []string
	for coarse := range 3 {
		groups, order = map[string][]int{}, nil
		for i := range d.estate.Hosts {
			key := d.likeness(&d.estate.Hosts[i], coarse)
			if groups[key] == nil {
				order = append(order, key)
			}
			groups[key] = append(groups[key], i)
		}
		if len(order)+len(d.nodes) <= maxNodes {
			break
		}
	}
	if room := maxNodes - len(d.nodes); len(order) > room {
		d.say("%d groups of hosts are not drawn", len(order)-max(room, 0))
		order = order[:max(room, 0)]
	}
	for _, key := range order {
		d.placeGroup(groups[key])
	}
}

// likeness is the same for hosts that are drawn as one.
func (d *drawing) likeness(h *attackpath.Host, coarse int) string {
	if h.Jewel || d.onPath[h.ID] || slices.Contains(d.assume.To, h.ID) {
		return strconv.FormatInt(h.ID, 10)
	}
	p, chance := d.standing(h.ID)
	key := fmt.Sprintf("%s %d %.3f %d", h.Site, p, chance, h.Criticality)
	if coarse == 2 {
		return fmt.Sprintf("%s %d", h.Site, p)
	}
	sum := fnv.New64a()
	var weaknesses, services []string
	for i := range h.Flaws {
		weaknesses = append(weaknesses, fmt.Sprint(h.Flaws[i].Weakness, " ", h.Flaws[i].Port))
	}
	if coarse == 0 {
		for _, s := range h.Services {
			services = append(services, fmt.Sprint(s.Protocol, s.Port, s.Product))
		}
	}
	for _, list := range [][]string{weaknesses, services} {
		slices.Sort(list)
		for _, text := range slices.Compact(list) {
			fmt.Fprintln(sum, text)
		}
		fmt.Fprintln(sum)
	}
	return fmt.Sprintf("%s %x", key, sum.Sum64())
}

func (d *drawing) placeGroup(members []int) {
	first := &d.estate.Hosts[members[0]]
	host := d.hostOf(first.ID)
	n := report.PathNode{ID: "host:" + strconv.FormatInt(first.ID, 10), Kind: "host", Name: host.Name, Site: report.Text(first.Site), Hosts: len(members),
		Members: []int64{}, Jewel: first.Jewel || slices.Contains(d.assume.To, first.ID), OnPath: d.onPath[first.ID]}
	if len(members) == 1 {
		n.Host = &first.ID
	} else {
		d.folded += len(members)
		n.ID = "group:" + strconv.FormatInt(first.ID, 10)
		n.Kind, n.Name = "group", fmt.Sprintf("%s like %s", report.Plural(len(members), "host", "hosts"), host.Name)
	}
	privilege := attackpath.None
	for _, i := range members {
		h := &d.estate.Hosts[i]
		p, chance := d.standing(h.ID)
		privilege, n.Chance = max(privilege, p), max(n.Chance, chance)
		d.node[h.ID] = n.ID
		if len(members) > 1 && len(n.Members) < shownMembers {
			n.Members = append(n.Members, h.ID)
		}
	}
	n.Privilege, n.Reached = privilege.String(), privilege != attackpath.None
	d.nodes = append(d.nodes, n)
}

// spread works out from which sites each fact is had that only tells where somebody can send to.
func (d *drawing) spread() {
	d.sources = make([]sources, len(d.net.Facts))
	for f, info := range d.net.Facts {
		if at, there := d.siteOf[info.Site]; info.Kind == attackpath.Stands && there {
			set := make(places, (len(d.sites)+63)/64)
			set[at/64] |= 1 << (at % 64)
			d.sources[f][attackpath.Observed] = set
		}
	}
	for changed := true; changed; {
		changed = false
		for i := range d.net.Actions {
			a := &d.net.Actions[i]
			kind := d.net.Facts[a.Post].Kind
			if a.Kind == attackpath.Moves && (kind == attackpath.Reaches || kind == attackpath.Other || kind == attackpath.Lured) {
				changed = d.sources[a.Post].add(&d.sources[a.Pre[0]], a.Known) || changed
			}
		}
	}
}

// connect draws what leads to hosts.
func (d *drawing) connect() {
	internet := slices.ContainsFunc(d.nodes, func(n report.PathNode) bool { return n.ID == entryNode("internet") })
	for _, e := range d.model.Entries() {
		switch e.Kind {
		case attackpath.FromSite:
			d.edge(entryNode(e.Ref), siteNode(e.Site), "reaches", 1, entryKnown(e.Assumed))
		case attackpath.FromHost:
			d.edge(entryNode(e.Ref), d.node[e.Host], "reaches", 1, attackpath.Policy)
		case attackpath.FromUser, attackpath.FromInternet:
		}
	}
	for i := range d.net.Actions {
		a := &d.net.Actions[i]
		to := d.net.Facts[a.Post]
		if to.Host == 0 || to.Kind != attackpath.Holds && to.Kind != attackpath.HasLogin || a.P == 0 {
			continue
		}
		d.connectAction(a, to, internet)
	}
}

func entryKnown(assumed bool) attackpath.Known {
	if assumed {
		return attackpath.Assumed
	}
	return attackpath.Policy
}

func (d *drawing) connectAction(a *attackpath.Action, to attackpath.FactInfo, internet bool) {
	kind := map[attackpath.ActionKind]string{attackpath.Exploit: "exploits", attackpath.LogsIn: "logs_in", attackpath.SameHost: "same_host"}[a.Kind]
	hasNot := func(f attackpath.Fact) bool { return d.net.Facts[f].Kind == attackpath.HasLogin && !d.best.Reached(f) }
	if kind == "" || slices.ContainsFunc(a.Pre, hasNot) { // a login that nobody gets opens nothing
		return
	}
	for _, f := range a.Pre {
		from := d.net.Facts[f]
		if a.Kind == attackpath.SameHost && from.Host != 0 {
			d.edge(d.node[from.Host], d.node[to.Host], kind, a.P, a.Known)
		}
		for n := range d.sites {
			if known, leads := d.sources[f].known(n); leads && from.Kind != attackpath.Stands && (n != 0 || internet) {
				d.way(n, f, to.Host, kind, a, known)
			}
		}
	}
}

// way draws how a site, or the internet, gets to a host: over the host's own site, where that gets there too.
func (d *drawing) way(from int, f attackpath.Fact, host int64, kind string, a *attackpath.Action, known attackpath.Known) {
	h, there := d.estate.host(host)
	if !there {
		return
	}
	own := d.siteOf[h.Site]
	_, inside := d.sources[f].known(own)
	source := siteNode(d.sites[from])
	switch {
	case from == 0:
		source = entryNode("internet")
	case from != own && inside:
		d.edge(source, siteNode(h.Site), "reaches", 1, known)
		return
	}
	e := d.edge(source, d.node[host], kind, a.P, max(known, a.Known))
	if e != nil && a.Finding != 0 {
		e.Findings++
	}
}

// edge draws a line, or makes one likelier and surer that is there. nil where one of its ends is not drawn.
func (d *drawing) edge(from, to, kind string, chance float64, known attackpath.Known) *report.PathEdge {
	if from == "" || to == "" || from == to {
		return nil
	}
	key := edgeKey{from, to, kind}
	e := d.edges[key]
	if e == nil {
		e = &report.PathEdge{From: from, To: to, Kind: kind, Known: known.String()}
		d.edges[key] = e
	}
	e.Chance = max(e.Chance, chance)
	if surer(known, e.Known) {
		e.Known = known.String()
	}
	return e
}

func surer(known attackpath.Known, than string) bool {
	for _, k := range []attackpath.Known{attackpath.Observed, attackpath.Policy, attackpath.Assumed} {
		if k.String() == than {
			return known < k
		}
	}
	return false
}

// standInSites says of sites whether an attacker stands in them.
func (d *drawing) standInSites() {
	at := map[string]int{}
	for i, n := range d.nodes {
		if n.Kind == "site" {
			at[n.Name] = i
		}
	}
	stands := func(site string, chance float64) {
		if i, there := at[site]; there {
			d.nodes[i].Reached, d.nodes[i].Chance = true, max(d.nodes[i].Chance, chance)
		}
	}
	for _, e := range d.model.Entries() {
		if e.Kind == attackpath.FromSite {
			stands(e.Site, 1)
		}
	}
	for _, n := range d.nodes {
		if n.Kind != "site" && n.Reached {
			stands(string(n.Site), n.Chance)
		}
	}
	for _, e := range d.edges {
		for _, id := range []string{e.From, e.To} {
			site, is := strings.CutPrefix(id, siteNode(""))
			if i, there := at[site]; is && there && e.OnPath {
				d.nodes[i].OnPath = true
			}
		}
	}
}

// mark marks the lines that the best paths follow.
func (d *drawing) mark() {
	entries := map[attackpath.Fact]string{}
	for f, e := range d.entries {
		entries[f] = entryNode(e.Ref)
	}
	for _, p := range d.walks {
		at := map[attackpath.Fact]string{} // where somebody stands who has a fact
		site := map[attackpath.Fact]string{}
		for _, s := range p.Steps {
			d.markStep(&d.net.Actions[s.Action], entries, at, site)
		}
	}
}

// markStep follows one step of a path.
func (d *drawing) markStep(a *attackpath.Action, entries, at, site map[attackpath.Fact]string) {
	from, sent := "", ""
	for _, f := range a.Pre {
		if node := cmp.Or(entries[f], at[f]); node != "" {
			from = node
		}
		if info := d.net.Facts[f]; info.Kind == attackpath.Stands {
			sent = info.Site
		}
		sent = cmp.Or(site[f], sent)
	}
	to := d.net.Facts[a.Post]
	if to.Host == 0 || to.Kind == attackpath.Reaches {
		at[a.Post], site[a.Post] = from, sent
		if to.Kind == attackpath.Stands {
			site[a.Post] = to.Site
		}
		return
	}
	node := d.node[to.Host]
	at[a.Post] = node
	if from == "" || from == node || node == "" {
		return
	}
	d.markWay(from, sent, node, to.Host)
}

// markWay marks the lines between two nodes: straight, or over the sites between them.
func (d *drawing) markWay(from, sent, to string, host int64) {
	h, there := d.estate.host(host)
	if !there || d.markAny(from, to) || sent == "" {
		return
	}
	if from != siteNode(sent) {
		if e := d.edge(from, siteNode(sent), "reaches", 1, attackpath.Observed); e != nil {
			e.OnPath = true
		}
	}
	if d.markAny(siteNode(sent), to) {
		return
	}
	d.markAny(siteNode(sent), siteNode(h.Site))
	d.markAny(siteNode(h.Site), to)
}

func (d *drawing) markAny(from, to string) (found bool) {
	for _, kind := range []string{"exploits", "logs_in", "same_host", "reaches"} {
		if e := d.edges[edgeKey{from, to, kind}]; e != nil {
			e.OnPath, found = true, true
			break
		}
	}
	return found
}
