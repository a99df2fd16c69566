package attackpath

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/patchscout/patchscout/internal/fault"
)

// EntryInfo is an entry point of a Model.
type EntryInfo struct {
	Entry
	Facts   []Fact // hold from the beginning
	Name    string // "the internet", "site branch"
	Ref     string // as --from takes it: "site:branch"
	Reaches int    // hosts of which it reaches a port directly
}

// entry is an entry point in force.
type entry struct {
	Entry
	fact Fact
}

// Entries lists where attackers begin, in the order in which they were named.
func (m *Model) Entries() []EntryInfo {
	m.mu.Lock() // what reaches what is worked out when it is asked for
	defer m.mu.Unlock()
	if m.entryInfo == nil {
		counts := m.countReached()
		for i := range m.entries {
			e := m.entries[i].Entry
			m.entryInfo = append(m.entryInfo, EntryInfo{Entry: e, Facts: []Fact{m.entries[i].fact}, Name: m.entryName(e), Ref: e.ref(), Reaches: counts[i]})
		}
	}
	return slices.Clone(m.entryInfo)
}

func (e Entry) ref() string {
	switch {
	case e.Kind == FromSite:
		return "site:" + e.Site
	case e.Kind == FromHost:
		return "host:" + strconv.FormatInt(e.Host, 10)
	case e.Kind == FromUser && e.Host != 0:
		return "user:" + strconv.FormatInt(e.Host, 10)
	case e.Kind == FromUser:
		return "user:site:" + e.Site
	}
	return "internet"
}

func (m *Model) entryName(e Entry) string {
	switch {
	case e.Kind == FromSite:
		return "site " + e.Site
	case e.Kind == FromHost:
		return "a user of " + m.hostName(e.Host)
	case e.Kind == FromUser && e.Host != 0:
		return "a stolen login of " + m.hostName(e.Host)
	case e.Kind == FromUser:
		return "a stolen login of all hosts of site " + e.Site
	}
	return "the internet"
}

// standsOf are the parts from which an entry point sends.
func (m *Model) standsOf(e Entry) []int32 {
	switch e.Kind {
	case FromSite:
		return m.partsOf(e.Site)
	case FromHost:
		return []int32{m.state[m.index[e.Host]].part}
	}
	return []int32{0} // a stolen login is tried from the internet
}

// partsOf are the parts of a site that have hosts.
func (m *Model) partsOf(site string) (out []int32) {
	if s := m.reach.siteParts[site]; s != nil {
		for _, p := range s.list() {
			if m.reach.parts[p].hosts > 0 {
				out = append(out, p)
			}
		}
	}
	return out
}

// countReached counts for each entry point the hosts of which it reaches a port.
func (m *Model) countReached() []int {
	out := make([]int, len(m.entries))
	parts := make([][]int32, len(m.entries))
	for i := range m.entries {
		parts[i] = m.standsOf(m.entries[i].Entry)
	}
	cache := map[portKey]bits{}
	for i := range m.hosts {
		by := m.reachedBy(int32(i), cache)
		for n := range parts {
			if slices.ContainsFunc(parts[n], by.has) {
				out[n]++
			}
		}
	}
	return out
}

// reachedBy returns the parts that reach a port of a host.
func (m *Model) reachedBy(i int32, cache map[portKey]bits) (out bits) {
	add := func(protocol string, port uint16) {
		k := portKey{class: m.state[i].class, protocol: protocolOf(protocol), port: port}
		parts, known := cache[k]
		if !known {
			parts = m.reach.senderSet(k)
			cache[k] = parts
		}
		if len(out) < len(parts) {
			out = append(out, make(bits, len(parts)-len(out))...)
		}
		for w := range parts {
			out[w] |= parts[w]
		}
	}
	for _, s := range m.hosts[i].Services {
		add(s.Protocol, s.Port)
	}
	for j := range m.hosts[i].Flaws {
		if f := &m.hosts[i].Flaws[j]; f.Port != 0 {
			add(f.Protocol, f.Port)
		}
	}
	return out
}

func (m *Model) countInternet() (n int32) {
	cache := map[portKey]bits{}
	for i := range m.state {
		if m.state[i].internet = m.reachedBy(int32(i), cache).has(0); m.state[i].internet {
			n++
		}
	}
	return n
}

