package answer

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/report"
)

// hostConditions says whether a question narrows by what hosts are, beyond one host and one site.
func hostConditions(q *Asked) bool {
	return len(q.Hosts) > 1 || len(q.Sites) > 1 || len(q.Owners) > 1 || len(q.Systems) > 0 || q.OS != "" || q.Exposed != nil || q.Jewels || q.Status != "" ||
		slices.ContainsFunc(q.Hosts, func(h understand.HostName) bool { return h.Kind != "address" && h.Kind != "name" && h.Kind != "id" })
}

// places reads where findings are.
func (c *chosen) places(ctx context.Context, q *Asked) (*trouble, error) {
	set, words, t, err := q.hostsMeant(ctx)
	if t != nil || err != nil {
		return t, err
	}
	c.where = append(c.where, words...)
	c.hosts = set
	if q.Owner != "" && len(q.Owners) < 2 {
		c.req.Owner = q.Owner
	}
	c.req.Tags, c.req.Criticality = q.Tags, q.Criticality
	switch {
	case hostConditions(q):
		c.exact = false
		ids := make([]int64, 0, len(set))
		for _, h := range set {
			ids = append(ids, h.ID)
		}
		c.req.Further.Hosts = ids
		if len(ids) == 1 {
			c.req.Host, c.exact = strconv.FormatInt(ids[0], 10), true
		}
	case len(q.Hosts) == 1:
		if len(set) == 1 {
			c.req.Host = strconv.FormatInt(set[0].ID, 10)
			break
		}
		c.exact = false
		c.req.Further.Hosts = []int64{}
		for _, h := range set {
			c.req.Further.Hosts = append(c.req.Further.Hosts, h.ID)
		}
	}
	if len(q.Sites) == 1 {
		c.req.Site = siteOf(set, q.Sites[0])
	}
	for _, p := range q.Ports {
		switch {
		case p.To > p.From:
			c.req.Further.PortRanges, c.exact = append(c.req.Further.PortRanges, [2]uint16{p.From, p.To}), false
			c.where = append(c.where, fmt.Sprintf("at ports %d to %d", p.From, p.To))
		default:
			c.req.Ports = append(c.req.Ports, strconv.Itoa(int(p.From)))
			c.where = append(c.where, fmt.Sprintf("at port %d", p.From))
		}
		if p.Protocol != "" && !slices.Contains(c.req.Protocols, p.Protocol) {
			c.req.Protocols = append(c.req.Protocols, p.Protocol)
		}
	}
	if c.req.Further.PortRanges != nil && c.req.Ports != nil { // any of both
		for _, p := range c.req.Ports {
			n, err := strconv.ParseUint(p, 10, 16)
			if err != nil {
				return nil, err
			}
			c.req.Further.PortRanges = append(c.req.Further.PortRanges, [2]uint16{uint16(n), uint16(n)})
		}
		c.req.Ports = nil
	}
	return nil, nil
}

// siteOf is a site as it is written.
func siteOf(hosts []report.AskHost, name string) string {
	for _, h := range hosts {
		if strings.EqualFold(h.Site, name) {
			return h.Site
		}
	}
	return name
}

