package attackpath

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// reach works out who can send to what. Senders are parts of sites (hosts that all rules treat alike as senders; part 0
// is the internet), receivers are classes (hosts of a site that all rules and corrections treat alike as receivers).
// Which parts reach a port of a class is a few sets of parts, each with why; equal sets are one.
type reach struct {
	rules    []PolicyRule
	zones    *zones
	from, to []int32           // elements of each rule
	fromUsed map[int32]bool    // elements that tell senders apart
	rulesTo  map[int32][]int32 // element -> rules that may let something through to what is in it, or refuse it
	senders  map[int32]*bits   // element -> parts in it

	flat      bool
	external  map[string]bool
	source    string
	parts     []part
	partIDs   map[string]int32
	siteParts map[string]*bits
	all       bits

	taus      [][]int32 // for a receiver's signature: the rules that may decide, in their order
	tauIDs    map[string]int32
	classes   []class
	classID   map[classKey]int32
	classesOf map[string]int // classes of a site
	fixes     map[int64][]reachFix

	decided map[string]*decision
	cache   map[portKey][]link
	sets    []bits
	sizes   []int32 // of sets
	setIDs  map[string]int32
	reasons *reasons
}

type part struct {
	site     string
	fact     Fact
	hosts    int32 // in it
	elements []int32
	sample   int32 // a host of it, for words
}

type classKey struct {
	site  string
	tau   int32
	shown exposure
	own   int64 // the host that has corrections of its own
}

type exposure uint8

const (
	hidden exposure = iota
	likely          // its address suggests that the internet reaches it
	surely
	outside // its site stands in the internet
)

type class struct {
	classKey
	hosts  int32
	sample int32
}

type portKey struct {
	class    int32
	port     uint16
	protocol string
}

// link lets a set of parts send to a port of a class.
type link struct {
	set   int32
	known Known
	why   int32
	p     float64
	fix   *Correction // that says so
}

type decision struct {
	grants []grant
	open   bits // parts of which no rule says anything
}

type grant struct {
	rule int32
	set  bits
}

// reachFix is a correction of what reaches one port of a host.
type reachFix struct {
	site     string // "" is the internet
	protocol string
	port     uint16
	by       *Correction
}

func newReach(e *Estate, why *reasons) *reach {
	r := &reach{
		rules: e.Policy.Rules, flat: e.Assume.Flat, source: e.Policy.Source, reasons: why,
		fromUsed: map[int32]bool{}, rulesTo: map[int32][]int32{}, senders: map[int32]*bits{},
		external: map[string]bool{}, partIDs: map[string]int32{}, siteParts: map[string]*bits{},
		tauIDs: map[string]int32{}, classID: map[classKey]int32{}, classesOf: map[string]int{}, fixes: reachFixes(e.Corrections),
		decided: map[string]*decision{}, cache: map[portKey][]link{}, setIDs: map[string]int32{},
	}
	for _, s := range e.Sites {
		r.external[s.Name] = s.External
	}
	r.zones, r.from, r.to = newZones(r.rules)
	for i := range r.rules {
		r.fromUsed[r.from[i]] = true
		r.rulesTo[r.to[i]] = append(r.rulesTo[r.to[i]], int32(i))
		if r.senders[r.from[i]] == nil {
			r.senders[r.from[i]] = &bits{}
		}
	}
	r.addPart("", r.zones.internet())
	return r
}

// place finds the part and the class of a host. As a receiver a host of an external site is in the internet; as a sender it
// stands in its site, and besides in the internet (see outward).
func (r *reach) place(h *Host) (part, class int32) {
	elements := r.zones.of(h.Site, h.Addresses, false)
	part = r.addPart(h.Site, elements)
	if r.external[h.Site] {
		elements = r.zones.of(h.Site, h.Addresses, true)
	}
	return part, r.addClass(h, elements)
}

