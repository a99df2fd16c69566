package graphtest

import (
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/attackpath"
)

// Graphs is how many random networks a test tries: a tenth of what TEST_LONG=1 does.
func Graphs() uint64 {
	if os.Getenv("TEST_LONG") != "" {
		return 10_000
	}
	return 1_000
}

// Run holds an implementation of attackpath.Graph to the published networks and to random ones. Each time a new graph is
// asked for, so that one may be kept and loaded again.
func Run(t *testing.T, open func() attackpath.Graph) { RunSome(t, open, Graphs()) }

// RunSome is Run with as many random networks as somebody has the time for.
func RunSome(t *testing.T, open func() attackpath.Graph, graphs uint64) {
	g := open()
	t.Cleanup(func() {
		if err := g.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	published := Published()
	for _, name := range slices.Sorted(maps.Keys(published)) {
		t.Run(name, func(t *testing.T) { hold(t, g, published[name]) })
	}
	for name, c := range circles() {
		t.Run(name, func(t *testing.T) { hold(t, g, c) })
	}
	t.Run("random", func(t *testing.T) {
		for seed := range graphs {
			if hold(t, g, Random(seed)); t.Failed() {
				return
			}
		}
	})
	t.Run("without something", func(t *testing.T) {
		for seed := range max(graphs/4, 1) {
			if holdWithout(t, g, Random(seed)); t.Failed() {
				return
			}
		}
	})
}

// circles are networks in which one can walk for ever, and in which something only leads to itself.
func circles() map[string]Case {
	ring := Case{Name: "ring", Init: []string{"internet.attacker"}, Goals: []string{"c.root", "d.root"}}
	ring.Actions = append(ring.Actions,
		action("in", "a.root", 0.5, "x", "internet.attacker"),
		action("a to b", "b.root", 0.5, "x", "a.root"), action("b to c", "c.root", 0.5, "y", "b.root"),
		action("c to a", "a.root", 1, "", "c.root"), action("c to b", "b.root", 1, "", "c.root"), action("b to b", "b.root", 1, "", "b.root"),
		action("d to d", "d.root", 1, "", "d.root"), action("d to e", "e.root", 1, "", "d.root"), action("e to d", "d.root", 1, "", "e.root"))
	both := Case{Name: "each needs the other", Init: []string{"internet.attacker"}, Goals: []string{"c.root"}, Actions: ring.Actions[:0:0]}
	both.Actions = append(both.Actions,
		action("a", "a.root", 0.5, "x", "internet.attacker", "b.root"), action("b", "b.root", 0.5, "x", "internet.attacker", "a.root"),
		action("c", "c.root", 0.5, "", "a.root", "b.root"))
	return map[string]Case{"ring": ring, "each needs the other": both}
}

func hold(t *testing.T, g attackpath.Graph, c Case) {
	t.Helper()
	n := ToNetwork(c)
	if err := g.Load(t.Context(), n.Network); err != nil {
		t.Fatalf("%s: load: %v", c.Name, err)
	}
	for _, goal := range c.Goals {
		truth := Try(c, goal)
		if diff := n.paths(t, g, goal, truth, attackpath.Removal{}); diff != "" {
			t.Errorf("%s, paths to %s: %s\n%s", c.Name, goal, diff, Tell(c))
		}
		if diff := n.backward(t, g, goal, truth); diff != "" {
			t.Errorf("%s, backward from %s: %s\n%s", c.Name, goal, diff, Tell(c))
		}
	}
	if diff := n.forward(t, g); diff != "" {
		t.Errorf("%s, forward: %s\n%s", c.Name, diff, Tell(c))
	}
}

// holdWithout takes each fix, each finding and each host away.
func holdWithout(t *testing.T, g attackpath.Graph, c Case) {
	t.Helper()
	n := ToNetwork(c)
	if err := g.Load(t.Context(), n.Network); err != nil {
		t.Fatalf("%s: load: %v", c.Name, err)
	}
	for _, w := range n.Removals() {
		left := n.Without(w)
		if diff := n.paths(t, g, c.Goals[0], Try(left, c.Goals[0]), w); diff != "" {
			t.Errorf("%s, paths to %s without %+v: %s\n%s", c.Name, c.Goals[0], w, diff, Tell(c))
		}
	}
}

// Removals is each thing that can be taken away alone.
func (n *Network) Removals() []attackpath.Removal {
	var all []attackpath.Removal
	for _, name := range n.Weaknesses {
		all = append(all, attackpath.Removal{Weaknesses: []string{name}})
	}
	for _, f := range slices.Sorted(maps.Keys(n.Fixes)) {
		all = append(all, attackpath.Removal{Findings: []int64{f}})
	}
	for h := range int64(len(n.HostOf)) {
		all = append(all, attackpath.Removal{Hosts: []int64{h + 1}})
	}
	for a := range n.Actions {
		all = append(all, attackpath.Removal{Actions: []int32{int32(a)}})
	}
	return all
}

// Without is the case without what is taken away.
func (n *Network) Without(w attackpath.Removal) Case {
	gone := map[int]bool{}
	for _, f := range w.Findings {
		gone[n.Fixes[f]] = true
	}
	for _, a := range w.Actions {
		gone[n.Origins[a]] = true
	}
	off := func(fact string) bool { return slices.Contains(w.Hosts, n.host(fact)) }
	c := n.Case
	c.Actions = nil
	for i, a := range n.Case.Actions {
		fixed := slices.ContainsFunc(a.Fix, func(f string) bool { return slices.Contains(w.Weaknesses, f) })
		if !gone[i] && !fixed && !slices.ContainsFunc(append(slices.Clone(a.Pre), a.Post...), off) {
			c.Actions = append(c.Actions, a)
		}
	}
	return c
}

func (n *Network) forward(t *testing.T, g attackpath.Graph) string {
	got, err := g.Forward(t.Context(), n.Start)
	if err != nil {
		return err.Error()
	}
	var want []attackpath.Fact
	for text, f := range n.FactOf {
		if !strings.Contains(text, " step ") && text != "h0.always" && !Derives(n.Case, text, func(int) bool { return true }) {
			continue
		}
		want = append(want, f)
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return fmt.Sprintf("%v, want %v", got, want)
	}
	return ""
}

// backward must name what minimal paths use, and nothing that cannot be had before the goal.
func (n *Network) backward(t *testing.T, g attackpath.Graph, goal string, truth Truth) string {
	got, err := g.Backward(t.Context(), n.FactOf[goal])
	switch {
	case err != nil:
		return err.Error()
	case !truth.Reachable && len(got) > 0:
		return fmt.Sprintf("%v lead to what cannot be reached", got)
	case !slices.IsSorted(got):
		return fmt.Sprintf("%v are not ascending", got)
	}
	for _, path := range truth.Paths {
		for _, id := range path {
			a := n.Case.Actions[slices.IndexFunc(n.Case.Actions, hasID(id))]
			for _, f := range a.Pre {
				if !slices.Contains(got, n.FactOf[f]) {
					return fmt.Sprintf("%s is missing, which the path %v uses", f, path)
				}
			}
		}
	}
	for _, f := range got {
		text := n.Facts[f].Text
		before := Derives(n.Case, text, func(i int) bool { return !slices.Contains(n.Case.Actions[i].Post, goal) })
		if text != goal && !before && !strings.Contains(text, " step ") {
			return fmt.Sprintf("%s cannot be had before", text)
		}
	}
	return ""
}

func (n *Network) paths(t *testing.T, g attackpath.Graph, goal string, truth Truth, w attackpath.Removal) string {
	found, err := g.Paths(t.Context(), attackpath.Question{To: n.FactOf[goal], K: 1000, Without: w})
	if err != nil {
		return err.Error()
	}
	if !found.Complete {
		return "incomplete: " + found.Why
	}
	got := make([]float64, len(found.Paths))
	for i, p := range found.Paths {
		if why := n.bad(p, goal, w); why != "" {
			return why
		}
		got[i] = p.P
	}
	want := n.byHosts(truth)
	if !near(got, want) {
		return fmt.Sprintf("chances %v of paths distinct by hosts, want %v", got, want)
	}
	best, err := g.Paths(t.Context(), attackpath.Question{To: n.FactOf[goal], Without: w})
	if err != nil || len(best.Paths) != min(1, len(want)) || len(want) > 0 && math.Abs(best.Paths[0].P-want[0]) > 1e-9 {
		return fmt.Sprintf("the best alone is %+v (%v), want one of %v", best.Paths, err, want)
	}
	return ""
}

// byHosts are the chances of the likeliest minimal paths over each set of hosts, the highest first.
func (n *Network) byHosts(truth Truth) []float64 {
	best := map[string]float64{}
	for _, path := range truth.Paths {
		p, hosts := 1.0, []int64{}
		for _, id := range path {
			a := n.Case.Actions[slices.IndexFunc(n.Case.Actions, hasID(id))]
			p *= a.P
			hosts = append(hosts, n.host(a.Post[0]))
		}
		slices.Sort(hosts)
		key := fmt.Sprint(slices.Compact(hosts))
		best[key] = max(best[key], p)
	}
	list := slices.Sorted(maps.Values(best))
	slices.Reverse(list)
	return list
}

func near(a, b []float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return math.Abs(x-y) < 1e-9 })
}