// hostsMeant are the hosts that the question's words on hosts select, the most urgent first, and these words. All hosts where
// there are none.
func (q *Asked) hostsMeant(ctx context.Context) (out []report.AskHost, words []string, t *trouble, err error) {
	all, err := q.Desk.AskHosts(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	if t, err = q.checkSites(ctx); t != nil || err != nil {
		return nil, nil, t, err
	}
	var keeps []func(*report.AskHost) bool
	add := func(word string, keep func(*report.AskHost) bool) {
		keeps = append(keeps, keep)
		if word != "" {
			words = append(words, word)
		}
	}
	if len(q.Hosts) > 0 {
		ids, word, t, err := q.namedHosts(ctx, all)
		if t != nil || err != nil {
			return nil, nil, t, err
		}
		add(word, func(h *report.AskHost) bool { return ids[h.ID] })
	}
	if len(q.Sites) > 0 {
		add("in site "+boldAll(q.Sites), func(h *report.AskHost) bool {
			return slices.ContainsFunc(q.Sites, func(s string) bool { return strings.EqualFold(s, h.Site) })
		})
	}
	if systems := q.systems(); len(systems) > 0 {
		var names []string
		for _, s := range systems {
			names = append(names, quote(s))
		}
		add("on hosts with "+or(names), func(h *report.AskHost) bool {
			return slices.ContainsFunc(systems, func(s string) bool { return runsOS(string(h.OS), s) })
		})
	}
	if q.Exposed != nil {
		add(map[bool]string{true: "on hosts that the internet reaches", false: "on hosts that the internet does not reach"}[*q.Exposed],
			func(h *report.AskHost) bool { return h.Reach.Exposed != nil && *h.Reach.Exposed == *q.Exposed })
	}
	if q.Jewels {
		add("on crown jewels", func(h *report.AskHost) bool { return asset.IsJewel(h.Tags) })
	}
	if q.Status != "" && q.Subject != understand.Scans {
		add("on hosts that are "+quote(q.Status), func(h *report.AskHost) bool { return hasStatus(h, q.Status) })
	}
	if owners := q.owners(); len(owners) > 0 {
		var names []string
		for _, o := range owners {
			names = append(names, map[bool]string{true: "nobody", false: quote(o)}[o == "nobody"])
		}
		word := "on hosts of " + or(names)
		if owners[0] == "nobody" && len(owners) == 1 {
			word = "on hosts without an owner"
		}
		add(word, func(h *report.AskHost) bool {
			return slices.ContainsFunc(owners, func(o string) bool { return strings.EqualFold(string(h.Owner), o) || o == "nobody" && h.Owner == "" })
		})
	}
	if len(q.Tags) > 0 {
		add("on hosts tagged "+quote(and(q.Tags)), func(h *report.AskHost) bool {
			return !slices.ContainsFunc(q.Tags, func(t string) bool { return !slices.Contains(h.Tags, t) })
		})
	}
	if len(q.Criticality) > 0 {
		add("on hosts of "+or(q.Criticality)+" criticality", func(h *report.AskHost) bool {
			return slices.Contains(q.Criticality, string(h.Criticality)) || h.Criticality == "" && slices.Contains(q.Criticality, "none")
		})
	}
	for i := range all {
		h := &all[i]
		if !slices.ContainsFunc(keeps, func(keep func(*report.AskHost) bool) bool { return !keep(h) }) {
			out = append(out, *h)
		}
	}
	return out, words, nil, nil
}

// systems are the operating systems that are named, any of them.
func (q *Asked) systems() []string {
	if len(q.Systems) == 0 && q.OS != "" {
		return []string{q.OS}
	}
	return q.Systems
}

// owners are the owners that are named, any of them.
func (q *Asked) owners() []string {
	if len(q.Owners) == 0 && q.Owner != "" {
		return []string{q.Owner}
	}
	return q.Owners
}

func boldAll(names []string) string {
	var out []string
	for _, n := range names {
		out = append(out, bold(n))
	}
	return or(out)
}

// checkSites is trouble where a site is named that is not there for the asker.
func (q *Asked) checkSites(ctx context.Context) (*trouble, error) {
	if len(q.Sites) == 0 {
		return nil, nil
	}
	sites, err := q.Desk.Sites(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range sites {
		names = append(names, quote(s.Name))
	}
	for _, want := range q.Sites {
		if !slices.ContainsFunc(sites, func(s report.Site) bool { return strings.EqualFold(s.Name, want) }) {
			t := &trouble{because: "there is no site " + quote(want)}
			if len(names) > 0 {
				t.instead = "There is " + few(names, fewItems) + "."
			}
			return t, nil
		}
	}
	return nil, nil
}

// namedHosts are the ids of the hosts that are named, by address, name, network or number.
func (q *Asked) namedHosts(ctx context.Context, all []report.AskHost) (ids map[int64]bool, words string, t *trouble, err error) {
	ids = map[int64]bool{}
	var names []string
	for _, name := range q.Hosts {
		switch name.Kind {
		case "network":
			network, err := netip.ParsePrefix(name.Text)
			if err != nil {
				return nil, "", &trouble{because: quote(name.Text) + " is no network"}, nil
			}
			for i := range all {
				if slices.ContainsFunc(all[i].Addresses, func(a string) bool { ip, err := netip.ParseAddr(a); return err == nil && network.Masked().Contains(ip) }) {
					ids[all[i].ID] = true
				}
			}
		case "jewels":
			for i := range all {
				if asset.IsJewel(all[i].Tags) {
					ids[all[i].ID] = true
				}
			}
			names = append(names, "crown jewels")
			continue
		case "internet":
			for i := range all {
				if e := all[i].Reach.Exposed; e != nil && *e {
					ids[all[i].ID] = true
				}
			}
			names = append(names, "hosts that the internet reaches")
			continue
		case "site":
			for i := range all {
				if strings.EqualFold(all[i].Site, name.Text) {
					ids[all[i].ID] = true
				}
			}
		case "os":
			for i := range all {
				if runsOS(string(all[i].OS), name.Text) {
					ids[all[i].ID] = true
				}
			}
		default:
			found, err := q.hostIDs(ctx, name)
			if err != nil {
				return nil, "", nil, err
			}
			if len(found) == 0 {
				return nil, "", q.noHost(all, name.Text), nil
			}
			for _, id := range found {
				ids[id] = true
			}
			if name.Kind == "id" && len(found) == 1 {
				if at := slices.IndexFunc(all, func(h report.AskHost) bool { return h.ID == found[0] }); at >= 0 {
					names = append(names, bold(hostCalled(all[at].Host)))
					continue
				}
			}
		}
		names = append(names, bold(name.Text))
	}
	return ids, "on " + or(names), nil, nil
}

func (q *Asked) hostIDs(ctx context.Context, name understand.HostName) ([]int64, error) {
	if name.ID != 0 {
		return q.Desk.HostNamed(ctx, strconv.FormatInt(name.ID, 10), "")
	}
	site := name.Site
	if site == "" && len(q.Sites) == 1 {
		site = q.Sites[0]
	}
	return q.Desk.HostNamed(ctx, name.Text, site)
}

// noHost says that a host is not there, and which ones are called alike.
func (q *Asked) noHost(all []report.AskHost, text string) *trouble {
	t := &trouble{because: "there is no host " + quote(text) + " in what was scanned or imported", instead: "Scan it with: patchscout scan " + shell(text) + "."}
	if _, err := netip.ParseAddr(text); err != nil {
		t.instead = ""
	}
	if near := alike(all, text); len(near) > 0 {
		t.instead = "Did you mean " + or(near) + "?"
	}
	return t
}

// alike are names of hosts that differ little from a text, at most three.
func alike(all []report.AskHost, text string) (out []string) {
	text = strings.ToLower(text)
	for _, most := range []int{1, 2} {
		for i := range all {
			for _, name := range append(slices.Clone(all[i].Addresses), all[i].Hostnames...) {
				short, _, _ := strings.Cut(name, ".")
				if _, err := netip.ParseAddr(name); err == nil {
					short = name
				}
				if len(out) < 3 && (differs(name, text) <= most || differs(short, text) <= most) && !slices.Contains(out, quote(name)) {
					out = append(out, quote(name))
				}
			}
		}
		if len(out) > 0 {
			break
		}
	}
	return out
}

// differs is how many letters must be changed, added or taken away to make one word of another; at most 3.
func differs(a, b string) int {
	if d := len(a) - len(b); d > 2 || d < -2 {
		return 3
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := last
			if a[i] != b[j] {
				change++
			}
			last = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return min(row[len(b)], 3)
}

// systems are families of operating systems by what their members are called.
var systems = map[string][]string{
	"linux":   {"linux", "ubuntu", "debian", "centos", "red hat", "redhat", "rhel", "fedora", "suse", "alpine", "rocky", "alma", "oracle linux", "amazon linux", "raspbian", "kali", "arch"},
	"macos":   {"macos", "mac os", "os x", "darwin"},
	"mac":     {"macos", "mac os", "os x", "darwin"},
	"unix":    {"unix", "linux", "bsd", "solaris", "aix", "hp-ux", "ubuntu", "debian", "macos"},
	"bsd":     {"bsd"},
	"rhel":    {"red hat", "redhat", "rhel"},
	"red hat": {"red hat", "redhat", "rhel"},
}

// runsOS says whether an operating system is what was asked for.
func runsOS(have, want string) bool {
	have, want = strings.ToLower(have), strings.ToLower(strings.TrimSpace(want))
	if have == "" {
		return false
	}
	if family, known := systems[want]; known {
		return slices.ContainsFunc(family, func(word string) bool { return strings.Contains(have, word) })
	}
	return !slices.ContainsFunc(strings.Fields(want), func(word string) bool { return !strings.Contains(have, word) })
}

func hasStatus(h *report.AskHost, status string) bool {
	if status == "silent" {
		return h.Status == "down" || h.Status == "silent"
	}
	return strings.EqualFold(h.Status, status)
}