func (r *reach) addPart(site string, elements []int32) int32 {
	elements = slices.DeleteFunc(slices.Clone(elements), func(e int32) bool { return !r.fromUsed[e] })
	key := site + "\x00" + keyOf(elements)
	if id, ok := r.partIDs[key]; ok {
		return id
	}
	id := int32(len(r.parts))
	r.partIDs[key] = id
	r.parts = append(r.parts, part{site: site, fact: -1, elements: elements, sample: -1})
	for _, e := range elements {
		r.senders[e].set(id)
	}
	r.all.set(id)
	if id > 0 {
		if r.siteParts[site] == nil {
			r.siteParts[site] = &bits{}
		}
		r.siteParts[site].set(id)
	}
	// What was worked out before knows nothing of the new part.
	clear(r.decided)
	clear(r.cache)
	return id
}

func (r *reach) addClass(h *Host, elements []int32) int32 {
	key := classKey{site: h.Site, tau: r.addTau(elements), shown: r.exposed(h)}
	if len(r.fixes[h.ID]) > 0 {
		key.own = h.ID
	}
	id, ok := r.classID[key]
	if !ok {
		id = int32(len(r.classes))
		r.classID[key] = id
		r.classesOf[h.Site]++
		r.classes = append(r.classes, class{classKey: key, sample: -1})
	}
	return id
}

func (r *reach) exposed(h *Host) exposure {
	switch {
	case r.external[h.Site]:
		return outside
	case h.Exposed && h.ExposedSure:
		return surely
	case h.Exposed:
		return likely
	}
	return hidden
}

func (r *reach) addTau(elements []int32) int32 {
	var used []int32
	for _, e := range elements {
		if len(r.rulesTo[e]) > 0 {
			used = append(used, e)
		}
	}
	key := keyOf(used)
	if id, ok := r.tauIDs[key]; ok {
		return id
	}
	var rules []int32
	for _, e := range used {
		rules = append(rules, r.rulesTo[e]...)
	}
	slices.Sort(rules)
	id := int32(len(r.taus))
	r.tauIDs[key] = id
	r.taus = append(r.taus, rules)
	return id
}

// decide says which parts the rules let through to a port of those who share a signature.
func (r *reach) decide(tau int32, protocol string, port uint16) *decision {
	var rules []int32
	for _, i := range r.taus[tau] {
		if onPort(r.rules[i].Ports, protocol, port) {
			rules = append(rules, i)
		}
	}
	key := keyOf(rules)
	if d, ok := r.decided[key]; ok {
		return d
	}
	d := &decision{open: slices.Clone(r.all)}
	for _, i := range rules {
		set, found := d.open.and(*r.senders[r.from[i]])
		if !found {
			continue
		}
		d.open = d.open.without(set)
		if r.rules[i].Allow {
			d.grants = append(d.grants, grant{i, set})
		}
	}
	r.decided[key] = d
	return d
}

func onPort(ranges []PortRange, protocol string, port uint16) bool {
	return len(ranges) == 0 || slices.ContainsFunc(ranges, func(p PortRange) bool {
		return (p.Protocol == "" || p.Protocol == protocol) && p.From <= port && port <= p.To
	})
}

// links says which parts can send to a port of a class, and why.
func (r *reach) links(k portKey) []link {
	if out, ok := r.cache[k]; ok {
		return out
	}
	c := r.classes[k.class]
	d := r.decide(c.tau, k.protocol, k.port)
	fixed, added := r.fixed(c, k)
	out := added
	add := func(set bits, known Known, why func() int32) {
		if set = set.without(fixed); !set.empty() {
			out = append(out, link{r.setID(set), known, why(), 1, nil})
		}
	}
	for _, g := range d.grants {
		add(g.set, Policy, func() int32 { return r.reasons.rule(&r.rules[g.rule], r.source) })
	}
	r.defaults(c, d.open, add)
	r.cache[k] = out
	return out
}

