package graphtest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"

	"github.com/patchscout/patchscout/internal/attackpath"
)

// GenerateOptions size an estate. Zero fields take what the order's figures are measured with.
type GenerateOptions struct {
	Hosts        int // 10,000
	Sites        int // 100
	FlawsPerHost int // 5
	Jewels       int // 50
	Seed         uint64
}

// Generate makes an estate as companies have them: one site in the internet, one that serves it, a few that hold servers,
// and branches of which most hosts are workstations; a policy that opens some ports between them; weaknesses of which
// few are ways in and few are more than a step. Equal options give equal estates.
func Generate(o GenerateOptions) attackpath.Estate {
	g := &generating{o: o.orDefaults()}
	g.r = rand.New(rand.NewPCG(g.o.Seed, 7))
	g.sites()
	g.effects()
	for i := range g.o.Hosts {
		g.e.Hosts = append(g.e.Hosts, g.host(i))
	}
	g.jewels()
	g.policy()
	return g.e
}

func (o GenerateOptions) orDefaults() GenerateOptions {
	for _, f := range []struct {
		field *int
		value int
	}{{&o.Hosts, 10_000}, {&o.Sites, 100}, {&o.FlawsPerHost, 5}, {&o.Jewels, 50}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	return o
}

type generating struct {
	o       GenerateOptions
	r       *rand.Rand
	e       attackpath.Estate
	kinds   []siteKind
	counts  []int // hosts of a site so far
	remote  []weak
	local   []weak
	nothing []weak
	next    int64 // id of a finding
}

type siteKind int

const (
	branch siteKind = iota
	centre          // servers
	dmz
)

type weak struct {
	name   string
	effect *attackpath.Effect
}

func (g *generating) sites() {
	for i := range g.o.Sites {
		kind := branch
		switch {
		case i == 0:
			kind = dmz
		case i <= max(1, g.o.Sites/10):
			kind = centre
		}
		g.kinds = append(g.kinds, kind)
		g.e.Sites = append(g.e.Sites, attackpath.Site{Name: g.site(i)})
	}
	g.counts = make([]int, g.o.Sites)
}

func (g *generating) site(i int) string { return fmt.Sprintf("s%03d", i) }

// effects are those of a few hundred weaknesses: each is on many hosts, as in real estates.
func (g *generating) effects() {
	gains := []attackpath.Gain{attackpath.AsService, attackpath.AsService, attackpath.AsUser, attackpath.AsRoot, attackpath.AppAdmin, attackpath.ReadsFiles, attackpath.ALogin}
	chances := []float64{0.06, 0.18, 0.27, 0.27, 0.48, 0.72, 0.9}
	add := func(to *[]weak, n int, reach attackpath.Reach, gain func() attackpath.Gain) {
		for range n {
			e := &attackpath.Effect{Reach: reach, Gain: gain(), P: chances[g.r.IntN(len(chances))], PWhy: "generated", Technique: "T1190", TechniqueSource: "derived"}
			if reach == attackpath.OverNetwork && g.r.IntN(6) == 0 {
				e.Needs = attackpath.User
			}
			if reach == attackpath.OverNetwork && g.r.IntN(8) == 0 {
				e.Lures = true
			}
			*to = append(*to, weak{fmt.Sprintf("CVE-%d-%04d", 2015+g.r.IntN(11), 1000+len(g.remote)+len(g.local)+len(g.nothing)), e})
		}
	}
	add(&g.remote, 300, attackpath.OverNetwork, func() attackpath.Gain { return gains[g.r.IntN(len(gains))] })
	add(&g.remote, 6, attackpath.OverLink, func() attackpath.Gain { return attackpath.AsUser })
	add(&g.local, 120, attackpath.OnHost, func() attackpath.Gain { return attackpath.AsRoot })
	add(&g.nothing, 200, attackpath.OverNetwork, func() attackpath.Gain { return attackpath.Nothing })
}

type answers struct {
	port    uint16
	name    string
	product string
}

var (
	onServers = []answers{
		{22, "ssh", "OpenSSH"}, {80, "http", "Apache httpd"}, {443, "https", "nginx"}, {3306, "mysql", "MySQL"}, {5432, "postgresql", "PostgreSQL DB"},
		{6379, "redis", "Redis key-value store"}, {8080, "http", "Apache Tomcat"}, {25, "smtp", "Postfix smtpd"}, {53, "domain", "ISC BIND"}, {9200, "http", "Elasticsearch"},
	}
	onClients = []answers{{135, "msrpc", "Microsoft Windows RPC"}, {445, "microsoft-ds", "Windows 10 microsoft-ds"}, {3389, "ms-wbt-server", "Microsoft Terminal Services"}}
)

func (g *generating) host(i int) attackpath.Host {
	s := i % g.o.Sites
	// The internet's side is small, and so is a share of the others.
	if g.kinds[s] == dmz && g.counts[s] >= max(4, g.o.Hosts/g.o.Sites/2) {
		s = min(1+g.r.IntN(max(1, g.o.Sites-1)), g.o.Sites-1)
	}
	n := g.counts[s]
	g.counts[s]++
	address := netip.AddrFrom4([4]byte{10, byte(s), byte(n >> 8), byte(n)})
	h := attackpath.Host{ID: int64(i + 1), Site: g.site(s), Name: address.String(), Addresses: []netip.Addr{address}}
	server := g.kinds[s] != branch || g.r.IntN(8) == 0
	pool, most := onClients, 3
	if h.OS = "Windows 10 Enterprise"; server {
		pool, most, h.OS = onServers, 4, "Linux 5.10"
	}
	for _, k := range g.r.Perm(len(pool))[:1+g.r.IntN(most)] {
		h.Services = append(h.Services, attackpath.Service{Protocol: "tcp", Port: pool[k].port, Name: pool[k].name, Product: pool[k].product, Scan: int64(1 + s)})
	}
	h.Exposed = g.kinds[s] == dmz && g.r.IntN(3) == 0
	if h.Exposed {
		h.ExposedSure, h.ExposedWhy = true, "a scan from outside saw it"
	}
	for range g.o.FlawsPerHost {
		h.Flaws = append(h.Flaws, g.flaw(&h))
	}
	return h
}

// flaw is one of five: two are a way in, one is for who is there, two are no step.
func (g *generating) flaw(h *attackpath.Host) attackpath.Flaw {
	g.next++
	f := attackpath.Flaw{Finding: g.next, Scanner: "native", Title: "generated"}
	pool := g.nothing
	switch n := g.r.IntN(5); {
	case n < 2:
		pool = g.remote
		s := h.Services[g.r.IntN(len(h.Services))]
		f.Protocol, f.Port = s.Protocol, s.Port
	case n == 2:
		pool = g.local
		f.Component = "linux-image@5.10"
	}
	w := pool[g.r.IntN(len(pool))]
	f.Weakness, f.Effect, f.Remedy = w.name, w.effect, "update"
	return f
}

func (g *generating) jewels() {
	left := g.o.Jewels
	for _, i := range g.r.Perm(len(g.e.Hosts)) {
		if left == 0 {
			return
		}
		h := &g.e.Hosts[i]
		h.Jewel, h.Criticality = true, 3+g.r.IntN(3)
		left--
	}
}

// policy lets every branch use two centres, the internet's side one, and administrators everything of a few.
func (g *generating) policy() {
	rule := func(from, to attackpath.Zone, allow bool, ports ...uint16) {
		r := attackpath.PolicyRule{N: len(g.e.Policy.Rules) + 1, From: from, To: to, Allow: allow}
		for _, p := range ports {
			r.Ports = append(r.Ports, attackpath.PortRange{Protocol: "tcp", From: p, To: p})
		}
		g.e.Policy.Rules = append(g.e.Policy.Rules, r)
	}
	zone := func(i int) attackpath.Zone { return attackpath.Zone{Site: g.site(i)} }
	centres := max(1, g.o.Sites/10)
	if g.o.Sites < 2 {
		return
	}
	rule(attackpath.Zone{Internet: true}, zone(0), true, 80, 443, 25)
	rule(zone(0), zone(1), true, 3306, 5432, 8080)
	for i := 1 + centres; i < g.o.Sites; i++ {
		rule(zone(i), zone(1+i%centres), true, 80, 443, 8080)
		rule(zone(i), zone(1+(i+1)%centres), true, 443, 22)
		if i%5 == 0 {
			rule(attackpath.Zone{Site: g.site(i), Network: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), 0, 0}), 28)}, attackpath.Zone{}, true, 22, 3389)
		}
		if i%7 == 0 {
			rule(zone(i), zone(0), false)
		}
	}
	for i := 1; i <= centres; i++ {
		rule(zone(i), zone(1+i%centres), true, 22, 445, 5432)
	}
	g.e.Policy.Source = "policy.yaml"
}