// bad says what is wrong with a path: a step before what it needs, something superfluous or taken away, a wrong chance or
// wrong hosts.
func (n *Network) bad(p attackpath.Path, goal string, w attackpath.Removal) string {
	left := n.Without(w)
	holds := map[attackpath.Fact]bool{}
	for _, f := range n.Start {
		holds[f] = true
	}
	chance, hosts, used := 1.0, []int64{}, map[int]bool{}
	for _, s := range p.Steps {
		a := n.Actions[s.Action]
		for _, f := range a.Pre {
			if !holds[f] {
				return fmt.Sprintf("step %s of %s needs %s first", a.ID, n.tell(p), n.Facts[f].Text)
			}
		}
		if !slices.ContainsFunc(left.Actions, hasID(a.ID)) {
			return fmt.Sprintf("%s uses %s, which was taken away", n.tell(p), a.ID)
		}
		if why := n.badAlternatives(s); why != "" {
			return why
		}
		holds[a.Post] = true
		chance *= a.P
		used[n.Origins[s.Action]] = true
		if a.Host != 0 && !slices.Contains(hosts, a.Host) {
			hosts = append(hosts, a.Host)
		}
	}
	switch {
	case !holds[n.FactOf[goal]]:
		return n.tell(p) + " does not lead there"
	case math.Abs(chance-p.P) > 1e-9:
		return fmt.Sprintf("%s has the chance %v, said %v", n.tell(p), chance, p.P)
	case !slices.Equal(hosts, p.Hosts) && len(hosts)+len(p.Hosts) > 0:
		return fmt.Sprintf("%s leads over hosts %v, said %v", n.tell(p), hosts, p.Hosts)
	}
	for i := range used {
		if Derives(n.Case, goal, func(j int) bool { return used[j] && i != j }) {
			return fmt.Sprintf("%s is superfluous in %s", n.Case.Actions[i].ID, n.tell(p))
		}
	}
	return ""
}

func (n *Network) badAlternatives(s attackpath.PathStep) string {
	a, last := n.Actions[s.Action], 1.0
	for _, other := range s.Alternatives {
		b := n.Actions[other]
		switch {
		case b.Post != a.Post || !sameFacts(a.Pre, b.Pre) || b.P > last+1e-12 || other == s.Action:
			return fmt.Sprintf("%s is no alternative of %s", b.ID, a.ID)
		}
		last = b.P
	}
	return ""
}

func sameFacts(a, b []attackpath.Fact) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

func (n *Network) tell(p attackpath.Path) string {
	var ids []string
	for _, s := range p.Steps {
		ids = append(ids, n.Actions[s.Action].ID)
	}
	return strings.Join(ids, " > ")
}

// Tell writes a case down for people who look for what is wrong with it.
func Tell(c Case) string {
	var text strings.Builder
	for _, a := range c.Actions {
		fmt.Fprintf(&text, "  %s: %s -> %s, %v, fix %v\n", a.ID, strings.Join(a.Pre, " & "), strings.Join(a.Post, " & "), a.P, a.Fix)
	}
	return text.String()
}