// defaults are what is let through where no rule says anything.
func (r *reach) defaults(c class, open bits, add func(bits, Known, func() int32)) {
	var own bits
	if s := r.siteParts[c.site]; s != nil {
		own = *s
		same, _ := open.and(own)
		add(same, Observed, func() int32 { return r.reasons.sameSite(c.site) })
	}
	if c.shown != hidden && open.has(0) {
		known := Observed
		if c.shown == likely {
			known = Assumed
		}
		add(bits{1}, known, func() int32 { return r.reasons.exposed(c.shown, c.site) })
	}
	if r.flat { // a host that is held in an external site is a place inside the estate too: only the internet itself is none
		add(open.without(own).without(bits{1}), Assumed, r.reasons.flat)
	}
}

// fixed returns the parts whose way to a port is corrected, and what the corrections say instead.
func (r *reach) fixed(c class, k portKey) (fixed bits, added []link) {
	if c.own == 0 {
		return nil, nil
	}
	for _, f := range r.fixes[c.own] {
		if f.protocol != k.protocol || f.port != k.port {
			continue
		}
		set := bits{1}
		if f.site != "" {
			if r.siteParts[f.site] == nil {
				continue
			}
			set = *r.siteParts[f.site]
		}
		for _, p := range set.list() {
			fixed.set(p)
		}
		if p, ok := f.by.chance(); ok {
			added = append(added, link{r.setID(set), Policy, r.reasons.correction(f.by), p, f.by})
		}
	}
	return fixed, added
}

func (r *reach) setID(set bits) int32 {
	key := set.key()
	id, ok := r.setIDs[key]
	if !ok {
		id = int32(len(r.sets))
		r.setIDs[key] = id
		r.sets = append(r.sets, slices.Clone(set))
		r.sizes = append(r.sizes, int32(len(set.list())))
	}
	return id
}

// senderSet returns all parts that can send to a port of a class.
func (r *reach) senderSet(k portKey) (out bits) {
	for _, l := range r.links(k) {
		for len(out) < len(r.sets[l.set]) {
			out = append(out, 0)
		}
		for i, w := range r.sets[l.set] {
			out[i] |= w
		}
	}
	return out
}

// alike is the same for ports that the same parts reach alike.
func (r *reach) alike(k portKey) string {
	var out []byte
	for _, l := range r.links(k) {
		out = binary.LittleEndian.AppendUint32(out, uint32(l.set))
		out = binary.LittleEndian.AppendUint32(out, uint32(l.why))
		out = binary.LittleEndian.AppendUint64(out, math.Float64bits(l.p))
	}
	return string(out)
}

// reasons keeps each text once.
type reasons struct {
	list []string
	ids  map[string]int32
}

func (r *reasons) id(text string) int32 {
	id, ok := r.ids[text]
	if !ok {
		id = int32(len(r.list))
		r.ids[text] = id
		r.list = append(r.list, text)
	}
	return id
}

func (r *reasons) rule(p *PolicyRule, source string) int32 { return r.id(ruleWords(p, source)) }

func (r *reasons) sameSite(site string) int32 {
	return r.id("the port was seen open in site " + site + ", and hosts of one site are taken to reach each other where no rule says otherwise")
}

func (r *reasons) exposed(shown exposure, site string) int32 {
	switch shown {
	case outside:
		return r.id("site " + site + " stands in the internet")
	case surely:
		return r.id("a person said or a scan from outside saw that the internet reaches it")
	default:
		return r.id("its address suggests that the internet reaches it")
	}
}

func (r *reasons) flat() int32 {
	return r.id("no rule says anything of it, and every site is taken to reach every other (assume=flat)")
}

func (r *reasons) correction(c *Correction) int32 { return r.id(correctionWords(c)) }

func ruleWords(p *PolicyRule, source string) string {
	text := fmt.Sprintf("rule %d%s: %s", p.N, of(source), p)
	if p.Note != "" {
		text += " (" + p.Note + ")"
	}
	return text
}

func of(source string) string {
	if source == "" {
		return ""
	}
	return " of " + source
}
