package attackpath

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/fault"
)

// ReachEdge names that a site (or the internet, "") reaches a port of a host.
func ReachEdge(site string, host int64, protocol string, port uint16) EdgeKey {
	switch {
	case site == "":
		site = "internet"
	case site == "internet" || strings.HasPrefix(site, "site:"): // a site may be called so too
		site = "site:" + site
	}
	return EdgeKey(fmt.Sprintf("reach:%s>%d:%s/%d", site, host, protocol, port))
}

// FindingEdge names what a finding gives an attacker.
func FindingEdge(finding int64) EdgeKey { return EdgeKey("finding:" + strconv.FormatInt(finding, 10)) }

// edge is an EdgeKey, read.
type edge struct {
	finding  int64 // or:
	site     string
	host     int64
	protocol string
	port     uint16
}

// Validate says what is wrong with an edge's name.
func (k EdgeKey) Validate() error {
	if _, ok := k.read(); !ok {
		return fault.Invalid(`edge %q: want "finding:12", "reach:internet>7:tcp/443" or "reach:SITE>7:tcp/443"`, clip(string(k)))
	}
	return nil
}

// Finding is the finding that an edge is about, 0 when it is about none.
func (k EdgeKey) Finding() int64 {
	e, _ := k.read()
	return e.finding
}

// Reach is what an edge between places is about: the site ("" is the internet) and the host; host 0 when it is none.
func (k EdgeKey) Reach() (site string, host int64, protocol string, port uint16) {
	e, _ := k.read()
	return e.site, e.host, e.protocol, e.port
}

func (k EdgeKey) read() (edge, bool) {
	if id, ok := strings.CutPrefix(string(k), "finding:"); ok {
		n, err := strconv.ParseInt(id, 10, 64)
		return edge{finding: n}, err == nil && n > 0 && FindingEdge(n) == k
	}
	text, ok := strings.CutPrefix(string(k), "reach:")
	at := strings.LastIndexByte(text, '>')
	if !ok || at <= 0 {
		return edge{}, false
	}
	e := edge{site: text[:at]}
	if e.site == "internet" {
		e.site = ""
	} else {
		e.site = strings.TrimPrefix(e.site, "site:")
	}
	host, service, _ := strings.Cut(text[at+1:], ":")
	protocol, port, _ := strings.Cut(service, "/")
	n, err := strconv.ParseInt(host, 10, 64)
	p, err2 := strconv.ParseUint(port, 10, 16)
	if err != nil || err2 != nil || n <= 0 || p == 0 || protocol != "tcp" && protocol != "udp" || e.site != "" && checkName(e.site) != nil {
		return edge{}, false
	}
	e.host, e.protocol, e.port = n, protocol, uint16(p)
	return e, ReachEdge(e.site, n, protocol, e.port) == k
}

// Validate says what is wrong with a correction.
func (c Correction) Validate() error {
	switch c.Says {
	case SaysNever, SaysAlways:
		return c.Edge.Validate()
	case SaysChance:
		if !(c.P > 0 && c.P <= 1) {
			return fault.Invalid("chance %v: want more than 0, at most 1; what never works is never", c.P)
		}
		return c.Edge.Validate()
	}
	return fault.Invalid("says %q: want never, always or chance", string(c.Says))
}

// chance is how likely a corrected edge works; false: never.
func (c *Correction) chance() (float64, bool) {
	switch {
	case c.Says == SaysAlways:
		return 1, true
	case c.Says == SaysChance && c.P > 0 && c.P <= 1:
		return c.P, true
	}
	return 0, false
}

// latest leaves the newest word on each edge: a later correction replaces an earlier one. In the order of the edges' first
// mention.
func latest(all []Correction) (out []*Correction) {
	at := map[EdgeKey]int{}
	for i := range all {
		c := &all[i]
		n, ok := at[c.Edge]
		switch {
		case !ok:
			at[c.Edge] = len(out)
			out = append(out, c)
		case c.At.After(out[n].At) || c.At.Equal(out[n].At) && c.ID > out[n].ID:
			out[n] = c
		}
	}
	return out
}

func reachFixes(all []Correction) map[int64][]reachFix {
	out := map[int64][]reachFix{}
	for _, c := range latest(all) {
		if e, ok := c.Edge.read(); ok && e.host != 0 {
			out[e.host] = append(out[e.host], reachFix{e.site, e.protocol, e.port, c})
		}
	}
	return out
}

func findingFixes(all []Correction) map[int64]*Correction {
	out := map[int64]*Correction{}
	for _, c := range latest(all) {
		if e, ok := c.Edge.read(); ok && e.finding != 0 {
			out[e.finding] = c
		}
	}
	return out
}

func correctionWords(c *Correction) string {
	text := "corrected"
	if c.By != "" {
		text += " by " + c.By
	}
	if !c.At.IsZero() {
		text += " on " + c.At.UTC().Format("2006-01-02")
	}
	switch c.Says {
	case SaysNever:
		text += ": never"
	case SaysAlways:
		text += ": always works"
	default:
		text += fmt.Sprintf(": works with chance %.4g", c.P)
	}
	if c.Note != "" {
		text += " (" + c.Note + ")"
	}
	return text
}

// Stale lists the corrections that are about nothing any more. They are kept: what they are about may return.
func (m *Model) Stale() (out []Correction) {
	for _, c := range m.estate.Corrections {
		if e, ok := c.Edge.read(); !ok || e.finding != 0 && m.fixed[e.finding] == 0 || e.finding == 0 && !m.hasEdge(e) {
			out = append(out, c)
		}
	}
	return out
}

// tally counts the findings of a host that are corrected, in (1) or out (-1).
func (m *Model) tally(h *Host, n int) {
	if len(m.fixes) == 0 {
		return
	}
	for i := range h.Flaws {
		if id := h.Flaws[i].Finding; m.fixes[id] != nil {
			m.fixed[id] += n
		}
	}
}

func (m *Model) hasEdge(e edge) bool {
	_, known := m.index[e.host]
	return known && (e.site == "" || m.reach.siteParts[e.site] != nil || m.knownSite(e.site))
}

// About says in words what an edge is about, "" when nothing is there any more.
func (m *Model) About(k EdgeKey) string {
	e, ok := k.read()
	switch {
	case !ok:
		return ""
	case e.finding != 0:
		i, f := m.findingOf(e.finding)
		if f == nil {
			return ""
		}
		return f.Weakness + " on " + m.hosts[i].Name
	}
	if !m.hasEdge(e) {
		return ""
	}
	from := "the internet"
	if e.site != "" {
		from = "site " + e.site
	}
	return fmt.Sprintf("%s reaches %s/%d of %s", from, e.protocol, e.port, m.hosts[m.index[e.host]].Name)
}

// findingOf finds a finding by looking at all: corrections are few, and an index of all findings would not be.
func (m *Model) findingOf(id int64) (int32, *Flaw) {
	for i, h := range m.hosts {
		for j := range h.Flaws {
			if h.Flaws[j].Finding == id {
				return int32(i), &h.Flaws[j]
			}
		}
	}
	return -1, nil
}

func (m *Model) knownSite(name string) bool {
	for _, s := range m.estate.Sites {
		if s.Name == name {
			return true
		}
	}
	return false
}
