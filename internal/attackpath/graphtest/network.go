package graphtest

import (
	"fmt"
	"strings"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/attackpath/graph/exact"
)

// Network is a case as an attackpath.Network, and what stands for what.
type Network struct {
	*attackpath.Network
	Case    Case
	FactOf  map[string]attackpath.Fact
	Origins []int         // of each action of the Network: index in Case.Actions
	Fixes   map[int64]int // finding: index in Case.Actions
	HostOf  map[string]int64
}

// ToNetwork makes a Network of a case. Facts "h1.user" and "h1.root" are of one host, and an action happens on the host of
// what it gives. Each action with a fix is a finding of its own, and a weakness of the fix's name. What a Network's action
// cannot be (several gains, several fixes) becomes several in a row, of which the first has the chance.
func ToNetwork(c Case) *Network {
	n := &Network{Network: &attackpath.Network{Reasons: []string{"published"}}, Case: c,
		FactOf: map[string]attackpath.Fact{}, Fixes: map[int64]int{}, HostOf: map[string]int64{}}
	n.Start = append(n.Start, n.fact("h0.always"))
	for _, f := range c.Init {
		n.Start = append(n.Start, n.fact(f))
	}
	weakness := map[string]int32{}
	for _, name := range Fixes(c) {
		weakness[name] = int32(len(n.Weaknesses))
		n.Weaknesses = append(n.Weaknesses, name)
	}
	for i, a := range c.Actions {
		n.addAction(i, a, weakness)
	}
	for _, goal := range c.Goals {
		f := n.fact(goal)
		n.Goals = append(n.Goals, attackpath.Goal{Fact: f, Host: n.Facts[f].Host, Criticality: 5, Weight: 1})
	}
	return n
}

func (n *Network) addAction(i int, a exact.Action, weakness map[string]int32) {
	if a.P == 0 {
		return // a Network holds only what can work
	}
	pre := []attackpath.Fact{n.fact("h0.always")}
	if len(a.Pre) > 0 {
		pre = nil
	}
	for _, f := range distinct(a.Pre) {
		pre = append(pre, n.fact(f))
	}
	host := n.host(a.Post[0])
	gains := distinct(a.Post)
	rows := max(1, len(a.Fix))
	p := a.P
	for row := range rows {
		last := row == rows-1 && len(gains) == 1
		to := gains[0]
		if !last {
			to = fmt.Sprintf("%s.%s step %d", hostName(a.Post[0]), a.ID, row)
		}
		step := attackpath.Action{Kind: attackpath.Step, Pre: pre, Post: n.fact(to), P: p, Host: host, Weakness: -1, ID: a.ID}
		if row < len(a.Fix) {
			step.Weakness, step.Finding = weakness[a.Fix[row]], int64(100+i)
			n.Fixes[step.Finding] = i
		}
		n.add(i, step)
		pre, p = []attackpath.Fact{step.Post}, 1
	}
	for _, to := range gains {
		if len(gains) > 1 {
			n.add(i, attackpath.Action{Kind: attackpath.Step, Pre: pre, Post: n.fact(to), P: 1, Host: host, Weakness: -1, ID: a.ID})
		}
	}
}

func (n *Network) add(origin int, a attackpath.Action) {
	n.Actions = append(n.Actions, a)
	n.Origins = append(n.Origins, origin)
}

func (n *Network) fact(text string) attackpath.Fact {
	if f, known := n.FactOf[text]; known {
		return f
	}
	f := attackpath.Fact(len(n.Facts))
	n.FactOf[text] = f
	n.Facts = append(n.Facts, attackpath.FactInfo{Kind: attackpath.Other, Text: text, Host: n.host(text)})
	return f
}

// host numbers the hosts as they come; h0 is where the attacker is, no host.
func (n *Network) host(fact string) int64 {
	name := hostName(fact)
	if name == "h0" || name == "internet" {
		return 0
	}
	if _, known := n.HostOf[name]; !known {
		n.HostOf[name] = int64(len(n.HostOf) + 1)
	}
	return n.HostOf[name]
}

func hostName(fact string) string {
	name, _, _ := strings.Cut(fact, ".")
	return name
}

func distinct(texts []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, t := range texts {
		if !seen[t] {
			seen[t] = true
			out = append(out, t)
		}
	}
	return out
}
