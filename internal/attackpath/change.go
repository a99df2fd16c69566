package attackpath

import (
	"context"
	"slices"

	"github.com/patchscout/patchscout/internal/fault"
)

// Replace takes hosts that were looked at again, or are new, into the Network, and says what changed. Actions that ended
// keep their numbers, but need what never holds.
//
// The cost is that of the hosts, unless one of them is the first that the rules treat as they do: then it is asked of
// every port in use whether that one reaches it.
func (m *Model) Replace(ctx context.Context, hosts []Host) (Change, error) {
	if err := ctx.Err(); err != nil {
		return Change{}, err
	}
	known := map[int64]bool{}
	for i := range hosts {
		if known[hosts[i].ID] {
			return Change{}, fault.Invalid("host %d is twice among those to replace", hosts[i].ID)
		}
		if j, ok := m.index[hosts[i].ID]; ok && m.hosts[j].Site != hosts[i].Site {
			return Change{}, fault.Invalid("host %d is in another site than before: build anew", hosts[i].ID)
		}
		known[hosts[i].ID] = true
	}
	r := &replacing{Model: m, before: m.mark(), taken: map[int32]bool{}}
	for i := range hosts {
		h := hosts[i]
		r.take(&h)
	}
	r.parts()
	r.emitAll()
	r.entry()
	r.goal()
	return r.change(), nil
}

// replacing is the work on hosts that were looked at again.
type replacing struct {
	*Model
	before   mark
	gone     []int32
	again    []int32 // places of the hosts whose actions are made anew
	taken    map[int32]bool
	regoal   bool
	reenter  bool
	newGoals []Goal
	start    []Fact
}

// mark is how much there was of everything.
type mark struct{ facts, actions, weaknesses, reasons, nodes, parts int }

func (m *Model) mark() mark {
	return mark{len(m.net.Facts), len(m.net.Actions), len(m.net.Weaknesses), len(m.net.Reasons), len(m.nodes), len(m.reach.parts)}
}

// take puts a host in its place and takes its old actions away.
func (r *replacing) take(h *Host) {
	i, ok := r.index[h.ID]
	if !ok {
		i = int32(len(r.hosts))
		r.index[h.ID] = i
		r.hosts = append(r.hosts, h)
		r.state = append(r.state, hostState{})
		r.settle(i)
		if p, ok := r.empty[h.Site]; ok {
			r.reach.parts[p].hosts--
			delete(r.empty, h.Site)
			r.reenter = true
		}
		r.reenter = r.reenter || r.reach.parts[r.state[i].part].hosts == 1
		r.regoal = r.regoal || r.goalMode == allHosts || matters(h)
	} else {
		old := r.hosts[i]
		r.regoal = r.regoal || old.Jewel != h.Jewel || old.Criticality != h.Criticality
		r.tally(old, -1)
		r.withSame(r.same.leave(i))
		r.hosts[i] = h
		r.move(i)
	}
	r.tally(h, 1)
	r.same.join(r.Model, i)
	r.withSame(r.same.of[i])
	r.redo(i)
}

func matters(h *Host) bool { return h.Jewel || h.Criticality >= 4 }

// move finds a host's part and class anew.
func (r *replacing) move(i int32) {
	st := &r.state[i]
	part, class := r.reach.place(r.hosts[i])
	if part == st.part && class == st.class {
		return
	}
	// Both are counted anew, since an entry point stands only where hosts are.
	r.reenter = r.reenter || part != st.part
	r.join(i, -1)
	st.part, st.class = part, class
	r.join(i, 1)
}

// redo takes a host's actions away, to be made anew.
func (r *replacing) redo(i int32) {
	if r.taken[i] {
		return
	}
	r.taken[i] = true
	r.again = append(r.again, i)
	st := &r.state[i]
	for a := st.first; a < st.first+st.n; a++ {
		r.gone = append(r.gone, a)
	}
	r.counts.add(st.skips, -1)
	if st.internet {
		r.internet--
	}
}

// withSame makes the actions of all hosts of these groups anew.
func (r *replacing) withSame(groups []int32) {
	for _, g := range groups {
		for _, j := range r.same.groups[g] {
			r.redo(j)
		}
	}
}

// parts connects the parts that are new to what they reach.
func (r *replacing) parts() {
	for p := int32(r.before.parts); int(p) < len(r.reach.parts); p++ {
		r.reenter = true
		r.standsFact(p)
		r.outward(p)
		if f, ok := r.siteFacts[siteFact{Stands, r.reach.parts[p].site}]; ok {
			r.share(r.standsIn(p, f))
		}
	}
	r.flush()
	if r.before.parts == len(r.reach.parts) {
		return
	}
	for n := range r.nodes {
		for _, l := range r.reach.links(r.nodes[n].portKey) {
			r.widen(&r.nodes[n], l)
		}
	}
}

// widen lets the new parts of a link reach a port that the others reach already.
func (r *replacing) widen(to *node, l link) {
	fresh := slices.DeleteFunc(r.reach.sets[l.set].list(), func(p int32) bool { return int(p) < r.before.parts })
	r.direct(to, l, fresh)
}

func (r *replacing) emitAll() {
	slices.Sort(r.again)
	cache := map[portKey]bits{}
	for _, i := range r.again {
		r.emit(i)
		st := &r.state[i]
		if st.internet = r.reachedBy(i, cache).has(0); st.internet {
			r.internet++
		}
	}
	r.flush()
	for n := r.before.nodes; n < len(r.nodes); n++ {
		for _, l := range r.reach.links(r.nodes[n].portKey) {
			r.connect(&r.nodes[n], l, r.reach.sizes[l.set] > 32)
		}
	}
}

// entry makes the entry points anew where they may be others: the default ones depend on what the internet reaches, and
// whoever begins in a site begins at every place that hosts of it are at.
func (r *replacing) entry() {
	if len(r.estate.Assume.From) == 0 {
		next := r.defaultEntries()
		same := slices.EqualFunc(next, r.entries, func(a Entry, b entry) bool { return a == b.Entry })
		if !same {
			r.setEntries(nil)
			r.start = r.net.Start
			r.reenter = true
		}
	}
	if r.reenter {
		r.gone = append(r.gone, r.entryActions...)
		r.enter()
	}
}

func (r *replacing) goal() {
	if r.regoal {
		r.net.Goals = r.goals()
		r.newGoals = r.net.Goals
	}
}

// change applies what happened to the Model's Network and tells it.
func (r *replacing) change() Change {
	slices.Sort(r.gone)
	for _, a := range r.gone {
		r.end(a)
	}
	r.net.Notices = r.notices()
	r.entryInfo = nil
	r.sync()
	b := r.before
	c := Change{Gone: r.gone, Start: r.start, Goals: r.newGoals}
	c.New = slices.Clone(r.net.Actions[b.actions:])
	c.Facts = slices.Clip(r.net.Facts[b.facts:])
	c.Weaknesses = slices.Clip(r.net.Weaknesses[b.weaknesses:])
	c.Reasons = slices.Clip(r.reasons.list[b.reasons:])
	return c
}

// end makes an action one that never happens: its number stays taken.
func (r *replacing) end(a int32) {
	if r.never < 0 {
		r.never = r.fact(FactInfo{Kind: Other, Text: "what is no more"})
	}
	r.net.Actions[a] = Action{Kind: Step, Pre: r.pre(r.never), Post: r.never, P: 1, Weakness: -1}
}