// chooseEntries settles where attackers begin. The default ones are the internet and, where it reaches nothing, the inside
// of each site.
func (m *Model) chooseEntries() error {
	var chosen []Entry
	for _, e := range m.estate.Assume.From {
		if err := m.checkEntry(e); err != nil {
			return err
		}
		if slices.Contains(chosen, e) {
			continue
		}
		chosen = append(chosen, e)
		if e.Kind == FromSite && len(m.partsOf(e.Site)) == 0 {
			// A site without hosts is a place to stand in too.
			p := m.reach.addPart(e.Site, m.reach.zones.of(e.Site, nil, false))
			m.reach.parts[p].hosts++
			m.empty[e.Site] = p
			m.outward(p)
		}
	}
	for _, id := range m.estate.Assume.To {
		if _, ok := m.index[id]; !ok {
			return fault.NotFound("host %d", id)
		}
	}
	m.setEntries(chosen)
	return nil
}

func (m *Model) checkEntry(e Entry) error {
	_, host := m.index[e.Host]
	site := m.knownSite(e.Site) || m.reach.siteParts[e.Site] != nil
	switch {
	case e.Kind == FromInternet, e.Kind == FromUser && e.Host == 0 && site, e.Kind == FromSite && site, host && (e.Kind == FromHost || e.Kind == FromUser):
		return nil
	case e.Kind == FromSite, e.Kind == FromUser && e.Host == 0:
		return fault.NotFound("site %q", e.Site)
	case e.Kind == FromHost, e.Kind == FromUser:
		return fault.NotFound("host %d", e.Host)
	}
	return fault.Invalid("entry point %q: want internet, site, host or user", string(e.Kind))
}

func (m *Model) setEntries(chosen []Entry) {
	if len(chosen) == 0 {
		chosen = m.defaultEntries()
	}
	before := m.entries
	m.entries = nil
	m.net.Start = nil
	for _, e := range chosen {
		f := Fact(-1)
		for _, b := range before {
			if b.Entry == e {
				f = b.fact
			}
		}
		if f < 0 {
			f = m.fact(FactInfo{Kind: EntryAt, Site: e.Site, Host: e.Host, Text: e.ref()})
		}
		m.entries = append(m.entries, entry{e, f})
		m.net.Start = append(m.net.Start, f)
	}
}

func (m *Model) defaultEntries() []Entry {
	out := []Entry{{Kind: FromInternet}}
	if m.internet > 0 {
		return out
	}
	seen := map[string]bool{}
	for _, p := range m.reach.parts[1:] {
		if p.hosts > 0 && !seen[p.site] && !m.reach.external[p.site] {
			seen[p.site] = true
			out = append(out, Entry{Kind: FromSite, Site: p.site, Assumed: true})
		}
	}
	slices.SortFunc(out[1:], func(a, b Entry) int { return cmp.Compare(a.Site, b.Site) })
	return out
}

// enter adds the actions of entry points that belong to no host.
func (m *Model) enter() {
	m.entryActions = m.entryActions[:0]
	stand := func(e entry, parts []int32, known Known, why string) {
		for _, p := range parts {
			m.entryActions = append(m.entryActions, m.add(Action{Kind: Enters, Known: known, Pre: m.pre(e.fact), Post: m.standsFact(p), P: 1, Weakness: -1, Why: m.reasons.id(why)}))
		}
	}
	for _, e := range m.entries {
		switch {
		case e.Kind == FromInternet:
			stand(e, []int32{0}, Observed, "anybody can send from the internet")
		case e.Kind == FromUser:
			stand(e, []int32{0}, Assumed, "a stolen login is taken to be tried from the internet")
		case e.Kind == FromSite && e.Assumed:
			stand(e, m.standsOf(e.Entry), Assumed, "nobody named an entry point and the internet reaches nothing, so that an attacker is taken to be inside site "+e.Site)
		case e.Kind == FromSite:
			stand(e, m.standsOf(e.Entry), Policy, "the question begins there: inside site "+e.Site+", at any place in it")
		}
	}
}

// outward adds that whoever sends from a site in the internet stands in the internet.
func (m *Model) outward(part int32) {
	site := m.reach.parts[part].site
	if part > 0 && m.reach.external[site] {
		m.share(Action{Kind: Moves, Pre: m.pre(m.standsFact(part)), Post: m.standsFact(0), P: 1, Weakness: -1,
			Why: m.reasons.id("site " + site + " stands in the internet")})
	}
}
