package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
)

// PathGraph is the listed paths as one graph of hosts: what files for graph tools are made of.
type PathGraph struct {
	Nodes []PathGraphNode // in the order in which paths lead over them, the first path first
	Edges []PathGraphEdge
}

// PathGraphNode is a place where attackers begin, or a host.
type PathGraphNode struct {
	ID   string // "n1": nothing that a host or a person has named
	Kind string // entry, host
	PathHost
	Paths int // that lead over it
}

// PathGraphEdge is a step from one to the other. Several steps may lead the same way.
type PathGraphEdge struct {
	From, To string // ids of nodes; the same where privilege grows on one host
	Step     PathStep
	Known    string   // the weakest of the step and of the way to it
	Why      []string // from where that is known
	Paths    int      // that use it
}

// Graph joins the paths. Steps that only lead from one place to the next belong to the edge of the step that they make
// possible.
func (p Paths) Graph() PathGraph {
	d := &drawing{nodes: map[string]int{}, edges: map[string]int{}}
	for _, path := range p.Paths {
		d.add(path)
	}
	return d.PathGraph
}

type drawing struct {
	PathGraph

	nodes map[string]int // by what they are
	edges map[string]int
}

// whence is where somebody stands who has a fact: the nodes that he has it from, and what was assumed on the way.
type whence struct {
	nodes []string
	known string
	why   []string
}

func (d *drawing) add(path Path) {
	seen := map[string]bool{}
	entry := d.node("entry "+path.From, PathGraphNode{Kind: "entry", PathHost: PathHost{Name: path.From}}, seen)
	has := facts{}
	last := whence{nodes: []string{entry}, known: "observed"}
	for _, step := range path.Steps {
		at := has.of(step.Needs, last)
		at.known = weakest(at.known, step.Known)
		at.why = join(at.why, step.Why)
		switch {
		case step.Host == nil:
		case step.Kind == "enters" && !actsOn(path.Steps, step.Host.ID): // who begins on a host is there
			at = whence{nodes: []string{d.host(*step.Host, seen)}, known: step.Known, why: at.why}
		case acts(step.Kind):
			to := d.host(*step.Host, seen)
			d.connect(at, to, step, seen)
			at = whence{nodes: []string{to}, known: "observed"}
			last = at
		}
		has[step.Gains] = at
	}
}

// of is where somebody stands who has all that is needed. What no step gave he has from where he is.
func (has facts) of(needs []string, otherwise whence) whence {
	out := whence{known: "observed"}
	for _, need := range needs {
		if from, found := has[need]; found {
			out.nodes, out.known, out.why = join(out.nodes, from.nodes...), weakest(out.known, from.known), join(out.why, from.why...)
		}
	}
	if len(out.nodes) == 0 {
		return whence{slices.Clone(otherwise.nodes), otherwise.known, slices.Clone(otherwise.why)}
	}
	return out
}

// facts are what somebody has, by their words.
type facts map[string]whence

// acts says whether a step of that kind takes something on a host; others only lead there.
func acts(kind string) bool {
	return slices.Contains([]string{"exploit", "logs_in", "reuse", "same_host", "step"}, kind)
}

func actsOn(steps []PathStep, host int64) bool {
	return slices.ContainsFunc(steps, func(s PathStep) bool { return acts(s.Kind) && s.Host != nil && s.Host.ID == host })
}

func (d *drawing) host(h PathHost, seen map[string]bool) string {
	return d.node("host "+strconv.FormatInt(h.ID, 10)+" "+h.Name, PathGraphNode{Kind: "host", PathHost: h}, seen)
}

// node returns the id of what is called key, and counts a path over it once.
func (d *drawing) node(key string, n PathGraphNode, seen map[string]bool) string {
	i, found := d.nodes[key]
	if !found {
		i = len(d.Nodes)
		n.ID = "n" + strconv.Itoa(i+1)
		d.Nodes, d.nodes[key] = append(d.Nodes, n), i
	}
	if !seen[key] {
		seen[key] = true
		d.Nodes[i].Paths++
	}
	return d.Nodes[i].ID
}

func (d *drawing) connect(at whence, to string, step PathStep, seen map[string]bool) {
	from := slices.DeleteFunc(slices.Clone(at.nodes), func(id string) bool { return id == to && len(at.nodes) > 1 })
	for _, id := range from {
		key := fmt.Sprintf("%s %s %s %s %s %s", id, to, step.Kind, cmp.Or(step.Edge, string(step.Weakness)), step.place(), step.Gains)
		i, found := d.edges[key]
		if !found {
			i = len(d.Edges)
			d.Edges, d.edges[key] = append(d.Edges, PathGraphEdge{From: id, To: to, Step: step, Known: at.known, Why: at.why}), i
		}
		if !seen[key] {
			seen[key] = true
			d.Edges[i].Paths++
		}
		d.Edges[i].Known, d.Edges[i].Why = weakest(d.Edges[i].Known, at.known), join(d.Edges[i].Why, at.why...)
	}
}

// place is where a step is made: "tcp/445", "" without a port.
func (s PathStep) place() string {
	if s.Port == nil || *s.Port == 0 {
		return ""
	}
	return cmp.Or(string(s.Protocol), "tcp") + "/" + port(s.Port)
}

// means is by what a step works, in a word or two.
func (s PathStep) means() string {
	switch s.Kind {
	case "logs_in":
		return "login"
	case "reuse":
		return "reused credentials"
	case "same_host":
		return "the same machine"
	case "enters":
		return "begins here"
	}
	return cmp.Or(string(s.Weakness), string(s.Title), s.Kind)
}

// weakest is what a path rests on that rests on both.
func weakest(a, b string) string {
	for _, known := range []string{"assumed", "policy"} {
		if a == known || b == known {
			return known
		}
	}
	return "observed"
}

// join adds what is not there yet.
func join(list []string, more ...string) []string {
	list = slices.Clip(list)
	for _, one := range more {
		if one != "" && !slices.Contains(list, one) {
			list = append(list, one)
		}
	}
	return list
}
